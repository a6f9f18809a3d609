//! A TCP stream to a relay: straight, through SOCKS 5 or through an HTTP proxy.

use super::breaker::Breaker;
use super::route::{Proxy, ProxyKind};
use crate::error::{TransportError, of_stream};
use data_encoding::BASE64;
use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How often a connection that is being made looks whether it is still wanted (milliseconds).
const LOOK_MILLIS: u64 = 50;
/// Longest answer of an HTTP proxy (bytes).
const PROXY_ANSWER_MAX_BYTES: usize = 8 * 1024;

/// Connects to `host:port`, and watches over the socket. Errors: [`TransportError::Unreachable`], [`TransportError::Proxy`],
/// [`TransportError::Cancelled`], and the network's.
pub(super) fn dial(
    host: &str,
    port: u16,
    proxy: Option<&Proxy>,
    patience: Duration,
    breaker: &Breaker,
) -> Result<TcpStream, TransportError> {
    let (to, at) = proxy.map_or((host, port), |proxy| (proxy.host.as_str(), proxy.port));
    let mut stream = connect(to, at, patience, breaker)?;
    breaker.watch(&stream)?;
    let set = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(patience)));
    set.and_then(|()| stream.set_write_timeout(Some(patience))).map_err(|error| of_stream(&error))?;
    if let Some(proxy) = proxy {
        let asked = match proxy.kind {
            ProxyKind::Socks5 => ask_socks(&mut stream, proxy, host, port),
            ProxyKind::Http => ask_http(&mut stream, proxy, host, port),
        };
        if let Err(error) = asked {
            breaker.check()?;
            return Err(error);
        }
    }
    Ok(stream)
}

/// Looks a name up and connects, on a thread of its own: neither can be broken off, so nobody waits for them.
fn connect(host: &str, port: u16, patience: Duration, breaker: &Breaker) -> Result<TcpStream, TransportError> {
    let (say, hear) = channel();
    let host = host.to_owned();
    std::thread::spawn(move || {
        let connected = (host.as_str(), port).to_socket_addrs().and_then(|addresses| {
            let mut last = io::Error::from(io::ErrorKind::HostUnreachable);
            for address in addresses.take(8) {
                match TcpStream::connect_timeout(&address, patience) {
                    Ok(stream) => return Ok(stream),
                    Err(error) => last = error,
                }
            }
            Err(last)
        });
        // nobody waits any longer: the stream closes
        let _ = say.send(connected);
    });
    let look = Duration::from_millis(LOOK_MILLIS);
    for _ in 0..=patience.as_millis() / look.as_millis() {
        match hear.recv_timeout(look) {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => return Err(TransportError::Unreachable { kind: error.kind() }),
            Err(RecvTimeoutError::Timeout) => breaker.check()?,
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Err(TransportError::Unreachable { kind: io::ErrorKind::TimedOut })
}

fn read<const N: usize>(stream: &mut TcpStream) -> Result<[u8; N], TransportError> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).map_err(|error| of_stream(&error))?;
    Ok(bytes)
}

fn write(stream: &mut TcpStream, bytes: &[u8]) -> Result<(), TransportError> {
    stream.write_all(bytes).map_err(|error| of_stream(&error))
}

/// A text after its length, as SOCKS writes it.
fn counted(text: &str) -> Result<Vec<u8>, TransportError> {
    let length = u8::try_from(text.len()).map_err(|_| TransportError::Address)?;
    Ok([&[length], text.as_bytes()].concat())
}

/// RFC 1928 and RFC 1929. The name goes to the proxy as it stands: it is looked up there.
fn ask_socks(stream: &mut TcpStream, proxy: &Proxy, host: &str, port: u16) -> Result<(), TransportError> {
    const OPEN: u8 = 0;
    const LOGIN: u8 = 2;
    let method = if proxy.login.is_some() { LOGIN } else { OPEN };
    write(stream, &[5, 1, method])?;
    if read::<2>(stream)? != [5, method] {
        return Err(TransportError::Proxy);
    }
    if let Some((name, password)) = &proxy.login {
        write(stream, &[vec![1], counted(name)?, counted(password)?].concat())?;
        if read::<2>(stream)?[1] != 0 {
            return Err(TransportError::Proxy);
        }
    }
    let address = match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => [&[1], address.octets().as_slice()].concat(),
        Ok(IpAddr::V6(address)) => [&[4], address.octets().as_slice()].concat(),
        Err(_) => [vec![3], counted(host)?].concat(),
    };
    write(stream, &[&[5, 1, 0], address.as_slice(), &port.to_be_bytes()].concat())?;
    let [version, reply, _, kind] = read::<4>(stream)?;
    if version != 5 {
        return Err(TransportError::Proxy);
    }
    match reply {
        0 => {}
        // network or host unreachable, refused there, time to live over
        3 | 4 | 6 => return Err(TransportError::Unreachable { kind: io::ErrorKind::HostUnreachable }),
        5 => return Err(TransportError::Unreachable { kind: io::ErrorKind::ConnectionRefused }),
        _ => return Err(TransportError::Proxy),
    }
    let bound = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(read::<1>(stream)?[0]),
        _ => return Err(TransportError::Proxy),
    };
    let mut rest = vec![0; bound + 2];
    stream.read_exact(&mut rest).map_err(|error| of_stream(&error))
}

/// RFC 9110, section 9.3.6.
fn ask_http(stream: &mut TcpStream, proxy: &Proxy, host: &str, port: u16) -> Result<(), TransportError> {
    let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some((name, password)) = &proxy.login {
        request.push_str(&format!("Proxy-Authorization: Basic {}\r\n", BASE64.encode(format!("{name}:{password}").as_bytes())));
    }
    request.push_str("\r\n");
    write(stream, request.as_bytes())?;
    let mut answer = Vec::new();
    // byte by byte: what follows the head belongs to the relay
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= PROXY_ANSWER_MAX_BYTES {
            return Err(TransportError::Proxy);
        }
        answer.extend(read::<1>(stream)?);
    }
    match answer.get(..12) {
        Some(b"HTTP/1.1 200" | b"HTTP/1.0 200") => Ok(()),
        Some(b"HTTP/1.1 502" | b"HTTP/1.1 503" | b"HTTP/1.1 504") => {
            Err(TransportError::Unreachable { kind: io::ErrorKind::HostUnreachable })
        }
        _ => Err(TransportError::Proxy),
    }
}
