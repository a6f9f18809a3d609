//! Random histories of a team on whole stores, over the public API, and what the thief may and may not find.

use super::crew::{Crew, Target};
use super::losses::Loss;
use crate::harness::dice::Dice;
use satchel_core::rules::Rule;
use satchel_core::store::LootClass;
use satchel_core::team::Role;
use satchel_wire::ids::{DeviceId, OperationId, RecordId};
use satchel_wire::row::Lane;
use std::collections::{BTreeMap, BTreeSet};

macro_rules! outcome {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// What was counted.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Outcome {
            $($(#[$doc])+ pub $name: usize,)+
            /// The first thing that should not be, in words.
            pub first_find: Option<String>,
        }

        impl Outcome {
            /// Adds another history's counts.
            pub fn add(&mut self, other: Self) {
                $(self.$name += other.$name;)+
                self.first_find = self.first_find.take().or(other.first_find);
            }
        }
    };
}

outcome! {
    /// Histories.
    histories,
    /// Of those, how many showed something that should not be.
    with_find,
    /// Acts.
    acts,
    /// Tombstones written.
    erasures,
    /// Of those, how many the thief could open just before, on the phone that wrote it.
    controls,
    /// Phones that had not heard of an erasure, and that gave it to the thief at that moment.
    unaware_controls,
    /// Tombstones that somebody's receipt called settled.
    settled,
    /// Thefts of phones that a settled receipt does not name.
    thefts,
    /// Of those, how many opened what was erased: must be none.
    open_after_settlement,
    /// Devices that were removed.
    removed,
    /// Texts written after a removal by phones that had not heard of it, and read by the removed phone.
    removed_controls,
    /// Removed devices that read what somebody wrote who knew: must be none.
    removed_read,
    /// Live records times phones that should show them.
    live,
    /// Of those, how many are not shown at the end: must be none.
    unread,
    /// Phones that joined on the way.
    joined,
    /// Packs written, and packs taken in.
    packs,
    /// Sessions and exchanges.
    exchanges,
    /// Exchanges of which something was lost.
    lossy,
    /// Phones that held a copy of something when it was erased: its key lay beside it, and the thief opened it there.
    held_controls,
    /// Rows that were held unopened somewhere when something was erased (count).
    held_rows,
    /// Phones that gave the thief a key of something erased through the key of a wire page, just before.
    page_controls,
    /// Board phones that gave it to the thief, who has the papers, just before.
    escrow_controls,
    /// Packages that a board phone wrote.
    packages,
    /// Of those written before an erasure, how many opened it together with the papers: a package that is kept is a key.
    package_controls,
    /// Packages written after a settlement that open what was erased: must be none.
    package_open,
    /// Texts that papers and traffic alone open: must be none.
    paper_open,
    /// Teams that were brought back at the end.
    recovered,
    /// Records that all of the last phones showed, which had to come back.
    recovered_records,
    /// Of those, how many did not come back: must be none.
    recovered_unread,
    /// Records that came back although they were erased, or that the new phone gave to the thief: must be none.
    recovered_open,
    /// Ciphertexts that the thief had.
    ciphertexts,
}

struct History {
    crew: Crew,
    dice: Dice,
    outcome: Outcome,
    /// What was erased, by tombstone.
    erased: BTreeMap<OperationId, Target>,
    /// By tombstone: devices that some settled receipt does not name, and devices that one names.
    settled: BTreeMap<OperationId, (BTreeSet<DeviceId>, BTreeSet<DeviceId>)>,
    removed: BTreeSet<usize>,
    /// How many texts there were at the first removal of a device.
    removed_at: BTreeMap<usize, usize>,
    packs: Vec<Vec<u8>>,
    board: Option<usize>,
    /// Packages, and what was settled when they were written.
    packages: Vec<([u8; 32], BTreeSet<OperationId>)>,
    is_relay_away: bool,
    claims: BTreeSet<(usize, OperationId)>,
    is_traced: bool,
}

/// Runs one history of 60 to 100 acts.
pub fn run(seed: u64, without: &[Rule], is_traced: bool) -> Outcome {
    let mut dice = Dice::new(seed);
    let mut crew = Crew::found(seed, without.iter().copied());
    // what phones say of their keys is checked by trying every key on everything
    crew.evidence.is_exhaustive = seed.is_multiple_of(16);
    let phones = dice.between(4, 5);
    for number in 1..phones {
        let role = if number == 1 { Role::Steward } else { Role::Worker };
        crew.join(0, role).expect("a founder may invite");
    }
    let board = dice.chance(50).then(|| crew.join(0, Role::Board)).flatten();
    crew.settle(2);
    if board.is_some() {
        crew.set_up_recovery(0).expect("a board there is");
    }
    crew.settle(2);
    let (erased, settled, removed, removed_at, packs, claims) = Default::default();
    let outcome = Outcome { histories: 1, ..Outcome::default() };
    let (packages, is_relay_away) = Default::default();
    let mut history =
        History { crew, dice, outcome, erased, settled, removed, removed_at, packs, board, packages, is_relay_away, claims, is_traced };
    let acts = history.dice.between(60, 100);
    for act in 0..acts {
        let touched = history.act();
        touched.iter().for_each(|number| history.read_receipts(*number));
        if act % 16 == 15 {
            history.check(act);
        }
    }
    history.finish();
    history.outcome.acts = acts;
    history.outcome
}

impl History {
    fn say(&self, words: std::fmt::Arguments<'_>) {
        if self.is_traced {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "{words}");
        }
    }

    fn find(&mut self, words: String) {
        self.say(format_args!("FOUND {words}"));
        self.outcome.first_find.get_or_insert(words);
    }

    fn phone(&mut self) -> usize {
        self.dice.below(self.crew.phones.len())
    }

    fn steward(&mut self) -> usize {
        self.dice.below(2)
    }

    fn visible(&mut self, number: usize) -> Option<RecordId> {
        let lines = self.crew.phones[number].store().participants().unwrap_or_default();
        let ids: Vec<RecordId> = lines.iter().map(|line| line.id).collect();
        self.dice.pick(&ids)
    }

    fn met(&mut self, number: usize) -> Option<RecordId> {
        let lines = self.crew.phones[number].store().encounters(None).unwrap_or_default();
        let ids: Vec<RecordId> = lines.iter().map(|line| line.id).collect();
        self.dice.pick(&ids)
    }

    /// One act. Returns the phones that may know more after it.
    fn act(&mut self) -> Vec<usize> {
        let number = self.phone();
        match self.dice.below(108) {
            0..10 => {
                let done = self.crew.participant(number).is_ok();
                self.say(format_args!("{number} makes a file: {done}"));
            }
            10..22 => {
                let participant = self.visible(number).filter(|_| self.dice.chance(70));
                let done = self.crew.encounter(number, participant).is_ok();
                self.say(format_args!("{number} meets {participant:?}: {done}"));
            }
            22..28 => {
                if let Some(participant) = self.visible(number) {
                    let done = self.crew.follow_up(number, participant).is_ok();
                    self.say(format_args!("{number} promises {participant}: {done}"));
                }
            }
            28..34 => {
                if let Some(participant) = self.visible(number) {
                    let done = self.crew.edit(number, participant).is_ok();
                    self.say(format_args!("{number} edits {participant}: {done}"));
                }
            }
            34..38 => {
                if let Some(encounter) = self.met(number) {
                    let done = self.crew.correct(number, encounter).is_ok();
                    self.say(format_args!("{number} corrects {encounter}: {done}"));
                }
            }
            38..58 => {
                if !self.is_relay_away {
                    let loss = if self.dice.chance(25) { self.loss() } else { Loss::Nothing };
                    let done = self.crew.exchange_with(number, loss);
                    self.outcome.exchanges += 1;
                    self.outcome.lossy += usize::from(loss != Loss::Nothing);
                    self.say(format_args!("{number} exchanges, lost {loss:?}: {done}"));
                }
            }
            58..70 => {
                let other = self.phone();
                if other != number {
                    let cut = self.dice.chance(25).then(|| self.dice.between(4, 14));
                    let done = self.crew.meet(number, other, cut);
                    self.outcome.exchanges += 1;
                    self.say(format_args!("{number} meets {other}, cut {cut:?}: {done}"));
                    return vec![number, other];
                }
            }
            70..78 => self.erase(number),
            78..81 => {
                let done = self.crew.phones[number].store().begin_turn().is_ok();
                self.crew.touch(number);
                self.say(format_args!("{number} begins a turn: {done}"));
            }
            81..84 => self.remove(),
            84..87 => {
                let host = self.steward();
                if self.crew.phones.len() < 8 {
                    let role = Role::Worker;
                    let joined = self.crew.join(host, role);
                    self.outcome.joined += usize::from(joined.is_some());
                    self.say(format_args!("{joined:?} joins at {host}"));
                    return vec![host];
                }
            }
            87..90 => {
                if let Some(pack) = self.crew.write_pack(number) {
                    self.packs.push(pack);
                    self.outcome.packs += 1;
                    self.say(format_args!("{number} writes a pack"));
                }
            }
            90..93 => {
                let from = self.packs.len().saturating_sub(4);
                if let Some(pack) = self.packs[from..].get(self.dice.below(4)).cloned() {
                    let done = self.crew.read_pack(number, &pack);
                    self.outcome.packs += usize::from(done.is_ok());
                    self.say(format_args!("{number} reads a pack: {:?}", done.map_err(|error| error.code())));
                }
            }
            93..95 => {
                self.is_relay_away = !self.is_relay_away && self.dice.chance(60);
                self.say(format_args!("relay away: {}", self.is_relay_away));
            }
            95..97 => {
                self.crew.restart(number);
                self.say(format_args!("{number} restarts"));
            }
            100..103 => {
                if let Some(name) = self.board.and_then(|board| self.crew.export_recovery(board)) {
                    let board = self.board.map(|board| self.crew.phones[board].device);
                    let over = self.settled.iter().filter(|(_, (clean, _))| board.is_some_and(|board| clean.contains(&board)));
                    let over: BTreeSet<OperationId> = over.map(|(id, _)| *id).collect();
                    self.outcome.packages += 1;
                    self.say(format_args!("the board writes a package after {over:?}"));
                    self.packages.push((name, over));
                }
            }
            103..104 => {
                let done = self.board.is_some() && self.crew.set_up_recovery(self.dice.below(2)).is_ok();
                self.say(format_args!("recovery set up again: {done}"));
            }
            104..106 => {
                self.crew.advance(86_400);
                self.say(format_args!("a day goes by"));
            }
            _ => {
                let hours = self.dice.between(1, 5);
                self.crew.advance(hours as i64 * 3_600);
            }
        }
        vec![number]
    }

    fn loss(&mut self) -> Loss {
        match self.dice.below(5) {
            0 => Loss::After(self.dice.below(8)),
            1 => Loss::Lane(Lane::Announce),
            2 => Loss::Lane(Lane::Commons),
            3 => Loss::Lane(Lane::Records),
            _ => Loss::SomeRecords,
        }
    }

    /// What the thief opens of a target before its erasure, and where: without that the search proves nothing.
    fn count_controls(&mut self, target: Target) {
        let is_it = |key: &satchel_core::store::RecordLoot| target.covers(key.record, key.subject);
        for number in 0..self.crew.phones.len() {
            self.outcome.held_rows += self.crew.phones[number].held_rows;
            let is_held = self.crew.phones[number].held.iter().any(is_it);
            let found = self.crew.steal(number);
            if self.crew.finds(&found, &target).is_none() {
                continue;
            }
            self.outcome.held_controls += usize::from(is_held);
            self.outcome.page_controls += usize::from(self.crew.evidence.leads_through(&found, LootClass::WirePage, &is_it));
            self.outcome.escrow_controls += usize::from(self.board == Some(number));
        }
        for (name, _) in self.packages.clone() {
            let found = self.crew.open_package(name);
            self.outcome.package_controls += usize::from(self.crew.finds(&found, &target).is_some());
        }
    }

    fn erase(&mut self, number: usize) {
        let target = if self.dice.chance(60) { self.visible(number).map(Target::Subject) } else { self.met(number).map(Target::Record) };
        let Some(target) = target else { return };
        let before = self.crew.steal(number);
        let control = self.crew.finds(&before, &target).is_some();
        self.count_controls(target);
        let Ok(operation) = self.crew.erase(number, target) else { return };
        self.say(format_args!("{number} erases {target:?}: {operation}"));
        self.outcome.erasures += 1;
        self.outcome.controls += usize::from(control);
        let waits = self.crew.phones[number].store().erasure_receipt(operation).is_ok_and(|receipt| receipt.waits_for_countersignature);
        if !waits {
            self.erased.insert(operation, target);
        }
        let other = self.phone();
        if other != number {
            let found = self.crew.steal(other);
            self.outcome.unaware_controls += usize::from(self.crew.finds(&found, &target).is_some());
        }
    }

    fn remove(&mut self) {
        let steward = self.steward();
        let victim = self.dice.between(2, self.crew.phones.len() - 1);
        if self.removed.len() >= 2 || self.removed.contains(&victim) {
            return;
        }
        let device = self.crew.phones[victim].device;
        let Ok(plan) = self.crew.phones[steward].store().prepare_removal(device) else { return };
        if plan.confirm().is_ok() {
            self.crew.touch(steward);
            self.removed.insert(victim);
            self.removed_at.insert(victim, self.crew.planted.len());
            self.outcome.removed += 1;
            self.say(format_args!("{steward} removes {victim}"));
        }
    }

    /// What a phone's receipts say: the first word of each phone about each erasure counts.
    fn read_receipts(&mut self, number: usize) {
        for receipt in self.crew.phones[number].store().erasures().unwrap_or_default() {
            let operation = receipt.operation;
            if !receipt.is_settled || !self.erased.contains_key(&operation) || !self.claims.insert((number, operation)) {
                continue;
            }
            if !self.settled.contains_key(&operation) {
                self.outcome.settled += 1;
            }
            let named: BTreeSet<DeviceId> = receipt.may_still_hold.iter().map(|(device, _)| *device).collect();
            self.say(format_args!("{number} says that {operation} is settled, but for {named:?}"));
            let clean: Vec<usize> = (0..self.crew.phones.len()).filter(|phone| !named.contains(&self.crew.phones[*phone].device)).collect();
            let (must, _) = self.settled.entry(operation).or_default();
            must.extend(clean.iter().map(|phone| self.crew.phones[*phone].device));
            self.check_settled(operation, &clean, "as soon as it was settled");
        }
    }

    fn check_settled(&mut self, operation: OperationId, phones: &[usize], when: &str) {
        let Some(target) = self.erased.get(&operation).copied() else { return };
        for phone in phones {
            let found = self.crew.steal(*phone);
            self.outcome.thefts += 1;
            if let Some(what) = self.crew.finds(&found, &target) {
                self.outcome.open_after_settlement += 1;
                self.find(format!("{when}: phone {phone} opens {what}, erased by {operation}; {}", self.crew.explain(*phone, &target)));
            }
        }
    }

    fn check(&mut self, act: usize) {
        let settled: Vec<(OperationId, BTreeSet<DeviceId>)> = self.settled.iter().map(|(id, (must, _))| (*id, must.clone())).collect();
        for (operation, devices) in settled {
            let phones: Vec<usize> =
                (0..self.crew.phones.len()).filter(|phone| devices.contains(&self.crew.phones[*phone].device)).collect();
            self.check_settled(operation, &phones, &format!("after act {act}"));
        }
        for (name, over) in self.packages.clone() {
            let found = self.crew.open_package(name);
            for operation in over {
                let Some(target) = self.erased.get(&operation).copied() else { continue };
                if let Some(what) = self.crew.finds(&found, &target) {
                    self.outcome.package_open += 1;
                    self.find(format!("after act {act}: a package written after the settlement opens {what}, erased by {operation}"));
                }
            }
        }
        let alone = self.crew.open_papers().texts.len();
        if alone > 0 {
            self.outcome.paper_open += alone;
            self.find(format!("after act {act}: papers and traffic alone open {alone} texts"));
        }
        for victim in self.removed.clone() {
            if self.board == Some(victim) {
                // it never read a record, so that every text counts as written without it; with the papers it reads until it is removed
                continue;
            }
            let device = self.crew.phones[victim].device;
            let found = self.crew.hoard(victim);
            if let Some(what) = self.crew.finds_after(&found, &device) {
                self.outcome.removed_read += 1;
                self.find(format!("after act {act}: phone {victim}, removed, reads {what}; {}", self.crew.explain_after(victim)));
            }
        }
    }

    /// Everybody comes together; then everything is judged once more.
    fn finish(&mut self) {
        self.is_relay_away = false;
        let active: Vec<usize> = (0..self.crew.phones.len()).filter(|phone| !self.removed.contains(phone)).collect();
        for round in 0..5 {
            for number in 0..self.crew.phones.len() {
                self.crew.exchange(number);
                self.read_receipts(number);
            }
            for (at, number) in active.iter().enumerate() {
                self.crew.meet(*number, active[(at + 1 + round % 2) % active.len()], None);
            }
        }
        (0..self.crew.phones.len()).for_each(|number| self.read_receipts(number));
        self.check(usize::MAX);
        for victim in self.removed.clone() {
            let device = self.crew.phones[victim].device;
            let found = self.crew.hoard(victim);
            let later = &self.crew.planted[self.removed_at[&victim]..];
            let unaware = later.iter().filter(|text| text.by != victim && !text.shut_out.contains(&device));
            self.outcome.removed_controls += unaware.filter(|text| found.sent_texts.contains(&text.text)).count();
        }
        self.count_live(&active);
        self.lose_all_phones();
        let unsettled = self.erased.keys().filter(|id| !self.settled.contains_key(id)).count();
        self.say(format_args!("{unsettled} not settled at the end"));
        self.outcome.ciphertexts = self.crew.evidence.count();
    }

    fn shown(&self, number: usize) -> BTreeSet<RecordId> {
        let store = self.crew.phones[number].store();
        let mut shown: BTreeSet<RecordId> = BTreeSet::new();
        shown.extend(store.participants().unwrap_or_default().iter().map(|line| line.id));
        shown.extend(store.encounters(None).unwrap_or_default().iter().map(|line| line.id));
        shown.extend(store.follow_ups().unwrap_or_default().iter().map(|line| line.id));
        shown
    }

    /// Every phone but the board's is lost, and the team is brought back.
    fn lose_all_phones(&mut self) {
        let Some(board) = self.board.filter(|board| !self.removed.contains(board)) else { return };
        // what it keeps is as old as its last exchange, and all have met since
        for _ in 0..2 {
            self.crew.exchange(board);
            self.crew.exchange(0);
        }
        // what one phone showed before it heard of a removal stays shown there, and waits for a steward's word on all others
        let readers = (0..self.crew.phones.len()).filter(|phone| !self.removed.contains(phone) && *phone != board);
        let before = readers.map(|phone| self.shown(phone)).reduce(|all, shown| &all & &shown).unwrap_or_default();
        if self.crew.export_recovery(board).is_none() {
            self.say(format_args!("no package"));
            return;
        }
        let new = match self.crew.recover() {
            Ok(new) => new,
            Err(error) => return self.find(format!("the team was not brought back: {}", error.code())),
        };
        self.outcome.recovered += 1;
        for _ in 0..3 {
            self.crew.exchange(new);
            self.crew.exchange(board);
        }
        let waiting = self.crew.phones[new].store().waiting_beyond_cut().unwrap_or_default();
        let waiting: Vec<_> = waiting.iter().map(|waiting| waiting.body).collect();
        self.say(format_args!("{} bodies wait beyond cuts", waiting.len()));
        if !waiting.is_empty() && self.crew.phones[new].store().adopt(&waiting).is_err() {
            self.find(String::from("the new phone adopts nothing"));
        }
        self.crew.touch(new);
        let shown = self.shown(new);
        let missing: Vec<RecordId> = before.difference(&shown).copied().collect();
        self.outcome.recovered_records += before.len();
        self.outcome.recovered_unread += missing.len();
        if !missing.is_empty() {
            let texts = self.crew.planted.iter().filter(|text| missing.contains(&text.record));
            let which: Vec<_> = texts.map(|text| (text.record, text.kind, text.subject, text.by)).collect();
            let waiting = self.crew.phones[new].store().waiting();
            self.find(format!("{} of {} records did not come back: {which:?}; {waiting:?}", missing.len(), before.len()));
        }
        let over: Vec<(OperationId, Target)> =
            self.settled.keys().filter_map(|operation| Some((*operation, *self.erased.get(operation)?))).collect();
        let found = self.crew.steal(new);
        for (operation, target) in over {
            let is_back = shown.iter().any(|record| target.covers(*record, None));
            let opened = self.crew.finds(&found, &target);
            if is_back || opened.is_some() {
                self.outcome.recovered_open += 1;
                self.find(format!(
                    "after the recovery {opened:?}, erased by {operation}; shown: {is_back}; {}",
                    self.crew.explain(new, &target)
                ));
            }
        }
    }

    fn count_live(&mut self, active: &[usize]) {
        let is_gone = |record, subject| self.erased.values().any(|target| target.covers(record, subject));
        // what a removed phone erased and nobody heard of goes on to be there
        let known = self.crew.phones[0].store().erasures().unwrap_or_default();
        let known: Vec<Target> = known.iter().filter_map(|receipt| self.erased.get(&receipt.operation).copied()).collect();
        let is_known_gone = |record| known.iter().any(|target| target.covers(record, None));
        let author_of = |record: &RecordId| self.crew.planted.iter().find(|text| text.record == *record).map(|text| text.by);
        let live: BTreeSet<(RecordId, usize)> = self
            .crew
            .planted
            .iter()
            .filter(|text| !is_gone(text.record, text.subject))
            // what a removed phone wrote beyond its cut waits, and what rests on it
            .filter(|text| {
                [Some(text.record), text.subject]
                    .into_iter()
                    .flatten()
                    .all(|record| author_of(&record).is_some_and(|by| !self.removed.contains(&by)))
            })
            .filter_map(|text| Some((text.record, author_of(&text.record)?)))
            .collect();
        for number in active {
            if self.board == Some(*number) {
                continue;
            }
            let store = self.crew.phones[*number].store();
            let shown = self.shown(*number);
            self.outcome.live += live.len();
            let missing: Vec<&(RecordId, usize)> = live.iter().filter(|(record, _)| !shown.contains(record)).collect();
            self.outcome.unread += missing.len();
            if let Some((record, by)) = missing.first() {
                let words = format!("phone {number} does not show {record} of phone {by}; waiting {:?}", store.waiting());
                self.outcome.first_find.get_or_insert(words);
            }
            let back: Vec<&RecordId> = shown.iter().filter(|record| is_known_gone(**record)).collect();
            if let Some(record) = back.first() {
                self.outcome.first_find.get_or_insert(format!("phone {number} shows {record}, which is erased"));
            }
        }
    }
}
