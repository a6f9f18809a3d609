//! Nonces and rates, in memory only: a restart forgets them.
//!
//! Forgetting is safe: a repeated push or announcement changes nothing, a repeated pull is answered with
//! ciphertext, and keys have generations.

use crate::config::{BUCKETS_MAX_COUNT, NONCES_PER_SPAN_MAX_COUNT};
use satchel_wire::MailboxId;
use satchel_wire::frame::Freshness;
use satchel_wire::limits::REQUEST_SKEW_MAX_SECONDS;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Nonces seen, by the span of time that their requests state.
#[derive(Debug, Default)]
pub struct Nonces {
    spans: BTreeMap<u64, HashSet<(MailboxId, [u8; 12])>>,
}

/// What became of a nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It is new, and remembered from now on.
    New,
    /// It was there.
    Before,
    /// There is no room for it until this many seconds passed.
    NoRoom(u64),
}

impl Nonces {
    /// Remembers the nonce of a request whose time lies within the window around `now` (Unix seconds).
    pub fn remember(&mut self, mailbox: MailboxId, freshness: &Freshness, now: u64) -> Seen {
        let oldest = now.saturating_sub(REQUEST_SKEW_MAX_SECONDS) / REQUEST_SKEW_MAX_SECONDS;
        self.spans = self.spans.split_off(&oldest);
        let span = self.spans.entry(freshness.time / REQUEST_SKEW_MAX_SECONDS).or_default();
        if span.contains(&(mailbox, freshness.nonce)) {
            return Seen::Before;
        }
        if span.len() >= NONCES_PER_SPAN_MAX_COUNT {
            return Seen::NoRoom(REQUEST_SKEW_MAX_SECONDS);
        }
        span.insert((mailbox, freshness.nonce));
        Seen::New
    }
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: u32,
    at: u64,
}

/// A token bucket for each key.
#[derive(Debug, Default)]
pub struct Buckets {
    levels: HashMap<(MailboxId, bool), Bucket>,
}

impl Buckets {
    /// Takes a token at `now` (Unix seconds) from a bucket that holds `burst` and gains `rate` per second.
    /// Errors: seconds until there is one.
    pub fn take(&mut self, key: (MailboxId, bool), burst: u32, rate: u32, now: u64) -> Result<(), u64> {
        let (burst, rate) = (burst.max(1), rate.max(1));
        if self.levels.len() >= BUCKETS_MAX_COUNT && !self.levels.contains_key(&key) {
            let refill = u64::from(burst / rate) + 1;
            self.levels.retain(|_, bucket| bucket.at.saturating_add(refill) > now);
            if self.levels.len() >= BUCKETS_MAX_COUNT {
                return Err(refill);
            }
        }
        let bucket = self.levels.entry(key).or_insert(Bucket { tokens: burst, at: now });
        let gained = now.saturating_sub(bucket.at).saturating_mul(u64::from(rate));
        bucket.tokens = u64::from(bucket.tokens).saturating_add(gained).min(u64::from(burst)) as u32;
        bucket.at = now;
        bucket.tokens = bucket.tokens.checked_sub(1).ok_or(1u64)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_nonce_counts_once_for_as_long_as_its_request_would_be_taken() {
        let mailbox = MailboxId::from_bytes([1; 16]);
        let other = MailboxId::from_bytes([2; 16]);
        let mut nonces = Nonces::default();
        let ahead = Freshness { time: 10_900, nonce: [5; 12] };
        assert_eq!(nonces.remember(mailbox, &ahead, 10_000), Seen::New);
        assert_eq!(nonces.remember(other, &ahead, 10_000), Seen::New);
        for now in [10_000, 10_900, 11_800] {
            assert_eq!(nonces.remember(mailbox, &ahead, now), Seen::Before);
        }
        let later = Freshness { time: 20_000, nonce: [5; 12] };
        assert_eq!(nonces.remember(mailbox, &later, 20_000), Seen::New);
        assert_eq!(nonces.spans.len(), 1, "old spans are forgotten");
    }

    #[test]
    fn a_full_span_takes_no_more() {
        let mailbox = MailboxId::from_bytes([1; 16]);
        let mut nonces = Nonces::default();
        let at = |n: usize| {
            let mut nonce = [0; 12];
            nonce[..8].copy_from_slice(&(n as u64).to_le_bytes());
            Freshness { time: 9_000, nonce }
        };
        for n in 0..NONCES_PER_SPAN_MAX_COUNT {
            assert_eq!(nonces.remember(mailbox, &at(n), 9_000), Seen::New);
        }
        assert!(matches!(nonces.remember(mailbox, &at(NONCES_PER_SPAN_MAX_COUNT), 9_000), Seen::NoRoom(_)));
    }

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let key = (MailboxId::from_bytes([1; 16]), false);
        let mut buckets = Buckets::default();
        for _ in 0..3 {
            buckets.take(key, 3, 2, 100).unwrap();
        }
        assert_eq!(buckets.take(key, 3, 2, 100), Err(1));
        assert_eq!(buckets.take((key.0, true), 3, 2, 100), Ok(()));
        buckets.take(key, 3, 2, 101).unwrap();
        buckets.take(key, 3, 2, 101).unwrap();
        assert_eq!(buckets.take(key, 3, 2, 101), Err(1));
        // a clock that goes back gives nothing
        assert_eq!(buckets.take(key, 3, 2, 50), Err(1));
    }
}
