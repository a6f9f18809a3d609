//! Phones that wait for news: woken by it, not held by anything else, and let go when the relay stops.
#![allow(clippy::unwrap_used)]

mod support;

use satchel_relay::Config;
use satchel_wire::Lane;
use satchel_wire::frame::*;
use std::io::Write;
use support::*;

both_engines! {
    news_wakes_those_who_wait_and_no_others,
    a_relay_that_stops_lets_waiting_phones_go,
    who_may_not_read_may_not_wait,
    a_thousand_waiting_phones_take_no_turn_from_others,
}

const ALL: u32 = u32::MAX;

/// Waits on a connection of its own; the answer is read later.
fn begin_waiting(team: &Team, cursor: Option<Cursor>, seconds: u16) -> std::net::TcpStream {
    let mut stream = connect(team.address);
    let body = sign(Endpoint::Wait, &team.pull_key, team.wait_frame(cursor, seconds).to_bytes());
    stream.write_all(&request_bytes("POST", "/v1/wait", &body)).unwrap();
    stream
}

fn news_wakes_those_who_wait_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let (team, other) = (relay.team(1), relay.team(2));
    team.push(vec![row(Lane::Records, 1)], None);
    let mut phone = Phone::default();
    team.catch_up(&mut phone, ALL);
    assert!(team.wait(None, 30), "everything is news to a phone without a cursor");
    assert!(!team.wait(phone.cursor, 1), "the time is over");
    let mut waiting: Vec<_> = (0..5).map(|_| begin_waiting(&team, phone.cursor, 40)).collect();
    let mut elsewhere = begin_waiting(&other, None, 2);
    team.push(vec![row(Lane::Records, 2)], None);
    for stream in &mut waiting {
        assert!(read_answer(stream).unwrap().frame::<Waited>().changed);
    }
    assert!(!read_answer(&mut elsewhere).unwrap().frame::<Waited>().changed);
    // a cursor of an earlier day, and of an order that is gone
    relay.next_day();
    assert!(team.wait(phone.cursor, 30));
    team.catch_up(&mut phone, ALL);
    assert!(!team.wait(phone.cursor, 0));
    assert!(team.wait(Some(Cursor { fingerprint: [9; 16], ..phone.cursor.unwrap() }), 30));
    relay.stop();
}

fn a_relay_that_stops_lets_waiting_phones_go() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let mut waiting = begin_waiting(&team, None, 50);
    // the relay has the request when it counts it
    while !relay.relay.counters.to_text().contains("satchel_relay_waiting 1\n") {
        std::thread::yield_now();
    }
    relay.stop();
    assert!(!read_answer(&mut waiting).unwrap().frame::<Waited>().changed);
}

fn who_may_not_read_may_not_wait() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let wait = team.wait_frame(None, 0);
    assert_eq!(team.ask(Endpoint::Wait, &team.push_key, &wait).problem(), ProblemCode::Refused);
    let next = team.turned();
    team.change_keys(&next).frame::<Done>();
    // an earlier key waits for announcements only
    assert_eq!(team.ask(Endpoint::Wait, &team.pull_key, &team.wait_frame(None, 0)).problem(), ProblemCode::Refused);
    let announcements = |seconds| Wait { lane: Some(Lane::Announce), ..team.wait_frame(None, seconds) };
    next.push(vec![row(Lane::Records, 1)], None);
    assert!(!team.ask(Endpoint::Wait, &team.pull_key, &announcements(0)).frame::<Waited>().changed);
    next.announce_answer(&[1; 800], None).frame::<Pushed>();
    assert!(team.ask(Endpoint::Wait, &team.pull_key, &announcements(30)).frame::<Waited>().changed);
    relay.stop();
}

fn a_thousand_waiting_phones_take_no_turn_from_others() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { burst_count: 1_000_000, connections_count: 1_100, ..Config::default() };
    let relay = TestRelay::start_with(folder.path(), NOON, config);
    let (team, other) = (relay.team(1), relay.team(2));
    let mut waiting: Vec<_> = (0..1_000).map(|_| begin_waiting(&team, None, 50)).collect();
    while !relay.relay.counters.to_text().contains("satchel_relay_waiting 1000\n") {
        std::thread::yield_now();
    }
    for n in 0..20 {
        other.push(vec![row(Lane::Records, n)], None);
    }
    // some of them go away without a word: the relay notices and forgets them
    waiting.truncate(600);
    while !relay.relay.counters.to_text().contains("satchel_relay_waiting 600\n") {
        std::thread::yield_now();
    }
    team.push(vec![row(Lane::Records, 1)], None);
    for stream in &mut waiting {
        assert!(read_answer(stream).unwrap().frame::<Waited>().changed);
    }
    relay.stop();
}
