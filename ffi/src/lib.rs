//! Satchel for Kotlin and Swift: conversion only, nothing is decided here.
//!
//! Every call is plain and may block (files, key derivation): the wrappers move it off the app's main thread.
//! A panic inside never crosses: it becomes [`FfiError::Internal`]. Memory is wiped when it is freed, so that
//! texts and passphrases do not stay behind in buffers that crossed.

mod error;
mod id;
mod joining;
mod observer;
mod protector;
mod records;
mod relay;
mod screening;
mod session;
mod store;
mod unlocked;

pub use error::{FfiError, Finding};
pub use joining::{AnsweredKnock, HostedInvitation, Joined, Joining};
pub use observer::{ChangeObserver, ObserverError, Subscription};
pub use protector::{KeyProtector, KeyProtectorError};
pub use relay::{HttpRequest, RelayExchange, RelayReport};
pub use session::{PeerSession, SessionReport};
pub use store::{Founded, KeyCost, Store};
pub use unlocked::Unlocked;

uniffi::setup_scaffolding!();

/// Wipes every buffer when it is freed, those that uniffi moves texts and bytes in included.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// The version of this library, `major.minor.patch`.
#[uniffi::export]
pub fn library_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

#[cfg(test)]
mod tests;
