//! From a provider's own words to known answers, and to "unknown" when the words do not settle it.
//!
//! A false "no ID needed" sends a person to a door that stays shut, and a false "ID needed" hides a door that
//! is open. So a phrase counts only when it stands in a plain sentence: a sentence with a condition ("if",
//! "preferred") or with a negation somewhere before the phrase is unclear, and unclear or contradicting
//! sentences leave the answer unknown.

use satchel_core::catalogue::fold;

/// The phrases of one question, folded, words separated by single spaces.
pub struct Rule {
    /// Phrases that say yes.
    pub yes: &'static [&'static str],
    /// Phrases that say no by themselves.
    pub no: &'static [&'static str],
    /// Whether a yes phrase may also name what a service gives ("help with photo ID"), so that in a description
    /// it counts only beside a word of requirement.
    pub ambiguous: bool,
    /// Nouns of the question: they say yes in a list of required documents, and no when negated
    /// ("no ID", "ID is not required").
    pub nouns: &'static [&'static str],
}

/// What a set of texts says about one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Silent,
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// The texts contradict each other, or only say so under a condition.
    Unclear,
}

const NEGATORS: [&str; 8] = ["no", "not", "without", "never", "nor", "neither", "dont", "cannot"];
/// Words that may stand between a negation and what it negates.
const BETWEEN: [&str; 22] = [
    "a", "an", "any", "form", "of", "kind", "type", "or", "and", "need", "needed", "require", "required", "ask", "asked", "about", "for",
    "to", "be", "have", "show", "valid",
];
const CONDITIONS: [&str; 8] = ["if", "unless", "preferred", "helpful", "optional", "recommended", "encouraged", "sometimes"];

/// Words that make a demand out of a noun in a description.
const REQUIREMENTS: [&str; 8] = ["must", "required", "require", "requires", "only", "bring", "mandatory", "compulsory"];

/// How much of one text is searched for answers, in bytes.
const TEXT_BYTES: usize = 16 * 1024;

/// Where a sentence comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Who may come and how.
    Terms,
    /// What the service is.
    Description,
    /// A document to bring.
    Document,
}

/// Texts prepared for matching: sentences of folded words.
#[derive(Default)]
pub struct Words {
    sentences: Vec<(Vec<String>, Origin)>,
}

impl Words {
    /// Adds text about who may come and how.
    pub fn add(&mut self, text: &str) {
        self.extend(text, Origin::Terms);
    }

    /// Adds text about what the service is.
    pub fn add_description(&mut self, text: &str) {
        self.extend(text, Origin::Description);
    }

    /// Adds a document a person has to bring.
    pub fn add_document(&mut self, text: &str) {
        self.extend(text, Origin::Document);
    }

    fn extend(&mut self, text: &str, origin: Origin) {
        let text = text.get(..text.floor_char_boundary(TEXT_BYTES)).unwrap_or_default();
        self.sentences.extend(sentences(text).into_iter().map(|sentence| (sentence, origin)));
    }

    /// What the texts say about one question.
    pub fn ask(&self, rule: &Rule) -> Verdict {
        let (mut yes, mut no, mut unclear) = (false, false, false);
        for (sentence, origin) in &self.sentences {
            let has = |list: &[&str]| sentence.iter().any(|word| list.contains(&word.as_str()));
            // "Self-referral accepted" is an answer as it stands.
            let plain_no = phrases(sentence, rule.no).any(|(at, _)| !negated_before(sentence, at, rule));
            no |= plain_no;
            let conditional = has(&CONDITIONS);
            let counts = *origin != Origin::Description || !rule.ambiguous || has(&REQUIREMENTS);
            let strong = phrases(sentence, rule.yes).map(|found| (found, counts));
            let weak = phrases(sentence, rule.nouns).map(|found| (found, *origin == Origin::Document));
            let (mut said, mut denied, mut vague) = (false, false, false);
            for ((start, end), counts) in strong.chain(weak) {
                if negated_before(sentence, start, rule) || negated_after(sentence, end) {
                    denied = true;
                } else if counts && (conditional || negation_before(sentence, start)) {
                    vague = true;
                } else if counts {
                    said = true;
                }
            }
            match (said, denied, vague) {
                (false, true, _) if !conditional => no = true,
                (true, false, _) if !plain_no => yes = true,
                (false, false, true) if plain_no => {}
                (false, false, false) => {}
                _ => unclear = true,
            }
        }
        match (yes, no, unclear) {
            (false, false, false) => Verdict::Silent,
            (true, false, false) => Verdict::Yes,
            (false, true, false) => Verdict::No,
            _ => Verdict::Unclear,
        }
    }
}

/// Folds text to words and cuts it where a sentence or list item ends.
fn sentences(text: &str) -> Vec<Vec<String>> {
    // "U.S." does not end a sentence.
    fold(text)
        .replace("u.s.", "us")
        .split_inclusive(['.', ';', '!', '?', '\n', '•', ':', '('])
        // "No ID? We help you get one." says nothing about a demand.
        .filter(|sentence| !sentence.ends_with('?'))
        .map(|sentence| {
            sentence
                .replace(['\'', '’'], "")
                .split(|c: char| !c.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|words| !words.is_empty())
        .collect()
}

/// Where any of the phrases stands in a sentence, as half-open word ranges.
fn phrases<'a>(sentence: &'a [String], list: &'a [&'static str]) -> impl Iterator<Item = (usize, usize)> + 'a {
    (0..sentence.len()).flat_map(move |at| {
        let rest = sentence.get(at..).unwrap_or_default();
        list.iter().filter_map(move |phrase| starts_with(rest, phrase).map(|length| (at, at + length)))
    })
}

/// How many words the phrase has, when the sentence starts with it.
fn starts_with(sentence: &[String], phrase: &str) -> Option<usize> {
    let mut length = 0;
    for word in phrase.split(' ') {
        if sentence.get(length)? != word {
            return None;
        }
        length += 1;
    }
    Some(length)
}

/// Whether a negation reaches the phrase through filler words and other nouns only: "no ID or address".
fn negated_before(sentence: &[String], start: usize, rule: &Rule) -> bool {
    let before = sentence.get(..start).unwrap_or_default();
    for word in before.iter().rev().take(8) {
        if NEGATORS.contains(&word.as_str()) {
            return true;
        }
        let own_noun = rule.nouns.iter().any(|noun| noun.split(' ').any(|part| part == word));
        let other_noun = super::questions::is_noun(word);
        if !own_noun && !other_noun && !BETWEEN.contains(&word.as_str()) {
            return false;
        }
    }
    false
}

/// Whether a negation stands anywhere before the phrase.
fn negation_before(sentence: &[String], start: usize) -> bool {
    sentence.get(..start).unwrap_or_default().iter().any(|word| NEGATORS.contains(&word.as_str()))
}

/// "… is not required", "… not needed".
fn negated_after(sentence: &[String], end: usize) -> bool {
    let mut after = sentence.get(end..).unwrap_or_default().iter().map(String::as_str).peekable();
    if matches!(after.peek(), Some(&("is" | "are" | "was"))) {
        after.next();
    }
    matches!(after.next(), Some("not" | "never"))
        && matches!(after.next(), Some("required" | "needed" | "necessary" | "asked" | "requested" | "mandatory" | "checked"))
}
