//! Connections with the settings that keep the disk blind, and the engine's errors in our terms.

use crate::config::{IDLE_READERS_MAX_COUNT, LOCK_WAIT_MILLISECONDS};
use crate::storage::StorageError;
use rusqlite::ffi::{SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error() {
            Some(inner) => match inner.code {
                // a failed read says nothing about writes
                _ if matches!(inner.extended_code, SQLITE_IOERR_READ | SQLITE_IOERR_SHORT_READ) => {
                    Self::Engine { code: inner.extended_code }
                }
                ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::ReadOnly | ErrorCode::CannotOpen => Self::Full,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged,
                _ => Self::Engine { code: inner.extended_code },
            },
            // a column of an unexpected type or length
            None => Self::Damaged,
        }
    }
}

/// A lock whose holder panicked is taken over: every step below is one transaction, so nothing is half done.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens a file with all settings; creates it if asked to.
pub fn open(path: &Path, create: bool) -> Result<Connection, StorageError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_millis(LOCK_WAIT_MILLISECONDS))?;
    connection.execute_batch(
        "PRAGMA auto_vacuum = INCREMENTAL;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;",
    )?;
    Ok(connection)
}

/// Folds the log into the file and truncates it; a reader in the way means it stays for the next time.
pub fn truncate_log(connection: &Connection) -> Result<(), StorageError> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(StorageError::from)
}

/// Gives free pages back to the file system, and empties the log.
pub fn give_back_pages(connection: &Connection) -> Result<(), StorageError> {
    // one step a page: the statement is run to its end
    let mut statement = connection.prepare("PRAGMA incremental_vacuum")?;
    let mut steps = statement.query([])?;
    while steps.next()?.is_some() {}
    drop(steps);
    drop(statement);
    truncate_log(connection)
}

/// One file: a writer, and readers that are opened as needed and kept for the next time.
pub struct Pool {
    path: PathBuf,
    writer: Mutex<Connection>,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    /// Opens the file. `prepare` brings its schema up to date.
    pub fn open(path: PathBuf, create: bool, prepare: impl Fn(&mut Connection) -> Result<(), StorageError>) -> Result<Self, StorageError> {
        let mut writer = open(&path, create)?;
        prepare(&mut writer)?;
        Ok(Self { path, writer: Mutex::new(writer), idle: Mutex::new(Vec::new()) })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The only connection that writes.
    pub fn writer(&self) -> MutexGuard<'_, Connection> {
        lock(&self.writer)
    }

    /// Reads in one snapshot.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StorageError>) -> Result<T, StorageError> {
        let idle = lock(&self.idle).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open(&self.path, false)?,
        };
        let snapshot = connection.unchecked_transaction()?;
        let result = work(&snapshot);
        drop(snapshot);
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE_READERS_MAX_COUNT {
            idle.push(connection);
        }
        result
    }
}
