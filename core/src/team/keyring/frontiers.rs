//! Frontiers on this device: whose receiving key may be used (T4), and what this device promises (T5).

use super::{Keyring, KnownFrontier};
use crate::crypto::{ReceivingKey, ReceivingPublicKey};
use crate::rules::Rule;
use crate::team::frontier::receiving_hash;
use crate::team::{ChainHead, Frontier, FrontierContent, TurnError};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{DeviceId, OperationId, TurnId};
use satchel_wire::limits::PARENTS_MAX_COUNT;

/// How a frontier compares to what was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrontierNews {
    /// Newer than what was known of its device.
    Newer,
    /// Nothing new.
    Same,
    /// Older than what is known.
    Older,
    /// A colleague says that this device was further than it is.
    RolledBack,
    /// This device's own signature proves that it was further: the store is an old copy.
    Copied,
}

/// The first 8 bytes of a device id, by which chain heads name it.
pub fn device_prefix(device: &DeviceId) -> [u8; 8] {
    let mut prefix = [0; 8];
    prefix.copy_from_slice(&device.as_bytes()[..8]);
    prefix
}

/// The first 8 bytes of a turn's id, by which a frontier names it.
pub(super) fn turn_prefix(turn: &TurnId) -> [u8; 8] {
    let mut prefix = [0; 8];
    prefix.copy_from_slice(&turn.as_bytes()[..8]);
    prefix
}

impl Keyring {
    pub(super) fn secrets_for_opening(&self) -> Vec<ReceivingKey> {
        self.receiving.iter().rev().map(|seed| ReceivingKey::from_seed(seed.expose())).collect()
    }

    /// The receiving key that this device's frontier names. Errors: [`TurnError::Seal`].
    pub fn receiving_public(&self) -> Result<ReceivingPublicKey, TurnError> {
        if let Some(public) = self.receiving_public.borrow().as_ref() {
            return Ok(public.clone());
        }
        let seed = self.receiving.last().ok_or(TurnError::Seal)?;
        let public = ReceivingKey::from_seed(seed.expose()).public_key().map_err(|_| TurnError::Seal)?;
        self.receiving_public.replace(Some(public.clone()));
        Ok(public)
    }

    /// The newest receiving key of a device, if everything that its frontier names is known here (T4).
    pub fn receiving_key_of(&self, device: &DeviceId) -> Option<ReceivingPublicKey> {
        let known = self.frontiers.get(device);
        let from_frontier = known.and_then(|known| {
            let frontier = Frontier::from_bytes(&known.frontier).ok()?;
            let heads_known = !self.env.holds(Rule::ReceivingKeyFloor) || self.knows(&frontier.content().log_heads);
            known.receiving.as_deref().filter(|key| heads_known && receiving_hash(key) == frontier.content().receiving).map(<[u8]>::to_vec)
        });
        let bytes = match (from_frontier, known) {
            (Some(bytes), _) => bytes,
            // a frontier whose key has not come yet: the first key is spent, nothing can be sealed to this device now
            (None, Some(_)) => return None,
            (None, None) => self.log.state().devices.get(device)?.receiving.clone(),
        };
        ReceivingPublicKey::from_slice(&bytes).ok()
    }

    fn knows(&self, heads: &[OperationId]) -> bool {
        heads.iter().all(|head| self.log.operation(head).is_some())
    }

    /// The newest operations that everything held names (T5): what a frontier may promise.
    pub fn promised_heads(&self) -> Vec<OperationId> {
        self.book.promised_heads(&self.log)
    }

    /// This device's frontier, made anew if anything in it changed. Never promises a spent receiving key.
    ///
    /// `heads` are all chain heads known here, those that moved last first. Where the medium still opens what was destroyed
    /// (`is_clean` false), it promises no more than the frontier before. Errors: [`TurnError::Seal`].
    pub fn own_frontier(&mut self, heads: &[ChainHead], day: ShiftDay, is_clean: bool) -> Result<Vec<u8>, TurnError> {
        self.replace_spent_receiving_key();
        let device = self.device;
        let own = heads.iter().find(|head| head.device == device_prefix(&device)).copied();
        let own = own.unwrap_or(ChainHead { device: device_prefix(&device), sequence: 0, body: [0; 8] });
        let key = self.receiving_public()?.as_bytes().to_vec();
        let receiving = receiving_hash(&key);
        // more than the format has room for is promised later, by a frontier that everybody can read
        let mut log_heads = match is_clean {
            true => self.promised_heads(),
            false => self.frontier_of(&device).map(|last| last.content().log_heads.clone()).unwrap_or_default(),
        };
        log_heads.truncate(PARENTS_MAX_COUNT);
        let turn = self.book.usable(&self.log).map(|held| turn_prefix(&held.turn.id()));
        let newest = self.book.newest_naming_every_ban(&self.log).filter(|held| !held.secret.reads_records());
        let commons_turn = newest.map(|held| turn_prefix(&held.turn.id()));
        let mut known = self.log.heads_to_name(device);
        known.sort_unstable();
        let content = |counter| {
            let mut content = FrontierContent::of_device(self.team(), device, counter, day, receiving, own);
            content.log_heads.clone_from(&log_heads);
            (content.turn, content.commons_turn) = (turn, commons_turn);
            content.known.clone_from(&known);
            content.with_heads(heads)
        };
        if let Some(last) = self.frontier_of(&device)
            && *last.content() == content(last.content().counter)
        {
            return Ok(last.to_bytes());
        }
        let counter = self.state.frontier_counter.saturating_add(1);
        let frontier = Frontier::write(&self.signer, content(counter));
        self.state.frontier_counter = counter;
        self.frontiers.insert(device, KnownFrontier { frontier: frontier.to_bytes(), receiving: Some(key) });
        self.changes.frontiers = true;
        Ok(frontier.to_bytes())
    }

    /// Takes a frontier and, where it came along, the receiving key that it names. None if no device of the log signed it.
    ///
    /// `own_newest` is the highest sequence of this device's own chain that is here, `day` today.
    pub fn take_frontier(&mut self, bytes: &[u8], receiving: Option<&[u8]>, own_newest: u32, day: ShiftDay) -> Option<FrontierNews> {
        let frontier = Frontier::from_bytes(bytes).ok()?;
        let content = frontier.content();
        // the very bytes that are here were checked when they came: most of what a session brings
        let is_here = self.frontiers.get(&content.device).is_some_and(|known| known.frontier == bytes);
        let signed = self.log.state().devices.get(&content.device).is_some_and(|device| is_here || frontier.is_signed_by(&device.key));
        if !signed || content.team != self.team() {
            return None;
        }
        if content.device == self.device {
            // Only this device's own signature proves that it was further. A colleague's frontier that says so is a
            // word, and one lie must not silence a phone; it warns the session.
            let resumed = self.log.state().resumed.get(&self.device).map_or(0, |cut| cut.sequence);
            let was_ahead = content.counter > self.state.frontier_counter || content.own.sequence > own_newest.max(resumed);
            return Some(if was_ahead { FrontierNews::Copied } else { FrontierNews::Same });
        }
        let me = device_prefix(&self.device);
        let ahead_of_me = content.heads.iter().any(|head| head.device == me && head.sequence > own_newest);
        let known_counter = self.frontier_of(&content.device).map_or(0, |known| known.content().counter);
        let matching = receiving.filter(|key| receiving_hash(key) == content.receiving).map(<[u8]>::to_vec);
        let entry = self.frontiers.get(&content.device);
        let kept = entry.and_then(|entry| entry.receiving.clone()).filter(|key| receiving_hash(key) == content.receiving);
        let news = match content.counter.cmp(&known_counter) {
            std::cmp::Ordering::Less => FrontierNews::Older,
            std::cmp::Ordering::Equal if matching.is_none() || kept.is_some() => FrontierNews::Same,
            order => {
                self.frontiers.insert(content.device, KnownFrontier { frontier: bytes.to_vec(), receiving: matching.or(kept) });
                // a day ahead of ours is its author's word
                self.hear(content.device, content.day.min(day));
                self.state.handed.remove(&content.device);
                self.changes.frontiers = true;
                if order == std::cmp::Ordering::Greater { FrontierNews::Newer } else { FrontierNews::Same }
            }
        };
        Some(if ahead_of_me { FrontierNews::RolledBack } else { news })
    }

    /// A steward let this device go on although it was copied or restored: its frontiers are newer than any that the other
    /// copy signed.
    pub fn resume(&mut self) {
        self.state.frontier_counter = self.state.frontier_counter.saturating_add(1 << 32);
    }

    /// A device's newest frontier, decoded.
    pub fn frontier_of(&self, device: &DeviceId) -> Option<Frontier> {
        Frontier::from_bytes(&self.frontiers.get(device)?.frontier).ok()
    }
}
