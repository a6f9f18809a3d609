//! Boxes.

use super::flipped;
use crate::crypto::*;
use crate::env::Env;
use proptest::prelude::*;
use satchel_wire::limits::BOX_PLAINTEXT_MAX_BYTES;

fn aad() -> Aad {
    Aad::new(labels::BOX_RECORDS).add(b"turn")
}

#[test]
fn a_box_for_one_key_has_the_promised_size_and_opens_with_that_key_only() {
    let env = Env::seeded(1);
    let (key, other) = (ReceivingKey::make(&env), ReceivingKey::make(&env));
    let public = key.public_key().unwrap();
    assert_eq!(public.as_bytes().len(), ReceivingPublicKey::LENGTH_BYTES);
    let sealed = seal_box(&env, &public, &aad(), &[7; 32]).unwrap();
    // 1,168 bytes of HPKE and the suite byte
    assert_eq!((sealed.len(), BOX_OVERHEAD_BYTES), (1_169, 1_137));
    assert_eq!(open_box(&key, &aad(), &sealed).unwrap().as_slice(), [7; 32]);
    assert_eq!(open_box(&other, &aad(), &sealed), Err(BoxError::Closed));
    assert_eq!(open_box(&key, &Aad::new(labels::BOX_COMMONS).add(b"turn"), &sealed), Err(BoxError::Closed));
    // two boxes of one secret share no part that could link them
    let again = seal_box(&env, &public, &aad(), &[7; 32]).unwrap();
    assert_ne!(sealed[1..33], again[1..33]);
    assert_ne!(sealed[1121..], again[1121..]);
}

#[test]
fn every_flipped_bit_of_a_box_is_refused() {
    let env = Env::seeded(2);
    let key = ReceivingKey::make(&env);
    let sealed = seal_box(&env, &key.public_key().unwrap(), &aad(), &[7; 32]).unwrap();
    for bit in 0..sealed.len() * 8 {
        // X25519 ignores the top bit of byte 1,120; X-Wing hashes the bytes, so that one counts too
        let expected = if bit < 8 { BoxError::Suite } else { BoxError::Closed };
        assert_eq!(open_box(&key, &aad(), &flipped(&sealed, bit)), Err(expected), "bit {bit}");
    }
}

#[test]
fn sizes_out_of_bounds_are_refused_before_any_work() {
    let env = Env::seeded(3);
    let key = ReceivingKey::make(&env);
    let public = key.public_key().unwrap();
    assert_eq!(seal_box(&env, &public, &aad(), &vec![0; BOX_PLAINTEXT_MAX_BYTES + 1]), Err(BoxError::Length));
    assert_eq!(open_box(&key, &aad(), &vec![1; BOX_OVERHEAD_BYTES + BOX_PLAINTEXT_MAX_BYTES + 1]), Err(BoxError::Length));
    let largest = seal_box(&env, &public, &aad(), &vec![9; BOX_PLAINTEXT_MAX_BYTES]).unwrap();
    assert_eq!(open_box(&key, &aad(), &largest).unwrap().len(), BOX_PLAINTEXT_MAX_BYTES);
}

#[test]
fn a_point_of_small_order_in_a_box_does_not_decide_its_key() {
    // all-zero X25519 part: the shared secret still depends on ML-KEM, so nobody else can make this open
    let env = Env::seeded(4);
    let key = ReceivingKey::make(&env);
    let mut sealed = seal_box(&env, &key.public_key().unwrap(), &aad(), &[7; 32]).unwrap();
    sealed[1_089..1_121].fill(0);
    assert_eq!(open_box(&key, &aad(), &sealed), Err(BoxError::Closed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn random_bytes_are_no_box_and_no_key(mut noise in proptest::collection::vec(any::<u8>(), 0..1_400), suite in any::<bool>()) {
        if let (true, Some(first)) = (suite, noise.first_mut()) {
            *first = 1;
        }
        let key = ReceivingKey::make(&Env::seeded(5));
        prop_assert!(open_box(&key, &aad(), &noise).is_err());
        prop_assert!(ReceivingPublicKey::from_slice(&noise).is_err() || noise.len() == 1_216);
    }
}
