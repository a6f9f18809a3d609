//! What can be wrong with a catalogue, and what the caller can do about it.

use thiserror::Error;

/// A bounded field of a catalogue or of one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Catalogue title.
    Title,
    /// Where the catalogue came from.
    Source,
    /// Licence line.
    Licence,
    /// Service name.
    Name,
    /// Provider name.
    Provider,
    /// Description and how to use.
    Description,
    /// Cost.
    Cost,
    /// Eligibility.
    Eligibility,
    /// Languages.
    Languages,
    /// Opening hours.
    Hours,
    /// Phone.
    Phone,
    /// Address.
    Address,
    /// Web address.
    Url,
}

/// Why a catalogue or a package was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CatalogueError {
    /// Not a catalogue package: ask for the file again, or check what was chosen.
    #[error("not a catalogue package")]
    NotACatalogue,
    /// Made by a newer version: update the app.
    #[error("catalogue format version {version} is not supported")]
    UnsupportedVersion {
        /// The version the package names.
        version: u8,
    },
    /// The compressed package is above [`super::limits::PACKAGE_BYTES`]: split the catalogue by area.
    #[error("catalogue package is too large")]
    PackageTooLarge,
    /// The body is above [`super::limits::INFLATED_BYTES`]: split the catalogue by area.
    #[error("catalogue body is too large")]
    BodyTooLarge,
    /// The compressed body is damaged or its length is wrong: fetch the package again.
    #[error("catalogue package is damaged")]
    Damaged,
    /// The body is not a well-formed catalogue: fetch the package again, or report its publisher.
    #[error("catalogue body is malformed")]
    Malformed,
    /// The body is not in the one deterministic encoding: report its publisher.
    #[error("catalogue body is not in its deterministic encoding")]
    NotDeterministic,
    /// More than [`super::limits::RESOURCE_COUNT`] resources: split the catalogue by area.
    #[error("too many resources in one catalogue")]
    TooManyResources,
    /// Resources are not strictly ascending by id: sort them and drop repeats ([`super::Catalogue::new`] sorts).
    #[error("resources are not sorted by id without repeats")]
    NotSorted,
    /// A text is above its bound: shorten it before building.
    #[error("{field:?} is too long")]
    TextTooLong {
        /// Which text.
        field: Field,
    },
    /// A required text is empty, or an optional one is present but empty: fill it or leave it out.
    #[error("{field:?} is empty")]
    TextEmpty {
        /// Which text.
        field: Field,
    },
    /// A text holds control or direction-override characters: clean it before building.
    #[error("{field:?} holds forbidden characters")]
    TextForbidden {
        /// Which text.
        field: Field,
    },
    /// Languages or openings above their bound, unsorted, repeated or out of range: correct before building.
    #[error("{field:?} is not a valid list")]
    BadList {
        /// Which list.
        field: Field,
    },
    /// A day after 9999-12-31: correct the date.
    #[error("day is out of range")]
    DayOutOfRange,
}

/// Why a package could not be cut into parts or put together again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PartError {
    /// The part size is under [`super::limits::PART_MIN_BYTES`] or gives too many parts: choose a larger one.
    #[error("part size is out of range")]
    PartSize,
    /// Nothing to cut, or above the package limit: check what was passed.
    #[error("package is empty or too large")]
    PackageSize,
    /// No parts, or more than [`super::limits::PART_COUNT`]: drop the sender's offer.
    #[error("number of parts is out of range")]
    Total,
    /// The part belongs to another package or another cut: drop it.
    #[error("part belongs to another package")]
    Foreign,
    /// The part's index is not below the total: drop it.
    #[error("part index is out of range")]
    Index,
    /// A different part with this index is already held: start again with one sender.
    #[error("two different parts claim the same place")]
    Conflict,
    /// Parts are still missing: collect them first.
    #[error("parts are missing")]
    Incomplete,
    /// All parts are there but are not the package with this content id: throw them away and start again.
    #[error("assembled package has another content id")]
    WrongContent,
}

impl CatalogueError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotACatalogue => "catalogue_not_a_package",
            Self::UnsupportedVersion { .. } => "catalogue_newer_version",
            Self::PackageTooLarge | Self::BodyTooLarge | Self::TooManyResources => "catalogue_too_large",
            Self::Damaged | Self::Malformed | Self::NotDeterministic | Self::NotSorted => "catalogue_damaged",
            Self::TextTooLong { .. } | Self::TextEmpty { .. } | Self::TextForbidden { .. } | Self::BadList { .. } => "catalogue_field",
            Self::DayOutOfRange => "catalogue_day",
        }
    }
}
