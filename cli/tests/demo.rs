//! The demonstration day, with three phones and the real relay (built on the way if it is missing).
#![allow(clippy::unwrap_used)]

mod support;

#[test]
fn every_check_of_the_day_holds() {
    let ended = support::run_bare(&["demo"], b"");
    assert_eq!(ended.status, 0, "{}\n{}", ended.out, ended.error);
    assert!(ended.out.contains("Every check held."), "{}", ended.out);
    // what cargo says where the relay's program had to be built first
    let of_cargo = |line: &str| {
        ["Compiling", "Finished", "Blocking", "Downloading", "Downloaded"].iter().any(|word| line.trim_start().starts_with(word))
    };
    let rest: Vec<&str> = ended.error.lines().filter(|line| !line.trim().is_empty() && !of_cargo(line)).collect();
    assert!(rest.is_empty(), "{rest:?}");
}
