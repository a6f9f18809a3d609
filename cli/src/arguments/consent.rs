//! Grants, withdrawals, vaults.

use clap::{Args, Subcommand};

const HOW: [&str; 3] = ["spoken", "on_screen", "signed_paper_on_file"];
const CATEGORIES: [&str; 12] = [
    "legal_name",
    "birth_date",
    "contact_detail",
    "exact_place",
    "government_id",
    "immigration",
    "justice_contact",
    "officer",
    "physical_description",
    "vehicle",
    "third_party",
    "demographics",
];
const PURPOSES: [&str; 8] = [
    "service_connection",
    "warm_handoff",
    "benefits_application",
    "housing_application",
    "legal_defence",
    "health_care",
    "emergency_contact",
    "own_copy",
];
pub const CLASSES: [&str; 7] = ["service", "legal", "health", "benefits", "emergency", "own_copy", "justice"];

/// What somebody is asked: to record something in a vault, or, with --to, to share it with one recipient. Never both.
#[derive(Args)]
pub struct Asked {
    /// Id or alias
    pub participant: String,
    /// What is recorded or shared; several times. Without any the file itself is renewed
    #[arg(long = "category", value_name = "CATEGORY", value_parser = CATEGORIES)]
    pub categories: Vec<String>,
    /// Why
    #[arg(long, default_value = "service_connection", value_parser = PURPOSES)]
    pub purpose: String,
    /// The one recipient of a share: id or name
    #[arg(long, value_name = "RECIPIENT")]
    pub to: Option<String>,
    /// First day, not before today [default: today]
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// Last day [default: the longest that the charter allows]
    #[arg(long, value_name = "DAY")]
    pub until: Option<String>,
    /// How they say yes
    #[arg(long, default_value = "spoken", value_parser = HOW)]
    pub how: String,
    /// Language in which they are asked
    #[arg(long, default_value = "en", value_parser = ["en", "es"])]
    pub language: String,
}

#[derive(Subcommand)]
pub enum Grant {
    /// The words to read out before a yes; nothing is stored
    Words {
        #[command(flatten)]
        asked: Asked,
    },
    /// Shows the words, and stores the yes
    Give {
        #[command(flatten)]
        asked: Asked,
        /// They heard the words and said yes
        #[arg(long)]
        yes: bool,
    },
    /// Every yes and every withdrawal of a participant, how it stands, and who wrote it down
    List { participant: String },
    /// What left, to whom, and what stopped
    Log { participant: String },
    /// A receipt for a yes, for the participant who asks for it; it names nobody, and is kept nowhere
    Receipt {
        participant: String,
        grant: String,
        #[arg(long, default_value = "kantara", value_parser = ["kantara", "fhir"])]
        form: String,
        /// How the agency is called on it
        #[arg(long, default_value = "the outreach team")]
        agency: String,
        /// Where the charter can be read
        #[arg(long, default_value = "ask any of us for the charter")]
        policy: String,
    },
    /// Somebody to whom something may be shared
    #[command(subcommand)]
    Recipient(Recipient),
}

#[derive(Subcommand)]
pub enum Recipient {
    /// Write one down
    Add {
        #[arg(long)]
        name: String,
        /// What it is; police, courts, probation and prisons are "justice"
        #[arg(long, value_parser = CLASSES)]
        class: String,
    },
    /// All of them
    List,
}

/// What is taken back. Without options: everything, and the file with it.
#[derive(Args)]
pub struct Withdraw {
    /// Id or alias
    pub participant: String,
    /// Only what may be recorded, or only what may be shared
    #[arg(long, value_parser = ["record", "share"])]
    pub act: Option<String>,
    /// Only this category
    #[arg(long, value_parser = CATEGORIES)]
    pub category: Option<String>,
    /// Only this recipient
    #[arg(long, value_name = "RECIPIENT")]
    pub to: Option<String>,
    /// How they take it back
    #[arg(long, default_value = "spoken", value_parser = HOW)]
    pub how: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

#[derive(Subcommand)]
pub enum Vault {
    /// Write facts under a grant that counts today; without --fact, FIELD=VALUE lines are read from the input
    Write {
        participant: String,
        grant: String,
        /// FIELD=VALUE, several times
        #[arg(long = "fact", value_name = "FACT")]
        facts: Vec<String>,
    },
    /// Take one fact out
    Remove { participant: String, grant: String, field: String },
    /// The vaults of a participant that count today, or the facts of one of them
    Show { participant: String, grant: Option<String> },
}
