//! A store's database: opened by one process, written by one transaction at a time.

use super::lock::Lock;
use super::schema::{self, Standing};
use super::slots::{SLOT_FILLER_BYTES, SlotFile};
use super::{Reader, StorageError, Transaction, engine, files};
use rusqlite::{Connection, TransactionBehavior};
use std::fs;
use std::path::{self, Path, PathBuf};

/// An open store. Dropping it closes it too, but [`Database::close`] reports what went wrong.
pub struct Database {
    // Declared before the lock, so that it is closed before the lock is let go.
    pub(super) connection: Connection,
    dir: PathBuf,
    _lock: Lock,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

impl Database {
    /// Creates a store in a folder that does not exist or is empty (mode 0700, files 0600 on Unix).
    /// It comes into being at once: a kill on the way leaves a folder that can be created again.
    ///
    /// Errors: [`StorageError::Exists`], [`StorageError::InUse`], and those of the medium.
    pub fn create(dir: &Path) -> Result<Self, StorageError> {
        let dir = &path::absolute(dir)?;
        files::make_dir(dir)?;
        let lock = Lock::take(&dir.join(files::LOCK))?;
        // Another process may have finished between the first look and the lock.
        files::require_empty(dir)?;
        files::sweep(dir)?;
        let unfinished = dir.join(files::DATABASE_UNFINISHED);
        files::open_private(&unfinished)?.sync_all()?;
        build(&unfinished).map_err(|error| files::explain(&unfinished, error))?;
        fs::rename(&unfinished, dir.join(files::DATABASE))?;
        files::sync_dir(dir)?;
        Self::open_locked(dir, lock)
    }

    /// Opens a store and brings an older one up to this build's version. Reads a few pages only.
    ///
    /// Errors: [`StorageError::NotFound`], [`StorageError::InUse`], [`StorageError::Newer`],
    /// [`StorageError::Foreign`], [`StorageError::Damaged`], [`StorageError::ReadOnly`],
    /// [`StorageError::NoAccess`], [`StorageError::Full`], [`StorageError::Io`]. None of them
    /// deletes, renames or repairs anything; a newer file is left byte for byte as it is.
    pub fn open(dir: &Path) -> Result<Self, StorageError> {
        let dir = &path::absolute(dir)?;
        if !dir.join(files::DATABASE).try_exists()? {
            return Err(StorageError::NotFound);
        }
        let lock = Lock::take(&dir.join(files::LOCK))?;
        Self::open_locked(dir, lock)
    }

    /// `dir` is absolute: the engine takes a path that begins with `file:` for a URI.
    fn open_locked(dir: &Path, lock: Lock) -> Result<Self, StorageError> {
        let path = dir.join(files::DATABASE);
        // Most files that are not for us are refused before the engine sees them and puts its log beside them.
        schema::judge_header(&files::read_header(&path)?)?;
        let connection = load(&path).map_err(|error| files::explain(&path, error))?;
        files::sweep(dir)?;
        Ok(Self { connection, dir: dir.to_path_buf(), _lock: lock })
    }

    /// Runs `work` in one transaction: durable when this returns `Ok`, without effect when it returns an error.
    ///
    /// `work` gets no access to the database itself, so transactions cannot nest. After
    /// [`StorageError::Full`] or [`StorageError::Io`] the handle stays usable.
    pub fn transaction<T, E: From<StorageError>>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        let transaction = self.begin(TransactionBehavior::Immediate)?;
        // Dropped without commit, by an error or a panic of `work`, it rolls back.
        let value = work(&Transaction { reader: Reader { connection: &transaction } })?;
        transaction.commit().map_err(StorageError::from)?;
        Ok(value)
    }

    /// Runs `look` on one consistent state.
    pub fn read<T, E: From<StorageError>>(&mut self, look: impl FnOnce(&Reader<'_>) -> Result<T, E>) -> Result<T, E> {
        let transaction = self.begin(TransactionBehavior::Deferred)?;
        look(&Reader { connection: &transaction })
    }

    fn begin(&mut self, behaviour: TransactionBehavior) -> Result<rusqlite::Transaction<'_>, StorageError> {
        // A medium that fails during a rollback leaves the transaction open: end it before the next one.
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        Ok(self.connection.transaction_with_behavior(behaviour)?)
    }

    /// Replaces the key slots as a whole; `filler` is fresh random bytes.
    pub fn write_slots(&mut self, slots: &SlotFile, filler: &[u8; SLOT_FILLER_BYTES]) -> Result<(), StorageError> {
        files::write_slots(&self.dir, slots, filler)
    }

    /// Writes the log back and cuts it to nothing: from then on no file holds what was deleted.
    pub fn checkpoint(&mut self) -> Result<(), StorageError> {
        engine::checkpoint(&self.connection)
    }

    /// Checks every page, index, key and the schema: reads the whole file, so it is for a doctor's
    /// command and not for opening.
    ///
    /// Errors: [`StorageError::Damaged`]; the file is left as it is.
    pub fn check(&mut self) -> Result<(), StorageError> {
        let verdict: String = self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        let mut statement = self.connection.prepare("PRAGMA foreign_key_check")?;
        let dangling = statement.exists([])?;
        if verdict != "ok" || dangling || schema::shape(&self.connection)? != schema::fresh_shape()? {
            return Err(StorageError::Damaged);
        }
        Ok(())
    }

    /// Size of the database file once its log is written back (bytes).
    pub fn size_bytes(&mut self) -> Result<u64, StorageError> {
        let value = |name| self.connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0)).map(u64::from);
        Ok(value("page_count")? * value("page_size")?)
    }

    /// Finishes: checkpoints, closes the file and lets go of the lock, as a system that is about to
    /// freeze the process demands. The store is closed whatever this returns.
    pub fn close(self) -> Result<(), StorageError> {
        let checkpointed = engine::checkpoint(&self.connection);
        self.connection.close().map_err(|(_, error)| error)?;
        checkpointed
    }
}

/// Makes a database file that is whole and has no log.
fn build(path: &Path) -> Result<(), StorageError> {
    let mut connection = engine::connect(path)?;
    connection.execute_batch("PRAGMA page_size = 4096")?;
    schema::migrate(&mut connection)?;
    engine::settle(&connection)?;
    engine::checkpoint(&connection)?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Opens a database file whose header was judged, and brings it up to date.
fn load(path: &Path) -> Result<Connection, StorageError> {
    let mut connection = engine::connect(path)?;
    let standing = schema::judge_connection(&connection)?;
    engine::settle(&connection)?;
    if standing == Standing::Older {
        schema::migrate(&mut connection)?;
    }
    Ok(connection)
}
