//! PostgreSQL behind the storage trait: one database, any number of relays, no other coordination.
//!
//! | table | holds | written |
//! |---|---|---|
//! | `mailbox`, `earlier_pull` | quota, public keys, newest announcement of closed days | by the operator, claims, key changes, closing |
//! | `arrived_0`, `arrived_1` | rows of an even and of an odd day | with every push; truncated when the day closed |
//! | `today_0`, `today_1` | for each mailbox of that day: rows, bytes, newest announcement | the same |
//! | `sealed_row`, `day_total` | rows of closed days and their sums | once when a day closes, mailbox by mailbox, in row-id order |
//! | `deletion_batch`, `deletion` | names of rows that wait for deletion | once a day |
//! | `relay_state`, `opened_day` | the running day | once a day |
//!
//! PostgreSQL stamps every row with its transaction (`xmin`) and puts it where the table ends (`ctid`): in `arrived_N` both
//! show which rows came together, and in which order. When a day closes, its rows are inserted anew into `sealed_row`,
//! sorted, one transaction for each mailbox, and the tables of the day are truncated: the files are replaced. The
//! write-ahead log shows every push until its segments are overwritten, and a log archive or a physical backup for as
//! long as it is kept; `disclose` and the operator guide say so.

mod closing;
mod connection;
mod deletion;
mod deposit;
mod examining;
mod mailboxes;
mod reading;
mod schema;
mod watching;

use self::connection::{Session, array};
use super::{Adoption, Census, Deleted, Deposit, Deposited, Finding, KeyReplacement, Mailbox, News, ReadRows, Storage, StorageError};
use crate::arrivals::RowHead;
use crate::config::POSTGRES_REWRITE_MAX_BYTES;
use deadpool_postgres::Pool;
use satchel_wire::frame::{AccessKeys, PendingBatch};
use satchel_wire::{AnnouncementId, Lane, MailboxId, Row, RowId, RowName, UtcDay};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use tokio::runtime::{Builder, Runtime};

/// A database that relays share.
pub struct PostgresStorage {
    // in an Option only so that it can be shut down without waiting, from whatever thread drops this
    runtime: Option<Runtime>,
    pool: Pool,
    settings: tokio_postgres::Config,
    /// A day that is closed stays closed: what was seen need not be asked again.
    closed_through: AtomicI32,
    told: watching::Told,
}

impl PostgresStorage {
    /// Opens a database (`postgresql://user@host/name`, or libpq's `key=value` words), and makes its tables if it has
    /// none. Errors: [`StorageError::Address`], [`StorageError::Away`], [`StorageError::NewerFormat`].
    pub fn open(url: &str) -> Result<Self, StorageError> {
        Self::open_at(url, schema::STEPS)
    }

    /// Writes the tables of closed days anew, whatever their size, so that nothing deleted is left in their files.
    /// Nobody reads or pushes meanwhile. Errors: [`StorageError::Full`] when there is no room for a second copy.
    pub fn rewrite(&self) -> Result<(), StorageError> {
        self.run(async |session| {
            session.batch_execute("SET statement_timeout = 0").await?;
            let written = deletion::rewrite(session, i64::MAX).await;
            session.batch_execute("RESET statement_timeout").await?;
            written.map(drop)
        })
    }

    fn open_at(url: &str, steps: &[&str]) -> Result<Self, StorageError> {
        let settings = connection::settings(url)?;
        let pool = connection::pool(settings.clone())?;
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("postgres").enable_all().build().map_err(|_| StorageError::Away)?;
        let told = runtime.block_on(async {
            schema::migrate(&mut pool.get().await?, steps).await?;
            Ok::<_, StorageError>(watching::Told::start(pool.clone()))
        })?;
        Ok(Self { runtime: Some(runtime), pool, settings, closed_through: AtomicI32::new(-1), told })
    }

    /// Runs a step to its end; it must not be called from a thread that drives asynchronous work.
    fn run<T>(&self, step: impl AsyncFnOnce(&mut Session) -> Result<T, StorageError>) -> Result<T, StorageError> {
        let runtime = self.runtime.as_ref().ok_or(StorageError::Away)?;
        runtime.block_on(async { step(&mut self.pool.get().await?).await })
    }

    async fn state(&self, session: &Session) -> Result<closing::State, StorageError> {
        let state = closing::state(session).await?;
        if let Some(closed) = state.closed_through {
            self.closed_through.fetch_max(connection::column(closed), Ordering::SeqCst);
        }
        Ok(state)
    }

    fn is_known_closed(&self, day: UtcDay) -> bool {
        connection::column(day) <= self.closed_through.load(Ordering::SeqCst)
    }
}

impl Drop for PostgresStorage {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Storage for PostgresStorage {
    fn probe(&self) -> Result<(), StorageError> {
        self.run(async |session| Ok(session.execute("SELECT 1 FROM relay_state", &[]).await.map(drop)?))
    }

    fn earliest_day(&self) -> Result<UtcDay, StorageError> {
        self.run(async |session| Ok(self.state(session).await?.open_from))
    }

    fn begin_day(&self, day: UtcDay, forget_before: UtcDay) -> Result<(), StorageError> {
        self.run(async |session| {
            closing::begin_day(session, day).await?;
            self.state(session).await?;
            mailboxes::forget_keys(session, forget_before).await
        })
    }

    fn tidy(&self, _rebuild: bool) -> Result<(), StorageError> {
        Ok(())
    }

    fn mailbox(&self, mailbox: &MailboxId) -> Result<Option<Mailbox>, StorageError> {
        self.run(async |session| mailboxes::mailbox(session, mailbox).await)
    }

    fn mailboxes(&self) -> Result<Vec<Mailbox>, StorageError> {
        self.run(async |session| mailboxes::mailboxes(session).await)
    }

    fn create_mailbox(&self, mailbox: &MailboxId, quota_bytes: u64, claim_hash: &[u8; 32]) -> Result<(), StorageError> {
        self.run(async |session| mailboxes::create(session, mailbox, quota_bytes, claim_hash).await)
    }

    fn claim(&self, mailbox: &MailboxId, control: &[u8; 32], keys: &AccessKeys) -> Result<bool, StorageError> {
        self.run(async |session| mailboxes::claim(session, mailbox, control, keys).await)
    }

    fn replace_keys(&self, mailbox: &MailboxId, replacement: &KeyReplacement) -> Result<bool, StorageError> {
        self.run(async |session| mailboxes::replace_keys(session, mailbox, replacement).await)
    }

    fn set_quota(&self, mailbox: &MailboxId, quota_bytes: u64) -> Result<bool, StorageError> {
        self.run(async |session| mailboxes::set_quota(session, mailbox, quota_bytes).await)
    }

    fn hand_over(&self, mailbox: &MailboxId, claim_hash: &[u8; 32]) -> Result<bool, StorageError> {
        self.run(async |session| mailboxes::hand_over(session, mailbox, claim_hash).await)
    }

    fn adopt(&self, adoption: &Adoption<'_>) -> Result<bool, StorageError> {
        self.run(async |session| mailboxes::adopt(session, adoption).await)
    }

    fn adopt_rows(&self, mailbox: &MailboxId, day: UtcDay, rows: &[(RowId, Row)]) -> Result<(), StorageError> {
        self.run(async |session| mailboxes::adopt_rows(session, mailbox, day, rows).await)
    }

    fn close_mailbox(&self, mailbox: &MailboxId) -> Result<bool, StorageError> {
        self.run(async |session| {
            let is_closed = mailboxes::close(session, mailbox).await?;
            if is_closed {
                // the engine only marks what was deleted; where it says no, the operator's `rewrite` is left
                let _ = deletion::rewrite(session, POSTGRES_REWRITE_MAX_BYTES).await;
            }
            Ok(is_closed)
        })
    }

    fn used_bytes(&self, mailbox: &MailboxId) -> Result<u64, StorageError> {
        self.run(async |session| reading::used_bytes(session, mailbox).await)
    }

    fn next_day(&self, mailbox: &MailboxId, after: Option<UtcDay>, lane: Option<Lane>) -> Result<Option<UtcDay>, StorageError> {
        if after == Some(UtcDay::from_days(u16::MAX)) {
            return Ok(None);
        }
        let from = after.map_or(UtcDay::from_days(0), |day| day.plus(1));
        self.run(async |session| {
            // the state first: a day that closes in between is then named twice, not left out
            let state = self.state(session).await?;
            let closed = reading::next_closed_day(session, mailbox, from, lane).await?;
            let first_open = state.closed_through.map_or(state.open_from, |closed| closed.plus(1)).max(from);
            // a day that is not closed may have rows of the lane
            let open = (first_open <= state.open_from).then_some(first_open);
            Ok(closed.into_iter().chain(open).min())
        })
    }

    fn heads(&self, mailbox: &MailboxId, day: UtcDay) -> Result<Vec<RowHead>, StorageError> {
        self.run(async |session| reading::heads(session, mailbox, day, self.is_known_closed(day)).await)
    }

    fn rows(
        &self,
        mailbox: &MailboxId,
        day: UtcDay,
        ids: &[RowId],
        max_bytes: usize,
        at_least_one: bool,
    ) -> Result<ReadRows, StorageError> {
        let is_closed = self.is_known_closed(day);
        self.run(async |session| reading::rows(session, mailbox, day, is_closed, ids, max_bytes, at_least_one).await)
    }

    fn deposit(&self, deposit: &Deposit<'_>) -> Result<Deposited, StorageError> {
        let deposited = self.run(async |session| deposit::deposit(session, deposit).await)?;
        if !deposited.added.is_empty() {
            self.told.tell(&deposit.mailbox);
        }
        Ok(deposited)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn is_closed(&self, mailbox: &MailboxId, day: UtcDay) -> Result<bool, StorageError> {
        if self.is_known_closed(day) {
            return Ok(true);
        }
        self.run(async |session| {
            if self.state(session).await?.closed_through.is_some_and(|closed| day <= closed) {
                return Ok(true);
            }
            Ok(reading::arrived(session, mailbox, day).await?.is_none())
        })
    }

    fn arrived(&self, mailbox: &MailboxId, day: UtcDay) -> Result<Option<u64>, StorageError> {
        self.run(async |session| reading::arrived(session, mailbox, day).await)
    }

    fn watch(&self, news: News) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(watching::listen(self.settings.clone(), Arc::clone(&news)));
            runtime.spawn(watching::poll(self.pool.clone(), news));
        }
    }

    fn schedule_deletion(&self, mailbox: &MailboxId, day: UtcDay, rows: &[RowName]) -> Result<bool, StorageError> {
        self.run(async |session| deletion::schedule(session, mailbox, day, rows).await)
    }

    fn pending_deletions(&self, mailbox: &MailboxId, since: UtcDay) -> Result<Vec<PendingBatch>, StorageError> {
        self.run(async |session| deletion::pending(session, mailbox, since).await)
    }

    fn veto_deletion(&self, mailbox: &MailboxId, rows: &[RowName]) -> Result<u32, StorageError> {
        self.run(async |session| deletion::veto(session, mailbox, rows).await)
    }

    fn delete_due(&self, day: UtcDay) -> Result<Deleted, StorageError> {
        self.run(async |session| {
            let deleted = deletion::delete_due(session, day).await?;
            if !deleted.is_empty() {
                // an engine without it, or a table in use, says no: the operator's `rewrite` is left
                let _ = deletion::rewrite(session, POSTGRES_REWRITE_MAX_BYTES).await;
            }
            Ok(deleted)
        })
    }

    fn examine(&self, now: u64) -> Result<Vec<Finding>, StorageError> {
        self.run(async |session| examining::examine(session, now).await)
    }

    fn census(&self, mailbox: &MailboxId) -> Result<Option<Census>, StorageError> {
        self.run(async |session| {
            let Some(found) = mailboxes::mailbox(session, mailbox).await? else { return Ok(None) };
            let open_from = self.state(session).await?.open_from;
            let rows = reading::counts(session, mailbox).await?;
            let waiting = deletion::pending(session, mailbox, UtcDay::from_days(0)).await?;
            let transaction = session.transaction().await?;
            let today = format!("SELECT newest FROM today_{} WHERE mailbox = $1 AND day = $2", connection::side(open_from));
            let line = transaction.query_opt(&today, &[&&mailbox.as_bytes()[..], &connection::column(open_from)]).await?;
            let today = match line {
                Some(line) => line.try_get::<_, Option<&[u8]>>(0)?.map(array).transpose()?,
                None => None,
            };
            let newest = match today {
                Some(id) => Some(AnnouncementId::from_bytes(id)),
                None => deposit::newest_before(&transaction, mailbox, open_from).await?,
            };
            let deletions = waiting.iter().map(|batch| (batch.day, batch.rows.len() as u64)).collect();
            Ok(Some(Census { mailbox: found, newest, rows, deletions, remains: examining::REMAINS }))
        })
    }
}
