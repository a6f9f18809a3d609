//! Operations that cannot be judged yet: a parent is missing, or a later version wrote them. Bounded, and fair: who
//! floods, loses the flood. The signature of an unknown author cannot be checked, and a flood can name many such
//! authors, so that these share one room, apart from the authors that are known here.

use super::operation::Operation;
use crate::crypto;
use satchel_wire::ids::{DeviceId, OperationId};
use satchel_wire::limits::HELD_PER_AUTHOR_MAX_COUNT;
use std::collections::BTreeMap;

/// Held operations of all known authors together, and again of all others (count).
pub const HELD_OPERATIONS_MAX_COUNT: usize = 4 * HELD_PER_AUTHOR_MAX_COUNT;

/// An operation that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldOperation<'a> {
    /// Its id; none if only a later version can read it.
    pub id: Option<OperationId>,
    /// Who claims to have written it.
    pub author: Option<DeviceId>,
    /// Its parents; empty if only a later version can read it.
    pub parents: &'a [OperationId],
    /// The bytes as they came.
    pub bytes: &'a [u8],
}

/// Whose room an operation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Room {
    Known(DeviceId),
    Unknown(DeviceId),
    Newer,
}

impl Room {
    const fn is_known(self) -> bool {
        matches!(self, Self::Known(_))
    }
}

#[derive(Debug, Clone)]
struct Kept {
    room: Room,
    operation: Option<Operation>,
    bytes: Vec<u8>,
}

/// All that waits, by id (of what a later version wrote: by the hash of the bytes).
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    kept: BTreeMap<OperationId, Kept>,
}

impl Held {
    pub(super) fn hold(&mut self, operation: Operation, is_known: bool) {
        let author = operation.author();
        let room = if is_known { Room::Known(author) } else { Room::Unknown(author) };
        let kept = Kept { room, bytes: operation.to_bytes(), operation: Some(operation) };
        if let Some(id) = kept.operation.as_ref().map(Operation::id) {
            self.keep(id, kept);
        }
    }

    pub(super) fn hold_newer(&mut self, bytes: &[u8]) {
        let id = OperationId::from_bytes(crypto::derive_hash(crypto::labels::OPERATION_ID, &[bytes]));
        self.keep(id, Kept { room: Room::Newer, operation: None, bytes: bytes.to_vec() });
    }

    fn keep(&mut self, id: OperationId, kept: Kept) {
        let is_known = kept.room.is_known();
        self.kept.insert(id, kept);
        let mut rooms: BTreeMap<Room, usize> = BTreeMap::new();
        for other in self.kept.values().filter(|other| other.room.is_known() == is_known) {
            *rooms.entry(other.room).or_default() += 1;
        }
        let total: usize = rooms.values().sum();
        let fullest = rooms.into_iter().max_by_key(|(_, count)| *count);
        let Some((room, count)) = fullest else { return };
        if count > HELD_PER_AUTHOR_MAX_COUNT || total > HELD_OPERATIONS_MAX_COUNT {
            // which one goes does not follow from the order of arrival
            let largest = self.kept.iter().rev().find(|(_, other)| other.room == room).map(|(id, _)| *id);
            largest.and_then(|id| self.kept.remove(&id));
        }
    }

    pub(super) fn take(&mut self, id: &OperationId) -> Option<Operation> {
        self.kept.get(id)?.operation.as_ref()?;
        self.kept.remove(id)?.operation
    }

    pub(super) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.kept.values().filter_map(|kept| kept.operation.as_ref())
    }

    /// Parents of what waits that do not wait themselves.
    pub(super) fn wanted(&self) -> impl Iterator<Item = OperationId> {
        let parents = self.operations().flat_map(|operation| operation.parents().iter().copied());
        parents.filter(|parent| !self.kept.contains_key(parent))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = HeldOperation<'_>> {
        self.kept.values().map(|kept| HeldOperation {
            id: kept.operation.as_ref().map(Operation::id),
            author: kept.operation.as_ref().map(Operation::author),
            parents: kept.operation.as_ref().map_or(&[], Operation::parents),
            bytes: &kept.bytes,
        })
    }
}
