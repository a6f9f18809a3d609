//! Satchel's core.

pub mod consent;
pub mod crypto;
pub mod env;
pub mod envelope;
pub mod record;
pub mod screen;
pub mod team;
