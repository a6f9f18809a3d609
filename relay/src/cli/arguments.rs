//! What the command line looks like.

use clap::{Args, Parser, Subcommand};
use satchel_wire::MailboxId;
use std::net::SocketAddr;
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  storage or network failed
  2  wrong usage, or a wrong configuration
  3  no such mailbox
  4  another server uses this folder
  5  the data was written by a newer version
  6  doctor found something that has to be changed";

/// The whole command line.
#[derive(Parser)]
#[command(name = "satchel-relay", version, about = "The blind mailbox server of Satchel.", after_help = EXIT_CODES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Where rows are. What is not said here comes from the environment (SATCHEL_RELAY_DATA, SATCHEL_RELAY_POSTGRES) or the file.
#[derive(Args)]
pub struct Place {
    /// Folder for all data (SQLite); `serve` makes it if missing.
    #[arg(long, conflicts_with = "postgres")]
    pub data: Option<PathBuf>,
    /// Address of a PostgreSQL database that relays share, instead of a folder.
    #[arg(long)]
    pub postgres: Option<String>,
    /// Configuration file; `satchel-relay config` prints one with every setting.
    #[arg(long)]
    pub config: Option<PathBuf>,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Serve mailboxes until SIGTERM or Ctrl-C. Prints one JSON line with the address when ready.
    Serve {
        /// Where rows are.
        #[command(flatten)]
        place: Place,
        /// Address to listen on; port 0 takes a free one.
        #[arg(long)]
        listen: Option<SocketAddr>,
        /// File to write the port number to when ready.
        #[arg(long)]
        port_file: Option<PathBuf>,
        /// How many days an earlier pull key still reads announcements.
        #[arg(long)]
        absence_limit_days: Option<u16>,
        /// Most connections at once.
        #[arg(long)]
        connections: Option<usize>,
    },
    /// Make, list, change and close mailboxes; works beside a running server.
    #[command(subcommand)]
    Mailbox(MailboxCommand),
    /// Print exactly what an order against this relay would yield about a mailbox, now and in future.
    Disclose {
        /// The mailbox.
        mailbox: MailboxId,
        /// Where rows are.
        #[command(flatten)]
        place: Place,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Look whether the storage is sound, and what in its settings shows more than it needs to.
    Doctor {
        /// Where rows are.
        #[command(flatten)]
        place: Place,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Copy everything into a new folder, sorted, beside a running server.
    Backup {
        /// Where rows are.
        #[command(flatten)]
        place: Place,
        /// The new folder.
        #[arg(long)]
        to: PathBuf,
    },
    /// Bring a backup into an empty storage.
    Restore {
        /// The empty storage.
        #[command(flatten)]
        place: Place,
        /// Folder of the backup.
        #[arg(long)]
        from: PathBuf,
    },
    /// Move from a folder to PostgreSQL; no server may run on the folder. Afterwards none starts on it any more.
    Move {
        /// The folder.
        #[arg(long)]
        from_data: PathBuf,
        /// Address of an empty database.
        #[arg(long)]
        to_postgres: String,
    },
    /// Write tables anew, so that nothing deleted is left in their files. Serving stops meanwhile.
    Rewrite {
        /// Where rows are.
        #[command(flatten)]
        place: Place,
    },
    /// Print a configuration file with every setting, commented.
    Config,
    /// Print the OpenAPI document.
    Openapi,
}

/// What to do with mailboxes.
#[derive(Subcommand)]
pub enum MailboxCommand {
    /// Make a mailbox; prints its id and the secret with which a team claims it once.
    Create {
        /// Where rows are.
        #[command(flatten)]
        place: Place,
        /// Room for rows in bytes.
        #[arg(long)]
        quota_bytes: Option<u64>,
    },
    /// List mailboxes: id, claimed or open, bytes used, quota in bytes.
    List {
        /// Where rows are.
        #[command(flatten)]
        place: Place,
    },
    /// Change the room of a mailbox.
    Quota {
        /// The mailbox.
        mailbox: MailboxId,
        /// Where rows are.
        #[command(flatten)]
        place: Place,
        /// Room for rows in bytes.
        #[arg(long)]
        quota_bytes: u64,
    },
    /// Forget the keys of a mailbox and print a new secret: for a team that lost its control key. Rows stay.
    HandOver {
        /// The mailbox.
        mailbox: MailboxId,
        /// Where rows are.
        #[command(flatten)]
        place: Place,
    },
    /// Remove a mailbox and all its rows.
    Close {
        /// The mailbox.
        mailbox: MailboxId,
        /// Where rows are.
        #[command(flatten)]
        place: Place,
    },
}
