//! Writing: one transaction at a time, all of it or nothing.

use super::{PageId, Reader, StorageError, Table};
use rusqlite::{Params, params};
use satchel_wire::{BodyId, OperationId, RecordId, RowId};
use std::ops::Deref;

/// Writes a store, and reads what it has written so far.
pub struct Transaction<'a> {
    pub(super) reader: Reader<'a>,
}

impl<'a> Deref for Transaction<'a> {
    type Target = Reader<'a>;

    fn deref(&self) -> &Reader<'a> {
        &self.reader
    }
}

impl Transaction<'_> {
    /// Sets a small value. Names are constants of the program, never anything a user wrote.
    pub fn put_meta(&self, name: &'static str, sealed: &[u8]) -> Result<(), StorageError> {
        Table::Meta.check(sealed)?;
        self.run("INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed", params![name, sealed])?;
        Ok(())
    }

    /// Removes a small value; says whether there was one.
    pub fn remove_meta(&self, name: &'static str) -> Result<bool, StorageError> {
        self.changed("DELETE FROM meta WHERE name = ?1", params![name])
    }

    /// Writes a page, new or under the id it has. To rewrite one under a fresh id, fold it.
    pub fn put_page(&self, page: &PageId, sealed: &[u8]) -> Result<(), StorageError> {
        Table::Page.check(sealed)?;
        if self.changed("UPDATE page SET sealed = ?2 WHERE page_id = ?1", params![page.as_bytes(), sealed])? {
            return Ok(());
        }
        let number = self.number_for(page.as_bytes(), "SELECT 1 FROM page WHERE number = ?1", "SELECT max(number) + 1 FROM page")?;
        self.run("INSERT INTO page VALUES (?1, ?2, ?3)", params![number, page.as_bytes(), sealed])?;
        Ok(())
    }

    /// Replaces a page by its rewritten self under a fresh id and drops its tails, which are in it now.
    /// Every record of the old page is from now on a record of the new one.
    ///
    /// Errors: [`StorageError::Absent`] if the old page does not exist, [`StorageError::Conflict`] if the new id is taken.
    pub fn fold_page(&self, old: &PageId, new: &PageId, sealed: &[u8]) -> Result<(), StorageError> {
        Table::Page.check(sealed)?;
        let number = self.require(old)?;
        self.run("UPDATE page SET page_id = ?2, sealed = ?3 WHERE number = ?1", params![number, new.as_bytes(), sealed])?;
        self.run("DELETE FROM tail WHERE page = ?1", params![number])?;
        Ok(())
    }

    /// Removes a page and its tails; says whether there was one.
    ///
    /// Errors: [`StorageError::Conflict`] while a record still points at it.
    pub fn remove_page(&self, page: &PageId) -> Result<bool, StorageError> {
        let Some(number) = self.number_of(page)? else { return Ok(false) };
        self.run("DELETE FROM tail WHERE page = ?1", params![number])?;
        self.changed("DELETE FROM page WHERE number = ?1", params![number])
    }

    /// Says which page holds a record; a tail it had under another page is dropped.
    ///
    /// Errors: [`StorageError::Absent`] if the page does not exist.
    pub fn put_record(&self, record: &RecordId, page: &PageId) -> Result<(), StorageError> {
        let number = self.require(page)?;
        self.point(record, number)
    }

    /// Writes a record's newest item beside its page, in place of an older one, and points the record at that page.
    ///
    /// Errors: [`StorageError::Absent`] if the page does not exist.
    pub fn put_tail(&self, record: &RecordId, page: &PageId, sealed: &[u8]) -> Result<(), StorageError> {
        Table::Tail.check(sealed)?;
        let number = self.require(page)?;
        self.point(record, number)?;
        self.run(
            "INSERT INTO tail VALUES (?1, ?2, ?3) ON CONFLICT (page, record_id) DO UPDATE SET sealed = excluded.sealed",
            params![number, record.as_bytes(), sealed],
        )?;
        Ok(())
    }

    /// Removes a record with its tail, bodies, drafts and snapshot; says whether any of it existed.
    /// Its item inside the page is sealed: fold the page without it in the same transaction.
    pub fn remove_record(&self, record: &RecordId) -> Result<bool, StorageError> {
        let id = params![record.as_bytes()];
        let mut removed = self.drop_tail(record)?;
        removed |= self.changed("DELETE FROM record WHERE record_id = ?1", id)?;
        removed |= self.changed("DELETE FROM body WHERE record_id = ?1", id)?;
        removed |= self.changed("DELETE FROM draft WHERE record_id = ?1", id)?;
        removed |= self.changed("DELETE FROM document WHERE record_id = ?1", id)?;
        Ok(removed)
    }

    /// Stores a body; says whether it is new. A body never changes, so one that exists is left alone.
    pub fn put_body(&self, record: &RecordId, body: &BodyId, sealed: &[u8]) -> Result<bool, StorageError> {
        Table::Body.check(sealed)?;
        self.changed("INSERT INTO body VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", params![record.as_bytes(), body.as_bytes(), sealed])
    }

    /// Removes a body; says whether there was one.
    pub fn remove_body(&self, record: &RecordId, body: &BodyId) -> Result<bool, StorageError> {
        self.changed("DELETE FROM body WHERE record_id = ?1 AND body_id = ?2", params![record.as_bytes(), body.as_bytes()])
    }

    /// Adds a draft.
    ///
    /// Errors: [`StorageError::Conflict`] if the record has a draft of this number.
    pub fn add_draft(&self, record: &RecordId, number: u32, sealed: &[u8]) -> Result<(), StorageError> {
        Table::Draft.check(sealed)?;
        self.run("INSERT INTO draft VALUES (?1, ?2, ?3)", params![record.as_bytes(), number, sealed])?;
        Ok(())
    }

    /// Removes one draft; says whether there was one.
    pub fn remove_draft(&self, record: &RecordId, number: u32) -> Result<bool, StorageError> {
        self.changed("DELETE FROM draft WHERE record_id = ?1 AND number = ?2", params![record.as_bytes(), number])
    }

    /// Removes the drafts of a record up to and including a number, after they were frozen; says how many.
    pub fn remove_drafts_up_to(&self, record: &RecordId, number: u32) -> Result<usize, StorageError> {
        self.run("DELETE FROM draft WHERE record_id = ?1 AND number <= ?2", params![record.as_bytes(), number])
    }

    /// Caches the snapshot of a document.
    pub fn put_document(&self, record: &RecordId, sealed: &[u8]) -> Result<(), StorageError> {
        Table::Document.check(sealed)?;
        if self.changed("UPDATE document SET sealed = ?2 WHERE record_id = ?1", params![record.as_bytes(), sealed])? {
            return Ok(());
        }
        let number =
            self.number_for(record.as_bytes(), "SELECT 1 FROM document WHERE number = ?1", "SELECT max(number) + 1 FROM document")?;
        self.run("INSERT INTO document VALUES (?1, ?2, ?3)", params![number, record.as_bytes(), sealed])?;
        Ok(())
    }

    /// Drops a cached snapshot; says whether there was one.
    pub fn remove_document(&self, record: &RecordId) -> Result<bool, StorageError> {
        self.changed("DELETE FROM document WHERE record_id = ?1", params![record.as_bytes()])
    }

    /// Writes a segment of the reconciliation index.
    pub fn put_segment(&self, number: u32, sealed: &[u8]) -> Result<(), StorageError> {
        Table::Ledger.check(sealed)?;
        let sql = "INSERT INTO ledger VALUES (?1, ?2) ON CONFLICT (segment) DO UPDATE SET sealed = excluded.sealed";
        self.run(sql, params![number, sealed])?;
        Ok(())
    }

    /// Removes a segment; says whether there was one.
    pub fn remove_segment(&self, number: u32) -> Result<bool, StorageError> {
        self.changed("DELETE FROM ledger WHERE segment = ?1", params![number])
    }

    /// Stores an operation of the team log; says whether it is new. One that exists is left alone.
    pub fn put_operation(&self, operation: &OperationId, sealed: &[u8]) -> Result<bool, StorageError> {
        Table::Operation.check(sealed)?;
        self.changed("INSERT INTO operation VALUES (?1, ?2) ON CONFLICT DO NOTHING", params![operation.as_bytes(), sealed])
    }

    /// Replaces the seal of a stored operation, as a changed store key demands; says whether there was one.
    pub fn reseal_operation(&self, operation: &OperationId, sealed: &[u8]) -> Result<bool, StorageError> {
        Table::Operation.check(sealed)?;
        self.changed("UPDATE operation SET sealed = ?2 WHERE op_id = ?1", params![operation.as_bytes(), sealed])
    }

    /// Holds a row back; says whether it is new. The caller bounds them: see [`Reader::held_usage`].
    pub fn put_held(&self, row: &RowId, sealed: &[u8]) -> Result<bool, StorageError> {
        Table::Held.check(sealed)?;
        self.changed("INSERT INTO held VALUES (?1, ?2) ON CONFLICT DO NOTHING", params![row.as_bytes(), sealed])
    }

    /// Lets go of a held row; says whether there was one.
    pub fn remove_held(&self, row: &RowId) -> Result<bool, StorageError> {
        self.changed("DELETE FROM held WHERE row_id = ?1", params![row.as_bytes()])
    }

    /// Appends to what waits to be pushed and says under which number. Numbers start again once it is empty.
    pub fn add_outbox(&self, sealed: &[u8]) -> Result<u32, StorageError> {
        Table::Outbox.check(sealed)?;
        let mut statement = self.connection.prepare_cached("SELECT coalesce(max(number) + 1, 0) FROM outbox")?;
        let number: u32 = statement.query_row([], |row| row.get(0))?;
        self.run("INSERT INTO outbox VALUES (?1, ?2)", params![number, sealed])?;
        Ok(number)
    }

    /// Removes what was pushed; says whether it was there.
    pub fn remove_outbox(&self, number: u32) -> Result<bool, StorageError> {
        self.changed("DELETE FROM outbox WHERE number = ?1", params![number])
    }

    fn point(&self, record: &RecordId, number: i64) -> Result<(), StorageError> {
        let sql = "DELETE FROM tail WHERE record_id = ?1 AND page = (SELECT page FROM record WHERE record_id = ?1) AND page <> ?2";
        self.run(sql, params![record.as_bytes(), number])?;
        let sql =
            "INSERT INTO record VALUES (?1, ?2) ON CONFLICT (record_id) DO UPDATE SET page = excluded.page WHERE page <> excluded.page";
        self.run(sql, params![record.as_bytes(), number])?;
        Ok(())
    }

    fn drop_tail(&self, record: &RecordId) -> Result<bool, StorageError> {
        let sql = "DELETE FROM tail WHERE record_id = ?1 AND page = (SELECT page FROM record WHERE record_id = ?1)";
        self.changed(sql, params![record.as_bytes()])
    }

    fn require(&self, page: &PageId) -> Result<i64, StorageError> {
        self.number_of(page)?.ok_or(StorageError::Absent { table: Table::Page })
    }

    /// The number for a new row: 31 bits of its random id, so that it tells no order of arrival. Where that
    /// is taken the next free one, in constant time whatever ids a hostile member chooses.
    fn number_for(&self, id: &[u8; 16], taken: &'static str, next: &'static str) -> Result<i64, StorageError> {
        let [a, b, c, d, ..] = *id;
        let number = i64::from(u32::from_be_bytes([a, b, c, d]) >> 1);
        if self.exists(taken, params![number])? {
            return Ok(self.connection.prepare_cached(next)?.query_row([], |row| row.get(0))?);
        }
        Ok(number)
    }

    fn run(&self, sql: &'static str, params: impl Params) -> Result<usize, StorageError> {
        Ok(self.connection.prepare_cached(sql)?.execute(params)?)
    }

    fn changed(&self, sql: &'static str, params: impl Params) -> Result<bool, StorageError> {
        Ok(self.run(sql, params)? > 0)
    }

    fn exists(&self, sql: &'static str, params: impl Params) -> Result<bool, StorageError> {
        Ok(self.connection.prepare_cached(sql)?.exists(params)?)
    }
}
