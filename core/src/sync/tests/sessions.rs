//! What a session brings about.

use super::model::*;
use super::*;
use proptest::prelude::*;

fn pair() -> (Model, Model) {
    let mut team = team(3);
    let (b, a) = (team.remove(1), team.remove(0));
    (a, b)
}

fn assert_equal(a: &Model, b: &Model) {
    assert_eq!(a.body_ids(), b.body_ids());
    assert_eq!(a.operation_set(), b.operation_set());
    assert_eq!(a.turns[0], b.turns[0]);
    assert!(a.has_all_parents() && b.has_all_parents());
}

/// A pair that differs in everything: log forked, turns apart, drafts, gaps, complaints.
fn tangled() -> (Model, Model) {
    let (mut a, mut b) = pair();
    meet(1, &mut a, &mut b);
    a.log_deed(Deed::Note(1));
    b.log_deed(Deed::Note(2));
    a.turns.insert(0, turn(2));
    (a.drafts, b.drafts) = (3, 2);
    a.complain(1);
    b.complain(2);
    let mut third = team(3).remove(2);
    third.write(40);
    a.copy_bodies(&third);
    let lost: Vec<_> = a.body_ids().into_iter().step_by(9).collect();
    b.copy_bodies(&a);
    lost.iter().for_each(|id| b.drop_body(id));
    (a, b)
}

#[test]
fn a_session_makes_two_replicas_equal() {
    let (mut a, mut b) = tangled();
    assert_ne!(a.body_ids(), b.body_ids());
    let (dialer, listener) = meet(2, &mut a, &mut b);
    assert_equal(&a, &b);
    assert_eq!((a.drafts, b.drafts), (0, 0));
    assert_eq!(dialer.sent, listener.rows.applied + listener.rows.held);
    assert_eq!((dialer.peer, listener.peer), (Some(device(2)), Some(device(1))));
    assert!(dialer.warnings.is_empty() && listener.warnings.is_empty());
    assert_eq!((a.ended.last(), b.ended.last()), (Some(&device(2)), Some(&device(1))));
    // and the same when the other one dials
    let (mut a, mut b) = tangled();
    meet(3, &mut b, &mut a);
    assert_equal(&a, &b);
}

#[test]
fn steps_come_in_the_order_that_security_asks_for() {
    let (mut a, mut b) = tangled();
    a.trace.clear();
    b.trace.clear();
    meet(2, &mut a, &mut b);
    for trace in [&a.trace, &b.trace] {
        let first = |name: &str| trace.iter().position(|call| *call == name).unwrap();
        let last = |name: &str| trace.iter().rposition(|call| *call == name).unwrap();
        assert!(first("check_handshake") < first("merge_operations"));
        assert!(first("check_handshake") < first("operations"));
        assert!(last("merge_operations") < first("turn_for"));
        assert!(last("turn_for") < last("accept_frontier"));
        assert!(last("accept_frontier") < first("freeze"));
        assert!(first("freeze") < first("rows"));
        assert!(last("accept_rows").max(last("rows")) < first("end_session"));
        assert_eq!(trace.iter().filter(|call| **call == "end_session").count(), 1);
    }
}

#[test]
fn frontiers_and_receiving_keys_spread_through_third_phones() {
    for b_dials in [true, false] {
        let mut members = team(3);
        let (mut c, mut b, mut a) = (members.remove(2), members.remove(1), members.remove(0));
        meet(1, &mut a, &mut b);
        if b_dials {
            meet(2, &mut b, &mut c)
        } else {
            meet(2, &mut c, &mut b)
        };
        for (model, others) in [(&a, [2, 2]), (&b, [1, 3]), (&c, [1, 2])] {
            assert!(others.iter().all(|number| model.holds_key_of(device(*number))), "{b_dials} {others:?}");
        }
        // what is held is not asked for again
        let asked = |model: &Model| model.trace.iter().filter(|call| **call == "accept_key").count();
        let before = (asked(&b), asked(&c));
        meet(3, &mut b, &mut c);
        assert_eq!((asked(&b), asked(&c)), before);
    }
}

#[test]
fn equal_replicas_exchange_no_rows() {
    let (mut a, mut b) = pair();
    a.write(10);
    meet(1, &mut a, &mut b);
    for seed in 2..5 {
        let (dialer, listener) = meet(seed, &mut a, &mut b);
        assert_eq!((dialer.sent, listener.sent, dialer.received, listener.received), (0, 0, 0, 0));
    }
    // control: one more body, and rows are exchanged
    b.write(1);
    let (dialer, listener) = meet(5, &mut a, &mut b);
    assert_eq!((dialer.sent, listener.sent, dialer.rows.applied), (0, 1, 1));
}

#[test]
fn a_new_device_gets_everything_and_its_admission_is_asked_for() {
    let mut members = team(2);
    let mut known = members.remove(0);
    known.write(300);
    // device 3 was admitted by device 2, whose log device 1 has not seen
    let mut sponsor = members.remove(0);
    sponsor.log_deed(Deed::Admit(device(3)));
    let mut new = sponsor.clone();
    new.become_device(3);
    for dials in [true, false] {
        let (mut known, mut new) = (known.clone(), new.clone());
        if dials {
            meet(1, &mut new, &mut known)
        } else {
            meet(1, &mut known, &mut new)
        };
        assert!(new.trace.contains(&"own_admission"));
        assert_equal(&known, &new);
    }
    // a log that forked as well: neither knows the other's newest operations
    known.log_deed(Deed::Note(7));
    for dials in [true, false] {
        let (mut known, mut new) = (known.clone(), new.clone());
        if dials {
            meet(1, &mut new, &mut known)
        } else {
            meet(1, &mut known, &mut new)
        };
        assert_equal(&known, &new);
    }
}

#[test]
fn two_devices_that_neither_knows_prove_themselves_to_each_other() {
    let mut members = team(2);
    let (mut b, mut a) = (members.remove(1), members.remove(0));
    a.log_deed(Deed::Admit(device(3)));
    b.log_deed(Deed::Admit(device(4)));
    a.become_device(3);
    b.become_device(4);
    a.write(2);
    b.write(3);
    meet(1, &mut a, &mut b);
    assert_equal(&a, &b);
    assert_eq!(a.body_ids().len(), 5);
}

#[test]
fn one_log_ahead_of_the_other_whoever_dials() {
    for dialer_ahead in [true, false] {
        let (mut a, mut b) = pair();
        meet(1, &mut a, &mut b);
        (0..200).for_each(|number| a.log_deed(Deed::Note(number)));
        let (dialer, listener) = if dialer_ahead { meet(2, &mut a, &mut b) } else { meet(2, &mut b, &mut a) };
        assert_equal(&a, &b);
        let (ahead, behind) = if dialer_ahead { (dialer, listener) } else { (listener, dialer) };
        assert_eq!((ahead.operations_sent, behind.operations.accepted), (200, 200));
        assert_eq!(behind.operations_sent, 0);
    }
}

#[test]
fn who_was_away_gets_the_turn_even_if_its_key_is_spent() {
    let (mut a, mut b) = pair();
    meet(1, &mut a, &mut b);
    meet(2, &mut a, &mut b);
    for spent in [false, true] {
        for dials in [true, false] {
            let (mut a, mut b) = (a.clone(), b.clone());
            a.turns.insert(0, turn(2));
            b.write(1);
            if spent {
                // the key that `a` knows opens nothing any more
                b.key += 5;
            }
            if dials {
                meet(3, &mut b, &mut a)
            } else {
                meet(3, &mut a, &mut b)
            };
            assert_eq!(b.turns, [turn(2), turn(1)]);
            assert_equal(&a, &b);
        }
    }
}

#[test]
fn without_a_common_turn_no_body_leaves_and_nothing_is_numbered() {
    let (mut a, mut b) = pair();
    a.turns = vec![turn(2)];
    // a discovery secret in common, so that they talk, but the turn is destroyed
    b.turns = vec![turn(1)];
    a.remembered = vec![turn(1)];
    a.deaf = true;
    b.deaf = true;
    (a.drafts, b.drafts) = (2, 2);
    let (dialer, listener) = meet(1, &mut a, &mut b);
    assert!(dialer.warnings.contains(&Warning::NoCommonTurn) && listener.warnings.contains(&Warning::NoCommonTurn));
    assert_eq!((a.drafts, b.drafts, dialer.sent, listener.sent), (2, 2, 0, 0));
}

#[test]
fn a_second_try_finds_an_older_common_secret() {
    let (mut a, mut b) = pair();
    a.turns = vec![turn(3), turn(2), turn(1)];
    b.write(1);
    let (dialer, _) = meet(1, &mut a, &mut b);
    assert_equal(&a, &b);
    assert_eq!(b.turns[0], turn(3));
    // the listener may be the newer one too
    let mut c = team(3).remove(2);
    meet(2, &mut c, &mut a);
    assert_eq!(c.turns[0], turn(3));
    assert!(dialer.round_trips >= 4);
}

#[test]
fn strangers_get_one_byte() {
    let (mut a, _) = pair();
    let mut stranger = Model::stranger();
    for seed in 0..2 {
        let mut line = Line::open(seed, &mut stranger);
        let ended = line.run(&mut stranger, &mut a);
        let refused = Err(SessionError::Fault(SessionFault::NotAColleague));
        assert_eq!(ended, (refused, refused));
        assert_eq!(line.listener.report().bytes_sent, 1);
        assert!(!line.listener.is_finished() && a.trace.is_empty());
    }
}

#[test]
fn the_banned_the_forged_and_the_unproven_are_told_nothing() {
    let told = |model: &Model| model.trace.iter().any(|call| ["rows", "turn_for", "freeze"].contains(call));
    let closed = Err(SessionError::Fault(SessionFault::Closed(CloseReason::Refused)));
    let fault = |fault| Err(SessionError::Fault(fault));
    let cases = [SessionFault::Banned, SessionFault::Forged, SessionFault::NotAMember, SessionFault::NotAMember];
    for (case, expected) in cases.into_iter().enumerate() {
        for dials in [true, false] {
            let (mut honest, mut bad) = pair();
            honest.write(5);
            match case {
                0 => honest.log_deed(Deed::Ban(device(2))),
                1 => bad.forges = true,
                // knows a turn's secret, but no log names it
                2 => bad.become_device(9),
                // the same, with a log of its own: its admission is asked for and proves nothing
                _ => {
                    bad.become_device(9);
                    bad.log_deed(Deed::Note(5));
                }
            }
            let mut line = if dials { Line::open(1, &mut bad) } else { Line::open(1, &mut honest) };
            let (honest_end, bad_end) = if dials {
                let (bad_end, honest_end) = line.run(&mut bad, &mut honest);
                (honest_end, bad_end)
            } else {
                line.run(&mut honest, &mut bad)
            };
            assert_eq!(honest_end, fault(expected), "{expected:?} {dials}");
            assert_eq!(bad_end, closed);
            assert!(!told(&honest) && bad.bodies.is_empty() && honest.ended.is_empty(), "{:?}", honest.trace);
        }
    }
    // control: the same pair, honest
    let (mut honest, mut other) = pair();
    honest.write(5);
    meet(1, &mut honest, &mut other);
    assert!(told(&honest) && other.bodies.len() == 5);
}

#[test]
fn a_copy_of_this_very_device_is_noticed() {
    let (mut a, _) = pair();
    let mut copy = a.clone();
    let mut line = Line::open(1, &mut a);
    let (dialer, listener) = line.run(&mut a, &mut copy);
    assert_eq!(dialer, Err(SessionError::Fault(SessionFault::SameDevice)));
    assert_eq!(listener, Err(SessionError::Fault(SessionFault::Closed(CloseReason::Refused))));
}

#[test]
fn a_phone_restored_from_a_copy_numbers_nothing_and_still_receives() {
    let mut members = team(3);
    let (mut c, mut b, mut a) = (members.remove(2), members.remove(1), members.remove(0));
    let restored = a.clone();
    a.write(4);
    meet(1, &mut a, &mut b);
    // `b` itself shows it, whoever dials
    for dials in [true, false] {
        let (mut old, mut b) = (restored.clone(), b.clone());
        b.write(2);
        old.drafts = 3;
        let (own, _) = if dials {
            meet(2, &mut old, &mut b)
        } else {
            let (peer, own) = meet(2, &mut b, &mut old);
            (own, peer)
        };
        assert!(own.warnings.contains(&Warning::RolledBack));
        assert_eq!((old.drafts, old.trace.contains(&"freeze")), (3, false));
        assert_eq!(old.body_ids(), b.body_ids());
    }
    // a third phone that has only heard of it, through a frontier of `b`
    meet(3, &mut b, &mut c);
    let known: Vec<_> = c.body_ids().into_iter().collect();
    known.iter().for_each(|id| c.drop_body(id));
    for dials in [true, false] {
        let (mut old, mut c) = (restored.clone(), c.clone());
        old.drafts = 3;
        if dials {
            meet(4, &mut old, &mut c)
        } else {
            meet(4, &mut c, &mut old)
        };
        assert_eq!((old.drafts, old.trace.contains(&"freeze")), (3, false), "dials: {dials}");
        // control: without that frontier nothing would have told it
        let (mut old, mut silent) = (restored.clone(), team(3).remove(2));
        old.drafts = 3;
        meet(4, &mut old, &mut silent);
        assert_eq!(old.drafts, 0);
    }
}

#[test]
fn what_one_side_forgot_on_purpose_is_not_sent_again() {
    let (mut a, mut b) = pair();
    a.write(50);
    meet(1, &mut a, &mut b);
    let gone: Vec<_> = b.body_ids().into_iter().step_by(7).collect();
    gone.iter().for_each(|id| {
        b.forget(id);
    });
    for dials in [true, false] {
        let (mut a, mut b) = (a.clone(), b.clone());
        let (dialer, listener) = if dials { meet(2, &mut b, &mut a) } else { meet(2, &mut a, &mut b) };
        assert_eq!(dialer.sent + listener.sent, 0);
        assert!(gone.iter().all(|id| !b.bodies.contains_key(id)));
    }
}

#[test]
fn a_cut_at_every_byte_loses_nothing_and_the_next_session_goes_on() {
    let (start_a, start_b) = tangled();
    let (mut cuts, mut states) = (0, 0);
    let (mut a, mut b) = (start_a.clone(), start_b.clone());
    let mut line = Line::open(7, &mut a);
    line.chunks = vec![1];
    // one byte in each direction, then a look at what a cut here would leave: what a session holds in
    // memory is gone, so equal replicas have equal futures and need not be tried twice
    let mut seen: Option<(Model, Model)> = None;
    while !(line.dialer.is_finished() && line.listener.is_finished()) {
        let before = (line.dialer.report().bytes_received, line.listener.report().bytes_received);
        for left in [1, 1] {
            line.left = left;
            let ended = line.run(&mut a, &mut b);
            assert_eq!(ended, (Ok(()), Ok(())));
            cuts += 1;
            let is_new = seen.as_ref().is_none_or(|(seen_a, seen_b)| !seen_a.same_store(&a) || !seen_b.same_store(&b));
            if !is_new {
                continue;
            }
            states += 1;
            seen = Some((a.clone(), b.clone()));
            assert!(start_a.body_ids().is_subset(&a.body_ids()) && start_b.body_ids().is_subset(&b.body_ids()));
            for dials in [true, false] {
                let (mut a, mut b) = (a.clone(), b.clone());
                if dials {
                    meet(8, &mut a, &mut b)
                } else {
                    meet(8, &mut b, &mut a)
                };
                assert_equal(&a, &b);
                assert_eq!((a.drafts, b.drafts), (0, 0));
            }
        }
        let after = (line.dialer.report().bytes_received, line.listener.report().bytes_received);
        assert_ne!(before, after, "the line stands still");
    }
    assert_equal(&a, &b);
    println!("cuts tried: {cuts}, of which different states: {states}");
    assert!(cuts > 5_000 && states > 8);
}

#[test]
fn any_chunking_gives_the_same_result() {
    for chunk in 1..=20 {
        let (mut a, mut b) = tangled();
        let mut line = Line::open(9, &mut a);
        line.chunks = vec![chunk];
        line.complete(&mut a, &mut b);
        assert_equal(&a, &b);
    }
    let (mut a, mut b) = tangled();
    let mut line = Line::open(9, &mut a);
    line.chunks = vec![1 << 22];
    line.complete(&mut a, &mut b);
    assert_equal(&a, &b);
}

#[test]
fn a_first_sync_of_a_large_store_keeps_little_in_memory() {
    let (mut a, mut b) = pair();
    a.write(8_000);
    let mut line = Line::open(1, &mut b);
    line.complete(&mut b, &mut a);
    assert_equal(&a, &b);
    assert!(line.largest_queue <= 272 * 1024, "{}", line.largest_queue);
    assert!(b.accept_calls >= 8_000 * ROW_BYTES / limits::ROWS_BATCH_BYTES);
}

#[test]
fn a_failing_replica_ends_the_session_and_a_later_one_goes_on() {
    let (start_a, start_b) = tangled();
    let mut failures = 0;
    for call in 0..200 {
        let (mut a, mut b) = (start_a.clone(), start_b.clone());
        b.fails_in = Some(call);
        let mut line = Line::open(1, &mut a);
        let (dialer, listener) = line.run(&mut a, &mut b);
        if listener.is_ok() {
            break;
        }
        failures += 1;
        assert_eq!(listener, Err(SessionError::Replica(Broken)));
        assert!(matches!(dialer, Ok(()) | Err(SessionError::Fault(SessionFault::Closed(CloseReason::Failed)))));
        b.fails_in = None;
        line.listener.abandon(&mut b).unwrap();
        line.dialer.abandon(&mut a).unwrap();
        meet(2, &mut a, &mut b);
        assert_equal(&a, &b);
    }
    assert!(failures > 10);
}

#[test]
fn a_broken_connection_still_ends_the_session_for_the_replica_once() {
    let (mut a, mut b) = tangled();
    a.ended.clear();
    let mut line = Line::open(1, &mut a);
    line.left = 4_000;
    assert_eq!(line.run(&mut a, &mut b), (Ok(()), Ok(())));
    assert!(a.ended.is_empty());
    line.dialer.abandon(&mut a).unwrap();
    line.dialer.abandon(&mut a).unwrap();
    assert_eq!(a.ended, [device(2)]);
    assert_eq!(line.dialer.receive(&mut a, &[1]), Err(SessionError::Fault(SessionFault::Ended)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn three_replicas_converge_over_a_bad_line(
        writes in prop::collection::vec((0usize..3, 0u32..6, 0u32..4, any::<bool>()), 1..12),
        cuts in prop::collection::vec((0usize..3, 0usize..3, 0usize..12_000, 1usize..3_000), 0..16),
    ) {
        let mut models = team(3);
        for (round, (who, bodies, notes, turns)) in writes.into_iter().enumerate() {
            models[who].write(bodies);
            models[who].drafts += bodies / 2;
            (0..notes).for_each(|note| models[who].log_deed(Deed::Note(round as u32 * 10 + note)));
            if turns {
                models[who].turns.insert(0, turn(2 + round as u8));
            }
        }
        for (seed, (dialer, listener, left, chunk)) in cuts.into_iter().enumerate() {
            if dialer == listener { continue }
            let (mut a, mut b) = (models[dialer].clone(), models[listener].clone());
            let mut line = Line::open(seed as u64, &mut a);
            (line.left, line.chunks) = (left, vec![chunk, chunk / 2 + 1]);
            let ended = line.run(&mut a, &mut b);
            prop_assert_eq!(ended, (Ok(()), Ok(())));
            line.dialer.abandon(&mut a).unwrap();
            line.listener.abandon(&mut b).unwrap();
            (models[dialer], models[listener]) = (a, b);
        }
        for round in 0..2 {
            for (one, other) in [(0, 1), (1, 2), (2, 0)] {
                let (mut a, mut b) = (models[one].clone(), models[other].clone());
                meet(100 + round, &mut a, &mut b);
                (models[one], models[other]) = (a, b);
            }
        }
        for model in &models[1..] {
            assert_equal(&models[0], model);
        }
    }
}
