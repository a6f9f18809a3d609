//! The operator's commands. Everything printed goes through [`say`] and [`complain`].

use clap::{Parser, Subcommand};
use data_encoding::BASE32_NOPAD;
use satchel_relay::config::{ABSENCE_LIMIT_DEFAULT_DAYS, CONNECTIONS_DEFAULT_COUNT, Config, QUOTA_DEFAULT_BYTES};
use satchel_relay::disclose::Disclosure;
use satchel_relay::storage::sqlite::{Role, SqliteStorage};
use satchel_relay::storage::{Storage, StorageError};
use satchel_relay::{Relay, server};
use satchel_wire::MailboxId;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  storage or network failed
  2  wrong usage
  3  no such mailbox
  4  another server uses this folder
  5  the folder was written by a newer version";

#[derive(Parser)]
#[command(name = "satchel-relay", version, about = "The blind mailbox server of Satchel.", after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve mailboxes until SIGTERM or Ctrl-C. Prints one JSON line with the address when ready.
    Serve {
        /// Folder for all data; made if missing.
        #[arg(long)]
        data: PathBuf,
        /// Address to listen on; port 0 takes a free one.
        #[arg(long, default_value = "127.0.0.1:8787")]
        listen: SocketAddr,
        /// File to write the port number to when ready.
        #[arg(long)]
        port_file: Option<PathBuf>,
        /// How many days an earlier pull key still reads announcements.
        #[arg(long, default_value_t = ABSENCE_LIMIT_DEFAULT_DAYS)]
        absence_limit_days: u16,
        /// Most connections at once.
        #[arg(long, default_value_t = CONNECTIONS_DEFAULT_COUNT)]
        connections: usize,
    },
    /// Make, list and close mailboxes; works beside a running server.
    #[command(subcommand)]
    Mailbox(MailboxCommand),
    /// Print exactly what an order against this relay would yield about a mailbox.
    Disclose {
        /// The mailbox.
        mailbox: MailboxId,
        /// Folder of the relay's data.
        #[arg(long)]
        data: PathBuf,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum MailboxCommand {
    /// Make a mailbox; prints its id and the secret with which a team claims it once.
    Create {
        /// Folder of the relay's data.
        #[arg(long)]
        data: PathBuf,
        /// Room for rows in bytes.
        #[arg(long, default_value_t = QUOTA_DEFAULT_BYTES)]
        quota_bytes: u64,
    },
    /// List mailboxes: id, claimed or open, bytes used, quota in bytes.
    List {
        /// Folder of the relay's data.
        #[arg(long)]
        data: PathBuf,
    },
    /// Remove a mailbox and all its rows.
    Close {
        /// The mailbox.
        mailbox: MailboxId,
        /// Folder of the relay's data.
        #[arg(long)]
        data: PathBuf,
    },
}

/// Why a command failed.
enum Failure {
    Storage(StorageError),
    Network,
    Random,
    Unknown,
    NoData,
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl Failure {
    fn exit(&self) -> ExitCode {
        let (code, text) = match self {
            Self::Storage(StorageError::InUse) => (4, StorageError::InUse.to_string()),
            Self::Storage(error @ StorageError::NewerFormat { .. }) => (5, error.to_string()),
            Self::Storage(error) => (1, error.to_string()),
            Self::Network => (1, "cannot listen on this address, or cannot write the port file".to_owned()),
            Self::Random => (1, "the system gives no random numbers".to_owned()),
            Self::Unknown => (3, "no such mailbox".to_owned()),
            Self::NoData => (1, "this folder holds no relay data".to_owned()),
        };
        complain(&text);
        ExitCode::from(code)
    }
}

/// Prints a line; a closed pipe is no reason to fail.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "satchel-relay: {text}");
}

/// Runs the command of this process.
pub fn run() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve { data, listen, port_file, absence_limit_days, connections } => {
            let config = Config { absence_limit_days, connections_count: connections, ..Config::default() };
            serve(&data, listen, port_file.as_deref(), config)
        }
        Command::Mailbox(MailboxCommand::Create { data, quota_bytes }) => create(&data, quota_bytes),
        Command::Mailbox(MailboxCommand::List { data }) => list(&data),
        Command::Mailbox(MailboxCommand::Close { mailbox, data }) => close(&data, &mailbox),
        Command::Disclose { mailbox, data, json } => disclose(&data, &mailbox, json),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.exit(),
    }
}

#[allow(clippy::disallowed_methods, reason = "a program's own entry reads the clock and randomness and passes them on")]
fn serve(data: &Path, listen: SocketAddr, port_file: Option<&Path>, config: Config) -> Result<(), Failure> {
    let clock = Arc::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
    let report = Arc::new(|error: StorageError| complain(&error.to_string()));
    let storage = Arc::new(SqliteStorage::open(data, Role::Server)?);
    let relay = Arc::new(Relay::new(storage, config, clock, report)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|_| Failure::Network)?;
    runtime.block_on(async {
        let stop = stop_signal()?;
        let listener = tokio::net::TcpListener::bind(listen).await.map_err(|_| Failure::Network)?;
        let address = listener.local_addr().map_err(|_| Failure::Network)?;
        if let Some(path) = port_file {
            std::fs::write(path, address.port().to_string()).map_err(|_| Failure::Network)?;
        }
        say(&serde_json::json!({ "listening": address.to_string() }).to_string());
        server::serve(listener, relay, stop).await;
        Ok(())
    })
}

/// Completes on SIGTERM or Ctrl-C; handlers are in place when this returns.
#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()> + Send, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(|_| Failure::Network)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|_| Failure::Network)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> Result<impl Future<Output = ()> + Send, Failure> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

#[allow(clippy::disallowed_methods, reason = "a program's own entry reads the clock and randomness and passes them on")]
fn create(data: &Path, quota_bytes: u64) -> Result<(), Failure> {
    let storage = SqliteStorage::open(data, Role::Command)?;
    let (mut id, mut secret) = ([0; 16], [0; 16]);
    getrandom::fill(&mut id).map_err(|_| Failure::Random)?;
    getrandom::fill(&mut secret).map_err(|_| Failure::Random)?;
    let mailbox = MailboxId::from_bytes(id);
    storage.create_mailbox(&mailbox, quota_bytes, blake3::hash(&secret).as_bytes())?;
    say(&format!("mailbox {mailbox}"));
    say(&format!("secret {}", BASE32_NOPAD.encode(&secret).to_lowercase()));
    Ok(())
}

/// Opens what is there; a mistyped folder is not made.
fn open_existing(data: &Path) -> Result<SqliteStorage, Failure> {
    if data.join("relay.db").is_file() { Ok(SqliteStorage::open(data, Role::Command)?) } else { Err(Failure::NoData) }
}

fn list(data: &Path) -> Result<(), Failure> {
    let storage = open_existing(data)?;
    for mailbox in storage.mailboxes()? {
        let state = if mailbox.access.is_some() { "claimed" } else { "open" };
        say(&format!("{}  {state:<7}  {:>12}  {:>12}", mailbox.id, storage.used_bytes(&mailbox.id)?, mailbox.quota_bytes));
    }
    Ok(())
}

fn close(data: &Path, mailbox: &MailboxId) -> Result<(), Failure> {
    let storage = open_existing(data)?;
    if storage.close_mailbox(mailbox)? { Ok(()) } else { Err(Failure::Unknown) }
}

fn disclose(data: &Path, mailbox: &MailboxId, json: bool) -> Result<(), Failure> {
    let storage = open_existing(data)?;
    let disclosure = Disclosure::from(storage.census(mailbox)?.ok_or(Failure::Unknown)?);
    if json {
        say(&serde_json::to_string_pretty(&disclosure).unwrap_or_default());
    } else {
        say(disclosure.to_string().trim_end());
    }
    Ok(())
}
