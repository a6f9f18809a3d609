//! Cases about the columns.

use super::super::craft::*;
use super::super::*;
use super::{Case, settling};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name, expect, comment, change: Vec<u8>| {
        cases.push(Case { name, comment, change, expect });
    };
    let good = Crafted::simple();
    let settle = Crafted::parse(&settling());
    let mut columns = good.columns.clone();
    columns[0].0 |= 8;
    add("column-deflated", "deflated_column", "the key column is marked as deflated", Crafted { columns, ..good.clone() }.bytes());
    let mut columns = good.columns.clone();
    columns.swap(0, 1);
    add("columns-unsorted", "columns", "the first two columns are swapped", Crafted { columns, ..good.clone() }.bytes());
    let mut columns = good.columns.clone();
    columns.insert(0, columns[0].clone());
    add("column-repeated", "columns", "the key column twice", Crafted { columns, ..good.clone() }.bytes());
    let mut columns = good.columns.clone();
    columns.push((0x71, vec![]));
    add("column-empty", "columns", "a column of no bytes", Crafted { columns, ..good.clone() }.bytes());
    for (name, spec, content) in [
        ("column-object", 0x02, vec![0x7f, 1]),
        ("column-element", 0x13, vec![0x7f, 0]),
        ("column-expand", 0x94, vec![0, 1]),
        ("column-mark", 0xa5, vec![0x7f, 1, b'm']),
        ("column-unknown", 0xff2, vec![0x7f, 0]),
    ] {
        let bytes = good.clone().with_column(spec, content).bytes();
        add(name, "columns", "a column that a flat map of scalars does not have", bytes);
    }
    add(
        "extra",
        "trailing_bytes",
        "bytes behind the columns, where Automerge keeps an author",
        Crafted { extra: vec![1, 1, 65], ..good.clone() }.bytes(),
    );
    let column = |spec, content| good.clone().with_column(spec, content).bytes();
    let millions = 4_000_000_i64;
    for (name, spec, value) in
        [("bomb-key", 0x15, vec![1, b'a']), ("bomb-action", 0x42, vec![1]), ("bomb-value", 0x56, vec![0]), ("bomb-group", 0x70, vec![0])]
    {
        add(name, "too_many_ops", "a run of 4,000,000 rows", column(spec, run(millions, &value)));
    }
    add("bomb-insert", "too_many_ops", "4,000,000 times false", column(0x34, unsigned(4_000_000)));
    add("bomb-null", "too_many_ops", "4,000,000 null rows", column(0x42, [vec![0], unsigned(4_000_000)].concat()));
    add("bomb-literal", "too_many_ops", "4,000,000 values announced, one there", column(0x42, run(-millions, &[1])));
    add("bomb-minimum", "too_many_ops", "the lowest signed number as a count", column(0x42, run(i64::MIN, &[1])));
    add(
        "bomb-predecessors",
        "too_many_predecessors",
        "one row that replaces 4,000,000 values",
        column(0x70, [vec![0x7f], unsigned(4_000_000)].concat()),
    );
    add("bomb-predecessor-actor", "too_many_predecessors", "a run of 4,000,000 predecessors' actors", column(0x71, run(millions, &[0])));
    add(
        "bomb-predecessor-counter",
        "too_many_predecessors",
        "a run of 4,000,000 predecessors' counters",
        Crafted { start_op: 9, ..good.clone() }.with_column(0x73, run(millions, &[1])).bytes(),
    );
    add("rows-key-missing", "rows", "no key column", column(0x15, vec![]));
    add("rows-null", "rows", "a null action", column(0x42, vec![0, 1]));
    add("rows-two-inserts", "rows", "two rows of inserts, one operation", column(0x34, vec![2]));
    add("rows-zero-run", "rows", "a null run of no rows", column(0x42, vec![0x7f, 1, 0, 0]));
    add("rows-predecessor-missing", "rows", "a predecessor is counted, not given", column(0x70, vec![0x7f, 1]));
    for (name, action) in [("action-make", 0), ("action-list", 2), ("action-increment", 5), ("action-mark", 7), ("action-unknown", 8)] {
        add(name, "action", "neither put nor delete", column(0x42, vec![0x7f, action]));
    }
    add("insert", "action", "an insertion, which only lists have", column(0x34, vec![0, 1]));
    add("key-empty", "keys", "an empty key", column(0x15, vec![0x7f, 0]));
    add("key-long", "keys", "a key of 65 bytes", column(0x15, [vec![0x7f], prefixed(&[b'k'; 65])].concat()));
    add("key-space", "keys", "a key with a space", column(0x15, vec![0x7f, 1, b' ']));
    let settle_keys = |content| settle.clone().with_column(0x15, content).bytes();
    add("keys-repeated", "keys", "one key twice", settle_keys(run(4, &[1, b'a'])));
    add("keys-unsorted", "keys", "keys not ascending", settle_keys(vec![0x7c, 1, b'd', 1, b'c', 1, b'b', 1, b'a']));
    for (name, meta) in [
        ("value-uint", 0x13),
        ("value-float", 0x85),
        ("value-counter", 0x18),
        ("value-timestamp", 0x19),
        ("value-unknown", 0x1f),
        ("value-null-sized", 0x10),
    ] {
        let content = if meta == 0x85 { vec![0x7f, 0x85, 0x01] } else { vec![0x7f, meta] };
        add(name, "value_type", "a type that is not written here, or a size it cannot have", column(0x56, content));
    }
    add("value-short", "value_type", "a text longer than its column", column(0x56, vec![0x7f, 0x26]));
    add("value-rest", "value_type", "a column longer than its text", column(0x57, b"xy".to_vec()));
    add("value-utf8", "malformed", "a text that is not UTF-8", column(0x57, vec![0xff]));

    add(
        "runs-not-merged",
        "not_canonical",
        "equal actions as single values, not as a run",
        settle.clone().with_column(0x42, vec![0x7d, 1, 1, 1, 0x7f, 3]).bytes(),
    );
    add("delete-with-value", "not_canonical", "a delete that carries a value", column(0x42, vec![0x7f, 3]));
    let settle_actor = |content| settle.clone().with_column(0x71, content).bytes();
    add("predecessor-actor", "other_actors", "an actor that is not listed", settle_actor(run(3, &[2])));
    let others = vec![BEN.0.to_vec(), CAT.0.to_vec()];
    add("other-actor-unused", "other_actors", "an actor is listed that no operation names", Crafted { others, ..settle.clone() }.bytes());
    add("predecessor-future", "number", "a predecessor not before the change", settle.clone().with_column(0x73, run(3, &[99])).bytes());
    add("predecessor-zero", "number", "a predecessor with counter 0", settle.clone().with_column(0x73, run(3, &[0])).bytes());

    cases
}
