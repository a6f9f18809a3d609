//! Encounters, their offers, the anonymous tally, and zones.

use super::{quiet, screened, shown};
use crate::error::FfiError;
use satchel_core::record::{self, EncounterKind, Offer, Outcome, TallyLine};
use satchel_core::screen::{Alias, Note};
use satchel_core::store::{self, EncounterLine, OfferDraft, TallyTap};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{RecordId, ResourceId};

quiet!(EncounterDraft, Encounter, ZoneLine);

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
