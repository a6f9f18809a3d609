//! What people live through with their phones, one promise a story: the order in which things become known, bans at
//! once, the paper that seats a steward, a second phone, and "locked" meaning locked.

#![allow(clippy::unwrap_used)]

use satchel_core::crypto::SigningKey;
use satchel_core::env::Env;
use satchel_core::error::Error;
use satchel_core::recovery::PaperShare;
use satchel_core::rules::Rule;
use satchel_core::screen::{Note, ShortText};
use satchel_core::store::{Credentials, EncounterDraft, Founding, KeyCost, LootClass, RelayAddress, RelayError, Store};
use satchel_core::team::{Action, Operation, Role, Standing};
use satchel_relay::storage::Storage;
use satchel_relay::storage::sqlite::{Role as RelayRole, SqliteStorage};
use satchel_tests::attacker::{Attacker, HUB_MAILBOX, feed, sign_request};
use satchel_tests::scene;
use satchel_tests::store_thief::Crew;
use satchel_tests::team::{self, Hub, Phone, found, join, meet, passphrase, view};
use satchel_wire::frame::{AccessKeys, Endpoint, Freshness, KeyChange};
use satchel_wire::ids::{BodyId, DeviceId, MailboxId, OperationId};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const START: u64 = 1_795_370_000;
const DAY: i64 = 86_400;

fn encounter(phone: &Phone, note: &str) -> satchel_wire::ids::RecordId {
    let note = Some(Note::parse(note).unwrap());
    let kind = satchel_core::record::EncounterKind::Street;
    phone.unlocked.save_encounter(&EncounterDraft { kind, participant: None, zone: None, offers: Vec::new(), note }).unwrap()
}

fn id(phone: &Phone) -> DeviceId {
    phone.unlocked.device().unwrap()
}

fn knows(phone: &Phone, operation: &Operation) -> bool {
    phone.unlocked.operation(operation.id()).unwrap().is_some()
}

fn with_relay(folder: &Path, seed: u64) -> (Hub, Phone) {
    let (hub, address) = Hub::new(folder, START);
    let ana = found(folder, seed, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    (hub, ana)
}

/// Another mailbox on the relay of a test.
fn second_mailbox(hub: &Hub) -> RelayAddress {
    let (mailbox, secret) = (MailboxId::from_bytes([0x43; 16]), [0x18; 16]);
    let storage = SqliteStorage::open(&hub.dir, RelayRole::Command).unwrap();
    storage.create_mailbox(&mailbox, 1 << 31, blake3::hash(&secret).as_bytes()).unwrap();
    RelayAddress { url: "http://127.0.0.1:1".into(), mailbox, claim: Some(secret), pin: None }
}

/// A notice may name operations whose parents are not here. Whoever believes "the relay has it" of something that the
/// log has not taken never hands it on when it is taken later, and colleagues who only have the relay never hear of it.
#[test]
fn what_a_notice_names_counts_as_relayed_only_once_the_log_took_it() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = with_relay(folder.path(), 300);
    let ben = join(folder.path(), 300, "Ben", START, &ana, Role::Worker);
    let mallory = Attacker::join(300, "Mallory", &ana, Role::Steward);
    for phone in [&ana, &ben, &ana, &ben] {
        hub.exchange(phone).unwrap();
    }
    let day = ana.unlocked.today().unwrap();
    let write = |parent: OperationId, n: u8| {
        let action = Action::Adopt { bodies: vec![BodyId::of(&[n])] };
        Operation::write(&mallory.signer, Some(mallory.team), vec![parent], day, action)
    };
    let parent = write(mallory.admission().id(), 1);
    let child = write(parent.id(), 2);
    let taken = write(mallory.admission().id(), 3);
    // none of these notices is at the relay: it only ever showed them to Ana
    feed(&ana, &[mallory.notice(&[child.clone(), taken.clone()], vec![])]);
    assert!(!knows(&ana, &child) && knows(&ana, &taken));
    for phone in [&ana, &ben] {
        feed(phone, &[mallory.notice(std::slice::from_ref(&parent), vec![])]);
        assert!(knows(phone, &parent));
    }
    if !knows(&ana, &child) {
        feed(&ana, &[mallory.notice(std::slice::from_ref(&child), vec![])]);
        // taken from this notice now, so that the relay is believed to have it: the story needs another way
        panic!("what waited for its parent was not taken with it");
    }
    hub.exchange(&ana).unwrap();
    hub.exchange(&ben).unwrap();
    assert!(knows(&ben, &child), "Ana hands on what she took after the notice");
    assert!(!knows(&ben, &taken), "control: what the log took from a notice is believed to be there");
    // and even that lie costs no more than the days until somebody asks
    for _ in 0..3 {
        for phone in [&ana, &ben] {
            phone.clock.advance(DAY);
        }
        hub.clock.advance(DAY);
        for phone in [&ben, &ana, &ben] {
            hub.exchange(phone).unwrap();
        }
    }
    assert!(knows(&ben, &taken));
}

/// Two stewards ban at once. A key that one made still went to whom the other banned, so neither key may seal another word.
fn reads_on_after_concurrent_bans(without: Option<Rule>) -> (bool, bool) {
    let mut crew = Crew::found(301, without);
    for number in 1..5 {
        assert_eq!(crew.join(0, if number == 1 { Role::Steward } else { Role::Worker }), Some(number));
    }
    crew.settle(3);
    let shared = crew.participant(0).unwrap();
    crew.settle(2);
    for (steward, victim) in [(0, 3), (1, 4)] {
        let device = crew.phones[victim].device;
        crew.phones[steward].store().prepare_removal(device).unwrap().confirm().unwrap();
        crew.touch(steward);
        // the first word under the ban: a fresh key, which the other steward's victim gets as a colleague
        crew.edit(steward, shared).unwrap();
    }
    for (steward, victim) in [(0, 4), (1, 3)] {
        assert!(crew.meet(victim, steward, None));
    }
    let control = [(3, 1), (4, 0)].iter().all(|(victim, author)| {
        let found = crew.hoard(*victim);
        crew.planted.iter().any(|text| text.by == *author && found.texts.contains(&text.text))
    });
    crew.meet(0, 1, None);
    crew.meet(1, 0, None);
    for number in [0, 1, 2, 0, 1, 2] {
        crew.edit(number, shared).unwrap();
        crew.exchange(number);
    }
    crew.meet(0, 1, None);
    let later: Vec<_> = crew.planted.iter().filter(|text| [3, 4].iter().all(|n| text.shut_out.contains(&crew.phones[*n].device))).collect();
    assert!(later.len() >= 4, "{}", later.len());
    let reads = [3, 4].iter().any(|victim| {
        let found = crew.hoard(*victim);
        crew.finds_after(&found, &crew.phones[*victim].device).is_some()
    });
    (control, reads)
}

#[test]
fn a_key_made_under_one_of_two_concurrent_bans_is_replaced_when_the_other_is_known() {
    assert_eq!(reads_on_after_concurrent_bans(None), (true, false));
}

#[test]
fn without_fresh_keys_the_victims_of_concurrent_bans_read_on() {
    assert_eq!(reads_on_after_concurrent_bans(Some(Rule::FreshKeyAfterBan)), (true, true));
}

fn control_keys(phone: &Phone) -> Vec<SigningKey> {
    let loot = phone.unlocked.dangerous_loot().unwrap();
    // the first signing key is the device's own
    let signing = loot.secrets.iter().filter(|(class, _)| *class == LootClass::Signing).skip(1);
    signing.map(|(_, seed)| SigningKey::from_seed(seed)).collect()
}

/// Asks the relay to give a mailbox to keys of one's own.
fn take_over(hub: &Hub, mailbox: MailboxId, control: &SigningKey) -> bool {
    let env = Env::system();
    let own = SigningKey::make(&env);
    let public = *own.verifying_key().as_bytes();
    let freshness = Freshness { time: hub.clock.now(), nonce: env.random() };
    let keys = AccessKeys { pull: public, push: public };
    let change = KeyChange { mailbox, generation: u64::MAX >> 2, keys, control: public, freshness };
    hub.relay.answer(Endpoint::Keys, &sign_request(control, Endpoint::Keys, &change)).is_ok()
}

/// The only steward's phone is lost, with the control key. The paper seats a worker, and names a new control key: a new
/// mailbox obeys it, and the thief of the phone has nothing there.
#[test]
fn a_control_key_that_the_paper_set_works_at_the_relay_and_the_lost_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, address) = Hub::new(folder.path(), START);
    let (env, clock) = team::env(302, "Ana", START);
    let secret = passphrase();
    let credentials = Credentials { passphrase: &secret, protector: None, cost: KeyCost::Least };
    let founding = Founding { time_zone: "America/Los_Angeles".into(), member_name: ShortText::parse("Ana").unwrap() };
    let dir = folder.path().join("Ana");
    let founded = Store::found(&dir, env.clone(), &credentials, &founding).unwrap();
    let ana = Phone { name: "Ana".into(), unlocked: founded.unlocked, clock, env, dir };
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let ben = join(folder.path(), 302, "Ben", START, &ana, Role::Worker);
    let cleo = join(folder.path(), 302, "Cleo", START, &ana, Role::Worker);
    let board = join(folder.path(), 302, "Board", START, &ana, Role::Board);
    for phone in [&ana, &ben, &cleo, &board, &ana, &ben, &cleo] {
        hub.exchange(phone).unwrap();
    }
    encounter(&ana, "before");
    for phone in [&ana, &ben, &cleo] {
        hub.exchange(phone).unwrap();
    }
    let old = control_keys(&ana);
    assert!(!old.is_empty() && control_keys(&ben).is_empty());
    let own = ben.unlocked.team().unwrap().devices.into_iter().find(|line| line.is_self).unwrap().member;
    let paper = [PaperShare::read(&founded.reseat_paper.to_line()).unwrap()];
    ben.unlocked.reseat(&paper, &[id(&ana)], Some(own)).unwrap();
    let new = control_keys(&ben);
    assert_eq!(new.len(), 1);
    assert!(old.iter().all(|key| key.verifying_key().as_bytes() != new[0].verifying_key().as_bytes()));
    // the relay does not know the paper: the old mailbox stays the thief's
    assert!(!take_over(&hub, HUB_MAILBOX, &new[0]));
    let moved = second_mailbox(&hub);
    ben.unlocked.set_relay(&moved).unwrap();
    hub.exchange(&ben).unwrap();
    meet(&ben, &cleo);
    for phone in [&cleo, &board] {
        phone.unlocked.set_relay(&RelayAddress { claim: None, ..moved.clone() }).unwrap();
    }
    // turns go on, and with each the relay's keys: signed by the new control key, or they would not change
    for note in ["first after", "second after"] {
        ben.unlocked.begin_turn().unwrap();
        encounter(&ben, note);
        for phone in [&ben, &cleo, &ben, &cleo] {
            hub.exchange(phone).unwrap();
        }
    }
    assert_eq!(view(&ben), view(&cleo));
    assert_eq!(ben.unlocked.encounters(None).unwrap().len(), 3);
    meet(&board, &ben);
    hub.exchange(&board).unwrap();
    assert!(old.iter().all(|key| !take_over(&hub, moved.mailbox, key)), "the lost key");
    assert!(!take_over(&hub, moved.mailbox, &SigningKey::make(&Env::system())), "any key");
    // controls: the old key had its mailbox, and the new one has this one
    assert!(old.iter().any(|key| take_over(&hub, HUB_MAILBOX, key)));
    assert!(control_keys(&ben).iter().any(|key| take_over(&hub, moved.mailbox, key)));
}

/// A second phone by a typed code.
fn second_phone(folder: &Path, seed: u64, name: &str, first: &Phone) -> Phone {
    let (env, clock) = team::env(seed, name, first.clock.now());
    let code = first.unlocked.invite_own_device_by_code().unwrap();
    let typed = code.code().to_owned();
    let (typed, hello) = Store::join_by_code(env.clone(), &typed).unwrap();
    let (joining, knock) = typed.replied(&code.answer_hello(&hello).unwrap()).unwrap();
    let (mut hosted, answer) = first.unlocked.answer_knock(&knock).unwrap();
    let mut joined = joining.answered(&answer).unwrap();
    assert_eq!(hosted.words(), joined.words());
    hosted.introduced(&joined.introduce().unwrap()).unwrap();
    let welcome = hosted.welcome().unwrap();
    let secret = passphrase();
    let credentials = Credentials { passphrase: &secret, protector: None, cost: KeyCost::Least };
    let dir = folder.join(name);
    let (unlocked, thanks) = joined.welcomed(&welcome, &dir, &credentials, &ShortText::parse("Ben").unwrap()).unwrap();
    hosted.thanked(&thanks).unwrap();
    Phone { name: name.into(), unlocked, clock, env, dir }
}

#[test]
fn a_workers_second_phone_sees_and_writes_the_same_and_is_removed_by_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = with_relay(folder.path(), 303);
    let ben = join(folder.path(), 303, "Ben", START, &ana, Role::Worker);
    let cleo = join(folder.path(), 303, "Cleo", START, &ana, Role::Worker);
    let file = ana.unlocked.create_participant(&scene::participant(), satchel_core::consent::HowGiven::Spoken, "en").unwrap();
    for phone in [&ana, &ben, &cleo, &ana, &ben] {
        hub.exchange(phone).unwrap();
    }
    let tablet = second_phone(folder.path(), 303, "Ben's tablet", &ben);
    for phone in [&ben, &tablet, &ana, &cleo, &tablet] {
        hub.exchange(phone).unwrap();
    }
    assert_eq!(view(&tablet), view(&ben));
    let line = |at: &Phone, of: &Phone| at.unlocked.team().unwrap().devices.into_iter().find(|line| line.id == id(of)).unwrap();
    assert_eq!(line(&ana, &tablet).member, line(&ana, &ben).member);
    assert_eq!((line(&ana, &tablet).role, line(&ana, &tablet).standing), (Role::Worker, Standing::Active));
    // both edit one file
    let edit = |field: &str| satchel_core::record::ParticipantEdit {
        language: (field == "Spanish").then(|| ShortText::parse(field).unwrap()),
        pronouns: (field == "they").then(|| ShortText::parse(field).unwrap()),
        ..Default::default()
    };
    ben.unlocked.edit_participant(file, &edit("Spanish")).unwrap();
    tablet.unlocked.edit_participant(file, &edit("they")).unwrap();
    meet(&ben, &tablet);
    let shown = ben.unlocked.participant(file).unwrap();
    assert_eq!(
        (shown.language.unwrap().as_str().to_owned(), shown.pronouns.unwrap().as_str().to_owned()),
        ("Spanish".into(), "they".into())
    );
    assert_eq!(view(&tablet), view(&ben));
    // three days later the tablet is gone; the list says when it was last heard
    let last = ben.unlocked.today().unwrap();
    for _ in 0..3 {
        [&ana, &ben, &cleo, &tablet].iter().for_each(|phone| phone.clock.advance(DAY));
        hub.clock.advance(DAY);
        for phone in [&ben, &ana, &cleo, &ben] {
            hub.exchange(phone).unwrap();
        }
    }
    assert_eq!(line(&ben, &tablet).last_heard, Some(last));
    assert_eq!(line(&ben, &ana).last_heard, Some(ben.unlocked.today().unwrap()));
    // a colleague who is no steward may not, its owner may, and nothing happens before the second step
    assert_eq!(cleo.unlocked.prepare_removal(id(&tablet)).map(|_| ()).unwrap_err(), Error::Role);
    let plan = ben.unlocked.prepare_removal(id(&tablet)).unwrap();
    assert_eq!((plan.name.as_ref().unwrap().as_str(), plan.last_heard, plan.is_last_of_member), ("Ben", Some(last), false));
    assert_eq!(line(&ben, &tablet).standing, Standing::Active);
    plan.confirm().unwrap();
    encounter(&ben, "after the loss");
    for phone in [&ben, &ana, &cleo, &ben, &ana] {
        hub.exchange(phone).unwrap();
    }
    for phone in [&ana, &ben, &cleo] {
        assert_eq!(line(phone, &tablet).standing, Standing::Removed, "{}", phone.name);
        assert_eq!(line(phone, &ben).standing, Standing::Active, "{}", phone.name);
    }
    assert_eq!(view(&ana), view(&ben));
    let before = tablet.unlocked.encounters(None).unwrap().len();
    assert!(hub.exchange(&tablet).is_err());
    assert_eq!(tablet.unlocked.encounters(None).unwrap().len(), before);
    assert_eq!(ben.unlocked.encounters(None).unwrap().len(), before + 1);
    // and a thief with the tablet does not remove the phone that its owner still has
    if let Ok(plan) = tablet.unlocked.prepare_removal(id(&ben)) {
        plan.confirm().unwrap();
    }
    for phone in [&ana, &cleo] {
        hub.exchange(phone).unwrap();
        assert_eq!(line(phone, &ben).standing, Standing::Active);
    }
}

#[test]
fn a_lock_ends_every_handle_observer_session_plan_and_pack_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = with_relay(folder.path(), 304);
    let ben = join(folder.path(), 304, "Ben", START, &ana, Role::Worker);
    for phone in [&ana, &ben, &ana] {
        hub.exchange(phone).unwrap();
    }
    for n in 0..40 {
        encounter(&ben, &format!("note {n}"));
    }
    let kept = encounter(&ana, "kept");
    let other_handle = ana.unlocked.clone();
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let subscription = ana.unlocked.observe(move |changes| {
        counter.fetch_add(changes.len(), Ordering::SeqCst);
    });
    let _subscription = subscription.unwrap();
    encounter(&ana, "seen by the observer");
    assert_eq!(seen.load(Ordering::SeqCst), 1);
    // everything is in the middle of something
    let (mut dialer, mut listener) = (ana.unlocked.dial().unwrap(), ben.unlocked.listen());
    for _ in 0..3 {
        while let Some(bytes) = dialer.transmit(512).unwrap() {
            listener.receive(&bytes).unwrap();
        }
        if let Some(bytes) = listener.transmit(512).unwrap() {
            dialer.receive(&bytes).unwrap();
        }
    }
    assert!(!dialer.is_finished());
    let mut answering = ana.unlocked.listen();
    let mut link = ana.unlocked.relay_exchange().unwrap();
    let (endpoint, request) = link.next_request().unwrap().unwrap();
    let answer = hub.relay.answer(endpoint, &request).unwrap();
    let mut pack = ana.unlocked.write_pack().unwrap();
    let whole_pack = {
        let (mut bytes, mut writer) = (Vec::new(), ben.unlocked.write_pack().unwrap());
        while let Some(part) = writer.next_bytes().unwrap() {
            bytes.extend(part);
        }
        bytes
    };
    let mut reading = ana.unlocked.read_pack();
    reading.receive(&whole_pack[..100]).unwrap();
    let plan = ana.unlocked.prepare_removal(id(&ben)).unwrap();
    let invitation = ana.unlocked.invite(Role::Worker, "").unwrap();
    let (joining, knock) = Store::join(ben.env.clone(), &invitation).unwrap();
    let (mut hosted, answered) = ana.unlocked.answer_knock(&knock).unwrap();
    let mut joined = joining.answered(&answered).unwrap();
    hosted.introduced(&joined.introduce().unwrap()).unwrap();
    let store = ana.unlocked.store();
    let before = seen.load(Ordering::SeqCst);
    store.lock();

    assert!(!store.is_unlocked());
    assert_eq!(ana.unlocked.encounter(kept).map(|_| ()).unwrap_err(), Error::Locked);
    assert_eq!(other_handle.encounters(None).unwrap_err(), Error::Locked);
    assert_eq!(other_handle.team().unwrap_err(), Error::Locked);
    assert!(other_handle.dial().is_err());
    assert!(other_handle.observe(|_| {}).is_err());
    assert!(other_handle.write_pack().is_err());
    let rest = listener.transmit(512).unwrap_or_default().unwrap_or_else(|| vec![0; 16]);
    assert!(dialer.transmit(16 * 1024).is_err() && dialer.receive(&rest).is_err(), "a session that was dialled");
    let (mut fresh, _) = (ben.unlocked.dial().unwrap(), ());
    let hello = fresh.transmit(512).unwrap().unwrap();
    assert!(answering.receive(&hello).is_err() && answering.transmit(512).is_err(), "a session that waits");
    let told = link.receive(&satchel_core::store::RelayAnswer::Ok(answer));
    assert!(matches!(told, Err(RelayError::Store(Error::Locked))) || link.next_request().is_err(), "an exchange: {told:?}");
    assert!(pack.next_bytes().is_err(), "a pack that is written");
    let read = whole_pack[100..].chunks(1_000).try_for_each(|part| reading.receive(part));
    assert!(read.is_err() || reading.finish().is_err(), "a pack that is read");
    assert_eq!(plan.confirm().unwrap_err(), Error::Locked);
    assert!(hosted.welcome().is_err(), "a newcomer who is being welcomed");
    // an unlock revives none of them
    let again = store.unlock(&passphrase(), None).unwrap();
    assert_eq!(again.encounters(None).unwrap().len(), 2, "nothing came in after the lock");
    assert_eq!(again.team().unwrap().devices.len(), 2, "and nobody");
    assert_eq!(other_handle.encounters(None).unwrap_err(), Error::Locked);
    assert!(pack.next_bytes().is_err());
    again.save_encounter(&scene::encounter(None, None, "after")).unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), before, "the observer is gone");
}
