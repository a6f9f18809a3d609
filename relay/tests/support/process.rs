//! The program itself, as a process.
#![allow(clippy::disallowed_methods, reason = "a real process reads the real clock, and the test has to agree with it")]

use super::*;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_satchel-relay");

/// Runs a command on the storage that `place` names: a folder, or what begins with `host=`.
pub fn run(arguments: &[&str], place: impl AsRef<Path>) -> Output {
    Command::new(PROGRAM).args(arguments).args(place_of(place.as_ref())).output().unwrap()
}

fn place_of(place: &Path) -> [String; 2] {
    let text = place.to_str().unwrap().to_owned();
    [if text.starts_with("host=") { "--postgres" } else { "--data" }.to_owned(), text]
}

pub fn text(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub struct Served {
    pub child: Child,
    pub address: SocketAddr,
}

impl Served {
    pub fn from(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
        Self { child, address: ready["listening"].as_str().unwrap().parse().unwrap() }
    }
    pub fn start(place: impl AsRef<Path>) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(place_of(place.as_ref())).stderr(Stdio::null());
        Self::from(command)
    }
    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap().success());
    }
    pub fn wait(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn now() -> Arc<AtomicU64> {
    Arc::new(AtomicU64::new(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()))
}

/// Makes a mailbox by the command and claims it with what the command printed.
pub fn make_team(place: impl AsRef<Path>, address: SocketAddr, more: &[&str]) -> Team {
    let printed = text(&run(&[&["mailbox", "create"], more].concat(), place));
    let (mailbox, secret) = printed_secret(&printed);
    let team = Team { mailbox, secret, ..Team::new(address, 1, now()) };
    assert_eq!(team.claim().frame::<Done>().generation, 0);
    team
}

/// The mailbox and the secret that a command printed.
pub fn printed_secret(printed: &str) -> (MailboxId, [u8; 16]) {
    let mut lines = printed.lines();
    let mailbox = lines.next().unwrap().strip_prefix("mailbox ").unwrap().parse().unwrap();
    let secret = lines.next().unwrap().strip_prefix("secret ").unwrap().to_uppercase();
    (mailbox, data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).unwrap().try_into().unwrap())
}
