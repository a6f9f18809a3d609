//! Now means now: locking, locking by itself, and erasing this device.
//!
//! No second passphrase under duress: one that shows an empty store is recognised by whoever knows this program, and the
//! phone shows when it was last used; one that destroys turns the person who typed it into the one who destroyed.
//! What helps is holding little, and [`Store::erase_device`] before the hand is on the phone.

use super::{Error, KeyProtector, ProtectorError, Shared, Store, Unlocked};
use crate::env::Env;
use crate::storage::{self, SLOT_FILE_BYTES, StorageError};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A clock may step back by this much, as clocks that are set right do, before it counts as wrong (seconds).
const CLOCK_STEP_SECONDS: u64 = 60;
/// Wrong passphrases in a row that cost no waiting (count).
const FREE_TRIES_COUNT: u8 = 10;
/// Longest wait after a wrong passphrase (seconds).
const WAIT_MAX_SECONDS: u64 = 60;

/// What is left of a device that was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceErasure {
    /// Every keystore key of this store is destroyed, or it had none. Otherwise: call it again with the keystore.
    pub are_keys_gone: bool,
    /// The files are removed as well. Otherwise the next opening finishes it; without slots they open for nobody.
    pub are_files_gone: bool,
}

impl Store {
    /// Locks: every handle, observer and session of this store is dead when this returns, and keys are wiped.
    ///
    /// New calls are refused at once; a call that runs in another thread ends first, and then the keys go.
    pub fn lock(&self) {
        self.shared.generation.fetch_add(1, Ordering::SeqCst);
        self.shared.observers.clear();
        self.shared.lock_inner().forget();
    }

    /// Locks by itself when no handle was used for so many seconds; None, the beginning, never does.
    ///
    /// It is looked at by every call, before anything is read, and by [`Store::lock_if_idle`] for a host's timer. A clock
    /// that went back by more than a minute counts as time that nobody can tell: the store is locked. A clock that
    /// stands still cannot be noticed here; a host whose timer counts by itself calls [`Store::lock`].
    pub fn lock_after(&self, seconds: Option<u64>) {
        self.shared.touch();
        // 0 stands for never; a deadline of 0 seconds would make every handle useless
        self.shared.idle_limit.store(seconds.map_or(0, |seconds| seconds.max(1)), Ordering::SeqCst);
    }

    /// Locks if the time of [`Store::lock_after`] is over. Whether the store is locked now.
    pub fn lock_if_idle(&self) -> bool {
        if self.shared.is_idle() {
            self.lock();
        }
        !self.is_unlocked()
    }

    /// Erases this store from the device, locked or not: first the keystore's keys, then the slots, then the files.
    ///
    /// Keys and slots are gone before anything is waited for; every handle is dead. It does not ask for the
    /// passphrase. After a kill half-way the next [`Store::open`] finishes it and answers [`StorageError::Erased`].
    /// Colleagues keep what they hold; this device is removed from the team by a steward.
    /// `protector` may be left out where the store was unlocked with it. Errors: the medium's, for the slots.
    pub fn erase_device(&self, protector: Option<Arc<dyn KeyProtector>>) -> Result<DeviceErasure, Error> {
        self.shared.generation.fetch_add(1, Ordering::SeqCst);
        self.shared.observers.clear();
        let (env, dir) = (&self.shared.env, &self.shared.dir);
        let is_complete = !storage::has_unreadable_slots(dir);
        // before the lock is asked for: a call that runs elsewhere must not hold this up
        let first = destroy_keys(dir, env, protector.as_ref());
        let opener = {
            let mut inner = self.shared.lock_inner();
            let opener = inner.opener.take();
            inner.forget();
            drop(inner.database.take());
            opener
        };
        // that call may have replaced the slots meanwhile
        let known = protector.or_else(|| opener.as_ref().and_then(|opener| opener.protector.clone()));
        let second = destroy_keys(dir, env, known.as_ref());
        drop(opener);
        finish(dir, env, is_complete && second.clone().or(first)?, second.is_ok())
    }

    /// As [`Store::erase_device`] for a folder that is not open here, also one in which an erasure began.
    ///
    /// Errors: [`StorageError::NotFound`] where no store lies, and the medium's.
    pub fn erase_device_in(dir: &Path, env: &Env, protector: Option<Arc<dyn KeyProtector>>) -> Result<DeviceErasure, Error> {
        if storage::presence(dir)? == storage::Presence::Absent && !storage::is_erasing(dir) {
            return Err(StorageError::NotFound.into());
        }
        let are_keys_gone = destroy_keys(dir, env, protector.as_ref())?;
        finish(dir, env, are_keys_gone, true)
    }

    /// Ends an erasure that was cut short. Errors: always [`StorageError::Erased`].
    pub(super) fn end_erasure(dir: &Path, env: &Env) -> Error {
        let aliases = storage::aliases_to_destroy(dir);
        // the slots go now: the marker alone names what a keystore still has to destroy
        let keeps_marker = !aliases.is_empty() && storage::mark_erasing(dir, &aliases).is_ok();
        let _ = storage::finish_erasing(dir, &env.random::<SLOT_FILE_BYTES>(), keeps_marker);
        StorageError::Erased.into()
    }

    /// The wait before the next passphrase: 1, 2, 4, … at most 60 s after ten wrong ones in a row.
    ///
    /// A courtesy: it slows down who has the phone and nothing else. Whoever copies the folder, or deletes the file that
    /// counts, tries as fast as Argon2id allows; a passphrase has to stand that, a keystore ends it.
    pub(super) fn check_wait(&self) -> Result<(), Error> {
        let (count, last) = storage::wrong_tries(&self.shared.dir);
        let Some(over) = count.checked_sub(FREE_TRIES_COUNT) else { return Ok(()) };
        let wait = WAIT_MAX_SECONDS.min(1 << over.min(6));
        let now = self.shared.env.now().seconds();
        // a clock that went back must not keep anybody out for longer than the wait
        let passed = if now < last { wait } else { now - last };
        if passed < wait { Err(Error::TooSoon { seconds: wait - passed }) } else { Ok(()) }
    }
}

/// Marker, keystore keys, slots. Whether every key is destroyed.
fn destroy_keys(dir: &Path, env: &Env, protector: Option<&Arc<dyn KeyProtector>>) -> Result<bool, Error> {
    // a damaged slot file names no key, and one may live on in the keystore
    let is_complete = !storage::has_unreadable_slots(dir);
    let aliases = storage::aliases_to_destroy(dir);
    // keys count more than being able to say so after a kill: a full disk does not stop this
    let _ = storage::mark_erasing(dir, &aliases);
    let is_gone =
        |alias: &Vec<u8>| protector.is_some_and(|protector| matches!(protector.destroy(alias), Ok(()) | Err(ProtectorError::Missing)));
    let left: Vec<Vec<u8>> = aliases.into_iter().filter(|alias| !is_gone(alias)).collect();
    let destroyed = storage::destroy_slots(dir, &env.random::<SLOT_FILE_BYTES>());
    let _ = storage::mark_erasing(dir, &left);
    destroyed?;
    Ok(is_complete && left.is_empty())
}

fn finish(dir: &Path, env: &Env, are_keys_gone: bool, may_remove: bool) -> Result<DeviceErasure, Error> {
    let removed = storage::finish_erasing(dir, &env.random::<SLOT_FILE_BYTES>(), !are_keys_gone);
    Ok(DeviceErasure { are_keys_gone, are_files_gone: may_remove && removed.is_ok() })
}

impl Shared {
    /// A handle was used.
    pub(super) fn touch(&self) {
        self.last_use.store(self.env.now().seconds(), Ordering::SeqCst);
    }

    /// Nobody used a handle for too long, or nobody can tell.
    pub(super) fn is_idle(&self) -> bool {
        let limit = self.idle_limit.load(Ordering::SeqCst);
        let (now, last) = (self.env.now().seconds(), self.last_use.load(Ordering::SeqCst));
        limit > 0 && (now >= last.saturating_add(limit) || now.saturating_add(CLOCK_STEP_SECONDS) < last)
    }
}

impl Unlocked {
    /// Locks the store: this and every other handle is dead.
    pub fn lock(&self) {
        self.store().lock();
    }

    /// The same handle for what runs by itself: its calls, and those of exchanges and sessions begun with it, are no use of
    /// the store by anybody, so that [`Store::lock_after`] locks a phone that stays in touch in somebody's pocket.
    #[must_use]
    pub fn unattended(&self) -> Self {
        Self { is_unattended: true, ..self.clone() }
    }
}
