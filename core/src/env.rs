//! Clock and randomness: everything that a run takes from outside, in one small type.
//!
//! No other module names a clock or a source of randomness (`clippy.toml` refuses them), so a test
//! or the simulator repeats any run from a seed, and moves the clock where it wants it.

use crate::rules::Rule;
use rand_core::{Infallible, TryCryptoRng, TryRng};
use satchel_wire::UtcDay;
use std::fmt;
use std::sync::Arc;
#[cfg(feature = "adversary")]
use std::sync::atomic::{AtomicU32, Ordering};

/// A moment: seconds since 1970-01-01 UTC, as this device believes. Clocks lie: never the ground of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// Takes seconds since 1970-01-01 UTC.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }
    /// Seconds since 1970-01-01 UTC.
    pub const fn seconds(self) -> u64 {
        self.0
    }
    /// The UTC day of this moment; beyond 2149-06-06 the last representable day.
    pub fn utc_day(self) -> UtcDay {
        UtcDay::of_unix_seconds(self.0)
    }
}

/// A source of wall-clock time.
pub trait Clock: Send + Sync {
    /// Seconds since 1970-01-01 UTC; 0 when the clock stands before it.
    fn unix_seconds(&self) -> u64;
}

/// A source of randomness fit for keys.
///
/// Infallible on purpose, as in Go 1.24 and BoringSSL: a caller that has to handle "no randomness"
/// will one day seal with zeros. A source that cannot deliver must end the process.
pub trait Randomness: Send + Sync {
    /// Fills all of `out`.
    fn fill(&self, out: &mut [u8]);
}

struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
    fn unix_seconds(&self) -> u64 {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}

struct SystemRandomness;

impl Randomness for SystemRandomness {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the system's randomness")]
    fn fill(&self, out: &mut [u8]) {
        if getrandom::fill(out).is_err() {
            // Going on would mean predictable keys. Unwinding could be caught; this cannot.
            std::process::abort();
        }
    }
}

/// The bit of [`Env::dangerous_without_padding`].
#[cfg(feature = "adversary")]
const UNPADDED: u32 = 1 << 31;

/// Clock and randomness, cheap to clone and to pass down.
#[derive(Clone)]
pub struct Env {
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    /// Rules left out, a bit each: for tests that show what a rule is for.
    #[cfg(feature = "adversary")]
    without: u32,
    /// The version of the text guard that this phone has: for tests that run phones with different ones.
    #[cfg(feature = "adversary")]
    guard: Arc<AtomicU32>,
}

impl Env {
    /// The system's clock and randomness. Ends the process if the system has no randomness to give.
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(SystemRandomness))
    }

    /// Any clock and randomness: for tests and the simulator.
    pub fn new(clock: Arc<dyn Clock>, randomness: Arc<dyn Randomness>) -> Self {
        Self {
            clock,
            randomness,
            #[cfg(feature = "adversary")]
            without: 0,
            #[cfg(feature = "adversary")]
            guard: Arc::default(),
        }
    }

    /// Gives this phone, also while it runs, the text guard of another version of the program; 0 is the program's own. Exists only
    /// for tests, and is for phones made with [`Env::new`]: whatever was cloned from this has it too.
    #[cfg(feature = "adversary")]
    pub fn dangerous_set_guard(&self, version: u32) {
        self.guard.store(version, Ordering::SeqCst);
    }

    /// The version of this phone's text guard. Exists only for tests.
    #[cfg(feature = "adversary")]
    pub fn dangerous_guard(&self) -> u32 {
        self.guard.load(Ordering::SeqCst)
    }

    /// The same clock and randomness with one rule left out. Exists only for tests.
    #[cfg(feature = "adversary")]
    #[must_use]
    pub fn dangerous_without(mut self, rule: Rule) -> Self {
        self.without |= 1 << rule as u8;
        self
    }

    /// The same without boxes to nobody in announcements: they open for nobody, and cost the simulator more than all
    /// else together. Exists only for tests.
    #[cfg(feature = "adversary")]
    #[must_use]
    pub const fn dangerous_without_padding(mut self) -> Self {
        self.without |= UNPADDED;
        self
    }

    /// Whether announcements are rounded up with boxes to nobody: always, in a shipped build.
    #[cfg(feature = "adversary")]
    pub const fn is_padded(&self) -> bool {
        self.without & UNPADDED == 0
    }

    /// Whether announcements are rounded up with boxes to nobody: always, in a shipped build.
    #[cfg(not(feature = "adversary"))]
    pub const fn is_padded(&self) -> bool {
        true
    }

    /// Whether a rule holds: always, in a shipped build.
    #[cfg(feature = "adversary")]
    pub const fn holds(&self, rule: Rule) -> bool {
        self.without & (1 << rule as u8) == 0
    }

    /// Whether a rule holds: always, in a shipped build.
    #[cfg(not(feature = "adversary"))]
    pub const fn holds(&self, _: Rule) -> bool {
        true
    }

    /// What the clock says.
    pub fn now(&self) -> UnixTime {
        UnixTime(self.clock.unix_seconds())
    }

    /// Fills all of `out` with randomness.
    pub fn fill(&self, out: &mut [u8]) {
        self.randomness.fill(out);
    }

    /// `N` random bytes, for what is not secret: ids, salts, nonces. Keys have a `make` of their own, which leaves no copy on the stack.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// This randomness as `rand_core` 0.10 wants it.
    pub fn rng(&self) -> EnvRng<'_> {
        EnvRng(self)
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Env")
    }
}

/// [`Env`]'s randomness behind the traits of `rand_core` 0.10.
#[derive(Debug)]
pub struct EnvRng<'env>(&'env Env);

impl TryRng for EnvRng<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.0.random()))
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.0.random()))
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for EnvRng<'_> {}

/// What tests of every module use: a clock that stands where it is put, and randomness from a seed.
#[cfg(test)]
pub(crate) mod testing {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A clock that moves only when told.
    pub(crate) struct TestClock(AtomicU64);

    impl TestClock {
        pub(crate) fn at(seconds: u64) -> Arc<Self> {
            Arc::new(Self(AtomicU64::new(seconds)))
        }
        pub(crate) fn set(&self, seconds: u64) {
            self.0.store(seconds, Ordering::SeqCst);
        }
    }

    impl Clock for TestClock {
        fn unix_seconds(&self) -> u64 {
            self.0.load(Ordering::SeqCst)
        }
    }

    /// Deterministic bytes: BLAKE3 in extendable-output mode over the seed.
    pub(crate) struct SeededRandomness(Mutex<blake3::OutputReader>);

    impl SeededRandomness {
        pub(crate) fn new(seed: u64) -> Arc<Self> {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&seed.to_le_bytes());
            Arc::new(Self(Mutex::new(hasher.finalize_xof())))
        }
    }

    impl Randomness for SeededRandomness {
        fn fill(&self, out: &mut [u8]) {
            self.0.lock().unwrap().fill(out);
        }
    }

    /// Returns the given bytes, then nothing more: for known-answer tests.
    pub(crate) struct FixedRandomness(Mutex<Vec<u8>>);

    impl FixedRandomness {
        pub(crate) fn new(bytes: &[u8]) -> Arc<Self> {
            Arc::new(Self(Mutex::new(bytes.to_vec())))
        }
    }

    impl Randomness for FixedRandomness {
        fn fill(&self, out: &mut [u8]) {
            let mut rest = self.0.lock().unwrap();
            assert!(rest.len() >= out.len(), "more randomness asked for than the test provides");
            let after = rest.split_off(out.len());
            out.copy_from_slice(&rest);
            *rest = after;
        }
    }

    impl Env {
        /// Randomness from a seed, and a clock standing at 2026-11-22 00:00 UTC.
        pub(crate) fn seeded(seed: u64) -> Self {
            Self::new(TestClock::at(1_795_305_600), SeededRandomness::new(seed))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{SeededRandomness, TestClock};
    use super::*;
    use rand_core::Rng;

    #[test]
    fn a_seed_repeats_a_run_and_the_clock_stands_where_it_is_put() {
        assert_eq!(Env::seeded(7).random::<64>(), Env::seeded(7).random::<64>());
        assert_ne!(Env::seeded(7).random::<64>(), Env::seeded(8).random::<64>());
        let clock = TestClock::at(86_399);
        let env = Env::new(clock.clone(), SeededRandomness::new(0));
        assert_eq!(env.now().utc_day().days(), 0);
        clock.set(86_400);
        assert_eq!((env.now().seconds(), env.now().utc_day().days()), (86_400, 1));
    }

    #[test]
    fn the_rand_core_adaptor_gives_the_same_bytes() {
        let mut through_adaptor = [0; 16];
        Env::seeded(3).rng().fill_bytes(&mut through_adaptor);
        assert_eq!(through_adaptor, Env::seeded(3).random::<16>());
        assert_eq!(Env::seeded(3).rng().next_u64(), u64::from_le_bytes(Env::seeded(3).random()));
    }

    #[test]
    fn the_system_gives_a_plausible_time_and_bytes_that_differ() {
        let env = Env::system();
        assert!(env.now() > UnixTime::from_seconds(1_700_000_000));
        assert_ne!(env.random::<32>(), env.random::<32>());
        assert_eq!(format!("{env:?}"), "Env");
    }
}
