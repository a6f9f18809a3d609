//! Whatever the bytes, nothing panics, and what is taken can be saved and loaded.

use automerge::Change;
use proptest::prelude::*;
use proptest::sample::Index;

use super::craft::*;
use super::*;
use crate::document::{Place, inspect_change, verify_change};

/// A document with a conflict, a deletion and a list, and changes that Eve could add to it.
fn stage() -> (Document, Vec<Vec<u8>>) {
    let mut document = Document::new(ANA);
    edit(&mut document, |e| {
        e.set("a", text("x"))?;
        e.set("b", Value::Int(-70_000))?;
        e.set("c", Value::Bytes(vec![9; 40]))?;
        e.add_item("goals", "one", Place::Last)?;
        e.add_item("goals", "two", Place::Last).map(drop)
    });
    let mut ben = copy_for(&document, BEN);
    set(&mut document, "a", "ana");
    let concurrent = set(&mut ben, "a", "ben");
    deliver(&mut document, BEN, &[&concurrent]);
    edit(&mut document, |e| e.clear("b"));
    let mut eve = copy_for(&document, EVE);
    let one = edit(&mut eve, |e| {
        e.set("a", Value::Bool(true))?;
        e.clear("c")?;
        e.set("d", Value::Null)?;
        let items = e.items("goals");
        e.move_item("goals", items[1].id, Place::First)?;
        e.remove_item("goals", items[0].id)
    });
    let two = set(&mut Document::new(EVE), "a", "unrelated");
    let three = edit(&mut copy_for(&document, EVE), |e| e.set("a", text("ben")));
    (document, vec![one, two, three])
}

/// Offers bytes to every entrance; returns whether the document took them.
fn offer(document: &Document, bytes: &[u8]) -> bool {
    if let Ok(facts) = inspect_change(bytes)
        && let Ok(change) = Change::try_from(bytes)
    {
        assert_eq!(facts.ops, change.len() as u64);
        assert_eq!(facts.actor.0, change.actor_id().to_bytes());
        assert_eq!((facts.sequence, facts.start_op), (change.seq(), change.start_op().get()));
    }
    let verified = verify_change(bytes);
    let mut document = document.clone();
    let before = document.save();
    let authors: Vec<Actor> = verified.iter().map(|v| v.facts.actor).collect();
    match document.apply(&[bytes], &authors) {
        Ok(_) => {
            // It lives on: saved, loaded, read and edited.
            let mut loaded = copy_for(&document, CAT);
            assert_eq!(loaded.heads(), document.heads());
            assert!(loaded.items("goals").len() <= 4);
            edit(&mut loaded, |e| {
                for field in ["a", "b", "c", "d"] {
                    e.set(field, text("over"))?;
                }
                e.add_item("goals", "more", Place::First).map(drop)
            });
            assert_eq!(copy_for(&loaded, CAT).heads(), loaded.heads());
            true
        }
        Err(_) => {
            assert_eq!(document.save(), before);
            false
        }
    }
}

#[test]
fn the_stage_is_sound() {
    let (document, changes) = stage();
    for change in &changes {
        assert!(offer(&document, change));
    }
    // The positive control for the mutations: one that hits a value is taken.
    let mut crafted = Crafted::parse(&changes[1]);
    let value = crafted.columns.iter_mut().find(|column| column.0 == 0x57);
    value.unwrap().1[0] ^= 1;
    assert!(offer(&document, &crafted.bytes()));
}

#[derive(Debug, Clone)]
enum Mutation {
    Set(Index, u8),
    Flip(Index, u8),
    Insert(Index, u8),
    Remove(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(i, b)| Mutation::Set(i, b)),
        (any::<Index>(), 0..8_u8).prop_map(|(i, b)| Mutation::Flip(i, 1 << b)),
        (any::<Index>(), any::<u8>()).prop_map(|(i, b)| Mutation::Insert(i, b)),
        any::<Index>().prop_map(Mutation::Remove),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    match mutation {
        Mutation::Set(at, byte) => bytes[at.index(length)] = *byte,
        Mutation::Flip(at, bits) => bytes[at.index(length)] ^= bits,
        Mutation::Insert(at, byte) => bytes.insert(at.index(length), *byte),
        Mutation::Remove(at) => drop(bytes.remove(at.index(length))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (document, _) = stage();
        prop_assert!(!offer(&document, &bytes));
        prop_assert!(!offer(&document, &chunk(1, &bytes)));
        prop_assert!(Document::load(&chunk(0, &bytes), ANA).is_err());
    }

    #[test]
    fn mutated_changes_never_panic(
        which in 0..3_usize,
        mutations in proptest::collection::vec(mutation(), 1..4),
    ) {
        let (document, changes) = stage();
        let mut bytes = changes[which].clone();
        for mutation in &mutations {
            mutate(&mut bytes, mutation);
        }
        offer(&document, &bytes);
        offer(&document, &rechecked(bytes));
    }

    /// Changes whose frame is right and whose columns are not: these get furthest.
    #[test]
    fn mutated_columns_never_panic(
        which in 0..3_usize,
        mutations in proptest::collection::vec((any::<Index>(), mutation()), 1..4),
        drop_column in proptest::option::weighted(0.1, any::<Index>()),
        others in proptest::option::weighted(0.2, 0..3_u8),
        numbers in proptest::option::weighted(0.1, (0..6_u64, 0..20_u64)),
    ) {
        let (document, changes) = stage();
        let mut crafted = Crafted::parse(&changes[which]);
        for (column, mutation) in &mutations {
            let column = column.index(crafted.columns.len());
            mutate(&mut crafted.columns[column].1, mutation);
        }
        if let Some(column) = drop_column {
            crafted.columns.remove(column.index(crafted.columns.len()));
        }
        match others {
            Some(0) => crafted.others.clear(),
            Some(1) => crafted.others = vec![ANA.0.to_vec(), BEN.0.to_vec(), CAT.0.to_vec()],
            Some(_) => crafted.others = vec![CAT.0.to_vec()],
            None => {}
        }
        if let Some((sequence, start_op)) = numbers {
            (crafted.sequence, crafted.start_op) = (sequence, start_op);
        }
        offer(&document, &crafted.bytes());
    }
}
