//! Random days of phones that have the text guards of different versions, clocks up to two days apart, and get everything in
//! different orders: what stands on them in the end is the same, byte for byte, and only what they cover differs.
//! `SATCHEL_SEED=123 cargo test -p satchel-tests --test simulation_versions` runs one.

#![allow(clippy::unwrap_used)]

use satchel_core::rules::Rule;
use satchel_core::screen::{DangerousVersion, Note, dangerous_as_version};
use satchel_tests::harness::{Outcome, Plan, World};
use std::collections::BTreeMap;

/// The seeds of the default run, each half beside the other.
const SEEDS: [[u64; 4]; 2] = [[1, 2, 3, 4], [5, 6, 7, 8]];

/// What they must hold at least once, or it proves less than it says.
const KINDS: [&str; 10] = [
    "covered here and not there",
    "encounter",
    "correction",
    "resource note",
    "clock skewed",
    "facts",
    "withdrawal unseen",
    "meeting reordered",
    "exchange",
    "phone restart",
];

fn plan(seed: u64) -> Plan {
    let phones = 3 + usize::try_from(seed % 2).unwrap();
    Plan { events: 200, phones, turns: 1, consents: 35, versions: true, without: None }
}

fn run(seed: u64) -> Outcome {
    World::run(seed, plan(seed)).unwrap_or_else(|failed| panic!("{failed}"))
}

#[test]
fn phones_with_different_guards_and_clocks_converge_to_equal_bytes() {
    if let Ok(seed) = std::env::var("SATCHEL_SEED") {
        run(seed.parse().expect("SATCHEL_SEED is a number"));
        return;
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let halves = SEEDS.map(|seeds| scope.spawn(move || seeds.map(run)));
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    for (kind, count) in outcomes.into_iter().flat_map(|outcome| outcome.counts) {
        *counts.entry(kind).or_default() += count;
    }
    let missing: Vec<_> = KINDS.iter().filter(|kind| counts.get(**kind).is_none_or(|count| *count == 0)).collect();
    assert!(missing.is_empty(), "no {missing:?} among {counts:?}");
}

/// For a longer search: `SATCHEL_SEEDS=100-160 cargo test -p satchel-tests --test simulation_versions -- --ignored --nocapture`.
#[test]
#[allow(clippy::print_stdout, reason = "a search says at once what it finds")]
#[ignore = "as long as one likes"]
fn many_seeds() {
    let range = std::env::var("SATCHEL_SEEDS").expect("SATCHEL_SEEDS=first-last");
    let (first, last) = range.split_once('-').expect("first-last");
    let seeds: std::ops::RangeInclusive<u64> = first.parse().unwrap()..=last.parse().unwrap();
    let mut failed = 0;
    for seed in seeds {
        if let Err(error) = World::run(seed, plan(seed)) {
            println!("{}", error.lines().next().unwrap_or_default());
            failed += 1;
        }
    }
    assert_eq!(failed, 0, "seeds failed");
}

/// A verdict that asks the guard of the phone on which something arrives would part them.
#[test]
fn control_a_verdict_that_asks_the_local_guard_diverges() {
    let asking = |seed| World::run(seed, Plan { without: Some(Rule::VerdictAsksNoGuard), ..plan(seed) }).err();
    let failed = (1..5).find_map(asking).expect("the checks found nothing");
    let first = failed.lines().next().unwrap();
    // a record that some have and others refuse, or work on it that they wait for
    let told = ["diverges from phone0", "is lost", "last written were", "still holds back", "never settles"];
    assert!(told.iter().any(|told| first.contains(told)), "{first}");
    // with one guard for all it goes unnoticed: it is the difference that parts them
    let alike = Plan { without: Some(Rule::VerdictAsksNoGuard), versions: false, ..plan(1) };
    World::run(1, alike).unwrap_or_else(|failed| panic!("{failed}"));
}

#[test]
fn control_the_versions_find_different_things() {
    let passes = |version, text| dangerous_as_version(version, || Note::parse(text).is_ok());
    let all = [DangerousVersion::FIGURES, DangerousVersion::OWN, DangerousVersion::LATER];
    assert_eq!(all.map(|version| passes(version, "saw the probation officer")), [true, false, false]);
    assert_eq!(all.map(|version| passes(version, "left the lantern there")), [true, true, false]);
    assert_eq!(all.map(|version| passes(version, "call 415-555-0123")), [false, false, false]);
    assert!(passes(DangerousVersion::NONE, "call 415-555-0123"));
    assert!(Note::parse("left the lantern there").is_ok() && Note::parse("call 415-555-0123").is_err(), "and afterwards it is as before");
}
