//! `satchel screen`: the text guard on lines of JSON. Needs no store.

use crate::failure::Failure;
use crate::output::{self, Output};
use crate::wording;
use satchel_core::screen::{Suggestion, screen, suggest};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{BufRead, Read, Write};

/// Longest input line (bytes): five hundred times the longest note, and what a phone can hold while it is read.
const LINE_MAX_BYTES: u64 = 1024 * 1024;

#[derive(Deserialize)]
struct Line {
    id: Value,
    text: String,
    alias: Option<String>,
}

/// Reads one object per line, answers one object per line, in the same order. Stops at the first line that is neither.
/// For people one line a finding and one a kinder wording, after the id; for programs kinder wordings only with `suggestions`.
pub fn run(output: Output, suggestions: bool) -> Result<(), Failure> {
    let mut input = std::io::stdin().lock();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let wrong = Failure::Unreadable(std::io::ErrorKind::InvalidData);
    loop {
        let mut line = Vec::new();
        let read = (&mut input).take(LINE_MAX_BYTES + 1).read_until(b'\n', &mut line).map_err(|error| Failure::Unreadable(error.kind()))?;
        if read == 0 {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if line.len() as u64 > LINE_MAX_BYTES {
            let _ = out.flush();
            return Err(wrong);
        }
        let Ok(line) = serde_json::from_slice::<Line>(&line) else {
            let _ = out.flush();
            return Err(wrong);
        };
        if !output.is_json() {
            if out.write_all(in_words(&line).as_bytes()).is_err() {
                return Ok(());
            }
            continue;
        }
        let findings: Vec<Value> = screen(&line.text, line.alias.as_deref()).iter().map(output::finding).collect();
        let mut answer = json!({ "id": line.id, "findings": findings });
        if suggestions && let Some(answer) = answer.as_object_mut() {
            answer.insert("suggestions".to_owned(), suggest(&line.text).iter().map(suggestion).collect());
        }
        if writeln!(out, "{answer}").is_err() {
            // nobody reads any more
            return Ok(());
        }
    }
    let _ = out.flush();
    Ok(())
}

/// What was found, and what could be said more kindly, in words.
fn in_words(line: &Line) -> String {
    let mut said = Vec::new();
    for finding in screen(&line.text, line.alias.as_deref()) {
        said.push(wording::finding(&finding));
    }
    for Suggestion { start, end, instead } in suggest(&line.text) {
        said.push(format!("bytes {start} to {end}: kinder would be \"{instead}\""));
    }
    if said.is_empty() {
        said.push("nothing found".to_owned());
    }
    said.iter().map(|words| format!("{}: {words}\n", line.id)).collect()
}

/// A suggestion as programs read it: byte offsets into the given text.
fn suggestion(suggestion: &Suggestion) -> Value {
    json!({ "start": suggestion.start, "end": suggestion.end, "instead": suggestion.instead })
}
