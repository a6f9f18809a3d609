//! P8: bytes on disk per record.

use crate::figures::Figure;
use crate::stage::{COLLEAGUE, DRAFTS, PLAIN, Stage, WRITER};
use crate::Fail;
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::path::Path;

fn bytes(path: &Path) -> Result<u64, Fail> {
    if path.is_file() {
        return Ok(fs::metadata(path)?.len());
    }
    let mut sum = 0;
    for entry in fs::read_dir(path)? {
        sum += entry?.metadata()?.len();
    }
    Ok(sum)
}

/// Measures P8.
pub fn disk(stage: &Stage) -> Result<Vec<Figure>, Fail> {
    let size = stage.size.name();
    let records = stage.size.records() as f64;
    let plain = bytes(&stage.left(PLAIN))? as f64 / records;
    let mut figures = Vec::new();
    for (name, what) in [(WRITER, "written here, all sent"), (COLLEAGUE, "received"), (DRAFTS, "drafts, none sent")] {
        let ours = bytes(&stage.left(name))? as f64 / records;
        figures.push(Figure::aimed("P8", size, format!("bytes / SQLite rows: {what}"), ours / plain, "x", 1.5));
        figures.push(Figure::plain("P8", size, format!("bytes a record: {what}"), ours, "B"));
    }
    figures.push(Figure::plain("P8", size, "bytes a record: JSON rows in SQLite", plain, "B"));
    figures.extend(tables(stage)?);
    Ok(figures)
}

/// Where the bytes are, table by table: sealed values alone, without what SQLite adds.
fn tables(stage: &Stage) -> Result<Vec<Figure>, Fail> {
    let records = stage.size.records() as f64;
    let connection = Connection::open_with_flags(stage.left(WRITER).join("store.sqlite"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut figures = Vec::new();
    for table in ["body", "document", "page", "tail", "ledger", "draft", "meta"] {
        let sum: Option<i64> = connection.query_row(&format!("SELECT sum(length(sealed)) FROM {table}"), [], |row| row.get(0))?;
        let sum = sum.unwrap_or_default() as f64 / records;
        figures.push(Figure::plain("P8", stage.size.name(), format!("of which sealed values in `{table}`"), sum, "B"));
    }
    Ok(figures)
}
