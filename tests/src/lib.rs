//! What the suites share.

pub mod faultfs;
pub mod team;
pub mod workload;
