//! The text guard in figures: what it finds, what it wrongly finds, how long it takes.
//!
//! `guard report CORPUS…` prints recall and false alarms by category, language and kind of text, with 95 % Wilson
//! intervals; `--misses` lists the notes that went wrong; `guard try --from CORPUS… CORPUS…` learns first and ships nothing; `guard time CORPUS` measures. Prints text of the corpora,
//! which are invented; never run it on real notes.
#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use satchel_core::screen::train::{Example, learn};
use satchel_core::screen::{Finding, screen, screen_learning};
use serde::Deserialize;

#[derive(Parser)]
#[command(about = "The text guard in figures")]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Recall and false alarms on labelled notes.
    Report {
        /// Corpora (JSON lines).
        corpora: Vec<std::path::PathBuf>,
        /// List the notes that went wrong.
        #[arg(long)]
        misses: bool,
    },
    /// Learns the model's weights and writes them.
    Train {
        /// The weights file.
        weights: std::path::PathBuf,
        /// Corpora (JSON lines): the development corpus, never the held-out one.
        corpora: Vec<std::path::PathBuf>,
    },
    /// Learns, and reports on notes that were not learnt from; ships nothing.
    Try {
        /// Corpora to learn from (JSON lines).
        #[arg(long)]
        from: Vec<std::path::PathBuf>,
        /// Corpora to report on.
        on: Vec<std::path::PathBuf>,
        /// List the notes that went wrong.
        #[arg(long)]
        misses: bool,
    },
    /// Start-up and time per kB, on the texts of the corpora.
    Time {
        /// Corpora (JSON lines).
        corpora: Vec<std::path::PathBuf>,
    },
}

/// A labelled note.
#[derive(Deserialize)]
struct Note {
    id: String,
    language: String,
    style: String,
    text: String,
    alias: Option<String>,
    findings: Vec<String>,
}

impl Note {
    fn example(&self) -> Example<'_> {
        Example { text: &self.text, alias: self.alias.as_deref(), labels: self.findings.iter().map(String::as_str).collect() }
    }
}

/// So many of so many.
#[derive(Clone, Copy, Default)]
struct Share {
    hits: u32,
    of: u32,
}

impl Share {
    fn count(&mut self, hit: bool) {
        self.hits += u32::from(hit);
        self.of += 1;
    }

    /// The share with its 95 % Wilson score interval.
    fn shown(self) -> String {
        if self.of == 0 {
            return "–".to_owned();
        }
        let (n, p, z) = (f64::from(self.of), f64::from(self.hits) / f64::from(self.of), 1.96);
        let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        format!("{}/{} = {:.3} ({:.3}–{:.3})", self.hits, self.of, p, (middle - half).max(0.0), (middle + half).min(1.0))
    }
}

fn read(corpora: &[std::path::PathBuf]) -> Result<Vec<Note>, Box<dyn Error>> {
    let mut notes = Vec::new();
    for path in corpora {
        for line in std::fs::read_to_string(path)?.lines() {
            notes.push(serde_json::from_str(line)?);
        }
    }
    Ok(notes)
}

fn report(notes: &[Note], misses: bool, guard: impl Fn(&Note) -> Vec<Finding>) {
    let mut caught: BTreeMap<(&str, &str), Share> = BTreeMap::new();
    let mut named: BTreeMap<&str, Share> = BTreeMap::new();
    let mut alarms: BTreeMap<(&str, &str), Share> = BTreeMap::new();
    for note in notes {
        let found = guard(note);
        let style = note.style.as_str();
        if note.findings.is_empty() {
            for key in [("all", "all"), ("language", note.language.as_str()), ("kind", style)] {
                alarms.entry(key).or_default().count(!found.is_empty());
            }
            if misses && !found.is_empty() {
                println!("ALARM {} {} -> {}", note.id, note.text, shown(&note.text, &found));
            }
            continue;
        }
        for key in [("all", "all"), ("language", note.language.as_str()), ("kind", style)] {
            caught.entry(key).or_default().count(!found.is_empty());
        }
        for label in &note.findings {
            caught.entry(("category", label)).or_default().count(!found.is_empty());
            named.entry(label).or_default().count(found.iter().any(|f| f.category.code() == label));
        }
        for label in note.findings.iter().filter(|_| misses && !found.is_empty()) {
            if found.iter().all(|f| f.category.code() != label) {
                println!("NAMED {} {label} {} -> {}", note.id, note.text, shown(&note.text, &found));
            }
        }
        if misses && found.is_empty() {
            println!("MISS {} {:?} {}", note.id, note.findings, note.text);
        }
    }
    println!("| | found | found under this name |\n|---|---|---|");
    for ((kind, name), share) in &caught {
        let name_share = if *kind == "category" { named.get(name).copied().unwrap_or_default().shown() } else { String::new() };
        println!("| {kind}: {name} | {} | {name_share} |", share.shown());
    }
    println!("\n| clean notes | false alarms |\n|---|---|");
    for ((kind, name), share) in &alarms {
        println!("| {kind}: {name} | {} |", share.shown());
    }
}

fn shown(text: &str, found: &[Finding]) -> String {
    found.iter().map(|f| format!("[{} {}]", f.reason.code(), text.get(f.start..f.end).unwrap_or_default())).collect::<Vec<_>>().join(" ")
}

/// Bytes screened at a time: short enough that other programs seldom get in between.
const CHUNK_BYTES: usize = 8_000;

fn time(notes: &[Note]) {
    let begun = Instant::now();
    let first = screen("gave 2 kits", None).len();
    println!("start-up with the first note: {:.2} ms ({first} findings)", begun.elapsed().as_secs_f64() * 1e3);
    let of = |wanted: Option<bool>| {
        let notes = notes.iter().filter(|note| wanted.is_none_or(|clean| note.findings.is_empty() == clean));
        notes.map(|note| note.text.as_str()).collect::<Vec<_>>().join("\n")
    };
    for (name, text) in [("all notes", of(None)), ("clean notes", of(Some(true))), ("notes with findings", of(Some(false)))] {
        let (mut from, mut best) = (0, Duration::ZERO);
        while from < text.len() {
            let end = text.ceil_char_boundary((from + CHUNK_BYTES).min(text.len()));
            let chunk = text.get(from..end).unwrap_or_default();
            best += (0..40).map(|_| timed(chunk)).min().unwrap_or_default();
            from = end;
        }
        println!("{name}: {} kB, {:.1} µs a kB", text.len() / 1000, best.as_secs_f64() * 1e9 / text.len() as f64);
    }
    let (small, large) = (
        "gave him 2 kits by the river, quiere ir a la clinica mañana. ".repeat(100),
        "gave him 2 kits by the river, quiere ir a la clinica mañana. ".repeat(1_600),
    );
    let best = |text: &str| (0..20).map(|_| timed(text)).min().unwrap_or_default().as_secs_f64();
    println!("16 times as long: {:.1} times as slow", best(&large) / best(&small));
}

fn timed(text: &str) -> Duration {
    let begun = Instant::now();
    let _found = screen(text, None);
    begun.elapsed()
}

fn main() -> Result<(), Box<dyn Error>> {
    match Arguments::parse().action {
        Action::Report { corpora, misses } => report(&read(&corpora)?, misses, |note| screen(&note.text, note.alias.as_deref())),
        Action::Try { from, on, misses } => {
            let notes = read(&from)?;
            let weights = learn(&notes.iter().map(Note::example).collect::<Vec<_>>());
            report(&read(&on)?, misses, |note| screen_learning(&note.text, note.alias.as_deref(), &weights));
        }
        Action::Train { weights, corpora } => {
            let notes = read(&corpora)?;
            let examples: Vec<Example<'_>> = notes.iter().map(Note::example).collect();
            std::fs::write(weights, learn(&examples))?;
        }
        Action::Time { corpora } => time(&read(&corpora)?),
    }
    Ok(())
}
