//! Phones, a relay and a day: the world of one history.

use super::engine;
use super::shelf::{Shelf, Verdict};
use super::thief::{Loot, Thief, page_aad, short};
use super::traffic::{PageLine, Parcel, Sent, Traffic};
use crate::harness::dice::Dice;
use satchel_core::crypto::{self, LaneKey, Nonce};
use satchel_core::env::Env;
use satchel_core::envelope::{self, Covered};
use satchel_core::rules::Rule;
use satchel_core::team::keyring::Usable;
use satchel_core::team::notice::{Asks, ChainAsk, Notice};
use satchel_core::team::operation::{Action, Operation};
use satchel_core::team::{Keyring, Tombstone, TurnError};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{BodyId, DeviceId, MemberId, OperationId, RecordId, TeamId, TurnId};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

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
    pub claims: BTreeMap<OperationId, BTreeSet<DeviceId>>,
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
    /// Participants.
    pub subjects: Vec<RecordId>,
    /// What each tombstone erases, as the world knows it.
    pub erased: BTreeMap<OperationId, super::checks::Erased>,
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
        let mut loot = thief.take(&self.keyring.secrets());
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
            self.refresh(number);
        }
        Some(turn)
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

    fn sent(&mut self, number: usize, parcel: Parcel, under: Option<TurnId>, keys: Vec<[u8; 8]>) -> usize {
        let banned = Rc::new(engine::banned(&self.phones[number].keyring));
        self.traffic.send(Sent { parcel, by: number, under, keys, banned })
    }

    /// An announcement leaves: whose keys are named is read from the signed turn.
    pub fn send_announcement(&mut self, number: usize, bytes: Vec<u8>, turn: TurnId, only: Option<[u8; 8]>) -> usize {
        let book = self.phones[number].keyring.book();
        let me = self.phones[number].device();
        let named = book.known().find(|known| known.id() == turn).map(|turn| turn.recipients().to_vec()).unwrap_or_default();
        let maker = book.known().find(|known| known.id() == turn).map_or(me, satchel_core::team::Turn::maker);
        let keys = match only {
            Some(key) => vec![key],
            None => named.iter().filter(|recipient| recipient.device != maker).map(|recipient| recipient.key).collect(),
        };
        self.sent(number, Parcel::Announcement(Rc::new(bytes)), Some(turn), keys)
    }

    /// A turn in boxes, sealed to some keys.
    pub fn send_boxes(&mut self, number: usize, bytes: Vec<u8>, turn: TurnId, keys: Vec<[u8; 8]>) -> usize {
        self.sent(number, Parcel::Announcement(Rc::new(bytes)), Some(turn), keys)
    }

    /// A box with the usable turn for one device.
    pub fn send_box(&mut self, number: usize, device: &DeviceId) -> Option<usize> {
        let today = self.today();
        let turn = self.usable(number)?;
        let keyring = &self.phones[number].keyring;
        let bytes = keyring.box_for(device, today).ok()??;
        let key = short(&satchel_core::team::frontier::receiving_hash(keyring.receiving_key_of(device)?.as_bytes()));
        self.outcome.boxes += 1;
        Some(self.send_announcement(number, bytes, turn, Some(key)))
    }

    /// Covers a body under the usable turn.
    pub fn send_body(&mut self, number: usize, body: &BodyId, turn: TurnId) -> Option<usize> {
        let team = self.team();
        let phone = &self.phones[number];
        let known = phone.shelf.bodies.get(body)?;
        let row = envelope::cover_row(&phone.env, team, &phone.lane(&turn)?, &known.binding, &known.key, &known.bytes).ok()?;
        self.traffic.left.insert(*body);
        Some(self.sent(number, Parcel::Record(Rc::new(row)), Some(turn), Vec::new()))
    }

    /// A notice under the usable turn's commons.
    pub fn send_notice(&mut self, number: usize, notice: &Notice, turn: TurnId) -> Option<usize> {
        let team = self.team();
        let phone = &self.phones[number];
        let commons = phone.keyring.book().held().find(|held| held.turn.id() == turn)?.secret.commons();
        let row = notice.seal(&phone.env, team, &commons).ok()?;
        Some(self.sent(number, Parcel::Notice(Rc::new(row)), Some(turn), Vec::new()))
    }

    /// A key page with everything that the phone can read.
    pub fn send_page(&mut self, number: usize, turn: TurnId) -> Option<usize> {
        let team = self.team();
        let phone = &mut self.phones[number];
        phone.owes_page = false;
        let lane = phone.lane(&turn)?;
        let mut lines: Vec<PageLine> = Vec::new();
        for (record, item) in &phone.shelf.items {
            for key in &item.keys {
                let of_key = item.bodies.iter().filter_map(|body| phone.shelf.bodies.get(body).map(|known| (*body, known)));
                let of_key: Vec<_> = of_key.filter(|(_, known)| known.binding.key_id == key.id).collect();
                let Some((_, known)) = of_key.first() else { continue };
                let wrapped = crypto::wrap(&lane, Nonce::make(&phone.env), &page_aad(team, record), &*key.key).ok()?;
                lines.push(PageLine { binding: known.binding, wrapped, bodies: of_key.iter().map(|(body, _)| *body).collect() });
            }
        }
        if lines.is_empty() {
            return None;
        }
        Some(self.sent(number, Parcel::Page(Rc::new(lines)), Some(turn), Vec::new()))
    }

    /// What a phone misses, asked for once a day: the first gap in each chain, and operations that others rest on.
    pub fn asks_of(&mut self, number: usize) -> Option<Asks> {
        let day = self.day;
        let phone = &mut self.phones[number];
        if !phone.env.holds(Rule::AskForGaps) || phone.asked_on == Some(day) {
            return None;
        }
        let mut asks = Asks { chains: Vec::new(), operations: phone.keyring.log().missing().into_iter().collect() };
        let state = phone.keyring.log().state();
        for (device, frontier) in engine::frontiers(&phone.keyring) {
            let chain = phone.shelf.chains.get(&device);
            let after = chain.map_or(0, super::shelf::contiguous);
            let above = chain.and_then(|chain| chain.range(after + 1..).next()).map(|(sequence, _)| sequence - 1);
            let cut = state.devices.get(&device).and_then(|device| device.cut).map_or(u32::MAX, |cut| cut.sequence);
            let up_to = above.unwrap_or(frontier.content().own.sequence).min(cut);
            if up_to > after {
                asks.chains.push(ChainAsk { device, after, up_to });
            }
        }
        if asks.is_empty() {
            return None;
        }
        phone.asked_on = Some(day);
        self.outcome.asks += 1;
        Some(asks)
    }

    /// One parcel arrives. False: it waits for something.
    pub fn deliver(&mut self, number: usize, parcel: usize) -> bool {
        let (team, today) = (self.team(), self.today());
        let phone = &mut self.phones[number];
        match &self.traffic.sent[parcel].parcel {
            Parcel::Announcement(bytes) => {
                let sent = &self.traffic.sent[parcel];
                // trying every box costs more than all else together: where the turn names another key, nothing opens
                let adopted = if self.thief.is_for(&phone.stored, &sent.keys) {
                    phone.keyring.accept_announcement(bytes, today)
                } else {
                    Err(TurnError::NotForUs)
                };
                if let (Ok(_), [seed]) = (&adopted, phone.stored.seeds.iter().collect::<Vec<_>>().as_slice())
                    && let Some(turn) = sent.under
                {
                    self.thief.learn(seed, parcel, turn);
                }
                if adopted == Err(TurnError::UnknownPast) {
                    if !phone.closed.contains(&parcel) {
                        phone.closed.push(parcel);
                    }
                } else {
                    phone.closed.retain(|closed| *closed != parcel);
                }
                self.note(|_| format!("  {number} opens parcel {parcel}: {adopted:?}"));
                self.refresh(number);
                self.apply(number);
                true
            }
            Parcel::Notice(row) => {
                let Some(notice) = phone.keyring.open_notice(row) else {
                    phone.shelf.held_rows.insert(parcel);
                    return false;
                };
                let operations: Vec<Vec<u8>> = notice.operations.into_iter().map(Into::into).collect();
                self.merge(number, &operations);
                let phone = &mut self.phones[number];
                for frontier in notice.frontiers {
                    let newest = phone.shelf.newest(&phone.device());
                    phone.keyring.take_frontier(&frontier.frontier, frontier.receiving.as_deref(), newest, today);
                }
                if let Some(asks) = &notice.asks {
                    self.answer(number, asks);
                }
                true
            }
            Parcel::Record(row) => {
                let lanes: Vec<LaneKey> = phone.keyring.book().held().filter_map(|held| held.secret.records_lane_key()).collect();
                let Some(covered) = lanes.iter().find_map(|lane| envelope::open_row(team, lane, row).ok()) else {
                    phone.shelf.held_rows.insert(parcel);
                    return false;
                };
                let body = covered.body_id;
                let verdict = phone.shelf.accept(&phone.env, &mut phone.keyring, &phone.tombstones, covered);
                if matches!(verdict, Verdict::Applied | Verdict::Known) {
                    phone.shelf.relayed.insert(body);
                }
                true
            }
            Parcel::Page(lines) => {
                let (lines, held) = (lines.clone(), phone.keyring.book().held());
                let lanes: Vec<LaneKey> = held.filter_map(|held| held.secret.records_lane_key()).collect();
                let is_open = lines.iter().any(|line| self.take_line(number, &lanes, line));
                if !is_open {
                    self.phones[number].shelf.held_rows.insert(parcel);
                }
                is_open
            }
        }
    }

    /// A line of a key page opens bodies whose covers do not open any more: the bytes come from rows at hand.
    fn take_line(&mut self, number: usize, lanes: &[LaneKey], line: &PageLine) -> bool {
        let team = self.team();
        let aad = page_aad(team, &line.binding.record);
        let phone = &mut self.phones[number];
        let at_hand: Vec<BodyId> = line.bodies.iter().filter(|body| !phone.shelf.bodies.contains_key(*body)).copied().collect();
        let open = || lanes.iter().find_map(|lane| crypto::unwrap(lane, &aad, &line.wrapped).ok());
        let Some(_) = open() else { return false };
        for body in at_hand {
            // a row of it was seen, whatever turn covered it
            let seen = |sent: &usize| matches!(&self.traffic.sent[*sent].parcel, Parcel::Record(row) if row.rest().ends_with(&self.traffic.bodies[&body].bytes));
            let Some(key) = open() else { break };
            if phone.shelf.held_rows.iter().any(|row| seen(row)) {
                let covered = Covered { binding: line.binding, key, body_id: body, body: self.traffic.bodies[&body].bytes.to_vec() };
                phone.shelf.accept(&phone.env, &mut phone.keyring, &phone.tombstones, covered);
            }
        }
        true
    }

    /// Operations arrive.
    pub fn merge(&mut self, number: usize, operations: &[Vec<u8>]) {
        let phone = &mut self.phones[number];
        phone.keyring.merge_operations(operations);
        let ids = operations.iter().filter_map(|bytes| Operation::from_bytes(bytes).ok()).map(|operation| operation.id());
        phone.pushed_operations.extend(ids);
        self.apply(number);
    }

    /// Somebody misses something: it is covered and pushed again.
    fn answer(&mut self, number: usize, asks: &Asks) {
        let phone = &mut self.phones[number];
        for ask in &asks.chains {
            if let Some(chain) = phone.shelf.chains.get(&ask.device) {
                chain.range(ask.after + 1..=ask.up_to).for_each(|(_, body)| {
                    phone.shelf.relayed.remove(body);
                });
            }
        }
        asks.operations.iter().for_each(|id| {
            phone.pushed_operations.remove(id);
        });
    }

    /// Tries again what waits for a turn, an operation or a steward's word.
    pub fn retry(&mut self, number: usize) {
        loop {
            let before = self.phones[number].shelf.version + self.phones[number].keyring.log().operations().count() as u64;
            for parcel in std::mem::take(&mut self.phones[number].closed) {
                self.deliver(number, parcel);
            }
            let rows: Vec<usize> = std::mem::take(&mut self.phones[number].shelf.held_rows).into_iter().collect();
            for row in rows {
                self.deliver(number, row);
            }
            let phone = &mut self.phones[number];
            for (id, body) in std::mem::take(&mut phone.shelf.held_bodies) {
                let covered = Covered { binding: body.binding, key: body.key.duplicate(), body_id: id, body: body.bytes.to_vec() };
                phone.shelf.accept(&phone.env, &mut phone.keyring, &phone.tombstones, covered);
            }
            if self.phones[number].shelf.version + self.phones[number].keyring.log().operations().count() as u64 == before {
                return;
            }
        }
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
            let turn = phone.keyring.usable_turn(today).map(|usable| usable.turn);
            phone.outbox.extend(turn.map(|turn| (turn, announcement)));
            phone.owes_page = true;
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
