//! What measures start from: stores that a workload left behind, and the peer's.

use crate::plain::Plain;
use crate::satchel::{self, MovedClock};
use crate::workload::{self, Size};
use crate::{Fail, Measure, Run};
use satchel_core::store::KeyCost;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Stores of one workload. Its folders are removed when it is dropped.
#[derive(Debug)]
pub struct Stage {
    /// The workload.
    pub size: Size,
    /// The run's seed.
    pub seed: u64,
    memory: PathBuf,
    disk: PathBuf,
}

/// The phone that wrote everything; everything has left it.
pub const WRITER: &str = "writer";
/// The colleague's phone, which received everything.
pub const COLLEAGUE: &str = "colleague";
/// A phone that wrote the same and met nobody: all drafts.
pub const DRAFTS: &str = "drafts";
/// As the writer, under the standard passphrase cost.
pub const STANDARD: &str = "standard";
/// The peer.
pub const PLAIN: &str = "plain.sqlite";

impl Drop for Stage {
    fn drop(&mut self) {
        // a folder that stays behind is a nuisance and no error
        let _ = fs::remove_dir_all(&self.memory);
        let _ = fs::remove_dir_all(&self.disk);
    }
}

impl Stage {
    /// Builds everything that the measures asked for need.
    pub fn build(run: &Run, size: Size) -> Result<Self, Fail> {
        let name = format!("satchel-bench-{}-{}", std::process::id(), size.name());
        let stage = Self { size, seed: run.seed, memory: run.build_in.join(&name), disk: run.disk.join(&name) };
        fs::create_dir_all(&stage.memory)?;
        fs::create_dir_all(&stage.disk)?;
        let begun = Instant::now();
        stage.team(WRITER, Some(COLLEAGUE), KeyCost::Least, run.devices)?;
        if run.wants(Measure::P7) {
            stage.team(STANDARD, Some("colleague of standard"), KeyCost::Standard, run.devices)?;
        }
        if run.wants(Measure::P8) || run.wants(Measure::P2) {
            stage.team(DRAFTS, None, KeyCost::Least, 1)?;
        }
        let events = workload::events(size, run.seed);
        let mut plain = Plain::create(&stage.memory.join(PLAIN), run.seed)?;
        plain.run(&events)?;
        plain.close()?;
        println!("{}: built from {} events in {:.1} s", size.name(), events.len(), begun.elapsed().as_secs_f64());
        Ok(stage)
    }

    fn team(&self, writer: &str, colleague: Option<&str>, cost: KeyCost, devices: usize) -> Result<(), Fail> {
        let clock = MovedClock::at_day(0);
        let mut phone = satchel::found(&self.memory.join(writer), satchel::env(self.seed, writer, &clock), cost)?;
        let mut others = Vec::new();
        for n in 1..devices.max(if colleague.is_some() { 2 } else { 1 }) {
            let name = if n == 1 { colleague.unwrap_or_default().to_owned() } else { format!("{writer} other {n}") };
            let env = satchel::env(self.seed, &name, &clock);
            others.push(satchel::join(&self.memory.join(&name), env, &phone.unlocked, "Ben")?);
        }
        for other in others.iter().skip(1) {
            satchel::meet(other, &phone.unlocked)?;
        }
        let events = workload::events(self.size, self.seed);
        satchel::run(&mut phone, &clock, others.first_mut().filter(|_| colleague.is_some()), &events)?;
        for unlocked in others.iter().chain([&phone.unlocked]) {
            unlocked.store().suspend()?;
        }
        Ok(())
    }

    /// Where a store was left, in memory.
    pub fn left(&self, name: &str) -> PathBuf {
        self.memory.join(name)
    }

    /// A fresh copy of a store on the disk, under another name.
    pub fn on_disk(&self, name: &str, copy: &str) -> Result<PathBuf, Fail> {
        copied(&self.memory.join(name), &self.disk.join(copy))
    }

    /// A fresh copy of a store in memory, under another name.
    pub fn in_memory(&self, name: &str, copy: &str) -> Result<PathBuf, Fail> {
        copied(&self.memory.join(name), &self.memory.join(copy))
    }
}

fn copied(from: &Path, to: &Path) -> Result<PathBuf, Fail> {
    if from.is_file() {
        fs::copy(from, to)?;
        fs::File::open(to)?.sync_all()?;
        return Ok(to.to_owned());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        // the lock file is made anew by whoever opens the copy
        if entry.file_name() != "lock" {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
            fs::File::open(to.join(entry.file_name()))?.sync_all()?;
        }
    }
    Ok(to.to_owned())
}
