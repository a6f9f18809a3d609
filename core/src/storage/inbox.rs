//! The key of the locked inbox, wrapped by the keystore: in a file of its own, so that erasing a device finds the alias
//! without opening a database.
//!
//! ```text
//! offset  bytes
//!      0      8  magic "SATCHINB"
//!      8      1  version: 1
//!      9      1  length of the keystore alias
//!     10     32  keystore alias, zero after its length
//!     42      1  length of the wrapped key
//!     43    192  wrapped key, zero after its length
//! ```

use super::StorageError;
use super::files::{self, open_private, remove_if_there, sync_dir};
use super::slots::Slot;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

const MAGIC: &[u8; 8] = b"SATCHINB";
const VERSION: u8 = 1;
const FILE_BYTES: usize = 43 + Slot::WRAPPED_MAX_BYTES;

/// The inbox's key as it lies on disk.
#[derive(Clone, PartialEq, Eq)]
pub struct InboxKey {
    alias: Vec<u8>,
    wrapped: Vec<u8>,
}

impl std::fmt::Debug for InboxKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InboxKey")
    }
}

impl InboxKey {
    /// Takes an alias of 1 to 32 bytes and a wrapped key of 1 to 192; else [`StorageError::Damaged`].
    pub fn new(alias: &[u8], wrapped: &[u8]) -> Result<Self, StorageError> {
        let fits = (1..=Slot::ALIAS_MAX_BYTES).contains(&alias.len()) && (1..=Slot::WRAPPED_MAX_BYTES).contains(&wrapped.len());
        if fits { Ok(Self { alias: alias.to_vec(), wrapped: wrapped.to_vec() }) } else { Err(StorageError::Damaged) }
    }

    /// Name of the key in the platform's keystore.
    pub fn alias(&self) -> &[u8] {
        &self.alias
    }

    /// The wrapped key, opaque here.
    pub fn wrapped(&self) -> &[u8] {
        &self.wrapped
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        for (field, room) in [(&self.alias, Slot::ALIAS_MAX_BYTES), (&self.wrapped, Slot::WRAPPED_MAX_BYTES)] {
            // both rooms are below 256, and the lengths were checked
            bytes.push(field.len() as u8);
            bytes.extend_from_slice(field);
            bytes.resize(bytes.len() + room - field.len(), 0);
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, StorageError> {
        let field = |at: usize, room: usize| {
            let length = usize::from(*bytes.get(at)?);
            let (field, padding) = bytes.get(at + 1..at + 1 + room)?.split_at_checked(length)?;
            padding.iter().all(|byte| *byte == 0).then_some(field)
        };
        let is_ours = bytes.len() == FILE_BYTES && bytes.starts_with(MAGIC) && bytes.get(8) == Some(&VERSION);
        let fields = field(9, Slot::ALIAS_MAX_BYTES).zip(field(42, Slot::WRAPPED_MAX_BYTES));
        match fields.filter(|_| is_ours) {
            Some((alias, wrapped)) => Self::new(alias, wrapped),
            None => Err(StorageError::Damaged),
        }
    }
}

/// The inbox's key, if there is one. Takes no lock. Errors: [`StorageError::Damaged`], and the medium's.
pub fn read_inbox_key(dir: &Path) -> Result<Option<InboxKey>, StorageError> {
    let file = match File::open(dir.join(files::INBOX)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::with_capacity(FILE_BYTES + 1);
    file.take(FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    InboxKey::decode(&bytes).map(Some)
}

/// Replaces it as a whole. Call it while a [`Database`](super::Database) of this folder is open: it holds the lock.
pub fn write_inbox_key(dir: &Path, key: &InboxKey) -> Result<(), StorageError> {
    let unfinished = dir.join(files::INBOX_UNFINISHED);
    let mut file = open_private(&unfinished)?;
    file.set_len(0)?;
    file.write_all(&key.encode())?;
    file.sync_all()?;
    drop(file);
    fs::rename(&unfinished, dir.join(files::INBOX))?;
    sync_dir(dir)
}

/// Removes it. None there: no error.
pub fn remove_inbox_key(dir: &Path) -> Result<(), StorageError> {
    remove_if_there(&dir.join(files::INBOX_UNFINISHED))?;
    remove_if_there(&dir.join(files::INBOX))?;
    sync_dir(dir)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_inbox_key(folder.path()).unwrap(), None);
        let key = InboxKey::new(b"an alias", &[7; 120]).unwrap();
        write_inbox_key(folder.path(), &key).unwrap();
        assert_eq!(read_inbox_key(folder.path()).unwrap(), Some(key.clone()));
        let whole = key.encode();
        assert_eq!(whole.len(), FILE_BYTES);
        let mut longer = whole.clone();
        longer.push(0);
        let changed = |at: usize, to: u8| {
            let mut bytes = whole.clone();
            bytes[at] = to;
            bytes
        };
        for wrong in [
            vec![],
            whole[..FILE_BYTES - 1].to_vec(),
            longer,
            changed(0, b'X'),
            changed(8, 2),
            changed(9, 0),
            changed(9, 33),
            changed(41, 1),
            changed(42, 0),
            changed(42, 255),
            changed(234, 1),
        ] {
            fs::write(folder.path().join(files::INBOX), wrong).unwrap();
            assert_eq!(read_inbox_key(folder.path()).unwrap_err(), StorageError::Damaged);
        }
        remove_inbox_key(folder.path()).unwrap();
        assert_eq!(read_inbox_key(folder.path()).unwrap(), None);
        remove_inbox_key(folder.path()).unwrap();
        assert!(
            InboxKey::new(b"", &[7; 120]).is_err() && InboxKey::new(&[1; 33], &[7]).is_err() && InboxKey::new(b"a", &[0; 193]).is_err()
        );
    }
}
