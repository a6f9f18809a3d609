//! The team log: a hash-linked DAG that every device replays to the same state, in any order of arrival.
//!
//! An operation is *accepted* when its parents are known and its author was entitled to it in its own
//! past: a pure function of the bytes and what they name, so that no two devices disagree. What
//! concurrent operations do to each other is decided by the fold (`fold.rs`, `account.rs`), not here.

use super::bits::Bits;
use super::entitlement::{self, Author, Facts, Nature, Past};
use super::fold::{self, Folded};
use super::held::{Held, HeldOperation};
use super::operation::{Action, Operation, OperationError, Role};
use super::state::TeamState;
use crate::crypto::{ReceivingPublicKey, VerifyingKey};
use satchel_wire::cbor;
use satchel_wire::ids::{DeviceId, OperationId, TeamId};
use satchel_wire::limits::{LOG_OPERATIONS_MAX_COUNT, PARENTS_MAX_COUNT};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Folds kept beside the newest one (count): those at the newest operations and at what bodies named last.
const FOLDS_MAX_COUNT: usize = 16;

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
    /// A recovery key without an active board member: its boxes would open for nobody.
    #[error("recovery needs somebody of the board in the team")]
    NoBoard,
    /// The log is full.
    #[error("the team log is full")]
    Full,
}

/// The operations a device knows.
#[derive(Debug, Clone)]
pub struct Log {
    team: TeamId,
    /// Parents before children.
    entries: Vec<Entry>,
    place: BTreeMap<OperationId, usize>,
    heads: BTreeSet<OperationId>,
    /// Places of the erasures of subjects that each device ordered.
    subjects: BTreeMap<DeviceId, Vec<usize>>,
    held: Held,
    now: Arc<Folded>,
    folds: FoldCache,
}

/// An accepted operation.
#[derive(Debug, Clone)]
struct Entry {
    operation: Operation,
    facts: Facts,
    /// Place of its author's admission.
    admission: Option<usize>,
    /// Steps to the founding along the longest way.
    depth: u32,
    /// The places in its past, its own included.
    past: Bits,
    /// The key of the device that it admits: each fold asks for it, and reading one costs a square root.
    admits: Option<VerifyingKey>,
}

/// An accepted operation as a store keeps it: with what was found when it was judged, so that nobody judges it again.
///
/// Only for a place that nobody else can write to; what comes from elsewhere is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptOperation {
    operation: Operation,
    facts: Facts,
}

impl KeptOperation {
    /// The operation.
    pub const fn operation(&self) -> &Operation {
        &self.operation
    }

    /// CBOR `[operation, facts]`.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(&(minicbor::bytes::ByteVec::from(self.operation.to_bytes()), self.facts))
    }

    /// Takes what [`Self::to_bytes`] wrote. Errors: [`OperationError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OperationError> {
        let (operation, facts): (minicbor::bytes::ByteVec, Facts) = cbor::decode(bytes).map_err(|_| OperationError::Malformed)?;
        Ok(Self { operation: Operation::from_bytes(&operation)?, facts })
    }
}

/// Folds of the past of some heads, the newest ones, by the heads' places in order.
#[derive(Debug, Clone, Default)]
struct FoldCache {
    folds: BTreeMap<Vec<usize>, Arc<Folded>>,
    order: VecDeque<Vec<usize>>,
}

impl FoldCache {
    fn insert(&mut self, places: Vec<usize>, folded: Arc<Folded>) {
        if self.folds.insert(places.clone(), folded).is_none() {
            self.order.push_back(places);
        }
        if self.order.len() > FOLDS_MAX_COUNT
            && let Some(oldest) = self.order.pop_front()
        {
            self.folds.remove(&oldest);
        }
    }
}

/// The past of an operation, for its judgement.
struct PastView<'a> {
    log: &'a Log,
    bits: &'a Bits,
}

impl Past for PastView<'_> {
    fn operation(&self, id: &OperationId) -> Option<&Operation> {
        let place = self.log.place.get(id).filter(|place| self.bits.contains(**place))?;
        self.log.at_place(*place).map(|(operation, _)| operation)
    }
    fn author(&self, id: &OperationId) -> Option<Author> {
        self.log.at_place(*self.log.place.get(id)?).and_then(|(_, facts)| facts.author)
    }
    fn subjects_of(&self, device: DeviceId) -> usize {
        self.log.subjects.get(&device).map_or(0, |places| places.iter().filter(|place| self.bits.contains(**place)).count())
    }
}

impl Log {
    /// Starts a log from its founding operation. Errors: [`Refusal`] unless it founds exactly `team` and its founder signed it.
    pub fn from_founding(team: TeamId, founding: Operation) -> Result<Self, Refusal> {
        let Action::Found { member, device, charter, reseat, .. } = founding.action() else { return Err(Refusal::Malformed) };
        let key = VerifyingKey::from_bytes(&device.signing).map_err(|_| Refusal::Malformed)?;
        if founding.team() != team {
            return Err(Refusal::OtherTeam);
        }
        let sunset_fits = charter.sunset <= founding.day().plus(crate::consent::charter::SUNSET_MAX_DAYS);
        if !founding.is_signed_by(&key) || charter.check().is_err() || !sunset_fits {
            return Err(Refusal::NotEntitled);
        }
        if ReceivingPublicKey::from_slice(&device.receiving).is_err() || VerifyingKey::from_bytes(reseat).is_err() {
            return Err(Refusal::Malformed);
        }
        let author = Author { member: *member, role: Role::Steward, admission: founding.id() };
        let mut log = Self::empty(team);
        let nothing = log.now.clone();
        log.append(founding, Facts { author: Some(author), nature: Nature::Plain }, &nothing);
        log.refold();
        Ok(log)
    }

    fn empty(team: TeamId) -> Self {
        Self {
            team,
            entries: Vec::new(),
            place: BTreeMap::new(),
            heads: BTreeSet::new(),
            subjects: BTreeMap::new(),
            held: Held::default(),
            now: Arc::new(Folded::empty(team)),
            folds: FoldCache::default(),
        }
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

    /// Takes back what a store kept, in any order, without judging it again: one fold, however many there are.
    ///
    /// Errors: [`Refusal::Object`] without a founding operation of `team`, or without a parent of any of them.
    pub fn take_back(team: TeamId, kept: Vec<KeptOperation>) -> Result<Self, Refusal> {
        let mut log = Self::empty(team);
        let mut waiting: BTreeMap<OperationId, KeptOperation> = kept.into_iter().map(|kept| (kept.operation.id(), kept)).collect();
        let mut missing: BTreeMap<OperationId, usize> = BTreeMap::new();
        let mut children: BTreeMap<OperationId, Vec<OperationId>> = BTreeMap::new();
        for (id, kept) in &waiting {
            missing.insert(*id, kept.operation.parents().len());
            for parent in kept.operation.parents() {
                children.entry(*parent).or_default().push(*id);
            }
        }
        let founds = |kept: &KeptOperation| kept.operation.team() == team && matches!(kept.operation.action(), Action::Found { .. });
        let mut ready: Vec<OperationId> = waiting.iter().filter(|(_, kept)| founds(kept)).map(|(id, _)| *id).collect();
        while let Some(id) = ready.pop() {
            let Some(kept) = waiting.remove(&id) else { continue };
            log.place_entry(kept.operation, kept.facts);
            for child in children.remove(&id).unwrap_or_default() {
                if let Some(count) = missing.get_mut(&child) {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        ready.push(child);
                    }
                }
            }
        }
        if !waiting.is_empty() || log.entries.is_empty() {
            return Err(Refusal::Object);
        }
        log.refold();
        Ok(log)
    }

    /// An accepted operation, as a store keeps it.
    pub fn to_keep(&self, id: &OperationId) -> Option<KeptOperation> {
        let (operation, facts) = self.at_place(self.place_of(id)?)?;
        Some(KeptOperation { operation: operation.clone(), facts: *facts })
    }

    /// Takes operations from bytes. Returns a verdict for each, in order.
    pub fn merge(&mut self, operations: &[Vec<u8>]) -> Vec<LogVerdict> {
        let decoded: Vec<_> = operations.iter().map(|bytes| Operation::from_bytes(bytes)).collect();
        let ids: Vec<_> = decoded.iter().map(|operation| operation.as_ref().map(Operation::id).map_err(|error| *error)).collect();
        let verdicts = self.insert_all(decoded.into_iter().flatten().collect());
        ids.into_iter()
            .zip(operations)
            .map(|(id, bytes)| match id {
                Ok(id) => verdicts.get(&id).copied().unwrap_or(LogVerdict::Held),
                Err(OperationError::Newer) => {
                    self.held.hold_newer(bytes);
                    LogVerdict::Held
                }
                Err(OperationError::Malformed) => LogVerdict::Refused(Refusal::Malformed),
            })
            .collect()
    }

    /// Inserts one operation.
    pub fn insert(&mut self, operation: Operation) -> LogVerdict {
        let id = operation.id();
        self.insert_all(vec![operation]).get(&id).copied().unwrap_or(LogVerdict::Held)
    }

    /// What waits for a parent or a newer app: bytes that the caller may keep and give to [`Log::merge`] again.
    pub fn held(&self) -> impl Iterator<Item = HeldOperation<'_>> {
        self.held.iter()
    }

    /// The parents that held operations wait for, and that are neither here nor held: to be asked for.
    pub fn missing(&self) -> BTreeSet<OperationId> {
        self.held.wanted().filter(|id| !self.place.contains_key(id)).collect()
    }

    fn insert_all(&mut self, operations: Vec<Operation>) -> BTreeMap<OperationId, LogVerdict> {
        let mut verdicts = BTreeMap::new();
        let before = self.entries.len();
        // ready: all parents are here; each acceptance makes its waiting children ready
        let mut ready: BTreeMap<OperationId, Operation> = BTreeMap::new();
        let mut waiting: BTreeMap<OperationId, Operation> = BTreeMap::new();
        for operation in operations {
            let id = operation.id();
            if self.place.contains_key(&id) {
                verdicts.insert(id, LogVerdict::Known);
            } else if self.missing_parent(&operation).is_none() {
                ready.insert(id, operation);
            } else {
                waiting.insert(id, operation);
            }
        }
        let mut children: BTreeMap<OperationId, Vec<OperationId>> = BTreeMap::new();
        for operation in waiting.values().chain(self.held.operations()) {
            for parent in operation.parents() {
                children.entry(*parent).or_default().push(operation.id());
            }
        }
        while let Some((id, operation)) = ready.pop_first() {
            let verdict = self.judge(operation);
            verdicts.insert(id, verdict);
            for child in children.remove(&id).unwrap_or_default() {
                let Some(operation) = waiting.remove(&child).or_else(|| self.held.take(&child)) else { continue };
                if let LogVerdict::Refused(_) = verdict {
                    // nobody will ever accept its parent
                    ready.insert(child, operation);
                } else if self.missing_parent(&operation).is_none() {
                    ready.insert(child, operation);
                } else {
                    waiting.insert(child, operation);
                }
            }
        }
        for (id, operation) in waiting {
            verdicts.insert(id, LogVerdict::Held);
            let known = self.now.state.devices.get(&operation.author()).map(|device| device.key);
            match known {
                // held without a look at its signature only where nobody here knows its author
                Some(key) if !operation.is_signed_by(&key) => {
                    verdicts.insert(id, LogVerdict::Refused(Refusal::NotEntitled));
                }
                known => self.held.hold(operation, known.is_some()),
            }
        }
        if self.entries.len() > before {
            self.refold();
        }
        verdicts
    }

    fn missing_parent<'a>(&self, operation: &'a Operation) -> Option<&'a OperationId> {
        operation.parents().iter().find(|parent| !self.place.contains_key(*parent))
    }

    /// Judges an operation by its past, and takes it if it may be taken.
    fn judge(&mut self, operation: Operation) -> LogVerdict {
        if operation.team() != self.team || matches!(operation.action(), Action::Found { .. }) {
            return LogVerdict::Refused(Refusal::OtherTeam);
        }
        if self.missing_parent(&operation).is_some() {
            return LogVerdict::Refused(Refusal::Object);
        }
        if self.entries.len() >= LOG_OPERATIONS_MAX_COUNT {
            return LogVerdict::Refused(Refusal::Full);
        }
        let bits = self.past_of(operation.parents());
        let folded = self.fold_of(operation.parents());
        let facts = entitlement::judge(&folded.state, &PastView { log: self, bits: &bits }, &operation);
        match facts {
            Ok(facts) => {
                self.append(operation, facts, &folded);
                LogVerdict::Accepted
            }
            Err(refusal) => LogVerdict::Refused(refusal),
        }
    }

    fn append(&mut self, operation: Operation, facts: Facts, folded: &Folded) {
        let place = self.place_entry(operation, facts);
        let extended = fold::extend(self, folded, place);
        self.folds.insert(vec![place], Arc::new(extended));
    }

    fn place_entry(&mut self, operation: Operation, facts: Facts) -> usize {
        let place = self.entries.len();
        let mut past = self.past_of(operation.parents());
        past.insert(place);
        let depths = operation.parents().iter().filter_map(|parent| self.place.get(parent)).filter_map(|place| self.entries.get(*place));
        let depth = depths.map(|parent| parent.depth + 1).max().unwrap_or(0);
        for parent in operation.parents() {
            self.heads.remove(parent);
        }
        let id = operation.id();
        if matches!(operation.action(), Action::Tombstone { subject: Some(_), .. }) {
            self.subjects.entry(operation.author()).or_default().push(place);
        }
        self.heads.insert(id);
        self.place.insert(id, place);
        let admission = facts.author.and_then(|author| self.place.get(&author.admission)).copied();
        let device = match operation.action() {
            Action::Found { device, .. } | Action::Admit { device, .. } => Some(device),
            Action::Reseat { device, .. } => device.as_ref(),
            _ => None,
        };
        let admits = device.and_then(|device| VerifyingKey::from_bytes(&device.signing).ok());
        self.entries.push(Entry { operation, facts, admission, depth, past, admits });
        place
    }

    fn refold(&mut self) {
        let heads = self.heads();
        self.now = self.fold_of(&heads);
    }

    /// The fold of the past of some operations, themselves included.
    fn fold_of(&mut self, heads: &[OperationId]) -> Arc<Folded> {
        let mut places: Vec<usize> = heads.iter().filter_map(|head| self.place.get(head)).copied().collect();
        places.sort_unstable();
        if let Some(folded) = self.folds.folds.get(&places) {
            return folded.clone();
        }
        let folded = Arc::new(fold::fold(self, &self.past_of(heads)));
        self.folds.insert(places, folded.clone());
        folded
    }

    /// The state that the past of some operations, themselves included, amounts to; unknown ones count for nothing.
    pub fn state_of(&mut self, heads: &[OperationId]) -> Arc<TeamState> {
        self.fold_of(heads).state.clone()
    }

    /// The past of some operations, themselves included; unknown ones count for nothing.
    pub(super) fn past_of(&self, heads: &[OperationId]) -> Bits {
        let mut bits = Bits::default();
        for entry in heads.iter().filter_map(|head| self.place.get(head)).filter_map(|place| self.entries.get(*place)) {
            bits.union(&entry.past);
        }
        bits
    }

    pub(super) fn places<'a>(&'a self, bits: &'a Bits) -> impl Iterator<Item = usize> + 'a {
        (0..self.entries.len()).filter(|place| bits.contains(*place))
    }

    pub(super) fn at_place(&self, place: usize) -> Option<(&Operation, &Facts)> {
        self.entries.get(place).map(|entry| (&entry.operation, &entry.facts))
    }

    pub(super) fn id_at(&self, place: usize) -> Option<OperationId> {
        self.entries.get(place).map(|entry| entry.operation.id())
    }

    pub(super) fn place_of(&self, id: &OperationId) -> Option<usize> {
        self.place.get(id).copied()
    }

    /// The key of the device that an operation admits.
    pub(super) fn admitted_key(&self, place: usize) -> Option<&VerifyingKey> {
        self.entries.get(place).and_then(|entry| entry.admits.as_ref())
    }

    pub(super) fn admission_of(&self, place: usize) -> Option<usize> {
        self.entries.get(place).and_then(|entry| entry.admission)
    }

    /// Log order: by depth, then by id.
    pub(super) fn rank(&self, place: usize) -> (u32, OperationId) {
        self.entries.get(place).map_or((u32::MAX, OperationId::from_bytes([0xff; 32])), |entry| (entry.depth, entry.operation.id()))
    }

    /// Whether one place lies in the past of another, or is it.
    pub(super) fn is_before(&self, earlier: usize, later: usize) -> bool {
        self.entries.get(later).is_some_and(|entry| entry.past.contains(earlier))
    }

    pub(super) fn are_concurrent(&self, a: usize, b: usize) -> bool {
        !self.is_before(a, b) && !self.is_before(b, a)
    }

    /// The operations of a set, parents before children.
    fn within<'a>(&'a self, bits: &'a Bits) -> impl Iterator<Item = &'a Operation> + 'a {
        self.entries.iter().enumerate().filter(|(place, _)| bits.contains(*place)).map(|(_, entry)| &entry.operation)
    }

    /// Whether `earlier` lies in the past of `later`, or is it.
    pub fn precedes(&self, earlier: &OperationId, later: &OperationId) -> bool {
        match (self.place.get(earlier), self.place.get(later)) {
            (Some(earlier), Some(later)) => self.is_before(*earlier, *later),
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
    /// The heads that something new names: all of them, as far as the format has room. Whoever writes many concurrent
    /// operations must not make a colleague's phone write what nobody can read; what is left out is named by the next one.
    ///
    /// Those that rest on what `author` wrote last come first: whoever leaves out an operation of their own has forked, and a
    /// flood must not take the effect of what they did. Then those that they may write on.
    pub fn heads_to_name(&self, author: DeviceId) -> Vec<OperationId> {
        let admission = self.state().devices.get(&author).map(|device| device.admitted);
        let own = self.entries.iter().rev().map(|entry| &entry.operation).find(|operation| operation.author() == author);
        let own = own.map(Operation::id);
        let rests_on = |head: &OperationId, on: Option<OperationId>| on.is_some_and(|on| on == *head || self.precedes(&on, head));
        let mut heads = self.heads();
        heads.sort_by_cached_key(|head| (!rests_on(head, own), !rests_on(head, admission), *head));
        heads.truncate(PARENTS_MAX_COUNT);
        heads
    }
    /// All accepted operations, parents before children.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.entries.iter().map(|entry| &entry.operation)
    }
    /// One accepted operation.
    pub fn operation(&self, id: &OperationId) -> Option<&Operation> {
        self.place.get(id).and_then(|place| self.entries.get(*place)).map(|entry| &entry.operation)
    }
    /// What the log amounts to.
    pub fn state(&self) -> &Arc<TeamState> {
        &self.now.state
    }

    /// What the log amounted to at a head that a body names by its first 16 bytes; none if unknown.
    pub fn state_at(&mut self, head: &[u8; 16]) -> Option<Arc<TeamState>> {
        let mut lowest = [0; 32];
        lowest[..16].copy_from_slice(head);
        let id = *self.place.range(OperationId::from_bytes(lowest)..).next().map(|(id, _)| id)?;
        if id.as_bytes()[..16] != head[..] {
            return None;
        }
        Some(self.state_of(&[id]))
    }

    /// The head that the bodies of the device with this admission name. Of several: one at which the device stands as
    /// it does now, so that a receiver's judgement is ours; then the one that knows most bans; then the deepest; then
    /// the smallest.
    pub fn head_for(&self, admission: &OperationId) -> Option<[u8; 16]> {
        let device = self.now.state.devices.iter().find(|(_, device)| device.admitted == *admission).map(|(id, _)| *id);
        let mut inside = self.heads.iter().filter(|head| self.precedes(admission, head));
        let head = match (inside.clone().count(), device) {
            (0 | 1, _) | (_, None) => inside.next(),
            (_, Some(device)) => inside.max_by_key(|head| {
                let place = self.place.get(head).copied().unwrap_or(0);
                let state = match self.folds.folds.get([place].as_slice()) {
                    Some(folded) => folded.state.clone(),
                    None => fold::fold(self, &self.past_of(&[**head])).state,
                };
                let as_now = state.device_role(device) == self.now.state.device_role(device);
                let bans = self.now.state.bans.iter().filter(|ban| self.precedes(ban, head)).count();
                (as_now, bans, self.rank(place).0, std::cmp::Reverse(**head))
            }),
        };
        head?.as_bytes().first_chunk().copied()
    }

    /// The operations after some heads, parents first; none if one of the heads is unknown here.
    pub fn beyond(&self, heads: &[OperationId]) -> Option<Vec<&Operation>> {
        if !heads.iter().all(|head| self.place.contains_key(head)) {
            return None;
        }
        let past = self.past_of(heads);
        let beyond = self.entries.iter().enumerate().filter(|(place, _)| !past.contains(*place));
        Some(beyond.map(|(_, entry)| &entry.operation).collect())
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
