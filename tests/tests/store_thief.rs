//! The thief on whole stores. In each story the same thief succeeds first: before the erasure settled, or with the rule
//! left out that keeps it away.

#![allow(clippy::unwrap_used)]

use satchel_core::rules::Rule;
use satchel_core::team::Role;
use satchel_tests::store_thief::{Crew, Outcome, Target, run};

/// A team of some phones that know each other, all over the relay.
fn crew(seed: u64, phones: usize, without: Option<Rule>) -> Crew {
    let mut crew = Crew::found(seed, without);
    for number in 1..phones {
        let role = if number == 1 { Role::Steward } else { Role::Worker };
        assert_eq!(crew.join(0, role), Some(number));
    }
    crew.settle(3);
    crew
}

fn is_settled(crew: &Crew, number: usize) -> bool {
    let receipts = crew.phones[number].store().erasures().unwrap();
    !receipts.is_empty() && receipts.iter().all(|receipt| receipt.is_settled)
}

/// Exchanges until the phone's receipts say that all is settled.
fn until_settled(crew: &mut Crew, number: usize) {
    for _ in 0..8 {
        if is_settled(crew, number) {
            return;
        }
        crew.settle(1);
    }
    panic!("not settled: {:?}", crew.phones[number].store().erasures().unwrap());
}

#[test]
fn a_participant_erased_among_concurrent_turns_is_out_of_reach_once_settled() {
    let mut crew = crew(1, 4, None);
    let gone = crew.participant(0).unwrap();
    crew.encounter(0, Some(gone)).unwrap();
    let stays = crew.participant(0).unwrap();
    crew.settle(2);
    crew.encounter(2, Some(gone)).unwrap();
    crew.correct(1, crew.planted[1].record).unwrap();
    crew.settle(2);
    let target = Target::Subject(gone);
    for number in 0..4 {
        let found = crew.steal(number);
        assert!(crew.finds(&found, &target).is_some(), "control: before the erasure phone {number} opens");
    }
    crew.erase(0, target).unwrap();
    // others start turns meanwhile, and write
    crew.phones[1].store().begin_turn().unwrap();
    crew.phones[2].store().begin_turn().unwrap();
    crew.follow_up(2, gone).unwrap();
    crew.follow_up(3, stays).unwrap();
    let found = crew.steal(3);
    assert!(crew.finds(&found, &target).is_some(), "control: the fourth phone has not heard of it");
    until_settled(&mut crew, 0);
    for number in 0..4 {
        let found = crew.steal(number);
        assert_eq!(crew.finds(&found, &target), None, "phone {number}");
        assert!(crew.finds(&found, &Target::Subject(stays)).is_some(), "what stays is read");
    }
}

fn histories(seeds: std::ops::Range<u64>) -> Outcome {
    let mut all = Outcome::default();
    for seed in seeds {
        let outcome = run(seed, None, std::env::var_os("THIEF_TRACE").is_some());
        if let Some(find) = &outcome.first_find {
            all.first_find.get_or_insert_with(|| format!("seed {seed}: {find}"));
        }
        all.add(outcome);
    }
    all
}

fn assert_sound(all: &Outcome) {
    assert_eq!((all.open_after_settlement, all.removed_read, all.unread, &all.first_find), (0, 0, 0, &None), "{all:#?}");
    assert!(all.controls > 0 && all.unaware_controls > 0 && all.settled > 0 && all.thefts > 0, "{all:#?}");
}

#[test]
fn nothing_is_found_in_a_few_histories() {
    assert_sound(&histories(0..3));
}

/// Many seeds: `THIEF_SEEDS=from..to cargo test --release --test store_thief -- --ignored --nocapture many`.
#[test]
#[ignore = "as many histories as asked for"]
fn nothing_is_found_in_many_histories() {
    let seeds = std::env::var("THIEF_SEEDS").unwrap_or_else(|_| "100..200".into());
    let (from, to) = seeds.split_once("..").unwrap();
    let all = histories(from.parse().unwrap()..to.parse().unwrap());
    #[allow(clippy::print_stdout, reason = "its figures are what it is run for")]
    {
        println!("{all:#?}");
    }
    assert_sound(&all);
}
