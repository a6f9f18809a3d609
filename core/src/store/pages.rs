//! Wire pages in a store: which ones this phone made or read, which root it looks through, and what that lists.
//!
//! Taking: rows that no turn here opens are judged with the keys of a root that a colleague sealed under a turn held
//! here ([`envelope::directory`]). A listed body that never came is told (`RelayReport::missing`).
//!
//! Forgetting: a root's page keys go with its turn, and the key of a page that lists a record which is not here any
//! more goes at the end of the same pull or session: otherwise an old page, kept by somebody at the relay, would open.

use super::accept::BodyVerdict;
use super::index::{Place, place_of};
use super::retention::Terms;
use super::root::Seed;
use super::vault::Vault;
use crate::crypto::{self, FieldKey, PageKey, labels};
use crate::envelope::directory::{self, DirectoryEntry, DirectoryError, EntryKey, RootContent, RootPart};
use crate::envelope::{self, Binding, Covered};
use crate::error::Error;
use crate::record::{Audience, Kind};
use crate::storage::{Reader, Transaction};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{BodyId, DeviceId, RecordId, RowId, RowName, TurnId};
use satchel_wire::limits::{DAY_AHEAD_MAX_DAYS, DIRECTORY_PAGES_MAX_COUNT, DIRECTORY_ROOT_ROWS_MAX_COUNT, DIRECTORY_WANTED_MAX_COUNT};
use satchel_wire::row::Row;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Name of the sealed roots and of what else is small.
const ROOTS: &str = "wire roots";
/// Name of the sealed pages of the newest root.
const PAGES: &str = "wire pages";
/// Most roots that are looked through at once, one a maker (count).
const ROOTS_MAX_COUNT: usize = 4;
/// How often on one day, for all roots together (count): whoever publishes roots without end costs no more than this.
const READS_PER_DAY_MAX_COUNT: u8 = 4;
/// How often the relay is read again from its beginning for one root's sake (count).
const READS_MAX_COUNT: u8 = 2;

/// A page on the wire, as this phone made or read it.
#[derive(Debug, Clone, Encode, Decode)]
pub(super) struct KnownPage {
    #[n(0)]
    pub row: RowId,
    #[n(1)]
    pub key: Seed,
    /// Of its content: a page with another content needs another key.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub digest: [u8; 16],
    #[n(3)]
    pub places: Vec<Place>,
    /// Of one record with very many bodies: which part.
    #[n(4)]
    pub part: u16,
    /// The earliest day of a record in it whose field key it lists: its own key goes when that is over.
    #[n(5)]
    pub fields_from: Option<ShiftDay>,
}

/// A root that a colleague or this phone published under a turn that is held.
#[derive(Debug, Clone, Encode, Decode)]
pub(super) struct KnownRoot {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub id: [u8; 16],
    #[n(1)]
    pub turn: TurnId,
    #[n(2)]
    pub maker: DeviceId,
    #[n(3)]
    pub day: ShiftDay,
    /// Rows and keys of pages that were not read yet.
    #[n(4)]
    pub unread: Vec<(RowId, Seed)>,
    #[n(5)]
    pub reads_left: u8,
    /// Everything that it lists is here, or was looked for long enough.
    #[n(6)]
    pub is_done: bool,
    /// Counts its maker's roots.
    #[n(7)]
    pub number: u64,
}

#[derive(Debug, Clone, Default, Encode, Decode)]
#[cbor(map)]
pub(super) struct Roots {
    #[n(0)]
    pub known: Vec<KnownRoot>,
    /// A root is to be published at the next exchange with the relay.
    #[n(1)]
    pub is_due: bool,
    /// Day of the newest root, whoever made it.
    #[n(2)]
    pub newest: Option<ShiftDay>,
    /// Rows of this phone's last root.
    #[n(3)]
    pub rows: Vec<RowId>,
    /// Its number.
    #[n(4)]
    pub number: u64,
    /// Pages of roots that others replaced: nobody needs to read them.
    #[n(5)]
    pub passed: BTreeSet<RowName>,
    /// The day on which the relay was last read again for a root's sake, and how often on that day.
    #[n(6)]
    pub read_again: Option<(ShiftDay, u8)>,
}

/// What a page said of a body that is not here.
struct Listed {
    record: RecordId,
    kind: Kind,
    subject: Option<RecordId>,
    keys: Vec<EntryKey>,
}

/// All of it. What is sealed is read when first asked for.
#[derive(Default)]
pub(super) struct Directory {
    roots: Option<Roots>,
    roots_changed: bool,
    pages: Option<Vec<KnownPage>>,
    pages_changed: bool,
    /// Pages of which the key is on disk, as far as they were looked at.
    stored: BTreeSet<RowId>,
    wanted: BTreeMap<BodyId, Vec<(Arc<Listed>, ShiftDay)>>,
    parts: BTreeMap<[u8; 16], Vec<RootPart>>,
    /// A root or page came: rows that are held may open.
    pub news: bool,
    /// What is being published.
    pub outgoing: Option<super::publish::Outgoing>,
}

impl Directory {
    /// Pages of which a key is kept.
    fn rows_with_keys(&self) -> impl Iterator<Item = RowId> {
        let unread = self.roots.iter().flat_map(|roots| &roots.known).flat_map(|root| &root.unread).map(|(row, _)| *row);
        unread.chain(self.pages.iter().flatten().map(|page| page.row))
    }

    fn note_stored(&mut self) {
        let rows: Vec<RowId> = self.rows_with_keys().collect();
        self.stored.extend(rows);
    }

    /// Whether a page's key that was stored is kept no more. An old copy of the file still has it, under the key that seals
    /// what is held: that one has to go. A page may list what was erased before the page came.
    pub(super) fn has_let_go_of_keys(&mut self) -> bool {
        if !self.roots_changed && !self.pages_changed {
            return false;
        }
        let now: BTreeSet<RowId> = self.rows_with_keys().collect();
        let has = self.stored.iter().any(|row| !now.contains(row));
        self.stored = now;
        has
    }
}

impl Vault {
    /// The roots, to be looked at.
    pub(super) fn roots(&mut self, reader: &Reader<'_>) -> Result<&Roots, Error> {
        if self.directory.roots.is_none() {
            self.directory.roots = Some(self.held_value(reader, ROOTS)?.unwrap_or_default());
            self.directory.note_stored();
        }
        self.directory.roots.as_ref().ok_or(Error::Damaged)
    }
    /// The roots, to be changed.
    pub(super) fn roots_mut(&mut self, reader: &Reader<'_>) -> Result<&mut Roots, Error> {
        self.roots(reader)?;
        self.directory.roots_changed = true;
        self.directory.roots.as_mut().ok_or(Error::Damaged)
    }
    /// Pages on the wire that this phone made or read.
    pub(super) fn wire_pages(&mut self, reader: &Reader<'_>) -> Result<&Vec<KnownPage>, Error> {
        if self.directory.pages.is_none() {
            self.directory.pages = Some(self.held_value(reader, PAGES)?.unwrap_or_default());
            self.directory.note_stored();
        }
        self.directory.pages.as_ref().ok_or(Error::Damaged)
    }
    /// The same, to be changed.
    pub(super) fn wire_pages_mut(&mut self, reader: &Reader<'_>) -> Result<&mut Vec<KnownPage>, Error> {
        self.wire_pages(reader)?;
        self.directory.pages_changed = true;
        self.directory.pages.as_mut().ok_or(Error::Damaged)
    }

    /// Stores what changed. A part of every transaction's end.
    pub(super) fn save_directory(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        if std::mem::take(&mut self.directory.roots_changed)
            && let Some(roots) = &self.directory.roots
        {
            self.put_held_value(tx, ROOTS, roots)?;
        }
        if std::mem::take(&mut self.directory.pages_changed)
            && let Some(pages) = &self.directory.pages
        {
            self.put_held_value(tx, PAGES, pages)?;
        }
        Ok(())
    }

    /// Judges a row that no turn here opens by what is known of it otherwise. None: it stays unknown.
    pub(super) fn accept_unopened(&mut self, tx: &Transaction<'_>, row: &Row) -> Result<Option<(Option<BodyId>, BodyVerdict)>, Error> {
        let team = self.team();
        if let Some((body_id, body)) = envelope::body_of(row) {
            if self.ledger(tx)?.line(&body_id).is_some() {
                // another cover of a body that is here
                return Ok(Some((Some(body_id), BodyVerdict::Known)));
            }
            let listed = self.directory.wanted.get(&body_id).cloned().unwrap_or_default();
            for (entry, day) in listed {
                let Some(EntryKey { id, key, field }) = entry.keys.iter().find(|known| envelope::is_sealed_by(body, &known.key)) else {
                    continue;
                };
                let (record, subject, kind, key_id) = (entry.record, entry.subject, entry.kind, *id);
                let binding = Binding { record, subject, audience: Audience::Team, kind, day, key_id };
                let covered =
                    Covered { binding, key: key.duplicate(), field: field.as_ref().map(FieldKey::duplicate), body_id, body: body.to_vec() };
                match self.judge(tx, covered)? {
                    // the page lied, not the row
                    BodyVerdict::ThrownAway => {}
                    verdict => {
                        // one that found no room stays wanted: it is read again
                        if !matches!(verdict, BodyVerdict::Held(_)) || self.is_kept(tx, Some(&body_id))? {
                            self.directory.wanted.remove(&body_id);
                        }
                        return Ok(Some((Some(body_id), verdict)));
                    }
                }
            }
        }
        let row_id = row.id();
        let unread = self.roots(tx)?.known.iter().flat_map(|root| &root.unread).find(|(page, _)| *page == row_id);
        if let Some(key) = unread.map(|(_, key)| key.clone()) {
            match directory::open_page(team, &PageKey::from_bytes(key.expose()), row) {
                Ok(entries) => {
                    self.take_page(tx, row_id, key, entries)?;
                    return Ok(Some((None, BodyVerdict::Known)));
                }
                // a root that names what is no page of its own: the row is not the root's to take away
                Err(_) => self.forget_unread(tx, &row_id)?,
            }
        }
        if self.roots(tx)?.passed.contains(&row_id.name()) {
            return Ok(Some((None, BodyVerdict::Known)));
        }
        let lanes: Vec<(TurnId, crate::crypto::LaneKey)> =
            self.keyring.book.held().filter_map(|held| Some((held.turn.id(), held.secret.records_lane_key()?))).collect();
        for (turn, lane) in lanes {
            match directory::open_root_part(team, &lane, row) {
                Err(DirectoryError::Key) => {}
                Ok(part) => return self.take_part(tx, turn, part),
                Err(_) => return Ok(Some((None, BodyVerdict::ThrownAway))),
            }
        }
        Ok(None)
    }

    /// A piece of a root. It stays held until the root is whole: a lock in between loses nothing.
    fn take_part(&mut self, tx: &Transaction<'_>, turn: TurnId, part: RootPart) -> Result<Option<(Option<BodyId>, BodyVerdict)>, Error> {
        let id = part.root;
        if self.roots(tx)?.known.iter().any(|root| root.id == id) {
            return Ok(Some((None, BodyVerdict::Known)));
        }
        let parts = self.directory.parts.entry(id).or_default();
        if parts.len() < DIRECTORY_ROOT_ROWS_MAX_COUNT && !parts.contains(&part) {
            parts.push(part);
        }
        let opened = match directory::join_root(self.root.team, parts) {
            Ok(Some(opened)) => opened,
            Ok(None) => {
                while self.directory.parts.len() > ROOTS_MAX_COUNT {
                    self.directory.parts.retain(|other, _| *other == id);
                }
                return Ok(None);
            }
            Err(_) => {
                self.directory.parts.remove(&id);
                return Ok(Some((None, BodyVerdict::ThrownAway)));
            }
        };
        let maker = opened.maker();
        let Some(device) = self.keyring.log.state().devices.get(&maker).cloned() else { return Ok(None) };
        self.directory.parts.remove(&id);
        let Ok(content) = opened.verify(&device.key) else { return Ok(Some((None, BodyVerdict::ThrownAway))) };
        // Entitled now, or when the turn began: after a recovery the maker is one of the phones that were lost and
        // removed, and a newcomer's admission is younger than the turn that they were handed. A root only says which keys to try; every body still proves itself.
        if self.was_entitled(&turn, &maker) {
            self.take_root(tx, id, turn, content)?;
        }
        Ok(Some((None, BodyVerdict::Known)))
    }

    fn was_entitled(&mut self, turn: &TurnId, maker: &DeviceId) -> bool {
        if self.keyring.log.state().device_role(*maker).is_some_and(crate::team::Role::reads_records) {
            return true;
        }
        let Some(heads) = self.keyring.book.known().find(|known| known.id() == *turn).map(|known| known.log_heads().to_vec()) else {
            return false;
        };
        self.keyring.log.state_of(&heads).device_role(*maker).is_some_and(crate::team::Role::reads_records)
    }

    fn take_root(&mut self, tx: &Transaction<'_>, id: [u8; 16], turn: TurnId, content: RootContent) -> Result<(), Error> {
        let own = self.device;
        for frontier in &content.frontiers {
            self.take_frontier(tx, frontier, None)?;
        }
        let newer = self.roots(tx)?.known.iter().any(|root| root.maker == content.maker && root.number > content.number);
        let known: BTreeSet<RowId> = self.wire_pages(tx)?.iter().map(|page| page.row).collect();
        let unread: Vec<(RowId, Seed)> = content
            .pages
            .iter()
            .filter(|page| content.maker != own && !known.contains(&page.row))
            .map(|page| (page.row, Seed::new(page.key.expose())))
            .collect();
        if newer {
            self.pass_over(tx, unread.iter().map(|(row, _)| *row).collect())?;
            return Ok(());
        }
        // what this root does not name any more is not named again
        let named: BTreeSet<RowId> = content.pages.iter().map(|page| page.row).collect();
        self.wire_pages_mut(tx)?.retain(|page| named.contains(&page.row));
        // one that names only pages that an earlier root named may still list bodies that have not come
        let is_done = unread.is_empty() && (content.maker == own || self.directory.wanted.is_empty());
        let replaced = self.roots(tx)?.known.iter().filter(|root| root.maker == content.maker).flat_map(|root| &root.unread);
        let replaced: Vec<RowId> = replaced.map(|(row, _)| *row).filter(|row| !named.contains(row)).collect();
        let number = content.number;
        self.roots_mut(tx)?.known.retain(|root| root.maker != content.maker);
        self.pass_over(tx, replaced)?;
        let roots = self.roots_mut(tx)?;
        roots.newest = roots.newest.max(Some(content.day));
        roots.known.push(KnownRoot {
            id,
            turn,
            maker: content.maker,
            day: content.day,
            unread,
            reads_left: READS_MAX_COUNT,
            is_done,
            number,
        });
        if roots.known.len() > ROOTS_MAX_COUNT {
            roots.known.remove(0);
        }
        self.directory.news = true;
        Ok(())
    }

    /// Pages that a newer root of the same maker does not name.
    fn pass_over(&mut self, tx: &Transaction<'_>, rows: Vec<RowId>) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        self.directory.news = true;
        let still: BTreeSet<RowId> = self.roots(tx)?.known.iter().flat_map(|root| &root.unread).map(|(row, _)| *row).collect();
        let passed = &mut self.roots_mut(tx)?.passed;
        passed.extend(rows.iter().filter(|row| !still.contains(row)).map(RowId::name));
        while passed.len() > DIRECTORY_PAGES_MAX_COUNT {
            passed.pop_first();
        }
        Ok(())
    }

    fn take_page(&mut self, tx: &Transaction<'_>, row: RowId, key: Seed, entries: Vec<DirectoryEntry>) -> Result<(), Error> {
        let digest = digest_of(&entries)?;
        let latest = self.latest_day()?.plus(DAY_AHEAD_MAX_DAYS);
        let fields_from = earliest_with_field(&entries).map(|day| day.min(latest));
        let mut places = Vec::new();
        for entry in entries {
            let Some(kind) = Kind::from_byte(entry.kind) else { continue };
            places.push(place_of(entry.record, kind, entry.subject));
            let listed = Arc::new(Listed { record: entry.record, kind, subject: entry.subject, keys: entry.keys });
            for (body, day) in entry.bodies {
                if self.ledger(tx)?.line(&body).is_none() && self.directory.wanted.len() < DIRECTORY_WANTED_MAX_COUNT {
                    self.directory.wanted.entry(body).or_default().push((Arc::clone(&listed), day));
                }
            }
        }
        // a record in several parts is read part by part; only its maker knows which is which, so it is not named again
        let is_whole = places.windows(2).all(|pair| pair[0] != pair[1]);
        if is_whole {
            self.wire_pages_mut(tx)?.push(KnownPage { row, key, digest, places, part: 0, fields_from });
        }
        self.directory.news = true;
        self.forget_unread(tx, &row)
    }

    fn forget_unread(&mut self, tx: &Transaction<'_>, row: &RowId) -> Result<(), Error> {
        self.roots_mut(tx)?.known.iter_mut().for_each(|root| root.unread.retain(|(page, _)| page != row));
        Ok(())
    }

    /// Whether a held row may open, or be let go, by what a root or page said.
    pub(super) fn may_open(&self, row: &RowId, body: Option<&BodyId>) -> bool {
        let Some(roots) = &self.directory.roots else { return false };
        let is_named = roots.known.iter().any(|root| root.unread.iter().any(|(page, _)| page == row));
        is_named || roots.passed.contains(&row.name()) || body.is_some_and(|body| self.directory.wanted.contains_key(body))
    }

    /// At the end of a pull: how many listed bodies are neither here nor held, and whether reading the relay again from
    /// its beginning may bring them. It may for rows that were let go for want of room, or that this phone read past
    /// before it had the root; that is tried a bounded number of times for each root.
    pub(super) fn directory_gap(&mut self, tx: &Transaction<'_>, may_read_again: bool) -> Result<(usize, bool), Error> {
        let mut here = Vec::new();
        for id in self.directory.wanted.keys().copied().collect::<Vec<_>>() {
            if self.ledger(tx)?.line(&id).is_some() {
                here.push(id);
            }
        }
        here.iter().for_each(|id| drop(self.directory.wanted.remove(id)));
        let mut missing = 0;
        for id in self.directory.wanted.keys() {
            if tx.held(&RowId::from_bytes(*id.as_bytes()))?.is_none() {
                missing += 1;
            }
        }
        missing += self.roots(tx)?.known.last().map_or(0, |root| root.unread.len());
        let mut again = false;
        let today = self.today()?;
        let count = self.roots(tx)?.read_again.filter(|(day, _)| *day == today).map_or(0, |(_, count)| count);
        let may_read_again = may_read_again && count < READS_PER_DAY_MAX_COUNT;
        if self.roots(tx)?.known.iter().any(|root| !root.is_done) {
            for root in &mut self.roots_mut(tx)?.known {
                if missing == 0 && root.unread.is_empty() {
                    root.is_done = true;
                } else if !root.is_done && root.reads_left > 0 {
                    root.reads_left -= u8::from(may_read_again);
                    again = may_read_again;
                } else {
                    root.is_done = true;
                }
            }
        }
        if again {
            self.roots_mut(tx)?.read_again = Some((today, count.saturating_add(1)));
        }
        Ok((missing, again))
    }

    /// What is known of wire pages is stored again in this transaction, under a key that changes.
    pub(super) fn reseal_directory(&mut self, reader: &Reader<'_>) -> Result<(), Error> {
        self.roots_mut(reader)?;
        self.wire_pages_mut(reader)?;
        Ok(())
    }

    /// After an erasure: pages that list something erased, and keys that were read of them, are forgotten.
    pub(super) fn prune_pages_of_erased(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        // what is still wanted and was not erased is listed again by the next root; what was about to leave, or has left
        // without an answer, is made anew: its keys would open what a relay kept of it
        self.directory.wanted.clear();
        self.directory.outgoing = None;
        self.directory.parts.clear();
        self.prune_pages(tx)
    }

    /// Forgets roots whose turn is not held, and pages that list what is not here any more. At the end of every pull and
    /// session, and when something is erased.
    pub(super) fn prune_pages(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        let held: Vec<TurnId> = self.keyring.book.held().map(|held| held.turn.id()).collect();
        if self.roots(tx)?.known.iter().any(|root| !held.contains(&root.turn)) {
            let roots = self.roots_mut(tx)?;
            let gone = roots.known.iter().filter(|root| !held.contains(&root.turn)).flat_map(|root| &root.unread);
            let gone: Vec<RowId> = gone.map(|(row, _)| *row).collect();
            roots.known.retain(|root| held.contains(&root.turn));
            self.pass_over(tx, gone)?;
            // keys of bodies that never came: the next root lists them again, unless they were erased
            self.directory.wanted.clear();
        }
        if self.directory.outgoing.as_ref().is_some_and(|outgoing| !held.contains(&outgoing.turn())) {
            self.directory.outgoing = None;
        }
        if self.wire_pages(tx)?.is_empty() {
            return Ok(());
        }
        let mut here: BTreeSet<Place> = BTreeSet::new();
        tx.for_each_record::<Error>(|place, _| {
            here.insert(place);
            Ok(())
        })?;
        // what is still on its way is not erased
        here.extend(self.directory.wanted.values().flatten().map(|(entry, _)| place_of(entry.record, entry.kind, entry.subject)));
        let is_live = |page: &KnownPage| page.places.iter().all(|place| here.contains(place));
        if !self.wire_pages(tx)?.iter().all(is_live) {
            self.wire_pages_mut(tx)?.retain(is_live);
        }
        Ok(())
    }

    /// Forgets pages that list a field key whose term is over. Says whether there were any.
    pub(super) fn prune_pages_with_fields(&mut self, tx: &Transaction<'_>, terms: &Terms) -> Result<bool, Error> {
        let is_over = |page: &KnownPage| page.fields_from.is_some_and(|from| terms.are_fields_over(from));
        let lists = |listed: &Listed| listed.keys.iter().any(|key| key.field.is_some());
        if self.directory.wanted.values().flatten().any(|(listed, day)| lists(listed) && terms.are_fields_over(*day)) {
            // the next root lists again what is still wanted
            self.directory.wanted.clear();
        }
        if self.directory.outgoing.as_ref().is_some_and(|outgoing| outgoing.rows.iter().filter_map(|(_, page)| page.as_ref()).any(is_over))
        {
            self.directory.outgoing = None;
        }
        let found = self.wire_pages(tx)?.iter().any(is_over);
        if found {
            self.wire_pages_mut(tx)?.retain(|page| !is_over(page));
        }
        Ok(found)
    }

    /// Keys of pages, and of bodies that they list, whether in the file or in memory alone.
    #[cfg(feature = "adversary")]
    #[allow(clippy::type_complexity, reason = "for one caller")]
    pub(super) fn dangerous_page_keys(
        &mut self,
        reader: &Reader<'_>,
    ) -> Result<(Vec<[u8; 32]>, Vec<(RecordId, Kind, Option<RecordId>, [u8; 32])>), Error> {
        let mut pages: Vec<[u8; 32]> = self.wire_pages(reader)?.iter().map(|page| *page.key.expose()).collect();
        pages.extend(self.roots(reader)?.known.iter().flat_map(|root| &root.unread).map(|(_, key)| *key.expose()));
        pages.extend(self.directory.outgoing.iter().flat_map(super::publish::Outgoing::dangerous_keys));
        let listed = self.directory.wanted.values().flatten().map(|(listed, _)| listed);
        let keys = listed.flat_map(|listed| listed.keys.iter().map(|key| (listed.record, listed.kind, listed.subject, *key.key.expose())));
        Ok((pages, keys.collect()))
    }

    /// Field keys that pages listed of bodies which are not here: in memory alone.
    #[cfg(feature = "adversary")]
    pub(super) fn dangerous_listed_fields(&self) -> Vec<[u8; 32]> {
        let keys = self.directory.wanted.values().flatten().flat_map(|(listed, _)| &listed.keys);
        keys.filter_map(|key| key.field.as_ref()).map(|field| *field.expose()).collect()
    }

    /// Another relay: nothing that was on the old one is there.
    pub(super) fn forget_wire_pages(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        *self.roots_mut(tx)? = Roots { is_due: true, ..Roots::default() };
        self.wire_pages_mut(tx)?.clear();
        self.directory.wanted.clear();
        self.directory.outgoing = None;
        Ok(())
    }
}

/// The earliest day of a record of which a page lists a field key.
pub(super) fn earliest_with_field(entries: &[DirectoryEntry]) -> Option<ShiftDay> {
    let with_field = entries.iter().filter(|entry| entry.keys.iter().any(|key| key.field.is_some()));
    with_field.flat_map(|entry| &entry.bodies).map(|(_, day)| *day).min()
}

/// What a page holds, as a hash.
pub(super) fn digest_of(entries: &[DirectoryEntry]) -> Result<[u8; 16], Error> {
    let content = zeroize::Zeroizing::new(minicbor::to_vec(entries).map_err(|_| Error::Damaged)?);
    Ok(crypto::derive_id(labels::WIRE_PAGE_DIGEST, &[&content]))
}
