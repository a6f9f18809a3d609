//! Everything that is printed goes through here.

use crate::failure::Failure;
use crate::wording;
use serde_json::{Value, json};
use std::io::{BufRead, Write};

/// Tables for people, or JSON for programs.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    is_json: bool,
}

impl Output {
    pub const fn new(is_json: bool) -> Self {
        Self { is_json }
    }

    pub const fn is_json(self) -> bool {
        self.is_json
    }

    /// Prints a result in the form that was asked for.
    pub fn show(self, value: &Value, human: impl FnOnce() -> String) {
        if self.is_json { say(&value.to_string()) } else { say(human().trim_end()) }
    }

    /// Says why not, on the error stream.
    pub fn fail(self, failure: &Failure) {
        if self.is_json {
            let findings: Vec<Value> = failure.findings().iter().map(finding).collect();
            let error = json!({
                "code": failure.code(),
                "remedy": failure.remedy().code(),
                "message": wording::failure(failure),
                "findings": findings,
            });
            return complain(&json!({ "error": error }).to_string());
        }
        complain(&format!("satchel: {}", wording::failure(failure)));
        for finding in failure.findings() {
            complain(&format!("  {}", wording::finding(finding)));
        }
        complain(&format!("  {} [{}]", wording::remedy(failure.remedy()), failure.code()));
    }
}

/// A finding as programs read it: byte offsets into the given text.
pub fn finding(finding: &satchel_core::screen::Finding) -> Value {
    json!({ "start": finding.start, "end": finding.end, "category": finding.category.code(), "reason": finding.reason.code() })
}

/// Prints a line; a closed pipe is no reason to fail.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Prints a line on the error stream.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Asks a question on the error stream and reads one line; none at the end of the input.
pub fn ask(question: &str) -> Option<String> {
    {
        let mut out = std::io::stderr().lock();
        let _ = write!(out, "{question}").and_then(|()| out.flush());
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim().to_owned())
}

/// Columns as wide as their longest cell; nothing but the title when there are no rows.
pub fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return "(none)".to_owned();
    }
    let width = |column: usize, header: &str| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([header.chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = headers.iter().enumerate().map(|(column, header)| width(column, header)).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut text = line(&mut headers.iter().copied());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}
