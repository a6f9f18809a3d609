//! What arrives, and the verdict on it.
//!
//! A verdict is a pure function of the bytes, the schema version and the signed history: the same on every
//! phone, never changing, and independent of clocks and of the order of arrival. *Refused* is for ever;
//! *held* waits, sealed and bounded, for what is missing; a cover that does not open its body, or contradicts
//! what the author signed, is thrown away with its row, and other covers of that body are still tried.

use super::consent::summary_with;
use super::freeze::changes;
use super::index::{BanMark, Item, ItemKey, Place, place_of};
use super::ledger::{Line, Link};
use super::root::{Seed, open_value, seal_value};
use super::vault::Vault;
use super::vaults::VaultStanding;
use super::write::entry_term_days;
use crate::consent::{Grant, Withdrawal};
use crate::crypto::{self, RecordKey, labels};
use crate::document::{Actor, Document, DocumentError};
use crate::envelope::{self, BodyHeader, Covered, EnvelopeError, SCHEMA_VERSION, VerifiedBody};
use crate::error::Error;
use crate::record::{
    Audience, Encounter, EntryContent, EntryError, EntryValue, Kind, Recipient, Shape, SharingNote, SubjectRule, Summary, Tally, mapping,
};
use crate::rules::Rule;
use crate::storage::{Reader, Transaction};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::{BodyId, DeviceId, RecordId, RowId};
use satchel_wire::limits::{DAY_AHEAD_MAX_DAYS, HELD_MAX_BYTES, HELD_PER_AUTHOR_MAX_COUNT};
use satchel_wire::row::{Lane, Row};
use std::collections::{BTreeMap, BTreeSet};

/// What became of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyVerdict {
    /// New, and part of the team's records now.
    Applied,
    /// Here already.
    Known,
    /// Waits for something: its code says for what.
    Held(&'static str),
    /// Refused on every phone, for ever: its code says why.
    Refused(&'static str),
    /// A false cover: gone with its row.
    ThrownAway,
}

/// What became of some rows (counts).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acceptance {
    /// New bodies.
    pub applied: usize,
    /// Bodies that were here already.
    pub known: usize,
    /// Held back.
    pub held: usize,
    /// Refused for ever.
    pub refused: usize,
    /// Rows with a false cover.
    pub thrown_away: usize,
    /// The bodies that are here now, or known as refused.
    pub bodies: Vec<BodyId>,
    /// Codes of what was held or refused, each once.
    pub codes: Vec<&'static str>,
}

impl Acceptance {
    pub(super) fn add(&mut self, body: Option<BodyId>, verdict: BodyVerdict) {
        match verdict {
            BodyVerdict::Applied => self.applied += 1,
            BodyVerdict::Known => self.known += 1,
            BodyVerdict::Held(code) => {
                self.held += 1;
                self.note(code);
            }
            BodyVerdict::Refused(code) => {
                self.refused += 1;
                self.note(code);
            }
            BodyVerdict::ThrownAway => self.thrown_away += 1,
        }
        if matches!(verdict, BodyVerdict::Applied | BodyVerdict::Known | BodyVerdict::Refused(_)) {
            self.bodies.extend(body);
        }
    }
    /// Adds what became of other rows.
    pub(super) fn join(&mut self, other: Self) {
        self.applied += other.applied;
        self.known += other.known;
        self.held += other.held;
        self.refused += other.refused;
        self.thrown_away += other.thrown_away;
        self.bodies.extend(other.bodies);
        other.codes.into_iter().for_each(|code| self.note(code));
    }
    fn note(&mut self, code: &'static str) {
        if !self.codes.contains(&code) {
            self.codes.push(code);
        }
    }
}

const HELD: &str = "held";
/// The one code of a body whose signature could not be checked yet.
const UNKNOWN_DEVICE: &str = "held_unknown_device";
/// Most keys of one record that one author's bodies bring under the same bans (count). Phones make one per record and
/// set of bans, and a few when they write at once; whoever floods a record with keys costs everybody no more than this,
/// and takes nobody else's room.
const KEYS_PER_BAN_MAX_COUNT: usize = 8;

/// How much is held, of whom, and what each of it waits for: so that something new opens only what waited for it.
#[derive(Debug, Default)]
pub(super) struct HeldRoom {
    by_author: BTreeMap<DeviceId, usize>,
    unproven_bytes: usize,
    bytes: usize,
    waiting: BTreeMap<RowId, Waiting>,
}

/// Something held, without its content.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    author: Option<DeviceId>,
    bytes: usize,
    /// Of a row: the body that it carries.
    body: Option<BodyId>,
    /// Of a body: its place and the participant whom it is about.
    place: Option<Place>,
    subject: Option<RecordId>,
}

impl Waiting {
    fn of(held: &Held, author: Option<DeviceId>, bytes: usize) -> Self {
        let (body, place, subject) = match held {
            Held::Row(row, ..) => (Row::parse(row.clone()).ok().and_then(|row| Some(envelope::body_of(&row)?.0)), None, None),
            Held::Body(held) => (None, Some(place_of(held.record, held.kind, held.subject)), held.subject),
        };
        Self { author, bytes, body, place, subject }
    }
}

impl HeldRoom {
    fn add(&mut self, id: RowId, waiting: Waiting) {
        match waiting.author {
            Some(author) => *self.by_author.entry(author).or_default() += 1,
            None => self.unproven_bytes += waiting.bytes,
        }
        self.bytes += waiting.bytes;
        self.waiting.insert(id, waiting);
    }

    fn release(&mut self, id: &RowId) {
        let Some(waiting) = self.waiting.remove(id) else { return };
        self.bytes = self.bytes.saturating_sub(waiting.bytes);
        match waiting.author {
            None => self.unproven_bytes = self.unproven_bytes.saturating_sub(waiting.bytes),
            Some(author) => {
                if let Some(count) = self.by_author.get_mut(&author) {
                    *count = count.saturating_sub(1);
                }
            }
        }
    }

    /// Takes room if there is some.
    fn take(&mut self, id: RowId, waiting: Waiting) -> bool {
        let Waiting { author, bytes, .. } = waiting;
        let has_share = match author {
            Some(author) => self.by_author.get(&author).is_none_or(|count| *count < HELD_PER_AUTHOR_MAX_COUNT),
            None => self.unproven_bytes + bytes <= HELD_MAX_BYTES / 2,
        };
        let fits = has_share && self.bytes + bytes <= HELD_MAX_BYTES;
        if fits {
            self.add(id, waiting);
        }
        fits
    }
}

/// What is kept of something held: a row whose turn is unknown, or a body with the key that opened it.
#[derive(Debug, Encode, Decode)]
pub(super) enum Held {
    /// A row that no turn here opens, the day on which it came, and whether a relay handed it out.
    #[n(0)]
    Row(
        #[cbor(n(0), with = "minicbor::bytes")] Vec<u8>,
        #[n(1)] Option<ShiftDay>,
        #[n(2)]
        #[cbor(default)]
        bool,
    ),
    #[n(1)]
    Body(#[n(0)] HeldBody),
}

/// A body that waits, with the key that opened it.
#[derive(Debug, Encode, Decode)]
pub(super) struct HeldBody {
    #[n(0)]
    pub record: RecordId,
    #[n(1)]
    pub subject: Option<RecordId>,
    #[n(2)]
    pub kind: Kind,
    #[n(3)]
    pub day: ShiftDay,
    #[cbor(n(4), with = "minicbor::bytes")]
    pub key_id: [u8; 8],
    #[n(5)]
    pub key: Seed,
    #[n(6)]
    pub author: DeviceId,
    #[cbor(n(7), with = "minicbor::bytes")]
    pub body: Vec<u8>,
    /// The field key that the key follows from, until what it masks is over.
    #[n(8)]
    pub field: Option<Seed>,
    /// A relay handed it out: it need not be pushed there.
    #[n(9)]
    #[cbor(default)]
    pub at_relay: bool,
}

impl Vault {
    /// Judges rows of the records lane. Everything that is applied or held is stored.
    pub(super) fn accept_rows(&mut self, tx: &Transaction<'_>, rows: &[Row]) -> Result<Acceptance, Error> {
        let mut acceptance = Acceptance::default();
        for row in rows {
            let (body, verdict) = self.accept_row(tx, row)?;
            acceptance.add(body, verdict);
        }
        if acceptance.applied > 0 || self.directory.news {
            self.retry_after(tx, &acceptance.bodies)?;
        }
        Ok(acceptance)
    }

    fn accept_row(&mut self, tx: &Transaction<'_>, row: &Row) -> Result<(Option<BodyId>, BodyVerdict), Error> {
        let today = self.today()?;
        if row.lane() == Lane::Commons {
            let verdict = match self.accept_notice(tx, row)? {
                true => BodyVerdict::Known,
                false => self.hold(tx, row.id(), None, &held_row(row, today, self.is_from_relay), EnvelopeError::Cover.code())?,
            };
            return Ok((None, verdict));
        }
        if self.role().is_ok_and(|role| !role.reads_records()) {
            // a board phone has no key to records and keeps none of them
            return Ok((None, BodyVerdict::Known));
        }
        match self.uncover(row) {
            Ok(covered) => {
                let id = covered.body_id;
                Ok((Some(id), self.judge(tx, covered)?))
            }
            Err(EnvelopeError::FalseCover | EnvelopeError::Malformed) => Ok((None, BodyVerdict::ThrownAway)),
            Err(error) => {
                if error == EnvelopeError::Cover
                    && let Some(known) = self.accept_unopened(tx, row)?
                {
                    return Ok(known);
                }
                // an unknown turn, or a later version: the row waits as it is
                let verdict = self.hold(tx, row.id(), None, &held_row(row, today, self.is_from_relay), error.code())?;
                Ok((None, verdict))
            }
        }
    }

    fn uncover(&self, row: &Row) -> Result<Covered, EnvelopeError> {
        for held in self.keyring.book.held() {
            let Some(lane) = held.secret.records_lane_key() else { continue };
            match envelope::open_row(self.root.team, &lane, row) {
                Err(EnvelopeError::Cover) => {}
                other => return other,
            }
        }
        Err(EnvelopeError::Cover)
    }

    /// Judges one body with the key that its cover carried.
    pub(super) fn judge(&mut self, tx: &Transaction<'_>, covered: Covered) -> Result<BodyVerdict, Error> {
        let Covered { binding, key, field, body_id, body } = covered;
        let field = match field {
            Some(field) if self.may_keep_fields(binding.kind, binding.day)? => Some(Seed::new(field.expose())),
            _ => None,
        };
        if let Some(line) = self.ledger(tx)?.line(&body_id).copied() {
            if let Some(field) = field {
                self.take_field(tx, &line.place, &key, field)?;
            }
            return Ok(BodyVerdict::Known);
        }
        let Ok(opened) = envelope::open_body(self.team(), &binding, &key, &body) else { return Ok(BodyVerdict::ThrownAway) };
        let author = opened.claimed().device;
        let held = HeldBody {
            record: binding.record,
            subject: binding.subject,
            kind: binding.kind,
            day: binding.day,
            key_id: binding.key_id,
            key: Seed::new(key.expose()),
            author,
            body,
            field,
            at_relay: self.is_from_relay,
        };
        let Some(device) = self.keyring.log.state().devices.get(&author).cloned() else {
            // nobody's word, about something erased: its key must not even be held
            let target = self.target_of(tx, held.record, held.kind, held.subject)?;
            if self.late_for(&target).is_some() {
                return Ok(BodyVerdict::ThrownAway);
            }
            return self.hold_body(tx, body_id, held, UNKNOWN_DEVICE);
        };
        let Ok(verified) = opened.verify(&device.key) else { return Ok(BodyVerdict::ThrownAway) };
        let header = verified.header;
        if let Some(verdict) = self.drop_erased(tx, &held, body_id, &header)? {
            if held.kind == Kind::SharingNote
                && self.keyring.log.state().device_role(author).is_some_and(crate::team::Role::reads_records)
                && let Ok(content) = EntryContent::<SharingNote>::from_bytes(&verified.content, false)
                && content.value.check().is_ok()
            {
                self.note_late_copy(tx, held.day, content.value)?;
            }
            return Ok(verdict);
        }
        if header.schema > SCHEMA_VERSION {
            return self.hold_body(tx, body_id, held, "held_newer_version");
        }
        let Some(state) = self.keyring.log.state_at(&header.log_head) else { return self.hold_body(tx, body_id, held, "held_log_head") };
        let entitled = state.device_role(author).is_some_and(crate::team::Role::reads_records);
        if let Err(code) = if entitled { check_structure(&held, binding.audience, &header) } else { Err("refused_role") } {
            return self.refuse(tx, &held, body_id, &header, code);
        }
        if let Some(verdict) = self.drop_expired(tx, &held, body_id, &header)? {
            return Ok(verdict);
        }
        // banned or demoted since: what it wrote beyond the cut waits, whatever log head it names
        let beyond_cut = self.is_beyond_cut(tx, &author, header.sequence, &body_id)?;
        let is_adopted = self.keyring.log.state().adopted.contains(&body_id) || self.depended_on.contains(&body_id);
        if beyond_cut && !is_adopted && self.env.holds(Rule::HoldBeyondCut) {
            return self.hold_body(tx, body_id, held, "held_beyond_cut");
        }
        #[cfg(feature = "adversary")]
        if !self.env.holds(Rule::VerdictAsksNoGuard) && self.dangerous_guard_finds(held.kind, &verified.content) {
            return self.refuse(tx, &held, body_id, &header, "refused_by_guard");
        }
        if let Some(subject) = held.subject
            && !matches!(held.kind, Kind::Grant | Kind::Withdrawal)
        {
            let consents = self.consents(tx, &subject)?;
            // any grant at all, whatever became of it: no later one may undo this answer
            let has_grant = consents.grants().next().is_some();
            let standing = match held.kind {
                Kind::Vault => self.vault_standing(&consents, held.record),
                _ => VaultStanding::NoGrant,
            };
            match standing {
                _ if !has_grant => return self.hold_body(tx, body_id, held, "held_no_grant"),
                VaultStanding::NoGrant if held.kind == Kind::Vault => return self.hold_body(tx, body_id, held, "held_no_grant"),
                VaultStanding::Ended => return self.drop_withdrawn(tx, &held, body_id, &header),
                VaultStanding::Granted { until, .. } if until < self.today()? && !self.state.date_in_doubt => {
                    return self.drop_over(tx, &held, body_id, &header);
                }
                _ => {}
            }
        }
        let bans = BanMark::of(&state);
        let mut verdict = self.apply(tx, &held, body_id, &verified, bans)?;
        if matches!(verdict, BodyVerdict::Held("held_missing_parent")) && self.release_depended_on(tx, &held, &verified.content)? {
            verdict = self.apply(tx, &held, body_id, &verified, bans)?;
        }
        match verdict {
            BodyVerdict::Held(code) => self.hold_body(tx, body_id, held, code),
            BodyVerdict::Refused(code) => self.refuse(tx, &held, body_id, &header, code),
            other => {
                self.enter(tx, &held, body_id, &header, false)?;
                Ok(other)
            }
        }
    }

    /// Puts a body into the ledger, and notices what its place in the author's chain says.
    fn enter(&mut self, tx: &Transaction<'_>, held: &HeldBody, id: BodyId, header: &BodyHeader, refused: bool) -> Result<(), Error> {
        let place = place_of(held.record, held.kind, held.subject);
        let line = Line::new(held.day, id, place, Link::of(header));
        self.enter_line(tx, if refused { line.refused() } else { line }, header)
    }

    fn enter_line(&mut self, tx: &Transaction<'_>, line: Line, header: &BodyHeader) -> Result<(), Error> {
        let is_settled = self.is_before_resumption(&header.device, header.sequence);
        if header.device == self.device && !is_settled {
            // written by this device, and yet unknown to it: this store is an old copy, or there are two
            self.state.is_copied = true;
        }
        let ledger = self.ledger(tx)?;
        ledger.append(line);
        if !is_settled && ledger.chain(&header.device).is_some_and(super::ledger::Chain::is_forked) {
            self.state.forked.insert(header.device);
        }
        Ok(())
    }

    fn refuse(
        &mut self,
        tx: &Transaction<'_>,
        held: &HeldBody,
        id: BodyId,
        header: &BodyHeader,
        code: &'static str,
    ) -> Result<BodyVerdict, Error> {
        self.enter(tx, held, id, header, true)?;
        Ok(BodyVerdict::Refused(code))
    }

    fn apply(
        &mut self,
        tx: &Transaction<'_>,
        held: &HeldBody,
        id: BodyId,
        verified: &VerifiedBody,
        bans: BanMark,
    ) -> Result<BodyVerdict, Error> {
        let day = held.day;
        let place = place_of(held.record, held.kind, held.subject);
        let known = self.item(tx, &place)?;
        let is_new = known.is_none();
        let mut item = known.unwrap_or_else(|| Item {
            record: held.record,
            kind: held.kind,
            subject: held.subject,
            day,
            keys: Vec::new(),
            summary: Summary::Plain,
            until: None,
            fields_from: None,
        });
        if held.kind.has_fields() {
            let latest = self.latest_day()?.plus(DAY_AHEAD_MAX_DAYS);
            item.fields_from = item.fields_from.or(Some(day.min(latest)));
        }
        // by its bytes too: a key id is its author's word, and another key may stand under it already
        let mut same = item.keys.iter_mut().filter(|key| key.key.expose() == held.key.expose());
        if let Some(known) = same.find(|key| key.id == held.key_id) {
            known.field = known.field.take().or_else(|| held.field.clone());
        } else {
            let of_author = item.keys.iter().filter(|key| key.bans == bans && key.author == held.author);
            if of_author.count() >= KEYS_PER_BAN_MAX_COUNT {
                return Ok(BodyVerdict::Held("held_too_many_keys"));
            }
            item.keys.push(ItemKey { id: held.key_id, key: held.key.clone(), bans, author: held.author, field: held.field.clone() });
            // every phone writes on under the same key: the one made under the most bans, then the largest id
            item.keys.sort_by(|a, b| (a.bans, a.id, a.key.expose()).cmp(&(b.bans, b.id, b.key.expose())));
        }
        match held.kind.shape() {
            Shape::Document => {
                let Some(changes) = changes(&verified.content) else { return Ok(BodyVerdict::Refused("document_malformed")) };
                let actor = Actor::derive(verified.header.device.as_bytes(), held.record.as_bytes(), &verified.header.session);
                let mut document = self.document(tx, &item)?;
                let slices: Vec<&[u8]> = changes.iter().map(|change| change.as_slice()).collect();
                match document.apply(&slices, &[actor]) {
                    Ok(_) => {}
                    Err(DocumentError::Held { .. }) => return Ok(BodyVerdict::Held("held_missing_parent")),
                    Err(DocumentError::Equivocation { .. }) => {
                        tx.put_body(&place, &id, &held.body)?;
                        document = self.rebuild(tx, &item)?;
                    }
                    Err(error) => return Ok(BodyVerdict::Refused(error.code())),
                }
                item.day = if is_new { day } else { item.day.max(day) };
                if is_new && held.kind == Kind::Participant {
                    // an encounter with them may have come first
                    let last = self.last_contact_with(tx, held.record)?;
                    item.day = item.day.max(last.unwrap_or(item.day));
                }
                item.summary = mapping::summary(held.kind, &document);
                self.put_document(tx, &item, &document)?;
                tx.put_body(&place, &id, &held.body)?;
                self.save_item(tx, item)?;
            }
            _ => {
                if let Err(error) = check_entry(held.kind, &verified.content) {
                    return Ok(BodyVerdict::Refused(error.code()));
                }
                if let Some(code) = check_dates(held, verified) {
                    return Ok(BodyVerdict::Refused(code));
                }
                if held.kind.has_successors()
                    && let Some(verdict) = self.judge_successor(tx, &item, held, verified)?
                {
                    return Ok(verdict);
                }
                item.day = day;
                item.until = self.entry_until(held.kind, day, verified.header.keep_until)?;
                tx.put_body(&place, &id, &held.body)?;
                if let Some(summary) = summary_with(held.kind, (!is_new).then_some(&item.summary), &verified.content) {
                    item.summary = summary;
                }
                if held.kind == Kind::Encounter {
                    // the version shown may be another one than this
                    self.summarise_encounter(tx, &mut item)?;
                }
                self.save_item(tx, item)?;
                if let (Kind::Encounter, Some(participant)) = (held.kind, held.subject) {
                    self.note_contact(tx, participant, day)?;
                }
                if let (Kind::Grant | Kind::Withdrawal, Some(participant)) = (held.kind, held.subject) {
                    self.end_vaults(tx, &participant)?;
                }
            }
        }
        Ok(BodyVerdict::Applied)
    }

    /// Whether a field key of such a record is taken and kept: what it masks is not over yet.
    fn may_keep_fields(&mut self, kind: Kind, day: ShiftDay) -> Result<bool, Error> {
        let today = self.today()?;
        Ok(kind.has_fields() && !self.lasting_terms(today)?.are_fields_over(day.min(today.plus(DAY_AHEAD_MAX_DAYS))))
    }

    /// A body that is here came again, with a field key that was not: from somebody whose clock is behind another's.
    fn take_field(&mut self, tx: &Transaction<'_>, place: &Place, key: &RecordKey, field: Seed) -> Result<(), Error> {
        let Some(mut item) = self.item(tx, place)? else { return Ok(()) };
        let terms = self.latest_terms()?;
        let Some(known) = item.keys.iter_mut().find(|known| known.field.is_none() && known.key.expose() == key.expose()) else {
            return Ok(());
        };
        if terms.are_fields_over(item.fields_from.unwrap_or(item.day)) {
            return Ok(());
        }
        known.field = Some(field);
        self.summarise_encounter(tx, &mut item)?;
        self.save_item(tx, item)
    }

    /// What lists show of an encounter: of the version that is shown.
    pub(super) fn summarise_encounter(&mut self, reader: &Reader<'_>, item: &mut Item) -> Result<(), Error> {
        item.summary = match self.entry_values::<Encounter>(reader, item)?.first() {
            Some(shown) => mapping::encounter_summary(shown),
            None => Summary::Plain,
        };
        Ok(())
    }

    /// A correction names versions of the same record and keeps their day and expiry; what it names must be here first.
    fn judge_successor(
        &mut self,
        tx: &Transaction<'_>,
        item: &Item,
        held: &HeldBody,
        verified: &VerifiedBody,
    ) -> Result<Option<BodyVerdict>, Error> {
        let Ok(content) = EntryContent::<Encounter>::from_bytes(&verified.content, true) else { return Ok(None) };
        let place = item.place();
        for replaced in content.replaces.iter().flatten() {
            let Some(line) = self.ledger(tx)?.line(replaced).copied() else { return Ok(Some(BodyVerdict::Held("held_missing_parent"))) };
            let body = tx.body(&place, replaced)?;
            let keep_until = body.and_then(|body| {
                let opened = item
                    .keys
                    .iter()
                    .find_map(|key| envelope::open_body(self.team(), &self.binding(item, line.day, key.id), &key.record_key(), &body).ok());
                opened.map(|opened| opened.claimed().keep_until)
            });
            if line.place != place || line.day != held.day || keep_until != Some(verified.header.keep_until) {
                return Ok(Some(BodyVerdict::Refused("refused_successor")));
            }
        }
        Ok(None)
    }

    /// The day of the last encounter with somebody that is known here.
    fn last_contact_with(&mut self, reader: &Reader<'_>, participant: RecordId) -> Result<Option<ShiftDay>, Error> {
        self.index.load_kind(reader, &self.store_id, &self.root, Kind::Encounter)?;
        Ok(self.index.about(&participant).filter(|item| item.kind == Kind::Encounter).map(|item| item.day).max())
    }

    /// Builds a document from its bodies alone, always in the same order: of two changes that claim one place in
    /// their actor's sequence, every phone takes the one in the smaller body that can be applied first.
    fn rebuild(&mut self, tx: &Transaction<'_>, item: &Item) -> Result<Document, Error> {
        let place = item.place();
        let own = Actor::derive(self.device.as_bytes(), item.record.as_bytes(), &self.session);
        let mut document = Document::new(own);
        let mut waiting: BTreeMap<BodyId, zeroize::Zeroizing<Vec<u8>>> = BTreeMap::new();
        for id in tx.bodies_of(&place)? {
            let body = tx.body(&place, &id)?.ok_or(Error::Damaged)?;
            waiting.insert(id, self.open_own_body(item, &body)?);
        }
        loop {
            let next = waiting.iter().find_map(|(id, content)| {
                let changes = changes(content)?;
                let slices: Vec<&[u8]> = changes.iter().map(|change| change.as_slice()).collect();
                let actors: Vec<Actor> =
                    slices.iter().filter_map(|change| crate::document::inspect_change(change).ok()).map(|facts| facts.actor).collect();
                let mut with = document.clone();
                // the signer was checked when each body came in; here only the order is decided
                with.apply(&slices, &actors).is_ok().then_some((*id, with))
            });
            let Some((id, with)) = next else { break };
            waiting.remove(&id);
            document = with;
        }
        for (_, draft) in self.drafts_of(tx, item)? {
            let actors: Vec<Actor> = crate::document::inspect_change(&draft.content).map(|facts| facts.actor).into_iter().collect();
            // a draft that rests on a change that lost is lost with it, as every phone would see it
            let _ = document.apply(&[draft.content.as_slice()], &actors);
        }
        Ok(document)
    }

    fn hold_body(&mut self, tx: &Transaction<'_>, id: BodyId, held: HeldBody, code: &'static str) -> Result<BodyVerdict, Error> {
        // what nobody's signature vouches for is nobody's: all of it shares one author's room
        let author = (code != UNKNOWN_DEVICE).then_some(held.author);
        let at = held_at(&id, &held, code);
        self.hold(tx, at, author, &Held::Body(held), code)
    }

    fn hold(
        &mut self,
        tx: &Transaction<'_>,
        id: RowId,
        author: Option<DeviceId>,
        held: &Held,
        code: &'static str,
    ) -> Result<BodyVerdict, Error> {
        if tx.held(&id)?.is_some() {
            return Ok(BodyVerdict::Held(code));
        }
        // Bounded, and fair: each proven author has a share, and what no author can be proven of shares half of the room,
        // so that noise never crowds out what a member signed. A body that does not fit is asked for again, by its id,
        // when phones meet; a row that no turn here opens is read from the relay again after the next turn.
        self.load_held(tx)?;
        let plain = zeroize::Zeroizing::new(cbor::encode(held));
        let sealed = seal_value(&self.env, &self.root.held_key(), HELD, id.as_bytes(), &plain)?;
        let waiting = Waiting::of(held, author, sealed.len());
        if self.held_room.as_mut().is_some_and(|room| room.take(id, waiting)) {
            tx.put_held(&id, &sealed)?;
        } else {
            // also what a member signed: a phone that meets nobody would never hear of it again
            self.state.is_pull_incomplete = true;
        }
        Ok(BodyVerdict::Held(code))
    }

    /// Counts what is held, once an unlock: everything is opened for it, and never again without a reason.
    fn load_held(&mut self, reader: &Reader<'_>) -> Result<(), Error> {
        if self.held_room.is_some() {
            return Ok(());
        }
        let mut room = HeldRoom::default();
        reader.for_each_held::<Error>(|id, sealed| {
            let held = self.open_held(&id, sealed)?;
            let author = match &held {
                // an unproven body lies elsewhere than under its own id, and counts as nobody's
                Held::Body(body) => (BodyId::of(&body.body).as_bytes() == id.as_bytes()).then_some(body.author),
                Held::Row(..) => None,
            };
            room.add(id, Waiting::of(&held, author, sealed.len()));
            Ok(())
        })?;
        self.held_room = Some(room);
        Ok(())
    }

    /// Removes something that was held. Never remove it from the table alone: its room would stay taken.
    pub(super) fn let_go(&mut self, tx: &Transaction<'_>, id: &RowId) -> Result<(), Error> {
        tx.remove_held(id)?;
        if let Some(room) = &mut self.held_room {
            room.release(id);
        }
        Ok(())
    }

    /// What of everything held waited for bodies that were applied, or for what wire pages say.
    fn ready_after(&mut self, tx: &Transaction<'_>, applied: &[BodyId]) -> Result<Vec<RowId>, Error> {
        let mut places = BTreeSet::new();
        let mut subjects = BTreeSet::new();
        let mut removed = BTreeSet::new();
        for body in applied {
            let Some((place, author)) = self.ledger(tx)?.line(body).map(|line| (line.place, line.device)) else { continue };
            places.insert(place);
            if !self.keyring.log.state().device_role(author).is_some_and(crate::team::Role::reads_records) {
                // what it wrote before this is known by name now
                removed.insert(author);
            }
            if let Some(item) = self.item(tx, &place)?
                && matches!(item.kind, Kind::Grant | Kind::Withdrawal)
            {
                subjects.extend(item.subject);
            }
        }
        self.load_held(tx)?;
        let has_news = std::mem::take(&mut self.directory.news);
        let is_ready = |id: &RowId, waiting: &Waiting| {
            waiting.place.is_some_and(|place| places.contains(&place))
                || waiting.subject.is_some_and(|subject| subjects.contains(&subject))
                || waiting.author.is_some_and(|author| removed.contains(&author))
                || (has_news && self.may_open(id, waiting.body.as_ref()))
        };
        let waiting = self.held_room.iter().flat_map(|room| &room.waiting);
        Ok(waiting.filter(|(id, waiting)| is_ready(id, waiting)).map(|(id, _)| *id).collect())
    }

    /// Tries what waited for bodies that were applied, and what waited for that, and so on.
    fn retry_after(&mut self, tx: &Transaction<'_>, applied: &[BodyId]) -> Result<(), Error> {
        let mut applied = applied.to_vec();
        while !applied.is_empty() || self.directory.news {
            let ready = self.ready_after(tx, &applied)?;
            applied = self.retry(tx, &ready, &mut Acceptance::default())?;
        }
        Ok(())
    }

    pub(super) fn open_held(&self, id: &RowId, sealed: &[u8]) -> Result<Held, Error> {
        let plain = open_value(&self.root.held_key(), HELD, id.as_bytes(), sealed)?;
        cbor::decode(&plain).map_err(|_| Error::Damaged)
    }

    /// Everything that is held back.
    pub(super) fn all_held(&self, reader: &Reader<'_>) -> Result<Vec<(RowId, Held)>, Error> {
        let mut all = Vec::new();
        reader.for_each_held::<Error>(|id, sealed| {
            all.push((id, self.open_held(&id, sealed)?));
            Ok(())
        })?;
        Ok(all)
    }

    /// Stores something held under the key that is in force now.
    pub(super) fn put_held(&self, tx: &Transaction<'_>, id: &RowId, plain: &[u8]) -> Result<(), Error> {
        tx.put_held(id, &seal_value(&self.env, &self.root.held_key(), HELD, id.as_bytes(), plain)?)?;
        Ok(())
    }

    /// A body of something erased leaves its line and nothing else, so that it is never asked for again.
    fn drop_erased(
        &mut self,
        tx: &Transaction<'_>,
        held: &HeldBody,
        id: BodyId,
        header: &BodyHeader,
    ) -> Result<Option<BodyVerdict>, Error> {
        let target = self.target_of(tx, held.record, held.kind, held.subject)?;
        let Some(operation) = self.late_for(&target) else { return Ok(None) };
        let place = place_of(held.record, held.kind, held.subject);
        self.enter_line(tx, Line::new(held.day, id, place, Link::of(header)).erased(), header)?;
        self.tell_dropped(operation, held.kind, header.device, Some(held.day))?;
        Ok(Some(BodyVerdict::Refused("erased")))
    }

    /// A body whose record's time was over before it arrived leaves its line as well.
    fn drop_expired(
        &mut self,
        tx: &Transaction<'_>,
        held: &HeldBody,
        id: BodyId,
        header: &BodyHeader,
    ) -> Result<Option<BodyVerdict>, Error> {
        let place = place_of(held.record, held.kind, held.subject);
        if !self.comes_too_late(tx, &place, held.kind, held.day, header.keep_until)? {
            return Ok(None);
        }
        self.drop_over(tx, held, id, header).map(Some)
    }

    fn drop_over(&mut self, tx: &Transaction<'_>, held: &HeldBody, id: BodyId, header: &BodyHeader) -> Result<BodyVerdict, Error> {
        let place = place_of(held.record, held.kind, held.subject);
        self.enter_line(tx, Line::new(held.day, id, place, Link::of(header)).expired(), header)?;
        Ok(BodyVerdict::Refused("expired"))
    }

    /// Facts whose grant was taken back, or never covered them, leave a line as what was erased does: whatever came first,
    /// nothing of them is here in the end.
    fn drop_withdrawn(&mut self, tx: &Transaction<'_>, held: &HeldBody, id: BodyId, header: &BodyHeader) -> Result<BodyVerdict, Error> {
        let place = place_of(held.record, held.kind, held.subject);
        self.enter_line(tx, Line::new(held.day, id, place, Link::of(header)).erased(), header)?;
        Ok(BodyVerdict::Refused("withdrawn"))
    }

    /// Forgets rows that have waited for their turn longer than a phone may be away.
    ///
    /// A row under a turn that was destroyed, or was never meant for this phone, opens for nobody any more, and
    /// nothing in it says so. What it carried comes from any colleague that holds it, under a newer cover.
    pub(super) fn forget_stale_rows(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        let today = self.today()?;
        if self.state.date_in_doubt || tx.held_usage()?.count == 0 {
            return Ok(());
        }
        let limit = self.charter()?.absence_limit_days;
        let mut stale = Vec::new();
        tx.for_each_held::<Error>(|id, sealed| {
            if let Held::Row(_, came, _) = self.open_held(&id, sealed)?
                && came.is_none_or(|came| came.plus(limit) < today)
            {
                stale.push(id);
            }
            Ok(())
        })?;
        for id in stale {
            self.let_go(tx, &id)?;
        }
        Ok(())
    }

    /// Tries everything that is held again, until nothing moves: after a turn or an operation, which anything may wait for.
    pub(super) fn retry_held(&mut self, tx: &Transaction<'_>) -> Result<Acceptance, Error> {
        let mut acceptance = Acceptance::default();
        self.load_held(tx)?;
        let all: Vec<RowId> = self.held_room.iter().flat_map(|room| room.waiting.keys()).copied().collect();
        let mut applied = self.retry(tx, &all, &mut acceptance)?;
        while !applied.is_empty() || self.directory.news {
            let ready = self.ready_after(tx, &applied)?;
            applied = self.retry(tx, &ready, &mut acceptance)?;
        }
        Ok(acceptance)
    }

    /// Tries what is held about somebody: after a withdrawal none of it may keep its key.
    pub(super) fn retry_about(&mut self, tx: &Transaction<'_>, subject: &RecordId) -> Result<(), Error> {
        self.load_held(tx)?;
        let waiting = self.held_room.iter().flat_map(|room| &room.waiting).filter(|(_, waiting)| waiting.subject.as_ref() == Some(subject));
        let ids: Vec<RowId> = waiting.map(|(id, _)| *id).collect();
        let applied = self.retry(tx, &ids, &mut Acceptance::default())?;
        self.retry_after(tx, &applied)
    }

    /// Tries some of what is held. Returns the bodies that were applied.
    fn retry(&mut self, tx: &Transaction<'_>, ids: &[RowId], acceptance: &mut Acceptance) -> Result<Vec<BodyId>, Error> {
        let (mut applied, mut found_no_room) = (Vec::new(), false);
        for id in ids {
            let Some(sealed) = tx.held(id)? else {
                self.let_go(tx, id)?;
                continue;
            };
            let held = self.open_held(id, &sealed)?;
            let at_relay = matches!(&held, Held::Row(_, _, true) | Held::Body(HeldBody { at_relay: true, .. }));
            let (body, verdict, stays) = match held {
                Held::Row(bytes, ..) => match Row::parse(bytes) {
                    Ok(row) => {
                        let before = std::mem::replace(&mut self.is_from_relay, at_relay);
                        let accepted = self.accept_row(tx, &row);
                        self.is_from_relay = before;
                        let (body, verdict) = accepted?;
                        // opened, and its author's room is used up: it waits as the row that it was, or it would be lost
                        let has_no_room = matches!(verdict, BodyVerdict::Held(_)) && !self.is_kept(tx, body.as_ref())?;
                        found_no_room |= has_no_room;
                        (body, verdict, body.is_none() || has_no_room)
                    }
                    Err(_) => (None, BodyVerdict::ThrownAway, false),
                },
                Held::Body(held) => {
                    let covered = held.covered();
                    let body = covered.body_id;
                    let before = std::mem::replace(&mut self.is_from_relay, at_relay);
                    let judged = self.judge(tx, covered);
                    self.is_from_relay = before;
                    let verdict = judged?;
                    let stays = matches!(verdict, BodyVerdict::Held(code) if held_at(&body, &held, code) == *id);
                    self.is_held_key_due |= matches!(verdict, BodyVerdict::Refused("expired" | "withdrawn"));
                    (Some(body), verdict, stays)
                }
            };
            if !(stays && matches!(verdict, BodyVerdict::Held(_))) {
                self.let_go(tx, id)?;
                acceptance.add(body, verdict);
                if matches!(verdict, BodyVerdict::Applied) {
                    // what a steward adopted lies there under a turn that those who had removed its author do not hold
                    let is_adopted = |body: &BodyId| self.keyring.log.state().adopted.contains(body);
                    if let Some(body) = body.filter(|body| at_relay && !is_adopted(body)) {
                        self.ledger(tx)?.mark_relayed(&body, true);
                    }
                    applied.extend(body);
                }
            }
        }
        // what was applied may have made room, and may be what they wait for
        self.directory.news |= found_no_room && !applied.is_empty();
        Ok(applied)
    }

    /// Whether a body that waits is among what is held.
    pub(super) fn is_kept(&self, reader: &Reader<'_>, body: Option<&BodyId>) -> Result<bool, Error> {
        Ok(body.map_or(Ok(None), |body| reader.held(&RowId::from_bytes(*body.as_bytes())))?.is_some())
    }
}

fn held_row(row: &Row, today: ShiftDay, at_relay: bool) -> Held {
    Held::Row(row.as_bytes().to_vec(), Some(today), at_relay)
}

/// Where a held body lies. A proven one under its id: there is one binding that its author signed. An unproven one
/// under everything that its cover said, so that a false cover never takes the place of the true one.
fn held_at(id: &BodyId, held: &HeldBody, code: &str) -> RowId {
    if code != UNKNOWN_DEVICE {
        return RowId::from_bytes(*id.as_bytes());
    }
    let said = zeroize::Zeroizing::new(cbor::encode(held));
    RowId::from_bytes(crypto::derive_hash(labels::HELD, &[&said]))
}

/// The structural rules of schema version 1: a pure function of what the author signed.
fn check_structure(held: &HeldBody, audience: Audience, header: &BodyHeader) -> Result<(), &'static str> {
    if audience != Audience::Team {
        return Err("refused_audience");
    }
    if header.shape != held.kind.shape() {
        return Err("refused_shape");
    }
    let subject = match held.kind.subject_rule() {
        SubjectRule::Required => held.subject.is_some() && (held.kind != Kind::Participant || held.subject == Some(held.record)),
        SubjectRule::Optional => true,
        SubjectRule::Forbidden => held.subject.is_none(),
    };
    if !subject {
        return Err("refused_subject");
    }
    match (header.shape, header.keep_until) {
        (Shape::Document, None) => Ok(()),
        (Shape::Entry, Some(until)) if until >= held.day && until.days() - held.day.days() <= entry_term_days(held.kind) => Ok(()),
        _ => Err("refused_keep_until"),
    }
}

/// A grant begins no earlier than the day on which it was signed, and ends no later than the last day that was signed
/// with it. The code of the rule that it breaks.
fn check_dates(held: &HeldBody, verified: &VerifiedBody) -> Option<&'static str> {
    if held.kind != Kind::Grant {
        return None;
    }
    let grant = EntryContent::<Grant>::from_bytes(&verified.content, false).ok()?.value;
    if grant.start < held.day {
        return Some("refused_back_dated");
    }
    verified.header.keep_until.is_none_or(|until| grant.expiry > until).then_some("refused_keep_until")
}

/// Whether an entry's content keeps the rules of its kind.
fn check_entry(kind: Kind, content: &[u8]) -> Result<(), EntryError> {
    fn of<T: EntryValue>(kind: Kind, content: &[u8]) -> Result<(), EntryError> {
        EntryContent::<T>::from_bytes(content, kind.has_successors()).map(|_| ())
    }
    match kind {
        Kind::Encounter => of::<Encounter>(kind, content),
        Kind::Tally => of::<Tally>(kind, content),
        Kind::Grant => of::<Grant>(kind, content),
        Kind::Withdrawal => of::<Withdrawal>(kind, content),
        Kind::Recipient => of::<Recipient>(kind, content),
        Kind::SharingNote => of::<SharingNote>(kind, content),
        Kind::Catalogue => of::<super::catalogues::CataloguePart>(kind, content),
        _ => Err(EntryError::Malformed),
    }
}
