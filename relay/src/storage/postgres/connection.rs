//! Connections with the settings that bound every statement, and the engine's errors in our terms.

use crate::config::{
    POSTGRES_CONNECT_TIMEOUT_SECONDS, POSTGRES_CONNECTIONS_COUNT, POSTGRES_IDLE_TRANSACTION_SECONDS, POSTGRES_LOCK_WAIT_SECONDS,
    POSTGRES_STATEMENT_SECONDS,
};
use crate::storage::StorageError;
use deadpool_postgres::{Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime};
use satchel_wire::{Lane, MailboxId, RowId, UtcDay};
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, NoTls};

/// A connection of the pool.
pub type Session = deadpool_postgres::Object;

impl From<tokio_postgres::Error> for StorageError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(code) = error.code() else {
            // without a code: the connection broke, or a column has an unexpected type
            return if error.is_closed() || std::error::Error::source(&error).is_some_and(|source| source.is::<std::io::Error>()) {
                Self::Away
            } else {
                Self::Damaged
            };
        };
        match *code {
            SqlState::DISK_FULL | SqlState::READ_ONLY_SQL_TRANSACTION => Self::Full,
            SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN
            | SqlState::CANNOT_CONNECT_NOW
            | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
            | SqlState::LOCK_NOT_AVAILABLE
            | SqlState::QUERY_CANCELED
            | SqlState::TOO_MANY_CONNECTIONS => Self::Away,
            SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => Self::Damaged,
            _ => Self::Sql { state: code.code().as_bytes().try_into().unwrap_or(*b"?????") },
        }
    }
}

impl From<PoolError> for StorageError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            _ => Self::Away,
        }
    }
}

/// Settings of a connection, from a URL as libpq takes it.
pub fn settings(url: &str) -> Result<Config, StorageError> {
    let mut settings: Config = url.parse().map_err(|_| StorageError::Address)?;
    settings.application_name("satchel-relay");
    settings.connect_timeout(Duration::from_secs(POSTGRES_CONNECT_TIMEOUT_SECONDS));
    settings.tcp_user_timeout(Duration::from_secs(POSTGRES_STATEMENT_SECONDS));
    // a relay that is stopped in the middle must not hold a mailbox for longer than this
    let options = format!(
        "-c idle_in_transaction_session_timeout={}s -c statement_timeout={}s -c lock_timeout={}s -c synchronous_commit=on",
        POSTGRES_IDLE_TRANSACTION_SECONDS, POSTGRES_STATEMENT_SECONDS, POSTGRES_LOCK_WAIT_SECONDS
    );
    let given = settings.get_options().map(str::to_owned);
    settings.options(given.map_or(options.clone(), |given| format!("{options} {given}")));
    Ok(settings)
}

/// A pool of connections.
pub fn pool(settings: Config) -> Result<Pool, StorageError> {
    let manager = Manager::from_config(settings, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    Pool::builder(manager)
        .max_size(POSTGRES_CONNECTIONS_COUNT)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(Duration::from_secs(POSTGRES_LOCK_WAIT_SECONDS)))
        .build()
        .map_err(|_| StorageError::Address)
}

/// A day from a column.
pub fn day_of(value: i32) -> Result<UtcDay, StorageError> {
    u16::try_from(value).map(UtcDay::from_days).map_err(|_| StorageError::Damaged)
}
/// A day for a column.
pub fn column(day: UtcDay) -> i32 {
    i32::from(day.days())
}
/// A lane from a column.
pub fn lane_of(value: i16) -> Result<Lane, StorageError> {
    u8::try_from(value).ok().and_then(Lane::from_byte).ok_or(StorageError::Damaged)
}
/// Bytes of a fixed length from a column.
pub fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], StorageError> {
    bytes.try_into().map_err(|_| StorageError::Damaged)
}
/// A row id from a column.
pub fn row_id(bytes: &[u8]) -> Result<RowId, StorageError> {
    Ok(RowId::from_bytes(array(bytes)?))
}
/// A mailbox from a column.
pub fn mailbox_id(bytes: &[u8]) -> Result<MailboxId, StorageError> {
    Ok(MailboxId::from_bytes(array(bytes)?))
}
/// A count or size from a column.
pub fn unsigned(value: i64) -> Result<u64, StorageError> {
    u64::try_from(value).map_err(|_| StorageError::Damaged)
}
/// Which pair of tables takes the rows of a day.
pub fn side(day: UtcDay) -> u16 {
    day.days() % 2
}
