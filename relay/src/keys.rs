//! Claims and key changes.

use crate::auth::{are_usable_keys, is_signed_by};
use crate::problem::Problem;
use crate::relay::Relay;
use crate::storage::KeyReplacement;
use satchel_wire::frame::{Claim, Done, Endpoint, KeyChange, ProblemCode, Signed};

impl Relay {
    /// Gives a mailbox its first keys. The secret works once; the same claim again is answered again.
    pub(crate) fn claim(&self, claim: &Claim, signed: &Signed) -> Result<Done, Problem> {
        self.check_time(&claim.freshness)?;
        if !are_usable_keys(&claim.control, &claim.keys) {
            return Err(ProblemCode::Malformed.into());
        }
        let signed_well = is_signed_by(&claim.control, Endpoint::Claim, signed);
        let found = self.stored(self.storage.mailbox(&claim.mailbox))?;
        // `blake3::Hash` compares in constant time; without a mailbox it compares all the same
        let expected = blake3::Hash::from_bytes(found.as_ref().map_or([0; 32], |found| found.claim_hash));
        let knows_secret = blake3::hash(&claim.secret) == expected;
        if !(signed_well & knows_secret & found.is_some()) {
            return Err(ProblemCode::Refused.into());
        }
        self.charge(claim.mailbox, &claim.freshness, crate::auth::Standing::Current)?;
        if self.stored(self.storage.claim(&claim.mailbox, &claim.control, &claim.keys))? {
            return Ok(Done { generation: 0 });
        }
        let access = self.stored(self.storage.mailbox(&claim.mailbox))?.and_then(|found| found.access);
        match access {
            Some(access) if access.generation == 0 && access.control == claim.control && access.keys == claim.keys => {
                Ok(Done { generation: 0 })
            }
            Some(_) => Err(ProblemCode::Superseded.into()),
            None => Err(ProblemCode::Refused.into()),
        }
    }

    /// Replaces the keys by those of a later generation. An exact repeat is answered again; anything else
    /// that is not later is `superseded`.
    pub(crate) fn change_keys(&self, change: &KeyChange, signed: &Signed) -> Result<Done, Problem> {
        let (_, access) = self.check_owner(change.mailbox, Endpoint::Keys, signed, &change.freshness, |access| access.control)?;
        if !are_usable_keys(&change.control, &change.keys) || i64::try_from(change.generation).is_err() {
            return Err(ProblemCode::Malformed.into());
        }
        let done = Done { generation: change.generation };
        if access.generation == change.generation && access.control == change.control && access.keys == change.keys {
            return Ok(done);
        }
        if change.generation <= access.generation {
            return Err(ProblemCode::Superseded.into());
        }
        let today = self.today();
        let replacement = KeyReplacement {
            follows: access.generation,
            generation: change.generation,
            keys: change.keys,
            control: change.control,
            day: today,
            forget_before: today.minus(self.config.absence_limit_days),
        };
        if self.stored(self.storage.replace_keys(&change.mailbox, &replacement))? { Ok(done) } else { Err(ProblemCode::Superseded.into()) }
    }
}
