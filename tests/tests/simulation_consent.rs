//! Random days with grants, vaults and withdrawals: what was taken back stands nowhere, and all phones say the same.
//! `SATCHEL_SEED=123 cargo test -p satchel-tests --test simulation_consent` runs one.

#![allow(clippy::unwrap_used)]

use satchel_core::rules::Rule;
use satchel_tests::harness::{Outcome, Plan, World};
use std::collections::BTreeMap;

/// The seeds of the default run, each half beside the other.
const SEEDS: [[u64; 4]; 2] = [[1, 2, 3, 4], [5, 6, 7, 8]];

/// What they must hold at least once, or it proves less than it says.
const KINDS: [&str; 14] = [
    "grant",
    "facts",
    "withdrawal",
    "withdrawal unseen",
    "file taken back",
    "file renewed",
    "share",
    "share stopped",
    "fact gone",
    "fact here",
    "meeting cut",
    "exchange",
    "phone restart",
    "partition",
];

fn plan(seed: u64) -> Plan {
    let phones = 2 + usize::try_from(seed % 3).unwrap();
    Plan { events: 240, phones, turns: usize::try_from(seed % 2).unwrap() * 2, consents: 70, ..Plan::default() }
}

fn run(seed: u64) -> Outcome {
    World::run(seed, plan(seed)).unwrap_or_else(|failed| panic!("{failed}"))
}

#[test]
fn what_was_taken_back_stands_nowhere() {
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

/// For a longer search: `SATCHEL_SEEDS=100-160 cargo test -p satchel-tests --test simulation_consent -- --ignored --nocapture`.
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

#[test]
fn control_without_the_rule_what_was_taken_back_stands() {
    let without = |seed| World::run(seed, Plan { without: Some(Rule::WithdrawalBeatsUnseen), ..plan(seed) }).err();
    let failed = (2..8).find_map(without).expect("the checks found nothing");
    let first = failed.lines().next().unwrap();
    // a grant that stands, a file that is shown, or a fact that was taken back with its grant
    let told = ["should be Withdrawn", "is shown, whose file was taken back", "last written were {}"];
    assert!(told.iter().any(|told| first.contains(told)), "{first}");
}
