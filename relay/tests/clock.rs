//! A clock that jumps ahead: nothing is deleted, no mailbox closes, and no day begins that no clock can end.
#![allow(clippy::unwrap_used)]

mod support;

use satchel_relay::config::CLOCK_DOUBT_SECONDS;
use satchel_relay::storage::Storage;
use satchel_relay::{Clock, Config, Relay};
use satchel_wire::frame::*;
use satchel_wire::limits::DELETION_PENDING_DAYS;
use satchel_wire::{Lane, UtcDay};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use support::*;

both_engines! {
    a_clock_that_is_ahead_for_a_moment_deletes_nothing_and_ends_no_day,
    a_relay_that_was_away_goes_on_a_day_later,
}

/// A relay without its network side, whose clock and passing time the test moves.
struct Ticking {
    relay: Relay,
    storage: Arc<dyn Storage>,
    clock: Arc<AtomicU64>,
    up: Arc<AtomicU64>,
}

impl Ticking {
    fn start(folder: &Path, now: u64, is_watched: bool) -> Self {
        let (clock, up) = (Arc::new(AtomicU64::new(now)), Arc::new(AtomicU64::new(0)));
        let read = |from: &Arc<AtomicU64>| -> Clock {
            let from = Arc::clone(from);
            Arc::new(move || from.load(Ordering::SeqCst))
        };
        let storage = open_storage(folder);
        let (config, report) = (Config { burst_count: 1_000_000, ..Config::default() }, Arc::new(|_| {}));
        let kept = Arc::clone(&storage);
        let relay = if is_watched {
            Relay::with_uptime(kept, config, read(&clock), read(&up), report).unwrap()
        } else {
            Relay::new(kept, config, read(&clock), report).unwrap()
        };
        relay.set_retention(100, 100);
        Self { relay, storage, clock, up }
    }
    fn pass(&self, seconds: u64) {
        self.up.fetch_add(seconds, Ordering::SeqCst);
        self.clock.fetch_add(seconds, Ordering::SeqCst);
        self.relay.maintain().unwrap();
    }
    fn jump(&self, seconds: i64) {
        self.clock.store(self.clock.load(Ordering::SeqCst).saturating_add_signed(seconds), Ordering::SeqCst);
        self.relay.maintain().unwrap();
    }
    fn ask<F: Frame>(&self, endpoint: Endpoint, key: &ed25519_dalek::SigningKey, frame: &impl Frame) -> F {
        F::from_bytes(&self.relay.answer(endpoint, &sign(endpoint, key, frame.to_bytes())).unwrap()).unwrap()
    }
    fn team(&self) -> Team {
        let team = Team::new(([127, 0, 0, 1], 1).into(), 1, Arc::clone(&self.clock));
        self.storage.create_mailbox(&team.mailbox, 1 << 30, blake3::hash(&team.secret).as_bytes()).unwrap();
        self.ask::<Done>(Endpoint::Claim, &team.control, &team.claim_frame());
        team
    }
    fn rows(&self, team: &Team) -> usize {
        self.ask::<Pulled>(Endpoint::Pull, &team.pull_key, &team.pull_frame(None, 1 << 20, None)).rows.len()
    }
    fn today(&self, team: &Team) -> UtcDay {
        let frame = Pending { mailbox: team.mailbox, since: None, freshness: team.freshness() };
        self.ask::<PendingRows>(Endpoint::Pending, &team.pull_key, &frame).today
    }
}

fn push(team: &Team, rows: Vec<satchel_wire::Row>) -> Push {
    Push { mailbox: team.mailbox, rows, cursor: None, freshness: team.freshness() }
}

/// A relay with three rows, of which two wait for deletion.
fn begun(folder: &Path, is_watched: bool) -> (Ticking, Team) {
    let relay = Ticking::start(folder, NOON, is_watched);
    let team = relay.team();
    let rows: Vec<_> = (0..3).map(|n| row(Lane::Records, n)).collect();
    let mut names: Vec<_> = rows[..2].iter().map(|row| row.id().name()).collect();
    names.sort_unstable();
    relay.ask::<Pushed>(Endpoint::Push, &team.push_key, &push(&team, rows));
    relay.ask::<Scheduled>(Endpoint::Delete, &team.control, &Deletion { mailbox: team.mailbox, rows: names, freshness: team.freshness() });
    relay.pass(60);
    assert_eq!(relay.rows(&team), 3);
    (relay, team)
}

fn a_clock_that_is_ahead_for_a_moment_deletes_nothing_and_ends_no_day() {
    let year = 365 * DAY;
    let folder = tempfile::tempdir().unwrap();
    let (believing, team) = begun(folder.path(), false);
    believing.jump(year as i64);
    believing.jump(-(year as i64));
    assert!(believing.storage.census(&team.mailbox).unwrap().is_none_or(|census| census.rows.is_empty()), "control: all is gone");

    let folder = tempfile::tempdir().unwrap();
    let (relay, team) = begun(folder.path(), true);
    let today = relay.today(&team);
    assert!(!relay.relay.doubts_clock());
    relay.jump(year as i64);
    assert!(relay.relay.doubts_clock());
    assert!(relay.relay.counters.to_text().contains("satchel_relay_clock_doubted 1\n"));
    for _ in 0..4 {
        relay.pass(3_600);
    }
    assert_eq!((relay.today(&team), relay.rows(&team)), (today, 3));
    // who pushes meanwhile is taken: only days are doubted
    relay.ask::<Pushed>(Endpoint::Push, &team.push_key, &push(&team, vec![row(Lane::Records, 9)]));
    relay.jump(-(year as i64));
    assert!(!relay.relay.doubts_clock());
    assert_eq!((relay.today(&team), relay.rows(&team)), (today, 4), "nothing is left of it");
    // and what is due becomes due
    for _ in 0..DELETION_PENDING_DAYS {
        assert_eq!(relay.rows(&team), 4);
        relay.pass(DAY);
    }
    assert_eq!(relay.rows(&team), 2);
    assert_eq!(relay.today(&team).days(), today.days() + DELETION_PENDING_DAYS);
}

fn a_relay_that_was_away_goes_on_a_day_later() {
    let folder = tempfile::tempdir().unwrap();
    let (relay, team) = begun(folder.path(), true);
    let today = relay.today(&team);
    let away = 30 * DAY;
    let now = relay.clock.load(Ordering::SeqCst) + away;
    drop(relay);
    let relay = Ticking::start(folder.path(), now, true);
    team.clock.store(now, Ordering::SeqCst);
    assert_eq!((relay.today(&team), relay.rows(&team)), (today, 3));
    assert!(relay.relay.doubts_clock());
    relay.pass(CLOCK_DOUBT_SECONDS);
    team.clock.store(now + CLOCK_DOUBT_SECONDS, Ordering::SeqCst);
    assert!(!relay.relay.doubts_clock());
    assert_eq!(relay.today(&team).days(), today.days() + 31);
    assert_eq!(relay.rows(&team), 1, "what was due all the time is gone now");
}
