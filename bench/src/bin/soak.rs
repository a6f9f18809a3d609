//! A relay for ten minutes among faults: killed, frozen, sent damaged bytes. Nothing that it acknowledged may be missing, and its
//! memory must stay flat.
//!
//! `soak run --data DIR [--seconds 600]`: teams push and pull through HTTP all the time, a mailbox of each keeps about as many rows
//! as at the beginning of the day, and every few seconds one fault strikes. The relay is a process of its own (`soak serve`).
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports to a terminal")]
#![allow(clippy::disallowed_methods, reason = "a program that measures needs the clocks")]

use clap::{Parser, Subcommand};
use ed25519_dalek::{Signer, SigningKey};
use satchel_relay::storage::Storage;
use satchel_relay::storage::sqlite::{Role, SqliteStorage};
use satchel_relay::{Config, Relay, server};
use satchel_wire::frame::{AccessKeys, Cursor, Endpoint, Frame, Freshness, Pull, Pulled, Push, Signed};
use satchel_wire::{Lane, MailboxId, Row, RowId};
use std::collections::BTreeSet;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Teams that push and pull at once.
const TEAMS: u64 = 8;
/// Seconds between faults, and for how long a frozen relay stays so.
const FAULT_EVERY: Duration = Duration::from_secs(5);
const FROZEN: Duration = Duration::from_secs(2);
/// Rows in one push, and the pause between pushes of one team: about 100 rows a second in all.
const BATCH: u64 = 8;
/// Different rows of one team: after them it pushes the first ones again, as phones do whose answers were lost.
const ROWS: u64 = 1_000;
const PAUSE: Duration = Duration::from_millis(600);

#[derive(Parser)]
#[command(about = "A relay among faults")]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// The whole of it.
    Run {
        /// Folder for the relay's files.
        #[arg(long)]
        data: PathBuf,
        /// How long.
        #[arg(long, default_value_t = 600)]
        seconds: u64,
        /// Where the order of faults comes from.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Only serves, for `run`.
    #[command(hide = true)]
    Serve {
        /// Folder for its files.
        data: PathBuf,
        /// Where.
        listen: SocketAddr,
    },
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn digest(parts: &[u64]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("soak");
    for part in parts {
        hasher.update(&part.to_le_bytes());
    }
    *hasher.finalize().as_bytes()
}

fn row(team: u64, n: u64) -> Outcome<Row> {
    let mut bytes = vec![0; 512];
    blake3::Hasher::new_derive_key("soak row").update(&digest(&[team, n])).finalize_xof().fill(&mut bytes);
    bytes[0] = Lane::Records.byte();
    Ok(Row::parse(bytes)?)
}

static NONCE: AtomicU64 = AtomicU64::new(0);

struct Team {
    number: u64,
    mailbox: MailboxId,
    key: SigningKey,
    acknowledged: Mutex<BTreeSet<RowId>>,
}

impl Team {
    fn make(storage: &dyn Storage, number: u64) -> Outcome<Self> {
        let mut id = [0; 16];
        id.copy_from_slice(&digest(&[number])[..16]);
        let (mailbox, key) = (MailboxId::from_bytes(id), SigningKey::from_bytes(&digest(&[number, 1])));
        storage.create_mailbox(&mailbox, 1 << 40, blake3::hash(&[1; 16]).as_bytes())?;
        let public = key.verifying_key().to_bytes();
        storage.claim(&mailbox, &public, &AccessKeys { pull: public, push: public })?;
        Ok(Self { number, mailbox, key, acknowledged: Mutex::default() })
    }

    fn freshness() -> Freshness {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&NONCE.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        Freshness { time: now(), nonce }
    }

    fn request(&self, endpoint: Endpoint, frame: &impl Frame) -> Vec<u8> {
        let body = frame.to_bytes();
        let signature = self.key.sign(&endpoint.signing_bytes(&body)).to_bytes();
        Signed { body, signature }.to_bytes()
    }

    fn pull(&self, address: SocketAddr, cursor: Option<Cursor>) -> Outcome<(u16, Vec<u8>)> {
        let pull = Pull { mailbox: self.mailbox, cursor, max_bytes: 1 << 20, lane: None, freshness: Self::freshness() };
        ask(address, Endpoint::Pull, &self.request(Endpoint::Pull, &pull))
    }

    /// Everything that the relay hands out.
    fn read_all(&self, address: SocketAddr) -> Outcome<BTreeSet<RowId>> {
        let (mut found, mut cursor) = (BTreeSet::new(), None);
        loop {
            let (status, body) = self.pull(address, cursor)?;
            if status == 204 {
                return Ok(found);
            }
            let pulled = Pulled::from_bytes(&body)?;
            found.extend(pulled.rows.iter().map(Row::id));
            if !pulled.more {
                return Ok(found);
            }
            cursor = pulled.cursor;
        }
    }
}

/// One request on a connection of its own, as a phone makes it that found the last one cut.
fn ask(address: SocketAddr, endpoint: Endpoint, body: &[u8]) -> Outcome<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut request =
        format!("POST {} HTTP/1.1\r\nhost: relay\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", endpoint.path(), body.len())
            .into_bytes();
    request.extend_from_slice(body);
    stream.write_all(&request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or("no answer")?;
    let head = std::str::from_utf8(answer.get(..end).unwrap_or_default())?;
    let status = head.get(9..12).ok_or("no status")?.parse()?;
    let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(Ok(0), str::parse)?;
    let body = answer.split_off(end + 4);
    if body.len() == length { Ok((status, body)) } else { Err("the answer was cut".into()) }
}

struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(data: &Path, listen: SocketAddr) -> Outcome<Self> {
        let mut child =
            Command::new(std::env::current_exe()?).arg("serve").arg(data).arg(listen.to_string()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        Ok(Self { child, address: line.trim().parse()? })
    }

    fn signal(&self, name: &str) -> Outcome<()> {
        let done = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status()?;
        if done.success() { Ok(()) } else { Err("a signal was refused".into()) }
    }

    fn resident_kib(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

#[derive(Default)]
struct Counts {
    pushes: AtomicUsize,
    pulls: AtomicUsize,
    tried_again: AtomicUsize,
    damaged: AtomicUsize,
}

/// Pushes and pulls like the phones of a team, until told to stop; damaged requests now and then.
fn live(team: &Team, address: &RwLock<SocketAddr>, counts: &Counts, enough: &AtomicBool) -> Outcome<()> {
    let at = || *address.read().unwrap_or_else(PoisonError::into_inner);
    let (mut n, mut cursor) = (0, None);
    while !enough.load(Ordering::SeqCst) {
        let rows = (n..n + BATCH).map(|n| row(team.number, n % ROWS)).collect::<Outcome<Vec<_>>>()?;
        n += BATCH;
        while !enough.load(Ordering::SeqCst) {
            let push = Push { mailbox: team.mailbox, rows: rows.clone(), cursor: None, freshness: Team::freshness() };
            let mut request = team.request(Endpoint::Push, &push);
            // every twentieth time the network turns a byte over: refused, and sent again
            let is_damaged = NONCE.load(Ordering::Relaxed) % 20 == 7;
            if is_damaged && let Some(byte) = request.get_mut(300) {
                *byte ^= 0x10;
            }
            match ask(at(), Endpoint::Push, &request) {
                Ok((200, _)) if is_damaged => return Err("a damaged request was taken".into()),
                Ok((200, _)) => {
                    counts.pushes.fetch_add(1, Ordering::Relaxed);
                    team.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).extend(rows.iter().map(Row::id));
                    break;
                }
                Ok(_) if is_damaged => drop(counts.damaged.fetch_add(1, Ordering::Relaxed)),
                Ok((status, _)) if status < 500 => return Err(format!("a push was answered {status}").into()),
                Ok(_) | Err(_) => {
                    counts.tried_again.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(200));
                }
            }
        }
        // and what is new, as far as it is answered; a listing counts as an answer
        if let Ok((200, body)) = team.pull(at(), cursor) {
            counts.pulls.fetch_add(1, Ordering::Relaxed);
            cursor = Pulled::from_bytes(&body)?.cursor;
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

fn run(data: &Path, seconds: u64, seed: u64) -> Outcome<()> {
    let teams: Vec<Team> = {
        let storage = SqliteStorage::open(data, Role::Server)?;
        (0..TEAMS).map(|n| Team::make(&storage, n)).collect::<Outcome<_>>()?
    };
    let mut relay = Process::start(data, SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let (address, counts, enough) = (RwLock::new(relay.address), Counts::default(), AtomicBool::new(false));
    let began = Instant::now();
    let mut memory: Vec<(u64, u64, u64)> = Vec::new();
    let (mut kills, mut freezes, mut quiet, mut life) = (0, 0, 0, 0);
    let lived = std::thread::scope(|scope| -> Outcome<()> {
        let running: Vec<_> = teams.iter().map(|team| scope.spawn(|| live(team, &address, &counts, &enough))).collect();
        let struck = (|| -> Outcome<()> {
            while began.elapsed() < Duration::from_secs(seconds) {
                std::thread::sleep(FAULT_EVERY);
                let rows: usize = teams.iter().map(|team| team.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).len()).sum();
                memory.push((began.elapsed().as_secs(), relay.resident_kib()?, rows as u64));
                match digest(&[seed, memory.len() as u64])[0] % 4 {
                    // the second half is one life: its memory is what is looked at
                    0 if life > 20 && began.elapsed() < Duration::from_secs(seconds / 2) => {
                        relay.child.kill()?;
                        relay.child.wait()?;
                        relay = Process::start(data, relay.address)?;
                        *address.write().unwrap_or_else(PoisonError::into_inner) = relay.address;
                        (kills, life) = (kills + 1, 0);
                    }
                    1 => {
                        relay.signal("STOP")?;
                        std::thread::sleep(FROZEN);
                        relay.signal("CONT")?;
                        freezes += 1;
                    }
                    _ => quiet += 1,
                }
                life += FAULT_EVERY.as_secs();
            }
            Ok(())
        })();
        enough.store(true, Ordering::SeqCst);
        for run in running {
            run.join().map_err(|_| "a team failed")??;
        }
        struck
    });
    let checked = lived.and_then(|()| {
        let mut total = 0;
        for team in &teams {
            let here = team.read_all(relay.address)?;
            let acknowledged = team.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
            let missing = acknowledged.difference(&here).count();
            if missing > 0 {
                return Err(format!("{missing} of {} acknowledged rows are missing", acknowledged.len()).into());
            }
            total += acknowledged.len();
        }
        Ok::<usize, Box<dyn Error + Send + Sync>>(total)
    });
    let _ = relay.child.kill();
    let _ = relay.child.wait();
    let total = checked?;
    for (at, kib, rows) in &memory {
        println!("{at:>4} s  {kib:>7} KiB  {rows:>7} rows");
    }
    let part = |from: usize, to: usize| {
        let some: Vec<u64> = memory.get(from..to).unwrap_or_default().iter().map(|(_, kib, _)| *kib).collect();
        some.iter().sum::<u64>() as f64 / some.len().max(1) as f64
    };
    let half = memory.len() / 2 + 2;
    let third = memory.len().saturating_sub(half) / 3;
    println!(
        "{seconds} s, seed {seed}: {kills} kills, {freezes} freezes of {} s, {} damaged requests refused, {quiet} quiet turns; {} pushes \
         acknowledged ({total} rows), {} pulls, {} tries again; every acknowledged row is there; memory of the last \
         life {:.0} KiB in its first third, {:.0} in the second, {:.0} in the last",
        FROZEN.as_secs(),
        counts.damaged.load(Ordering::Relaxed),
        counts.pushes.load(Ordering::Relaxed),
        counts.pulls.load(Ordering::Relaxed),
        counts.tried_again.load(Ordering::Relaxed),
        part(half, half + third),
        part(half + third, half + 2 * third),
        part(half + 2 * third, memory.len()),
    );
    Ok(())
}

fn serve(data: &Path, listen: SocketAddr) -> Outcome<()> {
    let storage: Arc<dyn Storage> = Arc::new(SqliteStorage::open(data, Role::Server)?);
    let config = Config { burst_count: u32::MAX, rate_per_second: u32::MAX, ..Config::default() };
    let relay = Arc::new(Relay::new(storage, config, Arc::new(now), Arc::new(|_| {}))?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        println!("{}", listener.local_addr()?);
        server::serve(listener, relay, std::future::pending()).await;
        Ok(())
    })
}

fn main() -> Outcome<()> {
    match Arguments::parse().action {
        Action::Run { data, seconds, seed } => run(&data, seconds, seed),
        Action::Serve { data, listen } => serve(&data, listen),
    }
}
