//! What a set of operations amounts to: members, devices, bans, charter. How it comes about stands in `fold.rs`
//! and `account.rs`; the rules with worked conflicts in `docs/adr/0022-the-fold-of-the-team-log.md`.

use super::operation::{Cut, Role};
use crate::consent::Charter;
use crate::crypto::{self, VerifyingKey, labels};
use satchel_wire::ids::{BodyId, DeviceId, MemberId, OperationId, TeamId};
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
    /// Whether they ever were a steward: then one signature suspends them, and only two remove them.
    pub was_steward: bool,
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
    /// Where its accepted work ends while it may not write; none then means that nobody named a place.
    pub cut: Option<Cut>,
    /// The operation that admitted it.
    pub admitted: OperationId,
    /// What keeps it from reading: unanswered suspensions, removals of it or its member, a demotion to the board.
    pub bans: BTreeSet<OperationId>,
}

/// An erasure as the log knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TombstoneState {
    /// Who ordered it.
    pub author: DeviceId,
    /// Whether it stands: one that waits for a countersignature erases nothing and is no ban.
    pub effective: bool,
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

/// Whose second signature an operation waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Awaiting {
    /// The removal of somebody who is or was a steward: a steward or board member, neither its author nor its victim.
    Removal,
    /// A steward's reinstatement: a steward or board member, neither its author nor the reinstated.
    Reinstatement,
    /// A charter that loosens: a board member.
    Charter,
    /// A device's eleventh subject, a fork, or the whole team: any second member.
    Erasure,
}

impl Awaiting {
    /// Whether a role may give that signature.
    pub const fn may_sign(self, role: Role) -> bool {
        match self {
            Self::Removal | Self::Reinstatement => matches!(role, Role::Steward | Role::Board),
            Self::Charter => matches!(role, Role::Board),
            Self::Erasure => true,
        }
    }
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
    /// Standing bans, answered suspensions included: removals, suspensions, demotions, effective tombstones.
    pub bans: BTreeSet<OperationId>,
    /// Admissions that are void beside another one with the same invitation or device, and the one that beat them: no ban
    /// says that whoever came in by them is out.
    pub lost_admissions: BTreeMap<OperationId, OperationId>,
    /// Erasures that were ordered.
    pub tombstones: BTreeMap<OperationId, TombstoneState>,
    /// What waits for a second signature, and whose.
    pub awaiting_countersign: BTreeMap<OperationId, Awaiting>,
    /// Bodies beyond a cut that a steward accepted.
    pub adopted: BTreeSet<BodyId>,
    /// Copied or restored devices that may go on, and after which body.
    pub resumed: BTreeMap<DeviceId, Cut>,
    /// Used invitations.
    pub invitations: BTreeSet<[u8; 16]>,
    /// Public half of the paper reseat key.
    pub reseat: [u8; 32],
    /// Public half of the control key that a reseat set; none as long as no reseat did.
    pub control: Option<[u8; 32]>,
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
            lost_admissions: BTreeMap::new(),
            tombstones: BTreeMap::new(),
            awaiting_countersign: BTreeMap::new(),
            adopted: BTreeSet::new(),
            resumed: BTreeMap::new(),
            invitations: BTreeSet::new(),
            reseat: [0; 32],
            control: None,
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

    /// Members that were not removed.
    pub fn member_count(&self) -> usize {
        self.members.values().filter(|member| member.standing != Standing::Removed).count()
    }

    /// Whether somebody of the board is active.
    pub fn has_board(&self) -> bool {
        self.members.values().any(|member| member.standing == Standing::Active && member.role == Role::Board)
    }

    /// Standing bans that concern who belongs, tombstones left out, sorted.
    pub fn membership_bans(&self) -> impl Iterator<Item = &OperationId> {
        self.bans.iter().filter(|ban| !self.tombstones.contains_key(*ban))
    }

    /// A name for the set of membership bans and lost admissions: equal exactly where the sets are. A record key made
    /// under another one is not fresh enough to write under.
    pub fn membership_bans_digest(&self) -> [u8; 16] {
        let out = self.membership_bans().chain(self.lost_admissions.keys());
        let ids: Vec<u8> = out.flat_map(|id| *id.as_bytes()).collect();
        crypto::derive_id(labels::BANS_DIGEST, &[&ids])
    }
}
