//! What an import left out and what deserves a second look, without repeating anybody's text.

use super::limits;
use super::tables::Table;
use serde::Serialize;
use std::fmt;

/// Where something stands in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// The table, or the table a JSON object belongs to.
    pub table: Table,
    /// CSV and JSON lines: the line in the file, from 1. JSON: the position of the enclosing top-level
    /// object, from 1. A whole file: 0.
    pub row: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.table.name(), self.row)
    }
}

/// Declares a closed list of stable codes.
macro_rules! codes {
    ($(#[$list:meta])* $name:ident { $($(#[$item:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$list])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$item])* $variant,)+ }

        impl $name {
            /// Every code.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The stable code.
            pub fn code(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.code())
            }
        }
    };
}

codes! {
    /// Why a row was left out.
    SkipCode {
        /// The row has no id, so a later import could not find it again.
        MissingId = "missing_id",
        /// The service has no name.
        MissingName = "missing_name",
        /// Another row has this id; the one modified last was kept.
        DuplicateId = "duplicate_id",
        /// The service is marked inactive.
        Inactive = "inactive",
        /// The service is marked defunct.
        Defunct = "defunct",
        /// The service is marked temporarily closed.
        TemporarilyClosed = "temporarily_closed",
        /// The row names a service that is not in the source.
        DanglingService = "dangling_service",
        /// The row names a location that is not in the source.
        DanglingLocation = "dangling_location",
        /// The row names a taxonomy term that is not in the source.
        DanglingTerm = "dangling_term",
        /// Nothing the row belongs to is in the source.
        DanglingParent = "dangling_parent",
        /// The row does not say what it belongs to.
        Unlinked = "unlinked",
        /// A phone that belongs only to a named person.
        PersonalContact = "personal_contact",
        /// The row does not fit its header, or a quote is not closed.
        MalformedRow = "malformed_row",
        /// The row is too long.
        RowTooLong = "row_too_long",
        /// The line is not JSON.
        MalformedLine = "malformed_line",
        /// The JSON value is not an object of the standard.
        NotAnObject = "not_an_object",
        /// The catalogue is full.
        CatalogueFull = "catalogue_full",
    }
}

codes! {
    /// What was imported but deserves a second look.
    WarningCode {
        /// A text was cut to its bound.
        TextTruncated = "text_truncated",
        /// A list was cut to its bound.
        ListTruncated = "list_truncated",
        /// A web address was dropped: unsafe scheme or too long.
        UrlDropped = "url_dropped",
        /// The service names an organization that is not in the source.
        DanglingOrganization = "dangling_organization",
        /// One of the things the row belongs to is not in the source.
        DanglingLink = "dangling_link",
        /// The status is not one of the standard; the service was imported.
        UnknownStatus = "unknown_status",
        /// No keyword gave a category; the service is under `other`.
        CategoryUnmapped = "category_unmapped",
        /// The texts contradict each other or put a condition; the answer stays unknown.
        UnclearAnswer = "unclear_answer",
        /// The opening hours cannot be put in a weekly list; they stand in words only.
        HoursNotWeekly = "hours_not_weekly",
        /// The opening hours cannot be read.
        HoursUnreadable = "hours_unreadable",
        /// A date cannot be read.
        BadDate = "bad_date",
        /// The file was not UTF-8 and was decoded as Windows-1252.
        DecodedAsWindows1252 = "decoded_as_windows_1252",
        /// Some characters of the file could not be decoded.
        UndecodableCharacters = "undecodable_characters",
        /// A row is shorter than its header; the missing cells are empty.
        ShortRow = "short_row",
        /// A symbolic link was not followed.
        LinkIgnored = "link_ignored",
        /// A second file for the same table was not read.
        DuplicateTable = "duplicate_table",
        /// The package description cannot be read.
        BadPackageDescription = "bad_package_description",
        /// The package description points outside the package.
        UnsafeResourcePath = "unsafe_resource_path",
        /// The source does not name its licence.
        LicenceUnknown = "licence_unknown",
        /// The document is one page of several.
        PartialPage = "partial_page",
    }
}

/// A row that was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Skipped {
    /// Where it stands.
    pub place: Place,
    /// Why it was left out.
    pub code: SkipCode,
}

/// Something imported that deserves a second look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Warning {
    /// Where it stands; `None` for the source as a whole.
    pub place: Option<Place>,
    /// What to look at.
    pub code: WarningCode,
}

/// The outcome of an import.
///
/// Each list keeps the first [`limits::REPORT_COUNT`] entries; the counts are complete.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Resources in the catalogue.
    pub imported: usize,
    /// Rows left out, sorted.
    pub skipped: Vec<Skipped>,
    /// How many rows were left out.
    pub skipped_count: usize,
    /// Things to look at, sorted.
    pub warnings: Vec<Warning>,
    /// How many things there are to look at.
    pub warning_count: usize,
}

impl Report {
    pub(super) fn skip(&mut self, place: Place, code: SkipCode) {
        self.skipped_count += 1;
        if self.skipped.len() < limits::REPORT_COUNT {
            self.skipped.push(Skipped { place, code });
        }
    }

    pub(super) fn warn(&mut self, place: Option<Place>, code: WarningCode) {
        self.warning_count += 1;
        if self.warnings.len() < limits::REPORT_COUNT {
            self.warnings.push(Warning { place, code });
        }
    }

    pub(super) fn sort(&mut self) {
        self.skipped.sort_unstable();
        self.warnings.sort_unstable();
    }
}
