//! Publishing wire pages: which are made anew, and how they leave.
//!
//! A page whose records have the same keys and bodies as when it was made, by whomever, is named again by the next root
//! and not sent again. Everything else goes into pages under fresh keys. The root leaves first, so that who reads on
//! knows the pages when they come. Only what is in the index and the ledger is listed: this phone has applied every ban
//! that it knows, so nothing erased ever appears.

use super::index::{Item, ItemKey, Place};
use super::pages::{KnownPage, KnownRoot, digest_of, earliest_with_field};
use super::retention::Terms;
use super::root::Seed;
use super::vault::Vault;
use crate::crypto::PageKey;
use crate::envelope::directory::{self, DirectoryEntry, EntryKey, PAGE_CONTENT_MAX_BYTES, PageName, RootContent};
use crate::error::Error;
use crate::record::Kind;
use crate::storage::{Reader, Transaction};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{BodyId, RowId, TurnId};
use satchel_wire::limits::{
    DIRECTORY_FRONTIERS_MAX_COUNT, DIRECTORY_PAGES_MAX_COUNT, PAGE_ENTRY_BODIES_MAX_COUNT, PAGE_ENTRY_KEYS_MAX_COUNT,
    PAGE_RECORDS_MAX_COUNT,
};
use satchel_wire::row::Row;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Without a turn or an invitation, a root is published again after so many days.
const REPUBLISH_DAYS: u16 = 7;
/// A page with fewer records is made anew together with what is new (count): pages do not stay small for ever.
const SPARSE_RECORDS_COUNT: usize = 32;
/// Frontiers in one root at most (bytes): those of phones that were silent longest. The others' come in notices under the
/// turn in use as soon as they have it, with their receiving keys; of 25 phones they would be two thirds of the root.
const FRONTIERS_MAX_BYTES: usize = 2 * 1024;

/// Places of a page, which part of a divided record it is, and what it holds.
type NewPage = (Vec<Place>, u16, Vec<DirectoryEntry>);

/// What there is to list: bodies by place, and by which terms their field keys are given.
struct Listing {
    bodies: BTreeMap<Place, Vec<(BodyId, ShiftDay)>>,
    terms: Terms,
}

/// A publication on its way: it may take several pushes.
pub(super) struct Outgoing {
    /// Root rows first.
    pub rows: VecDeque<(Row, Option<KnownPage>)>,
    root: KnownRoot,
    root_rows: Vec<RowId>,
    /// Rows of all pages that the root names.
    named: BTreeSet<RowId>,
}

impl Outgoing {
    /// The turn under which its root is sealed.
    pub(super) const fn turn(&self) -> TurnId {
        self.root.turn
    }

    /// Keys of pages that have not left, as far as anybody has said so.
    #[cfg(feature = "adversary")]
    pub(super) fn dangerous_keys(&self) -> impl Iterator<Item = [u8; 32]> {
        self.rows.iter().filter_map(|(_, page)| page.as_ref()).map(|page| *page.key.expose())
    }
}

impl Vault {
    /// A root is to be published at the next exchange.
    pub(super) fn want_directory(&mut self, reader: &Reader<'_>) -> Result<(), Error> {
        if self.state.relay.is_some() {
            self.roots_mut(reader)?.is_due = true;
        }
        Ok(())
    }

    /// Whether pages are to leave now: asked once everything else has.
    pub(super) fn is_directory_due(&mut self, reader: &Reader<'_>) -> Result<bool, Error> {
        if self.directory.outgoing.is_some() {
            return Ok(true);
        }
        if self.state.date_in_doubt {
            return Ok(false);
        }
        let today = self.today()?;
        // under the first turn everything was covered that is there
        let usable = self.keyring.book.usable(&self.keyring.log).filter(|held| !held.turn.parents().is_empty()).map(|held| held.turn.id());
        let roots = self.roots(reader)?;
        let is_old = roots.newest.is_some_and(|newest| newest.plus(REPUBLISH_DAYS) <= today);
        // A turn that came in a meeting, and whose maker has not seen the relay: if all phones were lost now, the board would
        // recover a turn that opens nothing there.
        let has_none = usable.is_some_and(|turn| roots.known.iter().all(|root| root.turn != turn));
        let is_due = roots.is_due || is_old || has_none;
        Ok(is_due && self.ledger(reader)?.lines().any(super::ledger::Line::is_here))
    }

    /// The next rows of the publication, and whether they are its last.
    pub(super) fn directory_rows(&mut self, tx: &Transaction<'_>, max_bytes: usize) -> Result<(Vec<Row>, bool), Error> {
        if self.directory.outgoing.is_none() {
            self.directory.outgoing = Some(self.prepare_directory(tx)?);
        }
        let Some(outgoing) = &self.directory.outgoing else { return Ok((Vec::new(), true)) };
        let mut size = 0;
        let fitting = outgoing.rows.iter().take_while(|(row, _)| {
            size += row.as_bytes().len();
            size <= max_bytes
        });
        let rows: Vec<Row> = fitting.map(|(row, _)| row.clone()).collect();
        let is_last = rows.len() == outgoing.rows.len();
        Ok((rows, is_last))
    }

    /// Rows of the publication are at the relay.
    pub(super) fn directory_pushed(&mut self, tx: &Transaction<'_>, rows: &[Row]) -> Result<(), Error> {
        let Some(mut outgoing) = self.directory.outgoing.take() else { return Ok(()) };
        if outgoing.rows.front().map(|(row, _)| row.id()) != rows.first().map(Row::id) {
            self.directory.outgoing = Some(outgoing);
            return Ok(());
        }
        let sent: Vec<KnownPage> = outgoing.rows.drain(..rows.len().min(outgoing.rows.len())).filter_map(|(_, page)| page).collect();
        self.wire_pages_mut(tx)?.extend(sent);
        if !outgoing.rows.is_empty() {
            self.directory.outgoing = Some(outgoing);
            return Ok(());
        }
        // complete: what it does not name is not named again
        let named = outgoing.named;
        let pages = self.wire_pages_mut(tx)?;
        let superseded: Vec<RowId> = pages.iter().map(|page| page.row).filter(|row| !named.contains(row)).collect();
        pages.retain(|page| named.contains(&page.row));
        let roots = self.roots_mut(tx)?;
        let earlier = std::mem::replace(&mut roots.rows, outgoing.root_rows);
        roots.newest = roots.newest.max(Some(outgoing.root.day));
        roots.is_due = false;
        roots.number = outgoing.root.number;
        roots.known.retain(|root| root.maker != outgoing.root.maker);
        roots.known.push(outgoing.root);
        self.supersede_rows(earlier.into_iter().chain(superseded).map(|row| row.name()));
        Ok(())
    }

    fn prepare_directory(&mut self, tx: &Transaction<'_>) -> Result<Outgoing, Error> {
        let turn = self.usable_turn(tx)?;
        let lane = self.keyring.book.held().find(|held| held.turn.id() == turn).and_then(|held| held.secret.records_lane_key());
        let lane = lane.ok_or(Error::NoTurn)?;
        let team = self.team();
        let mut bodies: BTreeMap<Place, Vec<(BodyId, ShiftDay)>> = BTreeMap::new();
        for line in self.ledger(tx)?.lines().filter(|line| line.is_here()) {
            bodies.entry(line.place).or_default().push((line.body, line.day));
        }
        bodies.values_mut().for_each(|bodies| bodies.sort_unstable());
        for kind in Kind::ALL {
            self.index.load_kind(tx, &self.store_id, &self.root, kind)?;
        }
        // what is over and was not destroyed yet today: named now, it would open until the turn after this one
        let today = self.today()?;
        let lasting = self.lasting_terms(today)?;
        let over: Vec<Place> = self.index.all().filter(|item| self.is_to_be_destroyed(item, &lasting)).map(Item::place).collect();
        over.iter().for_each(|place| drop(bodies.remove(place)));
        let listing = Listing { bodies, terms: self.latest_terms()? };
        let (kept, mut open) = self.unchanged_pages(tx, &listing)?;
        // by kind and week, so that retention and erasure touch few pages
        open.sort_by_cached_key(|place| {
            self.index.item(place).map_or((0, 0, *place), |item| (item.kind.byte(), item.day.days() / 7, *place))
        });
        let mut rows = VecDeque::new();
        let mut names: Vec<PageName> = kept.iter().map(name_of).collect();
        for (places, part, entries) in self.fill(&open, &listing)? {
            let key = Seed::make(&self.env);
            let row = directory::seal_page(&self.env, team, &PageKey::from_bytes(key.expose()), &entries).map_err(|_| Error::TooMany)?;
            let fields_from = earliest_with_field(&entries);
            let page = KnownPage { row: row.id(), key, digest: digest_of(&entries)?, places, part, fields_from };
            names.push(name_of(&page));
            rows.push_back((row, Some(page)));
        }
        // a team beyond this comes by with phones; the format's limit holds
        names.truncate(DIRECTORY_PAGES_MAX_COUNT);
        // pages in the order of their rows: their order tells nothing
        names.sort_by_key(|page| page.row);
        let number = self.roots(tx)?.number + 1;
        let named = names.iter().map(|page| page.row).collect();
        let day = self.today()?;
        let content = RootContent::new(team, (self.device, number), day, names, self.frontiers_for_root());
        let (id, root_rows) = directory::seal_root(&self.env, &lane, &self.signer, &content).map_err(|_| Error::TooMany)?;
        let root = KnownRoot { id, turn, maker: self.device, day, unread: Vec::new(), reads_left: 0, is_done: true, number };
        let ids = root_rows.iter().map(Row::id).collect();
        root_rows.into_iter().rev().for_each(|row| rows.push_front((row, None)));
        Ok(Outgoing { rows, root, root_rows: ids, named })
    }

    /// Known pages that may be named again, and the places that need a page.
    fn unchanged_pages(&mut self, reader: &Reader<'_>, listing: &Listing) -> Result<(Vec<KnownPage>, Vec<Place>), Error> {
        let known = self.wire_pages(reader)?.clone();
        let mut kept = Vec::new();
        let mut sparse = Vec::new();
        let mut taken: BTreeSet<(Place, u16)> = BTreeSet::new();
        for page in known.into_iter().rev() {
            let is_free = page.places.iter().all(|place| !taken.contains(&(*place, page.part)));
            if is_free && self.current_digest(&page, listing)? == Some(page.digest) {
                taken.extend(page.places.iter().map(|place| (*place, page.part)));
                let is_sparse = page.places.len() < SPARSE_RECORDS_COUNT && !self.is_divided(&page, listing);
                if is_sparse { sparse.push(page) } else { kept.push(page) }
            }
        }
        let is_covered = |place: &Place, entries: usize| (0..entries).all(|part| taken.contains(&(*place, part as u16)));
        let mut open = Vec::new();
        for place in listing.bodies.keys() {
            let entries = self.entries_of(place, listing).len();
            if entries > 0 && !is_covered(place, entries) {
                open.push(*place);
            }
        }
        if open.is_empty() {
            kept.append(&mut sparse);
        } else {
            open.extend(sparse.into_iter().flat_map(|page| page.places));
        }
        // a divided record is made anew as a whole
        let open_set: BTreeSet<Place> = open.iter().copied().collect();
        kept.retain(|page| page.places.iter().all(|place| !open_set.contains(place)));
        Ok((kept, open))
    }

    fn is_divided(&self, page: &KnownPage, listing: &Listing) -> bool {
        page.places.first().is_some_and(|place| self.entries_of(place, listing).len() > 1)
    }

    /// What a page would hold if it were made now. None: it lists a record that is not here.
    fn current_digest(&self, page: &KnownPage, listing: &Listing) -> Result<Option<[u8; 16]>, Error> {
        let mut entries = Vec::new();
        for place in &page.places {
            let mut found = self.entries_of(place, listing);
            let at = usize::from(page.part);
            if found.len() <= at || (found.len() > 1 && page.places.len() > 1) {
                return Ok(None);
            }
            entries.push(found.swap_remove(at));
        }
        digest_of(&entries).map(Some)
    }

    /// The entries of one record: one, unless it has very many keys or bodies.
    fn entries_of(&self, place: &Place, listing: &Listing) -> Vec<DirectoryEntry> {
        let (Some(item), Some(bodies)) = (self.index.item(place), listing.bodies.get(place)) else { return Vec::new() };
        let may_give = !listing.terms.are_fields_over(item.fields_day());
        let entry_key = |key: &ItemKey| EntryKey { id: key.id, key: key.record_key(), field: key.field_key().filter(|_| may_give) };
        let mut entries = Vec::new();
        for keys in item.keys.chunks(PAGE_ENTRY_KEYS_MAX_COUNT) {
            for bodies in bodies.chunks(PAGE_ENTRY_BODIES_MAX_COUNT) {
                entries.push(DirectoryEntry {
                    record: item.record,
                    kind: item.kind.byte(),
                    subject: item.subject,
                    keys: keys.iter().map(entry_key).collect(),
                    bodies: bodies.to_vec(),
                });
            }
        }
        entries
    }

    fn fill(&self, open: &[Place], listing: &Listing) -> Result<Vec<NewPage>, Error> {
        let mut pages = Vec::new();
        let (mut places, mut entries, mut size): (Vec<Place>, Vec<DirectoryEntry>, usize) = (Vec::new(), Vec::new(), 0);
        for place in open {
            let mut found = self.entries_of(place, listing);
            if found.len() > 1 {
                for (part, entry) in found.into_iter().enumerate() {
                    pages.push((vec![*place], u16::try_from(part).map_err(|_| Error::TooMany)?, vec![entry]));
                }
                continue;
            }
            let Some(entry) = found.pop() else { continue };
            let added = zeroize::Zeroizing::new(satchel_wire::cbor::encode(&entry)).len();
            if !entries.is_empty() && (entries.len() >= PAGE_RECORDS_MAX_COUNT || size + added > PAGE_CONTENT_MAX_BYTES - 8) {
                pages.push((std::mem::take(&mut places), 0, std::mem::take(&mut entries)));
                size = 0;
            }
            size += added;
            places.push(*place);
            entries.push(entry);
        }
        if !entries.is_empty() {
            pages.push((places, 0, entries));
        }
        Ok(pages)
    }

    /// Frontiers of those who may not speak soon, the longest silent first, without their receiving keys: those come in
    /// notices under the turn in use.
    fn frontiers_for_root(&self) -> Vec<minicbor::bytes::ByteVec> {
        let active: BTreeSet<_> = self.keyring.log.state().active().map(|(id, ..)| id).collect();
        let mut frontiers: Vec<(ShiftDay, Vec<u8>)> = self
            .keyring
            .frontiers
            .iter()
            .filter(|(device, _)| active.contains(device))
            .filter_map(|(device, known)| Some((self.frontier_of(device)?.content().day, known.frontier.clone())))
            .collect();
        frontiers.sort();
        let mut size = 0;
        let fitting = frontiers.into_iter().take(DIRECTORY_FRONTIERS_MAX_COUNT).take_while(|(_, bytes)| {
            size += bytes.len();
            size <= FRONTIERS_MAX_BYTES
        });
        fitting.map(|(_, bytes)| bytes.into()).collect()
    }
}

fn name_of(page: &KnownPage) -> PageName {
    PageName { row: page.row, key: PageKey::from_bytes(page.key.expose()) }
}
