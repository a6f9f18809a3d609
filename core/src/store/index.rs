//! The index: record keys and summaries, in key pages of at most 128 records of one kind and creation week.
//!
//! ```text
//! page = AEAD(page key, aad: "page", store, page id): CBOR [ item, … ]
//! tail = AEAD(page key, aad: "page", store, page id, place): CBOR item     the newest version of one item
//! item = CBOR map { 0: record, 1: kind, 2: subject, 3: day, 4: [ [key id, key, bans, author, field key], … ],
//!         5: summary, 6: until, 7: day from which fields count }
//! ```
//!
//! New and changed items are appended as tails; when enough have gathered the page is written anew under a
//! fresh page key. Forgetting a record rewrites its page and the root and nothing else. Pages are read when
//! their kind is first asked for: unlocking reads the root alone.
//!
//! A record is (id, kind, subject): a body that names a known id with another kind or subject is another
//! record, in another *place*. So nobody can take over or block a record by naming its id first.

use super::root::{PageRef, Root, Seed};
use crate::crypto::{self, Aad, FieldKey, Nonce, RecordKey, labels};
use crate::env::Env;
use crate::error::Error;
use crate::record::{Kind, Summary};
use crate::storage::{PageId, Reader, Transaction};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::{DeviceId, RecordId};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// Most records in one page (count).
pub(super) const PAGE_RECORDS_MAX_COUNT: usize = 128;
/// So many tails are written into their page (count).
const TAILS_MAX_COUNT: usize = 32;
/// Before the store is suspended, pages with so many tails are written anew: the next list opens them all (count).
const SUSPEND_TAILS_MIN_COUNT: usize = 4;
/// So many pages at most, as a system that freezes the process does not wait (count).
const SUSPEND_PAGES_MAX_COUNT: usize = 128;

/// Where a record lies in the tables: a hash of its id, kind and subject.
pub(super) type Place = RecordId;

/// The place of a record.
pub(super) fn place_of(record: RecordId, kind: Kind, subject: Option<RecordId>) -> Place {
    let subject = subject.map_or([0; 16], |subject| *subject.as_bytes());
    RecordId::from_bytes(crypto::derive_id(labels::PLACE, &[record.as_bytes(), &[kind.byte()], &subject]))
}

/// What was known of who may no longer read when a record key was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub(super) struct BanMark {
    /// How many membership bans: keys are ordered by it.
    #[n(0)]
    pub count: u32,
    /// Which: a key made under another set is not fresh.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub digest: [u8; 16],
}

impl BanMark {
    pub(super) fn of(state: &crate::team::TeamState) -> Self {
        let count = u32::try_from(state.membership_bans().count()).unwrap_or(u32::MAX);
        Self { count, digest: state.membership_bans_digest() }
    }
}

/// A key of a record, what bans were known when it was made, and whose body brought it.
#[derive(Debug, Clone, Encode, Decode)]
pub(super) struct ItemKey {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub id: [u8; 8],
    #[n(1)]
    pub key: Seed,
    #[n(2)]
    pub bans: BanMark,
    #[n(3)]
    pub author: DeviceId,
    /// The field key that this key follows from, until what it masks is over.
    #[n(4)]
    pub field: Option<Seed>,
}

impl ItemKey {
    pub(super) fn make(env: &Env, bans: BanMark, author: DeviceId) -> Self {
        Self { id: env.random(), key: Seed::make(env), bans, author, field: None }
    }
    /// One that follows from a field key.
    pub(super) fn make_with_field(env: &Env, bans: BanMark, author: DeviceId) -> Self {
        let field = FieldKey::make(env);
        let key = Seed::new(field.derive_record_key().expose());
        Self { id: env.random(), key, bans, author, field: Some(Seed::new(field.expose())) }
    }
    pub(super) fn record_key(&self) -> RecordKey {
        RecordKey::from_bytes(self.key.expose())
    }
    pub(super) fn field_key(&self) -> Option<FieldKey> {
        self.field.as_ref().map(|field| FieldKey::from_bytes(field.expose()))
    }
}

/// One record: its keys and what lists show of it.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
pub(super) struct Item {
    #[n(0)]
    pub record: RecordId,
    #[n(1)]
    pub kind: Kind,
    #[n(2)]
    pub subject: Option<RecordId>,
    /// Of an entry: its day. Of a document: its last accepted day.
    #[n(3)]
    pub day: ShiftDay,
    /// The newest key last.
    #[n(4)]
    pub keys: Vec<ItemKey>,
    #[n(5)]
    pub summary: Summary,
    /// Of an entry: the last day on which it may be kept, whatever the charter says later. Claimed days count at most
    /// two days beyond the day of arrival.
    #[n(6)]
    pub until: Option<ShiftDay>,
    /// The day from which the term of masked fields counts: the item's, but at most two days beyond the day of arrival.
    #[n(7)]
    pub fields_from: Option<ShiftDay>,
}

impl Item {
    pub(super) fn place(&self) -> Place {
        place_of(self.record, self.kind, self.subject)
    }
    /// The newest key made while exactly these bans were known: what is written next is sealed with it, or a fresh one.
    pub(super) fn key_under(&self, bans: &BanMark) -> Option<&ItemKey> {
        self.keys.iter().rev().find(|key| key.bans == *bans)
    }
    /// The same of those that can still mask, and let read, what is forgotten before the record.
    pub(super) fn masking_key_under(&self, bans: &BanMark) -> Option<&ItemKey> {
        self.keys.iter().rev().find(|key| key.bans == *bans && key.field.is_some())
    }
    /// The day from which the term of masked fields counts.
    pub(super) fn fields_day(&self) -> ShiftDay {
        self.fields_from.map_or(self.day, |from| from.min(self.day))
    }
    /// Whether something in it is still to be forgotten before the record.
    pub(super) fn has_fields(&self) -> bool {
        matches!(self.summary, Summary::Encounter { zone: Some(_), .. }) || self.keys.iter().any(|key| key.field.is_some())
    }
    /// The newest key.
    pub(super) fn newest_key(&self) -> Result<&ItemKey, Error> {
        self.keys.last().ok_or(Error::Damaged)
    }
}

/// What has been read of the key pages.
#[derive(Debug, Default)]
pub(super) struct Index {
    items: BTreeMap<Place, (Item, PageId)>,
    /// One flat set: a set per subject would cost an allocation per participant at the first list.
    by_subject: BTreeSet<(RecordId, Place)>,
    loaded: BTreeMap<PageId, BTreeSet<Place>>,
    tails: BTreeMap<PageId, BTreeSet<Place>>,
    /// How many records each page holds, by the record table's word at the first read. A page that is written to has
    /// been read before, so for those still unread this stays true.
    counts: Option<BTreeMap<PageId, usize>>,
}

impl Index {
    /// Reads every page that has not been read.
    pub(super) fn load_all(&mut self, reader: &Reader<'_>, store_id: &[u8; 16], root: &Root) -> Result<(), Error> {
        root.pages.iter().try_for_each(|page| self.load_page(reader, store_id, page))
    }

    /// Reads every page of a kind that has not been read.
    pub(super) fn load_kind(&mut self, reader: &Reader<'_>, store_id: &[u8; 16], root: &Root, kind: Kind) -> Result<(), Error> {
        for page in root.pages.iter().filter(|page| page.kind == kind) {
            self.load_page(reader, store_id, page)?;
        }
        Ok(())
    }

    /// Reads the page that holds a place, if it is stored at all. Says whether it is.
    pub(super) fn load_place(&mut self, reader: &Reader<'_>, store_id: &[u8; 16], root: &Root, place: &Place) -> Result<bool, Error> {
        if self.items.contains_key(place) {
            return Ok(true);
        }
        let Some(id) = reader.page_of(place)? else { return Ok(false) };
        let page = root.pages.iter().find(|page| page.page_id() == id).ok_or(Error::Damaged)?;
        self.load_page(reader, store_id, page)?;
        // a record whose item is gone is damage: taken for unknown, it would be begun anew under another key
        if self.items.contains_key(place) { Ok(true) } else { Err(Error::Damaged) }
    }

    fn load_page(&mut self, reader: &Reader<'_>, store_id: &[u8; 16], page: &PageRef) -> Result<(), Error> {
        let id = page.page_id();
        if self.loaded.contains_key(&id) {
            return Ok(());
        }
        // All of it, or none: a page that was read in part would be written anew without the rest.
        let key = page.page_key();
        let sealed = reader.page(&id)?.ok_or(Error::Damaged)?;
        let plain = crypto::open(&key, &page_aad(store_id, &id), &sealed).map_err(|_| Error::Damaged)?;
        let mut items: Vec<Item> = cbor::decode(&plain).map_err(|_| Error::Damaged)?;
        let mut tails = BTreeSet::new();
        for (place, sealed) in reader.tails_of(&id)? {
            let plain = crypto::open(&key, &page_aad(store_id, &id).add(place.as_bytes()), &sealed).map_err(|_| Error::Damaged)?;
            items.push(cbor::decode(&plain).map_err(|_| Error::Damaged)?);
            tails.insert(place);
        }
        // A row that a damaged file lost leaves no trace in the others, and a list would lack its record without a word.
        let places: BTreeSet<Place> = items.iter().map(Item::place).collect();
        let counts = match &mut self.counts {
            Some(counts) => counts,
            counts => counts.insert(reader.record_counts()?),
        };
        if counts.get(&id) != Some(&places.len()) {
            return Err(Error::Damaged);
        }
        self.loaded.insert(id, BTreeSet::new());
        if !tails.is_empty() {
            self.tails.insert(id, tails);
        }
        items.into_iter().for_each(|item| self.put(item, id));
        Ok(())
    }

    fn put(&mut self, item: Item, page: PageId) {
        let place = item.place();
        if let Some(subject) = item.subject {
            self.by_subject.insert((subject, place));
        }
        self.loaded.entry(page).or_default().insert(place);
        self.items.insert(place, (item, page));
    }

    /// One item that has been read.
    pub(super) fn item(&self, place: &Place) -> Option<&Item> {
        self.items.get(place).map(|(item, _)| item)
    }
    /// All items of a kind whose pages have been read.
    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Item> {
        self.items.values().map(|(item, _)| item).filter(move |item| item.kind == kind)
    }
    /// Places about a subject whose pages have been read.
    pub(super) fn about(&self, subject: &RecordId) -> impl Iterator<Item = &Item> {
        let (first, last) = (RecordId::from_bytes([0; 16]), RecordId::from_bytes([0xff; 16]));
        self.by_subject.range((*subject, first)..=(*subject, last)).filter_map(|(_, place)| self.item(place))
    }
    /// Writes an item that is new or has changed, as a tail of its page. Returns whether the root changed.
    ///
    /// The caller has loaded the item's own page, or all pages of its kind and week for a new one; the root
    /// must be stored in the same transaction when this says so.
    pub(super) fn save(
        &mut self,
        env: &Env,
        tx: &Transaction<'_>,
        store_id: &[u8; 16],
        root: &mut Root,
        item: Item,
        today: ShiftDay,
    ) -> Result<bool, Error> {
        let place = item.place();
        let known = self.items.get(&place).map(|(_, page)| *page);
        let (page, mut root_changed) = match known {
            Some(page) => (page, false),
            None => self.page_with_room(env, tx, store_id, root, item.kind, today.days() / 7)?,
        };
        let key = root.pages.iter().find(|known| known.page_id() == page).ok_or(Error::Damaged)?.page_key();
        let plain = Zeroizing::new(cbor::encode(&item));
        let aad = page_aad(store_id, &page).add(place.as_bytes());
        tx.put_tail(&place, &page, &crypto::seal(&key, Nonce::make(env), &aad, &plain).map_err(|_| Error::TooMany)?)?;
        self.put(item, page);
        let tails = self.tails.entry(page).or_default();
        tails.insert(place);
        if tails.len() >= TAILS_MAX_COUNT {
            self.fold(env, tx, store_id, root, &page)?;
            root_changed = true;
        }
        Ok(root_changed)
    }

    /// Takes items out, with everything that is stored under their places, and writes their pages anew under fresh keys;
    /// a page that is left empty goes altogether. Returns whether the root changed.
    ///
    /// The caller has loaded their pages; what is not known is not an error.
    pub(super) fn forget<'a>(
        &mut self,
        env: &Env,
        tx: &Transaction<'_>,
        store_id: &[u8; 16],
        root: &mut Root,
        places: impl Iterator<Item = &'a Place>,
    ) -> Result<bool, Error> {
        let mut pages = BTreeSet::new();
        for place in places {
            tx.remove_record(place)?;
            let Some((item, page)) = self.items.remove(place) else { continue };
            if let Some(subject) = item.subject {
                self.by_subject.remove(&(subject, *place));
            }
            if let Some(places) = self.loaded.get_mut(&page) {
                places.remove(place);
            }
            pages.insert(page);
        }
        for page in &pages {
            if self.loaded.get(page).is_some_and(|places| !places.is_empty()) {
                self.fold(env, tx, store_id, root, page)?;
                continue;
            }
            tx.remove_page(page)?;
            root.pages.retain(|known| known.page_id() != *page);
            self.loaded.remove(page);
            self.tails.remove(page);
        }
        Ok(!pages.is_empty())
    }

    /// Writes the pages of some places anew, under fresh keys: what was taken out of their items is gone from old copies
    /// as well. The root must be stored in the same transaction.
    pub(super) fn renew<'a>(
        &mut self,
        env: &Env,
        tx: &Transaction<'_>,
        store_id: &[u8; 16],
        root: &mut Root,
        places: impl Iterator<Item = &'a Place>,
    ) -> Result<(), Error> {
        let mut pages: BTreeSet<PageId> = places.filter_map(|place| self.items.get(place)).map(|(_, page)| *page).collect();
        while let Some(page) = pages.pop_first() {
            self.fold(env, tx, store_id, root, &page)?;
        }
        Ok(())
    }

    /// Every place that has been read.
    pub(super) fn all(&self) -> impl Iterator<Item = &Item> {
        self.items.values().map(|(item, _)| item)
    }

    /// Writes pages anew that have gathered tails, some at a time. Returns whether the root changed.
    pub(super) fn fold_tails(&mut self, env: &Env, tx: &Transaction<'_>, store_id: &[u8; 16], root: &mut Root) -> Result<bool, Error> {
        let gathered = self.tails.iter().filter(|(_, tails)| tails.len() >= SUSPEND_TAILS_MIN_COUNT);
        let pages: Vec<PageId> = gathered.map(|(page, _)| *page).take(SUSPEND_PAGES_MAX_COUNT).collect();
        pages.iter().try_for_each(|page| self.fold(env, tx, store_id, root, page))?;
        Ok(!pages.is_empty())
    }

    fn page_with_room(
        &mut self,
        env: &Env,
        tx: &Transaction<'_>,
        store_id: &[u8; 16],
        root: &mut Root,
        kind: Kind,
        week: u16,
    ) -> Result<(PageId, bool), Error> {
        let candidates: Vec<PageRef> = root.pages.iter().filter(|page| page.kind == kind && page.week == week).cloned().collect();
        for page in candidates.iter().rev() {
            self.load_page(tx, store_id, page)?;
            if self.loaded.get(&page.page_id()).is_some_and(|places| places.len() < PAGE_RECORDS_MAX_COUNT) {
                return Ok((page.page_id(), false));
            }
        }
        let page = PageRef { id: env.random(), key: Seed::make(env), kind, week };
        let id = page.page_id();
        self.loaded.insert(id, BTreeSet::new());
        root.pages.push(page);
        self.write_page(env, tx, store_id, root, &id)?;
        Ok((id, true))
    }

    /// Writes a page anew, under a fresh key and id. The root must be stored in the same transaction.
    fn fold(&mut self, env: &Env, tx: &Transaction<'_>, store_id: &[u8; 16], root: &mut Root, old: &PageId) -> Result<(), Error> {
        let known = root.pages.iter_mut().find(|page| page.page_id() == *old).ok_or(Error::Damaged)?;
        known.id = env.random();
        known.key = Seed::make(env);
        let new = known.page_id();
        let places = self.loaded.remove(old).unwrap_or_default();
        for place in &places {
            if let Some((_, page)) = self.items.get_mut(place) {
                *page = new;
            }
        }
        self.loaded.insert(new, places);
        self.tails.remove(old);
        let sealed = self.sealed_page(env, store_id, root, &new)?;
        tx.fold_page(old, &new, &sealed)?;
        Ok(())
    }

    fn write_page(&self, env: &Env, tx: &Transaction<'_>, store_id: &[u8; 16], root: &Root, id: &PageId) -> Result<(), Error> {
        Ok(tx.put_page(id, &self.sealed_page(env, store_id, root, id)?)?)
    }

    fn sealed_page(&self, env: &Env, store_id: &[u8; 16], root: &Root, id: &PageId) -> Result<Vec<u8>, Error> {
        let key = root.pages.iter().find(|page| page.page_id() == *id).ok_or(Error::Damaged)?.page_key();
        let items: Vec<&Item> = self.loaded.get(id).into_iter().flatten().filter_map(|place| self.item(place)).collect();
        let plain = Zeroizing::new(minicbor::to_vec(&items).map_err(|_| Error::Damaged)?);
        crypto::seal(&key, Nonce::make(env), &page_aad(store_id, id), &plain).map_err(|_| Error::TooMany)
    }
}

fn page_aad(store_id: &[u8; 16], page: &PageId) -> Aad {
    Aad::new(labels::PAGE).add(store_id).add(page.as_bytes())
}
