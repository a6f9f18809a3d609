//! Input from hell: never a panic, never a 500, bounded before it is read.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestRunner};
use satchel_wire::Lane;
use satchel_wire::frame::*;
use satchel_wire::limits::HTTP_BODY_MAX_BYTES;
use std::io::{Read, Write};
use support::*;

const ENDPOINTS: [Endpoint; 10] = Endpoint::ALL;

/// Well-formed frames of every endpoint, correctly signed.
fn frames(team: &Team) -> Vec<(Endpoint, Vec<u8>)> {
    // the same keys one generation later: however often it is taken, the other frames stay valid
    let next = Team { generation: 1, ..team.clone() };
    let fetch = Fetch {
        mailbox: team.mailbox,
        day: satchel_wire::UtcDay::from_days(3),
        ids: vec![row(Lane::Records, 1).id()],
        freshness: team.freshness(),
    };
    let push = Push { mailbox: team.mailbox, rows: vec![row(Lane::Records, 1)], cursor: None, freshness: team.freshness() };
    let rows = satchel_wire::announcement::split(&[7; 100]).unwrap();
    let announce = Announce { mailbox: team.mailbox, rows, on_top_of: None, cursor: None, freshness: team.freshness() };
    let names = vec![row(Lane::Records, 1).id().name()];
    let deletion = Deletion { mailbox: team.mailbox, rows: names.clone(), freshness: team.freshness() };
    let pending = Pending { mailbox: team.mailbox, since: None, freshness: team.freshness() };
    let wait = Wait { mailbox: team.mailbox, cursor: None, lane: None, seconds: 0, freshness: team.freshness() };
    let veto = Veto { mailbox: team.mailbox, rows: names, freshness: team.freshness() };
    vec![
        (Endpoint::Claim, team.claim_frame().to_bytes()),
        (Endpoint::Keys, team.key_change(&next).to_bytes()),
        (Endpoint::Pull, team.pull_frame(None, 1, None).to_bytes()),
        (Endpoint::Rows, fetch.to_bytes()),
        (Endpoint::Push, push.to_bytes()),
        (Endpoint::Announce, announce.to_bytes()),
        (Endpoint::Delete, deletion.to_bytes()),
        (Endpoint::Pending, pending.to_bytes()),
        (Endpoint::Veto, veto.to_bytes()),
        (Endpoint::Wait, wait.to_bytes()),
    ]
}

#[test]
fn no_bytes_make_the_relay_fail() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let mut runner = TestRunner::new(Cases { cases: 2_000, failure_persistence: None, ..Cases::default() });
    let fine = |answer: Result<Vec<u8>, satchel_relay::Problem>| match answer {
        Ok(_) => true,
        Err(problem) => problem.code != ProblemCode::Internal && !problem.to_json().is_empty(),
    };
    runner
        .run(&(0..ENDPOINTS.len(), proptest::collection::vec(any::<u8>(), 0..2_000)), |(endpoint, bytes)| {
            prop_assert!(fine(relay.relay.answer(ENDPOINTS[endpoint], &bytes)));
            Ok(())
        })
        .unwrap();
    // frames with some bytes changed, signed afterwards, so that they pass the gate as often as they can
    let key = |endpoint| match endpoint {
        Endpoint::Claim | Endpoint::Keys => &team.control,
        Endpoint::Pull | Endpoint::Rows => &team.pull_key,
        Endpoint::Push | Endpoint::Announce | Endpoint::Veto => &team.push_key,
        Endpoint::Delete => &team.control,
        Endpoint::Pending | Endpoint::Wait => &team.pull_key,
    };
    let changes = proptest::collection::vec((any::<u16>(), any::<u8>()), 0..3);
    runner
        .run(&(0..ENDPOINTS.len(), proptest::option::of(0..ENDPOINTS.len()), changes), |(which, elsewhere, changes)| {
            let (endpoint, mut body) = frames(&team).swap_remove(which);
            for (place, value) in changes {
                let place = usize::from(place) % body.len();
                body[place] = value;
            }
            let endpoint = elsewhere.map_or(endpoint, |other| ENDPOINTS[other]);
            prop_assert!(fine(relay.relay.answer(endpoint, &sign(endpoint, key(endpoint), body))));
            Ok(())
        })
        .unwrap();
    // control: unchanged frames are still taken, so the changed ones did reach what lies behind the gate
    for (endpoint, body) in frames(&team) {
        let answer = relay.relay.answer(endpoint, &sign(endpoint, key(endpoint), body));
        // one batch a day: one of the changed ones may have been it
        assert!(answer.is_ok() || matches!(endpoint, Endpoint::Claim | Endpoint::Delete), "{endpoint:?} {answer:?}");
    }
    relay.stop();
}

#[test]
fn cursors_of_any_day_and_fingerprint_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    team.push((0..5).map(|n| row(Lane::Records, n)).collect(), None);
    let mut runner = TestRunner::new(Cases { cases: 300, failure_persistence: None, ..Cases::default() });
    runner
        .run(&(any::<u16>(), any::<[u8; 16]>(), any::<u32>(), 0u8..4), |(day, fingerprint, max_bytes, lane)| {
            let cursor = Some(Cursor { day: satchel_wire::UtcDay::from_days(day), fingerprint });
            let pull = team.pull_frame(cursor, max_bytes, Lane::from_byte(lane));
            let push = Push { mailbox: team.mailbox, rows: vec![], cursor, freshness: team.freshness() };
            prop_assert!(relay.relay.answer(Endpoint::Pull, &sign(Endpoint::Pull, &team.pull_key, pull.to_bytes())).is_ok());
            prop_assert!(relay.relay.answer(Endpoint::Push, &sign(Endpoint::Push, &team.push_key, push.to_bytes())).is_ok());
            Ok(())
        })
        .unwrap();
    relay.stop();
}

#[test]
fn a_hundred_megabytes_are_refused_by_their_announcement() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let mut stream = connect(relay.address);
    stream.write_all(b"POST /v1/push HTTP/1.1\r\nhost: relay\r\ncontent-length: 100000000\r\n\r\n").unwrap();
    let answer = read_answer(&mut stream).unwrap();
    assert_eq!(answer.problem(), ProblemCode::TooLarge);
    assert!(answer.head.contains("connection: close\r\n"));
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0, "closed");
    relay.stop();
}

#[test]
fn an_unannounced_body_is_counted_while_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let chunked = |bytes: usize| {
        let mut stream = connect(relay.address);
        stream.write_all(b"POST /v1/push HTTP/1.1\r\nhost: relay\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
        let mut left = bytes;
        while left > 0 {
            let part = left.min(1 << 16);
            stream.write_all(format!("{part:x}\r\n").as_bytes()).unwrap();
            stream.write_all(&vec![0; part]).unwrap();
            stream.write_all(b"\r\n").unwrap();
            left -= part;
        }
        stream.write_all(b"0\r\n\r\n").unwrap();
        read_answer(&mut stream).unwrap().problem()
    };
    assert_eq!(chunked(HTTP_BODY_MAX_BYTES + 1), ProblemCode::TooLarge);
    assert_eq!(chunked(HTTP_BODY_MAX_BYTES), ProblemCode::Malformed);
    relay.stop();
}

#[test]
fn an_answer_repeats_nothing_of_the_request() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let marker = b"marker-that-nobody-else-writes";
    for path in ["/v1/pull", "/v1/push", "/marker-that-nobody-else-writes"] {
        let answer = send(relay.address, "POST", path, marker);
        let everything = [answer.head.as_bytes(), &answer.body].concat();
        assert!(answer.status >= 400);
        assert!(!everything.windows(marker.len()).any(|window| window == marker));
    }
    relay.stop();
}

#[test]
fn heads_and_connections_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let config = satchel_relay::Config { connections_count: 2, ..satchel_relay::Config::default() };
    let relay = TestRelay::start_with(folder.path(), NOON, config);
    let mut stream = connect(relay.address);
    let long = "x".repeat(64 * 1024);
    let _ = stream.write_all(format!("GET /healthz HTTP/1.1\r\nhost: relay\r\nlong: {long}\r\n\r\n").as_bytes());
    let refused = read_answer(&mut stream).map_or(0, |answer| answer.status);
    assert!(refused == 431 || refused == 0, "{refused}");
    drop(stream);
    // two connections that say nothing hold both places; a third is served once one of them goes
    let (first, second) = (connect(relay.address), connect(relay.address));
    let mut third = connect(relay.address);
    third.write_all(&request_bytes("GET", "/healthz", b"")).unwrap();
    third.set_read_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
    assert!(third.read(&mut [0; 1]).is_err(), "it waits");
    drop((first, second));
    third.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    assert_eq!(read_answer(&mut third).unwrap().status, 200);
    drop(third);
    relay.stop();
}

#[test]
fn slow_heads_and_bodies_are_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let config = satchel_relay::Config { head_timeout_seconds: 1, body_silence_seconds: 1, ..satchel_relay::Config::default() };
    let relay = TestRelay::start_with(folder.path(), NOON, config);
    let mut head = connect(relay.address);
    head.write_all(b"POST /v1/push HTTP/1.1\r\nhost: re").unwrap();
    let mut silent = connect(relay.address);
    let mut body = connect(relay.address);
    body.write_all(b"POST /v1/push HTTP/1.1\r\nhost: relay\r\ncontent-length: 100\r\n\r\nabc").unwrap();
    // each of them ends although the client does nothing more
    for stream in [&mut head, &mut silent, &mut body] {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(!rest.starts_with(b"HTTP/1.1 200"));
    }
    // control: a client that goes on is served on one connection
    let mut stream = connect(relay.address);
    for _ in 0..3 {
        stream.write_all(&request_bytes("GET", "/healthz", b"")).unwrap();
        assert_eq!(read_answer(&mut stream).unwrap().status, 200);
    }
    relay.stop();
}

#[test]
fn a_pull_without_news_stays_within_four_hundred_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let cursor = team.push((0..100).map(|n| row(Lane::Records, n)).collect(), None).cursor;
    let mut stream = connect(relay.address);
    let body = sign(Endpoint::Pull, &team.pull_key, team.pull_frame(cursor, 2_000_000, Some(Lane::Records)).to_bytes());
    let request =
        [format!("POST /v1/pull HTTP/1.1\r\nhost: relay.example.org\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes(), body]
            .concat();
    stream.write_all(&request).unwrap();
    let answer = read_answer(&mut stream).unwrap();
    assert_eq!((answer.status, answer.body.len()), (204, 0), "nothing new");
    let total = request.len() + answer.head.len() + answer.body.len();
    assert!(total <= 400, "{} out, {} + {} in", request.len(), answer.head.len(), answer.body.len());
    let _ =
        writeln!(std::io::stderr(), "nothing new: {} out, {} + {} in, {total} in all", request.len(), answer.head.len(), answer.body.len());
    relay.stop();
}
