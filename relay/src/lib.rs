//! The blind mailbox server that an agency runs itself.
//!
//! A relay keeps sealed rows for phones that are rarely awake at the same time. It knows mailboxes, UTC
//! days, lanes and sizes, and nothing else: it depends on `satchel-wire` only, in which no record, person or
//! author can be named.
//!
//! Inside, from the outside in: [`server`] bounds connections, [`http`] bounds bodies, [`auth`] decides who
//! asks, [`relay`] answers, [`arrivals`] remembers the order of the running day in memory, [`storage`] keeps
//! rows without any order. No clock is read here: the caller passes one in.

pub mod answers;
pub mod arrivals;
pub mod auth;
mod clock;
pub mod config;
mod deletion;
pub mod disclose;
mod feed;
mod freshness;
pub mod http;
mod intake;
mod keys;
pub mod metrics;
pub mod openapi;
pub mod problem;
pub mod relay;
pub mod retention;
pub mod server;
pub mod settings;
pub mod storage;
pub mod tls;
pub mod transfer;
mod waiting;

pub use config::Config;
pub use problem::Problem;
pub use relay::{Clock, Relay};
