//! Files that are not ours, not whole or not of this version: refused, and left as they are.

use super::*;
use crate::storage::{Presence, StorageError, presence, remove};
use proptest::prelude::*;
use rusqlite::Connection;
use std::fs;

#[test]
fn protections_hold_on_an_open_store() {
    let (_folder, dir) = place();
    let mut database = Database::create(&dir).unwrap();
    database.transaction(|tx| tx.put_meta("root", b"1")).unwrap();
    let number = |name| database.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    let text = |name| database.connection.pragma_query_value(None, name, |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(text("journal_mode"), "wal");
    assert_eq!(text("locking_mode"), "exclusive");
    for (name, expected) in [
        ("synchronous", 2),
        ("secure_delete", 1),
        ("temp_store", 2),
        ("trusted_schema", 0),
        ("cell_size_check", 1),
        ("foreign_keys", 1),
        ("mmap_size", 0),
        ("page_size", 4096),
        ("application_id", 0x5341_5443),
        ("user_version", 1),
        ("fullfsync", 1),
        ("checkpoint_fullfsync", 1),
        ("recursive_triggers", 0),
    ] {
        assert_eq!(number(name), expected, "{name}");
    }
    assert!(database.connection.execute_batch("ATTACH ':memory:' AS other").is_err());
    assert!(database.connection.execute_batch("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema").is_err());
    assert!(!dir.join("store.sqlite-shm").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir), 0o700);
        for name in ["store.sqlite", "store.sqlite-wal", "lock"] {
            assert_eq!(mode(&dir.join(name)), 0o600, "{name}");
        }
    }
}

#[test]
fn only_an_empty_folder_becomes_a_store_and_only_a_store_is_opened() {
    let (folder, dir) = place();
    assert_eq!(Database::open(&dir).unwrap_err(), StorageError::NotFound);
    assert_eq!(presence(&dir).unwrap(), Presence::Absent);
    drop(Database::create(&dir).unwrap());
    assert_eq!(Database::create(&dir).unwrap_err(), StorageError::Exists);
    assert_eq!(presence(&dir).unwrap(), Presence::Unfinished);
    fs::write(folder.path().join("file"), b"").unwrap();
    assert_eq!(Database::create(folder.path()).unwrap_err(), StorageError::Exists);
    assert!(!folder.path().join("lock").exists(), "a refused folder is left as it is");
    assert_eq!(Database::create(&folder.path().join("file")).unwrap_err(), StorageError::Exists);

    // What a killed creation leaves behind is no obstacle.
    let traces = folder.path().join("traces");
    fs::create_dir(&traces).unwrap();
    for name in ["store.sqlite.new", "store.sqlite.new-wal", "slots.new", "lock"] {
        fs::write(traces.join(name), if name == "lock" { &b""[..] } else { b"half" }).unwrap();
    }
    Database::create(&traces).unwrap().close().unwrap();
    assert_eq!(files(&traces).into_keys().collect::<Vec<_>>(), ["store.sqlite"]);

    let database = Database::open(&dir).unwrap();
    assert_eq!(remove(&dir).unwrap_err(), StorageError::InUse);
    database.close().unwrap();
    remove(&dir).unwrap();
    assert!(!dir.exists());
    remove(&dir).unwrap();
}

#[test]
fn a_newer_store_is_refused_and_untouched() {
    let (folder, dir) = place();
    Database::create(&dir).unwrap().close().unwrap();
    let newer = Connection::open(dir.join("store.sqlite")).unwrap();
    newer.execute_batch("PRAGMA user_version = 2; CREATE TABLE future (a)").unwrap();

    // As a crash of the newer app leaves it: the version stands in the log only.
    let crashed = folder.path().join("crashed");
    fs::create_dir(&crashed).unwrap();
    for name in ["store.sqlite", "store.sqlite-wal"] {
        fs::copy(dir.join(name), crashed.join(name)).unwrap();
    }
    assert_eq!(fs::read(crashed.join("store.sqlite")).unwrap()[63], 1, "the main file still says version 1");
    newer.close().unwrap();

    for dir in [&dir, &crashed] {
        let before = files(dir);
        assert_eq!(Database::open(dir).unwrap_err(), StorageError::Newer { found: 2, supported: 1 });
        assert!(files(dir) == before, "changed: {:?}", before.keys());
    }
}

#[test]
fn files_of_others_are_refused_and_untouched() {
    let (_folder, dir) = place();
    fs::create_dir(&dir).unwrap();
    let other = Connection::open(dir.join("store.sqlite")).unwrap();
    other.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
    other.close().unwrap();
    let before = files(&dir);
    assert_eq!(Database::open(&dir).unwrap_err(), StorageError::Foreign);
    assert!(files(&dir) == before);
    for garbage in [Vec::new(), b"SQLite format 3\0".to_vec(), noise(1, 8192)] {
        fs::write(dir.join("store.sqlite"), &garbage).unwrap();
        assert_eq!(Database::open(&dir).unwrap_err(), StorageError::Damaged);
        assert_eq!(fs::read(dir.join("store.sqlite")).unwrap(), garbage);
    }
}

#[test]
fn a_planted_trigger_does_not_fire_and_is_found() {
    let (_folder, dir) = place();
    Database::create(&dir).unwrap().close().unwrap();
    let planted = "CREATE TRIGGER t AFTER INSERT ON body BEGIN DELETE FROM meta; END";
    Connection::open(dir.join("store.sqlite")).unwrap().execute_batch(planted).unwrap();
    let mut database = Database::open(&dir).unwrap();
    database
        .transaction(|tx| {
            tx.put_meta("root", b"1")?;
            tx.put_body(&record(1), &BodyId::of(b""), b"")
        })
        .unwrap();
    assert!(database.read(|r| r.meta("root")).unwrap().is_some());
    assert_eq!(database.check(), Err(StorageError::Damaged));
    database.close().unwrap();
    // Positive control: it does fire for an application that allows triggers.
    let other = Connection::open(dir.join("store.sqlite")).unwrap();
    other.execute_batch("INSERT INTO body VALUES (zeroblob(16), zeroblob(32), x'')").unwrap();
    assert_eq!(other.query_row("SELECT count(*) FROM meta", [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

/// Opens, walks everything and checks: the first error, if any.
fn examine(dir: &Path) -> Result<(), StorageError> {
    let mut database = Database::open(dir)?;
    database.read(|r| {
        r.counts()?;
        r.for_each_page(|_, _| Ok::<(), StorageError>(()))?;
        r.for_each_record(|_, _| Ok::<(), StorageError>(()))?;
        r.for_each_tail(|_, _, _| Ok::<(), StorageError>(()))?;
        r.for_each_body(|_, _, _| Ok::<(), StorageError>(()))
    })?;
    database.check()?;
    database.close()
}

#[test]
fn a_damaged_page_is_reported_and_the_file_left_alone() {
    let (_folder, dir) = place();
    let mut database = Database::create(&dir).unwrap();
    fill(&mut database, 200);
    database.close().unwrap();
    let path = dir.join("store.sqlite");
    let whole = fs::read(&path).unwrap();
    assert_eq!(examine(&dir), Ok(()), "positive control");
    let mut found = 0;
    for page in 0..whole.len() / 4096 {
        let mut damaged = whole.clone();
        damaged[page * 4096..][..100].copy_from_slice(&noise(page as u64, 100));
        fs::write(&path, &damaged).unwrap();
        match examine(&dir) {
            // The middle of an overflowing value is ciphertext to the engine: the seal tells.
            Ok(()) => {}
            Err(StorageError::Damaged) => found += 1,
            Err(other) => panic!("page {page}: {other:?}"),
        }
        assert!(fs::read(&path).unwrap() == damaged, "page {page}");
    }
    let trees = whole.len() / 4096 / 2;
    assert!(found > trees, "{found} of {} pages", whole.len() / 4096);
    for length in [4096, whole.len() / 2, whole.len() - 4096] {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(examine(&dir), Err(StorageError::Damaged), "cut to {length}");
        assert_eq!(fs::read(&path).unwrap().len(), length);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever bytes a thief changes: an answer or a typed error, no panic, no repair behind our back.
    #[test]
    fn changed_bytes_never_panic(changes in proptest::collection::vec((0_usize..=usize::MAX, any::<u8>()), 1..20)) {
        thread_local! {
            static WHOLE: (TempDir, PathBuf, Vec<u8>) = {
                let (folder, dir) = place();
                let mut database = Database::create(&dir).unwrap();
                fill(&mut database, 40);
                database.close().unwrap();
                let whole = fs::read(dir.join("store.sqlite")).unwrap();
                (folder, dir, whole)
            };
        }
        WHOLE.with(|(_, dir, whole)| {
            let mut changed = whole.clone();
            for (at, byte) in changes {
                // Half of the changes hit the first pages, where headers and schema lie.
                let range = if at % 2 == 0 { 4096 * 3 } else { changed.len() };
                changed[(at / 2) % range] = byte;
            }
            fs::write(dir.join("store.sqlite"), &changed).unwrap();
            let _ = examine(dir);
        });
    }
}
