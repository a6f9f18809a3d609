//! Records as they cross: plain fields, texts screened on the way in.
//!
//! What holds a user's text prints nothing but its type, in both languages.

mod encounters;
mod participants;
mod promises;

pub use encounters::{Encounter, EncounterDraft, ZoneLine};
pub use participants::{Participant, ParticipantConflict, ParticipantDraft, ParticipantEdit, ParticipantLine};
pub use promises::{FollowUpDraft, FollowUpLine, SelfReferral, SelfReferralDraft, SelfReferralLine};

use crate::error::FfiError;
use satchel_core::screen::{Alias, ScreenError, ShortText};

/// Screens a text; a refusal names its field.
pub(crate) fn screened<T>(field: impl Into<String>, text: &str, parse: impl FnOnce(&str) -> Result<T, ScreenError>) -> Result<T, FfiError> {
    parse(text).map_err(|error| FfiError::text(field.into(), text, &error))
}

pub(crate) fn short_text(field: &str, text: &str) -> Result<ShortText, FfiError> {
    screened(field, text, ShortText::parse)
}

/// As [`short_text`], about somebody: their alias is a plain word in it.
fn short_text_about(field: &str, text: &str, alias: Option<&Alias>) -> Result<ShortText, FfiError> {
    screened(field, text, |text| match alias {
        Some(alias) => ShortText::parse_with_alias(text, alias),
        None => ShortText::parse(text),
    })
}

fn optional(field: &str, text: Option<&String>) -> Result<Option<ShortText>, FfiError> {
    text.map(|text| short_text(field, text)).transpose()
}

fn list(field: &str, texts: &[String]) -> Result<Vec<ShortText>, FfiError> {
    texts.iter().enumerate().map(|(at, text)| screened(format!("{field}.{at}"), text, ShortText::parse)).collect()
}

pub(crate) fn shown(text: Option<&ShortText>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

/// Records that hold a user's text print their type only.
macro_rules! quiet {
    ($($name:ident),+ $(,)?) => {$(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )+};
}
pub(crate) use quiet;
