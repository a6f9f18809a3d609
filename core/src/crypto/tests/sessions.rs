//! Noise sessions, and who can take part in one.

use crate::crypto::*;
use crate::env::Env;
use proptest::prelude::*;
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::types::{Cipher, Dh, Hash, Random};

fn psk(seed: u64) -> SessionPsk {
    DiscoverySecret::make(&Env::seeded(seed)).derive_psk()
}

/// Both ends of a session.
fn session() -> (Channel, Channel, [u8; 32]) {
    let (mut dialer, mut listener) =
        (Handshake::dialer(&Env::seeded(1), &psk(0), b"hi").unwrap(), Handshake::listener(&Env::seeded(2), &psk(0), b"hi").unwrap());
    listener.read(&dialer.write().unwrap()).unwrap();
    dialer.read(&listener.write().unwrap()).unwrap();
    let ((dialer, hash), (listener, same)) = (dialer.finish().unwrap(), listener.finish().unwrap());
    assert_eq!(hash, same);
    (dialer, listener, hash)
}

#[test]
fn messages_arrive_once_in_order_and_in_one_direction() {
    let (mut dialer, mut listener, _) = session();
    let (first, second) = (dialer.seal(b"first").unwrap(), dialer.seal(b"second").unwrap());
    assert_eq!(listener.open(&second), Err(NoiseError::Refused), "re-ordered");
    assert_eq!(listener.open(&first).unwrap().as_slice(), b"first");
    assert_eq!(listener.open(&first), Err(NoiseError::Refused), "repeated");
    assert_eq!(dialer.open(&second), Err(NoiseError::Refused), "reflected");
    assert_eq!(listener.open(&second).unwrap().as_slice(), b"second");
    let answer = listener.seal(b"answer").unwrap();
    for bit in 0..answer.len() * 8 {
        assert_eq!(dialer.open(&super::flipped(&answer, bit)), Err(NoiseError::Refused), "bit {bit}");
    }
    assert_eq!(dialer.open(&answer).unwrap().as_slice(), b"answer");
}

#[test]
fn the_largest_message_passes_and_no_larger_one() {
    let (mut dialer, mut listener, _) = session();
    let largest = vec![5; CHANNEL_PLAINTEXT_MAX_BYTES];
    let message = dialer.seal(&largest).unwrap();
    assert_eq!(message.len(), 65_535);
    assert_eq!(*listener.open(&message).unwrap(), largest);
    assert_eq!(dialer.seal(&vec![5; CHANNEL_PLAINTEXT_MAX_BYTES + 1]), Err(NoiseError::Length));
    assert_eq!(listener.open(&[0; 65_536]), Err(NoiseError::Length));
    assert_eq!(listener.open(&[0; 15]), Err(NoiseError::Length));
}

#[test]
fn who_lacks_the_secret_is_refused_on_either_side() {
    let env = Env::seeded(3);
    let mut stranger = Handshake::dialer(&env, &psk(1), b"hi").unwrap();
    let mut listener = Handshake::listener(&env, &psk(0), b"hi").unwrap();
    let knock = stranger.write().unwrap();
    assert_eq!(listener.read(&knock), Err(NoiseError::Refused));
    // a false listener cannot answer either: it can only echo or invent
    let mut dialer = Handshake::dialer(&env, &psk(0), b"hi").unwrap();
    let hello = dialer.write().unwrap();
    assert_eq!(dialer.read(&hello), Err(NoiseError::Refused));
    assert_eq!(dialer.read(&env.random::<48>()), Err(NoiseError::Refused));
    // an invitation's key is not a discovery key, though the bytes be the same
    let bytes = [9; 32];
    let short: [u8; 16] = [9; 16];
    assert_ne!(DiscoverySecret::from_bytes(&bytes).derive_psk(), InvitationSecret::from_bytes(&short).derive_psk());
}

#[test]
fn a_replayed_first_message_leads_nowhere() {
    let mut dialer = Handshake::dialer(&Env::seeded(4), &psk(0), b"hi").unwrap();
    let recorded = dialer.write().unwrap();
    let answer_to = |seed| {
        let mut listener = Handshake::listener(&Env::seeded(seed), &psk(0), b"hi").unwrap();
        listener.read(&recorded).unwrap();
        let answer = listener.write().unwrap();
        (answer, listener.finish().unwrap().0)
    };
    let (first_answer, mut first) = answer_to(5);
    let (_, mut second) = answer_to(6);
    dialer.read(&first_answer).unwrap();
    let (mut dialer, _) = dialer.finish().unwrap();
    let message = dialer.seal(b"genuine").unwrap();
    // the listener that met the replay refuses what was said in the first session
    assert_eq!(second.open(&message), Err(NoiseError::Refused));
    assert_eq!(first.open(&message).unwrap().as_slice(), b"genuine");
}

#[test]
fn steps_out_of_turn_are_refused_and_not_a_panic() {
    let env = Env::seeded(7);
    let mut dialer = Handshake::dialer(&env, &psk(0), b"hi").unwrap();
    let mut listener = Handshake::listener(&env, &psk(0), b"hi").unwrap();
    assert_eq!(listener.write(), Err(NoiseError::Turn));
    assert_eq!(dialer.read(&[0; 48]), Err(NoiseError::Turn));
    let first = dialer.write().unwrap();
    assert_eq!(dialer.write(), Err(NoiseError::Turn));
    assert!(!dialer.is_finished());
    assert_eq!(dialer.finish().err(), Some(NoiseError::Turn));
    listener.read(&first).unwrap();
    assert_eq!(listener.read(&first), Err(NoiseError::Turn));
}

#[test]
fn a_seed_repeats_a_session_and_another_does_not() {
    let knock = |seed| Handshake::dialer(&Env::seeded(seed), &psk(0), b"hi").unwrap().write().unwrap();
    assert_eq!(knock(1), knock(1));
    assert_ne!(knock(1)[..32], knock(2)[..32]);
}

#[test]
fn both_sides_see_the_same_words_and_a_third_party_other_ones() {
    let (.., hash) = session();
    assert_eq!(check_words(&hash), check_words(&hash));
    let mut other = hash;
    other[31] ^= 1;
    assert_ne!(check_words(&hash), check_words(&other));
}

/// A key exchange that sends the neutral element, as a member with a doctored app could.
#[derive(Default)]
struct NeutralDh([u8; 32]);

impl Dh for NeutralDh {
    fn name(&self) -> &'static str {
        "25519"
    }
    fn pub_len(&self) -> usize {
        32
    }
    fn priv_len(&self) -> usize {
        32
    }
    fn set(&mut self, _: &[u8]) {}
    fn generate(&mut self, _: &mut dyn Random) -> Result<(), snow::Error> {
        Ok(())
    }
    fn pubkey(&self) -> &[u8] {
        &self.0
    }
    fn privkey(&self) -> &[u8] {
        &self.0
    }
    fn dh(&self, _: &[u8], out: &mut [u8]) -> Result<(), snow::Error> {
        out.fill(0);
        Ok(())
    }
}

struct Resolver {
    neutral: bool,
}

struct Zeros;

impl Random for Zeros {
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), snow::Error> {
        out.fill(0x42);
        Ok(())
    }
}

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(Zeros))
    }
    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        if self.neutral { Some(Box::<NeutralDh>::default()) } else { DefaultResolver.resolve_dh(choice) }
    }
    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }
    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}

fn snow_side(neutral: bool, dials: bool) -> snow::HandshakeState {
    let params = "Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s".parse().unwrap();
    let (psk, prologue) = (psk(0), Aad::new(labels::NOISE).add(b"hi"));
    let builder = snow::Builder::with_resolver(params, Box::new(Resolver { neutral }));
    let builder = builder.psk(0, psk.expose()).unwrap().prologue(prologue.as_bytes()).unwrap();
    if dials { builder.build_initiator().unwrap() } else { builder.build_responder().unwrap() }
}

#[test]
fn a_shared_secret_of_zeros_is_refused() {
    let mut buffer = [0; 64];
    // a listener who holds the psk answers with the neutral element
    let mut dialer = Handshake::dialer(&Env::seeded(8), &psk(0), b"hi").unwrap();
    let mut doctored = snow_side(true, false);
    doctored.read_message(&dialer.write().unwrap(), &mut [0; 64]).unwrap();
    let length = doctored.write_message(&[], &mut buffer).unwrap();
    assert_eq!(dialer.read(&buffer[..length]), Err(NoiseError::Refused));

    // positive control: without our check the same answer is taken
    let mut unchecked = snow_side(false, true);
    let mut doctored = snow_side(true, false);
    let mut first = [0; 64];
    let length = unchecked.write_message(&[], &mut first).unwrap();
    doctored.read_message(&first[..length], &mut [0; 64]).unwrap();
    let length = doctored.write_message(&[], &mut buffer).unwrap();
    assert!(unchecked.read_message(&buffer[..length], &mut [0; 64]).is_ok());
}

proptest! {
    #[test]
    fn random_bytes_open_no_session(noise in proptest::collection::vec(any::<u8>(), 0..100), exact: [u8; 32]) {
        let mut listener = Handshake::listener(&Env::seeded(9), &psk(0), b"hi").unwrap();
        prop_assert!(listener.read(&noise).is_err());
        prop_assert_eq!(listener.read(&[exact.as_slice(), &[0; 16]].concat()), Err(NoiseError::Refused));
        let (mut dialer, ..) = session();
        prop_assert!(dialer.open(&noise).is_err());
    }
}
