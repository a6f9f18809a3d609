//! Satchel as the workload sees it: through the public API only.

use crate::workload::{Event, Meeting, Person, RESOURCES, ZONES};
use crate::{Fail, workload};
use satchel_core::consent::HowGiven;
use satchel_core::crypto::Passphrase;
use satchel_core::env::{Clock, Env, Randomness};
use satchel_core::record::{EncounterKind, Outcome, ParticipantDraft};
use satchel_core::screen::{Alias, Note, ShortText};
use satchel_core::store::{Credentials, EncounterDraft, Founding, KeyCost, OfferDraft, Store, Unlocked};
use satchel_core::sync::SessionReport;
use satchel_core::team::{Invitation, Role};
use satchel_wire::ids::{RecordId, ResourceId};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Outcomes that stay with a record whoever says them: a refusal goes to the tally alone, and the peers would not be equal.
pub const OUTCOMES: [Outcome; 5] =
    [Outcome::Accepted, Outcome::Later, Outcome::NotAvailable, Outcome::TurnedAwayByProvider, Outcome::AlreadyHas];

/// A clock that the workload moves.
#[derive(Debug)]
pub struct MovedClock(AtomicU64);

impl Clock for MovedClock {
    fn unix_seconds(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl MovedClock {
    /// A clock at noon UTC of the workload's first day, or so many days later.
    pub fn at_day(day: u64) -> Arc<Self> {
        // 2026-03-02 12:00 UTC
        Arc::new(Self(AtomicU64::new(1_772_452_800 + day * 86_400)))
    }
    /// The next day.
    pub fn next_day(&self) {
        self.0.fetch_add(86_400, Ordering::SeqCst);
    }
}

/// Bytes from a seed (BLAKE3, extendable output), so that a run can be repeated.
struct Seeded(Mutex<blake3::OutputReader>);

impl Randomness for Seeded {
    fn fill(&self, out: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(out);
    }
}

/// An environment from a seed.
pub fn env(seed: u64, name: &str, clock: &Arc<MovedClock>) -> Env {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(name.as_bytes());
    Env::new(clock.clone(), Arc::new(Seeded(Mutex::new(hasher.finalize_xof()))))
}

/// The passphrase of every store here.
pub fn passphrase() -> Result<Passphrase, Fail> {
    Ok(Passphrase::new(b"correct horse battery staple")?)
}

/// A passphrase that opens none: the same Argon2, and nothing after it.
pub fn wrong_passphrase() -> Result<Passphrase, Fail> {
    Ok(Passphrase::new(b"correct horse battery stapler")?)
}

/// A phone in a workload.
#[derive(Debug)]
pub struct Phone {
    /// The store, unlocked.
    pub unlocked: Unlocked,
    /// Its participants, in the workload's order.
    pub people: Vec<RecordId>,
    /// Its zones.
    pub zones: Vec<RecordId>,
}

fn short(text: &str) -> Result<ShortText, Fail> {
    Ok(ShortText::parse(text)?)
}

/// The resource of an index.
pub fn resource(index: usize) -> [u8; 16] {
    let mut id = [0; 16];
    let hash = blake3::hash(&(index % RESOURCES).to_le_bytes());
    id.copy_from_slice(&hash.as_bytes()[..16]);
    id
}

/// Founds the team of a workload, with its zones.
pub fn found(dir: &Path, env: Env, cost: KeyCost) -> Result<Phone, Fail> {
    let passphrase = passphrase()?;
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost };
    let founding = Founding { time_zone: "Europe/Madrid".into(), member_name: short("Ana")? };
    let unlocked = Store::found(dir, env, &credentials, &founding)?.unlocked;
    let zones = (0..ZONES).map(|n| Ok(unlocked.create_zone(&short(&format!("zone {}", char::from(b'a' + n as u8)))?)?));
    let zones = zones.collect::<Result<Vec<_>, Fail>>()?;
    Ok(Phone { unlocked, people: Vec::new(), zones })
}

/// Takes one more phone into the team.
pub fn join(dir: &Path, env: Env, host: &Unlocked, name: &str) -> Result<Unlocked, Fail> {
    let passphrase = passphrase()?;
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost: KeyCost::Least };
    let invitation = Invitation::from_text(&host.invite(Role::Worker, "")?.to_text(), env.now())?;
    let (joining, knock) = Store::join(env, &invitation)?;
    let (mut hosted, answer) = host.answer_knock(&knock)?;
    let mut joined = joining.answered(&answer)?;
    hosted.introduced(&joined.introduce()?)?;
    let (unlocked, thanks) = joined.welcomed(&hosted.welcome()?, dir, &credentials, &short(name)?)?;
    hosted.thanked(&thanks)?;
    Ok(unlocked)
}

/// A session in memory between two phones.
#[derive(Debug)]
pub struct Talk {
    /// What the side that dialled says.
    pub dialer: SessionReport,
    /// What the other side says.
    pub listener: SessionReport,
    /// Times that the direction changed: a round trip is two.
    pub flights: usize,
}

/// Lets two phones meet.
pub fn meet(dialer: &Unlocked, listener: &Unlocked) -> Result<Talk, Fail> {
    let mut near = dialer.dial()?;
    let mut far = listener.listen();
    let mut flights = 0;
    loop {
        let mut sent = Vec::new();
        while let Some(bytes) = near.transmit(64 * 1024)? {
            sent.push(bytes);
        }
        flights += usize::from(!sent.is_empty());
        let mut moved = !sent.is_empty();
        for bytes in sent {
            far.receive(&bytes)?;
        }
        let mut answered = Vec::new();
        while let Some(bytes) = far.transmit(64 * 1024)? {
            answered.push(bytes);
        }
        flights += usize::from(!answered.is_empty());
        moved |= !answered.is_empty();
        for bytes in answered {
            near.receive(&bytes)?;
        }
        if !moved {
            break;
        }
    }
    if !near.is_finished() || !far.is_finished() {
        return Err("a session stopped before its end".into());
    }
    let warnings = near.report().warnings.iter().chain(&far.report().warnings).next();
    match warnings {
        Some(warning) => Err(format!("a session warned: {}", warning.code()).into()),
        None => Ok(Talk { dialer: near.report().clone(), listener: far.report().clone(), flights }),
    }
}

impl Phone {
    /// Writes a participant down.
    pub fn add_person(&mut self, person: &Person) -> Result<(), Fail> {
        let optional = |text: Option<&str>| text.map(short).transpose();
        let draft = ParticipantDraft {
            alias: Some(Alias::parse(&person.alias)?),
            pronouns: optional(person.pronouns)?,
            language: optional(person.language)?,
            contact: optional(person.contact)?,
            goals: person.goals.iter().map(|goal| short(goal)).collect::<Result<_, _>>()?,
            recognition_word: None,
        };
        self.people.push(self.unlocked.create_participant(&draft, HowGiven::Spoken, "en")?);
        Ok(())
    }

    /// An encounter, ready to be saved.
    pub fn draft(&self, meeting: &Meeting) -> Result<EncounterDraft, Fail> {
        let offers = meeting.offers.iter().map(|&(index, quantity, outcome)| OfferDraft {
            resource: ResourceId::from_bytes(resource(index)),
            quantity,
            outcome: OUTCOMES.get(outcome % OUTCOMES.len()).copied().unwrap_or(Outcome::Unknown),
            keep_refusal: false,
        });
        Ok(EncounterDraft {
            kind: EncounterKind::ALL.get(meeting.kind % 4).copied().unwrap_or(EncounterKind::Street),
            participant: meeting.person.and_then(|person| self.people.get(person)).copied(),
            zone: self.zones.get(meeting.zone).copied(),
            offers: offers.collect(),
            note: meeting.note.map(Note::parse).transpose()?,
        })
    }

    /// Writes an encounter down.
    pub fn add_meeting(&self, meeting: &Meeting) -> Result<RecordId, Fail> {
        Ok(self.unlocked.save_encounter(&self.draft(meeting)?)?)
    }
}

/// The app goes to sleep and wakes up.
fn sleep(unlocked: &mut Unlocked) -> Result<(), Fail> {
    let store = unlocked.store();
    store.suspend()?;
    store.resume()?;
    *unlocked = store.unlock(&passphrase()?, None)?;
    Ok(())
}

/// Runs a workload on a phone; at the end of each week `colleague` is met, and both apps sleep.
pub fn run(phone: &mut Phone, clock: &MovedClock, mut colleague: Option<&mut Unlocked>, events: &[Event]) -> Result<(), Fail> {
    for event in events {
        match event {
            Event::NextDay => clock.next_day(),
            Event::EndOfWeek => {
                if let Some(colleague) = colleague.as_deref_mut() {
                    meet(&phone.unlocked, colleague)?;
                    sleep(colleague)?;
                }
                sleep(&mut phone.unlocked)?;
            }
            Event::Person(person) => phone.add_person(person)?,
            Event::Meeting(meeting) => drop(phone.add_meeting(meeting)?),
        }
    }
    Ok(())
}

/// Opens a store that a workload left behind, on the day after it.
pub fn reopen(dir: &Path, seed: u64, name: &str) -> Result<Store, Fail> {
    let clock = MovedClock::at_day(workload::DAYS as u64);
    Ok(Store::open(dir, env(seed, &format!("{name} after the workload"), &clock))?)
}
