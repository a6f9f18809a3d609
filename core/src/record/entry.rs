//! Entries: what happened, written once.
//!
//! An entry's content is `EntryContent`: the bodies it replaces and the value. A correction is another
//! body of the same record that names every leaf its author saw; of several leaves the one with the
//! smallest body id is shown and the others stand beside it. A set of entries merges by union.

use minicbor::{Decode, Encode};
use satchel_wire::cbor;
use satchel_wire::ids::BodyId;
use satchel_wire::limits::PARENTS_MAX_COUNT;

/// Why an entry's content is refused, for ever and everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Not the deterministic encoding of an entry of its kind.
    #[error("not an entry of its kind")]
    Malformed,
    /// More items than the format allows.
    #[error("too many items in an entry")]
    TooMany,
    /// A closed list has no such value, or the value is not allowed here.
    #[error("a value outside its closed list")]
    Value,
    /// This kind of entry cannot be replaced.
    #[error("this kind of entry has no successor")]
    NoSuccessor,
    /// Text longer than its limit or with hidden characters.
    #[error("a text that cannot be stored")]
    Text,
}

impl EntryError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "entry_malformed",
            Self::TooMany => "entry_too_many",
            Self::Value => "entry_value",
            Self::NoSuccessor => "entry_no_successor",
            Self::Text => "entry_text",
        }
    }
}

/// Masks 16 bytes under a nonce, or takes the mask off again: what a field key does.
pub type Mask<'a> = dyn Fn(&[u8; 8], &[u8; 16]) -> [u8; 16] + 'a;

/// A value that is stored as an entry.
pub trait EntryValue: Sized + Encode<()> + for<'b> Decode<'b, ()> {
    /// The structural rules of this schema version: a pure function of the value.
    fn check(&self) -> Result<(), EntryError>;

    /// Whether it holds something readable that is forgotten before the rest.
    fn has_fields(&self) -> bool {
        false
    }
    /// Puts the mask on that: only masked does it enter the bytes. Without a mask to put on it is left out of them.
    fn mask(&mut self, _nonce: [u8; 8], _mask: Option<&Mask<'_>>) {}
    /// Takes the mask off. Without it that reads as never said.
    fn unmask(&mut self, _mask: Option<&Mask<'_>>) {}
}

/// What stands in an entry's body.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EntryContent<T> {
    /// The leaves that this body replaces, sorted; absent in the first.
    #[n(0)]
    pub replaces: Option<Vec<BodyId>>,
    /// The value.
    #[n(1)]
    pub value: T,
}

impl<T: EntryValue> EntryContent<T> {
    /// A first entry.
    pub const fn first(value: T) -> Self {
        Self { replaces: None, value }
    }
    /// A correction of the leaves that its author saw.
    pub fn replacing(mut leaves: Vec<BodyId>, value: T) -> Self {
        leaves.sort_unstable();
        leaves.dedup();
        Self { replaces: Some(leaves), value }
    }
    /// Encodes.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }
    /// Decodes strictly and applies the structural rules.
    pub fn from_bytes(bytes: &[u8], successors: bool) -> Result<Self, EntryError> {
        let content: Self = cbor::decode(bytes).map_err(|_| EntryError::Malformed)?;
        if let Some(replaced) = &content.replaces {
            if !successors {
                return Err(EntryError::NoSuccessor);
            }
            if replaced.len() > PARENTS_MAX_COUNT {
                return Err(EntryError::TooMany);
            }
            if replaced.is_empty() || !replaced.is_sorted_by(|a, b| a < b) {
                return Err(EntryError::Malformed);
            }
        }
        content.value.check()?;
        Ok(content)
    }
}

/// The leaves of a set of successors, smallest body id first: the first is shown, the others beside it.
pub fn leaves<'a>(bodies: impl Iterator<Item = (&'a BodyId, Option<&'a [BodyId]>)> + Clone) -> Vec<BodyId> {
    let replaced: std::collections::BTreeSet<BodyId> =
        bodies.clone().flat_map(|(_, replaces)| replaces.unwrap_or(&[]).iter().copied()).collect();
    let mut leaves: Vec<BodyId> = bodies.map(|(id, _)| *id).filter(|id| !replaced.contains(id)).collect();
    leaves.sort_unstable();
    leaves
}
