//! The charter: a steward tightens alone, the board renews.
#![allow(clippy::unwrap_used)]

use satchel_core::consent::{Agreement, AgreementWith, Charter};
use satchel_core::crypto::{SigningKey, labels};
use satchel_core::error::Error;
use satchel_core::record::EncounterKind;
use satchel_core::store::{CharterChange, EncounterDraft};
use satchel_core::team::Role;
use satchel_core::team::operation::{Action, Operation};
use satchel_tests::team::{Hub, Phone, found, join, meet};
use satchel_wire::ids::{OperationId, TeamId};
use satchel_wire::{ShiftDay, cbor};

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

/// A steward, or whoever took a steward's phone while it was open, ends the team as of last month and cuts every term to a day.
/// Nothing more is shown or written; and nothing is gone for a month, in which the board can undo it.
#[test]
fn no_change_of_the_charter_empties_phones_on_the_day_it_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), 5, "ana", START);
    let ben = join(folder.path(), 5, "ben", START, &ana, Role::Worker);
    let board = join(folder.path(), 5, "board", START, &ana, Role::Board);
    meet(&ana, &ben);
    for _ in 0..40 {
        for phone in [&ana, &ben, &board] {
            phone.clock.advance(DAY);
            phone.unlocked.tend().unwrap();
        }
    }
    encounter(&ana).unwrap();
    meet(&ana, &ben);
    let today = ana.unlocked.today().unwrap();
    let end = CharterChange {
        sunset: Some(ShiftDay::from_days(today.days() - 35)),
        encounter_days: Some(1),
        participant_days: Some(1),
        ..CharterChange::default()
    };
    assert!(!ana.unlocked.change_charter(&end).unwrap().waits_for_board);
    let live = |days: usize| {
        for _ in 0..days {
            for phone in [&ana, &ben, &board] {
                phone.clock.advance(DAY);
                phone.unlocked.tend().unwrap();
            }
        }
    };
    meet(&ana, &ben);
    meet(&ana, &board);
    live(10);
    assert_eq!(encounter(&ben), Err(Error::Ended), "control: the change has arrived");
    assert!(ben.unlocked.encounters(None).unwrap().is_empty(), "nothing is shown");
    // the board undoes it
    let undo =
        CharterChange { sunset: Some(today.plus(300)), encounter_days: Some(90), participant_days: Some(365), ..CharterChange::default() };
    let undo = ana.unlocked.change_charter(&undo).unwrap();
    assert!(undo.waits_for_board);
    meet(&ana, &board);
    board.unlocked.countersign(undo.operation).unwrap();
    meet(&board, &ana);
    meet(&ana, &ben);
    for phone in [&ana, &ben] {
        assert_eq!(phone.unlocked.encounters(None).unwrap().len(), 1, "{}", phone.name);
    }
    live(1);
    // and where nobody does, it is gone a month after it was heard of
    ana.unlocked.change_charter(&end).unwrap();
    meet(&ana, &ben);
    live(29);
    assert!(!ben.unlocked.tend().unwrap().is_destroyed);
    live(3);
    ben.clock.advance(DAY);
    assert!(ben.unlocked.tend().unwrap().is_destroyed);
}

/// A signed change of the charter whose map was given one more pair: what a fork of the app might send.
fn with_a_switch(signer: &SigningKey, team: TeamId, parent: OperationId, charter: &Charter, pair: &[u8]) -> Vec<u8> {
    let honest =
        Operation::write(signer, Some(team), vec![parent], ShiftDay::from_days(20_800), Action::ChangeCharter { charter: charter.clone() });
    let bytes = honest.to_bytes();
    // [ signed bytes, signature ]: the charter is the last thing that is signed
    let mut decoder = minicbor::Decoder::new(&bytes);
    decoder.array().unwrap();
    let mut signed = decoder.bytes().unwrap().to_vec();
    let inside = cbor::encode(charter);
    assert!(signed.ends_with(&inside));
    if !pair.is_empty() {
        let at = signed.len() - inside.len();
        signed[at] += 1;
        signed.extend_from_slice(pair);
    }
    let signature = signer.sign(labels::SIGN_OPERATION, &signed);
    let mut encoder = minicbor::Encoder::new(Vec::new());
    encoder.array(2).unwrap().bytes(&signed).unwrap().bytes(signature.as_bytes()).unwrap();
    encoder.into_writer()
}

#[test]
fn no_charter_turns_the_guards_off() {
    let env = satchel_tests::team::env(3, "fork", START).0;
    let signer = SigningKey::make(&env);
    let charter = Charter::strictest("UTC", ShiftDay::from_days(20_800));
    let (team, parent) = (TeamId::from_bytes([1; 16]), OperationId::from_bytes([2; 32]));
    // control: what is put together this way without a switch is read
    assert!(Operation::from_bytes(&with_a_switch(&signer, team, parent, &charter, &[])).is_ok());
    // 99: true, 99: false, 99: 0, "guard": false, and a setting that stands there already
    let switches: [&[u8]; 5] =
        [&[0x18, 99, 0xf5], &[0x18, 99, 0xf4], &[0x18, 99, 0], &[0x65, b'g', b'u', b'a', b'r', b'd', 0xf4], &[0x04, 0x01]];
    for switch in switches {
        assert!(Operation::from_bytes(&with_a_switch(&signer, team, parent, &charter, switch)).is_err(), "{switch:?}");
    }
}

#[test]
fn money_agreements_and_reviews_change_with_the_board_and_nothing_said_is_unsaid() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), 4, "ana", START);
    let board = join(folder.path(), 4, "board", START, &ana, Role::Board);
    let change = |change: CharterChange| ana.unlocked.change_charter(&change).unwrap();
    let lines = |lines: &[&str]| Some(lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>());
    let funders = || ana.unlocked.team().unwrap().charter.funders;
    // "none" for the first time needs nobody
    assert!(!change(CharterChange { funders: Some(vec![]), agreements: Some(vec![]), ..Default::default() }).waits_for_board);
    let named = change(CharterChange { funders: lines(&["a health foundation", "city grant"]), ..Default::default() });
    assert!(named.waits_for_board);
    assert_eq!(funders(), Some(vec![]));
    meet(&ana, &board);
    board.unlocked.countersign(named.operation).unwrap();
    meet(&board, &ana);
    assert_eq!(funders(), lines(&["a health foundation", "city grant"]));
    // a line that goes, and an agreement that comes, wait as well
    assert!(change(CharterChange { funders: lines(&["city grant"]), ..Default::default() }).waits_for_board);
    assert!(change(CharterChange { funders: Some(vec![]), ..Default::default() }).waits_for_board);
    let agreement = Agreement { with: AgreementWith::Police, what: "monthly numbers".into() };
    assert!(change(CharterChange { agreements: Some(vec![agreement]), ..Default::default() }).waits_for_board);
    assert_eq!(funders(), lines(&["a health foundation", "city grant"]));
    // a review is due half a year after the founding unless somebody says earlier; nobody alone says that it took place
    let today = ana.unlocked.today().unwrap();
    assert_eq!(ana.unlocked.review_due().unwrap(), today.plus(182));
    assert!(!change(CharterChange { review_due: Some(today.plus(30)), ..Default::default() }).waits_for_board);
    assert_eq!(ana.unlocked.review_due().unwrap(), today.plus(30));
    assert!(change(CharterChange { review_due: Some(today.plus(31)), ..Default::default() }).waits_for_board);
    assert!(change(CharterChange { reviewed: Some(today), ..Default::default() }).waits_for_board);
    // what cannot stand there
    for bad in [" spaced", "", "two\nlines"] {
        let refused = ana.unlocked.change_charter(&CharterChange { funders: lines(&[bad]), ..Default::default() });
        assert!(refused.is_err(), "{bad:?}");
    }
    let many: Vec<String> = (0..17).map(|n| format!("funder {}", "x".repeat(n + 1))).collect();
    assert!(matches!(ana.unlocked.change_charter(&CharterChange { funders: Some(many), ..Default::default() }), Err(Error::Charter(_))));
    let history = ana.unlocked.charter_history().unwrap();
    assert_eq!(history.len(), 9);
    assert_eq!(history.iter().filter(|event| event.waits_for_board).count(), 5);
    assert!(history[2].changes.contains(&("funders", Some("none".into()), "a health foundation; city grant".into())));
}
