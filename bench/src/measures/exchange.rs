//! P3: what two phones that hold a workload in common send each other after a shift.

use crate::Fail;
use crate::figures::Figure;
use crate::satchel::{self, Phone, Talk};
use crate::stage::{COLLEAGUE, Stage, WRITER};
use crate::workload::{self, Dice};
use rusqlite::{Connection, OpenFlags};
use satchel_core::record::{FollowUpDraft, ParticipantEdit};
use satchel_core::screen::ShortText;
use satchel_core::store::{Store, Unlocked};
use satchel_wire::ids::RecordId;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

const ENCOUNTERS: usize = 20;
const EDITS: usize = 10;
const FOLLOW_UPS: usize = 4;

fn total(talk: &Talk) -> f64 {
    (talk.dialer.bytes_sent + talk.listener.bytes_sent) as f64
}

fn round_trips(talk: &Talk) -> f64 {
    talk.flights as f64 / 2.0
}

/// Bodies of a suspended store, and the length of the row that carries each: the next power of two.
fn rows(dir: &Path) -> Result<BTreeMap<Vec<u8>, u64>, Fail> {
    let connection = Connection::open_with_flags(dir.join("store.sqlite"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = connection.prepare("SELECT body_id, length(sealed) FROM body")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, u64::from(row.get::<_, u32>(1)?).next_power_of_two())))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn unlock(store: &Store) -> Result<Unlocked, Fail> {
    store.resume()?;
    Ok(store.unlock(&satchel::passphrase()?, None)?)
}

/// One worker's shift, offline.
fn shift(phone: &Phone, seed: u64) -> Result<(), Fail> {
    let mut dice = Dice::new(seed);
    for _ in 0..ENCOUNTERS {
        phone.add_meeting(&workload::meeting(&mut dice, phone.people.len()))?;
    }
    let mut someone = || phone.people.get(dice.below(phone.people.len())).copied().ok_or("nobody has a file");
    let today = phone.unlocked.today()?;
    for n in 0..EDITS {
        let contact = ShortText::parse(if n % 2 == 0 { "ask at the kitchen" } else { "leave word with the shelter" })?;
        phone.unlocked.edit_participant(someone()?, &ParticipantEdit { contact: Some(contact), ..ParticipantEdit::default() })?;
    }
    for _ in 0..FOLLOW_UPS {
        let what = ShortText::parse("bring the papers")?;
        let promise = FollowUpDraft { participant: someone()?, what, from: today.plus(2), until: today.plus(5), contact: None };
        phone.unlocked.save_follow_up(&promise)?;
    }
    Ok(())
}

fn people(unlocked: &Unlocked) -> Result<Vec<RecordId>, Fail> {
    Ok(unlocked.participants()?.into_iter().map(|line| line.id).collect())
}

/// Measures P3.
pub fn exchange(stage: &Stage) -> Result<Vec<Figure>, Fail> {
    let (near_dir, far_dir) = (stage.in_memory(WRITER, "p3-near")?, stage.in_memory(COLLEAGUE, "p3-far")?);
    let near_store = satchel::reopen(&near_dir, stage.seed, "p3 near")?;
    let far_store = satchel::reopen(&far_dir, stage.seed, "p3 far")?;
    let (near, far) = (unlock(&near_store)?, unlock(&far_store)?);
    // yesterday's sum leaves, and both are level
    satchel::meet(&near, &far)?;
    let begun = Instant::now();
    let still = satchel::meet(&far, &near)?;
    let still_ms = begun.elapsed().as_secs_f64() * 1e3;
    if still.dialer.sent + still.listener.sent > 0 {
        return Err("something moved although nothing had changed".into());
    }
    near_store.suspend()?;
    far_store.suspend()?;
    let (near_before, far_before) = (rows(&near_dir)?, rows(&far_dir)?);
    if near_before != far_before {
        return Err("the phones do not hold the same".into());
    }

    let (near, far) = (unlock(&near_store)?, unlock(&far_store)?);
    for (unlocked, seed) in [(&near, stage.seed ^ 0xa), (&far, stage.seed ^ 0xb)] {
        let zones = unlocked.zones()?.into_iter().map(|line| line.id).collect();
        shift(&Phone { unlocked: unlocked.clone(), people: people(unlocked)?, zones }, seed)?;
    }
    let begun = Instant::now();
    let talk = satchel::meet(&near, &far)?;
    let talk_ms = begun.elapsed().as_secs_f64() * 1e3;
    if near.encounters(None)?.len() != far.encounters(None)?.len() || people(&near)?.len() != people(&far)?.len() {
        return Err("the phones differ after they met".into());
    }
    near_store.suspend()?;
    far_store.suspend()?;
    let after = rows(&near_dir)?;
    if after != rows(&far_dir)? {
        return Err("the phones do not hold the same after they met".into());
    }
    let moved: Vec<u64> = after.iter().filter(|(id, _)| !near_before.contains_key(*id)).map(|(_, bytes)| *bytes).collect();
    let must = moved.iter().sum::<u64>() as f64;
    if moved.len() != talk.dialer.sent + talk.listener.sent {
        return Err(format!("{} rows moved where {} had to", talk.dialer.sent + talk.listener.sent, moved.len()).into());
    }
    let size = stage.size.name();
    Ok(vec![
        Figure::aimed("P3", size, "bytes / rows that must move", total(&talk) / must, "x", 1.15),
        Figure::aimed("P3", size, "round trips", round_trips(&talk), "", 3.0),
        Figure::plain("P3", size, "bytes above those rows", total(&talk) - must, "B"),
        Figure::plain("P3", size, "bytes, both ways", total(&talk), "B"),
        Figure::plain("P3", size, "bytes of the rows that must move", must, "B"),
        Figure::plain("P3", size, "rows that must move", moved.len() as f64, ""),
        Figure::plain("P3", size, "time, both phones on one core, in memory", talk_ms, "ms"),
        Figure::plain("P3", size, "nothing changed: bytes, both ways", total(&still), "B"),
        Figure::plain("P3", size, "nothing changed: round trips", round_trips(&still), ""),
        Figure::plain("P3", size, "nothing changed: time", still_ms, "ms"),
    ])
}
