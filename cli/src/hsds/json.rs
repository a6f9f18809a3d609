//! JSON documents and JSON lines, flattened into the same tables as CSV.

use super::report::{Place, Report, SkipCode, WarningCode};
use super::tables::{Cells, Record, Table, Tables};
use super::{HsdsError, limits};
use satchel_core::catalogue::ResourceId;
use serde_json::{Map, Value};

/// Columns that say what a row belongs to; in JSON the nesting says it.
const LINKS: [&str; 5] = ["service_at_location_id", "service_id", "location_id", "organization_id", "link_id"];

/// Tables whose rows hang on a service, a location or both.
const CHILDREN: [Table; 9] = [
    Table::Phones,
    Table::Addresses,
    Table::Schedules,
    Table::HolidaySchedules,
    Table::Eligibility,
    Table::Languages,
    Table::RequiredDocuments,
    Table::CostOptions,
    Table::Attributes,
];

/// Reads one document, or lines when `lines` is set or the text is not one document; returns whether it held
/// anything of the standard.
pub fn read(text: &str, lines: bool, tables: &mut Tables, report: &mut Report) -> Result<bool, HsdsError> {
    let values = text.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count();
    if values > limits::JSON_VALUE_COUNT {
        return Err(HsdsError::TooManyValues);
    }
    let mut reader = Reader { tables, report, row: 0, found: false };
    if lines {
        reader.lines(text)?;
    } else {
        match serde_json::from_str::<Value>(text) {
            Ok(document) => reader.document(&document)?,
            Err(_) if looks_like_lines(text) => reader.lines(text)?,
            Err(error) => {
                return Err(HsdsError::BadJson { line: error.line(), column: error.column() });
            }
        }
    }
    Ok(reader.found)
}

/// Whether one of the first lines is a whole object and there are several lines.
fn looks_like_lines(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first: Vec<&str> = lines.by_ref().take(20).collect();
    first.len() > 1 && first.iter().any(|line| serde_json::from_str::<Map<String, Value>>(line).is_ok())
}

struct Reader<'a> {
    tables: &'a mut Tables,
    report: &'a mut Report,
    row: u64,
    found: bool,
}

impl Reader<'_> {
    fn place(&self, table: Table) -> Place {
        Place { table, row: self.row }
    }

    fn lines(&mut self, text: &str) -> Result<(), HsdsError> {
        for (line, number) in text.lines().zip(1..) {
            self.row = number;
            if line.trim().is_empty() {
                continue;
            }
            if line.len() > limits::ROW_BYTES {
                self.report.skip(self.place(Table::Services), SkipCode::RowTooLong);
                continue;
            }
            match serde_json::from_str::<Value>(line) {
                Ok(value) => self.item(&value)?,
                Err(_) => self.report.skip(self.place(Table::Services), SkipCode::MalformedLine),
            }
        }
        Ok(())
    }

    fn document(&mut self, document: &Value) -> Result<(), HsdsError> {
        let Value::Object(object) = document else {
            return self.items(document);
        };
        let pages = object.get("total_pages").and_then(Value::as_u64).unwrap_or(1);
        if pages > 1 {
            self.report.warn(None, WarningCode::PartialPage);
        }
        // An organization has services too, but also an id and a name.
        let wrapper = !object.contains_key("id") && !object.contains_key("name");
        let lists = ["contents", "services", "organizations", "service_at_locations", "items", "data", "results"];
        let mut wrapped = false;
        for list in lists.iter().filter_map(|key| object.get(*key)).filter(|_| wrapper) {
            if list.is_array() {
                wrapped = true;
                self.items(list)?;
            }
        }
        if !wrapped {
            self.row = 1;
            self.item(document)?;
        }
        Ok(())
    }

    fn items(&mut self, list: &Value) -> Result<(), HsdsError> {
        let Value::Array(items) = list else {
            return Ok(());
        };
        self.found = true;
        for item in items {
            self.row += 1;
            self.item(item)?;
        }
        Ok(())
    }

    /// One top-level object: a service, an organization with services, or a service at a location.
    fn item(&mut self, value: &Value) -> Result<(), HsdsError> {
        let Value::Object(object) = value else {
            self.report.skip(self.place(Table::Services), SkipCode::NotAnObject);
            return Ok(());
        };
        let has = |key: &str| object.contains_key(key);
        if object.get("service").is_some_and(Value::is_object) {
            self.found = true;
            self.service_at_location(object, None, false)?;
        } else if has("services") || ((has("legal_status") || has("tax_status") || has("year_incorporated")) && !has("status")) {
            self.found = true;
            self.organization(object, false)?;
        } else if has("name") || has("status") || has("organization_id") {
            self.found = true;
            self.service(object, None, false)?;
        } else {
            self.report.skip(self.place(Table::Services), SkipCode::NotAnObject);
        }
        Ok(())
    }

    fn push(&mut self, table: Table, cells: Cells, nested: bool) -> Result<(), HsdsError> {
        let place = self.place(table);
        self.tables.push(Record { place, nested, cells })
    }

    fn organization(&mut self, object: &Map<String, Value>, nested: bool) -> Result<Option<String>, HsdsError> {
        let cells = cells(Table::Organizations, object);
        let id = cells.get("id").cloned();
        if let Some(id) = &id {
            self.child(Table::Phones, object.get("phones"), &[("organization_id", id)])?;
        }
        self.push(Table::Organizations, cells, nested)?;
        for service in array(object.get("services")) {
            match service {
                Value::Object(service) => {
                    self.service(service, id.as_deref(), nested)?;
                }
                _ => self.report.skip(self.place(Table::Services), SkipCode::NotAnObject),
            }
        }
        Ok(id)
    }

    fn service(&mut self, object: &Map<String, Value>, organization: Option<&str>, nested: bool) -> Result<Option<String>, HsdsError> {
        let mut cells = cells(Table::Services, object);
        if let Some(Value::Object(inner)) = object.get("organization") {
            // The services listed inside would be this one again.
            let mut inner = inner.clone();
            inner.remove("services");
            if let Some(id) = self.organization(&inner, true)? {
                cells.insert("organization_id", id);
            }
        } else if let Some(id) = organization {
            cells.insert("organization_id", id.to_owned());
        }
        let id = cells.get("id").cloned();
        self.push(Table::Services, cells, nested)?;
        let Some(id) = id else {
            return Ok(None);
        };
        self.children(object, &[("service_id", &id)])?;
        for key in ["service_at_locations", "services_at_location"] {
            for at in array(object.get(key)) {
                if let Value::Object(at) = at {
                    self.service_at_location(at, Some(&id), true)?;
                }
            }
        }
        for key in ["locations", "location"] {
            for location in array(object.get(key)) {
                if let Value::Object(location) = location {
                    let location_id = self.location(location)?;
                    self.link(&id, &location_id)?;
                }
            }
        }
        Ok(Some(id))
    }

    fn link(&mut self, service: &str, location: &str) -> Result<(), HsdsError> {
        let cells = Cells::from([
            ("id", format!("{service} {location}")),
            ("service_id", service.to_owned()),
            ("location_id", location.to_owned()),
        ]);
        self.push(Table::ServiceAtLocation, cells, true)
    }

    fn service_at_location(&mut self, object: &Map<String, Value>, service: Option<&str>, nested: bool) -> Result<(), HsdsError> {
        let mut cells = cells(Table::ServiceAtLocation, object);
        let service = match (object.get("service"), service) {
            // A service met at each of its locations is one service.
            (Some(Value::Object(inner)), None) => self.service(inner, None, true)?,
            (_, outer) => outer.map(str::to_owned),
        };
        if let Some(Value::Object(location)) = object.get("location") {
            let location = self.location(location)?;
            cells.insert("location_id", location);
        }
        if let Some(service) = service {
            cells.insert("service_id", service);
        }
        let id = cells.entry("id").or_insert_with(|| stand_in(object)).clone();
        self.push(Table::ServiceAtLocation, cells, nested)?;
        self.children(object, &[("service_at_location_id", &id)])
    }

    fn location(&mut self, object: &Map<String, Value>) -> Result<String, HsdsError> {
        let mut cells = cells(Table::Locations, object);
        let id = cells.entry("id").or_insert_with(|| stand_in(object)).clone();
        self.push(Table::Locations, cells, true)?;
        self.children(object, &[("location_id", &id)])?;
        Ok(id)
    }

    fn children(&mut self, object: &Map<String, Value>, parent: &[(&'static str, &str)]) -> Result<(), HsdsError> {
        for (key, value) in object {
            if let Some(table) = Table::from_stem(key).filter(|table| CHILDREN.contains(table)) {
                self.child(table, Some(value), parent)?;
            } else if matches!(key.as_str(), "taxonomy" | "taxonomy_terms") {
                self.child(Table::Attributes, Some(value), parent)?;
            }
        }
        Ok(())
    }

    fn child(&mut self, table: Table, value: Option<&Value>, parent: &[(&'static str, &str)]) -> Result<(), HsdsError> {
        for item in array(value) {
            let Value::Object(object) = item else {
                continue;
            };
            let mut cells = cells(table, object);
            cells.retain(|column, _| !LINKS.contains(column));
            for (column, id) in parent {
                cells.insert(column, (*id).to_owned());
            }
            if table == Table::Attributes {
                self.term(object, &mut cells)?;
                if let Some((column, id)) = parent.first() {
                    cells.insert("link_id", (*id).to_owned());
                    cells.insert("link_entity", column.trim_end_matches("_id").to_owned());
                }
            }
            self.push(table, cells, true)?;
        }
        Ok(())
    }

    /// Takes the embedded taxonomy term out of an attribute; older documents list the terms themselves.
    fn term(&mut self, attribute: &Map<String, Value>, cells: &mut Cells) -> Result<(), HsdsError> {
        let embedded = attribute.get("taxonomy_term").or_else(|| attribute.get("taxonomy"));
        let term = match embedded {
            Some(Value::Object(term)) => term,
            _ if attribute.contains_key("name") || attribute.contains_key("term") => attribute,
            _ => return Ok(()),
        };
        let mut term_cells = self::cells(Table::TaxonomyTerms, term);
        let id = term_cells.entry("id").or_insert_with(|| stand_in(term)).clone();
        cells.insert("taxonomy_term_id", id);
        self.push(Table::TaxonomyTerms, term_cells, true)
    }
}

/// A stable id for an object that has none: a hash of its content.
fn stand_in(object: &Map<String, Value>) -> String {
    let content = serde_json::to_string(object).unwrap_or_default();
    ResourceId::derive("", None, &content).to_string()
}

/// The items of an array, or the value itself when it is a single object.
fn array(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::Array(items)) => items,
        Some(object @ Value::Object(_)) => std::slice::from_ref(object),
        _ => &[],
    }
}

fn cells(table: Table, object: &Map<String, Value>) -> Cells {
    let mut cells = Cells::new();
    for (key, value) in object {
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(answer) => answer.to_string(),
            Value::Array(items) if table == Table::Services => {
                let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                words.join(", ")
            }
            _ => continue,
        };
        if let Some(column) = table.column(key)
            && !text.is_empty()
        {
            cells.entry(column).or_insert(text);
        }
    }
    cells
}
