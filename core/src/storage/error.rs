//! What can go wrong with a store's files, named by what the caller can do about it.
//!
//! No variant carries text: messages of the database engine may contain stored values, so
//! its errors are mapped by result code alone.

use super::Table;
use super::slots::SlotError;

/// Why the store could not do what was asked. A failed transaction has changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// No store lies in this folder. Remedy: create one, or correct the path.
    #[error("there is no store here")]
    NotFound,
    /// The device was erased: keys and slots are gone, and the rest of the files with this call. Remedy: found or join a team.
    #[error("the store was erased")]
    Erased,
    /// The folder already holds something. Remedy: open it, or choose an empty folder.
    #[error("the folder is not empty")]
    Exists,
    /// Another process (or another handle of this one) has the store open. Remedy: close it there.
    #[error("the store is in use by another process")]
    InUse,
    /// Written by a newer version; nothing was changed. Remedy: update the app.
    #[error("the store has version {found}, this app reads up to {supported}")]
    Newer {
        /// Version found in the file.
        found: i64,
        /// Newest version this build reads.
        supported: i64,
    },
    /// An SQLite file that is not a Satchel store; nothing was changed. Remedy: correct the path.
    #[error("the file belongs to another application")]
    Foreign,
    /// The file is not what was written. It is left as it is. Remedy: copy the folder away, then restore from the team.
    #[error("the store is damaged")]
    Damaged,
    /// The folder or file cannot be written. Remedy: make it writable; reading is refused too, since opening may have to repair.
    #[error("the store is on read-only storage")]
    ReadOnly,
    /// The operating system denies access. Remedy: unlock the device or correct the permissions.
    #[error("access to the store is denied")]
    NoAccess,
    /// No space is left; nothing was changed. Remedy: free space and try again, on the same handle.
    #[error("no space is left on the device")]
    Full,
    /// The device failed to read or write. After a failed commit the change is undone on this handle,
    /// but may reappear if the process dies before the next commit. Remedy: try again, then check the device.
    #[error("input/output error {code}")]
    Io {
        /// SQLite's extended result code if at least 266, else the operating system's error number (0 if it gave none).
        code: i32,
    },
    /// Memory ran out. Remedy: free memory and try again.
    #[error("out of memory")]
    OutOfMemory,
    /// A value exceeds its table's limit, on writing or in the file. Remedy: on writing, split it; on reading, treat as damaged.
    #[error("a value in {} exceeds {limit_bytes} bytes", table.name())]
    TooLarge {
        /// The table.
        table: Table,
        /// Its limit (bytes).
        limit_bytes: usize,
    },
    /// The row that was to change, or the page that was to hold it, does not exist. Remedy: write that first.
    #[error("no such row in {}", table.name())]
    Absent {
        /// The table in which the row is missing.
        table: Table,
    },
    /// The row exists already, or others still point at it. Remedy: choose another number, or remove those first.
    #[error("the row conflicts with what is stored")]
    Conflict,
    /// The engine did not accept a protective setting. Remedy: none for the user; the build is wrong.
    #[error("the engine refused the setting {name}")]
    Setting {
        /// The setting.
        name: &'static str,
    },
    /// A result code with no meaning of its own here. Remedy: report it.
    #[error("unexpected result {code} of the engine")]
    Unexpected {
        /// SQLite's extended result code, or 0 if the failure was not the engine's.
        code: i32,
    },
    /// The key-slot file cannot be used.
    #[error(transparent)]
    Slots(#[from] SlotError),
}

impl StorageError {
    /// A stable name for logs and bindings.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "storage.not_found",
            Self::Erased => "storage.erased",
            Self::Exists => "storage.exists",
            Self::InUse => "storage.in_use",
            Self::Newer { .. } => "storage.newer",
            Self::Foreign => "storage.foreign",
            Self::Damaged => "storage.damaged",
            Self::ReadOnly => "storage.read_only",
            Self::NoAccess => "storage.no_access",
            Self::Full => "storage.full",
            Self::Io { .. } => "storage.io",
            Self::OutOfMemory => "storage.out_of_memory",
            Self::TooLarge { .. } => "storage.too_large",
            Self::Absent { .. } => "storage.absent",
            Self::Conflict => "storage.conflict",
            Self::Setting { .. } => "storage.setting",
            Self::Unexpected { .. } => "storage.unexpected",
            Self::Slots(error) => error.code(),
        }
    }

    /// Maps an SQLite result code (<https://sqlite.org/rescode.html>), extended where there is one.
    fn of_engine(code: i32) -> Self {
        use rusqlite::ffi;
        match code {
            ffi::SQLITE_IOERR_NOMEM => return Self::OutOfMemory,
            // A file shorter than its own header says, or a file system that found a bad checksum.
            ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_DATA | ffi::SQLITE_IOERR_CORRUPTFS => return Self::Damaged,
            _ => {}
        }
        match code & 0xff {
            ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => Self::InUse,
            ffi::SQLITE_READONLY => Self::ReadOnly,
            ffi::SQLITE_PERM | ffi::SQLITE_AUTH | ffi::SQLITE_CANTOPEN => Self::NoAccess,
            ffi::SQLITE_FULL => Self::Full,
            ffi::SQLITE_IOERR => Self::Io { code },
            ffi::SQLITE_NOMEM => Self::OutOfMemory,
            ffi::SQLITE_CONSTRAINT => Self::Conflict,
            // Our statements are constants that fit the schema, and our values are checked before they
            // are bound. If the engine finds a statement or size wrong, then the file's schema is.
            ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB | ffi::SQLITE_ERROR | ffi::SQLITE_TOOBIG => Self::Damaged,
            _ => Self::Unexpected { code },
        }
    }
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error;
        match error {
            Error::SqliteFailure(failure, _) => Self::of_engine(failure.extended_code),
            Error::SqlInputError { error, .. } => Self::of_engine(error.extended_code),
            // A column holds a type or range that the schema forbids.
            Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..)
            | Error::QueryReturnedNoRows
            | Error::QueryReturnedMoreThanOneRow => Self::Damaged,
            _ => Self::Unexpected { code: 0 },
        }
    }
}

impl From<rusqlite::types::FromSqlError> for StorageError {
    fn from(_: rusqlite::types::FromSqlError) -> Self {
        Self::Damaged
    }
}

impl From<std::io::Error> for StorageError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::PermissionDenied => Self::NoAccess,
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::OutOfMemory => Self::OutOfMemory,
            _ => Self::Io { code: error.raw_os_error().unwrap_or(0) },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn engine_messages_never_reach_our_errors() {
        let canary = "alias-canary";
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a TEXT CHECK (a <> 'alias-canary'))").unwrap();
        let theirs = connection.execute(&format!("INSERT INTO t VALUES ('{canary}'), (nonsense_{canary})"), []).unwrap_err();
        // Positive control: the engine's own error does carry the text.
        assert!(format!("{theirs:?} {theirs}").contains("canary"));
        let ours = StorageError::from(theirs);
        assert!(!format!("{ours:?} {ours}").contains("canary"));
    }

    #[test]
    fn result_codes_become_decisions() {
        for (code, expected) in [
            (ffi::SQLITE_FULL, StorageError::Full),
            (ffi::SQLITE_IOERR_FSYNC, StorageError::Io { code: ffi::SQLITE_IOERR_FSYNC }),
            (ffi::SQLITE_READONLY_DIRECTORY, StorageError::ReadOnly),
            (ffi::SQLITE_CORRUPT_VTAB, StorageError::Damaged),
            (ffi::SQLITE_NOTADB, StorageError::Damaged),
            (ffi::SQLITE_BUSY_RECOVERY, StorageError::InUse),
            (ffi::SQLITE_CONSTRAINT_FOREIGNKEY, StorageError::Conflict),
            (ffi::SQLITE_MISUSE, StorageError::Unexpected { code: ffi::SQLITE_MISUSE }),
        ] {
            assert_eq!(StorageError::of_engine(code), expected, "{code}");
        }
    }
}
