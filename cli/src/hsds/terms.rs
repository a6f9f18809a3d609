//! Taxonomy terms and attributes of services.
//!
//! Terms of a taxonomy named `satchel` carry exact answers, so that a team can write its own catalogue in a
//! spreadsheet: `category:food`, `demands:id`, `shares:hmis`, `excludes:pets`, `faith_or_rescue`, with the
//! attribute's value `yes` or `no`.

use super::link::{ById, Parents, by_id};
use super::report::{Report, SkipCode};
use super::tables::{Record, Table, Tables};
use satchel_core::catalogue::{Category, Demand, Excluded, Recipient};
use std::collections::BTreeMap;

/// One exact answer of the `satchel` taxonomy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exact {
    /// The category.
    Category(Category),
    /// A demand.
    Demand(Demand),
    /// A recipient of data.
    Shares(Recipient),
    /// Who is turned away.
    Excludes(Excluded),
    /// A religious or "rescue" condition.
    FaithOrRescue,
}

/// What the terms of one service say.
#[derive(Default)]
pub struct Terms {
    /// Names of terms and of their parents.
    pub names: Vec<String>,
    /// Codes of terms.
    pub codes: Vec<String>,
    /// Terms and values as running text, with whether the value denies the term.
    pub texts: Vec<(String, bool)>,
    /// Exact answers.
    pub exact: Vec<(Exact, bool)>,
}

/// The terms of every service, by service id; those of a service at a location under that row's id.
pub struct TermIndex {
    services: BTreeMap<String, Terms>,
    at_locations: BTreeMap<String, Terms>,
}

/// How far up a taxonomy the parents of a term are followed.
const DEPTH: usize = 8;

impl TermIndex {
    /// Reads terms and attributes.
    pub fn read(tables: &mut Tables, parents: &Parents, report: &mut Report) -> Self {
        let terms = by_id(tables.take(Table::TaxonomyTerms), report);
        let mut index = TermIndex { services: BTreeMap::new(), at_locations: BTreeMap::new() };
        let mut rows = tables.take(Table::Attributes);
        rows.sort_by(|a, b| a.cells.cmp(&b.cells));
        for row in rows {
            let entity = row.cell("link_entity").to_ascii_lowercase();
            let (id, at_location) = match (row.cell("service_id"), entity.as_str()) {
                ("", "" | "service" | "services") => (row.cell("link_id"), false),
                ("", "service_at_location" | "services_at_location") => (row.cell("link_id"), true),
                // Attributes of organizations, locations and the rest are not used.
                ("", _) => continue,
                (service, _) => (service, false),
            };
            let known = match at_location {
                true => &parents.at_locations,
                false => &parents.services,
            };
            if id.is_empty() {
                report.skip(row.place, SkipCode::Unlinked);
            } else if !known.contains(id) {
                // Older packages leave out what kind of thing is linked: it may be anything.
                if !entity.is_empty() || !row.cell("service_id").is_empty() {
                    report.skip(row.place, SkipCode::DanglingParent);
                }
            } else {
                let map = if at_location { &mut index.at_locations } else { &mut index.services };
                map.entry(id.to_owned()).or_default().add(&row, &terms, report);
            }
        }
        index
    }

    /// Adds the terms that older services list in one cell, as ids or as words.
    pub fn list(&mut self, service: &str, listed: &str) {
        let entry = self.services.entry(service.to_owned()).or_default();
        for word in listed.split([',', ';', '|']).map(str::trim).filter(|word| !word.is_empty()) {
            entry.names.push(word.to_owned());
            entry.codes.push(word.to_owned());
        }
    }

    /// The terms of a service at a place.
    pub fn of(&self, service: &str, at_location: &str) -> impl Iterator<Item = &Terms> {
        self.services.get(service).into_iter().chain(self.at_locations.get(at_location))
    }
}

impl Terms {
    fn add(&mut self, row: &Record, terms: &ById, report: &mut Report) {
        let id = row.cell("taxonomy_term_id");
        let value = row.cell("value");
        let denied = matches!(value.to_ascii_lowercase().as_str(), "no" | "false" | "0" | "none" | "n");
        let plain = matches!(value.to_ascii_lowercase().as_str(), "yes" | "true" | "1" | "y" | "");
        if !plain && !denied {
            self.texts.push((value.to_owned(), false));
        }
        let Some(term) = terms.get(id) else {
            if !id.is_empty() && !terms.is_empty() {
                report.skip(row.place, SkipCode::DanglingTerm);
            } else if !id.is_empty() {
                // A package without a table of terms uses the words themselves as ids.
                self.codes.push(id.to_owned());
                self.names.push(id.to_owned());
            }
            return;
        };
        if term.cell("taxonomy").eq_ignore_ascii_case("satchel") {
            self.exact.extend(exact(term.cell("code")).map(|exact| (exact, !denied)));
            return;
        }
        self.texts.push((term.cell("name").to_owned(), denied));
        if denied {
            return;
        }
        let mut next = Some(term);
        for _ in 0..DEPTH {
            let Some(term) = next else {
                break;
            };
            for code in [term.cell("code"), term.cell("id")] {
                self.codes.push(code.to_owned());
            }
            self.names.push(term.cell("name").to_owned());
            next = terms.get(term.cell("parent_id"));
        }
    }
}

fn exact(code: &str) -> Option<Exact> {
    match code.split_once(':') {
        Some(("category", name)) => Category::from_name(name).map(Exact::Category),
        Some(("demands", name)) => Demand::from_name(name).map(Exact::Demand),
        Some(("shares", name)) => Recipient::from_name(name).map(Exact::Shares),
        Some(("excludes", name)) => Excluded::from_name(name).map(Exact::Excludes),
        None if code == "faith_or_rescue" => Some(Exact::FaithOrRescue),
        _ => None,
    }
}
