//! Ids: 16 (or 32) bytes, parsed once, written as a prefix and lower-case base32.
//!
//! Text form: `prefix_` followed by RFC 4648 base32 without padding, lower case. 16 bytes are
//! 26 characters. Upper case is accepted on reading; bits beyond the last byte must be zero.

use data_encoding::{BASE32_NOPAD, Encoding, Specification};
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

static BASE32_LOWER: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    specification.translate.from.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    specification.translate.to.push_str("abcdefghijklmnopqrstuvwxyz");
    // The specification above is constant and valid; the fallback is never taken.
    specification.encoding().unwrap_or(BASE32_NOPAD)
});

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Another kind of id, or none. Remedy: ask for an id with the expected prefix.
    #[error("expected an id that begins with `{expected}_`")]
    Prefix {
        /// The prefix that was expected.
        expected: &'static str,
    },
    /// Not base32 of the right length. Remedy: copy the id again.
    #[error("not a complete id")]
    Malformed,
}

fn parse<const N: usize>(text: &str, prefix: &'static str) -> Result<[u8; N], IdError> {
    let rest = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or(IdError::Prefix { expected: prefix })?;
    let bytes = BASE32_LOWER.decode(rest.as_bytes()).map_err(|_| IdError::Malformed)?;
    bytes.try_into().map_err(|_| IdError::Malformed)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
        #[cbor(transparent)]
        pub struct $name(#[cbor(with = "minicbor::bytes")] [u8; $length]);

        impl $name {
            /// The prefix of the text form.
            pub const PREFIX: &'static str = $prefix;
            /// Length in bytes.
            pub const LENGTH_BYTES: usize = $length;

            /// Takes bytes that already are an id.
            pub const fn from_bytes(bytes: [u8; $length]) -> Self { Self(bytes) }
            /// Takes a slice of exactly the right length.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, IdError> {
                bytes.try_into().map(Self).map_err(|_| IdError::Malformed)
            }
            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $length] { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), BASE32_LOWER.encode(&self.0))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> { parse(text, $prefix).map(Self) }
        }
    };
}

id!(
    /// A team: the first 16 bytes of the hash of its founding operation, so it cannot be claimed by another log.
    TeamId, "team", 16
);
id!(
    /// A device: the first 16 bytes of the hash of its signing key, so no device can take another's id.
    DeviceId, "dev", 16
);
id!(
    /// A member of a team: random.
    MemberId, "mem", 16
);
id!(
    /// A record, its subject included: random, never derived from a person's attributes.
    RecordId, "rec", 16
);
id!(
    /// A turn: derived one-way from its secret, so that who holds the secret can check the name.
    TurnId, "turn", 16
);
id!(
    /// An announcement as the relay sees it: hash of its joined parts.
    AnnouncementId, "ann", 16
);
id!(
    /// A mailbox at a relay: random and lasting.
    MailboxId, "box", 16
);
id!(
    /// A body: BLAKE3 of its bytes, the same on every device for ever.
    BodyId, "body", 32
);
id!(
    /// A row: BLAKE3 of its bytes, meaningful to a relay only.
    RowId, "row", 32
);
id!(
    /// A row as deletion batches name it: the first half of its id.
    RowName, "rown", 16
);

id!(
    /// An entry of the resource catalogue, or a supply: public information about a provider.
    ResourceId, "res", 16
);
id!(
    /// An operation of the team log: the hash of what was signed.
    OperationId, "op", 32
);

impl BodyId {
    /// The id of a body.
    pub fn of(body: &[u8]) -> Self {
        Self(*blake3::hash(body).as_bytes())
    }
    /// The first 16 bytes, as author chains carry them.
    pub fn short(&self) -> [u8; 16] {
        let mut short = [0; 16];
        short.copy_from_slice(&self.0[..16]);
        short
    }
}

impl RowId {
    /// The id of a row.
    pub fn of(row: &[u8]) -> Self {
        Self(*blake3::hash(row).as_bytes())
    }
    /// The first half, by which deletion batches name the row.
    pub fn name(&self) -> RowName {
        let mut name = [0; 16];
        name.copy_from_slice(&self.0[..16]);
        RowName(name)
    }
}

impl AnnouncementId {
    /// The id of a joined announcement.
    pub fn of(announcement: &[u8]) -> Self {
        let mut id = [0; 16];
        id.copy_from_slice(&blake3::hash(announcement).as_bytes()[..16]);
        Self(id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn text_and_bytes_agree() {
        let id = RecordId::from_bytes(*b"0123456789abcdef");
        let text = id.to_string();
        assert_eq!(text, "rec_gaytemzugu3doobzmfrggzdfmy");
        assert_eq!(text.parse::<RecordId>().unwrap(), id);
        assert_eq!(format!("rec_{}", text[4..].to_uppercase()).parse::<RecordId>().unwrap(), id);
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        let id = RecordId::from_bytes([0xff; 16]).to_string();
        assert_eq!(id.parse::<DeviceId>(), Err(IdError::Prefix { expected: "dev" }));
        assert_eq!(id[..29].parse::<RecordId>(), Err(IdError::Malformed));
        assert_eq!(format!("{id}a").parse::<RecordId>(), Err(IdError::Malformed));
        // 26 characters carry 130 bits: the last two must be zero
        assert_eq!("rec_aaaaaaaaaaaaaaaaaaaaaaaaab".parse::<RecordId>(), Err(IdError::Malformed));
        assert_eq!("rec_1aaaaaaaaaaaaaaaaaaaaaaaaa".parse::<RecordId>(), Err(IdError::Malformed));
    }
}
