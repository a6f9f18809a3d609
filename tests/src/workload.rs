//! A deterministic workload on a store, of which any prefix can be checked for being whole.

use satchel_core::storage::{Counts, Database, PageId, StorageError, Transaction};
use satchel_wire::{BodyId, RecordId};

const COUNTER: &str = "steps";
/// Steps between two foldings.
const FOLD: u32 = 4;

fn bytes(label: &str, number: u32, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(label.as_bytes()).update(&number.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

fn id(label: &str, number: u32) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&bytes(label, number, 16));
    id
}

/// The id of the one page, rewritten at every folding.
fn page_after(step: u32) -> PageId {
    PageId::from_bytes(id("page", step / FOLD))
}

fn body_of(step: u32) -> Vec<u8> {
    bytes("body", step, if step.is_multiple_of(3) { 9_000 } else { 361 })
}

/// One step: a record with its body and page item, a fold now and then, an outdated body removed, the counter raised.
pub fn step(tx: &Transaction<'_>, number: u32) -> Result<(), StorageError> {
    let record = RecordId::from_bytes(id("record", number));
    if number == 1 {
        tx.put_page(&page_after(0), b"")?;
    }
    let body = body_of(number);
    tx.put_tail(&record, &page_after(number - 1), &bytes("item", number, 150))?;
    tx.put_body(&record, &BodyId::of(&body), &body)?;
    if number.is_multiple_of(FOLD) {
        tx.fold_page(&page_after(number - 1), &page_after(number), &bytes("sealed", number, number as usize * 110))?;
    }
    if number > 2 {
        tx.remove_record(&RecordId::from_bytes(id("record", number - 2)))?;
    }
    tx.put_meta(COUNTER, &number.to_le_bytes())
}

/// How many steps a store has done.
pub fn steps_done(database: &mut Database) -> Result<u32, StorageError> {
    let counter = database.read(|reader| reader.meta(COUNTER))?;
    counter.map_or(Ok(0), |bytes| bytes.try_into().map(u32::from_le_bytes).map_err(|_| StorageError::Damaged))
}

/// Checks that a store is exactly what its steps make of it, and returns their number.
///
/// Errors: [`StorageError::Damaged`] if anything is missing, left over or altered.
pub fn verify(database: &mut Database) -> Result<u32, StorageError> {
    database.check()?;
    let done = steps_done(database)?;
    let whole = |holds: bool| if holds { Ok(()) } else { Err(StorageError::Damaged) };
    database.read(|reader| {
        let living = u64::from(done.min(2));
        let tails = (1..=done).rev().take_while(|number| !number.is_multiple_of(FOLD)).take(2).count();
        let expected = Counts {
            metas: u64::from(done > 0),
            pages: u64::from(done > 0),
            records: living,
            bodies: living,
            tails: u64::try_from(tails).unwrap_or(u64::MAX),
            ..Counts::default()
        };
        whole(reader.counts()? == expected)?;
        for number in done.saturating_sub(1).max(1)..=done {
            let record = RecordId::from_bytes(id("record", number));
            let body = body_of(number);
            whole(reader.body(&record, &BodyId::of(&body))?.as_deref() == Some(&body[..]))?;
            whole(reader.page_of(&record)? == Some(page_after(done)))?;
        }
        if done >= FOLD {
            let folded = done / FOLD * FOLD;
            whole(reader.page(&page_after(done))? == Some(bytes("sealed", folded, folded as usize * 110)))?;
        }
        Ok::<(), StorageError>(())
    })?;
    Ok(done)
}
