//! How text is read for matching: folded to one ASCII byte a character and cut into tokens.
//!
//! The text itself is never altered; every token remembers the bytes it came from. Folding drops
//! what cannot be seen, strips accents (composed or not, so NFC and NFD read alike), lowers case, and
//! reads digits of every script, full-width and mathematical letters, and the many dashes, dots and
//! spaces as their plain forms. Look-alike letters of other scripts are left alone.

use zeroize::Zeroizing;

use super::hygiene::is_invisible;
use super::lexicon::{self, Entry};

/// A letter of a script without a Latin reading.
const OTHER_LETTER: u8 = 0xFF;
/// A sign without a plain form.
const OTHER_SIGN: u8 = 0x1A;
/// The degree sign, as read by the coordinates rule.
pub(super) const DEGREE: u8 = 0xB0;

/// What a token is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters only.
    Word,
    /// Digits only.
    Digits,
    /// Spaces of any kind.
    Space,
    /// Line breaks.
    Break,
    /// One other character, as its folded byte.
    Sign(u8),
}

/// A maximal run of one kind (signs stand alone).
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    /// Bytes in the given text.
    pub start: usize,
    pub end: usize,
    /// Bytes in the folded text.
    pub from: usize,
    pub to: usize,
    /// The first letter is a capital.
    pub capital: bool,
    /// Every letter is a capital.
    pub upper: bool,
    /// What the word lists say about it.
    pub entry: Entry,
    /// Part of the alias.
    pub excused: bool,
}

/// A text as the rules see it.
pub(super) struct Folded {
    pub tokens: Vec<Token>,
    /// Wiped when dropped: it is the note itself in another spelling.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl Folded {
    /// Reads a text; one pass, no growth of the folded copy (so no stray copies on the heap).
    pub(super) fn read(text: &str) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
        let mut tokens: Vec<Token> = Vec::with_capacity(text.len() / 3 + 4);
        for (start, c) in text.char_indices() {
            let end = start + c.len_utf8();
            if is_combining(c) {
                // An accent belongs to its letter; what cannot be seen belongs to nothing.
                if let Some(last) = tokens.last_mut()
                    && last.end == start
                    && !is_invisible(c)
                {
                    last.end = end;
                }
                continue;
            }
            if c != '\n' && is_skipped(c) {
                continue;
            }
            let (byte, kind) = fold(c);
            let capital = kind == Kind::Word && c.is_uppercase();
            let at = bytes.len();
            bytes.push(byte);
            match tokens.last_mut() {
                Some(last) if last.kind == kind && !matches!(kind, Kind::Sign(_)) => {
                    last.end = end;
                    last.to = at + 1;
                    last.upper &= capital;
                }
                _ => tokens.push(Token {
                    kind,
                    start,
                    end,
                    from: at,
                    to: at + 1,
                    capital,
                    upper: capital,
                    entry: Entry::default(),
                    excused: false,
                }),
            }
        }
        for token in &mut tokens {
            if token.kind == Kind::Word
                && let Some(word) = bytes.get(token.from..token.to)
            {
                token.entry = lexicon::look_up(word);
            }
        }
        Self { tokens, bytes }
    }
}

fn is_skipped(c: char) -> bool {
    // Tab and carriage return part words although they are controls.
    !matches!(c, '\t' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{2800}' | '\u{3164}') && is_invisible(c)
}

fn is_combining(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20F0}' | '\u{FE20}'..='\u{FE2F}')
}

fn fold(c: char) -> (u8, Kind) {
    if c.is_ascii() {
        return fold_ascii(c as u8);
    }
    if let Some(digit) = digit_value(c) {
        return (b'0' + digit, Kind::Digits);
    }
    let plain = match c {
        '\u{FF01}'..='\u{FF5E}' => return fold_ascii((u32::from(c) - 0xFEE0) as u8),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2043}' | '\u{FE58}' | '\u{FE63}' => b'-',
        '·' | '•' | '‧' | '∙' | '⋅' | '。' | '․' => b'.',
        '⁄' | '∕' => b'/',
        '’' | '‘' | '′' | 'ʼ' => b'\'',
        '“' | '”' | '″' => b'"',
        '°' => DEGREE,
        '、' | '،' => b',',
        '№' => b'#',
        '\u{85}' | '\u{2028}' | '\u{2029}' => return (b'\n', Kind::Break),
        '\u{2800}' | '\u{3164}' => return (b' ', Kind::Space),
        _ if c.is_whitespace() => return (b' ', Kind::Space),
        _ => match latin(c) {
            Some(letter) => return (letter, Kind::Word),
            None if c.is_alphanumeric() => return (OTHER_LETTER, Kind::Word),
            None => OTHER_SIGN,
        },
    };
    (plain, Kind::Sign(plain))
}

fn fold_ascii(byte: u8) -> (u8, Kind) {
    match byte {
        b'a'..=b'z' => (byte, Kind::Word),
        b'A'..=b'Z' => (byte.to_ascii_lowercase(), Kind::Word),
        b'0'..=b'9' => (byte, Kind::Digits),
        b'\n' | b'\r' => (b'\n', Kind::Break),
        b' ' | b'\t' => (b' ', Kind::Space),
        _ => (byte, Kind::Sign(byte)),
    }
}

/// The plain letter under an accent or a decorative form, if it is a Latin one.
fn latin(c: char) -> Option<u8> {
    let letter = match c {
        'À'..='Æ' | 'à'..='æ' | 'Ā'..='ą' | 'ª' => b'a',
        'Ç' | 'ç' | 'Ć'..='č' => b'c',
        'Ð' | 'ð' | 'Ď'..='đ' => b'd',
        'È'..='Ë' | 'è'..='ë' | 'Ē'..='ě' => b'e',
        'Ĝ'..='ģ' => b'g',
        'Ĥ'..='ħ' => b'h',
        'Ì'..='Ï' | 'ì'..='ï' | 'Ĩ'..='ĳ' => b'i',
        'Ĵ' | 'ĵ' => b'j',
        'Ķ'..='ĸ' => b'k',
        'Ĺ'..='ł' => b'l',
        'Ñ' | 'ñ' | 'Ń'..='ŋ' => b'n',
        'Ò'..='Ö' | 'Ø' | 'ò'..='ö' | 'ø' | 'Ō'..='œ' | 'º' => b'o',
        'Ŕ'..='ř' => b'r',
        'ß' | 'Ś'..='š' | 'ſ' => b's',
        'Ţ'..='ŧ' => b't',
        'Ù'..='Ü' | 'ù'..='ü' | 'Ũ'..='ų' => b'u',
        'Ŵ' | 'ŵ' => b'w',
        'Ý' | 'ý' | 'ÿ' | 'Ŷ'..='Ÿ' => b'y',
        'Ź'..='ž' => b'z',
        '\u{1D400}'..='\u{1D6A3}' => b'a' + ((u32::from(c) - 0x1D400) % 26) as u8,
        _ => return None,
    };
    Some(letter)
}

/// Zeros of the decimal digit runs outside ASCII (general category Nd, Unicode 16).
const ZEROS: [u32; 62] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040,
    0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50,
    0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0,
    0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60, 0x16AC0, 0x16B50, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E950, 0x1FBF0,
];

/// Reads a digit of any script, also raised, lowered, circled, bracketed and mathematical ones.
fn digit_value(c: char) -> Option<u8> {
    let code = u32::from(c);
    let offset = match code {
        0x00B2 | 0x00B3 => return Some((code - 0x00B0) as u8),
        0x00B9 => return Some(1),
        0x2070 | 0x2074..=0x2079 => code - 0x2070,
        0x2080..=0x2089 => code - 0x2080,
        0x2460..=0x2468 => code - 0x2460 + 1,
        0x2474..=0x247C => code - 0x2474 + 1,
        0x2488..=0x2490 => code - 0x2488 + 1,
        0x24EA | 0x24FF => 0,
        0x24F5..=0x24FD => code - 0x24F5 + 1,
        0x2776..=0x277E => code - 0x2776 + 1,
        0x2780..=0x2788 => code - 0x2780 + 1,
        0x278A..=0x2792 => code - 0x278A + 1,
        0x1D7CE..=0x1D7FF => (code - 0x1D7CE) % 10,
        _ if code < 0x0660 => return None,
        _ => {
            let below = ZEROS.partition_point(|&zero| zero <= code);
            let zero = *ZEROS.get(below.checked_sub(1)?)?;
            code - zero
        }
    };
    (offset < 10).then_some(offset as u8)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn folded(text: &str) -> String {
        String::from_utf8_lossy(&Folded::read(text).bytes).into_owned()
    }

    #[test]
    fn digits_of_every_script_read_as_digits() {
        assert_eq!(folded("５５５ ٠١٢٣ ۴۵۶ ९८७ ৩ ๔ 𝟓𝟝 ①⓪³₄"), "555 0123 456 987 3 4 55 1034");
        assert_eq!(folded("5\u{FE0F}\u{20E3}6\u{FE0F}\u{20E3}"), "56");
        assert!(ZEROS.is_sorted());
        for zero in ZEROS {
            let c = char::from_u32(zero).unwrap();
            assert!(c.is_numeric(), "U+{zero:04X}");
            assert_eq!(digit_value(c), Some(0));
        }
    }

    #[test]
    fn accents_case_and_forms_fold_away() {
        assert_eq!(folded("Niño NIN\u{303}O Ｐｉｎｅ 𝐒𝐭 Nº"), "nino nino pine st no");
        assert_eq!(folded("5–5—5‑5 5\u{A0}5\u{2009}5 5·5"), "5-5-5-5 5 5 5 5.5");
        assert_eq!(folded("5\u{200B}5\u{202E}5\u{AD}5"), "5555");
    }

    #[test]
    fn tokens_point_into_the_given_text() {
        let text = "né\u{301} ٥٥\u{200B}٥-x";
        let read = Folded::read(text);
        let pieces: Vec<_> = read.tokens.iter().map(|t| &text[t.start..t.end]).collect();
        assert_eq!(pieces, ["né\u{301}", " ", "٥٥\u{200B}٥", "-", "x"]);
    }

    #[test]
    fn the_folded_copy_never_grows() {
        let text = "ñ５Ａ🧑🏽 x".repeat(50);
        let read = Folded::read(&text);
        assert!(read.bytes.capacity() <= text.len() + 8);
    }
}
