//! Boxes: HPKE (RFC 9180, base mode, single shot) to a hybrid post-quantum receiving key.
//!
//! ```text
//! suite 1: KEM X-Wing (0x647a: X25519 + ML-KEM-768), KDF HKDF-SHA256 (0x0001), AEAD ChaCha20-Poly1305 (0x0003)
//! box    = suite (1) ‖ encapsulated key (1120) ‖ ciphertext ‖ tag (16)
//! info   = "satchel 2026-11-22 box" ‖ suite
//! ```
//!
//! Hybrid because a relay's disk may be kept for decades: a box stays closed while X25519 *or* ML-KEM-768
//! holds. X-Wing and its HPKE binding are drafts (draft-connolly-cfrg-xwing-kem,
//! draft-ietf-hpke-pq) and may still change, hence the suite byte; no Rust crate of ML-KEM or X-Wing has
//! been audited, and if it fails classical security remains that of X25519. Base mode says nothing about
//! the sender: what is boxed is signed elsewhere. ChaCha20-Poly1305 does not commit to its key, so two
//! recipients may be shown different contents: a turn's id commits to its secret.

use super::aead::{Aad, TAG_BYTES};
use super::labels;
use crate::env::Env;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use satchel_wire::limits::BOX_PLAINTEXT_MAX_BYTES;
use std::fmt;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

/// The only suite so far.
const SUITE_XWING: u8 = 1;
/// Length of an encapsulated key (bytes).
pub(super) const ENCAPSULATED_BYTES: usize = 1_120;
/// How much longer a box is than its plaintext (bytes).
pub const BOX_OVERHEAD_BYTES: usize = 1 + ENCAPSULATED_BYTES + TAG_BYTES;

type PrivateKey = <XWing as Kem>::PrivateKey;
type PublicKey = <XWing as Kem>::PublicKey;
type EncappedKey = <XWing as Kem>::EncappedKey;

/// Why a box was not made or not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BoxError {
    /// Not a receiving key. Remedy: refuse what carries it.
    #[error("not a receiving key")]
    Key,
    /// Too short or too long. Remedy: refuse the box, or box less.
    #[error("a box's size is out of bounds")]
    Length,
    /// Made by a newer version, or not a box. Remedy: hold it until this app is updated.
    #[error("unknown kind of box")]
    Suite,
    /// For another key, altered, or with other associated data. Remedy: try the next key, or refuse.
    #[error("the box does not open with this key")]
    Closed,
}

impl BoxError {
    /// A stable code for the boundary.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Key => "box.key",
            Self::Length => "box.length",
            Self::Suite => "box.suite",
            Self::Closed => "box.closed",
        }
    }
}

/// A secret receiving key: the 32-byte X-Wing seed, on the heap, wiped when dropped; meant to be used once.
pub struct ReceivingKey(Box<[u8; 32]>);

impl ReceivingKey {
    /// A fresh random key.
    pub fn make(env: &Env) -> Self {
        let mut seed = Box::new([0; 32]);
        env.fill(seed.as_mut_slice());
        Self(seed)
    }

    /// Copies a 32-byte seed; the caller wipes its own copy.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let mut cell = Box::new([0; 32]);
        cell.copy_from_slice(seed);
        Self(cell)
    }

    /// The seed: to be sealed, never stored as it is.
    #[allow(dead_code, reason = "what seals the device's keys calls it")]
    pub(crate) fn expose_seed(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public half. Expands the seed, which takes about as long as one box.
    pub fn public_key(&self) -> Result<ReceivingPublicKey, BoxError> {
        ReceivingPublicKey::from_slice(&XWing::sk_to_pk(&self.private()?).to_bytes())
    }

    fn private(&self) -> Result<PrivateKey, BoxError> {
        PrivateKey::from_bytes(self.0.as_slice()).map_err(|_| BoxError::Key)
    }
}

impl Drop for ReceivingKey {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

impl zeroize::ZeroizeOnDrop for ReceivingKey {}

impl fmt::Debug for ReceivingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceivingKey(..)")
    }
}

impl ConstantTimeEq for ReceivingKey {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.as_slice().ct_eq(other.0.as_slice())
    }
}

impl PartialEq for ReceivingKey {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for ReceivingKey {}

/// A public receiving key: 1,216 bytes, ML-KEM-768 encapsulation key ‖ X25519 public key, checked when read.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ReceivingPublicKey(Box<[u8; 1_216]>);

impl ReceivingPublicKey {
    /// Length in bytes.
    pub const LENGTH_BYTES: usize = 1_216;

    /// Reads a key. Errors: [`BoxError::Key`] for any other length, or when the FIPS 203 modulus check fails.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, BoxError> {
        let bytes: &[u8; 1_216] = bytes.try_into().map_err(|_| BoxError::Key)?;
        PublicKey::from_bytes(bytes).map_err(|_| BoxError::Key)?;
        Ok(Self(Box::new(*bytes)))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 1_216] {
        &self.0
    }
}

impl fmt::Debug for ReceivingPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceivingPublicKey(..)")
    }
}

fn info() -> Vec<u8> {
    let mut info = labels::BOX.as_bytes().to_vec();
    info.push(SUITE_XWING);
    info
}

/// Seals a plaintext to a receiving key: [`BOX_OVERHEAD_BYTES`] longer. Errors: [`BoxError::Length`], [`BoxError::Key`].
pub fn seal_box(env: &Env, recipient: &ReceivingPublicKey, aad: &Aad, plaintext: &[u8]) -> Result<Vec<u8>, BoxError> {
    if plaintext.len() > BOX_PLAINTEXT_MAX_BYTES {
        return Err(BoxError::Length);
    }
    let public = PublicKey::from_bytes(recipient.0.as_slice()).map_err(|_| BoxError::Key)?;
    let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeS::Base,
        &public,
        &info(),
        plaintext,
        aad.as_bytes(),
        &mut env.rng(),
    )
    .map_err(|_| BoxError::Key)?;
    let mut sealed = Vec::with_capacity(plaintext.len() + BOX_OVERHEAD_BYTES);
    sealed.push(SUITE_XWING);
    sealed.extend_from_slice(&encapsulated.to_bytes());
    sealed.extend_from_slice(&ciphertext);
    Ok(sealed)
}

/// Opens a box. Errors: [`BoxError`].
pub fn open_box(secret: &ReceivingKey, aad: &Aad, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, BoxError> {
    let (suite, rest) = sealed.split_first().ok_or(BoxError::Length)?;
    if *suite != SUITE_XWING {
        return Err(BoxError::Suite);
    }
    if sealed.len() < BOX_OVERHEAD_BYTES || sealed.len() > BOX_OVERHEAD_BYTES + BOX_PLAINTEXT_MAX_BYTES {
        return Err(BoxError::Length);
    }
    let (encapsulated, ciphertext) = rest.split_at(ENCAPSULATED_BYTES);
    let encapsulated = EncappedKey::from_bytes(encapsulated).map_err(|_| BoxError::Closed)?;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeR::Base,
        &secret.private()?,
        &encapsulated,
        &info(),
        ciphertext,
        aad.as_bytes(),
    )
    .map(Zeroizing::new)
    .map_err(|_| BoxError::Closed)
}
