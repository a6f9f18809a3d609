//! Test vectors for the judgement of a change's bytes, readable by other implementations.
//!
//! Each file in `tests/vectors/document/` is a JSON object: `comment` says what it shows,
//! `change_hex` is the change, `expect` is `ok` or a [`DocumentError::code`]. Verdicts never change,
//! so a file is never edited; after adding one to `cases`, write it with
//! `cargo test -p satchel-core write_vectors -- --ignored`.

mod columns;
mod frames;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use data_encoding::HEXLOWER;

use super::craft::Crafted;
use super::*;
use crate::document::{Place, verify_change};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/document")
}

pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) comment: &'static str,
    pub(super) change: Vec<u8>,
    pub(super) expect: &'static str,
}

/// A change that replaces a conflict, deletes a field and adds a list item.
fn settling() -> Vec<u8> {
    let mut base = Document::new(ANA);
    every_type(&mut base);
    let mut ben = copy_for(&base, BEN);
    set(&mut base, "int", "ana");
    let concurrent = set(&mut ben, "int", "ben");
    deliver(&mut base, BEN, &[&concurrent]);
    edit(&mut base, |e| {
        e.set("int", Value::Int(2))?;
        e.clear("null")?;
        e.add_item("goals", "one", Place::Last).map(drop)
    })
}

fn every_type(document: &mut Document) -> Vec<u8> {
    edit(document, |e| {
        e.set("bool", Value::Bool(true))?;
        e.set("bytes", Value::Bytes(vec![0, 1, 2]))?;
        e.set("int", Value::Int(-1))?;
        e.set("null", Value::Null)
    })
}

fn valid() -> Vec<Case> {
    let join = Crafted { columns: vec![], others: vec![], ..Crafted::parse(&settling()) };
    let every_type = every_type(&mut Document::new(ANA));
    [
        ("put-text", "one put of a text", Crafted::simple().bytes()),
        ("put-every-type", "one put of each other type", every_type),
        ("settle-conflict", "a put that replaces two values, a delete, a list item; two parents, one other actor", settling()),
        ("join", "no operation, two parents", join.bytes()),
    ]
    .map(|(name, comment, change)| Case { name, comment, change, expect: "ok" })
    .into()
}

fn cases() -> Vec<Case> {
    let mut cases = valid();
    cases.extend(frames::cases());
    cases.extend(columns::cases());
    cases
}

#[test]
fn every_vector_is_judged_as_it_says() {
    let (mut names, mut ok, mut refused) = (BTreeSet::new(), 0, 0);
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let vector: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let field = |name: &str| vector[name].as_str().unwrap().to_owned();
        let change = HEXLOWER.decode(field("change_hex").as_bytes()).unwrap();
        let verdict = match verify_change(&change) {
            Ok(_) => "ok",
            Err(refusal) => refusal.code(),
        };
        assert_eq!(verdict, field("expect"), "{}", path.display());
        assert!(!field("comment").is_empty());
        if verdict == "ok" {
            ok += 1
        } else {
            refused += 1
        }
        names.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
    }
    assert!(ok >= 5 && refused > 10 * ok, "{ok} valid, {refused} invalid");
    let cases: BTreeSet<_> = cases().iter().map(|case| case.name.to_owned()).collect();
    assert_eq!(names, cases);
}

#[test]
fn the_cases_are_what_the_vectors_say() {
    for Case { name, change, .. } in cases() {
        let file = fs::read_to_string(folder().join(name).with_extension("json")).unwrap();
        assert!(file.contains(&HEXLOWER.encode(&change)), "{name}");
    }
}

#[test]
#[ignore = "writes files; only after adding a case"]
fn write_vectors() {
    fs::create_dir_all(folder()).unwrap();
    for Case { name, comment, change, expect } in cases() {
        let vector = serde_json::json!({
            "comment": comment,
            "change_hex": HEXLOWER.encode(&change),
            "expect": expect,
        });
        let text = serde_json::to_string_pretty(&vector).unwrap() + "\n";
        fs::write(folder().join(name).with_extension("json"), text).unwrap();
    }
}
