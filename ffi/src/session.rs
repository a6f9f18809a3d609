//! A session with a colleague's phone: bytes in, bytes out. The app carries them, by whatever connects two phones.

use crate::error::{FfiError, call};
use crate::unlocked::Unlocked;
use satchel_core::store::PeerLink;
use satchel_core::sync;
use satchel_wire::ids::DeviceId;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One side of a session, end-to-end encrypted whatever carries it.
///
/// Send what `transmit` gives until it gives nothing; hang up when `is_finished`; else pass what comes to `receive`,
/// in any portions, and begin again. After an error, send what `transmit` still gives and hang up. One session takes
/// one call at a time; others wait.
#[derive(uniffi::Object)]
pub struct PeerSession(Mutex<PeerLink>);

/// What a session did so far (counts, unless said otherwise).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SessionReport {
    /// The other device, once its signature was checked.
    pub peer: Option<DeviceId>,
    /// Rows handed over.
    pub rows_sent: u32,
    /// Rows taken in, whatever became of them.
    pub rows_received: u32,
    /// Rows that were new and became part of records.
    pub rows_applied: u32,
    /// Rows that were known before.
    pub rows_known: u32,
    /// Rows held back until something they need arrives.
    pub rows_held: u32,
    /// Rows that broke a rule.
    pub rows_refused: u32,
    /// Bytes given out.
    pub bytes_sent: u64,
    /// Bytes taken in.
    pub bytes_received: u64,
    /// Stable codes of what was noticed, such as `rolled_back`.
    pub warnings: Vec<String>,
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl From<&sync::SessionReport> for SessionReport {
    fn from(report: &sync::SessionReport) -> Self {
        Self {
            peer: report.peer,
            rows_sent: count(report.sent),
            rows_received: count(report.received),
            rows_applied: count(report.rows.applied),
            rows_known: count(report.rows.known),
            rows_held: count(report.rows.held),
            rows_refused: count(report.rows.refused),
            bytes_sent: report.bytes_sent,
            bytes_received: report.bytes_received,
            warnings: report.warnings.iter().map(|warning| warning.code().to_owned()).collect(),
        }
    }
}

#[uniffi::export]
impl Unlocked {
    /// Begins a session as the side that dials. Errors: [`FfiError::Locked`], [`FfiError::Sync`].
    pub fn dial(&self) -> Result<Arc<PeerSession>, FfiError> {
        call(|| Ok(Arc::new(PeerSession(Mutex::new(self.core().dial()?)))))
    }

    /// Begins a session as the side that listens.
    pub fn listen(&self) -> Result<Arc<PeerSession>, FfiError> {
        call(|| Ok(Arc::new(PeerSession(Mutex::new(self.core().listen())))))
    }
}

impl PeerSession {
    fn link(&self) -> MutexGuard<'_, PeerLink> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[uniffi::export]
impl PeerSession {
    /// Takes bytes of the other side. What they brought is on disk when this returns.
    ///
    /// Errors end the session: [`FfiError::Sync`], [`FfiError::Locked`], [`FfiError::Storage`].
    pub fn receive(&self, bytes: Vec<u8>) -> Result<(), FfiError> {
        call(|| Ok(self.link().receive(&bytes)?))
    }

    /// At most `max_bytes` bytes for the other side; none when nothing waits. Errors: as `receive`.
    pub fn transmit(&self, max_bytes: u32) -> Result<Option<Vec<u8>>, FfiError> {
        call(|| Ok(self.link().transmit(usize::try_from(max_bytes).unwrap_or(usize::MAX))?))
    }

    /// Whether both sides have said all they had, and all of it was transmitted.
    pub fn is_finished(&self) -> Result<bool, FfiError> {
        call(|| Ok(self.link().is_finished()))
    }

    /// What happened so far.
    pub fn report(&self) -> Result<SessionReport, FfiError> {
        call(|| Ok(self.link().report().into()))
    }

    /// The connection is gone. What was accepted is kept; a new session goes on from there.
    pub fn abandon(&self) -> Result<(), FfiError> {
        call(|| Ok(self.link().abandon()?))
    }
}
