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
//! | `charter` | changing the policy |
//! | `complaints`, `board` | complaints that wait and leave; the board's keys, book and bulletins |
//! | `consent` | grants, withdrawals, recipients, the sharing log |
//! | `vaults` | gated facts, under a live grant |
//! | `shares` | packets for recipients outside, and asking for them back |
//! | `received` | pairings shown here, packets from other teams, and erasing what they brought |
//! | `holding` | what is held about somebody, for them |
//! | `pack` | everything for the team in one sealed file |
//! | `erase`, `retention` | what must go: at somebody's word, and by age |
//! | `keystore` | the platform's keystore, and one of files |
//! | `key_state` | which keys are here and why, to be told |
//! | `unlocking`, `rekey` | from slots and credentials to the store key; replacing it |
//! | `locking` | locking, by itself or not; erasing this device |
//! | `freeze` | drafts become numbered bodies at first departure |
//! | `accept` | what arrives, and the verdict on it |
//! | `likeness` | whether two phones hold the same |
//! | `dangerous` | every secret at once, for the test that plays the thief |
//! | `dangerous_past` | what an older app left behind, for tests that open it |
//! | `recover` | bringing a team back after every phone is lost |
//! | `gaps` | what is missing, and how it is asked for through the relay |
//! | `removal`, `beyond` | taking membership away, and what a removed device wrote beyond its cut |
//! | `replica`, `mailbox` | what sessions and relay exchanges need |
//! | `pages`, `publish`, `deletion` | wire pages taken and published, and what may be deleted at a relay |

mod accept;
mod beyond;
mod board;
mod catalogues;
mod charter;
mod complaints;
mod consent;
#[cfg(feature = "adversary")]
mod dangerous;
#[cfg(feature = "adversary")]
mod dangerous_past;
mod date;
mod deletion;
mod erase;
mod founding;
mod freeze;
mod gaps;
mod holding;
mod index;
mod inviting;
mod key_state;
mod keystore;
mod ledger;
mod likeness;
mod locking;
mod mailbox;
mod membership;
mod nearby;
mod observer;
mod pack;
mod pages;
mod publish;
mod read;
mod received;
mod recover;
mod rekey;
mod removal;
mod replica;
mod retention;
mod root;
mod shares;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_inviting;
#[cfg(test)]
mod tests_keys;
#[cfg(test)]
mod tests_pages;
#[cfg(test)]
mod tests_sync;
mod unlocking;
mod vault;
mod vaults;
mod write;

pub use accept::{Acceptance, BodyVerdict};
pub use beyond::WaitingBody;
pub use board::{BoardKeys, BookLine};
pub use catalogues::CatalogueInfo;
pub use charter::{CharterChange, CharterDecision, CharterEvent};
pub use complaints::{BoardStatus, board_words};
pub use consent::{GrantLine, RecipientLine, RecordedBy, SharingLine, WithdrawalLine, WithdrawalReport};
#[cfg(feature = "adversary")]
pub use dangerous::{Loot, LootClass, RecordLoot};
pub use erase::{DroppedEdit, ErasureReceipt};
pub use founding::{Credentials, Founded, Founding, JoinedStore, KeyCost, NewStore};
pub use inviting::{CodeInvitation, TypedStore};
pub use key_state::{HeldBecause, KeyState, TurnLine};
pub use keystore::{Caveat, FileKeystore, KeyProtector, Promise, ProtectorError};
pub use likeness::Likeness;
pub use locking::DeviceErasure;
pub use mailbox::{
    InboxEnd, InboxReport, LockedInbox, Network, NetworkChoice, Outlook, RelayAddress, RelayAnswer, RelayError, RelayLink, RelayReport,
    RelayState, TrafficDay, read_waited,
};
pub use membership::{DeviceLine, HostedInvitation, TeamOverview};
pub use observer::{Change, Subscription};
pub use pack::{PackParts, PackReader, PackReport, PackWriter};
pub use read::{EncounterLine, FollowUpLine, NameLine, ReferralLine, Shown};
pub use received::{Opened, PairingLine, ReceivedLine, ShownOffer};
pub use recover::{Recovered, Recovering, RecoveryStatus, Reseated};
pub use rekey::KeyReplacement;
pub use removal::{AwaitedSignature, RemovalPlan};
pub use replica::PeerLink;
pub use retention::TendReport;
pub use shares::{ShareLine, SharePlan, ShareState, SharedPacket};
pub use vaults::{OpenVault, VaultLine, vault_record};
pub use write::{EncounterDraft, OfferDraft, TallyTap};

use crate::crypto::{Passphrase, StoreKey};
use crate::env::Env;
use crate::error::Error;
use crate::rules::Rule;
use crate::storage::{self, Database, SlotFile, StorageError};
use observer::Observers;
use root::Root;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use unlocking::{Opener, open_slots};
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
    /// After how many seconds without a call the store locks itself; 0 never.
    idle_limit: AtomicU64,
    /// When a handle was used last (Unix seconds).
    last_use: AtomicU64,
    inner: Mutex<Inner>,
    observers: Observers,
    /// What the host says of the network.
    network: mailbox::NetworkInUse,
}

struct Inner {
    /// None while suspended.
    database: Option<Database>,
    vault: Option<Vault>,
    /// What the store was unlocked with. There exactly while the vault is.
    opener: Option<Opener>,
    /// The slot file holds more than the slot in use: a replacement of the key is to be finished by the next write.
    has_other_slots: bool,
}

impl Inner {
    /// Wipes every key.
    fn forget(&mut self) {
        self.vault = None;
        self.opener = None;
    }
}

/// An unlocked handle. Dead as soon as the store is locked; every call then answers [`Error::Locked`].
#[derive(Clone)]
pub struct Unlocked {
    shared: Arc<Shared>,
    generation: u64,
    /// A program calls by itself: that nobody touches the phone stays true.
    is_unattended: bool,
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
    /// [`StorageError::Damaged`] and the medium's; nothing is ever deleted or repaired, unless an erasure of this device
    /// was cut short, which is finished: [`StorageError::Erased`].
    pub fn open(dir: &Path, env: Env) -> Result<Self, Error> {
        if storage::is_erasing(dir) {
            return Err(Self::end_erasure(dir, &env));
        }
        let database = Database::open(dir)?;
        Ok(Self::around(dir, env, database))
    }

    fn around(dir: &Path, env: Env, database: Database) -> Self {
        let inner = Mutex::new(Inner { database: Some(database), vault: None, opener: None, has_other_slots: false });
        let zero = || AtomicU64::new(0);
        let (observers, network) = (Observers::default(), mailbox::NetworkInUse::default());
        let shared =
            Shared { env, dir: dir.to_owned(), generation: zero(), idle_limit: zero(), last_use: zero(), inner, observers, network };
        Self { shared: Arc::new(shared) }
    }

    /// Unlocks with a passphrase (and the platform's keystore, where the slot asks for it). Slow on purpose: Argon2id.
    ///
    /// Errors: [`Error::WrongPassphrase`], constant for every slot that does not open; [`Error::TooSoon`] after many of
    /// them; [`StorageError::Slots`] for a
    /// damaged or crafted slot file, before any memory is taken for it.
    pub fn unlock(&self, passphrase: &Passphrase, protector: Option<Arc<dyn KeyProtector>>) -> Result<Unlocked, Error> {
        let generation = self.shared.generation.load(Ordering::SeqCst);
        self.check_wait()?;
        let slots = storage::read_slots(&self.shared.dir)?;
        let unlocked = open_slots(&slots, passphrase, protector.as_ref()).and_then(|opened| self.unlock_with(&slots, opened, generation));
        wipe_stack();
        // the count is a courtesy: a medium that does not take it changes nothing
        let _ = match &unlocked {
            Err(Error::WrongPassphrase) => storage::count_wrong_try(&self.shared.dir, self.shared.env.now().seconds()),
            _ if unlocked.is_ok() => storage::forget_wrong_tries(&self.shared.dir),
            _ => Ok(()),
        };
        let unlocked = unlocked?;
        // what cannot be taken now, for want of room, waits for the next unlocking
        let _ = unlocked.take_inbox();
        if self.shared.lock_inner().has_other_slots {
            // a replacement of the key was cut short: any write finishes it, and where none can be made now a later one does
            let _ = unlocked.write(|vault, _| {
                vault.touch_root();
                Ok(())
            });
        }
        Ok(unlocked)
    }

    /// `generation` is that from before the passphrase was tried: a lock in the meantime wins.
    fn unlock_with(&self, slots: &SlotFile, opened: Vec<(Opener, StoreKey)>, generation: u64) -> Result<Unlocked, Error> {
        let mut inner = self.shared.lock_inner();
        if self.shared.generation.load(Ordering::SeqCst) != generation {
            return Err(Error::Locked);
        }
        let inner = &mut *inner;
        let database = match &mut inner.database {
            Some(database) => database,
            None => inner.database.insert(Database::open(&self.shared.dir)?),
        };
        let slot_count = slots.slots.iter().flatten().count();
        // the last word on which slot counts is the root's: of two, only one opens it
        let mut outcome = if opened.len() < slot_count { Error::WrongPassphrase } else { Error::Damaged };
        for (opener, key) in opened {
            match database.read::<_, Error>(|reader| Vault::open(&self.shared.env, reader, slots.store_id, key)) {
                Ok(mut vault) => {
                    if let Some(protector) = &opener.protector {
                        vault.recall_day(protector.as_ref());
                    }
                    inner.vault = Some(vault);
                    inner.opener = Some(opener);
                    inner.has_other_slots = slot_count > 1;
                    self.shared.touch();
                    return Ok(Unlocked { shared: self.shared.clone(), generation, is_unattended: false });
                }
                Err(Error::Damaged) => {}
                Err(error) => outcome = error,
            }
        }
        Err(outcome)
    }

    /// Locks, writes the log back and closes the file, as a system that is about to freeze the process demands.
    pub fn suspend(&self) -> Result<(), Error> {
        let generation = self.shared.generation.load(Ordering::SeqCst);
        let unlocked = Unlocked { shared: self.shared.clone(), generation, is_unattended: true };
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
            inner.forget();
            self.inner.clear_poison();
            inner
        })
    }
}

impl Unlocked {
    /// The locked view of the same store.
    pub fn store(&self) -> Store {
        Store { shared: self.shared.clone() }
    }

    fn env(&self) -> &Env {
        &self.shared.env
    }

    /// Runs one transaction with the keys. If it fails, memory goes back to what is on disk.
    fn write<T>(&self, work: impl FnOnce(&mut Vault, &storage::Transaction<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let done = self.transact(None, work);
        wipe_stack();
        done
    }

    /// `credentials`, if any, replace those in use; otherwise the store key is replaced where an erasure asked for it.
    #[inline(never)]
    fn transact<T>(
        &self,
        credentials: Option<Opener>,
        work: impl FnOnce(&mut Vault, &storage::Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut inner = self.alive()?;
        let Inner { database, vault, opener, has_other_slots } = &mut *inner;
        let (Some(database), Some(open), Some(opener)) = (database.as_mut(), vault.as_mut(), opener.as_mut()) else {
            return Err(Error::Locked);
        };
        let (env, dir) = (&self.shared.env, &self.shared.dir);
        let mut replacement = None;
        let day_before = open.state.day_seen;
        open.has_other_slots = *has_other_slots;
        #[cfg(feature = "adversary")]
        let _as = crate::screen::DangerousVersion::begin(self.shared.env.dangerous_guard());
        let done = database.transaction(|tx| {
            if *has_other_slots {
                // a write that writes nothing would not say for certain which root is the last one
                open.touch_root();
            }
            let value = work(open, tx)?;
            open.settle(tx)?;
            if let Some(next) = credentials {
                replacement = Some(rekey::begin(env, dir, opener, Some(next), open)?);
            } else if open.state.is_rekey_due && env.holds(Rule::ReplaceStoreKey) {
                // an erasure is not held up by a keystore that refuses: what stays due is done by a later write
                replacement = rekey::begin(env, dir, opener, None, open).ok();
            }
            if replacement.is_some() {
                open.state.is_rekey_due = false;
            }
            open.save(tx)?;
            Ok::<_, Error>(value)
        });
        *has_other_slots |= replacement.is_some();
        match done {
            Ok(value) => {
                if *has_other_slots {
                    let former = replacement.as_ref().and_then(rekey::Replacement::former);
                    *has_other_slots = !rekey::settle(env, dir, opener, former, database).unwrap_or(false);
                }
                if let Some(protector) = opener.protector.as_ref().filter(|_| open.state.day_seen > day_before) {
                    open.keep_day(protector.as_ref(), day_before);
                }
                let changes = open.take_changes();
                drop(inner);
                self.shared.observers.notify(&changes);
                Ok(value)
            }
            Err(error) => {
                if let Some(replacement) = replacement {
                    rekey::take_back(replacement, opener, open);
                }
                // what the closure changed in memory never happened: read it all again
                let reread = database.read::<_, Error>(|reader| open.reopen(reader));
                if reread.is_err() {
                    inner.forget();
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
        let Inner { database, vault, .. } = &mut *inner;
        let (Some(database), Some(open)) = (database.as_mut(), vault.as_mut()) else { return Err(Error::Locked) };
        #[cfg(feature = "adversary")]
        let _as = crate::screen::DangerousVersion::begin(self.shared.env.dangerous_guard());
        database.read(|reader| look(open, reader))
    }

    fn alive(&self) -> Result<MutexGuard<'_, Inner>, Error> {
        let is_current = || self.shared.generation.load(Ordering::SeqCst) == self.generation;
        if !is_current() {
            return Err(Error::Locked);
        }
        if self.shared.is_idle() {
            self.lock();
            return Err(Error::Locked);
        }
        if !self.is_unattended {
            self.shared.touch();
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

/// Seals a new root and stores it with the slots: the last step of creating a store.
fn write_root(tx: &storage::Transaction<'_>, env: &Env, store_id: &[u8; 16], root: &Root, key: &StoreKey) -> Result<(), Error> {
    Ok(tx.put_meta(root::ROOT, &root.seal(env, store_id, key)?)?)
}
