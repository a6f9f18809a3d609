//! Freezing: at first departure drafts become bodies, numbered, signed and sealed once and for ever.
//!
//! A document's drafts of one unlock become one body. Bodies of one departure are numbered in random order,
//! grants before what rests on them, so that the author's chain does not tell who came after whom.

use super::index::{Item, ItemKey, Place};
use super::ledger::{Line, Link};
use super::vault::Vault;
use super::write::{Draft, EntryRecord};
use crate::envelope::{self, BodyHeader, SCHEMA_VERSION};
use crate::error::Error;
use crate::record::{Encounter, EntryContent, EntryValue, Kind, Shape, Summary};
use crate::rules::Rule;
use crate::storage::Transaction;
use satchel_wire::cbor;
use satchel_wire::ids::RecordId;
use satchel_wire::limits::CONTENT_MAX_BYTES;
use std::collections::BTreeSet;

/// What one body will hold.
struct Departure {
    drafts: Vec<Draft>,
}

impl Vault {
    /// Numbers, signs and seals every draft. Nothing happens while this store is known to be a copy, or its device is removed.
    pub(super) fn freeze(&mut self, tx: &Transaction<'_>) -> Result<usize, Error> {
        if self.state.is_copied || self.require_writer().is_err() {
            return Ok(0);
        }
        self.send_tally(tx)?;
        let mut places: BTreeSet<Place> = BTreeSet::new();
        tx.for_each_draft::<Error>(|place, _, _| {
            places.insert(place);
            Ok(())
        })?;
        if places.is_empty() {
            return Ok(0);
        }
        let mut leaving = Vec::with_capacity(places.len());
        for place in places {
            let item = self.item(tx, &place)?.ok_or(Error::Damaged)?;
            let order: u64 = u64::from_le_bytes(self.env.random());
            leaving.push((item.kind != Kind::Grant, order, item));
        }
        leaving.sort_by_key(|(is_child, order, _)| (*is_child, *order));
        let mut count = 0;
        for (_, _, item) in leaving {
            count += self.freeze_record(tx, item)?;
        }
        Ok(count)
    }

    fn freeze_record(&mut self, tx: &Transaction<'_>, mut item: Item) -> Result<usize, Error> {
        let place = item.place();
        if item.kind == Kind::Encounter {
            self.renew_encounter_key(tx, &mut item)?;
        }
        let drafts = self.drafts_of(tx, &item)?;
        let last = drafts.iter().map(|(number, _)| *number).max().unwrap_or(0);
        // the first write after a ban uses a fresh key: whoever was banned keeps the old one
        let is_fresh = item.key_under(&self.ban_mark()).is_some() || !self.env.holds(Rule::FreshKeyAfterBan);
        if !is_fresh {
            let document = if item.kind.shape() == Shape::Document { Some(self.document(tx, &item)?) } else { None };
            item.keys.push(self.make_key(false));
            if let Some(document) = document {
                self.put_document(tx, &item, &document)?;
            }
            self.save_item(tx, item.clone())?;
        }
        let key = self.key_to_leave_under(tx, &item)?;
        let departures = bundle(item.kind.shape(), drafts.into_iter().map(|(_, draft)| draft));
        let count = departures.len();
        for departure in departures {
            self.depart(tx, &item, &key, &departure)?;
        }
        tx.remove_drafts_up_to(&place, last)?;
        if item.kind == Kind::Encounter {
            // until now the draft came first; among bodies it may stand beside one that another phone wrote
            self.summarise_encounter(tx, &mut item)?;
            self.save_item(tx, item)?;
        }
        Ok(count)
    }

    /// A draft of an encounter whose key was made under other bans goes under a fresh one. What it masks moves with it.
    fn renew_encounter_key(&mut self, tx: &Transaction<'_>, item: &mut Item) -> Result<(), Error> {
        let bans = self.ban_mark();
        let old = self.drafts_and_keys_of(tx, item)?.pop().filter(|(_, _, key)| key.bans != bans);
        let Some((number, mut draft, old)) = old.filter(|_| self.env.holds(Rule::FreshKeyAfterBan)) else { return Ok(()) };
        let mut content: EntryContent<Encounter> = super::read::read_entry(item.kind, &draft.content, old)?;
        let key = self.key_to_write_under(item, content.value.has_fields())?;
        self.mask(&mut content.value, &key);
        zeroize::Zeroize::zeroize(&mut draft.content);
        draft.content = content.to_bytes();
        let place = item.place();
        self.save_item(tx, item.clone())?;
        tx.remove_drafts_up_to(&place, number)?;
        self.add_draft(tx, &place, &key.record_key(), draft)
    }

    /// The key under which drafts leave: that under which an entry lies, since it masks what is in it, if it was made
    /// under the bans that are known now.
    fn key_to_leave_under(&self, tx: &Transaction<'_>, item: &Item) -> Result<ItemKey, Error> {
        let bans = self.ban_mark();
        if item.kind.shape() == Shape::Entry
            && let Some((_, _, key)) = self.drafts_and_keys_of(tx, item)?.pop()
            && (key.bans == bans || !self.env.holds(Rule::FreshKeyAfterBan))
        {
            return Ok(key.clone());
        }
        Ok(item.key_under(&bans).map_or_else(|| item.newest_key(), Ok)?.clone())
    }

    fn depart(&mut self, tx: &Transaction<'_>, item: &Item, key: &ItemKey, departure: &Departure) -> Result<(), Error> {
        let Some(first) = departure.drafts.first() else { return Ok(()) };
        let content = match item.kind.shape() {
            Shape::Document => {
                let changes: Vec<&minicbor::bytes::ByteSlice> =
                    departure.drafts.iter().map(|draft| draft.content.as_slice().into()).collect();
                zeroize::Zeroizing::new(minicbor::to_vec(&changes).map_err(|_| Error::Damaged)?)
            }
            _ => zeroize::Zeroizing::new(first.content.clone()),
        };
        let day = departure.drafts.iter().map(|draft| draft.day).max().unwrap_or(first.day);
        let device = self.device;
        let resumed = self.state.resumed.filter(|cut| cut.sequence > 0);
        let (sequence, previous) = {
            let chain = self.ledger(tx)?.chain(&device);
            let newest = chain.and_then(|chain| chain.bodies.last_key_value());
            match newest {
                // a steward let this store go on after what its other copy wrote
                newest if resumed.is_some_and(|cut| newest.is_none_or(|(sequence, _)| *sequence < cut.sequence)) => {
                    let cut = resumed.ok_or(Error::Damaged)?;
                    (cut.sequence.checked_add(1).ok_or(Error::TooMany)?, cut.body.map_or([0; 16], |body| body.short()))
                }
                Some((sequence, bodies)) => (sequence.checked_add(1).ok_or(Error::TooMany)?, bodies.first().ok_or(Error::Damaged)?.short()),
                None => (1, [0; 16]),
            }
        };
        let admitted = self.keyring.log.state().devices.get(&device).ok_or(Error::Removed)?.admitted;
        let header = BodyHeader {
            shape: item.kind.shape(),
            schema: SCHEMA_VERSION,
            device,
            session: first.session,
            sequence,
            previous,
            log_head: self.keyring.log.head_for(&admitted).ok_or(Error::Removed)?,
            keep_until: first.keep_until,
        };
        let place = item.place();
        let binding = self.binding(item, day, key.id);
        let body = envelope::seal_body(&self.env, self.team(), &binding, &key.record_key(), &self.signer, &header, &content)?;
        tx.put_body(&place, &body.id, &body.bytes)?;
        self.ledger(tx)?.append(Line::new(day, body.id, place, Link::of(&header)));
        Ok(())
    }

    /// The sum that may leave today becomes an entry like any other.
    fn send_tally(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        let today = self.today()?;
        if self.tally.is_empty() || self.state.date_in_doubt {
            return Ok(());
        }
        let Some((day, tally)) = self.tally_mut().take_sum(today) else { return Ok(()) };
        let record = RecordId::from_bytes(self.env.random());
        let keep_until = day.plus(super::write::entry_term_days(Kind::Tally));
        self.save_entry(
            tx,
            EntryRecord { record, kind: Kind::Tally, subject: None, days: (day, keep_until) },
            EntryContent::first(tally),
            Summary::Plain,
        )
    }
}

/// Puts a document's drafts of one session together, as far as a row carries them; entries leave one by one.
fn bundle(shape: Shape, drafts: impl Iterator<Item = Draft>) -> Vec<Departure> {
    let mut departures: Vec<Departure> = Vec::new();
    let mut size = 0;
    for draft in drafts {
        let added = draft.content.len() + 8;
        match departures.last_mut() {
            Some(last)
                if shape == Shape::Document
                    && size + added < CONTENT_MAX_BYTES
                    && last.drafts.len() < crate::document::limits::MAX_CHANGES_COUNT
                    && last.drafts.first().is_some_and(|first| first.session == draft.session) =>
            {
                size += added;
                last.drafts.push(draft);
            }
            _ => {
                size = added + 8;
                departures.push(Departure { drafts: vec![draft] });
            }
        }
    }
    departures
}

/// The changes in a document body's content. None if it is not the deterministic encoding.
pub(super) fn changes(content: &[u8]) -> Option<Vec<minicbor::bytes::ByteVec>> {
    let changes: Vec<minicbor::bytes::ByteVec> = cbor::decode(content).ok()?;
    (!changes.is_empty()).then_some(changes)
}
