//! Sessions that are cut, dribble, or come late.

#![allow(clippy::unwrap_used)]

use satchel_core::consent::HowGiven;
use satchel_core::record::{EncounterKind, Outcome, ParticipantDraft};
use satchel_core::screen::Alias;
use satchel_core::store::{EncounterDraft, OfferDraft, Store};
use satchel_core::team::Role;
use satchel_tests::harness::link::{Fault, meet_over};
use satchel_tests::harness::{Dice, folder};
use satchel_tests::team::{Hub, Phone, found, join, meet, passphrase, view};
use satchel_wire::ids::ResourceId;

const START: u64 = 1_795_370_000;

fn participant(phone: &Phone, alias: &str) {
    let draft = ParticipantDraft { alias: Some(Alias::parse(alias).unwrap()), ..ParticipantDraft::default() };
    phone.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap();
}

fn encounter(phone: &Phone) {
    let offers =
        vec![OfferDraft { resource: ResourceId::from_bytes([1; 16]), quantity: 1, outcome: Outcome::Accepted, keep_refusal: false }];
    let draft = EncounterDraft { kind: EncounterKind::Street, participant: None, zone: None, offers, note: None };
    phone.unlocked.save_encounter(&draft).unwrap();
}

fn encounters(phone: &Phone) -> usize {
    phone.unlocked.encounters(None).unwrap().len()
}

/// Two phones that know each other's frontier, each with one encounter that the other lacks.
fn pair(folder: &std::path::Path, seed: u64) -> (Phone, Phone) {
    let ana = found(folder, seed, "Ana", START);
    let ben = join(folder, seed, "Ben", START, &ana, Role::Worker);
    meet(&ana, &ben);
    meet(&ana, &ben);
    (ana, ben)
}

/// Cuts sessions at every `step`th byte from `from`, each with work on both sides, and lets them meet again.
fn cut_everywhere(seed: u64, from: u64, step: usize) {
    let mut dice = Dice::new(seed);
    let mut work = 0;
    let mut place = folder();
    let (mut ana, mut ben) = pair(place.path(), seed);
    for point in (from..).step_by(step) {
        if work >= 60 {
            // small stores keep every session small
            assert_eq!(view(&ana), view(&ben));
            place = folder();
            (ana, ben) = pair(place.path(), seed + point);
            work = 0;
        }
        encounter(&ana);
        encounter(&ben);
        work += 1;
        let met = meet_over(&ana, &ben, &mut dice, Fault::Cut(point), 16 * 1024).unwrap();
        let is_over = !met.struck;
        assert_eq!(met.faults, [None, None], "a cut is no fault of either side");
        let met = meet_over(&ana, &ben, &mut dice, Fault::None, 16 * 1024).unwrap();
        assert!(met.finished && met.reports.iter().all(|report| report.warnings.is_empty()), "cut at {point}: {met:?}");
        assert_eq!((encounters(&ana), encounters(&ben)), (2 * work, 2 * work), "cut at {point}");
        if is_over {
            assert!(point > 1_500, "a whole session in {point} bytes");
            break;
        }
    }
    assert_eq!(view(&ana), view(&ben));
}

#[test]
fn a_session_cut_at_any_byte_goes_on_in_the_next_one() {
    cut_everywhere(90, 1, 1);
}

#[test]
fn byte_by_byte_is_as_good_as_at_once() {
    let place = folder();
    let (ana, ben) = pair(place.path(), 91);
    participant(&ana, "Bluebird");
    participant(&ben, "Heron");
    encounter(&ana);
    let met = meet_over(&ana, &ben, &mut Dice::new(91), Fault::None, 1).unwrap();
    assert!(met.finished && met.bytes > 3_000, "{met:?}");
    assert_eq!(view(&ana), view(&ben));
    assert_eq!(ben.unlocked.participants().unwrap().len(), 2);
}

#[test]
fn phones_away_through_three_turns_catch_up_by_relay_and_by_peer() {
    let place = folder();
    let (hub, address) = Hub::new(place.path(), START);
    let ana = found(place.path(), 92, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let names = ["Ben", "Cleo", "Dora"];
    let [ben, cleo, dora] = names.map(|name| join(place.path(), 92, name, START, &ana, Role::Worker));
    for phone in [&ana, &ben, &cleo, &dora, &ana, &ben, &cleo, &dora] {
        hub.exchange(phone).unwrap();
    }
    for _ in 0..3 {
        ana.unlocked.begin_turn().unwrap();
        encounter(&ana);
        for phone in [&ana, &cleo, &ana] {
            hub.exchange(phone).unwrap();
        }
    }
    // Ben and Dora have written while away; Ben finds the relay, Dora meets Cleo in the street
    encounter(&ben);
    encounter(&dora);
    let (report, _) = meet(&dora, &cleo);
    assert!(report.warnings.is_empty(), "{report:?}");
    assert_eq!(encounters(&dora), 4, "three of Ana's and her own");
    hub.exchange(&ben).unwrap();
    for phone in [&ben, &cleo, &dora, &ana, &ben, &cleo, &dora, &ana] {
        hub.exchange(phone).unwrap();
    }
    for phone in [&ben, &cleo, &dora] {
        assert_eq!(view(&ana), view(phone), "{}", phone.name);
        assert_eq!(phone.unlocked.team().unwrap().turn, 4);
    }
    assert_eq!(encounters(&ana), 5);
    assert_eq!(ben.unlocked.waiting().unwrap().1, 0, "all three turns came with the rows under them");
    // to Dora the relay handed rows under turns that she never had; they are given up when no absence excuses them
    assert!(dora.unlocked.waiting().unwrap().1 > 0);
    for phone in [&ana, &ben, &cleo, &dora] {
        phone.clock.advance(23 * 86_400);
    }
    // nobody met anybody for three weeks: their clocks agree
    for phone in [&ana, &ben, &cleo, &dora] {
        assert!(phone.unlocked.is_date_in_doubt().unwrap(), "{}", phone.name);
    }
    meet(&dora, &cleo);
    meet(&dora, &ana);
    assert_eq!(dora.unlocked.waiting().unwrap().1, 0);
    assert_eq!(view(&ana), view(&dora));
}

#[test]
fn turns_begun_at_once_settle_through_the_relay_alone() {
    let place = folder();
    let (hub, address) = Hub::new(place.path(), START);
    let ana = found(place.path(), 93, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let [ben, cleo] = ["Ben", "Cleo"].map(|name| join(place.path(), 93, name, START, &ana, Role::Steward));
    for phone in [&ana, &ben, &cleo, &ana, &ben, &cleo] {
        hub.exchange(phone).unwrap();
    }
    ana.unlocked.begin_turn().unwrap();
    ben.unlocked.begin_turn().unwrap();
    for phone in [&ana, &ben, &cleo] {
        encounter(phone);
    }
    for _ in 0..4 {
        for phone in [&ana, &ben, &cleo] {
            hub.exchange(phone).unwrap();
        }
    }
    assert_eq!(encounters(&ana), 3);
    assert_eq!(view(&ana), view(&ben));
    assert_eq!(view(&ana), view(&cleo));
}

#[test]
fn a_store_copied_and_run_twice_is_noticed_through_the_relay() {
    let place = folder();
    let (hub, address) = Hub::new(place.path(), START);
    let ana = found(place.path(), 94, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let mut ben = join(place.path(), 94, "Ben", START, &ana, Role::Worker);
    for phone in [&ana, &ben, &ana] {
        hub.exchange(phone).unwrap();
    }
    let dir = place.path().join("copy");
    std::fs::create_dir(&dir).unwrap();
    ben.unlocked.store().suspend().unwrap();
    for entry in std::fs::read_dir(&ben.dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "lock" {
            std::fs::copy(entry.path(), dir.join(entry.file_name())).unwrap();
        }
    }
    ben.restart();
    let (twin, _) = satchel_tests::team::env(94, "twin", START);
    let unlocked = Store::open(&dir, twin.clone()).unwrap().unlock(&passphrase(), None).unwrap();
    let twin = Phone { name: "twin".into(), unlocked, clock: ben.clock.clone(), env: twin, dir };
    encounter(&ben);
    hub.exchange(&ben).unwrap();
    hub.exchange(&ana).unwrap();
    encounter(&twin);
    // whatever the copy hears, its own work stays with it unnumbered, and the others go on
    hub.exchange(&twin).unwrap();
    assert!(twin.unlocked.team().unwrap().is_copied, "the copy knows");
    assert_eq!(encounters(&twin), 2, "nothing that it wrote is lost");
    encounter(&ben);
    for phone in [&ben, &ana, &ben, &ana] {
        hub.exchange(phone).unwrap();
    }
    assert_eq!(view(&ana), view(&ben));
    assert_eq!(encounters(&ana), 2);
    assert!(!ben.unlocked.team().unwrap().is_copied);
    assert!(!ana.unlocked.team().unwrap().devices.iter().any(|device| device.is_forked));
}
