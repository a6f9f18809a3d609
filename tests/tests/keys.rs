//! Replacing the store key and erasing the device, killed at every call they make; and a folder copied to another device.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]
#![allow(clippy::unwrap_used)]

use satchel_core::env::Env;
use satchel_core::error::Error;
use satchel_core::storage;
use satchel_core::store::{FileKeystore, KeyProtector, KeyReplacement, Store};
use satchel_tests::faultfs::{Fault, Shim};
use satchel_tests::scene;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

fn child(dir: &Path, mode: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_store_child"));
    command.arg(dir).arg(mode);
    command
}

/// Store and keystore, both in the watched folder, in memory: these tests are about calls, not about a medium.
struct Place {
    folder: TempDir,
    watched: PathBuf,
    dir: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let watched = folder.path().join("watched");
        fs::create_dir(&watched).unwrap();
        let dir = watched.join("store");
        Self { folder, watched, dir }
    }
    fn founded() -> Self {
        let place = Self::new();
        assert!(child(&place.dir, "found-kept").status().unwrap().success());
        place
    }
    fn copy(&self) -> Self {
        let copy = Self::new();
        for name in ["store", "keys"] {
            copy_folder(&self.watched.join(name), &copy.watched.join(name));
        }
        copy
    }
    fn keys(&self) -> Arc<dyn KeyProtector> {
        Arc::new(FileKeystore::new(&self.watched.join("keys"), Env::system()))
    }
    fn key_files(&self) -> Vec<PathBuf> {
        fs::read_dir(self.watched.join("keys")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
    fn slot_count(&self) -> usize {
        storage::read_slots(&self.dir).unwrap().slots.iter().flatten().count()
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_kill_at_any_call_of_a_replacement_leaves_a_store_that_opens() {
    let shim = Shim::build(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    let template = Place::founded();
    let counted = template.copy();
    let calls =
        shim.count(child(&counted.dir, "rekey").stdout(Stdio::null()), &counted.watched, &counted.folder.path().join("count")).unwrap();
    assert!(calls > 40, "the calls go past the shim: {calls}");
    let (mut two_slots, mut all_done) = (0, 0);
    // every call for kills, every third for the others
    for (fault, ends, step) in [(Fault::Kill, true, 1), (Fault::Torn, true, 3), (Fault::Broken { once: true }, false, 3)] {
        for at in (1..=calls).step_by(step) {
            let place = template.copy();
            let output = shim.arm(&mut child(&place.dir, "rekey"), &place.watched, fault, at).output().unwrap();
            assert!(!ends || output.status.code().is_none(), "{fault:?} at {at} did not kill");
            let lines = String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.len() == 32).count();
            two_slots += usize::from(place.slot_count() == 2);
            let store = Store::open(&place.dir, Env::system()).unwrap();
            let unlocked = store
                .unlock(&scene::passphrase(), Some(place.keys()))
                .unwrap_or_else(|error| panic!("{fault:?} at call {at} of {calls}: {}", error.code()));
            let saved = unlocked.zones().unwrap().len();
            assert!(saved > lines / 2, "{fault:?} at {at}: {lines} lines, {saved} zones");
            all_done += usize::from(lines == 4);
            // what was cut short is finished by now, but for a key that was made and not yet named anywhere
            let is_due = unlocked.key_replacement().unwrap() == KeyReplacement::Due;
            assert!(!is_due || !ends, "only a medium that failed leaves it due: {fault:?} at {at}");
            assert_eq!(place.slot_count(), 1, "{fault:?} at {at}");
            let keys = place.key_files().into_iter().filter(|path| path.extension().is_some_and(|end| end == "key"));
            assert!(keys.count() <= 3, "{fault:?} at {at}");
            assert_eq!(unlocked.replace_store_key().unwrap(), KeyReplacement::Done);
            unlocked.lock();
            assert!(store.unlock(&scene::passphrase(), Some(place.keys())).is_ok());
        }
    }
    assert!(two_slots > 10 && all_done > 0, "positive control: kills in the middle and after the end; {two_slots}, {all_done}");
}

#[test]
fn a_copied_folder_opens_on_no_other_device() {
    let place = Place::founded();
    let elsewhere = Place::new();
    copy_folder(&place.dir, &elsewhere.dir);
    let store = Store::open(&elsewhere.dir, Env::system()).unwrap();
    for keys in [None, Some(elsewhere.keys())] {
        assert_eq!(store.unlock(&scene::passphrase(), keys).unwrap_err(), Error::WrongPassphrase);
    }
    // positive control: with the other device's key files as well it does, which is what files cannot promise
    copy_folder(&place.watched.join("keys"), &elsewhere.watched.join("keys"));
    assert!(store.unlock(&scene::passphrase(), Some(elsewhere.keys())).is_ok());
}

#[test]
fn an_erasure_killed_at_any_call_is_finished_by_the_next_opening() {
    let shim = Shim::build(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    let template = Place::founded();
    let counted = template.copy();
    let calls = shim.count(&mut child(&counted.dir, "erase"), &counted.watched, &counted.folder.path().join("count")).unwrap();
    assert!(calls > 8, "the calls go past the shim: {calls}");
    let (mut untouched, mut ended, mut nothing_left) = (0, 0, 0);
    for at in 1..=calls {
        let place = template.copy();
        let output = shim.arm(&mut child(&place.dir, "erase"), &place.watched, Fault::Kill, at).output().unwrap();
        assert!(output.status.code().is_none(), "at {at}");
        match Store::open(&place.dir, Env::system()).and_then(|store| store.unlock(&scene::passphrase(), Some(place.keys()))) {
            // it had not begun
            Ok(_) => untouched += 1,
            Err(error) => {
                match error.code() {
                    "storage.erased" => ended += 1,
                    "storage.not_found" => nothing_left += 1,
                    other => panic!("at call {at} of {calls}: {other}"),
                }
                let left = |name: &str| place.dir.join(name).exists();
                assert!(!left("slots") && !left("store.sqlite") && !left("store.sqlite-wal"), "at {at}");
                if left("erasing") {
                    // the keystore was not at hand when it was opened; with it nothing is left
                    let erased = Store::erase_device_in(&place.dir, &Env::system(), Some(place.keys())).unwrap();
                    assert!(erased.are_keys_gone && erased.are_files_gone, "at {at}");
                }
                assert_eq!(place.key_files(), Vec::<PathBuf>::new(), "at {at}");
            }
        }
    }
    assert!(untouched > 0 && ended > 3 && nothing_left > 0, "{untouched} not begun, {ended} ended, {nothing_left} complete of {calls}");
}

/// Every sealed value that lies in a database.
fn sealed_in(dir: &Path) -> Vec<Vec<u8>> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let database = rusqlite::Connection::open_with_flags(dir.join("store.sqlite"), flags).unwrap();
    let mut statement = database.prepare("SELECT sealed FROM body UNION ALL SELECT sealed FROM document").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// How many of some values lie anywhere in a folder.
fn left_in(dir: &Path, values: &[Vec<u8>]) -> usize {
    let files: Vec<Vec<u8>> = fs::read_dir(dir).unwrap().filter_map(|entry| fs::read(entry.unwrap().path()).ok()).collect();
    let part = |value: &Vec<u8>| value[value.len() / 2..value.len() / 2 + 48].to_vec();
    values.iter().map(part).filter(|part| files.iter().any(|file| file.windows(48).any(|window| window == &part[..]))).count()
}

#[test]
fn the_erasure_of_a_person_killed_at_any_call_is_whole_or_has_not_begun() {
    let shim = Shim::build(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    let template = Place::founded();
    assert!(child(&template.dir, "person").status().unwrap().success());
    let counted = template.copy();
    let calls =
        shim.count(child(&counted.dir, "forget").stdout(Stdio::null()), &counted.watched, &counted.folder.path().join("count")).unwrap();
    assert!(calls > 40, "the calls go past the shim: {calls}");
    let after = sealed_in(&counted.dir);
    let erased: Vec<Vec<u8>> = sealed_in(&template.dir).into_iter().filter(|value| !after.contains(value)).collect();
    assert!(erased.len() >= 3, "grant, file and encounter: {}", erased.len());
    assert_eq!(left_in(&template.dir, &erased), erased.len(), "control: before, they are found");
    let (mut not_begun, mut done, mut old_slots_opened) = (0, 0, 0);
    for at in 1..=calls {
        let place = template.copy();
        let output = shim.arm(&mut child(&place.dir, "forget"), &place.watched, Fault::Kill, at).output().unwrap();
        assert!(output.status.code().is_none(), "at {at} did not kill");
        let told = output.stdout.len() >= 32;
        let store = Store::open(&place.dir, Env::system()).unwrap();
        let unlocked = store.unlock(&scene::passphrase(), Some(place.keys())).unwrap_or_else(|error| panic!("at {at}: {}", error.code()));
        let (people, met) = (unlocked.participants().unwrap().len(), unlocked.encounters(None).unwrap().len());
        let erasures = unlocked.erasures().unwrap().len();
        let is_due = unlocked.key_replacement().unwrap() == KeyReplacement::Due;
        unlocked.lock();
        store.suspend().unwrap();
        // the phone as it was before, on what this keystore still holds
        let old = template.copy();
        let with_old_store = Store::open(&old.dir, Env::system()).unwrap().unlock(&scene::passphrase(), Some(place.keys())).is_ok();
        let mixed = place.copy();
        fs::copy(template.dir.join("slots"), mixed.dir.join("slots")).unwrap();
        let with_old_slots =
            Store::open(&mixed.dir, Env::system()).and_then(|store| store.unlock(&scene::passphrase(), Some(mixed.keys()))).is_ok();
        match (people, met, erasures) {
            (1, 1, 0) => {
                assert!(!told, "at {at}: what was acknowledged came back");
                not_begun += 1;
                old_slots_opened += usize::from(with_old_slots && with_old_store);
            }
            (0, 0, 1) => {
                done += 1;
                assert!(!is_due, "at {at}: the opening finishes what was cut short");
                assert_eq!(left_in(&place.dir, &erased), 0, "at {at} of {calls}");
                assert!(!with_old_store, "at {at}: the old store opens");
                assert!(!with_old_slots, "at {at}: the old slots open");
            }
            other => panic!("at call {at} of {calls}: half-way: {other:?}"),
        }
    }
    assert!(not_begun > 5 && done > 5 && old_slots_opened > 5, "{not_begun} not begun, {done} done, {old_slots_opened} old opened");
}
