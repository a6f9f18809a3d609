//! A text as a row of words, for phrases, names and the model.

use super::table::{Lexis, Tier};
use crate::screen::fold::Kind;
use crate::screen::lexicon::Tags;
use crate::screen::view::View;

/// A word or a number.
#[derive(Clone, Copy, Debug)]
pub(in crate::screen) struct Word {
    /// Its token.
    pub token: usize,
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
    classes: (u32, u32),
}

/// The words of a text with their classes.
pub(in crate::screen) struct Words {
    pub list: Vec<Word>,
    classes: Vec<u16>,
}

/// What may follow an apostrophe and is no word of its own.
const TAILS: [&[u8]; 7] = [b"s", b"t", b"d", b"m", b"re", b"ve", b"ll"];
/// Words with a full stop of their own.
const SHORTENED: [&[u8]; 26] = [
    b"ofc", b"off", b"sgt", b"lt", b"capt", b"det", b"dep", b"cpl", b"insp", b"dr", b"mr", b"mrs", b"ms", b"st", b"no", b"num", b"av", b"ave",
    b"apt", b"dept", b"sr", b"sra", b"jr", b"fn", b"tel", b"lic",
];

impl Words {
    /// Reads the words of a text.
    pub(in crate::screen) fn read(view: &View, lexis: &Lexis) -> Self {
        let mut words = Self { list: Vec::new(), classes: Vec::new() };
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
                    let from = words.classes.len();
                    let (mut tier, mut common) = (Tier::default(), true);
                    if !excused {
                        let tagged = token.is_some_and(|t| t.entry.tags != Tags::default());
                        (tier, common) = lexis.look_up(bytes, tagged, &mut words.classes);
                    }
                    letters += 1;
                    capitals += usize::from(upper);
                    let classes = (from as u32, words.classes.len() as u32);
                    let capital = view.is_capital(i);
                    let uncommon = !common && classes.0 == classes.1;
                    words.list.push(Word { token: i, sentence, first: fresh, capital, upper, number, excused, tier, uncommon, classes });
                    fresh = false;
                }
                Kind::Digits => {
                    let at = words.classes.len() as u32;
                    let word = Word {
                        token: i,
                        sentence,
                        first: fresh,
                        capital: false,
                        upper: false,
                        number: true,
                        excused: false,
                        tier: Tier::default(),
                        uncommon: false,
                        classes: (at, at),
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

    /// Whether the word at `w` is of a class.
    pub(super) fn is_of(&self, word: &Word, class: u16) -> bool {
        self.classes_of(word).contains(&class)
    }

    /// The classes of a word.
    pub(super) fn classes_of(&self, word: &Word) -> &[u16] {
        self.classes.get(word.classes.0 as usize..word.classes.1 as usize).unwrap_or_default()
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
