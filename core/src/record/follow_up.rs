//! Follow-ups: something promised. There is no missed count.

use crate::screen::ShortText;
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{MemberId, RecordId};

/// Field names of the document.
pub mod field {
    /// What was promised.
    pub const WHAT: &str = "what";
    /// First day of the window (days since 1970-01-01).
    pub const FROM: &str = "from";
    /// Last day of the window.
    pub const UNTIL: &str = "until";
    /// The member who promised.
    pub const WHO: &str = "who";
    /// Safe-contact rule.
    pub const CONTACT: &str = "contact";
    /// State.
    pub const STATE: &str = "state";
    /// All of them.
    pub const ALL: &[&str] = &[WHAT, FROM, UNTIL, WHO, CONTACT, STATE];
}

/// Where a follow-up stands. "Expired" is what the calendar says of an open one and is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum FollowUpState {
    /// Promised.
    #[n(1)]
    Open,
    /// Done.
    #[n(2)]
    Done,
    /// The participant no longer wants it.
    #[n(3)]
    DroppedByParticipant,
    /// Its window has passed.
    #[n(4)]
    Expired,
}

impl FollowUpState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Open, Self::Done, Self::DroppedByParticipant, Self::Expired];
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::DroppedByParticipant => "dropped_by_participant",
            Self::Expired => "expired",
        }
    }
    /// The state of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A promise to be written down.
#[derive(Debug)]
pub struct FollowUpDraft {
    /// For whom.
    pub participant: RecordId,
    /// What.
    pub what: ShortText,
    /// First day.
    pub from: ShiftDay,
    /// Last day.
    pub until: ShiftDay,
    /// Safe-contact rule for this promise.
    pub contact: Option<ShortText>,
}

/// A promise as read.
#[derive(Debug)]
pub struct FollowUp {
    /// Random id.
    pub id: RecordId,
    /// For whom.
    pub participant: RecordId,
    /// What.
    pub what: Option<ShortText>,
    /// First day.
    pub from: ShiftDay,
    /// Last day.
    pub until: ShiftDay,
    /// Who promised.
    pub who: Option<MemberId>,
    /// Safe-contact rule.
    pub contact: Option<ShortText>,
    /// State; an open one whose window has passed reads as expired.
    pub state: FollowUpState,
}
