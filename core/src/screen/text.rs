//! The only types that hold free text, and the only ways to make one.

use std::fmt;

use zeroize::Zeroizing;

use super::finding::{Finding, Reason};
use super::hygiene::{self, Lines};
use super::limits::{ALIAS_BYTES, NOTE_BYTES, SHORT_TEXT_BYTES};

/// Why a text cannot be stored as it stands. Holds places and codes, never the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScreenError {
    /// Nothing but white space. Remedy: leave the field out instead of storing an empty one.
    #[error("the text is empty")]
    Empty,
    /// Too long after trimming. Remedy: have the writer shorten it; nothing is cut silently.
    #[error("the text is longer than {limit_bytes} bytes of UTF-8")]
    TooLong {
        /// The longest text of this type, in bytes of UTF-8.
        limit_bytes: usize,
    },
    /// Holds characters that a reader cannot see. Remedy: offer to delete exactly the stretches
    /// in `findings` (byte offsets into the given text) and try again.
    #[error("the text holds characters that cannot be seen")]
    HiddenText {
        /// Where they stand; never empty.
        findings: Vec<Finding>,
    },
    /// The guard found what would identify a participant or record justice contact. Remedy: show
    /// `findings` (byte offsets into the given text), have the writer reword them or move the fact
    /// into a vault under a grant, and try again.
    #[error("the text holds findings that must be resolved first")]
    Unresolved {
        /// What was found; never empty.
        findings: Vec<Finding>,
    },
}

impl ScreenError {
    /// The stable code of the error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            ScreenError::Empty => "text_empty",
            ScreenError::TooLong { .. } => "text_too_long",
            ScreenError::HiddenText { .. } => "text_hidden",
            ScreenError::Unresolved { .. } => "text_unresolved",
        }
    }

    /// What to resolve; empty for errors without a place.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        match self {
            ScreenError::HiddenText { findings } | ScreenError::Unresolved { findings } => findings,
            ScreenError::Empty | ScreenError::TooLong { .. } => &[],
        }
    }
}

/// Checks what does not depend on the guard's rules, before anything else is computed.
fn check_structure(text: &str, limit_bytes: usize, lines: Lines) -> Result<&str, ScreenError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(ScreenError::Empty);
    }
    if trimmed.len() > limit_bytes {
        return Err(ScreenError::TooLong { limit_bytes });
    }
    let mut findings = hygiene::hidden(trimmed, lines);
    if findings.is_empty() {
        return Ok(trimmed);
    }
    let shift = text.len() - text.trim_start().len();
    for finding in &mut findings {
        finding.start += shift;
        finding.end += shift;
    }
    Err(ScreenError::HiddenText { findings })
}

/// What a text may hold beyond what the guard lets pass everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    /// No name but the alias.
    None,
    /// The text may be one given name: a member's own, a dog's, a place's.
    Alone,
    /// The text is a chosen name.
    Chosen,
}

/// Whether a found name goes on behind its first word.
pub(super) fn is_full_name(text: &str, finding: &Finding) -> bool {
    text.get(finding.start..finding.end).is_some_and(|name| name.split_whitespace().count() > 1)
}

fn check_all<'t>(text: &'t str, alias: Option<&str>, limit_bytes: usize, lines: Lines, names: Names) -> Result<&'t str, ScreenError> {
    let trimmed = check_structure(text, limit_bytes, lines)?;
    let mut findings = match names {
        Names::Chosen => super::screen_alias(trimmed),
        Names::None | Names::Alone => super::screen(trimmed, alias),
    };
    if names == Names::Alone {
        let whole = |f: &Finding| f.reason == Reason::PersonName && f.start == 0 && f.end == trimmed.len();
        findings.retain(|finding| !whole(finding) || is_full_name(trimmed, finding));
    }
    if findings.is_empty() {
        return Ok(trimmed);
    }
    let shift = text.len() - text.trim_start().len();
    for finding in &mut findings {
        finding.start += shift;
        finding.end += shift;
    }
    Err(ScreenError::Unresolved { findings })
}

/// Stands where the guard found something in a received text.
pub const COVER: char = '\u{2592}';

/// Puts [`COVER`] in the place of each finding.
fn cover(text: &str, findings: &[Finding]) -> Zeroizing<String> {
    let mut covered = Zeroizing::new(String::with_capacity(text.len() + COVER.len_utf8() * findings.len()));
    let mut shown = 0;
    for finding in findings {
        covered.push_str(text.get(shown..finding.start).unwrap_or_default());
        covered.push(COVER);
        shown = finding.end;
    }
    covered.push_str(text.get(shown..).unwrap_or_default());
    covered
}

macro_rules! screened_text {
    ($(#[$docs:meta])* $name:ident, $limit:ident, $lines:expr, $names:expr) => {
        $(#[$docs])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            /// The longest text, in bytes of UTF-8 after trimming.
            pub const LIMIT_BYTES: usize = $limit;

            /// Screens a text that was typed on this device; outer white space is cut off and
            /// nothing else is changed.
            ///
            /// # Errors
            /// Every [`ScreenError`]; each names its remedy.
            pub fn parse(text: &str) -> Result<Self, ScreenError> {
                check_all(text, None, $limit, $lines, $names).map(Self::of)
            }

            /// Takes a text that another device screened before it was sealed: structural limits
            /// only (size, hidden characters). What the guard of this version finds in it is shown
            /// to the reader and refuses nothing, because a verdict must not depend on the guard's
            /// version. Never for text that was typed on this device.
            ///
            /// # Errors
            /// [`ScreenError::Empty`], [`ScreenError::TooLong`] or [`ScreenError::HiddenText`]: an
            /// honest device never seals such a text; refuse the record it came in.
            pub fn from_sealed(text: &str) -> Result<Self, ScreenError> {
                let trimmed = check_structure(text, $limit, $lines)?;
                Ok(Self::of(trimmed))
            }

            /// Takes a text that another device wrote, to be shown: what the guard of this version
            /// finds in it is covered, each stretch by one [`COVER`], and never shown plain. The
            /// stored text stays as it is. `alias` is the participant's whom it is about.
            ///
            /// # Errors
            /// As [`Self::from_sealed`].
            pub fn received(text: &str, alias: Option<&str>) -> Result<Self, ScreenError> {
                let trimmed = check_structure(text, $limit, $lines)?;
                Ok(match check_all(trimmed, alias, $limit, $lines, $names) {
                    Err(ScreenError::Unresolved { findings }) => Self(cover(trimmed, &findings)),
                    _ => Self::of(trimmed),
                })
            }

            /// Whether something in it is covered because the guard found it.
            #[must_use]
            pub fn is_covered(&self) -> bool {
                self.0.contains(COVER)
            }

            fn of(text: &str) -> Self {
                Self(Zeroizing::new(text.to_owned()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    };
}

macro_rules! about_a_participant {
    ($name:ident, $limit:ident, $lines:expr, $names:expr) => {
        impl $name {
            /// As `parse`, for text about the participant with this alias: the alias is a plain
            /// word in it, whatever the guard's word lists say.
            ///
            /// # Errors
            /// Every [`ScreenError`]; each names its remedy.
            pub fn parse_with_alias(text: &str, alias: &Alias) -> Result<Self, ScreenError> {
                check_all(text, Some(alias.as_str()), $limit, $lines, $names).map(Self::of)
            }
        }
    };
}

screened_text! {
    /// A note: 1 to 2,000 bytes of UTF-8, of several lines. Wiped when dropped; its `Debug` shows
    /// nothing of it, and there is no `Display`.
    Note, NOTE_BYTES, Lines::Many, Names::None
}
about_a_participant!(Note, NOTE_BYTES, Lines::Many, Names::None);

screened_text! {
    /// A line of free text that is no note (a goal, a follow-up, a zone's or member's name,
    /// pronouns, a language, a safe contact preference, a recognition word): 1 to 200 bytes of
    /// UTF-8. Wiped when dropped; redacted `Debug`, no `Display`.
    ShortText, SHORT_TEXT_BYTES, Lines::One, Names::Alone
}
about_a_participant!(ShortText, SHORT_TEXT_BYTES, Lines::One, Names::Alone);

screened_text! {
    /// The name a participant chose: 1 to 64 bytes of UTF-8 on one line. Wiped when dropped;
    /// redacted `Debug`, no `Display`.
    Alias, ALIAS_BYTES, Lines::One, Names::Chosen
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{Category, Reason};
    use super::*;

    #[test]
    fn a_clean_note_keeps_its_text_but_for_outer_space() {
        let note = Note::parse("  gave 2 kits\nback tomorrow \u{A0}\n").unwrap();
        assert_eq!(note.as_str(), "gave 2 kits\nback tomorrow");
        let composed = Note::parse("mañana").unwrap();
        let decomposed = Note::parse("man\u{303}ana").unwrap();
        assert_ne!(composed, decomposed, "nothing is normalised");
    }

    #[test]
    fn nothing_of_the_text_shows_in_debug_or_errors() {
        let note = Note::parse("pelican brief").unwrap();
        assert_eq!(format!("{note:?}"), "Note([redacted])");
        assert_eq!(format!("{:?}", Alias::parse("Pelican").unwrap()), "Alias([redacted])");
        let error = Note::parse("pelican at 415-555-0123").unwrap_err();
        let shown = format!("{error} {error:?} {}", error.code());
        assert!(!shown.contains("pelican") && !shown.contains("555"), "{shown}");
        assert!(shown.contains("contact_detail") || shown.contains("ContactDetail"));
    }

    #[test]
    fn each_limit_holds_to_the_byte() {
        let fill = |bytes: usize| "é".repeat(bytes / 2);
        assert!(Note::parse(&fill(2_000)).is_ok());
        assert_eq!(Note::parse(&fill(2_002)), Err(ScreenError::TooLong { limit_bytes: 2_000 }));
        assert!(ShortText::parse(&fill(200)).is_ok());
        assert_eq!(ShortText::from_sealed(&fill(202)), Err(ScreenError::TooLong { limit_bytes: 200 }));
        assert!(Alias::parse(&format!("  {}  ", fill(64))).is_ok(), "trimmed first");
        assert_eq!(Alias::parse(&fill(66)), Err(ScreenError::TooLong { limit_bytes: 64 }));
        assert_eq!(Alias::parse(" \u{3000}\n"), Err(ScreenError::Empty));
        assert_eq!(Note::from_sealed(""), Err(ScreenError::Empty));
    }

    #[test]
    fn hidden_characters_are_refused_with_places_in_the_given_text() {
        let error = Note::parse("  a\u{202E}b").unwrap_err();
        assert_eq!(error, ScreenError::HiddenText { findings: vec![Finding::of(Reason::HiddenCharacter, 3, 6)] });
        assert_eq!(Note::from_sealed("a\u{200B}b").unwrap_err().code(), "text_hidden");
        assert_eq!(ShortText::parse("two\nlines").unwrap_err().code(), "text_hidden");
        assert_eq!(Alias::parse("two\nlines").unwrap_err().code(), "text_hidden");
        assert!(Note::parse("two\nlines").is_ok());
    }

    #[test]
    fn findings_are_places_in_the_given_text() {
        let text = "   call 415-555-0123";
        let error = Note::parse(text).unwrap_err();
        let [finding] = error.findings() else { panic!("one finding, not {error:?}") };
        assert_eq!(&text[finding.start..finding.end], "415-555-0123");
        assert_eq!(finding.category, Category::ContactDetail);
    }

    #[test]
    fn received_text_is_held_to_structure_only() {
        let text = "call 415-555-0123, case #24-0187";
        assert!(Note::parse(text).is_err());
        assert_eq!(Note::from_sealed(text).unwrap().as_str(), text);
    }

    #[test]
    fn what_the_guard_finds_in_a_received_text_is_covered() {
        let note = Note::received("call 415-555-0123, or ask Maria Gonzalez at noon", None).unwrap();
        assert!(note.is_covered() && note.as_str().contains("at noon"), "{}", note.as_str());
        assert!(!note.as_str().contains("0123") && !note.as_str().contains("Gonzalez"), "{}", note.as_str());
        assert!(!Note::received("gave 2 kits", None).unwrap().is_covered());
        assert!(ShortText::received("Maria wants a bed", None).unwrap().is_covered());
        assert!(!ShortText::received("Maria wants a bed", Some("Maria")).unwrap().is_covered(), "the alias is a plain word");
        assert!(!Alias::received("Maria", None).unwrap().is_covered());
        assert_eq!(Alias::received("Maria Gonzalez", None).unwrap().as_str(), COVER.to_string());
        assert!(Note::received("a\u{202E}b", None).is_err());
    }

    #[test]
    fn an_alias_must_pass_the_guard_itself() {
        assert!(Alias::parse("Two Feathers").is_ok());
        assert!(Alias::parse("K9").is_ok());
        for text in ["415-555-0123", "Joe dob 4/5/89", "7ABC123", "@joe_22"] {
            assert_eq!(Alias::parse(text).unwrap_err().code(), "text_unresolved", "{text}");
        }
    }

    #[test]
    fn an_alias_is_a_plain_word_in_text_about_its_bearer() {
        let alias = Alias::parse("Badge").unwrap();
        assert!(Note::parse("Badge 2024 goals: housing").is_err());
        assert!(Note::parse_with_alias("badge 2024 goals: housing", &alias).is_ok());
        // Part of another word, it is not the alias; and digits are never excused.
        assert!(Note::parse_with_alias("badge says call 415-555-0123", &alias).is_err());
    }
}
