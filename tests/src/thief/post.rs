//! What leaves a phone, and what arrives on one.

use super::engine;
use super::shelf::Verdict;
use super::thief::{page_aad, short};
use super::traffic::{PageLine, Parcel, Sent};
use super::world::World;
use satchel_core::crypto::{self, LaneKey, Nonce};
use satchel_core::envelope::{self, Covered};
use satchel_core::rules::Rule;
use satchel_core::team::TurnError;
use satchel_core::team::notice::{Asks, ChainAsk, Notice};
use satchel_core::team::operation::Operation;
use satchel_wire::ids::{BodyId, DeviceId, TurnId};
use std::collections::BTreeSet;
use std::rc::Rc;

impl World {
    fn sent(&mut self, number: usize, parcel: Parcel, under: Option<TurnId>) -> usize {
        self.sent_boxes(number, parcel, under, Vec::new(), BTreeSet::new())
    }

    fn sent_boxes(
        &mut self,
        number: usize,
        parcel: Parcel,
        under: Option<TurnId>,
        keys: Vec<[u8; 8]>,
        silent: BTreeSet<DeviceId>,
    ) -> usize {
        let banned = Rc::new(engine::banned(&self.phones[number].keyring));
        self.traffic.send(Sent { parcel, by: number, under, keys, silent, banned })
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
        // a turn's own announcement was sealed when it began, a single box now
        let silent = self.silent_at.get(&turn).filter(|_| only.is_none()).cloned().unwrap_or_else(|| self.silent());
        self.sent_boxes(number, Parcel::Announcement(Rc::new(bytes)), Some(turn), keys, silent)
    }

    /// A turn in boxes, sealed to some keys.
    pub fn send_boxes(&mut self, number: usize, bytes: Vec<u8>, turn: TurnId, keys: Vec<[u8; 8]>) -> usize {
        let silent = self.silent();
        self.sent_boxes(number, Parcel::Announcement(Rc::new(bytes)), Some(turn), keys, silent)
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
        Some(self.sent(number, Parcel::Record(Rc::new(row)), Some(turn)))
    }

    /// A notice under the usable turn's commons.
    pub fn send_notice(&mut self, number: usize, notice: &Notice, turn: TurnId) -> Option<usize> {
        let team = self.team();
        let phone = &self.phones[number];
        let commons = phone.keyring.book().held().find(|held| held.turn.id() == turn)?.secret.commons();
        let row = notice.seal(&phone.env, team, &commons).ok()?;
        Some(self.sent(number, Parcel::Notice(Rc::new(row)), Some(turn)))
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
        Some(self.sent(number, Parcel::Page(Rc::new(lines)), Some(turn)))
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
                    && phone.lane(&turn).is_some()
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
            // a board phone has no key to records and keeps none of them
            Parcel::Record(_) | Parcel::Page(_) if !phone.keyring.reads_records() => true,
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
            if phone.shelf.held_rows.iter().any(seen) {
                let covered =
                    Covered { binding: line.binding, key, field: None, body_id: body, body: self.traffic.bodies[&body].bytes.to_vec() };
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
                let covered =
                    Covered { binding: body.binding, key: body.key.duplicate(), field: None, body_id: id, body: body.bytes.to_vec() };
                phone.shelf.accept(&phone.env, &mut phone.keyring, &phone.tombstones, covered);
            }
            if self.phones[number].shelf.version + self.phones[number].keyring.log().operations().count() as u64 == before {
                return;
            }
        }
    }
}
