//! A phone that stays in touch with its relay: it says how it stands, and ends at once, whatever it is waiting for.

use crate::error::{FfiError, call};
use crate::observer::ObserverError;
use crate::unlocked::Unlocked;
use satchel_core::env::Env;
use satchel_transport::live::{self, Event, Handle, Live, LiveError};
use satchel_transport::relay::{Pin, Proxy, Route};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How the relay is reached. Nothing set: straight, under the key that the team pinned, or else any that an authority signed.
#[derive(Clone, Default, uniffi::Record)]
pub struct RelayRoute {
    /// The one key that the relay may show: `sha256//…` of its SubjectPublicKeyInfo, as the operator says it in person.
    #[uniffi(default = None)]
    pub pin: Option<String>,
    /// `socks5h://[name:password@]host:port` (Tor: `socks5h://127.0.0.1:9050`; names are looked up there, and never here),
    /// or `http://…` for a proxy with CONNECT.
    #[uniffi(default = None)]
    pub proxy: Option<String>,
}

impl RelayRoute {
    /// Errors: [`FfiError::InvalidInput`] for the field that cannot be read.
    pub(crate) fn read(&self) -> Result<Route, FfiError> {
        let wrong = |field: &str| FfiError::field(field.to_owned(), "transport.address");
        let pin = self.pin.as_ref().map(|pin| pin.parse::<Pin>().map_err(|_| wrong("pin"))).transpose()?;
        let proxy = self.proxy.as_ref().map(|proxy| proxy.parse::<Proxy>().map_err(|_| wrong("proxy"))).transpose()?;
        Ok(Route { pin, proxy })
    }
}

/// What a phone that stays in touch is doing. Moments are Unix seconds, and known only since the store was unlocked.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum LivePhase {
    /// An exchange is running.
    Exchanging,
    /// Everything is exchanged; news will be heard at once.
    Listening,
    /// What was saved waits three seconds for more, to leave together.
    Gathering,
    /// Up to date, and not asking for a while: the relay announced news that were none.
    Resting {
        /// Until then.
        until: u64,
    },
    /// The relay was not reached, or refused; it is tried again by itself.
    Unreachable {
        /// Since when.
        since: u64,
        /// When the next try is.
        retry_at: u64,
        /// Why: a stable code.
        code: String,
        /// What can be done: as in [`FfiError`].
        remedy: String,
    },
    /// Nothing may be sent now: `hold`.
    Held,
    /// Nothing is sent over this network, since it may cost: the store is set so. `hurry` exchanges once.
    Spared,
    /// It was stopped.
    Stopped,
}

/// How far an exchange is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct LiveProgress {
    /// Rows pulled so far; how many will come is not known before they came.
    pub pulled: u32,
    /// Rows pushed so far.
    pub pushed: u32,
    /// About how many rows there are to push.
    pub to_push: u32,
}

/// How things stand: each one says everything, so that an app may show the newest and forget the rest.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LiveState {
    /// What it is doing.
    pub phase: LivePhase,
    /// Changes that the relay has not got: "3 changes waiting" (count).
    pub unsent: u32,
    /// The last whole exchange, if there was one since unlocking (Unix seconds).
    pub relay_at: Option<u64>,
    /// When a colleague's phone was last met, if one was since unlocking (Unix seconds).
    pub colleague_at: Option<u64>,
    /// How far the exchange is that is running.
    pub progress: Option<LiveProgress>,
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl From<live::State> for LiveState {
    fn from(state: live::State) -> Self {
        let phase = match state.phase {
            live::Phase::Exchanging => LivePhase::Exchanging,
            live::Phase::Listening => LivePhase::Listening,
            live::Phase::Gathering => LivePhase::Gathering,
            live::Phase::Resting { until } => LivePhase::Resting { until },
            live::Phase::Unreachable { since, retry_at, code, remedy } => {
                LivePhase::Unreachable { since, retry_at, code: code.to_owned(), remedy: remedy.code().to_owned() }
            }
            live::Phase::Held => LivePhase::Held,
            live::Phase::Spared => LivePhase::Spared,
            live::Phase::Stopped => LivePhase::Stopped,
        };
        Self { phase, unsent: count(state.unsent), relay_at: state.relay_at, colleague_at: state.colleague_at, progress: None }
    }
}

impl From<LiveError> for FfiError {
    fn from(error: LiveError) -> Self {
        match error {
            LiveError::Transport(error) => error.into(),
            LiveError::Relay(error) => error.into(),
        }
    }
}

/// Is told how a phone in touch stands, on the thread that called `run` and with no lock of this library held: it may
/// call the store, and stop what calls it.
#[uniffi::export(with_foreign)]
pub trait LiveObserver: Send + Sync {
    /// It stands so. Whatever it throws is ignored.
    fn stands(&self, state: LiveState) -> Result<(), ObserverError>;
}

/// Stays in touch with the relay, once. Any of its calls may come from any thread.
#[derive(uniffi::Object)]
pub struct LiveSync {
    unlocked: satchel_core::store::Unlocked,
    handle: Handle,
    live: Mutex<Option<Live>>,
}

/// Lives in an observer of the store, which locking drops: a phone in touch ends with the lock, also in the middle of a wait.
struct EndsWithTheLock {
    handle: Handle,
    was_dropped: Arc<AtomicBool>,
}

impl Drop for EndsWithTheLock {
    fn drop(&mut self) {
        self.was_dropped.store(true, Ordering::SeqCst);
        self.handle.stop();
    }
}

#[uniffi::export]
impl Unlocked {
    /// Prepares to stay in touch with the team's relay. What it does by itself is no use of the store: `lock_after` counts on.
    ///
    /// Errors: [`FfiError::InvalidInput`]: `relay_not_set`, or `pin` and `proxy` that cannot be read; [`FfiError::Locked`].
    #[uniffi::method(default(route = None))]
    pub fn live_sync(&self, route: Option<RelayRoute>) -> Result<Arc<LiveSync>, FfiError> {
        call(|| {
            let unlocked = self.core().unattended();
            let live = Live::new(&unlocked, route.unwrap_or_default().read()?, Env::system())?;
            Ok(Arc::new(LiveSync { unlocked, handle: live.handle(), live: Mutex::new(Some(live)) }))
        })
    }
}

#[uniffi::export]
impl LiveSync {
    /// Stays in touch until `stop`, or until the store is locked. Uses the network and blocks: give it a thread of its own.
    ///
    /// Errors: [`FfiError::Locked`] as soon as the store is; [`FfiError::Storage`]; [`FfiError::InvalidInput`] with
    /// `live_over` when it ran before. A relay that is away is no error: it is told, and tried again.
    pub fn run(&self, observer: Arc<dyn LiveObserver>) -> Result<(), FfiError> {
        call(|| {
            let live = self.live.lock().unwrap_or_else(PoisonError::into_inner).take();
            let live = live.ok_or_else(|| FfiError::invalid("live_over"))?;
            let is_locked = Arc::new(AtomicBool::new(false));
            let ends = EndsWithTheLock { handle: self.handle.clone(), was_dropped: is_locked.clone() };
            let subscription = self.unlocked.observe(move |_| {
                // held, and nothing else
                let _ = &ends;
            })?;
            let mut newest: Option<LiveState> = None;
            let ran = live.run(|event| {
                let state = match event {
                    Event::State(state) => LiveState::from(*state),
                    Event::Progress(progress) => {
                        let Some(state) = newest.clone() else { return };
                        let (pulled, pushed, to_push) = (count(progress.pulled), count(progress.pushed), count(progress.to_push));
                        LiveState { progress: Some(LiveProgress { pulled, pushed, to_push }), ..state }
                    }
                };
                newest = Some(state.clone());
                // what an observer throws is its own affair
                let _ = observer.stands(state);
            });
            // asked before the subscription ends, which drops the same thing
            let was_locked = is_locked.load(Ordering::SeqCst);
            drop(subscription);
            if was_locked {
                return Err(satchel_core::Error::Locked.into());
            }
            Ok(ran?)
        })
    }

    /// Ends it at once, whatever it waits for; what was accepted is kept. One that was stopped does not run any more.
    pub fn stop(&self) {
        self.handle.stop();
    }

    /// Exchanges now, whatever was planned: for a button.
    pub fn hurry(&self) {
        self.handle.hurry();
    }

    /// Sends nothing from now on (true), or goes on: no network, or one that the person does not want to pay for.
    pub fn hold(&self, is_held: bool) {
        self.handle.hold(is_held);
    }
}

impl Drop for LiveSync {
    fn drop(&mut self) {
        self.handle.stop();
    }
}
