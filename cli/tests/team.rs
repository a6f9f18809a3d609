//! Who belongs, what is erased, what is carried by hand: the verbs, their questions, their refusals.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::{Phone, Talking};

/// Somebody joins by typed words.
fn joined(host: &Phone, folder: &std::path::Path, place: &str, name: &str, role: &str) -> Phone {
    let phone = Phone::new(folder, place);
    let mut inviting = host.start(&["--json", "invite", "--role", role]);
    let invitation = inviting.next()["invitation"].as_str().unwrap().to_owned();
    let mut joining = phone.start(&["--json", "join", &invitation, "--name", name]);
    assert_eq!(inviting.next()["words"], joining.next()["words"]);
    inviting.say("yes");
    joining.say("yes");
    assert_eq!((inviting.end().status, joining.end().status), (0, 0));
    phone
}

fn meet(listener: &Phone, dialer: &Phone) {
    let mut listening = listener.start(&["--json", "peer", "listen"]);
    let address = listening.next()["listening"].as_str().unwrap().to_owned();
    dialer.run(&["peer", "dial", &address]).value();
    assert_eq!(listening.end().status, 0);
}

fn device_of(phone: &Phone, name: &str) -> String {
    let members = phone.run(&["member", "list"]).value();
    let line = members.as_array().unwrap().iter().find(|line| line["name"] == name && line["standing"] == "active");
    line.unwrap_or_else(|| panic!("{members}"))["id"].as_str().unwrap().to_owned()
}

/// The plan, an answer, and the end.
fn answered(mut talking: Talking, answer: &str) -> (Value, support::Ended) {
    let plan = talking.next();
    talking.say(answer);
    (plan, talking.end())
}

#[test]
fn a_phone_is_removed_in_two_steps_and_only_by_whom_it_concerns() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    let ben = joined(&ana, folder.path(), "ben", "Ben", "worker");
    meet(&ana, &ben);
    let device = device_of(&ana, "Ben");
    let anas = device_of(&ben, "Ana");

    let (plan, ended) = answered(ana.start(&["--json", "member", "remove", &device]), "no");
    assert_eq!((plan["name"].as_str(), plan["last_of_member"].as_bool()), (Some("Ben"), Some(true)));
    assert_eq!((ended.status, ended.code().as_str()), (4, "not_confirmed"));
    assert_eq!(device_of(&ana, "Ben"), device, "nothing happened");
    let spoken = ana.start(&["member", "remove", &device]).end();
    assert!(spoken.out.contains("of Ben, last heard from on") && spoken.out.contains("What follows"), "{}", spoken.out);

    for (arguments, status, code) in [
        (&["member", "remove", anas.as_str()][..], 9, "role"),
        (&["member", "remove", "Ana", "--yes"], 9, "role"),
        (&["member", "suspend", "Ana", "--yes"], 9, "role"),
        (&["member", "role", "Ana", "worker"], 9, "role"),
        (&["member", "reinstate", "Ana"], 9, "role"),
        (&["member", "resume", anas.as_str(), "--yes"], 9, "role"),
        (&["member", "adopt", "body_aaaa"], 9, "role"),
        (&["member", "remove", "Nobody"], 8, "no_match"),
        (&["member", "sign", "op_aaaa"], 8, "no_match"),
    ] {
        let refused = ben.run(arguments);
        assert_eq!((refused.status, refused.code().as_str()), (status, code), "{arguments:?} {}", refused.error);
    }
    assert_eq!(ana.run(&["member", "remove", &device_of(&ana, "Ana"), "--yes"]).code(), "role", "not the phone in hand");

    let removed = ana.run(&["member", "remove", &device, "--yes"]).value();
    assert_eq!(removed["waits_for_second_signature"], false);
    let list = ana.run(&["member", "list"]).value();
    let line = list.as_array().unwrap().iter().find(|line| line["id"] == device.as_str()).unwrap();
    assert_eq!(line["standing"], "removed");
    let mut listening = ana.start(&["--json", "peer", "listen"]);
    let address = listening.next()["listening"].as_str().unwrap().to_owned();
    assert_ne!(ben.run(&["peer", "dial", &address]).status, 0);
    listening.end();
    assert_eq!(ana.run(&["member", "remove", &device, "--yes"]).code(), "no_such_record", "it is removed already");
}

#[test]
fn a_steward_goes_only_with_a_second_signature() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    let ben = joined(&ana, folder.path(), "ben", "Ben", "worker");
    let cleo = joined(&ana, folder.path(), "cleo", "Cleo", "steward");
    for phone in [&ben, &cleo] {
        meet(&ana, phone);
    }
    assert_eq!(ana.run(&["member", "suspend", "Ben", "--yes"]).value()["waits_for_second_signature"], false);
    let standing = |name: &str| {
        let members = ana.run(&["member", "list"]).value();
        members.as_array().unwrap().iter().find(|line| line["name"] == name).unwrap()["standing"].as_str().unwrap().to_owned()
    };
    assert_eq!(standing("Ben"), "suspended");
    ana.run(&["member", "reinstate", "Ben"]).value();
    assert_eq!(standing("Ben"), "active");
    ana.run(&["member", "role", "Ben", "steward"]).value();
    let removed = ana.run(&["member", "remove", "Ben", "--yes"]).value();
    assert_eq!((removed["waits_for_second_signature"].as_bool(), standing("Ben").as_str()), (Some(true), "suspended"));
    let waiting = ana.run(&["member", "waiting"]).value();
    let operation = waiting["operations"][0]["operation"].as_str().unwrap().to_owned();
    assert_eq!(
        (waiting["operations"][0]["needs"].as_str(), waiting["operations"][0]["may_sign"].as_bool()),
        (Some("removal"), Some(false))
    );
    assert_eq!(ana.run(&["member", "sign", &operation]).code(), "role", "not one's own");
    assert_eq!(ana.run(&["doctor"]).value()["waiting_signatures"], 1);
    meet(&ana, &cleo);
    cleo.run(&["member", "sign", &operation[..12]]).value();
    meet(&ana, &cleo);
    assert_eq!(standing("Ben"), "removed");
    assert_eq!(ana.run(&["member", "adopt", "--from", &device_of(&ana, "Cleo")]).code(), "no_match", "nothing of hers waits");
}

#[test]
fn somebody_is_forgotten_and_the_receipt_says_who_is_awaited() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    ana.id(&["participant", "add", "--alias", "Blue"]);
    ana.id(&["encounter", "add", "--participant", "Blue"]);
    let kept = ana.id(&["participant", "add", "--alias", "Red"]);
    let ben = joined(&ana, folder.path(), "ben", "Ben", "worker");
    meet(&ana, &ben);

    let (plan, ended) = answered(ana.start(&["--json", "erase", "participant", "Blue"]), "no");
    assert_eq!((plan["encounters"].as_u64(), ended.code().as_str()), (Some(1), "not_erased"));
    assert_eq!(ana.run(&["participant", "list"]).value().as_array().unwrap().len(), 2);
    assert_eq!(ana.run(&["erase", "participant", "Nobody"]).code(), "no_match");
    assert_eq!(ana.run(&["erase", "receipt", "op_aaaa"]).status, 8);
    assert_eq!(ana.run(&["erase", "category", "Red", "shoe_size"]).status, 2);
    assert_eq!(ana.run(&["erase", "history", &kept, "--yes"]).status, 4, "other records point to a file");

    let receipt = ana.run(&["erase", "participant", "Blue", "--yes"]).value();
    let id = receipt["id"].as_str().unwrap().to_owned();
    assert_eq!((receipt["settled"].as_bool(), receipt["awaited"].as_array().unwrap().len()), (Some(false), 1));
    assert_eq!(receipt["key_replacement"], "done");
    let spoken = ana.start(&["erase", "receipt", &id]).end().out;
    assert!(spoken.contains("awaited:   Ben's phone") && spoken.contains("does not promise"), "{spoken}");
    assert_eq!(ana.run(&["doctor"]).value()["unsettled_erasures"][0], id.as_str());
    meet(&ana, &ben);
    meet(&ana, &ben);
    assert_eq!(ben.run(&["participant", "show", "Blue"]).status, 8);
    assert_eq!(ben.run(&["participant", "show", "Red"]).status, 0, "nobody else is forgotten");
    let receipt = ana.run(&["erase", "receipt", &id[..12]]).value();
    assert_eq!((receipt["settled"].as_bool(), receipt["confirmed"].as_array().unwrap().len()), (Some(true), 2));
    assert!(receipt["settled_since"].is_string());
    assert!(ana.start(&["erase", "list"]).end().out.contains("settled since"));
    assert_eq!(ana.run(&["doctor"]).value()["unsettled_erasures"].as_array().unwrap().len(), 0);

    let (_, ended) = answered(ana.start(&["--json", "erase", "team"]), "yes");
    assert_eq!(ended.code(), "not_erased", "the word is ERASE");
    let team = ana.run(&["erase", "team", "--yes"]).value();
    assert_eq!(team["waits_for_second_signature"], true);
    assert_eq!(ana.run(&["participant", "show", "Red"]).status, 0, "one signature erases no team");
}

#[test]
fn one_record_goes_and_a_promise_loses_its_past() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    ana.id(&["participant", "add", "--alias", "Blue"]);
    let meeting = ana.id(&["encounter", "add", "--participant", "Blue"]);
    let promise = ana.id(&["follow-up", "add", "--participant", "Blue", "--what", "bring a tent"]);
    ana.run(&["follow-up", "done", &promise]).value();
    assert_eq!(ana.run(&["erase", "history", &promise, "--yes"]).value()["what"], "history");
    let promises = ana.run(&["follow-up", "list"]).value();
    assert_eq!((promises[0]["what"].as_str(), promises[0]["state"].as_str()), (Some("bring a tent"), Some("done")));
    assert_ne!(promises[0]["id"], promise.as_str());
    let receipt = ana.run(&["erase", "record", &meeting, "--yes"]).value();
    assert_eq!((receipt["what"].as_str(), receipt["settled"].as_bool()), (Some("records"), Some(true)));
    assert_eq!(ana.run(&["encounter", "show", &meeting]).status, 8);
    assert_eq!(ana.run(&["participant", "show", "Blue"]).status, 0);
}

#[test]
fn a_pack_is_carried_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    let ben = joined(&ana, folder.path(), "ben", "Ben", "worker");
    meet(&ana, &ben);
    ana.id(&["participant", "add", "--alias", "Blue"]);
    let path = folder.path().join("pack");
    let file = path.to_str().unwrap();
    assert!(ana.run(&["pack", "write", file]).value()["bytes"].as_u64().unwrap() > 1_000);
    assert_eq!(ana.run(&["pack", "write", file]).code(), "unreadable_file", "a file that exists is left alone");
    assert!(!String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains("Blue"));
    assert_eq!(ben.run(&["participant", "show", "Blue"]).status, 8);
    let read = ben.run(&["pack", "read", file]).value();
    assert_eq!(read["complete"], true);
    assert_eq!(ben.run(&["participant", "show", "Blue"]).value()["alias"], "Blue");
    assert_eq!(ben.run(&["pack", "read", file]).value()["applied"], 0, "twice does no harm");

    let stranger = Phone::new(folder.path(), "stranger");
    stranger.run(&["init", "--name", "S", "--time-zone", "UTC"]).value();
    assert_eq!(stranger.run(&["pack", "read", file]).code(), "pack_unknown");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(ben.run(&["pack", "read", file]).code(), "pack_damaged");
    std::fs::write(&path, b"").unwrap();
    assert_eq!(ben.run(&["pack", "read", file]).code(), "pack_damaged");
    assert_eq!(ben.run(&["pack", "read", "/nonexistent"]).code(), "unreadable_file");
}

#[test]
fn the_doctor_tells_the_key_state_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    let health = ana.run(&["doctor"]).value();
    assert_eq!((health["turn"].as_u64(), health["turns"][0]["why"].as_str()), (Some(1), Some("in_use")));
    assert_eq!((health["turn_age_days"].as_u64(), health["recovery"]["recovery"].as_str()), (Some(0), Some("no_board")));
    assert!(health["next_turn"].is_string() && health["last_day"].is_string());
    let spoken = ana.start(&["doctor"]).end().out;
    for words in
        ["turn 1, 0 days old, in use", "the next one is due on", "Losing all phones loses the data", "reseat key", "the team's last day is"]
    {
        assert!(spoken.contains(words), "{words}: {spoken}");
    }
}

#[test]
fn what_is_over_is_let_go_at_the_next_unlock_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    let meeting = ana.id(&["encounter", "add"]);
    let now = std::process::Command::new("date").arg("+%s").output().unwrap();
    let now: u64 = String::from_utf8(now.stdout).unwrap().trim().parse().unwrap();
    let later = (now + 100 * 86_400).to_string();
    let doubtful = ana.run(&["--clock", &later, "list"]);
    assert!(doubtful.error.contains("\"date_in_doubt\":true") && doubtful.error.contains("\"destroyed\":0"), "{}", doubtful.error);
    ana.run(&["--clock", &later, "doctor", "--confirm-date"]).value();
    let tended = ana.run(&["--clock", &later, "list"]);
    assert!(tended.error.contains("\"destroyed\":1"), "{}", tended.error);
    assert!(!ana.run(&["--clock", &later, "list"]).error.contains("tended"), "once");
    assert_eq!(ana.run(&["--clock", &later, "encounter", "show", &meeting]).status, 8);
}
