//! Deletion batches: they wait, are struck out by vetoes, and are carried out when their time has come.

use super::archive::Archive;
use super::connection::give_back_pages;
use super::row_table::{day_of, lane_of};
use crate::storage::{Deleted, StorageError};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use satchel_wire::frame::PendingBatch;
use satchel_wire::{Lane, MailboxId, RowId, RowName, UtcDay};
use std::collections::BTreeSet;

/// Rows removed in one transaction (count): a push never waits long for one.
const BATCH_ROWS_COUNT: usize = 500;

/// Keeps a batch; false when the day has another one.
pub fn schedule(archive: &Archive, mailbox: &MailboxId, day: UtcDay, rows: &[RowName]) -> Result<bool, StorageError> {
    let mut writer = archive.pool.writer();
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let values = params![mailbox.as_bytes(), day.days()];
    let known = transaction.query_row("SELECT 1 FROM deletion_batch WHERE mailbox = ?1 AND day = ?2", values, |_| Ok(())).optional()?;
    if known.is_some() {
        return Ok(false);
    }
    transaction.execute("INSERT INTO deletion_batch (mailbox, day) VALUES (?1, ?2)", values)?;
    {
        let mut statement = transaction.prepare_cached("INSERT INTO deletion (mailbox, day, name) VALUES (?1, ?2, ?3)")?;
        for name in rows {
            statement.execute(params![mailbox.as_bytes(), day.days(), name.as_bytes()])?;
        }
    }
    transaction.commit()?;
    Ok(true)
}

/// Batches that wait, oldest first; one of which everything was vetoed is empty.
pub fn pending(connection: &Connection, mailbox: &MailboxId, since: UtcDay) -> Result<Vec<PendingBatch>, StorageError> {
    let mut days = connection.prepare_cached("SELECT day FROM deletion_batch WHERE mailbox = ?1 AND day >= ?2 ORDER BY day")?;
    let mut names = connection.prepare_cached("SELECT name FROM deletion WHERE mailbox = ?1 AND day = ?2 ORDER BY name")?;
    let mut found = days.query(params![mailbox.as_bytes(), since.days()])?;
    let mut batches = Vec::new();
    while let Some(row) = found.next()? {
        let day = day_of(row.get(0)?)?;
        let mut rows = Vec::new();
        let mut listed = names.query(params![mailbox.as_bytes(), day.days()])?;
        while let Some(row) = listed.next()? {
            rows.push(RowName::from_bytes(row.get(0)?));
        }
        batches.push(PendingBatch { day, rows });
    }
    Ok(batches)
}

/// Strikes names out of all batches of a mailbox.
pub fn veto(archive: &Archive, mailbox: &MailboxId, rows: &[RowName]) -> Result<u32, StorageError> {
    let mut writer = archive.pool.writer();
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let days: Vec<i64> = {
        let mut statement = transaction.prepare_cached("SELECT day FROM deletion_batch WHERE mailbox = ?1")?;
        let found = statement.query_map(params![mailbox.as_bytes()], |row| row.get(0))?;
        found.collect::<Result<_, _>>()?
    };
    let mut struck = 0usize;
    {
        let mut statement = transaction.prepare_cached("DELETE FROM deletion WHERE mailbox = ?1 AND day = ?2 AND name = ?3")?;
        for day in days {
            for name in rows {
                struck += statement.execute(params![mailbox.as_bytes(), day, name.as_bytes()])?;
            }
        }
    }
    transaction.commit()?;
    Ok(u32::try_from(struck).unwrap_or(u32::MAX))
}

/// Carries out the batches of `day` and earlier.
pub fn delete_due(archive: &Archive, day: UtcDay) -> Result<Deleted, StorageError> {
    let mailboxes: Vec<[u8; 16]> = archive.pool.read(|connection| {
        let mut statement = connection.prepare_cached("SELECT DISTINCT mailbox FROM deletion_batch WHERE day <= ?1 ORDER BY mailbox")?;
        let found = statement.query_map(params![day.days()], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    })?;
    let mut deleted = Deleted::new();
    for mailbox in mailboxes.into_iter().map(MailboxId::from_bytes) {
        let rows = named_rows(archive, &mailbox, day)?;
        for rows in rows.chunks(BATCH_ROWS_COUNT) {
            remove(archive, &mailbox, rows, &mut deleted)?;
        }
        // the names go last: after a crash the rest of the rows is found again
        let mut writer = archive.pool.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let values = params![mailbox.as_bytes(), day.days()];
        transaction.execute("DELETE FROM deletion WHERE mailbox = ?1 AND day <= ?2", values)?;
        transaction.execute("DELETE FROM deletion_batch WHERE mailbox = ?1 AND day <= ?2", values)?;
        transaction.commit()?;
        give_back_pages(&writer)?;
    }
    Ok(deleted)
}

/// Rows of closed days that due batches name: one walk over the index, however many names there are.
fn named_rows(archive: &Archive, mailbox: &MailboxId, day: UtcDay) -> Result<Vec<(UtcDay, RowId)>, StorageError> {
    archive.pool.read(|connection| {
        let mut names = BTreeSet::new();
        let mut statement = connection.prepare_cached("SELECT DISTINCT name FROM deletion WHERE mailbox = ?1 AND day <= ?2")?;
        let mut found = statement.query(params![mailbox.as_bytes(), day.days()])?;
        while let Some(row) = found.next()? {
            names.insert(RowName::from_bytes(row.get(0)?));
        }
        let mut rows = Vec::new();
        let mut statement =
            connection.prepare_cached("SELECT day, id, lane FROM sealed_row INDEXED BY sealed_row_head WHERE mailbox = ?1")?;
        let mut found = statement.query(params![mailbox.as_bytes()])?;
        while let Some(row) = found.next()? {
            let id = RowId::from_bytes(row.get(1)?);
            if names.contains(&id.name()) && lane_of(row.get(2)?)? != Lane::Announce {
                rows.push((day_of(row.get(0)?)?, id));
            }
        }
        Ok(rows)
    })
}

fn remove(archive: &Archive, mailbox: &MailboxId, rows: &[(UtcDay, RowId)], deleted: &mut Deleted) -> Result<(), StorageError> {
    let mut writer = archive.pool.writer();
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (day, id) in rows {
        let at = params![mailbox.as_bytes(), day.days(), id.as_bytes()];
        let found = transaction
            .prepare_cached("SELECT lane, length(bytes) FROM sealed_row WHERE mailbox = ?1 AND day = ?2 AND id = ?3")?
            .query_row(at, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
            .optional()?;
        let Some((lane, bytes)) = found else { continue };
        transaction.prepare_cached("DELETE FROM sealed_row WHERE mailbox = ?1 AND day = ?2 AND id = ?3")?.execute(at)?;
        transaction
            .prepare_cached(
                "UPDATE day_total SET row_count = row_count - 1, byte_count = byte_count - ?4
                 WHERE mailbox = ?1 AND day = ?2 AND lane = ?3",
            )?
            .execute(params![mailbox.as_bytes(), day.days(), lane, bytes])?;
        *deleted.entry((*mailbox, *day)).or_default() += 1;
    }
    transaction.execute("DELETE FROM day_total WHERE mailbox = ?1 AND row_count <= 0", params![mailbox.as_bytes()])?;
    transaction.commit()?;
    Ok(())
}
