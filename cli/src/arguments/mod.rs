//! What can be typed.

mod board;
mod consent;
mod records;
mod share;
mod team;

pub use board::{Board, Charter, Complaint};
pub use consent::{Asked, Grant, Recipient, Vault, Withdraw};
pub use records::{Catalogue, Encounter, EncounterFields, FileFields, FollowUp, Participant, Refer, Tally, Zone};
pub use share::{Pair, Share};
pub use team::{ChoiceName, Erase, InboxName, Member, NetworkName, Pack, Peer, Recovery, Relay, Sync, SyncAction};

use crate::exit::Exit;
use clap::{Args, Parser, Subcommand, ValueEnum};
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
    /// What somebody said yes to, in the words that they heard
    #[command(subcommand)]
    Grant(Grant),
    /// What somebody takes back: it holds at once, against everything
    Withdraw(Withdraw),
    /// Facts that are kept only as long as somebody says yes to it
    #[command(subcommand)]
    Vault(Vault),
    /// Give facts to somebody outside the team, under a yes to share, and ask for them back
    #[command(subcommand)]
    Share(Share),
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
    Sync(Sync),
    /// Exchange with a colleague's phone
    #[command(subcommand)]
    Peer(Peer),
    /// The team's relay
    #[command(subcommand)]
    Relay(Relay),
    /// Who belongs: people, their phones, removals, second signatures
    #[command(subcommand)]
    Member(Member),
    /// Erase on every phone of the team, and see how far that is
    #[command(subcommand)]
    Erase(Erase),
    /// Everything for the team in one sealed file, carried by hand
    #[command(subcommand)]
    Pack(Pack),
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
    /// Complaints: sealed to the community board, unreadable for the team
    #[command(subcommand)]
    Complaint(Complaint),
    /// The community board: its keys, its book of complaints, its bulletins
    #[command(subcommand)]
    Board(Board),
    /// The team's signed policy
    #[command(subcommand)]
    Charter(Charter),
    /// The catalogue of services
    #[command(subcommand)]
    Catalogue(Catalogue),
    /// Look for what should not be written down: {"id","text","alias"?} per input line; needs no store
    Screen {
        /// The input; only - (standard input)
        #[arg(value_parser = ["-"])]
        input: String,
        /// Also offer kinder words for what was found unkind; they are offers and block nothing
        #[arg(long)]
        suggest: bool,
    },
    /// How this store is protected, which keys it holds and why, what waits, whether its files are whole
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
    /// A day with three phones and a relay, and the week after it, on this machine, in a temporary folder
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
