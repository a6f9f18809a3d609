//! What brings a team back when every phone is lost, and the paper reseat key.

use super::founding::protection_sentence;
use crate::arguments::{Recovery, Settings};
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::store::short_text;
use satchel_core::recovery::{PACKAGE_MAX_BYTES, PaperShare, Purpose};
use satchel_core::store::{Credentials, Recovering, RecoveryStatus, Store};
use satchel_wire::ids::{DeviceId, MemberId};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// What becomes of a reseat key that was just made.
pub const KEPT: &str = "Print or copy it. The store keeps it for two weeks, or until you say that you have it on paper:\n\
                        satchel recovery paper --written-down";

pub fn recovery(settings: &Settings, output: Output, command: Recovery) -> Result<(), Failure> {
    match command {
        Recovery::SetUp { threshold, shares } => set_up(settings, output, threshold, shares),
        Recovery::Status => status(settings, output),
        Recovery::Export { file } => export(settings, output, &file),
        Recovery::Paper { written_down } => paper(settings, output, written_down),
        Recovery::Restore { file, name } => restore(settings, output, &file, &name),
    }
}

fn set_up(settings: &Settings, output: Output, threshold: u8, shares: u8) -> Result<(), Failure> {
    let papers = settings.unlock()?.set_up_recovery(threshold, shares)?;
    output.show(&json!({ "papers": papers.iter().map(as_json).collect::<Vec<_>>() }), || {
        let printed: Vec<String> = papers.iter().map(as_paper).collect();
        format!(
            "{threshold} of these {shares} papers, a board member's phone and the reseat key bring the team back when every phone is\n\
             lost. Fewer say nothing. Give each to somebody else; they are stored nowhere and shown only once. Shares that\n\
             were printed before are void now.\n\n{}",
            printed.join("\n\n")
        )
    });
    Ok(())
}

fn status(settings: &Settings, output: Output) -> Result<(), Failure> {
    let (value, words) = status_in_words(settings.unlock()?.recovery_status()?);
    output.show(&value, || words);
    Ok(())
}

/// Whether the team comes back after every phone is lost, for programs and for people.
pub fn status_in_words(status: RecoveryStatus) -> (Value, String) {
    let loses = status.does_losing_all_phones_lose_the_data();
    match status {
        RecoveryStatus::NoBoard => (
            json!({ "recovery": "no_board", "losing_all_phones_loses_the_data": loses }),
            "Losing all phones loses the data: the team has no board whose phone could keep what recovers it.".to_owned(),
        ),
        RecoveryStatus::NotSetUp => (
            json!({ "recovery": "not_set_up", "losing_all_phones_loses_the_data": loses }),
            "Losing all phones loses the data: recovery is not set up. A steward can do so: satchel recovery set-up".to_owned(),
        ),
        RecoveryStatus::SetUp { threshold, shares, set, since, is_kept_here } => {
            let here = match is_kept_here {
                Some(true) => "\nThis phone keeps what recovers the turn it knows.",
                Some(false) => "\nThis phone keeps nothing yet: exchange with the relay or a colleague.",
                None => "",
            };
            (
                json!({
                    "recovery": "set_up", "threshold": threshold, "shares": shares, "set": set.to_string(), "since": since.to_string(),
                    "is_kept_here": is_kept_here, "losing_all_phones_loses_the_data": loses,
                }),
                format!(
                    "Set up on {since}: {threshold} of {shares} papers of set {set}, a board member's phone and the reseat key bring back\n\
                     what the relay holds under the turn in use. Papers of other sets are void.{here}"
                ),
            )
        }
    }
}

/// The newest reseat key once more, or no more.
fn paper(settings: &Settings, output: Output, is_written_down: bool) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    if is_written_down {
        unlocked.reseat_paper_written_down()?;
        output.show(&json!({ "reseat": null }), || "The store keeps no reseat key: the paper is the only one.".to_owned());
        return Ok(());
    }
    let paper = unlocked.reseat_paper()?;
    output.show(&json!({ "reseat": paper.as_ref().map(as_json) }), || match &paper {
        Some(paper) => format!("{KEPT}\n\n{}", as_paper(paper)),
        None => "No reseat key is kept here: it was written down, it was made on another phone, or two weeks are over.".to_owned(),
    });
    Ok(())
}

fn export(settings: &Settings, output: Output, file: &Path) -> Result<(), Failure> {
    let package = settings.unlock()?.export_recovery()?;
    let written = OpenOptions::new().write(true).create_new(true).open(file).and_then(|mut file| file.write_all(&package));
    written.map_err(|error| Failure::Unreadable(error.kind()))?;
    output.show(&json!({ "bytes": package.len() }), || {
        format!(
            "{} bytes written. The file opens with enough shares only; whoever carries it learns nothing from it.\n\
             Delete it when the team is back: as long as it exists, it and the shares open what was erased since.",
            package.len()
        )
    });
    Ok(())
}

fn restore(settings: &Settings, output: Output, file: &Path, name: &str) -> Result<(), Failure> {
    let dir = settings.store_dir()?;
    let member_name = short_text("name", name)?;
    let mut package = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(PACKAGE_MAX_BYTES as u64 + 1).read_to_end(&mut package));
    read.map_err(|error| Failure::Unreadable(error.kind()))?;
    let passphrase = settings.new_passphrase()?;
    let (shares, reseat): (Vec<PaperShare>, Vec<PaperShare>) =
        papers()?.into_iter().partition(|paper| paper.purpose() == Purpose::Recovery);
    let keystore = settings.keystore()?;
    let credentials = Credentials { passphrase: &passphrase, protector: keystore.clone(), cost: settings.key_cost() };
    let recovering = Recovering { package: &package, shares: &shares, reseat: &reseat, relay: None, member_name: &member_name };
    let recovered = Store::recover(&dir, settings.env(), &credentials, &recovering)?;
    let value = json!({
        "device": recovered.unlocked.device()?.to_string(),
        "turns": recovered.turns,
        "removed": recovered.removed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "has_control": recovered.has_control,
        "reseat": as_json(&recovered.reseat_paper),
    });
    output.show(&value, || {
        let control = if recovered.has_control {
            ""
        } else {
            "\nThe relay's control key did not come back: lost phones can still reach the mailbox. Ask the operator for a new one."
        };
        format!(
            "The team is back on this phone, and you are its steward. {} lost phones are removed.\n\
             Now fetch the records: satchel sync{control}\n\n\
             The reseat key that you used is spent. This is the next one.\n{KEPT}\n\n{}\n\n{}",
            recovered.removed.len(),
            as_paper(&recovered.reseat_paper),
            protection_sentence(settings)
        )
    });
    Ok(())
}

pub fn reseat(settings: &Settings, output: Output, remove: &[DeviceId], steward: Option<MemberId>) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    let reseated = unlocked.reseat(&papers()?, remove, steward)?;
    let removed: Vec<String> = reseated.removed.iter().map(ToString::to_string).collect();
    output.show(&json!({ "removed": removed, "reseat": as_json(&reseated.reseat_paper) }), || {
        format!("Done. The reseat key that you used is spent. This is the next one.\n{KEPT}\n\n{}", as_paper(&reseated.reseat_paper))
    });
    Ok(())
}

/// Papers from the input, one a line, words or the text of a QR code; an empty line ends them.
fn papers() -> Result<Vec<PaperShare>, Failure> {
    let mut papers = Vec::new();
    while let Some(line) = output::ask("Paper (an empty line when that was all):\n").map(Zeroizing::new) {
        if line.is_empty() {
            break;
        }
        papers.push(PaperShare::read(&line).map_err(satchel_core::Error::from)?);
    }
    Ok(papers)
}

fn as_json(paper: &PaperShare) -> Value {
    json!({
        "index": paper.index(), "threshold": paper.threshold(), "shares": paper.shares(), "set": paper.set().to_string(),
        "words": paper.to_line().as_str(), "text": paper.to_text().as_str(),
    })
}

/// Seven rows of five numbered words, and what the paper is.
fn as_paper(paper: &PaperShare) -> String {
    let title = match paper.purpose() {
        Purpose::Recovery => "Recovery share",
        Purpose::Reseat => "Reseat key",
    };
    let words: Vec<String> = paper.words().iter().enumerate().map(|(at, word)| format!("{:2} {word:<8}", at + 1)).collect();
    let rows: Vec<String> = words.chunks(5).map(|row| format!("  {}", row.join("  ").trim_end())).collect();
    let (index, shares, needed, set) = (paper.index(), paper.shares(), paper.threshold(), paper.set());
    format!("{title} {index} of {shares} ({needed} needed), set {set}\n{}\n  {}", rows.join("\n"), paper.to_text().as_str())
}
