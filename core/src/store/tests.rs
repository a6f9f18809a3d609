#![allow(clippy::unwrap_used)]

use super::*;
use crate::consent::HowGiven;
use crate::record::{EncounterKind, Outcome, ParticipantDraft, ParticipantEdit};
use crate::screen::{Alias, Note, ShortText};
use satchel_wire::ids::{RecordId, ResourceId};

pub(super) fn founded(dir: &Path) -> (Unlocked, Passphrase) {
    let passphrase = Passphrase::new(b"correct horse battery staple").unwrap();
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost: KeyCost::Least };
    let founding = Founding { time_zone: "America/Los_Angeles".into(), member_name: ShortText::parse("Ana").unwrap() };
    let founded = Store::found(dir, Env::system(), &credentials, &founding).unwrap();
    assert_eq!(founded.reseat_words.split(' ').count(), 35);
    (founded.unlocked, passphrase)
}

#[test]
fn a_day_survives_locking_and_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (unlocked, passphrase) = founded(&dir);
    let zone = unlocked.create_zone(&ShortText::parse("by the river").unwrap()).unwrap();
    let draft = ParticipantDraft {
        alias: Some(Alias::parse("Blue").unwrap()),
        goals: vec![ShortText::parse("a dry place").unwrap(), ShortText::parse("see a doctor").unwrap()],
        ..ParticipantDraft::default()
    };
    let participant = unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap();
    let kit = ResourceId::from_bytes([7; 16]);
    let offer = |outcome| OfferDraft { resource: kit, quantity: 1, outcome, keep_refusal: false };
    let encounter = EncounterDraft {
        kind: EncounterKind::Street,
        participant: Some(participant),
        zone: Some(zone),
        offers: vec![offer(Outcome::Accepted), offer(Outcome::Declined)],
        note: Some(Note::parse("gave 2 kits").unwrap()),
    };
    let id = unlocked.save_encounter(&encounter).unwrap();
    let goals = Some(vec![ShortText::parse("see a doctor").unwrap(), ShortText::parse("a dry place").unwrap()]);
    unlocked.edit_participant(participant, &ParticipantEdit { goals, ..ParticipantEdit::default() }).unwrap();
    let today = unlocked.today().unwrap();
    assert_eq!(unlocked.tally_waiting(today).unwrap().len(), 2);

    let store = unlocked.store();
    store.lock();
    assert_eq!(unlocked.participants().unwrap_err(), Error::Locked);
    drop(store);
    drop(unlocked);
    let store = Store::open(&dir, Env::system()).unwrap();
    assert_eq!(store.unlock(&Passphrase::new(b"wrong").unwrap(), None).unwrap_err(), Error::WrongPassphrase);
    let unlocked = store.unlock(&passphrase, None).unwrap();
    let list = unlocked.participants().unwrap();
    assert_eq!((list.len(), list[0].alias.as_ref().unwrap().as_str(), list[0].last_day), (1, "Blue", today));
    let file = unlocked.participant(participant).unwrap();
    assert_eq!(file.goals.iter().map(ShortText::as_str).collect::<Vec<_>>(), ["see a doctor", "a dry place"]);
    let shown = unlocked.encounter(id).unwrap();
    assert_eq!(shown.value.offers.len(), 1, "the refusal is in the tally and nowhere else");
    assert_eq!(shown.value.note().unwrap().as_str(), "gave 2 kits");
    assert_eq!(unlocked.zones().unwrap()[0].name.as_ref().unwrap().as_str(), "by the river");
}

#[test]
fn many_saves_fold_pages_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (unlocked, passphrase) = founded(&dir);
    let draft = || EncounterDraft { kind: EncounterKind::DropIn, participant: None, zone: None, offers: Vec::new(), note: None };
    let saved: std::collections::BTreeSet<RecordId> = (0..300).map(|_| unlocked.save_encounter(&draft()).unwrap()).collect();
    drop(unlocked);
    let unlocked = Store::open(&dir, Env::system()).unwrap().unlock(&passphrase, None).unwrap();
    assert_eq!(unlocked.encounters(None).unwrap().into_iter().map(|line| line.id).collect::<std::collections::BTreeSet<_>>(), saved);
    assert!(unlocked.store().check().is_ok());
}

#[test]
fn a_lock_while_the_passphrase_is_tried_wins() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (unlocked, passphrase) = founded(&dir);
    let store = unlocked.store();
    let before = store.shared.generation.load(Ordering::SeqCst);
    let slots = storage::read_slots(&dir).unwrap();
    let opened = open_slots(&slots, &passphrase, None).unwrap();
    store.lock();
    assert_eq!(store.unlock_with(&slots, opened, before).unwrap_err(), Error::Locked);
    assert!(!store.is_unlocked());
    assert!(store.unlock(&passphrase, None).is_ok());
}

#[test]
fn what_cannot_be_saved_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (unlocked, _) = founded(&folder.path().join("store"));
    let stranger = RecordId::from_bytes([9; 16]);
    let draft = |participant, zone| EncounterDraft { kind: EncounterKind::Street, participant, zone, offers: Vec::new(), note: None };
    assert_eq!(unlocked.save_encounter(&draft(Some(stranger), None)).unwrap_err(), Error::NoGrant);
    assert_eq!(unlocked.save_encounter(&draft(None, Some(stranger))).unwrap_err(), Error::UnknownZone);
    assert!(unlocked.encounters(None).unwrap().is_empty());
    assert!(unlocked.save_encounter(&draft(None, None)).is_ok());
}

#[test]
fn suspending_gathers_tails_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (unlocked, passphrase) = founded(&dir);
    let draft = || EncounterDraft { kind: EncounterKind::Phone, participant: None, zone: None, offers: Vec::new(), note: None };
    let saved: std::collections::BTreeSet<RecordId> = (0..7).map(|_| unlocked.save_encounter(&draft()).unwrap()).collect();
    let store = unlocked.store();
    let tails = |store: &Store| store.shared.lock_inner().database.as_mut().unwrap().read(|reader| reader.counts()).unwrap().tails;
    assert!(tails(&store) >= 7, "saves append tails");
    store.suspend().unwrap();
    assert_eq!(unlocked.encounters(None).unwrap_err(), Error::Locked);
    store.resume().unwrap();
    assert!(tails(&store) < 4, "only pages with hardly any keep them");
    let unlocked = store.unlock(&passphrase, None).unwrap();
    assert_eq!(unlocked.encounters(None).unwrap().into_iter().map(|line| line.id).collect::<std::collections::BTreeSet<_>>(), saved);
    unlocked.save_encounter(&draft()).unwrap();
    assert_eq!(unlocked.encounters(None).unwrap().len(), 8);
    assert!(store.check().is_ok());
    // a locked store is suspended all the same
    store.lock();
    store.suspend().unwrap();
}
