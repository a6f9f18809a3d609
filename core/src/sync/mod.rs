//! Sync: sealed bytes between replicas, phone to phone and through a relay. Sans-I/O.

mod appearance;
mod error;
mod hello;
pub mod limits;
mod message;
mod payload;
mod replica;
mod report;
mod session;
mod stream;
mod talk;
#[cfg(test)]
mod tests;

pub(crate) use appearance::recognise;
pub use appearance::{APPEARANCE_BYTES, Appearance, Caller};
pub use error::{CloseReason, SessionError, SessionFault};
pub use hello::SESSION_VERSION;
pub use message::Kind as MessageKind;
pub use replica::{
    Accepted, Beyond, ChainHead, Covered, FrontierVerdict, KnownFrontier, Merged, OperationId, Replica, Role, Standing, TurnVerdict,
};
pub use report::{SessionReport, Warning};
pub use session::PeerSession;
