//! Every byte that ever left a phone, and what only the simulator knows of it.

use satchel_core::envelope::Binding;
use satchel_wire::ids::{BodyId, DeviceId, RecordId, TurnId};
use satchel_wire::row::Row;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// One line of a key page: what a record's bodies open with, wrapped under the turn's records lane key.
#[derive(Debug)]
pub struct PageLine {
    /// What the key belongs to.
    pub binding: Binding,
    /// The wrapped record key.
    pub wrapped: Vec<u8>,
    /// Bodies that it opens.
    pub bodies: Vec<BodyId>,
}

/// What travels.
#[derive(Debug, Clone)]
pub enum Parcel {
    /// A turn in boxes.
    Announcement(Rc<Vec<u8>>),
    /// Operations and frontiers, under a turn's commons.
    Notice(Rc<Row>),
    /// A covered body.
    Record(Rc<Row>),
    /// Record keys for whoever holds the turn but not the keys.
    Page(Rc<Vec<PageLine>>),
}

/// A parcel, who sent it, and what the sender knew then.
#[derive(Debug)]
pub struct Sent {
    /// What left.
    pub parcel: Parcel,
    /// The phone that sent it.
    pub by: usize,
    /// The turn it is sealed under, as the sender says; the thief's decryption must agree.
    pub under: Option<TurnId>,
    /// First 8 bytes of the hashes of the receiving keys that a box in it is for.
    pub keys: Vec<[u8; 8]>,
    /// Devices that had been silent for too long when its boxes were sealed.
    pub silent: BTreeSet<DeviceId>,
    /// Devices that the sender knew to be without access to records.
    pub banned: Rc<BTreeSet<DeviceId>>,
}

/// One body, when it was sealed.
#[derive(Debug)]
pub struct Sealed {
    /// What it belongs to.
    pub binding: Binding,
    /// Its bytes.
    pub bytes: Rc<Vec<u8>>,
    /// Who wrote it.
    pub by: DeviceId,
    /// Its place in the author's chain.
    pub sequence: u32,
    /// Devices that its author knew to be without access to records.
    pub banned: Rc<BTreeSet<DeviceId>>,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Parcels in the order in which they left.
    pub sent: Vec<Sent>,
    /// All bodies that were ever sealed.
    pub bodies: BTreeMap<BodyId, Sealed>,
    /// Bodies by record.
    pub of_record: BTreeMap<RecordId, Vec<BodyId>>,
    /// Bodies that left their author's phone by some path.
    pub left: BTreeSet<BodyId>,
}

impl Traffic {
    /// Notes a parcel; its number is the answer.
    pub fn send(&mut self, sent: Sent) -> usize {
        self.sent.push(sent);
        self.sent.len() - 1
    }

    /// Takes devices from the bans of all that was sealed so far: somebody let them in again.
    pub fn let_back_in(&mut self, devices: &BTreeSet<DeviceId>) {
        let bodies = self.bodies.values_mut().map(|body| &mut body.banned);
        for banned in self.sent.iter_mut().map(|sent| &mut sent.banned).chain(bodies) {
            if !banned.is_disjoint(devices) {
                Rc::make_mut(banned).retain(|device| !devices.contains(device));
            }
        }
    }

    /// Notes a body.
    pub fn seal(&mut self, id: BodyId, sealed: Sealed) {
        self.of_record.entry(sealed.binding.record).or_default().push(id);
        self.bodies.insert(id, sealed);
    }
}
