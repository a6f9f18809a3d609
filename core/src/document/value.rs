//! Who writes, and what is written.

use std::fmt;

use automerge::{ActorId, ScalarValue};

/// Who writes: 16 bytes bound to one device, document and session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor(pub [u8; 16]);

impl Actor {
    /// The actor of a device (16 bytes) in a document (16 bytes) during a session (8 bytes).
    ///
    /// The first 16 bytes of BLAKE3 in its key derivation mode over the three in this order. It is a
    /// public function of values that a body carries, so that anybody who opens the body can tell
    /// which actor its signer must use. The session is random and new at each unlock: a phone set
    /// back to an older state must never reuse a sequence number.
    #[must_use]
    pub fn derive(device: &[u8; 16], document: &[u8; 16], session: &[u8; 8]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("satchel 2026-11-22 automerge actor");
        hasher.update(device).update(document).update(session);
        let mut actor = [0; 16];
        hasher.finalize_xof().fill(&mut actor);
        Self(actor)
    }

    pub(super) fn to_engine(self) -> ActorId {
        ActorId::from(self.0)
    }

    /// `None` for an id that is not 16 bytes long, which no document of ours holds.
    pub(super) fn from_engine(actor: &ActorId) -> Option<Self> {
        actor.to_bytes().try_into().ok().map(Self)
    }
}

/// What a field holds; its `Debug` shows kind and size, never the content.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// A text that is replaced as a whole.
    Text(String),
    /// A number.
    Int(i64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Yes or no.
    Bool(bool),
    /// Answered with nothing, which is not the same as never set.
    Null,
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Int(_) => f.write_str("Int"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Bool(_) => f.write_str("Bool"),
            Self::Null => f.write_str("Null"),
        }
    }
}

impl Value {
    pub(super) fn to_engine(&self) -> ScalarValue {
        match self {
            Self::Text(text) => ScalarValue::Str(text.as_str().into()),
            Self::Int(number) => ScalarValue::Int(*number),
            Self::Bytes(bytes) => ScalarValue::Bytes(bytes.clone()),
            Self::Bool(yes) => ScalarValue::Boolean(*yes),
            Self::Null => ScalarValue::Null,
        }
    }

    /// `None` for types that neither `edit` writes nor `apply` lets through.
    pub(super) fn from_engine(value: &automerge::Value<'_>) -> Option<Self> {
        match value.as_scalar()? {
            ScalarValue::Str(text) => Some(Self::Text(text.to_string())),
            ScalarValue::Int(number) => Some(Self::Int(*number)),
            ScalarValue::Bytes(bytes) => Some(Self::Bytes(bytes.clone())),
            ScalarValue::Boolean(yes) => Some(Self::Bool(*yes)),
            ScalarValue::Null => Some(Self::Null),
            _ => None,
        }
    }
}
