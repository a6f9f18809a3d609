//! Looks for words in files, also in the disguises in which programs leave them behind.

use crate::failure::Failure;
use data_encoding::{BASE64_NOPAD, HEXLOWER, HEXUPPER};
use std::path::{Path, PathBuf};

/// Every form of a word that is looked for.
fn disguises(word: &str) -> Vec<Vec<u8>> {
    let utf8 = word.as_bytes().to_vec();
    let utf16: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut forms = vec![HEXLOWER.encode(&utf8).into_bytes(), HEXUPPER.encode(&utf8).into_bytes()];
    for offset in 0..3usize {
        // base64 looks different at each of three places; the characters that a neighbour shares are left out
        let padded = [vec![0; offset], utf8.clone()].concat();
        let encoded = BASE64_NOPAD.encode(&padded);
        let first = (offset * 8).div_ceil(6);
        let last = padded.len() * 8 / 6;
        forms.extend(encoded.get(first..last).map(|middle| middle.as_bytes().to_vec()));
    }
    forms.push(utf8);
    forms.push(utf16);
    forms
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { files(&path, found)? } else { found.push(path) }
    }
    Ok(())
}

/// What a search saw.
pub struct Search {
    pub files: usize,
    pub bytes: usize,
    pub hits: usize,
}

/// Looks for every word in every file of a folder, in UTF-8, UTF-16, hexadecimal and base64.
pub fn search(folder: &Path, words: &[&str]) -> Result<Search, Failure> {
    let unreadable = |error: std::io::Error| Failure::Unreadable(error.kind());
    let needles: Vec<Vec<u8>> = words.iter().flat_map(|word| disguises(word)).collect();
    let mut paths = Vec::new();
    files(folder, &mut paths).map_err(unreadable)?;
    let mut seen = Search { files: paths.len(), bytes: 0, hits: 0 };
    for path in paths {
        let bytes = std::fs::read(path).map_err(unreadable)?;
        seen.bytes += bytes.len();
        seen.hits += needles.iter().filter(|needle| memchr_like(&bytes, needle)).count();
    }
    Ok(seen)
}

/// Whether the needle occurs: looks at places of its first byte only.
fn memchr_like(bytes: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else { return false };
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        let Some(from) = rest.get(at..) else { return false };
        if from.starts_with(needle) {
            return true;
        }
        rest = from.get(1..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_disguise_is_seen_through_and_noise_is_not_a_hit() {
        let folder = tempfile::tempdir().unwrap();
        let text = "a note about the heron by the river";
        for offset in 0..3 {
            let shifted = [vec![b'x'; offset], text.as_bytes().to_vec()].concat();
            std::fs::write(folder.path().join("file"), BASE64_NOPAD.encode(&shifted)).unwrap();
            assert_eq!(search(folder.path(), &["heron"]).unwrap().hits, 1, "base64 at {offset}");
        }
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for disguised in
            [text.as_bytes().to_vec(), utf16, HEXLOWER.encode(text.as_bytes()).into_bytes(), HEXUPPER.encode(text.as_bytes()).into_bytes()]
        {
            std::fs::write(folder.path().join("file"), disguised).unwrap();
            assert_eq!(search(folder.path(), &["heron"]).unwrap().hits, 1);
        }
        std::fs::write(folder.path().join("file"), "herofour heroheropn").unwrap();
        assert_eq!(search(folder.path(), &["heron"]).unwrap().hits, 0);
    }
}
