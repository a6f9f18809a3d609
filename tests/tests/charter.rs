//! The charter: a steward tightens alone, the board renews.
#![allow(clippy::unwrap_used)]

use satchel_core::error::Error;
use satchel_core::record::EncounterKind;
use satchel_core::store::{CharterChange, EncounterDraft};
use satchel_core::team::Role;
use satchel_tests::team::{Hub, Phone, found, join, meet};
use satchel_wire::ShiftDay;

/// 2026-11-22 20:00 UTC.
const START: u64 = 1_795_377_600;
const DAY: i64 = 86_400;

fn encounter(phone: &Phone) -> Result<(), Error> {
    let draft = EncounterDraft { kind: EncounterKind::Street, participant: None, zone: None, offers: Vec::new(), note: None };
    phone.unlocked.save_encounter(&draft).map(|_| ())
}

fn sunset(phone: &Phone) -> ShiftDay {
    phone.unlocked.team().unwrap().charter.sunset
}

#[test]
fn a_team_ends_unless_its_board_renews_it() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, address) = Hub::new(folder.path(), START);
    let ana = found(folder.path(), 1, "ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    let ben = join(folder.path(), 1, "ben", START, &ana, Role::Worker);
    let board = join(folder.path(), 1, "board", START, &ana, Role::Board);
    for phone in [&ana, &ben, &board, &ana] {
        hub.exchange(phone).unwrap();
    }
    let today = ana.unlocked.today().unwrap();
    // tightening needs nobody: three days from now the team ends
    let soon = CharterChange { sunset: Some(today.plus(3)), ..CharterChange::default() };
    assert!(!ana.unlocked.change_charter(&soon).unwrap().waits_for_board);
    assert!(matches!(ben.unlocked.change_charter(&soon), Err(Error::Operation(_))), "a worker changes nothing");
    encounter(&ana).unwrap();
    meet(&ana, &ben);
    for day in 0..5 {
        for phone in [&ana, &ben, &board] {
            phone.clock.advance(DAY);
            let tended = phone.unlocked.tend();
            assert!(tended.is_ok(), "day {day}: {tended:?}");
        }
    }
    hub.clock.advance(5 * DAY);
    assert_eq!(encounter(&ana), Err(Error::Ended));
    assert_eq!(ana.unlocked.encounters(None).unwrap().len(), 1, "read-only, not gone");

    // renewal: without the board's signature nothing changes, on no phone
    let later = CharterChange { sunset: Some(today.plus(400)), ..CharterChange::default() };
    let renewal = ana.unlocked.change_charter(&later).unwrap();
    assert!(renewal.waits_for_board);
    assert_eq!((sunset(&ana), encounter(&ana)), (today.plus(3), Err(Error::Ended)));
    meet(&ana, &ben);
    assert_eq!(sunset(&ben), today.plus(3));
    assert!(ben.unlocked.countersign(renewal.operation).is_err(), "a worker is not the board");
    hub.exchange(&ana).unwrap();
    hub.exchange(&board).unwrap();
    let waiting = board.unlocked.awaiting_countersignature().unwrap();
    assert_eq!(waiting.iter().map(|waiting| (waiting.operation, waiting.may_sign)).collect::<Vec<_>>(), [(renewal.operation, true)]);
    board.unlocked.countersign(renewal.operation).unwrap();
    hub.exchange(&board).unwrap();
    for phone in [&ana, &ben, &ana] {
        hub.exchange(phone).unwrap();
    }
    for phone in [&ana, &ben] {
        assert_eq!(sunset(phone), today.plus(400));
        encounter(phone).unwrap();
    }
    // further than two years is nobody's to give
    let never = CharterChange { sunset: Some(today.plus(2_000)), ..CharterChange::default() };
    assert!(matches!(ana.unlocked.change_charter(&never), Err(Error::Operation(_))));
    let beyond = CharterChange { encounter_days: Some(91), ..CharterChange::default() };
    assert!(matches!(ana.unlocked.change_charter(&beyond), Err(Error::Charter(_))));
}
