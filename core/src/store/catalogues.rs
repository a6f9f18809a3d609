//! The resource catalogue in the store: one package, in parts that travel like any other entry.
//!
//! A package is content-addressed: a part is believed because a member signed its body, and the whole
//! because its hash fits. The newest complete package is the one in use.

use super::Unlocked;
use super::vault::Vault;
use super::write::EntryRecord;
use crate::catalogue::{Catalogue, CataloguePackage, ContentId, Part, PartSet, split};
use crate::crypto::{self, labels};
use crate::error::Error;
use crate::record::{EntryContent, EntryError, EntryValue, Kind, Summary};
use crate::storage::Reader;
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::ids::RecordId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Package bytes in one part: fills the largest row (bytes).
const PART_BYTES: usize = 56 * 1024;

/// One part of a catalogue package, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub(super) struct CataloguePart(Part);

impl EntryValue for CataloguePart {
    fn check(&self) -> Result<(), EntryError> {
        let Part { total, index, .. } = &self.0;
        if index < total && PartSet::new(self.0.package_id, *total).is_ok() { Ok(()) } else { Err(EntryError::Value) }
    }
}

/// The catalogue in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueInfo {
    /// Hash of its package.
    pub content_id: [u8; 32],
    /// How many resources it lists.
    pub resources: usize,
    /// The shift day on which it was published to the team.
    pub day: ShiftDay,
}

impl Unlocked {
    /// Publishes a catalogue package to the team. Returns what it holds.
    ///
    /// Errors: [`Error::Catalogue`] for a package that cannot be opened; [`Error::Role`].
    pub fn publish_catalogue(&self, package: &[u8]) -> Result<CatalogueInfo, Error> {
        let catalogue = CataloguePackage::open(package)?;
        let parts = split(package, PART_BYTES)?;
        let content_id = ContentId::of(package);
        let day = self.write(|vault, tx| {
            let today = vault.today()?;
            for part in parts {
                let id = crypto::derive_id(labels::CATALOGUE_PART, &[content_id.as_bytes(), &part.index.to_le_bytes()]);
                let days = (today, today.plus(super::write::entry_term_days(Kind::Catalogue)));
                let content = EntryContent::first(CataloguePart(part));
                vault.save_entry(
                    tx,
                    EntryRecord { record: RecordId::from_bytes(id), kind: Kind::Catalogue, subject: None, days },
                    content,
                    Summary::Plain,
                )?;
            }
            vault.catalogue = None;
            Ok(today)
        })?;
        Ok(CatalogueInfo { content_id: *content_id.as_bytes(), resources: catalogue.resources.len(), day })
    }

    /// The newest complete catalogue; none before one was imported. Cheap after the first call.
    pub fn catalogue(&self) -> Result<Option<Arc<Catalogue>>, Error> {
        Ok(self.read(|vault, reader| vault.newest_catalogue(reader))?.map(|(_, catalogue)| catalogue))
    }

    /// About the catalogue in use.
    pub fn catalogue_info(&self) -> Result<Option<CatalogueInfo>, Error> {
        Ok(self.read(|vault, reader| vault.newest_catalogue(reader))?.map(|(info, _)| info))
    }
}

impl Vault {
    fn newest_catalogue(&mut self, reader: &Reader<'_>) -> Result<Option<(CatalogueInfo, Arc<Catalogue>)>, Error> {
        if self.catalogue.is_none() {
            let mut sets: BTreeMap<(ShiftDay, ContentId), PartSet> = BTreeMap::new();
            for item in self.items(reader, Kind::Catalogue)? {
                for CataloguePart(part) in self.entry_values::<CataloguePart>(reader, &item)? {
                    let Ok(fresh) = PartSet::new(part.package_id, part.total) else { continue };
                    // parts that contradict each other never complete; another publication will
                    let _ = sets.entry((item.day, part.package_id)).or_insert(fresh).add(part);
                }
            }
            self.catalogue = sets.into_iter().rev().filter(|(_, set)| set.is_complete()).find_map(|((day, id), set)| {
                let catalogue = CataloguePackage::open(&set.finish().ok()?).ok()?;
                let info = CatalogueInfo { content_id: *id.as_bytes(), resources: catalogue.resources.len(), day };
                Some((info, Arc::new(catalogue)))
            });
        }
        Ok(self.catalogue.clone())
    }
}
