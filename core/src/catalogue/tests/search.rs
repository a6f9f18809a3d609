//! Finding resources.

use super::*;

fn names(found: &[&Resource]) -> Vec<String> {
    found.iter().map(|resource| resource.name.clone()).collect()
}

#[test]
fn search_ignores_case_and_accents_and_needs_every_word() {
    let town = town();
    let find = |text: &str| names(&town.find(&Filter { text: text.to_owned(), ..Filter::default() }));
    assert_eq!(find("CAFE nino"), ["Café Niño"]);
    assert_eq!(find("café"), ["Café Niño"]);
    assert_eq!(find("coffee niño"), ["Café Niño"]);
    assert_eq!(find("coffee pantry"), Vec::<String>::new());
    assert_eq!(find("quay"), ["Night shelter"]);
    assert_eq!(find("  "), ["A soup line", "Café Niño", "Night shelter", "Pantry"]);
}

#[test]
fn known_demands_are_left_out_and_unknown_ones_come_last() {
    let filter = Filter { without_demands: [Demand::Id].into(), ..Filter::default() };
    assert_eq!(names(&town().find(&filter)), ["Café Niño", "A soup line"]);
}

#[test]
fn open_now_lists_only_what_is_known_to_be_open() {
    let at = |weekday, minute| names(&town().find(&Filter { open_at: Some((weekday, minute)), ..Filter::default() }));
    assert_eq!(at(Weekday::Friday, 1300), ["Night shelter", "Pantry"]);
    assert_eq!(at(Weekday::Friday, 30), ["Night shelter", "Pantry"]);
    assert!(at(Weekday::Friday, 600).is_empty());
}

#[test]
fn category_and_language_narrow_the_search() {
    let town = town();
    let by = |category, language: Option<&str>| {
        names(&town.find(&Filter { category, language: language.map(str::to_owned), ..Filter::default() }))
    };
    assert_eq!(by(Some(Category::Housing), None), ["Night shelter"]);
    assert_eq!(by(None, Some("SPAN")), ["Café Niño", "Night shelter"]);
    assert_eq!(by(Some(Category::Food), Some("spanish")), ["Café Niño"]);
    assert!(by(None, Some("sp")).is_empty());
    assert!(by(Some(Category::LegalAid), None).is_empty());
}
