//! Tags and tokens: names that only those who know a secret, or hold an id, recognise.

use super::kdf::derive_key;
use super::labels::{self, Label};
use super::secrets::DiscoverySecret;
use zeroize::Zeroizing;

/// The tag by which a device shows itself on a local network: 16 bytes of keyed BLAKE3 over hour and salt.
///
/// `hour` is hours since 1970-01-01 UTC, `salt` is fresh for each appearance; both are sent beside the
/// tag. A recorded tag is worthless an hour later; a listener accepts its own hour and those beside it.
pub fn discovery_tag(secret: &DiscoverySecret, hour: u32, salt: &[u8; 16]) -> [u8; 16] {
    tag(labels::DISCOVERY_TAG, secret, &[&hour.to_le_bytes(), salt])
}

/// The tag in a session's hello that names a turn to those who know it: 16 bytes of keyed BLAKE3 over a fresh salt.
pub fn hello_tag(secret: &DiscoverySecret, salt: &[u8; 16]) -> [u8; 16] {
    tag(labels::HELLO_TAG, secret, &[salt])
}

/// The tag in front of a pack that names its turn to those who know it: 16 bytes of keyed BLAKE3 over a fresh salt.
pub fn pack_tag(secret: &DiscoverySecret, salt: &[u8; 16]) -> [u8; 16] {
    tag(labels::PACK_TAG, secret, &[salt])
}

fn tag(label: Label, secret: &DiscoverySecret, parts: &[&[u8]]) -> [u8; 16] {
    let key = derive_key(label, &[secret.expose()]);
    // every part has a fixed length, so nothing can run together
    short_mac(&key, parts)
}

fn short_mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for part in parts {
        hasher.update(part);
    }
    let mut mac = [0; 16];
    hasher.finalize_xof().fill(&mut mac);
    mac
}

/// The tokens of one tombstone: keyed BLAKE3 of ids under the tombstone's random salt, 16 bytes each.
///
/// Whoever holds a record finds its token; whoever reads the log learns how many, not which.
#[derive(Debug)]
pub struct ErasureTokens(Zeroizing<[u8; 32]>);

impl ErasureTokens {
    /// The tokens under this salt (random, 16 bytes, stored in the tombstone).
    pub fn new(salt: &[u8; 16]) -> Self {
        Self(derive_key(labels::TOMBSTONE_TOKEN, &[salt]))
    }

    /// The token of an id: keyed BLAKE3 over parts, all but the last of which have a fixed length.
    pub fn token(&self, parts: &[&[u8]]) -> [u8; 16] {
        short_mac(&self.0, parts)
    }
}

/// One token without keeping the key: see [`ErasureTokens`].
pub fn keyed_token(salt: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    ErasureTokens::new(salt).token(parts)
}
