//! A folded text as the rules walk over it: tokens by index, and never past the ends.

use super::finding::{Finding, Reason};
use super::fold::{Folded, Kind, Token};
use super::lexicon::Tags;

/// Read access to the tokens.
pub(super) struct View {
    read: Folded,
    #[cfg(test)]
    work: std::cell::Cell<usize>,
}

/// What a rule found: tokens `first..end`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub first: usize,
    pub end: usize,
    pub reason: Reason,
}

impl Hit {
    pub(super) const fn of(reason: Reason, first: usize, end: usize) -> Self {
        Self { first, end, reason }
    }
}

impl View {
    pub(super) fn of(read: Folded) -> Self {
        Self {
            read,
            #[cfg(test)]
            work: std::cell::Cell::new(0),
        }
    }

    /// The token at `i`; `None` past the end and for the index before the first.
    pub(super) fn at(&self, i: usize) -> Option<&Token> {
        #[cfg(test)]
        self.work.set(self.work.get() + 1);
        self.read.tokens.get(i)
    }

    /// How many tokens the text has.
    pub(super) fn count(&self) -> usize {
        self.read.tokens.len()
    }

    /// How many tokens were looked at so far: the measure of the linear-time test.
    #[cfg(test)]
    pub(super) fn work(&self) -> usize {
        self.work.get()
    }

    /// Counts a step of work that looks at no token.
    pub(super) fn tick(&self) {
        #[cfg(test)]
        self.work.set(self.work.get() + 1);
    }

    pub(super) fn kind(&self, i: usize) -> Option<Kind> {
        self.at(i).map(|t| t.kind)
    }

    pub(super) fn is_sign(&self, i: usize, sign: u8) -> bool {
        self.kind(i) == Some(Kind::Sign(sign))
    }

    pub(super) fn is_word(&self, i: usize) -> bool {
        self.kind(i) == Some(Kind::Word)
    }

    pub(super) fn is_digits(&self, i: usize) -> bool {
        self.kind(i) == Some(Kind::Digits)
    }

    pub(super) fn is_space(&self, i: usize) -> bool {
        self.kind(i) == Some(Kind::Space)
    }

    /// Letters or digits.
    pub(super) fn is_alnum(&self, i: usize) -> bool {
        matches!(self.kind(i), Some(Kind::Word | Kind::Digits))
    }

    /// Whether the word at `i` stands in one of the lists (false for anything else).
    pub(super) fn has(&self, i: usize, tags: Tags) -> bool {
        self.at(i).is_some_and(|t| t.entry.tags.any(tags))
    }

    /// The value of a month, number word or ordinal.
    pub(super) fn value(&self, i: usize) -> u8 {
        self.at(i).map_or(0, |t| t.entry.value)
    }

    /// The folded bytes of the token at `i`; empty past the end.
    pub(super) fn bytes(&self, i: usize) -> &[u8] {
        self.at(i).and_then(|t| self.read.bytes.get(t.from..t.to)).unwrap_or_default()
    }

    /// Length in characters.
    pub(super) fn len(&self, i: usize) -> usize {
        self.at(i).map_or(0, |t| t.to - t.from)
    }

    /// Whether every letter of the word is a capital.
    pub(super) fn is_upper(&self, i: usize) -> bool {
        self.at(i).is_some_and(|t| t.upper)
    }

    /// Whether the word begins with a capital.
    pub(super) fn is_capital(&self, i: usize) -> bool {
        self.at(i).is_some_and(|t| t.capital)
    }

    /// Length and value of a digit token (the value saturates).
    pub(super) fn digits(&self, i: usize) -> Option<(usize, u64)> {
        if !self.is_digits(i) {
            return None;
        }
        let bytes = self.bytes(i);
        Some((bytes.len(), value_of(0, bytes)))
    }

    /// `i`, or the token after the space at `i`.
    pub(super) fn past_space(&self, i: usize) -> usize {
        if self.is_space(i) { i + 1 } else { i }
    }

    /// The token before `i`, spaces left out.
    pub(super) fn before(&self, i: usize) -> usize {
        let previous = i.wrapping_sub(1);
        if self.is_space(previous) { previous.wrapping_sub(1) } else { previous }
    }

    /// Whether the number that ends before `i` counts or measures something.
    pub(super) fn is_quantity(&self, i: usize) -> bool {
        let next = self.past_space(i);
        self.has(next, Tags::MEASURE) || self.is_sign(next, b'%')
    }

    /// A finding's place in the given text.
    pub(super) fn finding(&self, hit: Hit) -> Option<Finding> {
        let first = self.at(hit.first)?;
        let last = self.at(hit.end.checked_sub(1)?)?;
        (first.start < last.end).then(|| Finding::of(hit.reason, first.start, last.end))
    }

    /// Takes the meaning from the words of an alias and returns the bytes where it stands.
    ///
    /// Its digits keep theirs: an alias cannot cut a phone number in two.
    pub(super) fn exempt(&mut self, alias: &Folded) -> Vec<(usize, usize)> {
        let mut places = Vec::new();
        let count = alias.tokens.len();
        let mut i = 0;
        while i < self.read.tokens.len() {
            let edge_before = !self.is_alnum(i.wrapping_sub(1));
            if edge_before && self.stands_at(i, alias) && !self.is_alnum(i + count) {
                let tokens = self.read.tokens.iter_mut().skip(i).take(count);
                let mut place: Option<(usize, usize)> = None;
                for token in tokens {
                    token.entry = Default::default();
                    token.excused = true;
                    place = Some((place.map_or(token.start, |p| p.0), token.end));
                }
                places.extend(place);
                i += count.max(1);
            } else {
                i += 1;
            }
        }
        places
    }

    fn stands_at(&self, i: usize, alias: &Folded) -> bool {
        !alias.tokens.is_empty()
            && alias.tokens.iter().enumerate().all(|(offset, token)| {
                let here = i + offset;
                self.kind(here) == Some(token.kind)
                    && (token.kind == Kind::Space || alias.bytes.get(token.from..token.to) == Some(self.bytes(here)))
            })
    }
}

/// Appends digits to a number.
pub(super) fn value_of(start: u64, digits: &[u8]) -> u64 {
    digits.iter().fold(start, |value, digit| {
        let digit = u64::from(digit.wrapping_sub(b'0'));
        value.saturating_mul(10).saturating_add(digit)
    })
}

/// Whether a number of that many digits reads as a year of our time.
pub(super) const fn is_year(len: usize, value: u64) -> bool {
    len == 4 && value >= 1_900 && value < 2_100
}
