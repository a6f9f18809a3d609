//! Every bound of this room, with its unit in the name.
//!
//! The bounds on a change are part of the format: whether a change is refused must come out the
//! same on every phone for ever, so a number here may only change together with the schema version.

/// Largest change, in bytes, header included.
pub const MAX_CHANGE_BYTES: usize = 60 * 1024;

/// Most operations (rows of a column) in one change.
pub const MAX_OPS_COUNT: u64 = 4_096;

/// Most values that all operations of one change replace together.
pub const MAX_PREDECESSORS_COUNT: u64 = 4_096;

/// Most parents of one change.
pub const MAX_DEPENDENCIES_COUNT: usize = 64;

/// Most actors, other than its own, that one change refers to.
pub const MAX_OTHER_ACTORS_COUNT: usize = 256;

/// Most columns in one change: the eight that a flat map of scalars needs.
pub const MAX_COLUMNS_COUNT: usize = 8;

/// Longest key of the root map, in bytes.
pub const MAX_KEY_BYTES: usize = 64;

/// Longest name of a field or list, in bytes: a list item adds 19 bytes to make its key.
pub const MAX_FIELD_BYTES: usize = 40;

/// Highest operation counter of a change, the change itself included.
pub const MAX_OP_COUNTER: u64 = 1 << 31;

/// Most changes in one call of `apply`, that is in one body.
pub const MAX_CHANGES_COUNT: usize = 512;

/// Largest snapshot that `load` reads, in bytes.
pub const MAX_SNAPSHOT_BYTES: usize = 16 * 1024 * 1024;

/// Most items that `Edit::add_item` lets a list grow to; concurrent adds may exceed it.
pub const MAX_ITEMS_COUNT: usize = 256;

/// Longest position of a list item before the list is spaced afresh, in bytes.
pub const MAX_POSITION_BYTES: usize = 48;
