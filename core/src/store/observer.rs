//! Live observers: told which records changed, never what they say.

use crate::record::Kind;
use satchel_wire::ids::RecordId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A record that is new or has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Its kind.
    pub kind: Kind,
    /// The record.
    pub record: RecordId,
    /// The participant whom it is about.
    pub subject: Option<RecordId>,
}

type Callback = Arc<dyn Fn(&[Change]) + Send + Sync>;

#[derive(Default)]
struct Registered {
    next: u64,
    callbacks: BTreeMap<u64, Callback>,
}

/// All observers of a store.
#[derive(Default)]
pub(super) struct Observers {
    registered: Arc<Mutex<Registered>>,
}

/// An observer stays as long as this lives, or until the store is locked.
pub struct Subscription {
    registered: Weak<Mutex<Registered>>,
    number: u64,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subscription")
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(registered) = self.registered.upgrade() {
            registered.lock().unwrap_or_else(PoisonError::into_inner).callbacks.remove(&self.number);
        }
    }
}

impl Observers {
    pub(super) fn add(&self, callback: Callback) -> Subscription {
        let mut registered = self.registered.lock().unwrap_or_else(PoisonError::into_inner);
        let number = registered.next;
        registered.next += 1;
        registered.callbacks.insert(number, callback);
        Subscription { registered: Arc::downgrade(&self.registered), number }
    }

    /// Calls every observer after the transaction is on disk and the store's own lock is free, so that it may call the store.
    pub(super) fn notify(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let callbacks: Vec<Callback> = self.registered.lock().unwrap_or_else(PoisonError::into_inner).callbacks.values().cloned().collect();
        callbacks.iter().for_each(|callback| callback(changes));
    }

    pub(super) fn clear(&self) {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner).callbacks.clear();
    }
}

impl super::Unlocked {
    /// Calls `callback` after every change, from the thread that made it. Errors: [`crate::error::Error::Locked`].
    pub fn observe(&self, callback: impl Fn(&[Change]) + Send + Sync + 'static) -> Result<Subscription, crate::error::Error> {
        drop(self.alive()?);
        Ok(self.shared.observers.add(Arc::new(callback)))
    }
}
