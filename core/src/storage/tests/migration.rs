//! Every database ever shipped still opens, and looks like a fresh one afterwards.

use super::*;
use crate::storage::{StorageError, schema};
use satchel_wire::{OperationId, RowId};
use std::fs;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/stores")
}

/// One value in every table, the same for ever: what each fixture holds.
fn populate(database: &mut Database) {
    database
        .transaction(|tx| {
            tx.put_meta("root", &noise(1, 300))?;
            tx.put_page(&page(1), &noise(2, 14_080))?;
            tx.put_tail(&record(1), &page(1), &noise(3, 120))?;
            tx.put_body(&record(1), &BodyId::from_bytes([4; 32]), &noise(4, 361))?;
            tx.add_draft(&record(1), 5, &noise(5, 200))?;
            tx.put_document(&record(1), &noise(6, 2_000))?;
            tx.put_segment(7, &noise(7, 500))?;
            tx.put_operation(&OperationId::from_bytes([8; 32]), &noise(8, 400))?;
            tx.put_held(&RowId::from_bytes([9; 32]), &noise(9, 512))?;
            tx.add_outbox(&noise(10, 512))
        })
        .unwrap();
}

/// Everything that `populate` wrote, as it can be read now.
fn contents(database: &mut Database) -> Vec<Option<Vec<u8>>> {
    database
        .read(|r| {
            let mut all = vec![
                r.meta("root")?,
                r.page(&page(1))?,
                r.tail(&record(1))?,
                r.body(&record(1), &BodyId::from_bytes([4; 32]))?,
                r.document(&record(1))?,
                r.segment(7)?,
                r.operation(&OperationId::from_bytes([8; 32]))?,
                r.held(&RowId::from_bytes([9; 32]))?,
            ];
            let mut keep = |_, sealed: &[u8]| {
                all.push(Some(sealed.to_vec()));
                Ok::<(), StorageError>(())
            };
            r.for_each_draft_of(&record(1), &mut keep)?;
            r.for_each_outbox(&mut keep)?;
            Ok::<_, StorageError>(all)
        })
        .unwrap()
}

#[test]
fn every_old_store_upgrades_to_the_fresh_schema_with_its_contents() {
    let (_folder, dir) = place();
    let mut fresh = Database::create(&dir).unwrap();
    populate(&mut fresh);
    let expected = contents(&mut fresh);
    assert_eq!(expected.iter().flatten().count(), 10);
    let mut versions = Vec::new();
    for entry in fs::read_dir(fixtures()).unwrap() {
        let fixture = entry.unwrap().path();
        versions.push(fixture.file_name().unwrap().to_str().unwrap().parse::<i64>().unwrap());
        let (_folder, dir) = place();
        fs::create_dir(&dir).unwrap();
        fs::copy(fixture.join("store.sqlite"), dir.join("store.sqlite")).unwrap();
        let mut database = Database::open(&dir).unwrap();
        assert_eq!(contents(&mut database), expected, "{fixture:?}");
        assert_eq!(schema::shape(&database.connection).unwrap(), schema::shape(&fresh.connection).unwrap(), "{fixture:?}");
        database.check().unwrap();
    }
    versions.sort_unstable();
    assert_eq!(versions, (1..=schema::VERSION).collect::<Vec<_>>(), "a version without a fixture");
}

#[test]
fn a_migration_that_fails_leaves_the_old_store() {
    let (_folder, dir) = place();
    Database::create(&dir).unwrap().close().unwrap();
    let path = dir.join("store.sqlite");
    // Version 0 with the tables of version 1: the first migration cannot run.
    let mut connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA user_version = 0").unwrap();
    let before = schema::shape(&connection).unwrap();
    assert!(schema::migrate(&mut connection).is_err());
    assert_eq!(connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap(), 0);
    assert_eq!(schema::shape(&connection).unwrap(), before);
    drop(connection);
    assert_eq!(Database::open(&dir).unwrap_err(), StorageError::Damaged, "we never write version 0");
}

/// Run once when a migration is added: `cargo test -p satchel-core write_the_fixture -- --ignored`.
#[test]
#[ignore = "writes the fixture of the current version unless it exists"]
fn write_the_fixture_of_this_version() {
    let target = fixtures().join(format!("{:04}", schema::VERSION));
    assert!(!target.exists(), "a fixture is never rewritten");
    let (_folder, dir) = place();
    let mut database = Database::create(&dir).unwrap();
    populate(&mut database);
    database.close().unwrap();
    fs::create_dir_all(&target).unwrap();
    fs::copy(dir.join("store.sqlite"), target.join("store.sqlite")).unwrap();
}
