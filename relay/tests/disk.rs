//! Every byte that is kept: no order, no companions, no time finer than the day.
#![allow(clippy::unwrap_used)]

mod support;

use rusqlite::Connection;
use satchel_relay::config::REBUILD_EVERY_TIDYINGS;
use satchel_relay::disclose::Disclosure;
use satchel_relay::storage::{Deposit, StorageError};
use satchel_wire::frame::*;
use satchel_wire::{AnnouncementId, Lane, Row, UtcDay};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use support::*;

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    fs::read_dir(folder).unwrap().map(read).collect()
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// Tables with their columns.
fn columns(file: &Path) -> BTreeMap<String, Vec<String>> {
    let database = Connection::open(file).unwrap();
    let mut tables = BTreeMap::new();
    let mut statement = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let names: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for name in names {
        let mut statement = database.prepare(&format!("SELECT name FROM pragma_table_xinfo('{name}')")).unwrap();
        let found = statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap).collect();
        tables.insert(name, found);
    }
    tables
}

/// Two authors push in turns; the same rows whatever the history, in another order and other company.
fn live_through(folder: &Path, history: usize) {
    let relay = TestRelay::start(folder, NOON);
    let (team, other) = (relay.team(1), relay.team(2));
    let mut previous = None;
    for day in 0..3u64 {
        let mut rows: Vec<Row> = (0..200).map(|n| sized_row(Lane::Records, day * 1000 + n, if n % 9 == 0 { 4096 } else { 512 })).collect();
        let part = match history {
            0 => 5,
            _ => {
                rows.reverse();
                rows.rotate_left(37);
                11
            }
        };
        let content = vec![day as u8; 900];
        if history == 1 {
            team.announce_answer(&content, previous).frame::<Pushed>();
        }
        for (index, pushed) in rows.chunks(part).enumerate() {
            let at = if (index + history).is_multiple_of(2) { &team } else { &other };
            // both mailboxes get every row, only in another order
            let also = if std::ptr::eq(at, &team) { &other } else { &team };
            at.push(pushed.to_vec(), None);
            also.push(pushed.to_vec(), None);
        }
        if history == 0 {
            team.announce_answer(&content, previous).frame::<Pushed>();
        }
        previous = Some(AnnouncementId::of(&content));
        if history == 1 {
            // a tidying more or less must not show either
            relay.relay.maintain().unwrap();
        }
        relay.next_day();
    }
    relay.stop();
}

#[test]
fn two_histories_with_the_same_rows_leave_the_same_bytes() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    live_through(one.path(), 0);
    live_through(two.path(), 1);
    let (one, two) = (files(one.path()), files(two.path()));
    assert_eq!(one.keys().collect::<Vec<_>>(), ["day-2026-11-25.db", "relay.db", "relay.lock"]);
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    assert!(one["relay.db"].len() > 600 * 512 * 2);
    for (name, bytes) in &one {
        let differing = bytes.iter().zip(&two[name]).filter(|(a, b)| a != b).count();
        assert_eq!((bytes.len(), differing), (two[name].len(), 0), "{name}");
    }
}

#[test]
fn the_comparison_above_would_see_the_order_of_arrival() {
    // positive control: in the running day's file, before it is rewritten, the order does show
    let mut kept = Vec::new();
    for reverse in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let relay = TestRelay::start(folder.path(), NOON);
        let team = relay.team(1);
        let mut rows: Vec<Row> = (0..100).map(|n| row(Lane::Records, n)).collect();
        if reverse {
            rows.reverse();
        }
        for pushed in rows.chunks(10) {
            team.push(pushed.to_vec(), None);
        }
        relay.relay.maintain().unwrap();
        let before = files(folder.path())["day-2026-11-22.db"].clone();
        // ... and once it is rewritten, it does not, apart from the header's counters
        for _ in 1..REBUILD_EVERY_TIDYINGS {
            relay.relay.maintain().unwrap();
        }
        let mut after = files(folder.path())["day-2026-11-22.db"].clone();
        for counter in [24..28, 40..44, 92..96] {
            after[counter].fill(0);
        }
        kept.push((before, after));
        relay.stop();
    }
    assert!(kept[0].0 != kept[1].0, "the layout of the running day keeps its order of arrival");
    assert!(kept[0].1 == kept[1].1);
}

#[test]
fn the_order_within_a_push_is_not_even_in_the_running_days_file() {
    let mut kept = Vec::new();
    for reverse in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let relay = TestRelay::start(folder.path(), NOON);
        let team = relay.team(1);
        let mut rows: Vec<Row> = (0..100).map(|n| row(Lane::Records, n)).collect();
        if reverse {
            rows.reverse();
        }
        team.push(rows, None);
        relay.relay.maintain().unwrap();
        kept.push(files(folder.path())["day-2026-11-22.db"].clone());
        relay.stop();
    }
    assert!(kept[0] == kept[1]);
}

#[test]
fn a_closed_day_takes_no_row_even_from_a_push_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let row = row(Lane::Records, 1);
    let day = UtcDay::of_unix_seconds(NOON);
    let rows = [(row.id(), row)];
    let deposit = |day| Deposit { mailbox: team.mailbox, day, rows: &rows, room_bytes: 1 << 20, announcement: None };
    relay.next_day();
    assert_eq!(relay.storage.deposit(&deposit(day)), Err(StorageError::DayClosed));
    assert_eq!(relay.storage.deposit(&deposit(day.plus(1))).unwrap().added.len(), 1);
    relay.stop();
}

#[test]
fn an_archived_day_never_runs_again() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let archived = team.push(vec![row(Lane::Records, 1)], None).day;
    relay.next_day();
    relay.stop();
    // a restored backup has no day file, and this host's clock is behind
    fs::remove_file(folder.path().join("day-2026-11-23.db")).unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = Team { address: relay.address, clock: relay.clock.clone(), ..team };
    assert_eq!(team.push(vec![row(Lane::Records, 2)], None).day, archived.plus(1));
    relay.stop();
}

#[test]
fn the_running_day_leaves_nothing_behind_when_it_closes() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let row = row(Lane::Records, 1);
    team.push(vec![row.clone()], None);
    let needle = &row.as_bytes()[1..200];
    let found = |folder: &Path| -> Vec<String> {
        files(folder).into_iter().filter(|(_, bytes)| contains(bytes, needle)).map(|(name, _)| name).collect()
    };
    // positive control: the log has it, then the day's file
    assert_eq!(found(folder.path()), ["day-2026-11-22.db-wal"]);
    relay.relay.maintain().unwrap();
    assert_eq!(found(folder.path()), ["day-2026-11-22.db"]);
    relay.next_day();
    assert_eq!(found(folder.path()), ["relay.db"]);
    assert!(files(folder.path()).keys().all(|name| !name.contains("2026-11-22")));
    // and nothing at all after the mailbox is closed
    assert!(relay.storage.close_mailbox(&team.mailbox).unwrap());
    assert!(!relay.storage.close_mailbox(&team.mailbox).unwrap());
    assert_eq!(found(folder.path()), Vec::<String>::new());
    assert!(files(folder.path()).values().all(|bytes| !contains(bytes, team.mailbox.as_bytes())));
    assert_eq!(team.pull_answer(None, 1, None).problem(), ProblemCode::Refused);
    relay.stop();
}

#[test]
fn tables_have_the_allowed_columns_and_rows_in_id_order() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    for author in 0..2u64 {
        for n in 0..20 {
            team.push(vec![row(Lane::Records, author * 100 + n), row(Lane::Commons, author * 100 + 50 + n)], None);
        }
    }
    let row_columns = ["mailbox", "day", "id", "lane", "bytes"].map(String::from).to_vec();
    let check = |file: &Path| {
        assert_eq!(columns(file)["sealed_row"], row_columns);
        let database = Connection::open(file).unwrap();
        // without ORDER BY: the order in which the file has them
        let mut statement = database.prepare("SELECT id FROM sealed_row NOT INDEXED").unwrap();
        let stored: Vec<Vec<u8>> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(stored.len(), 80);
        assert!(stored.is_sorted());
        assert!(database.prepare("SELECT rowid FROM sealed_row").is_err(), "no hidden sequence");
    };
    check(&folder.path().join("day-2026-11-22.db"));
    relay.next_day();
    check(&folder.path().join("relay.db"));
    let tables = columns(&folder.path().join("relay.db"));
    assert_eq!(tables.keys().collect::<Vec<_>>(), ["day_total", "deletion", "deletion_batch", "earlier_pull", "mailbox", "sealed_row"]);
    assert_eq!(tables["mailbox"], ["id", "quota_bytes", "claim_hash", "generation", "control", "pull", "push", "newest"]);
    assert_eq!(tables["earlier_pull"], ["mailbox", "replaced", "key"]);
    assert_eq!(tables["day_total"], ["mailbox", "day", "lane", "row_count", "byte_count"]);
    assert_eq!(tables["deletion"], ["mailbox", "day", "name"]);
    assert_eq!(tables["deletion_batch"], ["mailbox", "day"]);
    let day = columns(&folder.path().join("day-2026-11-23.db"));
    assert_eq!(day.keys().collect::<Vec<_>>(), ["newest", "sealed_row"]);
    assert_eq!(day["newest"], ["mailbox", "announcement"]);
    // positive control: a table with a sequence is told apart
    let other = folder.path().join("control.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE sealed_row (id BLOB)").unwrap();
    assert!(Connection::open(&other).unwrap().prepare("SELECT rowid FROM sealed_row").is_ok());
    relay.stop();
}

#[test]
fn disclose_says_what_the_tables_hold_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let other = relay.team(2);
    let content = vec![1; 5_000];
    team.announce_answer(&content, None).frame::<Pushed>();
    team.push((0..30).map(|n| row(Lane::Records, n)).collect(), None);
    other.push(vec![row(Lane::Records, 999)], None);
    let next = team.turned();
    team.change_keys(&next).frame::<Done>();
    relay.next_day();
    next.push((30..35).map(|n| sized_row(Lane::Commons, n, 2048)).collect(), None);

    let census = relay.storage.census(&team.mailbox).unwrap().unwrap();
    let disclosure = Disclosure::from(census);
    // counted anew from the files themselves
    let mut counted = BTreeMap::<(String, String, u32), u64>::new();
    let mut bytes = 0;
    for file in ["relay.db", "day-2026-11-23.db"] {
        let database = Connection::open(folder.path().join(file)).unwrap();
        let mut statement = database.prepare("SELECT day, lane, bytes FROM sealed_row WHERE mailbox = ?1").unwrap();
        let mut found = statement.query([team.mailbox.as_bytes()]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let day = satchel_wire::UtcDay::from_days(row.get(0).unwrap()).to_string();
            let lane = ["", "announce", "commons", "records"][row.get::<_, u8>(1).unwrap() as usize].to_owned();
            let size = row.get::<_, Vec<u8>>(2).unwrap().len() as u32;
            bytes += u64::from(size);
            *counted.entry((day, lane, size)).or_default() += 1;
        }
    }
    let told: BTreeMap<_, _> =
        disclosure.rows.iter().map(|row| ((row.day.clone(), row.lane.to_owned(), row.row_bytes), row.rows)).collect();
    assert_eq!(told, counted);
    assert_eq!(disclosure.used_bytes, bytes);
    assert_eq!(relay.storage.used_bytes(&team.mailbox).unwrap(), bytes);
    assert_eq!(disclosure.generation, Some(1));
    assert_eq!(disclosure.key_changes.len(), 1);
    assert_eq!((disclosure.key_changes[0].day.as_str(), disclosure.key_changes[0].changes), ("2026-11-22", 1));
    assert_eq!(disclosure.public_keys.len(), 4);
    assert_eq!(disclosure.newest_announcement, Some(AnnouncementId::of(&content).to_string()));
    // every number stands in the text, and neither mentions the other mailbox
    let text = disclosure.to_string();
    for row in &disclosure.rows {
        assert!(text.lines().any(|line| line.contains(&row.day) && line.contains(row.lane) && line.contains(&row.row_bytes.to_string())));
    }
    assert!(text.contains("What cannot be learned"));
    assert!(!text.contains(&other.mailbox.to_string()));
    let later = 25;
    for _ in 0..later {
        relay.next_day();
    }
    let disclosure = Disclosure::from(relay.storage.census(&team.mailbox).unwrap().unwrap());
    assert_eq!((disclosure.key_changes.len(), disclosure.public_keys.len()), (0, 3), "forgotten after the absence limit");
    relay.stop();
}
