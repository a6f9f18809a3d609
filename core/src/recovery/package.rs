//! What leaves a board phone for a new one, sealed to the key on paper.
//!
//! ```text
//! package = "SATCHELRECOVERY1" (16) ‖ HPKE X-Wing to the recovery key: package key (32) ‖ AEAD(package key): content
//! ```
//!
//! Whoever carries it can do nothing with it: without k shares it does not open, and what the board phone keeps of
//! turns is sealed to the same key once more inside.

use super::RecoveryError;
use crate::crypto::{self, Aad, BOX_OVERHEAD_BYTES, EscrowKey, Nonce, ReceivingKey, ReceivingPublicKey, labels};
use crate::env::Env;
use zeroize::Zeroizing;

const MAGIC: &[u8; 16] = b"SATCHELRECOVERY1";
const KEY_BOX_BYTES: usize = BOX_OVERHEAD_BYTES + 32;
/// Largest package (bytes): a log of the most operations, with the turns.
pub const PACKAGE_MAX_BYTES: usize = 16 * 1024 * 1024;

/// Seals a package's content. Errors: [`RecoveryError::Package`] when it is too large.
pub fn seal_package(env: &Env, key: &ReceivingPublicKey, content: &[u8]) -> Result<Vec<u8>, RecoveryError> {
    let package_key = EscrowKey::make(env);
    let boxed = crypto::seal_box(env, key, &Aad::new(labels::BOX_PACKAGE), package_key.expose()).map_err(|_| RecoveryError::Package)?;
    let sealed = crypto::seal(&package_key, Nonce::make(env), &Aad::new(labels::PACKAGE), content).map_err(|_| RecoveryError::Package)?;
    let package = [MAGIC.as_slice(), &boxed, &sealed].concat();
    if package.len() > PACKAGE_MAX_BYTES { Err(RecoveryError::Package) } else { Ok(package) }
}

/// Opens a package. Errors: [`RecoveryError::Package`], [`RecoveryError::OtherKey`].
pub fn open_package(key: &ReceivingKey, package: &[u8]) -> Result<Zeroizing<Vec<u8>>, RecoveryError> {
    if package.len() > PACKAGE_MAX_BYTES {
        return Err(RecoveryError::Package);
    }
    let rest = package.strip_prefix(MAGIC).ok_or(RecoveryError::Package)?;
    let (boxed, sealed) = rest.split_at_checked(KEY_BOX_BYTES).ok_or(RecoveryError::Package)?;
    let package_key = crypto::open_box(key, &Aad::new(labels::BOX_PACKAGE), boxed).map_err(|_| RecoveryError::OtherKey)?;
    let package_key = EscrowKey::from_slice(&package_key).map_err(|_| RecoveryError::Package)?;
    crypto::open(&package_key, &Aad::new(labels::PACKAGE), sealed).map_err(|_| RecoveryError::Package)
}
