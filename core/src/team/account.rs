//! The account of a history: what its valid operations say about each member, device and setting, from which the
//! state follows. Operations enter it parents first; where several speak about one thing, those that no later one
//! has in its past are kept, so that the order of arrival leaves no trace.

use super::entitlement::{Author, Nature};
use super::log::Log;
use super::operation::{Action, Cut, DeviceKeys, Operation, Role};
use super::state::{Awaiting, Device, Member, Recovery, Standing, TeamState, TombstoneState};
use crate::consent::Charter;
use crate::crypto::VerifyingKey;
use satchel_wire::ids::{BodyId, DeviceId, MemberId, OperationId};
use std::collections::{BTreeMap, BTreeSet};

/// Statements about one thing that no later statement has in its past, each with its place in the log.
type Newest<T> = Vec<(usize, T)>;

#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    members: BTreeMap<MemberId, OfMember>,
    devices: BTreeMap<DeviceId, OfDevice>,
    removals: BTreeMap<DeviceId, Vec<usize>>,
    cuts: BTreeMap<DeviceId, Vec<(usize, Cut)>>,
    /// Countersigners by the place of what they signed.
    seconds: BTreeMap<usize, Vec<Author>>,
    loosenings: Vec<usize>,
    tightenings: Vec<usize>,
    reseat: Newest<[u8; 32]>,
    control: Newest<[u8; 32]>,
    recovery: Newest<Option<Recovery>>,
    resumed: BTreeMap<DeviceId, Newest<Cut>>,
    tombstones: BTreeMap<OperationId, TombstoneState>,
    /// Tombstones that need a second member, by place, with the first.
    guarded: BTreeMap<usize, MemberId>,
    adopted: BTreeSet<BodyId>,
    invitations: BTreeSet<[u8; 16]>,
    bans: BTreeSet<OperationId>,
    /// Admissions that lost against another one, with that one.
    pub(super) lost: BTreeMap<OperationId, OperationId>,
}

#[derive(Debug, Clone, Default)]
struct OfMember {
    /// Admissions that have no other one of this member in their past.
    entries: Vec<(usize, Role)>,
    roles: Newest<Role>,
    /// Demotions to the board.
    demotions: Vec<usize>,
    made_steward: Vec<usize>,
    bans: Vec<MemberBan>,
    reinstatements: Vec<(usize, MemberId)>,
    /// Reseats that seated this member.
    seats: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
struct MemberBan {
    place: usize,
    author: MemberId,
    is_removal: bool,
}

#[derive(Debug, Clone)]
struct OfDevice {
    key: VerifyingKey,
    receiving: Vec<u8>,
    member: MemberId,
    admitted: usize,
}

fn supersede<T>(log: &Log, newest: &mut Newest<T>, place: usize, value: T) {
    newest.retain(|(earlier, _)| !log.is_before(*earlier, place));
    newest.push((place, value));
}

impl Account {
    /// Enters a valid operation whose whole past was judged already: a tombstone whose device forked beside it has a
    /// guard unless its team had one member, and one beyond what its line may erase alone has it in any case.
    pub(super) fn enter(&mut self, log: &Log, place: usize, is_forked: bool, is_beyond_line: bool) {
        let Some((operation, facts)) = log.at_place(place) else { return };
        let id = operation.id();
        match operation.action() {
            Action::Found { member, device, reseat, .. } => {
                self.tightenings.push(place);
                self.reseat.push((place, *reseat));
                self.admit(log, place, *member, device, Role::Steward);
            }
            Action::Admit { member, device, role, invitation } => {
                self.invitations.insert(*invitation);
                self.admit(log, place, *member, device, *role);
            }
            Action::ChangeRole { member, role, cuts } => {
                let is_ban = facts.nature == Nature::Ban;
                let of = self.members.entry(*member).or_default();
                supersede(log, &mut of.roles, place, *role);
                if *role == Role::Steward {
                    of.made_steward.push(place);
                }
                if is_ban {
                    self.bans.insert(id);
                    // whoever may still write is not cut off
                    if *role == Role::Board {
                        of.demotions.push(place);
                        self.cut(place, cuts);
                    }
                }
            }
            Action::Suspend { member, cuts } | Action::RemoveMember { member, cuts } => {
                let Some(author) = facts.author else { return };
                let is_removal = matches!(operation.action(), Action::RemoveMember { .. });
                self.members.entry(*member).or_default().bans.push(MemberBan { place, author: author.member, is_removal });
                self.bans.insert(id);
                self.cut(place, cuts);
            }
            Action::RemoveDevice { cut } => self.remove_devices(id, place, std::slice::from_ref(cut)),
            Action::Reseat { remove, steward, device, control, next } => {
                if !remove.is_empty() {
                    self.remove_devices(id, place, remove);
                }
                if let Some(member) = steward {
                    let of = self.members.entry(*member).or_default();
                    supersede(log, &mut of.roles, place, Role::Steward);
                    of.made_steward.push(place);
                    of.seats.push(place);
                    if let Some(device) = device {
                        self.admit(log, place, *member, device, Role::Steward);
                    }
                }
                if let Some(key) = control {
                    supersede(log, &mut self.control, place, *key);
                }
                if let Some(key) = next {
                    supersede(log, &mut self.reseat, place, *key);
                }
            }
            Action::Tombstone { subject, .. } => {
                let Some(author) = facts.author else { return };
                if is_beyond_line || needs_second(facts.nature, subject.is_some(), is_forked) {
                    self.guarded.insert(place, author.member);
                } else {
                    self.bans.insert(id);
                }
                self.tombstones.insert(id, TombstoneState { author: operation.author(), effective: true });
            }
            Action::Countersign { operation } => {
                if let (Some(author), Some(target)) = (facts.author, log.place_of(operation)) {
                    self.seconds.entry(target).or_default().push(author);
                }
            }
            Action::ChangeCharter { .. } => {
                if facts.nature == Nature::Loosening { &mut self.loosenings } else { &mut self.tightenings }.push(place);
            }
            Action::Reinstate { member } => {
                let Some(author) = facts.author else { return };
                self.members.entry(*member).or_default().reinstatements.push((place, author.member));
            }
            Action::Adopt { bodies } => self.adopted.extend(bodies),
            Action::Resume { cut } => supersede(log, self.resumed.entry(cut.device).or_default(), place, *cut),
            Action::SetRecovery { key, threshold, shares } => {
                let recovery = key.as_ref().map(|key| Recovery { key: key.clone(), threshold: *threshold, shares: *shares });
                supersede(log, &mut self.recovery, place, recovery);
            }
            // speaks for itself: whoever reads it checks the board's own signature
            Action::Join | Action::Bulletin { .. } => {}
        }
    }

    fn admit(&mut self, log: &Log, place: usize, member: MemberId, device: &DeviceKeys, role: Role) {
        let Some(key) = log.admitted_key(place).copied() else { return };
        let of = self.members.entry(member).or_default();
        if !of.entries.iter().any(|(earlier, _)| log.is_before(*earlier, place)) {
            of.entries.push((place, role));
        }
        if role == Role::Steward {
            of.made_steward.push(place);
        }
        let id = key.device_id();
        let of = OfDevice { key, receiving: device.receiving.clone(), member, admitted: place };
        self.devices.insert(id, of);
    }

    fn remove_devices(&mut self, id: OperationId, place: usize, cuts: &[Cut]) {
        self.bans.insert(id);
        for cut in cuts {
            self.removals.entry(cut.device).or_default().push(place);
        }
        self.cut(place, cuts);
    }

    fn cut(&mut self, place: usize, cuts: &[Cut]) {
        for cut in cuts {
            self.cuts.entry(cut.device).or_default().push((place, *cut));
        }
    }

    /// The state that follows.
    pub(super) fn state(&self, log: &Log) -> TeamState {
        let mut state = TeamState::empty(log.team());
        state.adopted.clone_from(&self.adopted);
        state.invitations.clone_from(&self.invitations);
        state.bans.clone_from(&self.bans);
        state.lost_admissions.clone_from(&self.lost);
        state.tombstones.clone_from(&self.tombstones);
        self.judge_erasures(log, &mut state);
        for (id, of) in &self.members {
            if let Some(member) = self.member(log, *id, of, &mut state.awaiting_countersign) {
                state.members.insert(*id, member);
            }
        }
        for (id, of) in &self.devices {
            if let Some(member) = state.members.get(&of.member) {
                state.devices.insert(*id, self.device(log, *id, of, member));
            }
        }
        state.charter = self.charter(log, &mut state.awaiting_countersign);
        state.reseat = smallest(log, &self.reseat).copied().unwrap_or_default();
        state.control = smallest(log, &self.control).copied();
        state.recovery = smallest(log, &self.recovery).cloned().flatten();
        let resumed = self.resumed.iter().filter_map(|(device, newest)| {
            let highest = newest.iter().map(|(_, cut)| cut).max_by_key(|cut| (cut.sequence, std::cmp::Reverse(cut.body)))?;
            Some((*device, *highest))
        });
        state.resumed = resumed.collect();
        state
    }

    fn judge_erasures(&self, log: &Log, state: &mut TeamState) {
        for (place, first) in &self.guarded {
            let Some((operation, _)) = log.at_place(*place) else { continue };
            let id = operation.id();
            if self.seconds(*place).any(|second| second.member != *first) {
                state.bans.insert(id);
            } else {
                state.awaiting_countersign.insert(id, Awaiting::Erasure);
                if let Some(tombstone) = state.tombstones.get_mut(&id) {
                    tombstone.effective = false;
                }
            }
        }
    }

    fn seconds(&self, place: usize) -> impl Iterator<Item = &Author> {
        self.seconds.get(&place).into_iter().flatten()
    }

    /// Whether a steward or board member who is neither the author nor the member in question signed too.
    fn has_senior_second(&self, place: usize, author: MemberId, about: MemberId) -> bool {
        self.seconds(place)
            .any(|second| second.member != author && second.member != about && matches!(second.role, Role::Steward | Role::Board))
    }

    fn member(&self, log: &Log, id: MemberId, of: &OfMember, awaiting: &mut BTreeMap<OperationId, Awaiting>) -> Option<Member> {
        if of.entries.is_empty() && of.seats.is_empty() {
            return None;
        }
        let lowest = |roles: &[(usize, Role)]| roles.iter().map(|(_, role)| *role).max();
        let role = lowest(&of.roles).or_else(|| lowest(&of.entries))?;
        let mut standing = Standing::Active;
        for ban in &of.bans {
            let complete = self.is_complete(log, id, of, ban);
            standing = standing.max(match (complete, self.is_answered(log, id, of, ban)) {
                (true, _) if !of.seats.iter().any(|seat| log.is_before(ban.place, *seat)) => Standing::Removed,
                (true, _) | (false, true) => Standing::Active,
                (false, false) => Standing::Suspended,
            });
        }
        if standing == Standing::Suspended {
            for ban in of.bans.iter().filter(|ban| ban.is_removal && !self.is_answered(log, id, of, ban)) {
                wait(log, awaiting, ban.place, Awaiting::Removal);
            }
            for (place, author) in &of.reinstatements {
                if !self.is_effective(log, id, of, *place, *author) {
                    wait(log, awaiting, *place, Awaiting::Reinstatement);
                }
            }
        }
        Some(Member { role, standing, was_steward: !of.made_steward.is_empty() })
    }

    /// A removal of somebody who never was a steward before it or at the same time needs nobody else.
    fn is_complete(&self, log: &Log, id: MemberId, of: &OfMember, ban: &MemberBan) -> bool {
        ban.is_removal && (!was_steward(log, of, ban.place) || self.has_senior_second(ban.place, ban.author, id))
    }

    fn is_effective(&self, log: &Log, id: MemberId, of: &OfMember, place: usize, author: MemberId) -> bool {
        !was_steward(log, of, place) || self.has_senior_second(place, author, id)
    }

    /// A suspension ends with a reinstatement or a reseat that has it in its past.
    fn is_answered(&self, log: &Log, id: MemberId, of: &OfMember, ban: &MemberBan) -> bool {
        let reinstated =
            |(place, author): &(usize, MemberId)| log.is_before(ban.place, *place) && self.is_effective(log, id, of, *place, *author);
        of.seats.iter().any(|seat| log.is_before(ban.place, *seat)) || of.reinstatements.iter().any(reinstated)
    }

    fn device(&self, log: &Log, id: DeviceId, of: &OfDevice, member: &Member) -> Device {
        let mut standing = member.standing;
        // what came before the admission is not about it
        let removals = self.removals.get(&id).into_iter().flatten().copied();
        let mut biting: BTreeSet<usize> = removals.filter(|place| !log.is_before(*place, of.admitted)).collect();
        if !biting.is_empty() {
            standing = Standing::Removed;
        }
        if let Some(account) = self.members.get(&of.member) {
            for ban in account.bans.iter().filter(|ban| !log.is_before(ban.place, of.admitted)) {
                if self.is_complete(log, of.member, account, ban) {
                    standing = Standing::Removed;
                    biting.insert(ban.place);
                } else if !self.is_answered(log, of.member, account, ban) {
                    biting.insert(ban.place);
                }
            }
            let stands = |place: &&usize| account.roles.iter().any(|(newest, _)| newest == *place);
            biting.extend(account.demotions.iter().filter(stands));
        }
        let mut cuts: Newest<Cut> = Vec::new();
        for (place, cut) in self.cuts.get(&id).into_iter().flatten().filter(|(place, _)| biting.contains(place)) {
            supersede(log, &mut cuts, *place, *cut);
        }
        Device {
            key: of.key,
            receiving: of.receiving.clone(),
            member: of.member,
            standing,
            cut: cuts.into_iter().map(|(_, cut)| cut).min_by_key(|cut| (cut.sequence, cut.body)),
            admitted: id_at(log, of.admitted).unwrap_or(OperationId::from_bytes([0; 32])),
            bans: biting.into_iter().filter_map(|place| id_at(log, place)).collect(),
        }
    }

    /// The strictest of the newest loosenings that the board signed (or the founding) and of every tightening since.
    fn charter(&self, log: &Log, awaiting: &mut BTreeMap<OperationId, Awaiting>) -> Option<Charter> {
        let mut bases: Newest<()> = Vec::new();
        for place in &self.loosenings {
            if self.seconds(*place).any(|second| second.role == Role::Board) {
                supersede(log, &mut bases, *place, ());
            }
        }
        let is_over = |place: usize| bases.iter().any(|(base, ())| log.is_before(place, *base));
        for place in &self.loosenings {
            if !bases.iter().any(|(base, ())| base == place) && !is_over(*place) {
                wait(log, awaiting, *place, Awaiting::Charter);
            }
        }
        let tightenings = self.tightenings.iter().filter(|place| !is_over(**place));
        let mut charters = bases.iter().map(|(place, ())| place).chain(tightenings).filter_map(|place| charter_at(log, *place));
        let mut charter = charters.next()?.clone();
        for other in charters {
            tighten(&mut charter, other);
        }
        // days of different zones cannot be compared: the zone of the last of them in log order
        let last = bases.iter().map(|(place, ())| *place).chain(self.tightenings.iter().copied().filter(|place| !is_over(*place)));
        if let Some(last) = last.max_by_key(|place| log.rank(*place)).and_then(|place| charter_at(log, place)) {
            charter.time_zone.clone_from(&last.time_zone);
        }
        Some(charter)
    }
}

/// Lowers a charter to what another allows. A board key that is there stays, and so does the key of bulletins that came
/// with it; one that was named later beside the same board key is taken.
fn tighten(charter: &mut Charter, other: &Charter) {
    let (kept, others) = (&mut charter.retention, &other.retention);
    kept.encounter_days = kept.encounter_days.min(others.encounter_days);
    kept.zone_days = kept.zone_days.min(others.zone_days);
    kept.participant_days = kept.participant_days.min(others.participant_days);
    charter.sunset = charter.sunset.min(other.sunset);
    charter.absence_limit_days = charter.absence_limit_days.min(other.absence_limit_days);
    charter.suppression = charter.suppression.max(other.suppression);
    charter.tighten_grants(other);
    if charter.board_key.is_none() && other.board_key.is_some() {
        charter.board_key.clone_from(&other.board_key);
        charter.board_signing = other.board_signing;
    } else if charter.board_key == other.board_key {
        charter.board_signing = charter.board_signing.or(other.board_signing);
    }
    charter.join_lines(other);
}

/// Whether a tombstone needs a second member, whoever let its author in.
pub(super) const fn needs_second(nature: Nature, has_subject: bool, is_forked: bool) -> bool {
    match nature {
        Nature::Tombstone { guarded, alone } => guarded || (is_forked && has_subject && !alone),
        _ => false,
    }
}

fn was_steward(log: &Log, of: &OfMember, place: usize) -> bool {
    of.made_steward.iter().any(|made| !log.is_before(place, *made))
}

fn charter_at(log: &Log, place: usize) -> Option<&Charter> {
    match log.at_place(place)?.0.action() {
        Action::Found { charter, .. } | Action::ChangeCharter { charter } => Some(charter),
        _ => None,
    }
}

fn id_at(log: &Log, place: usize) -> Option<OperationId> {
    log.at_place(place).map(|(operation, _)| Operation::id(operation))
}

fn wait(log: &Log, awaiting: &mut BTreeMap<OperationId, Awaiting>, place: usize, what: Awaiting) {
    awaiting.extend(id_at(log, place).map(|id| (id, what)));
}

/// The statement with the smallest id.
fn smallest<'a, T>(log: &Log, newest: &'a Newest<T>) -> Option<&'a T> {
    newest.iter().min_by_key(|(place, _)| id_at(log, *place)).map(|(_, value)| value)
}
