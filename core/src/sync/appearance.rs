//! How a phone shows itself on a local network, so that colleagues know it and nobody else learns a thing.
//!
//! ```text
//! appearance  salt (16) ‖ 8 tags (16 each)        144 bytes
//! ```
//!
//! A tag is keyed BLAKE3 of the hour and the salt under the discovery secret of a turn, the turn in use first, filled up
//! to eight with random ones. Salt, tags and the name beside them are fresh at each appearance, and an appearance is worth
//! nothing an hour later. Whoever was removed goes on recognising turns from before until they are forgotten. Somebody on the
//! network who repeats an appearance makes colleagues call: they learn that these two phones belong together, not to what.

use super::limits::HELLO_TAGS_COUNT;
use crate::crypto::{DiscoverySecret, discovery_tag};
use crate::env::{Env, UnixTime};

/// Length of an appearance (bytes).
pub const APPEARANCE_BYTES: usize = 16 + HELLO_TAGS_COUNT * 16;
/// Seconds in the hour that an appearance is made for.
const HOUR_SECONDS: u64 = 3_600;

/// What a phone shows of itself for at most an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appearance {
    /// A name that no appearance has twice: random.
    pub name: [u8; 8],
    /// Salt and tags.
    pub bytes: [u8; APPEARANCE_BYTES],
}

/// Who of two phones that know each other calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// This one: it knows the newer keys.
    Us,
    /// The other one. Should it not, after a while, this one may.
    Them,
    /// Either: the one with the smaller salt begins, so that they do not call each other at once.
    Either,
}

pub(crate) fn hour_of(now: UnixTime) -> u32 {
    u32::try_from(now.seconds() / HOUR_SECONDS).unwrap_or(u32::MAX)
}

impl Appearance {
    /// An appearance for this hour under these secrets, of which the first eight are shown, the turn in use first.
    pub(crate) fn make(env: &Env, secrets: &[DiscoverySecret]) -> Self {
        let (salt, hour): ([u8; 16], u32) = (env.random(), hour_of(env.now()));
        let mut bytes = [0; APPEARANCE_BYTES];
        let (shown, tags) = bytes.split_at_mut(salt.len());
        shown.copy_from_slice(&salt);
        for (index, tag) in tags.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            // drawn whether used or not, so that time does not tell how many are real
            let random: [u8; 16] = env.random();
            *tag = secrets.get(index).map_or(random, |secret| discovery_tag(secret, hour, &salt));
        }
        Self { name: env.random(), bytes }
    }
}

/// Whether one of these secrets, the turn in use first, made one of these tags in this hour or one beside it, and who then calls.
pub(crate) fn recognise(shown: &[u8; APPEARANCE_BYTES], secrets: &[DiscoverySecret], now: UnixTime) -> Option<Caller> {
    let (salt, tags) = shown.split_first_chunk::<16>()?;
    let hour = hour_of(now);
    for (ours, secret) in secrets.iter().take(HELLO_TAGS_COUNT).enumerate() {
        for hour in [hour, hour.saturating_sub(1), hour.saturating_add(1)] {
            let tag = discovery_tag(secret, hour, salt);
            if let Some(theirs) = tags.as_chunks::<16>().0.iter().position(|shown| *shown == tag) {
                return Some(match (ours, theirs) {
                    (1.., 0) => Caller::Us,
                    (0, 1..) => Caller::Them,
                    _ => Caller::Either,
                });
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(seconds)
    }

    #[test]
    fn colleagues_know_each_other_for_an_hour_and_strangers_never() {
        let env = Env::seeded(3);
        let [old, new, foreign] = [(); 3].map(|()| DiscoverySecret::make(&env));
        let now = env.now();
        let shown = Appearance::make(&env, std::slice::from_ref(&old));
        assert_eq!(recognise(&shown.bytes, std::slice::from_ref(&old), now), Some(Caller::Either));
        assert_eq!(recognise(&shown.bytes, &[new, old], now), Some(Caller::Us), "the newer one calls");
        assert_eq!(recognise(&shown.bytes, std::slice::from_ref(&foreign), now), None);
        assert_eq!(recognise(&shown.bytes, &[], now), None);
        let [old, new] = [(); 2].map(|()| DiscoverySecret::make(&env));
        let shown = Appearance::make(&env, &[new, DiscoverySecret::from_bytes(old.expose())]);
        assert_eq!(recognise(&shown.bytes, std::slice::from_ref(&old), now), Some(Caller::Them));
        let later = |hours: u64| recognise(&shown.bytes, std::slice::from_ref(&old), at(now.seconds() + hours * HOUR_SECONDS));
        assert_eq!((later(1), later(2)), (Some(Caller::Them), None), "a recorded appearance ends");
    }

    #[test]
    fn two_appearances_of_one_phone_have_nothing_in_common() {
        let env = Env::seeded(4);
        let secrets = [DiscoverySecret::make(&env)];
        let (one, other) = (Appearance::make(&env, &secrets), Appearance::make(&env, &secrets));
        assert_ne!(one.name, other.name);
        for (one, other) in one.bytes.chunks(16).zip(other.bytes.chunks(16)) {
            assert_ne!(one, other);
        }
    }
}
