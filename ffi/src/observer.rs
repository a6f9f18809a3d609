//! Live observers: told which records changed, never what they say.

use crate::error::{FfiError, call};
use crate::unlocked::Unlocked;
use satchel_core::record::Kind as RecordKind;
use satchel_core::store::{self, Change};
use satchel_wire::ids::RecordId;
use std::sync::{Arc, Mutex, PoisonError};

/// What a record is.
#[uniffi::remote(Enum)]
pub enum RecordKind {
    /// A person who said yes to a file.
    Participant,
    /// One meeting with its offers.
    Encounter,
    /// One device's anonymous counts of a finished shift.
    Tally,
    /// Something promised.
    FollowUp,
    /// A participant asks to be connected.
    SelfReferral,
    /// A consent.
    Grant,
    /// A consent taken back.
    Withdrawal,
    /// The team's note on a service.
    ResourceNote,
    /// How a member is called.
    MemberName,
    /// How a zone is called.
    Zone,
    /// Parts of one catalogue package.
    Catalogue,
    /// Gated facts of one grant.
    Vault,
    /// Somebody to whom something may be shared.
    Recipient,
    /// A line of the sharing log.
    SharingNote,
}

/// A record that is new or has changed.
#[uniffi::remote(Record)]
pub struct Change {
    /// Its kind.
    pub kind: RecordKind,
    /// The record.
    pub record: RecordId,
    /// The participant whom it is about.
    pub subject: Option<RecordId>,
}

/// The observer failed. The change that it was told of stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum ObserverError {
    /// It threw.
    #[error("the observer failed")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for ObserverError {
    // the reason is the app's own words, and dropped
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

/// Is told of changes, after they are on disk and on the thread that made them; it may call the store.
#[uniffi::export(with_foreign)]
pub trait ChangeObserver: Send + Sync {
    /// These records changed. Whatever it throws is ignored.
    fn changed(&self, changes: Vec<Change>) -> Result<(), ObserverError>;
}

/// Keeps an observer: until it is cancelled or freed, or the store is locked.
#[derive(uniffi::Object)]
pub struct Subscription(Mutex<Option<store::Subscription>>);

#[uniffi::export]
impl Subscription {
    /// Ends it. A call that is under way on another thread runs to its end.
    pub fn cancel(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

#[uniffi::export]
impl Unlocked {
    /// Tells `observer` of every change from now on. Errors: [`FfiError::Locked`].
    pub fn observe(&self, observer: Arc<dyn ChangeObserver>) -> Result<Arc<Subscription>, FfiError> {
        call(|| {
            let told = move |changes: &[Change]| {
                // what an observer throws is its own affair
                let _ = observer.changed(changes.to_vec());
            };
            Ok(Arc::new(Subscription(Mutex::new(Some(self.core().observe(told)?)))))
        })
    }
}
