//! The writer that the suites kill, starve and unplug: works on a store through the public API.
//!
//! `store_child <dir> loop`: founds or opens, then saves encounter after encounter for ever.
//! `store_child <dir> found`: founds, or stops with the error's code.
//! `store_child <dir> found-kept`: founds with a keystore of files in the folder `keys` beside it.
//! `store_child <dir> rekey`: unlocks such a store and replaces its store key twice, with a save between; a line for each done.
//! `store_child <dir> person`: unlocks such a store and files a participant, whom it meets once.
//! `store_child <dir> forget`: unlocks such a store and erases every participant; a line for each.
//! `store_child <dir> erase`: erases such a store from the device.
//! `store_child <dir> script`: opens, does a short script of saves, each tried twice, and suspends.
//! Each acknowledged record is a line on standard output, written after the call returned: its id in 32 hex digits.
#![allow(clippy::unwrap_used)]

use satchel_core::consent::HowGiven;
use satchel_core::env::Env;
use satchel_core::error::Error;
use satchel_core::record::Outcome;
use satchel_core::store::{Credentials, FileKeystore, Founding, KeyCost, KeyProtector, KeyReplacement, Store, TallyTap, Unlocked};
use satchel_tests::scene;
use satchel_wire::RecordId;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let dir = arguments.next().expect("a folder");
    let dir = Path::new(&dir);
    let done = match arguments.next().expect("what to do").to_str() {
        Some("loop") => write_for_ever(dir),
        Some("found") => scene::found(dir, Env::system()).and_then(|founded| founded.unlocked.store().suspend()),
        Some("found-kept") => found_kept(dir),
        Some("rekey") => rekey(dir),
        Some("person") => person(dir),
        Some("forget") => forget(dir),
        Some("erase") => erase(dir),
        Some("script") => script(dir),
        _ => panic!("loop, found or script"),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{} {}", error.code(), error.remedy().code());
            ExitCode::from(3)
        }
    }
}

fn keys(dir: &Path) -> Arc<dyn KeyProtector> {
    Arc::new(FileKeystore::new(&dir.with_file_name("keys"), Env::system()))
}

fn found_kept(dir: &Path) -> Result<(), Error> {
    let passphrase = scene::passphrase();
    let credentials = Credentials { passphrase: &passphrase, protector: Some(keys(dir)), cost: KeyCost::Least };
    let founding = Founding { time_zone: "America/Los_Angeles".into(), member_name: scene::line("name") };
    let founded = Store::found(dir, Env::system(), &credentials, &founding)?;
    founded.unlocked.create_zone(&scene::line("zone"))?;
    founded.unlocked.store().suspend()
}

fn rekey(dir: &Path) -> Result<(), Error> {
    let unlocked = Store::open(dir, Env::system())?.unlock(&scene::passphrase(), Some(keys(dir)))?;
    for _ in 0..2 {
        assert_eq!(unlocked.replace_store_key()?, KeyReplacement::Done);
        acknowledge(&RecordId::from_bytes([0xdd; 16]));
        acknowledge(&unlocked.create_zone(&scene::line("zone"))?);
    }
    Ok(())
}

fn person(dir: &Path) -> Result<(), Error> {
    let unlocked = Store::open(dir, Env::system())?.unlock(&scene::passphrase(), Some(keys(dir)))?;
    let participant = unlocked.create_participant(&scene::participant(), HowGiven::Spoken, "en")?;
    unlocked.save_encounter(&scene::encounter(Some(participant), None, "note"))?;
    // signed and numbered, as if it had been on its way
    while unlocked.write_pack()?.next_bytes()?.is_none() {}
    unlocked.store().suspend()
}

fn forget(dir: &Path) -> Result<(), Error> {
    let unlocked = Store::open(dir, Env::system())?.unlock(&scene::passphrase(), Some(keys(dir)))?;
    for line in unlocked.participants()? {
        unlocked.erase_participant(line.id)?;
        acknowledge(&line.id);
    }
    Ok(())
}

fn erase(dir: &Path) -> Result<(), Error> {
    let erased = Store::open(dir, Env::system())?.erase_device(Some(keys(dir)))?;
    assert!(erased.are_keys_gone && erased.are_files_gone);
    Ok(())
}

fn acknowledge(record: &RecordId) {
    let mut line: String = record.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    line.push('\n');
    // One call, so that a line is there as a whole or not at all.
    io::stdout().write_all(line.as_bytes()).and_then(|()| io::stdout().flush()).unwrap();
}

fn write_for_ever(dir: &Path) -> Result<(), Error> {
    let unlocked = match Store::open(dir, Env::system()) {
        Ok(store) => store.unlock(&scene::passphrase(), None)?,
        Err(_) => scene::found(dir, Env::system())?.unlocked,
    };
    let participant = unlocked.create_participant(&scene::participant(), HowGiven::Spoken, "en")?;
    acknowledge(&participant);
    for number in unlocked.encounters(None)?.len().. {
        let encounter = scene::encounter(Some(participant), None, &format!("note {number}"));
        acknowledge(&unlocked.save_encounter(&encounter)?);
    }
    Ok(())
}

/// A fault that passes must not keep the same handle from succeeding later.
fn twice<T>(work: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    work().or_else(|error| {
        let _ = writeln!(io::stderr(), "retried after {}", error.code());
        work()
    })
}

fn script(dir: &Path) -> Result<(), Error> {
    let store = twice(|| Store::open(dir, Env::system()))?;
    let unlocked: Unlocked = twice(|| store.unlock(&scene::passphrase(), None))?;
    let participant = twice(|| unlocked.create_participant(&scene::participant(), HowGiven::Spoken, "en"))?;
    acknowledge(&participant);
    for number in 0..3 {
        let encounter = scene::encounter(Some(participant), None, &format!("note {number}"));
        acknowledge(&twice(|| unlocked.save_encounter(&encounter))?);
    }
    // Its acknowledgement: an id that no record has.
    twice(|| unlocked.tally(&[TallyTap { resource: scene::kit(), outcome: Outcome::Later, count: 5 }]))?;
    acknowledge(&RecordId::from_bytes([0xee; 16]));
    unlocked.lock();
    twice(|| store.suspend())
}
