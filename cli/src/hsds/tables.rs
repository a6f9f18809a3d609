//! The tables of the standard, 1.x to 3.x, under one set of names.

use super::HsdsError;
use super::limits;
use super::report::Place;
use serde::Serialize;
use std::collections::BTreeMap;

/// A table this reader uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// A whole file, or something that belongs to no table.
    Source,
    /// Services.
    Services,
    /// Organizations.
    Organizations,
    /// Programs; only to find the organization of a service.
    Programs,
    /// Locations.
    Locations,
    /// Which service is given at which location.
    ServiceAtLocation,
    /// Phones.
    Phones,
    /// Addresses, physical and postal.
    Addresses,
    /// Opening hours.
    Schedules,
    /// Exceptions to opening hours.
    HolidaySchedules,
    /// Eligibility (1.x, 2.x).
    Eligibility,
    /// Languages.
    Languages,
    /// Documents a person has to bring.
    RequiredDocuments,
    /// Prices.
    CostOptions,
    /// Taxonomy terms.
    TaxonomyTerms,
    /// Which taxonomy terms apply to what.
    Attributes,
}

impl Table {
    /// The name of the table in 3.x.
    pub fn name(self) -> &'static str {
        match self {
            Table::Source => "source",
            Table::Services => "services",
            Table::Organizations => "organizations",
            Table::Programs => "programs",
            Table::Locations => "locations",
            Table::ServiceAtLocation => "service_at_location",
            Table::Phones => "phones",
            Table::Addresses => "addresses",
            Table::Schedules => "schedules",
            Table::HolidaySchedules => "holiday_schedules",
            Table::Eligibility => "eligibility",
            Table::Languages => "languages",
            Table::RequiredDocuments => "required_documents",
            Table::CostOptions => "cost_options",
            Table::TaxonomyTerms => "taxonomy_terms",
            Table::Attributes => "attributes",
        }
    }

    /// The table behind a file stem, a package resource name or a JSON key, in any version of the standard.
    pub fn from_stem(stem: &str) -> Option<Self> {
        Some(match normalise(stem).as_str() {
            "service" | "services" => Table::Services,
            "organization" | "organizations" | "organisation" | "organisations" => Table::Organizations,
            "program" | "programs" => Table::Programs,
            "location" | "locations" => Table::Locations,
            "service_at_location" | "service_at_locations" | "services_at_location" | "services_at_locations" => Table::ServiceAtLocation,
            "phone" | "phones" => Table::Phones,
            "address" | "addresses" | "physical_address" | "physical_addresses" | "postal_address" | "postal_addresses" => Table::Addresses,
            "schedule" | "schedules" | "regular_schedule" | "regular_schedules" => Table::Schedules,
            "holiday_schedule" | "holiday_schedules" => Table::HolidaySchedules,
            "eligibility" | "eligibilities" => Table::Eligibility,
            "language" | "languages" => Table::Languages,
            "required_document" | "required_documents" => Table::RequiredDocuments,
            "cost_option" | "cost_options" => Table::CostOptions,
            "taxonomy_term" | "taxonomy_terms" | "taxonomy" | "taxonomies" => Table::TaxonomyTerms,
            "attribute"
            | "attributes"
            | "service_attribute"
            | "service_attributes"
            | "other_attribute"
            | "other_attributes"
            | "service_taxonomy"
            | "services_taxonomy"
            | "service_taxonomies"
            | "services_taxonomies" => Table::Attributes,
            _ => return None,
        })
    }

    /// The columns kept, under their 3.x names.
    fn columns(self) -> &'static [&'static str] {
        match self {
            Table::Source => &[],
            Table::Services => &[
                "id",
                "organization_id",
                "program_id",
                "location_id",
                "name",
                "description",
                "url",
                "status",
                "interpretation_services",
                "application_process",
                "fees_description",
                "fees",
                "wait_time",
                "eligibility_description",
                "minimum_age",
                "maximum_age",
                "assured_date",
                "last_modified",
                "alert",
                "taxonomy_ids",
                "required_documents",
                "languages",
                "keywords",
            ],
            Table::Organizations => &["id", "name", "description", "url"],
            Table::Programs => &["id", "organization_id"],
            Table::Locations => &["id", "organization_id", "location_type", "name", "url", "transportation"],
            Table::ServiceAtLocation => &["id", "service_id", "location_id", "description"],
            Table::Phones => {
                &["service_at_location_id", "service_id", "location_id", "organization_id", "contact_id", "number", "extension", "type"]
            }
            Table::Addresses => &[
                "location_id",
                "organization_id",
                "address_1",
                "address_2",
                "city",
                "region",
                "state_province",
                "postal_code",
                "address_type",
            ],
            Table::Schedules => &[
                "service_at_location_id",
                "service_id",
                "location_id",
                "weekday",
                "byday",
                "freq",
                "interval",
                "bymonthday",
                "byweekno",
                "byyearday",
                "count",
                "until",
                "valid_from",
                "valid_to",
                "dtstart",
                "opens_at",
                "closes_at",
                "description",
                "notes",
            ],
            Table::HolidaySchedules => {
                &["service_at_location_id", "service_id", "location_id", "closed", "start_date", "end_date", "opens_at", "closes_at"]
            }
            Table::Eligibility => &["service_id", "eligibility", "minimum_age", "maximum_age"],
            Table::Languages => &["service_at_location_id", "service_id", "location_id", "phone_id", "name", "code"],
            Table::RequiredDocuments => &["service_id", "document"],
            Table::CostOptions => &["service_id", "option", "currency", "amount", "amount_description"],
            Table::TaxonomyTerms => &["id", "code", "name", "parent_id", "taxonomy"],
            Table::Attributes => &["link_id", "link_entity", "service_id", "taxonomy_term_id", "taxonomy_detail", "value"],
        }
    }

    /// The column behind a header cell or JSON key, in any version of the standard.
    pub fn column(self, header: &str) -> Option<&'static str> {
        let header = normalise(header);
        let name = match (self, header.as_str()) {
            (_, "organisation_id") => "organization_id",
            (Table::Services | Table::Organizations | Table::Locations, "website") => "url",
            (Table::Services, "eligibility") => "eligibility_description",
            (Table::Services, "how_to_apply") => "application_process",
            (Table::Services, "updated_at" | "last_updated") => "last_modified",
            (Table::Services, "categories") => "keywords",
            (Table::Locations, "transport") => "transportation",
            (Table::Phones, "phone_number" | "phone") => "number",
            (Table::Addresses, "state") => "state_province",
            (Table::Addresses, "zip" | "postcode" | "postal") => "postal_code",
            (Table::Schedules, "day" | "days") => "weekday",
            (Table::Schedules | Table::HolidaySchedules, "opens") => "opens_at",
            (Table::Schedules | Table::HolidaySchedules, "closes") => "closes_at",
            (Table::Languages, "language") => "name",
            (Table::RequiredDocuments, "name") => "document",
            (Table::TaxonomyTerms, "term") => "name",
            (Table::TaxonomyTerms, "vocabulary") => "taxonomy",
            (Table::Attributes, "taxonomy_id") => "taxonomy_term_id",
            (_, other) => other,
        };
        self.columns().iter().find(|column| **column == name).copied()
    }
}

/// Lower case, with one underscore for every run of anything else.
fn normalise(name: &str) -> String {
    let mut out = String::new();
    for c in name.trim().chars() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with('_') && !out.is_empty() {
            out.push('_');
        }
    }
    out.truncate(out.trim_end_matches('_').len());
    out
}

/// The cells of one row under canonical column names; empty cells are left out.
pub type Cells = BTreeMap<&'static str, String>;

/// One row of one table, or one JSON object.
#[derive(Clone)]
pub struct Record {
    /// Where it stands.
    pub place: Place,
    /// Whether it came embedded in another object, so that meeting it again is normal.
    pub nested: bool,
    /// Its cells.
    pub cells: Cells,
}

impl Record {
    /// The trimmed cell, empty when missing.
    pub fn cell(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

/// All rows read so far.
#[derive(Default)]
pub struct Tables {
    rows: BTreeMap<Table, Vec<Record>>,
    count: usize,
}

impl Tables {
    /// Adds a row.
    pub fn push(&mut self, record: Record) -> Result<(), HsdsError> {
        self.count += 1;
        if self.count > limits::ROW_COUNT {
            return Err(HsdsError::TooManyRows);
        }
        self.rows.entry(record.place.table).or_default().push(record);
        Ok(())
    }

    /// Takes all rows of a table.
    pub fn take(&mut self, table: Table) -> Vec<Record> {
        self.rows.remove(&table).unwrap_or_default()
    }
}
