//! What secrets must not do: print, copy themselves, stay behind.

use crate::crypto::*;
use crate::env::Env;
use std::fmt::Debug;
use std::marker::PhantomData;
use zeroize::ZeroizeOnDrop;

struct Probe<T>(PhantomData<T>);

trait Otherwise {
    const CLONES: bool = false;
}

impl<T> Otherwise for Probe<T> {}

impl<T: Clone> Probe<T> {
    // an inherent constant goes before the trait's, wherever its bound holds
    const CLONES: bool = true;
}

macro_rules! for_every_secret {
    ($check:ident) => {
        $check!(
            RecordKey,
            PageKey,
            RootKey,
            StoreKey,
            UnlockKey,
            KeystoreSecret,
            LaneKey,
            RecordsSecret,
            CommonsSecret,
            DiscoverySecret,
            InvitationSecret,
            SessionPsk
        )
    };
}

#[test]
fn no_secret_can_be_cloned() {
    macro_rules! check {
        ($($secret:ty),+) => { $(assert!(!Probe::<$secret>::CLONES, stringify!($secret));)+ };
    }
    for_every_secret!(check);
    check!(SigningKey, ReceivingKey, Passphrase, Nonce, Handshake, Channel, ErasureTokens);
    // positive control
    const { assert!(Probe::<[u8; 32]>::CLONES && Probe::<VerifyingKey>::CLONES) };
}

#[test]
fn no_secret_prints_a_byte() {
    fn shown(value: &impl Debug) -> String {
        format!("{value:?} {value:#?}")
    }
    macro_rules! check {
        ($($secret:ident),+) => { $(
            let secret = $secret::from_slice(&vec![0xa5; $secret::LENGTH_BYTES]).unwrap();
            assert_eq!(shown(&secret), concat!(stringify!($secret), "(..) ", stringify!($secret), "(..)"));
        )+ };
    }
    for_every_secret!(check);
    let env = Env::seeded(1);
    let seed = [0xa5; 32];
    let (signing, receiving, psk) = (SigningKey::from_seed(&seed), ReceivingKey::from_seed(&seed), SessionPsk::from_bytes(&seed));
    let handshake = Handshake::dialer(&env, &psk, b"").unwrap();
    for shown in [shown(&signing), shown(&receiving), shown(&handshake)] {
        assert!(shown.contains("(..)") && !shown.contains("a5") && !shown.contains("165"), "{shown}");
    }
    // positive control
    assert!(format!("{seed:?}").contains("165"));
}

fn wipes<T: ZeroizeOnDrop>() {}

#[test]
fn every_secret_promises_to_wipe_itself() {
    macro_rules! check {
        ($($secret:ty),+) => { $(wipes::<$secret>(); assert!(std::mem::needs_drop::<$secret>());)+ };
    }
    for_every_secret!(check);
    check!(ReceivingKey);
    wipes::<ed25519_dalek::SigningKey>();
}

/// Reads this process's own memory, without `unsafe`: what stands where a dropped secret stood.
#[cfg(target_os = "linux")]
#[test]
fn nothing_of_a_dropped_secret_stays_in_its_place() {
    use std::os::unix::fs::FileExt;

    let memory = std::fs::File::open("/proc/self/mem").unwrap();
    // an allocator keeps its own notes in the first 16 bytes of what is freed
    let rest = |address: usize| {
        let mut found = [0xff; 16];
        memory.read_exact_at(&mut found, address as u64 + 16).unwrap();
        found
    };
    let marker: [u8; 32] = std::array::from_fn(|index| 0xc0 + index as u8);

    let key = RecordKey::from_bytes(&marker);
    let address = key.expose().as_ptr().addr();
    assert_eq!(rest(address), marker[16..]);
    drop(key);
    assert_eq!(rest(address), [0; 16]);

    let key = SigningKey::from_seed(&marker);
    let address = key.expose_seed().as_ptr().addr();
    assert_eq!(rest(address), marker[16..]);
    drop(key);
    assert_eq!(rest(address), [0; 16]);

    let key = ReceivingKey::from_seed(&marker);
    let address = key.expose_seed().as_ptr().addr();
    drop(key);
    assert_eq!(rest(address), [0; 16]);

    // positive control: a plain box leaves its bytes behind
    let plain = Box::new(marker);
    let address = plain.as_ptr().addr();
    drop(plain);
    assert_eq!(rest(address), marker[16..]);
}
