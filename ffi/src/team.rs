//! The team page: devices and members, and taking membership away or giving it back.

use crate::error::{FfiError, call};
use crate::records::{quiet, shown};
use crate::unlocked::Unlocked;
use satchel_core::record::Kind as RecordKind;
use satchel_core::store;
use satchel_core::team::{Awaiting, Role, Standing};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{BodyId, DeviceId, MemberId, OperationId, TeamId};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

quiet!(DeviceLine, RemovalDetails);

/// Where a device stands.
#[uniffi::remote(Enum)]
pub enum Standing {
    /// Belongs to the team.
    Active,
    /// Treated as removed until a steward ends it.
    Suspended,
    /// Removed.
    Removed,
}

/// What a second signature is for, and who may give it.
#[uniffi::remote(Enum)]
pub enum Awaiting {
    /// The removal of somebody who is or was a steward: a steward or board member, neither its author nor its victim.
    Removal,
    /// A steward's reinstatement: a steward or board member, neither its author nor the reinstated.
    Reinstatement,
    /// A charter that loosens: a board member.
    Charter,
    /// A device's eleventh participant, or the whole team: any second member.
    Erasure,
}

/// A device on the team page.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct DeviceLine {
    /// The device (`dev_…`).
    pub id: DeviceId,
    /// Whose it is (`mem_…`).
    pub member: MemberId,
    /// How they are called, if this phone knows.
    pub name: Option<String>,
    /// Their role.
    pub role: Role,
    /// Where it stands.
    pub standing: Standing,
    /// It was silent beyond the absence limit: it gets no keys until somebody meets it.
    pub is_dormant: bool,
    /// The day on which it was last heard.
    pub last_heard: Option<ShiftDay>,
    /// This phone was copied or restored: two of it write. A steward removes it, or calls `resume_device`.
    pub is_copied: bool,
    /// It is this device.
    pub is_self: bool,
}

impl From<store::DeviceLine> for DeviceLine {
    fn from(line: store::DeviceLine) -> Self {
        Self {
            id: line.id,
            member: line.member,
            name: shown(line.name.as_ref()),
            role: line.role,
            standing: line.standing,
            is_dormant: line.is_dormant,
            last_heard: line.last_heard,
            is_copied: line.is_forked,
            is_self: line.is_self,
        }
    }
}

/// The team as this device knows it.
#[derive(uniffi::Record)]
pub struct Team {
    /// The team (`team_…`).
    pub id: TeamId,
    /// All devices, removed ones included.
    pub devices: Vec<DeviceLine>,
    /// Number of the turn in use: it grows with every change of keys.
    pub turn: u32,
    /// IANA name of the charter's time zone.
    pub time_zone: String,
    /// The team's last day; then everything can be read for a while, and is destroyed.
    pub last_day: ShiftDay,
    /// A device silent for longer is dormant (days).
    pub absence_limit_days: u16,
    /// Day of the last meeting with a colleague's phone or the relay.
    pub last_contact: Option<ShiftDay>,
    /// This store was shown to be a copy: nothing leaves it until a steward answers.
    pub is_copied: bool,
}

impl From<store::TeamOverview> for Team {
    fn from(team: store::TeamOverview) -> Self {
        Self {
            id: team.team,
            devices: team.devices.into_iter().map(Into::into).collect(),
            turn: team.turn,
            time_zone: team.charter.time_zone,
            last_day: team.charter.sunset,
            absence_limit_days: team.charter.absence_limit_days,
            last_contact: team.last_contact,
            is_copied: team.is_copied,
        }
    }
}

/// What removing a device would mean: to be shown to a person, who then confirms.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct RemovalDetails {
    /// The device.
    pub device: DeviceId,
    /// Whose it is.
    pub member: MemberId,
    /// How they are called, if this phone knows.
    pub name: Option<String>,
    /// When it was last heard.
    pub last_heard: Option<ShiftDay>,
    /// It was silent beyond the absence limit, and gets no keys any more.
    pub is_dormant: bool,
    /// The member has no other device: they can neither read nor write until they join again.
    pub is_last_of_member: bool,
    /// How many of its entries and edits are here and stay (count).
    pub accepted: u32,
    /// Whether the keys change with the confirmation; otherwise the first member who hears of it changes them.
    pub changes_keys: bool,
}

impl From<&store::RemovalPlan> for RemovalDetails {
    fn from(plan: &store::RemovalPlan) -> Self {
        Self {
            device: plan.device,
            member: plan.member,
            name: shown(plan.name.as_ref()),
            last_heard: plan.last_heard,
            is_dormant: plan.is_dormant,
            is_last_of_member: plan.is_last_of_member,
            accepted: plan.accepted_bodies,
            changes_keys: plan.begins_turn,
        }
    }
}

/// The first of the two steps of a removal. Nothing has happened yet; free it to change one's mind.
#[derive(uniffi::Object)]
pub struct RemovalPlan(Mutex<Option<store::RemovalPlan>>);

impl RemovalPlan {
    fn plan(&self) -> MutexGuard<'_, Option<store::RemovalPlan>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[uniffi::export]
impl RemovalPlan {
    /// What the removal would mean. Errors: [`FfiError::NotFound`] after `confirm`.
    pub fn details(&self) -> Result<RemovalDetails, FfiError> {
        call(|| Ok(self.plan().as_ref().ok_or(satchel_core::Error::NoSuchRecord)?.into()))
    }

    /// Removes the device, once. What it wrote and nobody has seen waits, sealed, and can be adopted by a steward.
    ///
    /// Errors: [`FfiError::Refused`] when this member may not, [`FfiError::NotFound`] the second time.
    pub fn confirm(&self) -> Result<OperationId, FfiError> {
        call(|| {
            let plan = self.plan().take().ok_or(satchel_core::Error::NoSuchRecord)?;
            Ok(plan.confirm()?)
        })
    }
}

/// An operation that has no full effect until somebody else signs it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct AwaitedSignature {
    /// The operation (`op_…`).
    pub operation: OperationId,
    /// What it is, and whose signature it needs.
    pub awaiting: Awaiting,
    /// The device that wrote it.
    pub author: DeviceId,
    /// The day its author saw.
    pub day: ShiftDay,
    /// Whether this member may sign.
    pub may_sign: bool,
}

/// Something that a removed device wrote and nobody had seen: sealed, and shown nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct WaitingBody {
    /// To be named in an adoption (`body_…`).
    pub body: BodyId,
    /// Who wrote it.
    pub device: DeviceId,
    /// What kind of record it changes or makes.
    pub kind: RecordKind,
    /// The day it says.
    pub day: ShiftDay,
}

#[uniffi::export]
impl Unlocked {
    /// The team as this device knows it.
    pub fn team(&self) -> Result<Team, FfiError> {
        call(|| Ok(self.core().team()?.into()))
    }

    /// Changes the keys for everything that is written from now on. Any member may; once a month is usual.
    ///
    /// Errors: [`FfiError::Refused`] for the board, [`FfiError::Sync`].
    pub fn begin_turn(&self) -> Result<(), FfiError> {
        call(|| Ok(self.core().begin_turn()?))
    }

    /// What removing a device, a lost phone say, would mean. Nothing happens before `RemovalPlan.confirm`.
    ///
    /// Errors: [`FfiError::NotFound`] for a device that is unknown or removed; [`FfiError::Refused`] for this device, or
    /// when this member is neither a steward nor its owner.
    pub fn prepare_removal(&self, device: DeviceId) -> Result<Arc<RemovalPlan>, FfiError> {
        call(|| Ok(Arc::new(RemovalPlan(Mutex::new(Some(self.core().prepare_removal(device)?))))))
    }

    /// Removes a member with all devices. Of a steward it only suspends until a second member signs.
    ///
    /// Errors: [`FfiError::Refused`] when this member may not.
    pub fn remove_member(&self, member: MemberId) -> Result<OperationId, FfiError> {
        call(|| Ok(self.core().remove_member(member)?))
    }

    /// Suspends a member: every effect of a removal until a steward ends it. Errors: as `remove_member`.
    pub fn suspend_member(&self, member: MemberId) -> Result<OperationId, FfiError> {
        call(|| Ok(self.core().suspend_member(member)?))
    }

    /// Ends a suspension. Of a steward it needs a second signature. Errors: as `remove_member`.
    pub fn reinstate_member(&self, member: MemberId) -> Result<OperationId, FfiError> {
        call(|| Ok(self.core().reinstate_member(member)?))
    }

    /// Changes a member's role; a lower one takes keys away. Errors: as `remove_member`.
    pub fn change_role(&self, member: MemberId, role: Role) -> Result<OperationId, FfiError> {
        call(|| Ok(self.core().change_role(member, role)?))
    }

    /// Operations that wait for a second member's signature.
    pub fn awaiting_countersignature(&self) -> Result<Vec<AwaitedSignature>, FfiError> {
        call(|| {
            let line = |waits: store::AwaitedSignature| AwaitedSignature {
                operation: waits.operation,
                awaiting: waits.awaiting,
                author: waits.author,
                day: waits.day,
                may_sign: waits.may_sign,
            };
            Ok(self.core().awaiting_countersignature()?.into_iter().map(line).collect())
        })
    }

    /// Signs an operation that waits for a second member. Errors: [`FfiError::NotFound`] if none of that id waits,
    /// [`FfiError::Refused`].
    pub fn countersign(&self, operation: OperationId) -> Result<OperationId, FfiError> {
        call(|| Ok(self.core().countersign(operation)?))
    }

    /// Answers "this phone was copied or restored": it may go on. Only once a person made sure that no second phone runs
    /// the same store. Errors: [`FfiError::Refused`] unless this member is a steward.
    pub fn resume_device(&self, device: DeviceId) -> Result<OperationId, FfiError> {
        call(|| Ok(self.core().resume_device(device)?))
    }

    /// What removed devices wrote and nobody had seen before their removal, as far as it came here.
    pub fn waiting_beyond_cut(&self) -> Result<Vec<WaitingBody>, FfiError> {
        call(|| {
            let line = |waits: store::WaitingBody| WaitingBody { body: waits.body, device: waits.device, kind: waits.kind, day: waits.day };
            Ok(self.core().waiting_beyond_cut()?.into_iter().map(line).collect())
        })
    }

    /// Accepts such writing for the whole team. Errors: [`FfiError::Refused`] unless this member is a steward.
    pub fn adopt(&self, bodies: Vec<BodyId>) -> Result<OperationId, FfiError> {
        call(|| Ok(self.core().adopt(&bodies)?))
    }
}
