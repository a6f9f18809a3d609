//! Nothing acknowledged is lost: a writer killed at random moments, and killed, starved or unplugged at every call it makes.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]
#![allow(clippy::unwrap_used)]

use satchel_core::env::Env;
use satchel_core::store::{Store, Unlocked};
use satchel_tests::faultfs::{Fault, Shim};
use satchel_tests::scene::{self, word};
use satchel_wire::RecordId;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// What the script acknowledges for its tally.
const TALLY: [u8; 16] = [0xee; 16];

fn child(dir: &Path, mode: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_store_child"));
    command.arg(dir).arg(mode);
    command
}

/// Whole lines only: a torn one is no acknowledgement.
fn acknowledged(printed: &[u8]) -> Vec<RecordId> {
    let text = String::from_utf8_lossy(printed);
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let id = |line: &str| RecordId::from_slice(&data_encoding::HEXLOWER.decode(line.as_bytes()).unwrap()).unwrap();
    whole.lines().map(id).collect()
}

fn open(dir: &Path) -> Unlocked {
    let store = Store::open(dir, Env::system()).unwrap();
    store.check().unwrap();
    store.unlock(&scene::passphrase(), None).unwrap()
}

/// Every acknowledged record is there with its content, and everything that is there is whole.
fn check(unlocked: &Unlocked, acknowledged: &[RecordId]) -> Result<(), String> {
    let people: BTreeSet<RecordId> = unlocked.participants().unwrap().iter().map(|line| line.id).collect();
    let lines = unlocked.encounters(None).unwrap();
    let met: BTreeSet<RecordId> = lines.iter().map(|line| line.id).collect();
    for id in acknowledged.iter().filter(|id| *id.as_bytes() != TALLY) {
        if !people.contains(id) && !met.contains(id) {
            return Err(format!("{id} is gone"));
        }
    }
    for person in &people {
        let file = unlocked.participant(*person).map_err(|error| error.to_string())?;
        let whole = file.alias.is_some_and(|alias| alias.as_str() == word("alias").as_str()) && file.goals.len() == 2;
        if !whole || file.recognition_word.is_none() || file.grant.is_none() {
            return Err(format!("{person} is half-written"));
        }
    }
    // One more note for every encounter: none twice, none missing between, each with its offer and its person.
    let mut notes = BTreeSet::new();
    for line in &lines {
        let shown = unlocked.encounter(line.id).map_err(|error| error.to_string())?;
        let whole = shown.value.offers.len() == 1 && shown.participant.is_some_and(|person| people.contains(&person));
        if !whole || shown.value.note().is_none_or(|note| !notes.insert(note.as_str().to_owned())) {
            return Err(format!("{} is half-written", line.id));
        }
    }
    let expected: BTreeSet<String> = (0..lines.len()).map(|number| word(&format!("note {number}")).to_string()).collect();
    if notes != expected {
        return Err("a note is missing".to_owned());
    }
    // Each encounter counted its two offers, in the same transaction.
    let tally: u32 = unlocked.tally_waiting(unlocked.today().unwrap()).unwrap().iter().map(|line| line.count).sum();
    let tapped = 5 * u32::from(acknowledged.iter().any(|id| *id.as_bytes() == TALLY));
    let counted = 2 * u32::try_from(lines.len()).unwrap();
    if tally == counted + tapped || (tapped == 0 && tally == counted + 5) { Ok(()) } else { Err(format!("{tally} counted, not {counted}")) }
}

#[test]
fn a_writer_killed_at_random_moments_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let mut all = Vec::new();
    for round in 0..45_u64 {
        let mut child = child(&dir, "loop").stdout(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdout.take().unwrap();
        // The kill comes so many bytes after the start, and then somewhere in the transaction under way.
        let hash = blake3::hash(&round.to_le_bytes());
        let mut printed = vec![0; usize::from(hash.as_bytes()[0] % 16) * 33 + 1];
        pipe.read_exact(&mut printed).unwrap();
        for _ in 0..u32::from(hash.as_bytes()[1]) * 1_500 {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        assert!(child.wait().unwrap().code().is_none(), "killed, not finished");
        pipe.read_to_end(&mut printed).unwrap();
        all.extend(acknowledged(&printed));
        let unlocked = open(&dir);
        check(&unlocked, &all).unwrap_or_else(|error| panic!("round {round}: {error}"));
    }
    assert!(all.len() > 150, "{}", all.len());
    // Positive control: the check misses a record that was never written.
    all.push(RecordId::from_bytes([1; 16]));
    assert!(check(&open(&dir), &all).is_err());
}

/// A folder to watch with a founded store in it, all in memory: these tests are about calls, not about a medium.
fn place() -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let watched = folder.path().join("watched");
    fs::create_dir(&watched).unwrap();
    let dir = watched.join("store");
    (folder, watched, dir)
}

fn copy_of(template: &Path) -> (TempDir, PathBuf, PathBuf) {
    let (folder, watched, dir) = place();
    fs::create_dir(&dir).unwrap();
    for entry in fs::read_dir(template).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), dir.join(entry.file_name())).unwrap();
    }
    (folder, watched, dir)
}

/// A founded store, and how many calls the script makes on it.
fn template() -> (Shim, TempDir, PathBuf, u64) {
    let shim = Shim::build(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    let (folder, _, dir) = place();
    assert!(child(&dir, "found").status().unwrap().success());
    let (counted, watched, copy) = copy_of(&dir);
    let mut script = child(&copy, "script");
    let calls = shim.count(script.stdout(Stdio::null()), &watched, &counted.path().join("count")).unwrap();
    assert!(calls > 30, "the calls go past the shim: {calls}");
    (shim, folder, dir, calls)
}

fn run(shim: &Shim, fault: Fault, at: u64, template: &Path) -> (TempDir, PathBuf, Output) {
    let (folder, watched, dir) = copy_of(template);
    let output = shim.arm(&mut child(&dir, "script"), &watched, fault, at).output().unwrap();
    (folder, dir, output)
}

#[test]
fn a_kill_at_any_call_of_a_day_loses_nothing_acknowledged() {
    let (shim, _folder, store, calls) = template();
    let mut most = 0;
    for fault in [Fault::Kill, Fault::Torn] {
        for at in 1..=calls {
            let (_folder, dir, output) = run(&shim, fault, at, &store);
            assert!(output.status.code().is_none(), "{fault:?} at {at} did not kill");
            let ids = acknowledged(&output.stdout);
            most = most.max(ids.len());
            check(&open(&dir), &ids).unwrap_or_else(|error| panic!("{fault:?} at call {at} of {calls}: {error}"));
        }
    }
    assert_eq!(most, 5, "positive control: the last kills come after the last acknowledgement");
}

#[test]
fn a_disk_that_fills_up_or_fails_at_any_call_loses_nothing_acknowledged() {
    let (shim, _folder, store, calls) = template();
    let (mut gave_up, mut retried) = (0, 0);
    for (fault, told) in [
        (Fault::Full { once: true }, "storage.full free_space"),
        (Fault::Full { once: false }, "storage.full free_space"),
        (Fault::Broken { once: true }, "storage.io try_later"),
        (Fault::Broken { once: false }, "storage.io try_later"),
    ] {
        for at in 1..=calls {
            let (_folder, dir, output) = run(&shim, fault, at, &store);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            match output.status.code() {
                Some(0) => {}
                Some(3) => {
                    gave_up += 1;
                    assert_eq!(said.lines().last(), Some(told), "{fault:?} at call {at}");
                }
                other => panic!("{fault:?} at call {at}: ended with {other:?}: {said}"),
            }
            retried += u32::from(said.contains("retried"));
            let unlocked = open(&dir);
            let result = check(&unlocked, &acknowledged(&output.stdout));
            result.unwrap_or_else(|error| panic!("{fault:?} at call {at} of {calls}: {error}\n{said}"));
            // Usable afterwards.
            unlocked.create_zone(&scene::line("zone")).unwrap_or_else(|error| panic!("{fault:?} at call {at}: {error}"));
        }
    }
    assert!(retried > 10 && gave_up > 10, "{retried} retried, {gave_up} gave up of {calls} calls each");
}

#[test]
fn a_founding_killed_at_any_call_leaves_a_whole_store_or_none() {
    let shim = Shim::build(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    let (folder, watched, dir) = place();
    let calls = shim.count(&mut child(&dir, "found"), &watched, &folder.path().join("count")).unwrap();
    let mut whole = 0;
    for at in 1..=calls {
        let (_folder, watched, dir) = place();
        let output = shim.arm(&mut child(&dir, "found"), &watched, Fault::Kill, at).output().unwrap();
        assert!(output.status.code().is_none(), "at {at}");
        // Either it opens with its passphrase, or it says that there is no usable store; never a panic, never a half one.
        let opened = Store::open(&dir, Env::system()).and_then(|store| store.unlock(&scene::passphrase(), None));
        match opened {
            Ok(unlocked) => {
                whole += 1;
                assert!(unlocked.participants().unwrap().is_empty());
                unlocked.create_zone(&scene::line("zone")).unwrap();
            }
            Err(error) => assert!(["storage.not_found", "storage.damaged"].contains(&error.code()), "at {at}: {}", error.code()),
        }
    }
    assert!(whole > 0 && whole < calls, "{whole} of {calls}");
}
