//! Writing records. A save is sealed and committed at once as a draft; it is numbered and signed when it first leaves.

use super::Unlocked;
use super::index::{Item, ItemKey, place_of};
use super::vault::Vault;
use crate::consent::grant::RECORD_GRANT_MAX_DAYS;
use crate::consent::{Grant, HowGiven};
use crate::crypto::{self, Aad, Nonce, RecordKey, labels};
use crate::document::{Actor, Document, Edit};
use crate::error::Error;
use crate::record::mapping;
use crate::record::{
    Encounter, EncounterKind, EntryContent, EntryValue, FollowUpDraft, FollowUpState, Kind, Offer, Outcome, ParticipantDraft,
    ParticipantEdit, ReferralStatus, SelfReferralDraft, SubjectRule, Summary,
};
use crate::rules::Rule;
use crate::screen::{Note, ShortText};
use crate::storage::{Reader, Transaction};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::{MemberId, RecordId, ResourceId};
use satchel_wire::limits::{GOALS_MAX_COUNT, OFFERS_MAX_COUNT, TALLY_LINES_MAX_COUNT};
use zeroize::Zeroizing;

/// An offer made, and what was said.
#[derive(Debug, Clone, Copy)]
pub struct OfferDraft {
    /// The resource or supply.
    pub resource: ResourceId,
    /// How many, 1 or more.
    pub quantity: u16,
    /// What they said.
    pub outcome: Outcome,
    /// They asked that a refusal be kept with them. Ignored for other outcomes.
    pub keep_refusal: bool,
}

/// An encounter to be written down. Nothing in it is mandatory.
#[derive(Debug)]
pub struct EncounterDraft {
    /// Street, drop-in, phone or site visit.
    pub kind: EncounterKind,
    /// The participant, if there is a file.
    pub participant: Option<RecordId>,
    /// The zone.
    pub zone: Option<RecordId>,
    /// Up to 32 offers.
    pub offers: Vec<OfferDraft>,
    /// A short note.
    pub note: Option<Note>,
}

/// One anonymous contact: what was offered and said.
#[derive(Debug, Clone, Copy)]
pub struct TallyTap {
    /// The resource or supply.
    pub resource: ResourceId,
    /// What was said.
    pub outcome: Outcome,
    /// How many, 1 or more.
    pub count: u32,
}

/// What a draft holds until it leaves.
#[derive(Debug, Encode, Decode)]
pub(super) struct Draft {
    #[n(0)]
    pub day: ShiftDay,
    #[n(1)]
    pub keep_until: Option<ShiftDay>,
    /// The unlock in which it was written: its changes carry the actor of that session.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub session: [u8; 8],
    #[cbor(n(3), with = "minicbor::bytes")]
    pub content: Vec<u8>,
}

impl Drop for Draft {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.content);
    }
}

/// Which entry is written: its record, and its day with the last day that it may be kept.
pub(super) struct EntryRecord {
    pub record: RecordId,
    pub kind: Kind,
    pub subject: Option<RecordId>,
    pub days: (ShiftDay, ShiftDay),
}

pub(super) fn draft_aad(vault: &Vault, place: &RecordId, number: u32) -> Aad {
    Aad::new(labels::DRAFT).add(&vault.store_id).add(place.as_bytes()).add(&number.to_le_bytes())
}

pub(super) fn snapshot_aad(vault: &Vault, place: &RecordId) -> Aad {
    Aad::new(labels::LOCAL).add(&vault.store_id).add(b"document").add(place.as_bytes())
}

/// Longest term of an entry of a kind, counted from its own day (days).
pub(super) const fn entry_term_days(kind: Kind) -> u16 {
    match kind {
        Kind::Encounter => 90,
        Kind::Grant => RECORD_GRANT_MAX_DAYS,
        // withdrawals outlive every grant that they could meet; sums and the catalogue end with the team
        _ => 732,
    }
}

impl Vault {
    /// Writes an entry as a draft. An entry of the same record that has not left yet is replaced.
    pub(super) fn save_entry<T: EntryValue>(
        &mut self,
        tx: &Transaction<'_>,
        entry: EntryRecord,
        mut content: EntryContent<T>,
        summary: Summary,
    ) -> Result<(), Error> {
        let EntryRecord { record, kind, subject, days } = entry;
        self.require_writer()?;
        content.value.check()?;
        debug_assert!(kind.subject_rule() != SubjectRule::Required || subject.is_some());
        let (day, keep_until) = days;
        let place = place_of(record, kind, subject);
        self.require_open(&super::erase::target(record, kind, subject))?;
        let mut item = match self.item(tx, &place)? {
            Some(item) => item,
            None => Item { record, kind, subject, day, keys: Vec::new(), summary: Summary::Plain, until: None, fields_from: None },
        };
        item.day = day;
        item.until = Some(keep_until);
        item.summary = summary;
        if kind.has_fields() {
            item.fields_from = item.fields_from.or(Some(day));
        }
        let key = self.key_to_write_under(&mut item, content.value.has_fields())?;
        self.save_item(tx, item)?;
        self.mask(&mut content.value, &key);
        let content = content.to_bytes();
        tx.remove_drafts_up_to(&place, u32::MAX)?;
        self.add_draft(tx, &place, &key.record_key(), Draft { day, keep_until: Some(keep_until), session: self.session, content })
    }

    /// The key for what is written now: made while the same bans were known as now, or made now. Whoever is banned since
    /// an older one was made has that one, and must not read a draft in this phone's flash with it either.
    pub(super) fn key_to_write_under(&self, item: &mut Item, masks: bool) -> Result<ItemKey, Error> {
        let bans = self.ban_mark();
        let known = if masks { item.masking_key_under(&bans) } else { item.key_under(&bans) };
        if let Some(key) = known {
            return Ok(key.clone());
        }
        if !masks && !item.keys.is_empty() && !self.env.holds(Rule::FreshKeyAfterBan) {
            return item.newest_key().cloned();
        }
        let key = self.make_key(masks);
        item.keys.push(key.clone());
        Ok(key)
    }

    /// Masks what is forgotten before its record; without a field key it is left out.
    pub(super) fn mask<T: EntryValue>(&self, value: &mut T, key: &ItemKey) {
        match key.field_key().filter(|_| value.has_fields()) {
            Some(field) => value.mask(self.env.random(), Some(&|nonce, value| field.mask(nonce, value))),
            None => value.mask([0; 8], None),
        }
    }

    pub(super) fn add_draft(&mut self, tx: &Transaction<'_>, place: &RecordId, key: &RecordKey, draft: Draft) -> Result<(), Error> {
        let mut number = 0;
        tx.for_each_draft_of::<Error>(place, |last, _| {
            number = last.saturating_add(1);
            Ok(())
        })?;
        let plain = Zeroizing::new(cbor::encode(&draft));
        let sealed = crypto::seal(key, Nonce::make(&self.env), &draft_aad(self, place, number), &plain).map_err(|_| Error::TooMany)?;
        tx.add_draft(place, number, &sealed)?;
        Ok(())
    }

    /// Loads a document for writing or reading; an empty one for a record that is not known yet. Errors: [`Error::Damaged`].
    pub(super) fn document(&mut self, reader: &Reader<'_>, item: &Item) -> Result<Document, Error> {
        let actor = Actor::derive(self.device.as_bytes(), item.record.as_bytes(), &self.session);
        let place = item.place();
        match reader.document(&place)? {
            // a known record without its snapshot is damage: an empty document in its place would be written over it
            None if self.index.item(&place).is_some() => Err(Error::Damaged),
            None => Ok(Document::new(actor)),
            Some(sealed) => {
                let aad = snapshot_aad(self, &place);
                let plain =
                    item.keys.iter().rev().find_map(|key| crypto::open(&key.record_key(), &aad, &sealed).ok()).ok_or(Error::Damaged)?;
                Document::load(&plain, actor).map_err(|error| Error::Document(error.code()))
            }
        }
    }

    pub(super) fn put_document(&self, tx: &Transaction<'_>, item: &Item, document: &Document) -> Result<(), Error> {
        let plain = Zeroizing::new(document.save());
        // what this phone wrote after a ban stands in it as well: no key from before
        let key = item.key_under(&self.ban_mark()).map_or_else(|| item.newest_key(), Ok)?.record_key();
        let place = item.place();
        let sealed = crypto::seal(&key, Nonce::make(&self.env), &snapshot_aad(self, &place), &plain).map_err(|_| Error::TooMany)?;
        Ok(tx.put_document(&place, &sealed)?)
    }

    /// Errors with [`Error::Damaged`] if neither a body nor a draft is left of a document. Its snapshot is for this phone alone:
    /// an edit of it would name changes that no colleague can ever have, and wait with them for ever.
    fn require_carried(&self, reader: &Reader<'_>, place: &RecordId) -> Result<(), Error> {
        let mut has_drafts = false;
        reader.for_each_draft_of::<Error>(place, |_, _| {
            has_drafts = true;
            Ok(())
        })?;
        if has_drafts || !reader.bodies_of(place)?.is_empty() { Ok(()) } else { Err(Error::Damaged) }
    }

    /// Edits a document, or begins it. Nothing is written when nothing changes.
    pub(super) fn edit_document(
        &mut self,
        tx: &Transaction<'_>,
        record: RecordId,
        kind: Kind,
        subject: Option<RecordId>,
        edit: impl FnOnce(&mut Edit<'_>) -> mapping::Edited,
    ) -> Result<(), Error> {
        self.require_writer()?;
        let day = self.today()?;
        let place = place_of(record, kind, subject);
        let target = self.target_of(tx, record, kind, subject)?;
        self.require_open(&target)?;
        let mut item = match self.item(tx, &place)? {
            Some(item) => {
                self.require_carried(tx, &place)?;
                item
            }
            None => Item { record, kind, subject, day, keys: Vec::new(), summary: Summary::Plain, until: None, fields_from: None },
        };
        let mut document = self.document(tx, &item)?;
        let Some(change) = document.edit(edit).map_err(|error| Error::Document(error.code()))? else { return Ok(()) };
        item.day = item.day.max(day);
        item.summary = mapping::summary(kind, &document);
        let key = self.key_to_write_under(&mut item, false)?;
        self.put_document(tx, &item, &document)?;
        self.save_item(tx, item)?;
        self.add_draft(tx, &place, &key.record_key(), Draft { day, keep_until: None, session: self.session, content: change })
    }

    /// Notes a contact on the participant's own item, which is what lists show and expiry counts from.
    pub(super) fn note_contact(&mut self, tx: &Transaction<'_>, participant: RecordId, day: ShiftDay) -> Result<(), Error> {
        if let Some(mut item) = self.item(tx, &place_of(participant, Kind::Participant, Some(participant)))?
            && item.day < day
        {
            item.day = day;
            self.save_item(tx, item)?;
        }
        Ok(())
    }
}

impl Unlocked {
    /// Creates a participant file together with its *record* grant: they said yes. Returns the file's random id.
    ///
    /// Errors: [`Error::TooMany`] above 16 goals; [`Error::Role`] for the board.
    pub fn create_participant(&self, draft: &ParticipantDraft, how: HowGiven, words_language: &str) -> Result<RecordId, Error> {
        if draft.goals.len() > GOALS_MAX_COUNT {
            return Err(Error::TooMany);
        }
        self.write(|vault, tx| {
            let today = vault.today()?;
            let participant = RecordId::from_bytes(vault.env.random());
            let days = vault.charter()?.retention.participant_days;
            let grant_id = vault.save_grant(tx, participant, Grant::for_file(today, days, how, words_language, Vec::new()))?;
            vault.edit_document(tx, participant, Kind::Participant, Some(participant), |edit| {
                mapping::write_participant(edit, draft, grant_id)
            })?;
            Ok(participant)
        })
    }

    /// Changes a participant file at the participant's word. Errors: [`Error::NoSuchRecord`], [`Error::NoGrant`], [`Error::TooMany`].
    pub fn edit_participant(&self, participant: RecordId, change: &ParticipantEdit) -> Result<(), Error> {
        if change.goals.as_ref().is_some_and(|goals| goals.len() > GOALS_MAX_COUNT) {
            return Err(Error::TooMany);
        }
        self.write(|vault, tx| {
            vault.item(tx, &place_of(participant, Kind::Participant, Some(participant)))?.ok_or(Error::NoSuchRecord)?;
            vault.require_live_grant(tx, participant)?;
            vault.edit_document(tx, participant, Kind::Participant, Some(participant), |edit| mapping::edit_participant(edit, change))
        })
    }

    /// Writes an encounter down, and counts its offers in the anonymous tally. Returns its random id.
    ///
    /// A refusal (*declined*, *not now*) is kept with the person only where `keep_refusal` says that they asked.
    /// Errors: [`Error::TooMany`] above 32 offers, [`Error::UnknownZone`], [`Error::NoGrant`], [`Error::Entry`] for a quantity of 0.
    pub fn save_encounter(&self, draft: &EncounterDraft) -> Result<RecordId, Error> {
        self.write(|vault, tx| {
            let record = RecordId::from_bytes(vault.env.random());
            vault.write_encounter(tx, record, draft, None)?;
            let day = vault.today()?;
            let said = draft.offers.iter().map(|offer| (offer.resource, offer.outcome, u32::from(offer.quantity)));
            vault.tally_mut().count(day, said);
            Ok(record)
        })
    }

    /// Corrects an encounter: the new version names every version that this phone knows. The tally stays as it was counted.
    ///
    /// The participant stays the same one. Errors: as [`Unlocked::save_encounter`], and [`Error::NoSuchRecord`].
    pub fn correct_encounter(&self, encounter: RecordId, draft: &EncounterDraft) -> Result<(), Error> {
        self.write(|vault, tx| {
            // the one about this participant: somebody may have named the same id with another
            let place = place_of(encounter, Kind::Encounter, draft.participant);
            let item = vault.item(tx, &place)?.ok_or(Error::NoSuchRecord)?;
            vault.write_encounter(tx, encounter, draft, Some(item))
        })
    }

    /// Counts one anonymous contact. Needs no participant and makes no record until the shift day has ended.
    ///
    /// Errors: [`Error::TooMany`] above 512 lines.
    pub fn tally(&self, taps: &[TallyTap]) -> Result<(), Error> {
        if taps.len() > TALLY_LINES_MAX_COUNT {
            return Err(Error::TooMany);
        }
        self.write(|vault, _| {
            vault.require_writer()?;
            vault.require_open(&super::erase::target(RecordId::from_bytes([0; 16]), Kind::Tally, None))?;
            let day = vault.today()?;
            vault.tally_mut().count(day, taps.iter().map(|tap| (tap.resource, tap.outcome, tap.count)));
            Ok(())
        })
    }

    /// Writes a promise down. Errors: [`Error::NoGrant`], [`Error::Window`].
    pub fn save_follow_up(&self, draft: &FollowUpDraft) -> Result<RecordId, Error> {
        if draft.until < draft.from {
            return Err(Error::Window);
        }
        self.write(|vault, tx| {
            vault.require_live_grant(tx, draft.participant)?;
            let record = RecordId::from_bytes(vault.env.random());
            let member = vault.root.member;
            vault
                .edit_document(tx, record, Kind::FollowUp, Some(draft.participant), |edit| mapping::write_follow_up(edit, draft, member))?;
            Ok(record)
        })
    }

    /// Says where a promise stands. Errors: [`Error::NoSuchRecord`].
    pub fn set_follow_up_state(&self, follow_up: RecordId, state: FollowUpState) -> Result<(), Error> {
        self.write(|vault, tx| {
            let item = vault.find(tx, follow_up, Kind::FollowUp)?;
            vault.edit_document(tx, follow_up, Kind::FollowUp, item.subject, |edit| mapping::set_follow_up_state(edit, state))
        })
    }

    /// Writes a self-referral down. Errors: [`Error::NoGrant`].
    pub fn save_self_referral(&self, draft: &SelfReferralDraft) -> Result<RecordId, Error> {
        self.write(|vault, tx| {
            vault.require_live_grant(tx, draft.participant)?;
            let record = RecordId::from_bytes(vault.env.random());
            vault
                .edit_document(tx, record, Kind::SelfReferral, Some(draft.participant), |edit| mapping::write_self_referral(edit, draft))?;
            Ok(record)
        })
    }

    /// Says where a self-referral stands, in the participant's choice. Errors: [`Error::NoSuchRecord`].
    pub fn set_referral_status(&self, referral: RecordId, status: ReferralStatus) -> Result<(), Error> {
        self.write(|vault, tx| {
            let item = vault.find(tx, referral, Kind::SelfReferral)?;
            vault.edit_document(tx, referral, Kind::SelfReferral, item.subject, |edit| mapping::set_referral_status(edit, status))
        })
    }

    /// Writes the team's note on a service; one document per resource.
    pub fn save_resource_note(&self, resource: ResourceId, note: &Note) -> Result<RecordId, Error> {
        self.write(|vault, tx| {
            // one note per resource: phones that write it at once meet in one document
            let record = RecordId::from_bytes(*resource.as_bytes());
            vault.edit_document(tx, record, Kind::ResourceNote, None, |edit| mapping::write_resource_note(edit, resource, note))?;
            Ok(record)
        })
    }

    /// Gives a zone a name. Returns its random code, which is all that records hold.
    pub fn create_zone(&self, name: &ShortText) -> Result<RecordId, Error> {
        self.write(|vault, tx| {
            let zone = RecordId::from_bytes(vault.env.random());
            vault.edit_document(tx, zone, Kind::Zone, None, |edit| mapping::write_name(edit, name))?;
            Ok(zone)
        })
    }

    /// Sets how this device's member is called.
    pub fn name_member(&self, name: &ShortText) -> Result<(), Error> {
        self.write(|vault, tx| {
            let record = name_record(vault.root.member);
            vault.edit_document(tx, record, Kind::MemberName, None, |edit| mapping::write_name(edit, name))
        })
    }
}

/// The record that holds a member's name.
pub(super) const fn name_record(member: MemberId) -> RecordId {
    RecordId::from_bytes(*member.as_bytes())
}

impl Vault {
    fn write_encounter(
        &mut self,
        tx: &Transaction<'_>,
        record: RecordId,
        draft: &EncounterDraft,
        known: Option<Item>,
    ) -> Result<(), Error> {
        if draft.offers.len() > OFFERS_MAX_COUNT {
            return Err(Error::TooMany);
        }
        if let Some(zone) = draft.zone {
            self.item(tx, &place_of(zone, Kind::Zone, None))?.ok_or(Error::UnknownZone)?;
        }
        if let Some(participant) = draft.participant {
            self.require_live_grant(tx, participant)?;
        }
        let mut encounter = Encounter::new(draft.kind);
        encounter.zone = draft.zone;
        for offer in &draft.offers {
            // a refusal goes to the tally and nowhere else, unless the person asks to have it kept
            if !offer.outcome.is_refusal() || (offer.keep_refusal && draft.participant.is_some()) {
                let kept_at_request = offer.outcome.is_refusal().then_some(true);
                encounter.offers.push(Offer {
                    resource: offer.resource,
                    quantity: offer.quantity,
                    outcome: offer.outcome,
                    kept_at_request,
                });
            } else if offer.quantity == 0 {
                return Err(Error::Entry(crate::record::EntryError::Value));
            }
        }
        let mut encounter = match &draft.note {
            Some(note) => encounter.with_note(note),
            None => encounter,
        };
        let today = self.today()?;
        if let Some(item) = &known
            && self.latest_terms()?.are_fields_over(item.fields_day())
        {
            // the zone's time is over, and a correction does not begin it anew
            encounter.zone = None;
        }
        let summary = mapping::encounter_summary(&encounter);
        let (day, content) = match &known {
            None => (today, EntryContent::first(encounter)),
            Some(item) => match self.leaves(tx, item)? {
                // not left yet: the draft is simply replaced
                leaves if leaves.is_empty() => (item.day, EntryContent::first(encounter)),
                leaves => (item.day, EntryContent::replacing(leaves, encounter)),
            },
        };
        let keep_until = day.plus(self.charter()?.retention.encounter_days);
        self.save_entry(
            tx,
            EntryRecord { record, kind: Kind::Encounter, subject: draft.participant, days: (day, keep_until) },
            content,
            summary,
        )?;
        match draft.participant {
            Some(participant) => self.note_contact(tx, participant, day),
            None => Ok(()),
        }
    }
}
