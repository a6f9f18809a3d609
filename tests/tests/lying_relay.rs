//! A relay that lies: what it does is harmless or noticed, nothing stays blocked, and phones that meet agree.

#![allow(clippy::unwrap_used)]

use satchel_core::record::{EncounterKind, Outcome};
use satchel_core::store::{EncounterDraft, OfferDraft, RelayError};
use satchel_core::team::Role;
use satchel_tests::harness::folder;
use satchel_tests::harness::liar::{Liar, Lie};
use satchel_tests::team::{Hub, Phone, found, join, meet, view};
use satchel_wire::ids::{RecordId, ResourceId};
use std::path::Path;

const START: u64 = 1_795_370_000;

fn encounter(phone: &Phone) -> RecordId {
    let offers =
        vec![OfferDraft { resource: ResourceId::from_bytes([1; 16]), quantity: 1, outcome: Outcome::Accepted, keep_refusal: false }];
    let draft = EncounterDraft { kind: EncounterKind::Street, participant: None, zone: None, offers, note: None };
    phone.unlocked.save_encounter(&draft).unwrap()
}

fn encounters(phone: &Phone) -> usize {
    phone.unlocked.encounters(None).unwrap().len()
}

fn team(folder: &Path, seed: u64) -> (Hub, [Phone; 3]) {
    let (hub, address) = Hub::new(folder, START);
    let ana = found(folder, seed, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let [ben, cleo] = ["Ben", "Cleo"].map(|name| join(folder, seed, name, START, &ana, Role::Worker));
    let phones = [ana, ben, cleo];
    for phone in phones.iter().chain(&phones) {
        hub.exchange(phone).unwrap();
    }
    (hub, phones)
}

fn agree([ana, ben, cleo]: &[Phone; 3]) {
    for _ in 0..2 {
        for (a, b) in [(ana, ben), (ben, cleo), (cleo, ana)] {
            let (report, _) = meet(a, b);
            assert!(report.warnings.is_empty(), "{report:?}");
        }
    }
    assert_eq!(view(ana), view(ben));
    assert_eq!(view(ana), view(cleo));
}

fn lies(lie: Lie, seed: u64) {
    let place = folder();
    let (hub, phones) = team(place.path(), seed);
    let mut liar = Liar::new(&hub, lie, seed);
    for _ in 0..3 {
        for phone in &phones {
            encounter(phone);
            let came = liar.exchange(phone);
            assert!(!matches!(came, Err(RelayError::Store(_))), "{lie:?} broke a store: {came:?}");
        }
    }
    assert!(liar.lies > 0, "{lie:?} never lied");
    for phone in &phones {
        assert!(encounters(phone) >= 3, "{lie:?}: own work is there");
        assert!(!phone.unlocked.team().unwrap().is_copied, "{lie:?} made {} a copy", phone.name);
    }
    assert_ne!(view(&phones[0]), view(&phones[1]), "{lie:?} changed nothing");
    // it comes to its senses: what is written from now on passes through it again
    let [ana, ben, cleo] = &phones;
    let new = encounter(ana);
    for phone in [ana, ben, cleo, ana, ben, cleo] {
        let _ = hub.exchange(phone);
    }
    hub.exchange(ana).unwrap();
    hub.exchange(ben).unwrap();
    assert!(ben.unlocked.encounter(new).is_ok(), "{lie:?}: what Ana writes does not reach Ben through the relay any more");
    // whatever is missing is noticed and mended by meeting
    agree(&phones);
    assert_eq!(encounters(ana), 10, "{lie:?}");
}

#[test]
fn it_keeps_rows_back() {
    lies(Lie::Drops, 100);
    lies(Lie::Swallows, 101);
}

#[test]
fn it_repeats_a_page_for_ever() {
    lies(Lie::Repeats, 102);
}

#[test]
fn it_serves_altered_rows_and_noise() {
    lies(Lie::Corrupts, 103);
    lies(Lie::Floods, 104);
}

#[test]
fn it_hands_out_wrong_cursors() {
    for seed in 105..109 {
        lies(Lie::Cursors, seed);
    }
}

#[test]
fn it_lists_rows_that_nobody_has() {
    lies(Lie::Invents, 110);
}

#[test]
fn it_answers_nonsense() {
    lies(Lie::Garbles, 111);
    lies(Lie::Refuses, 112);
}

fn copied(hub: Hub, from: &Path, to: &Path) -> (Hub, Hub) {
    let (dir, clock) = (hub.dir.clone(), hub.clock.clone());
    drop(hub);
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    (Hub::open(&dir, &clock), Hub::open(to, &clock))
}

#[test]
fn it_shows_two_phones_two_histories() {
    let place = folder();
    let (hub, phones) = team(place.path(), 113);
    let dir = hub.dir.clone();
    let (one, other) = copied(hub, &dir, &place.path().join("fork"));
    let [ana, ben, cleo] = &phones;
    for _ in 0..2 {
        for (phone, hub) in [(ana, &one), (ben, &other), (cleo, &one)] {
            encounter(phone);
            hub.exchange(phone).unwrap();
        }
    }
    assert!(!ben.unlocked.encounters(None).unwrap().is_empty());
    assert_ne!(view(ana), view(ben), "the fork works");
    agree(&phones);
    assert_eq!(encounters(ben), 6);
}

#[test]
fn it_goes_back_to_an_older_state() {
    let place = folder();
    let (hub, phones) = team(place.path(), 114);
    let dir = hub.dir.clone();
    let (now, old) = copied(hub, &dir, &place.path().join("old"));
    let [ana, ben, cleo] = &phones;
    ana.unlocked.begin_turn().unwrap();
    for phone in [ana, ben, cleo, ana, ben] {
        encounter(phone);
        now.exchange(phone).unwrap();
    }
    // from here on it serves what it had before the turn, and has the access keys of that time
    let mut lost = 0;
    for phone in [ana, ben, cleo, ana, ben, cleo] {
        encounter(phone);
        lost += old.exchange(phone).unwrap().lost;
    }
    assert!(lost > 0, "nobody noticed");
    for phone in [ana, ben, cleo] {
        old.exchange(phone).unwrap();
    }
    agree(&phones);
    assert_eq!(encounters(ana), 11);
    // what the relay lost is there again: without any meeting, a newcomer has it all
    let dora = join(place.path(), 114, "Dora", ana.clock.now(), ana, Role::Worker);
    for phone in [ana, &dora] {
        old.exchange(phone).unwrap();
    }
    assert_eq!(encounters(&dora), 11);
    // and filled once: whoever only pretends to forget makes nobody carry everything again and again
    for phone in [ana, ben, cleo, &dora] {
        old.exchange(phone).unwrap();
    }
    assert!([ana, ben, cleo, &dora].map(|phone| old.exchange(phone).unwrap().pushed).iter().all(|pushed| *pushed == 0));
}
