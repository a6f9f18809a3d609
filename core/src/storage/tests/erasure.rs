//! What is deleted is in no file.

use super::*;
use crate::storage::StorageError;

/// Stores marked values in every table that holds people's data, deletes them, and says whether the
/// marks could be found before and after.
fn traces(secure_delete: bool) -> (bool, bool) {
    let (_folder, dir) = place();
    let mut database = Database::create(&dir).unwrap();
    fill(&mut database, 300);
    if !secure_delete {
        database.connection.execute_batch("PRAGMA secure_delete = OFF").unwrap();
    }
    let rec = record(150);
    // Small ones share a page with others, large ones have pages of their own.
    let marked: Vec<Vec<u8>> = [40, 361, 900, 5_000, 60_000].iter().map(|length| noise(9_000 + length, *length as usize)).collect();
    database
        .transaction(|tx| {
            for sealed in &marked {
                tx.put_body(&rec, &BodyId::of(sealed), sealed)?;
            }
            tx.put_tail(&rec, &page(1), &noise(1_001, 200))?;
            tx.add_draft(&rec, 1, &noise(1_002, 200))?;
            tx.put_document(&rec, &noise(1_003, 2_000))?;
            tx.put_meta("root", &noise(1_004, 9_000))
        })
        .unwrap();
    database.checkpoint().unwrap();
    let mut needles: Vec<Vec<u8>> = marked.iter().map(|sealed| sealed[sealed.len() - 32..].to_vec()).collect();
    needles.extend(
        [(1_001, 200), (1_002, 200), (1_003, 2_000), (1_004, 9_000)].map(|(seed, length)| noise(seed, length)[length - 32..].to_vec()),
    );
    needles.push(noise(128, 14_080)[14_000..14_032].to_vec());
    let before = needles.iter().all(|needle| contains(&dir, needle));
    database
        .transaction(|tx| {
            tx.remove_record(&rec)?;
            tx.fold_page(&page(1), &page(77), &noise(1_005, 14_080))?;
            tx.put_meta("root", &noise(1_006, 9_000))
        })
        .unwrap();
    database.checkpoint().unwrap();
    assert_eq!(std::fs::metadata(dir.join("store.sqlite-wal")).map_or(0, |wal| wal.len()), 0);
    let after = needles.iter().any(|needle| contains(&dir, needle));
    (before, after)
}

#[test]
fn deleted_bytes_are_in_no_file_after_a_checkpoint() {
    assert_eq!(traces(true), (true, false));
    assert_eq!(traces(false), (true, true), "positive control: without secure_delete they are found");
}

#[test]
fn before_the_checkpoint_the_log_still_holds_them() {
    let (_folder, dir) = place();
    let mut database = Database::create(&dir).unwrap();
    let sealed = noise(1, 361);
    let id = BodyId::of(&sealed);
    database.transaction(|tx| tx.put_body(&record(1), &id, &sealed)).unwrap();
    database.transaction(|tx| tx.remove_record(&record(1))).unwrap();
    assert!(contains(&dir, &sealed[..32]), "this is why erasure ends with a checkpoint");
    database.close().unwrap();
    assert!(!contains(&dir, &sealed[..32]));
    assert_eq!(files(&dir).into_keys().collect::<Vec<_>>(), ["store.sqlite"]);
}

#[test]
fn no_column_tells_more_than_ids_pages_and_numbers() {
    let (_folder, dir) = place();
    let mut database = Database::create(&dir).unwrap();
    let mut columns = database
        .read(|r| {
            let mut statement = r.connection.prepare(
                "SELECT t.name || '.' || c.name || ' ' || c.type FROM pragma_table_list t JOIN pragma_table_info(t.name) c
                 WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%' AND c.name NOT IN ('sealed', 'record_id')",
            )?;
            let names = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
            Ok::<_, StorageError>(names)
        })
        .unwrap();
    columns.sort();
    let expected = [
        "body.body_id BLOB",
        "document.number INTEGER",
        "draft.number INTEGER",
        "held.row_id BLOB",
        "ledger.segment INTEGER",
        "meta.name TEXT",
        "operation.op_id BLOB",
        "outbox.number INTEGER",
        "page.number INTEGER",
        "page.page_id BLOB",
        "record.page INTEGER",
        "tail.page INTEGER",
    ];
    assert_eq!(columns, expected);
}
