//! The thief on whole stores. In each story the same thief succeeds first: before the erasure settled, or with the rule
//! left out that keeps it away.

#![allow(clippy::unwrap_used)]

use satchel_core::rules::Rule;
use satchel_core::team::Role;
use satchel_tests::store_thief::{Crew, Target};

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
