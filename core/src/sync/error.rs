//! Why a session between phones ends before its end.

use super::message::Kind;
use crate::crypto::NoiseError;

/// Why the other side ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum CloseReason {
    /// It does not talk to this device.
    #[n(0)]
    Refused,
    /// It could not make sense of what it was sent.
    #[n(1)]
    Protocol,
    /// Its own store failed or was locked.
    #[n(2)]
    Failed,
}

/// Why a session does not go on, apart from failures of the replica's own.
///
/// Whatever was accepted before is kept; a new session goes on from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionFault {
    /// This device holds no turn, so nobody can recognise it. Remedy: join or unlock first.
    #[error("no turn to be recognised by")]
    NoSecret,
    /// The other side is no colleague, or no turn is known to both. Remedy: none for a stranger; for a
    /// colleague, meet somebody who was away less long.
    #[error("the other side is not a colleague")]
    NotAColleague,
    /// The other side speaks another version of this protocol. Remedy: update the older app.
    #[error("another version of the session protocol")]
    Version,
    /// A message of the secure channel was altered, lost, repeated or re-ordered. Remedy: start a new session.
    #[error("the channel's bytes were altered")]
    Channel,
    /// The other device's signature is not its own. Remedy: tell a steward.
    #[error("the other side is not the device that it names")]
    Forged,
    /// The other device was removed or suspended. Remedy: none; a steward may answer.
    #[error("the other device is banned")]
    Banned,
    /// The other device proved no admission to this team. Remedy: none.
    #[error("the other device is not a member's")]
    NotAMember,
    /// The other side is this very device: one of the two was copied. Remedy: tell a steward.
    #[error("the other side is a copy of this device")]
    SameDevice,
    /// Not a message of this protocol. Remedy: update the older app; a repeat is hostile.
    #[error("not a message of this protocol")]
    Malformed,
    /// A message, or what it counts, is above its limit. Remedy: as for `Malformed`.
    #[error("a message above its limit")]
    TooLarge,
    /// A message in the wrong place. Remedy: as for `Malformed`.
    #[error("a message in the wrong place")]
    Unexpected(Kind),
    /// Messages keep coming and bring nothing. Remedy: a repeat is hostile.
    #[error("messages without progress")]
    NoProgress,
    /// The other side ended the session. Remedy: see [`CloseReason`].
    #[error("the other side ended the session")]
    Closed(CloseReason),
    /// The session had ended before this call. Remedy: start a new one.
    #[error("the session has ended")]
    Ended,
}

impl SessionFault {
    /// A stable code for the boundary and for support.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoSecret => "session.no_secret",
            Self::NotAColleague => "session.not_a_colleague",
            Self::Version => "session.version",
            Self::Channel => "session.channel",
            Self::Forged => "session.forged",
            Self::Banned => "session.banned",
            Self::NotAMember => "session.not_a_member",
            Self::SameDevice => "session.same_device",
            Self::Malformed => "session.malformed",
            Self::TooLarge => "session.too_large",
            Self::Unexpected(_) => "session.unexpected",
            Self::NoProgress => "session.no_progress",
            Self::Closed(CloseReason::Refused) => "session.closed_refused",
            Self::Closed(CloseReason::Protocol) => "session.closed_protocol",
            Self::Closed(CloseReason::Failed) => "session.closed_failed",
            Self::Ended => "session.ended",
        }
    }

    /// What the other side is told. Whether it is banned, forged or unknown is not its business.
    pub(super) const fn reason(self) -> CloseReason {
        match self {
            Self::Forged | Self::Banned | Self::NotAMember | Self::SameDevice => CloseReason::Refused,
            _ => CloseReason::Protocol,
        }
    }
}

impl From<NoiseError> for SessionFault {
    fn from(_: NoiseError) -> Self {
        Self::Channel
    }
}

/// Why a session does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionError<E> {
    /// This replica failed. Remedy: that of the inner error; then a new session.
    #[error("the replica failed")]
    Replica(E),
    /// The session itself failed.
    #[error(transparent)]
    Fault(#[from] SessionFault),
}

impl<E> SessionError<E> {
    /// A stable code; a failure of the replica has its own code inside.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Replica(_) => "session.replica",
            Self::Fault(fault) => fault.code(),
        }
    }
}
