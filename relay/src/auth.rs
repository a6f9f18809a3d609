//! Who asks: signatures, time windows, nonces, rates.
//!
//! The order matters. Time is checked first, because it says nothing about mailboxes. A signature is checked
//! even when there is no such mailbox, and both refusals are the same. Nonces and rates are charged last,
//! so that strangers can use up neither.

use crate::config::EARLIER_SHARE_DIVISOR;
use crate::freshness::{Buckets, Nonces, Seen};
use crate::problem::Problem;
use crate::relay::{Relay, lock};
use crate::storage::{Access, Mailbox};
use ed25519_dalek::{Signature, VerifyingKey};
use satchel_wire::frame::{AccessKeys, Endpoint, Freshness, ProblemCode, Signed};
use satchel_wire::limits::REQUEST_SKEW_MAX_SECONDS;
use satchel_wire::{MailboxId, UtcDay};
use std::sync::Mutex;

/// Stands in for the key of a mailbox that does not exist: the base point of Ed25519 (RFC 8032, section 5.1).
const NOBODY: [u8; 32] = {
    let mut point = [0x66; 32];
    point[0] = 0x58;
    point
};

/// Which pull key signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The present one: all lanes.
    Current,
    /// One that was replaced within the absence limit: the announce lane only.
    Earlier,
}

/// Nonces and rates of all mailboxes.
#[derive(Debug, Default)]
pub struct Gate {
    nonces: Mutex<Nonces>,
    buckets: Mutex<Buckets>,
}

/// Whether a public key can verify anything: a point of the curve, not of small order.
pub fn is_usable_key(key: &[u8; 32]) -> bool {
    VerifyingKey::from_bytes(key).is_ok_and(|key| !key.is_weak())
}

/// Whether all keys of a turn are usable.
pub fn are_usable_keys(control: &[u8; 32], keys: &AccessKeys) -> bool {
    [control, &keys.pull, &keys.push].into_iter().all(is_usable_key)
}

/// Whether `key` signed this request (RFC 8032 without malleability or small-order keys).
pub fn is_signed_by(key: &[u8; 32], endpoint: Endpoint, signed: &Signed) -> bool {
    let message = endpoint.signing_bytes(&signed.body);
    VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify_strict(&message, &Signature::from_bytes(&signed.signature)).is_ok())
}

const REFUSED: Problem = Problem::new(ProblemCode::Refused);

impl Relay {
    /// Refuses a time too far from ours (`clock_skew`).
    pub(crate) fn check_time(&self, freshness: &Freshness) -> Result<(), Problem> {
        let now = self.now();
        if freshness.time.abs_diff(now) > REQUEST_SKEW_MAX_SECONDS { Err(Problem::clock_skew(now)) } else { Ok(()) }
    }

    /// Charges an authenticated request: `rate_limited`, `replayed`.
    pub(crate) fn charge(&self, mailbox: MailboxId, freshness: &Freshness, standing: Standing) -> Result<(), Problem> {
        let now = self.now();
        let share = if standing == Standing::Earlier { EARLIER_SHARE_DIVISOR } else { 1 };
        let (burst, rate) = (self.config.burst_count / share, self.config.rate_per_second / share);
        let bucket = (mailbox, standing == Standing::Earlier);
        lock(&self.gate.buckets).take(bucket, burst, rate, now).map_err(Problem::rate_limited)?;
        match lock(&self.gate.nonces).remember(mailbox, freshness, now) {
            Seen::New => Ok(()),
            Seen::Before => Err(ProblemCode::Replayed.into()),
            Seen::NoRoom(seconds) => Err(Problem::rate_limited(seconds)),
        }
    }

    /// A claimed mailbox, its request signed by the one key that `key` picks.
    pub(crate) fn check_owner(
        &self,
        mailbox: MailboxId,
        endpoint: Endpoint,
        signed: &Signed,
        freshness: &Freshness,
        key: impl Fn(&Access) -> [u8; 32],
    ) -> Result<(Mailbox, Access), Problem> {
        self.check_time(freshness)?;
        let found = self.stored(self.storage.mailbox(&mailbox))?;
        let access = found.as_ref().and_then(|found| found.access.clone());
        let signed_well = is_signed_by(&access.as_ref().map_or(NOBODY, key), endpoint, signed);
        match (found, access) {
            (Some(found), Some(access)) if signed_well => {
                self.charge(mailbox, freshness, Standing::Current)?;
                Ok((found, access))
            }
            _ => Err(REFUSED),
        }
    }

    /// The standing of the pull key that signed.
    pub(crate) fn check_reader(
        &self,
        mailbox: MailboxId,
        endpoint: Endpoint,
        signed: &Signed,
        freshness: &Freshness,
        today: UtcDay,
    ) -> Result<Standing, Problem> {
        self.check_time(freshness)?;
        let access = self.stored(self.storage.mailbox(&mailbox))?.and_then(|found| found.access);
        let current = access.as_ref().map_or(NOBODY, |access| access.keys.pull);
        let standing = if is_signed_by(&current, endpoint, signed) {
            Some(Standing::Current)
        } else {
            let limit = self.config.absence_limit_days;
            let mut earlier = access.iter().flat_map(|access| &access.earlier);
            let valid = |key: &&crate::storage::EarlierPullKey| key.replaced.plus(limit) >= today;
            earlier.by_ref().filter(valid).any(|earlier| is_signed_by(&earlier.key, endpoint, signed)).then_some(Standing::Earlier)
        };
        match (access, standing) {
            (Some(_), Some(standing)) => {
                self.charge(mailbox, freshness, standing)?;
                Ok(standing)
            }
            _ => Err(REFUSED),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn small_order_keys_and_no_points_are_unusable() {
        assert!(is_usable_key(&NOBODY));
        let mut identity = [0; 32];
        identity[0] = 1;
        assert!(!is_usable_key(&identity));
        assert!(!is_usable_key(&[0; 32]));
        assert!((0..=255).any(|n| !is_usable_key(&[n; 32])));
    }
}
