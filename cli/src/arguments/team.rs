//! The team: relay, phones that meet, who belongs, erasure, packs, recovery.

use clap::{Args, Subcommand, ValueEnum};
use satchel_transport::relay::{Pin, Proxy};
use satchel_wire::MailboxId;
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum Peer {
    /// Wait for a colleague's phone
    Listen {
        /// Where to listen; port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: String,
    },
    /// Find colleagues' phones on this network by themselves, and meet them all
    Nearby {
        /// Where to take calls; port 0 takes a free one
        #[arg(long, default_value = "0.0.0.0:0")]
        listen: String,
        /// How long (seconds); what is under way then ends first
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
        seconds: u64,
        /// End after so many meetings
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        meetings: Option<u32>,
    },
    /// Meet a colleague's phone
    Dial {
        /// HOST:PORT
        address: String,
    },
}

/// How to exchange with the relay.
#[derive(Args)]
pub struct Sync {
    /// Stay in touch until Ctrl-C: send what is saved, take what is new, say how it stands
    #[arg(long)]
    pub live: bool,
    /// Go through socks5h://[NAME:PASSWORD@]HOST:PORT (Tor) or http://…; SOCKS proxies look names up themselves
    #[arg(long, value_name = "URL", global = true)]
    pub proxy: Option<Proxy>,
    /// What network this device is on; without it, one that may cost
    #[arg(long, value_name = "NETWORK", value_enum, global = true)]
    pub network: Option<NetworkName>,
    /// Exchange once over any network, even if this store is set to spare those that cost
    #[arg(long, conflicts_with = "live")]
    pub anyway: bool,
    #[command(subcommand)]
    pub action: Option<SyncAction>,
}

#[derive(Subcommand)]
pub enum SyncAction {
    /// How it stands: what waits, when the relay was reached, which networks are used, how many bytes went there
    Status,
    /// Let this phone fetch sealed rows while it is locked, or no longer; `fetch` does so and asks for no passphrase
    Inbox {
        /// on, off or fetch
        #[arg(value_enum)]
        what: InboxName,
    },
    /// Over which networks this phone reaches the relay; colleagues' phones are not told
    Networks {
        /// any, or unmetered: only those that cost nothing by the byte
        #[arg(value_enum)]
        which: ChoiceName,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum NetworkName {
    Unmetered,
    Metered,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum InboxName {
    On,
    Off,
    Fetch,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum ChoiceName {
    Any,
    Unmetered,
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
        /// The one key that it may show, as its operator names it: sha256//…
        #[arg(long)]
        pin: Option<Pin>,
    },
    /// The relay's operator has changed its key: accept only this one from now on
    Pin {
        /// sha256//…
        pin: Pin,
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
    /// The newest reseat key once more, as long as this phone keeps it
    Paper {
        /// You have it on paper: the phone forgets it
        #[arg(long)]
        written_down: bool,
    },
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
pub enum Member {
    /// People and their phones: when each was last heard, and where it stands
    List,
    /// Remove a phone, or a person with all their phones: says what follows, then asks
    Remove {
        /// A phone or a person: an id, the beginning of it, or a name
        #[arg(value_name = "DEVICE|MEMBER")]
        whom: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// Suspend a person until a steward ends it: everything that a removal does, and it can be taken back
    Suspend {
        #[arg(value_name = "MEMBER")]
        whom: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// End a suspension
    Reinstate {
        #[arg(value_name = "MEMBER")]
        whom: String,
    },
    /// Give a person another role
    Role {
        #[arg(value_name = "MEMBER")]
        whom: String,
        #[arg(value_parser = ["steward", "worker", "board"])]
        role: String,
    },
    /// Let a phone that was copied or restored go on, once somebody made sure that no second one runs
    Resume {
        #[arg(value_name = "DEVICE")]
        device: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// What waits for a second signature, and what removed phones wrote that nobody had seen before
    Waiting,
    /// Give the second signature
    Sign {
        /// As `member waiting` shows it
        operation: String,
    },
    /// Accept what a removed phone wrote, for the whole team
    Adopt {
        /// As `member waiting` shows them
        #[arg(required_unless_present = "from")]
        bodies: Vec<String>,
        /// Everything that waits from this phone
        #[arg(long, value_name = "DEVICE", conflicts_with = "bodies")]
        from: Option<String>,
    },
}

/// The gated categories, by their stable names.
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

#[derive(Subcommand)]
pub enum Erase {
    /// One record
    Record {
        /// An id or the beginning of it; for a zone, its name
        record: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// A participant with everything about them, also what arrives later
    Participant {
        /// An id or alias; a complete id is taken even if this phone does not know it
        participant: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// The facts of one category about a participant, also what arrives later
    Category {
        participant: String,
        #[arg(value_parser = CATEGORIES)]
        category: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// Every record of the team, on every phone, for ever
    Team {
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// A promise or self-referral as it stands now is kept, and every value that it had before goes
    History {
        /// Its id or the beginning of it
        record: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// Every erasure, and how far it is; edits that came too late for one
    List,
    /// Who has confirmed an erasure, who is awaited, who may still hold what was erased, and why
    Receipt {
        /// As `erase list` shows it
        id: String,
    },
}

#[derive(Subcommand)]
pub enum Pack {
    /// Write everything that this phone holds for the team
    Write {
        /// A new file, or - for the standard output
        file: PathBuf,
    },
    /// Read a colleague's pack; reading it twice does no harm
    Read {
        /// The file, or - for the standard input
        file: PathBuf,
    },
    /// The last days as texts for QR codes, one a line, to be scanned in any order
    Show {
        /// How many days, today among them
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=90))]
        days: u16,
    },
    /// Read such texts from the input, one a line, in any order; an empty line gives up
    Scan,
}
