//! Sealed summaries: what a list shows of a record, so that no list loads documents.
//!
//! A summary is a projection of what this phone holds; it lies in the record's key page, sealed with it
//! and gone with it. Two phones may hold different encodings of the same state; nothing depends on it.

use super::encounter::EncounterKind;
use super::follow_up::FollowUpState;
use super::recipient::Recipient;
use super::self_referral::ReferralStatus;
use crate::consent::Grant;
use crate::consent::standing::Scopes;
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{RecordId, ResourceId};

/// What lists show of one record.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub enum Summary {
    /// Nothing beyond its existence and its day.
    #[n(0)]
    Plain,
    /// A participant file.
    #[n(1)]
    Participant {
        /// Alias.
        #[n(0)]
        alias: Option<String>,
        /// Closed by the participant.
        #[n(1)]
        closed: bool,
    },
    /// An encounter.
    #[n(2)]
    Encounter {
        /// Its kind.
        #[n(0)]
        kind: EncounterKind,
        /// Its zone.
        #[n(1)]
        zone: Option<RecordId>,
        /// How many offers.
        #[n(2)]
        offers: u8,
    },
    /// A follow-up.
    #[n(3)]
    FollowUp {
        /// What.
        #[n(0)]
        what: Option<String>,
        /// First and last day.
        #[n(1)]
        window: (ShiftDay, ShiftDay),
        /// State as stored.
        #[n(2)]
        state: FollowUpState,
    },
    /// A self-referral.
    #[n(4)]
    SelfReferral {
        /// The resource.
        #[n(0)]
        to: Option<ResourceId>,
        /// Status.
        #[n(1)]
        status: ReferralStatus,
    },
    /// A zone's or member's name.
    #[n(5)]
    Name(#[n(0)] Option<String>),
    /// A note on a resource.
    #[n(6)]
    ResourceNote(#[n(0)] Option<ResourceId>),
    /// What the bodies of a grant amount to; none where they contradict each other.
    #[n(7)]
    Grant(#[n(0)] Option<Grant>),
    /// What the bodies of a withdrawal name.
    #[n(8)]
    Withdrawal(#[n(0)] Scopes),
    /// What the bodies of a recipient amount to.
    #[n(9)]
    Recipient(#[n(0)] Recipient),
}

impl std::fmt::Debug for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Summary(..)")
    }
}

impl Drop for Summary {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        match self {
            Self::Participant { alias: text, .. } | Self::FollowUp { what: text, .. } | Self::Name(text) => text.zeroize(),
            _ => {}
        }
    }
}
