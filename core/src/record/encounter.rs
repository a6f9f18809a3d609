//! An encounter: one meeting, with what was offered and what the participant said.
//!
//! The shift day and the participant stand in the cover and under the signature, the worker is the
//! signing device's member: none of them is repeated here. Deliberately absent: place finer than a
//! zone, clock time, who else was there, and a reason for declining.

use super::entry::{EntryError, EntryValue, Mask};
use crate::screen::Note;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use satchel_wire::ids::{RecordId, ResourceId};
use satchel_wire::limits::OFFERS_MAX_COUNT;

/// Where the meeting happened, in general.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum EncounterKind {
    /// On the street.
    #[n(1)]
    Street,
    /// At a drop-in.
    #[n(2)]
    DropIn,
    /// By telephone.
    #[n(3)]
    Phone,
    /// Visiting a place where people stay.
    #[n(4)]
    SiteVisit,
}

/// What the participant said to an offer. Only their word sets it; there is no "failed".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Outcome {
    /// Nobody said.
    #[n(0)]
    Unknown,
    /// Taken.
    #[n(1)]
    Accepted,
    /// Declined: goes to the anonymous tally, and is kept with a person only if they ask.
    #[n(2)]
    Declined,
    /// Another time.
    #[n(3)]
    Later,
    /// Not now: like declined.
    #[n(4)]
    NotNow,
    /// There was none to give.
    #[n(5)]
    NotAvailable,
    /// The provider turned them away.
    #[n(6)]
    TurnedAwayByProvider,
    /// They have it already.
    #[n(7)]
    AlreadyHas,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 8] = [
        Self::Unknown,
        Self::Accepted,
        Self::Declined,
        Self::Later,
        Self::NotNow,
        Self::NotAvailable,
        Self::TurnedAwayByProvider,
        Self::AlreadyHas,
    ];

    /// Whether this outcome goes to the anonymous tally unless the participant asks to keep it.
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::Declined | Self::NotNow)
    }
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Later => "later",
            Self::NotNow => "not_now",
            Self::NotAvailable => "not_available",
            Self::TurnedAwayByProvider => "turned_away_by_provider",
            Self::AlreadyHas => "already_has",
        }
    }
    /// The outcome of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }
}

impl EncounterKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Street, Self::DropIn, Self::Phone, Self::SiteVisit];
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Street => "street",
            Self::DropIn => "drop_in",
            Self::Phone => "phone",
            Self::SiteVisit => "site_visit",
        }
    }
    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A resource offered, and what the participant said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Offer {
    /// The resource or supply.
    #[n(0)]
    pub resource: ResourceId,
    /// How many, 1 to 65,535.
    #[n(1)]
    pub quantity: u16,
    /// What they said.
    #[n(2)]
    pub outcome: Outcome,
    /// They asked that their refusal be kept with them. Required for a refusal, forbidden otherwise.
    #[n(3)]
    pub kept_at_request: Option<bool>,
}

impl Offer {
    /// An offer of one, without a request to keep a refusal.
    pub const fn new(resource: ResourceId, outcome: Outcome) -> Self {
        Self { resource, quantity: 1, outcome, kept_at_request: None }
    }
}

/// One meeting, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Encounter {
    /// Street, drop-in, phone or site visit.
    #[n(0)]
    pub kind: EncounterKind,
    /// The zone's record, when it is known; its name is a record of its own. The bytes hold it masked only.
    #[cbor(skip)]
    pub zone: Option<RecordId>,
    /// Up to 32 offers.
    #[n(2)]
    pub offers: Vec<Offer>,
    /// A short note that the guard let pass.
    #[n(3)]
    note: Option<String>,
    /// `nonce (8) ‖ zone (16) under the field key's mask`.
    #[n(4)]
    masked_zone: Option<ByteArray<24>>,
}

impl Encounter {
    /// An encounter of which nothing but its kind is known.
    pub const fn new(kind: EncounterKind) -> Self {
        Self { kind, zone: None, offers: Vec::new(), note: None, masked_zone: None }
    }
    /// Adds a note.
    #[must_use]
    pub fn with_note(mut self, note: &Note) -> Self {
        self.note = Some(note.as_str().to_owned());
        self
    }
    /// Covers in the note what the guard finds: for what is shown, never for what is stored.
    pub(crate) fn cover_note(&mut self, alias: Option<&str>) {
        let shown = self.note.as_deref().and_then(|text| Note::received(text, alias).ok());
        zeroize::Zeroize::zeroize(&mut self.note);
        self.note = shown.map(|note| note.as_str().to_owned());
    }
    /// The note, if its text can be shown.
    pub fn note(&self) -> Option<Note> {
        self.note.as_deref().and_then(|text| Note::from_sealed(text).ok())
    }
}

impl Drop for Encounter {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.note);
    }
}

impl EntryValue for Encounter {
    fn check(&self) -> Result<(), EntryError> {
        if self.offers.len() > OFFERS_MAX_COUNT {
            return Err(EntryError::TooMany);
        }
        for offer in &self.offers {
            // a refusal beside a person exists only at that person's request
            if offer.quantity == 0 || offer.kept_at_request != offer.outcome.is_refusal().then_some(true) {
                return Err(EntryError::Value);
            }
        }
        match &self.note {
            Some(text) if Note::from_sealed(text).is_err() => Err(EntryError::Text),
            _ => Ok(()),
        }
    }

    fn has_fields(&self) -> bool {
        self.zone.is_some()
    }

    fn mask(&mut self, nonce: [u8; 8], mask: Option<&Mask<'_>>) {
        self.masked_zone = self.zone.zip(mask).map(|(zone, mask)| {
            let mut masked = [0; 24];
            masked[..8].copy_from_slice(&nonce);
            masked[8..].copy_from_slice(&mask(&nonce, zone.as_bytes()));
            masked.into()
        });
    }

    fn unmask(&mut self, mask: Option<&Mask<'_>>) {
        let masked = self.masked_zone.as_ref().and_then(|masked| masked.split_first_chunk::<8>());
        self.zone = masked.zip(mask).and_then(|((nonce, masked), mask)| {
            let zone = mask(nonce, masked.first_chunk::<16>()?);
            Some(RecordId::from_bytes(zone))
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::entry::EntryContent;
    use super::*;

    fn encounter(offers: Vec<Offer>) -> Vec<u8> {
        let mut encounter = Encounter::new(EncounterKind::Street);
        encounter.offers = offers;
        EntryContent::first(encounter).to_bytes()
    }

    #[test]
    fn a_refusal_is_kept_only_at_request() {
        let resource = ResourceId::from_bytes([1; 16]);
        let mut offer = Offer::new(resource, Outcome::Declined);
        assert_eq!(EntryContent::<Encounter>::from_bytes(&encounter(vec![offer]), true), Err(EntryError::Value));
        offer.kept_at_request = Some(true);
        assert!(EntryContent::<Encounter>::from_bytes(&encounter(vec![offer]), true).is_ok());
        offer.outcome = Outcome::Accepted;
        assert_eq!(EntryContent::<Encounter>::from_bytes(&encounter(vec![offer]), true), Err(EntryError::Value));
    }

    #[test]
    fn four_offers_fit_the_smallest_row() {
        let offers = (0..4).map(|n| Offer::new(ResourceId::from_bytes([n; 16]), Outcome::Accepted)).collect();
        let mut encounter = Encounter::new(EncounterKind::Street);
        encounter.zone = Some(RecordId::from_bytes([9; 16]));
        encounter.mask([7; 8], Some(&|_, zone| *zone));
        encounter.offers = offers;
        let content = EntryContent::first(encounter).to_bytes();
        assert!(content.len() <= 158, "{}", content.len());
    }

    #[test]
    fn a_zone_enters_the_bytes_masked_or_not_at_all() {
        let zone = RecordId::from_bytes([9; 16]);
        let flip = |_: &[u8; 8], bytes: &[u8; 16]| bytes.map(|byte| !byte);
        let mut encounter = Encounter::new(EncounterKind::Street);
        encounter.zone = Some(zone);
        for (mask, reader, read) in
            [(Some(&flip as &Mask<'_>), Some(&flip as &Mask<'_>), Some(zone)), (Some(&flip), None, None), (None, Some(&flip), None)]
        {
            encounter.mask([7; 8], mask);
            let bytes = EntryContent::first(encounter.clone()).to_bytes();
            assert!(!bytes.windows(16).any(|window| window == zone.as_bytes()));
            let mut content = EntryContent::<Encounter>::from_bytes(&bytes, true).unwrap();
            assert_eq!(content.value.zone, None);
            content.value.unmask(reader);
            assert_eq!(content.value.zone, read);
        }
    }

    #[test]
    fn bounds_hold() {
        let offer = Offer::new(ResourceId::from_bytes([1; 16]), Outcome::Accepted);
        assert_eq!(EntryContent::<Encounter>::from_bytes(&encounter(vec![offer; 33]), true), Err(EntryError::TooMany));
        let none = Offer { quantity: 0, ..offer };
        assert_eq!(EntryContent::<Encounter>::from_bytes(&encounter(vec![none]), true), Err(EntryError::Value));
    }
}
