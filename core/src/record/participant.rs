//! A participant file: how someone wants to be known to this team, and in their own order what they want.
//!
//! It comes into being in one step with its *record* grant. Deliberately absent: legal name, birth date,
//! numbers, photo, description, flags of any kind.

use crate::catalogue::fold;
use crate::screen::{Alias, ShortText};
use satchel_wire::ShiftDay;
use satchel_wire::ids::RecordId;

/// Field names of the document.
pub mod field {
    /// The name they chose.
    pub const ALIAS: &str = "alias";
    /// Pronouns.
    pub const PRONOUNS: &str = "pronouns";
    /// Language.
    pub const LANGUAGE: &str = "language";
    /// How they may safely be reached; "none" is a value.
    pub const CONTACT: &str = "contact";
    /// Goals in their order.
    pub const GOALS: &str = "goals";
    /// A word they chose, asked before their page is read out.
    pub const RECOGNITION_WORD: &str = "recognition_word";
    /// Closed by the participant.
    pub const CLOSED: &str = "closed";
    /// The record grant that this file rests on.
    pub const GRANT: &str = "grant";
}

/// What is written when somebody says yes to a file.
#[derive(Debug, Default)]
pub struct ParticipantDraft {
    /// The name they chose.
    pub alias: Option<Alias>,
    /// Pronouns.
    pub pronouns: Option<ShortText>,
    /// Language.
    pub language: Option<ShortText>,
    /// Safe-contact preference.
    pub contact: Option<ShortText>,
    /// Goals in their order, at most 16.
    pub goals: Vec<ShortText>,
    /// Recognition word.
    pub recognition_word: Option<ShortText>,
}

/// A change to a participant file; what is `None` stays as it is.
#[derive(Debug, Default)]
pub struct ParticipantEdit {
    /// A new alias.
    pub alias: Option<Alias>,
    /// New pronouns.
    pub pronouns: Option<ShortText>,
    /// Another language.
    pub language: Option<ShortText>,
    /// Another safe-contact preference.
    pub contact: Option<ShortText>,
    /// Goals in their new order, at most 16.
    pub goals: Option<Vec<ShortText>>,
    /// Another recognition word.
    pub recognition_word: Option<ShortText>,
    /// Closed (true) or opened again (false), at the participant's word.
    pub closed: Option<bool>,
}

/// A participant file as read.
#[derive(Debug)]
pub struct Participant {
    /// Random id.
    pub id: RecordId,
    /// Alias.
    pub alias: Option<Alias>,
    /// Pronouns.
    pub pronouns: Option<ShortText>,
    /// Language.
    pub language: Option<ShortText>,
    /// Safe-contact preference.
    pub contact: Option<ShortText>,
    /// Goals in order.
    pub goals: Vec<ShortText>,
    /// Recognition word.
    pub recognition_word: Option<ShortText>,
    /// Closed by the participant.
    pub closed: bool,
    /// The grant this file rests on.
    pub grant: Option<RecordId>,
    /// Fields in which two phones disagree, with the other values.
    pub conflicts: Vec<Conflict>,
}

impl Participant {
    /// Whether somebody said a recognition word that the file has: case, accents and spaces do not matter. Two phones may
    /// have written two, and they may remember either. Without a word nobody is recognised.
    pub fn is_recognised_by(&self, said: &str) -> bool {
        let plain = |text: &str| fold(text).split_whitespace().collect::<Vec<_>>().join(" ");
        let said = plain(said);
        let others =
            self.conflicts.iter().filter(|conflict| conflict.field == field::RECOGNITION_WORD).flat_map(|conflict| &conflict.others);
        !said.is_empty() && self.recognition_word.iter().chain(others).any(|word| plain(word.as_str()) == said)
    }
}

/// Two phones wrote one field at the same time: the values beside the one shown.
#[derive(Debug)]
pub struct Conflict {
    /// Which field.
    pub field: &'static str,
    /// The values not shown, in a stable order.
    pub others: Vec<ShortText>,
}

/// One line of the participant list, from sealed summaries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantLine {
    /// The participant.
    pub id: RecordId,
    /// Alias.
    pub alias: Option<Alias>,
    /// Closed by the participant.
    pub closed: bool,
    /// The shift day of the last contact this phone knows of, or of the file's beginning.
    pub last_day: ShiftDay,
}
