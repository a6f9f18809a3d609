//! The order of a day's rows, in memory only.
//!
//! A stored sequence would show which rows one phone pushed together, so the disk keeps none. While a day
//! runs, the order of arrival lives here, so that "what came after my cursor" costs nothing. A restart
//! forgets it and starts again from the row-id order that the disk has; a day that closed is always in
//! row-id order. Both are a [`DayOrder`]; a cursor made in an order that is gone is simply unknown.

use satchel_wire::{DayFingerprint, Lane, RowId};
use std::collections::HashMap;

/// Which rows of a mailbox a reader sees; each view has its own fingerprints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// All lanes.
    All,
    /// One lane.
    Only(Lane),
}

impl View {
    const EVERY: [Self; 4] = [Self::All, Self::Only(Lane::Announce), Self::Only(Lane::Commons), Self::Only(Lane::Records)];

    /// Whether a row of `lane` is seen.
    pub fn sees(self, lane: Lane) -> bool {
        match self {
            Self::All => true,
            Self::Only(only) => only == lane,
        }
    }
    /// The lane, unless all are seen.
    pub const fn lane(self) -> Option<Lane> {
        match self {
            Self::All => None,
            Self::Only(lane) => Some(lane),
        }
    }
    const fn index(self) -> usize {
        match self {
            Self::All => 0,
            Self::Only(lane) => lane.byte() as usize,
        }
    }
}

/// What is known of a row without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowHead {
    /// Its id.
    pub id: RowId,
    /// Its lane.
    pub lane: Lane,
}

/// One view's rows in order, with the fingerprint after each of them.
#[derive(Debug)]
struct Track {
    members: Vec<u32>,
    sum: DayFingerprint,
    values: Vec<[u8; 16]>,
    positions: HashMap<[u8; 16], u32>,
}

impl Track {
    fn new() -> Self {
        let sum = DayFingerprint::new();
        Self { members: Vec::new(), sum, values: vec![sum.value()], positions: HashMap::from([(sum.value(), 0)]) }
    }
    fn add(&mut self, place: u32, id: &RowId) {
        self.members.push(place);
        self.sum.add(id);
        let value = self.sum.value();
        self.positions.insert(value, self.values.len() as u32);
        self.values.push(value);
    }
}

/// Rows that follow a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// Their ids, in order.
    pub ids: Vec<RowId>,
    /// The day's fingerprint after each of them.
    pub fingerprints: Vec<[u8; 16]>,
    /// How many more rows follow in this day.
    pub rest: usize,
}

/// The rows of one mailbox and day, in some order, and the fingerprint of every beginning of it.
#[derive(Debug)]
pub struct DayOrder {
    heads: Vec<RowHead>,
    tracks: [Track; 4],
}

impl Default for DayOrder {
    fn default() -> Self {
        Self { heads: Vec::new(), tracks: std::array::from_fn(|_| Track::new()) }
    }
}

impl DayOrder {
    /// Takes rows in the given order; each id occurs once.
    pub fn of(heads: impl IntoIterator<Item = RowHead>) -> Self {
        let mut order = Self::default();
        for head in heads {
            order.append(head);
        }
        order
    }

    /// Adds a row that is not in the order yet.
    pub fn append(&mut self, head: RowHead) {
        let place = self.heads.len() as u32;
        self.heads.push(head);
        for view in View::EVERY.into_iter().filter(|view| view.sees(head.lane)) {
            self.tracks[view.index()].add(place, &head.id);
        }
    }

    /// How many rows there are in all lanes.
    pub fn len(&self) -> usize {
        self.heads.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// How many rows of the view precede the state with this fingerprint; none when no such state was passed.
    pub fn position(&self, view: View, fingerprint: &[u8; 16]) -> Option<usize> {
        self.tracks[view.index()].positions.get(fingerprint).map(|position| *position as usize)
    }

    /// The fingerprint of all rows of the view.
    pub fn fingerprint(&self, view: View) -> [u8; 16] {
        self.tracks[view.index()].sum.value()
    }

    /// How many rows of the view there are.
    pub fn count(&self, view: View) -> usize {
        self.tracks[view.index()].members.len()
    }

    /// At most `count` rows of the view after `position`.
    pub fn slice(&self, view: View, position: usize, count: usize) -> Slice {
        let track = &self.tracks[view.index()];
        let total = track.members.len();
        let from = position.min(total);
        let to = from.saturating_add(count).min(total);
        Slice {
            ids: track.members[from..to].iter().map(|place| self.heads[*place as usize].id).collect(),
            fingerprints: track.values[from + 1..to + 1].to_vec(),
            rest: total - to,
        }
    }

    /// Ids of all rows in all lanes after `position`.
    pub fn ids_after(&self, position: usize) -> impl Iterator<Item = &RowId> {
        self.heads.iter().skip(position).map(|head| &head.id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn head(n: u8) -> RowHead {
        RowHead { id: RowId::of(&[n]), lane: if n.is_multiple_of(3) { Lane::Announce } else { Lane::Records } }
    }

    #[test]
    fn every_state_that_was_passed_is_found_again_and_no_other() {
        let order = DayOrder::of((0..30).map(head));
        for view in [View::All, View::Only(Lane::Announce)] {
            let mut seen = DayFingerprint::new();
            let mut position = 0;
            assert_eq!(order.position(view, &seen.value()), Some(0));
            for head in (0..30).map(head).filter(|head| view.sees(head.lane)) {
                seen.add(&head.id);
                position += 1;
                assert_eq!(order.position(view, &seen.value()), Some(position));
            }
            assert_eq!(order.fingerprint(view), seen.value());
            assert_eq!(order.count(view), position);
        }
        let skipped = DayFingerprint::of([&head(1).id, &head(2).id]);
        assert_eq!(order.position(View::All, &skipped.value()), None);
    }

    #[test]
    fn slices_join_without_gap() {
        let order = DayOrder::of((0..30).map(head));
        let view = View::Only(Lane::Records);
        let mut position = 0;
        let mut ids = Vec::new();
        loop {
            let slice = order.slice(view, position, 7);
            ids.extend(slice.ids.iter().copied());
            position += slice.ids.len();
            if let Some(last) = slice.fingerprints.last() {
                assert_eq!(order.position(view, last), Some(position));
            }
            if slice.rest == 0 {
                break;
            }
        }
        let expected: Vec<_> = (0..30).map(head).filter(|head| view.sees(head.lane)).map(|head| head.id).collect();
        assert_eq!(ids, expected);
        assert_eq!(order.slice(view, 99, 7).ids, Vec::new());
    }
}
