//! The relay in figures: accepted rows beside raw batched inserts of the same bytes, and phones that only wait.
//!
//! `relay load --data DIR [--postgres URL]` pushes to a relay inside this process through HTTP, and inserts the same rows in
//! batches of the same size straight into the same engine, in turns. `relay idle --data DIR` holds waiting phones at a relay
//! in a process of its own and reads its memory. The database must be empty, and its settings are those of the operator.
#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use clap::{Parser, Subcommand};
use ed25519_dalek::{Signer, SigningKey};
use satchel_relay::storage::Storage;
use satchel_relay::storage::postgres::PostgresStorage;
use satchel_relay::storage::sqlite::{Role, SqliteStorage};
use satchel_relay::tls::Tls;
use satchel_relay::{Config, Relay, server};
use satchel_wire::frame::{AccessKeys, Endpoint, Frame, Freshness, Push, Signed, Wait};
use satchel_wire::{Lane, MailboxId, Row};
use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Parser)]
#[command(about = "The relay in figures")]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Rows a second and the time of a push, beside raw inserts.
    Load {
        /// Folder for SQLite files, on the disk that is to be measured.
        #[arg(long)]
        data: PathBuf,
        /// An empty PostgreSQL database.
        #[arg(long)]
        postgres: Option<String>,
        /// Rows in one push and in one raw batch.
        #[arg(long, default_value_t = 64)]
        batch: usize,
        /// Pushes in one round.
        #[arg(long, default_value_t = 600)]
        pushes: usize,
        /// Teams that push at once.
        #[arg(long, default_value_t = 8)]
        teams: usize,
        /// Rounds of raw inserts and pushes in turns; medians are shown.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// Memory of a relay at which phones wait.
    Idle {
        /// Folder for its files.
        #[arg(long)]
        data: PathBuf,
        /// How many phones.
        #[arg(long, default_value_t = 10_000)]
        phones: usize,
        /// Phones of one team.
        #[arg(long, default_value_t = 25)]
        team: usize,
        /// Over TLS: NAME.pem and NAME.key.pem (of `localhost`).
        #[arg(long, value_name = "NAME")]
        tls: Option<PathBuf>,
    },
    /// Only serves, for `idle`.
    #[command(hide = true)]
    Serve {
        /// Folder for its files.
        data: PathBuf,
        /// Over TLS.
        tls: Option<PathBuf>,
    },
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn row(n: u64) -> Row {
    let mut bytes = vec![0; 512];
    blake3::Hasher::new_derive_key("bench row").update(&n.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes[0] = Lane::Records.byte();
    Row::parse(bytes).unwrap_or_else(|_| unreachable!("512 bytes of a known lane"))
}

static NONCE: AtomicUsize = AtomicUsize::new(0);

fn freshness() -> Freshness {
    let mut nonce = [0; 12];
    nonce[..8].copy_from_slice(&NONCE.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    Freshness { time: now(), nonce }
}

struct Team {
    mailbox: MailboxId,
    key: SigningKey,
}

impl Team {
    /// A claimed mailbox; one key does everything.
    fn make(storage: &dyn Storage, n: u64) -> Outcome<Self> {
        let mut id = [0; 16];
        id[..8].copy_from_slice(blake3::hash(&n.to_le_bytes()).as_bytes().first_chunk::<8>().unwrap_or(&[0; 8]));
        let mailbox = MailboxId::from_bytes(id);
        let key = SigningKey::from_bytes(blake3::hash(&(n + 1_000_000).to_le_bytes()).as_bytes());
        storage.create_mailbox(&mailbox, 1 << 40, blake3::hash(&[1; 16]).as_bytes())?;
        let public = key.verifying_key().to_bytes();
        storage.claim(&mailbox, &public, &AccessKeys { pull: public, push: public })?;
        Ok(Self { mailbox, key })
    }
    fn request(&self, endpoint: Endpoint, frame: &impl Frame) -> Vec<u8> {
        let body = frame.to_bytes();
        let signature = self.key.sign(&endpoint.signing_bytes(&body)).to_bytes();
        let body = Signed { body, signature }.to_bytes();
        let mut request =
            format!("POST {} HTTP/1.1\r\nhost: relay\r\ncontent-length: {}\r\n\r\n", endpoint.path(), body.len()).into_bytes();
        request.extend_from_slice(&body);
        request
    }
}

/// A connection, with TLS or without.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// Makes connections to the relay.
struct Dialler {
    address: SocketAddr,
    tls: Option<Arc<rustls::ClientConfig>>,
}

impl Dialler {
    fn new(address: SocketAddr, tls: Option<&Path>) -> Outcome<Self> {
        use rustls::pki_types::pem::PemObject;
        let Some(name) = tls else { return Ok(Self { address, tls: None }) };
        let mut roots = rustls::RootCertStore::empty();
        roots.add(rustls::pki_types::CertificateDer::from_pem_file(name.with_extension("pem"))?)?;
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let config = config.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { address, tls: Some(Arc::new(config)) })
    }

    fn connect(&self) -> Outcome<Box<dyn Stream>> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(match &self.tls {
            None => Box::new(stream),
            Some(config) => {
                let connection = rustls::ClientConnection::new(Arc::clone(config), "localhost".try_into()?)?;
                Box::new(rustls::StreamOwned::new(connection, stream))
            }
        })
    }
}

/// Sends a request on a connection that stays open; true for 200.
fn ask(stream: &mut impl Stream, request: &[u8]) -> Outcome<bool> {
    stream.write_all(request)?;
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head)?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(Ok(0), str::parse)?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(head.contains(" 200 "))
}

fn config(connections: usize) -> Config {
    Config { burst_count: u32::MAX, rate_per_second: u32::MAX, connections_count: connections, ..Config::default() }
}

/// A relay inside this process.
fn start(storage: Arc<dyn Storage>, connections: usize) -> Outcome<SocketAddr> {
    let relay = Arc::new(Relay::new(storage, config(connections), Arc::new(now), Arc::new(|_| {}))?);
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || -> Outcome<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
            tell.send(listener.local_addr()?)?;
            server::serve(listener, relay, std::future::pending()).await;
            Ok(())
        })
    });
    Ok(told.recv()?)
}

fn quantile(sorted: &[Duration], at: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * at).round() as usize).copied().unwrap_or_default()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Batches of rows, none twice.
struct Batches {
    next: u64,
    size: usize,
}

impl Batches {
    fn take(&mut self) -> Vec<Row> {
        let from = self.next;
        self.next += self.size as u64;
        (from..self.next).map(row).collect()
    }
}

/// Pushes through HTTP; rows a second, and how long each push took.
fn push_round(address: SocketAddr, teams: &[Team], batches: &mut Batches, pushes: usize) -> Outcome<(f64, Vec<Duration>)> {
    let each = pushes / teams.len();
    // signing and hashing is the phones' work: done before the clock runs
    let prepared: Vec<Vec<Vec<u8>>> = teams
        .iter()
        .map(|team| {
            let one = |batches: &mut Batches| Push { mailbox: team.mailbox, rows: batches.take(), cursor: None, freshness: freshness() };
            (0..each).map(|_| team.request(Endpoint::Push, &one(batches))).collect()
        })
        .collect();
    let began = Instant::now();
    let mut times = Vec::new();
    std::thread::scope(|scope| -> Outcome<()> {
        let running: Vec<_> = prepared
            .iter()
            .map(|requests| {
                scope.spawn(move || -> Outcome<Vec<Duration>> {
                    let mut stream = TcpStream::connect(address)?;
                    stream.set_nodelay(true)?;
                    let mut times = Vec::new();
                    for request in requests {
                        let sent = Instant::now();
                        if !ask(&mut stream, request)? {
                            return Err("a push was refused".into());
                        }
                        times.push(sent.elapsed());
                    }
                    Ok(times)
                })
            })
            .collect();
        for run in running {
            times.extend(run.join().map_err(|_| "a thread failed")??);
        }
        Ok(())
    })?;
    let seconds = began.elapsed().as_secs_f64();
    Ok(((times.len() * batches.size) as f64 / seconds, times))
}

/// The same batches as single transactions on one connection, which is all that SQLite takes at once.
fn raw_sqlite(file: &Path, batches: &mut Batches, pushes: usize) -> Outcome<f64> {
    let mut database = rusqlite::Connection::open(file)?;
    database.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
         CREATE TABLE IF NOT EXISTS sealed_row (mailbox BLOB NOT NULL, day INTEGER NOT NULL, id BLOB NOT NULL, lane INTEGER NOT NULL,
             bytes BLOB NOT NULL, PRIMARY KEY (mailbox, day, id)) STRICT, WITHOUT ROWID;",
    )?;
    let prepared: Vec<Vec<Row>> = (0..pushes).map(|_| batches.take()).collect();
    let began = Instant::now();
    for rows in &prepared {
        let transaction = database.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO sealed_row VALUES (?1, 1, ?2, ?3, ?4)")?;
            for row in rows {
                insert.execute(rusqlite::params![[1u8; 16], row.id().as_bytes(), row.lane().byte(), row.as_bytes()])?;
            }
        }
        transaction.commit()?;
    }
    Ok((pushes * batches.size) as f64 / began.elapsed().as_secs_f64())
}

/// The same batches as single statements, on as many connections as teams.
fn raw_postgres(runtime: &tokio::runtime::Runtime, url: &str, batches: &mut Batches, pushes: usize, teams: usize) -> Outcome<f64> {
    runtime.block_on(async {
        let mut sessions = Vec::new();
        for _ in 0..teams {
            let (session, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
            tokio::spawn(connection);
            sessions.push(session);
        }
        if let Some(first) = sessions.first() {
            first
                .batch_execute(
                    "CREATE TABLE IF NOT EXISTS raw_row (mailbox bytea NOT NULL, day integer NOT NULL, id bytea NOT NULL,
                         lane smallint NOT NULL, bytes bytea NOT NULL, PRIMARY KEY (mailbox, day, id))",
                )
                .await?;
        }
        let mut prepared: Vec<Vec<Vec<Row>>> = Vec::new();
        for _ in 0..teams {
            prepared.push((0..pushes / teams).map(|_| batches.take()).collect());
        }
        let began = Instant::now();
        let mut running = Vec::new();
        for (n, (session, batches)) in sessions.into_iter().zip(prepared).enumerate() {
            running.push(tokio::spawn(async move {
                let insert = "INSERT INTO raw_row SELECT $1, 1, id, lane, bytes
                    FROM unnest($2::bytea[], $3::smallint[], $4::bytea[]) AS given (id, lane, bytes)";
                let statement = session.prepare(insert).await?;
                let mailbox = vec![n as u8; 16];
                for rows in batches {
                    let ids: Vec<Vec<u8>> = rows.iter().map(|row| row.id().as_bytes().to_vec()).collect();
                    let lanes: Vec<i16> = rows.iter().map(|row| i16::from(row.lane().byte())).collect();
                    let bytes: Vec<&[u8]> = rows.iter().map(Row::as_bytes).collect();
                    session.execute(&statement, &[&mailbox, &ids, &lanes, &bytes]).await?;
                }
                Ok::<(), tokio_postgres::Error>(())
            }));
        }
        for run in running {
            run.await??;
        }
        Ok((pushes / teams * teams * batches.size) as f64 / began.elapsed().as_secs_f64())
    })
}

fn report(engine: &str, raw: &mut [f64], relay: &mut [f64], times: &mut [Duration]) {
    times.sort_unstable();
    let mut ratios: Vec<f64> = raw.iter().zip(relay.iter()).map(|(raw, relay)| relay / raw).collect();
    println!(
        "{engine}: raw {:.0} rows/s, relay {:.0} rows/s, relay/raw {:.2} (rounds {}), push p50 {:.1} ms, p99 {:.1} ms, {} pushes",
        median(&mut raw.to_vec()),
        median(&mut relay.to_vec()),
        median(&mut ratios.clone()),
        {
            ratios.sort_by(f64::total_cmp);
            ratios.iter().map(|ratio| format!("{ratio:.2}")).collect::<Vec<_>>().join(" ")
        },
        quantile(times, 0.5).as_secs_f64() * 1e3,
        quantile(times, 0.99).as_secs_f64() * 1e3,
        times.len()
    );
}

fn load(data: &Path, postgres: Option<&str>, batch: usize, pushes: usize, teams: usize, rounds: usize) -> Outcome<()> {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{batch} rows of 512 bytes a push, {teams} teams at once, {pushes} pushes a round, {rounds} rounds, load {}", load.trim());
    let mut batches = Batches { next: now() << 20, size: batch };
    let storage: Arc<dyn Storage> = Arc::new(SqliteStorage::open(&data.join("relay"), Role::Server)?);
    let made: Vec<Team> = (0..teams as u64).map(|n| Team::make(&*storage, n)).collect::<Outcome<_>>()?;
    let address = start(storage, 64)?;
    let (mut raw, mut relay, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        raw.push(raw_sqlite(&data.join("raw.db"), &mut batches, pushes)?);
        let (rate, took) = push_round(address, &made, &mut batches, pushes)?;
        relay.push(rate);
        times.extend(took);
    }
    report("SQLite", &mut raw, &mut relay, &mut times);
    let Some(url) = postgres else { return Ok(()) };
    let storage: Arc<dyn Storage> = Arc::new(PostgresStorage::open(url)?);
    let made: Vec<Team> = (0..teams as u64).map(|n| Team::make(&*storage, n)).collect::<Outcome<_>>()?;
    let address = start(storage, 64)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (mut raw, mut relay, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        raw.push(raw_postgres(&runtime, url, &mut batches, pushes, teams)?);
        let (rate, took) = push_round(address, &made, &mut batches, pushes)?;
        relay.push(rate);
        times.extend(took);
    }
    report("PostgreSQL", &mut raw, &mut relay, &mut times);
    Ok(())
}

fn resident_kib(process: u32) -> Outcome<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn idle(data: &Path, phones: usize, team: usize, tls: Option<&Path>) -> Outcome<()> {
    let count = phones.div_ceil(team);
    let teams: Vec<Team> = {
        let storage = SqliteStorage::open(data, Role::Server)?;
        (0..count as u64).map(|n| Team::make(&storage, n)).collect::<Outcome<_>>()?
    };
    let mut child = std::process::Command::new(std::env::current_exe()?)
        .arg("serve")
        .arg(data)
        .args(tls)
        .stdout(std::process::Stdio::piped())
        .spawn()?;
    let measured = (|| -> Outcome<()> {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().ok_or("no output")?), &mut line)?;
        let address: SocketAddr = line.trim().parse()?;
        // one request first: what every relay takes is no phone's
        let dialler = Dialler::new(address, tls)?;
        let mut first = dialler.connect()?;
        let wait = |team: &Team, seconds| Wait { mailbox: team.mailbox, cursor: None, lane: None, seconds, freshness: freshness() };
        if let Some(team) = teams.first() {
            ask(&mut first, &team.request(Endpoint::Wait, &wait(team, 0)))?;
        }
        let before = resident_kib(child.id())?;
        let mut waiting = Vec::with_capacity(phones);
        for n in 0..phones {
            let team = teams.get(n / team).ok_or("too few teams")?;
            let mut stream = dialler.connect()?;
            stream.write_all(&team.request(Endpoint::Wait, &wait(team, u16::MAX)))?;
            stream.flush()?;
            waiting.push(stream);
        }
        // an answer to one more means that those before it were taken
        // (on a new connection: handshakes may have taken longer than a relay keeps an unused one)
        let mut first = dialler.connect()?;
        if let Some(team) = teams.first() {
            ask(&mut first, &team.request(Endpoint::Wait, &wait(team, 2)))?;
        }
        let after = resident_kib(child.id())?;
        let each = (after.saturating_sub(before)) as f64 / phones as f64;
        let way = if tls.is_some() { "over TLS" } else { "without TLS" };
        println!("{phones} phones of {count} teams wait {way}: {before} KiB before, {after} KiB with them, {each:.1} KiB each");
        // and all are woken, each by a push to its team
        let began = Instant::now();
        for (n, team) in teams.iter().enumerate() {
            let push = Push { mailbox: team.mailbox, rows: vec![row(n as u64)], cursor: None, freshness: freshness() };
            if !ask(&mut first, &team.request(Endpoint::Push, &push))? {
                return Err("a push was refused".into());
            }
        }
        let mut woken = 0;
        for stream in &mut waiting {
            let mut byte = [0; 12];
            woken += usize::from(stream.read_exact(&mut byte).is_ok() && byte.ends_with(b"200"));
        }
        println!("{woken} of {phones} woken {:.1} s after the first of {count} pushes", began.elapsed().as_secs_f64());
        Ok(())
    })();
    child.kill()?;
    child.wait()?;
    measured
}

fn serve(data: &Path, tls: Option<&Path>) -> Outcome<()> {
    let tls = tls.map(|name| Tls::read(&name.with_extension("pem"), &name.with_extension("key.pem"))).transpose()?.map(Arc::new);
    let storage: Arc<dyn Storage> = Arc::new(SqliteStorage::open(data, Role::Server)?);
    let relay = Arc::new(Relay::new(storage, Config { wait_seconds: u16::MAX, ..config(100_000) }, Arc::new(now), Arc::new(|_| {}))?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        server::serve_all(listener, relay, server::Extras { tls, ..server::Extras::default() }, std::future::pending()).await;
        Ok(())
    })
}

fn main() -> Outcome<()> {
    match Arguments::parse().action {
        Action::Load { data, postgres, batch, pushes, teams, rounds } => load(&data, postgres.as_deref(), batch, pushes, teams, rounds),
        Action::Idle { data, phones, team, tls } => idle(&data, phones, team, tls.as_deref()),
        Action::Serve { data, tls } => serve(&data, tls.as_deref()),
    }
}
