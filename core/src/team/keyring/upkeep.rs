//! What one phone does for all, so that nobody has to remember it, and devices that were not heard of for long.
//!
//! Every phone computes the same rank of itself from the turn in use; rank 0 acts at once, each further one a day
//! later, so that a phone that is away holds nobody up and many phones that notice something at once do not all act.

use super::frontiers::turn_prefix;
use super::turns::class_of;
use super::{Keyring, Lacking, Remembered};
use crate::crypto::{self, LaneKey, labels};
use crate::rules::Rule;
use crate::team::frontier::receiving_hash;
use crate::team::notice::Notice;
use crate::team::{Operation, TurnError};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{DeviceId, TurnId};
use satchel_wire::row::Row;
use std::collections::BTreeSet;

/// A turn is due after so many days.
pub const TURN_TERM_DAYS: u16 = 30;
/// Nobody waits longer for the phones before it (days).
const RANK_MAX_DAYS: u16 = 7;
/// Whoever was sealed to and is under another turn so many days later is sealed to once more (days).
const QUIET_DAYS: u16 = 3;

impl Keyring {
    /// A device was heard on a day.
    pub(super) fn hear(&mut self, device: DeviceId, day: ShiftDay) {
        let heard = self.state.heard.entry(device).or_insert(day);
        *heard = day.max(*heard);
    }

    /// Somebody met this device in a session: it is awake, however long it was silent.
    pub fn wake(&mut self, device: DeviceId, day: ShiftDay) {
        if self.log.state().device_role(device).is_some() {
            self.hear(device, day);
        }
    }

    /// The day on which a device was last heard; its admission if never.
    pub fn last_heard(&self, device: &DeviceId) -> Option<ShiftDay> {
        let admitted = self.log.state().devices.get(device)?.admitted;
        let admitted = self.log.operation(&admitted).map(Operation::day);
        self.state.heard.get(device).copied().max(admitted)
    }

    /// Whether a colleague's device was silent for longer than the charter's absence limit: it gets no boxes until any
    /// member meets it in a session. Nothing that it wrote is lost by that.
    pub fn is_dormant(&self, device: &DeviceId, day: ShiftDay) -> bool {
        let Some(charter) = &self.log.state().charter else { return false };
        *device != self.device
            && self.env.holds(Rule::NoBoxForDormant)
            && self.last_heard(device).is_none_or(|heard| heard.plus(charter.absence_limit_days) < day)
    }

    /// The turns by which a colleague's phone is recognised: those that are held, those that were in use within the
    /// absence limit, those that some dormant device may have had last, since any member wakes it, and those that a
    /// device which is awake says to use.
    pub fn recognised(&self, day: ShiftDay) -> impl Iterator<Item = &Remembered> {
        let limit = self.log.state().charter.as_ref().map_or(0, |charter| charter.absence_limit_days);
        let dormant = self.log.state().active().filter(|(id, ..)| self.is_dormant(id, day));
        let silent_since = dormant.filter_map(|(id, ..)| self.last_heard(&id)).min();
        // who has just been heard again, and says that it is behind, is a colleague until its box has come
        let awake = self.log.state().active().filter(|(id, ..)| *id != self.device && !self.is_dormant(id, day));
        let frontiers = awake.filter_map(|(id, ..)| self.frontier_of(&id));
        let named: BTreeSet<[u8; 8]> =
            frontiers.filter_map(|frontier| frontier.content().turn.or(frontier.content().commons_turn)).collect();
        self.remembered.iter().enumerate().filter_map(move |(at, known)| {
            // newest first: a turn was in use until the one before it began
            let until = at.checked_sub(1).and_then(|newer| self.remembered.get(newer)).map(|newer| newer.day);
            let in_use = |until: ShiftDay| until.plus(limit) >= day || silent_since.is_some_and(|since| since <= until);
            let is_named = || named.contains(&turn_prefix(&known.turn));
            (until.is_none_or(in_use) || self.holds(&known.turn) || is_named()).then_some(known)
        })
    }

    /// Opens a notice under any turn that is held or remembered.
    pub fn open_notice(&self, row: &Row) -> Option<Notice> {
        let held = self.book.held().find_map(|held| Notice::open(self.team(), &held.secret.commons(), row).ok());
        held.or_else(|| {
            let keys = self.remembered.iter().filter_map(|known| Some(LaneKey::from_bytes(known.notices.as_ref()?.expose())));
            keys.into_iter().find_map(|key| Notice::open_with(self.team(), &key, row).ok())
        })
    }

    /// The day on which a turn is due: 30 days after the oldest one that stays. One that lies beside the turn in use, and
    /// that nothing has joined, opens what expired as well.
    pub fn turn_due(&self) -> Option<ShiftDay> {
        let oldest = self.book.kept(&self.log).filter(|held| held.secret.reads_records()).map(|held| held.turn.day()).min()?;
        Some(oldest.plus(TURN_TERM_DAYS))
    }

    /// Whether this phone is the one to start the turn that is due after 30 days.
    pub fn is_turn_due(&self, day: ShiftDay) -> bool {
        let (Some(held), Some(due)) = (self.book.usable(&self.log), self.turn_due()) else { return false };
        // the rank costs a hash for each device: asked for only when it matters
        self.reads_records() && day >= due && day >= due.plus(self.rank(&held.turn.id(), day, &[]).min(RANK_MAX_DAYS))
    }

    /// Whether the turn that is due stays out for longer than the absence limit. Colleagues count this phone as silent by
    /// then and hand it no turn before somebody meets it: to wait on would keep the keys of what has expired.
    pub fn is_turn_overdue(&self, day: ShiftDay) -> bool {
        let Some(charter) = &self.log.state().charter else { return false };
        self.reads_records() && self.turn_due().is_some_and(|due| due.plus(charter.absence_limit_days) < day)
    }

    /// How many awake phones come before this one in the order that the turn in use gives them, some left out.
    fn rank(&self, turn: &TurnId, day: ShiftDay, except: &[DeviceId]) -> u16 {
        let place = |device: &DeviceId| crypto::derive_id(labels::TURN_RANK, &[turn.as_bytes(), device.as_bytes()]);
        let own = place(&self.device);
        let before = self.log.state().active().filter(|(id, _, role)| {
            role.reads_records() && *id != self.device && !except.contains(id) && !self.is_dormant(id, day) && place(id) < own
        });
        u16::try_from(before.count()).unwrap_or(u16::MAX)
    }

    /// Awake, entitled devices that the turn in use does not reach although their receiving key is known: admitted,
    /// promoted, reinstated or woken since, or sealed to with a key that they had replaced by then (T2). Also those that
    /// say nothing of it for days: its announcement may have been lost with its maker's phone.
    pub fn lacking(&self, day: ShiftDay) -> Vec<DeviceId> {
        let Some(held) = self.book.usable(&self.log) else { return Vec::new() };
        let turn = &held.turn;
        let lacks = |id: &DeviceId, class| {
            let Some(key) = self.receiving_key_of(id) else { return false };
            let Some(frontier) = self.frontier_of(id) else { return false };
            let says_so = frontier.content().turn == Some(turn_prefix(&turn.id()));
            let prefix = key_prefix(key.as_bytes());
            let was_boxed = turn.recipients().iter().any(|to| to.device == *id && to.class == class && to.key == prefix);
            let is_quiet = turn.day().plus(QUIET_DAYS) <= day;
            !says_so && (!was_boxed || is_quiet) && turn.maker() != *id
        };
        let active = self.log.state().active().map(|(id, _, role)| (id, class_of(role)));
        active.filter(|(id, class)| *id != self.device && !self.is_dormant(id, day) && lacks(id, *class)).map(|(id, _)| id).collect()
    }

    /// Remembers since when somebody lacks the turn in use.
    pub(super) fn note_lacking(&mut self, day: ShiftDay) {
        let Some(turn) = self.book.usable(&self.log).map(|held| held.turn.id()) else { return };
        let now = self.lacking(day);
        self.state.lacking.retain(|device, known| known.turn == turn && now.contains(device));
        for device in now {
            self.state.lacking.entry(device).or_insert(Lacking { turn, since: day, boxed: None });
        }
    }

    /// Whether this phone let a device in, of which the maker of the turn in use had not heard.
    fn is_host_of_unheard(&self, device: &DeviceId) -> bool {
        let Some(admitted) = self.log.state().devices.get(device).map(|known| known.admitted) else { return false };
        let is_host = self.log.operation(&admitted).is_some_and(|admission| admission.author() == self.device);
        is_host && self.book.usable(&self.log).is_some_and(|held| !self.log.names(held.turn.log_heads(), &admitted))
    }

    /// An announcement of the turn in use, once more, to devices that lack it, if this phone is the one to send it.
    /// Each box goes out once per receiving key. Errors: [`TurnError`] as for an announcement.
    ///
    /// A box and not another turn: the same secret to more of the entitled opens nothing to anybody else, and when
    /// many phones notice at once nothing has to be joined afterwards.
    pub fn boxes_due(&mut self, day: ShiftDay) -> Result<Option<Vec<u8>>, TurnError> {
        if !self.env.holds(Rule::AskForGaps) || !self.reads_records() {
            return Ok(None);
        }
        self.note_lacking(day);
        let mut due = Vec::new();
        // who lacks the turn sends no box of it
        let lacking: Vec<DeviceId> = self.state.lacking.keys().copied().collect();
        for (device, known) in &self.state.lacking {
            let Some(key) = self.receiving_key_of(device) else { continue };
            let key = key_prefix(key.as_bytes());
            // whoever let a newcomer in may be the only one who knows their key: nobody else would be faster
            let wait = if self.is_host_of_unheard(device) { 0 } else { self.rank(&known.turn, day, &lacking).min(RANK_MAX_DAYS) };
            if known.boxed != Some(key) && day >= known.since.plus(wait) {
                due.push((*device, key));
            }
        }
        if due.is_empty() {
            return Ok(None);
        }
        let devices: Vec<DeviceId> = due.iter().map(|(device, _)| *device).collect();
        let announcement = self.box_again(&devices)?;
        for (device, key) in due {
            if let Some(known) = self.state.lacking.get_mut(&device) {
                known.boxed = Some(key);
            }
        }
        Ok(Some(announcement))
    }
}

fn key_prefix(key: &[u8]) -> [u8; 8] {
    let mut prefix = [0; 8];
    prefix.copy_from_slice(&receiving_hash(key)[..8]);
    prefix
}
