//! The store: one member of one team on one device.
//!
//! [`Store`] is locked, [`Unlocked`] is not: only the latter reads or writes, and [`Store::lock`] revokes
//! every handle at once. Each public call is one transaction: when it returns `Ok`, what it says is on disk.
//!
//! | file | holds |
//! |---|---|
//! | `vault` | what exists only while unlocked: keys, index, log, turns |
//! | `root` | the lasting secrets and how they are sealed |
//! | `index` | record keys and summaries in key pages |
//! | `ledger` | which bodies are known, in signed-day order |
//! | `founding` | creating a store: found a team, invite, join |
//! | `write`, `read` | records, by kind |
//! | `freeze` | drafts become numbered bodies at first departure |
//! | `accept` | what arrives, and the verdict on it |
//! | `recover` | bringing a team back after every phone is lost |
//! | `pack` | everything for the team in one sealed file |
//! | `gaps` | what is missing, and how it is asked for through the relay |
//! | `removal`, `beyond` | taking membership away, and what a removed device wrote beyond its cut |
//! | `replica`, `mailbox` | what sessions and relay exchanges need |

mod accept;
mod beyond;
mod catalogues;
mod date;
mod founding;
mod freeze;
mod gaps;
mod index;
mod ledger;
mod mailbox;
mod membership;
mod observer;
mod pack;
mod read;
mod recover;
mod removal;
mod replica;
mod root;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_sync;
mod vault;
mod write;

pub use accept::{Acceptance, BodyVerdict};
pub use beyond::WaitingBody;
pub use catalogues::CatalogueInfo;
pub use founding::{Credentials, Founded, Founding, JoinedStore, KeyCost, NewStore};
pub use mailbox::{RelayAddress, RelayAnswer, RelayError, RelayLink, RelayReport, RelayState};
pub use membership::{DeviceLine, HostedInvitation, TeamOverview};
pub use observer::{Change, Subscription};
pub use pack::{PackReader, PackReport, PackWriter};
pub use read::{EncounterLine, FollowUpLine, NameLine, ReferralLine, Shown};
pub use recover::{Recovered, Recovering, RecoveryStatus, Reseated};
pub use removal::{AwaitedSignature, RemovalPlan};
pub use replica::PeerLink;
pub use root::{KeyProtector, ProtectorError};
pub use write::{EncounterDraft, OfferDraft, TallyTap};

use crate::crypto::{self, Aad, Argon2Params, Passphrase, StoreKey, labels};
use crate::env::Env;
use crate::error::Error;
use crate::storage::{self, Database, Slot, SlotFile, SlotKind, StorageError};
use observer::Observers;
use root::Root;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use vault::Vault;

/// A store on this device. Cheap to clone; all clones are one store.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

struct Shared {
    env: Env,
    dir: PathBuf,
    /// Grows at every lock: a handle of an earlier generation is dead before the mutex is even asked.
    generation: AtomicU64,
    inner: Mutex<Inner>,
    observers: Observers,
}

struct Inner {
    /// None while suspended.
    database: Option<Database>,
    vault: Option<Vault>,
}

/// An unlocked handle. Dead as soon as the store is locked; every call then answers [`Error::Locked`].
#[derive(Clone)]
pub struct Unlocked {
    shared: Arc<Shared>,
    generation: u64,
}

impl std::fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unlocked")
    }
}

impl Store {
    /// Opens an existing store, locked.
    ///
    /// Errors: [`StorageError::NotFound`], [`StorageError::InUse`], [`StorageError::Newer`],
    /// [`StorageError::Damaged`] and the medium's; nothing is ever deleted or repaired.
    pub fn open(dir: &Path, env: Env) -> Result<Self, Error> {
        let database = Database::open(dir)?;
        Ok(Self::around(dir, env, database))
    }

    fn around(dir: &Path, env: Env, database: Database) -> Self {
        let inner = Mutex::new(Inner { database: Some(database), vault: None });
        Self {
            shared: Arc::new(Shared { env, dir: dir.to_owned(), generation: AtomicU64::new(0), inner, observers: Observers::default() }),
        }
    }

    /// Unlocks with a passphrase (and the platform's keystore, where the slot asks for it). Slow on purpose: Argon2id.
    ///
    /// Errors: [`Error::WrongPassphrase`], constant for every slot that does not open; [`StorageError::Slots`] for a
    /// damaged or crafted slot file, before any memory is taken for it.
    pub fn unlock(&self, passphrase: &Passphrase, protector: Option<&dyn KeyProtector>) -> Result<Unlocked, Error> {
        let generation = self.shared.generation.load(Ordering::SeqCst);
        let slots = storage::read_slots(&self.shared.dir)?;
        let unlocked = open_slots(&slots, passphrase, protector).and_then(|key| self.unlock_with(&slots, key, generation));
        wipe_stack();
        unlocked
    }

    /// `generation` is that from before the passphrase was tried: a lock in the meantime wins.
    fn unlock_with(&self, slots: &SlotFile, key: StoreKey, generation: u64) -> Result<Unlocked, Error> {
        let mut inner = self.shared.lock_inner();
        if self.shared.generation.load(Ordering::SeqCst) != generation {
            return Err(Error::Locked);
        }
        let database = match &mut inner.database {
            Some(database) => database,
            None => inner.database.insert(Database::open(&self.shared.dir)?),
        };
        let vault = database.read::<_, Error>(|reader| Vault::open(&self.shared.env, reader, slots.store_id, key))?;
        inner.vault = Some(vault);
        Ok(Unlocked { shared: self.shared.clone(), generation })
    }

    /// Locks: every handle, observer and session of this store is dead when this returns, and keys are wiped.
    pub fn lock(&self) {
        self.shared.generation.fetch_add(1, Ordering::SeqCst);
        self.shared.observers.clear();
        self.shared.lock_inner().vault = None;
    }

    /// Locks, writes the log back and closes the file, as a system that is about to freeze the process demands.
    pub fn suspend(&self) -> Result<(), Error> {
        let unlocked = Unlocked { shared: self.shared.clone(), generation: self.shared.generation.load(Ordering::SeqCst) };
        // makes the next list quicker and nothing else: where it fails (locked, no room), all is still as it was
        let _ = unlocked.write(|vault, tx| vault.fold_tails(tx));
        self.lock();
        match self.shared.lock_inner().database.take() {
            Some(database) => Ok(database.close()?),
            None => Ok(()),
        }
    }

    /// Opens the file again after [`Store::suspend`]; the store stays locked. Errors: as [`Store::open`].
    pub fn resume(&self) -> Result<(), Error> {
        let mut inner = self.shared.lock_inner();
        if inner.database.is_none() {
            inner.database = Some(Database::open(&self.shared.dir)?);
        }
        Ok(())
    }

    /// Whether the store is unlocked.
    pub fn is_unlocked(&self) -> bool {
        self.shared.lock_inner().vault.is_some()
    }

    /// Reads the whole file and says whether it is what was written. Errors: [`StorageError::Damaged`].
    pub fn check(&self) -> Result<(), Error> {
        let mut inner = self.shared.lock_inner();
        inner.database.as_mut().ok_or(Error::Storage(StorageError::NotFound))?.check()?;
        Ok(())
    }
}

impl Shared {
    fn lock_inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| {
            // a panic inside a call rolled its transaction back, but memory may be ahead of the disk: lock the store
            let mut inner = poisoned.into_inner();
            inner.vault = None;
            self.inner.clear_poison();
            inner
        })
    }
}

impl Unlocked {
    /// Locks the store: this and every other handle is dead.
    pub fn lock(&self) {
        Store { shared: self.shared.clone() }.lock();
    }

    /// The locked view of the same store.
    pub fn store(&self) -> Store {
        Store { shared: self.shared.clone() }
    }

    /// Replaces every key slot by one for new credentials.
    ///
    /// The new slot is on disk before the keystore secrets of the old ones are destroyed, so that a kill half-way
    /// leaves a store that opens. Without a keystore an old slot may survive in flash: it still opens with the old
    /// passphrase, and only with it. Errors: those of the credentials and of the medium; then nothing has changed.
    pub fn change_credentials(&self, credentials: &Credentials<'_>) -> Result<(), Error> {
        let (key, store_id) = self.read(|vault, _| Ok((vault.duplicate_store_key(), vault.store_id)))?;
        // outside the store's lock: Argon2id takes its time
        let slot = make_slot(self.env(), &store_id, 0, credentials, &key)?;
        let mut slots = storage::read_slots(&self.shared.dir)?;
        let old = std::mem::take(&mut slots.slots);
        if let Some(first) = slots.slots.first_mut() {
            *first = Some(slot);
        }
        let mut inner = self.alive()?;
        let database = inner.database.as_mut().ok_or(Error::Locked)?;
        database.write_slots(&slots, &self.env().random::<{ storage::SLOT_FILLER_BYTES }>())?;
        if let Some(protector) = credentials.protector {
            for slot in old.iter().flatten().filter(|slot| !slot.keystore_alias().is_empty()) {
                // a secret that cannot be destroyed now opens nothing that is still in use
                let _ = protector.destroy(slot.keystore_alias());
            }
        }
        Ok(())
    }

    fn env(&self) -> &Env {
        &self.shared.env
    }

    /// Runs one transaction with the keys. If it fails, memory goes back to what is on disk.
    fn write<T>(&self, work: impl FnOnce(&mut Vault, &storage::Transaction<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let done = self.transact(work);
        wipe_stack();
        done
    }

    #[inline(never)]
    fn transact<T>(&self, work: impl FnOnce(&mut Vault, &storage::Transaction<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let mut inner = self.alive()?;
        let Inner { database, vault } = &mut *inner;
        let (Some(database), Some(open)) = (database.as_mut(), vault.as_mut()) else { return Err(Error::Locked) };
        let done = database.transaction(|tx| {
            let value = work(open, tx)?;
            open.save(tx)?;
            Ok::<_, Error>(value)
        });
        match done {
            Ok(value) => {
                let changes = open.take_changes();
                drop(inner);
                self.shared.observers.notify(&changes);
                Ok(value)
            }
            Err(error) => {
                // what the closure changed in memory never happened: read it all again
                let reread = database.read::<_, Error>(|reader| open.reopen(reader));
                if reread.is_err() {
                    inner.vault = None;
                }
                Err(error)
            }
        }
    }

    /// Reads with the keys.
    fn read<T>(&self, look: impl FnOnce(&mut Vault, &storage::Reader<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let seen = self.look(look);
        wipe_stack();
        seen
    }

    #[inline(never)]
    fn look<T>(&self, look: impl FnOnce(&mut Vault, &storage::Reader<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let mut inner = self.alive()?;
        let Inner { database, vault } = &mut *inner;
        let (Some(database), Some(open)) = (database.as_mut(), vault.as_mut()) else { return Err(Error::Locked) };
        database.read(|reader| look(open, reader))
    }

    fn alive(&self) -> Result<MutexGuard<'_, Inner>, Error> {
        let is_current = || self.shared.generation.load(Ordering::SeqCst) == self.generation;
        if !is_current() {
            return Err(Error::Locked);
        }
        let inner = self.shared.lock_inner();
        if is_current() { Ok(inner) } else { Err(Error::Locked) }
    }
}

/// How much of the stack below a public call is overwritten after it: more than any of them uses (bytes).
const STACK_WIPED_BYTES: usize = 128 * 1024;

/// Overwrites what the calls before left on the stack of this thread: moved values, decoded keys, short texts of
/// the document engine. What is wiped when dropped is wiped where it lay last, not everywhere it lay.
#[inline(never)]
fn wipe_stack() {
    let mut dead = [0_u8; STACK_WIPED_BYTES];
    // not optimised away: the compiler must assume that somebody reads it
    std::hint::black_box(&mut dead);
}

/// Tries every slot that the given credentials fit.
fn open_slots(slots: &SlotFile, passphrase: &Passphrase, protector: Option<&dyn KeyProtector>) -> Result<StoreKey, Error> {
    for (number, slot) in slots.slots.iter().enumerate() {
        let Some(slot) = slot else { continue };
        let secret = match (slot.kind(), protector) {
            (SlotKind::Passphrase | SlotKind::Recovery, _) => None,
            (SlotKind::PassphraseKeystore, Some(protector)) => protector.secret(slot.keystore_alias()).ok(),
            (SlotKind::PinKeystore, Some(protector)) if protector.is_hardware_bound() => protector.secret(slot.keystore_alias()).ok(),
            _ => continue,
        };
        if matches!(slot.kind(), SlotKind::PassphraseKeystore | SlotKind::PinKeystore) && secret.is_none() {
            continue;
        }
        let cost = slot.cost();
        let params = Argon2Params::new(cost.memory_kib(), cost.passes(), cost.lanes())?;
        let unlock_key = crypto::derive_unlock_key(passphrase, slot.salt(), params, secret.as_ref())?;
        let aad = slot_aad(&slots.store_id, number, slot.kind(), slot.keystore_alias());
        if let Ok(key) = crypto::unwrap_store_key(&unlock_key, &aad, slot.wrapped_key()) {
            return Ok(key);
        }
    }
    Err(Error::WrongPassphrase)
}

fn slot_aad(store_id: &[u8; 16], number: usize, kind: SlotKind, alias: &[u8]) -> Aad {
    let kind = match kind {
        SlotKind::Passphrase => 1,
        SlotKind::PassphraseKeystore => 2,
        SlotKind::PinKeystore => 3,
        SlotKind::Recovery => 4,
    };
    Aad::new(labels::SLOT).add(store_id).add(&[number as u8, kind]).add(alias)
}

/// Makes the slot that credentials open.
fn make_slot(env: &Env, store_id: &[u8; 16], number: usize, credentials: &Credentials<'_>, key: &StoreKey) -> Result<Slot, Error> {
    let (kind, alias, secret) = match credentials.protector {
        None => (SlotKind::Passphrase, Vec::new(), None),
        Some(protector) => {
            let (alias, secret) = protector.create().map_err(|_| Error::Storage(StorageError::NoAccess))?;
            (SlotKind::PassphraseKeystore, alias, Some(secret))
        }
    };
    let salt = env.random::<16>();
    let params = credentials.cost.params()?;
    let unlock_key = crypto::derive_unlock_key(credentials.passphrase, &salt, params, secret.as_ref())?;
    let wrapped = crypto::wrap_store_key(env, &unlock_key, &slot_aad(store_id, number, kind, &alias), key).map_err(|_| Error::Damaged)?;
    let cost = storage::Argon2Cost::new(params.memory_kib(), params.passes(), params.lanes())?;
    Ok(Slot::new(kind, cost, salt, &alias, &wrapped)?)
}

/// Seals a new root and stores it with the slots: the last step of creating a store.
fn write_root(tx: &storage::Transaction<'_>, env: &Env, store_id: &[u8; 16], root: &Root, key: &StoreKey) -> Result<(), Error> {
    Ok(tx.put_meta(root::ROOT, &root.seal(env, store_id, key)?)?)
}
