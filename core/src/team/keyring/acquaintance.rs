//! What a newcomer is handed to be recognised by: the turns that colleagues may still be under.
//!
//! A host may be on a turn that nobody else has heard of. Whoever joins there holds that one alone, and no colleague's phone
//! would know theirs if the host's were lost the same night. So the host hands over the secrets by which phones find each
//! other and reach the relay under the turns before. They open neither records nor notices.

use super::{Keyring, Remembered, Seed};
use crate::crypto::{self, Aad, ReceivingKey, ReceivingPublicKey, labels};
use crate::team::TurnError;
use minicbor::{Decode, Encode};
use satchel_wire::ids::TurnId;
use satchel_wire::limits::ACQUAINTANCES_MAX_COUNT;
use satchel_wire::{ShiftDay, cbor};
use zeroize::Zeroizing;

/// One turn by which colleagues are recognised.
#[derive(Debug, Encode, Decode)]
struct Acquaintance {
    #[n(0)]
    turn: TurnId,
    #[n(1)]
    day: ShiftDay,
    #[n(2)]
    discovery: Seed,
    #[n(3)]
    pull: Seed,
    #[n(4)]
    push: Seed,
}

impl Keyring {
    /// Of these turns, for a newcomer: a box to their receiving key. The first [`ACQUAINTANCES_MAX_COUNT`] that are remembered.
    ///
    /// Errors: [`TurnError::Seal`].
    pub fn acquaint(&self, turns: &[TurnId], key: &ReceivingPublicKey) -> Result<Vec<u8>, TurnError> {
        let known = turns.iter().filter_map(|turn| self.remembered.iter().find(|known| known.turn == *turn));
        let handed = known.take(ACQUAINTANCES_MAX_COUNT).map(|known| Acquaintance {
            turn: known.turn,
            day: known.day,
            discovery: known.discovery.clone(),
            pull: known.pull.clone(),
            push: known.push.clone(),
        });
        let plain = Zeroizing::new(cbor::encode(&handed.collect::<Vec<_>>()));
        crypto::seal_box(&self.env, key, &self.aad(), &plain).map_err(|_| TurnError::Seal)
    }

    /// Takes what the host handed over, once, right after joining.
    ///
    /// Errors: [`TurnError::NotForUs`], [`TurnError::Malformed`].
    pub fn take_acquaintances(&mut self, receiving: &Seed, boxed: &[u8]) -> Result<(), TurnError> {
        let key = ReceivingKey::from_seed(receiving.expose());
        let plain = crypto::open_box(&key, &self.aad(), boxed).map_err(|_| TurnError::NotForUs)?;
        let handed: Vec<Acquaintance> = cbor::decode(&plain).map_err(|_| TurnError::Malformed)?;
        let newest = self.remembered.first().map(|known| known.day);
        for Acquaintance { turn, day, discovery, pull, push } in handed.into_iter().take(ACQUAINTANCES_MAX_COUNT) {
            if !self.remembered.iter().any(|known| known.turn == turn) {
                // what is older than the turn in use, whatever the host says
                let day = newest.map_or(day, |newest| day.min(newest));
                self.remembered.push(Remembered { turn, day, discovery, pull, push, notices: None });
            }
        }
        // newest first, behind the turn in use
        if let Some((_, earlier)) = self.remembered.split_first_mut() {
            earlier.sort_by_key(|known| std::cmp::Reverse(known.day));
        }
        self.changes.secrets = true;
        Ok(())
    }

    fn aad(&self) -> Aad {
        Aad::new(labels::BOX_ACQUAINTANCES).add(self.team().as_bytes())
    }
}
