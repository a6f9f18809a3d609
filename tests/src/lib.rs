//! What the suites share.

pub mod canary;
pub mod faultfs;
pub mod memory;
pub mod scene;
pub mod workload;
