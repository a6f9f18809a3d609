//! The relay: one built-in call, or requests that the app carries with its own HTTP.

use crate::error::{FfiError, call};
use crate::live::RelayRoute;
use crate::unlocked::Unlocked;
use satchel_core::store::{self, RelayAddress, RelayAnswer, RelayLink};
use satchel_transport::TransportError;
use satchel_transport::relay::{Client, Pin, Route, check_url_on};
use satchel_wire::frame::{CONTENT_TYPE, ProblemCode};
use satchel_wire::ids::MailboxId;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use zeroize::Zeroizing;

/// What an exchange did (counts).
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct RelayReport {
    /// Rows pulled.
    pub pulled: u32,
    /// Rows pushed.
    pub pushed: u32,
    /// Turns adopted.
    pub turns: u32,
    /// Requests made.
    pub requests: u32,
    /// Rows that the relay had and has no more, as after a backup was put back: it is filled again. Tell the user, who tells
    /// the operator.
    pub lost: u32,
}

impl From<&store::RelayReport> for RelayReport {
    fn from(report: &store::RelayReport) -> Self {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            pulled: count(report.pulled),
            pushed: count(report.pushed),
            turns: count(report.turns),
            requests: count(report.requests),
            lost: count(report.lost),
        }
    }
}

/// A request for the app's own HTTP: a POST of `body` to the relay's address with `path` added. Nothing else tells
/// the relay who asks: no cookies, no redirects, no user agent.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HttpRequest {
    /// Such as `/v1/pull`.
    pub path: String,
    /// The `Content-Type`.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// One exchange with the relay. Ask for the next request, carry it, hand its answer in; until there is no next one.
///
/// However it ends, what was accepted is kept and the next exchange goes on from there.
#[derive(uniffi::Object)]
pub struct RelayExchange {
    link: Mutex<RelayLink>,
    url: String,
    route: Route,
    /// Made at the first request that it carries.
    client: OnceLock<Client>,
    is_cancelled: AtomicBool,
}

#[uniffi::export]
impl Unlocked {
    /// Sets the team's relay, or another one: everything is pushed there again.
    ///
    /// `url` is `https://host[:port]`, `http://` on this machine only; `mailbox` as the operator printed it (`box_…`);
    /// `claim` its 16-byte one-time secret, for the first device of the team; `pin` the one key that it may show (`sha256//…`).
    /// Errors: [`FfiError::InvalidInput`], [`FfiError::Refused`].
    #[uniffi::method(default(claim = None, pin = None))]
    pub fn set_relay(&self, url: String, mailbox: MailboxId, claim: Option<Vec<u8>>, pin: Option<String>) -> Result<(), FfiError> {
        call(|| {
            let pin = pin.map(|pin| pin.parse::<Pin>()).transpose()?;
            check_url_on(&url, &Route { pin, proxy: None })?;
            let pin = pin.map(|pin| *pin.as_bytes());
            let claim = claim.map(Zeroizing::new);
            let claim = claim.map(|bytes| bytes.as_slice().try_into().map_err(|_| FfiError::invalid("relay_claim"))).transpose()?;
            Ok(self.core().set_relay(&RelayAddress { url, mailbox, claim, pin })?)
        })
    }

    /// One whole exchange with the team's relay, by `route` or straight. Uses the network and blocks, at most a minute per request.
    ///
    /// Errors: [`FfiError::Sync`], [`FfiError::InvalidInput`] where no relay is set, [`FfiError::Locked`], [`FfiError::Storage`].
    #[uniffi::method(default(route = None))]
    pub fn sync_with_relay(&self, route: Option<RelayRoute>) -> Result<RelayReport, FfiError> {
        call(|| {
            let exchange = self.exchange(route)?;
            while exchange.carry()? {}
            let report = exchange.link().report().into();
            Ok(report)
        })
    }

    /// Begins an exchange in steps: that the app carries with its own HTTP, or `carry_next`s and may break off between
    /// any two. Errors: [`FfiError::InvalidInput`] where no relay is set, [`FfiError::Locked`].
    #[uniffi::method(default(route = None))]
    pub fn relay_exchange(&self, route: Option<RelayRoute>) -> Result<Arc<RelayExchange>, FfiError> {
        call(|| Ok(Arc::new(self.exchange(route)?)))
    }
}

impl Unlocked {
    fn exchange(&self, route: Option<RelayRoute>) -> Result<RelayExchange, FfiError> {
        let mut route = route.unwrap_or_default().read()?;
        let link = self.core().relay_exchange()?;
        let relay = self.core().relay()?.ok_or(store::RelayError::NoRelay)?;
        route.pin = route.pin.or(Route::pinned(relay.pin).pin);
        let is_cancelled = AtomicBool::new(false);
        Ok(RelayExchange { link: Mutex::new(link), url: relay.url, route, client: OnceLock::new(), is_cancelled })
    }
}

impl RelayExchange {
    fn link(&self) -> MutexGuard<'_, RelayLink> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self) -> Result<&Client, FfiError> {
        match self.client.get() {
            Some(client) => Ok(client),
            None => {
                let made = Client::on_route(&self.url, self.route.clone())?;
                let client = self.client.get_or_init(|| made);
                // cancelled while it was made
                if self.is_cancelled.load(Ordering::SeqCst) {
                    client.breaker().close();
                }
                Ok(client)
            }
        }
    }

    fn carry(&self) -> Result<bool, FfiError> {
        if self.is_cancelled.load(Ordering::SeqCst) {
            return Err(TransportError::Cancelled.into());
        }
        let mut link = self.link();
        let Some((endpoint, frame)) = link.next_request()? else { return Ok(false) };
        let answer = match self.client()?.post(endpoint, &frame)? {
            Ok(body) => RelayAnswer::Ok(body),
            Err(problem) => RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
        };
        link.receive(&answer)?;
        Ok(true)
    }
}

#[uniffi::export]
impl RelayExchange {
    /// Carries the next request itself and takes its answer. Whether there was one. Uses the network and blocks, at most a
    /// minute. Errors: as `sync_with_relay`; the exchange is then over, and a new one goes on from there.
    pub fn carry_next(&self) -> Result<bool, FfiError> {
        call(|| self.carry())
    }

    /// Ends `carry_next` at once, from any thread: it answers [`FfiError::Sync`] with `transport.cancelled`. What was accepted
    /// is kept; the exchange is over.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::SeqCst);
        if let Some(client) = self.client.get() {
            client.breaker().close();
        }
    }

    /// The next request, or none when the exchange is over. Ask once per answer. Errors: as `sync_with_relay`.
    pub fn next_request(&self) -> Result<Option<HttpRequest>, FfiError> {
        call(|| {
            let request = self.link().next_request()?;
            let carried = request.map(|(endpoint, body)| HttpRequest {
                path: endpoint.path().to_owned(),
                content_type: CONTENT_TYPE.to_owned(),
                body,
            });
            Ok(carried)
        })
    }

    /// Takes the body of a 200 answer; no bytes for a 204. Errors: as `sync_with_relay`; the exchange is then over.
    pub fn receive_answer(&self, body: Vec<u8>) -> Result<(), FfiError> {
        call(|| Ok(self.link().receive(&RelayAnswer::Ok(body))?))
    }

    /// Takes a refusal (RFC 9457): what follows `urn:satchel:problem:` in its `type`, and its `relay_time` (Unix seconds).
    ///
    /// Errors: [`FfiError::Sync`] unless the exchange can go on. An unknown code counts as a malformed answer.
    #[uniffi::method(default(relay_time = None))]
    pub fn receive_problem(&self, code: &str, relay_time: Option<u64>) -> Result<(), FfiError> {
        call(|| {
            let code = ProblemCode::from_code(code).ok_or(store::RelayError::Malformed)?;
            Ok(self.link().receive(&RelayAnswer::Problem { code, relay_time })?)
        })
    }

    /// What happened so far.
    pub fn report(&self) -> Result<RelayReport, FfiError> {
        call(|| Ok(self.link().report().into()))
    }
}
