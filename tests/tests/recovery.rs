//! Every phone is lost. What brings the team back, and what does not: papers alone, a board phone alone, a relay's disk.

#![allow(clippy::unwrap_used)]

use satchel_core::crypto::ReceivingKey;
use satchel_core::env::Env;
use satchel_core::envelope::open_row;
use satchel_core::error::Error;
use satchel_core::recovery::{PaperError, PaperShare, Purpose, RecoveryError};
use satchel_core::rules::Rule;
use satchel_core::screen::ShortText;
use satchel_core::store::{Credentials, Founding, KeyCost, Recovered, Recovering, RecoveryStatus, RelayAnswer, Store};
use satchel_core::team::turn::{TurnError, open_announcement};
use satchel_core::team::{Role, Standing};
use satchel_tests::scene::{self, NOON};
use satchel_tests::team::{self, Hub, Phone, passphrase, view};
use satchel_wire::announcement::{self, Part};
use satchel_wire::frame::{Announce, Endpoint, Frame, Push, Signed};
use satchel_wire::ids::{AnnouncementId, DeviceId, TeamId};
use satchel_wire::row::{Lane, Row};
use std::collections::BTreeMap;
use std::path::Path;

struct Story {
    folder: tempfile::TempDir,
    hub: Hub,
    ana: Phone,
    ben: Phone,
    board: Phone,
    reseat: PaperShare,
    shares: Vec<PaperShare>,
}

fn text(text: &str) -> ShortText {
    ShortText::parse(text).unwrap()
}

/// Two who do outreach, a board member's phone, a relay, recovery 2 of 3, and a day's work that all have seen.
fn story(seed: u64, without: Option<Rule>) -> Story {
    let folder = tempfile::tempdir().unwrap();
    let (hub, address) = Hub::new(folder.path(), NOON);
    let (env, clock) = team::env(seed, "ana", NOON);
    let env = without.into_iter().fold(env, Env::dangerous_without);
    let secret = passphrase();
    let credentials = Credentials { passphrase: &secret, protector: None, cost: KeyCost::Least };
    let founding = Founding { time_zone: "America/Los_Angeles".into(), member_name: text("Ana") };
    let dir = folder.path().join("ana");
    let founded = Store::found(&dir, env.clone(), &credentials, &founding).unwrap();
    let ana = Phone { name: "ana".into(), unlocked: founded.unlocked, clock, env, dir };
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let ben = team::join(folder.path(), seed, "ben", NOON, &ana, Role::Worker);
    let board = team::join(folder.path(), seed, "board", NOON, &ana, Role::Board);
    for phone in [&ben, &board, &ana] {
        hub.exchange(phone).unwrap();
    }
    let shares = ana.unlocked.set_up_recovery(2, 3).unwrap();
    for phone in [&ana, &ben, &board] {
        hub.exchange(phone).unwrap();
    }
    let file = ana.unlocked.create_participant(&scene::participant(), satchel_core::consent::HowGiven::Spoken, "en").unwrap();
    ben.unlocked.save_encounter(&scene::encounter(None, None, "ben")).unwrap();
    ana.unlocked.save_encounter(&scene::encounter(Some(file), None, "ana")).unwrap();
    for phone in [&ana, &ben, &ana, &ben, &board] {
        hub.exchange(phone).unwrap();
    }
    assert_eq!(view(&ana), view(&ben));
    assert!(view(&ana).contains("file") && view(&ana).contains("encounter"));
    Story { folder, hub, ana, ben, board, reseat: founded.reseat_paper, shares }
}

fn typed(papers: &[&PaperShare]) -> Vec<PaperShare> {
    papers.iter().map(|paper| PaperShare::read(&paper.to_line()).unwrap()).collect()
}

fn recover(folder: &Path, name: &str, package: &[u8], shares: &[PaperShare], reseat: &[PaperShare]) -> Result<(Phone, Recovered), Error> {
    recover_at(folder, name, package, shares, reseat, NOON)
}

fn recover_at(
    folder: &Path,
    name: &str,
    package: &[u8],
    shares: &[PaperShare],
    reseat: &[PaperShare],
    now: u64,
) -> Result<(Phone, Recovered), Error> {
    let (env, clock) = team::env(99, name, now);
    let secret = passphrase();
    let credentials = Credentials { passphrase: &secret, protector: None, cost: KeyCost::Least };
    let dir = folder.join(name);
    let member_name = text("Cleo");
    let recovering = Recovering { package, shares, reseat, relay: None, member_name: &member_name };
    let recovered = Store::recover(&dir, env.clone(), &credentials, &recovering)?;
    let phone = Phone { name: name.into(), unlocked: recovered.unlocked.clone(), clock, env, dir };
    Ok((phone, recovered))
}

fn refusal(result: Result<(Phone, Recovered), Error>) -> Error {
    result.map(|_| ()).unwrap_err()
}

/// What a relay ever carried: announcements put together again, and rows with records.
fn carried(hub: &Hub) -> (Vec<Vec<u8>>, Vec<Row>) {
    let (mut parts, mut records): (BTreeMap<AnnouncementId, Vec<Part>>, Vec<Row>) = Default::default();
    for (endpoint, request, _) in hub.traffic.lock().unwrap().iter() {
        let body = Signed::from_bytes(request).unwrap().body;
        let rows = match endpoint {
            Endpoint::Announce => Announce::from_bytes(&body).unwrap().rows,
            Endpoint::Push => Push::from_bytes(&body).unwrap().rows,
            _ => continue,
        };
        for row in rows {
            match row.lane() {
                Lane::Announce => {
                    let part = Part::parse(&row).unwrap();
                    parts.entry(part.announcement).or_default().push(part);
                }
                Lane::Records => records.push(row),
                Lane::Commons => {}
            }
        }
    }
    let announcements = parts.values().filter_map(|parts| announcement::join(parts).unwrap()).collect();
    (announcements, records)
}

/// How many record rows somebody reads who has everything that passed the relay, and all the paper.
fn read_with_paper(hub: &Hub, team: TeamId, shares: &[PaperShare]) -> usize {
    let seed = PaperShare::join(shares, Purpose::Recovery, Some(&team)).unwrap();
    let paper = [ReceivingKey::from_seed(&seed)];
    let (announcements, records) = carried(hub);
    assert!(!announcements.is_empty() && records.len() >= 3, "{} {}", announcements.len(), records.len());
    let mut read = 0;
    for bytes in &announcements {
        match open_announcement(team, &paper, bytes) {
            Ok(opened) => {
                let lane = opened.secret.records_lane_key().unwrap();
                read += records.iter().filter(|row| open_row(team, &lane, row).is_ok()).count();
            }
            Err(error) => assert_eq!(error, TurnError::NotForUs),
        }
    }
    read
}

#[test]
fn a_board_phone_enough_shares_and_the_reseat_key_bring_the_team_back() {
    let Story { folder, hub, ana, ben, board, reseat, shares } = story(1, None);
    let before = view(&ana);
    let lost: Vec<DeviceId> = vec![ana.unlocked.device().unwrap(), ben.unlocked.device().unwrap()];
    drop((ana, ben));
    let RecoveryStatus::SetUp { threshold: 2, shares: 3, is_kept_here: Some(true), .. } = board.unlocked.recovery_status().unwrap() else {
        panic!("{:?}", board.unlocked.recovery_status());
    };
    let package = board.unlocked.export_recovery().unwrap();
    let (cleo, recovered) = recover(folder.path(), "cleo", &package, &typed(&[&shares[2], &shares[0]]), &typed(&[&reseat])).unwrap();
    assert!(recovered.turns >= 1 && recovered.has_control);
    assert_eq!(recovered.removed.len(), 2);
    for _ in 0..3 {
        hub.exchange(&cleo).unwrap();
        hub.exchange(&board).unwrap();
    }
    assert_eq!(view(&cleo), before);
    let team = cleo.unlocked.team().unwrap();
    assert!(lost.iter().all(|lost| team.devices.iter().any(|line| line.id == *lost && line.standing == Standing::Removed)));
    assert!(team.devices.iter().any(|line| line.is_self && line.role == Role::Steward && line.standing == Standing::Active));
    // a new turn, which the board follows, and new work in it
    cleo.unlocked.save_encounter(&scene::encounter(None, None, "cleo")).unwrap();
    hub.exchange(&cleo).unwrap();
    hub.exchange(&board).unwrap();
    assert_eq!(board.unlocked.team().unwrap().devices.len(), 4);
    let RecoveryStatus::SetUp { is_kept_here: Some(true), .. } = board.unlocked.recovery_status().unwrap() else {
        panic!("{:?}", board.unlocked.recovery_status());
    };
    // what the board keeps now recovers the new turn, with the same shares and the next reseat key only
    let package = board.unlocked.export_recovery().unwrap();
    let spent = refusal(recover(folder.path(), "dora", &package, &typed(&[&shares[1], &shares[0]]), &typed(&[&reseat])));
    assert_eq!(spent, Error::Recovery(RecoveryError::OtherReseatKey));
    let next = typed(&[&recovered.reseat_paper]);
    let (dora, _) = recover(folder.path(), "dora", &package, &typed(&[&shares[1], &shares[0]]), &next).unwrap();
    for _ in 0..2 {
        hub.exchange(&dora).unwrap();
    }
    assert!(view(&dora).matches("encounter").count() >= 1, "{}", view(&dora));
}

#[test]
fn too_few_shares_other_papers_and_other_packages_bring_nothing() {
    let Story { folder, board, reseat, shares, ana, .. } = story(2, None);
    let package = board.unlocked.export_recovery().unwrap();
    let enough = || typed(&[&shares[0], &shares[1]]);
    let with = |name: &str, package: &[u8], shares: &[PaperShare], reseat: &[PaperShare]| {
        let refused = refusal(recover(folder.path(), name, package, shares, reseat));
        assert!(!folder.path().join(name).exists(), "a refused recovery left files");
        refused
    };
    let paper = |error| Error::Recovery(RecoveryError::Paper(error));
    assert_eq!(with("a", &package, &typed(&[&shares[1]]), &typed(&[&reseat])), paper(PaperError::TooFew { have: 1, need: 2 }));
    assert_eq!(with("b", &package, &typed(&[&shares[1], &shares[1]]), &typed(&[&reseat])), paper(PaperError::Duplicate { index: 2 }));
    assert_eq!(with("c", &package, &enough(), &enough()), paper(PaperError::OtherPurpose));
    assert_eq!(with("d", &package, &enough(), &[]), paper(PaperError::TooFew { have: 0, need: 1 }));
    let strangers = PaperShare::print(&Env::system(), Purpose::Recovery, &ana.unlocked.team().unwrap().team, &[7; 32], 2, 3).unwrap();
    assert_eq!(with("e", &package, &strangers[..2], &typed(&[&reseat])), Error::Recovery(RecoveryError::OtherKey));
    for at in [0, 20, package.len() / 2, package.len() - 1] {
        let mut damaged = package.clone();
        damaged[at] ^= 1;
        let refused = with("f", &damaged, &enough(), &typed(&[&reseat]));
        assert!(matches!(refused, Error::Recovery(RecoveryError::Package | RecoveryError::OtherKey)), "{at}: {refused:?}");
    }
    assert_eq!(with("g", &[], &enough(), &typed(&[&reseat])), Error::Recovery(RecoveryError::Package));
    // the shares of an earlier set are void, and so are a package and the shares of the next one together
    let renewed = ana.unlocked.set_up_recovery(2, 2).unwrap();
    assert_eq!(with("h", &package, &renewed, &typed(&[&reseat])), Error::Recovery(RecoveryError::OtherKey));
    // control: the right ones do
    assert!(recover(folder.path(), "i", &package, &enough(), &typed(&[&reseat])).is_ok());
}

#[test]
fn a_relay_that_kept_everything_and_all_the_paper_open_nothing() {
    let Story { hub, ana, shares, .. } = story(3, None);
    assert_eq!(read_with_paper(&hub, ana.unlocked.team().unwrap().team, &shares), 0);
    // control: without the escrow the same two open what was written
    let Story { hub, ana, shares, .. } = story(4, Some(Rule::EscrowRecovery));
    assert!(read_with_paper(&hub, ana.unlocked.team().unwrap().team, &shares) > 0);
}

#[test]
fn a_board_phone_alone_reads_no_record_and_its_boxes_go_with_their_turn() {
    let Story { folder, hub, ana, ben, board, reseat, shares } = story(5, None);
    assert_eq!(view(&board).lines().filter(|line| !line.starts_with("tallies")).count(), 0, "{}", view(&board));
    let pair = || typed(&[&shares[0], &shares[1]]);
    let old = board.unlocked.export_recovery().unwrap();
    ana.unlocked.begin_turn().unwrap();
    // as long as the board phone has not followed, what it keeps is the turn before
    let (_, recovered) = recover(folder.path(), "before", &board.unlocked.export_recovery().unwrap(), &pair(), &typed(&[&reseat])).unwrap();
    assert_eq!(recovered.turns, 1);
    for phone in [&ana, &ben, &board, &ana] {
        hub.exchange(phone).unwrap();
    }
    ben.unlocked.save_encounter(&scene::encounter(None, None, "since")).unwrap();
    for phone in [&ben, &board] {
        hub.exchange(phone).unwrap();
    }
    // now it keeps one turn, the new one: what was written since comes back
    let (now, recovered) = recover(folder.path(), "now", &board.unlocked.export_recovery().unwrap(), &pair(), &typed(&[&reseat])).unwrap();
    assert_eq!(recovered.turns, 1);
    hub.exchange(&now).unwrap();
    assert!(view(&now).contains("encounter"));
    // and the relay has nothing for the keys of a turn that is over
    let (then, _) = recover(folder.path(), "then", &old, &pair(), &typed(&[&reseat])).unwrap();
    assert!(hub.exchange(&then).is_err());
    assert!(!view(&then).contains("encounter"));
}

#[test]
fn without_a_board_nothing_is_promised() {
    let folder = tempfile::tempdir().unwrap();
    let ana = team::found(folder.path(), 6, "ana", NOON);
    let status = ana.unlocked.recovery_status().unwrap();
    assert_eq!(status, RecoveryStatus::NoBoard);
    assert!(status.does_losing_all_phones_lose_the_data());
    assert_eq!(ana.unlocked.set_up_recovery(2, 3).unwrap_err(), Error::Recovery(RecoveryError::NoBoard));
    assert_eq!(ana.unlocked.export_recovery().unwrap_err(), Error::Recovery(RecoveryError::NotTheBoard));
    // with one, it is; and only a steward sets it up
    let ben = team::join(folder.path(), 6, "ben", NOON, &ana, Role::Worker);
    let board = team::join(folder.path(), 6, "board", NOON, &ana, Role::Board);
    assert_eq!(ana.unlocked.recovery_status().unwrap(), RecoveryStatus::NotSetUp);
    assert_eq!(ben.unlocked.set_up_recovery(2, 3).unwrap_err(), Error::Role);
    assert_eq!(board.unlocked.export_recovery().unwrap_err(), Error::Recovery(RecoveryError::NotSetUp));
    for (threshold, shares) in [(1, 1), (0, 3), (4, 3), (2, 17)] {
        assert_eq!(ana.unlocked.set_up_recovery(threshold, shares).unwrap_err(), Error::Recovery(RecoveryError::Paper(PaperError::Policy)));
    }
    assert_eq!(ana.unlocked.set_up_recovery(2, 3).unwrap().len(), 3);
    assert!(matches!(ana.unlocked.recovery_status().unwrap(), RecoveryStatus::SetUp { threshold: 2, shares: 3, is_kept_here: None, .. }));
}

#[test]
fn the_reseat_key_seats_a_steward_where_the_only_one_is_lost_and_serves_once() {
    let Story { hub, ana, ben, reseat, shares, board, .. } = story(7, None);
    let lost = ana.unlocked.device().unwrap();
    drop(ana);
    let devices = ben.unlocked.team().unwrap().devices;
    let own = devices.iter().find(|line| line.is_self).unwrap().member;
    assert_eq!(ben.unlocked.invite(Role::Worker, "").unwrap_err(), Error::Role);
    let wrong = typed(&[&shares[0], &shares[1]]);
    let refused = ben.unlocked.reseat(&wrong, &[lost], Some(own)).unwrap_err();
    assert_eq!(refused, Error::Recovery(RecoveryError::Paper(PaperError::OtherPurpose)));
    // the key may have been split before it was needed
    let split = reseat.split(&Env::system(), 2, 3).unwrap();
    let reseated = ben.unlocked.reseat(&typed(&[&split[2], &split[0]]), &[lost], Some(own)).unwrap();
    for phone in [&ben, &board, &ben] {
        hub.exchange(phone).unwrap();
    }
    for phone in [&ben, &board] {
        let team = phone.unlocked.team().unwrap();
        let line = |id: DeviceId| team.devices.iter().find(|line| line.id == id).unwrap().clone();
        assert_eq!(line(lost).standing, Standing::Removed);
        assert_eq!(line(ben.unlocked.device().unwrap()).role, Role::Steward);
    }
    assert!(ben.unlocked.invite(Role::Worker, "").is_ok());
    // spent
    let again = ben.unlocked.reseat(&typed(&[&reseat]), &[], Some(own)).unwrap_err();
    assert_eq!(again, Error::Recovery(RecoveryError::OtherReseatKey));
    ben.unlocked.reseat(&typed(&[&reseated.reseat_paper]), &[], Some(own)).unwrap();
}

/// A phone that dies between the new reseat key and the printer prints it when it is back, for two weeks or until somebody
/// says that it is written down.
#[test]
fn the_next_reseat_key_outlives_a_phone_that_dies_before_the_printer_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let (env, clock) = team::env(99, "ana", NOON);
    let secret = passphrase();
    let credentials = Credentials { passphrase: &secret, protector: None, cost: KeyCost::Least };
    let founding = Founding { time_zone: "Europe/Madrid".into(), member_name: text("Ana") };
    let dir = folder.path().join("ana");
    let founded = Store::found(&dir, env.clone(), &credentials, &founding).unwrap();
    let mut ana = Phone { name: "Ana".into(), unlocked: founded.unlocked, clock, env, dir };
    let first = founded.reseat_paper.to_line();
    let kept = |phone: &Phone| phone.unlocked.reseat_paper().unwrap().map(|paper| paper.to_line());
    ana.restart();
    assert_eq!(kept(&ana), Some(first.clone()), "the founding's too");
    // the answer of this call is lost with the phone
    drop(ana.unlocked.reseat(&[PaperShare::read(&first).unwrap()], &[], None).unwrap());
    ana.restart();
    let second = kept(&ana).unwrap();
    assert_ne!(first, second);
    assert_eq!(
        ana.unlocked.reseat(&[PaperShare::read(&first).unwrap()], &[], None).unwrap_err(),
        Error::Recovery(RecoveryError::OtherReseatKey)
    );
    let third = ana.unlocked.reseat(&[PaperShare::read(&second).unwrap()], &[], None).unwrap().reseat_paper.to_line();
    assert_eq!(kept(&ana), Some(third.clone()));
    ana.unlocked.reseat_paper_written_down().unwrap();
    ana.restart();
    assert_eq!(kept(&ana), None);
    drop(ana.unlocked.reseat(&[PaperShare::read(&third).unwrap()], &[], None).unwrap());
    for days in [14, 1] {
        assert!(kept(&ana).is_some());
        for _ in 0..days {
            ana.clock.advance(86_400);
            ana.unlocked.tend().unwrap();
        }
    }
    assert_eq!(kept(&ana), None, "after two weeks");
}

/// What the board phone had not heard of lies beyond the cut: not lost, and not shown before the new steward takes it in.
#[test]
fn work_that_the_board_phone_had_not_heard_of_waits_to_be_adopted() {
    let Story { folder, hub, ben, board, reseat, shares, .. } = story(8, None);
    let package = board.unlocked.export_recovery().unwrap();
    ben.unlocked.save_encounter(&scene::encounter(None, None, "late")).unwrap();
    hub.exchange(&ben).unwrap();
    let complete = view(&ben);
    let (cleo, _) = recover(folder.path(), "cleo", &package, &typed(&[&shares[1], &shares[0]]), &typed(&[&reseat])).unwrap();
    hub.exchange(&cleo).unwrap();
    assert_ne!(view(&cleo), complete);
    let waiting: Vec<_> = cleo.unlocked.waiting_beyond_cut().unwrap().iter().map(|waiting| waiting.body).collect();
    assert!(!waiting.is_empty());
    cleo.unlocked.adopt(&waiting).unwrap();
    assert_eq!(view(&cleo), complete);
}

#[test]
fn records_come_back_after_removals_erasures_and_turns_and_what_was_erased_does_not() {
    let Story { folder, hub, ana, ben, board, reseat, shares } = story(9, None);
    let gone = ana.unlocked.create_participant(&scene::participant(), satchel_core::consent::HowGiven::Spoken, "en").unwrap();
    ana.unlocked.save_encounter(&scene::encounter(Some(gone), None, "of somebody who asks to be forgotten")).unwrap();
    let cleo = team::join(folder.path(), 9, "lost", NOON, &ana, Role::Worker);
    cleo.unlocked.save_encounter(&scene::encounter(None, None, "of a phone that will be lost")).unwrap();
    for phone in [&ana, &ben, &cleo, &board, &ana, &ben] {
        hub.exchange(phone).unwrap();
    }
    ana.unlocked.prepare_removal(cleo.unlocked.device().unwrap()).unwrap().confirm().unwrap();
    ana.unlocked.erase_participant(gone).unwrap();
    ana.unlocked.save_encounter(&scene::encounter(None, None, "after the erasure")).unwrap();
    for phone in [&ana, &ben, &board, &ana, &ben, &board, &ana, &ben, &board] {
        hub.exchange(phone).unwrap();
    }
    assert_eq!(view(&ana), view(&ben));
    let before = view(&ana);
    // of Ana, Ben, the lost phone and after the erasure; the fifth went with whom it was about
    assert_eq!((before.matches("file rec_").count(), before.matches("encounter EncounterLine").count()), (1, 4), "{before}");
    let package = board.unlocked.export_recovery().unwrap();
    drop((ana, ben, cleo));
    let (new, _) = recover(folder.path(), "new", &package, &typed(&[&shares[2], &shares[0]]), &typed(&[&reseat])).unwrap();
    for _ in 0..3 {
        hub.exchange(&new).unwrap();
        hub.exchange(&board).unwrap();
    }
    assert_eq!(view(&new), before);
}

/// Recovery is set up again while the board phone is away; it hears of that from a colleague, and the connection breaks
/// anywhere. Whatever it says that it keeps must bring the team back, with the papers that it names.
#[test]
fn what_a_board_phone_says_that_it_keeps_is_true_wherever_a_meeting_breaks_off() {
    for portions in (1..40).step_by(3) {
        let Story { folder, hub, ana, board, reseat, shares, .. } = story(11, None);
        let renewed = ana.unlocked.set_up_recovery(2, 2).unwrap();
        let (mut dialer, mut listener) = (board.unlocked.dial().unwrap(), ana.unlocked.listen());
        let mut sent = 0;
        'talk: loop {
            let before = sent;
            for is_dialer in [true, false] {
                let (from, to) = if is_dialer { (&mut dialer, &mut listener) } else { (&mut listener, &mut dialer) };
                while let Some(bytes) = from.transmit(4 * 1024).unwrap() {
                    to.receive(&bytes).unwrap();
                    sent += 1;
                    if sent == portions {
                        break 'talk;
                    }
                }
            }
            if sent == before {
                break;
            }
        }
        let is_over = dialer.is_finished() && listener.is_finished();
        let _ = (dialer.abandon(), listener.abandon());
        let knows = matches!(board.unlocked.recovery_status().unwrap(), RecoveryStatus::SetUp { shares: 2, .. });
        let RecoveryStatus::SetUp { is_kept_here: Some(is_kept), .. } = board.unlocked.recovery_status().unwrap() else { panic!() };
        assert!(is_kept || knows, "after {portions} portions");
        let package = board.unlocked.export_recovery();
        assert_eq!(package.is_ok(), is_kept, "after {portions} portions");
        if let Ok(package) = package {
            let papers = if knows { typed(&[&renewed[0], &renewed[1]]) } else { typed(&[&shares[0], &shares[1]]) };
            let done = recover(folder.path(), "new", &package, &papers, &typed(&[&reseat]));
            assert!(done.is_ok(), "after {portions} portions: {:?}", done.map(|_| ()));
        }
        drop(hub);
        if is_over {
            break;
        }
    }
}

/// Three hundred records of three phones, under turns that are gone: what a new phone has is the paper, a package and the relay.
#[test]
fn three_hundred_records_come_back_after_removals_and_turns() {
    let Story { folder, hub, ana, ben, board, reseat, shares } = story(12, None);
    let gone = ana.unlocked.create_participant(&scene::participant(), satchel_core::consent::HowGiven::Spoken, "en").unwrap();
    for n in 0..100 {
        ana.unlocked.save_encounter(&scene::encounter((n < 10).then_some(gone), None, "ana")).unwrap();
        ben.unlocked.save_encounter(&scene::encounter(None, None, "ben")).unwrap();
    }
    for phone in [&ana, &ben, &board, &ana] {
        hub.exchange(phone).unwrap();
    }
    let cleo = team::join(folder.path(), 12, "lost", NOON, &ana, Role::Worker);
    for phone in [&ana, &cleo, &ana] {
        hub.exchange(phone).unwrap();
    }
    for _ in 0..100 {
        cleo.unlocked.save_encounter(&scene::encounter(None, None, "cleo")).unwrap();
    }
    for phone in [&cleo, &ana, &ben] {
        hub.exchange(phone).unwrap();
    }
    ana.unlocked.prepare_removal(cleo.unlocked.device().unwrap()).unwrap().confirm().unwrap();
    ana.unlocked.erase_participant(gone).unwrap();
    for phone in [&ana, &ben, &board, &ana, &ben, &board, &ana, &ben, &board] {
        hub.exchange(phone).unwrap();
    }
    let before = view(&ana);
    assert_eq!(before, view(&ben));
    assert_eq!(before.matches("encounter EncounterLine").count(), 2 + 290);
    let package = board.unlocked.export_recovery().unwrap();
    drop((ana, ben, cleo));
    let (new, recovered) = recover(folder.path(), "new", &package, &typed(&[&shares[1], &shares[2]]), &typed(&[&reseat])).unwrap();
    let report = hub.exchange(&new).unwrap();
    assert_eq!(view(&new), before, "{} turns; {report:?}", recovered.turns);
    // and what was erased came with none of it, nor can anybody push it again
    assert!(new.unlocked.participant(gone).is_err());
    for phone in [&new, &board, &new] {
        hub.exchange(phone).unwrap();
    }
    assert_eq!(view(&new), before);
    assert!(matches!(board.unlocked.recovery_status().unwrap(), RecoveryStatus::SetUp { is_kept_here: Some(true), .. }));
}

/// The new phone's clock is wrong, as a clock is that lost its battery: nothing that comes back is taken for over.
#[test]
fn a_recovery_on_a_phone_whose_clock_is_at_2038_loses_nothing() {
    const YEAR_2038: u64 = 2_147_000_000;
    let Story { folder, hub, ana, ben, board, reseat, shares } = story(14, None);
    let before = view(&ana);
    drop((ana, ben));
    let package = board.unlocked.export_recovery().unwrap();
    let papers = (typed(&[&shares[2], &shares[0]]), typed(&[&reseat]));
    let (cleo, _) = recover_at(folder.path(), "cleo", &package, &papers.0, &papers.1, YEAR_2038).unwrap();
    assert!(cleo.unlocked.is_date_in_doubt().unwrap());
    for _ in 0..3 {
        hub.exchange(&cleo).unwrap();
        hub.exchange(&board).unwrap();
        cleo.unlocked.tend().unwrap();
    }
    assert!(cleo.unlocked.is_date_in_doubt().unwrap(), "a relay that lives in another year confirms nothing");
    cleo.clock.set(NOON);
    assert!(!cleo.unlocked.is_date_in_doubt().unwrap());
    hub.exchange(&cleo).unwrap();
    assert_eq!(view(&cleo), before);
    cleo.unlocked.name_member(&text("Cleo")).unwrap();
}

/// And one whose clock is years behind: what is written on it is not over for everybody else.
#[test]
fn a_recovery_on_a_phone_whose_clock_is_years_behind_counts_from_the_board_phones_day() {
    const YEAR_2019: u64 = 1_546_344_000;
    let Story { folder, hub, ana, ben, board, reseat, shares } = story(15, None);
    let before = view(&ana);
    drop((ana, ben));
    let package = board.unlocked.export_recovery().unwrap();
    let papers = (typed(&[&shares[2], &shares[0]]), typed(&[&reseat]));
    let (cleo, _) = recover_at(folder.path(), "cleo", &package, &papers.0, &papers.1, YEAR_2019).unwrap();
    assert_eq!(cleo.unlocked.today().unwrap(), board.unlocked.today().unwrap());
    cleo.clock.set(NOON);
    assert!(!cleo.unlocked.is_date_in_doubt().unwrap());
    hub.exchange(&cleo).unwrap();
    assert_eq!(view(&cleo), before);
}

/// Two stewards print papers before either hears of the other's. One set is in force, and every phone says which: nobody
/// keeps papers that open nothing.
#[test]
fn of_two_sets_of_papers_that_were_printed_at_once_everybody_names_the_one_in_force() {
    let Story { folder, hub, ana, ben, board, reseat, shares } = story(13, None);
    let ben_member = ben.unlocked.team().unwrap().devices.iter().find(|line| line.is_self).unwrap().member;
    ana.unlocked.change_role(ben_member, Role::Steward).unwrap();
    for phone in [&ana, &ben, &ana] {
        hub.exchange(phone).unwrap();
    }
    let sets = [shares, ana.unlocked.set_up_recovery(2, 3).unwrap(), ben.unlocked.set_up_recovery(2, 3).unwrap()];
    for phone in [&ana, &ben, &board, &ana, &ben, &board, &ana, &ben, &board] {
        hub.exchange(phone).unwrap();
    }
    let set_of = |phone: &Phone| match phone.unlocked.recovery_status().unwrap() {
        RecoveryStatus::SetUp { set, .. } => set,
        other => panic!("{other:?}"),
    };
    let in_force = set_of(&board);
    assert_eq!([set_of(&ana), set_of(&ben)], [in_force; 2]);
    let package = board.unlocked.export_recovery().unwrap();
    let is_it = |set: &&Vec<PaperShare>| set.iter().all(|paper| paper.set() == in_force);
    let (good, void): (Vec<_>, Vec<_>) = sets.iter().partition(is_it);
    assert_eq!((good.len(), void.len()), (1, 2));
    for (at, void) in void.iter().enumerate() {
        let refused = refusal(recover(folder.path(), &format!("void {at}"), &package, &typed(&[&void[0], &void[1]]), &typed(&[&reseat])));
        assert_eq!(refused, Error::Recovery(RecoveryError::OtherKey));
    }
    assert!(recover(folder.path(), "good", &package, &typed(&[&good[0][0], &good[0][1]]), &typed(&[&reseat])).is_ok());
}

/// The first exchange of the new phone breaks off after any number of answers, and the phone is switched off.
#[test]
fn a_recovery_that_is_cut_off_at_any_answer_still_brings_everything_back() {
    let Story { folder, hub, ana, ben, board, reseat, shares } = story(10, None);
    ana.unlocked.begin_turn().unwrap();
    ana.unlocked.save_encounter(&scene::encounter(None, None, "under a later turn")).unwrap();
    for phone in [&ana, &ben, &board, &ana, &ben, &board] {
        hub.exchange(phone).unwrap();
    }
    let before = view(&ana);
    assert_eq!(before.matches("encounter EncounterLine").count(), 3, "{before}");
    let package = board.unlocked.export_recovery().unwrap();
    drop((ana, ben));
    for answers in 0.. {
        // every try begins from the same relay: what an earlier try announced is not there
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&hub.dir, &copy.path().join("relay"));
        let relay = Hub::open(&copy.path().join("relay"), &hub.clock);
        let shares = typed(&[&shares[2], &shares[0]]);
        let (mut new, _) = recover(copy.path(), "new", &package, &shares, &typed(&[&reseat])).unwrap();
        let is_over = exchange_in_part(&relay, &new, answers);
        new.restart();
        for _ in 0..3 {
            relay.exchange(&new).unwrap();
        }
        assert_eq!(view(&new), before, "cut off after {answers} answers");
        if is_over {
            assert!(answers > 3, "nothing was ever cut off");
            break;
        }
    }
    drop(folder);
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// An exchange of which the phone sees so many answers; the relay has acted on one more. Whether it came to its end.
fn exchange_in_part(hub: &Hub, phone: &Phone, answers: usize) -> bool {
    let mut link = phone.unlocked.relay_exchange().unwrap();
    for seen in 0.. {
        let Some((endpoint, request)) = link.next_request().unwrap() else { return true };
        let answer = match hub.relay.answer(endpoint, &request) {
            Ok(body) => RelayAnswer::Ok(body),
            Err(problem) => RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
        };
        if seen == answers {
            return false;
        }
        link.receive(&answer).unwrap();
    }
    false
}
