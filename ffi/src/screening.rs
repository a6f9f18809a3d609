//! The text guard, for fields that check while somebody types.

use crate::error::{FfiError, Finding, call};
use satchel_core::screen;

/// Screens a text for what should not be stored; `alias` is the name of the participant that it is about.
///
/// Saving screens again: this is for telling the writer early. Findings come in order and never overlap.
/// Errors: only [`FfiError::Internal`].
#[uniffi::export(default(alias = None))]
pub fn screen(text: &str, alias: Option<String>) -> Result<Vec<Finding>, FfiError> {
    call(|| Ok(screen::screen(text, alias.as_deref()).iter().map(|found| Finding::new(text, found)).collect()))
}
