//! Secret sharing: 32 bytes split so that any `threshold` shares give them back and fewer say nothing at all.
//!
//! Shamir's scheme byte by byte over GF(2^8) with the polynomial of FIPS 197 (0x11b), at the points 1 to `shares`:
//! the `vsss-rs` crate, whose arithmetic takes constant time and whose coefficients are drawn from the whole field.
//! Shares carry no checksum of their own here, and the threshold is not in them: the paper says both.

use crate::env::Env;
use vsss_rs::Gf256;
use zeroize::{Zeroize, Zeroizing};

/// Fewest shares that a split can ask for: below it there is nothing to share.
const THRESHOLD_MIN_COUNT: u8 = 2;
/// Length of what is split, and of each share (bytes).
const SECRET_BYTES: usize = 32;

/// Why nothing was split or put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SharingError {
    /// A threshold below 2, or above the number of shares. Remedy: choose others.
    #[error("an impossible threshold")]
    Threshold,
    /// A point of 0, the same point twice, or fewer than two shares. Remedy: read the shares again.
    #[error("shares that cannot be put together")]
    Shares,
}

impl SharingError {
    /// A stable code for the boundary.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Threshold => "sharing.threshold",
            Self::Shares => "sharing.shares",
        }
    }
}

/// One share: its point and its value.
pub type SecretShare = (u8, Zeroizing<[u8; SECRET_BYTES]>);

/// Splits 32 bytes: point (1 to `shares`) and value of each share. Errors: [`SharingError::Threshold`].
pub fn split_secret(env: &Env, secret: &[u8; SECRET_BYTES], threshold: u8, shares: u8) -> Result<Vec<SecretShare>, SharingError> {
    if threshold < THRESHOLD_MIN_COUNT || threshold > shares {
        return Err(SharingError::Threshold);
    }
    let split = Gf256::split_bytes(usize::from(threshold), usize::from(shares), secret, env.rng());
    let split = Zeroizing::new(split.map_err(|_| SharingError::Threshold)?);
    let parted = split.iter().map(|share| {
        let (point, value) = share.split_first()?;
        Some((*point, Zeroizing::new(<[u8; SECRET_BYTES]>::try_from(value).ok()?)))
    });
    parted.collect::<Option<_>>().ok_or(SharingError::Threshold)
}

/// Puts shares together. With too few, or one that was altered, the result is another 32 bytes: nothing here can tell.
///
/// Errors: [`SharingError::Shares`].
pub fn combine_shares(shares: &[(u8, &[u8; SECRET_BYTES])]) -> Result<Zeroizing<[u8; SECRET_BYTES]>, SharingError> {
    let joined: Vec<Vec<u8>> = shares.iter().map(|(point, value)| [&[*point], value.as_slice()].concat()).collect();
    let joined = Zeroizing::new(joined);
    let mut secret = Gf256::combine_bytes(joined.as_slice()).map_err(|_| SharingError::Shares)?;
    let copied = <[u8; SECRET_BYTES]>::try_from(secret.as_slice()).map(Zeroizing::new).map_err(|_| SharingError::Shares);
    secret.zeroize();
    copied
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    const SECRET: [u8; 32] = [0xa7; 32];

    fn combine(shares: &[SecretShare]) -> Zeroizing<[u8; 32]> {
        let shares: Vec<(u8, &[u8; 32])> = shares.iter().map(|(point, value)| (*point, &**value)).collect();
        combine_shares(&shares).unwrap()
    }

    #[test]
    fn every_choice_of_enough_shares_gives_the_secret_back_and_none_of_fewer() {
        let env = Env::seeded(7);
        for shares in 2..=6_u8 {
            for threshold in 2..=shares {
                let split = split_secret(&env, &SECRET, threshold, shares).unwrap();
                for mask in 0_u32..1 << shares {
                    let chosen: Vec<_> = split.iter().filter(|(point, _)| mask >> (point - 1) & 1 == 1).cloned().collect();
                    if chosen.len() >= 2 {
                        let is_enough = chosen.len() >= usize::from(threshold);
                        assert_eq!(*combine(&chosen) == SECRET, is_enough, "{mask:b} of {threshold} in {shares}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_largest_set_works() {
        let split = split_secret(&Env::seeded(8), &SECRET, 16, 16).unwrap();
        assert_eq!(*combine(&split), SECRET);
        assert_ne!(*combine(&split[1..]), SECRET);
    }

    /// For one byte: whatever k-1 shares somebody holds, every secret is as likely. Over all 256 last shares, each of the
    /// 256 secrets comes out exactly once; a scheme that leaves values out (as one with coefficients never zero does) fails.
    #[test]
    fn fewer_shares_are_consistent_with_every_secret() {
        let env = Env::seeded(9);
        for (threshold, shares) in [(2_u8, 3_u8), (3, 5), (5, 6)] {
            let split = split_secret(&env, &SECRET, threshold, shares).unwrap();
            for mask in (0_u32..1 << shares).filter(|mask| mask.count_ones() == u32::from(threshold) - 1) {
                let held: Vec<(u8, u8)> =
                    split.iter().filter(|(at, _)| mask >> (at - 1) & 1 == 1).map(|(at, value)| (*at, value[0])).collect();
                let missing = (1..=shares).find(|at| mask >> (at - 1) & 1 == 0).unwrap();
                let secrets: BTreeSet<u8> = (0..=255_u8)
                    .map(|guess| {
                        let values: Vec<(u8, [u8; 32])> =
                            held.iter().copied().chain([(missing, guess)]).map(|(at, byte)| (at, [byte; 32])).collect();
                        let borrowed: Vec<(u8, &[u8; 32])> = values.iter().map(|(at, value)| (*at, value)).collect();
                        combine_shares(&borrowed).unwrap()[0]
                    })
                    .collect();
                assert_eq!(secrets.len(), 256, "{mask:b} of {threshold} in {shares}");
            }
        }
    }

    /// The values that one share takes over many splits are all of the field's, zero and the secret itself included.
    #[test]
    fn shares_take_every_value_evenly() {
        let env = Env::seeded(10);
        let mut seen: BTreeMap<u8, u32> = BTreeMap::new();
        for _ in 0..2_000 {
            for (_, value) in split_secret(&env, &SECRET, 2, 2).unwrap() {
                value.iter().for_each(|byte| *seen.entry(*byte).or_default() += 1);
            }
        }
        // 128,000 draws: 500 expected of each value, and 6 standard deviations are 134
        assert_eq!(seen.len(), 256);
        assert!(seen.values().all(|count| (366..=634).contains(count)), "{seen:?}");
    }

    #[test]
    fn impossible_requests_are_refused() {
        let env = Env::seeded(11);
        for (threshold, shares) in [(0, 3), (1, 1), (1, 3), (4, 3), (2, 0)] {
            assert_eq!(split_secret(&env, &SECRET, threshold, shares).unwrap_err(), SharingError::Threshold, "{threshold} {shares}");
        }
        for shares in [&[][..], &[(1, &SECRET)], &[(1, &SECRET), (1, &SECRET)], &[(0, &SECRET), (1, &SECRET)]] {
            assert_eq!(combine_shares(shares).unwrap_err(), SharingError::Shares);
        }
    }
}
