//! Frontiers and positions, before anything is numbered.
//!
//! Each side sends its own frontier with its positions: which frontier it holds of every device, and from
//! which body on it wants that device's. Then come those frontiers of others that the other side lacks.
//! Only then are drafts frozen: a phone that was restored from a copy learns it before it numbers twice.

use super::*;
use crate::crypto::{derive_id, labels};
use crate::sync::replica::FrontierVerdict;
use satchel_wire::cbor;
use satchel_wire::limits::DEVICES_MAX_COUNT;
use std::collections::BTreeMap;

impl Talk {
    /// What this side holds of every device, sorted by device.
    pub(super) fn positions<R: Replica>(&self, replica: &mut R) -> Result<Vec<Position>, SessionError<R::Error>> {
        let mut positions = BTreeMap::new();
        for (device, counter) in replica.known_frontiers().map_err(SessionError::Replica)? {
            positions.insert(device, Position { device, counter: Some(counter), from: 0 });
        }
        for head in replica.chain_heads().map_err(SessionError::Replica)? {
            let device = head.device;
            let gap = head.highest.saturating_sub(head.contiguous);
            let from = if gap <= SHORT_GAP_MAX_COUNT { head.contiguous } else { head.highest };
            positions.entry(device).or_insert(Position { device, counter: None, from: 0 }).from = from;
        }
        Ok(positions.into_values().take(DEVICES_MAX_COUNT).collect())
    }

    /// A hash of positions that only who holds the same can make, and only in this session.
    pub(super) fn agreement_of(&self, positions: &[Position]) -> [u8; 16] {
        derive_id(labels::SESSION_AGREEMENT, &[&self.hash, &cbor::encode(&positions.to_vec())])
    }

    pub(super) fn lead_frontiers<R: Replica>(&mut self, replica: &mut R, report: &mut SessionReport) -> Outcome<R> {
        let frontier = replica.frontier().map_err(SessionError::Replica)?;
        self.own_positions = self.positions(replica)?;
        let agreed = self.logs_agreed && self.turn_messages == 0 && self.agreement == Some(self.agreement_of(&self.own_positions));
        if agreed {
            self.peer_positions = self.own_positions.clone();
            self.frontier_seen = true;
            self.say(Message::Agreed);
            return self.begin_bodies(replica, report);
        }
        let positions = self.own_positions.clone();
        self.say(Message::Frontier(Frontier { frontier: Some(frontier.into()), positions }));
        self.step = Step::Frontier;
        Ok(())
    }

    pub(super) fn on_agreed<R: Replica>(&mut self, replica: &mut R, report: &mut SessionReport) -> Outcome<R> {
        self.peer_positions = self.own_positions.clone();
        self.frontier_seen = true;
        self.begin_bodies(replica, report)
    }

    pub(super) fn on_frontier<R: Replica>(&mut self, replica: &mut R, theirs: Frontier, report: &mut SessionReport) -> Outcome<R> {
        let peer = self.peer()?;
        match theirs.frontier {
            Some(frontier) => self.take_frontier(replica, PassedFrontier { device: peer, frontier, receiving_key: None }, true, report)?,
            // a follower leaves it out if it is held here
            None => self.frontier_seen = self.leads && self.own_positions.iter().any(|own| own.device == peer && own.counter.is_some()),
        }
        if self.leads {
            let mut positions: BTreeMap<_, _> = self.own_positions.iter().map(|own| (own.device, *own)).collect();
            positions.extend(theirs.positions.into_iter().map(|position| (position.device, position)));
            self.peer_positions = positions.into_values().collect();
        } else {
            self.peer_positions = theirs.positions;
            self.answer_frontier(replica)?;
        }
        self.step = Step::Frontiers;
        Ok(())
    }

    /// Follower: own frontier, what differs in positions, and the frontiers that the leader lacks.
    fn answer_frontier<R: Replica>(&mut self, replica: &mut R) -> Outcome<R> {
        let frontier = replica.frontier().map_err(SessionError::Replica)?;
        self.own_positions = self.positions(replica)?;
        let theirs: BTreeMap<_, _> = self.peer_positions.iter().map(|position| (position.device, *position)).collect();
        let mut changed: BTreeMap<_, _> = self.own_positions.iter().map(|own| (own.device, *own)).collect();
        for device in theirs.keys() {
            changed.entry(*device).or_insert(Position { device: *device, counter: None, from: 0 });
        }
        let own_counter = changed.get(&self.device).and_then(|own| own.counter);
        let is_held = own_counter.is_some() && theirs.get(&self.device).and_then(|position| position.counter) == own_counter;
        changed.retain(|device, own| theirs.get(device) != Some(own));
        let mut positions: Vec<Position> = changed.into_values().collect();
        positions.truncate(DEVICES_MAX_COUNT);
        let frontier = (!is_held).then(|| frontier.into());
        self.say(Message::Frontier(Frontier { frontier, positions }));
        self.queue_frontiers();
        Ok(())
    }

    /// The frontiers of others that the other side lacks, and what keys this side wants.
    fn queue_frontiers(&mut self) {
        let theirs: BTreeMap<_, _> = self.peer_positions.iter().map(|position| (position.device, position.counter)).collect();
        let is_news = |own: &&Position| own.counter > theirs.get(&own.device).copied().flatten();
        let devices = self.own_positions.iter().filter(is_news).map(|own| own.device);
        let devices: Vec<DeviceId> = devices.filter(|device| *device != self.device && Some(*device) != self.peer).collect();
        if !devices.is_empty() {
            self.jobs.push_back(Job::Frontiers(devices, 0));
        }
        self.ask_keys();
        self.say(Message::FrontiersSent);
    }

    fn ask_keys(&mut self) {
        let mut devices = std::mem::take(&mut self.keys_wanted);
        devices.truncate(DEVICES_MAX_COUNT);
        if !devices.is_empty() {
            self.keys_outstanding += 1;
            self.say(Message::KeysWanted(Devices { devices }));
        }
    }

    /// Hands a frontier to the replica, and notes a key that is wanted.
    pub(super) fn take_frontier<R: Replica>(
        &mut self,
        replica: &mut R,
        passed: PassedFrontier,
        may_ask: bool,
        report: &mut SessionReport,
    ) -> Outcome<R> {
        let key = passed.receiving_key.as_ref().map(|key| key.as_slice());
        let verdict = replica.accept_frontier(passed.device, &passed.frontier, key).map_err(SessionError::Replica)?;
        match verdict {
            FrontierVerdict::RolledBack => {
                self.rolled_back = true;
                warn(report, Warning::RolledBack);
            }
            FrontierVerdict::Refused(_) => {
                warn(report, Warning::FrontierRefused);
                return Ok(());
            }
            FrontierVerdict::Newer | FrontierVerdict::Same | FrontierVerdict::Older => {}
        }
        self.frontier_seen |= Some(passed.device) == self.peer;
        let needs_key = may_ask && key.is_none() && replica.needs_receiving_key(&passed.frontier).map_err(SessionError::Replica)?;
        if needs_key && !self.keys_wanted.contains(&passed.device) {
            self.keys_wanted.push(passed.device);
        }
        Ok(())
    }

    pub(super) fn on_frontiers<R: Replica>(&mut self, replica: &mut R, batch: Frontiers, report: &mut SessionReport) -> Outcome<R> {
        self.frontiers_count += batch.frontiers.len();
        if batch.frontiers.is_empty() || batch.last || self.frontiers_count > DEVICES_MAX_COUNT {
            return Err(SessionFault::NoProgress.into());
        }
        for passed in batch.frontiers {
            self.take_frontier(replica, passed, true, report)?;
        }
        Ok(())
    }

    pub(super) fn on_frontiers_sent<R: Replica>(&mut self, replica: &mut R, report: &mut SessionReport) -> Outcome<R> {
        if self.leads {
            self.queue_frontiers();
        } else {
            self.ask_keys();
        }
        self.begin_bodies(replica, report)
    }

    pub(super) fn on_keys_wanted<E>(&mut self, wanted: Devices) -> Result<(), SessionError<E>> {
        self.keys_asked_count += wanted.devices.len().max(1);
        if self.keys_asked_count > 2 * DEVICES_MAX_COUNT {
            return Err(SessionFault::NoProgress.into());
        }
        self.jobs.push_back(Job::ReceivingKeys(wanted.devices, 0));
        Ok(())
    }

    pub(super) fn on_receiving_keys<R: Replica>(&mut self, replica: &mut R, batch: Frontiers, report: &mut SessionReport) -> Outcome<R> {
        if batch.frontiers.is_empty() && !batch.last {
            return Err(SessionFault::NoProgress.into());
        }
        self.frontiers_count += batch.frontiers.len();
        if self.frontiers_count > 3 * DEVICES_MAX_COUNT {
            return Err(SessionFault::NoProgress.into());
        }
        for passed in batch.frontiers {
            self.take_frontier(replica, passed, false, report)?;
        }
        self.keys_outstanding -= usize::from(batch.last);
        Ok(())
    }

    /// Frontiers as they are passed on, with keys where asked.
    pub(super) fn pass_frontiers<R: Replica>(
        &self,
        replica: &mut R,
        devices: &[DeviceId],
        with_keys: bool,
    ) -> Result<Vec<PassedFrontier>, SessionError<R::Error>> {
        let (own, others): (Vec<DeviceId>, Vec<DeviceId>) = devices.iter().partition(|device| **device == self.device);
        let mut passed = Vec::new();
        if !own.is_empty() {
            let frontier = replica.frontier().map_err(SessionError::Replica)?.into();
            let receiving_key = replica.receiving_key().map_err(SessionError::Replica)?.into();
            passed.push(PassedFrontier { device: self.device, frontier, receiving_key: with_keys.then_some(receiving_key) });
        }
        for known in replica.frontiers(&others).map_err(SessionError::Replica)? {
            let receiving_key = known.receiving_key.filter(|_| with_keys).map(ByteVec::from);
            // without the key that was asked for, the frontier is no answer
            if receiving_key.is_some() || !with_keys {
                passed.push(PassedFrontier { device: known.device, frontier: known.frontier.into(), receiving_key });
            }
        }
        passed.truncate(FRONTIERS_BATCH_COUNT);
        Ok(passed)
    }
}
