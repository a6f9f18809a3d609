//! A few bytes that claim a great many rows.

use automerge::Change;

use super::craft::*;
use super::*;
use crate::document::{inspect_change, limits};

const MILLIONS: i64 = 4_000_000;

/// Every run-length column that Automerge knows, with the encoding of one value in it.
const RUNS: [(&str, u64, &[u8]); 11] = [
    ("object actor", 0x01, &[0]),
    ("object counter", 0x02, &[1]),
    ("element actor", 0x11, &[0]),
    ("element counter", 0x13, &[0]),
    ("key", 0x15, &[1, b'a']),
    ("action", 0x42, &[1]),
    ("value metadata", 0x56, &[0]),
    ("predecessor group", 0x70, &[0]),
    ("predecessor actor", 0x71, &[0]),
    ("predecessor counter", 0x73, &[0]),
    ("mark name", 0xa5, &[1, b'a']),
];

/// Its two boolean columns.
const BOOLEANS: [(&str, u64); 2] = [("insert", 0x34), ("expand", 0x94)];

/// A change of `rows` puts of nothing to one key, in the fewest bytes.
fn bomb(rows: i64) -> Vec<u8> {
    let mut crafted = Crafted::simple().with_column(0x57, vec![]);
    for (spec, value) in [(0x15, &[1, b'a'][..]), (0x42, &[1]), (0x56, &[0]), (0x70, &[0])] {
        crafted = crafted.with_column(spec, run(rows, value));
    }
    crafted.with_column(0x34, unsigned(rows as u64)).bytes()
}

#[test]
fn automerge_itself_expands_a_small_change_without_limit() {
    // The positive control: this is what the rest of this file keeps out.
    let bytes = bomb(200_000);
    assert!(bytes.len() < 113, "{} bytes", bytes.len());
    let change = Change::try_from(&bytes[..]).unwrap();
    assert_eq!(change.len(), 200_000);
}

#[test]
fn millions_of_operations_are_refused_by_their_count() {
    for rows in [4_097, 1_000_000, MILLIONS, i64::from(u32::MAX), i64::MAX] {
        let bytes = bomb(rows);
        assert!(bytes.len() < 160);
        assert_eq!(inspect_change(&bytes), Err(DocumentError::TooManyOps), "{rows}");
        let mut document = Document::new(BEN);
        assert_eq!(document.apply(&[&bytes], &[ANA]), Err(DocumentError::TooManyOps));
        assert!(document.heads().is_empty());
    }
    // Below the bound the runs are counted right, and only the repeated key is at fault.
    assert_eq!(inspect_change(&bomb(4_096)), Err(DocumentError::Keys));
    let mut one = bomb(1);
    assert_eq!(inspect_change(&one).unwrap().ops, 1);
    one[8] = 2;
    assert_eq!(inspect_change(&one), Err(DocumentError::ChunkType { found: 2 }));
}

#[test]
fn no_column_of_any_type_can_claim_more_than_the_others_have() {
    let good = Crafted::simple();
    assert_eq!(inspect_change(&good.bytes()).unwrap().ops, 1);
    for (name, spec, value) in RUNS {
        let literal = [signed(-MILLIONS), value.repeat(3)].concat();
        let null = [signed(0), unsigned(MILLIONS as u64)].concat();
        let many_small = run(4_000, value).repeat(1_000);
        for content in [run(MILLIONS, value), run(i64::MAX, value), run(i64::MIN, value), literal, null, many_small] {
            let bytes = good.clone().with_column(spec, content).bytes();
            let refused = inspect_change(&bytes).unwrap_err();
            let expected: &[&str] = match spec {
                0x15 | 0x42 | 0x56 | 0x70 => &["too_many_ops", "keys"],
                0x71 | 0x73 => &["too_many_predecessors", "number"],
                _ => &["columns"],
            };
            assert!(expected.contains(&refused.code()), "{name}: {refused:?}");
        }
    }
    for (name, spec) in BOOLEANS {
        for content in
            [unsigned(MILLIONS as u64), [unsigned(0), unsigned(MILLIONS as u64)].concat(), [unsigned(1), unsigned(u64::MAX)].concat()]
        {
            let bytes = good.clone().with_column(spec, content).bytes();
            let refused = inspect_change(&bytes).unwrap_err();
            assert!(["too_many_ops", "columns"].contains(&refused.code()), "{name}: {refused:?}");
        }
    }
}

#[test]
fn one_operation_cannot_claim_millions_of_predecessors() {
    // 1 row × 4,000,000 predecessors; both their columns are runs too.
    let claimed = |rows: i64| {
        Crafted { start_op: 10, ..Crafted::simple() }
            .with_column(0x70, [signed(-1), unsigned(rows as u64)].concat())
            .with_column(0x71, run(rows, &[0]))
            .with_column(0x73, run(rows, &[0]))
            .bytes()
    };
    assert_eq!(Change::try_from(&claimed(200_000)[..]).unwrap().len(), 1);
    assert_eq!(inspect_change(&claimed(MILLIONS)), Err(DocumentError::TooManyPredecessors));
    // 4,096 rows × 4,096 predecessors.
    let product = Crafted::simple().with_column(0x42, run(4_096, &[1])).with_column(0x70, run(4_096, &unsigned(4_096)));
    assert_eq!(inspect_change(&product.bytes()), Err(DocumentError::TooManyPredecessors));
}

#[test]
fn values_cannot_share_or_outrun_the_bytes_they_claim() {
    // 4,000 texts of 50 bytes each, and only one such text.
    let shared = Crafted::simple()
        .with_column(0x42, run(4_000, &[1]))
        .with_column(0x34, unsigned(4_000))
        .with_column(0x70, run(4_000, &[0]))
        .with_column(0x15, run(-1, &[1, b'a']))
        .with_column(0x56, run(4_000, &unsigned(50 << 4 | 6)))
        .with_column(0x57, vec![b'x'; 50]);
    assert!(inspect_change(&shared.bytes()).is_err());
    let outrun = Crafted::simple().with_column(0x56, run(-1, &unsigned(u64::MAX - 9)));
    assert_eq!(inspect_change(&outrun.bytes()), Err(DocumentError::ValueType));
}

#[test]
fn bytes_beyond_the_limit_are_not_even_read() {
    let bytes = vec![0x85; limits::MAX_CHANGE_BYTES + 1];
    let refused = DocumentError::ChangeTooLarge { bytes: bytes.len() };
    assert_eq!(inspect_change(&bytes), Err(refused));
    assert_eq!(inspect_change(&bytes[1..]), Err(DocumentError::Magic));
}

#[test]
fn the_largest_honest_change_is_taken() {
    let mut document = Document::new(ANA);
    let change = edit(&mut document, |e| (0..limits::MAX_OPS_COUNT).try_for_each(|i| e.set(&format!("{i:04}"), Value::Bool(true))));
    assert_eq!(inspect_change(&change).unwrap().ops, limits::MAX_OPS_COUNT);
    deliver(&mut Document::new(BEN), ANA, &[&change]);
}
