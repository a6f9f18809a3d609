//! `satchel pack`: everything for the team in one sealed file.

use crate::arguments::{Pack, Settings};
use crate::failure::Failure;
use crate::output::{self, Output};
use satchel_core::Error;
use satchel_core::store::{PackReport, Unlocked};
use satchel_core::team::pack::PackError;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

/// Bytes read at a time.
const PORTION_BYTES: usize = 64 * 1024;
/// How often a pack is begun again when the keys change meanwhile (count).
const TRIES_COUNT: usize = 3;

pub fn pack(settings: &Settings, output: Output, command: Pack) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    match command {
        Pack::Write { file } if file == Path::new("-") => {
            let bytes = write(&unlocked, &mut std::io::stdout().lock())?;
            // the standard output is the pack
            output::complain(&if output.is_json() { json!({ "bytes": bytes }).to_string() } else { written(bytes) });
            Ok(())
        }
        Pack::Write { file } => {
            let bytes = write_file(&unlocked, &file)?;
            output.show(&json!({ "bytes": bytes }), || written(bytes));
            Ok(())
        }
        Pack::Read { file } => read(&unlocked, output, &file),
        Pack::Show { days } => show(&unlocked, output, days),
        Pack::Scan => scan(&unlocked, output),
    }
}

fn show(unlocked: &Unlocked, output: Output, days: u16) -> Result<(), Failure> {
    let from = unlocked.today()?.minus(days - 1);
    let parts = unlocked.write_pack_parts(from)?;
    output.show(&json!({ "from": from.to_string(), "parts": parts }), || parts.join("\n"));
    Ok(())
}

fn scan(unlocked: &Unlocked, output: Output) -> Result<(), Failure> {
    let mut parts = unlocked.read_pack_parts();
    let mut last = Error::from(PackError::Part);
    loop {
        let text = output::ask("").filter(|text| !text.is_empty());
        // the input ended before the pack: whatever was wrong last says why
        let Some(text) = text else { return Err(last.into()) };
        match parts.add(&text) {
            Ok(Some(report)) => {
                show_report(output, &report);
                return Ok(());
            }
            Ok(None) => {
                let (have, count) = parts.progress().unwrap_or_default();
                output.show(&json!({ "have": have, "count": count, "missing": parts.missing() }), || format!("{have} of {count}"));
            }
            // one text that was misread does not end it
            Err(error @ Error::Pack(PackError::Part | PackError::OtherPack)) => {
                let code = error.code();
                output.show(&json!({ "not_taken": code }), || format!("not taken [{code}]: the next one"));
                last = error;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn written(bytes: u64) -> String {
    format!(
        "{bytes} bytes written. Only phones of the team that hold the keys in use open it; its size tells roughly how much\n\
         the team has. Delete it when it was read: whoever takes such a phone later may still open it."
    )
}

fn write(unlocked: &Unlocked, out: &mut dyn Write) -> Result<u64, Failure> {
    let mut pack = unlocked.write_pack()?;
    let mut count = 0;
    while let Some(bytes) = pack.next_bytes()? {
        out.write_all(&bytes).map_err(|error| Failure::Unreadable(error.kind()))?;
        count += bytes.len() as u64;
    }
    out.flush().map_err(|error| Failure::Unreadable(error.kind()))?;
    Ok(count)
}

/// A file that exists is left alone, and half a pack is not left behind.
fn write_file(unlocked: &Unlocked, path: &Path) -> Result<u64, Failure> {
    for _ in 1..TRIES_COUNT {
        match write_once(unlocked, path) {
            Err(Failure::Store(Error::Pack(PackError::Overtaken))) => {}
            other => return other,
        }
    }
    write_once(unlocked, path)
}

fn write_once(unlocked: &Unlocked, path: &Path) -> Result<u64, Failure> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| Failure::Unreadable(error.kind()))?;
    let done = write(unlocked, &mut file);
    if done.is_err() {
        let _ = std::fs::remove_file(path);
    }
    done
}

fn read(unlocked: &Unlocked, output: Output, path: &Path) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| Failure::Unreadable(error.kind());
    let mut input: Box<dyn Read> =
        if path == Path::new("-") { Box::new(std::io::stdin().lock()) } else { Box::new(File::open(path).map_err(unreadable)?) };
    let mut pack = unlocked.read_pack();
    let mut portion = vec![0; PORTION_BYTES];
    let outcome = loop {
        let count = input.read(&mut portion).map_err(unreadable)?;
        if count == 0 {
            break Ok(());
        }
        if let Err(error) = pack.receive(portion.get(..count).unwrap_or_default()) {
            break Err(error);
        }
    };
    // what came before the damage is kept, and keys that it made worthless go
    let report = pack.finish()?;
    outcome?;
    if !report.is_complete && report.rows.applied + report.rows.known + report.rows.held == 0 {
        return Err(Error::from(PackError::Damaged).into());
    }
    show_report(output, &report);
    Ok(())
}

fn show_report(output: Output, report: &PackReport) {
    let rows = &report.rows;
    let value = json!({
        "applied": rows.applied, "known": rows.known, "held": rows.held, "refused": rows.refused,
        "thrown_away": rows.thrown_away, "complete": report.is_complete,
    });
    output.show(&value, || {
        let end = if report.is_complete { "" } else { "\nThe end of the file is missing: read the whole file, and the rest is added." };
        format!("{} new here, {} known, {} held, {} refused.{end}", rows.applied, rows.known, rows.held, rows.refused)
    });
}
