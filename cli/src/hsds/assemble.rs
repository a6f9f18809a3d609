//! From joined rows to resources.

use super::answers::Answers;
use super::category::category;
use super::link::{ById, Children, Parents, Spot, by_id};
use super::pen::{Pen, plain, some};
use super::report::{Report, SkipCode, WarningCode};
use super::rules::Words;
use super::tables::{Record, Table, Tables};
use super::terms::{Exact, TermIndex, Terms};
use super::{language, schedule};
use satchel_core::catalogue::{Category, Day, Resource, ResourceId, clean_line, limits};
use std::collections::{BTreeMap, BTreeSet};

/// All resources of the tables, and the day of the latest change among the services.
pub fn resources(tables: &mut Tables, published: Option<Day>, report: &mut Report) -> (Vec<Resource>, Option<Day>) {
    let mut rows = Vec::new();
    for row in tables.take(Table::Services) {
        match (row.cell("id"), row.cell("name")) {
            ("", _) => report.skip(row.place, SkipCode::MissingId),
            (_, name) if clean_line(name, limits::NAME_BYTES).0.is_empty() => report.skip(row.place, SkipCode::MissingName),
            _ => rows.push(row),
        }
    }
    let services = by_id(rows, report);
    let latest =
        services.values().flat_map(|row| ["last_modified", "assured_date"].map(|column| Day::from_iso(row.cell(column)))).flatten().max();
    let mut shop = Shop::open(tables, &services, published.or(latest), report);
    for (id, service) in &services {
        let listed = [service.cell("taxonomy_ids"), service.cell("keywords")];
        listed.iter().filter(|cell| !cell.is_empty()).for_each(|cell| shop.terms.list(id, cell));
    }
    let mut resources = Vec::new();
    for (id, service) in &services {
        match service.cell("status").to_ascii_lowercase().as_str() {
            "" | "active" => {}
            "inactive" => {
                report.skip(service.place, SkipCode::Inactive);
                continue;
            }
            "defunct" => {
                report.skip(service.place, SkipCode::Defunct);
                continue;
            }
            "temporarily closed" | "temporarily_closed" => {
                report.skip(service.place, SkipCode::TemporarilyClosed);
                continue;
            }
            _ => report.warn(Some(service.place), WarningCode::UnknownStatus),
        }
        if !service.cell("organization_id").is_empty() && !shop.parents.organizations.contains_key(service.cell("organization_id")) {
            report.warn(Some(service.place), WarningCode::DanglingOrganization);
        }
        let places: Vec<Option<&Record>> = match shop.places.get(id) {
            Some(rows) => rows.values().map(Some).collect(),
            None => vec![None],
        };
        for place in places {
            if resources.len() < limits::RESOURCE_COUNT {
                resources.push(shop.resource(service, place, report));
            } else {
                report.skip(place.map_or(service.place, |row| row.place), SkipCode::CatalogueFull);
            }
        }
    }
    (resources, latest)
}

/// Everything needed to put one resource together.
struct Shop {
    parents: Parents,
    programs: ById,
    /// Service id, then location id, to the row that joins them.
    places: BTreeMap<String, BTreeMap<String, Record>>,
    terms: TermIndex,
    phones: Children,
    addresses: Children,
    schedules: Children,
    holidays: Children,
    eligibility: Children,
    languages: Children,
    documents: Children,
    costs: Children,
    published: Option<Day>,
}

impl Shop {
    fn open(tables: &mut Tables, services: &ById, published: Option<Day>, report: &mut Report) -> Self {
        let locations = by_id(tables.take(Table::Locations), report);
        let organizations = by_id(tables.take(Table::Organizations), report);
        let programs = by_id(tables.take(Table::Programs), report);
        let joined = by_id(tables.take(Table::ServiceAtLocation), report);
        let at_locations = joined.keys().cloned().collect();
        let parents = Parents { services: services.keys().cloned().collect(), locations, organizations, at_locations };
        let mut places: BTreeMap<String, BTreeMap<String, Record>> = BTreeMap::new();
        for row in joined.into_values() {
            let (service, location) = (row.cell("service_id").to_owned(), row.cell("location_id").to_owned());
            if !parents.services.contains(&service) {
                report.skip(row.place, SkipCode::DanglingService);
            } else if !parents.locations.contains_key(&location) {
                report.skip(row.place, SkipCode::DanglingLocation);
            } else if let Some(extra) = places.entry(service).or_default().insert(location, row)
                && !extra.nested
            {
                report.skip(extra.place, SkipCode::DuplicateId);
            }
        }
        for (id, service) in services {
            // 1.0 puts the location into the service.
            let location = service.cell("location_id");
            if location.is_empty() || places.get(id).is_some_and(|rows| rows.contains_key(location)) {
                continue;
            }
            if parents.locations.contains_key(location) {
                let row = Record { place: service.place, nested: true, cells: Default::default() };
                places.entry(id.clone()).or_default().insert(location.to_owned(), row);
            } else {
                report.warn(Some(service.place), WarningCode::DanglingLink);
            }
        }
        let terms = TermIndex::read(tables, &parents, report);
        let mut children = |table| Children::link(table, tables, &parents, report);
        Shop {
            phones: children(Table::Phones),
            addresses: children(Table::Addresses),
            schedules: children(Table::Schedules),
            holidays: children(Table::HolidaySchedules),
            eligibility: children(Table::Eligibility),
            languages: children(Table::Languages),
            documents: children(Table::RequiredDocuments),
            costs: children(Table::CostOptions),
            programs,
            places,
            terms,
            parents,
            published,
        }
    }

    fn resource(&self, service: &Record, place: Option<&Record>, report: &mut Report) -> Resource {
        let id = service.cell("id");
        let location_id = place.and_then(|place| {
            let rows = self.places.get(id)?;
            rows.iter().find(|(_, row)| std::ptr::eq(*row, place)).map(|(location, _)| location.as_str())
        });
        let location = location_id.and_then(|id| self.parents.locations.get(id));
        let organization_id = self.organization_id(service, location);
        let organization = self.parents.organizations.get(organization_id);
        let spot = Spot {
            at_location: place.map_or("", |row| row.cell("id")),
            service: id,
            location: location_id.unwrap_or_default(),
            organization: organization_id,
        };
        let cell = |record: Option<&Record>, column: &str| record.map_or(String::new(), |record| record.cell(column).to_owned());
        let mut pen = Pen { place: service.place, report };

        let name = pen.line(service.cell("name"), limits::NAME_BYTES);
        let description = pen.paragraphs(
            &[
                plain(service.cell("alert")),
                plain(service.cell("description")),
                plain(&cell(place, "description")),
                plain(service.cell("application_process")),
                plain(service.cell("wait_time")),
                plain(service.cell("interpretation_services")),
                plain(&cell(location, "transportation")),
            ],
            limits::DESCRIPTION_BYTES,
        );
        let eligibility_rows = self.eligibility.all(&spot);
        let documents: Vec<String> = self.documents.all(&spot).iter().map(|row| plain(row.cell("document"))).collect();
        let listed_documents = plain(service.cell("required_documents"));
        let terms: Vec<&Terms> = self.terms.of(id, spot.at_location).collect();
        let mut words = Words::default();
        for column in ["eligibility_description", "application_process"] {
            words.add(&plain(service.cell(column)));
        }
        for column in ["name", "description", "alert"] {
            words.add_description(&plain(service.cell(column)));
        }
        words.add_description(&plain(&cell(place, "description")));
        words.add_description(&plain(&cell(organization, "description")));
        eligibility_rows.iter().for_each(|row| words.add(&plain(row.cell("eligibility"))));
        documents.iter().chain([&listed_documents]).for_each(|text| words.add_document(text));
        let answers = Answers::read(&words, &terms);
        if answers.unclear {
            pen.warn(WarningCode::UnclearAnswer);
        }
        let eligibility = pen.paragraphs(&eligibility(service, &eligibility_rows, documents, listed_documents), limits::ELIGIBILITY_BYTES);
        let hours = schedule::hours(&self.schedules.nearest(&spot), &self.holidays.nearest(&spot), self.published, pen.report);
        let url = [service.cell("url"), &cell(location, "url"), &cell(organization, "url")]
            .into_iter()
            .find(|url| !url.is_empty())
            .and_then(|url| pen.url(url));
        let last_verified = Day::from_iso(service.cell("assured_date"));
        if last_verified.is_none() && !service.cell("assured_date").is_empty() {
            pen.warn(WarningCode::BadDate);
        }
        Resource {
            id: ResourceId::derive(id, location_id, &name),
            category: self.category(&terms, &name, &description, &mut pen),
            provider: pen.line(&cell(organization, "name"), limits::PROVIDER_BYTES),
            cost: some(pen.paragraphs(&self.costs(service, &spot), limits::COST_BYTES)),
            eligibility: some(eligibility),
            demands: answers.demands,
            shares_data_with: answers.shares,
            faith_or_rescue: answers.faith_or_rescue,
            excludes: answers.excludes,
            languages: self.languages(service, &spot, &mut pen),
            hours,
            phone: some(pen.line(&self.phones(&spot).join(", "), limits::PHONE_BYTES)),
            address: some(pen.line(&self.address(location, location_id.unwrap_or_default()), limits::ADDRESS_BYTES)),
            url,
            last_verified,
            name,
            description,
        }
    }

    /// The organization of a service: its own, its program's, or its location's.
    fn organization_id<'a>(&'a self, service: &'a Record, location: Option<&'a Record>) -> &'a str {
        let program = self.programs.get(service.cell("program_id"));
        [Some(service), program, location]
            .into_iter()
            .flatten()
            .map(|row| row.cell("organization_id"))
            .find(|id| !id.is_empty())
            .unwrap_or_default()
    }

    fn category(&self, terms: &[&Terms], name: &str, description: &str, pen: &mut Pen<'_>) -> Category {
        let exact = terms.iter().flat_map(|terms| &terms.exact).find_map(|exact| match exact {
            (Exact::Category(category), true) => Some(*category),
            _ => None,
        });
        let gather = |list: fn(&Terms) -> &Vec<String>| terms.iter().flat_map(|terms| list(terms)).cloned().collect::<Vec<_>>();
        let guess = || category(&gather(|terms| &terms.names), &gather(|terms| &terms.codes), name, description);
        exact.or_else(guess).unwrap_or_else(|| {
            pen.warn(WarningCode::CategoryUnmapped);
            Category::Other
        })
    }

    fn costs(&self, service: &Record, spot: &Spot<'_>) -> Vec<String> {
        let mut lines = vec![plain(service.cell("fees_description"))];
        let fees = plain(service.cell("fees"));
        if lines.first() != Some(&fees) {
            lines.push(fees);
        }
        for row in self.costs.all(spot) {
            let currency = row.cell("currency").to_ascii_uppercase();
            let parts = [row.cell("option"), row.cell("amount"), &currency, row.cell("amount_description")];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            lines.push(parts.join(" "));
        }
        lines
    }

    fn languages(&self, service: &Record, spot: &Spot<'_>, pen: &mut Pen<'_>) -> Vec<String> {
        let mut names: BTreeSet<String> = BTreeSet::new();
        for row in self.languages.all(spot) {
            let name = language::name(row.cell("name")).or_else(|| language::name(row.cell("code")));
            names.extend(name.map(|name| pen.line(&name, limits::LANGUAGE_BYTES)).filter(|name| !name.is_empty()));
        }
        for word in service.cell("languages").split([',', ';', '|']) {
            names.extend(language::name(word).map(|name| pen.line(&name, limits::LANGUAGE_BYTES)).filter(|name| !name.is_empty()));
        }
        if names.len() > limits::LANGUAGE_COUNT {
            pen.warn(WarningCode::ListTruncated);
        }
        names.into_iter().take(limits::LANGUAGE_COUNT).collect()
    }

    fn phones(&self, spot: &Spot<'_>) -> Vec<String> {
        let mut lines: BTreeSet<(u8, String)> = BTreeSet::new();
        for row in self.phones.nearest(spot) {
            let number = row.cell("number").trim_matches(['"', '\'', ' ']);
            let kind = row.cell("type").to_ascii_lowercase();
            if number.is_empty() || matches!(kind.as_str(), "fax" | "modem" | "pager") {
                continue;
            }
            let mut line = number.to_owned();
            if !row.cell("extension").is_empty() {
                line = format!("{line} ext. {}", row.cell("extension"));
            }
            let rank = match kind.as_str() {
                "" | "voice" | "cell" | "mobile" => 0,
                _ => {
                    line = format!("{line} ({kind})");
                    1
                }
            };
            lines.insert((rank, line));
        }
        lines.into_iter().map(|(_, line)| line).collect()
    }

    fn address(&self, location: Option<&Record>, location_id: &str) -> String {
        let spot = Spot { location: location_id, ..Spot::default() };
        let rows = self.addresses.nearest(&spot);
        // A post-office box is not where the service is given.
        let physical = rows.iter().find(|row| row.cell("address_type") != "postal");
        let Some(row) = physical.or(rows.first()) else {
            return String::new();
        };
        // The "attention" line names a person and is left out.
        let columns = ["address_1", "address_2", "city", "state_province", "postal_code"];
        let name = location.map_or("", |location| location.cell("name"));
        let parts = std::iter::once(name).chain(columns.iter().map(|column| row.cell(column)));
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        parts.join(", ")
    }
}

fn eligibility(service: &Record, rows: &[&Record], documents: Vec<String>, listed: String) -> Vec<String> {
    let mut lines = vec![plain(service.cell("eligibility_description"))];
    lines.extend(rows.iter().map(|row| plain(row.cell("eligibility"))));
    let age = |column: &str| {
        let all = std::iter::once(&service).chain(rows);
        all.map(|row| row.cell(column)).find(|cell| !cell.is_empty()).unwrap_or_default().to_owned()
    };
    lines.push(match (age("minimum_age").as_str(), age("maximum_age").as_str()) {
        ("", "") => String::new(),
        (from, "") => format!("Age {from} and over"),
        ("", to) => format!("Up to age {to}"),
        (from, to) => format!("Age {from} to {to}"),
    });
    lines.extend(documents);
    lines.push(listed);
    lines
}
