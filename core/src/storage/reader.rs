//! Reading: typed look-ups, and walks that hand over one value at a time.
//!
//! Every statement that returns a sealed value asks for its length first and for its bytes
//! only within the table's limit (`?1`), so that a crafted file cannot make us allocate more.

use super::{PageId, StorageError, Table};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use satchel_wire::{BodyId, OperationId, RecordId, RowId};
use std::collections::BTreeMap;

/// Reads a store.
pub struct Reader<'a> {
    pub(super) connection: &'a Connection,
}

/// How many rows each table holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each field counts the rows of the table of its name")]
pub struct Counts {
    pub metas: u64,
    pub pages: u64,
    pub records: u64,
    pub tails: u64,
    pub bodies: u64,
    pub drafts: u64,
    pub documents: u64,
    pub segments: u64,
    pub operations: u64,
    pub held: u64,
    pub outbox: u64,
}

/// Rows and sealed bytes of one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Rows (count).
    pub count: u64,
    /// Sealed bytes (bytes).
    pub bytes: u64,
}

/// `SELECT` with the sealed value as its first two columns: length, and bytes if within `?1`.
macro_rules! sealed {
    ($columns_and_rest:literal) => {
        concat!("SELECT length(sealed), iif(length(sealed) <= ?1, sealed, NULL)", $columns_and_rest)
    };
}

impl Reader<'_> {
    /// A small value by its name.
    pub fn meta(&self, name: &'static str) -> Result<Option<Vec<u8>>, StorageError> {
        self.one(Table::Meta, sealed!(" FROM meta WHERE name = ?2"), name)
    }

    /// A page.
    pub fn page(&self, page: &PageId) -> Result<Option<Vec<u8>>, StorageError> {
        self.one(Table::Page, sealed!(" FROM page WHERE page_id = ?2"), page.as_bytes())
    }

    /// Hands over every page, in no meaningful order.
    pub fn for_each_page<E: From<StorageError>>(&self, mut visit: impl FnMut(PageId, &[u8]) -> Result<(), E>) -> Result<(), E> {
        self.walk(Table::Page, sealed!(", page_id FROM page"), &[], |row, sealed| visit(PageId::from_bytes(array(row, 2)?), sealed))
    }

    /// The page that holds a record, folded or as a tail. Errors: [`StorageError::Damaged`] if the record is known and
    /// its page's row is gone.
    pub fn page_of(&self, record: &RecordId) -> Result<Option<PageId>, StorageError> {
        // a plain join would call such a record unknown, and a caller would show nothing or begin it anew
        let sql = "SELECT page_id FROM record LEFT JOIN page ON page.number = record.page WHERE record_id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![record.as_bytes()])?;
        rows.next()?.map(|row| array(row, 0).map(PageId::from_bytes)).transpose()
    }

    /// How many records each page holds, by the records' own word: one walk over the record table.
    pub fn record_counts(&self) -> Result<BTreeMap<PageId, usize>, StorageError> {
        let mut by_number: BTreeMap<i64, usize> = BTreeMap::new();
        let mut statement = self.connection.prepare_cached("SELECT page FROM record")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            *by_number.entry(row.get(0)?).or_default() += 1;
        }
        let mut counts = BTreeMap::new();
        let mut statement = self.connection.prepare_cached("SELECT number, page_id FROM page")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            counts.insert(PageId::from_bytes(array(row, 1)?), by_number.get(&row.get(0)?).copied().unwrap_or(0));
        }
        Ok(counts)
    }

    /// Hands over every record and its page, ordered by record id.
    pub fn for_each_record<E: From<StorageError>>(&self, mut visit: impl FnMut(RecordId, PageId) -> Result<(), E>) -> Result<(), E> {
        let sql = "SELECT record_id, page_id FROM record JOIN page ON page.number = record.page ORDER BY record_id";
        let mut statement = self.connection.prepare_cached(sql).map_err(StorageError::from)?;
        let mut rows = statement.query([]).map_err(StorageError::from)?;
        while let Some(row) = rows.next().map_err(StorageError::from)? {
            visit(RecordId::from_bytes(array(row, 0)?), PageId::from_bytes(array(row, 1)?))?;
        }
        Ok(())
    }

    /// A record's newest item, unless it is folded into its page.
    pub fn tail(&self, record: &RecordId) -> Result<Option<Vec<u8>>, StorageError> {
        let sql = sealed!(" FROM record JOIN tail USING (page, record_id) WHERE record_id = ?2");
        self.one(Table::Tail, sql, record.as_bytes())
    }

    /// Hands over the unfolded items of one page, ordered by record id.
    pub fn for_each_tail_of<E: From<StorageError>>(
        &self,
        page: &PageId,
        mut visit: impl FnMut(RecordId, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = sealed!(", record_id FROM tail WHERE page = (SELECT number FROM page WHERE page_id = ?2)");
        self.walk(Table::Tail, sql, &[page.as_bytes()], |row, sealed| visit(RecordId::from_bytes(array(row, 2)?), sealed))
    }

    /// The unfolded items of one page.
    pub fn tails_of(&self, page: &PageId) -> Result<Vec<(RecordId, Vec<u8>)>, StorageError> {
        let mut tails = Vec::new();
        self.for_each_tail_of(page, |record, sealed| {
            tails.push((record, sealed.to_vec()));
            Ok::<(), StorageError>(())
        })?;
        Ok(tails)
    }

    /// Hands over every unfolded item, grouped by page.
    pub fn for_each_tail<E: From<StorageError>>(&self, mut visit: impl FnMut(PageId, RecordId, &[u8]) -> Result<(), E>) -> Result<(), E> {
        // `page` has a column `sealed` too, so this statement cannot use the usual prefix.
        let sql = "SELECT length(tail.sealed), iif(length(tail.sealed) <= ?1, tail.sealed, NULL), page_id, record_id
                   FROM tail JOIN page ON page.number = tail.page ORDER BY tail.page, record_id";
        self.walk(Table::Tail, sql, &[], |row, sealed| {
            visit(PageId::from_bytes(array(row, 2)?), RecordId::from_bytes(array(row, 3)?), sealed)
        })
    }

    /// One body.
    pub fn body(&self, record: &RecordId, body: &BodyId) -> Result<Option<Vec<u8>>, StorageError> {
        let sql = sealed!(" FROM body WHERE record_id = ?2 AND body_id = ?3");
        self.first(Table::Body, sql, params![limit(Table::Body), record.as_bytes(), body.as_bytes()])
    }

    /// Whether a body is stored, without reading it.
    pub fn has_body(&self, record: &RecordId, body: &BodyId) -> Result<bool, StorageError> {
        let mut statement = self.connection.prepare_cached("SELECT 1 FROM body WHERE record_id = ?1 AND body_id = ?2")?;
        Ok(statement.exists(params![record.as_bytes(), body.as_bytes()])?)
    }

    /// Hands over the bodies of one record, ordered by body id.
    pub fn for_each_body_of<E: From<StorageError>>(
        &self,
        record: &RecordId,
        mut visit: impl FnMut(BodyId, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = sealed!(", body_id FROM body WHERE record_id = ?2 ORDER BY body_id");
        self.walk(Table::Body, sql, &[record.as_bytes()], |row, sealed| visit(BodyId::from_bytes(array(row, 2)?), sealed))
    }

    /// The ids of a record's bodies, in their order.
    pub fn bodies_of(&self, record: &RecordId) -> Result<Vec<BodyId>, StorageError> {
        let mut statement = self.connection.prepare_cached("SELECT body_id FROM body WHERE record_id = ?1 ORDER BY body_id")?;
        let mut rows = statement.query(params![record.as_bytes()])?;
        let mut bodies = Vec::new();
        while let Some(row) = rows.next()? {
            bodies.push(BodyId::from_bytes(array(row, 0)?));
        }
        Ok(bodies)
    }

    /// Hands over every body, ordered by record id and body id.
    pub fn for_each_body<E: From<StorageError>>(&self, mut visit: impl FnMut(RecordId, BodyId, &[u8]) -> Result<(), E>) -> Result<(), E> {
        self.walk(Table::Body, sealed!(", record_id, body_id FROM body ORDER BY record_id, body_id"), &[], |row, sealed| {
            visit(RecordId::from_bytes(array(row, 2)?), BodyId::from_bytes(array(row, 3)?), sealed)
        })
    }

    /// Hands over the drafts of one record, oldest number first.
    pub fn for_each_draft_of<E: From<StorageError>>(
        &self,
        record: &RecordId,
        mut visit: impl FnMut(u32, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = sealed!(", number FROM draft WHERE record_id = ?2 ORDER BY number");
        self.walk(Table::Draft, sql, &[record.as_bytes()], |row, sealed| visit(integer(row, 2)?, sealed))
    }

    /// Hands over every draft, ordered by record id and number.
    pub fn for_each_draft<E: From<StorageError>>(&self, mut visit: impl FnMut(RecordId, u32, &[u8]) -> Result<(), E>) -> Result<(), E> {
        self.walk(Table::Draft, sealed!(", record_id, number FROM draft ORDER BY record_id, number"), &[], |row, sealed| {
            visit(RecordId::from_bytes(array(row, 2)?), integer(row, 3)?, sealed)
        })
    }

    /// The cached snapshot of a document.
    pub fn document(&self, record: &RecordId) -> Result<Option<Vec<u8>>, StorageError> {
        self.one(Table::Document, sealed!(" FROM document WHERE record_id = ?2"), record.as_bytes())
    }

    /// Hands over every cached snapshot, ordered by record id.
    pub fn for_each_document<E: From<StorageError>>(&self, mut visit: impl FnMut(RecordId, &[u8]) -> Result<(), E>) -> Result<(), E> {
        self.walk(Table::Document, sealed!(", record_id FROM document ORDER BY record_id"), &[], |row, sealed| {
            visit(RecordId::from_bytes(array(row, 2)?), sealed)
        })
    }

    /// A segment of the reconciliation index.
    pub fn segment(&self, number: u32) -> Result<Option<Vec<u8>>, StorageError> {
        self.one(Table::Ledger, sealed!(" FROM ledger WHERE segment = ?2"), number)
    }

    /// Hands over every segment of the reconciliation index, lowest number first.
    pub fn for_each_segment<E: From<StorageError>>(&self, mut visit: impl FnMut(u32, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let sql = sealed!(", segment FROM ledger ORDER BY segment");
        self.walk(Table::Ledger, sql, &[], |row, sealed| visit(integer(row, 2)?, sealed))
    }

    /// An operation of the team log.
    pub fn operation(&self, operation: &OperationId) -> Result<Option<Vec<u8>>, StorageError> {
        self.one(Table::Operation, sealed!(" FROM operation WHERE op_id = ?2"), operation.as_bytes())
    }

    /// Hands over every operation, ordered by id: the log's own order is inside the seals.
    pub fn for_each_operation<E: From<StorageError>>(&self, mut visit: impl FnMut(OperationId, &[u8]) -> Result<(), E>) -> Result<(), E> {
        self.walk(Table::Operation, sealed!(", op_id FROM operation ORDER BY op_id"), &[], |row, sealed| {
            visit(OperationId::from_bytes(array(row, 2)?), sealed)
        })
    }

    /// A held row.
    pub fn held(&self, row: &RowId) -> Result<Option<Vec<u8>>, StorageError> {
        self.one(Table::Held, sealed!(" FROM held WHERE row_id = ?2"), row.as_bytes())
    }

    /// Hands over every held row, ordered by id.
    pub fn for_each_held<E: From<StorageError>>(&self, mut visit: impl FnMut(RowId, &[u8]) -> Result<(), E>) -> Result<(), E> {
        self.walk(Table::Held, sealed!(", row_id FROM held ORDER BY row_id"), &[], |row, sealed| {
            visit(RowId::from_bytes(array(row, 2)?), sealed)
        })
    }

    /// How much is held: what a caller that bounds it needs to know.
    pub fn held_usage(&self) -> Result<Usage, StorageError> {
        let mut statement = self.connection.prepare_cached("SELECT count(*), coalesce(sum(length(sealed)), 0) FROM held")?;
        Ok(statement.query_row([], |row| Ok(Usage { count: row.get::<_, u32>(0)?.into(), bytes: row.get::<_, u32>(1)?.into() }))?)
    }

    /// Hands over what waits to be pushed, oldest first.
    pub fn for_each_outbox<E: From<StorageError>>(&self, mut visit: impl FnMut(u32, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let sql = sealed!(", number FROM outbox ORDER BY number");
        self.walk(Table::Outbox, sql, &[], |row, sealed| visit(integer(row, 2)?, sealed))
    }

    /// Counts every table; walks them, so it is for reports and tests rather than for screens.
    pub fn counts(&self) -> Result<Counts, StorageError> {
        let count = |table: Table| -> Result<u64, StorageError> {
            let sql = format!("SELECT count(*) FROM {}", table.name());
            Ok(self.connection.query_row(&sql, [], |row| row.get::<_, u32>(0))?.into())
        };
        Ok(Counts {
            metas: count(Table::Meta)?,
            pages: count(Table::Page)?,
            records: count(Table::Record)?,
            tails: count(Table::Tail)?,
            bodies: count(Table::Body)?,
            drafts: count(Table::Draft)?,
            documents: count(Table::Document)?,
            segments: count(Table::Ledger)?,
            operations: count(Table::Operation)?,
            held: count(Table::Held)?,
            outbox: count(Table::Outbox)?,
        })
    }

    fn one(&self, table: Table, sql: &'static str, key: impl rusqlite::ToSql) -> Result<Option<Vec<u8>>, StorageError> {
        self.first(table, sql, params![limit(table), key])
    }

    fn first(&self, table: Table, sql: &'static str, params: impl Params) -> Result<Option<Vec<u8>>, StorageError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        match rows.next()? {
            Some(row) => Ok(Some(bounded(table, row)?.to_vec())),
            None => Ok(None),
        }
    }

    fn walk<E: From<StorageError>>(
        &self,
        table: Table,
        sql: &'static str,
        keys: &[&[u8; 16]],
        mut visit: impl FnMut(&Row<'_>, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self.connection.prepare_cached(sql).map_err(StorageError::from)?;
        let limit = limit(table);
        let rows = match keys {
            [key] => statement.query(params![limit, key]),
            _ => statement.query(params![limit]),
        };
        let mut rows = rows.map_err(StorageError::from)?;
        while let Some(row) = rows.next().map_err(StorageError::from)? {
            visit(row, bounded(table, row)?)?;
        }
        Ok(())
    }

    /// The number of a page in the file.
    pub(super) fn number_of(&self, page: &PageId) -> Result<Option<i64>, StorageError> {
        let mut statement = self.connection.prepare_cached("SELECT number FROM page WHERE page_id = ?1")?;
        Ok(statement.query_row(params![page.as_bytes()], |row| row.get(0)).optional()?)
    }
}

fn limit(table: Table) -> i64 {
    i64::try_from(table.limit_bytes()).unwrap_or(i64::MAX)
}

fn bounded<'r>(table: Table, row: &'r Row<'_>) -> Result<&'r [u8], StorageError> {
    let length: i64 = row.get(0)?;
    if length > limit(table) {
        return Err(table.too_large());
    }
    Ok(row.get_ref(1)?.as_blob()?)
}

fn array<const N: usize>(row: &Row<'_>, column: usize) -> Result<[u8; N], StorageError> {
    row.get_ref(column)?.as_blob()?.try_into().map_err(|_| StorageError::Damaged)
}

fn integer(row: &Row<'_>, column: usize) -> Result<u32, StorageError> {
    Ok(row.get(column)?)
}
