//! Rows of one CSV table.

use super::report::{Place, Report, SkipCode, WarningCode};
use super::tables::{Cells, Record, Table, Tables};
use super::{HsdsError, limits};
use csv::{ReaderBuilder, StringRecord};

/// Reads every row of a table; a bad row goes to the report.
pub fn read(text: &str, table: Table, postal: bool, tables: &mut Tables, report: &mut Report) -> Result<(), HsdsError> {
    let delimiter = delimiter(text);
    let mut header: Option<Vec<Option<&'static str>>> = None;
    let (mut offset, mut lines, mut restarts) = (0usize, 0u64, 0usize);
    'text: loop {
        let rest = text.get(offset..).unwrap_or_default();
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(rest.as_bytes());
        let mut record = StringRecord::new();
        let mut end_line = 0;
        loop {
            let place = |line: u64| Place { table, row: lines + line };
            match reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(_) => {
                    report.skip(place(end_line + 1), SkipCode::MalformedRow);
                    return Ok(());
                }
            }
            let (start, line) = record.position().map_or((0, 1), |at| (at.byte() as usize, at.line()));
            // The reader counts skipped blank lines to the record that follows them.
            let blank = rest.get(start..).map_or(0, |text| text.len() - text.trim_start_matches(['\r', '\n']).len());
            let start = start + blank;
            let line = line + newlines(rest.get(start - blank..start).unwrap_or_default());
            end_line = reader.position().line();
            let end = reader.position().byte() as usize;
            let Some(columns) = &header else {
                if record.len() > limits::COLUMN_COUNT {
                    return Err(HsdsError::TooManyColumns);
                }
                header = Some(record.iter().map(|cell| table.column(cell)).collect());
                continue;
            };
            let fits = fits(&record, columns.len());
            let raw = rest.get(start..end).unwrap_or_default().trim_end();
            let odd_quotes = raw.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
            if newlines(raw) > 0 && (record.len() != columns.len() || odd_quotes) {
                // Most likely a quote that is never closed has swallowed good rows: give up only its first line.
                report.skip(place(line), SkipCode::MalformedRow);
                restarts += 1;
                if restarts > limits::RESTART_COUNT {
                    continue;
                }
                let next = rest.get(start..).and_then(|text| text.find('\n')).map_or(rest.len(), |at| start + at + 1);
                lines += newlines(rest.get(..next).unwrap_or_default());
                offset += next;
                continue 'text;
            }
            if !fits {
                report.skip(place(line), SkipCode::MalformedRow);
            } else if end - start > limits::ROW_BYTES {
                report.skip(place(line), SkipCode::RowTooLong);
            } else {
                if record.len() < columns.len() {
                    report.warn(Some(place(line)), WarningCode::ShortRow);
                }
                let mut cells = cells(&record, columns);
                if postal {
                    cells.entry("address_type").or_insert_with(|| "postal".to_owned());
                }
                tables.push(Record { place: place(line), nested: false, cells })?;
            }
        }
    }
}

/// Whether a record can belong to a header: cells beyond it are empty, and it is not a lone stray cell.
fn fits(record: &StringRecord, columns: usize) -> bool {
    record.iter().skip(columns).all(|cell| cell.trim().is_empty()) && (record.len() > 1 || columns == 1)
}

fn cells(record: &StringRecord, columns: &[Option<&'static str>]) -> Cells {
    let mut cells = Cells::new();
    for (cell, column) in record.iter().zip(columns) {
        let cell = cell.trim();
        if let Some(column) = column
            && !cell.is_empty()
        {
            cells.entry(column).or_insert_with(|| cell.to_owned());
        }
    }
    cells
}

fn newlines(text: &str) -> u64 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u64
}

/// The delimiter that occurs most in the header line; a comma when none does.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |delimiter: u8| header.bytes().filter(|byte| *byte == delimiter).count();
    let mut best = b',';
    for other in [b';', b'\t', b'|'] {
        if count(other) > count(best) {
            best = other;
        }
    }
    best
}
