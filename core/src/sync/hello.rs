//! The only bytes of a session that travel in the clear.
//!
//! ```text
//! hello   version (1) ‖ salt (16) ‖ count (1) ‖ count tags (16 each) ‖ Noise message 1 (48)
//! answer  0x00 ‖ Noise message 2 (48)     the first tag is known: the channel is open
//!         0x01..0x07                      the first is not, this one is: Noise message 1 again, under it
//!         0xfe ‖ version (1)              another version
//!         0xff                            none is known
//! ```
//!
//! A tag is keyed BLAKE3 of the salt under a discovery secret, newest first, filled up to eight with
//! random ones: who knows none of the secrets learns nothing, not even how many there are. Message 1 is
//! under the newest secret, so that two phones of one turn need one round trip. All of the hello, and the
//! index in the answer, are the handshake's prologue, so that nobody on the path can alter either.

use super::error::SessionFault;
use super::limits::HELLO_TAGS_COUNT;
use crate::crypto::{DiscoverySecret, HANDSHAKE_MESSAGE_BYTES, hello_tag};
use crate::env::Env;

/// Version of the session protocol: of the hello, of the message table and of the rules between them.
pub const SESSION_VERSION: u8 = 1;

pub(super) const HELLO_BYTES: usize = 1 + 16 + 1 + HELLO_TAGS_COUNT * 16;
pub(super) const HELLO_AND_MESSAGE_BYTES: usize = HELLO_BYTES + HANDSHAKE_MESSAGE_BYTES;
pub(super) const ANSWER_FIRST: u8 = 0x00;
pub(super) const ANSWER_VERSION: u8 = 0xfe;
pub(super) const ANSWER_STRANGER: u8 = 0xff;

/// A dialer's hello under these secrets (1 to 8 are shown, newest first).
pub(super) fn make_hello(env: &Env, secrets: &[DiscoverySecret]) -> Vec<u8> {
    let salt: [u8; 16] = env.random();
    let mut hello = Vec::with_capacity(HELLO_BYTES);
    hello.push(SESSION_VERSION);
    hello.extend_from_slice(&salt);
    hello.push(HELLO_TAGS_COUNT as u8);
    for index in 0..HELLO_TAGS_COUNT {
        // drawn whether used or not, so that time does not tell how many are real
        let random: [u8; 16] = env.random();
        hello.extend_from_slice(&secrets.get(index).map_or(random, |secret| hello_tag(secret, &salt)));
    }
    hello
}

/// The first tag of a hello that one of these secrets made: the index of the tag and the secret's.
///
/// Errors: [`SessionFault::Version`], [`SessionFault::Malformed`].
pub(super) fn recognise(hello: &[u8], secrets: &[DiscoverySecret]) -> Result<Option<(u8, usize)>, SessionFault> {
    let (version, rest) = hello.split_first().ok_or(SessionFault::Malformed)?;
    if *version != SESSION_VERSION {
        return Err(SessionFault::Version);
    }
    let (salt, rest) = rest.split_first_chunk::<16>().ok_or(SessionFault::Malformed)?;
    let (count, tags) = rest.split_first().ok_or(SessionFault::Malformed)?;
    if usize::from(*count) != HELLO_TAGS_COUNT || tags.len() != HELLO_TAGS_COUNT * 16 {
        return Err(SessionFault::Malformed);
    }
    let own: Vec<[u8; 16]> = secrets.iter().map(|secret| hello_tag(secret, salt)).collect();
    // Tags are no secrets and are used once, so how long the search takes betrays nothing that the answer does not.
    for (index, tag) in (0u8..).zip(tags.as_chunks::<16>().0) {
        if let Some(secret) = own.iter().position(|mine| mine == tag) {
            return Ok(Some((index, secret)));
        }
    }
    Ok(None)
}

/// What both sides have said in the clear before the handshake under a tag.
pub(super) fn prologue(hello: &[u8], tag: u8) -> Vec<u8> {
    let mut prologue = hello.to_vec();
    prologue.push(tag);
    prologue
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_hello_names_the_newest_common_secret_and_nothing_to_others() {
        let env = Env::seeded(1);
        let secrets: Vec<DiscoverySecret> = (0..3).map(|_| DiscoverySecret::make(&env)).collect();
        let hello = make_hello(&env, &secrets);
        assert_eq!(hello.len(), HELLO_BYTES);
        assert_eq!(recognise(&hello, &secrets).unwrap(), Some((0, 0)));
        assert_eq!(recognise(&hello, &secrets[2..]).unwrap(), Some((2, 0)));
        assert_eq!(recognise(&hello, &[DiscoverySecret::make(&env)]).unwrap(), None);
        assert_eq!(recognise(&hello, &[]).unwrap(), None);
        // a second hello under the same secrets has nothing in common with the first but its version and count
        let second = make_hello(&env, &secrets);
        for (one, other) in hello[18..].chunks(16).zip(second[18..].chunks(16)) {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn what_is_no_hello_is_refused() {
        let env = Env::seeded(2);
        let mut hello = make_hello(&env, &[DiscoverySecret::make(&env)]);
        assert_eq!(recognise(&hello[..40], &[]), Err(SessionFault::Malformed));
        assert_eq!(recognise(&[], &[]), Err(SessionFault::Malformed));
        hello[17] = 9;
        assert_eq!(recognise(&hello, &[]), Err(SessionFault::Malformed));
        hello[0] = 2;
        assert_eq!(recognise(&hello, &[]), Err(SessionFault::Version));
    }
}
