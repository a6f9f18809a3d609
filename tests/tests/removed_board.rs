//! A board phone that was removed, in the hands of somebody who has every paper of the recovery key as well.

#![allow(clippy::unwrap_used)]

use satchel_core::rules::Rule;
use satchel_core::team::Role;
use satchel_tests::store_thief::Crew;

/// What a removed board phone with all papers reads, of what was written at each time.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reads {
    /// While it was one.
    before: usize,
    /// Between its removal and the moment at which the writer heard of it.
    unaware: usize,
    /// Afterwards: without a board, with another board phone, and once recovery was set up again.
    after: [usize; 3],
    /// The other board phone, of the last of these.
    successor: usize,
}

fn story(without: Option<Rule>) -> Reads {
    let mut crew = Crew::found(41, without);
    for (number, role) in [(1, Role::Steward), (2, Role::Worker)] {
        assert_eq!(crew.join(0, role), Some(number));
    }
    let board = crew.join(0, Role::Board).unwrap();
    crew.settle(3);
    crew.set_up_recovery(0).unwrap();
    crew.settle(3);
    // whoever has the phone keeps every secret that it ever had, and takes all that the relay ever carried
    let reads = |crew: &mut Crew, from: usize| {
        let found = crew.hoard(board);
        crew.planted[from..].iter().filter(|text| found.texts.contains(&text.text)).count()
    };
    let write = |crew: &mut Crew, by: &[usize]| {
        let from = crew.planted.len();
        for number in by {
            crew.encounter(*number, None).unwrap();
        }
        from
    };
    let mut all = Reads::default();
    let from = write(&mut crew, &[0, 2]);
    crew.settle(2);
    all.before = reads(&mut crew, from);

    let device = crew.phones[board].device;
    crew.phones[0].store().prepare_removal(device).unwrap().confirm().unwrap();
    crew.touch(0);
    let from = write(&mut crew, &[2]);
    assert!(crew.exchange(2));
    all.unaware = reads(&mut crew, from);
    crew.settle(3);

    let mut successor = None;
    for stage in 0..3 {
        match stage {
            1 => successor = crew.join(0, Role::Board),
            2 => crew.set_up_recovery(0).unwrap(),
            _ => {}
        }
        crew.settle(2);
        let from = write(&mut crew, &[0, 1, 2]);
        crew.settle(2);
        all.after[stage] = reads(&mut crew, from);
        if stage == 2 {
            let found = crew.steal(successor.unwrap());
            all.successor = crew.planted[from..].iter().filter(|text| found.texts.contains(&text.text)).count();
        }
    }
    all
}

#[test]
fn a_removed_board_phone_with_all_papers_learns_nothing_new() {
    assert_eq!(story(None), Reads { before: 2, unaware: 1, after: [0; 3], successor: 3 });
}

#[test]
fn without_the_boards_layer_around_the_papers_box_it_reads_on() {
    let all = story(Some(Rule::EscrowRecovery));
    assert!(all.after[1] > 0 && all.after[2] > 0, "control: {all:?}");
}
