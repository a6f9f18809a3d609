//! The ledger: which bodies this store knows, in signed-day order, and how far each author's chain is known.
//!
//! ```text
//! segment = value "ledger" under the store's values key: 103 bytes a line
//! line    = day (2) ‖ body id (32) ‖ place (16) ‖ device (16) ‖ sequence (4) ‖ flags (1) ‖ row name (16) ‖ previous (16)
//! ```
//!
//! It is sealed, because days and authors are nobody's business while the store is locked, and read only
//! when something leaves or arrives. A refused body keeps its line, so that it is never fetched again.

use super::index::Place;
use super::root::{open_value, seal_value};
use crate::crypto::RootKey;
use crate::env::Env;
use crate::envelope::BodyHeader;
use crate::error::Error;
use crate::storage::{Reader, Transaction};
use crate::team::Cut;
use satchel_wire::ShiftDay;
use satchel_wire::ids::{BodyId, DeviceId, RecordId, RowName};
use std::collections::{BTreeMap, BTreeSet};

const LINE_BYTES: usize = 2 + 32 + 16 + 16 + 4 + 1 + 16 + 16;
const SEGMENT_LINES_COUNT: usize = 128;
const NAME: &str = "ledger";

const RELAYED: u8 = 1;
const ABSENT: u8 = 2;
/// Absent because its time was over: what else arrives at its place comes too late.
const EXPIRED: u8 = 4;

/// The place of what was erased.
const NOWHERE: Place = RecordId::from_bytes([0; 16]);

/// Where a body stands in its author's chain, by its author's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub device: DeviceId,
    pub sequence: u32,
    /// First 16 bytes of the id of the body before it; zero in the first.
    pub previous: [u8; 16],
}

impl Link {
    pub(super) const fn of(header: &BodyHeader) -> Self {
        Self { device: header.device, sequence: header.sequence, previous: header.previous }
    }
}

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
    previous: [u8; 16],
}

impl Line {
    pub(super) const fn new(day: ShiftDay, body: BodyId, place: Place, link: Link) -> Self {
        let Link { device, sequence, previous } = link;
        Self { day, body, place, device, sequence, flags: 0, row: [0; 16], previous }
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
        out.extend_from_slice(&self.previous);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (day, rest) = bytes.split_first_chunk::<2>()?;
        let (body, rest) = rest.split_first_chunk::<32>()?;
        let (place, rest) = rest.split_first_chunk::<16>()?;
        let (device, rest) = rest.split_first_chunk::<16>()?;
        let (sequence, rest) = rest.split_first_chunk::<4>()?;
        let ([flags], rest) = rest.split_first_chunk::<1>()?;
        let (row, rest) = rest.split_first_chunk::<16>()?;
        let previous = rest.try_into().ok()?;
        Some(Self {
            day: ShiftDay::from_days(u16::from_le_bytes(*day)),
            body: BodyId::from_bytes(*body),
            place: RecordId::from_bytes(*place),
            device: DeviceId::from_bytes(*device),
            sequence: u32::from_le_bytes(*sequence),
            flags: *flags,
            row: *row,
            previous,
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
    /// How far down from a cut each link is known: the lowest sequence reached, and the body that its own link names.
    proven: BTreeMap<(DeviceId, u32, BodyId), (u32, [u8; 16])>,
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
    /// Whether a body that is not here may stand in a chain that ends with a cut.
    ///
    /// The cut names its last body, and each body the one before it: as far down as all of them are here, each number is
    /// taken for certain. Right below that the name of the body is known. Further down, past a gap, nothing is: there
    /// the number must be free. A cut without a body names a number alone.
    pub(super) fn leads_to(&mut self, cut: &Cut, sequence: u32, body: &BodyId) -> bool {
        if sequence > cut.sequence {
            return false;
        }
        let device = cut.device;
        let chain = self.chains.get(&device);
        let at = |sequence: u32| chain.and_then(|chain| chain.bodies.get(&sequence)).map_or(&[][..], Vec::as_slice);
        let is_free = at(sequence).is_empty();
        let Some(end) = cut.body else { return is_free };
        let key = (device, cut.sequence, end);
        let (mut lowest, mut named) = self.proven.get(&key).copied().unwrap_or((cut.sequence.saturating_add(1), end.short()));
        while let Some(known) = lowest.checked_sub(1).and_then(|below| at(below).iter().find(|id| id.short() == named)) {
            let Some(line) = self.line(known) else { break };
            (lowest, named) = (line.sequence, line.previous);
        }
        self.proven.insert(key, (lowest, named));
        match lowest.checked_sub(1) {
            Some(next) if sequence == next => body.short() == named,
            Some(next) => sequence < next && is_free,
            None => false,
        }
    }

    /// What is here of a device, and does not stand in the chain that its cut ends.
    pub(super) fn beside(&self, cut: &Cut) -> Vec<BodyId> {
        let mut chain = BTreeSet::new();
        let mut next = cut.body;
        while let Some(id) = next {
            let line = self.line(&id).copied();
            chain.insert(id);
            next = line.and_then(|line| {
                let before = self.chains.get(&cut.device)?.bodies.get(&line.sequence.checked_sub(1)?)?;
                before.iter().find(|before| before.short() == line.previous).copied()
            });
        }
        let of_device = self.lines().filter(|line| line.device == cut.device && line.is_here() && !chain.contains(&line.body));
        of_device.map(|line| line.body).collect()
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
            Link { device: DeviceId::from_bytes([1; 16]), sequence, previous: if sequence == 1 { [0; 16] } else { [n - 1; 16] } },
        )
    }

    #[test]
    fn what_leads_to_a_cut() {
        let id = |n: u8| BodyId::from_bytes([n; 32]);
        let cut = |sequence, body: Option<u8>| Cut { device: DeviceId::from_bytes([1; 16]), sequence, body: body.map(id) };
        let mut ledger = Ledger::default();
        // nothing is here: the end by its name, all below for want of anything better
        assert!(ledger.leads_to(&cut(4, Some(4)), 4, &id(4)));
        assert!(!ledger.leads_to(&cut(4, Some(4)), 4, &id(44)));
        assert!(!ledger.leads_to(&cut(4, Some(4)), 5, &id(5)));
        assert!(ledger.leads_to(&cut(4, Some(4)), 2, &id(22)));
        for n in [4, 3] {
            ledger.append(line(n, u32::from(n)));
        }
        // 4 and 3 are linked: their numbers are taken, and 3 names what stands before it
        assert!(!ledger.leads_to(&cut(4, Some(4)), 3, &id(33)));
        assert!(ledger.leads_to(&cut(4, Some(4)), 2, &id(2)));
        assert!(!ledger.leads_to(&cut(4, Some(4)), 2, &id(22)));
        assert!(ledger.leads_to(&cut(4, Some(4)), 1, &id(11)));
        // past a gap a number is taken by whatever came first
        ledger.append(line(1, 1));
        assert!(!ledger.leads_to(&cut(4, Some(4)), 1, &id(11)));
        ledger.append(line(2, 2));
        assert!(!ledger.leads_to(&cut(4, Some(4)), 2, &id(22)));
        // a cut without a body: the number alone
        assert!(!ledger.leads_to(&cut(4, None), 3, &id(33)));
        assert!(ledger.leads_to(&cut(6, None), 5, &id(5)));
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
