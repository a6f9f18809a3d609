//! Exchanges with a model relay, honest and lying.

use super::relay_model::*;
use crate::sync::limits::*;
use crate::sync::relay::*;
use proptest::prelude::*;
use satchel_wire::Lane;
use satchel_wire::frame::{Endpoint, Freshness, ProblemCode, Pull};

type Ended = Result<RelayReport, RelayError<Broken>>;

fn exchange_at_most(phone: &mut Phone, relay: &mut Relay, answers: usize) -> (Ended, Vec<Endpoint>) {
    let mut exchange = RelayExchange::new(&phone.env);
    let mut asked = Vec::new();
    for _ in 0..answers {
        let request = match exchange.next(phone) {
            Ok(Some(request)) => request,
            Ok(None) => return (Ok(exchange.report().clone()), asked),
            Err(error) => return (Err(error), asked),
        };
        asked.push(request.endpoint);
        let answer = relay.answer(&request);
        if let Err(error) = exchange.receive(phone, answer) {
            assert!(exchange.is_finished() && exchange.next(phone) == Ok(None));
            return (Err(error), asked);
        }
    }
    exchange.abandon(phone).unwrap();
    (Ok(exchange.report().clone()), asked)
}

fn exchange(phone: &mut Phone, relay: &mut Relay) -> (RelayReport, Vec<Endpoint>) {
    let (ended, asked) = exchange_at_most(phone, relay, 10_000);
    (ended.unwrap(), asked)
}

#[test]
fn two_phones_meet_at_a_relay_and_nothing_changed_is_one_request() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    a.write(0..35);
    b.write(100..120);
    exchange(&mut a, &mut relay);
    exchange(&mut b, &mut relay);
    exchange(&mut a, &mut relay);
    assert_eq!(a.records, b.records);
    assert_eq!(a.records.len(), 55);
    exchange(&mut b, &mut relay);
    for phone in [&mut a, &mut b] {
        let (report, asked) = exchange(phone, &mut relay);
        assert_eq!(asked, [Endpoint::Pull]);
        assert!(report.warnings.is_empty() && report.stopped.is_none());
        println!("nothing changed at a relay: {} bytes out, {} in", report.bytes_sent, report.bytes_received);
        assert!(report.bytes_sent + report.bytes_received <= 400);
    }
    // control: something changed
    a.write(200..201);
    assert_eq!(exchange(&mut a, &mut relay).1, [Endpoint::Pull, Endpoint::Push]);
    assert_eq!(exchange(&mut b, &mut relay).0.rows.applied, 1);
}

#[test]
fn own_rows_do_not_come_back_unless_others_pushed_between() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    a.write(0..1);
    exchange(&mut a, &mut relay);
    a.write(1..10);
    exchange(&mut a, &mut relay);
    a.write(10..20);
    exchange(&mut a, &mut relay);
    let (report, _) = exchange(&mut a, &mut relay);
    assert_eq!(report.received, 0);
    b.write(30..33);
    exchange(&mut b, &mut relay);
    a.write(40..44);
    exchange(&mut a, &mut relay);
    assert!(a.records.contains(&32) && relay.days.values().flatten().count() == 27);
}

#[test]
fn a_large_mailbox_is_read_page_by_page_and_goes_on_after_a_break() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    for day in 0..4 {
        relay.now = START + day * 86_400;
        a.clock.set(relay.now);
        a.write(day as u32 * 1_000..day as u32 * 1_000 + 300);
        exchange(&mut a, &mut relay);
    }
    relay.page_bytes = 20_000;
    b.clock.set(relay.now);
    let (_, asked) = exchange_at_most(&mut b, &mut relay, 7);
    assert_eq!(asked.len(), 7);
    let early = b.records.len();
    assert!(early > 100 && early < 1_200);
    assert_eq!(b.ended_pulls, 1);
    let (report, _) = exchange(&mut b, &mut relay);
    assert_eq!(report.rows.known, 0);
    assert_eq!(b.records, a.records);
}

#[test]
fn after_a_restart_only_unknown_rows_of_the_day_are_fetched() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    a.write(0..100);
    exchange(&mut a, &mut relay);
    exchange(&mut b, &mut relay);
    a.write(100..125);
    exchange(&mut a, &mut relay);
    relay.restart();
    let (report, asked) = exchange(&mut b, &mut relay);
    assert_eq!((report.rows.applied, report.rows.known), (25, 0));
    assert_eq!(asked[..2], [Endpoint::Pull, Endpoint::Rows]);
    assert!(report.warnings.is_empty());
    assert_eq!(exchange(&mut b, &mut relay).1, [Endpoint::Pull]);
    // rows of later days follow the listing
    relay.now += 86_400;
    a.clock.set(relay.now);
    b.clock.set(relay.now);
    a.write(200..210);
    exchange(&mut a, &mut relay);
    b.cursor.as_mut().unwrap().fingerprint = [7; 16];
    exchange(&mut b, &mut relay);
    assert_eq!(a.records, b.records);
}

#[test]
fn a_turn_is_announced_before_rows_and_keys_change_between() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    a.holds_control = true;
    a.start_turn(2, &[1, 2]);
    a.write(0..3);
    let (report, asked) = exchange(&mut a, &mut relay);
    assert_eq!(asked, [Endpoint::Pull, Endpoint::Pull, Endpoint::Announce, Endpoint::Keys, Endpoint::Pull, Endpoint::Push]);
    assert!(report.announced && report.keys_changed && report.pushed == 3);
    assert_eq!((relay.present, relay.newest.is_some()), (turn(2), true));
    // the other one holds the earlier key: it adopts, then reads everything
    let (report, _) = exchange(&mut b, &mut relay);
    assert_eq!((report.turns_adopted, b.records.len()), (1, 3));
    assert_eq!(b.turns[0], turn(2));
}

#[test]
fn without_the_control_key_rows_go_up_under_the_present_keys() {
    let (mut relay, mut a) = (Relay::new(), Phone::new(1));
    a.start_turn(2, &[1, 2]);
    a.write(0..3);
    let (report, asked) = exchange(&mut a, &mut relay);
    assert_eq!(asked, [Endpoint::Pull, Endpoint::Pull, Endpoint::Announce, Endpoint::Push]);
    assert_eq!((report.pushed, relay.present), (3, turn(1)));
}

#[test]
fn a_turn_that_came_second_is_pulled_first_and_offered_again() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    a.start_turn(2, &[1, 2]);
    b.start_turn(3, &[1, 2]);
    // `b` has read, and `a` announces before `b` does
    let mut late = RelayExchange::new(&b.env);
    for _ in 0..2 {
        let request = late.next(&mut b).unwrap().unwrap();
        late.receive(&mut b, relay.answer(&request)).unwrap();
    }
    exchange(&mut a, &mut relay);
    let mut asked = Vec::new();
    while let Some(request) = late.next(&mut b).unwrap() {
        asked.push(request.endpoint);
        late.receive(&mut b, relay.answer(&request)).unwrap();
    }
    assert_eq!(asked.iter().filter(|endpoint| **endpoint == Endpoint::Announce).count(), 2);
    assert!(late.report().announced && late.report().turns_adopted == 1);
    assert_eq!(relay.days.values().flatten().filter(|row| row.lane() == Lane::Announce).count(), 2);
}

#[test]
fn an_earlier_key_never_makes_records_be_skipped() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    a.holds_control = true;
    a.write(0..5);
    exchange(&mut a, &mut relay);
    exchange(&mut b, &mut relay);
    // the new turn has no box that `b` can open
    a.start_turn(2, &[1]);
    exchange(&mut a, &mut relay);
    for day in 1..4 {
        relay.now = START + day * 86_400;
        a.clock.set(relay.now);
        b.clock.set(relay.now);
        a.write(day as u32 * 10..day as u32 * 10 + 5);
        exchange(&mut a, &mut relay);
        // an announcement on each day, which the earlier key reads
        relay.put(announcement(turn(50 + day as u8), &[9]));
        exchange(&mut b, &mut relay);
    }
    assert_eq!(b.records.len(), 5);
    // a colleague hands the turn over, phone to phone
    b.turns.insert(0, turn(2));
    exchange(&mut b, &mut relay);
    assert_eq!(b.records, a.records);
    // control: the cursor that the last page under the earlier key ended with does skip them
    let last = relay.page(
        turn(1),
        Pull { mailbox: b.mailbox(), cursor: None, max_bytes: 1 << 20, lane: None, freshness: Freshness { time: 0, nonce: [0; 12] } },
    );
    let mut naive = Phone::new(3);
    naive.clock.set(relay.now);
    naive.turns = vec![turn(2), turn(1)];
    naive.cursor = last.cursor;
    exchange(&mut naive, &mut relay);
    assert!(naive.records.len() < a.records.len());
}

#[test]
fn rows_that_come_pages_before_their_turn_are_read_again() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    a.holds_control = true;
    a.start_turn(2, &[1, 2]);
    a.write(0..60);
    exchange(&mut a, &mut relay);
    // the announcement comes last, as it may in the order of row ids
    relay.days.values_mut().for_each(|rows| rows.sort_by_key(|row| row.lane() == Lane::Announce));
    relay.present = turn(1);
    relay.page_bytes = 10_000;
    let (report, _) = exchange(&mut b, &mut relay);
    assert!(report.turns_adopted == 1 && report.rows.thrown_away > 0);
    assert_eq!(b.records, a.records);
    // the same for a turn that is not this phone's newest, so that no other key signs
    let mut c = Phone::new(3);
    c.turns = vec![turn(9), turn(1)];
    relay.present = turn(9);
    relay.days.values_mut().for_each(|rows| rows.retain(|row| row.lane() == Lane::Records));
    relay.put(announcement(turn(2), &[3]));
    assert_eq!(exchange(&mut c, &mut relay).0.turns_adopted, 1);
    assert_eq!(c.records, a.records);
    relay.present = turn(1);
    // rows that nothing opens are given up at the end, and not read again and again
    relay.put((900..950).map(|number| row(Lane::Records, turn(77), number)).collect());
    let (report, _) = exchange(&mut b, &mut relay);
    assert_eq!(report.rows.thrown_away, 50);
    assert_eq!(exchange(&mut b, &mut relay).0.received, 0);
}

#[test]
fn a_wrong_clock_costs_one_more_request_and_a_relay_that_insists_stops_it() {
    let (mut relay, mut a) = (Relay::new(), Phone::new(1));
    a.clock.set(START - 40_000);
    a.write(0..2);
    let (report, asked) = exchange(&mut a, &mut relay);
    assert_eq!(asked, [Endpoint::Pull, Endpoint::Pull, Endpoint::Push]);
    assert_eq!((report.stopped, a.offset), (None, 40_000));
    assert_eq!(exchange(&mut a, &mut relay).1.len(), 1);
    relay.lie = Lie::TimeForEver;
    let (report, asked) = exchange(&mut a, &mut relay);
    assert_eq!((report.stopped, asked.len()), (Some(ProblemCode::ClockSkew), 2));
}

#[test]
fn keys_that_the_relay_does_not_know_end_the_exchange() {
    let (mut relay, mut a) = (Relay::new(), Phone::new(1));
    relay.present = turn(40);
    a.write(0..2);
    let (report, asked) = exchange(&mut a, &mut relay);
    assert_eq!((report.stopped, asked.len(), a.ended_pulls), (Some(ProblemCode::Refused), 1, 1));
    a.turns.clear();
    let (ended, _) = exchange_at_most(&mut a, &mut relay, 10);
    assert_eq!(ended, Err(RelayError::Fault(RelayFault::NoKey)));
}

#[test]
fn a_locked_inbox_only_reads() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    a.write(0..5);
    exchange(&mut a, &mut relay);
    b.is_locked = true;
    b.write(10..12);
    let (report, asked) = exchange(&mut b, &mut relay);
    assert_eq!((asked.len(), report.received, b.froze), (1, 5, false));
    b.is_locked = false;
    assert_eq!(exchange(&mut b, &mut relay).0.pushed, 2);
}

#[test]
fn lying_relays_are_noticed_and_cost_little() {
    let cases: [(Lie, usize, Result<Option<RelayWarning>, RelayFault>); 8] = [
        (Lie::RepeatsPage, 2, Err(RelayFault::NoProgress)),
        (Lie::MoreWithoutRows, 1, Err(RelayFault::NoProgress)),
        (Lie::InventsListing, 2, Ok(Some(RelayWarning::Withheld))),
        (Lie::InventsListingForEver, 2 * EXCHANGE_LISTINGS_MAX_COUNT + 1, Err(RelayFault::NoProgress)),
        (Lie::CursorBack, 3, Err(RelayFault::NoProgress)),
        (Lie::Garbage, EXCHANGE_UNREADABLE_MAX_COUNT / 1_000 + 1, Ok(Some(RelayWarning::Unreadable))),
        (Lie::NotAFrame, 1, Err(RelayFault::Malformed)),
        (Lie::None, 1, Ok(None)),
    ];
    for (lie, requests, expected) in cases {
        let (mut relay, mut a) = (Relay::new(), Phone::new(1));
        a.write(0..3);
        exchange(&mut a, &mut relay);
        let held = a.records.clone();
        let cursor = a.cursor;
        a.ended_pulls = 0;
        relay.lie = lie;
        let (ended, asked) = exchange_at_most(&mut a, &mut relay, 1_000);
        assert!(asked.len() <= requests, "{lie:?}: {}", asked.len());
        match (ended, expected) {
            (Ok(report), Ok(warning)) => assert!(warning.is_none_or(|warning| report.warnings.contains(&warning)), "{lie:?} {report:?}"),
            (Err(error), Err(fault)) => assert_eq!(error, RelayError::Fault(fault), "{lie:?}"),
            other => panic!("{lie:?}: {other:?}"),
        }
        assert!(held.is_subset(&a.records));
        assert_eq!(a.ended_pulls, 1);
        // whatever it said, an honest answer afterwards brings everything that is there
        relay.lie = Lie::None;
        let mut other = Phone::new(2);
        other.write(500..510);
        exchange(&mut other, &mut relay);
        exchange(&mut a, &mut relay);
        assert!(a.records.contains(&509), "{lie:?} {cursor:?} {:?}", a.cursor);
    }
}

#[test]
fn rows_that_were_not_asked_for_are_dropped_and_withheld_ones_are_noticed() {
    for (lie, warning) in [(Lie::WrongRows, RelayWarning::WrongRows), (Lie::WithholdsSome, RelayWarning::Withheld)] {
        let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
        a.write(0..40);
        exchange(&mut a, &mut relay);
        exchange(&mut b, &mut relay);
        a.write(100..130);
        exchange(&mut a, &mut relay);
        relay.restart();
        relay.lie = lie;
        let (report, asked) = exchange(&mut b, &mut relay);
        assert!(report.warnings.contains(&warning) && asked.len() < 12);
        assert!(b.records.iter().all(|number| *number < 1_000_000));
    }
}

#[test]
fn an_announcement_that_is_never_newest_is_offered_a_few_times_only() {
    let (mut relay, mut a) = (Relay::new(), Phone::new(1));
    a.start_turn(2, &[1]);
    relay.lie = Lie::NeverNewest;
    let (report, asked) = exchange(&mut a, &mut relay);
    assert_eq!(report.stopped, Some(ProblemCode::NotNewest));
    assert_eq!(asked.iter().filter(|endpoint| **endpoint == Endpoint::Announce).count(), EXCHANGE_ANNOUNCES_MAX_COUNT);
}

#[test]
fn calls_out_of_order_and_a_failing_store_are_typed() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    let mut exchange_one = RelayExchange::new(&a.env);
    assert_eq!(exchange_one.receive(&mut a, RelayAnswer::Ok(Vec::new())), Err(RelayError::Fault(RelayFault::Order)));
    let mut exchange_two = RelayExchange::new(&a.env);
    exchange_two.next(&mut a).unwrap();
    assert_eq!(exchange_two.next(&mut a), Err(RelayError::Fault(RelayFault::Order)));
    b.write(0..3);
    exchange(&mut b, &mut relay);
    a.fails = true;
    let (ended, _) = exchange_at_most(&mut a, &mut relay, 5);
    assert_eq!(ended, Err(RelayError::Replica(Broken)));
    assert_eq!(a.cursor, None);
    a.fails = false;
    assert_eq!(exchange(&mut a, &mut relay).0.rows.applied, 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn phones_converge_whatever_breaks(steps in prop::collection::vec((0usize..3, 0u32..9, 0usize..6, 0u8..12), 1..40)) {
        let mut relay = Relay::new();
        let mut phones: Vec<Phone> = (1..=3).map(Phone::new).collect();
        phones[0].holds_control = true;
        let (mut next_record, mut next_turn) = (0, 2);
        for (who, writes, answers, event) in steps {
            match event {
                0 => relay.restart(),
                1 => relay.now += 86_400,
                2 => relay.page_bytes = 3_000,
                3 if phones[0].announces.is_none() => {
                    phones[0].start_turn(next_turn, &[1, 2, 3]);
                    next_turn += 1;
                }
                _ => {}
            }
            let phone = &mut phones[who];
            phone.clock.set(relay.now);
            phone.write(next_record..next_record + writes);
            next_record += writes;
            // the last answer may be lost on its way back
            let mut exchange = RelayExchange::new(&phone.env);
            for left in (0..=answers).rev() {
                let Some(request) = exchange.next(phone).unwrap() else { break };
                let answer = relay.answer(&request);
                if left == 0 { break }
                exchange.receive(phone, answer).unwrap();
            }
            exchange.abandon(phone).unwrap();
        }
        for _ in 0..4 {
            for phone in &mut phones {
                phone.clock.set(relay.now);
                let (report, _) = super::relays::exchange(phone, &mut relay);
                prop_assert_eq!(report.stopped, None);
            }
        }
        for phone in &phones {
            prop_assert_eq!(phone.records.len(), next_record as usize);
            prop_assert!(phone.outbox.is_empty());
        }
    }

    #[test]
    fn arbitrary_answers_never_panic(answers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8)) {
        let mut phone = Phone::new(1);
        phone.write(0..3);
        let mut exchange = RelayExchange::new(&phone.env);
        for answer in answers {
            let Ok(Some(_)) = exchange.next(&mut phone) else { break };
            let _ = exchange.receive(&mut phone, RelayAnswer::Ok(answer));
        }
    }
}
