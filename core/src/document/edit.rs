//! Making a change.

use std::collections::BTreeMap;

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ROOT, ReadDoc};

use super::list::{ItemKey, Part, PlacedItem, check_field, items_of};
use super::position::{Tail, between, spaced, tail_of};
use super::{Actor, Document, DocumentError, Item, ItemId, Place, Value, inspect_change, limits};

/// The wishes of one edit, gathered and written together when its closure returns.
///
/// Reading through it shows the document with those wishes fulfilled.
#[derive(Debug)]
pub struct Edit<'a> {
    document: &'a Document,
    /// By key; `None` deletes. A key is written once however often it was set, in ascending order.
    pub(super) writes: BTreeMap<String, Option<Value>>,
    seed: blake3::Hasher,
    made: u64,
}

impl<'a> Edit<'a> {
    fn new(document: &'a Document) -> Self {
        // An actor sees the same heads in one edit only, since each edit makes new heads.
        let mut seed = blake3::Hasher::new_derive_key("satchel 2026-11-22 list item");
        let Actor(actor) = document.actor;
        seed.update(&actor);
        for head in document.heads() {
            seed.update(&head);
        }
        Self { document, writes: BTreeMap::new(), seed, made: 0 }
    }

    /// What a field will hold.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<Value> {
        match self.writes.get(field) {
            Some(written) => written.clone(),
            None => self.document.value(field),
        }
    }

    /// Sets a field; setting it to what it already holds changes nothing unless it ends a conflict.
    ///
    /// # Errors
    /// [`DocumentError::FieldName`]: choose 1 to 40 characters of printable ASCII without `/`.
    pub fn set(&mut self, field: &str, value: Value) -> Result<(), DocumentError> {
        check_field(field)?;
        self.writes.insert(field.to_owned(), Some(value));
        Ok(())
    }

    /// Removes a field from view; its earlier values stay in the history.
    ///
    /// # Errors
    /// [`DocumentError::FieldName`], as for [`Edit::set`].
    pub fn clear(&mut self, field: &str) -> Result<(), DocumentError> {
        check_field(field)?;
        self.writes.insert(field.to_owned(), None);
        Ok(())
    }

    /// The items that a list will have, in their order.
    #[must_use]
    pub fn items(&self, list: &str) -> Vec<Item> {
        let placed = self.placed(list).into_iter();
        placed.map(|placed| placed.item).collect()
    }

    /// Adds an item and returns its id.
    ///
    /// # Errors
    /// [`DocumentError::FieldName`]; [`DocumentError::TooManyItems`]: remove one first;
    /// [`DocumentError::UnknownItem`] if the item to add it after is gone.
    pub fn add_item(&mut self, list: &str, text: &str, place: Place) -> Result<ItemId, DocumentError> {
        check_field(list)?;
        let placed = self.placed(list);
        if placed.len() >= limits::MAX_ITEMS_COUNT {
            return Err(DocumentError::TooManyItems);
        }
        let id = ItemId(self.next_bytes());
        self.put(list, id, Part::Text, Value::Text(text.to_owned()));
        self.place(list, id, &placed, place)?;
        Ok(id)
    }

    /// Replaces the text of an item.
    ///
    /// # Errors
    /// [`DocumentError::FieldName`]; [`DocumentError::UnknownItem`] if it is gone.
    pub fn set_item(&mut self, list: &str, item: ItemId, text: &str) -> Result<(), DocumentError> {
        self.find(list, item)?;
        self.put(list, item, Part::Text, Value::Text(text.to_owned()));
        Ok(())
    }

    /// Moves an item; moving it to directly after itself leaves it where it is.
    ///
    /// # Errors
    /// [`DocumentError::FieldName`]; [`DocumentError::UnknownItem`] if either item is gone.
    pub fn move_item(&mut self, list: &str, item: ItemId, place: Place) -> Result<(), DocumentError> {
        self.find(list, item)?;
        if place == Place::After(item) {
            return Ok(());
        }
        let mut placed = self.placed(list);
        placed.retain(|placed| placed.item.id != item);
        self.place(list, item, &placed, place)
    }

    /// Removes an item from view; its texts stay in the history.
    ///
    /// # Errors
    /// [`DocumentError::FieldName`]; [`DocumentError::UnknownItem`] if it is gone already.
    pub fn remove_item(&mut self, list: &str, item: ItemId) -> Result<(), DocumentError> {
        self.find(list, item)?;
        // The position stays: if somebody edits the text meanwhile, the item is back in its place.
        let key = ItemKey::write(list, item, Part::Text);
        self.writes.insert(key, None);
        Ok(())
    }

    fn find(&self, list: &str, item: ItemId) -> Result<(), DocumentError> {
        check_field(list)?;
        match self.value(&ItemKey::write(list, item, Part::Text)) {
            Some(Value::Text(_)) => Ok(()),
            _ => Err(DocumentError::UnknownItem),
        }
    }

    fn placed(&self, list: &str) -> Vec<PlacedItem> {
        let keys = self.document.keys().chain(self.writes.keys().cloned());
        items_of(list, keys, |key| self.value(key))
    }

    fn put(&mut self, list: &str, item: ItemId, part: Part, value: Value) {
        let key = ItemKey::write(list, item, part);
        self.writes.insert(key, Some(value));
    }

    /// Gives `item` a position among the `others`, all of them in order.
    fn place(&mut self, list: &str, item: ItemId, others: &[PlacedItem], place: Place) -> Result<(), DocumentError> {
        let index = match place {
            Place::First => 0,
            Place::Last => others.len(),
            Place::After(before) => {
                others.iter().position(|placed| placed.item.id == before).map(|index| index + 1).ok_or(DocumentError::UnknownItem)?
            }
        };
        let tail = self.next_tail();
        if let Some(position) = position_at(others, index, tail) {
            self.put(list, item, Part::Position, Value::Bytes(position));
            return Ok(());
        }
        let mut order: Vec<ItemId> = others.iter().map(|placed| placed.item.id).collect();
        order.insert(index, item);
        for (place, id) in order.iter().enumerate() {
            let position = spaced(place, order.len(), tail);
            self.put(list, *id, Part::Position, Value::Bytes(position));
        }
        Ok(())
    }

    fn next_tail(&mut self) -> Tail {
        let [first, second, ..] = self.next_bytes();
        tail_of([first, second])
    }

    /// Eight bytes that no other call on any phone returns, as far as hashes go.
    fn next_bytes(&mut self) -> [u8; 8] {
        let mut hasher = self.seed.clone();
        hasher.update(&self.made.to_be_bytes());
        self.made += 1;
        let mut bytes = [0; 8];
        hasher.finalize_xof().fill(&mut bytes);
        bytes
    }
}

/// A position between the items before and at `index`; `None` without room or without positions.
fn position_at(others: &[PlacedItem], index: usize, tail: Tail) -> Option<Vec<u8>> {
    let low = match index.checked_sub(1) {
        None => &[][..],
        Some(before) => others.get(before)?.position.as_deref()?,
    };
    let high = match others.get(index) {
        None => None,
        Some(after) => Some(after.position.as_deref()?),
    };
    between(low, high, tail)
}

impl Document {
    /// Makes one change out of what the closure wishes and returns its bytes, `None` if nothing
    /// changes.
    ///
    /// The bytes are one uncompressed Automerge change chunk without time and message, at most
    /// [`limits::MAX_CHANGE_BYTES`], and pass everything that [`Document::apply`] asks of a change.
    /// Persist the document or the change before sending it: an actor that forgets what it sent
    /// and writes again can never be merged.
    ///
    /// # Errors
    /// What the closure returns; [`DocumentError::TooManyHeads`]: [`Document::join`] first;
    /// [`DocumentError::ChangeTooLarge`], [`DocumentError::TooManyOps`],
    /// [`DocumentError::TooManyPredecessors`] or [`DocumentError::OtherActors`]: edit less at
    /// once. The document is then as before.
    pub fn edit(&mut self, wishes: impl FnOnce(&mut Edit<'_>) -> Result<(), DocumentError>) -> Result<Option<Vec<u8>>, DocumentError> {
        let mut edit = Edit::new(self);
        wishes(&mut edit)?;
        let writes = edit.writes;
        // The own last change is a parent too, even if a head builds on it.
        let count = self.engine.get_heads().len();
        if count >= limits::MAX_DEPENDENCIES_COUNT {
            return Err(DocumentError::TooManyHeads { count });
        }
        let mut engine = self.engine.clone();
        let mut transaction = engine.transaction();
        for (key, value) in &writes {
            match value {
                Some(value) => transaction.put(ROOT, key.as_str(), value.to_engine()),
                None => transaction.delete(ROOT, key.as_str()),
            }
            .map_err(|_| DocumentError::Malformed)?;
        }
        let (hash, _) = transaction.commit_with(CommitOptions::default().with_time(0));
        let Some(hash) = hash else {
            return Ok(None);
        };
        let change = engine.get_change_by_hash(&hash).ok_or(DocumentError::Malformed)?;
        let bytes = change.raw_bytes().to_vec();
        inspect_change(&bytes)?;
        self.engine = engine;
        Ok(Some(bytes))
    }
}
