//! SQLite behind the storage trait, and what its files can tell.
//!
//! | file | holds | written |
//! |---|---|---|
//! | `relay.db` | mailboxes, public keys, rows of closed days | by the operator, by claims and key changes, and once when a day closes |
//! | `day-….db` | rows of the running day | with every push |
//! | `relay.lock` | nothing | never; one server per folder |
//!
//! A table without a sequence is not enough to hide which rows came together. SQLite puts a new cell
//! below the older ones of its page and gives a split page the next free number, so page layouts keep the
//! order of arrival even in a `WITHOUT ROWID` table; the write-ahead log keeps every transaction apart until
//! it is overwritten; the free list keeps the order of deletion, and the shared-memory index that of the log.
//! Hence two kinds of files:
//!
//! - `relay.db` receives rows only when a day closes, in (mailbox, row id) order, so its layout, log and
//!   counters are a function of what its tables hold. Two histories whose tables agree leave the same bytes.
//! - `day-….db` is made when the day begins, not with its first row, and is removed when the day closes, after
//!   its rows were overwritten with zeros (`secure_delete`) and its log was truncated. While the day runs, its
//!   log shows single pushes for at most [`crate::config::TIDY_EVERY_SECONDS`]; its pages show arrival order until they are next
//!   rewritten in row-id order (hourly, see [`crate::config::REBUILD_EVERY_TIDYINGS`], not above [`crate::config::REBUILD_MAX_BYTES`]).
//!
//! What no program can promise: a file system, an SSD or a snapshot may keep blocks of a removed or truncated
//! file, and file times show when the last tidying, key change or closing of a day happened. Rows that a deletion
//! batch or a removed mailbox took are overwritten with zeros (`secure_delete`), and their pages given back
//! (incremental vacuum).

mod archive;
mod connection;
mod day_file;
mod deletion;
mod row_table;
mod schema;

use self::archive::Archive;
use self::connection::{lock, truncate_log};
use self::day_file::DayFile;
use super::{Adoption, Census, Deleted, Deposit, Deposited, Finding, KeyReplacement, Mailbox, ReadRows, Severity, Storage, StorageError};
use crate::arrivals::RowHead;
use crate::config::{REBUILD_MAX_BYTES, REPEAT_LOOKBACK_DAYS};
use satchel_wire::frame::{AccessKeys, PendingBatch};
use satchel_wire::{AnnouncementId, Lane, MailboxId, Row, RowId, RowName, UtcDay};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Who opens a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one server of this folder.
    Server,
    /// An operator's command, possibly beside a running server.
    Command,
}

struct Days {
    files: BTreeMap<UtcDay, DayFile>,
    /// Earlier days take no more rows.
    open_from: UtcDay,
}

/// A folder with `relay.db` and the running day's file.
pub struct SqliteStorage {
    folder: PathBuf,
    archive: Archive,
    // Held for reading during every step that touches a day's file, for writing when one comes or goes.
    days: RwLock<Days>,
    closing: Mutex<()>,
    _server: Option<File>,
}

impl SqliteStorage {
    /// Opens a folder, and makes it if it does not exist. Errors: [`StorageError::InUse`] for a second
    /// server, [`StorageError::NewerFormat`], [`StorageError::Full`] when the folder cannot be written.
    pub fn open(folder: &Path, role: Role) -> Result<Self, StorageError> {
        make_private_folder(folder)?;
        let server = match role {
            Role::Server => Some(lock_folder(folder)?),
            Role::Command => None,
        };
        // day files first: a row that leaves one while we look is then found in relay.db
        let mut files = BTreeMap::new();
        for day in day_file::list(folder)? {
            match DayFile::open(folder, day, false) {
                Ok(file) => drop(files.insert(day, file)),
                Err(_) if !day_file::path_of(folder, day).exists() => {}
                Err(error) => return Err(error),
            }
        }
        let archive = Archive::open(folder.join("relay.db"))?;
        let closed = archive.newest_day()?;
        let open_from = closed.map_or(UtcDay::from_days(0), |day| day.plus(1));
        Ok(Self {
            folder: folder.to_path_buf(),
            archive,
            days: RwLock::new(Days { files, open_from }),
            closing: Mutex::new(()),
            _server: server,
        })
    }

    fn days(&self) -> RwLockReadGuard<'_, Days> {
        self.days.read().unwrap_or_else(PoisonError::into_inner)
    }
    fn days_mut(&self) -> RwLockWriteGuard<'_, Days> {
        self.days.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn make_day(&self, day: UtcDay) -> Result<(), StorageError> {
        let mut days = self.days_mut();
        if let Entry::Vacant(place) = days.files.entry(day) {
            place.insert(DayFile::open(&self.folder, day, true)?);
        }
        Ok(())
    }

    fn newest_before(&self, days: &Days, mailbox: &MailboxId, before: UtcDay) -> Result<Option<AnnouncementId>, StorageError> {
        for file in days.files.range(..before).rev().map(|(_, file)| file) {
            if let Some(newest) = file.pool.read(|connection| day_file::newest(connection, mailbox))? {
                return Ok(Some(newest));
            }
        }
        self.archive.pool.read(|connection| archive::newest(connection, mailbox))
    }

    /// Which of these rows came on which of the days before.
    fn known_rows(&self, days: &Days, deposit: &Deposit<'_>) -> Result<BTreeMap<RowId, UtcDay>, StorageError> {
        let mailbox = &deposit.mailbox;
        let from = deposit.day.minus(REPEAT_LOOKBACK_DAYS);
        let mut known = BTreeMap::new();
        for (day, file) in days.files.range(from..deposit.day) {
            file.pool.read(|connection| {
                for (id, _) in deposit.rows {
                    if row_table::contains(connection, mailbox, *day, id)? {
                        known.insert(*id, *day);
                    }
                }
                Ok(())
            })?;
        }
        let mut next = self.archive.next_day(mailbox, from, None)?;
        while let Some(day) = next.filter(|day| *day < deposit.day) {
            self.archive.pool.read(|connection| {
                for (id, _) in deposit.rows {
                    if row_table::contains(connection, mailbox, day, id)? {
                        known.insert(*id, day);
                    }
                }
                Ok(())
            })?;
            next = self.archive.next_day(mailbox, day.plus(1), None)?;
        }
        Ok(known)
    }
}

fn make_private_folder(folder: &Path) -> Result<(), StorageError> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|_| StorageError::Full)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(|_| StorageError::Full)?;
    }
    Ok(())
}

fn lock_folder(folder: &Path) -> Result<File, StorageError> {
    let path = folder.join("relay.lock");
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(|_| StorageError::Full)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StorageError::InUse),
        Err(TryLockError::Error(_)) => Err(StorageError::Full),
    }
}

impl Storage for SqliteStorage {
    fn probe(&self) -> Result<(), StorageError> {
        self.archive.pool.read(|connection| connection.query_row("SELECT 1 FROM mailbox LIMIT 1", [], |_| Ok(())).or_else(no_row))
    }

    fn earliest_day(&self) -> Result<UtcDay, StorageError> {
        let days = self.days();
        let newest_file = days.files.last_key_value().map_or(days.open_from, |(day, _)| *day);
        Ok(newest_file.max(days.open_from))
    }

    fn begin_day(&self, day: UtcDay, forget_before: UtcDay) -> Result<(), StorageError> {
        let _one_at_a_time = lock(&self.closing);
        self.make_day(day)?;
        let ending: Vec<UtcDay> = {
            // after this no deposit of an earlier day begins, and none is under way
            let mut days = self.days_mut();
            days.open_from = days.open_from.max(day);
            days.files.range(..day).map(|(day, _)| *day).collect()
        };
        for ended in ending {
            self.archive.take_over(&day_file::path_of(&self.folder, ended))?;
            let mut days = self.days_mut();
            if let Some(file) = days.files.remove(&ended) {
                file.discard()?;
            }
        }
        self.archive.forget_keys(forget_before)
    }

    fn tidy(&self, rebuild: bool) -> Result<(), StorageError> {
        let days = self.days();
        for file in days.files.values() {
            let writer = file.pool.writer();
            truncate_log(&writer)?;
            let size = fs::metadata(file.pool.path()).map_or(u64::MAX, |found| found.len());
            if rebuild && size <= REBUILD_MAX_BYTES {
                writer.execute_batch("VACUUM")?;
                truncate_log(&writer)?;
            }
        }
        truncate_log(&self.archive.pool.writer())
    }

    fn mailbox(&self, mailbox: &MailboxId) -> Result<Option<Mailbox>, StorageError> {
        self.archive.pool.read(|connection| archive::mailbox(connection, mailbox))
    }

    fn mailboxes(&self) -> Result<Vec<Mailbox>, StorageError> {
        self.archive.mailboxes()
    }

    fn create_mailbox(&self, mailbox: &MailboxId, quota_bytes: u64, claim_hash: &[u8; 32]) -> Result<(), StorageError> {
        self.archive.create(mailbox, quota_bytes, claim_hash)
    }

    fn claim(&self, mailbox: &MailboxId, control: &[u8; 32], keys: &AccessKeys) -> Result<bool, StorageError> {
        self.archive.claim(mailbox, control, keys)
    }

    fn replace_keys(&self, mailbox: &MailboxId, replacement: &KeyReplacement) -> Result<bool, StorageError> {
        self.archive.replace_keys(mailbox, replacement)
    }

    fn set_quota(&self, mailbox: &MailboxId, quota_bytes: u64) -> Result<bool, StorageError> {
        self.archive.set_quota(mailbox, quota_bytes)
    }

    fn hand_over(&self, mailbox: &MailboxId, claim_hash: &[u8; 32]) -> Result<bool, StorageError> {
        self.archive.hand_over(mailbox, claim_hash)
    }

    fn adopt(&self, adoption: &Adoption<'_>) -> Result<bool, StorageError> {
        self.archive.adopt(adoption)
    }

    fn adopt_rows(&self, mailbox: &MailboxId, day: UtcDay, rows: &[(RowId, Row)]) -> Result<(), StorageError> {
        self.archive.adopt_rows(mailbox, day, rows)
    }

    fn close_mailbox(&self, mailbox: &MailboxId) -> Result<bool, StorageError> {
        let mut removed = self.archive.remove_mailbox(mailbox)?;
        for file in self.days().files.values() {
            removed += file.remove_mailbox(mailbox)?;
        }
        // once more: a day may have closed between the two
        removed += self.archive.remove_mailbox(mailbox)?;
        Ok(removed > 0)
    }

    fn used_bytes(&self, mailbox: &MailboxId) -> Result<u64, StorageError> {
        let days = self.days();
        let skip: Vec<UtcDay> = days.files.keys().copied().collect();
        let mut used = self.archive.used_bytes(mailbox, &skip)?;
        for file in days.files.values() {
            used = used.saturating_add(file.used_bytes(mailbox)?);
        }
        Ok(used)
    }

    fn next_day(&self, mailbox: &MailboxId, after: Option<UtcDay>, lane: Option<Lane>) -> Result<Option<UtcDay>, StorageError> {
        if after == Some(UtcDay::from_days(u16::MAX)) {
            return Ok(None);
        }
        let from = after.map_or(UtcDay::from_days(0), |day| day.plus(1));
        let days = self.days();
        let mut next = self.archive.next_day(mailbox, from, lane)?;
        if let Some((day, _)) = days.files.range(from..).next() {
            // an open day may have rows of the lane; finding out costs as much as reading them
            next = Some(next.map_or(*day, |found| found.min(*day)));
        }
        Ok(next)
    }

    fn heads(&self, mailbox: &MailboxId, day: UtcDay) -> Result<Vec<RowHead>, StorageError> {
        let days = self.days();
        match days.files.get(&day) {
            Some(file) => file.pool.read(|connection| row_table::heads(connection, row_table::HEADS, mailbox, day)),
            None => self.archive.pool.read(|connection| row_table::heads(connection, row_table::INDEXED_HEADS, mailbox, day)),
        }
    }

    fn rows(
        &self,
        mailbox: &MailboxId,
        day: UtcDay,
        ids: &[RowId],
        max_bytes: usize,
        at_least_one: bool,
    ) -> Result<ReadRows, StorageError> {
        let days = self.days();
        let pool = days.files.get(&day).map_or(&self.archive.pool, |file| &file.pool);
        pool.read(|connection| row_table::rows(connection, mailbox, day, ids, max_bytes, at_least_one))
    }

    fn deposit(&self, deposit: &Deposit<'_>) -> Result<Deposited, StorageError> {
        let missing = {
            let days = self.days();
            deposit.day >= days.open_from && !days.files.contains_key(&deposit.day)
        };
        if missing {
            self.make_day(deposit.day)?;
        }
        let days = self.days();
        let file = days.files.get(&deposit.day).filter(|_| deposit.day >= days.open_from).ok_or(StorageError::DayClosed)?;
        let known = self.known_rows(&days, deposit)?;
        let known_ids: Vec<RowId> = known.keys().copied().collect();
        let newest_before = match deposit.announcement {
            Some(_) => self.newest_before(&days, &deposit.mailbox, deposit.day)?,
            None => None,
        };
        let (added, added_bytes) = file.deposit(deposit, &known_ids, newest_before)?;
        let mut earlier = known.values();
        let first = earlier.next().copied().filter(|_| known.len() == deposit.rows.len());
        let earlier_day = first.filter(|day| earlier.all(|other| other == day));
        Ok(Deposited { added, added_bytes, earlier_day, day_rows: None })
    }

    fn schedule_deletion(&self, mailbox: &MailboxId, day: UtcDay, rows: &[RowName]) -> Result<bool, StorageError> {
        deletion::schedule(&self.archive, mailbox, day, rows)
    }

    fn pending_deletions(&self, mailbox: &MailboxId, since: UtcDay) -> Result<Vec<PendingBatch>, StorageError> {
        self.archive.pool.read(|connection| deletion::pending(connection, mailbox, since))
    }

    fn veto_deletion(&self, mailbox: &MailboxId, rows: &[RowName]) -> Result<u32, StorageError> {
        deletion::veto(&self.archive, mailbox, rows)
    }

    fn delete_due(&self, day: UtcDay) -> Result<Deleted, StorageError> {
        let _no_day_closes = lock(&self.closing);
        deletion::delete_due(&self.archive, day)
    }

    fn examine(&self, _now: u64) -> Result<Vec<Finding>, StorageError> {
        let days = self.days();
        let mut findings = Vec::new();
        let pools = days.files.values().map(|file| &file.pool).chain([&self.archive.pool]);
        let mut is_sound = true;
        for pool in pools {
            let verdict: String =
                pool.read(|connection| Ok(connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))?))?;
            is_sound &= verdict == "ok";
        }
        findings.push(Finding::of(is_sound, "the files are sound", Severity::Wrong, "a file is damaged: stop, restore the backup"));
        let few = days.files.len() <= 1;
        findings.push(Finding::of(
            few,
            "no ended day is left open",
            Severity::Weak,
            "an ended day is not closed yet: start the server, it closes it",
        ));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&self.folder).map_or(0o777, |found| found.permissions().mode());
            let private = mode & 0o077 == 0;
            findings.push(Finding::of(
                private,
                "only the owner reads the folder",
                Severity::Wrong,
                "others may read the folder: chmod 700",
            ));
        }
        Ok(findings)
    }

    fn census(&self, mailbox: &MailboxId) -> Result<Option<Census>, StorageError> {
        let days = self.days();
        let mut rows = BTreeMap::new();
        let mut newest = None;
        for file in days.files.values() {
            newest = file
                .pool
                .read(|connection| {
                    row_table::count(connection, mailbox, &[], &mut rows)?;
                    day_file::newest(connection, mailbox)
                })?
                .or(newest);
        }
        let counted: Vec<UtcDay> = rows.keys().map(|(day, _, _)| *day).collect();
        self.archive.pool.read(|connection| {
            let Some(found) = archive::mailbox(connection, mailbox)? else { return Ok(None) };
            row_table::count(connection, mailbox, &counted, &mut rows)?;
            let newest = match newest {
                Some(newest) => Some(newest),
                None => archive::newest(connection, mailbox)?,
            };
            let waiting = deletion::pending(connection, mailbox, UtcDay::from_days(0))?;
            let deletions = waiting.iter().map(|batch| (batch.day, batch.rows.len() as u64)).collect();
            Ok(Some(Census { mailbox: found, newest, rows, deletions, remains: REMAINS }))
        })
    }
}

const REMAINS: &[&str] = &[
    "The running day's file keeps the order of arrival for up to an hour, or until the day ends if it is large.",
    "File systems, solid-state disks, snapshots and disk images may keep blocks of files that were removed or truncated.",
    "A backup made by this program holds rows sorted by id; a copy of the running day's file made otherwise holds their order.",
    "File times show when the last key change, tidying or end of a day happened.",
];

fn no_row(error: rusqlite::Error) -> Result<(), StorageError> {
    match error {
        rusqlite::Error::QueryReturnedNoRows => Ok(()),
        other => Err(other.into()),
    }
}
