//! Withdrawal wins, on phones that give, write, take back and give again between meetings: every small history, and large
//! ones by chance. In which order rows arrive: `withdrawal.rs`; whole teams with all their work: `simulation_consent.rs`.

#![allow(clippy::unwrap_used)]

use satchel_core::consent::{Act, GatedCategory, GrantError, GrantRequest, GrantStatus, HowGiven, Language, Purpose, Withdrawal};
use satchel_core::error::Error;
use satchel_core::record::{Fact, FactField, Kind, ParticipantDraft};
use satchel_core::rules::Rule;
use satchel_core::store::vault_record;
use satchel_core::sync::Replica;
use satchel_core::team::Role;
use satchel_tests::team::{Phone, found, found_without, join, join_without, meet};
use satchel_wire::ids::RecordId;
use std::collections::BTreeSet;

const START: u64 = 1_795_370_000;
const NAME: GatedCategory = GatedCategory::LegalName;

fn take_name() -> Withdrawal {
    Withdrawal { act: Some(Act::Record), category: Some(NAME), recipient: None, how: HowGiven::Spoken }
}

fn keyed(phone: &Phone) -> BTreeSet<RecordId> {
    phone.unlocked.dangerous_loot().unwrap().records.into_iter().filter(|loot| loot.kind == Kind::Vault).map(|loot| loot.record).collect()
}

/// What a worker does between meetings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// Gives a grant for the name.
    Give,
    /// Writes the name under every grant that counts on this phone.
    Write,
    /// Takes the name back, if anything was given of which this phone knows.
    TakeBack,
}

/// A deed, on one of two phones.
type Step = (usize, Deed);

/// One participant's history: what each phone knows, kept beside the phones.
struct History {
    acts: Vec<Step>,
    person: RecordId,
    /// Every grant with the withdrawals that its phone knew.
    grants: Vec<(RecordId, BTreeSet<RecordId>)>,
    withdrawals: BTreeSet<RecordId>,
    /// What each phone knows: grants, and withdrawals.
    known: Vec<(BTreeSet<RecordId>, BTreeSet<RecordId>)>,
    /// Facts written so far (count): each is another text.
    written: usize,
}

fn request(phone: &Phone) -> GrantRequest {
    GrantRequest {
        act: Act::Record,
        categories: vec![NAME],
        recipient: None,
        purpose: Purpose::HousingApplication,
        start: None,
        expiry: phone.unlocked.today().unwrap().plus(30),
        how: HowGiven::Spoken,
        language: Language::English,
    }
}

impl History {
    /// A file with a grant for the name, by one phone.
    fn begin(acts: Vec<Step>, ana: &Phone, phones: usize) -> Self {
        let person = ana.unlocked.create_participant(&ParticipantDraft::default(), HowGiven::Spoken, "en").unwrap();
        let known = vec![(BTreeSet::new(), BTreeSet::new()); phones];
        let mut history = Self { acts, person, grants: Vec::new(), withdrawals: BTreeSet::new(), known, written: 0 };
        history.give(0, ana);
        let first = history.known[0].clone();
        history.known.fill(first);
        history
    }

    fn act(&mut self, at: usize, phones: &[&Phone]) {
        let (who, deed) = self.acts[at];
        match deed {
            Deed::Give => self.give(who, phones[who]),
            Deed::Write => self.write(who, phones[who]),
            Deed::TakeBack => self.take_back(who, phones[who]),
        }
    }

    fn write(&mut self, who: usize, phone: &Phone) {
        for grant in self.known[who].0.clone() {
            // refused where it does not count any more: that is looked at in the end
            if let Ok(vault) = phone.unlocked.vault(self.person, grant) {
                self.written += 1;
                vault.write(&[Fact::parse(FactField::LegalName, &format!("written {}", self.written)).unwrap()]).unwrap();
            }
        }
    }

    fn take_back(&mut self, who: usize, phone: &Phone) {
        if let Ok(report) = phone.unlocked.withdraw(self.person, &take_name()) {
            self.withdrawals.insert(report.withdrawal);
            self.known[who].1.insert(report.withdrawal);
        }
    }

    fn give(&mut self, who: usize, phone: &Phone) {
        let grant = phone.unlocked.give_grant(self.person, &request(phone)).unwrap();
        self.grants.push((grant, self.known[who].1.clone()));
        self.known[who].0.insert(grant);
    }

    fn meet(&mut self, a: usize, b: usize) {
        let (grants, withdrawals) = self.known[b].clone();
        self.known[a].0.extend(grants);
        self.known[a].1.extend(withdrawals);
        self.known[b] = self.known[a].clone();
    }

    /// What is wrong on a phone, once everybody has met.
    fn wrong(&self, phone: &Phone, keyed: &BTreeSet<RecordId>) -> Option<String> {
        let lines = phone.unlocked.grants(self.person).unwrap();
        for (grant, seen) in &self.grants {
            let lives = self.withdrawals.iter().all(|withdrawal| seen.contains(withdrawal));
            let status = lines.iter().find(|line| line.id == *grant).map(|line| line.status);
            let is_read = phone.unlocked.read_vault(self.person, *grant).is_ok();
            let has_key = keyed.contains(&vault_record(*grant, NAME));
            if (status == Some(GrantStatus::Live)) != lives || is_read != lives || (has_key && !lives) {
                return Some(format!("{:?} on {}'s phone: {status:?}, read {is_read}, key {has_key}", self.acts, phone.name));
            }
        }
        None
    }

    /// Everything that a phone shows of it.
    fn shown(&self, phone: &Phone) -> String {
        let facts = self.grants.iter().map(|(grant, _)| phone.unlocked.read_vault(self.person, *grant).ok());
        let facts: Vec<Vec<String>> = facts
            .map(|facts| facts.into_iter().flatten().flat_map(|line| std::iter::once(line.fact).chain(line.others)))
            .map(|facts| facts.map(|fact| fact.value().to_owned()).collect())
            .collect();
        let unlocked = &phone.unlocked;
        let grants = unlocked.grants(self.person).unwrap();
        format!("{grants:?} {:?} {:?} {facts:?}", unlocked.withdrawals(self.person).unwrap(), unlocked.vaults(self.person).unwrap())
    }
}

/// Histories on two phones that meet after some of the steps, a bit each, and twice in the end. Returns what was wrong.
fn together(seed: u64, all: Vec<Vec<Step>>, meetings: usize, without: Option<Rule>) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let ana = found_without(folder.path(), seed, "Ana", START, without);
    let ben = join_without(folder.path(), seed, "Ben", START, &ana, Role::Worker, without);
    let length = all.iter().map(Vec::len).max().unwrap_or(0);
    let mut histories: Vec<History> = all.into_iter().map(|acts| History::begin(acts, &ana, 2)).collect();
    meet(&ana, &ben);
    for at in 0..length {
        histories.iter_mut().for_each(|history| history.act(at, &[&ana, &ben]));
        if meetings & (1 << at) != 0 {
            meet(&ana, &ben);
            histories.iter_mut().for_each(|history| history.meet(0, 1));
        }
    }
    meet(&ana, &ben);
    meet(&ben, &ana);
    let keys = [keyed(&ana), keyed(&ben)];
    let mut wrong = Vec::new();
    for history in &histories {
        wrong.extend(history.wrong(&ana, &keys[0]));
        wrong.extend(history.wrong(&ben, &keys[1]));
        if history.shown(&ana) != history.shown(&ben) {
            wrong.push(format!("{:?}: two answers", history.acts));
        }
    }
    wrong
}

const DEEDS: [Deed; 3] = [Deed::Give, Deed::Write, Deed::TakeBack];

/// Every sequence of so many deeds, each on either phone.
fn sequences(length: usize) -> Vec<Vec<Step>> {
    let one: Vec<Step> = (0..2).flat_map(|who| DEEDS.map(|deed| (who, deed))).collect();
    (0..length).fold(vec![Vec::new()], |all, _| {
        all.into_iter().flat_map(|begun: Vec<Step>| one.iter().map(move |act| [begun.as_slice(), &[*act]].concat())).collect()
    })
}

/// Every order of a grant, a write, a withdrawal and a second grant, each on either phone.
fn four() -> Vec<Vec<Step>> {
    let has = |acts: &[Step], deed, count| acts.iter().filter(|(_, other)| *other == deed).count() == count;
    let is_it = |acts: &Vec<Step>| has(acts, Deed::Give, 2) && has(acts, Deed::Write, 1) && has(acts, Deed::TakeBack, 1);
    sequences(4).into_iter().filter(is_it).collect()
}

#[test]
fn two_phones_agree_on_every_history_of_two_deeds() {
    assert_eq!(sequences(2).len(), 36);
    for meetings in 0..2 {
        assert_eq!(together(5, sequences(2), meetings, None), Vec::<String>::new());
    }
}

#[test]
fn two_phones_agree_on_every_history_of_three_deeds() {
    assert_eq!(sequences(3).len(), 216);
    for meetings in 0..4 {
        assert_eq!(together(6, sequences(3), meetings, None), Vec::<String>::new());
    }
}

#[test]
fn two_phones_agree_on_every_order_of_grant_write_withdrawal_and_grant() {
    assert_eq!(four().len(), 192);
    for meetings in 0..8 {
        assert_eq!(together(7, four(), meetings, None), Vec::<String>::new());
    }
}

#[test]
fn control_without_the_rule_every_history_with_a_withdrawal_is_wrong() {
    let (taking, other): (Vec<_>, Vec<_>) = sequences(2).into_iter().partition(|acts| acts.iter().any(|(_, deed)| *deed == Deed::TakeBack));
    let rule = Some(Rule::WithdrawalBeatsUnseen);
    let count = taking.len();
    let wrong = together(8, taking, 1, rule);
    assert!(wrong.len() >= count, "{} of {count}", wrong.len());
    assert_eq!(together(9, other, 1, rule), Vec::<String>::new());
}

#[test]
fn a_tombstone_that_comes_before_its_withdrawal_closes_the_vault_and_not_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), 10, "Ana", START);
    let mut ben = join(folder.path(), 10, "Ben", START, &ana, Role::Worker);
    let person = ana.unlocked.create_participant(&ParticipantDraft::default(), HowGiven::Spoken, "en").unwrap();
    let place = GatedCategory::ExactPlace;
    let grant = ana.unlocked.give_grant(person, &GrantRequest { categories: vec![NAME, place], ..request(&ana) }).unwrap();
    let name = |text| Fact::parse(FactField::LegalName, text).unwrap();
    let under_bridge = Fact::parse(FactField::ExactPlace, "under the bridge").unwrap();
    ana.unlocked.vault(person, grant).unwrap().write(&[name("Ada"), under_bridge]).unwrap();
    meet(&ana, &ben);
    ben.unlocked.withdraw(person, &take_name()).unwrap();
    // the log is told first; here nothing else
    let all = ben.unlocked.operation_ids().unwrap();
    let told = ben.unlocked.operations(&all).unwrap();
    let mut hears = ana.unlocked.clone();
    hears.merge_operations(told).unwrap();
    let shown = |phone: &Phone| phone.unlocked.grants(person).unwrap().into_iter().find(|line| line.id == grant).unwrap();
    let line = shown(&ana);
    assert_eq!((line.status, line.live.as_slice(), line.withdrawn_by.len()), (GrantStatus::Live, &[place][..], 0));
    let vault = ana.unlocked.vault(person, grant).unwrap();
    assert_eq!(vault.categories().collect::<Vec<_>>(), [place]);
    assert!(matches!(vault.write(&[name("Eve")]), Err(Error::Grant(GrantError::NotCovered))));
    let facts: Vec<String> = vault.read().unwrap().iter().map(|line| line.fact.value().to_owned()).collect();
    assert_eq!(facts, ["under the bridge"]);
    // with the withdrawal nothing changes but who took it back
    meet(&ana, &ben);
    assert_eq!((shown(&ana).live.as_slice(), shown(&ana).withdrawn_by.len()), (&[place][..], 1));
    assert_eq!(shown(&ana), shown(&ben));
}

/// Three phones, many people, chance; the order of everything from a seed.
#[test]
fn three_phones_agree_on_large_histories() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), 7, "Ana", START);
    let ben = join(folder.path(), 7, "Ben", START, &ana, Role::Worker);
    let cleo = join(folder.path(), 7, "Cleo", START, &ana, Role::Worker);
    let phones = [&ana, &ben, &cleo];
    let mut histories: Vec<History> = (0..30).map(|_| History::begin(Vec::new(), &ana, 3)).collect();
    let mut state = 7_u64;
    let mut below = |count: u64| {
        // Knuth's MMIX generator; its upper half
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((state >> 33) % count).unwrap()
    };
    let all_meet = |histories: &mut Vec<History>| {
        for (a, b) in [(0, 1), (1, 2), (0, 2), (0, 1)] {
            meet(phones[a], phones[b]);
            histories.iter_mut().for_each(|history| history.meet(a, b));
        }
    };
    all_meet(&mut histories);
    for _ in 0..400 {
        let (who, whom) = (below(3), below(30));
        match below(20) {
            0..10 => histories[whom].write(who, phones[who]),
            10..13 => histories[whom].take_back(who, phones[who]),
            13..18 => histories[whom].give(who, phones[who]),
            _ => {
                let other = (who + 1 + below(2)) % 3;
                meet(phones[who], phones[other]);
                histories.iter_mut().for_each(|history| history.meet(who, other));
            }
        }
    }
    all_meet(&mut histories);
    let (taken, given): (usize, usize) =
        (histories.iter().map(|history| history.withdrawals.len()).sum(), histories.iter().map(|history| history.grants.len()).sum());
    assert!(taken > 20 && given > 80, "{taken} taken back, {given} given");
    for phone in phones {
        let keyed = keyed(phone);
        assert!(histories.iter().all(|history| history.wrong(phone, &keyed).is_none()));
    }
    for history in &histories {
        let shown = phones.map(|phone| history.shown(phone));
        assert!(shown[0] == shown[1] && shown[1] == shown[2]);
    }
}
