//! P1: from unlock, without Argon2, to the first participant list.
//!
//! Argon2 is taken out by a run that does everything up to it and nothing after it: unlocking with a passphrase
//! that opens no slot. Both runs alternate with the peer's, and medians are compared.

use crate::figures::{Figure, Series};
use crate::plain::Plain;
use crate::satchel;
use crate::stage::{PLAIN, Stage, WRITER};
use crate::Fail;
use rusqlite::Connection;
use satchel_core::error::Error;
use std::time::Instant;

const ROUNDS: usize = 41;

/// Measures P1.
pub fn unlock(stage: &Stage) -> Result<Vec<Figure>, Fail> {
    let dir = stage.on_disk(WRITER, "p1")?;
    let plain = stage.on_disk(PLAIN, "p1.sqlite")?;
    let (right, wrong) = (satchel::passphrase()?, satchel::wrong_passphrase()?);
    let [mut opens, mut unlocks, mut refusals, mut lists, mut again, mut all] = std::array::from_fn(|_| Series::default());
    let (mut plain_all, mut plain_again) = (Series::default(), Series::default());
    let mut counts = (0, 0);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let store = satchel::reopen(&dir, stage.seed, "p1")?;
        let opened = begun.elapsed();
        let begun = Instant::now();
        let refused = store.unlock(&wrong, None);
        let refusal = begun.elapsed();
        if !matches!(refused, Err(Error::WrongPassphrase)) {
            return Err("a wrong passphrase was not refused".into());
        }
        let begun = Instant::now();
        let unlocked = store.unlock(&right, None)?;
        let unlock = begun.elapsed();
        let begun = Instant::now();
        let lines = unlocked.participants()?;
        let listed = begun.elapsed();
        let begun = Instant::now();
        let second = unlocked.participants()?;
        again.add(begun.elapsed());
        counts.0 = lines.len().min(second.len());
        opens.add(opened);
        unlocks.add(unlock);
        refusals.add(refusal);
        lists.add(listed);
        all.add_ms((opened.as_secs_f64() + unlock.as_secs_f64() - refusal.as_secs_f64() + listed.as_secs_f64()) * 1e3);
        drop((unlocked, store));

        let begun = Instant::now();
        let connection = Connection::open(&plain)?;
        let lines = Plain::list(&connection)?;
        plain_all.add(begun.elapsed());
        counts.1 = lines.len();
        let begun = Instant::now();
        drop(Plain::list(&connection)?);
        plain_again.add(begun.elapsed());
    }
    if counts.0 != counts.1 || counts.0 != stage.size.participants() {
        return Err("the two lists differ".into());
    }
    let size = stage.size.name();
    let after_argon = unlocks.median() - refusals.median();
    Ok(vec![
        Figure::aimed("P1", size, "open, unlock, list / open, list in SQLite", all.median() / plain_all.median(), "x", 2.0),
        Figure::plain("P1", size, "open, unlock without Argon2, list", all.median(), "ms"),
        Figure::plain("P1", size, "of which: open the store, locked", opens.median(), "ms"),
        Figure::aimed("P1", size, "of which: unlock after Argon2", after_argon, "ms", 300.0),
        Figure::plain("P1", size, "of which: first list", lists.median(), "ms"),
        Figure::plain("P1", size, "SQLite: open, list", plain_all.median(), "ms"),
        Figure::plain("P1", size, "SQLite: the same list again", plain_again.median(), "ms"),
        Figure::plain("P1", size, "the same list again", again.median(), "ms"),
        Figure::plain("P1", size, "Argon2 at the least cost (19 MiB, 2 passes)", refusals.median(), "ms"),
    ])
}
