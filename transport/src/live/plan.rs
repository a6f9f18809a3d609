//! What a phone that stays in touch does next: a state machine without clock, randomness or network.
//!
//! Rules: what waits to be sent is sent once it has been quiet for [`GATHER_MILLIS`]; who fails tries again later and later,
//! never two phones at the same moment; what brings nothing, and says it would, is believed less and less.

/// How long a save waits for further saves before they leave together (milliseconds).
pub const GATHER_MILLIS: u64 = 3_000;
/// How often one more save puts that off (count).
const GATHER_MAX_COUNT: u32 = 5;
/// Longest wait asked for (seconds); a relay has its own limit.
pub const WAIT_MAX_SECONDS: u16 = 50;
/// Shortest wait asked for, where something on the way cuts quiet connections (seconds).
const WAIT_MIN_SECONDS: u16 = 10;
/// So many exchanges in a row, each for news that came while the one before went on, are followed by no pause (count).
const RUSH_MAX_COUNT: u32 = 5;
/// Beyond that the pause doubles this often (count): news that never ends is fetched every 8 to 16 seconds.
const RUSH_DOUBLINGS_COUNT: u32 = 4;
/// First pause after a failure (milliseconds), doubled with each further one.
const PAUSE_FIRST_MILLIS: u64 = 2_000;
/// Longest pause (milliseconds).
const PAUSE_MAX_MILLIS: u64 = 10 * 60 * 1_000;
/// Longest pause that a relay may ask for (seconds).
const RETRY_AFTER_MAX_SECONDS: u64 = 60 * 60;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Exchange with the relay.
    Exchange,
    /// Ask it to answer when there is news.
    Wait {
        /// For how long at most.
        seconds: u16,
    },
    /// Do nothing for so long, then ask again what to do; a change or a wish ends it earlier.
    Pause {
        /// For how long.
        millis: u64,
    },
    /// Do nothing until told.
    Hold,
}

/// Why the plan pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Exchange,
    Wait,
    /// Saves wait for further saves.
    Gather,
    /// After a failure.
    Retry {
        millis: u64,
    },
    /// After news that was none.
    Rest {
        millis: u64,
    },
}

/// How long to pause after so many failures: doubling, with half of it drawn at random.
pub fn pause_millis(failures: u32, random: u64) -> u64 {
    let doublings = failures.saturating_sub(1).min(20);
    let full = (PAUSE_FIRST_MILLIS << doublings).min(PAUSE_MAX_MILLIS);
    full / 2 + random % (full / 2 + 1)
}

/// What a phone that stays in touch knows about how that goes.
#[derive(Debug, Clone)]
pub struct Plan {
    next: Next,
    is_held: bool,
    failures: u32,
    cut_waits: u32,
    /// News that were none, one after the other.
    idle: u32,
    /// Exchanges for news since a wait ended without any.
    rush: u32,
    gathered: u32,
    wait_seconds: u16,
    /// What an exchange left unsent: more exchanges do not help it.
    left: usize,
    was_woken: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            next: Next::Exchange,
            is_held: false,
            failures: 0,
            cut_waits: 0,
            idle: 0,
            rush: 0,
            gathered: 0,
            wait_seconds: WAIT_MAX_SECONDS,
            left: 0,
            was_woken: false,
        }
    }
}

impl Plan {
    /// What to do next.
    pub const fn action(&self) -> Action {
        match self.next {
            _ if self.is_held => Action::Hold,
            Next::Exchange => Action::Exchange,
            Next::Wait => Action::Wait { seconds: self.wait_seconds },
            Next::Gather => Action::Pause { millis: GATHER_MILLIS },
            Next::Retry { millis } | Next::Rest { millis } => Action::Pause { millis },
        }
    }

    /// Whether the relay was not reached the last time.
    pub const fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Whether saves wait for further saves.
    pub const fn is_gathering(&self) -> bool {
        matches!(self.next, Next::Gather)
    }

    /// The pause is over.
    pub const fn paused(&mut self) {
        self.next = Next::Exchange;
    }

    /// An exchange came to its end: whether anything was pulled or pushed, and how much is unsent all the same.
    pub fn exchanged(&mut self, has_moved: bool, unsent: usize, random: u64) {
        (self.failures, self.gathered, self.left) = (0, 0, unsent);
        let was_woken = std::mem::take(&mut self.was_woken);
        if has_moved {
            self.idle = 0;
        } else if was_woken {
            self.idle += 1;
        }
        self.rush = self.rush.saturating_add(u32::from(was_woken));
        // the first may be the echo of an own push; after a rest it is asked to wait again
        self.next = if was_woken && self.idle > 1 {
            Next::Rest { millis: pause_millis(self.idle - 1, random) }
        } else if was_woken && self.rush > RUSH_MAX_COUNT {
            // what came is no proof that anything was said: a relay can make up rows without end
            Next::Rest { millis: pause_millis((self.rush - RUSH_MAX_COUNT).min(RUSH_DOUBLINGS_COUNT), random) }
        } else {
            Next::Wait
        };
    }

    /// A wait was answered: whether there is news, whether that came long before the time was over, and how much is unsent.
    pub fn waited(&mut self, has_news: bool, is_early: bool, unsent: usize, random: u64) {
        self.cut_waits = 0;
        self.next = if has_news {
            self.was_woken = true;
            Next::Exchange
        } else if is_early {
            self.idle += 1;
            Next::Rest { millis: pause_millis(self.idle, random) }
        } else {
            (self.idle, self.rush) = (0, 0);
            if unsent > self.left { Next::Exchange } else { Next::Wait }
        };
    }

    /// A wait broke off: perhaps something on the way cuts quiet connections, so shorter ones are asked for.
    pub fn wait_failed(&mut self, random: u64) {
        self.cut_waits += 1;
        self.wait_seconds = (self.wait_seconds / 2).max(WAIT_MIN_SECONDS);
        self.next = match self.cut_waits {
            1 => Next::Exchange,
            times => Next::Rest { millis: pause_millis(times - 1, random) },
        };
    }

    /// An exchange broke off; `retry_after` is what the relay said (seconds).
    pub fn failed(&mut self, retry_after: Option<u64>, random: u64) {
        self.failures = self.failures.saturating_add(1);
        self.was_woken = false;
        let own = pause_millis(self.failures, random);
        let asked = retry_after.unwrap_or(0).min(RETRY_AFTER_MAX_SECONDS) * 1_000;
        // all who were told the same second come back spread over a quarter of it
        let asked = asked + random % (asked / 4 + 1);
        self.next = Next::Retry { millis: own.max(asked) };
    }

    /// Something was saved here. A relay that does not answer is not asked earlier for it.
    pub const fn changed(&mut self) {
        if matches!(self.next, Next::Retry { .. } | Next::Exchange) {
            return;
        }
        self.gathered += 1;
        self.next = if self.gathered > GATHER_MAX_COUNT { Next::Exchange } else { Next::Gather };
    }

    /// Somebody wants it now.
    pub const fn hurry(&mut self) {
        self.next = Next::Exchange;
    }

    /// Nothing may be sent, or may again: no network, or one that costs.
    pub const fn hold(&mut self, is_held: bool) {
        if self.is_held && !is_held {
            self.next = Next::Exchange;
        }
        self.is_held = is_held;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn millis(plan: &Plan) -> u64 {
        match plan.action() {
            Action::Pause { millis } => millis,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_quiet_phone_exchanges_once_and_then_waits() {
        let mut plan = Plan::default();
        assert_eq!(plan.action(), Action::Exchange);
        plan.exchanged(true, 0, 0);
        for _ in 0..100 {
            assert_eq!(plan.action(), Action::Wait { seconds: WAIT_MAX_SECONDS });
            plan.waited(false, false, 0, 0);
        }
        plan.waited(true, true, 0, 0);
        assert_eq!(plan.action(), Action::Exchange, "news may come at once");
    }

    #[test]
    fn failures_are_spaced_further_and_further_apart_and_success_forgets_them() {
        let mut plan = Plan::default();
        let mut pauses = Vec::new();
        for _ in 0..14 {
            plan.failed(None, u64::MAX / 3);
            assert!(plan.is_failing());
            pauses.push(millis(&plan));
            plan.paused();
            assert_eq!(plan.action(), Action::Exchange);
        }
        assert!(pauses[0] <= 2_000 && pauses.iter().all(|pause| *pause <= PAUSE_MAX_MILLIS), "{pauses:?}");
        assert!(pauses[13] >= PAUSE_MAX_MILLIS / 2, "{pauses:?}");
        plan.exchanged(false, 0, 0);
        assert!(!plan.is_failing());
        plan.failed(None, 0);
        assert_eq!(millis(&plan), 1_000);
    }

    #[test]
    fn fifty_phones_do_not_come_back_in_one_second() {
        // the relay was away for long, and comes back
        let at = |n: u64| pause_millis(20, n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut seconds: Vec<u64> = (0..50).map(|n| at(n) / 1_000).collect();
        seconds.sort_unstable();
        let crowd = seconds.chunk_by(|a, b| a == b).map(<[u64]>::len).max().unwrap();
        assert!(crowd <= 4, "{seconds:?}");
    }

    #[test]
    fn a_relay_that_asks_for_patience_gets_it_and_no_more_than_an_hour() {
        let mut plan = Plan::default();
        plan.failed(Some(120), 7);
        assert!((120_000..=150_000).contains(&millis(&plan)));
        plan.failed(Some(u64::MAX), 7);
        assert!(millis(&plan) <= 4_500_000);
    }

    #[test]
    fn saves_leave_together_and_are_not_put_off_for_ever() {
        let mut plan = Plan::default();
        plan.exchanged(true, 0, 0);
        for _ in 0..GATHER_MAX_COUNT {
            plan.changed();
            assert_eq!(plan.action(), Action::Pause { millis: GATHER_MILLIS });
        }
        plan.changed();
        assert_eq!(plan.action(), Action::Exchange);
        plan.exchanged(true, 0, 0);
        plan.changed();
        plan.paused();
        assert_eq!(plan.action(), Action::Exchange);
        // a relay that is away is not asked earlier for a save
        plan.failed(None, 0);
        let before = millis(&plan);
        plan.changed();
        assert_eq!(millis(&plan), before);
        plan.hurry();
        assert_eq!(plan.action(), Action::Exchange, "a person's wish is another matter");
    }

    #[test]
    fn a_relay_that_cries_wolf_costs_less_and_less() {
        for is_true in [true, false] {
            let mut plan = Plan::default();
            plan.exchanged(true, 0, 0);
            let (mut paused, mut waits) = (0, 0);
            for _ in 0..40 {
                match plan.action() {
                    Action::Wait { .. } => {
                        waits += 1;
                        plan.waited(is_true, true, 0, 0);
                    }
                    Action::Exchange => plan.exchanged(false, 0, 0),
                    Action::Pause { millis } => {
                        paused += millis;
                        plan.paused();
                    }
                    Action::Hold => panic!("nobody held it"),
                }
            }
            assert!(paused > 60_000, "{is_true}: {paused}");
            assert!(waits > 5, "{is_true}: it goes on listening, {waits} times");
        }
    }

    /// Each exchange brings something, and there is news at once: so does a relay that makes up rows.
    #[test]
    fn a_relay_that_has_news_without_end_is_asked_every_few_seconds() {
        let mut plan = Plan::default();
        plan.exchanged(true, 0, 0);
        let (mut paused, mut exchanges) = (0, 0);
        while paused < 3_600_000 {
            match plan.action() {
                Action::Wait { .. } => plan.waited(true, true, 0, 7),
                Action::Exchange => {
                    exchanges += 1;
                    assert!(exchanges < 1_000, "{paused}");
                    plan.exchanged(true, 0, 7);
                }
                Action::Pause { millis } => {
                    paused += millis;
                    plan.paused();
                }
                Action::Hold => panic!("nobody held it"),
            }
        }
        assert!(exchanges > 100, "it goes on fetching, {exchanges} times in an hour");
        // a quiet wait, and news is fetched at once again
        plan.waited(false, false, 0, 7);
        plan.waited(true, true, 0, 7);
        assert_eq!(plan.action(), Action::Exchange);
        plan.exchanged(true, 0, 7);
        assert!(matches!(plan.action(), Action::Wait { .. }));
    }

    #[test]
    fn where_quiet_connections_are_cut_shorter_waits_are_asked_for() {
        let mut plan = Plan::default();
        plan.exchanged(true, 0, 0);
        plan.wait_failed(0);
        assert_eq!(plan.action(), Action::Exchange);
        plan.exchanged(false, 0, 0);
        assert_eq!(plan.action(), Action::Wait { seconds: 25 });
        plan.wait_failed(0);
        assert!(matches!(plan.action(), Action::Pause { .. }));
        plan.paused();
        plan.exchanged(false, 0, 0);
        plan.wait_failed(0);
        plan.hurry();
        plan.exchanged(false, 0, 0);
        assert_eq!(plan.action(), Action::Wait { seconds: WAIT_MIN_SECONDS });
    }

    #[test]
    fn what_an_exchange_leaves_unsent_starts_no_other() {
        let mut plan = Plan::default();
        plan.exchanged(false, 3, 0);
        plan.waited(false, false, 3, 0);
        assert!(matches!(plan.action(), Action::Wait { .. }));
        plan.waited(false, false, 4, 0);
        assert_eq!(plan.action(), Action::Exchange, "one more is another matter");
    }

    #[test]
    fn a_held_plan_does_nothing_until_it_may() {
        let mut plan = Plan::default();
        plan.hold(true);
        plan.changed();
        plan.hurry();
        assert_eq!(plan.action(), Action::Hold);
        plan.hold(false);
        assert_eq!(plan.action(), Action::Exchange);
    }

    proptest! {
        /// Whatever happens in whatever order, requests that bring nothing are never more than the pauses between them allow.
        #[test]
        fn no_history_makes_a_phone_spin(steps in prop::collection::vec((0u8..4, any::<bool>(), any::<u64>()), 1..300)) {
            let mut plan = Plan::default();
            let mut in_a_row = 0;
            for (kind, has_moved, random) in steps {
                match plan.action() {
                    Action::Exchange if kind == 0 => plan.failed(None, random),
                    Action::Exchange => plan.exchanged(has_moved, 0, random),
                    Action::Wait { .. } if kind == 0 => plan.wait_failed(random),
                    Action::Wait { .. } => plan.waited(kind == 1, true, 0, random),
                    Action::Pause { millis } => {
                        prop_assert!(millis >= 1_000);
                        plan.paused();
                        in_a_row = 0;
                        continue;
                    }
                    Action::Hold => unreachable!(),
                }
                in_a_row += 1;
                // the first exchange, then news that brings something, each a wait and an exchange, some after a wait that was cut
                prop_assert!(in_a_row <= 2 * RUSH_MAX_COUNT + 5, "{in_a_row} requests without a pause");
            }
        }
    }
}
