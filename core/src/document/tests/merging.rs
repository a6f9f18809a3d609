//! Fields edited on several phones at once.

use proptest::prelude::*;

use super::*;

#[test]
fn an_actor_is_a_fixed_function_of_device_document_and_session() {
    let actor = Actor::derive(&[1; 16], &[2; 16], &[3; 8]);
    let expected = blake3::derive_key("satchel 2026-11-22 automerge actor", &[[1; 16].as_slice(), &[2; 16], &[3; 8]].concat());
    assert_eq!(actor.0, expected[..16]);
    for other in
        [Actor::derive(&[9; 16], &[2; 16], &[3; 8]), Actor::derive(&[1; 16], &[9; 16], &[3; 8]), Actor::derive(&[1; 16], &[2; 16], &[9; 8])]
    {
        assert_ne!(actor, other);
    }
}

#[test]
fn every_kind_of_value_comes_back_after_sending_and_saving() {
    let values = [
        ("text", text("ñandú 🌧")),
        ("empty", text("")),
        ("int", Value::Int(i64::MIN)),
        ("bytes", Value::Bytes(vec![0, 255, 7])),
        ("no", Value::Bool(false)),
        ("yes", Value::Bool(true)),
        ("null", Value::Null),
    ];
    let mut here = Document::new(ANA);
    let change = edit(&mut here, |e| values.iter().try_for_each(|(field, value)| e.set(field, value.clone())));
    let mut there = Document::new(BEN);
    deliver(&mut there, ANA, &[&change]);
    let loaded = copy_for(&there, CAT);
    for (field, value) in &values {
        assert_eq!(loaded.value(field).as_ref(), Some(value), "{field}");
    }
    assert_eq!(loaded.fields().len(), values.len());
    assert_eq!(loaded.value("never set"), None);
}

#[test]
fn an_edit_that_changes_nothing_makes_no_change() {
    let mut document = Document::new(ANA);
    assert_eq!(document.edit(|_| Ok(())), Ok(None));
    assert_eq!(document.edit(|e| e.clear("a")), Ok(None));
    set(&mut document, "a", "x");
    let heads = document.heads();
    assert_eq!(document.edit(|e| e.set("a", text("x"))), Ok(None));
    let undone = document.edit(|e| {
        e.set("a", text("y"))?;
        e.set("a", text("x"))
    });
    assert_eq!(undone, Ok(None));
    assert_eq!(document.heads(), heads);
}

#[test]
fn a_failed_edit_leaves_the_document_as_it_was() {
    let mut document = Document::new(ANA);
    set(&mut document, "a", "x");
    let before = document.save();
    let failed = document.edit(|e| {
        e.set("a", text("y"))?;
        e.set("no/slash", text("z"))
    });
    assert_eq!(failed, Err(DocumentError::FieldName));
    let too_large = "z".repeat(crate::document::limits::MAX_CHANGE_BYTES);
    let failed = document.edit(|e| e.set("a", text(&too_large)));
    assert_eq!(failed.unwrap_err().code(), "change_too_large");
    let failed = document.edit(|e| (0..4_097).try_for_each(|i| e.set(&i.to_string(), Value::Null)));
    assert_eq!(failed, Err(DocumentError::TooManyOps));
    assert_eq!(document.save(), before);
    let most = document.edit(|e| (0..4_096).try_for_each(|i| e.set(&i.to_string(), Value::Null)));
    assert!(most.unwrap().is_some());
}

#[test]
fn a_field_edited_twice_at_once_is_a_conflict_until_it_is_set_again() {
    let mut ana = Document::new(ANA);
    let root = set(&mut ana, "alias", "old");
    let mut ben = Document::new(BEN);
    deliver(&mut ben, ANA, &[&root]);
    let from_ana = set(&mut ana, "alias", "Blue");
    let from_ben = set(&mut ben, "alias", "Sky");
    deliver(&mut ana, BEN, &[&from_ben]);
    deliver(&mut ben, ANA, &[&from_ana]);
    // Same counter: the higher actor wins, here as there.
    let expected = vec![(text("Sky"), BEN), (text("Blue"), ANA)];
    assert_eq!(ana.conflicts("alias"), expected);
    assert_eq!(ben.conflicts("alias"), expected);
    assert_eq!(ana.value("alias"), Some(text("Sky")));
    assert_eq!(copy_for(&ana, CAT).conflicts("alias"), expected);

    let settled = set(&mut ana, "alias", "Sky");
    deliver(&mut ben, ANA, &[&settled]);
    assert_eq!(ben.conflicts("alias"), vec![(text("Sky"), BEN)]);
    assert_eq!(ana.heads(), ben.heads());
}

#[test]
fn clearing_a_field_loses_to_a_concurrent_edit_of_it() {
    let mut ana = Document::new(ANA);
    set(&mut ana, "alias", "Blue");
    let mut ben = copy_for(&ana, BEN);
    let cleared = edit(&mut ana, |e| e.clear("alias"));
    assert_eq!(ana.value("alias"), None);
    let edited = set(&mut ben, "alias", "Sky");
    deliver(&mut ana, BEN, &[&edited]);
    deliver(&mut ben, ANA, &[&cleared]);
    assert_eq!(ana.value("alias"), Some(text("Sky")));
    assert_eq!(ana.heads(), ben.heads());
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![vec![]];
    }
    orders(count - 1)
        .into_iter()
        .flat_map(|order| {
            (0..count).map(move |place| {
                let mut order = order.clone();
                order.insert(place, count - 1);
                order
            })
        })
        .collect()
}

#[test]
fn four_concurrent_edits_converge_in_every_order_of_delivery() {
    let mut base = Document::new(ANA);
    edit(&mut base, |e| {
        e.set("alias", text("old"))?;
        e.set("language", text("es"))
    });
    let actors = [BEN, CAT, EVE, Actor([0x0d; 16])];
    let edits: Vec<Vec<u8>> = actors
        .iter()
        .enumerate()
        .map(|(i, actor)| {
            let mut phone = copy_for(&base, *actor);
            edit(&mut phone, |e| {
                e.set("alias", Value::Int(i as i64))?;
                e.set(&format!("own-{i}"), Value::Bool(true))?;
                if i == 2 {
                    e.clear("language")?;
                }
                Ok(())
            })
        })
        .collect();
    let all = orders(4);
    assert_eq!(all.len(), 24);
    let mut seen = Vec::new();
    for order in all {
        let mut phone = copy_for(&base, Actor([0x77; 16]));
        for i in order {
            deliver(&mut phone, actors[i], &[&edits[i]]);
        }
        let fields: Vec<_> = phone.fields().into_iter().map(|field| (phone.conflicts(&field), field)).collect();
        seen.push((phone.heads(), fields));
    }
    assert_eq!(seen[0].0.len(), 4);
    assert_eq!(seen[0].1.iter().find(|f| f.1 == "alias").unwrap().0.len(), 4);
    assert!(seen.iter().all(|outcome| *outcome == seen[0]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Three phones edit and gossip at random; when all have everything, all show the same.
    #[test]
    fn phones_converge(steps in proptest::collection::vec(
        (0..3_usize, 0..3_usize, 0..4_u8, 0..6_i64), 1..40,
    )) {
        let actors = [ANA, BEN, CAT];
        let mut phones = actors.map(Document::new);
        let mut sent: [Vec<Vec<u8>>; 3] = Default::default();
        for (phone, other, field, value) in steps {
            if phone == other {
                let made = phones[phone].edit(|e| match value {
                    0 => e.clear(&field.to_string()),
                    _ => e.set(&field.to_string(), Value::Int(value)),
                }).unwrap();
                if let Some(change) = &made {
                    prop_assert!(crate::document::inspect_change(change).is_ok());
                }
                sent[phone].extend(made);
            } else {
                gossip(&mut phones[phone], &actors, &sent);
            }
        }
        for phone in &mut phones {
            while gossip(phone, &actors, &sent) > 0 {}
        }
        for field in 0..4 {
            let field = field.to_string();
            prop_assert_eq!(phones[0].conflicts(&field), phones[1].conflicts(&field));
            prop_assert_eq!(phones[0].conflicts(&field), phones[2].conflicts(&field));
        }
        prop_assert_eq!(phones[0].heads(), phones[1].heads());
        prop_assert_eq!(phones[0].heads(), phones[2].heads());
        prop_assert_eq!(copy_for(&phones[0], EVE).heads(), phones[0].heads());
    }
}

/// Offers a phone every change; what is held now is offered again next time.
pub(super) fn gossip(phone: &mut Document, actors: &[Actor], sent: &[Vec<Vec<u8>>]) -> usize {
    let mut new = 0;
    for (actor, changes) in actors.iter().zip(sent) {
        for change in changes {
            match phone.apply(&[change], &[*actor]) {
                Ok(applied) => new += applied.new,
                Err(DocumentError::Held { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }
    new
}
