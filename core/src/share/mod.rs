//! Sharing outside the team: one sealed packet for one recipient who was met in person.
//!
//! ```text
//! offer   = receiving key (X-Wing, 1216) ‖ seed (32) ‖ check (4)         shown by the recipient, taken by the sender
//! packet  = tag (3) ‖ box (suite 2, PSK mode)                            8,192 bytes, as is everything that is sent
//! box     : psk = tree key of the seed at the tag; associated data "box share" ‖ tag
//! plain   = length (2, LE) ‖ CBOR ‖ zeros
//! CBOR    = { 0: version 1, 1: facts | absent, 2: request | absent }      exactly one of the two
//! facts   = { 0: share id (16; its first 3 bytes are the tag), 1: purpose, 2: last day, 3: how consent was given,
//!             4: number of the words, 5: their language, 6: [ [field, value] … ] sorted by field }
//! request = { 0: id (16; its first 3 bytes are the tag), 1: share id, 2: answer key (32) }
//! answer  = random (3) ‖ 2 ‖ sealed under the answer key, "share answer"
//! ```
//!
//! A packet names no team, participant, worker or grant, and nobody signs it: its recipient could have made it, so it
//! proves nothing to anybody else. Who shows it proves that they hold it, and no more.

mod guard;
mod message;
mod offer;
#[cfg(test)]
mod tests;
pub mod typed;

pub use guard::check as check_facts;
pub use message::{
    Answer, EraseRequest, Message, PACKET_BYTES, SharedFacts, open, open_answer, seal_answer, seal_facts, seal_request, tag_of,
    tag_of_packet,
};
pub use offer::Offer;

use crate::record::FactField;

/// Limits of sharing, units in the names.
pub mod limits {
    /// Most recipients' phones that one phone is paired with (count).
    pub const SENDERS_MAX_COUNT: usize = 64;
    /// Most packets that a phone remembers to have sent, or to have opened (count).
    pub const PACKETS_MAX_COUNT: usize = 4_096;
    /// An answered or expired share is remembered for so long after its last day (days): answers arrive late.
    pub const REMEMBERED_DAYS: u16 = 90;
    /// A request that was answered is answered again for so long (days); then what opens it is destroyed.
    pub const ANSWERED_AGAIN_DAYS: u16 = 7;
    /// Asked again after so many days, it is a request with a place of its own (days).
    pub const ASKED_ANEW_DAYS: u16 = 3;
    /// Most requests for one copy that are remembered as answered (count).
    pub const ANSWERED_MAX_COUNT: usize = 16;
    /// Longest text of an offer that is read (bytes).
    pub const OFFER_TEXT_MAX_BYTES: usize = 4 * 1024;
    /// How long the words for an offer are good (seconds).
    pub const CODE_TERM_SECONDS: u64 = 600;
}

/// Why nothing was shared, opened, kept or answered. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// The recipient was not paired in person, or its records contradict each other. Remedy: meet them, and pair.
    #[error("this recipient is not paired")]
    NotPaired,
    /// The grant is to record. Remedy: ask for a share, which is a yes of its own.
    #[error("this grant is not to share")]
    NotAShare,
    /// The recipient belongs to the justice system, and the participant was asked about something else.
    #[error("police, courts and prisons need a grant that says so")]
    JusticeWithoutGrant,
    /// No colleague has said anything for longer than the charter allows, or something that one has signed is missing here:
    /// a withdrawal may be on its way. A relay without news does not count. Remedy: meet a colleague.
    #[error("what colleagues said is older than {limit_days} days, or is not all here")]
    Stale {
        /// The charter's limit (days).
        limit_days: u16,
    },
    /// The guard found something in a fact that the grant does not cover. Remedy: correct the fact.
    #[error("a fact says more than was granted")]
    SaysMore {
        /// Which fact.
        field: FactField,
    },
    /// There is no fact to share under this grant.
    #[error("there is nothing to share")]
    Nothing,
    /// Not a pairing offer, a damaged one, or one of a later version. Remedy: show it again.
    #[error("not a pairing offer")]
    Offer,
    /// Not the words that the other phone shows, or somebody in between: they are spent. Remedy: show new ones.
    #[error("not the words of an offer")]
    Code,
    /// The words were shown more than ten minutes ago. Remedy: show new ones.
    #[error("the words are too old")]
    CodeExpired,
    /// This offer was taken already, or this name is in use. Remedy: make a new one.
    #[error("paired already")]
    PairedAlready,
    /// Not a packet, altered, or for somebody else.
    #[error("not a packet for this phone")]
    NotForUs,
    /// The packet was kept or erased here already: what opens it is destroyed.
    #[error("this packet was used already")]
    Used,
    /// It was kept with another participant.
    #[error("kept with another participant already")]
    KeptElsewhere,
    /// Its last day is over.
    #[error("the packet's time is over")]
    Over,
    /// A packet of a later version. Remedy: update the app.
    #[error("a packet of a later version")]
    Newer,
    /// It opened, and its inside breaks the format. Remedy: tell its sender.
    #[error("a packet that breaks the format")]
    Malformed,
    /// It holds facts, and a request was expected, or the other way round.
    #[error("a packet of the other kind")]
    OtherKind,
    /// No share with this id is known here.
    #[error("no such share")]
    NoSuchShare,
    /// The grant still counts. Remedy: take it back first.
    #[error("the grant still counts")]
    StillGranted,
    /// No pairing with this id is known here.
    #[error("no such pairing")]
    NoSuchPairing,
    /// Too many pairings or packets on this phone.
    #[error("too many pairings or packets")]
    Full,
    /// Sealing failed.
    #[error("could not be sealed")]
    Seal,
}

impl ShareError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotPaired => "share_not_paired",
            Self::NotAShare => "share_grant_to_record",
            Self::JusticeWithoutGrant => "share_justice_without_grant",
            Self::Stale { .. } => "share_stale",
            Self::SaysMore { .. } => "share_says_more",
            Self::Nothing => "share_nothing",
            Self::Offer => "share_offer",
            Self::Code => "share_code",
            Self::CodeExpired => "share_code_expired",
            Self::PairedAlready => "share_paired_already",
            Self::NotForUs => "share_not_for_us",
            Self::Used => "share_used",
            Self::KeptElsewhere => "share_kept_elsewhere",
            Self::Over => "share_over",
            Self::Newer => "share_newer",
            Self::Malformed => "share_malformed",
            Self::OtherKind => "share_other_kind",
            Self::NoSuchShare => "share_unknown",
            Self::StillGranted => "share_still_granted",
            Self::NoSuchPairing => "share_unknown_pairing",
            Self::Full => "share_full",
            Self::Seal => "share_seal",
        }
    }
}
