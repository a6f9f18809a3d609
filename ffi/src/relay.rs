//! The relay: one built-in call, or requests that the app carries with its own HTTP.

use crate::carrier::Carrier;
use crate::error::{FfiError, call};
use crate::live::RelayRoute;
use crate::unlocked::Unlocked;
use satchel_core::store::{self, RelayAddress, RelayAnswer, RelayLink};
use satchel_transport::relay::{Pin, Route, check_url_on};
use satchel_wire::frame::{CONTENT_TYPE, Endpoint, ProblemCode};
use satchel_wire::ids::MailboxId;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

impl HttpRequest {
    pub(crate) fn of((endpoint, body): (Endpoint, Vec<u8>)) -> Self {
        Self { path: endpoint.path().to_owned(), content_type: CONTENT_TYPE.to_owned(), body }
    }
}

/// A refusal as the app read it. Errors: [`FfiError::Sync`] for an unknown code, as for a malformed answer.
pub(crate) fn problem(code: &str, relay_time: Option<u64>) -> Result<RelayAnswer, FfiError> {
    let code = ProblemCode::from_code(code).ok_or(store::RelayError::Malformed)?;
    Ok(RelayAnswer::Problem { code, relay_time })
}

/// One exchange with the relay. Ask for the next request, carry it, hand its answer in; until there is no next one.
///
/// However it ends, what was accepted is kept and the next exchange goes on from there.
#[derive(uniffi::Object)]
pub struct RelayExchange {
    link: Mutex<RelayLink>,
    /// To count the bytes with.
    unlocked: store::Unlocked,
    carrier: Carrier,
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

    /// One whole exchange with the team's relay, by `route` or straight. Uses the network and blocks, for at most a minute of silence.
    /// `by_hand`: also over a network that may cost, because somebody asked for it (`choose_networks`).
    ///
    /// Errors: [`FfiError::Sync`], with `network_metered` where this phone waits for a network that costs nothing;
    /// [`FfiError::InvalidInput`] where no relay is set, [`FfiError::Locked`], [`FfiError::Storage`].
    #[uniffi::method(default(route = None, by_hand = false))]
    pub fn sync_with_relay(&self, route: Option<RelayRoute>, by_hand: bool) -> Result<RelayReport, FfiError> {
        call(|| {
            let exchange = self.exchange(route, by_hand)?;
            while exchange.carry()? {}
            let report = exchange.link().report().into();
            Ok(report)
        })
    }

    /// Begins an exchange in steps: that the app carries with its own HTTP, or `carry_next`s and may break off between
    /// any two. Errors: [`FfiError::InvalidInput`] where no relay is set, [`FfiError::Sync`] as `sync_with_relay`, [`FfiError::Locked`].
    #[uniffi::method(default(route = None, by_hand = false))]
    pub fn relay_exchange(&self, route: Option<RelayRoute>, by_hand: bool) -> Result<Arc<RelayExchange>, FfiError> {
        call(|| Ok(Arc::new(self.exchange(route, by_hand)?)))
    }
}

impl Unlocked {
    fn exchange(&self, route: Option<RelayRoute>, by_hand: bool) -> Result<RelayExchange, FfiError> {
        let route = route.unwrap_or_default().read()?;
        let unlocked = self.core().clone();
        let link = if by_hand { unlocked.relay_exchange_by_hand()? } else { unlocked.relay_exchange()? };
        let relay = unlocked.relay()?.ok_or(store::RelayError::NoRelay)?;
        Ok(RelayExchange { link: Mutex::new(link), unlocked, carrier: Carrier::new(relay.url, route, relay.pin) })
    }
}

impl RelayExchange {
    fn link(&self) -> MutexGuard<'_, RelayLink> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry(&self) -> Result<bool, FfiError> {
        let carried = self.carry_one();
        // at its end, not at each request: each would be a write of its own
        if !matches!(carried, Ok(true)) {
            let noted = self.note_bytes();
            return carried.and_then(|more| noted.map(|()| more));
        }
        carried
    }

    fn carry_one(&self) -> Result<bool, FfiError> {
        self.carrier.check()?;
        let mut link = self.link();
        let Some((endpoint, frame)) = link.next_request()? else { return Ok(false) };
        link.receive(&self.carrier.post(endpoint, &frame)?)?;
        Ok(true)
    }

    /// What was paid for counts, whatever became of it.
    fn note_bytes(&self) -> Result<(), FfiError> {
        let (sent, received) = self.carrier.take_bytes();
        Ok(self.unlocked.note_relay_bytes(sent, received)?)
    }
}

impl Drop for RelayExchange {
    fn drop(&mut self) {
        // broken off between two requests; a store that is locked by now counts nothing
        let _ = self.note_bytes();
    }
}

#[uniffi::export]
impl RelayExchange {
    /// Carries the next request itself and takes its answer. Whether there was one. Uses the network and blocks, for at
    /// most a minute of silence. Errors: as `sync_with_relay`; the exchange is then over, and a new one goes on from there.
    pub fn carry_next(&self) -> Result<bool, FfiError> {
        call(|| self.carry())
    }

    /// Ends `carry_next` at once, from any thread: it answers [`FfiError::Sync`] with `transport.cancelled`. What was accepted
    /// is kept; the exchange is over.
    pub fn cancel(&self) {
        self.carrier.cancel();
    }

    /// The next request, or none when the exchange is over. Ask once per answer. Errors: as `sync_with_relay`.
    pub fn next_request(&self) -> Result<Option<HttpRequest>, FfiError> {
        call(|| Ok(self.link().next_request()?.map(HttpRequest::of)))
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
        call(|| Ok(self.link().receive(&problem(code, relay_time)?)?))
    }

    /// What happened so far.
    pub fn report(&self) -> Result<RelayReport, FfiError> {
        call(|| Ok(self.link().report().into()))
    }
}
