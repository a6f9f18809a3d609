//! From bytes to text: UTF-8, UTF-16 and Windows-1252, with or without a byte order mark.

use super::HsdsError;
use super::report::WarningCode;

/// The text of a file, and what to warn about.
pub fn decode(bytes: &[u8]) -> Result<(String, Option<WarningCode>), HsdsError> {
    // UTF-32 little endian also starts like UTF-16 little endian.
    if bytes.starts_with(&[0xFF, 0xFE, 0, 0]) || bytes.starts_with(&[0, 0, 0xFE, 0xFF]) {
        return Err(HsdsError::UnsupportedEncoding);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xFF, 0xFE]) {
        return utf16(rest, u16::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xFE, 0xFF]) {
        return utf16(rest, u16::from_be_bytes);
    }
    let rest = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    if rest.contains(&0) {
        // Mostly ASCII text in UTF-16 has a zero in every other byte.
        let zeros = |parity| rest.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
        let (even, odd) = (zeros(0), zeros(1));
        let half = rest.len() / 2;
        return match (even * 10 < half && odd * 2 > half, odd * 10 < half && even * 2 > half) {
            (true, _) => utf16(rest, u16::from_le_bytes),
            (_, true) => utf16(rest, u16::from_be_bytes),
            _ => Err(HsdsError::UnsupportedEncoding),
        };
    }
    match std::str::from_utf8(rest) {
        Ok(text) => Ok((text.to_owned(), None)),
        Err(_) => legacy(rest),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<(String, Option<WarningCode>), HsdsError> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(HsdsError::UnsupportedEncoding);
    }
    let text: Result<String, _> = char::decode_utf16(units.iter().map(|pair| unit(*pair))).collect();
    let text = text.map_err(|_| HsdsError::UnsupportedEncoding)?;
    if text.contains('\0') {
        return Err(HsdsError::UnsupportedEncoding);
    }
    Ok((text, None))
}

/// Not UTF-8: either UTF-8 with a few damaged bytes, or Windows-1252 (which contains Latin-1's letters).
fn legacy(bytes: &[u8]) -> Result<(String, Option<WarningCode>), HsdsError> {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    if good > bad {
        let text = String::from_utf8_lossy(bytes).into_owned();
        return Ok((text, Some(WarningCode::UndecodableCharacters)));
    }
    let text: Option<String> = bytes.iter().map(|byte| windows_1252(*byte)).collect();
    match text {
        Some(text) => Ok((text, Some(WarningCode::DecodedAsWindows1252))),
        None => Err(HsdsError::UnsupportedEncoding),
    }
}

/// Windows code page 1252; `None` for its five undefined bytes.
fn windows_1252(byte: u8) -> Option<char> {
    const HIGH: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’', '“', '”', '•', '–', '—', '˜',
        '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9F => HIGH.get(usize::from(byte - 0x80)).copied().filter(|c| *c != '\0'),
        _ => Some(char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn utf16le(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn utf16be(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_be_bytes).collect()
    }

    #[test]
    fn every_supported_encoding_gives_the_same_text() {
        let text = "id,name\n1,Café Niño\n";
        let latin: Vec<u8> = text.chars().map(|c| c as u32 as u8).collect();
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
            [vec![0xFF, 0xFE], utf16le(text)].concat(),
            [vec![0xFE, 0xFF], utf16be(text)].concat(),
            utf16le(text),
            utf16be(text),
            latin,
        ] {
            assert_eq!(decode(&bytes).unwrap().0, text);
        }
    }

    #[test]
    fn windows_quotes_are_decoded_with_a_warning() {
        let (text, warning) = decode(b"Women\x92s \x93house\x94").unwrap();
        assert_eq!(text, "Women’s “house”");
        assert_eq!(warning, Some(WarningCode::DecodedAsWindows1252));
    }

    #[test]
    fn one_damaged_byte_does_not_garble_the_rest() {
        let bytes = ["Café Niño Łódź".as_bytes(), b"\xFF"].concat();
        let (text, warning) = decode(&bytes).unwrap();
        assert_eq!(text, "Café Niño Łódź\u{FFFD}");
        assert_eq!(warning, Some(WarningCode::UndecodableCharacters));
    }

    #[test]
    fn what_is_not_text_is_refused() {
        for bytes in
            [&b"\xFF\xFE\0\0a\0\0\0"[..], b"\0\0\xFE\xFF\0\0\0a", b"abc\0def ghi jkl mno", b"\xFF\xFEa", b"\xFF\xFE\x00\xD8a\0", b"caf\x81"]
        {
            assert_eq!(decode(bytes).map(|_| ()), Err(HsdsError::UnsupportedEncoding));
        }
        assert_eq!(decode(b"").unwrap().0, "");
    }
}
