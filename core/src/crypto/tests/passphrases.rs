//! Passphrases, key slots and words.

use crate::crypto::*;
use crate::env::Env;
use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use data_encoding::HEXLOWER;
use satchel_wire::limits::{
    ARGON2_MEMORY_DEFAULT_KIB, ARGON2_MEMORY_IOS_KIB, ARGON2_MEMORY_MAX_KIB, ARGON2_MEMORY_MIN_KIB, PASSPHRASE_MAX_BYTES,
    PASSPHRASE_WORDS_DEFAULT_COUNT,
};
use std::collections::BTreeSet;

/// RFC 9106, section 5.3: Argon2id with secret and associated data, the algorithm underneath.
#[test]
fn argon2id_as_the_rfc_has_it() {
    let params =
        ParamsBuilder::new().m_cost(32).t_cost(3).p_cost(4).data(AssociatedData::new(&[4; 12]).unwrap()).output_len(32).build().unwrap();
    let mut tag = [0; 32];
    Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params)
        .unwrap()
        .hash_password_into(&[1; 32], &[2; 16], &mut tag)
        .unwrap();
    assert_eq!(HEXLOWER.encode(&tag), "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
}

fn cheapest() -> Argon2Params {
    Argon2Params::new(ARGON2_MEMORY_MIN_KIB, 1, 1).unwrap()
}

#[test]
fn a_slot_opens_with_its_passphrase_and_as_its_own_kind_only() {
    let env = Env::seeded(1);
    let (passphrase, salt, slot) = (make_passphrase(&env, 5).unwrap(), env.random(), Aad::new(labels::SLOT).add(&[1]));
    let store_key = StoreKey::make(&env);
    let unlock = |passphrase: &Passphrase, salt: &[u8; 16], params, has_keystore: bool| {
        derive_unlock_key(passphrase, salt, params, has_keystore).unwrap()
    };
    let wrapped = wrap_store_key(&env, &unlock(&passphrase, &salt, cheapest(), true), &slot, &store_key).unwrap();
    let open = |key: UnlockKey| unwrap_store_key(&key, &slot, &wrapped);
    assert_eq!(open(unlock(&passphrase, &salt, cheapest(), true)), Ok(store_key));

    // whatever is wrong, the error is the same: no oracle for one half of the secret
    let typo = Passphrase::new(&super::flipped(passphrase.dangerous_as_bytes(), 0)).unwrap();
    let dearer = Argon2Params::new(ARGON2_MEMORY_MIN_KIB, 2, 1).unwrap();
    for (what, key) in [
        ("passphrase", unlock(&typo, &salt, cheapest(), true)),
        ("salt", unlock(&passphrase, &[0; 16], cheapest(), true)),
        ("cost", unlock(&passphrase, &salt, dearer, true)),
        ("kind", unlock(&passphrase, &salt, cheapest(), false)),
    ] {
        assert_eq!(open(key), Err(OpenError::Commitment), "{what}");
    }
}

#[test]
fn parameters_out_of_bounds_do_not_exist() {
    for memory in [0, 8, 1024, ARGON2_MEMORY_MIN_KIB - 1, ARGON2_MEMORY_MAX_KIB + 1, u32::MAX] {
        assert_eq!(Argon2Params::try_from((memory, 1, 1)), Err(PassphraseError::Params), "{memory} KiB");
    }
    for passes in [0, 17, u32::MAX] {
        assert_eq!(Argon2Params::new(ARGON2_MEMORY_MIN_KIB, passes, 1), Err(PassphraseError::Params), "{passes} passes");
    }
    for lanes in [0, 5, u32::MAX] {
        assert_eq!(Argon2Params::new(ARGON2_MEMORY_MIN_KIB, 1, lanes), Err(PassphraseError::Params), "{lanes} lanes");
    }
    let dearest = Argon2Params::new(256 * 1024, 16, 4).unwrap();
    assert_eq!((dearest.memory_kib(), dearest.passes(), dearest.lanes()), (262_144, 16, 4));
    assert_eq!(ARGON2_MEMORY_MIN_KIB, 19_456);
}

#[test]
fn calibration_spends_the_time_it_is_given_and_never_less_than_the_least() {
    // one pass over 64 MiB takes so many milliseconds; the first measurement is disturbed
    let calibrated = |millis_per_pass: u64, target: u64, ceiling: u32| {
        let mut runs = 0;
        let params = Argon2Params::calibrate::<PassphraseError>(target, ceiling, |params| {
            runs += 1;
            assert_eq!(params.passes(), 1);
            Ok(if runs == 1 { millis_per_pass * 10 } else { millis_per_pass })
        })
        .unwrap();
        assert_eq!(runs, 2);
        (params.memory_kib(), params.passes())
    };
    assert_eq!(calibrated(100, 500, ARGON2_MEMORY_DEFAULT_KIB), (65_536, 5));
    assert_eq!(calibrated(100, 500, ARGON2_MEMORY_IOS_KIB), (49_152, 5));
    assert_eq!(calibrated(2_000, 500, ARGON2_MEMORY_DEFAULT_KIB), (65_536, 1), "a slow phone keeps its memory");
    assert_eq!(calibrated(1, 5_000, ARGON2_MEMORY_DEFAULT_KIB), (65_536, 16));
    assert_eq!(calibrated(0, u64::MAX, u32::MAX), (65_536, 16), "the ceiling is not a wish");
    assert_eq!(calibrated(2_000, 500, 0), (19_456, 2), "little memory costs two passes at least");
    let failing = Argon2Params::calibrate(500, ARGON2_MEMORY_DEFAULT_KIB, |_| Err(PassphraseError::OutOfMemory));
    assert_eq!(failing, Err(PassphraseError::OutOfMemory));
}

#[test]
fn a_passphrase_is_bounded_and_taken_as_it_is() {
    assert_eq!(Passphrase::new(b"").err(), Some(PassphraseError::Length));
    assert_eq!(Passphrase::new(&[b'x'; PASSPHRASE_MAX_BYTES + 1]).err(), Some(PassphraseError::Length));
    assert_eq!(Passphrase::new(" Á ".as_bytes()).unwrap().dangerous_as_bytes(), " Á ".as_bytes());
    assert_eq!(format!("{:?}", Passphrase::new(b"correct horse").unwrap()), "Passphrase(..)");
}

#[test]
fn generated_words_come_from_the_whole_list_and_do_not_repeat() {
    let list = bip39::Language::English.word_list();
    assert_eq!(list.len(), 2_048, "a word is 11 bits");
    assert!(list.iter().all(|word| word.len() <= 8));
    let env = Env::seeded(2);
    let (mut seen, mut phrases) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..4_000 {
        let phrase = make_passphrase(&env, PASSPHRASE_WORDS_DEFAULT_COUNT).unwrap();
        let text = String::from_utf8(phrase.dangerous_as_bytes().to_vec()).unwrap();
        assert_eq!(text.split(' ').count(), 5);
        seen.extend(text.split(' ').map(str::to_owned));
        phrases.insert(text);
    }
    // 20,000 draws from 2,048 words miss one with odds of about one in eight
    assert!(seen.len() >= 2_046, "{} words", seen.len());
    assert_eq!(phrases.len(), 4_000);
    for words in [0, 1, 3, 13, usize::MAX] {
        assert_eq!(make_passphrase(&env, words).err(), Some(PassphraseError::Words), "{words}");
    }
}
