//! A relay inside the test, a tiny blocking HTTP client, and a team that signs.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

pub mod postgres;
pub mod process;
pub mod sqlite_worlds;
pub mod worlds;

use self::postgres::Postgres;
use ed25519_dalek::{Signer, SigningKey};
use satchel_relay::storage::Storage;
use satchel_relay::storage::postgres::PostgresStorage;
use satchel_relay::storage::sqlite::{Role, SqliteStorage};
use satchel_relay::{Clock, Config, Relay, server};
use satchel_wire::frame::*;
use satchel_wire::{AnnouncementId, Lane, MailboxId, Row, RowId, announcement};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

pub const DAY: u64 = 86_400;
/// 2026-11-22, noon.
pub const NOON: u64 = 1_795_305_600 + 43_200;

static NONCE: AtomicU64 = AtomicU64::new(1);

pub fn nonce() -> [u8; 12] {
    let mut nonce = [7; 12];
    nonce[..8].copy_from_slice(&NONCE.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    nonce
}

/// A row whose content depends on `n` only.
pub fn row(lane: Lane, n: u64) -> Row {
    sized_row(lane, n, 512)
}

pub fn sized_row(lane: Lane, n: u64, size: usize) -> Row {
    let mut bytes = vec![0; size];
    blake3::Hasher::new_derive_key("test row").update(&n.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes[0] = lane.byte();
    Row::parse(bytes).unwrap()
}

pub fn ids(rows: &[Row]) -> Vec<RowId> {
    let mut ids: Vec<_> = rows.iter().map(Row::id).collect();
    ids.sort_unstable();
    ids
}

/// An answer: status, headers, body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn frame<F: Frame>(&self) -> F {
        if self.status == 204 {
            // a wait's time is over: no other answer is decoded when it has no body
            return F::from_bytes(&Waited { changed: false }.to_bytes()).unwrap();
        }
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        F::from_bytes(&self.body).unwrap()
    }
    pub fn problem(&self) -> ProblemCode {
        let value = self.json();
        assert!(self.head.contains("content-type: application/problem+json"), "{}", self.head);
        assert_eq!(value["status"], self.status);
        ProblemCode::from_code(value["type"].as_str().unwrap().strip_prefix("urn:satchel:problem:").unwrap()).unwrap()
    }
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Reads one answer from a connection.
pub fn read_answer(stream: &mut TcpStream) -> std::io::Result<Answer> {
    read_any(stream)
}

/// The same from anything that can be read.
pub fn read_any(stream: &mut impl Read) -> std::io::Result<Answer> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let status = head[9..12].parse().unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Answer { status, head, body })
}

pub fn request_bytes(method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nhost: relay\r\ncontent-type: application/cbor\r\ncontent-length: {}\r\n\r\n", body.len())
            .into_bytes();
    request.extend_from_slice(body);
    request
}

pub fn try_send(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(&request_bytes(method, path, body))?;
    read_answer(&mut stream)
}

pub fn send(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> Answer {
    try_send(address, method, path, body).unwrap()
}

pub fn sign(endpoint: Endpoint, key: &SigningKey, body: Vec<u8>) -> Vec<u8> {
    let signature = key.sign(&endpoint.signing_bytes(&body)).to_bytes();
    Signed { body, signature }.to_bytes()
}

pub fn key(n: u64) -> SigningKey {
    SigningKey::from_bytes(blake3::hash(&n.to_le_bytes()).as_bytes())
}

thread_local! {
    static ON_POSTGRES: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs a test whose relays keep their rows in PostgreSQL, each folder standing for a database.
pub fn on_postgres(test: fn()) {
    if choose_postgres().is_some() {
        test();
    }
}

/// From now on relays of this thread keep their rows in PostgreSQL; none when there is no PostgreSQL here.
pub fn choose_postgres() -> Option<&'static Postgres> {
    let server = Postgres::shared();
    ON_POSTGRES.set(server.is_some());
    server
}

/// Each test once on SQLite and once on PostgreSQL.
#[macro_export]
macro_rules! both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(); })*
        }
        mod postgres {
            $(#[test] fn $name() { super::support::on_postgres(super::$name); })*
        }
    };
}

/// The name of the database that stands for a folder.
pub fn database_of(folder: &Path) -> String {
    format!("d{}", &blake3::hash(folder.to_str().unwrap().as_bytes()).to_hex()[..16])
}

/// Storage of the engine that this test is about.
pub fn open_storage(folder: &Path) -> Arc<dyn Storage> {
    if ON_POSTGRES.get() {
        let url = Postgres::shared().unwrap().database(&database_of(folder));
        return Arc::new(PostgresStorage::open(&url).unwrap());
    }
    Arc::new(SqliteStorage::open(folder, Role::Server).unwrap())
}

/// The bytes of every file in which the engine keeps rows, the write-ahead log of PostgreSQL aside.
pub fn kept_bytes(folder: &Path) -> Vec<Vec<u8>> {
    fn read(folder: &Path, found: &mut Vec<Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, found);
            } else if let Ok(bytes) = std::fs::read(&path) {
                found.push(bytes);
            }
        }
    }
    let mut found = Vec::new();
    if ON_POSTGRES.get() {
        let server = Postgres::shared().unwrap();
        let database = database_of(folder);
        server.sql(&database, "CHECKPOINT");
        let number = server.sql("postgres", &format!("SELECT oid FROM pg_database WHERE datname = '{database}'"));
        read(&server.folder.join("data/base").join(&number[0]), &mut found);
    } else {
        read(folder, &mut found);
    }
    found
}

/// A relay that serves inside this process, with a clock that only the test moves.
pub struct TestRelay {
    pub address: SocketAddr,
    pub relay: Arc<Relay>,
    pub storage: Arc<dyn Storage>,
    pub clock: Arc<AtomicU64>,
    pub folder: PathBuf,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TestRelay {
    pub fn start(folder: &Path, now: u64) -> Self {
        Self::start_with(folder, now, Config { burst_count: 1_000_000, ..Config::default() })
    }

    pub fn start_with(folder: &Path, now: u64, config: Config) -> Self {
        let clock = Arc::new(AtomicU64::new(now));
        let shown = Arc::clone(&clock);
        let tell: Clock = Arc::new(move || shown.load(Ordering::SeqCst));
        let storage = open_storage(folder);
        let relay = Arc::new(Relay::new(Arc::clone(&storage), config, tell, Arc::new(|_| {})).unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = Arc::clone(&relay);
        let thread = std::thread::spawn(move || {
            runtime.block_on(server::serve(listener, serving, async {
                let _ = stopped.await;
            }));
        });
        Self { address, relay, storage, clock, folder: folder.to_path_buf(), stop: Some(stop), thread: Some(thread) }
    }

    pub fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }
    pub fn advance(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }
    /// Lets a day pass and closes it, as the server does every minute.
    pub fn next_day(&self) {
        self.advance(DAY);
        self.relay.maintain().unwrap();
    }

    pub fn stop(mut self) {
        let _ = self.stop.take().unwrap().send(());
        self.thread.take().unwrap().join().unwrap();
    }

    /// A claimed mailbox.
    pub fn team(&self, n: u64) -> Team {
        self.team_with_quota(n, 1 << 30)
    }
    pub fn team_with_quota(&self, n: u64, quota: u64) -> Team {
        let team = Team::new(self.address, n, Arc::clone(&self.clock));
        self.storage.create_mailbox(&team.mailbox, quota, blake3::hash(&team.secret).as_bytes()).unwrap();
        assert_eq!(team.claim().frame::<Done>().generation, 0);
        team
    }
}

/// Keys of a mailbox and how to ask with them.
#[derive(Clone)]
pub struct Team {
    pub address: SocketAddr,
    pub mailbox: MailboxId,
    pub secret: [u8; 16],
    pub control: SigningKey,
    pub pull_key: SigningKey,
    pub push_key: SigningKey,
    pub generation: u64,
    pub clock: Arc<AtomicU64>,
}

impl Team {
    pub fn new(address: SocketAddr, n: u64, clock: Arc<AtomicU64>) -> Self {
        Self {
            address,
            mailbox: MailboxId::from_bytes([n as u8; 16]),
            secret: [n as u8 ^ 0x55; 16],
            control: key(n * 1000),
            pull_key: key(n * 1000 + 1),
            push_key: key(n * 1000 + 2),
            generation: 0,
            clock,
        }
    }
    pub fn freshness(&self) -> Freshness {
        Freshness { time: self.clock.load(Ordering::SeqCst), nonce: nonce() }
    }
    pub fn keys(&self) -> AccessKeys {
        AccessKeys { pull: self.pull_key.verifying_key().to_bytes(), push: self.push_key.verifying_key().to_bytes() }
    }
    pub fn ask<F: Frame>(&self, endpoint: Endpoint, key: &SigningKey, frame: &F) -> Answer {
        send(self.address, "POST", endpoint.path(), &sign(endpoint, key, frame.to_bytes()))
    }
    pub fn claim_frame(&self) -> Claim {
        let control = self.control.verifying_key().to_bytes();
        Claim { mailbox: self.mailbox, secret: self.secret, control, keys: self.keys(), freshness: self.freshness() }
    }
    pub fn claim(&self) -> Answer {
        self.ask(Endpoint::Claim, &self.control, &self.claim_frame())
    }
    /// The same team one generation later.
    pub fn turned(&self) -> Self {
        let generation = self.generation + 1;
        let seed = u64::from(self.mailbox.as_bytes()[0]) * 1000 + generation * 10;
        Self { pull_key: key(seed + 3), push_key: key(seed + 4), generation, ..self.clone() }
    }
    pub fn key_change(&self, next: &Self) -> KeyChange {
        KeyChange {
            mailbox: self.mailbox,
            generation: next.generation,
            keys: next.keys(),
            control: next.control.verifying_key().to_bytes(),
            freshness: self.freshness(),
        }
    }
    pub fn change_keys(&self, next: &Self) -> Answer {
        self.ask(Endpoint::Keys, &self.control, &self.key_change(next))
    }
    pub fn pull_frame(&self, cursor: Option<Cursor>, max_bytes: u32, lane: Option<Lane>) -> Pull {
        Pull { mailbox: self.mailbox, cursor, max_bytes, lane, freshness: self.freshness() }
    }
    pub fn pull_answer(&self, cursor: Option<Cursor>, max_bytes: u32, lane: Option<Lane>) -> Answer {
        self.ask(Endpoint::Pull, &self.pull_key, &self.pull_frame(cursor, max_bytes, lane))
    }
    pub fn pull(&self, cursor: Option<Cursor>, max_bytes: u32, lane: Option<Lane>) -> Pulled {
        let answer = self.pull_answer(cursor, max_bytes, lane);
        match answer.status {
            204 => Pulled { rows: Vec::new(), cursor, more: false, listing: None },
            _ => answer.frame(),
        }
    }
    pub fn wait_frame(&self, cursor: Option<Cursor>, seconds: u16) -> Wait {
        Wait { mailbox: self.mailbox, cursor, lane: None, seconds, freshness: self.freshness() }
    }
    pub fn wait(&self, cursor: Option<Cursor>, seconds: u16) -> bool {
        self.ask(Endpoint::Wait, &self.pull_key, &self.wait_frame(cursor, seconds)).frame::<Waited>().changed
    }
    pub fn fetch_answer(&self, day: satchel_wire::UtcDay, ids: Vec<RowId>) -> Answer {
        let fetch = Fetch { mailbox: self.mailbox, day, ids, freshness: self.freshness() };
        self.ask(Endpoint::Rows, &self.pull_key, &fetch)
    }
    pub fn push_answer(&self, rows: Vec<Row>, cursor: Option<Cursor>) -> Answer {
        let push = Push { mailbox: self.mailbox, rows, cursor, freshness: self.freshness() };
        self.ask(Endpoint::Push, &self.push_key, &push)
    }
    pub fn push(&self, rows: Vec<Row>, cursor: Option<Cursor>) -> Pushed {
        self.push_answer(rows, cursor).frame()
    }
    pub fn announce_answer(&self, content: &[u8], on_top_of: Option<AnnouncementId>) -> Answer {
        let rows = announcement::split(content).unwrap();
        let announce = Announce { mailbox: self.mailbox, rows, on_top_of, cursor: None, freshness: self.freshness() };
        self.ask(Endpoint::Announce, &self.push_key, &announce)
    }

    /// Reads on like a phone: pages, listings, fetches. Returns what was new and the last cursor.
    pub fn catch_up(&self, phone: &mut Phone, max_bytes: u32) {
        loop {
            let pulled = self.pull(phone.cursor, max_bytes, phone.lane);
            if let Some(listing) = &pulled.listing {
                phone.listings += 1;
                let day = pulled.cursor.unwrap().day;
                let mut unknown: Vec<_> = listing.iter().filter(|id| !phone.rows.contains_key(*id)).copied().collect();
                while !unknown.is_empty() {
                    let part: Vec<_> = unknown.iter().take(2_048).copied().collect();
                    let fetched: Pulled = self.fetch_answer(day, part).frame();
                    assert!(!fetched.rows.is_empty());
                    phone.take(fetched.rows);
                    unknown.retain(|id| !phone.rows.contains_key(id));
                }
            }
            phone.take(pulled.rows);
            phone.cursor = pulled.cursor;
            if !pulled.more {
                return;
            }
        }
    }
}

/// What a phone has read.
#[derive(Default)]
pub struct Phone {
    pub cursor: Option<Cursor>,
    pub lane: Option<Lane>,
    pub rows: std::collections::BTreeMap<RowId, Row>,
    pub listings: usize,
    /// Rows that came although they were there already.
    pub repeats: usize,
}

impl Phone {
    pub fn take(&mut self, rows: Vec<Row>) {
        for row in rows {
            if self.rows.insert(row.id(), row).is_some() {
                self.repeats += 1;
            }
        }
    }
    pub fn ids(&self) -> Vec<RowId> {
        self.rows.keys().copied().collect()
    }
}
