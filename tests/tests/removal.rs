//! Who is taken away gets nothing more, and who was only away gets everything.

#![allow(clippy::unwrap_used)]

use satchel_core::consent::HowGiven;
use satchel_core::record::{EncounterKind, Kind, Outcome, ParticipantDraft, ParticipantEdit};
use satchel_core::rules::Rule;
use satchel_core::screen::{Alias, Note};
use satchel_core::store::{EncounterDraft, OfferDraft};
use satchel_core::team::operation::Token;
use satchel_core::team::turn::open_announcement;
use satchel_core::team::{Action, Operation, Role, Standing, TurnError};
use satchel_tests::attacker::{Attacker, feed};
use satchel_tests::team::{Hub, Phone, found, found_without, join, meet, view};
use satchel_wire::announcement::{self, Part};
use satchel_wire::frame::{Announce, Endpoint, Frame, Push, Signed};
use satchel_wire::ids::{BodyId, DeviceId, RecordId, ResourceId};
use satchel_wire::row::{Lane, Row};
use std::collections::BTreeMap;
use std::path::Path;

const START: u64 = 1_795_370_000;
const DAY: i64 = 86_400;

fn encounter(phone: &Phone, note: &str) {
    let offers =
        vec![OfferDraft { resource: ResourceId::from_bytes([1; 16]), quantity: 1, outcome: Outcome::Accepted, keep_refusal: false }];
    let note = Some(Note::parse(note).unwrap());
    phone.unlocked.save_encounter(&EncounterDraft { kind: EncounterKind::Street, participant: None, zone: None, offers, note }).unwrap();
}

fn participant(phone: &Phone, alias: &str) -> RecordId {
    let draft = ParticipantDraft { alias: Some(Alias::parse(alias).unwrap()), ..ParticipantDraft::default() };
    phone.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap()
}

/// A second phone that runs a copy of a store, as after a backup was put back.
fn copy_of(phone: &mut Phone, dir: &Path) -> Phone {
    phone.unlocked.store().suspend().unwrap();
    std::fs::create_dir_all(dir).unwrap();
    for entry in std::fs::read_dir(&phone.dir).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != "lock") {
        std::fs::copy(entry.path(), dir.join(entry.file_name())).unwrap();
    }
    phone.restart();
    let (env, clock) = satchel_tests::team::env(2_090, "copy", phone.clock.now());
    let store = satchel_core::store::Store::open(dir, env.clone()).unwrap();
    let unlocked = store.unlock(&satchel_tests::team::passphrase(), None).unwrap();
    Phone { name: phone.name.clone(), unlocked, clock, env, dir: dir.to_owned() }
}

fn count(phone: &Phone) -> usize {
    phone.unlocked.encounters(None).unwrap().len()
}

fn id(phone: &Phone) -> DeviceId {
    phone.unlocked.device().unwrap()
}

fn with_relay(folder: &Path, seed: u64) -> (Hub, Phone) {
    let (hub, address) = Hub::new(folder, START);
    let ana = found(folder, seed, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    (hub, ana)
}

/// Every row that phones handed to the relay.
fn rows(hub: &Hub) -> Vec<Row> {
    let traffic = hub.traffic.lock().unwrap();
    let rows = traffic.iter().flat_map(|(endpoint, request, _)| {
        let body = Signed::from_bytes(request).map(|signed| signed.body).unwrap_or_default();
        match endpoint {
            Endpoint::Push => Push::from_bytes(&body).unwrap().rows,
            Endpoint::Announce => Announce::from_bytes(&body).unwrap().rows,
            _ => Vec::new(),
        }
    });
    rows.collect()
}

fn announcements(rows: &[Row]) -> Vec<Vec<u8>> {
    let mut parts: BTreeMap<_, Vec<Part>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.lane() == Lane::Announce) {
        let part = Part::parse(row).unwrap();
        parts.entry(part.announcement).or_default().push(part);
    }
    parts.values().filter_map(|parts| announcement::join(parts).unwrap()).collect()
}

#[test]
fn one_away_through_three_turns_catches_up_and_one_removed_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = with_relay(folder.path(), 200);
    let [ben, cleo, dora] = ["Ben", "Cleo", "Dora"].map(|name| join(folder.path(), 200, name, START, &ana, Role::Worker));
    for phone in [&ana, &ben, &cleo, &dora, &ana, &ben, &cleo, &dora] {
        hub.exchange(phone).unwrap();
    }
    encounter(&ana, "before");
    for phone in [&ana, &cleo] {
        hub.exchange(phone).unwrap();
    }
    assert_eq!(count(&cleo), 1, "until then she reads everything");
    let plan = ana.unlocked.prepare_removal(id(&cleo)).unwrap();
    assert_eq!(plan.name.as_ref().unwrap().as_str(), "Cleo");
    assert!(plan.begins_turn && plan.is_last_of_member && plan.last_heard.is_some());
    assert_eq!(ana.unlocked.team().unwrap().turn, 1, "nothing has happened yet");
    plan.confirm().unwrap();
    assert_eq!(ana.unlocked.team().unwrap().turn, 2, "a new turn begins with the removal");
    encounter(&ana, "first after");
    hub.exchange(&ana).unwrap();
    for note in ["second after", "third after"] {
        ana.unlocked.begin_turn().unwrap();
        encounter(&ana, note);
        hub.exchange(&ana).unwrap();
    }
    // Ben finds the relay, Dora meets Ben in the street
    encounter(&ben, "one written while away");
    encounter(&dora, "another written while away");
    hub.exchange(&ben).unwrap();
    assert_eq!(count(&ben), 5);
    meet(&dora, &ben);
    assert_eq!(count(&dora), 6);
    for phone in [&ben, &ana, &dora, &ana] {
        hub.exchange(phone).unwrap();
    }
    assert_eq!(view(&ana), view(&ben));
    assert_eq!(view(&ana), view(&dora));
    let line = ana.unlocked.team().unwrap().devices.into_iter().find(|line| line.id == id(&cleo)).unwrap();
    assert_eq!(line.standing, Standing::Removed);

    // Cleo asks the relay, is handed everything that it ever got, and dials a colleague
    encounter(&cleo, "one written after the removal");
    assert!(hub.exchange(&cleo).is_err());
    let before = count(&cleo);
    let all = rows(&hub);
    assert!(all.len() > 12);
    let taken = feed(&cleo, &all);
    assert_eq!((taken.applied, count(&cleo)), (0, before), "{taken:?}");
    let (mut dialer, mut listener) = (cleo.unlocked.dial().unwrap(), ben.unlocked.listen());
    for _ in 0..50 {
        while let Ok(Some(bytes)) = dialer.transmit(16 * 1024) {
            let _ = listener.receive(&bytes);
        }
        while let Ok(Some(bytes)) = listener.transmit(16 * 1024) {
            let _ = dialer.receive(&bytes);
        }
    }
    assert_eq!(count(&cleo), before);
    assert!(ben.unlocked.encounters(None).unwrap().len() == 6, "and nothing of hers comes in");
}

#[test]
fn the_keys_of_a_removed_device_open_nothing_that_passed_after_its_removal() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = with_relay(folder.path(), 201);
    let ben = join(folder.path(), 201, "Ben", START, &ana, Role::Worker);
    let mallory = Attacker::join(201, "Mallory", &ana, Role::Worker);
    encounter(&ana, "before");
    for phone in [&ana, &ben, &ana] {
        hub.exchange(phone).unwrap();
    }
    let before = rows(&hub);
    assert!(before.iter().any(|row| mallory.uncover(row).is_some()), "the same keys open what passed before");
    ana.unlocked.prepare_removal(mallory.device()).unwrap().confirm().unwrap();
    for _ in 0..3 {
        encounter(&ana, "after");
        for phone in [&ana, &ben, &ana] {
            hub.exchange(phone).unwrap();
        }
        ben.unlocked.begin_turn().unwrap();
    }
    // what Ana sealed under a turn that Ben had just left is asked for, covered anew and pushed again
    for _ in 0..4 {
        for phone in [&ben, &ana] {
            // the box goes out at once or a day later, by rank
            phone.clock.advance(DAY);
            hub.exchange(phone).unwrap();
        }
    }
    let after: Vec<Row> = rows(&hub).into_iter().skip(before.len()).collect();
    assert!(after.iter().filter(|row| row.lane() == Lane::Records).count() >= 3);
    assert!(after.iter().all(|row| mallory.uncover(row).is_none()));
    let announced = announcements(&after);
    assert!(announced.len() >= 3, "{}", announced.len());
    for bytes in announced {
        let opened = open_announcement(mallory.team, std::slice::from_ref(&mallory.receiving), &bytes);
        assert_eq!(opened.err(), Some(TurnError::NotForUs));
    }
    assert_eq!(count(&ben), 4);
}

#[test]
fn what_was_written_beyond_a_cut_waits_until_a_steward_adopts_it() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = with_relay(folder.path(), 202);
    let ben = join(folder.path(), 202, "Ben", START, &ana, Role::Steward);
    let [cleo, dora] = ["Cleo", "Dora"].map(|name| join(folder.path(), 202, name, START, &ana, Role::Worker));
    for phone in [&ana, &ben, &cleo, &dora, &ana] {
        hub.exchange(phone).unwrap();
    }
    // Cleo's last work reaches the relay; Ana, who has not seen it, removes her
    encounter(&cleo, "her last evening");
    hub.exchange(&cleo).unwrap();
    ana.unlocked.prepare_removal(id(&cleo)).unwrap().confirm().unwrap();
    for phone in [&ana, &ben, &dora, &ana] {
        hub.exchange(phone).unwrap();
    }
    // Ben and Dora could still open its cover
    assert_eq!((count(&ana), count(&ben), count(&dora)), (0, 0, 0));
    let waiting = ben.unlocked.waiting_beyond_cut().unwrap();
    assert!(waiting.iter().any(|body| body.device == id(&cleo)), "{waiting:?}");
    let bodies: Vec<_> = waiting.iter().map(|waiting| waiting.body).collect();
    assert!(dora.unlocked.adopt(&bodies).is_err(), "a worker adopts nothing");
    ben.unlocked.adopt(&bodies).unwrap();
    assert_eq!(count(&ben), 1);
    assert!(ben.unlocked.waiting_beyond_cut().unwrap().is_empty());
    for phone in [&ben, &ana, &dora] {
        hub.exchange(phone).unwrap();
    }
    assert_eq!(view(&ana), view(&ben));
    assert_eq!(view(&ana), view(&dora));
}

/// Whoever has an older copy of a removed phone writes other work under numbers that count, and hands it to somebody who has
/// heard of nothing: whoever knows of the removal shows none of it, whoever carries it.
#[test]
fn what_a_copy_of_a_removed_phone_writes_below_the_cut_waits_as_well() {
    for without in [None, Some(Rule::HoldBeyondCut)] {
        let folder = tempfile::tempdir().unwrap();
        let ana = found_without(folder.path(), 209, "Ana", START, without);
        let ben = join(folder.path(), 209, "Ben", START, &ana, Role::Worker);
        let mut mal = join(folder.path(), 209, "Mal", START, &ana, Role::Worker);
        for phone in [&ben, &mal, &ben] {
            meet(&ana, phone);
        }
        let copied = copy_of(&mut mal, &folder.path().join("copy"));
        encounter(&mal, "real");
        meet(&mal, &ana);
        assert_eq!(count(&ana), 1);
        ana.unlocked.prepare_removal(id(&mal)).unwrap().confirm().unwrap();
        encounter(&copied, "forged");
        encounter(&copied, "and one more");
        meet(&copied, &ben);
        assert_eq!(count(&ben), 2, "who has heard of nothing takes them");
        meet(&ben, &ana);
        let waiting = ana.unlocked.waiting_beyond_cut().unwrap();
        if without.is_some() {
            assert_eq!((count(&ana), waiting.len()), (3, 0), "positive control");
            continue;
        }
        assert_eq!((count(&ana), waiting.len()), (1, 2), "{waiting:?}");
        // a steward who says that they count makes everybody show them
        ana.unlocked.adopt(&waiting.iter().map(|waiting| waiting.body).collect::<Vec<_>>()).unwrap();
        meet(&ben, &ana);
        assert_eq!(count(&ana), 3);
        assert_eq!(view(&ana), view(&ben));
    }
}

/// Two phones run on with one backup: whoever removes them has the work of both, and so has everybody else.
#[test]
fn what_is_here_of_a_phone_that_was_copied_stays_for_everybody_when_it_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), 211, "Ana", START);
    let [ben, cleo] = ["Ben", "Cleo"].map(|name| join(folder.path(), 211, name, START, &ana, Role::Worker));
    let mut mal = join(folder.path(), 211, "Mal", START, &ana, Role::Worker);
    for phone in [&ben, &cleo, &mal, &ben, &cleo] {
        meet(&ana, phone);
    }
    let copied = copy_of(&mut mal, &folder.path().join("copy"));
    encounter(&mal, "one");
    meet(&mal, &ana);
    encounter(&copied, "other");
    meet(&copied, &ben);
    meet(&ben, &ana);
    assert_eq!(count(&ana), 2);
    ana.unlocked.prepare_removal(id(&mal)).unwrap().confirm().unwrap();
    for phone in [&cleo, &ben] {
        meet(phone, &ana);
        assert_eq!(count(phone), 2);
        assert_eq!(view(phone), view(&ana));
    }
}

#[test]
fn what_waits_beyond_a_cut_goes_when_its_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = with_relay(folder.path(), 208);
    let [ben, cleo] = ["Ben", "Cleo"].map(|name| join(folder.path(), 208, name, START, &ana, Role::Worker));
    let blue = participant(&ana, "Bluebird");
    for phone in [&ana, &ben, &cleo, &ana] {
        hub.exchange(phone).unwrap();
    }
    encounter(&cleo, "her last evening");
    let language = satchel_core::screen::ShortText::parse("Spanish").unwrap();
    cleo.unlocked.edit_participant(blue, &ParticipantEdit { language: Some(language), ..ParticipantEdit::default() }).unwrap();
    hub.exchange(&cleo).unwrap();
    ana.unlocked.prepare_removal(id(&cleo)).unwrap().confirm().unwrap();
    for phone in [&ana, &ben, &ana] {
        hub.exchange(phone).unwrap();
    }
    let waiting = || ben.unlocked.waiting_beyond_cut().unwrap().into_iter().map(|waiting| waiting.kind).collect::<Vec<_>>();
    let live = |days: usize| {
        for _ in 0..days {
            ben.clock.advance(DAY);
            ben.unlocked.tend().unwrap();
        }
    };
    let mut kinds = waiting();
    kinds.sort_unstable();
    assert_eq!(kinds, [Kind::Participant, Kind::Encounter]);
    live(90);
    assert_eq!(waiting().len(), 2, "the ninetieth day is the last");
    live(1);
    assert_eq!(waiting(), [Kind::Participant]);
    // a file stays a year after the last contact and one absence limit, 21 days
    live(365 + 21 - 91);
    assert_eq!(waiting(), [Kind::Participant]);
    live(1);
    assert_eq!(waiting(), []);
    assert!(ben.unlocked.participant(blue).is_err());
}

#[test]
fn what_a_standing_member_built_on_is_part_of_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = with_relay(folder.path(), 203);
    let [ben, cleo] = ["Ben", "Cleo"].map(|name| join(folder.path(), 203, name, START, &ana, Role::Worker));
    let blue = participant(&ana, "Bluebird");
    for phone in [&ana, &ben, &cleo, &ana, &ben] {
        hub.exchange(phone).unwrap();
    }
    // Cleo edits, Ben edits on top of it; Ana removes Cleo before she has heard of either
    let language = |text: &str| ParticipantEdit {
        language: Some(satchel_core::screen::ShortText::parse(text).unwrap()),
        ..ParticipantEdit::default()
    };
    cleo.unlocked.edit_participant(blue, &language("Spanish")).unwrap();
    meet(&cleo, &ben);
    ben.unlocked.edit_participant(blue, &language("Portuguese")).unwrap();
    encounter(&cleo, "nobody builds on this");
    ana.unlocked.prepare_removal(id(&cleo)).unwrap().confirm().unwrap();
    meet(&ana, &ben);
    let shown = ana.unlocked.participant(blue).unwrap();
    assert_eq!(shown.language.unwrap().as_str(), "Portuguese");
    assert_eq!(view(&ana), view(&ben));
}

#[test]
fn a_dormant_phone_is_woken_by_any_member_and_its_unsent_work_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = with_relay(folder.path(), 204);
    let [ben, cleo] = ["Ben", "Cleo"].map(|name| join(folder.path(), 204, name, START, &ana, Role::Worker));
    for phone in [&ana, &ben, &cleo, &ana, &ben, &cleo] {
        hub.exchange(phone).unwrap();
    }
    encounter(&cleo, "written, and then the phone lay in a drawer");
    for _ in 0..24 {
        for phone in [&ana, &ben, &cleo] {
            phone.clock.advance(DAY);
        }
        hub.clock.advance(DAY);
        for phone in [&ana, &ben] {
            hub.exchange(phone).unwrap();
        }
    }
    let line = |phone: &Phone, of: &Phone| phone.unlocked.team().unwrap().devices.into_iter().find(|line| line.id == id(of)).unwrap();
    assert!(line(&ana, &cleo).is_dormant && !line(&ana, &ben).is_dormant);
    assert_eq!(line(&ana, &cleo).standing, Standing::Active, "dormant is not removed");
    ana.unlocked.begin_turn().unwrap();
    hub.exchange(&ana).unwrap();
    hub.exchange(&ben).unwrap();
    assert!(hub.exchange(&cleo).is_err(), "no box came for her");
    meet(&cleo, &ben);
    for phone in [&ben, &cleo, &ana] {
        hub.exchange(phone).unwrap();
    }
    assert!(!line(&ana, &cleo).is_dormant);
    assert_eq!(count(&ana), 1);
    assert_eq!(view(&ana), view(&cleo));
}

#[test]
fn a_month_later_one_phone_begins_a_turn_and_nobody_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = with_relay(folder.path(), 205);
    let [ben, cleo] = ["Ben", "Cleo"].map(|name| join(folder.path(), 205, name, START, &ana, Role::Worker));
    let phones = [&ana, &ben, &cleo];
    for phone in [phones, phones].concat() {
        hub.exchange(phone).unwrap();
    }
    for _ in 0..40 {
        phones.iter().for_each(|phone| phone.clock.advance(DAY));
        hub.clock.advance(DAY);
        for phone in [phones, phones].concat() {
            hub.exchange(phone).unwrap();
        }
    }
    for phone in phones {
        assert_eq!(phone.unlocked.team().unwrap().turn, 2, "{}", phone.name);
    }
}

#[test]
fn a_steward_is_removed_by_two_and_the_relay_gets_a_new_control_key() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = with_relay(folder.path(), 206);
    let [ben, cleo] = ["Ben", "Cleo"].map(|name| join(folder.path(), 206, name, START, &ana, Role::Steward));
    for phone in [&ana, &ben, &cleo, &ana, &ben, &cleo] {
        hub.exchange(phone).unwrap();
    }
    let standing = |phone: &Phone| phone.unlocked.team().unwrap().devices.into_iter().find(|line| line.id == id(&cleo)).unwrap();
    let member = standing(&ana).member;
    let removal = ana.unlocked.remove_member(member).unwrap();
    assert_eq!(standing(&ana).standing, Standing::Suspended, "one steward's word suspends");
    let waiting = ana.unlocked.awaiting_countersignature().unwrap();
    assert!(waiting.len() == 1 && waiting[0].operation == removal && !waiting[0].may_sign, "not by her who asked for it");
    for phone in [&ana, &ben] {
        hub.exchange(phone).unwrap();
    }
    assert!(ben.unlocked.awaiting_countersignature().unwrap()[0].may_sign);
    ben.unlocked.countersign(removal).unwrap();
    assert_eq!(standing(&ben).standing, Standing::Removed);
    // the relay took the new control key: both can still change its keys, Cleo cannot
    for phone in [&ben, &ana, &ben] {
        hub.exchange(phone).unwrap();
    }
    for phone in [&ana, &ben] {
        phone.unlocked.begin_turn().unwrap();
        encounter(phone, "afterwards");
        for phone in [&ana, &ben, &ana, &ben] {
            hub.exchange(phone).unwrap();
        }
    }
    assert_eq!(view(&ana), view(&ben));
    assert!(cleo.unlocked.begin_turn().is_ok(), "she has not heard");
    assert!(hub.exchange(&cleo).is_err());
    for phone in [&ana, &ben] {
        hub.exchange(phone).unwrap();
    }
}

#[test]
fn a_restored_phone_goes_on_once_a_steward_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = with_relay(folder.path(), 207);
    let mut ben = join(folder.path(), 207, "Ben", START, &ana, Role::Worker);
    for phone in [&ana, &ben, &ana] {
        hub.exchange(phone).unwrap();
    }
    // a backup is taken, Ben works on, and the backup is put back
    let backup = folder.path().join("backup");
    let copy = |from: &Path, to: &Path| {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != "lock") {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    };
    ben.unlocked.store().suspend().unwrap();
    copy(&ben.dir, &backup);
    ben.restart();
    encounter(&ben, "after the backup");
    for phone in [&ben, &ana] {
        hub.exchange(phone).unwrap();
    }
    ben.unlocked.store().suspend().unwrap();
    let (env, clock) = satchel_tests::team::env(2_070, "restored Ben", START);
    let store = satchel_core::store::Store::open(&backup, env.clone()).unwrap();
    let unlocked = store.unlock(&satchel_tests::team::passphrase(), None).unwrap();
    let restored = Phone { name: "Ben".into(), unlocked, clock, env, dir: backup };
    encounter(&restored, "written after the restoration");
    for phone in [&restored, &ana, &restored] {
        hub.exchange(phone).unwrap();
    }
    assert!(restored.unlocked.team().unwrap().is_copied);
    assert_eq!(count(&ana), 1, "nothing leaves a copy");
    ana.unlocked.resume_device(id(&restored)).unwrap();
    for phone in [&ana, &restored, &restored, &ana] {
        hub.exchange(phone).unwrap();
    }
    let team = ana.unlocked.team().unwrap();
    assert!(!restored.unlocked.team().unwrap().is_copied && team.devices.iter().all(|line| !line.is_forked));
    assert_eq!((count(&ana), count(&restored)), (2, 2));
    assert_eq!(view(&ana), view(&restored));
}

/// Somebody floods the log with operations that know nothing of each other, so that no operation has room to name all of
/// them. What a colleague erased stays erased all the same, they can go on erasing, and all of it leaves at once.
#[test]
fn a_flood_of_heads_takes_no_erasure_back_and_stops_none() {
    for seed in 270..274 {
        let folder = tempfile::tempdir().unwrap();
        let (hub, ana) = with_relay(folder.path(), seed);
        let ben = join(folder.path(), seed, "Ben", START, &ana, Role::Worker);
        let mallory = Attacker::join(seed, "Mallory", &ana, Role::Worker);
        let (first, second) = (participant(&ana, "Wren"), participant(&ana, "Tam"));
        for phone in [&ana, &ben, &ana] {
            hub.exchange(phone).unwrap();
        }
        let erased = ana.unlocked.erase_participant(first).unwrap();
        let day = ana.unlocked.today().unwrap();
        let write = |n: u8| {
            let tokens = (0..8u8).map(|at| Token([n, at, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])).collect();
            let action = Action::Tombstone { salt: [n; 16], records: tokens, subject: None, category: None, team: false, successor: None };
            Operation::write(&mallory.signer, Some(mallory.team), vec![mallory.admission().id()], day, action).to_bytes()
        };
        let flood: Vec<Vec<u8>> = (0..200u8).map(write).collect();
        for some in flood.chunks(20) {
            feed(&ana, &[mallory.raw_notice(some.to_vec(), vec![])]);
        }
        let late = ana.unlocked.erase_participant(second).unwrap();
        assert!(ana.unlocked.participant(second).is_err());
        ana.unlocked.prepare_removal(mallory.device()).unwrap().confirm().unwrap();
        for erased in [erased, late] {
            assert!(!ana.unlocked.erasure_receipt(erased).unwrap().waits_for_countersignature, "seed {seed}");
        }
        for phone in [&ana, &ben, &ana, &ben] {
            hub.exchange(phone).unwrap();
        }
        assert!(ben.unlocked.participant(first).is_err() && ben.unlocked.participant(second).is_err());
    }
}

/// Work of a whole month is adopted at once, and a member floods the log with operations that know nothing of each other:
/// both once made operations that no phone could read back, the one that wrote them included.
#[test]
fn nothing_is_written_to_the_log_that_nobody_can_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, mut ana) = with_relay(folder.path(), 260);
    let ben = join(folder.path(), 260, "Ben", START, &ana, Role::Worker);
    let mallory = Attacker::join(260, "Mallory", &ana, Role::Worker);
    let bodies: Vec<BodyId> = (0..4_000u32).map(|n| BodyId::of(&n.to_le_bytes())).collect();
    ana.unlocked.adopt(&bodies).unwrap();
    ana.restart();
    for phone in [&ana, &ben, &ana] {
        hub.exchange(phone).unwrap();
    }
    assert_eq!(ben.unlocked.operation(ana.unlocked.adopt(&bodies[..1]).unwrap()).unwrap(), None);
    // hundreds of heads at once
    let day = ana.unlocked.today().unwrap();
    let write = |n: u8| {
        let tokens = (0..8u8).map(|at| Token([n, at, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])).collect();
        let action = Action::Tombstone { salt: [n; 16], records: tokens, subject: None, category: None, team: false, successor: None };
        Operation::write(&mallory.signer, Some(mallory.team), vec![mallory.admission().id()], day, action).to_bytes()
    };
    let flood: Vec<Vec<u8>> = (0..200u8).map(write).collect();
    for some in flood.chunks(20) {
        feed(&ana, &[mallory.raw_notice(some.to_vec(), vec![])]);
    }
    encounter(&ana, "written after the flood");
    let plan = ana.unlocked.prepare_removal(mallory.device()).unwrap();
    plan.confirm().unwrap();
    ana.restart();
    assert_eq!(ana.unlocked.encounters(None).unwrap().len(), 1, "the store opens, and holds what it held");
    for phone in [&ana, &ben, &ana, &ben] {
        hub.exchange(phone).unwrap();
    }
    assert_eq!(count(&ben), 1);
    assert_eq!(view(&ana), view(&ben));
}
