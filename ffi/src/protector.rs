//! The platform's keystore, as the app implements it.

use satchel_core::crypto::KeystoreSecret;
use satchel_core::store;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Why the keystore did not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum KeyProtectorError {
    /// No such alias: the store was copied from another device, or its key destroyed.
    #[error("the keystore holds no such secret")]
    Missing,
    /// The platform refused. Remedy: unlock the device, then try again.
    #[error("the keystore refused")]
    Refused,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for KeyProtectorError {
    // the reason is the app's own words, and dropped
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Refused
    }
}

/// Where the platform keeps one secret per store: Android Keystore or Secure Enclave. Mandatory on phones.
///
/// Called on the thread that founds, joins or unlocks.
#[uniffi::export(with_foreign)]
pub trait KeyProtector: Send + Sync {
    /// Makes 32 random bytes under a fresh alias of 1 to 32 bytes, durable when it returns. Returns the alias.
    fn create(&self) -> Result<Vec<u8>, KeyProtectorError>;
    /// The 32 bytes of an alias.
    fn secret(&self, alias: Vec<u8>) -> Result<Vec<u8>, KeyProtectorError>;
    /// Destroys the secret of an alias, as finally as the platform can.
    fn destroy(&self, alias: Vec<u8>) -> Result<(), KeyProtectorError>;
    /// Whether the secret is bound to hardware that counts attempts. A failure counts as no.
    fn is_hardware_bound(&self) -> Result<bool, KeyProtectorError>;
}

/// The app's keystore as the core knows keystores.
pub(crate) struct Foreign(pub Arc<dyn KeyProtector>);

impl Foreign {
    /// Borrows as the core takes it.
    pub(crate) fn of(protector: Option<Arc<dyn KeyProtector>>) -> Option<Self> {
        protector.map(Self)
    }
}

fn core_error(error: KeyProtectorError) -> store::ProtectorError {
    match error {
        KeyProtectorError::Missing => store::ProtectorError::Missing,
        KeyProtectorError::Refused => store::ProtectorError::Refused,
    }
}

impl store::KeyProtector for Foreign {
    fn create(&self) -> Result<(Vec<u8>, KeystoreSecret), store::ProtectorError> {
        let alias = self.0.create().map_err(core_error)?;
        let secret = self.secret(&alias)?;
        Ok((alias, secret))
    }
    fn secret(&self, alias: &[u8]) -> Result<KeystoreSecret, store::ProtectorError> {
        let bytes = Zeroizing::new(self.0.secret(alias.to_vec()).map_err(core_error)?);
        KeystoreSecret::from_slice(&bytes).map_err(|_| store::ProtectorError::Refused)
    }
    fn destroy(&self, alias: &[u8]) -> Result<(), store::ProtectorError> {
        self.0.destroy(alias.to_vec()).map_err(core_error)
    }
    fn is_hardware_bound(&self) -> bool {
        self.0.is_hardware_bound().unwrap_or(false)
    }
}
