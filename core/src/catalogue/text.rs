//! Cleaning of provider text and folding for search.

/// Whether a character could hide or reorder what a person reads.
///
/// Controls, the explicit direction overrides and isolates (Unicode UAX 9) and the byte order mark. Joiners
/// and plain direction marks stay: several scripts need them.
pub(super) fn is_forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// One line of clean text of at most `max_bytes` UTF-8 bytes, and whether anything was cut off.
#[must_use]
pub fn clean_line(text: &str, max_bytes: usize) -> (String, bool) {
    let mut out = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let start = out.len();
        if start > 0 {
            out.push(' ');
        }
        let before = out.len();
        out.extend(word.chars().filter(|c| !is_forbidden(*c)));
        if out.len() == before {
            out.truncate(start);
        }
        if out.len() > max_bytes {
            break;
        }
    }
    truncate(out, max_bytes)
}

/// Clean text that keeps its line breaks, of at most `max_bytes` UTF-8 bytes, and whether anything was cut off.
#[must_use]
pub fn clean_text(text: &str, max_bytes: usize) -> (String, bool) {
    let mut out = String::new();
    for line in text.split(['\n', '\r', '\u{2028}', '\u{2029}']) {
        let (line, _) = clean_line(line, max_bytes.saturating_add(1));
        if line.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&line);
        if out.len() > max_bytes {
            break;
        }
    }
    truncate(out, max_bytes)
}

fn truncate(mut text: String, max_bytes: usize) -> (String, bool) {
    if text.len() <= max_bytes {
        return (text, false);
    }
    text.truncate(text.floor_char_boundary(max_bytes));
    text.truncate(text.trim_end().len());
    (text, true)
}

/// Lower-cased text without accents, so that "cafe" finds "Café" and "Ngô" is found by "ngo".
///
/// Covers combining marks U+0300 to U+036F and the precomposed Latin letters U+00C0 to U+024F and U+1E00 to
/// U+1EFF; other scripts are only lower-cased.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_into(text, &mut out);
    out
}

pub(super) fn fold_into(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            'A'..='Z' => out.push(c.to_ascii_lowercase()),
            '\0'..='\u{7F}' => out.push(c),
            '\u{300}'..='\u{36F}' => {}
            '\u{2018}' | '\u{2019}' | '\u{2BC}' => out.push('\''),
            'ß' | 'ẞ' => out.push_str("ss"),
            'Æ' | 'æ' => out.push_str("ae"),
            'Œ' | 'œ' => out.push_str("oe"),
            'Þ' | 'þ' => out.push_str("th"),
            _ => match base(c) {
                Some(letter) => out.push(letter),
                None => out.extend(c.to_lowercase()),
            },
        }
    }
}

fn base(c: char) -> Option<char> {
    let (table, first) = match c {
        '\u{C0}'..='\u{24F}' => (LATIN_C0, 0xC0),
        '\u{1E00}'..='\u{1EFF}' => (LATIN_1E00, 0x1E00),
        _ => return None,
    };
    let letter = *table.as_bytes().get(c as usize - first)?;
    (letter != b'.').then(|| char::from(letter))
}

/// Base letters of U+00C0 to U+024F (Unicode canonical decompositions, and stroked letters); a dot keeps the character.
const LATIN_C0: &str = "\
    aaaaaa.ceeeeiiiidnooooo.ouuuuy..aaaaaa.ceeeeiiiidnooooo.ouuuuy.yaaaaaaccccccccddddeeeeeeeeeegggggggg\
    hhhhiiiiiiiiii..jjkkkllllll..llnnnnnn.nnoooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzsb.......\
    ...............i........oo.............uu............................aaiioouuuuuuuuuu.aaaa....ggkkoo\
    oo..j...gg..nnaa..ooaaaaeeeeiiiioooorrrruuuusstt..hh......aaeeooooooooyy...............b............";

/// Base letters of U+1E00 to U+1EFF; a dot keeps the character.
const LATIN_1E00: &str = "\
    aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrrssss\
    ssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwy.s....aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeee\
    iiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_and_case_fold_away() {
        assert_eq!(fold("Café NIÑO Straße Łódź"), "cafe nino strasse lodz");
        assert_eq!(fold("Thực phẩm miễn phí Đà Nẵng"), "thuc pham mien phi da nang");
        assert_eq!(fold("cafe\u{301}"), "cafe");
        assert_eq!(fold("Ærø Œuvre Þór"), "aero oeuvre thor");
        assert_eq!(fold("ПРИЮТ 住房"), "приют 住房");
        assert_eq!(fold("Women\u{2019}s"), "women's");
        assert_eq!(fold("10×20÷2"), "10×20÷2");
        assert_eq!(LATIN_C0.len(), 0x190);
        assert_eq!(LATIN_1E00.len(), 0x100);
    }

    #[test]
    fn cleaning_removes_what_could_deceive_and_cuts_on_a_character() {
        assert_eq!(clean_line("  a\u{202E}b\0 \t\n c ", 99), ("ab c".to_owned(), false));
        assert_eq!(clean_line("\u{FEFF} \u{200B}", 99).0, "\u{200B}");
        assert_eq!(clean_line("ééé", 5), ("éé".to_owned(), true));
        assert_eq!(clean_line("ab cd", 3), ("ab".to_owned(), true));
        assert_eq!(clean_text("a\r\n\r\n b\u{7}c", 99), ("a\nb c".to_owned(), false));
        assert_eq!(clean_text("aaaa\nbbbb", 6), ("aaaa\nb".to_owned(), true));
        assert_eq!(clean_text("", 0), (String::new(), false));
    }
}
