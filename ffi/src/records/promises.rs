//! Follow-ups and self-referrals.

use super::{quiet, short_text_about, shown};
use crate::error::FfiError;
use satchel_core::record::{self, FollowUpState, ReferralStatus, StartedBy};
use satchel_core::screen::Alias;
use satchel_core::store;
use satchel_wire::ShiftDay;
use satchel_wire::ids::{RecordId, ResourceId};

quiet!(FollowUpDraft, FollowUpLine, SelfReferralDraft, SelfReferral);

/// Where a follow-up stands.
#[uniffi::remote(Enum)]
pub enum FollowUpState {
    /// Promised.
    Open,
    /// Done.
    Done,
    /// The participant no longer wants it.
    DroppedByParticipant,
    /// Its window has passed.
    Expired,
}

/// Who started a self-referral. A third person is not representable.
#[uniffi::remote(Enum)]
pub enum StartedBy {
    /// The participant.
    Participant,
    /// The participant, together with a worker.
    ParticipantWithWorker,
}

/// Where a self-referral stands, in the participant's choice.
#[uniffi::remote(Enum)]
pub enum ReferralStatus {
    /// Thinking about it.
    Thinking,
    /// Asked for it.
    Asked,
    /// Sent.
    Sent,
    /// Got it.
    GotIt,
    /// Changed their mind.
    ChangedMind,
}

/// A promise to be written down.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct FollowUpDraft {
    /// For whom.
    pub participant: RecordId,
    /// What.
    pub what: String,
    /// First day of its window (`YYYY-MM-DD`).
    pub from: ShiftDay,
    /// Last day of its window.
    pub until: ShiftDay,
    /// Safe-contact rule for this promise.
    #[uniffi(default = None)]
    pub contact: Option<String>,
}

impl FollowUpDraft {
    pub(crate) fn read(&self, alias: Option<&Alias>) -> Result<record::FollowUpDraft, FfiError> {
        Ok(record::FollowUpDraft {
            participant: self.participant,
            what: short_text_about("what", &self.what, alias)?,
            from: self.from,
            until: self.until,
            contact: self.contact.as_ref().map(|text| short_text_about("contact", text, alias)).transpose()?,
        })
    }
}

/// One line of the list of follow-ups.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct FollowUpLine {
    /// The follow-up.
    pub id: RecordId,
    /// For whom.
    pub participant: Option<RecordId>,
    /// What.
    pub what: Option<String>,
    /// First day.
    pub from: ShiftDay,
    /// Last day.
    pub until: ShiftDay,
    /// State as of today.
    pub state: FollowUpState,
}

impl From<store::FollowUpLine> for FollowUpLine {
    fn from(line: store::FollowUpLine) -> Self {
        let what = shown(line.what.as_ref());
        Self { id: line.id, participant: line.participant, what, from: line.from, until: line.until, state: line.state }
    }
}

/// A self-referral to be written down.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct SelfReferralDraft {
    /// Who asks.
    pub participant: RecordId,
    /// How it began.
    pub started_by: StartedBy,
    /// The resource asked for.
    pub to: ResourceId,
    /// Where it stands.
    pub status: ReferralStatus,
    /// In their words.
    #[uniffi(default = None)]
    pub words: Option<String>,
}

impl SelfReferralDraft {
    pub(crate) fn read(&self, alias: Option<&Alias>) -> Result<record::SelfReferralDraft, FfiError> {
        Ok(record::SelfReferralDraft {
            participant: self.participant,
            started_by: self.started_by,
            to: self.to,
            words: self.words.as_ref().map(|text| short_text_about("words", text, alias)).transpose()?,
            status: self.status,
        })
    }
}

/// A self-referral.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct SelfReferral {
    /// Random id.
    pub id: RecordId,
    /// Who asks.
    pub participant: RecordId,
    /// How it began.
    pub started_by: StartedBy,
    /// The resource asked for.
    pub to: Option<ResourceId>,
    /// In their words.
    pub words: Option<String>,
    /// Where it stands.
    pub status: ReferralStatus,
}

impl From<record::SelfReferral> for SelfReferral {
    fn from(referral: record::SelfReferral) -> Self {
        Self {
            id: referral.id,
            participant: referral.participant,
            started_by: referral.started_by,
            to: referral.to,
            words: shown(referral.words.as_ref()),
            status: referral.status,
        }
    }
}

/// One line of the list of self-referrals.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SelfReferralLine {
    /// The self-referral.
    pub id: RecordId,
    /// Who asks.
    pub participant: Option<RecordId>,
    /// The resource.
    pub to: Option<ResourceId>,
    /// Where it stands.
    pub status: ReferralStatus,
}

impl From<store::ReferralLine> for SelfReferralLine {
    fn from(line: store::ReferralLine) -> Self {
        Self { id: line.id, participant: line.participant, to: line.to, status: line.status }
    }
}
