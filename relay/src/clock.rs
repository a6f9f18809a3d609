//! What the relay believes of its clock.
//!
//! A clock that jumps ahead would begin a day that no clock can end, carry out deletions that members may still veto, and
//! close mailboxes. Beside the clock runs a count of seconds that nobody sets (since the process began), and the store knows
//! the last day that ran. A time that is further ahead of both than clocks drift is doubted, and days wait, until the two
//! have agreed for [`CLOCK_DOUBT_SECONDS`]: then it was the earlier time that was wrong, or the relay that was away.
//!
//! Only days are doubted. Whether a request is fresh is told by the clock as it is.

use crate::config::{CLOCK_DOUBT_SECONDS, CLOCK_DRIFT_DIVISOR, CLOCK_STEP_SECONDS};
use crate::relay::{Clock, lock};
use satchel_wire::UtcDay;
use std::sync::Mutex;

const DAY_SECONDS: u64 = 86_400;

/// A clock, and what time must have passed.
pub(crate) struct Watch {
    /// Seconds since some moment, which run evenly.
    uptime: Clock,
    state: Mutex<State>,
}

struct State {
    /// What the clock said, and the uptime, when they were last believed together.
    anchor: (u64, u64),
    doubt: Option<Doubt>,
}

/// A clock that is ahead.
struct Doubt {
    /// By so much (seconds).
    ahead: u64,
    /// Since this uptime.
    since: u64,
}

impl Watch {
    /// `last_day` is the day that ran when the relay was last up; 0 for one that never was.
    pub(crate) fn new(uptime: Clock, now: u64, last_day: UtcDay) -> Self {
        let ran = u64::from(last_day.days());
        let is_ahead = ran > 0 && now / DAY_SECONDS > ran + 1;
        let anchor = (if is_ahead { ran * DAY_SECONDS } else { now }, uptime());
        Self { uptime, state: Mutex::new(State { anchor, doubt: None }) }
    }

    /// The time that days go by, for a clock that says `now`.
    pub(crate) fn believed(&self, now: u64) -> u64 {
        let up = (self.uptime)();
        let mut state = lock(&self.state);
        let passed = up.saturating_sub(state.anchor.1);
        let expected = state.anchor.0.saturating_add(passed);
        let ahead = now.saturating_sub(expected);
        if ahead <= CLOCK_STEP_SECONDS + passed / CLOCK_DRIFT_DIVISOR {
            state.doubt = None;
            if now < expected {
                // set back: what comes after is measured from here
                state.anchor = (now, up);
            }
            return now;
        }
        let doubt = state.doubt.get_or_insert(Doubt { ahead, since: up });
        if doubt.ahead.abs_diff(ahead) > CLOCK_STEP_SECONDS {
            *doubt = Doubt { ahead, since: up };
        }
        if up.saturating_sub(doubt.since) < CLOCK_DOUBT_SECONDS {
            return expected;
        }
        state.anchor = (now, up);
        state.doubt = None;
        now
    }

    /// Whether the clock was ahead of what passed when it was last looked at.
    pub(crate) fn doubts(&self) -> bool {
        lock(&self.state).doubt.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    const NOON: u64 = 20_000 * DAY_SECONDS + DAY_SECONDS / 2;

    fn watch(now: u64, last_day: u16) -> (Arc<AtomicU64>, Watch) {
        let up = Arc::new(AtomicU64::new(0));
        let read = Arc::clone(&up);
        (up, Watch::new(Arc::new(move || read.load(Ordering::SeqCst)), now, UtcDay::from_days(last_day)))
    }

    #[test]
    fn a_clock_that_runs_evenly_is_believed() {
        let (up, watch) = watch(NOON, 20_000);
        for hour in 0..24 * 40 {
            up.store(hour * 3_600, Ordering::SeqCst);
            // a tenth of a per mille fast
            let now = NOON + hour * 3_600 + hour * 3_600 / 10_000;
            assert_eq!((watch.believed(now), watch.doubts()), (now, false), "hour {hour}");
        }
    }

    #[test]
    fn a_jump_ahead_is_doubted_until_it_has_lasted_a_day() {
        let (up, watch) = watch(NOON, 20_000);
        let year = 365 * DAY_SECONDS;
        up.store(60, Ordering::SeqCst);
        assert_eq!((watch.believed(NOON + year), watch.doubts()), (NOON + 60, true));
        // for a moment: nothing is left of it
        up.store(120, Ordering::SeqCst);
        assert_eq!((watch.believed(NOON + 120), watch.doubts()), (NOON + 120, false));
        let jumped = |seconds: u64| {
            up.store(seconds, Ordering::SeqCst);
            watch.believed(NOON + year + seconds)
        };
        assert_eq!(jumped(200), NOON + 200);
        assert_eq!(jumped(199 + CLOCK_DOUBT_SECONDS), NOON + 199 + CLOCK_DOUBT_SECONDS);
        // another jump within begins anew
        up.store(200 + CLOCK_DOUBT_SECONDS, Ordering::SeqCst);
        assert_eq!(watch.believed(NOON + 2 * year), NOON + 200 + CLOCK_DOUBT_SECONDS);
        assert_eq!(jumped(300 + CLOCK_DOUBT_SECONDS), NOON + 300 + CLOCK_DOUBT_SECONDS);
        let after = 300 + 2 * CLOCK_DOUBT_SECONDS;
        assert_eq!((jumped(after), watch.doubts()), (NOON + year + after, false), "a relay that slept for long");
    }

    #[test]
    fn a_start_goes_by_the_last_day_that_ran() {
        // overnight, and a relay that never ran
        for (now, last_day) in [(NOON + DAY_SECONDS, 20_000), (NOON, 0), (NOON, 20_001)] {
            assert_eq!(watch(now, last_day).1.believed(now), now, "{last_day}");
        }
        let (up, watch) = watch(NOON + 3 * DAY_SECONDS, 20_000);
        assert_eq!(watch.believed(NOON + 3 * DAY_SECONDS), 20_000 * DAY_SECONDS);
        assert!(watch.doubts());
        up.store(CLOCK_DOUBT_SECONDS, Ordering::SeqCst);
        let now = NOON + 3 * DAY_SECONDS + CLOCK_DOUBT_SECONDS;
        assert_eq!(watch.believed(now), now);
    }

    #[test]
    fn a_clock_that_was_set_back_is_followed_and_may_not_jump_from_there() {
        let (up, watch) = watch(NOON, 20_000);
        assert_eq!(watch.believed(NOON - DAY_SECONDS), NOON - DAY_SECONDS);
        up.store(10, Ordering::SeqCst);
        assert_eq!(watch.believed(NOON), NOON - DAY_SECONDS + 10);
        assert!(watch.doubts());
    }
}
