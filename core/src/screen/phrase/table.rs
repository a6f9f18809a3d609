//! The compiled tables: words to classes, classes to phrases, names, common words, misspellings.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use super::grammar::{self, Source};
use super::{Phrase, Shape};
use crate::screen::finding::Reason;

/// FNV-1a, 64 bits: small, the same everywhere, good enough for words of a fixed list.
pub(in crate::screen) const fn fnv(bytes: &[u8]) -> u64 {
    let mut hash = FNV_BASIS;
    let mut at = 0;
    while at < bytes.len() {
        hash = fnv_step(hash, bytes[at]);
        at += 1;
    }
    hash
}

pub(super) const FNV_BASIS: u64 = 0xCBF2_9CE4_8422_2325;

pub(super) const fn fnv_step(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(0x0100_0000_01B3)
}

/// Keys are hashes already.
#[derive(Default)]
pub(in crate::screen) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = fnv_step(self.0, *byte);
        }
    }
    fn write_u64(&mut self, key: u64) {
        // the table takes its bucket from both ends of the number
        self.0 = key ^ (key >> 29);
    }
}

type Table<V> = HashMap<u64, V, BuildHasherDefault<Hashed>>;

/// What is known of a name: a set of the tiers below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::screen) struct Tier(pub u8);

impl Tier {
    /// A given name that is hardly ever anything else.
    pub const GIVEN: Tier = Tier(1);
    /// A given name that is also a word, a place or a family name: counts with a capital inside a sentence.
    pub const DOUBTFUL: Tier = Tier(2);
    /// A given name that is an everyday word first: counts after words that a name follows.
    pub const EVERYDAY: Tier = Tier(4);
    /// A family name that is hardly ever anything else.
    pub const FAMILY: Tier = Tier(8);
    /// A family name that is also a word or a place.
    pub const FAMILY_DOUBTFUL: Tier = Tier(16);

    pub(in crate::screen) const fn any(self, of: Tier) -> bool {
        self.0 & of.0 != 0
    }
    pub(in crate::screen) const fn or(self, other: Tier) -> Tier {
        Tier(self.0 | other.0)
    }
    pub(in crate::screen) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Everything that the phrases and names need, compiled once.
pub(in crate::screen) struct Lexis {
    /// Whole words and, under [`STEM`], beginnings of words: their classes.
    classes: Table<Vec<u16>>,
    stem_lens: u32,
    /// Words that may be misspelled, under every spelling with one letter left out.
    misspelled: Table<Vec<u16>>,
    spellings: Vec<(String, Vec<u16>)>,
    names: Table<Tier>,
    common: Table<()>,
    pub(super) phrases: Vec<Phrase>,
    /// Phrases by the class that they hang on, harmless ones first.
    pub(super) by_anchor: Vec<Vec<u16>>,
    /// Lines that could not be read; a test wants none.
    #[cfg(test)]
    pub(super) unread: Vec<String>,
}

/// Mixed into the hash of a beginning, so that it is not taken for a whole word.
const STEM: u64 = 0x5CA1_AB1E_0000_0001;
/// Shortest word that is looked for among misspellings.
const MISSPELLED_MIN_BYTES: usize = 5;
/// Longest word that is looked at.
const WORD_MAX_BYTES: usize = 24;

static LEXIS: LazyLock<Lexis> = LazyLock::new(|| {
    Lexis::compile(
        &[
            include_str!("../data/classes.txt"),
            include_str!("../data/justice.txt"),
            include_str!("../data/people.txt"),
            include_str!("../data/places.txt"),
            include_str!("../data/harmless.txt"),
        ],
        include_str!("../data/names.txt"),
        include_str!("../data/common.txt"),
    )
});

/// The compiled tables.
pub(in crate::screen) fn lexis() -> &'static Lexis {
    &LEXIS
}

impl Lexis {
    pub(super) fn compile(phrases: &[&str], names: &str, common: &str) -> Self {
        let mut source = Source::default();
        for text in phrases {
            source.read(text);
        }
        let mut lexis = Self {
            classes: Table::default(),
            stem_lens: 0,
            misspelled: Table::default(),
            spellings: Vec::new(),
            names: Table::default(),
            common: Table::default(),
            by_anchor: vec![Vec::new(); source.classes.len()],
            phrases: Vec::new(),
            #[cfg(test)]
            unread: source.unread.clone(),
        };
        lexis.read_names(names);
        for word in common.split_ascii_whitespace() {
            lexis.common.insert(fnv(word.as_bytes()), ());
        }
        lexis.take_classes(&source);
        source.phrases.sort_by_key(|phrase| phrase.reason.is_some());
        for phrase in source.phrases {
            let number = lexis.phrases.len();
            if let Some(Shape::Class(class)) = phrase.elements.get(phrase.anchor).map(|e| e.shape)
                && let Some(list) = lexis.by_anchor.get_mut(usize::from(class))
                && let Ok(number) = u16::try_from(number)
            {
                list.push(number);
                lexis.phrases.push(phrase);
            }
        }
        lexis
    }

    fn take_classes(&mut self, source: &Source) {
        for (class, words) in (0u16..).zip(&source.classes) {
            for word in words {
                let (key, stem) = match word.strip_suffix('*') {
                    Some(stem) => (fnv(stem.as_bytes()) ^ STEM, Some(stem)),
                    None => (fnv(word.as_bytes()), None),
                };
                if let Some(stem) = stem {
                    self.stem_lens |= 1 << stem.len().min(31);
                }
                let list = self.classes.entry(key).or_default();
                if !list.contains(&class) {
                    list.push(class);
                }
            }
        }
        let mut exact: Vec<&String> = source.classes.iter().flatten().filter(|w| !w.ends_with('*') && w.len() >= 6).collect();
        exact.sort_unstable();
        exact.dedup();
        for word in exact {
            let Ok(number) = u16::try_from(self.spellings.len()) else { break };
            let classes = self.classes.get(&fnv(word.as_bytes())).cloned().unwrap_or_default();
            self.spellings.push((word.clone(), classes));
            for key in deletions(word.as_bytes()) {
                let list = self.misspelled.entry(key).or_default();
                if list.last() != Some(&number) {
                    list.push(number);
                }
            }
        }
    }

    fn read_names(&mut self, names: &str) {
        let mut tier = Tier::default();
        for line in names.lines() {
            match line.trim() {
                "[given]" => tier = Tier::GIVEN,
                "[given, doubtful]" => tier = Tier::DOUBTFUL,
                "[given, everyday]" => tier = Tier::EVERYDAY,
                "[family]" => tier = Tier::FAMILY,
                "[family, doubtful]" => tier = Tier::FAMILY_DOUBTFUL,
                line if line.starts_with('#') => {}
                line => {
                    for name in line.split_ascii_whitespace() {
                        let known = self.names.entry(fnv(name.as_bytes())).or_default();
                        *known = known.or(tier);
                    }
                }
            }
        }
    }

    /// What the name lists say of a folded word.
    pub(in crate::screen) fn tier(&self, word: &[u8]) -> Tier {
        self.names.get(&fnv(word)).copied().unwrap_or_default()
    }

    /// Whether a folded word is an everyday one.
    pub(in crate::screen) fn is_common(&self, word: &[u8]) -> bool {
        self.common.contains_key(&fnv(word))
    }

    /// Appends the classes of a folded word; misspelled words get those of the word they are one slip away from.
    pub(super) fn classes(&self, word: &[u8], known: bool, into: &mut Vec<u16>) {
        if word.len() > WORD_MAX_BYTES {
            return;
        }
        let from = into.len();
        let mut hash = FNV_BASIS;
        for (at, byte) in (1u32..).zip(word) {
            hash = fnv_step(hash, *byte);
            if at < 31
                && self.stem_lens & (1 << at) != 0
                && let Some(classes) = self.classes.get(&(hash ^ STEM))
            {
                into.extend_from_slice(classes);
            }
        }
        if let Some(classes) = self.classes.get(&hash) {
            into.extend_from_slice(classes);
        }
        if into.len() == from && !known && word.len() >= MISSPELLED_MIN_BYTES && !self.common.contains_key(&hash) {
            self.misspelled_classes(word, hash, into);
        }
    }

    fn misspelled_classes(&self, word: &[u8], hash: u64, into: &mut Vec<u16>) {
        let near = |key: u64| {
            let numbers = self.misspelled.get(&key)?;
            numbers.iter().find_map(|&number| {
                let (spelling, classes) = self.spellings.get(usize::from(number))?;
                is_one_slip(word, spelling.as_bytes()).then_some(classes)
            })
        };
        let found = near(hash).or_else(|| {
            deletions(word).find_map(|key| near(key).or_else(|| self.classes.get(&key).filter(|_| word.len() > 6)))
        });
        if let Some(classes) = found {
            into.extend_from_slice(classes);
        }
    }

    /// Which reason a phrase reports.
    pub(super) fn reason(&self, phrase: u16) -> Option<Reason> {
        self.phrases.get(usize::from(phrase)).and_then(|p| p.reason)
    }
}

/// Hashes of the word with each letter but the first left out in turn.
fn deletions(word: &[u8]) -> impl Iterator<Item = u64> + '_ {
    (1..word.len()).map(|gone| {
        let (before, after) = (word.get(..gone).unwrap_or_default(), word.get(gone + 1..).unwrap_or_default());
        after.iter().fold(fnv(before), |hash, byte| fnv_step(hash, *byte))
    })
}

/// Whether one letter left out, put in, changed or swapped with its neighbour turns one word into the other.
fn is_one_slip(a: &[u8], b: &[u8]) -> bool {
    let ahead = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    if ahead == 0 {
        return false;
    }
    let (a, b) = (a.get(ahead..).unwrap_or_default(), b.get(ahead..).unwrap_or_default());
    match (a, b) {
        ([], [_]) | ([_], []) => true,
        ([x, y, a_rest @ ..], [u, v, b_rest @ ..]) if x == v && y == u && a_rest == b_rest => true,
        ([_, a_rest @ ..], [_, b_rest @ ..]) if a_rest == b_rest => true,
        ([_, a_rest @ ..], _) if a_rest == b => true,
        (_, [_, b_rest @ ..]) if a == b_rest => true,
        _ => false,
    }
}

pub(super) fn is_word(text: &str) -> bool {
    grammar::is_plain(text)
}
