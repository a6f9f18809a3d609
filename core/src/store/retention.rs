//! Retention: each phone lets go of what is old by the charter and its own checked day. Expiry is never sent.
//!
//! | kind | hidden after | destroyed |
//! |---|---|---|
//! | encounter | its keep-until day, or its day + the charter's encounter days if that is earlier | at once |
//! | its zone | its day + the charter's zone days | at once: its field key, everywhere it lies |
//! | vault | the last day of its grant, or the charter's longest term if that is earlier; at once when it is taken back | then; one absence limit later where only the charter ended it |
//! | anything about somebody whose file was taken back | at once | by its tombstone |
//! | participant, follow-up, self-referral | the last contact + the charter's participant days | one absence limit later |
//! | grant, withdrawal | their last day (they end by themselves) | then, once no document about the participant is left |
//! | sum, catalogue part | their keep-until day | at once |
//! | name, zone, note | never | never |
//! | everything | the team's last day makes it read-only | one absence limit later |
//!
//! What a change of the charter ends earlier than before is hidden at once, and destroyed a month after this phone heard of the
//! change: one steward's signature, or a phone taken from one, is not to empty every phone of the team on one day.
//!
//! Destruction re-keys like an erasure, at most once a day, and only while the date is sure. What is over is not covered
//! any more, and dropped where it arrives again. What waits unapplied, beyond a cut or for a grant, goes when it would have
//! gone as a record.

use super::Unlocked;
use super::accept::Held;
use super::index::{Item, Place, place_of};
use super::vault::Vault;
use super::write::entry_term_days;
use crate::consent::Charter;
use crate::consent::grant::{Grant, RECORD_GRANT_MAX_DAYS};
use crate::error::Error;
use crate::record::{Kind, Shape, Summary};
use crate::rules::Rule;
use crate::storage::{Reader, Transaction};
use crate::team::tombstone::Target;
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::ids::RecordId;
use satchel_wire::limits::DAY_AHEAD_MAX_DAYS;
use std::collections::BTreeSet;

/// So long a phone whose turn is overdue goes on trying to reach somebody (days).
const OVERDUE_WAIT_DAYS: u16 = 7;

/// So long after this phone heard of a stricter charter it destroys nothing by it (days).
const NOTICE_DAYS: u16 = 30;

/// One term by which this phone destroys (days; of the team's last day, since 1970-01-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
struct Term {
    /// What holds here.
    #[n(0)]
    here: u16,
    /// What the charter said when it was last looked at.
    #[n(1)]
    stated: u16,
    /// The day on which the charter was first seen to say less than before.
    #[n(2)]
    since: Option<ShiftDay>,
}

impl Term {
    const fn of(stated: u16) -> Self {
        Self { here: stated, stated, since: None }
    }

    /// The longer of what holds here and what the charter says now.
    fn under(self, stated: u16) -> u16 {
        self.here.max(stated)
    }

    fn on(self, stated: u16, today: ShiftDay) -> Self {
        if stated >= self.here {
            return Self::of(stated);
        }
        let since = self.since.filter(|_| stated >= self.stated).unwrap_or(today);
        if since.plus(NOTICE_DAYS) <= today { Self::of(stated) } else { Self { here: self.here, stated, since: Some(since) } }
    }
}

/// The terms by which this phone destroys: those of the charter, or longer ones that it heard shortened less than a month ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct Lasting {
    #[n(0)]
    encounter: Term,
    #[n(1)]
    participant: Term,
    #[n(2)]
    sunset: Term,
    #[n(3)]
    zone: Term,
    #[n(4)]
    absence: Term,
    /// Of a grant to record gated facts: a vault goes with it.
    #[n(5)]
    record_grant: Term,
}

impl Lasting {
    pub(super) const fn of(charter: &Charter) -> Self {
        Self {
            encounter: Term::of(charter.retention.encounter_days),
            participant: Term::of(charter.retention.participant_days),
            sunset: Term::of(charter.sunset.days()),
            zone: Term::of(charter.retention.zone_days),
            absence: Term::of(charter.absence_limit_days),
            record_grant: Term::of(charter.grant_days.record),
        }
    }

    /// The same on a day on which the charter says something else.
    fn on(self, charter: &Charter, today: ShiftDay) -> Self {
        Self {
            encounter: self.encounter.on(charter.retention.encounter_days, today),
            participant: self.participant.on(charter.retention.participant_days, today),
            sunset: self.sunset.on(charter.sunset.days(), today),
            zone: self.zone.on(charter.retention.zone_days, today),
            absence: self.absence.on(charter.absence_limit_days, today),
            record_grant: self.record_grant.on(charter.grant_days.record, today),
        }
    }

    /// The last day on which a vault may be kept that rests on a grant: what only the charter cut short is kept one absence limit
    /// longer, as a file is.
    pub(super) fn vault_until(&self, grant: &Grant, charter: &Charter) -> ShiftDay {
        let kept_days = self.record_grant.under(charter.grant_days.record).saturating_add(self.absence.under(charter.absence_limit_days));
        grant.expiry.min(grant.start.plus(kept_days))
    }
}

/// What tending did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TendReport {
    /// Records whose time was over: destroyed (count).
    pub destroyed: usize,
    /// Encounters whose zone left the lists (count).
    pub zones: usize,
    /// The date is in doubt: nothing was destroyed by age.
    pub date_in_doubt: bool,
    /// The team's last day is over: nothing can be written.
    pub has_ended: bool,
    /// The team's records are destroyed because its last day is over by more than the absence limit.
    pub is_destroyed: bool,
}

/// The charter's terms on a day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    day: ShiftDay,
    encounter_days: u16,
    zone_days: u16,
    participant_days: u16,
    absence_days: u16,
    sunset: ShiftDay,
}

impl Terms {
    /// Whether what is masked in an encounter of a day is over: its zone.
    pub(super) fn are_fields_over(&self, day: ShiftDay) -> bool {
        day.plus(self.zone_days) < self.day
    }

    fn is_entry_over(&self, item: &Item) -> bool {
        let term = item.day.plus(if item.kind == Kind::Encounter { self.encounter_days } else { entry_term_days(item.kind) });
        item.until.map_or(term, |until| until.min(term)) < self.day
    }
}

impl Vault {
    pub(super) fn terms(&mut self, day: ShiftDay) -> Result<Terms, Error> {
        let charter = self.charter()?;
        Ok(Terms {
            day,
            encounter_days: charter.retention.encounter_days,
            zone_days: charter.retention.zone_days,
            participant_days: charter.retention.participant_days,
            absence_days: charter.absence_limit_days,
            sunset: charter.sunset,
        })
    }

    /// The terms by which is destroyed, and by which what arrives is let go of.
    pub(super) fn lasting_terms(&mut self, today: ShiftDay) -> Result<Terms, Error> {
        let charter = self.charter()?.clone();
        let lasting = self.state.lasting.unwrap_or_else(|| Lasting::of(&charter)).on(&charter, today);
        self.state.lasting = Some(lasting);
        Ok(Terms {
            day: today,
            encounter_days: lasting.encounter.here,
            zone_days: lasting.zone.here,
            participant_days: lasting.participant.here,
            absence_days: lasting.absence.here,
            sunset: ShiftDay::from_days(lasting.sunset.here),
        })
    }

    /// The terms by which reading and handing out are denied.
    pub(super) fn latest_terms(&mut self) -> Result<Terms, Error> {
        let day = self.latest_day()?;
        self.terms(day)
    }

    /// The last day on which an entry may be kept. A claimed day counts at most two days beyond the day of arrival.
    pub(super) fn entry_until(&mut self, kind: Kind, day: ShiftDay, keep_until: Option<ShiftDay>) -> Result<Option<ShiftDay>, Error> {
        let latest = self.latest_day()?.plus(DAY_AHEAD_MAX_DAYS);
        let term = day.min(latest).plus(entry_term_days(kind));
        Ok(keep_until.map(|until| until.min(term)))
    }

    /// The day from which a document's term counts: the last contact with its participant, as far as known here.
    fn last_day(&self, item: &Item) -> ShiftDay {
        let file = item.subject.and_then(|subject| self.index.item(&place_of(subject, Kind::Participant, Some(subject))));
        file.map_or(item.day, |file| file.day.max(item.day))
    }

    /// Whether a record is not shown and not handed out any more. The participant files were read before.
    pub(super) fn is_hidden(&self, item: &Item, terms: &Terms) -> bool {
        let is_consent = matches!(item.kind, Kind::Grant | Kind::Withdrawal);
        if !is_consent && item.subject.is_some_and(|subject| self.is_withdrawn(&subject)) {
            return true;
        }
        match (item.kind.shape(), item.subject) {
            _ if is_consent => false,
            _ if item.kind == Kind::Vault => !self.is_vault_live(item, terms.day),
            (Shape::Entry, _) => terms.is_entry_over(item),
            (_, Some(_)) => self.last_day(item).plus(terms.participant_days) < terms.day,
            _ => false,
        }
    }

    pub(super) fn is_to_be_destroyed(&self, item: &Item, terms: &Terms) -> bool {
        match (item.kind.shape(), item.subject) {
            (Shape::Entry, Some(subject)) if matches!(item.kind, Kind::Grant | Kind::Withdrawal) => {
                // a document about them rests on the grant: no verdict may depend on who let go of it first
                let is_needed = |other: &Item| other.kind.shape() == Shape::Document && !self.is_to_be_destroyed(other, terms);
                terms.is_entry_over(item) && !self.index.about(&subject).any(is_needed)
            }
            (Shape::Entry, _) => terms.is_entry_over(item),
            _ if item.kind == Kind::Vault => self.is_vault_over(item, terms.day),
            (_, Some(_)) => self.last_day(item).plus(terms.participant_days).plus(terms.absence_days) < terms.day,
            _ => false,
        }
    }

    /// Errors when nothing may be written about something: it is erased, or the team's last day is over.
    pub(super) fn require_open(&mut self, target: &Target) -> Result<(), Error> {
        if self.late_for(target).is_some() {
            return Err(Error::NoSuchRecord);
        }
        let terms = self.latest_terms()?;
        if terms.sunset < terms.day { Err(Error::Ended) } else { Ok(()) }
    }

    /// Whether a body arrives after the time of its record was over here.
    pub(super) fn comes_too_late(
        &mut self,
        reader: &Reader<'_>,
        place: &Place,
        kind: Kind,
        day: ShiftDay,
        keep_until: Option<ShiftDay>,
    ) -> Result<bool, Error> {
        let today = self.today()?;
        if self.state.date_in_doubt {
            return Ok(false);
        }
        let terms = self.lasting_terms(today)?;
        if terms.sunset.plus(terms.absence_days) < today || self.ledger(reader)?.is_over(place) {
            return Ok(true);
        }
        // what was said yes or no to is needed as long as anything rests on it
        if kind.shape() != Shape::Entry || matches!(kind, Kind::Grant | Kind::Withdrawal) {
            return Ok(false);
        }
        let until = self.entry_until(kind, day, keep_until)?;
        let unknown = RecordId::from_bytes([0; 16]);
        let item = Item { record: unknown, kind, subject: None, day, keys: Vec::new(), summary: Summary::Plain, until, fields_from: None };
        Ok(terms.is_entry_over(&item))
    }

    /// Destroys what is over, once a day while the date is sure.
    pub(super) fn tend(&mut self, tx: &Transaction<'_>) -> Result<TendReport, Error> {
        self.finish_searches(tx)?;
        self.look_for_settlements()?;
        let today = self.today()?;
        let has_ended = self.charter()?.sunset < today;
        let terms = self.lasting_terms(today)?;
        let mut report = TendReport { date_in_doubt: self.state.date_in_doubt, has_ended, ..TendReport::default() };
        report.is_destroyed = !report.date_in_doubt && terms.sunset.plus(terms.absence_days) < today;
        if report.date_in_doubt || self.state.tended == Some(today) {
            return Ok(report);
        }
        self.index.load_all(tx, &self.store_id, &self.root)?;
        let over: BTreeSet<Place> =
            self.index.all().filter(|item| report.is_destroyed || self.is_to_be_destroyed(item, &terms)).map(Item::place).collect();
        report.destroyed = over.len();
        if !over.is_empty() {
            self.strike(tx, &over, true)?;
            self.forget_items(tx, &over)?;
        }
        if report.is_destroyed {
            self.destroy_rest(tx)?;
        } else {
            self.drop_held_over(tx, &terms)?;
        }
        report.zones = self.drop_zones(tx, &terms)?;
        self.tend_shares(tx)?;
        self.tend_received(tx)?;
        self.tend_complaints(tx)?;
        self.tend_reseat_key(today);
        self.replace_overdue_turn(tx, today)?;
        self.state.tended = Some(today);
        Ok(report)
    }

    /// Lets go of bodies that wait, beyond a cut or for something that never came, when their record's time would be over:
    /// nobody counts them in, and yet they lie here with the key that opens them.
    fn drop_held_over(&mut self, tx: &Transaction<'_>, terms: &Terms) -> Result<(), Error> {
        let latest = terms.day.plus(DAY_AHEAD_MAX_DAYS);
        let mut over = Vec::new();
        for (id, held) in self.all_held(tx)? {
            let Held::Body(body) = held else { continue };
            let (record, kind, subject, day) = (body.record, body.kind, body.subject, body.day.min(latest));
            let item = Item { record, kind, subject, day, keys: Vec::new(), summary: Summary::Plain, until: None, fields_from: None };
            let is_over = match kind {
                // what it rests on may not be here: no grant lasts longer
                Kind::Vault => day.plus(RECORD_GRANT_MAX_DAYS).plus(terms.absence_days) < terms.day,
                _ => self.is_to_be_destroyed(&item, terms),
            };
            if is_over {
                over.push(id);
            }
        }
        for id in &over {
            self.let_go(tx, id)?;
        }
        if over.is_empty() { Ok(()) } else { self.replace_held_key(tx) }
    }

    /// What expired opens at the relay until a turn follows. A phone that reaches nobody gets none, and so begins one by
    /// itself. It does so a week after it noticed, since it opens nothing more that lies at the relay under the turn before:
    /// a phone that comes out of a drawer has time to pull first.
    fn replace_overdue_turn(&mut self, tx: &Transaction<'_>, today: ShiftDay) -> Result<(), Error> {
        if !self.keyring.is_turn_overdue(today) {
            self.state.overdue_since = None;
            return Ok(());
        }
        let since = *self.state.overdue_since.get_or_insert(today);
        if since.plus(OVERDUE_WAIT_DAYS) > today {
            return Ok(());
        }
        match self.end_pull(tx) {
            // what is over goes all the same, and tomorrow it is tried again
            Err(Error::Turn(_)) => Ok(()),
            done => done,
        }
    }

    /// What is no record: held rows, waiting announcements, the running count.
    fn destroy_rest(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        for (id, _) in self.all_held(tx)? {
            self.let_go(tx, &id)?;
        }
        let mut waiting = Vec::new();
        tx.for_each_outbox::<Error>(|number, _| {
            waiting.push(number);
            Ok(())
        })?;
        for number in waiting {
            tx.remove_outbox(number)?;
        }
        if !self.tally.is_empty() {
            *self.tally_mut() = crate::record::TallyCounter::default();
        }
        self.replace_held_key(tx)
    }

    /// Destroys the field keys of zones that are over, everywhere they lie, and takes the zones out of the summaries. The
    /// encounters stay, with bytes in their signed bodies that nobody can read any more.
    fn drop_zones(&mut self, tx: &Transaction<'_>, terms: &Terms) -> Result<usize, Error> {
        let over = self.index.of_kind(Kind::Encounter).filter(|item| item.has_fields() && terms.are_fields_over(item.fields_day()));
        let mut items: Vec<Item> = over.cloned().collect();
        let destroys = self.env.holds(Rule::DestroyFieldKeys);
        let held = destroys && self.drop_held_fields(tx, terms)?;
        let pages = destroys && self.prune_pages_with_fields(tx, terms)?;
        if items.is_empty() && !held && !pages {
            return Ok(0);
        }
        let mut count = 0;
        let places: Vec<Place> = items.iter().map(Item::place).collect();
        for item in &mut items {
            if let Summary::Encounter { zone, .. } = &mut item.summary {
                count += usize::from(zone.take().is_some());
            }
            item.keys.iter_mut().filter(|_| destroys).for_each(|key| key.field = None);
        }
        for item in items {
            self.save_item(tx, item)?;
        }
        // under fresh keys of pages, of what is held, and of the store: an old copy of the file must not give them back
        if destroys {
            self.index.renew(&self.env, tx, &self.store_id, &mut self.root, places.iter())?;
            self.touch_root();
            self.replace_held_key(tx)?;
        }
        Ok(count)
    }

    /// Takes field keys that are over out of bodies that are held. Says whether there were any.
    fn drop_held_fields(&mut self, tx: &Transaction<'_>, terms: &Terms) -> Result<bool, Error> {
        let mut changed = false;
        for (id, held) in self.all_held(tx)? {
            let Held::Body(mut body) = held else { continue };
            if body.field.is_none() || !terms.are_fields_over(body.day.min(terms.day.plus(DAY_AHEAD_MAX_DAYS))) {
                continue;
            }
            body.field = None;
            tx.remove_held(&id)?;
            self.put_held(tx, &id, &zeroize::Zeroizing::new(satchel_wire::cbor::encode(&Held::Body(body))))?;
            changed = true;
        }
        Ok(changed)
    }
}

impl Unlocked {
    /// Whether something may wait to be let go of today: [`Unlocked::tend`] was not called yet. Reads no records, so an
    /// app asks right after unlocking, shows its lists, and tends then.
    pub fn is_tending_due(&self) -> Result<bool, Error> {
        self.write(|vault, _| {
            let today = vault.today()?;
            Ok(!vault.state.date_in_doubt && vault.state.tended != Some(today))
        })
    }

    /// Lets go of what is over: call it after unlocking, at the first write of a day and after sessions. Cheap when there
    /// is nothing to do; re-keys at most once a day.
    pub fn tend(&self) -> Result<TendReport, Error> {
        self.write(Vault::tend)
    }
}
