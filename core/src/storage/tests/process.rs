//! Two processes, and processes that die.

use super::*;
use crate::storage::StorageError;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const ROLE: &str = "SATCHEL_STORAGE_CHILD";
const DIR: &str = "SATCHEL_STORAGE_DIR";

/// This test binary again, playing a role on a store.
struct Player {
    process: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it said once it was ready.
    said: String,
}

impl Player {
    fn start(role: &str, dir: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "storage::tests::process::play_a_role", "--ignored", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .env(DIR, dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = process.stdin.take();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let said = lines.by_ref().map_while(Result::ok).find_map(|line| line.split_once("said:").map(|(_, said)| said.to_owned()));
        Self { process, stdin, lines, said: said.expect("the child says something") }
    }

    /// Closes the pipe it waits on and says whether it ended well.
    fn finish(mut self) -> bool {
        drop(self.stdin.take());
        self.lines.by_ref().for_each(drop);
        self.process.wait().unwrap().success()
    }
}

fn say(word: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "\nsaid:{word}").unwrap();
    out.flush().unwrap();
}

#[test]
#[ignore = "entry point of child processes"]
fn play_a_role() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let dir = Path::new(&dir);
    match std::env::var(ROLE).unwrap().as_str() {
        "open" => say(&format!("{:?}", Database::open(dir).map(drop))),
        "hold" => {
            let _database = Database::open(dir).unwrap();
            say("held");
            // Until the parent closes the pipe, or kills us.
            std::io::stdin().lines().for_each(drop);
        }
        "abort" => {
            let mut database = Database::open(dir).unwrap();
            database.transaction(|tx| tx.put_meta("root", b"acknowledged")).unwrap();
            let outcome = database.transaction(|tx| -> Result<(), StorageError> {
                tx.put_meta("root", b"never acknowledged")?;
                // More than the page cache holds, so that uncommitted pages reach the log.
                for number in 0..100 {
                    tx.put_body(&record(number), &BodyId::of(b""), &noise(number, 60_000))?;
                }
                say("inside");
                std::io::stdin().lines().for_each(drop);
                std::process::abort();
            });
            outcome.unwrap();
        }
        other => panic!("no such role: {other}"),
    }
}

#[test]
fn a_second_process_is_told_that_the_store_is_in_use() {
    let (_folder, dir) = place();
    let database = Database::create(&dir).unwrap();
    assert_eq!(Database::open(&dir).unwrap_err(), StorageError::InUse, "a second handle of this process");
    let other = Player::start("open", &dir);
    assert_eq!(other.said, "Err(InUse)");
    assert!(other.finish());
    drop(database);
    let other = Player::start("open", &dir);
    assert_eq!(other.said, "Ok(())", "positive control");
    assert!(other.finish());
}

#[test]
fn a_killed_holder_lets_go() {
    let (_folder, dir) = place();
    Database::create(&dir).unwrap().close().unwrap();
    let mut holder = Player::start("hold", &dir);
    assert_eq!(holder.said, "held");
    assert_eq!(Database::open(&dir).unwrap_err(), StorageError::InUse);
    // SIGKILL on Unix.
    holder.process.kill().unwrap();
    assert!(!holder.finish());
    Database::open(&dir).unwrap().close().unwrap();
}

#[test]
fn a_tool_that_ignores_our_lock_file_meets_the_engines_lock() {
    let (_folder, dir) = place();
    Database::create(&dir).unwrap().close().unwrap();
    let holder = Player::start("hold", &dir);
    let tool = rusqlite::Connection::open(dir.join("store.sqlite")).unwrap();
    tool.busy_timeout(std::time::Duration::ZERO).unwrap();
    let count = |tool: &rusqlite::Connection| tool.query_row("SELECT count(*) FROM meta", [], |row| row.get::<_, i64>(0));
    assert_eq!(StorageError::from(count(&tool).unwrap_err()), StorageError::InUse);
    assert!(holder.finish());
    assert_eq!(count(&tool).unwrap(), 0, "positive control");
}

#[test]
fn an_abort_inside_a_transaction_undoes_it() {
    let (_folder, dir) = place();
    Database::create(&dir).unwrap().close().unwrap();
    let dying = Player::start("abort", &dir);
    assert_eq!(dying.said, "inside");
    let log = std::fs::metadata(dir.join("store.sqlite-wal")).unwrap().len();
    assert!(log > 1_000_000, "uncommitted pages are in the log: {log}");
    assert!(!dying.finish());
    let mut database = Database::open(&dir).unwrap();
    database.check().unwrap();
    assert_eq!(database.read(|r| r.meta("root")).unwrap().unwrap(), b"acknowledged");
    assert_eq!(database.read(|r| r.counts()).unwrap().bodies, 0);
}
