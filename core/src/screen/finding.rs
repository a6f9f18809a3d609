//! What the guard reports: where, which category, which rule. Never the text itself.

/// What a finding would disclose.
///
/// The list is closed and the codes are stable: they stand in the command line's output, in the
/// apps' word tables and in stored corpora. Where a consent-gated category of that name exists, the
/// code is the same, so that the apps can offer to move the fact into a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// Characters that a reader cannot see: controls, zero-width, direction overrides.
    HiddenText,
    /// A run of digits that may identify someone, of no more exact kind.
    Number,
    /// A day of the calendar.
    Date,
    /// A phone number, an e-mail address, an account name.
    ContactDetail,
    /// A licence plate or a vehicle identification number.
    Vehicle,
    /// A street address, a room, a position on the map.
    ExactPlace,
    /// Police, courts, custody, and case, booking, incident or warrant numbers.
    JusticeContact,
    /// A day, month or year of birth.
    BirthDate,
    /// A number of a public identity document or register.
    GovernmentId,
    /// A legal name, or the name of somebody who is not the participant under their alias.
    LegalName,
    /// Who a police officer, judge or guard is: name, rank, badge, car.
    Officer,
    /// Papers, borders, status, deportation.
    Immigration,
    /// What a person looks like.
    PhysicalDescription,
    /// Somebody else, tied to drugs, sex work or violence.
    ThirdParty,
    /// A picture or recording of a person or a paper.
    Photo,
}

impl Category {
    /// Every category.
    pub const ALL: [Category; 15] = [
        Category::HiddenText,
        Category::Number,
        Category::Date,
        Category::ContactDetail,
        Category::Vehicle,
        Category::ExactPlace,
        Category::JusticeContact,
        Category::BirthDate,
        Category::GovernmentId,
        Category::LegalName,
        Category::Officer,
        Category::Immigration,
        Category::PhysicalDescription,
        Category::ThirdParty,
        Category::Photo,
    ];

    /// The stable code, in snake case.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Category::HiddenText => "hidden_text",
            Category::Number => "number",
            Category::Date => "date",
            Category::ContactDetail => "contact_detail",
            Category::Vehicle => "vehicle",
            Category::ExactPlace => "exact_place",
            Category::JusticeContact => "justice_contact",
            Category::BirthDate => "birth_date",
            Category::GovernmentId => "government_id",
            Category::LegalName => "legal_name",
            Category::Officer => "officer",
            Category::Immigration => "immigration",
            Category::PhysicalDescription => "physical_description",
            Category::ThirdParty => "third_party",
            Category::Photo => "photo",
        }
    }
}

/// Which rule made a finding: a stable code, for which the apps hold the words.
///
/// In order of strength, weakest first: where findings overlap, the strongest names the whole. A word
/// that says what a number is outranks the number's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// A character that is invisible or reorders what is seen.
    HiddenCharacter,
    /// The whole wording is like notes about police, courts or custody.
    JusticeWording,
    /// The whole wording is like notes about somebody else with drugs, sex work or violence.
    ThirdPartyWording,
    /// The whole wording is like descriptions of a person.
    AppearanceWording,
    /// The whole wording is like notes about papers and borders.
    ImmigrationWording,
    /// The whole wording is like descriptions of where somebody sleeps.
    PlaceWording,
    /// Where exactly somebody sleeps or stays, in words.
    PlaceDescription,
    /// A personal name that is not the alias.
    PersonName,
    /// What a person looks like: tattoo, scar, build, hair, dress.
    Appearance,
    /// A vehicle by make, colour or what it is used for.
    VehicleDescription,
    /// Somebody else with drugs, sex work or violence.
    ThirdPartyHarm,
    /// A picture or recording of somebody.
    PictureTaken,
    /// Papers, borders, status, deportation.
    ImmigrationStatus,
    /// Something that police did, or that was told to them.
    PoliceContact,
    /// Arrest, charge, court, custody, bail, probation or parole.
    CourtOrCustody,
    /// Who is said to talk to police.
    InformantTalk,
    /// A name after words such as "real name" or "se llama".
    NameGiven,
    /// An officer, judge or guard by name, rank, badge, unit, car or looks.
    OfficerMention,
    /// Five or more digits in a row, also spelled out or spread with spaces.
    LongNumber,
    /// A full calendar date, or a day with its month.
    CalendarDate,
    /// Digits grouped or introduced like a phone number.
    PhoneNumber,
    /// The number of a room, a flat or a postal box.
    RoomNumber,
    /// Letters and digits in the shape of a licence plate.
    PlateShape,
    /// Letters and digits in the shape of a case number.
    CaseShape,
    /// Letters and digits in the shape of an identity document's number.
    DocumentShape,
    /// An account name: `@name`, a cash tag, or a name after a social network.
    AccountName,
    /// An e-mail address, also with "at" and "dot" in words.
    EmailAddress,
    /// A number with a street.
    StreetAddress,
    /// A latitude with a longitude.
    Coordinates,
    /// Three, two and four digits: a US social security or taxpayer number.
    SocialSecurityShape,
    /// Something after the word "plate".
    PlateMention,
    /// A number after the name of an identity document.
    DocumentMention,
    /// A number after a word such as "case", "booking" or "warrant".
    JusticeReference,
    /// A date or year after a word such as "born".
    BirthMention,
}

impl Reason {
    /// Every rule, weakest first.
    pub const ALL: [Reason; 34] = [
        Reason::HiddenCharacter,
        Reason::JusticeWording,
        Reason::ThirdPartyWording,
        Reason::AppearanceWording,
        Reason::ImmigrationWording,
        Reason::PlaceWording,
        Reason::PlaceDescription,
        Reason::PersonName,
        Reason::Appearance,
        Reason::VehicleDescription,
        Reason::ThirdPartyHarm,
        Reason::PictureTaken,
        Reason::ImmigrationStatus,
        Reason::PoliceContact,
        Reason::CourtOrCustody,
        Reason::InformantTalk,
        Reason::NameGiven,
        Reason::OfficerMention,
        Reason::LongNumber,
        Reason::CalendarDate,
        Reason::PhoneNumber,
        Reason::RoomNumber,
        Reason::PlateShape,
        Reason::CaseShape,
        Reason::DocumentShape,
        Reason::AccountName,
        Reason::EmailAddress,
        Reason::StreetAddress,
        Reason::Coordinates,
        Reason::SocialSecurityShape,
        Reason::PlateMention,
        Reason::DocumentMention,
        Reason::JusticeReference,
        Reason::BirthMention,
    ];

    /// The stable code, in snake case.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Reason::HiddenCharacter => "hidden_character",
            Reason::JusticeWording => "justice_wording",
            Reason::ThirdPartyWording => "third_party_wording",
            Reason::AppearanceWording => "appearance_wording",
            Reason::ImmigrationWording => "immigration_wording",
            Reason::PlaceWording => "place_wording",
            Reason::PlaceDescription => "place_description",
            Reason::PersonName => "person_name",
            Reason::Appearance => "appearance",
            Reason::VehicleDescription => "vehicle_description",
            Reason::ThirdPartyHarm => "third_party_harm",
            Reason::PictureTaken => "picture_taken",
            Reason::ImmigrationStatus => "immigration_status",
            Reason::PoliceContact => "police_contact",
            Reason::CourtOrCustody => "court_or_custody",
            Reason::InformantTalk => "informant_talk",
            Reason::OfficerMention => "officer_mention",
            Reason::NameGiven => "name_given",
            Reason::LongNumber => "long_number",
            Reason::CalendarDate => "calendar_date",
            Reason::PhoneNumber => "phone_number",
            Reason::EmailAddress => "email_address",
            Reason::AccountName => "account_name",
            Reason::PlateShape => "plate_shape",
            Reason::PlateMention => "plate_mention",
            Reason::StreetAddress => "street_address",
            Reason::RoomNumber => "room_number",
            Reason::Coordinates => "coordinates",
            Reason::CaseShape => "case_shape",
            Reason::JusticeReference => "justice_reference",
            Reason::BirthMention => "birth_mention",
            Reason::SocialSecurityShape => "social_security_shape",
            Reason::DocumentShape => "document_shape",
            Reason::DocumentMention => "document_mention",
        }
    }

    /// The category that this rule reports.
    #[must_use]
    pub const fn category(self) -> Category {
        match self {
            Reason::HiddenCharacter => Category::HiddenText,
            Reason::LongNumber => Category::Number,
            Reason::CalendarDate => Category::Date,
            Reason::PhoneNumber | Reason::EmailAddress | Reason::AccountName => Category::ContactDetail,
            Reason::PlateShape | Reason::PlateMention | Reason::VehicleDescription => Category::Vehicle,
            Reason::StreetAddress | Reason::RoomNumber | Reason::Coordinates | Reason::PlaceDescription | Reason::PlaceWording => {
                Category::ExactPlace
            }
            Reason::CaseShape
            | Reason::JusticeReference
            | Reason::JusticeWording
            | Reason::PoliceContact
            | Reason::CourtOrCustody
            | Reason::InformantTalk => Category::JusticeContact,
            Reason::BirthMention => Category::BirthDate,
            Reason::PersonName | Reason::NameGiven => Category::LegalName,
            Reason::OfficerMention => Category::Officer,
            Reason::ImmigrationStatus | Reason::ImmigrationWording => Category::Immigration,
            Reason::Appearance | Reason::AppearanceWording => Category::PhysicalDescription,
            Reason::ThirdPartyHarm | Reason::ThirdPartyWording => Category::ThirdParty,
            Reason::PictureTaken => Category::Photo,
            Reason::SocialSecurityShape | Reason::DocumentShape | Reason::DocumentMention => Category::GovernmentId,
        }
    }
}

/// A stretch of text that should not be stored as it stands.
///
/// `start..end` are byte offsets into the text that was given, both on character boundaries, never
/// empty. The stretch covers the value and the word that gives it away ("badge 4417", not "4417"):
/// deleting it leaves nothing behind that points to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Finding {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What it would disclose.
    pub category: Category,
    /// Which rule found it.
    pub reason: Reason,
}

impl Finding {
    pub(super) const fn of(reason: Reason, start: usize, end: usize) -> Self {
        let category = reason.category();
        Self { start, end, category, reason }
    }
}

/// Sorts findings and joins those that overlap; the stronger reason (then the longer finding)
/// names the joint stretch, so that nothing that was found is ever left uncovered.
pub(super) fn settle(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_unstable_by_key(|f| (f.start, f.end, f.reason));
    let mut settled: Vec<Finding> = Vec::with_capacity(found.len());
    let mut named_bytes = 0;
    for next in found {
        match settled.last_mut() {
            Some(last) if next.start < last.end => {
                let bytes = next.end - next.start;
                if (next.reason, bytes) > (last.reason, named_bytes) {
                    last.category = next.category;
                    last.reason = next.reason;
                    named_bytes = bytes;
                }
                last.end = last.end.max(next.end);
            }
            _ => {
                named_bytes = next.end - next.start;
                settled.push(next);
            }
        }
    }
    settled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct() {
        let mut codes: Vec<_> = Category::ALL.iter().map(|c| c.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Category::ALL.len());
    }

    #[test]
    fn overlapping_findings_become_one_under_the_stronger_name() {
        let settled = settle(vec![
            Finding::of(Reason::CalendarDate, 4, 10),
            Finding::of(Reason::LongNumber, 12, 17),
            Finding::of(Reason::BirthMention, 0, 8),
        ]);
        assert_eq!(settled, [Finding::of(Reason::BirthMention, 0, 10), Finding::of(Reason::LongNumber, 12, 17),]);
    }

    #[test]
    fn touching_findings_stay_apart() {
        let two = vec![Finding::of(Reason::LongNumber, 0, 5), Finding::of(Reason::LongNumber, 5, 10)];
        assert_eq!(settle(two.clone()), two);
    }
}
