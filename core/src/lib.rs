//! placeholder

pub mod catalogue;
