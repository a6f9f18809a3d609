//! A modified app with valid keys tries every way around a consent, against phones that keep to the rules.
//!
//! What it can do is lie: say that somebody said yes. Then its signature stands beside the claim.

#![allow(clippy::unwrap_used)]

use satchel_core::consent::{
    Act, GatedCategory, Grant, GrantError, GrantRequest, GrantStatus, HowGiven, Language, Purpose, ShareClass, Withdrawal, words,
};
use satchel_core::crypto::RecordsSecret;
use satchel_core::document::Value;
use satchel_core::envelope::cover_row;
use satchel_core::error::Error;
use satchel_core::record::{Encounter, EncounterKind, EntryContent, Fact, FactField, Kind, ParticipantDraft, Recipient};
use satchel_core::screen::{Alias, COVER};
use satchel_core::store::{EncounterDraft, GrantLine, LootClass, vault_record};
use satchel_core::team::tombstone::{self, Erasure};
use satchel_core::team::{Operation, Role};
use satchel_tests::attacker::{Attacker, Forged, feed};
use satchel_tests::team::{Hub, Phone, found, join, meet};
use satchel_wire::ShiftDay;
use satchel_wire::ids::RecordId;
use satchel_wire::row::Row;

const START: u64 = 1_795_370_000;
const DAY: i64 = 86_400;
const NAME: GatedCategory = GatedCategory::LegalName;
const SECRET: &str = "Maria Gonzalez";

/// Ana and Ben are honest, Mallory is not. Ana has a file of Blue, with a vault that holds their legal name.
struct World {
    _folder: tempfile::TempDir,
    _hub: Hub,
    ana: Phone,
    ben: Phone,
    mallory: Attacker,
    blue: RecordId,
    grant: RecordId,
    day: ShiftDay,
}

fn request(today: ShiftDay) -> GrantRequest {
    GrantRequest {
        act: Act::Record,
        categories: vec![NAME],
        recipient: None,
        purpose: Purpose::HousingApplication,
        start: None,
        expiry: today.plus(30),
        how: HowGiven::Spoken,
        language: Language::English,
    }
}

fn world(seed: u64) -> World {
    let folder = tempfile::tempdir().unwrap();
    let (hub, address) = Hub::new(folder.path(), START);
    let ana = found(folder.path(), seed, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let ben = join(folder.path(), seed, "Ben", START, &ana, Role::Worker);
    let mallory = Attacker::join(seed, "Mallory", &ana, Role::Worker);
    let draft = ParticipantDraft { alias: Some(Alias::parse("Blue").unwrap()), ..ParticipantDraft::default() };
    let blue = ana.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap();
    let day = ana.unlocked.today().unwrap();
    let grant = ana.unlocked.give_grant(blue, &request(day)).unwrap();
    ana.unlocked.vault(blue, grant).unwrap().write(&[Fact::parse(FactField::LegalName, SECRET).unwrap()]).unwrap();
    meet(&ana, &ben);
    World { _folder: folder, _hub: hub, ana, ben, mallory, blue, grant, day }
}

fn record(n: u8) -> RecordId {
    RecordId::from_bytes([n; 16])
}

/// A grant to record a legal name, as an honest phone would write it.
fn vault_grant(day: ShiftDay) -> Grant {
    Grant {
        categories: vec![NAME],
        purpose: Purpose::HousingApplication,
        words_version: words::current(Act::Record, false, None),
        ..Grant::for_file(day, 30, HowGiven::Spoken, "en", Vec::new())
    }
}

fn of_name(how: HowGiven) -> Withdrawal {
    Withdrawal { act: Some(Act::Record), category: Some(NAME), recipient: None, how }
}

impl World {
    fn facts_of(&mut self, grant: RecordId, category: GatedCategory, field: &str, value: &str) -> Forged {
        let (blue, day) = (self.blue, self.day);
        let value = Value::Text(value.to_owned());
        self.mallory.document(vault_record(grant, category), Kind::Vault, Some(blue), day, |edit| edit.set(field, value))
    }
    fn give(&mut self, id: RecordId, grant: Grant) -> Forged {
        let (blue, day) = (self.blue, self.day);
        self.entry_until(id, blue, day, grant.expiry, grant)
    }
    /// A grant with the last day that it needs.
    fn entry_until(&mut self, id: RecordId, subject: RecordId, day: ShiftDay, until: ShiftDay, grant: Grant) -> Forged {
        let mut header = self.mallory.header(Kind::Grant, day);
        header.keep_until = Some(until);
        let binding = self.mallory.binding(id, Kind::Grant, Some(subject), day);
        self.mallory.seal(binding, &header, &EntryContent::first(grant).to_bytes())
    }
    /// A body under a turn that the phone holds: also of somebody removed, whose work a colleague carries.
    fn covered_for(&self, phone: &Phone, forged: &Forged) -> Row {
        let loot = phone.unlocked.dangerous_loot().unwrap();
        let (_, secret) = loot.secrets.iter().find(|(class, _)| *class == LootClass::Turn).unwrap();
        let lane = RecordsSecret::from_bytes(secret).derive_records_lane_key();
        cover_row(&self.mallory.env, self.mallory.team, &lane, &forged.binding, &forged.key, &forged.body.bytes).unwrap()
    }
    /// Hands a body to a phone. Its verdict: applied, or a code.
    fn verdict(&self, phone: &Phone, forged: &Forged) -> &'static str {
        let taken = feed(phone, &[self.covered_for(phone, forged)]);
        match (taken.applied, taken.codes.first()) {
            (1, None) => "applied",
            (0, Some(code)) => code,
            _ => panic!("{taken:?}"),
        }
    }
    /// Hands a body to both honest phones, which have to agree.
    #[track_caller]
    fn both(&self, forged: &Forged, expected: &str) {
        for phone in [&self.ana, &self.ben] {
            assert_eq!(self.verdict(phone, forged), expected, "{}", phone.name);
        }
    }
    fn line(&self, phone: &Phone, grant: RecordId) -> GrantLine {
        phone.unlocked.grants(self.blue).unwrap().into_iter().find(|line| line.id == grant).unwrap()
    }
    #[track_caller]
    fn stands(&self, grant: RecordId, status: GrantStatus) {
        for phone in [&self.ana, &self.ben] {
            assert_eq!(self.line(phone, grant).status, status, "{}", phone.name);
        }
    }
    /// What both phones show of a vault: the same.
    fn shown(&self, grant: RecordId) -> Result<Vec<String>, Error> {
        let read = |phone: &Phone| {
            let lines = phone.unlocked.read_vault(self.blue, grant)?;
            Ok(lines.iter().map(|line| line.fact.value().to_owned()).collect::<Vec<_>>())
        };
        let shown = read(&self.ana);
        assert_eq!(shown, read(&self.ben));
        shown
    }
    /// No key of a vault record of this grant is left anywhere on a phone.
    #[track_caller]
    fn no_key_of(&self, grant: RecordId) {
        let gone = vault_record(grant, NAME);
        for phone in [&self.ana, &self.ben] {
            let loot = phone.unlocked.dangerous_loot().unwrap();
            assert!(loot.records.iter().all(|loot| loot.record != gone), "{} still has a key", phone.name);
        }
    }
}

#[test]
fn control_an_honest_vault_is_shown_and_its_key_is_there() {
    let mut w = world(1);
    assert_eq!(w.shown(w.grant).unwrap(), [SECRET]);
    let there = vault_record(w.grant, NAME);
    assert!(w.ana.unlocked.dangerous_loot().unwrap().records.iter().any(|loot| loot.record == there));
    // a colleague may add to it: another app, the same rules
    let edit = w.facts_of(w.grant, NAME, "legal_name", "Maria G.");
    w.both(&edit, "applied");
}

#[test]
fn facts_without_a_grant_wait_unseen_until_it_comes() {
    let mut w = world(2);
    let id = record(0x21);
    let facts = w.facts_of(id, NAME, "legal_name", "Somebody Else");
    w.both(&facts, "held_no_grant");
    assert_eq!(w.shown(id), Err(GrantError::NoSuchGrant.into()));
    assert_eq!(w.ben.unlocked.vaults(w.blue).unwrap().len(), 1, "Ana's alone");
    let grant = w.give(id, vault_grant(w.day));
    w.both(&grant, "applied");
    assert_eq!(w.shown(id).unwrap(), ["Somebody Else"]);
    // it is a lie, and it has a name
    let by: Vec<_> = w.line(&w.ana, id).recorded_by.iter().map(|by| by.device).collect();
    assert_eq!(by, [w.mallory.device()]);
}

#[test]
fn facts_of_another_person_or_category_are_nothing() {
    let mut w = world(3);
    let (grant, day) = (w.grant, w.day);
    // moved to another person
    let other = record(0x31);
    let yes = w.entry_until(record(0x32), other, day, day.plus(30), Grant::for_file(day, 30, HowGiven::Spoken, "en", Vec::new()));
    w.both(&yes, "applied");
    let moved = w
        .mallory
        .document(vault_record(grant, NAME), Kind::Vault, Some(other), day, |edit| edit.set("legal_name", Value::Text(SECRET.into())));
    w.both(&moved, "held_no_grant");
    assert!(w.ana.unlocked.vaults(other).unwrap().is_empty());
    // a category that the grant does not name
    let beyond = w.facts_of(grant, GatedCategory::Immigration, "immigration_papers", "none");
    w.both(&beyond, "withdrawn");
    // a field that its category does not have
    let stray = w.facts_of(grant, NAME, "officer_name", "Smith");
    w.both(&stray, "applied");
    let much = w.facts_of(grant, NAME, "notes", "booked in March, case 24-0187");
    w.both(&much, "applied");
    assert_eq!(w.shown(grant).unwrap(), [SECRET], "never read");
    // without any person, or with another shape
    let nobody = w.mallory.document(vault_record(grant, NAME), Kind::Vault, None, day, |edit| edit.set("legal_name", Value::Null));
    w.both(&nobody, "refused_subject");
    let entry = w.mallory.entry(vault_record(grant, NAME), Kind::Vault, Some(w.blue), day, vault_grant(day));
    w.both(&entry, "document_malformed");
}

#[test]
fn what_was_taken_back_stays_taken_back() {
    let mut w = world(4);
    let (grant, day) = (w.grant, w.day);
    let before = w.facts_of(grant, NAME, "legal_name", "Maria Perez");
    w.ben.unlocked.withdraw(w.blue, &of_name(HowGiven::Spoken)).unwrap();
    meet(&w.ana, &w.ben);
    w.stands(grant, GrantStatus::Withdrawn);
    w.no_key_of(grant);
    // written before, or after, it comes too late. The tombstone says so first; the withdrawal alone says it below.
    w.both(&before, "erased");
    let after = w.facts_of(grant, NAME, "legal_name", "Maria Lopez");
    w.both(&after, "erased");
    w.no_key_of(grant);

    // a grant that was signed today as if it had begun before the withdrawal
    let back_dated = Grant { start: day.minus(10), ..vault_grant(day) };
    let forged = w.give(record(0x41), back_dated.clone());
    w.both(&forged, "refused_back_dated");
    // with a signed day of then: it had not seen the withdrawal, whenever it says that it was given
    let blue = w.blue;
    let forged = w.entry_until(record(0x42), blue, day.minus(10), day.plus(20), Grant { expiry: day.plus(20), ..back_dated });
    w.both(&forged, "applied");
    w.stands(record(0x42), GrantStatus::Withdrawn);
    let facts = w.facts_of(record(0x42), NAME, "legal_name", SECRET);
    w.both(&facts, "withdrawn");
    w.no_key_of(record(0x42));

    // a second body in the place of Ana's grant, that claims to know of the withdrawal
    let seen: Vec<RecordId> = w.ana.unlocked.withdrawals(w.blue).unwrap().iter().map(|line| line.id).collect();
    let knowing = Grant { withdrawals_seen: seen.clone(), ..vault_grant(day) };
    let forged = w.give(grant, knowing.clone());
    w.both(&forged, "applied");
    w.stands(grant, GrantStatus::Withdrawn);
    assert_eq!(w.line(&w.ben, grant).recorded_by.len(), 2, "both names stand there");
    let facts = w.facts_of(grant, NAME, "legal_name", SECRET);
    w.both(&facts, "erased");

    // a new one that claims it: a lie that nobody can refute, and everybody can read
    let forged = w.give(record(0x43), knowing);
    w.both(&forged, "applied");
    w.stands(record(0x43), GrantStatus::Live);
    let line = w.line(&w.ana, record(0x43));
    assert_eq!(line.recorded_by.iter().map(|by| by.device).collect::<Vec<_>>(), [w.mallory.device()]);
    assert_eq!(line.grant.unwrap().withdrawals_seen, seen);
}

#[test]
fn a_withdrawal_without_a_tombstone_is_enough() {
    let mut w = world(5);
    let (grant, day, blue) = (w.grant, w.day, w.blue);
    let late = w.facts_of(grant, NAME, "legal_name", "Maria Perez");
    // an older or modified app stores the word and does not erase
    let word = w.mallory.entry(record(0x51), Kind::Withdrawal, Some(blue), day, of_name(HowGiven::Spoken));
    w.both(&word, "applied");
    w.stands(grant, GrantStatus::Withdrawn);
    w.no_key_of(grant);
    w.both(&late, "withdrawn");
    assert_eq!(w.shown(grant), Err(GrantError::NotLive(GrantStatus::Withdrawn).into()));
    // everything at once: the file is not shown any more
    let all = w.mallory.entry(record(0x52), Kind::Withdrawal, Some(blue), day, Withdrawal::of_everything(HowGiven::Spoken));
    w.both(&all, "applied");
    for phone in [&w.ana, &w.ben] {
        assert!(phone.unlocked.participants().unwrap().is_empty());
        assert_eq!(phone.unlocked.participant(blue).unwrap_err(), Error::NoSuchRecord);
        assert_eq!(phone.unlocked.give_grant(blue, &request(day)).unwrap_err(), GrantError::NoFile.into());
    }
    // a stranger is not taken along
    let draft = ParticipantDraft { alias: Some(Alias::parse("Green").unwrap()), ..ParticipantDraft::default() };
    w.ana.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap();
    assert_eq!(w.ana.unlocked.participants().unwrap().len(), 1);
}

#[test]
fn terms_beyond_the_charter_count_for_nothing() {
    let mut w = world(6);
    let day = w.day;
    let years = Grant { expiry: day.plus(4_000), ..vault_grant(day) };
    let forged = w.entry_until(record(0x61), w.blue, day, day.plus(366), years);
    w.both(&forged, "entry_value");
    let outlives = w.entry_until(record(0x62), w.blue, day, day.plus(10), vault_grant(day));
    w.both(&outlives, "refused_keep_until");
    // within the format, beyond the charter's 180 days
    let long = w.give(record(0x63), Grant { expiry: day.plus(366), ..vault_grant(day) });
    w.both(&long, "applied");
    let facts = w.facts_of(record(0x63), NAME, "legal_name", SECRET);
    w.both(&facts, "applied");
    // what the charter does not allow at all
    let papers = Grant { categories: vec![GatedCategory::Immigration], ..vault_grant(day) };
    let forged = w.give(record(0x64), papers);
    w.both(&forged, "applied");
    w.stands(record(0x64), GrantStatus::NotAllowed);
    let facts = w.facts_of(record(0x64), GatedCategory::Immigration, "immigration_papers", "none");
    w.both(&facts, "applied");
    assert_eq!(w.shown(record(0x64)), Err(GrantError::NotLive(GrantStatus::NotAllowed).into()));
    assert_eq!(w.ana.unlocked.vaults(w.blue).unwrap().len(), 2, "Ana's, and the long one");
    // half a year, met often enough that the date stays sure
    for _ in 0..91 {
        for phone in [&w.ana, &w.ben] {
            phone.clock.advance(2 * DAY);
            phone.unlocked.today().unwrap();
        }
    }
    w.stands(record(0x63), GrantStatus::Expired);
    for phone in [&w.ana, &w.ben] {
        assert!(phone.unlocked.vaults(w.blue).unwrap().is_empty());
        phone.unlocked.tend().unwrap();
        for _ in 0..11 {
            phone.clock.advance(2 * DAY);
            phone.unlocked.today().unwrap();
        }
        phone.unlocked.tend().unwrap();
    }
    w.no_key_of(record(0x63));
    let late = w.facts_of(record(0x63), NAME, "legal_name", "Maria Perez");
    w.both(&late, "expired");
}

#[test]
fn whoever_polices_gets_nothing_by_another_name() {
    let mut w = world(7);
    let day = w.day;
    let court = w.ana.unlocked.add_recipient("County court", ShareClass::Justice).unwrap();
    let clinic = w.ana.unlocked.add_recipient("Elm Street Clinic", ShareClass::Health).unwrap();
    meet(&w.ana, &w.ben);
    let share = |recipient, class: ShareClass, purpose| Grant {
        act: Act::Share,
        recipient: Some(recipient),
        class: Some(class),
        purpose,
        words_version: words::current(Act::Share, false, Some(class)),
        ..vault_grant(day)
    };
    let open = w.give(record(0x71), share(court, ShareClass::Justice, Purpose::LegalDefence));
    w.both(&open, "applied");
    w.stands(record(0x71), GrantStatus::NotAllowed);
    let plain = Grant { words_version: 3, ..share(court, ShareClass::Justice, Purpose::LegalDefence) };
    let plain = w.give(record(0x72), plain);
    w.both(&plain, "entry_value");
    let disguised = w.give(record(0x73), share(court, ShareClass::Health, Purpose::HealthCare));
    w.both(&disguised, "applied");
    w.stands(record(0x73), GrantStatus::NotAllowed);
    let anyone = w.give(record(0x74), Grant { recipient: None, ..share(court, ShareClass::Health, Purpose::HealthCare) });
    w.both(&anyone, "entry_value");
    let unknown = w.give(record(0x75), share(record(0x76), ShareClass::Health, Purpose::HealthCare));
    w.both(&unknown, "applied");
    w.stands(record(0x75), GrantStatus::NotAllowed);
    // control, and then somebody calls the clinic a court: stricter wins, in any order
    let honest = w.give(record(0x77), share(clinic, ShareClass::Health, Purpose::HealthCare));
    w.both(&honest, "applied");
    w.stands(record(0x77), GrantStatus::Live);
    for class in [ShareClass::Justice, ShareClass::Service] {
        let other = Recipient::parse("Elm Street Clinic", class).unwrap();
        let other = w.mallory.entry(clinic, Kind::Recipient, None, day, other);
        w.both(&other, "applied");
        w.stands(record(0x77), GrantStatus::NotAllowed);
    }
}

#[test]
fn nobody_has_a_file_who_did_not_say_yes() {
    let mut w = world(8);
    let (day, green) = (w.day, record(0x81));
    let file = w.mallory.document(green, Kind::Participant, Some(green), day, |edit| edit.set("alias", Value::Text("Green".into())));
    w.both(&file, "held_no_grant");
    let met = w.mallory.entry(record(0x82), Kind::Encounter, Some(green), day, Encounter::new(EncounterKind::Street));
    w.both(&met, "held_no_grant");
    for phone in [&w.ana, &w.ben] {
        assert_eq!(phone.unlocked.participants().unwrap().len(), 1, "Blue alone");
        assert!(phone.unlocked.encounters(None).unwrap().is_empty());
    }
    let yes = w.entry_until(record(0x83), green, day, day.plus(30), Grant::for_file(day, 30, HowGiven::Spoken, "en", Vec::new()));
    w.both(&yes, "applied");
    assert_eq!(w.ana.unlocked.participants().unwrap().len(), 2);
    assert_eq!(w.ana.unlocked.grants(green).unwrap()[0].recorded_by[0].device, w.mallory.device());
}

#[test]
fn a_grant_by_somebody_who_was_removed_waits_with_what_rests_on_it() {
    let mut w = world(9);
    let day = w.day;
    let member = w.ana.unlocked.team().unwrap().devices.iter().find(|line| line.id == w.mallory.device()).unwrap().member;
    w.ana.unlocked.remove_member(member).unwrap();
    meet(&w.ana, &w.ben);
    let grant = w.give(record(0x91), vault_grant(day));
    w.both(&grant, "held_beyond_cut");
    let facts = w.facts_of(record(0x91), NAME, "legal_name", "Somebody Else");
    w.both(&facts, "held_beyond_cut");
    assert_eq!(w.ana.unlocked.grants(w.blue).unwrap().len(), 2, "the file's and Ana's");
    assert_eq!(w.shown(w.grant).unwrap(), [SECRET]);
}

#[test]
fn gated_text_in_other_fields_is_covered() {
    let mut w = world(10);
    let (day, blue) = (w.day, w.blue);
    let gated = "real name is Maria Gonzalez, case 24-0187, call 415-555-0123";
    let header = w.mallory.header(Kind::Encounter, day);
    let binding = w.mallory.binding(record(0xa1), Kind::Encounter, Some(blue), day);
    let met = w.mallory.seal(binding, &header, &with_gated_note(gated));
    w.both(&met, "applied");
    let texts = [
        (record(0xa2), Kind::FollowUp, Some(blue), "what"),
        (record(0xa3), Kind::SelfReferral, Some(blue), "words"),
        (record(0xa4), Kind::Zone, None, "name"),
        (record(0xa5), Kind::ResourceNote, None, "note"),
        (blue, Kind::Participant, Some(blue), "contact"),
    ];
    for (id, kind, subject, field) in texts {
        let forged = w.mallory.document(id, kind, subject, day, |edit| {
            edit.set("resource", Value::Bytes(id.as_bytes().to_vec()))?;
            edit.set(field, Value::Text(gated.into()))
        });
        w.both(&forged, "applied");
    }
    for phone in [&w.ana, &w.ben] {
        let unlocked = &phone.unlocked;
        let resource = satchel_wire::ids::ResourceId::from_bytes([0xa5; 16]);
        let shown = [
            unlocked.encounter(record(0xa1)).unwrap().value.note().unwrap().as_str().to_owned(),
            unlocked.follow_up(record(0xa2)).unwrap().what.unwrap().as_str().to_owned(),
            unlocked.follow_ups().unwrap()[0].what.as_ref().unwrap().as_str().to_owned(),
            unlocked.self_referral(record(0xa3)).unwrap().words.unwrap().as_str().to_owned(),
            unlocked.zones().unwrap()[0].name.as_ref().unwrap().as_str().to_owned(),
            unlocked.resource_note(resource).unwrap().unwrap().as_str().to_owned(),
            unlocked.participant(blue).unwrap().contact.unwrap().as_str().to_owned(),
        ];
        for text in shown {
            assert!(text.contains(COVER), "{text}");
            for secret in ["Gonzalez", "0187", "555", "0123"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
}

/// The content of an encounter whose note the guard of an honest phone would not let pass.
fn with_gated_note(note: &str) -> Vec<u8> {
    let plain = EntryContent::first(Encounter::new(EncounterKind::Street)).to_bytes();
    let with =
        EntryContent::first(Encounter::new(EncounterKind::Street).with_note(&satchel_core::screen::Note::from_sealed(note).unwrap()));
    let with = with.to_bytes();
    assert!(with.len() > plain.len());
    with
}

/// A tombstone does not say what it names, and any member may sign one. Of single records it takes no consent and no file:
/// else a yes that was taken back would count again, and newcomers would wait for a yes that never comes.
#[test]
fn no_tombstone_of_single_records_revives_what_was_taken_back_or_takes_a_yes_away() {
    let w = world(12);
    let meeting = |participant| EncounterDraft { kind: EncounterKind::Street, participant, zone: None, offers: Vec::new(), note: None };
    let spare = w.ana.unlocked.save_encounter(&meeting(None)).unwrap();
    let stays = w.ana.unlocked.save_encounter(&meeting(Some(w.blue))).unwrap();
    let taken_back = w.ben.unlocked.withdraw(w.blue, &of_name(HowGiven::Spoken)).unwrap().withdrawal;
    meet(&w.ana, &w.ben);
    w.stands(w.grant, GrantStatus::Withdrawn);
    // the app itself offers no such thing
    let before = w.ana.unlocked.erasures().unwrap().len();
    let file_grant = w.ana.unlocked.grants(w.blue).unwrap().into_iter().map(|line| line.id).find(|id| *id != w.grant).unwrap();
    let refused = [(Kind::Withdrawal, taken_back), (Kind::Grant, w.grant), (Kind::Grant, file_grant), (Kind::Participant, w.blue)];
    for (kind, id) in refused {
        assert_eq!(w.ana.unlocked.erase_record(kind, id).unwrap_err(), Error::NotErasedAlone, "{kind:?}");
    }
    assert_eq!(w.ana.unlocked.erasures().unwrap().len(), before, "and nothing was written");
    // another app does
    let names = vec![taken_back, w.grant, file_grant, w.blue, spare];
    let action = tombstone::write(&w.mallory.env, &Erasure::Records(names)).unwrap();
    let parents = vec![w.mallory.admission().id()];
    let operation = Operation::write(&w.mallory.signer, Some(w.mallory.team), parents, w.day, action);
    let late = join(w._folder.path(), 12, "Late", w.ana.clock.now(), &w.ana, Role::Worker);
    for phone in [&w.ana, &w.ben] {
        feed(phone, &[w.mallory.notice(std::slice::from_ref(&operation), vec![])]);
    }
    meet(&late, &w.ben);
    for phone in [&w.ana, &w.ben, &late] {
        let receipts = phone.unlocked.erasures().unwrap();
        let took = receipts.iter().any(|receipt| receipt.operation == operation.id() && !receipt.waits_for_countersignature);
        assert!(took, "{}: the tombstone is in force", phone.name);
        assert_eq!(w.line(phone, w.grant).status, GrantStatus::Withdrawn, "{}", phone.name);
        let met: Vec<RecordId> = phone.unlocked.encounters(None).unwrap().iter().map(|line| line.id).collect();
        assert_eq!(met, [stays], "{}: control: what may be erased alone is", phone.name);
        assert_eq!(phone.unlocked.participants().unwrap().len(), 1, "{}", phone.name);
    }
}
