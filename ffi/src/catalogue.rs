//! Finding a resource, offline and without any participant record.

use crate::error::{FfiError, call};
use crate::unlocked::Unlocked;
use satchel_core::catalogue::{
    self, Catalogue, CataloguePackage, Category as ResourceCategory, Demand, Excluded, Filter, Hours, Known, Opening,
    Recipient as ServedParty, Weekday,
};
use satchel_wire::ids::ResourceId;

/// What kind of help.
#[uniffi::remote(Enum)]
pub enum ResourceCategory {
    /// A place to stay.
    Housing,
    /// Care for children.
    Childcare,
    /// Health care.
    HealthCare,
    /// Income and benefits.
    Income,
    /// Legal aid.
    LegalAid,
    /// Food.
    Food,
    /// Supplies for safer use.
    SaferUseSupplies,
    /// A drop-in.
    DropIn,
    /// Transport.
    Transport,
    /// Anything else.
    Other,
}

/// What a provider asks for in return.
#[uniffi::remote(Enum)]
pub enum Demand {
    /// An identity document.
    Id,
    /// Being sober.
    Abstinence,
    /// Contact with police.
    PoliceContact,
    /// An address.
    Address,
    /// Being referred by somebody.
    Referral,
    /// Immigration papers.
    ImmigrationStatus,
}

/// Whom a provider shuts out.
#[uniffi::remote(Enum)]
pub enum Excluded {
    /// Partners.
    Partners,
    /// Pets.
    Pets,
    /// Trans women.
    TransWomen,
    /// People who use.
    ActiveUse,
}

/// To whom a provider passes on data.
#[uniffi::remote(Enum)]
pub enum ServedParty {
    /// A homeless management information system.
    Hmis,
    /// Police.
    Police,
}

/// A day of the week.
#[uniffi::remote(Enum)]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

/// One weekly opening.
#[uniffi::remote(Record)]
pub struct Opening {
    /// The day it opens.
    pub weekday: Weekday,
    /// Local minute after midnight, 0 to 1439.
    pub opens: u16,
    /// Closing minute, exclusive, at most 1440 after `opens`; above 1440 it is the next day.
    pub closes: u16,
}

/// A service or a supply. What nobody has asked the provider stands in neither list of a pair.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Resource {
    /// Its id (`res_…`): what offers name.
    pub id: ResourceId,
    /// What kind.
    pub category: ResourceCategory,
    /// Its name.
    pub name: String,
    /// Who provides it.
    pub provider: String,
    /// What it is and how to use it.
    pub description: String,
    /// What it costs.
    pub cost: Option<String>,
    /// For whom it is, in plain words.
    pub eligibility: Option<String>,
    /// Known to be demanded.
    pub demands: Vec<Demand>,
    /// Known not to be demanded.
    pub does_not_demand: Vec<Demand>,
    /// Known to get data.
    pub shares_data_with: Vec<ServedParty>,
    /// Whether it is tied to a faith or to being "rescued".
    pub faith_or_rescue: Option<bool>,
    /// Known to be shut out.
    pub excludes: Vec<Excluded>,
    /// Languages spoken.
    pub languages: Vec<String>,
    /// Hours as a person reads them.
    pub hours: String,
    /// Weekly openings.
    pub openings: Vec<Opening>,
    /// A moment outside `openings` is closed.
    pub are_openings_complete: bool,
    /// Telephone of the provider.
    pub phone: Option<String>,
    /// Address of the provider.
    pub address: Option<String>,
}

/// What to look for; what is left out finds everything.
#[derive(Clone, uniffi::Record)]
pub struct ResourceFilter {
    /// Words that must all occur, case and accents aside.
    #[uniffi(default = "")]
    pub text: String,
    /// One kind only.
    #[uniffi(default = None)]
    pub category: Option<ResourceCategory>,
    /// Leaves out providers known to demand any of these; those who do not say come last.
    #[uniffi(default = [])]
    pub without_demands: Vec<Demand>,
    /// Only what is known to be open on this day, with `minute`.
    #[uniffi(default = None)]
    pub weekday: Option<Weekday>,
    /// Local minute after midnight, 0 to 1439.
    #[uniffi(default = 0)]
    pub minute: u16,
    /// Only where this language is known to be spoken.
    #[uniffi(default = None)]
    pub language: Option<String>,
}

fn known<K: Ord + Copy>(yes: &[K], no: &[K]) -> Known<K> {
    no.iter().map(|key| (*key, false)).chain(yes.iter().map(|key| (*key, true))).collect()
}

impl From<&catalogue::Resource> for Resource {
    fn from(resource: &catalogue::Resource) -> Self {
        Self {
            id: ResourceId::from_bytes(*resource.id.as_bytes()),
            category: resource.category,
            name: resource.name.clone(),
            provider: resource.provider.clone(),
            description: resource.description.clone(),
            cost: resource.cost.clone(),
            eligibility: resource.eligibility.clone(),
            demands: resource.demands.yes().collect(),
            does_not_demand: resource.demands.no().collect(),
            shares_data_with: resource.shares_data_with.yes().collect(),
            faith_or_rescue: resource.faith_or_rescue,
            excludes: resource.excludes.yes().collect(),
            languages: resource.languages.clone(),
            hours: resource.hours.text.clone(),
            openings: resource.hours.openings.clone(),
            are_openings_complete: resource.hours.complete,
            phone: resource.phone.clone(),
            address: resource.address.clone(),
        }
    }
}

impl From<Resource> for catalogue::Resource {
    fn from(resource: Resource) -> Self {
        let mut openings = resource.openings;
        openings.sort();
        openings.dedup();
        Self {
            id: catalogue::ResourceId::from_bytes(*resource.id.as_bytes()),
            category: resource.category,
            name: resource.name,
            provider: resource.provider,
            description: resource.description,
            cost: resource.cost,
            eligibility: resource.eligibility,
            demands: known(&resource.demands, &resource.does_not_demand),
            shares_data_with: known(&resource.shares_data_with, &[]),
            faith_or_rescue: resource.faith_or_rescue,
            excludes: known(&resource.excludes, &[]),
            languages: resource.languages,
            hours: Hours { text: resource.hours, openings, complete: resource.are_openings_complete },
            phone: resource.phone,
            address: resource.address,
            url: None,
            last_verified: None,
        }
    }
}

/// The id of a resource that a team names itself: the same name gives the same id on every phone.
#[uniffi::export]
pub fn own_resource_id(name: &str) -> ResourceId {
    ResourceId::from_bytes(*catalogue::ResourceId::derive("own", None, name).as_bytes())
}

/// Makes a package of a team's own list: the bytes for `publish_catalogue`. `title` at most 200 bytes.
///
/// Errors: [`FfiError::InvalidInput`] for a text that is too long or malformed, or an id that stands there twice.
#[uniffi::export]
pub fn build_catalogue(title: String, resources: Vec<Resource>) -> Result<Vec<u8>, FfiError> {
    call(|| {
        let resources = resources.into_iter().map(Into::into).collect();
        let package = Catalogue::new(title, String::new(), String::new(), None, resources)
            .and_then(|catalogue| CataloguePackage::build(&catalogue))
            .map_err(satchel_core::Error::from)?;
        Ok(package.bytes().to_vec())
    })
}

#[uniffi::export]
impl Unlocked {
    /// Publishes a catalogue package to the team; the newest complete one is in use. Returns how many resources it lists.
    ///
    /// Errors: [`FfiError::InvalidInput`] for a package that cannot be opened; [`FfiError::Refused`].
    pub fn publish_catalogue(&self, package: &[u8]) -> Result<u32, FfiError> {
        call(|| Ok(u32::try_from(self.core().publish_catalogue(package)?.resources).unwrap_or(u32::MAX)))
    }

    /// The resources that match, best first; empty before a catalogue is there. Errors: [`FfiError::Locked`].
    pub fn find_resources(&self, filter: ResourceFilter) -> Result<Vec<Resource>, FfiError> {
        call(|| {
            let Some(catalogue) = self.core().catalogue()? else { return Ok(Vec::new()) };
            let filter = Filter {
                category: filter.category,
                text: filter.text,
                without_demands: filter.without_demands.into_iter().collect(),
                open_at: filter.weekday.map(|weekday| (weekday, filter.minute)),
                language: filter.language,
            };
            Ok(catalogue.find(&filter).into_iter().map(Into::into).collect())
        })
    }
}
