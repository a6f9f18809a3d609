//! What the suites share.

pub mod attacker;
pub mod canary;
pub mod faultfs;
pub mod harness;
pub mod histories;
pub mod memory;
pub mod scene;
pub mod served;
pub mod store_thief;
pub mod team;
pub mod thief;
pub mod workload;
