//! Mailboxes and their keys.

use super::connection::{Session, array, column, day_of, mailbox_id, unsigned};
use crate::config::EARLIER_PULL_KEYS_MAX_COUNT;
use crate::storage::{Access, Adoption, EarlierPullKey, KeyReplacement, Mailbox, StorageError};
use satchel_wire::frame::AccessKeys;
use satchel_wire::{MailboxId, Row, RowId, UtcDay};

const CLOSE_BATCH_COUNT: i64 = 10_000;
const COLUMNS: &str = "SELECT id, quota_bytes, claim_hash, generation, control, pull, push,
    ARRAY(SELECT key FROM earlier_pull WHERE mailbox = id ORDER BY replaced DESC, key),
    ARRAY(SELECT replaced FROM earlier_pull WHERE mailbox = id ORDER BY replaced DESC, key)
    FROM mailbox";

fn read(row: &tokio_postgres::Row) -> Result<Mailbox, StorageError> {
    let key = |index: usize| -> Result<Option<[u8; 32]>, StorageError> { row.try_get::<_, Option<&[u8]>>(index)?.map(array).transpose() };
    let access = match (row.try_get::<_, Option<i64>>(3)?, key(4)?, key(5)?, key(6)?) {
        (Some(generation), Some(control), Some(pull), Some(push)) => {
            let (keys, days): (Vec<&[u8]>, Vec<i32>) = (row.try_get(7)?, row.try_get(8)?);
            let earlier = keys
                .into_iter()
                .zip(days)
                .map(|(key, day)| Ok(EarlierPullKey { key: array(key)?, replaced: day_of(day)? }))
                .collect::<Result<_, StorageError>>()?;
            Some(Access { generation: unsigned(generation)?, control, keys: AccessKeys { pull, push }, earlier })
        }
        (None, None, None, None) => None,
        _ => return Err(StorageError::Damaged),
    };
    Ok(Mailbox { id: mailbox_id(row.try_get(0)?)?, quota_bytes: unsigned(row.try_get(1)?)?, claim_hash: array(row.try_get(2)?)?, access })
}

/// A mailbox without its rows.
pub async fn mailbox(session: &Session, mailbox: &MailboxId) -> Result<Option<Mailbox>, StorageError> {
    let statement = session.prepare_cached(&format!("{COLUMNS} WHERE id = $1")).await?;
    session.query_opt(&statement, &[&&mailbox.as_bytes()[..]]).await?.as_ref().map(read).transpose()
}

/// All mailboxes, by id.
pub async fn mailboxes(session: &Session) -> Result<Vec<Mailbox>, StorageError> {
    session.query(&format!("{COLUMNS} ORDER BY id"), &[]).await?.iter().map(read).collect()
}

/// Makes a mailbox.
pub async fn create(session: &Session, mailbox: &MailboxId, quota_bytes: u64, claim_hash: &[u8; 32]) -> Result<(), StorageError> {
    let quota = i64::try_from(quota_bytes).unwrap_or(i64::MAX);
    let insert = "INSERT INTO mailbox (id, quota_bytes, claim_hash) VALUES ($1, $2, $3)";
    session.execute(insert, &[&&mailbox.as_bytes()[..], &quota, &&claim_hash[..]]).await?;
    Ok(())
}

/// Sets the room of a mailbox; false when it is gone.
pub async fn set_quota(session: &Session, mailbox: &MailboxId, quota_bytes: u64) -> Result<bool, StorageError> {
    let quota = i64::try_from(quota_bytes).unwrap_or(i64::MAX);
    Ok(session.execute("UPDATE mailbox SET quota_bytes = $2 WHERE id = $1", &[&&mailbox.as_bytes()[..], &quota]).await? == 1)
}

/// Forgets keys and sets another secret; false when the mailbox is gone.
pub async fn hand_over(session: &mut Session, mailbox: &MailboxId, claim_hash: &[u8; 32]) -> Result<bool, StorageError> {
    let id = &mailbox.as_bytes()[..];
    let transaction = session.transaction().await?;
    let forget = "UPDATE mailbox SET claim_hash = $2, generation = NULL, control = NULL, pull = NULL, push = NULL WHERE id = $1";
    let changed = transaction.execute(forget, &[&id, &&claim_hash[..]]).await?;
    transaction.execute("DELETE FROM earlier_pull WHERE mailbox = $1", &[&id]).await?;
    transaction.commit().await?;
    Ok(changed == 1)
}

/// Takes a mailbox over, without rows; false when it is here.
pub async fn adopt(session: &mut Session, adoption: &Adoption<'_>) -> Result<bool, StorageError> {
    let mailbox = adoption.mailbox;
    let id = &mailbox.id.as_bytes()[..];
    let quota = i64::try_from(mailbox.quota_bytes).unwrap_or(i64::MAX);
    let newest = adoption.newest.as_ref().map(|newest| &newest.as_bytes()[..]);
    let transaction = session.transaction().await?;
    let make = "INSERT INTO mailbox (id, quota_bytes, claim_hash, newest) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    if transaction.execute(make, &[&id, &quota, &&mailbox.claim_hash[..], &newest]).await? == 0 {
        return Ok(false);
    }
    if let Some(access) = &mailbox.access {
        let generation = i64::try_from(access.generation).map_err(|_| StorageError::Damaged)?;
        let keys = "UPDATE mailbox SET generation = $2, control = $3, pull = $4, push = $5 WHERE id = $1";
        let (pull, push) = (&access.keys.pull[..], &access.keys.push[..]);
        transaction.execute(keys, &[&id, &generation, &&access.control[..], &pull, &push]).await?;
        for earlier in &access.earlier {
            let insert = "INSERT INTO earlier_pull (mailbox, key, replaced) VALUES ($1, $2, $3)";
            transaction.execute(insert, &[&id, &&earlier.key[..], &column(earlier.replaced)]).await?;
        }
    }
    for batch in adoption.deletions {
        let day = column(batch.day);
        transaction.execute("INSERT INTO deletion_batch (mailbox, day) VALUES ($1, $2)", &[&id, &day]).await?;
        let names: Vec<&[u8]> = batch.rows.iter().map(|name| &name.as_bytes()[..]).collect();
        let insert = "INSERT INTO deletion (mailbox, day, name) SELECT $1, $2, unnest($3::bytea[])";
        transaction.execute(insert, &[&id, &day, &names]).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

/// Takes rows of a closed day over.
pub async fn adopt_rows(session: &mut Session, mailbox: &MailboxId, day: UtcDay, rows: &[(RowId, Row)]) -> Result<(), StorageError> {
    let (id, day) = (&mailbox.as_bytes()[..], column(day));
    let ids: Vec<&[u8]> = rows.iter().map(|(id, _)| &id.as_bytes()[..]).collect();
    let lanes: Vec<i16> = rows.iter().map(|(_, row)| i16::from(row.lane().byte())).collect();
    let bytes: Vec<&[u8]> = rows.iter().map(|(_, row)| row.as_bytes()).collect();
    let transaction = session.transaction().await?;
    let insert = "
        WITH made AS (
            INSERT INTO sealed_row (mailbox, day, id, lane, bytes)
            SELECT $1, $2, id, lane, bytes FROM unnest($3::bytea[], $4::smallint[], $5::bytea[]) AS given (id, lane, bytes)
            ON CONFLICT DO NOTHING RETURNING lane, octet_length(bytes) AS size)
        INSERT INTO day_total AS total (mailbox, day, lane, row_count, byte_count)
        SELECT $1, $2, lane, count(*), sum(size) FROM made GROUP BY lane ORDER BY lane
        ON CONFLICT (mailbox, day, lane) DO UPDATE
        SET row_count = total.row_count + excluded.row_count, byte_count = total.byte_count + excluded.byte_count";
    transaction.execute(insert, &[&id, &day, &ids, &lanes, &bytes]).await?;
    transaction.commit().await?;
    Ok(())
}

/// First keys; false when it is claimed or gone.
pub async fn claim(session: &Session, mailbox: &MailboxId, control: &[u8; 32], keys: &AccessKeys) -> Result<bool, StorageError> {
    let claim = "UPDATE mailbox SET generation = 0, control = $2, pull = $3, push = $4 WHERE id = $1 AND generation IS NULL";
    let changed = session.execute(claim, &[&&mailbox.as_bytes()[..], &&control[..], &&keys.pull[..], &&keys.push[..]]).await?;
    Ok(changed == 1)
}

/// Replaces keys; false when another generation is in force.
pub async fn replace_keys(session: &mut Session, id: &MailboxId, change: &KeyReplacement) -> Result<bool, StorageError> {
    let generation = i64::try_from(change.generation).map_err(|_| StorageError::Damaged)?;
    let follows = i64::try_from(change.follows).map_err(|_| StorageError::Damaged)?;
    let mailbox = &id.as_bytes()[..];
    let transaction = session.transaction().await?;
    let locked = "SELECT pull FROM mailbox WHERE id = $1 AND generation = $2 FOR UPDATE";
    let Some(row) = transaction.query_opt(locked, &[&mailbox, &follows]).await? else { return Ok(false) };
    let pull: [u8; 32] = array(row.try_get(0)?)?;
    let update = "UPDATE mailbox SET generation = $2, control = $3, pull = $4, push = $5 WHERE id = $1";
    let (new_pull, new_push) = (&change.keys.pull[..], &change.keys.push[..]);
    transaction.execute(update, &[&mailbox, &generation, &&change.control[..], &new_pull, &new_push]).await?;
    if pull != change.keys.pull {
        let insert = "INSERT INTO earlier_pull (mailbox, key, replaced) VALUES ($1, $2, $3)
            ON CONFLICT (mailbox, key) DO UPDATE SET replaced = excluded.replaced";
        transaction.execute(insert, &[&mailbox, &&pull[..], &column(change.day)]).await?;
    }
    let forget = "DELETE FROM earlier_pull WHERE mailbox = $1 AND (key = $2 OR replaced < $3)";
    transaction.execute(forget, &[&mailbox, &new_pull, &column(change.forget_before)]).await?;
    let surplus = "DELETE FROM earlier_pull WHERE mailbox = $1 AND key IN
        (SELECT key FROM earlier_pull WHERE mailbox = $1 ORDER BY replaced DESC, key OFFSET $2)";
    transaction.execute(surplus, &[&mailbox, &(EARLIER_PULL_KEYS_MAX_COUNT as i64)]).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Forgets earlier pull keys that were replaced before a day.
pub async fn forget_keys(session: &Session, before: UtcDay) -> Result<(), StorageError> {
    session.execute("DELETE FROM earlier_pull WHERE replaced < $1", &[&column(before)]).await?;
    Ok(())
}

/// Removes a mailbox at once and its rows in batches.
pub async fn close(session: &mut Session, mailbox: &MailboxId) -> Result<bool, StorageError> {
    let id = &mailbox.as_bytes()[..];
    let transaction = session.transaction().await?;
    let mut removed = transaction.execute("DELETE FROM mailbox WHERE id = $1", &[&id]).await?;
    for table in ["earlier_pull", "day_total", "deletion", "deletion_batch"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE mailbox = $1"), &[&id]).await?;
    }
    for side in 0..2 {
        // waits for pushes under way, and refuses later ones
        let lines = format!(
            "INSERT INTO today_{side} AS today (mailbox, day, row_count, byte_count, newest, closed)
             SELECT $1, day, 0, 0, NULL, true FROM opened_day WHERE day % 2 = {side} ORDER BY day
             ON CONFLICT (mailbox, day) DO UPDATE SET closed = true"
        );
        transaction.execute(&lines, &[&id]).await?;
        removed += transaction.execute(&format!("DELETE FROM arrived_{side} WHERE mailbox = $1"), &[&id]).await?;
    }
    transaction.commit().await?;
    loop {
        let batch =
            "DELETE FROM sealed_row WHERE mailbox = $1 AND (day, id) IN (SELECT day, id FROM sealed_row WHERE mailbox = $1 LIMIT $2)";
        let batch = session.execute(batch, &[&id, &CLOSE_BATCH_COUNT]).await?;
        removed += batch;
        if batch == 0 {
            return Ok(removed > 0);
        }
    }
}
