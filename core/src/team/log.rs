//! The team log: a hash-linked DAG that every device replays to the same state, in any order of arrival.
//!
//! An operation is *accepted* when its parents are known and its author was entitled to it in its own
//! past: a pure function of the bytes and what they name, so that no two devices disagree. What
//! concurrent operations do to each other is decided by the fold (`state.rs`), not here.

use super::operation::{Action, Operation, OperationError};
use super::state::{self, Standing, TeamState};
use crate::crypto::VerifyingKey;
use satchel_wire::ids::{OperationId, TeamId};
use satchel_wire::limits::{HELD_PER_AUTHOR_MAX_COUNT, LOG_OPERATIONS_MAX_COUNT};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What became of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogVerdict {
    /// New and accepted.
    Accepted,
    /// Already here.
    Known,
    /// A parent is missing, or a later version wrote it.
    Held,
    /// Refused for ever, everywhere.
    Refused(Refusal),
}

/// Why an operation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Breaks the format.
    #[error("not an operation")]
    Malformed,
    /// Of another team.
    #[error("an operation of another team")]
    OtherTeam,
    /// Its author was no active device in its own past, or did not sign it.
    #[error("not signed by an entitled device")]
    NotEntitled,
    /// Names something that does not exist, or exists already.
    #[error("an operation without an object")]
    Object,
    /// The log is full.
    #[error("the team log is full")]
    Full,
}

/// The operations a device knows.
#[derive(Debug, Clone)]
pub struct Log {
    team: TeamId,
    operations: BTreeMap<OperationId, Operation>,
    /// Parents before children; the place of an operation here is its bit in `past`.
    order: Vec<OperationId>,
    place: BTreeMap<OperationId, usize>,
    /// For each place, the places in its past, itself included.
    past: Vec<Bits>,
    heads: BTreeSet<OperationId>,
    held: BTreeMap<OperationId, Operation>,
    state: Arc<TeamState>,
    at: BTreeMap<OperationId, Arc<TeamState>>,
}

/// A set of places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn insert(&mut self, place: usize) {
        if self.0.len() <= place / 64 {
            self.0.resize(place / 64 + 1, 0);
        }
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }
    pub(super) fn contains(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }
    pub(super) fn union(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }
    fn intersect(&mut self, other: &Self) {
        for (index, word) in self.0.iter_mut().enumerate() {
            *word &= other.0.get(index).copied().unwrap_or(0);
        }
    }
}

impl Log {
    /// Starts a log from its founding operation. Errors: [`Refusal`] unless it founds exactly `team` and its founder signed it.
    pub fn from_founding(team: TeamId, founding: Operation) -> Result<Self, Refusal> {
        let Action::Found { device, charter, .. } = founding.action() else { return Err(Refusal::Malformed) };
        let key = VerifyingKey::from_bytes(&device.signing).map_err(|_| Refusal::Malformed)?;
        if founding.team() != team {
            return Err(Refusal::OtherTeam);
        }
        let sunset_fits = charter.sunset <= founding.day().plus(crate::consent::charter::SUNSET_MAX_DAYS);
        if !founding.is_signed_by(&key) || charter.check().is_err() || !sunset_fits {
            return Err(Refusal::NotEntitled);
        }
        let mut log = Self {
            team,
            operations: BTreeMap::new(),
            order: Vec::new(),
            place: BTreeMap::new(),
            past: Vec::new(),
            heads: BTreeSet::new(),
            held: BTreeMap::new(),
            state: Arc::new(TeamState::empty(team)),
            at: BTreeMap::new(),
        };
        log.append(founding);
        log.refold();
        Ok(log)
    }

    /// Replays operations in any order. Errors: [`Refusal::Object`] without a founding operation of `team`.
    pub fn replay(team: TeamId, operations: impl IntoIterator<Item = Operation>) -> Result<Self, Refusal> {
        let mut rest: Vec<Operation> = operations.into_iter().collect();
        let at = rest.iter().position(|operation| matches!(operation.action(), Action::Found { .. }) && operation.team() == team);
        let founding = rest.swap_remove(at.ok_or(Refusal::Object)?);
        let mut log = Self::from_founding(team, founding)?;
        log.insert_all(rest);
        Ok(log)
    }

    /// Takes operations from bytes. Returns a verdict for each, in order.
    pub fn merge(&mut self, operations: &[Vec<u8>]) -> Vec<LogVerdict> {
        let decoded: Vec<_> = operations.iter().map(|bytes| Operation::from_bytes(bytes)).collect();
        let ids: Vec<_> = decoded.iter().map(|operation| operation.as_ref().map(Operation::id).map_err(|error| *error)).collect();
        let verdicts = self.insert_all(decoded.into_iter().flatten().collect());
        ids.into_iter()
            .map(|id| match id {
                Ok(id) => verdicts.get(&id).copied().unwrap_or(LogVerdict::Held),
                Err(OperationError::Newer) => LogVerdict::Held,
                Err(OperationError::Malformed) => LogVerdict::Refused(Refusal::Malformed),
            })
            .collect()
    }

    /// Inserts one operation.
    pub fn insert(&mut self, operation: Operation) -> LogVerdict {
        let id = operation.id();
        self.insert_all(vec![operation]).get(&id).copied().unwrap_or(LogVerdict::Held)
    }

    fn insert_all(&mut self, operations: Vec<Operation>) -> BTreeMap<OperationId, LogVerdict> {
        let mut verdicts = BTreeMap::new();
        let before = self.order.len();
        let mut waiting: BTreeMap<OperationId, Operation> = std::mem::take(&mut self.held);
        for operation in operations {
            if self.operations.contains_key(&operation.id()) {
                verdicts.insert(operation.id(), LogVerdict::Known);
            } else {
                waiting.insert(operation.id(), operation);
            }
        }
        loop {
            let ready: Vec<OperationId> = waiting
                .values()
                .filter(|operation| operation.parents().iter().all(|parent| self.operations.contains_key(parent)))
                .map(Operation::id)
                .collect();
            if ready.is_empty() {
                break;
            }
            for id in ready {
                let Some(operation) = waiting.remove(&id) else { continue };
                let verdict = match self.judge(&operation) {
                    Ok(()) => {
                        self.append(operation);
                        LogVerdict::Accepted
                    }
                    Err(refusal) => LogVerdict::Refused(refusal),
                };
                verdicts.insert(id, verdict);
            }
        }
        for (id, operation) in waiting {
            // held, bounded: the rest is asked for again when its parents arrive
            if self.held.len() < HELD_PER_AUTHOR_MAX_COUNT {
                self.held.insert(id, operation);
            }
            verdicts.insert(id, LogVerdict::Held);
        }
        if self.order.len() > before {
            self.refold();
        }
        verdicts
    }

    fn append(&mut self, operation: Operation) {
        let place = self.order.len();
        let mut past = Bits::default();
        past.insert(place);
        for parent in operation.parents() {
            if let Some(bits) = self.place.get(parent).and_then(|place| self.past.get(*place)) {
                past.union(bits);
            }
            self.heads.remove(parent);
        }
        let id = operation.id();
        self.heads.insert(id);
        self.order.push(id);
        self.place.insert(id, place);
        self.past.push(past);
        self.operations.insert(id, operation);
    }

    fn refold(&mut self) {
        self.at.clear();
        self.state = Arc::new(state::fold(self, &self.everything()));
    }

    fn everything(&self) -> Bits {
        let mut bits = Bits::default();
        (0..self.order.len()).for_each(|place| bits.insert(place));
        bits
    }

    /// Whether an operation's author was entitled to it in the operation's own past.
    fn judge(&mut self, operation: &Operation) -> Result<(), Refusal> {
        if operation.team() != self.team || matches!(operation.action(), Action::Found { .. }) {
            return Err(Refusal::OtherTeam);
        }
        if self.order.len() >= LOG_OPERATIONS_MAX_COUNT {
            return Err(Refusal::Full);
        }
        let past = self.state_of(operation.parents());
        if matches!(operation.action(), Action::Reseat { .. }) {
            let key = VerifyingKey::from_bytes(&past.reseat).map_err(|_| Refusal::NotEntitled)?;
            return if operation.is_signed_by(&key) { Ok(()) } else { Err(Refusal::NotEntitled) };
        }
        let author =
            past.devices.get(&operation.author()).filter(|device| device.standing == Standing::Active).ok_or(Refusal::NotEntitled)?;
        if !operation.is_signed_by(&author.key) {
            return Err(Refusal::NotEntitled);
        }
        let role = past.role_of(author.member).ok_or(Refusal::NotEntitled)?;
        state::check(&past, operation, author.member, role)
    }

    /// The state that the past of some operations amounts to.
    pub(super) fn state_of(&mut self, heads: &[OperationId]) -> Arc<TeamState> {
        if let [head] = heads
            && let Some(state) = self.at.get(head)
        {
            return state.clone();
        }
        let state = Arc::new(state::fold(self, &self.past_of(heads)));
        if let [head] = heads {
            self.at.insert(*head, state.clone());
        }
        state
    }

    /// The past of some operations, themselves included; unknown ones count for nothing.
    pub(super) fn past_of(&self, heads: &[OperationId]) -> Bits {
        let mut bits = Bits::default();
        for past in heads.iter().filter_map(|head| self.place.get(head)).filter_map(|place| self.past.get(*place)) {
            bits.union(past);
        }
        bits
    }

    /// The operations of a set, parents before children.
    pub(super) fn within<'a>(&'a self, bits: &'a Bits) -> impl Iterator<Item = &'a Operation> + 'a {
        self.order.iter().enumerate().filter(|(place, _)| bits.contains(*place)).filter_map(|(_, id)| self.operations.get(id))
    }

    /// Whether `earlier` lies in the past of `later`, or is it.
    pub fn precedes(&self, earlier: &OperationId, later: &OperationId) -> bool {
        match (self.place.get(earlier), self.place.get(later).and_then(|place| self.past.get(*place))) {
            (Some(place), Some(past)) => past.contains(*place),
            _ => false,
        }
    }

    /// Whether an operation lies in the past of some heads.
    pub fn names(&self, heads: &[OperationId], operation: &OperationId) -> bool {
        heads.iter().any(|head| self.precedes(operation, head))
    }

    /// The team.
    pub const fn team(&self) -> TeamId {
        self.team
    }
    /// The newest operations, sorted.
    pub fn heads(&self) -> Vec<OperationId> {
        self.heads.iter().copied().collect()
    }
    /// All accepted operations, parents before children.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.order.iter().filter_map(|id| self.operations.get(id))
    }
    /// One accepted operation.
    pub fn operation(&self, id: &OperationId) -> Option<&Operation> {
        self.operations.get(id)
    }
    /// What the log amounts to.
    pub fn state(&self) -> &Arc<TeamState> {
        &self.state
    }

    /// What the log amounted to at a head that a body names by its first 16 bytes; none if unknown.
    pub fn state_at(&mut self, head: &[u8; 16]) -> Option<Arc<TeamState>> {
        let mut lowest = [0; 32];
        lowest[..16].copy_from_slice(head);
        let id = *self.place.range(OperationId::from_bytes(lowest)..).next().map(|(id, _)| id)?;
        if id.as_bytes()[..16] != head[..] {
            return None;
        }
        Some(match self.at.get(&id) {
            Some(state) => state.clone(),
            None => self.state_of(&[id]),
        })
    }

    /// The head that this device's bodies name: the smallest one whose past holds its admission.
    pub fn head_for(&self, admission: &OperationId) -> Option<[u8; 16]> {
        let head = self.heads.iter().find(|head| self.precedes(admission, head))?;
        head.as_bytes().first_chunk().copied()
    }

    /// The operations after some heads, parents first; none if one of the heads is unknown here.
    pub fn beyond(&self, heads: &[OperationId]) -> Option<Vec<&Operation>> {
        if !heads.iter().all(|head| self.place.contains_key(head)) {
            return None;
        }
        let past = self.past_of(heads);
        Some(
            self.order
                .iter()
                .enumerate()
                .filter(|(place, _)| !past.contains(*place))
                .filter_map(|(_, id)| self.operations.get(id))
                .collect(),
        )
    }

    /// The newest operations that lie in the past of every one of several sets of heads.
    pub fn common<'a>(&self, mut sets: impl Iterator<Item = &'a [OperationId]>) -> Vec<OperationId> {
        let Some(first) = sets.next() else { return self.heads() };
        let mut common = self.past_of(first);
        for heads in sets {
            common.intersect(&self.past_of(heads));
        }
        let inside: Vec<&Operation> = self.within(&common).collect();
        let named: BTreeSet<OperationId> = inside.iter().flat_map(|operation| operation.parents().iter().copied()).collect();
        let mut heads: Vec<OperationId> = inside.iter().map(|operation| operation.id()).filter(|id| !named.contains(id)).collect();
        heads.sort_unstable();
        heads
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::operation::{DeviceKeys, Role};
    use super::*;
    use crate::consent::Charter;
    use crate::crypto::{ReceivingKey, SigningKey};
    use crate::env::Env;
    use satchel_wire::ShiftDay;
    use satchel_wire::ids::MemberId;

    /// Ana and Ben are stewards, Cleo is a third; Ana and Ben change Cleo's role at the same time.
    #[test]
    fn concurrent_changes_come_out_alike_in_every_order() {
        let env = Env::system();
        let day = ShiftDay::from_days(20_000);
        let device = |signer: &SigningKey| DeviceKeys {
            signing: *signer.verifying_key().as_bytes(),
            receiving: ReceivingKey::make(&env).public_key().unwrap().as_bytes().to_vec(),
        };
        let (ana, ben, cleo) = (SigningKey::make(&env), SigningKey::make(&env), SigningKey::make(&env));
        let member = |n: u8| MemberId::from_bytes([n; 16]);
        let charter = Charter::strictest("UTC", day);
        let found =
            Action::Found { member: member(1), device: device(&ana), charter, reseat: *ana.verifying_key().as_bytes(), salt: [0; 16] };
        let founding = Operation::write(&ana, None, Vec::new(), day, found);
        let team = founding.team();
        let admit = |n: u8, signer: &SigningKey, parent: &Operation| {
            let action = Action::Admit { member: member(n), device: device(signer), role: Role::Steward, invitation: [n; 16] };
            Operation::write(&ana, Some(team), vec![parent.id()], day, action)
        };
        let with_ben = admit(2, &ben, &founding);
        let with_cleo = admit(3, &cleo, &with_ben);
        let change = |signer: &SigningKey, role| {
            let action = Action::ChangeRole { member: member(3), role, cuts: Vec::new() };
            Operation::write(signer, Some(team), vec![with_cleo.id()], day, action)
        };
        let (worker, board) = (change(&ana, Role::Worker), change(&ben, Role::Board));
        let replay = |last: [&Operation; 2]| {
            let mut log = Log::from_founding(team, founding.clone()).unwrap();
            for operation in [&with_ben, &with_cleo, last[0], last[1]] {
                assert_eq!(log.insert(operation.clone()), LogVerdict::Accepted);
            }
            log.state().as_ref().clone()
        };
        assert_eq!(replay([&worker, &board]), replay([&board, &worker]));
    }
}
