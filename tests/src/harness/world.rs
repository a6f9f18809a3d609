//! The world of one run: phones, a relay, who can reach whom, and the time.

use super::exchange::{Network, exchange_over};
use super::link::{Fault, meet_over};
use super::work::Worker;
use super::{Dice, Model};
use crate::team::{Hub, Phone, found_without, join_without, view};
use satchel_core::consent::GrantError;
use satchel_core::envelope::body_of;
use satchel_core::error::Error;
use satchel_core::rules::Rule;
use satchel_core::screen::DangerousVersion;
use satchel_core::store::{RelayAddress, RelayError};
use satchel_core::team::Role;
use satchel_wire::ids::ResourceId;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use tempfile::TempDir;

/// When every run begins (Unix seconds).
pub const START: u64 = 1_795_370_000;
const HOUR: i64 = 3_600;
/// The guards of the phones of a run with different ones: the program's own, the first one, and a later one.
pub const GUARDS: [u32; 3] = [DangerousVersion::OWN, DangerousVersion::FIGURES, DangerousVersion::LATER];
/// Most rounds in which everybody meets everybody before a run must have settled (count).
const HEALING_ROUNDS_COUNT: usize = 6;

/// How a run goes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plan {
    /// Events after the founding.
    pub events: usize,
    /// Phones at the beginning, and one more that joins on the way.
    pub phones: usize,
    /// Turns that phones may begin, all together; withdrawals begin their own.
    pub turns: usize,
    /// Of 100 pieces of work, how many are with grants, vaults and withdrawals.
    pub consents: usize,
    /// Phones have the guards of different versions, write what others' guards would not let pass, and clocks that are up to two
    /// days apart.
    pub versions: bool,
    /// A rule that no phone keeps, to show that the checks see what it is for.
    pub without: Option<Rule>,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What every phone shows at the end.
    pub view: String,
    /// Events by kind.
    pub counts: BTreeMap<String, usize>,
    /// What happened: kinds and ids only.
    pub trace: Vec<String>,
}

/// One run.
#[derive(Debug)]
pub struct World {
    /// The phones, in the order in which they joined.
    pub phones: Vec<Phone>,
    /// What was promised.
    pub model: Model,
    /// What happened.
    pub trace: Vec<String>,
    counts: BTreeMap<String, usize>,
    seed: u64,
    plan: Plan,
    dice: Dice,
    words: usize,
    folder: TempDir,
    hub: Option<Hub>,
    hub_is_up: bool,
    now: u64,
    skews: Vec<i64>,
    sides: Vec<usize>,
    turns: usize,
}

fn code(error: Error) -> String {
    format!("the store failed: {}", error.code())
}

impl World {
    /// Founds a team and lets the first phones join.
    pub fn new(seed: u64, plan: Plan) -> Self {
        let folder = super::folder();
        let mut dice = Dice::new(seed);
        let (hub, address) = Hub::new(folder.path(), START);
        let mut world = Self {
            phones: vec![found_without(folder.path(), seed, "phone0", START, plan.without)],
            model: Model::default(),
            trace: Vec::new(),
            counts: BTreeMap::new(),
            seed,
            plan,
            words: dice.below(1000),
            dice,
            folder,
            hub: Some(hub),
            hub_is_up: true,
            now: START,
            skews: vec![0],
            sides: vec![0],
            turns: 0,
        };
        world.begin(&address);
        world
    }

    fn begin(&mut self, address: &RelayAddress) {
        self.give_guard(0);
        self.phones[0].unlocked.set_relay(address).expect("a relay");
        if let Some(hub) = &self.hub {
            hub.exchange(&self.phones[0]).expect("the first exchange");
        }
        for _ in 1..self.plan.phones {
            self.join();
        }
    }

    fn note(&mut self, kind: &str, what: impl std::fmt::Display) {
        *self.counts.entry(kind.to_owned()).or_default() += 1;
        self.trace.push(format!("{kind} {what}"));
    }

    /// One more phone joins, at a random steward's side.
    pub fn join(&mut self) {
        let number = self.phones.len();
        let stewards: Vec<usize> = (0..number).filter(|at| self.is_steward(*at)).collect();
        let host = self.dice.pick(&stewards).unwrap_or(0);
        let role = if self.dice.chance(40) { Role::Steward } else { Role::Worker };
        let name = format!("phone{number}");
        let now = self.phones[host].clock.now();
        let phone = join_without(self.folder.path(), self.seed, &name, now, &self.phones[host], role, self.plan.without);
        self.phones.push(phone);
        self.give_guard(number);
        self.skews.push(self.skews[host]);
        self.sides.push(self.sides[host]);
        self.note("join", format_args!("phone{number} at phone{host}"));
    }

    fn give_guard(&self, at: usize) {
        let version = if self.plan.versions { GUARDS[at % GUARDS.len()] } else { DangerousVersion::OWN };
        self.phones[at].env.dangerous_set_guard(version);
    }

    /// What each phone shows with its own guard: lines that not all of them show (count).
    fn differently_shown(&self) -> usize {
        let views: Vec<String> = (0..self.phones.len()).map(|at| self.view(at)).collect();
        let first: Vec<&str> = views.first().map_or("", |view| view).lines().collect();
        first.iter().enumerate().filter(|(at, line)| views.iter().any(|view| view.lines().nth(*at) != Some(line))).count()
    }

    fn is_steward(&self, at: usize) -> bool {
        let team = self.phones[at].unlocked.team().expect("a team");
        team.devices.iter().any(|device| device.is_self && device.role == Role::Steward)
    }

    fn set_clocks(&self) {
        for (phone, skew) in self.phones.iter().zip(&self.skews) {
            phone.clock.set(self.now.saturating_add_signed(*skew));
        }
        if let Some(hub) = &self.hub {
            hub.clock.set(self.now);
        }
    }

    /// One piece of work on one phone.
    pub fn work(&mut self, at: usize) -> Result<(), String> {
        let is_consent = self.plan.consents > 0 && self.dice.chance(self.plan.consents);
        let mut worker = Worker {
            phone: &self.phones[at],
            number: at,
            dice: &mut self.dice,
            words: &mut self.words,
            model: &mut self.model,
            versions: self.plan.versions,
        };
        let done = match if is_consent { worker.consent() } else { worker.work() } {
            // where a clock is behind, a grant that was given by another clock has not begun; nothing was acknowledged
            Err(Error::NoGrant | Error::Grant(GrantError::NoFile)) if self.skews.iter().any(|skew| *skew != self.skews[at]) => {
                self.note("refused no_grant", format_args!("phone{at}"));
                return Ok(());
            }
            done => done.map_err(|error| format!("phone{at}: {}", code(error)))?,
        };
        if let Some((kind, id)) = done {
            let id = id.map(|id| id.to_string()).unwrap_or_default();
            self.note(kind, format_args!("phone{at} {id}"));
        }
        Ok(())
    }

    fn two(&mut self) -> Option<(usize, usize)> {
        let a = self.dice.below(self.phones.len());
        let near: Vec<usize> = (0..self.phones.len()).filter(|b| *b != a && self.sides[*b] == self.sides[a]).collect();
        Some((a, self.dice.pick(&near)?))
    }

    fn meeting(&mut self) -> Result<(), String> {
        let Some((a, b)) = self.two() else { return Ok(()) };
        let point = self.dice.size(17) as u64;
        let fault = match self.dice.below(10) {
            0..4 => Fault::None,
            4..7 => Fault::Cut(point),
            7 => Fault::Alter(point),
            8 => Fault::Reorder(point),
            _ => Fault::Repeat(point),
        };
        let chunk = self.dice.size(14).max(16);
        let met = meet_over(&self.phones[a], &self.phones[b], &mut self.dice, fault, chunk)
            .map_err(|error| format!("phone{a} and phone{b}: {error}"))?;
        let kind = match fault {
            Fault::None => "meeting",
            _ if !met.struck => "meeting",
            Fault::Cut(_) => "meeting cut",
            Fault::Alter(_) => "meeting altered",
            Fault::Reorder(_) => "meeting reordered",
            Fault::Repeat(_) => "meeting repeated",
        };
        self.note(kind, format_args!("phone{a} phone{b} {fault:?} {} bytes {:?}", met.bytes, met.faults));
        if !met.struck && !met.finished && met.faults != [None, None] {
            // with nothing in the way, only phones that share no turn may part like strangers
            self.note("strangers", format_args!("phone{a} phone{b}"));
        }
        self.watch(&[a, b])
    }

    fn watch(&mut self, seers: &[usize]) -> Result<(), String> {
        let phones: Vec<&Phone> = self.phones.iter().collect();
        for at in seers {
            self.model.watch_sums(&self.phones[*at], &phones)?;
        }
        Ok(())
    }

    fn exchange(&mut self, at: usize, network: Network) -> Result<(), String> {
        let Some(hub) = self.hub.as_ref().filter(|_| self.hub_is_up) else { return Ok(()) };
        let what = match exchange_over(hub, &self.phones[at], &mut self.dice, network) {
            Ok(Some(report)) => format!("phone{at} pulled {} pushed {} turns {}", report.pulled, report.pushed, report.turns),
            Ok(None) => format!("phone{at} broken off"),
            Err(RelayError::Store(error)) => return Err(format!("phone{at} at the relay: {}", code(error))),
            Err(error) => format!("phone{at} {}", error.code()),
        };
        self.note("exchange", what);
        self.watch(&[at])
    }

    /// One random event.
    pub fn step(&mut self) -> Result<(), String> {
        match self.dice.below(100) {
            0..56 => {
                let at = self.dice.below(self.phones.len());
                self.work(at)?;
            }
            56..70 => self.meeting()?,
            70..82 => {
                let at = self.dice.below(self.phones.len());
                let network = match self.dice.below(3) {
                    0 => Network::default(),
                    1 => Network { lost_requests: 10, lost_answers: 20, ..Network::default() },
                    _ => Network { doubled: 40, replayed: 40, lost_answers: 5, ..Network::default() },
                };
                self.exchange(at, network)?;
            }
            82..86 => {
                let at = self.dice.below(self.phones.len());
                self.phones[at].restart();
                self.note("phone restart", format_args!("phone{at}"));
            }
            86 => {
                self.hub = self.hub.take().map(Hub::restart);
                self.note("relay restart", "");
            }
            87 => {
                self.hub_is_up = !self.hub_is_up;
                self.note("relay up", self.hub_is_up);
            }
            88..90 => {
                let whole = self.dice.chance(40);
                for side in &mut self.sides {
                    *side = if whole { 0 } else { self.dice.below(2) };
                }
                let sides = format!("{:?}", self.sides);
                self.note("partition", sides);
            }
            90..93 => {
                let at = self.dice.below(self.phones.len());
                if self.turns < self.plan.turns {
                    self.turns += 1;
                    self.phones[at].unlocked.begin_turn().map_err(code)?;
                    self.note("turn", format_args!("phone{at}"));
                }
            }
            93..95 => {
                let at = self.dice.below(self.phones.len());
                let (range, most) = if self.plan.versions { (49, 24) } else { (13, 6) };
                self.skews[at] = HOUR * (self.dice.below(range) as i64 - most);
                self.note("clock skewed", format_args!("phone{at}"));
            }
            95..98 => {
                self.now += (self.dice.between(1, 30) as u64) * HOUR as u64;
                self.note("time passes", self.now);
            }
            _ => self.now += 60,
        }
        self.set_clocks();
        Ok(())
    }

    /// Runs all events. Errors: the first check that failed.
    pub fn live(&mut self) -> Result<(), String> {
        let joins_at = self.plan.events / 2;
        for event in 0..self.plan.events {
            if event == joins_at {
                self.join();
            }
            self.step()?;
        }
        Ok(())
    }

    /// Everybody meets everybody, and the relay, until nothing moves; and once more after the longest absence, when
    /// what waited for a turn that is gone is given up. `absent` phones stay away.
    ///
    /// Errors: faults between phones that share everything, and a team that never settles.
    pub fn heal(&mut self, absent: &[usize]) -> Result<(), String> {
        self.settle(absent, 7)?;
        // rows that a relay hands out only now wait as long again
        self.settle(absent, 23 * 24)?;
        self.settle(absent, 23 * 24)
    }

    fn settle(&mut self, absent: &[usize], after_hours: u64) -> Result<(), String> {
        self.now += after_hours * HOUR as u64;
        self.skews.iter_mut().for_each(|skew| *skew = 0);
        self.sides.iter_mut().for_each(|side| *side = 0);
        self.hub_is_up = true;
        self.set_clocks();
        let here: Vec<usize> = (0..self.phones.len()).filter(|at| !absent.contains(at)).collect();
        for round in 0..HEALING_ROUNDS_COUNT {
            let mut moved = Vec::new();
            for at in &here {
                self.exchange(*at, Network::default())?;
            }
            for a in &here {
                for b in here.iter().filter(|b| *b > a) {
                    let met = meet_over(&self.phones[*a], &self.phones[*b], &mut self.dice, Fault::None, 16 * 1024)?;
                    let applied: usize = met.reports.iter().map(|report| report.rows.applied).sum();
                    let warned = met.reports.iter().any(|report| !report.warnings.is_empty());
                    if !met.finished || applied > 0 || warned {
                        let warnings: Vec<_> = met.reports.iter().flat_map(|report| report.warnings.iter().copied()).collect();
                        moved.push(format!("phone{a} and phone{b}: {applied} applied, {warnings:?}, {:?}", met.faults));
                    }
                    self.watch(&[*a, *b])?;
                }
            }
            if moved.is_empty() && round > 0 {
                self.note("healed", format_args!("in {round} rounds"));
                return Ok(());
            }
            if round + 1 == HEALING_ROUNDS_COUNT {
                return Err(format!("never settles: {moved:?}"));
            }
        }
        Ok(())
    }

    /// Everything that a phone shows and that all should agree on.
    pub fn view(&self, at: usize) -> String {
        let phone = &self.phones[at];
        let mut out = view(phone);
        for number in 0..3u8 {
            let note = phone.unlocked.resource_note(ResourceId::from_bytes([number + 1; 16])).expect("a note");
            out.push_str(&format!("note {:?}\n", note.as_ref().map(|note| note.as_str().to_owned())));
        }
        let team = phone.unlocked.team().expect("a team");
        for device in &team.devices {
            let name = device.name.as_ref().map(|name| name.as_str().to_owned());
            out.push_str(&format!("device {} {:?} {:?} {name:?} {}\n", device.id, device.role, device.standing, device.is_forked));
        }
        out.push_str(&format!("turn {} copied {}\n", team.turn, team.is_copied));
        out.push_str(&super::consent::view(phone).expect("grants and vaults"));
        out
    }

    /// What a phone still holds back tells it nothing that others know.
    ///
    /// What was sealed under a turn that this phone never got stays sealed until it is old. A page or root looks like any row,
    /// and nobody knows a body by what it would be the hash of. A notice may say what this phone has heard otherwise: where
    /// everybody was away for longer than the absence limit, turns that are due begin side by side, and the phones that
    /// their makers had not heard of get no box of them. Everything else that is held is stuck.
    ///
    /// Errors: what this phone lacks.
    pub fn check_held(&self, at: usize) -> Result<(), String> {
        let phone = &self.phones[at];
        for held in phone.unlocked.dangerous_held().map_err(code)? {
            let is_stuck = match &held {
                None => true,
                Some(row) => match body_of(row) {
                    Some((body, _)) => self.phones.iter().any(|other| other.unlocked.dangerous_knows(&body).unwrap_or(true)),
                    None => {
                        let told = self.phones.iter().find_map(|other| other.unlocked.dangerous_notice(row).ok().flatten());
                        !told.is_some_and(|notice| phone.unlocked.dangerous_knows_notice(&notice).unwrap_or(false))
                    }
                },
            };
            if is_stuck {
                return Err(format!("{} still holds back what others have", phone.name));
            }
        }
        Ok(())
    }

    /// Every erasure that was begun is settled, or waits for a second signature. Errors: one that is not.
    fn check_settled(&self, phone: &Phone) -> Result<(), String> {
        let receipts = phone.unlocked.erasures().map_err(code)?;
        match receipts.iter().find(|receipt| !receipt.is_settled && !receipt.waits_for_countersignature) {
            Some(receipt) => Err(format!("{}: erasure {} waits for {:?}", phone.name, receipt.operation, receipt.awaited)),
            None => Ok(()),
        }
    }

    /// All checks on a healed team. Errors: the first that failed.
    ///
    /// Whatever the phones' guards are, what is compared is what is stored.
    pub fn check(&self) -> Result<(), String> {
        for phone in &self.phones {
            phone.env.dangerous_set_guard(DangerousVersion::NONE);
        }
        let first = self.view(0);
        let stands = self.phones[0].unlocked.dangerous_fold().map_err(code)?;
        for (at, phone) in self.phones.iter().enumerate() {
            let here = self.view(at);
            if here != first {
                let differs = first.lines().zip(here.lines()).find(|(a, b)| a != b);
                return Err(format!("{} diverges from phone0: {differs:?}", phone.name));
            }
            let stands_here = phone.unlocked.dangerous_fold().map_err(code)?;
            if let Some(line) = stands.iter().zip(&stands_here).find(|(a, b)| a != b) {
                return Err(format!("{}: what stands diverges from phone0: {line:?}", phone.name));
            }
            if stands.len() != stands_here.len() {
                return Err(format!("{}: {} records stand, on phone0 {}", phone.name, stands_here.len(), stands.len()));
            }
            self.check_held(at)?;
            let team = phone.unlocked.team().map_err(code)?;
            if team.is_copied || team.devices.iter().any(|device| device.is_forked) {
                return Err(format!("{}: a phone counts as copied that never was", phone.name));
            }
            self.model.check(phone)?;
            if self.plan.consents > 0 {
                self.model.consents.check(phone)?;
                self.check_settled(phone)?;
            }
        }
        let phones: Vec<&Phone> = self.phones.iter().collect();
        let first = satchel_wire::UtcDay::of_unix_seconds(START).days() - 2;
        let last = satchel_wire::UtcDay::of_unix_seconds(self.now).days() + 2;
        self.model.check_counts(&phones, first..=last)
    }

    /// A whole run. Errors: what failed, with the seed and the trace.
    pub fn run(seed: u64, plan: Plan) -> Result<Outcome, String> {
        let mut world = Self::new(seed, plan);
        let done = std::panic::catch_unwind(AssertUnwindSafe(|| {
            world.live()?;
            world.heal(&[])?;
            let differs = world.differently_shown();
            if differs > 0 {
                world.counts.insert("covered here and not there".to_owned(), differs);
            }
            world.check()
        }));
        let failed = match done {
            Ok(Ok(())) => {
                if plan.consents > 0 {
                    let day = world.phones[0].unlocked.today().expect("a day");
                    let (gone, here) = world.model.consents.weight(day);
                    let counted = [("withdrawal unseen", world.model.consents.unseen), ("fact gone", gone), ("fact here", here)];
                    world.counts.extend(counted.map(|(kind, count)| (kind.to_owned(), count)));
                }
                let view = world.view(0);
                return Ok(Outcome { view, counts: world.counts, trace: world.trace });
            }
            Ok(Err(failed)) => failed,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                format!("panicked: {}", text.unwrap_or_default())
            }
        };
        Err(format!("SATCHEL_SEED={seed}: {failed}\n{}", world.trace.join("\n")))
    }
}
