//! What the model sees of a sentence.

use crate::screen::phrase::{Word, Words, fnv, fnv_step};
use crate::screen::view::View;

/// How many features are told apart (others share).
pub(in crate::screen) const BUCKETS: usize = 1 << 15;
/// Letters in a piece of a rare word.
const PIECE_BYTES: usize = 4;
/// Pieces of one word that are looked at.
const PIECES: usize = 6;

/// The features of one sentence.
pub(in crate::screen) struct Sentence {
    /// Every feature once, in the order of the words: saying a thing twice does not make it truer.
    pub buckets: Vec<u16>,
    /// Where the features of each word begin, and the word's number.
    pub places: Vec<(u16, u16)>,
    /// A bit for every feature that stands in `buckets`.
    seen: [u64; BUCKETS / 64],
}

impl Default for Sentence {
    fn default() -> Self {
        Self { buckets: Vec::new(), places: Vec::new(), seen: [0; BUCKETS / 64] }
    }
}

/// Marks that keep kinds of features apart.
const WORD: u8 = 1;
const PAIR: u8 = 2;
const PIECE: u8 = 3;
const GROUP: u8 = 4;
const GROUPS: u8 = 5;

const NUMBER: u64 = fnv(b"#number");
const NAME: u64 = fnv(b"#name");
const BEFORE: u64 = fnv(b"#before");

fn bucket(hash: u64) -> u16 {
    // FNV's high bits are the better mixed ones
    ((hash ^ (hash >> 32)) % BUCKETS as u64) as u16
}

impl Sentence {
    /// Reads `count` words from the word `from` on; words of harmless phrases and of the alias are left out.
    pub(in crate::screen) fn read(&mut self, view: &View, words: &Words, harmless: &[bool], from: usize, count: usize) {
        self.buckets.clear();
        self.places.clear();
        self.seen.fill(0);
        self.push(fnv(b"#always"));
        let mut before = BEFORE;
        let mut groups = 0;
        for (at, word) in words.list.iter().enumerate().skip(from).take(count) {
            if word.excused || harmless.get(at) == Some(&true) {
                before = BEFORE;
                continue;
            }
            self.places.push((self.buckets.len() as u16, (at - from) as u16));
            let own = value(word);
            self.push(fnv_step(own, WORD));
            self.push(fnv_step(own ^ before.rotate_left(21), PAIR));
            if word.uncommon && !word.number {
                for piece in view.bytes(word.token).windows(PIECE_BYTES).take(PIECES) {
                    self.push(fnv_step(fnv(piece), PIECE));
                }
            }
            let new = word.groups() & !groups;
            for group in bits(new) {
                self.push(fnv_step(u64::from(group), GROUP));
                for other in bits(groups) {
                    let (low, high) = (group.min(other), group.max(other));
                    self.push(fnv_step(u64::from(low) << 8 | u64::from(high), GROUPS));
                }
            }
            groups |= new;
            before = own;
        }
    }

    fn push(&mut self, hash: u64) {
        let bucket = bucket(hash);
        let bit = 1_u64 << (bucket % 64);
        if let Some(seen) = self.seen.get_mut(usize::from(bucket / 64)).filter(|seen| **seen & bit == 0) {
            *seen |= bit;
            self.buckets.push(bucket);
        }
    }

    /// The features of each word that no word before it has, with the word's number.
    pub(in crate::screen) fn by_word(&self) -> impl Iterator<Item = (usize, &[u16])> {
        self.places.iter().enumerate().map(|(n, &(start, word))| {
            let end = self.places.get(n + 1).map_or(self.buckets.len(), |next| usize::from(next.0));
            (usize::from(word), self.buckets.get(usize::from(start)..end).unwrap_or_default())
        })
    }
}

fn bits(set: u32) -> impl Iterator<Item = u32> {
    (0..u32::BITS).filter(move |bit| set & (1 << bit) != 0)
}

fn value(word: &Word) -> u64 {
    if word.number {
        NUMBER
    } else if !word.tier.is_empty() && (word.capital || word.tier.any(crate::screen::phrase::Tier::GIVEN)) {
        NAME
    } else {
        word.hash
    }
}
