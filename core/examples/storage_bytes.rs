//! How many bytes a store takes per record, with values of the sizes that sealing yields.
//!
//! `cargo run --release -p satchel-core --example storage_bytes [records]`
#![allow(clippy::print_stdout, reason = "a program that prints a table")]

use satchel_core::storage::{Database, PageId, StorageError, remove};
use satchel_wire::{BodyId, RecordId};

const BODY_BYTES: usize = 361;
const PAGE_ITEM_BYTES: usize = 110;
const PAGE_RECORDS: u64 = 128;

fn noise(label: &str, number: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(label.as_bytes()).update(&number.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

fn id(label: &str, number: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&noise(label, number, 16));
    id
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let records: u64 = std::env::args().nth(1).map_or(Ok(15_000), |count| count.parse())?;
    let dir = std::env::temp_dir().join(format!("satchel-storage-bytes-{}", std::process::id()));
    let mut database = Database::create(&dir)?;
    println!("{:>10} {:>12} {:>12}", "records", "bytes", "per record");
    // Each record is saved as the app saves one: its body, and its page item as a tail. A full page is folded.
    let mut page = PageId::from_bytes(id("page", 0));
    database.transaction(|tx| tx.put_page(&page, b""))?;
    for number in 0..records {
        let record = RecordId::from_bytes(id("record", number));
        let body = noise("body", number, BODY_BYTES);
        database.transaction(|tx| {
            tx.put_tail(&record, &page, &noise("item", number, PAGE_ITEM_BYTES + 40))?;
            tx.put_body(&record, &BodyId::of(&body), &body)?;
            Ok::<(), StorageError>(())
        })?;
        let done = number + 1;
        if done % PAGE_RECORDS == 0 || done == records {
            let held = usize::try_from((done - 1) % PAGE_RECORDS + 1)?;
            let folded = PageId::from_bytes(id("folded", number));
            let next = PageId::from_bytes(id("page", done));
            database.transaction(|tx| {
                tx.fold_page(&page, &folded, &noise("sealed", number, held * PAGE_ITEM_BYTES))?;
                tx.put_page(&next, b"")
            })?;
            page = next;
        }
        if done % (records / 5).max(1) == 0 {
            database.checkpoint()?;
            let bytes = database.size_bytes()?;
            println!("{done:>10} {bytes:>12} {:>12}", bytes / done);
        }
    }
    database.check()?;
    database.close()?;
    remove(&dir)?;
    Ok(())
}
