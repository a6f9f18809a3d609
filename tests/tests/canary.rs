//! Locked means ciphertext: no file of a store holds a readable byte of a word or key, after any operation.
#![allow(clippy::unwrap_used)]

use automerge::transaction::Transactable;
use flate2::Compression;
use flate2::write::{DeflateEncoder, ZlibEncoder};
use satchel_core::env::Env;
use satchel_core::store::Store;
use satchel_tests::canary::{Form, Format, Scanner, formats, forms, values};
use satchel_tests::scene::{self, PLANTED, READS, Recorder, TestClock, WRITES, word};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

fn planted() -> Scanner {
    let mut scanner = Scanner::default();
    for purpose in PLANTED {
        scanner.plant(purpose, word(purpose).as_bytes());
    }
    scanner
}

/// Looks for everything planted, and at every value of the database.
fn assert_sealed(scanner: &mut Scanner, dir: &Path, after: &str) -> usize {
    assert_eq!(scanner.scan_dir(dir).unwrap(), [], "after {after}");
    let values = values(dir).unwrap();
    for (column, value) in &values {
        assert_eq!(formats(value), [], "{column} after {after}");
    }
    values.len()
}

#[test]
fn no_operation_leaves_a_readable_byte() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let recorder = Recorder::seeded(1);
    let env = || Env::new(TestClock::at(scene::NOON), recorder.clone());
    let mut scanner = planted();
    let founded = scene::found(&dir, env()).unwrap();
    scanner.plant("reseat words", founded.reseat_words.as_bytes());
    let reseat_words: Vec<&str> = founded.reseat_words.split(' ').collect();
    scanner.plant("some reseat words", reseat_words[3..6].join(" ").as_bytes());
    let (mut looks, mut seen) = (0, 0);
    let mut keys = 0;
    let mut look = |after: &str| {
        for key in &recorder.keys()[keys..] {
            scanner.plant(&format!("key {keys}"), key);
            keys += 1;
        }
        seen = seen.max(assert_sealed(&mut scanner, &dir, after));
        looks += 1;
    };
    look("founding");
    let done = scene::work(&founded.unlocked, &mut |after| look(after)).unwrap();
    let unlocked = founded.unlocked;
    for (name, operation) in WRITES.iter().chain(READS) {
        operation(&unlocked, &done).unwrap();
        look(name);
    }
    let store = unlocked.store();
    store.lock();
    look("lock");
    store.suspend().unwrap();
    look("suspend");
    store.resume().unwrap();
    look("resume");
    assert!(store.unlock(&satchel_core::crypto::Passphrase::new(b"another").unwrap(), None).is_err());
    look("a wrong passphrase");
    drop(store.unlock(&scene::passphrase(), None).unwrap());
    look("unlock");
    store.check().unwrap();
    drop((store, unlocked));
    look("the end");
    assert!(keys > 40 && seen > 60 && looks > 45, "{keys} keys, {seen} values, {looks} looks");
    // Positive control: in the same folder the same scanner finds a key and a word.
    fs::write(dir.join("key"), recorder.keys()[0]).unwrap();
    fs::write(dir.join("word"), word("goal 1").as_bytes()).unwrap();
    let hits = scanner.scan_dir(&dir).unwrap();
    assert_eq!(hits.iter().map(|hit| hit.label.as_str()).collect::<Vec<_>>(), ["goal 1", "key 0"]);
}

#[test]
fn a_killed_writer_leaves_no_readable_byte() {
    for round in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("store");
        let mut child = Command::new(env!("CARGO_BIN_EXE_store_child")).arg(&dir).arg("loop").stdout(Stdio::piped()).spawn().unwrap();
        // Until some records are acknowledged; the kill meets the next one somewhere.
        let mut acknowledged = vec![0; 33 * (20 + round * 7)];
        child.stdout.take().unwrap().read_exact(&mut acknowledged).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let mut scanner = planted();
        for number in 0..200 {
            scanner.plant("note", word(&format!("note {number}")).as_bytes());
        }
        assert!(assert_sealed(&mut scanner, &dir, "a kill") > 40);
    }
}

/// A plain SQLite store with one value.
fn plain_store(value: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(folder.path().join("store.sqlite")).unwrap();
    connection.execute_batch("CREATE TABLE meta (name TEXT NOT NULL, sealed BLOB NOT NULL)").unwrap();
    connection.execute("INSERT INTO meta VALUES ('root', ?1)", [value]).unwrap();
    folder
}

/// The forms in which the scanner finds a word in a plain store with this value, and the formats of the value.
fn found(value: &[u8], inflated: bool) -> (BTreeSet<Form>, Vec<Format>) {
    let folder = plain_store(value);
    let mut scanner = planted();
    let hits = scanner.scan_dir(folder.path()).unwrap();
    assert!(hits.iter().all(|hit| hit.label == "alias"), "{hits:?}");
    let forms = hits.into_iter().filter(|hit| hit.inflated == inflated).map(|hit| hit.form).collect();
    let stored = values(folder.path()).unwrap().into_iter().find(|(column, _)| column == "meta.sealed").unwrap().1;
    (forms, formats(&stored))
}

fn compressed(plain: &[u8]) -> [Vec<u8>; 2] {
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    raw.write_all(plain).unwrap();
    zlib.write_all(plain).unwrap();
    [raw.finish().unwrap(), zlib.finish().unwrap()]
}

#[test]
fn the_scanner_finds_every_form_in_a_plain_store() {
    let alias = word("alias");
    for (form, bytes) in forms(alias.as_bytes()) {
        let wrapped = [b"..", &bytes[..], b".."].concat();
        assert!(found(&wrapped, false).0.contains(&form), "{form:?}");
    }
    // Real encoders, at each place in a group of three bytes.
    for before in ["", "x", "xy", "xyz"] {
        let text = format!("{before}{}, and more", *alias);
        assert!(found(data_encoding::BASE64.encode(text.as_bytes()).as_bytes(), false).0.contains(&Form::Base64));
        assert!(found(data_encoding::BASE64URL_NOPAD.encode(text.as_bytes()).as_bytes(), false).0.contains(&Form::Base64Url));
    }
}

#[test]
fn the_scanner_looks_into_whatever_inflates() {
    let alias = word("alias");
    // Most of the alias is a repetition, so that compressing leaves no copy of it as it is.
    let filler: Vec<String> = (0..12).map(|number| word(&format!("filler {number}")).to_string()).collect();
    let text = [&filler.join(" "), &alias[..9], &alias, " soup and bread".repeat(20).as_str()].join(" ");
    let nested = data_encoding::HEXLOWER.encode(text.as_bytes());
    for (number, stream) in compressed(text.as_bytes()).into_iter().chain(compressed(nested.as_bytes())).enumerate() {
        assert!(!stream.windows(alias.len()).any(|window| window == alias.as_bytes()));
        // In the middle of other bytes too.
        let wrapped = [&[0xa5; 77][..], &stream, &[0x5a; 9]].concat();
        let form = if number < 2 { Form::Plain } else { Form::HexLower };
        assert!(found(&stream, true).0.contains(&form) && found(&wrapped, true).0.contains(&form), "{number}");
        let format = if number % 2 == 0 { Format::Deflate } else { Format::Zlib };
        assert!(found(&stream, true).1.contains(&format), "{number}");
    }
}

#[test]
fn values_that_are_not_sealed_are_recognised() {
    let alias = word("alias");
    let mut document = automerge::AutoCommit::new();
    document.put(automerge::ROOT, "alias", alias.as_str()).unwrap();
    let (forms, kinds) = found(&document.save(), false);
    assert!(forms.contains(&Form::Plain) && kinds == [Format::Automerge], "{kinds:?}");
    // Long enough for Automerge to deflate the column with the word in it.
    let goals = document.put_object(automerge::ROOT, "goals", automerge::ObjType::List).unwrap();
    for number in 0..60 {
        document.insert(&goals, number, format!("soup and bread {}", *alias)).unwrap();
    }
    let saved = document.save();
    let folder = plain_store(&saved);
    let inflated = planted().scan_dir(folder.path()).unwrap();
    assert!(inflated.iter().any(|hit| hit.inflated && hit.form == Form::Plain), "{inflated:?}");
    // The CBOR that the store itself would write, unsealed.
    let list: Vec<&str> = vec![&alias; 6];
    let map: std::collections::BTreeMap<u8, &str> = (0..6).map(|number| (number, alias.as_str())).collect();
    for value in [minicbor::to_vec(&list).unwrap(), minicbor::to_vec(&map).unwrap()] {
        let (forms, kinds) = found(&value, false);
        assert!(forms.contains(&Form::Plain) && kinds == [Format::Cbor], "{kinds:?}");
        let cut = &value[..value.len() - 1];
        assert_eq!(formats(cut), [], "what does not end where the value ends is not CBOR");
    }
    // And noise, as sealing makes it, is nothing of all this.
    let noise = Arc::clone(&Recorder::seeded(3));
    let mut some = vec![0; 3_000];
    satchel_core::env::Randomness::fill(&*noise, &mut some);
    let taken = (0..1_000).filter(|at| !formats(&some[*at..*at + 300 + at % 50]).is_empty()).count();
    assert!(taken < 3, "{taken}");
}
