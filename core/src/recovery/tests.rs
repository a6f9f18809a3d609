#![allow(clippy::unwrap_used)]
use super::{PaperError, PaperShare, Purpose};
use crate::env::Env;
use proptest::prelude::*;
use satchel_wire::ids::TeamId;

const SECRET: [u8; 32] = [0x5c; 32];
const TEAM: TeamId = TeamId::from_bytes([3; 16]);

fn papers(seed: u64, threshold: u8, shares: u8) -> Vec<PaperShare> {
    PaperShare::print(&Env::seeded(seed), Purpose::Recovery, &TEAM, &SECRET, threshold, shares).unwrap()
}

fn read_all(papers: &[PaperShare]) -> Vec<PaperShare> {
    papers.iter().map(|paper| PaperShare::read(&paper.to_line()).unwrap()).collect()
}

#[test]
fn words_and_texts_come_back_and_give_the_key() {
    for (threshold, shares) in [(1, 1), (2, 3), (3, 5), (16, 16)] {
        let printed = papers(1, threshold, shares);
        assert_eq!(printed.len(), usize::from(shares));
        let typed = read_all(&printed);
        let key = PaperShare::join(&typed[typed.len() - usize::from(threshold)..], Purpose::Recovery, Some(&TEAM)).unwrap();
        assert_eq!(*key, SECRET);
        for (paper, again) in printed.iter().zip(&typed) {
            assert_eq!((again.index(), again.threshold(), again.shares(), again.set()), (paper.index(), threshold, shares, paper.set()));
            let text = paper.to_text();
            assert!(text.len() < 100 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b':'));
            assert_eq!(PaperShare::read(&text.to_lowercase()).unwrap().to_line(), paper.to_line());
        }
    }
}

#[test]
fn a_paper_may_be_typed_as_people_type() {
    let paper = &papers(2, 2, 3)[1];
    let numbered: Vec<String> = paper.words().iter().enumerate().map(|(at, word)| format!("{}. {}", at + 1, word.to_uppercase())).collect();
    assert_eq!(PaperShare::read(&numbered.join("\n")).unwrap().to_line(), paper.to_line());
    let short: Vec<String> = paper.words().iter().map(|word| word.chars().take(4).collect()).collect();
    assert_eq!(PaperShare::read(&short.join(", ")).unwrap().to_line(), paper.to_line());
}

#[test]
fn a_mistyped_word_is_named_by_its_position() {
    let paper = &papers(3, 2, 3)[0];
    let words = paper.words();
    for at in 0..words.len() {
        let mut wrong = words.clone();
        wrong[at] = if words[at] == "zoo" { "abandon" } else { "zoo" };
        assert_eq!(PaperShare::read(&wrong.join(" ")).unwrap_err(), PaperError::WrongWord { position: at + 1 });
        wrong[at] = "satchel";
        assert_eq!(PaperShare::read(&wrong.join(" ")).unwrap_err(), PaperError::UnknownWord { position: at + 1 });
        if at > 0 && words[at] != words[at - 1] {
            let mut swapped = words.clone();
            swapped.swap(at - 1, at);
            assert_eq!(PaperShare::read(&swapped.join(" ")).unwrap_err(), PaperError::Swapped { position: at });
        }
    }
    let mut two = words.clone();
    (two[4], two[20]) = ("zoo", "zebra");
    assert_eq!(PaperShare::read(&two.join(" ")).unwrap_err(), PaperError::Damaged);
    assert_eq!(PaperShare::read(&words[1..].join(" ")).unwrap_err(), PaperError::Count { found: 34 });
}

#[test]
fn every_altered_letter_of_the_text_is_noticed() {
    let text = papers(4, 2, 3)[0].to_text();
    for at in "SATCHELPAPER1:".len()..text.len() {
        let mut wrong = text.as_bytes().to_vec();
        wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(PaperShare::read(std::str::from_utf8(&wrong).unwrap()).unwrap_err(), PaperError::Damaged, "{at}");
    }
}

#[test]
fn papers_that_do_not_belong_together_are_told_apart() {
    let join = |papers: &[PaperShare]| PaperShare::join(papers, Purpose::Recovery, Some(&TEAM)).unwrap_err();
    let mut mine = papers(5, 3, 5);
    assert_eq!(join(&[]), PaperError::TooFew { have: 0, need: 1 });
    assert_eq!(join(&mine[..2]), PaperError::TooFew { have: 2, need: 3 });
    let mut twice = read_all(&mine[..2]);
    twice.extend(read_all(&mine[1..2]));
    assert_eq!(join(&twice), PaperError::Duplicate { index: 2 });
    let mut mixed = read_all(&mine[..2]);
    mixed.extend(papers(6, 3, 5).split_off(2));
    assert_eq!(join(&mixed), PaperError::OtherSet);
    let other_team = TeamId::from_bytes([4; 16]);
    assert_eq!(PaperShare::join(&mine, Purpose::Recovery, Some(&other_team)).unwrap_err(), PaperError::OtherTeam);
    mine.extend(PaperShare::print(&Env::seeded(7), Purpose::Reseat, &TEAM, &SECRET, 1, 1).unwrap());
    assert_eq!(join(&mine), PaperError::OtherPurpose);
    for (threshold, shares) in [(0, 0), (1, 2), (3, 2), (2, 17), (17, 17)] {
        let refused = PaperShare::print(&Env::seeded(8), Purpose::Recovery, &TEAM, &SECRET, threshold, shares);
        assert_eq!(refused.unwrap_err(), PaperError::Policy);
    }
}

#[test]
fn nothing_of_the_key_is_in_debug() {
    let paper = &papers(9, 1, 1)[0];
    let shown = format!("{paper:?}");
    assert_eq!(shown, "PaperShare(Recovery 1 of 1..)");
    // positive control: the words do hold the key
    assert_eq!(*PaperShare::join(&read_all(&papers(9, 1, 1)), Purpose::Recovery, None).unwrap(), SECRET);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn whatever_is_typed_gets_an_answer(typed in "\\PC{0,300}", words in proptest::collection::vec(0_u16..2_048, 35)) {
        let _ = PaperShare::read(&typed);
        let line: Vec<&str> = words.iter().map(|word| crate::crypto::word_at(*word)).collect();
        prop_assert!(PaperShare::read(&line.join(" ")).is_err());
        let _ = PaperShare::read(&format!("SATCHELPAPER1:{typed}"));
    }
}

/// Papers that a second implementation made (`tests/vectors/paper/make.py`): read, told what they are, put together.
#[test]
fn papers_of_another_implementation_are_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/paper/shares.json");
    let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap().to_owned();
        let bytes = |name: &str| data_encoding::HEXLOWER.decode(text(name).as_bytes()).unwrap();
        let purpose = if text("purpose") == "reseat" { Purpose::Reseat } else { Purpose::Recovery };
        let team = TeamId::from_slice(&bytes("team")).unwrap();
        let list = |name: &str| case[name].as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect::<Vec<_>>();
        let (words, texts) = (list("words"), list("texts"));
        let k = usize::try_from(case["threshold"].as_u64().unwrap()).unwrap();
        for (at, (line, code)) in words.iter().zip(&texts).enumerate() {
            let paper = PaperShare::read(line).unwrap();
            assert_eq!((usize::from(paper.index()), usize::from(paper.threshold()), paper.set().to_string()), (at + 1, k, text("set")));
            assert_eq!((paper.to_line().as_str(), paper.to_text().as_str()), (line.as_str(), code.as_str()));
        }
        // the first k, and the last k
        for chosen in [&words[..k], &texts[texts.len() - k..]] {
            let papers: Vec<PaperShare> = chosen.iter().map(|line| PaperShare::read(line).unwrap()).collect();
            assert_eq!(PaperShare::join(&papers, purpose, Some(&team)).unwrap().to_vec(), bytes("secret"), "{}", text("name"));
        }
    }
}
