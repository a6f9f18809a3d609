//! P1: from unlock, without Argon2, to the first participant list.
//!
//! Argon2 takes twenty times as long as the rest, and on a busy machine its spread alone is larger than what is to be
//! measured. So unlocking is measured where it happens without Argon2: a save that is refused throws away what is in
//! memory and reads from the file all that unlocking reads. The difference between the quickest unlock and the quickest
//! one with a wrong passphrase (the same Argon2, and nothing after it) stands beside it as a check.

use crate::Fail;
use crate::figures::{Figure, Series};
use crate::plain::Plain;
use crate::satchel;
use crate::stage::{PLAIN, Stage, WRITER};
use rusqlite::Connection;
use satchel_core::error::Error;
use satchel_core::record::EncounterKind;
use satchel_core::store::EncounterDraft;
use satchel_wire::ids::RecordId;
use std::time::Instant;

const ROUNDS: usize = 61;

fn timed<T>(series: &mut Series, work: impl FnOnce() -> Result<T, Fail>) -> Result<T, Fail> {
    let begun = Instant::now();
    let value = work()?;
    series.add(begun.elapsed());
    Ok(value)
}

/// Measures P1.
pub fn unlock(stage: &Stage) -> Result<Vec<Figure>, Fail> {
    let dir = stage.on_disk(WRITER, "p1")?;
    let plain = stage.on_disk(PLAIN, "p1.sqlite")?;
    let (right, wrong) = (satchel::passphrase()?, satchel::wrong_passphrase()?);
    let [mut opens, mut unlocks, mut refusals, mut rereads, mut lists, mut again] = std::array::from_fn(|_| Series::default());
    let (mut plain_all, mut plain_again) = (Series::default(), Series::default());
    let unknown_zone = Some(RecordId::from_bytes([0xee; 16]));
    let refused = EncounterDraft { kind: EncounterKind::Street, participant: None, zone: unknown_zone, offers: Vec::new(), note: None };
    for _ in 0..ROUNDS {
        let store = timed(&mut opens, || satchel::reopen(&dir, stage.seed, "p1"))?;
        match timed(&mut refusals, || Ok(store.unlock(&wrong, None)))? {
            Err(Error::WrongPassphrase) => {}
            _ => return Err("a wrong passphrase was not refused".into()),
        }
        let unlocked = timed(&mut unlocks, || Ok(store.unlock(&right, None)?))?;
        match timed(&mut rereads, || Ok(unlocked.save_encounter(&refused)))? {
            Err(Error::UnknownZone) => {}
            _ => return Err("an unknown zone was not refused".into()),
        }
        let ours = timed(&mut lists, || Ok(unlocked.participants()?))?.len();
        timed(&mut again, || Ok(unlocked.participants()?))?;
        drop((unlocked, store));

        let (connection, lines) = timed(&mut plain_all, || {
            let connection = Connection::open(&plain)?;
            let lines = Plain::list(&connection)?;
            Ok((connection, lines))
        })?;
        timed(&mut plain_again, || Plain::list(&connection))?;
        if ours != lines.len() || ours != stage.size.participants() {
            return Err("the two lists differ".into());
        }
    }
    let size = stage.size.name();
    let sum = opens.median() + rereads.median() + lists.median();
    let least = opens.least() + rereads.least() + lists.least();
    Ok(vec![
        Figure::aimed("P1", size, "open, unlock, list / open, list in SQLite", sum / plain_all.median(), "x", 2.0),
        Figure::plain("P1", size, "the same, least disturbed round of each", least / plain_all.least(), "x"),
        Figure::plain("P1", size, "open, unlock without Argon2, list", sum, "ms"),
        Figure::plain("P1", size, "of which: open the store, locked", opens.median(), "ms"),
        Figure::aimed("P1", size, "of which: unlock after Argon2", rereads.median(), "ms", 300.0),
        Figure::plain("P1", size, "of which: first list", lists.median(), "ms"),
        Figure::plain("P1", size, "check: quickest unlock less quickest refusal", unlocks.least() - refusals.least(), "ms"),
        Figure::plain("P1", size, "SQLite: open, list", plain_all.median(), "ms"),
        Figure::plain("P1", size, "SQLite: the same list again", plain_again.median(), "ms"),
        Figure::plain("P1", size, "the same list again", again.median(), "ms"),
        Figure::plain("P1", size, "Argon2 at the least cost (19 MiB, 2 passes)", refusals.median(), "ms"),
    ])
}
