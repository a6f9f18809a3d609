//! The one AEAD for what is stored: XChaCha20-Poly1305 with a key commitment, associated data always present.
//!
//! ```text
//! commitment (32) ‖ encryption key (32) = BLAKE3-derive_key("satchel 2026-11-22 seal", LP(key) ‖ LP(nonce))
//! ciphertext ‖ tag (16)                 = XChaCha20-Poly1305(encryption key, nonce, associated data, plaintext)
//! sealed                                = nonce (24) ‖ commitment ‖ ciphertext ‖ tag
//! ```
//!
//! Why a commitment: Poly1305 is a polynomial, so whoever knows two keys can make one ciphertext that
//! opens under both ("How to Abuse and Fix Authenticated Encryption Without Key Commitment", Albertini,
//! Duong, Gueron, Kölbl, Luykx, Schmieg 2022). Insiders know keys here: a cover that opens differently
//! for two members would split their replicas. The construction is UtC ("Efficient Schemes for
//! Committing Authenticated Encryption", Bellare and Hoang 2022) with BLAKE3 as the committing PRF: two
//! different (key, nonce) pairs with one commitment are a BLAKE3 collision, about 2^128 work. It commits
//! to key and nonce (CMT-1), **not** to the associated data: who holds the key can make one sealed value
//! open under two. What must bind its context against insiders is signed as well; bodies are.

use super::kdf::derive_into;
use super::labels::{self, Label};
use super::secrets::{SealingKey, StoreKey, UnlockKey, WrappedSecret};
use crate::env::Env;
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use satchel_wire::limits::SEALED_PLAINTEXT_MAX_BYTES;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Length of a nonce (bytes).
pub const NONCE_BYTES: usize = 24;
/// Length of a key commitment (bytes).
pub const COMMITMENT_BYTES: usize = 32;
/// Length of an authentication tag (bytes).
pub const TAG_BYTES: usize = 16;
/// How much longer sealed bytes are than their plaintext (bytes).
pub const OVERHEAD_BYTES: usize = NONCE_BYTES + COMMITMENT_BYTES + TAG_BYTES;
/// Length of a wrapped 32-byte key (bytes).
pub const WRAPPED_BYTES: usize = OVERHEAD_BYTES + 32;

/// Why a plaintext was not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Above [`SEALED_PLAINTEXT_MAX_BYTES`]. Remedy: a smaller limit of the format was forgotten before; split.
    #[error("too much to seal at once")]
    TooLong,
}

impl SealError {
    /// A stable code for the boundary.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "seal.too-long",
        }
    }
}

/// Why sealed bytes did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Shorter than the overhead, or a wrapped key of the wrong length. Remedy: refuse the bytes.
    #[error("not sealed bytes")]
    Length,
    /// Sealed under another key, or nonce or commitment altered. Remedy: try the next key, or refuse.
    #[error("sealed under another key")]
    Commitment,
    /// Right key; ciphertext, tag or associated data altered. Remedy: refuse the bytes.
    #[error("sealed bytes were altered, or belong elsewhere")]
    Tag,
}

impl OpenError {
    /// A stable code for the boundary.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Length => "open.length",
            Self::Commitment => "open.commitment",
            Self::Tag => "open.tag",
        }
    }
}

/// Associated data: a label and length-prefixed parts, so never empty and never ambiguous.
///
/// `LP(label) ‖ LP(part 1) ‖ … ‖ LP(part n)` with `LP(x) = length of x (8 bytes, little-endian) ‖ x`.
#[derive(Clone, PartialEq, Eq)]
pub struct Aad(Vec<u8>);

impl Aad {
    /// Associated data that begins with what the sealed bytes are.
    pub fn new(label: Label) -> Self {
        Self(Vec::with_capacity(128)).add(label.as_bytes())
    }

    /// Adds one part.
    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "a builder's step, not arithmetic")]
    pub fn add(mut self, part: &[u8]) -> Self {
        self.0.extend_from_slice(&(part.len() as u64).to_le_bytes());
        self.0.extend_from_slice(part);
        self
    }

    /// The encoded bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    #[cfg(test)]
    pub(super) fn from_encoded(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Aad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aad({} bytes)", self.0.len())
    }
}

/// A number used once: 24 random bytes. Not `Clone`; sealing consumes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Nonce([u8; NONCE_BYTES]);

impl Nonce {
    /// A fresh nonce. 192 random bits do not repeat: 2^64 seals under one key leave odds of 2^-65.
    pub fn make(env: &Env) -> Self {
        Self(env.random())
    }
    /// The bytes, as they will stand in front of the sealed bytes.
    pub const fn as_bytes(&self) -> &[u8; NONCE_BYTES] {
        &self.0
    }
    #[cfg(test)]
    pub(crate) const fn from_bytes(bytes: [u8; NONCE_BYTES]) -> Self {
        Self(bytes)
    }
}

/// Nonce and commitment of sealed bytes, read without a key: what a body's signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedHeader {
    /// The nonce.
    pub nonce: [u8; NONCE_BYTES],
    /// The key commitment.
    pub commitment: [u8; COMMITMENT_BYTES],
}

impl SealedHeader {
    /// Reads the header. Errors: [`OpenError::Length`] when the bytes cannot be sealed bytes.
    pub fn parse(sealed: &[u8]) -> Result<Self, OpenError> {
        split(sealed).map(|(header, _, _)| header)
    }
}

/// Header, ciphertext and tag of sealed bytes.
fn split(sealed: &[u8]) -> Result<(SealedHeader, &[u8], Tag), OpenError> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError::Length)?;
    let (commitment, rest) = rest.split_first_chunk::<COMMITMENT_BYTES>().ok_or(OpenError::Length)?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(OpenError::Length)?;
    if ciphertext.len() > SEALED_PLAINTEXT_MAX_BYTES {
        return Err(OpenError::Length);
    }
    Ok((SealedHeader { nonce: *nonce, commitment: *commitment }, ciphertext, Tag::from(*tag)))
}

/// Commitment and encryption key for one key and nonce.
struct Pair {
    commitment: [u8; COMMITMENT_BYTES],
    encryption_key: Zeroizing<[u8; 32]>,
}

impl Pair {
    fn derive<K: SealingKey>(key: &K, nonce: &[u8; NONCE_BYTES]) -> Self {
        let mut both = Zeroizing::new([0; COMMITMENT_BYTES + 32]);
        derive_into(labels::SEAL, &[key.expose(), nonce], both.as_mut_slice());
        let (commitment, encryption_key) = both.split_at(COMMITMENT_BYTES);
        let mut pair = Self { commitment: [0; COMMITMENT_BYTES], encryption_key: Zeroizing::new([0; 32]) };
        pair.commitment.copy_from_slice(commitment);
        pair.encryption_key.copy_from_slice(encryption_key);
        pair
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.encryption_key).into())
    }
}

/// The commitment that [`seal`] will write for this key and nonce: needed before sealing, by whoever signs it.
pub fn commitment<K: SealingKey>(key: &K, nonce: &Nonce) -> [u8; COMMITMENT_BYTES] {
    Pair::derive(key, &nonce.0).commitment
}

/// Seals a plaintext; the result is [`OVERHEAD_BYTES`] longer. Errors: [`SealError::TooLong`].
pub fn seal<K: SealingKey>(key: &K, nonce: Nonce, aad: &Aad, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
    if plaintext.len() > SEALED_PLAINTEXT_MAX_BYTES {
        return Err(SealError::TooLong);
    }
    let pair = Pair::derive(key, &nonce.0);
    let mut sealed = Vec::with_capacity(plaintext.len() + OVERHEAD_BYTES);
    sealed.extend_from_slice(&nonce.0);
    sealed.extend_from_slice(&pair.commitment);
    sealed.extend_from_slice(plaintext);
    let (_, buffer) = sealed.split_at_mut(NONCE_BYTES + COMMITMENT_BYTES);
    let tag =
        pair.cipher().encrypt_inout_detached(&XNonce::from(nonce.0), aad.as_bytes(), buffer.into()).map_err(|_| SealError::TooLong)?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// Opens sealed bytes: the commitment is compared, in constant time, before anything is decrypted. Errors: [`OpenError`].
pub fn open<K: SealingKey>(key: &K, aad: &Aad, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (header, ciphertext, tag) = split(sealed)?;
    let pair = Pair::derive(key, &header.nonce);
    if !bool::from(pair.commitment.ct_eq(&header.commitment)) {
        return Err(OpenError::Commitment);
    }
    decrypt(&pair, &header.nonce, aad, ciphertext, &tag)
}

fn decrypt(pair: &Pair, nonce: &[u8; NONCE_BYTES], aad: &Aad, ciphertext: &[u8], tag: &Tag) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    pair.cipher()
        .decrypt_inout_detached(&XNonce::from(*nonce), aad.as_bytes(), plaintext.as_mut_slice().into(), tag)
        .map_err(|_| OpenError::Tag)?;
    Ok(plaintext)
}

/// [`open`] with its commitment switched off: the positive control of the test that needs one.
#[cfg(test)]
pub(super) fn open_without_commitment<K: SealingKey>(key: &K, aad: &Aad, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (header, ciphertext, tag) = split(sealed)?;
    decrypt(&Pair::derive(key, &header.nonce), &header.nonce, aad, ciphertext, &tag)
}

/// What a wrapped key is bound to: the caller's associated data and the kind of key inside.
fn wrapping_aad<S: WrappedSecret>(aad: &Aad) -> Aad {
    Aad::new(labels::WRAP).add(S::KIND.as_bytes()).add(aad.as_bytes())
}

/// Wraps a key under another: [`WRAPPED_BYTES`] bytes, bound to the associated data and to the kind of key.
pub fn wrap<K: SealingKey, S: WrappedSecret>(wrapping: &K, nonce: Nonce, aad: &Aad, secret: &S) -> Result<Vec<u8>, SealError> {
    seal(wrapping, nonce, &wrapping_aad::<S>(aad), secret.expose())
}

/// Unwraps a key. Errors: [`OpenError`]; a key of another kind is [`OpenError::Tag`].
pub fn unwrap<K: SealingKey, S: WrappedSecret>(wrapping: &K, aad: &Aad, wrapped: &[u8]) -> Result<S, OpenError> {
    if wrapped.len() != WRAPPED_BYTES {
        return Err(OpenError::Length);
    }
    let opened = open(wrapping, &wrapping_aad::<S>(aad), wrapped)?;
    let bytes: &[u8; 32] = opened.as_slice().try_into().map_err(|_| OpenError::Length)?;
    Ok(S::from_bytes(bytes))
}

/// Wraps the store key for one key slot; `slot` names the slot and everything in it that must not be altered.
pub fn wrap_store_key(env: &Env, unlock_key: &UnlockKey, slot: &Aad, store_key: &StoreKey) -> Result<Vec<u8>, SealError> {
    wrap(unlock_key, Nonce::make(env), slot, store_key)
}

/// Unwraps the store key of one key slot. Errors: [`OpenError::Commitment`] for a wrong passphrase or keystore secret.
pub fn unwrap_store_key(unlock_key: &UnlockKey, slot: &Aad, wrapped: &[u8]) -> Result<StoreKey, OpenError> {
    unwrap(unlock_key, slot, wrapped)
}
