//! The program that the crash suite kills: writes a store step by step and notes what was acknowledged.
//!
//! `storage_child <folder> <steps>` works on `<folder>/store`, going on where an earlier run ended, and
//! appends a line to `<folder>/acks` after each promise of the store: `t 7` (transaction 7), `s 5` (slots 5).
#![allow(clippy::unwrap_used)]

use satchel_core::storage::{Database, Presence, SLOT_FILLER_BYTES, SlotFile, StorageError, presence};
use satchel_tests::workload::{self, step};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let folder = arguments.next().expect("a folder");
    let steps: u32 = arguments.next().and_then(|steps| steps.to_str()?.parse().ok()).expect("a number of steps");
    match run(Path::new(&folder), steps) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{}", error.code());
            ExitCode::from(3)
        }
    }
}

fn run(folder: &Path, steps: u32) -> Result<(), StorageError> {
    let dir = folder.join("store");
    let acks = folder.join("acks");
    let acknowledge = |kind: char, number: u32| -> Result<(), StorageError> {
        OpenOptions::new().create(true).append(true).open(&acks)?.write_all(format!("{kind} {number}\n").as_bytes())?;
        Ok(())
    };
    let mut database = if presence(&dir)? == Presence::Absent { Database::create(&dir)? } else { Database::open(&dir)? };
    let done = workload::steps_done(&mut database)?;
    for number in done + 1..=done + steps {
        // A fault that passes must not keep the same handle from succeeding later.
        let first = database.transaction(|tx| step(tx, number));
        if let Err(error) = first {
            let _ = writeln!(std::io::stderr(), "retried after {}", error.code());
            database.transaction(|tx| step(tx, number))?;
        }
        acknowledge('t', number)?;
        if number % 3 == 0 {
            let slots = SlotFile::new([u8::try_from(number % 256).unwrap_or(0); 16]);
            database.write_slots(&slots, &[0; SLOT_FILLER_BYTES])?;
            acknowledge('s', number)?;
        }
        if number % 5 == 0 {
            database.checkpoint()?;
        }
    }
    database.close()
}
