//! What snow computes with: its own primitives, our randomness, and keys that are overwritten when dropped.
//!
//! snow wipes nothing. The wrappers here overwrite each cipher key and each ephemeral key when a session
//! ends. Copies of the chaining key inside snow's handshake state live on the heap and are left to the
//! allocator that zeroes what is freed; a session's keys open nothing that is not in a cover or box.

use crate::env::Env;
use snow::Error;
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use subtle::ConstantTimeEq;

/// Resolves snow's primitives.
pub(super) struct EnvResolver(Env);

impl EnvResolver {
    pub(super) fn new(env: &Env) -> Self {
        Self(env.clone())
    }
}

impl CryptoResolver for EnvResolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(EnvRandom(self.0.clone())))
    }
    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice).map(|inner| Box::new(WipedDh(inner)) as Box<dyn Dh>)
    }
    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }
    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice).map(|inner| Box::new(WipedCipher(inner)) as Box<dyn Cipher>)
    }
}

struct EnvRandom(Env);

impl Random for EnvRandom {
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
        self.0.fill(out);
        Ok(())
    }
}

/// A key exchange that forgets its private key and refuses a shared secret of zeros.
struct WipedDh(Box<dyn Dh>);

impl Drop for WipedDh {
    fn drop(&mut self) {
        self.0.set(&[0; 32]);
    }
}

impl Dh for WipedDh {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn pub_len(&self) -> usize {
        self.0.pub_len()
    }
    fn priv_len(&self) -> usize {
        self.0.priv_len()
    }
    fn set(&mut self, private: &[u8]) {
        self.0.set(private);
    }
    fn generate(&mut self, rng: &mut dyn Random) -> Result<(), Error> {
        self.0.generate(rng)
    }
    fn pubkey(&self) -> &[u8] {
        self.0.pubkey()
    }
    fn privkey(&self) -> &[u8] {
        self.0.privkey()
    }
    fn dh(&self, public: &[u8], out: &mut [u8]) -> Result<(), Error> {
        self.0.dh(public, out)?;
        // a small-order point would leave the pre-shared key as the only secret (RFC 7748, section 6.1)
        let length = self.0.dh_len().min(out.len());
        if bool::from(out[..length].ct_eq(&[0; 64][..length.min(64)])) { Err(Error::Dh) } else { Ok(()) }
    }
    fn dh_len(&self) -> usize {
        self.0.dh_len()
    }
}

/// A cipher that forgets its key.
struct WipedCipher(Box<dyn Cipher>);

impl Drop for WipedCipher {
    fn drop(&mut self) {
        self.0.set(&[0; 32]);
    }
}

impl Cipher for WipedCipher {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn set(&mut self, key: &[u8; 32]) {
        self.0.set(key);
    }
    fn encrypt(&self, nonce: u64, authtext: &[u8], plaintext: &[u8], out: &mut [u8]) -> usize {
        self.0.encrypt(nonce, authtext, plaintext, out)
    }
    fn decrypt(&self, nonce: u64, authtext: &[u8], ciphertext: &[u8], out: &mut [u8]) -> Result<usize, Error> {
        self.0.decrypt(nonce, authtext, ciphertext, out)
    }
    fn rekey(&mut self) {
        self.0.rekey();
    }
}
