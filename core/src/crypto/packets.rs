//! Packets: HPKE (RFC 9180, PSK mode, single shot) to the hybrid receiving key of somebody outside the team.
//!
//! ```text
//! suite 2: KEM X-Wing (0x647a), KDF HKDF-SHA256 (0x0001), AEAD ChaCha20-Poly1305 (0x0003), mode_psk
//! box    = suite (2) ‖ encapsulated key (1120) ‖ ciphertext ‖ tag (16)
//! info   = "satchel 2026-11-22 box" ‖ suite
//! psk    = the leaf of a key tree at the packet's tag; psk_id = "satchel 2026-11-22 share secret" ‖ tag
//! ```
//!
//! Nothing is signed. That a box opens tells its recipient that it was made by whoever they exchanged the secret with, or
//! by themselves, and so tells nobody else anything: the recipient could have made every box that they can open.
//! X-Wing has no authenticated mode of its own (draft-ietf-hpke-pq); the secret stands in for it.

use super::aead::Aad;
use super::boxes::{BOX_OVERHEAD_BYTES, BoxError, ENCAPSULATED_BYTES, ReceivingKey, ReceivingPublicKey};
use super::labels;
use super::puncture::TreeTag;
use crate::env::Env;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, PskBundle, Serializable};
use satchel_wire::limits::BOX_PLAINTEXT_MAX_BYTES;
use zeroize::Zeroizing;

/// X-Wing in PSK mode.
const SUITE_XWING_PSK: u8 = 2;

/// A secret that both sides hold, and how it is called: what HPKE mixes into its keys.
struct Shared<'a> {
    secret: &'a [u8; 32],
    id: &'a [u8],
}

fn info() -> Vec<u8> {
    [labels::BOX.as_bytes(), &[SUITE_XWING_PSK]].concat()
}

fn psk_id(tag: TreeTag) -> Vec<u8> {
    [labels::SHARE_SECRET.as_bytes(), &tag].concat()
}

fn seal<K: Kem>(
    env: &Env,
    recipient: &[u8],
    shared: &Shared<'_>,
    info: &[u8],
    aad: &[u8],
    plain: &[u8],
) -> Result<(Vec<u8>, Vec<u8>), BoxError> {
    let public = K::PublicKey::from_bytes(recipient).map_err(|_| BoxError::Key)?;
    let bundle = PskBundle::new(shared.secret, shared.id).map_err(|_| BoxError::Key)?;
    let mode = OpModeS::<K>::Psk(bundle);
    let (encapsulated, ciphertext) =
        hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, K>(&mode, &public, info, plain, aad, &mut env.rng())
            .map_err(|_| BoxError::Key)?;
    Ok((encapsulated.to_bytes().to_vec(), ciphertext))
}

fn open<K: Kem>(
    secret: &[u8],
    shared: &Shared<'_>,
    info: &[u8],
    aad: &[u8],
    sealed: (&[u8], &[u8]),
) -> Result<Zeroizing<Vec<u8>>, BoxError> {
    let private = K::PrivateKey::from_bytes(secret).map_err(|_| BoxError::Key)?;
    let encapsulated = K::EncappedKey::from_bytes(sealed.0).map_err(|_| BoxError::Closed)?;
    let bundle = PskBundle::new(shared.secret, shared.id).map_err(|_| BoxError::Key)?;
    let mode = OpModeR::<K>::Psk(bundle);
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, K>(&mode, &private, &encapsulated, info, sealed.1, aad)
        .map(Zeroizing::new)
        .map_err(|_| BoxError::Closed)
}

/// Seals a plaintext to somebody outside, under the secret at a tag: [`BOX_OVERHEAD_BYTES`] longer.
/// Errors: [`BoxError::Length`], [`BoxError::Key`].
pub fn seal_packet(
    env: &Env,
    recipient: &ReceivingPublicKey,
    secret: &[u8; 32],
    tag: TreeTag,
    aad: &Aad,
    plaintext: &[u8],
) -> Result<Vec<u8>, BoxError> {
    if plaintext.len() > BOX_PLAINTEXT_MAX_BYTES {
        return Err(BoxError::Length);
    }
    let shared = Shared { secret, id: &psk_id(tag) };
    let (encapsulated, ciphertext) = seal::<XWing>(env, recipient.as_bytes(), &shared, &info(), aad.as_bytes(), plaintext)?;
    Ok([&[SUITE_XWING_PSK][..], &encapsulated, &ciphertext].concat())
}

/// Opens one. Errors: [`BoxError`].
pub fn open_packet(key: &ReceivingKey, secret: &[u8; 32], tag: TreeTag, aad: &Aad, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, BoxError> {
    let (suite, rest) = sealed.split_first().ok_or(BoxError::Length)?;
    if *suite != SUITE_XWING_PSK {
        return Err(BoxError::Suite);
    }
    if sealed.len() < BOX_OVERHEAD_BYTES || sealed.len() > BOX_OVERHEAD_BYTES + BOX_PLAINTEXT_MAX_BYTES {
        return Err(BoxError::Length);
    }
    let shared = Shared { secret, id: &psk_id(tag) };
    open::<XWing>(key.expose_seed(), &shared, &info(), aad.as_bytes(), rest.split_at(ENCAPSULATED_BYTES))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::env::testing::{FixedRandomness, TestClock};
    use data_encoding::HEXLOWER;
    use hpke::kem::X25519HkdfSha256;

    fn hex(text: &str) -> Vec<u8> {
        HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    /// RFC 9180, A.2.2: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, mode_psk, sequence number 0.
    /// The same two functions with another KEM; there is no published vector of X-Wing in this mode.
    #[test]
    fn the_rfcs_vector_in_psk_mode() {
        let secret: [u8; 32] = hex("0247fd33b913760fa1fa51e1892d9f307fbe65eb171e8132c2af18555a738b82").try_into().unwrap();
        let shared = Shared { secret: &secret, id: &hex("456e6e796e20447572696e206172616e204d6f726961") };
        let info = hex("4f6465206f6e2061204772656369616e2055726e");
        let (plain, aad) = (hex("4265617574792069732074727574682c20747275746820626561757479"), hex("436f756e742d30"));
        let enc = hex("2261299c3f40a9afc133b969a97f05e95be2c514e54f3de26cbe5644ac735b04");
        let ct = hex("4a177f9c0d6f15cfdf533fb65bf84aecdc6ab16b8b85b4cf65a370e07fc1d78d28fb073214525276f4a89608ff");
        let private = hex("77d114e0212be51cb1d76fa99dd41cfd4d0166b08caa09074430a6c59ef17879");
        let opened = open::<X25519HkdfSha256>(&private, &shared, &info, &aad, (&enc, &ct)).unwrap();
        assert_eq!(*opened, plain);

        let draws = hex("35706a0b09fb26fb45c39c2f5079c709c7cf98e43afa973f14d88ece7e29c2e3");
        let env = Env::new(TestClock::at(0), FixedRandomness::new(&draws));
        let public = hex("13640af826b722fc04feaa4de2f28fbd5ecc03623b317834e7ff4120dbe73062");
        assert_eq!(seal::<X25519HkdfSha256>(&env, &public, &shared, &info, &aad, &plain).unwrap(), (enc.clone(), ct.clone()));

        let other = Shared { secret: &[1; 32], ..shared };
        assert_eq!(open::<X25519HkdfSha256>(&private, &other, &info, &aad, (&enc, &ct)).unwrap_err(), BoxError::Closed);
        let renamed = Shared { secret: &secret, id: b"other" };
        assert_eq!(open::<X25519HkdfSha256>(&private, &renamed, &info, &aad, (&enc, &ct)).unwrap_err(), BoxError::Closed);
    }

    #[test]
    fn a_packet_opens_for_its_key_secret_and_tag_and_for_nothing_else() {
        let env = Env::seeded(41);
        let (key, other) = (ReceivingKey::make(&env), ReceivingKey::make(&env));
        let (secret, tag) = ([7; 32], [1, 2, 3]);
        let aad = Aad::new(labels::BOX_SHARE).add(&tag);
        let sealed = seal_packet(&env, &key.public_key().unwrap(), &secret, tag, &aad, b"to be told").unwrap();
        assert_eq!(sealed.len(), BOX_OVERHEAD_BYTES + 10);
        assert_eq!(open_packet(&key, &secret, tag, &aad, &sealed).unwrap().as_slice(), b"to be told");
        assert_eq!(open_packet(&other, &secret, tag, &aad, &sealed), Err(BoxError::Closed));
        assert_eq!(open_packet(&key, &[8; 32], tag, &aad, &sealed), Err(BoxError::Closed));
        assert_eq!(open_packet(&key, &secret, [1, 2, 4], &aad, &sealed), Err(BoxError::Closed));
        assert_eq!(open_packet(&key, &secret, tag, &Aad::new(labels::BOX_SHARE), &sealed), Err(BoxError::Closed));
        assert_eq!(open_packet(&key, &secret, tag, &aad, &sealed[..20]), Err(BoxError::Length));
        assert_eq!(open_packet(&key, &secret, tag, &aad, &[]), Err(BoxError::Length));
        // a box of the other suite is none: base mode would say nothing about who made it
        let base = super::super::seal_box(&env, &key.public_key().unwrap(), &aad, b"to be told").unwrap();
        assert_eq!(open_packet(&key, &secret, tag, &aad, &base), Err(BoxError::Suite));
        let relabelled = [&[SUITE_XWING_PSK][..], &base[1..]].concat();
        assert_eq!(open_packet(&key, &secret, tag, &aad, &relabelled), Err(BoxError::Closed));
    }
}
