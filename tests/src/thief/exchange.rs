//! Relay, meetings and packs.

use super::thief::short;
use super::traffic::Parcel;
use super::world::World;
use satchel_core::team::Erasure;
use satchel_core::team::frontier::receiving_hash;
use satchel_core::team::notice::{FrontierNotice, Notice};
use satchel_wire::ids::BodyId;
use std::collections::BTreeSet;

/// Of a hundred parcels that are no announcement, how many the relay loses.
const LOST_PERCENT: usize = 10;
/// Days at the end on which everybody talks to the relay.
const RELAY_ROUNDS_COUNT: u16 = super::world::ABSENCE_DAYS + 3;
/// Days after these on which everybody meets everybody.
const MEETING_ROUNDS_COUNT: u16 = 3;

impl World {
    fn is_announcement(&self, parcel: usize) -> bool {
        matches!(self.traffic.sent[parcel].parcel, Parcel::Announcement(_))
    }

    /// A pull: all of what is new, or a part of it in any order, some of it twice.
    pub fn pull(&mut self, number: usize, is_full: bool) {
        let new: Vec<usize> = (0..self.relay.len()).filter(|entry| !self.phones[number].seen.contains(entry)).collect();
        let mut wanted: Vec<usize> = new.into_iter().filter(|entry| !self.lost.contains(entry)).collect();
        if !is_full {
            // a cut at any byte: what was not delivered comes with a later pull
            let share = self.dice.between(20, 100);
            wanted.retain(|_| self.dice.chance(share));
            if self.dice.chance(25) {
                for at in (1..wanted.len()).rev() {
                    let other = self.dice.below(at + 1);
                    wanted.swap(at, other);
                }
            } else {
                // turns and operations before what rests on them, as a relay hands them out
                let lane = |entry: &usize| match self.traffic.sent[self.relay[*entry]].parcel {
                    Parcel::Announcement(_) => 0,
                    Parcel::Notice(_) => 1,
                    Parcel::Page(_) => 2,
                    Parcel::Record(_) => 3,
                };
                wanted.sort_by_key(lane);
            }
            if let Some(again) = self.dice.pick(&self.phones[number].seen.iter().copied().collect::<Vec<_>>())
                && self.dice.chance(15)
            {
                wanted.push(again);
            }
        }
        for entry in wanted {
            self.phones[number].seen.insert(entry);
            let parcel = self.relay[entry];
            if self.traffic.sent[parcel].by != number {
                self.deliver(number, parcel);
            }
        }
        self.retry(number);
    }

    fn post(&mut self, number: usize, parcel: usize) {
        self.relay.push(parcel);
        let entry = self.relay.len() - 1;
        self.phones[number].seen.insert(entry);
        // the relay loses little, but it does
        let lost_percent = if self.is_calm { 2 } else { LOST_PERCENT };
        if !self.is_announcement(parcel) && self.dice.chance(lost_percent) {
            self.lost.insert(entry);
        }
    }

    /// Hands the relay the turns that wait, each only on top of the newest one there.
    fn announce(&mut self, number: usize) {
        let readable = self.phones[number].keyring.book().held().filter(|held| held.secret.reads_records()).count();
        if !self.phones[number].outbox.is_empty() && readable >= 2 {
            // somebody else's turn came first: one on top of both is announced instead
            self.phones[number].outbox.clear();
            self.start(number);
        }
        let newest = self.relay.iter().rposition(|parcel| self.is_announcement(*parcel));
        if newest.is_some_and(|entry| !self.phones[number].seen.contains(&entry)) {
            return;
        }
        for (turn, bytes) in std::mem::take(&mut self.phones[number].outbox) {
            let parcel = self.send_announcement(number, bytes, turn, None);
            self.post(number, parcel);
        }
    }

    /// One whole exchange with the relay: pull, announce, push, end.
    pub fn exchange(&mut self, number: usize, is_full: bool) {
        self.note(|_| format!("{number} exchanges with the relay{}", if is_full { ", fully" } else { "" }));
        let day = self.day;
        self.phones[number].last_day = day;
        self.pull(number, is_full);
        if self.phones[number].keyring.reads_records() {
            self.announce(number);
            self.push(number);
        }
        self.end(number);
        if !self.phones[number].keyring.reads_records() {
            self.show(number);
        } else if self.dice.chance(50) {
            self.announce(number);
        }
    }

    /// A board phone shows how far it is, under the newest turn that it has.
    fn show(&mut self, number: usize) {
        let today = self.today();
        let phone = &mut self.phones[number];
        let newest = phone.keyring.book().newest_naming_every_ban(phone.keyring.log()).map(|held| held.turn.id());
        let (Some(turn), Ok(bytes)) = (newest, phone.keyring.own_frontier(&[], today, true)) else { return };
        if bytes != phone.pushed_frontier {
            phone.pushed_frontier.clone_from(&bytes);
            let receiving = phone.keyring.receiving_public().ok().map(|key| key.as_bytes().to_vec());
            let notice = Notice { frontiers: vec![FrontierNotice { frontier: bytes, receiving }], ..Notice::default() };
            let parcel = self.send_notice(number, &notice, turn);
            parcel.into_iter().for_each(|parcel| self.post(number, parcel));
        }
        self.refresh(number);
    }

    /// Boxes for whom the turn in use does not reach, if this phone is the one to send them.
    fn send_boxes_due(&mut self, number: usize) {
        let today = self.today();
        let keyring = &mut self.phones[number].keyring;
        let lacking = keyring.lacking(today);
        let keys: Vec<[u8; 8]> = lacking
            .iter()
            .filter_map(|device| keyring.receiving_key_of(device))
            .map(|key| short(&receiving_hash(key.as_bytes())))
            .collect();
        let Ok(Some(bytes)) = keyring.boxes_due(today) else { return };
        let Ok(usable) = keyring.usable_turn(today) else { return };
        self.outcome.boxes += 1;
        let parcel = self.send_boxes(number, bytes, usable.turn, keys);
        self.post(number, parcel);
    }

    fn push(&mut self, number: usize) {
        let phone = &self.phones[number];
        let unsent: Vec<BodyId> = phone.shelf.bodies.keys().filter(|body| !phone.shelf.relayed.contains(*body)).copied().collect();
        let new = phone.keyring.log().operations().filter(|operation| !phone.pushed_operations.contains(&operation.id()));
        let operations: Vec<_> = new.map(|operation| (operation.id(), operation.to_bytes())).collect();
        let heads = phone.shelf.heads();
        let today = self.today();
        let phone = &mut self.phones[number];
        let frontier = phone.keyring.own_frontier(&heads, today, true).unwrap_or_default();
        let is_new = frontier != phone.pushed_frontier;
        self.refresh(number);
        if unsent.is_empty() && operations.is_empty() && !is_new && !self.phones[number].owes_page {
            return;
        }
        let Some(turn) = self.usable(number) else { return };
        // operations and the frontier travel apart, so that one may come without the other
        for operations in operations.chunks(8) {
            self.phones[number].pushed_operations.extend(operations.iter().map(|(id, _)| *id));
            let operations = operations.iter().map(|(_, bytes)| bytes.clone().into()).collect();
            let parcel = self.send_notice(number, &Notice { operations, ..Notice::default() }, turn);
            parcel.into_iter().for_each(|parcel| self.post(number, parcel));
        }
        let asks = self.asks_of(number);
        if is_new || asks.is_some() {
            // starting a turn may have changed it
            let phone = &mut self.phones[number];
            let heads = phone.shelf.heads();
            let bytes = phone.keyring.own_frontier(&heads, today, true).unwrap_or_default();
            let receiving = phone.keyring.receiving_public().ok().map(|key| key.as_bytes().to_vec());
            phone.pushed_frontier.clone_from(&bytes);
            let notice = Notice { frontiers: vec![FrontierNotice { frontier: bytes, receiving }], asks, ..Notice::default() };
            let parcel = self.send_notice(number, &notice, turn);
            parcel.into_iter().for_each(|parcel| self.post(number, parcel));
        }
        for body in unsent {
            self.phones[number].shelf.relayed.insert(body);
            if let Some(parcel) = self.send_body(number, &body, turn) {
                self.post(number, parcel);
            }
        }
        if self.phones[number].owes_page
            && let Some(parcel) = self.send_page(number, turn)
        {
            self.post(number, parcel);
        }
        self.send_boxes_due(number);
        self.refresh(number);
    }

    /// Two phones meet. A cut leaves the meeting where it was, and nobody ends it.
    pub fn meet(&mut self, a: usize, b: usize, steps: usize) {
        let remembers = |number: usize| self.phones[number].keyring.remembered().iter().map(|known| known.turn).collect::<BTreeSet<_>>();
        if remembers(a).is_disjoint(&remembers(b)) {
            self.note(|_| format!("{a} and {b} do not recognise each other"));
            return;
        }
        self.note(|_| format!("{a} meets {b}, {steps} steps"));
        (self.phones[a].last_day, self.phones[b].last_day) = (self.day, self.day);
        let (today, device_a, device_b) = (self.today(), self.phones[a].device(), self.phones[b].device());
        self.phones[a].keyring.wake(device_b, today);
        self.phones[b].keyring.wake(device_a, today);
        let knows =
            |world: &Self, a: usize, b: usize| world.phones[a].keyring.log().state().device_role(world.phones[b].device()).is_some();
        for step in 0..steps.min(5) {
            if !knows(self, a, b) || !knows(self, b, a) {
                break;
            }
            match step {
                0 => {
                    for (from, to) in [(a, b), (b, a)] {
                        let operations: Vec<Vec<u8>> =
                            self.phones[from].keyring.log().operations().map(|operation| operation.to_bytes()).collect();
                        self.merge(to, &operations);
                    }
                }
                1 => {
                    if !self.is_ending && !self.is_calm && self.dice.chance(15) {
                        let number = if self.dice.chance(50) { a } else { b };
                        self.erase_meanwhile(number);
                    }
                    self.swap_frontiers(a, b);
                }
                2 => {
                    for (from, to) in [(a, b), (b, a)] {
                        let Some(turn) = self.usable(from) else { continue };
                        if self.phones[to].keyring.holds(&turn) {
                            continue;
                        }
                        let device = self.phones[to].device();
                        if let Some(parcel) = self.send_box(from, &device) {
                            self.deliver(to, parcel);
                        }
                    }
                }
                3 => {
                    for (from, to) in [(a, b), (b, a)] {
                        let Some(turn) = self.usable(from) else { continue };
                        let there = &self.phones[to].shelf;
                        let lacks = |body: &BodyId| !there.bodies.contains_key(body);
                        let missing: Vec<BodyId> = self.phones[from].shelf.bodies.keys().filter(|body| lacks(body)).copied().collect();
                        for body in missing {
                            if let Some(parcel) = self.send_body(from, &body, turn) {
                                self.deliver(to, parcel);
                            }
                        }
                    }
                }
                _ => {
                    self.end(a);
                    self.end(b);
                    self.swap_frontiers(a, b);
                }
            }
        }
        self.refresh(a);
        self.refresh(b);
    }

    /// Somebody erases while a session is on: the log went out before, the frontier that names it goes out now.
    fn erase_meanwhile(&mut self, number: usize) {
        let records: Vec<_> = self.phones[number].shelf.items.keys().copied().collect();
        if let Some(record) = self.dice.pick(&records) {
            self.erase(number, &Erasure::Records(vec![record]));
            self.usable(number);
            self.end(number);
        }
    }

    fn swap_frontiers(&mut self, a: usize, b: usize) {
        let today = self.today();
        for (from, to) in [(a, b), (b, a)] {
            let heads = self.phones[from].shelf.heads();
            let Ok(frontier) = self.phones[from].keyring.own_frontier(&heads, today, true) else { continue };
            self.refresh(from);
            let Ok(receiving) = self.phones[from].keyring.receiving_public() else { continue };
            // and what it knows of others
            let known: Vec<_> = self.phones[from].keyring.frontiers().values().cloned().collect();
            let phone = &mut self.phones[to];
            let newest = phone.shelf.newest(&phone.device());
            phone.keyring.take_frontier(&frontier, Some(receiving.as_bytes()), newest, today);
            for known in known {
                phone.keyring.take_frontier(&known.frontier, known.receiving.as_deref(), newest, today);
            }
        }
    }

    /// Everything that a phone can read, covered by its turn, carried by hand.
    pub fn make_pack(&mut self, number: usize) {
        let Some(turn) = self.usable(number) else { return };
        let bodies: Vec<BodyId> = self.phones[number].shelf.bodies.keys().copied().collect();
        let rows: Vec<usize> = bodies.iter().filter_map(|body| self.send_body(number, body, turn)).collect();
        self.note(|_| format!("{number} makes pack of {} rows under {turn}", rows.len()));
        if !rows.is_empty() {
            self.packs.push((rows, turn));
        }
    }

    /// A pack is imported, perhaps late, on a phone that has erased, banned and moved on since. The app refuses those; here
    /// they are read, and must bring nobody anything.
    pub fn take_pack(&mut self, number: usize) {
        let at = self.dice.below(self.packs.len());
        let Some((rows, turn)) = self.packs.get(at).cloned() else { return };
        let keyring = &self.phones[number].keyring;
        let known = keyring.book().known().find(|known| known.id() == turn);
        let names = |known: &satchel_core::team::Turn| {
            let log = keyring.log();
            log.state().bans.iter().all(|ban| log.names(known.log_heads(), ban))
        };
        let is_old = !known.is_some_and(names);
        if is_old && self.is_calm {
            return;
        }
        self.outcome.packs += 1;
        self.note(|_| format!("{number} takes pack {at}"));
        let before = self.phones[number].shelf.bodies.len();
        rows.iter().for_each(|row| {
            self.deliver(number, *row);
        });
        if is_old {
            self.outcome.old_packs += 1;
            self.outcome.old_bodies += self.phones[number].shelf.bodies.len().saturating_sub(before);
        }
        self.end(number);
    }

    /// The last days: everybody who is there talks to the relay until nothing moves, and time passes.
    pub fn settle_down(&mut self) {
        for _ in 0..RELAY_ROUNDS_COUNT {
            self.day += 1;
            for number in self.present().into_iter().chain(self.boards()) {
                self.exchange(number, true);
            }
            self.check_all();
        }
        // a phone that was silent for too long gets no boxes through the relay: it has to meet somebody
        self.outcome.unread_before_meetings = self.unread(&self.awake()).1.len();
        for round in 0..MEETING_ROUNDS_COUNT {
            self.day += 1;
            // what somebody erases while the others meet has two days left to settle
            self.is_ending = round > 0;
            let present = self.present();
            for (at, a) in present.iter().enumerate() {
                for b in &present[at + 1..] {
                    self.meet(*a, *b, 5);
                }
            }
            for number in present.into_iter().chain(self.boards()) {
                self.exchange(number, true);
            }
            self.check_all();
        }
    }

    /// Phones in use that nobody in use has given up, and that have given up nobody.
    fn awake(&self) -> Vec<usize> {
        let (present, today) = (self.counted_in(), self.today());
        let device = |number: usize| self.phones[number].device();
        let calls = |a: usize, b: usize| self.phones[a].keyring.is_dormant(&device(b), today);
        let is_awake = |number: &usize| present.iter().all(|other| !calls(*other, *number) && !calls(*number, *other));
        present.iter().copied().filter(is_awake).collect()
    }

    /// Board phones that are in somebody's hands.
    pub fn boards(&self) -> Vec<usize> {
        let is_board = |phone: &&super::world::Phone| !phone.is_lost && phone.keyring.role() == Some(satchel_core::team::Role::Board);
        self.phones.iter().filter(is_board).map(|phone| phone.number).collect()
    }

    /// Phones that are in somebody's hands and read records, as they themselves know.
    pub fn present(&self) -> Vec<usize> {
        self.phones.iter().filter(|phone| !phone.is_lost && phone.keyring.reads_records()).map(|phone| phone.number).collect()
    }
}
