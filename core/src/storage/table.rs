//! The tables and the one kind of id that only this room gives a meaning.

use super::{StorageError, limits};
use std::fmt;

/// A page of record keys and summaries: random, drawn anew whenever the page is rewritten.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageId([u8; 16]);

impl PageId {
    /// Length in bytes.
    pub const LENGTH_BYTES: usize = 16;

    /// Takes random bytes as an id.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for PageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "page_")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A table of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Table {
    /// Small values by name.
    Meta,
    /// Pages of record keys and summaries.
    Page,
    /// Which page holds a record.
    Record,
    /// Newest items not yet folded into their page.
    Tail,
    /// Bodies of records.
    Body,
    /// Drafts that have not left yet.
    Draft,
    /// Cached document snapshots.
    Document,
    /// Segments of the reconciliation index.
    Ledger,
    /// Operations of the team log.
    Operation,
    /// Rows held back until something arrives.
    Held,
    /// Rows waiting to be pushed.
    Outbox,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 11] = [
        Self::Meta,
        Self::Page,
        Self::Record,
        Self::Tail,
        Self::Body,
        Self::Draft,
        Self::Document,
        Self::Ledger,
        Self::Operation,
        Self::Held,
        Self::Outbox,
    ];

    /// The name in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Page => "page",
            Self::Record => "record",
            Self::Tail => "tail",
            Self::Body => "body",
            Self::Draft => "draft",
            Self::Document => "document",
            Self::Ledger => "ledger",
            Self::Operation => "operation",
            Self::Held => "held",
            Self::Outbox => "outbox",
        }
    }

    /// Largest sealed value (bytes), on writing and on reading; 0 for a table without one.
    pub const fn limit_bytes(self) -> usize {
        match self {
            Self::Meta => limits::META_MAX_BYTES,
            Self::Page => limits::PAGE_MAX_BYTES,
            Self::Record => 0,
            Self::Tail => limits::TAIL_MAX_BYTES,
            Self::Body => limits::BODY_MAX_BYTES,
            Self::Draft => limits::DRAFT_MAX_BYTES,
            Self::Document => limits::DOCUMENT_MAX_BYTES,
            Self::Ledger => limits::LEDGER_SEGMENT_MAX_BYTES,
            Self::Operation => limits::OPERATION_MAX_BYTES,
            Self::Held => limits::HELD_MAX_BYTES,
            Self::Outbox => limits::OUTBOX_MAX_BYTES,
        }
    }

    /// Refuses a value that could not be read back.
    pub(super) fn check(self, sealed: &[u8]) -> Result<(), StorageError> {
        if sealed.len() > self.limit_bytes() { Err(self.too_large()) } else { Ok(()) }
    }

    pub(super) fn too_large(self) -> StorageError {
        StorageError::TooLarge { table: self, limit_bytes: self.limit_bytes() }
    }
}
