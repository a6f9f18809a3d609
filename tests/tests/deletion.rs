//! Deletion from a phone's side: what nobody needs is asked for, what is live is never, and a veto keeps it.

#![allow(clippy::unwrap_used)]

use satchel_core::record::EncounterKind;
use satchel_core::screen::Note;
use satchel_core::store::EncounterDraft;
use satchel_core::team::Role;
use satchel_tests::team::{Hub, Phone, found, join, meet, view};
use satchel_wire::frame::{Deletion, Endpoint, Frame, Push, Signed};
use satchel_wire::limits::DELETION_PENDING_DAYS;
use satchel_wire::row::{Lane, Row};
use satchel_wire::{RowId, RowName};
use std::collections::BTreeSet;

const START: u64 = 1_795_370_000;
const DAY: i64 = 86_400;

fn encounter(phone: &Phone, n: usize) {
    let note = Some(Note::parse(&format!("note number {n}")).unwrap());
    let draft = EncounterDraft { kind: EncounterKind::Street, participant: None, zone: None, offers: Vec::new(), note };
    phone.unlocked.save_encounter(&draft).unwrap();
}

/// Every row of the records lane that was pushed, and every name in a deletion batch.
fn passed(hub: &Hub) -> (Vec<Row>, BTreeSet<RowName>) {
    let traffic = hub.traffic.lock().unwrap();
    let mut rows = Vec::new();
    let mut names = BTreeSet::new();
    for (endpoint, request, _) in traffic.iter() {
        let body = Signed::from_bytes(request).unwrap().body;
        match endpoint {
            Endpoint::Push => rows.extend(Push::from_bytes(&body).unwrap().rows.into_iter().filter(|row| row.lane() == Lane::Records)),
            Endpoint::Delete => names.extend(Deletion::from_bytes(&body).unwrap().rows),
            _ => {}
        }
    }
    (rows, names)
}

fn is_on_disk(hub: &Hub, row: &Row) -> bool {
    // of its cover: the body stands in other rows too
    let needle = &row.as_bytes()[20..52];
    std::fs::read_dir(&hub.dir).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

fn pass_days(hub: &Hub, phones: &[&Phone], days: u16) {
    for _ in 0..days {
        hub.clock.advance(DAY);
        phones.iter().for_each(|phone| phone.clock.advance(DAY));
        hub.relay.maintain().unwrap();
        phones.iter().for_each(|phone| {
            // the day is believed step by step
            phone.unlocked.today().unwrap();
        });
    }
}

/// Ana and Ben met, and both pushed all of it: two covers of every body. Ana holds the control key.
fn doubled(folder: &std::path::Path, seed: u64) -> (Hub, Phone, Phone) {
    let (hub, address) = Hub::new(folder, START);
    let ana = found(folder, seed, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let ben = join(folder, seed, "Ben", START, &ana, Role::Worker);
    (0..10).for_each(|n| encounter(&ben, n));
    meet(&ana, &ben);
    // both push before either reads: the relay is asked by one request at a time of each
    let mut links = [ana.unlocked.relay_exchange().unwrap(), ben.unlocked.relay_exchange().unwrap()];
    let mut open = true;
    while open {
        open = false;
        for link in &mut links {
            let Some((endpoint, request)) = link.next_request().unwrap() else { continue };
            open = true;
            let answer = match hub.relay.answer(endpoint, &request) {
                Ok(body) => {
                    hub.traffic.lock().unwrap().push((endpoint, request, body.clone()));
                    satchel_core::store::RelayAnswer::Ok(body)
                }
                Err(problem) => satchel_core::store::RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
            };
            link.receive(&answer).unwrap();
        }
    }
    (hub, ana, ben)
}

/// Bodies under more than one cover: those of records. A page, which looks the same from outside, has one row.
fn doubles(rows: &[Row]) -> BTreeSet<satchel_wire::BodyId> {
    let mut seen = BTreeSet::new();
    rows.iter().filter_map(body_of).filter(|body| !seen.insert(*body)).collect()
}

fn body_of(row: &Row) -> Option<satchel_wire::BodyId> {
    Some(satchel_core::envelope::body_of(row)?.0)
}

#[test]
fn second_covers_go_after_two_weeks_and_every_body_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana, ben) = doubled(folder.path(), 1);
    let (rows, _) = passed(&hub);
    let doubled = doubles(&rows);
    assert!(doubled.len() >= 10, "the premise: {} bodies have two rows", doubled.len());
    // rows that came from elsewhere are seen at the next exchange
    for _ in 0..2 {
        pass_days(&hub, &[&ana, &ben], 1);
        hub.exchange(&ben).unwrap();
        hub.exchange(&ana).unwrap();
    }
    let (rows, asked) = passed(&hub);
    let gone: Vec<&Row> = rows.iter().filter(|row| asked.contains(&row.id().name())).collect();
    let kept: Vec<&Row> = rows.iter().filter(|row| !asked.contains(&row.id().name())).collect();
    assert!(gone.len() >= 10, "{} rows are asked for", gone.len());
    let left: BTreeSet<_> = kept.iter().filter_map(|row| body_of(row)).collect();
    assert!(doubled.is_subset(&left), "the last row of a body is never asked for");
    assert!(gone.iter().filter_map(|row| body_of(row)).filter(|body| doubled.contains(body)).count() >= 10);
    assert!(gone.iter().all(|row| is_on_disk(&hub, row)), "control: until then they are there");
    for _ in 0..DELETION_PENDING_DAYS + 1 {
        pass_days(&hub, &[&ana, &ben], 1);
        let report = hub.exchange(&ben).unwrap();
        assert_eq!(report.vetoes, 0, "{report:?}");
        assert_eq!(hub.exchange(&ana).unwrap().vetoes, 0);
    }
    assert!(!gone.iter().any(|row| is_on_disk(&hub, row)));
    assert!(kept.iter().all(|row| is_on_disk(&hub, row)));
    // a newcomer who has only the relay reads all of it
    let dora = join(folder.path(), 1, "Dora", hub.clock.now(), &ana, Role::Worker);
    for phone in [&ana, &dora, &ana, &dora] {
        hub.exchange(phone).unwrap();
    }
    assert_eq!(view(&dora), view(&ana));
}

#[test]
fn a_steward_who_asks_for_everything_deletes_nothing_live() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana, ben) = doubled(folder.path(), 2);
    pass_days(&hub, &[&ana, &ben], 1);
    hub.exchange(&ben).unwrap();
    // Ana's phone, or whoever holds its control key, names every row of the mailbox
    let (rows, _) = passed(&hub);
    let names: BTreeSet<RowName> = rows.iter().map(Row::id).map(|id: RowId| id.name()).collect();
    let storage = satchel_relay::storage::sqlite::SqliteStorage::open(&hub.dir, satchel_relay::storage::sqlite::Role::Command).unwrap();
    let names: Vec<RowName> = names.into_iter().collect();
    let mailbox = satchel_wire::MailboxId::from_bytes([0x42; 16]);
    let today = satchel_wire::UtcDay::of_unix_seconds(hub.clock.now());
    satchel_relay::storage::Storage::schedule_deletion(&storage, &mailbox, today, &names).unwrap();
    drop(storage);
    let mut vetoes = 0;
    for _ in 0..DELETION_PENDING_DAYS + 1 {
        pass_days(&hub, &[&ana, &ben], 1);
        vetoes += hub.exchange(&ben).unwrap().vetoes;
    }
    assert!(vetoes >= 10, "{vetoes}");
    let left: BTreeSet<_> = rows.iter().filter(|row| is_on_disk(&hub, row)).filter_map(body_of).collect();
    assert!(doubles(&rows).is_subset(&left), "one row of every body is left");
    assert!(rows.iter().any(|row| !is_on_disk(&hub, row)), "control: what nobody vetoed is gone");
}

/// Ana files somebody, both push. Returns the phones and the rows about them: the bodies that the ledger strikes.
fn filed(folder: &std::path::Path, seed: u64) -> (Hub, Phone, Phone, satchel_wire::RecordId, Vec<Row>, Vec<Row>) {
    use satchel_core::consent::HowGiven;
    use satchel_core::record::ParticipantDraft;
    let (hub, address) = Hub::new(folder, START);
    let ana = found(folder, seed, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let ben = join(folder, seed, "Ben", START, &ana, Role::Worker);
    hub.exchange(&ana).unwrap();
    hub.exchange(&ben).unwrap();
    let before = passed(&hub).0.len();
    let alias = Some(satchel_core::screen::Alias::parse("Blue").unwrap());
    let person =
        ana.unlocked.create_participant(&ParticipantDraft { alias, ..ParticipantDraft::default() }, HowGiven::Spoken, "en").unwrap();
    hub.exchange(&ana).unwrap();
    let between = passed(&hub).0.len();
    (0..5).for_each(|n| encounter(&ana, n));
    for phone in [&ana, &ben, &ana] {
        hub.exchange(phone).unwrap();
    }
    let rows = passed(&hub).0;
    // pages are larger
    let records = |row: &&Row| row.as_bytes().len() == 512;
    let about = rows[before..between].iter().filter(records).cloned().collect();
    // a second cover of what was there before is no new record, and which of both stays is chance
    let earlier: BTreeSet<_> = rows[..between].iter().filter_map(body_of).collect();
    let is_new = |row: &&Row| body_of(row).is_some_and(|body| !earlier.contains(&body));
    let others = rows[between..].iter().filter(records).filter(is_new).cloned().collect();
    (hub, ana, ben, person, about, others)
}

#[test]
fn the_rows_of_somebody_erased_leave_the_relay_after_two_weeks_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana, ben, person, about, others) = filed(folder.path(), 3);
    assert!(about.len() >= 2 && others.len() >= 5, "grant and file, and five encounters: {} {}", about.len(), others.len());
    ana.unlocked.erase_participant(person).unwrap();
    let mut asked_on = None;
    for day in 0..DELETION_PENDING_DAYS + 4 {
        for phone in [&ana, &ben] {
            assert_eq!(hub.exchange(phone).unwrap().vetoes, 0, "day {day}");
        }
        let names = passed(&hub).1;
        if asked_on.is_none() && about.iter().all(|row| names.contains(&row.id().name())) {
            asked_on = Some(day);
        }
        if asked_on.is_some_and(|asked| day < asked + DELETION_PENDING_DAYS) {
            assert!(about.iter().all(|row| is_on_disk(&hub, row)), "control: on day {day} they wait");
        }
        pass_days(&hub, &[&ana, &ben], 1);
    }
    assert!(asked_on.is_some(), "the batch names them");
    assert!(!about.iter().any(|row| is_on_disk(&hub, row)), "they are gone");
    assert!(others.iter().all(|row| is_on_disk(&hub, row)), "and nothing else is");
}

/// Encounters are kept for ninety days. Ben's phone was without power for so many days, and its clock with it: it believes
/// that they have that much left. It is in touch all the time, since a phone that was silent for longer than the absence limit is
/// not let in at the relay, and vetoes nothing there.
///
/// Returns vetoes, how many of their bodies the relay has still, and how many encounters Ana's and Ben's phones show.
fn expired(days_behind: u16) -> (usize, usize, usize, usize) {
    const EVERY_DAYS: u16 = 2;
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana, ben, _, _, others) = filed(folder.path(), 4);
    assert!(others.len() >= 5, "{}", others.len());
    let mut vetoes = 0;
    let mut asked_on = None;
    for day in 0..130 {
        if day < days_behind {
            pass_days(&hub, &[&ana], 1)
        } else {
            pass_days(&hub, &[&ana, &ben], 1)
        }
        for phone in [&ana, &ben] {
            phone.unlocked.tend().unwrap();
        }
        if day % EVERY_DAYS == 0 {
            for phone in [&ana, &ben] {
                let report = hub.exchange(phone).unwrap_or_else(|error| panic!("day {day}, {}: {error}", phone.name));
                vetoes += report.vetoes;
            }
        }
        let names = passed(&hub).1;
        if asked_on.is_none() && others.iter().all(|row| names.contains(&row.id().name())) {
            asked_on = Some(day);
            assert!(others.iter().all(|row| is_on_disk(&hub, row)), "control: on day {day} they wait");
        }
        // the relay deletes at the end of the day on which they have waited for so long
        if asked_on.is_some_and(|asked| day > asked + DELETION_PENDING_DAYS + 1) {
            break;
        }
    }
    assert!(asked_on.is_some(), "the batch names what expired");
    let shown = |phone: &Phone| phone.unlocked.encounters(None).unwrap().len();
    let left: BTreeSet<_> = others.iter().filter(|row| is_on_disk(&hub, row)).filter_map(body_of).collect();
    (vetoes, left.len(), shown(&ana), shown(&ben))
}

#[test]
fn the_rows_of_what_expired_leave_the_relay_as_well_and_a_phone_that_still_needs_them_keeps_them() {
    assert_eq!(expired(0), (0, 0, 0, 0), "nobody needs it");
    let (vetoes, left, shown_by_ana, shown_by_ben) = expired(18);
    assert!(vetoes >= 5, "{vetoes}");
    assert_eq!((shown_by_ana, shown_by_ben), (0, 5), "the premise");
    assert_eq!(left, 5, "what Ben's phone still shows is kept");
}
