//! Settlement: who has confirmed an erasure, who is awaited, and who may still hold what was erased, and why.
//!
//! A pure function of the log and of the newest frontier of each device. *Due* is every device that could read
//! records at any time since the erased record began, those admitted meanwhile included, and, once a recovery key
//! was ever set, every board device, which holds half of what opens it. A due device has *confirmed* when its newest
//! frontier that counts contains the tombstone with its effect (and so the countersignature, where one is needed):
//! everything that it holds then names the tombstone. Devices that cannot be waited for are named instead.

use super::frontier::Frontier;
use super::log::Log;
use super::operation::{Action, Role};
use super::state::Standing;
use crate::env::Env;
use crate::rules::Rule;
use satchel_wire::ids::{DeviceId, MemberId, OperationId};
use std::collections::{BTreeMap, BTreeSet};

/// What this device knows of the others. Frontiers are signed by their devices: whoever stores them checks that.
pub trait Evidence {
    /// The newest frontier of a device, the own one included.
    fn frontier(&self, device: &DeviceId) -> Option<Frontier>;
    /// Whether a device has been silent for longer than the charter's absence limit.
    fn is_silent(&self, device: &DeviceId) -> bool;
    /// Whether a device was found copied or restored, and no steward has let it go on.
    fn is_copied(&self, device: &DeviceId) -> bool;
}

/// Why a device is not waited for, though it may still hold what was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MayHold {
    /// It was removed on its own, as lost phones are.
    Lost,
    /// Its member was removed, suspended or demoted.
    Removed,
    /// Nobody has heard from it for longer than the charter's absence limit.
    Silent,
    /// A copy of it exists: what one of the two confirms says nothing of the other.
    Copied,
}

impl MayHold {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Removed => "removed",
            Self::Silent => "silent",
            Self::Copied => "copied",
        }
    }
}

/// How far an erasure is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Whether the tombstone has effect; without it a second member's countersignature is missing.
    pub is_effective: bool,
    /// Devices that have confirmed.
    pub confirmed: BTreeSet<DeviceId>,
    /// Devices whose confirmation is waited for.
    pub awaited: BTreeSet<DeviceId>,
    /// Devices that are not waited for: they, and only they, may still open what was erased.
    pub may_still_hold: BTreeMap<DeviceId, MayHold>,
}

impl Settlement {
    /// Whether nobody is waited for any more.
    pub fn is_settled(&self) -> bool {
        self.is_effective && self.awaited.is_empty()
    }
}

/// Whether a frontier counts: only with every operation that its author knew when it signed.
///
/// Whom its author let in, and what it banned, stands in the log alone; without it a newcomer would be overlooked who
/// holds what is erased. The author's bodies need not be here: they carry nobody a key, and who never had an erased one
/// could never count that author again.
pub fn counts(env: &Env, log: &Log, frontier: &Frontier) -> bool {
    let content = frontier.content();
    !env.holds(Rule::CompleteLog) || content.log_heads.iter().chain(&content.known).all(|head| log.operation(head).is_some())
}

/// Judges one tombstone. `began` is a head of the log as the first body of the erased records named it; without it
/// every device since the founding is due. None if the operation is not in the log, or is no tombstone.
pub fn settle(
    env: &Env,
    log: &mut Log,
    tombstone: &OperationId,
    began: Option<&OperationId>,
    evidence: &dyn Evidence,
) -> Option<Settlement> {
    if !matches!(log.operation(tombstone)?.action(), Action::Tombstone { .. }) {
        return None;
    }
    let state = log.state().clone();
    let mut settlement = Settlement { is_effective: state.bans.contains(tombstone), ..Settlement::default() };
    for device in due(log, began) {
        let has_confirmed = evidence.frontier(&device).is_some_and(|frontier| {
            // a tombstone without effect in what it names, or in all that it knows, was not applied by whoever signed this
            counts(env, log, &frontier) && {
                let content = frontier.content();
                let all: Vec<OperationId> = content.log_heads.iter().chain(&content.known).copied().collect();
                log.state_of(&content.log_heads).bans.contains(tombstone) && log.state_of(&all).bans.contains(tombstone)
            }
        });
        let standing = state.devices.get(&device).map(|device| device.standing);
        let member = state.devices.get(&device).and_then(|device| state.members.get(&device.member)).map(|member| member.standing);
        let reason = if evidence.is_copied(&device) {
            Some(MayHold::Copied)
        } else if has_confirmed {
            None
        } else if standing != Some(Standing::Active) && member == Some(Standing::Active) {
            Some(MayHold::Lost)
        } else if state.device_role(device).is_none() || !is_waited_for(log, state.device_role(device)) {
            Some(MayHold::Removed)
        } else if evidence.is_silent(&device) {
            Some(MayHold::Silent)
        } else {
            settlement.awaited.insert(device);
            continue;
        };
        match reason {
            Some(reason) => {
                settlement.may_still_hold.insert(device, reason);
            }
            None => {
                settlement.confirmed.insert(device);
            }
        }
    }
    Some(settlement)
}

/// Whether a device of a role confirms: the board only while its phones hold half of the recovery.
fn is_waited_for(log: &Log, role: Option<Role>) -> bool {
    role.is_some_and(|role| role.reads_records() || is_recovery_known(log))
}

fn is_recovery_known(log: &Log) -> bool {
    log.operations().any(|operation| matches!(operation.action(), Action::SetRecovery { key: Some(_), .. }))
}

/// Every device that could read records at some time since `began`: also those whose admission turned out void, for
/// until somebody knew they were sealed to.
fn due(log: &mut Log, began: Option<&OperationId>) -> BTreeSet<DeviceId> {
    let board_too = is_recovery_known(log);
    let matters = |role: Role| role.reads_records() || board_too;
    let mut owners: BTreeMap<DeviceId, MemberId> = BTreeMap::new();
    let mut roles: BTreeMap<MemberId, bool> = BTreeMap::new();
    let mut note = |member: MemberId, role: Role| *roles.entry(member).or_default() |= matters(role);
    let began = began.filter(|head| log.operation(head).is_some()).copied();
    if let Some(head) = began {
        let then = log.state_of(&[head]);
        for (id, device, role) in then.active() {
            owners.insert(id, device.member);
            note(device.member, role);
        }
    }
    for operation in log.operations().filter(|operation| began.is_none_or(|head| !log.precedes(&operation.id(), &head))) {
        let (member, role) = match operation.action() {
            Action::Found { member, .. } | Action::Reseat { steward: Some(member), .. } => (*member, Role::Steward),
            Action::Admit { member, role, .. } | Action::ChangeRole { member, role, .. } => (*member, *role),
            // whoever was suspended then may hold what is written from here on
            Action::Reinstate { member } => (*member, Role::Worker),
            _ => continue,
        };
        note(member, role);
        if let Some(key) = log.place_of(&operation.id()).and_then(|place| log.admitted_key(place)) {
            owners.insert(key.device_id(), member);
        }
    }
    // a role that came later, or back, reaches the devices that its member had before
    for (id, device) in &log.state().devices {
        if roles.contains_key(&device.member) && device.standing == Standing::Active {
            owners.insert(*id, device.member);
        }
    }
    owners.into_iter().filter(|(_, member)| roles.get(member).copied().unwrap_or_default()).map(|(device, _)| device).collect()
}

#[cfg(test)]
#[path = "settlement_tests.rs"]
mod tests;
