//! The control key of the relay mailbox: who may set its access keys.
//!
//! The founding turn names the first one. A later turn may name another, if its maker was a steward and an earlier
//! control key of the chain signed it; a reseat operation sets one by itself. Its seed travels in stewards' boxes
//! only, and is taken only when it is the seed of the key that this chain proves: no box, whoever made it, can put
//! another key in its place.

use super::{Keyring, Seed};
use crate::crypto::{Signature, SigningKey, VerifyingKey, labels};
use crate::team::turn::ControlChange;
use crate::team::{Action, Role, Turn};
use satchel_wire::ids::{OperationId, TeamId, TurnId};
use std::collections::BTreeMap;

/// Most control keys kept: the relay may still have an earlier one (count).
const CONTROL_KEPT_MAX_COUNT: usize = 4;

/// A control key that a turn validly named.
struct Link {
    public: [u8; 32],
    number: u32,
    /// Its maker is a steward now: a key that somebody named while being banned does not come into force.
    by_steward: bool,
    knows_reseat: bool,
}

fn message(team: TeamId, next: &[u8; 32]) -> Vec<u8> {
    [team.as_bytes().as_slice(), next].concat()
}

fn public_of(seed: &Seed) -> [u8; 32] {
    *SigningKey::from_seed(seed.expose()).verifying_key().as_bytes()
}

impl Keyring {
    /// The seed of the control key in force, if it is here.
    pub fn control(&self) -> Option<&Seed> {
        let key = self.control_key()?;
        self.control.iter().find(|seed| public_of(seed) == key)
    }

    /// The control keys held, the one in force first: the relay may still have an earlier one.
    pub fn controls(&self) -> Vec<&Seed> {
        let key = self.control_key();
        let mut seeds: Vec<&Seed> = self.control.iter().collect();
        seeds.sort_by_key(|seed| Some(public_of(seed)) != key);
        seeds
    }

    /// The control key in force, as known turns and the log prove it.
    pub fn control_key(&self) -> Option<[u8; 32]> {
        let chain = self.control_chain();
        let in_force = chain.iter().max_by_key(|(turn, link)| (link.by_steward, link.number, **turn)).map(|(_, link)| link.public);
        // the paper key overrides until a turn on top of it names the next one
        match self.reseat_control() {
            Some((_, set)) => {
                let since = chain.iter().filter(|(_, link)| link.by_steward && link.knows_reseat);
                since.max_by_key(|(turn, link)| (link.number, **turn)).map(|(_, link)| link.public).or(Some(set))
            }
            None => in_force,
        }
    }

    /// Every control key that some known turn has validly named.
    fn control_chain(&self) -> BTreeMap<TurnId, Link> {
        let mut turns: Vec<&Turn> = self.book.known().filter(|turn| turn.control().is_some()).collect();
        turns.sort_by_key(|turn| (self.book.number(&turn.id()), turn.id()));
        let mut chain: BTreeMap<TurnId, Link> = BTreeMap::new();
        let reseat = self.reseat_control();
        for turn in turns {
            let Some(change) = turn.control() else { continue };
            let signed_by = |key: &[u8; 32]| {
                let signature = change.signature.map(Signature::from_bytes);
                VerifyingKey::from_bytes(key).ok().zip(signature).is_some_and(|(key, signature)| {
                    key.verify(labels::SIGN_NEXT_CONTROL, &message(self.team(), &change.public), &signature).is_ok()
                })
            };
            let is_first = turn.parents().is_empty() && chain.is_empty();
            let is_signed = self.is_signed_in(turn.id(), &chain, reseat.map(|(_, key)| key), signed_by);
            // whoever starts a turn is not thereby a steward
            let was_steward = self.book.was_by_steward(&turn.id());
            if was_steward && (is_first || is_signed) {
                let knows_reseat = reseat.is_some_and(|(operation, _)| self.log.names(turn.log_heads(), &operation));
                let by_steward = self.log.state().device_role(turn.maker()) == Some(Role::Steward);
                let number = self.book.number(&turn.id());
                chain.insert(turn.id(), Link { public: change.public, number, by_steward, knows_reseat });
            }
        }
        chain
    }

    /// Whether a key of the chain so far, or the reseat key, signed a turn's change. A signature that was found good is not
    /// checked again while that key is one of them: this is asked often, and a team removes many people in its time.
    fn is_signed_in(
        &self,
        turn: TurnId,
        chain: &BTreeMap<TurnId, Link>,
        reseat: Option<[u8; 32]>,
        signed_by: impl Fn(&[u8; 32]) -> bool,
    ) -> bool {
        let mut keys: Vec<&Link> = chain.values().collect();
        // mostly it is the one before it
        keys.sort_by_key(|link| std::cmp::Reverse(link.number));
        let keys = || keys.iter().map(|link| link.public).chain(reseat);
        if let Some(known) = self.control_signers.borrow().get(&turn)
            && keys().any(|key| key == *known)
        {
            return true;
        }
        let signer = keys().find(|key| signed_by(key));
        if let Some(signer) = signer {
            self.control_signers.borrow_mut().insert(turn, signer);
        }
        signer.is_some()
    }

    /// The control key that a reseat operation set, and that operation.
    fn reseat_control(&self) -> Option<(OperationId, [u8; 32])> {
        let set = self.log.state().control?;
        let by =
            self.log.operations().find(|operation| matches!(operation.action(), Action::Reseat { control, .. } if *control == Some(set)));
        by.map(|operation| (operation.id(), set))
    }

    /// Takes a seed from a box, or from whoever typed the paper key in. False unless it is that of the key in force,
    /// and this device a steward's.
    pub fn take_control(&mut self, seed: &[u8; 32]) -> bool {
        let seed = Seed::new(seed);
        if self.role() != Some(Role::Steward) || self.control_key() != Some(public_of(&seed)) {
            return false;
        }
        if !self.control.contains(&seed) {
            self.push_control(seed);
        }
        true
    }

    pub(super) fn push_control(&mut self, seed: Seed) {
        self.control.insert(0, seed);
        self.control.truncate(CONTROL_KEPT_MAX_COUNT);
        self.changes.secrets = true;
    }

    /// The relay has the control key in force: earlier ones are good for nothing.
    pub fn forget_earlier_controls(&mut self) {
        let Some(key) = self.control_key() else { return };
        if self.control.len() > 1 && self.control.iter().any(|seed| public_of(seed) == key) {
            self.control.retain(|seed| public_of(seed) == key);
            self.changes.secrets = true;
        }
    }

    /// A new control key for the turn that this steward starts, when somebody was banned who may hold the present one.
    pub(super) fn next_control(&self) -> Option<(Seed, ControlChange)> {
        if self.role() != Some(Role::Steward) {
            return None;
        }
        let present = self.control()?;
        let key = public_of(present);
        let named_in = self.book.known().find(|turn| turn.control().is_some_and(|change| change.public == key));
        let mut bans = self.log.state().membership_bans();
        let names_all = match named_in {
            Some(turn) => bans.all(|ban| self.log.names(turn.log_heads(), ban)),
            None => {
                // set by the paper key: whatever it removed never held it
                let (reseat, _) = self.reseat_control()?;
                bans.all(|ban| self.log.precedes(ban, &reseat))
            }
        };
        if names_all {
            return None;
        }
        let next = Seed::make(&self.env);
        let public = public_of(&next);
        let signer = SigningKey::from_seed(present.expose());
        let signature = *signer.sign(labels::SIGN_NEXT_CONTROL, &message(self.team(), &public)).as_bytes();
        Some((next, ControlChange { public, signature: Some(signature) }))
    }
}
