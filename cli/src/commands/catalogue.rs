//! The catalogue of services.

use crate::arguments::{Catalogue as Command, Settings};
use crate::failure::Failure;
use crate::hsds::{self, Import};
use crate::lookup;
use crate::output::{Output, table};
use satchel_core::catalogue::{Catalogue, CataloguePackage, Category, Demand, Filter, Known, Resource};
use serde_json::{Value, json};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// Invented providers of an invented city, in the Human Services Data Specification, version 3.
const STARTER: [(&str, &str); 13] = [
    ("addresses.csv", include_str!("../../catalogue/starter/addresses.csv")),
    ("attributes.csv", include_str!("../../catalogue/starter/attributes.csv")),
    ("cost_options.csv", include_str!("../../catalogue/starter/cost_options.csv")),
    ("datapackage.json", include_str!("../../catalogue/starter/datapackage.json")),
    ("languages.csv", include_str!("../../catalogue/starter/languages.csv")),
    ("locations.csv", include_str!("../../catalogue/starter/locations.csv")),
    ("organizations.csv", include_str!("../../catalogue/starter/organizations.csv")),
    ("phones.csv", include_str!("../../catalogue/starter/phones.csv")),
    ("required_documents.csv", include_str!("../../catalogue/starter/required_documents.csv")),
    ("schedules.csv", include_str!("../../catalogue/starter/schedules.csv")),
    ("service_at_location.csv", include_str!("../../catalogue/starter/service_at_location.csv")),
    ("services.csv", include_str!("../../catalogue/starter/services.csv")),
    ("taxonomy_terms.csv", include_str!("../../catalogue/starter/taxonomy_terms.csv")),
];
/// First bytes of a catalogue package.
const PACKAGE_MAGIC: &[u8; 8] = b"SATCHCAT";

/// The starter catalogue, read like any other import.
fn starter() -> Result<Import, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::Unreadable(error.kind()))?;
    for (name, text) in STARTER {
        std::fs::write(folder.path().join(name), text).map_err(|error| Failure::Unreadable(error.kind()))?;
    }
    Ok(hsds::read(folder.path())?)
}

/// The bytes of a file if it is a package already.
fn read_package(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    if !path.is_file() {
        return Ok(None);
    }
    let unreadable = |error: std::io::Error| Failure::Unreadable(error.kind());
    let limit = satchel_core::catalogue::limits::PACKAGE_BYTES as u64;
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(unreadable)?.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes.starts_with(PACKAGE_MAGIC).then_some(bytes))
}

fn import(settings: &Settings, output: Output, path: Option<&Path>) -> Result<(), Failure> {
    let package = path.map(read_package).transpose()?.flatten();
    let (package, report) = match (package, path) {
        (Some(package), _) => (package, None),
        (None, Some(path)) => of_import(hsds::read(path)?)?,
        (None, None) => of_import(starter()?)?,
    };
    let info = settings.unlock()?.publish_catalogue(&package)?;
    let skipped: Vec<Value> = report
        .iter()
        .flat_map(|report| &report.skipped)
        .map(|skipped| json!({ "place": skipped.place.to_string(), "code": skipped.code.code() }))
        .collect();
    let warnings = report.as_ref().map_or(0, |report| report.warning_count);
    let value = json!({
        "resources": info.resources,
        "package_bytes": package.len(),
        "content_id": data_encoding::HEXLOWER.encode(&info.content_id),
        "skipped": skipped,
        "warnings": warnings,
    });
    output.show(&value, || {
        let mut text = format!(
            "{} services imported, {} bytes for the whole team. {} left out, {warnings} notes.",
            info.resources,
            package.len(),
            skipped.len()
        );
        for skipped in report.iter().flat_map(|report| &report.skipped).take(20) {
            text.push_str(&format!("\n  left out: {} ({})", skipped.place, skipped.code.code()));
        }
        text
    });
    Ok(())
}

fn of_import(import: Import) -> Result<(Vec<u8>, Option<hsds::Report>), Failure> {
    let package = CataloguePackage::build(&import.catalogue)?;
    Ok((package.bytes().to_vec(), Some(import.report)))
}

fn in_use(settings: &Settings) -> Result<Arc<Catalogue>, Failure> {
    settings.unlock()?.catalogue()?.ok_or(Failure::NoMatch { what: "catalogue" })
}

fn category(name: Option<&String>) -> Result<Option<Category>, Failure> {
    let expected = "housing, childcare, health_care, income, legal_aid, food, safer_use_supplies, drop_in, transport or other";
    name.map(|name| Category::from_name(name).ok_or(Failure::Argument { name: "--category", expected })).transpose()
}

pub fn run(settings: &Settings, output: Output, command: Command) -> Result<(), Failure> {
    match command {
        Command::Import { path } => import(settings, output, path.as_deref())?,
        Command::List { category: name } => {
            let filter = Filter { category: category(name.as_ref())?, ..Filter::default() };
            list(output, &in_use(settings)?.find(&filter));
        }
        Command::Find { words, category: name, without, language } => {
            let demand = |name: &String| {
                let expected = "id, abstinence, police_contact, address, referral or immigration_status";
                Demand::from_name(name).ok_or(Failure::Argument { name: "--without", expected })
            };
            let filter = Filter {
                category: category(name.as_ref())?,
                text: words.join(" "),
                without_demands: without.iter().map(demand).collect::<Result<_, _>>()?,
                language,
                ..Filter::default()
            };
            list(output, &in_use(settings)?.find(&filter));
        }
        Command::Show { resource } => {
            let catalogue = in_use(settings)?;
            let resource = lookup::in_catalogue(&catalogue, &resource)?;
            output.show(&value(resource)?, || describe(resource, &catalogue));
        }
    }
    Ok(())
}

fn value(resource: &Resource) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(resource).map_err(|_| Failure::Check("a_resource_as_json"))?;
    if let Some(object) = value.as_object_mut() {
        // the one form of ids that is used everywhere else
        object.insert("id".to_owned(), json!(lookup::resource_id(resource).to_string()));
    }
    Ok(value)
}

fn list(output: Output, found: &[&Resource]) {
    let values: Vec<Value> = found
        .iter()
        .map(|resource| {
            json!({
                "id": lookup::resource_id(resource).to_string(),
                "name": resource.name,
                "provider": resource.provider,
                "category": resource.category.name(),
                "demands": resource.demands.yes().map(Demand::name).collect::<Vec<_>>(),
            })
        })
        .collect();
    output.show(&Value::Array(values), || {
        let row = |resource: &&Resource| {
            let demands: Vec<&str> = resource.demands.yes().map(Demand::name).collect();
            let id = super::view::short(lookup::resource_id(resource));
            vec![id, resource.category.name().to_owned(), resource.name.clone(), demands.join(", ")]
        };
        table(&["id", "category", "name", "demands"], &found.iter().map(row).collect::<Vec<_>>())
    });
}

/// What is known to be so, and what nobody has said.
fn answers<K: Ord + Copy>(known: &Known<K>, all: &[K], name: impl Fn(K) -> &'static str) -> String {
    let yes: Vec<&str> = known.yes().map(&name).collect();
    let unknown: Vec<&str> = all.iter().copied().filter(|key| known.answer(*key).is_none()).map(&name).collect();
    let yes = if yes.is_empty() { "nothing known".to_owned() } else { yes.join(", ") };
    if unknown.is_empty() { yes } else { format!("{yes}  (not said: {})", unknown.join(", ")) }
}

fn describe(resource: &Resource, catalogue: &Catalogue) -> String {
    let optional = |name: &str, text: Option<&str>| text.filter(|text| !text.is_empty()).map(|text| format!("{name:<12} {text}"));
    let languages = resource.languages.join(", ");
    let verified = resource.last_verified.map(|day| day.to_string());
    let faith = match resource.faith_or_rescue {
        Some(true) => Some("help depends on religious or \"rescue\" activity"),
        _ => None,
    };
    let lines = [
        Some(format!("{}  ({})", resource.name, resource.category.name())),
        optional("id", Some(&lookup::resource_id(resource).to_string())),
        optional("provider", Some(&resource.provider)),
        optional("what", Some(&resource.description)),
        optional("cost", resource.cost.as_deref()),
        optional("for whom", resource.eligibility.as_deref()),
        optional("demands", Some(&answers(&resource.demands, Demand::ALL, Demand::name))),
        optional("tells", Some(&answers(&resource.shares_data_with, satchel_core::catalogue::Recipient::ALL, |one| one.name()))),
        optional("excludes", Some(&answers(&resource.excludes, satchel_core::catalogue::Excluded::ALL, |one| one.name()))),
        optional("condition", faith),
        optional("languages", Some(&languages)),
        optional("hours", Some(&resource.hours.text)),
        optional("phone", resource.phone.as_deref()),
        optional("address", resource.address.as_deref()),
        optional("checked", verified.as_deref()),
        optional("licence", Some(&catalogue.licence)),
    ];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}
