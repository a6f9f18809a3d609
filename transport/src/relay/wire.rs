//! A TCP stream that counts what passes: a person who pays by the byte pays for TLS and HTTP too.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that passed between this device and a relay, TLS and HTTP included, TCP's own headers not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Sent (bytes).
    pub sent: u64,
    /// Received (bytes).
    pub received: u64,
}

/// Where all connections of a client count.
#[derive(Debug, Default)]
pub(super) struct Counted {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Counted {
    /// What passed since this was asked last.
    pub(super) fn take(&self) -> Traffic {
        Traffic { sent: self.sent.swap(0, Ordering::SeqCst), received: self.received.swap(0, Ordering::SeqCst) }
    }
}

/// A stream behind the proxy, if there is one, and below TLS.
pub(super) struct Wire {
    stream: TcpStream,
    counted: Arc<Counted>,
}

impl Wire {
    pub(super) const fn new(stream: TcpStream, counted: Arc<Counted>) -> Self {
        Self { stream, counted }
    }

    pub(super) const fn tcp(&self) -> &TcpStream {
        &self.stream
    }
}

impl Read for Wire {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(room)?;
        self.counted.received.fetch_add(count as u64, Ordering::SeqCst);
        Ok(count)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.stream.write(bytes)?;
        self.counted.sent.fetch_add(count as u64, Ordering::SeqCst);
        Ok(count)
    }

    fn write_vectored(&mut self, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let count = self.stream.write_vectored(parts)?;
        self.counted.sent.fetch_add(count as u64, Ordering::SeqCst);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
