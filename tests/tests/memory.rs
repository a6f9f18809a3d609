//! After `lock` no key and no word of a record is left in the process's memory.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]
#![allow(clippy::unwrap_used)]

use satchel_tests::memory::Report;
use satchel_tests::scene::{READS, WRITES};
use std::process::{Command, Stdio};

fn report_of(program: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(program).arg(folder.path().join("store")).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn lock_forgets_keys_and_words_whatever_was_done_last() {
    let report = report_of(env!("CARGO_BIN_EXE_memory_child"));
    // Positive control: while views are held, the same scan finds what they show, and the keys that are in use.
    for shown in ["alias edited", "goal 3", "encounter corrected", "follow-up", "referral words", "resource note edited", "zone"] {
        assert!(report.held.keys().any(|found| found.starts_with(&format!("{shown} in "))), "{shown}: {:?}", report.held);
    }
    assert!(report.held.keys().filter(|found| found.starts_with("key ")).count() > 20, "{:?}", report.held);
    let (scanned, resident) = (report.scanned_bytes, report.resident_bytes);
    assert!(report.keys > 40, "{} keys", report.keys);
    assert!(resident > 8_000_000 && scanned >= resident, "{scanned} bytes looked at of {resident} in memory");
    assert_eq!(report.locked.len(), 1 + WRITES.len() + READS.len());
    for (last, found) in &report.locked {
        assert!(found.is_empty(), "locked after {last}: {found:?}");
    }
    assert!(report.dropped.is_empty(), "{:?}", report.dropped);
}

#[test]
fn without_the_wiping_allocator_copies_survive_the_lock() {
    // Positive control: what `lock` leaves to the allocator is found when the allocator does not wipe.
    let report = report_of(env!("CARGO_BIN_EXE_memory_child_plain"));
    let found = &report.locked["waiting"];
    assert!(found.keys().any(|found| found.starts_with("alias")) && found.values().sum::<usize>() > 20, "{found:?}");
}
