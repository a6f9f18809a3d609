//! A day's work on one phone, through the public API, and what it promises.

use super::Dice;
use super::dice::word;
use super::model::{FIELDS, File, Met, Model, marker, shown};
use crate::team::Phone;
use satchel_core::consent::HowGiven;
use satchel_core::error::Error;
use satchel_core::record::{
    EncounterKind, FollowUpDraft, FollowUpState, Outcome, ParticipantDraft, ParticipantEdit, ReferralStatus, SelfReferralDraft, StartedBy,
};
use satchel_core::screen::{Alias, DangerousVersion, Note, ShortText, dangerous_as_version};
use satchel_core::store::{EncounterDraft, OfferDraft, TallyTap};
use satchel_wire::ids::{RecordId, ResourceId};

const OUTCOMES: [Outcome; 5] = [Outcome::Unknown, Outcome::Accepted, Outcome::Declined, Outcome::Later, Outcome::NotNow];
const STATES: [FollowUpState; 3] = [FollowUpState::Open, FollowUpState::Done, FollowUpState::DroppedByParticipant];
const STATUSES: [ReferralStatus; 4] = [ReferralStatus::Thinking, ReferralStatus::Asked, ReferralStatus::Sent, ReferralStatus::GotIt];
/// Most goals that the simulator puts on one file on one phone (count); what merges is fewer than what a file may hold.
const GOALS_COUNT: usize = 5;

fn text(text: &str) -> ShortText {
    ShortText::parse(text).expect("a clean text")
}

fn resource(number: usize) -> ResourceId {
    ResourceId::from_bytes([number as u8 + 1; 16])
}

/// Who works: the phone, its number, and what chance decides.
#[derive(Debug)]
pub struct Worker<'a> {
    /// The phone.
    pub phone: &'a Phone,
    /// Its number.
    pub number: usize,
    /// The dice.
    pub dice: &'a mut Dice,
    /// Makes each word once.
    pub words: &'a mut usize,
    /// What is promised.
    pub model: &'a mut Model,
    /// Whether it writes what the guards of other versions find.
    pub versions: bool,
}

/// What some versions of the guard find and others do not: a word that only the own and later ones know, one that only a later
/// one knows, and a figure that all find.
const FOUND_BY_SOME: [&str; 3] = ["saw the probation officer", "left the lantern there", "call 415-555-0123"];

/// A kind of work and the record it was about.
pub type Done = (&'static str, Option<RecordId>);

impl Worker<'_> {
    pub(super) fn word(&mut self) -> String {
        *self.words += 1;
        word(*self.words)
    }

    /// One piece of work. `None` if there was nothing of its kind to do. Errors: the store's.
    pub fn work(&mut self) -> Result<Option<Done>, Error> {
        match self.dice.below(100) {
            0..8 => self.create_participant(),
            8..22 => self.edit_field(),
            22..34 => self.edit_goals(),
            34..58 => self.encounter(),
            58..68 => self.correct(),
            68..76 => self.tap(),
            76..80 => self.follow_up(),
            80..86 => self.follow_up_state(),
            86..89 => self.referral(),
            89..94 => self.referral_status(),
            94..96 => self.zone(),
            _ => self.resource_note(),
        }
    }

    /// A file that this phone has; mostly one of the first, so that phones meet in it.
    pub(super) fn some_file(&mut self) -> Result<Option<RecordId>, Error> {
        let mut ids: Vec<RecordId> = self.phone.unlocked.participants()?.iter().map(|line| line.id).collect();
        ids.sort_unstable();
        if self.dice.chance(70) {
            ids.truncate(2);
        }
        Ok(self.dice.pick(&ids))
    }

    /// Begins a file.
    pub fn create_participant(&mut self) -> Result<Option<Done>, Error> {
        let alias = self.word();
        let goals: Vec<String> = (0..self.dice.between(1, 3)).map(|_| self.word()).collect();
        let draft = ParticipantDraft {
            alias: Some(Alias::parse(&alias).expect("a clean alias")),
            goals: goals.iter().map(|goal| text(goal)).collect(),
            ..ParticipantDraft::default()
        };
        let id = self.phone.unlocked.create_participant(&draft, HowGiven::Spoken, "en")?;
        let mut file = File::default();
        file.fields.entry("alias").or_default().insert(alias);
        file.goals_added.extend(goals);
        self.model.files.insert(id, file);
        self.model.consents.begin(self.phone, id)?;
        self.model.authors.insert(id, (self.number, "participant"));
        Ok(Some(("participant", Some(id))))
    }

    fn edit_field(&mut self) -> Result<Option<Done>, Error> {
        let Some(id) = self.some_file()? else { return Ok(None) };
        let field = FIELDS[self.dice.below(FIELDS.len())];
        let value = self.word();
        let seen = shown(&self.phone.unlocked.participant(id)?, field);
        let mut edit = ParticipantEdit::default();
        match field {
            "alias" => edit.alias = Some(Alias::parse(&value).expect("a clean alias")),
            "pronouns" => edit.pronouns = Some(text(&value)),
            "language" => edit.language = Some(text(&value)),
            _ => edit.contact = Some(text(&value)),
        }
        self.phone.unlocked.edit_participant(id, &edit)?;
        let heads = self.model.files.entry(id).or_default().fields.entry(field).or_default();
        heads.retain(|head| !seen.contains(head));
        heads.insert(value);
        Ok(Some(("edit", Some(id))))
    }

    fn edit_goals(&mut self) -> Result<Option<Done>, Error> {
        let Some(id) = self.some_file()? else { return Ok(None) };
        let mut goals: Vec<String> = self.phone.unlocked.participant(id)?.goals.iter().map(|goal| goal.as_str().to_owned()).collect();
        let kind = match self.dice.below(3) {
            0 if goals.len() < GOALS_COUNT => {
                let goal = self.word();
                let at = self.dice.below(goals.len() + 1);
                goals.insert(at, goal.clone());
                self.set_goals(id, &goals)?;
                self.file(id).goals_added.insert(goal);
                "goal added"
            }
            1 if !goals.is_empty() => {
                let gone = goals.remove(self.dice.below(goals.len()));
                self.set_goals(id, &goals)?;
                self.file(id).goals_removed.insert(gone);
                "goal taken off"
            }
            _ if goals.len() > 1 => {
                let moved = goals.remove(self.dice.below(goals.len()));
                let at = self.dice.below(goals.len() + 1);
                goals.insert(at, moved);
                self.set_goals(id, &goals)?;
                "goals ordered"
            }
            _ => return Ok(None),
        };
        Ok(Some((kind, Some(id))))
    }

    fn file(&mut self, id: RecordId) -> &mut File {
        self.model.files.entry(id).or_default()
    }

    fn set_goals(&self, id: RecordId, goals: &[String]) -> Result<(), Error> {
        let goals = goals.iter().map(|goal| text(goal)).collect();
        self.phone.unlocked.edit_participant(id, &ParticipantEdit { goals: Some(goals), ..ParticipantEdit::default() })
    }

    /// A text that the guard of this phone lets pass; where versions differ, often one that another guard would not.
    fn note_text(&mut self) -> String {
        let word = self.word();
        if self.versions && self.dice.chance(50) {
            let text = format!("{word}, {}", FOUND_BY_SOME[self.dice.below(FOUND_BY_SOME.len())]);
            if dangerous_as_version(self.phone.env.dangerous_guard(), || Note::parse(&text).is_ok()) {
                return text;
            }
        }
        word
    }

    fn draft(&mut self, participant: Option<RecordId>) -> Result<(EncounterDraft, String), Error> {
        let note = self.note_text();
        let zones: Vec<RecordId> = self.phone.unlocked.zones()?.iter().map(|line| line.id).collect();
        let mut offers = vec![OfferDraft { resource: marker(self.number), quantity: 1, outcome: Outcome::Accepted, keep_refusal: false }];
        for _ in 0..self.dice.below(4) {
            offers.push(OfferDraft {
                resource: resource(self.dice.below(6)),
                quantity: self.dice.between(1, 3) as u16,
                outcome: OUTCOMES[self.dice.below(OUTCOMES.len())],
                keep_refusal: self.dice.chance(20),
            });
        }
        let kind = [EncounterKind::Street, EncounterKind::DropIn, EncounterKind::Phone][self.dice.below(3)];
        let zone = self.dice.pick(&zones);
        let text = dangerous_as_version(self.phone.env.dangerous_guard(), || Note::parse(&note)).expect("a clean note");
        Ok((EncounterDraft { kind, participant, zone, offers, note: Some(text) }, note))
    }

    /// Writes an encounter down, with or without a participant.
    pub fn encounter(&mut self) -> Result<Option<Done>, Error> {
        let participant = if self.dice.chance(60) { self.some_file()? } else { None };
        let (draft, note) = self.draft(participant)?;
        let day = self.phone.unlocked.today()?;
        let id = self.phone.unlocked.save_encounter(&draft)?;
        let said: Vec<_> = draft.offers.iter().map(|offer| (offer.resource, offer.outcome, u32::from(offer.quantity))).collect();
        self.model.count(self.number, day, &said);
        self.model.encounters.insert(id, Met { participant, notes: [note].into() });
        self.model.authors.insert(id, (self.number, "encounter"));
        Ok(Some(("encounter", Some(id))))
    }

    fn correct(&mut self) -> Result<Option<Done>, Error> {
        let mut ids: Vec<RecordId> = self.phone.unlocked.encounters(None)?.iter().map(|line| line.id).collect();
        ids.sort_unstable();
        if self.dice.chance(60) {
            ids.truncate(2);
        }
        let Some(id) = self.dice.pick(&ids) else { return Ok(None) };
        // a correction names what stands, covered or not
        let (env, guard) = (&self.phone.env, self.phone.env.dangerous_guard());
        env.dangerous_set_guard(DangerousVersion::NONE);
        let shown = self.phone.unlocked.encounter(id);
        env.dangerous_set_guard(guard);
        let shown = shown?;
        let versions = std::iter::once(&shown.value).chain(&shown.others);
        let seen: Vec<String> = versions.filter_map(|version| version.note()).map(|note| note.as_str().to_owned()).collect();
        let (draft, note) = self.draft(shown.participant)?;
        self.phone.unlocked.correct_encounter(id, &draft)?;
        let notes = &mut self.model.encounters.entry(id).or_default().notes;
        notes.retain(|head| !seen.contains(head));
        notes.insert(note);
        Ok(Some(("correction", Some(id))))
    }

    fn tap(&mut self) -> Result<Option<Done>, Error> {
        let mut taps = vec![TallyTap { resource: marker(self.number), outcome: Outcome::Accepted, count: 1 }];
        for _ in 0..self.dice.below(3) {
            let outcome = OUTCOMES[self.dice.below(OUTCOMES.len())];
            taps.push(TallyTap { resource: resource(self.dice.below(6)), outcome, count: self.dice.between(1, 3) as u32 });
        }
        let day = self.phone.unlocked.today()?;
        self.phone.unlocked.tally(&taps)?;
        let said: Vec<_> = taps.iter().map(|tap| (tap.resource, tap.outcome, tap.count)).collect();
        self.model.count(self.number, day, &said);
        Ok(Some(("tally", None)))
    }

    fn follow_up(&mut self) -> Result<Option<Done>, Error> {
        let Some(participant) = self.some_file()? else { return Ok(None) };
        let what = self.word();
        let today = self.phone.unlocked.today()?;
        // windows outlast the run, so that what is shown does not depend on the day of looking
        let draft = FollowUpDraft { participant, what: text(&what), from: today, until: today.plus(60), contact: None };
        let id = self.phone.unlocked.save_follow_up(&draft)?;
        self.model.follow_ups.insert(id, [(self.number, FollowUpState::Open)].into());
        self.model.authors.insert(id, (self.number, "follow-up"));
        self.model.about.insert(id, participant);
        Ok(Some(("follow-up", Some(id))))
    }

    fn follow_up_state(&mut self) -> Result<Option<Done>, Error> {
        let lines = self.phone.unlocked.follow_ups()?;
        let lines: Vec<_> = lines.iter().map(|line| (line.id, line.state)).collect();
        let Some((id, before)) = self.dice.pick(&lines) else { return Ok(None) };
        let state = STATES[self.dice.below(STATES.len())];
        if state == before {
            return Ok(None);
        }
        self.phone.unlocked.set_follow_up_state(id, state)?;
        self.model.follow_ups.entry(id).or_default().insert(self.number, state);
        Ok(Some(("follow-up state", Some(id))))
    }

    fn referral(&mut self) -> Result<Option<Done>, Error> {
        let Some(participant) = self.some_file()? else { return Ok(None) };
        let draft = SelfReferralDraft {
            participant,
            started_by: StartedBy::Participant,
            to: resource(self.dice.below(6)),
            words: None,
            status: ReferralStatus::Thinking,
        };
        let id = self.phone.unlocked.save_self_referral(&draft)?;
        self.model.referrals.insert(id, [(self.number, ReferralStatus::Thinking)].into());
        self.model.authors.insert(id, (self.number, "referral"));
        self.model.about.insert(id, participant);
        Ok(Some(("referral", Some(id))))
    }

    fn referral_status(&mut self) -> Result<Option<Done>, Error> {
        let lines = self.phone.unlocked.self_referrals()?;
        let lines: Vec<_> = lines.iter().map(|line| (line.id, line.status)).collect();
        let Some((id, before)) = self.dice.pick(&lines) else { return Ok(None) };
        let status = STATUSES[self.dice.below(STATUSES.len())];
        if status == before {
            return Ok(None);
        }
        self.phone.unlocked.set_referral_status(id, status)?;
        self.model.referrals.entry(id).or_default().insert(self.number, status);
        Ok(Some(("referral status", Some(id))))
    }

    fn zone(&mut self) -> Result<Option<Done>, Error> {
        let name = self.word();
        let id = self.phone.unlocked.create_zone(&text(&name))?;
        self.model.zones.insert(id, name);
        self.model.authors.insert(id, (self.number, "zone"));
        Ok(Some(("zone", Some(id))))
    }

    fn resource_note(&mut self) -> Result<Option<Done>, Error> {
        let resource = resource(self.dice.below(3));
        let note = self.note_text();
        let text = dangerous_as_version(self.phone.env.dangerous_guard(), || Note::parse(&note)).expect("a clean note");
        self.phone.unlocked.save_resource_note(resource, &text)?;
        self.model.notes.entry(resource).or_default().insert(self.number, note);
        Ok(Some(("resource note", None)))
    }
}
