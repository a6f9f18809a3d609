//! Who else wrote: LISTEN and NOTIFY where the engine has them, and a look every few seconds in any case.
//!
//! A notification passes through files of the server, so it names no mailbox: only the first byte of its hash. It is sent
//! after the commit, many at once and without waiting for the disk; within the commit it would make all relays' commits wait
//! for each other. One that is lost is made up for by the next look.

use super::connection::{column, day_of, mailbox_id, side};
use crate::config::{POSTGRES_LOOK_EVERY_SECONDS, POSTGRES_NOTIFY_EVERY_MILLISECONDS};
use crate::storage::{Changed, News, StorageError, bucket};
use deadpool_postgres::Pool;
use satchel_wire::{MailboxId, UtcDay};
use std::collections::{BTreeSet, HashMap};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_postgres::{AsyncMessage, Config, NoTls};

const CHANNEL: &str = "satchel_arrived";

/// Buckets in which rows arrived here since others were last told.
pub struct Told {
    waiting: Arc<(Mutex<BTreeSet<u8>>, Notify)>,
}

impl Told {
    /// Begins telling; it ends with the runtime.
    pub fn start(pool: Pool) -> Self {
        let waiting = Arc::new((Mutex::new(BTreeSet::new()), Notify::new()));
        let told = Self { waiting: Arc::clone(&waiting) };
        tokio::spawn(async move {
            loop {
                waiting.1.notified().await;
                let buckets: Vec<i32> =
                    std::mem::take(&mut *waiting.0.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().map(i32::from).collect();
                if let Ok(session) = pool.get().await {
                    // an engine without it says no; others look for themselves
                    let tell = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, bucket::text) FROM unnest($2::integer[]) AS bucket";
                    let _ = session.query(tell, &[&CHANNEL, &buckets]).await;
                }
                sleep(Duration::from_millis(POSTGRES_NOTIFY_EVERY_MILLISECONDS)).await;
            }
        });
        told
    }

    /// Rows of this mailbox arrived here.
    pub fn tell(&self, mailbox: &MailboxId) {
        self.waiting.0.lock().unwrap_or_else(PoisonError::into_inner).insert(bucket(mailbox));
        self.waiting.1.notify_one();
    }
}

/// Hears what other relays tell, and connects again whenever the connection is lost.
pub async fn listen(settings: Config, news: News) {
    loop {
        let _ = hear(&settings, &news).await;
        sleep(Duration::from_secs(POSTGRES_LOOK_EVERY_SECONDS)).await;
    }
}

async fn hear(settings: &Config, news: &News) -> Result<(), StorageError> {
    let (session, mut connection) = settings.connect(NoTls).await?;
    let asking = session.batch_execute("LISTEN satchel_arrived");
    let hearing = async {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(notification) = message?
                && let Ok(bucket) = notification.payload().parse()
            {
                news(Changed::Bucket(bucket));
            }
        }
        Ok(())
    };
    let (asked, heard): (Result<(), tokio_postgres::Error>, Result<(), tokio_postgres::Error>) = tokio::join!(asking, hearing);
    asked.and(heard).map_err(StorageError::from)
}

/// Looks at the lines of the running day every few seconds.
pub async fn poll(pool: Pool, news: News) {
    let mut seen = HashMap::new();
    loop {
        sleep(Duration::from_secs(POSTGRES_LOOK_EVERY_SECONDS)).await;
        let Ok(counts) = look(&pool).await else { continue };
        for (mailbox, count) in &counts {
            if seen.get(mailbox) != Some(count) {
                news(Changed::Mailbox(*mailbox));
            }
        }
        seen = counts;
    }
}

async fn look(pool: &Pool) -> Result<HashMap<MailboxId, (UtcDay, i64)>, StorageError> {
    let session = pool.get().await?;
    let open: i32 = session.query_one("SELECT open_from FROM relay_state WHERE one = 1", &[]).await?.try_get(0)?;
    let day = day_of(open)?;
    let lines = format!("SELECT mailbox, row_count FROM today_{} WHERE day = $1 AND NOT closed", side(day));
    let mut counts = HashMap::new();
    for row in session.query(&lines, &[&column(day)]).await? {
        counts.insert(mailbox_id(row.try_get(0)?)?, (day, row.try_get(1)?));
    }
    Ok(counts)
}
