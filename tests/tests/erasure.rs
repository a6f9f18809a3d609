//! Erasure: what is erased is gone from every phone, from what is held and queued, and from old copies of the files.
#![allow(clippy::unwrap_used)]

use satchel_core::consent::HowGiven;
use satchel_core::crypto::Passphrase;
use satchel_core::env::Env;
use satchel_core::record::{Encounter, EncounterKind, FollowUpDraft, FollowUpState, Kind, ParticipantDraft};
use satchel_core::rules::Rule;
use satchel_core::screen::{Alias, ShortText};
use satchel_core::store::{Credentials, EncounterDraft, FileKeystore, Founding, KeyCost, KeyProtector, KeyReplacement, Store, Unlocked};
use satchel_core::team::{MayHold, Role, TombstoneScope};
use satchel_tests::attacker::{Attacker, feed};
use satchel_tests::team::{Hub, Phone, found, join, meet};
use satchel_wire::RecordId;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// 2026-11-22 12:00 UTC.
const START: u64 = 1_795_348_800;
const DAY: i64 = 86_400;

fn text(text: &str) -> ShortText {
    ShortText::parse(text).unwrap()
}

fn file(phone: &Unlocked, alias: &str) -> RecordId {
    let draft = ParticipantDraft { alias: Some(Alias::parse(alias).unwrap()), ..ParticipantDraft::default() };
    phone.create_participant(&draft, HowGiven::Spoken, "en").unwrap()
}

fn encounter(participant: Option<RecordId>) -> EncounterDraft {
    EncounterDraft { kind: EncounterKind::Street, participant, zone: None, offers: Vec::new(), note: None }
}

fn follow_up(participant: RecordId, phone: &Unlocked) -> FollowUpDraft {
    let today = phone.today().unwrap();
    FollowUpDraft { participant, what: text("bring dry socks"), from: today, until: today.plus(7), contact: None }
}

/// Everything that the phone shows of a participant: files, encounters, follow-ups.
fn shown(phone: &Phone, participant: RecordId) -> (bool, usize, usize) {
    let is_listed = phone.unlocked.participants().unwrap().iter().any(|line| line.id == participant);
    let encounters = phone.unlocked.encounters(Some(participant)).unwrap().len();
    let follow_ups = phone.unlocked.follow_ups().unwrap().iter().filter(|line| line.participant == Some(participant)).count();
    (is_listed, encounters, follow_ups)
}

struct Trio {
    _folder: tempfile::TempDir,
    ana: Phone,
    ben: Phone,
    cleo: Phone,
}

fn trio(seed: u64) -> Trio {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), seed, "ana", START);
    let ben = join(folder.path(), seed, "ben", START, &ana, Role::Worker);
    let cleo = join(folder.path(), seed, "cleo", START, &ana, Role::Worker);
    meet(&ana, &ben);
    meet(&ana, &cleo);
    Trio { _folder: folder, ana, ben, cleo }
}

#[test]
fn a_participant_is_erased_with_everything_about_them_on_every_phone_and_the_receipt_says_when() {
    let trio = trio(1);
    let (ana, ben, cleo) = (&trio.ana, &trio.ben, &trio.cleo);
    let gone = file(&ana.unlocked, "Blue");
    let stays = file(&ana.unlocked, "Green");
    ana.unlocked.save_encounter(&encounter(Some(gone))).unwrap();
    ana.unlocked.save_encounter(&encounter(Some(stays))).unwrap();
    meet(ana, ben);
    ben.unlocked.save_follow_up(&follow_up(gone, &ben.unlocked)).unwrap();
    meet(ben, ana);
    meet(ana, cleo);
    assert_eq!(shown(cleo, gone), (true, 1, 1), "control: it had reached the third phone");

    let operation = ana.unlocked.erase_participant(gone).unwrap();
    assert_eq!(shown(ana, gone), (false, 0, 0));
    assert_eq!(shown(ana, stays), (true, 1, 0));
    let receipt = ana.unlocked.erasure_receipt(operation).unwrap();
    assert_eq!((receipt.scope, receipt.is_settled, receipt.waits_for_countersignature), (TombstoneScope::Subject, false, false));
    assert_eq!((receipt.confirmed.len(), receipt.awaited.len()), (1, 2));
    for other in [ben, cleo] {
        meet(ana, other);
        assert_eq!((shown(other, gone), shown(other, stays)), ((false, 0, 0), (true, 1, 0)), "{}", other.name);
    }
    // what they showed at the end of the session is known at the next one
    meet(ana, ben);
    meet(ana, cleo);
    let receipt = ana.unlocked.erasure_receipt(operation).unwrap();
    assert!(receipt.is_settled, "{receipt:?}");
    assert_eq!((receipt.confirmed.len(), receipt.may_still_hold.len()), (3, 0));
    assert_eq!(ana.unlocked.erasures().unwrap(), [receipt]);
    assert_eq!(ana.unlocked.participant(gone).unwrap_err().code(), "no_such_record");
    assert_eq!(ana.unlocked.save_encounter(&encounter(Some(gone))).unwrap_err().code(), "no_grant");
}

#[test]
fn what_was_written_offline_about_an_erased_person_goes_too_and_is_told() {
    let trio = trio(2);
    let (ana, ben, cleo) = (&trio.ana, &trio.ben, &trio.cleo);
    let gone = file(&ana.unlocked, "Blue");
    meet(ana, ben);
    meet(ana, cleo);
    // Ben sees them, alone, and hands it to Cleo; Ana erases meanwhile; Ben writes one more that never leaves
    ben.unlocked.save_encounter(&encounter(Some(gone))).unwrap();
    meet(ben, cleo);
    ben.unlocked.save_encounter(&encounter(Some(gone))).unwrap();
    let operation = ana.unlocked.erase_participant(gone).unwrap();
    assert!(ana.unlocked.dropped_edits().unwrap().is_empty());
    meet(ana, cleo);
    assert_eq!(shown(cleo, gone), (false, 0, 0));
    meet(ana, ben);
    assert_eq!((shown(ben, gone), shown(ana, gone)), ((false, 0, 0), (false, 0, 0)));
    let told = ben.unlocked.dropped_edits().unwrap();
    assert_eq!(told.len(), 1, "the one that had not left");
    assert!(told.iter().all(|edit| edit.operation == operation && edit.kind == Kind::Encounter));
    let today = ben.unlocked.today().unwrap();
    let me = ben.unlocked.team().unwrap().devices.into_iter().find(|line| line.id == told[0].device).unwrap();
    assert_eq!((told[0].member, told[0].written), (Some(me.member), Some(today)), "by whom, and when");
    assert_eq!(me.id, ben.unlocked.device().unwrap());
    meet(ben, cleo);
    meet(cleo, ana);
    for phone in [ana, ben, cleo] {
        assert_eq!(shown(phone, gone), (false, 0, 0), "{}", phone.name);
    }
}

#[test]
fn what_is_held_about_an_erased_person_goes_and_only_the_rule_removes_it() {
    for rule in [None, Some(Rule::EraseLateArrivals)] {
        let folder = tempfile::tempdir().unwrap();
        let (hub, address) = Hub::new(folder.path(), START);
        let mut ana = found(folder.path(), 3, "ana", START);
        ana.unlocked.set_relay(&address).unwrap();
        hub.exchange(&ana).unwrap();
        if let Some(rule) = rule {
            ana.env = ana.env.clone().dangerous_without(rule);
            ana.restart();
        }
        // an encounter with somebody whose grant this phone has not seen yet: it waits, with its key
        let mut mallory = Attacker::join(3, "mallory", &ana, Role::Worker);
        let person = RecordId::from_bytes([9; 16]);
        let day = ana.unlocked.today().unwrap();
        let record = RecordId::from_bytes([8; 16]);
        let met = mallory.entry(record, Kind::Encounter, Some(person), day, Encounter::new(EncounterKind::Street));
        let row = mallory.cover(&met);
        assert_eq!(feed(&ana, std::slice::from_ref(&row)).codes, ["held_no_grant"]);
        let operation = ana.unlocked.erase_participant(person).unwrap();
        let (held, told) = (ana.unlocked.waiting().unwrap().1, ana.unlocked.dropped_edits().unwrap());
        if rule.is_none() {
            assert_eq!((held, told.len()), (0, 1));
            assert_eq!((told[0].operation, told[0].device, told[0].kind), (operation, mallory.device(), Kind::Encounter));
            assert_eq!(told[0].written, Some(day));
            let lines = ana.unlocked.team().unwrap().devices;
            assert_eq!(told[0].member, lines.iter().find(|line| line.id == mallory.device()).map(|line| line.member));
            assert!(told[0].member.is_some());
        } else {
            assert_eq!((held, told.len()), (1, 0), "control: without the rule it stays");
        }
    }
}

#[test]
fn the_eleventh_person_of_one_phone_waits_for_a_second_member() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), 7, "ana", START);
    let ben = join(folder.path(), 7, "ben", START, &ana, Role::Worker);
    let people: Vec<RecordId> = (0..11).map(|_| file(&ana.unlocked, "Blue")).collect();
    meet(&ana, &ben);
    for person in &people {
        ana.unlocked.erase_participant(*person).unwrap();
    }
    let receipts = ana.unlocked.erasures().unwrap();
    let waiting: Vec<bool> = receipts.iter().map(|receipt| receipt.waits_for_countersignature).collect();
    assert_eq!(waiting, [vec![false; 10], vec![true]].concat());
    assert!(shown(&ana, people[10]).0 && !shown(&ana, people[9]).0, "what has no effect erases nothing");
    meet(&ana, &ben);
    let last = receipts[10].operation;
    ben.unlocked.countersign(last).unwrap();
    assert!(!shown(&ben, people[10]).0);
    meet(&ben, &ana);
    assert!(!shown(&ana, people[10]).0);
    assert!(!ana.unlocked.erasure_receipt(last).unwrap().waits_for_countersignature);
}

#[test]
fn a_dropped_history_keeps_the_values_and_late_edits_are_told() {
    let trio = trio(4);
    let (ana, ben, cleo) = (&trio.ana, &trio.ben, &trio.cleo);
    let person = file(&ana.unlocked, "Blue");
    let old = ana.unlocked.save_follow_up(&follow_up(person, &ana.unlocked)).unwrap();
    ana.unlocked.set_follow_up_state(old, FollowUpState::Done).unwrap();
    meet(ana, ben);
    meet(ana, cleo);
    // two at once make the same new record; Cleo edits the old one meanwhile
    let first = ana.unlocked.drop_history(Kind::FollowUp, old).unwrap();
    let second = ben.unlocked.drop_history(Kind::FollowUp, old).unwrap();
    assert_ne!(first, second);
    cleo.unlocked.set_follow_up_state(old, FollowUpState::DroppedByParticipant).unwrap();
    meet(ana, cleo);
    meet(ana, ben);
    meet(ben, cleo);
    meet(ana, cleo);
    for phone in [ana, ben, cleo] {
        let lines = phone.unlocked.follow_ups().unwrap();
        assert_eq!(lines.len(), 1, "{}", phone.name);
        assert_ne!(lines[0].id, old);
        assert_eq!((lines[0].what.as_ref().unwrap().as_str(), lines[0].state), ("bring dry socks", FollowUpState::Done));
        assert!(phone.unlocked.follow_up(old).is_err());
    }
    let told = cleo.unlocked.dropped_edits().unwrap();
    assert_eq!(told.iter().map(|edit| edit.kind).collect::<Vec<_>>(), [Kind::FollowUp]);
    assert_eq!(ana.unlocked.erasure_receipt(first).unwrap().scope, TombstoneScope::History);
    assert!(ana.unlocked.drop_history(Kind::Participant, person).is_err(), "others refer to it by its id");
}

#[test]
fn who_cannot_be_waited_for_is_named() {
    let trio = trio(5);
    let (ana, ben, cleo) = (&trio.ana, &trio.ben, &trio.cleo);
    let gone = file(&ana.unlocked, "Blue");
    meet(ana, ben);
    meet(ana, cleo);
    let operation = ana.unlocked.erase_participant(gone).unwrap();
    for _ in 0..15 {
        for phone in [ana, ben] {
            phone.clock.advance(2 * DAY);
        }
        meet(ana, ben);
    }
    let receipt = ana.unlocked.erasure_receipt(operation).unwrap();
    assert_eq!(receipt.may_still_hold, [(cleo.unlocked.device().unwrap(), MayHold::Silent)]);
    assert!(receipt.is_settled && receipt.confirmed.len() == 2, "{receipt:?}");
}

#[test]
fn the_team_can_be_erased_and_nothing_is_written_after_that() {
    let trio = trio(6);
    let (ana, ben) = (&trio.ana, &trio.ben);
    let gone = file(&ana.unlocked, "Blue");
    meet(ana, ben);
    assert_eq!(shown(ben, gone), (true, 0, 0));
    let operation = ana.unlocked.erase_team().unwrap();
    if ana.unlocked.erasure_receipt(operation).unwrap().waits_for_countersignature {
        meet(ana, ben);
        ben.unlocked.countersign(operation).unwrap();
    }
    meet(ana, ben);
    for phone in [ana, ben] {
        assert_eq!(shown(phone, gone), (false, 0, 0));
        assert!(phone.unlocked.zones().unwrap().is_empty());
        assert!(phone.unlocked.save_encounter(&encounter(None)).is_err());
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A phone with a keystore, one participant, and an image of its flash from before the erasure.
fn imaged(rule: Option<Rule>) -> (tempfile::TempDir, Arc<dyn KeyProtector>, Passphrase, Unlocked) {
    let folder = tempfile::tempdir().unwrap();
    let env = rule.map_or(Env::system(), |rule| Env::system().dangerous_without(rule));
    let keystore: Arc<dyn KeyProtector> = Arc::new(FileKeystore::new(&folder.path().join("keys"), Env::system()));
    let passphrase = satchel_tests::team::passphrase();
    let credentials = Credentials { passphrase: &passphrase, protector: Some(keystore.clone()), cost: KeyCost::Least };
    let founding = Founding { time_zone: "America/Los_Angeles".into(), member_name: text("Ana") };
    let dir = folder.path().join("store");
    let unlocked = Store::found(&dir, env, &credentials, &founding).unwrap().unlocked;
    let gone = file(&unlocked, "Blue");
    copy(&dir, &folder.path().join("image"));
    unlocked.erase_participant(gone).unwrap();
    (folder, keystore, passphrase, unlocked)
}

#[test]
fn an_image_of_the_flash_opens_nothing_after_an_erasure_and_opens_all_without_the_rule() {
    for rule in [None, Some(Rule::ReplaceStoreKey)] {
        let (folder, keystore, passphrase, unlocked) = imaged(rule);
        let receipt = unlocked.erasures().unwrap().remove(0);
        let image = Store::open(&folder.path().join("image"), Env::system()).unwrap();
        let opened = image.unlock(&passphrase, Some(keystore.clone()));
        if rule.is_none() {
            assert_eq!(opened.unwrap_err().code(), "wrong_passphrase");
            assert_eq!(receipt.platform_note, KeyReplacement::Done);
        } else {
            assert_eq!(opened.unwrap().participants().unwrap().len(), 1, "control: without the rule the old slots open");
            assert_eq!(receipt.platform_note, KeyReplacement::Due);
        }
        // the phone itself goes on, with the same passphrase
        let dir = folder.path().join("store");
        let store = unlocked.store();
        store.lock();
        drop((store, unlocked));
        let again = Store::open(&dir, Env::system()).unwrap().unlock(&passphrase, Some(keystore)).unwrap();
        assert!(again.participants().unwrap().is_empty());
        assert_eq!(again.erasures().unwrap().len(), 1);
    }
}

#[test]
fn old_slots_on_the_new_database_and_the_other_way_round_open_nothing() {
    let (folder, keystore, passphrase, unlocked) = imaged(None);
    let store = unlocked.store();
    store.lock();
    drop((store, unlocked));
    for (database, slots) in [("store", "image"), ("image", "store")] {
        let mixed = folder.path().join(format!("{database}-{slots}"));
        copy(&folder.path().join(database), &mixed);
        fs::copy(folder.path().join(slots).join("slots"), mixed.join("slots")).unwrap();
        let store = Store::open(&mixed, Env::system()).unwrap();
        assert!(store.unlock(&passphrase, Some(keystore.clone())).is_err(), "{database} with the slots of {slots}");
    }
}

#[test]
fn no_byte_of_the_erased_record_stays_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let phone = found(folder.path(), 8, "ana", START);
    let gone = file(&phone.unlocked, "Blue");
    let mut other = join(folder.path(), 8, "ben", START, &phone, Role::Worker);
    meet(&phone, &other);
    other.unlocked.store().suspend().unwrap();
    let before = fs::read(other.dir.join("store.sqlite")).unwrap();
    let database =
        rusqlite::Connection::open_with_flags(other.dir.join("store.sqlite"), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let sealed: Vec<Vec<u8>> = {
        let mut statement = database.prepare("SELECT sealed FROM body UNION ALL SELECT sealed FROM document").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    drop(database);
    assert!(sealed.len() >= 3, "grant, file and names");
    let holds = |file: &[u8], value: &[u8]| file.windows(48).any(|window| window == &value[value.len() / 2..value.len() / 2 + 48]);
    assert!(sealed.iter().all(|value| holds(&before, value)), "control: they are found");

    other.restart();
    let _ = other.unlocked.erase_participant(gone).unwrap();
    other.unlocked.store().suspend().unwrap();
    let after = fs::read(other.dir.join("store.sqlite")).unwrap();
    let left = sealed.iter().filter(|value| holds(&after, value)).count();
    // the member's names stay, the file and its grant do not
    assert!(left < sealed.len() && left + 3 <= sealed.len(), "{left} of {}", sealed.len());
    let wal = other.dir.join("store.sqlite-wal");
    assert!(!wal.exists() || fs::metadata(wal).unwrap().len() == 0);
}

/// A member who does not play by the rules put two records under one id, about different people. The erasure costs one look; the
/// others are found before this phone's word that it is gone leaves, not after.
#[test]
fn everything_under_an_erased_id_is_gone_before_the_phone_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (_hub, address) = Hub::new(folder.path(), START);
    let ana = found(folder.path(), 79, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    let ben = join(folder.path(), 79, "Ben", START, &ana, Role::Worker);
    let mut mallory = Attacker::join(79, "Mallory", &ana, Role::Worker);
    let draft = ParticipantDraft { alias: Some(Alias::parse("Wren").unwrap()), ..ParticipantDraft::default() };
    let wren = ana.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap();
    meet(&ana, &ben);
    let (record, day) = (RecordId::from_bytes([0x31; 16]), ana.unlocked.today().unwrap());
    let value = || Encounter::new(EncounterKind::Street);
    let rows = [None, Some(wren)].map(|subject| {
        let forged = mallory.entry(record, Kind::Encounter, subject, day, value());
        mallory.cover(&forged)
    });
    feed(&ana, &rows);
    let is_here = || ana.unlocked.dangerous_fold().unwrap().iter().filter(|line| line.contains(&record.to_string())).count();
    assert_eq!(is_here(), 2);
    ana.unlocked.erase_record(Kind::Encounter, record).unwrap();
    assert_eq!(is_here(), 1, "positive control: one look");
    let (mut dialer, mut listener) = (ben.unlocked.dial().unwrap(), ana.unlocked.listen());
    let mut said = 0;
    while said == 0 {
        while let Some(bytes) = dialer.transmit(20_000).unwrap() {
            listener.receive(&bytes).unwrap();
        }
        while let Some(bytes) = listener.transmit(20_000).unwrap() {
            said += bytes.len();
            dialer.receive(&bytes).unwrap();
        }
    }
    assert_eq!(is_here(), 0);
}
