//! placeholder

pub mod crypto;
pub mod env;
