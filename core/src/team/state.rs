//! What a set of operations amounts to: members, devices, bans, charter.
//!
//! The fold is a pure function of a set that is closed under parents. Rules:
//!
//! - *Strong removal*: an operation of a removed or suspended device that is concurrent with its ban is void,
//!   unless it is a ban itself: bans always stand, so two stewards who ban each other are both suspended and
//!   the reseat key decides.
//! - An admission that is void admits nobody, and what that device wrote is void too.
//! - One steward's removal of another steward suspends; a second signature (steward or board) completes it.
//! - Of two concurrent admissions with one invitation, or two concurrent charters, the smaller id stands.

use super::log::{Bits, Log, Refusal};
use super::operation::{Action, Cut, DeviceKeys, Operation, Role};
use crate::consent::Charter;
use crate::crypto::{ReceivingPublicKey, VerifyingKey};
use satchel_wire::ids::{DeviceId, MemberId, OperationId, TeamId};
use satchel_wire::limits::DEVICES_MAX_COUNT;
use std::collections::{BTreeMap, BTreeSet};

/// Where a member or device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Entitled.
    Active,
    /// Treated as removed until answered.
    Suspended,
    /// Removed.
    Removed,
}

/// A member as the log knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Their role.
    pub role: Role,
    /// Where they stand.
    pub standing: Standing,
}

/// A device as the log knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its signing key.
    pub key: VerifyingKey,
    /// Its first receiving key; frontiers replace it.
    pub receiving: Vec<u8>,
    /// Whose it is.
    pub member: MemberId,
    /// Where it stands (its member's standing included).
    pub standing: Standing,
    /// Where its accepted work ends, once banned.
    pub cut: Option<Cut>,
    /// The operation that admitted it.
    pub admitted: OperationId,
}

/// The paper key that recovers a team whose phones are all lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// X-Wing public key (1,216 bytes).
    pub key: Vec<u8>,
    /// How many shares open it (2 to `shares`).
    pub threshold: u8,
    /// How many shares were printed (2 to 16).
    pub shares: u8,
}

/// What the log amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamState {
    /// The team.
    pub team: TeamId,
    /// The policy in force; none only before the founding.
    pub charter: Option<Charter>,
    /// Members by id.
    pub members: BTreeMap<MemberId, Member>,
    /// Devices by id.
    pub devices: BTreeMap<DeviceId, Device>,
    /// Standing bans: removals, suspensions, demotions, tombstones.
    pub bans: BTreeSet<OperationId>,
    /// Used invitations.
    pub invitations: BTreeSet<[u8; 16]>,
    /// Public half of the paper reseat key.
    pub reseat: [u8; 32],
    /// The recovery key, if the team has one.
    pub recovery: Option<Recovery>,
}

impl TeamState {
    pub(super) const fn empty(team: TeamId) -> Self {
        Self {
            team,
            charter: None,
            members: BTreeMap::new(),
            devices: BTreeMap::new(),
            bans: BTreeSet::new(),
            invitations: BTreeSet::new(),
            reseat: [0; 32],
            recovery: None,
        }
    }

    /// A member's role while they are active.
    pub fn role_of(&self, member: MemberId) -> Option<Role> {
        self.members.get(&member).filter(|member| member.standing == Standing::Active).map(|member| member.role)
    }

    /// A device's role while it and its member are active.
    pub fn device_role(&self, device: DeviceId) -> Option<Role> {
        self.devices.get(&device).filter(|device| device.standing == Standing::Active).and_then(|device| self.role_of(device.member))
    }

    /// Active devices with their roles.
    pub fn active(&self) -> impl Iterator<Item = (DeviceId, &Device, Role)> {
        self.devices.iter().filter_map(|(id, device)| self.device_role(*id).map(|role| (*id, device, role)))
    }
}

/// Whether a member's role entitles them to an operation, and whether its object exists. A pure function of the past.
pub(super) fn check(past: &TeamState, operation: &Operation, author: MemberId, role: Role) -> Result<(), Refusal> {
    let steward = role == Role::Steward;
    let known = |member: &MemberId| past.members.contains_key(member);
    let entitled = match operation.action() {
        Action::Found { .. } => return Err(Refusal::Malformed),
        Action::Reseat { .. } => return Err(Refusal::NotEntitled),
        Action::Admit { device, invitation, .. } => {
            let key = VerifyingKey::from_bytes(&device.signing).map_err(|_| Refusal::Object)?;
            let fresh = !past.devices.contains_key(&key.device_id()) && !past.invitations.contains(invitation);
            if !fresh || past.devices.len() >= DEVICES_MAX_COUNT || ReceivingPublicKey::from_slice(&device.receiving).is_err() {
                return Err(Refusal::Object);
            }
            steward
        }
        Action::ChangeRole { member, .. } | Action::Suspend { member, .. } | Action::RemoveMember { member, .. } => {
            if !known(member) {
                return Err(Refusal::Object);
            }
            steward
        }
        Action::RemoveDevice { cut } => {
            let device = past.devices.get(&cut.device).ok_or(Refusal::Object)?;
            steward || device.member == author
        }
        Action::Tombstone { records, .. } => {
            if !matches!(records.len(), 0 | 8 | 32) {
                return Err(Refusal::Malformed);
            }
            role.reads_records()
        }
        Action::Countersign { .. } => true,
        Action::SetRecovery { .. } => {
            if !past.members.values().any(|member| member.role == Role::Board) {
                return Err(Refusal::Object);
            }
            steward
        }
        Action::Adopt { .. } | Action::Reinstate { .. } | Action::Resume { .. } => steward,
        Action::ChangeCharter { charter } => {
            charter.check().map_err(|_| Refusal::Malformed)?;
            // tightening only, until the board's signature is checked: see THREAT_MODEL
            steward && past.charter.as_ref().is_some_and(|old| tightens(old, charter))
        }
    };
    if entitled { Ok(()) } else { Err(Refusal::NotEntitled) }
}

/// Whether a charter allows nothing that the old one did not.
fn tightens(old: &Charter, new: &Charter) -> bool {
    new.retention.encounter_days <= old.retention.encounter_days
        && new.retention.zone_days <= old.retention.zone_days
        && new.retention.participant_days <= old.retention.participant_days
        && new.sunset <= old.sunset
        && new.absence_limit_days <= old.absence_limit_days
        && new.suppression >= old.suppression
        && (new.board_key == old.board_key || old.board_key.is_none())
}

fn is_concurrent(log: &Log, a: &Operation, b: &Operation) -> bool {
    !log.precedes(&a.id(), &b.id()) && !log.precedes(&b.id(), &a.id())
}

/// Parents before children, and the same order on every device whatever came first: by depth, then by id.
fn in_order<'a>(operations: impl Iterator<Item = &'a Operation>) -> Vec<&'a Operation> {
    let mut depths: BTreeMap<OperationId, u32> = BTreeMap::new();
    let mut ordered: Vec<(u32, &Operation)> = Vec::new();
    for operation in operations {
        let depth = operation.parents().iter().filter_map(|parent| depths.get(parent)).max().map_or(0, |depth| depth + 1);
        depths.insert(operation.id(), depth);
        ordered.push((depth, operation));
    }
    ordered.sort_by_key(|(depth, operation)| (*depth, operation.id()));
    ordered.into_iter().map(|(_, operation)| operation).collect()
}

/// Folds a set of operations that is closed under parents.
pub(super) fn fold(log: &Log, set: &Bits) -> TeamState {
    let operations = in_order(log.within(set));
    let owner: BTreeMap<DeviceId, (MemberId, OperationId)> = operations.iter().flat_map(|operation| admitted(operation)).collect();
    let mut void: BTreeSet<OperationId> = BTreeSet::new();
    // void operations take their consequences along; a history of n operations settles in at most n rounds
    for _ in 0..=operations.len() {
        let next = voided(log, &operations, &owner, &void);
        if next == void {
            break;
        }
        void = next;
    }
    let mut state = TeamState::empty(log.team());
    for operation in operations.iter().filter(|operation| !void.contains(&operation.id())) {
        apply(&mut state, operation, &operations, &owner, &void);
    }
    state
}

fn admitted(operation: &Operation) -> Option<(DeviceId, (MemberId, OperationId))> {
    let (Action::Found { member, device, .. }
    | Action::Admit { member, device, .. }
    | Action::Reseat { steward: Some(member), device: Some(device), .. }) = operation.action()
    else {
        return None;
    };
    let key = VerifyingKey::from_bytes(&device.signing).ok()?;
    Some((key.device_id(), (*member, operation.id())))
}

fn voided(
    log: &Log,
    operations: &[&Operation],
    owner: &BTreeMap<DeviceId, (MemberId, OperationId)>,
    void: &BTreeSet<OperationId>,
) -> BTreeSet<OperationId> {
    let mut next = BTreeSet::new();
    for operation in operations {
        let author = owner.get(&operation.author());
        // written by a device whose admission does not stand
        if author.is_some_and(|(_, admission)| void.contains(admission)) {
            next.insert(operation.id());
            continue;
        }
        let banned = |ban: &&&Operation| {
            !void.contains(&ban.id())
                && bans_author(ban, operation.author(), author.map(|(member, _)| *member))
                && is_concurrent(log, ban, operation)
        };
        if !operation.is_ban() && operations.iter().any(|ban| banned(&ban)) {
            next.insert(operation.id());
        }
        let rival = |other: &&&Operation| {
            other.id() < operation.id()
                && !void.contains(&other.id())
                && is_concurrent(log, other, operation)
                && are_rivals(other, operation)
        };
        if operations.iter().any(|other| rival(&other)) {
            next.insert(operation.id());
        }
    }
    next
}

fn bans_author(ban: &Operation, device: DeviceId, member: Option<MemberId>) -> bool {
    match ban.action() {
        Action::Suspend { member: banned, .. } | Action::RemoveMember { member: banned, .. } => member == Some(*banned),
        Action::RemoveDevice { cut } => cut.device == device,
        Action::ChangeRole { member: demoted, role, .. } => *role != Role::Steward && member == Some(*demoted),
        Action::Reseat { remove, .. } => remove.iter().any(|cut| cut.device == device),
        _ => false,
    }
}

fn are_rivals(a: &Operation, b: &Operation) -> bool {
    match (a.action(), b.action()) {
        (Action::Admit { invitation: a, .. }, Action::Admit { invitation: b, .. }) => a == b,
        (Action::ChangeCharter { .. }, Action::ChangeCharter { .. }) => true,
        _ => false,
    }
}

fn apply(
    state: &mut TeamState,
    operation: &Operation,
    all: &[&Operation],
    owner: &BTreeMap<DeviceId, (MemberId, OperationId)>,
    void: &BTreeSet<OperationId>,
) {
    match operation.action() {
        Action::Found { member, device, charter, reseat, .. } => {
            state.charter = Some(charter.clone());
            state.reseat = *reseat;
            seat(state, operation, *member, device, Role::Steward);
        }
        Action::Admit { member, device, role, invitation } => {
            state.invitations.insert(*invitation);
            seat(state, operation, *member, device, *role);
        }
        Action::ChangeRole { member, role, cuts } => {
            // stewards come before workers, workers before the board
            let is_demotion = state.members.get(member).is_some_and(|member| *role > member.role);
            if let Some(member) = state.members.get_mut(member) {
                member.role = *role;
            }
            if is_demotion {
                state.bans.insert(operation.id());
                set_cuts(state, cuts);
            }
        }
        Action::Suspend { member, cuts } => ban_member(state, operation, *member, cuts, Standing::Suspended),
        Action::RemoveMember { member, cuts } => {
            let steward = state.members.get(member).is_some_and(|member| member.role == Role::Steward);
            let second = all.iter().any(|other| countersigns(other, operation, *member, owner) && !void.contains(&other.id()));
            let standing = if steward && !second { Standing::Suspended } else { Standing::Removed };
            ban_member(state, operation, *member, cuts, standing);
        }
        Action::RemoveDevice { cut } => ban_device(state, operation, cut),
        Action::Reseat { remove, steward, device, next, .. } => {
            for cut in remove {
                ban_device(state, operation, cut);
            }
            if let (Some(member), Some(device)) = (steward, device) {
                seat(state, operation, *member, device, Role::Steward);
            }
            if let Some(next) = next {
                state.reseat = *next;
            }
            if let Some(member) = steward.and_then(|member| state.members.get_mut(&member)) {
                member.role = Role::Steward;
                member.standing = Standing::Active;
            }
        }
        Action::Tombstone { .. } => {
            state.bans.insert(operation.id());
        }
        Action::ChangeCharter { charter, .. } => state.charter = Some(charter.clone()),
        Action::Adopt { .. } | Action::Countersign { .. } | Action::Reinstate { .. } | Action::Resume { .. } => {}
        Action::SetRecovery { key, threshold, shares } => {
            state.recovery = key.clone().map(|key| Recovery { key, threshold: *threshold, shares: *shares });
        }
    }
}

fn countersigns(other: &Operation, removal: &Operation, removed: MemberId, owner: &BTreeMap<DeviceId, (MemberId, OperationId)>) -> bool {
    let Action::Countersign { operation } = other.action() else { return false };
    let member = |operation: &Operation| owner.get(&operation.author()).map(|(member, _)| *member);
    *operation == removal.id() && member(other).is_some_and(|second| second != removed && Some(second) != member(removal))
}

fn seat(state: &mut TeamState, operation: &Operation, member: MemberId, device: &DeviceKeys, role: Role) {
    let Ok(key) = VerifyingKey::from_bytes(&device.signing) else { return };
    let standing = state.members.entry(member).or_insert(Member { role, standing: Standing::Active }).standing;
    let device = Device { key, receiving: device.receiving.clone(), member, standing, cut: None, admitted: operation.id() };
    state.devices.insert(device.key.device_id(), device);
}

fn set_cuts(state: &mut TeamState, cuts: &[Cut]) {
    for cut in cuts {
        if let Some(device) = state.devices.get_mut(&cut.device) {
            device.cut = Some(*cut);
        }
    }
}

fn ban_member(state: &mut TeamState, operation: &Operation, member: MemberId, cuts: &[Cut], standing: Standing) {
    state.bans.insert(operation.id());
    if let Some(member) = state.members.get_mut(&member) {
        member.standing = member.standing.max(standing);
    }
    for device in state.devices.values_mut().filter(|device| device.member == member) {
        device.standing = device.standing.max(standing);
    }
    set_cuts(state, cuts);
}

fn ban_device(state: &mut TeamState, operation: &Operation, cut: &Cut) {
    state.bans.insert(operation.id());
    if let Some(device) = state.devices.get_mut(&cut.device) {
        device.standing = Standing::Removed;
        device.cut = Some(*cut);
    }
}
