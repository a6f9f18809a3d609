//! The text guard: what may be written down about a participant.
//!
//! Free text can only be stored as a [`Note`], a [`ShortText`] or an [`Alias`]; these can only be
//! made here, and here every text is screened first for what would identify a participant to police
//! or records contact with the justice system. The guard names the stretch, the category and the
//! rule; the words to show stand in the apps.
//!
//! ```
//! use satchel_core::screen::{Category, Note, screen};
//!
//! assert!(Note::parse("gave 2 kits, back tomorrow").is_ok());
//! let findings = screen("reach him at 415-555-0123", None);
//! assert_eq!((findings[0].start, findings[0].end), (13, 25));
//! assert_eq!(findings[0].category, Category::ContactDetail);
//! ```
//!
//! How it reads: the text is folded (digits of all scripts, accents, hidden characters) and cut into
//! tokens, then every rule looks at each token and a bounded stretch after it. Then the words are
//! looked up once, and phrases, names and a small linear model say what figures do not: charges,
//! courts, officers, names, papers, looks, other people. Time is linear in the text, and only whole
//! numbers are used, so a text has the same findings everywhere. The guard errs towards asking: a
//! finding costs a rewording, a miss can cost a participant. It knows English, Spanish and the
//! mixture. Findings only ever hide or ask; what one version finds and another does not never changes
//! which records are accepted.
//!
//! | file | holds |
//! |---|---|
//! | `text` | the storable types and their errors |
//! | `finding` | categories, reasons, overlaps |
//! | `hygiene` | hidden characters |
//! | `fold`, `view` | how text is read for matching |
//! | `lexicon` | the word lists |
//! | `rules` | what is looked for in figures, and names |
//! | `phrase`, `data` | what is looked for in words, and what words are about |
//! | `suggest` | kinder words, which block nothing |
//! | `model` | what only the wording as a whole says, also against a phrase |

mod finding;
mod fold;
mod hygiene;
mod lexicon;
pub mod limits;
mod model;
mod phrase;
mod rules;
mod suggest;
mod text;
#[cfg(feature = "adversary")]
mod versions;
mod view;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_corpus;

pub use finding::{Category, Finding, Reason};

/// The version of the guard: rises with every change of what it finds.
pub const VERSION: u32 = 5;

#[cfg(feature = "training")]
pub use model::train;
pub use suggest::{Suggestion, suggest};
pub use text::{Alias, COVER, Note, ScreenError, ShortText};
#[cfg(feature = "adversary")]
pub use versions::{DangerousVersion, dangerous_as_version};

/// Screens a text for what should not be stored, in linear time.
///
/// Findings come in order of place and never overlap. The alias of the participant that the text is
/// about is a plain word wherever it stands as a whole word, in any case or accent; an alias that is
/// longer than [`limits::ALIAS_BYTES`] or that the guard would refuse is ignored, so that nothing can
/// be excused by being called an alias. Newlines are not reported: which types allow them is theirs.
#[must_use]
pub fn screen(text: &str, alias: Option<&str>) -> Vec<Finding> {
    screen_by(text, alias, model::shipped())
}

/// Screens by a model that was just learnt, for the program that learns.
#[cfg(feature = "training")]
#[must_use]
pub fn screen_learning(text: &str, alias: Option<&str>, weights: &[u8]) -> Vec<Finding> {
    screen_by(text, alias, model::Model::read(weights))
}

fn screen_by(text: &str, alias: Option<&str>, model: model::Model<'_>) -> Vec<Finding> {
    let mut found = hygiene::hidden(text, hygiene::Lines::Many);
    let mut view = view::View::of(fold::Folded::read(text));
    let places = match alias.map(str::trim) {
        Some(alias) if alias.len() <= limits::ALIAS_BYTES && screen_alias(alias).is_empty() => view.exempt(&fold::Folded::read(alias)),
        _ => Vec::new(),
    };
    let inside = |f: &Finding| places.iter().any(|&(start, end)| start <= f.start && f.end <= end);
    let mut hits = rules::apply(&view, model);
    if !places.is_empty() {
        hits.retain(|finding| !inside(finding));
    }
    #[cfg(feature = "adversary")]
    versions::adapt(text, &mut hits);
    found.append(&mut hits);
    finding::settle(found)
}

/// Screens an alias: a chosen name may well be a name, so only a given name with a family name is one too much.
fn screen_alias(alias: &str) -> Vec<Finding> {
    let mut found = screen(alias, None);
    found.retain(|finding| finding.reason != Reason::PersonName || text::is_full_name(alias, finding));
    found
}
