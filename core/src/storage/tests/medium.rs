//! Media that are full or cannot be written.

use super::*;
use crate::storage::StorageError;
use std::process::{Command, Stdio};

/// A file system of its own in memory, where we may mount one (root on Linux).
struct Mount(TempDir);

impl Mount {
    fn small() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = mount(&["-t", "tmpfs", "-o", "size=2m", "tmpfs"], folder.path());
        mounted.then(|| Self(folder))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

fn mount(arguments: &[&str], path: &Path) -> bool {
    let status = Command::new("mount").args(arguments).arg(path).stderr(Stdio::null()).status();
    cfg!(target_os = "linux") && status.is_ok_and(|status| status.success())
}

fn note(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "note: {text}");
}

/// Writes bodies in transactions of ten until one fails; says how many were acknowledged and why it ended.
fn write_until_full(database: &mut Database) -> (u64, StorageError) {
    for batch in 0..1_000 {
        let outcome = database.transaction(|tx| {
            for number in batch * 10..batch * 10 + 10 {
                tx.put_body(&record(number), &BodyId::of(b""), &noise(number, 3_000))?;
            }
            Ok::<(), StorageError>(())
        });
        if let Err(error) = outcome {
            return (batch * 10, error);
        }
    }
    panic!("the medium never filled up");
}

#[test]
fn a_full_disk_is_told_undone_and_survived() {
    let Some(mount) = Mount::small() else {
        note("no right to mount: the full disk is covered by the page limit and by the fault shim only");
        return;
    };
    let dir = mount.0.path().join("store");
    let ballast = mount.0.path().join("ballast");
    let mut database = Database::create(&dir).unwrap();
    std::fs::write(&ballast, noise(1, 700_000)).unwrap();
    let (acknowledged, error) = write_until_full(&mut database);
    assert_eq!(error, StorageError::Full);
    assert!(acknowledged > 0);
    assert_eq!(database.read(|r| r.counts()).unwrap().bodies, acknowledged);
    assert_eq!(database.transaction(|tx| tx.put_meta("large", &noise(1, 900_000))), Err(StorageError::Full), "still full, still told");

    std::fs::remove_file(&ballast).unwrap();
    database.transaction(|tx| tx.put_body(&record(5_000), &BodyId::of(b""), b"later")).unwrap();
    database.check().unwrap();
    database.close().unwrap();
    let mut database = Database::open(&dir).unwrap();
    assert_eq!(database.read(|r| r.counts()).unwrap().bodies, acknowledged + 1);
    database.check().unwrap();
}

#[test]
fn a_page_limit_is_told_undone_and_survived() {
    let (_folder, dir) = place();
    let mut database = Database::create(&dir).unwrap();
    database.connection.execute_batch("PRAGMA max_page_count = 200").unwrap();
    let (acknowledged, error) = write_until_full(&mut database);
    assert_eq!(error, StorageError::Full);
    assert_eq!(database.read(|r| r.counts()).unwrap().bodies, acknowledged);
    database.connection.execute_batch("PRAGMA max_page_count = 100000").unwrap();
    database.transaction(|tx| tx.put_meta("root", b"later")).unwrap();
    database.check().unwrap();
}

#[test]
fn read_only_storage_is_refused_and_untouched() {
    let (_folder, plain) = place();
    let mount_point = Mount::small();
    let dir = mount_point.as_ref().map_or(plain, |mount| mount.0.path().join("store"));
    let mut database = Database::create(&dir).unwrap();
    database.transaction(|tx| tx.put_meta("root", b"1")).unwrap();
    database.close().unwrap();
    let before = files(&dir);
    if let Some(point) = &mount_point {
        assert!(mount(&["-o", "remount,ro"], point.0.path()));
        assert_eq!(Database::open(&dir).unwrap_err(), StorageError::ReadOnly);
        assert_eq!(Database::create(&point.0.path().join("other")).unwrap_err(), StorageError::ReadOnly);
    } else {
        note("no right to mount: the read-only folder is made by its mode");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |mode| std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(mode)).unwrap();
            mode(0o500);
            let refused = Database::open(&dir).map(drop);
            mode(0o700);
            assert!(matches!(refused, Err(StorageError::ReadOnly | StorageError::NoAccess)), "{refused:?}");
        }
    }
    assert!(files(&dir) == before);
    if let Some(point) = &mount_point {
        assert!(mount(&["-o", "remount,rw"], point.0.path()));
    }
    Database::open(&dir).unwrap().close().unwrap();
}

#[cfg(unix)]
#[test]
fn a_database_file_without_write_permission_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, dir) = place();
    Database::create(&dir).unwrap().close().unwrap();
    let path = dir.join("store.sqlite");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    let opened = Database::open(&dir).map(drop);
    if std::fs::OpenOptions::new().append(true).open(&path).is_ok() {
        note("permissions do not bind this user");
        assert_eq!(opened, Ok(()));
    } else {
        assert_eq!(opened, Err(StorageError::ReadOnly));
    }
}
