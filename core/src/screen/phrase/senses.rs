//! Reads what words are about: the senses that the model generalises over.

/// Endings of Spanish verbs, by the infinitive's.
const AR: [&str; 15] = ["ar", "o", "a", "as", "an", "aba", "aban", "e", "aron", "ado", "ada", "ados", "adas", "ando", "arlo"];
const ER: [&str; 14] = ["er", "ir", "o", "e", "en", "es", "io", "ia", "ian", "ieron", "ido", "ida", "iendo", "ides"];

/// Calls `each` with every word of the file and the bit of its sense; the first sense has the bit `from`.
pub(super) fn read(text: &str, from: usize, mut each: impl FnMut(&[u8], u64)) {
    let mut bit = 0_u64;
    let mut next = from as u32;
    let mut made = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words = match line.strip_prefix("= ").and_then(|rest| rest.split_once(": ")) {
            Some((_, words)) => {
                bit = 1_u64.checked_shl(next).unwrap_or(0);
                next += 1;
                words
            }
            None => line,
        };
        let mut tell = |stem: &str, ending: &str| {
            made.clear();
            made.push_str(stem);
            made.push_str(ending);
            each(made.as_bytes(), bit);
        };
        for word in words.split_ascii_whitespace() {
            if let Some(stem) = word.strip_suffix('~') {
                let base = stem.strip_suffix(['e', 'y']);
                tell(stem, "");
                tell(stem, "s");
                let (past, now) = match (base, stem.ends_with('y')) {
                    (Some(base), true) => {
                        tell(base, "ies");
                        ((base, "ied"), (stem, "ing"))
                    }
                    (Some(base), false) => ((stem, "d"), (base, "ing")),
                    _ => {
                        tell(stem, "es");
                        ((stem, "ed"), (stem, "ing"))
                    }
                };
                tell(past.0, past.1);
                tell(now.0, now.1);
            } else if let Some(stem) = word.strip_suffix('+') {
                tell(stem, "");
                tell(stem, "s");
            } else if let Some(stem) = word.strip_suffix(":ar") {
                AR.iter().for_each(|ending| tell(stem, ending));
            } else if let Some(stem) = word.strip_suffix(":er").or_else(|| word.strip_suffix(":ir")) {
                ER.iter().for_each(|ending| tell(stem, ending));
            } else {
                tell(word, "");
            }
        }
    }
}
