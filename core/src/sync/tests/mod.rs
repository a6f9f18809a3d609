//! Sessions between models, whole, cut, chunked and attacked.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod model;
mod sessions;
mod sizes;
mod talks;

use crate::env::Env;
use crate::sync::*;
use model::{Broken, Model};

/// Two sides and how the bytes between them travel.
pub(crate) struct Line {
    pub(crate) dialer: PeerSession,
    pub(crate) listener: PeerSession,
    /// Chunk sizes in each direction, used in turn.
    pub(crate) chunks: Vec<usize>,
    /// Bytes left until the connection breaks.
    pub(crate) left: usize,
    pub(crate) largest_queue: usize,
}

pub(crate) type Ended = (Result<(), SessionError<Broken>>, Result<(), SessionError<Broken>>);

impl Line {
    pub(crate) fn open(seed: u64, dialer: &mut Model) -> Self {
        let session = PeerSession::dial(&Env::seeded(seed), dialer).unwrap();
        Self {
            dialer: session,
            listener: PeerSession::listen(&Env::seeded(seed ^ 0xffff)),
            chunks: vec![65_536],
            left: usize::MAX,
            largest_queue: 0,
        }
    }

    /// Moves bytes both ways until nobody has any; returns each side's first error.
    pub(crate) fn run(&mut self, dialer: &mut Model, listener: &mut Model) -> Ended {
        let mut ended: Ended = (Ok(()), Ok(()));
        let mut turn = 0;
        loop {
            let mut moved = false;
            for to_listener in [true, false] {
                let size = self.chunks[turn % self.chunks.len()].min(self.left).max(1);
                turn += 1;
                let (from, from_model, to, to_model) = if to_listener {
                    (&mut self.dialer, &mut *dialer, &mut self.listener, &mut *listener)
                } else {
                    (&mut self.listener, &mut *listener, &mut self.dialer, &mut *dialer)
                };
                let outcome = if to_listener { &mut ended.1 } else { &mut ended.0 };
                if from.waiting_bytes() == 0 {
                    let _ = from.pump(from_model);
                }
                self.largest_queue = self.largest_queue.max(from.waiting_bytes());
                if self.left == 0 {
                    continue;
                }
                let Some(bytes) = from.transmit(size) else { continue };
                moved = true;
                self.left -= bytes.len();
                let taken = to.receive(to_model, &bytes);
                if outcome.is_ok() {
                    *outcome = taken;
                }
            }
            if !moved {
                return ended;
            }
        }
    }

    /// Runs to a clean end or fails the test.
    pub(crate) fn complete(&mut self, dialer: &mut Model, listener: &mut Model) {
        assert_eq!(self.run(dialer, listener), (Ok(()), Ok(())));
        assert!(self.dialer.is_finished() && self.listener.is_finished());
    }
}

/// One whole session; what both sides report.
pub(crate) fn meet(seed: u64, dialer: &mut Model, listener: &mut Model) -> (SessionReport, SessionReport) {
    let mut line = Line::open(seed, dialer);
    line.complete(dialer, listener);
    (line.dialer.report().clone(), line.listener.report().clone())
}
