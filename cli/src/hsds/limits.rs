//! Bounds of the reader: a directory export is a stranger's file.

/// Largest single file (a CSV table, a JSON document), in bytes.
pub const FILE_BYTES: u64 = 64 * 1024 * 1024;
/// Largest sum of all files of one import, in bytes.
pub const TOTAL_BYTES: u64 = 192 * 1024 * 1024;
/// Largest zip archive as it lies on disk, in bytes.
pub const ZIP_BYTES: u64 = 32 * 1024 * 1024;
/// Most entries of a folder (two levels) or an archive.
pub const ENTRY_COUNT: usize = 1_000;
/// Most rows of all tables together.
pub const ROW_COUNT: usize = 500_000;
/// Longest CSV record, in bytes.
pub const ROW_BYTES: usize = 256 * 1024;
/// Most columns of one table.
pub const COLUMN_COUNT: usize = 256;
/// Most values of one JSON document, estimated from its separators.
pub const JSON_VALUE_COUNT: usize = 4_000_000;
/// Most times the CSV reader starts again after a broken quote in one table.
pub const RESTART_COUNT: usize = 64;
/// Most entries of each list in a report; the counts go on.
pub const REPORT_COUNT: usize = 10_000;
