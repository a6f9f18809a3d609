//! Reading on from a cursor never misses a row: page by page, while others push, across restarts and midnights.
#![allow(clippy::unwrap_used)]

mod support;

use satchel_relay::Config;
use satchel_wire::frame::*;
use satchel_wire::{AnnouncementId, DayFingerprint, Lane, Row, RowId, UtcDay};
use std::sync::atomic::{AtomicBool, Ordering};
use support::*;

both_engines! {
    pages_join_over_closed_days_and_the_running_one,
    nothing_is_missed_while_others_push_and_days_close,
    a_restart_in_the_middle_leads_to_a_listing_and_nothing_is_missed,
    a_restart_without_new_rows_is_not_noticed_by_who_had_all,
    a_day_half_read_while_it_ran_is_listed_after_it_closed,
    a_day_too_long_for_a_listing_is_read_again_from_its_beginning,
    a_cursor_from_nowhere_reads_everything_or_lists,
    a_clock_that_goes_back_hides_nothing,
    fetching_more_than_fits_says_so,
    announcements_have_a_view_of_their_own,
}

const ALL: u32 = u32::MAX;

fn rows(range: std::ops::Range<u64>) -> Vec<Row> {
    range.map(|n| row(if n % 4 == 0 { Lane::Commons } else { Lane::Records }, n)).collect()
}

fn pages_join_over_closed_days_and_the_running_one() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let mut every = Vec::new();
    for day in 0..4u64 {
        for part in 0..5 {
            let pushed = rows(day * 1000 + part * 10..day * 1000 + part * 10 + 10);
            team.push(pushed.clone(), None);
            every.extend(pushed);
        }
        if day < 3 {
            relay.next_day();
        }
    }
    for max_bytes in [0, 1, 512, 5_000, 70_000, ALL] {
        for lane in [None, Some(Lane::Commons), Some(Lane::Records), Some(Lane::Announce)] {
            let mut phone = Phone { lane, ..Phone::default() };
            team.catch_up(&mut phone, max_bytes);
            let expected: Vec<Row> = every.iter().filter(|row| lane.is_none_or(|lane| row.lane() == lane)).cloned().collect();
            assert_eq!(phone.ids(), ids(&expected), "{max_bytes} {lane:?}");
            assert_eq!((phone.listings, phone.repeats), (0, 0));
        }
    }
    // every cursor within a closed day is honest: it is the fingerprint of what was read of that day
    let mut cursor = None;
    let mut seen = Vec::<RowId>::new();
    let mut day = None;
    loop {
        let pulled = team.pull(cursor, 2_000, None);
        let now = pulled.cursor.unwrap();
        if day != Some(now.day) {
            // a page may cross midnight; then the fingerprint is about the later day only
            seen.clear();
        }
        day = Some(now.day);
        let of_day: Vec<RowId> =
            pulled.rows.iter().map(Row::id).filter(|id| !team.fetch_answer(now.day, vec![*id]).frame::<Pulled>().rows.is_empty()).collect();
        seen.extend(of_day);
        assert_eq!(now.fingerprint, DayFingerprint::of(&seen).value());
        cursor = pulled.cursor;
        if !pulled.more {
            break;
        }
    }
    relay.stop();
}

fn nothing_is_missed_while_others_push_and_days_close() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let mut phones: Vec<Phone> = (0..3).map(|_| Phone::default()).collect();
    let mut every = Vec::new();
    for round in 0..4u64 {
        // each round begins five minutes before midnight, which then falls among the requests
        relay.advance(if round == 0 { 43_200 - 300 } else { DAY - 600 });
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let pushers: Vec<_> = (0..2u64)
                .map(|author| {
                    let team = &team;
                    scope.spawn(move || {
                        for push in 0..20 {
                            let from = round * 1_000_000 + author * 100_000 + push * 10;
                            team.push(rows(from..from + 7), None);
                        }
                    })
                })
                .collect();
            let readers: Vec<_> = phones
                .iter_mut()
                .zip([700u32, 3_000, ALL])
                .map(|(phone, max_bytes)| {
                    let (team, done) = (&team, &done);
                    scope.spawn(move || {
                        while !done.load(Ordering::SeqCst) {
                            team.catch_up(phone, max_bytes);
                        }
                        team.catch_up(phone, max_bytes);
                    })
                })
                .collect();
            let mine = round * 1_000_000 + 900_000;
            team.push(rows(mine..mine + 7), None);
            relay.advance(600);
            relay.relay.maintain().unwrap();
            team.push(rows(mine + 10..mine + 17), None);
            every.extend(rows(mine..mine + 7));
            every.extend(rows(mine + 10..mine + 17));
            for pusher in pushers {
                pusher.join().unwrap();
            }
            done.store(true, Ordering::SeqCst);
            for reader in readers {
                reader.join().unwrap();
            }
        });
        let pushes = (0..2u64).flat_map(|author| (0..20).map(move |push| round * 1_000_000 + author * 100_000 + push * 10));
        every.extend(pushes.flat_map(|from| rows(from..from + 7)));
        for phone in &phones {
            let missing = every.iter().filter(|row| !phone.rows.contains_key(&row.id())).count();
            assert_eq!((missing, phone.rows.len()), (0, every.len()));
        }
    }
    let day_of = |row: &Row| {
        (0..6).find(|ahead| {
            let day = UtcDay::of_unix_seconds(NOON).plus(*ahead);
            !team.fetch_answer(day, vec![row.id()]).frame::<Pulled>().rows.is_empty()
        })
    };
    let days: std::collections::BTreeSet<_> = every.iter().step_by(7).map(|row| day_of(row).unwrap()).collect();
    assert_eq!(days.len(), 5, "midnights did fall between the pushes");
    relay.stop();
}

fn a_restart_in_the_middle_leads_to_a_listing_and_nothing_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    team.push(rows(0..10), None);
    let mut phone = Phone::default();
    team.catch_up(&mut phone, ALL);
    let full = phone.cursor;
    team.push(rows(10..20), None);
    relay.stop();

    let relay = TestRelay::start(folder.path(), NOON);
    let team = Team { address: relay.address, clock: relay.clock.clone(), ..team };
    team.push(rows(20..30), None);
    team.catch_up(&mut phone, 2_000);
    assert_eq!(phone.ids(), ids(&rows(0..30)));
    assert_eq!((phone.listings, phone.repeats), (1, 0), "listed once, and only the unknown rows were fetched");
    // the listing itself: all ids, no rows, and the cursor of the present state
    let listed = team.pull(full, ALL, None);
    assert_eq!(listed.listing.as_ref().map(|ids| ids.len()), Some(30));
    assert_eq!((listed.rows.len(), listed.more, listed.cursor), (0, false, phone.cursor));
    relay.stop();
}

fn a_restart_without_new_rows_is_not_noticed_by_who_had_all() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    team.push(rows(0..10), None);
    team.push(rows(10..20), None);
    let mut phone = Phone::default();
    team.catch_up(&mut phone, ALL);
    relay.stop();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = Team { address: relay.address, clock: relay.clock.clone(), ..team };
    team.push(rows(20..30), None);
    team.catch_up(&mut phone, ALL);
    assert_eq!((phone.ids(), phone.listings, phone.repeats), (ids(&rows(0..30)), 0, 0));
    relay.stop();
}

fn a_day_half_read_while_it_ran_is_listed_after_it_closed() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let mut half = Phone::default();
    let mut whole = Phone::default();
    team.push(rows(0..10), None);
    team.catch_up(&mut half, ALL);
    team.push(rows(10..20), None);
    team.catch_up(&mut whole, ALL);
    relay.next_day();
    team.push(rows(20..30), None);
    for phone in [&mut half, &mut whole] {
        team.catch_up(phone, ALL);
        assert_eq!((phone.ids(), phone.repeats), (ids(&rows(0..30)), 0));
    }
    assert_eq!((half.listings, whole.listings), (1, 0));
    // the listing says that a later day follows
    let cursor = Cursor { day: UtcDay::of_unix_seconds(NOON), fingerprint: [3; 16] };
    assert!(team.pull(Some(cursor), ALL, None).more);
    relay.stop();
}

fn a_day_too_long_for_a_listing_is_read_again_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { listing_count: 15, ..Config::default() };
    let relay = TestRelay::start_with(folder.path(), NOON, config);
    let team = relay.team(1);
    let mut phone = Phone::default();
    team.push(rows(0..10), None);
    team.catch_up(&mut phone, ALL);
    team.push(rows(10..30), None);
    relay.next_day();
    team.catch_up(&mut phone, 3_000);
    assert_eq!((phone.ids(), phone.listings, phone.repeats), (ids(&rows(0..30)), 0, 10));
    relay.stop();
}

fn a_cursor_from_nowhere_reads_everything_or_lists() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let today = UtcDay::of_unix_seconds(NOON);
    assert_eq!(team.pull(None, ALL, None), Pulled { rows: vec![], cursor: None, more: false, listing: None });
    team.push(rows(0..10), None);
    // from a relay whose data are gone and whose clock ran ahead
    let ahead = Some(Cursor { day: today.plus(3), fingerprint: [1; 16] });
    assert_eq!(ids(&team.pull(ahead, ALL, None).rows), ids(&rows(0..10)));
    // a day without rows
    let empty = Some(Cursor { day: today.minus(3), fingerprint: [1; 16] });
    let listed = team.pull(empty, ALL, None);
    assert_eq!((listed.listing, listed.more), (Some(vec![]), true));
    assert_eq!(ids(&team.pull(listed.cursor, ALL, None).rows), ids(&rows(0..10)));
    let beginning = Some(Cursor { day: today, fingerprint: DayFingerprint::new().value() });
    assert_eq!(ids(&team.pull(beginning, ALL, None).rows), ids(&rows(0..10)));
    relay.stop();
}

fn a_clock_that_goes_back_hides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    team.push(rows(0..5), None);
    relay.next_day();
    let mut phone = Phone::default();
    let tomorrow = team.push(rows(5..10), None).day;
    team.catch_up(&mut phone, ALL);
    relay.clock.store(NOON, Ordering::SeqCst);
    relay.relay.maintain().unwrap();
    assert_eq!(team.push(rows(10..15), None).day, tomorrow);
    team.catch_up(&mut phone, ALL);
    relay.stop();
    // also not across a restart
    let relay = TestRelay::start(folder.path(), NOON);
    let team = Team { address: relay.address, clock: relay.clock.clone(), ..team };
    assert_eq!(team.push(rows(15..20), None).day, tomorrow);
    team.catch_up(&mut phone, ALL);
    assert_eq!(phone.ids(), ids(&rows(0..20)));
    relay.stop();
}

fn fetching_more_than_fits_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let large: Vec<Row> = (0..40).map(|n| sized_row(Lane::Records, n, 65_536)).collect();
    team.push(large.clone(), None);
    let fetched: Pulled = team.fetch_answer(UtcDay::of_unix_seconds(NOON), ids(&large)).frame();
    assert_eq!((fetched.rows.len(), fetched.more), (32, true));
    let mut phone = Phone::default();
    team.catch_up(&mut phone, ALL);
    assert_eq!(phone.ids(), ids(&large));
    relay.stop();
}

fn announcements_have_a_view_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let mut phone = Phone { lane: Some(Lane::Announce), ..Phone::default() };
    team.announce_answer(&[1; 600], None).frame::<Pushed>();
    team.catch_up(&mut phone, ALL);
    let cursor = phone.cursor;
    team.push(rows(0..50), None);
    team.catch_up(&mut phone, ALL);
    assert_eq!((phone.cursor, phone.rows.len()), (cursor, 1), "other lanes do not even move the cursor");
    relay.next_day();
    team.push(rows(50..60), None);
    relay.next_day();
    team.announce_answer(&[2; 600], Some(AnnouncementId::of(&[1; 600]))).frame::<Pushed>();
    team.catch_up(&mut phone, ALL);
    assert_eq!((phone.rows.len(), phone.listings, phone.repeats), (2, 0, 0));
    relay.stop();
}
