//! Packs: everything this phone holds for the team in one sealed file, written and read in pieces.

use crate::error::{FfiError, call};
use crate::unlocked::Unlocked;
use satchel_core::store;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A pack that is being written, to a place that the user chose.
#[derive(uniffi::Object)]
pub struct PackWriter(Mutex<store::PackWriter>);

/// A pack that is being read.
#[derive(uniffi::Object)]
pub struct PackReader(Mutex<Option<store::PackReader>>);

/// What a pack brought (counts, unless said otherwise).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PackReport {
    /// Rows that were new and became part of records.
    pub rows_applied: u32,
    /// Rows that were known before.
    pub rows_known: u32,
    /// Rows held back until something they need arrives.
    pub rows_held: u32,
    /// Rows that broke a rule.
    pub rows_refused: u32,
    /// Whether its end was there. A part is kept; reading the whole file later adds the rest.
    pub is_complete: bool,
}

impl From<&store::PackReport> for PackReport {
    fn from(report: &store::PackReport) -> Self {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            rows_applied: count(report.rows.applied),
            rows_known: count(report.rows.known),
            rows_held: count(report.rows.held),
            rows_refused: count(report.rows.refused),
            is_complete: report.is_complete,
        }
    }
}

#[uniffi::export]
impl Unlocked {
    /// Begins a pack for the team: what has not left yet departs with it, as in a meeting.
    ///
    /// Errors: [`FfiError::Refused`] without access to records, or while this store counts as copied.
    pub fn write_pack(&self) -> Result<Arc<PackWriter>, FfiError> {
        call(|| Ok(Arc::new(PackWriter(Mutex::new(self.core().write_pack()?)))))
    }

    /// Begins to read a pack.
    pub fn read_pack(&self) -> Arc<PackReader> {
        Arc::new(PackReader(Mutex::new(Some(self.core().read_pack()))))
    }
}

#[uniffi::export]
impl PackWriter {
    /// The next bytes of the file, at most a few hundred KiB; none at its end.
    ///
    /// Errors: [`FfiError::Sync`] with `pack_overtaken` when the keys changed meanwhile: throw away what was written and
    /// begin again; [`FfiError::Locked`], [`FfiError::Storage`].
    pub fn next_bytes(&self) -> Result<Option<Vec<u8>>, FfiError> {
        call(|| Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).next_bytes()?))
    }
}

impl PackReader {
    fn reader(&self) -> MutexGuard<'_, Option<store::PackReader>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// After `finish`.
fn is_over() -> FfiError {
    FfiError::internal("call_out_of_order")
}

#[uniffi::export]
impl PackReader {
    /// Takes bytes of the file, in any portions. What they brought is on disk when this returns.
    ///
    /// Errors: [`FfiError::Sync`]: `pack_older` (ask for a new one), `pack_unknown` (meet a colleague's phone first),
    /// `pack_damaged`; what came before is kept.
    pub fn receive(&self, bytes: Vec<u8>) -> Result<(), FfiError> {
        call(|| Ok(self.reader().as_mut().ok_or_else(is_over)?.receive(&bytes)?))
    }

    /// Ends the reading, once. Says what the pack brought.
    pub fn finish(&self) -> Result<PackReport, FfiError> {
        call(|| {
            let reader = self.reader().take().ok_or_else(is_over)?;
            Ok((&reader.finish()?).into())
        })
    }
}
