//! The document: made, loaded, saved and read.

use std::fmt;

use automerge::{Automerge, LoadOptions, OnPartialLoad, ROOT, ReadDoc, VerificationMode};

use super::inspect::inspect_snapshot;
use super::list::{Item, ItemId, ItemKey, Part, items_of};
use super::{Actor, DocumentError, Value};

/// A flat map of named fields that several people edit; see the [module](super) for its rules.
///
/// Its `Debug` shows no content. Cloning costs memory in proportion to the document's history.
#[derive(Clone)]
pub struct Document {
    pub(super) engine: Automerge,
    pub(super) actor: Actor,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("actor", &self.actor).finish_non_exhaustive()
    }
}

impl Document {
    /// An empty document in which `actor` writes.
    #[must_use]
    pub fn new(actor: Actor) -> Self {
        let engine = Automerge::new().with_actor(actor.to_engine());
        Self { engine, actor }
    }

    /// The document that [`Document::save`] wrote, in which `actor` writes from now on.
    ///
    /// The snapshot is taken to be our own, unsealed by us: its frame, size and checksum are
    /// checked, its operations are not judged again.
    ///
    /// # Errors
    /// The snapshot is too large, damaged, deflated, or not one whole document: load an older one
    /// or build the document from its bodies.
    pub fn load(snapshot: &[u8], actor: Actor) -> Result<Self, DocumentError> {
        inspect_snapshot(snapshot)?;
        let options = LoadOptions::new().on_partial_load(OnPartialLoad::Error).verification_mode(VerificationMode::Check);
        let engine = Automerge::load_with_options(snapshot, options).map_err(|_| DocumentError::Malformed)?.with_actor(actor.to_engine());
        Ok(Self { engine, actor })
    }

    /// The whole document with its history, uncompressed: compression would reveal content by size.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        self.engine.save_nocompress()
    }

    /// The actor who writes here.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// The hashes of the changes that no other change builds on, ascending; none if it is empty.
    ///
    /// Two documents with the same heads hold the same changes. After an edit there is one head,
    /// the hash of that edit's change.
    #[must_use]
    pub fn heads(&self) -> Vec<[u8; 32]> {
        self.engine.get_heads().into_iter().map(|h| h.0).collect()
    }

    /// Whether the change with this hash is in the document.
    #[must_use]
    pub fn contains(&self, change: &[u8; 32]) -> bool {
        self.engine.get_change_meta_by_hash(&automerge::ChangeHash(*change)).is_some()
    }

    /// What a field holds; of concurrent values the one that wins on every phone.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<Value> {
        let (value, _) = self.engine.get(ROOT, field).ok()??;
        Value::from_engine(&value)
    }

    /// All concurrent values of a field with who wrote each, the winning one first.
    ///
    /// One entry means no conflict, none means the field is not set. The order is the same on every
    /// phone. Setting the field, even to the value that wins, ends the conflict.
    #[must_use]
    pub fn conflicts(&self, field: &str) -> Vec<(Value, Actor)> {
        let mut values: Vec<_> = self
            .engine
            .get_all(ROOT, field)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(value, id)| {
                let automerge::ObjId::Id(_, actor, _) = id else {
                    return None;
                };
                Some((Value::from_engine(&value)?, Actor::from_engine(&actor)?))
            })
            .collect();
        // Automerge lists the winner, that with the highest counter and then actor, last.
        values.reverse();
        values
    }

    /// The texts of a list in their order.
    #[must_use]
    pub fn list(&self, list: &str) -> Vec<String> {
        self.items(list).into_iter().map(|item| item.text).collect()
    }

    /// The items of a list in their order, the same on every phone with the same heads.
    #[must_use]
    pub fn items(&self, list: &str) -> Vec<Item> {
        items_of(list, self.keys(), |key| self.value(key)).into_iter().map(|placed| placed.item).collect()
    }

    /// All concurrent texts of a list item with who wrote each, the winning one first.
    #[must_use]
    pub fn item_conflicts(&self, list: &str, item: ItemId) -> Vec<(Value, Actor)> {
        self.conflicts(&ItemKey::write(list, item, Part::Text))
    }

    /// The names of all fields that are set, lists not included, ascending.
    #[must_use]
    pub fn fields(&self) -> Vec<String> {
        self.keys().filter(|key| !key.contains('/')).collect()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = String> + '_ {
        self.engine.keys(ROOT)
    }
}
