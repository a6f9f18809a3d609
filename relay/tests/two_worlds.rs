//! Blindness, judged by a classifier over every byte kept. Few pairs here; `--example two_worlds` takes 20,000.
#![allow(clippy::unwrap_used)]

mod support;

use satchel_relay::storage::Storage;
use satchel_relay::storage::postgres::PostgresStorage;
use satchel_wire::{MailboxId, RowId, UtcDay};
use std::collections::HashMap;
use std::path::PathBuf;
use support::postgres::Postgres;
use support::sqlite_worlds::{Look, sample};
use support::worlds::{Dice, Pair, Sample, area};

const PAIRS: u64 = 300;
/// Over four standard errors of an area over 150 judged pairs.
const CHANCE: std::ops::RangeInclusive<f64> = 0.3..=0.7;

/// Memory rather than a disk, where there is such a place.
fn place() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

fn sqlite_area(look: Look) -> f64 {
    let samples: Vec<Sample> = (0..PAIRS).map(|seed| sample(seed, &place(), look)).collect();
    area(&samples)
}

#[test]
fn a_closed_day_in_sqlite_does_not_say_which_history_it_was() {
    let area = sqlite_area(Look::Closed);
    assert!(CHANCE.contains(&area), "{area}");
}

#[test]
fn a_sequence_column_would_say_it() {
    let area = sqlite_area(Look::Sequence);
    assert!(area > 0.8, "{area}");
}

#[test]
fn the_running_day_in_sqlite_says_it_and_disclose_says_so() {
    let area = sqlite_area(Look::Running);
    assert!(area > 0.8, "{area}");
}

const DAY: UtcDay = UtcDay::from_days(20_779);

/// Looks at where PostgreSQL has the rows of each mailbox: `ctid` order, transactions, pages.
fn postgres_samples(server: &Postgres, database: &str, table: &str, lived: &[(Pair, usize, MailboxId)]) -> Vec<Sample> {
    let statement = format!(
        "SELECT encode(mailbox, 'hex'), encode(id, 'hex'), (ctid::text::point)[0]::bigint, (ctid::text::point)[1]::bigint,
                xmin::text, cmin::text FROM {table}"
    );
    let mut places: HashMap<String, [HashMap<RowId, u64>; 4]> = HashMap::new();
    for (scanned, line) in server.sql(database, &statement).iter().enumerate() {
        let fields: Vec<&str> = line.split('|').collect();
        let id = data_encoding::HEXLOWER.decode(fields[1].as_bytes()).unwrap().try_into().unwrap();
        let number = |at: usize| fields[at].parse::<u64>().unwrap();
        let marks = [number(2) * 1_000 + number(3), number(4), number(2), scanned as u64];
        let of = places.entry(fields[0].to_owned()).or_default();
        for (place, mark) in of.iter_mut().zip(marks) {
            place.insert(RowId::from_bytes(id), mark);
        }
    }
    lived
        .iter()
        .map(|(pair, world, mailbox)| {
            let [ctid, xmin, page, scan] = &places[&data_encoding::HEXLOWER.encode(mailbox.as_bytes())];
            assert_eq!(ctid.len(), pair.rows.len());
            let mut features = Vec::new();
            for places in [ctid, xmin, scan] {
                pair.evidence(places, &mut features);
            }
            for marks in [xmin, page] {
                pair.shared(marks, &mut features);
            }
            Sample { features, world: *world }
        })
        .collect()
}

#[test]
fn a_closed_day_in_postgresql_does_not_say_it_and_a_running_one_does() {
    let Some(server) = Postgres::shared() else { return };
    let storage = PostgresStorage::open(&server.database("worlds")).unwrap();
    storage.begin_day(DAY, UtcDay::from_days(0)).unwrap();
    let mut dice = Dice::new(77);
    let mut lived = Vec::new();
    for n in 0..PAIRS {
        let mailbox = MailboxId::from_bytes(blake3::hash(&n.to_le_bytes()).as_bytes()[..16].try_into().unwrap());
        storage.create_mailbox(&mailbox, 1 << 30, &[0; 32]).unwrap();
        let pair = Pair::draw(&mut dice);
        lived.push((pair, dice.below(2), mailbox));
    }
    // all at once, as teams push on one day
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((pair, world, mailbox)) = lived.get(next.fetch_add(1, std::sync::atomic::Ordering::SeqCst)) {
                    pair.happen(*world, &storage, *mailbox, DAY);
                }
            });
        }
    });
    let side = DAY.days() % 2;
    // positive control: the tables of the running day
    let running = area(&postgres_samples(server, "worlds", &format!("arrived_{side}"), &lived));
    assert!(running > 0.8, "{running}");
    let old_file = server.sql("worlds", &format!("SELECT pg_relation_filepath('arrived_{side}')"));
    storage.begin_day(DAY.plus(1), UtcDay::from_days(0)).unwrap();
    let closed = area(&postgres_samples(server, "worlds", "sealed_row", &lived));
    assert!(CHANCE.contains(&closed), "{closed}");
    // the day's tables have new, empty files, and the old ones hold nothing any more
    assert_ne!(server.sql("worlds", &format!("SELECT pg_relation_filepath('arrived_{side}')")), old_file);
    for table in ["arrived_0", "arrived_1", "today_0", "today_1"] {
        assert_eq!(server.sql("worlds", &format!("SELECT pg_relation_size('{table}')")), ["0"], "{table}");
    }
    server.sql("worlds", "CHECKPOINT");
    let left = std::fs::metadata(server.folder.join("data").join(&old_file[0])).map_or(0, |found| found.len());
    assert_eq!(left, 0);
    // one transaction for each mailbox and day
    let transactions = server.sql("worlds", "SELECT count(DISTINCT xmin::text), count(DISTINCT mailbox) FROM sealed_row");
    assert_eq!(transactions, [format!("{PAIRS}|{PAIRS}")]);
    // no statistics hold pieces of rows or ids
    server.sql("worlds", "ANALYZE");
    let sampled =
        "SELECT attname FROM pg_stats WHERE tablename = 'sealed_row' AND (most_common_vals IS NOT NULL OR histogram_bounds IS NOT NULL)
        AND attname IN ('bytes', 'id')";
    assert!(server.sql("worlds", sampled).is_empty());
}
