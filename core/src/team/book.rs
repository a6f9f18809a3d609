//! The turns that a device knows and holds, and rules T1 to T3 over them.

use super::log::Log;
use super::operation::Role;
use super::state::TeamState;
use super::turn::{Turn, TurnError, TurnSecret};
use crate::env::Env;
use crate::rules::Rule;
use minicbor::{Decode, Encode};
use satchel_wire::ids::{OperationId, TurnId};
use std::collections::{BTreeMap, BTreeSet};

/// A turn whose secret is here.
#[derive(Debug)]
pub struct HeldTurn {
    /// The signed turn.
    pub turn: Turn,
    /// Its secret; destroyed with this value.
    pub secret: TurnSecret,
}

/// A turn as this device keeps it: verified before it was sealed into the store.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct KeptTurn {
    /// The encoded turn.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub turn: Vec<u8>,
    /// Its maker was a steward by what it names.
    #[n(1)]
    pub by_steward: bool,
}

/// A turn that was verified here.
#[derive(Debug)]
struct KnownTurn {
    turn: Turn,
    number: u32,
    by_steward: bool,
}

/// Every turn that this device has verified, and the secrets that it still holds.
#[derive(Debug)]
pub struct TurnBook {
    env: Env,
    known: BTreeMap<TurnId, KnownTurn>,
    held: BTreeMap<TurnId, HeldTurn>,
}

impl TurnBook {
    /// An empty book.
    pub fn new(env: &Env) -> Self {
        Self { env: env.clone(), known: BTreeMap::new(), held: BTreeMap::new() }
    }

    /// Records a verified turn without its secret. Errors: [`TurnError`]; [`TurnError::UnknownPast`] means hold it.
    pub fn learn(&mut self, log: &mut Log, turn: &Turn) -> Result<(), TurnError> {
        if self.known.contains_key(&turn.id()) {
            return Ok(());
        }
        // first of all, since it is cheap: turns that were kept come back in any order, and most are tried before their parents
        let number = self.number_on(turn)?;
        // T1: what it names is applied before it is judged
        let named = if self.env.holds(Rule::ApplyNamedBans) {
            if !turn.log_heads().iter().all(|head| log.operation(head).is_some()) {
                return Err(TurnError::UnknownPast);
            }
            log.state_of(turn.log_heads())
        } else {
            log.state().clone()
        };
        let maker = named.devices.get(&turn.maker()).ok_or(TurnError::NotEntitled)?;
        let entitled = named.device_role(turn.maker()).is_some_and(|role| role.reads_records());
        if !entitled || !turn.is_signed_by(&maker.key) {
            return Err(TurnError::NotEntitled);
        }
        // a turn that its own maker knew to be sealed to a banned device is no turn
        if turn.recipients().iter().any(|recipient| named.device_role(recipient.device).is_none()) {
            return Err(TurnError::NotEntitled);
        }
        let by_steward = named.device_role(turn.maker()) == Some(Role::Steward);
        self.known.insert(turn.id(), KnownTurn { turn: turn.clone(), number, by_steward });
        Ok(())
    }

    /// Takes a turn and its secret.
    ///
    /// Errors: as [`Self::learn`], and [`TurnError::LacksBan`] when it lacks a ban that is known here: then the
    /// turn is known, and its secret is dropped (T3).
    pub fn adopt(&mut self, log: &mut Log, turn: &Turn, secret: TurnSecret) -> Result<bool, TurnError> {
        self.learn(log, turn)?;
        if self.must_go(log, turn) {
            return Err(TurnError::LacksBan);
        }
        if self.held.contains_key(&turn.id()) || self.ancestors().contains(&turn.id()) {
            return Ok(false);
        }
        self.held.insert(turn.id(), HeldTurn { turn: turn.clone(), secret });
        Ok(true)
    }

    /// Known turns to be sealed into the store, parents first.
    pub fn to_keep(&self) -> Vec<KeptTurn> {
        let mut known: Vec<&KnownTurn> = self.known.values().collect();
        known.sort_by_key(|known| (known.number, known.turn.id()));
        known.into_iter().map(|known| KeptTurn { turn: known.turn.to_bytes(), by_steward: known.by_steward }).collect()
    }

    /// Takes back what this store had sealed. Maker and signature were judged before, by the log as each turn names it: to
    /// judge them again would fold the log once for each turn that ever was, at every unlock. Parents must come first.
    ///
    /// Errors: [`TurnError::Malformed`], [`TurnError::UnknownPast`]: the store is damaged.
    pub fn take_back(&mut self, kept: &[KeptTurn]) -> Result<(), TurnError> {
        for kept in kept {
            let turn = Turn::from_bytes(&kept.turn)?;
            let number = self.number_on(&turn)?;
            self.known.insert(turn.id(), KnownTurn { turn, number, by_steward: kept.by_steward });
        }
        Ok(())
    }

    /// The secrets that go with known turns. No rule is applied: it was applied before.
    pub fn hold(&mut self, secrets: impl Iterator<Item = (TurnId, TurnSecret)>) {
        for (id, secret) in secrets {
            if let Some(known) = self.known.get(&id) {
                self.held.insert(id, HeldTurn { turn: known.turn.clone(), secret });
            }
        }
    }

    /// A turn's number above its parents. Errors: [`TurnError::UnknownPast`].
    fn number_on(&self, turn: &Turn) -> Result<u32, TurnError> {
        turn.parents().iter().try_fold(1, |number: u32, parent| {
            let parent = self.known.get(parent).ok_or(TurnError::UnknownPast)?;
            Ok(number.max(parent.number.saturating_add(1)))
        })
    }

    /// Verifies turns that came from elsewhere, in any order.
    pub fn learn_all(&mut self, log: &mut Log, turns: Vec<Turn>) -> Result<(), TurnError> {
        let mut waiting = turns;
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|turn| self.learn(log, turn).is_err());
            if waiting.len() == before {
                return Err(TurnError::UnknownPast);
            }
        }
        Ok(())
    }

    /// The turn to seal under (T2): names every known ban, has no banned recipient, highest number, then id.
    pub fn usable(&self, log: &Log) -> Option<&HeldTurn> {
        let state = log.state();
        self.held
            .values()
            .filter(|held| held.secret.reads_records())
            .filter(|held| !self.env.holds(Rule::NameKnownBans) || names_every_ban(log, &held.turn))
            .filter(|held| !self.env.holds(Rule::NoBannedRecipient) || has_no_banned_recipient(log, &held.turn, state))
            .max_by_key(|held| (self.number(&held.turn.id()), held.turn.id()))
    }

    /// The newest held turn that names every known ban, whatever is held of it.
    pub fn newest_naming_every_ban(&self, log: &Log) -> Option<&HeldTurn> {
        let naming = self.held.values().filter(|held| names_every_ban(log, &held.turn));
        naming.max_by_key(|held| (self.number(&held.turn.id()), held.turn.id()))
    }

    /// Destroys what rule T3 says: turns that lack a known ban, and parents of held turns. Returns what was destroyed.
    ///
    /// Call at the end of the pull or session in hand, after [`Self::usable`] found or a new turn made one.
    pub fn prune(&mut self, log: &Log) -> Vec<HeldTurn> {
        let kept: BTreeSet<TurnId> = self.kept(log).map(|held| held.turn.id()).collect();
        let gone: Vec<TurnId> = self.held.keys().filter(|id| !kept.contains(*id)).copied().collect();
        gone.iter().filter_map(|id| self.held.remove(id)).collect()
    }

    /// Held turns that [`Self::prune`] would leave.
    pub fn kept<'a>(&'a self, log: &'a Log) -> impl Iterator<Item = &'a HeldTurn> {
        let ancestors = if self.env.holds(Rule::DestroyParents) { self.ancestors() } else { BTreeSet::new() };
        self.held.values().filter(move |held| !ancestors.contains(&held.turn.id()) && !self.must_go(log, &held.turn))
    }

    /// Rule T3: a turn that lacks a known ban is neither taken nor kept.
    fn must_go(&self, log: &Log, turn: &Turn) -> bool {
        self.env.holds(Rule::DestroyLacking) && !names_every_ban(log, turn)
    }

    fn ancestors(&self) -> BTreeSet<TurnId> {
        self.closure(self.held.values().flat_map(|held| held.turn.parents().iter().copied()).collect())
    }

    /// A turn and everything below it.
    pub fn with_ancestors(&self, id: &TurnId) -> BTreeSet<TurnId> {
        self.closure(vec![*id])
    }

    fn closure(&self, mut next: Vec<TurnId>) -> BTreeSet<TurnId> {
        let mut ancestors = BTreeSet::new();
        while let Some(id) = next.pop() {
            if ancestors.insert(id)
                && let Some(known) = self.known.get(&id)
            {
                next.extend_from_slice(known.turn.parents());
            }
        }
        ancestors
    }

    /// A turn's number: one more than the highest of its parents'.
    pub fn number(&self, id: &TurnId) -> u32 {
        self.known.get(id).map_or(0, |known| known.number)
    }
    /// Whether a turn's maker was a steward by what the turn itself names.
    pub fn was_by_steward(&self, id: &TurnId) -> bool {
        self.known.get(id).is_some_and(|known| known.by_steward)
    }
    /// Held turns.
    pub fn held(&self) -> impl Iterator<Item = &HeldTurn> {
        self.held.values()
    }
    /// Known turns, in no particular order.
    pub fn known(&self) -> impl Iterator<Item = &Turn> {
        self.known.values().map(|known| &known.turn)
    }
    /// A known turn.
    pub fn turn(&self, id: &TurnId) -> Option<&Turn> {
        self.known.get(id).map(|known| &known.turn)
    }
    /// Whether a turn has been verified here.
    pub fn knows(&self, id: &TurnId) -> bool {
        self.known.contains_key(id)
    }

    /// The newest operations that everything held names (T5): what a frontier may promise.
    pub fn promised_heads(&self, log: &Log) -> Vec<OperationId> {
        if !self.env.holds(Rule::PromiseOnlyHeld) {
            return log.heads();
        }
        log.common(self.held.values().map(|held| held.turn.log_heads()))
    }
}

/// Whether a turn names every ban that is known here.
pub(crate) fn names_every_ban(log: &Log, turn: &Turn) -> bool {
    log.state().bans.iter().all(|ban| log.names(turn.log_heads(), ban))
}

/// Nobody without access is named, and nobody was boxed to later either: whoever came in by an admission that lost got
/// the turn of that day, and no colleague hands them one that names the admission that won.
fn has_no_banned_recipient(log: &Log, turn: &Turn, state: &TeamState) -> bool {
    turn.recipients().iter().all(|recipient| state.device_role(recipient.device).is_some())
        && state.lost_admissions.values().all(|winner| log.names(turn.log_heads(), winner))
}
