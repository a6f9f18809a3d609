//! Retention: what is old goes by the charter and the phone's own checked day, and no clock that lies destroys what lives.
#![allow(clippy::unwrap_used)]

use satchel_core::consent::HowGiven;
use satchel_core::record::{EncounterKind, ParticipantDraft};
use satchel_core::screen::{Alias, ShortText};
use satchel_core::store::EncounterDraft;
use satchel_core::team::Role;
use satchel_tests::team::{Hub, Phone, found, join, meet};
use satchel_wire::RecordId;

/// 2026-11-22 20:00 UTC: noon there, so that summer time moves no shift day.
const START: u64 = 1_795_377_600;
const DAY: i64 = 86_400;
/// 2038-01-19 03:14:08 UTC.
const YEAR_2038: u64 = 2_147_483_648;

fn file(phone: &Phone) -> RecordId {
    let draft = ParticipantDraft { alias: Some(Alias::parse("Blue").unwrap()), ..ParticipantDraft::default() };
    phone.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap()
}

fn encounter(phone: &Phone, participant: Option<RecordId>, zone: Option<RecordId>) -> RecordId {
    let draft = EncounterDraft { kind: EncounterKind::Street, participant, zone, offers: Vec::new(), note: None };
    phone.unlocked.save_encounter(&draft).unwrap()
}

/// Days pass as they do for a phone in use: tended at least every other day.
fn live(phone: &Phone, days: i64) -> usize {
    let mut destroyed = 0;
    for _ in 0..days {
        phone.clock.advance(DAY);
        destroyed += phone.unlocked.tend().unwrap().destroyed;
    }
    destroyed
}

fn lone(seed: u64) -> (tempfile::TempDir, Phone) {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), seed, "ana", START);
    (folder, ana)
}

#[test]
fn encounters_go_after_ninety_days_their_zone_after_fourteen_and_the_file_a_year_after_the_last_contact() {
    let (_folder, ana) = lone(1);
    let person = file(&ana);
    let zone = ana.unlocked.create_zone(&ShortText::parse("by the river").unwrap()).unwrap();
    let met = encounter(&ana, Some(person), Some(zone));
    live(&ana, 14);
    assert_eq!(ana.unlocked.encounter(met).unwrap().value.zone, Some(zone), "the fourteenth day is the last");
    live(&ana, 1);
    assert_eq!(ana.unlocked.encounter(met).unwrap().value.zone, None);
    assert_eq!(ana.unlocked.encounters(None).unwrap()[0].zone, None);
    live(&ana, 75);
    assert!(ana.unlocked.encounter(met).is_ok(), "the ninetieth day is the last");
    assert_eq!(live(&ana, 1), 1);
    assert!(ana.unlocked.encounters(None).unwrap().is_empty());
    assert!(ana.unlocked.participant(person).is_ok());
    // hidden a year after the last contact, destroyed one absence limit (21 days) later, the grant with it
    live(&ana, 365 - 91);
    assert!(ana.unlocked.participant(person).is_ok());
    assert_eq!(live(&ana, 1), 0);
    assert!(ana.unlocked.participants().unwrap().is_empty() && ana.unlocked.participant(person).is_err());
    assert_eq!(live(&ana, 20), 0);
    assert_eq!(live(&ana, 1), 2);
}

#[test]
fn a_contact_counts_for_the_file() {
    let (_folder, ana) = lone(2);
    let person = file(&ana);
    live(&ana, 200);
    encounter(&ana, Some(person), None);
    live(&ana, 365);
    assert!(ana.unlocked.participant(person).is_ok());
    live(&ana, 1);
    assert!(ana.unlocked.participant(person).is_err());
}

#[test]
fn a_clock_at_2038_and_back_destroys_nothing_and_dates_nothing() {
    let (_folder, ana) = lone(3);
    let person = file(&ana);
    let met = encounter(&ana, Some(person), None);
    let day = ana.unlocked.today().unwrap();
    ana.clock.set(YEAR_2038);
    let report = ana.unlocked.tend().unwrap();
    assert!(report.date_in_doubt && report.destroyed == 0);
    assert!(ana.unlocked.participants().unwrap().is_empty(), "what may be over is denied");
    assert_eq!(ana.unlocked.today().unwrap(), day, "nothing is dated by a day that nobody confirmed");
    ana.clock.set(START);
    assert!(!ana.unlocked.is_date_in_doubt().unwrap(), "the clock came back by itself");
    assert!(ana.unlocked.participant(person).is_ok() && ana.unlocked.encounter(met).is_ok());
    // control: where the worker confirms it, it is over
    ana.clock.set(YEAR_2038);
    ana.unlocked.confirm_date().unwrap();
    let report = ana.unlocked.tend().unwrap();
    assert!(report.destroyed >= 3 && report.is_destroyed, "{report:?}");
    ana.clock.set(START);
    assert!(ana.unlocked.participants().unwrap().is_empty() && ana.unlocked.encounter(met).is_err());
}

/// Somebody joins by a typed code on a phone whose clock is wrong: what they are given is not taken for over.
#[test]
fn a_newcomer_whose_clock_is_at_2038_loses_nothing() {
    use satchel_core::store::{Credentials, KeyCost, Store};
    use satchel_tests::team::{env, passphrase};
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), 40, "ana", START);
    let met = encounter(&ana, None, None);
    let code = ana.unlocked.invite_by_code(Role::Worker).unwrap();
    let (env, clock) = env(40, "ben", YEAR_2038);
    let (typed, hello) = Store::join_by_code(env.clone(), code.code()).unwrap();
    let (joining, knock) = typed.replied(&code.answer_hello(&hello).unwrap()).unwrap();
    let (mut hosted, answer) = ana.unlocked.answer_knock(&knock).unwrap();
    let mut joined = joining.answered(&answer).unwrap();
    hosted.introduced(&joined.introduce().unwrap()).unwrap();
    let (passphrase, dir) = (passphrase(), folder.path().join("ben"));
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost: KeyCost::Least };
    let name = ShortText::parse("Ben").unwrap();
    let (unlocked, thanks) = joined.welcomed(&hosted.welcome().unwrap(), &dir, &credentials, &name).unwrap();
    hosted.thanked(&thanks).unwrap();
    let ben = Phone { name: "ben".into(), unlocked, clock, env, dir };
    assert!(ben.unlocked.is_date_in_doubt().unwrap());
    assert_eq!(ben.unlocked.today().unwrap(), ana.unlocked.today().unwrap());
    meet(&ana, &ben);
    ben.unlocked.tend().unwrap();
    ben.clock.set(START);
    assert!(!ben.unlocked.is_date_in_doubt().unwrap());
    meet(&ana, &ben);
    assert!(ben.unlocked.encounter(met).is_ok());
}

/// A laptop with two stores and one keystore: what one believed of a wrong clock is nothing to the other.
#[test]
fn a_second_store_that_was_founded_in_2038_does_not_age_the_first() {
    use satchel_core::store::{Credentials, FileKeystore, Founding, KeyCost, KeyProtector, Store};
    use satchel_tests::team::{env, passphrase};
    let folder = tempfile::tempdir().unwrap();
    let (env, clock) = env(41, "ana", START);
    let keystore: std::sync::Arc<dyn KeyProtector> = std::sync::Arc::new(FileKeystore::new(&folder.path().join("keys"), env.clone()));
    let passphrase = passphrase();
    let credentials = Credentials { passphrase: &passphrase, protector: Some(keystore.clone()), cost: KeyCost::Least };
    let founding = Founding { time_zone: "America/Los_Angeles".into(), member_name: ShortText::parse("Ana").unwrap() };
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let unlocked = Store::found(&first, env.clone(), &credentials, &founding).unwrap().unlocked;
    let ana = Phone { name: "ana".into(), unlocked, clock: clock.clone(), env: env.clone(), dir: first.clone() };
    let met = encounter(&ana, None, None);
    ana.unlocked.store().suspend().unwrap();
    drop(ana);
    clock.set(YEAR_2038);
    let other = Store::found(&second, env.clone(), &credentials, &founding).unwrap().unlocked;
    let late = other.today().unwrap();
    other.store().suspend().unwrap();
    drop(other);
    clock.set(START);
    let unlocked = Store::open(&first, env.clone()).unwrap().unlock(&passphrase, Some(keystore.clone())).unwrap();
    unlocked.tend().unwrap();
    assert!(unlocked.encounter(met).is_ok());
    drop(unlocked);
    // control: the keystore does keep the second store's day
    let unlocked = Store::open(&second, env).unwrap().unlock(&passphrase, Some(keystore)).unwrap();
    assert_eq!(unlocked.today().unwrap(), late);
}

#[test]
fn what_is_written_in_doubt_carries_the_last_sure_day() {
    let (_folder, ana) = lone(4);
    let day = ana.unlocked.today().unwrap();
    ana.clock.advance(5 * DAY);
    let met = encounter(&ana, None, None);
    assert_eq!(ana.unlocked.encounter(met).unwrap().day, day);
    ana.unlocked.confirm_date().unwrap();
    let later = encounter(&ana, None, None);
    assert_eq!(ana.unlocked.encounter(later).unwrap().day, day.plus(5));
}

#[test]
fn a_clock_set_back_extends_nothing() {
    let (_folder, mut ana) = lone(5);
    let met = encounter(&ana, None, None);
    live(&ana, 60);
    ana.clock.advance(-50 * DAY);
    ana.restart();
    let seen = ana.unlocked.today().unwrap();
    assert_eq!(seen, ana.unlocked.encounter(met).unwrap().day.plus(60), "a day once seen never comes back");
    // the clock runs on from where it was set: by at most what it was set back the phone is late, never more
    live(&ana, 50 + 30);
    assert!(ana.unlocked.encounter(met).is_ok());
    assert_eq!(live(&ana, 1), 1);
}

#[test]
fn a_colleague_or_the_relay_confirms_the_date_and_a_colleague_who_disagrees_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, address) = Hub::new(folder.path(), START);
    let ana = found(folder.path(), 6, "ana", START);
    let ben = join(folder.path(), 6, "ben", START, &ana, Role::Worker);
    meet(&ana, &ben);
    ana.clock.set(YEAR_2038);
    assert!(ana.unlocked.is_date_in_doubt().unwrap());
    meet(&ana, &ben);
    assert!(ana.unlocked.is_date_in_doubt().unwrap(), "a colleague who lives in 2026 confirms no 2038");
    ana.clock.set(START + 5 * DAY as u64);
    ben.clock.set(START + 2 * DAY as u64);
    ben.unlocked.today().unwrap();
    ben.clock.set(START + 4 * DAY as u64);
    ben.unlocked.today().unwrap();
    assert!(ana.unlocked.is_date_in_doubt().unwrap());
    meet(&ana, &ben);
    assert!(!ana.unlocked.is_date_in_doubt().unwrap());
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    ana.clock.advance(10 * DAY);
    assert!(ana.unlocked.is_date_in_doubt().unwrap());
    hub.clock.advance(15 * DAY);
    hub.exchange(&ana).unwrap();
    assert!(!ana.unlocked.is_date_in_doubt().unwrap());
}

/// Two phones that met on the first day.
fn pair(seed: u64) -> (tempfile::TempDir, Phone, Phone) {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), seed, "ana", START);
    let ben = join(folder.path(), seed, "ben", START, &ana, Role::Worker);
    meet(&ana, &ben);
    (folder, ana, ben)
}

fn in_doubt(phones: [&Phone; 2]) -> [bool; 2] {
    phones.map(|phone| phone.unlocked.is_date_in_doubt().unwrap())
}

#[test]
fn two_phones_that_were_both_away_confirm_each_other_as_long_as_a_phone_may_be_away() {
    for (days, slower, confirmed) in [(23, 0, true), (23, 2, true), (24, 0, false), (23, 3, false)] {
        let (_folder, ana, ben) = pair(20);
        let first = ana.unlocked.today().unwrap();
        let met = encounter(&ana, None, None);
        ana.clock.advance(days * DAY);
        ben.clock.advance((days - slower) * DAY);
        assert_eq!(in_doubt([&ana, &ben]), [true, true]);
        meet(&ana, &ben);
        let case = format!("{days} days, the other {slower} less");
        assert_eq!(in_doubt([&ana, &ben]), [!confirmed; 2], "{case}");
        let expected = if confirmed { first.plus(u16::try_from(days).unwrap()) } else { first };
        assert_eq!(ana.unlocked.today().unwrap(), expected, "{case}");
        assert!(ben.unlocked.encounter(met).is_ok(), "what was said goes over whatever the day is");
        assert!(ana.unlocked.tend().unwrap().date_in_doubt != confirmed);
    }
}

#[test]
fn clocks_that_lie_together_gain_the_absence_limit_once_and_then_a_day_a_day() {
    let (_folder, ana, ben) = pair(21);
    let first = ana.unlocked.today().unwrap();
    // 2038 on both
    for phone in [&ana, &ben] {
        phone.clock.set(YEAR_2038);
    }
    meet(&ana, &ben);
    assert_eq!(in_doubt([&ana, &ben]), [true, true]);
    assert_eq!(ana.unlocked.tend().unwrap().destroyed, 0);
    // a ladder: what was believed once is not believed again
    let jump = |days: i64| {
        for phone in [&ana, &ben] {
            let seen = phone.unlocked.today().unwrap();
            phone.clock.set(START);
            phone.clock.advance((i64::from(seen.days()) - i64::from(first.days()) + days) * DAY);
        }
        meet(&ana, &ben);
        in_doubt([&ana, &ben]) == [false, false]
    };
    assert!(jump(20));
    assert!(!jump(20) && !jump(4));
    assert!(jump(3), "three days are left of twenty-three");
    assert_eq!(ana.unlocked.today().unwrap(), first.plus(23));
    assert!(!jump(3));
    // days that pass one by one give it back
    for _ in 0..5 {
        assert!(jump(1));
    }
    assert!(!jump(6) && jump(5));
    // and whoever looks at a calendar gives all of it back
    assert!(!jump(10));
    for phone in [&ana, &ben] {
        phone.unlocked.confirm_date().unwrap();
    }
    assert!(jump(23));
}

#[test]
fn a_clock_that_was_set_back_confirms_nothing_and_one_that_echoes_confirms_little() {
    let (_folder, ana, ben) = pair(22);
    let met = encounter(&ana, None, None);
    meet(&ana, &ben);
    // Ben's clock lives a year earlier, Ana's jumped
    ben.clock.advance(-365 * DAY);
    ana.clock.advance(10 * DAY);
    meet(&ana, &ben);
    assert_eq!(in_doubt([&ana, &ben]), [true, false]);
    assert_eq!(ana.unlocked.today().unwrap(), ben.unlocked.today().unwrap(), "no day came back, none was gained");
    // whatever Ana's clock says, Ben's says the same: he echoes it, and it is believed for as long as a phone may be away
    let mut gained = 0;
    for days in [400, 90, 23, 23, 10] {
        let before = ana.unlocked.today().unwrap();
        ana.clock.set(START);
        ana.clock.advance((i64::from(before.days()) - 20_779 + days) * DAY);
        ben.clock.set(ana.clock.now());
        meet(&ben, &ana);
        gained += ana.unlocked.today().unwrap().days() - before.days();
    }
    assert_eq!(gained, 23);
    assert!(ana.unlocked.encounter(met).is_ok() || ana.unlocked.is_date_in_doubt().unwrap());
}

#[test]
fn what_expired_here_does_not_come_back_from_a_phone_with_a_slow_clock() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), 7, "ana", START);
    let ben = join(folder.path(), 7, "ben", START, &ana, Role::Worker);
    let cleo = join(folder.path(), 7, "cleo", START, &ana, Role::Worker);
    let met = encounter(&ana, None, None);
    meet(&ana, &ben);
    meet(&ana, &cleo);
    for _ in 0..46 {
        ana.clock.advance(2 * DAY);
        ana.unlocked.tend().unwrap();
        // Ben's phone lives on the first day; they keep in touch
        meet(&ana, &ben);
    }
    assert!(ben.unlocked.encounter(met).is_ok(), "an expiry is not sent");
    assert!(ana.unlocked.encounter(met).is_err());
    meet(&ben, &ana);
    assert!(ana.unlocked.encounter(met).is_err());
    let dora = join(folder.path(), 7, "dora", ana.clock.now(), &ana, Role::Worker);
    meet(&ana, &dora);
    meet(&ben, &dora);
    assert!(dora.unlocked.encounter(met).is_err(), "a newcomer does not take what is over either");
}

#[test]
fn a_zone_comes_from_whoever_still_may_give_it_and_never_after_its_days() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), 10, "ana", START);
    let [ben, cleo, dora] = ["ben", "cleo", "dora"].map(|name| join(folder.path(), 10, name, START, &ana, Role::Worker));
    let zone = ana.unlocked.create_zone(&ShortText::parse("by the river").unwrap()).unwrap();
    let other = ana.unlocked.create_zone(&ShortText::parse("at the station").unwrap()).unwrap();
    let met = encounter(&ana, None, Some(zone));
    meet(&ana, &ben);
    meet(&ana, &cleo);
    // a correction has a mask of its own under the same key
    let corrected = EncounterDraft { kind: EncounterKind::DropIn, participant: None, zone: Some(other), offers: Vec::new(), note: None };
    ben.unlocked.correct_encounter(met, &corrected).unwrap();
    meet(&ben, &cleo);
    meet(&ben, &ana);
    let zone_of = |phone: &Phone| phone.unlocked.encounter(met).unwrap().value.zone;
    let listed = |phone: &Phone| phone.unlocked.encounters(None).unwrap()[0].zone;
    for phone in [&ana, &ben, &cleo] {
        assert_eq!((zone_of(phone), listed(phone)), (Some(other), Some(other)), "{}", phone.name);
    }
    for day in 1..=14 {
        for phone in [&ana, &ben, &cleo, &dora] {
            phone.clock.advance(DAY);
            phone.unlocked.tend().unwrap();
        }
        // Ben's clock is a day ahead
        if day == 1 {
            ben.clock.advance(DAY);
        }
    }
    assert_eq!((zone_of(&ana), zone_of(&ben)), (Some(other), None));
    meet(&ben, &dora);
    assert_eq!((zone_of(&dora), listed(&dora)), (None, None), "Ben has it no more to give");
    // a session hands over only what the other side lacks; a pack or the relay brings the whole row
    let mut pack = cleo.unlocked.write_pack().unwrap();
    let mut reader = dora.unlocked.read_pack();
    while let Some(chunk) = pack.next_bytes().unwrap() {
        reader.receive(&chunk).unwrap();
    }
    reader.finish().unwrap();
    assert_eq!((zone_of(&dora), listed(&dora)), (Some(other), Some(other)), "Cleo still has it");
    meet(&dora, &ben);
    assert_eq!(zone_of(&ben), None, "whose day is over takes it back from nobody");
    ana.clock.advance(DAY);
    ana.unlocked.tend().unwrap();
    meet(&ana, &cleo);
    assert_eq!((zone_of(&ana), zone_of(&cleo)), (None, Some(other)));
    // what is corrected now begins no new term
    ana.unlocked.correct_encounter(met, &corrected).unwrap();
    assert_eq!((zone_of(&ana), listed(&ana)), (None, None));
    meet(&ana, &ben);
    assert_eq!(ben.unlocked.encounter(met).unwrap().value.kind, EncounterKind::DropIn);
    assert_eq!(zone_of(&ben), None);
}

#[test]
fn after_its_last_day_a_team_is_read_only_and_then_gone() {
    let (_folder, ana) = lone(8);
    for _ in 0..365 {
        ana.clock.advance(2 * DAY);
        ana.unlocked.today().unwrap();
    }
    encounter(&ana, None, None);
    let zone = ana.unlocked.create_zone(&ShortText::parse("by the river").unwrap()).unwrap();
    // founded + 730 is the last day
    ana.clock.advance(DAY);
    let draft = EncounterDraft { kind: EncounterKind::Street, participant: None, zone: None, offers: Vec::new(), note: None };
    assert_eq!(ana.unlocked.save_encounter(&draft).unwrap_err().code(), "team_ended");
    assert_eq!(ana.unlocked.tally(&[]).unwrap_err().code(), "team_ended");
    assert!(ana.unlocked.zones().unwrap().iter().any(|line| line.id == zone), "what it holds can be read");
    assert!(!ana.unlocked.encounters(None).unwrap().is_empty());
    live(&ana, 20);
    assert_eq!(ana.unlocked.zones().unwrap().len(), 1, "the twenty-first day after it is the last");
    live(&ana, 1);
    assert!(ana.unlocked.zones().unwrap().is_empty() && ana.unlocked.encounters(None).unwrap().is_empty());
}

#[test]
fn a_store_put_back_together_with_its_clock_still_knows_the_day_from_the_keystore() {
    use satchel_core::store::{Credentials, FileKeystore, Founding, KeyCost, KeyProtector, Store};
    use satchel_tests::team::{env, passphrase};
    use std::fs;
    for with_day in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (env, clock) = env(9, "ana", START);
        let (dir, keys, old) = (folder.path().join("store"), folder.path().join("keys"), folder.path().join("old"));
        let keystore: std::sync::Arc<dyn KeyProtector> = std::sync::Arc::new(FileKeystore::new(&keys, env.clone()));
        let passphrase = passphrase();
        let credentials = Credentials { passphrase: &passphrase, protector: Some(keystore.clone()), cost: KeyCost::Least };
        let founding = Founding { time_zone: "America/Los_Angeles".into(), member_name: ShortText::parse("Ana").unwrap() };
        let unlocked = Store::found(&dir, env.clone(), &credentials, &founding).unwrap().unlocked;
        let first = unlocked.today().unwrap();
        unlocked.store().suspend().unwrap();
        drop(unlocked);
        fs::create_dir(&old).unwrap();
        for entry in fs::read_dir(&dir).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), old.join(entry.file_name())).unwrap();
        }
        let unlocked = Store::open(&dir, env.clone()).unwrap().unlock(&passphrase, Some(keystore.clone())).unwrap();
        assert!(unlocked.is_tending_due().unwrap());
        for _ in 0..10 {
            clock.advance(DAY);
            unlocked.tend().unwrap();
        }
        assert!(!unlocked.is_tending_due().unwrap());
        drop(unlocked);
        if !with_day {
            let day = fs::read_dir(&keys)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .find(|path| path.extension().is_some_and(|end| end == "day"));
            fs::remove_file(day.unwrap()).unwrap();
        }
        clock.set(START);
        let unlocked = Store::open(&old, env.clone()).unwrap().unlock(&passphrase, Some(keystore.clone())).unwrap();
        let expected = if with_day { first.plus(10) } else { first };
        assert_eq!(unlocked.today().unwrap(), expected, "control: without what the keystore kept, the day comes back");
        // a call that fails does not make it forget
        assert!(unlocked.encounter(RecordId::from_bytes([1; 16])).is_err() && unlocked.tally(&[]).is_ok());
        assert!(unlocked.erase_record(satchel_core::record::Kind::Encounter, RecordId::from_bytes([1; 16])).is_err());
        assert_eq!(unlocked.today().unwrap(), expected);
    }
}
