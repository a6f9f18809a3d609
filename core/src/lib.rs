//! placeholder

pub mod crypto;
pub mod env;
pub mod sync;
