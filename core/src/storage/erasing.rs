//! Erasing a device: what must be gone at once, in which order, and how the rest is finished after a kill.
//!
//! 1. the marker `erasing`, with the names of the keystore keys; it waits for no medium
//! 2. the keystore's keys, by the caller
//! 3. the slot file: overwritten in place, on the medium, removed
//! 4. everything else; the marker goes last
//!
//! Whoever opens the folder after a kill sees the marker, finishes steps 3 and 4, and says [`StorageError::Erased`].

use super::files::{self, LOCK};
use super::lock::Lock;
use super::slots::{SLOT_COUNT, SLOT_FILE_BYTES, Slot};
use super::{StorageError, destroy_slots};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

pub(super) const MARKER: &str = "erasing";
pub(super) const MARKER_UNFINISHED: &str = "erasing.new";
/// Longest marker (bytes): those of the slots and the inbox, each with its length, twice, and one for what nobody can name.
const MARKER_MAX_BYTES: usize = 2 * (SLOT_COUNT + 1) * (Slot::ALIAS_MAX_BYTES + 1) + 1;

/// The keystore keys of a store, as far as its files name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyNames {
    /// Their aliases, sorted.
    pub aliases: Vec<Vec<u8>>,
    /// A file that names keys is damaged: there may be more.
    pub may_be_more: bool,
}

/// Whether an erasure of this folder has begun.
pub fn is_erasing(dir: &Path) -> bool {
    dir.join(MARKER).try_exists().unwrap_or(false)
}

/// Puts the marker there, with the keystore keys that are to be destroyed, without waiting for the medium.
///
/// Errors: the medium's; an erasure goes on without the marker then, since what counts are keys.
pub fn mark_erasing(dir: &Path, keys: &KeyNames) -> Result<(), StorageError> {
    let mut bytes = Vec::with_capacity(MARKER_MAX_BYTES);
    if keys.may_be_more {
        bytes.push(0);
    }
    for alias in keys.aliases.iter().filter(|alias| alias.len() <= Slot::ALIAS_MAX_BYTES) {
        // at most 32, just checked
        bytes.push(alias.len() as u8);
        bytes.extend_from_slice(alias);
    }
    bytes.truncate(MARKER_MAX_BYTES);
    // renamed, so that a kill leaves the names of before or of now
    let unfinished = dir.join(MARKER_UNFINISHED);
    let mut file = files::open_private(&unfinished)?;
    file.set_len(0)?;
    file.write_all(&bytes)?;
    drop(file);
    Ok(std::fs::rename(&unfinished, dir.join(MARKER))?)
}

/// The keystore keys that the marker, the slot file and the inbox's key name. An unreadable file names none, and that is said.
///
/// A marker was written when the other files were whole or known to be damaged; beside one they may be half destroyed.
pub fn keys_to_destroy(dir: &Path) -> KeyNames {
    let (mut bytes, mut may_be_more, is_marked) = (Vec::new(), false, is_erasing(dir));
    match File::open(dir.join(MARKER)) {
        Ok(file) => may_be_more |= file.take(MARKER_MAX_BYTES as u64).read_to_end(&mut bytes).is_err(),
        Err(error) => may_be_more |= error.kind() != ErrorKind::NotFound,
    }
    let mut aliases = Vec::new();
    let mut rest = bytes.as_slice();
    while let Some((length, after)) = rest.split_first() {
        let Some((alias, after)) = after.split_at_checked(usize::from(*length)) else {
            may_be_more = true;
            break;
        };
        may_be_more |= alias.is_empty();
        aliases.push(alias.to_vec());
        rest = after;
    }
    match super::read_slots(dir) {
        Ok(slots) => aliases.extend(slots.slots.iter().flatten().map(|slot| slot.keystore_alias().to_vec())),
        Err(StorageError::NotFound) => {}
        Err(_) => may_be_more |= !is_marked,
    }
    match super::read_inbox_key(dir) {
        Ok(key) => aliases.extend(key.map(|key| key.alias().to_vec())),
        Err(_) => may_be_more |= !is_marked,
    }
    aliases.retain(|alias| !alias.is_empty());
    aliases.sort();
    aliases.dedup();
    KeyNames { aliases, may_be_more }
}

/// Steps 3 and 4. `keeps_marker` while a keystore key is not known to be destroyed.
///
/// Errors: [`StorageError::InUse`] while a process has the store open (the slots are gone all the same), and the medium's.
pub fn finish_erasing(dir: &Path, noise: &[u8; SLOT_FILE_BYTES], keeps_marker: bool) -> Result<(), StorageError> {
    let destroyed = destroy_slots(dir, noise);
    let lock = Lock::take(&dir.join(LOCK))?;
    files::remove_all(dir)?;
    destroyed?;
    if keeps_marker {
        return Ok(());
    }
    files::remove_marker(dir)?;
    files::remove_folder(dir, lock)
}
