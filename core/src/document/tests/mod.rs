//! What users and attackers see of a document.
#![allow(clippy::unwrap_used)]

mod attacks;
mod bombs;
mod craft;
mod fuzz;
mod lists;
mod merging;
mod vectors;

use super::{Actor, Document, DocumentError, Edit, Value};

pub(super) const ANA: Actor = Actor([0xaa; 16]);
pub(super) const BEN: Actor = Actor([0xbb; 16]);
pub(super) const CAT: Actor = Actor([0xcc; 16]);
pub(super) const EVE: Actor = Actor([0xee; 16]);

pub(super) fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

/// Edits and returns the change, which must exist.
pub(super) fn edit(document: &mut Document, wishes: impl FnOnce(&mut Edit<'_>) -> Result<(), DocumentError>) -> Vec<u8> {
    document.edit(wishes).unwrap().unwrap()
}

pub(super) fn set(document: &mut Document, field: &str, value: &str) -> Vec<u8> {
    edit(document, |e| e.set(field, text(value)))
}

/// A copy of the document in which somebody else writes.
pub(super) fn copy_for(document: &Document, actor: Actor) -> Document {
    Document::load(&document.save(), actor).unwrap()
}

/// Applies each change as a body of its own.
pub(super) fn deliver(document: &mut Document, author: Actor, changes: &[&[u8]]) {
    for change in changes {
        document.apply(&[change], &[author]).unwrap();
    }
}
