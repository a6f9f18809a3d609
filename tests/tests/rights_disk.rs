//! What a phone's disk gives up to somebody who holds every key of it: facts that the guard and consent keep out are not there, in
//! any form, and those that came by a way around them are found, so that the search would find the others too.

#![allow(clippy::unwrap_used)]

use satchel_core::consent::{Act, GatedCategory, GrantRequest, HowGiven, Language, Purpose, Withdrawal};
use satchel_core::error::Error;
use satchel_core::record::{Encounter, EncounterKind, EntryContent, Fact, FactField, Kind, ParticipantDraft};
use satchel_core::screen::{Alias, COVER, Note, ShortText};
use satchel_core::store::EncounterDraft;
use satchel_core::team::Role;
use satchel_tests::attacker::{Attacker, feed};
use satchel_tests::store_thief::{Evidence, canary};
use satchel_tests::team::{Hub, Phone, found};
use satchel_wire::ids::RecordId;
use std::collections::BTreeSet;

const START: u64 = 1_795_370_000;

/// Every planted text that the phone's files hold, once everything in them is opened.
fn on_disk(phone: &Phone) -> BTreeSet<String> {
    let loot = phone.unlocked.dangerous_loot().unwrap();
    let mut evidence = Evidence::default();
    evidence.image(&phone.dir);
    let secrets = evidence.name(&loot);
    evidence.follow(&secrets).texts
}

fn gated(number: usize) -> String {
    format!("real name is {}", canary(number))
}

fn meeting(participant: Option<RecordId>, note: Option<Note>) -> EncounterDraft {
    EncounterDraft { kind: EncounterKind::Street, participant, zone: None, offers: Vec::new(), note }
}

#[test]
fn what_the_guard_refuses_reaches_no_disk_and_what_goes_around_it_is_found_there() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, address) = Hub::new(folder.path(), START);
    let ana = found(folder.path(), 1, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let mut mallory = Attacker::join(1, "Mallory", &ana, Role::Worker);
    let draft = ParticipantDraft { alias: Some(Alias::parse("Blue").unwrap()), ..ParticipantDraft::default() };
    let blue = ana.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap();

    // every field of text, through the gate: refused, also as somebody's name
    assert_eq!(Note::parse(&gated(1)).unwrap_err().code(), "text_unresolved");
    assert_eq!(ShortText::parse(&gated(2)).unwrap_err().code(), "text_unresolved");
    assert_eq!(Alias::parse(&gated(3)).unwrap_err().code(), "text_unresolved");
    assert!(matches!(ana.unlocked.add_recipient(&gated(4), satchel_core::consent::ShareClass::Service), Err(Error::Screen(_))));
    ana.unlocked.save_encounter(&meeting(Some(blue), Some(Note::parse("gave 2 kits").unwrap()))).unwrap();
    assert!(on_disk(&ana).is_empty(), "nothing of what was refused");

    // the same by a member's app that has no gate: stored, as any frame is, found by the thief, and never shown
    let day = ana.unlocked.today().unwrap();
    let note = Note::from_sealed(&gated(5)).unwrap();
    let content = EntryContent::first(Encounter::new(EncounterKind::Street).with_note(&note)).to_bytes();
    let header = mallory.header(Kind::Encounter, day);
    let binding = mallory.binding(RecordId::from_bytes([5; 16]), Kind::Encounter, Some(blue), day);
    let forged = mallory.seal(binding, &header, &content);
    assert_eq!(feed(&ana, &[mallory.cover(&forged)]).applied, 1);
    assert_eq!(on_disk(&ana), [canary(5)].into(), "control: the search finds what lies there");
    let shown = ana.unlocked.encounter(RecordId::from_bytes([5; 16])).unwrap();
    let shown = shown.value.note().unwrap().as_str().to_owned();
    assert!(shown.contains(COVER) && !shown.contains(&canary(5)), "{shown}");

    // under a yes it may stand, and goes with it
    let request = GrantRequest {
        act: Act::Record,
        categories: vec![GatedCategory::LegalName],
        recipient: None,
        purpose: Purpose::HousingApplication,
        start: None,
        expiry: day.plus(30),
        how: HowGiven::Spoken,
        language: Language::English,
    };
    let grant = ana.unlocked.give_grant(blue, &request).unwrap();
    let name = Fact::parse(FactField::LegalName, &canary(6)).unwrap();
    ana.unlocked.vault(blue, grant).unwrap().write(&[name]).unwrap();
    assert_eq!(on_disk(&ana), [canary(5), canary(6)].into());
    let back = Withdrawal { act: Some(Act::Record), category: Some(GatedCategory::LegalName), recipient: None, how: HowGiven::Spoken };
    ana.unlocked.withdraw(blue, &back).unwrap();
    assert_eq!(on_disk(&ana), [canary(5)].into(), "what was taken back opens with nothing that is left");
    // and whoever wants the note gone too erases it
    ana.unlocked.erase_record(Kind::Encounter, RecordId::from_bytes([5; 16])).unwrap();
    assert!(on_disk(&ana).is_empty());
}
