//! Sharing between two stores, as two people type it.
#![allow(clippy::unwrap_used)]

mod support;

use support::Phone;

fn founded(folder: &std::path::Path, name: &str) -> Phone {
    let phone = Phone::new(folder, name);
    phone.run(&["init", "--name", name, "--time-zone", "America/Los_Angeles"]).value();
    phone
}

#[test]
fn facts_go_to_one_recipient_and_are_asked_back() {
    let folder = tempfile::tempdir().unwrap();
    let (ana, elm) = (founded(folder.path(), "Ana"), founded(folder.path(), "Elm"));
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (offer, packet, asked, answer) = (path("offer"), path("packet"), path("asked"), path("answer"));

    // two people beside each other
    let shown = elm.run(&["share", "pair", "show", "--name", "Harbor team", "--out", &offer]).value();
    let words = shown["words"].as_str().unwrap();
    let take = ["share", "pair", "take", &offer, "--name", "Elm House", "--class", "service", "--expect-words"];
    assert_eq!(ana.run(&[&take[..], &["apple apple apple apple apple apple"]].concat()).code(), "not_confirmed");
    ana.id(&[&take[..], &[words]].concat());
    assert_eq!(ana.run(&["grant", "recipient", "list"]).value()[0]["paired"], true);
    assert_eq!(elm.run(&["share", "pair", "list"]).value()[0]["words"], words);

    ana.id(&["participant", "add", "--alias", "Blue", "--language", "es"]);
    let give = ["grant", "give", "blue", "--category", "legal_name", "--purpose", "housing_application", "--yes"];
    let kept = ana.id(&give);
    ana.run(&["vault", "write", "blue", &kept, "--fact", "legal_name=Maria Gonzalez"]).value();
    assert_eq!(ana.run(&["share", "send", "blue", &kept, "--out", &packet]).code(), "share_grant_to_record");
    let grant = ana.id(&[&give[..], &["--to", "elm house"]].concat());
    assert_eq!(ana.run(&["share", "send", "blue", &grant, "--field", "phone", "--out", &packet]).code(), "grant_not_covered");
    assert_eq!(ana.run(&["share", "send", "blue", &grant, "--out", &packet]).code(), "not_confirmed");
    assert!(!std::path::Path::new(&packet).exists(), "nothing was sealed");
    // a place that cannot be written: nothing left, and nothing says that it did
    let taken = path("taken");
    std::fs::write(&taken, b"something else").unwrap();
    assert_eq!(ana.run(&["share", "send", "blue", &grant, "--out", &taken, "--yes"]).code(), "unreadable_file");
    assert!(
        ana.run(&["grant", "log", "blue"]).value().as_array().unwrap().is_empty() && std::fs::read(&taken).unwrap() == b"something else"
    );
    assert!(ana.run(&["share", "list"]).value().as_array().unwrap().is_empty());
    let sent = ana.run(&["share", "send", "blue", &grant, "--out", &packet, "--yes"]).value();
    assert_eq!((sent["bytes"].as_u64(), sent["plan"]["fields"][0].as_str()), (Some(8_192), Some("legal_name")));
    assert_eq!(std::fs::metadata(&packet).unwrap().len(), 8_192);

    // what they hold on somebody, in their language; and a receipt
    let told = ana.run(&["participant", "hold-on-me", "blue"]).value();
    assert_eq!((told["language"].as_str(), told["held"]["given"][0]["recipient"].as_str()), (Some("es"), Some("Elm House")));
    let told = ana.start(&["participant", "hold-on-me", "blue", "--lang", "en"]).end().out;
    assert!(told.contains("we gave your legal name to Elm House."), "{told}");
    let html = path("page.html");
    ana.run(&["participant", "hold-on-me", "blue", "--html", &html]).value();
    assert!(std::fs::read_to_string(&html).unwrap().starts_with("<!doctype html>"));
    ana.run(&["participant", "edit", "blue", "--recognition-word", "Green Door"]).value();
    for wrong in ["red door", ""] {
        let refused = ana.run(&["participant", "hold-on-me", "blue", "--word", wrong]);
        assert_eq!(refused.code(), "not_recognised");
    }
    assert_eq!(ana.run(&["participant", "hold-on-me", "blue"]).code(), "not_recognised");
    assert_eq!(ana.run(&["participant", "hold-on-me", "blue", "--word", "green  DOOR"]).value()["held"]["recognition_word"], true);
    let receipt = ana.run(&["grant", "receipt", "blue", &grant, "--agency", "Harbor team"]).value();
    assert_eq!(receipt["piiControllers"][0]["piiController"], "Harbor team");
    assert_eq!(ana.run(&["grant", "receipt", "blue", &grant, "--form", "fhir"]).value()["resourceType"], "Consent");

    // over there
    assert_eq!(ana.run(&["share", "open", &packet]).code(), "share_not_for_us");
    assert_eq!(elm.run(&["share", "open", &packet]).value()["facts"][0]["value"], "Maria Gonzalez");
    elm.id(&["participant", "add", "--alias", "Teal"]);
    let there = elm.run(&["share", "open", &packet, "--keep-with", "teal"]).value();
    let there = there["grant"].as_str().unwrap();
    assert_eq!(elm.run(&["vault", "show", "teal", there]).value()[0]["value"], "Maria Gonzalez");
    assert_eq!(elm.run(&["share", "open", &packet]).code(), "share_used");

    // taken back
    let share = sent["share"].as_str().unwrap();
    assert_eq!(ana.run(&["share", "ask-erase", share, "--out", &asked]).code(), "share_still_granted");
    let taken = ana.run(&["withdraw", "blue", "--act", "share", "--yes"]).value();
    assert_eq!(taken["to_ask"][0].as_str(), Some(share));
    assert_eq!(ana.run(&["share", "list"]).value()[0]["state"], "to_ask");
    ana.run(&["share", "ask-erase", share, "--out", &asked]).value();
    assert_eq!(elm.run(&["share", "open", &asked]).value()["kind"], "request");
    assert_eq!(elm.run(&["share", "answer", &asked, "--out", &answer]).code(), "not_confirmed");
    assert_eq!(elm.run(&["share", "answer", &asked, "--out", &answer, "--yes"]).value()["was_kept"], true);
    assert_eq!(elm.run(&["vault", "show", "teal", there]).code(), "grant_not_live");
    assert_eq!(ana.run(&["share", "open", &answer]).value()["kind"], "answer");
    assert_eq!(ana.run(&["share", "list"]).value()[0]["state"], "answered");
    let log = ana.run(&["grant", "log", "blue"]).value();
    let events: Vec<&str> = log.as_array().unwrap().iter().map(|line| line["event"].as_str().unwrap()).collect();
    for event in ["shared", "stopped", "erasure_asked", "erasure_answered"] {
        assert!(events.contains(&event), "{event}: {events:?}");
    }
    elm.run(&["share", "pair", "forget", "harbor team"]).value();
    assert!(elm.run(&["share", "pair", "list"]).value().as_array().unwrap().is_empty());
}

#[test]
fn two_phones_pair_by_three_words_or_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let (ana, elm) = (founded(folder.path(), "Ana"), founded(folder.path(), "Elm"));
    let show = ["--json", "share", "pair", "show", "--name", "Harbor team", "--typed"];
    let take = |code: &str, address: &str| {
        let to = ["share", "pair", "take", "--typed", "--address", address, code, "--name", "Elm House", "--class", "service"];
        ana.start(&[&["--json"][..], &to].concat())
    };
    // what cannot be the words spends no try, and other words spend it
    assert_eq!(take("apple", "127.0.0.1:9").end().code(), "share_code");
    let mut showing = elm.start(&show);
    let shown = showing.next();
    let address = shown["address"].as_str().unwrap();
    assert_eq!(take("abandon ability able", address).end().code(), "share_code");
    showing.end();
    // whoever typed other words has no offer; the pairing that nobody took is forgotten by hand, and shown anew
    elm.run(&["share", "pair", "forget", "harbor team"]).value();
    let mut showing = elm.start(&show);
    let shown = showing.next();
    let (code, address) = (shown["code"].as_str().unwrap(), shown["address"].as_str().unwrap());
    assert_eq!(code.split(' ').count(), 3);
    let mut taking = take(&code.to_uppercase(), address);
    let words = showing.next()["words"].clone();
    assert_eq!(taking.next()["words"], words, "both phones show the same six words");
    taking.say("yes");
    assert_eq!((taking.end().status, showing.end().status), (0, 0));
    assert_eq!(ana.run(&["grant", "recipient", "list"]).value()[0]["paired"], true);
    assert_eq!(elm.run(&["share", "pair", "list"]).value()[0]["words"], words);
    // two people who do not see the same words pair nothing
    let ben = founded(folder.path(), "Ben");
    let mut showing = elm.start(&["--json", "share", "pair", "show", "--name", "Other team", "--typed"]);
    let shown = showing.next();
    let to =
        ["--json", "share", "pair", "take", "--typed", "--address", shown["address"].as_str().unwrap(), shown["code"].as_str().unwrap()];
    let mut taking = ben.start(&[&to[..], &["--name", "Elm House", "--class", "service"]].concat());
    taking.next();
    taking.say("no");
    assert_eq!(taking.end().code(), "not_confirmed");
    assert_eq!(showing.end().status, 0);
    assert!(ben.run(&["grant", "recipient", "list"]).value().as_array().unwrap().is_empty());
    // as a picture: what it holds is read by another program in `qr.rs`
    let picture = elm.start(&["share", "pair", "show", "--name", "Third team", "--qr"]).end().out;
    assert!(picture.lines().count() > 60 && picture.contains("Both phones show: "), "{} lines", picture.lines().count());
}
