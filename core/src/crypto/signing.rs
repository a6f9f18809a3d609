//! Ed25519 signatures (RFC 8032), strictly verified, always under a label.
//!
//! `sign(label, message) = Ed25519(label ‖ 0x00 ‖ message)`: labels hold no NUL, so no signature of one
//! kind is one of another. Verification is strict: `s` below the group order, no small-order point, one
//! encoding per key, so that every replica comes to the same verdict and a signature has one form.

use super::kdf::derive_id;
use super::labels::{self, Label};
use crate::env::Env;
use ed25519_dalek::Signer;
use satchel_wire::DeviceId;
use std::fmt;
use zeroize::Zeroizing;

/// Why a key or a signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not a point, not its one encoding, or a point of small order. Remedy: refuse what carries the key.
    #[error("not a verifying key")]
    Key,
    /// Another key, another label, or altered bytes. Remedy: refuse what was signed.
    #[error("the signature does not verify")]
    Signature,
}

impl SignatureError {
    /// A stable code for the boundary.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Key => "signature.key",
            Self::Signature => "signature.wrong",
        }
    }
}

/// A signature: 64 bytes, `R ‖ s`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Length in bytes.
    pub const LENGTH_BYTES: usize = 64;

    /// Takes 64 bytes; whether they are a signature shows when they are verified.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }
    /// Takes a slice. Errors: [`SignatureError::Signature`] unless it has 64 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, SignatureError> {
        bytes.try_into().map(Self).map_err(|_| SignatureError::Signature)
    }
    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(..)")
    }
}

fn labelled(label: Label, message: &[u8]) -> Zeroizing<Vec<u8>> {
    // may hold plaintext of a record: wiped
    let mut bytes = Zeroizing::new(Vec::with_capacity(label.as_bytes().len() + 1 + message.len()));
    bytes.extend_from_slice(label.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(message);
    bytes
}

/// A secret signing key: on the heap, wiped when dropped, neither `Clone` nor `Copy`.
pub struct SigningKey(Box<ed25519_dalek::SigningKey>);

impl SigningKey {
    /// A fresh random key.
    pub fn make(env: &Env) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        env.fill(seed.as_mut_slice());
        Self::from_seed(&seed)
    }

    /// The key of a 32-byte seed (RFC 8032 calls the seed the private key); the caller wipes its own copy.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Box::new(ed25519_dalek::SigningKey::from_bytes(seed)))
    }

    /// The seed: to be sealed, never stored as it is.
    #[allow(dead_code, reason = "what seals the device's keys calls it")]
    pub(crate) fn expose_seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    /// Signs a message under a label.
    pub fn sign(&self, label: Label, message: &[u8]) -> Signature {
        Signature(self.0.sign(&labelled(label, message)).to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// A public verifying key in its one valid encoding, never of small order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// Length in bytes.
    pub const LENGTH_BYTES: usize = 32;

    /// Reads a key. Errors: [`SignatureError::Key`] unless it is a canonically encoded point of large order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SignatureError> {
        if !is_canonical(bytes) {
            return Err(SignatureError::Key);
        }
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| SignatureError::Key)?;
        // a small-order key verifies one signature for almost every message
        if key.is_weak() { Err(SignatureError::Key) } else { Ok(Self(key)) }
    }

    /// As [`VerifyingKey::from_bytes`], for a slice.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, SignatureError> {
        bytes.try_into().map_err(|_| SignatureError::Key).and_then(Self::from_bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The id of the device that holds this key: nobody can take another's.
    pub fn device_id(&self) -> DeviceId {
        DeviceId::from_bytes(derive_id(labels::DEVICE_ID, &[self.as_bytes()]))
    }

    /// Verifies a signature of `message` under `label`. Errors: [`SignatureError::Signature`].
    pub fn verify(&self, label: Label, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0.verify_strict(&labelled(label, message), &signature).map_err(|_| SignatureError::Signature)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.device_id())
    }
}

/// Whether the y coordinate (255 bits, little-endian) is below 2^255 - 19.
///
/// The other non-canonical form, "minus zero" as x, belongs to points of small order only.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = bytes;
    !(*lowest >= 0xed && middle.iter().all(|byte| *byte == 0xff) && highest & 0x7f == 0x7f)
}
