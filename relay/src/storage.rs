//! What the relay needs of a place that keeps rows, behind one trait.
//!
//! Every method is one atomic step that blocks until it is durable; the server calls them from threads
//! that may block. That fits an embedded database and equally a pool of PostgreSQL connections. Nothing in
//! the trait can carry an order, a connection or a time finer than a day, so no implementation can keep one.

pub mod postgres;
pub mod sqlite;

use crate::arrivals::RowHead;
use satchel_wire::frame::{AccessKeys, PendingBatch};
use satchel_wire::{AnnouncementId, Lane, MailboxId, Row, RowId, RowName, UtcDay};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why storage did not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// The disk is full or refuses writes. Remedy: the operator makes room; reading goes on.
    #[error("the disk is full or refuses writes")]
    Full,
    /// The file was written by a newer version. Remedy: update the relay.
    #[error("the data is of format {found}, this relay knows up to {supported}")]
    NewerFormat {
        /// Format of the file.
        found: i64,
        /// Newest format this version reads.
        supported: i64,
    },
    /// What is stored contradicts itself. Remedy: restore the backup.
    #[error("the stored data is damaged")]
    Damaged,
    /// Another server uses the same folder. Remedy: stop it, or give this one a folder of its own.
    #[error("another server uses this folder")]
    InUse,
    /// The day is closed; rows arrive on a later one. Remedy: ask for the day again.
    #[error("the day is closed")]
    DayClosed,
    /// The mailbox has no room for these rows. Remedy: a larger quota.
    #[error("the mailbox is full")]
    NoRoom,
    /// Another announcement is the newest. Remedy: the sender pulls first.
    #[error("another announcement is newer")]
    NotNewest,
    /// The database does not answer, or not in time. Remedy: start it; the same request again is safe.
    #[error("the database does not answer")]
    Away,
    /// This is no address of a database. Remedy: `postgresql://user@host/name`.
    #[error("this is no address of a database")]
    Address,
    /// The database refused a statement; its SQLSTATE. Remedy: look the code up, try again.
    #[error("the database refused with SQLSTATE {}", String::from_utf8_lossy(state))]
    Sql {
        /// SQLSTATE, five letters or figures.
        state: [u8; 5],
    },
    /// The database engine failed otherwise; its extended result code. Remedy: look the code up, try again.
    #[error("the database engine failed with code {code}")]
    Engine {
        /// Extended result code of the engine.
        code: i32,
    },
}

/// An earlier pull key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarlierPullKey {
    /// The public key.
    pub key: [u8; 32],
    /// The day on which another took its place.
    pub replaced: UtcDay,
}

/// Who may do what with a claimed mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Generation of the keys; the claim is 0.
    pub generation: u64,
    /// Changes keys.
    pub control: [u8; 32],
    /// Pull and push.
    pub keys: AccessKeys,
    /// Earlier pull keys, newest day first.
    pub earlier: Vec<EarlierPullKey>,
}

/// A mailbox without its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Its id.
    pub id: MailboxId,
    /// Room for rows (bytes).
    pub quota_bytes: u64,
    /// BLAKE3 of the one-time claim secret.
    pub claim_hash: [u8; 32],
    /// Keys, once it is claimed.
    pub access: Option<Access>,
}

/// New keys, and the generation they follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyReplacement {
    /// The change happens only if this generation is still in force.
    pub follows: u64,
    /// The new generation.
    pub generation: u64,
    /// New pull and push keys.
    pub keys: AccessKeys,
    /// New control key.
    pub control: [u8; 32],
    /// Today: the day on which the present pull key becomes an earlier one.
    pub day: UtcDay,
    /// Earlier pull keys replaced before this day are forgotten.
    pub forget_before: UtcDay,
}

/// Rows to keep, in one step.
#[derive(Debug, Clone, Copy)]
pub struct Deposit<'a> {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// The running day.
    pub day: UtcDay,
    /// Rows with their ids, sorted by id, each once.
    pub rows: &'a [(RowId, Row)],
    /// Room for rows that are not stored yet (bytes).
    pub room_bytes: u64,
    /// These rows are an announcement: its id, and the one that must be the newest.
    pub announcement: Option<(AnnouncementId, Option<AnnouncementId>)>,
}

/// What a deposit did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposited {
    /// Rows that were not there before, sorted by id.
    pub added: Vec<RowHead>,
    /// Their size (bytes).
    pub added_bytes: u64,
    /// Nothing was new: the one earlier day on which all of it came.
    pub earlier_day: Option<UtcDay>,
    /// How many rows the day has now, from whichever relay; none when only this process writes, or nothing was added.
    pub day_rows: Option<u64>,
}

/// A mailbox that comes from another storage.
#[derive(Debug, Clone, Copy)]
pub struct Adoption<'a> {
    /// Quota and keys.
    pub mailbox: &'a Mailbox,
    /// The newest announcement.
    pub newest: Option<AnnouncementId>,
    /// Deletion batches that wait.
    pub deletions: &'a [PendingBatch],
}

/// What another relay on the same storage may have added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Some mailbox of this [`bucket`].
    Bucket(u8),
    /// This one.
    Mailbox(MailboxId),
}

/// Hears of changes; called from any thread, must not block.
pub type News = Arc<dyn Fn(Changed) + Send + Sync>;

/// One of 256 groups of mailboxes: what a wake-up that leaves traces may say.
pub fn bucket(mailbox: &MailboxId) -> u8 {
    blake3::hash(mailbox.as_bytes()).as_bytes()[0]
}

/// Rows read from the front of a list of ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadRows {
    /// The rows that exist.
    pub rows: Vec<Row>,
    /// How many ids were looked at; the rest did not fit.
    pub consumed: usize,
    /// Size of the rows (bytes).
    pub bytes: usize,
}

/// Everything that storage knows about a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Census {
    /// Keys and quota.
    pub mailbox: Mailbox,
    /// The newest announcement.
    pub newest: Option<AnnouncementId>,
    /// Number of rows by day, lane and size (bytes).
    pub rows: BTreeMap<(UtcDay, Lane, u32), u64>,
    /// Number of rows that wait for deletion, by the day of their batch.
    pub deletions: BTreeMap<UtcDay, u64>,
    /// What the engine and its surroundings may keep beyond the tables, one sentence each.
    pub remains: &'static [&'static str],
}

/// How bad a finding of `doctor` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// As it should be.
    Fine,
    /// Works, and shows or risks more than it needs to.
    Weak,
    /// To be changed.
    Wrong,
}

/// Something that `doctor` looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was found, and the remedy.
    pub text: String,
}

impl Finding {
    /// A finding: fine if `is_fine`, else of this severity with the remedy's text.
    pub fn of(is_fine: bool, fine: &str, otherwise: Severity, remedy: &str) -> Self {
        let (severity, text) = if is_fine { (Severity::Fine, fine) } else { (otherwise, remedy) };
        Self { severity, text: text.to_owned() }
    }
}

/// Rows that a day's deletion removed, by mailbox and arrival day.
pub type Deleted = BTreeMap<(MailboxId, UtcDay), u64>;

/// Keeps mailboxes and rows.
pub trait Storage: Send + Sync + 'static {
    /// Whether storage answers.
    fn probe(&self) -> Result<(), StorageError>;
    /// The earliest day that may run: a day that closed never opens again, whatever the clock says.
    fn earliest_day(&self) -> Result<UtcDay, StorageError>;
    /// Makes `day` the running one: earlier days close, and what is kept of them is put in row-id order.
    /// Forgets earlier pull keys that were replaced before `forget_before`. Repeating it changes nothing.
    fn begin_day(&self, day: UtcDay, forget_before: UtcDay) -> Result<(), StorageError>;
    /// Removes what logs still show of the order of arrival; with `rebuild` also from page layouts.
    fn tidy(&self, rebuild: bool) -> Result<(), StorageError>;

    /// A mailbox without its rows.
    fn mailbox(&self, mailbox: &MailboxId) -> Result<Option<Mailbox>, StorageError>;
    /// All mailboxes, by id.
    fn mailboxes(&self) -> Result<Vec<Mailbox>, StorageError>;
    /// Makes a mailbox that can be claimed once with the secret behind `claim_hash`.
    fn create_mailbox(&self, mailbox: &MailboxId, quota_bytes: u64, claim_hash: &[u8; 32]) -> Result<(), StorageError>;
    /// Gives an unclaimed mailbox its first keys; false when it is claimed or gone.
    fn claim(&self, mailbox: &MailboxId, control: &[u8; 32], keys: &AccessKeys) -> Result<bool, StorageError>;
    /// Replaces keys; false when another generation is in force or the mailbox is gone.
    fn replace_keys(&self, mailbox: &MailboxId, replacement: &KeyReplacement) -> Result<bool, StorageError>;
    /// Sets the room of a mailbox; false when it is gone.
    fn set_quota(&self, mailbox: &MailboxId, quota_bytes: u64) -> Result<bool, StorageError>;
    /// Forgets all keys of a mailbox, so that whoever knows the secret behind `claim_hash` can claim it once more; its rows
    /// stay. False when it is gone.
    fn hand_over(&self, mailbox: &MailboxId, claim_hash: &[u8; 32]) -> Result<bool, StorageError>;
    /// Takes a mailbox over from another storage, without rows; false when it is here already.
    fn adopt(&self, adoption: &Adoption<'_>) -> Result<bool, StorageError>;
    /// Takes rows of a closed day over, sorted by id. Repeating it changes nothing.
    fn adopt_rows(&self, mailbox: &MailboxId, day: UtcDay, rows: &[(RowId, Row)]) -> Result<(), StorageError>;
    /// Removes a mailbox and its rows; false when nothing of it was there.
    fn close_mailbox(&self, mailbox: &MailboxId) -> Result<bool, StorageError>;

    /// Size of all rows of a mailbox (bytes).
    fn used_bytes(&self, mailbox: &MailboxId) -> Result<u64, StorageError>;
    /// The first day after `after` (or of all) that has rows of the lane, or may have.
    fn next_day(&self, mailbox: &MailboxId, after: Option<UtcDay>, lane: Option<Lane>) -> Result<Option<UtcDay>, StorageError>;
    /// Ids and lanes of a day's rows, sorted by id; row bytes stay untouched where the day is closed.
    fn heads(&self, mailbox: &MailboxId, day: UtcDay) -> Result<Vec<RowHead>, StorageError>;
    /// Rows from the front of `ids`, while they fit `max_bytes`; with `at_least_one` the first always fits.
    fn rows(&self, mailbox: &MailboxId, day: UtcDay, ids: &[RowId], max_bytes: usize, at_least_one: bool)
    -> Result<ReadRows, StorageError>;
    /// Keeps rows. Errors: [`StorageError::DayClosed`], [`StorageError::NoRoom`], [`StorageError::NotNewest`]; nothing is kept then.
    fn deposit(&self, deposit: &Deposit<'_>) -> Result<Deposited, StorageError>;
    /// Whether other relays may write to the same storage.
    fn is_shared(&self) -> bool {
        false
    }
    /// Whether a day before the running one is complete for this mailbox: nothing can be added to it any more, also
    /// nothing that was begun earlier. Rows read after this was true are all there will ever be.
    fn is_closed(&self, _mailbox: &MailboxId, _day: UtcDay) -> Result<bool, StorageError> {
        Ok(true)
    }
    /// How many rows of a day that is not closed are there, from whichever relay; none when only this process writes, or
    /// when the day is closed.
    fn arrived(&self, _mailbox: &MailboxId, _day: UtcDay) -> Result<Option<u64>, StorageError> {
        Ok(None)
    }
    /// Tells from now on what other relays may have added to; some of it may be told more than once, or late.
    fn watch(&self, _news: News) {}
    /// Keeps a day's deletion batch (names ascending, each once); false when that day has another one.
    fn schedule_deletion(&self, mailbox: &MailboxId, day: UtcDay, rows: &[RowName]) -> Result<bool, StorageError>;
    /// Batches of `since` and later that wait, oldest first.
    fn pending_deletions(&self, mailbox: &MailboxId, since: UtcDay) -> Result<Vec<PendingBatch>, StorageError>;
    /// Strikes names out of every batch that waits; how many entries that were.
    fn veto_deletion(&self, mailbox: &MailboxId, rows: &[RowName]) -> Result<u32, StorageError>;
    /// Removes, as finally as the engine can, the commons and records rows of closed days that batches of `day` and earlier
    /// name, and the batches. Repeating it, also after a crash in its middle, changes nothing.
    fn delete_due(&self, day: UtcDay) -> Result<Deleted, StorageError>;
    /// Looks at the engine itself, for `doctor`; `now` is our time (Unix seconds).
    fn examine(&self, now: u64) -> Result<Vec<Finding>, StorageError>;
    /// Everything known about a mailbox, for `disclose`.
    fn census(&self, mailbox: &MailboxId) -> Result<Option<Census>, StorageError>;
}
