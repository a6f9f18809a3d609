//! Rows go out, and are counted.
//!
//! While a day closes its rows stand in two places, for a moment in both. One statement looks at both with one snapshot,
//! which it takes after its locks: truncating cannot come between.

use super::connection::{Session, column, day_of, lane_of, row_id, side, unsigned};
use crate::arrivals::RowHead;
use crate::storage::{ReadRows, StorageError};
use satchel_wire::{Lane, MailboxId, Row, RowId, UtcDay};
use std::collections::{BTreeMap, HashMap};

/// Where a day's rows may stand.
fn places(day: UtcDay, is_closed: bool, columns: &str, condition: &str) -> String {
    let closed = format!("SELECT {columns} FROM sealed_row WHERE mailbox = $1 AND day = $2 {condition}");
    if is_closed {
        closed
    } else {
        format!("{closed} UNION ALL SELECT {columns} FROM arrived_{} WHERE mailbox = $1 AND day = $2 {condition}", side(day))
    }
}

/// Ids and lanes of a day, sorted by id.
pub async fn heads(session: &Session, mailbox: &MailboxId, day: UtcDay, is_closed: bool) -> Result<Vec<RowHead>, StorageError> {
    let statement = session.prepare_cached(&places(day, is_closed, "id, lane", "")).await?;
    let found = session.query(&statement, &[&&mailbox.as_bytes()[..], &column(day)]).await?;
    let mut heads = Vec::with_capacity(found.len());
    for row in found {
        heads.push(RowHead { id: row_id(row.try_get(0)?)?, lane: lane_of(row.try_get(1)?)? });
    }
    heads.sort_unstable();
    heads.dedup();
    Ok(heads)
}

/// Rows from the front of `ids` while they fit: sizes first, so that only what fits is read.
pub async fn rows(
    session: &Session,
    mailbox: &MailboxId,
    day: UtcDay,
    is_closed: bool,
    ids: &[RowId],
    max_bytes: usize,
    at_least_one: bool,
) -> Result<ReadRows, StorageError> {
    let id = &mailbox.as_bytes()[..];
    let wanted: Vec<&[u8]> = ids.iter().map(|id| &id.as_bytes()[..]).collect();
    let statement = session.prepare_cached(&places(day, is_closed, "id, octet_length(bytes)", "AND id = ANY ($3)")).await?;
    let mut sizes = HashMap::with_capacity(ids.len());
    for row in session.query(&statement, &[&id, &column(day), &wanted]).await? {
        let size = usize::try_from(row.try_get::<_, i32>(1)?).map_err(|_| StorageError::Damaged)?;
        sizes.insert(row_id(row.try_get(0)?)?, size);
    }
    let mut read = ReadRows::default();
    let mut fitting: Vec<&[u8]> = Vec::new();
    for id in ids {
        if let Some(size) = sizes.get(id) {
            let first = at_least_one && fitting.is_empty();
            if !first && read.bytes + size > max_bytes {
                break;
            }
            read.bytes += size;
            fitting.push(id.as_bytes());
        }
        read.consumed += 1;
    }
    if fitting.is_empty() {
        return Ok(read);
    }
    let statement = session.prepare_cached(&places(day, is_closed, "id, bytes", "AND id = ANY ($3)")).await?;
    let mut found = HashMap::with_capacity(fitting.len());
    for row in session.query(&statement, &[&id, &column(day), &fitting]).await? {
        let bytes: Vec<u8> = row.try_get(1)?;
        found.insert(row_id(row.try_get(0)?)?, Row::parse(bytes).map_err(|_| StorageError::Damaged)?);
    }
    read.rows = ids.iter().filter_map(|id| found.remove(id)).collect();
    Ok(read)
}

/// How many rows of a mailbox arrived on a day that is not closed for it; none when it is.
pub async fn arrived(session: &Session, mailbox: &MailboxId, day: UtcDay) -> Result<Option<u64>, StorageError> {
    let statement =
        session.prepare_cached(&format!("SELECT row_count, closed FROM today_{} WHERE mailbox = $1 AND day = $2", side(day))).await?;
    match session.query_opt(&statement, &[&&mailbox.as_bytes()[..], &column(day)]).await? {
        None => Ok(Some(0)),
        Some(row) if row.try_get(1)? => Ok(None),
        Some(row) => Ok(Some(unsigned(row.try_get(0)?)?)),
    }
}

/// Size of all rows of a mailbox (bytes).
pub async fn used_bytes(session: &Session, mailbox: &MailboxId) -> Result<u64, StorageError> {
    let statement = session
        .prepare_cached(
            "SELECT (coalesce((SELECT sum(byte_count) FROM day_total WHERE mailbox = $1), 0)
                   + coalesce((SELECT sum(byte_count) FROM today_0 WHERE mailbox = $1 AND NOT closed), 0)
                   + coalesce((SELECT sum(byte_count) FROM today_1 WHERE mailbox = $1 AND NOT closed), 0))::bigint",
        )
        .await?;
    unsigned(session.query_one(&statement, &[&&mailbox.as_bytes()[..]]).await?.try_get(0)?)
}

/// The first closed day from `from` on that has rows of the lane.
pub async fn next_closed_day(
    session: &Session,
    mailbox: &MailboxId,
    from: UtcDay,
    lane: Option<Lane>,
) -> Result<Option<UtcDay>, StorageError> {
    let lanes: &[i16] = match lane {
        None => &[1, 2, 3],
        Some(lane) => &[lane.byte() as i16],
    };
    let statement = session.prepare_cached("SELECT min(day) FROM day_total WHERE mailbox = $1 AND day >= $2 AND lane = ANY ($3)").await?;
    let found: Option<i32> = session.query_one(&statement, &[&&mailbox.as_bytes()[..], &column(from), &lanes]).await?.try_get(0)?;
    found.map(day_of).transpose()
}

/// Number of rows by day, lane and size (bytes).
pub async fn counts(session: &Session, mailbox: &MailboxId) -> Result<BTreeMap<(UtcDay, Lane, u32), u64>, StorageError> {
    let statement = "
        SELECT day, lane, size, count(*) FROM (
            SELECT day, id, lane, octet_length(bytes) AS size FROM sealed_row WHERE mailbox = $1
            UNION SELECT day, id, lane, octet_length(bytes) FROM arrived_0 WHERE mailbox = $1
            UNION SELECT day, id, lane, octet_length(bytes) FROM arrived_1 WHERE mailbox = $1
        ) AS every GROUP BY day, lane, size";
    let mut counts = BTreeMap::new();
    for row in session.query(statement, &[&&mailbox.as_bytes()[..]]).await? {
        let size = u32::try_from(row.try_get::<_, i32>(2)?).map_err(|_| StorageError::Damaged)?;
        counts.insert((day_of(row.try_get(0)?)?, lane_of(row.try_get(1)?)?, size), unsigned(row.try_get(3)?)?);
    }
    Ok(counts)
}
