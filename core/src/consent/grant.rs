//! Grants and withdrawals: what a participant said yes to, and when they took it back.
//!
//! *Record* (a field may exist in the team's store) and *share* (it may leave to one recipient) are never
//! bundled. A grant names one recipient or none, one purpose, and ends by itself. A withdrawal names a
//! scope; a grant lists the withdrawals its author had seen and lives only if that list holds every
//! withdrawal that overlaps it (remove-wins). There is no wildcard and nothing irrevocable.

use crate::record::entry::{EntryError, EntryValue};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::ids::RecordId;

/// Most gated categories in one grant, and most withdrawals that it may list (count).
pub const GRANT_ITEMS_MAX_COUNT: usize = 64;
/// Longest term of a record grant: twelve months (days).
pub const RECORD_GRANT_MAX_DAYS: u16 = 366;

macro_rules! closed_list {
    ($(#[$doc:meta])* $type:ident { $($(#[$vdoc:meta])* $variant:ident = $n:literal, $name:literal);+ $(;)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(index_only)]
        pub enum $type { $($(#[$vdoc])* #[n($n)] $variant),+ }
        impl $type {
            /// All values of this schema version.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The stable name.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $name),+ } }
            /// The value of a name.
            pub fn from_name(name: &str) -> Option<Self> { Self::ALL.iter().copied().find(|value| value.as_str() == name) }
        }
    };
}

closed_list!(
    /// What a grant allows.
    Act {
        /// A fact may exist in the team's store.
        Record = 1, "record";
        /// A fact may leave to one recipient.
        Share = 2, "share"
    }
);
closed_list!(
    /// Why. There is no investigative purpose.
    Purpose {
        /// Connecting to a service.
        ServiceConnection = 1, "service_connection";
        /// Introducing someone in person.
        WarmHandoff = 2, "warm_handoff";
        /// Applying for benefits.
        BenefitsApplication = 3, "benefits_application";
        /// Applying for housing.
        HousingApplication = 4, "housing_application";
        /// Legal defence.
        LegalDefence = 5, "legal_defence";
        /// Health care.
        HealthCare = 6, "health_care";
        /// Emergency contact.
        EmergencyContact = 7, "emergency_contact";
        /// The participant's own copy.
        OwnCopy = 8, "own_copy"
    }
);
closed_list!(
    /// Facts that need a vault of their own. None of them can stand in an ungated record.
    GatedCategory {
        /// Legal name.
        LegalName = 1, "legal_name";
        /// Birth date.
        BirthDate = 2, "birth_date";
        /// Telephone, address, handle.
        ContactDetail = 3, "contact_detail";
        /// Where exactly.
        ExactPlace = 4, "exact_place";
        /// Numbers given by a government.
        GovernmentId = 5, "government_id";
        /// Immigration.
        Immigration = 6, "immigration";
        /// Police or court contact.
        JusticeContact = 7, "justice_contact";
        /// Who the officer was.
        Officer = 8, "officer";
        /// What someone looks like.
        PhysicalDescription = 9, "physical_description";
        /// Vehicle.
        Vehicle = 10, "vehicle";
        /// Somebody else.
        ThirdParty = 11, "third_party";
        /// Self-described facts for equity.
        Demographics = 12, "demographics"
    }
);
closed_list!(
    /// How consent was given or taken back.
    HowGiven {
        /// By word.
        Spoken = 1, "spoken";
        /// On the screen.
        OnScreen = 2, "on_screen";
        /// A signed paper is on file (never the name on it).
        SignedPaperOnFile = 3, "signed_paper_on_file"
    }
);

/// A consent, as stored. Its subject stands in the cover.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Grant {
    /// Record or share.
    #[n(0)]
    pub act: Act,
    /// Gated categories, sorted; empty for the participant file itself.
    #[n(1)]
    pub categories: Vec<GatedCategory>,
    /// The one recipient of a share (a paired recipient's record); none for record.
    #[n(2)]
    pub recipient: Option<RecordId>,
    /// The one purpose.
    #[n(3)]
    pub purpose: Purpose,
    /// First day.
    #[n(4)]
    pub start: ShiftDay,
    /// Last day.
    #[n(5)]
    pub expiry: ShiftDay,
    /// How it was given.
    #[n(6)]
    pub how: HowGiven,
    /// Version of the words that were shown or read.
    #[n(7)]
    pub words_version: u16,
    /// Their language: two lower-case letters (ISO 639-1).
    #[n(8)]
    pub words_language: String,
    /// Withdrawals for this subject that the author had seen, sorted.
    #[n(9)]
    pub withdrawals_seen: Vec<RecordId>,
}

impl Grant {
    /// The grant that a participant file rests on: record, no gated category, service connection.
    pub fn for_file(start: ShiftDay, days: u16, how: HowGiven, words_language: &str, withdrawals_seen: Vec<RecordId>) -> Self {
        Self {
            act: Act::Record,
            categories: Vec::new(),
            recipient: None,
            purpose: Purpose::ServiceConnection,
            start,
            expiry: start.plus(days.min(RECORD_GRANT_MAX_DAYS)),
            how,
            words_version: 1,
            words_language: words_language.to_owned(),
            withdrawals_seen,
        }
    }

    /// Whether the grant lives on a day, given every withdrawal known for its subject.
    pub fn is_live<'a>(&self, day: ShiftDay, mut withdrawals: impl Iterator<Item = (RecordId, &'a Withdrawal)>) -> bool {
        day >= self.start
            && day <= self.expiry
            && withdrawals.all(|(id, withdrawal)| self.withdrawals_seen.contains(&id) || !withdrawal.overlaps(self))
    }
}

impl EntryValue for Grant {
    fn check(&self) -> Result<(), EntryError> {
        if self.categories.len() > GRANT_ITEMS_MAX_COUNT || self.withdrawals_seen.len() > GRANT_ITEMS_MAX_COUNT {
            return Err(EntryError::TooMany);
        }
        let language = self.words_language.len() == 2 && self.words_language.bytes().all(|byte| byte.is_ascii_lowercase());
        let recipient = match self.act {
            Act::Record => self.recipient.is_none(),
            Act::Share => self.recipient.is_some() && !self.categories.is_empty(),
        };
        let term = self.expiry >= self.start && self.expiry.days() - self.start.days() <= RECORD_GRANT_MAX_DAYS;
        let sorted = self.categories.is_sorted_by(|a, b| a < b) && self.withdrawals_seen.is_sorted_by(|a, b| a < b);
        if language && recipient && term && sorted { Ok(()) } else { Err(EntryError::Value) }
    }
}

/// A consent taken back, as stored: everything it names, for its subject.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Withdrawal {
    /// Only this act, or both.
    #[n(0)]
    pub act: Option<Act>,
    /// Only this category, or all.
    #[n(1)]
    pub category: Option<GatedCategory>,
    /// Only this recipient, or all.
    #[n(2)]
    pub recipient: Option<RecordId>,
    /// How it was taken back.
    #[n(3)]
    pub how: HowGiven,
}

impl Withdrawal {
    /// Whether this withdrawal reaches a grant of the same subject.
    pub fn overlaps(&self, grant: &Grant) -> bool {
        self.act.is_none_or(|act| act == grant.act)
            && self.category.is_none_or(|category| grant.categories.contains(&category))
            && self.recipient.is_none_or(|recipient| grant.recipient == Some(recipient))
    }
}

impl EntryValue for Withdrawal {
    fn check(&self) -> Result<(), EntryError> {
        // a record grant has no recipient: such a withdrawal would look like one and reach nothing
        if self.act == Some(Act::Record) && self.recipient.is_some() { Err(EntryError::Value) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn day(n: u16) -> ShiftDay {
        ShiftDay::from_days(n)
    }

    #[test]
    fn a_withdrawal_not_seen_wins() {
        let withdrawal = Withdrawal { act: None, category: None, recipient: None, how: HowGiven::Spoken };
        let id = RecordId::from_bytes([7; 16]);
        let unaware = Grant::for_file(day(100), 30, HowGiven::Spoken, "en", vec![]);
        let aware = Grant::for_file(day(100), 30, HowGiven::Spoken, "en", vec![id]);
        assert!(unaware.is_live(day(110), std::iter::empty()));
        assert!(!unaware.is_live(day(110), [(id, &withdrawal)].into_iter()));
        assert!(aware.is_live(day(110), [(id, &withdrawal)].into_iter()));
        assert!(!aware.is_live(day(131), std::iter::empty()), "it ends by itself");
    }

    #[test]
    fn a_share_without_recipient_is_not_representable() {
        let mut grant = Grant::for_file(day(1), 30, HowGiven::Spoken, "en", vec![]);
        grant.check().unwrap();
        grant.act = Act::Share;
        assert_eq!(grant.check(), Err(EntryError::Value));
        grant.recipient = Some(RecordId::from_bytes([1; 16]));
        assert_eq!(grant.check(), Err(EntryError::Value), "nor one that names no field");
        grant.categories = vec![GatedCategory::LegalName];
        grant.check().unwrap();
        grant.expiry = day(1).plus(400);
        assert_eq!(grant.check(), Err(EntryError::Value));
    }
}
