//! Pairing: what the recipient's phone shows, and the sender's phone takes, while two people stand beside each other.
//!
//! The offer is one text, for a QR code or a file. Six words follow from it; both phones show them and both people compare.
//! Whoever else sees the text can send packets to that recipient, and can open none.

use super::ShareError;
use super::limits::OFFER_TEXT_MAX_BYTES;
use crate::crypto::{self, ReceivingKey, ReceivingPublicKey, labels};
use crate::env::Env;
use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

const PREFIX: &str = "SATCHELSHARE1:";
const CHECK_BYTES: usize = 4;

/// A pairing offer: the recipient's public key, and the seed of the secrets of packets.
pub struct Offer {
    key: ReceivingPublicKey,
    seed: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Offer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Offer(..)")
    }
}

fn check(content: &[u8]) -> [u8; CHECK_BYTES] {
    let id = crypto::derive_id(labels::SHARE_CHECK, &[content]);
    [id[0], id[1], id[2], id[3]]
}

impl Offer {
    /// A fresh offer, and the key that stays with whoever made it. Errors: [`ShareError::Seal`].
    pub fn make(env: &Env) -> Result<(ReceivingKey, Self), ShareError> {
        let secret = ReceivingKey::make(env);
        let key = secret.public_key().map_err(|_| ShareError::Seal)?;
        let mut seed = Zeroizing::new([0; 32]);
        env.fill(seed.as_mut_slice());
        Ok((secret, Self { key, seed }))
    }

    /// The offer of a key and a seed that were stored. Errors: [`ShareError::Offer`].
    pub fn from_parts(key: &[u8], seed: &[u8; 32]) -> Result<Self, ShareError> {
        let key = ReceivingPublicKey::from_slice(key).map_err(|_| ShareError::Offer)?;
        Ok(Self { key, seed: Zeroizing::new(*seed) })
    }

    /// The recipient's key.
    pub const fn key(&self) -> &ReceivingPublicKey {
        &self.key
    }
    /// The seed of the secrets of packets.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// Six words (66 bits) that both people compare: they differ if the text was exchanged on its way.
    pub fn words(&self) -> [&'static str; 6] {
        let bits = crypto::derive_hash(labels::SHARE_WORDS, &[self.key.as_bytes(), self.seed.as_slice()]);
        [0, 2, 4, 6, 8, 10].map(|at: usize| crypto::word_at(u16::from_le_bytes([bits[at], bits[at + 1]])))
    }

    /// The text, for a QR code (alphanumeric mode, about 2,000 characters) or a file.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(ReceivingPublicKey::LENGTH_BYTES + 32 + CHECK_BYTES));
        bytes.extend_from_slice(self.key.as_bytes());
        bytes.extend_from_slice(self.seed.as_slice());
        let check = check(&bytes);
        bytes.extend_from_slice(&check);
        Zeroizing::new(format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes)))
    }

    /// Reads the text; case and white space do not matter. Errors: [`ShareError::Offer`].
    pub fn from_text(text: &str) -> Result<Self, ShareError> {
        if text.len() > OFFER_TEXT_MAX_BYTES {
            return Err(ShareError::Offer);
        }
        let letters = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase());
        let letters = Zeroizing::new(letters.collect::<String>());
        let encoded = letters.strip_prefix(PREFIX).ok_or(ShareError::Offer)?;
        let bytes = Zeroizing::new(BASE32_NOPAD.decode(encoded.as_bytes()).map_err(|_| ShareError::Offer)?);
        let (content, found) = bytes.split_last_chunk::<CHECK_BYTES>().ok_or(ShareError::Offer)?;
        if check(content) != *found {
            return Err(ShareError::Offer);
        }
        let (key, seed) = content.split_last_chunk::<32>().ok_or(ShareError::Offer)?;
        Self::from_parts(key, seed)
    }
}
