//! One sync with a relay, without I/O of its own.
//!
//! In order: pull until nothing more waits; announce this device's turn if the relay lacks it (on a 409
//! pull again); change the access keys if allowed and needed; push. Nothing changed: one request.
//!
//! A relay may lie. It cannot make a phone accept anything (rows are judged by the replica), so what is left
//! to it is to withhold, to repeat and to waste: pages that bring nothing new, listings of invented rows and
//! cursors that go back are noticed ([`RelayWarning`]) and bounded ([`super::limits`]).
//!
//! **Earlier keys.** A relay answers a pull under an earlier turn's key with the announce lane alone, and
//! does not say so. A cursor from such a page would skip records for ever. So a cursor is saved only when
//! the key is shown to be the present one: by a row of another lane, or by a push that was taken.
//!
//! **Rows before their turn.** A closed day is in the order of row ids, so rows may come pages before the
//! announcement whose secret opens them. While a pull goes on, the cursor is not saved past rows that did
//! not open; if a turn is adopted later in it, they are read again. At the pull's end they are given up.

mod exchange;
mod mailbox;
mod pull;
mod push;

pub use exchange::RelayExchange;
pub use mailbox::{Mailbox, PendingAnnouncement};

use super::replica::Accepted;
use satchel_wire::frame::{Endpoint, ProblemCode};
use std::collections::BTreeSet;

/// A request for the transport: POST `body` to the endpoint's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayRequest {
    /// Where to.
    pub endpoint: Endpoint,
    /// An encoded [`satchel_wire::frame::Signed`].
    pub body: Vec<u8>,
}

/// What the transport brought back. A broken connection is no answer: the exchange is abandoned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayAnswer {
    /// The body of a 200.
    Ok(Vec<u8>),
    /// A problem document.
    Problem {
        /// Its code; an unknown one is [`ProblemCode::Internal`].
        code: ProblemCode,
        /// Unix seconds as the relay believes, with [`ProblemCode::ClockSkew`].
        relay_time: Option<u64>,
    },
}

/// Something that an exchange noticed about its relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RelayWarning {
    /// It told to go on reading at a day before the one that was read: it lost data, or lies.
    CursorWentBack,
    /// It sent rows again that it had sent in this exchange.
    RepeatedRows,
    /// It sent rows that were not asked for; they were dropped.
    WrongRows,
    /// It listed rows that it did not hand out.
    Withheld,
    /// Most of what it sends cannot be read; reading goes on in another exchange.
    Unreadable,
    /// It has more than fits in one exchange, or others pushed meanwhile.
    MoreWaiting,
    /// An announcement was refused.
    TurnRefused,
}

impl RelayWarning {
    /// A stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CursorWentBack => "cursor_went_back",
            Self::RepeatedRows => "repeated_rows",
            Self::WrongRows => "wrong_rows",
            Self::Withheld => "withheld",
            Self::Unreadable => "unreadable",
            Self::MoreWaiting => "more_waiting",
            Self::TurnRefused => "turn_refused",
        }
    }
}

/// What an exchange did so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelayReport {
    /// Requests made.
    pub requests: usize,
    /// Rows of other lanes than announcements taken in.
    pub received: usize,
    /// What became of them.
    pub rows: Accepted,
    /// Turns adopted.
    pub turns_adopted: usize,
    /// Whether this device's turn was announced.
    pub announced: bool,
    /// Whether the access keys were changed.
    pub keys_changed: bool,
    /// Rows pushed.
    pub pushed: usize,
    /// Bytes of request bodies.
    pub bytes_sent: u64,
    /// Bytes of answers.
    pub bytes_received: u64,
    /// The problem that ended the exchange before its end; see [`ProblemCode`] for the remedy.
    pub stopped: Option<ProblemCode>,
    /// What was noticed.
    pub warnings: BTreeSet<RelayWarning>,
}

/// Why an exchange does not go on. What was accepted is kept, and the next exchange goes on from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RelayFault {
    /// No access key is held. Remedy: unlock, or join a team.
    #[error("no access key")]
    NoKey,
    /// The answer is not the frame that the path calls for. Remedy: the relay is too new or not a relay.
    #[error("not an answer of a relay")]
    Malformed,
    /// The relay repeats itself. Remedy: tell the operator; meet colleagues phone to phone.
    #[error("answers without progress")]
    NoProgress,
    /// Answers and requests do not alternate. Remedy: a mistake in the program.
    #[error("not the moment for this call")]
    Order,
}

impl RelayFault {
    /// A stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoKey => "relay.no_key",
            Self::Malformed => "relay.malformed",
            Self::NoProgress => "relay.no_progress",
            Self::Order => "relay.order",
        }
    }
}

/// Why an exchange does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RelayError<E> {
    /// This replica failed. Remedy: that of the inner error; then a new exchange.
    #[error("the replica failed")]
    Replica(E),
    /// The exchange itself failed.
    #[error(transparent)]
    Fault(#[from] RelayFault),
}

impl<E> RelayError<E> {
    /// A stable code; a failure of the replica has its own code inside.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Replica(_) => "relay.replica",
            Self::Fault(fault) => fault.code(),
        }
    }
}
