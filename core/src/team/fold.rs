//! The fold: which operations of a set are void, and the account of the others.
//!
//! The set is closed under parents, and every operation in it was entitled in its own past. What is void follows in
//! three layers, each from the ones before it only, so that nothing can swing between two answers:
//!
//! 1. A reseat voids what the devices that it removes wrote concurrently, bans included, and what devices wrote that
//!    entered by an admission voided so.
//! 2. Every other ban stands. It voids what its victims wrote concurrently, other than bans; what devices wrote whose
//!    admission is void is void too, other than bans: who admitted them could have banned as well.
//! 3. Of concurrent admissions that survive, with one invitation or of one device, the smallest id stands; a reseat's
//!    stands before all others. What the other devices wrote is void as in 2.
//!
//! No tombstone is ever void: what a receipt called erased must not come back because somebody turns out to have been
//! removed. Those of devices that entered by a void admission count together, whoever made up how many of them.

use super::account::{Account, needs_second};
use super::bits::Bits;
use super::entitlement::{Nature, SUBJECTS_ALONE_MAX_COUNT};
use super::log::Log;
use super::operation::Action;
use super::state::TeamState;
use satchel_wire::ids::{DeviceId, MemberId, OperationId, TeamId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A state, and what is needed to add an operation to it that has everything else in its past.
#[derive(Debug, Clone)]
pub(super) struct Folded {
    account: Account,
    pub(super) state: Arc<TeamState>,
}

impl Folded {
    pub(super) fn empty(team: TeamId) -> Self {
        Self { account: Account::default(), state: Arc::new(TeamState::empty(team)) }
    }
}

/// Folds a set of operations that is closed under parents.
pub(super) fn fold(log: &Log, set: &Bits) -> Folded {
    // parents before children, and the same order on every device whatever came first
    let mut order: Vec<usize> = log.places(set).collect();
    order.sort_by_key(|place| log.rank(*place));
    let void = Void::of(log, &order);
    let forked = forked(log, &order);
    let beyond = void.beyond_lines(log, &order, &forked);
    let mut account = Account::default();
    account.lost = void.lost;
    for place in order.into_iter().filter(|place| !void.bits.contains(*place)) {
        account.enter(log, place, forked.contains(&place), beyond.contains(&place));
    }
    let state = Arc::new(account.state(log));
    Folded { account, state }
}

/// Adds one operation to a fold of exactly its past: it is concurrent with nothing, so that it voids nothing, and
/// nothing voids it.
pub(super) fn extend(log: &Log, past: &Folded, place: usize) -> Folded {
    let mut account = past.account.clone();
    account.enter(log, place, false, false);
    let state = Arc::new(account.state(log));
    Folded { account, state }
}

/// What a ban or reseat is aimed at.
#[derive(Debug, Default)]
struct Aims {
    members: BTreeMap<MemberId, Vec<usize>>,
    devices: BTreeMap<DeviceId, Vec<usize>>,
}

impl Aims {
    fn add(&mut self, log: &Log, place: usize) {
        let Some((operation, facts)) = log.at_place(place) else { return };
        match operation.action() {
            Action::Suspend { member, .. } | Action::RemoveMember { member, .. } => {
                self.members.entry(*member).or_default().push(place);
            }
            Action::ChangeRole { member, .. } if facts.nature == Nature::Ban => {
                self.members.entry(*member).or_default().push(place);
            }
            Action::RemoveDevice { cut } => self.devices.entry(cut.device).or_default().push(place),
            Action::Reseat { remove, .. } => {
                for cut in remove {
                    self.devices.entry(cut.device).or_default().push(place);
                }
            }
            _ => {}
        }
    }

    /// Whether one of them is aimed at the author of an operation, and concurrent with it.
    fn hit(&self, log: &Log, place: usize) -> bool {
        let Some((operation, facts)) = log.at_place(place) else { return false };
        let device = self.devices.get(&operation.author());
        let member = facts.author.and_then(|author| self.members.get(&author.member));
        device.into_iter().chain(member).flatten().any(|ban| log.are_concurrent(*ban, place))
    }
}

struct Void {
    bits: Bits,
    /// Admissions that lost against another one, with that one.
    lost: BTreeMap<OperationId, OperationId>,
}

impl Void {
    fn of(log: &Log, order: &[usize]) -> Self {
        let nature = |place: usize| log.at_place(place).map(|(_, facts)| facts.nature);
        let mut void = Self { bits: Bits::default(), lost: BTreeMap::new() };

        let mut reseats = Aims::default();
        order.iter().filter(|place| nature(**place) == Some(Nature::Paper)).for_each(|place| reseats.add(log, *place));
        for place in order.iter().copied().filter(|place| nature(*place) != Some(Nature::Paper)) {
            let is_tombstone = matches!(nature(place), Some(Nature::Tombstone { .. }));
            if !is_tombstone && (void.author_of(log, place) || reseats.hit(log, place)) {
                void.bits.insert(place);
            }
        }

        let mut bans = reseats;
        order
            .iter()
            .filter(|place| nature(**place) == Some(Nature::Ban) && !void.bits.contains(**place))
            .for_each(|place| bans.add(log, *place));
        for place in order.iter().copied() {
            let hit = match nature(place) {
                Some(Nature::Plain | Nature::Loosening) => void.author_of(log, place) || bans.hit(log, place),
                Some(Nature::Tombstone { .. } | Nature::Ban | Nature::Paper) | None => false,
            };
            if hit {
                void.bits.insert(place);
            }
        }

        let losers = void.losers(log, order);
        if !losers.is_empty() {
            for (place, winner) in losers {
                void.bits.insert(place);
                void.lost.extend(log.id_at(place).zip(log.id_at(winner)));
            }
            for place in order.iter().copied() {
                let follows = matches!(nature(place), Some(Nature::Plain | Nature::Loosening));
                if follows && void.author_of(log, place) {
                    void.bits.insert(place);
                }
            }
        }
        void
    }

    /// Whether the admission of an operation's author is void.
    fn author_of(&self, log: &Log, place: usize) -> bool {
        log.admission_of(place).is_some_and(|admission| admission != place && self.bits.contains(admission))
    }

    /// Tombstones of devices whose admission is void that need a second member for it: all of the whole team, and of
    /// those with a subject that would not need one otherwise the eleventh and further ones, in log order, under one
    /// valid author who let these devices in, directly or not.
    fn beyond_lines(&self, log: &Log, order: &[usize], forked: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut subjects: BTreeMap<MemberId, usize> = BTreeMap::new();
        let mut beyond = BTreeSet::new();
        for place in order.iter().copied() {
            let Some((operation, facts)) = log.at_place(place) else { continue };
            let Action::Tombstone { subject, team, .. } = operation.action() else { continue };
            let Some(head) = self.head_of_line(log, place) else { continue };
            if subject.is_some() && !needs_second(facts.nature, true, forked.contains(&place)) {
                let count = subjects.entry(head).or_default();
                *count += 1;
                if *count > SUBJECTS_ALONE_MAX_COUNT {
                    beyond.insert(place);
                }
            }
            if *team {
                beyond.insert(place);
            }
        }
        beyond
    }

    /// The member nearest above an operation whose own admission is not void; none if its author's is not either.
    fn head_of_line(&self, log: &Log, place: usize) -> Option<MemberId> {
        let mut admission = log.admission_of(place).filter(|_| self.author_of(log, place))?;
        while self.author_of(log, admission) {
            admission = log.admission_of(admission)?;
        }
        log.at_place(admission)?.1.author.map(|author| author.member)
    }

    /// Admissions that lose against a concurrent one, each with the first that beats it.
    fn losers(&self, log: &Log, order: &[usize]) -> Vec<(usize, usize)> {
        let mut claims: BTreeMap<Claim, Vec<usize>> = BTreeMap::new();
        for place in order.iter().copied().filter(|place| !self.bits.contains(*place)) {
            let Some((operation, _)) = log.at_place(place) else { continue };
            match operation.action() {
                Action::Admit { invitation, .. } => claims.entry(Claim::Invitation(*invitation)).or_default().push(place),
                Action::Reseat { .. } => {}
                _ => continue,
            }
            if let Some(key) = log.admitted_key(place) {
                claims.entry(Claim::Device(key.device_id())).or_default().push(place);
            }
        }
        // paper before all others, then the smallest id
        let rank = |place: usize| log.at_place(place).map(|(operation, facts)| (facts.nature != Nature::Paper, operation.id()));
        let mut losers = Vec::new();
        for places in claims.into_values().filter(|places| places.len() > 1) {
            for place in &places {
                let is_paper = log.at_place(*place).is_some_and(|(_, facts)| facts.nature == Nature::Paper);
                let loses = |other: &usize| rank(*other) < rank(*place) && log.are_concurrent(*other, *place);
                let winner = places.iter().copied().filter(loses).min_by_key(|other| rank(*other));
                losers.extend(winner.filter(|_| !is_paper).map(|winner| (*place, winner)));
            }
        }
        losers
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Invitation([u8; 16]),
    Device(DeviceId),
}

/// Operations beside which their author wrote a concurrent one.
fn forked(log: &Log, order: &[usize]) -> BTreeSet<usize> {
    let mut by_author: BTreeMap<DeviceId, Vec<usize>> = BTreeMap::new();
    for place in order {
        if let Some((operation, _)) = log.at_place(*place) {
            by_author.entry(operation.author()).or_default().push(*place);
        }
    }
    let is_chain = |places: &Vec<usize>| places.windows(2).all(|pair| matches!(pair, [a, b] if log.is_before(*a, *b)));
    let mut forked = BTreeSet::new();
    for places in by_author.values().filter(|places| !is_chain(places)) {
        let has_fork = |place: &&usize| places.iter().any(|other| log.are_concurrent(*other, **place));
        forked.extend(places.iter().filter(has_fork));
    }
    forked
}
