//! Somebody joins on a phone that is on a turn which nobody else has heard of, and that phone is never seen again.
//!
//! The newcomer holds that turn alone. What the host handed over of the turns before is what makes colleagues' phones and the
//! relay know theirs; it opens nothing from before them.

#![allow(clippy::unwrap_used)]

use satchel_core::consent::HowGiven;
use satchel_core::record::{EncounterKind, ParticipantDraft};
use satchel_core::screen::{Alias, Note};
use satchel_core::store::{EncounterDraft, LootClass};
use satchel_core::team::Role;
use satchel_tests::team::{Hub, Phone, found, join, meet, view};
use std::path::Path;

const START: u64 = 1_795_370_000;

fn encounter(phone: &Phone, note: &str) {
    let note = Some(Note::parse(note).unwrap());
    let draft = EncounterDraft { kind: EncounterKind::Street, participant: None, zone: None, offers: Vec::new(), note };
    phone.unlocked.save_encounter(&draft).unwrap();
}

/// How many encounters a phone shows.
fn count(phone: &Phone) -> usize {
    view(phone).matches("EncounterLine").count()
}

/// Ana and Ben know each other and the relay. Ana erases somebody, so that she is alone on a turn, lets Cleo in, and her
/// phone is gone.
fn story(folder: &Path, seed: u64) -> (Hub, Phone, Phone) {
    let (hub, address) = Hub::new(folder, START);
    let ana = found(folder, seed, "ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let ben = join(folder, seed, "ben", START, &ana, Role::Steward);
    let draft = ParticipantDraft { alias: Some(Alias::parse("Wren").unwrap()), ..ParticipantDraft::default() };
    let gone = ana.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap();
    encounter(&ana, "before");
    for phone in [&ana, &ben, &ana, &ben] {
        hub.exchange(phone).unwrap();
    }
    ana.unlocked.erase_participant(gone).unwrap();
    let cleo = join(folder, seed, "cleo", START, &ana, Role::Worker);
    encounter(&cleo, "of the newcomer");
    (hub, ben, cleo)
}

#[test]
fn a_newcomer_whose_host_is_lost_meets_colleagues_and_both_see_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (_, ben, cleo) = story(folder.path(), 1);
    // control: before they meet, neither has the other's
    assert_eq!((count(&cleo), count(&ben)), (1, 1));
    meet(&cleo, &ben);
    assert_eq!(view(&cleo), view(&ben));
    assert_eq!(count(&ben), 2);
}

#[test]
fn a_newcomer_whose_host_is_lost_reaches_colleagues_through_the_relay() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ben, cleo) = story(folder.path(), 2);
    // the announcement of the turn, with the box for Ben in it, was lost with Ana's phone; some days later Cleo's sends another
    for day in 0..5 {
        hub.exchange(&cleo).unwrap();
        hub.exchange(&ben).unwrap();
        assert!(day > 0 || count(&ben) == 1, "control: the relay alone did not bring it the same day");
        for phone in [&ben, &cleo] {
            phone.clock.advance(86_400);
        }
        hub.clock.advance(86_400);
    }
    hub.exchange(&cleo).unwrap();
    hub.exchange(&ben).unwrap();
    assert_eq!(view(&cleo), view(&ben));
    assert_eq!(count(&ben), 2);
}

/// What is handed over are names and keys of the relay's doors: no turn, no notice of before is opened by it.
#[test]
fn what_a_newcomer_is_handed_opens_nothing_from_before_them() {
    let folder = tempfile::tempdir().unwrap();
    let (_, ben, cleo) = story(folder.path(), 3);
    let of = |phone: &Phone| {
        let secrets = phone.unlocked.dangerous_loot().unwrap().secrets.into_iter();
        let opens = |class: &LootClass| matches!(class, LootClass::Turn | LootClass::Commons | LootClass::Notices);
        secrets.filter(|(class, _)| opens(class)).map(|(_, secret)| secret).collect::<Vec<_>>()
    };
    let (bens, cleos) = (of(&ben), of(&cleo));
    assert!(bens.len() >= 2, "control: Ben holds a turn and what opens its notices");
    assert!(cleos.len() >= 2, "control: so does Cleo");
    assert!(cleos.iter().all(|secret| !bens.contains(secret)));
}
