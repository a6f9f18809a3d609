//! What the server's own settings keep, and whether it keeps what it promised.

use super::closing;
use super::connection::Session;
use crate::storage::{Finding, Severity, StorageError};

/// What PostgreSQL and its surroundings may keep beyond the tables.
pub const REMAINS: &[&str] = &[
    "Until the running day closes, its tables show which rows came in one push, and in which order (xmin, ctid).",
    "The write-ahead log holds every push by itself until its segments are overwritten; an archive of it, a standby or a physical backup (pg_basebackup) for as long as they are kept.",
    "A logical dump (pg_dump) made while the day runs holds that day's rows in the order of arrival; a backup made by this program holds them sorted by id.",
    "Rows of closed days show the transaction that closed the day, one for each mailbox and day, and nothing of single pushes.",
    "Rows that were deleted stay in free space of the tables until they are written anew (after a deletion by itself up to 1 GiB, else by `rewrite`).",
    "Notifications between relays pass through a small ring of files and name one of 256 groups of mailboxes.",
    "The server's statistics count transactions and rows of all mailboxes together.",
    "File systems, solid-state disks and snapshots may keep blocks of files that were removed or truncated.",
];

/// Settings that show more than they need to, or lose what was acknowledged.
pub async fn examine(session: &mut Session, now: u64) -> Result<Vec<Finding>, StorageError> {
    let mut findings = Vec::new();
    let rules: &[(&str, &[&str], Severity, &str)] = &[
        ("fsync", &["on"], Severity::Wrong, "loses acknowledged rows when the machine fails: set it to on"),
        ("full_page_writes", &["on"], Severity::Wrong, "may damage the tables when the machine fails: set it to on"),
        ("track_commit_timestamp", &["off"], Severity::Wrong, "keeps the time of every push: set it to off"),
        ("log_statement", &["none", "ddl"], Severity::Wrong, "writes every push into a log with its time: set it to none"),
        ("log_min_duration_statement", &["-1"], Severity::Weak, "writes slow pushes into a log with their time: set it to -1"),
        ("log_min_duration_sample", &["-1"], Severity::Weak, "writes slow pushes into a log with their time: set it to -1"),
        ("log_lock_waits", &["off"], Severity::Weak, "writes into a log which pushes met: set it to off"),
        (
            "archive_mode",
            &["off"],
            Severity::Weak,
            "keeps the order of arrival for as long as the archive is kept: set it to off, or delete it after a day",
        ),
        ("wal_keep_size", &["0"], Severity::Weak, "keeps the write-ahead log longer than needed: set it to 0"),
        ("data_checksums", &["on"], Severity::Weak, "does not notice damaged disks: initdb --data-checksums"),
    ];
    for (name, wanted, severity, remedy) in rules {
        let found = session.query_one("SELECT current_setting($1, true)", &[name]).await?;
        let Some(value) = found.try_get::<_, Option<String>>(0)? else { continue };
        let is_fine = wanted.contains(&value.as_str());
        findings.push(Finding::of(is_fine, &format!("{name} is {value}"), *severity, &format!("{name} is {value}: it {remedy}")));
    }
    let extension = session.query_opt("SELECT 1 FROM pg_extension WHERE extname = 'pg_stat_statements'", &[]).await?;
    findings.push(Finding::of(
        extension.is_none(),
        "pg_stat_statements is not there",
        Severity::Weak,
        "pg_stat_statements counts statements and their times: drop it from this database",
    ));
    let theirs: f64 = session.query_one("SELECT extract(epoch FROM clock_timestamp())::float8", &[]).await?.try_get(0)?;
    let apart = (theirs - now as f64).abs();
    findings.push(Finding::of(
        apart < 60.0,
        "the clocks agree",
        Severity::Wrong,
        "this host's clock and the database's are over a minute apart: set them",
    ));
    let state = closing::state(session).await?;
    let is_closed = state.open_from.days() == 0 || state.closed_through.is_some_and(|closed| closed.plus(1) >= state.open_from);
    findings.push(Finding::of(
        is_closed,
        "no ended day is left open",
        Severity::Weak,
        "an ended day is not closed yet: a running relay closes it within a minute",
    ));
    Ok(findings)
}
