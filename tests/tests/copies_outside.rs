//! Copies that left a team, when what they came from goes: every phone knows to ask, and what the recipient answers is true.

#![allow(clippy::unwrap_used)]

use satchel_core::consent::{Act, GatedCategory, GrantRequest, HowGiven, Language, Purpose, ShareClass, Withdrawal};
use satchel_core::error::Error;
use satchel_core::record::{Fact, FactField, Kind, ParticipantDraft};
use satchel_core::screen::{Alias, ShortText};
use satchel_core::share::{EraseRequest, Offer, ShareError, seal_request};
use satchel_core::store::{RelayAnswer, ShareState, SharedPacket};
use satchel_core::team::Role;
use satchel_tests::team::{Hub, Phone, found, join, meet};
use satchel_wire::frame::{Endpoint, Frame, Pulled};
use satchel_wire::ids::RecordId;
use satchel_wire::row::Lane;

/// 2026-11-22 20:00 UTC.
const START: u64 = 1_795_377_600;
const DAY: i64 = 86_400;
/// More than a tree of keys can forget (count).
const FLOOD_COUNT: usize = 360;
const NAME: GatedCategory = GatedCategory::LegalName;

fn person(phone: &Phone, alias: &str) -> RecordId {
    let draft = ParticipantDraft { alias: Some(Alias::parse(alias).unwrap()), ..ParticipantDraft::default() };
    phone.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap()
}

fn yes(phone: &Phone, participant: RecordId, act: Act, recipient: Option<RecordId>) -> RecordId {
    let expiry = phone.unlocked.today().unwrap().plus(60);
    let (purpose, language, how) = (Purpose::HousingApplication, Language::English, HowGiven::Spoken);
    let request = GrantRequest { act, categories: vec![NAME], recipient, purpose, start: None, expiry, how, language };
    phone.unlocked.give_grant(participant, &request).unwrap()
}

/// Ana's and Ben's team gave something of Blue to Elm House.
struct Scene {
    _folder: tempfile::TempDir,
    ana: Phone,
    ben: Phone,
    elm: Phone,
    oak: Phone,
    blue: RecordId,
    recipient: RecordId,
    grant: RecordId,
    packet: SharedPacket,
}

fn scene(seed: u64) -> Scene {
    scene_and_relay(seed).0
}

fn scene_and_relay(seed: u64) -> (Scene, Hub) {
    let folder = tempfile::tempdir().unwrap();
    let (hub, address) = Hub::new(&folder.path().join("hub"), START);
    let ana = found(folder.path(), seed, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let ben = join(folder.path(), seed, "Ben", START, &ana, Role::Worker);
    let elm = found(&folder.path().join("elm"), seed + 1_000, "Elm", START);
    let oak = join(&folder.path().join("elm"), seed + 1_000, "Oak", START, &elm, Role::Worker);
    meet(&elm, &oak);
    let shown = elm.unlocked.show_offer(&ShortText::parse("Harbor").unwrap()).unwrap();
    let recipient = ana.unlocked.pair_recipient("Elm House", ShareClass::Service, &Offer::from_text(&shown.text).unwrap()).unwrap();
    let blue = person(&ana, "Blue");
    let kept = yes(&ana, blue, Act::Record, None);
    ana.unlocked.vault(blue, kept).unwrap().write(&[Fact::parse(FactField::LegalName, "Maria Gonzalez").unwrap()]).unwrap();
    let grant = yes(&ana, blue, Act::Share, Some(recipient));
    meet(&ana, &ben);
    let packet = ana.unlocked.share(blue, grant, &[]).unwrap();
    meet(&ana, &ben);
    (Scene { _folder: folder, ana, ben, elm, oak, blue, recipient, grant, packet }, hub)
}

fn state(phone: &Phone, share: RecordId) -> Option<ShareState> {
    phone.unlocked.shares().unwrap().into_iter().find(|line| line.share == share).map(|line| line.state)
}

fn only(act: Act) -> Withdrawal {
    Withdrawal { act: Some(act), category: None, recipient: None, how: HowGiven::Spoken }
}

#[test]
fn what_was_kept_was_kept_also_when_the_page_there_is_gone() {
    type Goes = fn(&Phone, RecordId);
    let ways: [(&str, Goes); 2] = [
        ("erased", |elm, maria| assert!(elm.unlocked.erase_participant(maria).is_ok())),
        ("taken back", |elm, maria| assert!(elm.unlocked.withdraw(maria, &Withdrawal::of_everything(HowGiven::Spoken)).is_ok())),
    ];
    for (seed, (way, goes)) in (1..).zip(ways) {
        let s = scene(seed);
        let maria = person(&s.elm, "Teal");
        let grant = s.elm.unlocked.keep_shared(&s.packet.bytes, maria).unwrap();
        meet(&s.elm, &s.oak);
        let reads = || s.oak.unlocked.read_vault(maria, grant).is_ok_and(|facts| !facts.is_empty());
        assert!(reads(), "control: a colleague there reads it");
        goes(&s.elm, maria);
        s.ana.unlocked.withdraw(s.blue, &only(Act::Share)).unwrap();
        let asked = s.ana.unlocked.ask_erasure(s.packet.share).unwrap();
        let (answer, told) = s.elm.unlocked.answer_erasure(&asked).unwrap();
        assert!(told.was_kept, "{way}: it was kept");
        assert!(reads(), "the colleague has heard nothing");
        assert_eq!(told.awaited, 1, "{way}: a colleague's phone still opens it");
        assert_eq!(s.ana.unlocked.read_answer(&answer).unwrap(), told);
        meet(&s.elm, &s.oak);
        meet(&s.elm, &s.oak);
        assert!(!reads());
        let (answer, told) = s.elm.unlocked.answer_erasure(&asked).unwrap();
        assert_eq!((told.was_kept, told.awaited), (true, 0), "{way}: control, it confirmed");
        assert_eq!(s.ana.unlocked.read_answer(&answer).unwrap(), told);
    }
}

#[test]
fn a_copy_is_asked_back_whatever_made_the_page_go() {
    // only *record* is taken back
    let s = scene(11);
    let report = s.ben.unlocked.withdraw(s.blue, &only(Act::Record)).unwrap();
    assert!(report.is_file_closed);
    assert_eq!(report.to_ask, [s.packet.share]);
    assert_eq!(state(&s.ben, s.packet.share), Some(ShareState::ToAsk));
    // on the phone that shared
    let s = scene(12);
    assert_eq!(s.ana.unlocked.withdraw(s.blue, &only(Act::Record)).unwrap().to_ask, [s.packet.share]);
    assert_eq!(state(&s.ana, s.packet.share), Some(ShareState::ToAsk));
    // the page is erased, and the phone that shared is lost
    let s = scene(13);
    s.ben.unlocked.erase_participant(s.blue).unwrap();
    let line = s.ben.unlocked.shares().unwrap().remove(0);
    assert_eq!((line.share, line.state, line.participant), (s.packet.share, ShareState::ToAsk, None));
    assert!(line.categories.is_empty(), "of them nothing stays: neither whose it was, nor what");
    let asked = s.ben.unlocked.ask_erasure(s.packet.share).unwrap();
    let (answer, told) = s.elm.unlocked.answer_erasure(&asked).unwrap();
    assert_eq!(s.ben.unlocked.read_answer(&answer).unwrap(), told);
    // by age
    let s = scene(14);
    for _ in 0..25 {
        s.ben.clock.advance(2 * DAY);
        s.ben.unlocked.today().unwrap();
    }
    s.ben.unlocked.tend().unwrap();
    assert!(state(&s.ben, s.packet.share).is_some(), "known from the log alone, while the page is there");
}

#[test]
fn every_phone_of_the_team_knows_to_ask() {
    let s = scene(21);
    assert_eq!(state(&s.ben, s.packet.share), Some(ShareState::Standing), "from the log that both hold");
    s.ana.unlocked.withdraw(s.blue, &only(Act::Share)).unwrap();
    meet(&s.ana, &s.ben);
    assert_eq!(state(&s.ben, s.packet.share), Some(ShareState::ToAsk), "the phone that shared may be lost now");
    let asked = s.ben.unlocked.ask_erasure(s.packet.share).unwrap();
    let (answer, told) = s.elm.unlocked.answer_erasure(&asked).unwrap();
    s.ben.unlocked.read_answer(&answer).unwrap();
    meet(&s.ana, &s.ben);
    assert_eq!(state(&s.ana, s.packet.share), Some(ShareState::Answered(told)), "and what was answered is heard by all");

    // the page goes from a colleague's phone by the tombstone of another: nobody asked that one
    let s = scene(22);
    s.ana.unlocked.erase_participant(s.blue).unwrap();
    meet(&s.ana, &s.ben);
    assert!(s.ben.unlocked.participants().unwrap().is_empty(), "control");
    assert_eq!(state(&s.ben, s.packet.share), Some(ShareState::ToAsk));
}

#[test]
fn asking_needs_no_record_of_the_recipient() {
    for is_early in [true, false] {
        let s = scene(if is_early { 31 } else { 32 });
        if is_early {
            s.ana.unlocked.erase_record(Kind::Recipient, s.recipient).unwrap();
        }
        s.ana.unlocked.withdraw(s.blue, &only(Act::Share)).unwrap();
        meet(&s.ana, &s.ben);
        if !is_early {
            s.ben.unlocked.erase_record(Kind::Recipient, s.recipient).unwrap();
        }
        for phone in [&s.ana, &s.ben] {
            let asked = phone.unlocked.ask_erasure(s.packet.share).unwrap();
            assert!(s.elm.unlocked.answer_erasure(&asked).is_ok(), "{}", phone.name);
        }
        assert_eq!(s.ben.unlocked.recipients().unwrap().len(), 0, "control: it is gone");
    }
}

#[test]
fn a_relay_that_has_no_news_makes_nobody_fresh() {
    let (s, hub) = scene_and_relay(41);
    hub.exchange(&s.ana).unwrap();
    hub.exchange(&s.ben).unwrap();
    let later = |is_ben_there: bool| {
        for _ in 0..10 {
            for phone in [&s.ana, &s.ben] {
                phone.clock.advance(DAY);
                phone.unlocked.today().unwrap();
            }
            hub.clock.advance(DAY);
            hub.exchange(&s.ana).unwrap();
            if is_ben_there {
                hub.exchange(&s.ben).unwrap();
                hub.exchange(&s.ana).unwrap();
            }
        }
    };
    later(true);
    assert!(s.ana.unlocked.share(s.blue, s.grant, &[]).is_ok(), "control: a colleague's word came every day");
    later(false);
    let refused = s.ana.unlocked.share(s.blue, s.grant, &[]).unwrap_err();
    assert_eq!(refused, Error::from(ShareError::Stale { limit_days: 7 }), "whoever is at the relay is not the team");
    meet(&s.ana, &s.ben);
    assert!(s.ana.unlocked.share(s.blue, s.grant, &[]).is_ok());
}

#[test]
fn what_a_relay_keeps_back_is_known_to_be_missing() {
    let (s, hub) = scene_and_relay(51);
    for phone in [&s.ana, &s.ben, &s.ana] {
        hub.exchange(phone).unwrap();
    }
    assert!(s.ana.unlocked.share(s.blue, s.grant, &[]).is_ok(), "control");
    s.ben.unlocked.withdraw(s.blue, &only(Act::Share)).unwrap();
    hub.exchange(&s.ben).unwrap();
    // its notices come through, and no record
    let mut link = s.ana.unlocked.relay_exchange().unwrap();
    while let Some((endpoint, request)) = link.next_request().unwrap() {
        let mut body = hub.relay.answer(endpoint, &request).unwrap_or_else(|problem| panic!("{:?}", problem.code));
        if matches!(endpoint, Endpoint::Pull | Endpoint::Rows) {
            let mut pulled = Pulled::from_bytes(&body).unwrap();
            pulled.rows.retain(|row| row.lane() != Lane::Records);
            body = pulled.to_bytes();
        }
        link.receive(&RelayAnswer::Ok(body)).unwrap();
    }
    let refused = s.ana.unlocked.share(s.blue, s.grant, &[]).unwrap_err();
    assert_eq!(refused, Error::from(ShareError::Stale { limit_days: 7 }), "a colleague signed something that is not here");
    meet(&s.ana, &s.ben);
    assert!(matches!(s.ana.unlocked.share(s.blue, s.grant, &[]), Err(Error::Grant(_))), "it was the withdrawal");
}

#[test]
fn a_request_opens_some_days_and_then_never_again() {
    let s = scene(61);
    s.ana.unlocked.withdraw(s.blue, &only(Act::Share)).unwrap();
    let asked = s.ana.unlocked.ask_erasure(s.packet.share).unwrap();
    let (late, told) = s.elm.unlocked.answer_erasure(&asked).unwrap();
    assert!(!told.was_kept && s.elm.unlocked.answer_erasure(&asked).is_ok(), "control: again, soon");
    for phone in [&s.elm, &s.ana] {
        for _ in 0..5 {
            phone.clock.advance(2 * DAY);
            phone.unlocked.today().unwrap();
        }
    }
    s.elm.unlocked.tend().unwrap();
    assert!(s.elm.unlocked.answer_erasure(&asked).is_err(), "what opens it is destroyed");
    // asked anew, it is another one; and the first answer is read also now
    let anew = s.ana.unlocked.ask_erasure(s.packet.share).unwrap();
    assert!(s.elm.unlocked.answer_erasure(&anew).is_ok());
    assert_eq!(s.ana.unlocked.read_answer(&late).unwrap(), told);
}

#[test]
fn requests_for_copies_that_never_were_keep_no_honest_packet_out() {
    let s = scene(71);
    let offer = s.elm.unlocked.show_offer(&ShortText::parse("Flood").unwrap()).unwrap();
    let offer = Offer::from_text(&offer.text).unwrap();
    let recipient = s.ana.unlocked.pair_recipient("Elm again", ShareClass::Service, &offer).unwrap();
    let grant = yes(&s.ana, s.blue, Act::Share, Some(recipient));
    let packet = s.ana.unlocked.share(s.blue, grant, &[]).unwrap();
    for _ in 0..FLOOD_COUNT {
        let [id, share] = [(); 2].map(|()| RecordId::from_bytes(s.ana.env.random()));
        let request = EraseRequest { id, share, answer_key: [1; 32] };
        let bytes = seal_request(&s.ana.env, offer.key(), offer.seed(), &request).unwrap();
        assert!(s.elm.unlocked.answer_erasure(&bytes).is_ok(), "each is answered");
    }
    let maria = person(&s.elm, "Teal");
    let kept = s.elm.unlocked.keep_shared(&packet.bytes, maria).unwrap();
    assert_eq!(s.elm.unlocked.read_vault(maria, kept).unwrap().len(), 1);
    s.ana.unlocked.withdraw(s.blue, &only(Act::Share)).unwrap();
    let asked = s.ana.unlocked.ask_erasure(packet.share).unwrap();
    assert!(s.elm.unlocked.answer_erasure(&asked).unwrap().1.was_kept);
}
