//! Staying in touch with the relay: push what waits, pull what is new, wait for news, and say how it stands.
//!
//! One thread, one connection. `/v1/wait` is a request that the relay answers when there is news; a save on this phone cuts it
//! short, and a stop ends whatever blocks at once. What to do next is decided in `plan`, which knows neither clock nor network.

mod plan;

pub use plan::{Action, GATHER_MILLIS, Plan, WAIT_MAX_SECONDS, pause_millis};

use crate::error::TransportError;
use crate::relay::{Breaker, Client, Epoch, Route};
use satchel_core::Error;
use satchel_core::Remedy;
use satchel_core::env::Env;
use satchel_core::store::{Network, RelayAnswer, RelayError, RelayReport, Store, Unlocked, read_waited};
use satchel_wire::frame::ProblemCode;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// A wait that ends quietly within this time waited for nothing (seconds).
const EARLY_SECONDS: u64 = 5;

/// Why an exchange broke off, or why staying in touch ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// The bytes did not arrive.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The relay refused or broke the protocol, or the store failed.
    #[error(transparent)]
    Relay(#[from] RelayError),
}

impl From<Error> for LiveError {
    fn from(error: Error) -> Self {
        Self::Relay(error.into())
    }
}

impl LiveError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Transport(error) => error.code(),
            Self::Relay(error) => error.code(),
        }
    }
    /// What the caller can do.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Transport(error) => error.remedy(),
            Self::Relay(error) => error.remedy(),
        }
    }
    /// Whether trying again later is no use: the store is locked or fails, or no relay is set.
    const fn is_final(&self) -> bool {
        matches!(self, Self::Relay(RelayError::Store(_) | RelayError::NoRelay))
    }
}

/// What a phone that stays in touch is doing. Holds no address and no text that anybody wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// An exchange is running.
    Exchanging,
    /// Everything is exchanged; news will be heard.
    Listening,
    /// Saves wait for further saves, to leave together.
    Gathering,
    /// Up to date, and not asking for a while: the relay announced news that were none.
    Resting {
        /// Until then (Unix seconds).
        until: u64,
    },
    /// The relay was not reached, or refused.
    Unreachable {
        /// Since when (Unix seconds).
        since: u64,
        /// When the next try is (Unix seconds).
        retry_at: u64,
        /// Why: a stable code.
        code: &'static str,
        /// What can be done.
        remedy: Remedy,
    },
    /// Nothing may be sent now.
    Held,
    /// Nothing is sent over this network, since it may cost: the store is set so. A wish ([`Handle::hurry`]) exchanges once.
    Spared,
    /// It was stopped.
    Stopped,
}

/// How things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// What it is doing.
    pub phase: Phase,
    /// Changes that the relay has not got (count).
    pub unsent: usize,
    /// The last whole exchange, if there was one since unlocking (Unix seconds).
    pub relay_at: Option<u64>,
    /// The last meeting with a colleague's phone, if there was one since unlocking (Unix seconds).
    pub colleague_at: Option<u64>,
}

/// How far an exchange is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows pulled so far; how many will come is not known before they came.
    pub pulled: usize,
    /// Rows pushed so far.
    pub pushed: usize,
    /// About how many rows there are to push: changes that waited when it began.
    pub to_push: usize,
}

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It stands otherwise than before.
    State(State),
    /// An exchange has come further.
    Progress(Progress),
}

#[derive(Default)]
struct Told {
    stop: bool,
    changed: bool,
    hurry: bool,
    held: bool,
    /// The network may cost, and the store is set to wait for another.
    spared: bool,
    /// The host said something about the network, or the setting was changed.
    network: bool,
    /// A request to wait is on its way or may be.
    is_waiting: bool,
    /// The thread that stays in touch: what it writes into the store is no news to it.
    own: Option<ThreadId>,
}

struct Shared {
    told: Mutex<Told>,
    bell: Condvar,
    breaker: Breaker,
    store: Store,
}

/// Tells a [`Live`] something, from any thread.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle")
    }
}

impl Handle {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.shared.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, cut: bool, change: impl FnOnce(&mut Told)) {
        let mut told = self.told();
        change(&mut told);
        if cut || told.is_waiting {
            self.shared.breaker.cut();
        }
        drop(told);
        self.shared.bell.notify_all();
    }

    /// Ends it, whatever it is doing; what was accepted is kept.
    pub fn stop(&self) {
        self.tell(false, |told| told.stop = true);
        self.shared.breaker.close();
    }

    /// Something was saved here. (A running [`Live`] hears of saved records by itself.)
    pub fn changed(&self) {
        if self.told().own != Some(std::thread::current().id()) {
            self.tell(false, |told| told.changed = true);
        }
    }

    /// Says what network the device is on, as [`Store::note_network`] does; also to be called when the setting was changed.
    pub fn network(&self, network: Network) {
        self.shared.store.note_network(network);
        self.tell(false, |told| told.network = true);
    }

    /// Exchange now, whatever was planned and whatever the network costs: for a button.
    pub fn hurry(&self) {
        self.tell(false, |told| told.hurry = true);
    }

    /// Send nothing from now on (true), or go on: no network, or one that the person does not want to pay for.
    pub fn hold(&self, is_held: bool) {
        self.tell(is_held, |told| told.held = is_held);
    }
}

/// A phone that stays in touch with its relay.
pub struct Live {
    unlocked: Unlocked,
    client: Client,
    env: Env,
    handle: Handle,
    plan: Plan,
    /// Seconds from this device's clock to the relay's.
    offset: i64,
    /// Since when it fails, and why.
    failing: Option<(u64, LiveError)>,
    /// The exchange at hand was asked for by hand.
    is_by_hand: bool,
    told: Option<State>,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Live")
    }
}

impl Live {
    /// Prepares to stay in touch with the team's relay, under the key that the team pinned unless `route` names another.
    ///
    /// Errors: [`RelayError::NoRelay`]; the address's, as in [`Client::on_route`].
    pub fn new(unlocked: &Unlocked, mut route: Route, env: Env) -> Result<Self, LiveError> {
        let relay = unlocked.relay()?.ok_or(RelayError::NoRelay)?;
        route.pin = route.pin.or(Route::pinned(relay.pin).pin);
        let client = Client::on_route(&relay.url, route)?;
        let shared = Shared { told: Mutex::default(), bell: Condvar::new(), breaker: client.breaker().clone(), store: unlocked.store() };
        let handle = Handle { shared: Arc::new(shared) };
        let unlocked = unlocked.clone();
        Ok(Self { unlocked, client, env, handle, plan: Plan::default(), offset: 0, failing: None, is_by_hand: false, told: None })
    }

    /// What ends it, or tells it something.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Stays in touch until it is stopped. `on` is called from this thread.
    ///
    /// Errors: when going on is no use: the store is locked or fails, or no relay is set any more.
    pub fn run(mut self, mut on: impl FnMut(&Event)) -> Result<(), LiveError> {
        self.handle.told().own = Some(std::thread::current().id());
        let hears = self.handle();
        let subscription = self.unlocked.observe(move |_| hears.changed())?;
        while let Some(epoch) = self.listen() {
            match self.plan.action() {
                Action::Exchange => self.exchange(epoch, &mut on)?,
                Action::Wait { seconds } => self.wait(epoch, seconds, &mut on)?,
                Action::Pause { millis } => {
                    self.say_paused(millis, &mut on)?;
                    if self.sleep(Some(Duration::from_millis(millis))) {
                        self.plan.paused();
                    }
                }
                Action::Hold => {
                    let phase = if self.handle.told().held { Phase::Held } else { Phase::Spared };
                    self.say(phase, &mut on)?;
                    self.note_bytes()?;
                    self.sleep(None);
                }
            }
        }
        drop(subscription);
        // a store that was locked meanwhile has told so already
        let _ = self.note_bytes();
        self.say(Phase::Stopped, &mut on)
    }

    /// Takes in what was told, and the moment; none when it was to stop.
    fn listen(&mut self) -> Option<Epoch> {
        // a store that was locked meanwhile says so at the next step
        let is_spared = self.unlocked.is_spared().unwrap_or(false);
        let mut told = self.handle.shared.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.stop {
            return None;
        }
        if std::mem::take(&mut told.changed) {
            self.plan.changed();
        }
        told.network = false;
        self.is_by_hand = std::mem::take(&mut told.hurry);
        if self.is_by_hand {
            self.plan.hurry();
        }
        told.spared = is_spared && !self.is_by_hand;
        self.plan.hold(told.held || told.spared);
        told.is_waiting = matches!(self.plan.action(), Action::Wait { .. });
        Some(self.client.breaker().epoch())
    }

    /// Sleeps until told something; true when the time is over first.
    fn sleep(&self, longest: Option<Duration>) -> bool {
        let told = self.handle.told();
        // a relay that is away is not asked earlier, nor later, for a save
        let hears_changes = longest.is_some() && !self.plan.is_failing();
        let is_quiet = |told: &mut Told| {
            let is_held = told.held || told.spared;
            !(told.stop || (told.changed && hears_changes) || told.hurry || told.network || is_held != longest.is_none())
        };
        match longest {
            Some(longest) => {
                let waited = self.handle.shared.bell.wait_timeout_while(told, longest, is_quiet);
                waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
            }
            None => {
                drop(self.handle.shared.bell.wait_while(told, is_quiet).unwrap_or_else(PoisonError::into_inner));
                false
            }
        }
    }

    fn exchange(&mut self, epoch: Epoch, on: &mut impl FnMut(&Event)) -> Result<(), LiveError> {
        if self.failing.is_none() {
            self.say(Phase::Exchanging, on)?;
        }
        let mut retry_after = None;
        let random = u64::from_le_bytes(self.env.random());
        let carried = self.carry(epoch, &mut retry_after, on);
        self.note_bytes()?;
        match carried {
            Ok(report) => {
                self.failing = None;
                let unsent = self.unlocked.outlook()?.unsent;
                self.plan.exchanged(report.pulled + report.pushed > 0, unsent, random);
            }
            // the network became one that costs: the next look at it holds
            Err(LiveError::Transport(TransportError::Cancelled) | LiveError::Relay(RelayError::Metered)) => {}
            Err(error) if error.is_final() => return Err(error),
            Err(error) => {
                let since = self.failing.as_ref().map_or_else(|| self.env.now().seconds(), |(since, _)| *since);
                self.failing = Some((since, error));
                self.plan.failed(retry_after, random);
            }
        }
        Ok(())
    }

    fn carry(&mut self, epoch: Epoch, retry_after: &mut Option<u64>, on: &mut impl FnMut(&Event)) -> Result<RelayReport, LiveError> {
        let to_push = self.unlocked.outlook()?.unsent;
        let link = if self.is_by_hand { self.unlocked.relay_exchange_by_hand() } else { self.unlocked.relay_exchange() };
        let mut link = link?.with_clock_offset(self.offset);
        let mut before = (0, 0);
        while let Some((endpoint, frame)) = link.next_request()? {
            let answer = match self.client.post_since(epoch, endpoint, &frame)? {
                Ok(body) => RelayAnswer::Ok(body),
                Err(problem) => {
                    *retry_after = problem.retry_after;
                    RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time }
                }
            };
            link.receive(&answer)?;
            self.offset = link.clock_offset();
            let report = link.report();
            if before != (report.pulled, report.pushed) {
                before = (report.pulled, report.pushed);
                on(&Event::Progress(Progress { pulled: report.pulled, pushed: report.pushed, to_push: to_push.max(report.pushed) }));
            }
        }
        Ok(link.report().clone())
    }

    // how long an answer took is this thread's own observation; nothing of it is kept or sent
    #[allow(clippy::disallowed_methods)]
    fn wait(&mut self, epoch: Epoch, seconds: u16, on: &mut impl FnMut(&Event)) -> Result<(), LiveError> {
        self.say(Phase::Listening, on)?;
        let (endpoint, frame) = match self.unlocked.relay_wait(seconds, self.offset) {
            Err(RelayError::Metered) => return Ok(()),
            request => request?,
        };
        let began = Instant::now();
        let answered = self.client.post_since(epoch, endpoint, &frame);
        let is_early = began.elapsed() < Duration::from_secs(EARLY_SECONDS);
        let random = u64::from_le_bytes(self.env.random());
        self.handle.told().is_waiting = false;
        match answered {
            Ok(Ok(body)) => match read_waited(&body) {
                Ok(has_news) => {
                    let unsent = self.unlocked.outlook()?.unsent;
                    self.plan.waited(has_news, is_early, unsent, random);
                }
                Err(_) => self.plan.wait_failed(random),
            },
            // the relay may have other keys by now: an exchange finds out
            Ok(Err(problem)) if problem.code == ProblemCode::RateLimited => self.plan.failed(problem.retry_after, random),
            Err(TransportError::Cancelled) => {}
            Ok(Err(_)) | Err(_) => self.plan.wait_failed(random),
        }
        Ok(())
    }

    /// Bytes of waits are noted with the next exchange: a phone that only waits writes nothing.
    fn note_bytes(&self) -> Result<(), LiveError> {
        let traffic = self.client.take_traffic();
        Ok(self.unlocked.note_relay_bytes(traffic.sent, traffic.received)?)
    }

    fn say_paused(&mut self, millis: u64, on: &mut impl FnMut(&Event)) -> Result<(), LiveError> {
        let until = self.env.now().seconds().saturating_add(millis.div_ceil(1_000));
        let phase = match &self.failing {
            _ if self.plan.is_gathering() => Phase::Gathering,
            Some((since, error)) => Phase::Unreachable { since: *since, retry_at: until, code: error.code(), remedy: error.remedy() },
            None => Phase::Resting { until },
        };
        self.say(phase, on)
    }

    fn say(&mut self, phase: Phase, on: &mut impl FnMut(&Event)) -> Result<(), LiveError> {
        let outlook = match self.unlocked.outlook() {
            Err(_) if phase == Phase::Stopped => None,
            outlook => Some(outlook?),
        };
        let state = State {
            phase,
            unsent: outlook.map_or(0, |outlook| outlook.unsent),
            relay_at: outlook.and_then(|outlook| outlook.relay_at),
            colleague_at: outlook.and_then(|outlook| outlook.colleague_at),
        };
        if self.told != Some(state) {
            self.told = Some(state);
            on(&Event::State(state));
        }
        Ok(())
    }
}
