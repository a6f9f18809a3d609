//! Vaults: gated facts, written and read only while the yes that they rest on counts.

use crate::error::{FfiError, call};
use crate::records::quiet;
use crate::unlocked::Unlocked;
use satchel_core::consent::GatedCategory;
use satchel_core::record::{self, FactField, FactShape};
use satchel_core::store::{self, VaultLine};
use satchel_wire::ShiftDay;
use satchel_wire::ids::RecordId;
use std::sync::Arc;

quiet!(Fact, FactLine);

/// A fact that can stand in a vault: a closed list, each of one gated category.
#[uniffi::remote(Enum)]
pub enum FactField {
    /// Legal name.
    LegalName,
    /// Birth date.
    BirthDate,
    /// Telephone.
    Phone,
    /// Email address.
    Email,
    /// Another way to be reached.
    OtherContact,
    /// Where exactly they stay.
    ExactPlace,
    /// Number of an identity document.
    IdNumber,
    /// Number under which benefits are paid.
    BenefitNumber,
    /// Papers to be in the country.
    ImmigrationPapers,
    /// Number of a case.
    CaseNumber,
    /// Which court.
    Court,
    /// Day in court.
    CourtDate,
    /// Who defends them.
    Defender,
    /// Name of an officer.
    OfficerName,
    /// Badge or number of an officer.
    OfficerBadge,
    /// Force and unit of an officer.
    OfficerUnit,
    /// What they look like.
    Appearance,
    /// Plate.
    Plate,
    /// Which vehicle.
    VehicleLook,
    /// Who is to be called.
    OtherPerson,
    /// Gender, in their own words.
    Gender,
    /// Race or origin, in their own words.
    Origin,
    /// Orientation, in their own words.
    Orientation,
    /// Disability, in their own words.
    Disability,
}

/// How a fact is written.
#[uniffi::remote(Enum)]
pub enum FactShape {
    /// One line of 1 to 200 bytes.
    Text,
    /// A calendar date, `YYYY-MM-DD`.
    Date,
}

/// A gated fact. It goes nowhere but into a vault.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct Fact {
    /// Which one.
    pub field: FactField,
    /// Its value, in the field's shape.
    pub value: String,
}

/// A fact as read, with what other phones wrote at the same time.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct FactLine {
    /// Which one.
    pub field: FactField,
    /// The value shown.
    pub value: String,
    /// Values not shown, in a stable order.
    pub others: Vec<String>,
}

impl From<record::FactLine> for FactLine {
    fn from(line: record::FactLine) -> Self {
        let others = line.others.iter().map(|fact| fact.value().to_owned()).collect();
        Self { field: line.fact.field(), value: line.fact.value().to_owned(), others }
    }
}

/// A vault of which something is shown today.
#[uniffi::remote(Record)]
pub struct VaultLine {
    /// Its grant.
    pub grant: RecordId,
    /// The categories of which it holds facts.
    pub categories: Vec<GatedCategory>,
    /// The last day on which it is shown.
    pub until: ShiftDay,
}

/// The gated category that a fact needs a yes for.
#[uniffi::export]
pub fn category_of_fact(field: FactField) -> GatedCategory {
    field.category()
}

/// How a fact is written.
#[uniffi::export]
pub fn shape_of_fact(field: FactField) -> FactShape {
    field.shape()
}

/// The vault of a grant that counted when it was opened: the only way to write a gated fact.
///
/// Every call looks at the grant again: one that ends while a form is open ends the form. Close it with the form.
#[derive(uniffi::Object)]
pub struct Vault {
    unlocked: store::Unlocked,
    participant: RecordId,
    grant: RecordId,
}

#[uniffi::export]
impl Unlocked {
    /// Opens the vault of a yes to record, which has to count today.
    ///
    /// Errors: [`FfiError::NoConsent`], with how the grant stands; [`FfiError::NotFound`] for none of this id;
    /// [`FfiError::InvalidInput`] with `grant_no_vault` for a yes to share, or for the file.
    pub fn vault(&self, participant: RecordId, grant: RecordId) -> Result<Arc<Vault>, FfiError> {
        call(|| {
            self.core().vault(participant, grant)?;
            Ok(Arc::new(Vault { unlocked: self.core().clone(), participant, grant }))
        })
    }

    /// The vaults about somebody of which something is shown today.
    pub fn vaults(&self, participant: RecordId) -> Result<Vec<VaultLine>, FfiError> {
        call(|| Ok(self.core().vaults(participant)?))
    }
}

#[uniffi::export]
impl Vault {
    /// The grant that it rests on.
    pub fn grant(&self) -> RecordId {
        self.grant
    }

    /// The categories of which facts may be written now. Errors: as `Unlocked.vault`.
    pub fn categories(&self) -> Result<Vec<GatedCategory>, FfiError> {
        call(|| Ok(self.unlocked.vault(self.participant, self.grant)?.categories().collect()))
    }

    /// Writes facts, all or none; a fact that stood there is replaced.
    ///
    /// Errors: [`FfiError::InvalidInput`] with the fact's name as its field; [`FfiError::NoConsent`]: `grant_not_covered`
    /// for a fact of another category, `grant_not_live` if the grant ended meanwhile.
    pub fn write(&self, facts: Vec<Fact>) -> Result<(), FfiError> {
        call(|| {
            let facts = facts.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
            Ok(self.unlocked.vault(self.participant, self.grant)?.write(&facts)?)
        })
    }

    /// Takes a fact out. What stood there stays in the vault's history until the vault ends. Errors: as `write`.
    pub fn remove(&self, field: FactField) -> Result<(), FfiError> {
        call(|| Ok(self.unlocked.vault(self.participant, self.grant)?.remove(field)?))
    }

    /// Reads the facts. Errors: as `Unlocked.vault`; what is over or taken back is not read any more.
    pub fn read(&self) -> Result<Vec<FactLine>, FfiError> {
        call(|| Ok(self.unlocked.read_vault(self.participant, self.grant)?.into_iter().map(Into::into).collect()))
    }
}

/// Reads a fact; what is wrong with it names its field.
fn parse(fact: &Fact) -> Result<record::Fact, FfiError> {
    let field = || fact.field.as_str().to_owned();
    record::Fact::parse(fact.field, &fact.value).map_err(|error| match &error {
        record::FactError::Text(error) => FfiError::text(field(), &fact.value, error),
        record::FactError::Date => FfiError::field(field(), error.code()),
    })
}
