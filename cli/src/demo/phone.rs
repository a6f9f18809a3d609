//! One phone of the demonstration: a folder, a key folder, and a process for everything it does.

use crate::failure::Failure;
use crate::output;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A colleague with a phone.
pub struct Phone {
    pub name: &'static str,
    pub store: PathBuf,
    keystore: PathBuf,
    passphrase: String,
    clock: Option<u64>,
}

/// A process of a phone that is still talking.
pub struct Talking {
    child: Child,
    input: Option<ChildStdin>,
    lines: BufReader<ChildStdout>,
}

impl Drop for Talking {
    fn drop(&mut self) {
        // only if the story ended early: a finished process cannot be killed
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn unexpected(what: &str) -> Failure {
    output::complain(&format!("demo: {what}"));
    Failure::Check("demo_step")
}

impl Phone {
    pub fn new(name: &'static str, folder: &Path, passphrase: String, clock: Option<u64>) -> Self {
        let lower = name.to_lowercase();
        Self { name, store: folder.join(&lower), keystore: folder.join(format!("{lower}-keys")), passphrase, clock }
    }

    /// Another phone of the same person, with another folder and another passphrase.
    pub fn replacement(name: &'static str, folder: &Path, place: &str, passphrase: String) -> Self {
        Self { name, store: folder.join(place), keystore: folder.join(format!("{place}-keys")), passphrase, clock: None }
    }

    /// The same phone over a copy of its files: its keystore is its own, as hardware that cannot be copied.
    pub fn with_files_at(&self, store: PathBuf) -> Self {
        Self { name: self.name, store, keystore: self.keystore.clone(), passphrase: self.passphrase.clone(), clock: self.clock }
    }

    /// From now on the phone goes by the machine's own clock.
    pub fn wake_today(&mut self) {
        self.clock = None;
    }

    /// Starts a process; its passphrase goes in through its input.
    pub fn start(&self, arguments: &[&str]) -> Result<Talking, Failure> {
        self.start_with(&["--json"], arguments)
    }

    /// Runs a command as a person would, and returns what it says.
    pub fn read_aloud(&self, arguments: &[&str]) -> Result<String, Failure> {
        let (status, out, error) = self.start_with(&[], arguments)?.end()?;
        if status == Some(0) { Ok(out) } else { Err(unexpected(&format!("{}: {}", self.name, error.trim()))) }
    }

    fn start_with(&self, form: &[&str], arguments: &[&str]) -> Result<Talking, Failure> {
        let mut command = Command::new(std::env::current_exe().map_err(|error| Failure::Unreadable(error.kind()))?);
        command.arg("--store").arg(&self.store).arg("--keystore").arg(&self.keystore);
        command.args(form).args(["--key-cost", "least", "--passphrase-fd", "0"]);
        command.args(self.clock.iter().flat_map(|clock| ["--clock".to_owned(), clock.to_string()]));
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| Failure::Unreadable(error.kind()))?;
        let (Some(mut input), Some(out)) = (child.stdin.take(), child.stdout.take()) else { return Err(unexpected("no pipes")) };
        // a process that needs no passphrase may have ended already
        let _ = writeln!(input, "{}", self.passphrase).and_then(|()| input.flush());
        Ok(Talking { child, input: Some(input), lines: BufReader::new(out) })
    }

    /// Runs a command to its end and reads its answer.
    pub fn run(&self, arguments: &[&str]) -> Result<Value, Failure> {
        self.start(arguments)?.finish(self.name)
    }

    /// Runs a command that must be refused with this exit status; returns the error's code.
    pub fn run_refused(&self, arguments: &[&str], status: i32) -> Result<String, Failure> {
        let (found, out, error) = self.start(arguments)?.end()?;
        if found != Some(status) {
            return Err(unexpected(&format!("{}: expected exit status {status}, found {found:?} {out}", self.name)));
        }
        let error: Value = serde_json::from_str(error.lines().last().unwrap_or_default()).unwrap_or_default();
        Ok(error["error"]["code"].as_str().unwrap_or_default().to_owned())
    }

    /// The id that a command answers with.
    pub fn id(&self, arguments: &[&str]) -> Result<String, Failure> {
        let value = self.run(arguments)?;
        value["id"].as_str().map(str::to_owned).ok_or_else(|| unexpected("an answer without an id"))
    }
}

impl Talking {
    /// The next answer of the process.
    pub fn next(&mut self) -> Result<Value, Failure> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).map_err(|error| Failure::Unreadable(error.kind()))?;
        if read == 0 {
            let mut error = String::new();
            if let Some(stream) = &mut self.child.stderr {
                let _ = stream.read_to_string(&mut error);
            }
            return Err(unexpected(&format!("a process ended early: {}", error.trim())));
        }
        serde_json::from_str(&line).map_err(|_| unexpected("an answer that is not JSON"))
    }

    /// Types a line.
    pub fn say(&mut self, line: &str) -> Result<(), Failure> {
        let Some(input) = &mut self.input else { return Err(unexpected("nobody listens any more")) };
        writeln!(input, "{line}").and_then(|()| input.flush()).map_err(|error| Failure::Unreadable(error.kind()))
    }

    /// Types a text and ends it, as programs want it that read all of their input.
    pub fn hand_in(&mut self, text: &str) -> Result<(), Failure> {
        let said = self.say(text);
        self.input = None;
        said
    }

    /// Waits for the end: exit status, what it still said, and its complaints.
    pub fn end(mut self) -> Result<(Option<i32>, String, String), Failure> {
        let unreadable = |error: std::io::Error| Failure::Unreadable(error.kind());
        let (mut out, mut error) = (String::new(), String::new());
        self.lines.read_to_string(&mut out).map_err(unreadable)?;
        if let Some(stream) = &mut self.child.stderr {
            stream.read_to_string(&mut error).map_err(unreadable)?;
        }
        let status = self.child.wait().map_err(unreadable)?;
        Ok((status.code(), out, error))
    }

    /// Waits for a good end and reads the last answer.
    pub fn finish(self, who: &str) -> Result<Value, Failure> {
        let (status, out, error) = self.end()?;
        if status != Some(0) {
            return Err(unexpected(&format!("{who}: exit status {status:?}: {}", error.trim())));
        }
        let last = out.lines().last().unwrap_or("null");
        serde_json::from_str(last).map_err(|_| unexpected("an answer that is not JSON"))
    }
}

/// Two phones lie side by side: one invites, the other joins, and the words on both screens are compared.
pub fn join(host: &Phone, guest: &Phone, role: &str) -> Result<String, Failure> {
    let mut inviting = host.start(&["invite", "--role", role, "--listen", "127.0.0.1:0"])?;
    let invitation = inviting.next()?;
    let invitation = invitation["invitation"].as_str().ok_or_else(|| unexpected("no invitation"))?.to_owned();
    let joining = guest.start(&["join", &invitation, "--name", guest.name])?;
    agree(host, guest, inviting, joining)
}

/// As [`join`], with three words that are typed. Returns the code and the words that were compared.
pub fn join_typed(host: &Phone, guest: &Phone) -> Result<(String, String), Failure> {
    let mut inviting = host.start(&["invite", "--typed", "--listen", "127.0.0.1:0"])?;
    let shown = inviting.next()?;
    let word = |name: &str| shown[name].as_str().map(str::to_owned).ok_or_else(|| unexpected("no code"));
    let (code, address) = (word("code")?, word("address")?);
    let joining = guest.start(&["join", "--typed", "--address", &address, &code, "--name", guest.name])?;
    Ok((code, agree(host, guest, inviting, joining)?))
}

fn agree(host: &Phone, guest: &Phone, mut inviting: Talking, mut joining: Talking) -> Result<String, Failure> {
    let (there, here) = (inviting.next()?["words"].clone(), joining.next()?["words"].clone());
    if there != here || there.as_array().is_none_or(|words| words.len() != 4) {
        return Err(Failure::Check("the_words_differ"));
    }
    inviting.say("yes")?;
    joining.say("yes")?;
    joining.finish(guest.name)?;
    inviting.finish(host.name)?;
    let words: Vec<&str> = there.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Ok(words.join(" "))
}

/// A phone that should not be talked to dials: the error's code, or none if the two did meet. The listener is ended.
pub fn meet_refused(listener: &Phone, dialer: &Phone) -> Result<Option<String>, Failure> {
    let mut listening = listener.start(&["peer", "listen", "--listen", "127.0.0.1:0"])?;
    let address = listening.next()?;
    let address = address["listening"].as_str().ok_or_else(|| unexpected("no address"))?.to_owned();
    let (status, _, error) = dialer.start(&["peer", "dial", &address])?.end()?;
    listening.end()?;
    let error: Value = serde_json::from_str(error.lines().last().unwrap_or_default()).unwrap_or_default();
    Ok((status != Some(0)).then(|| error["error"]["code"].as_str().unwrap_or_default().to_owned()))
}

/// Two phones meet, without any relay. Returns what the dialling one reports.
pub fn meet(listener: &Phone, dialer: &Phone) -> Result<Value, Failure> {
    let mut listening = listener.start(&["peer", "listen", "--listen", "127.0.0.1:0"])?;
    let address = listening.next()?;
    let address = address["listening"].as_str().ok_or_else(|| unexpected("no address"))?.to_owned();
    let report = dialer.run(&["peer", "dial", &address])?;
    listening.finish(listener.name)?;
    Ok(report)
}
