//! The sharing log: what was allowed to leave, left, and stopped leaving. Which categories, to whom, under which grant;
//! never a value.

use super::entry::{EntryError, EntryValue};
use crate::consent::GatedCategory;
use crate::consent::grant::GRANT_ITEMS_MAX_COUNT;
use crate::share::Answer;
use minicbor::{Decode, Encode};
use satchel_wire::ids::RecordId;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum SharingEvent {
    /// Facts left.
    #[n(1)]
    Shared,
    /// Consent was taken back: nothing more leaves.
    #[n(2)]
    Stopped,
    /// Consent was given to a share with police, prosecutors, courts, probation or prisons.
    #[n(3)]
    JusticeGranted,
    /// The recipient was asked to erase what it has.
    #[n(4)]
    ErasureAsked,
    /// The recipient says that it erased what it had.
    #[n(5)]
    ErasureAnswered,
}

impl SharingEvent {
    /// All events of this schema version.
    pub const ALL: [Self; 5] = [Self::Shared, Self::Stopped, Self::JusticeGranted, Self::ErasureAsked, Self::ErasureAnswered];
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Stopped => "stopped",
            Self::JusticeGranted => "justice_granted",
            Self::ErasureAsked => "erasure_asked",
            Self::ErasureAnswered => "erasure_answered",
        }
    }
}

/// One line of the sharing log, as stored (entry). Its subject stands in the cover.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SharingNote {
    /// What happened.
    #[n(0)]
    pub event: SharingEvent,
    /// Under which grant.
    #[n(1)]
    pub grant: RecordId,
    /// To whom.
    #[n(2)]
    pub recipient: RecordId,
    /// Which categories, sorted.
    #[n(3)]
    pub categories: Vec<GatedCategory>,
    /// Which copy, where one left, was asked back or answered for: a random id that only its recipient knows besides.
    #[n(4)]
    pub share: Option<RecordId>,
    /// What the recipient answered, by their word.
    #[n(5)]
    pub answer: Option<Answer>,
}

impl EntryValue for SharingNote {
    fn check(&self) -> Result<(), EntryError> {
        if self.categories.len() > GRANT_ITEMS_MAX_COUNT {
            return Err(EntryError::TooMany);
        }
        let sorted = self.categories.is_sorted_by(|a, b| a < b) && !self.categories.is_empty();
        let is_of_copy = !matches!(self.event, SharingEvent::Stopped | SharingEvent::JusticeGranted);
        let is_answer = self.event == SharingEvent::ErasureAnswered;
        let answered = self.answer.is_some() == is_answer && self.answer.is_none_or(|answer| Some(answer.share) == self.share);
        if sorted && answered && self.share.is_some() == is_of_copy { Ok(()) } else { Err(EntryError::Value) }
    }
}
