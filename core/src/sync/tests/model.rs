//! A replica of plain maps: nothing is sealed, every verdict is a look-up.

use crate::crypto::DiscoverySecret;
use crate::sync::*;
use satchel_wire::{BodyId, DeviceId, Row, ShiftDay, TurnId};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const ROW_BYTES: usize = 512;

/// The model's own failure, injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) author: DeviceId,
    pub(crate) sequence: u32,
    pub(crate) day: u16,
    pub(crate) previous: Option<BodyId>,
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Admit(DeviceId),
    Ban(DeviceId),
    Note(u32),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    parents: Vec<OperationId>,
    deed: Deed,
}

impl Operation {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.parents.len() as u8];
        self.parents.iter().for_each(|parent| bytes.extend_from_slice(parent));
        match self.deed {
            Deed::Admit(device) => bytes.extend_from_slice(&[&[1][..], device.as_bytes()].concat()),
            Deed::Ban(device) => bytes.extend_from_slice(&[&[2][..], device.as_bytes()].concat()),
            Deed::Note(number) => bytes.extend_from_slice(&[&[3][..], &[0; 12], &number.to_le_bytes()].concat()),
        }
        bytes
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (count, rest) = bytes.split_first()?;
        let (parents, rest) = rest.split_at_checked(usize::from(*count) * 32)?;
        let (kind, rest) = rest.split_first()?;
        let argument: [u8; 16] = rest.try_into().ok()?;
        let deed = match kind {
            1 => Deed::Admit(DeviceId::from_bytes(argument)),
            2 => Deed::Ban(DeviceId::from_bytes(argument)),
            3 => Deed::Note(u32::from_le_bytes(argument[12..].try_into().ok()?)),
            _ => return None,
        };
        Some(Self { parents: parents.as_chunks::<32>().0.to_vec(), deed })
    }
    fn id(&self) -> OperationId {
        *blake3::hash(&self.to_bytes()).as_bytes()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    counter: u64,
    frontier: Vec<u8>,
    key: Option<Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model {
    device: DeviceId,
    order: Vec<OperationId>,
    log: BTreeMap<OperationId, Operation>,
    pub(crate) turns: Vec<TurnId>,
    /// Generation of the receiving key; a box for another one does not open.
    pub(crate) key: u32,
    pub(crate) frontiers: BTreeMap<DeviceId, Held>,
    pub(crate) bodies: BTreeMap<BodyId, Body>,
    chains: BTreeMap<DeviceId, BTreeMap<u32, BodyId>>,
    pub(crate) forgotten: BTreeSet<BodyId>,
    pub(crate) drafts: u32,
    pub(crate) day: u16,
    pub(crate) ended: Vec<DeviceId>,
    pub(crate) trace: Vec<&'static str>,
    /// Calls of a changing kind until one fails.
    pub(crate) fails_in: Option<usize>,
    pub(crate) accept_calls: usize,
    pub(crate) rows_made: usize,
    /// Turns whose secret is gone but whose colleagues are still recognised.
    pub(crate) remembered: Vec<TurnId>,
    /// Neither hands over nor takes turns.
    pub(crate) deaf: bool,
    /// Signs for somebody else.
    pub(crate) forges: bool,
}

pub(crate) fn device(number: u8) -> DeviceId {
    DeviceId::from_bytes([number; 16])
}

pub(crate) fn turn(number: u8) -> TurnId {
    TurnId::from_bytes([number; 16])
}

fn secret(turn: &TurnId) -> DiscoverySecret {
    DiscoverySecret::from_bytes(blake3::hash(turn.as_bytes()).as_bytes())
}

pub(crate) fn model_signature(device: DeviceId, role: Role, hash: &[u8; 32]) -> [u8; 64] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(device.as_bytes()).update(&[role as u8]).update(hash);
    let mut signature = [0; 64];
    hasher.finalize_xof().fill(&mut signature);
    signature
}

/// `count` replicas of one team, all admitted, all in turn 1.
pub(crate) fn team(count: u8) -> Vec<Model> {
    let mut founder = Model::empty(1);
    (1..=count).for_each(|number| founder.log_deed(Deed::Admit(device(number))));
    (1..=count).map(|number| Model { device: device(number), ..founder.clone() }).collect()
}

impl Model {
    fn empty(number: u8) -> Self {
        Self {
            device: device(number),
            order: Vec::new(),
            log: BTreeMap::new(),
            turns: vec![turn(1)],
            key: 1,
            frontiers: BTreeMap::new(),
            bodies: BTreeMap::new(),
            chains: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            drafts: 0,
            day: 20_000,
            ended: Vec::new(),
            trace: Vec::new(),
            fails_in: None,
            accept_calls: 0,
            rows_made: 0,
            remembered: Vec::new(),
            deaf: false,
            forges: false,
        }
    }

    pub(crate) fn stranger() -> Self {
        Self { turns: vec![turn(99)], ..Self::empty(99) }
    }

    fn act(&mut self, name: &'static str) -> Result<(), Broken> {
        self.trace.push(name);
        match self.fails_in.as_mut() {
            Some(0) => Err(Broken),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub(crate) fn become_device(&mut self, number: u8) {
        self.device = device(number);
    }

    pub(crate) fn holds_key_of(&self, peer: DeviceId) -> bool {
        self.frontiers.get(&peer).is_some_and(|held| held.key.is_some())
    }

    pub(crate) fn forget(&mut self, id: &BodyId) {
        self.bodies.remove(id);
        self.forgotten.insert(*id);
    }

    /// Whether everything on disk is the same, whatever was called.
    pub(crate) fn same_store(&self, other: &Self) -> bool {
        let bare = |model: &Self| Self { trace: Vec::new(), ended: Vec::new(), accept_calls: 0, rows_made: 0, ..model.clone() };
        bare(self) == bare(other)
    }

    fn heads(&self) -> Vec<OperationId> {
        let named: BTreeSet<_> = self.log.values().flat_map(|operation| operation.parents.iter()).collect();
        self.log.keys().filter(|id| !named.contains(id)).copied().collect()
    }

    pub(crate) fn log_deed(&mut self, deed: Deed) {
        let operation = Operation { parents: self.heads(), deed };
        self.keep_operation(operation);
    }

    fn keep_operation(&mut self, operation: Operation) -> bool {
        let id = operation.id();
        let is_new = self.log.insert(id, operation).is_none();
        if is_new {
            self.order.push(id);
        }
        is_new
    }

    pub(crate) fn operation_set(&self) -> BTreeSet<OperationId> {
        self.log.keys().copied().collect()
    }

    fn past(&self, heads: &[OperationId]) -> BTreeSet<OperationId> {
        let mut past = BTreeSet::new();
        let mut rest = heads.to_vec();
        while let Some(id) = rest.pop() {
            if past.insert(id) {
                rest.extend(self.log.get(&id).into_iter().flat_map(|operation| operation.parents.iter().copied()));
            }
        }
        past
    }

    fn is_banned(&self, peer: DeviceId) -> bool {
        self.log.values().any(|operation| operation.deed == Deed::Ban(peer))
    }

    /// Numbers a body of this device at once, as if it had left before.
    pub(crate) fn write(&mut self, count: u32) {
        for _ in 0..count {
            let chain = self.chains.entry(self.device).or_default();
            let (sequence, previous) = chain.last_key_value().map_or((1, None), |(sequence, id)| (sequence + 1, Some(*id)));
            let (author, day) = (self.device, self.day);
            self.keep_body(Body::make(author, sequence, day, previous));
        }
    }

    pub(crate) fn complain(&mut self, number: u32) {
        let day = self.day;
        self.keep_body(Body::make(device(0), number, day, None));
    }

    fn keep_body(&mut self, body: Body) {
        let id = BodyId::of(&body.bytes);
        if body.author != device(0) {
            self.chains.entry(body.author).or_default().insert(body.sequence, id);
        }
        self.bodies.insert(id, body);
    }

    /// Takes everything of another replica, without a session.
    pub(crate) fn copy_bodies(&mut self, other: &Self) {
        other.bodies.values().for_each(|body| self.keep_body(body.clone()));
    }

    pub(crate) fn drop_body(&mut self, id: &BodyId) {
        if let Some(body) = self.bodies.remove(id) {
            self.chains.entry(body.author).or_default().remove(&body.sequence);
        }
    }

    pub(crate) fn body_ids(&self) -> BTreeSet<BodyId> {
        self.bodies.keys().copied().collect()
    }

    pub(crate) fn row_of(&self, id: &BodyId) -> Option<Row> {
        self.bodies.get(id).map(|body| body.row(self.turns[0]))
    }

    pub(crate) fn has_all_parents(&self) -> bool {
        self.bodies.values().all(|body| body.previous.is_none_or(|previous| self.bodies.contains_key(&previous)))
    }

    fn make_frontier(&mut self) {
        let own = self.frontiers.get(&self.device);
        let mut content = self.device.as_bytes().to_vec();
        content.extend_from_slice(&self.key.to_le_bytes());
        content.push(self.heads().len() as u8);
        self.heads().iter().for_each(|head| content.extend_from_slice(head));
        for head in self.chain_list() {
            content.extend_from_slice(head.device.as_bytes());
            content.extend_from_slice(&head.contiguous.to_le_bytes());
        }
        if own.is_some_and(|held| held.frontier[8..] == content) {
            return;
        }
        let counter = own.map_or(1, |held| held.counter + 1);
        let frontier = [&counter.to_le_bytes()[..], &content].concat();
        self.frontiers.insert(self.device, Held { counter, frontier, key: Some(self.own_key()) });
    }

    fn own_key(&self) -> Vec<u8> {
        [self.device.as_bytes(), &self.key.to_le_bytes()[..], &[7; 1_196]].concat()
    }

    fn chain_list(&self) -> Vec<ChainHead> {
        let head = |(device, chain): (&DeviceId, &BTreeMap<u32, BodyId>)| {
            let contiguous = (1u32..).zip(chain.keys()).take_while(|(expected, held)| expected == *held).count() as u32;
            ChainHead { device: *device, contiguous, highest: chain.keys().next_back().copied().unwrap_or(0) }
        };
        self.chains.iter().map(head).filter(|head| head.highest > 0).collect()
    }

    fn chain_head_in(frontier: &[u8], wanted: DeviceId) -> u32 {
        let list = frontier.get(29 + usize::from(frontier[28]) * 32..).unwrap_or(&[]);
        let (entries, _) = list.as_chunks::<20>();
        let entry = entries.iter().find(|entry| entry[..16] == *wanted.as_bytes());
        entry.map_or(0, |entry| u32::from_le_bytes([entry[16], entry[17], entry[18], entry[19]]))
    }
}

impl Body {
    fn make(author: DeviceId, sequence: u32, day: u16, previous: Option<BodyId>) -> Self {
        let mut bytes = author.as_bytes().to_vec();
        bytes.extend_from_slice(&sequence.to_le_bytes());
        bytes.extend_from_slice(&day.to_le_bytes());
        bytes.extend_from_slice(&previous.map_or([0; 32], |id| *id.as_bytes()));
        Self { author, sequence, day, previous, bytes }
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let author = DeviceId::from_slice(bytes.get(..16)?).ok()?;
        let sequence = u32::from_le_bytes(bytes.get(16..20)?.try_into().ok()?);
        let day = u16::from_le_bytes(bytes.get(20..22)?.try_into().ok()?);
        let previous = BodyId::from_slice(bytes.get(22..54)?).ok()?;
        let previous = (*previous.as_bytes() != [0; 32]).then_some(previous);
        (sequence > 0).then(|| Self::make(author, sequence, day, previous))
    }
    pub(crate) fn row(&self, turn: TurnId) -> Row {
        let mut bytes = vec![3];
        bytes.extend_from_slice(turn.as_bytes());
        bytes.extend_from_slice(&self.bytes);
        bytes.resize(ROW_BYTES, 0);
        Row::parse(bytes).unwrap()
    }
}

impl Replica for Model {
    type Error = Broken;

    fn hello_secrets(&mut self) -> Result<Vec<DiscoverySecret>, Broken> {
        Ok(self.turns.iter().chain(&self.remembered).map(secret).collect())
    }
    fn device(&self) -> DeviceId {
        self.device
    }
    fn sign_handshake(&mut self, role: Role, hash: &[u8; 32]) -> Result<[u8; 64], Broken> {
        Ok(model_signature(if self.forges { device(200) } else { self.device }, role, hash))
    }
    fn check_handshake(&mut self, peer: DeviceId, role: Role, hash: &[u8; 32], signature: &[u8; 64]) -> Result<Standing, Broken> {
        self.act("check_handshake")?;
        if !self.log.values().any(|operation| operation.deed == Deed::Admit(peer)) {
            return Ok(Standing::Unknown);
        }
        if *signature != model_signature(peer, role, hash) {
            return Ok(Standing::Forged);
        }
        Ok(if self.is_banned(peer) { Standing::Banned } else { Standing::Member })
    }
    fn clock_day(&mut self) -> Result<ShiftDay, Broken> {
        Ok(ShiftDay::from_days(20_000))
    }
    fn hear_clock(&mut self, _: ShiftDay) -> Result<(), Broken> {
        self.act("hear_clock")
    }
    fn own_admission(&mut self) -> Result<Vec<OperationId>, Broken> {
        self.trace.push("own_admission");
        let own = self.log.values().find(|operation| operation.deed == Deed::Admit(self.device)).map(Operation::id);
        let past = self.past(&own.into_iter().collect::<Vec<_>>());
        Ok(self.order.iter().filter(|id| past.contains(*id)).copied().collect())
    }
    fn log_heads(&mut self) -> Result<Vec<OperationId>, Broken> {
        Ok(self.heads())
    }
    fn operations_beyond(&mut self, heads: &[OperationId]) -> Result<Beyond, Broken> {
        if !heads.iter().all(|head| self.log.contains_key(head)) {
            return Ok(Beyond::UnknownHeads);
        }
        let past = self.past(heads);
        Ok(Beyond::Known(self.order.iter().filter(|id| !past.contains(*id)).copied().collect()))
    }
    fn operation_ids(&mut self) -> Result<Vec<OperationId>, Broken> {
        Ok(self.order.clone())
    }
    fn operations(&mut self, ids: &[OperationId]) -> Result<Vec<Vec<u8>>, Broken> {
        self.trace.push("operations");
        Ok(ids.iter().filter_map(|id| self.log.get(id)).map(Operation::to_bytes).collect())
    }
    fn merge_operations(&mut self, operations: Vec<Vec<u8>>) -> Result<Merged, Broken> {
        self.act("merge_operations")?;
        let mut merged = Merged::default();
        for bytes in operations {
            match Operation::from_bytes(&bytes) {
                None => merged.refused += 1,
                Some(operation) if operation.parents.iter().all(|parent| self.log.contains_key(parent)) => {
                    merged.accepted += usize::from(self.keep_operation(operation));
                }
                Some(_) => merged.held += 1,
            }
        }
        Ok(merged)
    }
    fn turns(&mut self) -> Result<Vec<TurnId>, Broken> {
        Ok(self.turns.clone())
    }
    fn frontier(&mut self) -> Result<Vec<u8>, Broken> {
        self.make_frontier();
        Ok(self.frontiers[&self.device].frontier.clone())
    }
    fn receiving_key(&mut self) -> Result<Vec<u8>, Broken> {
        self.trace.push("receiving_key");
        Ok(self.own_key())
    }
    fn needs_receiving_key(&mut self, frontier: &[u8]) -> Result<bool, Broken> {
        let device = DeviceId::from_slice(&frontier[8..24]).unwrap();
        Ok(device != self.device && self.frontiers.get(&device).is_none_or(|held| held.key.is_none()))
    }
    fn accept_frontier(&mut self, device: DeviceId, frontier: &[u8], receiving_key: Option<&[u8]>) -> Result<FrontierVerdict, Broken> {
        self.act(if receiving_key.is_some() { "accept_key" } else { "accept_frontier" })?;
        if frontier.len() < 29 || frontier[8..24] != *device.as_bytes() {
            return Ok(FrontierVerdict::Refused("model.frontier"));
        }
        let counter = u64::from_le_bytes(frontier[..8].try_into().unwrap());
        let own_head = self.chain_list().iter().find(|head| head.device == self.device).map_or(0, |head| head.highest);
        let is_ahead = Self::chain_head_in(frontier, self.device) > own_head;
        let names_key = |key: &[u8]| key[..16] == *device.as_bytes() && key[16..20] == frontier[24..28];
        let key = receiving_key.filter(|key| names_key(key)).map(<[u8]>::to_vec);
        let verdict = match self.frontiers.get_mut(&device) {
            Some(held) if held.counter > counter => FrontierVerdict::Older,
            Some(held) if held.counter == counter => {
                held.key = held.key.take().or(key);
                FrontierVerdict::Same
            }
            _ => {
                self.frontiers.insert(device, Held { counter, frontier: frontier.to_vec(), key });
                FrontierVerdict::Newer
            }
        };
        Ok(if is_ahead { FrontierVerdict::RolledBack } else { verdict })
    }
    fn known_frontiers(&mut self) -> Result<Vec<(DeviceId, u64)>, Broken> {
        Ok(self.frontiers.iter().map(|(device, held)| (*device, held.counter)).collect())
    }
    fn frontiers(&mut self, devices: &[DeviceId]) -> Result<Vec<KnownFrontier>, Broken> {
        let known = |device: &DeviceId| {
            let held = self.frontiers.get(device)?;
            Some(KnownFrontier { device: *device, frontier: held.frontier.clone(), receiving_key: held.key.clone() })
        };
        Ok(devices.iter().filter_map(known).collect())
    }
    fn turn_for(&mut self, peer: DeviceId, peer_turns: &[TurnId]) -> Result<Option<Vec<u8>>, Broken> {
        self.act("turn_for")?;
        let own = self.turns[0];
        if self.deaf || peer_turns.iter().any(|theirs| *theirs >= own) || self.is_banned(peer) {
            return Ok(None);
        }
        let key = self.frontiers.get(&peer).and_then(|held| held.key.as_ref()).map_or(vec![0; 4], |key| key[16..20].to_vec());
        Ok(Some([own.as_bytes(), peer.as_bytes(), &key[..], &[9; 1_168]].concat()))
    }
    fn accept_turn(&mut self, announcement: &[u8]) -> Result<TurnVerdict, Broken> {
        self.act("accept_turn")?;
        if announcement.len() != 36 + 1_168 {
            return Ok(TurnVerdict::Refused("model.turn"));
        }
        let id = TurnId::from_slice(&announcement[..16]).unwrap();
        if self.turns.contains(&id) {
            return Ok(TurnVerdict::Known);
        }
        if announcement[16..32] != *self.device.as_bytes() || announcement[32..36] != self.key.to_le_bytes() {
            return Ok(TurnVerdict::NotForMe);
        }
        self.turns.insert(0, id);
        self.key += 1;
        Ok(TurnVerdict::Adopted)
    }
    fn freeze(&mut self) -> Result<(), Broken> {
        self.act("freeze")?;
        let drafts = std::mem::take(&mut self.drafts);
        self.write(drafts);
        Ok(())
    }
    fn chain_heads(&mut self) -> Result<Vec<ChainHead>, Broken> {
        Ok(self.chain_list())
    }
    fn bodies_beyond(&mut self, heads: &[(DeviceId, u32)]) -> Result<Vec<BodyId>, Broken> {
        let heads: BTreeMap<_, _> = heads.iter().copied().collect();
        let beyond = |(device, chain): (&DeviceId, &BTreeMap<u32, BodyId>)| {
            let from = heads.get(device).copied().unwrap_or(0);
            chain.range((std::ops::Bound::Excluded(from), std::ops::Bound::Unbounded)).map(|(_, id)| *id).collect::<Vec<_>>()
        };
        Ok(self.chains.iter().flat_map(beyond).collect())
    }
    fn items(&mut self) -> Result<Vec<(ShiftDay, BodyId)>, Broken> {
        Ok(self.bodies.iter().map(|(id, body)| (ShiftDay::from_days(body.day), *id)).collect())
    }
    fn wanted(&mut self, ids: &[BodyId]) -> Result<Vec<BodyId>, Broken> {
        let wants = |id: &&BodyId| !self.bodies.contains_key(*id) && !self.forgotten.contains(*id);
        Ok(ids.iter().filter(wants).copied().collect())
    }
    fn arranged(&mut self, ids: &[BodyId]) -> Result<Vec<BodyId>, Broken> {
        let mut known: Vec<_> = ids.iter().filter_map(|id| self.bodies.get(id).map(|body| (body.author, body.sequence, *id))).collect();
        known.sort_unstable();
        Ok(known.into_iter().map(|(_, _, id)| id).collect())
    }
    fn rows(&mut self, ids: &[BodyId], max_bytes: usize) -> Result<Covered, Broken> {
        self.act("rows")?;
        let done = ids.len().min((max_bytes / ROW_BYTES).max(1));
        let rows: Vec<Row> = ids[..done].iter().filter_map(|id| self.row_of(id)).collect();
        self.rows_made += rows.len();
        Ok(Covered { rows, done })
    }
    fn accept_rows(&mut self, rows: Vec<Row>) -> Result<Accepted, Broken> {
        self.act("accept_rows")?;
        self.accept_calls += 1;
        let mut accepted = Accepted::default();
        for row in rows {
            let bytes = row.as_bytes();
            let opens = self.turns.iter().any(|turn| bytes[1..17] == *turn.as_bytes());
            match Body::from_bytes(&bytes[17..]) {
                _ if !opens => accepted.thrown_away += 1,
                None => accepted.refused += 1,
                Some(body) => {
                    let id = BodyId::of(&body.bytes);
                    if self.forgotten.contains(&id) {
                        accepted.refused += 1;
                    } else if self.bodies.contains_key(&id) {
                        accepted.known += 1;
                    } else {
                        let is_held = body.previous.is_some_and(|previous| !self.bodies.contains_key(&previous));
                        accepted.held += usize::from(is_held);
                        accepted.applied += usize::from(!is_held);
                        self.keep_body(body);
                    }
                }
            }
        }
        Ok(accepted)
    }
    fn end_session(&mut self, peer: DeviceId) -> Result<(), Broken> {
        self.act("end_session")?;
        self.ended.push(peer);
        Ok(())
    }
}
