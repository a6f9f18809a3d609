//! Why a source could not be read at all.

use satchel_core::catalogue::CatalogueError;
use std::io;
use thiserror::Error;

/// Why nothing was imported. A bad row never causes one of these: it becomes an entry of the report.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum HsdsError {
    /// The path or something under it cannot be read: check that it exists and may be read.
    #[error("the source cannot be read ({kind})")]
    Unreadable {
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// Neither a regular file nor a folder: choose a file or folder.
    #[error("the source is neither a regular file nor a folder")]
    NotAFile,
    /// A file above [`super::limits::FILE_BYTES`] (or an archive above `ZIP_BYTES`): split the export.
    #[error("a file of the source is too large")]
    FileTooLarge,
    /// All files together above [`super::limits::TOTAL_BYTES`]: split the export.
    #[error("the source is too large")]
    SourceTooLarge,
    /// More files than [`super::limits::ENTRY_COUNT`]: point at the folder that holds only the tables.
    #[error("the source holds too many files")]
    TooManyFiles,
    /// More rows than [`super::limits::ROW_COUNT`]: split the export.
    #[error("the source holds too many rows")]
    TooManyRows,
    /// A header with more columns than [`super::limits::COLUMN_COUNT`]: not a table of this standard.
    #[error("a table has too many columns")]
    TooManyColumns,
    /// More JSON values than [`super::limits::JSON_VALUE_COUNT`]: split the export.
    #[error("a JSON document holds too many values")]
    TooManyValues,
    /// The archive is damaged or of an unknown kind: make it again.
    #[error("the archive cannot be read")]
    BadArchive,
    /// The archive is encrypted: unpack it first.
    #[error("the archive is encrypted")]
    EncryptedArchive,
    /// An entry of the archive points outside of it: do not trust where it came from.
    #[error("the archive holds an unsafe path")]
    UnsafePath,
    /// Text in an encoding other than UTF-8, UTF-16 or Windows-1252: save it as UTF-8.
    #[error("a file is not in a supported text encoding")]
    UnsupportedEncoding,
    /// Broken JSON: correct it at this place.
    #[error("the JSON is broken at line {line}, column {column}")]
    BadJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// No table or object of the standard was recognised: check that this is an HSDS export.
    #[error("the source holds no services in a known shape")]
    NotHsds,
    /// The result breaks a bound of the catalogue.
    #[error("the catalogue cannot be made: {0}")]
    Catalogue(#[from] CatalogueError),
}

impl From<io::Error> for HsdsError {
    fn from(error: io::Error) -> Self {
        HsdsError::Unreadable { kind: error.kind() }
    }
}
