//! The schema, as a list of steps that is only ever appended to.
//!
//! Every key begins with the mailbox and no statement of a push or pull names two of them, so that an engine that spreads
//! tables over machines can spread them by mailbox. Nothing counts rows up: no serial, no identity, no timestamp.

use super::connection::Session;
use crate::storage::StorageError;

/// Steps; `schema_version` counts those that were taken.
///
/// `arrived_N` and `today_N` belong to the days whose number is N modulo 2. They are truncated when their day closed, which
/// gives them new files: an update or a deletion would leave the old versions of rows in the old one. Columns whose
/// content the engine would sample into its statistics have none.
pub const STEPS: &[&str] = &["
    CREATE TABLE relay_state (
        one smallint PRIMARY KEY CHECK (one = 1),
        open_from integer NOT NULL,
        closed_through integer NOT NULL
    );
    INSERT INTO relay_state (one, open_from, closed_through) VALUES (1, 0, -1);
    CREATE TABLE opened_day (day integer PRIMARY KEY);
    CREATE TABLE mailbox (
        id bytea PRIMARY KEY CHECK (octet_length(id) = 16),
        quota_bytes bigint NOT NULL,
        claim_hash bytea NOT NULL CHECK (octet_length(claim_hash) = 32),
        generation bigint,
        control bytea CHECK (octet_length(control) = 32),
        pull bytea CHECK (octet_length(pull) = 32),
        push bytea CHECK (octet_length(push) = 32),
        newest bytea CHECK (octet_length(newest) = 16)
    );
    CREATE TABLE earlier_pull (
        mailbox bytea NOT NULL,
        key bytea NOT NULL CHECK (octet_length(key) = 32),
        replaced integer NOT NULL,
        PRIMARY KEY (mailbox, key)
    );
    CREATE TABLE sealed_row (
        mailbox bytea NOT NULL,
        day integer NOT NULL,
        id bytea NOT NULL CHECK (octet_length(id) = 32),
        lane smallint NOT NULL CHECK (lane BETWEEN 1 AND 3),
        bytes bytea NOT NULL,
        PRIMARY KEY (mailbox, day, id) INCLUDE (lane)
    );
    ALTER TABLE sealed_row ALTER COLUMN bytes SET STORAGE EXTERNAL, ALTER COLUMN bytes SET STATISTICS 0, ALTER COLUMN id SET STATISTICS 0;
    CREATE TABLE arrived_0 (LIKE sealed_row INCLUDING ALL);
    CREATE TABLE arrived_1 (LIKE sealed_row INCLUDING ALL);
    ALTER TABLE arrived_0 ALTER COLUMN bytes SET STATISTICS 0, ALTER COLUMN id SET STATISTICS 0;
    ALTER TABLE arrived_1 ALTER COLUMN bytes SET STATISTICS 0, ALTER COLUMN id SET STATISTICS 0;
    CREATE TABLE today_0 (
        mailbox bytea NOT NULL,
        day integer NOT NULL,
        row_count bigint NOT NULL,
        byte_count bigint NOT NULL,
        newest bytea CHECK (octet_length(newest) = 16),
        closed boolean NOT NULL,
        PRIMARY KEY (mailbox, day)
    ) WITH (fillfactor = 50);
    CREATE TABLE today_1 (LIKE today_0 INCLUDING ALL) WITH (fillfactor = 50);
    CREATE TABLE day_total (
        mailbox bytea NOT NULL,
        day integer NOT NULL,
        lane smallint NOT NULL CHECK (lane BETWEEN 1 AND 3),
        row_count bigint NOT NULL,
        byte_count bigint NOT NULL,
        PRIMARY KEY (mailbox, day, lane)
    );
    CREATE TABLE deletion_batch (mailbox bytea NOT NULL, day integer NOT NULL, PRIMARY KEY (mailbox, day));
    CREATE TABLE deletion (
        mailbox bytea NOT NULL,
        day integer NOT NULL,
        name bytea NOT NULL CHECK (octet_length(name) = 16),
        PRIMARY KEY (mailbox, day, name)
    );
"];

/// Brings a database up to date, or refuses a newer one. Of several relays that start at once one does it.
pub async fn migrate(session: &mut Session, steps: &[&str]) -> Result<(), StorageError> {
    let supported = steps.len() as i64;
    if version(session).await? == Some(supported) {
        return Ok(());
    }
    let made = "CREATE TABLE IF NOT EXISTS schema_version (one smallint PRIMARY KEY CHECK (one = 1), steps bigint NOT NULL)";
    if let Err(error) = session.batch_execute(made).await {
        // another relay made it at the same moment: only then is it there now
        if version(session).await?.is_none() && session.batch_execute(made).await.is_err() {
            return Err(error.into());
        }
    }
    session.execute("INSERT INTO schema_version (one, steps) VALUES (1, 0) ON CONFLICT DO NOTHING", &[]).await?;
    let transaction = session.transaction().await?;
    let found: i64 = transaction.query_one("SELECT steps FROM schema_version WHERE one = 1 FOR UPDATE", &[]).await?.try_get(0)?;
    if found > supported || found < 0 {
        return Err(StorageError::NewerFormat { found, supported });
    }
    for step in steps.iter().skip(found as usize) {
        transaction.batch_execute(step).await?;
    }
    transaction.execute("UPDATE schema_version SET steps = $1 WHERE one = 1", &[&supported]).await?;
    transaction.commit().await?;
    Ok(())
}

async fn version(session: &Session) -> Result<Option<i64>, StorageError> {
    let exists: bool = session.query_one("SELECT to_regclass('schema_version') IS NOT NULL", &[]).await?.try_get(0)?;
    if !exists {
        return Ok(None);
    }
    let found = session.query_opt("SELECT steps FROM schema_version WHERE one = 1", &[]).await?;
    Ok(found.map(|row| row.try_get(0)).transpose()?)
}
