//! Complaints, board and charter with the real program: what is asked, what is refused, what is read without a store.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use support::{Ended, Phone, run_bare};

fn joined(host: &Phone, folder: &Path, place: &str, name: &str, role: &str) -> Phone {
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

fn with_input(phone: &Phone, arguments: &[&str], input: &str) -> Ended {
    let mut talking = phone.start(&[&["--json"], arguments].concat());
    talking.say(input);
    talking.end()
}

#[test]
fn a_complaint_from_the_terminal_to_the_board_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let ana = Phone::founded(folder.path());
    let board = joined(&ana, folder.path(), "board", "Board", "board");
    meet(&ana, &board);
    let none = with_input(&ana, &["complaint", "write", "--category", "extortion"], "He took my money");
    assert_eq!((none.status, none.code().as_str()), (4, "no_board"));
    assert!(none.error.contains("No board yet"));
    assert_eq!(ana.run(&["complaint", "status"]).value()["complaints_offered"], false);
    assert_eq!(ana.run(&["board", "set-up", &file("x")]).code(), "role");
    assert!(!Path::new(&file("x")).exists(), "no empty file is left");

    let words = board.run(&["board", "set-up", &file("keys")]).value()["board_words"].clone();
    assert_eq!(board.run(&["board", "bulletin", &file("early")]).code(), "board_not_in_charter");
    assert_eq!(board.run(&["board", "set-up", &file("again")]).code(), "board_set_up");
    std::fs::write(file("noise"), "not keys").unwrap();
    assert_eq!(ana.run(&["charter", "set", "--board-keys", &file("noise")]).status, 2);
    let set = ana.run(&["charter", "set", "--board-keys", &file("keys"), "--no-funders", "--no-agreements"]).value();
    assert_eq!((&set["board_words"], set["waits_for_board"].as_bool()), (&words, Some(false)));
    meet(&ana, &board);
    board.run(&["board", "bulletin", &file("first")]).value();
    meet(&board, &ana);
    assert_eq!(ana.run(&["complaint", "status"]).value()["board_words"], words);

    let empty = with_input(&ana, &["complaint", "write", "--category", "extortion"], "  ");
    assert_eq!(empty.code(), "complaint_empty");
    let long = with_input(&ana, &["complaint", "write", "--category", "extortion"], &"x".repeat(2_100));
    assert_eq!(long.code(), "complaint_too_long");
    let written = with_input(&ana, &["complaint", "write", "--category", "police_misconduct"], "Officer Kent, badge 4411").value();
    let code = written["receipt"].as_str().unwrap().to_owned();
    ana.run(&["complaint", "pressured"]).value();
    for _ in 0..30 {
        ana.run(&["encounter", "add"]).value();
        meet(&ana, &board);
        if board.run(&["board", "list"]).value()["complaints"].as_array().unwrap().len() == 2 {
            break;
        }
    }
    let book = board.run(&["board", "list"]).value();
    let lines = book["complaints"].as_array().unwrap();
    let line = lines.iter().find(|line| line["category"] == "police_misconduct").unwrap_or_else(|| panic!("{book}"));
    assert!(lines.iter().any(|line| line["category"] == "felt_pressured"));
    let id = line["id"].as_str().unwrap();
    assert_eq!(board.run(&["board", "read", id]).value()["text"], "Officer Kent, badge 4411");
    with_input(&board, &["board", "answer", id], "We asked the oversight office.").value();
    assert_eq!(board.run(&["board", "counts"]).value()["total"], serde_json::Value::Null, "two are too few to be told");
    board.run(&["board", "bulletin", &file("second")]).value();
    // without a store, with the board's file
    let found = run_bare(&["--json", "complaint", "check", &code, &file("second")], b"").value();
    assert_eq!((found["progress"].as_str(), found["answer"].as_str()), (Some("answered"), Some("We asked the oversight office.")));
    assert_eq!(found["board_words"], words);
    let spoken = run_bare(&["complaint", "check", &code, &file("first")], b"");
    assert!(spoken.out.contains("The board has not seen this complaint"), "{}", spoken.out);
    assert_eq!(run_bare(&["--json", "complaint", "check", "aaaa-bbbb", &file("first")], b"").code(), "receipt_code");
    assert_eq!(run_bare(&["--json", "complaint", "check", &code, &file("keys")], b"").code(), "bulletin_refused");
    assert_eq!(with_input(&board, &["board", "close", id], "no").code(), "not_confirmed");
    board.run(&["board", "close", id, "--yes"]).value();
    assert_eq!(board.run(&["board", "read", id]).code(), "complaint_closed");
    assert_eq!(ana.run(&["board", "list"]).code(), "role");
}

#[test]
fn the_charter_is_shown_changed_and_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let ana = Phone::founded(folder.path());
    let page = ana.start(&["charter", "show"]).end().out;
    assert!(page.contains("There is no board yet.") && page.contains("We have not yet said who pays us."), "{page}");
    assert!(ana.start(&["charter", "show", "--language", "es", "--html"]).end().out.contains("<html lang=\"es\">"));
    let set = ana.run(&["charter", "set", "--encounter-days", "30", "--no-agreements"]).value();
    assert_eq!(set["waits_for_board"], false);
    // money, agreements and longer terms wait for the board
    for loosened in [&["--encounter-days", "60"][..], &["--funder", "county health department"], &["--agreement", "police=monthly numbers"]]
    {
        let set = ana.run(&[&["charter", "set"], loosened].concat()).value();
        assert_eq!(set["waits_for_board"], true, "{loosened:?}");
    }
    let page = ana.start(&["charter", "show"]).end().out;
    assert!(page.contains("for 30 days at most") && page.contains("We have no deal with police."), "{page}");
    // a line that names somebody passes no guard
    assert_eq!(ana.run(&["charter", "set", "--agreement", "police=call Officer Kent at 555-201-4411"]).code(), "text_unresolved");
    assert_eq!(ana.run(&["charter", "set", "--agreement", "church=none"]).status, 2);
    assert_eq!(ana.run(&["charter", "set", "--suppression", "4"]).code(), "charter_out_of_bounds");
    assert_eq!(ana.run(&["charter", "set"]).status, 2);
    let history = ana.run(&["charter", "history"]).value();
    let events = history.as_array().unwrap();
    assert_eq!(events.len(), 5);
    assert_eq!(events[1]["changes"][0]["setting"], "encounter_days");
    assert_eq!((events[1]["changes"][0]["before"].as_str(), events[1]["changes"][0]["after"].as_str()), (Some("90"), Some("30")));
    assert_eq!(events.iter().filter(|event| event["waits_for_board"] == true).count(), 3);
    let map = run_data_map();
    assert!(map.contains("recognition_word") && !map.contains("photo"));
    let doctor = ana.run(&["doctor"]).value();
    assert_eq!((doctor["review_overdue"].as_bool(), doctor["board"]["complaints_offered"].as_bool()), (Some(false), Some(false)));
}

fn run_data_map() -> String {
    run_bare(&["--json", "charter", "data-map"], b"").value().to_string()
}
