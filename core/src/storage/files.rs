//! The files of a store's folder: names, modes, replacement without torn writes, destruction.

use super::StorageError;
use super::lock::Lock;
use super::slots::{SLOT_FILE_BYTES, SLOT_FILLER_BYTES, SlotFile};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

pub(super) const DATABASE: &str = "store.sqlite";
pub(super) const DATABASE_UNFINISHED: &str = "store.sqlite.new";
const SLOTS: &str = "slots";
const SLOTS_UNFINISHED: &str = "slots.new";
pub(super) const LOCK: &str = "lock";
/// The wrapped key of the locked inbox.
pub(super) const INBOX: &str = "inbox";
pub(super) const INBOX_UNFINISHED: &str = "inbox.new";
/// How many wrong passphrases in a row, and when the last one.
const TRIES: &str = "tries";
/// What SQLite may put beside a database file.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// What a folder holds, told from its file names alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// No store.
    Absent,
    /// A database without key slots: creation or destruction did not finish, and nothing in it can
    /// be opened any more. Remedy: [`remove`] it.
    Unfinished,
    /// Database and key slots.
    Complete,
}

/// Says what a folder holds; takes no lock and changes nothing.
pub fn presence(dir: &Path) -> Result<Presence, StorageError> {
    let database = dir.join(DATABASE).try_exists()?;
    let slots = dir.join(SLOTS).try_exists()?;
    Ok(match (database, slots) {
        (true, true) => Presence::Complete,
        (false, false) => Presence::Absent,
        _ => Presence::Unfinished,
    })
}

/// Removes every file of a store and the folder if nothing else is in it. Keys first, so that an
/// interruption leaves [`Presence::Unfinished`]; calling it again finishes.
///
/// Errors: [`StorageError::InUse`] while a process has the store open.
pub fn remove(dir: &Path) -> Result<(), StorageError> {
    if !dir.try_exists()? {
        return Ok(());
    }
    let lock = Lock::take(&dir.join(LOCK))?;
    remove_all(dir)?;
    remove_marker(dir)?;
    remove_folder(dir, lock)
}

/// Everything but the marker of an erasure and the lock. Slots first.
pub(super) fn remove_all(dir: &Path) -> Result<(), StorageError> {
    for name in [SLOTS, SLOTS_UNFINISHED, INBOX, INBOX_UNFINISHED] {
        remove_if_there(&dir.join(name))?;
    }
    sync_dir(dir)?;
    for name in [DATABASE, DATABASE_UNFINISHED] {
        remove_if_there(&dir.join(name))?;
        remove_companions(dir, name)?;
    }
    remove_if_there(&dir.join(TRIES))?;
    sync_dir(dir)
}

/// Nothing is left to be finished.
pub(super) fn remove_marker(dir: &Path) -> Result<(), StorageError> {
    remove_if_there(&dir.join(super::erasing::MARKER_UNFINISHED))?;
    remove_if_there(&dir.join(super::erasing::MARKER))?;
    sync_dir(dir)
}

/// The lock, and the folder if nothing else is in it.
pub(super) fn remove_folder(dir: &Path, lock: Lock) -> Result<(), StorageError> {
    remove_if_there(&dir.join(LOCK))?;
    drop(lock);
    match fs::remove_dir(dir) {
        Err(error) if error.kind() != ErrorKind::DirectoryNotEmpty && error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Reads and checks the key slots; takes no lock, since the file is only ever replaced as a whole.
///
/// Errors: [`StorageError::NotFound`], or [`StorageError::Slots`] if the file is not what was written.
pub fn read_slots(dir: &Path) -> Result<SlotFile, StorageError> {
    let mut bytes = Vec::with_capacity(SLOT_FILE_BYTES + 1);
    // One byte more than allowed tells a longer file without reading it.
    File::open(dir.join(SLOTS))?.take(SLOT_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(SlotFile::decode(&bytes)?)
}

/// Whether there is a slot file that nobody can read: which keystore keys it names is lost.
pub fn has_unreadable_slots(dir: &Path) -> bool {
    dir.join(SLOTS).exists() && read_slots(dir).is_err()
}

/// Destroys the key slots: overwrites them in place with random bytes, then removes them. Works
/// while the store is open, takes no lock and waits for nothing but the medium. No slots: no error.
///
/// Flash storage may keep the old bytes elsewhere until it reuses them, which is why a slot also
/// needs a secret outside this file.
pub fn destroy_slots(dir: &Path, noise: &[u8; SLOT_FILE_BYTES]) -> Result<(), StorageError> {
    let mut outcome: Result<(), StorageError> = Ok(());
    for name in [SLOTS, SLOTS_UNFINISHED] {
        let path = dir.join(name);
        // A failure to overwrite must not keep the file from being removed.
        let overwritten = overwrite_in_place(&path, noise);
        outcome = outcome.and(overwritten).and(remove_if_there(&path));
    }
    outcome.and(sync_dir(dir))
}

/// Wrong passphrases in a row, and when the last one was (Unix seconds). An unreadable file counts as none: the delay that
/// follows from it is a courtesy, and whoever can write here can copy the folder and try elsewhere.
pub fn wrong_tries(dir: &Path) -> (u8, u64) {
    let mut bytes = [0; 9];
    let read = File::open(dir.join(TRIES)).and_then(|mut file| file.read_exact(&mut bytes));
    let (count, seconds) = bytes.split_at(1);
    match (read, count, seconds.try_into()) {
        (Ok(()), [count], Ok(seconds)) => (*count, u64::from_le_bytes(seconds)),
        _ => (0, 0),
    }
}

/// Notes a wrong passphrase. Errors: the medium's, which the caller may ignore.
pub fn count_wrong_try(dir: &Path, now_seconds: u64) -> Result<(), StorageError> {
    let mut bytes = vec![wrong_tries(dir).0.saturating_add(1)];
    bytes.extend_from_slice(&now_seconds.to_le_bytes());
    let mut file = open_private(&dir.join(TRIES))?;
    file.write_all(&bytes)?;
    Ok(())
}

/// The right passphrase: nothing is counted any more. Errors: as [`count_wrong_try`].
pub fn forget_wrong_tries(dir: &Path) -> Result<(), StorageError> {
    remove_if_there(&dir.join(TRIES))
}

/// Replaces the key slots as a whole: whoever looks sees the old file or the new one. `filler` is fresh random bytes.
///
/// Call it while a [`Database`](super::Database) of this folder is open: it holds the lock.
pub fn write_slots(dir: &Path, slots: &SlotFile, filler: &[u8; SLOT_FILLER_BYTES]) -> Result<(), StorageError> {
    let bytes = slots.encode(filler)?;
    let unfinished = dir.join(SLOTS_UNFINISHED);
    let mut file = open_private(&unfinished)?;
    file.set_len(0)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&unfinished, dir.join(SLOTS))?;
    sync_dir(dir)
}

/// Removes what a killed process may have left behind. Call with the lock held.
pub(super) fn sweep(dir: &Path) -> Result<(), StorageError> {
    remove_if_there(&dir.join(SLOTS_UNFINISHED))?;
    remove_if_there(&dir.join(INBOX_UNFINISHED))?;
    remove_if_there(&dir.join(DATABASE_UNFINISHED))?;
    remove_companions(dir, DATABASE_UNFINISHED)
}

/// Makes the folder for its owner alone, or takes one that is empty.
pub(super) fn make_dir(dir: &Path) -> Result<(), StorageError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => StorageError::Exists,
        _ => error.into(),
    })?;
    require_empty(dir)?;
    #[cfg(unix)]
    fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    dir.parent().map_or(Ok(()), sync_dir)
}

/// Refuses a folder that holds more than the traces of a creation that did not finish.
pub(super) fn require_empty(dir: &Path) -> Result<(), StorageError> {
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let ours = [LOCK, SLOTS_UNFINISHED].iter().any(|trace| name == **trace)
            || name
                .to_str()
                .is_some_and(|name| name.strip_prefix(DATABASE_UNFINISHED).is_some_and(|end| end.is_empty() || COMPANIONS.contains(&end)));
        if !ours {
            return Err(StorageError::Exists);
        }
    }
    Ok(())
}

/// Opens a file to write, creating it for its owner alone.
pub(super) fn open_private(path: &Path) -> Result<File, StorageError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(options.open(path)?)
}

/// Makes a rename or removal in a folder last.
pub(super) fn sync_dir(dir: &Path) -> Result<(), StorageError> {
    // Elsewhere folders cannot be opened as files, and their changes need no extra step.
    if cfg!(unix) {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// The header of a database file (<https://sqlite.org/fileformat.html>, section 1.3).
///
/// Errors: [`StorageError::Damaged`] if the file does not begin as SQLite files do.
pub(super) fn read_header(path: &Path) -> Result<[u8; 100], StorageError> {
    let mut header = [0; 100];
    match File::open(path)?.read_exact(&mut header) {
        Ok(()) if header.starts_with(b"SQLite format 3\0") => Ok(header),
        // Too short is no better: SQLite itself would take an empty file for a new database.
        Ok(()) => Err(StorageError::Damaged),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(StorageError::Damaged),
        Err(error) => Err(error.into()),
    }
}

/// The engine says only that it could not open a file. Opening its log ourselves tells whether access
/// was denied or space is missing.
pub(super) fn explain(database: &Path, error: StorageError) -> StorageError {
    if error != StorageError::NoAccess {
        return error;
    }
    let mut log = database.as_os_str().to_owned();
    log.push(COMPANIONS[0]);
    open_private(Path::new(&log)).map_or_else(|reason| reason, |_| error)
}

fn overwrite_in_place(path: &Path, noise: &[u8; SLOT_FILE_BYTES]) -> Result<(), StorageError> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    file.seek(SeekFrom::Start(0))?;
    file.write_all(noise)?;
    file.sync_all()?;
    Ok(())
}

pub(super) fn remove_if_there(path: &Path) -> Result<(), StorageError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn remove_companions(dir: &Path, database: &str) -> Result<(), StorageError> {
    COMPANIONS.iter().try_for_each(|end| remove_if_there(&dir.join(format!("{database}{end}"))))
}
