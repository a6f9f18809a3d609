//! The ledger: which bodies this store knows, in signed-day order, and how far each author's chain is known.
//!
//! ```text
//! segment = value "ledger" under the store's values key: 87 bytes a line
//! line    = day (2) ‖ body id (32) ‖ place (16) ‖ device (16) ‖ sequence (4) ‖ flags (1) ‖ row name (16)
//! ```
//!
//! It is sealed, because days and authors are nobody's business while the store is locked, and read only
//! when something leaves or arrives. A refused body keeps its line, so that it is never fetched again.

use super::index::Place;
use super::root::{open_value, seal_value};
use crate::crypto::RootKey;
use crate::env::Env;
use crate::error::Error;
use crate::storage::{Reader, Transaction};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{BodyId, DeviceId, RecordId, RowName};
use std::collections::{BTreeMap, BTreeSet};

const LINE_BYTES: usize = 2 + 32 + 16 + 16 + 4 + 1 + 16;
const SEGMENT_LINES_COUNT: usize = 128;
const NAME: &str = "ledger";

const RELAYED: u8 = 1;
const ABSENT: u8 = 2;
/// Absent because its time was over: what else arrives at its place comes too late.
const EXPIRED: u8 = 4;

/// The place of what was erased.
const NOWHERE: Place = RecordId::from_bytes([0; 16]);

/// One body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub day: ShiftDay,
    pub body: BodyId,
    pub place: Place,
    pub device: DeviceId,
    pub sequence: u32,
    flags: u8,
    /// The row that carries it at the relay; of several, the smallest. Zero: none is known.
    row: [u8; 16],
}

impl Line {
    pub(super) const fn new(day: ShiftDay, body: BodyId, place: Place, device: DeviceId, sequence: u32) -> Self {
        Self { day, body, place, device, sequence, flags: 0, row: [0; 16] }
    }
    /// A body that was refused: known, not here.
    pub(super) const fn refused(mut self) -> Self {
        self.flags |= ABSENT;
        self
    }
    /// A body of something erased: that it existed stays in its author's chain, where it lay and when does not.
    pub(super) const fn erased(mut self) -> Self {
        self.flags = ABSENT;
        self.place = NOWHERE;
        self.day = ShiftDay::from_days(0);
        self
    }
    /// A body whose time is over.
    pub(super) const fn expired(mut self) -> Self {
        self.flags = ABSENT | EXPIRED;
        self
    }
    pub(super) const fn is_expired(&self) -> bool {
        self.flags & EXPIRED != 0
    }
    pub(super) const fn is_here(&self) -> bool {
        self.flags & ABSENT == 0
    }
    pub(super) const fn is_relayed(&self) -> bool {
        self.flags & RELAYED != 0
    }

    /// The row that carries it at the relay, as far as known.
    pub(super) fn row(&self) -> Option<RowName> {
        (self.row != [0; 16]).then_some(RowName::from_bytes(self.row))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.day.days().to_le_bytes());
        out.extend_from_slice(self.body.as_bytes());
        out.extend_from_slice(self.place.as_bytes());
        out.extend_from_slice(self.device.as_bytes());
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.push(self.flags);
        out.extend_from_slice(&self.row);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (day, rest) = bytes.split_first_chunk::<2>()?;
        let (body, rest) = rest.split_first_chunk::<32>()?;
        let (place, rest) = rest.split_first_chunk::<16>()?;
        let (device, rest) = rest.split_first_chunk::<16>()?;
        let (sequence, rest) = rest.split_first_chunk::<4>()?;
        let ([flags], rest) = rest.split_first_chunk::<1>()?;
        let row = rest.try_into().ok()?;
        Some(Self {
            day: ShiftDay::from_days(u16::from_le_bytes(*day)),
            body: BodyId::from_bytes(*body),
            place: RecordId::from_bytes(*place),
            device: DeviceId::from_bytes(*device),
            sequence: u32::from_le_bytes(*sequence),
            flags: *flags,
            row,
        })
    }
}

/// How far an author's chain is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Chain {
    /// Highest sequence without a gap below it.
    pub contiguous: u32,
    /// All bodies by sequence; more than one is a copied phone.
    pub bodies: BTreeMap<u32, Vec<BodyId>>,
    /// Kept while lines come in: looking for it would walk the whole chain at each.
    forked: bool,
}

impl Chain {
    /// The body at the contiguous head.
    pub(super) fn head(&self) -> Option<BodyId> {
        self.bodies.get(&self.contiguous).and_then(|bodies| bodies.first()).copied()
    }
    /// Whether two bodies claim one place.
    pub(super) const fn is_forked(&self) -> bool {
        self.forked
    }
}

/// All lines.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    segments: Vec<Vec<Line>>,
    at: BTreeMap<BodyId, (usize, usize)>,
    by_day: BTreeSet<(ShiftDay, BodyId)>,
    chains: BTreeMap<DeviceId, Chain>,
    /// Places whose time is over.
    over: BTreeSet<Place>,
    dirty: BTreeSet<usize>,
}

impl Ledger {
    /// Reads all segments.
    pub(super) fn load(reader: &Reader<'_>, key: &RootKey) -> Result<Self, Error> {
        let mut ledger = Self::default();
        let mut sealed = BTreeMap::new();
        reader.for_each_segment::<Error>(|number, bytes| {
            sealed.insert(number, open_value(key, NAME, &number.to_le_bytes(), bytes)?);
            Ok(())
        })?;
        for (_, plain) in sealed {
            for line in plain.chunks(LINE_BYTES) {
                ledger.append(Line::read(line).ok_or(Error::Damaged)?);
            }
        }
        ledger.dirty.clear();
        Ok(ledger)
    }

    /// Adds a line; false if the body is known.
    pub(super) fn append(&mut self, line: Line) -> bool {
        if self.at.contains_key(&line.body) {
            return false;
        }
        if self.segments.last().is_none_or(|segment| segment.len() >= SEGMENT_LINES_COUNT) {
            self.segments.push(Vec::with_capacity(SEGMENT_LINES_COUNT));
        }
        let segment = self.segments.len() - 1;
        if let Some(lines) = self.segments.last_mut() {
            self.at.insert(line.body, (segment, lines.len()));
            lines.push(line);
        }
        self.dirty.insert(segment);
        self.by_day.insert((line.day, line.body));
        if line.is_expired() {
            self.over.insert(line.place);
        }
        let chain = self.chains.entry(line.device).or_default();
        let bodies = chain.bodies.entry(line.sequence).or_default();
        bodies.push(line.body);
        bodies.sort_unstable();
        chain.forked |= bodies.len() > 1;
        while chain.bodies.contains_key(&(chain.contiguous.saturating_add(1))) {
            chain.contiguous += 1;
        }
        true
    }

    /// Strikes every body of some places: erased, or over.
    pub(super) fn strike(&mut self, places: &BTreeSet<Place>, is_over: bool) {
        for (segment, lines) in self.segments.iter_mut().enumerate() {
            for line in lines.iter_mut().filter(|line| places.contains(&line.place)) {
                self.by_day.remove(&(line.day, line.body));
                if is_over {
                    self.over.insert(line.place);
                    *line = line.expired();
                } else {
                    *line = line.erased();
                }
                self.by_day.insert((line.day, line.body));
                self.dirty.insert(segment);
            }
        }
    }

    /// Whether what lay at a place was destroyed because its time was over.
    pub(super) fn is_over(&self, place: &Place) -> bool {
        self.over.contains(place)
    }

    /// Notes that the relay holds a body, or (after a change of relay) no longer.
    pub(super) fn mark_relayed(&mut self, body: &BodyId, relayed: bool) {
        let Some((segment, index)) = self.at.get(body).copied() else { return };
        if let Some(line) = self.segments.get_mut(segment).and_then(|lines| lines.get_mut(index))
            && line.is_relayed() != relayed
        {
            line.flags ^= RELAYED;
            self.dirty.insert(segment);
        }
    }

    /// Notes a row of a body at the relay. Returns the one that is not needed beside it: every phone keeps the smallest of
    /// those it knows, so that no two of them give up each other's.
    pub(super) fn note_row(&mut self, body: &BodyId, row: RowName) -> Option<RowName> {
        let (segment, index) = self.at.get(body).copied()?;
        let line = self.segments.get_mut(segment).and_then(|lines| lines.get_mut(index))?;
        let known = line.row();
        if known.is_some_and(|known| known <= row) {
            return known.filter(|known| *known != row).map(|_| row);
        }
        line.row = *row.as_bytes();
        self.dirty.insert(segment);
        known
    }
    /// Forgets all rows: another relay.
    pub(super) fn forget_rows(&mut self) {
        for (segment, lines) in self.segments.iter_mut().enumerate() {
            lines.iter_mut().for_each(|line| line.row = [0; 16]);
            self.dirty.insert(segment);
        }
    }

    /// Stores what has changed.
    pub(super) fn save(&mut self, env: &Env, tx: &Transaction<'_>, key: &RootKey) -> Result<(), Error> {
        for number in std::mem::take(&mut self.dirty) {
            let Some(lines) = self.segments.get(number) else { continue };
            let mut plain = Vec::with_capacity(lines.len() * LINE_BYTES);
            lines.iter().for_each(|line| line.write(&mut plain));
            let segment = u32::try_from(number).map_err(|_| Error::TooMany)?;
            tx.put_segment(segment, &seal_value(env, key, NAME, &segment.to_le_bytes(), &plain)?)?;
        }
        Ok(())
    }

    /// A body's line.
    pub(super) fn line(&self, body: &BodyId) -> Option<&Line> {
        let (segment, index) = *self.at.get(body)?;
        self.segments.get(segment)?.get(index)
    }
    /// All lines, by signed day and body id.
    pub(super) fn by_day(&self) -> impl Iterator<Item = &(ShiftDay, BodyId)> {
        self.by_day.iter()
    }
    /// All lines in the order in which they came.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.segments.iter().flatten()
    }
    /// Those of some bodies that are here, in the order in which they came: parents before children.
    pub(super) fn arranged(&self, bodies: &[BodyId]) -> Vec<BodyId> {
        let mut at: Vec<((usize, usize), BodyId)> = bodies.iter().filter_map(|id| self.at.get(id).map(|at| (*at, *id))).collect();
        at.sort_unstable();
        at.dedup();
        at.into_iter().map(|(_, id)| id).filter(|id| self.line(id).is_some_and(Line::is_here)).collect()
    }
    /// All chains.
    pub(super) const fn chains(&self) -> &BTreeMap<DeviceId, Chain> {
        &self.chains
    }
    /// One author's chain.
    pub(super) fn chain(&self, device: &DeviceId) -> Option<&Chain> {
        self.chains.get(device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: u8, sequence: u32) -> Line {
        Line::new(
            ShiftDay::from_days(100),
            BodyId::from_bytes([n; 32]),
            RecordId::from_bytes([n; 16]),
            DeviceId::from_bytes([1; 16]),
            sequence,
        )
    }

    #[test]
    fn a_chain_ends_at_its_first_gap() {
        let mut ledger = Ledger::default();
        for (n, sequence) in [(1, 1), (2, 2), (4, 4)] {
            assert!(ledger.append(line(n, sequence)));
        }
        let device = DeviceId::from_bytes([1; 16]);
        assert_eq!(ledger.chain(&device).map(|chain| chain.contiguous), Some(2));
        assert!(ledger.append(line(3, 3)));
        assert!(!ledger.append(line(3, 3)));
        assert_eq!(ledger.chain(&device).map(|chain| chain.contiguous), Some(4));
        assert!(!ledger.chain(&device).is_some_and(Chain::is_forked));
        assert!(ledger.append(line(9, 3)));
        assert!(ledger.chain(&device).is_some_and(Chain::is_forked));
    }
}
