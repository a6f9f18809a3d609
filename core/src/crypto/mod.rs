//! Every cipher, hash, signature and key exchange that Satchel uses, and no other module names one.
//!
//! `seal`/`open` and `wrap`/`unwrap` are symmetric, `seal_box`/`open_box` go to a public key, `derive_*`
//! is pure, `make` and `make_*` take randomness from [`Env`](crate::env::Env). Secrets are types of
//! their own, wiped when dropped. Nothing here does I/O, and no error carries a byte of what it judged.
//!
//! | job | primitive | source |
//! |---|---|---|
//! | what is stored | XChaCha20-Poly1305 with key commitment | RFC 8439, draft-irtf-cfrg-xchacha-03, Bellare-Hoang 2022 |
//! | derived keys, ids, tags | BLAKE3 | BLAKE3 specification |
//! | keys for a device | HPKE with X-Wing | RFC 9180, draft-ietf-hpke-pq, draft-connolly-cfrg-xwing-kem |
//! | a copy for somebody outside | the same in PSK mode, keys of a punctured tree | RFC 9180, Goldreich-Goldwasser-Micali 1986 |
//! | signatures | Ed25519, strict | RFC 8032 |
//! | passphrases | Argon2id | RFC 9106 |
//! | paper shares | Shamir over GF(2^8) | Shamir 1979; field of FIPS 197 |
//! | sessions | Noise NNpsk0 | Noise specification, revision 34 |
//! | a typed code | SPAKE2 | RFC 9382, magic-wormhole's form of it |

mod aead;
mod boxes;
mod code;
mod kdf;
pub mod labels;
mod noise;
mod noise_resolver;
mod packets;
mod passphrase;
mod puncture;
mod secrets;
mod sharing;
mod signing;
#[cfg(test)]
mod tests;
mod tokens;
mod words;

pub use aead::{
    Aad, COMMITMENT_BYTES, NONCE_BYTES, Nonce, OVERHEAD_BYTES, OpenError, SealError, SealedHeader, TAG_BYTES, WRAPPED_BYTES, commitment,
    commits_to, open, seal, unwrap, unwrap_store_key, wrap, wrap_store_key,
};
pub use boxes::{BOX_OVERHEAD_BYTES, BoxError, ReceivingKey, ReceivingPublicKey, open_box, seal_box};
pub use code::{CODE_MESSAGE_BYTES, CODE_WORDS_COUNT, CodeError, CodeExchange, JoinCode};
pub use kdf::{derive_hash, derive_id, derive_key};
pub use labels::Label;
pub use noise::{CHANNEL_PLAINTEXT_MAX_BYTES, Channel, HANDSHAKE_MESSAGE_BYTES, Handshake, NoiseError};
pub use packets::{open_packet, seal_packet};
pub use passphrase::{Argon2Params, Passphrase, PassphraseError, derive_unlock_key};
pub use puncture::{KeyTree, TreeError, TreeTag, tree_key};
pub use secrets::{
    CommonsSecret, DiscoverySecret, EscrowKey, FieldKey, InvitationSecret, KeystoreSecret, LaneKey, OfferKey, PageKey, RecordKey,
    RecordsSecret, RootKey, SealingKey, SecretLengthError, SessionPsk, StoreKey, UnlockKey, WrappedSecret,
};
pub use sharing::{SecretShare, SharingError, combine_shares, split_secret};
pub use signing::{Signature, SignatureError, SigningKey, VerifyingKey};
pub use tokens::{ErasureTokens, discovery_tag, hello_tag, keyed_token, pack_tag};
pub use words::{check_words, make_passphrase, word_at, word_index};
