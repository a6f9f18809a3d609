//! A day ends, while other relays may still be writing into it.
//!
//! 1. The running day moves on, for all relays. A push looks at it last, so one that has not looked yet is refused.
//! 2. For each mailbox its line of the ended day is marked closed. That waits for pushes that did look in time; those that
//!    come later find the mark. Only now the mailbox's rows are complete, and they go over in row-id order.
//! 3. When all mailboxes are through, the tables of that day are truncated, which gives them new files.
//!
//! Every step may be repeated, by any relay, at any time. A push into a day whose tables still hold the day before the
//! last is refused until they are empty.

use super::connection::{Session, array, column, day_of, mailbox_id, side};
use crate::storage::StorageError;
use satchel_wire::{MailboxId, UtcDay};

/// The running day, and the last day that is closed for every mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Earlier days take no more rows.
    pub open_from: UtcDay,
    /// This day and earlier ones are closed for every mailbox.
    pub closed_through: Option<UtcDay>,
}

/// Reads the state.
pub async fn state(session: &Session) -> Result<State, StorageError> {
    let statement = session.prepare_cached("SELECT open_from, closed_through FROM relay_state WHERE one = 1").await?;
    let row = session.query_one(&statement, &[]).await?;
    let closed: i32 = row.try_get(1)?;
    Ok(State { open_from: day_of(row.try_get(0)?)?, closed_through: if closed < 0 { None } else { Some(day_of(closed)?) } })
}

/// Makes `day` the running one and closes those before it.
pub async fn begin_day(session: &mut Session, day: UtcDay) -> Result<(), StorageError> {
    let before = state(session).await?;
    if before.open_from < day {
        let transaction = session.transaction().await?;
        transaction.execute("INSERT INTO opened_day (day) VALUES ($1) ON CONFLICT DO NOTHING", &[&column(day)]).await?;
        transaction.execute("UPDATE relay_state SET open_from = $1 WHERE one = 1 AND open_from < $1", &[&column(day)]).await?;
        transaction.commit().await?;
    }
    let now = state(session).await?;
    if now.closed_through.is_some_and(|closed| closed.plus(1) >= now.open_from) {
        return Ok(());
    }
    let ended = "SELECT day FROM opened_day WHERE day < $1 ORDER BY day";
    for row in session.query(ended, &[&column(now.open_from)]).await? {
        close_day(session, day_of(row.try_get(0)?)?).await?;
    }
    let last = column(now.open_from) - 1;
    session.execute("UPDATE relay_state SET closed_through = $1 WHERE one = 1 AND closed_through < $1", &[&last]).await?;
    Ok(())
}

async fn close_day(session: &mut Session, day: UtcDay) -> Result<(), StorageError> {
    let (side, number) = (side(day), column(day));
    let mut late = None;
    let waiting = format!("SELECT mailbox FROM today_{side} WHERE day = $1 AND NOT closed ORDER BY mailbox");
    for row in session.query(&waiting, &[&number]).await? {
        // one that is held up must not hold up the others
        if let Err(error) = close_mailbox_day(session, &mailbox_id(row.try_get(0)?)?, day).await {
            late = Some(error);
        }
    }
    // lines for those without: waits for pushes that are making one
    let rest = format!(
        "INSERT INTO today_{side} (mailbox, day, row_count, byte_count, newest, closed)
         SELECT id, $1, 0, 0, NULL, true FROM mailbox ORDER BY id ON CONFLICT DO NOTHING"
    );
    session.execute(&rest, &[&number]).await?;
    for row in session.query(&waiting, &[&number]).await? {
        close_mailbox_day(session, &mailbox_id(row.try_get(0)?)?, day).await?;
    }
    if let Some(error) = late.filter(|error| *error != StorageError::Away) {
        return Err(error);
    }
    let transaction = session.transaction().await?;
    let closed: i32 = transaction.query_one("SELECT closed_through FROM relay_state WHERE one = 1 FOR UPDATE", &[]).await?.try_get(0)?;
    if closed < number {
        transaction.batch_execute(&format!("TRUNCATE arrived_{side}, today_{side}")).await?;
        transaction.execute("UPDATE relay_state SET closed_through = $1 WHERE one = 1", &[&number]).await?;
        transaction.execute("DELETE FROM opened_day WHERE day <= $1", &[&number]).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn close_mailbox_day(session: &mut Session, mailbox: &MailboxId, day: UtcDay) -> Result<(), StorageError> {
    let (side, number, id) = (side(day), column(day), &mailbox.as_bytes()[..]);
    let transaction = session.transaction().await?;
    let mark = format!("UPDATE today_{side} SET closed = true WHERE mailbox = $1 AND day = $2 AND NOT closed RETURNING newest");
    let Some(line) = transaction.query_opt(&mark, &[&id, &number]).await? else { return Ok(()) };
    let newest = line.try_get::<_, Option<&[u8]>>(0)?.map(array::<16>).transpose()?;
    if transaction.query_opt("SELECT 1 FROM mailbox WHERE id = $1", &[&id]).await?.is_none() {
        // the operator closed it: its rows go with the day's tables
        transaction.commit().await?;
        return Ok(());
    }
    let arrived = format!("SELECT count(*) FROM arrived_{side} WHERE mailbox = $1 AND day = $2");
    let arrived: i64 = transaction.query_one(&arrived, &[&id, &number]).await?.try_get(0)?;
    let take = format!(
        "INSERT INTO sealed_row (mailbox, day, id, lane, bytes)
         SELECT mailbox, day, id, lane, bytes FROM arrived_{side} WHERE mailbox = $1 AND day = $2 ORDER BY id ON CONFLICT DO NOTHING"
    );
    transaction.execute(&take, &[&id, &number]).await?;
    let kept = "SELECT count(*) FROM sealed_row WHERE mailbox = $1 AND day = $2";
    let kept: i64 = transaction.query_one(kept, &[&id, &number]).await?.try_get(0)?;
    if kept != arrived {
        return Err(StorageError::Damaged); // the day's tables stay
    }
    let total = format!(
        "INSERT INTO day_total (mailbox, day, lane, row_count, byte_count)
         SELECT mailbox, day, lane, count(*), sum(octet_length(bytes)) FROM arrived_{side}
         WHERE mailbox = $1 AND day = $2 GROUP BY mailbox, day, lane ORDER BY lane
         ON CONFLICT (mailbox, day, lane) DO UPDATE SET row_count = excluded.row_count, byte_count = excluded.byte_count"
    );
    transaction.execute(&total, &[&id, &number]).await?;
    if let Some(newest) = newest {
        transaction.execute("UPDATE mailbox SET newest = $2 WHERE id = $1", &[&id, &&newest[..]]).await?;
    }
    transaction.commit().await?;
    Ok(())
}
