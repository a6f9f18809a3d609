//! What the suites share.

pub mod faultfs;
pub mod workload;
