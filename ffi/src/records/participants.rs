//! Participant files.

use super::{list, optional, quiet, screened, shown};
use crate::error::FfiError;
use satchel_core::consent::HowGiven;
use satchel_core::record;
use satchel_core::screen::Alias;
use satchel_wire::ShiftDay;
use satchel_wire::ids::RecordId;

quiet!(ParticipantDraft, ParticipantEdit, Participant, ParticipantConflict, ParticipantLine);

/// How a consent was given.
#[uniffi::remote(Enum)]
pub enum HowGiven {
    /// By word.
    Spoken,
    /// On the screen.
    OnScreen,
    /// A signed paper is on file.
    SignedPaperOnFile,
}

/// What is written when somebody says yes to a file.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct ParticipantDraft {
    /// How they said yes.
    pub how: HowGiven,
    /// Language of the words that were shown or read: two lower-case letters (ISO 639-1).
    pub words_language: String,
    /// The name they chose.
    #[uniffi(default = None)]
    pub alias: Option<String>,
    /// Pronouns.
    #[uniffi(default = None)]
    pub pronouns: Option<String>,
    /// Language.
    #[uniffi(default = None)]
    pub language: Option<String>,
    /// How they may safely be reached.
    #[uniffi(default = None)]
    pub contact: Option<String>,
    /// Goals in their order, at most 16.
    #[uniffi(default = [])]
    pub goals: Vec<String>,
    /// A word they chose, asked before their page is read out.
    #[uniffi(default = None)]
    pub recognition_word: Option<String>,
}

impl ParticipantDraft {
    pub(crate) fn read(&self) -> Result<record::ParticipantDraft, FfiError> {
        Ok(record::ParticipantDraft {
            alias: self.alias.as_ref().map(|text| screened("alias", text, Alias::parse)).transpose()?,
            pronouns: optional("pronouns", self.pronouns.as_ref())?,
            language: optional("language", self.language.as_ref())?,
            contact: optional("contact", self.contact.as_ref())?,
            goals: list("goals", &self.goals)?,
            recognition_word: optional("recognition_word", self.recognition_word.as_ref())?,
        })
    }
}

/// A change to a participant file; what is none stays as it is.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct ParticipantEdit {
    /// A new alias.
    #[uniffi(default = None)]
    pub alias: Option<String>,
    /// New pronouns.
    #[uniffi(default = None)]
    pub pronouns: Option<String>,
    /// Another language.
    #[uniffi(default = None)]
    pub language: Option<String>,
    /// Another safe-contact preference.
    #[uniffi(default = None)]
    pub contact: Option<String>,
    /// Goals in their new order, at most 16.
    #[uniffi(default = None)]
    pub goals: Option<Vec<String>>,
    /// Another recognition word.
    #[uniffi(default = None)]
    pub recognition_word: Option<String>,
    /// Closed (true) or opened again (false), at the participant's word.
    #[uniffi(default = None)]
    pub closed: Option<bool>,
}

impl ParticipantEdit {
    pub(crate) fn read(&self) -> Result<record::ParticipantEdit, FfiError> {
        Ok(record::ParticipantEdit {
            alias: self.alias.as_ref().map(|text| screened("alias", text, Alias::parse)).transpose()?,
            pronouns: optional("pronouns", self.pronouns.as_ref())?,
            language: optional("language", self.language.as_ref())?,
            contact: optional("contact", self.contact.as_ref())?,
            goals: self.goals.as_ref().map(|goals| list("goals", goals)).transpose()?,
            recognition_word: optional("recognition_word", self.recognition_word.as_ref())?,
            closed: self.closed,
        })
    }
}

/// Two phones wrote one field at the same time: the values beside the one shown.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct ParticipantConflict {
    /// Which field, in snake case.
    pub field: String,
    /// The values not shown, in a stable order.
    pub others: Vec<String>,
}

/// A participant file.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct Participant {
    /// Random id.
    pub id: RecordId,
    /// The name they chose.
    pub alias: Option<String>,
    /// Pronouns.
    pub pronouns: Option<String>,
    /// Language.
    pub language: Option<String>,
    /// How they may safely be reached.
    pub contact: Option<String>,
    /// Goals in their order.
    pub goals: Vec<String>,
    /// Recognition word.
    pub recognition_word: Option<String>,
    /// Closed by the participant.
    pub closed: bool,
    /// Fields in which two phones disagree.
    pub conflicts: Vec<ParticipantConflict>,
}

impl From<record::Participant> for Participant {
    fn from(file: record::Participant) -> Self {
        let conflict = |conflict: &record::Conflict| ParticipantConflict {
            field: conflict.field.to_owned(),
            others: conflict.others.iter().map(|text| text.as_str().to_owned()).collect(),
        };
        Self {
            id: file.id,
            alias: file.alias.as_ref().map(|alias| alias.as_str().to_owned()),
            pronouns: shown(file.pronouns.as_ref()),
            language: shown(file.language.as_ref()),
            contact: shown(file.contact.as_ref()),
            goals: file.goals.iter().map(|goal| goal.as_str().to_owned()).collect(),
            recognition_word: shown(file.recognition_word.as_ref()),
            closed: file.closed,
            conflicts: file.conflicts.iter().map(conflict).collect(),
        }
    }
}

/// One line of the list of participants.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct ParticipantLine {
    /// The participant.
    pub id: RecordId,
    /// The name they chose.
    pub alias: Option<String>,
    /// Closed by the participant.
    pub closed: bool,
    /// The shift day of the last contact, or of the file's beginning.
    pub last_day: ShiftDay,
}

impl From<record::ParticipantLine> for ParticipantLine {
    fn from(line: record::ParticipantLine) -> Self {
        Self {
            id: line.id,
            alias: line.alias.as_ref().map(|alias| alias.as_str().to_owned()),
            closed: line.closed,
            last_day: line.last_day,
        }
    }
}
