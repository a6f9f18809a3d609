//! Packs: one sealed file for the team, carried by hand.

#![allow(clippy::unwrap_used)]

use satchel_core::error::Error;
use satchel_core::record::EncounterKind;
use satchel_core::screen::Note;
use satchel_core::store::{EncounterDraft, PackReport};
use satchel_core::team::Role;
use satchel_core::team::pack::PackError;
use satchel_tests::harness::folder;
use satchel_tests::team::{Phone, found, join, meet, view};

const START: u64 = 1_795_370_000;

fn encounter(phone: &Phone, note: &str) {
    let note = Some(Note::parse(note).unwrap());
    let draft = EncounterDraft { kind: EncounterKind::Street, participant: None, zone: None, offers: vec![], note };
    phone.unlocked.save_encounter(&draft).unwrap();
}

fn write(phone: &Phone) -> Vec<u8> {
    let mut writer = phone.unlocked.write_pack().unwrap();
    let mut pack = Vec::new();
    while let Some(bytes) = writer.next_bytes().unwrap() {
        pack.extend(bytes);
    }
    pack
}

fn read(phone: &Phone, pack: &[u8]) -> Result<PackReport, Error> {
    let mut reader = phone.unlocked.read_pack();
    for part in pack.chunks(1_000) {
        reader.receive(part)?;
    }
    reader.finish()
}

#[test]
fn a_pack_brings_everything_once_whole_or_in_part_and_hides_it_from_others() {
    let place = folder();
    let ana = found(place.path(), 1, "Ana", START);
    let ben = join(place.path(), 1, "Ben", START, &ana, Role::Worker);
    meet(&ana, &ben);
    for n in 0..400 {
        encounter(&ana, &format!("the heron, time {n}"));
    }
    let pack = write(&ana);
    assert!(pack.len() > 200_000 && !pack.windows(5).any(|window| window == b"heron"));
    // a file that was cut off brings a part, and the whole file the rest
    let part = read(&ben, &pack[..pack.len() * 3 / 4]).unwrap();
    assert!(!part.is_complete && part.rows.applied > 0 && part.rows.applied < 400);
    let whole = read(&ben, &pack).unwrap();
    assert!(whole.is_complete);
    assert_eq!(part.rows.applied + whole.rows.applied, 400);
    assert_eq!(view(&ana), view(&ben));
    // once more changes nothing
    assert_eq!(read(&ben, &pack).unwrap().rows.applied, 0);

    let other = found(place.path(), 2, "Zoe", START);
    assert_eq!(read(&other, &pack).unwrap_err(), PackError::Unknown.into());
    let mut bent = pack.clone();
    let at = bent.len() - 20;
    bent[at] ^= 1;
    assert_eq!(read(&ben, &bent).unwrap_err(), PackError::Damaged.into());
}

#[test]
fn an_older_pack_is_refused_by_name() {
    let place = folder();
    let ana = found(place.path(), 3, "Ana", START);
    let ben = join(place.path(), 3, "Ben", START, &ana, Role::Worker);
    meet(&ana, &ben);
    encounter(&ana, "before");
    let old = write(&ana);
    encounter(&ana, "after");
    ana.unlocked.begin_turn().unwrap();
    meet(&ana, &ben);
    assert_eq!(read(&ben, &old).unwrap_err(), PackError::Older.into());
    let new = write(&ana);
    read(&ben, &new).unwrap();
    assert_eq!(view(&ana), view(&ben));
    // a phone that missed the key change cannot know whose pack it is
    ana.unlocked.begin_turn().unwrap();
    assert_eq!(read(&ben, &write(&ana)).unwrap_err(), PackError::Unknown.into());
}

#[test]
fn a_pack_that_is_overtaken_by_new_keys_says_so() {
    let place = folder();
    let ana = found(place.path(), 4, "Ana", START);
    let mut writer = ana.unlocked.write_pack().unwrap();
    ana.unlocked.begin_turn().unwrap();
    assert_eq!(writer.next_bytes().unwrap_err(), PackError::Overtaken.into());
}

#[test]
fn a_shift_goes_from_screen_to_screen_in_any_order() {
    let place = folder();
    let ana = found(place.path(), 5, "Ana", START);
    let ben = join(place.path(), 5, "Ben", START, &ana, Role::Worker);
    meet(&ana, &ben);
    for n in 0..60 {
        encounter(&ana, &format!("last week, time {n}"));
    }
    meet(&ana, &ben);
    let today = ana.unlocked.today().unwrap();
    for phone in [&ana, &ben] {
        phone.clock.advance(7 * 86_400);
        phone.unlocked.confirm_date().unwrap();
    }
    let today_after = ana.unlocked.today().unwrap();
    assert!(today_after > today);
    for n in 0..20 {
        encounter(&ana, &format!("the heron, time {n}"));
    }
    let parts = ana.unlocked.write_pack_parts(today_after).unwrap();
    assert!(parts.len() > 5 && parts.len() < 40, "{} parts: a shift, and not the week before", parts.len());
    let text = parts.concat();
    assert!(!text.contains("HERON") && !text.to_lowercase().contains("heron"));

    // every third text twice, backwards, and one that was misread
    let mut scan = ben.unlocked.read_pack_parts();
    let mut report = None;
    for (at, part) in parts.iter().enumerate().rev() {
        assert_eq!(scan.add(&part[..part.len() - 2]).unwrap_err(), PackError::Part.into());
        if at % 3 == 0 && at > 0 {
            assert_eq!(scan.add(part).unwrap(), None);
        }
        report = scan.add(part).unwrap();
        assert_eq!(report.is_some(), at == 0, "only the last one brings it in");
    }
    let report = report.unwrap();
    assert_eq!((report.rows.applied, report.rows.refused, report.rows.thrown_away), (20, 0, 0), "{report:?}");
    assert_eq!(view(&ana), view(&ben));
    let again = parts.iter().find_map(|part| scan.add(part).unwrap()).unwrap();
    assert_eq!((again.rows.applied, again.rows.held), (0, 0), "once more changes nothing: {again:?}");
    assert!(again.rows.known >= 20, "{again:?}");

    // another team's phone refuses it by name as soon as it sees the first part, and imports nothing without it
    let other = found(place.path(), 6, "Zoe", START + 7 * 86_400);
    let mut scan = other.unlocked.read_pack_parts();
    for part in &parts[1..] {
        assert_eq!(scan.add(part).unwrap(), None);
    }
    assert_eq!(scan.add(&parts[0]).unwrap_err(), PackError::Unknown.into());
    assert_eq!(scan.progress(), None);
    // parts of two packs do not mix
    let others = other.unlocked.write_pack_parts(today_after).unwrap();
    let mut scan = ben.unlocked.read_pack_parts();
    scan.add(&parts[0]).unwrap();
    assert_eq!(scan.add(&others[0]).unwrap_err(), PackError::OtherPack.into());
    assert_eq!(scan.progress(), Some((1, parts.len())));

    // made before a key change: refused by name
    ana.unlocked.begin_turn().unwrap();
    meet(&ana, &ben);
    assert_eq!(ben.unlocked.read_pack_parts().add(&parts[0]).unwrap_err(), PackError::Older.into());
    // too much for screens: said so, and a file takes it
    for n in 0..150 {
        encounter(&ana, &format!("a long day, time {n}"));
    }
    assert_eq!(ana.unlocked.write_pack_parts(today_after).unwrap_err(), PackError::TooLarge.into());
    assert!(read(&ben, &write(&ana)).unwrap().is_complete);
    assert_eq!(view(&ana), view(&ben));
}
