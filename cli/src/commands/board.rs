//! Complaints, and the community board that reads them.

use crate::arguments::{Board, Complaint, Settings};
use crate::failure::Failure;
use crate::output::{self, Output, table};
use data_encoding::BASE32_NOPAD;
use satchel_core::Error;
use satchel_core::complaint::{Bulletin, Category, ComplaintDraft, ComplaintError, Count, ReceiptCode, check, limits};
use satchel_core::store::{BoardKeys, BoardStatus, Unlocked, board_words};
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// First line of the file with the board's public keys.
const KEYS_MAGIC: &str = "satchel board keys 1";
/// Largest file that is read here (bytes).
const FILE_MAX_BYTES: u64 = 64 * 1024;

pub fn complaint(settings: &Settings, output: Output, command: Complaint) -> Result<(), Failure> {
    match command {
        Complaint::Write { category, reply } => {
            let category = Category::from_name(&category).ok_or(Failure::Argument { name: "category", expected: "a known one" })?;
            let unlocked = settings.unlock()?;
            if !unlocked.board_status()?.is_offered {
                return Err(Error::from(ComplaintError::NoBoard).into());
            }
            let text = read_input(limits::TEXT_MAX_BYTES)?;
            write(&unlocked, output, &ComplaintDraft { category, text: &text, reply: reply.as_deref() })
        }
        Complaint::Pressured => {
            write(&settings.unlock()?, output, &ComplaintDraft { category: Category::FeltPressured, text: "", reply: None })
        }
        Complaint::Check { code, bulletin } => look_up(output, &code, &bulletin),
        Complaint::Status => {
            let (value, text) = status_in_words(&settings.unlock()?.board_status()?);
            output.show(&value, || text);
            Ok(())
        }
    }
}

fn write(unlocked: &Unlocked, output: Output, draft: &ComplaintDraft<'_>) -> Result<(), Failure> {
    let code = unlocked.complain(draft)?.to_text();
    let words = unlocked.board_status()?.words.map(|words| words.join(" ")).unwrap_or_default();
    output.show(&json!({ "receipt": code.as_str(), "board_words": words }), || {
        format!(
            "Receipt code: {}\n\nWrite it down: it is shown once and kept nowhere. The complaint is sealed; nobody on this team can read it,\n\
             and it leaves this phone on one of the next days. Ask the board, at its own channel, what came of it. The board's words\n\
             are: {words}",
            code.as_str()
        )
    });
    Ok(())
}

fn look_up(output: Output, code: &str, file: &Path) -> Result<(), Failure> {
    let code = ReceiptCode::from_text(code).map_err(Error::from)?;
    let bulletin = Bulletin::from_file(&read_file(file)?).map_err(Error::from)?;
    let found = check(&code, &bulletin).map_err(Error::from)?;
    let words = board_words(bulletin.board()).join(" ");
    let value = json!({
        "number": bulletin.number(), "day": bulletin.day().to_string(), "next_due": bulletin.due().to_string(), "board_words": words,
        "progress": found.progress.map(satchel_core::complaint::Progress::as_str), "answer": found.answer,
    });
    output.show(&value, || {
        let progress = match found.progress {
            Some(progress) => format!("The board says: {}.", progress.as_str()),
            None => "The board has not seen this complaint. It may still be on its way for some days; after that somebody\nmay have kept it back: ask the board.".to_owned(),
        };
        let answer = found.answer.map_or_else(String::new, |answer| format!("\nIts answer: {answer}"));
        format!(
            "{progress}{answer}\n\nBulletin {} of {}; the next one is due by {}. It counts only if these are the board's words, as the board\n\
             itself shows them: {words}",
            bulletin.number(),
            bulletin.day(),
            bulletin.due()
        )
    });
    Ok(())
}

/// The board as this phone knows it, for programs and for people.
pub fn status_in_words(status: &BoardStatus) -> (Value, String) {
    let words = status.words.map(|words| words.join(" "));
    let overdue = status.overdue_since.map(|day| day.to_string());
    let value = json!({
        "board_words": words,
        "bulletin": status.newest.map(|(number, day, due)| json!({ "number": number, "day": day.to_string(), "due": due.to_string() })),
        "complaints_offered": status.is_offered,
        "overdue_since": overdue,
    });
    let mut text = match (&words, status.newest) {
        (None, _) => "no board yet".to_owned(),
        (Some(words), None) => format!("the charter names a board ({words}), which has published nothing yet"),
        (Some(words), Some((number, day, due))) => format!("its words: {words}\n  bulletin {number} of {day}, the next one due by {due}"),
    };
    if let Some(overdue) = overdue {
        text.push_str(&format!("\n  OVERDUE: the board has not been heard since it was due on {overdue}"));
    }
    (value, text)
}

pub fn board(settings: &Settings, output: Output, command: Board) -> Result<(), Failure> {
    match command {
        Board::SetUp { file, anew } => set_up(settings, output, &file, anew),
        Board::List => list(&settings.unlock()?, output),
        Board::Read { id } => {
            let unlocked = settings.unlock()?;
            let complaint = unlocked.board_read(find(&unlocked, &id)?)?;
            let value = json!({ "category": complaint.category.as_str(), "text": complaint.text, "reply": complaint.reply });
            output.show(&value, || {
                let reply = complaint.reply.as_ref().map_or_else(String::new, |reply| format!("\n\nanswer to: {reply}"));
                format!("{}\n\n{}{reply}", complaint.category.as_str().replace('_', " "), complaint.text)
            });
            Ok(())
        }
        Board::Answer { id } => {
            let unlocked = settings.unlock()?;
            let text = read_input(limits::ANSWER_MAX_BYTES)?;
            unlocked.board_answer(find(&unlocked, &id)?, &text)?;
            output.show(&json!({ "answered": true }), || "The next bulletin carries it, sealed to the receipt code.".to_owned());
            Ok(())
        }
        Board::Close { id, yes } => {
            let unlocked = settings.unlock()?;
            let id = find(&unlocked, &id)?;
            let question = if output.is_json() { "" } else { "Its text and address are destroyed on this phone. Type yes: " };
            if !yes && !output::ask(question).is_some_and(|answer| answer.eq_ignore_ascii_case("yes")) {
                return Err(Failure::NotConfirmed);
            }
            unlocked.board_close(id)?;
            output.show(&json!({ "closed": true }), || "Closed. Bulletins say so for 90 days.".to_owned());
            Ok(())
        }
        Board::Bulletin { file, due_days } => {
            let unlocked = settings.unlock()?;
            let mut written = create(&file)?;
            let bulletin = unlocked.board_publish(due_days);
            let bulletin = bulletin.inspect_err(|_| {
                // nothing was written: an empty file would be taken for a bulletin
                let _ = std::fs::remove_file(&file);
            })?;
            written.write_all(&bulletin.to_file()).map_err(|error| Failure::Unreadable(error.kind()))?;
            let value = json!({ "number": bulletin.number(), "day": bulletin.day().to_string(), "due": bulletin.due().to_string() });
            output.show(&value, || {
                format!(
                    "Bulletin {} is signed. The team gets it with the next exchange; put the file where people ask the board, with the\n\
                     board's words beside it: {}",
                    bulletin.number(),
                    board_words(bulletin.board()).join(" ")
                )
            });
            Ok(())
        }
        Board::Counts => counts(&settings.unlock()?, output),
    }
}

fn set_up(settings: &Settings, output: Output, file: &Path, anew: bool) -> Result<(), Failure> {
    let unlocked = settings.unlock()?;
    let mut written = create(file)?;
    let keys = unlocked.board_set_up(anew).inspect_err(|_| {
        let _ = std::fs::remove_file(file);
    })?;
    let text = format!("{KEYS_MAGIC}\n{}\n{}\n", BASE32_NOPAD.encode(&keys.receiving), BASE32_NOPAD.encode(&keys.signing));
    written.write_all(text.as_bytes()).map_err(|error| Failure::Unreadable(error.kind()))?;
    let words = keys.words().join(" ");
    output.show(&json!({ "board_words": words }), || {
        format!(
            "The board's keys are on this phone. Give the file to a steward (`satchel charter set --board-keys FILE`), then publish the\n\
             first bulletin (`satchel board bulletin FILE`). Show these words wherever people find the board:\n\n  {words}"
        )
    });
    Ok(())
}

/// The keys that a board phone wrote. Errors: a file that is none.
pub fn read_keys(file: &Path) -> Result<BoardKeys, Failure> {
    let expected = Failure::Argument { name: "board-keys", expected: "a file that `board set-up` wrote" };
    let text = String::from_utf8(read_file(file)?).unwrap_or_default();
    let mut lines = text.lines();
    let magic = lines.next() == Some(KEYS_MAGIC);
    let mut next = || lines.next().and_then(|line| BASE32_NOPAD.decode(line.trim().as_bytes()).ok());
    let (receiving, signing) = (next(), next().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()));
    match (magic, receiving, signing) {
        (true, Some(receiving), Some(signing)) => Ok(BoardKeys { receiving, signing }),
        _ => Err(expected),
    }
}

fn id_text(id: [u8; 5]) -> String {
    BASE32_NOPAD.encode(&id).to_ascii_lowercase()
}

fn find(unlocked: &Unlocked, text: &str) -> Result<[u8; 5], Failure> {
    let (lines, _) = unlocked.board_book()?;
    let typed = text.to_ascii_lowercase();
    let found: Vec<[u8; 5]> = lines.iter().map(|line| line.id).filter(|id| id_text(*id).starts_with(&typed)).collect();
    match found.as_slice() {
        [] => Err(Error::from(ComplaintError::Unknown).into()),
        [id] => Ok(*id),
        _ => Err(Failure::Ambiguous { what: "complaint", count: found.len(), candidates: Vec::new() }),
    }
}

fn list(unlocked: &Unlocked, output: Output) -> Result<(), Failure> {
    let (lines, turned_away) = unlocked.board_book()?;
    let values = lines.iter().map(|line| {
        json!({
            "id": id_text(line.id), "arrived": line.arrived.to_string(), "category": line.category.as_str(),
            "progress": line.progress.as_str(), "has_reply": line.has_reply,
        })
    });
    output.show(&json!({ "complaints": values.collect::<Vec<_>>(), "turned_away": turned_away }), || {
        let rows = lines.iter().map(|line| {
            vec![
                id_text(line.id),
                line.arrived.to_string(),
                line.category.as_str().replace('_', " "),
                line.progress.as_str().to_owned(),
                if line.has_reply { "wants an answer" } else { "" }.to_owned(),
            ]
        });
        let mut text = table(&["complaint", "arrived", "about", "", ""], &rows.collect::<Vec<_>>());
        if turned_away > 0 {
            text.push_str(&format!("\n{turned_away} found no room: close some, and ask by the board's own channel"));
        }
        text
    });
    Ok(())
}

fn counts(unlocked: &Unlocked, output: Output) -> Result<(), Failure> {
    let (cells, total) = unlocked.board_counts()?;
    let number = |count: Count| match count {
        Count::Shown(count) => json!(count),
        Count::Hidden => Value::Null,
    };
    let by_category: serde_json::Map<String, Value> =
        cells.iter().map(|(category, count)| (category.as_str().to_owned(), number(*count))).collect();
    output.show(&json!({ "by_category": by_category, "total": number(total) }), || {
        let word = |count: Count| match count {
            Count::Shown(count) => count.to_string(),
            Count::Hidden => "hidden".to_owned(),
        };
        let mut rows: Vec<Vec<String>> =
            cells.iter().map(|(category, count)| vec![category.as_str().replace('_', " "), word(*count)]).collect();
        rows.push(vec!["all".to_owned(), word(total)]);
        table(&["about", "complaints"], &rows)
    });
    Ok(())
}

/// What was typed or piped in, at most `limit_bytes` and one line end; the reading buffer is wiped.
fn read_input(limit_bytes: usize) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::with_capacity(limit_bytes + 64));
    let most = limit_bytes as u64 + 16;
    std::io::stdin().lock().take(most).read_to_string(&mut text).map_err(|error| Failure::Unreadable(error.kind()))?;
    Ok(text)
}

fn read_file(file: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: std::io::Error| Failure::Unreadable(error.kind());
    let mut bytes = Vec::new();
    File::open(file).map_err(unreadable)?.take(FILE_MAX_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

fn create(file: &Path) -> Result<File, Failure> {
    OpenOptions::new().write(true).create_new(true).open(file).map_err(|error| Failure::Unreadable(error.kind()))
}
