//! Reads the phrase files.

use std::collections::HashMap;

use super::{Element, Phrase, Shape};
use crate::screen::finding::Reason;

/// What was read so far.
#[derive(Default)]
pub(super) struct Source {
    /// The words of every class; a class is one list of alternatives.
    pub classes: Vec<Vec<String>>,
    pub phrases: Vec<Phrase>,
    pub unread: Vec<String>,
    pub named: HashMap<String, Vec<String>>,
    numbers: HashMap<String, u16>,
}

/// Whether a text is a folded word, as far as classes go.
pub(super) fn is_plain(text: &str) -> bool {
    let stem = text.strip_suffix('*').unwrap_or(text);
    !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_lowercase())
}

impl Source {
    /// Reads one file.
    pub(super) fn read(&mut self, text: &str) {
        let mut section: Option<Option<Reason>> = None;
        let mut class: Option<String> = None;
        for line in text.lines() {
            let body = line.trim_end();
            if body.trim().is_empty() || body.starts_with("# ") && body.ends_with('.') {
                continue;
            }
            if let Some(rest) = body.strip_prefix("= ") {
                let (name, words) = rest.split_once(':').unwrap_or((rest, ""));
                class = Some(name.trim().to_owned());
                self.extend_class(name.trim(), words);
            } else if body.starts_with(' ') {
                match &class {
                    Some(name) => self.extend_class(&name.clone(), body),
                    None => self.unread.push(body.to_owned()),
                }
            } else if let Some(code) = body.strip_prefix('[').and_then(|b| b.strip_suffix(']')) {
                class = None;
                section = match Reason::ALL.iter().find(|reason| reason.code() == code) {
                    Some(reason) => Some(Some(*reason)),
                    None if code == "harmless" => Some(None),
                    None => {
                        self.unread.push(body.to_owned());
                        None
                    }
                };
            } else {
                class = None;
                match section.and_then(|reason| self.phrase(reason, body)) {
                    Some(phrase) => self.phrases.push(phrase),
                    None => self.unread.push(body.to_owned()),
                }
            }
        }
    }

    fn extend_class(&mut self, name: &str, words: &str) {
        let mut list = self.named.remove(name).unwrap_or_default();
        for word in words.split_ascii_whitespace() {
            match word.strip_prefix('@').map(|other| self.named.get(other)) {
                Some(Some(other)) => list.extend(other.iter().cloned()),
                None if is_plain(word) => list.push(word.to_owned()),
                _ => self.unread.push(format!("{name}: {word}")),
            }
        }
        self.named.insert(name.to_owned(), list);
    }

    fn phrase(&mut self, reason: Option<Reason>, line: &str) -> Option<Phrase> {
        let mut elements = Vec::new();
        for part in line.split_ascii_whitespace() {
            elements.push(self.element(part)?);
        }
        let weigh = |element: &Element| match element.shape {
            Shape::Class(class) if !element.optional && !element.negative => {
                let words = self.classes.get(usize::from(class))?;
                Some(words.iter().map(|word| weight(word)).sum::<usize>())
            }
            _ => None,
        };
        let (anchor, _) = elements.iter().enumerate().filter_map(|(at, e)| Some((at, weigh(e)?))).min_by_key(|(_, weight)| *weight)?;
        Some(Phrase { reason, elements, anchor })
    }

    fn element(&mut self, part: &str) -> Option<Element> {
        let (negative, part) = part.strip_prefix('~').map_or((false, part), |rest| (true, rest));
        let (optional, part) = part.strip_suffix('?').map_or((false, part), |rest| (true, rest));
        let shape = match part {
            ".." => Shape::Gap(2),
            "..." => Shape::Gap(4),
            "...." => Shape::Gap(7),
            "#" => Shape::Number,
            "%cap" => Shape::Capital,
            "%new" => Shape::NewCapital,
            "%odd" => Shape::Odd,
            "%own" => Shape::CapitalOdd,
            "%name" => Shape::Name,
            "%any" => Shape::Any,
            "{" => Shape::Start,
            _ => Shape::Class(self.class(part)?),
        };
        Some(Element { shape, optional, negative })
    }

    fn class(&mut self, alternatives: &str) -> Option<u16> {
        if let Some(number) = self.numbers.get(alternatives) {
            return Some(*number);
        }
        let mut words = Vec::new();
        for alternative in alternatives.split('/') {
            match alternative.strip_prefix('@') {
                Some(name) => words.extend(self.named.get(name)?.iter().cloned()),
                None if is_plain(alternative) => words.push(alternative.to_owned()),
                None => return None,
            }
        }
        let number = u16::try_from(self.classes.len()).ok()?;
        self.classes.push(words);
        self.numbers.insert(alternatives.to_owned(), number);
        Some(number)
    }
}

/// How often a word is likely to stand in a text: short words are common ones.
fn weight(word: &str) -> usize {
    match word.trim_end_matches('*').len() {
        0..=2 => 60,
        3 => 15,
        4 => 4,
        _ => 1,
    }
}
