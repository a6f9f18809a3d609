//! Wire pages: what a phone that holds the workload brings a relay for newcomers, at first and after one change; and an
//! erasure on a phone whose pages lie there.

use crate::Fail;
use crate::figures::{Figure, Series, cpu_ms};
use crate::hub::Hub;
use crate::satchel::{self, MovedClock};
use crate::stage::{Stage, WRITER};
use crate::workload;
use satchel_core::record::Kind;
use std::time::Instant;

/// Exchanges until nothing more leaves.
const EXCHANGES_MAX_COUNT: usize = 100;
const ERASED: usize = 11;

/// Measures bytes of pages and roots.
pub fn pages(stage: &Stage) -> Result<Vec<Figure>, Fail> {
    let dir = stage.in_memory(WRITER, "pages")?;
    let clock = MovedClock::at_day(workload::DAYS as u64);
    let (hub, address) = Hub::new(&stage.left("pages-relay"), &clock)?;
    let store = satchel::reopen(&dir, stage.seed, "pages")?;
    let unlocked = store.unlock(&satchel::passphrase()?, None)?;
    let flush = || -> Result<(), Fail> {
        for _ in 0..EXCHANGES_MAX_COUNT {
            let before = hub.take_sent();
            hub.exchange(&unlocked)?;
            let now = hub.take_sent();
            hub.put_back(&[before, now]);
            if now.announcement_count + now.commons_count + now.records_count == 0 {
                return Ok(());
            }
        }
        Err("the relay never had everything".into())
    };
    unlocked.set_relay(&address)?;
    hub.take_sent();
    let begun = Instant::now();
    flush()?;
    let first_ms = begun.elapsed().as_secs_f64() * 1e3;
    let all = hub.take_sent();
    // another turn: the next root names the same pages
    unlocked.begin_turn()?;
    flush()?;
    let next = hub.take_sent();
    let encounters = unlocked.encounters(None)?;
    let [mut wall, mut cpu, mut bytes] = std::array::from_fn(|_| Series::default());
    for line in encounters.iter().step_by((encounters.len() / ERASED).max(1)).take(ERASED) {
        let (before, begun) = (cpu_ms(), Instant::now());
        unlocked.erase_record(Kind::Encounter, line.id)?;
        wall.add(begun.elapsed());
        cpu.add_ms(cpu_ms() - before);
        hub.take_sent();
        flush()?;
        bytes.add_ms(hub.take_sent().records as f64 / 1024.0);
    }
    let size = stage.size.name();
    let kib = |bytes: usize| bytes as f64 / 1024.0;
    Ok(vec![
        Figure::plain("pages", size, "first exchange: bodies, pages and root", kib(all.records), "KiB"),
        Figure::plain("pages", size, "the same, rows", all.records_count as f64, ""),
        Figure::plain("pages", size, "of it pages and root", kib(all.pages), "KiB"),
        Figure::plain("pages", size, "the same, rows", all.pages_count as f64, ""),
        Figure::plain("pages", size, "first exchange: time, relay included", first_ms, "ms"),
        Figure::plain("pages", size, "the next turn: pages and root", kib(next.records), "KiB"),
        Figure::plain("pages", size, "the same, rows", next.records_count as f64, ""),
        Figure::plain("pages", size, "one encounter erased: page and root, median", bytes.median(), "KiB"),
        Figure::aimed("pages", size, "erase one encounter while pages lie at a relay: median", wall.median(), "ms", 100.0),
        Figure::plain("pages", size, "the same, processor time: median", cpu.median(), "ms"),
    ])
}
