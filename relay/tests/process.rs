//! The program itself: its commands and exit codes, kill -9, stop signals, a full disk.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod support;

use satchel_wire::frame::*;
use satchel_wire::{Lane, Row};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use support::process::*;
use support::*;

const ALL: u32 = u32::MAX;

#[test]
fn commands_work_beside_the_server_and_say_how_they_ended() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert_eq!(run(&["mailbox", "list"], &data).status.code(), Some(1), "a mistyped folder is not made");
    assert!(!data.exists());
    let served = Served::start(&data);
    let team = make_team(&data, served.address, &["--quota-bytes", "5000"]);
    team.push((0..3).map(|n| row(Lane::Records, n)).collect(), None);

    let listed = text(&run(&["mailbox", "list"], &data));
    let fields: Vec<&str> = listed.split_whitespace().collect();
    assert_eq!(fields, [&team.mailbox.to_string(), "claimed", "1536", "5000"]);
    let id = team.mailbox.to_string();
    let disclosed: serde_json::Value = serde_json::from_str(&text(&run(&["disclose", &id, "--json"], &data))).unwrap();
    assert_eq!((disclosed["used_bytes"].as_u64(), disclosed["rows"][0]["rows"].as_u64()), (Some(1536), Some(3)));
    assert!(text(&run(&["disclose", &id], &data)).contains("records         512          3          1536"));

    let second = Command::new(PROGRAM).args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data).output().unwrap();
    assert_eq!(second.status.code(), Some(4));
    assert_eq!(run(&["mailbox", "fly"], &data).status.code(), Some(2));
    assert_eq!(run(&["mailbox", "close", "box_aaaaaaaaaaaaaaaaaaaaaaaaaa"], &data).status.code(), Some(3));
    assert_eq!(run(&["disclose", "box_aaaaaaaaaaaaaaaaaaaaaaaaaa"], &data).status.code(), Some(3));
    text(&run(&["mailbox", "close", &id], &data));
    assert_eq!(team.pull_answer(None, ALL, None).problem(), ProblemCode::Refused);
    assert_eq!(text(&run(&["mailbox", "list"], &data)), "");

    served.signal("TERM");
    assert_eq!(served.wait(), Some(0));
    rusqlite::Connection::open(data.join("relay.db")).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert_eq!(run(&["mailbox", "list"], &data).status.code(), Some(5));
}

#[test]
fn the_port_file_holds_the_port() {
    let folder = tempfile::tempdir().unwrap();
    let port_file = folder.path().join("port");
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path().join("data"));
    command.arg("--port-file").arg(&port_file);
    let served = Served::from(command);
    assert_eq!(std::fs::read_to_string(port_file).unwrap(), served.address.port().to_string());
}

/// Pushes from two threads until the server is gone, stopping it with `signal` on the way; returns what was acknowledged.
fn push_until_stopped(served: &Served, team: &Team, signal: &str) -> Vec<Row> {
    let acknowledged = AtomicUsize::new(0);
    let gone = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let pushers: Vec<_> = (0..2u64)
            .map(|author| {
                let (acknowledged, gone) = (&acknowledged, &gone);
                scope.spawn(move || {
                    let mut kept = Vec::new();
                    for n in 0..100_000u64 {
                        let rows: Vec<Row> = (0..3).map(|part| row(Lane::Records, author * 10_000_000 + n * 10 + part)).collect();
                        let push = Push { mailbox: team.mailbox, rows: rows.clone(), cursor: None, freshness: team.freshness() };
                        let body = sign(Endpoint::Push, &team.push_key, push.to_bytes());
                        match try_send(served.address, "POST", "/v1/push", &body) {
                            Ok(answer) if answer.status == 200 => {
                                kept.extend(rows);
                                acknowledged.fetch_add(1, Ordering::SeqCst);
                            }
                            Ok(answer) => assert_eq!(answer.problem(), ProblemCode::RateLimited),
                            Err(_) => {
                                gone.store(true, Ordering::SeqCst);
                                break;
                            }
                        }
                    }
                    kept
                })
            })
            .collect();
        while acknowledged.load(Ordering::SeqCst) < 60 {
            assert!(!gone.load(Ordering::SeqCst), "it stopped before it was told to");
            std::thread::yield_now();
        }
        served.signal(signal);
        pushers.into_iter().flat_map(|pusher| pusher.join().unwrap()).collect()
    })
}

#[test]
fn what_was_acknowledged_survives_any_end() {
    for signal in ["KILL", "TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let served = Served::start(folder.path());
        let team = make_team(folder.path(), served.address, &[]);
        let acknowledged = push_until_stopped(&served, &team, signal);
        assert_eq!(served.wait(), if signal == "TERM" { Some(0) } else { None });
        assert!(acknowledged.len() >= 180);

        let served = Served::start(folder.path());
        let team = Team { address: served.address, clock: now(), ..team };
        let mut phone = Phone::default();
        team.catch_up(&mut phone, ALL);
        let missing = acknowledged.iter().filter(|row| !phone.rows.contains_key(&row.id())).count();
        assert_eq!(missing, 0, "of {}", acknowledged.len());
    }
}

#[test]
fn a_full_disk_refuses_writes_and_goes_on_reading() {
    let folder = tempfile::tempdir().unwrap();
    // a limit on file size stands in for the disk's end: writes fail with EFBIG, and reading goes on
    let script = format!("trap '' XFSZ; ulimit -f 600; exec {PROGRAM} serve --listen 127.0.0.1:0 --data \"$0\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(folder.path()).stderr(Stdio::piped());
    let mut served = Served::from(command);
    let team = make_team(folder.path(), served.address, &[]);
    let mut kept = Vec::new();
    let refused = (0..100u64).find_map(|n| {
        let rows: Vec<Row> = (0..8).map(|part| sized_row(Lane::Records, n * 10 + part, 4096)).collect();
        let answer = team.push_answer(rows.clone(), None);
        if answer.status == 200 {
            kept.extend(rows);
            return None;
        }
        Some(answer)
    });
    assert_eq!(refused.unwrap().problem(), ProblemCode::StorageFull);
    assert!(!kept.is_empty());
    assert_eq!(team.push_answer(vec![sized_row(Lane::Records, 5_000, 65_536)], None).problem(), ProblemCode::StorageFull);
    assert_eq!(send(served.address, "GET", "/readyz", b"").status, 200);
    let mut phone = Phone::default();
    team.catch_up(&mut phone, ALL);
    assert_eq!(phone.ids(), ids(&kept), "all that was acknowledged, and nothing of what was refused");
    // room again
    let mut stderr = BufReader::new(served.child.stderr.take().unwrap());
    drop(served);
    let logged: Vec<serde_json::Value> = std::iter::from_fn(|| {
        let mut line = String::new();
        (stderr.read_line(&mut line).unwrap() > 0).then(|| serde_json::from_str(&line).unwrap())
    })
    .collect();
    let complaints: Vec<_> = logged.iter().filter(|line| line["level"] == "error").collect();
    assert_eq!(complaints.len(), 1, "one state is told once: {logged:?}");
    assert_eq!(complaints[0]["text"], "the disk is full or refuses writes");
    let served = Served::start(folder.path());
    let team = Team { address: served.address, clock: now(), ..team };
    team.push(vec![sized_row(Lane::Records, 5_000, 65_536)], None);
    team.catch_up(&mut phone, ALL);
    assert_eq!(phone.rows.len(), kept.len() + 1);
}
