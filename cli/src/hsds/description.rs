//! The package description (`datapackage.json`, Frictionless Data Package): title, origin, licence, file names.

use super::report::{Report, WarningCode};
use super::source::is_safe;
use super::tables::Table;
use satchel_core::catalogue::{Day, clean_line, limits};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a package says about itself.
#[derive(Default)]
pub struct Description {
    /// Title.
    pub title: String,
    /// Publisher or home page.
    pub source: String,
    /// Licence line.
    pub licence: String,
    /// The day it was published.
    pub published: Option<Day>,
    /// File names that do not show which table they hold.
    pub paths: BTreeMap<String, Table>,
}

impl Description {
    /// Reads what can be read; a broken description is only a warning.
    pub fn read(text: &str, report: &mut Report) -> Self {
        let Ok(Value::Object(package)) = serde_json::from_str(text) else {
            report.warn(None, WarningCode::BadPackageDescription);
            return Description::default();
        };
        let mut line = |values: Vec<&str>, max_bytes: usize| {
            let (line, cut) = clean_line(&values.join(" "), max_bytes);
            if cut {
                report.warn(None, WarningCode::TextTruncated);
            }
            line
        };
        let title = line(words(package.get("title").or_else(|| package.get("name")), &[]), limits::TITLE_BYTES);
        let origin = ["sources", "contributors", "publisher", "homepage"]
            .iter()
            .map(|key| words(package.get(*key), &["title", "name", "path", "web", "url"]))
            .find(|words| !words.is_empty());
        let source = line(origin.unwrap_or_default(), limits::SOURCE_BYTES);
        let licence = ["licenses", "license", "licence", "licences"]
            .iter()
            .map(|key| words(package.get(*key), &["title", "name", "type", "path", "url"]))
            .find(|words| !words.is_empty());
        let licence = line(licence.unwrap_or_default(), limits::LICENCE_BYTES);
        let published = ["published", "last_updated", "updated", "modified", "created", "version"]
            .iter()
            .find_map(|key| package.get(*key).and_then(Value::as_str).and_then(Day::from_iso));
        let mut paths = BTreeMap::new();
        for resource in package.get("resources").and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| resource.get(key).and_then(Value::as_str);
            let (Some(name), Some(path)) = (text("name"), text("path")) else {
                continue;
            };
            if !is_safe(path) {
                report.warn(None, WarningCode::UnsafeResourcePath);
            } else if let Some(table) = Table::from_stem(name) {
                paths.insert(path.trim_start_matches("./").to_owned(), table);
            }
        }
        Description { title, source, licence, published, paths }
    }
}

/// The text of a value: itself, or the given members of an object, or of the first object of a list.
fn words<'a>(value: Option<&'a Value>, members: &[&str]) -> Vec<&'a str> {
    match value {
        Some(Value::String(text)) => vec![text.as_str()],
        Some(Value::Array(items)) => words(items.first(), members),
        Some(object @ Value::Object(_)) => {
            let mut words: Vec<&str> = Vec::new();
            for text in members.iter().filter_map(|member| object.get(*member)?.as_str()) {
                if !words.contains(&text) {
                    words.push(text);
                }
            }
            words
        }
        _ => Vec::new(),
    }
}
