//! The guide for app developers says what runs: its quick starts stand word for word in a test of each language.

#![allow(clippy::unwrap_used)]

const GUIDE: &str = include_str!("../../docs/guide/embedding.md");
const KOTLIN: &str = include_str!("../kotlin/src/test/kotlin/org/satchel/core/QuickStartTest.kt");
const SWIFT: &str = include_str!("../swift/Tests/SatchelCoreTests/QuickStartTest.swift");

/// The first code block of a language.
fn block(language: &str) -> Vec<&'static str> {
    let mut lines = GUIDE.lines().skip_while(|line| *line != format!("```{language}"));
    lines.next().unwrap();
    lines.take_while(|line| *line != "```").collect()
}

/// What stands between the marks of a test, as far to the left as it goes.
fn run(source: &'static str) -> Vec<&'static str> {
    let from = source.lines().skip_while(|line| line.trim() != "// quick start: begin").skip(1);
    let lines: Vec<&str> = from.take_while(|line| line.trim() != "// quick start: end").collect();
    let margin = lines.iter().map(|line| line.len() - line.trim_start().len()).min().unwrap();
    lines.iter().map(|line| &line[margin..]).collect()
}

#[test]
fn the_quick_starts_are_what_the_tests_run() {
    for (language, source) in [("kotlin", KOTLIN), ("swift", SWIFT)] {
        let shown = block(language);
        assert!(shown.len() >= 10 && shown.len() <= 20, "{language}: {} lines", shown.len());
        assert_eq!(shown, run(source), "{language}");
    }
}

#[test]
fn every_error_is_in_the_guide() {
    let source = include_str!("../src/error.rs");
    let of_enum = source.split("pub enum FfiError {").nth(1).unwrap().split("\n}").next().unwrap();
    let cases = of_enum.lines().filter_map(|line| line.strip_prefix("    ")?.strip_suffix(" {"));
    let cases: Vec<&str> = cases.filter(|name| name.chars().all(char::is_alphabetic)).collect();
    assert!(cases.len() >= 10 && cases.contains(&"NoConsent"), "{cases:?}");
    for case in cases {
        assert!(GUIDE.contains(&format!("`{case}`")), "{case}");
    }
}
