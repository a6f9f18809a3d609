//! The compiled tables: words to classes, classes to phrases, names, common words, misspellings.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use super::grammar::Source;
use super::senses;
use super::{Phrase, Shape};

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

pub(in crate::screen) const fn fnv_step(hash: u64, byte: u8) -> u64 {
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

/// What the lists say of one word.
#[derive(Debug, Default)]
pub(in crate::screen) struct Known {
    /// In ascending order.
    classes: Vec<u16>,
    /// The phrases that hang on it: harmless ones, and the others.
    hanging: [Vec<u16>; 2],
    /// What is known of it as a name.
    pub tier: Tier,
    /// It is an everyday word.
    pub common: bool,
    /// What it is about, one bit a sense.
    pub senses: u64,
}

/// The classes of phrase files that the model sees as senses too; the other senses stand in `data/senses.txt`.
const SENSED: [&str; 12] = ["crime", "rel", "drug", "make", "model", "camp", "weapon", "pos", "bars", "court", "hurt", "pega"];

impl Known {
    /// Whether the word is of a class.
    pub(super) fn is_of(&self, class: u16) -> bool {
        self.classes.binary_search(&class).is_ok()
    }

    /// Whether any phrase knows the word.
    pub(super) fn has_classes(&self) -> bool {
        !self.classes.is_empty()
    }
}

/// What was found for a word.
#[derive(Clone, Copy, Default)]
pub(super) struct Found {
    /// Under the word itself, or the word that it is one slip away from.
    pub whole: Option<&'static Known>,
    /// Under its beginning.
    pub stem: Option<&'static Known>,
    pub tier: Tier,
    pub common: bool,
    /// Of the folded word.
    pub hash: u64,
    /// What the word is about, one bit a sense.
    pub senses: u64,
}

/// Everything that the phrases and names need, compiled once.
pub(in crate::screen) struct Lexis {
    words: Table<Known>,
    /// Beginnings of words: their classes.
    stems: Table<Known>,
    stem_lens: u32,
    /// Words that may be misspelled, under every spelling with one letter left out.
    misspelled: Table<Vec<u16>>,
    spellings: Vec<String>,
    /// Senses of words that stand in no other list.
    senses: Table<u64>,
    pub(super) phrases: Vec<Phrase>,
    /// Lines that could not be read; a test wants none.
    #[cfg(test)]
    pub(super) unread: Vec<String>,
}

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
        include_str!("../data/senses.txt"),
    )
});

/// The compiled tables.
pub(in crate::screen) fn lexis() -> &'static Lexis {
    &LEXIS
}

impl Lexis {
    pub(super) fn compile(phrases: &[&str], names: &str, common: &str, senses: &str) -> Self {
        let mut source = Source::default();
        for text in phrases {
            source.read(text);
        }
        let mut lexis = Self {
            words: Table::default(),
            stems: Table::default(),
            stem_lens: 0,
            misspelled: Table::default(),
            spellings: Vec::new(),
            senses: Table::default(),
            phrases: Vec::new(),
            #[cfg(test)]
            unread: source.unread.clone(),
        };
        lexis.read_names(names);
        for word in common.split_ascii_whitespace() {
            lexis.words.entry(fnv(word.as_bytes())).or_default().common = true;
        }
        lexis.take_classes(&source);
        for (bit, name) in SENSED.iter().enumerate() {
            for word in source.named.get(*name).into_iter().flatten() {
                lexis.words.entry(fnv(word.as_bytes())).or_default().senses |= 1 << bit;
            }
        }
        senses::read(senses, SENSED.len(), |word, bit| {
            let hash = fnv(word);
            match lexis.words.get_mut(&hash) {
                Some(known) => known.senses |= bit,
                None => *lexis.senses.entry(hash).or_default() |= bit,
            }
        });
        let mut by_anchor = [vec![Vec::new(); source.classes.len()], vec![Vec::new(); source.classes.len()]];
        for phrase in source.phrases {
            let [harmless, others] = &mut by_anchor;
            let lists = if phrase.reason.is_none() { harmless } else { others };
            if let Some(Shape::Class(class)) = phrase.elements.get(phrase.anchor).map(|e| e.shape)
                && let Some(list) = lists.get_mut(usize::from(class))
                && let Ok(number) = u16::try_from(lexis.phrases.len())
            {
                list.push(number);
                lexis.phrases.push(phrase);
            }
        }
        for known in lexis.words.values_mut().chain(lexis.stems.values_mut()) {
            known.classes.sort_unstable();
            for (list, lists) in known.hanging.iter_mut().zip(&by_anchor) {
                list.extend(known.classes.iter().filter_map(|&class| lists.get(usize::from(class))).flatten());
            }
        }
        lexis
    }

    /// The phrases that hang on a word, the harmless ones or the others.
    pub(super) fn hanging_on<'l>(&'l self, known: &'l Known, harmless: bool) -> impl Iterator<Item = &'l Phrase> {
        let [first, second] = &known.hanging;
        let list = if harmless { first } else { second };
        list.iter().filter_map(|&number| self.phrases.get(usize::from(number)))
    }

    fn take_classes(&mut self, source: &Source) {
        for (class, words) in (0u16..).zip(&source.classes) {
            for word in words {
                let list = match word.strip_suffix('*') {
                    Some(stem) => {
                        self.stem_lens |= 1 << stem.len().min(31);
                        self.stems.entry(fnv(stem.as_bytes())).or_default()
                    }
                    None => self.words.entry(fnv(word.as_bytes())).or_default(),
                };
                let list = &mut list.classes;
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
            self.spellings.push(word.clone());
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
                        let known = self.words.entry(fnv(name.as_bytes())).or_default();
                        known.tier = known.tier.or(tier);
                    }
                }
            }
        }
    }

    /// Looks a folded word up. A misspelled word is taken for the word that it is one slip away from;
    /// one that another list knows (`tagged`) is not misspelled.
    pub(super) fn look_up(&'static self, word: &[u8], tagged: bool) -> Found {
        let mut found = Found { hash: FNV_BASIS, ..Found::default() };
        for (at, byte) in (1u32..).zip(word.iter().take(WORD_MAX_BYTES)) {
            found.hash = fnv_step(found.hash, *byte);
            if self.stem_lens & (1 << at.min(31)) != 0
                && let Some(known) = self.stems.get(&found.hash)
            {
                found.stem = Some(known);
            }
        }
        if let Some(known) = self.words.get(&found.hash).filter(|_| word.len() <= WORD_MAX_BYTES) {
            (found.whole, found.tier, found.common) = (Some(known), known.tier, known.common || known.senses != 0 && known.tier.is_empty());
        } else if let Some(senses) = self.senses.get(&found.hash) {
            (found.senses, found.common) = (*senses, true);
        } else if found.stem.is_none() && !tagged && (MISSPELLED_MIN_BYTES..=WORD_MAX_BYTES).contains(&word.len()) {
            found.whole = self.misspelled(word, found.hash);
        }
        found.senses |= found.whole.map_or(0, |known| known.senses);
        found
    }

    /// The word that two pieces make together, if phrases know it.
    pub(super) fn joined(&'static self, first: &[u8], second: &[u8]) -> Option<(u64, &'static Known)> {
        let hash = second.iter().fold(fnv(first), |hash, byte| fnv_step(hash, *byte));
        self.words.get(&hash).filter(|known| known.has_classes()).map(|known| (hash, known))
    }

    fn misspelled(&'static self, word: &[u8], hash: u64) -> Option<&'static Known> {
        let near = |key: u64| {
            let numbers = self.misspelled.get(&key)?;
            numbers.iter().find_map(|&number| {
                let spelling = self.spellings.get(usize::from(number))?.as_bytes();
                self.words.get(&fnv(spelling)).filter(|_| is_one_slip(word, spelling))
            })
        };
        let whole = |key| self.words.get(&key).filter(|known| word.len() > 6 && known.has_classes());
        near(hash).or_else(|| deletions(word).find_map(|key| near(key).or_else(|| whole(key))))
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
    // Another letter in its place makes another word of a short one ("rained", "raided").
    let long = a.len() >= 8;
    let ahead = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    if ahead == 0 {
        return false;
    }
    let (a, b) = (a.get(ahead..).unwrap_or_default(), b.get(ahead..).unwrap_or_default());
    match (a, b) {
        ([], [_]) | ([_], []) => true,
        ([x, y, a_rest @ ..], [u, v, b_rest @ ..]) if x == v && y == u && a_rest == b_rest => true,
        ([_, a_rest @ ..], [_, b_rest @ ..]) if a_rest == b_rest => long,
        ([_, a_rest @ ..], _) if a_rest == b => true,
        (_, [_, b_rest @ ..]) if a == b_rest => true,
        _ => false,
    }
}
