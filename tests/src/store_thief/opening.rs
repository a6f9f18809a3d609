//! Opening what a key opens, whatever it is: decryption without the associated data, so that the thief needs to know
//! nothing of where a ciphertext belongs.
//!
//! Sealed bytes are `nonce (24) ‖ commitment (32) ‖ ciphertext ‖ tag (16)`; commitment and encryption key are one BLAKE3
//! derivation of key and nonce. Whoever matches the commitment has the key, and the tag would only say what for.

use chacha20::XChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use satchel_core::crypto::{COMMITMENT_BYTES, NONCE_BYTES, OVERHEAD_BYTES, TAG_BYTES, derive_key, labels};
use satchel_core::store::LootClass;

/// A key that may have sealed something.
pub struct Opener(blake3::Hasher);

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opener")
    }
}

impl Opener {
    /// Tries with these 32 bytes.
    pub fn new(key: &[u8; 32]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(labels::SEAL.as_str());
        hasher.update(&32_u64.to_le_bytes());
        hasher.update(key);
        hasher.update(&(NONCE_BYTES as u64).to_le_bytes());
        Self(hasher)
    }

    /// The plaintext, if this key sealed it.
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        if sealed.len() < OVERHEAD_BYTES {
            return None;
        }
        let (nonce, rest) = sealed.split_at(NONCE_BYTES);
        let (commitment, rest) = rest.split_at(COMMITMENT_BYTES);
        let mut both = [0; 64];
        self.0.clone().update(nonce).finalize_xof().fill(&mut both);
        if both[..32] != *commitment {
            return None;
        }
        let mut plain = rest[..rest.len() - TAG_BYTES].to_vec();
        let (key, nonce): ([u8; 32], [u8; 24]) = (both[32..].try_into().ok()?, nonce.try_into().ok()?);
        let mut cipher = XChaCha20::new(&key.into(), &nonce.into());
        // block 0 makes the key of the tag
        cipher.seek(64_u64);
        cipher.apply_keystream(&mut plain);
        Some(plain)
    }
}

/// What kinds of ciphertext there are, as far as a thief can tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// A store's root.
    Root = 0,
    /// Any other value of a store: meta, ledger, log, held, outbox.
    Value = 1,
    /// A key page of the index, or its tail.
    Page = 2,
    /// A body, draft or snapshot.
    Record = 3,
    /// The cover of a row, or a piece of a wire root.
    Cover = 4,
    /// A page on the wire.
    WirePage = 5,
    /// A notice.
    Notice = 6,
    /// The payload of an announcement.
    Payload = 7,
    /// A piece of a pack.
    Pack = 8,
}

/// How many sorts there are.
pub const SORTS_COUNT: usize = 9;

/// The keys that a secret of some class leads to, and what each of them may have sealed.
pub fn openers(class: LootClass, secret: &[u8; 32]) -> Vec<(Sort, Opener)> {
    let raw = || Opener::new(secret);
    let derived = |label, from: &[u8; 32]| Opener::new(&derive_key(label, &[from]));
    let of_commons = |commons: &[u8; 32]| {
        vec![
            (Sort::Notice, derived(labels::LANE_COMMONS, commons)),
            (Sort::Payload, derived(labels::LANE_ANNOUNCE, commons)),
            (Sort::Pack, derived(labels::PACK_KEY, commons)),
        ]
    };
    match class {
        LootClass::Store => vec![(Sort::Root, raw())],
        LootClass::Values | LootClass::Held => vec![(Sort::Value, raw())],
        LootClass::Page => vec![(Sort::Page, raw())],
        LootClass::Record => vec![(Sort::Record, raw())],
        LootClass::Turn => {
            let mut all = of_commons(&derive_key(labels::COMMONS_SECRET, &[secret]));
            all.push((Sort::Cover, derived(labels::LANE_RECORDS, secret)));
            all
        }
        LootClass::Commons => of_commons(secret),
        LootClass::Notices => vec![(Sort::Notice, raw())],
        LootClass::WirePage => vec![(Sort::WirePage, raw())],
        LootClass::Receiving | LootClass::Signing | LootClass::Field => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use satchel_core::crypto::{Aad, Nonce, RecordKey, seal};
    use satchel_core::env::Env;

    #[test]
    fn it_opens_what_the_key_sealed_and_nothing_else() {
        let env = Env::system();
        let bytes = [7; 32];
        let plain: Vec<u8> = (0..200).collect();
        let sealed = seal(&RecordKey::from_bytes(&bytes), Nonce::make(&env), &Aad::new(labels::BODY).add(b"x"), &plain).unwrap();
        assert_eq!(Opener::new(&bytes).open(&sealed).unwrap(), plain);
        assert!(Opener::new(&[8; 32]).open(&sealed).is_none());
        assert!(Opener::new(&bytes).open(&sealed[..30]).is_none());
    }
}
