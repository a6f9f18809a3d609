//! What the suites share.

pub mod attacker;
pub mod faultfs;
pub mod team;
pub mod workload;
