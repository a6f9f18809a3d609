//! Two worlds: can somebody who has every byte that the relay kept tell which of two histories happened?
//!
//! Both histories of a pair have the same rows on the same day in the same lanes and sizes; who wrote which row, to which
//! record and of which kind, and so which rows were pushed together, is permuted. One of the two happens. The judge knows
//! both, looks at where the rows stand, and counts for each history how many neighbours would share an author, a record, a
//! kind. A logistic regression learns from one half of the pairs which counts matter, and is asked about the other half.

use satchel_relay::storage::{Deposit, Storage};
use satchel_wire::{Lane, MailboxId, Row, RowId, UtcDay};
use std::collections::HashMap;

/// Rows in a history.
pub const ROWS: usize = 60;
const AUTHORS: usize = 5;
const RECORDS: usize = 12;
const KINDS: usize = 4;

/// Repeatable chance.
pub struct Dice(blake3::OutputReader);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(blake3::Hasher::new_derive_key("two worlds").update(&seed.to_le_bytes()).finalize_xof())
    }
    pub fn below(&mut self, bound: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        (u64::from_le_bytes(bytes) % bound as u64) as usize
    }
    fn shuffle<T>(&mut self, values: &mut [T]) {
        for at in (1..values.len()).rev() {
            values.swap(at, self.below(at + 1));
        }
    }
}

/// What is true of one row in one history.
#[derive(Clone, Copy)]
struct Truth {
    author: usize,
    record: usize,
    kind: usize,
    push: usize,
}

/// A pair of histories over the same rows.
pub struct Pair {
    pub rows: Vec<Row>,
    worlds: [Vec<Truth>; 2],
}

impl Pair {
    pub fn draw(dice: &mut Dice) -> Self {
        let rows: Vec<Row> = (0..ROWS)
            .map(|n| {
                let mut bytes = vec![0; if n % 6 == 0 { 1024 } else { 512 }];
                dice.0.fill(&mut bytes);
                bytes[0] = Lane::Records.byte();
                Row::parse(bytes).unwrap()
            })
            .collect();
        // phones come in turns and push what they have: 3 to 8 rows, mostly of few records
        let mut story = Vec::new();
        let mut push = 0;
        while story.len() < ROWS {
            let author = dice.below(AUTHORS);
            let main = dice.below(RECORDS);
            for _ in 0..3 + dice.below(6) {
                let record = if dice.below(3) == 0 { dice.below(RECORDS) } else { main };
                story.push(Truth { author, record, kind: (record + usize::from(dice.below(4) == 0)) % KINDS, push });
            }
            push += 1;
        }
        story.truncate(ROWS);
        // sizes go with rows, so both worlds have the same
        let worlds = [0, 1].map(|_| {
            let mut order: Vec<usize> = (0..ROWS).collect();
            dice.shuffle(&mut order);
            let mut world = vec![story[0]; ROWS];
            for (truth, row) in story.iter().zip(order) {
                world[row] = *truth;
            }
            world
        });
        Self { rows, worlds }
    }

    /// The rows of each push of a world, in order.
    pub fn pushes(&self, world: usize) -> Vec<Vec<(RowId, Row)>> {
        let last = self.worlds[world].iter().map(|truth| truth.push).max().unwrap();
        let mut pushes = vec![Vec::new(); last + 1];
        for (row, truth) in self.rows.iter().zip(&self.worlds[world]) {
            pushes[truth.push].push((row.id(), row.clone()));
        }
        for push in &mut pushes {
            push.sort_unstable_by_key(|(id, _)| *id);
        }
        pushes
    }

    /// Lives through a world.
    pub fn happen(&self, world: usize, storage: &dyn Storage, mailbox: MailboxId, day: UtcDay) {
        for rows in self.pushes(world) {
            storage.deposit(&Deposit { mailbox, day, rows: &rows, room_bytes: u64::MAX, announcement: None }).unwrap();
        }
    }

    /// What speaks for world 0 and against world 1, given places of rows in some order: ranks by `place`.
    pub fn evidence(&self, places: &HashMap<RowId, u64>, found: &mut Vec<f64>) {
        let mut order: Vec<usize> = (0..ROWS).collect();
        let ids: Vec<RowId> = self.rows.iter().map(Row::id).collect();
        order.sort_by_key(|row| (places.get(&ids[*row]).copied().unwrap_or(u64::MAX), ids[*row]));
        let aspects: [fn(&Truth) -> usize; 3] = [|truth| truth.author, |truth| truth.record, |truth| truth.kind];
        for aspect in aspects {
            let count = |world: &[Truth], step: usize| {
                order.windows(step + 1).filter(|pair| aspect(&world[pair[0]]) == aspect(&world[pair[step]])).count() as f64
            };
            for step in [1, 2] {
                found.push((count(&self.worlds[0], step) - count(&self.worlds[1], step)) / 10.0);
            }
        }
        // does the place itself go with the author?
        let mean = |world: &[Truth]| {
            let sum: usize = order.iter().enumerate().filter(|(_, row)| world[**row].author == 0).map(|(rank, _)| rank).sum();
            sum as f64 / world.iter().filter(|truth| truth.author == 0).count().max(1) as f64
        };
        found.push((mean(&self.worlds[0]) - mean(&self.worlds[1])) / 10.0);
    }

    /// The same for marks that rows share or not: a transaction, a page.
    pub fn shared(&self, marks: &HashMap<RowId, u64>, found: &mut Vec<f64>) {
        let marks: Vec<Option<u64>> = self.rows.iter().map(|row| marks.get(&row.id()).copied()).collect();
        let count = |world: &[Truth]| {
            let mut count = 0;
            for one in 0..ROWS {
                for two in 0..one {
                    count += usize::from(marks[one].is_some() && marks[one] == marks[two] && world[one].author == world[two].author);
                }
            }
            count as f64
        };
        found.push((count(&self.worlds[0]) - count(&self.worlds[1])) / 30.0);
    }
}

/// What the judge saw of one pair, and which world it was.
pub struct Sample {
    pub features: Vec<f64>,
    pub world: usize,
}

/// Area under the curve of a logistic regression that learned from the first half and judges the second.
pub fn area(samples: &[Sample]) -> f64 {
    let (learned, judged) = samples.split_at(samples.len() / 2);
    let width = learned[0].features.len();
    let mut weights = vec![0.0; width + 1];
    let score = |weights: &[f64], features: &[f64]| weights[width] + features.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>();
    for round in 0..200 {
        let mut slope = vec![0.0; width + 1];
        for sample in learned {
            let error = 1.0 / (1.0 + (-score(&weights, &sample.features)).exp()) - sample.world as f64;
            for (slope, x) in slope.iter_mut().zip(sample.features.iter().chain([&1.0])) {
                *slope += error * x;
            }
        }
        let step = 2.0 / (1.0 + f64::from(round) / 50.0);
        for (weight, slope) in weights.iter_mut().zip(&slope) {
            *weight -= step * (slope / learned.len() as f64 + 1e-4 * *weight);
        }
    }
    let mut ranked: Vec<(f64, usize)> = judged.iter().map(|sample| (score(&weights, &sample.features), sample.world)).collect();
    ranked.sort_by(|one, two| one.0.total_cmp(&two.0));
    // ties count half
    let (mut sum, mut at) = (0.0, 0);
    while at < ranked.len() {
        let end = ranked[at..].iter().position(|(value, _)| *value != ranked[at].0).map_or(ranked.len(), |more| at + more);
        let rank = (at + end + 1) as f64 / 2.0;
        sum += rank * ranked[at..end].iter().filter(|(_, world)| *world == 1).count() as f64;
        at = end;
    }
    let ones = ranked.iter().filter(|(_, world)| *world == 1).count() as f64;
    let zeros = ranked.len() as f64 - ones;
    (sum - ones * (ones + 1.0) / 2.0) / (ones * zeros)
}

/// Where the rows stand in some bytes; the first and the last place of each.
pub fn places_in(bytes: &[u8], rows: &[Row]) -> [HashMap<RowId, u64>; 2] {
    let pieces: HashMap<&[u8], RowId> = rows.iter().map(|row| (&row.as_bytes()[200..208], row.id())).collect();
    // nearly no place of a file begins like a row
    let mut begins = vec![false; 1 << 16];
    let begin = |piece: &[u8]| usize::from(u16::from_le_bytes([piece[0], piece[1]]));
    for piece in pieces.keys() {
        begins[begin(piece)] = true;
    }
    let (mut first, mut last) = (HashMap::new(), HashMap::new());
    for (at, window) in bytes.windows(8).enumerate() {
        if !begins[begin(window)] {
            continue;
        }
        if let Some(id) = pieces.get(window) {
            first.entry(*id).or_insert(at as u64);
            last.insert(*id, at as u64);
        }
    }
    [first, last]
}
