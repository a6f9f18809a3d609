//! The file of one running day: it takes rows as they come, and is thrown away when the day closes.

use super::connection::{Pool, truncate_log};
use super::{row_table, schema};
use crate::arrivals::RowHead;
use crate::storage::{Deposit, StorageError};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use satchel_wire::{AnnouncementId, MailboxId, RowId, UtcDay};
use std::path::{Path, PathBuf};

const PREFIX: &str = "day-";
const SUFFIX: &str = ".db";

/// The running day's file.
pub struct DayFile {
    /// Connections.
    pub pool: Pool,
}

/// The name of a day's file.
pub fn path_of(folder: &Path, day: UtcDay) -> PathBuf {
    folder.join(format!("{PREFIX}{day}{SUFFIX}"))
}

/// The day files of a folder, oldest first.
pub fn list(folder: &Path) -> Result<Vec<UtcDay>, StorageError> {
    let mut days = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|_| StorageError::Full)? {
        let name = entry.map_err(|_| StorageError::Full)?.file_name();
        let day = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|name| name.strip_suffix(SUFFIX));
        days.extend(day.and_then(|day| day.parse::<UtcDay>().ok()));
    }
    days.sort_unstable();
    Ok(days)
}

/// The newest announcement of a mailbox on this day.
pub fn newest(connection: &Connection, mailbox: &MailboxId) -> Result<Option<AnnouncementId>, StorageError> {
    let mut statement = connection.prepare_cached("SELECT announcement FROM newest WHERE mailbox = ?1")?;
    let id = statement.query_row(params![mailbox.as_bytes()], |row| row.get::<_, [u8; 16]>(0)).optional()?;
    Ok(id.map(AnnouncementId::from_bytes))
}

impl DayFile {
    /// Opens the file, or makes it.
    pub fn open(folder: &Path, day: UtcDay, create: bool) -> Result<Self, StorageError> {
        let pool = Pool::open(path_of(folder, day), create, |connection| schema::migrate(connection, schema::DAY))?;
        Ok(Self { pool })
    }

    /// Keeps the rows that are not here and not in `known` (sorted), all or none.
    ///
    /// `newest_before` is the newest announcement of earlier days. Returns what was added, and its size.
    pub fn deposit(
        &self,
        deposit: &Deposit<'_>,
        known: &[RowId],
        newest_before: Option<AnnouncementId>,
    ) -> Result<(Vec<RowHead>, u64), StorageError> {
        let mailbox = &deposit.mailbox;
        let mut writer = self.pool.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some((announcement, on_top_of)) = deposit.announcement {
            let newest = newest(&transaction, mailbox)?.or(newest_before);
            if newest == Some(announcement) {
                return Ok((Vec::new(), 0));
            }
            if newest != on_top_of {
                return Err(StorageError::NotNewest);
            }
        }
        let mut added = Vec::new();
        let mut bytes = 0;
        for (id, row) in deposit.rows {
            if known.binary_search(id).is_ok() || row_table::contains(&transaction, mailbox, deposit.day, id)? {
                continue;
            }
            bytes += row.as_bytes().len() as u64;
            if bytes > deposit.room_bytes {
                return Err(StorageError::NoRoom);
            }
            row_table::insert(&transaction, mailbox, deposit.day, id, row)?;
            added.push(RowHead { id: *id, lane: row.lane() });
        }
        if let Some((announcement, _)) = deposit.announcement {
            if added.is_empty() {
                // an older announcement once more: it cannot become the newest again
                return Err(StorageError::NotNewest);
            }
            let mut statement = transaction.prepare_cached(
                "INSERT INTO newest (mailbox, announcement) VALUES (?1, ?2) ON CONFLICT (mailbox) DO UPDATE SET announcement = ?2",
            )?;
            statement.execute(params![mailbox.as_bytes(), announcement.as_bytes()])?;
        }
        transaction.commit()?;
        Ok((added, bytes))
    }

    /// Size of a mailbox's rows (bytes).
    pub fn used_bytes(&self, mailbox: &MailboxId) -> Result<u64, StorageError> {
        self.pool.read(|connection| {
            let sum: i64 = connection.query_row(
                "SELECT coalesce(sum(length(bytes)), 0) FROM sealed_row WHERE mailbox = ?1",
                params![mailbox.as_bytes()],
                |row| row.get(0),
            )?;
            u64::try_from(sum).map_err(|_| StorageError::Damaged)
        })
    }

    /// Removes a mailbox's rows; how many there were.
    pub fn remove_mailbox(&self, mailbox: &MailboxId) -> Result<usize, StorageError> {
        let mut writer = self.pool.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute("DELETE FROM newest WHERE mailbox = ?1", params![mailbox.as_bytes()])?;
        let removed = transaction.execute("DELETE FROM sealed_row WHERE mailbox = ?1", params![mailbox.as_bytes()])?;
        transaction.commit()?;
        truncate_log(&writer)?;
        Ok(removed)
    }

    /// Overwrites all rows with zeros, closes and removes the file.
    pub fn discard(self) -> Result<(), StorageError> {
        {
            let writer = self.pool.writer();
            writer.execute_batch("DELETE FROM sealed_row; DELETE FROM newest;")?;
            truncate_log(&writer)?;
        }
        let path = self.pool.path().to_path_buf();
        drop(self);
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            match std::fs::remove_file(&name) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(_) => return Err(StorageError::Full),
            }
        }
        Ok(())
    }
}
