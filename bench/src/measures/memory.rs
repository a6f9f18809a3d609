//! P7: peak memory of a process that unlocks at the standard cost and lists everything.

use super::child;
use crate::Fail;
use crate::children::Memory;
use crate::figures::Figure;
use crate::stage::{STANDARD, Stage};
use std::ffi::OsStr;

/// Measures P7.
pub fn memory(stage: &Stage) -> Result<Vec<Figure>, Fail> {
    let dir = stage.in_memory(STANDARD, "p7")?;
    let seed = stage.seed.to_string();
    let memory: Memory = child("lists", &[dir.as_os_str(), OsStr::new(&seed)], None)?;
    if memory.lines < stage.size.records() {
        return Err("a list is incomplete".into());
    }
    Ok(vec![Figure::aimed("P7", stage.size.name(), "peak memory, Argon2 at 64 MiB included", memory.peak_mib, "MiB", 128.0)])
}
