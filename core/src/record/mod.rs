//! The domain: one file per record, in the words of the field.

pub mod encounter;
pub mod entry;
pub mod follow_up;
pub mod kind;
pub mod mapping;
pub mod participant;
pub mod recipient;
pub mod self_referral;
pub mod sharing;
pub mod summary;
pub mod tally;
pub mod vault;

pub use encounter::{Encounter, EncounterKind, Offer, Outcome};
pub use entry::{EntryContent, EntryError, EntryValue};
pub use follow_up::{FollowUp, FollowUpDraft, FollowUpState};
pub use kind::{Audience, Kind, Shape, SubjectRule};
pub use participant::{Conflict, Participant, ParticipantDraft, ParticipantEdit, ParticipantLine};
pub use recipient::{Pairing, Recipient};
pub use self_referral::{ReferralStatus, SelfReferral, SelfReferralDraft, StartedBy};
pub use sharing::{SharingEvent, SharingNote};
pub use summary::Summary;
pub use tally::{Tally, TallyCounter, TallyLine};
pub use vault::{Fact, FactError, FactField, FactLine, FactShape};
