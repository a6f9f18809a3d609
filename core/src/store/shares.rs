//! Sharing with a recipient outside the team: what may leave, what left, and asking for it back.
//!
//! A packet leaves under one live grant to share, for one recipient who was met in person, with the granted fields and no
//! others, and the log says so in the same transaction. Each phone remembers the copies that it made, and those of which it
//! learned when it took a consent back, without the participant as soon as their file is gone: what was given away is asked
//! back also then.

use super::Unlocked;
use super::consent::SharingLine;
use super::index::place_of;
use super::vault::Vault;
use crate::consent::standing::{Consents, last_day};
use crate::consent::{Act, GatedCategory, Grant, GrantError, GrantStatus, Purpose, ShareClass};
use crate::error::Error;
use crate::record::{Fact, FactField, Kind, Pairing, Recipient, SharingEvent, SharingNote, Summary};
use crate::screen::ShortText;
use crate::share::limits::{PACKETS_MAX_COUNT, REMEMBERED_DAYS};
use crate::share::{self, Answer, EraseRequest, Offer, ShareError, SharedFacts};
use crate::storage::{Reader, Transaction};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::ids::RecordId;
use std::collections::BTreeMap;

const SENT: &str = "shares sent";

/// A copy that left.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
struct Sent {
    #[n(0)]
    share: RecordId,
    #[n(1)]
    grant: RecordId,
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
}

/// A request to erase a copy: one for each copy, the same whenever it is asked again.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
struct Asked {
    #[n(0)]
    day: ShiftDay,
    #[n(1)]
    request: EraseRequest,
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
    /// Which kinds of facts.
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
    fn sent(&self, reader: &Reader<'_>) -> Result<Vec<Sent>, Error> {
        Ok(self.extra(reader, SENT)?.unwrap_or_default())
    }
    fn put_sent(&self, tx: &Transaction<'_>, sent: &Vec<Sent>) -> Result<(), Error> {
        self.put_extra(tx, SENT, sent)
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

    /// Errors when a withdrawal may be on its way here: nobody of the team was met for too long.
    fn require_contact(&mut self) -> Result<(), Error> {
        let limit_days = self.charter()?.share_contact_days();
        let (own, today) = (self.device, self.latest_day()?);
        let state = self.keyring.log.state();
        let is_alone = !state.active().any(|(device, _, role)| device != own && role.reads_records());
        let admitted = state.devices.get(&own).and_then(|known| self.keyring.log.operation(&known.admitted));
        let last = self.state.last_contact.max(admitted.map(crate::team::Operation::day));
        let is_fresh = last.is_some_and(|day| day.plus(limit_days) >= today);
        if is_alone || is_fresh { Ok(()) } else { Err(ShareError::Stale { limit_days }.into()) }
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
        self.require_contact()?;
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
        let mut sent = self.sent(tx)?;
        if sent.len() >= PACKETS_MAX_COUNT {
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
        let note = SharingNote { event: SharingEvent::Shared, grant, recipient, categories: categories.clone(), share: Some(share) };
        self.log_sharing(tx, participant, note)?;
        let (participant, until) = (Some(participant), plan.until);
        sent.push(Sent { share, grant, recipient, categories, until, participant, asked: None, answer: None });
        self.put_sent(tx, &sent)?;
        Ok(SharedPacket { share, plan, bytes })
    }

    /// Takes note of every copy that left under some grants, before the log of them may go. Returns those copies.
    pub(super) fn note_shares_of(
        &mut self,
        tx: &Transaction<'_>,
        participant: RecordId,
        reached: &[(RecordId, Grant)],
    ) -> Result<Vec<RecordId>, Error> {
        if !reached.iter().any(|(_, grant)| grant.act == Act::Share) {
            return Ok(Vec::new());
        }
        let (mut sent, today) = (self.sent(tx)?, self.today()?);
        for SharingLine { note, .. } in self.sharing_lines(tx, participant)? {
            let grant = reached.iter().find(|(id, _)| *id == note.grant);
            let (SharingEvent::Shared, Some(share), Some((_, grant))) = (note.event, note.share, grant) else { continue };
            let until = last_day(grant, self.charter()?);
            if sent.len() < PACKETS_MAX_COUNT && !sent.iter().any(|known| known.share == share) {
                let SharingNote { grant, recipient, categories, .. } = note;
                sent.push(Sent { share, grant, recipient, categories, until, participant: Some(participant), asked: None, answer: None });
            }
        }
        self.put_sent(tx, &sent)?;
        let is_of = |known: &&Sent| reached.iter().any(|(id, _)| *id == known.grant);
        Ok(sent.iter().filter(is_of).filter(|known| known.until >= today && known.answer.is_none()).map(|known| known.share).collect())
    }

    /// Forgets whom copies are about whose file is gone.
    pub(super) fn forget_shared_subjects(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        let mut sent = self.sent(tx)?;
        let mut changed = false;
        for known in &mut sent {
            if let Some(subject) = known.participant
                && self.item(tx, &place_of(subject, Kind::Participant, Some(subject)))?.is_none()
            {
                known.participant = None;
                changed = true;
            }
        }
        if changed { self.put_sent(tx, &sent) } else { Ok(()) }
    }

    /// Forgets copies that are long over.
    pub(super) fn tend_shares(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        let (mut sent, today) = (self.sent(tx)?, self.today()?);
        let before = sent.len();
        sent.retain(|known| known.until.plus(REMEMBERED_DAYS) >= today);
        if sent.len() == before { Ok(()) } else { self.put_sent(tx, &sent) }
    }

    fn state_of(&mut self, reader: &Reader<'_>, known: &Sent) -> Result<ShareState, Error> {
        if let Some(answer) = known.answer {
            return Ok(ShareState::Answered(answer));
        }
        if let Some(asked) = &known.asked {
            return Ok(ShareState::Asked(asked.day));
        }
        let day = self.latest_day()?;
        if known.until < day {
            return Ok(ShareState::Over);
        }
        let Some(participant) = known.participant else { return Ok(ShareState::ToAsk) };
        self.note_withdrawn(reader)?;
        let consents = self.consents(reader, &participant)?;
        let live = consents.live_categories(&known.grant, day, self.charter()?);
        let stands = consents.holds(&known.grant)
            && !self.is_withdrawn(&participant)
            && self.grant_status(reader, &consents, &known.grant)? == GrantStatus::Live
            && known.categories.iter().all(|category| live.contains(category));
        Ok(if stands { ShareState::Standing } else { ShareState::ToAsk })
    }

    fn ask_erasure(&mut self, tx: &Transaction<'_>, share: RecordId) -> Result<Vec<u8>, Error> {
        self.require_writer()?;
        let mut sent = self.sent(tx)?;
        let at = sent.iter().position(|known| known.share == share).ok_or(ShareError::NoSuchShare)?;
        let mut known = sent.swap_remove(at);
        if self.state_of(tx, &known)? == ShareState::Standing {
            return Err(ShareError::StillGranted.into());
        }
        let (_, offer) = self.offer_of(tx, known.recipient)?;
        let request = match &known.asked {
            Some(asked) => asked.request.clone(),
            None => {
                let request = EraseRequest { id: RecordId::from_bytes(self.env.random()), share, answer_key: self.env.random() };
                known.asked = Some(Asked { day: self.today()?, request: request.clone() });
                self.log_about_copy(tx, &known, SharingEvent::ErasureAsked)?;
                request
            }
        };
        sent.push(known);
        self.put_sent(tx, &sent)?;
        Ok(share::seal_request(&self.env, offer.key(), offer.seed(), &request)?)
    }

    fn read_answer(&mut self, tx: &Transaction<'_>, bytes: &[u8]) -> Result<Answer, Error> {
        let mut sent = self.sent(tx)?;
        let mut outcome = Err(ShareError::NotForUs);
        for known in &mut sent {
            let Some(asked) = &known.asked else { continue };
            let answer = match share::open_answer(&asked.request.answer_key, bytes) {
                Err(ShareError::NotForUs) => continue,
                opened => opened?,
            };
            if answer.share != known.share {
                return Err(ShareError::Malformed.into());
            }
            let is_first = known.answer.replace(answer).is_none();
            outcome = Ok((is_first, known.clone(), answer));
            break;
        }
        let (is_first, known, answer) = outcome?;
        if is_first {
            self.log_about_copy(tx, &known, SharingEvent::ErasureAnswered)?;
        }
        self.put_sent(tx, &sent)?;
        Ok(answer)
    }

    /// Writes to the log of a participant what became of a copy, as long as they have a file.
    fn log_about_copy(&mut self, tx: &Transaction<'_>, known: &Sent, event: SharingEvent) -> Result<(), Error> {
        let Some(participant) = known.participant else { return Ok(()) };
        if self.item(tx, &place_of(participant, Kind::Participant, Some(participant)))?.is_none() {
            return Ok(());
        }
        let Sent { share, grant, recipient, categories, .. } = known.clone();
        self.log_sharing(tx, participant, SharingNote { event, grant, recipient, categories, share: Some(share) })
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

    /// The copies that left, as far as this phone knows: those that it made, and those of consents taken back here.
    pub fn shares(&self) -> Result<Vec<ShareLine>, Error> {
        self.read(|vault, reader| {
            let mut lines = Vec::new();
            for known in vault.sent(reader)? {
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
