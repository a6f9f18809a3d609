//! Joins: which rows belong to which service at which place, whatever order they came in.

use super::report::{Report, SkipCode, WarningCode};
use super::tables::{Record, Table, Tables};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Rows by id.
pub type ById = BTreeMap<String, Record>;

/// Keeps one row for each id: the one modified last, then the one with the greatest content, so that the order
/// of the rows does not matter.
pub fn by_id(rows: Vec<Record>, report: &mut Report) -> ById {
    let mut kept: ById = BTreeMap::new();
    for row in rows {
        let id = row.cell("id").to_owned();
        if id.is_empty() {
            report.skip(row.place, SkipCode::MissingId);
            continue;
        }
        let Some(held) = kept.get_mut(&id) else {
            kept.insert(id, row);
            continue;
        };
        // The same object embedded twice is how nested JSON looks, not a mistake.
        let expected = held.nested || row.nested;
        let rank = |row: &Record| (row.cell("last_modified").to_owned(), row.cells.clone());
        let loser = match rank(&row) > rank(held) {
            true => std::mem::replace(held, row),
            false => row,
        };
        if !expected {
            report.skip(loser.place, SkipCode::DuplicateId);
        }
    }
    kept
}

/// The things rows can belong to.
pub struct Parents {
    /// Ids of all services, imported or not.
    pub services: BTreeSet<String>,
    /// Locations.
    pub locations: ById,
    /// Organizations.
    pub organizations: ById,
    /// Ids of all services at locations.
    pub at_locations: BTreeSet<String>,
}

/// Columns that can link a row to something, nearest first.
const LINKS: [&str; 4] = ["service_at_location_id", "service_id", "location_id", "organization_id"];

impl Parents {
    fn has(&self, column: &str, id: &str) -> bool {
        match column {
            "service_at_location_id" => self.at_locations.contains(id),
            "service_id" => self.services.contains(id),
            "location_id" => self.locations.contains_key(id),
            _ => self.organizations.contains_key(id),
        }
    }
}

/// The rows of one table, found by what they belong to.
#[derive(Default)]
pub struct Children {
    rows: Vec<Record>,
    index: HashMap<(&'static str, String), Vec<usize>>,
}

impl Children {
    /// Indexes a table, dropping links to what is not there.
    pub fn link(table: Table, tables: &mut Tables, parents: &Parents, report: &mut Report) -> Self {
        let mut children = Children::default();
        for mut row in tables.take(table) {
            let named: Vec<&'static str> = LINKS.into_iter().filter(|column| !row.cell(column).is_empty()).collect();
            if named.is_empty() {
                match table {
                    Table::Phones if !row.cell("contact_id").is_empty() => report.skip(row.place, SkipCode::PersonalContact),
                    Table::Languages if !row.cell("phone_id").is_empty() => {}
                    _ => report.skip(row.place, SkipCode::Unlinked),
                }
                continue;
            }
            let dangling: Vec<&str> = named.iter().copied().filter(|column| !parents.has(column, row.cell(column))).collect();
            if dangling.len() == named.len() {
                report.skip(row.place, SkipCode::DanglingParent);
                continue;
            }
            if !dangling.is_empty() {
                report.warn(Some(row.place), WarningCode::DanglingLink);
                row.cells.retain(|column, _| !dangling.contains(column));
            }
            let at = children.rows.len();
            for column in named {
                if let Some(id) = row.cells.get(column) {
                    children.index.entry((column, id.clone())).or_default().push(at);
                }
            }
            children.rows.push(row);
        }
        children
    }

    fn of(&self, column: &'static str, id: &str) -> impl Iterator<Item = &Record> {
        let rows = self.index.get(&(column, id.to_owned()));
        rows.into_iter().flatten().filter_map(|at| self.rows.get(*at))
    }

    /// The rows nearest to a service at a place: its own, else the service's, else the location's, else the
    /// organization's. Sorted by content.
    pub fn nearest(&self, spot: &Spot<'_>) -> Vec<&Record> {
        for column in LINKS {
            let mut rows = self.level(spot, column);
            if !rows.is_empty() {
                rows.sort_by(|a, b| a.cells.cmp(&b.cells));
                return rows;
            }
        }
        Vec::new()
    }

    /// The rows of a service at a place and of its location together, sorted by content.
    pub fn all(&self, spot: &Spot<'_>) -> Vec<&Record> {
        let mut rows: Vec<&Record> = LINKS.into_iter().take(3).flat_map(|column| self.level(spot, column)).collect();
        rows.sort_by(|a, b| a.cells.cmp(&b.cells));
        rows
    }

    /// The rows linked at one level that are not about another service or place.
    fn level(&self, spot: &Spot<'_>, column: &'static str) -> Vec<&Record> {
        let id = spot.id(column);
        if id.is_empty() {
            return Vec::new();
        }
        let nearer = LINKS.into_iter().take_while(|link| *link != column);
        let nearer: Vec<&str> = nearer.collect();
        let fits = |row: &&Record| {
            let none_nearer = nearer.iter().all(|link| row.cell(link).is_empty());
            let same_place = matches!(row.cell("location_id"), place if place.is_empty() || place == spot.location);
            none_nearer && (same_place || column == "organization_id")
        };
        self.of(column, id).filter(fits).collect()
    }
}

/// A service at a place; empty ids mean there is none.
#[derive(Clone, Copy, Default)]
pub struct Spot<'a> {
    /// Id of the service-at-location row.
    pub at_location: &'a str,
    /// Id of the service.
    pub service: &'a str,
    /// Id of the location.
    pub location: &'a str,
    /// Id of the organization.
    pub organization: &'a str,
}

impl<'a> Spot<'a> {
    fn id(&self, column: &str) -> &'a str {
        match column {
            "service_at_location_id" => self.at_location,
            "service_id" => self.service,
            "location_id" => self.location,
            _ => self.organization,
        }
    }
}
