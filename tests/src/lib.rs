//! What the suites share.

pub mod faultfs;
pub mod harness;
pub mod team;
pub mod workload;
