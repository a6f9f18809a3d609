//! The resource catalogue: what an outreach worker can offer, and what each provider asks in return.
//!
//! A catalogue describes *providers*, never participants, and works with no participant record at all.
//! It travels as one content-addressed, compressed package:
//!
//! | bytes | meaning |
//! |---|---|
//! | 0..8 | magic `SATCHCAT` |
//! | 8 | format version, 1 |
//! | 9..13 | length of the inflated body in bytes, little endian |
//! | 13.. | raw DEFLATE (RFC 1951) of the body: one [`Catalogue`] as deterministic CBOR (RFC 8949) |
//!
//! The content id is BLAKE3 over all of it. The signature is not inside: another room signs
//! [`CataloguePackage::signing_bytes`]. A body that does not re-encode to the same bytes is refused, so
//! an unknown field, an unsorted list or a padded integer needs a new format version.

mod check;
mod codec;
mod day;
mod error;
mod hours;
pub mod limits;
mod package;
mod parts;
mod resource;
mod search;
mod text;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use day::Day;
pub use error::{CatalogueError, Field, PartError};
pub use hours::{Hours, Opening, Weekday};
pub use package::{CataloguePackage, ContentId, signing_bytes};
pub use parts::{Part, PartSet, split};
pub use resource::{Catalogue, Resource, ResourceId};
pub use search::Filter;
pub use text::{clean_line, clean_text, fold};
pub use vocabulary::{Category, Demand, Excluded, Known, Recipient};
