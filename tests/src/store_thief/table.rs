//! The table: everything in force, and each rule left out in turn.

use super::history::{Outcome, run};
use satchel_core::rules::Rule;
use std::fmt::Write;

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Line {
    /// The rules that are left out.
    pub without: Vec<Rule>,
    /// What was counted.
    pub outcome: Outcome,
}

/// Every line: nothing left out, then the rules that keep what is erased away from whole stores.
pub fn lines() -> Vec<Vec<Rule>> {
    let singles = [
        Rule::ReplaceStoreKey,
        Rule::EraseLateArrivals,
        Rule::DestroyParents,
        Rule::ReplaceReceivingKey,
        Rule::PromiseOnlyHeld,
        Rule::CompleteLog,
        Rule::EscrowRecovery,
        Rule::NameKnownBans,
        Rule::FreshKeyAfterBan,
    ];
    let sets = [vec![Rule::DestroyLacking, Rule::DestroyParents, Rule::PromiseOnlyHeld], vec![Rule::DestroyLacking, Rule::PromiseOnlyHeld]];
    std::iter::once(Vec::new()).chain(singles.map(|rule| vec![rule])).chain(sets).collect()
}

/// The name of a line.
pub fn name(without: &[Rule]) -> String {
    let names: Vec<String> = without.iter().map(|rule| format!("{rule:?}")).collect();
    if names.is_empty() { "none".into() } else { names.join("+") }
}

impl Outcome {
    /// What should not be, in a line.
    pub fn effects(&self) -> String {
        format!(
            "open {} removed {} package {} paper {} recovered {} unread {} not recovered {} unsettled {} {}",
            self.open_after_settlement,
            self.removed_read,
            self.package_open,
            self.paper_open,
            self.recovered_open,
            self.unread,
            self.recovered_unread,
            self.erasures - self.settled,
            self.first_find.as_deref().unwrap_or_default()
        )
    }
}

/// The table as Markdown.
pub fn markdown(lines: &[Line]) -> String {
    let heads = [
        "left out",
        "histories (with a find)",
        "erasures settled / written",
        "open before (control)",
        "held, by a wire page, by board and paper (controls)",
        "thefts after settlement / opened",
        "removed phones / texts read on / of the unaware (control)",
        "packages / open / of before (control)",
        "texts open to paper alone",
        "teams brought back / records missing / erased ones back or open",
        "live unread",
        "ciphertexts",
    ];
    let mut out = format!("| {} |\n|{}\n", heads.join(" | "), "---|".repeat(heads.len()));
    for Line { without, outcome } in lines {
        let cells = [
            name(without).replace('+', " + "),
            format!("{} ({})", outcome.histories, outcome.with_find),
            format!("{} / {}", outcome.settled, outcome.erasures),
            outcome.controls.to_string(),
            format!("{}, {}, {}", outcome.held_controls, outcome.page_controls, outcome.escrow_controls),
            format!("{} / {}", outcome.thefts, outcome.open_after_settlement),
            format!("{} / {} / {}", outcome.removed, outcome.removed_read, outcome.removed_controls),
            format!("{} / {} / {}", outcome.packages, outcome.package_open, outcome.package_controls),
            outcome.paper_open.to_string(),
            format!("{} / {} / {}", outcome.recovered, outcome.recovered_unread, outcome.recovered_open),
            format!("{} of {}", outcome.unread, outcome.live),
            outcome.ciphertexts.to_string(),
        ];
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

/// Runs one history with some rules left out, or none.
pub fn history(seed: u64, without: &[Rule]) -> Outcome {
    let mut outcome = run(seed, without, false);
    outcome.with_find = usize::from(outcome.first_find.is_some());
    outcome.first_find = outcome.first_find.map(|find| format!("seed {seed}: {find}"));
    outcome
}
