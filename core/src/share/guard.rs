//! The guard before a share: a fact says what its field is for, and nothing that was not granted.

use super::ShareError;
use crate::consent::GatedCategory;
use crate::record::Fact;
use crate::screen::{Category, screen};
use std::collections::BTreeSet;

/// What a fact of a category says by its nature. Everything else in it needs a yes of its own.
const fn expected(category: GatedCategory) -> &'static [Category] {
    use Category as C;
    match category {
        GatedCategory::LegalName => &[C::LegalName],
        GatedCategory::BirthDate => &[C::BirthDate, C::Date, C::Number],
        GatedCategory::ContactDetail => &[C::ContactDetail, C::Number],
        GatedCategory::ExactPlace => &[C::ExactPlace, C::Number],
        GatedCategory::GovernmentId => &[C::GovernmentId, C::Number],
        GatedCategory::Immigration => &[C::Immigration, C::GovernmentId, C::Number, C::Date],
        GatedCategory::JusticeContact => &[C::JusticeContact, C::LegalName, C::Number, C::Date],
        GatedCategory::Officer => &[C::Officer, C::JusticeContact, C::LegalName, C::Number],
        GatedCategory::PhysicalDescription => &[C::PhysicalDescription],
        GatedCategory::Vehicle => &[C::Vehicle, C::Number],
        GatedCategory::ThirdParty => &[C::ThirdParty, C::LegalName, C::ContactDetail, C::Number],
        GatedCategory::Demographics => &[C::PhysicalDescription, C::Immigration],
    }
}

/// Reads facts before they leave. Errors: [`ShareError::SaysMore`] for the first that says more than was granted.
pub fn check(facts: &[Fact], granted: &BTreeSet<GatedCategory>) -> Result<(), ShareError> {
    for fact in facts {
        let is_fine = |found: Category| {
            expected(fact.field().category()).contains(&found)
                || GatedCategory::from_name(found.code()).is_some_and(|category| granted.contains(&category))
        };
        if screen(fact.value(), None).iter().any(|finding| !is_fine(finding.category)) {
            return Err(ShareError::SaysMore { field: fact.field() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::record::FactField;

    fn read(field: FactField, value: &str, granted: &[GatedCategory]) -> Result<(), ShareError> {
        check(&[Fact::parse(field, value).unwrap()], &granted.iter().copied().collect())
    }

    #[test]
    fn a_fact_may_say_what_it_is_and_what_was_granted() {
        use FactField as F;
        let own = |field: FactField, value: &str| read(field, value, &[field.category()]);
        for (field, value) in [
            (F::LegalName, "Maria Gonzalez"),
            (F::BirthDate, "1980-02-29"),
            (F::Phone, "415-555-0123"),
            (F::Email, "maria@example.org"),
            (F::ExactPlace, "1200 Elm Street, room 4"),
            (F::IdNumber, "123-45-6789"),
            (F::CaseNumber, "case 24-0187"),
            (F::CourtDate, "2027-01-15"),
            (F::Court, "County court"),
            (F::Plate, "7ABC123"),
            (F::Gender, "trans woman"),
        ] {
            assert_eq!(own(field, value), Ok(()), "{value}");
        }
        for (field, value) in [
            (F::LegalName, "Maria Gonzalez, SSN 123-45-6789"),
            (F::LegalName, "Maria Gonzalez 415-555-0123"),
            (F::Gender, "trans woman, call 415-555-0123"),
            (F::OtherContact, "ask at 1200 Elm Street"),
        ] {
            assert_eq!(own(field, value), Err(ShareError::SaysMore { field }), "{value}");
        }
        let both = [GatedCategory::LegalName, GatedCategory::ContactDetail];
        assert_eq!(read(F::LegalName, "Maria Gonzalez 415-555-0123", &both), Ok(()), "that was granted as well");
    }
}
