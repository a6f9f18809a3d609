//! Three phones that never meet, through a real relay.

#![allow(clippy::unwrap_used)]

use satchel_core::consent::HowGiven;
use satchel_core::record::{EncounterKind, Outcome, ParticipantDraft};
use satchel_core::screen::{Alias, Note};
use satchel_core::store::{EncounterDraft, OfferDraft};
use satchel_core::team::Role;
use satchel_tests::team::{Hub, Phone, found, join, view};
use satchel_wire::ids::{RecordId, ResourceId};

const START: u64 = 1_795_370_000;

fn participant(phone: &Phone, alias: &str) -> RecordId {
    let draft = ParticipantDraft { alias: Some(Alias::parse(alias).unwrap()), ..ParticipantDraft::default() };
    phone.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap()
}

fn encounter(phone: &Phone, participant: Option<RecordId>, note: &str) {
    let offers =
        vec![OfferDraft { resource: ResourceId::from_bytes([1; 16]), quantity: 1, outcome: Outcome::Accepted, keep_refusal: false }];
    let note = Some(Note::parse(note).unwrap());
    phone.unlocked.save_encounter(&EncounterDraft { kind: EncounterKind::Street, participant, zone: None, offers, note }).unwrap();
}

#[test]
fn three_phones_agree_through_a_relay() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, address) = Hub::new(folder.path(), START);
    let ana = found(folder.path(), 1, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let ben = join(folder.path(), 1, "Ben", START, &ana, Role::Worker);
    let cleo = join(folder.path(), 1, "Cleo", START, &ana, Role::Worker);
    let blue = participant(&ana, "Bluebird");
    encounter(&ana, Some(blue), "wants a warm coat");
    hub.exchange(&ana).unwrap();
    let report = hub.exchange(&ben).unwrap();
    assert!(report.rows.refused == 0 && report.rows.thrown_away == 0, "{report:?}");
    assert_eq!(ben.unlocked.waiting().unwrap().1, 0, "nothing is held");
    assert_eq!(ben.unlocked.participants().unwrap().len(), 1);
    encounter(&ben, Some(blue), "took the coat");
    encounter(&cleo, None, "a quiet night");
    hub.exchange(&ben).unwrap();
    hub.exchange(&cleo).unwrap();
    hub.exchange(&ana).unwrap();
    hub.exchange(&ben).unwrap();
    assert_eq!(view(&ana), view(&ben));
    assert_eq!(view(&ana), view(&cleo));
    for phone in [&ana, &ben, &cleo] {
        hub.exchange(phone).unwrap();
    }
    let report = hub.exchange(&ana).unwrap();
    assert_eq!((report.requests, report.pulled, report.pushed), (1, 0, 0), "nothing changed is one request: {report:?}");

    // the relay restarts and forgets the order of the day; a phone goes on through a listing
    let hub = hub.restart();
    encounter(&cleo, None, "one more");
    hub.exchange(&cleo).unwrap();
    hub.exchange(&ana).unwrap();
    assert_eq!(view(&ana), view(&cleo));

    // every byte that passed, and every file that the relay keeps
    let traffic: Vec<u8> =
        hub.traffic.lock().unwrap().iter().flat_map(|(_, request, answer)| [request.clone(), answer.clone()].concat()).collect();
    let kept: Vec<u8> =
        std::fs::read_dir(&hub.dir).unwrap().flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap_or_default()).collect();
    for canary in ["Bluebird", "warm coat", "Ana", "Ben", "Cleo", "Los_Angeles"] {
        for (place, bytes) in [("traffic", &traffic), ("disk", &kept)] {
            assert!(!bytes.windows(canary.len()).any(|window| window == canary.as_bytes()), "{canary} in the relay's {place}");
        }
    }
}

#[test]
fn a_new_turn_reaches_phones_and_relay() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, address) = Hub::new(folder.path(), START);
    let ana = found(folder.path(), 2, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let ben = join(folder.path(), 2, "Ben", START, &ana, Role::Worker);
    let cleo = join(folder.path(), 2, "Cleo", START, &ana, Role::Worker);
    for phone in [&ana, &ben, &cleo, &ana] {
        hub.exchange(phone).unwrap();
    }
    // two turns while Ben is away; the relay's access keys follow
    for _ in 0..2 {
        ana.unlocked.begin_turn().unwrap();
        encounter(&ana, None, "under a new turn");
        hub.exchange(&ana).unwrap();
        hub.exchange(&cleo).unwrap();
        hub.exchange(&ana).unwrap();
    }
    encounter(&ben, None, "written while away");
    let report = hub.exchange(&ben).unwrap();
    assert!(report.turns >= 1, "{report:?}");
    hub.exchange(&ben).unwrap();
    hub.exchange(&ana).unwrap();
    hub.exchange(&cleo).unwrap();
    // whoever did not set the keys at the relay knows by now which they are
    hub.exchange(&ben).unwrap();
    let report = hub.exchange(&ben).unwrap();
    assert_eq!((report.requests, report.pulled), (1, 0), "nothing changed is one request: {report:?}");
    assert_eq!(ben.unlocked.team().unwrap().turn, 3);
    assert_eq!(view(&ana), view(&ben));
    assert_eq!(view(&ana), view(&cleo));
}
