//! Grants and withdrawals: given, shown, taken back. What they amount to is `consent::standing`; here they are kept.
//!
//! A withdrawal acts in the transaction that stores it, wherever it came from: vaults that rest on nothing any more lose
//! their keys, and a file that was taken back is not shown. The phone on which it was said writes a tombstone as well,
//! so that there is a receipt.

use super::Unlocked;
use super::index::{Item, Place, place_of};
use super::vault::Vault;
use super::vaults::{VaultStanding, vault_record};
use super::write::{EntryRecord, entry_term_days};
use crate::consent::standing::{Consents, Scopes};
use crate::consent::words::{self, Gaps};
use crate::consent::{Act, GatedCategory, Grant, GrantError, GrantRequest, GrantStatus, ShareClass, Withdrawal, Words};
use crate::error::Error;
use crate::record::{EntryContent, EntryValue, Kind, Recipient, SharingEvent, SharingNote, Summary};
use crate::rules::Rule;
use crate::screen::ShortText;
use crate::storage::{Reader, Transaction};
use crate::team::tombstone::{Erasure, TOMBSTONE_RECORDS_MAX_COUNT};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{DeviceId, MemberId, OperationId, RecordId};
use std::collections::BTreeSet;

/// Who wrote something down, by their signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedBy {
    /// The phone.
    pub device: DeviceId,
    /// Its member, if the phone is known to the log.
    pub member: Option<MemberId>,
}

/// A grant, and how it stands today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantLine {
    /// Its id.
    pub id: RecordId,
    /// What was said yes to; none where several bodies claim it and contradict each other.
    pub grant: Option<Grant>,
    /// How it stands.
    pub status: GrantStatus,
    /// The categories for which it counts today, without those of which the facts were erased; none for a file.
    pub live: Vec<GatedCategory>,
    /// The withdrawals that took something of it back.
    pub withdrawn_by: Vec<RecordId>,
    /// Who recorded it: a false one leaves its author here. More than one is a forgery, or a copied phone.
    pub recorded_by: Vec<RecordedBy>,
    /// The day on which it was recorded, by its author's word.
    pub recorded_on: ShiftDay,
}

/// A withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalLine {
    /// Its id.
    pub id: RecordId,
    /// What was taken back.
    pub scopes: Vec<Withdrawal>,
    /// Who recorded it.
    pub recorded_by: Vec<RecordedBy>,
    /// The day on which it was recorded, by its author's word.
    pub recorded_on: ShiftDay,
}

/// What a withdrawal did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalReport {
    /// The withdrawal.
    pub withdrawal: RecordId,
    /// Grants of which something was taken back.
    pub grants: Vec<RecordId>,
    /// Tombstones written for what may not be kept any more: [`Unlocked::erasure_receipt`] says how far they are.
    pub erasures: Vec<OperationId>,
    /// Recipients who get nothing more.
    pub stopped: Vec<RecordId>,
    /// Copies that left and are to be asked back: [`Unlocked::ask_erasure`].
    pub to_ask: Vec<RecordId>,
    /// The file itself was taken back.
    pub is_file_closed: bool,
}

/// A recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientLine {
    /// Its record.
    pub id: RecordId,
    /// How it is called.
    pub name: Option<ShortText>,
    /// What it is.
    pub class: ShareClass,
    /// Whether packets can be sealed for it: somebody met it, and no body contradicts.
    pub is_paired: bool,
}

/// A line of the sharing log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharingLine {
    /// Its record.
    pub id: RecordId,
    /// The day.
    pub day: ShiftDay,
    /// What happened.
    pub note: SharingNote,
    /// Who recorded it.
    pub recorded_by: Vec<RecordedBy>,
}

/// What a kind's summary says once one more body is here. The summary of other kinds is not made here.
pub(super) fn summary_with(kind: Kind, known: Option<&Summary>, content: &[u8]) -> Option<Summary> {
    fn value<T: EntryValue>(content: &[u8]) -> Option<T> {
        EntryContent::from_bytes(content, false).ok().map(|content| content.value)
    }
    Some(match kind {
        Kind::Grant => {
            let grant: Grant = value(content)?;
            Summary::Grant(match known {
                Some(Summary::Grant(known)) => known.as_ref().and_then(|known| known.meet(&grant)),
                _ => Some(grant),
            })
        }
        Kind::Withdrawal => {
            let mut scopes = match known {
                Some(Summary::Withdrawal(known)) => known.clone(),
                _ => Scopes::default(),
            };
            scopes.add(value(content)?);
            Summary::Withdrawal(scopes)
        }
        Kind::Recipient => {
            let recipient: Recipient = value(content)?;
            Summary::Recipient(match known {
                Some(Summary::Recipient(known)) => known.clone().meet(recipient),
                _ => recipient,
            })
        }
        _ => return None,
    })
}

/// What participants said, as far as it decides whether anything about them is shown.
#[derive(Debug)]
pub(super) struct Answers {
    /// Whoever said yes to anything, whatever became of it: as a verdict asks.
    granted: BTreeSet<RecordId>,
    /// Whose file was taken back.
    taken: BTreeSet<RecordId>,
}

impl Vault {
    /// Reads every page of grants and withdrawals.
    pub(super) fn load_consents(&mut self, reader: &Reader<'_>) -> Result<(), Error> {
        self.index.load_kind(reader, &self.store_id, &self.root, Kind::Grant)?;
        self.index.load_kind(reader, &self.store_id, &self.root, Kind::Withdrawal)
    }

    /// Everything that was said yes or no to, as far as its pages were read.
    pub(super) fn consents_read(&self, subject: &RecordId) -> Consents {
        let mut consents = Consents::default();
        for item in self.index.about(subject) {
            match &item.summary {
                // judged when it came, and once more: an older app may have taken what this one would not
                Summary::Grant(grant) => consents.add_grant(item.record, grant.clone().filter(|grant| grant.check().is_ok())),
                _ if item.kind == Kind::Grant => consents.add_grant(item.record, None),
                Summary::Withdrawal(scopes) if self.env.holds(Rule::WithdrawalBeatsUnseen) => consents.add_withdrawal(item.record, scopes),
                _ => {}
            }
        }
        consents
    }

    /// Everything that was said yes or no to about somebody.
    pub(super) fn consents(&mut self, reader: &Reader<'_>, subject: &RecordId) -> Result<Consents, Error> {
        self.load_consents(reader)?;
        Ok(self.consents_read(subject))
    }

    /// Errors unless they said yes to a file and it still counts, by the latest day that it may be.
    pub(super) fn require_live_grant(&mut self, reader: &Reader<'_>, participant: RecordId) -> Result<(), Error> {
        let today = self.latest_day()?;
        let consents = self.consents(reader, &participant)?;
        if consents.has_live_file(today, self.charter()?) { Ok(()) } else { Err(Error::NoGrant) }
    }

    /// Finds out who said yes, and whose file was taken back: about anybody else nothing is shown or handed out, also while a
    /// tombstone waits for a second signature, and whatever an older app left in this database.
    pub(super) fn note_withdrawn(&mut self, reader: &Reader<'_>) -> Result<(), Error> {
        if self.withdrawn.is_some() {
            return Ok(());
        }
        self.load_consents(reader)?;
        let of_grant = |item: &Item| match &item.summary {
            Summary::Grant(grant) if grant.as_ref().is_none_or(|grant| grant.check().is_ok()) => item.subject,
            _ => None,
        };
        let granted = self.index.of_kind(Kind::Grant).filter_map(of_grant).collect();
        let taken: BTreeSet<RecordId> = self.index.of_kind(Kind::Withdrawal).filter_map(|item| item.subject).collect();
        let taken = taken.into_iter().filter(|subject| self.consents_read(subject).is_file_withdrawn()).collect();
        self.withdrawn = Some(Answers { granted, taken });
        Ok(())
    }

    /// Whether somebody's file was taken back, or they never said yes to anything, as far as [`Vault::note_withdrawn`] found out.
    pub(super) fn is_withdrawn(&self, subject: &RecordId) -> bool {
        self.withdrawn.as_ref().is_some_and(|answers| answers.taken.contains(subject) || !answers.granted.contains(subject))
    }

    /// Who signed what lies at a place; this phone for what has not left yet.
    fn recorded_by(&mut self, reader: &Reader<'_>, item: &Item) -> Result<Vec<RecordedBy>, Error> {
        let place = item.place();
        let mut devices = BTreeSet::new();
        for body in reader.bodies_of(&place)? {
            devices.extend(self.ledger(reader)?.line(&body).map(|line| line.device));
        }
        if !self.drafts_of(reader, item)?.is_empty() {
            devices.insert(self.device);
        }
        let state = self.keyring.log.state();
        let by = |device: DeviceId| RecordedBy { device, member: state.devices.get(&device).map(|known| known.member) };
        Ok(devices.into_iter().map(by).collect())
    }

    /// The class of a recipient, if it is known here.
    pub(super) fn recipient_class(&mut self, reader: &Reader<'_>, recipient: &RecordId) -> Result<Option<ShareClass>, Error> {
        let item = self.item(reader, &place_of(*recipient, Kind::Recipient, None))?;
        Ok(item.and_then(|item| match &item.summary {
            Summary::Recipient(recipient) => Some(recipient.class),
            _ => None,
        }))
    }

    /// How a grant stands on the latest day that it may be, its recipient considered.
    pub(super) fn grant_status(&mut self, reader: &Reader<'_>, consents: &Consents, id: &RecordId) -> Result<GrantStatus, Error> {
        let day = self.latest_day()?;
        let status = consents.status(id, day, self.charter()?).ok_or(GrantError::NoSuchGrant)?;
        let share = consents.grant(id).and_then(|grant| grant.recipient.zip(grant.class));
        if let (GrantStatus::Live | GrantStatus::NotBegun, Some((recipient, class))) = (status, share)
            && self.recipient_class(reader, &recipient)? != Some(class)
        {
            return Ok(GrantStatus::NotAllowed);
        }
        if status == GrantStatus::Live && self.is_copy_erased(consents, id) {
            return Ok(GrantStatus::Withdrawn);
        }
        Ok(status)
    }

    /// Whether everything that came with another team's share was erased: it was taken back there.
    fn is_copy_erased(&mut self, consents: &Consents, id: &RecordId) -> bool {
        let Some(grant) = consents.grant(id).filter(|grant| grant.received.is_some()) else { return false };
        let vault = |category: &GatedCategory| super::erase::target(vault_record(*id, *category), Kind::Vault, None);
        grant.categories.iter().all(|category| self.late_for(&vault(category)).is_some())
    }

    /// Takes the keys of vaults that no grant holds any more, in this transaction.
    pub(super) fn end_vaults(&mut self, tx: &Transaction<'_>, subject: &RecordId) -> Result<(), Error> {
        let over = self.vaults_without_grant(tx, subject)?;
        if over.is_empty() {
            return Ok(());
        }
        let places: BTreeSet<Place> = over.iter().map(|(_, place)| *place).collect();
        self.strike(tx, &places, false)?;
        self.forget_items(tx, &places)
    }

    /// The vaults about somebody whose grant was taken back, or never covered them.
    fn vaults_without_grant(&mut self, reader: &Reader<'_>, subject: &RecordId) -> Result<Vec<(RecordId, Place)>, Error> {
        self.index.load_kind(reader, &self.store_id, &self.root, Kind::Vault)?;
        let consents = self.consents(reader, subject)?;
        let vaults = self.index.about(subject).filter(|item| item.kind == Kind::Vault);
        let ended = vaults.filter(|item| matches!(self.vault_standing(&consents, item.record), VaultStanding::Ended));
        Ok(ended.map(|item| (item.record, item.place())).collect())
    }

    /// Writes a line of the sharing log.
    pub(super) fn log_sharing(&mut self, tx: &Transaction<'_>, participant: RecordId, note: SharingNote) -> Result<(), Error> {
        let today = self.today()?;
        let record = RecordId::from_bytes(self.env.random());
        let days = (today, today.plus(entry_term_days(Kind::SharingNote)));
        let entry = EntryRecord { record, kind: Kind::SharingNote, subject: Some(participant), days };
        self.save_entry(tx, entry, EntryContent::first(note), Summary::Plain)
    }

    /// The sharing log of somebody, in no order.
    pub(super) fn sharing_lines(&mut self, reader: &Reader<'_>, participant: RecordId) -> Result<Vec<SharingLine>, Error> {
        let terms = self.load_shown(reader, Kind::SharingNote)?;
        let items: Vec<Item> = self.shown(Kind::SharingNote, terms).filter(|item| item.subject == Some(participant)).cloned().collect();
        let mut lines = Vec::with_capacity(items.len());
        for item in items {
            let recorded_by = self.recorded_by(reader, &item)?;
            let notes = self.entry_values::<SharingNote>(reader, &item)?;
            let line = |note| SharingLine { id: item.record, day: item.day, note, recorded_by: recorded_by.clone() };
            lines.extend(notes.into_iter().map(line));
        }
        Ok(lines)
    }

    /// The grant that a request would make today. Errors: [`GrantError`].
    fn asked(&mut self, reader: &Reader<'_>, participant: RecordId, request: &GrantRequest) -> Result<Grant, Error> {
        let class = match request.recipient {
            Some(recipient) => self.recipient_class(reader, &recipient)?,
            None => None,
        };
        let today = self.today()?;
        let mut grant = request.check(self.charter()?, today, class)?;
        self.note_withdrawn(reader)?;
        let file = self.item(reader, &place_of(participant, Kind::Participant, Some(participant)))?;
        if file.is_none() || self.is_withdrawn(&participant) {
            return Err(GrantError::NoFile.into());
        }
        if !grant.is_for_file() {
            self.require_live_grant(reader, participant).map_err(|error| match error {
                Error::NoGrant => GrantError::NoFile.into(),
                other => other,
            })?;
        }
        let consents = self.consents(reader, &participant)?;
        grant.withdrawals_seen = consents.seen_by(&grant).ok_or(GrantError::TooManyWithdrawals)?;
        Ok(grant)
    }

    pub(super) fn save_recipient(&mut self, tx: &Transaction<'_>, recipient: Recipient) -> Result<RecordId, Error> {
        let record = RecordId::from_bytes(self.env.random());
        let today = self.today()?;
        let days = (today, today.plus(entry_term_days(Kind::Recipient)));
        let entry = EntryRecord { record, kind: Kind::Recipient, subject: None, days };
        self.save_entry(tx, entry, EntryContent::first(recipient.clone()), Summary::Recipient(recipient))?;
        Ok(record)
    }

    pub(super) fn save_grant(&mut self, tx: &Transaction<'_>, participant: RecordId, grant: Grant) -> Result<RecordId, Error> {
        let id = RecordId::from_bytes(self.env.random());
        let days = (self.today()?, grant.expiry);
        let summary = Summary::Grant(Some(grant.clone()));
        let entry = EntryRecord { record: id, kind: Kind::Grant, subject: Some(participant), days };
        self.save_entry(tx, entry, EntryContent::first(grant), summary)?;
        Ok(id)
    }
}

impl Unlocked {
    /// The words to show or read out before they say yes: exactly these are what the grant names. Nothing is stored.
    ///
    /// `until` is the last day as it is to be read; none prints it as `YYYY-MM-DD`. Errors: as [`Unlocked::give_grant`].
    pub fn grant_words(&self, participant: RecordId, request: &GrantRequest, until: Option<&str>) -> Result<Words, Error> {
        self.read(|vault, reader| {
            let grant = vault.asked(reader, participant, request)?;
            let who = match grant.recipient {
                Some(recipient) => vault.item(reader, &place_of(recipient, Kind::Recipient, None))?.and_then(|item| match &item.summary {
                    Summary::Recipient(recipient) => recipient.name(),
                    _ => None,
                }),
                None => None,
            };
            let day = grant.expiry.to_string();
            let gaps = Gaps {
                what: &grant.categories,
                why: grant.purpose,
                who: who.as_ref().map_or("", ShortText::as_str),
                until: until.unwrap_or(&day),
            };
            Ok(words::fill(grant.words_version, request.language, &gaps).ok_or(GrantError::UnknownLanguage)?)
        })
    }

    /// Stores that they said yes: one act, one purpose, one recipient or none, and an end. Returns the grant's random id.
    ///
    /// A grant to record without a category renews the file. A share with police, courts or prisons is logged.
    /// Errors: [`GrantError`] for what cannot be given; [`Error::Role`] for the board.
    pub fn give_grant(&self, participant: RecordId, request: &GrantRequest) -> Result<RecordId, Error> {
        self.write(|vault, tx| {
            let grant = vault.asked(tx, participant, request)?;
            let (class, recipient, categories) = (grant.class, grant.recipient, grant.categories.clone());
            let id = vault.save_grant(tx, participant, grant)?;
            if let (Some(ShareClass::Justice), Some(recipient)) = (class, recipient) {
                let note = SharingNote { event: SharingEvent::JusticeGranted, grant: id, recipient, categories, share: None, answer: None };
                vault.log_sharing(tx, participant, note)?;
            }
            Ok(id)
        })
    }

    /// Every grant about somebody, the newest first, with how it stands and who recorded it.
    pub fn grants(&self, participant: RecordId) -> Result<Vec<GrantLine>, Error> {
        let mut lines = self.read(|vault, reader| {
            let consents = vault.consents(reader, &participant)?;
            let day = vault.latest_day()?;
            let items: Vec<Item> = vault.index.about(&participant).filter(|item| item.kind == Kind::Grant).cloned().collect();
            let mut lines = Vec::with_capacity(items.len());
            for item in items {
                let status = vault.grant_status(reader, &consents, &item.record)?;
                let grant = consents.grant(&item.record).cloned();
                let against: BTreeSet<RecordId> = grant.iter().flat_map(|grant| consents.against(grant).map(|(id, _)| id)).collect();
                let live = match status {
                    GrantStatus::Live if grant.as_ref().is_some_and(|grant| grant.act == Act::Record) => {
                        vault.writable_categories(&consents, participant, &item.record, day)?
                    }
                    GrantStatus::Live => consents.live_categories(&item.record, day, vault.charter()?),
                    _ => BTreeSet::new(),
                };
                lines.push(GrantLine {
                    id: item.record,
                    grant,
                    status,
                    live: live.into_iter().collect(),
                    withdrawn_by: against.into_iter().collect(),
                    recorded_by: vault.recorded_by(reader, &item)?,
                    recorded_on: item.day,
                });
            }
            Ok(lines)
        })?;
        lines.sort_by(|a, b| b.recorded_on.cmp(&a.recorded_on).then_with(|| a.id.cmp(&b.id)));
        Ok(lines)
    }

    /// Every withdrawal about somebody, the newest first.
    pub fn withdrawals(&self, participant: RecordId) -> Result<Vec<WithdrawalLine>, Error> {
        let mut lines = self.read(|vault, reader| {
            vault.load_consents(reader)?;
            let items: Vec<Item> = vault.index.about(&participant).filter(|item| item.kind == Kind::Withdrawal).cloned().collect();
            let mut lines = Vec::with_capacity(items.len());
            for item in items {
                let scopes = match &item.summary {
                    Summary::Withdrawal(scopes) => scopes.iter().copied().collect(),
                    _ => Vec::new(),
                };
                lines.push(WithdrawalLine {
                    id: item.record,
                    scopes,
                    recorded_by: vault.recorded_by(reader, &item)?,
                    recorded_on: item.day,
                });
            }
            Ok(lines)
        })?;
        lines.sort_by(|a, b| b.recorded_on.cmp(&a.recorded_on).then_with(|| a.id.cmp(&b.id)));
        Ok(lines)
    }

    /// Stores that they took something back, by a spoken word if they like, and acts on it before this returns.
    ///
    /// *Record* erases: vaults by a tombstone for their records; the file, where everything or all of *record* is taken
    /// back, by [`Unlocked::erase_participant`]. *Share* stops, and says so in the sharing log. It beats every grant in its
    /// scope that had not seen it, and every edit, also those that arrive later.
    /// Errors: [`GrantError::NothingToWithdraw`]; [`Error::Entry`] for a record scope with a recipient; [`Error::Role`].
    pub fn withdraw(&self, participant: RecordId, withdrawal: &Withdrawal) -> Result<WithdrawalReport, Error> {
        self.write_and_promise(|vault, tx| {
            withdrawal.check()?;
            let consents = vault.consents(tx, &participant)?;
            let reached: Vec<(RecordId, Grant)> = consents
                .grants()
                .filter_map(|(id, grant)| Some((id, grant?.clone())))
                .filter(|(_, grant)| withdrawal.overlaps(grant) && has_left(&consents, grant, withdrawal))
                .collect();
            if reached.is_empty() {
                return Err(GrantError::NothingToWithdraw.into());
            }
            // first of all: what the log says of copies is hidden with the file, and goes with it
            let is_file_closed = withdrawal.act != Some(Act::Share) && withdrawal.category.is_none() && withdrawal.recipient.is_none();
            let to_ask = vault.note_shares_of(tx, participant, &reached, is_file_closed)?;
            let mut stopped = BTreeSet::new();
            if is_file_closed {
                let day = vault.latest_day()?;
                let is_live =
                    |id: &RecordId| vault.charter().is_ok_and(|charter| consents.status(id, day, charter) == Some(GrantStatus::Live));
                stopped.extend(consents.grants().filter(|(id, _)| is_live(id)).filter_map(|(_, grant)| grant?.recipient));
            }
            let id = RecordId::from_bytes(vault.env.random());
            let today = vault.today()?;
            let mut scopes = Scopes::default();
            scopes.add(*withdrawal);
            let days = (today, today.plus(entry_term_days(Kind::Withdrawal)));
            let entry = EntryRecord { record: id, kind: Kind::Withdrawal, subject: Some(participant), days };
            vault.save_entry(tx, entry, EntryContent::first(*withdrawal), Summary::Withdrawal(scopes))?;

            vault.retry_about(tx, &participant)?;
            for (grant, value) in reached.iter().filter(|(_, value)| value.act == Act::Share) {
                let Some(recipient) = value.recipient else { continue };
                let taken = |category: &GatedCategory| withdrawal.reaches(value, Some(*category));
                let categories = value.categories.iter().copied().filter(taken).collect();
                let note = SharingNote { event: SharingEvent::Stopped, grant: *grant, recipient, categories, share: None, answer: None };
                vault.log_sharing(tx, participant, note)?;
                stopped.insert(recipient);
            }
            let ended = vault.vaults_without_grant(tx, &participant)?;
            let mut erasures = Vec::new();
            for some in ended.chunks(TOMBSTONE_RECORDS_MAX_COUNT) {
                let (records, places) = some.iter().copied().unzip::<_, _, Vec<_>, BTreeSet<_>>();
                erasures.push(vault.erase(tx, &Erasure::Records(records), Some(places))?);
            }
            if is_file_closed {
                let places = vault.places_about(tx, participant)?;
                erasures.push(vault.erase(tx, &Erasure::Subject(participant), Some(places))?);
            }
            Ok(WithdrawalReport {
                withdrawal: id,
                grants: reached.into_iter().map(|(id, _)| id).collect(),
                erasures,
                stopped: stopped.into_iter().collect(),
                to_ask,
                is_file_closed,
            })
        })
    }

    /// Writes a recipient down. Its class says which words are shown, and cannot be changed. Returns its random id.
    /// Errors: [`Error::Screen`].
    pub fn add_recipient(&self, name: &str, class: ShareClass) -> Result<RecordId, Error> {
        let recipient = Recipient::parse(name, class)?;
        self.write(|vault, tx| vault.save_recipient(tx, recipient))
    }

    /// Every recipient that this phone knows.
    pub fn recipients(&self) -> Result<Vec<RecipientLine>, Error> {
        self.read(|vault, reader| {
            let terms = vault.load_shown(reader, Kind::Recipient)?;
            let lines = vault.shown(Kind::Recipient, terms).filter_map(|item| match &item.summary {
                Summary::Recipient(recipient) => Some(RecipientLine {
                    id: item.record,
                    name: recipient.name(),
                    class: recipient.class,
                    is_paired: recipient.pairing.is_some(),
                }),
                _ => None,
            });
            Ok(lines.collect())
        })
    }

    /// The sharing log of somebody, the newest first.
    pub fn sharing_log(&self, participant: RecordId) -> Result<Vec<SharingLine>, Error> {
        let mut lines = self.read(|vault, reader| vault.sharing_lines(reader, participant))?;
        lines.sort_by(|a, b| b.day.cmp(&a.day).then_with(|| a.id.cmp(&b.id)));
        Ok(lines)
    }
}

/// Whether something of what a withdrawal names was not taken back before.
fn has_left(consents: &Consents, grant: &Grant, withdrawal: &Withdrawal) -> bool {
    match grant.is_for_file() {
        true => !consents.is_withdrawn(grant, None),
        false => {
            let reached = |category: &GatedCategory| withdrawal.reaches(grant, Some(*category));
            grant.categories.iter().filter(|category| reached(category)).any(|category| !consents.is_withdrawn(grant, Some(*category)))
        }
    }
}
