//! A deterministic simulator around production code: real stores, real sessions, a real relay, and only clock,
//! randomness and the bytes on the way are ours.
//!
//! Everything follows from one seed: which phone does what, where a link is cut, which answer is lost. A run ends
//! with healing (everybody meets everybody) and then what every phone shows is held against a [`model::Model`]
//! of all that was ever acknowledged.

pub mod consent;
pub mod dice;
pub mod exchange;
pub mod liar;
pub mod link;
pub mod model;
pub mod work;
pub mod world;

pub use dice::Dice;
pub use model::Model;
pub use world::{Outcome, Plan, World};

/// A folder for stores: in memory where there is such a place, so that a run costs no disk.
pub fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a folder")
}
