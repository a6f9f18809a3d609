//! Satchel's core: an offline-first, end-to-end-encrypted record keeper for street outreach.

pub mod catalogue;
pub mod complaint;
pub mod consent;
pub mod crypto;
pub mod data_map;
pub mod document;
pub mod env;
pub mod envelope;
pub mod error;
pub mod record;
pub mod recovery;
pub mod rules;
pub mod screen;
pub mod share;
pub mod storage;
pub mod store;
pub mod sync;
pub mod team;

pub use error::{Error, Remedy};
