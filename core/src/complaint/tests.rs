#![allow(clippy::unwrap_used)]
use super::*;
use crate::crypto::{ReceivingKey, SigningKey};
use crate::env::Env;
use satchel_wire::ShiftDay;
use satchel_wire::ids::TeamId;

const TEAM: TeamId = TeamId::from_bytes([7; 16]);

struct Board {
    env: Env,
    key: ReceivingKey,
    signer: SigningKey,
}

impl Board {
    fn new(seed: u64) -> Self {
        let env = Env::seeded(seed);
        Self { key: ReceivingKey::make(&env), signer: SigningKey::make(&env), env }
    }
    fn seal(&self, draft: ComplaintDraft<'_>) -> Result<(Vec<u8>, ReceiptCode), ComplaintError> {
        seal(&self.env, TEAM, &self.key.public_key().unwrap(), self.signer.verifying_key().as_bytes(), &draft)
    }
    fn bulletin(&self, number: u32, lines: Vec<BulletinLine<'_>>) -> Bulletin {
        let draft = BulletinDraft {
            team: TEAM,
            number,
            day: ShiftDay::from_days(20_800),
            due: ShiftDay::from_days(20_830),
            previous: if number == 1 { [0; 32] } else { [1; 32] },
            receiving: &self.key.public_key().unwrap(),
            lines,
        };
        Bulletin::write(&self.env, &self.signer, &draft).unwrap()
    }
}

const fn draft(text: &str) -> ComplaintDraft<'_> {
    ComplaintDraft { category: Category::PoliceMisconduct, text, reply: None }
}

#[test]
fn whatever_is_said_has_one_size_and_opens_for_the_board_alone() {
    let board = Board::new(1);
    let long = "é".repeat(1_000);
    let reply = "r".repeat(200);
    let full = ComplaintDraft { category: Category::Other, text: &long, reply: Some(&reply) };
    let mark = ComplaintDraft { category: Category::FeltPressured, text: "", reply: None };
    for given in [draft("Officer Kent, badge 4411, took the money."), full, mark] {
        let (sealed, code) = board.seal(given).unwrap();
        assert_eq!(sealed.len(), COMPLAINT_BOX_BYTES);
        let complaint = open(&board.key, TEAM, &sealed).unwrap().unwrap();
        assert_eq!((complaint.category, complaint.text.as_str()), (given.category, given.text));
        assert_eq!((complaint.reply.as_deref(), complaint.receipt), (given.reply, code.hash()));
        assert!(open(&ReceivingKey::make(&board.env), TEAM, &sealed).is_none(), "another key");
        assert!(open(&board.key, TeamId::from_bytes([8; 16]), &sealed).is_none(), "another team");
        for at in [0, 1, 1_200, sealed.len() - 1] {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(open(&board.key, TEAM, &altered).is_none(), "altered at {at}");
        }
        assert!(open(&board.key, TEAM, &sealed[1..]).is_none() && open(&board.key, TEAM, &[]).is_none());
    }
    let dummy = seal_dummy(&board.env, TEAM, &board.key.public_key().unwrap()).unwrap();
    assert_eq!(dummy.len(), COMPLAINT_BOX_BYTES);
    assert_eq!(open(&board.key, TEAM, &dummy), Some(None));
}

#[test]
fn what_cannot_be_a_complaint_is_refused() {
    let board = Board::new(2);
    for empty in ["", "  \n"] {
        assert_eq!(board.seal(draft(empty)).unwrap_err(), ComplaintError::Empty);
    }
    assert_eq!(board.seal(draft(&"x".repeat(2_001))).unwrap_err(), ComplaintError::TooLong { limit_bytes: 2_000 });
    let reply = "x".repeat(201);
    let long_reply = ComplaintDraft { reply: Some(&reply), ..draft("text") };
    assert_eq!(board.seal(long_reply).unwrap_err(), ComplaintError::TooLong { limit_bytes: 200 });
    assert_eq!(format!("{:?}", draft("secret")), "ComplaintDraft(..)");
    for category in Category::ALL {
        assert_eq!(Category::from_name(category.as_str()), Some(category));
    }
}

#[test]
fn a_code_survives_how_people_write_and_notices_a_slip() {
    let board = Board::new(3);
    let (_, code) = board.seal(draft("text")).unwrap();
    let text = code.to_text();
    assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [4; 6]);
    for typed in [text.to_string(), text.to_uppercase(), text.replace('-', " "), text.replace('o', "0").replace('l', "1")] {
        assert_eq!(ReceiptCode::from_text(&typed).unwrap().hash(), code.hash(), "{typed}");
    }
    let letters: Vec<char> = text.chars().collect();
    let mut caught = 0;
    for at in (0..letters.len()).filter(|at| letters[*at] != '-') {
        let mut slip = letters.clone();
        slip[at] = if slip[at] == 'a' { 'b' } else { 'a' };
        caught += usize::from(ReceiptCode::from_text(&slip.iter().collect::<String>()).is_err());
    }
    assert_eq!(caught, 24);
    for wrong in ["", "abcd", "abcd-efgh-ijkl-mnop-qrst-uvw!", &"a".repeat(500)] {
        assert_eq!(ReceiptCode::from_text(wrong).unwrap_err(), ComplaintError::Code);
    }
    assert_eq!(format!("{code:?} {:?}", code.hash()), "ReceiptCode(..) ReceiptHash(..)");
}

#[test]
fn a_bulletin_tells_the_holder_of_a_code_and_nobody_else() {
    let board = Board::new(4);
    let (_, code) = board.seal(draft("one")).unwrap();
    let (_, dropped) = board.seal(draft("never arrived")).unwrap();
    let line = |progress, answer| BulletinLine { receipt: code.hash(), progress, answer };
    let earlier = board.bulletin(1, vec![line(Progress::Received, None)]);
    assert_eq!(check(&code, &earlier).unwrap(), Found { progress: Some(Progress::Received), answer: None });
    let file = board.bulletin(2, vec![line(Progress::Answered, Some("We spoke to the agency."))]).to_file();
    let bulletin = Bulletin::from_file(&file).unwrap();
    let found = check(&code, &bulletin).unwrap();
    assert_eq!((found.progress, found.answer.as_deref()), (Some(Progress::Answered), Some("We spoke to the agency.")));
    assert_eq!(check(&dropped, &bulletin).unwrap(), Found { progress: None, answer: None });
    // what came of one receipt cannot be followed from bulletin to bulletin, and its text is nowhere
    let tokens =
        |bulletin: &Bulletin| -> std::collections::BTreeSet<Vec<u8>> { bulletin.as_bytes().windows(16).map(<[u8]>::to_vec).collect() };
    let hash = code.hash().token(1, 1).to_vec();
    assert!(tokens(&earlier).contains(&hash) && !tokens(&bulletin).contains(&hash));
    assert!(!bulletin.as_bytes().windows(8).any(|window| window == b"We spoke"));
    // the number of complaints does not show: none, one and fifteen look alike
    let none = board.bulletin(3, Vec::new());
    let codes: Vec<ReceiptHash> = (0..15).map(|_| board.seal(draft("x")).unwrap().1.hash()).collect();
    let many = codes.iter().map(|receipt| BulletinLine { receipt: *receipt, progress: Progress::Read, answer: None }).collect();
    assert_eq!(none.as_bytes().len(), board.bulletin(3, many).as_bytes().len());
    assert_eq!(check(&code, &none).unwrap().progress, None);
}

#[test]
fn a_bulletin_of_anybody_else_is_refused() {
    let (board, agency) = (Board::new(5), Board::new(6));
    let (_, code) = board.seal(draft("one")).unwrap();
    let line = BulletinLine { receipt: code.hash(), progress: Progress::Closed, answer: None };
    let forged = agency.bulletin(1, vec![line]);
    assert_eq!(check(&code, &forged), Err(ComplaintError::Bulletin));
    let honest = board.bulletin(1, Vec::new());
    for at in (0..honest.as_bytes().len()).step_by(37) {
        let mut altered = honest.as_bytes().to_vec();
        altered[at] ^= 1;
        assert!(Bulletin::from_bytes(&altered).is_err(), "altered at {at}");
    }
    let file = honest.to_file();
    assert!(Bulletin::from_file(&file).is_ok());
    for wrong in [&file[1..], b"", b"satchel bulletin 1\n", b"satchel bulletin 1\n!!!"] {
        assert!(Bulletin::from_file(wrong).is_err());
    }
    assert!(Bulletin::from_file(&[file.as_slice(), &vec![b'a'; 40_000]].concat()).is_err());
}

#[test]
fn the_largest_bulletin_fits_the_log() {
    let board = Board::new(7);
    let codes: Vec<ReceiptHash> =
        (0..limits::BULLETIN_RECEIPTS_MAX_COUNT).map(|n| ReceiptCode::make(&Env::seeded(n as u64), &[1; 32]).hash()).collect();
    let answer = "a".repeat(limits::ANSWER_MAX_BYTES);
    let lines = || codes.iter().map(|receipt| BulletinLine { receipt: *receipt, progress: Progress::Answered, answer: Some(&answer) });
    let bulletin = board.bulletin(9, lines().collect());
    assert!(bulletin.as_bytes().len() <= limits::BULLETIN_MAX_BYTES, "{}", bulletin.as_bytes().len());
    assert_eq!(codes.iter().filter(|receipt| bulletin.answer_to(receipt).is_some()).count(), limits::BULLETIN_ANSWERS_MAX_COUNT);
    assert!(codes.iter().all(|receipt| bulletin.progress_of(receipt) == Some(Progress::Answered)));
}

#[test]
fn small_counts_stay_small_secrets() {
    use Category::*;
    let count = |pairs: &[(Category, usize)]| {
        let all = pairs.iter().flat_map(|(category, count)| std::iter::repeat_n(*category, *count));
        suppressed(all, 10)
    };
    let of = |counts: &[(Category, Count)], category| counts.iter().find(|(known, _)| *known == category).unwrap().1;
    // nothing at all, and one of each, look the same
    let (none, total) = count(&[]);
    assert!(none.iter().all(|(_, count)| *count == Count::Hidden) && total == Count::Hidden);
    assert_eq!(count(&[(Privacy, 1), (Extortion, 1)]).0, none);
    // twelve of one kind and nothing else: showing them beside the total would tell that nobody complained of police
    let (cells, total) = count(&[(Other, 12)]);
    assert_eq!((of(&cells, Other), total), (Count::Hidden, Count::Shown(12)));
    // what is hidden sums to at least the threshold, whoever subtracts what
    let (cells, total) = count(&[(ServiceQuality, 40), (Privacy, 25), (Extortion, 3)]);
    assert_eq!((of(&cells, ServiceQuality), of(&cells, Privacy), of(&cells, Extortion)), (Count::Shown(40), Count::Hidden, Count::Hidden));
    assert_eq!(total, Count::Shown(68));
    let every: Vec<(Category, usize)> = Category::ALL.into_iter().map(|category| (category, 10)).collect();
    assert!(count(&every).0.iter().all(|(_, count)| *count == Count::Shown(10)));
    // a threshold below the least that a charter may have is not taken
    assert_eq!(suppressed(std::iter::repeat_n(Other, 4), 1).1, Count::Hidden);
}
