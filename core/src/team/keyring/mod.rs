//! The keys of one device and the rules over them, without a store and without a clock.
//!
//! A keyring composes the team log, the turns, the frontiers of colleagues and this device's receiving keys, and
//! applies rules T1 to T5. It neither reads nor writes anything: whoever holds one persists what
//! [`Keyring::take_changes`] says, and hands in the shift day. Store and simulator call the same functions.
//!
//! | module | holds |
//! |---|---|
//! | `secrets` | what must be sealed at rest |
//! | `turns` | starting, adopting, boxing and destroying turns: T1 to T4 |
//! | `frontiers` | whose receiving key may be used, what is promised: T4, T5 |
//! | `upkeep` | what one phone does for all: the monthly turn, boxes for those who lack one; dormant devices |
//! | `acquaintance` | what a newcomer recognises colleagues by |
//! | `control` | the relay mailbox's control key and the chain that proves it |

mod acquaintance;
mod control;
mod frontiers;
mod secrets;
#[cfg(test)]
mod tests;
mod turns;
mod upkeep;

pub use frontiers::{FrontierNews, device_prefix};
pub use secrets::{KeyringSecrets, KeyringState, KnownFrontier, Lacking, Remembered, Seed, TurnRef};
pub use turns::{Adoption, Usable};
pub use upkeep::TURN_TERM_DAYS;

use super::book::KeptTurn;
use super::escrow::EscrowBoxes;
use super::log::{KeptOperation, Log, LogVerdict, Refusal};
use super::operation::{Action, Operation};
use super::turn::{self, ControlChange, Turn, TurnDraft, TurnError, TurnSecret};
use super::{Recipient, RecipientClass, Role, TurnBook};
use crate::crypto::{ReceivingKey, ReceivingPublicKey, RecordsSecret, SigningKey};
use crate::env::Env;
use satchel_wire::ShiftDay;
use satchel_wire::ids::{DeviceId, TeamId, TurnId};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The keys of one device.
#[derive(Debug)]
pub struct Keyring {
    env: Env,
    signer: SigningKey,
    device: DeviceId,
    pub(crate) log: Log,
    pub(crate) book: TurnBook,
    pub(crate) frontiers: BTreeMap<DeviceId, KnownFrontier>,
    receiving: Vec<Seed>,
    /// The public half of the newest of them, once it was asked for: making it costs more than all else in a frontier.
    receiving_public: RefCell<Option<ReceivingPublicKey>>,
    remembered: Vec<Remembered>,
    control: Vec<Seed>,
    /// By which earlier control key each turn's change was found to be signed: a signature is checked once.
    control_signers: RefCell<BTreeMap<TurnId, [u8; 32]>>,
    escrow: EscrowBoxes,
    state: KeyringState,
    stored_operations: usize,
    changes: KeyringChanges,
}

/// What a keyring is made of, as it was kept.
#[derive(Debug, Default)]
pub struct KeyringParts {
    /// Operations that this store kept, in any order.
    pub kept_operations: Vec<KeptOperation>,
    /// Operations from elsewhere, in any order: judged as they are taken. One of the two holds the founding.
    pub operations: Vec<Operation>,
    /// Turns that this store kept, parents first.
    pub kept: Vec<KeptTurn>,
    /// Turns from elsewhere, in any order: verified as they are taken.
    pub turns: Vec<Turn>,
    /// The secrets.
    pub secrets: KeyringSecrets,
    /// Frontiers by device.
    pub frontiers: BTreeMap<DeviceId, KnownFrontier>,
    /// The small state.
    pub state: KeyringState,
    /// Encoded operations that waited.
    pub held_operations: Vec<Vec<u8>>,
}

/// What has to be stored since it was last asked.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct KeyringChanges {
    /// Operations that the log accepted, parents first.
    pub operations: Vec<Operation>,
    /// Known turns changed.
    pub turns: bool,
    /// Secrets changed: those of held turns, receiving keys, control key.
    pub secrets: bool,
    /// Frontiers changed.
    pub frontiers: bool,
    /// Waiting operations changed.
    pub held_operations: bool,
}

/// How many operations became what (counts).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merge {
    /// New in the log, those that had waited included.
    pub accepted: usize,
    /// Waiting for a parent or a newer version.
    pub held: usize,
    /// Refused for ever.
    pub refused: usize,
}

impl Keyring {
    /// Takes a keyring up as it was kept. Errors: [`Refusal`], [`TurnError`] when the parts do not fit together.
    pub fn open(env: &Env, team: TeamId, signer: SigningKey, parts: KeyringParts) -> Result<Self, TurnError> {
        let KeyringParts { kept_operations, operations, kept, turns, secrets, frontiers, state, held_operations } = parts;
        let mut log = if kept_operations.is_empty() {
            Log::replay(team, operations).map_err(|_| TurnError::Malformed)?
        } else {
            Log::take_back(team, kept_operations).map_err(|_| TurnError::Malformed)?
        };
        let mut book = TurnBook::new(env);
        book.take_back(&kept)?;
        book.learn_all(&mut log, turns)?;
        book.hold(secrets.turns.iter().map(|held| (held.id, held.secret())));
        let stored_operations = log.operations().count();
        let KeyringSecrets { receiving, remembered, control, escrow, .. } = secrets;
        let device = signer.verifying_key().device_id();
        let changes = KeyringChanges::default();
        let mut keyring = Self {
            env: env.clone(),
            signer,
            device,
            log,
            book,
            frontiers,
            receiving,
            receiving_public: RefCell::default(),
            remembered,
            control,
            control_signers: RefCell::default(),
            escrow,
            state,
            stored_operations,
            changes,
        };
        // what waited may be readable by this version
        keyring.merge_operations(&held_operations);
        keyring.changes.held_operations = keyring.held_operations() != held_operations;
        Ok(keyring)
    }

    /// The keyring of a team's founder, around its first turn.
    ///
    /// Errors: [`TurnError::Malformed`] unless `founding` founds a team with this device and receiving key.
    pub fn found(env: &Env, signer: SigningKey, receiving: Seed, founding: Operation) -> Result<Self, TurnError> {
        let Action::Found { device, .. } = founding.action() else { return Err(TurnError::Malformed) };
        let (team, day, control) = (founding.team(), founding.day(), Seed::make(env));
        let secret = RecordsSecret::make(env);
        let mut key = [0; 8];
        key.copy_from_slice(&super::frontier::receiving_hash(&device.receiving)[..8]);
        let recipient = Recipient { device: signer.verifying_key().device_id(), class: RecipientClass::Records, key };
        let public = *SigningKey::from_seed(control.expose()).verifying_key().as_bytes();
        let draft = TurnDraft {
            team,
            parents: Vec::new(),
            recipients: vec![recipient],
            log_heads: vec![founding.id()],
            day,
            control: Some(ControlChange { public, signature: None }),
        };
        let turn = Turn::write(&signer, &secret, draft);
        let secret = TurnSecret::Records(secret);
        let secrets = KeyringSecrets {
            receiving: vec![receiving],
            turns: vec![TurnRef::new(turn.id(), &secret)],
            remembered: vec![Remembered::of(&turn, &secret)],
            control: vec![control],
            ..KeyringSecrets::default()
        };
        let parts = KeyringParts { operations: vec![founding], turns: vec![turn], secrets, ..KeyringParts::default() };
        Self::open(env, team, signer, parts)
    }

    /// The keyring of a device that joins: log, a box with the turn in use, and colleagues' frontiers.
    ///
    /// Errors: [`TurnError::NotEntitled`] when the log does not admit this device, else as for an announcement.
    pub fn join(
        env: &Env,
        team: TeamId,
        signer: SigningKey,
        receiving: Seed,
        operations: Vec<Operation>,
        announcement: &[u8],
        frontiers: &[(Vec<u8>, Option<Vec<u8>>)],
    ) -> Result<Self, TurnError> {
        let opened = turn::open_announcement(team, &[ReceivingKey::from_seed(receiving.expose())], announcement)?;
        let secrets = KeyringSecrets {
            turns: vec![TurnRef::new(opened.turn.id(), &opened.secret)],
            remembered: vec![Remembered::of(&opened.turn, &opened.secret)],
            control: Vec::new(),
            receiving: vec![receiving],
            escrow: EscrowBoxes::of(opened.turn.id(), opened.recovery),
        };
        let mut turns = opened.past;
        turns.push(opened.turn);
        let state = KeyringState { is_receiving_key_spent: true, ..KeyringState::default() };
        let day = turns.last().map_or(ShiftDay::from_days(0), Turn::day);
        let parts = KeyringParts { operations, turns, secrets, state, ..KeyringParts::default() };
        let mut keyring = Self::open(env, team, signer, parts)?;
        if keyring.role().is_none() {
            return Err(TurnError::NotEntitled);
        }
        if let Some(control) = &opened.control {
            keyring.take_control(control);
        }
        for (frontier, receiving) in frontiers {
            keyring.take_frontier(frontier, receiving.as_deref(), 0, day);
        }
        keyring.changes = KeyringChanges::default();
        Ok(keyring)
    }

    /// Writes an operation on top of everything known here. Errors: [`Refusal`].
    pub fn write_operation(&mut self, action: Action, day: ShiftDay) -> Result<Operation, Refusal> {
        let operation = Operation::write(&self.signer, Some(self.log.team()), self.log.heads_to_name(self.device), day, action);
        // what no phone could read back, this one included, is not written
        if Operation::from_bytes(&operation.to_bytes()).is_err() {
            return Err(Refusal::Malformed);
        }
        match self.log.insert(operation.clone()) {
            LogVerdict::Accepted => Ok(operation),
            LogVerdict::Refused(refusal) => Err(refusal),
            LogVerdict::Known | LogVerdict::Held => Err(Refusal::Malformed),
        }
    }

    /// Takes operations from elsewhere. What waits is to be kept over a restart: the relay's cursor passes it.
    pub fn merge_operations(&mut self, operations: &[Vec<u8>]) -> Merge {
        let before = self.log.operations().count();
        let waited = self.held_operations();
        let verdicts = self.log.merge(operations);
        self.changes.held_operations |= self.held_operations() != waited;
        Merge {
            accepted: self.log.operations().count().saturating_sub(before),
            held: verdicts.iter().filter(|verdict| **verdict == LogVerdict::Held).count(),
            refused: verdicts.iter().filter(|verdict| matches!(verdict, LogVerdict::Refused(_))).count(),
        }
    }

    /// What has to be stored since this was last asked.
    pub fn take_changes(&mut self) -> KeyringChanges {
        let mut changes = std::mem::take(&mut self.changes);
        changes.operations = self.log.operations().skip(self.stored_operations).cloned().collect();
        self.stored_operations += changes.operations.len();
        changes
    }

    /// The secrets, to be sealed.
    pub fn secrets(&self) -> KeyringSecrets {
        KeyringSecrets {
            receiving: self.receiving.clone(),
            turns: self.book.held().map(|held| TurnRef::new(held.turn.id(), &held.secret)).collect(),
            remembered: self.remembered.clone(),
            control: self.control.clone(),
            escrow: self.escrow.clone(),
        }
    }

    /// The team.
    pub const fn team(&self) -> TeamId {
        self.log.team()
    }
    /// This device.
    pub const fn device(&self) -> DeviceId {
        self.device
    }
    /// The key that this device signs with.
    pub const fn signer(&self) -> &SigningKey {
        &self.signer
    }
    /// The team log, to ask it what needs its caches. Exists only for tests.
    #[cfg(feature = "adversary")]
    pub const fn dangerous_log(&mut self) -> &mut Log {
        &mut self.log
    }
    /// The team log.
    pub const fn log(&self) -> &Log {
        &self.log
    }
    /// The turns.
    pub const fn book(&self) -> &TurnBook {
        &self.book
    }
    /// The small state.
    pub const fn state(&self) -> &KeyringState {
        &self.state
    }
    /// What outlives turns, newest first.
    pub fn remembered(&self) -> &[Remembered] {
        &self.remembered
    }
    /// Encoded operations that wait for a parent or a newer version of this app.
    pub fn held_operations(&self) -> Vec<Vec<u8>> {
        self.log.held().map(|held| held.bytes.to_vec()).collect()
    }
    /// What recovers the held turns, on a board phone.
    pub const fn escrow(&self) -> &EscrowBoxes {
        &self.escrow
    }
    /// The newest frontier of each device that was heard of.
    pub const fn frontiers(&self) -> &BTreeMap<DeviceId, KnownFrontier> {
        &self.frontiers
    }
    /// This device's role while it and its member are active.
    pub fn role(&self) -> Option<Role> {
        self.log.state().device_role(self.device)
    }
    /// Whether this device may read and write records.
    pub fn reads_records(&self) -> bool {
        self.role().is_some_and(Role::reads_records)
    }
    /// The number of the turn in use; 0 without one.
    pub fn turn_number(&self) -> u32 {
        self.book.usable(&self.log).map_or(0, |held| self.book.number(&held.turn.id()))
    }
    /// The newest turn held, whatever of it.
    pub fn newest_held(&self) -> Option<TurnId> {
        self.book.held().map(|held| held.turn.id()).max_by_key(|id| (self.book.number(id), *id))
    }
    /// Whether a turn's secret is here.
    pub fn holds(&self, turn: &TurnId) -> bool {
        self.book.held().any(|held| held.turn.id() == *turn)
    }
}
