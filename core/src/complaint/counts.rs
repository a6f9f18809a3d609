//! Counts that may leave the board: nothing below the charter's threshold, and nothing that gives it away.

use super::content::Category;
use std::collections::BTreeMap;

/// One number of a table, or that it is too small to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// At or above the threshold, and no subtraction from it tells a smaller one.
    Shown(u32),
    /// Below the threshold, zero included, or hidden so that another one stays hidden.
    Hidden,
}

/// Complaints by category, and their total, with suppression: what is below `threshold` is hidden, zero included, and
/// while what is hidden sums to less than `threshold`, or is a single cell, the smallest shown count is hidden with it.
/// The total is shown only at or above the threshold.
pub fn suppressed(categories: impl Iterator<Item = Category>, threshold: u16) -> (Vec<(Category, Count)>, Count) {
    let threshold = u32::from(threshold.max(THRESHOLD_MIN));
    let mut counts: BTreeMap<Category, u32> = Category::ALL.into_iter().map(|category| (category, 0)).collect();
    for category in categories {
        *counts.entry(category).or_default() += 1;
    }
    let total: u32 = counts.values().sum();
    let mut hidden: Vec<Category> = counts.iter().filter(|(_, count)| **count < threshold).map(|(category, _)| *category).collect();
    loop {
        let sum: u32 = hidden.iter().filter_map(|category| counts.get(category)).sum();
        if hidden.is_empty() || (hidden.len() > 1 && sum >= threshold) {
            break;
        }
        let smallest = counts.iter().filter(|(category, _)| !hidden.contains(category)).min_by_key(|(_, count)| **count);
        match smallest {
            Some((category, _)) => hidden.push(*category),
            None => break,
        }
    }
    let shown = |category: &Category, count: u32| if hidden.contains(category) { Count::Hidden } else { Count::Shown(count) };
    let cells = counts.iter().map(|(category, count)| (*category, shown(category, *count))).collect();
    (cells, if total >= threshold { Count::Shown(total) } else { Count::Hidden })
}

/// No charter can set less.
const THRESHOLD_MIN: u16 = 5;
