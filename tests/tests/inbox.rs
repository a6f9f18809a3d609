//! A locked phone that fetches: what it brings in, where it stops, and what somebody gains who takes it locked.
#![allow(clippy::unwrap_used)]

use satchel_core::consent::HowGiven;
use satchel_core::crypto::{SigningKey, labels};
use satchel_core::error::Error;
use satchel_core::record::{EncounterKind, ParticipantDraft};
use satchel_core::screen::{Alias, Note, ShortText};
use satchel_core::store::{
    Credentials, EncounterDraft, FileKeystore, InboxEnd, KeyCost, KeyProtector, LockedInbox, NetworkChoice, ProtectorError, RelayAnswer,
    RelayError, Store,
};
use satchel_core::team::{Invitation, Role};
use satchel_tests::canary::Scanner;
use satchel_tests::team::{Hub, Phone, env, found, passphrase, view};
use satchel_wire::frame::{
    AccessKeys, Deletion, Endpoint, Frame, Freshness, KeyChange, Pending, ProblemCode, Pull, Pulled, Push, Signed, Veto,
};
use satchel_wire::ids::{MailboxId, RowName};
use satchel_wire::limits::{INBOX_ROWS_MAX_COUNT, INBOX_SPOOL_MAX_BYTES};
use satchel_wire::row::{Lane, Row};
use std::path::Path;
use std::sync::Arc;

const START: u64 = 1_795_370_000;
const DAY_SECONDS: u64 = 86_400;

fn save(phone: &Phone, alias: &str) {
    let draft = ParticipantDraft { alias: Some(Alias::parse(alias).unwrap()), ..ParticipantDraft::default() };
    phone.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap();
}

fn note(phone: &Phone, text: &str) {
    let note = Some(Note::parse(text).unwrap());
    let draft = EncounterDraft { kind: EncounterKind::Street, participant: None, zone: None, offers: vec![], note };
    phone.unlocked.save_encounter(&draft).unwrap();
}

/// A phone with a keystore: the inbox asks for one.
struct Kept {
    phone: Phone,
    store: Store,
    keystore: Arc<FileKeystore>,
}

impl Kept {
    fn join(folder: &Path, seed: u64, host: &Phone) -> Self {
        let (env, clock) = env(seed, "Ben", START);
        let keystore = Arc::new(FileKeystore::new(&folder.join("Ben keys"), env.clone()));
        let passphrase = passphrase();
        let credentials = Credentials { passphrase: &passphrase, protector: Some(keystore.clone()), cost: KeyCost::Least };
        let invitation = host.unlocked.invite(Role::Worker, "").unwrap();
        let invitation = Invitation::from_text(&invitation.to_text(), env.now()).unwrap();
        let (joining, knock) = Store::join(env.clone(), &invitation).unwrap();
        let (mut hosted, answer) = host.unlocked.answer_knock(&knock).unwrap();
        let mut joined = joining.answered(&answer).unwrap();
        hosted.introduced(&joined.introduce().unwrap()).unwrap();
        let dir = folder.join("Ben");
        let name = ShortText::parse("Ben").unwrap();
        let (unlocked, thanks) = joined.welcomed(&hosted.welcome().unwrap(), &dir, &credentials, &name).unwrap();
        hosted.thanked(&thanks).unwrap();
        let store = unlocked.store();
        Self { phone: Phone { name: "Ben".into(), unlocked, clock, env, dir }, store, keystore }
    }

    fn inbox(&self) -> Option<LockedInbox> {
        self.store.locked_inbox(&*self.keystore).unwrap()
    }

    fn unlock(&mut self) {
        self.phone.unlocked = self.store.unlock(&passphrase(), Some(self.keystore.clone())).unwrap();
    }
}

fn fetch(inbox: &mut LockedInbox, hub: &Hub) -> Result<InboxEnd, RelayError> {
    while let Some((endpoint, request)) = inbox.next_request()? {
        assert_eq!(endpoint, Endpoint::Pull, "it asks for nothing else");
        let answer = match hub.relay.answer(endpoint, &request) {
            Ok(body) => RelayAnswer::Ok(body),
            Err(problem) => RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
        };
        inbox.receive(&answer)?;
    }
    Ok(inbox.end().unwrap())
}

/// A team of two at a relay; Ben's phone has a locked inbox and is up to date.
fn team(folder: &Path, seed: u64) -> (Hub, Phone, Kept) {
    let (hub, address) = Hub::new(folder, START);
    let ana = found(folder, seed, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let ben = Kept::join(folder, seed, &ana);
    for phone in [&ana, &ben.phone, &ana, &ben.phone] {
        hub.exchange(phone).unwrap();
    }
    ben.phone.unlocked.switch_locked_inbox(true).unwrap();
    (hub, ana, ben)
}

#[test]
fn what_came_while_it_was_locked_is_there_when_it_is_unlocked() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana, mut ben) = team(folder.path(), 1);
    save(&ana, "Bluebird");
    note(&ana, "wants a warm coat");
    hub.exchange(&ana).unwrap();
    ben.store.lock();
    let mut inbox = ben.inbox().unwrap();
    assert_eq!(fetch(&mut inbox, &hub).unwrap(), InboxEnd::UpToDate);
    let (rows, bytes) = inbox.waiting();
    assert!(rows >= 3 && bytes >= 512 * rows, "{rows} rows, {bytes} bytes");
    // a process that ends keeps them, and goes on from there
    drop(inbox);
    note(&ana, "took the coat");
    hub.exchange(&ana).unwrap();
    let mut inbox = ben.inbox().unwrap();
    assert_eq!((inbox.waiting(), fetch(&mut inbox, &hub).unwrap()), ((rows, bytes), InboxEnd::UpToDate));
    assert!(inbox.waiting().0 > rows);
    inbox.note_bytes(700, 9_000).unwrap();

    ben.unlock();
    let report = ben.phone.unlocked.opened_inbox().unwrap();
    assert!(report.rows.applied >= 1 && report.rows.refused + report.rows.thrown_away == 0 && !report.is_damaged, "{report:?}");
    assert_eq!(view(&ben.phone), view(&ana), "without asking the relay");
    assert_eq!(ben.phone.unlocked.relay_traffic().unwrap()[0].received, 9_000);
    // what came is not asked for again
    let pulled = hub.exchange(&ben.phone).unwrap();
    assert_eq!((pulled.pulled, pulled.rows.known), (0, 0), "{pulled:?}");
    assert_eq!(ben.inbox().unwrap().end(), Some(InboxEnd::NotLocked), "an unlocked phone fetches for itself");
    ben.store.lock();
    let mut inbox = ben.inbox().unwrap();
    assert_eq!((inbox.waiting(), fetch(&mut inbox, &hub).unwrap()), ((0, 0), InboxEnd::UpToDate));
    // unlocked in the middle: the answer is left alone
    note(&ana, "one more");
    hub.exchange(&ana).unwrap();
    let mut inbox = ben.inbox().unwrap();
    let (endpoint, request) = inbox.next_request().unwrap().unwrap();
    ben.unlock();
    inbox.receive(&RelayAnswer::Ok(hub.relay.answer(endpoint, &request).unwrap())).unwrap();
    assert_eq!(inbox.end(), Some(InboxEnd::NotLocked));
    hub.exchange(&ben.phone).unwrap();
    assert_eq!(view(&ben.phone), view(&ana));
}

#[test]
fn it_is_off_unless_it_is_switched_on_and_leaves_nothing_when_it_is_switched_off() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, address) = Hub::new(folder.path(), START);
    let ana = found(folder.path(), 2, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    assert_eq!(ana.unlocked.switch_locked_inbox(true), Err(Error::Keystore(ProtectorError::Unsupported)), "no keystore");
    let ben = Kept::join(folder.path(), 2, &ana);
    hub.exchange(&ben.phone).unwrap();
    assert!(!ben.phone.unlocked.has_locked_inbox().unwrap() && ben.inbox().is_none());
    let keys = || {
        std::fs::read_dir(folder.path().join("Ben keys"))
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "key"))
            .count()
    };
    let before = keys();
    for _ in 0..3 {
        ben.phone.unlocked.switch_locked_inbox(true).unwrap();
        ben.phone.unlocked.switch_locked_inbox(true).unwrap();
        assert_eq!(keys(), before + 1);
        assert!(ben.phone.dir.join("inbox").exists());
        ben.phone.unlocked.switch_locked_inbox(false).unwrap();
        assert_eq!(keys(), before, "its key is destroyed");
        assert!(!ben.phone.dir.join("inbox").exists());
    }
    ben.store.lock();
    assert!(ben.inbox().is_none());
}

#[test]
fn erasing_the_device_destroys_the_credential_locked_or_not() {
    for locked in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (hub, ana, ben) = team(folder.path(), 3);
        save(&ana, "Bluebird");
        hub.exchange(&ana).unwrap();
        ben.store.lock();
        let mut inbox = ben.inbox().unwrap();
        fetch(&mut inbox, &hub).unwrap();
        let stolen = std::fs::read(ben.phone.dir.join("inbox")).unwrap();
        if !locked {
            ben.store.unlock(&passphrase(), Some(ben.keystore.clone())).unwrap();
        }
        let erased = ben.store.erase_device(Some(ben.keystore.clone())).unwrap();
        assert!(erased.are_keys_gone && erased.are_files_gone, "{erased:?}");
        assert!(!ben.phone.dir.exists());
        // an image of the file from before is worth nothing: its alias is gone
        let (length, alias) = (usize::from(stolen[9]), &stolen[10..42]);
        let (size, wrapped) = (usize::from(stolen[42]), &stolen[43..]);
        assert_eq!(ben.keystore.unwrap(&alias[..length], &wrapped[..size]).unwrap_err(), ProtectorError::Missing);
        // what was under way ends
        assert!(inbox.note_bytes(1, 1).is_ok() && inbox.end() == Some(InboxEnd::UpToDate) || inbox.end() == Some(InboxEnd::NotLocked));
    }
}

#[test]
fn it_stops_at_the_next_turn_and_at_a_listing() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana, mut ben) = team(folder.path(), 4);
    ben.store.lock();
    // a relay that forgot the day's order lists the day: only the unlocked phone knows what it has of it
    note(&ana, "listed");
    hub.exchange(&ana).unwrap();
    let mut inbox = ben.inbox().unwrap();
    let (endpoint, request) = inbox.next_request().unwrap().unwrap();
    let pulled = Pulled::from_bytes(&hub.relay.answer(endpoint, &request).unwrap()).unwrap();
    let listing = Some(pulled.rows.iter().map(Row::id).collect());
    inbox.receive(&RelayAnswer::Ok(Pulled { rows: vec![], listing, ..pulled }.to_bytes())).unwrap();
    assert_eq!((inbox.end(), inbox.waiting()), (Some(InboxEnd::NeedsUnlocking), (0, 0)));
    ben.unlock();
    hub.exchange(&ben.phone).unwrap();
    assert_eq!(view(&ben.phone), view(&ana));
    ben.store.lock();
    ana.unlocked.begin_turn().unwrap();
    note(&ana, "under the new turn");
    hub.exchange(&ana).unwrap();
    let mut inbox = ben.inbox().unwrap();
    assert_eq!(fetch(&mut inbox, &hub).unwrap(), InboxEnd::KeysChanged);
    assert_eq!(inbox.waiting(), (0, 0));
    ben.unlock();
    assert!(hub.exchange(&ben.phone).unwrap().turns >= 1);
    hub.exchange(&ben.phone).unwrap();
    assert_eq!(view(&ben.phone), view(&ana));
    // and goes on under the new one
    ben.store.lock();
    note(&ana, "one more");
    hub.exchange(&ana).unwrap();
    assert_eq!(fetch(&mut ben.inbox().unwrap(), &hub).unwrap(), InboxEnd::UpToDate);
}

#[test]
fn its_room_is_bounded_and_the_rest_comes_later() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana, mut ben) = team(folder.path(), 5);
    ben.store.lock();
    for n in 0..INBOX_ROWS_MAX_COUNT + 40 {
        note(&ana, &format!("time {n}"));
    }
    hub.exchange(&ana).unwrap();
    let mut inbox = ben.inbox().unwrap();
    assert_eq!(fetch(&mut inbox, &hub).unwrap(), InboxEnd::Full);
    let (rows, bytes) = inbox.waiting();
    assert!(rows > 1_000 && rows <= INBOX_ROWS_MAX_COUNT && bytes <= INBOX_SPOOL_MAX_BYTES, "{rows} rows, {bytes} bytes");
    assert_eq!(fetch(&mut ben.inbox().unwrap(), &hub).unwrap(), InboxEnd::Full);
    ben.unlock();
    assert!(ben.phone.unlocked.opened_inbox().unwrap().rows.applied > 1_000);
    hub.exchange(&ben.phone).unwrap();
    assert_eq!(view(&ben.phone), view(&ana));
    // a relay that hands out more than was asked for fills nothing
    ben.store.lock();
    let mut inbox = ben.inbox().unwrap();
    inbox.next_request().unwrap().unwrap();
    let row = |n: usize| {
        let mut bytes = vec![u8::try_from(n % 251).unwrap(); 64 * 1024];
        bytes[0] = Lane::Records.byte();
        Row::parse(bytes).unwrap()
    };
    let flood = Pulled { rows: (0..20).map(row).collect(), cursor: None, more: false, listing: None };
    inbox.receive(&RelayAnswer::Ok(flood.to_bytes())).unwrap();
    assert_eq!((inbox.end(), inbox.waiting()), (Some(InboxEnd::Full), (0, 0)));
    // one that answers nonsense, or never comes to an end, is an error each time
    let mut inbox = ben.inbox().unwrap();
    inbox.next_request().unwrap().unwrap();
    assert_eq!(inbox.receive(&RelayAnswer::Ok(b"nonsense".to_vec())).unwrap_err(), RelayError::Malformed);
    let mut inbox = ben.inbox().unwrap();
    inbox.next_request().unwrap().unwrap();
    let endless = Pulled { rows: vec![], cursor: None, more: true, listing: None };
    assert_eq!(inbox.receive(&RelayAnswer::Ok(endless.to_bytes())).unwrap_err(), RelayError::NoProgress);
}

#[test]
fn bad_rows_are_dropped_and_good_ones_beside_them_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana, mut ben) = team(folder.path(), 6);
    save(&ana, "Bluebird");
    hub.exchange(&ana).unwrap();
    ben.store.lock();
    let mut inbox = ben.inbox().unwrap();
    fetch(&mut inbox, &hub).unwrap();
    let (_, rows) = inbox.dangerous_loot().unwrap();
    let mut bent: Vec<Vec<u8>> = rows.iter().map(|row| row.as_bytes().to_vec()).collect();
    for bytes in &mut bent {
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
    }
    let count = bent.len();
    bent.extend([vec![], vec![9; 700], vec![255; 512]]);
    inbox.dangerous_plant(bent).unwrap();
    ben.unlock();
    let report = ben.phone.unlocked.opened_inbox().unwrap();
    assert!(report.rows.applied >= 1, "{report:?}");
    assert!(report.rows.thrown_away + report.rows.held + report.rows.refused <= count + 1, "{report:?}");
    assert_eq!(view(&ben.phone), view(&ana));
    // the whole spool changed on the disk: dropped, said so, and fetched again
    note(&ana, "wants a coat");
    hub.exchange(&ana).unwrap();
    ben.store.lock();
    fetch(&mut ben.inbox().unwrap(), &hub).unwrap();
    ben.store.suspend().unwrap();
    let database = rusqlite::Connection::open(ben.phone.dir.join("store.sqlite")).unwrap();
    let changed = database.execute("UPDATE meta SET sealed = zeroblob(length(sealed)) WHERE name = 'inbox spool'", []).unwrap();
    assert_eq!(changed, 1);
    drop(database);
    ben.store.resume().unwrap();
    ben.unlock();
    assert!(ben.phone.unlocked.opened_inbox().unwrap().is_damaged);
    hub.exchange(&ben.phone).unwrap();
    assert_eq!(view(&ben.phone), view(&ana));
}

#[test]
fn a_locked_phone_spares_networks_that_cost_too() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, _, ben) = team(folder.path(), 7);
    ben.phone.unlocked.choose_networks(NetworkChoice::UnmeteredOnly).unwrap();
    ben.store.lock();
    assert_eq!(ben.inbox().unwrap().next_request().unwrap_err(), RelayError::Metered);
    ben.store.note_network(satchel_core::store::Network::Unmetered);
    assert_eq!(fetch(&mut ben.inbox().unwrap(), &hub).unwrap(), InboxEnd::UpToDate);
}

/// Signs a request as whoever has a key does.
fn ask<F: Frame>(hub: &Hub, endpoint: Endpoint, seed: &[u8; 32], frame: &F) -> Result<Vec<u8>, ProblemCode> {
    ask_by(hub, endpoint, &SigningKey::from_seed(seed), frame)
}

fn ask_by<F: Frame>(hub: &Hub, endpoint: Endpoint, key: &SigningKey, frame: &F) -> Result<Vec<u8>, ProblemCode> {
    let body = frame.to_bytes();
    let message = [endpoint.path().as_bytes(), &[0], &body].concat();
    let signature = *key.sign(labels::SIGN_REQUEST, &message).as_bytes();
    hub.relay.answer(endpoint, &Signed { body, signature }.to_bytes()).map_err(|problem| problem.code)
}

#[test]
fn a_thief_of_the_locked_phone_gains_nothing_but_what_the_relay_has() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana, mut ben) = team(folder.path(), 8);
    let words = ["Nightjarling", "wants a warm coat by Friday"];
    save(&ana, words[0]);
    note(&ana, words[1]);
    hub.exchange(&ana).unwrap();
    ben.store.lock();
    let mut inbox = ben.inbox().unwrap();
    fetch(&mut inbox, &hub).unwrap();

    // everything there is: the folder, the keystore made to unwrap, the credential, what lies in the spool
    let (seed, rows) = inbox.dangerous_loot().unwrap();
    assert!(rows.len() >= 3);
    let mut scanner = Scanner::default();
    for word in words {
        scanner.plant(word, word.as_bytes());
    }
    scanner.plant("the pull key", &seed);
    assert_eq!(scanner.scan_dir(&ben.phone.dir).unwrap(), [], "no word and no key lies in the folder");
    let spool: Vec<u8> = rows.iter().flat_map(|row| row.as_bytes().to_vec()).collect();
    let unsealed = folder.path().join("unsealed");
    std::fs::create_dir(&unsealed).unwrap();
    std::fs::write(unsealed.join("spool"), &spool).unwrap();
    assert_eq!(scanner.scan_dir(&unsealed).unwrap(), [], "rows are as sealed as at the relay");
    // every row is one that the relay handed out
    let carried: Vec<u8> =
        hub.traffic.lock().unwrap().iter().flat_map(|(_, request, answer)| [request.clone(), answer.clone()].concat()).collect();
    for row in &rows {
        assert!(carried.windows(row.as_bytes().len()).any(|window| window == row.as_bytes()), "the relay has it");
    }

    // the key reads what the relay hands to anybody of the team, and does nothing else
    let mailbox = MailboxId::from_bytes([0x42; 16]);
    let randomness = ben.phone.env.clone();
    let fresh = || Freshness { time: hub.clock.now(), nonce: randomness.random() };
    let pull = Pull { mailbox, cursor: None, max_bytes: 1 << 20, lane: None, freshness: fresh() };
    let pulled = Pulled::from_bytes(&ask(&hub, Endpoint::Pull, &seed, &pull).unwrap()).unwrap();
    assert!(pulled.rows.len() >= rows.len());
    let keys = AccessKeys {
        pull: *SigningKey::from_seed(&[1; 32]).verifying_key().as_bytes(),
        push: *SigningKey::from_seed(&[2; 32]).verifying_key().as_bytes(),
    };
    let names: Vec<RowName> = {
        let mut names: Vec<RowName> = rows.iter().map(|row| row.id().name()).collect();
        names.sort_unstable();
        names
    };
    let push = |freshness| Push { mailbox, rows: rows.clone(), cursor: None, freshness };
    assert_eq!(ask(&hub, Endpoint::Push, &seed, &push(fresh())).unwrap_err(), ProblemCode::Refused);
    let veto = Veto { mailbox, rows: names.clone(), freshness: fresh() };
    assert_eq!(ask(&hub, Endpoint::Veto, &seed, &veto).unwrap_err(), ProblemCode::Refused);
    let deletion = Deletion { mailbox, rows: names, freshness: fresh() };
    assert_eq!(ask(&hub, Endpoint::Delete, &seed, &deletion).unwrap_err(), ProblemCode::Refused);
    let change = KeyChange { mailbox, generation: u64::MAX, keys, control: [3; 32], freshness: fresh() };
    assert!(ask(&hub, Endpoint::Keys, &seed, &change).is_err());
    // it also sees which deletions wait: names of rows, as the relay does
    let pending = Pending { mailbox, since: None, freshness: fresh() };
    assert!(ask(&hub, Endpoint::Pending, &seed, &pending).is_ok());
    // and a folder without its keystore has not even that
    let other = FileKeystore::new(&folder.path().join("other keys"), ben.phone.env.clone());
    assert_eq!(ben.store.locked_inbox(&other).unwrap_err(), Error::Keystore(ProtectorError::Missing));

    // controls: the same search finds the words on the unlocked phone, and the push key of the same turn pushes
    ben.unlock();
    assert!(view(&ben.phone).contains(words[0]) && view(&ben.phone).contains(words[1]));
    std::fs::write(unsealed.join("view"), view(&ben.phone)).unwrap();
    std::fs::write(unsealed.join("key"), seed).unwrap();
    assert_eq!(scanner.scan_dir(&unsealed).unwrap().len(), 3);
    let loot = ben.phone.unlocked.dangerous_loot().unwrap();
    let turn = loot.secrets.iter().rev().find(|(class, _)| *class == satchel_core::store::LootClass::Turn).unwrap().1;
    let push_key = satchel_core::crypto::RecordsSecret::from_bytes(&turn).derive_commons().derive_push_keypair();
    assert!(ask_by(&hub, Endpoint::Push, &push_key, &push(fresh())).is_ok(), "control: the push key does");

    // the next turn ends it: rows no more, announcements until the absence limit
    ana.unlocked.begin_turn().unwrap();
    hub.exchange(&ana).unwrap();
    let pull = Pull { mailbox, cursor: None, max_bytes: 1 << 20, lane: None, freshness: fresh() };
    assert_eq!(ask(&hub, Endpoint::Pull, &seed, &pull).unwrap_err(), ProblemCode::Refused);
    let announce = |freshness| Pull { mailbox, cursor: None, max_bytes: 1 << 20, lane: Some(Lane::Announce), freshness };
    let pulled = Pulled::from_bytes(&ask(&hub, Endpoint::Pull, &seed, &announce(fresh())).unwrap()).unwrap();
    assert!(pulled.rows.iter().all(|row| row.lane() == Lane::Announce));
    hub.clock.advance(23 * DAY_SECONDS as i64);
    assert_eq!(ask(&hub, Endpoint::Pull, &seed, &announce(fresh())).unwrap_err(), ProblemCode::Refused);
}
