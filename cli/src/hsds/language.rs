//! Language codes to English names.

/// ISO 639-1 and 639-2 codes often met in directories.
const NAMES: &[(&str, &str, &str)] = &[
    ("am", "amh", "Amharic"),
    ("ar", "ara", "Arabic"),
    ("bn", "ben", "Bengali"),
    ("bs", "bos", "Bosnian"),
    ("my", "mya", "Burmese"),
    ("zh", "zho", "Chinese"),
    ("hr", "hrv", "Croatian"),
    ("cs", "ces", "Czech"),
    ("nl", "nld", "Dutch"),
    ("en", "eng", "English"),
    ("fa", "fas", "Farsi"),
    ("fr", "fra", "French"),
    ("de", "deu", "German"),
    ("el", "ell", "Greek"),
    ("gu", "guj", "Gujarati"),
    ("ht", "hat", "Haitian Creole"),
    ("he", "heb", "Hebrew"),
    ("hi", "hin", "Hindi"),
    ("", "hmn", "Hmong"),
    ("hu", "hun", "Hungarian"),
    ("it", "ita", "Italian"),
    ("ja", "jpn", "Japanese"),
    ("km", "khm", "Khmer"),
    ("ko", "kor", "Korean"),
    ("ku", "kur", "Kurdish"),
    ("lo", "lao", "Lao"),
    ("ne", "nep", "Nepali"),
    ("om", "orm", "Oromo"),
    ("ps", "pus", "Pashto"),
    ("pl", "pol", "Polish"),
    ("pt", "por", "Portuguese"),
    ("pa", "pan", "Punjabi"),
    ("ro", "ron", "Romanian"),
    ("ru", "rus", "Russian"),
    ("sr", "srp", "Serbian"),
    ("sk", "slk", "Slovak"),
    ("so", "som", "Somali"),
    ("es", "spa", "Spanish"),
    ("sw", "swa", "Swahili"),
    ("sv", "swe", "Swedish"),
    ("tl", "tgl", "Tagalog"),
    ("ta", "tam", "Tamil"),
    ("te", "tel", "Telugu"),
    ("th", "tha", "Thai"),
    ("ti", "tir", "Tigrinya"),
    ("tr", "tur", "Turkish"),
    ("uk", "ukr", "Ukrainian"),
    ("ur", "urd", "Urdu"),
    ("vi", "vie", "Vietnamese"),
    ("cy", "cym", "Welsh"),
    ("yi", "yid", "Yiddish"),
    ("", "ase", "American Sign Language"),
];

/// The English name of a code ("es", "spa", "es-MX") or the name itself; `None` for an unknown code.
pub fn name(text: &str) -> Option<String> {
    let code = text.trim().to_ascii_lowercase();
    let code = code.split(['-', '_']).next().unwrap_or_default();
    let known = NAMES.iter().find(|(two, three, _)| !code.is_empty() && (code == *two || code == *three));
    match known {
        Some((_, _, name)) => Some((*name).to_owned()),
        None if text.trim().chars().count() <= 3 => None,
        None => {
            let text = text.trim();
            // One spelling for "spanish", "SPANISH" and "Spanish".
            let known = NAMES.iter().find(|(_, _, name)| name.eq_ignore_ascii_case(text));
            Some(known.map_or_else(|| text.to_owned(), |(_, _, name)| (*name).to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn codes_and_names_become_one_spelling() {
        for (text, expected) in [
            ("es", Some("Spanish")),
            ("spa", Some("Spanish")),
            ("es-MX", Some("Spanish")),
            ("SPANISH", Some("Spanish")),
            ("Lao", Some("Lao")),
            ("Mam", None),
            ("Mixteco", Some("Mixteco")),
            ("xx", None),
            ("", None),
        ] {
            assert_eq!(super::name(text).as_deref(), expected, "{text}");
        }
    }
}
