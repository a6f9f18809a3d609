//! Everything that one storage holds, brought to another: moves, backups, restores.
//!
//! Rows travel in row-id order, day by day, so the copy shows no order of arrival: also not of the running day.

use crate::storage::{Adoption, Deposit, Storage, StorageError};
use satchel_wire::{MailboxId, Row, RowId, UtcDay};

const CHUNK_ROWS_COUNT: usize = 1_000;
const CHUNK_MAX_BYTES: usize = 8 * 1024 * 1024;

/// What was brought over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Transferred {
    /// Mailboxes.
    pub mailboxes: u64,
    /// Their rows.
    pub rows: u64,
    /// Size of the rows (bytes).
    pub bytes: u64,
}

/// Why a transfer did not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// Reading or writing failed. Remedy: as the cause says; then begin again with an empty target.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The target has mailboxes already. Remedy: an empty one.
    #[error("the target is not empty")]
    NotEmpty,
    /// Rows were missing at the end, because a day closed meanwhile. Remedy: begin again with an empty target.
    #[error("a day closed meanwhile, and the copy is not complete")]
    Incomplete,
}

/// Copies all mailboxes and rows into a storage that has none; the source may go on serving.
pub fn transfer(source: &dyn Storage, target: &dyn Storage) -> Result<Transferred, TransferError> {
    if !target.mailboxes()?.is_empty() {
        return Err(TransferError::NotEmpty);
    }
    let today = source.earliest_day()?;
    target.begin_day(today, UtcDay::from_days(0))?;
    let mut done = Transferred::default();
    for mailbox in source.mailboxes()? {
        let Some(census) = source.census(&mailbox.id)? else { continue };
        let deletions = source.pending_deletions(&mailbox.id, UtcDay::from_days(0))?;
        target.adopt(&Adoption { mailbox: &census.mailbox, newest: census.newest, deletions: &deletions })?;
        let (mut rows, mut bytes) = (0, 0);
        let mut next = source.next_day(&mailbox.id, None, None)?;
        while let Some(day) = next {
            let (day_rows, day_bytes) = copy_day(source, target, &mailbox.id, day, today)?;
            rows += day_rows;
            bytes += day_bytes;
            next = source.next_day(&mailbox.id, Some(day), None)?;
        }
        if bytes < census.rows.iter().map(|((_, _, size), rows)| u64::from(*size) * rows).sum() {
            return Err(TransferError::Incomplete);
        }
        done.mailboxes += 1;
        done.rows += rows;
        done.bytes += bytes;
    }
    Ok(done)
}

fn copy_day(
    source: &dyn Storage,
    target: &dyn Storage,
    mailbox: &MailboxId,
    day: UtcDay,
    today: UtcDay,
) -> Result<(u64, u64), StorageError> {
    let ids: Vec<RowId> = source.heads(mailbox, day)?.into_iter().map(|head| head.id).collect();
    let (mut at, mut rows, mut bytes) = (0, 0, 0);
    while at < ids.len() {
        let wanted = &ids[at..ids.len().min(at + CHUNK_ROWS_COUNT)];
        let read = source.rows(mailbox, day, wanted, CHUNK_MAX_BYTES, true)?;
        at += read.consumed;
        rows += read.rows.len() as u64;
        bytes += read.bytes as u64;
        let mut read: Vec<(RowId, Row)> = read.rows.into_iter().map(|row| (row.id(), row)).collect();
        read.sort_unstable_by_key(|(id, _)| *id);
        if day < today {
            target.adopt_rows(mailbox, day, &read)?;
        } else {
            let deposit = Deposit { mailbox: *mailbox, day: today, rows: &read, room_bytes: u64::MAX, announcement: None };
            target.deposit(&deposit)?;
        }
    }
    Ok((rows, bytes))
}
