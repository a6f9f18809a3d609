//! Rows come in.
//!
//! One transaction keeps rows, counts them in the mailbox's line of the day, and looks at the running day last. The
//! line's lock makes pushes of one mailbox follow each other, whichever relay they come through, and it is what closing
//! the day waits for (see `closing`).

use super::connection::{Session, array, column, day_of, row_id, side, unsigned};
use crate::arrivals::RowHead;
use crate::config::REPEAT_LOOKBACK_DAYS;
use crate::storage::{Deposit, Deposited, StorageError};
use satchel_wire::{AnnouncementId, MailboxId, RowId, UtcDay};
use std::collections::BTreeMap;

/// Keeps rows, all or none.
pub async fn deposit(session: &mut Session, deposit: &Deposit<'_>) -> Result<Deposited, StorageError> {
    let known = known_rows(session, deposit).await?;
    let fresh: Vec<_> = deposit.rows.iter().filter(|(id, _)| !known.contains_key(id)).collect();
    let mut earlier = known.values();
    let first = earlier.next().copied().filter(|_| known.len() == deposit.rows.len());
    let earlier_day = first.filter(|day| earlier.all(|other| other == day));
    let nothing = Deposited { added: Vec::new(), added_bytes: 0, earlier_day, day_rows: None };
    if fresh.is_empty() && deposit.announcement.is_none() {
        return Ok(nothing);
    }

    let (side, mailbox, day) = (side(deposit.day), &deposit.mailbox.as_bytes()[..], column(deposit.day));
    let insert = session
        .prepare_cached(&format!(
            "INSERT INTO arrived_{side} (mailbox, day, id, lane, bytes)
             SELECT $1, $2, id, lane, bytes FROM unnest($3::bytea[], $4::smallint[], $5::bytea[]) AS given (id, lane, bytes)
             ON CONFLICT DO NOTHING RETURNING id"
        ))
        .await?;
    let count = session
        .prepare_cached(&format!(
            "INSERT INTO today_{side} AS today (mailbox, day, row_count, byte_count, newest, closed) VALUES ($1, $2, $3, $4, NULL, false)
             ON CONFLICT (mailbox, day) DO UPDATE
             SET row_count = today.row_count + excluded.row_count, byte_count = today.byte_count + excluded.byte_count
             WHERE NOT today.closed
             RETURNING row_count, newest"
        ))
        .await?;
    let look = session.prepare_cached("SELECT open_from, closed_through FROM relay_state WHERE one = 1").await?;
    let ids: Vec<&[u8]> = fresh.iter().map(|(id, _)| &id.as_bytes()[..]).collect();
    let lanes: Vec<i16> = fresh.iter().map(|(_, row)| i16::from(row.lane().byte())).collect();
    let bytes: Vec<&[u8]> = fresh.iter().map(|(_, row)| row.as_bytes()).collect();

    // dropped without a commit it is rolled back
    let transaction = session.transaction().await?;
    let mut added_ids = Vec::with_capacity(fresh.len());
    for row in transaction.query(&insert, &[&mailbox, &day, &ids, &lanes, &bytes]).await? {
        added_ids.push(row_id(row.try_get(0)?)?);
    }
    added_ids.sort_unstable();
    let mut added = Vec::with_capacity(added_ids.len());
    let mut added_bytes = 0u64;
    for (id, row) in fresh {
        if added_ids.binary_search(id).is_ok() {
            added.push(RowHead { id: *id, lane: row.lane() });
            added_bytes += row.as_bytes().len() as u64;
        }
    }
    if added.is_empty() && deposit.announcement.is_none() {
        return Ok(nothing);
    }
    if added_bytes > deposit.room_bytes {
        return Err(StorageError::NoRoom);
    }
    let size = i64::try_from(added_bytes).map_err(|_| StorageError::NoRoom)?;
    let counted = transaction.query_opt(&count, &[&mailbox, &day, &(added.len() as i64), &size]).await?.ok_or(StorageError::DayClosed)?;
    let day_rows = unsigned(counted.try_get(0)?)?;
    if let Some((announcement, on_top_of)) = deposit.announcement {
        let newest = match counted.try_get::<_, Option<&[u8]>>(1)? {
            Some(id) => Some(AnnouncementId::from_bytes(array(id)?)),
            None => newest_before(&transaction, &deposit.mailbox, deposit.day).await?,
        };
        if newest == Some(announcement) {
            return Ok(nothing);
        }
        // an older announcement once more cannot become the newest again, either
        if newest != on_top_of || added.is_empty() {
            return Err(StorageError::NotNewest);
        }
        let replace = format!("UPDATE today_{side} SET newest = $3 WHERE mailbox = $1 AND day = $2");
        transaction.execute(&replace, &[&mailbox, &day, &&announcement.as_bytes()[..]]).await?;
    }
    // last: whoever moved the day on before this waits for the line above, and sees these rows
    let state = transaction.query_one(&look, &[]).await?;
    let (open_from, closed_through): (i32, i32) = (state.try_get(0)?, state.try_get(1)?);
    if open_from != day || closed_through + 2 < day {
        return Err(StorageError::DayClosed);
    }
    transaction.commit().await?;
    Ok(Deposited { added, added_bytes, earlier_day, day_rows: Some(day_rows) })
}

/// The newest announcement of earlier days.
pub async fn newest_before(
    transaction: &deadpool_postgres::Transaction<'_>,
    mailbox: &MailboxId,
    day: UtcDay,
) -> Result<Option<AnnouncementId>, StorageError> {
    let other = 1 - side(day);
    let statement = format!(
        "SELECT coalesce((SELECT newest FROM today_{other} WHERE mailbox = $1 AND day < $2 AND newest IS NOT NULL ORDER BY day DESC LIMIT 1),
                         (SELECT newest FROM mailbox WHERE id = $1))"
    );
    let found = transaction.query_one(&statement, &[&&mailbox.as_bytes()[..], &column(day)]).await?;
    Ok(match found.try_get::<_, Option<&[u8]>>(0)? {
        Some(id) => Some(AnnouncementId::from_bytes(array(id)?)),
        None => None,
    })
}

/// Which of these rows came on which of the days before.
async fn known_rows(session: &Session, deposit: &Deposit<'_>) -> Result<BTreeMap<RowId, UtcDay>, StorageError> {
    let other = 1 - side(deposit.day);
    let statement = session
        .prepare_cached(&format!(
            "SELECT id, day FROM sealed_row WHERE mailbox = $1 AND id = ANY ($4)
               AND day = ANY (ARRAY(SELECT DISTINCT day FROM day_total WHERE mailbox = $1 AND day >= $2 AND day < $3))
             UNION ALL
             SELECT id, day FROM arrived_{other} WHERE mailbox = $1 AND id = ANY ($4) AND day >= $2 AND day < $3"
        ))
        .await?;
    let ids: Vec<&[u8]> = deposit.rows.iter().map(|(id, _)| &id.as_bytes()[..]).collect();
    let from = column(deposit.day.minus(REPEAT_LOOKBACK_DAYS));
    let mailbox = &deposit.mailbox.as_bytes()[..];
    let mut known = BTreeMap::new();
    for row in session.query(&statement, &[&mailbox, &from, &column(deposit.day), &ids]).await? {
        known.insert(row_id(row.try_get(0)?)?, day_of(row.try_get(1)?)?);
    }
    Ok(known)
}
