//! Statements on `sealed_row`, which looks the same in every file.

use crate::arrivals::RowHead;
use crate::storage::{ReadRows, StorageError};
use rusqlite::{Connection, OptionalExtension, params};
use satchel_wire::{Lane, MailboxId, Row, RowId, UtcDay};
use std::collections::BTreeMap;

/// A day from a column.
pub fn day_of(value: i64) -> Result<UtcDay, StorageError> {
    u16::try_from(value).map(UtcDay::from_days).map_err(|_| StorageError::Damaged)
}

/// A lane from a column.
pub fn lane_of(value: i64) -> Result<Lane, StorageError> {
    u8::try_from(value).ok().and_then(Lane::from_byte).ok_or(StorageError::Damaged)
}

/// Ids and lanes of a day, sorted by id, read from the table itself.
pub const HEADS: &str = "SELECT id, lane FROM sealed_row WHERE mailbox = ?1 AND day = ?2 ORDER BY id";
/// The same from the index that `relay.db` has, without touching row bytes.
pub const INDEXED_HEADS: &str = "SELECT id, lane FROM sealed_row INDEXED BY sealed_row_head WHERE mailbox = ?1 AND day = ?2 ORDER BY id";

/// Ids and lanes of a day, sorted by id, by one of the statements above.
pub fn heads(connection: &Connection, statement: &str, mailbox: &MailboxId, day: UtcDay) -> Result<Vec<RowHead>, StorageError> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut found = statement.query(params![mailbox.as_bytes(), day.days()])?;
    let mut heads = Vec::new();
    while let Some(row) = found.next()? {
        let id = RowId::from_bytes(row.get::<_, [u8; 32]>(0)?);
        heads.push(RowHead { id, lane: lane_of(row.get(1)?)? });
    }
    Ok(heads)
}

/// Rows from the front of `ids` while they fit.
pub fn rows(
    connection: &Connection,
    mailbox: &MailboxId,
    day: UtcDay,
    ids: &[RowId],
    max_bytes: usize,
    at_least_one: bool,
) -> Result<ReadRows, StorageError> {
    let mut statement = connection.prepare_cached("SELECT bytes FROM sealed_row WHERE mailbox = ?1 AND day = ?2 AND id = ?3")?;
    let mut read = ReadRows::default();
    for id in ids {
        let mut found = statement.query(params![mailbox.as_bytes(), day.days(), id.as_bytes()])?;
        if let Some(row) = found.next()? {
            let bytes = row.get_ref(0)?.as_blob().map_err(|_| StorageError::Damaged)?;
            let first = at_least_one && read.rows.is_empty();
            if !first && read.bytes + bytes.len() > max_bytes {
                break;
            }
            read.bytes += bytes.len();
            read.rows.push(Row::parse(bytes.to_vec()).map_err(|_| StorageError::Damaged)?);
        }
        read.consumed += 1;
    }
    Ok(read)
}

/// Whether a row is there.
pub fn contains(connection: &Connection, mailbox: &MailboxId, day: UtcDay, id: &RowId) -> Result<bool, StorageError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM sealed_row WHERE mailbox = ?1 AND day = ?2 AND id = ?3")?;
    Ok(statement.query_row(params![mailbox.as_bytes(), day.days(), id.as_bytes()], |_| Ok(())).optional()?.is_some())
}

/// Adds a row that is not there.
pub fn insert(connection: &Connection, mailbox: &MailboxId, day: UtcDay, id: &RowId, row: &Row) -> Result<(), StorageError> {
    let mut statement = connection.prepare_cached("INSERT INTO sealed_row (mailbox, day, id, lane, bytes) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    statement.execute(params![mailbox.as_bytes(), day.days(), id.as_bytes(), row.lane().byte(), row.as_bytes()])?;
    Ok(())
}

/// Counts a file's rows by day, lane and size (bytes), except those of days that are counted already.
pub fn count(
    connection: &Connection,
    mailbox: &MailboxId,
    skip: &[UtcDay],
    counts: &mut BTreeMap<(UtcDay, Lane, u32), u64>,
) -> Result<(), StorageError> {
    let mut statement = connection
        .prepare("SELECT day, lane, length(bytes), count(*) FROM sealed_row WHERE mailbox = ?1 GROUP BY day, lane, length(bytes)")?;
    let mut found = statement.query(params![mailbox.as_bytes()])?;
    while let Some(row) = found.next()? {
        let day = day_of(row.get(0)?)?;
        if !skip.contains(&day) {
            *counts.entry((day, lane_of(row.get(1)?)?, row.get(2)?)).or_default() += u64::from(row.get::<_, u32>(3)?);
        }
    }
    Ok(())
}
