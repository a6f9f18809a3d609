//! Migrations: append-only, all pending ones in one transaction, version = how many there are.

use super::StorageError;
use rusqlite::{Connection, TransactionBehavior};

/// "SATC": tells a Satchel store from any other SQLite file (<https://sqlite.org/fileformat.html#application_id>).
pub(super) const APPLICATION_ID: i64 = 0x5341_5443;

/// Never edit, reorder or remove an entry: stores in the field have run it.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_first.sql")];

/// The version that this build writes.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// What a file says about itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// At this build's version.
    Current,
    /// At an older version.
    Older,
}

/// Judges a file by its header alone, as it was when its log was last written back.
pub(super) fn judge_header(header: &[u8; 100]) -> Result<Standing, StorageError> {
    let field = |at: usize| header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, i32::from_be_bytes);
    judge(field(68).into(), field(60).into())
}

/// Judges a file by its header and its log, without changing either.
pub(super) fn judge_connection(connection: &Connection) -> Result<Standing, StorageError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    judge(number("application_id")?, number("user_version")?)
}

fn judge(application: i64, found: i64) -> Result<Standing, StorageError> {
    if application != APPLICATION_ID {
        return Err(StorageError::Foreign);
    }
    match found {
        // A new file takes its application id and first version in one transaction, so 0 was never written.
        ..=0 => Err(StorageError::Damaged),
        found if found > VERSION => Err(StorageError::Newer { found, supported: VERSION }),
        VERSION => Ok(Standing::Current),
        _ => Ok(Standing::Older),
    }
}

/// Runs every migration that the file lacks.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StorageError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(found).map_err(|_| StorageError::Damaged)?;
    for migration in MIGRATIONS.get(done..).unwrap_or_default() {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(())
}

/// The schema as the file states it, in a fixed order.
pub(super) fn shape(connection: &Connection) -> Result<Vec<(String, Option<String>)>, StorageError> {
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The schema as this build would create it.
pub(super) fn fresh_shape() -> Result<Vec<(String, Option<String>)>, StorageError> {
    let mut connection = Connection::open_in_memory()?;
    migrate(&mut connection)?;
    shape(&connection)
}
