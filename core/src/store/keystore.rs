//! The platform's keystore: what stands between a copied folder and a guessed passphrase.
//!
//! A slot holds `keystore(alias).wrap( passphrase key.wrap( store key ) )`. The keystore's own key never leaves it, it
//! sees nothing but ciphertext, and without it no guess at the passphrase can be tried. Destroying an alias makes
//! every slot that was ever written under it useless, also the copies that flash memory and backups keep.

use crate::crypto::{self, Aad, KeystoreSecret, Nonce, labels};
use crate::env::Env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where the platform keeps a key for one store: Android Keystore, Secure Enclave, or a file that promises less.
///
/// On phones mandatory: a copied folder and a passphrase are then not enough. A platform needs no more than
/// AES-256-GCM (Android Keystore, also in StrongBox) or ECIES over P-256 (Secure Enclave:
/// `eciesEncryptionCofactorX963SHA256AESGCM`); what is wrapped is 104 bytes and may grow by at most 88.
pub trait KeyProtector: Send + Sync {
    /// Makes a new key, never to leave the keystore, under a fresh alias of 1 to 32 bytes, durable when it returns.
    fn create(&self) -> Result<Vec<u8>, ProtectorError>;
    /// Encrypts, authenticated, under the key of an alias.
    fn wrap(&self, alias: &[u8], plain: &[u8]) -> Result<Vec<u8>, ProtectorError>;
    /// Decrypts what [`wrap`](Self::wrap) made. Errors: [`ProtectorError::Missing`] without the key;
    /// [`ProtectorError::Refused`] also for altered bytes.
    fn unwrap(&self, alias: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, ProtectorError>;
    /// Destroys the key of an alias, as finally as the platform can. Errors: [`ProtectorError::Missing`] when it is gone already.
    fn destroy(&self, alias: &[u8]) -> Result<(), ProtectorError>;
    /// Whether the key is bound to hardware that counts attempts: only then may a PIN open the store.
    fn is_hardware_bound(&self) -> bool;

    /// What it promises, and what not.
    fn promise(&self) -> Promise {
        if self.is_hardware_bound() { Promise::Hardware } else { Promise::System }
    }
    /// Keeps the highest day that a store (16 bytes name it) was sure of (days since 1970-01-01) where a restored folder cannot
    /// take it back. Each store has its own: what one believed of a wrong clock is nothing to another.
    ///
    /// Errors: [`ProtectorError::Unsupported`] where the platform has no such place.
    fn note_day(&self, _store: &[u8; 16], _day: u32) -> Result<(), ProtectorError> {
        Err(ProtectorError::Unsupported)
    }
    /// The highest day that was kept for a store. Errors: as [`note_day`](Self::note_day).
    fn highest_day(&self, _store: &[u8; 16]) -> Result<Option<u32>, ProtectorError> {
        Err(ProtectorError::Unsupported)
    }
}

/// The keystore did not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtectorError {
    /// No such alias: the store was copied from another device, or its key destroyed.
    #[error("the keystore holds no such key")]
    Missing,
    /// The platform refused. Remedy: unlock the device, then try again.
    #[error("the keystore refused")]
    Refused,
    /// The platform cannot do this. Remedy: do without.
    #[error("the keystore cannot do this")]
    Unsupported,
}

impl ProtectorError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "keystore_missing",
            Self::Refused => "keystore_refused",
            Self::Unsupported => "keystore_unsupported",
        }
    }
}

/// What a keystore promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Promise {
    /// Hardware that gives no key away and counts attempts.
    Hardware,
    /// The operating system keeps the key away from other programs.
    System,
    /// A file beside the store.
    File,
    /// There is none: the passphrase alone opens a copied folder.
    None,
}

/// What a keystore cannot promise: the app says it in the user's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caveat {
    /// Whoever copies the folder may try passphrases for as long as they like.
    CopyCanBeGuessed,
    /// Whoever copies the folder and the keystore's files may do so.
    CopyOfBothCanBeGuessed,
    /// Nothing counts attempts.
    AttemptsNotCounted,
    /// The medium may keep a destroyed key until it reuses the place.
    DestroyedKeyMayLinger,
    /// An old key slot that the medium kept still opens what was erased, with the passphrase of its time.
    OldSlotsStillOpen,
}

impl Promise {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hardware => "hardware",
            Self::System => "system",
            Self::File => "file",
            Self::None => "none",
        }
    }
    /// What it cannot promise.
    pub const fn caveats(self) -> &'static [Caveat] {
        match self {
            Self::Hardware => &[],
            Self::System => &[Caveat::AttemptsNotCounted],
            Self::File => &[Caveat::CopyOfBothCanBeGuessed, Caveat::AttemptsNotCounted, Caveat::DestroyedKeyMayLinger],
            Self::None => &[Caveat::CopyCanBeGuessed, Caveat::AttemptsNotCounted, Caveat::OldSlotsStillOpen],
        }
    }
}

impl Caveat {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CopyCanBeGuessed => "copy_can_be_guessed",
            Self::CopyOfBothCanBeGuessed => "copy_of_both_can_be_guessed",
            Self::AttemptsNotCounted => "attempts_not_counted",
            Self::DestroyedKeyMayLinger => "destroyed_key_may_linger",
            Self::OldSlotsStillOpen => "old_slots_still_open",
        }
    }
}

/// Length of an alias (bytes).
const ALIAS_BYTES: usize = 16;

/// A keystore made of files, one for each alias, for laptops and tests.
///
/// What it does: a copied store folder and its passphrase are not enough, the file beside it is needed too.
/// What it cannot promise is [`Promise::File`]: whoever copies both has both; nothing counts attempts; a destroyed
/// file is overwritten first, and flash memory may keep it all the same.
pub struct FileKeystore {
    dir: PathBuf,
    env: Env,
}

impl std::fmt::Debug for FileKeystore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileKeystore")
    }
}

impl FileKeystore {
    /// A keystore in this folder, which is made (for its owner alone) with the first key.
    pub fn new(dir: &Path, env: Env) -> Self {
        Self { dir: dir.to_owned(), env }
    }

    fn path(&self, alias: &[u8]) -> Result<PathBuf, ProtectorError> {
        // an alias comes from a slot file that somebody else may have written: only its hexadecimal form becomes a path
        if alias.len() != ALIAS_BYTES {
            return Err(ProtectorError::Missing);
        }
        Ok(self.dir.join(format!("{}.key", data_encoding::HEXLOWER.encode(alias))))
    }

    fn secret(&self, alias: &[u8]) -> Result<KeystoreSecret, ProtectorError> {
        let file = File::open(self.path(alias)?).map_err(absent)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(KeystoreSecret::LENGTH_BYTES + 1));
        file.take(KeystoreSecret::LENGTH_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(refused)?;
        KeystoreSecret::from_slice(&bytes).map_err(|_| ProtectorError::Missing)
    }

    fn day_path(&self, store: &[u8; 16], ending: &str) -> PathBuf {
        self.dir.join(format!("{}.{ending}", data_encoding::HEXLOWER.encode(store)))
    }

    fn write_day(&self, store: &[u8; 16], day: u32) -> std::io::Result<()> {
        let (new, kept) = (self.day_path(store, "new"), self.day_path(store, "day"));
        let mut file = File::create(&new)?;
        file.write_all(&day.to_le_bytes())?;
        file.sync_all()?;
        fs::rename(new, kept)
    }

    /// Once no key is left, nothing else is.
    fn forget_days(&self) {
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        let paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        let ends = |path: &Path, endings: &[&str]| path.extension().and_then(|end| end.to_str()).is_some_and(|end| endings.contains(&end));
        if !paths.iter().any(|path| ends(path, &["key"])) {
            for path in paths.iter().filter(|path| ends(path, &["day", "new"])) {
                let _ = fs::remove_file(path);
            }
        }
    }

    fn sync_dir(&self) -> std::io::Result<()> {
        if cfg!(unix) { File::open(&self.dir)?.sync_all() } else { Ok(()) }
    }
}

fn refused(_: std::io::Error) -> ProtectorError {
    ProtectorError::Refused
}

fn absent(error: std::io::Error) -> ProtectorError {
    if error.kind() == ErrorKind::NotFound { ProtectorError::Missing } else { ProtectorError::Refused }
}

fn aad(alias: &[u8]) -> Aad {
    Aad::new(labels::KEYSTORE).add(alias)
}

impl KeyProtector for FileKeystore {
    fn create(&self) -> Result<Vec<u8>, ProtectorError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.dir).map_err(refused)?;
        let alias = self.env.random::<ALIAS_BYTES>();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(self.path(&alias)?).map_err(refused)?;
        file.write_all(KeystoreSecret::make(&self.env).expose()).and_then(|()| file.sync_all()).map_err(refused)?;
        // the name must last too
        self.sync_dir().map_err(refused)?;
        Ok(alias.to_vec())
    }

    fn wrap(&self, alias: &[u8], plain: &[u8]) -> Result<Vec<u8>, ProtectorError> {
        crypto::seal(&self.secret(alias)?, Nonce::make(&self.env), &aad(alias), plain).map_err(|_| ProtectorError::Refused)
    }

    fn unwrap(&self, alias: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, ProtectorError> {
        crypto::open(&self.secret(alias)?, &aad(alias), wrapped).map_err(|_| ProtectorError::Refused)
    }

    fn destroy(&self, alias: &[u8]) -> Result<(), ProtectorError> {
        let path = self.path(alias)?;
        // a failure to overwrite must not keep the file from being removed
        let overwritten = OpenOptions::new().write(true).open(&path).and_then(|mut file| {
            file.write_all(&self.env.random::<{ KeystoreSecret::LENGTH_BYTES }>())?;
            file.sync_all()
        });
        let removed = fs::remove_file(&path);
        self.forget_days();
        removed.and(overwritten).and_then(|()| self.sync_dir()).map_err(absent)
    }

    fn is_hardware_bound(&self) -> bool {
        false
    }

    fn promise(&self) -> Promise {
        Promise::File
    }

    /// Not authenticated: whoever may write there may as well destroy the keys.
    fn note_day(&self, store: &[u8; 16], day: u32) -> Result<(), ProtectorError> {
        if self.highest_day(store)?.is_some_and(|known| known >= day) {
            return Ok(());
        }
        self.write_day(store, day).map_err(refused)
    }

    fn highest_day(&self, store: &[u8; 16]) -> Result<Option<u32>, ProtectorError> {
        match fs::read(self.day_path(store, "day")) {
            Ok(bytes) => Ok(bytes.try_into().ok().map(u32::from_le_bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refused(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_file_wraps_opens_until_the_file_is_destroyed() {
        let folder = tempfile::tempdir().unwrap();
        let keystore = FileKeystore::new(&folder.path().join("keys"), Env::system());
        let (alias, other) = (keystore.create().unwrap(), keystore.create().unwrap());
        assert_ne!(alias, other);
        let wrapped = keystore.wrap(&alias, b"a wrapped key").unwrap();
        assert_eq!(keystore.unwrap(&alias, &wrapped).unwrap().as_slice(), b"a wrapped key");
        assert_eq!(keystore.unwrap(&other, &wrapped).unwrap_err(), ProtectorError::Refused);
        let mut altered = wrapped.clone();
        altered[70] ^= 1;
        assert_eq!(keystore.unwrap(&alias, &altered).unwrap_err(), ProtectorError::Refused);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&keystore.path(&alias).unwrap()), 0o600);
            assert_eq!(mode(&keystore.dir), 0o700);
        }
        keystore.destroy(&alias).unwrap();
        assert_eq!(keystore.unwrap(&alias, &wrapped).unwrap_err(), ProtectorError::Missing);
        assert_eq!(keystore.destroy(&alias).unwrap_err(), ProtectorError::Missing);
        assert!(keystore.wrap(&other, b"x").is_ok());
        for stranger in [b"../../etc/passwd".as_slice(), &[0; 33], b""] {
            assert_eq!(keystore.wrap(stranger, b"x").unwrap_err(), ProtectorError::Missing);
        }
        keystore.note_day(&[1; 16], 20_000).unwrap();
        assert_eq!(keystore.highest_day(&[1; 16]).unwrap(), Some(20_000));
    }

    #[test]
    fn only_hardware_has_no_caveat() {
        for promise in [Promise::System, Promise::File, Promise::None] {
            assert!(promise.caveats().contains(&Caveat::AttemptsNotCounted), "{}", promise.code());
        }
        assert!(Promise::Hardware.caveats().is_empty());
    }
}
