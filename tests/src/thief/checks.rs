//! What must hold at every instant, and what is counted at the end.

use super::thief::Loot;
use super::world::World;
use satchel_core::team::operation::Action;
use satchel_core::team::tombstone::Target;
use satchel_core::team::{Role, Standing, Tombstone};
use satchel_wire::ids::{BodyId, DeviceId, OperationId, RecordId};
use std::collections::BTreeSet;

/// What a tombstone erases, and how it went.
#[derive(Debug)]
pub struct Erased {
    /// The tombstone.
    pub tombstone: Tombstone,
    /// Somebody's receipt says settled.
    pub is_settled: bool,
    /// The thief got it after that, and how.
    pub open_after: Option<String>,
}

/// A receipt that says settled.
#[derive(Debug)]
pub struct Claim {
    /// Those whom it names as ones that may still hold what was erased.
    pub named: BTreeSet<DeviceId>,
    /// Those whom its owner knew of when it was read. A phone that is sent away is asked no more: what it learns after that
    /// is in no receipt of its own.
    pub known: BTreeSet<DeviceId>,
}

impl World {
    fn concerns(&self, tombstone: &Tombstone, record: &RecordId) -> bool {
        let subject = self
            .traffic
            .of_record
            .get(record)
            .and_then(|bodies| self.traffic.bodies.get(bodies.first()?))
            .and_then(|body| body.binding.subject);
        tombstone.erases(&Target { record: *record, kind: satchel_core::record::Kind::Encounter, subject, category: None })
    }

    /// Records that a tombstone concerns, of all that were ever written.
    fn records_of(&self, tombstone: &Tombstone) -> BTreeSet<RecordId> {
        self.traffic.of_record.keys().filter(|record| self.concerns(tombstone, record)).copied().collect()
    }

    /// How the thief opens one of some records with one phone.
    fn opens(&self, loot: &Loot, records: &BTreeSet<RecordId>) -> Option<String> {
        self.thief.opens(loot, &|record| records.contains(record))
    }

    /// The positive control: whether what is about to be erased is open to whoever takes some phone now.
    pub fn is_open(&mut self, tombstone: &Tombstone) -> bool {
        let team = self.team();
        self.thief.study(team, &self.traffic);
        let records = self.records_of(tombstone);
        self.phones.iter().any(|phone| self.opens(&phone.flash, &records).is_some())
    }

    /// A tombstone was written.
    pub fn note_erasure(&mut self, operation: OperationId, tombstone: Tombstone, was_open: bool) {
        self.outcome.erasures += 1;
        self.outcome.controls += usize::from(was_open);
        self.erased.insert(operation, Erased { tombstone, is_settled: false, open_after: None });
    }

    /// Asks each touched phone's receipts, and lets the thief take every phone.
    pub fn check(&mut self, touched: &[usize]) {
        let (team, today) = (self.team(), self.today());
        self.thief.study(team, &self.traffic);
        for number in touched.iter().copied() {
            let phone = &self.phones[number];
            let counters =
                phone.keyring.frontiers().values().filter_map(|known| satchel_core::team::Frontier::from_bytes(&known.frontier).ok());
            let counters = counters.map(|frontier| frontier.content().counter).sum::<u64>() + u64::from(self.day) * 1_000_000;
            let now = (phone.keyring.log().operations().count(), counters, phone.shelf.version);
            if phone.judged == now || phone.is_lost || !phone.keyring.reads_records() {
                continue;
            }
            self.phones[number].judged = now;
            for operation in self.erased.keys() {
                let phone = &mut self.phones[number];
                if !phone.tombstones.contains_key(operation) {
                    continue;
                }
                phone.claims.remove(operation);
                let Some(settlement) = super::engine::receipt(phone, operation, today) else { continue };
                if settlement.is_settled() {
                    let named = settlement.may_still_hold.keys().copied().collect();
                    let known = phone.keyring.log().state().devices.keys().copied().collect();
                    phone.claims.insert(*operation, Claim { named, known });
                }
            }
        }
        self.rob();
    }

    /// Asks all phones.
    pub fn check_all(&mut self) {
        let all: Vec<usize> = (0..self.phones.len()).collect();
        self.check(&all);
    }

    /// Whether a receipt names a phone as one that may still hold what was erased: by itself, or as one whom a named
    /// device has let in since, which the receipt's owner could not know.
    fn is_named(&self, claim: &Claim, number: usize) -> bool {
        let phone = &self.phones[number];
        let is_unknown = !claim.known.contains(&phone.device());
        claim.named.contains(&phone.device()) || (is_unknown && number > 0 && self.is_named(claim, phone.host))
    }

    /// What keeps erasures from being settled, for the trace.
    pub fn note_awaited(&mut self) {
        let today = self.today();
        if self.trace.is_none() {
            return;
        }
        for number in self.present() {
            for operation in self.erased.keys().copied().collect::<Vec<_>>() {
                let Some(settlement) = super::engine::receipt(&mut self.phones[number], &operation, today) else { continue };
                let name = |device: &DeviceId| self.phones.iter().position(|phone| phone.device() == *device);
                let lines: Vec<String> = settlement
                    .awaited
                    .iter()
                    .map(|device| {
                        let phone = &self.phones[number];
                        let frontier = phone.keyring.frontier_of(device);
                        let own = frontier.as_ref().map_or(0, |frontier| frontier.content().own.sequence);
                        let have = phone.shelf.chains.get(device).map_or(0, super::shelf::contiguous);
                        let unknown = frontier.map_or(99, |frontier| {
                            frontier.content().log_heads.iter().filter(|head| phone.keyring.log().operation(head).is_none()).count()
                        });
                        format!("{:?} chain {have}/{own} unknown heads {unknown}", name(device))
                    })
                    .collect();
                self.note(|_| {
                    format!(
                        "{number} receipt {operation}: effective {} awaited {lines:?} named {}",
                        settlement.is_effective,
                        settlement.may_still_hold.len()
                    )
                });
            }
        }
    }

    fn rob(&mut self) {
        let mut news = Vec::new();
        for (operation, erased) in &self.erased {
            if erased.open_after.is_some() {
                continue;
            }
            let mut records = None;
            for view in &self.phones {
                let Some(claim) = view.claims.get(operation) else { continue };
                let records = records.get_or_insert_with(|| self.records_of(&erased.tombstone));
                let due = self.phones.iter().filter(|phone| !self.is_named(claim, phone.number));
                let open = due.filter_map(|phone| Some((phone.number, self.opens(&phone.flash, records)?))).next();
                let numbers: Vec<_> =
                    self.phones.iter().filter(|phone| claim.named.contains(&phone.device())).map(|phone| phone.number).collect();
                let is_known = |number: usize| claim.known.contains(&self.phones[number].device());
                let open = open.map(|(number, how)| {
                    format!("{} says settled but for {numbers:?}, {number} (known: {}): {how}", view.number, is_known(number))
                });
                let done = open.is_some();
                news.push((*operation, open));
                if done {
                    break;
                }
            }
        }
        for (operation, open) in news {
            let erased = self.erased.get_mut(&operation).expect("an erasure");
            if !erased.is_settled {
                erased.is_settled = true;
                self.outcome.settled += 1;
            }
            if let Some(how) = open
                && erased.open_after.is_none()
            {
                self.outcome.open_after_settlement += 1;
                self.outcome.first_find.get_or_insert_with(|| how.clone());
                erased.open_after = Some(how.clone());
                self.note(|_| format!("!!! {operation} open after settlement: {how}"));
            }
        }
    }

    /// What banned devices opened of what was sealed by whoever knew: everything that they ever held, at the end.
    pub fn count_removed(&mut self) {
        let team = self.team();
        self.thief.study(team, &self.traffic);
        let phones: Vec<usize> = (0..self.phones.len()).collect();
        for number in phones {
            let device = self.phones[number].device();
            let was_on_board = self.went_to_board(number);
            let is_back = self.phones.iter().any(|phone| {
                phone.keyring.log().state().devices.get(&device).is_some_and(|known| known.standing == Standing::Active) && !phone.is_lost
            });
            let was_known = self.traffic.sent.iter().any(|sent| sent.banned.contains(&device));
            if is_back || !was_known {
                continue;
            }
            self.outcome.removed += 1;
            let ever = &self.phones[number].ever;
            let keys = self.thief.keys_of(ever);
            let parcel = self.thief.parcels_of(ever).into_iter().find(|parcel| self.traffic.sent[*parcel].banned.contains(&device));
            let knew = self.traffic.bodies.iter().filter(|(_, body)| body.banned.contains(&device));
            let opened = |(id, body): &(&BodyId, &super::traffic::Sealed)| {
                let name = (body.binding.record, body.binding.key_id);
                keys.contains(&name) && self.thief.opens_body(team, &self.traffic, &name, id)
            };
            let body = knew.filter(|(id, _)| self.traffic.left.contains(*id)).find(opened).map(|(id, _)| *id);
            // the positive control: it reads what was sealed by those who did not know
            let before = self.thief.parcels_of(ever).into_iter().any(|parcel| !self.traffic.sent[parcel].banned.contains(&device));
            self.outcome.removed_controls += usize::from(before);
            if parcel.is_some() || body.is_some() {
                let how = format!("removed {number} reads parcel {parcel:?}, body {body:?}");
                self.note(|_| format!("!!! {how}"));
                if was_on_board {
                    self.outcome.removed_to_board += 1;
                    if self.thief.paper.is_some() {
                        continue;
                    }
                } else {
                    self.outcome.removed_read += 1;
                }
                self.outcome.first_find.get_or_insert(how);
            }
        }
    }

    /// Whether a phone's member was given the board's role at some time, by somebody.
    fn went_to_board(&self, number: usize) -> bool {
        let member = self.phones[number].member;
        let is_it = |action: &Action| matches!(action, Action::ChangeRole { member: whose, role: Role::Board, .. } if *whose == member);
        self.phones.iter().any(|phone| phone.keyring.log().operations().any(|operation| is_it(operation.action())))
    }

    /// Work beyond a cut that somebody took in, knowing of the ban, and shows without a steward's word.
    ///
    /// Judged by who wrote what when, and by the log as it was when each body was taken.
    pub fn count_beyond(&mut self) {
        for number in self.present() {
            let phone = &mut self.phones[number];
            let state = phone.keyring.log().state().clone();
            for body in phone.shelf.bodies.keys().filter(|body| !state.adopted.contains(*body)) {
                let sealed = &self.traffic.bodies[body];
                let cut = state.devices.get(&sealed.by).and_then(|device| device.cut);
                if state.device_role(sealed.by).is_some() || cut.is_none_or(|cut| sealed.sequence <= cut.sequence) {
                    continue;
                }
                let Some(heads) = phone.shelf.taken.get(body) else { continue };
                // by the whole log of that moment: a cut that was lowered later, or a ban that was answered beside the
                // head that knows it, does not make what was taken then wrong
                let then = phone.keyring.dangerous_log().state_of(heads);
                let known = then.devices.get(&sealed.by).filter(|_| then.device_role(sealed.by).is_none());
                let knew = known.is_some_and(|device| device.cut.is_none_or(|cut| sealed.sequence > cut.sequence));
                let knew = knew && !then.adopted.contains(body);
                if knew {
                    let how = format!("{number} shows {body} beyond a cut");
                    self.outcome.first_find.get_or_insert_with(|| how.clone());
                }
                self.outcome.beyond_cut += usize::from(knew);
            }
        }
    }

    /// Lost phones that nobody had heard of for too long: which of them open a box that was sealed after that?
    pub fn count_silent(&mut self) {
        let team = self.team();
        self.thief.study(team, &self.traffic);
        for phone in self.phones.iter().filter(|phone| phone.is_lost) {
            let device = phone.device();
            self.outcome.silent += usize::from(self.silent_at.values().any(|silent| silent.contains(&device)));
            let opened = self.thief.announcements_of(&phone.ever);
            if let Some(parcel) = opened.into_iter().find(|parcel| self.traffic.sent[*parcel].silent.contains(&device)) {
                self.outcome.silent_read += 1;
                let how = || format!("silent {} opens parcel {parcel}", phone.number);
                self.outcome.first_find.get_or_insert_with(how);
            }
        }
    }

    /// What paper shares open, with everything that was ever sent; and with what a board phone ever held as well.
    pub fn count_paper(&mut self) {
        let team = self.team();
        self.outcome.paper_read += self.thief.by_paper(team, &self.traffic);
        if self.thief.paper.is_some() {
            for number in self.boards() {
                self.outcome.paper_controls += self.thief.turns_of(&self.phones[number].ever).len();
            }
        }
    }

    /// The term of every record ends, a month and a week go by, and a thief takes a phone.
    ///
    /// As in the store: a phone refuses bodies of what it let go of, and entries after their day. A document that it never
    /// had states no last day; it goes when the phone tends its records on the day after.
    pub fn expire(&mut self) {
        let present = self.present();
        let gone: BTreeSet<RecordId> = present.iter().flat_map(|number| self.phones[*number].shelf.items.keys().copied()).collect();
        for number in &present {
            let phone = &mut self.phones[*number];
            phone.shelf.tend(&gone);
            phone.shelf.held_bodies.clear();
            phone.shelf.held_rows.clear();
            phone.owes_new_store_key = true;
            self.refresh(*number);
        }
        // a phone whose rank comes later waits for those before it, a week at most
        for days in [satchel_core::team::keyring::TURN_TERM_DAYS + 1, 8] {
            self.day += days;
            let today = self.today();
            for number in &present {
                self.phones[*number].shelf.ends_before = Some(today);
                self.exchange(*number, true);
            }
            self.day += 1;
            for number in &present {
                let phone = &mut self.phones[*number];
                phone.owes_new_store_key |= phone.shelf.tend(&gone) > 0;
                self.refresh(*number);
            }
        }
        let team = self.team();
        self.thief.study(team, &self.traffic);
        for record in gone {
            self.outcome.expired += 1;
            let only = BTreeSet::from([record]);
            let found = present.iter().find_map(|number| Some((*number, self.opens(&self.phones[*number].flash, &only)?)));
            if let Some((number, how)) = found {
                self.outcome.expired_open += 1;
                let how = format!("expired {record} opens on {number}: {how}");
                self.outcome.first_find.get_or_insert_with(|| how.clone());
                self.note(|_| format!("!!! {how}"));
            }
        }
    }

    /// Live bodies that some phone in use cannot read.
    pub fn count_unread(&mut self) {
        let (live, misses) = self.unread(&self.counted_in());
        (self.outcome.live, self.outcome.unread) = (live, misses.len());
        for (body, number) in misses {
            let reach = self.reach(number);
            let is_apart = !reach.iter().any(|other| self.phones[*other].shelf.bodies.contains_key(&body));
            self.outcome.unread_apart += usize::from(is_apart);
            self.note(|world| world.describe_miss(number, &body));
        }
    }

    /// Phones in use that a phone can meet, directly or through others: they share some turn and count each other in.
    fn reach(&self, number: usize) -> BTreeSet<usize> {
        let turns = |number: usize| self.phones[number].keyring.remembered().iter().map(|known| known.turn).collect::<BTreeSet<_>>();
        let present = self.present();
        let (mut reach, mut next) = (BTreeSet::from([number]), vec![number]);
        while let Some(from) = next.pop() {
            let here = turns(from);
            let knows = |a: usize, b: usize| self.phones[a].keyring.log().state().device_role(self.phones[b].device()).is_some();
            for other in present.iter().copied() {
                let meets = knows(from, other) && knows(other, from) && !turns(other).is_disjoint(&here);
                if meets && reach.insert(other) {
                    next.push(other);
                }
            }
        }
        reach
    }

    /// Phones in use that all the others in use count in.
    pub fn counted_in(&self) -> Vec<usize> {
        let present = self.present();
        let is_counted_in = |number: &usize| {
            let device = self.phones[*number].device();
            present.iter().all(|other| self.phones[*other].keyring.log().state().device_role(device).is_some())
        };
        present.iter().copied().filter(is_counted_in).collect()
    }

    /// Live bodies that some of these phones have, times phones; and which of these cannot read which.
    pub fn unread(&self, phones: &[usize]) -> (usize, Vec<(BodyId, usize)>) {
        let live: BTreeSet<BodyId> = phones.iter().flat_map(|number| self.phones[*number].shelf.bodies.keys().copied()).collect();
        let (mut count, mut misses) = (0, Vec::new());
        for body in live {
            let sealed = &self.traffic.bodies[&body];
            if self.erased.values().any(|erased| self.concerns(&erased.tombstone, &sealed.binding.record))
                || !self.is_within_cut(phones, sealed)
            {
                continue;
            }
            count += phones.len();
            let lacks = |number: &&usize| !self.phones[**number].shelf.bodies.contains_key(&body);
            misses.extend(phones.iter().filter(lacks).map(|number| (body, *number)));
        }
        (count, misses)
    }

    fn describe_miss(&self, number: usize, body: &BodyId) -> String {
        let sealed = &self.traffic.bodies[body];
        let name = |device: &DeviceId| self.phones.iter().position(|phone| phone.device() == *device);
        let phone = &self.phones[number];
        let chain = phone.shelf.chains.get(&sealed.by);
        let have: Vec<usize> = self.phones.iter().filter(|phone| phone.shelf.bodies.contains_key(body)).map(|phone| phone.number).collect();
        let said = phone.keyring.frontier_of(&sealed.by).map_or(0, |frontier| frontier.content().own.sequence);
        format!(
            "!!! {number} cannot read {body} of {:?} at {}; chain here to {}, frontier says {said}, held {}, had by {have:?}; turn {:?}, ops {}",
            name(&sealed.by),
            sealed.sequence,
            chain.map_or(0, super::shelf::contiguous),
            phone.shelf.held_bodies.contains_key(body),
            phone.keyring.book().held().map(|held| held.turn.id()).collect::<Vec<_>>(),
            phone.keyring.log().operations().count(),
        )
    }

    fn is_within_cut(&self, active: &[usize], sealed: &super::traffic::Sealed) -> bool {
        active.iter().all(|number| {
            let state = self.phones[*number].keyring.log().state();
            let stands = state.device_role(sealed.by).is_some_and(satchel_core::team::Role::reads_records);
            stands || state.devices.get(&sealed.by).and_then(|device| device.cut).is_some_and(|cut| sealed.sequence <= cut.sequence)
        })
    }
}
