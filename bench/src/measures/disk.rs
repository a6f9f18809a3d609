//! P8: bytes on disk per record.

use crate::Fail;
use crate::figures::Figure;
use crate::stage::{COLLEAGUE, DRAFTS, PLAIN, Stage, WRITER};
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

/// Where the bytes are, table by table with its indexes: on disk, and how much of that is unused room in SQLite's pages.
fn tables(stage: &Stage) -> Result<Vec<Figure>, Fail> {
    let (size, records) = (stage.size.name(), stage.size.records() as f64);
    let connection = Connection::open_with_flags(stage.left(WRITER).join("store.sqlite"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = connection.prepare(
        "SELECT tbl_name, sum(pgsize), sum(unused) FROM dbstat JOIN sqlite_schema USING (name) GROUP BY tbl_name ORDER BY 2 DESC",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)? as f64, row.get::<_, i64>(2)? as f64)))?;
    let mut figures = Vec::new();
    let mut unused_sum = 0.0;
    for row in rows {
        let (table, bytes, unused) = row?;
        unused_sum += unused;
        if bytes / records >= 1.0 {
            figures.push(Figure::plain("P8", size, format!("of which in `{table}`"), bytes / records, "B"));
        }
    }
    figures.push(Figure::plain("P8", size, "of which unused in SQLite's pages", unused_sum / records, "B"));
    let bodies: (i64, i64) =
        connection.query_row("SELECT count(*), sum(length(sealed)) FROM body", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    figures.push(Figure::plain("P8", size, "of which sealed bodies, padded as rows", bodies.1 as f64 / records, "B"));
    figures.push(Figure::plain("P8", size, "bodies a record (grants, tallies, later changes)", bodies.0 as f64 / records, ""));
    Ok(figures)
}
