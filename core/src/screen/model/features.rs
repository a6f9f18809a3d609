//! What the model sees of a sentence.

use crate::screen::phrase::{Tier, Word, Words, fnv, fnv_step};
use crate::screen::view::View;

/// How many features are told apart (others share).
pub(in crate::screen) const BUCKETS: usize = 1 << 15;
/// The first buckets hold features of words, the others features of senses alone.
const LEXICAL: usize = BUCKETS / 4 * 3;
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
const SENSE: u8 = 4;
const NEAR: u8 = 5;

const NUMBER: u64 = fnv(b"#number");
const NAME: u64 = fnv(b"#name");
const BEFORE: u64 = fnv(b"#before");

const fn mixed(hash: u64) -> usize {
    // FNV's high bits are the better mixed ones
    (hash ^ (hash >> 32)) as usize
}

/// What is remembered of a word for those after it.
#[derive(Clone, Copy)]
struct Seen {
    own: u64,
    senses: u64,
}

impl Sentence {
    /// Reads `count` words from the word `from` on; words of harmless phrases and of the alias are left out.
    pub(in crate::screen) fn read(&mut self, view: &View, words: &Words, harmless: &[bool], from: usize, count: usize) {
        self.buckets.clear();
        self.places.clear();
        self.seen.fill(0);
        self.push(fnv(b"#always"));
        let nothing = Seen { own: BEFORE, senses: 0 };
        let mut last = nothing;
        let mut all = 0_u64;
        for (at, word) in words.list.iter().enumerate().skip(from).take(count) {
            if word.excused || harmless.get(at) == Some(&true) {
                last = nothing;
                continue;
            }
            self.places.push((self.buckets.len() as u16, (at - from) as u16));
            let here = Seen { own: value(word), senses: senses(word) };
            self.push(fnv_step(here.own, WORD));
            self.push(fnv_step(here.own ^ last.own.rotate_left(21), PAIR));
            if word.uncommon && !word.number {
                for piece in view.bytes(word.token).windows(PIECE_BYTES).take(PIECES) {
                    self.push(fnv_step(fnv(piece), PIECE));
                }
            }
            let new = here.senses & !all;
            for sense in bits(here.senses) {
                if new & (1 << sense) != 0 {
                    self.push_sense(u64::from(sense), SENSE);
                }
                for other in bits(last.senses) {
                    self.push_sense(u64::from(other) << 8 | u64::from(sense), NEAR);
                }
            }
            all |= here.senses;
            last = here;
        }
    }

    fn push(&mut self, hash: u64) {
        self.put(mixed(hash) % LEXICAL);
    }

    fn push_sense(&mut self, what: u64, mark: u8) {
        let hash = fnv_step(fnv_step(fnv_step(fnv(b"#"), what as u8), (what >> 8) as u8), mark);
        self.put(LEXICAL + mixed(hash) % (BUCKETS - LEXICAL));
    }

    fn put(&mut self, bucket: usize) {
        let bit = 1_u64 << (bucket % 64);
        if let Some(seen) = self.seen.get_mut(bucket / 64).filter(|seen| **seen & bit == 0) {
            *seen |= bit;
            self.buckets.push(bucket as u16);
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

/// The numbers of the bits of a set.
fn bits(mut set: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = set.trailing_zeros();
        (bit < u64::BITS).then(|| {
            set &= set - 1;
            bit
        })
    })
}

/// Senses beyond the listed ones: a number, a name.
const IS_NUMBER: u64 = 1 << 63;
fn senses(word: &Word) -> u64 {
    if word.number { IS_NUMBER } else { word.senses }
}

fn value(word: &Word) -> u64 {
    if word.number {
        NUMBER
    } else if !word.tier.is_empty() && (word.capital || word.tier.any(Tier::GIVEN)) {
        NAME
    } else {
        word.hash
    }
}
