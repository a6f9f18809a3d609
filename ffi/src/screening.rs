//! The text guard, for fields that check while somebody types.

use crate::error::{FfiError, Finding, call, utf16_units};
use satchel_core::screen;

/// A wording for which there is one that puts the person first. It blocks nothing.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Suggestion {
    /// First UTF-16 code unit of the wording.
    pub start_utf16: u32,
    /// One past the last code unit.
    pub end_utf16: u32,
    /// What could stand there instead, in the language of the wording.
    pub instead: String,
}

/// Screens a text for what should not be stored; `alias` is the name of the participant that it is about.
///
/// Saving screens again: this is for telling the writer early. Findings come in order and never overlap.
/// Errors: only [`FfiError::Internal`].
#[uniffi::export(default(alias = None))]
pub fn screen(text: &str, alias: Option<String>) -> Result<Vec<Finding>, FfiError> {
    call(|| Ok(screen::screen(text, alias.as_deref()).iter().map(|found| Finding::new(text, found)).collect()))
}

/// Wordings for which there are kinder ones, in order, never overlapping: an offer, and no finding.
///
/// Errors: only [`FfiError::Internal`].
#[uniffi::export]
pub fn suggest(text: &str) -> Result<Vec<Suggestion>, FfiError> {
    call(|| {
        let line = |found: &screen::Suggestion| Suggestion {
            start_utf16: utf16_units(text, found.start),
            end_utf16: utf16_units(text, found.end),
            instead: found.instead.to_owned(),
        };
        Ok(screen::suggest(text).iter().map(line).collect())
    })
}

/// The version of the guard: rises with every change of what it finds.
#[uniffi::export]
pub fn guard_version() -> u32 {
    screen::VERSION
}
