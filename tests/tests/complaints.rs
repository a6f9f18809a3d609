//! Complaints open for the board alone; nobody can tell who wrote one, or whether one was written; what is kept back shows.

#![allow(clippy::unwrap_used)]

use satchel_core::complaint::{self, COMPLAINT_BOX_BYTES, Category, ComplaintDraft, ComplaintError, Progress, ReceiptCode, check};
use satchel_core::crypto::{CommonsSecret, ReceivingKey, RecordsSecret, SigningKey};
use satchel_core::error::Error;
use satchel_core::store::{BoardKeys, CharterChange, LootClass};
use satchel_core::team::Role;
use satchel_core::team::notice::Notice;
use satchel_core::team::operation::{Action, Operation};
use satchel_tests::attacker::{Attacker, feed};
use satchel_tests::scene;
use satchel_tests::team::{Hub, Phone, found, join, meet};
use satchel_wire::frame::{Endpoint, Frame, Push, Signed};
use satchel_wire::row::{Lane, Row};
use std::collections::BTreeMap;
use std::path::Path;

const START: u64 = 1_795_377_600;
const DAY: i64 = 86_400;
const TEXT: &str = "Officer Kent, badge 4411, took my money and my tent on 5th.";

const fn draft(text: &str) -> ComplaintDraft<'_> {
    ComplaintDraft { category: Category::Extortion, text, reply: None }
}

/// The text of what was refused.
fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> ComplaintError {
    match result.unwrap_err() {
        Error::Complaint(error) => error,
        other => panic!("{other:?}"),
    }
}

struct Story {
    folder: tempfile::TempDir,
    hub: Hub,
    ana: Phone,
    ben: Phone,
    board: Phone,
}

fn enter(steward: &Phone, keys: &BoardKeys) -> bool {
    let change = CharterChange { board_key: Some(keys.receiving.clone()), board_signing: Some(keys.signing), ..CharterChange::default() };
    steward.unlocked.change_charter(&change).unwrap().waits_for_board
}

impl Story {
    fn begin(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (hub, address) = Hub::new(folder.path(), START);
        let ana = found(folder.path(), seed, "ana", START);
        ana.unlocked.set_relay(&address).unwrap();
        hub.exchange(&ana).unwrap();
        let ben = join(folder.path(), seed, "ben", START, &ana, Role::Worker);
        let board = join(folder.path(), seed, "board", START, &ana, Role::Board);
        let story = Self { folder, hub, ana, ben, board };
        story.exchange();
        story
    }

    /// With a board that has published its first bulletin.
    fn new(seed: u64) -> Self {
        let story = Self::begin(seed);
        let keys = story.board.unlocked.board_set_up(false).unwrap();
        assert!(!enter(&story.ana, &keys));
        story.exchange();
        story.board.unlocked.board_publish(30).unwrap();
        story.exchange();
        story
    }

    fn exchange(&self) {
        for phone in [&self.ana, &self.ben, &self.board, &self.ana, &self.ben, &self.board] {
            self.hub.exchange(phone).unwrap();
        }
    }

    fn pass(&self, days: i64) {
        for phone in [&self.ana, &self.ben, &self.board] {
            phone.clock.advance(days * DAY);
        }
        self.hub.clock.advance(days * DAY);
    }

    /// Days on each of which every phone meets the relay.
    fn live(&self, days: usize) {
        for _ in 0..days {
            self.pass(1);
            self.exchange();
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Commons secrets of every turn that a phone holds.
fn commons(phone: &Phone) -> Vec<CommonsSecret> {
    let loot = phone.unlocked.dangerous_loot().unwrap();
    let secret = |(class, bytes): &(LootClass, [u8; 32])| match class {
        LootClass::Turn => Some(RecordsSecret::from_slice(bytes).unwrap().derive_commons()),
        LootClass::Commons => Some(CommonsSecret::from_slice(bytes).unwrap()),
        _ => None,
    };
    loot.secrets.iter().filter_map(secret).collect()
}

/// Notices that passed the relay since the traffic was last cleared, with the row of each, as a member opens them.
fn notices(story: &Story, member: &Phone) -> Vec<(Row, Notice)> {
    let team = member.unlocked.dangerous_loot().unwrap().team;
    let keys = commons(member);
    let mut found = Vec::new();
    for (endpoint, request, _) in story.hub.traffic.lock().unwrap().iter() {
        if *endpoint == Endpoint::Push {
            let rows = Push::from_bytes(&Signed::from_bytes(request).unwrap().body).unwrap().rows;
            for row in rows.into_iter().filter(|row| row.lane() == Lane::Commons) {
                found.extend(keys.iter().find_map(|key| Notice::open(team, key, &row).ok()).map(|notice| (row, notice)));
            }
        }
    }
    found
}

fn boxes(story: &Story, member: &Phone) -> Vec<Vec<u8>> {
    notices(story, member).into_iter().filter_map(|(_, notice)| notice.complaint.map(Into::into)).collect()
}

fn only_id(board: &Phone) -> [u8; 5] {
    let (lines, _) = board.unlocked.board_book().unwrap();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0].id
}

#[test]
fn a_complaint_is_read_answered_and_closed() {
    let story = Story::begin(1);
    let Story { ana, ben, board, .. } = &story;
    // without a board it is not offered, and refused by name
    assert_eq!(refused(ben.unlocked.complain(&draft(TEXT))), ComplaintError::NoBoard);
    assert!(!ben.unlocked.board_status().unwrap().is_offered);
    assert_eq!(ana.unlocked.board_set_up(false).unwrap_err(), Error::Role);
    let keys = board.unlocked.board_set_up(false).unwrap();
    assert_eq!(refused(board.unlocked.board_set_up(false)), ComplaintError::SetUp);
    assert_eq!(refused(board.unlocked.board_publish(30)), ComplaintError::NotInCharter);
    assert!(!enter(ana, &keys), "a first board needs nobody's signature");
    story.exchange();
    // a steward who entered a key for complaints of their own gets none: the board's signature has to confirm it
    assert_eq!(refused(ben.unlocked.complain(&draft(TEXT))), ComplaintError::NoBoard);
    let first = board.unlocked.board_publish(30).unwrap();
    assert_eq!((first.number(), first.receiving()), (1, keys.receiving.as_slice()));
    story.exchange();
    let status = ben.unlocked.board_status().unwrap();
    assert_eq!((status.words, status.is_offered, status.overdue_since), (Some(keys.words()), true, None));

    let code = ben.unlocked.complain(&ComplaintDraft { reply: Some("the drop-in, Tuesdays"), ..draft(TEXT) }).unwrap();
    let code = ReceiptCode::from_text(&code.to_text()).unwrap();
    story.live(9);
    let id = only_id(board);
    let complaint = board.unlocked.board_read(id).unwrap();
    assert_eq!((complaint.text.as_str(), complaint.category), (TEXT, Category::Extortion));
    assert_eq!(complaint.reply.as_deref(), Some("the drop-in, Tuesdays"));
    board.unlocked.board_answer(id, "We wrote to the oversight office.").unwrap();
    board.unlocked.board_publish(30).unwrap();
    story.exchange();
    let seen = |phone: &Phone| check(&code, phone.unlocked.bulletins().unwrap().last().unwrap()).unwrap();
    let found = seen(ana);
    assert_eq!((found.progress, found.answer.as_deref()), (Some(Progress::Answered), Some("We wrote to the oversight office.")));
    board.unlocked.board_close(id).unwrap();
    assert_eq!(refused(board.unlocked.board_read(id)), ComplaintError::Closed);
    assert_eq!(refused(board.unlocked.board_answer(id, "more")), ComplaintError::Closed);
    assert_eq!(refused(board.unlocked.board_read([0; 5])), ComplaintError::Unknown);
    board.unlocked.board_publish(5).unwrap();
    story.exchange();
    assert_eq!(seen(ben).progress, Some(Progress::Closed));
    // what others may not: they hold no keys
    for phone in [ana, ben] {
        assert_eq!(phone.unlocked.board_book().unwrap_err(), Error::Role);
        assert_eq!(phone.unlocked.board_publish(30).unwrap_err(), Error::Role);
    }
    // when the next one is due and does not come, every phone says so
    story.live(5);
    assert!(ben.unlocked.board_status().unwrap().overdue_since.is_none());
    story.live(1);
    for phone in [ana, ben, board] {
        assert!(phone.unlocked.board_status().unwrap().overdue_since.is_some(), "{}", phone.name);
    }
}

#[test]
fn every_other_key_opens_nothing() {
    let story = Story::new(2);
    let Story { ana, ben, board, hub, .. } = &story;
    hub.traffic.lock().unwrap().clear();
    ben.unlocked.complain(&draft(TEXT)).unwrap();
    // the wait is drawn: nine of ten leave within five days, one of a hundred after a fortnight
    for days in 0..60 {
        story.live(1);
        if days > 8 && !board.unlocked.board_book().unwrap().0.is_empty() {
            break;
        }
    }
    let sealed = boxes(&story, ana);
    assert!(sealed.len() >= 9, "{}", sealed.len());
    let team = ana.unlocked.dangerous_loot().unwrap().team;
    let opens = |phone: &Phone| -> Vec<String> {
        let loot = phone.unlocked.dangerous_loot().unwrap();
        // every secret that the phone has, whatever it is for, tried as a receiving key
        let secrets = loot.secrets.iter().map(|(_, secret)| *secret).chain(loot.records.iter().map(|record| record.key));
        let keys: Vec<ReceivingKey> = secrets.map(|secret| ReceivingKey::from_seed(&secret)).collect();
        let found = sealed.iter().flat_map(|sealed| keys.iter().find_map(|key| complaint::open(key, team, sealed)).flatten());
        found.map(|complaint| complaint.text.clone()).collect()
    };
    for phone in [ana, ben] {
        assert_eq!(opens(phone), Vec::<String>::new(), "{}", phone.name);
    }
    // control: the same search with the board's phone
    assert_eq!(opens(board), [TEXT]);
    // and no copy of its words is left in the phone's files, or at the relay
    for dir in [&ben.dir, &hub.dir] {
        for file in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
            let bytes = std::fs::read(&file).unwrap();
            assert!(!bytes.windows(12).any(|window| window == &TEXT.as_bytes()[..12]), "{file:?}");
        }
    }
}

/// How many complaint rows each phone pushed on each of some days.
fn pushed(story: &Story, days: usize) -> [Vec<usize>; 3] {
    let mut counts = [const { Vec::new() }; 3];
    for _ in 0..days {
        story.pass(1);
        for (at, phone) in [&story.ana, &story.ben, &story.board].into_iter().enumerate() {
            story.hub.traffic.lock().unwrap().clear();
            story.hub.exchange(phone).unwrap();
            story.hub.exchange(phone).unwrap();
            let rows: Vec<(Row, Notice)> =
                notices(story, &story.ana).into_iter().filter(|(_, notice)| notice.complaint.is_some()).collect();
            for (row, notice) in &rows {
                assert_eq!(row.as_bytes().len(), 4_096);
                assert_eq!(notice.complaint.as_ref().unwrap().len(), COMPLAINT_BOX_BYTES);
                // nothing beside it that somebody signed
                assert!(notice.operations.is_empty() && notice.frontiers.is_empty() && notice.asks.is_none());
            }
            counts[at].push(rows.len());
        }
    }
    counts
}

#[test]
fn whether_somebody_complained_shows_neither_in_number_nor_in_rhythm() {
    for complaints in [0, 4] {
        let story = Story::new(30 + complaints);
        story.live(4);
        for _ in 0..complaints {
            story.ben.unlocked.complain(&draft(TEXT)).unwrap();
        }
        for counts in pushed(&story, 36) {
            // at most one a day, never more than three days without one, whoever wrote what
            assert!(counts.iter().all(|count| *count <= 1), "{complaints}: {counts:?}");
            assert!(counts.windows(4).all(|days| days.iter().sum::<usize>() >= 1), "{complaints}: {counts:?}");
            let sum: usize = counts.iter().sum();
            assert!((12..=26).contains(&sum), "{complaints}: {sum} of 36 days");
        }
        story.exchange();
        assert_eq!(story.board.unlocked.board_book().unwrap().0.len(), complaints as usize, "all of them arrived");
    }
}

/// A phone that is opened: what waits on it is as good without a complaint as with one, whether or not it ever reached a relay.
#[test]
fn a_phone_that_is_opened_does_not_show_that_a_complaint_was_written() {
    let (mut without, mut with) = (BTreeMap::new(), BTreeMap::new());
    for seed in 0..48 {
        let folder = tempfile::tempdir().unwrap();
        let ana = found(folder.path(), 500 + seed, "ana", START);
        let board = join(folder.path(), 500 + seed, "board", START, &ana, Role::Board);
        let keys = board.unlocked.board_set_up(false).unwrap();
        enter(&ana, &keys);
        meet(&ana, &board);
        board.unlocked.board_publish(30).unwrap();
        meet(&board, &ana);
        ana.clock.advance(86_400);
        ana.unlocked.tend().unwrap();
        let days = ana.unlocked.dangerous_complaint_days().unwrap();
        *without.entry(days.len()).or_insert(0) += 1;
        ana.clock.advance(5 * 86_400);
        ana.unlocked.tend().unwrap();
        ana.unlocked.complain(&draft(TEXT)).unwrap();
        let days = ana.unlocked.dangerous_complaint_days().unwrap();
        *with.entry(days.len()).or_insert(0) += 1;
        let mut kinds = days.clone();
        kinds.dedup();
        // a fortnight may have begun in between: never more than two days, whatever was written when
        assert!(kinds.len() <= 2 && days.iter().all(|day| day.days().is_multiple_of(14)), "{days:?}");
    }
    // phones on which nobody wrote anything have none, one, two and three: no number proves a complaint
    assert!((0..=3).all(|count| without.contains_key(&count)), "{without:?}");
    assert!((1..=3).all(|count| with.contains_key(&count)), "{with:?}");
    assert!(!with.contains_key(&0), "control: the complaint does wait there");
}

#[test]
fn a_phone_that_is_full_says_so() {
    let story = Story::new(40);
    let accepted = (0..20).take_while(|_| story.ben.unlocked.complain(&draft(TEXT)).is_ok()).count();
    // beside those that hold nothing there is room for nine at least
    assert!((9..=16).contains(&accepted), "{accepted}");
    assert_eq!(refused(story.ben.unlocked.complain(&draft(TEXT))), ComplaintError::Full);
    story.live(8);
    story.ben.unlocked.complain(&draft(TEXT)).unwrap();
}

#[test]
fn a_member_can_neither_replay_nor_alter_nor_publish() {
    let story = Story::new(5);
    let Story { ana, ben, board, hub, .. } = &story;
    ben.unlocked.complain(&draft(TEXT)).unwrap();
    story.live(9);
    only_id(board);
    let sealed = boxes(&story, ana);
    let mallory = Attacker::join(6, "mallory", ana, Role::Worker);
    for phone in [ana, board, ana] {
        hub.exchange(phone).unwrap();
    }
    let cover = |bytes: Vec<u8>| {
        let notice = Notice { complaint: Some(bytes.into()), ..Notice::default() };
        notice.seal(&mallory.env, mallory.team, &mallory.opened.secret.commons()).unwrap()
    };
    let replays: Vec<Row> = sealed.iter().cloned().map(cover).collect();
    let altered: Vec<Row> = sealed
        .iter()
        .map(|sealed| {
            let mut sealed = sealed.clone();
            sealed[2_000] ^= 1;
            cover(sealed)
        })
        .collect();
    let short = cover(vec![1; 64]);
    let own_key = ReceivingKey::make(&mallory.env);
    let (elsewhere, _) = complaint::seal(&mallory.env, mallory.team, &own_key.public_key().unwrap(), &[1; 32], &draft("made up")).unwrap();
    let rows = [replays, altered, vec![short, cover(elsewhere)]].concat();
    feed(board, &rows);
    feed(ben, &rows);
    only_id(board);
    // what nobody can prevent: anybody can write a complaint, and nobody can tell that it was a member
    let newest = board.unlocked.bulletins().unwrap().pop().unwrap();
    let key = satchel_core::crypto::ReceivingPublicKey::from_slice(newest.receiving()).unwrap();
    let (made_up, _) = complaint::seal(&mallory.env, mallory.team, &key, newest.board(), &draft("made up")).unwrap();
    feed(board, &[cover(made_up)]);
    assert_eq!(board.unlocked.board_book().unwrap().0.len(), 2);

    // a bulletin of somebody else, and the board's own entered by a worker
    let mine = complaint::BulletinDraft {
        team: mallory.team,
        number: 9,
        day: newest.day(),
        due: newest.due(),
        previous: [1; 32],
        receiving: &key,
        lines: Vec::new(),
    };
    let mine = complaint::Bulletin::write(&mallory.env, &SigningKey::make(&mallory.env), &mine).unwrap();
    let heads = vec![mallory.admission().id()];
    let next = board.unlocked.board_publish(30).unwrap();
    for bytes in [mine.as_bytes().to_vec(), next.as_bytes().to_vec(), vec![0; 40]] {
        let operation = Operation::write(&mallory.signer, Some(mallory.team), heads.clone(), newest.day(), Action::Bulletin { bytes });
        feed(ana, &[mallory.notice(&[operation], Vec::new())]);
        assert_eq!(ana.unlocked.bulletins().unwrap(), std::slice::from_ref(&newest));
    }
    // control: from the board it is taken
    hub.exchange(board).unwrap();
    hub.exchange(ana).unwrap();
    assert_eq!(ana.unlocked.bulletins().unwrap(), [newest, next]);
    // a new board key waits for the board: no steward alone takes complaints over
    let keys = BoardKeys { receiving: key.as_bytes().to_vec(), signing: *mallory.signer.verifying_key().as_bytes() };
    assert!(enter(ana, &keys));
    assert_eq!(ana.unlocked.bulletins().unwrap().len(), 2);
    assert!(ana.unlocked.board_status().unwrap().is_offered);
}

#[test]
fn what_is_kept_back_shows_in_the_bulletin_and_silence_shows_by_itself() {
    let story = Story::new(7);
    let Story { ana, ben, board, .. } = &story;
    let (arrived, kept_back) = (ben.unlocked.complain(&draft(TEXT)).unwrap(), ana.unlocked.complain(&draft("about the agency")).unwrap());
    // the agency lets nothing of Ana's through: her phone meets nobody
    for _ in 0..9 {
        story.pass(1);
        for phone in [ben, board] {
            story.hub.exchange(phone).unwrap();
        }
    }
    let file = board.unlocked.board_publish(14).unwrap().to_file();
    let bulletin = complaint::Bulletin::from_file(&file).unwrap();
    assert_eq!(check(&arrived, &bulletin).unwrap().progress, Some(Progress::Received));
    assert_eq!(check(&kept_back, &bulletin).unwrap().progress, None, "not seen by the board");
    // the bulletin itself is kept from the phones: its date stands on every one
    story.pass(1);
    for _ in 0..30 {
        ben.clock.advance(DAY);
        ben.unlocked.today().unwrap();
    }
    assert!(ben.unlocked.board_status().unwrap().overdue_since.is_some());
}

#[test]
fn a_second_board_phone_gets_the_keys_and_nobody_else_does() {
    let story = Story::new(8);
    let Story { ana, ben, board, hub, .. } = &story;
    let second = join(story.path(), 8, "second", START, ana, Role::Board);
    for _ in 0..2 {
        for phone in [ana, &second, board, &second] {
            hub.exchange(phone).unwrap();
        }
    }
    assert_eq!(second.unlocked.board_keys().unwrap(), board.unlocked.board_keys().unwrap());
    assert_eq!(ben.unlocked.board_keys().unwrap_err(), Error::Role);
    let code = ben.unlocked.complain(&draft(TEXT)).unwrap();
    for _ in 0..9 {
        second.clock.advance(DAY);
        story.live(1);
        hub.exchange(&second).unwrap();
    }
    let id = only_id(board);
    assert_eq!(second.unlocked.board_read(id).unwrap().text, TEXT);
    second.unlocked.board_answer(id, "we are on it").unwrap();
    second.unlocked.board_publish(30).unwrap();
    hub.exchange(&second).unwrap();
    story.exchange();
    // the first phone learns from the bulletin what the second one did, and does not fall behind it
    assert_eq!(board.unlocked.board_book().unwrap().0[0].progress, Progress::Answered);
    let found = check(&code, &board.unlocked.board_publish(30).unwrap()).unwrap();
    assert_eq!((found.progress, found.answer.as_deref()), (Some(Progress::Answered), Some("we are on it")));
    story.exchange();
    hub.exchange(&second).unwrap();
    hub.exchange(board).unwrap();
    // the new key for complaints reached the second phone too
    assert_eq!(second.unlocked.board_keys().unwrap(), board.unlocked.board_keys().unwrap());
}

#[test]
fn keys_for_complaints_change_and_old_ones_are_destroyed() {
    let story = Story::new(9);
    let Story { ben, board, .. } = &story;
    let seeds = || -> Vec<[u8; 32]> {
        let loot = board.unlocked.dangerous_loot().unwrap();
        loot.secrets.into_iter().filter(|(class, _)| *class == LootClass::Receiving).map(|(_, seed)| seed).collect()
    };
    let first = board.unlocked.board_keys().unwrap().receiving;
    let is_first = |seed: &[u8; 32]| ReceivingKey::from_seed(seed).public_key().unwrap().as_bytes().as_slice() == first;
    assert!(seeds().iter().any(is_first));
    ben.unlocked.complain(&draft(TEXT)).unwrap();
    story.pass(8 - 6);
    for _ in 0..3 {
        story.pass(2);
        story.hub.exchange(board).unwrap();
    }
    board.unlocked.board_publish(31).unwrap();
    assert_ne!(board.unlocked.board_keys().unwrap().receiving, first, "the next bulletin brings a new key");
    // Ben's complaint was sealed to the first one, and arrives all the same
    story.hub.exchange(board).unwrap();
    story.live(9);
    assert_eq!(board.unlocked.board_read(only_id(board)).unwrap().text, TEXT);
    for _ in 0..14 {
        for _ in 0..3 {
            story.pass(2);
            story.hub.exchange(board).unwrap();
        }
        board.unlocked.board_publish(31).unwrap();
        story.hub.exchange(board).unwrap();
    }
    assert!(!seeds().iter().any(is_first), "nothing can arrive for it any more");
    assert!(board.unlocked.board_key_count().unwrap() <= 16);
}

#[test]
fn a_complaint_goes_from_phone_to_phone_where_there_is_no_relay() {
    let folder = tempfile::tempdir().unwrap();
    let ana = found(folder.path(), 10, "ana", START);
    let ben = join(folder.path(), 10, "ben", START, &ana, Role::Worker);
    let board = join(folder.path(), 10, "board", START, &ana, Role::Board);
    let keys = board.unlocked.board_set_up(false).unwrap();
    enter(&ana, &keys);
    meet(&ana, &board);
    board.unlocked.board_publish(30).unwrap();
    meet(&board, &ana);
    meet(&ana, &ben);
    ben.unlocked.complain(&draft(TEXT)).unwrap();
    // Ben never meets the board; Ana does, and cannot tell what she carries
    let mut arrived = false;
    for _ in 0..40 {
        for phone in [&ana, &ben] {
            phone.unlocked.save_encounter(&scene::encounter(None, None, "day")).unwrap();
        }
        meet(&ben, &ana);
        ana.unlocked.save_encounter(&scene::encounter(None, None, "day")).unwrap();
        meet(&ana, &board);
        arrived = !board.unlocked.board_book().unwrap().0.is_empty();
        if arrived {
            break;
        }
    }
    assert!(arrived);
    assert_eq!(board.unlocked.board_read(only_id(&board)).unwrap().text, TEXT);
}
