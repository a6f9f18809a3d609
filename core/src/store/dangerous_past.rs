//! What an older or laxer app left in a store's database, for tests that open it with this one. Never in a shipped build.

use super::Unlocked;
use super::consent::summary_with;
use super::freeze::changes;
use super::index::{Item, ItemKey, place_of};
use super::ledger::{Line, Link};
use super::root::{Seed, open_value, seal_value};
use super::vault::OPERATION;
use crate::consent::Grant;
use crate::crypto::RecordKey;
use crate::document::{Actor, inspect_change};
use crate::envelope::{self, Binding};
use crate::error::Error;
use crate::record::{Encounter, EncounterKind, EntryContent, Kind, Shape, Summary, mapping};
use satchel_wire::cbor;
use satchel_wire::ids::{BodyId, OperationId};

impl Unlocked {
    /// Stores a body as an app did that knew none of today's rules: sealed as everything else, in its page, its tables and the
    /// ledger, without any verdict. Errors: [`Error::Damaged`] for what opens under no key or cannot be loaded at all.
    pub fn dangerous_take(&self, binding: &Binding, key: &RecordKey, body: &[u8]) -> Result<(), Error> {
        self.write(|vault, tx| {
            let opened = envelope::open_body(vault.team(), binding, key, body).map_err(|_| Error::Damaged)?;
            let header = *opened.claimed();
            let content = opened.into_content();
            let id = BodyId::of(body);
            let place = place_of(binding.record, binding.kind, binding.subject);
            let mut item = vault.item(tx, &place)?.unwrap_or_else(|| Item {
                record: binding.record,
                kind: binding.kind,
                subject: binding.subject,
                day: binding.day,
                keys: Vec::new(),
                summary: Summary::Plain,
                until: header.keep_until,
                fields_from: None,
            });
            let bans = vault.ban_mark();
            item.keys.push(ItemKey { id: binding.key_id, key: Seed::new(key.expose()), bans, author: header.device, field: None });
            if binding.kind.shape() == Shape::Document {
                let changes = changes(&content).ok_or(Error::Damaged)?;
                let slices: Vec<&[u8]> = changes.iter().map(|change| change.as_slice()).collect();
                let facts = slices.iter().filter_map(|change| inspect_change(change).ok());
                let actors: Vec<Actor> = facts.map(|facts| facts.actor).collect();
                let mut document = vault.document(tx, &item)?;
                document.apply(&slices, &actors).map_err(|_| Error::Damaged)?;
                item.summary = mapping::summary(binding.kind, &document);
                vault.put_document(tx, &item, &document)?;
            } else if binding.kind == Kind::Encounter {
                // lists of that app showed it, whatever this one thinks of what is in it
                let met = EntryContent::<Encounter>::from_bytes(&content, true).map(|content| content.value);
                item.summary = mapping::encounter_summary(&met.unwrap_or_else(|_| Encounter::new(EncounterKind::Street)));
            } else if binding.kind == Kind::Grant {
                item.summary = cbor::decode::<EntryContent<Grant>>(&content).map_or(Summary::Plain, |it| Summary::Grant(Some(it.value)));
            } else if let Some(summary) = summary_with(binding.kind, None, &content) {
                item.summary = summary;
            }
            tx.put_body(&place, &id, body)?;
            vault.save_item(tx, item)?;
            vault.ledger(tx)?.append(Line::new(binding.day, id, place, Link::of(&header)));
            Ok(())
        })
    }

    /// An operation as it lies in the database, opened.
    pub fn dangerous_kept_operation(&self, id: &OperationId, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        self.read(|vault, _| Ok(open_value(&vault.root.values_key(), OPERATION, id.as_bytes(), sealed)?.to_vec()))
    }

    /// Seals any bytes as an operation lies in the database.
    pub fn dangerous_seal_operation(&self, id: &OperationId, kept: &[u8]) -> Result<Vec<u8>, Error> {
        self.read(|vault, _| seal_value(&vault.env, &vault.root.values_key(), OPERATION, id.as_bytes(), kept))
    }
}
