//! Replacing the store key while the store is unlocked, without the passphrase.
//!
//! Old copies of the file may survive in flash: what was taken out of the root (a record's page key, a turn, a receiving
//! key) is gone only once the key that sealed those old roots is. Order, so that a kill at any point leaves a store
//! that opens, with at most one leftover slot that the next unlock removes:
//!
//! 1. the slot of the new store key is on disk beside the old one;
//! 2. the transaction commits, with the root under the new key;
//! 3. the log is cut to nothing;
//! 4. the slot file holds the new slot alone;
//! 5. the keystore secret of the old slot is destroyed.
//!
//! The slot's own unlock key stays in memory for this while the store is unlocked: it opens no more than the store key
//! beside it does. A slot without a keystore has no secret to destroy, and an old copy of it still opens with the
//! passphrase: [`PlatformNote::PassphraseOnly`] says so.

use super::slot_aad;
use super::vault::Vault;
use crate::crypto::{self, StoreKey, UnlockKey};
use crate::env::Env;
use crate::error::Error;
use crate::rules::Rule;
use crate::storage::{self, Database, Slot, SlotKind};
use std::path::PathBuf;

/// What the platform can promise about an erasure on this phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlatformNote {
    /// The keystore secret is replaced: old copies of the files open no more, as finally as the keystore deletes keys.
    KeystoreReplaced,
    /// There is no keystore: an old copy of the files, kept by flash or a backup, still opens with the passphrase.
    PassphraseOnly,
    /// The store key could not be replaced yet. Remedy: unlock again with the keystore at hand.
    NotYet,
}

impl PlatformNote {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeystoreReplaced => "keystore_replaced",
            Self::PassphraseOnly => "passphrase_only",
            Self::NotYet => "not_yet",
        }
    }
}

/// The slot that opened the store, and what wrapping a new store key for it takes.
pub(super) struct OpenedSlot {
    pub dir: PathBuf,
    pub number: usize,
    pub unlock_key: UnlockKey,
}

/// A replacement that is on its way to disk.
pub(super) struct Replacement {
    /// The key in force if the transaction fails.
    previous: StoreKey,
    slot: Slot,
    number: usize,
}

impl OpenedSlot {
    /// A second slot for a new store key, which the same passphrase opens. None where that takes a keystore.
    fn slot_for(&self, env: &Env, key: &StoreKey) -> Result<Option<(usize, Slot)>, Error> {
        let slots = storage::read_slots(&self.dir)?;
        let Some(Some(old)) = slots.slots.get(self.number) else { return Err(Error::Damaged) };
        if old.kind() != SlotKind::Passphrase {
            return Ok(None);
        }
        let number = (self.number + 1) % storage::SLOT_COUNT;
        let aad = slot_aad(&slots.store_id, number, old.kind(), old.keystore_alias());
        let wrapped = crypto::wrap_store_key(env, &self.unlock_key, &aad, key).map_err(|_| Error::Damaged)?;
        let slot = Slot::new(old.kind(), old.cost(), *old.salt(), old.keystore_alias(), &wrapped)?;
        let mut both = slots;
        if let Some(place) = both.slots.get_mut(number) {
            *place = Some(slot.clone());
        }
        storage::stage_slots(&self.dir, &both, &env.random())?;
        Ok(Some((number, slot)))
    }
}

impl Vault {
    /// Step 1, right before the root is sealed. From here on the vault seals under the new key.
    pub(super) fn stage_store_key(&mut self) -> Result<(), Error> {
        if !self.env.holds(Rule::ReplaceStoreKey) || self.replacement.is_some() {
            return Ok(());
        }
        let Some(opened) = &self.opened else { return Ok(()) };
        let key = StoreKey::make(&self.env);
        let Some((number, slot)) = opened.slot_for(&self.env, &key)? else { return Ok(()) };
        let previous = std::mem::replace(&mut self.store_key, key);
        self.replacement = Some(Replacement { previous, slot, number });
        Ok(())
    }

    /// The transaction failed: the old key is in force. The new slot is removed when the next one is written.
    pub(super) fn drop_staged_key(&mut self) {
        if let Some(replacement) = self.replacement.take() {
            self.store_key = replacement.previous;
        }
    }

    /// Steps 3 to 5, after the transaction committed. An error leaves what the next unlock finishes.
    pub(super) fn finish_store_key(&mut self, database: &mut Database) -> Result<(), Error> {
        let Some(replacement) = self.replacement.take() else { return Ok(()) };
        let number = replacement.number;
        if let Some(opened) = &mut self.opened {
            opened.number = number;
        }
        keep_slot(database, &self.env, &self.store_id, number, replacement.slot)
    }

    /// What the platform promises of the last replacement.
    pub(super) const fn platform_note(&self) -> PlatformNote {
        match &self.opened {
            Some(_) => PlatformNote::PassphraseOnly,
            None => PlatformNote::NotYet,
        }
    }
}

/// Makes one slot the only one.
pub(super) fn keep_slot(database: &mut Database, env: &Env, store_id: &[u8; 16], number: usize, slot: Slot) -> Result<(), Error> {
    database.checkpoint()?;
    let mut slots = storage::SlotFile::new(*store_id);
    if let Some(place) = slots.slots.get_mut(number) {
        *place = Some(slot);
    }
    Ok(database.write_slots(&slots, &env.random::<{ storage::SLOT_FILLER_BYTES }>())?)
}
