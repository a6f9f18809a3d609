#![allow(clippy::unwrap_used)]

use super::tests::founded;
use super::*;
use crate::screen::ShortText;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use zeroize::Zeroizing;

/// A keystore in memory that can be told to refuse, and remembers what it was shown.
#[derive(Default)]
pub(super) struct Keystore {
    keys: Mutex<BTreeMap<Vec<u8>, [u8; 32]>>,
    shown: Mutex<Vec<Vec<u8>>>,
    refuses: AtomicBool,
}

impl Keystore {
    fn key(&self, alias: &[u8]) -> Result<crate::crypto::KeystoreSecret, ProtectorError> {
        self.keys.lock().unwrap().get(alias).map(crate::crypto::KeystoreSecret::from_bytes).ok_or(ProtectorError::Missing)
    }
    pub(super) fn aliases(&self) -> Vec<Vec<u8>> {
        self.keys.lock().unwrap().keys().cloned().collect()
    }
    pub(super) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }
    fn check(&self) -> Result<(), ProtectorError> {
        if self.refuses.load(Ordering::SeqCst) { Err(ProtectorError::Refused) } else { Ok(()) }
    }
}

impl KeyProtector for Keystore {
    fn create(&self) -> Result<Vec<u8>, ProtectorError> {
        self.check()?;
        let alias = Env::system().random::<16>().to_vec();
        self.keys.lock().unwrap().insert(alias.clone(), Env::system().random());
        Ok(alias)
    }
    fn wrap(&self, alias: &[u8], plain: &[u8]) -> Result<Vec<u8>, ProtectorError> {
        self.shown.lock().unwrap().push(plain.to_vec());
        let aad = crate::crypto::Aad::new(crate::crypto::labels::KEYSTORE);
        crate::crypto::seal(&self.key(alias)?, crate::crypto::Nonce::make(&Env::system()), &aad, plain).map_err(|_| ProtectorError::Refused)
    }
    fn unwrap(&self, alias: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, ProtectorError> {
        self.check()?;
        let aad = crate::crypto::Aad::new(crate::crypto::labels::KEYSTORE);
        crate::crypto::open(&self.key(alias)?, &aad, wrapped).map_err(|_| ProtectorError::Refused)
    }
    fn destroy(&self, alias: &[u8]) -> Result<(), ProtectorError> {
        self.check()?;
        self.keys.lock().unwrap().remove(alias).map(|_| ()).ok_or(ProtectorError::Missing)
    }
    fn is_hardware_bound(&self) -> bool {
        false
    }
}

pub(super) fn with_keystore(dir: &Path) -> (Unlocked, Passphrase, Arc<Keystore>) {
    let (unlocked, passphrase) = founded(dir);
    let keystore = Arc::new(Keystore::default());
    let credentials = Credentials { passphrase: &passphrase, protector: Some(keystore.clone()), cost: KeyCost::Least };
    unlocked.change_credentials(&credentials).unwrap();
    (unlocked, passphrase, keystore)
}

fn zone(unlocked: &Unlocked, name: &str) {
    unlocked.create_zone(&ShortText::parse(name).unwrap()).unwrap();
}

#[test]
fn a_keystore_is_needed_beside_the_passphrase_and_old_slots_die_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (unlocked, old, keystore) = with_keystore(&dir);
    let copied = storage::read_slots(&dir).unwrap();
    let given: Arc<dyn KeyProtector> = keystore.clone();
    assert!(open_slots(&copied, &old, Some(&given)).is_ok(), "positive control");
    let new = Passphrase::new(b"another five words for this").unwrap();
    let credentials = Credentials { passphrase: &new, protector: Some(keystore.clone()), cost: KeyCost::Least };
    unlocked.change_credentials(&credentials).unwrap();
    let store = unlocked.store();
    store.lock();
    assert_eq!(store.unlock(&old, Some(keystore.clone())).unwrap_err(), Error::WrongPassphrase);
    assert_eq!(store.unlock(&new, None).unwrap_err(), Error::WrongPassphrase, "a copied folder and the passphrase are not enough");
    // whoever kept the old slot and learns the old passphrase finds its keystore key gone
    assert_eq!(open_slots(&copied, &old, Some(&given)).err(), Some(Error::WrongPassphrase));
    assert_eq!(keystore.aliases().len(), 1);
    // another phone's keystore is no better than none
    assert_eq!(store.unlock(&new, Some(Arc::new(Keystore::default()))).unwrap_err(), Error::WrongPassphrase);
    let unlocked = store.unlock(&new, Some(keystore.clone())).unwrap();
    assert_eq!(unlocked.promise().unwrap(), Promise::System);
    // and back to a passphrase alone: the keystore is left empty
    unlocked.change_credentials(&Credentials { passphrase: &old, protector: None, cost: KeyCost::Least }).unwrap();
    assert_eq!((keystore.aliases().len(), unlocked.promise().unwrap()), (0, Promise::None));
    store.lock();
    assert!(store.unlock(&old, None).is_ok());
}

#[test]
fn the_store_key_is_replaced_without_the_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (unlocked, passphrase, keystore) = with_keystore(&dir);
    zone(&unlocked, "by the river");
    let given: Arc<dyn KeyProtector> = keystore.clone();
    for round in 0..9 {
        let (copied, before) = (storage::read_slots(&dir).unwrap(), keystore.aliases());
        assert_eq!(unlocked.replace_store_key().unwrap(), KeyReplacement::Done);
        let after = keystore.aliases();
        assert!(after.len() == 1 && after != before, "round {round}");
        assert_eq!(open_slots(&copied, &passphrase, Some(&given)).err(), Some(Error::WrongPassphrase), "round {round}");
        assert_eq!(storage::read_slots(&dir).unwrap().slots.iter().flatten().count(), 1);
    }
    let store = unlocked.store();
    store.lock();
    assert_eq!(store.unlock(&Passphrase::new(b"wrong").unwrap(), Some(keystore.clone())).unwrap_err(), Error::WrongPassphrase);
    let unlocked = store.unlock(&passphrase, Some(keystore.clone())).unwrap();
    assert_eq!(unlocked.zones().unwrap().len(), 1);
    // the keystore never saw a store key: all that it was shown is sealed under what the passphrase gives
    let key = open_slots(&storage::read_slots(&dir).unwrap(), &passphrase, Some(&given)).unwrap().remove(0).1;
    let shown = keystore.shown.lock().unwrap();
    assert!(shown.len() > 9 && shown.iter().all(|plain| !plain.windows(32).any(|window| window == key.expose())));
}

#[test]
fn without_a_keystore_the_key_is_replaced_and_the_answer_says_what_that_is_worth() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (unlocked, passphrase) = founded(&dir);
    let copied = storage::read_slots(&dir).unwrap();
    let key = || open_slots(&storage::read_slots(&dir).unwrap(), &passphrase, None).unwrap().remove(0).1;
    let before = key();
    assert_eq!(unlocked.replace_store_key().unwrap(), KeyReplacement::WithoutKeystore);
    assert!(key() != before);
    assert!(open_slots(&copied, &passphrase, None).unwrap().remove(0).1 == before, "which is what the answer says");
    assert!(unlocked.promise().unwrap().caveats().contains(&Caveat::OldSlotsStillOpen));
}

#[test]
fn a_keystore_that_refuses_holds_nothing_up_and_the_replacement_stays_due() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (unlocked, passphrase, keystore) = with_keystore(&dir);
    let before = keystore.aliases();
    keystore.refuse(true);
    assert_eq!(unlocked.replace_store_key().unwrap(), KeyReplacement::Due);
    zone(&unlocked, "by the river");
    let credentials = Credentials { passphrase: &passphrase, protector: Some(keystore.clone()), cost: KeyCost::Least };
    assert_eq!(unlocked.change_credentials(&credentials).unwrap_err(), Error::Keystore(ProtectorError::Refused));
    assert_eq!(keystore.aliases(), before);
    keystore.refuse(false);
    let store = unlocked.store();
    store.lock();
    let unlocked = store.unlock(&passphrase, Some(keystore.clone())).unwrap();
    assert_eq!(unlocked.key_replacement().unwrap(), KeyReplacement::Due, "also after a lock");
    zone(&unlocked, "at the bridge");
    assert_eq!(unlocked.key_replacement().unwrap(), KeyReplacement::Done);
    assert!(keystore.aliases().len() == 1 && keystore.aliases() != before);
    assert_eq!(unlocked.zones().unwrap().len(), 2);
}

#[test]
fn a_transaction_that_fails_after_the_slot_was_written_goes_back_to_the_old_key() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (unlocked, passphrase, keystore) = with_keystore(&dir);
    let before = keystore.aliases();
    // what a kill between the slots and the commit leaves: both slots, the old root
    {
        let mut inner = unlocked.shared.lock_inner();
        let Inner { vault, opener, .. } = &mut *inner;
        let (vault, opener) = (vault.as_mut().unwrap(), opener.as_mut().unwrap());
        let begun = rekey::begin(&Env::system(), &dir, opener, None, vault).unwrap();
        rekey::take_back(begun, opener, vault);
    }
    assert_eq!(storage::read_slots(&dir).unwrap().slots.iter().flatten().count(), 2);
    assert_eq!(keystore.aliases().len(), 2);
    let store = unlocked.store();
    store.lock();
    assert_eq!(store.unlock(&Passphrase::new(b"wrong").unwrap(), Some(keystore.clone())).unwrap_err(), Error::WrongPassphrase);
    let unlocked = store.unlock(&passphrase, Some(keystore.clone())).unwrap();
    assert_eq!((keystore.aliases(), unlocked.key_replacement().unwrap()), (before, KeyReplacement::Done), "unlocking tidied up");
    assert_eq!(storage::read_slots(&dir).unwrap().slots.iter().flatten().count(), 1);
    zone(&unlocked, "by the river");
}
