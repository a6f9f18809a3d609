//! Erasure and its receipts, letting go of what is old, and the checked date.

use crate::error::{FfiError, call};
use crate::unlocked::Unlocked;
use satchel_core::consent::GatedCategory;
use satchel_core::record::Kind as RecordKind;
use satchel_core::store::{self, KeyReplacement};
use satchel_core::team::{MayHold, TombstoneScope as ErasureScope};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{DeviceId, MemberId, OperationId, RecordId};

/// What an erasure is about, in a word.
#[uniffi::remote(Enum)]
pub enum ErasureScope {
    /// Some records.
    Records,
    /// One participant and everything about them.
    Subject,
    /// One gated category of one participant.
    Category,
    /// The whole team.
    Team,
    /// The history of one record.
    History,
}

/// Why a device is not waited for, though it may still hold what was erased.
#[uniffi::remote(Enum)]
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

/// Facts that need a vault of their own.
#[uniffi::remote(Enum)]
pub enum GatedCategory {
    /// Legal name.
    LegalName,
    /// Birth date.
    BirthDate,
    /// Telephone, address, handle.
    ContactDetail,
    /// Where exactly.
    ExactPlace,
    /// Numbers given by a government.
    GovernmentId,
    /// Immigration.
    Immigration,
    /// Police or court contact.
    JusticeContact,
    /// Who the officer was.
    Officer,
    /// What someone looks like.
    PhysicalDescription,
    /// Vehicle.
    Vehicle,
    /// Somebody else.
    ThirdParty,
    /// Self-described facts for equity.
    Demographics,
}

/// A device that may still hold what was erased, and is not waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct MayStillHold {
    /// The device.
    pub device: DeviceId,
    /// Why nobody waits for it.
    pub why: MayHold,
}

/// How far an erasure is, for the person who asked for it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ErasureReceipt {
    /// The erasure (`op_…`).
    pub operation: OperationId,
    /// What it erases.
    pub scope: ErasureScope,
    /// Its day, by its author's word.
    pub day: ShiftDay,
    /// The phone that wrote it.
    pub author: DeviceId,
    /// Phones on which it is gone, and which hold no key to a copy of it.
    pub confirmed: Vec<DeviceId>,
    /// Phones that have not confirmed yet.
    pub awaited: Vec<DeviceId>,
    /// Phones that are not waited for: they, and only they, may still hold it.
    pub may_still_hold: Vec<MayStillHold>,
    /// Nobody is waited for any more.
    pub is_settled: bool,
    /// The day on which this phone first saw that it is settled.
    pub settled_since: Option<ShiftDay>,
    /// It has no effect until a second member countersigns.
    pub waits_for_countersignature: bool,
    /// How final it is on this phone.
    pub key_replacement: KeyReplacement,
}

impl From<store::ErasureReceipt> for ErasureReceipt {
    fn from(receipt: store::ErasureReceipt) -> Self {
        let may_still_hold = receipt.may_still_hold.into_iter().map(|(device, why)| MayStillHold { device, why });
        Self {
            operation: receipt.operation,
            scope: receipt.scope,
            day: receipt.day,
            author: receipt.author,
            confirmed: receipt.confirmed,
            awaited: receipt.awaited,
            may_still_hold: may_still_hold.collect(),
            is_settled: receipt.is_settled,
            settled_since: receipt.settled_since,
            waits_for_countersignature: receipt.waits_for_countersignature,
            key_replacement: receipt.platform_note,
        }
    }
}

/// An edit of something erased that came too late, or had not left this phone yet. Its content is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct DroppedEdit {
    /// The erasure.
    pub operation: OperationId,
    /// What kind of record it belonged to.
    pub kind: RecordKind,
    /// The phone on which it was written.
    pub device: DeviceId,
    /// The day on which this phone dropped it.
    pub day: ShiftDay,
    /// The day on which it was written, by its author's word; none when nobody knows.
    pub written: Option<ShiftDay>,
    /// Whose phone that was; none for a phone that the team log does not know.
    pub member: Option<MemberId>,
}

/// What tending did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct TendReport {
    /// Records whose time was over: destroyed (count).
    pub destroyed: u32,
    /// Encounters whose zone left the lists (count).
    pub zones: u32,
    /// The date is in doubt: nothing was destroyed by age.
    pub is_date_in_doubt: bool,
    /// The team's last day is over: nothing can be written.
    pub has_ended: bool,
    /// The team's records are destroyed, because its last day is over by more than the absence limit.
    pub is_destroyed: bool,
}

impl From<store::TendReport> for TendReport {
    fn from(report: store::TendReport) -> Self {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            destroyed: count(report.destroyed),
            zones: count(report.zones),
            is_date_in_doubt: report.date_in_doubt,
            has_ended: report.has_ended,
            is_destroyed: report.is_destroyed,
        }
    }
}

#[uniffi::export]
impl Unlocked {
    /// Erases one record on every phone of the team. Returns the erasure, for its receipt.
    ///
    /// Errors: [`FfiError::NotFound`], [`FfiError::Refused`]; [`FfiError::InvalidInput`] (`not_erased_alone`) for a file, a
    /// grant, a withdrawal and what else goes with its participant.
    pub fn erase_record(&self, kind: RecordKind, record: RecordId) -> Result<OperationId, FfiError> {
        call(|| Ok(self.core().erase_record(kind, record)?))
    }

    /// Erases a participant and everything about them, on every phone of the team, also what arrives later.
    ///
    /// From the eleventh of one phone on it has no effect until a second member countersigns; the receipt says so.
    /// Errors: [`FfiError::Refused`]. One who is not known here is erased all the same: another phone may know them.
    pub fn erase_participant(&self, participant: RecordId) -> Result<OperationId, FfiError> {
        call(|| Ok(self.core().erase_participant(participant)?))
    }

    /// Erases the facts of one gated category about a participant, also what arrives later. Errors: [`FfiError::Refused`].
    pub fn erase_category(&self, participant: RecordId, category: GatedCategory) -> Result<OperationId, FfiError> {
        call(|| Ok(self.core().erase_category(participant, category)?))
    }

    /// Erases every record of the team, on every phone, for ever; a second member countersigns it unless there is one only.
    ///
    /// Errors: [`FfiError::Refused`] unless this member is a steward.
    pub fn erase_team(&self) -> Result<OperationId, FfiError> {
        call(|| Ok(self.core().erase_team()?))
    }

    /// Drops a document's history: a new record carries its values on, the old one is erased with every value it ever had.
    ///
    /// Errors: [`FfiError::NotFound`]; [`FfiError::Internal`] with `history_of_this_kind` for a kind that others refer to.
    pub fn drop_history(&self, kind: RecordKind, record: RecordId) -> Result<OperationId, FfiError> {
        call(|| Ok(self.core().drop_history(kind, record)?))
    }

    /// Every erasure that this phone knows of, the newest last.
    pub fn erasures(&self) -> Result<Vec<ErasureReceipt>, FfiError> {
        call(|| Ok(self.core().erasures()?.into_iter().map(Into::into).collect()))
    }

    /// How far one erasure is. Errors: [`FfiError::NotFound`] when this phone does not know it.
    pub fn erasure_receipt(&self, operation: OperationId) -> Result<ErasureReceipt, FfiError> {
        call(|| Ok(self.core().erasure_receipt(operation)?.into()))
    }

    /// Edits of erased things that came too late, the newest last (at most 256): tell whoever wrote them.
    pub fn dropped_edits(&self) -> Result<Vec<DroppedEdit>, FfiError> {
        call(|| {
            let line = |edit: store::DroppedEdit| DroppedEdit {
                operation: edit.operation,
                kind: edit.kind,
                device: edit.device,
                day: edit.day,
                written: edit.written,
                member: edit.member,
            };
            Ok(self.core().dropped_edits()?.into_iter().map(line).collect())
        })
    }

    /// Lets go of what is over by the charter: call it after unlocking and at the first write of a day; sessions do it too.
    pub fn tend(&self) -> Result<TendReport, FfiError> {
        call(|| Ok(self.core().tend()?.into()))
    }

    /// Whether the date jumped forward by more than two days and nobody has confirmed it yet. Until then nothing is
    /// destroyed by age. Remedy: meet a colleague's phone, reach the relay, or ask the worker and call `confirm_date`.
    pub fn is_date_in_doubt(&self) -> Result<bool, FfiError> {
        call(|| Ok(self.core().is_date_in_doubt()?))
    }

    /// The worker says that the device's date is right.
    pub fn confirm_date(&self) -> Result<(), FfiError> {
        call(|| Ok(self.core().confirm_date()?))
    }
}
