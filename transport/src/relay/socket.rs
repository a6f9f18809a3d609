//! The connection below HTTP: plain or TLS, one write per request, cut from outside.
//!
//! A request's head and body leave together: one packet, and one TLS record of 22 bytes around it instead of two.

use super::breaker::Breaker;
use super::dial::dial;
use super::route::{Route, bare};
use super::tls;
use super::wire::{Counted, Wire};
use crate::error::{TransportError, of_stream};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport};

/// For a connection (seconds).
const CONNECT_SECONDS: u64 = 10;
/// How much of a request waits for the rest of it at most (bytes).
const GATHER_MAX_BYTES: usize = 128 * 1024;
const BUFFER_BYTES: usize = 16 * 1024;

/// An error of ours, through the HTTP engine.
pub(super) fn carried(error: TransportError) -> ureq::Error {
    ureq::Error::Io(io::Error::other(error))
}

/// Makes connections to the one relay of a client.
#[derive(Debug)]
pub(super) struct Dialler {
    pub(super) route: Route,
    pub(super) breaker: Breaker,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) counted: Arc<Counted>,
    /// Longest time without a byte.
    pub(super) silence: Duration,
}

impl Dialler {
    fn open(&self, uri: &Uri, patience: Duration) -> Result<Socket, TransportError> {
        let host = bare(uri.host().ok_or(TransportError::Address)?);
        let is_tls = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let stream = dial(host, port, self.route.proxy.as_ref(), patience, &self.breaker)?;
        let stream = Wire::new(stream, Arc::clone(&self.counted));
        let channel = if is_tls { Channel::Tls(Box::new(self.secure(host, stream)?)) } else { Channel::Plain(stream) };
        Ok(Socket {
            channel,
            buffers: LazyBuffers::new(BUFFER_BYTES, BUFFER_BYTES),
            gathered: Vec::new(),
            breaker: self.breaker.clone(),
            silence: self.silence,
        })
    }

    fn secure(&self, host: &str, mut stream: Wire) -> Result<StreamOwned<ClientConnection, Wire>, TransportError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TransportError::Address)?;
        let mut connection = ClientConnection::new(Arc::clone(&self.tls), name).map_err(|_| TransportError::Tls)?;
        while connection.is_handshaking() {
            if let Err(error) = connection.complete_io(&mut stream) {
                self.breaker.check()?;
                let refused = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
                return Err(refused.map_or_else(|| of_handshake(&error), tls::failure));
            }
        }
        Ok(StreamOwned::new(connection, stream))
    }
}

/// Whoever closes during a handshake does not speak TLS, or not with us.
fn of_handshake(error: &io::Error) -> TransportError {
    match of_stream(error) {
        TransportError::Cut => TransportError::Tls,
        other => other,
    }
}

impl Connector<()> for Dialler {
    type Out = Socket;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Socket>, ureq::Error> {
        let patience = details.timeout.not_zero().map_or(Duration::MAX, |after| *after).min(Duration::from_secs(CONNECT_SECONDS));
        self.open(details.uri, patience).map(Some).map_err(carried)
    }
}

/// Looks nothing up: whoever connects does that, and behind a proxy nobody here may.
#[derive(Debug)]
pub(super) struct NoLookup;

impl Resolver for NoLookup {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
        Ok(addresses)
    }
}

enum Channel {
    Plain(Wire),
    Tls(Box<StreamOwned<ClientConnection, Wire>>),
}

/// One connection to a relay.
pub(super) struct Socket {
    channel: Channel,
    buffers: LazyBuffers,
    /// What was handed over to be sent, and waits for the rest of the request.
    gathered: Vec<u8>,
    breaker: Breaker,
    silence: Duration,
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Socket")
    }
}

impl Socket {
    fn tcp(&self) -> &TcpStream {
        match &self.channel {
            Channel::Plain(stream) => stream.tcp(),
            Channel::Tls(stream) => stream.sock.tcp(),
        }
    }

    /// What an error of the channel means: perhaps only that the caller ended it.
    fn failed(&self, error: &io::Error) -> ureq::Error {
        carried(self.breaker.check().err().unwrap_or_else(|| of_stream(error)))
    }

    fn send_gathered(&mut self, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let patience = Some(timeout.not_zero().map_or(self.silence, |after| *after).min(self.silence));
        let sent = self.tcp().set_write_timeout(patience).and_then(|()| match &mut self.channel {
            Channel::Plain(stream) => stream.write_all(&self.gathered),
            Channel::Tls(stream) => stream.write_all(&self.gathered).and_then(|()| stream.flush()),
        });
        self.gathered.clear();
        self.gathered.shrink_to(BUFFER_BYTES);
        sent.map_err(|error| self.failed(&error))
    }

    /// Whether the other side is still there and has said nothing unasked.
    fn is_quiet(&mut self) -> io::Result<bool> {
        self.tcp().set_nonblocking(true)?;
        let quiet = match &mut self.channel {
            Channel::Plain(stream) => match stream.tcp().peek(&mut [0]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
                Err(error) => Err(error),
                Ok(_) => Ok(false),
            },
            // tickets for later sessions may lie there, or a farewell
            Channel::Tls(stream) => loop {
                match stream.conn.read_tls(&mut stream.sock) {
                    Ok(0) => break Ok(false),
                    Ok(_) => {
                        let state = stream.conn.process_new_packets().map_err(io::Error::other)?;
                        if state.peer_has_closed() || state.plaintext_bytes_to_read() > 0 {
                            break Ok(false);
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(true),
                    Err(error) => break Err(error),
                }
            },
        };
        self.tcp().set_nonblocking(false)?;
        quiet
    }
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let output = self.buffers.output();
        self.gathered.extend_from_slice(output.get(..amount).unwrap_or(output));
        if self.gathered.len() > GATHER_MAX_BYTES { self.send_gathered(timeout) } else { Ok(()) }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.breaker.check().map_err(carried)?;
        self.send_gathered(timeout)?;
        let patience = Some(timeout.not_zero().map_or(self.silence, |after| *after).min(self.silence));
        self.tcp().set_read_timeout(patience).map_err(|error| self.failed(&error))?;
        let room = self.buffers.input_append_buf();
        let read = match &mut self.channel {
            Channel::Plain(stream) => stream.read(room),
            Channel::Tls(stream) => stream.read(room),
        };
        let amount = read.map_err(|error| self.failed(&error))?;
        self.breaker.check().map_err(carried)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.is_quiet().unwrap_or(false)
    }

    fn is_tls(&self) -> bool {
        matches!(self.channel, Channel::Tls(_))
    }
}
