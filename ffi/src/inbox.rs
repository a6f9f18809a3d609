//! The locked inbox: a locked phone fetches rows that it cannot read.

use crate::carrier::Carrier;
use crate::error::{FfiError, call};
use crate::live::RelayRoute;
use crate::protector::{KeyProtector, keystore};
use crate::relay::{HttpRequest, problem};
use crate::store::Store;
use crate::unlocked::Unlocked;
use satchel_core::store::{self, InboxEnd, RelayAnswer};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a locked phone fetches no more.
#[uniffi::remote(Enum)]
pub enum InboxEnd {
    /// Everything there is was fetched.
    UpToDate,
    /// The room for rows is used up (1 MiB, 2,048 rows): the unlocked phone goes on.
    Full,
    /// The team's keys changed: unlock to go on.
    KeysChanged,
    /// Only the unlocked phone knows what to ask the relay for: unlock to go on.
    NeedsUnlocking,
    /// The store was unlocked, or erased, meanwhile.
    NotLocked,
}

/// What waits, sealed, for the unlocking, fetches of before included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct InboxWaiting {
    /// Rows (count).
    pub rows: u32,
    /// Their bytes.
    pub bytes: u32,
}

/// What the last unlocking found in the inbox (counts).
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct InboxReport {
    /// Rows that were new here.
    pub applied: u32,
    /// Rows that were here already.
    pub known: u32,
    /// Rows held back until something they need arrives.
    pub held: u32,
    /// Rows that were refused or thrown away.
    pub refused: u32,
    /// Turns adopted.
    pub turns: u32,
    /// What lay there was not what had been stored: it was dropped, and is fetched again.
    pub is_damaged: bool,
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl From<store::InboxReport> for InboxReport {
    fn from(report: store::InboxReport) -> Self {
        let rows = &report.rows;
        Self {
            applied: count(rows.applied),
            known: count(rows.known),
            held: count(rows.held),
            refused: count(rows.refused.saturating_add(rows.thrown_away)),
            turns: count(report.turns),
            is_damaged: report.is_damaged,
        }
    }
}

/// A locked phone's fetching. `carry_next` until it answers no; or `next_request`, the app's own HTTP and `receive_…`.
///
/// Rows are on disk, sealed once more, before a call returns; however it ends, the unlocking takes what came.
#[derive(uniffi::Object)]
pub struct LockedInbox {
    inbox: Mutex<store::LockedInbox>,
    carrier: Carrier,
}

#[uniffi::export]
impl Store {
    /// Begins to fetch while the store is locked, by `route` or straight; none where the inbox is off or no relay is set. Asks
    /// for no passphrase; the keystore has to unwrap while the device is locked.
    ///
    /// Errors: [`FfiError::Storage`] for the keystore, while suspended, and for the medium; [`FfiError::InvalidInput`] for `route`.
    #[uniffi::method(default(route = None))]
    pub fn locked_inbox(&self, protector: Arc<dyn KeyProtector>, route: Option<RelayRoute>) -> Result<Option<Arc<LockedInbox>>, FfiError> {
        call(|| {
            let route = route.unwrap_or_default().read()?;
            let Some(protector) = keystore(Some(protector)) else { return Ok(None) };
            let Some(inbox) = self.core().locked_inbox(&*protector)? else { return Ok(None) };
            let relay = inbox.relay();
            let carrier = Carrier::new(relay.url, route, relay.pin);
            Ok(Some(Arc::new(LockedInbox { inbox: Mutex::new(inbox), carrier })))
        })
    }
}

#[uniffi::export]
impl Unlocked {
    /// Whether this phone fetches while it is locked. Errors: [`FfiError::Locked`].
    pub fn has_locked_inbox(&self) -> Result<bool, FfiError> {
        call(|| Ok(self.core().has_locked_inbox()?))
    }

    /// Lets this phone fetch while it is locked, or no longer. Off unless somebody switches it on, who has to be told: whoever
    /// takes the phone locked, and makes its keystore work for them, fetches this team's sealed rows until the next change of
    /// keys, and reads none. Switching it off destroys its key and what waits.
    ///
    /// Errors: [`FfiError::Storage`] with `keystore_unsupported` on a store without a keystore, and the medium's.
    pub fn switch_locked_inbox(&self, is_on: bool) -> Result<(), FfiError> {
        call(|| Ok(self.core().switch_locked_inbox(is_on)?))
    }

    /// What the last unlocking found in the inbox; nothing where there was nothing. Errors: [`FfiError::Locked`].
    pub fn opened_inbox(&self) -> Result<InboxReport, FfiError> {
        call(|| Ok(self.core().opened_inbox()?.into()))
    }
}

impl LockedInbox {
    fn inbox(&self) -> MutexGuard<'_, store::LockedInbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry(&self) -> Result<bool, FfiError> {
        self.carrier.check()?;
        let mut inbox = self.inbox();
        let Some((endpoint, frame)) = inbox.next_request()? else { return Ok(false) };
        let answer = self.carrier.post(endpoint, &frame);
        // what was paid for counts, whatever became of it
        let (sent, received) = self.carrier.take_bytes();
        let noted = inbox.note_bytes(sent, received);
        inbox.receive(&answer?)?;
        noted?;
        Ok(true)
    }
}

#[uniffi::export]
impl LockedInbox {
    /// Carries the next request itself and takes its answer. Whether there was one. Uses the network and blocks, for at most a minute of silence.
    ///
    /// Errors: [`FfiError::Sync`], with `network_metered` where the phone waits for a network that costs nothing;
    /// [`FfiError::Storage`]. It is then over, and the next one goes on from there.
    pub fn carry_next(&self) -> Result<bool, FfiError> {
        call(|| self.carry())
    }

    /// Ends `carry_next` at once, from any thread: it answers [`FfiError::Sync`] with `transport.cancelled`.
    pub fn cancel(&self) {
        self.carrier.cancel();
    }

    /// The next request, or none when it is over: `end` says why. Ask once per answer. Errors: as `carry_next`.
    pub fn next_request(&self) -> Result<Option<HttpRequest>, FfiError> {
        call(|| Ok(self.inbox().next_request()?.map(HttpRequest::of)))
    }

    /// Takes the body of a 200 answer; no bytes for a 204. Errors: as `carry_next`.
    pub fn receive_answer(&self, body: Vec<u8>) -> Result<(), FfiError> {
        call(|| Ok(self.inbox().receive(&RelayAnswer::Ok(body))?))
    }

    /// Takes a refusal, as `RelayExchange.receive_problem`. Errors: [`FfiError::Sync`] unless it can go on.
    #[uniffi::method(default(relay_time = None))]
    pub fn receive_problem(&self, code: &str, relay_time: Option<u64>) -> Result<(), FfiError> {
        call(|| Ok(self.inbox().receive(&problem(code, relay_time)?)?))
    }

    /// Adds bytes that the app carried with its own HTTP; the unlocking counts them. Errors: [`FfiError::Storage`].
    pub fn note_bytes(&self, sent: u64, received: u64) -> Result<(), FfiError> {
        call(|| Ok(self.inbox().note_bytes(sent, received)?))
    }

    /// What waits for the unlocking. Nothing of it can be read here.
    pub fn waiting(&self) -> Result<InboxWaiting, FfiError> {
        call(|| {
            let (rows, bytes) = self.inbox().waiting();
            Ok(InboxWaiting { rows: count(rows), bytes: count(bytes) })
        })
    }

    /// Why it is over, once it is.
    pub fn end(&self) -> Result<Option<InboxEnd>, FfiError> {
        call(|| Ok(self.inbox().end()))
    }
}
