//! Vaults: gated facts, written and read only while their grant counts.
//!
//! A vault is opened for one grant, and [`OpenVault`] is the only thing that can write a gated fact. The grant is looked at
//! again in each transaction: one that ends while a form is open ends the form.

use super::Unlocked;
use super::index::{Item, place_of};
use super::retention::Lasting;
use super::vault::Vault;
use crate::consent::standing::{Consents, last_day};
use crate::consent::{Act, GatedCategory, GrantError, GrantStatus};
use crate::crypto::{self, labels};
use crate::document::Value;
use crate::error::Error;
use crate::record::vault::read_facts;
use crate::record::{Fact, FactField, FactLine, Kind};
use crate::storage::Reader;
use crate::team::tombstone::Target;
use satchel_wire::ShiftDay;
use satchel_wire::ids::RecordId;
use std::collections::{BTreeMap, BTreeSet};

/// What a vault record rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VaultStanding {
    /// Its grant is not here.
    NoGrant,
    /// Its grant was taken back, does not cover it, or contradicts itself: nothing that arrives later brings it back.
    Ended,
    /// Its grant is here. `until` is the last day on which it may be kept.
    Granted { grant: RecordId, category: GatedCategory, until: ShiftDay },
}

/// The record of one category of one grant: it follows from both, so that what a vault rests on is signed with it.
pub fn vault_record(grant: RecordId, category: GatedCategory) -> RecordId {
    RecordId::from_bytes(crypto::derive_id(labels::VAULT_RECORD, &[grant.as_bytes(), &[category as u8]]))
}

/// A vault of which something is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultLine {
    /// Its grant.
    pub grant: RecordId,
    /// The categories of which it holds facts.
    pub categories: Vec<GatedCategory>,
    /// The last day on which it is shown.
    pub until: ShiftDay,
}

impl Vault {
    /// Which grant and category a vault record belongs to.
    fn of_vault(consents: &Consents, record: RecordId) -> Option<(RecordId, GatedCategory)> {
        let mut pairs = consents.grants().flat_map(|(grant, _)| GatedCategory::ALL.iter().map(move |category| (grant, *category)));
        pairs.find(|(grant, category)| vault_record(*grant, *category) == record)
    }

    /// What a vault record rests on: it follows from the grants and withdrawals about its subject, and its last day from the terms
    /// by which this phone destroys.
    pub(super) fn vault_standing(&self, consents: &Consents, record: RecordId) -> VaultStanding {
        let Some((id, category)) = Self::of_vault(consents, record) else { return VaultStanding::NoGrant };
        match consents.grant(&id) {
            Some(grant)
                if grant.act == Act::Record && grant.categories.contains(&category) && !consents.is_withdrawn(grant, Some(category)) =>
            {
                let until = self
                    .charter()
                    .map_or(grant.expiry, |charter| self.state.lasting.unwrap_or_else(|| Lasting::of(charter)).vault_until(grant, charter));
                VaultStanding::Granted { grant: id, category, until }
            }
            _ => VaultStanding::Ended,
        }
    }

    /// Whether a vault record is shown and handed out on a day. Grants and withdrawals were read before; it is not otherwise.
    pub(super) fn is_vault_live(&self, item: &Item, day: ShiftDay) -> bool {
        let Some(consents) = item.subject.map(|subject| self.consents_read(&subject)) else { return false };
        let (Some((grant, category)), Ok(charter)) = (Self::of_vault(&consents, item.record), self.charter()) else { return false };
        consents.grant(&grant).is_some_and(|grant| grant.act == Act::Record)
            && consents.live_categories(&grant, day, charter).contains(&category)
    }

    /// Whether a vault record has to go by a day. Grants and withdrawals were read before.
    pub(super) fn is_vault_over(&self, item: &Item, day: ShiftDay) -> bool {
        let Some(consents) = item.subject.map(|subject| self.consents_read(&subject)) else { return true };
        match self.vault_standing(&consents, item.record) {
            VaultStanding::Granted { until, .. } => until < day,
            VaultStanding::Ended | VaultStanding::NoGrant => true,
        }
    }

    /// What a tombstone is held against: a vault record's category follows from the grants that are here.
    pub(super) fn target_of(
        &mut self,
        reader: &Reader<'_>,
        record: RecordId,
        kind: Kind,
        subject: Option<RecordId>,
    ) -> Result<Target, Error> {
        if kind == Kind::Vault {
            self.load_consents(reader)?;
        }
        Ok(self.target_read(record, kind, subject))
    }

    /// The same, once grants were read.
    pub(super) fn target_read(&self, record: RecordId, kind: Kind, subject: Option<RecordId>) -> Target {
        let about = subject.filter(|_| kind == Kind::Vault);
        let category = about.and_then(|subject| Self::of_vault(&self.consents_read(&subject), record)).map(|(_, category)| category);
        Target { record, kind, subject, category }
    }

    /// The categories for which facts may be written under a grant now. Errors: [`GrantError`].
    fn open_categories(&mut self, reader: &Reader<'_>, participant: RecordId, grant: RecordId) -> Result<BTreeSet<GatedCategory>, Error> {
        let consents = self.consents(reader, &participant)?;
        let status = self.grant_status(reader, &consents, &grant)?;
        if consents.grant(&grant).is_some_and(|grant| grant.act != Act::Record || grant.is_for_file()) {
            return Err(GrantError::NoVault.into());
        }
        if status != GrantStatus::Live {
            return Err(GrantError::NotLive(status).into());
        }
        self.note_withdrawn(reader)?;
        if self.is_withdrawn(&participant) {
            return Err(GrantError::NotLive(GrantStatus::Withdrawn).into());
        }
        let day = self.latest_day()?;
        self.writable_categories(&consents, participant, &grant, day)
    }

    /// The categories for which a grant counts on a day and whose facts were not erased: a tombstone comes with the log, and
    /// so often before the withdrawal for which it was written. Grants and withdrawals were read before.
    pub(super) fn writable_categories(
        &mut self,
        consents: &Consents,
        participant: RecordId,
        grant: &RecordId,
        day: ShiftDay,
    ) -> Result<BTreeSet<GatedCategory>, Error> {
        let mut live = consents.live_categories(grant, day, self.charter()?);
        live.retain(|category| {
            let target = self.target_read(vault_record(*grant, *category), Kind::Vault, Some(participant));
            self.late_for(&target).is_none()
        });
        Ok(live)
    }

    pub(super) fn facts(&mut self, reader: &Reader<'_>, participant: RecordId, grant: RecordId) -> Result<Vec<FactLine>, Error> {
        let mut facts = Vec::new();
        for category in self.open_categories(reader, participant, grant)? {
            if let Some(item) = self.item(reader, &place_of(vault_record(grant, category), Kind::Vault, Some(participant)))? {
                facts.extend(read_facts(category, &self.document(reader, &item)?));
            }
        }
        Ok(facts)
    }
}

impl Unlocked {
    /// Opens the vault of a grant to record, which has to count today. The only way to write a gated fact.
    ///
    /// Errors: [`GrantError::NoSuchGrant`], [`GrantError::NotLive`] with how the grant stands, [`GrantError::NoVault`] for
    /// a grant to share or for the file.
    pub fn vault(&self, participant: RecordId, grant: RecordId) -> Result<OpenVault<'_>, Error> {
        let categories = self.read(|vault, reader| vault.open_categories(reader, participant, grant))?;
        Ok(OpenVault { unlocked: self, participant, grant, categories })
    }

    /// Reads the facts of a grant. Errors: as [`Unlocked::vault`]; what is over or taken back is not read any more.
    pub fn read_vault(&self, participant: RecordId, grant: RecordId) -> Result<Vec<FactLine>, Error> {
        self.read(|vault, reader| vault.facts(reader, participant, grant))
    }

    /// The vaults about somebody of which something is shown today.
    pub fn vaults(&self, participant: RecordId) -> Result<Vec<VaultLine>, Error> {
        self.read(|vault, reader| {
            let day = vault.latest_day()?;
            let consents = vault.consents(reader, &participant)?;
            vault.note_withdrawn(reader)?;
            vault.index.load_kind(reader, &vault.store_id, &vault.root, Kind::Vault)?;
            let mut found: BTreeMap<RecordId, BTreeSet<GatedCategory>> = BTreeMap::new();
            let shown = vault.index.about(&participant).filter(|item| item.kind == Kind::Vault && vault.is_vault_live(item, day));
            for (grant, category) in shown.filter_map(|item| Vault::of_vault(&consents, item.record)) {
                found.entry(grant).or_default().insert(category);
            }
            if vault.is_withdrawn(&participant) {
                found.clear();
            }
            let charter = vault.charter()?;
            let line = |(grant, categories): (RecordId, BTreeSet<GatedCategory>)| {
                let until = consents.grant(&grant).map(|value| last_day(value, charter))?;
                Some(VaultLine { grant, categories: categories.into_iter().collect(), until })
            };
            Ok(found.into_iter().filter_map(line).collect())
        })
    }
}

/// The vault of a grant that counted when it was opened. Only [`Unlocked::vault`] makes one, so a gated fact cannot be
/// written without a live grant to record:
///
/// ```compile_fail
/// use satchel_core::store::OpenVault;
/// fn forged<'u>(unlocked: &'u satchel_core::store::Unlocked, id: satchel_wire::ids::RecordId) -> OpenVault<'u> {
///     OpenVault { unlocked, participant: id, grant: id, categories: Default::default() }
/// }
/// ```
///
/// ```compile_fail
/// fn write(unlocked: &satchel_core::store::Unlocked, fact: satchel_core::record::Fact) {
///     let _ = unlocked.write_vault(&[fact]);
/// }
/// ```
///
/// A gated fact goes into nothing else either:
///
/// ```compile_fail
/// fn note(fact: satchel_core::record::Fact) -> satchel_core::screen::ShortText {
///     fact.into()
/// }
/// ```
///
/// What does compile:
///
/// ```
/// use satchel_core::record::Fact;
/// use satchel_core::store::Unlocked;
/// use satchel_wire::ids::RecordId;
/// fn write(unlocked: &Unlocked, who: RecordId, grant: RecordId, fact: Fact) -> Result<(), satchel_core::Error> {
///     unlocked.vault(who, grant)?.write(&[fact])
/// }
/// ```
#[derive(Debug)]
pub struct OpenVault<'u> {
    unlocked: &'u Unlocked,
    participant: RecordId,
    grant: RecordId,
    categories: BTreeSet<GatedCategory>,
}

impl OpenVault<'_> {
    /// The grant.
    pub const fn grant(&self) -> RecordId {
        self.grant
    }
    /// The categories for which the grant counted when the vault was opened.
    pub fn categories(&self) -> impl Iterator<Item = GatedCategory> + '_ {
        self.categories.iter().copied()
    }

    /// Writes facts; a fact that stood there is replaced.
    ///
    /// Errors: [`GrantError::NotCovered`] for a fact of another category, and then none is written;
    /// [`GrantError::NotLive`] if the grant ended meanwhile.
    pub fn write(&self, facts: &[Fact]) -> Result<(), Error> {
        let values = facts.iter().map(|fact| (fact.field(), Value::Text(fact.value().to_owned())));
        self.change(values.collect())
    }

    /// Takes a fact out. What stood there stays in the vault's history until the vault ends.
    /// Errors: as [`OpenVault::write`].
    pub fn remove(&self, field: FactField) -> Result<(), Error> {
        self.change(vec![(field, Value::Null)])
    }

    /// Reads the facts. Errors: as [`Unlocked::vault`].
    pub fn read(&self) -> Result<Vec<FactLine>, Error> {
        self.unlocked.read_vault(self.participant, self.grant)
    }

    fn change(&self, values: Vec<(FactField, Value)>) -> Result<(), Error> {
        self.unlocked.write(|vault, tx| {
            let open = vault.open_categories(tx, self.participant, self.grant)?;
            let mut changes: BTreeMap<GatedCategory, Vec<(FactField, Value)>> = BTreeMap::new();
            for (field, value) in values {
                if !open.contains(&field.category()) {
                    return Err(GrantError::NotCovered.into());
                }
                changes.entry(field.category()).or_default().push((field, value));
            }
            for (category, values) in changes {
                let record = vault_record(self.grant, category);
                vault.edit_document(tx, record, Kind::Vault, Some(self.participant), |edit| {
                    values.iter().try_for_each(|(field, value)| edit.set(field.as_str(), value.clone()))
                })?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_category_of_each_grant_has_a_record_of_its_own() {
        let ids: BTreeSet<RecordId> = (0..4)
            .flat_map(|n| GatedCategory::ALL.iter().map(move |category| vault_record(RecordId::from_bytes([n; 16]), *category)))
            .collect();
        assert_eq!(ids.len(), 4 * GatedCategory::ALL.len());
    }
}
