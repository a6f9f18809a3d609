//! Figures, and the ways to summarise a series of durations.

use serde::Serialize;
use std::time::Duration;

/// One measured number.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// Which measure: P1, P2, …
    pub id: &'static str,
    /// Workload.
    pub size: &'static str,
    /// What it is.
    pub what: String,
    /// The number.
    pub value: f64,
    /// Its unit; `x` for a ratio.
    pub unit: &'static str,
    /// Must be at most so much.
    pub aim: Option<f64>,
}

impl Figure {
    /// A number that only describes.
    pub fn plain(id: &'static str, size: &'static str, what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { id, size, what: what.into(), value, unit, aim: None }
    }
    /// A number with an aim.
    pub fn aimed(id: &'static str, size: &'static str, what: impl Into<String>, value: f64, unit: &'static str, aim: f64) -> Self {
        Self { aim: Some(aim), ..Self::plain(id, size, what, value, unit) }
    }
    /// Whether the aim is met; `None` without one.
    pub fn is_met(&self) -> Option<bool> {
        self.aim.map(|aim| self.value <= aim)
    }
}

/// A series of durations.
#[derive(Debug, Clone, Default)]
pub struct Series(Vec<f64>);

impl Series {
    /// Adds one.
    pub fn add(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64() * 1e3);
    }
    /// Adds one in milliseconds.
    pub fn add_ms(&mut self, ms: f64) {
        self.0.push(ms);
    }
    /// The value below which `percent` of a hundred lie (milliseconds); 0 for an empty series.
    pub fn percentile(&self, percent: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = ((percent / 100.0) * (sorted.len().saturating_sub(1)) as f64).round() as usize;
        sorted.get(at).copied().unwrap_or_default()
    }
    /// The least disturbed one (milliseconds).
    pub fn least(&self) -> f64 {
        self.percentile(0.0)
    }
    /// The middle (milliseconds).
    pub fn median(&self) -> f64 {
        self.percentile(50.0)
    }
}

/// Processor time that this thread has used (milliseconds): the scheduler's own count, so read it at the ends of blocks.
pub fn cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or_default() / 1e6
}

/// Most memory that this process ever held (MiB).
pub fn peak_mib() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kib| kib.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}
