//! Characters that a reader cannot see, and where writing needs them.
//!
//! Refused, because two readers (or a reader and the guard) would see different texts:
//! - control characters (also tab and carriage return; a newline is allowed where the type says so);
//! - direction overrides, embeddings, isolates and marks (U+202A..E, U+2066..9, U+200E, U+200F,
//!   U+061C): they can show a number backwards;
//! - zero-width and blank-looking characters, line and paragraph separators, tag characters (these
//!   can spell a whole hidden message; the three subdivision flags that use them are given up).
//!
//! Allowed, because writing needs them:
//! - ZWNJ and ZWJ between two letters (or marks) of a script that shapes with them: Arabic with
//!   Persian and Urdu, Syriac, N'Ko, Mongolian, the Indic and south-east Asian scripts. Never beside
//!   a digit and never twice in a row. ZWJ also ends a word after a vowel killer, as older Malayalam
//!   and Bengali spelling does;
//! - ZWJ between two emoji (families, professions);
//! - the emoji and text variation selectors after a pictograph or in a keycap, once, and an
//!   ideographic variation selector after a Han character, once.

use super::finding::{Finding, Reason};

/// Whether a newline may stand in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    /// One line only.
    One,
    /// Several lines, parted by U+000A.
    Many,
}

/// Finds the hidden characters of a text, neighbours joined into one finding.
pub(super) fn hidden(text: &str, lines: Lines) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let mut before: Option<char> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let after = chars.peek().map(|&(_, next)| next);
        if is_refused(c, before, after, lines) {
            let end = start + c.len_utf8();
            match found.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ => found.push(Finding::of(Reason::HiddenCharacter, start, end)),
            }
        }
        before = Some(c);
    }
    found
}

fn is_refused(c: char, before: Option<char>, after: Option<char>, lines: Lines) -> bool {
    if c == '\n' {
        return lines == Lines::One;
    }
    if !is_invisible(c) {
        return false;
    }
    let Some(before) = before else { return true };
    match c {
        '\u{200D}' => {
            let joins_letters = is_shaping(before) && after.is_some_and(is_shaping);
            let joins_emoji = is_emoji_end(before) && after.is_some_and(is_pictograph);
            let ends_word = is_vowel_killer(before) && !after.is_some_and(is_countable);
            !(joins_letters || joins_emoji || ends_word)
        }
        '\u{200C}' => !(is_shaping(before) && after.is_some_and(is_shaping)),
        '\u{FE0E}' | '\u{FE0F}' => {
            let keycap = matches!(before, '0'..='9' | '#' | '*') && after == Some('\u{20E3}');
            !(is_pictograph(before) || keycap)
        }
        '\u{E0100}'..='\u{E01EF}' => !is_han(before),
        _ => true,
    }
}

/// Characters that draw nothing of their own (or only blank space that is not a space).
pub(super) fn is_invisible(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}'
            | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}')
}

/// A letter or mark of a script whose shaping uses the joiners.
fn is_shaping(c: char) -> bool {
    let block = matches!(c,
        '\u{0600}'..='\u{08FF}'       // Arabic, Syriac, Thaana, N'Ko, Samaritan, Mandaic
        | '\u{0900}'..='\u{0DFF}'     // Devanagari to Sinhala
        | '\u{0F00}'..='\u{109F}'     // Tibetan, Myanmar
        | '\u{1700}'..='\u{18AF}'     // Philippine scripts, Khmer, Mongolian
        | '\u{1A20}'..='\u{1AAF}' | '\u{1B00}'..='\u{1C4F}' | '\u{A800}'..='\u{A9DF}'
        | '\u{AA00}'..='\u{AADF}' | '\u{ABC0}'..='\u{ABFF}' | '\u{FB50}'..='\u{FDFF}'
        | '\u{FE70}'..='\u{FEFC}' | '\u{11000}'..='\u{11FFF}' | '\u{1E900}'..='\u{1E95F}');
    block && !c.is_numeric() && !is_invisible(c)
}

/// Virama signs, after which a joiner may close a word.
fn is_vowel_killer(c: char) -> bool {
    matches!(
        c,
        '\u{094D}'
            | '\u{09CD}'
            | '\u{0A4D}'
            | '\u{0ACD}'
            | '\u{0B4D}'
            | '\u{0BCD}'
            | '\u{0C4D}'
            | '\u{0CCD}'
            | '\u{0D4D}'
            | '\u{0DCA}'
            | '\u{1039}'
            | '\u{17D2}'
    )
}

/// Letters and digits of any script: beside them a closing joiner would hide something.
fn is_countable(c: char) -> bool {
    c.is_alphanumeric() || is_invisible(c)
}

/// Symbols that may be drawn as emoji (a superset of Extended_Pictographic, Unicode 16, UTS #51).
fn is_pictograph(c: char) -> bool {
    matches!(c,
        '\u{00A9}' | '\u{00AE}' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}' | '\u{24C2}'
        | '\u{25A0}'..='\u{27BF}' | '\u{2900}'..='\u{297F}' | '\u{2B00}'..='\u{2BFF}'
        | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}' | '\u{1F000}'..='\u{1FAFF}')
}

/// What an emoji may end with before a joiner: the pictograph, its skin tone, its selector.
fn is_emoji_end(c: char) -> bool {
    is_pictograph(c) || c == '\u{FE0F}'
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(text: &str) -> Vec<(usize, usize)> {
        let found = hidden(text, Lines::Many);
        found.iter().map(|f| (f.start, f.end)).collect()
    }

    #[test]
    fn writing_that_needs_joiners_is_clean() {
        for text in [
            "می\u{200C}خواهم",                                // Persian: "I want"
            "نامه\u{200C}ها",                                 // Persian: "letters"
            "क्\u{200D}ष और क\u{94D}\u{200C}ष",                // Devanagari half forms
            "ශ්\u{200D}රී",                                     // Sinhala
            "അവന\u{D4D}\u{200D} വന്നു",                         // Malayalam, old chillu at a word's end
            "👨\u{200D}👩\u{200D}👧\u{200D}👦",               // family
            "🧑🏽\u{200D}⚕\u{FE0F}",                            // health worker, skin tone
            "🏳\u{FE0F}\u{200D}🌈 🏳\u{FE0F}\u{200D}⚧\u{FE0F}", // flags
            "❤\u{FE0F} 5\u{FE0F}\u{20E3}",                    // heart, keycap
            "葛\u{E0100}城",                                  // Japanese name variant
            "עברית عربي ไทย 日本語 ñandú e\u{301}",
            "two\nlines",
        ] {
            assert_eq!(spans(text), [], "{text:?}");
        }
    }

    #[test]
    fn hidden_characters_are_found_where_they_stand() {
        assert_eq!(spans("a\u{200B}b"), [(1, 4)]);
        assert_eq!(spans("\u{FEFF}x"), [(0, 3)]);
        assert_eq!(spans("a\u{202E}\u{2066}b"), [(1, 7)]);
        assert_eq!(spans("tab\there\0"), [(3, 4), (8, 9)]);
        assert_eq!(spans("a\r\nb"), [(1, 2)]);
        assert_eq!(spans("a\u{2028}b\u{85}"), [(1, 4), (5, 7)]);
        assert_eq!(spans("a\u{AD}b"), [(1, 3)]);
        // Joiners beside Latin letters, digits of any script, spaces, edges, or doubled.
        for text in [
            "a\u{200D}b",
            "5\u{200C}5",
            "۵\u{200C}۵",
            "५\u{200D}५",
            "می\u{200C}",
            "\u{200D}क",
            "می\u{200C}\u{200C}خ",
            "👨\u{200C}👩",
            "👨\u{200D}",
            "क्\u{200D}5",
        ] {
            assert_eq!(spans(text).len(), 1, "{text:?}");
        }
        // Selectors after letters, or stacked, and a message in tag characters.
        assert_eq!(spans("a\u{FE0F}"), [(1, 4)]);
        assert_eq!(spans("❤\u{FE0F}\u{FE0F}").len(), 1);
        assert_eq!(spans("葛\u{E0100}\u{E0101}").len(), 1);
        assert_eq!(spans("hi\u{E0068}\u{E0069}"), [(2, 10)]);
    }

    #[test]
    fn a_newline_is_hidden_only_in_single_line_text() {
        assert_eq!(hidden("a\nb", Lines::Many), []);
        assert_eq!(hidden("a\nb", Lines::One).len(), 1);
    }
}
