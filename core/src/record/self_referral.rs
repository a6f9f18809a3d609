//! Self-referrals: a participant asks to be connected. Nobody else can start one.

use crate::screen::ShortText;
use minicbor::{Decode, Encode};
use satchel_wire::ids::{RecordId, ResourceId};

/// Field names of the document.
pub mod field {
    /// Who started it.
    pub const STARTED_BY: &str = "started_by";
    /// The resource asked for.
    pub const TO: &str = "to";
    /// In the participant's words.
    pub const WORDS: &str = "words";
    /// Status.
    pub const STATUS: &str = "status";
    /// The share grant, once there is one.
    pub const SHARE_GRANT: &str = "share_grant";
    /// All of them.
    pub const ALL: &[&str] = &[STARTED_BY, TO, WORDS, STATUS, SHARE_GRANT];
}

/// Who started it. A third person is not representable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum StartedBy {
    /// The participant.
    #[n(1)]
    Participant,
    /// The participant, together with a worker.
    #[n(2)]
    ParticipantWithWorker,
}

/// Where it stands, in the participant's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum ReferralStatus {
    /// Thinking about it.
    #[n(1)]
    Thinking,
    /// Asked for it.
    #[n(2)]
    Asked,
    /// Sent.
    #[n(3)]
    Sent,
    /// Got it.
    #[n(4)]
    GotIt,
    /// Changed their mind.
    #[n(5)]
    ChangedMind,
}

macro_rules! names {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            /// All values.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The stable name.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $name),+ } }
            /// The value of a name.
            pub fn from_name(name: &str) -> Option<Self> { Self::ALL.iter().copied().find(|value| value.as_str() == name) }
        }
    };
}
names!(StartedBy { Participant = "participant", ParticipantWithWorker = "participant_with_worker" });
names!(ReferralStatus { Thinking = "thinking", Asked = "asked", Sent = "sent", GotIt = "got_it", ChangedMind = "changed_mind" });

/// A self-referral to be written down.
#[derive(Debug)]
pub struct SelfReferralDraft {
    /// Who asks.
    pub participant: RecordId,
    /// How it began.
    pub started_by: StartedBy,
    /// The resource asked for.
    pub to: ResourceId,
    /// In their words.
    pub words: Option<ShortText>,
    /// Where it stands.
    pub status: ReferralStatus,
}

/// A self-referral as read.
#[derive(Debug)]
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
    pub words: Option<ShortText>,
    /// Where it stands.
    pub status: ReferralStatus,
    /// The share grant, once there is one.
    pub share_grant: Option<RecordId>,
}
