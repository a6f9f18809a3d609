//! Who belongs, who may read until when: the team log, turns and frontiers.

mod account;
mod bits;
pub mod book;
mod entitlement;
pub mod escrow;
mod fold;
pub mod frontier;
pub mod held;
pub mod invitation;
pub mod joining;
pub mod keyring;
pub mod log;
pub mod notice;
pub mod operation;
pub mod pack;
pub mod pack_parts;
pub mod settlement;
pub mod state;
pub mod tombstone;
pub mod turn;

pub use book::{HeldTurn, TurnBook};
pub use frontier::{ChainHead, Frontier, FrontierContent};
pub use held::HeldOperation;
pub use invitation::{Invitation, InvitationError};
pub use keyring::{Keyring, KeyringParts};
pub use log::{KeptOperation, Log, LogVerdict, Refusal};
pub use operation::{Action, Cut, DeviceKeys, Operation, Role};
pub use settlement::{MayHold, Settlement};
pub use state::{Awaiting, Recovery, Standing, TeamState, TombstoneState};
pub use tombstone::{Erasure, Tombstone, TombstoneScope};
pub use turn::{Recipient, RecipientClass, Turn, TurnError, TurnSecret};

#[cfg(test)]
mod tests;
