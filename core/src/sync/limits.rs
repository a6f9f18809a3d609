//! Limits of sessions and relay exchanges that no stored format depends on, units in the names.
//!
//! Those of the format stand in [`satchel_wire::limits`]. A limit here may be raised or lowered in any
//! release: whatever does not fit into one session or exchange goes on in the next.

/// Tags in a hello, random ones included (count).
pub const HELLO_TAGS_COUNT: usize = 8;
/// Log heads in an introduction (count).
pub const HEADS_MAX_COUNT: usize = 1_024;
/// Turns in an introduction (count).
pub const TURNS_MAX_COUNT: usize = 64;

/// No more output is produced while this much waits to be transmitted (bytes).
pub const QUEUE_LOW_BYTES: usize = 128 * 1024;
/// Rows in one message (bytes, row lengths added up).
pub const ROWS_BATCH_BYTES: usize = 128 * 1024;
/// Operations in one message as sent (count).
pub const OPERATIONS_BATCH_COUNT: usize = 32;
/// Operations in one message as received (count).
pub const OPERATIONS_BATCH_MAX_COUNT: usize = 1_024;
/// Frontiers in one message (count).
pub const FRONTIERS_BATCH_COUNT: usize = 32;
/// Hashes in one message of ids (count).
pub const IDS_BATCH_COUNT: usize = 2_048;
/// Largest frontier that is passed on (bytes): the format's 2 KiB.
pub const FRONTIER_MAX_BYTES: usize = 2 * 1024;
/// Largest receiving key that is passed on (bytes): X-Wing's 1,216 and a signature.
pub const RECEIVING_KEY_MAX_BYTES: usize = 2 * 1024;

/// A gap this long in an author's chain is closed by sending what follows it once more; a longer one is
/// left to reconciliation (bodies).
pub const SHORT_GAP_MAX_COUNT: u32 = 8;
/// Size of a reconciliation message (bytes).
pub const RECONCILE_FRAME_BYTES: usize = 64 * 1024;
/// Reconciliation messages that one side answers in a session (count).
pub const RECONCILE_ROUNDS_MAX_COUNT: usize = 128;
/// Bodies that one side asks for, or offers, after reconciling (count).
pub const REPAIR_IDS_MAX_COUNT: usize = 65_536;
/// Rows of a session that brought nothing, above those that brought something, before it ends (count).
pub const USELESS_ROWS_MAX_COUNT: usize = 16_384;
