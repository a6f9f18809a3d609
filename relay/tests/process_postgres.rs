//! Real relays on a real PostgreSQL: killed in loops, restarted under load, and the operator's commands.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod support;

use satchel_wire::frame::*;
use satchel_wire::{Lane, Row};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use support::postgres::Postgres;
use support::process::*;
use support::*;

const ALL: u32 = u32::MAX;

/// What phones push at whichever relay answers, and what was acknowledged to them.
#[derive(Default)]
struct Load {
    acknowledged: Mutex<Vec<Row>>,
    count: AtomicUsize,
    /// Answers that were no success: the phone tries the same rows again, elsewhere.
    moved_on: AtomicUsize,
    enough: AtomicBool,
}

impl Load {
    /// Pushes like a phone until told to stop: the same rows again until some relay acknowledges them.
    fn push(&self, author: u64, team: &Team, relays: &Mutex<Vec<std::net::SocketAddr>>) {
        let mut at = author as usize;
        for n in 0u64.. {
            let rows: Vec<Row> = (0..3).map(|part| row(Lane::Records, author * 10_000_000 + n * 10 + part)).collect();
            loop {
                if self.enough.load(Ordering::SeqCst) {
                    return;
                }
                let address = {
                    let relays = relays.lock().unwrap();
                    relays[at % relays.len()]
                };
                let team = Team { clock: now(), ..team.clone() };
                let push = Push { mailbox: team.mailbox, rows: rows.clone(), cursor: None, freshness: team.freshness() };
                match try_send(address, "POST", "/v1/push", &sign(Endpoint::Push, &team.push_key, push.to_bytes())) {
                    Ok(answer) if answer.status == 200 => break,
                    Ok(answer) => assert!(matches!(answer.problem(), ProblemCode::Internal | ProblemCode::RateLimited), "{answer:?}"),
                    Err(_) => {}
                }
                self.moved_on.fetch_add(1, Ordering::SeqCst);
                at += 1;
            }
            self.acknowledged.lock().unwrap().extend(rows);
            self.count.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Waits until so many more pushes were acknowledged.
    fn wait_for(&self, more: usize) {
        let until = self.count.load(Ordering::SeqCst) + more;
        while self.count.load(Ordering::SeqCst) < until {
            std::thread::yield_now();
        }
    }

    fn check(&self, team: &Team) {
        let mut phone = Phone::default();
        team.catch_up(&mut phone, ALL);
        let acknowledged = self.acknowledged.lock().unwrap();
        let missing = acknowledged.iter().filter(|row| !phone.rows.contains_key(&row.id())).count();
        assert_eq!(missing, 0, "of {}", acknowledged.len());
    }
}

/// Two relays, three phones; `trouble` happens meanwhile. Returns how often a phone had to try again.
fn under_load(
    server: &Postgres,
    database: &str,
    trouble: impl FnOnce(&Load, &mut Vec<Served>, &Mutex<Vec<std::net::SocketAddr>>),
) -> usize {
    let url = server.database(database);
    let mut relays = vec![Served::start(&url), Served::start(&url)];
    let team = make_team(&url, relays[0].address, &[]);
    let addresses = Mutex::new(relays.iter().map(|relay| relay.address).collect());
    let load = Load::default();
    std::thread::scope(|scope| {
        for author in 0..3 {
            let (load, team, addresses) = (&load, &team, &addresses);
            scope.spawn(move || load.push(author, team, addresses));
        }
        load.wait_for(30);
        trouble(&load, &mut relays, &addresses);
        load.wait_for(30);
        load.enough.store(true, Ordering::SeqCst);
    });
    for relay in &relays {
        load.check(&Team { address: relay.address, clock: now(), ..team.clone() });
    }
    for relay in relays {
        relay.signal("TERM");
        assert_eq!(relay.wait(), Some(0));
    }
    load.moved_on.load(Ordering::SeqCst)
}

#[test]
fn relays_are_killed_under_load_and_nothing_acknowledged_is_lost() {
    let Some(server) = Postgres::shared() else { return };
    let failures = under_load(server, "killed", |load, relays, addresses| {
        for round in 0..10 {
            relays[round % 2].signal("KILL");
            load.wait_for(10);
            let url = server.url("killed");
            relays[round % 2] = Served::start(&url);
            addresses.lock().unwrap()[round % 2] = relays[round % 2].address;
            load.wait_for(10);
        }
    });
    assert!(failures > 0, "nothing went wrong, so nothing was tested");
}

#[test]
fn the_database_restarts_under_load_and_nothing_acknowledged_is_lost() {
    // one of its own: it goes away under the relays. It keeps what it acknowledged, so it has to write it
    let Some(server) = Postgres::start("") else { return };
    let failures = under_load(&server, "restarted", |load, _, _| {
        for mode in ["immediate", "fast", "immediate"] {
            server.restart(mode);
            load.wait_for(20);
        }
    });
    assert!(failures > 0, "nothing went wrong, so nothing was tested");
}

#[test]
fn a_relay_that_stops_in_the_middle_of_a_push_holds_nobody_up_for_long() {
    let Some(server) = Postgres::shared() else { return };
    under_load(server, "stopped", |load, relays, addresses| {
        // it neither ends nor answers: its connections stay open, with whatever they were doing
        relays[0].signal("STOP");
        let alive = addresses.lock().unwrap()[1];
        addresses.lock().unwrap()[0] = alive;
        load.wait_for(20);
        relays[0].signal("CONT");
        load.wait_for(20);
    });
}

#[test]
fn a_folder_moves_to_postgresql_and_both_come_back_from_a_backup() {
    let Some(server) = Postgres::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let served = Served::start(&data);
    let team = make_team(&data, served.address, &["--quota-bytes", "4000000"]);
    let rows: Vec<Row> = (0..700).map(|n| sized_row(Lane::Records, n, if n % 50 == 0 { 65_536 } else { 512 })).collect();
    for part in rows.chunks(100) {
        team.push(part.to_vec(), None);
    }
    let content = vec![4; 3_000];
    team.announce_answer(&content, None).frame::<Pushed>();
    let url = server.database("moved");
    // not while a server runs
    let moving = ["move", "--from-data", data.to_str().unwrap(), "--to-postgres", &url];
    let run_plainly = |arguments: &[&str]| std::process::Command::new(PROGRAM).args(arguments).output().unwrap();
    assert_eq!(run_plainly(&moving).status.code(), Some(4));
    // a backup does not mind
    let kept = folder.path().join("backup");
    let said = text(&run(&["backup", "--to", kept.to_str().unwrap()], &data));
    assert!(said.starts_with("1 mailboxes, 70"), "{said}");
    served.signal("TERM");
    served.wait();
    text(&run_plainly(&moving));
    assert_eq!(run(&["mailbox", "list"], &data).status.code(), Some(1), "no server starts there by mistake");
    assert_eq!(run_plainly(&moving).status.code(), Some(1));

    let check = |served: &Served| {
        let team = Team { address: served.address, clock: now(), ..team.clone() };
        let mut phone = Phone::default();
        team.catch_up(&mut phone, ALL);
        assert!(rows.iter().all(|row| phone.rows.contains_key(&row.id())));
        let id = satchel_wire::AnnouncementId::of(&content);
        assert_eq!(team.announce_answer(&[5; 700], None).problem(), ProblemCode::NotNewest);
        team.announce_answer(&[5; 700], Some(id)).frame::<Pushed>();
        team.push(vec![sized_row(Lane::Records, 90_000, 512)], None);
    };
    check(&Served::start(&url));
    let disclosed = text(&run(&["disclose", &team.mailbox.to_string()], &url));
    assert!(disclosed.contains("write-ahead log") && disclosed.contains("an order for the future"));
    // and back: a backup of the database, restored into a folder and into another database
    let again = folder.path().join("again");
    text(&run(&["backup", "--to", again.to_str().unwrap()], &url));
    assert_eq!(run(&["restore", "--from", again.to_str().unwrap()], &url).status.code(), Some(1), "only into an empty one");
    for place in [folder.path().join("restored").to_str().unwrap().to_owned(), server.database("restored")] {
        text(&run(&["restore", "--from", kept.to_str().unwrap()], &place));
        check(&Served::start(&place));
    }
}

#[test]
fn operators_change_quota_and_hand_mailboxes_over_on_both_engines() {
    let Some(server) = Postgres::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    for place in [folder.path().join("data").to_str().unwrap().to_owned(), server.database("operated")] {
        let served = Served::start(&place);
        let team = make_team(&place, served.address, &["--quota-bytes", "1024"]);
        let id = team.mailbox.to_string();
        assert_eq!(team.push_answer((0..3).map(|n| row(Lane::Records, n)).collect(), None).problem(), ProblemCode::QuotaExceeded);
        text(&run(&["mailbox", "quota", &id, "--quota-bytes", "9000"], &place));
        team.push((0..3).map(|n| row(Lane::Records, n)).collect(), None);
        let printed = text(&run(&["mailbox", "hand-over", &id], &place));
        assert_eq!(team.pull_answer(None, ALL, None).problem(), ProblemCode::Refused, "the old keys are forgotten");
        let (mailbox, secret) = printed_secret(&printed);
        let heirs = Team { secret, control: key(77), pull_key: key(78), push_key: key(79), ..team.clone() };
        assert_eq!(mailbox, team.mailbox);
        heirs.claim().frame::<Done>();
        assert_eq!(heirs.pull(None, ALL, None).rows.len(), 3);
        assert_eq!(run(&["mailbox", "quota", "box_aaaaaaaaaaaaaaaaaaaaaaaaaa", "--quota-bytes", "1"], &place).status.code(), Some(3));
        assert_eq!(run(&["mailbox", "hand-over", "box_aaaaaaaaaaaaaaaaaaaaaaaaaa"], &place).status.code(), Some(3));

        let doctor = run(&["doctor", "--json"], &place);
        let findings: Vec<serde_json::Value> =
            String::from_utf8(doctor.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let is_wrong = |finding: &&serde_json::Value| finding["severity"] == "wrong";
        if place.starts_with("host=") {
            // the test's server does not write to the disk, and doctor has to say so
            assert_eq!(doctor.status.code(), Some(6));
            let wrong: Vec<_> = findings.iter().filter(is_wrong).collect();
            assert_eq!(wrong.len(), 1, "{wrong:?}");
            assert!(wrong[0]["text"].as_str().unwrap().starts_with("fsync is off"));
        } else {
            assert_eq!((doctor.status.code(), findings.iter().filter(is_wrong).count()), (Some(0), 0), "{findings:?}");
        }
        served.signal("TERM");
        assert_eq!(served.wait(), Some(0));
    }
}

#[test]
fn a_full_disk_under_the_database_refuses_writes_and_goes_on_reading() {
    let Some(server) = Postgres::start_on_small_disk(64) else { return };
    let url = server.database("full_disk");
    let served = Served::start(&url);
    let team = make_team(&url, served.address, &[]);
    let mut kept = Vec::new();
    let refused = (0..2_000u64).find_map(|n| {
        let rows: Vec<Row> = (0..8).map(|part| sized_row(Lane::Records, n * 10 + part, 65_536)).collect();
        let answer = team.push_answer(rows.clone(), None);
        if answer.status == 200 {
            kept.extend(rows);
            return None;
        }
        Some(answer)
    });
    assert_eq!(refused.unwrap().problem(), ProblemCode::StorageFull);
    assert!(kept.len() > 8);
    assert_eq!(send(served.address, "GET", "/readyz", b"").status, 200);
    let mut phone = Phone::default();
    team.catch_up(&mut phone, ALL);
    assert_eq!(phone.ids(), ids(&kept), "all that was acknowledged, and nothing of what was refused");
    // it stays refused, and waiting for news goes on
    let again: Vec<Row> = (0..8).map(|part| sized_row(Lane::Records, 90_000_000 + part, 65_536)).collect();
    assert_eq!(team.push_answer(again.clone(), None).problem(), ProblemCode::StorageFull);
    // somebody makes room: nobody has to start anything again
    server.grow_disk(256);
    assert_eq!(team.push_answer(again.clone(), None).status, 200);
    kept.extend(again);
    team.catch_up(&mut phone, ALL);
    assert_eq!(phone.ids(), ids(&kept));
    served.signal("TERM");
    assert_eq!(served.wait(), Some(0));
}
