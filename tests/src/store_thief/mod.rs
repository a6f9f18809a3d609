//! The thief on whole stores: real files, real sessions, a real relay, packs, and keystores that destroy.
//!
//! | module | holds |
//! |---|---|
//! | `crew` | phones with keystores of their own, and everything that they do in a test |
//! | `evidence` | every ciphertext that was ever written or sent, and what each secret opens of it |
//! | `opening` | opening without knowing what for |
//! | `history` | random histories, and what is counted |
//!
//! The thief has every byte that passed at the relay, that a peer heard, that lay in a pack, and every version of every
//! file. It takes one phone: what is in its memory, and the store key of every image whose keystore key still exists.

mod crew;
mod evidence;
mod history;
mod opening;

pub use crew::{Crew, Handset, Planted, START, Target};
pub use evidence::{Evidence, Found, canary};
pub use history::{Outcome, run};
