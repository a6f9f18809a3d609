//! A complaint's whole way, through the door that apps use: to the board alone, and back to whoever holds the code.

#![allow(clippy::unwrap_used)]

mod common;

use common::{failure, found, join, meet, refusal};
use satchel_core::complaint::{Category, Progress};
use satchel_core::team::Role;
use satchel_ffi::{Bulletin, CharterChange, ComplaintDraft, ReceiptCode, Unlocked};
use std::sync::Arc;

const WORDS: &str = "Officer Doe, badge 4411, took my tent.";

fn draft(category: Category, text: &str) -> ComplaintDraft {
    ComplaintDraft { category, text: text.into(), reply: Some("at the drop-in".into()) }
}

fn enter(keys: &satchel_ffi::BoardKeys) -> CharterChange {
    CharterChange {
        encounter_days: None,
        zone_days: None,
        participant_days: None,
        last_day: None,
        absence_limit_days: None,
        suppression: None,
        board_key: Some(keys.receiving.clone()),
        board_signing: Some(keys.signing.clone()),
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

/// Ana and Ben, and a board that has published for the first time.
fn team(folder: &std::path::Path) -> (Arc<Unlocked>, Arc<Unlocked>, Arc<Unlocked>) {
    let ana = found(folder, "Ana");
    let ben = join(folder, &ana, "Ben", Role::Worker);
    let board = join(folder, &ana, "Board", Role::Board);
    assert_eq!(failure(board.board_keys()), refusal("Sync", "board_no_keys", "meet_colleague"));
    let keys = board.board_set_up(false).unwrap();
    assert_eq!(failure(board.board_publish(30)).0, "Refused", "a steward has not entered the keys");
    assert!(!ana.change_charter(enter(&keys)).unwrap().waits_for_board);
    meet(&ana, &board);
    board.board_publish(30).unwrap();
    meet(&board, &ana);
    meet(&ana, &ben);
    assert_eq!(ben.board_status().unwrap().words, Some(keys.words));
    (ana, ben, board)
}

/// Which of the boxes goes along with a meeting is drawn, and most hold nothing.
fn bring(from: &Unlocked, board: &Unlocked, lines: usize) {
    for _ in 0..300 {
        if board.board_book().unwrap().lines.len() == lines {
            return;
        }
        meet(from, board);
    }
    panic!("the board has {} lines, and not {lines}", board.board_book().unwrap().lines.len());
}

#[test]
fn what_is_said_to_the_board_is_read_there_and_answered_to_whoever_holds_the_code() {
    let folder = tempfile::tempdir().unwrap();
    let (ana, ben, board) = team(folder.path());
    let code = ben.complain(draft(Category::PoliceMisconduct, WORDS)).unwrap();
    bring(&ben, &board, 1);
    let line = board.board_book().unwrap().lines.remove(0);
    assert_eq!((line.category, line.progress, line.has_reply), (Category::PoliceMisconduct, Progress::Received, true));
    let complaint = board.board_read(&line.id.to_uppercase()).unwrap();
    assert_eq!((complaint.text.as_str(), complaint.reply.as_deref()), (WORDS, Some("at the drop-in")), "no guard reads it");
    assert_eq!(format!("{complaint}"), "Complaint(..)");
    board.board_answer(&line.id, "We wrote to the chief.").unwrap();
    let counts = board.board_counts().unwrap();
    assert!(counts.total.is_none() && counts.categories.iter().all(|count| count.count.is_none()), "one is too few to be told");

    let published = board.board_publish(14).unwrap();
    let typed = code.text();
    let spaced = [b" ".as_slice(), &typed.to_ascii_uppercase()].concat();
    let read = ReceiptCode::read(spaced).unwrap();
    let from_file = Bulletin::from_file(published.to_file()).unwrap();
    assert_eq!(from_file.days(), published.days());
    assert_eq!(from_file.days().due, from_file.days().day.plus(14));
    let status = from_file.look_up(&read).unwrap();
    assert_eq!((status.progress, status.answer.as_deref()), (Some(Progress::Answered), Some("We wrote to the chief.")));
    meet(&board, &ben);
    assert_eq!(ben.bulletins().unwrap().last().unwrap().look_up(&code).unwrap().progress, Some(Progress::Answered));

    board.board_close(&line.id).unwrap();
    assert_eq!(failure(board.board_read(&line.id)).1, "complaint_closed");
    let closed = board.board_publish(30).unwrap().look_up(&read).unwrap();
    assert_eq!(closed.progress, Some(Progress::Closed));
    for phone in [&ana, &ben] {
        assert_eq!(failure(phone.board_book()).0, "Refused");
        assert_eq!(failure(phone.board_read(&line.id)).0, "Refused");
        assert_eq!(failure(phone.board_publish(30)).0, "Refused");
        assert_eq!(failure(phone.board_counts()).0, "Refused");
    }
}

#[test]
fn what_no_board_can_take_or_has_signed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_, ben, board) = team(folder.path());
    assert_eq!(failure(ben.complain(draft(Category::Other, "  "))).1, "complaint_empty");
    assert_eq!(failure(ben.complain(draft(Category::Other, &"x".repeat(2_001)))).1, "complaint_too_long");
    let code = ben.complain(ComplaintDraft { category: Category::FeltPressured, text: String::new(), reply: None }).unwrap();
    bring(&ben, &board, 1);
    let id = board.board_book().unwrap().lines[0].id.clone();
    assert_eq!(failure(board.board_answer(&id, &"x".repeat(501))).0, "InvalidInput");
    for unknown in ["", "aaaaaaaa", "not an id", &"a".repeat(1 << 20)] {
        assert_eq!(failure(board.board_read(unknown)).0, "NotFound");
        assert_eq!(failure(board.board_close(unknown)).0, "NotFound");
    }
    for (asked, taken) in [(0, 1), (32, 31), (u16::MAX, 31)] {
        let days = board.board_publish(asked).unwrap().days();
        assert_eq!(days.due, days.day.plus(taken), "a board cannot promise to say nothing for longer than a month");
    }
    for typed in [Vec::new(), vec![0xFF; 24], b"aaaa aaaa aaaa aaaa aaaa aaaa".to_vec(), vec![b'a'; 1 << 20]] {
        assert_eq!(failure(ReceiptCode::read(typed)), refusal("InvalidInput", "receipt_code", "correct_input"));
    }
    let file = board.board_publish(30).unwrap().to_file();
    let middle = file.len() / 2;
    let mut altered = file.clone();
    altered[middle] = if altered[middle] == b'a' { b'b' } else { b'a' };
    for wrong in [altered, file[..middle].to_vec(), Vec::new()] {
        assert_eq!(failure(Bulletin::from_file(wrong)).1, "bulletin_refused");
    }
    assert!(Bulletin::from_file(file).unwrap().look_up(&code).unwrap().progress.is_some(), "control");
}
