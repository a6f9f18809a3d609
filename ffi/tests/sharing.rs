//! Sharing with a recipient outside the team, through the door that apps use; every refusal says what to do.

#![allow(clippy::unwrap_used)]

mod common;

use common::{fact, failure, found, join, meet, person, refusal, request};
use satchel_core::consent::{Act, GatedCategory, GrantRequest, GrantStatus, HowGiven, Purpose, ShareClass, Withdrawal};
use satchel_core::record::{FactField, SharingEvent};
use satchel_core::team::Role;
use satchel_ffi::{FfiError, OpenedPacket, PairingOffer, ShareState, Unlocked};
use satchel_wire::ids::RecordId;
use std::sync::Arc;

struct Scene {
    folder: tempfile::TempDir,
    ana: Arc<Unlocked>,
    elm: Arc<Unlocked>,
    blue: RecordId,
    kept: RecordId,
    recipient: RecordId,
    grant: RecordId,
}

fn pair(sender: &Unlocked, recipient: &Unlocked, called: &str, class: ShareClass) -> RecordId {
    let shown = recipient.show_offer(&format!("Harbor {}", recipient.pairings().unwrap().len())).unwrap();
    let offer = PairingOffer::read(shown.text()).unwrap();
    assert_eq!((shown.words().len(), offer.words()), (6, shown.words()));
    sender.pair_recipient(called, class, &offer).unwrap()
}

fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let (ana, elm) = (found(folder.path(), "Ana"), found(folder.path(), "Elm"));
    let recipient = pair(&ana, &elm, "Elm House", ShareClass::Service);
    let blue = ana.create_participant(person("Blue", None)).unwrap();
    let categories = [GatedCategory::LegalName, GatedCategory::BirthDate, GatedCategory::ContactDetail];
    let kept = ana.give_grant(blue, request(&ana, Act::Record, &categories, None)).unwrap();
    let facts = vec![
        fact(FactField::LegalName, "Maria Gonzalez"),
        fact(FactField::BirthDate, "1980-02-29"),
        fact(FactField::Phone, "415-555-0123"),
    ];
    ana.vault(blue, kept).unwrap().write(facts).unwrap();
    let grant = ana.give_grant(blue, request(&ana, Act::Share, &categories[..2], Some(recipient))).unwrap();
    Scene { folder, ana, elm, blue, kept, recipient, grant }
}

fn stop(recipient: RecordId) -> Withdrawal {
    Withdrawal { act: Some(Act::Share), category: None, recipient: Some(recipient), how: HowGiven::Spoken }
}

#[test]
fn what_was_granted_leaves_is_kept_asked_back_and_answered() {
    let s = scene();
    let plan = s.ana.share_plan(s.blue, s.grant, Vec::new()).unwrap();
    assert_eq!(plan.fields, [FactField::LegalName, FactField::BirthDate], "the telephone was not granted");
    assert_eq!(plan.words, s.elm.pairings().unwrap()[0].words);
    assert!(s.ana.shares().unwrap().is_empty() && s.ana.sharing_log(s.blue).unwrap().is_empty(), "a plan leaves no trace");
    let packet = s.ana.share(s.blue, s.grant, Vec::new()).unwrap();
    assert_eq!(packet.bytes.len(), 8_192);
    assert_eq!(s.ana.shares().unwrap()[0].state, ShareState::Standing);

    let OpenedPacket::Facts { shared, .. } = s.elm.open_packet(packet.bytes.clone()).unwrap() else { panic!("no facts") };
    assert_eq!(shared.facts.iter().map(|fact| fact.value.as_str()).collect::<Vec<_>>(), ["Maria Gonzalez", "1980-02-29"]);
    assert_eq!((shared.purpose, shared.until), (Purpose::HousingApplication, plan.until));
    assert_eq!(format!("{shared}"), "SharedFacts(..)", "facts print none of themselves");
    let opened = &s.elm.received_shares().unwrap()[0];
    assert_eq!((opened.share, opened.grant, opened.is_shut), (packet.share, None, false), "read, and kept nowhere");
    let teal = s.elm.create_participant(person("Teal", None)).unwrap();
    let there = s.elm.keep_shared(packet.bytes.clone(), teal).unwrap();
    assert_eq!(s.elm.vault(teal, there).unwrap().read().unwrap().len(), 2);
    let line = s.elm.grants(teal).unwrap().into_iter().find(|line| line.id == there).unwrap();
    assert_eq!(line.grant.unwrap().received, Some(packet.share), "it says where it came from");
    let kept = &s.elm.received_shares().unwrap()[0];
    assert_eq!((kept.grant, kept.participant, kept.is_shut), (Some(there), Some(teal), true));

    assert_eq!(failure(s.ana.ask_erasure(packet.share)), refusal("InvalidInput", "share_still_granted", "withdraw_first"));
    assert_eq!(s.ana.withdraw(s.blue, stop(s.recipient)).unwrap().to_ask, [packet.share]);
    assert_eq!(s.ana.shares().unwrap()[0].state, ShareState::ToAsk);
    let asked = s.ana.ask_erasure(packet.share).unwrap();
    assert!(matches!(s.ana.shares().unwrap()[0].state, ShareState::Asked { .. }));
    let OpenedPacket::EraseRequest { share, kept_with, .. } = s.elm.open_packet(asked.clone()).unwrap() else { panic!("no request") };
    assert_eq!((share, kept_with), (packet.share, Some(teal)));
    let answer = s.elm.answer_erasure(asked).unwrap();
    assert!(answer.answer.was_kept && answer.answer.phones_awaited == 0);
    assert!(s.elm.vaults(teal).unwrap().is_empty() && s.elm.participant(teal).is_ok(), "the copy goes, the page stays");
    assert!(s.elm.received_shares().unwrap()[0].erased_on.is_some());
    let OpenedPacket::Answer { answer: told } = s.ana.open_packet(answer.bytes.clone()).unwrap() else { panic!("no answer") };
    assert_eq!(told, answer.answer);
    assert_eq!(s.ana.shares().unwrap()[0].state, ShareState::Answered { answer: told });
    let mut events: Vec<_> = s.ana.sharing_log(s.blue).unwrap().iter().map(|line| line.event).collect();
    events.sort();
    assert_eq!(events, [SharingEvent::Shared, SharingEvent::Stopped, SharingEvent::ErasureAsked, SharingEvent::ErasureAnswered]);
}

#[test]
fn every_refusal_says_what_to_do() {
    let s = scene();
    let share = |grant, fields: &[FactField]| s.ana.share(s.blue, grant, fields.to_vec());
    assert_eq!(failure(share(RecordId::from_bytes([9; 16]), &[])).0, "NotFound");
    assert_eq!(failure(share(s.kept, &[])), refusal("NoConsent", "share_grant_to_record", "ask_participant"));
    assert_eq!(failure(share(s.grant, &[FactField::Phone])), refusal("NoConsent", "grant_not_covered", "ask_participant"));
    let clinic = s.ana.add_recipient("Oak Clinic", ShareClass::Service).unwrap();
    let unmet = s.ana.give_grant(s.blue, request(&s.ana, Act::Share, &[GatedCategory::LegalName], Some(clinic))).unwrap();
    assert_eq!(failure(share(unmet, &[])), refusal("Refused", "share_not_paired", "pair_in_person"));
    let place = s.ana.give_grant(s.blue, request(&s.ana, Act::Share, &[GatedCategory::ExactPlace], Some(s.recipient))).unwrap();
    assert_eq!(failure(share(place, &[])).1, "share_nothing");
    let court = pair(&s.ana, &s.elm, "County court", ShareClass::Justice);
    let defence = GrantRequest { purpose: Purpose::LegalDefence, ..request(&s.ana, Act::Share, &[GatedCategory::LegalName], Some(court)) };
    let to_court = s.ana.give_grant(s.blue, defence);
    assert_eq!(failure(to_court), refusal("Refused", "grant_justice_denied", "ask_steward"));
    let more = fact(FactField::LegalName, "Maria Gonzalez 415-555-0123");
    s.ana.vault(s.blue, s.kept).unwrap().write(vec![more]).unwrap();
    let says_more = share(s.grant, &[]).err().unwrap();
    assert!(matches!(&says_more, FfiError::InvalidInput { field: Some(field), .. } if field == "legal_name"), "{says_more:?}");
    assert!(share(s.grant, &[FactField::BirthDate]).is_ok(), "control: the other fact may leave");
    // a colleague's phone that has not heard of the yes, and one that has
    let ben = join(s.folder.path(), &s.ana, "Ben", Role::Worker);
    assert_eq!(failure(ben.share(s.blue, s.grant, Vec::new())).0, "NotFound");
    meet(&s.ana, &ben);
    assert!(ben.share(s.blue, s.grant, vec![FactField::BirthDate]).is_ok());
    s.ana.withdraw(s.blue, stop(s.recipient)).unwrap();
    let over = share(s.grant, &[]).err().unwrap();
    assert!(matches!(over, FfiError::NoConsent { status: Some(GrantStatus::Withdrawn), .. }), "{over:?}");
}

#[test]
fn what_is_no_offer_and_no_packet_is_refused() {
    let s = scene();
    for wrong in [Vec::new(), vec![0xFF; 40], b"SATCHELSHARE1:AAAA".to_vec(), vec![b'A'; 1 << 20]] {
        assert_eq!(failure(PairingOffer::read(wrong)), refusal("InvalidInput", "share_offer", "pair_in_person"));
    }
    let shown = s.elm.show_offer("Harbor").unwrap();
    let mut text = shown.text();
    text.make_ascii_lowercase();
    let offer = PairingOffer::read(text).unwrap();
    s.ana.pair_recipient("Oak House", ShareClass::Service, &offer).unwrap();
    assert_eq!(failure(s.ana.pair_recipient("Pine House", ShareClass::Service, &offer)).1, "share_paired_already");
    assert_eq!(failure(s.elm.show_offer("Harbor")).1, "share_paired_already");
    let named = s.elm.show_offer("Sam, 415-555-0123").err().unwrap();
    assert!(matches!(&named, FfiError::InvalidInput { field: Some(field), findings, .. } if field == "name" && !findings.is_empty()));

    let packet = s.ana.share(s.blue, s.grant, Vec::new()).unwrap();
    let mut altered = packet.bytes.clone();
    altered[4_000] ^= 1;
    let not_ours = refusal("InvalidInput", "share_not_for_us", "ask_sender");
    for wrong in [&altered, &packet.bytes[..8_191].to_vec(), &Vec::new(), &vec![7; 8_192]] {
        assert_eq!(failure(s.elm.open_packet(wrong.clone())), not_ours);
    }
    assert_eq!(failure(s.ana.open_packet(packet.bytes.clone())), not_ours, "not even who made it opens it");
    assert_eq!(failure(s.elm.answer_erasure(packet.bytes.clone())).1, "share_other_kind");
    assert_eq!(failure(s.elm.keep_shared(packet.bytes.clone(), s.blue)), refusal("NoConsent", "no_grant", "ask_participant"));
    assert!(s.elm.open_packet(packet.bytes.clone()).is_ok(), "control");
    assert_eq!(failure(s.ana.ask_erasure(s.blue)).0, "NotFound");
    let pairing = s.elm.pairings().unwrap().into_iter().find(|line| line.name.as_deref() == Some("Harbor 0")).unwrap();
    s.elm.forget_pairing(pairing.id).unwrap();
    assert_eq!(failure(s.elm.open_packet(packet.bytes.clone())), not_ours);
    assert_eq!(failure(s.elm.forget_pairing(pairing.id)).0, "NotFound");
}
