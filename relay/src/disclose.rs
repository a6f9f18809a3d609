//! What an order against this relay would yield about one mailbox, and what it would not.
//!
//! It is computed from the tables and nothing else, so that an operator can hand it over, a lawyer can
//! read it, and a test can compare it with the files.

use crate::storage::Census;
use satchel_wire::{AnnouncementId, Lane, MailboxId, UtcDay};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Number of rows of one day, lane and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowCount {
    /// Arrival day in UTC.
    pub day: String,
    /// `announce`, `commons` or `records`.
    pub lane: &'static str,
    /// Size of each row (bytes).
    pub row_bytes: u32,
    /// How many there are.
    pub rows: u64,
}

/// A day on which pull keys were replaced, as far as it is still kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyChanges {
    /// The day in UTC.
    pub day: String,
    /// How many of that day's earlier keys are kept.
    pub changes: usize,
}

/// Rows that wait for deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeletionCount {
    /// Day of the batch in UTC.
    pub day: String,
    /// How many rows it names.
    pub rows: u64,
}

/// Everything kept about a mailbox, row contents aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disclosure {
    /// The mailbox.
    pub mailbox: String,
    /// Whether a team took it over.
    pub claimed: bool,
    /// How often the keys changed since; none before the claim.
    pub generation: Option<u64>,
    /// Days on which they changed, within the absence limit.
    pub key_changes: Vec<KeyChanges>,
    /// Public keys kept: control, pull, push and earlier pull keys, in hexadecimal.
    pub public_keys: Vec<String>,
    /// The newest announcement.
    pub newest_announcement: Option<String>,
    /// Room (bytes).
    pub quota_bytes: u64,
    /// Size of all rows (bytes).
    pub used_bytes: u64,
    /// Rows by day, lane and size.
    pub rows: Vec<RowCount>,
    /// Deletion batches that wait.
    pub deletions: Vec<DeletionCount>,
    /// What the engine and its surroundings may keep beyond this.
    pub remains: &'static [&'static str],
    /// What an order could make this relay do from now on.
    pub future_yields: &'static [&'static str],
    /// What it could not make it do, because it has no key.
    pub future_does_not_yield: &'static [&'static str],
}

/// What an order for the future would yield.
const FUTURE_YIELDS: &[&str] = &[
    "From when on each phone connects, from which network address (unless it comes through Tor or another proxy), and how many bytes it sends and fetches.",
    "Which rows come in one request, in which order, at which minute, and which requests carry which of the mailbox's shared keys. All members of a turn share them; an address may still tell phones apart.",
    "From which address rows are fetched that came from another: who is likely in a team with whom.",
    "Rows that the team asks to delete, if the relay is made to keep them. They stay sealed; their keys are erased on the phones whether or not the relay deletes.",
    "The relay may be made to withhold, delay or repeat rows, or to show different phones different ones. Phones notice differences when they meet or read on, and warn.",
];

/// What an order for the future would not yield.
const FUTURE_DOES_NOT_YIELD: &[&str] = &[
    "The content of any row, past or future: no key passes through this relay.",
    "Who wrote a row, about whom it is, or of which kind it is.",
    "A new member of the team, or a key change: both need signatures of keys that are on phones.",
    "The order within days that are over, or addresses of the past: they were not kept.",
];

const fn lane_name(lane: Lane) -> &'static str {
    match lane {
        Lane::Announce => "announce",
        Lane::Commons => "commons",
        Lane::Records => "records",
    }
}

impl From<Census> for Disclosure {
    fn from(census: Census) -> Self {
        let mailbox: MailboxId = census.mailbox.id;
        let mut changes = BTreeMap::<UtcDay, usize>::new();
        let mut keys = Vec::new();
        if let Some(access) = &census.mailbox.access {
            keys.extend([access.control, access.keys.pull, access.keys.push]);
            for earlier in &access.earlier {
                keys.push(earlier.key);
                *changes.entry(earlier.replaced).or_default() += 1;
            }
        }
        let count = |((day, lane, row_bytes), rows): (&(UtcDay, Lane, u32), &u64)| RowCount {
            day: day.to_string(),
            lane: lane_name(*lane),
            row_bytes: *row_bytes,
            rows: *rows,
        };
        Self {
            remains: census.remains,
            future_yields: FUTURE_YIELDS,
            future_does_not_yield: FUTURE_DOES_NOT_YIELD,
            mailbox: mailbox.to_string(),
            claimed: census.mailbox.access.is_some(),
            generation: census.mailbox.access.as_ref().map(|access| access.generation),
            key_changes: changes.into_iter().map(|(day, changes)| KeyChanges { day: day.to_string(), changes }).collect(),
            public_keys: keys.iter().map(|key| data_encoding::HEXLOWER.encode(key)).collect(),
            newest_announcement: census.newest.as_ref().map(AnnouncementId::to_string),
            quota_bytes: census.mailbox.quota_bytes,
            used_bytes: census.rows.iter().map(|((_, _, size), rows)| u64::from(*size) * rows).sum(),
            rows: census.rows.iter().map(count).collect(),
            deletions: census.deletions.iter().map(|(day, rows)| DeletionCount { day: day.to_string(), rows: *rows }).collect(),
        }
    }
}

impl fmt::Display for Disclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "What this relay holds about {}", self.mailbox)?;
        writeln!(f)?;
        match self.generation {
            None => writeln!(f, "Not claimed by a team yet.")?,
            Some(generation) => writeln!(f, "Claimed. Generation of its keys: {generation}.")?,
        }
        writeln!(f, "Newest announcement: {}", self.newest_announcement.as_deref().unwrap_or("none"))?;
        writeln!(f, "Room: {} bytes, used: {} bytes.", self.quota_bytes, self.used_bytes)?;
        writeln!(f)?;
        writeln!(f, "Days on which access keys changed, while earlier keys are kept:")?;
        if self.key_changes.is_empty() {
            writeln!(f, "  none")?;
        }
        for change in &self.key_changes {
            writeln!(f, "  {}  {}", change.day, change.changes)?;
        }
        writeln!(f)?;
        writeln!(f, "Public keys (they verify requests and open nothing):")?;
        if self.public_keys.is_empty() {
            writeln!(f, "  none")?;
        }
        for key in &self.public_keys {
            writeln!(f, "  {key}")?;
        }
        writeln!(f)?;
        writeln!(f, "Rows:")?;
        writeln!(f, "  {:<10}  {:<8}  {:>9}  {:>9}  {:>12}", "day (UTC)", "lane", "row bytes", "rows", "bytes")?;
        for row in &self.rows {
            let bytes = u64::from(row.row_bytes) * row.rows;
            writeln!(f, "  {:<10}  {:<8}  {:>9}  {:>9}  {:>12}", row.day, row.lane, row.row_bytes, row.rows, bytes)?;
        }
        writeln!(f)?;
        writeln!(f, "Rows that wait for deletion, by the day on which it was asked for:")?;
        if self.deletions.is_empty() {
            writeln!(f, "  none")?;
        }
        for batch in &self.deletions {
            writeln!(f, "  {}  {}", batch.day, batch.rows)?;
        }
        writeln!(f)?;
        f.write_str(EXPLANATION)?;
        let mut list = |title: &str, lines: &[&str]| -> fmt::Result {
            writeln!(f, "\n{title}")?;
            lines.iter().try_for_each(|line| writeln!(f, "- {line}"))
        };
        list("What else this machine may keep:", self.remains)?;
        list("What an order for the future could make this relay collect or do:", self.future_yields)?;
        list("What no order to this relay yields:", self.future_does_not_yield)
    }
}

const EXPLANATION: &str = "\
Besides this table the storage holds the rows themselves. Each is encrypted on a phone; this relay has
no key that opens any of them, and never had one.

What can be learned from it:
- that a mailbox is in use, on which days something arrived, and roughly how much in which size class;
- on which days deletion was asked for, of which rows; one list a day mixes all reasons;
- on which days keys were announced or changed, and from the size of announcements roughly how many
  devices a team has.

What cannot be learned from it, because it is not in there:
- names, notes, places, or anything else about a person;
- who wrote a row, which rows were sent together or belong to one record, or their order within a day;
- when within a day a row arrived, from which address, or which phone fetched it.
";
