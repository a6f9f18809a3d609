//! Records and the catalogue.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What is written in a participant's file, at their word.
#[derive(Args, Default)]
pub struct FileFields {
    /// The name they chose
    #[arg(long)]
    pub alias: Option<String>,
    #[arg(long)]
    pub pronouns: Option<String>,
    #[arg(long)]
    pub language: Option<String>,
    /// How they may safely be reached; "none" is an answer
    #[arg(long)]
    pub contact: Option<String>,
    /// A goal; give it several times, in their order
    #[arg(long = "goal", value_name = "GOAL")]
    pub goals: Vec<String>,
    /// A word they chose, asked before their page is read out
    #[arg(long)]
    pub recognition_word: Option<String>,
}

#[derive(Subcommand)]
pub enum Participant {
    /// Begin a file for somebody who said yes
    Add {
        #[command(flatten)]
        fields: FileFields,
        /// How they said yes
        #[arg(long, default_value = "spoken", value_parser = ["spoken", "on_screen", "signed_paper_on_file"])]
        consent: String,
        /// Language in which they were asked
        #[arg(long, default_value = "en")]
        words_language: String,
    },
    /// All files
    List,
    /// One file
    Show { participant: String },
    /// Everything that is held about them, in plain words, to be shown or read out to them
    HoldOnMe {
        participant: String,
        /// The language [default: theirs, if there are words in it]
        #[arg(long, value_parser = ["en", "es"])]
        lang: Option<String>,
        /// The recognition word as they said it; asked for if the file has one
        #[arg(long)]
        word: Option<String>,
        /// Write the page as HTML into this new file, and show nothing here
        #[arg(long)]
        html: Option<std::path::PathBuf>,
    },
    /// Change a file; what is not given stays
    Edit {
        participant: String,
        #[command(flatten)]
        fields: FileFields,
    },
    /// Close a file, at the participant's word
    Close {
        participant: String,
        /// Open it again
        #[arg(long)]
        reopen: bool,
    },
}

/// What is written of a meeting. Nothing is mandatory.
#[derive(Args)]
pub struct EncounterFields {
    #[arg(long, default_value = "street", value_parser = ["street", "drop_in", "phone", "site_visit"])]
    pub kind: String,
    /// Id or alias of a participant with a file
    #[arg(long)]
    pub participant: Option<String>,
    /// Id or name of a zone
    #[arg(long)]
    pub zone: Option<String>,
    /// RESOURCE[:QUANTITY]=OUTCOME, several times
    #[arg(long = "offer", value_name = "OFFER")]
    pub offers: Vec<String>,
    /// The participant asked that what they declined be kept with them
    #[arg(long)]
    pub keep_refusal: bool,
    #[arg(long)]
    pub note: Option<String>,
}

#[derive(Subcommand)]
pub enum Encounter {
    /// Write a meeting down
    Add {
        #[command(flatten)]
        fields: EncounterFields,
    },
    /// All meetings, or those of one participant
    List {
        #[arg(long)]
        participant: Option<String>,
    },
    /// One meeting
    Show { encounter: String },
    /// Write a meeting down again; the participant stays the same
    Correct {
        encounter: String,
        #[command(flatten)]
        fields: EncounterFields,
    },
}

#[derive(Subcommand)]
pub enum Tally {
    /// Count a contact of which nothing else is written down
    Add {
        /// RESOURCE[:COUNT]=OUTCOME, several times
        #[arg(long = "offer", value_name = "OFFER", required = true)]
        offers: Vec<String>,
    },
    /// What was counted: sums of the team, and what waits on this phone
    List,
}

#[derive(Subcommand)]
pub enum FollowUp {
    /// Write a promise down
    Add {
        #[arg(long)]
        participant: String,
        #[arg(long)]
        what: String,
        /// First day (YYYY-MM-DD) [default: today]
        #[arg(long)]
        from: Option<String>,
        /// Last day (YYYY-MM-DD) [default: a week later]
        #[arg(long)]
        until: Option<String>,
        /// How they may safely be reached about it
        #[arg(long)]
        contact: Option<String>,
    },
    /// All promises
    List,
    /// A promise was kept, or the participant no longer wants it
    Done {
        follow_up: String,
        /// The participant no longer wants it
        #[arg(long)]
        dropped: bool,
    },
}

#[derive(Subcommand)]
pub enum Refer {
    /// A participant asks to be connected
    Add {
        #[arg(long)]
        participant: String,
        /// Resource: id or name
        #[arg(long)]
        to: String,
        /// In their words
        #[arg(long)]
        words: Option<String>,
        #[arg(long, default_value = "participant", value_parser = ["participant", "participant_with_worker"])]
        started_by: String,
        #[arg(long, default_value = "asked", value_parser = STATUSES)]
        status: String,
    },
    /// All self-referrals
    List,
    /// Where a self-referral stands, in the participant's choice
    Status {
        referral: String,
        #[arg(value_parser = STATUSES)]
        status: String,
    },
}

const STATUSES: [&str; 5] = ["thinking", "asked", "sent", "got_it", "changed_mind"];

#[derive(Subcommand)]
pub enum Zone {
    /// Name a zone
    Add { name: String },
    /// All zones
    List,
}

#[derive(Subcommand)]
pub enum Catalogue {
    /// Import a directory of services (HSDS: JSON, CSV folder or zip) or a catalogue package, for the whole team
    Import {
        /// The file or folder; without it, the starter catalogue of invented providers
        path: Option<PathBuf>,
    },
    /// All services
    List {
        #[arg(long)]
        category: Option<String>,
    },
    /// One service: what it gives, what it demands, whom it tells
    Show { resource: String },
    /// Services whose entry holds these words
    Find {
        words: Vec<String>,
        #[arg(long)]
        category: Option<String>,
        /// Leave out providers that are known to demand this, several times
        #[arg(long = "without", value_name = "DEMAND")]
        without: Vec<String>,
        /// Only where this language is spoken
        #[arg(long)]
        language: Option<String>,
    },
}
