//! The data map and the program say the same. The sources are read as text: a field that the map lacks fails here.

#![allow(clippy::unwrap_used)]

use satchel_core::data_map::{DATA_MAP, data_map_text};
use satchel_core::record::vault::FactField;
use satchel_core::storage::Table;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn source(path: &str) -> String {
    std::fs::read_to_string(root().join("core/src").join(path)).unwrap()
}

/// The lines of a braced item that begins with some text, comments left out.
fn item(code: &str, begins: &str) -> Vec<String> {
    let at = code.find(begins).unwrap_or_else(|| panic!("{begins} is not there"));
    let lines = code[at..].lines().skip(1).take_while(|line| *line != "}" && *line != "    }\n");
    lines.map(|line| line.trim().to_owned()).filter(|line| !line.starts_with("//")).collect()
}

/// Names of the fields that a type encodes: each stands on the line after its number.
fn encoded_fields(code: &str, name: &str) -> BTreeSet<String> {
    let lines = item(code, &format!("pub struct {name} {{"));
    let mut found = BTreeSet::new();
    let mut numbered = false;
    for line in lines {
        if line.starts_with("#[n(") || line.starts_with("#[cbor(n(") {
            numbered = true;
        } else if let Some((field, _)) = line.trim_start_matches("pub ").split_once(':')
            && numbered
        {
            numbered = false;
            found.insert(field.to_owned());
        }
    }
    found
}

/// Text constants of a module, or of a whole file.
fn constants(code: &str) -> BTreeSet<String> {
    let named = code.split("const ").skip(1).filter_map(|rest| rest.split_once(": &str = \""));
    named
        .filter(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .filter_map(|(_, rest)| Some(rest.split_once('"')?.0.to_owned()))
        .collect()
}

fn module(code: &str, name: &str) -> BTreeSet<String> {
    constants(&item(code, &format!("pub mod {name} {{")).join("\n"))
}

/// Variants of the log's actions: names at one level of indentation.
fn variants(code: &str) -> BTreeSet<String> {
    let at = code.find("pub enum Action {").unwrap();
    let lines = code[at..].lines().skip(1).take_while(|line| *line != "}");
    let named = lines.filter_map(|line| line.strip_prefix("    ")?.strip_suffix(" {").map(str::to_owned));
    named.filter(|name| name.chars().all(char::is_alphanumeric)).collect()
}

/// Everything that the program can store, by the source that says so.
fn in_program(source_name: &str) -> BTreeSet<String> {
    let (path, name) = source_name.split_once('#').unwrap();
    match (path, name) {
        ("store", "names") => {
            let mut found = BTreeSet::new();
            for entry in ["store", "store/mailbox"] {
                for file in std::fs::read_dir(root().join("core/src").join(entry)).unwrap().map(|entry| entry.unwrap().path()) {
                    if file.extension().is_some_and(|ext| ext == "rs") {
                        found.extend(constants(&std::fs::read_to_string(file).unwrap()));
                    }
                }
            }
            // names of other tables' values, and a code
            for other in ["operation", "announcement", "ledger", "held", "held_unknown_device"] {
                assert!(found.remove(other), "{other} is no longer a name in the store");
            }
            found
        }
        ("storage/table.rs", "Table") => Table::ALL.iter().map(|table| format!("{table:?}")).collect(),
        ("record/vault.rs", "FactField") => FactField::ALL.iter().map(|fact| fact.as_str().to_owned()).collect(),
        ("team/operation.rs", "Action") => variants(&source(path)),
        (_, "NAME") => BTreeSet::from(["name".to_owned()]),
        (_, module_name) if module_name.starts_with(char::is_lowercase) => module(&source(path), module_name),
        (_, type_name) => encoded_fields(&source(path), type_name),
    }
}

fn in_map(name: &str) -> BTreeSet<String> {
    let group = DATA_MAP.iter().find(|group| group.source == name).unwrap();
    group.fields.iter().map(|(field, _)| (*field).to_owned()).collect()
}

#[test]
fn every_field_of_the_program_stands_in_the_map_and_no_other() {
    let mut checked = 0;
    for group in DATA_MAP {
        let program = in_program(group.source);
        assert!(!program.is_empty(), "{}: nothing was read", group.source);
        assert_eq!(program, in_map(group.source), "{} ({})", group.name, group.source);
        assert!(group.fields.iter().all(|(_, why)| !why.is_empty()) && !group.until.is_empty());
        checked += program.len();
    }
    assert!(checked > 100, "{checked}");
}

#[test]
fn every_type_that_is_encoded_in_records_consents_and_complaints_is_in_the_map() {
    // what is encoded and holds no field of its own: closed lists, wrappers, what only seals or carries
    let known: BTreeMap<&str, &str> = [
        ("EntryContent", "carries one of the values in the map"),
        ("TallyCounter", "the store's value `tally`"),
        ("DayCount", "the same"),
        ("Scopes", "withdrawals, each in the map"),
        ("Content", "a bulletin: tokens, not facts"),
        ("Signed", "a bulletin's envelope"),
        ("Inside", "carries a complaint"),
        ("ReceiptHash", "a hash"),
    ]
    .into();
    let mapped: BTreeSet<&str> = DATA_MAP.iter().filter_map(|group| group.source.split_once('#').map(|(_, name)| name)).collect();
    let mut seen = 0;
    for room in ["record", "consent", "complaint"] {
        for file in std::fs::read_dir(root().join("core/src").join(room)).unwrap().map(|entry| entry.unwrap().path()) {
            let code = std::fs::read_to_string(&file).unwrap();
            for (at, _) in code.match_indices("struct ") {
                let head = &code[..at];
                let derives = head.rsplit_once("#[derive(").map(|(_, rest)| rest);
                // only what lies between the derive and the type
                if !derives.is_some_and(|rest| rest.contains("Encode") && !rest.contains('}') && !rest.contains(';')) {
                    continue;
                }
                let name: String = code[at + 7..].chars().take_while(|c| c.is_alphanumeric()).collect();
                seen += 1;
                assert!(mapped.contains(name.as_str()) || known.contains_key(name.as_str()), "{name} in {file:?} is in no map");
            }
        }
    }
    assert!(seen >= 12, "{seen}");
}

#[test]
fn the_document_is_what_the_program_prints() {
    let path = root().join("docs/DATA_MAP.md");
    if std::env::var_os("SATCHEL_WRITE_DOCS").is_some() {
        std::fs::write(&path, data_map_text()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), data_map_text(), "run this test with SATCHEL_WRITE_DOCS=1");
}

#[test]
fn a_new_field_would_be_noticed() {
    let code = "pub struct Offer {\n    /// Which.\n    #[n(0)]\n    pub resource: ResourceId,\n    #[cbor(n(1), default)]\n    pub arrested: bool,\n}\n";
    assert_eq!(encoded_fields(code, "Offer"), BTreeSet::from(["resource".to_owned(), "arrested".to_owned()]));
    assert_ne!(encoded_fields(code, "Offer"), in_map("record/encounter.rs#Offer"));
    assert_eq!(
        module("pub mod field {\n    /// X.\n    pub const GANG: &str = \"gang\";\n}\n", "field"),
        BTreeSet::from(["gang".to_owned()])
    );
    assert_eq!(
        variants("pub enum Action {\n    /// X.\n    #[n(0)]\n    Report {\n        #[n(0)]\n        who: Id,\n    },\n}\n"),
        BTreeSet::from(["Report".to_owned()])
    );
    assert_eq!(constants("pub(super) const FILE: &str = \"police file\";"), BTreeSet::from(["police file".to_owned()]));
}
