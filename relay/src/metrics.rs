//! Numbers for the operator: totals over all mailboxes, in memory, since the start.

use satchel_wire::frame::{Endpoint, ProblemCode};
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// How an answer ended, as far as the operator has to know.
const OUTCOMES: [&str; 5] = ["done", "refused", "limited", "full", "failed"];

const fn outcome(problem: Option<ProblemCode>) -> usize {
    match problem {
        None => 0,
        Some(ProblemCode::RateLimited | ProblemCode::QuotaExceeded) => 2,
        Some(ProblemCode::StorageFull) => 3,
        Some(ProblemCode::Internal) => 4,
        Some(_) => 1,
    }
}

/// Counters of one process.
#[derive(Debug, Default)]
pub struct Counters {
    answers: [[AtomicU64; OUTCOMES.len()]; Endpoint::ALL.len()],
    rows: AtomicU64,
    failures: AtomicU64,
    waiting: AtomicI64,
    connections: AtomicI64,
    clock_doubted: AtomicI64,
}

/// Something that lasts; it is counted until this is dropped.
pub struct Lasting<'a>(&'a AtomicI64);

impl Drop for Lasting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counters {
    /// A request was answered.
    pub fn answered(&self, endpoint: Endpoint, problem: Option<ProblemCode>) {
        self.answers[endpoint as usize][outcome(problem)].fetch_add(1, Ordering::Relaxed);
    }
    /// Rows were kept.
    pub fn kept(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }
    /// Storage failed.
    pub fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }
    /// A phone waits from now on.
    pub fn waits(&self) -> Lasting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Lasting(&self.waiting)
    }
    /// A connection is open from now on.
    pub fn connects(&self) -> Lasting<'_> {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Lasting(&self.connections)
    }

    /// Whether the clock is ahead of the time that passed, and days wait.
    pub fn doubts_clock(&self, doubts: bool) {
        self.clock_doubted.store(i64::from(doubts), Ordering::Relaxed);
    }

    /// All of it in the text format of Prometheus, 0.0.4.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let head = |text: &mut String, name: &str, kind: &str, help: &str| {
            let _ = write!(text, "# HELP satchel_relay_{name} {help}\n# TYPE satchel_relay_{name} {kind}\n");
        };
        head(&mut text, "answers_total", "counter", "Requests answered, all mailboxes together.");
        for (endpoint, outcomes) in Endpoint::ALL.iter().zip(&self.answers) {
            let path = endpoint.path().trim_start_matches("/v1/");
            for (name, count) in OUTCOMES.iter().zip(outcomes) {
                let count = count.load(Ordering::Relaxed);
                let _ = writeln!(text, "satchel_relay_answers_total{{request=\"{path}\",outcome=\"{name}\"}} {count}");
            }
        }
        let mut single = |name: &str, kind: &str, help: &str, value: i64| {
            head(&mut text, name, kind, help);
            let _ = writeln!(text, "satchel_relay_{name} {value}");
        };
        let total = |counter: &AtomicU64| i64::try_from(counter.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        single("rows_total", "counter", "Rows kept.", total(&self.rows));
        single("storage_failures_total", "counter", "Times that storage failed a request or the upkeep.", total(&self.failures));
        single("waiting", "gauge", "Phones that wait for news.", self.waiting.load(Ordering::Relaxed));
        single("connections", "gauge", "Open connections.", self.connections.load(Ordering::Relaxed));
        let doubted = self.clock_doubted.load(Ordering::Relaxed);
        single("clock_doubted", "gauge", "1 while the clock is further ahead than time passed: no day ends, nothing is deleted.", doubted);
        text
    }

    /// A page for people: no mailbox, no team, no times.
    pub fn to_page(&self, is_ready: bool) -> String {
        let answered: u64 = self.answers.iter().map(|outcomes| outcomes[0].load(Ordering::Relaxed)).sum();
        let line = |name: &str, value: &str| format!("<tr><th scope=row>{name}<td>{value}\n");
        let rows = [
            line("Storage", if is_ready { "answers" } else { "does not answer" }),
            line("Requests done since the start", &answered.to_string()),
            line("Rows kept since the start", &self.rows.load(Ordering::Relaxed).to_string()),
            line("Storage failures since the start", &self.failures.load(Ordering::Relaxed).to_string()),
            line("Phones waiting", &self.waiting.load(Ordering::Relaxed).to_string()),
            line("Connections", &self.connections.load(Ordering::Relaxed).to_string()),
            line("Clock", if self.clock_doubted.load(Ordering::Relaxed) == 0 { "believed" } else { "ahead: days wait" }),
        ];
        format!(
            "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<meta name=viewport content=\"width=device-width\">\n\
             <title>Satchel relay</title>\n<style>body{{font:1rem/1.5 sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}}\
             th{{text-align:left;font-weight:normal;padding-right:2rem}}td{{text-align:right}}</style>\n\
             <h1>Satchel relay {}</h1>\n<table>\n{}</table>\n",
            env!("CARGO_PKG_VERSION"),
            rows.concat()
        )
    }
}
