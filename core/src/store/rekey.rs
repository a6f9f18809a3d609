//! Replacing the store key: what was erased stays unreadable in every old copy of the files.
//!
//! A copy of the medium (flash cells that were not reused yet, a backup, a police image) holds old slots and old roots.
//! So an erasure makes a new store key, seals the root under it, and wraps it in a new slot under a new keystore key;
//! then the old keystore key is destroyed, and with it every copy of the old slot. The passphrase is not needed: what
//! Argon2id made of it at unlocking is kept until the lock ([`Opener`]).
//!
//! | step | a kill after it leaves |
//! |---|---|
//! | 1. new keystore key | a key that wraps nothing |
//! | 2. slot file with the old and the new slot | two slots; the root opens with the old one |
//! | 3. the transaction, root under the new key | two slots; the root opens with the new one |
//! | 4. old keystore key destroyed | the same, the old slot opens no more |
//! | 5. slot file with the new slot alone | nothing to do |
//!
//! Each state opens with the same credentials: the root itself says which slot counts. The next write finishes steps 4
//! and 5, and unlocking makes one where there are two slots. When step 1 or 2 fails, the transaction goes on without
//! them and the replacement stays due: an erasure is never held up by a keystore that refuses.

use super::unlocking::Opener;
use super::vault::Vault;
use super::{Credentials, KeyProtector, Promise, ProtectorError, Unlocked, wipe_stack};
use crate::crypto::StoreKey;
use crate::env::Env;
use crate::error::Error;
use crate::storage::{self, Database, SLOT_FILLER_BYTES};
use std::path::Path;
use std::sync::Arc;

/// What a replacement gave, until its transaction is on disk.
pub(super) struct Replacement {
    old_key: StoreKey,
    old_opener: Opener,
}

impl Replacement {
    /// The keystore of the slot that was replaced.
    pub(super) const fn former(&self) -> Option<&Arc<dyn KeyProtector>> {
        self.old_opener.protector.as_ref()
    }
}

/// Whether the store key was replaced, and what that is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyReplacement {
    /// Old slots open nothing any more: their keystore key is destroyed.
    Done,
    /// There is no keystore: an old slot that the medium kept still opens old copies, with the passphrase of its time.
    WithoutKeystore,
    /// The keystore or the medium refused; the next write tries again.
    Due,
}

/// Steps 1 and 2, inside the transaction. The caller seals the root and commits.
pub(super) fn begin(env: &Env, dir: &Path, opener: &mut Opener, next: Option<Opener>, vault: &mut Vault) -> Result<Replacement, Error> {
    let mut slots = storage::read_slots(dir)?;
    let mut next = next.unwrap_or_else(|| opener.duplicate());
    next.number = slots.slots.iter().position(Option::is_none).ok_or(Error::Damaged)?;
    let key = StoreKey::make(env);
    let slot = next.slot(env, &slots.store_id, &key)?;
    let alias = slot.keystore_alias().to_vec();
    if let Some(place) = slots.slots.get_mut(next.number) {
        *place = Some(slot);
    }
    if let Err(error) = storage::write_slots(dir, &slots, &env.random::<SLOT_FILLER_BYTES>()) {
        // whether or not the file was replaced: the old slot is in either, and this key opens nothing yet
        if let Some(protector) = &next.protector {
            let _ = protector.destroy(&alias);
        }
        return Err(error.into());
    }
    Ok(Replacement { old_key: vault.replace_store_key(key), old_opener: std::mem::replace(opener, next) })
}

/// The transaction failed: memory goes back to the old key. Both slots stay in the file until a write has succeeded,
/// since a commit that reported a failure may still be found after a power cut.
pub(super) fn take_back(replacement: Replacement, opener: &mut Opener, vault: &mut Vault) {
    vault.replace_store_key(replacement.old_key);
    *opener = replacement.old_opener;
}

/// Steps 4 and 5, after a transaction whose root this opener's slot opens. True when no other slot is left.
///
/// `former` is the keystore of the old slot, if new credentials brought another one.
pub(super) fn settle(
    env: &Env,
    dir: &Path,
    opener: &Opener,
    former: Option<&Arc<dyn KeyProtector>>,
    database: &mut Database,
) -> Result<bool, Error> {
    let mut slots = storage::read_slots(dir)?;
    let keystores: Vec<&Arc<dyn KeyProtector>> = opener.protector.iter().chain(former).collect();
    let mut is_settled = true;
    for (_, place) in slots.slots.iter_mut().enumerate().filter(|(number, _)| *number != opener.number) {
        let Some(slot) = place else { continue };
        let alias = slot.keystore_alias();
        let is_gone = |keystore: &&Arc<dyn KeyProtector>| matches!(keystore.destroy(alias), Ok(()) | Err(ProtectorError::Missing));
        if alias.is_empty() || (!keystores.is_empty() && keystores.iter().filter(|keystore| !is_gone(keystore)).count() == 0) {
            *place = None;
        } else {
            // the slot stays, so that its key is still named when the keystore is there again
            is_settled = false;
        }
    }
    storage::write_slots(dir, &slots, &env.random::<SLOT_FILLER_BYTES>())?;
    // old roots in the log are sealed under a key that is gone; cutting the log is tidiness, and tried again at closing
    let _ = database.checkpoint();
    Ok(is_settled)
}

impl Unlocked {
    /// Replaces store key, slot and keystore key, as every erasure does. Needs no passphrase.
    ///
    /// Errors: [`Error::Locked`] and the medium's; a keystore that refuses is [`KeyReplacement::Due`].
    pub fn replace_store_key(&self) -> Result<KeyReplacement, Error> {
        self.write(|vault, _| {
            vault.require_new_store_key();
            Ok(())
        })?;
        self.key_replacement()
    }

    /// What the last replacement of the store key is worth, or that one is due.
    pub fn key_replacement(&self) -> Result<KeyReplacement, Error> {
        let inner = self.alive()?;
        let (Some(vault), Some(opener)) = (&inner.vault, &inner.opener) else { return Err(Error::Locked) };
        Ok(match opener.promise() {
            _ if vault.state.is_rekey_due || inner.has_other_slots => KeyReplacement::Due,
            Promise::None => KeyReplacement::WithoutKeystore,
            _ => KeyReplacement::Done,
        })
    }

    /// What stands between a copied folder and a guessed passphrase, as the store was opened now.
    pub fn promise(&self) -> Result<Promise, Error> {
        self.alive()?.opener.as_ref().map(Opener::promise).ok_or(Error::Locked)
    }

    /// Takes new credentials, and replaces store key and slot with them. Slow on purpose: Argon2id.
    ///
    /// A kill half-way leaves a store that opens with the old credentials or with the new ones. Without a keystore an
    /// old slot may survive in flash: it opens copies of the old files with the old passphrase, and not what is
    /// written from now on. Errors: those of the credentials, [`Error::Keystore`] and the medium's; then nothing has changed.
    pub fn change_credentials(&self, credentials: &Credentials<'_>) -> Result<(), Error> {
        // outside the store's lock: Argon2id takes its time
        let next = Opener::make(self.env(), credentials)?;
        let done = self.transact(Some(next), |_, _| Ok(()));
        wipe_stack();
        done
    }
}
