//! Random days of random teams, from seeds. `SATCHEL_SEED=123 cargo test -p satchel-tests --test simulation` runs one.

#![allow(clippy::unwrap_used)]

use satchel_tests::harness::{Plan, World};

fn plan(seed: u64) -> Plan {
    let phones = 2 + usize::try_from(seed % 4).unwrap();
    Plan { events: 260, phones, turns: usize::try_from(seed % 3).unwrap() * 3 }
}

fn run(seeds: &[u64]) {
    for seed in seeds {
        if let Err(failed) = World::run(*seed, plan(*seed)) {
            panic!("{failed}");
        }
    }
}

#[test]
fn seeds() {
    match std::env::var("SATCHEL_SEED") {
        Ok(seed) => run(&[seed.parse().expect("SATCHEL_SEED is a number")]),
        Err(_) => run(&[1, 2, 3, 4, 5, 6]),
    }
}
