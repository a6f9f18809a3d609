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

#[test]
fn an_erased_device_is_empty_locked_or_not_and_its_keystore_too() {
    for is_locked in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("store");
        let (unlocked, passphrase, keystore) = with_keystore(&dir);
        let copied = storage::read_slots(&dir).unwrap();
        let store = unlocked.store();
        if is_locked {
            store.lock();
        }
        let erased = store.erase_device(is_locked.then(|| keystore.clone() as Arc<dyn KeyProtector>)).unwrap();
        assert_eq!(erased, DeviceErasure { are_keys_gone: true, are_files_gone: true });
        assert_eq!(unlocked.zones().unwrap_err(), Error::Locked);
        assert!(!dir.exists() && keystore.aliases().is_empty());
        let given: Arc<dyn KeyProtector> = keystore;
        assert_eq!(open_slots(&copied, &passphrase, Some(&given)).err(), Some(Error::WrongPassphrase));
        assert_eq!(Store::open(&dir, Env::system()).unwrap_err(), StorageError::NotFound.into());
    }
}

/// Which key a damaged slot file names, nobody can say: nor that it is destroyed.
#[test]
fn a_damaged_slot_file_is_not_said_to_have_no_keys() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (unlocked, _, keystore) = with_keystore(&dir);
    let mut slots = std::fs::read(dir.join("slots")).unwrap();
    slots[3] ^= 1;
    std::fs::write(dir.join("slots"), slots).unwrap();
    let store = unlocked.store();
    let erased = store.erase_device(Some(keystore.clone() as Arc<dyn KeyProtector>)).unwrap();
    assert_eq!((erased.are_keys_gone, keystore.aliases().len()), (false, 1), "control: the key does live on");
    // asked again: it does not say yes then, and no folder stays behind for a key that nobody can name
    let again = Store::erase_device_in(&dir, &Env::system(), Some(keystore.clone()));
    assert_eq!(again.unwrap_err(), StorageError::NotFound.into());
}

/// The same when the process was killed half-way: the slots are gone, and with them what tells that they were damaged.
#[test]
fn an_erasure_that_goes_on_after_a_kill_still_knows_that_the_slot_file_was_damaged() {
    let folder = tempfile::tempdir().unwrap();
    for damaged in [true, false] {
        let dir = folder.path().join(if damaged { "damaged" } else { "whole" });
        let (unlocked, _, keystore) = with_keystore(&dir);
        drop(unlocked);
        if damaged {
            std::fs::write(dir.join("slots"), b"no slots").unwrap();
        }
        storage::mark_erasing(&dir, &storage::keys_to_destroy(&dir)).unwrap();
        // overwritten, and not yet removed
        std::fs::write(dir.join("slots"), Env::system().random::<{ storage::SLOT_FILE_BYTES }>()).unwrap();
        let erased = Store::erase_device_in(&dir, &Env::system(), Some(keystore.clone())).unwrap();
        assert_eq!((erased.are_keys_gone, keystore.aliases().len()), (!damaged, usize::from(damaged)), "{damaged}");
        assert!(erased.are_files_gone && !dir.exists());
    }
}

/// The key of what waits outside the store is one of them.
#[test]
fn a_damaged_inbox_key_is_not_said_to_be_gone() {
    let folder = tempfile::tempdir().unwrap();
    for damaged in [true, false] {
        let dir = folder.path().join(if damaged { "damaged" } else { "whole" });
        let (unlocked, _, keystore) = with_keystore(&dir);
        if damaged {
            std::fs::write(dir.join("inbox"), b"no key").unwrap();
        }
        let erased = unlocked.store().erase_device(Some(keystore.clone() as Arc<dyn KeyProtector>)).unwrap();
        assert_eq!((erased.are_keys_gone, keystore.aliases().len()), (!damaged, 0), "{damaged}");
    }
}

#[test]
fn a_keystore_that_refuses_an_erasure_is_asked_again_and_the_slots_are_gone_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (unlocked, passphrase, keystore) = with_keystore(&dir);
    let store = unlocked.store();
    keystore.refuse(true);
    assert_eq!(store.erase_device(None).unwrap(), DeviceErasure { are_keys_gone: false, are_files_gone: true });
    keystore.refuse(false);
    assert!(storage::read_slots(&dir).is_err() && !dir.join("store.sqlite").exists());
    assert!(store.unlock(&passphrase, Some(keystore.clone())).is_err());
    for _ in 0..2 {
        assert_eq!(Store::open(&dir, Env::system()).unwrap_err(), StorageError::Erased.into(), "until the key is gone as well");
    }
    assert_eq!(keystore.aliases().len(), 1);
    let erased = Store::erase_device_in(&dir, &Env::system(), Some(keystore.clone())).unwrap();
    assert_eq!((erased.are_keys_gone, keystore.aliases().len(), dir.exists()), (true, 0, false));
}

#[test]
fn a_lock_refuses_new_calls_at_once_and_an_erasure_waits_for_no_call() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (unlocked, _, keystore) = with_keystore(&dir);
    let store = unlocked.store();
    let (started, is_started) = std::sync::mpsc::channel();
    let (release, is_released) = std::sync::mpsc::channel::<()>();
    let long = unlocked.clone();
    let running = std::thread::spawn(move || {
        long.write(|vault, _| {
            started.send(()).unwrap();
            is_released.recv().unwrap();
            // an erasure of something that runs while the device is erased makes a new slot: it must not survive
            vault.require_new_store_key();
            Ok(())
        })
    });
    is_started.recv().unwrap();
    let erasing = {
        let (store, keystore) = (store.clone(), keystore.clone());
        std::thread::spawn(move || store.erase_device(Some(keystore)))
    };
    // the long call still runs, and yet keys and slots go
    while !keystore.aliases().is_empty() || storage::read_slots(&dir).is_ok() {
        std::thread::yield_now();
    }
    assert_eq!(unlocked.zones().unwrap_err(), Error::Locked, "without waiting for the call that runs");
    assert!(!erasing.is_finished());
    release.send(()).unwrap();
    let _ = running.join().unwrap();
    assert!(erasing.join().unwrap().unwrap().are_keys_gone);
    assert!(keystore.aliases().is_empty() && !dir.exists());
}

#[test]
fn a_store_locks_itself_when_nobody_uses_it_or_the_clock_cannot_be_right() {
    let clock = crate::env::testing::TestClock::at(1_795_377_600);
    let env = Env::new(clock.clone(), crate::env::testing::SeededRandomness::new(1));
    let folder = tempfile::tempdir().unwrap();
    let passphrase = Passphrase::new(b"correct horse battery staple").unwrap();
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost: KeyCost::Least };
    let founding = Founding { time_zone: "America/Los_Angeles".into(), member_name: ShortText::parse("Ana").unwrap() };
    let unlocked = Store::found(&folder.path().join("store"), env, &credentials, &founding).unwrap().unlocked;
    let store = unlocked.store();
    clock.set(1_795_377_600 + 86_400);
    assert!(unlocked.zones().is_ok() && !store.lock_if_idle(), "never, until it is asked for");
    let mut now = 1_795_377_600 + 86_400;
    store.lock_after(Some(300));
    for step in [299, 200, 299] {
        now += step;
        clock.set(now);
        assert!(unlocked.zones().is_ok());
    }
    // set right by a few seconds
    clock.set(now - 50);
    assert!(unlocked.zones().is_ok() && !store.lock_if_idle());
    for wrong in [now - 50 + 300, now - 50 - 61, 0, u64::MAX] {
        clock.set(now - 50);
        let unlocked = store.unlock(&passphrase, None).unwrap();
        assert!(unlocked.zones().is_ok());
        clock.set(wrong);
        assert_eq!(unlocked.zones().unwrap_err(), Error::Locked, "{wrong}");
        assert!(!store.is_unlocked());
        clock.set(now - 50);
        let unlocked = store.unlock(&passphrase, None).unwrap();
        assert!(!store.lock_if_idle());
        clock.set(wrong);
        assert!(store.lock_if_idle(), "{wrong}: a host's timer finds the same");
        assert_eq!(unlocked.zones().unwrap_err(), Error::Locked);
    }
}

#[test]
fn a_phone_that_calls_by_itself_locks_itself_all_the_same() {
    let clock = crate::env::testing::TestClock::at(1_795_377_600);
    let env = Env::new(clock.clone(), crate::env::testing::SeededRandomness::new(3));
    let folder = tempfile::tempdir().unwrap();
    let passphrase = Passphrase::new(b"correct horse battery staple").unwrap();
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost: KeyCost::Least };
    let founding = Founding { time_zone: "America/Los_Angeles".into(), member_name: ShortText::parse("Ana").unwrap() };
    let unlocked = Store::found(&folder.path().join("store"), env, &credentials, &founding).unwrap().unlocked;
    let (store, by_itself) = (unlocked.store(), unlocked.unattended());
    let mut now = 1_795_377_600;
    store.lock_after(Some(300));
    for _ in 0..3 {
        now += 200;
        clock.set(now);
        assert!(unlocked.zones().is_ok(), "control: somebody uses it");
    }
    for step in [200, 99] {
        now += step;
        clock.set(now);
        assert!(by_itself.zones().is_ok() && by_itself.clone().waiting().is_ok());
    }
    clock.set(now + 1);
    assert_eq!(by_itself.zones().unwrap_err(), Error::Locked, "what runs by itself kept nothing open, and ends with it");
    assert!(!store.is_unlocked());
}

#[test]
fn wrong_passphrases_are_slowed_down_and_nobody_is_locked_out() {
    let clock = crate::env::testing::TestClock::at(1_795_377_600);
    let env = Env::new(clock.clone(), crate::env::testing::SeededRandomness::new(2));
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (unlocked, passphrase) = founded(&dir);
    drop(unlocked);
    let wrong = Passphrase::new(b"wrong").unwrap();
    let store = Store::open(&dir, env.clone()).unwrap();
    for _ in 0..10 {
        assert_eq!(store.unlock(&wrong, None).unwrap_err(), Error::WrongPassphrase);
    }
    assert_eq!(store.unlock(&passphrase, None).unwrap_err(), Error::TooSoon { seconds: 1 });
    drop(store);
    // kept over a restart; the wait grows, up to a minute
    let store = Store::open(&dir, env).unwrap();
    let mut now = 1_795_377_600;
    for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(store.unlock(&wrong, None).unwrap_err(), Error::TooSoon { seconds: wait });
        now += wait;
        clock.set(now);
        assert_eq!(store.unlock(&wrong, None).unwrap_err(), Error::WrongPassphrase);
    }
    // a clock set back keeps nobody out
    clock.set(1);
    assert!(store.unlock(&passphrase, None).is_ok());
    store.lock();
    assert_eq!(store.unlock(&wrong, None).unwrap_err(), Error::WrongPassphrase, "the right one cleared the count");
}

/// A keystore that will not destroy the old key leaves an old copy of the files readable: until it does, the phone promises
/// nothing, and every colleague's receipt waits for it.
#[test]
fn what_an_old_key_still_opens_is_not_said_to_be_gone() {
    use super::tests_sync::{found, join_with, meet, participant};
    let ana = found(Env::system());
    let keystore = Arc::new(Keystore::default());
    let ben = join_with(Env::system(), &ana, "Ben", crate::team::Role::Worker, Some(keystore.clone()));
    let device = ben.unlocked.device().unwrap();
    for refuses in [false, true] {
        let file = participant(&ana, "Bluebird");
        meet(&ana, &ben);
        assert!(ben.unlocked.participant(file).is_ok());
        keystore.refuse(refuses);
        let erased = ana.unlocked.erase_participant(file).unwrap();
        let receipt = || ana.unlocked.erasure_receipt(erased).unwrap();
        assert_eq!(receipt().awaited, [device], "her own phone counts at once");
        for _ in 0..3 {
            meet(&ana, &ben);
        }
        assert!(ben.unlocked.participant(file).is_err());
        let expected = if refuses { (KeyReplacement::Due, false) } else { (KeyReplacement::Done, true) };
        assert_eq!((ben.unlocked.key_replacement().unwrap(), receipt().is_settled), expected);
        assert_eq!(receipt().confirmed.contains(&device), !refuses);
        // it takes the key back: the next meeting says so
        keystore.refuse(false);
        meet(&ana, &ben);
        meet(&ana, &ben);
        assert!(receipt().is_settled && ben.unlocked.key_replacement().unwrap() == KeyReplacement::Done);
    }
}
