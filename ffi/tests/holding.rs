//! What is held on somebody, and a receipt for a yes, through the door that apps use.

#![allow(clippy::unwrap_used)]

mod common;

use common::{fact, failure, found, person, refusal, request};
use satchel_core::consent::receipt::ReceiptForm;
use satchel_core::consent::{Act, GatedCategory, HowGiven, Language, Withdrawal};
use satchel_core::record::FactField;
use satchel_wire::ids::RecordId;

#[test]
fn who_has_a_word_is_asked_for_it_and_then_sees_everything_but_the_word() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), "Ana");
    let blue = ana.create_participant(person("Blue", Some("Río Verde"))).unwrap();
    let asked = || refusal("InvalidInput", "recognition_word", "correct_input");
    for wrong in [None, Some(""), Some("   "), Some("rio"), Some("rio verde y azul"), Some("Blue")] {
        assert_eq!(failure(ana.hold_on_me(blue, wrong.map(str::to_owned))), asked(), "{wrong:?}");
    }
    let grant = ana.give_grant(blue, request(&ana, Act::Record, &[GatedCategory::LegalName], None)).unwrap();
    ana.vault(blue, grant).unwrap().write(vec![fact(FactField::LegalName, "Maria Gonzalez")]).unwrap();
    let page = ana.hold_on_me(blue, Some("  rio  VERDE ".into())).unwrap();
    assert_eq!(page.language(), Language::English);
    for language in Language::ALL {
        let (text, html) = (page.text(language), page.html(language));
        for copy in [&text, &html] {
            assert!(copy.contains("Maria Gonzalez") && copy.contains("Blue"), "{copy}");
            assert!(!copy.to_lowercase().contains("verde"), "the word is never shown");
        }
        assert!(html.starts_with("<!doctype html>") && !html.contains("<script") && !html.contains("src="));
        assert!(page.sections(language).len() == 8 && text.starts_with(&page.title(language)));
    }
    assert_ne!(page.title(Language::English), page.title(Language::Spanish));

    // no word in the file: nobody is asked; nobody there: nothing is said
    let teal = ana.create_participant(person("Teal", None)).unwrap();
    assert!(!ana.hold_on_me(teal, None).unwrap().text(Language::English).contains("Maria"));
    assert_eq!(failure(ana.hold_on_me(RecordId::from_bytes([9; 16]), None)).0, "NotFound");
}

#[test]
fn either_of_two_words_is_known_that_two_phones_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), "Ana");
    let ben = common::join(folder.path(), &ana, "Ben", satchel_core::team::Role::Worker);
    let blue = ana.create_participant(person("Blue", Some("heron"))).unwrap();
    common::meet(&ana, &ben);
    let edit = |word: &str| satchel_ffi::ParticipantEdit {
        alias: None,
        pronouns: None,
        language: None,
        contact: None,
        goals: None,
        recognition_word: Some(word.into()),
        closed: None,
    };
    ana.edit_participant(blue, edit("sparrow")).unwrap();
    ben.edit_participant(blue, edit("cedar")).unwrap();
    common::meet(&ana, &ben);
    assert_eq!(ana.participant(blue).unwrap().conflicts.len(), 1, "control: the two phones disagree");
    for word in ["sparrow", "cedar"] {
        assert!(ana.hold_on_me(blue, Some(word.into())).is_ok(), "{word}");
    }
    assert_eq!(failure(ana.hold_on_me(blue, Some("heron".into()))).1, "recognition_word", "what both replaced is over");
}

#[test]
fn a_receipt_is_for_a_yes_that_counts_and_names_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), "Ana");
    let blue = ana.create_participant(person("Blue", None)).unwrap();
    let grant = ana.give_grant(blue, request(&ana, Act::Record, &[GatedCategory::LegalName], None)).unwrap();
    let receipt = |form| ana.grant_receipt(blue, grant, "Harbor Outreach", "https://harbor.example/charter", form);
    let kantara = receipt(ReceiptForm::Kantara).unwrap();
    assert!(kantara.contains("\"version\":\"KI-CR-v1.1.0\"") && kantara.contains("Harbor Outreach") && kantara.contains("legal name"));
    let fhir = receipt(ReceiptForm::Fhir).unwrap();
    assert!(fhir.contains("\"resourceType\":\"Consent\"") && fhir.contains(&ana.today().unwrap().plus(30).to_string()));
    for made in [&kantara, &fhir] {
        for secret in ["Blue", "Ana", &blue.to_string(), &grant.to_string(), &ana.device().unwrap().to_string()] {
            assert!(!made.contains(secret), "{secret}");
        }
    }
    assert_ne!(receipt(ReceiptForm::Kantara).unwrap(), kantara, "its id is random");
    let long = "x".repeat(201);
    for (agency, policy, field) in [("", "p", "agency"), (&long, "p", "agency"), ("a", " ", "policy"), ("a", &long, "policy")] {
        let refused = ana.grant_receipt(blue, grant, agency, policy, ReceiptForm::Fhir).unwrap_err();
        assert!(matches!(&refused, satchel_ffi::FfiError::InvalidInput { field: Some(named), .. } if named == field), "{refused:?}");
    }
    let unknown = ana.grant_receipt(blue, blue, "a", "p", ReceiptForm::Fhir);
    assert_eq!(failure(unknown).0, "NotFound");
    ana.withdraw(blue, Withdrawal { act: None, category: Some(GatedCategory::LegalName), recipient: None, how: HowGiven::Spoken }).unwrap();
    assert_eq!(failure(receipt(ReceiptForm::Kantara)), refusal("NoConsent", "grant_not_live", "ask_participant"));
}
