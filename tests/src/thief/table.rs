//! The table: every rule left out in turn.

use super::{Outcome, Setup, run};
use satchel_core::rules::Rule;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Line {
    /// The rule that is left out.
    pub without: Option<Rule>,
    /// What was counted.
    pub outcome: Outcome,
}

/// Runs some histories with one rule left out, or none, on some threads.
pub fn line(without: Option<Rule>, seeds: std::ops::Range<u64>, threads: usize) -> Line {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut sum = Outcome::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return sum;
            }
            // one history in 64 tries every key on every box, to show that what turns state of their recipients is all there is
            let setup = Setup { without: without.into_iter().collect(), is_traced: false, is_exhaustive: seed.is_multiple_of(64) };
            let mut outcome = run(seed, &setup).0;
            outcome.first_find = outcome.first_find.map(|find| format!("seed {seed}: {find}"));
            sum.add(outcome);
        }
    };
    let mut outcome = Outcome::default();
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        for thread in running {
            outcome.add(thread.join().expect("a history that ends"));
        }
    });
    Line { without, outcome }
}

/// The table as Markdown.
pub fn markdown(lines: &[Line]) -> String {
    let mut out = String::from(
        "| rule off | histories | erasures settled / written | open after settlement | removed devices that read on | beyond a cut, shown | old packs taken | live unread | controls: open before, removed read before | turns, boxes, asks per history |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for Line { without, outcome } in lines {
        let name = without.map_or("none".to_owned(), |rule| format!("{rule:?}"));
        let each = |count: usize| count as f64 / outcome.histories.max(1) as f64;
        let _ = writeln!(
            out,
            "| {name} | {} | {} / {} | {} | {} / {} | {} | {} | {} / {} | {} / {}, {} / {} | {:.1}, {:.1}, {:.1} |",
            outcome.histories,
            outcome.settled,
            outcome.erasures,
            outcome.open_after_settlement,
            outcome.removed_read,
            outcome.removed,
            outcome.beyond_cut,
            outcome.old_packs_taken,
            outcome.unread,
            outcome.live,
            outcome.controls,
            outcome.erasures,
            outcome.removed_controls,
            outcome.removed,
            each(outcome.turns),
            each(outcome.boxes),
            each(outcome.asks),
        );
    }
    out
}
