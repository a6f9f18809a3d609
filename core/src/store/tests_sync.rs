#![allow(clippy::unwrap_used)]

//! Two and three stores that join and meet, in memory, through the real session.

use super::*;
use crate::consent::HowGiven;
use crate::record::{EncounterKind, Outcome, ParticipantDraft, ParticipantEdit};
use crate::screen::{Alias, ShortText};
use crate::sync::SessionReport;
use crate::team::Role;
use satchel_wire::ids::{RecordId, ResourceId};

pub(super) struct Phone {
    pub unlocked: Unlocked,
    _folder: tempfile::TempDir,
}

fn passphrase() -> Passphrase {
    Passphrase::new(b"correct horse battery staple").unwrap()
}

fn text(text: &str) -> ShortText {
    ShortText::parse(text).unwrap()
}

pub(super) fn found(env: Env) -> Phone {
    let folder = tempfile::tempdir().unwrap();
    let passphrase = passphrase();
    let credentials = Credentials { passphrase: &passphrase, protector: None, cost: KeyCost::Least };
    let founding = Founding { time_zone: "Europe/Madrid".into(), member_name: text("Ana") };
    let unlocked = Store::found(&folder.path().join("store"), env, &credentials, &founding).unwrap().unlocked;
    Phone { unlocked, _folder: folder }
}

pub(super) fn join(env: Env, host: &Phone, name: &str, role: Role) -> Phone {
    join_with(env, host, name, role, None)
}

pub(super) fn join_with(env: Env, host: &Phone, name: &str, role: Role, protector: Option<Arc<dyn KeyProtector>>) -> Phone {
    let folder = tempfile::tempdir().unwrap();
    let passphrase = passphrase();
    let credentials = Credentials { passphrase: &passphrase, protector, cost: KeyCost::Least };
    let invitation = host.unlocked.invite(role, "").unwrap();
    let invitation = crate::team::Invitation::from_text(&invitation.to_text(), env.now()).unwrap();
    let (joining, knock) = Store::join(env, &invitation).unwrap();
    let (mut hosted, answer) = host.unlocked.answer_knock(&knock).unwrap();
    let mut joined = joining.answered(&answer).unwrap();
    assert_eq!(joined.words(), hosted.words());
    hosted.introduced(&joined.introduce().unwrap()).unwrap();
    let welcome = hosted.welcome().unwrap();
    let (unlocked, thanks) = joined.welcomed(&welcome, &folder.path().join("store"), &credentials, &text(name)).unwrap();
    hosted.thanked(&thanks).unwrap();
    // the same invitation again
    assert_eq!(host.unlocked.answer_knock(&knock).unwrap_err().code(), "invitation_used");
    Phone { unlocked, _folder: folder }
}

pub(super) fn meet(a: &Phone, b: &Phone) -> (SessionReport, SessionReport) {
    let mut dialer = a.unlocked.dial().unwrap();
    let mut listener = b.unlocked.listen();
    for _ in 0..10_000 {
        let mut moved = false;
        while let Some(bytes) = dialer.transmit(20_000).unwrap() {
            listener.receive(&bytes).unwrap();
            moved = true;
        }
        while let Some(bytes) = listener.transmit(20_000).unwrap() {
            dialer.receive(&bytes).unwrap();
            moved = true;
        }
        if !moved {
            break;
        }
    }
    assert!(dialer.is_finished() && listener.is_finished());
    (dialer.report().clone(), listener.report().clone())
}

pub(super) fn participant(phone: &Phone, alias: &str) -> RecordId {
    let draft = ParticipantDraft { alias: Some(Alias::parse(alias).unwrap()), ..ParticipantDraft::default() };
    phone.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap()
}

fn encounter(phone: &Phone, participant: Option<RecordId>) -> RecordId {
    let offers =
        vec![OfferDraft { resource: ResourceId::from_bytes([1; 16]), quantity: 1, outcome: Outcome::Accepted, keep_refusal: false }];
    let draft = EncounterDraft { kind: EncounterKind::Street, participant, zone: None, offers, note: None };
    phone.unlocked.save_encounter(&draft).unwrap()
}

/// Everything that a user sees, in a form that two phones can be compared by.
pub(super) fn view(phone: &Phone) -> String {
    let unlocked = &phone.unlocked;
    let mut files = Vec::new();
    for line in unlocked.participants().unwrap() {
        files.push(format!("{:?}", line).replace("Alias", "") + &seen(&unlocked.participant(line.id).unwrap()));
    }
    format!(
        "{files:?} {:?} {:?} {:?} {:?}",
        unlocked.encounters(None).unwrap(),
        unlocked.follow_ups().unwrap(),
        unlocked.self_referrals().unwrap(),
        unlocked.zones().unwrap()
    )
}

fn seen(file: &crate::record::Participant) -> String {
    let goals: Vec<&str> = file.goals.iter().map(ShortText::as_str).collect();
    let conflicts: Vec<_> = file
        .conflicts
        .iter()
        .map(|conflict| (conflict.field, conflict.others.iter().map(|other| other.as_str().to_owned()).collect::<Vec<_>>()))
        .collect();
    format!(
        "{:?} {goals:?} {:?} {conflicts:?}",
        file.alias.as_ref().map(|alias| alias.as_str()),
        file.pronouns.as_ref().map(|text| text.as_str())
    )
}

#[test]
fn two_phones_meet_and_agree() {
    let ana = found(Env::system());
    let blue = participant(&ana, "Blue");
    encounter(&ana, Some(blue));
    let ben = join(Env::system(), &ana, "Ben", Role::Worker);
    let (ana_report, _) = meet(&ana, &ben);
    assert!(ana_report.warnings.is_empty(), "{ana_report:?}");
    assert_eq!(ben.unlocked.participants().unwrap().len(), 1);
    assert_eq!(view(&ana), view(&ben));
    // both edit one file, and write on
    ana.unlocked.edit_participant(blue, &ParticipantEdit { pronouns: Some(text("she")), ..Default::default() }).unwrap();
    ben.unlocked
        .edit_participant(blue, &ParticipantEdit { pronouns: Some(text("they")), goals: Some(vec![text("a bed")]), ..Default::default() })
        .unwrap();
    encounter(&ben, Some(blue));
    encounter(&ana, None);
    let (report, _) = meet(&ben, &ana);
    assert!(report.warnings.is_empty(), "{report:?}");
    assert_eq!(view(&ana), view(&ben));
    assert_eq!(ana.unlocked.participant(blue).unwrap().conflicts.len(), 1, "both values are shown");
    let (report, _) = meet(&ben, &ana);
    assert_eq!((report.rows.applied, report.sent), (0, 0), "nothing changed, nothing moves");
    assert_eq!(ana.unlocked.team().unwrap().devices.len(), 2);
    assert_eq!(
        ben.unlocked
            .member_name(ana.unlocked.team().unwrap().devices.iter().find(|device| device.is_self).unwrap().member)
            .unwrap()
            .unwrap()
            .as_str(),
        "Ana"
    );
}

#[test]
fn what_two_share_reaches_the_third() {
    let ana = found(Env::system());
    let ben = join(Env::system(), &ana, "Ben", Role::Worker);
    let cleo = join(Env::system(), &ana, "Cleo", Role::Worker);
    let blue = participant(&ben, "Blue");
    encounter(&ben, Some(blue));
    // Ben has never heard of Cleo, nor Cleo of Ben: each proves to the other that it was admitted
    let (report, _) = meet(&ben, &cleo);
    assert!(report.warnings.is_empty(), "{report:?}");
    assert_eq!(cleo.unlocked.participants().unwrap().len(), 1);
    meet(&cleo, &ana);
    assert_eq!(view(&ana), view(&ben));
    assert_eq!(view(&ana), view(&cleo));
}

#[test]
fn a_new_turn_spreads_by_meeting() {
    let ana = found(Env::system());
    let ben = join(Env::system(), &ana, "Ben", Role::Worker);
    meet(&ana, &ben);
    ana.unlocked.begin_turn().unwrap();
    encounter(&ana, None);
    assert_eq!(ana.unlocked.team().unwrap().turn, 2);
    let (report, _) = meet(&ben, &ana);
    assert!(report.warnings.is_empty(), "{report:?}");
    assert_eq!(ben.unlocked.team().unwrap().turn, 2);
    assert_eq!(ben.unlocked.team().unwrap().held_turns, 1, "the earlier turn is destroyed");
    assert_eq!(view(&ana), view(&ben));
    // two turns at once, then both are one again after meetings
    ana.unlocked.begin_turn().unwrap();
    ben.unlocked.begin_turn().unwrap();
    encounter(&ben, None);
    meet(&ana, &ben);
    meet(&ana, &ben);
    assert_eq!(view(&ana), view(&ben));
}

#[test]
fn a_store_copied_and_run_twice_is_noticed() {
    let ana = found(Env::system());
    let ben = join(Env::system(), &ana, "Ben", Role::Worker);
    meet(&ana, &ben);
    // a backup of Ben's phone, taken now
    let copy = tempfile::tempdir().unwrap();
    ben.unlocked.store().suspend().unwrap();
    for entry in std::fs::read_dir(ben._folder.path().join("store")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "lock" {
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    let store = ben.unlocked.store();
    store.resume().unwrap();
    let ben = Phone { unlocked: store.unlock(&passphrase(), None).unwrap(), _folder: ben._folder };
    encounter(&ben, None);
    meet(&ben, &ana);
    let restored = Store::open(copy.path(), Env::system()).unwrap();
    let restored = Phone { unlocked: restored.unlock(&passphrase(), None).unwrap(), _folder: copy };
    encounter(&restored, None);
    let (_, report) = meet(&ana, &restored);
    assert!(restored.unlocked.team().unwrap().is_copied, "{report:?}");
    assert_eq!(ana.unlocked.encounters(None).unwrap().len(), 1, "what the copy wrote stays with it, unnumbered");
    assert_eq!(restored.unlocked.encounters(None).unwrap().len(), 2, "and nothing of it is lost");
    // a colleague's work still flows, in both directions, for the original
    encounter(&ben, None);
    meet(&ben, &ana);
    assert_eq!(view(&ana), view(&ben));
}
