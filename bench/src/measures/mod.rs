//! The measures. Each takes a stage and gives figures.

mod disk;
mod erase;
mod exchange;
mod memory;
mod pages;
mod save;
mod unlock;

pub use disk::disk;
pub use erase::erase;
pub use exchange::exchange;
pub use memory::memory;
pub use pages::pages;
pub use save::save;
pub use unlock::unlock;

use crate::Fail;
use serde::de::DeserializeOwned;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// Starts this program once more, possibly with a library before the system's, and reads what it prints.
fn child<T: DeserializeOwned>(work: &str, arguments: &[&OsStr], preload: Option<&Path>) -> Result<T, Fail> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["child", work]).args(arguments);
    if let Some(library) = preload {
        command.env("LD_PRELOAD", library);
    }
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("{work}: {}", String::from_utf8_lossy(&output.stderr).trim()).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
