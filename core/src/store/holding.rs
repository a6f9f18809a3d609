//! What is held about one participant, gathered for them.

use super::Unlocked;
use super::consent::SharingLine;
use super::recover::RecoveryStatus;
use super::vault::Vault;
use super::write::entry_term_days;
use crate::consent::holding::{Given, GivenEvent, HeldFact, HeldFacts, HeldGrant, Holding, TakenBack};
use crate::consent::receipt::{ReceiptFacts, ReceiptForm, receipt};
use crate::consent::{GatedCategory, GrantError, GrantStatus, Language, Purpose};
use crate::error::Error;
use crate::record::{FactLine, FollowUpState, Kind, Participant, SharingEvent};
use crate::screen::ShortText;
use crate::storage::Reader;
use crate::team::Standing;
use satchel_wire::ShiftDay;
use satchel_wire::ids::{OperationId, RecordId};
use std::collections::{BTreeMap, BTreeSet};

/// The language of the words for somebody who wrote down theirs; English for one without words.
fn language_of(text: Option<&ShortText>) -> Language {
    let folded = text.map(|text| text.as_str().trim().to_lowercase()).unwrap_or_default();
    if ["es", "spa", "cast"].iter().any(|start| folded.starts_with(start)) { Language::Spanish } else { Language::English }
}

/// What may speak of somebody else is named and not shown.
const fn is_of_others(category: GatedCategory) -> bool {
    matches!(category, GatedCategory::ThirdParty | GatedCategory::Officer)
}

fn page_of(file: &Participant) -> Vec<(&'static str, String)> {
    let text = |name: &'static str, text: Option<&ShortText>| text.map(|text| (name, text.as_str().to_owned()));
    let mut page: Vec<(&'static str, String)> = file.alias.iter().map(|alias| ("alias", alias.as_str().to_owned())).collect();
    page.extend(text("pronouns", file.pronouns.as_ref()));
    page.extend(text("language", file.language.as_ref()));
    page.extend(text("contact", file.contact.as_ref()));
    page.extend(file.goals.iter().map(|goal| ("goal", goal.as_str().to_owned())));
    page.extend(file.closed.then(|| ("closed", "✓".to_owned())));
    page
}

impl Vault {
    /// Phones that were removed, lost or suspended since a day, and read records before: nobody can take back what they hold
    /// (count). One whose end has no day counts.
    fn phones_lost_since(&self, since: Option<ShiftDay>) -> usize {
        let log = &self.keyring.log;
        let ended = |bans: &BTreeSet<OperationId>| bans.iter().filter_map(|ban| Some(log.operation(ban)?.day())).min();
        let state = log.state();
        let is_lost = |device: &&crate::team::state::Device| {
            let is_active = device.standing == Standing::Active;
            // one that is active and banned was demoted to the board; a phone of the board never had the page
            let had_records = is_active || state.members.get(&device.member).is_none_or(|member| member.role.reads_records());
            (!is_active || !device.bans.is_empty())
                && had_records
                && ended(&device.bans).zip(since).is_none_or(|(ended, since)| ended >= since)
        };
        state.devices.values().filter(is_lost).count()
    }

    /// Whether the sharing log of somebody is all here, as far as this phone can tell: colleagues were heard lately, nothing
    /// that they signed is missing, and the page is not older than a line of the log is kept.
    fn is_log_whole(&mut self, reader: &Reader<'_>, since: Option<ShiftDay>) -> Result<bool, Error> {
        let is_heard = match self.require_contact(reader) {
            Err(Error::Share(_)) => false,
            other => other.map(|()| true)?,
        };
        let today = self.today()?;
        Ok(is_heard && since.is_some_and(|since| since.plus(entry_term_days(Kind::SharingNote)) >= today))
    }
}

impl Unlocked {
    /// Everything that this phone holds about a participant, for them: which facts, why, until when, who can open them, what
    /// they said yes to, what was given to whom, what was taken back. Never other people, nor the recognition word.
    ///
    /// Ask for the recognition word first, if there is one ([`Participant::is_recognised_by`]). Errors: [`Error::NoSuchRecord`] where nothing is held.
    pub fn hold_on_me(&self, participant: RecordId) -> Result<Holding, Error> {
        let file = self.participant(participant)?;
        let team = self.team()?;
        let last_day = self.participants()?.into_iter().find(|line| line.id == participant).map(|line| line.last_day);
        let recipients: BTreeMap<RecordId, String> = self
            .recipients()?
            .into_iter()
            .map(|line| (line.id, line.name.map_or_else(|| line.class.as_str().to_owned(), |name| name.as_str().to_owned())))
            .collect();
        let recipient = |id: RecordId| recipients.get(&id).cloned().unwrap_or_else(|| "?".to_owned());

        let mut meetings = Vec::new();
        for line in self.encounters(Some(participant))? {
            meetings.push((line.day, self.encounter(line.id)?.value.note().is_some()));
        }
        let is_open = |state| matches!(state, FollowUpState::Open);
        let promises = self.follow_ups()?.into_iter().filter(|line| line.participant == Some(participant) && is_open(line.state));
        let promises = promises.filter_map(|line| Some((line.what?.as_str().to_owned(), line.until))).collect();
        let referrals = self.self_referrals()?.into_iter().filter(|line| line.participant == Some(participant)).count();

        let grants = self.grants(participant)?;
        let mut facts = Vec::new();
        for line in self.vaults(participant)? {
            let said = grants.iter().find(|grant| grant.id == line.grant).and_then(|grant| grant.grant.as_ref());
            let lines = self.read_vault(participant, line.grant)?;
            for category in line.categories {
                facts.push(HeldFacts {
                    category,
                    purpose: said.map_or(Purpose::ServiceConnection, |said| said.purpose),
                    since: said.map(|said| said.start),
                    until: line.until,
                    is_received: said.is_some_and(|said| said.received.is_some()),
                    facts: facts_of(&lines, category),
                });
            }
        }
        let since = grants.iter().filter_map(|line| line.grant.as_ref()).filter(|said| said.is_for_file()).map(|said| said.start).min();
        let live = grants.into_iter().filter(|line| line.status == GrantStatus::Live);
        let grants = live.filter_map(|line| {
            let said = line.grant?;
            let categories = if said.is_for_file() { Vec::new() } else { line.live };
            let until = crate::consent::standing::last_day(&said, &team.charter);
            Some(HeldGrant { act: said.act, categories, purpose: said.purpose, recipient: said.recipient.map(recipient), until })
        });
        let grants = grants.collect();
        let given = self.sharing_log(participant)?.into_iter().map(|SharingLine { day, note, .. }| {
            let event = match note.event {
                SharingEvent::Shared => GivenEvent::Given,
                SharingEvent::Stopped => GivenEvent::Stopped,
                SharingEvent::JusticeGranted => GivenEvent::JusticeGranted,
                SharingEvent::ErasureAsked => GivenEvent::Asked,
                SharingEvent::ErasureAnswered => {
                    // a line without an answer says the least that there can be
                    let (was_kept, awaited) = note.answer.map_or((true, u16::MAX), |answer| (answer.was_kept, answer.awaited));
                    GivenEvent::Answered { was_kept, awaited }
                }
            };
            Given { day, event, categories: note.categories, recipient: recipient(note.recipient) }
        });
        let given = given.collect();
        let open = self.erasures()?.into_iter().filter(|erasure| !erasure.is_settled).map(|erasure| erasure.day).max();
        let taken_back = self.withdrawals(participant)?.into_iter().flat_map(|line| {
            let day = line.recorded_on;
            let is_settled = open.is_none_or(|open| open < day);
            line.scopes.into_iter().map(move |scope| TakenBack { day, act: scope.act, category: scope.category, is_settled })
        });
        let taken_back = taken_back.collect();
        let reads = |line: &&crate::store::DeviceLine| line.standing == Standing::Active && line.role.reads_records();
        let has_recovery = matches!(self.recovery_status()?, RecoveryStatus::SetUp { .. });
        let (lost, is_log_whole) = self.read(|vault, reader| Ok((vault.phones_lost_since(since), vault.is_log_whole(reader, since)?)))?;
        Ok(Holding {
            language: language_of(file.language.as_ref()),
            readers: team.devices.iter().filter(reads).count(),
            silent: team.devices.iter().filter(reads).filter(|line| line.is_dormant).count(),
            lost,
            has_recovery,
            since,
            is_log_whole,
            page_until: last_day.unwrap_or(ShiftDay::from_days(0)).plus(team.charter.retention.participant_days),
            page: page_of(&file),
            has_recognition_word: file.recognition_word.is_some(),
            meetings,
            meeting_days: team.charter.retention.encounter_days,
            promises,
            referrals,
            facts,
            grants,
            given,
            taken_back,
        })
    }
}

impl Unlocked {
    /// A receipt for a yes that counts today, as JSON, for the participant who asks for it. Nothing of it is stored. `agency`
    /// and `policy` are how the agency wants to be called, and where its charter can be read.
    ///
    /// Errors: [`GrantError::NoSuchGrant`], [`GrantError::NotLive`].
    pub fn grant_receipt(
        &self,
        participant: RecordId,
        grant: RecordId,
        agency: &str,
        policy: &str,
        form: ReceiptForm,
    ) -> Result<String, Error> {
        let line = self.grants(participant)?.into_iter().find(|line| line.id == grant).ok_or(GrantError::NoSuchGrant)?;
        let (GrantStatus::Live, Some(said)) = (line.status, &line.grant) else { return Err(GrantError::NotLive(line.status).into()) };
        let known = self.recipients()?.into_iter().find(|known| Some(known.id) == said.recipient);
        let name = known.and_then(|known| known.name);
        let until = crate::consent::standing::last_day(said, &self.team()?.charter);
        let categories: &[GatedCategory] = if said.is_for_file() { &[] } else { &line.live };
        let facts = ReceiptFacts { grant: said, categories, until, recipient: name.as_ref().map(ShortText::as_str), agency, policy };
        Ok(receipt(self.env(), &facts, form))
    }
}

fn facts_of(lines: &[FactLine], category: GatedCategory) -> Vec<HeldFact> {
    let of = lines.iter().filter(|line| line.fact.field().category() == category);
    let shown = |value: &str| (!is_of_others(category)).then(|| value.to_owned());
    of.map(|line| HeldFact { field: line.fact.field().as_str(), value: shown(line.fact.value()) }).collect()
}
