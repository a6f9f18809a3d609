//! Several relays on one PostgreSQL: no row is missed, whoever commits when, and whatever their clocks say.
#![allow(clippy::unwrap_used)]

mod support;

use satchel_relay::storage::postgres::PostgresStorage;
use satchel_relay::storage::{Storage, StorageError};
use satchel_relay::{Config, Relay};
use satchel_wire::{Lane, Row};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use support::postgres::Postgres;
use support::*;

const ALL: u32 = u32::MAX;

/// Runs a test with two relays on one new database.
fn on_two(test: fn(&Postgres, &std::path::Path, &TestRelay, &TestRelay)) {
    let Some(server) = choose_postgres() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (TestRelay::start(folder.path(), NOON), TestRelay::start(folder.path(), NOON));
    test(server, folder.path(), &one, &two);
    one.stop();
    two.stop();
}

/// A session of its own that does half a push and then waits for the test.
struct Session {
    psql: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    fn open(server: &Postgres, database: &str) -> Self {
        let mut command = Command::new("psql");
        command.args(["-X", "-q", "-A", "-t", "-U", "satchel", "-d", database, "-h"]).arg(&server.folder);
        let mut psql = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (psql.stdin.take().unwrap(), BufReader::new(psql.stdout.take().unwrap()));
        Self { psql, input, output }
    }
    /// Runs statements and returns when they are done.
    fn run(&mut self, statements: &str) -> String {
        writeln!(self.input, "{statements}\n\\echo done").unwrap();
        let mut text = String::new();
        while !text.ends_with("done\n") {
            assert!(self.output.read_line(&mut text).unwrap() > 0, "the session ended: {text}");
        }
        text.trim_end_matches("done\n").trim().to_owned()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.psql.kill();
        let _ = self.psql.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    format!("'\\x{}'::bytea", data_encoding::HEXLOWER.encode(bytes))
}

/// What a relay does for a push, as statements; the last look at the day and the commit are left out.
fn push_statements(team: &Team, row: &Row, day: u64) -> String {
    let side = day % 2;
    let (mailbox, id, bytes) = (hex(team.mailbox.as_bytes()), hex(row.id().as_bytes()), hex(row.as_bytes()));
    format!(
        "BEGIN;
         INSERT INTO arrived_{side} (mailbox, day, id, lane, bytes) VALUES ({mailbox}, {day}, {id}, {}, {bytes});
         INSERT INTO today_{side} AS today (mailbox, day, row_count, byte_count, newest, closed) VALUES ({mailbox}, {day}, 1, {}, NULL, false)
         ON CONFLICT (mailbox, day) DO UPDATE SET row_count = today.row_count + 1, byte_count = today.byte_count + excluded.byte_count;",
        row.lane().byte(),
        row.as_bytes().len()
    )
}

#[test]
fn a_row_that_commits_late_is_read_by_everybody() {
    on_two(|server, folder, one, two| {
        let team = one.team(1);
        let there = Team { address: two.address, ..team.clone() };
        let day = NOON / DAY;
        let mut phones = [Phone::default(), Phone::default()];
        team.push(vec![row(Lane::Records, 1)], None);
        team.catch_up(&mut phones[0], ALL);
        there.catch_up(&mut phones[1], ALL);
        // a third relay stops in the middle, before its commit
        let mut third = Session::open(server, &database_of(folder));
        third.run(&push_statements(&team, &row(Lane::Records, 2), day));
        // another mailbox goes on, and readers of this one are not held up, at either relay
        let other = two.team(2);
        other.push(vec![row(Lane::Records, 90)], None);
        for (at, phone) in [&team, &there].into_iter().zip(&mut phones) {
            at.catch_up(phone, ALL);
            assert_eq!(phone.rows.len(), 1);
        }
        third.run("COMMIT;");
        team.push(vec![row(Lane::Records, 3)], None);
        for (at, phone) in [&team, &there].into_iter().zip(&mut phones) {
            at.catch_up(phone, ALL);
            assert_eq!(phone.ids(), ids(&[1, 2, 3].map(|n| row(Lane::Records, n))));
        }
    });
}

#[test]
fn a_day_waits_for_a_row_that_commits_after_midnight() {
    on_two(|server, folder, one, two| {
        let (team, other) = (one.team(1), one.team(2));
        let there = Team { address: two.address, clock: Arc::clone(&two.clock), ..team.clone() };
        let elsewhere = Team { address: two.address, clock: Arc::clone(&two.clock), ..other.clone() };
        team.push(vec![row(Lane::Records, 1)], None);
        other.push(vec![row(Lane::Records, 50)], None);
        let mut third = Session::open(server, &database_of(folder));
        third.run(&push_statements(&team, &row(Lane::Records, 2), NOON / DAY));
        let in_time = third.run("SELECT open_from FROM relay_state;");
        assert_eq!(in_time, (NOON / DAY).to_string());

        one.advance(DAY);
        two.advance(DAY);
        let closing = std::thread::scope(|scope| {
            let closing = scope.spawn(|| one.relay.maintain());
            // the other mailbox gets on with the new day while the closing waits; the phone of this one sees what is there
            elsewhere.push(vec![row(Lane::Records, 51)], None);
            let mut phone = Phone::default();
            there.catch_up(&mut phone, ALL);
            assert_eq!(phone.rows.len(), 1);
            let before = phone.cursor;
            third.run("COMMIT;");
            let closed = closing.join().unwrap();
            two.relay.maintain().unwrap();
            assert_eq!(phone.cursor, before);
            there.push(vec![row(Lane::Records, 3)], None);
            there.catch_up(&mut phone, ALL);
            assert_eq!(phone.ids(), ids(&[1, 2, 3].map(|n| row(Lane::Records, n))), "the late row was not skipped");
            closed
        });
        assert!(closing.is_ok() || closing == Err(StorageError::Away));
        let mut phone = Phone::default();
        elsewhere.catch_up(&mut phone, ALL);
        assert_eq!(phone.rows.len(), 2);
    });
}

#[test]
fn a_relay_whose_clock_is_behind_cannot_write_into_a_closed_day() {
    on_two(|_, _, one, two| {
        let team = one.team(1);
        let there = Team { address: two.address, clock: Arc::clone(&two.clock), ..team.clone() };
        // fifteen minutes to midnight at one of them, past midnight at the other
        let evening = DAY / 2 - 450;
        one.advance(DAY / 2 + 60);
        two.advance(evening);
        there.push(vec![row(Lane::Records, 1)], None);
        one.relay.maintain().unwrap();
        let mut phone = Phone::default();
        team.catch_up(&mut phone, ALL);
        assert_eq!(phone.rows.len(), 1);
        team.push(vec![row(Lane::Records, 2)], None);
        team.catch_up(&mut phone, ALL);
        let late = there.push(vec![row(Lane::Records, 3)], None);
        assert_eq!(u64::from(late.day.days()), NOON / DAY + 1);
        for at in [&team, &there] {
            let mut fresh = Phone::default();
            at.catch_up(&mut fresh, ALL);
            assert_eq!(fresh.rows.len(), 3);
        }
        team.catch_up(&mut phone, ALL);
        assert_eq!(phone.rows.len(), 3);
    });
}

#[test]
fn a_phone_may_change_relays_with_every_request() {
    on_two(|_, _, one, two| {
        let team = one.team(1);
        let there = Team { address: two.address, ..team.clone() };
        let mut phone = Phone::default();
        let mut pushed = Vec::new();
        for n in 0..40u64 {
            let at = if n.is_multiple_of(3) { &team } else { &there };
            let rows: Vec<Row> = (0..5).map(|part| row(Lane::Records, n * 10 + part)).collect();
            at.push(rows.clone(), None);
            pushed.extend(rows);
            let reader = if n.is_multiple_of(2) { &team } else { &there };
            reader.catch_up(&mut phone, ALL);
            assert_eq!(phone.ids(), ids(&pushed));
        }
        // a relay that learned of two pushes at once does not know the state between: it lists the day, and brings no row twice
        assert_eq!(phone.repeats, 0);
        assert!(phone.listings <= 20, "{} of 40", phone.listings);
        // the answer to a push moves the cursor only over the sender's own rows
        let before = phone.cursor;
        team.push(vec![row(Lane::Records, 9_001)], before);
        let moved = there.push(vec![row(Lane::Records, 9_002)], before);
        assert_eq!(moved.cursor, None);
        there.catch_up(&mut phone, ALL);
        let alone = team.push(vec![row(Lane::Records, 9_003)], phone.cursor);
        assert!(alone.cursor.is_some());
    });
}

#[test]
fn two_relays_take_the_same_rows_once_and_only_one_announcement() {
    on_two(|_, _, one, two| {
        let team = one.team(1);
        let there = Team { address: two.address, ..team.clone() };
        let rows: Vec<Row> = (0..300).map(|n| row(Lane::Records, n)).collect();
        std::thread::scope(|scope| {
            for at in [&team, &there, &team, &there] {
                let mut rows = rows.clone();
                scope.spawn(move || {
                    rows.rotate_left(usize::from(at.address.port() % 100));
                    for part in rows.chunks(7) {
                        at.push(part.to_vec(), None);
                    }
                });
            }
        });
        assert_eq!(one.storage.used_bytes(&team.mailbox).unwrap(), 300 * 512);
        let announced: Vec<u16> = std::thread::scope(|scope| {
            let runs = [(&team, 1u8), (&there, 2u8)].map(|(at, n)| scope.spawn(move || at.announce_answer(&[n; 900], None).status));
            runs.map(|run| run.join().unwrap()).to_vec()
        });
        assert!(announced == [200, 409] || announced == [409, 200], "{announced:?}");
        for at in [&team, &there] {
            let mut phone = Phone::default();
            at.catch_up(&mut phone, ALL);
            assert_eq!(phone.rows.len(), 301);
        }
    });
}

#[test]
fn who_waits_at_one_relay_is_woken_by_a_push_to_the_other() {
    on_two(|_, _, one, two| {
        let team = one.team(1);
        let there = Team { address: two.address, ..team.clone() };
        let mut phone = Phone::default();
        team.catch_up(&mut phone, ALL);
        assert!(!there.wait(phone.cursor, 0), "nothing yet");
        for n in 0..3 {
            let cursor = phone.cursor;
            std::thread::scope(|scope| {
                let waiting = scope.spawn(|| there.wait(cursor, 40));
                team.push(vec![row(Lane::Records, n)], None);
                assert!(waiting.join().unwrap());
            });
            assert!(there.wait(cursor, 40), "at once, because it is there already");
            there.catch_up(&mut phone, ALL);
            assert!(!there.wait(phone.cursor, 0));
        }
    });
}

#[test]
fn a_storage_without_notifications_wakes_by_looking() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("polling");
    let storage = Arc::new(PostgresStorage::open(&url).unwrap());
    let (tell, told) = std::sync::mpsc::channel();
    storage.watch(Arc::new(move |changed| {
        // what LISTEN brings is thrown away
        if let satchel_relay::storage::Changed::Mailbox(mailbox) = changed {
            let _ = tell.send(mailbox);
        }
    }));
    let clock: satchel_relay::Clock = Arc::new(|| NOON);
    let relay = Relay::new(Arc::<PostgresStorage>::clone(&storage), Config::default(), clock, Arc::new(|_| {})).unwrap();
    let mailbox = satchel_wire::MailboxId::from_bytes([9; 16]);
    storage.create_mailbox(&mailbox, 1 << 20, &[0; 32]).unwrap();
    let kept = row(Lane::Records, 1);
    let deposit = satchel_relay::storage::Deposit {
        mailbox,
        day: satchel_wire::UtcDay::of_unix_seconds(NOON),
        rows: &[(kept.id(), kept)],
        room_bytes: 1 << 20,
        announcement: None,
    };
    storage.deposit(&deposit).unwrap();
    assert_eq!(told.recv_timeout(Duration::from_secs(30)), Ok(mailbox), "nobody looked");
    drop(relay);
}

#[test]
fn a_newer_database_is_refused_and_relays_may_start_together() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.database("together");
    std::thread::scope(|scope| {
        let opened: Vec<_> = (0..6).map(|_| scope.spawn(|| PostgresStorage::open(&url).map(drop))).collect();
        for opened in opened {
            opened.join().unwrap().unwrap();
        }
    });
    server.sql("together", "UPDATE schema_version SET steps = 99");
    assert!(matches!(PostgresStorage::open(&url), Err(StorageError::NewerFormat { found: 99, .. })));
    assert!(matches!(PostgresStorage::open("nonsense://"), Err(StorageError::Address)));
    assert!(matches!(PostgresStorage::open(&server.url("not_there")), Err(StorageError::Sql { state }) if &state == b"3D000"));
}
