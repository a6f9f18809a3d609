//! The store that a command works on: its folder, its passphrase, its clock.

use crate::arguments::{KeyCostName, Settings};
use crate::failure::Failure;
use crate::keystore;
use crate::output;
use satchel_core::crypto::Passphrase;
use satchel_core::env::{Clock, Env, Randomness};
use satchel_core::screen::{Alias, Note, ShortText};
use satchel_core::store::{FileKeystore, KeyCost, KeyProtector, ProtectorError, Store, TendReport, Unlocked};
use satchel_wire::limits::PASSPHRASE_MAX_BYTES;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A clock that stands where it is put.
struct StandingClock(u64);

impl Clock for StandingClock {
    fn unix_seconds(&self) -> u64 {
        self.0
    }
}

/// The system's randomness, behind a clock of our own.
struct SystemRandomness(Env);

impl Randomness for SystemRandomness {
    fn fill(&self, out: &mut [u8]) {
        self.0.fill(out);
    }
}

impl Settings {
    /// Clock and randomness: the system's, or a clock that stands at `--clock`.
    pub fn env(&self) -> Env {
        let system = Env::system();
        match self.clock {
            None => system,
            Some(seconds) => Env::new(Arc::new(StandingClock(seconds)), Arc::new(SystemRandomness(system))),
        }
    }

    pub fn store_dir(&self) -> Result<PathBuf, Failure> {
        self.store.clone().or_else(|| std::env::var_os("SATCHEL_STORE").map(PathBuf::from)).ok_or(Failure::NoStore)
    }

    /// The keystore, unless it was left out. A device without a home folder has to say which, or that none is wanted.
    pub fn keystore(&self) -> Result<Option<Arc<dyn KeyProtector>>, Failure> {
        if self.no_keystore {
            return Ok(None);
        }
        let dir = self.keystore.clone().or_else(keystore::default_dir).ok_or(ProtectorError::Refused)?;
        Ok(Some(Arc::new(FileKeystore::new(&dir, self.env()))))
    }

    pub const fn key_cost(&self) -> KeyCost {
        match self.key_cost {
            KeyCostName::Standard => KeyCost::Standard,
            KeyCostName::Least => KeyCost::Least,
        }
    }

    /// Opens and unlocks the store.
    pub fn unlock(&self) -> Result<Unlocked, Failure> {
        let store = Store::open(&self.store_dir()?, self.env())?;
        let passphrase = self.passphrase()?;
        let unlocked = store.unlock(&passphrase, self.keystore()?)?;
        self.tend(&unlocked);
        Ok(unlocked)
    }

    /// Lets go of what is over, and says so. A store that cannot be written now is still read.
    fn tend(&self, unlocked: &Unlocked) {
        let report = match unlocked.tend() {
            Ok(report) if report == TendReport::default() => return,
            Ok(report) => report,
            Err(error) => {
                output::complain(&if self.json {
                    json!({ "tended": Value::Null, "code": error.code() }).to_string()
                } else {
                    format!("satchel: what is over could not be let go of now [{}]", error.code())
                });
                return;
            }
        };
        if self.json {
            let value = json!({
                "destroyed": report.destroyed, "zones": report.zones, "date_in_doubt": report.date_in_doubt,
                "team_ended": report.has_ended, "team_destroyed": report.is_destroyed,
            });
            return output::complain(&json!({ "tended": value }).to_string());
        }
        for line in tended_words(&report) {
            output::complain(&format!("satchel: {line}"));
        }
    }

    /// The passphrase of an existing store.
    pub fn passphrase(&self) -> Result<Passphrase, Failure> {
        match self.passphrase_fd {
            Some(number) => from_descriptor(number),
            None => prompt("Passphrase:"),
        }
    }

    /// The passphrase of a store that is being made: typed twice, since a mistake would lock it for ever.
    pub fn new_passphrase(&self) -> Result<Passphrase, Failure> {
        self.new_passphrase_from(self.passphrase_fd)
    }

    /// A new passphrase from another file descriptor, or typed twice.
    pub fn new_passphrase_from(&self, descriptor: Option<u32>) -> Result<Passphrase, Failure> {
        if let Some(number) = descriptor {
            return from_descriptor(number);
        }
        let first = prompt("New passphrase (`satchel passphrase` makes one):")?;
        let second = prompt("Once more:")?;
        if first.dangerous_as_bytes() == second.dangerous_as_bytes() { Ok(first) } else { Err(Failure::PassphrasesDiffer) }
    }
}

/// What tending did, in words; nothing where nothing happened.
fn tended_words(report: &TendReport) -> Vec<String> {
    let mut lines = Vec::new();
    if report.destroyed > 0 {
        lines.push(format!("{} records were kept as long as the charter says, and are destroyed.", report.destroyed));
    }
    if report.zones > 0 {
        lines.push(format!("{} meetings no longer show their zone.", report.zones));
    }
    if report.date_in_doubt {
        lines.push("the date jumped: nothing is destroyed by age until it is confirmed (`satchel doctor --confirm-date`).".to_owned());
    }
    if report.is_destroyed {
        lines.push("the team's last day is long over: its records are destroyed.".to_owned());
    } else if report.has_ended {
        lines.push("the team's last day is over: nothing can be written.".to_owned());
    }
    lines
}

fn prompt(question: &str) -> Result<Passphrase, Failure> {
    let typed = Zeroizing::new(rpassword::prompt_password(format!("{question} ")).map_err(|_| Failure::NoPassphrase)?);
    Ok(Passphrase::new(typed.as_bytes())?)
}

/// Reads one line from an open file descriptor: a pipe or a file of the calling program.
fn from_descriptor(number: u32) -> Result<Passphrase, Failure> {
    let file = File::open(format!("/dev/fd/{number}")).map_err(|_| Failure::NoPassphrase)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(PASSPHRASE_MAX_BYTES + 2));
    let mut byte = [0];
    let mut file = file.take(PASSPHRASE_MAX_BYTES as u64 + 2);
    // byte by byte: what comes after the line belongs to somebody else
    while file.read(&mut byte).map_err(|_| Failure::NoPassphrase)? == 1 && byte != *b"\n" {
        bytes.extend_from_slice(&byte);
    }
    if bytes.is_empty() {
        return Err(Failure::NoPassphrase);
    }
    Ok(Passphrase::new(&bytes)?)
}

/// Reads a short text through the guard.
pub fn short_text(field: &'static str, text: &str) -> Result<ShortText, Failure> {
    ShortText::parse(text).map_err(|error| Failure::Text { field, error })
}

/// Reads an optional short text through the guard.
pub fn optional_text(field: &'static str, text: Option<&String>) -> Result<Option<ShortText>, Failure> {
    text.map(|text| short_text(field, text)).transpose()
}

/// Reads an alias through the guard.
pub fn alias(text: Option<&String>) -> Result<Option<Alias>, Failure> {
    text.map(|text| Alias::parse(text).map_err(|error| Failure::Text { field: "alias", error })).transpose()
}

/// Reads a note through the guard; the participant's own alias is a plain word in it.
pub fn note(text: &str, about: Option<&Alias>) -> Result<Note, Failure> {
    let parsed = match about {
        Some(alias) => Note::parse_with_alias(text, alias),
        None => Note::parse(text),
    };
    parsed.map_err(|error| Failure::Text { field: "note", error })
}

/// The words that two people compare: shows them, and hears whether they agree.
pub fn compare_words(words: &[&'static str; 4], expected: Option<&str>, is_json: bool) -> bool {
    if let Some(expected) = expected {
        return expected.split_whitespace().map(str::to_lowercase).eq(words.iter().map(|word| (*word).to_owned()));
    }
    let question = if is_json {
        output::say(&serde_json::json!({ "words": words }).to_string());
        ""
    } else {
        output::say(&format!("Say these words to each other:  {}", words.join(" ")));
        "Does the other phone show the same four words? [yes/no] "
    };
    output::ask(question).is_some_and(|answer| answer.eq_ignore_ascii_case("yes"))
}
