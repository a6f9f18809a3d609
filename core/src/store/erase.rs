//! Erasure: tombstones written and applied, what comes too late, and the receipts.
//!
//! A tombstone is applied in the transaction that accepts it, wherever it came from: the items leave the index, their
//! pages are written anew under fresh keys, bodies, drafts, snapshots and held copies go, and the root is sealed under a
//! new store key. What arrives later is dropped and told. The lines of erased bodies stay in the ledger without place
//! and day: their author's chain must stay complete, and nobody may hand them over again.

use super::accept::Held;
use super::index::{Place, place_of};
use super::root::Seed;
use super::vault::Vault;
use super::{KeyReplacement, Unlocked};
use crate::consent::grant::GatedCategory;
use crate::crypto;
use crate::error::Error;
use crate::record::{Kind, mapping};
use crate::rules::Rule;
use crate::storage::{Reader, Transaction};
use crate::team::settlement::{self, Evidence};
use crate::team::state::TeamState;
use crate::team::tombstone::{self, Erasure, Target, Tombstone, TombstoneScope};
use crate::team::{Frontier, MayHold, Settlement};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::{DeviceId, MemberId, OperationId, RecordId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const ERASURES: &str = "erasures";
/// So many late edits are told; of more the newest (count).
const DROPPED_MAX_COUNT: usize = 256;

/// An edit of something erased that came too late, or had not left this phone yet. Its content is gone.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DroppedEdit {
    /// The tombstone that erased it.
    #[n(0)]
    pub operation: OperationId,
    /// What kind of record it belonged to.
    #[n(1)]
    pub kind: Kind,
    /// The phone on which it was written.
    #[n(2)]
    pub device: DeviceId,
    /// The day on which this phone dropped it.
    #[n(3)]
    pub day: ShiftDay,
    /// The day on which it was written, by its author's word.
    #[n(4)]
    #[cbor(default)]
    pub written: Option<ShiftDay>,
    /// Whose phone that was.
    #[n(5)]
    #[cbor(default)]
    pub member: Option<MemberId>,
}

/// How far an erasure is, in words for the person who asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureReceipt {
    /// The tombstone.
    pub operation: OperationId,
    /// What it erases: one word.
    pub scope: TombstoneScope,
    /// The day of the tombstone, by its author's word.
    pub day: ShiftDay,
    /// The phone that wrote it.
    pub author: DeviceId,
    /// Phones on which it is gone, and which hold no key to a copy of it.
    pub confirmed: Vec<DeviceId>,
    /// Phones that have not confirmed yet.
    pub awaited: Vec<DeviceId>,
    /// Phones that are not waited for, and why: they, and only they, may still hold it.
    pub may_still_hold: Vec<(DeviceId, MayHold)>,
    /// Nobody is waited for any more.
    pub is_settled: bool,
    /// The day on which this phone first saw that it is settled.
    pub settled_since: Option<ShiftDay>,
    /// It has no effect until a second member countersigns.
    pub waits_for_countersignature: bool,
    /// What the last replacement of this phone's store key is worth: how final the erasure is here.
    pub platform_note: KeyReplacement,
}

/// A tombstone that was applied here.
#[derive(Debug, Clone, Copy, Encode, Decode)]
#[cbor(map)]
struct Applied {
    #[n(0)]
    day: ShiftDay,
    /// Every page was searched; until then only what its author's phone named was looked at.
    #[n(1)]
    is_searched: bool,
}

/// What is kept of erasures: one sealed value.
#[derive(Debug, Clone, Default, Encode, Decode)]
#[cbor(map)]
pub(super) struct Erasures {
    #[n(0)]
    applied: BTreeMap<OperationId, Applied>,
    #[n(1)]
    dropped: Vec<DroppedEdit>,
    /// The day on which an erasure was first seen settled.
    #[n(2)]
    #[cbor(default)]
    settled: BTreeMap<OperationId, ShiftDay>,
}

/// Tombstones in force, ready to be held against records.
#[derive(Debug, Default)]
pub(super) struct Erasing {
    pub stored: Erasures,
    pub changed: bool,
    seen: Option<Arc<TeamState>>,
    /// The log changed since tombstones were last applied. Not the same as `seen`: whoever asks whether something comes
    /// too late looks at the log as well, in the middle of a transaction.
    is_due: bool,
    tombstones: Vec<(OperationId, Tombstone)>,
    /// The tombstone by which somebody's page goes right now.
    pub at_hand: BTreeMap<RecordId, OperationId>,
}

impl Erasing {
    pub(super) fn new(stored: Erasures) -> Self {
        Self { stored, ..Self::default() }
    }

    fn tell(&mut self, edit: DroppedEdit) {
        self.stored.dropped.push(edit);
        let excess = self.stored.dropped.len().saturating_sub(DROPPED_MAX_COUNT);
        self.stored.dropped.drain(..excess);
        self.changed = true;
    }
}

/// What a record other than a vault would be erased for.
pub(super) const fn target(record: RecordId, kind: Kind, subject: Option<RecordId>) -> Target {
    Target { record, kind, subject, category: None }
}

impl Vault {
    /// Takes note of the tombstones that have effect now.
    fn refresh_tombstones(&mut self) {
        let state = self.keyring.log.state();
        if self.erasing.seen.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, state)) {
            return;
        }
        let effective = state.bans.iter().filter_map(|id| {
            let tombstone = Tombstone::of(self.keyring.log.operation(id)?.action())?;
            Some((*id, tombstone))
        });
        self.erasing.tombstones = effective.collect();
        self.erasing.seen = Some(state.clone());
        self.erasing.is_due = true;
    }

    /// The tombstone that a late arrival comes too late for.
    pub(super) fn late_for(&mut self, target: &Target) -> Option<OperationId> {
        if !self.env.holds(Rule::EraseLateArrivals) {
            return None;
        }
        self.refresh_tombstones();
        self.erasing.tombstones.iter().find(|(_, tombstone)| tombstone.erases(target)).map(|(id, _)| *id)
    }

    /// Says that an edit was dropped.
    pub(super) fn tell_dropped(
        &mut self,
        operation: OperationId,
        kind: Kind,
        device: DeviceId,
        written: Option<ShiftDay>,
    ) -> Result<(), Error> {
        let day = self.today()?;
        let member = self.keyring.log.state().devices.get(&device).map(|device| device.member);
        self.erasing.tell(DroppedEdit { operation, kind, device, day, written, member });
        Ok(())
    }

    /// Applies every tombstone that took effect since the last transaction. The first step of storing anything.
    pub(super) fn apply_tombstones(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        self.refresh_tombstones();
        if !std::mem::take(&mut self.erasing.is_due) {
            return Ok(());
        }
        let applied = &self.erasing.stored.applied;
        let new: Vec<OperationId> = self.erasing.tombstones.iter().map(|(id, _)| *id).filter(|id| !applied.contains_key(id)).collect();
        if new.is_empty() {
            return Ok(());
        }
        self.erase_named(tx, &new)
    }

    /// Searches every page for what was not looked for when a tombstone was written here.
    pub(super) fn finish_searches(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        self.apply_tombstones(tx)?;
        let open = self.erasing.stored.applied.iter().filter(|(_, applied)| !applied.is_searched);
        let open: Vec<OperationId> = open.map(|(id, _)| *id).collect();
        if open.is_empty() { Ok(()) } else { self.erase_named(tx, &open) }
    }

    fn erase_named(&mut self, tx: &Transaction<'_>, operations: &[OperationId]) -> Result<(), Error> {
        self.index.load_all(tx, &self.store_id, &self.root)?;
        let named: Vec<&(OperationId, Tombstone)> = self.erasing.tombstones.iter().filter(|(id, _)| operations.contains(id)).collect();
        let mut found: Vec<(OperationId, Kind, Place)> = Vec::new();
        for item in self.index.all() {
            let target = self.target_read(item.record, item.kind, item.subject);
            if let Some((id, _)) = named.iter().find(|(_, tombstone)| tombstone.erases(&target)) {
                found.push((*id, item.kind, item.place()));
            }
        }
        let own = self.device;
        for (operation, kind, place) in &found {
            // what this phone's worker wrote and had not sent is lost with it: they are told
            let written_by = self.keyring.log.operation(operation).map(crate::team::Operation::author);
            let mut drafts = 0;
            tx.for_each_draft_of::<Error>(place, |_, _| {
                drafts += 1;
                Ok(())
            })?;
            if drafts > 0 && written_by != Some(own) {
                // one that cannot be read any more holds no erasure up
                let drafts = self.index.item(place).and_then(|item| self.drafts_of(tx, item).ok());
                let written = drafts.and_then(|drafts| Some(drafts.last()?.1.day));
                self.tell_dropped(*operation, *kind, own, written)?;
            }
        }
        let places: BTreeSet<Place> = found.iter().map(|(_, _, place)| *place).collect();
        self.erase_held(tx)?;
        let files = found.iter().filter(|(_, kind, _)| *kind == Kind::Participant);
        self.erasing.at_hand = files.filter_map(|(id, _, place)| Some((self.index.item(place)?.record, *id))).collect();
        self.erase_places(tx, &places)?;
        self.erasing.at_hand.clear();
        let day = self.today()?;
        for operation in operations {
            self.erasing.stored.applied.insert(*operation, Applied { day, is_searched: true });
        }
        self.erasing.changed = true;
        Ok(())
    }

    /// Destroys what lies at some places: keys, bodies, drafts, snapshots. The pages were read before.
    fn erase_places(&mut self, tx: &Transaction<'_>, places: &BTreeSet<Place>) -> Result<(), Error> {
        if places.is_empty() {
            // it may have been held, or listed, and be gone from there already: dropped by whatever brought the tombstone
            self.prune_pages_of_erased(tx)?;
            return self.replace_held_key(tx);
        }
        self.strike(tx, places, false)?;
        self.forget_items(tx, places)
    }

    /// Takes the lines of some places out of the ledger, and asks the relay to delete their rows.
    pub(super) fn strike(&mut self, tx: &Transaction<'_>, places: &BTreeSet<Place>, is_over: bool) -> Result<(), Error> {
        // what was given away is asked back also when the log of it goes
        self.note_copies_before(tx, places)?;
        let lines = self.ledger(tx)?.lines().filter(|line| places.contains(&line.place));
        let bodies: Vec<_> = lines.map(|line| line.body).collect();
        self.supersede_bodies(tx, &bodies)?;
        self.ledger(tx)?.strike(places, is_over);
        Ok(())
    }

    /// Takes items out of the index, under fresh page keys, a fresh root and a fresh store key.
    pub(super) fn forget_items(&mut self, tx: &Transaction<'_>, places: &BTreeSet<Place>) -> Result<(), Error> {
        let items: Vec<_> = places.iter().filter_map(|place| self.index.item(place)).map(|i| (i.kind, i.record, i.subject)).collect();
        if self.index.forget(&self.env, tx, &self.store_id, &mut self.root, places.iter())? {
            self.touch_root();
            self.require_new_store_key();
        }
        // a page at the relay lists its keys as well: its key goes, and what was read of it
        self.prune_pages_of_erased(tx)?;
        if items.iter().any(|(kind, _, _)| *kind == Kind::Participant) {
            self.forget_shared_subjects(tx)?;
            self.forget_received_subjects(tx)?;
        }
        self.replace_held_key(tx)?;
        for (kind, record, subject) in items {
            self.note_change(kind, record, subject);
        }
        Ok(())
    }

    /// Destroys held copies of what is erased. Their key is replaced right after that, with the places: also when nothing
    /// is held now, for what was held once lies in older versions of the file.
    fn erase_held(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        let mut drop: Vec<satchel_wire::ids::RowId> = Vec::new();
        for (id, held) in self.all_held(tx)? {
            let late = match held {
                Held::Row(..) => None,
                Held::Body(body) => {
                    let target = self.target_of(tx, body.record, body.kind, body.subject)?;
                    self.late_for(&target).map(|operation| (operation, body.kind, body.author, body.day))
                }
            };
            if let Some((operation, kind, author, written)) = late {
                self.tell_dropped(operation, kind, author, Some(written))?;
                drop.push(id);
            }
        }
        for id in &drop {
            self.let_go(tx, id)?;
        }
        Ok(())
    }

    /// Seals what is held, and what is known of wire pages, under a fresh key: both hold keys of records, and an old copy
    /// of the file must not give them to whoever opens this phone later.
    pub(super) fn replace_held_key(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        let held = self.all_held(tx)?;
        self.is_held_key_due = false;
        self.reseal_directory(tx)?;
        let book = self.book_before_rekey(tx)?;
        let received = self.received_before_rekey(tx)?;
        let copies = self.copies_before_rekey(tx)?;
        self.root.held = Seed::make(&self.env);
        self.put_book_again(tx, book)?;
        self.put_received_again(tx, received)?;
        self.put_copies_again(tx, copies)?;
        self.touch_root();
        self.require_new_store_key();
        for (id, held) in held {
            let plain = zeroize::Zeroizing::new(cbor::encode(&held));
            tx.remove_held(&id)?;
            self.put_held(tx, &id, &plain)?;
        }
        self.held_room = None;
        Ok(())
    }

    /// Writes a tombstone, applies it, and starts a turn that names it.
    pub(super) fn erase(&mut self, tx: &Transaction<'_>, erasure: &Erasure, places: Option<BTreeSet<Place>>) -> Result<OperationId, Error> {
        self.require_writer()?;
        let action = tombstone::write(&self.env, erasure).map_err(|_| Error::TooMany)?;
        let operation = self.write_operation(action)?.id();
        self.refresh_tombstones();
        let is_effective = self.erasing.tombstones.iter().any(|(id, _)| *id == operation);
        if !is_effective {
            return Ok(operation);
        }
        match places {
            // flat cost: the rest of the pages is searched when the phone has time
            Some(places) => {
                self.erase_held(tx)?;
                if let Erasure::Subject(participant) = erasure {
                    self.erasing.at_hand.insert(*participant, operation);
                }
                self.erase_places(tx, &places)?;
                self.erasing.at_hand.clear();
                let day = self.today()?;
                self.erasing.stored.applied.insert(operation, Applied { day, is_searched: false });
                self.erasing.changed = true;
            }
            None => self.erase_named(tx, &[operation])?,
        }
        self.end_pull(tx)?;
        Ok(operation)
    }

    /// Places about a participant, as far as the kinds that have a subject say.
    pub(super) fn places_about(&mut self, reader: &Reader<'_>, participant: RecordId) -> Result<BTreeSet<Place>, Error> {
        for kind in Kind::ALL.into_iter().filter(|kind| kind.subject_rule() != crate::record::SubjectRule::Forbidden) {
            self.index.load_kind(reader, &self.store_id, &self.root, kind)?;
        }
        Ok(self.index.about(&participant).map(super::index::Item::place).collect())
    }

    fn receipt(&mut self, operation: OperationId, platform_note: KeyReplacement) -> Result<Option<ErasureReceipt>, Error> {
        let Some((scope, day, author)) = self
            .keyring
            .log
            .operation(&operation)
            .and_then(|found| Some((TombstoneScope::of(found.action())?, found.day(), found.author())))
        else {
            return Ok(None);
        };
        let evidence = self.evidence()?;
        let env = self.env.clone();
        let Some(settlement) = settlement::settle(&env, &mut self.keyring.log, &operation, None, &evidence) else { return Ok(None) };
        let is_settled = settlement.is_settled();
        let settled_since = self.note_settled(operation, is_settled)?;
        let Settlement { is_effective, confirmed, awaited, may_still_hold } = settlement;
        Ok(Some(ErasureReceipt {
            operation,
            scope,
            day,
            author,
            confirmed: confirmed.into_iter().collect(),
            awaited: awaited.into_iter().collect(),
            may_still_hold: may_still_hold.into_iter().collect(),
            is_settled,
            settled_since,
            waits_for_countersignature: !is_effective,
            platform_note,
        }))
    }

    /// How many phones have not confirmed an erasure yet, or never will (count).
    pub(super) fn unconfirmed(&mut self, operation: OperationId) -> Result<u16, Error> {
        let receipt = self.receipt(operation, KeyReplacement::Due)?;
        let count = receipt.map_or(0, |receipt| receipt.awaited.len() + receipt.may_still_hold.len());
        Ok(u16::try_from(count).unwrap_or(u16::MAX))
    }

    /// Remembers the day on which an erasure was first seen settled, as long as it stays so.
    fn note_settled(&mut self, operation: OperationId, is_settled: bool) -> Result<Option<ShiftDay>, Error> {
        let day = self.today()?;
        let settled = &mut self.erasing.stored.settled;
        let before = settled.get(&operation).copied();
        let since = is_settled.then(|| before.unwrap_or(day));
        match since {
            Some(day) => settled.insert(operation, day),
            None => settled.remove(&operation),
        };
        self.erasing.changed |= before != since;
        Ok(since)
    }

    /// Looks whether erasures that were not settled are by now.
    pub(super) fn look_for_settlements(&mut self) -> Result<(), Error> {
        let settled = &self.erasing.stored.settled;
        let open: Vec<OperationId> = self.erasing.stored.applied.keys().filter(|id| !settled.contains_key(*id)).copied().collect();
        if open.is_empty() {
            return Ok(());
        }
        let evidence = self.evidence()?;
        let env = self.env.clone();
        for operation in open {
            let settlement = settlement::settle(&env, &mut self.keyring.log, &operation, None, &evidence);
            self.note_settled(operation, settlement.is_some_and(|settlement| settlement.is_settled()))?;
        }
        Ok(())
    }

    fn evidence(&mut self) -> Result<StoreEvidence, Error> {
        let today = self.today()?;
        let limit = self.charter()?.absence_limit_days;
        let log = &self.keyring.log;
        let heard = |device: &DeviceId| {
            let admitted = log.state().devices.get(device).and_then(|device| log.operation(&device.admitted));
            let frontier = self.keyring.frontier_of(device).map(|frontier| frontier.content().day);
            frontier.or(admitted.map(crate::team::Operation::day))
        };
        let own = self.device;
        let silent =
            log.state().devices.keys().filter(|device| **device != own && heard(device).is_some_and(|day| day.plus(limit) < today));
        let silent = silent.copied().collect();
        let frontiers = log.state().devices.keys().filter_map(|device| Some((*device, self.keyring.frontier_of(device)?))).collect();
        let mut copied = self.state.forked.clone();
        if self.state.is_copied {
            copied.insert(own);
        }
        Ok(StoreEvidence { frontiers, silent, copied })
    }
}

/// What this store knows of other phones, at one moment.
struct StoreEvidence {
    frontiers: BTreeMap<DeviceId, Frontier>,
    silent: BTreeSet<DeviceId>,
    copied: BTreeSet<DeviceId>,
}

impl Evidence for StoreEvidence {
    fn frontier(&self, device: &DeviceId) -> Option<Frontier> {
        self.frontiers.get(device).cloned()
    }
    fn is_silent(&self, device: &DeviceId) -> bool {
        self.silent.contains(device)
    }
    fn is_copied(&self, device: &DeviceId) -> bool {
        self.copied.contains(device)
    }
}

impl Unlocked {
    /// Writes, and says in this phone's own frontier what is destroyed now: after the transaction, for only then the key of
    /// old copies is gone. Where that says nothing yet, the next exchange does.
    pub(super) fn write_and_promise<T>(&self, work: impl FnOnce(&mut Vault, &Transaction<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let done = self.write(work)?;
        let _ = self.write(|vault, tx| vault.note_frontier(tx).map(drop));
        Ok(done)
    }

    /// Erases one record on every phone of the team. Its cost does not depend on how much the store holds.
    ///
    /// Errors: [`Error::NotErasedAlone`] for a file, a grant, a withdrawal and what else goes with its participant;
    /// [`Error::NoSuchRecord`], [`Error::Role`].
    pub fn erase_record(&self, kind: Kind, record: RecordId) -> Result<OperationId, Error> {
        self.write_and_promise(|vault, tx| {
            if !kind.is_erased_alone() {
                return Err(Error::NotErasedAlone);
            }
            let item = vault.find(tx, record, kind)?;
            vault.erase(tx, &Erasure::Records(vec![record]), Some(BTreeSet::from([item.place()])))
        })
    }

    /// Erases a participant and everything about them, on every phone of the team, also what arrives later.
    ///
    /// From the eleventh of one phone on it has no effect until a second member countersigns; the receipt says so.
    /// Errors: [`Error::Role`]. A participant that is not known here is erased all the same: another phone may know them.
    pub fn erase_participant(&self, participant: RecordId) -> Result<OperationId, Error> {
        self.write_and_promise(|vault, tx| {
            let places = vault.places_about(tx, participant)?;
            vault.erase(tx, &Erasure::Subject(participant), Some(places))
        })
    }

    /// Erases the facts of one gated category about a participant, also what arrives later. Errors: [`Error::Role`].
    pub fn erase_category(&self, participant: RecordId, category: GatedCategory) -> Result<OperationId, Error> {
        self.write_and_promise(|vault, tx| vault.erase(tx, &Erasure::Category(participant, category), None))
    }

    /// Erases every record of the team, on every phone, for ever. Errors: [`Error::Role`].
    pub fn erase_team(&self) -> Result<OperationId, Error> {
        self.write_and_promise(|vault, tx| vault.erase(tx, &Erasure::Team, None))
    }

    /// Drops a document's history: a new record carries its values on, and the old one is erased with every value that
    /// it ever had. Edits that arrive later are told by [`Unlocked::dropped_edits`], not merged. Returns the tombstone.
    ///
    /// Two phones that do this at once make the same new record. Errors: [`Error::NoSuchRecord`];
    /// [`Error::Document`] for a kind that other records refer to.
    pub fn drop_history(&self, kind: Kind, record: RecordId) -> Result<OperationId, Error> {
        self.write_and_promise(|vault, tx| {
            let item = vault.find(tx, record, kind)?;
            if kind.shape() != crate::record::Shape::Document {
                return Err(Error::NoSuchRecord);
            }
            let document = vault.document(tx, &item)?;
            let successor = successor_of(record);
            let fields = mapping::carried_fields(kind).ok_or(Error::Document("history_of_this_kind"))?;
            vault.edit_document(tx, successor, kind, item.subject, |edit| mapping::carry(edit, fields, &document))?;
            let places = BTreeSet::from([place_of(record, kind, item.subject)]);
            vault.erase(tx, &Erasure::History { record, successor }, Some(places))
        })
    }

    /// Every erasure that the log knows, the newest last.
    pub fn erasures(&self) -> Result<Vec<ErasureReceipt>, Error> {
        let note = self.key_replacement()?;
        self.write(|vault, _| {
            let log = vault.keyring.log.operations();
            let all: Vec<OperationId> =
                log.filter(|operation| TombstoneScope::of(operation.action()).is_some()).map(crate::team::Operation::id).collect();
            all.into_iter().filter_map(|id| vault.receipt(id, note).transpose()).collect()
        })
    }

    /// One erasure. Errors: [`Error::NoSuchRecord`] when the log does not know it.
    pub fn erasure_receipt(&self, operation: OperationId) -> Result<ErasureReceipt, Error> {
        let note = self.key_replacement()?;
        self.write(|vault, _| vault.receipt(operation, note)?.ok_or(Error::NoSuchRecord))
    }

    /// Edits of erased things that came too late, the newest last: their content is gone.
    pub fn dropped_edits(&self) -> Result<Vec<DroppedEdit>, Error> {
        self.read(|vault, _| Ok(vault.erasing.stored.dropped.clone()))
    }
}

/// The record that carries the values of another one on: the same on every phone.
pub(super) fn successor_of(record: RecordId) -> RecordId {
    RecordId::from_bytes(crypto::derive_id(crypto::labels::SUCCESSOR, &[record.as_bytes()]))
}
