//! What is missing here although somebody has it, and how it is asked for through the relay.
//!
//! A gap is asked for when it was still there after a second exchange: what a colleague has signed and not yet pushed
//! is no gap. Between phones nothing has to be asked for: they compare ids.

use super::vault::Vault;
use crate::error::Error;
use crate::rules::Rule;
use crate::storage::{Reader, Transaction};
use crate::team::notice::{Asks, ChainAsk};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{BodyId, DeviceId, OperationId};
use std::collections::{BTreeMap, BTreeSet};

/// Most asks of one kind in a notice (count).
const ASKS_MAX_COUNT: usize = 64;
/// Most operations of one colleague's newest log heads that are asked for (count): an honest log has one or two.
const HEADS_MAX_COUNT: usize = 8;
/// So often a gap is asked for; after that a colleague's phone may still bring it.
const TRIES_MAX_COUNT: u8 = 4;
/// Most bodies that are pushed again in one day because somebody asked (count).
const ANSWERS_PER_DAY_MAX_COUNT: u32 = 4_096;

/// A gap in a colleague's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct Gap {
    /// The last sequence before it.
    #[n(0)]
    pub after: u32,
    /// When it was last asked for.
    #[n(1)]
    pub asked: Option<ShiftDay>,
    /// How often.
    #[n(2)]
    pub tries: u8,
}

/// What was asked for, and what was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct Gaps {
    #[n(0)]
    chains: BTreeMap<DeviceId, Gap>,
    #[n(1)]
    operations: BTreeMap<OperationId, Gap>,
    /// Bodies pushed again on a day.
    #[n(2)]
    answered: Option<(ShiftDay, u32)>,
}

impl Gap {
    const fn new(after: u32) -> Self {
        Self { after, asked: None, tries: 0 }
    }
    fn is_due(&self, today: ShiftDay) -> bool {
        self.tries < TRIES_MAX_COUNT && self.asked.is_none_or(|asked| asked < today)
    }
    fn ask(&mut self, today: ShiftDay) {
        self.asked = Some(today);
        self.tries += 1;
    }
}

impl Vault {
    /// The first gap in each chain: bodies above it are here, or its author's frontier says that there are some.
    fn chain_gaps(&mut self, reader: &Reader<'_>) -> Result<BTreeMap<DeviceId, ChainAsk>, Error> {
        let state = self.keyring.log.state().clone();
        let (mut gaps, own) = (BTreeMap::new(), self.device);
        for (id, device) in state.devices.iter().filter(|(id, _)| **id != own) {
            let said = self.frontier_of(id).map_or(0, |frontier| frontier.content().own.sequence);
            let chain = self.ledger(reader)?.chain(id);
            let after = chain.map_or(0, |chain| chain.contiguous);
            let above = chain.and_then(|chain| chain.bodies.range(after.saturating_add(1)..).next().map(|(sequence, _)| *sequence));
            // beyond a cut nothing is missed
            let last = above.map_or(said, |above| above - 1).min(device.cut.map_or(u32::MAX, |cut| cut.sequence));
            if last > after {
                gaps.insert(*id, ChainAsk { device: *id, after, up_to: last });
            }
        }
        Ok(gaps)
    }

    /// Operations that are missing here: parents of what waits, then what colleagues' frontiers name and nobody brought.
    /// Without the second kind the last operation before a silence would stay unknown if its row is lost.
    fn missing_operations(&self) -> Vec<OperationId> {
        let log = &self.keyring.log;
        let parents = log.missing();
        let active: Vec<DeviceId> = log.state().active().map(|(device, ..)| device).filter(|device| *device != self.device).collect();
        let named = active.iter().filter_map(|device| self.frontier_of(device));
        let named = named.flat_map(|frontier| frontier.content().known.iter().take(HEADS_MAX_COUNT).copied().collect::<Vec<_>>());
        let unknown: BTreeSet<OperationId> = named.filter(|id| log.operation(id).is_none() && !parents.contains(id)).collect();
        parents.into_iter().chain(unknown).take(ASKS_MAX_COUNT).collect()
    }

    /// Whether something that one of some phones has signed is not here, or operations of the team's log are not.
    pub(super) fn is_something_missing(&mut self, reader: &Reader<'_>, of: &[DeviceId]) -> Result<bool, Error> {
        let chains = self.chain_gaps(reader)?;
        Ok(!self.missing_operations().is_empty() || of.iter().any(|device| chains.contains_key(device)))
    }

    /// Remembers, at the end of an exchange, what is missing.
    pub(super) fn note_gaps(&mut self, reader: &Reader<'_>) -> Result<(), Error> {
        let chains = self.chain_gaps(reader)?;
        let missing = self.missing_operations();
        let known = &mut self.state.gaps;
        known.chains.retain(|device, gap| chains.get(device).is_some_and(|ask| ask.after == gap.after));
        for (device, ask) in chains {
            known.chains.entry(device).or_insert(Gap::new(ask.after));
        }
        known.operations.retain(|id, _| missing.contains(id));
        for id in missing {
            known.operations.entry(id).or_insert(Gap::new(0));
        }
        Ok(())
    }

    /// What to ask for in the push in hand: once a day, a few days long.
    pub(super) fn asks_to_push(&mut self, reader: &Reader<'_>) -> Result<Option<Asks>, Error> {
        let nothing_known = self.state.gaps.chains.is_empty() && self.state.gaps.operations.is_empty();
        if nothing_known || !self.env.holds(Rule::AskForGaps) {
            return Ok(None);
        }
        let today = self.today()?;
        let gaps = self.chain_gaps(reader)?;
        let reads = self.require_writer().is_ok();
        let mut asks = Asks::default();
        for (device, gap) in self.state.gaps.chains.iter_mut().filter(|_| reads) {
            if let Some(ask) = gaps.get(device).filter(|ask| ask.after == gap.after)
                && gap.is_due(today)
                && asks.chains.len() < ASKS_MAX_COUNT
            {
                gap.ask(today);
                asks.chains.push(*ask);
            }
        }
        let missing = self.missing_operations();
        for (id, gap) in &mut self.state.gaps.operations {
            if missing.contains(id) && gap.is_due(today) {
                gap.ask(today);
                asks.operations.push(*id);
            }
        }
        Ok((!asks.is_empty()).then_some(asks))
    }

    /// Somebody misses something: what is here of it goes out with the next push, covered anew. Who pulls it first marks
    /// it as pushed, so that not every phone answers.
    pub(super) fn answer_asks(&mut self, reader: &Reader<'_>, asks: &Asks) -> Result<(), Error> {
        let today = self.today()?;
        let before = self.state.gaps.answered.filter(|(day, _)| *day == today).map_or(0, |(_, count)| count);
        let room = usize::try_from(ANSWERS_PER_DAY_MAX_COUNT.saturating_sub(before)).unwrap_or(0);
        let ledger = self.ledger(reader)?;
        let wanted = |device: &DeviceId, sequence: u32| {
            asks.chains.iter().take(ASKS_MAX_COUNT).any(|ask| ask.device == *device && sequence > ask.after && sequence <= ask.up_to)
        };
        let here = ledger.lines().filter(|line| line.is_here() && line.is_relayed() && wanted(&line.device, line.sequence));
        let bodies: Vec<BodyId> = here.map(|line| line.body).take(room).collect();
        bodies.iter().for_each(|body| ledger.mark_relayed(body, false));
        self.state.gaps.answered = Some((today, before.saturating_add(u32::try_from(bodies.len()).unwrap_or(u32::MAX))));
        if asks.operations.iter().any(|id| self.progress().operations.contains(id)) {
            let progress = self.progress_mut();
            asks.operations.iter().take(ASKS_MAX_COUNT).for_each(|id| {
                progress.operations.remove(id);
            });
        }
        Ok(())
    }

    /// The turn in use once more, to colleagues who lack it, if this phone is the one to send it.
    pub(super) fn queue_boxes_due(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        let day = self.key_day()?;
        if let Some(announcement) = self.keyring.boxes_due(day)? {
            self.queue_announcement(tx, &announcement)?;
        }
        Ok(())
    }
}
