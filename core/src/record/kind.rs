//! The closed lists that stand in every cover: kind, audience, shape.

use minicbor::{Decode, Encode};

/// What a record is. The byte stands in covers and under signatures; a new kind is a schema version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
#[repr(u8)]
pub enum Kind {
    /// A person who said yes to a file (document).
    #[n(1)]
    Participant = 1,
    /// One meeting with its offers (entry).
    #[n(2)]
    Encounter = 2,
    /// One device's anonymous counts of a finished shift (entry).
    #[n(3)]
    Tally = 3,
    /// Something promised (document).
    #[n(4)]
    FollowUp = 4,
    /// A participant asks to be connected (document).
    #[n(5)]
    SelfReferral = 5,
    /// A consent (entry).
    #[n(6)]
    Grant = 6,
    /// A consent taken back (entry).
    #[n(7)]
    Withdrawal = 7,
    /// The team's note on a service (document).
    #[n(8)]
    ResourceNote = 8,
    /// How a member is called (document; erasable, which the log is not).
    #[n(9)]
    MemberName = 9,
    /// How a zone is called (document; erasable).
    #[n(10)]
    Zone = 10,
    /// Parts of one catalogue package (entries).
    #[n(11)]
    Catalogue = 11,
    /// The gated facts of one category of one grant (document).
    #[n(12)]
    Vault = 12,
    /// Somebody to whom something may be shared (entry).
    #[n(13)]
    Recipient = 13,
    /// One line of the sharing log (entry).
    #[n(14)]
    SharingNote = 14,
}

impl Kind {
    /// All kinds of this schema version.
    pub const ALL: [Self; 14] = [
        Self::Participant,
        Self::Encounter,
        Self::Tally,
        Self::FollowUp,
        Self::SelfReferral,
        Self::Grant,
        Self::Withdrawal,
        Self::ResourceNote,
        Self::MemberName,
        Self::Zone,
        Self::Catalogue,
        Self::Vault,
        Self::Recipient,
        Self::SharingNote,
    ];

    /// The byte in covers.
    pub const fn byte(self) -> u8 {
        self as u8
    }
    /// The kind of a byte; none for a kind of a later schema.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.byte() == byte)
    }
    /// Which shape records of this kind have.
    pub const fn shape(self) -> Shape {
        match self {
            Self::Participant | Self::FollowUp | Self::SelfReferral | Self::ResourceNote | Self::MemberName | Self::Zone | Self::Vault => {
                Shape::Document
            }
            Self::Encounter | Self::Tally | Self::Grant | Self::Withdrawal | Self::Catalogue | Self::Recipient | Self::SharingNote => {
                Shape::Entry
            }
        }
    }
    /// Whether records of this kind must name a participant, must not, or may.
    pub const fn subject_rule(self) -> SubjectRule {
        match self {
            Self::Participant | Self::FollowUp | Self::SelfReferral | Self::Grant | Self::Withdrawal | Self::Vault | Self::SharingNote => {
                SubjectRule::Required
            }
            Self::Encounter => SubjectRule::Optional,
            Self::Tally | Self::ResourceNote | Self::MemberName | Self::Zone | Self::Catalogue | Self::Recipient => SubjectRule::Forbidden,
        }
    }
    /// Whether a later entry may replace an earlier one of the same record.
    ///
    /// Grants, withdrawals and sums are what somebody said or counted; they end, they are not corrected.
    pub const fn has_successors(self) -> bool {
        matches!(self, Self::Encounter)
    }
    /// Whether one record of this kind can be erased by itself, and not only with its participant or the team.
    ///
    /// What somebody said yes or no to, and what was shared of it, goes with everything about them: without the grant
    /// newcomers would hold their records back for ever, without the withdrawal the yes would count again. A file goes with
    /// what hangs on it, and a catalogue is whole or useless.
    pub const fn is_erased_alone(self) -> bool {
        match self {
            Self::Encounter
            | Self::Tally
            | Self::FollowUp
            | Self::SelfReferral
            | Self::ResourceNote
            | Self::MemberName
            | Self::Zone
            | Self::Vault
            | Self::Recipient => true,
            Self::Participant | Self::Grant | Self::Withdrawal | Self::Catalogue | Self::SharingNote => false,
        }
    }
    /// Whether something in records of this kind is to be forgotten before the record is: the zone of an encounter.
    pub const fn has_fields(self) -> bool {
        matches!(self, Self::Encounter)
    }
    /// The stable name in errors, tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Participant => "participant",
            Self::Encounter => "encounter",
            Self::Tally => "tally",
            Self::FollowUp => "follow_up",
            Self::SelfReferral => "self_referral",
            Self::Grant => "grant",
            Self::Withdrawal => "withdrawal",
            Self::ResourceNote => "resource_note",
            Self::MemberName => "member_name",
            Self::Zone => "zone",
            Self::Catalogue => "catalogue",
            Self::Vault => "vault",
            Self::Recipient => "recipient",
            Self::SharingNote => "sharing_note",
        }
    }
}

/// Whether a record of a kind is about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectRule {
    /// Names its participant.
    Required,
    /// May name one.
    Optional,
    /// Never names one.
    Forbidden,
}

/// Who may read a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
#[repr(u8)]
pub enum Audience {
    /// Everyone in the team who holds the records secret.
    #[n(1)]
    Team = 1,
    /// One member's own devices (reserved: such a record never leaves its phone in this format).
    #[n(2)]
    Member = 2,
    /// The community board.
    #[n(3)]
    Board = 3,
}

impl Audience {
    /// The byte in covers.
    pub const fn byte(self) -> u8 {
        self as u8
    }
    /// The audience of a byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Team),
            2 => Some(Self::Member),
            3 => Some(Self::Board),
            _ => None,
        }
    }
}

/// How a body's content is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Shape {
    /// Automerge changes: what several people edit.
    Document = 1,
    /// Deterministic CBOR, written once: what happened.
    Entry = 2,
    /// An HPKE box without an author (reserved for complaints).
    Complaint = 3,
}

impl Shape {
    /// The byte in bodies.
    pub const fn byte(self) -> u8 {
        self as u8
    }
    /// The shape of a byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Document),
            2 => Some(Self::Entry),
            3 => Some(Self::Complaint),
            _ => None,
        }
    }
}
