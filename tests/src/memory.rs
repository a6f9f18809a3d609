//! A process that looks through its own memory (Linux).

use crate::scene::{self, MASK, READS, Recorder, TestClock, WRITES, Work, word};
use satchel_core::env::Env;
use satchel_core::store::Store;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes read at once, and how far two reads overlap.
const READ_BYTES: usize = 256 * 1024;
const OVERLAP_BYTES: usize = 64;
const EMPTY: [u8; 1024] = [0; 1024];

/// What a child found, by stage and label: copies in memory.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Bytes looked at in the last scan.
    pub scanned_bytes: u64,
    /// Bytes of this process that were in memory just before it.
    pub resident_bytes: u64,
    /// Keys drawn.
    pub keys: usize,
    /// While views are held.
    pub held: BTreeMap<String, usize>,
    /// After lock, by what was done last before it; the handle is still there.
    pub locked: BTreeMap<String, BTreeMap<String, usize>>,
    /// After everything was dropped; read-only memory included.
    pub dropped: BTreeMap<String, usize>,
}

/// Secrets to be found, kept masked so that they are not found here.
struct Needles {
    masked: Vec<(String, Vec<u8>)>,
    /// Needles by their first two bytes, masked.
    starts: Vec<Vec<u16>>,
}

impl Needles {
    fn new(masked: Vec<(String, Vec<u8>)>) -> Self {
        let mut starts = vec![Vec::new(); 1 << 16];
        for (number, (_, needle)) in masked.iter().enumerate() {
            starts[usize::from(needle[0]) << 8 | usize::from(needle[1])].push(u16::try_from(number).unwrap_or(u16::MAX));
        }
        Self { masked, starts }
    }

    /// Counts each needle in all readable memory of this process but the reading buffer.
    fn count(&self, only_writable: bool) -> io::Result<(BTreeMap<String, usize>, u64)> {
        let mut found = BTreeMap::new();
        let mut scanned = 0;
        let mut buffer = vec![0_u8; READ_BYTES];
        let own = buffer.as_ptr() as u64..buffer.as_ptr() as u64 + READ_BYTES as u64;
        let memory = File::open("/proc/self/mem")?;
        for (from, until, name) in regions(only_writable)? {
            let mut at = from;
            while at < until {
                let length = READ_BYTES.min(usize::try_from(until - at).unwrap_or(READ_BYTES));
                // Pages without content behind them (guard pages, device mappings) cannot be read.
                let Ok(read) = memory.read_at(&mut buffer[..length], at) else { break };
                if read == 0 {
                    break;
                }
                scanned += read as u64;
                let last = at + read as u64 >= until;
                let fresh = if last { read } else { read - OVERLAP_BYTES.min(read - 1) };
                let mut offset = 0;
                while offset < fresh.min(read - 1) {
                    // Wiped and untouched memory is most of it.
                    if buffer[offset..read].starts_with(&EMPTY) {
                        offset += EMPTY.len() - OVERLAP_BYTES;
                        continue;
                    }
                    offset += 1;
                    let offset = offset - 1;
                    if own.contains(&(at + offset as u64)) {
                        continue;
                    }
                    let start = usize::from(buffer[offset] ^ MASK) << 8 | usize::from(buffer[offset + 1] ^ MASK);
                    for number in &self.starts[start] {
                        let (label, needle) = &self.masked[usize::from(*number)];
                        let here = buffer[offset..read].get(..needle.len());
                        if here.is_some_and(|here| here.iter().zip(needle).all(|(byte, masked)| byte ^ MASK == *masked)) {
                            *found.entry(format!("{label} in {name}")).or_insert(0) += 1;
                        }
                    }
                }
                at += fresh as u64;
            }
        }
        buffer.fill(0);
        Ok((found, scanned))
    }
}

/// Readable regions of this process: from, until, name.
fn regions(only_writable: bool) -> io::Result<Vec<(u64, u64, String)>> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    let region = |line: &str| {
        let mut parts = line.split_whitespace();
        let (from, until) = parts.next()?.split_once('-')?;
        let readable = parts.next()?.starts_with(if only_writable { "rw" } else { "r" });
        let name = parts.nth(3).unwrap_or("anonymous").to_owned();
        let number = |text| u64::from_str_radix(text, 16).ok();
        (readable && name != "[vvar]" && name != "[vsyscall]").then_some((number(from)?, number(until)?, name))
    };
    Ok(maps.lines().filter_map(region).collect())
}

/// Bytes of this process that are in memory, by the kernel's own sum over its page tables.
fn resident_bytes() -> io::Result<u64> {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup")?;
    let kib = rollup.lines().find_map(|line| line.strip_prefix("Rss:")?.split_whitespace().next()?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| io::Error::other("no Rss"))
}

fn masked(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ MASK).collect()
}

fn needles(recorder: &Recorder, done: Option<&Work>) -> Needles {
    let mut all: Vec<(String, Vec<u8>)> =
        scene::PLANTED.iter().map(|purpose| ((*purpose).to_owned(), masked(word(purpose).as_bytes()))).collect();
    all.extend(recorder.masked_keys().into_iter().enumerate().map(|(number, key)| (format!("key {number}"), key.to_vec())));
    all.extend(done.map(|done| ("invitation".to_owned(), done.masked_invitation.to_vec())));
    Needles::new(all)
}

/// The whole child: works on a new store in `dir`, looks at every stage, and writes its [`Report`] as JSON to standard output.
pub fn run(dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let recorder = Recorder::system();
    let env = || Env::new(TestClock::at(scene::NOON), recorder.clone());
    let mut report = Report::default();
    let store = scene::found(dir, env())?.unlocked.store();
    store.lock();
    report.locked.insert("founding".to_owned(), needles(&recorder, None).count(true)?.0);
    let done = scene::work(&store.unlock(&scene::passphrase(), None)?, &mut |_| {})?;
    drop(store);
    // Further unlocks, as on every other day: what is read comes from the file.
    let store = Store::open(dir, env())?;
    let unlocked = store.unlock(&scene::passphrase(), None)?;
    let views = READS.iter().map(|(_, read)| read(&unlocked, &done)).collect::<Result<Vec<_>, _>>()?;
    (report.held, _) = needles(&recorder, Some(&done)).count(false)?;
    drop(views);
    store.lock();
    // What a call leaves on the stack is overwritten by the next one: each is the last before a lock once.
    let mut last = Some(unlocked);
    for (name, operation) in WRITES.iter().chain(READS) {
        let unlocked = store.unlock(&scene::passphrase(), None)?;
        operation(&unlocked, &done)?;
        store.lock();
        report.locked.insert((*name).to_owned(), needles(&recorder, Some(&done)).count(true)?.0);
        last = Some(unlocked);
    }
    drop((store, last));
    report.keys = recorder.masked_keys().len();
    report.resident_bytes = resident_bytes()?;
    (report.dropped, report.scanned_bytes) = needles(&recorder, Some(&done)).count(false)?;
    writeln!(io::stdout(), "{}", serde_json::to_string(&report)?)?;
    Ok(())
}
