//! What a participant may ask to see: the charter in plain words, its history, and every field that can be stored.

use crate::error::{FfiError, call};
use crate::unlocked::Unlocked;
use satchel_core::consent::Language;
use satchel_core::consent::page;
use satchel_core::data_map::{DATA_MAP, data_map_text as text_of_data_map};
use satchel_core::store;
use satchel_wire::ShiftDay;
use satchel_wire::ids::{DeviceId, OperationId};
use std::sync::Arc;

/// A heading and its sentences.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CharterSection {
    /// The heading.
    pub heading: String,
    /// Sentences, each of which stands alone.
    pub lines: Vec<String>,
    /// Lines in somebody's own words, below the sentences: the agency's in a charter, the participant's in what is held.
    pub own_words: Vec<String>,
}

impl CharterSection {
    pub(crate) fn of(section: &page::Section) -> Self {
        Self { heading: section.heading.to_owned(), lines: section.lines.clone(), own_words: section.own_words.clone() }
    }
}

/// The charter in force as a page for a participant.
#[derive(uniffi::Object)]
pub struct CharterPage(page::Page);

#[uniffi::export]
impl CharterPage {
    /// Its title.
    pub fn title(&self) -> String {
        self.0.title.to_owned()
    }

    /// Its sections.
    pub fn sections(&self) -> Vec<CharterSection> {
        self.0.sections.iter().map(CharterSection::of).collect()
    }

    /// As text, one sentence a line.
    pub fn text(&self) -> String {
        self.0.to_text()
    }

    /// As one HTML document that loads nothing from elsewhere.
    pub fn html(&self) -> String {
        self.0.to_html()
    }
}

/// A setting that a charter changed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SettingChange {
    /// The setting: a stable name.
    pub setting: String,
    /// Its value before; none in the founding charter.
    pub before: Option<String>,
    /// Its value after.
    pub after: String,
}

/// One entry of the charter's history.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CharterEvent {
    /// The operation.
    pub operation: OperationId,
    /// The day that its author saw.
    pub day: ShiftDay,
    /// The phone that wrote it.
    pub author: DeviceId,
    /// It has no effect until the board signs.
    pub waits_for_board: bool,
    /// What it changed.
    pub changes: Vec<SettingChange>,
}

impl From<store::CharterEvent> for CharterEvent {
    fn from(event: store::CharterEvent) -> Self {
        let change = |(setting, before, after): (&str, _, _)| SettingChange { setting: setting.to_owned(), before, after };
        Self {
            operation: event.operation,
            day: event.day,
            author: event.author,
            waits_for_board: event.waits_for_board,
            changes: event.changes.into_iter().map(change).collect(),
        }
    }
}

/// A field that can exist, and why.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DataField {
    /// Its stable name.
    pub name: String,
    /// Why it exists.
    pub why: String,
}

/// Things of one kind that can be stored.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DataGroup {
    /// What they are called.
    pub name: String,
    /// Whether it may be about a participant.
    pub is_about_a_person: bool,
    /// Who can open it.
    pub readers: String,
    /// When it goes.
    pub until: String,
    /// Every field.
    pub fields: Vec<DataField>,
}

/// The data map: everything that can be stored, in English. What is not here cannot be.
#[uniffi::export]
pub fn data_map() -> Vec<DataGroup> {
    let field = |(name, why): &(&str, &str)| DataField { name: (*name).to_owned(), why: (*why).to_owned() };
    let group = |group: &satchel_core::data_map::DataGroup| DataGroup {
        name: group.name.to_owned(),
        is_about_a_person: group.is_about_a_person,
        readers: group.readers.to_owned(),
        until: group.until.to_owned(),
        fields: group.fields.iter().map(field).collect(),
    };
    DATA_MAP.iter().map(group).collect()
}

/// The data map as Markdown.
#[uniffi::export]
pub fn data_map_text() -> String {
    text_of_data_map()
}

#[uniffi::export]
impl Unlocked {
    /// The charter in force as a page for a participant, with what is late.
    pub fn charter_page(&self, language: Language) -> Result<Arc<CharterPage>, FfiError> {
        call(|| Ok(Arc::new(CharterPage(self.core().charter_page(language)?))))
    }

    /// Every charter that was ever proposed, oldest first, with what each changed.
    pub fn charter_history(&self) -> Result<Vec<CharterEvent>, FfiError> {
        call(|| Ok(self.core().charter_history()?.into_iter().map(Into::into).collect()))
    }

    /// When the next review of the charter by participants and board is due.
    pub fn review_due(&self) -> Result<ShiftDay, FfiError> {
        call(|| Ok(self.core().review_due()?))
    }
}
