//! The relay of the demonstration: the real program, in a process of its own.

use crate::failure::Failure;
use crate::output;
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A relay that serves until it is dropped.
pub struct Relay {
    program: PathBuf,
    data: PathBuf,
    address: String,
    serving: Option<Child>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop();
    }
}

fn unreadable(error: std::io::Error) -> Failure {
    Failure::Unreadable(error.kind())
}

/// The relay's program beside this one; built once if it is missing.
fn program() -> Result<PathBuf, Failure> {
    let here = std::env::current_exe().map_err(unreadable)?;
    let beside = here.with_file_name(format!("satchel-relay{}", std::env::consts::EXE_SUFFIX));
    if beside.is_file() {
        return Ok(beside);
    }
    output::say("Building the relay, once …");
    let is_release = here.parent().is_some_and(|folder| folder.ends_with("release"));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or(Failure::Check("demo_relay_source"))?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "-p", "satchel-relay"]).args(is_release.then_some("--release")).current_dir(workspace);
    if let Some(target) = here.parent().and_then(Path::parent) {
        cargo.arg("--target-dir").arg(target);
    }
    let built = cargo.status().map_err(unreadable)?;
    if built.success() && beside.is_file() { Ok(beside) } else { Err(Failure::Check("demo_relay_build")) }
}

impl Relay {
    /// Starts a relay with an empty folder on a free port.
    pub fn start(data: &Path) -> Result<Self, Failure> {
        let mut relay = Self { program: program()?, data: data.to_owned(), address: "127.0.0.1:0".to_owned(), serving: None };
        relay.serve()?;
        Ok(relay)
    }

    /// Serves again, at the same address.
    pub fn serve(&mut self) -> Result<(), Failure> {
        let mut command = Command::new(&self.program);
        command.arg("serve").arg("--data").arg(&self.data).args(["--listen", &self.address]);
        // its log lies in the same folder: whoever takes the relay finds it too, and so does the search
        std::fs::create_dir_all(&self.data).map_err(unreadable)?;
        let log = OpenOptions::new().create(true).append(true).open(self.data.join("log.jsonl")).map_err(unreadable)?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().map_err(unreadable)?;
        let out = child.stdout.take();
        self.serving = Some(child);
        let mut line = String::new();
        BufReader::new(out.ok_or(Failure::Check("demo_relay_output"))?).read_line(&mut line).map_err(unreadable)?;
        let value: Value = serde_json::from_str(&line).map_err(|_| Failure::Check("demo_relay_output"))?;
        self.address = value["listening"].as_str().ok_or(Failure::Check("demo_relay_output"))?.to_owned();
        Ok(())
    }

    /// Pulls the plug.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.serving.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Runs one of the operator's commands.
    pub fn command(&self, arguments: &[&str]) -> Result<String, Failure> {
        let done = Command::new(&self.program).args(arguments).arg("--data").arg(&self.data).output().map_err(unreadable)?;
        if done.status.success() {
            Ok(String::from_utf8_lossy(&done.stdout).into_owned())
        } else {
            Err(Failure::Check("demo_relay_command"))
        }
    }

    /// Makes a mailbox: its id and its claim secret.
    pub fn create_mailbox(&self) -> Result<(String, String), Failure> {
        let said = self.command(&["mailbox", "create"])?;
        let word = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)).map(|rest| rest.trim().to_owned());
        word("mailbox ").zip(word("secret ")).ok_or(Failure::Check("demo_mailbox"))
    }

    /// The files with today's rows.
    fn day_files(&self) -> Result<Vec<PathBuf>, Failure> {
        let entries = std::fs::read_dir(&self.data).map_err(unreadable)?.filter_map(Result::ok).map(|entry| entry.path());
        Ok(entries.filter(|path| path.extension().is_some_and(|extension| extension == "db")).collect())
    }

    /// Ids of all rows of the records lane that the relay's files hold, with the file of each.
    pub fn record_rows(&self) -> Result<Vec<(PathBuf, Vec<u8>)>, Failure> {
        let mut rows = Vec::new();
        for path in self.day_files()? {
            let database = rusqlite::Connection::open(&path).map_err(|_| Failure::Check("demo_relay_files"))?;
            let Ok(mut statement) = database.prepare("SELECT id FROM sealed_row WHERE lane = 3") else { continue };
            let ids = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).map_err(|_| Failure::Check("demo_relay_files"))?;
            rows.extend(ids.filter_map(Result::ok).map(|id| (path.clone(), id)));
        }
        Ok(rows)
    }

    /// Changes one bit in the middle of a row, as a dishonest operator or a failing disk would.
    pub fn tamper(path: &Path, id: &[u8]) -> Result<(), Failure> {
        let failed = |_| Failure::Check("demo_tampering");
        let database = rusqlite::Connection::open(path).map_err(failed)?;
        let mut bytes: Vec<u8> =
            database.query_row("SELECT bytes FROM sealed_row WHERE id = ?1", [id], |row| row.get(0)).map_err(failed)?;
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 1;
        }
        let changed = database.execute("UPDATE sealed_row SET bytes = ?1 WHERE id = ?2", rusqlite::params![bytes, id]).map_err(failed)?;
        if changed == 1 { Ok(()) } else { Err(Failure::Check("demo_tampering")) }
    }
}
