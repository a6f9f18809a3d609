//! Ends what blocks: shuts sockets under the reader, and forbids new ones.

use crate::error::TransportError;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A moment in the life of a [`Breaker`]: a call that begins in one ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch(u64);

#[derive(Default)]
struct State {
    epoch: u64,
    /// In which epoch the call in hand began.
    armed: u64,
    is_closed: bool,
    /// The socket in use.
    socket: Option<TcpStream>,
}

/// Ends the call in hand of one [`Client`](super::Client), from any thread.
#[derive(Clone, Default)]
pub struct Breaker {
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for Breaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Breaker")
    }
}

fn shut(socket: Option<&TcpStream>) {
    if let Some(socket) = socket {
        // an error says that it is closed already
        let _ = socket.shutdown(Shutdown::Both);
    }
}

impl Breaker {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present moment. Take it before looking for a reason not to call: what is cut after that is not missed.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.state().epoch)
    }

    /// Ends the call in hand, and every call whose epoch was taken before.
    pub fn cut(&self) {
        let mut state = self.state();
        state.epoch += 1;
        shut(state.socket.take().as_ref());
    }

    /// Ends the call in hand and every later one.
    pub fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        shut(state.socket.take().as_ref());
    }

    /// A call begins.
    pub(super) fn arm(&self, epoch: Epoch) -> Result<(), TransportError> {
        let mut state = self.state();
        state.armed = epoch.0;
        drop(state);
        self.check()
    }

    /// Whether the call in hand may go on. Errors: [`TransportError::Cancelled`].
    pub(super) fn check(&self) -> Result<(), TransportError> {
        let state = self.state();
        if state.is_closed || state.armed != state.epoch { Err(TransportError::Cancelled) } else { Ok(()) }
    }

    /// From now on this socket is shut when the call is ended. Errors: [`TransportError::Cancelled`] when it is ended already.
    pub(super) fn watch(&self, socket: &TcpStream) -> Result<(), TransportError> {
        let socket = socket.try_clone().map_err(|error| TransportError::Network { kind: error.kind() })?;
        let mut state = self.state();
        if state.is_closed || state.armed != state.epoch {
            return Err(TransportError::Cancelled);
        }
        state.socket = Some(socket);
        Ok(())
    }
}
