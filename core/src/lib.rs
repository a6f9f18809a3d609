//! placeholder

pub mod screen;
