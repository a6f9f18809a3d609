//! What can be typed.

use crate::exit::Exit;
use clap::{Args, Parser, Subcommand, ValueEnum};
use satchel_wire::MailboxId;
use satchel_wire::ids::{DeviceId, MemberId};
use std::path::PathBuf;

/// Satchel: records of street outreach that belong to the people they are about.
#[derive(Parser)]
#[command(name = "satchel", version, after_help = Exit::table())]
pub struct Arguments {
    #[command(flatten)]
    pub settings: Settings,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Args, Clone)]
pub struct Settings {
    /// Folder of the store (or SATCHEL_STORE)
    #[arg(long, global = true, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// JSON instead of tables
    #[arg(long, global = true)]
    pub json: bool,
    /// Read the passphrase (one line) from this open file descriptor instead of asking
    #[arg(long, global = true, value_name = "N")]
    pub passphrase_fd: Option<u32>,
    /// Folder of the key files that are needed beside the passphrase [default: ~/.local/share/satchel/keys]
    #[arg(long, global = true, value_name = "DIR")]
    pub keystore: Option<PathBuf>,
    /// Passphrase alone: a copied store folder can then be guessed at
    #[arg(long, global = true, conflicts_with = "keystore")]
    pub no_keystore: bool,
    /// A clock that stands still, for the demonstration and tests
    #[arg(long, global = true, hide = true, value_name = "UNIX_SECONDS")]
    pub clock: Option<u64>,
    /// What one try of a new passphrase costs, for the demonstration and tests
    #[arg(long, global = true, hide = true, value_enum, default_value = "standard")]
    pub key_cost: KeyCostName,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum KeyCostName {
    Standard,
    Least,
}

#[derive(Subcommand)]
pub enum Command {
    /// Found a team: you are its first member and steward
    Init {
        /// How colleagues call you
        #[arg(long)]
        name: String,
        /// Time zone in which a shift day begins at 05:00, such as America/Los_Angeles
        #[arg(long)]
        time_zone: String,
    },
    /// Invite a phone that is here with you: listens until it has joined
    Invite {
        /// What the new member may do
        #[arg(long, default_value = "worker", value_parser = ["steward", "worker", "board"])]
        role: String,
        /// Where to listen; port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: String,
        /// Where the other phone finds this one, if that is not where it listens
        #[arg(long)]
        address: Option<String>,
        /// The four words as the other phone shows them, instead of being asked
        #[arg(long, value_name = "WORDS")]
        expect_words: Option<String>,
        /// Three words to be typed instead of a text to be scanned; good for one try
        #[arg(long)]
        typed: bool,
        /// A further phone of your own, with your own role
        #[arg(long, conflicts_with = "role")]
        own_device: bool,
    },
    /// Join the team of somebody who is here with you
    Join {
        /// The invitation (with --typed: the three words), or - to read it from the input
        invitation: String,
        /// How colleagues call you
        #[arg(long)]
        name: String,
        /// Where the inviting phone listens, if not where the invitation says
        #[arg(long)]
        address: Option<String>,
        /// The four words as the other phone shows them, instead of being asked
        #[arg(long, value_name = "WORDS")]
        expect_words: Option<String>,
        /// The invitation is three words; --address says where the inviting phone listens
        #[arg(long, requires = "address")]
        typed: bool,
    },
    /// People who said yes to a file
    #[command(subcommand)]
    Participant(Participant),
    /// Meetings
    #[command(subcommand)]
    Encounter(Encounter),
    /// Anonymous counts
    #[command(subcommand)]
    Tally(Tally),
    /// What was promised
    #[command(subcommand)]
    FollowUp(FollowUp),
    /// What participants ask to be connected to
    #[command(subcommand)]
    Refer(Refer),
    /// Zones: names for where the team works
    #[command(subcommand)]
    Zone(Zone),
    /// Today: what is promised, whom the team knows, what waits
    List {
        /// Every record in full
        #[arg(long)]
        all: bool,
    },
    /// One record, by its id or the beginning of it, or a participant's alias
    Show { id: String },
    /// Exchange with the team's relay
    Sync,
    /// Exchange with a colleague's phone
    #[command(subcommand)]
    Peer(Peer),
    /// The team's relay
    #[command(subcommand)]
    Relay(Relay),
    /// What brings the team back when every phone is lost
    #[command(subcommand)]
    Recovery(Recovery),
    /// Use the paper reseat key: remove phones, make a member a steward; reads the paper from the input, one a line
    Reseat {
        /// A phone to remove
        #[arg(long, value_name = "DEVICE")]
        remove: Vec<DeviceId>,
        /// The member who is to be a steward
        #[arg(long, value_name = "MEMBER")]
        steward: Option<MemberId>,
    },
    /// The catalogue of services
    #[command(subcommand)]
    Catalogue(Catalogue),
    /// Look for what should not be written down: {"id","text","alias"?} per input line; needs no store
    Screen {
        /// The input; only - (standard input)
        #[arg(value_parser = ["-"])]
        input: String,
    },
    /// How this store is protected, what it holds back, whether its files are whole
    Doctor {
        /// The device's date is right
        #[arg(long)]
        confirm_date: bool,
    },
    /// Make a passphrase, or change this store's
    Passphrase {
        /// How many words, 4 to 12
        #[arg(long, default_value_t = satchel_wire::limits::PASSPHRASE_WORDS_DEFAULT_COUNT)]
        words: usize,
        #[command(subcommand)]
        action: Option<PassphraseAction>,
    },
    /// Destroy this device's keys and then its files, at once and without the passphrase
    EraseDevice {
        /// Really
        #[arg(long)]
        yes: bool,
    },
    /// A whole day with three phones and a relay, on this machine, in a temporary folder
    Demo,
    /// The table of exit codes
    #[command(after_help = Exit::table())]
    ExitCodes,
}

#[derive(Subcommand)]
pub enum PassphraseAction {
    /// Replace the passphrase and every key that it opened
    Change {
        /// Read the new passphrase (one line) from this open file descriptor instead of asking
        #[arg(long, value_name = "N")]
        new_passphrase_fd: Option<u32>,
    },
}

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
pub enum Peer {
    /// Wait for a colleague's phone
    Listen {
        /// Where to listen; port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: String,
    },
    /// Meet a colleague's phone
    Dial {
        /// HOST:PORT
        address: String,
    },
}

#[derive(Subcommand)]
pub enum Relay {
    /// Use this relay; colleagues who join later get its address
    Set {
        /// https://HOST[:PORT], or http:// on this machine
        url: String,
        /// The mailbox that the operator made
        #[arg(long)]
        mailbox: MailboxId,
        /// Its one-time secret, for the first phone of the team; - to read it from the input
        #[arg(long)]
        secret: Option<String>,
    },
    /// The relay in use
    Show,
}

#[derive(Subcommand)]
pub enum Recovery {
    /// Make a new recovery key and print it as shares; those printed before are void
    SetUp {
        /// How many shares bring the team back
        #[arg(long)]
        threshold: u8,
        /// How many to print, 16 at most
        #[arg(long)]
        shares: u8,
    },
    /// Whether the team comes back after every phone is lost
    Status,
    /// On a board member's phone: write what a new phone needs besides the papers
    Export {
        /// The file to write
        file: PathBuf,
    },
    /// On a new phone: bring the team back; reads the papers from the input, one a line
    Restore {
        /// The file that a board member's phone wrote
        file: PathBuf,
        /// How colleagues call you
        #[arg(long)]
        name: String,
    },
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
