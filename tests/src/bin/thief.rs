//! The long run of the thief: `thief --histories N --seed S --threads T [--only RULE] [--trace SEED]`.
//!
//! Prints the table of rules left out, as Markdown.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people to read")]

use satchel_core::rules::Rule;
use satchel_tests::thief::{Setup, line, markdown, run};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let value = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).cloned();
    let number = |name: &str, default: u64| value(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let only = value("--only");
    let rules = std::iter::once(None).chain(Rule::ALL.into_iter().map(Some));
    let wanted = |rule: &Option<Rule>| only.as_ref().is_none_or(|only| rule.map_or("none".into(), |rule| format!("{rule:?}")) == *only);
    if let Some(seed) = value("--trace").and_then(|text| text.parse().ok()) {
        let without = rules.filter(wanted).flatten().take(usize::from(only.is_some())).collect();
        let (outcome, trace) = run(seed, &Setup { without, is_traced: true, is_exhaustive: args.iter().any(|arg| arg == "--exhaustive") });
        println!("{}\n{outcome:#?}", trace.join("\n"));
        return;
    }
    let (histories, seed, threads) = (number("--histories", 200), number("--seed", 1), number("--threads", 1));
    // the rule that holds is run at full length, each mutation on a share of it
    let share = number("--mutants", (histories / 10).max(1));
    let mut lines = Vec::new();
    for rule in rules.filter(wanted) {
        let count = if rule.is_none() { histories } else { share };
        let done = line(rule, seed..seed + count, usize::try_from(threads).unwrap_or(1));
        eprintln!("{rule:?}: {:?}", done.outcome);
        lines.push(done);
    }
    println!("{}", markdown(&lines));
}
