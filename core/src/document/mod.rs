//! Records that several people edit: a flat map of named fields that merges without a server.
//!
//! This is the only room that names Automerge, and none of its types leaves it. A [`Document`] is a
//! root map from field names to scalars ([`Value`]) and ordered lists of texts. An edit makes one
//! change, raw bytes that the caller signs, seals and sends; [`Document::apply`] takes the changes
//! of one body, all of them or none.
//!
//! # What is refused, and why
//!
//! Automerge is built for peers that trust each other. Here an insider may be hostile, so a change
//! passes three gates, and every phone comes to the same verdict:
//!
//! 1. **Its bytes** ([`inspect_change`]): only puts and deletes of scalars in the root map, each
//!    key once, no compression, no time, no message, nothing that expands. A change is not
//!    larger in memory than in bytes by more than a small factor.
//! 2. **Its canonical form** ([`verify_change`]): Automerge stores not the bytes of a change but
//!    what they mean, and writes the bytes again when a document is loaded. A change that it would
//!    write differently would make the saved document impossible to load, for ever.
//! 3. **Its place among its parents**: it continues its actor's sequence, its operation counter
//!    is exactly the next one (so nobody can exhaust the counters), and each operation replaces only
//!    values that its author saw (so nobody overwrites what is concurrent).
//!
//! # What stays true of Automerge
//!
//! - A deleted or replaced value stays in the document, in its snapshots and in its changes.
//!   Forgetting means destroying the key of every copy.
//! - The same actor and sequence number with different content can never be merged. So an
//!   [`Actor`] is bound to one device, document and session, and a phone that restores a backup
//!   starts a new session.
//! - Among concurrent values of a field the same one wins everywhere; the others stay visible in
//!   [`Document::conflicts`] until somebody sets the field again.
//!
//! # Lists
//!
//! A list is not an Automerge list: there, moving an item is deleting and inserting it, and two
//! phones that move the same item leave it twice. Here every item has an id and two keys in the
//! root map, `<list>/<id>/t` for its text and `<list>/<id>/p` for its position, a fraction between
//! those of its neighbours. So, for concurrent edits:
//!
//! | One phone | the other | result |
//! |---|---|---|
//! | adds | adds | both items, in the same order everywhere |
//! | moves | moves the same | the item once, in one of the two places |
//! | moves | edits the text | both take effect |
//! | edits the text | edits the same text | one wins, the other shows as a conflict |
//! | removes | edits the text | the item stays, with the new text, in its place |
//! | removes | moves | the item is gone |
//!
//! The last two follow from removal deleting the text and leaving the position: what a person has
//! just said outweighs a removal that did not know of it, a mere move does not.
//!
//! # Example
//!
//! ```
//! use satchel_core::document::{Actor, Document, Place, Value};
//!
//! # fn main() -> Result<(), satchel_core::document::DocumentError> {
//! let (ana, ben) = (Actor([1; 16]), Actor([2; 16]));
//! let mut here = Document::new(ana);
//! let change = here.edit(|e| {
//!     e.set("alias", Value::Text("Blue".into()))?;
//!     e.add_item("goals", "a dry place", Place::Last)?;
//!     Ok(())
//! })?;
//!
//! let mut there = Document::new(ben);
//! for change in &change {
//!     there.apply(&[change], &[ana])?;
//! }
//! assert_eq!(there.list("goals"), ["a dry place"]);
//! assert_eq!(there.heads(), here.heads());
//! # Ok(())
//! # }
//! ```

mod apply;
mod edit;
mod error;
mod inspect;
pub mod limits;
mod list;
mod position;
mod reader;
mod root;
#[cfg(test)]
mod tests;
mod value;

pub use apply::{Applied, VerifiedChange, verify_change};
pub use edit::Edit;
pub use error::DocumentError;
pub use inspect::{ChangeFacts, inspect_change};
pub use list::{Item, ItemId, Place};
pub use root::Document;
pub use value::{Actor, Value};
