//! The platform's keystore, as the app implements it.

use satchel_core::store::{self, Caveat, KeyReplacement, Promise};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What a keystore promises.
#[uniffi::remote(Enum)]
pub enum Promise {
    /// Hardware that gives no key away and counts attempts: only then may a PIN open the store.
    Hardware,
    /// The operating system keeps the key away from other programs.
    System,
    /// A file beside the store.
    File,
    /// There is none: the passphrase alone opens a copied folder.
    None,
}

/// What a keystore cannot promise: the app says it in the user's language.
#[uniffi::remote(Enum)]
pub enum Caveat {
    /// Whoever copies the folder may try passphrases for as long as they like.
    CopyCanBeGuessed,
    /// Whoever copies the folder and the keystore's files may do so.
    CopyOfBothCanBeGuessed,
    /// Nothing counts attempts.
    AttemptsNotCounted,
    /// The medium may keep a destroyed key until it reuses the place.
    DestroyedKeyMayLinger,
    /// An old key slot that the medium kept still opens what was erased, with the passphrase of its time.
    OldSlotsStillOpen,
}

/// Whether the store key was replaced, as every erasure does, and what that is worth.
#[uniffi::remote(Enum)]
pub enum KeyReplacement {
    /// Old slots open nothing any more: their keystore key is destroyed.
    Done,
    /// There is no keystore: an old slot that the medium kept still opens old copies, with the passphrase of its time.
    WithoutKeystore,
    /// The keystore or the medium refused; the next write tries again.
    Due,
}

/// What a keystore with this promise cannot promise; empty for hardware.
#[uniffi::export]
pub fn caveats(promise: Promise) -> Vec<Caveat> {
    promise.caveats().to_vec()
}

/// Why the keystore did not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum KeyProtectorError {
    /// No such alias: the store was copied from another device, or its key destroyed.
    #[error("the keystore holds no such key")]
    Missing,
    /// The platform refused. Remedy: unlock the device, then try again.
    #[error("the keystore refused")]
    Refused,
    /// The platform cannot do this. Remedy: none needed, the store does without.
    #[error("the keystore cannot do this")]
    Unsupported,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for KeyProtectorError {
    // the reason is the app's own words, and dropped
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Refused
    }
}

/// Where the platform keeps one key per store: Android Keystore or Secure Enclave. Mandatory on phones.
///
/// The key never leaves it. Android: an AES-256-GCM key, in StrongBox where there is one. iOS: a P-256 key in the
/// Secure Enclave with `eciesEncryptionCofactorX963SHA256AESGCM`. What it wraps is ciphertext already.
/// Called on the thread that founds, joins, unlocks, erases or changes the passphrase.
#[uniffi::export(with_foreign)]
pub trait KeyProtector: Send + Sync {
    /// Makes a key under a fresh alias of 1 to 32 bytes, durable when it returns. Returns the alias.
    fn create(&self) -> Result<Vec<u8>, KeyProtectorError>;
    /// Encrypts, authenticated, under the key of an alias: 104 bytes, which may grow by at most 88.
    fn wrap(&self, alias: Vec<u8>, plain: Vec<u8>) -> Result<Vec<u8>, KeyProtectorError>;
    /// Decrypts what `wrap` made. Errors: [`KeyProtectorError::Missing`] without the key, [`KeyProtectorError::Refused`] otherwise.
    fn unwrap(&self, alias: Vec<u8>, wrapped: Vec<u8>) -> Result<Vec<u8>, KeyProtectorError>;
    /// Destroys the key of an alias, as finally as the platform can.
    fn destroy(&self, alias: Vec<u8>) -> Result<(), KeyProtectorError>;
    /// Whether the key is bound to hardware that counts attempts. A failure counts as no.
    fn is_hardware_bound(&self) -> Result<bool, KeyProtectorError>;
    /// Keeps the highest day that a store (16 bytes name it) was sure of (days since 1970-01-01) where a restored folder cannot
    /// take it back. Each store has its own.
    ///
    /// Errors: [`KeyProtectorError::Unsupported`] where the platform has no such place.
    fn note_day(&self, store: Vec<u8>, day: u32) -> Result<(), KeyProtectorError>;
    /// The highest day that was kept for a store, none before the first. Errors: as `note_day`.
    fn highest_day(&self, store: Vec<u8>) -> Result<Option<u32>, KeyProtectorError>;
}

/// The app's keystore as the core knows keystores.
struct Foreign(Arc<dyn KeyProtector>);

/// The app's keystore as the core takes it.
pub(crate) fn keystore(protector: Option<Arc<dyn KeyProtector>>) -> Option<Arc<dyn store::KeyProtector>> {
    protector.map(|protector| Arc::new(Foreign(protector)) as Arc<dyn store::KeyProtector>)
}

fn core_error(error: KeyProtectorError) -> store::ProtectorError {
    match error {
        KeyProtectorError::Missing => store::ProtectorError::Missing,
        KeyProtectorError::Refused => store::ProtectorError::Refused,
        KeyProtectorError::Unsupported => store::ProtectorError::Unsupported,
    }
}

impl store::KeyProtector for Foreign {
    fn create(&self) -> Result<Vec<u8>, store::ProtectorError> {
        self.0.create().map_err(core_error)
    }
    fn wrap(&self, alias: &[u8], plain: &[u8]) -> Result<Vec<u8>, store::ProtectorError> {
        self.0.wrap(alias.to_vec(), plain.to_vec()).map_err(core_error)
    }
    fn unwrap(&self, alias: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, store::ProtectorError> {
        self.0.unwrap(alias.to_vec(), wrapped.to_vec()).map(Zeroizing::new).map_err(core_error)
    }
    fn destroy(&self, alias: &[u8]) -> Result<(), store::ProtectorError> {
        self.0.destroy(alias.to_vec()).map_err(core_error)
    }
    fn is_hardware_bound(&self) -> bool {
        self.0.is_hardware_bound().unwrap_or(false)
    }
    fn note_day(&self, store: &[u8; 16], day: u32) -> Result<(), store::ProtectorError> {
        self.0.note_day(store.to_vec(), day).map_err(core_error)
    }
    fn highest_day(&self, store: &[u8; 16]) -> Result<Option<u32>, store::ProtectorError> {
        self.0.highest_day(store.to_vec()).map_err(core_error)
    }
}
