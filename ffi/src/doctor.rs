//! How a store stands: what protects it, what it waits for, whether its files are whole.

use crate::charter::KeyState;
use crate::complaints::BoardStatus;
use crate::error::{FfiError, call};
use crate::recovery::RecoveryStatus;
use crate::unlocked::{Unlocked, Waiting};
use satchel_core::storage::{self, SlotKind};
use satchel_core::store::{KeyReplacement, Promise};
use satchel_wire::ShiftDay;
use std::path::Path;

/// What opens a key slot.
#[uniffi::remote(Enum)]
pub enum SlotKind {
    /// A passphrase alone: a copy of the folder can be guessed at.
    Passphrase,
    /// A passphrase and a secret in the platform's keystore.
    PassphraseKeystore,
    /// A PIN and a hardware-bound secret in the platform's keystore.
    PinKeystore,
    /// A recovery key.
    Recovery,
}

/// One way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct KeySlot {
    /// What opens it.
    pub kind: SlotKind,
    /// What one try costs: memory (KiB).
    pub memory_kib: u32,
    /// Passes (count).
    pub passes: u32,
    /// Lanes (count).
    pub lanes: u32,
}

/// The ways into the store in the folder `dir`, without opening it. Errors: [`FfiError::Storage`].
#[uniffi::export]
pub fn key_slots(dir: &str) -> Result<Vec<KeySlot>, FfiError> {
    call(|| {
        let file = storage::read_slots(Path::new(dir)).map_err(satchel_core::Error::from)?;
        let line = |slot: &storage::Slot| {
            let cost = slot.cost();
            KeySlot { kind: slot.kind(), memory_kib: cost.memory_kib(), passes: cost.passes(), lanes: cost.lanes() }
        };
        Ok(file.slots.iter().flatten().map(line).collect())
    })
}

/// How a store stands. Holds nothing about a participant: fit for a screen, not for a log, since it names days and phones.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Diagnosis {
    /// Today as this store believes it.
    pub today: ShiftDay,
    /// The date jumped and nobody confirmed it: nothing is destroyed by age. Remedy: `confirm_date`.
    pub is_date_in_doubt: bool,
    /// This store is an old copy: nothing leaves it until a steward answers.
    pub is_copied: bool,
    /// Whether the files are what was written. Otherwise: copy the folder away and join the team again.
    pub are_files_whole: bool,
    /// What stands between a copied folder and a guessed passphrase.
    pub promise: Promise,
    /// Whether the store key was replaced since the last erasure.
    pub key_replacement: KeyReplacement,
    /// The keys that are here, and until when.
    pub keys: KeyState,
    /// What has not reached the relay, and what is held back.
    pub waiting: Waiting,
    /// Day of the last meeting with a colleague's phone or the relay.
    pub last_contact: Option<ShiftDay>,
    /// Operations that wait for this member's signature (count).
    pub waiting_for_my_signature: u32,
    /// Pieces of work of removed phones that a steward may adopt (count).
    pub waiting_beyond_cut: u32,
    /// Erasures that some phone has not confirmed (count).
    pub unsettled_erasures: u32,
    /// Whether the team comes back after every phone is lost.
    pub recovery: RecoveryStatus,
    /// The board, and whether its bulletin is overdue.
    pub board: BoardStatus,
    /// When the next review of the charter by participants and board is due.
    pub review_due: ShiftDay,
}

#[uniffi::export]
impl Unlocked {
    /// How this store stands. Reads the whole file: call it off the main thread. Errors: [`FfiError::Locked`], [`FfiError::Storage`].
    pub fn doctor(&self) -> Result<Diagnosis, FfiError> {
        call(|| {
            let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            let core = self.core();
            let team = core.team()?;
            Ok(Diagnosis {
                today: core.today()?,
                is_date_in_doubt: core.is_date_in_doubt()?,
                is_copied: team.is_copied,
                are_files_whole: core.store().check().is_ok(),
                promise: core.promise()?,
                key_replacement: core.key_replacement()?,
                keys: self.key_state()?,
                waiting: self.waiting()?,
                last_contact: team.last_contact,
                waiting_for_my_signature: count(core.awaiting_countersignature()?.iter().filter(|waits| waits.may_sign).count()),
                waiting_beyond_cut: count(core.waiting_beyond_cut()?.len()),
                unsettled_erasures: count(core.erasures()?.iter().filter(|receipt| !receipt.is_settled).count()),
                recovery: core.recovery_status()?.into(),
                board: self.board_status()?,
                review_due: core.review_due()?,
            })
        })
    }
}

/// What a phone holds, in one line that people may compare: it tells nothing to who does not hold the same.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Likeness {
    /// Live bodies (count).
    pub bodies: u32,
    /// 64 hexadecimal digits, over their ids and everything that lists and files show today.
    pub digest: String,
}

#[uniffi::export]
impl Unlocked {
    /// Whether two phones hold the same: after they exchanged everything, on the same day, both say the same.
    pub fn likeness(&self) -> Result<Likeness, FfiError> {
        call(|| {
            let likeness = self.core().likeness()?;
            let digest = likeness.digest.iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(Likeness { bodies: u32::try_from(likeness.bodies).unwrap_or(u32::MAX), digest })
        })
    }
}
