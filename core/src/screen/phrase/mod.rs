//! Turns of phrase: what notes say in words rather than numbers.
//!
//! The phrases stand in plain text files (`data/*.txt`); they are compiled once, at first use, into
//! one table from words to classes and from classes to the phrases that hang on them. Reading a text
//! looks every word up once and tries only the phrases whose rarest word stands there, each within a
//! bounded stretch, so the time is linear in the text.
//!
//! A phrase file has sections `[reason_code]`, `[harmless]` and lines:
//!
//! | line | means |
//! |---|---|
//! | `= name: a b* c` | a class of words; `b*` stands for every word that begins with `b` |
//! | `on/under @name?` | alternatives; `?` makes an element optional |
//! | `..` `...` `....` | up to two, four, seven words of any kind |
//! | `~no/not` | the next word (the one before, left of the rarest word) is none of these |
//! | `#` | figures or a number word |
//! | `%cap` `%new` `%name` | a capital, a capital that is no common word, a listed name |
//! | `%odd` `%own` `%any` | a word that no list knows, the same with a capital, any word but the alias |
//! | `# … .` | a remark: begins with `# `, ends with a full stop |
//! | `{` | nothing stands before it in its sentence |

mod grammar;
mod senses;
mod table;
mod walk;
mod words;

pub(super) use table::{Hashed, Tier, fnv, fnv_step, lexis};
pub(super) use walk::apply;
pub(super) use words::{Word, Words};

/// An element of a phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// A word of the class with this number.
    Class(u16),
    Number,
    Capital,
    NewCapital,
    Odd,
    CapitalOdd,
    Name,
    Any,
    /// Up to so many words of any kind.
    Gap(u8),
    /// The beginning of a sentence.
    Start,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Element {
    shape: Shape,
    optional: bool,
    negative: bool,
}

/// A phrase: its elements and the one that it hangs on.
#[derive(Clone, Debug)]
struct Phrase {
    /// `None`: a harmless phrase, whose words mean nothing here.
    reason: Option<super::finding::Reason>,
    elements: Vec<Element>,
    anchor: usize,
}

#[cfg(test)]
mod tests;
