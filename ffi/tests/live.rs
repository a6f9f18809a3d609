//! A phone that stays in touch with a real relay, through the door that apps use: what it tells, and what ends it.

#![allow(clippy::unwrap_used)]

mod common;

use common::{PASSPHRASE, failure, found, join, person, refusal};
use satchel_core::env::Env;
use satchel_core::team::Role;
use satchel_ffi::{FfiError, LiveObserver, LivePhase, LiveState, LiveSync, ObserverError, RelayRoute, Unlocked};
use satchel_tests::served::{MAILBOX, SECRET, Served, Tap};
use satchel_tests::team::SetClock;
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long anything may take on a busy machine before a test gives up.
const LONG: Duration = Duration::from_secs(120);
/// How long ending may take on a busy machine: a relay answers a wait after 50 seconds.
const AT_ONCE: Duration = Duration::from_secs(10);

/// The key of the tests' certificate `one`, as OpenSSL computes it.
const PIN_OF_ONE: &str = "sha256//k/ybGDojXl/KBtR1XqdFIe55dz6ecSFvk7hOrqZurHA=";
const PIN_OF_NOBODY: &str = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

type Reaction = Box<dyn Fn(&LiveState) + Send>;

struct Ear {
    say: Mutex<Sender<LiveState>>,
    react: Mutex<Option<Reaction>>,
}

impl LiveObserver for Ear {
    fn stands(&self, state: LiveState) -> Result<(), ObserverError> {
        if let Some(react) = self.react.lock().unwrap().as_ref() {
            react(&state);
        }
        // a test that stopped listening has failed already
        let _ = self.say.lock().unwrap().send(state);
        // an observer may throw, and nothing comes of it
        Err(ObserverError::Failed)
    }
}

struct InTouch {
    live: Arc<LiveSync>,
    states: Receiver<LiveState>,
    thread: JoinHandle<Result<(), FfiError>>,
}

impl InTouch {
    fn start(phone: &Unlocked, route: Option<RelayRoute>, react: Option<Reaction>) -> Self {
        let live = phone.live_sync(route).unwrap();
        let (say, states) = channel();
        let ear = Arc::new(Ear { say: Mutex::new(say), react: Mutex::new(react) });
        let thread = std::thread::spawn({
            let live = live.clone();
            move || live.run(ear)
        });
        Self { live, states, thread }
    }

    fn until(&self, wanted: impl Fn(&LiveState) -> bool) -> LiveState {
        let mut seen = Vec::new();
        loop {
            let state = self.states.recv_timeout(LONG).unwrap_or_else(|error| panic!("{error}: {seen:?}"));
            if wanted(&state) {
                return state;
            }
            seen.push(state);
        }
    }

    /// What `run` answered, well before anything that it waits for.
    fn ended(self) -> Result<(), FfiError> {
        loop {
            match self.states.recv_timeout(AT_ONCE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return self.thread.join().unwrap(),
                Err(RecvTimeoutError::Timeout) => panic!("it was ended and goes on"),
            }
        }
    }
}

fn serve(folder: &Path) -> Served {
    let now = Env::system().now().seconds();
    Served::start(&folder.join("relay"), &SetClock::at(now), None, None)
}

/// A phone of a team that has this relay.
fn ana(folder: &Path, url: String) -> Arc<Unlocked> {
    let ana = found(folder, "Ana");
    ana.set_relay(url, MAILBOX, Some(SECRET.to_vec()), None).unwrap();
    ana
}

fn is_listening(state: &LiveState) -> bool {
    state.phase == LivePhase::Listening && state.unsent == 0
}

#[test]
fn what_is_saved_leaves_what_arrives_is_heard_and_both_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path());
    let ana = ana(folder.path(), format!("http://{}", served.address));
    let staying = InTouch::start(&ana, None, None);
    assert!(staying.until(is_listening).relay_at.is_some());
    for alias in ["Blue", "Teal"] {
        ana.create_participant(person(alias, None)).unwrap();
    }
    let waiting = staying.until(|state| state.phase == LivePhase::Gathering);
    assert!(waiting.unsent > 0, "changes wait, and it says how many");
    let moving = staying.until(|state| state.progress.is_some_and(|progress| progress.pushed > 0));
    assert!(moving.phase == LivePhase::Exchanging && moving.progress.unwrap().to_push >= moving.progress.unwrap().pushed);
    assert_eq!(staying.until(is_listening).progress, None);

    let ben = join(folder.path(), &ana, "Ben", Role::Worker);
    ben.sync_with_relay(None, false).unwrap();
    staying.until(is_listening);
    ben.sync_with_relay(None, false).unwrap();
    assert_eq!(ben.participants().unwrap().len(), 2);
    let gray = ben.create_participant(person("Gray", None)).unwrap();
    ben.sync_with_relay(None, false).unwrap();
    while ana.participant(gray).is_err() {
        staying.until(is_listening);
    }
    staying.live.stop();
    let again = staying.live.clone();
    assert_eq!(staying.ended(), Ok(()));
    assert_eq!(failure(again.run(Arc::new(Ear { say: Mutex::new(channel().0), react: Mutex::new(None) }))).1, "live_over");
    served.stop();
}

#[test]
fn locking_ends_it_in_the_middle_of_a_wait() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path());
    let ana = ana(folder.path(), format!("http://{}", served.address));
    let staying = InTouch::start(&ana, None, None);
    staying.until(is_listening);
    ana.lock().unwrap();
    assert_eq!(failure(staying.ended()), refusal("Locked", "locked", "unlock"));
    assert_eq!(failure(ana.live_sync(None)).0, "Locked");
    // and one that was prepared before the lock does not begin after it
    let ana = ana.store().unlock(PASSPHRASE.to_vec(), None).unwrap();
    let prepared = ana.live_sync(None).unwrap();
    ana.lock().unwrap();
    assert_eq!(failure(prepared.run(Arc::new(Ear { say: Mutex::new(channel().0), react: Mutex::new(None) }))).0, "Locked");
    served.stop();
}

#[test]
fn an_observer_may_call_the_store_and_end_what_calls_it() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path());
    let ana = ana(folder.path(), format!("http://{}", served.address));
    let (phone, slot) = (ana.clone(), Arc::new(Mutex::new(None::<Arc<LiveSync>>)));
    let found = slot.clone();
    let react: Reaction = Box::new(move |state| {
        // reads and writes, from within, on this thread and while another one does
        phone.waiting().unwrap();
        let other = std::thread::spawn({
            let phone = phone.clone();
            move || phone.participants().unwrap().len()
        });
        let written = other.join().unwrap();
        if written == 0 {
            phone.create_participant(person("Blue", None)).unwrap();
        }
        if is_listening(state)
            && let Some(live) = found.lock().unwrap().as_ref()
        {
            live.stop();
        }
    });
    let staying = InTouch::start(&ana, None, Some(react));
    *slot.lock().unwrap() = Some(staying.live.clone());
    // one more reason to be told, should it have been listening before the slot was filled
    staying.live.hurry();
    assert_eq!(staying.ended(), Ok(()));
    assert_eq!(ana.participants().unwrap().len(), 1);
    served.stop();
}

#[test]
fn a_relay_that_is_away_is_told_with_since_and_why_and_held_is_held() {
    let folder = tempfile::tempdir().unwrap();
    // a port that was free a moment ago: nobody answers
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ana = ana(folder.path(), format!("http://127.0.0.1:{port}"));
    ana.create_participant(person("Blue", None)).unwrap();
    let staying = InTouch::start(&ana, None, None);
    let away = staying.until(|state| matches!(state.phase, LivePhase::Unreachable { .. }));
    let LivePhase::Unreachable { since, retry_at, code, remedy } = away.phase else { panic!() };
    assert!(since > 1_700_000_000 && retry_at >= since, "{since} {retry_at}");
    assert_eq!((code.as_str(), remedy.as_str()), ("transport.unreachable", "try_later"));
    assert!(away.unsent > 0 && away.relay_at.is_none());
    staying.live.hold(true);
    staying.until(|state| state.phase == LivePhase::Held);
    staying.live.hold(false);
    staying.until(|state| matches!(state.phase, LivePhase::Unreachable { .. }));
    staying.live.stop();
    assert_eq!(staying.ended(), Ok(()));

    // one that takes the call and says nothing does not keep anybody either
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    ana.set_relay(format!("http://{}", silent.local_addr().unwrap()), MAILBOX, Some(SECRET.to_vec()), None).unwrap();
    let staying = InTouch::start(&ana, None, None);
    let _taken = silent.accept().unwrap();
    staying.live.stop();
    assert_eq!(staying.ended(), Ok(()));
    // nor a single exchange
    let exchange = ana.relay_exchange(None, false).unwrap();
    let carrying = std::thread::spawn({
        let exchange = exchange.clone();
        move || exchange.carry_next()
    });
    let _taken = silent.accept().unwrap();
    exchange.cancel();
    assert_eq!(failure(carrying.join().unwrap()).1, "transport.cancelled");
    assert_eq!(failure(exchange.carry_next()).1, "transport.cancelled");
}

#[test]
fn a_proxy_carries_it_and_a_key_that_is_not_the_pinned_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let now = Env::system().now().seconds();
    let served = Served::start(&folder.path().join("relay"), &SetClock::at(now), None, Some("one"));
    let socks = Tap::socks(served.address, None);
    let ana = ana(folder.path(), "https://relay.invalid:8443".into());
    let proxy = Some(format!("socks5h://{}", socks.address));
    let other = RelayRoute { pin: Some(PIN_OF_NOBODY.into()), proxy: proxy.clone() };
    let staying = InTouch::start(&ana, Some(other.clone()), None);
    let refused = staying.until(|state| matches!(state.phase, LivePhase::Unreachable { .. }));
    let LivePhase::Unreachable { code, remedy, .. } = refused.phase else { panic!() };
    assert_eq!((code.as_str(), remedy.as_str()), ("transport.pin", "ask_steward"));
    staying.live.stop();
    assert_eq!(staying.ended(), Ok(()));
    assert_eq!(failure(ana.sync_with_relay(Some(other), false)).1, "transport.pin");

    let right = RelayRoute { pin: Some(PIN_OF_ONE.into()), proxy };
    let staying = InTouch::start(&ana, Some(right.clone()), None);
    staying.until(is_listening);
    assert!(socks.names.lock().unwrap().iter().all(|name| name == "relay.invalid:8443"), "the proxy looked the name up");
    staying.live.stop();
    assert_eq!(staying.ended(), Ok(()));
    assert!(ana.sync_with_relay(Some(right), false).unwrap().requests > 0);
    served.stop();
}

#[test]
fn a_route_that_cannot_be_read_names_its_field() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), "Ana");
    let route = |pin: Option<&str>, proxy: Option<&str>| Some(RelayRoute { pin: pin.map(str::to_owned), proxy: proxy.map(str::to_owned) });
    assert_eq!(failure(ana.live_sync(None)).1, "relay_not_set");
    ana.set_relay("https://relay.example".into(), MAILBOX, None, None).unwrap();
    let wrong = [
        (route(Some("sha256//AAAA"), None), "pin"),
        (route(Some(""), None), "pin"),
        (route(None, Some("socks5://127.0.0.1:9050")), "proxy"),
        (route(None, Some("127.0.0.1:9050")), "proxy"),
        (route(None, Some("")), "proxy"),
    ];
    for (route, named) in wrong {
        let refused = ana.live_sync(route).err().unwrap();
        assert!(matches!(&refused, FfiError::InvalidInput { field: Some(field), .. } if field == named), "{refused:?}");
    }
    assert!(ana.live_sync(route(Some(PIN_OF_NOBODY), Some("socks5h://127.0.0.1:9050"))).is_ok(), "control");
}
