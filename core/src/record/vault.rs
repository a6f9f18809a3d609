//! Vaults: the gated facts of one grant, a record for each of its categories.
//!
//! Nothing else holds such facts. The record's id follows from the grant's id and the category, so what a vault rests on
//! stands in what its author signed, and cannot be said otherwise inside. Facts are no free text about a person: they
//! are not screened, because what the guard finds is what they are for.

use crate::consent::GatedCategory;
use crate::document::{Document, Value};
use crate::screen::{ScreenError, ShortText};

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $category:ident, $shape:ident;)+) => {
        /// A fact that can stand in a vault. A closed list: each belongs to one gated category.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FactField { $($(#[$doc])* $variant),+ }
        impl FactField {
            /// All facts of this schema version.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The stable name; also the field of the document.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $name),+ } }
            /// The fact of a name.
            pub fn from_name(name: &str) -> Option<Self> { Self::ALL.iter().copied().find(|field| field.as_str() == name) }
            /// The category that a grant has to cover.
            pub const fn category(self) -> GatedCategory { match self { $(Self::$variant => GatedCategory::$category),+ } }
            /// How it is written.
            pub const fn shape(self) -> FactShape { match self { $(Self::$variant => FactShape::$shape),+ } }
        }
    };
}

/// How a fact is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FactShape {
    /// One line of 1 to 200 bytes.
    Text,
    /// A calendar date, `YYYY-MM-DD`.
    Date,
}

fields!(
    /// Legal name.
    LegalName, "legal_name", LegalName, Text;
    /// Birth date.
    BirthDate, "birth_date", BirthDate, Date;
    /// Telephone.
    Phone, "phone", ContactDetail, Text;
    /// Email address.
    Email, "email", ContactDetail, Text;
    /// Another way to be reached.
    OtherContact, "other_contact", ContactDetail, Text;
    /// Where exactly they stay.
    ExactPlace, "exact_place", ExactPlace, Text;
    /// Number of an identity document.
    IdNumber, "id_number", GovernmentId, Text;
    /// Number under which benefits are paid.
    BenefitNumber, "benefit_number", GovernmentId, Text;
    /// Papers to be in the country.
    ImmigrationPapers, "immigration_papers", Immigration, Text;
    /// Number of a case.
    CaseNumber, "case_number", JusticeContact, Text;
    /// Which court.
    Court, "court", JusticeContact, Text;
    /// Day in court.
    CourtDate, "court_date", JusticeContact, Date;
    /// Who defends them.
    Defender, "defender", JusticeContact, Text;
    /// Name of an officer.
    OfficerName, "officer_name", Officer, Text;
    /// Badge or number of an officer.
    OfficerBadge, "officer_badge", Officer, Text;
    /// Force and unit of an officer.
    OfficerUnit, "officer_unit", Officer, Text;
    /// What they look like.
    Appearance, "appearance", PhysicalDescription, Text;
    /// Plate.
    Plate, "plate", Vehicle, Text;
    /// Which vehicle.
    VehicleLook, "vehicle_look", Vehicle, Text;
    /// Who is to be called.
    OtherPerson, "other_person", ThirdParty, Text;
    /// Gender, in their own words.
    Gender, "gender", Demographics, Text;
    /// Race or origin, in their own words.
    Origin, "origin", Demographics, Text;
    /// Orientation, in their own words.
    Orientation, "orientation", Demographics, Text;
    /// Disability, in their own words.
    Disability, "disability", Demographics, Text;
);

/// Why a fact cannot be stored. Nothing of it is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactError {
    /// Empty, longer than 200 bytes, several lines, or with characters that cannot be seen.
    #[error(transparent)]
    Text(#[from] ScreenError),
    /// No day of the calendar from 1900 to 2149, written `YYYY-MM-DD`.
    #[error("not a date")]
    Date,
}

impl FactError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Text(error) => error.code(),
            Self::Date => "fact_date",
        }
    }
}

/// A gated fact. Wiped when dropped; its `Debug` shows nothing of its value. It is no [`ShortText`]: it goes nowhere but
/// into a vault.
#[derive(Clone, PartialEq, Eq)]
pub struct Fact {
    field: FactField,
    value: ShortText,
}

impl std::fmt::Debug for Fact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fact({}, [redacted])", self.field.as_str())
    }
}

impl Fact {
    /// Reads a fact. Errors: [`FactError`].
    pub fn parse(field: FactField, value: &str) -> Result<Self, FactError> {
        // structure only: the guard keeps such facts out of everything that is no vault
        let value = ShortText::from_sealed(value)?;
        match field.shape() {
            FactShape::Date if !is_date(value.as_str()) => Err(FactError::Date),
            _ => Ok(Self { field, value }),
        }
    }
    /// Which fact.
    pub const fn field(&self) -> FactField {
        self.field
    }
    /// The value.
    pub fn value(&self) -> &str {
        self.value.as_str()
    }
}

fn is_date(text: &str) -> bool {
    let date = text.parse::<jiff::civil::Date>().ok().filter(|date| (1900..=2149).contains(&date.year()));
    date.is_some_and(|date| date.to_string() == text)
}

/// A fact as read, with what other phones wrote at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactLine {
    /// The fact shown.
    pub fact: Fact,
    /// Values not shown, in a stable order.
    pub others: Vec<Fact>,
}

/// Reads the facts of a category. What a document holds beyond its category's fields, or not in their shape, is not read.
pub fn read_facts(category: GatedCategory, document: &Document) -> Vec<FactLine> {
    let fields = FactField::ALL.iter().filter(|field| field.category() == category);
    fields
        .filter_map(|field| {
            let read = |value: Value| match value {
                Value::Text(text) => Fact::parse(*field, &text).ok(),
                _ => None,
            };
            let fact = document.value(field.as_str()).and_then(read)?;
            let others = document.conflicts(field.as_str()).into_iter().skip(1).filter_map(|(value, _)| read(value));
            Some(FactLine { fact, others: others.collect() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_category_has_facts_and_every_fact_its_name() {
        let names: std::collections::BTreeSet<_> = FactField::ALL.iter().map(|field| field.as_str()).collect();
        assert_eq!(names.len(), FactField::ALL.len());
        for category in GatedCategory::ALL {
            assert!(FactField::ALL.iter().any(|field| field.category() == *category), "{category:?}");
        }
        assert!(FactField::ALL.iter().all(|field| FactField::from_name(field.as_str()) == Some(*field)));
        assert_eq!(FactField::from_name("criminal_history"), None);
    }

    #[test]
    fn a_fact_is_bounded_and_never_shown_by_accident() {
        let fact = Fact::parse(FactField::LegalName, " Maria Gonzalez ").unwrap();
        assert_eq!(fact.value(), "Maria Gonzalez");
        assert!(!format!("{fact:?}").contains("Maria"));
        for (field, wrong, code) in [
            (FactField::LegalName, "", "text_empty"),
            (FactField::LegalName, "two\nlines", "text_hidden"),
            (FactField::LegalName, "a\u{202E}b", "text_hidden"),
            (FactField::BirthDate, "1980-02-30", "fact_date"),
            (FactField::BirthDate, "2/3/80", "fact_date"),
            (FactField::BirthDate, "1780-02-03", "fact_date"),
            (FactField::CourtDate, "tomorrow", "fact_date"),
        ] {
            assert_eq!(Fact::parse(field, wrong).unwrap_err().code(), code, "{wrong}");
        }
        assert_eq!(Fact::parse(FactField::CaseNumber, &"x".repeat(201)).unwrap_err().code(), "text_too_long");
        assert!(Fact::parse(FactField::BirthDate, "1980-02-29").is_ok());
    }
}
