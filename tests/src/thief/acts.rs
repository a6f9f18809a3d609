//! What people do: one act at a time, by the dice.

use super::traffic::Parcel;
use super::world::{ABSENCE_DAYS, Phone, World};
use super::{Outcome, Setup, engine};
use crate::harness::dice::Dice;
use crate::team::{SeededRandomness, SetClock};
use satchel_core::consent::Charter;
use satchel_core::crypto::{ReceivingKey, SigningKey};
use satchel_core::env::Env;
use satchel_core::team::frontier::receiving_hash;
use satchel_core::team::keyring::Seed;
use satchel_core::team::operation::{Action, Cut, DeviceKeys, Operation};
use satchel_core::team::{Erasure, Keyring, Role, Standing, Tombstone, tombstone};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{DeviceId, MemberId, OperationId, RecordId};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Of so many histories one has a board phone and a recovery key.
const RECOVERY_EVERY: u64 = 6;

/// A device that nobody knows yet.
struct Newborn {
    env: Env,
    signer: SigningKey,
    receiving: Seed,
    keys: DeviceKeys,
}

fn newborn(seed: u64, number: usize, setup: &Setup) -> Newborn {
    let mut env = Env::new(SetClock::at(0), SeededRandomness::new(seed, &format!("phone {number}")));
    if !setup.is_exhaustive {
        env = env.dangerous_without_padding();
    }
    for rule in &setup.without {
        env = env.dangerous_without(*rule);
    }
    let (signer, receiving) = (SigningKey::make(&env), Seed::make(&env));
    let public = ReceivingKey::from_seed(receiving.expose()).public_key().expect("a receiving key");
    let keys = DeviceKeys { signing: *signer.verifying_key().as_bytes(), receiving: public.as_bytes().to_vec() };
    Newborn { env, signer, receiving, keys }
}

fn phone(number: usize, env: Env, keyring: Keyring, member: MemberId, host: usize) -> Phone {
    Phone {
        number,
        env,
        keyring,
        member,
        host,
        shelf: super::shelf::Shelf::default(),
        tombstones: BTreeMap::new(),
        is_lost: false,
        last_day: 0,
        away_until: 0,
        seen: BTreeSet::new(),
        closed: Vec::new(),
        outbox: Vec::new(),
        pushed_operations: BTreeSet::new(),
        asked_on: None,
        pushed_frontier: Vec::new(),
        owes_page: false,
        owes_new_store_key: false,
        stored: super::thief::Loot::default(),
        flash: super::thief::Loot::default(),
        ever: super::thief::Loot::default(),
        claims: BTreeMap::new(),
        judged: (0, 0, 0),
    }
}

impl World {
    /// A team of some phones on its first day.
    pub fn found(seed: u64, setup: &Setup) -> Self {
        let mut dice = Dice::new(seed);
        let Newborn { env, signer, receiving, keys } = newborn(seed, 0, setup);
        let reseat = SigningKey::make(&env);
        let member = MemberId::from_bytes(env.random());
        let day = ShiftDay::from_days(20_000);
        let charter = Charter { absence_limit_days: ABSENCE_DAYS, ..Charter::strictest("UTC", day) };
        let action = Action::Found { member, device: keys, charter, reseat: *reseat.verifying_key().as_bytes(), salt: env.random() };
        let founding = Operation::write(&signer, None, Vec::new(), day, action);
        let keyring = Keyring::found(&env, signer, receiving, founding).expect("a team");
        let subjects = (0..3).map(|_| RecordId::from_bytes(env.random())).collect();
        let wanted = match dice.below(10) {
            0..=5 => 3,
            6..=8 => 4,
            _ => 6,
        };
        let mut world = Self {
            dice,
            phones: vec![phone(0, env, keyring, member, 0)],
            traffic: super::traffic::Traffic::default(),
            relay: Vec::new(),
            lost: BTreeSet::new(),
            packs: Vec::new(),
            thief: super::thief::Thief::new(setup.is_exhaustive),
            day: 0,
            is_calm: setup.is_calm,
            is_ending: false,
            subjects,
            erased: BTreeMap::new(),
            silent_at: BTreeMap::new(),
            reinstated: BTreeSet::new(),
            reseat,
            trace: setup.is_traced.then(Vec::new),
            outcome: Outcome { histories: 1, ..Outcome::default() },
        };
        world.refresh(0);
        while world.phones.len() < wanted {
            world.admit(seed, 0, setup, None, None);
        }
        for number in 0..world.phones.len() {
            world.exchange(number, true);
        }
        world
    }

    /// In some histories there is a board phone, and a recovery key on paper. The thief has the paper.
    pub fn set_up_recovery(&mut self, seed: u64, setup: &Setup) {
        if !seed.is_multiple_of(RECOVERY_EVERY) {
            return;
        }
        self.admit(seed, 0, setup, Some(Role::Board), None);
        let paper = ReceivingKey::make(&self.phones[0].env);
        let key = paper.public_key().ok().map(|key| key.as_bytes().to_vec());
        self.thief.paper = (!setup.is_without_paper).then_some(paper);
        self.operate(0, Action::SetRecovery { key, threshold: 2, shares: 3 });
        self.start(0);
        for number in 0..self.phones.len() {
            self.exchange(number, true);
        }
    }

    /// Somebody joins in person; perhaps by an invitation that was shown to somebody else as well.
    pub fn admit(&mut self, seed: u64, host: usize, setup: &Setup, role: Option<Role>, again: Option<[u8; 16]>) -> Option<[u8; 16]> {
        let number = self.phones.len();
        let Newborn { env, signer, receiving, keys } = newborn(seed, number, setup);
        // now and then another phone of somebody who is there
        let another = (role.is_none() && self.dice.chance(20)).then(|| self.phones[self.dice.below(number)].member);
        let member = another.unwrap_or_else(|| MemberId::from_bytes(env.random()));
        let role = role.unwrap_or_else(|| if self.dice.chance(40) { Role::Steward } else { Role::Worker });
        let public = ReceivingKey::from_seed(receiving.expose()).public_key().expect("a receiving key");
        let invitation = again.unwrap_or(env.random());
        self.operate(host, Action::Admit { member, device: keys, role, invitation })?;
        let turn = self.usable(host)?;
        let keyring = &self.phones[host].keyring;
        let role = keyring.log().state().device_role(signer.verifying_key().device_id()).unwrap_or(role);
        let bytes = keyring.box_to(&public, role).ok()?;
        let operations: Vec<Operation> = keyring.log().operations().cloned().collect();
        let frontiers: Vec<_> = keyring.frontiers().values().map(|known| (known.frontier.clone(), known.receiving.clone())).collect();
        let earlier: Vec<_> = keyring.remembered().iter().map(|known| known.turn).collect();
        let acquaintances = keyring.acquaint(&earlier, &public).ok()?;
        let parcel = self.send_announcement(host, bytes, turn, Some(super::thief::short(&receiving_hash(public.as_bytes()))));
        let Parcel::Announcement(bytes) = &self.traffic.sent[parcel].parcel else { return None };
        let mut keyring = Keyring::join(&env, self.team(), signer, receiving.clone(), operations, bytes, &frontiers).ok()?;
        keyring.take_acquaintances(&receiving, &acquaintances).ok()?;
        self.phones.push(phone(number, env, keyring, member, host));
        // its host heard of it
        self.phones[number].last_day = self.day;
        self.phones[host].owes_page = true;
        self.apply(number);
        self.refresh(number);
        self.note(|_| format!("{host} admits {number}"));
        if self.dice.chance(60) {
            self.meet(number, host, 5);
        } else {
            self.end(number);
        }
        Some(invitation)
    }

    /// Another steward, who has not heard of it, lets somebody in by the same invitation.
    fn admit_rival(&mut self, seed: u64, setup: &Setup, invitation: [u8; 16]) {
        let lets_in = |number: &usize| {
            let keyring = &self.phones[*number].keyring;
            keyring.role() == Some(Role::Steward) && !keyring.log().state().invitations.contains(&invitation)
        };
        let hosts: Vec<usize> = self.present().into_iter().filter(lets_in).collect();
        if let Some(host) = self.dice.pick(&hosts) {
            self.admit(seed, host, setup, None, Some(invitation));
        }
    }

    fn cut_of(&self, number: usize, device: DeviceId) -> Cut {
        let chain = self.phones[number].shelf.chains.get(&device);
        let sequence = chain.map_or(0, super::shelf::contiguous);
        Cut { device, sequence, body: chain.and_then(|chain| chain.get(&sequence)).copied() }
    }

    fn cuts_of(&self, number: usize, member: MemberId) -> Vec<Cut> {
        let devices = &self.phones[number].keyring.log().state().devices;
        devices.iter().filter(|(_, device)| device.member == member).map(|(id, _)| self.cut_of(number, *id)).collect()
    }

    fn write(&mut self, number: usize, record: RecordId, subject: Option<RecordId>) {
        let (today, banned) = (self.today(), Rc::new(engine::banned(&self.phones[number].keyring)));
        let phone = &mut self.phones[number];
        let body = phone.shelf.write(&phone.env, &phone.keyring, &mut self.traffic, &banned, (record, subject, today));
        self.note(|_| format!("{number} writes {record} {body:?}"));
    }

    pub(super) fn erase(&mut self, number: usize, erasure: &Erasure) {
        let env = self.phones[number].env.clone();
        let Ok(action) = tombstone::write(&env, erasure) else { return };
        let Some(tombstone) = Tombstone::of(&action) else { return };
        // the control looks before anything is destroyed
        let before = self.phones[number].keyring.log().heads();
        let probe = Tombstone::of(&action);
        let was_open = probe.is_some_and(|probe| self.is_open(&probe));
        if let Some(operation) = self.operate(number, action) {
            self.note(|_| format!("{number} erases {erasure:?} as {operation} after {before:?}"));
            self.note_erasure(operation, tombstone, was_open);
        }
    }

    /// One act of one phone. Returns the phones that it touched.
    pub fn act(&mut self, seed: u64, setup: &Setup) -> Vec<usize> {
        if self.dice.chance(10)
            && let Some(board) = self.dice.pick(&self.boards())
        {
            self.exchange(board, true);
            return vec![board];
        }
        let ready: Vec<usize> = self.present().into_iter().filter(|number| self.phones[*number].away_until <= self.day).collect();
        let Some(number) = self.dice.pick(&ready) else {
            self.day += 1;
            return Vec::new();
        };
        let others: Vec<usize> = ready.iter().copied().filter(|other| *other != number).collect();
        let records: Vec<RecordId> = self.phones[number].shelf.items.keys().copied().collect();
        let role = self.phones[number].keyring.role();
        let is_steward = role == Some(Role::Steward);
        match self.dice.below(1_000) {
            0..=349 => {
                let is_full = self.dice.chance(45);
                self.exchange(number, is_full);
            }
            350..=469 => {
                if let Some(other) = self.dice.pick(&others) {
                    let steps = if self.dice.chance(80) { 5 } else { self.dice.between(1, 4) };
                    self.meet(number, other, steps);
                    return vec![number, other];
                }
            }
            470..=589 => {
                let subject = if self.dice.chance(70) { self.dice.pick(&self.subjects.clone()) } else { None };
                let record = RecordId::from_bytes(self.phones[number].env.random());
                let erased = subject
                    .is_some_and(|subject| self.phones[number].tombstones.values().any(|tombstone| tombstone.erases_subject(&subject)));
                self.write(number, record, subject.filter(|_| !erased));
            }
            590..=659 => {
                if let Some(record) = self.dice.pick(&records) {
                    self.write(number, record, None);
                }
            }
            660..=689 => {
                if let Some(record) = self.dice.pick(&records) {
                    let bodies: Vec<_> = self.phones[number].shelf.items[&record].bodies.iter().copied().collect();
                    bodies.iter().for_each(|body| {
                        self.phones[number].shelf.relayed.remove(body);
                    });
                }
            }
            690..=729 => {
                self.start(number);
            }
            730..=799 => {
                if let Some(record) = self.dice.pick(&records) {
                    self.erase(number, &Erasure::Records(vec![record]));
                }
            }
            800..=819 => {
                if let Some(subject) = self.dice.pick(&self.subjects.clone()) {
                    self.erase(number, &Erasure::Subject(subject));
                }
            }
            820..=859 => self.ban(number, is_steward),
            860..=879 if is_steward && self.phones.len() < 8 => {
                let before = self.phones.len();
                let invitation = self.admit(seed, number, setup, None, None);
                if let Some(invitation) = invitation.filter(|_| setup.has_rivals) {
                    self.admit_rival(seed, setup, invitation);
                    return (0..self.phones.len()).collect();
                }
                return (before..self.phones.len()).chain([number]).collect();
            }
            880..=894 => self.sign_second(number),
            895..=909 => self.make_pack(number),
            910..=929 if !self.packs.is_empty() => self.take_pack(number),
            930..=937 if self.present().len() > 3 => {
                self.phones[number].is_lost = true;
                self.note(|_| format!("{number} is lost"));
            }
            938..=952 => {
                self.phones[number].away_until = self.day + u16::try_from(self.dice.between(2, 12)).unwrap_or(2);
            }
            953..=989 => self.day += 1,
            990..=994 => self.day += u16::try_from(self.dice.between(2, 7)).unwrap_or(2),
            _ => self.reseat(number),
        }
        vec![number]
    }

    /// A removal, a suspension, a demotion, or their end.
    fn ban(&mut self, number: usize, is_steward: bool) {
        let state = self.phones[number].keyring.log().state().clone();
        let me = self.phones[number].device();
        let (own, others): (Vec<_>, Vec<_>) =
            state.devices.iter().filter(|(id, _)| **id != me).partition(|(_, device)| device.member == self.phones[number].member);
        let lost: Vec<DeviceId> = self.phones.iter().filter(|phone| phone.is_lost).map(Phone::device).collect();
        let candidates = if is_steward && !others.is_empty() { others } else { own };
        // who was lost is removed before anybody else, mostly
        let gone: Vec<_> =
            candidates.iter().copied().filter(|(id, device)| lost.contains(id) && device.standing == Standing::Active).collect();
        let from = if gone.is_empty() || self.dice.chance(30) { candidates } else { gone };
        let Some((device, known)) = self.dice.pick(&from) else { return };
        let (device, member) = (*device, known.member);
        let active = state.active().filter(|(_, _, role)| role.reads_records()).count();
        let action = match self.dice.below(10) {
            0..=4 if active > 2 => Action::RemoveDevice { cut: self.cut_of(number, device) },
            5..=6 if is_steward && active > 3 => Action::RemoveMember { member, cuts: self.cuts_of(number, member) },
            7 if is_steward && active > 3 => Action::Suspend { member, cuts: self.cuts_of(number, member) },
            8 if is_steward && active > 3 => Action::ChangeRole { member, role: Role::Board, cuts: self.cuts_of(number, member) },
            _ if is_steward => {
                let suspended = state.members.iter().find(|(_, member)| member.standing == Standing::Suspended);
                let Some((member, _)) = suspended else { return };
                Action::Reinstate { member: *member }
            }
            _ => return,
        };
        let written = self.operate(number, action.clone());
        self.note_reinstated(number);
        self.note(|world| {
            format!("{number} bans {:?}: {action:?} {written:?}", world.phones.iter().position(|phone| phone.device() == device))
        });
    }

    /// A second member's signature under what waits for one.
    fn sign_second(&mut self, number: usize) {
        let me = self.phones[number].device();
        let log = self.phones[number].keyring.log();
        let waits = log.operations().filter(|operation| {
            operation.author() != me
                && matches!(operation.action(), Action::RemoveMember { .. } | Action::Tombstone { .. } | Action::Reinstate { .. })
        });
        let waits: Vec<_> = waits.map(Operation::id).collect();
        if let Some(operation) = self.dice.pick(&waits) {
            self.operate(number, Action::Countersign { operation });
            self.note_reinstated(number);
        }
    }

    /// Whoever is let back in is given what was written meanwhile: from here on it is no theft that they read it.
    fn note_reinstated(&mut self, number: usize) {
        let log = self.phones[number].keyring.log();
        let state = log.state();
        let back = log.operations().filter_map(|operation| match operation.action() {
            Action::Reinstate { member } if state.members.get(member)?.standing == Standing::Active => Some((operation.id(), *member)),
            _ => None,
        });
        let back: Vec<(OperationId, MemberId)> = back.filter(|(operation, _)| !self.reinstated.contains(operation)).collect();
        for (operation, member) in back {
            let devices = self.phones.iter().filter(|phone| phone.member == member).map(Phone::device).collect();
            self.traffic.let_back_in(&devices);
            self.reinstated.insert(operation);
        }
    }

    /// The paper key removes a lost phone and seats whoever holds the paper.
    fn reseat(&mut self, number: usize) {
        let lost: Vec<DeviceId> = self.phones.iter().filter(|phone| phone.is_lost).map(Phone::device).collect();
        let remove: Vec<Cut> = lost.iter().map(|device| self.cut_of(number, *device)).take(1).collect();
        let action = Action::Reseat { remove, steward: Some(self.phones[number].member), device: None, control: None, next: None };
        let heads = self.phones[number].keyring.log().heads();
        let operation = Operation::write(&self.reseat, Some(self.team()), heads, self.today(), action);
        self.merge(number, &[operation.to_bytes()]);
        self.phones[number].pushed_operations.remove(&operation.id());
        self.note(|_| format!("{number} uses the reseat key"));
    }
}
