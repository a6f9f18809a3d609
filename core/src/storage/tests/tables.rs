//! What is written comes back, and tables keep their promises to each other.

use super::*;
use crate::storage::{StorageError, Table};
use satchel_wire::{OperationId, RowId};

fn note(seen: &mut Vec<String>, line: String) -> Result<(), StorageError> {
    seen.push(line);
    Ok(())
}

#[test]
fn every_table_returns_what_was_put_and_forgets_what_was_removed() {
    let (_folder, dir) = place();
    let mut database = Database::create(&dir).unwrap();
    let (rec, body) = (record(1), BodyId::of(b"body"));
    let (operation, row) = (OperationId::from_bytes([7; 32]), RowId::of(b"row"));
    database
        .transaction(|tx| {
            tx.put_meta("root", b"root 1")?;
            tx.put_meta("root", b"root 2")?;
            tx.put_page(&page(1), b"page")?;
            tx.put_tail(&rec, &page(1), b"tail")?;
            assert!(tx.put_body(&rec, &body, b"body")?);
            assert!(!tx.put_body(&rec, &body, b"another")?, "a body never changes");
            tx.add_draft(&rec, 0, b"draft 0")?;
            tx.add_draft(&rec, 1, b"draft 1")?;
            tx.put_document(&rec, b"snapshot 1")?;
            tx.put_document(&rec, b"snapshot 2")?;
            tx.put_segment(3, b"segment")?;
            assert!(tx.put_operation(&operation, b"operation")?);
            assert!(!tx.put_operation(&operation, b"again")?);
            assert!(tx.put_held(&row, b"held")?);
            assert_eq!((tx.add_outbox(b"first")?, tx.add_outbox(b"second")?), (0, 1));
            Ok::<(), StorageError>(())
        })
        .unwrap();
    database.close().unwrap();

    let mut database = Database::open(&dir).unwrap();
    database
        .read(|reader| {
            assert_eq!(reader.meta("root")?.unwrap(), b"root 2");
            assert_eq!(reader.meta("other")?, None);
            assert_eq!(reader.page(&page(1))?.unwrap(), b"page");
            assert_eq!(reader.page_of(&rec)?, Some(page(1)));
            assert_eq!(reader.tail(&rec)?.unwrap(), b"tail");
            assert_eq!(reader.tails_of(&page(1))?, [(rec, b"tail".to_vec())]);
            assert_eq!(reader.body(&rec, &body)?.unwrap(), b"body");
            assert!(reader.has_body(&rec, &body)? && !reader.has_body(&record(2), &body)?);
            assert_eq!(reader.bodies_of(&rec)?, [body]);
            assert_eq!(reader.document(&rec)?.unwrap(), b"snapshot 2");
            assert_eq!(reader.segment(3)?.unwrap(), b"segment");
            assert_eq!(reader.operation(&operation)?.unwrap(), b"operation");
            assert_eq!(reader.held(&row)?.unwrap(), b"held");
            assert_eq!(reader.held_usage()?, crate::storage::Usage { count: 1, bytes: 4 });
            let mut seen = Vec::new();
            reader.for_each_page(|id, sealed| note(&mut seen, format!("{id:?}:{}", sealed.len())))?;
            reader.for_each_record(|id, page| note(&mut seen, format!("{id}:{page:?}")))?;
            reader.for_each_tail(|page, id, sealed| note(&mut seen, format!("{page:?}:{id}:{}", sealed.len())))?;
            reader.for_each_body(|id, body, sealed| note(&mut seen, format!("{id}:{body}:{}", sealed.len())))?;
            reader.for_each_body_of(&rec, |body, sealed| note(&mut seen, format!("{body}:{}", sealed.len())))?;
            reader.for_each_draft(|id, number, sealed| note(&mut seen, format!("{id}:{number}:{}", sealed.len())))?;
            reader.for_each_draft_of(&rec, |number, sealed| note(&mut seen, format!("{number}:{}", sealed.len())))?;
            reader.for_each_document(|id, sealed| note(&mut seen, format!("{id}:{}", sealed.len())))?;
            reader.for_each_segment(|number, sealed| note(&mut seen, format!("{number}:{}", sealed.len())))?;
            reader.for_each_operation(|id, sealed| note(&mut seen, format!("{id}:{}", sealed.len())))?;
            reader.for_each_held(|id, sealed| note(&mut seen, format!("{id}:{}", sealed.len())))?;
            reader.for_each_outbox(|number, sealed| note(&mut seen, format!("{number}:{}", sealed.len())))?;
            let page = page(1);
            let expected = [
                format!("{page:?}:4"),
                format!("{rec}:{page:?}"),
                format!("{page:?}:{rec}:4"),
                format!("{rec}:{body}:4"),
                format!("{body}:4"),
                format!("{rec}:0:7"),
                format!("{rec}:1:7"),
                "0:7".into(),
                "1:7".into(),
                format!("{rec}:10"),
                "3:7".into(),
                format!("{operation}:9"),
                format!("{row}:4"),
                "0:5".into(),
                "1:6".into(),
            ];
            assert_eq!(seen, expected);
            Ok::<(), StorageError>(())
        })
        .unwrap();

    database
        .transaction(|tx| {
            assert!(tx.remove_meta("root")? && !tx.remove_meta("root")?);
            assert_eq!(tx.remove_drafts_up_to(&rec, 0)?, 1);
            assert!(tx.remove_draft(&rec, 1)? && tx.remove_document(&rec)? && tx.remove_body(&rec, &body)?);
            assert!(tx.remove_record(&rec)? && !tx.remove_record(&rec)?);
            assert!(tx.remove_page(&page(1))? && !tx.remove_page(&page(1))?);
            assert!(tx.remove_segment(3)? && tx.remove_held(&row)?);
            assert!(tx.reseal_operation(&operation, b"resealed")?);
            assert_eq!(tx.operation(&operation)?.unwrap(), b"resealed");
            assert!(tx.remove_outbox(0)? && tx.remove_outbox(1)?);
            assert_eq!(tx.counts()?, crate::storage::Counts { operations: 1, ..Default::default() });
            Ok::<(), StorageError>(())
        })
        .unwrap();
    database.check().unwrap();
}

#[test]
fn folding_moves_every_record_to_the_fresh_page_and_drops_its_tails() {
    let (_folder, dir) = place();
    let mut database = Database::create(&dir).unwrap();
    database
        .transaction(|tx| {
            tx.put_page(&page(1), b"old")?;
            tx.put_page(&page(2), b"other")?;
            for number in 0..128 {
                tx.put_record(&record(number), &page(1))?;
            }
            tx.put_tail(&record(5), &page(1), b"newer")?;
            tx.put_tail(&record(5), &page(1), b"newest")?;
            tx.put_tail(&record(200), &page(2), b"elsewhere")?;
            tx.fold_page(&page(1), &page(3), b"rewritten")?;
            assert_eq!(tx.page(&page(1))?, None);
            assert_eq!(tx.page(&page(3))?.unwrap(), b"rewritten");
            for number in 0..128 {
                assert_eq!(tx.page_of(&record(number))?, Some(page(3)));
            }
            assert_eq!(tx.tail(&record(5))?, None);
            assert_eq!(tx.tail(&record(200))?.unwrap(), b"elsewhere");

            // A record that moves leaves no tail behind.
            tx.put_tail(&record(200), &page(3), b"moved")?;
            assert!(tx.tails_of(&page(2))?.is_empty());
            tx.put_record(&record(200), &page(2))?;
            assert!(tx.tails_of(&page(3))?.is_empty());
            assert_eq!(tx.counts()?.tails, 0);
            Ok::<(), StorageError>(())
        })
        .unwrap();
    let absent = StorageError::Absent { table: Table::Page };
    assert_eq!(database.transaction(|tx| tx.fold_page(&page(9), &page(10), b"")), Err(absent));
    assert_eq!(database.transaction(|tx| tx.put_record(&record(1), &page(9))), Err(absent));
    assert_eq!(database.transaction(|tx| tx.put_tail(&record(1), &page(9), b"")), Err(absent));
    assert_eq!(database.transaction(|tx| tx.fold_page(&page(2), &page(3), b"")), Err(StorageError::Conflict));
    assert_eq!(database.transaction(|tx| tx.remove_page(&page(3))), Err(StorageError::Conflict), "records still point at it");
    database.check().unwrap();
}

#[test]
fn ids_that_share_their_first_bytes_are_kept_apart() {
    let (_folder, dir) = place();
    let mut database = Database::create(&dir).unwrap();
    let twin = |last: u8| {
        let mut id = [0xff; 16];
        id[15] = last;
        id
    };
    database
        .transaction(|tx| {
            for last in 0..50 {
                tx.put_page(&PageId::from_bytes(twin(last)), &[last])?;
                tx.put_document(&RecordId::from_bytes(twin(last)), &[last])?;
            }
            for last in 0..50 {
                assert_eq!(tx.page(&PageId::from_bytes(twin(last)))?.unwrap(), [last]);
                assert_eq!(tx.document(&RecordId::from_bytes(twin(last)))?.unwrap(), [last]);
            }
            Ok::<(), StorageError>(())
        })
        .unwrap();
}

#[test]
fn values_over_the_limit_are_refused_on_writing_and_on_reading() {
    let (_folder, dir) = place();
    let mut database = Database::create(&dir).unwrap();
    let (rec, limit_bytes) = (record(1), Table::Body.limit_bytes());
    let whole = noise(1, limit_bytes);
    database.transaction(|tx| tx.put_body(&rec, &BodyId::of(b"1"), &whole)).unwrap();
    assert_eq!(database.read(|r| r.body(&rec, &BodyId::of(b"1"))).unwrap().unwrap(), whole);
    let too_large = StorageError::TooLarge { table: Table::Body, limit_bytes };
    let larger = noise(1, limit_bytes + 1);
    assert_eq!(database.transaction(|tx| tx.put_body(&rec, &BodyId::of(b"2"), &larger)), Err(too_large));

    // The same value put there by someone who does not ask us.
    let id = BodyId::of(b"2");
    let sql = "INSERT INTO body VALUES (?1, ?2, ?3)";
    database.connection.execute(sql, rusqlite::params![rec.as_bytes(), id.as_bytes(), larger]).unwrap();
    assert_eq!(database.read(|r| r.body(&rec, &BodyId::of(b"2"))), Err(too_large));
    assert_eq!(database.read(|r| r.for_each_body(|_, _, _| Ok::<(), StorageError>(()))), Err(too_large));
    assert_eq!(database.read(|r| r.bodies_of(&rec)).unwrap().len(), 2);
}

#[test]
fn an_error_of_the_caller_rolls_back_and_comes_out_as_it_went_in() {
    #[derive(Debug, PartialEq)]
    enum Theirs {
        Own,
        Storage(StorageError),
    }
    impl From<StorageError> for Theirs {
        fn from(error: StorageError) -> Self {
            Self::Storage(error)
        }
    }
    let (_folder, dir) = place();
    let mut database = Database::create(&dir).unwrap();
    let outcome = database.transaction(|tx| {
        tx.put_meta("root", b"1")?;
        Err::<(), Theirs>(Theirs::Own)
    });
    assert_eq!(outcome, Err(Theirs::Own));
    assert_eq!(database.read(|r| r.meta("root")).unwrap(), None);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        database.transaction(|tx| -> Result<(), StorageError> {
            tx.put_meta("root", b"2")?;
            panic!("the caller's own");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(database.read(|r| r.meta("root")).unwrap(), None);
    database.transaction(|tx| tx.put_meta("root", b"3")).unwrap();
    assert_eq!(database.read(|r| r.meta("root")).unwrap().unwrap(), b"3");
    let twice = database.transaction(|tx| {
        tx.add_draft(&record(1), 1, b"")?;
        tx.add_draft(&record(1), 1, b"")
    });
    assert_eq!(twice, Err(StorageError::Conflict));
    assert_eq!(database.read(|r| r.counts()).unwrap().drafts, 0);
}
