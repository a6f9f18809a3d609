//! Finds the phrases in a row of words.

use super::table::{Lexis, Tier};
use super::words::{Word, Words};
use super::{Element, Phrase, Shape};
use crate::screen::finding::Reason;
use crate::screen::view::{Hit, View};

/// The most words that one phrase may look at on each side: what bounds the work.
const TRIES: u32 = 160;

/// Finds every phrase; `harmless` tells for each word whether a harmless phrase took it.
pub(in crate::screen) fn apply(view: &View, words: &Words, lexis: &Lexis, hits: &mut Vec<Hit>) -> Vec<bool> {
    let mut harmless = vec![false; words.list.len()];
    for wanted in [false, true] {
        for (w, word) in words.list.iter().enumerate() {
            for known in word.known() {
                for phrase in lexis.hanging_on(known, !wanted) {
                    let taken = wanted.then_some(harmless.as_slice());
                    let mut search = Search { view, words, phrase, tries: TRIES, harmless: taken };
                    let Some((first, last)) = search.around(w) else { continue };
                    match phrase.reason {
                        None => harmless.iter_mut().take(last + 1).skip(first).for_each(|slot| *slot = true),
                        Some(reason) => take(words, reason, first, last, hits),
                    }
                }
            }
        }
    }
    harmless
}

fn take(words: &Words, reason: Reason, first: usize, last: usize, hits: &mut Vec<Hit>) {
    if let (Some(first), Some(last)) = (words.list.get(first), words.list.get(last)) {
        hits.push(Hit::of(reason, first.token, last.last + 1));
    }
}

struct Search<'a> {
    view: &'a View,
    words: &'a Words,
    phrase: &'a Phrase,
    tries: u32,
    /// Words that are taken by harmless phrases, when looking for others.
    harmless: Option<&'a [bool]>,
}

impl Search<'_> {
    /// The first and last word of the phrase around its anchor.
    fn around(&mut self, anchor: usize) -> Option<(usize, usize)> {
        if self.harmless.is_some_and(|taken| taken.get(anchor) == Some(&true)) {
            return None;
        }
        let last = self.go(self.phrase.anchor.wrapping_add(1), anchor, true, anchor)?;
        let first = self.go(self.phrase.anchor.wrapping_sub(1), anchor, false, anchor)?;
        Some((first, last))
    }

    /// Matches elements from `e` outwards; `at` is the last word looked at, `end` the last that an element took.
    fn go(&mut self, e: usize, at: usize, right: bool, end: usize) -> Option<usize> {
        self.tries = self.tries.checked_sub(1)?;
        self.view.tick();
        let Some(&element) = self.phrase.elements.get(e) else { return Some(end) };
        let onwards = if right { e + 1 } else { e.wrapping_sub(1) };
        let next = self.neighbour(at, right);
        if element.shape == Shape::Start {
            return self.words.list.get(at).is_some_and(|word| word.first).then_some(end);
        }
        if let Shape::Gap(most) = element.shape {
            let mut here = at;
            for skipped in 0..=most {
                if let Some(found) = self.go(onwards, here, right, end) {
                    return Some(found);
                }
                if skipped == most {
                    break;
                }
                here = self.neighbour(here, right)?;
            }
            return None;
        }
        if element.negative {
            let hit = next.is_some_and(|next| self.fits(element, next));
            return if hit { None } else { self.go(onwards, at, right, end) };
        }
        if let Some(next) = next
            && self.fits(element, next)
            && let Some(found) = self.go(onwards, next, right, next)
        {
            return Some(found);
        }
        if element.optional { self.go(onwards, at, right, end) } else { None }
    }

    /// The next word of the same sentence.
    fn neighbour(&self, at: usize, right: bool) -> Option<usize> {
        let next = if right { at + 1 } else { at.checked_sub(1)? };
        let (here, there) = (self.words.list.get(at)?, self.words.list.get(next)?);
        (here.sentence == there.sentence).then_some(next)
    }

    fn fits(&self, element: Element, w: usize) -> bool {
        let Some(word) = self.words.list.get(w) else { return false };
        if self.harmless.is_some_and(|taken| taken.get(w) == Some(&true)) && !element.negative {
            return false;
        }
        match element.shape {
            Shape::Class(class) => word.is_of(class),
            Shape::Number => word.number,
            Shape::Capital => word.capital && !word.excused,
            Shape::NewCapital => is_new(word),
            Shape::Name => word.tier.any(SURE) || !word.tier.is_empty() && word.capital,
            Shape::Odd => word.uncommon && !word.excused && !word.number,
            Shape::CapitalOdd => word.uncommon && word.capital && !word.upper && !word.excused && !word.number,
            Shape::Any => !word.excused,
            Shape::Gap(_) | Shape::Start => false,
        }
    }
}

/// Names that count in small letters too; family names that are also words do not.
const SURE: Tier = Tier::GIVEN.or(Tier::DOUBTFUL).or(Tier::EVERYDAY).or(Tier::FAMILY);

/// A capital inside a sentence on a word that is no everyday one.
fn is_new(word: &Word) -> bool {
    word.capital && !word.first && !word.upper && !word.excused && word.uncommon
}
