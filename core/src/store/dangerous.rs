//! Every secret of an unlocked store at once: what a thief has who took the phone unlocked. Never in a shipped build.

use super::Unlocked;
use super::accept::Held;
use super::vault::Vault;
use crate::document::Value;
use crate::error::Error;
use crate::record::{Encounter, EntryContent, Kind, Shape};
use crate::screen::{DangerousVersion, dangerous_as_version, screen};
use crate::team::escrow::EscrowBoxes;
use crate::team::notice::Notice;
use crate::team::{Frontier, Operation, RecipientClass};
use satchel_wire::cbor;
use satchel_wire::ids::{BodyId, DeviceId, RecordId, TeamId};
use satchel_wire::row::Row;

/// What a secret of 32 bytes is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LootClass {
    /// Seals the root.
    Store,
    /// Seals the store's other values.
    Values,
    /// Seals what is held, and what is known of wire pages.
    Held,
    /// Seals a key page of the index.
    Page,
    /// Seals bodies, drafts and snapshots of a record.
    Record,
    /// A turn's records secret.
    Turn,
    /// A turn's commons secret.
    Commons,
    /// Seed of a receiving key.
    Receiving,
    /// Opens notices of a turn that is gone.
    Notices,
    /// Masks what is forgotten before its record; the record key follows from it.
    Field,
    /// Seals a page on the wire.
    WirePage,
    /// Signs and nothing else.
    Signing,
}

/// A record key and what it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordLoot {
    /// The record.
    pub record: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// The participant whom it is about.
    pub subject: Option<RecordId>,
    /// The key.
    pub key: [u8; 32],
}

/// Every secret that a store holds, in its files or in memory alone.
#[derive(Clone)]
pub struct Loot {
    /// The team.
    pub team: TeamId,
    /// The device.
    pub device: DeviceId,
    /// All secrets but record keys.
    pub secrets: Vec<(LootClass, [u8; 32])>,
    /// Record keys.
    pub records: Vec<RecordLoot>,
    /// Those of them that belong to bodies which are held back.
    pub held: Vec<RecordLoot>,
    /// Rows that are held back, since no turn here opens them (count).
    pub held_rows: usize,
    /// Keys of records that wire pages list and that have not come (in memory alone).
    pub listed: Vec<RecordLoot>,
    /// What a board phone keeps for the key on paper.
    pub escrow: EscrowBoxes,
    /// Devices that may read records, as far as this phone knows.
    pub readers: Vec<DeviceId>,
    /// All devices that were ever admitted, as far as this phone knows.
    pub devices: Vec<DeviceId>,
}

impl std::fmt::Debug for Loot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Loot")
    }
}

impl Vault {
    /// What no phone does: asks the guard that it happens to have about a note that arrives.
    pub(super) fn dangerous_guard_finds(&self, kind: Kind, content: &[u8]) -> bool {
        let is_found = |met: &Encounter| met.note().is_some_and(|note| !screen(note.as_str(), None).is_empty());
        let ask = || EntryContent::<Encounter>::from_bytes(content, kind.has_successors()).is_ok_and(|content| is_found(&content.value));
        kind == Kind::Encounter && dangerous_as_version(self.env.dangerous_guard(), ask)
    }
}

impl Unlocked {
    /// Everything that stands, one line a record, sorted: its id, kind, subject and day, the ids of its live bodies, what lists
    /// show of it as it is stored, and of documents the changes that they end with and every value. Phones that agree have equal lines.
    pub fn dangerous_fold(&self) -> Result<Vec<String>, Error> {
        let _as = DangerousVersion::begin(DangerousVersion::NONE);
        self.read(|vault, reader| {
            vault.index.load_all(reader, &vault.store_id, &vault.root)?;
            let items: Vec<_> = vault.index.all().cloned().collect();
            let mut lines = Vec::with_capacity(items.len());
            for item in items {
                let mut bodies = reader.bodies_of(&item.place())?;
                bodies.sort_unstable();
                let summary = data_encoding::HEXLOWER.encode(&cbor::encode(&item.summary));
                let mut line = format!("{} {:?} {:?} {} {bodies:?} {summary}", item.record, item.kind, item.subject, item.day);
                if item.kind.shape() == Shape::Document {
                    let document = vault.document(reader, &item)?;
                    let mut heads = document.heads();
                    heads.sort_unstable();
                    line.push_str(&format!(" {heads:?}"));
                    for field in document.fields() {
                        let value = match document.value(&field) {
                            Some(Value::Text(text)) => text,
                            other => format!("{other:?}"),
                        };
                        line.push_str(&format!(" {field}={value}{:?}", document.list(&field)));
                    }
                }
                lines.push(line);
            }
            lines.sort_unstable();
            Ok(lines)
        })
    }

    /// What is held back, one entry each: a row that no turn here opens; none for a body.
    pub fn dangerous_held(&self) -> Result<Vec<Option<Row>>, Error> {
        self.read(|vault, reader| {
            let row = |held| match held {
                Held::Row(bytes, ..) => Row::parse(bytes).ok(),
                Held::Body(_) => None,
            };
            Ok(vault.all_held(reader)?.into_iter().map(|(_, held)| row(held)).collect())
        })
    }

    /// What a row of the commons lane says, if a turn here opens it.
    pub fn dangerous_notice(&self, row: &Row) -> Result<Option<Notice>, Error> {
        self.read(|vault, _| Ok(vault.keyring.open_notice(row)))
    }

    /// Whether this phone knows everything that a notice would tell it: its operations, and its frontiers or newer ones.
    /// What only the board reads is told to nobody else.
    pub fn dangerous_knows_notice(&self, notice: &Notice) -> Result<bool, Error> {
        self.read(|vault, _| {
            let is_known = |bytes: &[u8]| Operation::from_bytes(bytes).is_ok_and(|told| vault.keyring.log.operation(&told.id()).is_some());
            let is_seen = |bytes: &[u8]| {
                let Ok(told) = Frontier::from_bytes(bytes) else { return true };
                let device = told.content().device;
                let known = vault.frontier_of(&device);
                device == vault.device || known.is_some_and(|known| known.content().counter >= told.content().counter)
            };
            let is_for_board = notice.complaint.is_some() || notice.board.is_some();
            let tells_board = is_for_board && !vault.role().is_ok_and(|role| role.reads_records());
            Ok(!tells_board
                && notice.operations.iter().all(|bytes| is_known(bytes))
                && notice.frontiers.iter().all(|told| is_seen(&told.frontier)))
        })
    }

    /// Whether a body is here, or was.
    pub fn dangerous_knows(&self, body: &BodyId) -> Result<bool, Error> {
        self.read(|vault, reader| Ok(vault.ledger(reader)?.line(body).is_some()))
    }

    /// What is written beside each complaint box that waits: the day on which it is let go of. Errors: as any read.
    pub fn dangerous_complaint_days(&self) -> Result<Vec<satchel_wire::ShiftDay>, Error> {
        self.read(|vault, reader| vault.complaint_days(reader))
    }

    /// Takes everything. Errors: as any read.
    pub fn dangerous_loot(&self) -> Result<Loot, Error> {
        self.read(|vault, reader| {
            vault.index.load_all(reader, &vault.store_id, &vault.root)?;
            let (pages, listed) = vault.dangerous_page_keys(reader)?;
            let keys = vault.keyring.secrets();
            let mut secrets = vec![
                (LootClass::Store, *vault.dangerous_store_key().expose()),
                (LootClass::Values, *vault.root.values.expose()),
                (LootClass::Held, *vault.root.held.expose()),
                (LootClass::Signing, *vault.root.signing.expose()),
            ];
            secrets.extend(vault.root.pages.iter().map(|page| (LootClass::Page, *page.key.expose())));
            secrets.extend(vault.dangerous_listed_fields().into_iter().map(|field| (LootClass::Field, field)));
            secrets.extend(pages.into_iter().map(|key| (LootClass::WirePage, key)));
            secrets.extend(keys.receiving.iter().map(|seed| (LootClass::Receiving, *seed.expose())));
            secrets.extend(keys.turns.iter().map(|turn| match turn.class {
                RecipientClass::Records => (LootClass::Turn, *turn.secret.expose()),
                _ => (LootClass::Commons, *turn.secret.expose()),
            }));
            secrets.extend(keys.remembered.iter().filter_map(|kept| Some((LootClass::Notices, *kept.notices.as_ref()?.expose()))));
            if let Some(board) = &vault.root.board {
                let (signing, complaints) = board.dangerous_seeds();
                secrets.push((LootClass::Signing, signing));
                secrets.extend(complaints.into_iter().map(|seed| (LootClass::Receiving, seed)));
            }
            secrets.extend(keys.control.iter().map(|seed| (LootClass::Signing, *seed.expose())));
            let listed: Vec<RecordLoot> =
                listed.into_iter().map(|(record, kind, subject, key)| RecordLoot { record, kind, subject, key }).collect();
            let mut records = listed.clone();
            for item in vault.index.all() {
                secrets.extend(item.keys.iter().filter_map(|key| key.field.as_ref()).map(|field| (LootClass::Field, *field.expose())));
                let (record, kind, subject) = (item.record, item.kind, item.subject);
                records.extend(item.keys.iter().map(|key| RecordLoot { record, kind, subject, key: *key.key.expose() }));
            }
            let (mut held, mut held_rows) = (Vec::new(), 0);
            for (_, kept) in vault.all_held(reader)? {
                match kept {
                    Held::Body(body) => {
                        let (record, kind, subject) = (body.record, body.kind, body.subject);
                        secrets.extend(body.field.as_ref().map(|field| (LootClass::Field, *field.expose())));
                        held.push(RecordLoot { record, kind, subject, key: *body.key.expose() });
                    }
                    Held::Row(..) => held_rows += 1,
                }
            }
            records.extend(held.iter().copied());
            let escrow = keys.escrow;
            let state = vault.keyring.log.state();
            let readers = state.active().filter(|(_, _, role)| role.reads_records()).map(|(device, _, _)| device).collect();
            let devices = state.devices.keys().copied().collect();
            Ok(Loot { team: vault.root.team, device: vault.device, secrets, records, held, held_rows, listed, escrow, readers, devices })
        })
    }
}
