//! Waiting for news at the relay, and how things stand with it.

use super::super::Unlocked;
use super::super::vault::Vault;
use super::RelayError;
use crate::error::Error;
use satchel_wire::ShiftDay;
use satchel_wire::frame::{Endpoint, Frame, Wait, Waited};

/// Who was met.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum Whom {
    Relay,
    Colleague,
}

/// When whom was met since unlocking (Unix seconds).
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::store) struct Met {
    pub relay: Option<u64>,
    pub colleague: Option<u64>,
}

/// How things stand between this phone and the others, for a line on the screen. Counts and times, nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// Changes that the relay has not got: saves, edits, operations of the team log (count).
    pub unsent: usize,
    /// Rows that wait for something that has not come (count).
    pub held: usize,
    /// The last day with a whole exchange with the relay.
    pub relay_day: Option<ShiftDay>,
    /// The last day with a colleague's phone.
    pub colleague_day: Option<ShiftDay>,
    /// The same of the relay, exactly, if it was since unlocking (Unix seconds). Kept in memory only.
    pub relay_at: Option<u64>,
    /// The same of a colleague's phone.
    pub colleague_at: Option<u64>,
}

/// Whether a relay's answer to a [`Unlocked::relay_wait`] says that there is news. No bytes: the time is over.
///
/// Errors: [`RelayError::Malformed`].
pub fn read_waited(body: &[u8]) -> Result<bool, RelayError> {
    if body.is_empty() {
        return Ok(false);
    }
    Waited::from_bytes(body).map(|waited| waited.changed).map_err(|_| RelayError::Malformed)
}

impl Unlocked {
    /// A request that the relay answers when a pull would bring something, or after `seconds`; see
    /// [`RelayLink::clock_offset`](super::RelayLink::clock_offset) for `offset`.
    ///
    /// Errors: [`RelayError::NoRelay`]; [`RelayError::Metered`]; [`RelayError::Store`] without a turn.
    pub fn relay_wait(&self, seconds: u16, offset: i64) -> Result<(Endpoint, Vec<u8>), RelayError> {
        self.check_network()?;
        if self.relay()?.is_none() {
            return Err(RelayError::NoRelay);
        }
        Ok(self.read(|vault, _| vault.wait_request(seconds, offset))?)
    }

    /// How things stand. Errors: [`Error::Locked`], and the storage's.
    pub fn outlook(&self) -> Result<Outlook, Error> {
        let (unsent, held) = self.waiting()?;
        self.read(|vault, _| {
            let sent = &vault.progress().operations;
            let operations = match &vault.state.relay {
                Some(_) => vault.keyring.log.operations().filter(|operation| !sent.contains(&operation.id())).count(),
                None => 0,
            };
            Ok(Outlook {
                unsent: unsent + operations,
                held,
                relay_day: vault.state.met_relay,
                colleague_day: vault.state.met_colleague,
                relay_at: vault.met.relay,
                colleague_at: vault.met.colleague,
            })
        })
    }
}

impl Vault {
    fn wait_request(&self, seconds: u16, offset: i64) -> Result<(Endpoint, Vec<u8>), Error> {
        let relay = self.relay()?;
        let wait = Wait { mailbox: relay.mailbox, cursor: relay.cursor, lane: None, seconds, freshness: self.freshness(offset) };
        Ok(Self::signed(Endpoint::Wait, &wait, &self.access(0)?.pull))
    }
}
