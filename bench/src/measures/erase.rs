//! P9: erasing one participant, and one record: page, root, store key and slot replaced, the next turn begun, the receipt
//! ready.
//!
//! *Warm* is a phone on which lists have been opened; *cold* one that was just unlocked, and has to read pages and ledger
//! first. The keystore of the measured store is none: a platform's own key operations come on top.

use crate::Fail;
use crate::figures::{Figure, Series, cpu_ms};
use crate::satchel;
use crate::stage::{Stage, WRITER};
use satchel_core::record::Kind;
use std::time::Instant;

/// Below the eleventh, which would wait for a countersignature (count).
const PEOPLE: usize = 8;
const RECORDS: usize = 41;

/// Measures P9.
pub fn erase(stage: &Stage) -> Result<Vec<Figure>, Fail> {
    let dir = stage.on_disk(WRITER, "p9")?;
    let passphrase = satchel::passphrase()?;
    let [mut people, mut people_cpu, mut records, mut records_cpu, mut receipts, mut cold] = std::array::from_fn(|_| Series::default());
    for round in 0..PEOPLE {
        // each opening draws other random bytes: what is made is never made twice
        let store = satchel::reopen(&dir, stage.seed, &format!("p9 {round}"))?;
        let unlocked = store.unlock(&passphrase, None)?;
        let is_cold = round % 2 == 1;
        let list = unlocked.participants()?;
        let person = list.get(round * 7 % list.len().max(1)).ok_or("no participant")?.id;
        if is_cold {
            drop((unlocked, store));
            let store = satchel::reopen(&dir, stage.seed, &format!("p9 {round} cold"))?;
            let unlocked = store.unlock(&passphrase, None)?;
            let begun = Instant::now();
            unlocked.erase_participant(person)?;
            cold.add(begun.elapsed());
            continue;
        }
        unlocked.encounters(None)?;
        unlocked.waiting()?;
        unlocked.erasures()?;
        unlocked.follow_ups()?;
        unlocked.self_referrals()?;
        // the first save of an unlock reads what later ones have in memory
        unlocked.begin_turn()?;
        let (before, begun) = (cpu_ms(), Instant::now());
        let operation = unlocked.erase_participant(person)?;
        people.add(begun.elapsed());
        people_cpu.add_ms(cpu_ms() - before);
        let begun = Instant::now();
        let receipt = unlocked.erasure_receipt(operation)?;
        receipts.add(begun.elapsed());
        if receipt.waits_for_countersignature || receipt.confirmed.is_empty() {
            return Err("the erasure had no effect".into());
        }
    }
    let store = satchel::reopen(&dir, stage.seed, "p9 records")?;
    let unlocked = store.unlock(&passphrase, None)?;
    let encounters = unlocked.encounters(None)?;
    unlocked.waiting()?;
    for line in encounters.iter().step_by((encounters.len() / RECORDS).max(1)).take(RECORDS) {
        let (before, begun) = (cpu_ms(), Instant::now());
        unlocked.erase_record(Kind::Encounter, line.id)?;
        records.add(begun.elapsed());
        records_cpu.add_ms(cpu_ms() - before);
    }
    let size = stage.size.name();
    Ok(vec![
        Figure::aimed("P9", size, "erase a participant, lists open: median", people.median(), "ms", 100.0),
        Figure::plain("P9", size, "the same, quickest", people.least(), "ms"),
        Figure::plain("P9", size, "the same, processor time: median", people_cpu.median(), "ms"),
        Figure::plain("P9", size, "its receipt", receipts.median(), "ms"),
        Figure::plain("P9", size, "erase a participant right after unlocking: median", cold.median(), "ms"),
        Figure::aimed("P9", size, "erase one encounter, lists open: median", records.median(), "ms", 100.0),
        Figure::plain("P9", size, "the same, quickest", records.least(), "ms"),
        Figure::plain("P9", size, "the same, processor time: median", records_cpu.median(), "ms"),
    ])
}
