//! The table: every rule left out in turn.

use super::{Outcome, Setup, run};
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

/// Rules that are one thing only together, or of which one takes over when another is missing.
pub const SETS: [&[Rule]; 6] = [
    &[Rule::NameKnownBans, Rule::NoBannedRecipient],
    &[Rule::DestroyLacking, Rule::DestroyParents],
    &[Rule::DestroyLacking, Rule::PromiseOnlyHeld],
    &[Rule::DestroyLacking, Rule::DestroyParents, Rule::PromiseOnlyHeld],
    &[Rule::ReplaceReceivingKey, Rule::ReceivingKeyFloor],
    &[Rule::EraseLateArrivals, Rule::HoldBeyondCut],
];

/// Every line of the table: nothing left out, each rule, the sets. There are no field keys in these histories (see the
/// thief of whole stores), no grants and no texts (see the simulator).
pub fn lines() -> Vec<Vec<Rule>> {
    let is_absent = |rule: &Rule| matches!(rule, Rule::DestroyFieldKeys | Rule::WithdrawalBeatsUnseen | Rule::VerdictAsksNoGuard);
    let singles = Rule::ALL.into_iter().filter(|rule| !is_absent(rule)).map(|rule| vec![rule]);
    std::iter::once(Vec::new()).chain(singles).chain(SETS.iter().map(|set| set.to_vec())).collect()
}

/// The name of a line.
pub fn name(without: &[Rule]) -> String {
    let names: Vec<String> = without.iter().map(|rule| format!("{rule:?}")).collect();
    if names.is_empty() { "none".into() } else { names.join("+") }
}

/// Runs one history with some rules left out, or none.
pub fn history(seed: u64, without: &[Rule]) -> Outcome {
    history_with(seed, without, false)
}

/// The same with invitations that are shown to two newcomers, or without.
pub fn history_with(seed: u64, without: &[Rule], has_rivals: bool) -> Outcome {
    // one in 64 tries every key on every box, to show that what turns state of their recipients is all there is; another
    // one compares what is found with what a slow thief finds from scratch
    let setup = Setup {
        without: without.to_vec(),
        has_rivals,
        is_exhaustive: seed.is_multiple_of(64),
        is_cross_checked: seed % 64 == 32,
        ..Setup::default()
    };
    let mut outcome = run(seed, &setup).0;
    outcome.first_find = outcome.first_find.map(|find| format!("seed {seed}: {find}"));
    outcome
}

impl Outcome {
    /// Whether anything showed that must not be, or an erasure did not settle.
    pub const fn has_effect(&self) -> bool {
        self.thefts() + self.unread + self.unread_before_meetings + self.unsettled() > 0
    }

    /// What was opened or shown that must not be (count).
    pub const fn thefts(&self) -> usize {
        self.open_after_settlement + self.removed_read + self.beyond_cut + self.expired_open + self.silent_read + self.paper_read
    }

    /// Erasures that nobody's receipt called settled (count).
    pub const fn unsettled(&self) -> usize {
        self.erasures - self.settled
    }

    /// The same in a line.
    pub fn effects(&self) -> String {
        format!(
            "open {} removed {} beyond {} expired {} silent {} paper {} unread {} (apart {}) by relay {} unsettled {} {}",
            self.open_after_settlement,
            self.removed_read,
            self.beyond_cut,
            self.expired_open,
            self.silent_read,
            self.paper_read,
            self.unread,
            self.unread_apart,
            self.unread_before_meetings,
            self.unsettled(),
            self.first_find.as_deref().unwrap_or_default()
        )
    }
}

/// The table as Markdown.
pub fn markdown(lines: &[Line]) -> String {
    let heads = [
        "left out",
        "histories",
        "erasures settled / written",
        "open after settlement",
        "open before (control)",
        "removed phones that read on (of those on the board, with the papers)",
        "read before (control)",
        "beyond a cut, shown",
        "packs taken in: all, old ones, live bodies out of those",
        "expired, open a month and a week later",
        "silent lost phones that open a later turn",
        "turns open to paper alone / with the board (control)",
        "live unread: after meetings (on phones apart) / by the relay alone",
        "turns, boxes, asks",
    ];
    let mut out = format!("| {} |\n|{}\n", heads.join(" | "), "---|".repeat(heads.len()));
    for Line { without, outcome } in lines {
        let of = |count: usize, all: usize| format!("{count} / {all}");
        let each = |count: usize| format!("{:.1}", count as f64 / outcome.histories.max(1) as f64);
        let cells = [
            name(without).replace('+', " + "),
            outcome.histories.to_string(),
            of(outcome.settled, outcome.erasures),
            outcome.open_after_settlement.to_string(),
            of(outcome.controls, outcome.erasures),
            format!("{} / {} ({})", outcome.removed_read, outcome.removed, outcome.removed_to_board),
            of(outcome.removed_controls, outcome.removed),
            outcome.beyond_cut.to_string(),
            format!("{}, {}, {}", outcome.packs, outcome.old_packs, outcome.old_bodies),
            of(outcome.expired_open, outcome.expired),
            of(outcome.silent_read, outcome.silent),
            of(outcome.paper_read, outcome.paper_controls),
            format!("{} ({}) / {} of {}", outcome.unread, outcome.unread_apart, outcome.unread_before_meetings, outcome.live),
            [outcome.turns, outcome.boxes, outcome.asks].map(each).join(", "),
        ];
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}
