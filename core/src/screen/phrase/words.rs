//! A text as a row of words, for phrases, names and the model.

use super::table::{Found, Known, Lexis, Tier};
use crate::screen::fold::Kind;
use crate::screen::lexicon::Tags;
use crate::screen::view::View;

/// A word or a number.
#[derive(Clone, Copy)]
pub(in crate::screen) struct Word {
    /// Its first token.
    pub token: usize,
    /// Its last token: another one where a stray space cuts the word ("pro bation").
    pub last: usize,
    /// Words of one sentence have the same number.
    pub sentence: u32,
    /// The first of its sentence.
    pub first: bool,
    pub capital: bool,
    /// All capitals, longer than one letter.
    pub upper: bool,
    /// Figures or a number word.
    pub number: bool,
    /// Part of the alias: no rule looks at it.
    pub excused: bool,
    pub tier: Tier,
    /// No list has it as an everyday word.
    pub uncommon: bool,
    /// Of the folded word.
    pub hash: u64,
    /// What it is about, one bit a sense.
    pub senses: u64,
    known: [Option<&'static Known>; 2],
}

/// The words of a text with their classes.
pub(in crate::screen) struct Words {
    pub list: Vec<Word>,
}

/// What may follow an apostrophe and is no word of its own.
const TAILS: [&[u8]; 7] = [b"s", b"t", b"d", b"m", b"re", b"ve", b"ll"];
/// Words with a full stop of their own.
const SHORTENED: [&[u8]; 26] = [
    b"ofc", b"off", b"sgt", b"lt", b"capt", b"det", b"dep", b"cpl", b"insp", b"dr", b"mr", b"mrs", b"ms", b"st", b"no", b"num", b"av",
    b"ave", b"apt", b"dept", b"sr", b"sra", b"jr", b"fn", b"tel", b"lic",
];

impl Words {
    /// Reads the words of a text.
    pub(in crate::screen) fn read(view: &View, lexis: &'static Lexis) -> Self {
        let mut words = Self { list: Vec::with_capacity(view.count() / 2 + 1) };
        let (mut sentence, mut fresh, mut letters, mut capitals) = (0, true, 0_usize, 0_usize);
        let mut i = 0;
        while let Some(kind) = view.kind(i) {
            match kind {
                Kind::Word if is_tail(view, i) => {}
                Kind::Word => {
                    let token = view.at(i).copied();
                    let (excused, upper) = token.map_or((false, false), |t| (t.excused, t.upper && t.to - t.from > 1));
                    let bytes = view.bytes(i);
                    let number = view.has(i, Tags::NUMBER);
                    let tagged = token.is_some_and(|t| t.entry.tags != Tags::default());
                    let found = if excused { Found { common: true, ..Found::default() } } else { lexis.look_up(bytes, tagged) };
                    letters += 1;
                    capitals += usize::from(upper);
                    let capital = view.is_capital(i);
                    let known = [found.whole.filter(|k| k.has_classes()), found.stem];
                    let uncommon = !found.common && known.iter().all(Option::is_none);
                    let (tier, hash, senses) = (found.tier, found.hash, found.senses);
                    let read = Word {
                        token: i,
                        last: i,
                        sentence,
                        first: fresh,
                        capital,
                        upper,
                        number,
                        excused,
                        tier,
                        uncommon,
                        hash,
                        senses,
                        known,
                    };
                    if !words.join(view, &read, lexis) {
                        words.list.push(read);
                    }
                    fresh = false;
                }
                Kind::Digits => {
                    let word = Word {
                        token: i,
                        last: i,
                        sentence,
                        first: fresh,
                        capital: false,
                        upper: false,
                        number: true,
                        excused: false,
                        tier: Tier::default(),
                        uncommon: false,
                        hash: 0,
                        senses: 0,
                        known: [None; 2],
                    };
                    words.list.push(word);
                    fresh = false;
                }
                Kind::Break | Kind::Sign(b'!' | b'?' | b';' | b'|') => (sentence, fresh) = (sentence + 1, true),
                Kind::Sign(b'.') if ends_sentence(view, i) => (sentence, fresh) = (sentence + 1, true),
                _ => {}
            }
            i += 1;
        }
        // Where everything is in capitals, capitals say nothing.
        if letters >= 2 && capitals * 2 > letters {
            for word in &mut words.list {
                word.capital = false;
            }
        }
        words
    }

    /// Joins a word to the one before if a stray space cut a word in two that phrases know.
    fn join(&mut self, view: &View, next: &Word, lexis: &'static Lexis) -> bool {
        let Some(before) = self.list.last_mut() else { return false };
        let parts = before.last + 2 == next.token && view.is_space(before.last + 1) && before.sentence == next.sentence;
        let doubtful = before.uncommon || next.uncommon;
        if !parts || !doubtful || before.number || before.excused || next.excused || before.last != before.token {
            return false;
        }
        let (first, second) = (view.bytes(before.token), view.bytes(next.token));
        if !(JOINED_MIN_BYTES..=JOINED_MAX_BYTES).contains(&(first.len() + second.len())) || second.len() < 2 {
            return false;
        }
        let Some((hash, known)) = lexis.joined(first, second) else { return false };
        (before.last, before.hash, before.uncommon) = (next.token, hash, false);
        (before.known, before.tier, before.senses) = ([Some(known), None], Tier::default(), known.senses);
        true
    }
}

/// The shortest and longest word that is put together from two.
const JOINED_MIN_BYTES: usize = 7;
const JOINED_MAX_BYTES: usize = 16;

impl Word {
    /// Whether the word is of a class.
    pub(super) fn is_of(&self, class: u16) -> bool {
        self.known().any(|known| known.is_of(class))
    }

    /// What the lists say of it.
    pub(super) fn known(&self) -> impl Iterator<Item = &'static Known> + use<> {
        self.known.into_iter().flatten()
    }
}

fn is_tail(view: &View, i: usize) -> bool {
    view.is_sign(i.wrapping_sub(1), b'\'') && view.is_word(i.wrapping_sub(2)) && TAILS.contains(&view.bytes(i))
}

fn ends_sentence(view: &View, i: usize) -> bool {
    let before = view.bytes(i.wrapping_sub(1));
    let shortened = before.len() == 1 || SHORTENED.contains(&before);
    !view.is_alnum(i + 1) && !shortened
}
