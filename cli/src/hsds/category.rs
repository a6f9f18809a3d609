//! From taxonomy terms and names to one of the catalogue's categories.

use satchel_core::catalogue::{Category, fold};

/// Keywords of each category; a longer one counts more. On a tie the category listed first wins, so the rarer
/// ones stand first.
const KEYWORDS: &[(Category, &[&str])] = &[
    (
        Category::SaferUseSupplies,
        &[
            "harm reduction",
            "syringe",
            "needle exchange",
            "naloxone",
            "narcan",
            "safer use",
            "safer sex",
            "safe consumption",
            "overdose prevention",
            "test strips",
            "drug checking",
            "condoms",
        ],
    ),
    (
        Category::LegalAid,
        &[
            "legal",
            "lawyer",
            "attorney",
            "expungement",
            "record clearing",
            "public defender",
            "immigration help",
            "tenant rights",
            "know your rights",
        ],
    ),
    (
        Category::Childcare,
        &[
            "child care",
            "childcare",
            "day care",
            "daycare",
            "nursery",
            "babysitting",
            "early learning",
            "head start",
            "preschool",
            "after school",
        ],
    ),
    (
        Category::HealthCare,
        &[
            "health",
            "clinic",
            "medical",
            "dental",
            "dentist",
            "doctor",
            "hospital",
            "nurse",
            "wound care",
            "counseling",
            "counselling",
            "therapy",
            "detox",
            "substance use treatment",
            "methadone",
            "buprenorphine",
            "vaccination",
            "hiv",
            "sti testing",
            "std testing",
            "prenatal",
            "pharmacy",
            "vision care",
            "psychiatric",
        ],
    ),
    (
        Category::Food,
        &["food", "meal", "meals", "soup kitchen", "pantry", "grocery", "groceries", "breakfast", "lunch", "dinner", "supper", "nutrition"],
    ),
    (
        Category::DropIn,
        &[
            "drop in",
            "day center",
            "day centre",
            "day shelter",
            "shower",
            "showers",
            "laundry",
            "warming center",
            "warming centre",
            "cooling center",
            "cooling centre",
            "hygiene",
            "lockers",
            "mail service",
        ],
    ),
    (
        Category::Transport,
        &[
            "transport",
            "transportation",
            "transit",
            "bus pass",
            "bus passes",
            "bus ticket",
            "rides",
            "ride",
            "shuttle",
            "taxi voucher",
            "fare",
        ],
    ),
    (
        Category::Income,
        &[
            "income",
            "cash assistance",
            "benefits",
            "public assistance",
            "employment",
            "job training",
            "job search",
            "jobs",
            "social security",
            "disability benefits",
            "financial assistance",
            "emergency cash",
            "tax help",
            "unemployment",
        ],
    ),
    (
        Category::Housing,
        &[
            "housing",
            "shelter",
            "rent",
            "rental assistance",
            "eviction prevention",
            "transitional living",
            "safe house",
            "apartment",
            "rooms",
            "motel voucher",
            "hotel voucher",
            "rapid rehousing",
            "homeless prevention",
            "emergency bed",
            "beds",
        ],
    ),
];

/// First letters of the 211 taxonomy codes (AIRS/211 LA County), where they settle the category.
const CODES: &[(&str, Category)] = &[
    ("BD", Category::Food),
    ("BH", Category::Housing),
    ("BT", Category::Transport),
    ("FT", Category::LegalAid),
    ("PH-1250", Category::Childcare),
    ("N", Category::Income),
    ("L", Category::HealthCare),
    ("R", Category::HealthCare),
];

/// The category of a service; `None` when no keyword and no code settles it.
///
/// Terms count before codes, codes before the name, the name before the description.
pub fn category(terms: &[String], codes: &[String], name: &str, description: &str) -> Option<Category> {
    by_keyword(terms.iter().map(String::as_str))
        .or_else(|| by_code(codes))
        .or_else(|| by_keyword([name].into_iter()))
        .or_else(|| by_keyword([description].into_iter()))
}

fn by_keyword<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Category> {
    let texts: Vec<String> = texts.map(padded).collect();
    let score = |words: &[&str]| -> usize {
        let hits = texts.iter().flat_map(|text| words.iter().filter(|word| has_words(text, word)));
        hits.map(|word| word.len()).sum()
    };
    let mut best: Option<(Category, usize)> = None;
    for (category, words) in KEYWORDS {
        let score = score(words);
        if score > best.map_or(0, |(_, best)| best) {
            best = Some((*category, score));
        }
    }
    best.map(|(category, _)| category)
}

fn by_code(codes: &[String]) -> Option<Category> {
    let matches = |code: &String, prefix: &str| {
        let shaped = code.split_once('-').is_some_and(|(letters, digits)| {
            (1..=2).contains(&letters.len())
                && letters.bytes().all(|byte| byte.is_ascii_uppercase())
                && digits.starts_with(|c: char| c.is_ascii_digit())
        });
        shaped && code.starts_with(prefix)
    };
    CODES.iter().find(|(prefix, _)| codes.iter().any(|code| matches(code, prefix))).map(|(_, category)| *category)
}

/// Whether padded text holds the phrase as whole words.
fn has_words(padded: &str, phrase: &str) -> bool {
    padded.match_indices(phrase).any(|(at, _)| {
        padded.get(..at).is_some_and(|before| before.ends_with(' '))
            && padded.get(at + phrase.len()..).is_some_and(|after| after.starts_with(' '))
    })
}

/// Folded words with one space around each.
fn padded(text: &str) -> String {
    let mut out = String::from(" ");
    for word in fold(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        out.push_str(word);
        out.push(' ');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(terms: &[&str], codes: &[&str], name: &str) -> Option<Category> {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        category(&owned(terms), &owned(codes), name, "")
    }

    #[test]
    fn terms_codes_and_names_give_a_category() {
        for (terms, codes, name, expected) in [
            (&["Homeless Shelter"][..], &[][..], "Harbour House", Some(Category::Housing)),
            (&["Needle Exchange"], &[], "Health van", Some(Category::SaferUseSupplies)),
            (&["Food Pantries"], &["BD-1800.2000"], "Pantry", Some(Category::Food)),
            (&["Xyz"], &["BH-1800.8500"], "Harbour House", Some(Category::Housing)),
            (&["Xyz"], &["LN-1500"], "Harbour House", Some(Category::HealthCare)),
            (&[], &[], "Criminal Record Clearing and Legal Advice", Some(Category::LegalAid)),
            (&[], &[], "Child Care Centre", Some(Category::Childcare)),
            (&[], &[], "Drop-in with showers", Some(Category::DropIn)),
            (&[], &[], "Bus Passes", Some(Category::Transport)),
            (&[], &[], "Cash Assistance", Some(Category::Income)),
            (&[], &[], "Current affairs club", None),
            (&[], &["12345", "R-x", "Rabc-12"], "Choir", None),
        ] {
            assert_eq!(of(terms, codes, name), expected, "{terms:?} {codes:?} {name}");
        }
    }
}
