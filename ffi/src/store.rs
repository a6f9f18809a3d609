//! The locked store, and founding.

use crate::error::{FfiError, call};
use crate::protector::{KeyProtector, keystore};
use crate::records::short_text;
use crate::recovery::Paper;
use crate::unlocked::Unlocked;
use satchel_core::crypto::{Argon2Params, Passphrase};
use satchel_core::env::Env;
use satchel_core::store::{self, KeyReplacement, Promise};
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What one try of a passphrase costs (Argon2id, RFC 9106).
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum KeyCost {
    /// 64 MiB, 3 passes: phones of today.
    Standard,
    /// 48 MiB, 3 passes: what an iOS app extension may use.
    Ios,
    /// 19 MiB, 2 passes, the least that is accepted: for old devices, and for tests.
    Least,
    /// Calibrated by the app.
    Exactly {
        /// Memory (KiB).
        memory_kib: u32,
        /// Passes (count).
        passes: u32,
        /// Lanes (count).
        lanes: u32,
    },
}

impl KeyCost {
    pub(crate) fn read(self) -> Result<store::KeyCost, FfiError> {
        Ok(match self {
            Self::Standard => store::KeyCost::Standard,
            Self::Ios => store::KeyCost::Ios,
            Self::Least => store::KeyCost::Least,
            Self::Exactly { memory_kib, passes, lanes } => {
                store::KeyCost::Exactly(Argon2Params::new(memory_kib, passes, lanes).map_err(satchel_core::Error::from)?)
            }
        })
    }
}

pub(crate) fn read_passphrase(bytes: Vec<u8>) -> Result<Passphrase, FfiError> {
    let bytes = Zeroizing::new(bytes);
    Ok(Passphrase::new(&bytes).map_err(satchel_core::Error::from)?)
}

/// A store on this device: one member of one team. Locked or not, all handles are one store.
#[derive(uniffi::Object)]
pub struct Store(store::Store);

impl Store {
    pub(crate) fn of(store: store::Store) -> Arc<Self> {
        Arc::new(Self(store))
    }

    pub(crate) const fn core(&self) -> &store::Store {
        &self.0
    }
}

#[uniffi::export]
impl Store {
    /// Opens the store in the folder `dir`, locked. Nothing is ever deleted or repaired.
    ///
    /// Errors: [`FfiError::Storage`]: no store here, in use, written by a newer app, damaged.
    #[uniffi::constructor]
    pub fn open(dir: &str) -> Result<Arc<Self>, FfiError> {
        call(|| Ok(Self::of(store::Store::open(Path::new(dir), Env::system())?)))
    }

    /// Unlocks with the passphrase (its bytes exactly; 1 to 1,024). Slow on purpose: call it off the main thread.
    ///
    /// Errors: [`FfiError::WrongPassphrase`]; [`FfiError::Storage`] for a damaged slot file.
    #[uniffi::method(default(protector = None))]
    pub fn unlock(&self, passphrase: Vec<u8>, protector: Option<Arc<dyn KeyProtector>>) -> Result<Arc<Unlocked>, FfiError> {
        call(|| {
            let passphrase = read_passphrase(passphrase)?;
            Ok(Unlocked::of(self.0.unlock(&passphrase, keystore(protector))?))
        })
    }

    /// Locks: every handle, observer and session is dead when this returns, and keys are wiped.
    pub fn lock(&self) -> Result<(), FfiError> {
        call(|| {
            self.0.lock();
            Ok(())
        })
    }

    /// Locks and closes the file, as a system demands that is about to freeze the process. Errors: [`FfiError::Storage`].
    pub fn suspend(&self) -> Result<(), FfiError> {
        call(|| Ok(self.0.suspend()?))
    }

    /// Opens the file again after `suspend`; the store stays locked. Errors: [`FfiError::Storage`].
    pub fn resume(&self) -> Result<(), FfiError> {
        call(|| Ok(self.0.resume()?))
    }

    /// Locks by itself when no handle was used for so many seconds; none, the beginning, never does.
    ///
    /// Looked at by every call, before anything is read, and by `lock_if_idle` for the app's timer. A clock that goes
    /// back by more than a minute locks too; a host whose timer counts by itself calls `lock`.
    pub fn lock_after(&self, seconds: Option<u64>) -> Result<(), FfiError> {
        call(|| {
            self.0.lock_after(seconds);
            Ok(())
        })
    }

    /// Locks if the time of `lock_after` is over. Whether the store is locked now.
    pub fn lock_if_idle(&self) -> Result<bool, FfiError> {
        call(|| Ok(self.0.lock_if_idle()))
    }

    /// Erases this store from the device, locked or not, without asking for the passphrase: first the keystore's keys,
    /// then the slots, then the files. Every handle is dead. Colleagues keep what they hold; a steward removes this device.
    ///
    /// `protector` may be left out where the store was unlocked with it. Errors: [`FfiError::Storage`], for the slots.
    #[uniffi::method(default(protector = None))]
    pub fn erase_device(&self, protector: Option<Arc<dyn KeyProtector>>) -> Result<DeviceErasure, FfiError> {
        call(|| Ok(self.0.erase_device(keystore(protector))?.into()))
    }

    /// Whether the store is unlocked.
    pub fn is_unlocked(&self) -> Result<bool, FfiError> {
        call(|| Ok(self.0.is_unlocked()))
    }

    /// Reads the whole file and says whether it is what was written. Errors: [`FfiError::Storage`].
    pub fn check(&self) -> Result<(), FfiError> {
        call(|| Ok(self.0.check()?))
    }
}

/// What is left of a device that was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct DeviceErasure {
    /// Every keystore key of this store is destroyed, or it had none. Otherwise: erase again, with the keystore. Where a damaged
    /// file named a key, nobody knows which, and the answer is then that there is no store.
    pub are_keys_gone: bool,
    /// The files are removed as well. Otherwise the next opening finishes it; without slots they open for nobody.
    pub are_files_gone: bool,
}

impl From<store::DeviceErasure> for DeviceErasure {
    fn from(erasure: store::DeviceErasure) -> Self {
        Self { are_keys_gone: erasure.are_keys_gone, are_files_gone: erasure.are_files_gone }
    }
}

/// As `Store.erase_device`, for a folder that is not open, also one in which an erasure began.
///
/// Errors: [`FfiError::Storage`]: `not_found` where no store lies, and the medium's.
#[uniffi::export(default(protector = None))]
pub fn erase_device_in(dir: &str, protector: Option<Arc<dyn KeyProtector>>) -> Result<DeviceErasure, FfiError> {
    call(|| Ok(store::Store::erase_device_in(Path::new(dir), &Env::system(), keystore(protector))?.into()))
}

#[uniffi::export]
impl Unlocked {
    /// Takes a new passphrase or keystore, and replaces store key and slot with it. Slow on purpose: call it off the main
    /// thread. A kill half-way leaves a store that opens with the old credentials or with the new ones.
    ///
    /// Errors: [`FfiError::InvalidInput`] for the passphrase, [`FfiError::Storage`]; then nothing has changed.
    #[uniffi::method(default(protector = None))]
    pub fn change_credentials(&self, passphrase: Vec<u8>, cost: KeyCost, protector: Option<Arc<dyn KeyProtector>>) -> Result<(), FfiError> {
        call(|| {
            let passphrase = read_passphrase(passphrase)?;
            let credentials = store::Credentials { passphrase: &passphrase, protector: keystore(protector), cost: cost.read()? };
            Ok(self.core().change_credentials(&credentials)?)
        })
    }

    /// Replaces store key, slot and keystore key, as every erasure does. Needs no passphrase. Errors: [`FfiError::Storage`].
    pub fn replace_store_key(&self) -> Result<KeyReplacement, FfiError> {
        call(|| Ok(self.core().replace_store_key()?))
    }

    /// What the last replacement of the store key is worth, or that one is due.
    pub fn key_replacement(&self) -> Result<KeyReplacement, FfiError> {
        call(|| Ok(self.core().key_replacement()?))
    }

    /// What stands between a copied folder and a guessed passphrase, as the store was opened now. See `caveats`.
    pub fn promise(&self) -> Result<Promise, FfiError> {
        call(|| Ok(self.core().promise()?))
    }
}

/// A team that was just founded.
#[derive(uniffi::Object)]
pub struct Founded {
    unlocked: Arc<Unlocked>,
    reseat_paper: Arc<Paper>,
}

#[uniffi::export]
impl Founded {
    /// The store, unlocked.
    pub fn unlocked(&self) -> Arc<Unlocked> {
        self.unlocked.clone()
    }

    /// The reseat key, to be printed once and never stored. It can remove a device and seat a steward, and opens no record.
    pub fn reseat_paper(&self) -> Arc<Paper> {
        self.reseat_paper.clone()
    }
}

/// Founds a team with one member, a steward, in a new store in the folder `dir`.
///
/// `time_zone` is an IANA name. Slow on purpose: call it off the main thread.
/// Errors: [`FfiError::InvalidInput`] for a name (`member_name`) or zone; [`FfiError::Storage`] where a store exists.
#[uniffi::export(default(protector = None))]
pub fn found_team(
    dir: &str,
    passphrase: Vec<u8>,
    time_zone: String,
    member_name: &str,
    cost: KeyCost,
    protector: Option<Arc<dyn KeyProtector>>,
) -> Result<Arc<Founded>, FfiError> {
    call(|| {
        let passphrase = read_passphrase(passphrase)?;
        let credentials = store::Credentials { passphrase: &passphrase, protector: keystore(protector), cost: cost.read()? };
        let founding = store::Founding { time_zone, member_name: short_text("member_name", member_name)? };
        let founded = store::Store::found(Path::new(dir), Env::system(), &credentials, &founding)?;
        Ok(Arc::new(Founded { unlocked: Unlocked::of(founded.unlocked), reseat_paper: Paper::of(founded.reseat_paper) }))
    })
}
