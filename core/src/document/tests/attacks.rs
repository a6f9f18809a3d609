//! What an insider who signs his own bodies can try.

use automerge::{Automerge, Change};

use super::craft::*;
use super::*;
use crate::document::{Applied, Place, inspect_change, limits, verify_change};

const NEW: Result<Applied, DocumentError> = Ok(Applied { new: 1, known: 0 });

/// Refused with this code, and the document is as before and still works.
fn assert_refused(document: &Document, bytes: &[u8], author: Actor, code: &str) {
    let mut document = document.clone();
    let before = document.save();
    let refused = document.apply(&[bytes], &[author]).unwrap_err();
    assert_eq!(refused.code(), code);
    assert_eq!(document.save(), before);
    set(&mut document, "after", "works");
    let mut loaded = copy_for(&document, CAT);
    set(&mut loaded, "after", "loading too");
}

/// A document that Ana began, with Eve's next change to its field `a` taken apart.
fn attacked() -> (Document, Crafted) {
    let mut document = Document::new(ANA);
    set(&mut document, "a", "1");
    let change = set(&mut copy_for(&document, EVE), "a", "2");
    assert_eq!(document.clone().apply(&[&change], &[EVE]), NEW);
    (document, Crafted::parse(&change))
}

#[test]
fn a_change_of_another_actor_is_refused() {
    let mut document = Document::new(ANA);
    let change = set(&mut Document::new(BEN), "a", "forged");
    assert_refused(&document, &change, EVE, "author");
    assert_eq!(document.apply(&[&change], &[]), Err(DocumentError::Author));
    assert_eq!(document.apply(&[&change], &[EVE, BEN]), NEW);
}

#[test]
fn two_contents_under_one_number_are_told_and_harm_nobody_else() {
    let mut document = Document::new(ANA);
    let (one, two) = (set(&mut Document::new(EVE), "a", "1"), set(&mut Document::new(EVE), "a", "2"));
    let equivocation = DocumentError::Equivocation { actor: EVE, sequence: 1 };
    // In one body: neither is taken.
    assert_eq!(document.apply(&[&one, &two], &[EVE]), Err(equivocation.clone()));
    assert!(document.heads().is_empty());
    assert_eq!(document.apply(&[&one], &[EVE]), NEW);
    assert_refused(&document, &two, EVE, "equivocation");
    assert_eq!(document.apply(&[&two], &[EVE]), Err(equivocation));
    // Innocent changes go on merging, and so does what Eve writes on the first.
    let innocent = set(&mut Document::new(BEN), "b", "x");
    assert_eq!(document.apply(&[&innocent], &[BEN]), NEW);
    let next = set(&mut copy_for(&document, EVE), "a", "3");
    assert_eq!(document.apply(&[&next], &[EVE]), NEW);
    assert_eq!(document.value("a"), Some(text("3")));
    assert_eq!(copy_for(&document, CAT).heads(), document.heads());
}

#[test]
fn a_change_without_its_parents_is_held_and_then_applies() {
    let mut author = Document::new(ANA);
    let changes: Vec<_> = ["1", "2", "3"].map(|v| set(&mut author, "a", v)).into();
    let hashes: Vec<_> = changes.iter().map(|c| verify_change(c).unwrap().hash).collect();
    let mut document = Document::new(BEN);
    set(&mut document, "b", "own");
    let before = document.save();
    let held = |hash: usize| Err(DocumentError::Held { missing: vec![hashes[hash]] });
    assert_eq!(document.apply(&[&changes[2]], &[ANA]), held(1));
    assert_eq!(document.apply(&[&changes[2], &changes[1]], &[ANA]), held(0));
    assert_eq!(document.save(), before);
    assert_eq!(document.apply(&[&changes[0]], &[ANA]), NEW);
    assert_eq!(document.apply(&[&changes[2]], &[ANA]), held(1));
    assert_eq!(document.apply(&[&changes[2], &changes[1]], &[ANA]), Ok(Applied { new: 2, known: 0 }));
    assert_eq!(document.value("a"), Some(text("3")));
}

#[test]
fn what_is_here_already_is_passed_over() {
    let mut author = Document::new(ANA);
    let (one, two) = (set(&mut author, "a", "1"), set(&mut author, "a", "2"));
    let mut document = Document::new(BEN);
    assert_eq!(document.apply(&[&one, &one], &[ANA]), Ok(Applied { new: 1, known: 1 }));
    assert_eq!(document.apply(&[&two, &one], &[ANA]), Ok(Applied { new: 1, known: 1 }));
    assert_eq!(document.apply(&[&one, &two], &[ANA]), Ok(Applied { new: 0, known: 2 }));
    assert_eq!(document.apply(&[], &[ANA]), Ok(Applied { new: 0, known: 0 }));
}

#[test]
fn a_body_is_taken_whole_or_not_at_all() {
    let (mut document, bad) = attacked();
    let good = bad.bytes();
    let bad = Crafted { sequence: 7, ..bad }.bytes();
    let before = document.save();
    for body in [[&good[..], &bad], [&bad, &good]] {
        assert_eq!(document.apply(&body, &[EVE]), Err(DocumentError::Sequence));
        assert_eq!(document.save(), before);
    }
    let too_many = vec![&good[..]; limits::MAX_CHANGES_COUNT + 1];
    let refused = document.apply(&too_many, &[EVE]).unwrap_err();
    assert_eq!(refused.code(), "too_many_changes");
}

#[test]
fn nobody_skips_numbers_or_uses_counters_up() {
    let (document, eve) = attacked();
    for sequence in [2, 1_000] {
        let bytes = Crafted { sequence, ..eve.clone() }.bytes();
        assert_refused(&document, &bytes, EVE, "sequence");
    }
    for start_op in [3, 1 << 30] {
        let bytes = Crafted { start_op, ..eve.clone() }.bytes();
        assert_refused(&document, &bytes, EVE, "start_op");
    }
    let bytes = Crafted { start_op: u64::from(u32::MAX), ..eve }.bytes();
    assert_refused(&document, &bytes, EVE, "number");
}

#[test]
fn an_operation_replaces_only_what_its_author_saw() {
    let (mut document, eve) = attacked();
    let alone = Crafted { others: vec![], ..eve.clone() };
    let without = [0x71, 0x73].into_iter().fold(alone, |c, spec| c.with_column(spec, vec![]));
    // A put beside the value that is there, a delete of nothing, one value replaced twice.
    let beside = without.clone().with_column(0x70, vec![0x7f, 0]);
    assert_refused(&document, &beside.bytes(), EVE, "predecessors");
    let nothing = beside.with_column(0x42, vec![0x7f, 3]).with_column(0x56, vec![0x7f, 0]);
    let nothing = nothing.with_column(0x57, vec![]);
    assert_eq!(inspect_change(&nothing.bytes()).unwrap().ops, 1);
    assert_refused(&document, &nothing.bytes(), EVE, "predecessors");
    let twice = eve.clone().with_column(0x70, vec![0x7f, 2]).with_column(0x71, run(2, &[1])).with_column(0x73, vec![0x7e, 1, 0]);
    assert_refused(&document, &twice.bytes(), EVE, "predecessors");
    // Another key, under which there is nothing to replace.
    let elsewhere = eve.clone().with_column(0x15, vec![0x7f, 1, b'z']);
    assert_refused(&document, &elsewhere.bytes(), EVE, "predecessors");
    // A value that is in the document, but not among what the parents lead to.
    let concurrent = set(&mut copy_for(&document, BEN), "a", "concurrent");
    deliver(&mut document, BEN, &[&concurrent]);
    let unseen = Crafted { start_op: 3, ..eve.clone() };
    let unseen = Crafted { others: vec![BEN.0.to_vec()], ..unseen }.with_column(0x73, vec![0x7f, 2]);
    assert_refused(&document, &unseen.bytes(), EVE, "start_op");
    let mut third = Document::new(CAT);
    let elsewhere = set(&mut third, "a", "unseen");
    deliver(&mut document, CAT, &[&elsewhere]);
    let unseen = Crafted { others: vec![CAT.0.to_vec()], ..eve };
    assert_refused(&document, &unseen.bytes(), EVE, "predecessors");
}

#[test]
fn naming_one_value_twice_does_not_pass_for_naming_two() {
    let (mut document, _) = attacked();
    let mut ben = copy_for(&document, BEN);
    set(&mut document, "a", "ana");
    let concurrent = set(&mut ben, "a", "ben");
    deliver(&mut document, BEN, &[&concurrent]);
    let honest = set(&mut copy_for(&document, EVE), "a", "both replaced");
    assert_eq!(document.clone().apply(&[&honest], &[EVE]), NEW);
    let twice = Crafted { others: vec![ANA.0.to_vec()], ..Crafted::parse(&honest) }
        .with_column(0x71, run(2, &[1]))
        .with_column(0x73, vec![0x7e, 2, 0]);
    assert_refused(&document, &twice.bytes(), EVE, "predecessors");
}

#[test]
fn a_change_that_could_not_be_loaded_again_is_refused() {
    let mut document = Document::new(ANA);
    let change = edit(&mut document, |e| {
        e.set("a", Value::Bool(true))?;
        e.set("b", Value::Bool(true))
    });
    let honest = Crafted::parse(&change);
    // The same actions: one run of two puts, written as two runs or as two single values.
    let two_runs = honest.clone().with_column(0x42, run(1, &[1]).repeat(2));
    let literal = honest.clone().with_column(0x42, vec![0x7e, 1, 1]);
    let long = honest.clone().with_column(0x34, vec![1, 0, 1]);
    let empty = Document::new(BEN);
    for crafted in [&two_runs, &literal] {
        let bytes = crafted.bytes();
        assert!(inspect_change(&bytes).is_ok());
        assert_refused(&empty, &bytes, ANA, "not_canonical");
        // The positive control: Automerge takes it, and what it saves it does not load.
        let mut engine = Automerge::new();
        engine.apply_changes([Change::try_from(&bytes[..]).unwrap()]).unwrap();
        assert!(Automerge::load(&engine.save_nocompress()).is_err());
    }
    assert_refused(&empty, &long.bytes(), ANA, "action");
    assert_eq!(empty.clone().apply(&[&change], &[ANA]), NEW);
}

#[test]
fn a_flood_of_heads_can_be_joined() {
    let mut document = Document::new(ANA);
    let own = set(&mut document, "a", "own");
    assert_eq!(document.join(), Ok(None));
    let mut other = Document::new(BEN);
    deliver(&mut other, ANA, &[&own]);
    for i in 0..200_u8 {
        let actor = Actor::derive(&[i; 16], &[0; 16], &[0; 8]);
        let flood = set(&mut Document::new(actor), "a", "flood");
        deliver(&mut document, actor, &[&flood]);
        deliver(&mut other, actor, &[&flood]);
    }
    let refused = document.edit(|e| e.set("a", text("mine"))).unwrap_err();
    assert_eq!(refused, DocumentError::TooManyHeads { count: 201 });
    let mut joined = 0;
    while let Some(change) = document.join().unwrap() {
        assert_eq!(verify_change(&change).unwrap().facts.ops, 0);
        deliver(&mut other, ANA, &[&change]);
        joined += 1;
    }
    assert!(joined > 0);
    assert_eq!(document.conflicts("a").len(), 201);
    let settled = set(&mut document, "a", "mine");
    deliver(&mut other, ANA, &[&settled]);
    assert_eq!(other.conflicts("a"), vec![(text("mine"), ANA)]);
    assert_eq!(copy_for(&other, CAT).heads(), document.heads());
}

#[test]
fn a_snapshot_is_one_whole_uncompressed_document() {
    let mut document = Document::new(ANA);
    let change = set(&mut document, "a", &"word ".repeat(200));
    let snapshot = document.save();
    let code = |bytes: &[u8]| Document::load(bytes, BEN).unwrap_err().code();
    assert_eq!(code(&[]), "truncated");
    assert_eq!(code(&change), "chunk_type");
    assert_eq!(code(&[&snapshot[..], &change].concat()), "length");
    assert_eq!(code(&document.engine.save()), "deflated_column");
    assert_eq!(code(&vec![0; limits::MAX_SNAPSHOT_BYTES + 1]), "snapshot_too_large");
    for end in 0..snapshot.len() {
        assert!(Document::load(&snapshot[..end], BEN).is_err());
    }
    for place in 0..snapshot.len() {
        let mut damaged = snapshot.clone();
        damaged[place] ^= 0x10;
        assert!(Document::load(&damaged, BEN).is_err(), "byte {place}");
    }
    assert_eq!(Document::load(&snapshot, BEN).unwrap().heads(), document.heads());
    assert!(Document::load(&Document::new(ANA).save(), BEN).unwrap().heads().is_empty());
}

#[test]
fn a_deleted_value_stays_in_the_snapshot() {
    // Not wanted but true; forgetting is destroying a key, and nobody should think otherwise.
    let secret = b"the old name";
    let mut document = Document::new(ANA);
    set(&mut document, "alias", "the old name");
    edit(&mut document, |e| e.clear("alias"));
    assert_eq!(document.value("alias"), None);
    let saved = copy_for(&document, BEN).save();
    assert!(saved.windows(secret.len()).any(|window| window == secret));
}

#[test]
fn nothing_a_person_wrote_is_in_debug_output() {
    let mut document = Document::new(ANA);
    let mut shown = String::new();
    edit(&mut document, |e| {
        e.set("alias", text("secret"))?;
        e.add_item("goals", "secret", Place::Last)?;
        shown.push_str(&format!("{e:?}"));
        Ok(())
    });
    shown.push_str(&format!("{document:?} {:?} {:?}", document.conflicts("alias"), document.items("goals")));
    assert!(shown.contains("6 bytes"));
    assert!(!shown.contains("secret"), "{shown}");
}
