//! How the database engine is set up: every protection is set, then read back.

use super::{StorageError, limits};
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Settings that hold for a connection, as name, value to set, value to read back.
const SETTINGS: &[(&str, &str, Setting)] = &[
    // One process, one connection: no shared-memory file, no lock calls per statement, and a second
    // barrier behind the lock file. Must come before the first look at the log.
    ("locking_mode", "EXCLUSIVE", Setting::Text("exclusive")),
    // Schema text is data of the file: it may call no function with side effects.
    ("trusted_schema", "OFF", Setting::Number(0)),
    ("cell_size_check", "ON", Setting::Number(1)),
    ("mmap_size", "0", Setting::Absent),
    // Sorters and rollback of statements stay in memory: no temporary file ever.
    ("temp_store", "MEMORY", Setting::Number(2)),
    ("secure_delete", "ON", Setting::Number(1)),
    ("synchronous", "FULL", Setting::Number(2)),
    // On Apple systems `fsync` alone leaves data in the drive's cache; elsewhere these are ignored.
    ("fullfsync", "ON", Setting::Number(1)),
    ("checkpoint_fullfsync", "ON", Setting::Number(1)),
    ("foreign_keys", "ON", Setting::Number(1)),
];

enum Setting {
    Number(i64),
    Text(&'static str),
    /// Reads back as 0, or not at all where the engine has no such thing.
    Absent,
}

/// Opens a file with every protection that changes nothing in it, so that it can be judged first.
pub(super) fn connect(path: &Path) -> Result<Connection, StorageError> {
    // No URI flag: a path is a path. No CREATE flag: files are made by us, with their mode.
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // The engine falls back to reading when it may not write.
    if connection.is_readonly("main")? {
        return Err(StorageError::ReadOnly);
    }
    // Until the file is known to be ours, closing it must leave its log as it is.
    config(&connection, "no_ckpt_on_close", DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    config(&connection, "defensive", DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    config(&connection, "enable_trigger", DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    config(&connection, "enable_view", DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    // Without it the planner looks at bound values and compiles cached statements anew whenever one changes.
    config(&connection, "enable_qpsg", DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, limits::ENGINE_VALUE_MAX_BYTES)?;
    connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, limits::ENGINE_SQL_MAX_BYTES)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    for (name, value, expected) in SETTINGS {
        set(&connection, name, value, expected)?;
    }
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Finishes the set-up of a file that is ours: from here on its log is used and may be written back.
pub(super) fn settle(connection: &Connection) -> Result<(), StorageError> {
    set(connection, "journal_mode", "WAL", &Setting::Text("wal"))?;
    set(connection, "cache_size", &(-limits::ENGINE_CACHE_KIB).to_string(), &Setting::Number(-limits::ENGINE_CACHE_KIB))?;
    let pages = limits::ENGINE_CHECKPOINT_PAGES;
    set(connection, "wal_autocheckpoint", &pages.to_string(), &Setting::Number(pages))?;
    config(connection, "no_ckpt_on_close", DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
}

/// Writes the whole log back into the file and cuts it to nothing.
pub(super) fn checkpoint(connection: &Connection) -> Result<(), StorageError> {
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy == 0 { Ok(()) } else { Err(StorageError::InUse) }
}

fn config(connection: &Connection, name: &'static str, option: DbConfig, value: bool) -> Result<(), StorageError> {
    if connection.set_db_config(option, value)? == value { Ok(()) } else { Err(StorageError::Setting { name }) }
}

fn set(connection: &Connection, name: &'static str, value: &str, expected: &Setting) -> Result<(), StorageError> {
    connection.execute_batch(&format!("PRAGMA {name} = {value}"))?;
    verify(connection, name, expected)
}

fn verify(connection: &Connection, name: &'static str, expected: &Setting) -> Result<(), StorageError> {
    let mut statement = connection.prepare(&format!("PRAGMA {name}"))?;
    let mut rows = statement.query([])?;
    let holds = match (rows.next()?, expected) {
        (Some(row), Setting::Number(number)) => row.get::<_, i64>(0)? == *number,
        (Some(row), Setting::Text(text)) => row.get_ref(0)?.as_str().is_ok_and(|found| found.eq_ignore_ascii_case(text)),
        (Some(row), Setting::Absent) => row.get::<_, i64>(0)? == 0,
        (None, expected) => matches!(expected, Setting::Absent),
    };
    if holds { Ok(()) } else { Err(StorageError::Setting { name }) }
}
