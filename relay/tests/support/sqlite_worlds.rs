//! The two worlds on SQLite: every file of the folder.

use super::worlds::{Dice, Pair, Sample, places_in};
use rusqlite::Connection;
use satchel_relay::storage::Storage;
use satchel_relay::storage::sqlite::{Role, SqliteStorage};
use satchel_wire::{MailboxId, Row, RowId, UtcDay};
use std::collections::HashMap;
use std::path::Path;

const DAY: UtcDay = UtcDay::from_days(20_779);

/// What is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// All files after the day closed.
    Closed,
    /// All files while the day runs: what the running day shows, and is known to.
    Running,
    /// Control: all files after the day closed, and a column that counts rows up.
    Sequence,
}

/// Places of rows in all files, in the order of the table, and by page.
fn see(folder: &Path, pair: &Pair, features: &mut Vec<f64>) {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut bytes = Vec::new();
    let mut scanned = HashMap::new();
    for file in &files {
        // whole pages, so that a page keeps its number
        bytes.extend(std::fs::read(file).unwrap());
        bytes.resize(bytes.len().next_multiple_of(4096), 0);
        if file.extension().is_some_and(|extension| extension == "db") {
            let database = Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
            let mut statement = database.prepare("SELECT id FROM sealed_row NOT INDEXED").unwrap();
            let found = statement.query_map([], |row| row.get::<_, [u8; 32]>(0)).unwrap();
            for id in found {
                let place = scanned.len() as u64;
                scanned.entry(RowId::from_bytes(id.unwrap())).or_insert(place);
            }
        }
    }
    let [first, last] = places_in(&bytes, &pair.rows);
    assert_eq!(first.len(), pair.rows.len(), "every row is on the disk");
    pair.evidence(&first, features);
    pair.evidence(&last, features);
    pair.evidence(&scanned, features);
    let pages: HashMap<RowId, u64> = first.iter().map(|(id, at)| (*id, at / 4096)).collect();
    pair.shared(&pages, features);
}

/// Lives through one of two worlds and looks.
pub fn sample(seed: u64, at: &Path, look: Look) -> Sample {
    let mut dice = Dice::new(seed);
    let pair = Pair::draw(&mut dice);
    let world = dice.below(2);
    let folder = tempfile::tempdir_in(at).unwrap();
    let mailbox = MailboxId::from_bytes([1; 16]);
    let mut features = Vec::new();
    let storage = SqliteStorage::open(folder.path(), Role::Server).unwrap();
    storage.begin_day(DAY, UtcDay::from_days(0)).unwrap();
    storage.create_mailbox(&mailbox, 1 << 30, &[0; 32]).unwrap();
    pair.happen(world, &storage, mailbox, DAY);
    if look == Look::Running {
        see(folder.path(), &pair, &mut features);
        return Sample { features, world };
    }
    storage.tidy(false).unwrap();
    storage.begin_day(DAY.plus(1), UtcDay::from_days(0)).unwrap();
    storage.tidy(false).unwrap();
    see(folder.path(), &pair, &mut features);
    if look == Look::Sequence {
        let counted: HashMap<RowId, u64> =
            pair.pushes(world).iter().flatten().enumerate().map(|(number, (id, _)): (usize, &(RowId, Row))| (*id, number as u64)).collect();
        pair.evidence(&counted, &mut features);
    }
    Sample { features, world }
}
