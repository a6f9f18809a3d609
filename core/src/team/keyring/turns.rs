//! Turns on this device: T1 to T4.

use super::frontiers::turn_prefix;
use super::{Keyring, Remembered, Seed};
use crate::crypto::{CommonsSecret, ReceivingPublicKey, RecordsSecret};
use crate::rules::Rule;
use crate::team::escrow;
use crate::team::frontier::receiving_hash;
use crate::team::operation::Action;
use crate::team::turn::{self, BoxFor, TurnDraft};
use crate::team::{Operation, Recipient, RecipientClass, Role, Turn, TurnError, TurnSecret};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{DeviceId, OperationId, TurnId};
use satchel_wire::limits::PARENTS_MAX_COUNT;
use std::collections::BTreeSet;

/// Earlier turns in one announcement (bytes): some 250 of a team of 25.
const PAST_TURNS_MAX_BYTES: usize = 256 * 1024;
/// Most turns whose discovery secret and access keys are remembered (count): every erasure starts one, and a colleague who
/// was away for less than the absence limit must still be recognised.
const REMEMBERED_MAX_COUNT: usize = 64;
/// Most operations that one turn's beginning writes to join heads (count): each joins 63.
const JOINS_AT_ONCE_MAX_COUNT: usize = 64;

/// The turn to seal under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usable {
    /// The turn.
    pub turn: TurnId,
    /// Its announcement, to be handed to the relay, when it was started just now.
    pub announcement: Option<Vec<u8>>,
}

/// What became of an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// Its turn is held now.
    Adopted,
    /// Its turn was held before, or one on top of it is.
    Known,
}

impl Keyring {
    /// Rule T2: the turn to seal under; starts one if none may be used. Errors: [`TurnError::NotEntitled`].
    pub fn usable_turn(&mut self, day: ShiftDay) -> Result<Usable, TurnError> {
        if let Some(held) = self.book.usable(&self.log) {
            return Ok(Usable { turn: held.turn.id(), announcement: None });
        }
        self.start_turn(day)
    }

    /// Starts a turn on top of everything held, sealed to every entitled device whose receiving key is known.
    ///
    /// Errors: [`TurnError::NotEntitled`] for a device without access to records.
    pub fn start_turn(&mut self, day: ShiftDay) -> Result<Usable, TurnError> {
        if !self.reads_records() {
            return Err(TurnError::NotEntitled);
        }
        self.join_heads(day);
        let secret = RecordsSecret::make(&self.env);
        let parents: Vec<TurnId> = self.book.held().map(|held| held.turn.id()).collect();
        let devices: Vec<(DeviceId, Role)> =
            self.log.state().active().map(|(id, _, role)| (id, role)).filter(|(id, _)| !self.is_dormant(id, day)).collect();
        let mut keys = Vec::new();
        for (device, role) in devices {
            let key = if device == self.device { Some(self.receiving_public()?) } else { self.receiving_key_of(&device) };
            keys.extend(key.map(|key| (device, role, class_of(role), key)));
        }
        let recipients = keys.iter().map(|(device, _, class, key)| {
            let hash = receiving_hash(key.as_bytes());
            let mut short = [0; 8];
            short.copy_from_slice(&hash[..8]);
            Recipient { device: *device, class: *class, key: short }
        });
        let control = self.next_control();
        let draft = TurnDraft {
            team: self.team(),
            parents: parents.clone(),
            recipients: recipients.collect(),
            log_heads: self.log.heads_to_name(self.device),
            day,
            control: control.as_ref().map(|(_, change)| *change),
        };
        let turn = Turn::write(&self.signer, &secret, draft);
        let recovery = escrow::recovery_key(self.log.state());
        let seed_to_hand_over = match &control {
            Some((seed, _)) => Some(seed.clone()),
            None => self.control().cloned(),
        };
        let boxes: Vec<BoxFor<'_>> = keys
            .iter()
            .filter(|(device, ..)| *device != self.device)
            .map(|(_, role, class, key)| BoxFor {
                key,
                class: *class,
                control: seed_to_hand_over.as_ref().filter(|_| *role == Role::Steward).map(Seed::expose),
            })
            .chain(recovery.as_ref().map(|key| BoxFor {
                key,
                class: RecipientClass::Recovery,
                control: seed_to_hand_over.as_ref().map(Seed::expose),
            }))
            .collect();
        let parent_heads = self.log.common(self.book.held().map(|held| held.turn.log_heads()));
        let secret = TurnSecret::Records(secret);
        let others: Vec<DeviceId> = keys.iter().map(|(device, ..)| *device).filter(|device| *device != self.device).collect();
        let suffix = self.operations_lacked_by(&others, &parent_heads);
        // all that anybody may lack: who missed one of the turns between could not place this one, and its box opens only once
        let past = self.past_lacked_by(&turn, &others);
        let announcement = turn::announce(&self.env, &turn, &secret, &boxes, &suffix, &past, true)?;
        self.take_turn(&turn, secret)?;
        if let Some((seed, _)) = control {
            self.push_control(seed);
        }
        self.prune();
        // T4 waits for the next session or pull: a colleague who began a turn at the same time sealed to the present key
        Ok(Usable { turn: turn.id(), announcement: Some(announcement) })
    }

    /// Brings the heads of the log down to what a turn has room to name. Whoever floods the log keeps nobody from beginning
    /// turns, and so from erasing and sending: each of these names as many heads as fit.
    fn join_heads(&mut self, day: ShiftDay) {
        for _ in 0..JOINS_AT_ONCE_MAX_COUNT {
            if self.log.heads().len() <= PARENTS_MAX_COUNT || self.write_operation(Action::Join, day).is_err() {
                return;
            }
        }
    }

    fn control_for(&self, role: Role) -> Option<&[u8; 32]> {
        self.control().filter(|_| role == Role::Steward).map(Seed::expose)
    }

    fn recovery_box<'a>(&'a self, key: &'a ReceivingPublicKey) -> BoxFor<'a> {
        BoxFor { key, class: RecipientClass::Recovery, control: self.control().map(Seed::expose) }
    }

    /// Adopts a turn: remembers what outlives it, and that the receiving key is spent (T4).
    fn take_turn(&mut self, turn: &Turn, secret: TurnSecret) -> Result<Adoption, TurnError> {
        let remembered = Remembered::of(turn, &secret);
        (self.changes.turns, self.changes.secrets) = (true, true);
        match self.book.adopt(&mut self.log, turn, secret) {
            Ok(true) => {}
            Ok(false) => return Ok(Adoption::Known),
            Err(TurnError::LacksBan) => {
                // Two phones that each knew another ban began a turn: neither may hold the other's, and yet each can
                // only say under its own which receiving key it has now. What opens notices is kept, records are not.
                if !self.remembered.iter().any(|known| known.turn == turn.id()) {
                    self.remembered.insert(self.remembered.len().min(1), remembered);
                    self.remembered.truncate(REMEMBERED_MAX_COUNT);
                }
                return Err(TurnError::LacksBan);
            }
            Err(error) => return Err(error),
        }
        self.remembered.retain(|known| known.turn != turn.id());
        self.remembered.insert(0, remembered);
        // of turns begun at once, every phone puts the one in use first, in whatever order they came
        let usable = self.book.usable(&self.log).map(|held| held.turn.id());
        if let Some(at) = self.remembered.iter().position(|known| Some(known.turn) == usable) {
            self.remembered[..=at].rotate_right(1);
        }
        self.remembered.truncate(REMEMBERED_MAX_COUNT);
        self.state.is_receiving_key_spent = true;
        Ok(Adoption::Adopted)
    }

    /// Opens an announcement, applies what it names (T1), adopts its turn.
    ///
    /// Errors: [`TurnError`]; [`TurnError::UnknownPast`] means hold it, [`TurnError::NotForUs`] means ask for a box.
    pub fn accept_announcement(&mut self, bytes: &[u8], _day: ShiftDay) -> Result<Adoption, TurnError> {
        let opened = turn::open_announcement(self.team(), &self.secrets_for_opening(), bytes)?;
        if self.env.holds(Rule::ApplyNamedBans) {
            self.merge_operations(&opened.operations);
        }
        for past in &opened.past {
            self.changes.turns = true;
            self.book.learn(&mut self.log, past)?;
        }
        let adopted = self.take_turn(&opened.turn, opened.secret);
        if let (Ok(_), Some(escrowed)) = (&adopted, opened.recovery)
            && self.holds(&opened.turn.id())
        {
            self.escrow.keep(opened.turn.id(), escrowed);
            self.changes.secrets = true;
        }
        if let (Ok(_), Some(control)) = (&adopted, &opened.control) {
            self.take_control(control);
        }
        adopted
    }

    /// Rule T3, at the end of the pull or session in hand. A turn that may be used must be there by then.
    fn prune(&mut self) {
        if self.book.usable(&self.log).is_some() || !self.book.held().any(|held| held.secret.reads_records()) {
            let gone = self.book.prune(&self.log);
            self.escrow.destroy(gone.iter().map(|turn| turn.turn.id()));
            if !gone.is_empty() {
                (self.changes.turns, self.changes.secrets) = (true, true);
            }
        }
    }

    /// Ends a pull or session: a turn that may be used is there (T2), what must go is destroyed (T3), the receiving
    /// key is replaced if it was spent (T4). Returns the announcement of a turn that had to be started, or was due.
    pub fn end_pull(&mut self, day: ShiftDay) -> Result<Option<Vec<u8>>, TurnError> {
        let started = match self.reads_records() {
            true if self.is_turn_due(day) => self.start_turn(day).map(Some),
            true => self.usable_turn(day).map(Some),
            false => Ok(None),
        };
        let started = match started {
            Ok(usable) => usable.and_then(|usable| usable.announcement),
            // more heads than a turn can name: what is held stays, nothing is promised of it, and each operation that somebody
            // writes joins some of them
            Err(TurnError::LacksBan) => return Ok(None),
            Err(error) => return Err(error),
        };
        self.note_lacking(day);
        self.prune();
        self.replace_spent_receiving_key();
        Ok(started)
    }

    /// Rule T4: after an adoption a fresh receiving key; all earlier ones are destroyed with the secrets that held them.
    ///
    /// Done when the pull in hand is over, not at each adoption: two turns that wait together may both be boxed to
    /// the present key.
    pub(super) fn replace_spent_receiving_key(&mut self) {
        if std::mem::take(&mut self.state.is_receiving_key_spent) && self.env.holds(Rule::ReplaceReceivingKey) {
            self.receiving = vec![Seed::make(&self.env)];
            self.receiving_public.replace(None);
            self.changes.secrets = true;
        }
    }

    /// A box with the usable turn for one device. None: it is not entitled, it is dormant, or no key of it may be used.
    ///
    /// It starts no turn: call [`Self::usable_turn`] first. Errors: [`TurnError::NotForUs`] without a usable turn.
    pub fn box_for(&self, device: &DeviceId, day: ShiftDay) -> Result<Option<Vec<u8>>, TurnError> {
        if self.is_dormant(device, day) {
            return Ok(None);
        }
        let Some(role) = self.log.state().device_role(*device) else { return Ok(None) };
        let Some(key) = self.receiving_key_of(device) else { return Ok(None) };
        self.box_to(&key, role).map(Some)
    }

    /// The commons secret under which this device's notices go out: that of the usable turn, for the board that of the
    /// newest turn that names every known ban.
    pub fn notice_secret(&self) -> Option<CommonsSecret> {
        let held = self.book.usable(&self.log).or_else(|| self.book.newest_naming_every_ban(&self.log))?;
        Some(held.secret.commons())
    }

    /// The usable turn announced once more, to devices that lack it: rounded, as any announcement that a relay sees.
    pub(super) fn box_again(&self, devices: &[DeviceId]) -> Result<Vec<u8>, TurnError> {
        let held = self.book.usable(&self.log).ok_or(TurnError::NotForUs)?;
        let wanted = devices.iter().filter_map(|device| Some((self.receiving_key_of(device)?, self.log.state().device_role(*device)?)));
        let wanted: Vec<(ReceivingPublicKey, Role)> = wanted.collect();
        let boxes: Vec<BoxFor<'_>> =
            wanted.iter().map(|(key, role)| BoxFor { key, class: class_of(*role), control: self.control_for(*role) }).collect();
        // with what the devices may lack of the log: a turn on top of unknown operations would wait until its box is spent
        let suffix = self.operations_lacked_by(devices, &[]);
        turn::announce(&self.env, &held.turn, &held.secret, &boxes, &suffix, &self.past_lacked_by(&held.turn, devices), true)
    }

    /// A box with the usable turn for a newcomer, and remembers by which turn they are recognised.
    ///
    /// Errors: as [`Self::box_to`]; [`TurnError::NotEntitled`] for a device that the log does not admit.
    pub fn let_in(&mut self, device: DeviceId, key: &ReceivingPublicKey) -> Result<Vec<u8>, TurnError> {
        let role = self.log.state().device_role(device).ok_or(TurnError::NotEntitled)?;
        let announcement = self.box_to(key, role)?;
        let turn = self.book.usable(&self.log).map(|held| held.turn.id());
        self.state.handed.extend(turn.map(|turn| (device, turn)));
        Ok(announcement)
    }

    /// A box with the usable turn to a receiving key that is known to be a device's of this role: for a newcomer.
    pub fn box_to(&self, key: &ReceivingPublicKey, role: Role) -> Result<Vec<u8>, TurnError> {
        let held = self.book.usable(&self.log).ok_or(TurnError::NotForUs)?;
        let recovery = escrow::recovery_key(self.log.state()).filter(|_| role == Role::Board);
        let mut boxes = vec![BoxFor { key, class: class_of(role), control: self.control_for(role) }];
        boxes.extend(recovery.as_ref().map(|key| self.recovery_box(key)));
        turn::announce(&self.env, &held.turn, &held.secret, &boxes, &[], &self.past_of(&held.turn), false)
    }

    /// The operations that some of these devices have not said to know, parents first; `known_anyway` are taken for known.
    ///
    /// A device that signed that it knows an operation has all of its past. Who is wrong about itself (a copy that was put
    /// back) holds the turn until a notice or a session brings the operation.
    fn operations_lacked_by(&self, devices: &[DeviceId], known_anyway: &[OperationId]) -> Vec<&Operation> {
        let said = |device: &DeviceId| {
            let frontier = self.frontier_of(device);
            let heads = frontier.iter().flat_map(|frontier| frontier.content().known.iter().chain(&frontier.content().log_heads));
            heads.copied().chain(known_anyway.iter().copied()).collect::<Vec<OperationId>>()
        };
        // devices that say the same are many: one past for all of them
        let sets: BTreeSet<Vec<OperationId>> = devices.iter().map(said).collect();
        let known = if sets.is_empty() { known_anyway.to_vec() } else { self.log.common(sets.iter().map(Vec::as_slice)) };
        self.log.beyond(&known).unwrap_or_default()
    }

    /// The turns below one without those that every one of these devices has said to know, parents first.
    fn past_lacked_by(&self, turn: &Turn, devices: &[DeviceId]) -> Vec<&Turn> {
        let named = |device: &DeviceId| {
            let frontier = self.frontier_of(device)?;
            let prefix = frontier.content().turn.or(frontier.content().commons_turn)?;
            self.book.known().map(Turn::id).find(|id| turn_prefix(id) == prefix)
        };
        // who names a turn has placed it, and so everything below it
        let named: BTreeSet<Option<TurnId>> = devices.iter().map(named).collect();
        let mut pasts = named.into_iter().map(|named| named.map_or_else(BTreeSet::new, |id| self.book.with_ancestors(&id)));
        let mut known = pasts.next().unwrap_or_default();
        for past in pasts {
            known.retain(|id| past.contains(id));
        }
        let mut past = self.past_of(turn);
        past.retain(|turn| !known.contains(&turn.id()));
        past
    }

    /// The turns below one, parents first, as far back as fits: a team of any age can go on announcing, and only a phone
    /// that missed more than that has to be told the rest in a session.
    fn past_of(&self, turn: &Turn) -> Vec<&Turn> {
        let mut past: Vec<&Turn> = Vec::new();
        let mut seen: BTreeSet<TurnId> = BTreeSet::new();
        let mut next: Vec<TurnId> = turn.parents().to_vec();
        while let Some(id) = next.pop() {
            if seen.insert(id)
                && let Some(known) = self.book.turn(&id)
            {
                next.extend_from_slice(known.parents());
                past.push(known);
            }
        }
        past.sort_by_key(|turn| std::cmp::Reverse(self.book.number(&turn.id())));
        let mut size = 0;
        past.retain(|turn| {
            size += turn.to_bytes().len();
            size <= PAST_TURNS_MAX_BYTES
        });
        past.reverse();
        past
    }
}

pub(super) const fn class_of(role: Role) -> RecipientClass {
    if role.reads_records() { RecipientClass::Records } else { RecipientClass::Commons }
}
