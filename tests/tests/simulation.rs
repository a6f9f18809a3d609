//! Random days of random teams, from seeds. `SATCHEL_SEED=123 cargo test -p satchel-tests --test simulation` runs one.

#![allow(clippy::unwrap_used)]

use satchel_tests::harness::{Plan, World};

fn plan(seed: u64) -> Plan {
    let phones = 2 + usize::try_from(seed % 4).unwrap();
    Plan { events: 260, phones, turns: usize::try_from(seed % 3).unwrap() * 3 }
}

/// The seeds of the default run, a few in each test so that they run beside each other.
const SEEDS: [[u64; 4]; 3] = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]];

fn run(seeds: &[u64]) {
    for seed in seeds {
        if let Err(failed) = World::run(*seed, plan(*seed)) {
            panic!("{failed}");
        }
    }
}

fn some(at: usize) {
    match std::env::var("SATCHEL_SEED").map(|seed| seed.parse().expect("SATCHEL_SEED is a number")) {
        Ok(seed) if at == 0 => run(&[seed]),
        Ok(_) => {}
        Err(_) => run(&SEEDS[at]),
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
