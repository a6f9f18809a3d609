//! Reads a directory of services in the Human Services Data Specification (HSDS, openreferral.org) into a
//! resource catalogue.
//!
//! Accepted: JSON of 3.x (a service, an organization with services, a service at a location, arrays and pages of
//! them, JSON lines) and tabular packages of 1.x to 3.x (a folder or zip of CSV files, with or without
//! `datapackage.json`). One service at one location becomes one resource.
//!
//! A bad row never stops an import: the [`Report`] says where it stands and why it was left out. Only a source
//! that cannot be read at all is an [`HsdsError`]. The same rows in any order give the same catalogue.
//! Names of contact persons are never read.

mod answers;
mod assemble;
mod category;
mod csv_table;
mod description;
mod encoding;
mod error;
mod json;
mod language;
pub mod limits;
mod link;
mod pen;
mod questions;
mod report;
mod rules;
mod schedule;
mod source;
mod tables;
mod terms;

#[cfg(test)]
mod tests;

pub use error::HsdsError;
pub use report::{Place, Report, SkipCode, Skipped, Warning, WarningCode};
pub use tables::Table;

use description::Description;
use satchel_core::catalogue::Catalogue;
use source::Kind;
use std::path::Path;
use tables::Tables;

/// A catalogue and what happened on the way.
#[derive(Clone, Debug)]
pub struct Import {
    /// The catalogue, within all bounds of its package.
    pub catalogue: Catalogue,
    /// What was left out, and what deserves a second look.
    pub report: Report,
}

/// Reads an HSDS source: a JSON file, a JSON-lines file, a zip archive or a folder of CSV tables.
///
/// # Errors
/// [`HsdsError`] when nothing could be imported; each says what to do. Never for a single bad row.
pub fn read(path: &Path) -> Result<Import, HsdsError> {
    let mut report = Report::default();
    let files = source::open(path, &mut report)?;
    let mut tables = Tables::default();
    let mut description = Description::default();
    for file in files.iter().filter(|file| file.kind == Kind::Description) {
        match encoding::decode(&file.bytes) {
            Ok((text, _)) => description = Description::read(&text, &mut report),
            Err(_) => report.warn(None, WarningCode::BadPackageDescription),
        }
    }
    let mut has_services = false;
    for file in files {
        let kind = match (file.kind, description.paths.get(&file.name)) {
            (Kind::Csv(_) | Kind::OtherCsv, Some(table)) => Kind::Csv(*table),
            (kind, _) => kind,
        };
        if matches!(kind, Kind::Description | Kind::OtherCsv) {
            continue;
        }
        let (text, warning) = encoding::decode(&file.bytes)?;
        drop(file.bytes);
        let table = match kind {
            Kind::Csv(table) => table,
            _ => Table::Services,
        };
        if let Some(code) = warning {
            report.warn(Some(Place { table, row: 0 }), code);
        }
        match kind {
            Kind::Csv(table) => {
                has_services |= table == Table::Services;
                let postal = table == Table::Addresses && file.name.to_ascii_lowercase().contains("postal");
                csv_table::read(&text, table, postal, &mut tables, &mut report)?;
            }
            // Other documents may lie beside the export.
            _ => has_services |= json::read(&text, kind == Kind::JsonLines, &mut tables, &mut report)?,
        }
    }
    if !has_services {
        return Err(HsdsError::NotHsds);
    }
    let (resources, latest) = assemble::resources(&mut tables, description.published, &mut report);
    if description.licence.is_empty() {
        report.warn(None, WarningCode::LicenceUnknown);
    }
    report.imported = resources.len();
    report.sort();
    let published = description.published.or(latest);
    let catalogue = Catalogue::new(description.title, description.source, description.licence, published, resources)?;
    Ok(Import { catalogue, report })
}
