//! The records of one phone: what a store keeps in its database, without the database.
//!
//! Sealing, opening and every judgement are the core's; what is here is where things lie. Rules of the store that act
//! on records (fresh keys after a ban, late arrivals, work beyond a cut) are asked for by name, as the store does.

use super::traffic::{Sealed, Traffic};
use satchel_core::crypto::RecordKey;
use satchel_core::env::Env;
use satchel_core::envelope::{self, Binding, BodyHeader, Covered, SCHEMA_VERSION};
use satchel_core::record::{Audience, Kind};
use satchel_core::rules::Rule;
use satchel_core::team::settlement::Evidence;
use satchel_core::team::tombstone::Target;
use satchel_core::team::{ChainHead, Frontier, Keyring, Tombstone};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{BodyId, DeviceId, OperationId, RecordId};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A key of a record, and under which bans it was made.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its id.
    pub id: [u8; 8],
    /// The key.
    pub key: Rc<RecordKey>,
    /// Which membership bans its maker knew.
    pub bans: [u8; 16],
}

/// A record that is here.
#[derive(Debug, Clone)]
pub struct Item {
    /// The participant whom it is about.
    pub subject: Option<RecordId>,
    /// Its keys, the one to write on with last.
    pub keys: Vec<Key>,
    /// Its bodies.
    pub bodies: BTreeSet<BodyId>,
}

/// A body that is here.
#[derive(Debug, Clone)]
pub struct Body {
    /// What it belongs to.
    pub binding: Binding,
    /// Its bytes.
    pub bytes: Rc<Vec<u8>>,
    /// Its key.
    pub key: Rc<RecordKey>,
}

/// What became of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// New.
    Applied,
    /// Here, or erased before.
    Known,
    /// Waits.
    Held,
    /// Erased on arrival.
    Dropped,
    /// Not believed.
    ThrownAway,
}

/// All records of a phone.
#[derive(Debug, Default)]
pub struct Shelf {
    /// Records.
    pub items: BTreeMap<RecordId, Item>,
    /// Bodies that can be read.
    pub bodies: BTreeMap<BodyId, Body>,
    /// The ledger: places in authors' chains, of what was erased too.
    pub chains: BTreeMap<DeviceId, BTreeMap<u32, BodyId>>,
    /// Rows that no held turn opened, by their number in the traffic.
    pub held_rows: BTreeSet<usize>,
    /// Bodies that wait for a log head, an author, or a steward's word; with the key that opened them.
    pub held_bodies: BTreeMap<BodyId, Body>,
    /// Bodies that the relay is thought to have.
    pub relayed: BTreeSet<BodyId>,
    /// The log as it was known here when a body was taken.
    pub taken: BTreeMap<BodyId, Vec<OperationId>>,
    /// Records that this phone let go of when their term ended.
    pub over: BTreeSet<RecordId>,
    /// Today, once terms end: what comes after its term is not taken.
    pub ends_before: Option<ShiftDay>,
    /// Grows with every change.
    pub version: u64,
}

/// Whether a tombstone erases a record.
pub fn erases(tombstones: &BTreeMap<OperationId, Tombstone>, record: RecordId, subject: Option<RecordId>) -> bool {
    tombstones.values().any(|tombstone| tombstone.erases(&Target { record, kind: Kind::Encounter, subject, category: None }))
}

impl Shelf {
    /// Seals a new body of a record, new or old. None for a record that is not here and has no subject given.
    pub fn write(
        &mut self,
        env: &Env,
        keyring: &Keyring,
        traffic: &mut Traffic,
        banned: &Rc<BTreeSet<DeviceId>>,
        (record, subject, day): (RecordId, Option<RecordId>, ShiftDay),
    ) -> Option<BodyId> {
        let device = keyring.device();
        let state = keyring.log().state();
        let admitted = state.devices.get(&device)?.admitted;
        let log_head = keyring.log().head_for(&admitted)?;
        let bans = state.membership_bans_digest();
        let item = self.items.entry(record).or_insert_with(|| Item { subject, keys: Vec::new(), bodies: BTreeSet::new() });
        let is_fresh = item.keys.last().is_some_and(|key| key.bans == bans || !env.holds(Rule::FreshKeyAfterBan));
        if !is_fresh {
            item.keys.push(Key { id: env.random(), key: Rc::new(RecordKey::make(env)), bans });
        }
        let key = item.keys.last()?.clone();
        let binding = Binding { record, subject: item.subject, audience: Audience::Team, kind: kind_of(item.subject), day, key_id: key.id };
        let chain = self.chains.entry(device).or_default();
        let (sequence, previous) = chain.last_key_value().map_or((0, [0; 16]), |(sequence, body)| {
            let mut previous = [0; 16];
            previous.copy_from_slice(&body.as_bytes()[..16]);
            (*sequence, previous)
        });
        let header = BodyHeader {
            shape: binding.kind.shape(),
            schema: SCHEMA_VERSION,
            device,
            session: [7; 8],
            sequence: sequence + 1,
            previous,
            log_head,
            keep_until: (binding.kind.shape() == satchel_core::record::Shape::Entry).then(|| day.plus(30)),
        };
        let sealed = envelope::seal_body(env, keyring.team(), &binding, &key.key, keyring.signer(), &header, b"what somebody said").ok()?;
        chain.insert(sequence + 1, sealed.id);
        item.bodies.insert(sealed.id);
        let bytes = Rc::new(sealed.bytes);
        self.bodies.insert(sealed.id, Body { binding, bytes: bytes.clone(), key: key.key.clone() });
        let fact = Sealed { binding, bytes, by: device, sequence: sequence + 1, banned: banned.clone() };
        traffic.seal(sealed.id, fact);
        self.version += 1;
        Some(sealed.id)
    }

    /// Judges a body with the key that came with it.
    pub fn accept(&mut self, env: &Env, keyring: &mut Keyring, tombstones: &BTreeMap<OperationId, Tombstone>, covered: Covered) -> Verdict {
        let Covered { binding, key, body_id, body, .. } = covered;
        if self.bodies.contains_key(&body_id) {
            return Verdict::Known;
        }
        let Ok(opened) = envelope::open_body(keyring.team(), &binding, &key, &body) else { return Verdict::ThrownAway };
        let author = opened.claimed().device;
        let body = Body { binding, bytes: Rc::new(body), key: Rc::new(key) };
        let is_erased = erases(tombstones, binding.record, binding.subject) && env.holds(Rule::EraseLateArrivals);
        let Some(device) = keyring.log().state().devices.get(&author).cloned() else {
            // nobody's word, about something erased: its key must not even be held
            return if is_erased { Verdict::ThrownAway } else { self.hold(body_id, body) };
        };
        let Ok(verified) = opened.verify(&device.key) else { return Verdict::ThrownAway };
        let (sequence, log_head) = (verified.header.sequence, verified.header.log_head);
        if self.chains.get(&author).is_some_and(|chain| chain.get(&sequence) == Some(&body_id)) {
            return Verdict::Known;
        }
        if is_erased {
            self.enter(author, sequence, body_id);
            self.held_bodies.remove(&body_id);
            return Verdict::Dropped;
        }
        let is_late = self.ends_before.is_some_and(|today| verified.header.keep_until.is_some_and(|until| until < today));
        if is_late || self.over.contains(&binding.record) {
            self.enter(author, sequence, body_id);
            self.held_bodies.remove(&body_id);
            return Verdict::Dropped;
        }
        let Some(then) = super::engine::state_at(keyring, &log_head) else { return self.hold(body_id, body) };
        let now = keyring.log().state().device_role(author).is_some_and(satchel_core::team::Role::reads_records);
        let is_beyond = !now && device.cut.is_none_or(|cut| sequence > cut.sequence) && !keyring.log().state().adopted.contains(&body_id);
        if is_beyond && env.holds(Rule::HoldBeyondCut) {
            return self.hold(body_id, body);
        }
        self.taken.insert(body_id, keyring.log().heads());
        self.enter(author, sequence, body_id);
        self.held_bodies.remove(&body_id);
        let item = self.items.entry(binding.record).or_insert_with(|| Item {
            subject: binding.subject,
            keys: Vec::new(),
            bodies: BTreeSet::new(),
        });
        if !item.keys.iter().any(|key| key.id == binding.key_id) {
            item.keys.push(Key { id: binding.key_id, key: body.key.clone(), bans: then.membership_bans_digest() });
            // the key that was made under the bans known here comes last
            let bans = keyring.log().state().membership_bans_digest();
            item.keys.sort_by_key(|key| (key.bans == bans, key.id));
        }
        item.bodies.insert(body_id);
        self.bodies.insert(body_id, body);
        Verdict::Applied
    }

    fn hold(&mut self, id: BodyId, body: Body) -> Verdict {
        self.held_bodies.insert(id, body);
        Verdict::Held
    }

    fn enter(&mut self, author: DeviceId, sequence: u32, body: BodyId) {
        self.chains.entry(author).or_default().entry(sequence).or_insert(body);
        self.version += 1;
    }

    /// Forgets what tombstones name. Returns how many records went.
    pub fn erase(&mut self, env: &Env, tombstones: &BTreeMap<OperationId, Tombstone>) -> usize {
        let gone: Vec<RecordId> =
            self.items.iter().filter(|(record, item)| erases(tombstones, **record, item.subject)).map(|(record, _)| *record).collect();
        gone.iter().for_each(|record| self.forget(record));
        if env.holds(Rule::EraseLateArrivals) {
            self.held_bodies.retain(|_, body| !erases(tombstones, body.binding.record, body.binding.subject));
        }
        gone.len()
    }

    /// Lets go of what is over, held bodies too. Returns how many records and held bodies went.
    pub fn tend(&mut self, over: &BTreeSet<RecordId>) -> usize {
        let gone: Vec<RecordId> = self.items.keys().filter(|record| over.contains(record)).copied().collect();
        gone.iter().for_each(|record| self.forget(record));
        self.over.extend(&gone);
        let held = self.held_bodies.len();
        self.held_bodies.retain(|_, body| !over.contains(&body.binding.record));
        gone.len() + held - self.held_bodies.len()
    }

    /// Forgets one record; its places in chains stay.
    pub fn forget(&mut self, record: &RecordId) {
        if let Some(item) = self.items.remove(record) {
            item.bodies.iter().for_each(|body| {
                self.bodies.remove(body);
            });
        }
        self.version += 1;
    }

    /// Chain heads for a frontier.
    pub fn heads(&self) -> Vec<ChainHead> {
        let heads = self.chains.iter().filter_map(|(device, chain)| {
            let sequence = contiguous(chain);
            let body = chain.get(&sequence)?;
            let mut short = [0; 8];
            short.copy_from_slice(&body.as_bytes()[..8]);
            Some(ChainHead { device: satchel_core::team::keyring::device_prefix(device), sequence, body: short })
        });
        heads.collect()
    }

    /// The newest place of a device's chain that is here.
    pub fn newest(&self, device: &DeviceId) -> u32 {
        self.chains.get(device).and_then(|chain| chain.last_key_value()).map_or(0, |(sequence, _)| *sequence)
    }
}

/// The highest sequence without a gap below it.
pub fn contiguous(chain: &BTreeMap<u32, BodyId>) -> u32 {
    (1u32..).zip(chain.keys()).take_while(|(expected, sequence)| expected == *sequence).last().map_or(0, |(sequence, _)| sequence)
}

const fn kind_of(subject: Option<RecordId>) -> Kind {
    match subject {
        Some(_) => Kind::FollowUp,
        None => Kind::Encounter,
    }
}

/// What a phone knows of the others, for settlement.
#[derive(Debug)]
pub struct Known {
    /// Newest frontiers.
    pub frontiers: BTreeMap<DeviceId, Frontier>,
    /// Devices that have been silent for too long.
    pub silent: BTreeSet<DeviceId>,
}

impl Evidence for Known {
    fn frontier(&self, device: &DeviceId) -> Option<Frontier> {
        self.frontiers.get(device).cloned()
    }
    fn is_silent(&self, device: &DeviceId) -> bool {
        self.silent.contains(device)
    }
    fn is_copied(&self, _: &DeviceId) -> bool {
        false
    }
}
