//! A store on disk: one folder of sealed bytes, one writer, no secrets.
//!
//! ```text
//! store.sqlite        every value sealed by the caller; ids are random or hashes
//! store.sqlite-wal    its log, empty after `checkpoint` and `close`
//! slots               4 KiB of wrapped keys, kept out of SQLite so that it can be overwritten in place
//! inbox               the wrapped key of the locked inbox, where that is on
//! lock                held while a `Database` lives
//! ```
//!
//! This is the only room that names `rusqlite`. It knows no cipher, no clock and no
//! randomness: what goes in is sealed already, and random filler comes in as an argument.
//! A value returned as written is on the medium (`synchronous=FULL`).
//!
//! What the file shows to someone without a key: how many records, bodies and pages there
//! are, how long each sealed value is, which bodies belong to one record, and which records
//! share a page (one kind and creation week). No column and no rowid tells an order of arrival.
//!
//! ```
//! use satchel_core::storage::{Database, StorageError};
//! # let folder = tempfile::tempdir()?;
//! # let dir = folder.path().join("store");
//! let mut database = Database::create(&dir)?;
//! database.transaction(|tx| tx.put_meta("root", b"sealed bytes"))?;
//! let root = database.read(|reader| reader.meta("root"))?;
//! assert_eq!(root.as_deref(), Some(&b"sealed bytes"[..]));
//! database.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod database;
mod engine;
mod erasing;
mod error;
mod files;
mod inbox;
pub mod limits;
mod lock;
mod reader;
mod schema;
mod slots;
mod table;
mod transaction;

#[cfg(test)]
mod tests;

pub use database::Database;
pub use erasing::{aliases_to_destroy, finish_erasing, is_erasing, mark_erasing};
pub use error::StorageError;
pub use files::{
    Presence, count_wrong_try, destroy_slots, forget_wrong_tries, has_unreadable_slots, presence, read_slots, remove, write_slots,
    wrong_tries,
};
pub use inbox::{InboxKey, read_inbox_key, remove_inbox_key, write_inbox_key};
pub use reader::{Counts, Reader, Usage};
pub use slots::{Argon2Cost, SLOT_COUNT, SLOT_FILE_BYTES, SLOT_FILLER_BYTES, Slot, SlotError, SlotFile, SlotKind};
pub use table::{PageId, Table};
pub use transaction::Transaction;
