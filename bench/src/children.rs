//! What runs in a process of its own: saves, which may run on a slowed disk, and memory.

use crate::Fail;
use crate::figures::{cpu_ms, peak_mib};
use crate::plain::Plain;
use crate::satchel::{self, Phone};
use crate::workload::{self, Dice, Meeting};
use satchel_core::record::ParticipantEdit;
use satchel_core::screen::ShortText;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The part of a measure that needs a process of its own.
#[derive(Debug, clap::Args)]
pub struct Child {
    #[command(subcommand)]
    work: Work,
}

#[derive(Debug, clap::Subcommand)]
enum Work {
    /// Saves encounters and edits, in both stores by turns.
    Saves {
        /// Satchel's store.
        store: PathBuf,
        /// The peer's.
        plain: PathBuf,
        /// The run's seed.
        seed: u64,
        /// How many saves of each sort.
        count: usize,
    },
    /// Opens, unlocks and lists everything.
    Lists {
        /// Satchel's store.
        store: PathBuf,
        /// The run's seed.
        seed: u64,
    },
}

/// How long saves took in one store (milliseconds each), and what the processor did for them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Saves {
    /// Encounters with four offers.
    pub encounters_ms: Vec<f64>,
    /// Edits of a participant file.
    pub edits_ms: Vec<f64>,
    /// Processor time of all encounters together (milliseconds).
    pub encounters_cpu_ms: f64,
    /// Processor time of all edits together (milliseconds).
    pub edits_cpu_ms: f64,
}

/// Both stores.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct BothSaves {
    /// Satchel.
    pub satchel: Saves,
    /// The peer.
    pub plain: Saves,
}

/// What a phone needs at most.
#[derive(Debug, Serialize, Deserialize)]
pub struct Memory {
    /// Peak of the whole process (MiB).
    pub peak_mib: f64,
    /// Lines listed.
    pub lines: usize,
}

impl Child {
    /// Does the work and prints it as JSON.
    pub fn run(&self) -> Result<(), Fail> {
        let text = match &self.work {
            Work::Saves { store, plain, seed, count } => serde_json::to_string(&saves(store, plain, *seed, *count)?)?,
            Work::Lists { store, seed } => serde_json::to_string(&lists(store, *seed)?)?,
        };
        println!("{text}");
        Ok(())
    }
}

/// Saves in a block, so that the scheduler's count of processor time is read rarely.
const BLOCK: usize = 10;

fn block(times: &mut Vec<f64>, cpu: &mut f64, mut save: impl FnMut() -> Result<(), Fail>) -> Result<(), Fail> {
    let before = cpu_ms();
    for _ in 0..BLOCK {
        let begun = Instant::now();
        save()?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    *cpu += cpu_ms() - before;
    Ok(())
}

const CONTACTS: [&str; 3] = ["ask at the kitchen", "none", "leave word with the shelter"];

fn saves(store: &Path, plain: &Path, seed: u64, count: usize) -> Result<BothSaves, Fail> {
    let unlocked = satchel::reopen(store, seed, "saves")?.unlock(&satchel::passphrase()?, None)?;
    let people = unlocked.participants()?.into_iter().map(|line| line.id).collect();
    let zones = unlocked.zones()?.into_iter().map(|line| line.id).collect();
    let phone = Phone { unlocked, people, zones };
    let mut plain = Plain::open(plain, seed)?;
    let mut dice = Dice::new(seed ^ 0x5a7e);
    let mut both = BothSaves::default();
    let mut next = || {
        let offers = (0..4).map(|_| workload::offer(&mut dice)).collect();
        Meeting {
            person: Some(dice.below(phone.people.len())),
            kind: dice.below(4),
            zone: dice.below(phone.zones.len()),
            offers,
            note: None,
        }
    };
    // one of each first: what is read on first use is read
    let first = next();
    phone.add_meeting(&first)?;
    plain.add_meeting(&first)?;
    for round in 0..count.div_ceil(BLOCK) {
        // prepared before the clock runs: what the worker wrote is on the screen already
        let meetings: Vec<Meeting> = (0..BLOCK).map(|_| next()).collect();
        let drafts = meetings.iter().map(|meeting| phone.draft(meeting)).collect::<Result<Vec<_>, _>>()?;
        let mut waiting = drafts.iter();
        block(&mut both.satchel.encounters_ms, &mut both.satchel.encounters_cpu_ms, || {
            phone.unlocked.save_encounter(waiting.next().ok_or("no draft is left")?)?;
            Ok(())
        })?;
        let mut waiting = meetings.iter();
        block(&mut both.plain.encounters_ms, &mut both.plain.encounters_cpu_ms, || {
            plain.add_meeting(waiting.next().ok_or("no meeting is left")?)
        })?;

        let chosen: Vec<usize> = (0..BLOCK).map(|n| (round * BLOCK + n) * 7 % phone.people.len().max(1)).collect();
        let contact = CONTACTS.get(round % CONTACTS.len()).copied().unwrap_or("none");
        let change = ParticipantEdit { contact: Some(ShortText::parse(contact)?), ..ParticipantEdit::default() };
        let mut waiting = chosen.iter();
        block(&mut both.satchel.edits_ms, &mut both.satchel.edits_cpu_ms, || {
            let person = waiting.next().and_then(|person| phone.people.get(*person)).ok_or("nobody is left")?;
            phone.unlocked.edit_participant(*person, &change)?;
            Ok(())
        })?;
        let mut waiting = chosen.iter();
        block(&mut both.plain.edits_ms, &mut both.plain.edits_cpu_ms, || plain.edit(*waiting.next().ok_or("nobody is left")?, contact))?;
    }
    phone.unlocked.store().suspend()?;
    plain.close()?;
    Ok(both)
}

fn lists(store: &Path, seed: u64) -> Result<Memory, Fail> {
    let unlocked = satchel::reopen(store, seed, "lists")?.unlock(&satchel::passphrase()?, None)?;
    let people = unlocked.participants()?;
    let encounters = unlocked.encounters(None)?;
    let lines = people.len() + encounters.len() + unlocked.follow_ups()?.len() + unlocked.self_referrals()?.len() + unlocked.zones()?.len();
    let (first_person, first_encounter) = (people.first().ok_or("an empty list")?.id, encounters.first().ok_or("an empty list")?.id);
    unlocked.participant(first_person)?;
    unlocked.encounter(first_encounter)?;
    Ok(Memory { peak_mib: peak_mib(), lines })
}
