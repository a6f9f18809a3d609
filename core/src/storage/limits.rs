//! Limits of the store's own files; limits of the format come from [`satchel_wire::limits`].

use satchel_wire::limits;

/// Largest sealed small value: root, log state, settings, imported catalogue (bytes).
pub const META_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Largest sealed page: 128 records with their summaries (bytes).
pub const PAGE_MAX_BYTES: usize = 512 * 1024;
/// Largest sealed tail: one record's newest page item (bytes).
pub const TAIL_MAX_BYTES: usize = 16 * 1024;
/// Largest sealed body (bytes).
pub const BODY_MAX_BYTES: usize = limits::ROW_MAX_BYTES;
/// Largest sealed draft (bytes).
pub const DRAFT_MAX_BYTES: usize = limits::ROW_MAX_BYTES;
/// Largest sealed document snapshot (bytes).
pub const DOCUMENT_MAX_BYTES: usize = 2 * 1024 * 1024;
/// Largest sealed segment of the reconciliation index (bytes).
pub const LEDGER_SEGMENT_MAX_BYTES: usize = 1024 * 1024;
/// Largest sealed team-log operation, seal included (bytes).
pub const OPERATION_MAX_BYTES: usize = limits::LOG_OPERATION_MAX_BYTES + SEAL_MAX_BYTES;
/// Largest sealed held row, seal included (bytes).
pub const HELD_MAX_BYTES: usize = limits::ROW_MAX_BYTES + SEAL_MAX_BYTES;
/// Largest sealed outbox entry: a joined announcement, seal included (bytes).
pub const OUTBOX_MAX_BYTES: usize = limits::ANNOUNCEMENT_MAX_BYTES + SEAL_MAX_BYTES;

/// Room for what sealing adds to a value: header, nonce, commitment and tag (bytes).
pub const SEAL_MAX_BYTES: usize = 256;

/// Hard bound on any value or row inside the database engine (bytes).
pub(super) const ENGINE_VALUE_MAX_BYTES: i32 = 8 * 1024 * 1024;
/// Hard bound on the text of one statement or schema entry (bytes).
pub(super) const ENGINE_SQL_MAX_BYTES: i32 = 64 * 1024;
/// Page cache of the engine (KiB).
pub(super) const ENGINE_CACHE_KIB: i64 = 2 * 1024;
/// Log length at which a commit also checkpoints (database pages of 4 KiB).
pub(super) const ENGINE_CHECKPOINT_PAGES: i64 = 1_000;

const _: () = assert!(META_MAX_BYTES < ENGINE_VALUE_MAX_BYTES as usize, "the engine must be able to hold every value that we allow");
const _: () = assert!(OUTBOX_MAX_BYTES < META_MAX_BYTES && DOCUMENT_MAX_BYTES < META_MAX_BYTES);
