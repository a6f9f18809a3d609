//! What the suites share.

pub mod canary;
pub mod faultfs;
#[cfg(target_os = "linux")]
pub mod memory;
pub mod scene;
pub mod workload;
