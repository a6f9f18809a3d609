//! From slots and credentials to the store key, and what is kept of that while the store is unlocked.

use super::{Credentials, KeyProtector, Promise};
use crate::crypto::{self, Aad, Argon2Params, Passphrase, StoreKey, UnlockKey, labels};
use crate::env::Env;
use crate::error::Error;
use crate::storage::{Argon2Cost, Slot, SlotFile, SlotKind};
use std::sync::Arc;

/// What a slot opens with, kept while the store is unlocked: with it the store key can be replaced without asking for
/// the passphrase again, and the passphrase itself is nowhere.
///
/// The unlock key is wiped when the store is locked. Whoever takes it from the memory of an unlocked phone has the
/// store key as well; for later slots they still need the keystore.
pub(super) struct Opener {
    pub kind: SlotKind,
    pub cost: Argon2Cost,
    pub salt: [u8; 16],
    pub unlock_key: UnlockKey,
    /// The platform's keystore as it was given, also for a slot that does without.
    pub protector: Option<Arc<dyn KeyProtector>>,
    /// Which slot it opened.
    pub number: usize,
}

impl Opener {
    /// From credentials to be used for the first time. Slow on purpose: Argon2id.
    pub(super) fn make(env: &Env, credentials: &Credentials<'_>) -> Result<Self, Error> {
        let kind = if credentials.protector.is_some() { SlotKind::PassphraseKeystore } else { SlotKind::Passphrase };
        let salt = env.random::<16>();
        let params = credentials.cost.params()?;
        let unlock_key = crypto::derive_unlock_key(credentials.passphrase, &salt, params, kind.has_keystore())?;
        let cost = Argon2Cost::new(params.memory_kib(), params.passes(), params.lanes())?;
        Ok(Self { kind, cost, salt, unlock_key, protector: credentials.protector.clone(), number: 0 })
    }

    /// The same credentials for another slot.
    pub(super) fn duplicate(&self) -> Self {
        let unlock_key = self.unlock_key.duplicate();
        Self { kind: self.kind, cost: self.cost, salt: self.salt, unlock_key, protector: self.protector.clone(), number: self.number }
    }

    /// A slot for these credentials under a fresh keystore key. Errors: [`Error::Keystore`].
    pub(super) fn slot(&self, env: &Env, store_id: &[u8; 16], key: &StoreKey) -> Result<Slot, Error> {
        let protector = self.protector.as_ref().filter(|_| self.kind.has_keystore());
        let alias = protector.map_or(Ok(Vec::new()), |protector| protector.create())?;
        let aad = slot_aad(store_id, self.number, self.kind, &alias);
        let wrapped = crypto::wrap_store_key(env, &self.unlock_key, &aad, key).map_err(|_| Error::Damaged)?;
        let wrapped = match protector {
            Some(protector) => protector.wrap(&alias, &wrapped)?,
            None => wrapped,
        };
        Ok(Slot::new(self.kind, self.cost, self.salt, &alias, &wrapped)?)
    }

    /// What stands between a copied folder and a guessed passphrase.
    pub(super) fn promise(&self) -> Promise {
        self.protector.as_ref().filter(|_| self.kind.has_keystore()).map_or(Promise::None, |protector| protector.promise())
    }
}

/// Every slot that the given credentials open: while the key is being replaced there are two, and the root says which one counts.
///
/// Errors: [`Error::WrongPassphrase`], the same for every reason.
pub(super) fn open_slots(
    slots: &SlotFile,
    passphrase: &Passphrase,
    protector: Option<&Arc<dyn KeyProtector>>,
) -> Result<Vec<(Opener, StoreKey)>, Error> {
    let mut opened: Vec<(Opener, StoreKey)> = Vec::new();
    let mut tried: Option<Opener> = None;
    for (number, slot) in slots.slots.iter().enumerate() {
        let Some(slot) = slot else { continue };
        let keystore = match (slot.kind(), protector) {
            (SlotKind::Passphrase | SlotKind::Recovery, _) => None,
            (SlotKind::PassphraseKeystore, Some(protector)) => Some(protector),
            (SlotKind::PinKeystore, Some(protector)) if protector.is_hardware_bound() => Some(protector),
            _ => continue,
        };
        let wrapped = match keystore {
            None => zeroize::Zeroizing::new(slot.wrapped_key().to_vec()),
            Some(keystore) => match keystore.unwrap(slot.keystore_alias(), slot.wrapped_key()) {
                Ok(wrapped) => wrapped,
                Err(_) => continue,
            },
        };
        // slots of one passphrase share its salt: stretched once, however many there are
        let opener = match tried.take() {
            Some(opener) if opener.kind == slot.kind() && opener.cost == slot.cost() && opener.salt == *slot.salt() => opener,
            _ => {
                let cost = slot.cost();
                let params = Argon2Params::new(cost.memory_kib(), cost.passes(), cost.lanes())?;
                let unlock_key = crypto::derive_unlock_key(passphrase, slot.salt(), params, slot.kind().has_keystore())?;
                Opener { kind: slot.kind(), cost, salt: *slot.salt(), unlock_key, protector: protector.cloned(), number }
            }
        };
        let aad = slot_aad(&slots.store_id, number, slot.kind(), slot.keystore_alias());
        if let Ok(key) = crypto::unwrap_store_key(&opener.unlock_key, &aad, &wrapped) {
            opened.push((Opener { number, ..opener.duplicate() }, key));
        }
        tried = Some(opener);
    }
    if opened.is_empty() { Err(Error::WrongPassphrase) } else { Ok(opened) }
}

fn slot_aad(store_id: &[u8; 16], number: usize, kind: SlotKind, alias: &[u8]) -> Aad {
    let kind = match kind {
        SlotKind::Passphrase => 1,
        SlotKind::PassphraseKeystore => 2,
        SlotKind::PinKeystore => 3,
        SlotKind::Recovery => 4,
    };
    Aad::new(labels::SLOT).add(store_id).add(&[number as u8, kind]).add(alias)
}
