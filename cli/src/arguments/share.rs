//! Sharing with somebody outside the team.

use super::consent::CLASSES;
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum Share {
    /// Pair two phones whose people stand beside each other
    #[command(subcommand)]
    Pair(Pair),
    /// Seal facts for the recipient of a yes to share, and write that into the sharing log
    Send {
        /// Id or alias
        participant: String,
        /// The yes to share
        grant: String,
        /// Where the packet goes; - writes it to the standard output
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Only this fact; several times [default: all that they said yes to]
        #[arg(long = "field", value_name = "FIELD")]
        fields: Vec<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// The copies that left, how they stand, and which are to be asked back
    List,
    /// Read what was handed over: facts, a request to erase, or the answer to one
    Open {
        file: PathBuf,
        /// Keep the facts with this participant (id or alias), as long as the yes lasts
        #[arg(long, value_name = "PARTICIPANT")]
        keep_with: Option<String>,
    },
    /// Seal the request to erase a copy, once the yes was taken back
    AskErase {
        /// The copy
        share: String,
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Erase the copy that a request names, on every phone of this team, and seal the answer
    Answer {
        file: PathBuf,
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Subcommand)]
pub enum Pair {
    /// On the recipient's phone: what the sender's phone scans or reads
    Show {
        /// How the sender is called here
        #[arg(long)]
        name: String,
        /// Into a file instead of on the screen
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// As a QR code to be scanned from the screen (133 characters wide)
        #[arg(long, conflicts_with = "out")]
        qr: bool,
        /// By three words to be typed on the sender's phone, good for one try: listens until it has called
        #[arg(long, conflicts_with_all = ["out", "qr"])]
        typed: bool,
        /// With --typed: where to listen; port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:0", requires = "typed")]
        listen: String,
        /// With --typed: where the other phone finds this one, if that is not where it listens
        #[arg(long, requires = "typed")]
        address: Option<String>,
    },
    /// On the sender's phone: take what the recipient's phone shows
    Take {
        /// The file, or - for the standard input (with --typed: the three words)
        offer: String,
        /// The offer is three words; --address says where the recipient's phone listens
        #[arg(long, requires = "address")]
        typed: bool,
        /// Where the recipient's phone listens
        #[arg(long, requires = "typed")]
        address: Option<String>,
        /// How the recipient is called here
        #[arg(long)]
        name: String,
        /// What it is; police, courts, probation and prisons are "justice"
        #[arg(long, value_parser = CLASSES)]
        class: String,
        /// The six words as the recipient's phone shows them, instead of being asked
        #[arg(long, value_name = "WORDS")]
        expect_words: Option<String>,
    },
    /// The senders that this phone is paired with
    List,
    /// Open nothing more of a sender
    Forget {
        /// Name or id
        sender: String,
    },
}
