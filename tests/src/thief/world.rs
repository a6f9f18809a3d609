//! Phones, a relay and a day: the world of one history.

use super::shelf::Shelf;
use super::thief::{Loot, Thief};
use super::traffic::Traffic;
use crate::harness::dice::Dice;
use satchel_core::crypto::{self, LaneKey};
use satchel_core::env::Env;
use satchel_core::rules::Rule;
use satchel_core::team::keyring::Usable;
use satchel_core::team::operation::Action;
use satchel_core::team::{Keyring, Tombstone, TurnError};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{DeviceId, MemberId, OperationId, RecordId, TeamId, TurnId};
use std::collections::{BTreeMap, BTreeSet};

/// The charter's absence limit in these histories (days).
pub const ABSENCE_DAYS: u16 = 6;

/// One phone.
#[derive(Debug)]
pub struct Phone {
    /// Its number.
    pub number: usize,
    /// Clock and randomness.
    pub env: Env,
    /// The engine.
    pub keyring: Keyring,
    /// Whose it is.
    pub member: MemberId,
    /// The phone that let it in.
    pub host: usize,
    /// Its records.
    pub shelf: Shelf,
    /// Tombstones with effect that were applied.
    pub tombstones: BTreeMap<OperationId, Tombstone>,
    /// Somebody lost it: it does nothing any more, but a thief may find it.
    pub is_lost: bool,
    /// The day on which somebody last could hear of it.
    pub last_day: u16,
    /// It does nothing before this day.
    pub away_until: u16,
    /// Relay entries that were delivered.
    pub seen: BTreeSet<usize>,
    /// Announcements of turns on top of something unknown.
    pub closed: Vec<usize>,
    /// Announcements that wait for the relay.
    pub outbox: Vec<(TurnId, Vec<u8>)>,
    /// Operations that the relay is thought to have.
    pub pushed_operations: BTreeSet<OperationId>,
    /// The day of its last asks.
    pub asked_on: Option<u16>,
    /// The frontier that was last pushed.
    pub pushed_frontier: Vec<u8>,
    /// A key page is due.
    pub owes_page: bool,
    /// An erasure was applied: the next root comes under a new store key.
    pub owes_new_store_key: bool,
    /// The secrets in the root that was last written.
    pub stored: Loot,
    /// What its flash holds under the present store key.
    pub flash: Loot,
    /// Everything that it ever held: what a member who keeps a copy has.
    pub ever: Loot,
    /// Settled erasures as it sees them, with the devices that it names as "may still hold".
    pub claims: BTreeMap<OperationId, super::checks::Claim>,
    /// State at the last judgement.
    pub judged: (usize, u64, u64),
}

/// The world.
#[derive(Debug)]
pub struct World {
    /// All chance.
    pub dice: Dice,
    /// Phones by number.
    pub phones: Vec<Phone>,
    /// Everything that was ever sent.
    pub traffic: Traffic,
    /// The relay: numbers in the traffic.
    pub relay: Vec<usize>,
    /// What the relay lost.
    pub lost: BTreeSet<usize>,
    /// Packs: rows, the turn that covers them, who made it.
    pub packs: Vec<(Vec<usize>, TurnId)>,
    /// The thief.
    pub thief: Thief,
    /// Today.
    pub day: u16,
    /// See [`super::Setup::is_calm`].
    pub is_calm: bool,
    /// The last days: nobody begins anything any more.
    pub is_ending: bool,
    /// Participants.
    pub subjects: Vec<RecordId>,
    /// What each tombstone erases, as the world knows it.
    pub erased: BTreeMap<OperationId, super::checks::Erased>,
    /// Devices that nobody had heard of for longer than the absence limit when a turn was begun.
    pub silent_at: BTreeMap<TurnId, BTreeSet<DeviceId>>,
    /// Reinstatements that were seen to take effect.
    pub reinstated: BTreeSet<OperationId>,
    /// The paper reseat key.
    pub reseat: crypto::SigningKey,
    /// What happened, when somebody wants to read it.
    pub trace: Option<Vec<String>>,
    /// The counts.
    pub outcome: super::Outcome,
}

impl Phone {
    /// The device.
    pub const fn device(&self) -> DeviceId {
        self.keyring.device()
    }

    /// Takes what the log says of erasures. Returns whether something new was applied.
    pub fn apply_log(&mut self) -> bool {
        let state = self.keyring.log().state().clone();
        let mut is_new = false;
        for ban in &state.bans {
            if !self.tombstones.contains_key(ban)
                && let Some(tombstone) = self.keyring.log().operation(ban).and_then(|operation| Tombstone::of(operation.action()))
            {
                self.tombstones.insert(*ban, tombstone);
                is_new = true;
            }
        }
        if is_new {
            self.shelf.erase(&self.env, &self.tombstones);
            self.owes_new_store_key = true;
        }
        is_new
    }

    /// The secrets that are in its root now.
    pub fn loot(&self, thief: &mut Thief) -> Loot {
        let mut loot = thief.take(self.keyring.team(), &self.keyring.secrets());
        for (record, item) in &self.shelf.items {
            loot.keys.extend(item.keys.iter().map(|key| (*record, key.id)));
        }
        loot.keys.extend(self.shelf.held_bodies.values().map(|body| (body.binding.record, body.binding.key_id)));
        loot
    }

    /// The records lane key of a held turn.
    pub fn lane(&self, turn: &TurnId) -> Option<LaneKey> {
        self.keyring.book().held().find(|held| held.turn.id() == *turn).and_then(|held| held.secret.records_lane_key())
    }
}

impl World {
    /// Today as phones see it.
    pub fn today(&self) -> ShiftDay {
        ShiftDay::from_days(20_000 + self.day)
    }

    /// The team.
    pub fn team(&self) -> TeamId {
        self.phones[0].keyring.team()
    }

    /// Writes a line of the trace.
    pub fn note(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.trace.is_some() {
            let line = format!("day {:>3} {}", self.day, line(self));
            self.trace.iter_mut().for_each(|trace| trace.push(line.clone()));
        }
    }

    /// What changed on a phone is on its flash now. Where a turn or a receiving key was destroyed, or an erasure was
    /// applied, store key, keystore secret and root are replaced, and what the flash held before opens no more.
    pub fn refresh(&mut self, number: usize) {
        let phone = &mut self.phones[number];
        let now = phone.loot(&mut self.thief);
        phone.ever.absorb(&now);
        let is_destroyed = !phone.stored.seeds.is_subset(&now.seeds) || !phone.stored.turns.is_subset(&now.turns);
        let is_due = std::mem::take(&mut phone.owes_new_store_key) || is_destroyed;
        if is_due && phone.env.holds(Rule::ReplaceStoreKey) {
            phone.flash = now.clone();
        } else {
            phone.flash.absorb(&now);
        }
        phone.stored = now;
    }

    /// The log of a phone may have grown: erasures are applied, and the store key is replaced.
    pub fn apply(&mut self, number: usize) {
        if self.phones[number].apply_log() {
            self.refresh(number);
        }
    }

    /// The turn to seal under; one that had to be started waits for the relay.
    pub fn usable(&mut self, number: usize) -> Option<TurnId> {
        let today = self.today();
        let usable = self.phones[number].keyring.usable_turn(today);
        self.started(number, usable)
    }

    /// Starts a turn on a phone.
    pub fn start(&mut self, number: usize) -> Option<TurnId> {
        let today = self.today();
        let usable = self.phones[number].keyring.start_turn(today);
        self.started(number, usable)
    }

    fn started(&mut self, number: usize, usable: Result<Usable, TurnError>) -> Option<TurnId> {
        let Usable { turn, announcement } = usable.ok()?;
        if let Some(announcement) = announcement {
            self.outcome.turns += 1;
            self.note(|world| format!("{number} starts {turn} {}", world.describe_turn(number, &turn)));
            self.phones[number].outbox.push((turn, announcement));
            self.phones[number].owes_page = true;
            self.note_silent(turn);
            self.refresh(number);
        }
        Some(turn)
    }

    /// Who could not be heard of for too long by now, as nobody in the world but the dice knows.
    pub fn silent(&self) -> BTreeSet<DeviceId> {
        self.phones.iter().filter(|phone| phone.last_day + ABSENCE_DAYS < self.day).map(Phone::device).collect()
    }

    fn note_silent(&mut self, turn: TurnId) {
        let silent = self.silent();
        self.silent_at.insert(turn, silent);
    }

    /// A turn in words.
    pub fn describe_turn(&self, number: usize, turn: &TurnId) -> String {
        let keyring = &self.phones[number].keyring;
        let Some(known) = keyring.book().known().find(|known| known.id() == *turn) else { return "unknown".into() };
        let names = |device: DeviceId| self.phones.iter().position(|phone| phone.device() == device).map_or("?".into(), |n| n.to_string());
        let recipients: Vec<String> = known.recipients().iter().map(|recipient| names(recipient.device)).collect();
        let bans = keyring.log().state().bans.iter().filter(|ban| keyring.log().names(known.log_heads(), ban)).count();
        format!("for [{}], names {bans} bans, parents {:?}", recipients.join(" "), known.parents())
    }

    /// Ends a pull or a session: T2, T3, T4, and the store key where an erasure asks for it.
    pub fn end(&mut self, number: usize) {
        let today = self.today();
        self.retry(number);
        let ended = self.phones[number].keyring.end_pull(today);
        if let Ok(Some(announcement)) = ended {
            self.outcome.turns += 1;
            self.note(|_| format!("{number} starts a turn at the end"));
            let phone = &mut self.phones[number];
            phone.owes_page = true;
            if let Ok(Usable { turn, .. }) = phone.keyring.usable_turn(today) {
                phone.outbox.push((turn, announcement));
                self.note_silent(turn);
            }
        }
        self.refresh(number);
    }

    /// Writes an operation of a phone.
    pub fn operate(&mut self, number: usize, action: Action) -> Option<OperationId> {
        let today = self.today();
        let operation = self.phones[number].keyring.write_operation(action, today).ok()?;
        self.apply(number);
        Some(operation.id())
    }
}
