//! The unlocked store: records in and out.

use crate::error::{FfiError, call};
use crate::records::{
    Encounter, EncounterDraft, FollowUpDraft, FollowUpLine, Participant, ParticipantDraft, ParticipantEdit, ParticipantLine, SelfReferral,
    SelfReferralDraft, SelfReferralLine, ZoneLine, short_text,
};
use crate::store::Store;
use satchel_core::record::{FollowUpState, ReferralStatus, TallyLine};
use satchel_core::screen::Alias;
use satchel_core::store::{self, EncounterLine, TallyTap};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{DeviceId, RecordId};
use std::sync::Arc;

/// An unlocked handle. Dead as soon as the store is locked: every call then answers [`FfiError::Locked`].
///
/// Each call is one transaction: when it returns, what it says is on disk.
#[derive(uniffi::Object)]
pub struct Unlocked(store::Unlocked);

/// What has not reached a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Waiting {
    /// Saved here and not sent (count).
    pub unsent: u32,
    /// Received and held back until something they need arrives (count).
    pub held: u32,
}

impl Unlocked {
    pub(crate) fn of(unlocked: store::Unlocked) -> Arc<Self> {
        Arc::new(Self(unlocked))
    }

    pub(crate) fn core(&self) -> &store::Unlocked {
        &self.0
    }

    /// The alias of a participant, which is a plain word in texts about them.
    fn alias_of(&self, participant: RecordId) -> Result<Option<Alias>, FfiError> {
        Ok(self.0.participants()?.into_iter().find(|line| line.id == participant).and_then(|line| line.alias))
    }
}

#[uniffi::export]
impl Unlocked {
    /// Creates a participant file together with its consent. Returns the file's random id.
    ///
    /// Errors: [`FfiError::InvalidInput`]; [`FfiError::Refused`] for the board.
    pub fn create_participant(&self, draft: ParticipantDraft) -> Result<RecordId, FfiError> {
        call(|| Ok(self.0.create_participant(&draft.read()?, draft.how, &draft.words_language)?))
    }

    /// Changes a participant file at the participant's word. Errors: [`FfiError::NotFound`], [`FfiError::InvalidInput`].
    pub fn edit_participant(&self, participant: RecordId, edit: ParticipantEdit) -> Result<(), FfiError> {
        call(|| Ok(self.0.edit_participant(participant, &edit.read()?)?))
    }

    /// All participant files, by their last day, the newest first.
    pub fn participants(&self) -> Result<Vec<ParticipantLine>, FfiError> {
        call(|| Ok(self.0.participants()?.into_iter().map(Into::into).collect()))
    }

    /// One participant file. Errors: [`FfiError::NotFound`].
    pub fn participant(&self, participant: RecordId) -> Result<Participant, FfiError> {
        call(|| Ok(self.0.participant(participant)?.into()))
    }

    /// Writes an encounter down, and counts its offers in the anonymous tally. Returns its random id.
    ///
    /// Errors: [`FfiError::NoConsent`]; [`FfiError::InvalidInput`]: `unknown_zone`, `too_many`, or what the guard found in `note`.
    pub fn save_encounter(&self, draft: EncounterDraft) -> Result<RecordId, FfiError> {
        call(|| {
            let alias = draft.participant.map(|participant| self.alias_of(participant)).transpose()?.flatten();
            Ok(self.0.save_encounter(&draft.read(alias.as_ref())?)?)
        })
    }

    /// Corrects an encounter. The participant stays the same one; the tally stays as it was counted.
    ///
    /// Errors: as `save_encounter`, and [`FfiError::NotFound`].
    pub fn correct_encounter(&self, encounter: RecordId, draft: EncounterDraft) -> Result<(), FfiError> {
        call(|| {
            let alias = draft.participant.map(|participant| self.alias_of(participant)).transpose()?.flatten();
            Ok(self.0.correct_encounter(encounter, &draft.read(alias.as_ref())?)?)
        })
    }

    /// All encounters, the newest day first; of one participant, or of all.
    #[uniffi::method(default(participant = None))]
    pub fn encounters(&self, participant: Option<RecordId>) -> Result<Vec<EncounterLine>, FfiError> {
        call(|| Ok(self.0.encounters(participant)?))
    }

    /// One encounter. Errors: [`FfiError::NotFound`].
    pub fn encounter(&self, encounter: RecordId) -> Result<Encounter, FfiError> {
        call(|| Ok(self.0.encounter(encounter)?.into()))
    }

    /// Counts one anonymous contact. Makes no record until the shift day has ended. Errors: [`FfiError::InvalidInput`] above 512 lines.
    pub fn tally(&self, taps: Vec<TallyTap>) -> Result<(), FfiError> {
        call(|| Ok(self.0.tally(&taps)?))
    }

    /// What this phone has counted on a shift day and not sent yet.
    pub fn tally_waiting(&self, day: ShiftDay) -> Result<Vec<TallyLine>, FfiError> {
        call(|| Ok(self.0.tally_waiting(day)?))
    }

    /// Writes a promise down. Errors: [`FfiError::NoConsent`]; [`FfiError::InvalidInput`]: `impossible_window`, or what the guard found.
    pub fn save_follow_up(&self, draft: FollowUpDraft) -> Result<RecordId, FfiError> {
        call(|| {
            let alias = self.alias_of(draft.participant)?;
            Ok(self.0.save_follow_up(&draft.read(alias.as_ref())?)?)
        })
    }

    /// Says where a promise stands. Errors: [`FfiError::NotFound`].
    pub fn set_follow_up_state(&self, follow_up: RecordId, state: FollowUpState) -> Result<(), FfiError> {
        call(|| Ok(self.0.set_follow_up_state(follow_up, state)?))
    }

    /// All follow-ups, the earliest window first.
    pub fn follow_ups(&self) -> Result<Vec<FollowUpLine>, FfiError> {
        call(|| Ok(self.0.follow_ups()?.into_iter().map(Into::into).collect()))
    }

    /// Writes a self-referral down. Errors: [`FfiError::NoConsent`]; [`FfiError::InvalidInput`] for what the guard found in `words`.
    pub fn save_self_referral(&self, draft: SelfReferralDraft) -> Result<RecordId, FfiError> {
        call(|| {
            let alias = self.alias_of(draft.participant)?;
            Ok(self.0.save_self_referral(&draft.read(alias.as_ref())?)?)
        })
    }

    /// Says where a self-referral stands, in the participant's choice. Errors: [`FfiError::NotFound`].
    pub fn set_referral_status(&self, referral: RecordId, status: ReferralStatus) -> Result<(), FfiError> {
        call(|| Ok(self.0.set_referral_status(referral, status)?))
    }

    /// All self-referrals.
    pub fn self_referrals(&self) -> Result<Vec<SelfReferralLine>, FfiError> {
        call(|| Ok(self.0.self_referrals()?.into_iter().map(Into::into).collect()))
    }

    /// One self-referral. Errors: [`FfiError::NotFound`].
    pub fn self_referral(&self, referral: RecordId) -> Result<SelfReferral, FfiError> {
        call(|| Ok(self.0.self_referral(referral)?.into()))
    }

    /// Gives a zone a name. Returns its random code. Errors: [`FfiError::InvalidInput`] for `name`.
    pub fn create_zone(&self, name: &str) -> Result<RecordId, FfiError> {
        call(|| Ok(self.0.create_zone(&short_text("name", name)?)?))
    }

    /// All zones with their names.
    pub fn zones(&self) -> Result<Vec<ZoneLine>, FfiError> {
        call(|| Ok(self.0.zones()?.into_iter().map(Into::into).collect()))
    }

    /// Today's shift day as this store believes it; it begins at 05:00 in the charter's time zone.
    pub fn today(&self) -> Result<ShiftDay, FfiError> {
        call(|| Ok(self.0.today()?))
    }

    /// What has not reached a relay.
    pub fn waiting(&self) -> Result<Waiting, FfiError> {
        call(|| {
            let (unsent, held) = self.0.waiting()?;
            let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            Ok(Waiting { unsent: count(unsent), held: count(held) })
        })
    }

    /// This device (`dev_…`).
    pub fn device(&self) -> Result<DeviceId, FfiError> {
        call(|| Ok(self.0.device()?))
    }

    /// Locks the store: this and every other handle is dead.
    pub fn lock(&self) -> Result<(), FfiError> {
        call(|| {
            self.0.lock();
            Ok(())
        })
    }

    /// The same store, for locking and unlocking it again.
    pub fn store(&self) -> Arc<Store> {
        Store::of(self.0.store())
    }
}
