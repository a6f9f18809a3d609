//! Wire pages: whoever only has the relay reads what lies there under turns that nobody holds any more.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use satchel_core::record::EncounterKind;
use satchel_core::screen::Note;
use satchel_core::store::{EncounterDraft, RelayAnswer, RelayReport};
use satchel_core::team::Role;
use satchel_tests::team::{Hub, Phone, found, join, view};
use satchel_wire::frame::{Endpoint, Frame, Pulled, Push, Signed};
use satchel_wire::row::{Lane, Row};
use std::path::Path;

const START: u64 = 1_795_370_000;
const DAY: i64 = 86_400;

fn encounter(phone: &Phone, n: usize) {
    let note = Some(Note::parse(&format!("note number {n}")).unwrap());
    let draft = EncounterDraft { kind: EncounterKind::Street, participant: None, zone: None, offers: Vec::new(), note };
    phone.unlocked.save_encounter(&draft).unwrap();
}

/// Ana works alone for `turns` turns, with `count` encounters in each, and pushes every time.
fn history(folder: &Path, seed: u64, turns: usize, count: usize) -> (Hub, Phone) {
    let (hub, address) = Hub::new(folder, START);
    let ana = found(folder, seed, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    for turn in 0..turns {
        if turn > 0 {
            ana.unlocked.begin_turn().unwrap();
        }
        (0..count).for_each(|n| encounter(&ana, turn * count + n));
        hub.exchange(&ana).unwrap();
        hub.exchange(&ana).unwrap();
    }
    (hub, ana)
}

/// An exchange in which some rows never come.
fn exchange_without(hub: &Hub, phone: &Phone, is_withheld: impl Fn(&Row) -> bool) -> RelayReport {
    let mut link = phone.unlocked.relay_exchange().unwrap();
    while let Some((endpoint, request)) = link.next_request().unwrap() {
        let answer = match hub.relay.answer(endpoint, &request) {
            Ok(body) if matches!(endpoint, Endpoint::Pull | Endpoint::Rows) => {
                let mut pulled = Pulled::from_bytes(&body).unwrap();
                pulled.rows.retain(|row| !is_withheld(row));
                RelayAnswer::Ok(pulled.to_bytes())
            }
            Ok(body) => RelayAnswer::Ok(body),
            Err(problem) => RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
        };
        link.receive(&answer).unwrap();
    }
    link.report().clone()
}

/// Rows of the records lane pushed since a point in the traffic.
fn pushed_since(hub: &Hub, from: usize) -> Vec<Row> {
    let traffic = hub.traffic.lock().unwrap();
    let pushes = traffic[from..].iter().filter(|(endpoint, ..)| *endpoint == Endpoint::Push);
    let rows = pushes.flat_map(|(_, request, _)| Push::from_bytes(&Signed::from_bytes(request).unwrap().body).unwrap().rows);
    rows.filter(|row| row.lane() == Lane::Records).collect()
}

#[test]
fn a_newcomer_reads_everything_though_the_turns_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = history(folder.path(), 1, 4, 20);
    assert_eq!(ana.unlocked.team().unwrap().held_turns, 1, "three turns are destroyed");
    let dora = join(folder.path(), 1, "Dora", START, &ana, Role::Worker);
    hub.exchange(&ana).unwrap();
    let report = hub.exchange(&dora).unwrap();
    assert_eq!(report.missing, 0, "{report:?}");
    hub.exchange(&ana).unwrap();
    hub.exchange(&dora).unwrap();
    assert_eq!(view(&dora), view(&ana));
    // and pushes none of it again
    let from = hub.traffic.lock().unwrap().len();
    hub.exchange(&dora).unwrap();
    assert!(pushed_since(&hub, from).is_empty());
}

#[test]
fn without_the_pages_it_reads_the_last_turn_only_and_is_told() {
    // the control of the test above: pages are the only rows of the records lane above 2 KiB here
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = history(folder.path(), 2, 4, 20);
    let dora = join(folder.path(), 2, "Dora", START, &ana, Role::Worker);
    hub.exchange(&ana).unwrap();
    let report = exchange_without(&hub, &dora, |row| row.lane() == Lane::Records && row.as_bytes().len() > 2_048);
    assert!(report.missing > 0, "{report:?}");
    assert_ne!(view(&dora), view(&ana));
    assert!(report.rows.held >= 60, "{report:?}");
}

#[test]
fn rows_that_the_relay_keeps_back_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = history(folder.path(), 3, 2, 10);
    let dora = join(folder.path(), 3, "Dora", START, &ana, Role::Worker);
    hub.exchange(&ana).unwrap();
    let from = 0;
    let victims: Vec<_> = pushed_since(&hub, from).iter().filter(|row| row.as_bytes().len() == 512).take(3).map(Row::id).collect();
    let report = exchange_without(&hub, &dora, |row| victims.contains(&row.id()));
    assert_eq!(report.missing, 3, "{report:?}");
    // an honest exchange mends it: the relay is read again, a bounded number of times
    let report = hub.exchange(&dora).unwrap();
    assert_eq!(report.missing, 0, "{report:?}");
    hub.exchange(&ana).unwrap();
    hub.exchange(&dora).unwrap();
    assert_eq!(view(&dora), view(&ana));
    // what never comes does not keep a phone reading for ever
    let finn = join(folder.path(), 3, "Finn", START, &ana, Role::Worker);
    hub.exchange(&ana).unwrap();
    let mut requests = Vec::new();
    for _ in 0..5 {
        requests.push(exchange_without(&hub, &finn, |row| victims.contains(&row.id())).requests);
    }
    assert_eq!(requests.last(), Some(&1), "{requests:?}");
}

#[test]
fn only_pages_that_changed_are_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = history(folder.path(), 4, 1, 400);
    let bytes = |from: usize| pushed_since(&hub, from).iter().map(|row| row.as_bytes().len()).filter(|size| *size > 1_024).sum::<usize>();
    let all = bytes(0);
    let at = hub.traffic.lock().unwrap().len();
    ana.unlocked.begin_turn().unwrap();
    encounter(&ana, 1_000);
    hub.exchange(&ana).unwrap();
    hub.exchange(&ana).unwrap();
    let again = bytes(at);
    println!("first publication of 400 records: {all} bytes; after a turn and one more record: {again} bytes");
    assert!(again > 0 && again * 2 < all, "{again} of {all}");
    // a page never leaves twice under one key: no row of pages is repeated
    let dora = join(folder.path(), 4, "Dora", START, &ana, Role::Worker);
    hub.exchange(&ana).unwrap();
    hub.exchange(&dora).unwrap();
    hub.exchange(&ana).unwrap();
    hub.exchange(&dora).unwrap();
    assert_eq!(view(&dora), view(&ana));
    let rows = pushed_since(&hub, 0);
    let ids: std::collections::BTreeSet<_> = rows.iter().map(Row::id).collect();
    assert_eq!(ids.len(), rows.len());
}

#[test]
fn a_root_under_one_turn_serves_who_was_away_through_several() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = history(folder.path(), 5, 2, 10);
    let ben = join(folder.path(), 5, "Ben", START, &ana, Role::Worker);
    for phone in [&ana, &ben, &ana] {
        hub.exchange(phone).unwrap();
    }
    for turn in 0..3 {
        hub.clock.advance(2 * DAY);
        [&ana, &ben].iter().for_each(|phone| phone.clock.advance(2 * DAY));
        ana.unlocked.begin_turn().unwrap();
        (0..10).for_each(|n| encounter(&ana, 100 * turn + n));
        hub.exchange(&ana).unwrap();
    }
    hub.exchange(&ben).unwrap();
    hub.exchange(&ana).unwrap();
    let report = hub.exchange(&ben).unwrap();
    assert_eq!(report.missing, 0, "{report:?}");
    assert_eq!(view(&ben), view(&ana));
}
