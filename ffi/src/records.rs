//! Records as they cross: plain fields, texts screened on the way in.
//!
//! What holds a user's text prints nothing but its type, in both languages.

use crate::error::FfiError;
use crate::team::{DeviceLine, RemovalDetails};
use satchel_core::consent::HowGiven;
use satchel_core::record::{self, EncounterKind, FollowUpState, Offer, Outcome, ReferralStatus, StartedBy, TallyLine};
use satchel_core::screen::{Alias, Note, ScreenError, ShortText};
use satchel_core::store::{self, EncounterLine, OfferDraft, TallyTap};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{RecordId, ResourceId};

/// Where the meeting happened, in general.
#[uniffi::remote(Enum)]
pub enum EncounterKind {
    /// On the street.
    Street,
    /// At a drop-in.
    DropIn,
    /// By telephone.
    Phone,
    /// Visiting a place where people stay.
    SiteVisit,
}

/// What the participant said to an offer. Only their word sets it.
#[uniffi::remote(Enum)]
pub enum Outcome {
    /// Nobody said.
    Unknown,
    /// Taken.
    Accepted,
    /// Declined: counted anonymously, and kept with a person only if they ask.
    Declined,
    /// Another time.
    Later,
    /// Not now: like declined.
    NotNow,
    /// There was none to give.
    NotAvailable,
    /// The provider turned them away.
    TurnedAwayByProvider,
    /// They have it already.
    AlreadyHas,
}

/// How a consent was given.
#[uniffi::remote(Enum)]
pub enum HowGiven {
    /// By word.
    Spoken,
    /// On the screen.
    OnScreen,
    /// A signed paper is on file.
    SignedPaperOnFile,
}

/// Where a follow-up stands.
#[uniffi::remote(Enum)]
pub enum FollowUpState {
    /// Promised.
    Open,
    /// Done.
    Done,
    /// The participant no longer wants it.
    DroppedByParticipant,
    /// Its window has passed.
    Expired,
}

/// Who started a self-referral. A third person is not representable.
#[uniffi::remote(Enum)]
pub enum StartedBy {
    /// The participant.
    Participant,
    /// The participant, together with a worker.
    ParticipantWithWorker,
}

/// Where a self-referral stands, in the participant's choice.
#[uniffi::remote(Enum)]
pub enum ReferralStatus {
    /// Thinking about it.
    Thinking,
    /// Asked for it.
    Asked,
    /// Sent.
    Sent,
    /// Got it.
    GotIt,
    /// Changed their mind.
    ChangedMind,
}

/// An offer made, and what was said.
#[uniffi::remote(Record)]
pub struct OfferDraft {
    /// The resource or supply (`res_…`).
    pub resource: ResourceId,
    /// How many, 1 or more.
    pub quantity: u16,
    /// What they said.
    pub outcome: Outcome,
    /// They asked that a refusal be kept with them. Ignored for other outcomes.
    pub keep_refusal: bool,
}

/// One anonymous contact: what was offered and said.
#[uniffi::remote(Record)]
pub struct TallyTap {
    /// The resource or supply.
    pub resource: ResourceId,
    /// What was said.
    pub outcome: Outcome,
    /// How many, 1 or more.
    pub count: u32,
}

/// How many times something was offered with one outcome.
#[uniffi::remote(Record)]
pub struct TallyLine {
    /// The resource or supply.
    pub resource: ResourceId,
    /// What was said.
    pub outcome: Outcome,
    /// How many.
    pub count: u32,
}

/// An offer as stored.
#[uniffi::remote(Record)]
pub struct Offer {
    /// The resource or supply.
    pub resource: ResourceId,
    /// How many.
    pub quantity: u16,
    /// What they said.
    pub outcome: Outcome,
    /// True for a refusal that they asked to keep.
    pub kept_at_request: Option<bool>,
}

/// One line of the list of encounters.
#[uniffi::remote(Record)]
pub struct EncounterLine {
    /// The encounter.
    pub id: RecordId,
    /// Its shift day (`YYYY-MM-DD`).
    pub day: ShiftDay,
    /// Street, drop-in, phone or site visit.
    pub kind: EncounterKind,
    /// Its zone.
    pub zone: Option<RecordId>,
    /// The participant.
    pub participant: Option<RecordId>,
    /// How many offers it holds.
    pub offers: u8,
}

/// Screens a text; a refusal names its field.
fn screened<T>(field: impl Into<String>, text: &str, parse: impl FnOnce(&str) -> Result<T, ScreenError>) -> Result<T, FfiError> {
    parse(text).map_err(|error| FfiError::text(field.into(), text, &error))
}

pub(crate) fn short_text(field: &str, text: &str) -> Result<ShortText, FfiError> {
    screened(field, text, ShortText::parse)
}

/// As [`short_text`], about somebody: their alias is a plain word in it.
fn short_text_about(field: &str, text: &str, alias: Option<&Alias>) -> Result<ShortText, FfiError> {
    screened(field, text, |text| match alias {
        Some(alias) => ShortText::parse_with_alias(text, alias),
        None => ShortText::parse(text),
    })
}

fn optional(field: &str, text: Option<&String>) -> Result<Option<ShortText>, FfiError> {
    text.map(|text| short_text(field, text)).transpose()
}

fn list(field: &str, texts: &[String]) -> Result<Vec<ShortText>, FfiError> {
    texts.iter().enumerate().map(|(at, text)| screened(format!("{field}.{at}"), text, ShortText::parse)).collect()
}

pub(crate) fn shown(text: Option<&ShortText>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

/// Records that hold a user's text print their type only.
macro_rules! quiet {
    ($($name:ident),+ $(,)?) => {$(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )+};
}
quiet!(
    ParticipantDraft,
    ParticipantEdit,
    Participant,
    ParticipantConflict,
    ParticipantLine,
    EncounterDraft,
    Encounter,
    FollowUpDraft,
    FollowUpLine,
    SelfReferralDraft,
    SelfReferral,
    ZoneLine,
    DeviceLine,
    RemovalDetails,
);

/// What is written when somebody says yes to a file.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct ParticipantDraft {
    /// How they said yes.
    pub how: HowGiven,
    /// Language of the words that were shown or read: two lower-case letters (ISO 639-1).
    pub words_language: String,
    /// The name they chose.
    #[uniffi(default = None)]
    pub alias: Option<String>,
    /// Pronouns.
    #[uniffi(default = None)]
    pub pronouns: Option<String>,
    /// Language.
    #[uniffi(default = None)]
    pub language: Option<String>,
    /// How they may safely be reached.
    #[uniffi(default = None)]
    pub contact: Option<String>,
    /// Goals in their order, at most 16.
    #[uniffi(default = [])]
    pub goals: Vec<String>,
    /// A word they chose, asked before their page is read out.
    #[uniffi(default = None)]
    pub recognition_word: Option<String>,
}

impl ParticipantDraft {
    pub(crate) fn read(&self) -> Result<record::ParticipantDraft, FfiError> {
        Ok(record::ParticipantDraft {
            alias: self.alias.as_ref().map(|text| screened("alias", text, Alias::parse)).transpose()?,
            pronouns: optional("pronouns", self.pronouns.as_ref())?,
            language: optional("language", self.language.as_ref())?,
            contact: optional("contact", self.contact.as_ref())?,
            goals: list("goals", &self.goals)?,
            recognition_word: optional("recognition_word", self.recognition_word.as_ref())?,
        })
    }
}

/// A change to a participant file; what is none stays as it is.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct ParticipantEdit {
    /// A new alias.
    #[uniffi(default = None)]
    pub alias: Option<String>,
    /// New pronouns.
    #[uniffi(default = None)]
    pub pronouns: Option<String>,
    /// Another language.
    #[uniffi(default = None)]
    pub language: Option<String>,
    /// Another safe-contact preference.
    #[uniffi(default = None)]
    pub contact: Option<String>,
    /// Goals in their new order, at most 16.
    #[uniffi(default = None)]
    pub goals: Option<Vec<String>>,
    /// Another recognition word.
    #[uniffi(default = None)]
    pub recognition_word: Option<String>,
    /// Closed (true) or opened again (false), at the participant's word.
    #[uniffi(default = None)]
    pub closed: Option<bool>,
}

impl ParticipantEdit {
    pub(crate) fn read(&self) -> Result<record::ParticipantEdit, FfiError> {
        Ok(record::ParticipantEdit {
            alias: self.alias.as_ref().map(|text| screened("alias", text, Alias::parse)).transpose()?,
            pronouns: optional("pronouns", self.pronouns.as_ref())?,
            language: optional("language", self.language.as_ref())?,
            contact: optional("contact", self.contact.as_ref())?,
            goals: self.goals.as_ref().map(|goals| list("goals", goals)).transpose()?,
            recognition_word: optional("recognition_word", self.recognition_word.as_ref())?,
            closed: self.closed,
        })
    }
}

/// Two phones wrote one field at the same time: the values beside the one shown.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct ParticipantConflict {
    /// Which field, in snake case.
    pub field: String,
    /// The values not shown, in a stable order.
    pub others: Vec<String>,
}

/// A participant file.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct Participant {
    /// Random id.
    pub id: RecordId,
    /// The name they chose.
    pub alias: Option<String>,
    /// Pronouns.
    pub pronouns: Option<String>,
    /// Language.
    pub language: Option<String>,
    /// How they may safely be reached.
    pub contact: Option<String>,
    /// Goals in their order.
    pub goals: Vec<String>,
    /// Recognition word.
    pub recognition_word: Option<String>,
    /// Closed by the participant.
    pub closed: bool,
    /// Fields in which two phones disagree.
    pub conflicts: Vec<ParticipantConflict>,
}

impl From<record::Participant> for Participant {
    fn from(file: record::Participant) -> Self {
        let conflict = |conflict: &record::Conflict| ParticipantConflict {
            field: conflict.field.to_owned(),
            others: conflict.others.iter().map(|text| text.as_str().to_owned()).collect(),
        };
        Self {
            id: file.id,
            alias: file.alias.as_ref().map(|alias| alias.as_str().to_owned()),
            pronouns: shown(file.pronouns.as_ref()),
            language: shown(file.language.as_ref()),
            contact: shown(file.contact.as_ref()),
            goals: file.goals.iter().map(|goal| goal.as_str().to_owned()).collect(),
            recognition_word: shown(file.recognition_word.as_ref()),
            closed: file.closed,
            conflicts: file.conflicts.iter().map(conflict).collect(),
        }
    }
}

/// One line of the list of participants.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct ParticipantLine {
    /// The participant.
    pub id: RecordId,
    /// The name they chose.
    pub alias: Option<String>,
    /// Closed by the participant.
    pub closed: bool,
    /// The shift day of the last contact, or of the file's beginning.
    pub last_day: ShiftDay,
}

impl From<record::ParticipantLine> for ParticipantLine {
    fn from(line: record::ParticipantLine) -> Self {
        Self {
            id: line.id,
            alias: line.alias.as_ref().map(|alias| alias.as_str().to_owned()),
            closed: line.closed,
            last_day: line.last_day,
        }
    }
}

/// An encounter to be written down. Nothing but its kind is mandatory.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct EncounterDraft {
    /// Street, drop-in, phone or site visit.
    pub kind: EncounterKind,
    /// The participant, if there is a file.
    #[uniffi(default = None)]
    pub participant: Option<RecordId>,
    /// The zone.
    #[uniffi(default = None)]
    pub zone: Option<RecordId>,
    /// Up to 32 offers.
    #[uniffi(default = [])]
    pub offers: Vec<OfferDraft>,
    /// A short note.
    #[uniffi(default = None)]
    pub note: Option<String>,
}

impl EncounterDraft {
    /// `alias` is the participant's.
    pub(crate) fn read(self, alias: Option<&Alias>) -> Result<store::EncounterDraft, FfiError> {
        let parse = |text: &str| match alias {
            Some(alias) => Note::parse_with_alias(text, alias),
            None => Note::parse(text),
        };
        let note = self.note.as_ref().map(|text| screened("note", text, parse)).transpose()?;
        Ok(store::EncounterDraft { kind: self.kind, participant: self.participant, zone: self.zone, offers: self.offers, note })
    }
}

/// An encounter.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct Encounter {
    /// Its shift day.
    pub day: ShiftDay,
    /// Street, drop-in, phone or site visit.
    pub kind: EncounterKind,
    /// The participant.
    pub participant: Option<RecordId>,
    /// The zone.
    pub zone: Option<RecordId>,
    /// What was offered, and said; refusals only where somebody asked to keep them.
    pub offers: Vec<Offer>,
    /// The note.
    pub note: Option<String>,
    /// How many other versions were written at the same time on other phones.
    pub other_versions: u32,
}

impl From<store::Shown<record::Encounter>> for Encounter {
    fn from(shown: store::Shown<record::Encounter>) -> Self {
        let note = shown.value.note().map(|note| note.as_str().to_owned());
        Self {
            day: shown.day,
            kind: shown.value.kind,
            participant: shown.participant,
            zone: shown.value.zone,
            offers: shown.value.offers.clone(),
            note,
            other_versions: u32::try_from(shown.others.len()).unwrap_or(u32::MAX),
        }
    }
}

/// A promise to be written down.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct FollowUpDraft {
    /// For whom.
    pub participant: RecordId,
    /// What.
    pub what: String,
    /// First day of its window (`YYYY-MM-DD`).
    pub from: ShiftDay,
    /// Last day of its window.
    pub until: ShiftDay,
    /// Safe-contact rule for this promise.
    #[uniffi(default = None)]
    pub contact: Option<String>,
}

impl FollowUpDraft {
    pub(crate) fn read(&self, alias: Option<&Alias>) -> Result<record::FollowUpDraft, FfiError> {
        Ok(record::FollowUpDraft {
            participant: self.participant,
            what: short_text_about("what", &self.what, alias)?,
            from: self.from,
            until: self.until,
            contact: self.contact.as_ref().map(|text| short_text_about("contact", text, alias)).transpose()?,
        })
    }
}

/// One line of the list of follow-ups.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct FollowUpLine {
    /// The follow-up.
    pub id: RecordId,
    /// For whom.
    pub participant: Option<RecordId>,
    /// What.
    pub what: Option<String>,
    /// First day.
    pub from: ShiftDay,
    /// Last day.
    pub until: ShiftDay,
    /// State as of today.
    pub state: FollowUpState,
}

impl From<store::FollowUpLine> for FollowUpLine {
    fn from(line: store::FollowUpLine) -> Self {
        let what = shown(line.what.as_ref());
        Self { id: line.id, participant: line.participant, what, from: line.from, until: line.until, state: line.state }
    }
}

/// A self-referral to be written down.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct SelfReferralDraft {
    /// Who asks.
    pub participant: RecordId,
    /// How it began.
    pub started_by: StartedBy,
    /// The resource asked for.
    pub to: ResourceId,
    /// Where it stands.
    pub status: ReferralStatus,
    /// In their words.
    #[uniffi(default = None)]
    pub words: Option<String>,
}

impl SelfReferralDraft {
    pub(crate) fn read(&self, alias: Option<&Alias>) -> Result<record::SelfReferralDraft, FfiError> {
        Ok(record::SelfReferralDraft {
            participant: self.participant,
            started_by: self.started_by,
            to: self.to,
            words: self.words.as_ref().map(|text| short_text_about("words", text, alias)).transpose()?,
            status: self.status,
        })
    }
}

/// A self-referral.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct SelfReferral {
    /// Random id.
    pub id: RecordId,
    /// Who asks.
    pub participant: RecordId,
    /// How it began.
    pub started_by: StartedBy,
    /// The resource asked for.
    pub to: Option<ResourceId>,
    /// In their words.
    pub words: Option<String>,
    /// Where it stands.
    pub status: ReferralStatus,
}

impl From<record::SelfReferral> for SelfReferral {
    fn from(referral: record::SelfReferral) -> Self {
        Self {
            id: referral.id,
            participant: referral.participant,
            started_by: referral.started_by,
            to: referral.to,
            words: shown(referral.words.as_ref()),
            status: referral.status,
        }
    }
}

/// One line of the list of self-referrals.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SelfReferralLine {
    /// The self-referral.
    pub id: RecordId,
    /// Who asks.
    pub participant: Option<RecordId>,
    /// The resource.
    pub to: Option<ResourceId>,
    /// Where it stands.
    pub status: ReferralStatus,
}

impl From<store::ReferralLine> for SelfReferralLine {
    fn from(line: store::ReferralLine) -> Self {
        Self { id: line.id, participant: line.participant, to: line.to, status: line.status }
    }
}

/// A zone with its name.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct ZoneLine {
    /// Its random code, which is all that records hold.
    pub id: RecordId,
    /// Its name.
    pub name: Option<String>,
}

impl From<store::NameLine> for ZoneLine {
    fn from(line: store::NameLine) -> Self {
        Self { id: line.id, name: shown(line.name.as_ref()) }
    }
}
