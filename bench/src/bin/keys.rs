//! How long it takes until nobody can open a store: the store key replaced, the device erased (G15: 100 ms for keys and slots).
//!
//!     cargo run --release -p satchel-bench --bin keys

#![allow(clippy::print_stdout, reason = "a program that reports to a terminal")]
#![allow(clippy::disallowed_methods, reason = "a program that measures needs the monotonic clock")]

use satchel_core::crypto::Passphrase;
use satchel_core::env::Env;
use satchel_core::screen::ShortText;
use satchel_core::store::{Credentials, FileKeystore, Founding, KeyCost, KeyProtector, Store};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Times to measure each (count).
const RUNS_COUNT: usize = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut replacing, mut erasing) = (Vec::new(), Vec::new());
    for _ in 0..RUNS_COUNT {
        let folder = tempfile::tempdir_in(".")?;
        let keys: Arc<dyn KeyProtector> = Arc::new(FileKeystore::new(&folder.path().join("keys"), Env::system()));
        let passphrase = Passphrase::new(b"correct horse battery staple")?;
        let credentials = Credentials { passphrase: &passphrase, protector: Some(keys), cost: KeyCost::Least };
        let founding = Founding { time_zone: "America/Los_Angeles".into(), member_name: ShortText::parse("Ana")? };
        let unlocked = Store::found(&folder.path().join("store"), Env::system(), &credentials, &founding)?.unlocked;
        let begun = Instant::now();
        unlocked.replace_store_key()?;
        replacing.push(begun.elapsed());
        let begun = Instant::now();
        unlocked.store().erase_device(None)?;
        erasing.push(begun.elapsed());
    }
    for (what, mut times) in [("store key, slot and keystore key replaced", replacing), ("device erased: keys, slots and files", erasing)] {
        times.sort();
        let millis = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
        println!("{what}: median {:.1} ms, slowest {:.1} ms", millis(times.get(times.len() / 2)), millis(times.last()));
    }
    Ok(())
}
