//! How an ordered list of texts lies in the flat root map.

use std::collections::BTreeSet;
use std::fmt;

use super::{DocumentError, Value, limits};

/// Which item of a list, the same on every phone and after every edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(pub [u8; 8]);

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl ItemId {
    /// Reads 16 lower-case hexadecimal digits, as `Display` writes them; `None` for anything else.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        let bytes: &[u8; 16] = digits.as_bytes().try_into().ok()?;
        let digit = |d: u8| match d {
            b'0'..=b'9' => Some(d - b'0'),
            b'a'..=b'f' => Some(d - b'a' + 10),
            _ => None,
        };
        let mut id = [0; 8];
        for (byte, pair) in id.iter_mut().zip(bytes.chunks_exact(2)) {
            let [high, low] = pair else { return None };
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(id))
    }
}

/// An item of a list; its `Debug` does not show the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// Which item it is.
    pub id: ItemId,
    /// Its text.
    pub text: String,
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({}, {} bytes)", self.id, self.text.len())
    }
}

/// Where in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Before all items.
    First,
    /// After all items.
    Last,
    /// Directly after this item.
    After(ItemId),
}

/// Which of an item's two keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Text,
    Position,
}

/// The keys of list items in the root map: `<list>/<item>/t` and `<list>/<item>/p`.
pub(super) struct ItemKey;

impl ItemKey {
    pub(super) fn write(list: &str, item: ItemId, part: Part) -> String {
        let part = match part {
            Part::Text => 't',
            Part::Position => 'p',
        };
        format!("{list}/{item}/{part}")
    }

    /// The item whose text lies under `key`, if it is one of this list.
    fn read_text(list: &str, key: &str) -> Option<ItemId> {
        let item = key.strip_prefix(list)?.strip_prefix('/')?;
        ItemId::parse(item.strip_suffix("/t")?)
    }
}

/// An item with its position, `None` if that is missing or not one.
#[derive(Debug, Clone)]
pub(super) struct PlacedItem {
    pub(super) item: Item,
    pub(super) position: Option<Vec<u8>>,
}

/// The items of a list in their order: by position, then by id; those without position last.
pub(super) fn items_of(list: &str, keys: impl Iterator<Item = String>, value: impl Fn(&str) -> Option<Value>) -> Vec<PlacedItem> {
    let ids: BTreeSet<ItemId> = keys.filter_map(|key| ItemKey::read_text(list, &key)).collect();
    let mut placed: Vec<PlacedItem> = ids
        .into_iter()
        .filter_map(|id| {
            let Some(Value::Text(text)) = value(&ItemKey::write(list, id, Part::Text)) else {
                return None;
            };
            let position = match value(&ItemKey::write(list, id, Part::Position)) {
                Some(Value::Bytes(position)) => Some(position),
                _ => None,
            };
            let item = Item { id, text };
            Some(PlacedItem { item, position })
        })
        .collect();
    placed.sort_by(|a, b| {
        let by_position = (a.position.is_none(), &a.position).cmp(&(b.position.is_none(), &b.position));
        by_position.then(a.item.id.cmp(&b.item.id))
    });
    placed
}

/// Checks the name of a field or list: printable ASCII without `/`, which separates items.
pub(super) fn check_field(field: &str) -> Result<(), DocumentError> {
    let printable = field.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
    if field.is_empty() || field.len() > limits::MAX_FIELD_BYTES || !printable {
        return Err(DocumentError::FieldName);
    }
    Ok(())
}
