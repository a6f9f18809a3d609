//! The phrase files are whole, and a phrase means what the table in `mod.rs` says.
#![allow(clippy::unwrap_used)]

use super::grammar::is_plain;
use super::table::{Lexis, lexis};
use super::{Words, apply};
use crate::screen::finding::Reason;
use crate::screen::fold::Folded;
use crate::screen::view::View;

fn found(phrases: &str, text: &str) -> Vec<String> {
    let lexis: &'static Lexis = Box::leak(Box::new(Lexis::compile(&[phrases], "[given]\nana", "water", "= food: bread")));
    assert_eq!(lexis.unread, Vec::<String>::new());
    let view = View::of(Folded::read(text));
    let words = Words::read(&view, lexis);
    let mut hits = Vec::new();
    apply(&view, &words, lexis, &mut hits);
    let place = |hit: &crate::screen::view::Hit| view.finding(*hit).map(|f| text[f.start..f.end].to_owned()).unwrap();
    hits.iter().map(place).collect()
}

#[test]
fn every_line_of_the_phrase_files_is_read() {
    assert_eq!(lexis().unread, Vec::<String>::new());
    assert!(lexis().phrases.len() > 300);
    assert!(is_plain("arrest*") && !is_plain("two words"));
}

#[test]
fn elements_mean_what_the_table_says() {
    let police = "= cop: cop cops\n[police_contact]\n@cop .. took/threw\n";
    assert_eq!(found(police, "the cops then all took it"), ["cops then all took"]);
    assert_eq!(found(police, "the cops then all of us took it"), Vec::<String>::new(), "the gap is bounded");
    assert_eq!(found(police, "the cops. took it"), Vec::<String>::new(), "a sentence ends a phrase");
    let negative = "[court_or_custody]\n~no/without in jail ~cell\n";
    assert_eq!(found(negative, "he is in jail"), ["in jail"]);
    assert_eq!(found(negative, "no in jail").len() + found(negative, "in jail cell").len(), 0);
    let stem = "[court_or_custody]\narrest*\n[harmless]\ncardiac arrest\n";
    assert_eq!(found(stem, "was arrested"), ["arrested"]);
    assert_eq!(found(stem, "cardiac arrest drill"), Vec::<String>::new());
    let cap = "[name_given]\nnamed %new\n[officer_mention]\nbadge #\n";
    assert_eq!(found(cap, "a guy named Zorblat"), ["named Zorblat"]);
    assert_eq!(found(cap, "a dish named Water"), Vec::<String>::new());
    assert_eq!(found(cap, "badge twelve"), ["badge twelve"]);
    let start = "[person_name]\n{ %name wants\n";
    assert_eq!(found(start, "ana wants tea. Ana wants tea"), ["ana wants", "Ana wants"]);
    assert_eq!(found(start, "tea ana wants"), Vec::<String>::new());
}

#[test]
fn one_slip_is_forgiven_in_long_words() {
    let lines = "[court_or_custody]\nprobation\n";
    for text in ["probaton", "probatoin", "probattion", "probetion"] {
        assert_eq!(found(lines, text).len(), 1, "{text}");
    }
    for text in ["brobation", "probtn", "robation", "approbation"] {
        assert_eq!(found(lines, text).len(), 0, "{text}");
    }
}

#[test]
fn stems_are_whole_words_too() {
    let reason = Reason::ALL;
    let mut codes: Vec<_> = reason.iter().map(|r| r.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), reason.len());
    assert!(reason.is_sorted());
}
