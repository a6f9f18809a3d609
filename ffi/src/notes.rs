//! Notes on services, members' names, sums that were sent, and a promise in full.

use crate::error::{FfiError, call};
use crate::records::{quiet, screened, short_text, shown};
use crate::unlocked::Unlocked;
use satchel_core::record::{FollowUpState, TallyLine};
use satchel_core::screen::Note;
use satchel_wire::ShiftDay;
use satchel_wire::ids::{MemberId, RecordId, ResourceId};

quiet!(FollowUp);

/// A promise.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct FollowUp {
    /// Random id.
    pub id: RecordId,
    /// For whom.
    pub participant: RecordId,
    /// What.
    pub what: Option<String>,
    /// First day.
    pub from: ShiftDay,
    /// Last day.
    pub until: ShiftDay,
    /// Who promised it.
    pub who: Option<MemberId>,
    /// Safe-contact rule for this promise.
    pub contact: Option<String>,
    /// State as of today.
    pub state: FollowUpState,
}

/// One device's anonymous sum, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SentTally {
    /// The last shift day that it counts.
    pub day: ShiftDay,
    /// What was offered and said, how often.
    pub lines: Vec<TallyLine>,
}

#[uniffi::export]
impl Unlocked {
    /// One promise in full. Errors: [`FfiError::NotFound`].
    pub fn follow_up(&self, follow_up: RecordId) -> Result<FollowUp, FfiError> {
        call(|| {
            let found = self.core().follow_up(follow_up)?;
            Ok(FollowUp {
                id: found.id,
                participant: found.participant,
                what: shown(found.what.as_ref()),
                from: found.from,
                until: found.until,
                who: found.who,
                contact: shown(found.contact.as_ref()),
                state: found.state,
            })
        })
    }

    /// All sums known here, of all devices.
    pub fn tallies(&self) -> Result<Vec<SentTally>, FfiError> {
        call(|| Ok(self.core().tallies()?.into_iter().map(|(day, tally)| SentTally { day, lines: tally.lines }).collect()))
    }

    /// The team's note on a service; none if there is none.
    pub fn resource_note(&self, resource: ResourceId) -> Result<Option<String>, FfiError> {
        call(|| Ok(self.core().resource_note(resource)?.map(|note| note.as_str().to_owned())))
    }

    /// Writes the team's note on a service, in place of the one before. Errors: [`FfiError::InvalidInput`] for `note`.
    pub fn save_resource_note(&self, resource: ResourceId, note: &str) -> Result<RecordId, FfiError> {
        call(|| Ok(self.core().save_resource_note(resource, &screened("note", note, Note::parse)?)?))
    }

    /// How a member is called, as far as this phone knows.
    pub fn member_name(&self, member: MemberId) -> Result<Option<String>, FfiError> {
        call(|| Ok(shown(self.core().member_name(member)?.as_ref())))
    }

    /// Gives this phone's own member another name. Errors: [`FfiError::InvalidInput`] for `name`.
    pub fn name_member(&self, name: &str) -> Result<(), FfiError> {
        call(|| Ok(self.core().name_member(&short_text("name", name)?)?))
    }

    /// Whether `tend` has something to do today.
    pub fn is_tending_due(&self) -> Result<bool, FfiError> {
        call(|| Ok(self.core().is_tending_due()?))
    }
}
