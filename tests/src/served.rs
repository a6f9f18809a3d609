//! A real relay behind a real socket, and what stands on the way to it: a tap that counts, a SOCKS proxy, an HTTP proxy.

use crate::team::SetClock;
use satchel_relay::server::{Extras, serve_all};
use satchel_relay::storage::Storage;
use satchel_relay::storage::sqlite::{Role, SqliteStorage};
use satchel_relay::tls::Tls;
use satchel_relay::{Config, Relay};
use satchel_wire::ids::MailboxId;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// The one mailbox.
pub const MAILBOX: MailboxId = MailboxId::from_bytes([0x42; 16]);
/// Its claim secret.
pub const SECRET: [u8; 16] = [0x17; 16];

/// A relay that serves.
pub struct Served {
    /// Where.
    pub address: SocketAddr,
    runtime: tokio::runtime::Runtime,
    stop: oneshot::Sender<()>,
    done: oneshot::Receiver<()>,
}

impl std::fmt::Debug for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Served")
    }
}

/// A certificate of the relay's own tests, and its key.
pub fn certificate(name: &str) -> (PathBuf, PathBuf) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../relay/tests/tls");
    let key = name.split('.').next().unwrap_or(name);
    (folder.join(format!("{name}.pem")), folder.join(format!("{key}.key.pem")))
}

impl Served {
    /// Serves the relay in a folder, made with [`MAILBOX`] if it is not there yet; over TLS with a named certificate.
    pub fn start(dir: &Path, clock: &Arc<SetClock>, at: Option<SocketAddr>, tls: Option<&str>) -> Self {
        let storage = SqliteStorage::open(dir, Role::Command).expect("storage");
        // a mailbox that is there already stays as it is
        let _ = storage.create_mailbox(&MAILBOX, 1 << 31, blake3::hash(&SECRET).as_bytes());
        drop(storage);
        let storage = Arc::new(SqliteStorage::open(dir, Role::Server).expect("storage"));
        let clock = Arc::clone(clock);
        let config = Config { burst_count: 1_000_000, ..Config::default() };
        let relay = Arc::new(Relay::new(storage, config, Arc::new(move || clock.now()), Arc::new(|_| {})).expect("a relay"));
        let tls = tls.map(certificate).map(|(certificate, key)| Arc::new(Tls::read(&certificate, &key).expect("a certificate")));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let at = at.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let listener = runtime.block_on(tokio::net::TcpListener::bind(at)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let (say_done, done) = oneshot::channel();
        runtime.spawn(async move {
            let stop = async move { stopped.await.unwrap_or(()) };
            serve_all(listener, relay, Extras { tls, ..Extras::default() }, stop).await;
            let _ = say_done.send(());
        });
        Self { address, runtime, stop, done }
    }

    /// Stops it; its port is free afterwards.
    pub fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.runtime.block_on(self.done);
        self.runtime.shutdown_background();
    }
}

/// What passed a tap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passed {
    /// Connections made.
    pub connections: usize,
    /// Bytes from the phone.
    pub sent: usize,
    /// Bytes to the phone.
    pub received: usize,
    /// How often the phone spoke after it had listened.
    pub round_trips: usize,
}

impl Passed {
    /// What passed since `before`.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            connections: self.connections - before.connections,
            sent: self.sent - before.sent,
            received: self.received - before.received,
            round_trips: self.round_trips - before.round_trips,
        }
    }
    /// Bytes both ways.
    pub const fn bytes(&self) -> usize {
        self.sent + self.received
    }
}

/// What a proxy asks before it lets a connection through; returns where to.
type Greeting = Arc<dyn Fn(&mut TcpStream) -> Option<SocketAddr> + Send + Sync>;

#[derive(Default)]
struct Counted {
    connections: AtomicUsize,
    sent: AtomicUsize,
    received: AtomicUsize,
    round_trips: AtomicUsize,
    is_listening: AtomicBool,
}

/// A proxy that hands bytes on and counts them.
pub struct Tap {
    /// Where it listens.
    pub address: SocketAddr,
    counted: Arc<Counted>,
    /// Names that phones asked a proxy for, as they came.
    pub names: Arc<Mutex<Vec<String>>>,
}

impl std::fmt::Debug for Tap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tap")
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, counted: Arc<Counted>, is_phone: bool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let total = if is_phone { &counted.sent } else { &counted.received };
        total.fetch_add(count, Ordering::SeqCst);
        if counted.is_listening.swap(!is_phone, Ordering::SeqCst) && is_phone {
            counted.round_trips.fetch_add(1, Ordering::SeqCst);
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

fn read<const N: usize>(stream: &mut TcpStream) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).ok().map(|()| bytes)
}

impl Tap {
    fn with(names: Arc<Mutex<Vec<String>>>, greeting: Greeting) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let counted = Arc::new(Counted::default());
        let shared = Arc::clone(&counted);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let (counted, greeting) = (Arc::clone(&shared), Arc::clone(&greeting));
                counted.connections.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    let _ = stream.set_nodelay(true);
                    let Some(to) = greeting(&mut stream).and_then(|to| TcpStream::connect(to).ok()) else { return };
                    let _ = to.set_nodelay(true);
                    counted.is_listening.store(true, Ordering::SeqCst);
                    let (Ok(back), Ok(forth)) = (stream.try_clone(), to.try_clone()) else { return };
                    let other = Arc::clone(&counted);
                    std::thread::spawn(move || pump(to, back, other, false));
                    pump(stream, forth, counted, true);
                });
            }
        });
        Self { address, counted, names }
    }

    /// Hands everything on to one address.
    pub fn to(target: SocketAddr) -> Self {
        Self::with(Arc::default(), Arc::new(move |_| Some(target)))
    }

    /// A SOCKS 5 proxy (RFC 1928, RFC 1929) that takes names only, and finds every name at one address.
    pub fn socks(target: SocketAddr, login: Option<(&'static str, &'static str)>) -> Self {
        let names: Arc<Mutex<Vec<String>>> = Arc::default();
        let asked = Arc::clone(&names);
        let greet = move |stream: &mut TcpStream| {
            let [5, count] = read::<2>(stream)? else { return None };
            let mut methods = vec![0; usize::from(count)];
            stream.read_exact(&mut methods).ok()?;
            let method = if login.is_some() { 2 } else { 0 };
            if !methods.contains(&method) {
                let _ = stream.write_all(&[5, 0xff]);
                return None;
            }
            stream.write_all(&[5, method]).ok()?;
            if let Some((name, password)) = login {
                let expected = [&[1, name.len() as u8], name.as_bytes(), &[password.len() as u8], password.as_bytes()].concat();
                let mut given = vec![0; expected.len()];
                stream.read_exact(&mut given).ok()?;
                let is_right = given == expected;
                stream.write_all(&[1, u8::from(!is_right)]).ok()?;
                if !is_right {
                    return None;
                }
            }
            let [5, 1, 0, 3, length] = read::<5>(stream)? else {
                // an address: the phone looked a name up by itself
                let _ = stream.write_all(&[5, 8, 0, 1, 0, 0, 0, 0, 0, 0]);
                return None;
            };
            let mut name = vec![0; usize::from(length)];
            stream.read_exact(&mut name).ok()?;
            let port = u16::from_be_bytes(read::<2>(stream)?);
            let name = format!("{}:{port}", String::from_utf8(name).ok()?);
            let is_unknown = name.starts_with("unknown.");
            asked.lock().unwrap_or_else(PoisonError::into_inner).push(name);
            if is_unknown {
                let _ = stream.write_all(&[5, 4, 0, 1, 0, 0, 0, 0, 0, 0]);
                return None;
            }
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
            Some(target)
        };
        Self::with(names, Arc::new(greet))
    }

    /// An HTTP proxy that knows CONNECT, and finds every name at one address.
    pub fn http(target: SocketAddr) -> Self {
        let names: Arc<Mutex<Vec<String>>> = Arc::default();
        let asked = Arc::clone(&names);
        let greet = move |stream: &mut TcpStream| {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.extend(read::<1>(stream)?);
            }
            let head = String::from_utf8(head).ok()?;
            let name = head.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
            let is_denied = name.starts_with("denied.");
            asked.lock().unwrap_or_else(PoisonError::into_inner).push(name);
            if is_denied {
                let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
                return None;
            }
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
            Some(target)
        };
        Self::with(names, Arc::new(greet))
    }

    /// What passed so far.
    pub fn passed(&self) -> Passed {
        Passed {
            connections: self.counted.connections.load(Ordering::SeqCst),
            sent: self.counted.sent.load(Ordering::SeqCst),
            received: self.counted.received.load(Ordering::SeqCst),
            round_trips: self.counted.round_trips.load(Ordering::SeqCst),
        }
    }
}
