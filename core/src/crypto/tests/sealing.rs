//! The committing AEAD.

use super::flipped;
use crate::crypto::*;
use crate::env::Env;
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use satchel_wire::limits::SEALED_PLAINTEXT_MAX_BYTES;

fn aad() -> Aad {
    Aad::new(labels::BODY).add(b"team").add(b"record")
}

#[test]
fn every_flipped_bit_is_refused() {
    let env = Env::seeded(1);
    let key = RecordKey::make(&env);
    let sealed = seal(&key, Nonce::make(&env), &aad(), b"a note of forty bytes, give or take one").unwrap();
    assert!(open(&key, &aad(), &sealed).is_ok());
    for bit in 0..sealed.len() * 8 {
        let expected = if bit < (NONCE_BYTES + COMMITMENT_BYTES) * 8 { OpenError::Commitment } else { OpenError::Tag };
        assert_eq!(open(&key, &aad(), &flipped(&sealed, bit)), Err(expected), "bit {bit}");
    }
    for bit in 0..aad().as_bytes().len() * 8 {
        let other = Aad::from_encoded(flipped(aad().as_bytes(), bit));
        assert_eq!(open(&key, &other, &sealed), Err(OpenError::Tag), "associated data, bit {bit}");
    }
    for length in 0..sealed.len() {
        let expected = if length < OVERHEAD_BYTES { OpenError::Length } else { OpenError::Tag };
        assert_eq!(open(&key, &aad(), &sealed[..length]), Err(expected), "{length} bytes");
    }
}

#[test]
fn another_key_is_told_by_the_commitment_and_nothing_is_decrypted() {
    let env = Env::seeded(2);
    let sealed = seal(&RecordKey::make(&env), Nonce::make(&env), &aad(), b"x").unwrap();
    for _ in 0..1_000 {
        assert_eq!(open(&RecordKey::make(&env), &aad(), &sealed), Err(OpenError::Commitment));
    }
    // the same bytes as another type of key would open: types are for us, contexts are for attackers
    assert_eq!(open(&PageKey::make(&env), &aad(), &sealed), Err(OpenError::Commitment));
}

#[test]
fn the_header_is_known_before_sealing_and_read_without_a_key() {
    let env = Env::seeded(3);
    let key = RecordKey::make(&env);
    let nonce = Nonce::make(&env);
    let (before, nonce_bytes) = (commitment(&key, &nonce), *nonce.as_bytes());
    let sealed = seal(&key, nonce, &aad(), b"body").unwrap();
    assert_eq!(SealedHeader::parse(&sealed), Ok(SealedHeader { nonce: nonce_bytes, commitment: before }));
    assert_eq!(sealed.len(), b"body".len() + OVERHEAD_BYTES);
    assert_eq!(OVERHEAD_BYTES, 72);
    assert_eq!(SealedHeader::parse(&sealed[..71]), Err(OpenError::Length));
    // neither commitment nor nonce shows the key that the cipher uses
    assert_ne!(before, commitment(&key, &Nonce::make(&env)));
}

#[test]
fn too_much_at_once_is_refused_on_both_ways() {
    let env = Env::seeded(4);
    let key = RecordKey::make(&env);
    assert_eq!(seal(&key, Nonce::make(&env), &aad(), &vec![0; SEALED_PLAINTEXT_MAX_BYTES + 1]), Err(SealError::TooLong));
    assert_eq!(open(&key, &aad(), &vec![0; SEALED_PLAINTEXT_MAX_BYTES + OVERHEAD_BYTES + 1]), Err(OpenError::Length));
    assert_eq!(open(&key, &aad(), &vec![0; SEALED_PLAINTEXT_MAX_BYTES + OVERHEAD_BYTES]), Err(OpenError::Commitment));
}

#[test]
fn a_wrapped_key_is_bound_to_its_kind_its_place_and_its_wrapper() {
    let env = Env::seeded(5);
    let (page, slot) = (PageKey::make(&env), Aad::new(labels::PAGE).add(b"7"));
    let key = RecordKey::make(&env);
    let wrapped = wrap(&page, Nonce::make(&env), &slot, &key).unwrap();
    assert_eq!(wrapped.len(), WRAPPED_BYTES);
    assert_eq!(unwrap::<_, RecordKey>(&page, &slot, &wrapped), Ok(key));
    assert_eq!(unwrap::<_, StoreKey>(&page, &slot, &wrapped), Err(OpenError::Tag));
    assert_eq!(unwrap::<_, RecordKey>(&page, &Aad::new(labels::PAGE).add(b"8"), &wrapped), Err(OpenError::Tag));
    assert_eq!(unwrap::<_, RecordKey>(&PageKey::make(&env), &slot, &wrapped), Err(OpenError::Commitment));
    // a wrapped key is not a sealed value under the same associated data
    assert_eq!(open(&page, &slot, &wrapped), Err(OpenError::Tag));
}

#[test]
fn lists_of_parts_never_run_together() {
    let lists: [&[&[u8]]; 6] = [&[], &[b""], &[b"", b""], &[b"ab"], &[b"a", b"b"], &[b"ab", b""]];
    for (index, left) in lists.iter().enumerate() {
        for right in &lists[index + 1..] {
            let build = |parts: &[&[u8]]| parts.iter().fold(Aad::new(labels::BODY), |aad, part| aad.add(part));
            assert_ne!(build(left), build(right));
            assert_ne!(derive_hash(labels::BODY, left), derive_hash(labels::BODY, right));
        }
    }
    // a label cannot be forged by a part
    assert_ne!(Aad::new(labels::BODY), Aad::new(labels::COVER));
    assert!(!Aad::new(labels::BODY).as_bytes().is_empty());
}

/// draft-irtf-cfrg-xchacha-03, appendix A.3.1: the cipher underneath.
#[test]
fn xchacha20_poly1305_as_the_draft_has_it() {
    let key: Vec<u8> = (0x80..=0x9f).collect();
    let nonce: [u8; 24] = std::array::from_fn(|index| 0x40 + index as u8);
    let aad = HEXLOWER.decode(b"50515253c0c1c2c3c4c5c6c7").unwrap();
    let mut text =
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.".to_vec();
    let cipher = XChaCha20Poly1305::new_from_slice(&key).unwrap();
    let tag = cipher.encrypt_inout_detached(&XNonce::from(nonce), &aad, text.as_mut_slice().into()).unwrap();
    assert_eq!(
        HEXLOWER.encode(&text),
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452\
         2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e"
    );
    assert_eq!(HEXLOWER.encode(&tag), "c0875924c1c7987947deafd8780acf49");
}

/// BLAKE3's official test vectors (`test_vectors.json`), inputs of 0 and 3 bytes: the hash underneath.
#[test]
fn blake3_as_its_authors_have_it() {
    assert_eq!(HEXLOWER.encode(blake3::hash(b"").as_bytes()), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
    let key = *b"whats the Elvish word for friend";
    assert_eq!(
        HEXLOWER.encode(blake3::keyed_hash(&key, b"").as_bytes()),
        "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26"
    );
    assert_eq!(
        HEXLOWER.encode(&blake3::derive_key("BLAKE3 2019-12-27 16:29:52 test vectors context", b"")),
        "2cc39783c223154fea8dfb7c1b1660f2ac2dcbd1c1de8277b0b0dd39b7e50d7d"
    );
}

proptest! {
    #[test]
    fn what_is_sealed_opens_and_random_bytes_do_not(
        seed: u64,
        plaintext in proptest::collection::vec(any::<u8>(), 0..600),
        parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..4),
        noise in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let env = Env::seeded(seed);
        let key = LaneKey::make(&env);
        let aad = parts.iter().fold(Aad::new(labels::COVER), |aad, part| aad.add(part));
        let sealed = seal(&key, Nonce::make(&env), &aad, &plaintext).unwrap();
        prop_assert_eq!(&*open(&key, &aad, &sealed).unwrap(), &plaintext);
        prop_assert!(open(&key, &aad, &noise).is_err());
        prop_assert!(unwrap::<_, RecordKey>(&key, &aad, &noise).is_err());
    }
}
