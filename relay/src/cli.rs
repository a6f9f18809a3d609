//! The operator's commands. Everything printed goes through [`say`] and [`complain`]; nothing printed or logged names an
//! address, a mailbox that was not asked for, or a time.

mod arguments;

use self::arguments::{Arguments, Command, MailboxCommand, Place};
use clap::Parser;
use data_encoding::BASE32_NOPAD;
use satchel_relay::disclose::Disclosure;
use satchel_relay::server::Extras;
use satchel_relay::settings::{EXAMPLE, PREFIX, Settings, SettingsError};
use satchel_relay::storage::postgres::PostgresStorage;
use satchel_relay::storage::sqlite::{Role, SqliteStorage};
use satchel_relay::storage::{Finding, Severity, Storage, StorageError};
use satchel_relay::tls::{Tls, TlsError};
use satchel_relay::transfer::{TransferError, Transferred, transfer};
use satchel_relay::{Clock, Relay, server};
use satchel_wire::{MailboxId, UtcDay};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Why a command failed.
enum Failure {
    Storage(StorageError),
    Settings(SettingsError),
    Transfer(TransferError),
    Tls(TlsError),
    Network,
    Random,
    Unknown,
    NoData,
    NoPlace,
    Unsound,
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}
impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::Settings(error)
    }
}
impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}
impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Storage(error) => Self::Storage(error),
            other => Self::Transfer(other),
        }
    }
}

impl Failure {
    fn exit(&self) -> ExitCode {
        let (code, text) = match self {
            Self::Storage(StorageError::InUse) => (4, StorageError::InUse.to_string()),
            Self::Storage(error @ StorageError::NewerFormat { .. }) => (5, error.to_string()),
            Self::Storage(error @ StorageError::Address) => (2, error.to_string()),
            Self::Storage(error) => (1, error.to_string()),
            Self::Settings(error) => (2, error.to_string()),
            Self::Transfer(error) => (1, error.to_string()),
            Self::Tls(error) => (2, error.to_string()),
            Self::Network => (1, "cannot listen on this address, or cannot read or write a file it needs".to_owned()),
            Self::Random => (1, "the system gives no random numbers".to_owned()),
            Self::Unknown => (3, "no such mailbox".to_owned()),
            Self::NoData => (1, "this folder holds no relay data".to_owned()),
            Self::NoPlace => (2, "where rows are is not said: --data, --postgres or a configuration with one of them".to_owned()),
            Self::Unsound => (6, "something has to be changed".to_owned()),
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

/// A line of the server's log. What it says is about the relay as a whole.
fn log(level: &str, event: &str, text: &str) {
    let line = serde_json::json!({ "level": level, "event": event, "text": text });
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

#[allow(clippy::disallowed_methods, reason = "a program's own entry reads the clock and randomness and passes them on")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Seconds since this was called, which nobody sets.
#[allow(clippy::disallowed_methods, reason = "a program's own entry reads the clock and randomness and passes them on")]
fn uptime() -> Clock {
    let began = Instant::now();
    Arc::new(move || began.elapsed().as_secs())
}

/// Runs the command of this process.
pub fn run() -> ExitCode {
    match obey(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.exit(),
    }
}

fn obey(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve { place, listen, port_file, absence_limit_days, connections } => {
            let mut settings = settings(&place)?;
            settings.listen = listen.unwrap_or(settings.listen);
            settings.absence_limit_days = absence_limit_days.unwrap_or(settings.absence_limit_days);
            settings.connections_count = connections.unwrap_or(settings.connections_count);
            serve(&settings, port_file.as_deref())
        }
        Command::Mailbox(MailboxCommand::Create { place, quota_bytes }) => create(&settings(&place)?, quota_bytes),
        Command::Mailbox(MailboxCommand::List { place }) => list(&*open_existing(&settings(&place)?)?),
        Command::Mailbox(MailboxCommand::Quota { place, mailbox, quota_bytes }) => {
            known(open_existing(&settings(&place)?)?.set_quota(&mailbox, quota_bytes)?)
        }
        Command::Mailbox(MailboxCommand::HandOver { place, mailbox }) => hand_over(&*open_existing(&settings(&place)?)?, &mailbox),
        Command::Mailbox(MailboxCommand::Close { place, mailbox }) => known(open_existing(&settings(&place)?)?.close_mailbox(&mailbox)?),
        Command::Disclose { place, mailbox, json } => disclose(&*open_existing(&settings(&place)?)?, &mailbox, json),
        Command::Doctor { place, json } => doctor(&settings(&place)?, json),
        Command::Backup { place, to } => backup(&settings(&place)?, &to),
        Command::Restore { place, from } => restore(&settings(&place)?, &from),
        Command::Move { from_data, to_postgres } => move_over(&from_data, &to_postgres),
        Command::Rewrite { place } => rewrite(&settings(&place)?),
        Command::Config => {
            say(EXAMPLE.trim_end());
            Ok(())
        }
        Command::Openapi => {
            say(&satchel_relay::openapi::document());
            Ok(())
        }
    }
}

/// The configuration: what the command line says goes over the environment, that over the file.
fn settings(place: &Place) -> Result<Settings, Failure> {
    let text = match &place.config {
        Some(path) => std::fs::read_to_string(path).map_err(|_| Failure::NoData)?,
        None => String::new(),
    };
    let said_here = place.data.is_some() || place.postgres.is_some();
    let places = [format!("{PREFIX}DATA"), format!("{PREFIX}POSTGRES")];
    let environment = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let environment = environment.filter(|(name, _)| !(said_here && places.contains(name)));
    let mut settings = Settings::read(&text, environment)?;
    if said_here {
        settings.data.clone_from(&place.data);
        settings.postgres.clone_from(&place.postgres);
    }
    Ok(settings)
}

fn open(settings: &Settings, role: Role) -> Result<Arc<dyn Storage>, Failure> {
    match (&settings.data, &settings.postgres) {
        (Some(folder), None) => Ok(Arc::new(SqliteStorage::open(folder, role)?)),
        (None, Some(url)) => Ok(Arc::new(PostgresStorage::open(url)?)),
        _ => Err(Failure::NoPlace),
    }
}

/// Opens what is there; a mistyped folder is not made.
fn open_existing(settings: &Settings) -> Result<Arc<dyn Storage>, Failure> {
    if settings.data.as_ref().is_some_and(|folder| !folder.join("relay.db").is_file()) {
        return Err(Failure::NoData);
    }
    open(settings, Role::Command)
}

fn known(is_known: bool) -> Result<(), Failure> {
    if is_known { Ok(()) } else { Err(Failure::Unknown) }
}

fn serve(settings: &Settings, port_file: Option<&Path>) -> Result<(), Failure> {
    let report = Arc::new(|error: StorageError| log("error", "storage", &error.to_string()));
    let storage = open(settings, Role::Server)?;
    let relay = Arc::new(Relay::with_uptime(storage, settings.config(), Arc::new(now), uptime(), report)?);
    let tls = match (&settings.tls_certificate, &settings.tls_key) {
        (Some(certificate), Some(key)) => Some(Arc::new(Tls::read(certificate, key)?)),
        _ => None,
    };
    relay.set_retention(settings.abandoned_after_days, settings.close_abandoned_after_days);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|_| Failure::Network)?;
    runtime.block_on(async {
        let stop = stop_signal()?;
        let listener = tokio::net::TcpListener::bind(settings.listen).await.map_err(|_| Failure::Network)?;
        let address = listener.local_addr().map_err(|_| Failure::Network)?;
        if let Some(path) = port_file {
            std::fs::write(path, address.port().to_string()).map_err(|_| Failure::Network)?;
        }
        let mut ready = serde_json::json!({ "listening": address.to_string() });
        if let Some(certificate) = &settings.tls_certificate {
            ready["pin"] = satchel_relay::tls::pin(certificate)?.into();
        }
        let operator = match settings.operator_listen {
            Some(address) => Some(tokio::net::TcpListener::bind(address).await.map_err(|_| Failure::Network)?),
            None => None,
        };
        if let Some(operator) = &operator {
            ready["operator"] = operator.local_addr().map_err(|_| Failure::Network)?.to_string().into();
        }
        say(&ready.to_string());
        log("info", "ready", "serving");
        server::serve_all(listener, relay, Extras { tls, operator, tls_news: Some(log_tls), clock_news: Some(log_clock) }, stop).await;
        log("info", "stopped", "what was acknowledged is kept");
        Ok(())
    })
}

fn log_tls(news: Result<(), TlsError>) {
    match news {
        Ok(()) => log("info", "certificate", "read again"),
        Err(error) => log("error", "certificate", &error.to_string()),
    }
}

fn log_clock(is_doubted: bool) {
    if is_doubted {
        log("error", "clock", "further ahead than time passed: no day ends and nothing is deleted until that has lasted a day");
    } else {
        log("info", "clock", "believed");
    }
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
fn random() -> Result<[u8; 16], Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Failure::Random)?;
    Ok(bytes)
}

fn say_secret(secret: &[u8; 16]) {
    say(&format!("secret {}", BASE32_NOPAD.encode(secret).to_lowercase()));
}

fn create(settings: &Settings, quota_bytes: Option<u64>) -> Result<(), Failure> {
    let storage = open(settings, Role::Command)?;
    let (mailbox, secret) = (MailboxId::from_bytes(random()?), random()?);
    storage.create_mailbox(&mailbox, quota_bytes.unwrap_or(settings.quota_bytes), blake3::hash(&secret).as_bytes())?;
    say(&format!("mailbox {mailbox}"));
    say_secret(&secret);
    Ok(())
}

fn list(storage: &dyn Storage) -> Result<(), Failure> {
    for mailbox in storage.mailboxes()? {
        let state = if mailbox.access.is_some() { "claimed" } else { "open" };
        say(&format!("{}  {state:<7}  {:>12}  {:>12}", mailbox.id, storage.used_bytes(&mailbox.id)?, mailbox.quota_bytes));
    }
    Ok(())
}

fn hand_over(storage: &dyn Storage, mailbox: &MailboxId) -> Result<(), Failure> {
    let secret = random()?;
    known(storage.hand_over(mailbox, blake3::hash(&secret).as_bytes())?)?;
    say(&format!("mailbox {mailbox}"));
    say_secret(&secret);
    Ok(())
}

fn disclose(storage: &dyn Storage, mailbox: &MailboxId, json: bool) -> Result<(), Failure> {
    let disclosure = Disclosure::from(storage.census(mailbox)?.ok_or(Failure::Unknown)?);
    if json {
        say(&serde_json::to_string_pretty(&disclosure).unwrap_or_default());
    } else {
        say(disclosure.to_string().trim_end());
    }
    Ok(())
}

fn doctor(settings: &Settings, json: bool) -> Result<(), Failure> {
    let storage = open_existing(settings)?;
    let mut findings = vec![Finding::of(storage.probe().is_ok(), "storage answers", Severity::Wrong, "storage does not answer")];
    findings.extend(storage.examine(now())?);
    let today = UtcDay::of_unix_seconds(now());
    for mailbox in satchel_relay::retention::abandoned(&*storage, today, settings.abandoned_after_days)? {
        findings.push(Finding { severity: Severity::Weak, text: format!("{mailbox} is abandoned: ask its team, then `mailbox close`") });
    }
    let word = |severity| match severity {
        Severity::Fine => "fine",
        Severity::Weak => "weak",
        Severity::Wrong => "wrong",
    };
    for finding in &findings {
        if json {
            say(&serde_json::json!({ "severity": word(finding.severity), "text": finding.text }).to_string());
        } else {
            say(&format!("{:<5}  {}", word(finding.severity), finding.text));
        }
    }
    if findings.iter().any(|finding| finding.severity == Severity::Wrong) { Err(Failure::Unsound) } else { Ok(()) }
}

fn say_transferred(done: &Transferred) {
    say(&format!("{} mailboxes, {} rows, {} bytes", done.mailboxes, done.rows, done.bytes));
}

fn backup(settings: &Settings, to: &Path) -> Result<(), Failure> {
    let source = open_existing(settings)?;
    let target = SqliteStorage::open(to, Role::Server)?;
    let done = transfer(&*source, &target)?;
    target.tidy(true)?;
    say_transferred(&done);
    Ok(())
}

fn restore(settings: &Settings, from: &Path) -> Result<(), Failure> {
    let source = open_existing(&Settings { data: Some(from.to_path_buf()), postgres: None, ..settings.clone() })?;
    let target = open(settings, Role::Server)?;
    let done = transfer(&*source, &*target)?;
    say_transferred(&done);
    Ok(())
}

fn move_over(from: &Path, to: &str) -> Result<(), Failure> {
    if !from.join("relay.db").is_file() {
        return Err(Failure::NoData);
    }
    // no server may write meanwhile, and none may serve the folder afterwards
    let source = SqliteStorage::open(from, Role::Server)?;
    let target = PostgresStorage::open(to)?;
    let done = transfer(&source, &target)?;
    source.tidy(false)?;
    std::fs::rename(from.join("relay.db"), from.join("relay.db.moved")).map_err(|_| Failure::Storage(StorageError::Full))?;
    say_transferred(&done);
    Ok(())
}

fn rewrite(settings: &Settings) -> Result<(), Failure> {
    match &settings.postgres {
        Some(url) => Ok(PostgresStorage::open(url)?.rewrite()?),
        None => Ok(open_existing(settings)?.tidy(true)?),
    }
}
