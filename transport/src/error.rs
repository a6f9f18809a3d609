//! Why bytes did not arrive, and what the caller can do.

use satchel_core::Remedy;
use std::io;

/// Why bytes did not arrive. Holds no address and nothing that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Not `host:port`, or not a relay address that may be used. Remedy: correct it.
    #[error("not a usable address")]
    Address,
    /// The relay's address is `http://` to another machine: the network would see who asks. Remedy: use `https://`.
    #[error("http is for this machine only")]
    NotEncrypted,
    /// Nobody answers there. Remedy: check that the other side listens and that both are on one network.
    #[error("nobody answers there ({kind})")]
    Unreachable {
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// This address cannot be listened on. Remedy: choose another.
    #[error("cannot listen on this address ({kind})")]
    Listen {
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// Nobody can be looked for on this network. Remedy: dial an address by hand.
    #[error("cannot look around on this network")]
    Discovery,
    /// Nothing came or went for too long. Remedy: start again nearer to each other.
    #[error("nothing came for too long")]
    IdleTimeout,
    /// The connection ended before both sides were done. Remedy: start again; what arrived is kept.
    #[error("the connection was cut")]
    Cut,
    /// The network failed. Remedy: try again.
    #[error("the network failed ({kind})")]
    Network {
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// The other side sent more than its protocol allows. Remedy: update the older side; a repeat is hostile.
    #[error("the other side sent too much")]
    TooLarge,
    /// TLS could not be agreed, or the certificate does not fit. Remedy: check the address; ask the operator.
    #[error("no secure connection to the relay")]
    Tls,
    /// The relay has another key than the pinned one: somebody stands between, or the operator changed the key.
    /// Remedy: ask the operator in person, then pin the key that they name.
    #[error("not the pinned key of the relay")]
    Pin,
    /// The proxy is no proxy of this kind, or refused. Remedy: check that it runs, and its address.
    #[error("the proxy does not let through")]
    Proxy,
    /// The caller ended it. Remedy: none.
    #[error("ended by the caller")]
    Cancelled,
    /// The answer is not one that a relay gives. Remedy: check the address; something else may answer there.
    #[error("not a relay's answer")]
    NotARelay,
}

impl TransportError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Address => "transport.address",
            Self::NotEncrypted => "transport.not_encrypted",
            Self::Unreachable { .. } => "transport.unreachable",
            Self::Listen { .. } => "transport.listen",
            Self::Discovery => "transport.discovery",
            Self::IdleTimeout => "transport.idle_timeout",
            Self::Cut => "transport.cut",
            Self::Network { .. } => "transport.network",
            Self::TooLarge => "transport.too_large",
            Self::Tls => "transport.tls",
            Self::Pin => "transport.pin",
            Self::Proxy => "transport.proxy",
            Self::Cancelled => "transport.cancelled",
            Self::NotARelay => "transport.not_a_relay",
        }
    }

    /// What the caller can do.
    pub const fn remedy(self) -> Remedy {
        match self {
            Self::Address | Self::NotEncrypted | Self::Listen { .. } | Self::Discovery | Self::Proxy => Remedy::CorrectInput,
            Self::Unreachable { .. } | Self::IdleTimeout | Self::Cut | Self::Network { .. } | Self::Cancelled => Remedy::TryLater,
            Self::TooLarge => Remedy::UpdateApp,
            Self::Tls | Self::Pin | Self::NotARelay => Remedy::AskSteward,
        }
    }
}

/// An error while reading from or writing to a connected stream.
pub(crate) fn of_stream(error: &io::Error) -> TransportError {
    match error.kind() {
        // a blocking socket reports its timeout as either of these, depending on the system
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => TransportError::IdleTimeout,
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            TransportError::Cut
        }
        kind => TransportError::Network { kind },
    }
}
