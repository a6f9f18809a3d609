//! What the library itself allocates, and SQLite, by step: against the 128 MB that a small phone gives an app.
//!
//!     cargo build --profile mobile -p satchel-memory
//!     target/mobile/satchel-memory build DIR --size l      # a store of the workload; minutes
//!     target/mobile/satchel-memory measure DIR             # in a process of its own, as an app starts
//!
//! Counted are bytes asked for (not what the allocator rounds up to), the passphrase's 64 MiB among them. Not counted: code,
//! stacks, and what the app itself allocates.

#[path = "../../src/satchel.rs"]
#[allow(dead_code, reason = "the benchmark uses the rest")]
mod satchel;
#[path = "../../src/workload.rs"]
#[allow(dead_code, reason = "the benchmark uses the rest")]
mod workload;

use clap::{Parser, Subcommand};
use satchel::MovedClock;
use satchel_core::consent::HowGiven;
use satchel_core::record::EncounterKind;
use satchel_core::store::{EncounterDraft, KeyCost, Unlocked};
use std::alloc::{GlobalAlloc, Layout, System};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use workload::Size;

/// What goes wrong, in words.
type Fail = Box<dyn std::error::Error>;
/// What a step does.
type Work<'a> = &'a dyn Fn() -> Result<(), Fail>;

const MIB: f64 = 1_048_576.0;
/// What a small phone gives an app (bytes).
const LIMIT_BYTES: i64 = 128 * 1_000_000;
/// The seed of the workload, as in the benchmark.
const SEED: u64 = 1;

static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);
/// What the second phone has of it, where two run in this process by turns, and its highest.
static SECOND: AtomicI64 = AtomicI64::new(0);
static SECOND_PEAK: AtomicI64 = AtomicI64::new(0);
/// Whether it is the second phone's turn.
static IS_SECOND: AtomicBool = AtomicBool::new(false);

/// Counts, and lets the system allocate.
struct Counting;

fn count(bytes: i64) {
    let live = LIVE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(live, Ordering::Relaxed);
    if IS_SECOND.load(Ordering::Relaxed) {
        let own = SECOND.fetch_add(bytes, Ordering::Relaxed) + bytes;
        SECOND_PEAK.fetch_max(own, Ordering::Relaxed);
    }
}

/// Counts what `work` allocates and frees as the second phone's.
fn of_second<T>(work: impl FnOnce() -> T) -> T {
    IS_SECOND.store(true, Ordering::Relaxed);
    let done = work();
    IS_SECOND.store(false, Ordering::Relaxed);
    done
}

// SAFETY: every call is handed on unchanged; counting touches no memory that is handed out.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        unsafe { System.dealloc(pointer, layout) }
    }
    // `realloc` is the trait's own: a new block, a copy, and the old one back, which is what the wiping allocator of the
    // apps' library does; both are alive for a moment, and counted so
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// SQLite's highest count since it was last asked (bytes).
fn sqlite_peak() -> i64 {
    // SAFETY: takes a flag and gives a number; it may be called at any time from any thread
    unsafe { rusqlite::ffi::sqlite3_memory_highwater(1) }
}

/// The system's own word, for comparison (bytes).
fn resident_peak() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<i64>().ok()? * 1_024)
}

/// Runs a step, prints what it took at most, and returns that beside its result (bytes).
fn step<T>(name: &str, work: impl FnOnce() -> Result<T, Fail>) -> Result<(T, i64), Fail> {
    PEAK.store(LIVE.load(Ordering::Relaxed), Ordering::Relaxed);
    sqlite_peak();
    let done = work()?;
    let (own, sqlite) = (PEAK.load(Ordering::Relaxed), sqlite_peak());
    let all = own + sqlite;
    println!("| {name} | {:.1} | {:.1} | {:.1} |", own as f64 / MIB, sqlite as f64 / MIB, all as f64 / MIB);
    Ok((done, all))
}

/// Lets two phones meet, without holding more of what travels than a radio would. `second` is counted as the second phone; what
/// travels is the first one's until it has arrived.
fn meet(second: &Unlocked, first: &Unlocked) -> Result<(), Fail> {
    let (mut near, mut far) = (of_second(|| second.dial())?, first.listen());
    loop {
        let mut moved = false;
        while let Some(bytes) = of_second(|| near.transmit(64 * 1024))? {
            far.receive(&bytes)?;
            of_second(|| drop(bytes));
            moved = true;
        }
        while let Some(bytes) = far.transmit(64 * 1024)? {
            of_second(|| near.receive(&bytes))?;
            moved = true;
        }
        if !moved {
            let is_over = near.is_finished() && far.is_finished();
            of_second(|| drop(near));
            return if is_over { Ok(()) } else { Err("the meeting did not end".into()) };
        }
    }
}

fn build(dir: &Path, size: Size) -> Result<(), Fail> {
    let clock = MovedClock::at_day(0);
    let mut phone = satchel::found(dir, satchel::env(SEED, "memory", &clock), KeyCost::Standard)?;
    satchel::run(&mut phone, &clock, None, &workload::events(size, SEED))?;
    phone.unlocked.store().suspend()?;
    println!("{}: {} participants, {} encounters", size.name(), size.participants(), size.encounters());
    Ok(())
}

fn measure(dir: &Path, newcomer: Option<&Path>) -> Result<(), Fail> {
    println!("| step | library (MiB) | SQLite (MiB) | both (MiB) |\n|---|---:|---:|---:|");
    let mut peaks = Vec::new();
    let mut note = |(unlocked, peak)| {
        peaks.push(peak);
        unlocked
    };
    let unlocked: Unlocked =
        note(step("open, unlock (Argon2id, 64 MiB)", || Ok(satchel::reopen(dir, SEED, "memory")?.unlock(&satchel::passphrase()?, None)?))?);
    let ((people, meetings), peak) =
        step("all participants, all encounters", || Ok((unlocked.participants()?, unlocked.encounters(None)?)))?;
    peaks.push(peak);
    let counts = (people.len(), meetings.len());
    let (first, meeting) = (people.first().ok_or("an empty list")?.id, meetings.first().ok_or("an empty list")?.id);
    drop((people, meetings));
    let steps: [(&str, Work<'_>); 5] = [
        ("one file, its meetings, its yeses, one meeting", &|| {
            unlocked.participant(first)?;
            unlocked.encounters(Some(first))?;
            unlocked.grants(first)?;
            unlocked.encounter(meeting)?;
            Ok(())
        }),
        ("what is held on somebody", &|| {
            let holding = unlocked.hold_on_me(first)?;
            holding.page(holding.language).to_html();
            Ok(())
        }),
        ("100 encounters saved, both lists open", &|| {
            let lists = (unlocked.participants()?, unlocked.encounters(None)?);
            for _ in 0..100 {
                let draft =
                    EncounterDraft { kind: EncounterKind::Street, participant: Some(first), zone: None, offers: Vec::new(), note: None };
                unlocked.save_encounter(&draft)?;
            }
            drop(lists);
            Ok(())
        }),
        ("a file begun and somebody erased", &|| {
            let somebody = unlocked.create_participant(&Default::default(), HowGiven::Spoken, "en")?;
            unlocked.erase_participant(somebody)?;
            unlocked.erase_participant(first)?;
            Ok(())
        }),
        ("what ended let go of", &|| {
            unlocked.tend()?;
            Ok(())
        }),
    ];
    for (name, work) in steps {
        peaks.push(step(name, work)?.1);
    }
    if let Some(dir) = newcomer {
        let clock = MovedClock::at_day(workload::DAYS as u64);
        let other = of_second(|| satchel::join(dir, satchel::env(SEED, "newcomer", &clock), &unlocked, "Ben"))?;
        // the passphrase's memory is given back by now, and was measured above
        SECOND_PEAK.store(SECOND.load(Ordering::Relaxed), Ordering::Relaxed);
        step("everything to a newcomer: both phones in this process", || meet(&other, &unlocked))?;
        let own = SECOND_PEAK.load(Ordering::Relaxed);
        println!("| of it the newcomer's, without SQLite | {:.1} | | |", own as f64 / MIB);
        peaks.push(own);
        let ((), shown) = step("all of it listed there too: both phones", || {
            let lists = of_second(|| Ok::<_, Fail>((other.participants()?, other.encounters(None)?)))?;
            if (lists.0.len(), lists.1.len()) != (unlocked.participants()?.len(), unlocked.encounters(None)?.len()) {
                return Err("the newcomer did not get everything".into());
            }
            of_second(|| drop(lists));
            Ok(())
        })?;
        let listed = SECOND_PEAK.load(Ordering::Relaxed);
        println!("| of it the newcomer's, without SQLite | {:.1} | | | (both: {:.1})", listed as f64 / MIB, shown as f64 / MIB);
        peaks.push(listed);
    }
    let highest = peaks.into_iter().max().unwrap_or(0);
    println!(
        "\n{} participants, {} encounters. Highest: {:.1} MB of {} MB",
        counts.0,
        counts.1,
        highest as f64 / 1e6,
        LIMIT_BYTES / 1_000_000
    );
    if let Some(resident) = resident_peak() {
        println!("resident at most, with code and stacks: {:.1} MB", resident as f64 / 1e6);
    }
    if highest > LIMIT_BYTES { Err("more than a small phone has".into()) } else { Ok(()) }
}

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a store of the workload.
    Build {
        /// An empty folder.
        dir: PathBuf,
        /// How much.
        #[arg(long, value_enum, default_value = "l")]
        size: Size,
    },
    /// Measures with such a store, and changes it.
    Measure {
        /// Its folder.
        dir: PathBuf,
        /// Also lets a newcomer's phone, in this empty folder, receive everything.
        #[arg(long)]
        newcomer: Option<PathBuf>,
    },
}

fn main() -> Result<(), Fail> {
    match Arguments::parse().command {
        Command::Build { dir, size } => build(&dir, size),
        Command::Measure { dir, newcomer } => measure(&dir, newcomer.as_deref()),
    }
}
