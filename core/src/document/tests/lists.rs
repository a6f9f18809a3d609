//! Ordered lists edited on several phones at once.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::merging::gossip;
use super::*;
use crate::document::{ItemId, Place, limits};

const GOALS: &str = "goals";

fn add_all(document: &mut Document, texts: &[&str]) -> (Vec<ItemId>, Vec<u8>) {
    let mut ids = Vec::new();
    let change = edit(document, |e| {
        for text in texts {
            ids.push(e.add_item(GOALS, text, Place::Last)?);
        }
        Ok(())
    });
    (ids, change)
}

/// A list `a b c` on two phones, each of which makes one edit unknown to the other.
fn concurrently(
    ana_wishes: impl FnOnce(&mut Edit<'_>, &[ItemId]) -> Result<(), DocumentError>,
    ben_wishes: impl FnOnce(&mut Edit<'_>, &[ItemId]) -> Result<(), DocumentError>,
) -> (Document, Vec<ItemId>) {
    let mut ana = Document::new(ANA);
    let (ids, _) = add_all(&mut ana, &["a", "b", "c"]);
    let mut ben = copy_for(&ana, BEN);
    let from_ana = edit(&mut ana, |e| ana_wishes(e, &ids));
    let from_ben = edit(&mut ben, |e| ben_wishes(e, &ids));
    deliver(&mut ana, BEN, &[&from_ben]);
    deliver(&mut ben, ANA, &[&from_ana]);
    assert_eq!(ana.heads(), ben.heads());
    assert_eq!(ana.items(GOALS), ben.items(GOALS));
    assert_eq!(copy_for(&ana, CAT).items(GOALS), ana.items(GOALS));
    (ana, ids)
}

#[test]
fn items_are_added_moved_edited_and_removed_in_place() {
    let mut document = Document::new(ANA);
    let (ids, _) = add_all(&mut document, &["a", "b", "c"]);
    assert_eq!(document.list(GOALS), ["a", "b", "c"]);
    edit(&mut document, |e| e.move_item(GOALS, ids[2], Place::First));
    assert_eq!(document.list(GOALS), ["c", "a", "b"]);
    edit(&mut document, |e| {
        let new = e.add_item(GOALS, "d", Place::After(ids[2]))?;
        e.set_item(GOALS, new, "D")?;
        e.remove_item(GOALS, ids[0])?;
        assert_eq!(e.items(GOALS).len(), 3);
        Ok(())
    });
    assert_eq!(document.list(GOALS), ["c", "D", "b"]);
    assert!(document.fields().is_empty());
    assert!(document.list("goal").is_empty());
    for gone in [
        document.edit(|e| e.remove_item(GOALS, ids[0])),
        document.edit(|e| e.set_item(GOALS, ids[0], "x")),
        document.edit(|e| e.move_item(GOALS, ids[0], Place::Last)),
        document.edit(|e| e.move_item(GOALS, ids[1], Place::After(ids[0]))),
    ] {
        assert_eq!(gone, Err(DocumentError::UnknownItem));
    }
}

#[test]
fn concurrent_adds_both_stay_each_run_together() {
    let (merged, _) = concurrently(
        |e, _| {
            let first = e.add_item(GOALS, "ana 1", Place::Last)?;
            e.add_item(GOALS, "ana 2", Place::After(first)).map(drop)
        },
        |e, _| e.add_item(GOALS, "ben", Place::Last).map(drop),
    );
    let list = merged.list(GOALS);
    assert_eq!(list.len(), 6);
    assert_eq!(list[..3], ["a", "b", "c"]);
    let place = |text: &str| list.iter().position(|other| other == text).unwrap();
    assert!(place("ana 1") < place("ana 2"));
    assert!(list.contains(&"ben".to_owned()));
}

#[test]
fn the_same_text_added_twice_at_once_is_two_items() {
    let add = |e: &mut Edit<'_>, _: &[ItemId]| e.add_item(GOALS, "x", Place::First).map(drop);
    let (merged, _) = concurrently(add, add);
    assert_eq!(merged.list(GOALS), ["x", "x", "a", "b", "c"]);
}

#[test]
fn an_item_moved_twice_at_once_is_there_once() {
    let (merged, _) =
        concurrently(|e, ids| e.move_item(GOALS, ids[2], Place::First), |e, ids| e.move_item(GOALS, ids[2], Place::After(ids[0])));
    let list = merged.list(GOALS);
    assert!(list == ["c", "a", "b"] || list == ["a", "c", "b"], "{list:?}");
}

#[test]
fn a_move_and_an_edit_of_the_text_both_take_effect() {
    let (merged, _) = concurrently(|e, ids| e.move_item(GOALS, ids[2], Place::First), |e, ids| e.set_item(GOALS, ids[2], "C!"));
    assert_eq!(merged.list(GOALS), ["C!", "a", "b"]);
}

#[test]
fn two_edits_of_one_text_are_a_conflict() {
    let (merged, ids) = concurrently(|e, ids| e.set_item(GOALS, ids[1], "from ana"), |e, ids| e.set_item(GOALS, ids[1], "from ben"));
    assert_eq!(merged.list(GOALS), ["a", "from ben", "c"]);
    let expected = vec![(text("from ben"), BEN), (text("from ana"), ANA)];
    assert_eq!(merged.item_conflicts(GOALS, ids[1]), expected);
}

#[test]
fn an_item_edited_while_it_is_removed_stays_in_its_place() {
    let (merged, _) = concurrently(|e, ids| e.remove_item(GOALS, ids[1]), |e, ids| e.set_item(GOALS, ids[1], "B!"));
    assert_eq!(merged.list(GOALS), ["a", "B!", "c"]);
}

#[test]
fn an_item_moved_while_it_is_removed_is_gone() {
    let (merged, _) = concurrently(|e, ids| e.remove_item(GOALS, ids[1]), |e, ids| e.move_item(GOALS, ids[1], Place::First));
    assert_eq!(merged.list(GOALS), ["a", "c"]);
}

#[test]
fn different_moves_both_take_effect() {
    let (merged, _) = concurrently(|e, ids| e.move_item(GOALS, ids[0], Place::Last), |e, ids| e.move_item(GOALS, ids[2], Place::First));
    assert_eq!(merged.list(GOALS), ["c", "b", "a"]);
}

#[test]
fn endless_reordering_neither_grows_positions_nor_loses_items() {
    let mut document = Document::new(ANA);
    let (ids, _) = add_all(&mut document, &["a", "b", "c", "d"]);
    let mut longest = 0;
    for round in 0..400 {
        let order = document.items(GOALS);
        // The last item between the first two: the worst place, always the same gap.
        let (moved, before) = (order[3].id, order[0].id);
        let change = edit(&mut document, |e| e.move_item(GOALS, moved, Place::After(before)));
        longest = longest.max(change.len());
        let now: BTreeSet<_> = document.items(GOALS).into_iter().map(|i| i.id).collect();
        assert_eq!(now, ids.iter().copied().collect(), "round {round}");
    }
    assert!(longest < 600, "a move takes {longest} bytes");
}

#[test]
fn a_list_is_spaced_afresh_if_positions_are_worthless() {
    let mut document = Document::new(ANA);
    let (ids, _) = add_all(&mut document, &["a", "b", "c"]);
    // An insider writes the same position, and none at all, where positions belong.
    edit(&mut document, |e| {
        for (id, position) in ids.iter().zip([Value::Bytes(vec![5]), Value::Bytes(vec![5]), Value::Int(1)]) {
            e.writes.insert(format!("goals/{id}/p"), Some(position));
        }
        Ok(())
    });
    let order = document.items(GOALS);
    assert_eq!(order.len(), 3);
    assert_eq!(order[2].text, "c");
    let between = |e: &mut Edit<'_>| e.add_item(GOALS, "x", Place::After(order[0].id)).map(drop);
    edit(&mut document, between);
    let texts = document.list(GOALS);
    assert_eq!(texts[1], "x");
    assert_eq!((texts[0].clone(), texts[3].clone()), (order[0].text.clone(), "c".into()));
}

#[test]
fn a_full_list_takes_no_more() {
    let mut document = Document::new(ANA);
    let full = document.edit(|e| (0..=limits::MAX_ITEMS_COUNT).try_for_each(|i| e.add_item(GOALS, &i.to_string(), Place::Last).map(drop)));
    assert_eq!(full, Err(DocumentError::TooManyItems));
    assert!(document.heads().is_empty());
    edit(&mut document, |e| (0..limits::MAX_ITEMS_COUNT).try_for_each(|i| e.add_item(GOALS, &i.to_string(), Place::Last).map(drop)));
    let expected: Vec<_> = (0..limits::MAX_ITEMS_COUNT).map(|i| i.to_string()).collect();
    assert_eq!(document.list(GOALS), expected);
}

#[test]
fn an_id_reads_back_and_nothing_else_does() {
    let id = ItemId([0, 1, 0xab, 3, 4, 5, 6, 0xff]);
    assert_eq!(ItemId::parse(&id.to_string()), Some(id));
    for other in ["", "0001ab03040506f", "0001AB03040506FF", "0001ab03040506fff", "0001ab03040506f\u{e9}"] {
        assert_eq!(ItemId::parse(other), None, "{other}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Nothing is lost that nobody removed, nothing is there twice, and all phones agree.
    #[test]
    fn lists_converge(steps in proptest::collection::vec(
        (0..3_usize, 0..5_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..40,
    )) {
        let actors = [ANA, BEN, CAT];
        let mut phones = actors.map(Document::new);
        let mut sent: [Vec<Vec<u8>>; 3] = Default::default();
        let (mut added, mut removed) = (BTreeSet::new(), BTreeSet::new());
        for (phone, step, one, two) in steps {
            let items = phones[phone].items(GOALS);
            if step == 4 {
                gossip(&mut phones[phone], &actors, &sent);
                continue;
            }
            let made = phones[phone].edit(|e| {
                if step == 0 || items.is_empty() {
                    let place = if items.is_empty() { Place::First } else { Place::After(one.get(&items).id) };
                    added.insert(e.add_item(GOALS, "new", place)?);
                    return Ok(());
                }
                let item = one.get(&items).id;
                match step {
                    1 => e.move_item(GOALS, item, Place::After(two.get(&items).id)),
                    2 => e.set_item(GOALS, item, &format!("edited {phone}")),
                    _ => {
                        removed.insert(item);
                        e.remove_item(GOALS, item)
                    }
                }
            }).unwrap();
            sent[phone].extend(made);
        }
        for phone in &mut phones {
            while gossip(phone, &actors, &sent) > 0 {}
        }
        let items = phones[0].items(GOALS);
        prop_assert_eq!(&items, &phones[1].items(GOALS));
        prop_assert_eq!(&items, &phones[2].items(GOALS));
        let there: BTreeSet<_> = items.iter().map(|item| item.id).collect();
        prop_assert_eq!(there.len(), items.len());
        prop_assert!(added.difference(&removed).all(|id| there.contains(id)));
        prop_assert!(there.is_subset(&added));
    }
}
