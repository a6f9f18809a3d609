//! Phones, meetings and a relay, all real, in one process: what the simulator and the adversary build on.

use satchel_core::crypto::Passphrase;
use satchel_core::env::{Clock, Env, Randomness};
use satchel_core::rules::Rule;
use satchel_core::screen::ShortText;
use satchel_core::store::{Credentials, Founding, KeyCost, RelayAddress, RelayAnswer, RelayError, RelayReport, Store, Unlocked};
use satchel_core::sync::SessionReport;
use satchel_core::team::{Invitation, Role};
use satchel_relay::storage::sqlite::{Role as RelayRole, SqliteStorage};
use satchel_relay::{Config, Relay};
use satchel_wire::frame::Endpoint;
use satchel_wire::ids::MailboxId;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A clock that tests move.
#[derive(Debug, Default)]
pub struct SetClock(AtomicU64);

impl SetClock {
    /// A clock at a Unix time (seconds).
    pub fn at(seconds: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(seconds)))
    }
    /// Moves it.
    pub fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }
    /// Moves it forward (or back).
    pub fn advance(&self, seconds: i64) {
        self.set(self.0.load(Ordering::SeqCst).saturating_add_signed(seconds));
    }
    /// What it shows.
    pub fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Clock for SetClock {
    fn unix_seconds(&self) -> u64 {
        self.now()
    }
}

/// Randomness that repeats from a seed: a counter under BLAKE3.
#[derive(Debug)]
pub struct SeededRandomness(Mutex<blake3::OutputReader>);

impl SeededRandomness {
    /// The stream of a seed and a name.
    pub fn new(seed: u64, name: &str) -> Arc<Self> {
        let mut hasher = blake3::Hasher::new_derive_key("satchel tests seeded randomness");
        hasher.update(&seed.to_le_bytes());
        hasher.update(name.as_bytes());
        Arc::new(Self(Mutex::new(hasher.finalize_xof())))
    }
}

impl Randomness for SeededRandomness {
    fn fill(&self, out: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(out);
    }
}

/// One phone: a store in a folder, with its own clock and randomness.
#[derive(Debug)]
pub struct Phone {
    /// Its name in stories and failures.
    pub name: String,
    /// The handle; replaced after a restart.
    pub unlocked: Unlocked,
    /// Its clock.
    pub clock: Arc<SetClock>,
    /// Its environment.
    pub env: Env,
    /// Its store's folder.
    pub dir: PathBuf,
}

/// The passphrase of every test phone.
pub const PASSPHRASE: &[u8] = b"velvet harbour ninety lanterns walk";

/// That passphrase, as the core wants it.
pub fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE).expect("a valid passphrase")
}

fn text(text: &str) -> ShortText {
    ShortText::parse(text).expect("a clean text")
}

/// An environment whose randomness follows from a seed and a name, and the clock in it.
pub fn env(seed: u64, name: &str, start: u64) -> (Env, Arc<SetClock>) {
    let clock = SetClock::at(start);
    (Env::new(clock.clone(), SeededRandomness::new(seed, name)), clock)
}

/// Founds a team on a new phone in `folder/name`.
pub fn found(folder: &Path, seed: u64, name: &str, start: u64) -> Phone {
    found_without(folder, seed, name, start, None)
}

fn leave_out(env: Env, rule: Option<Rule>) -> Env {
    match rule {
        Some(rule) => env.dangerous_without(rule),
        None => env,
    }
}

/// The same on a phone that does not keep a rule.
pub fn found_without(folder: &Path, seed: u64, name: &str, start: u64, without: Option<Rule>) -> Phone {
    let (env, clock) = env(seed, name, start);
    let env = leave_out(env, without);
    let passphrase = passphrase();
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost: KeyCost::Least };
    let founding = Founding { time_zone: "America/Los_Angeles".into(), member_name: text(name) };
    let dir = folder.join(name);
    let unlocked = Store::found(&dir, env.clone(), &credentials, &founding).expect("founding").unlocked;
    Phone { name: name.into(), unlocked, clock, env, dir }
}

/// Lets a new phone join in person.
pub fn join(folder: &Path, seed: u64, name: &str, start: u64, host: &Phone, role: Role) -> Phone {
    join_without(folder, seed, name, start, host, role, None)
}

/// The same with a phone that does not keep a rule.
pub fn join_without(folder: &Path, seed: u64, name: &str, start: u64, host: &Phone, role: Role, without: Option<Rule>) -> Phone {
    let (env, clock) = env(seed, name, start);
    let env = leave_out(env, without);
    let passphrase = passphrase();
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost: KeyCost::Least };
    let invitation = host.unlocked.invite(role, "").expect("an invitation");
    let invitation = Invitation::from_text(&invitation.to_text(), env.now()).expect("its text");
    let (joining, knock) = Store::join(env.clone(), &invitation).expect("a knock");
    let (mut hosted, answer) = host.unlocked.answer_knock(&knock).expect("an answer");
    let mut joined = joining.answered(&answer).expect("words");
    assert_eq!(joined.words(), hosted.words());
    hosted.introduced(&joined.introduce().expect("an introduction")).expect("introduced");
    let welcome = hosted.welcome().expect("a welcome");
    let dir = folder.join(name);
    let (unlocked, thanks) = joined.welcomed(&welcome, &dir, &credentials, &text(name)).expect("welcomed");
    hosted.thanked(&thanks).expect("thanked");
    Phone { name: name.into(), unlocked, clock, env, dir }
}

impl Phone {
    /// Kills the process, so to speak, and starts it again: whatever was not on disk is gone.
    pub fn restart(&mut self) {
        let store = self.unlocked.store();
        store.suspend().expect("suspending");
        drop(store);
        let store = Store::open(&self.dir, self.env.clone()).expect("opening");
        self.unlocked = store.unlock(&passphrase(), None).expect("unlocking");
    }
}

/// A whole meeting between two phones without loss. Panics if it does not end.
pub fn meet(dialer: &Phone, listener: &Phone) -> (SessionReport, SessionReport) {
    let mut a = dialer.unlocked.dial().expect("dialling");
    let mut b = listener.unlocked.listen();
    for _ in 0..100_000 {
        let mut moved = false;
        while let Some(bytes) = a.transmit(16 * 1024).expect("dialer") {
            b.receive(&bytes).expect("listener receives");
            moved = true;
        }
        while let Some(bytes) = b.transmit(16 * 1024).expect("listener") {
            a.receive(&bytes).expect("dialer receives");
            moved = true;
        }
        if !moved {
            break;
        }
    }
    assert!(a.is_finished() && b.is_finished(), "{} and {} did not finish", dialer.name, listener.name);
    (a.report().clone(), b.report().clone())
}

/// A request and its answer.
pub type Passed = (Endpoint, Vec<u8>, Vec<u8>);

/// A real relay without HTTP around it.
pub struct Hub {
    /// The relay; replaced by [`Hub::restart`].
    pub relay: Relay,
    /// Its clock.
    pub clock: Arc<SetClock>,
    /// Its folder.
    pub dir: PathBuf,
    /// Every request and answer that passed, in order: what a thief at the relay holds.
    pub traffic: Mutex<Vec<Passed>>,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hub")
    }
}

fn relay_in(dir: &Path, clock: &Arc<SetClock>) -> Relay {
    let storage = Arc::new(SqliteStorage::open(dir, RelayRole::Server).expect("relay storage"));
    let clock = clock.clone();
    // the clock of a test stands still, so nothing would ever flow back into the bucket
    let config = Config { burst_count: 1_000_000, ..Config::default() };
    Relay::new(storage, config, Arc::new(move || clock.now()), Arc::new(|_| {})).expect("relay")
}

impl Hub {
    /// A relay with one mailbox, and its address with the claim secret.
    pub fn new(folder: &Path, start: u64) -> (Self, RelayAddress) {
        use satchel_relay::storage::Storage;
        let dir = folder.join("relay");
        let (mailbox, secret) = (MailboxId::from_bytes([0x42; 16]), [0x17; 16]);
        let storage = SqliteStorage::open(&dir, RelayRole::Command).expect("relay storage");
        storage.create_mailbox(&mailbox, 1 << 31, blake3::hash(&secret).as_bytes()).expect("a mailbox");
        drop(storage);
        let clock = SetClock::at(start);
        let relay = relay_in(&dir, &clock);
        let address = RelayAddress { url: "http://127.0.0.1:1".into(), mailbox, claim: Some(secret), pin: None };
        (Self { relay, clock, dir, traffic: Mutex::default() }, address)
    }

    /// A relay on a folder that has a mailbox already.
    pub fn open(dir: &Path, clock: &Arc<SetClock>) -> Self {
        Self { relay: relay_in(dir, clock), clock: clock.clone(), dir: dir.to_owned(), traffic: Mutex::default() }
    }

    /// Stops and starts it: what was in memory only is gone.
    pub fn restart(self) -> Self {
        let Self { relay, clock, dir, traffic } = self;
        drop(relay);
        let relay = relay_in(&dir, &clock);
        Self { relay, clock, dir, traffic }
    }

    /// One whole exchange of a phone with this relay.
    pub fn exchange(&self, phone: &Phone) -> Result<RelayReport, RelayError> {
        let mut link = phone.unlocked.relay_exchange()?;
        while let Some((endpoint, request)) = link.next_request()? {
            let answer = match self.relay.answer(endpoint, &request) {
                Ok(body) => {
                    self.traffic.lock().unwrap_or_else(PoisonError::into_inner).push((endpoint, request, body.clone()));
                    RelayAnswer::Ok(body)
                }
                Err(problem) => RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
            };
            link.receive(&answer)?;
        }
        Ok(link.report().clone())
    }
}

/// Everything that a user sees, as text: two phones that agree have equal views.
pub fn view(phone: &Phone) -> String {
    use std::fmt::Write;
    let unlocked = &phone.unlocked;
    let mut out = String::new();
    for line in unlocked.participants().expect("participants") {
        let file = unlocked.participant(line.id).expect("a file");
        let text = |text: &Option<ShortText>| text.as_ref().map(|text| text.as_str().to_owned());
        let goals: Vec<&str> = file.goals.iter().map(ShortText::as_str).collect();
        let conflicts: Vec<(&str, Vec<&str>)> =
            file.conflicts.iter().map(|conflict| (conflict.field, conflict.others.iter().map(ShortText::as_str).collect())).collect();
        let alias = file.alias.as_ref().map(|alias| alias.as_str());
        let _ = writeln!(
            out,
            "file {} {} {alias:?} {:?} {:?} {:?} {goals:?} {} {conflicts:?}",
            line.id,
            line.last_day,
            text(&file.pronouns),
            text(&file.language),
            text(&file.contact),
            file.closed
        );
    }
    for line in unlocked.encounters(None).expect("encounters") {
        let shown = unlocked.encounter(line.id).expect("an encounter");
        let note = shown.value.note().map(|note| note.as_str().to_owned());
        let _ = writeln!(out, "encounter {line:?} {:?} {note:?} others {}", shown.value.offers, shown.others.len());
    }
    for line in unlocked.follow_ups().expect("follow-ups") {
        let what = line.what.as_ref().map(|what| what.as_str().to_owned());
        let _ = writeln!(out, "follow-up {} {what:?} {:?} {} {}", line.id, line.state, line.from, line.until);
    }
    for line in unlocked.self_referrals().expect("self-referrals") {
        let _ = writeln!(out, "referral {line:?}");
    }
    for line in unlocked.zones().expect("zones") {
        let _ = writeln!(out, "zone {} {:?}", line.id, line.name.as_ref().map(|name| name.as_str().to_owned()));
    }
    let mut tallies = unlocked.tallies().expect("tallies");
    tallies.sort_by(|a, b| (a.0, format!("{:?}", a.1)).cmp(&(b.0, format!("{:?}", b.1))));
    let _ = writeln!(out, "tallies {tallies:?}");
    out
}
