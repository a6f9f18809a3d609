//! Meeting every colleague's phone on the local network, without anybody typing an address.
//!
//! ```text
//! beacon ── appearances ──► recognised? ──► acquaintances ── whom to call, when ──► sessions
//! listener ───────────────────────────────── calls ────────────────────────────────► sessions
//! ```
//!
//! Several sessions run at once, each on a thread of its own; one loop decides and waits for events, never for time alone
//! when nothing is due. Where multicast is blocked (some guest networks), dial an address by hand: [`crate::peer`].

pub mod acquaintances;
pub mod beacon;

use crate::error::TransportError;
use crate::peer::{self, Patience, PeerError};
use acquaintances::{Acquaintances, SESSIONS_MAX_COUNT};
use beacon::{Beacon, Sight};
use satchel_core::Error;
use satchel_core::store::{PeerLink, Unlocked};
use satchel_core::sync::{Appearance, SessionError, SessionReport};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// An appearance is replaced after this long.
pub const RENEW: Duration = Duration::from_secs(30 * 60);
/// So many unknown instances are looked at in the term of one appearance (count): a flood of them costs no more.
pub const LOOKED_AT_MAX_COUNT: usize = 1_024;

/// What happened.
#[derive(Debug)]
pub enum Nearby {
    /// Calls are taken here; others on the network can see it.
    Listening(SocketAddr),
    /// A session with a colleague's phone reached its end.
    Met(Box<SessionReport>),
    /// One did not; what was accepted before is kept, and it is tried again.
    Broken(PeerError<SessionError<Error>>),
}

/// Ends [`meet`] from another thread.
#[derive(Clone)]
pub struct Stop {
    events: Sender<Event>,
    is_set: Arc<AtomicBool>,
}

impl std::fmt::Debug for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stop")
    }
}

impl Stop {
    /// No further session begins; those that run end first.
    pub fn stop(&self) {
        self.is_set.store(true, Ordering::Relaxed);
        let _ = self.events.send(Event::Stop);
    }
}

/// Looks for colleagues' phones. Made by [`Lookout::new`], run by [`Lookout::meet`].
#[derive(Debug)]
pub struct Lookout {
    listener: TcpListener,
    events: Sender<Event>,
    happened: Receiver<Event>,
    is_set: Arc<AtomicBool>,
    patience: Patience,
}

#[derive(Debug)]
enum Event {
    Sight(Sight),
    Called(TcpStream),
    Ended { called: Option<String>, from: Option<IpAddr>, done: Result<Box<SessionReport>, PeerError<SessionError<Error>>> },
    Stop,
}

#[allow(clippy::disallowed_methods, reason = "calls to phones that come and go are due at real times; no verdict hangs on them")]
fn now() -> Instant {
    Instant::now()
}

impl Lookout {
    /// Takes calls at `listen` (`0.0.0.0:0`: any free port on all interfaces). Errors: [`TransportError::Listen`].
    pub fn new(listen: &str, patience: Patience) -> Result<Self, TransportError> {
        let listener = peer::listen(listen)?;
        let (events, happened) = mpsc::channel();
        Ok(Self { listener, events, happened, is_set: Arc::default(), patience })
    }

    /// What ends it from another thread.
    pub fn stop(&self) -> Stop {
        Stop { events: self.events.clone(), is_set: self.is_set.clone() }
    }

    /// Meets every colleague's phone in sight until stopped, or until `term` is over; sessions under way end first.
    ///
    /// Errors: [`TransportError`] when this network cannot be used, [`Error::Locked`] when the store was locked meanwhile.
    pub fn meet(self, unlocked: &Unlocked, term: Option<Duration>, mut tell: impl FnMut(Nearby)) -> Result<(), NearbyError> {
        let here = self.listener.local_addr().map_err(|error| TransportError::Listen { kind: error.kind() })?;
        let (beacon, seen) = Beacon::start(here.port())?;
        tell(Nearby::Listening(here));
        std::thread::scope(|scope| {
            let (to_loop, listener) = (self.events.clone(), &self.listener);
            let is_set = self.is_set.clone();
            scope.spawn(move || {
                while let Ok(stream) = peer::accept(listener) {
                    if is_set.load(Ordering::Relaxed) || to_loop.send(Event::Called(stream)).is_err() {
                        return;
                    }
                }
            });
            let to_loop = self.events.clone();
            scope.spawn(move || {
                // ends with the beacon
                while let Ok(event) = seen.recv() {
                    if let Some(sight) = beacon::sight_of(event)
                        && to_loop.send(Event::Sight(sight)).is_err()
                    {
                        return;
                    }
                }
            });
            let mut round = Round {
                unlocked,
                beacon,
                shown: None,
                looked_at: 0,
                known: Acquaintances::default(),
                running: 0,
                events: self.events.clone(),
                patience: self.patience,
            };
            let done = round.run(scope, &self.happened, term, &mut tell);
            drop(round);
            // releases the thread that waits for calls
            self.is_set.store(true, Ordering::Relaxed);
            let _ = TcpStream::connect_timeout(&reachable(here), self.patience.connect);
            done
        })
    }
}

/// An address of this machine at which a listener on `here` is reached.
fn reachable(here: SocketAddr) -> SocketAddr {
    let ip = match here.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, here.port())
}

/// Why nobody can be met here.
#[derive(Debug, thiserror::Error)]
pub enum NearbyError {
    /// The network.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The store.
    #[error(transparent)]
    Store(#[from] Error),
}

struct Round<'a> {
    unlocked: &'a Unlocked,
    beacon: Beacon,
    shown: Option<(Appearance, Instant)>,
    looked_at: usize,
    known: Acquaintances,
    running: usize,
    events: Sender<Event>,
    patience: Patience,
}

impl<'a> Round<'a> {
    fn run<'scope>(
        &mut self,
        scope: &'scope std::thread::Scope<'scope, '_>,
        happened: &Receiver<Event>,
        term: Option<Duration>,
        tell: &mut impl FnMut(Nearby),
    ) -> Result<(), NearbyError> {
        let end = term.map(|term| now() + term);
        let mut is_ending = false;
        loop {
            let moment = now();
            is_ending |= end.is_some_and(|end| moment >= end);
            if is_ending {
                self.beacon.hide();
                if self.running == 0 {
                    return Ok(());
                }
            } else {
                self.appear(moment)?;
                while let Some((name, addresses)) = self.known.next(moment) {
                    self.call(scope, name, addresses)?;
                }
            }
            let renewal = self.shown.as_ref().map(|(_, since)| *since + RENEW);
            let due = if is_ending { None } else { [self.known.due(), renewal, end].into_iter().flatten().min() };
            let event = match due {
                Some(due) => happened.recv_timeout(due.saturating_duration_since(moment)),
                None => happened.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match event {
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => is_ending = true,
                Ok(Event::Sight(sight)) if !is_ending => self.look(sight)?,
                Ok(Event::Called(stream)) if !is_ending && self.running < SESSIONS_MAX_COUNT => {
                    let from = stream.peer_addr().ok().map(|address| address.ip());
                    self.session(scope, self.unlocked.listen(), None, from, move |_| Ok(stream));
                }
                Ok(Event::Ended { called, from, done }) => {
                    self.running -= 1;
                    let moment = now();
                    match (&called, &done, from) {
                        (Some(name), Ok(_), _) => self.known.met(name, moment),
                        (Some(name), Err(_), _) => self.known.failed(name, moment),
                        (None, Ok(_), Some(from)) => self.known.was_called_from(from, moment),
                        (None, ..) => {}
                    }
                    tell(match done {
                        Ok(report) => Nearby::Met(report),
                        Err(error) => Nearby::Broken(error),
                    });
                }
                // too many at once, or the end: whoever called tries again later
                Ok(Event::Sight(_) | Event::Called(_)) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Shows a fresh appearance when there is none or its term is over.
    fn appear(&mut self, moment: Instant) -> Result<(), NearbyError> {
        if self.shown.as_ref().is_none_or(|(_, since)| moment >= *since + RENEW) {
            let appearance = self.unlocked.appearance()?;
            self.beacon.show(&appearance)?;
            self.shown = Some((appearance, moment));
            self.looked_at = 0;
        }
        Ok(())
    }

    fn look(&mut self, sight: Sight) -> Result<(), NearbyError> {
        match sight {
            Sight::Gone { name } => self.known.gone(&name),
            Sight::Seen { name, .. } if self.beacon.is_own(&name) => {}
            Sight::Seen { name, addresses, shown } => {
                if self.looked_at >= LOOKED_AT_MAX_COUNT || addresses.is_empty() {
                    return Ok(());
                }
                self.looked_at += 1;
                if let Some(caller) = self.unlocked.recognise(&shown)? {
                    // salts come first and are never equal
                    let is_first = self.shown.as_ref().is_none_or(|(ours, _)| ours.bytes.as_slice() < shown.as_slice());
                    self.known.seen(&name, addresses, caller, is_first, now());
                }
            }
        }
        Ok(())
    }

    fn call<'scope>(
        &mut self,
        scope: &'scope std::thread::Scope<'scope, '_>,
        name: String,
        addresses: Vec<SocketAddr>,
    ) -> Result<(), NearbyError> {
        let link = match self.unlocked.dial() {
            Ok(link) => link,
            Err(SessionError::Replica(error)) => return Err(error.into()),
            Err(SessionError::Fault(_)) => {
                self.known.failed(&name, now());
                return Ok(());
            }
        };
        self.session(scope, link, Some(name), None, move |patience| reach(&addresses, patience));
        Ok(())
    }

    fn session<'scope>(
        &mut self,
        scope: &'scope std::thread::Scope<'scope, '_>,
        mut link: PeerLink,
        called: Option<String>,
        from: Option<IpAddr>,
        connect: impl FnOnce(Patience) -> Result<TcpStream, TransportError> + Send + 'scope,
    ) {
        let (events, patience) = (self.events.clone(), self.patience);
        self.running += 1;
        scope.spawn(move || {
            let carried = connect(patience).map_err(PeerError::Transport).and_then(|stream| peer::carry(&mut link, stream, patience));
            let done = match carried {
                Ok(()) => Ok(Box::new(link.report().clone())),
                Err(error) => {
                    // a locked store has nothing to let go of
                    let _ = link.abandon();
                    Err(error)
                }
            };
            let _ = events.send(Event::Ended { called, from, done });
        });
    }
}

fn reach(addresses: &[SocketAddr], patience: Patience) -> Result<TcpStream, TransportError> {
    let mut last = TransportError::Address;
    for address in addresses {
        match TcpStream::connect_timeout(address, patience.connect) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = TransportError::Unreachable { kind: error.kind() },
        }
    }
    Err(last)
}
