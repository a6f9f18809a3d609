//! The thief in short: fixed histories, some with rules left out. The long run with every rule is `--bin thief`.
//!
//! What each test would catch: a turn that lacks a ban and is used or kept, a receiving key that outlives its turn, a
//! receipt that overlooks somebody, a removed device that is sealed to, a store whose old copies still open, a turn
//! that outlives the term of what it covers, a key on paper that needs no board.

#![allow(clippy::unwrap_used)]

use satchel_core::rules::Rule;
use satchel_tests::thief::{Outcome, Setup, history, history_with, run};

/// Few histories: each costs real post-quantum boxes, in a debug build. The seeds are fixed.
const HISTORIES: u64 = 6;

#[test]
fn from_settled_on_nothing_opens_and_before_everything_does() {
    let mut sum = Outcome::default();
    (1..=HISTORIES).for_each(|seed| sum.add(history(seed, &[])));
    assert_eq!(sum.thefts(), 0, "{}", sum.effects());
    assert_eq!(sum.unread, 0, "every live record is read everywhere: {}", sum.effects());
    // the same thief finds what is not erased yet
    assert!(sum.settled * 10 > sum.erasures * 9 && sum.erasures > 10, "{sum:?}");
    assert!(sum.controls * 2 > sum.erasures, "{sum:?}");
    assert!(sum.opened > 100 && sum.turns > 20 && sum.live > 20 && sum.expired > 10 && sum.paper_controls > 0, "{sum:?}");
}

#[test]
fn a_thief_who_tries_every_key_on_every_box_opens_no_more() {
    // the run itself asserts that a box opens only for whom its turn names
    let setup = Setup { is_exhaustive: true, ..Setup::default() };
    let (all, _) = run(3, &setup);
    assert!(all.opened > 0 && all.thefts() == 0, "{}", all.effects());
}

#[test]
fn the_quick_thief_finds_what_a_slow_one_finds_from_scratch() {
    // the run itself compares; the second and third history have a board phone and paper, the others leave more to be found
    for (seed, without) in [(4, None), (6, None), (12, None), (3, Some(Rule::ReplaceReceivingKey)), (14, Some(Rule::NameKnownBans))] {
        let setup = Setup { without: without.into_iter().collect(), is_cross_checked: true, ..Setup::default() };
        let (all, _) = run(seed, &setup);
        assert!(all.cross_checked > 250, "seed {seed}: compared {}", all.cross_checked);
    }
}

/// So many histories are tried for what a rule that is left out lets happen. Which one shows it moves with the engine.
const TRIED: u64 = 40;

/// What a rule that is left out lets happen in some history from a seed on, and not in the same one with every rule.
fn must_fall(without: &[Rule], from: u64, shows: fn(&Outcome) -> usize) {
    must_fall_in(without, from, shows, history);
}

fn must_fall_in(without: &[Rule], from: u64, shows: fn(&Outcome) -> usize, lives: fn(u64, &[Rule]) -> Outcome) {
    let fell = (from..from + TRIED).find(|seed| shows(&lives(*seed, without)) > shows(&lives(*seed, &[])));
    let seed = fell.unwrap_or_else(|| panic!("{without:?} may be left out and nobody notices, from seed {from} on"));
    assert_eq!(lives(seed, &[]).thefts(), 0, "{without:?}, seed {seed}");
}

/// A calm history: two parcels in a hundred lost, nobody erases while a session is on, old packs refused.
fn calm(seed: u64, without: &[Rule]) -> Outcome {
    run(seed, &Setup { without: without.to_vec(), is_calm: true, ..Setup::default() }).0
}

#[test]
fn t1_without_what_a_turn_names_the_thief_wins() {
    must_fall(&[Rule::ApplyNamedBans], 1, |fell| fell.open_after_settlement);
}

#[test]
fn t2_without_a_turn_that_names_bans_the_thief_wins_and_removed_phones_read_on() {
    must_fall(&[Rule::NameKnownBans], 1, |fell| fell.open_after_settlement);
    must_fall(&[Rule::NameKnownBans], 70, |fell| fell.removed_read);
}

#[test]
fn t2_without_a_look_at_recipients_one_who_came_in_by_a_used_invitation_reads_on() {
    // an invitation was shown to two, and let both in: no ban says who is out
    must_fall_in(&[Rule::NoBannedRecipient], 15, |fell| fell.removed_read, |seed, without| history_with(seed, without, true));
}

#[test]
fn t3_while_turns_that_lack_a_ban_are_kept_erasures_stay_unsettled() {
    must_fall(&[Rule::DestroyLacking], 1, Outcome::unsettled);
}

#[test]
fn t3_while_parents_are_kept_expired_records_open_a_month_later() {
    must_fall(&[Rule::DestroyParents], 1, |fell| fell.expired_open);
}

#[test]
fn t4_without_a_fresh_receiving_key_the_thief_wins() {
    must_fall(&[Rule::ReplaceReceivingKey], 1, |fell| fell.open_after_settlement);
}

#[test]
fn t4_a_key_whose_frontier_names_what_is_unknown_is_not_sealed_to() {
    // somebody erased while a session was on: the frontier went out, the erasure had not
    must_fall(&[Rule::ReceivingKeyFloor], 1, |fell| fell.open_after_settlement);
}

#[test]
fn an_erasure_does_not_come_back_when_whoever_let_its_author_in_had_been_removed() {
    for seed in [227, 398] {
        let all = calm(seed, &[]);
        assert!(all.settled > 0 && all.thefts() == 0, "{}", all.effects());
    }
}

#[test]
fn t5_a_promise_beyond_what_is_held_is_broken() {
    must_fall(&[Rule::PromiseOnlyHeld], 1, |fell| fell.open_after_settlement);
}

#[test]
fn a_silent_phone_that_gets_boxes_opens_what_comes_later() {
    must_fall(&[Rule::NoBoxForDormant], 34, |fell| fell.silent_read);
}

#[test]
fn what_arrives_late_and_is_not_erased_lies_open() {
    must_fall(&[Rule::EraseLateArrivals], 12, |fell| fell.open_after_settlement);
}

#[test]
fn without_a_new_store_key_old_flash_opens() {
    must_fall(&[Rule::ReplaceStoreKey], 1, |fell| fell.open_after_settlement);
}

#[test]
fn what_a_removed_phone_wrote_beyond_its_cut_is_shown_unless_held() {
    must_fall(&[Rule::HoldBeyondCut], 7, |fell| fell.beyond_cut);
}

#[test]
fn without_escrow_paper_and_relay_are_enough() {
    must_fall(&[Rule::EscrowRecovery], 6, |fell| fell.paper_read);
}

#[test]
fn what_nobody_asks_for_stays_unread_until_a_meeting() {
    must_fall(&[Rule::AskForGaps], 3, |fell| fell.unread_before_meetings);
}

#[test]
fn without_the_complete_log_a_receipt_overlooks_a_newcomer() {
    must_fall(&[Rule::CompleteLog], 203, |fell| fell.open_after_settlement);
}

#[test]
fn without_a_fresh_record_key_a_removed_phone_reads_on() {
    must_fall(&[Rule::FreshKeyAfterBan], 34, |fell| fell.removed_read);
}
