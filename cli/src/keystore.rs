//! A keystore made of files, for laptops and tests.
//!
//! What it does: a copied store folder and its passphrase are not enough, the file beside it is needed too.
//! What it cannot promise: whoever copies this whole home folder has both; nothing counts attempts; a deleted
//! file may lie on the disk for long. Phones use their hardware instead.

use satchel_core::crypto::KeystoreSecret;
use satchel_core::env::Env;
use satchel_core::store::{KeyProtector, ProtectorError};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Length of an alias (bytes).
const ALIAS_BYTES: usize = 16;
/// Length of a secret (bytes).
const SECRET_BYTES: usize = 32;

/// One file for each alias, readable by its owner only.
pub struct FileKeystore {
    dir: PathBuf,
    env: Env,
}

impl FileKeystore {
    pub fn new(dir: &Path, env: Env) -> Self {
        Self { dir: dir.to_owned(), env }
    }

    /// Where it lies unless `--keystore` says otherwise.
    pub fn default_dir() -> Option<PathBuf> {
        std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share/satchel/keys"))
    }

    fn path(&self, alias: &[u8]) -> Result<PathBuf, ProtectorError> {
        // an alias comes from a slot file that somebody else may have written: only its hexadecimal form becomes a path
        if alias.len() != ALIAS_BYTES {
            return Err(ProtectorError::Missing);
        }
        Ok(self.dir.join(format!("{}.key", data_encoding::HEXLOWER.encode(alias))))
    }
}

fn refused(_: std::io::Error) -> ProtectorError {
    ProtectorError::Refused
}

fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn make_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

impl KeyProtector for FileKeystore {
    fn create(&self) -> Result<(Vec<u8>, KeystoreSecret), ProtectorError> {
        make_dir(&self.dir).map_err(refused)?;
        let alias = self.env.random::<ALIAS_BYTES>();
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        self.env.fill(secret.as_mut_slice());
        let mut file = private_file(&self.path(&alias)?).map_err(refused)?;
        file.write_all(secret.as_slice()).and_then(|()| file.sync_all()).map_err(refused)?;
        // the name must last too
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(refused)?;
        Ok((alias.to_vec(), KeystoreSecret::from_bytes(&secret)))
    }

    fn secret(&self, alias: &[u8]) -> Result<KeystoreSecret, ProtectorError> {
        let file = File::open(self.path(alias)?).map_err(|_| ProtectorError::Missing)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(SECRET_BYTES + 1));
        file.take(SECRET_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(refused)?;
        KeystoreSecret::from_slice(&bytes).map_err(|_| ProtectorError::Missing)
    }

    fn destroy(&self, alias: &[u8]) -> Result<(), ProtectorError> {
        std::fs::remove_file(self.path(alias)?).map_err(refused)
    }

    fn is_hardware_bound(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use satchel_core::store::KeyProtector;

    #[test]
    fn a_secret_is_found_again_until_it_is_destroyed() {
        let folder = tempfile::tempdir().unwrap();
        let keystore = FileKeystore::new(&folder.path().join("keys"), Env::system());
        let (alias, _) = keystore.create().unwrap();
        let (other, _) = keystore.create().unwrap();
        assert_ne!(alias, other);
        assert!(keystore.secret(&alias).is_ok());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&keystore.path(&alias).unwrap()), 0o600);
            assert_eq!(mode(&keystore.dir), 0o700);
        }
        keystore.destroy(&alias).unwrap();
        assert_eq!(keystore.secret(&alias).err(), Some(ProtectorError::Missing));
        assert!(keystore.secret(&other).is_ok());
        assert_eq!(keystore.secret(b"../../etc/passwd").err(), Some(ProtectorError::Missing));
        assert_eq!(keystore.secret(&[0; 33]).err(), Some(ProtectorError::Missing));
    }
}
