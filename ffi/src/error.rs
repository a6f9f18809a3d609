//! Errors as they cross: few variants, each with a stable code and what the caller can do.

use satchel_core::complaint::ComplaintError;
use satchel_core::consent::{GrantError, GrantStatus};
use satchel_core::crypto::PassphraseError;
use satchel_core::recovery::{PaperError, RecoveryError};
use satchel_core::screen::ScreenError;
use satchel_core::share::ShareError;
use satchel_core::store::RelayError;
use satchel_core::sync::{SessionError, SessionFault};
use satchel_core::{Error, Remedy};
use satchel_transport::TransportError;
use satchel_transport::nearby::NearbyError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// A stretch of a text that must not be stored as it stands.
///
/// `start_utf16..end_utf16` count UTF-16 code units of the given text: what Kotlin's `String`, Java's and
/// `NSRange` count.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Finding {
    /// First code unit.
    pub start_utf16: u32,
    /// One past the last code unit.
    pub end_utf16: u32,
    /// What it would disclose: a stable code such as `contact_detail`.
    pub category: String,
    /// Which rule found it: a stable code such as `phone_number`.
    pub reason: String,
}

/// UTF-16 code units before a byte offset.
pub(crate) fn utf16_units(text: &str, end: usize) -> u32 {
    let units = text.get(..end).map_or(0, |before| before.encode_utf16().count());
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// The remedy of [`FfiError::NoConsent`].
const ASK_PARTICIPANT: &str = "ask_participant";
/// Meet the recipient, and let both phones show the same six words.
const PAIR_IN_PERSON: &str = "pair_in_person";
/// A packet that cannot be opened any more: its sender can make another, under a yes that counts.
const ASK_SENDER: &str = "ask_sender";
/// A copy is asked back when the yes to it was taken back.
const WITHDRAW_FIRST: &str = "withdraw_first";

impl Finding {
    /// A finding of the guard in `text`, its byte offsets turned into UTF-16 code units.
    pub(crate) fn new(text: &str, found: &satchel_core::screen::Finding) -> Self {
        Self {
            start_utf16: utf16_units(text, found.start),
            end_utf16: utf16_units(text, found.end),
            category: found.category.code().to_owned(),
            reason: found.reason.code().to_owned(),
        }
    }
}

/// Why a call failed, by what the caller can do about it. Nothing was changed.
///
/// `code` and `remedy` are stable; the app words them in the user's language. Holds no text that a user wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum FfiError {
    /// The store is locked, or was locked while this handle was in use. Remedy: unlock it.
    #[error("{code}")]
    Locked {
        /// What happened.
        code: String,
        /// What to do.
        remedy: String,
    },
    /// No slot opens with this passphrase and keystore. Remedy: ask again.
    #[error("{code}")]
    WrongPassphrase {
        /// What happened.
        code: String,
        /// What to do.
        remedy: String,
    },
    /// Too many wrong passphrases in a row. Remedy: ask again after `seconds`; a courtesy, and no protection of copied files.
    #[error("{code}")]
    TooSoon {
        /// What happened.
        code: String,
        /// What to do.
        remedy: String,
        /// How long to wait (seconds), at most 60.
        seconds: u64,
    },
    /// No such record. Remedy: read the list again.
    #[error("{code}")]
    NotFound {
        /// What happened.
        code: String,
        /// What to do.
        remedy: String,
    },
    /// Something that was entered. Remedy: have it changed; `field` and `findings` say where.
    #[error("{code}")]
    InvalidInput {
        /// What happened.
        code: String,
        /// What to do.
        remedy: String,
        /// The draft's field, in snake case; of a list with its place from 0 (`goals.0`), of a paper the printed number
        /// of the word (`word.1` is the first). None where the code says it.
        field: Option<String>,
        /// What the text guard found in that field; empty for other faults.
        findings: Vec<Finding>,
    },
    /// The participant did not say yes to it, or it is over. Remedy: ask them, with the words of `grant_words`; a no is an
    /// answer, and then nothing is written.
    #[error("{code}")]
    NoConsent {
        /// What happened.
        code: String,
        /// What to do.
        remedy: String,
        /// How the grant in question stands; none where there is no grant for it.
        status: Option<GrantStatus>,
    },
    /// The team or its charter does not allow it. Remedy: ask a steward.
    #[error("{code}")]
    Refused {
        /// What happened.
        code: String,
        /// What to do.
        remedy: String,
    },
    /// Files, space or what is stored. Remedy: as `remedy` says; nothing was deleted.
    #[error("{code}")]
    Storage {
        /// What happened.
        code: String,
        /// What to do.
        remedy: String,
    },
    /// A session, an invitation, an exchange, a pack or a turn. Remedy: as `remedy` says; what was accepted stays.
    #[error("{code}")]
    Sync {
        /// What happened.
        code: String,
        /// What to do.
        remedy: String,
    },
    /// A fault of this library. Remedy: report the code.
    #[error("{code}")]
    Internal {
        /// What happened.
        code: String,
        /// What to do.
        remedy: String,
    },
}

impl FfiError {
    /// Input that cannot be read as what it should be.
    pub(crate) fn invalid(code: &str) -> Self {
        Self::InvalidInput { code: code.to_owned(), remedy: Remedy::CorrectInput.code().to_owned(), field: None, findings: Vec::new() }
    }

    /// A call out of its order, or a fault of this library.
    pub(crate) fn internal(code: &'static str) -> Self {
        Self::Internal { code: code.to_owned(), remedy: Remedy::Report.code().to_owned() }
    }

    fn sync(code: &str, remedy: Remedy) -> Self {
        Self::Sync { code: code.to_owned(), remedy: remedy.code().to_owned() }
    }

    fn no_consent(code: String, status: Option<GrantStatus>) -> Self {
        Self::NoConsent { code, remedy: ASK_PARTICIPANT.to_owned(), status }
    }

    /// A text that the guard refused, with the field it stood in.
    pub(crate) fn text(field: String, text: &str, error: &ScreenError) -> Self {
        let findings = error.findings().iter().map(|found| Finding::new(text, found)).collect();
        Self::InvalidInput { code: error.code().to_owned(), remedy: Remedy::CorrectInput.code().to_owned(), field: Some(field), findings }
    }

    /// Something else that is wrong with a field.
    pub(crate) fn field(field: String, code: &str) -> Self {
        Self::InvalidInput {
            code: code.to_owned(),
            remedy: Remedy::CorrectInput.code().to_owned(),
            field: Some(field),
            findings: Vec::new(),
        }
    }
}

/// The printed number of the word in which a mistake was found.
fn word(error: PaperError) -> Option<String> {
    match error {
        PaperError::UnknownWord { position } | PaperError::WrongWord { position } | PaperError::Swapped { position } => {
            Some(format!("word.{position}"))
        }
        _ => None,
    }
}

impl From<PaperError> for FfiError {
    fn from(error: PaperError) -> Self {
        Error::from(error).into()
    }
}

/// What sharing refuses, by what the caller can do about it.
fn of_share(error: ShareError) -> FfiError {
    let core = Error::from(error);
    let (code, remedy) = (core.code().to_owned(), core.remedy().code().to_owned());
    let input = |remedy: &str, field| FfiError::InvalidInput { code: code.clone(), remedy: remedy.to_owned(), field, findings: Vec::new() };
    match error {
        ShareError::NotAShare | ShareError::JusticeWithoutGrant => FfiError::no_consent(code, None),
        ShareError::Stale { .. } => FfiError::Sync { code, remedy },
        ShareError::NotPaired => FfiError::Refused { code, remedy: PAIR_IN_PERSON.to_owned() },
        ShareError::SaysMore { field } => input(&remedy, Some(field.as_str().to_owned())),
        ShareError::Over | ShareError::Used | ShareError::NotForUs | ShareError::Malformed => input(ASK_SENDER, None),
        ShareError::StillGranted => input(WITHDRAW_FIRST, None),
        ShareError::Offer | ShareError::PairedAlready | ShareError::Code | ShareError::CodeExpired => input(PAIR_IN_PERSON, None),
        ShareError::KeptElsewhere | ShareError::OtherKind => input(&remedy, None),
        ShareError::Nothing | ShareError::NoSuchShare | ShareError::NoSuchPairing => FfiError::NotFound { code, remedy },
        // a pairing that has forgotten as much as it can: another one begins anew
        ShareError::Full => FfiError::Storage { code, remedy: PAIR_IN_PERSON.to_owned() },
        ShareError::Newer => FfiError::Storage { code, remedy },
        ShareError::Seal => FfiError::Internal { code, remedy },
    }
}

impl From<Error> for FfiError {
    fn from(error: Error) -> Self {
        if let Error::Share(error) = error {
            return of_share(error);
        }
        let (code, remedy) = (error.code().to_owned(), error.remedy().code().to_owned());
        match &error {
            Error::Locked => Self::Locked { code, remedy },
            Error::TooSoon { seconds } => Self::TooSoon { code, remedy, seconds: *seconds },
            Error::WrongPassphrase => Self::WrongPassphrase { code, remedy },
            Error::NoSuchRecord | Error::Grant(GrantError::NoSuchGrant) | Error::Complaint(ComplaintError::Unknown) => {
                Self::NotFound { code, remedy }
            }
            // to ask again would not help: the charter does not allow it
            Error::Grant(GrantError::NotLive(GrantStatus::NotAllowed)) => {
                Self::Refused { code, remedy: Remedy::AskSteward.code().to_owned() }
            }
            Error::Grant(GrantError::NotLive(status)) => Self::no_consent(code, Some(*status)),
            Error::NoGrant | Error::Grant(GrantError::NoFile | GrantError::NotCovered) => Self::no_consent(code, None),
            Error::Complaint(ComplaintError::Full | ComplaintError::Newer) => Self::Storage { code, remedy },
            Error::Complaint(ComplaintError::NoKeys) => Self::Sync { code, remedy },
            // not this device, this member or this team: entering something else does not help
            Error::Role
            | Error::Removed
            | Error::Copied
            | Error::Ended
            | Error::Operation(_)
            | Error::Recovery(RecoveryError::NoBoard | RecoveryError::NotSetUp | RecoveryError::NotTheBoard) => {
                Self::Refused { code, remedy }
            }
            Error::Storage(_) | Error::Damaged | Error::Keystore(_) | Error::Passphrase(PassphraseError::OutOfMemory) => {
                Self::Storage { code, remedy }
            }
            Error::NoTurn | Error::Turn(_) | Error::Invitation(_) | Error::Envelope(_) | Error::Pack(_) => Self::Sync { code, remedy },
            Error::Recovery(RecoveryError::Paper(error)) => Self::InvalidInput { code, remedy, field: word(*error), findings: Vec::new() },
            Error::Recovery(_) => Self::InvalidInput { code, remedy, field: None, findings: Vec::new() },
            Error::Document(_) => Self::Internal { code, remedy },
            // a device whose date is off: nothing that was entered is wrong, and nothing of this library
            _ if error.remedy() == Remedy::CheckDate => Self::Storage { code, remedy },
            _ if error.remedy() == Remedy::AskSteward => Self::Refused { code, remedy },
            // what remains is about what was entered; a new kind of error says so by its remedy
            _ if error.remedy() == Remedy::CorrectInput => Self::InvalidInput { code, remedy, field: None, findings: Vec::new() },
            _ => Self::Internal { code, remedy },
        }
    }
}

impl From<SessionError<Error>> for FfiError {
    fn from(error: SessionError<Error>) -> Self {
        match error {
            SessionError::Replica(error) => error.into(),
            SessionError::Fault(fault) => fault.into(),
        }
    }
}

impl From<RelayError> for FfiError {
    fn from(error: RelayError) -> Self {
        match error {
            RelayError::Store(error) => error.into(),
            RelayError::NoRelay => Self::invalid(error.code()),
            _ => Self::sync(error.code(), error.remedy()),
        }
    }
}

impl From<NearbyError> for FfiError {
    fn from(error: NearbyError) -> Self {
        match error {
            NearbyError::Transport(error) => error.into(),
            NearbyError::Store(error) => error.into(),
        }
    }
}

impl From<TransportError> for FfiError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Address | TransportError::NotEncrypted => Self::invalid(error.code()),
            _ => Self::sync(error.code(), error.remedy()),
        }
    }
}

impl From<SessionFault> for FfiError {
    fn from(fault: SessionFault) -> Self {
        let remedy = match fault {
            SessionFault::NoSecret | SessionFault::NotAColleague => Remedy::MeetColleague,
            SessionFault::Version => Remedy::UpdateApp,
            SessionFault::Forged | SessionFault::Banned | SessionFault::NotAMember | SessionFault::SameDevice => Remedy::AskSteward,
            _ => Remedy::TryLater,
        };
        Self::sync(fault.code(), remedy)
    }
}

/// Runs a call. A panic inside ends as [`FfiError::Internal`], and its message, which may hold a user's text, nowhere.
pub(crate) fn call<T>(work: impl FnOnce() -> Result<T, FfiError>) -> Result<T, FfiError> {
    static SILENCE: Once = Once::new();
    // the default hook prints the message; tests need it
    SILENCE.call_once(|| {
        if !cfg!(test) {
            std::panic::set_hook(Box::new(|_| {}));
        }
    });
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(FfiError::internal("panic")))
}
