//! One resource, and the catalogue that lists them.

use super::{CatalogueError, Category, Day, Demand, Excluded, Hours, Known, Recipient, check, codec};
use minicbor::{Decode, Encode};
use serde::{Serialize, Serializer};
use std::fmt;

/// The label that separates resource ids from every other hash.
const ID_LABEL: &str = "satchel 2026-11-22 resource id";

/// The identity of a resource, 16 bytes, the same after every import of the same source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct ResourceId(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]);

impl ResourceId {
    /// Derives the id from what the source calls the service, the place it is given at, and its name.
    ///
    /// The first 16 bytes of BLAKE3 `derive_key` under a fixed label; every input is length-prefixed, so two
    /// different triples never hash the same bytes.
    #[must_use]
    pub fn derive(service_id: &str, location_id: Option<&str>, name: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(ID_LABEL);
        for part in [Some(service_id), location_id, Some(name)] {
            match part {
                None => hasher.update(&[0]),
                Some(text) => hasher.update(&[1]).update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes()),
            };
        }
        let mut id = [0; 16];
        hasher.finalize_xof().fill(&mut id);
        ResourceId(id)
    }

    /// The id with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        ResourceId(bytes)
    }

    /// The bytes of the id.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for ResourceId {
    /// Writes 32 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourceId({self})")
    }
}

impl Serialize for ResourceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One service at one place: public data about a provider, never about a participant.
///
/// Texts are cleaned (no control or direction-override characters) and bounded by [`super::limits`]; an
/// optional text is `None` when the source says nothing, and never empty.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Resource {
    /// Stable identity.
    #[n(0)]
    pub id: ResourceId,
    /// Kind of help.
    #[n(1)]
    pub category: Category,
    /// Name of the service; never empty.
    #[n(2)]
    pub name: String,
    /// Who provides it; empty when the source does not say.
    #[n(3)]
    pub provider: String,
    /// What it is and how to use it; may be empty.
    #[n(4)]
    pub description: String,
    /// What it costs.
    #[n(5)]
    pub cost: Option<String>,
    /// Who may use it, in plain words.
    #[n(6)]
    pub eligibility: Option<String>,
    /// What the provider demands.
    #[n(7)]
    pub demands: Known<Demand>,
    /// Who the provider passes a person's data to.
    #[n(8)]
    pub shares_data_with: Known<Recipient>,
    /// Whether help depends on taking part in religious or "rescue" activity; `None` when unknown.
    #[n(9)]
    pub faith_or_rescue: Option<bool>,
    /// Who is turned away.
    #[n(10)]
    pub excludes: Known<Excluded>,
    /// English names of the languages spoken, sorted; empty when unknown.
    #[cbor(n(11), decode_with = "codec::bounded_languages")]
    pub languages: Vec<String>,
    /// When it is open.
    #[n(12)]
    pub hours: Hours,
    /// Public phone numbers of the service.
    #[n(13)]
    pub phone: Option<String>,
    /// Where the service is given.
    #[n(14)]
    pub address: Option<String>,
    /// Web address of the service.
    #[n(15)]
    pub url: Option<String>,
    /// When somebody last checked the entry.
    #[n(16)]
    pub last_verified: Option<Day>,
}

impl fmt::Debug for Resource {
    /// Leaves every text out: logs carry no text that somebody wrote.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource").field("id", &self.id).field("category", &self.category).finish_non_exhaustive()
    }
}

/// A list of resources with its origin and licence.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Catalogue {
    /// Title for people; may be empty.
    #[n(0)]
    pub title: String,
    /// Who published it, or where; may be empty.
    #[n(1)]
    pub source: String,
    /// Licence and attribution, to be shown with the entries; may be empty.
    #[n(2)]
    pub licence: String,
    /// The day the source was published; `None` when the source does not say.
    #[n(3)]
    pub published: Option<Day>,
    /// Resources, strictly ascending by id.
    #[cbor(n(4), decode_with = "codec::bounded_resources")]
    pub resources: Vec<Resource>,
}

impl Catalogue {
    /// Sorts the resources by id and checks every bound.
    ///
    /// # Errors
    /// The [`CatalogueError`] of the first bound that does not hold: correct that field.
    pub fn new(
        title: String,
        source: String,
        licence: String,
        published: Option<Day>,
        mut resources: Vec<Resource>,
    ) -> Result<Self, CatalogueError> {
        resources.sort_by_key(|resource| resource.id);
        let catalogue = Catalogue { title, source, licence, published, resources };
        check::catalogue(&catalogue)?;
        Ok(catalogue)
    }

    /// The resource with this id, if the catalogue has it.
    #[must_use]
    pub fn resource(&self, id: ResourceId) -> Option<&Resource> {
        let index = self.resources.binary_search_by_key(&id, |resource| resource.id).ok()?;
        self.resources.get(index)
    }
}

impl fmt::Debug for Catalogue {
    /// Leaves every text out: logs carry no text that somebody wrote.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue").field("published", &self.published).field("resources", &self.resources.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_pinned_and_separates_its_inputs() {
        // Changing this value orphans every note and offer that names a resource.
        assert_eq!(ResourceId::derive("svc-1", Some("loc-1"), "Night shelter").to_string(), "68fb0930e730ca33f5f926899cf3528c");
        let ids = [
            ResourceId::derive("a", None, "b"),
            ResourceId::derive("a", Some(""), "b"),
            ResourceId::derive("a", Some("b"), ""),
            ResourceId::derive("ab", None, ""),
            ResourceId::derive("", None, "ab"),
        ];
        for (i, left) in ids.iter().enumerate() {
            for right in ids.iter().skip(i + 1) {
                assert_ne!(left, right);
            }
        }
    }
}
