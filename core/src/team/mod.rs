//! Who belongs, who may read until when: the team log, turns and frontiers.

pub mod book;
pub mod escrow;
pub mod frontier;
pub mod invitation;
pub mod joining;
pub mod keyring;
pub mod log;
pub mod notice;
pub mod operation;
pub mod state;
pub mod turn;

pub use book::{HeldTurn, TurnBook};
pub use frontier::{ChainHead, Frontier, FrontierContent};
pub use invitation::{Invitation, InvitationError};
pub use keyring::{Keyring, KeyringParts};
pub use log::{Log, LogVerdict, Refusal};
pub use operation::{Action, Cut, DeviceKeys, Operation, Role};
pub use state::{Standing, TeamState};
pub use turn::{Recipient, RecipientClass, Turn, TurnError, TurnSecret};
