//! `relay.db`: mailboxes, keys, and the rows of closed days.
//!
//! Rows come here once a day, mailbox by mailbox in id order, and within one in row-id order. Where a row
//! lies in the file is therefore a function of (mailbox, day, row id) alone.

use super::connection::{Pool, give_back_pages, truncate_log};
use super::{row_table, schema};
use crate::config::EARLIER_PULL_KEYS_MAX_COUNT;
use crate::storage::{Access, Adoption, EarlierPullKey, KeyReplacement, Mailbox, StorageError};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use satchel_wire::frame::AccessKeys;
use satchel_wire::{AnnouncementId, Lane, MailboxId, Row, RowId, UtcDay};
use std::path::{Path, PathBuf};

const CLOSE_BATCH_COUNT: i64 = 1_000;
const COLUMNS: &str = "SELECT id, quota_bytes, claim_hash, generation, control, pull, push FROM mailbox";

/// `relay.db`.
pub struct Archive {
    /// Connections.
    pub pool: Pool,
}

fn unsigned(value: i64) -> Result<u64, StorageError> {
    u64::try_from(value).map_err(|_| StorageError::Damaged)
}

fn earlier(connection: &Connection, mailbox: &MailboxId) -> Result<Vec<EarlierPullKey>, StorageError> {
    let mut statement =
        connection.prepare_cached("SELECT key, replaced FROM earlier_pull WHERE mailbox = ?1 ORDER BY replaced DESC, key")?;
    let mut found = statement.query(params![mailbox.as_bytes()])?;
    let mut keys = Vec::new();
    while let Some(row) = found.next()? {
        keys.push(EarlierPullKey { key: row.get(0)?, replaced: row_table::day_of(row.get(1)?)? });
    }
    Ok(keys)
}

fn read_mailbox(connection: &Connection, row: &rusqlite::Row<'_>) -> Result<Mailbox, StorageError> {
    let id = MailboxId::from_bytes(row.get(0)?);
    let access = match (row.get::<_, Option<i64>>(3)?, row.get(4)?, row.get(5)?, row.get(6)?) {
        (Some(generation), Some(control), Some(pull), Some(push)) => {
            Some(Access { generation: unsigned(generation)?, control, keys: AccessKeys { pull, push }, earlier: earlier(connection, &id)? })
        }
        (None, None, None, None) => None,
        _ => return Err(StorageError::Damaged),
    };
    Ok(Mailbox { id, quota_bytes: unsigned(row.get(1)?)?, claim_hash: row.get(2)?, access })
}

/// A mailbox without its rows.
pub fn mailbox(connection: &Connection, id: &MailboxId) -> Result<Option<Mailbox>, StorageError> {
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?;
    let mut found = statement.query(params![id.as_bytes()])?;
    found.next()?.map(|row| read_mailbox(connection, row)).transpose()
}

/// The newest announcement of closed days.
pub fn newest(connection: &Connection, mailbox: &MailboxId) -> Result<Option<AnnouncementId>, StorageError> {
    let mut statement = connection.prepare_cached("SELECT newest FROM mailbox WHERE id = ?1")?;
    let id = statement.query_row(params![mailbox.as_bytes()], |row| row.get::<_, Option<[u8; 16]>>(0)).optional()?;
    Ok(id.flatten().map(AnnouncementId::from_bytes))
}

impl Archive {
    /// Opens the file, or makes it.
    pub fn open(path: PathBuf) -> Result<Self, StorageError> {
        Ok(Self { pool: Pool::open(path, true, |connection| schema::migrate(connection, schema::RELAY))? })
    }

    /// All mailboxes, by id.
    pub fn mailboxes(&self) -> Result<Vec<Mailbox>, StorageError> {
        self.pool.read(|connection| {
            let mut statement = connection.prepare_cached(&format!("{COLUMNS} ORDER BY id"))?;
            let mut found = statement.query([])?;
            let mut mailboxes = Vec::new();
            while let Some(row) = found.next()? {
                mailboxes.push(read_mailbox(connection, row)?);
            }
            Ok(mailboxes)
        })
    }

    /// Makes a mailbox.
    pub fn create(&self, mailbox: &MailboxId, quota_bytes: u64, claim_hash: &[u8; 32]) -> Result<(), StorageError> {
        let quota = i64::try_from(quota_bytes).unwrap_or(i64::MAX);
        let values = params![mailbox.as_bytes(), quota, claim_hash];
        self.pool.writer().execute("INSERT INTO mailbox (id, quota_bytes, claim_hash) VALUES (?1, ?2, ?3)", values)?;
        Ok(())
    }

    /// Sets the room of a mailbox.
    pub fn set_quota(&self, mailbox: &MailboxId, quota_bytes: u64) -> Result<bool, StorageError> {
        let quota = i64::try_from(quota_bytes).unwrap_or(i64::MAX);
        let changed =
            self.pool.writer().execute("UPDATE mailbox SET quota_bytes = ?2 WHERE id = ?1", params![mailbox.as_bytes(), quota])?;
        Ok(changed == 1)
    }

    /// Forgets keys and sets another secret.
    pub fn hand_over(&self, mailbox: &MailboxId, claim_hash: &[u8; 32]) -> Result<bool, StorageError> {
        let mut writer = self.pool.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let changed = transaction.execute(
            "UPDATE mailbox SET claim_hash = ?2, generation = NULL, control = NULL, pull = NULL, push = NULL WHERE id = ?1",
            params![mailbox.as_bytes(), claim_hash],
        )?;
        transaction.execute("DELETE FROM earlier_pull WHERE mailbox = ?1", params![mailbox.as_bytes()])?;
        transaction.commit()?;
        Ok(changed == 1)
    }

    /// Takes a mailbox over, without rows.
    pub fn adopt(&self, adoption: &Adoption<'_>) -> Result<bool, StorageError> {
        let mailbox = adoption.mailbox;
        let id = mailbox.id.as_bytes();
        let mut writer = self.pool.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let quota = i64::try_from(mailbox.quota_bytes).unwrap_or(i64::MAX);
        let newest = adoption.newest.as_ref().map(AnnouncementId::as_bytes);
        let made = transaction.execute(
            "INSERT INTO mailbox (id, quota_bytes, claim_hash, newest) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            params![id, quota, mailbox.claim_hash, newest],
        )?;
        if made == 0 {
            return Ok(false);
        }
        if let Some(access) = &mailbox.access {
            let generation = i64::try_from(access.generation).map_err(|_| StorageError::Damaged)?;
            transaction.execute(
                "UPDATE mailbox SET generation = ?2, control = ?3, pull = ?4, push = ?5 WHERE id = ?1",
                params![id, generation, access.control, access.keys.pull, access.keys.push],
            )?;
            for earlier in &access.earlier {
                let values = params![id, earlier.replaced.days(), earlier.key];
                transaction.execute("INSERT INTO earlier_pull (mailbox, replaced, key) VALUES (?1, ?2, ?3)", values)?;
            }
        }
        for batch in adoption.deletions {
            let day = batch.day.days();
            transaction.execute("INSERT INTO deletion_batch (mailbox, day) VALUES (?1, ?2)", params![id, day])?;
            for name in &batch.rows {
                let values = params![id, day, name.as_bytes()];
                transaction.execute("INSERT INTO deletion (mailbox, day, name) VALUES (?1, ?2, ?3)", values)?;
            }
        }
        transaction.commit()?;
        Ok(true)
    }

    /// Takes rows of a closed day over.
    pub fn adopt_rows(&self, mailbox: &MailboxId, day: UtcDay, rows: &[(RowId, Row)]) -> Result<(), StorageError> {
        let mut writer = self.pool.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (id, row) in rows {
            if row_table::contains(&transaction, mailbox, day, id)? {
                continue;
            }
            row_table::insert(&transaction, mailbox, day, id, row)?;
            transaction.execute(
                "INSERT INTO day_total (mailbox, day, lane, row_count, byte_count) VALUES (?1, ?2, ?3, 1, ?4)
                 ON CONFLICT (mailbox, day, lane) DO UPDATE SET row_count = row_count + 1, byte_count = byte_count + ?4",
                params![mailbox.as_bytes(), day.days(), row.lane().byte(), row.as_bytes().len() as i64],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// First keys; false when it is claimed or gone.
    pub fn claim(&self, mailbox: &MailboxId, control: &[u8; 32], keys: &AccessKeys) -> Result<bool, StorageError> {
        let changed = self.pool.writer().execute(
            "UPDATE mailbox SET generation = 0, control = ?2, pull = ?3, push = ?4 WHERE id = ?1 AND generation IS NULL",
            params![mailbox.as_bytes(), control, keys.pull, keys.push],
        )?;
        Ok(changed == 1)
    }

    /// Replaces keys; false when another generation is in force.
    pub fn replace_keys(&self, id: &MailboxId, change: &KeyReplacement) -> Result<bool, StorageError> {
        let generation = i64::try_from(change.generation).map_err(|_| StorageError::Damaged)?;
        let mut writer = self.pool.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some(access) = mailbox(&transaction, id)?.and_then(|mailbox| mailbox.access) else { return Ok(false) };
        if access.generation != change.follows {
            return Ok(false);
        }
        transaction.execute(
            "UPDATE mailbox SET generation = ?2, control = ?3, pull = ?4, push = ?5 WHERE id = ?1",
            params![id.as_bytes(), generation, change.control, change.keys.pull, change.keys.push],
        )?;
        if access.keys.pull != change.keys.pull {
            transaction.execute(
                "INSERT INTO earlier_pull (mailbox, replaced, key) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET replaced = ?2",
                params![id.as_bytes(), change.day.days(), access.keys.pull],
            )?;
        }
        transaction.execute("DELETE FROM earlier_pull WHERE mailbox = ?1 AND key = ?2", params![id.as_bytes(), change.keys.pull])?;
        transaction.execute("DELETE FROM earlier_pull WHERE replaced < ?1", params![change.forget_before.days()])?;
        for surplus in earlier(&transaction, id)?.iter().skip(EARLIER_PULL_KEYS_MAX_COUNT) {
            transaction.execute("DELETE FROM earlier_pull WHERE mailbox = ?1 AND key = ?2", params![id.as_bytes(), surplus.key])?;
        }
        transaction.commit()?;
        Ok(true)
    }

    /// Forgets earlier pull keys that were replaced before a day.
    pub fn forget_keys(&self, before: UtcDay) -> Result<(), StorageError> {
        self.pool.writer().execute("DELETE FROM earlier_pull WHERE replaced < ?1", params![before.days()])?;
        Ok(())
    }

    /// Removes a mailbox at once and its rows in batches, so that a running server is never kept waiting.
    pub fn remove_mailbox(&self, mailbox: &MailboxId) -> Result<usize, StorageError> {
        let mut removed = {
            let mut writer = self.pool.writer();
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let removed = transaction.execute("DELETE FROM mailbox WHERE id = ?1", params![mailbox.as_bytes()])?;
            transaction.execute("DELETE FROM earlier_pull WHERE mailbox = ?1", params![mailbox.as_bytes()])?;
            transaction.execute("DELETE FROM day_total WHERE mailbox = ?1", params![mailbox.as_bytes()])?;
            transaction.execute("DELETE FROM deletion WHERE mailbox = ?1", params![mailbox.as_bytes()])?;
            transaction.execute("DELETE FROM deletion_batch WHERE mailbox = ?1", params![mailbox.as_bytes()])?;
            transaction.commit()?;
            removed
        };
        loop {
            let batch = self.pool.writer().execute(
                "DELETE FROM sealed_row WHERE mailbox = ?1 AND (day, id) IN (SELECT day, id FROM sealed_row WHERE mailbox = ?1 LIMIT ?2)",
                params![mailbox.as_bytes(), CLOSE_BATCH_COUNT],
            )?;
            removed += batch;
            if batch == 0 {
                break;
            }
        }
        give_back_pages(&self.pool.writer())?;
        Ok(removed)
    }

    /// Size of a mailbox's rows of closed days (bytes), except the days in `skip`.
    pub fn used_bytes(&self, mailbox: &MailboxId, skip: &[UtcDay]) -> Result<u64, StorageError> {
        self.pool.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT day, byte_count FROM day_total WHERE mailbox = ?1")?;
            let mut found = statement.query(params![mailbox.as_bytes()])?;
            let mut sum = 0u64;
            while let Some(row) = found.next()? {
                if !skip.contains(&row_table::day_of(row.get(0)?)?) {
                    sum = sum.saturating_add(unsigned(row.get(1)?)?);
                }
            }
            Ok(sum)
        })
    }

    /// The first closed day from `from` on that has rows of the lane.
    pub fn next_day(&self, mailbox: &MailboxId, from: UtcDay, lane: Option<Lane>) -> Result<Option<UtcDay>, StorageError> {
        self.pool.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT day FROM day_total WHERE mailbox = ?1 AND day >= ?2 AND (?3 IS NULL OR lane = ?3) ORDER BY day LIMIT 1",
            )?;
            let values = params![mailbox.as_bytes(), from.days(), lane.map(Lane::byte)];
            statement.query_row(values, |row| row.get::<_, i64>(0)).optional()?.map(row_table::day_of).transpose()
        })
    }

    /// The newest closed day of any mailbox.
    pub fn newest_day(&self) -> Result<Option<UtcDay>, StorageError> {
        self.pool.read(|connection| {
            let newest: Option<i64> = connection.query_row("SELECT max(day) FROM day_total", [], |row| row.get(0))?;
            newest.map(row_table::day_of).transpose()
        })
    }

    /// Takes over a closed day's rows in order; repeating it changes nothing.
    pub fn take_over(&self, day_file: &Path) -> Result<(), StorageError> {
        let mut writer = self.pool.writer();
        let path = day_file.to_str().ok_or(StorageError::Full)?;
        writer.execute("ATTACH ?1 AS closing", params![path])?;
        let result = take_over_attached(&mut writer);
        writer.execute_batch("DETACH closing")?;
        result?;
        truncate_log(&writer)
    }
}

fn take_over_attached(writer: &mut Connection) -> Result<(), StorageError> {
    let mailboxes: Vec<[u8; 16]> = {
        let mut statement = writer.prepare("SELECT DISTINCT mailbox FROM closing.sealed_row ORDER BY mailbox")?;
        let found = statement.query_map([], |row| row.get(0))?;
        found.collect::<Result<_, _>>()?
    };
    for mailbox in mailboxes {
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let exists = transaction.query_row("SELECT 1 FROM main.mailbox WHERE id = ?1", params![mailbox], |_| Ok(())).optional()?;
        if exists.is_none() {
            continue; // the operator closed it: its rows go with the day's file
        }
        // the WHERE tells the parser that ON CONFLICT belongs to the INSERT
        transaction.execute(
            "INSERT INTO main.sealed_row (mailbox, day, id, lane, bytes)
             SELECT mailbox, day, id, lane, bytes FROM closing.sealed_row WHERE mailbox = ?1 ORDER BY mailbox, day, id
             ON CONFLICT (mailbox, day, id) DO NOTHING",
            params![mailbox],
        )?;
        transaction.execute(
            "INSERT INTO main.day_total (mailbox, day, lane, row_count, byte_count)
             SELECT mailbox, day, lane, count(*), sum(length(bytes)) FROM closing.sealed_row WHERE mailbox = ?1 GROUP BY mailbox, day, lane
             ON CONFLICT (mailbox, day, lane) DO UPDATE SET row_count = excluded.row_count, byte_count = excluded.byte_count",
            params![mailbox],
        )?;
        transaction.execute(
            "UPDATE main.mailbox SET newest = (SELECT announcement FROM closing.newest WHERE mailbox = ?1)
             WHERE id = ?1 AND EXISTS (SELECT 1 FROM closing.newest WHERE mailbox = ?1)",
            params![mailbox],
        )?;
        let missing: i64 = transaction.query_row(
            "SELECT count(*) FROM closing.sealed_row AS arrived WHERE mailbox = ?1 AND NOT EXISTS
             (SELECT 1 FROM main.sealed_row AS kept WHERE kept.mailbox = ?1 AND kept.day = arrived.day AND kept.id = arrived.id)",
            params![mailbox],
            |row| row.get(0),
        )?;
        if missing != 0 {
            return Err(StorageError::Damaged); // the day's file stays
        }
        transaction.commit()?;
    }
    Ok(())
}
