//! Deletion: one batch a day, by the control key, after two weeks, unless somebody still needs the row.
#![allow(clippy::unwrap_used)]

mod support;

use satchel_wire::frame::*;
use satchel_wire::limits::DELETION_PENDING_DAYS;
use satchel_wire::{Lane, Row, RowId, RowName, UtcDay};
use std::collections::HashMap;
use std::path::Path;
use support::*;

both_engines! {
    rows_are_gone_from_the_disk_after_two_weeks_and_there_before,
    a_veto_keeps_what_it_names_and_nothing_else,
    only_the_control_key_deletes_and_only_present_members_see_or_stop_it,
    one_batch_a_day_sorted_and_never_replayed,
    announcements_and_other_mailboxes_are_out_of_reach,
    a_phone_that_stands_in_a_thinned_day_reads_on_without_a_gap,
    a_mailbox_that_nobody_writes_to_is_closed_only_where_the_operator_said_so_and_only_then,
}

fn names(rows: &[Row]) -> Vec<RowName> {
    let mut names: Vec<RowName> = rows.iter().map(|row| row.id().name()).collect();
    names.sort_unstable();
    names
}

fn batch(team: &Team, rows: &[Row]) -> Deletion {
    Deletion { mailbox: team.mailbox, rows: names(rows), freshness: team.freshness() }
}

fn delete(team: &Team, rows: &[Row]) -> Answer {
    team.ask(Endpoint::Delete, &team.control, &batch(team, rows))
}

fn pending(team: &Team) -> PendingRows {
    let frame = Pending { mailbox: team.mailbox, since: None, freshness: team.freshness() };
    team.ask(Endpoint::Pending, &team.pull_key, &frame).frame()
}

fn veto(team: &Team, rows: &[Row]) -> Answer {
    team.ask(Endpoint::Veto, &team.push_key, &Veto { mailbox: team.mailbox, rows: names(rows), freshness: team.freshness() })
}

fn read_all(team: &Team) -> Vec<satchel_wire::RowId> {
    let mut phone = Phone::default();
    team.catch_up(&mut phone, 1 << 20);
    phone.ids()
}

/// Those rows of which a piece from the middle stands in any file of the engine.
fn on_disk(folder: &Path, rows: &[Row]) -> Vec<RowId> {
    let pieces: HashMap<&[u8], RowId> = rows.iter().map(|row| (&row.as_bytes()[200..232], row.id())).collect();
    let files = kept_bytes(folder);
    let mut found: Vec<RowId> = files.iter().flat_map(|bytes| bytes.windows(32)).filter_map(|window| pieces.get(window).copied()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn rows(count: u64) -> Vec<Row> {
    (0..count).map(|n| row(Lane::Records, n)).collect()
}

fn rows_are_gone_from_the_disk_after_two_weeks_and_there_before() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let all = rows(60);
    team.push(all.clone(), None);
    relay.next_day();
    let (gone, kept) = all.split_at(40);
    let before = relay.storage.used_bytes(&team.mailbox).unwrap();
    assert_eq!(delete(&team, gone).frame::<Scheduled>().day, pending(&team).today);
    for _ in 1..DELETION_PENDING_DAYS {
        relay.next_day();
    }
    // positive control: until then every one of them is there, for readers and on the disk
    assert_eq!(read_all(&team), ids(&all));
    assert_eq!(on_disk(folder.path(), &all), ids(&all));
    assert_eq!(pending(&team).batches.len(), 1);

    relay.next_day();
    assert_eq!(read_all(&team), ids(kept));
    assert_eq!(on_disk(folder.path(), &all), ids(kept));
    assert!(pending(&team).batches.is_empty());
    assert_eq!(relay.storage.used_bytes(&team.mailbox).unwrap(), before - 40 * 512);
    relay.stop();
}

fn a_veto_keeps_what_it_names_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let all = rows(10);
    team.push(all.clone(), None);
    relay.next_day();
    delete(&team, &all[..6]).frame::<Scheduled>();
    relay.next_day();
    // named once more by the next day's batch: one veto strikes it out of both
    delete(&team, &all[5..7]).frame::<Scheduled>();
    assert_eq!(veto(&team, &all[4..6]).frame::<Vetoed>().rows, 3);
    assert_eq!(veto(&team, &all[4..6]).frame::<Vetoed>().rows, 0);
    for _ in 0..DELETION_PENDING_DAYS {
        relay.next_day();
    }
    assert_eq!(read_all(&team), ids(&[&all[4..6], &all[7..]].concat()));
    relay.stop();
}

fn only_the_control_key_deletes_and_only_present_members_see_or_stop_it() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let other = relay.team(2);
    let all = rows(3);
    team.push(all.clone(), None);
    for key in [&team.pull_key, &team.push_key, &other.control] {
        assert_eq!(team.ask(Endpoint::Delete, key, &batch(&team, &all)).problem(), ProblemCode::Refused);
    }
    // a signature for another path is none
    let wrong = sign(Endpoint::Push, &team.control, batch(&team, &all).to_bytes());
    assert_eq!(send(team.address, "POST", Endpoint::Delete.path(), &wrong).problem(), ProblemCode::Refused);
    assert!(pending(&team).batches.is_empty());
    delete(&team, &all).frame::<Scheduled>();

    // who may only read stops nothing
    let by_reader = Veto { mailbox: team.mailbox, rows: names(&all), freshness: team.freshness() };
    assert_eq!(team.ask(Endpoint::Veto, &team.pull_key, &by_reader).problem(), ProblemCode::Refused);

    let next = team.turned();
    team.change_keys(&next).frame::<Done>();
    // an earlier pull key reads announcements, and nothing of this
    let frame = Pending { mailbox: team.mailbox, since: None, freshness: team.freshness() };
    assert_eq!(team.ask(Endpoint::Pending, &team.pull_key, &frame).problem(), ProblemCode::Refused);
    assert_eq!(veto(&team, &all).problem(), ProblemCode::Refused);
    assert_eq!(veto(&next, &all).frame::<Vetoed>().rows, 3);
    relay.stop();
}

fn one_batch_a_day_sorted_and_never_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let all = rows(20);
    team.push(all.clone(), None);
    let mut unsorted = batch(&team, &all);
    unsorted.rows.reverse();
    assert_eq!(team.ask(Endpoint::Delete, &team.control, &unsorted).problem(), ProblemCode::Malformed);
    let recorded = sign(Endpoint::Delete, &team.control, batch(&team, &all[..10]).to_bytes());
    send(team.address, "POST", Endpoint::Delete.path(), &recorded).frame::<Scheduled>();
    assert_eq!(send(team.address, "POST", Endpoint::Delete.path(), &recorded).problem(), ProblemCode::Replayed);
    assert_eq!(delete(&team, &all[10..]).problem(), ProblemCode::Superseded);
    assert_eq!(pending(&team).batches, [PendingBatch { day: pending(&team).today, rows: names(&all[..10]) }]);
    relay.next_day();
    assert_eq!(send(team.address, "POST", Endpoint::Delete.path(), &recorded).problem(), ProblemCode::ClockSkew);
    delete(&team, &all[10..]).frame::<Scheduled>();
    let frame = Pending { mailbox: team.mailbox, since: Some(pending(&team).today), freshness: team.freshness() };
    assert_eq!(team.ask(Endpoint::Pending, &team.pull_key, &frame).frame::<PendingRows>().batches.len(), 1);
    relay.stop();
}

fn announcements_and_other_mailboxes_are_out_of_reach() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let (team, other) = (relay.team(1), relay.team(2));
    let announcement = satchel_wire::announcement::split(&[7; 900]).unwrap();
    team.announce_answer(&[7; 900], None).frame::<Pushed>();
    let all = rows(2);
    team.push(all.clone(), None);
    other.push(all.clone(), None);
    delete(&team, &[all.clone(), announcement.clone()].concat()).frame::<Scheduled>();
    for _ in 0..=DELETION_PENDING_DAYS {
        relay.next_day();
    }
    assert_eq!(read_all(&team), ids(&announcement));
    assert_eq!(read_all(&other), ids(&all));
    relay.stop();
}

fn a_phone_that_stands_in_a_thinned_day_reads_on_without_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let all = rows(30);
    team.push(all.clone(), None);
    relay.next_day();
    let mut phone = Phone::default();
    team.catch_up(&mut phone, 1 << 20);
    delete(&team, &all[..15]).frame::<Scheduled>();
    for _ in 0..DELETION_PENDING_DAYS {
        relay.next_day();
    }
    let later: Vec<Row> = (100..105).map(|n| row(Lane::Records, n)).collect();
    team.push(later.clone(), None);
    team.catch_up(&mut phone, 1 << 20);
    assert_eq!(phone.ids(), ids(&[all, later].concat()));
    assert_eq!((phone.repeats, phone.listings), (0, 1));
    relay.stop();
}

fn a_mailbox_that_nobody_writes_to_is_closed_only_where_the_operator_said_so_and_only_then() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let (quiet, busy, empty) = (relay.team(1), relay.team(2), relay.team(3));
    let (all, others) = (rows(4), (100..104).map(|n| row(Lane::Records, n)).collect::<Vec<Row>>());
    quiet.push(all.clone(), None);
    busy.push(others[..1].to_vec(), None);
    let stands = |team: &Team| relay.storage.mailbox(&team.mailbox).unwrap().is_some();
    let listed = |days| {
        satchel_relay::retention::abandoned(
            &*relay.storage,
            UtcDay::of_unix_seconds(relay.clock.load(std::sync::atomic::Ordering::SeqCst)),
            days,
        )
        .unwrap()
    };
    // control: without the setting nothing is ever closed, however long nobody writes
    for day in 0..40 {
        relay.next_day();
        if day % 10 == 0 {
            busy.push(vec![row(Lane::Records, 200 + day)], None);
        }
    }
    assert!([&quiet, &busy, &empty].iter().all(|team| stands(team)));
    assert_eq!(listed(30), [quiet.mailbox], "one without rows was never used, and says nothing");
    assert!(listed(41).is_empty());
    assert_eq!(on_disk(folder.path(), &all), ids(&all));
    // with it: after both times together, at the day's beginning
    relay.relay.set_retention(30, 12);
    relay.next_day();
    assert!(stands(&quiet), "a day early");
    assert_eq!(read_all(&quiet), ids(&all), "reading does not keep it, and is not refused");
    busy.push(vec![row(Lane::Records, 300)], None);
    relay.next_day();
    assert!(!stands(&quiet) && stands(&busy) && stands(&empty));
    let frame = Pending { mailbox: quiet.mailbox, since: None, freshness: quiet.freshness() };
    assert_eq!(quiet.ask(Endpoint::Pending, &quiet.pull_key, &frame).problem(), ProblemCode::Refused);
    assert!(on_disk(folder.path(), &all).is_empty(), "its rows are gone from the disk");
    assert_eq!(read_all(&busy).len(), 6);
    relay.stop();
}
