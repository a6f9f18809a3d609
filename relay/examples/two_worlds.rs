//! `cargo run --release -p satchel-relay --example two_worlds -- 20000`: the two-world test over many pairs.
#![allow(clippy::unwrap_used, clippy::print_stdout, dead_code, missing_docs)]

#[path = "../tests/support/sqlite_worlds.rs"]
mod sqlite_worlds;
#[path = "../tests/support/worlds.rs"]
mod worlds;

use sqlite_worlds::{Look, sample};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let pairs: u64 = arguments.next().map_or(20_000, |text| text.parse().unwrap());
    let place = arguments.next().unwrap_or_else(|| "/dev/shm".to_owned());
    for (look, pairs) in [(Look::Closed, pairs), (Look::Sequence, pairs.min(2_000)), (Look::Running, pairs.min(2_000))] {
        let next = AtomicU64::new(0);
        let samples = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::SeqCst);
                        if seed >= pairs {
                            return;
                        }
                        let taken = sample(seed + 1_000_000, place.as_ref(), look);
                        samples.lock().unwrap().push(taken);
                    }
                });
            }
        });
        println!("{look:?}: area {:.3} over {pairs} pairs, half of them judged", worlds::area(&samples.lock().unwrap()));
    }
}
