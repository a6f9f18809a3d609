//! Signatures.

use super::flipped;
use crate::crypto::*;
use crate::env::Env;
use data_encoding::HEXLOWER;
use ed25519_dalek::{Signer, Verifier};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// RFC 8032, section 7.1, tests 1 to 3: the algorithm underneath, without a label.
#[test]
fn ed25519_as_the_rfc_has_it() {
    let vectors = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ];
    let hex = |text: &str| HEXLOWER.decode(text.as_bytes()).unwrap();
    for (seed, public, message, signature) in vectors {
        let key = ed25519_dalek::SigningKey::from_bytes(&hex(seed).try_into().unwrap());
        assert_eq!(key.verifying_key().as_bytes().to_vec(), hex(public));
        assert_eq!(key.sign(&hex(message)).to_bytes().to_vec(), hex(signature));
        assert_eq!(SigningKey::from_seed(&hex(seed).try_into().unwrap()).verifying_key().as_bytes().to_vec(), hex(public));
    }
}

#[test]
fn every_flipped_bit_of_signature_and_message_is_refused() {
    let key = SigningKey::make(&Env::seeded(1));
    let message = b"moved to another record";
    let signature = key.sign(labels::SIGN_BODY, message);
    let verify = |message: &[u8], signature: &[u8]| {
        key.verifying_key().verify(labels::SIGN_BODY, message, &Signature::from_slice(signature).unwrap())
    };
    assert_eq!(verify(message, signature.as_bytes()), Ok(()));
    for bit in 0..512 {
        assert_eq!(verify(message, &flipped(signature.as_bytes(), bit)), Err(SignatureError::Signature), "bit {bit}");
    }
    for bit in 0..message.len() * 8 {
        assert_eq!(verify(&flipped(message, bit), signature.as_bytes()), Err(SignatureError::Signature), "bit {bit}");
    }
}

#[test]
fn a_signature_counts_under_its_label_only() {
    let key = SigningKey::make(&Env::seeded(2));
    for (name, label) in labels::ALL {
        let signature = key.sign(*label, b"message");
        for (other_name, other) in labels::ALL {
            let verdict = key.verifying_key().verify(*other, b"message", &signature);
            assert_eq!(verdict.is_ok(), name == other_name, "{name} under {other_name}");
        }
    }
}

#[test]
fn what_strictness_refuses_a_loose_verifier_takes() {
    // positive control for the vector "R of small order": found in the file, accepted by the loose equation
    let file = include_str!("../../../../tests/vectors/crypto/signatures.json");
    let file: serde_json::Value = serde_json::from_str(file).unwrap();
    let case =
        file["cases"].as_array().unwrap().iter().find(|case| case["name"].as_str().unwrap().starts_with("R of small order")).unwrap();
    let hex = |name: &str| HEXLOWER.decode(case[name].as_str().unwrap().as_bytes()).unwrap();
    let loose = ed25519_dalek::VerifyingKey::from_bytes(&hex("verifying_key").try_into().unwrap()).unwrap();
    let mut labelled = labels::SIGN_BODY.as_bytes().to_vec();
    labelled.push(0);
    labelled.extend_from_slice(&hex("message"));
    let signature = ed25519_dalek::Signature::from_slice(&hex("signature")).unwrap();
    assert!(loose.verify(&labelled, &signature).is_ok());
    // and for the refused keys: a loose parser takes the neutral element, which then signs anything
    let neutral = {
        let mut bytes = [0; 32];
        bytes[0] = 1;
        bytes
    };
    let weak = ed25519_dalek::VerifyingKey::from_bytes(&neutral).unwrap();
    let mut forged = [0; 64];
    forged[0] = 1;
    assert!(weak.verify(b"anything", &ed25519_dalek::Signature::from_bytes(&forged)).is_ok());
    assert_eq!(VerifyingKey::from_bytes(&neutral), Err(SignatureError::Key));
}

#[test]
fn device_ids_come_from_keys_and_differ() {
    let env = Env::seeded(3);
    let ids: BTreeSet<_> = (0..200).map(|_| SigningKey::make(&env).verifying_key().device_id()).collect();
    assert_eq!(ids.len(), 200);
    let key = SigningKey::make(&env);
    assert_eq!(SigningKey::from_seed(key.expose_seed()).verifying_key().device_id(), key.verifying_key().device_id());
}

proptest! {
    #[test]
    fn random_bytes_verify_nothing(key: [u8; 32], signature in proptest::collection::vec(any::<u8>(), 64), message: Vec<u8>) {
        let signature = Signature::from_slice(&signature).unwrap();
        if let Ok(key) = VerifyingKey::from_bytes(&key) {
            prop_assert_eq!(key.verify(labels::SIGN_BODY, &message, &signature), Err(SignatureError::Signature));
        }
    }
}
