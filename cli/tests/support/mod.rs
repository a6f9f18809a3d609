//! Runs the real program.
#![allow(dead_code, clippy::unwrap_used)]

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What a process left behind.
#[derive(Debug)]
pub struct Ended {
    pub status: i32,
    pub out: String,
    pub error: String,
}

impl Ended {
    pub fn value(&self) -> Value {
        assert_eq!(self.status, 0, "{}", self.error);
        serde_json::from_str(self.out.lines().last().unwrap()).unwrap()
    }
    pub fn code(&self) -> String {
        let error: Value = serde_json::from_str(self.error.lines().last().unwrap_or_default()).unwrap_or_default();
        error["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// One store with its key folder.
pub struct Phone {
    pub store: PathBuf,
    pub keys: PathBuf,
    pub passphrase: &'static str,
}

pub struct Talking {
    pub child: Child,
    pub input: ChildStdin,
    pub lines: BufReader<ChildStdout>,
}

impl Talking {
    pub fn next(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line:?}"))
    }
    pub fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }
    pub fn end(self) -> Ended {
        let Self { child, input, mut lines } = self;
        drop(input);
        let mut out = String::new();
        std::io::Read::read_to_string(&mut lines, &mut out).unwrap();
        let done = child.wait_with_output().unwrap();
        Ended { status: done.status.code().unwrap(), out, error: String::from_utf8(done.stderr).unwrap() }
    }
}

pub fn satchel() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_satchel"));
    command.env_remove("SATCHEL_STORE").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command without a store.
pub fn run_bare(arguments: &[&str], input: &[u8]) -> Ended {
    let mut child = satchel().args(arguments).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writing = std::thread::spawn(move || {
        // a program that ends early closes its input
        let _ = stdin.write_all(&input);
    });
    let done = child.wait_with_output().unwrap();
    writing.join().unwrap();
    Ended {
        status: done.status.code().unwrap(),
        out: String::from_utf8(done.stdout).unwrap(),
        error: String::from_utf8(done.stderr).unwrap(),
    }
}

impl Phone {
    pub fn new(folder: &Path, name: &str) -> Self {
        Self { store: folder.join(name), keys: folder.join(format!("{name}-keys")), passphrase: "correct horse battery staple" }
    }

    /// A founded team with the starter catalogue.
    pub fn founded(folder: &Path) -> Self {
        let phone = Self::new(folder, "ana");
        phone.run(&["init", "--name", "Ana", "--time-zone", "America/Los_Angeles"]).value();
        phone
    }

    pub fn start(&self, arguments: &[&str]) -> Talking {
        let mut command = satchel();
        command.arg("--store").arg(&self.store).arg("--keystore").arg(&self.keys);
        command.args(["--key-cost", "least", "--passphrase-fd", "0"]).args(arguments);
        self.talk(command)
    }

    pub fn talk(&self, mut command: Command) -> Talking {
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let _ = writeln!(input, "{}", self.passphrase);
        let lines = BufReader::new(child.stdout.take().unwrap());
        Talking { child, input, lines }
    }

    /// With `--json`.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.start(&[&["--json"], arguments].concat()).end()
    }

    pub fn id(&self, arguments: &[&str]) -> String {
        self.run(arguments).value()["id"].as_str().unwrap().to_owned()
    }
}
