//! The long run of the thief: `thief --histories N --mutants M --seed S [--minutes T] [--only NAME,NAME+NAME] [--rivals] [--trace SEED [--calm] [--exhaustive] [--cross-check] [--without-paper]]`.
//!
//! Prints the table of rules left out, as Markdown, and to the other stream every seed in which something showed. With
//! `--minutes` a line ends early, so that the first one, with every rule, gets half of the time.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods, reason = "a program for people to read")]

use satchel_tests::thief::{Line, Outcome, Setup, history_with, lines, markdown, name, run};
use std::time::{Duration, Instant};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let value = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).cloned();
    let number = |name: &str, default: u64| value(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let only: Option<Vec<String>> = value("--only").map(|only| only.split(',').map(str::to_owned).collect());
    let wanted: Vec<_> = lines().into_iter().filter(|set| only.as_ref().is_none_or(|only| only.contains(&name(set)))).collect();
    let has_rivals = args.iter().any(|arg| arg == "--rivals");
    if let Some(seed) = value("--trace").and_then(|text| text.parse().ok()) {
        let without = wanted.into_iter().next().unwrap_or_default();
        let (outcome, trace) = run(
            seed,
            &Setup {
                without,
                has_rivals,
                is_traced: true,
                is_calm: args.iter().any(|arg| arg == "--calm"),
                is_exhaustive: args.iter().any(|arg| arg == "--exhaustive"),
                is_cross_checked: args.iter().any(|arg| arg == "--cross-check"),
                is_without_paper: args.iter().any(|arg| arg == "--without-paper"),
            },
        );
        println!("{}\n{outcome:#?}", trace.join("\n"));
        return;
    }
    let (histories, seed) = (number("--histories", 200), number("--seed", 1));
    // what holds is run at full length, each mutation on a share of it
    let share = number("--mutants", (histories / 10).max(1));
    let budget = Duration::from_secs(60 * number("--minutes", 24 * 60));
    let mutants = u32::try_from(wanted.len().saturating_sub(1).max(1)).unwrap_or(1);
    let mut done: Vec<Line> = Vec::new();
    for without in wanted {
        let (count, time) = if without.is_empty() { (histories, budget / 2) } else { (share, budget / 2 / mutants) };
        let (began, mut outcome) = (Instant::now(), Outcome::default());
        for seed in seed..seed + count {
            let one = history_with(seed, &without, has_rivals);
            if one.has_effect() {
                eprintln!("{} seed {seed}: {}", name(&without), one.effects());
            }
            outcome.add(one);
            if began.elapsed() > time {
                break;
            }
        }
        done.push(Line { without, outcome });
        // all so far, in case that somebody ends the run
        println!("{}", markdown(&done));
    }
}
