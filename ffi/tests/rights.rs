//! What participants ask for, through the door that apps use: each by its id. The rest, and other doors, are in the
//! workspace's own tests.

#![allow(clippy::unwrap_used)]
#![allow(non_snake_case, reason = "a test is found by the id of its requirement")]

use satchel_core::complaint::Category as ComplaintCategory;
use satchel_core::consent::{Act, GatedCategory, GrantRequest, GrantStatus, HowGiven, Language, Purpose, ShareClass, Withdrawal};
use satchel_core::record::{EncounterKind, FactField};
use satchel_ffi::{
    CharterChange, ComplaintDraft, EncounterDraft, Fact, FfiError, FollowUpDraft, KeyCost, ParticipantDraft, SelfReferralDraft, Unlocked,
    found_team, join_team, screen,
};
use satchel_wire::ids::{RecordId, ResourceId};
use std::sync::Arc;

const PASSPHRASE: &[u8] = b"correct horse battery staple";

struct Place {
    _folder: tempfile::TempDir,
    ana: Arc<Unlocked>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("ana").display().to_string();
        let ana = found_team(&dir, PASSPHRASE.to_vec(), "America/Los_Angeles".into(), "Ana", KeyCost::Least, None).unwrap().unlocked();
        Self { _folder: folder, ana }
    }

    fn file(&self) -> RecordId {
        let draft = ParticipantDraft {
            how: HowGiven::Spoken,
            words_language: "en".into(),
            alias: Some("Blue".into()),
            pronouns: None,
            language: None,
            contact: None,
            goals: Vec::new(),
            recognition_word: None,
        };
        self.ana.create_participant(draft).unwrap()
    }

    fn request(&self, category: GatedCategory) -> GrantRequest {
        GrantRequest {
            act: Act::Record,
            categories: vec![category],
            recipient: None,
            purpose: Purpose::HousingApplication,
            start: None,
            expiry: self.ana.today().unwrap().plus(30),
            how: HowGiven::Spoken,
            language: Language::English,
        }
    }
}

fn meeting(participant: Option<RecordId>, note: Option<&str>) -> EncounterDraft {
    EncounterDraft { kind: EncounterKind::Street, participant, zone: None, offers: Vec::new(), note: note.map(str::to_owned) }
}

fn value_of(field: FactField) -> Fact {
    let value = match satchel_ffi::shape_of_fact(field) {
        satchel_core::record::FactShape::Date => "1980-02-29",
        satchel_core::record::FactShape::Text => "Maria Gonzalez",
    };
    Fact { field, value: value.into() }
}

/// The error is the one that says to ask the participant.
#[track_caller]
fn unasked<T>(result: Result<T, FfiError>) -> (String, Option<GrantStatus>) {
    match result.err() {
        Some(FfiError::NoConsent { code, remedy, status }) => {
            assert_eq!(remedy, "ask_participant");
            (code, status)
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused<T>(result: Result<T, FfiError>) -> String {
    match result.err() {
        Some(FfiError::Refused { code, remedy }) => {
            assert_eq!(remedy, "ask_steward");
            code
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn invalid<T>(result: Result<T, FfiError>) -> (String, Option<String>) {
    match result.err() {
        Some(FfiError::InvalidInput { code, field, .. }) => (code, field),
        other => panic!("{other:?}"),
    }
}

#[test]
fn R08_nothing_is_written_about_somebody_without_a_file() {
    let place = Place::new();
    let stranger = RecordId::from_bytes([8; 16]);
    let today = place.ana.today().unwrap();
    let promise = FollowUpDraft { participant: stranger, what: "a tent".into(), from: today, until: today, contact: None };
    let referral = SelfReferralDraft {
        participant: stranger,
        started_by: satchel_core::record::StartedBy::Participant,
        to: ResourceId::from_bytes([1; 16]),
        status: satchel_core::record::ReferralStatus::Asked,
        words: None,
    };
    assert_eq!(unasked(place.ana.save_encounter(meeting(Some(stranger), None))), ("no_grant".into(), None));
    assert_eq!(unasked(place.ana.save_follow_up(promise)).0, "no_grant");
    assert_eq!(unasked(place.ana.save_self_referral(referral)).0, "no_grant");
    let asked = place.ana.give_grant(stranger, place.request(GatedCategory::LegalName));
    assert_eq!(unasked(asked), ("grant_no_file".into(), None));
    assert!(place.ana.participants().unwrap().is_empty() && place.ana.encounters(None).unwrap().is_empty());
    place.ana.save_encounter(meeting(None, None)).unwrap();
}

#[test]
fn R09_a_gated_fact_needs_a_yes_of_its_own() {
    let place = Place::new();
    let blue = place.file();
    let file = place.ana.grants(blue).unwrap()[0].id;
    assert_eq!(invalid(place.ana.vault(blue, file)).0, "grant_no_vault", "the yes to a file is none to a fact");
    let name = place.ana.give_grant(blue, place.request(GatedCategory::LegalName)).unwrap();
    let vault = place.ana.vault(blue, name).unwrap();
    for field in FactField::ALL.iter().copied().filter(|field| field.category() != GatedCategory::LegalName) {
        let written = vault.write(vec![value_of(FactField::LegalName), value_of(field)]);
        assert_eq!(unasked(written), ("grant_not_covered".into(), None), "{}", field.as_str());
        assert_eq!(unasked(vault.remove(field)).0, "grant_not_covered");
    }
    assert!(vault.read().unwrap().is_empty(), "all or none");
    vault.write(vec![value_of(FactField::LegalName)]).unwrap();
    assert_eq!(vault.read().unwrap().len(), 1, "control: what was said yes to is written");

    // and it can be taken back: the open form ends with it
    let taken = Withdrawal { act: Some(Act::Record), category: Some(GatedCategory::LegalName), recipient: None, how: HowGiven::Spoken };
    place.ana.withdraw(blue, taken).unwrap();
    let over = ("grant_not_live".to_owned(), Some(GrantStatus::Withdrawn));
    assert_eq!(unasked(vault.write(vec![value_of(FactField::LegalName)])), over);
    assert_eq!(unasked(vault.read()), over);
    assert_eq!(unasked(place.ana.vault(blue, name)), over);
    assert!(place.ana.vaults(blue).unwrap().is_empty());
    // one recipient, and never bundled
    let share = GrantRequest { act: Act::Share, ..place.request(GatedCategory::LegalName) };
    assert_eq!(invalid(place.ana.give_grant(blue, share)).0, "grant_wildcard");
    let bundle = GrantRequest { recipient: Some(blue), ..place.request(GatedCategory::LegalName) };
    assert_eq!(invalid(place.ana.give_grant(blue, bundle)).0, "grant_bundled");
}

#[test]
fn R13_what_is_about_others_is_stopped_at_its_place() {
    let place = Place::new();
    let text = "😀 her dealer sells by the bridge";
    let refusal = place.ana.save_encounter(meeting(None, Some(text))).unwrap_err();
    let FfiError::InvalidInput { field, findings, .. } = refusal else { panic!("{refusal:?}") };
    assert_eq!(field.as_deref(), Some("note"));
    assert_eq!(findings, screen(text, None).unwrap());
    let third = findings.iter().find(|finding| finding.category == "third_party").unwrap();
    let units: Vec<u16> = text.encode_utf16().collect();
    let shown = String::from_utf16(&units[third.start_utf16 as usize..third.end_utf16 as usize]).unwrap();
    assert!(shown.contains("dealer"), "{shown}");
    assert!(place.ana.encounters(None).unwrap().is_empty());
    let category = place.request(GatedCategory::ThirdParty);
    assert_eq!(refused(place.ana.give_grant(place.file(), category)), "grant_category_not_allowed");
}

#[test]
fn R15_police_get_nothing_without_the_person_and_the_board() {
    let place = Place::new();
    let blue = place.file();
    let court = place.ana.add_recipient("County court", ShareClass::Justice).unwrap();
    let share =
        GrantRequest { act: Act::Share, recipient: Some(court), purpose: Purpose::LegalDefence, ..place.request(GatedCategory::LegalName) };
    assert_eq!(refused(place.ana.give_grant(blue, share.clone())), "grant_justice_denied");
    assert_eq!(refused(place.ana.grant_words(blue, share.clone(), None)), "grant_justice_denied");
    let change = CharterChange { justice_shares: Some(true), ..nothing() };
    assert!(place.ana.change_charter(change).unwrap().waits_for_board);
    assert_eq!(refused(place.ana.give_grant(blue, share)), "grant_justice_denied", "a steward alone allows nothing");
    assert!(place.ana.sharing_log(blue).unwrap().is_empty());
}

fn nothing() -> CharterChange {
    CharterChange {
        encounter_days: None,
        zone_days: None,
        participant_days: None,
        last_day: None,
        absence_limit_days: None,
        suppression: None,
        board_key: None,
        board_signing: None,
        funders: None,
        agreements: None,
        reviewed: None,
        review_due: None,
        record_grant_days: None,
        share_grant_days: None,
        share_contact_days: None,
        categories: None,
        justice_shares: None,
    }
}

#[test]
fn R18_a_complaint_is_offered_only_where_a_board_reads_it() {
    let place = Place::new();
    assert!(!place.ana.board_status().unwrap().is_offered);
    let draft = || ComplaintDraft { category: ComplaintCategory::Coercion, text: "Come back sober.".into(), reply: None };
    assert_eq!(refused(place.ana.complain(draft())), "no_board");
    let board_dir = place._folder.path().join("board").display().to_string();
    let joining = join_team(&place.ana.invite(satchel_core::team::Role::Board, "").unwrap()).unwrap();
    let answered = place.ana.answer_knock(joining.knock()).unwrap();
    joining.answered(answered.answer).unwrap();
    answered.host.introduced(joining.introduce().unwrap()).unwrap();
    let welcome = answered.host.welcome().unwrap();
    let joined = joining.welcomed(welcome, &board_dir, PASSPHRASE.to_vec(), "Board", KeyCost::Least, None).unwrap();
    answered.host.thanked(joined.thanks).unwrap();
    let board = joined.unlocked;
    // not even a steward reads what is for the board
    assert!(matches!(place.ana.board_set_up(false), Err(FfiError::Refused { .. })));
    let keys = board.board_set_up(false).unwrap();
    let enter = CharterChange { board_key: Some(keys.receiving), board_signing: Some(keys.signing), ..nothing() };
    assert!(!place.ana.change_charter(enter).unwrap().waits_for_board);
    assert!(!place.ana.board_status().unwrap().is_offered, "keys that the board has not confirmed are none");
    meet(&place.ana, &board);
    board.board_publish(30).unwrap();
    meet(&board, &place.ana);
    assert!(place.ana.board_status().unwrap().is_offered);
    place.ana.complain(draft()).unwrap();
    assert!(matches!(place.ana.board_book(), Err(FfiError::Refused { .. })));
}

fn meet(dialer: &Unlocked, listener: &Unlocked) {
    let sessions = [dialer.dial().unwrap(), listener.listen().unwrap()];
    let mut moved = true;
    while moved {
        moved = false;
        for (from, to) in [(0, 1), (1, 0)] {
            while let Some(bytes) = sessions[from].transmit(65_536).unwrap() {
                sessions[to].receive(bytes).unwrap();
                moved = true;
            }
        }
    }
    assert!(sessions.iter().all(|session| session.is_finished().unwrap()));
}

#[test]
fn R22_anybody_may_see_what_can_be_stored_and_what_is_promised() {
    let place = Place::new();
    let map = satchel_ffi::data_map();
    let names: Vec<&str> = map.iter().flat_map(|group| &group.fields).map(|field| field.name.as_str()).collect();
    assert!(names.contains(&"alias") && names.len() > 100);
    assert!(map.iter().flat_map(|group| &group.fields).all(|field| !field.why.is_empty()));
    for language in Language::ALL {
        let page = place.ana.charter_page(language).unwrap();
        assert!(page.sections().len() >= 5 && !page.text().is_empty());
    }
    let blue = place.file();
    let line = &place.ana.grants(blue).unwrap()[0];
    assert_eq!(line.recorded_by.len(), 1, "who recorded it is told");
}

#[test]
fn R29_the_guards_have_no_switch() {
    let place = Place::new();
    for change in [
        CharterChange { suppression: Some(4), ..nothing() },
        CharterChange { record_grant_days: Some(367), ..nothing() },
        CharterChange { board_signing: Some(vec![1; 31]), ..nothing() },
    ] {
        assert!(matches!(place.ana.change_charter(change), Err(FfiError::InvalidInput { .. })), "not even with the board");
    }
    let long = GrantRequest { expiry: place.ana.today().unwrap().plus(181), ..place.request(GatedCategory::LegalName) };
    assert_eq!(refused(place.ana.give_grant(place.file(), long)), "grant_too_long");
    assert_eq!(invalid(place.ana.create_zone("Ann, 415-555-0123")).1.as_deref(), Some("name"));
}
