//! Sharing with a recipient outside the team: what may leave, what left, and asking for it back.
//!
//! A packet leaves under one live grant to share, for one recipient who was met in person, with the granted fields and no
//! others, and the log says so in the same transaction. Every phone knows the copies that this log names, and takes note of
//! them before the log goes, without the participant and what was given: what was given away is asked back also then, by any
//! phone of the team.

use super::Unlocked;
use super::index::{Item, Place, place_of};
use super::vault::Vault;
use crate::consent::grant::RECORD_GRANT_MAX_DAYS;
use crate::consent::standing::{Consents, last_day};
use crate::consent::{Act, GatedCategory, Grant, GrantError, GrantStatus, Purpose, ShareClass};
use crate::error::Error;
use crate::record::{Fact, FactField, Kind, Pairing, Recipient, SharingEvent, SharingNote, Summary};
use crate::screen::ShortText;
use crate::share::limits::{ASKED_ANEW_DAYS, PACKETS_MAX_COUNT, REMEMBERED_DAYS};
use crate::share::{self, Answer, EraseRequest, Offer, ShareError, SharedFacts};
use crate::storage::{Reader, Transaction};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::ids::RecordId;
use std::collections::{BTreeMap, BTreeSet};

const SENT: &str = "shares sent";

/// Every copy of which this phone knows, and what reaches their recipients: asking back must not hang on a record of the
/// recipient, which any member can erase or contradict.
#[derive(Default, Encode, Decode)]
#[cbor(map)]
pub(super) struct Copies {
    #[n(0)]
    sent: Vec<Sent>,
    #[n(1)]
    pairings: BTreeMap<RecordId, Pairing>,
}

/// A copy that left.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Sent {
    #[n(0)]
    share: RecordId,
    /// Under which yes; none once their file is gone.
    #[n(1)]
    grant: Option<RecordId>,
    #[n(2)]
    recipient: RecordId,
    #[n(3)]
    categories: Vec<GatedCategory>,
    #[n(4)]
    until: ShiftDay,
    /// Whom it is about, as long as they have a file.
    #[n(5)]
    participant: Option<RecordId>,
    #[n(6)]
    asked: Option<Asked>,
    #[n(7)]
    answer: Option<Answer>,
    /// A colleague asked, by the log.
    #[n(8)]
    asked_elsewhere: Option<ShiftDay>,
}

impl Sent {
    /// Takes what an answer says, the one with fewer phones awaited. Says whether it is news.
    fn hear(&mut self, answer: Answer) -> bool {
        let is_news = self.answer.is_none_or(|known| answer.awaited < known.awaited || known.was_kept != answer.was_kept);
        if is_news {
            self.answer = Some(answer);
        }
        is_news
    }
}

/// A request to erase a copy: the same when it is asked again soon; later it has another place, since the recipient destroys
/// what opens one that was answered. The key of the answer stays: answers may come late.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Asked {
    #[n(0)]
    day: ShiftDay,
    #[n(1)]
    request: EraseRequest,
    /// The day on which the request in hand was made.
    #[n(2)]
    made: ShiftDay,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asked(..)")
    }
}

/// What would leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharePlan {
    /// The recipient.
    pub recipient: RecordId,
    /// How it is called.
    pub name: Option<ShortText>,
    /// What it is.
    pub class: ShareClass,
    /// The words that were compared when it was paired.
    pub words: [&'static str; 6],
    /// Which facts, in the order of the fields.
    pub fields: Vec<FactField>,
    /// Why.
    pub purpose: Purpose,
    /// The last day on which the recipient may keep or read them.
    pub until: ShiftDay,
}

/// A packet, ready to be handed over in any way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedPacket {
    /// The copy's id.
    pub share: RecordId,
    /// What it holds, and for whom.
    pub plan: SharePlan,
    /// The bytes: [`share::PACKET_BYTES`].
    pub bytes: Vec<u8>,
}

/// How a copy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareState {
    /// Its grant counts.
    Standing,
    /// Its grant does not count any more: the recipient is to be asked to erase it.
    ToAsk,
    /// The recipient was asked, and has not answered.
    Asked(ShiftDay),
    /// The recipient answered.
    Answered(Answer),
    /// Its last day is over, here and there.
    Over,
}

/// A copy that left, as far as this phone knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareLine {
    /// Its id.
    pub share: RecordId,
    /// To whom.
    pub recipient: RecordId,
    /// Which kinds of facts; none once their file is gone.
    pub categories: Vec<GatedCategory>,
    /// Its last day.
    pub until: ShiftDay,
    /// Whom it is about; none once their file is gone.
    pub participant: Option<RecordId>,
    /// How it stands.
    pub state: ShareState,
}

/// What was found fit to leave.
struct Fit {
    grant: Grant,
    offer: Offer,
    facts: Vec<Fact>,
    plan: SharePlan,
}

impl Vault {
    fn copies(&self, reader: &Reader<'_>) -> Result<Copies, Error> {
        Ok(self.held_value(reader, SENT)?.unwrap_or_default())
    }
    fn put_copies(&self, tx: &Transaction<'_>, mut copies: Copies) -> Result<(), Error> {
        let Copies { sent, pairings } = &mut copies;
        pairings.retain(|recipient, _| sent.iter().any(|known| known.recipient == *recipient));
        self.put_held_value(tx, SENT, &copies)
    }
    /// Read before the key of held values is replaced.
    pub(super) fn copies_before_rekey(&self, reader: &Reader<'_>) -> Result<Option<Copies>, Error> {
        self.held_value(reader, SENT)
    }
    /// Stored again after that.
    pub(super) fn put_copies_again(&self, tx: &Transaction<'_>, copies: Option<Copies>) -> Result<(), Error> {
        copies.map_or(Ok(()), |copies| self.put_copies(tx, copies))
    }

    fn recipient(&mut self, reader: &Reader<'_>, recipient: RecordId) -> Result<Option<Recipient>, Error> {
        let item = self.item(reader, &place_of(recipient, Kind::Recipient, None))?;
        Ok(item.and_then(|item| match &item.summary {
            Summary::Recipient(recipient) => Some(recipient.clone()),
            _ => None,
        }))
    }

    fn offer_of(&mut self, reader: &Reader<'_>, recipient: RecordId) -> Result<(Recipient, Offer), Error> {
        let recipient = self.recipient(reader, recipient)?.ok_or(ShareError::NotPaired)?;
        let pairing = recipient.pairing.as_ref().ok_or(ShareError::NotPaired)?;
        let offer = Offer::from_parts(pairing.key(), pairing.seed()).map_err(|_| ShareError::NotPaired)?;
        Ok((recipient, offer))
    }

    /// Errors when a withdrawal may be on its way here: no colleague has said anything for too long, or something that one
    /// has signed is missing here. A relay that has no news proves nothing: only a colleague's signed frontier counts, or a
    /// meeting. Of a colleague who says nothing while another does, nothing is known.
    pub(super) fn require_contact(&mut self, reader: &Reader<'_>) -> Result<(), Error> {
        let limit_days = self.charter()?.share_contact_days();
        let (own, today) = (self.device, self.latest_day()?);
        let state = self.keyring.log.state().clone();
        let colleagues: Vec<_> =
            state.active().filter(|(device, _, role)| *device != own && role.reads_records()).map(|(device, ..)| device).collect();
        if colleagues.is_empty() {
            return Ok(());
        }
        let admitted = state.devices.get(&own).and_then(|known| self.keyring.log.operation(&known.admitted));
        let said = colleagues.iter().filter_map(|device| Some(self.frontier_of(device)?.content().day.min(today))).max();
        let last = said.max(self.state.met_colleague).max(admitted.map(crate::team::Operation::day));
        let is_fresh = last.is_some_and(|day| day.plus(limit_days) >= today);
        let is_whole = !self.is_something_missing(reader, &colleagues)?;
        if is_fresh && is_whole { Ok(()) } else { Err(ShareError::Stale { limit_days }.into()) }
    }

    /// What may leave under a grant today: everything that it covers, or some fields of it.
    fn fit_to_share(&mut self, reader: &Reader<'_>, participant: RecordId, grant: RecordId, fields: &[FactField]) -> Result<Fit, Error> {
        self.require_writer()?;
        if self.state.is_copied {
            return Err(Error::Copied);
        }
        let consents = self.consents(reader, &participant)?;
        if !consents.holds(&grant) {
            return Err(GrantError::NoSuchGrant.into());
        }
        let value = consents.grant(&grant).cloned();
        let told = value.as_ref().and_then(|value| value.recipient.zip(value.class));
        if value.as_ref().is_some_and(|value| value.act != Act::Share) {
            return Err(ShareError::NotAShare.into());
        }
        if let Some((recipient, class)) = told
            && self.recipient_class(reader, &recipient)? == Some(ShareClass::Justice)
            && class != ShareClass::Justice
        {
            return Err(ShareError::JusticeWithoutGrant.into());
        }
        let status = self.grant_status(reader, &consents, &grant)?;
        self.note_withdrawn(reader)?;
        let status = if self.is_withdrawn(&participant) { GrantStatus::Withdrawn } else { status };
        let (Some(value), GrantStatus::Live) = (value, status) else { return Err(GrantError::NotLive(status).into()) };
        self.require_live_grant(reader, participant)?;
        self.require_contact(reader)?;
        let Some((recipient, class)) = told else { return Err(ShareError::NotPaired.into()) };
        let (known, offer) = self.offer_of(reader, recipient)?;
        let day = self.latest_day()?;
        let granted = consents.live_categories(&grant, day, self.charter()?);
        if fields.iter().any(|field| !granted.contains(&field.category())) {
            return Err(GrantError::NotCovered.into());
        }
        let facts = self.facts_about(reader, participant, &consents, |field| {
            granted.contains(&field.category()) && (fields.is_empty() || fields.contains(&field))
        })?;
        if facts.is_empty() || !fields.iter().all(|field| facts.iter().any(|fact| fact.field() == *field)) {
            return Err(ShareError::Nothing.into());
        }
        share::check_facts(&facts, &granted)?;
        let until = last_day(&value, self.charter()?);
        let fields = facts.iter().map(Fact::field).collect();
        let plan = SharePlan { recipient, name: known.name(), class, words: offer.words(), fields, purpose: value.purpose, until };
        Ok(Fit { grant: value, offer, facts, plan })
    }

    /// Facts of every vault that is live today, each field once: of several the one under the newest grant.
    fn facts_about(
        &mut self,
        reader: &Reader<'_>,
        participant: RecordId,
        consents: &Consents,
        is_wanted: impl Fn(FactField) -> bool,
    ) -> Result<Vec<Fact>, Error> {
        let to_record = |grant: &Grant| grant.act == Act::Record && !grant.is_for_file();
        let mut grants: Vec<(ShiftDay, RecordId)> =
            consents.grants().filter_map(|(id, grant)| Some((grant.filter(|grant| to_record(grant))?.start, id))).collect();
        grants.sort_by(|a, b| b.cmp(a));
        let mut found: BTreeMap<FactField, Fact> = BTreeMap::new();
        for (_, grant) in grants {
            if self.grant_status(reader, consents, &grant)? != GrantStatus::Live {
                continue;
            }
            for line in self.facts(reader, participant, grant)? {
                let field = line.fact.field();
                if is_wanted(field) {
                    found.entry(field).or_insert(line.fact);
                }
            }
        }
        Ok(found.into_values().collect())
    }

    fn share(&mut self, tx: &Transaction<'_>, participant: RecordId, grant: RecordId, fields: &[FactField]) -> Result<SharedPacket, Error> {
        let Fit { grant: value, offer, facts, plan } = self.fit_to_share(tx, participant, grant, fields)?;
        let mut copies = self.copies(tx)?;
        if copies.sent.len() >= PACKETS_MAX_COUNT {
            return Err(ShareError::Full.into());
        }
        let share = RecordId::from_bytes(self.env.random());
        let shared = SharedFacts {
            share,
            purpose: value.purpose,
            expiry: plan.until,
            how: value.how,
            words_version: value.words_version,
            words_language: value.words_language,
            facts,
        };
        let bytes = share::seal_facts(&self.env, offer.key(), offer.seed(), &shared)?;
        let (recipient, categories) = (plan.recipient, shared.categories());
        let note =
            SharingNote { event: SharingEvent::Shared, grant, recipient, categories: categories.clone(), share: Some(share), answer: None };
        self.log_sharing(tx, participant, note)?;
        let (participant, grant, until) = (Some(participant), Some(grant), plan.until);
        let (asked, answer, asked_elsewhere) = (None, None, None);
        copies.sent.push(Sent { share, grant, recipient, categories, until, participant, asked, answer, asked_elsewhere });
        copies.pairings.entry(recipient).or_insert_with(|| Pairing::new(offer.key().as_bytes(), offer.seed()));
        self.put_copies(tx, copies)?;
        Ok(SharedPacket { share, plan, bytes })
    }

    /// Every copy of which this phone knows: those that it made or took note of, and those that the sharing log names, of
    /// one participant or of all. The log is read whether or not it may be shown: what was given away is asked back most of
    /// all when a file is closed.
    fn known_copies(&mut self, reader: &Reader<'_>, of: Option<&BTreeSet<RecordId>>) -> Result<Copies, Error> {
        let mut copies = self.copies(reader)?;
        for kind in [Kind::SharingNote, Kind::Grant, Kind::Recipient] {
            self.index.load_kind(reader, &self.store_id, &self.root, kind)?;
        }
        let today = self.today()?;
        let is_of = |item: &&Item| item.subject.is_some_and(|subject| of.is_none_or(|some| some.contains(&subject)));
        let items: Vec<Item> = self.index.of_kind(Kind::SharingNote).filter(is_of).cloned().collect();
        let mut said = Vec::new();
        for item in items {
            // one line that cannot be read keeps no other copy from being known
            for note in self.entry_values::<SharingNote>(reader, &item).unwrap_or_default() {
                let Some((participant, share)) = item.subject.zip(note.share) else { continue };
                said.push((item.day, participant, share, note));
            }
        }
        for (day, participant, share, note) in said.iter().filter(|(.., note)| note.event == SharingEvent::Shared) {
            if copies.sent.len() >= PACKETS_MAX_COUNT || copies.sent.iter().any(|known| known.share == *share) {
                continue;
            }
            let consents = self.consents(reader, participant)?;
            let until = match consents.grant(&note.grant) {
                Some(grant) => last_day(grant, self.charter()?),
                None => day.plus(RECORD_GRANT_MAX_DAYS),
            };
            if until.plus(REMEMBERED_DAYS) < today {
                continue;
            }
            let (grant, recipient, categories) = (Some(note.grant), note.recipient, note.categories.clone());
            let (share, participant, asked, answer, asked_elsewhere) = (*share, Some(*participant), None, None, None);
            copies.sent.push(Sent { share, grant, recipient, categories, until, participant, asked, answer, asked_elsewhere });
        }
        for (day, _, share, note) in &said {
            let Some(known) = copies.sent.iter_mut().find(|known| known.share == *share) else { continue };
            match (note.event, note.answer) {
                (SharingEvent::ErasureAsked, _) => known.asked_elsewhere = known.asked_elsewhere.max(Some(*day)),
                (SharingEvent::ErasureAnswered, Some(answer)) => drop(known.hear(answer)),
                _ => {}
            }
        }
        for recipient in copies.sent.iter().map(|known| known.recipient).collect::<BTreeSet<_>>() {
            if !copies.pairings.contains_key(&recipient)
                && let Some(pairing) = self.recipient(reader, recipient)?.and_then(|known| known.pairing)
            {
                copies.pairings.insert(recipient, pairing);
            }
        }
        Ok(copies)
    }

    /// Takes note of the copies that the log names, before the log or a recipient's record goes.
    pub(super) fn note_copies_before(&mut self, tx: &Transaction<'_>, places: &BTreeSet<Place>) -> Result<(), Error> {
        let going: Vec<(Kind, Option<RecordId>)> =
            places.iter().filter_map(|place| self.index.item(place)).map(|item| (item.kind, item.subject)).collect();
        let is_log = |kind: Kind| matches!(kind, Kind::Participant | Kind::SharingNote | Kind::Grant);
        let subjects: BTreeSet<RecordId> = going.iter().filter(|(kind, _)| is_log(*kind)).filter_map(|(_, subject)| *subject).collect();
        let of = if going.iter().any(|(kind, _)| *kind == Kind::Recipient) { None } else { Some(&subjects) };
        if of.is_some_and(BTreeSet::is_empty) {
            return Ok(());
        }
        let known = self.known_copies(tx, of)?;
        if known.sent.is_empty() { Ok(()) } else { self.put_copies(tx, known) }
    }

    /// A line of the log about somebody whose page is gone came too late: the copy is asked back all the same.
    pub(super) fn note_late_copy(&mut self, tx: &Transaction<'_>, day: ShiftDay, note: SharingNote) -> Result<(), Error> {
        let SharingNote { event: SharingEvent::Shared, recipient, share: Some(share), .. } = note else { return Ok(()) };
        let mut copies = self.copies(tx)?;
        if copies.sent.len() >= PACKETS_MAX_COUNT || copies.sent.iter().any(|known| known.share == share) {
            return Ok(());
        }
        if let Some(pairing) = self.recipient(tx, recipient)?.and_then(|known| known.pairing) {
            copies.pairings.entry(recipient).or_insert(pairing);
        }
        let until = day.plus(RECORD_GRANT_MAX_DAYS);
        let (grant, categories, participant) = (None, Vec::new(), None);
        let (asked, answer, asked_elsewhere) = (None, None, None);
        copies.sent.push(Sent { share, grant, recipient, categories, until, participant, asked, answer, asked_elsewhere });
        self.put_copies(tx, copies)
    }

    /// Takes note of every copy that left under some grants, or of all about somebody, before the log of them may go.
    /// Returns those that are to be asked back.
    pub(super) fn note_shares_of(
        &mut self,
        tx: &Transaction<'_>,
        participant: RecordId,
        reached: &[(RecordId, Grant)],
        is_file_closed: bool,
    ) -> Result<Vec<RecordId>, Error> {
        if !is_file_closed && !reached.iter().any(|(_, grant)| grant.act == Act::Share) {
            return Ok(Vec::new());
        }
        let today = self.today()?;
        let copies = self.known_copies(tx, Some(&BTreeSet::from([participant])))?;
        let is_reached = |known: &&Sent| reached.iter().any(|(id, _)| Some(*id) == known.grant);
        let is_of = |known: &&Sent| (is_file_closed && known.participant == Some(participant)) || is_reached(known);
        let standing = copies.sent.iter().filter(is_of).filter(|known| known.until >= today && known.answer.is_none());
        let to_ask = standing.map(|known| known.share).collect();
        self.put_copies(tx, copies)?;
        Ok(to_ask)
    }

    /// Forgets whom copies are about whose file is gone, and all that nobody needs to ask for them.
    pub(super) fn forget_shared_subjects(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        let mut copies = self.copies(tx)?;
        let mut changed = false;
        for known in &mut copies.sent {
            if let Some(subject) = known.participant
                && self.item(tx, &place_of(subject, Kind::Participant, Some(subject)))?.is_none()
            {
                (known.participant, known.grant) = (None, None);
                known.categories.clear();
                changed = true;
            }
        }
        if changed { self.put_copies(tx, copies) } else { Ok(()) }
    }

    /// Takes note of what the log says, and forgets copies that are long over; those of which nothing else is left, as soon
    /// as there is nothing to ask for any more.
    pub(super) fn tend_shares(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        let before = self.copies(tx)?;
        let (mut copies, today) = (self.known_copies(tx, None)?, self.today()?);
        copies.sent.retain(|known| known.until.plus(if known.participant.is_some() { REMEMBERED_DAYS } else { 0 }) >= today);
        if copies.sent == before.sent && copies.pairings.len() == before.pairings.len() { Ok(()) } else { self.put_copies(tx, copies) }
    }

    fn state_of(&mut self, reader: &Reader<'_>, known: &Sent) -> Result<ShareState, Error> {
        if let Some(answer) = known.answer {
            return Ok(ShareState::Answered(answer));
        }
        if let Some(asked) = known.asked.as_ref().map(|asked| asked.day).max(known.asked_elsewhere) {
            return Ok(ShareState::Asked(asked));
        }
        let day = self.latest_day()?;
        if known.until < day {
            return Ok(ShareState::Over);
        }
        let Some((participant, grant)) = known.participant.zip(known.grant) else { return Ok(ShareState::ToAsk) };
        self.note_withdrawn(reader)?;
        let consents = self.consents(reader, &participant)?;
        let live = consents.live_categories(&grant, day, self.charter()?);
        let stands = consents.holds(&grant)
            && !self.is_withdrawn(&participant)
            && self.grant_status(reader, &consents, &grant)? == GrantStatus::Live
            && known.categories.iter().all(|category| live.contains(category));
        Ok(if stands { ShareState::Standing } else { ShareState::ToAsk })
    }

    fn ask_erasure(&mut self, tx: &Transaction<'_>, share: RecordId) -> Result<Vec<u8>, Error> {
        self.require_writer()?;
        let mut copies = self.known_copies(tx, None)?;
        let at = copies.sent.iter().position(|known| known.share == share).ok_or(ShareError::NoSuchShare)?;
        let mut known = copies.sent.swap_remove(at);
        if self.state_of(tx, &known)? == ShareState::Standing {
            return Err(ShareError::StillGranted.into());
        }
        let offer = match copies.pairings.get(&known.recipient) {
            Some(pairing) => Offer::from_parts(pairing.key(), pairing.seed()).map_err(|_| ShareError::NotPaired)?,
            None => self.offer_of(tx, known.recipient)?.1,
        };
        let today = self.today()?;
        let id = RecordId::from_bytes(self.env.random());
        let request = match &mut known.asked {
            Some(asked) => {
                if asked.made.plus(ASKED_ANEW_DAYS) < today {
                    (asked.request.id, asked.made) = (id, today);
                }
                asked.request.clone()
            }
            None => {
                let request = EraseRequest { id, share, answer_key: self.env.random() };
                known.asked = Some(Asked { day: today, request: request.clone(), made: today });
                self.log_about_copy(tx, &known, SharingEvent::ErasureAsked, None)?;
                request
            }
        };
        copies.sent.push(known);
        self.put_copies(tx, copies)?;
        Ok(share::seal_request(&self.env, offer.key(), offer.seed(), &request)?)
    }

    fn read_answer(&mut self, tx: &Transaction<'_>, bytes: &[u8]) -> Result<Answer, Error> {
        let mut copies = self.copies(tx)?;
        let mut outcome = Err(ShareError::NotForUs);
        for known in &mut copies.sent {
            let Some(asked) = &known.asked else { continue };
            let answer = match share::open_answer(&asked.request.answer_key, bytes) {
                Err(ShareError::NotForUs) => continue,
                opened => opened?,
            };
            if answer.share != known.share {
                return Err(ShareError::Malformed.into());
            }
            outcome = Ok((known.hear(answer), known.clone(), answer));
            break;
        }
        let (is_news, known, answer) = outcome?;
        if is_news {
            self.log_about_copy(tx, &known, SharingEvent::ErasureAnswered, Some(answer))?;
        }
        self.put_copies(tx, copies)?;
        Ok(answer)
    }

    /// Writes to the log of a participant what became of a copy, as long as they have a file.
    fn log_about_copy(&mut self, tx: &Transaction<'_>, known: &Sent, event: SharingEvent, answer: Option<Answer>) -> Result<(), Error> {
        let Some((participant, grant)) = known.participant.zip(known.grant) else { return Ok(()) };
        if self.item(tx, &place_of(participant, Kind::Participant, Some(participant)))?.is_none() {
            return Ok(());
        }
        let Sent { share, recipient, categories, .. } = known.clone();
        self.log_sharing(tx, participant, SharingNote { event, grant, recipient, categories, share: Some(share), answer })
    }
}

impl Unlocked {
    /// Writes down a recipient that was met in person, with the offer that its phone showed. Both people have compared the
    /// offer's six words ([`Offer::words`]). Another phone of the same office is another recipient, with grants of its own.
    ///
    /// Errors: [`Error::Screen`] for the name, [`ShareError::PairedAlready`], [`Error::Role`].
    pub fn pair_recipient(&self, name: &str, class: ShareClass, offer: &Offer) -> Result<RecordId, Error> {
        let mut recipient = Recipient::parse(name, class)?;
        recipient.pairing = Some(Pairing::new(offer.key().as_bytes(), offer.seed()));
        self.write(|vault, tx| {
            let known = vault.items(tx, Kind::Recipient)?;
            let is_same = |summary: &Summary| matches!(summary, Summary::Recipient(known) if known.pairing == recipient.pairing);
            if known.iter().any(|item| is_same(&item.summary)) {
                return Err(ShareError::PairedAlready.into());
            }
            vault.save_recipient(tx, recipient.clone())
        })
    }

    /// What would leave under a grant to share: shown and agreed to before [`Unlocked::share`]. Nothing is stored.
    /// Errors: as [`Unlocked::share`].
    pub fn share_plan(&self, participant: RecordId, grant: RecordId, fields: &[FactField]) -> Result<SharePlan, Error> {
        self.read(|vault, reader| Ok(vault.fit_to_share(reader, participant, grant, fields)?.plan))
    }

    /// Seals facts for the recipient of a grant to share: all that it covers, or some fields of them. The sharing log says
    /// so before this returns.
    ///
    /// Errors: [`GrantError::NoSuchGrant`], [`GrantError::NotLive`] with how the grant stands, [`GrantError::NotCovered`]
    /// for a field that was not granted; [`ShareError`] for all else that stands in the way; [`Error::NoGrant`],
    /// [`Error::Copied`], [`Error::Role`].
    pub fn share(&self, participant: RecordId, grant: RecordId, fields: &[FactField]) -> Result<SharedPacket, Error> {
        self.write(|vault, tx| vault.share(tx, participant, grant, fields))
    }

    /// The copies that left, as far as this phone knows: those that it made, and those that the sharing log names or named.
    pub fn shares(&self) -> Result<Vec<ShareLine>, Error> {
        self.read(|vault, reader| {
            let mut lines = Vec::new();
            for known in vault.known_copies(reader, None)?.sent {
                let state = vault.state_of(reader, &known)?;
                let Sent { share, recipient, categories, until, participant, .. } = known;
                lines.push(ShareLine { share, recipient, categories, until, participant, state });
            }
            Ok(lines)
        })
    }

    /// Seals the request to erase a copy, for the same recipient. Asked again, it is the same request.
    ///
    /// Errors: [`ShareError::NoSuchShare`], [`ShareError::StillGranted`], [`ShareError::NotPaired`], [`Error::Role`].
    pub fn ask_erasure(&self, share: RecordId) -> Result<Vec<u8>, Error> {
        self.write(|vault, tx| vault.ask_erasure(tx, share))
    }

    /// Reads what a recipient answered to a request of this phone, and logs it. It is the recipient's word.
    /// Errors: [`ShareError::NotForUs`], [`ShareError::Newer`], [`ShareError::Malformed`].
    pub fn read_answer(&self, bytes: &[u8]) -> Result<Answer, Error> {
        self.write(|vault, tx| vault.read_answer(tx, bytes))
    }
}
