//! On what a run was made.

use serde::Serialize;
use std::fmt;

/// Machine, build and seed.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    cpu: String,
    cores: usize,
    memory_mib: u64,
    kernel: String,
    profile: &'static str,
    revision: String,
    seed: u64,
    devices: usize,
    /// Runnable processes, averaged over a minute, when the run began: how much else went on.
    load: String,
}

fn line_of(path: &str, begins: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(begins))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn revision() -> Option<String> {
    let output = std::process::Command::new("git").args(["describe", "--always", "--dirty"]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

impl Machine {
    /// Looks at this machine.
    pub fn look(seed: u64, devices: usize) -> Self {
        let memory = line_of("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next().and_then(|kib| kib.parse::<u64>().ok()));
        let first = |path: &str| std::fs::read_to_string(path).unwrap_or_default().split(' ').next().unwrap_or_default().trim().to_owned();
        Self {
            cpu: line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into()),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_mib: memory.unwrap_or_default() / 1024,
            kernel: first("/proc/sys/kernel/osrelease"),
            profile: if cfg!(debug_assertions) { "debug" } else { "release" },
            revision: revision().unwrap_or_else(|| "unknown".into()),
            seed,
            devices,
            load: first("/proc/loadavg"),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "build {}, revision {}, seed {}, team of {}; {} cores of {}, {} MiB, Linux {}, load {}",
            self.profile, self.revision, self.seed, self.devices, self.cores, self.cpu, self.memory_mib, self.kernel, self.load
        )
    }
}
