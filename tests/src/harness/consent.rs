//! Grants, vaults and withdrawals: the work with them, and what they amount to on every phone in the end.
//!
//! The model judges by what each phone showed before it wrote: a grant had seen the withdrawals that its phone listed, and
//! is beaten by every other one in its scope, wherever and in whatever order they met.

use super::model::Heads;
use super::work::{Done, Worker};
use crate::store_thief::{Evidence, canary};
use crate::team::Phone;
use satchel_core::consent::{
    Act, GatedCategory, GrantError, GrantRequest, GrantStatus, HowGiven, Language, Purpose, ShareClass, Withdrawal,
};
use satchel_core::error::Error;
use satchel_core::record::{Fact, FactField, Kind};
use satchel_core::store::vault_record;
use satchel_wire::ShiftDay;
use satchel_wire::ids::RecordId;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const CATEGORIES: [GatedCategory; 4] =
    [GatedCategory::LegalName, GatedCategory::ContactDetail, GatedCategory::ExactPlace, GatedCategory::GovernmentId];
const FIELDS: [FactField; 6] =
    [FactField::LegalName, FactField::Phone, FactField::Email, FactField::ExactPlace, FactField::IdNumber, FactField::BenefitNumber];
/// How long grants last (days): some end while the team works, some while it heals, some later.
const TERMS_DAYS: [u16; 5] = [1, 30, 70, 80, 85];
/// Most recipients that a phone adds where it knows others (count).
const RECIPIENTS_COUNT: usize = 2;

/// A grant as promised.
#[derive(Debug)]
pub struct Given {
    participant: RecordId,
    act: Act,
    /// None of them: the grant of the file.
    categories: BTreeSet<GatedCategory>,
    recipient: Option<RecordId>,
    expiry: ShiftDay,
    /// The withdrawals that its phone showed.
    seen: BTreeSet<RecordId>,
}

/// What was said yes and no to, and what was written under it.
#[derive(Debug, Default)]
pub struct Consents {
    grants: BTreeMap<RecordId, Given>,
    withdrawals: BTreeMap<RecordId, (RecordId, Withdrawal)>,
    /// The last written facts, by grant: several where phones wrote at once.
    facts: BTreeMap<(RecordId, FactField), Heads>,
    /// Every fact ever written.
    written: BTreeMap<(RecordId, FactField), Heads>,
    canaries: usize,
    /// Withdrawals that reached a grant whose phone had not heard of them, when either was written (count).
    pub unseen: usize,
}

impl Consents {
    /// Everything that a new file brings along.
    pub fn begin(&mut self, phone: &Phone, participant: RecordId) -> Result<(), Error> {
        for line in phone.unlocked.grants(participant)? {
            let Some(grant) = line.grant else { continue };
            let categories = grant.categories.iter().copied().collect();
            let (act, recipient, expiry) = (grant.act, grant.recipient, grant.expiry);
            self.grants.insert(line.id, Given { participant, act, categories, recipient, expiry, seen: BTreeSet::new() });
        }
        Ok(())
    }

    /// Whether one category of a grant was taken back by somebody of whom its phone had not heard; none is the file itself.
    fn is_withdrawn(&self, grant: &Given, category: Option<GatedCategory>) -> bool {
        self.withdrawals.iter().any(|(id, (participant, scope))| {
            *participant == grant.participant
                && !grant.seen.contains(id)
                && scope.act.is_none_or(|act| act == grant.act)
                && (scope.recipient.is_none() || scope.recipient == grant.recipient)
                && (scope.category.is_none() || scope.category == category)
        })
    }

    /// Whether the file of a participant was taken back: every yes to it.
    pub fn is_closed(&self, participant: &RecordId) -> bool {
        let mut files = self.grants.values().filter(|grant| grant.participant == *participant && is_for_file(grant)).peekable();
        files.peek().is_some() && files.all(|grant| self.is_withdrawn(grant, None))
    }

    fn left(&self, grant: &Given) -> BTreeSet<GatedCategory> {
        grant.categories.iter().copied().filter(|category| !self.is_withdrawn(grant, Some(*category))).collect()
    }

    fn status(&self, grant: &Given, day: ShiftDay) -> GrantStatus {
        let is_gone = if is_for_file(grant) { self.is_withdrawn(grant, None) } else { self.left(grant).is_empty() };
        match (is_gone, day > grant.expiry) {
            (true, _) => GrantStatus::Withdrawn,
            (false, true) => GrantStatus::Expired,
            (false, false) => GrantStatus::Live,
        }
    }

    /// Whether facts may stand under a category of a grant on a day.
    fn stands(&self, id: &RecordId, category: GatedCategory, day: ShiftDay) -> bool {
        self.grants.get(id).is_some_and(|grant| {
            grant.act == Act::Record && day <= grant.expiry && self.left(grant).contains(&category) && !self.is_closed(&grant.participant)
        })
    }

    /// Facts that must be gone, and facts that must be there, on a day.
    fn gone_and_here(&self, day: ShiftDay) -> (BTreeSet<&str>, BTreeSet<&str>) {
        let texts = |facts: &'_ BTreeMap<(RecordId, FactField), Heads>, stands: bool| {
            let chosen = facts.iter().filter(|((grant, field), _)| self.stands(grant, field.category(), day) == stands);
            chosen.flat_map(|(_, texts)| texts.clone()).collect::<BTreeSet<String>>()
        };
        let (gone, here) = (texts(&self.written, false), texts(&self.facts, true));
        let all = || self.written.values().flatten();
        (
            all().filter(|text| gone.contains(*text)).map(String::as_str).collect(),
            all().filter(|text| here.contains(*text)).map(String::as_str).collect(),
        )
    }

    /// How many facts must be gone, and how many must be there, on a day.
    pub fn weight(&self, day: ShiftDay) -> (usize, usize) {
        let (gone, here) = self.gone_and_here(day);
        (gone.len(), here.len())
    }

    /// Holds one phone against everything promised: grants, vaults, keys and what its files give up. Errors: what stands and
    /// should not, or does not and should.
    pub fn check(&self, phone: &Phone) -> Result<(), String> {
        let name = &phone.name;
        let day = phone.unlocked.today().map_err(|error| error.code())?;
        let participants: BTreeSet<RecordId> = self.grants.values().map(|grant| grant.participant).collect();
        for participant in &participants {
            self.check_participant(phone, participant, day).map_err(|error| format!("{name}: {error}"))?;
        }
        if self.written.is_empty() {
            return Ok(());
        }
        let standing: BTreeSet<RecordId> = self
            .grants
            .iter()
            .flat_map(|(id, grant)| {
                grant.categories.iter().filter(|category| self.stands(id, **category, day)).map(|c| vault_record(*id, *c))
            })
            .collect();
        let loot = phone.unlocked.dangerous_loot().map_err(|error| error.code())?;
        if let Some(key) = loot.records.iter().find(|loot| loot.kind == Kind::Vault && !standing.contains(&loot.record)) {
            return Err(format!("{name}: a key of vault {} is left, under which nothing may stand", key.record));
        }
        let mut evidence = Evidence::default();
        evidence.image(&phone.dir);
        let secrets = evidence.name(&loot);
        let found = evidence.follow(&secrets).texts;
        let (gone, here) = self.gone_and_here(day);
        if let Some(text) = gone.iter().find(|text| found.contains(**text)) {
            return Err(format!("{name}: the phone's files give up {text}, which was taken back or is over"));
        }
        match here.iter().find(|text| !found.contains(**text)) {
            Some(text) => Err(format!("{name}: control: the phone's files do not give up {text}, which stands")),
            None => Ok(()),
        }
    }

    fn check_participant(&self, phone: &Phone, participant: &RecordId, day: ShiftDay) -> Result<(), String> {
        let unlocked = &phone.unlocked;
        let lines = unlocked.grants(*participant).map_err(|error| error.code())?;
        let vaults = unlocked.vaults(*participant).map_err(|error| error.code())?;
        let given: BTreeMap<&RecordId, &Given> = self.grants.iter().filter(|(_, grant)| grant.participant == *participant).collect();
        if self.is_closed(participant) {
            let is_read = given.keys().any(|grant| unlocked.read_vault(*participant, **grant).is_ok());
            if is_read || !vaults.is_empty() || unlocked.participant(*participant).is_ok() {
                return Err(format!("something of {participant} is shown, whose file was taken back"));
            }
            return Ok(());
        }
        let shown: BTreeSet<RecordId> = lines.iter().map(|line| line.id).collect();
        if let Some(lost) = given.keys().find(|id| !shown.contains(id)) {
            return Err(format!("grant {lost} is lost"));
        }
        let mut filled: BTreeSet<RecordId> = BTreeSet::new();
        for line in &lines {
            let grant = given.get(&line.id).ok_or_else(|| format!("grant {} was never given", line.id))?;
            let status = self.status(grant, day);
            if line.status != status {
                return Err(format!("grant {} is {:?}, and should be {status:?}: {grant:?}", line.id, line.status));
            }
            if grant.act != Act::Record || is_for_file(grant) {
                continue;
            }
            let facts = unlocked.read_vault(*participant, line.id);
            if status != GrantStatus::Live {
                if facts.is_ok() {
                    return Err(format!("the vault of grant {} is read, which is {status:?}", line.id));
                }
                continue;
            }
            let facts = facts.map_err(|error| format!("the vault of grant {}: {}", line.id, error.code()))?;
            for field in FIELDS {
                let shown = facts.iter().filter(|line| line.fact.field() == field);
                let shown: Heads =
                    shown.flat_map(|line| std::iter::once(&line.fact).chain(&line.others)).map(|fact| fact.value().to_owned()).collect();
                let stands = self.stands(&line.id, field.category(), day);
                let heads = self.facts.get(&(line.id, field)).filter(|_| stands).cloned().unwrap_or_default();
                if shown != heads {
                    return Err(format!("{} of grant {} shows {shown:?}, last written were {heads:?}", field.as_str(), line.id));
                }
                if !heads.is_empty() {
                    filled.insert(line.id);
                }
            }
        }
        let listed: BTreeSet<RecordId> = vaults.iter().map(|line| line.grant).collect();
        if listed == filled { Ok(()) } else { Err(format!("vaults {listed:?} are listed, filled are {filled:?}")) }
    }
}

fn is_for_file(grant: &Given) -> bool {
    matches!(grant.act, Act::Record) && grant.categories.is_empty()
}

/// Everything about consent that a phone shows and that all should agree on.
pub fn view(phone: &Phone) -> Result<String, Error> {
    let unlocked = &phone.unlocked;
    let mut out = String::new();
    let mut recipients = unlocked.recipients()?;
    recipients.sort_by_key(|line| line.id);
    let _ = writeln!(out, "recipients {recipients:?}");
    for file in unlocked.participants()? {
        for line in unlocked.grants(file.id)? {
            let _ = writeln!(out, "grant {line:?}");
            if let Ok(facts) = unlocked.read_vault(file.id, line.id) {
                let facts: Vec<Vec<&str>> =
                    facts.iter().map(|line| std::iter::once(&line.fact).chain(&line.others).map(Fact::value).collect()).collect();
                let _ = writeln!(out, "facts {facts:?}");
            }
        }
        let _ = writeln!(out, "withdrawals {:?}", unlocked.withdrawals(file.id)?);
        let _ = writeln!(out, "vaults {:?}", unlocked.vaults(file.id)?);
        let _ = writeln!(out, "shared {:?}", unlocked.sharing_log(file.id)?);
    }
    Ok(out)
}

impl Worker<'_> {
    /// One piece of work with consents. `None` if there was nothing of its kind to do. Errors: the store's.
    pub fn consent(&mut self) -> Result<Option<Done>, Error> {
        match self.dice.below(100) {
            0..30 => self.give(Act::Record),
            30..68 => self.write_facts(),
            68..85 => {
                let Some(participant) = self.some_file()? else { return Ok(None) };
                let lines = self.phone.unlocked.grants(participant)?;
                let live: Vec<GatedCategory> = lines.iter().flat_map(|line| line.live.iter().copied()).collect();
                let category = self.dice.pick(&live);
                let act = if self.dice.chance(70) { Some(Act::Record) } else { None };
                if category.is_some() { self.take_back(participant, act, category, None, "withdrawal") } else { Ok(None) }
            }
            85..88 => {
                let Some(participant) = self.some_file()? else { return Ok(None) };
                let act = if self.dice.chance(50) { Some(Act::Record) } else { None };
                self.take_back(participant, act, None, None, "file taken back")
            }
            88..90 => self.renew(),
            90..95 => self.give(Act::Share),
            _ => {
                let Some(participant) = self.some_file()? else { return Ok(None) };
                let lines = self.phone.unlocked.grants(participant)?;
                let shares = lines.iter().filter_map(|line| line.grant.as_ref()).filter(|grant| grant.act == Act::Share);
                let shares: Vec<Option<RecordId>> = shares.flat_map(|grant| [grant.recipient, None]).collect();
                let Some(recipient) = self.dice.pick(&shares) else { return Ok(None) };
                self.take_back(participant, Some(Act::Share), None, recipient, "share stopped")
            }
        }
    }

    fn recipient(&mut self) -> Result<RecordId, Error> {
        let known: Vec<RecordId> = self.phone.unlocked.recipients()?.iter().map(|line| line.id).collect();
        if known.len() < RECIPIENTS_COUNT {
            let name = self.word();
            return self.phone.unlocked.add_recipient(&name, ShareClass::Service);
        }
        Ok(self.dice.pick(&known).unwrap_or(known[0]))
    }

    fn give(&mut self, act: Act) -> Result<Option<Done>, Error> {
        let Some(participant) = self.some_file()? else { return Ok(None) };
        let recipient = if act == Act::Share { Some(self.recipient()?) } else { None };
        let categories = (0..self.dice.between(1, 3)).filter_map(|_| self.dice.pick(&CATEGORIES)).collect();
        let term = self.dice.pick(&TERMS_DAYS).unwrap_or(1);
        let kind = if act == Act::Share { "share" } else { "grant" };
        self.grant(participant, act, categories, recipient, term, kind)
    }

    fn renew(&mut self) -> Result<Option<Done>, Error> {
        let Some(participant) = self.some_file()? else { return Ok(None) };
        self.grant(participant, Act::Record, BTreeSet::new(), None, 360, "file renewed")
    }

    fn grant(
        &mut self,
        participant: RecordId,
        act: Act,
        categories: BTreeSet<GatedCategory>,
        recipient: Option<RecordId>,
        term_days: u16,
        kind: &'static str,
    ) -> Result<Option<Done>, Error> {
        let unlocked = &self.phone.unlocked;
        let expiry = unlocked.today()?.plus(term_days);
        let seen = unlocked.withdrawals(participant)?.iter().map(|line| line.id).collect();
        let request = GrantRequest {
            act,
            categories: categories.iter().copied().collect(),
            recipient,
            purpose: Purpose::HousingApplication,
            start: None,
            expiry,
            how: HowGiven::Spoken,
            language: Language::English,
        };
        let id = unlocked.give_grant(participant, &request)?;
        let given = Given { participant, act, categories, recipient, expiry, seen };
        let consents = &mut self.model.consents;
        let is_beaten = if is_for_file(&given) { consents.is_withdrawn(&given, None) } else { consents.left(&given) != given.categories };
        consents.unseen += usize::from(is_beaten);
        consents.grants.insert(id, given);
        Ok(Some((kind, Some(id))))
    }

    fn write_facts(&mut self) -> Result<Option<Done>, Error> {
        let Some(participant) = self.some_file()? else { return Ok(None) };
        let unlocked = &self.phone.unlocked;
        let lines = unlocked.grants(participant)?;
        let is_open = |line: &&satchel_core::store::GrantLine| {
            line.grant.as_ref().is_some_and(|grant| grant.act == Act::Record) && !line.live.is_empty()
        };
        let open: Vec<RecordId> = lines.iter().filter(is_open).map(|line| line.id).collect();
        let Some(grant) = self.dice.pick(&open) else { return Ok(None) };
        let vault = unlocked.vault(participant, grant)?;
        let covered: BTreeSet<GatedCategory> = vault.categories().collect();
        let fields: Vec<FactField> = FIELDS.into_iter().filter(|field| covered.contains(&field.category())).collect();
        let Some(field) = self.dice.pick(&fields) else { return Ok(None) };
        let before = vault.read()?;
        let before: Heads = before
            .iter()
            .filter(|line| line.fact.field() == field)
            .flat_map(|line| std::iter::once(&line.fact).chain(&line.others))
            .map(|fact| fact.value().to_owned())
            .collect();
        let consents = &mut self.model.consents;
        consents.canaries += 1;
        let text = canary(consents.canaries);
        vault.write(&[Fact::parse(field, &text)?])?;
        let heads = consents.facts.entry((grant, field)).or_default();
        heads.retain(|head| !before.contains(head));
        heads.insert(text.clone());
        consents.written.entry((grant, field)).or_default().insert(text);
        Ok(Some(("facts", Some(grant))))
    }

    fn take_back(
        &mut self,
        participant: RecordId,
        act: Option<Act>,
        category: Option<GatedCategory>,
        recipient: Option<RecordId>,
        kind: &'static str,
    ) -> Result<Option<Done>, Error> {
        let unlocked = &self.phone.unlocked;
        let known: BTreeSet<RecordId> = unlocked.grants(participant)?.iter().map(|line| line.id).collect();
        let scope = Withdrawal { act, category, recipient, how: HowGiven::Spoken };
        let report = match unlocked.withdraw(participant, &scope) {
            Ok(report) => report,
            Err(Error::Grant(GrantError::NothingToWithdraw)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let consents = &mut self.model.consents;
        let beaten = |consents: &Consents| -> usize {
            let others = consents.grants.iter().filter(|(id, grant)| grant.participant == participant && !known.contains(id));
            others.map(|(_, grant)| grant.categories.len() - consents.left(grant).len()).sum()
        };
        let before = beaten(consents);
        consents.withdrawals.insert(report.withdrawal, (participant, scope));
        consents.unseen += usize::from(beaten(consents) > before);
        Ok(Some((kind, Some(report.withdrawal))))
    }
}
