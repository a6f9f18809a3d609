//! Grants and withdrawals: what a participant said yes to, and when they took it back.
//!
//! *Record* (a field may exist in the team's store) and *share* (it may leave to one recipient) are never
//! bundled. A grant names one recipient or none, one purpose, and ends by itself. A withdrawal names a
//! scope; a grant lists the withdrawals its author had seen and lives only if that list holds every
//! withdrawal that overlaps it (remove-wins), category by category. There is no wildcard and nothing irrevocable.
//! What a set of both amounts to stands in `standing.rs`.

use super::words;
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

closed_list!(
    /// Whom a share goes to. The words shown before a yes differ by it.
    ShareClass {
        /// A service: housing, food, work, a drop-in.
        Service = 1, "service";
        /// A lawyer, or legal aid.
        Legal = 2, "legal";
        /// Somebody who treats or cares.
        Health = 3, "health";
        /// An office that decides about benefits.
        Benefits = 4, "benefits";
        /// Somebody to call in an emergency.
        Emergency = 5, "emergency";
        /// The participants themselves.
        OwnCopy = 6, "own_copy";
        /// Police, prosecutors, courts, probation, prisons: denied unless the charter says otherwise.
        Justice = 7, "justice"
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
    /// Number of the words that were shown or read: see [`words`].
    #[n(7)]
    pub words_version: u16,
    /// Their language: two lower-case letters (ISO 639-1).
    #[n(8)]
    pub words_language: String,
    /// Withdrawals for this subject that the author had seen, sorted: at least those that overlap it.
    #[n(9)]
    pub withdrawals_seen: Vec<RecordId>,
    /// The class of a share's recipient, as it was said to the participant; none for record.
    #[n(10)]
    pub class: Option<ShareClass>,
    /// Another team's share, by its id: the yes was given there, to facts coming here, and its words are those of a share.
    #[n(11)]
    pub received: Option<RecordId>,
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
            words_version: words::current(Act::Record, true, None),
            words_language: words_language.to_owned(),
            withdrawals_seen,
            class: None,
            received: None,
        }
    }

    /// Whether this is the grant that a participant file rests on: record, and no gated category.
    pub fn is_for_file(&self) -> bool {
        self.act == Act::Record && self.categories.is_empty()
    }

    /// What two bodies that claim one grant amount to: no more than either says. None if they speak of different things.
    ///
    /// A grant has one author and one body; a second body under its id is a forgery or a copied phone. It can take
    /// away, as a withdrawal could, and never give: so the order of arrival leaves no trace.
    pub fn meet(&self, other: &Self) -> Option<Self> {
        let told = |grant: &Self| (grant.act, grant.recipient, grant.purpose, grant.class, grant.received);
        let is_same = told(self) == told(other) && self.is_for_file() == other.is_for_file();
        if !is_same {
            return None;
        }
        let both = |a: &[RecordId], b: &[RecordId]| a.iter().filter(|id| b.contains(id)).copied().collect();
        let categories: Vec<GatedCategory> =
            self.categories.iter().filter(|category| other.categories.contains(category)).copied().collect();
        if categories.is_empty() && !self.is_for_file() {
            // nothing in common; without a category it would read as the grant of a file
            return None;
        }
        Some(Self {
            categories,
            start: self.start.max(other.start),
            expiry: self.expiry.min(other.expiry),
            withdrawals_seen: both(&self.withdrawals_seen, &other.withdrawals_seen),
            // which words were shown is told of one of them: the same on every phone
            ..(if self.words() <= other.words() { self } else { other }).clone()
        })
    }

    fn words(&self) -> (u16, &str, HowGiven) {
        (self.words_version, &self.words_language, self.how)
    }
}

impl EntryValue for Grant {
    fn check(&self) -> Result<(), EntryError> {
        if self.categories.len() > GRANT_ITEMS_MAX_COUNT || self.withdrawals_seen.len() > GRANT_ITEMS_MAX_COUNT {
            return Err(EntryError::TooMany);
        }
        let language = self.words_language.len() == 2 && self.words_language.bytes().all(|byte| byte.is_ascii_lowercase());
        let recipient = match self.act {
            Act::Record => self.recipient.is_none() && self.class.is_none() && self.purpose != Purpose::OwnCopy,
            Act::Share => {
                self.recipient.is_some() && !self.categories.is_empty() && self.class.is_some_and(|class| fits(class, self.purpose))
            }
        };
        let words = match self.received {
            None => words::fits(self.words_version, self.act, self.categories.is_empty(), self.class),
            Some(_) => self.act == Act::Record && !self.categories.is_empty() && words::is_of_a_share(self.words_version),
        };
        let term = self.expiry >= self.start && self.expiry.days() - self.start.days() <= RECORD_GRANT_MAX_DAYS;
        let sorted = self.categories.is_sorted_by(|a, b| a < b) && self.withdrawals_seen.is_sorted_by(|a, b| a < b);
        if language && recipient && words && term && sorted { Ok(()) } else { Err(EntryError::Value) }
    }
}

/// Whether a purpose makes sense for a class: own copies go to their owner, and whoever polices gets something only for
/// somebody's legal defence.
pub const fn fits(class: ShareClass, purpose: Purpose) -> bool {
    match class {
        ShareClass::OwnCopy => matches!(purpose, Purpose::OwnCopy),
        ShareClass::Justice => matches!(purpose, Purpose::LegalDefence),
        _ => !matches!(purpose, Purpose::OwnCopy),
    }
}

/// A consent taken back, as stored: everything it names, for its subject. What is `None` means all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
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
    /// Everything at once: the file, every vault, every share.
    pub const fn of_everything(how: HowGiven) -> Self {
        Self { act: None, category: None, recipient: None, how }
    }

    /// Whether this withdrawal reaches anything of a grant of the same subject.
    pub fn overlaps(&self, grant: &Grant) -> bool {
        self.is_within(grant) && self.category.is_none_or(|category| grant.categories.contains(&category))
    }

    /// Whether it reaches one category of a grant; `None` stands for the file itself.
    pub fn reaches(&self, grant: &Grant, category: Option<GatedCategory>) -> bool {
        self.is_within(grant) && (self.category.is_none() || self.category == category)
    }

    fn is_within(&self, grant: &Grant) -> bool {
        self.act.is_none_or(|act| act == grant.act) && self.recipient.is_none_or(|recipient| grant.recipient == Some(recipient))
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
    fn a_share_without_recipient_is_not_representable() {
        let mut grant = Grant::for_file(day(1), 30, HowGiven::Spoken, "en", vec![]);
        grant.check().unwrap();
        grant.act = Act::Share;
        assert_eq!(grant.check(), Err(EntryError::Value));
        grant.recipient = Some(RecordId::from_bytes([1; 16]));
        assert_eq!(grant.check(), Err(EntryError::Value), "nor one that names no field");
        grant.categories = vec![GatedCategory::LegalName];
        assert_eq!(grant.check(), Err(EntryError::Value), "nor one to whoever");
        grant.class = Some(ShareClass::Health);
        assert_eq!(grant.check(), Err(EntryError::Value), "nor one under the words of a file");
        grant.words_version = words::current(Act::Share, false, grant.class);
        grant.check().unwrap();
        for (class, purpose) in [(ShareClass::Justice, Purpose::ServiceConnection), (ShareClass::OwnCopy, Purpose::HealthCare)] {
            let words_version = words::current(Act::Share, false, Some(class));
            let other = Grant { class: Some(class), purpose, words_version, ..grant.clone() };
            assert_eq!(other.check(), Err(EntryError::Value), "{class:?} {purpose:?}");
        }
        grant.expiry = day(1).plus(400);
        assert_eq!(grant.check(), Err(EntryError::Value));
    }
}
