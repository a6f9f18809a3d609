//! Files that are damaged, crafted, foreign, newer, copied or in use: a typed error or the right data, never a panic,
//! and never a byte less on disk.
#![allow(clippy::unwrap_used)]

use satchel_core::crypto::Passphrase;
use satchel_core::env::Env;
use satchel_core::error::{Error, Remedy};
use satchel_core::record::ParticipantEdit;
use satchel_core::store::{Credentials, Founding, KeyCost, Store, Unlocked};
use satchel_tests::scene::{self, NOON, Recorder, TestClock, view};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

fn env() -> Env {
    Env::new(TestClock::at(NOON), Recorder::system())
}

/// A closed store with everything in it, and what it shows.
fn full() -> (TempDir, PathBuf, String) {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let dir = folder.path().join("store");
    let unlocked = scene::found(&dir, env()).unwrap().unlocked;
    scene::work(&unlocked, &mut |_| {}).unwrap();
    let shown = view(&unlocked).unwrap();
    unlocked.store().suspend().unwrap();
    (folder, dir, shown)
}

fn unlock(dir: &Path) -> Result<Unlocked, Error> {
    Store::open(dir, env())?.unlock(&scene::passphrase(), None)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |entry: std::io::Result<fs::DirEntry>| {
        entry.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
    };
    fs::read_dir(dir).unwrap().map(|entry| read(entry).unwrap()).collect()
}

/// Opening and unlocking is refused so, and leaves every file byte for byte as it was.
fn refused(dir: &Path, code: &str, remedy: Remedy) {
    let before = files(dir);
    let error = unlock(dir).expect_err(code);
    assert_eq!((error.code(), error.remedy()), (code, remedy));
    let mut after = files(dir);
    // A wrong passphrase is counted, in a file of its own that the next right one removes.
    assert_eq!(after.remove("tries").is_some(), code == "wrong_passphrase");
    assert!(after == before, "{code}: something was changed");
    let _ = fs::remove_file(dir.join("tries"));
}

#[test]
fn a_second_process_or_handle_is_told_who_holds_the_store() {
    let (folder, dir, shown) = full();
    let first = unlock(&dir).unwrap();
    let error = Store::open(&dir, env()).unwrap_err();
    assert_eq!((error.code(), error.remedy()), ("storage.in_use", Remedy::CloseOther));
    let mut child = Command::new(env!("CARGO_BIN_EXE_store_child"));
    let output = child.arg(&dir).arg("script").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().last(), Some("storage.in_use close_other"));
    assert_eq!(view(&first).unwrap(), shown);
    first.store().suspend().unwrap();
    // And the other way round: the process has it.
    let dir = folder.path().join("theirs");
    let mut child = Command::new(env!("CARGO_BIN_EXE_store_child")).arg(&dir).arg("loop").stdout(Stdio::piped()).spawn().unwrap();
    child.stdout.take().unwrap().read_exact(&mut [0; 33]).unwrap();
    let error = Store::open(&dir, env()).map(|_| ());
    let running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    // It may have died of the closed pipe before we looked.
    assert!(!running || error.unwrap_err().code() == "storage.in_use");
    assert!(unlock(&dir).is_ok(), "a dead process holds nothing");
}

#[test]
fn a_newer_or_foreign_store_is_left_byte_for_byte() {
    let (_folder, dir, shown) = full();
    let alter = |sql: &str| rusqlite::Connection::open(dir.join("store.sqlite")).unwrap().execute_batch(sql).unwrap();
    alter("PRAGMA user_version = 2");
    refused(&dir, "storage.newer", Remedy::UpdateApp);
    alter("PRAGMA user_version = 2147483647");
    refused(&dir, "storage.newer", Remedy::UpdateApp);
    alter("PRAGMA user_version = 1; PRAGMA application_id = 1");
    refused(&dir, "storage.foreign", Remedy::ChooseFolder);
    alter("PRAGMA application_id = 1396790339");
    assert_eq!(view(&unlock(&dir).unwrap()).unwrap(), shown, "positive control");
}

/// Replaces the slot file by what `alter` makes of it, under a correct checksum.
fn craft(dir: &Path, alter: impl FnOnce(&mut [u8])) {
    let mut slots = fs::read(dir.join("slots")).unwrap();
    let (content, checksum) = slots.split_at_mut(4_064);
    alter(content);
    checksum.copy_from_slice(blake3::hash(content).as_bytes());
    fs::write(dir.join("slots"), slots).unwrap();
}

/// Most virtual memory that this process ever had (KiB).
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

const SLOTS: usize = 26;
const SLOT_BYTES: usize = 256;

/// Where the one slot in use lies: it moves whenever the store key is replaced.
fn slot_of(dir: &Path) -> usize {
    let slots = fs::read(dir.join("slots")).unwrap();
    let used: Vec<usize> = (0..8).map(|number| SLOTS + number * SLOT_BYTES).filter(|at| slots[*at] != 0).collect();
    assert_eq!(used.len(), 1, "a closed store has one slot");
    used[0]
}

#[test]
fn crafted_slots_are_refused_without_allocating() {
    let (folder, dir, shown) = full();
    let (before, slot) = (peak_kib(), slot_of(&dir));
    let cost = |at: usize, value: u32| move |slots: &mut [u8]| slots[slot + at..slot + at + 4].copy_from_slice(&value.to_le_bytes());
    let restore = || copy(&folder.path().join("good"), &dir);
    copy(&dir, &folder.path().join("good"));
    for memory_kib in [8 * 1024 * 1024, u32::MAX, 256 * 1024 + 1, 19 * 1024 - 1, 8, 0] {
        craft(&dir, cost(1, memory_kib));
        refused(&dir, "slots.parameters", Remedy::RestoreFromTeam);
    }
    restore();
    for (at, value) in [(5, 0), (5, 17), (5, u32::MAX), (9, 0), (9, 5), (9, u32::MAX)] {
        craft(&dir, cost(at, value));
        refused(&dir, "slots.parameters", Remedy::RestoreFromTeam);
        restore();
    }
    assert!(peak_kib() - before < 1024 * 1024, "8 GiB were asked for: {} KiB then {}", before, peak_kib());
    // Positive controls: the crafting is right, an allowed cost is tried, and the store is as it was.
    craft(&dir, cost(1, 20 * 1024));
    refused(&dir, "wrong_passphrase", Remedy::RetypePassphrase);
    restore();
    craft(&dir, |_| {});
    assert_eq!(view(&unlock(&dir).unwrap()).unwrap(), shown);
    for (alter, code, remedy) in [
        (0_usize, "slots.magic", Remedy::RestoreFromTeam),
        (8, "slots.newer", Remedy::UpdateApp),
        (slot, "slots.kind", Remedy::RestoreFromTeam),
        (slot + 62, "slots.length", Remedy::RestoreFromTeam),
    ] {
        craft(&dir, |slots| slots[alter] = 200);
        let error = unlock(&dir).unwrap_err();
        assert_eq!((error.code(), error.remedy()), (code, remedy));
        restore();
    }
    // Any bit of the key, its salt or the store id.
    for at in [10, 25, slot + 13, slot + 28, slot + 63, slot + 63 + 50, slot + 63 + 103] {
        craft(&dir, |slots| slots[at] ^= 1);
        refused(&dir, "wrong_passphrase", Remedy::RetypePassphrase);
        restore();
    }
    let good = fs::read(dir.join("slots")).unwrap();
    for (length, code) in [(0, "slots.size"), (4_095, "slots.size"), (4_097, "slots.size"), (1 << 20, "slots.size")] {
        let mut slots = good.clone();
        slots.resize(length, 0);
        fs::write(dir.join("slots"), slots).unwrap();
        refused(&dir, code, Remedy::RestoreFromTeam);
    }
    for at in (0..4_096).step_by(173) {
        let mut slots = good.clone();
        slots[at] ^= 0x10;
        fs::write(dir.join("slots"), slots).unwrap();
        let error = unlock(&dir).unwrap_err();
        assert!(error.code().starts_with("slots."), "at {at}: {}", error.code());
    }
    fs::write(dir.join("slots"), good).unwrap();
    assert_eq!(view(&unlock(&dir).unwrap()).unwrap(), shown);
}

#[test]
fn slots_of_another_store_or_place_do_not_open_this_one() {
    let (_a, ours, shown) = full();
    let (_b, theirs, _) = full();
    let slots = fs::read(ours.join("slots")).unwrap();
    // The same passphrase, and so a store key that is right for another store.
    fs::copy(theirs.join("slots"), ours.join("slots")).unwrap();
    refused(&ours, "damaged", Remedy::RestoreFromTeam);
    // Their slot under our store id.
    craft(&ours, |crafted| crafted[10..26].copy_from_slice(&slots[10..26]));
    refused(&ours, "wrong_passphrase", Remedy::RetypePassphrase);
    // Our slot in another place of the file.
    fs::write(ours.join("slots"), &slots).unwrap();
    let slot = slot_of(&ours);
    let other = if slot == SLOTS { SLOTS + SLOT_BYTES } else { SLOTS };
    craft(&ours, |crafted| {
        crafted.copy_within(slot..slot + SLOT_BYTES, other);
        crafted[slot..slot + SLOT_BYTES].fill(0);
    });
    refused(&ours, "wrong_passphrase", Remedy::RetypePassphrase);
    fs::remove_file(ours.join("slots")).unwrap();
    refused(&ours, "storage.not_found", Remedy::ChooseFolder);
    fs::write(ours.join("slots"), &slots).unwrap();
    assert_eq!(view(&unlock(&ours).unwrap()).unwrap(), shown);
    // Another member's store, with another passphrase.
    let folder = tempfile::tempdir().unwrap();
    let (dir, passphrase) = (folder.path().join("store"), Passphrase::new(b"another one").unwrap());
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost: KeyCost::Least };
    let founding = Founding { time_zone: "Europe/Madrid".into(), member_name: scene::line("member") };
    drop(Store::found(&dir, env(), &credentials, &founding).unwrap());
    refused(&dir, "wrong_passphrase", Remedy::RetypePassphrase);
}

#[test]
fn a_flipped_byte_anywhere_gives_an_error_or_the_right_data() {
    let (_folder, dir, shown) = full();
    let path = dir.join("store.sqlite");
    let good = fs::read(&path).unwrap();
    let names: Vec<String> = files(&dir).into_keys().collect();
    let (mut refused, mut right, mut found_by_check) = (0, 0, 0);
    // The first bytes of each page steer the engine, so they get their share.
    let heads = (0..good.len()).step_by(4_096).flat_map(|page| [page, page + 3, page + 4, page + 6, page + 8, page + 9, page + 11]);
    for at in heads.chain((0..good.len()).step_by(499)) {
        let mut bad = good.clone();
        bad[at] ^= 0xff;
        fs::write(&path, &bad).unwrap();
        let store = Store::open(&dir, env());
        let seen = store.and_then(|store| store.unlock(&scene::passphrase(), None)).and_then(|unlocked| Ok((view(&unlocked)?, unlocked)));
        match seen {
            Ok((seen, _)) if seen == shown => right += 1,
            Ok((_, unlocked)) => {
                // A row that vanished without a trace in the others: the doctor's check must say so.
                assert!(unlocked.store().check().is_err(), "wrong data at {at} and nobody says so");
                found_by_check += 1;
            }
            Err(error) => {
                refused += 1;
                let remedies = [Remedy::RestoreFromTeam, Remedy::UpdateApp, Remedy::ChooseFolder];
                assert!(remedies.contains(&error.remedy()), "at {at}: {} {}", error.code(), error.remedy().code());
            }
        }
        assert!(files(&dir).into_keys().filter(|name| !name.starts_with("store.sqlite-")).eq(names.iter().cloned()), "at {at}");
        assert_eq!(fs::metadata(&path).unwrap().len(), good.len() as u64);
        for log in ["store.sqlite-wal", "store.sqlite-shm"] {
            let _ = fs::remove_file(dir.join(log));
        }
    }
    assert!(
        refused > 60 && right > 60 && found_by_check == 0,
        "{refused} refused, {right} right, {found_by_check} found by the check only"
    );
    fs::write(&path, &good).unwrap();
    assert_eq!(view(&unlock(&dir).unwrap()).unwrap(), shown);
}

#[test]
fn a_vanished_row_is_told_and_nothing_is_written_over_it() {
    for (table, first) in [("document", true), ("draft", true), ("tail", false)] {
        let (_folder, dir, _) = full();
        let unlocked = unlock(&dir).unwrap();
        let participant = unlocked.participants().unwrap()[0].id;
        let file = unlocked.participant(participant).unwrap();
        assert!(file.alias.is_some(), "positive control");
        unlocked.store().suspend().unwrap();
        rusqlite::Connection::open(dir.join("store.sqlite")).unwrap().execute(&format!("DELETE FROM {table}"), []).unwrap();
        let unlocked = unlock(&dir).unwrap();
        let edit = ParticipantEdit { closed: Some(true), ..ParticipantEdit::default() };
        let met = unlocked.save_encounter(&scene::encounter(Some(participant), None, "encounter"));
        // whether the file stands is said by what lists show of it; the encounter is written beside the file, never over it
        assert!(met == Err(Error::Damaged) || (table != "tail" && met.is_ok()), "{table}: {met:?}");
        let mut refusals = vec![unlocked.edit_participant(participant, &edit).expect_err(table)];
        refusals.extend(unlocked.participant(participant).err());
        assert!(refusals.iter().all(|error| *error == Error::Damaged), "{table}: {refusals:?}");
        assert!(!first || unlocked.participants().unwrap().len() == 1, "lists come from what is still there");
    }
}

#[test]
fn a_record_whose_page_or_place_vanished_is_not_taken_for_unknown() {
    for table in ["page", "record"] {
        let (_folder, dir, _) = full();
        let unlocked = unlock(&dir).unwrap();
        assert!(unlocked.resource_note(scene::kit()).unwrap().is_some(), "positive control");
        unlocked.store().suspend().unwrap();
        let connection = rusqlite::Connection::open(dir.join("store.sqlite")).unwrap();
        connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; DELETE FROM {table}")).unwrap();
        drop(connection);
        assert_eq!(unlock(&dir).and_then(|unlocked| unlocked.resource_note(scene::kit())).unwrap_err(), Error::Damaged, "{table}");
    }
}

#[test]
fn two_copies_of_a_store_both_work_alone() {
    let (folder, dir, shown) = full();
    let twin = folder.path().join("twin");
    copy(&dir, &twin);
    let (one, other) = (unlock(&dir).unwrap(), unlock(&twin).unwrap());
    assert_eq!((view(&one).unwrap(), view(&other).unwrap()), (shown.clone(), shown));
    let saved = one.save_encounter(&scene::encounter(None, None, "encounter")).unwrap();
    assert!(one.encounter(saved).is_ok());
    assert_eq!(other.encounter(saved).unwrap_err(), Error::NoSuchRecord);
    other.save_encounter(&scene::encounter(None, None, "encounter")).unwrap();
    for unlocked in [one, other] {
        let store = unlocked.store();
        store.lock();
        assert_eq!(store.unlock(&scene::passphrase(), None).unwrap().encounters(None).unwrap().len(), 3);
        store.check().unwrap();
    }
}

/// A small file system of its own, where we may mount one (root on Linux).
struct Mount(TempDir);

impl Mount {
    fn small() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        mount(&["-t", "tmpfs", "-o", "size=2m", "tmpfs"], folder.path()).then(|| Self(folder))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

fn mount(arguments: &[&str], path: &Path) -> bool {
    Command::new("mount").args(arguments).arg(path).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

#[test]
fn a_full_disk_is_told_and_survived_and_a_read_only_one_refused() {
    // Without the right to mount, the fault shim's suites still cover both.
    let Some(small) = Mount::small() else { return };
    let dir = small.0.path().join("store");
    let unlocked = scene::found(&dir, env()).unwrap().unlocked;
    scene::work(&unlocked, &mut |_| {}).unwrap();
    let mut saved = 0;
    let error = loop {
        match unlocked.save_encounter(&scene::encounter(None, None, "encounter")) {
            Ok(_) => saved += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((error.code(), error.remedy()), ("storage.full", Remedy::FreeSpace));
    assert!(saved > 10);
    assert_eq!(unlocked.encounters(None).unwrap().len(), saved + 2, "what was acknowledged is there, and nothing else");
    let shown = view(&unlocked).unwrap();
    assert!(mount(&["-o", "remount,size=8m"], small.0.path()));
    unlocked.save_encounter(&scene::encounter(None, None, "encounter")).unwrap();
    assert_ne!(view(&unlocked).unwrap(), shown);
    unlocked.store().suspend().unwrap();
    assert!(mount(&["-o", "remount,ro"], small.0.path()));
    refused(&dir, "storage.read_only", Remedy::ChooseFolder);
    let error = scene::found(&small.0.path().join("new"), env()).unwrap_err();
    assert_eq!((error.code(), error.remedy()), ("storage.read_only", Remedy::ChooseFolder));
    assert!(mount(&["-o", "remount,rw"], small.0.path()));
    assert_eq!(unlock(&dir).unwrap().encounters(None).unwrap().len(), saved + 3);
}
