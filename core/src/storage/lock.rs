//! One process per store.

use super::StorageError;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

/// Held while a store is open; the operating system lets go of it when the process dies, however it dies.
#[derive(Debug)]
pub(super) struct Lock {
    held: Held,
}

#[derive(Debug)]
enum Held {
    System { file: File },
    Engine { _connection: Connection },
}

impl Lock {
    /// Takes the lock without waiting. The file stays empty and is never removed: removing a lock file lets two hold it.
    pub(super) fn take(path: &Path) -> Result<Self, StorageError> {
        let file = super::files::open_private(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { held: Held::System { file } }),
            Err(TryLockError::WouldBlock) => Err(StorageError::InUse),
            // The standard library has no file locks on Android before Rust 1.98 (rust-lang/rust#148325).
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                drop(file);
                Self::take_with_engine(path)
            }
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// The same by SQLite's own locks, which work wherever the store itself does: the empty file is
    /// an empty database, and an exclusive transaction that never writes keeps it locked.
    fn take_with_engine(path: &Path) -> Result<Self, StorageError> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        if connection.is_readonly("main")? {
            return Err(StorageError::ReadOnly);
        }
        connection.busy_timeout(std::time::Duration::ZERO)?;
        connection.execute_batch("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE")?;
        Ok(Self { held: Held::Engine { _connection: connection } })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a child that another thread is just about to start shares
        // it until it becomes its own program, and would keep the store locked that long.
        if let Held::System { file } = &self.held {
            let _ = file.unlock();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn both_ways_exclude_a_second_holder_and_leave_the_file_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        for take in [Lock::take, |path: &Path| {
            drop(super::super::files::open_private(path)?);
            Lock::take_with_engine(path)
        }] {
            let held = take(&path).unwrap();
            assert_eq!(take(&path).unwrap_err(), StorageError::InUse);
            drop(held);
            drop(take(&path).unwrap());
            assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_copy_of_the_handle_in_a_child_about_to_start_does_not_keep_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = Lock::take(&path).unwrap();
        let Held::System { file } = &lock.held else { return };
        // Shares the lock as a forked process does.
        let copy = file.try_clone().unwrap();
        drop(lock);
        drop(Lock::take(&path).unwrap());
        drop(copy);
    }
}
