//! Networks that cost money: the relay is spared unless somebody asks by hand, and what went there is shown.
#![allow(clippy::unwrap_used)]

use satchel_core::consent::HowGiven;
use satchel_core::record::ParticipantDraft;
use satchel_core::screen::Alias;
use satchel_core::store::{Network, NetworkChoice, RelayAddress, RelayAnswer, RelayError, RelayLink};
use satchel_core::team::Role;
use satchel_tests::served::{MAILBOX, SECRET, Served, Tap};
use satchel_tests::team::{Hub, Phone, SetClock, found, join, meet};
use satchel_transport::live::{Event, Live, Phase};
use satchel_transport::relay::{Client, Route, Traffic};
use satchel_wire::limits::RELAY_TRAFFIC_DAYS_MAX_COUNT;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const START: u64 = 1_795_370_000;
const DAY_SECONDS: i64 = 86_400;
const PIN_OF_ONE: &str = "sha256//k/ybGDojXl/KBtR1XqdFIe55dz6ecSFvk7hOrqZurHA=";

fn save(phone: &Phone, alias: &str) {
    let draft = ParticipantDraft { alias: Some(Alias::parse(alias).unwrap()), ..ParticipantDraft::default() };
    phone.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap();
}

fn carry(mut link: RelayLink, client: &Client) -> usize {
    while let Some((endpoint, frame)) = link.next_request().unwrap() {
        let answer = match client.post(endpoint, &frame).unwrap() {
            Ok(body) => RelayAnswer::Ok(body),
            Err(problem) => RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
        };
        link.receive(&answer).unwrap();
    }
    link.report().pushed
}

#[test]
fn a_network_that_costs_is_used_only_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, address) = Hub::new(folder.path(), START);
    let mut ana = found(folder.path(), 1, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    assert_eq!(ana.unlocked.network_choice().unwrap(), NetworkChoice::Any);
    // control: nothing is spared unless somebody chose so
    ana.unlocked.store().note_network(Network::Metered);
    assert!(hub.exchange(&ana).unwrap().requests > 0);

    ana.unlocked.choose_networks(NetworkChoice::UnmeteredOnly).unwrap();
    ana.restart();
    for network in [Network::Metered, Network::Unknown] {
        ana.unlocked.store().note_network(network);
        assert_eq!(ana.unlocked.relay_exchange().unwrap_err(), RelayError::Metered);
        assert_eq!(ana.unlocked.relay_wait(10, 0).unwrap_err(), RelayError::Metered);
    }
    let refusal = RelayError::Metered;
    assert_eq!((refusal.code(), refusal.remedy().code()), ("network_metered", "try_later"));
    assert!(ana.unlocked.relay_exchange_by_hand().unwrap().next_request().unwrap().is_some());
    ana.unlocked.store().note_network(Network::Unmetered);
    assert!(hub.exchange(&ana).unwrap().requests > 0);

    // somebody walks out of reach of the Wi-Fi between two requests
    save(&ana, "Bluebird");
    let mut link = ana.unlocked.relay_exchange().unwrap();
    let (endpoint, frame) = link.next_request().unwrap().unwrap();
    link.receive(&RelayAnswer::Ok(hub.relay.answer(endpoint, &frame).unwrap())).unwrap();
    ana.unlocked.store().note_network(Network::Metered);
    assert_eq!(link.next_request().unwrap_err(), RelayError::Metered);
    assert!(ana.unlocked.outlook().unwrap().unsent > 0, "it waits, and is not lost");

    // neither the choice nor the bytes are a colleague's business
    let ben = join(folder.path(), 1, "Ben", START, &ana, Role::Worker);
    ana.unlocked.note_relay_bytes(1, 2).unwrap();
    meet(&ana, &ben);
    assert_eq!((ben.unlocked.network_choice().unwrap(), ben.unlocked.relay_traffic().unwrap().len()), (NetworkChoice::Any, 0));
}

#[test]
fn bytes_are_those_that_passed_tls_and_http_included() {
    let folder = tempfile::tempdir().unwrap();
    for tls in [None, Some("one")] {
        let served = Served::start(&folder.path().join(format!("relay {tls:?}")), &SetClock::at(START), None, tls);
        let tap = Tap::to(served.address);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://localhost:{}", tap.address.port());
        let pin = tls.map(|_| PIN_OF_ONE.parse().unwrap());
        let ana = found(folder.path(), 2, &format!("Ana {scheme}"), START);
        ana.unlocked.set_relay(&RelayAddress { url: url.clone(), mailbox: MAILBOX, claim: Some(SECRET), pin: None }).unwrap();
        let client = Client::on_route(&url, Route { pin, proxy: None }).unwrap();
        save(&ana, "Bluebird");
        assert!(carry(ana.unlocked.relay_exchange().unwrap(), &client) > 0);
        let (told, passed) = (client.take_traffic(), tap.passed());
        assert_eq!((told.sent as usize, told.received as usize), (passed.sent, passed.received), "{scheme}");
        assert_eq!(client.take_traffic(), Traffic::default(), "what was told is not told again");
        served.stop();
    }
}

#[test]
fn a_month_of_days_is_kept_and_a_wrong_clock_does_not_stick() {
    let folder = tempfile::tempdir().unwrap();
    let mut ana = found(folder.path(), 3, "Ana", START);
    for n in 0..40 {
        ana.unlocked.note_relay_bytes(n, 1).unwrap();
        ana.unlocked.note_relay_bytes(n, 0).unwrap();
        ana.clock.advance(DAY_SECONDS);
    }
    ana.restart();
    let days = ana.unlocked.relay_traffic().unwrap();
    assert_eq!(days.len(), RELAY_TRAFFIC_DAYS_MAX_COUNT);
    assert_eq!((days[0].sent, days[0].received), (2 * 39, 1));
    assert!(days.windows(2).all(|pair| pair[0].day > pair[1].day), "newest first, each day once");
    ana.unlocked.note_relay_bytes(u64::MAX, u64::MAX).unwrap();
    ana.unlocked.note_relay_bytes(u64::MAX, 1).unwrap();
    assert_eq!(ana.unlocked.relay_traffic().unwrap()[0].sent, u64::MAX);
}

/// Waits for a phase. Progress is passed over.
fn until(events: &Receiver<Event>, wanted: impl Fn(&Phase) -> bool) {
    loop {
        match events.recv_timeout(Duration::from_secs(120)).unwrap() {
            Event::State(state) if wanted(&state.phase) => return,
            _ => {}
        }
    }
}

#[test]
fn a_phone_that_stays_in_touch_waits_for_a_network_that_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&folder.path().join("relay"), &SetClock::at(START), None, None);
    let tap = Tap::to(served.address);
    let ana = found(folder.path(), 4, "Ana", START);
    let url = format!("http://{}", tap.address);
    ana.unlocked.set_relay(&RelayAddress { url, mailbox: MAILBOX, claim: Some(SECRET), pin: None }).unwrap();
    ana.unlocked.choose_networks(NetworkChoice::UnmeteredOnly).unwrap();
    let live = Live::new(&ana.unlocked, Route::default(), ana.env.clone()).unwrap();
    let (handle, (say, events)) = (live.handle(), channel());
    let running = std::thread::spawn(move || live.run(|event| say.send(*event).unwrap_or_default()));
    until(&events, |phase| *phase == Phase::Spared);
    save(&ana, "Bluebird");
    assert_eq!(tap.passed().connections, 0, "nobody was reached");
    // by hand: once, and then it is spared again
    handle.hurry();
    until(&events, |phase| *phase == Phase::Exchanging);
    until(&events, |phase| *phase == Phase::Spared);
    assert_eq!(ana.unlocked.outlook().unwrap().unsent, 0);
    handle.network(Network::Unmetered);
    until(&events, |phase| *phase == Phase::Listening);
    // and a network that begins to cost ends the waiting request
    handle.network(Network::Metered);
    until(&events, |phase| *phase == Phase::Spared);
    handle.stop();
    running.join().unwrap().unwrap();
    let (noted, passed) = (ana.unlocked.relay_traffic().unwrap()[0], tap.passed());
    assert_eq!((noted.sent as usize, noted.received as usize), (passed.sent, passed.received), "also of the waits");
    served.stop();
}
