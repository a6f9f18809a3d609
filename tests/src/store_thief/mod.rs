//! The thief on whole stores: real files, real sessions, a real relay, packs, and keystores that destroy.
//!
//! | module | holds |
//! |---|---|
//! | `crew` | phones with keystores of their own, and everything that they do in a test |
//! | `evidence` | every ciphertext that was ever written or sent, and what each secret opens of it |
//! | `losses` | what a relay keeps back, and what is left when every phone is lost |
//! | `opening` | opening without knowing what for |
//! | `table` | every rule left out in turn |
//! | `history` | random histories, and what is counted |
//!
//! The thief has every byte that passed at the relay, that a peer heard, that lay in a pack, and every version of every
//! file. It takes one phone: what is in its memory, and the store key of every image whose keystore key still exists.

mod crew;
mod evidence;
mod history;
mod losses;
mod opening;
mod table;

pub use crew::{Crew, Handset, Planted, START, Target};
pub use evidence::{Evidence, Found, canary};
pub use history::{Outcome, run};
pub use losses::Loss;
pub use table::{Line, history, lines, markdown, name};
