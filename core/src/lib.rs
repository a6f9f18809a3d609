//! placeholder

pub mod document;
