//! Public errors: a stable code, what the caller can do about it, no prose and nothing that a user wrote.
//!
//! Two levels: rich inside the rooms, few here. One mapping table, in this file.

use crate::catalogue::{CatalogueError, PartError};
use crate::complaint::ComplaintError;
use crate::consent::{CharterError, GrantError};
use crate::crypto::PassphraseError;
use crate::envelope::EnvelopeError;
use crate::record::{EntryError, FactError};
use crate::recovery::{PaperError, RecoveryError};
use crate::screen::ScreenError;
use crate::share::ShareError;
use crate::storage::{SlotError, StorageError};
use crate::store::ProtectorError;
use crate::team::pack::PackError;
use crate::team::{InvitationError, Refusal, TurnError};

/// What the caller can do: the app words it in the user's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// Unlock the store, then try again.
    Unlock,
    /// Ask for the passphrase again.
    RetypePassphrase,
    /// Change what was entered; the error says where.
    CorrectInput,
    /// Choose another folder, or create a store.
    ChooseFolder,
    /// Close the other process that uses the store.
    CloseOther,
    /// Free space, then try again; nothing was lost.
    FreeSpace,
    /// Update the app.
    UpdateApp,
    /// Copy the folder away and join the team again; nothing was deleted.
    RestoreFromTeam,
    /// Meet a colleague's phone, then try again.
    MeetColleague,
    /// Ask for a new invitation.
    AskForInvitation,
    /// Ask a steward.
    AskSteward,
    /// Try again later.
    TryLater,
    /// Look at the device's date.
    CheckDate,
    /// Nothing to do here: report it.
    Report,
}

impl Remedy {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unlock => "unlock",
            Self::RetypePassphrase => "retype_passphrase",
            Self::CorrectInput => "correct_input",
            Self::ChooseFolder => "choose_folder",
            Self::CloseOther => "close_other",
            Self::FreeSpace => "free_space",
            Self::UpdateApp => "update_app",
            Self::RestoreFromTeam => "restore_from_team",
            Self::MeetColleague => "meet_colleague",
            Self::AskForInvitation => "ask_for_invitation",
            Self::AskSteward => "ask_steward",
            Self::TryLater => "try_later",
            Self::CheckDate => "check_date",
            Self::Report => "report",
        }
    }
}

/// Why a store did not do what was asked. Its state is as before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The store is locked, or was locked while this handle was in use.
    #[error("the store is locked")]
    Locked,
    /// No slot opens with this passphrase and keystore.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// Too many wrong passphrases in a row. Remedy: wait; it is a courtesy, and no protection where files can be copied.
    #[error("wait {seconds} s before the next passphrase")]
    TooSoon {
        /// How long (seconds), at most 60.
        seconds: u64,
    },
    /// The platform's keystore.
    #[error(transparent)]
    Keystore(#[from] ProtectorError),
    /// No record with this id, or not of this kind.
    #[error("no such record")]
    NoSuchRecord,
    /// Records of this kind go with their participant. Remedy: take the consent back, or erase the participant.
    #[error("a record of this kind is not erased by itself")]
    NotErasedAlone,
    /// The participant has no file, or no live record grant: only an anonymous tally can be stored.
    #[error("no live record grant for this participant")]
    NoGrant,
    /// The zone has no record.
    #[error("unknown zone")]
    UnknownZone,
    /// More offers, goals or lines than the format allows.
    #[error("too many items")]
    TooMany,
    /// The window of days is empty or turned round.
    #[error("an impossible window of days")]
    Window,
    /// This device's role does not allow it.
    #[error("not allowed in this role")]
    Role,
    /// This device was removed from the team, or suspended.
    #[error("this device no longer belongs to the team")]
    Removed,
    /// Another phone showed that this store is an old copy, or a second one: nothing leaves until a steward answers.
    #[error("this store was copied or restored")]
    Copied,
    /// The team's last day is over: what it holds can be read for a while, and is destroyed then.
    #[error("the team's last day is over")]
    Ended,
    /// No turn may be used and none could be started.
    #[error("no usable turn")]
    NoTurn,
    /// What was decrypted is not what was stored.
    #[error("a stored value is damaged")]
    Damaged,
    /// The text guard has unresolved findings, or the text is out of bounds.
    #[error(transparent)]
    Screen(#[from] ScreenError),
    /// The passphrase cannot be used.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The charter's settings.
    #[error(transparent)]
    Charter(#[from] CharterError),
    /// A grant, a withdrawal, or what a grant does not allow.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// A gated fact.
    #[error(transparent)]
    Fact(#[from] FactError),
    /// The entry breaks a rule of its kind.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// A document's edit was refused.
    #[error("a document edit was refused")]
    Document(&'static str),
    /// The catalogue package.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The catalogue package cannot be cut into parts.
    #[error(transparent)]
    CatalogueParts(#[from] PartError),
    /// Sealing or opening failed.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// An invitation.
    #[error(transparent)]
    Invitation(#[from] InvitationError),
    /// A pack.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A turn.
    #[error(transparent)]
    Turn(#[from] TurnError),
    /// A team-log operation.
    #[error(transparent)]
    Operation(#[from] Refusal),
    /// Recovery, or a paper.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// A complaint, the board, or a bulletin.
    #[error(transparent)]
    Complaint(#[from] ComplaintError),
    /// Sharing outside the team.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// The files.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<PaperError> for Error {
    fn from(error: PaperError) -> Self {
        Self::Recovery(RecoveryError::Paper(error))
    }
}

impl From<SlotError> for Error {
    fn from(error: SlotError) -> Self {
        Self::Storage(StorageError::Slots(error))
    }
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::WrongPassphrase => "wrong_passphrase",
            Self::TooSoon { .. } => "too_soon",
            Self::Keystore(error) => error.code(),
            Self::NoSuchRecord => "no_such_record",
            Self::NotErasedAlone => "not_erased_alone",
            Self::NoGrant => "no_grant",
            Self::UnknownZone => "unknown_zone",
            Self::TooMany => "too_many",
            Self::Window => "impossible_window",
            Self::Role => "role",
            Self::Removed => "removed",
            Self::Copied => "copied_or_restored",
            Self::Ended => "team_ended",
            Self::NoTurn => "no_usable_turn",
            Self::Damaged => "damaged",
            Self::Screen(error) => error.code(),
            Self::Passphrase(error) => error.code(),
            Self::Charter(error) => error.code(),
            Self::Grant(error) => error.code(),
            Self::Fact(error) => error.code(),
            Self::Entry(error) => error.code(),
            Self::Document(code) => code,
            Self::Catalogue(error) => error.code(),
            Self::CatalogueParts(_) => "catalogue_parts",
            Self::Envelope(error) => error.code(),
            Self::Invitation(error) => error.code(),
            Self::Pack(error) => error.code(),
            Self::Turn(error) => error.code(),
            Self::Operation(_) => "operation_refused",
            Self::Recovery(error) => error.code(),
            Self::Complaint(error) => error.code(),
            Self::Share(error) => error.code(),
            Self::Storage(error) => error.code(),
        }
    }

    /// What the caller can do.
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Locked => Remedy::Unlock,
            Self::WrongPassphrase => Remedy::RetypePassphrase,
            Self::Keystore(_) | Self::TooSoon { .. } => Remedy::TryLater,
            Self::NoSuchRecord
            | Self::NotErasedAlone
            | Self::NoGrant
            | Self::UnknownZone
            | Self::TooMany
            | Self::Window
            | Self::Screen(_)
            | Self::Entry(_)
            | Self::Catalogue(_)
            | Self::CatalogueParts(_) => Remedy::CorrectInput,
            Self::Charter(CharterError::Clock) => Remedy::CheckDate,
            Self::Charter(_) => Remedy::CorrectInput,
            Self::Grant(error) if error.is_the_charters() => Remedy::AskSteward,
            Self::Grant(_) | Self::Fact(_) => Remedy::CorrectInput,
            Self::Passphrase(PassphraseError::OutOfMemory) => Remedy::TryLater,
            Self::Passphrase(_) => Remedy::CorrectInput,
            Self::Role | Self::Removed | Self::Copied | Self::Ended => Remedy::AskSteward,
            Self::Pack(PackError::Overtaken) => Remedy::TryLater,
            Self::Pack(PackError::Damaged | PackError::Part | PackError::OtherPack | PackError::TooLarge) => Remedy::CorrectInput,
            Self::NoTurn | Self::Turn(_) | Self::Pack(_) => Remedy::MeetColleague,
            Self::Damaged => Remedy::RestoreFromTeam,
            // what this member may not, what they named and does not exist, and what neither can be
            Self::Operation(Refusal::NotEntitled | Refusal::NoBoard) => Remedy::AskSteward,
            Self::Operation(Refusal::Object) => Remedy::CorrectInput,
            Self::Document(_) | Self::Envelope(_) | Self::Operation(_) => Remedy::Report,
            Self::Invitation(_) => Remedy::AskForInvitation,
            Self::Recovery(RecoveryError::NoBoard | RecoveryError::NotSetUp) => Remedy::AskSteward,
            Self::Recovery(RecoveryError::Paper(PaperError::Newer)) => Remedy::UpdateApp,
            Self::Recovery(_) => Remedy::CorrectInput,
            Self::Complaint(ComplaintError::NoBoard | ComplaintError::NotInCharter) => Remedy::AskSteward,
            Self::Complaint(ComplaintError::NoKeys) => Remedy::MeetColleague,
            Self::Complaint(ComplaintError::Full) => Remedy::TryLater,
            Self::Complaint(ComplaintError::Newer) => Remedy::UpdateApp,
            Self::Complaint(ComplaintError::Seal) => Remedy::Report,
            Self::Complaint(_) => Remedy::CorrectInput,
            Self::Share(ShareError::Stale { .. }) => Remedy::MeetColleague,
            Self::Share(ShareError::Newer) => Remedy::UpdateApp,
            Self::Share(ShareError::Seal | ShareError::Malformed) => Remedy::Report,
            Self::Share(_) => Remedy::CorrectInput,
            Self::Storage(error) => match error {
                StorageError::NotFound
                | StorageError::Erased
                | StorageError::Exists
                | StorageError::Foreign
                | StorageError::ReadOnly
                | StorageError::NoAccess => Remedy::ChooseFolder,
                StorageError::InUse => Remedy::CloseOther,
                StorageError::Newer { .. } | StorageError::Slots(SlotError::Newer { .. }) => Remedy::UpdateApp,
                StorageError::Damaged | StorageError::Slots(_) => Remedy::RestoreFromTeam,
                StorageError::Full => Remedy::FreeSpace,
                StorageError::Io { .. } | StorageError::OutOfMemory => Remedy::TryLater,
                StorageError::TooLarge { .. } => Remedy::CorrectInput,
                _ => Remedy::Report,
            },
        }
    }
}
