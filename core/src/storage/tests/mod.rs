//! What a store promises to whoever holds it, pulls its plug, fills its disk or steals it.
#![allow(clippy::unwrap_used)]

mod erasure;
mod medium;
mod migration;
mod process;
mod refusal;
mod slots;
mod tables;

use super::{Database, PageId};
use satchel_wire::{BodyId, RecordId};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder that vanishes with its store.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    (folder, dir)
}

/// Bytes that look random, compress badly, and are the same in every run.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

fn record(seed: u64) -> RecordId {
    RecordId::from_slice(&noise(seed ^ 0x7265, 16)).unwrap()
}

fn page(seed: u64) -> PageId {
    PageId::from_bytes(noise(seed ^ 0x7061, 16).try_into().unwrap())
}

/// Writes `count` records, each with a page item and a body of 361 bytes.
fn fill(database: &mut Database, count: u64) {
    database
        .transaction(|tx| {
            for number in 0..count {
                if number % 128 == 0 {
                    tx.put_page(&page(number / 128), &noise(number, 14_080))?;
                }
                let body = noise(number, 361);
                tx.put_record(&record(number), &page(number / 128))?;
                tx.put_body(&record(number), &BodyId::of(&body), &body)?;
            }
            Ok::<(), super::StorageError>(())
        })
        .unwrap();
}

/// Every file of a folder but the lock, by name.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .filter(|entry| entry.file_name() != super::files::LOCK)
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect()
}

fn contains(dir: &Path, needle: &[u8]) -> bool {
    files(dir).values().any(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
}
