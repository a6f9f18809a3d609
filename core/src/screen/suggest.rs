//! Kinder words for notes: suggestions, which never block a save and are no findings.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::fold::Folded;
use super::phrase::{fnv, fnv_step};
use super::view::View;

/// A wording for which there is one that puts the person first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What could stand there instead, in the language of the wording.
    pub instead: &'static str,
}

/// The most words of a wording.
const WORDS: usize = 4;

static LIST: &str = include_str!("data/person_first.txt");

/// From the hash of a wording, each word followed by a space, to what could stand instead; and the hashes of the
/// beginnings of wordings, so that reading stops where none goes on.
struct Wordings {
    instead: HashMap<u64, &'static str>,
    beginnings: std::collections::HashSet<u64>,
}

static WORDINGS: LazyLock<Wordings> = LazyLock::new(|| {
    let mut wordings = Wordings { instead: HashMap::new(), beginnings: std::collections::HashSet::new() };
    for (wording, instead) in LIST.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" | ")) {
        let mut hash = fnv(b"");
        for word in wording.split_ascii_whitespace() {
            hash = with_word(hash, word.as_bytes());
            wordings.beginnings.insert(hash);
        }
        wordings.instead.insert(hash, instead);
    }
    wordings
});

fn with_word(hash: u64, word: &[u8]) -> u64 {
    word.iter().chain(b" ").fold(hash, |hash, byte| fnv_step(hash, *byte))
}

/// Wordings for which kinder ones exist, in order of place, never overlapping; the longest wording counts.
///
/// Reads English and Spanish, without regard to case and accents, in linear time. A suggestion is an offer:
/// the guard's findings ([`screen`](super::screen())) are what a save depends on.
#[must_use]
pub fn suggest(text: &str) -> Vec<Suggestion> {
    let view = View::of(Folded::read(text));
    let mut found = Vec::new();
    let mut i = 0;
    while let Some(token) = view.at(i) {
        let mut best = None;
        let (mut hash, mut j) = (fnv(b""), i);
        for _ in 0..WORDS {
            if !view.is_word(j) {
                break;
            }
            hash = with_word(hash, view.bytes(j));
            if !WORDINGS.beginnings.contains(&hash) {
                break;
            }
            if let (Some(&instead), Some(last)) = (WORDINGS.instead.get(&hash), view.at(j)) {
                best = Some((Suggestion { start: token.start, end: last.end, instead }, j));
            }
            // "non-compliant" and "non compliant" are one wording.
            j = if view.is_sign(j + 1, b'-') { j + 2 } else { view.past_space(j + 1) };
        }
        i = match best {
            Some((suggestion, last)) => {
                found.push(suggestion);
                last + 1
            }
            None => i + 1,
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(&str, &'static str)> {
        suggest(text).iter().map(|s| (&text[s.start..s.end], s.instead)).collect()
    }

    #[test]
    fn wordings_of_both_languages_are_found_at_their_place() {
        assert_eq!(shown("the Addict next door"), [("Addict", "person who uses drugs")]);
        assert_eq!(shown("ayer vino un alcohólico"), [("alcohólico", "persona que bebe")]);
        assert_eq!(
            shown("homeless people and a non-compliant drug addict"),
            [("homeless people", "people without housing"), ("non-compliant", "chose not to"), ("drug addict", "person who uses drugs"),]
        );
    }

    #[test]
    fn the_longest_wording_counts_and_parts_of_words_do_not() {
        assert_eq!(shown("injection drug user"), [("injection drug user", "person who injects drugs")]);
        assert_eq!(shown("bumped his head, an album, homeless services"), []);
        assert_eq!(shown("homeless"), [], "half a wording is none");
        assert_eq!(shown("person who uses drugs, persona sin vivienda"), []);
    }

    #[test]
    fn what_is_suggested_needs_no_suggestion_and_every_line_can_be_found() {
        let lines: Vec<_> = LIST.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.len() > 150);
        for line in lines {
            let (wording, instead) = line.split_once(" | ").expect("a wording and what to say instead");
            assert_eq!(shown(wording), [(wording, instead)]);
            assert_eq!(shown(instead), [], "{instead}");
        }
    }

    #[test]
    fn a_suggestion_is_no_finding() {
        assert_eq!(super::super::screen("a junkie wants socks", None), []);
        assert_eq!(suggest("a junkie wants socks").len(), 1);
    }
}
