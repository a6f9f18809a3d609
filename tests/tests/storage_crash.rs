//! A store killed, starved or unplugged at every call it makes keeps its promises.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]
#![allow(clippy::unwrap_used)]

use satchel_core::storage::{Database, Presence, StorageError, presence, read_slots};
use satchel_tests::faultfs::{Call, Fate, Fault, Shim, Trace};
use satchel_tests::workload;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const STEPS: u32 = 6;

fn shim() -> Shim {
    Shim::build(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap()
}

/// A folder to watch, and one beside it for what the shim writes.
fn place() -> (TempDir, PathBuf, PathBuf) {
    // In memory: these tests are about the order of calls, not about a medium.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let (watched, reports) = (folder.path().join("watched"), folder.path().join("reports"));
    fs::create_dir(&watched).unwrap();
    fs::create_dir(&reports).unwrap();
    (folder, watched, reports)
}

fn writer(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_storage_child"));
    command.arg(folder).arg(STEPS.to_string());
    command
}

/// The highest number acknowledged, of transactions and of slots.
fn acknowledged(acks: &[u8]) -> (u32, u32) {
    let text = String::from_utf8_lossy(acks);
    // A torn last line is no acknowledgement.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let last = |kind| whole.lines().filter_map(|line| line.strip_prefix(kind)?.trim().parse().ok()).max().unwrap_or(0);
    (last("t"), last("s"))
}

/// Opens what a crash left and checks every promise; says how many steps survived.
fn survives(folder: &Path, (transactions, slots): (u32, u32)) -> Result<u32, String> {
    let dir = folder.join("store");
    let found = presence(&dir).unwrap();
    if found == Presence::Absent {
        let created = Database::create(&dir).map_err(|error| format!("not created again: {error}"))?;
        created.close().unwrap();
        return if transactions == 0 { Ok(0) } else { Err("the store is gone".into()) };
    }
    let mut database = Database::open(&dir).map_err(|error| format!("not opened: {error}"))?;
    let done = workload::verify(&mut database).map_err(|error| format!("not whole: {error}"))?;
    database.close().map_err(|error| format!("not closed: {error}"))?;
    if done < transactions {
        return Err(format!("{transactions} acknowledged, {done} found"));
    }
    let stored = match read_slots(&dir) {
        Ok(file) => u32::from(file.store_id[0]),
        Err(StorageError::NotFound) => 0,
        Err(error) => return Err(format!("slots: {error}")),
    };
    if stored < slots { Err(format!("slots {slots} acknowledged, {stored} found")) } else { Ok(done) }
}

fn run_with(shim: &Shim, fault: Fault, at: u64, watched: &Path) -> Output {
    shim.arm(&mut writer(watched), watched, fault, at).output().unwrap()
}

fn acks_of(watched: &Path) -> (u32, u32) {
    acknowledged(&fs::read(watched.join("acks")).unwrap_or_default())
}

fn total(shim: &Shim) -> u64 {
    let (_folder, watched, reports) = place();
    let calls = shim.count(&mut writer(&watched), &watched, &reports.join("count")).unwrap();
    assert_eq!(survives(&watched, acks_of(&watched)), Ok(STEPS), "positive control");
    // Fewer would mean that the engine's calls go past the shim.
    assert!(calls > 100, "{calls}");
    calls
}

#[test]
fn a_kill_at_any_call_loses_nothing_acknowledged() {
    let shim = shim();
    for fault in [Fault::Kill, Fault::Torn] {
        for at in 1..=total(&shim) {
            let (_folder, watched, _) = place();
            let output = run_with(&shim, fault, at, &watched);
            assert!(output.status.code().is_none(), "{fault:?} at {at} did not kill");
            let acks = acks_of(&watched);
            survives(&watched, acks).unwrap_or_else(|error| panic!("{fault:?} at call {at}: {error}"));
            // What is left can be gone on with.
            assert!(writer(&watched).status().unwrap().success(), "{fault:?} at call {at}");
            survives(&watched, acks_of(&watched)).unwrap_or_else(|error| panic!("after {fault:?} at call {at}: {error}"));
        }
    }
}

#[test]
fn a_disk_that_fills_up_or_fails_at_any_call_loses_nothing_acknowledged() {
    let shim = shim();
    let calls = total(&shim);
    let (mut retried, mut gave_up) = (0, 0);
    for (fault, told) in [
        (Fault::Full { once: false }, "storage.full"),
        (Fault::Full { once: true }, "storage.full"),
        (Fault::Broken { once: false }, "storage.io"),
        (Fault::Broken { once: true }, "storage.io"),
    ] {
        // Every call for the faults that pass, every third for those that stay.
        for at in (1..=calls).step_by(if matches!(fault, Fault::Full { once: true }) { 1 } else { 3 }) {
            let (_folder, watched, _) = place();
            let output = run_with(&shim, fault, at, &watched);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            match output.status.code() {
                Some(0) => {}
                Some(3) => {
                    gave_up += 1;
                    let last = said.lines().last().unwrap_or_default();
                    assert_eq!(last, told, "{fault:?} at call {at}: {said}");
                }
                other => panic!("{fault:?} at call {at}: ended with {other:?}: {said}"),
            }
            retried += u32::from(said.contains("retried"));
            survives(&watched, acks_of(&watched)).unwrap_or_else(|error| panic!("{fault:?} at call {at}: {error}"));
        }
    }
    assert!(retried > 10 && gave_up > 10, "{retried} retried, {gave_up} gave up");
}

/// Deterministic choices (SplitMix64), printed by their seed on failure.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// What the program had acknowledged before a call, read from the trace itself.
fn acknowledged_before(trace: &Trace, cut: usize) -> (u32, u32) {
    let mut acks = Vec::new();
    for call in &trace.calls[..cut] {
        if let Call::Write { path, data, .. } = call
            && path == "acks"
        {
            acks.extend_from_slice(data);
        }
    }
    acknowledged(&acks)
}

fn plug_pulled(trace: &Trace, cut: usize, fate: impl FnMut(usize) -> Fate) -> Result<u32, String> {
    let (_folder, left, _) = place();
    fs::create_dir(left.join("store")).unwrap();
    for (name, content) in trace.after_power_loss(cut, fate) {
        fs::write(left.join(name), content).unwrap();
    }
    survives(&left, acknowledged_before(trace, cut))
}

#[test]
fn a_power_loss_at_any_call_loses_nothing_acknowledged() {
    let shim = shim();
    let (_folder, watched, reports) = place();
    let trace = shim.trace(&mut writer(&watched), &watched, &reports.join("trace")).unwrap();
    let all = trace.calls.len();
    assert_eq!(plug_pulled(&trace, all, |_| Fate::Kept), Ok(STEPS), "positive control: the trace is complete");
    let final_store = fs::read(watched.join("store/store.sqlite")).unwrap();
    assert!(trace.after_power_loss(all, |_| Fate::Kept)["store/store.sqlite"] == final_store);
    for cut in 0..=all {
        for variant in 0..4 {
            let mut dice = Dice((cut as u64) << 8 | variant);
            let outcome = plug_pulled(&trace, cut, |_| match variant {
                0 => Fate::Lost,
                1 => Fate::Kept,
                _ => [Fate::Kept, Fate::Lost, Fate::Torn][dice.roll(3) as usize],
            });
            outcome.unwrap_or_else(|error| panic!("cut at {cut} of {all}, variant {variant}: {error}"));
        }
    }
}

#[test]
fn without_its_syncs_the_same_store_does_lose() {
    // Positive control of the power-loss model: it finds the loss once syncs are taken out of the trace.
    let shim = shim();
    let (_folder, watched, reports) = place();
    let mut trace = shim.trace(&mut writer(&watched), &watched, &reports.join("trace")).unwrap();
    trace.calls.retain(|call| !matches!(call, Call::Sync { path } if path.ends_with("-wal")));
    let lost = (0..=trace.calls.len()).filter(|cut| plug_pulled(&trace, *cut, |_| Fate::Lost).is_err()).count();
    assert!(lost > 10, "{lost}");
}
