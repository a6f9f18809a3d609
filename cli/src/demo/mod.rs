//! A day with three phones and a relay, and what happens in the week after it, on this machine.
//!
//! Every phone is a folder of its own and every step a process of its own. Whatever the story claims is
//! checked; the first check that fails ends it with a status other than 0.

mod canaries;
mod consent;
mod phone;
mod relay;
mod story;
mod week;

pub use story::run;
