//! Whom to call, and when: decided here, without sockets and without a clock of its own.
//!
//! Whoever knows the newer keys calls at once, since the other side could not name them; the other waits a while and
//! then calls too, in case the first cannot. Whoever was met is met again after [`AGAIN`], whoever could not be reached after
//! [`RETRY`], each time twice as late. Strangers are forgotten at once: no list of who else is on the network is kept.

use satchel_core::sync::Caller;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Colleagues' phones in sight that are kept in mind (count). More than that are met once some are gone.
pub const IN_SIGHT_MAX_COUNT: usize = 64;
/// Sessions at once (count).
pub const SESSIONS_MAX_COUNT: usize = 8;
/// A colleague in sight is met again after this long.
pub const AGAIN: Duration = Duration::from_secs(5 * 60);
/// A call that failed is tried again after this long, and each time twice as late, up to [`AGAIN`].
pub const RETRY: Duration = Duration::from_secs(10);
/// How long the side that should be called waits before it calls.
pub const GRACE: Duration = Duration::from_secs(8);

#[derive(Debug)]
struct Acquaintance {
    addresses: Vec<SocketAddr>,
    due: Instant,
    failures: u32,
    is_busy: bool,
}

/// The colleagues' phones in sight.
#[derive(Debug, Default)]
pub struct Acquaintances {
    known: BTreeMap<String, Acquaintance>,
}

impl Acquaintances {
    /// A colleague's phone came into sight, or has new addresses. `is_first`: of two equals, this phone begins.
    pub fn seen(&mut self, name: &str, addresses: Vec<SocketAddr>, caller: Caller, is_first: bool, now: Instant) {
        if let Some(known) = self.known.get_mut(name) {
            known.addresses = addresses;
            return;
        }
        if self.known.len() >= IN_SIGHT_MAX_COUNT {
            return;
        }
        let waits = match caller {
            Caller::Us => false,
            Caller::Them => true,
            Caller::Either => !is_first,
        };
        let due = if waits { now + GRACE } else { now };
        self.known.insert(name.to_owned(), Acquaintance { addresses, due, failures: 0, is_busy: false });
    }

    /// It said goodbye, or was not heard of for too long.
    pub fn gone(&mut self, name: &str) {
        self.known.remove(name);
    }

    /// The next one to call; it is busy until [`met`](Self::met) or [`failed`](Self::failed).
    pub fn next(&mut self, now: Instant) -> Option<(String, Vec<SocketAddr>)> {
        if self.known.values().filter(|known| known.is_busy).count() >= SESSIONS_MAX_COUNT {
            return None;
        }
        let (name, known) =
            self.known.iter_mut().filter(|(_, known)| !known.is_busy && known.due <= now).min_by_key(|(_, known)| known.due)?;
        known.is_busy = true;
        Some((name.clone(), known.addresses.clone()))
    }

    /// When the next call is due, unless something happens before.
    pub fn due(&self) -> Option<Instant> {
        self.known.values().filter(|known| !known.is_busy).map(|known| known.due).min()
    }

    /// A call reached its end.
    pub fn met(&mut self, name: &str, now: Instant) {
        if let Some(known) = self.known.get_mut(name) {
            (known.is_busy, known.failures, known.due) = (false, 0, now + AGAIN);
        }
    }

    /// A call did not.
    pub fn failed(&mut self, name: &str, now: Instant) {
        if let Some(known) = self.known.get_mut(name) {
            let wait = RETRY.saturating_mul(1 << known.failures.min(8)).min(AGAIN);
            (known.is_busy, known.failures, known.due) = (false, known.failures.saturating_add(1), now + wait);
        }
    }

    /// Somebody called from this address and was met: whoever shows it needs no call now.
    pub fn was_called_from(&mut self, address: IpAddr, now: Instant) {
        for known in self.known.values_mut() {
            if !known.is_busy && known.addresses.iter().any(|shown| shown.ip() == address) {
                (known.failures, known.due) = (0, now + AGAIN);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[allow(clippy::disallowed_methods, reason = "any moment will do")]
    fn now() -> Instant {
        Instant::now()
    }

    fn at(port: u16) -> Vec<SocketAddr> {
        vec![SocketAddr::from(([192, 0, 2, 1], port))]
    }

    #[test]
    fn the_newer_side_calls_first_and_the_other_only_if_nobody_called() {
        let (mut here, start) = (Acquaintances::default(), now());
        here.seen("newer", at(1), Caller::Them, true, start);
        here.seen("older", at(2), Caller::Us, false, start);
        assert_eq!(here.next(start).unwrap().0, "older");
        assert_eq!((here.next(start), here.due()), (None, Some(start + GRACE)));
        assert_eq!(here.next(start + GRACE).unwrap().0, "newer");
        let mut here = Acquaintances::default();
        here.seen("newer", at(1), Caller::Them, true, start);
        here.was_called_from([192, 0, 2, 1].into(), start + RETRY);
        assert_eq!((here.next(start + GRACE), here.due()), (None, Some(start + RETRY + AGAIN)));
    }

    #[test]
    fn of_two_equals_exactly_one_begins() {
        let start = now();
        let begins = |is_first| {
            let mut here = Acquaintances::default();
            here.seen("colleague", at(1), Caller::Either, is_first, start);
            here.next(start).is_some()
        };
        assert_eq!((begins(true), begins(false)), (true, false));
    }

    #[test]
    fn whoever_cannot_be_reached_is_tried_more_and_more_seldom() {
        let (mut here, mut moment) = (Acquaintances::default(), now());
        here.seen("colleague", at(1), Caller::Us, true, moment);
        let mut waits = Vec::new();
        for _ in 0..8 {
            let (name, _) = here.next(moment).unwrap();
            assert_eq!(here.next(moment), None, "busy");
            here.failed(&name, moment);
            let due = here.due().unwrap();
            waits.push((due - moment).as_secs());
            moment = due;
        }
        assert_eq!(waits, [10, 20, 40, 80, 160, 300, 300, 300]);
        here.next(moment).unwrap();
        here.met("colleague", moment);
        assert_eq!(here.due(), Some(moment + AGAIN));
        here.gone("colleague");
        assert_eq!((here.due(), here.next(moment + AGAIN)), (None, None));
    }

    #[test]
    fn a_crowd_is_bounded() {
        let (mut here, start) = (Acquaintances::default(), now());
        for index in 0..1_000u16 {
            here.seen(&index.to_string(), at(index), Caller::Us, true, start);
        }
        let called = std::iter::from_fn(|| here.next(start)).count();
        assert_eq!((called, here.known.len()), (SESSIONS_MAX_COUNT, IN_SIGHT_MAX_COUNT));
    }
}
