//! Satchel's figures: workloads from a seed, measured against plain SQLite in the same run on the same machine.
//!
//! A program, never a timed test: absolute times only describe, aims are ratios and sizes. See `docs/PERFORMANCE.md`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports to a terminal")]
#![allow(clippy::disallowed_methods, reason = "a program that measures needs the monotonic clock")]

mod children;
mod figures;
mod hub;
mod machine;
mod measures;
mod plain;
mod report;
mod satchel;
mod stage;
mod turns;
mod workload;

use clap::{Parser, Subcommand, ValueEnum};
use figures::Figure;
use machine::Machine;
use stage::Stage;
use std::path::PathBuf;
use std::process::ExitCode;
use workload::Size;

/// Whatever goes wrong ends the run.
pub type Fail = Box<dyn std::error::Error>;

/// Satchel's figures.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures and reports.
    Run(Run),
    /// What turns, erasures and removals cost, by the size of the team, and unlocking after many of them.
    Turns(turns::Turns),
    /// The part of a measure that needs a process of its own; started by `run`.
    #[command(hide = true)]
    Child(children::Child),
}

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Measure {
    /// From unlock to the first list.
    P1,
    /// A durable save.
    P2,
    /// A shift's exchange between two phones.
    P3,
    /// Peak memory.
    P7,
    /// Bytes on disk.
    P8,
    /// An erasure.
    P9,
    /// Wire pages and roots.
    Pages,
}

/// Measures and reports.
#[derive(Debug, clap::Args)]
pub struct Run {
    /// Which measures; all of them if none is named.
    #[arg(value_enum)]
    measures: Vec<Measure>,
    /// Which workloads.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "s,m")]
    sizes: Vec<Size>,
    /// Where all randomness of the run comes from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where table, JSON and picture are written.
    #[arg(long, default_value = "bench/out")]
    out: PathBuf,
    /// Where workloads are built; memory is fastest.
    #[arg(long, default_value = "/dev/shm")]
    build_in: PathBuf,
    /// The disk on which saving and opening are measured.
    #[arg(long, default_value = "target")]
    disk: PathBuf,
    /// Devices in the team, this one and a colleague's included (2 to 25).
    #[arg(long, default_value_t = 2)]
    devices: usize,
}

impl Run {
    fn wants(&self, measure: Measure) -> bool {
        self.measures.is_empty() || self.measures.contains(&measure)
    }
}

fn run(run: &Run) -> Result<(), Fail> {
    let machine = Machine::look(run.seed, run.devices);
    println!("{machine}");
    let mut figures: Vec<Figure> = Vec::new();
    for &size in &run.sizes {
        let stage = Stage::build(run, size)?;
        if run.wants(Measure::P1) {
            figures.extend(measures::unlock(&stage)?);
        }
        if run.wants(Measure::P2) {
            figures.extend(measures::save(&stage)?);
        }
        if run.wants(Measure::P3) {
            figures.extend(measures::exchange(&stage)?);
        }
        if run.wants(Measure::P7) {
            figures.extend(measures::memory(&stage)?);
        }
        if run.wants(Measure::P8) {
            figures.extend(measures::disk(&stage)?);
        }
        if run.wants(Measure::P9) {
            figures.extend(measures::erase(&stage)?);
        }
        if run.wants(Measure::Pages) {
            figures.extend(measures::pages(&stage)?);
        }
    }
    report::write(&run.out, &machine, &figures)
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(options) => run(&options),
        Command::Turns(options) => options.run(),
        Command::Child(child) => child.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("satchel-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
