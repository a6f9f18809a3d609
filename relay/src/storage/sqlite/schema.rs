//! Schemas, as lists of steps that are only ever appended to.
//!
//! `user_version` counts the steps that a file has seen; a file with more than this version knows is refused.

use crate::storage::StorageError;
use rusqlite::{Connection, TransactionBehavior};

/// Steps of `relay.db`: mailboxes, keys, and the rows of closed days.
pub const RELAY: &[&str] = &[
    "
    CREATE TABLE mailbox (
        id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
        quota_bytes INTEGER NOT NULL,
        claim_hash BLOB NOT NULL CHECK (length(claim_hash) = 32),
        generation INTEGER,
        control BLOB CHECK (length(control) = 32),
        pull BLOB CHECK (length(pull) = 32),
        push BLOB CHECK (length(push) = 32),
        newest BLOB CHECK (length(newest) = 16)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE earlier_pull (
        mailbox BLOB NOT NULL,
        replaced INTEGER NOT NULL,
        key BLOB NOT NULL CHECK (length(key) = 32),
        PRIMARY KEY (mailbox, key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE sealed_row (
        mailbox BLOB NOT NULL,
        day INTEGER NOT NULL,
        id BLOB NOT NULL CHECK (length(id) = 32),
        lane INTEGER NOT NULL CHECK (lane BETWEEN 1 AND 3),
        bytes BLOB NOT NULL,
        PRIMARY KEY (mailbox, day, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sealed_row_head ON sealed_row (mailbox, day, id, lane);
    CREATE TABLE day_total (
        mailbox BLOB NOT NULL,
        day INTEGER NOT NULL,
        lane INTEGER NOT NULL CHECK (lane BETWEEN 1 AND 3),
        row_count INTEGER NOT NULL,
        byte_count INTEGER NOT NULL,
        PRIMARY KEY (mailbox, day, lane)
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE deletion_batch (
        mailbox BLOB NOT NULL,
        day INTEGER NOT NULL,
        PRIMARY KEY (mailbox, day)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE deletion (
        mailbox BLOB NOT NULL,
        day INTEGER NOT NULL,
        name BLOB NOT NULL CHECK (length(name) = 16),
        PRIMARY KEY (mailbox, day, name)
    ) STRICT, WITHOUT ROWID;
",
];

/// Steps of `day-….db`: the rows of one running day.
pub const DAY: &[&str] = &["
    CREATE TABLE sealed_row (
        mailbox BLOB NOT NULL,
        day INTEGER NOT NULL,
        id BLOB NOT NULL CHECK (length(id) = 32),
        lane INTEGER NOT NULL CHECK (lane BETWEEN 1 AND 3),
        bytes BLOB NOT NULL,
        PRIMARY KEY (mailbox, day, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE newest (
        mailbox BLOB NOT NULL PRIMARY KEY,
        announcement BLOB NOT NULL CHECK (length(announcement) = 16)
    ) STRICT, WITHOUT ROWID;
"];

/// Brings a file up to date, or refuses a newer one.
pub fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), StorageError> {
    let supported = steps.len() as i64;
    let version = |connection: &Connection| connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
    let found = version(connection)?;
    if found == supported {
        return Ok(());
    }
    // another process may be migrating: look again once the write lock is ours
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if found > supported || found < 0 {
        return Err(StorageError::NewerFormat { found, supported });
    }
    for step in steps.iter().skip(found as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", supported)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_newer_file_is_refused_and_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, RELAY).unwrap();
        migrate(&mut connection, RELAY).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        assert_eq!(migrate(&mut connection, RELAY), Err(StorageError::NewerFormat { found: 99, supported: RELAY.len() as i64 }));
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 6);
    }
}
