//! Why a command did not do what was asked: a code, a remedy, an exit status, and never what somebody wrote.

use crate::exit::Exit;
use crate::hsds::HsdsError;
use satchel_core::catalogue::CatalogueError;
use satchel_core::crypto::PassphraseError;
use satchel_core::screen::{Finding, ScreenError};
use satchel_core::storage::StorageError;
use satchel_core::store::{ProtectorError, RelayError};
use satchel_core::sync::{SessionError, SessionFault};
use satchel_core::team::{InvitationError, Refusal};
use satchel_core::{Error, Remedy};
use satchel_transport::TransportError;
use satchel_transport::joining::JoiningError;
use satchel_transport::nearby::NearbyError;
use satchel_transport::peer::PeerError;

/// Why not.
#[derive(Debug)]
pub enum Failure {
    Store(Error),
    Relay(RelayError),
    Session(SessionFault),
    Transport(TransportError),
    Hsds(HsdsError),
    Keystore(ProtectorError),
    /// A text was refused; the name of its field says which.
    Text {
        field: &'static str,
        error: ScreenError,
    },
    /// Words on the command line that cannot be read; the name of the argument says which.
    Argument {
        name: &'static str,
        expected: &'static str,
    },
    /// `--store` and `SATCHEL_STORE` are both missing.
    NoStore,
    /// No passphrase could be read.
    NoPassphrase,
    /// The word that erases was not typed; nothing was erased.
    NotErased,
    /// The question was not answered with yes; nothing happened.
    NotConfirmed,
    /// The recognition word was not said; nothing was shown.
    NotRecognised,
    /// The two passphrases typed were not the same.
    PassphrasesDiffer,
    /// Nothing begins with this id, has this alias or this name.
    NoMatch {
        what: &'static str,
    },
    /// Several do. `candidates` name entries of the public catalogue only, never a person.
    Ambiguous {
        what: &'static str,
        count: usize,
        candidates: Vec<String>,
    },
    /// A file that was named cannot be read.
    Unreadable(std::io::ErrorKind),
    /// A check of `doctor` or `demo` failed.
    Check(&'static str),
}

macro_rules! from {
    ($($source:ty => $variant:ident),+ $(,)?) => { $(impl From<$source> for Failure {
        fn from(error: $source) -> Self { Self::$variant(error) }
    })+ };
}
from!(TransportError => Transport, HsdsError => Hsds, ProtectorError => Keystore, SessionFault => Session);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}
impl From<NearbyError> for Failure {
    fn from(error: NearbyError) -> Self {
        match error {
            NearbyError::Transport(error) => Self::Transport(error),
            NearbyError::Store(error) => Self::Store(error),
        }
    }
}
impl From<RelayError> for Failure {
    fn from(error: RelayError) -> Self {
        match error {
            RelayError::Store(error) => Self::Store(error),
            other => Self::Relay(other),
        }
    }
}
impl From<PassphraseError> for Failure {
    fn from(error: PassphraseError) -> Self {
        Self::Store(error.into())
    }
}
impl From<InvitationError> for Failure {
    fn from(error: InvitationError) -> Self {
        Self::Store(error.into())
    }
}
impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Store(error.into())
    }
}
impl From<CatalogueError> for Failure {
    fn from(error: CatalogueError) -> Self {
        Self::Store(error.into())
    }
}
impl From<JoiningError> for Failure {
    fn from(error: JoiningError) -> Self {
        match error {
            JoiningError::Transport(error) => Self::Transport(error),
            JoiningError::Store(error) => Self::Store(error),
        }
    }
}
impl From<SessionError<Error>> for Failure {
    fn from(error: SessionError<Error>) -> Self {
        match error {
            SessionError::Replica(error) => Self::Store(error),
            SessionError::Fault(fault) => Self::Session(fault),
        }
    }
}
impl From<PeerError<SessionError<Error>>> for Failure {
    fn from(error: PeerError<SessionError<Error>>) -> Self {
        match error {
            PeerError::Transport(error) => Self::Transport(error),
            PeerError::Session(error) => error.into(),
        }
    }
}

impl Failure {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Store(error) => error.code(),
            Self::Relay(RelayError::Refused(code)) => match code.as_str() {
                "refused" => "relay_refused",
                other => other,
            },
            Self::Relay(error) => error.code(),
            Self::Session(fault) => fault.code(),
            Self::Transport(error) => error.code(),
            Self::Hsds(_) => "catalogue_import",
            Self::Keystore(error) => error.code(),
            Self::Text { error, .. } => error.code(),
            Self::Argument { .. } => "argument",
            Self::NoStore => "no_store_named",
            Self::NoPassphrase => "no_passphrase",
            Self::NotErased => "not_erased",
            Self::NotConfirmed => "not_confirmed",
            Self::NotRecognised => "not_recognised",
            Self::PassphrasesDiffer => "passphrases_differ",
            Self::NoMatch { .. } => "no_match",
            Self::Ambiguous { .. } => "ambiguous",
            Self::Unreadable(_) => "unreadable_file",
            Self::Check(code) => code,
        }
    }

    /// What can be done.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Store(error) => error.remedy(),
            Self::Relay(error) => error.remedy(),
            Self::Session(SessionFault::Version | SessionFault::Malformed | SessionFault::TooLarge | SessionFault::Unexpected(_)) => {
                Remedy::UpdateApp
            }
            Self::Session(SessionFault::Forged | SessionFault::Banned | SessionFault::NotAMember | SessionFault::SameDevice) => {
                Remedy::AskSteward
            }
            Self::Session(_) => Remedy::TryLater,
            Self::Transport(error) => error.remedy(),
            Self::Keystore(_) | Self::Unreadable(_) | Self::NotErased | Self::NotConfirmed | Self::NotRecognised => Remedy::CorrectInput,
            Self::NoPassphrase | Self::PassphrasesDiffer => Remedy::RetypePassphrase,
            Self::NoStore => Remedy::ChooseFolder,
            Self::Check(_) => Remedy::Report,
            Self::Hsds(_) | Self::Text { .. } | Self::Argument { .. } | Self::NoMatch { .. } | Self::Ambiguous { .. } => {
                Remedy::CorrectInput
            }
        }
    }

    /// What the guard found, with places in the given text.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Text { error, .. } => error.findings(),
            _ => &[],
        }
    }

    /// The exit status.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Store(error) => match error {
                Error::Locked | Error::WrongPassphrase | Error::TooSoon { .. } => Exit::Locked,
                Error::NoSuchRecord | Error::UnknownZone => Exit::NotFound,
                Error::Role | Error::Removed | Error::Copied | Error::NoTurn | Error::Ended => Exit::NotAllowed,
                Error::Operation(Refusal::NotEntitled) => Exit::NotAllowed,
                Error::Operation(Refusal::Object | Refusal::NoBoard | Refusal::Full) => Exit::Refused,
                Error::Storage(_) | Error::Damaged => Exit::Storage,
                Error::Invitation(InvitationError::Malformed) => Exit::Refused,
                Error::Invitation(_) | Error::Turn(_) | Error::Operation(_) | Error::Envelope(_) => Exit::OtherSide,
                _ => Exit::Refused,
            },
            Self::Relay(RelayError::NoRelay) => Exit::NotFound,
            Self::Relay(RelayError::Metered) => Exit::Network,
            Self::Relay(_) | Self::Session(_) => Exit::OtherSide,
            Self::Transport(TransportError::Address | TransportError::NotEncrypted | TransportError::Proxy) => Exit::Refused,
            Self::Transport(_) => Exit::Network,
            Self::Hsds(_)
            | Self::Text { .. }
            | Self::PassphrasesDiffer
            | Self::NotErased
            | Self::NotConfirmed
            | Self::NotRecognised
            | Self::Unreadable(_) => Exit::Refused,
            Self::Keystore(_) | Self::NoPassphrase => Exit::Locked,
            Self::Argument { .. } | Self::NoStore | Self::Ambiguous { .. } => Exit::Usage,
            Self::NoMatch { .. } => Exit::NotFound,
            Self::Check(_) => Exit::CheckFailed,
        }
    }
}
