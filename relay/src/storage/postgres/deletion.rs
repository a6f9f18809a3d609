//! Deletion batches.

use super::connection::{Session, array, column, day_of, mailbox_id};
use crate::storage::{Deleted, StorageError};
use satchel_wire::frame::PendingBatch;
use satchel_wire::{MailboxId, RowName, UtcDay};
use std::collections::BTreeMap;

fn columns(rows: &[RowName]) -> Vec<&[u8]> {
    rows.iter().map(|name| &name.as_bytes()[..]).collect()
}

/// Keeps a day's batch; false when that day has another one.
pub async fn schedule(session: &mut Session, mailbox: &MailboxId, day: UtcDay, rows: &[RowName]) -> Result<bool, StorageError> {
    let id = &mailbox.as_bytes()[..];
    let transaction = session.transaction().await?;
    let batch = "INSERT INTO deletion_batch (mailbox, day) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    if transaction.execute(batch, &[&id, &column(day)]).await? == 0 {
        return Ok(false);
    }
    let names = "INSERT INTO deletion (mailbox, day, name) SELECT $1, $2, unnest($3::bytea[])";
    transaction.execute(names, &[&id, &column(day), &columns(rows)]).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Batches that wait, oldest first; one of which everything was vetoed is empty.
pub async fn pending(session: &Session, mailbox: &MailboxId, since: UtcDay) -> Result<Vec<PendingBatch>, StorageError> {
    let statement = "SELECT batch.day, deletion.name FROM deletion_batch AS batch
        LEFT JOIN deletion ON deletion.mailbox = batch.mailbox AND deletion.day = batch.day
        WHERE batch.mailbox = $1 AND batch.day >= $2 ORDER BY batch.day, deletion.name";
    let mut batches = BTreeMap::<UtcDay, Vec<RowName>>::new();
    for row in session.query(statement, &[&&mailbox.as_bytes()[..], &column(since)]).await? {
        let rows = batches.entry(day_of(row.try_get(0)?)?).or_default();
        if let Some(name) = row.try_get::<_, Option<&[u8]>>(1)? {
            rows.push(RowName::from_bytes(array(name)?));
        }
    }
    Ok(batches.into_iter().map(|(day, rows)| PendingBatch { day, rows }).collect())
}

/// Strikes names out of all batches of a mailbox.
pub async fn veto(session: &Session, mailbox: &MailboxId, rows: &[RowName]) -> Result<u32, StorageError> {
    let statement = "DELETE FROM deletion WHERE mailbox = $1 AND name = ANY ($2)";
    let struck = session.execute(statement, &[&&mailbox.as_bytes()[..], &columns(rows)]).await?;
    Ok(u32::try_from(struck).unwrap_or(u32::MAX))
}

/// Carries out the batches of `day` and earlier, one mailbox in one transaction.
pub async fn delete_due(session: &mut Session, day: UtcDay) -> Result<Deleted, StorageError> {
    let mut deleted = Deleted::new();
    let due = "SELECT DISTINCT mailbox FROM deletion_batch WHERE day <= $1 ORDER BY mailbox";
    for row in session.query(due, &[&column(day)]).await? {
        let mailbox = mailbox_id(row.try_get(0)?)?;
        let id = &mailbox.as_bytes()[..];
        let transaction = session.transaction().await?;
        // of several relays one does it
        let lock = "SELECT day FROM deletion_batch WHERE mailbox = $1 AND day <= $2 FOR UPDATE";
        transaction.query(lock, &[&id, &column(day)]).await?;
        let remove = "
            WITH named AS (SELECT DISTINCT name FROM deletion WHERE mailbox = $1 AND day <= $2),
                 gone AS (
                DELETE FROM sealed_row WHERE mailbox = $1 AND lane <> 1 AND substring(id FROM 1 FOR 16) IN (SELECT name FROM named)
                RETURNING day, lane, octet_length(bytes) AS size)
            SELECT day, lane, count(*), sum(size)::bigint FROM gone GROUP BY day, lane";
        for gone in transaction.query(remove, &[&id, &column(day)]).await? {
            let (from, lane, rows, size): (i32, i16, i64, i64) = (gone.try_get(0)?, gone.try_get(1)?, gone.try_get(2)?, gone.try_get(3)?);
            let total = "UPDATE day_total SET row_count = row_count - $4, byte_count = byte_count - $5
                WHERE mailbox = $1 AND day = $2 AND lane = $3";
            transaction.execute(total, &[&id, &from, &lane, &rows, &size]).await?;
            *deleted.entry((mailbox, day_of(from)?)).or_default() += rows as u64;
        }
        transaction.execute("DELETE FROM day_total WHERE mailbox = $1 AND row_count <= 0", &[&id]).await?;
        for table in ["deletion", "deletion_batch"] {
            transaction.execute(&format!("DELETE FROM {table} WHERE mailbox = $1 AND day <= $2"), &[&id, &column(day)]).await?;
        }
        transaction.commit().await?;
    }
    Ok(deleted)
}

/// Writes tables anew from which rows were deleted: the engine marks a deleted row, and leaves its bytes where they are.
/// Larger tables wait for the operator's `rewrite`, because nobody reads or pushes meanwhile.
pub async fn rewrite(session: &Session, max_bytes: i64) -> Result<bool, StorageError> {
    let mut all = true;
    for table in ["deletion", "deletion_batch", "day_total", "earlier_pull", "mailbox", "sealed_row"] {
        let size: i64 = session.query_one("SELECT pg_total_relation_size($1::text::regclass)", &[&table]).await?.try_get(0)?;
        if size <= max_bytes {
            session.batch_execute(&format!("VACUUM (FULL) {table}")).await?;
        } else {
            all = false;
        }
    }
    Ok(all)
}
