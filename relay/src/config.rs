//! Every bound of the relay, in one file, with its unit in its name.
//!
//! What phones and relays must agree on stands in [`satchel_wire::limits`]; here is what an operator may
//! decide alone. A bound that an operator can change is a field of [`Config`]; the rest are constants.

use satchel_wire::limits::LISTING_MAX_COUNT;

/// Room for one mailbox unless the operator says otherwise (bytes).
pub const QUOTA_DEFAULT_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// A mailbox whose newest row is older counts as abandoned, unless the operator says otherwise (days).
pub const ABANDONED_AFTER_DEFAULT_DAYS: u16 = 365;
/// How long an earlier pull key reads the announce lane (days).
pub const ABSENCE_LIMIT_DEFAULT_DAYS: u16 = 21;
/// Most earlier pull keys of one mailbox; beyond it the oldest goes (count).
pub const EARLIER_PULL_KEYS_MAX_COUNT: usize = 64;
/// Most rows of one mailbox in one day: their order is kept in memory, about 200 bytes each (count).
pub const DAY_ROWS_MAX_COUNT: usize = 4 * LISTING_MAX_COUNT;
/// Announcements may go beyond the quota by this much: a flood of other rows must not stop a removal (bytes).
pub const ANNOUNCE_RESERVE_BYTES: u64 = 16 * 1024 * 1024;
/// The same for the number of rows in one day (count).
pub const ANNOUNCE_RESERVE_ROWS_COUNT: usize = 4_096;
/// Most rows in one answer (count).
pub const ANSWER_ROWS_MAX_COUNT: usize = 4_096;
/// A row that is pushed again within this time is recognised across midnight (days).
pub const REPEAT_LOOKBACK_DAYS: u16 = 7;
/// Orders of closed days kept in memory (rows in all).
pub const CLOSED_ORDERS_MAX_ROWS: usize = 262_144;

/// Requests of current members of one mailbox that may come at once (count).
pub const BURST_DEFAULT_COUNT: u32 = 600;
/// Requests of current members of one mailbox in the long run (per second).
pub const RATE_DEFAULT_PER_SECOND: u32 = 20;
/// Holders of earlier keys get this part of both, in a bucket of their own, so that they cannot use up the team's.
pub const EARLIER_SHARE_DIVISOR: u32 = 10;
/// Most nonces remembered for one span of [`satchel_wire::limits::REQUEST_SKEW_MAX_SECONDS`] (count, about 40 bytes each).
pub const NONCES_PER_SPAN_MAX_COUNT: usize = 262_144;
/// Most rate buckets; full ones are forgotten first (count).
pub const BUCKETS_MAX_COUNT: usize = 65_536;

/// Connections served at once; further ones wait in the system's backlog (count).
pub const CONNECTIONS_DEFAULT_COUNT: usize = 1_024;
/// A connection must show a whole request head within this time, at its start and between requests (seconds).
pub const HEAD_TIMEOUT_DEFAULT_SECONDS: u64 = 30;
/// Longest silence within a request body (seconds).
pub const BODY_SILENCE_DEFAULT_SECONDS: u64 = 30;
/// Longest time for a whole request body (seconds).
pub const BODY_TIMEOUT_SECONDS: u64 = 300;
/// After this time a connection may finish its request and is then closed (seconds).
pub const CONNECTION_LIFETIME_SECONDS: u64 = 900;
/// How long running requests may take after a stop signal, or at the end of a connection's life (seconds).
pub const STOP_GRACE_SECONDS: u64 = 30;
/// Longest wait for news in one request; proxies often end a silent connection after 60 (seconds).
pub const WAIT_DEFAULT_SECONDS: u16 = 50;
/// Largest request head (bytes).
pub const HEAD_MAX_BYTES: usize = 16 * 1024;
/// Most header lines in a request (count).
pub const HEADERS_MAX_COUNT: usize = 32;
/// Request bodies in memory, all connections together (bytes).
pub const BODIES_MAX_BYTES: usize = 256 * 1024 * 1024;
/// Answers in memory that wait to be read, all connections together (bytes).
pub const ANSWERS_MAX_BYTES: usize = 256 * 1024 * 1024;
/// The same for one mailbox (bytes).
pub const ANSWERS_OF_MAILBOX_MAX_BYTES: usize = 64 * 1024 * 1024;
/// How long a request waits for room for its answer (seconds).
pub const ANSWER_ROOM_WAIT_SECONDS: u64 = 10;
/// An answer that was not taken within this time costs its reader the connection (seconds): 28 kbit/s for the largest page.
pub const ANSWER_SECONDS: u64 = 600;
/// An answer is handed to its connection in pieces of this size (bytes).
pub const ANSWER_PIECE_BYTES: usize = 16 * 1024;
/// Connections to the operator's own address at once (count).
pub const OPERATOR_CONNECTIONS_COUNT: usize = 16;
/// Requests worked on at once; further ones wait (count).
pub const WORKING_MAX_COUNT: usize = 16;

/// A clock may be set ahead by so much without being doubted (seconds).
pub const CLOCK_STEP_SECONDS: u64 = 300;
/// A clock may gain this part of the time that passed without being doubted.
pub const CLOCK_DRIFT_DIVISOR: u64 = 1_000;
/// A clock that is further ahead is believed once it has been so for this long (seconds).
pub const CLOCK_DOUBT_SECONDS: u64 = 86_400;

/// How often the log of the running day is folded into its file and truncated (seconds).
pub const TIDY_EVERY_SECONDS: u64 = 60;
/// Every so many tidyings the file of the running day is rewritten in row-id order (count).
pub const REBUILD_EVERY_TIDYINGS: u64 = 60;
/// Above this size the running day's file is not rewritten before it closes, because that happens in memory (bytes).
pub const REBUILD_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// How long one process waits for another's write (milliseconds).
pub const LOCK_WAIT_MILLISECONDS: u64 = 10_000;
/// Idle read connections kept for each file (count).
pub const IDLE_READERS_MAX_COUNT: usize = 4;

/// Connections to PostgreSQL: one for each request that is worked on, and a few for the rest (count).
pub const POSTGRES_CONNECTIONS_COUNT: usize = WORKING_MAX_COUNT + 4;
/// How long connecting to PostgreSQL may take (seconds).
pub const POSTGRES_CONNECT_TIMEOUT_SECONDS: u64 = 5;
/// How long one statement may take (seconds).
pub const POSTGRES_STATEMENT_SECONDS: u64 = 120;
/// How long a push waits for another one of the same mailbox (seconds).
pub const POSTGRES_LOCK_WAIT_SECONDS: u64 = 10;
/// A relay that stops in the middle of a push holds up pushes of that mailbox for this long (seconds).
pub const POSTGRES_IDLE_TRANSACTION_SECONDS: u64 = 15;
/// How often a relay looks what others wrote, besides what it is told (seconds).
pub const POSTGRES_LOOK_EVERY_SECONDS: u64 = 5;
/// After deletions tables up to this size are written anew at once (bytes); larger ones when the operator says so.
pub const POSTGRES_REWRITE_MAX_BYTES: i64 = 1024 * 1024 * 1024;
/// Relays tell each other of arrivals at most this often (milliseconds).
pub const POSTGRES_NOTIFY_EVERY_MILLISECONDS: u64 = 20;

/// What an operator may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// How long an earlier pull key reads the announce lane (days).
    pub absence_limit_days: u16,
    /// Requests of one mailbox that may come at once (count, at least 1).
    pub burst_count: u32,
    /// Requests of one mailbox in the long run (per second).
    pub rate_per_second: u32,
    /// Connections served at once (count, at least 1).
    pub connections_count: usize,
    /// Most rows of one mailbox in one day (count).
    pub day_rows_count: usize,
    /// A whole request head must come within this time (seconds).
    pub head_timeout_seconds: u64,
    /// Longest silence within a request body (seconds).
    pub body_silence_seconds: u64,
    /// Longest wait for news in one request (seconds).
    pub wait_seconds: u16,
    /// Most row ids in one listing; a longer day is read again from its beginning (count).
    pub listing_count: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            absence_limit_days: ABSENCE_LIMIT_DEFAULT_DAYS,
            burst_count: BURST_DEFAULT_COUNT,
            rate_per_second: RATE_DEFAULT_PER_SECOND,
            connections_count: CONNECTIONS_DEFAULT_COUNT,
            day_rows_count: DAY_ROWS_MAX_COUNT,
            head_timeout_seconds: HEAD_TIMEOUT_DEFAULT_SECONDS,
            body_silence_seconds: BODY_SILENCE_DEFAULT_SECONDS,
            wait_seconds: WAIT_DEFAULT_SECONDS,
            listing_count: LISTING_MAX_COUNT,
        }
    }
}
