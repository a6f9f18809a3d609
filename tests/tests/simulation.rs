//! Random days of random teams, from seeds. `SATCHEL_SEED=123 cargo test -p satchel-tests --test simulation` runs one.

#![allow(clippy::unwrap_used)]

use satchel_tests::harness::{Outcome, Plan, World};
use std::collections::BTreeMap;

/// The seeds of the default run, a few in each test so that they run beside each other.
const SEEDS: [[u64; 5]; 3] = [[1, 2, 3, 4, 5], [7, 9, 12, 14, 15], [8, 17, 22, 31, 64]];

/// What each of these groups must hold at least once, or it proves less than it says.
const KINDS: [&str; 24] = [
    "participant",
    "edit",
    "goal added",
    "goal taken off",
    "goals ordered",
    "encounter",
    "correction",
    "tally",
    "follow-up",
    "follow-up state",
    "referral",
    "resource note",
    "meeting",
    "meeting cut",
    "meeting altered",
    "meeting reordered",
    "meeting repeated",
    "exchange",
    "phone restart",
    "relay restart",
    "partition",
    "turn",
    "clock skewed",
    "time passes",
];

fn plan(seed: u64) -> Plan {
    let phones = 2 + usize::try_from(seed % 4).unwrap();
    Plan { events: 240, phones, turns: usize::try_from(seed % 3).unwrap() * 3, ..Plan::default() }
}

fn run(seed: u64) -> Outcome {
    World::run(seed, plan(seed)).unwrap_or_else(|failed| panic!("{failed}"))
}

fn some(at: usize) {
    match std::env::var("SATCHEL_SEED").map(|seed| seed.parse().expect("SATCHEL_SEED is a number")) {
        Ok(seed) if at == 0 => {
            run(seed);
        }
        Ok(_) => {}
        Err(_) => {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for seed in SEEDS[at] {
                for (kind, count) in run(seed).counts {
                    *counts.entry(kind).or_default() += count;
                }
            }
            let missing: Vec<_> = KINDS.iter().filter(|kind| !counts.contains_key(**kind)).collect();
            assert!(missing.is_empty(), "no {missing:?} among {counts:?}");
        }
    }
}

#[test]
fn every_seed_converges_and_loses_nothing_a() {
    some(0);
}

#[test]
fn every_seed_converges_and_loses_nothing_b() {
    some(1);
}

#[test]
fn every_seed_converges_and_loses_nothing_c() {
    some(2);
}

#[test]
fn one_seed_is_one_history() {
    let plan = Plan { events: 120, phones: 3, turns: 3, ..Plan::default() };
    let first = World::run(6, plan).unwrap_or_else(|failed| panic!("{failed}"));
    let again = World::run(6, plan).unwrap_or_else(|failed| panic!("{failed}"));
    assert_eq!(first, again);
    let other = World::run(13, plan).unwrap_or_else(|failed| panic!("{failed}"));
    assert_ne!(first.view, other.view);
}
