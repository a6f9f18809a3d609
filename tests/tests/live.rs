//! A phone that stays in touch with a real relay: over sockets, TLS and proxies, through failures, until it is stopped.
#![allow(clippy::unwrap_used)]

use satchel_core::consent::HowGiven;
use satchel_core::record::ParticipantDraft;
use satchel_core::screen::Alias;
use satchel_core::store::{RelayAddress, RelayAnswer, RelayReport};
use satchel_core::team::Role;
use satchel_tests::served::{MAILBOX, SECRET, Served, Tap, certificate};
use satchel_tests::team::{Phone, SetClock, found, join};
use satchel_transport::TransportError;
use satchel_transport::live::{Event, Handle, Live, LiveError, Phase, Progress, State};
use satchel_transport::relay::{Client, Pin, Route};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

const START: u64 = 1_795_370_000;
/// The key of the certificates `one` and `one.renewed`, as OpenSSL computes it.
const PIN_OF_ONE: &str = "sha256//k/ybGDojXl/KBtR1XqdFIe55dz6ecSFvk7hOrqZurHA=";
/// How long anything may take on a busy machine before a test gives up.
const LONG: Duration = Duration::from_secs(120);
/// How long stopping may take on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(5);

fn pinned() -> Route {
    Route { pin: Some(PIN_OF_ONE.parse().unwrap()), proxy: None }
}

fn set_relay(phone: &Phone, url: String, claim: bool) {
    phone.unlocked.set_relay(&RelayAddress { url, mailbox: MAILBOX, claim: claim.then_some(SECRET), pin: None }).unwrap();
}

fn exchange(phone: &Phone, client: &Client) -> Result<RelayReport, TransportError> {
    let mut link = phone.unlocked.relay_exchange().unwrap();
    while let Some((endpoint, frame)) = link.next_request().unwrap() {
        let answer = match client.post(endpoint, &frame)? {
            Ok(body) => RelayAnswer::Ok(body),
            Err(problem) => RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
        };
        link.receive(&answer).unwrap();
    }
    Ok(link.report().clone())
}

fn save(phone: &Phone, alias: &str) {
    let draft = ParticipantDraft { alias: Some(Alias::parse(alias).unwrap()), ..ParticipantDraft::default() };
    phone.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap();
}

/// A phone that stays in touch, on a thread of its own.
struct Staying {
    handle: Handle,
    events: Receiver<Event>,
    thread: JoinHandle<Result<(), LiveError>>,
}

impl Staying {
    fn start(phone: &Phone, route: Route) -> Self {
        let live = Live::new(&phone.unlocked, route, phone.env.clone()).unwrap();
        let (handle, (say, events)) = (live.handle(), channel());
        let thread = std::thread::spawn(move || {
            live.run(|event| {
                // a test that stopped listening has failed already
                let _ = say.send(*event);
            })
        });
        Self { handle, events, thread }
    }

    fn next<T>(&self, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        let mut seen = Vec::new();
        loop {
            let event = self.events.recv_timeout(LONG).unwrap_or_else(|error| panic!("{error}: {seen:?}"));
            if let Some(found) = wanted(&event) {
                return found;
            }
            seen.push(event);
        }
    }

    fn until(&self, wanted: impl Fn(&Phase) -> bool) -> State {
        self.next(|event| match event {
            Event::State(state) if wanted(&state.phase) => Some(*state),
            _ => None,
        })
    }

    fn progress(&self, wanted: impl Fn(&Progress) -> bool) {
        self.next(|event| matches!(event, Event::Progress(progress) if wanted(progress)).then_some(()));
    }

    /// Ends well before anything that it waits for does: a relay's answer to a wait takes 50 seconds.
    fn stop(self) {
        self.handle.stop();
        loop {
            match self.events.recv_timeout(AT_ONCE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it was stopped and goes on"),
            }
        }
        self.thread.join().unwrap().unwrap();
    }
}

#[test]
fn nothing_changed_is_one_round_trip_and_at_most_400_bytes() {
    for tls in [None, Some("one")] {
        let folder = tempfile::tempdir().unwrap();
        let served = Served::start(&folder.path().join("relay"), &SetClock::at(START), None, tls);
        let tap = Tap::to(served.address);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://localhost:{}", tap.address.port());
        let route = if tls.is_some() { pinned() } else { Route::default() };
        let ana = found(folder.path(), 1, "Ana", START);
        set_relay(&ana, url.clone(), true);
        let client = Client::on_route(&url, route.clone()).unwrap();
        save(&ana, "Bluebird");
        assert!(exchange(&ana, &client).unwrap().pushed > 0);
        exchange(&ana, &client).unwrap();
        let before = tap.passed();
        assert_eq!(before.connections, 1, "one connection for everything");
        let report = exchange(&ana, &client).unwrap();
        let passed = tap.passed().since(&before);
        assert_eq!((report.requests, report.pulled, report.pushed), (1, 0, 0));
        assert_eq!((passed.connections, passed.round_trips), (0, 1));
        assert!(passed.bytes() <= 400, "{passed:?}");
        // the same on a new connection of the same program, and of a new one: how many bytes TLS takes is not promised
        for (what, client) in [("session resumed", client), ("first contact", Client::on_route(&url, route).unwrap())] {
            client.breaker().cut();
            let before = tap.passed();
            exchange(&ana, &client).unwrap();
            let passed = tap.passed().since(&before);
            assert_eq!(passed.connections, 1, "{scheme}, {what}: {passed:?}");
        }
        served.stop();
    }
}

#[test]
fn only_the_pinned_key_may_answer() {
    let folder = tempfile::tempdir().unwrap();
    let clock = SetClock::at(START);
    let serve = |tls: &str, at: Option<SocketAddr>| Served::start(&folder.path().join("relay"), &clock, at, Some(tls));
    let served = serve("one", None);
    let address = served.address;
    let url = format!("https://localhost:{}", address.port());
    let ana = found(folder.path(), 2, "Ana", START);
    set_relay(&ana, url.clone(), true);
    let ask = |route: Route| exchange(&ana, &Client::on_route(&url, route).unwrap()).map(drop);
    assert_eq!(ask(pinned()), Ok(()));
    let wrong = Route { pin: Some(Pin::of(b"another key")), proxy: None };
    assert_eq!(ask(wrong), Err(TransportError::Pin));
    assert_eq!(ask(Route::default()), Err(TransportError::Tls), "nobody vouches for it, and nobody pinned it");
    served.stop();
    // renewed: another certificate for another name, with the same key
    assert_ne!(std::fs::read(certificate("one").0).unwrap(), std::fs::read(certificate("one.renewed").0).unwrap());
    let served = serve("one.renewed", Some(address));
    assert_eq!(ask(pinned()), Ok(()));
    served.stop();
    // somebody else's key, and somebody who speaks no TLS
    let served = serve("two", Some(address));
    assert_eq!(ask(pinned()), Err(TransportError::Pin));
    served.stop();
    let served = Served::start(&folder.path().join("relay"), &clock, Some(address), None);
    assert_eq!(ask(pinned()), Err(TransportError::Tls));
    served.stop();
}

#[test]
fn a_pin_travels_with_the_invitation() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), 3, "Ana", START);
    let pin: Pin = PIN_OF_ONE.parse().unwrap();
    let address = RelayAddress { url: "https://relay.example".into(), mailbox: MAILBOX, claim: None, pin: Some(*pin.as_bytes()) };
    ana.unlocked.set_relay(&address).unwrap();
    let ben = join(folder.path(), 3, "Ben", START, &ana, Role::Worker);
    assert_eq!(ben.unlocked.relay().unwrap().unwrap().pin, Some(*pin.as_bytes()));
    ben.unlocked.pin_relay(None).unwrap();
    assert_eq!(ben.unlocked.relay().unwrap().unwrap().pin, None);
}

#[test]
fn through_socks_every_name_is_looked_up_by_the_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&folder.path().join("relay"), &SetClock::at(START), None, Some("one"));
    let ana = found(folder.path(), 4, "Ana", START);
    // a name that nobody knows: only the proxy can find it
    let url = "https://relay.invalid:8443";
    set_relay(&ana, url.into(), true);
    let through = |tap: &Tap, scheme: &str| {
        let proxy = Some(format!("{scheme}://{}", tap.address).parse().unwrap());
        Client::on_route(url, Route { proxy, ..pinned() }).unwrap()
    };
    let socks = Tap::socks(served.address, None);
    assert!(exchange(&ana, &through(&socks, "socks5h")).unwrap().requests > 1);
    assert_eq!(*socks.names.lock().unwrap(), ["relay.invalid:8443"]);
    assert_eq!(socks.passed().connections, 1, "one connection for the whole exchange");
    let straight = Client::on_route(url, pinned()).unwrap();
    assert!(matches!(exchange(&ana, &straight), Err(TransportError::Unreachable { .. })), "control: the name is unknown here");

    let guarded = Tap::socks(served.address, Some(("satchel", "circuit-1")));
    let login = |password: &str| {
        let proxy = Some(format!("socks5h://satchel:{password}@{}", guarded.address).parse().unwrap());
        exchange(&ana, &Client::on_route(url, Route { proxy, ..pinned() }).unwrap()).map(drop)
    };
    assert_eq!(login("circuit-1"), Ok(()));
    assert_eq!(login("circuit-2"), Err(TransportError::Proxy));
    assert_eq!(exchange(&ana, &through(&guarded, "socks5h")), Err(TransportError::Proxy), "no password");
    let unknown = Route { proxy: Some(format!("socks5h://{}", socks.address).parse().unwrap()), ..pinned() };
    let unknown = Client::on_route("https://unknown.invalid", unknown).unwrap();
    assert!(matches!(exchange(&ana, &unknown), Err(TransportError::Unreachable { .. })));
    let no_proxy = Route { proxy: Some(format!("socks5h://{}", served.address).parse().unwrap()), ..pinned() };
    assert_eq!(exchange(&ana, &Client::on_route(url, no_proxy).unwrap()), Err(TransportError::Proxy), "a relay is no proxy");

    let http = Tap::http(served.address);
    exchange(&ana, &through(&http, "http")).unwrap();
    assert_eq!(*http.names.lock().unwrap(), ["relay.invalid:8443"]);
    let denied = Route { proxy: Some(format!("http://{}", http.address).parse().unwrap()), ..pinned() };
    assert_eq!(exchange(&ana, &Client::on_route("https://denied.invalid", denied).unwrap()), Err(TransportError::Proxy));
    served.stop();
}

#[test]
fn a_phone_that_stays_in_touch_hears_and_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&folder.path().join("relay"), &SetClock::at(START), None, None);
    let url = format!("http://{}", served.address);
    let ana = found(folder.path(), 5, "Ana", START);
    set_relay(&ana, url.clone(), true);
    let client = Client::new(&url).unwrap();
    exchange(&ana, &client).unwrap();
    let ben = join(folder.path(), 5, "Ben", START, &ana, Role::Worker);
    let staying = Staying::start(&ana, Route::default());
    let listening = |phase: &Phase| *phase == Phase::Listening;
    let state = staying.until(listening);
    assert_eq!((state.unsent, state.relay_at, state.colleague_at), (0, Some(START), None));

    // a colleague's save comes by itself
    save(&ben, "Bluebird");
    exchange(&ben, &client).unwrap();
    staying.progress(|progress| progress.pulled > 0);
    staying.until(listening);
    assert_eq!(ana.unlocked.participants().unwrap().len(), 1);

    // saves here leave by themselves, together
    save(&ana, "Robin");
    save(&ana, "Wren");
    assert!(staying.until(|phase| *phase == Phase::Gathering).unsent > 0);
    staying.progress(|progress| progress.pushed > 0 && progress.pushed <= progress.to_push);
    assert_eq!(staying.until(listening).unsent, 0);
    exchange(&ben, &client).unwrap();
    assert_eq!(ben.unlocked.participants().unwrap().len(), 3);

    // nothing leaves while it is held
    staying.handle.hold(true);
    staying.until(|phase| *phase == Phase::Held);
    save(&ben, "Finch");
    exchange(&ben, &client).unwrap();
    assert_eq!(ana.unlocked.participants().unwrap().len(), 3);
    staying.handle.hold(false);
    staying.progress(|progress| progress.pulled > 0);
    staying.until(listening);
    staying.stop();
    served.stop();
}

#[test]
fn a_relay_that_went_away_is_said_so_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let clock = SetClock::at(START);
    let dir = folder.path().join("relay");
    let served = Served::start(&dir, &clock, None, None);
    let address = served.address;
    let ana = found(folder.path(), 6, "Ana", START);
    set_relay(&ana, format!("http://{address}"), true);
    let staying = Staying::start(&ana, Route::default());
    staying.until(|phase| *phase == Phase::Listening);
    ana.clock.advance(3_600);
    served.stop();
    save(&ana, "Bluebird");
    let state = staying.until(|phase| matches!(phase, Phase::Unreachable { .. }));
    let Phase::Unreachable { since, retry_at, code, .. } = state.phase else { panic!("{state:?}") };
    assert_eq!((since, code), (START + 3_600, "transport.unreachable"));
    assert!(retry_at > since && state.relay_at == Some(START), "{state:?}");
    ana.clock.advance(600);
    staying.handle.hurry();
    let state = staying.until(|phase| matches!(phase, Phase::Unreachable { .. }));
    assert!(matches!(state.phase, Phase::Unreachable { since, .. } if since == START + 3_600), "the first failure counts: {state:?}");
    assert!(state.unsent > 0, "{state:?}");
    clock.advance(4_200);
    let served = Served::start(&dir, &clock, Some(address), None);
    staying.handle.hurry();
    let state = staying.until(|phase| *phase == Phase::Listening);
    assert_eq!((state.unsent, state.relay_at), (0, Some(START + 4_200)));
    staying.stop();
    served.stop();
}

#[test]
fn whatever_blocks_ends_at_once_when_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    // takes connections and says nothing: as a relay without an answer, as one that never agrees on TLS, as a proxy
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = silent.local_addr().unwrap();
    let ana = found(folder.path(), 7, "Ana", START);
    let proxy = Route { proxy: Some(format!("socks5h://{at}").parse().unwrap()), ..pinned() };
    for (url, route) in [
        (format!("http://{at}"), Route::default()),
        (format!("https://{at}"), pinned()),
        ("https://relay.invalid".to_owned(), proxy),
        // an address that drops packets (RFC 5737)
        ("https://192.0.2.1".to_owned(), pinned()),
    ] {
        set_relay(&ana, url.clone(), true);
        let staying = Staying::start(&ana, route);
        staying.until(|phase| *phase == Phase::Exchanging);
        staying.stop();
    }
    // and one that was locked meanwhile says why it ended
    set_relay(&ana, format!("http://{at}"), true);
    let staying = Staying::start(&ana, Route::default());
    staying.until(|phase| *phase == Phase::Exchanging);
    ana.unlocked.lock();
    staying.handle.hold(true);
    assert_eq!(staying.thread.join().unwrap().unwrap_err().code(), satchel_core::Error::Locked.code());
}
