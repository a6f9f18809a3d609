//! Complaints, the board, the charter.

use clap::Subcommand;
use satchel_wire::ShiftDay;
use std::path::PathBuf;

/// The categories of a complaint, by their stable names; the mark needs no text and has a command of its own.
const CATEGORIES: [&str; 8] =
    ["service_quality", "discrimination", "coercion", "police_misconduct", "police_sexual_violence", "extortion", "privacy", "other"];

#[derive(Subcommand)]
pub enum Complaint {
    /// Seal a complaint to the board and show its receipt code once; reads the text from the input
    Write {
        #[arg(long, value_parser = CATEGORIES)]
        category: String,
        /// Where the board may answer, if its author wants that; only the board sees it
        #[arg(long, value_name = "ADDRESS")]
        reply: Option<String>,
    },
    /// Leave the mark "I felt pressured" for the board; nothing of it is kept in a file
    Pressured,
    /// What came of a complaint, by the board's bulletin: needs no store
    Check {
        /// The receipt code
        code: String,
        /// A bulletin as the board publishes it at its own channel
        bulletin: PathBuf,
    },
    /// Whether there is a board, its words, and whether its bulletin is late
    Status,
}

#[derive(Subcommand)]
pub enum Board {
    /// Make the board's keys on this phone, and write their public halves for a steward to enter
    SetUp {
        /// A new file
        file: PathBuf,
        /// Replace the keys: a phone that no longer belongs to the board may hold them
        #[arg(long)]
        anew: bool,
    },
    /// The board's book
    List,
    /// Read one complaint
    Read {
        /// As `board list` shows it
        id: String,
    },
    /// Answer whoever holds its code, in the next bulletins; reads the answer from the input
    Answer { id: String },
    /// Finish with a complaint: its text and address are destroyed here
    Close {
        id: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// Sign the next bulletin, publish it to the team, and write it as a file for the board's own channel
    Bulletin {
        /// A new file
        file: PathBuf,
        /// In how many days the one after it is due, 1 to 31
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=31))]
        due_days: u16,
    },
    /// Complaints by category, fit to be handed out: small numbers are hidden
    Counts,
}

#[derive(Subcommand)]
pub enum Charter {
    /// The page for a participant: what the team promises, in plain words
    Show {
        #[arg(long, default_value = "en", value_parser = ["en", "es"])]
        language: String,
        /// As an HTML document
        #[arg(long)]
        html: bool,
        /// Every setting by its name and value instead of the page
        #[arg(long, conflicts_with = "html")]
        settings: bool,
    },
    /// Every change, who made it, and what waits for the board
    History,
    /// Every field that can be stored, why, who can open it and until when; needs no store
    DataMap,
    /// Change settings, as a steward: what loosens waits for the board
    Set {
        /// Days an encounter's detail is kept, 1 to 90
        #[arg(long)]
        encounter_days: Option<u16>,
        /// Days its zone is shown, 0 to 14
        #[arg(long)]
        zone_days: Option<u16>,
        /// Days a participant's file is kept after the last contact, 1 to 365
        #[arg(long)]
        participant_days: Option<u16>,
        /// The team's last day (YYYY-MM-DD)
        #[arg(long, value_parser = day)]
        last_day: Option<ShiftDay>,
        /// Days after which a silent phone gets no more keys, 1 to 21
        #[arg(long)]
        absence_limit_days: Option<u16>,
        /// Counts below this are hidden, 5 or more
        #[arg(long)]
        suppression: Option<u16>,
        /// Longest term of a yes to record facts, in days, 1 to 366
        #[arg(long)]
        record_grant_days: Option<u16>,
        /// Longest term of a yes to share them, in days, 1 to 366
        #[arg(long)]
        share_grant_days: Option<u16>,
        /// A phone that met nobody of the team for longer shares nothing, in days, 1 to 21
        #[arg(long)]
        share_contact_days: Option<u16>,
        /// A category of facts that may be recorded and shared; give every one that may
        #[arg(long = "category", value_name = "CATEGORY")]
        categories: Vec<String>,
        /// No category of facts may be recorded or shared
        #[arg(long, conflicts_with = "categories")]
        no_categories: bool,
        /// Whether shares with police, prosecutors, courts, probation or prisons can be asked for at all
        #[arg(long, value_name = "YES_OR_NO", value_parser = yes_or_no, action = clap::ArgAction::Set)]
        justice_shares: Option<bool>,
        /// Who pays; give every line, also those that stand already
        #[arg(long = "funder", value_name = "WHO")]
        funders: Vec<String>,
        /// Nobody pays
        #[arg(long, conflicts_with = "funders")]
        no_funders: bool,
        /// An agreement, as police=…, prosecutors=…, anti_trafficking=… or recovery=…; give every line
        #[arg(long = "agreement", value_name = "WITH=WHAT")]
        agreements: Vec<String>,
        /// There is no such agreement
        #[arg(long, conflicts_with = "agreements")]
        no_agreements: bool,
        /// The day of the last review by participants and board (YYYY-MM-DD)
        #[arg(long, value_parser = day)]
        reviewed: Option<ShiftDay>,
        /// When the next one is due (YYYY-MM-DD)
        #[arg(long, value_parser = day)]
        review_due: Option<ShiftDay>,
        /// The public keys that `board set-up` wrote; compare the words with the board first
        #[arg(long, value_name = "FILE")]
        board_keys: Option<PathBuf>,
    },
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("expected yes or no".to_owned()),
    }
}

fn day(text: &str) -> Result<ShiftDay, String> {
    text.parse().map_err(|_| "expected YYYY-MM-DD".to_owned())
}
