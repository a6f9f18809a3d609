//! The thief in short: fixed histories, a few rules left out. The long run with every rule is `--bin thief`.
//!
//! What each test would catch: a turn that lacks a ban and is used or kept, a receiving key that outlives its turn, a
//! receipt that overlooks somebody, a removed device that is sealed to, a store whose old copies still open.

#![allow(clippy::unwrap_used)]

use satchel_core::rules::Rule;
use satchel_tests::thief::{Setup, line, run};

/// Few histories: each costs real post-quantum boxes, in a debug build. The seeds are fixed.
const HISTORIES: u64 = 6;

#[test]
fn from_settled_on_nothing_opens_and_before_everything_does() {
    let outcome = line(None, 1..1 + HISTORIES, 2).outcome;
    assert_eq!(outcome.open_after_settlement, 0, "{:?}", outcome.first_find);
    assert_eq!(outcome.removed_read, 0, "{:?}", outcome.first_find);
    // the same thief finds what is not erased yet, and a removed device reads what was sealed by those who did not know
    assert!(outcome.settled * 2 > outcome.erasures, "{outcome:?}");
    assert!(outcome.controls * 2 > outcome.erasures, "{outcome:?}");
    assert!(outcome.opened > 100 && outcome.turns > 50, "{outcome:?}");
}

#[test]
fn a_thief_who_tries_every_key_on_every_box_opens_no_more() {
    // the run itself asserts that a box opens only for whom its turn names
    let setup = Setup { is_exhaustive: true, ..Setup::default() };
    let (all, _) = run(3, &setup);
    let (named, _) = run(3, &Setup::default());
    assert_eq!((all.opened > 0, all.open_after_settlement, all.settled), (true, named.open_after_settlement, named.settled));
}

/// A rule left out must let the thief win on some of the given seeds.
fn must_fall(rule: Rule, seeds: &[u64]) {
    let fell = seeds.iter().any(|seed| {
        let outcome = line(Some(rule), *seed..seed + 1, 1).outcome;
        outcome.open_after_settlement + outcome.removed_read > 0
    });
    assert!(fell, "{rule:?} may be left out and nobody notices");
}

#[test]
fn without_t1_the_thief_wins() {
    must_fall(Rule::ApplyNamedBans, &[1]);
}

#[test]
fn without_a_fresh_receiving_key_the_thief_wins() {
    must_fall(Rule::ReplaceReceivingKey, &[1]);
}

#[test]
fn without_a_new_store_key_old_flash_opens() {
    must_fall(Rule::ReplaceStoreKey, &[2]);
}

#[test]
fn without_t2_a_removed_device_reads_on() {
    must_fall(Rule::NameKnownBans, &[11]);
}

#[test]
fn without_the_complete_log_a_receipt_overlooks_a_newcomer() {
    must_fall(Rule::CompleteLog, &[48]);
}
