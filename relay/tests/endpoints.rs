//! Every endpoint's ordinary answer and every problem code, over real HTTP.
#![allow(clippy::unwrap_used)]

mod support;

use satchel_relay::Config;
use satchel_wire::frame::*;
use satchel_wire::limits::{HTTP_BODY_MAX_BYTES, PUSH_ROWS_MAX_COUNT, REQUEST_SKEW_MAX_SECONDS};
use satchel_wire::{AnnouncementId, Lane, Row, UtcDay, announcement};
use support::*;

both_engines! {
    a_team_claims_announces_pushes_and_pulls,
    a_push_moves_its_own_cursor_only_when_nobody_elses_rows_lie_between,
    a_repeated_push_keeps_one_row_even_across_midnight,
    only_one_of_two_announcements_on_the_same_one_is_taken,
    an_announcement_must_be_whole,
    a_claim_happens_once,
    keys_change_forward_only_and_by_the_control_key_only,
    an_earlier_pull_key_reads_announcements_until_the_absence_limit,
    strangers_and_unknown_mailboxes_get_the_same_refusal,
    a_request_counts_once_and_only_at_its_time_and_path,
    rates_are_bounded_for_each_mailbox_and_standing,
    a_full_mailbox_takes_nothing_but_announcements_and_gives_everything,
    too_much_of_anything_is_refused,
    other_paths_methods_and_probes,
}

const ALL: u32 = u32::MAX;

fn a_team_claims_announces_pushes_and_pulls() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let today = UtcDay::of_unix_seconds(NOON);

    let turn = vec![9; 3_000];
    assert_eq!(team.announce_answer(&turn, None).frame::<Pushed>().day, today);
    let rows = vec![row(Lane::Commons, 1), row(Lane::Records, 2), sized_row(Lane::Records, 3, 65_536)];
    let pushed = team.push(rows.clone(), None);
    assert_eq!(pushed, Pushed { day: today, cursor: None }, "the announcement lies between");

    let pulled = team.pull(None, ALL, None);
    let mut expected = announcement::split(&turn).unwrap();
    expected.extend(rows.clone());
    assert_eq!(ids(&pulled.rows), ids(&expected));
    assert!(!pulled.more && pulled.listing.is_none());
    let again = team.pull(pulled.cursor, ALL, None);
    assert_eq!(again, Pulled { rows: vec![], cursor: pulled.cursor, more: false, listing: None });

    let fetched: Pulled = team.fetch_answer(today, vec![rows[2].id(), rows[0].id(), rows[0].id()]).frame();
    assert_eq!(ids(&fetched.rows), ids(&[rows[0].clone(), rows[2].clone()]));
    let wrong_day: Pulled = team.fetch_answer(today.plus(1), vec![rows[2].id()]).frame();
    assert!(wrong_day.rows.is_empty());

    let next = team.turned();
    assert_eq!(team.change_keys(&next).frame::<Done>().generation, 1);
    assert_eq!(ids(&next.pull(None, ALL, None).rows), ids(&expected));
    relay.stop();
}

fn a_push_moves_its_own_cursor_only_when_nobody_elses_rows_lie_between() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    // the empty mailbox has no cursor yet, and nothing lies between
    let first = team.push(vec![row(Lane::Records, 1)], None).cursor.unwrap();
    let second = team.push(vec![row(Lane::Records, 2)], Some(first)).cursor.unwrap();
    assert_eq!(team.pull(Some(second), ALL, None).rows, vec![]);
    // somebody else pushes
    team.push(vec![row(Lane::Records, 3)], None);
    assert_eq!(team.push(vec![row(Lane::Records, 4)], Some(second)).cursor, None);
    // a push whose answer was lost is repeated: only its own rows follow the cursor
    let here = team.pull(Some(second), ALL, None).cursor;
    let lost = vec![row(Lane::Records, 5), row(Lane::Commons, 6)];
    let moved = team.push(lost.clone(), here).cursor;
    assert_eq!(team.push(lost, here).cursor, moved);
    assert!(moved.is_some());
    // across midnight
    relay.next_day();
    let tomorrow = team.push(vec![row(Lane::Records, 7)], moved).cursor.unwrap();
    assert_eq!(tomorrow.day, UtcDay::of_unix_seconds(NOON).plus(1));
    assert_eq!(team.pull(Some(tomorrow), ALL, None).rows, vec![]);
    assert_eq!(team.pull(moved, ALL, None).rows, vec![row(Lane::Records, 7)]);
    relay.stop();
}

fn a_repeated_push_keeps_one_row_even_across_midnight() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let rows: Vec<Row> = (0..20).map(|n| row(Lane::Records, n)).collect();
    let day = team.push(rows.clone(), None).day;
    let mut twice = rows.clone();
    twice.extend(rows.clone());
    assert_eq!(team.push(twice, None).day, day);
    relay.next_day();
    assert_eq!(team.push(rows.clone(), None).day, day, "all of it came yesterday");
    let mut phone = Phone::default();
    team.catch_up(&mut phone, ALL);
    assert_eq!((phone.ids(), phone.repeats), (ids(&rows), 0));
    relay.stop();
}

fn only_one_of_two_announcements_on_the_same_one_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let (first, second, third) = (vec![1; 700], vec![2; 70_000], vec![3; 700]);
    let id = |content: &[u8]| AnnouncementId::of(content);
    team.announce_answer(&first, None).frame::<Pushed>();
    assert_eq!(team.announce_answer(&second, None).problem(), ProblemCode::NotNewest);
    assert_eq!(team.announce_answer(&second, Some(id(&third))).problem(), ProblemCode::NotNewest);

    // two stewards at once
    let both: Vec<u16> = std::thread::scope(|scope| {
        let runs: Vec<_> = [&second, &third].map(|content| scope.spawn(|| team.announce_answer(content, Some(id(&first))).status)).into();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(both == [200, 409] || both == [409, 200], "{both:?}");
    let (winner, loser) = if both[0] == 200 { (&second, &third) } else { (&third, &second) };
    // the winner repeats after a lost answer, also on another day; the loser tries again on top
    team.announce_answer(winner, Some(id(&first))).frame::<Pushed>();
    relay.next_day();
    team.announce_answer(winner, Some(id(&first))).frame::<Pushed>();
    assert_eq!(team.announce_answer(loser, Some(id(&first))).problem(), ProblemCode::NotNewest);
    team.announce_answer(loser, Some(id(winner))).frame::<Pushed>();
    // an old one cannot come back as the newest
    assert_eq!(team.announce_answer(&first, Some(id(loser))).problem(), ProblemCode::NotNewest);
    // nothing of what was refused is there
    let stored: Vec<Row> = [&first, winner, loser].into_iter().flat_map(|content| announcement::split(content).unwrap()).collect();
    assert_eq!(ids(&team.pull(None, ALL, None).rows), ids(&stored));
    relay.stop();
}

fn an_announcement_must_be_whole() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let mut rows = announcement::split(&[4; 5_000]).unwrap();
    assert!(rows.len() > 1);
    rows.pop();
    let announce = Announce { mailbox: team.mailbox, rows, on_top_of: None, cursor: None, freshness: team.freshness() };
    assert_eq!(team.ask(Endpoint::Announce, &team.push_key, &announce).problem(), ProblemCode::Malformed);
    let announce = Announce { rows: vec![row(Lane::Announce, 1)], freshness: team.freshness(), ..announce };
    assert_eq!(team.ask(Endpoint::Announce, &team.push_key, &announce).problem(), ProblemCode::Malformed);
    assert_eq!(team.pull(None, ALL, None).rows, vec![]);
    relay.stop();
}

fn a_claim_happens_once() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    assert_eq!(team.claim().frame::<Done>().generation, 0, "a lost answer");
    let thief = Team { control: key(77), ..team.clone() };
    assert_eq!(thief.claim().problem(), ProblemCode::Superseded, "whoever comes second learns it");
    let guesser = Team { secret: [0; 16], ..thief.clone() };
    assert_eq!(guesser.claim().problem(), ProblemCode::Refused);
    let nowhere = Team::new(relay.address, 9, relay.clock.clone());
    assert_eq!(nowhere.claim().problem(), ProblemCode::Refused);
    // not signed by the key it names
    let claim = team.claim_frame();
    assert_eq!(team.ask(Endpoint::Claim, &key(78), &claim).problem(), ProblemCode::Refused);
    team.change_keys(&team.turned()).frame::<Done>();
    assert_eq!(team.claim().problem(), ProblemCode::Superseded);
    relay.stop();
}

fn keys_change_forward_only_and_by_the_control_key_only() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let next = team.turned();
    for wrong in [&team.pull_key, &team.push_key, &next.pull_key] {
        assert_eq!(team.ask(Endpoint::Keys, wrong, &team.key_change(&next)).problem(), ProblemCode::Refused);
    }
    team.change_keys(&next).frame::<Done>();
    assert_eq!(team.change_keys(&next).frame::<Done>().generation, 1, "a lost answer");
    let rival = Team { pull_key: key(500), ..next.clone() };
    assert_eq!(team.change_keys(&rival).problem(), ProblemCode::Superseded);
    let late = Team { generation: 0, ..rival };
    assert_eq!(team.change_keys(&late).problem(), ProblemCode::Superseded);
    // a new control key takes the place of the old one
    let handed = Team { control: key(600), ..next.turned() };
    next.change_keys(&handed).frame::<Done>();
    assert_eq!(next.change_keys(&handed.turned()).problem(), ProblemCode::Refused);
    handed.change_keys(&handed.turned()).frame::<Done>();
    // a key that verifies anything is not taken
    let mut weak = handed.key_change(&handed.turned().turned());
    weak.keys.pull = [0; 32];
    assert_eq!(handed.ask(Endpoint::Keys, &handed.control, &weak).problem(), ProblemCode::Malformed);
    relay.stop();
}

fn an_earlier_pull_key_reads_announcements_until_the_absence_limit() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    team.announce_answer(&[1; 600], None).frame::<Pushed>();
    let secret = vec![row(Lane::Commons, 1), row(Lane::Records, 2)];
    team.push(secret.clone(), None);
    let next = team.turned();
    team.change_keys(&next).frame::<Done>();
    relay.next_day();
    next.announce_answer(&[2; 600], Some(AnnouncementId::of(&[1; 600]))).frame::<Pushed>();

    let announcements: Vec<Row> = [[1; 600], [2; 600]].iter().flat_map(|content| announcement::split(content).unwrap()).collect();
    let day = UtcDay::of_unix_seconds(NOON);
    assert_eq!(ids(&team.pull(None, ALL, Some(Lane::Announce)).rows), ids(&announcements));
    // it has to ask for them by name: a cursor of that view would skip everything else under a newer key
    for lane in [None, Some(Lane::Commons), Some(Lane::Records)] {
        assert_eq!(team.pull_answer(None, ALL, lane).problem(), ProblemCode::Refused);
    }
    let wanted: Vec<_> = secret.iter().map(Row::id).chain(announcements.iter().map(Row::id)).collect();
    let fetched: Pulled = team.fetch_answer(day, wanted.clone()).frame();
    assert_eq!(ids(&fetched.rows), ids(&announcement::split(&[1; 600]).unwrap()));
    // a listing shows no other ids either
    let lost = Some(Cursor { day, fingerprint: [1; 16] });
    assert_eq!(team.pull(lost, ALL, Some(Lane::Announce)).listing.unwrap(), ids(&announcement::split(&[1; 600]).unwrap()));
    assert_eq!(team.push_answer(secret.clone(), None).problem(), ProblemCode::Refused);
    // control: the present key reads all of it
    assert_eq!(ids(&next.fetch_answer(day, wanted).frame::<Pulled>().rows).len(), secret.len() + 1);

    for _ in 1..21 {
        relay.next_day();
        team.pull(None, ALL, Some(Lane::Announce));
    }
    relay.next_day();
    assert_eq!(team.pull_answer(None, ALL, Some(Lane::Announce)).problem(), ProblemCode::Refused);
    relay.stop();
}

fn strangers_and_unknown_mailboxes_get_the_same_refusal() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let stranger = Team { pull_key: key(90), push_key: key(91), control: key(92), ..team.clone() };
    let nowhere = Team::new(relay.address, 9, relay.clock.clone());
    let answers = |team: &Team| {
        let claim = Claim { secret: [3; 16], ..team.claim_frame() };
        [
            team.pull_answer(None, ALL, None),
            team.fetch_answer(UtcDay::of_unix_seconds(NOON), vec![row(Lane::Records, 1).id()]),
            team.push_answer(vec![row(Lane::Records, 1)], None),
            team.announce_answer(&[1; 600], None),
            team.change_keys(&team.turned()),
            team.ask(Endpoint::Claim, &team.control, &claim),
        ]
    };
    for (here, there) in answers(&stranger).iter().zip(answers(&nowhere).iter()) {
        assert_eq!((here.problem(), &here.body, &here.head), (ProblemCode::Refused, &there.body, &there.head));
    }
    // control: the same requests with the right keys are not refused
    assert_eq!(team.pull_answer(None, ALL, None).status, 204);
    relay.stop();
}

fn a_request_counts_once_and_only_at_its_time_and_path() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team(1);
    let signed = sign(Endpoint::Pull, &team.pull_key, team.pull_frame(None, ALL, None).to_bytes());
    assert_eq!(send(relay.address, "POST", "/v1/pull", &signed).status, 204);
    assert_eq!(send(relay.address, "POST", "/v1/pull", &signed).problem(), ProblemCode::Replayed);
    relay.advance(REQUEST_SKEW_MAX_SECONDS);
    assert_eq!(send(relay.address, "POST", "/v1/pull", &signed).problem(), ProblemCode::Replayed);
    relay.advance(1);
    let late = send(relay.address, "POST", "/v1/pull", &signed);
    assert_eq!(late.problem(), ProblemCode::ClockSkew);
    assert_eq!(late.json()["relay_time"], relay.now());
    // a signature for another path
    let elsewhere = sign(Endpoint::Rows, &team.pull_key, team.pull_frame(None, ALL, None).to_bytes());
    assert_eq!(send(relay.address, "POST", "/v1/pull", &elsewhere).problem(), ProblemCode::Refused);
    relay.stop();
}

fn rates_are_bounded_for_each_mailbox_and_standing() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { burst_count: 20, rate_per_second: 10, ..Config::default() };
    let relay = TestRelay::start_with(folder.path(), NOON, config);
    let (team, other) = (relay.team(1), relay.team(2));
    let next = team.turned();
    team.change_keys(&next).frame::<Done>();
    // whoever holds an earlier key uses up a bucket of their own
    let limited = (0..5).map(|_| team.pull_answer(None, ALL, None)).find(|answer| answer.status == 429).unwrap();
    assert_eq!(limited.problem(), ProblemCode::RateLimited);
    assert!(limited.head.contains("retry-after: 1\r\n"));
    assert_eq!(next.pull_answer(None, ALL, None).status, 204);
    // strangers use up nobody's
    let stranger = Team { pull_key: key(90), ..next.clone() };
    for _ in 0..30 {
        assert_eq!(stranger.pull_answer(None, ALL, None).problem(), ProblemCode::Refused);
    }
    let taken = (0..30).filter(|_| next.pull_answer(None, ALL, None).status == 204).count();
    assert_eq!(taken, 20 - 3, "a claim, a key change and a pull came before");
    assert_eq!(other.pull_answer(None, ALL, None).status, 204);
    relay.advance(1);
    assert_eq!((0..30).filter(|_| next.pull_answer(None, ALL, None).status == 204).count(), 10);
    relay.stop();
}

fn a_full_mailbox_takes_nothing_but_announcements_and_gives_everything() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    let team = relay.team_with_quota(1, 10 * 512);
    let rows: Vec<Row> = (0..10).map(|n| row(Lane::Records, n)).collect();
    team.push(rows[..9].to_vec(), None);
    let two = vec![row(Lane::Records, 9), row(Lane::Records, 10)];
    assert_eq!(team.push_answer(two, None).problem(), ProblemCode::QuotaExceeded);
    assert_eq!(team.pull(None, ALL, None).rows.len(), 9, "all or nothing");
    team.push(rows.clone(), None);
    for restart in [false, true] {
        if restart {
            relay.next_day();
        }
        assert_eq!(team.push_answer(vec![row(Lane::Records, 11)], None).problem(), ProblemCode::QuotaExceeded);
        team.push(rows.clone(), None);
        assert_eq!(ids(&team.pull(None, ALL, None).rows), ids(&rows));
    }
    team.announce_answer(&[1; 600], None).frame::<Pushed>();
    relay.stop();
}

fn too_much_of_anything_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start_with(folder.path(), NOON, Config { day_rows_count: 5, ..Config::default() });
    let team = relay.team(1);
    let today = UtcDay::of_unix_seconds(NOON);
    let too_many = vec![row(Lane::Records, 1).id(); PUSH_ROWS_MAX_COUNT + 1];
    assert_eq!(team.fetch_answer(today, too_many).problem(), ProblemCode::TooLarge);
    assert_eq!(send(relay.address, "POST", "/v1/push", &vec![0; HTTP_BODY_MAX_BYTES + 1]).problem(), ProblemCode::TooLarge);
    assert_eq!(send(relay.address, "POST", "/v1/push", &vec![0; HTTP_BODY_MAX_BYTES]).problem(), ProblemCode::Malformed);
    // more rows in a day than memory is set aside for
    team.push((0..5).map(|n| row(Lane::Records, n)).collect(), None);
    let refused = team.push_answer(vec![row(Lane::Records, 6)], None);
    assert_eq!(refused.problem(), ProblemCode::RateLimited);
    assert!(refused.head.contains("retry-after: 43200\r\n"), "until midnight: {}", refused.head);
    relay.next_day();
    team.push(vec![row(Lane::Records, 6)], None);
    relay.stop();
}

fn other_paths_methods_and_probes() {
    let folder = tempfile::tempdir().unwrap();
    let relay = TestRelay::start(folder.path(), NOON);
    assert_eq!(send(relay.address, "POST", "/v2/pull", b"").status, 404);
    assert_eq!(send(relay.address, "GET", "/v1/pull", b"").status, 405);
    assert_eq!(send(relay.address, "GET", "/healthz", b"").status, 200);
    assert_eq!(send(relay.address, "GET", "/readyz", b"").status, 200);
    relay.stop();
}
