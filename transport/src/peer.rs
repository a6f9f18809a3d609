//! A session with a colleague's phone over a TCP stream.
//!
//! Both sides may stream at once, so neither may wait for its own writing before it reads. A reading and a
//! writing thread each report to the one thread that owns the session; that one waits for nothing but them.

use crate::error::{TransportError, of_stream};
use satchel_core::Error;
use satchel_core::store::PeerLink;
use satchel_core::sync::SessionError;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

/// Bytes read from or written to the socket at once (bytes).
const CHUNK_BYTES: usize = 64 * 1024;
/// How long a finished side waits for the other one to hang up (milliseconds).
const GOODBYE_MILLIS: u64 = 2_000;

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the next byte in either direction.
    pub idle: Duration,
}

impl Default for Patience {
    /// 10 s for a connection, 30 s for the next byte.
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), idle: Duration::from_secs(30) }
    }
}

/// What is carried: bytes in, bytes out.
pub trait Link {
    /// Why the session itself ended.
    type Error;
    /// Takes bytes of the other side, in any portions.
    fn receive(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;
    /// At most `max` bytes for the other side; none when nothing waits.
    fn transmit(&mut self, max: usize) -> Result<Option<Vec<u8>>, Self::Error>;
    /// Whether both sides have said all they had.
    fn is_finished(&self) -> bool;
}

impl Link for PeerLink {
    type Error = SessionError<Error>;

    fn receive(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        Self::receive(self, bytes)
    }
    fn transmit(&mut self, max: usize) -> Result<Option<Vec<u8>>, Self::Error> {
        Self::transmit(self, max)
    }
    fn is_finished(&self) -> bool {
        Self::is_finished(self)
    }
}

/// Why a session did not reach its end. What was accepted before is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeerError<E> {
    /// The bytes did not arrive.
    #[error(transparent)]
    Transport(TransportError),
    /// The session ended itself.
    #[error("the session ended")]
    Session(E),
}

/// Listens on `address` (`host:port`; port 0 takes a free one). Errors: [`TransportError::Listen`].
pub fn listen(address: &str) -> Result<TcpListener, TransportError> {
    let addresses: Vec<SocketAddr> = address.to_socket_addrs().map_err(|_| TransportError::Address)?.collect();
    TcpListener::bind(addresses.as_slice()).map_err(|error| TransportError::Listen { kind: error.kind() })
}

/// Waits for one connection. Errors: [`TransportError::Network`].
pub fn accept(listener: &TcpListener) -> Result<TcpStream, TransportError> {
    let (stream, _) = listener.accept().map_err(|error| of_stream(&error))?;
    Ok(stream)
}

/// Connects to `address` (`host:port`), trying each of its addresses. Errors: [`TransportError::Address`], [`TransportError::Unreachable`].
pub fn dial(address: &str, patience: Patience) -> Result<TcpStream, TransportError> {
    let addresses = address.to_socket_addrs().map_err(|_| TransportError::Address)?;
    let mut last = TransportError::Address;
    for address in addresses {
        match TcpStream::connect_timeout(&address, patience.connect) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = TransportError::Unreachable { kind: error.kind() },
        }
    }
    Err(last)
}

enum Event {
    Read(Vec<u8>),
    Written,
    Closed,
    Failed(TransportError),
}

/// Carries a session to its end.
///
/// Errors: [`TransportError::IdleTimeout`], [`TransportError::Cut`], [`TransportError::Network`], and the session's own.
/// The caller then abandons the session; a new one goes on from what was accepted.
pub fn carry<L: Link>(link: &mut L, stream: TcpStream, patience: Patience) -> Result<(), PeerError<L::Error>> {
    let network = |error: std::io::Error| PeerError::Transport(of_stream(&error));
    // bytes that wait for company cost a round trip each
    stream.set_nodelay(true).map_err(network)?;
    stream.set_write_timeout(Some(patience.idle)).map_err(network)?;
    let (reader, writer) = (stream.try_clone().map_err(network)?, stream.try_clone().map_err(network)?);
    let (events, happened) = mpsc::sync_channel(4);
    let (outgoing, to_write) = mpsc::sync_channel::<Vec<u8>>(1);
    std::thread::scope(|scope| {
        let read_events = events.clone();
        scope.spawn(move || read_all(reader, &read_events));
        scope.spawn(move || write_all(writer, &to_write, &events));
        let done = converse(link, &outgoing, &happened, patience);
        if done.is_err() {
            // tell the other side why, if the session has something to say and the line still carries it
            if let Ok(Some(last)) = link.transmit(CHUNK_BYTES)
                && outgoing.try_send(last).is_ok()
            {
                wait_for(&happened, |event| matches!(event, Event::Written));
            }
        }
        drop(outgoing);
        // the other side reads to the end of what was written, and hangs up too
        let _ = stream.shutdown(Shutdown::Write);
        if done.is_ok() {
            wait_for(&happened, |event| matches!(event, Event::Closed));
        }
        let _ = stream.shutdown(Shutdown::Both);
        // both threads are released by the shutdown; a full channel must not hold them
        drop(happened);
        done
    })
}

fn converse<L: Link>(
    link: &mut L,
    outgoing: &SyncSender<Vec<u8>>,
    happened: &Receiver<Event>,
    patience: Patience,
) -> Result<(), PeerError<L::Error>> {
    let mut is_writing = false;
    loop {
        if !is_writing {
            if let Some(bytes) = link.transmit(CHUNK_BYTES).map_err(PeerError::Session)? {
                is_writing = true;
                outgoing.send(bytes).map_err(|_| PeerError::Transport(TransportError::Cut))?;
            } else if link.is_finished() {
                return Ok(());
            }
        }
        match happened.recv_timeout(patience.idle) {
            Ok(Event::Read(bytes)) => link.receive(&bytes).map_err(PeerError::Session)?,
            Ok(Event::Written) => is_writing = false,
            Ok(Event::Closed) | Err(RecvTimeoutError::Disconnected) if link.is_finished() => return Ok(()),
            Ok(Event::Closed) | Err(RecvTimeoutError::Disconnected) => return Err(PeerError::Transport(TransportError::Cut)),
            Ok(Event::Failed(_)) if link.is_finished() => return Ok(()),
            Ok(Event::Failed(error)) => return Err(PeerError::Transport(error)),
            Err(RecvTimeoutError::Timeout) => return Err(PeerError::Transport(TransportError::IdleTimeout)),
        }
    }
}

/// Drops events until the wanted one, the end, or a short time.
fn wait_for(happened: &Receiver<Event>, is_wanted: impl Fn(&Event) -> bool) {
    while let Ok(event) = happened.recv_timeout(Duration::from_millis(GOODBYE_MILLIS)) {
        if is_wanted(&event) || matches!(event, Event::Closed | Event::Failed(_)) {
            return;
        }
    }
}

fn read_all(mut stream: TcpStream, events: &SyncSender<Event>) {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let event = match stream.read(&mut buffer) {
            Ok(0) => Event::Closed,
            Ok(count) => Event::Read(buffer.get(..count).unwrap_or_default().to_vec()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => Event::Failed(of_stream(&error)),
        };
        let is_last = !matches!(event, Event::Read(_));
        if events.send(event).is_err() || is_last {
            return;
        }
    }
}

fn write_all(mut stream: TcpStream, to_write: &Receiver<Vec<u8>>, events: &SyncSender<Event>) {
    while let Ok(bytes) = to_write.recv() {
        let event = match stream.write_all(&bytes) {
            Ok(()) => Event::Written,
            Err(error) => Event::Failed(of_stream(&error)),
        };
        let is_last = matches!(event, Event::Failed(_));
        if events.send(event).is_err() || is_last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Says `out` bytes and waits for `wanted` bytes.
    struct Talk {
        out: usize,
        wanted: usize,
        heard: usize,
    }

    impl Link for Talk {
        type Error = &'static str;
        fn receive(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
            self.heard += bytes.len();
            if self.heard > self.wanted { Err("more than was to come") } else { Ok(()) }
        }
        fn transmit(&mut self, max: usize) -> Result<Option<Vec<u8>>, Self::Error> {
            let now = self.out.min(max);
            self.out -= now;
            Ok((now > 0).then(|| vec![7; now]))
        }
        fn is_finished(&self) -> bool {
            self.out == 0 && self.heard == self.wanted
        }
    }

    fn patience(millis: u64) -> Patience {
        Patience { connect: Duration::from_secs(5), idle: Duration::from_millis(millis) }
    }

    fn pair() -> (TcpStream, TcpStream) {
        let listener = listen("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let dialling = std::thread::spawn(move || dial(&address, patience(5_000)).unwrap());
        (accept(&listener).unwrap(), dialling.join().unwrap())
    }

    #[test]
    fn both_sides_stream_at_once_without_blocking_each_other() {
        // far more than two socket buffers hold: would stand still if either side wrote before it read
        let (ours, theirs) = pair();
        let bytes = 24 << 20;
        let other = std::thread::spawn(move || {
            carry(&mut Talk { out: bytes, wanted: bytes, heard: 0 }, theirs, patience(20_000)).unwrap();
        });
        carry(&mut Talk { out: bytes, wanted: bytes, heard: 0 }, ours, patience(20_000)).unwrap();
        other.join().unwrap();
    }

    #[test]
    fn a_cut_and_a_silence_are_told_apart() {
        let (ours, theirs) = pair();
        drop(theirs);
        let cut = carry(&mut Talk { out: 0, wanted: 1, heard: 0 }, ours, patience(5_000)).unwrap_err();
        assert_eq!(cut, PeerError::Transport(TransportError::Cut));
        let (ours, _silent) = pair();
        let silence = carry(&mut Talk { out: 0, wanted: 1, heard: 0 }, ours, patience(50)).unwrap_err();
        assert_eq!(silence, PeerError::Transport(TransportError::IdleTimeout));
    }

    #[test]
    fn a_session_that_ends_itself_says_so() {
        let (ours, mut theirs) = pair();
        theirs.write_all(&[1, 2, 3]).unwrap();
        let ended = carry(&mut Talk { out: 0, wanted: 1, heard: 0 }, ours, patience(5_000)).unwrap_err();
        assert_eq!(ended, PeerError::Session("more than was to come"));
    }

    #[test]
    fn nobody_there_is_unreachable() {
        let listener = listen("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert!(matches!(listen(&address), Err(TransportError::Listen { .. })));
        drop(listener);
        assert!(matches!(dial(&address, patience(1_000)), Err(TransportError::Unreachable { .. })));
        assert!(matches!(dial("no port", patience(1_000)), Err(TransportError::Address)));
    }
}
