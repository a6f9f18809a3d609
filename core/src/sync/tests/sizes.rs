//! Bytes and round trips, printed (`cargo test -p satchel-core sync::tests::sizes -- --nocapture`) and held to their limits.

use super::model::*;
use super::*;

struct Cost {
    bytes: u64,
    overhead: u64,
    round_trips: u32,
}

fn cost(name: &str, a: &mut Model, b: &mut Model) -> Cost {
    let (dialer, listener) = meet(1, a, b);
    assert_eq!(a.body_ids(), b.body_ids());
    let bytes = dialer.bytes_sent + listener.bytes_sent;
    let rows = ((dialer.sent + listener.sent) * ROW_BYTES) as u64;
    let overhead = bytes - rows;
    println!(
        "{name}: {bytes} bytes, {} rows of {ROW_BYTES}, {overhead} beside the rows, {} round trips",
        dialer.sent + listener.sent,
        dialer.round_trips
    );
    Cost { bytes, overhead, round_trips: dialer.round_trips }
}

/// Two of 25 devices that hold `count` bodies in common, written in turn over 90 days, and know each other's frontiers.
fn settled(count: u32) -> (Model, Model) {
    let mut members = team(25);
    let per_day = (count / 90 / 25).max(1);
    let mut all = members[0].clone();
    for (index, member) in members.iter_mut().enumerate() {
        let share = count / 25 + u32::from((index as u32) < count % 25);
        let mut written = 0;
        while written < share {
            let some = per_day.min(share - written);
            member.write(some);
            written += some;
            member.day = 20_000 - 90 + (written / per_day).min(89) as u16;
        }
        all.copy_bodies(member);
    }
    let (mut a, mut b) = (members[0].clone(), members[1].clone());
    a.copy_bodies(&all);
    b.copy_bodies(&all);
    (a.day, b.day) = (20_000, 20_000);
    (0..3).for_each(|seed| drop(meet(50 + seed, &mut a, &mut b)));
    (a, b)
}

#[test]
fn nothing_changed() {
    let (mut a, mut b) = settled(3_620);
    let cost = cost("nothing changed", &mut a, &mut b);
    assert!(cost.bytes <= 1_000 && cost.round_trips <= 2);
}

#[test]
fn a_shift_of_35_on_each_side_over_3620_in_common() {
    let (mut a, mut b) = settled(3_620);
    (a.drafts, b.drafts) = (35, 35);
    let cost = cost("shift, 35 new on each side of 3,620", &mut a, &mut b);
    assert!(cost.round_trips <= 3);
    assert!(cost.overhead * 100 <= 15 * 70 * ROW_BYTES as u64, "{}", cost.overhead);
    // both have met others since, so that no frontier is known any more
    let (mut a, mut b) = settled(3_620);
    let mut others = team(25).split_off(2);
    meet(70, &mut a, &mut others[0]);
    meet(71, &mut b, &mut others[1]);
    (a.drafts, b.drafts) = (35, 35);
    let cost = super::sizes::cost("shift, 35 new on each side, both have met others", &mut a, &mut b);
    assert!(cost.round_trips <= 3);
    assert!(cost.overhead * 100 <= 15 * 70 * ROW_BYTES as u64, "{}", cost.overhead);
    // one side alone
    let (mut a, mut b) = settled(3_620);
    b.drafts = 35;
    assert!(super::sizes::cost("shift, 35 new with the listener", &mut a, &mut b).round_trips <= 3);
}

#[test]
fn a_hundred_recent_differences_in_100_000() {
    let (mut a, mut b) = settled(100_000);
    let base = (a.clone(), b.clone());
    (a.drafts, b.drafts) = (50, 50);
    let fast = cost("100 recent of 100,000, new in chains", &mut a, &mut b);
    assert!(fast.overhead <= 4_000 && fast.round_trips <= 3);
    // the same number, but no chain tells of it: gaps of the last day, found by reconciliation
    let (mut a, mut b) = base;
    let day = a.bodies.values().map(|body| body.day).max().unwrap();
    let recent: Vec<_> = a.bodies.iter().filter(|(_, body)| body.day >= day - 1).map(|(id, _)| *id).collect();
    for (index, id) in recent.iter().take(100).enumerate() {
        if index % 2 == 0 { a.drop_body(id) } else { b.drop_body(id) }
    }
    let repaired = cost("100 recent gaps in 100,000", &mut a, &mut b);
    assert!(repaired.overhead <= 30_000);
}

#[test]
fn a_hundred_differences_spread_over_100_000() {
    let (mut a, mut b) = settled(100_000);
    let all: Vec<_> = a.body_ids().into_iter().collect();
    for (index, id) in all.iter().step_by(1_000).enumerate() {
        if index % 2 == 0 { a.drop_body(id) } else { b.drop_body(id) }
    }
    assert_ne!(a.body_ids(), b.body_ids());
    let cost = cost("100 gaps spread over 100,000", &mut a, &mut b);
    assert!(cost.overhead <= 150_000, "{}", cost.overhead);
}
