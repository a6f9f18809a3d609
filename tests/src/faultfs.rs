//! Runs a program over the fault shim (`shim/faultfs.c`), and models what a power loss leaves of its files.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The compiled shim.
#[derive(Debug, Clone)]
pub struct Shim {
    library: PathBuf,
}

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process is killed before it.
    Kill,
    /// Half of a write is written, then the process is killed.
    Torn,
    /// The disk is full, from then on or once.
    Full {
        /// One failure instead of all from then on.
        once: bool,
    },
    /// The device fails, from then on or once.
    Broken {
        /// One failure instead of all from then on.
        once: bool,
    },
}

impl Shim {
    /// Compiles the shim into a folder, with the C compiler `cc`.
    ///
    /// Errors: [`ErrorKind::Unsupported`] on systems other than 64-bit Linux; else what `cc` said is on standard error.
    pub fn build(into: &Path) -> io::Result<Self> {
        if !cfg!(all(target_os = "linux", target_pointer_width = "64")) {
            return Err(ErrorKind::Unsupported.into());
        }
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/faultfs.c");
        // Under its own name until it is whole: tests of one binary build it side by side.
        let unfinished = into.join(format!("faultfs-{}-{:?}.so", std::process::id(), std::thread::current().id()));
        let library = into.join("faultfs.so");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&unfinished).arg(source);
        if !compiler.args(["-ldl", "-lpthread"]).status()?.success() {
            return Err(Error::other("cc could not compile the shim"));
        }
        fs::rename(&unfinished, &library)?;
        Ok(Self { library })
    }

    /// Runs a command and returns how many calls on files under `dir` it made.
    pub fn count(&self, command: &mut Command, dir: &Path, count_file: &Path) -> io::Result<u64> {
        let status = self.watch(command, dir).env("FAULTFS_MODE", "count").env("FAULTFS_COUNT_FILE", count_file).status()?;
        if !status.success() {
            return Err(Error::other("the command failed without a fault"));
        }
        fs::read_to_string(count_file)?.trim().parse().map_err(|_| ErrorKind::InvalidData.into())
    }

    /// Makes a command meet a fault at call number `at`, counted from 1.
    pub fn arm<'c>(&self, command: &'c mut Command, dir: &Path, fault: Fault, at: u64) -> &'c mut Command {
        let (mode, once) = match fault {
            Fault::Kill => ("kill", false),
            Fault::Torn => ("torn", false),
            Fault::Full { once } => ("enospc", once),
            Fault::Broken { once } => ("eio", once),
        };
        let command = self.watch(command, dir).env("FAULTFS_MODE", mode).env("FAULTFS_AT", at.to_string());
        if once { command.env("FAULTFS_ONCE", "1") } else { command.env_remove("FAULTFS_ONCE") }
    }

    /// Runs a command and returns everything it did to files under `dir`, which must be empty before.
    pub fn trace(&self, command: &mut Command, dir: &Path, trace_file: &Path) -> io::Result<Trace> {
        let status = self.watch(command, dir).env("FAULTFS_MODE", "trace").env("FAULTFS_TRACE_FILE", trace_file).status()?;
        if !status.success() {
            return Err(Error::other("the command failed without a fault"));
        }
        Trace::parse(&fs::read(trace_file)?)
    }

    fn watch<'c>(&self, command: &'c mut Command, dir: &Path) -> &'c mut Command {
        command.env("LD_PRELOAD", &self.library).env("FAULTFS_DIR", dir)
    }
}

/// One recorded call; paths are relative to the watched folder, whose own path is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after the calls")]
pub enum Call {
    Write { path: String, offset: usize, data: Vec<u8> },
    Truncate { path: String, length: usize },
    Sync { path: String },
    Rename { from: String, to: String },
    Unlink { path: String },
    Create { path: String },
    MakeDir { path: String },
}

/// Everything a program did to the files of a folder, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The calls.
    pub calls: Vec<Call>,
}

/// What became of a change that no sync had made to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It reached the medium.
    Kept,
    /// It did not.
    Lost,
    /// Of a write, the first half did; any other change was kept.
    Torn,
}

impl Trace {
    /// Decodes a trace file.
    pub fn parse(mut bytes: &[u8]) -> io::Result<Self> {
        let mut calls = Vec::new();
        while !bytes.is_empty() {
            calls.push(parse_call(&mut bytes).ok_or(ErrorKind::InvalidData)?);
        }
        Ok(Self { calls })
    }

    /// The files as a power loss after the first `cut` calls may leave them.
    ///
    /// A write or truncation lasts once its file was synced after it, a creation, renaming or removal once
    /// its folder was; `fate` is asked about every other change, by the index of its call. Losing any of
    /// them while later ones are kept is what reordering comes to.
    pub fn after_power_loss(&self, cut: usize, mut fate: impl FnMut(usize) -> Fate) -> BTreeMap<String, Vec<u8>> {
        let calls = self.calls.get(..cut).unwrap_or(&self.calls);
        let lasting = lasting(calls);
        // Files by number, and the names under which the medium finds them.
        let mut contents: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        let mut on_medium: BTreeMap<String, usize> = BTreeMap::new();
        let mut names = Names::default();
        for (index, call) in calls.iter().enumerate() {
            let outcome = if lasting.contains(&index) { Fate::Kept } else { fate(index) };
            let file = names.follow(index, call);
            match (call, outcome) {
                (Call::Sync { .. } | Call::MakeDir { .. }, _) | (_, Fate::Lost) => {}
                (Call::Write { offset, data, .. }, outcome) => {
                    let kept = if outcome == Fate::Torn { data.len() / 2 } else { data.len() };
                    let content = contents.entry(file).or_default();
                    content.resize(content.len().max(offset + kept), 0);
                    content.iter_mut().skip(*offset).zip(&data[..kept]).for_each(|(old, new)| *old = *new);
                }
                (Call::Truncate { length, .. }, _) => contents.entry(file).or_default().resize(*length, 0),
                (Call::Create { path }, _) => {
                    on_medium.insert(path.clone(), file);
                }
                (Call::Rename { from, to }, _) => {
                    // The old name goes with this change even if its creation was lost.
                    on_medium.remove(from);
                    on_medium.insert(to.clone(), file);
                }
                (Call::Unlink { path }, _) => {
                    on_medium.remove(path);
                }
            }
        }
        on_medium.into_iter().map(|(name, file)| (name, contents.get(&file).cloned().unwrap_or_default())).collect()
    }
}

/// The names that the program sees, and the file behind each.
#[derive(Default)]
struct Names(BTreeMap<String, usize>);

impl Names {
    /// Applies a call and returns the file it is about: the index of the call that created it.
    fn follow(&mut self, index: usize, call: &Call) -> usize {
        match call {
            Call::Create { path } => {
                self.0.insert(path.clone(), index);
                index
            }
            Call::Rename { from, to } => {
                let file = self.0.remove(from).unwrap_or(index);
                self.0.insert(to.clone(), file);
                file
            }
            Call::Unlink { path } => self.0.remove(path).unwrap_or(index),
            Call::Write { path, .. } | Call::Truncate { path, .. } | Call::Sync { path } | Call::MakeDir { path } => {
                self.0.get(path).copied().unwrap_or(usize::MAX)
            }
        }
    }
}

/// The indices of the changes that a later sync has made to last.
fn lasting(calls: &[Call]) -> std::collections::BTreeSet<usize> {
    let mut names = Names::default();
    let mut lasting = std::collections::BTreeSet::new();
    let mut of_file: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut of_dir: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, call) in calls.iter().enumerate() {
        let file = names.follow(index, call);
        match call {
            Call::Write { .. } | Call::Truncate { .. } => of_file.entry(file).or_default().push(index),
            Call::Create { path } | Call::Unlink { path } => of_dir.entry(parent(path)).or_default().push(index),
            // Both names in one folder, as everywhere in this project.
            Call::Rename { to, .. } => of_dir.entry(parent(to)).or_default().push(index),
            Call::Sync { path } => {
                lasting.extend(of_file.remove(&file).unwrap_or_default());
                lasting.extend(of_dir.remove(path.as_str()).unwrap_or_default());
            }
            Call::MakeDir { .. } => {}
        }
    }
    lasting
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn parse_call(bytes: &mut &[u8]) -> Option<Call> {
    let kind = number(bytes, 1)?;
    let _call = number(bytes, 8)?;
    let (offset, length) = (number(bytes, 8)?, number(bytes, 8)?);
    let lengths = (number(bytes, 2)?, number(bytes, 2)?);
    let path = String::from_utf8(take(bytes, lengths.0)?.to_vec()).ok()?;
    let to = String::from_utf8(take(bytes, lengths.1)?.to_vec()).ok()?;
    Some(match kind {
        1 => Call::Write { path, offset, data: take(bytes, length)?.to_vec() },
        2 => Call::Truncate { path, length },
        3 | 4 => Call::Sync { path },
        5 => Call::Rename { from: path, to },
        6 => Call::Unlink { path },
        7 => Call::Create { path },
        8 => Call::MakeDir { path },
        _ => return None,
    })
}

fn take<'b>(bytes: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

fn number(bytes: &mut &[u8], count: usize) -> Option<usize> {
    take(bytes, count)?.iter().rev().try_fold(0_usize, |sum, byte| sum.checked_mul(256)?.checked_add(usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &str, data: &[u8]) -> Call {
        Call::Write { path: path.into(), offset: 0, data: data.to_vec() }
    }

    #[test]
    fn only_synced_changes_last() {
        let (create, sync) = (Call::Create { path: "d/new".into() }, |path: &str| Call::Sync { path: path.into() });
        let rename = Call::Rename { from: "d/new".into(), to: "d/file".into() };
        let calls = vec![create, write("d/new", b"data"), sync("d/new"), rename, sync("d"), write("d/file", b"DATA")];
        let trace = Trace { calls };
        let lost = |cut| trace.after_power_loss(cut, |_| Fate::Lost);
        let file = |name: &str, data: &[u8]| BTreeMap::from([(name.to_owned(), data.to_vec())]);
        assert_eq!(lost(3), BTreeMap::new(), "synced data without a name is lost");
        assert_eq!(lost(4), BTreeMap::new());
        assert_eq!(lost(5), file("d/file", b"data"));
        assert_eq!(lost(6), file("d/file", b"data"));
        assert_eq!(trace.after_power_loss(2, |_| Fate::Kept), file("d/new", b"data"));
        assert_eq!(trace.after_power_loss(2, |index| if index == 1 { Fate::Lost } else { Fate::Kept }), file("d/new", b""));
        assert_eq!(trace.after_power_loss(6, |_| Fate::Torn), file("d/file", b"DAta"));
        assert_eq!(trace.after_power_loss(4, |_| Fate::Kept), file("d/file", b"data"));
    }
}
