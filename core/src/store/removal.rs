//! Taking membership away, and giving it back: devices, members, roles, second signatures, copies.
//!
//! Every ban is followed at once by a turn that names it; where a removed device's accepted work ends is taken from
//! what is here of its chain.

use super::Unlocked;
use super::beyond::{ADOPTED_AT_ONCE_COUNT, WaitingBody};
use super::vault::Vault;
use crate::error::Error;
use crate::screen::ShortText;
use crate::storage::{Reader, Transaction};
use crate::team::operation::Action;
use crate::team::{Awaiting, Cut, Operation, Role, Standing, TurnError};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{BodyId, DeviceId, MemberId, OperationId};

/// What removing a device would mean, before anything happens: to be shown to a person, who then confirms.
pub struct RemovalPlan {
    unlocked: Unlocked,
    /// The device.
    pub device: DeviceId,
    /// Whose it is.
    pub member: MemberId,
    /// How they are called, if this phone knows.
    pub name: Option<ShortText>,
    /// When it was last heard.
    pub last_heard: Option<ShiftDay>,
    /// It was silent beyond the absence limit, and gets no keys any more.
    pub is_dormant: bool,
    /// The member has no other device: they can neither read nor write until they join again.
    pub is_last_of_member: bool,
    /// How many of its entries and edits are here and stay.
    pub accepted_bodies: u32,
    /// Whether a new turn begins with the confirmation; otherwise the first member who hears of it begins one.
    pub begins_turn: bool,
}

impl std::fmt::Debug for RemovalPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RemovalPlan({})", self.device)
    }
}

impl RemovalPlan {
    /// Removes the device. What it wrote and nobody has seen waits, sealed, and can be adopted by a steward.
    ///
    /// Errors: [`Error::Operation`] when this member may not.
    pub fn confirm(self) -> Result<OperationId, Error> {
        let device = self.device;
        self.unlocked.write(|vault, tx| {
            let cut = vault.cut_of(tx, &device)?;
            vault.decide_and_adopt(tx, Action::RemoveDevice { cut }, &[cut])
        })
    }
}

/// An operation that has no full effect until somebody else signs it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwaitedSignature {
    /// The operation.
    pub operation: OperationId,
    /// Whose signature it needs.
    pub awaiting: Awaiting,
    /// Who wrote it.
    pub author: DeviceId,
    /// The day its author saw.
    pub day: ShiftDay,
    /// Whether this member's role allows the signature.
    pub may_sign: bool,
}

impl Vault {
    /// Writes an operation; if it bans somebody, a turn that names it begins at once.
    pub(super) fn decide(&mut self, tx: &Transaction<'_>, action: Action) -> Result<OperationId, Error> {
        let id = self.write_operation(action)?.id();
        self.heed_log(tx)?;
        self.retry_held(tx)?;
        if self.require_writer().is_ok() {
            match self.usable_turn(tx) {
                // more heads than a turn can name: this operation has joined some of them, the next ones join the rest
                Ok(_) | Err(Error::Turn(TurnError::LacksBan)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(id)
    }

    /// The same for what takes a device's right to write: what is here of it beside its cut stays, for everybody.
    fn decide_and_adopt(&mut self, tx: &Transaction<'_>, action: Action, cuts: &[Cut]) -> Result<OperationId, Error> {
        let id = self.decide(tx, action)?;
        self.adopt_what_is_here(tx, cuts)?;
        Ok(id)
    }

    /// Where a device's accepted work ends, by what is here of it without a gap.
    pub(super) fn cut_of(&mut self, reader: &Reader<'_>, device: &DeviceId) -> Result<Cut, Error> {
        let chain = self.ledger(reader)?.chain(device);
        let sequence = chain.map_or(0, |chain| chain.contiguous);
        Ok(Cut { device: *device, sequence, body: chain.and_then(super::ledger::Chain::head) })
    }

    fn cuts_of(&mut self, reader: &Reader<'_>, member: MemberId) -> Result<Vec<Cut>, Error> {
        let state = self.keyring.log.state().clone();
        let standing = state.devices.iter().filter(|(_, device)| device.member == member && device.standing != Standing::Removed);
        standing.map(|(id, _)| self.cut_of(reader, id)).collect()
    }

    /// What the log says to this device itself: a steward's answer to "this phone was copied or restored".
    pub(super) fn heed_log(&mut self, _: &Transaction<'_>) -> Result<(), Error> {
        let state = self.keyring.log.state().clone();
        for (device, cut) in &state.resumed {
            if *device == self.device && self.state.resumed != Some(*cut) {
                self.state.resumed = Some(*cut);
                self.state.is_copied = false;
                self.keyring.resume();
            }
        }
        Ok(())
    }

    /// Whether a body of a chain lies before the point from which a steward let it go on.
    pub(super) fn is_before_resumption(&self, device: &DeviceId, sequence: u32) -> bool {
        self.keyring.log.state().resumed.get(device).is_some_and(|cut| sequence <= cut.sequence)
    }
}

impl Unlocked {
    /// What removing a device would mean; nothing happens before [`RemovalPlan::confirm`].
    ///
    /// Errors: [`Error::NoSuchRecord`] for a device that is unknown or removed, [`Error::Role`] for this device, or when
    /// this member is neither a steward nor its owner.
    pub fn prepare_removal(&self, device: DeviceId) -> Result<RemovalPlan, Error> {
        self.write(|vault, tx| {
            let state = vault.keyring.log.state().clone();
            let known = state.devices.get(&device).filter(|device| device.standing != Standing::Removed).ok_or(Error::NoSuchRecord)?;
            let is_own = known.member == vault.root.member;
            if device == vault.device || !(is_own || vault.role()? == Role::Steward) {
                return Err(Error::Role);
            }
            let day = vault.key_day()?;
            let of_member = state.devices.values().filter(|other| other.member == known.member && other.standing == Standing::Active);
            Ok(RemovalPlan {
                unlocked: self.clone(),
                device,
                member: known.member,
                name: vault.member_names(tx)?.remove(&known.member),
                last_heard: vault.keyring.last_heard(&device),
                is_dormant: vault.keyring.is_dormant(&device, day),
                is_last_of_member: of_member.count() <= 1,
                accepted_bodies: vault.cut_of(tx, &device)?.sequence,
                begins_turn: vault.require_writer().is_ok(),
            })
        })
    }

    /// Removes a member with all devices. Of a steward, until a second member signs, it only suspends.
    ///
    /// Errors: [`Error::Operation`] when this member may not.
    pub fn remove_member(&self, member: MemberId) -> Result<OperationId, Error> {
        self.write(|vault, tx| {
            let cuts = vault.cuts_of(tx, member)?;
            vault.decide_and_adopt(tx, Action::RemoveMember { member, cuts: cuts.clone() }, &cuts)
        })
    }

    /// Suspends a member: every effect of a removal until a steward ends it. Errors: as [`Self::remove_member`].
    pub fn suspend_member(&self, member: MemberId) -> Result<OperationId, Error> {
        self.write(|vault, tx| {
            let cuts = vault.cuts_of(tx, member)?;
            vault.decide_and_adopt(tx, Action::Suspend { member, cuts: cuts.clone() }, &cuts)
        })
    }

    /// Ends a suspension. Of a steward it needs a second signature. Errors: as [`Self::remove_member`].
    pub fn reinstate_member(&self, member: MemberId) -> Result<OperationId, Error> {
        self.write(|vault, tx| vault.decide(tx, Action::Reinstate { member }))
    }

    /// Changes a member's role; a lower one is a ban. Errors: as [`Self::remove_member`].
    pub fn change_role(&self, member: MemberId, role: Role) -> Result<OperationId, Error> {
        self.write(|vault, tx| {
            let cuts = vault.cuts_of(tx, member)?;
            vault.decide_and_adopt(tx, Action::ChangeRole { member, role, cuts: cuts.clone() }, &cuts)
        })
    }

    /// Adds this member's signature to an operation that waits for one. Errors: [`Error::NoSuchRecord`] if none of
    /// that id waits, [`Error::Operation`].
    pub fn countersign(&self, operation: OperationId) -> Result<OperationId, Error> {
        self.write(|vault, tx| {
            if !vault.keyring.log.state().awaiting_countersign.contains_key(&operation) {
                return Err(Error::NoSuchRecord);
            }
            vault.decide(tx, Action::Countersign { operation })
        })
    }

    /// Operations that wait for a second member's signature.
    pub fn awaiting_countersignature(&self) -> Result<Vec<AwaitedSignature>, Error> {
        self.read(|vault, _| {
            let state = vault.keyring.log.state();
            let role = state.device_role(vault.device);
            let own = |author: &DeviceId| state.devices.get(author).is_some_and(|device| device.member == vault.root.member);
            let waiting = state.awaiting_countersign.iter().filter_map(|(id, awaiting)| {
                let operation = vault.keyring.log.operation(id)?;
                let author = operation.author();
                let may_sign = role.is_some_and(|role| awaiting.may_sign(role)) && !own(&author);
                Some(AwaitedSignature { operation: *id, awaiting: *awaiting, author, day: operation.day(), may_sign })
            });
            Ok(waiting.collect())
        })
    }

    /// Answers "this phone was copied or restored": it may go on after what is here of its chain.
    ///
    /// Only once a person made sure that no second phone runs the same store. Errors: [`Error::Operation`].
    pub fn resume_device(&self, device: DeviceId) -> Result<OperationId, Error> {
        self.write(|vault, tx| {
            // above everything that either copy has numbered
            let highest = vault.ledger(tx)?.chain(&device).and_then(|chain| {
                let (sequence, bodies) = chain.bodies.last_key_value()?;
                Some((*sequence, bodies.first().copied()))
            });
            let (sequence, body) = highest.unwrap_or((0, None));
            vault.state.forked.remove(&device);
            vault.decide(tx, Action::Resume { cut: Cut { device, sequence, body } })
        })
    }

    /// What removed devices wrote beyond their cuts, as far as it came here: sealed, shown nowhere.
    pub fn waiting_beyond_cut(&self) -> Result<Vec<WaitingBody>, Error> {
        self.read(|vault, reader| vault.waiting_beyond_cut(reader))
    }

    /// Accepts bodies beyond a cut, for the whole team, in as many operations as they need; returns the last.
    ///
    /// Errors: [`Error::Operation`] unless this member is a steward, or without bodies.
    pub fn adopt(&self, bodies: &[BodyId]) -> Result<OperationId, Error> {
        self.write(|vault, tx| {
            let (before, last) = bodies.split_at(bodies.len() - bodies.len().min(ADOPTED_AT_ONCE_COUNT));
            for some in before.chunks(ADOPTED_AT_ONCE_COUNT) {
                vault.decide(tx, Action::Adopt { bodies: some.to_vec() })?;
            }
            vault.decide(tx, Action::Adopt { bodies: last.to_vec() })
        })
    }

    /// An operation's author and day, if it stands in the log.
    pub fn operation(&self, id: OperationId) -> Result<Option<(DeviceId, ShiftDay)>, Error> {
        self.read(|vault, _| Ok(vault.keyring.log.operation(&id).map(|operation: &Operation| (operation.author(), operation.day()))))
    }
}
