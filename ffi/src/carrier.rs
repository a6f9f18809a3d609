//! What carries requests to a relay and can be ended from any thread: an exchange has one, and so has a locked phone's inbox.

use crate::error::FfiError;
use satchel_core::store::RelayAnswer;
use satchel_transport::TransportError;
use satchel_transport::relay::{Client, Route};
use satchel_wire::frame::Endpoint;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// A relay's address, the way there, and the connection once there is one.
pub(crate) struct Carrier {
    url: String,
    route: Route,
    /// Made at the first request that it carries.
    client: OnceLock<Client>,
    is_cancelled: AtomicBool,
}

impl Carrier {
    /// `pin` is the key that the team wrote down; one that `route` names comes first.
    pub(crate) fn new(url: String, mut route: Route, pin: Option<[u8; 32]>) -> Self {
        route.pin = route.pin.or(Route::pinned(pin).pin);
        Self { url, route, client: OnceLock::new(), is_cancelled: AtomicBool::new(false) }
    }

    /// Errors: [`TransportError::Cancelled`] once it was cancelled.
    pub(crate) fn check(&self) -> Result<(), FfiError> {
        if self.is_cancelled.load(Ordering::SeqCst) { Err(TransportError::Cancelled.into()) } else { Ok(()) }
    }

    /// Ends a request that is under way, and lets no other begin.
    pub(crate) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::SeqCst);
        if let Some(client) = self.client.get() {
            client.breaker().close();
        }
    }

    /// Brings a request there and its answer back.
    pub(crate) fn post(&self, endpoint: Endpoint, frame: &[u8]) -> Result<RelayAnswer, FfiError> {
        Ok(match self.client()?.post(endpoint, frame)? {
            Ok(body) => RelayAnswer::Ok(body),
            Err(problem) => RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
        })
    }

    /// Bytes sent and received since it was last asked.
    pub(crate) fn take_bytes(&self) -> (u64, u64) {
        self.client.get().map_or((0, 0), |client| {
            let traffic = client.take_traffic();
            (traffic.sent, traffic.received)
        })
    }

    fn client(&self) -> Result<&Client, FfiError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let made = Client::on_route(&self.url, self.route.clone())?;
        let client = self.client.get_or_init(|| made);
        // cancelled while it was made
        if self.is_cancelled.load(Ordering::SeqCst) {
            client.breaker().close();
        }
        Ok(client)
    }
}
