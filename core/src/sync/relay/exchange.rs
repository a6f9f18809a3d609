//! The exchange: what is asked next, under which key, and what a problem means.

use super::{Mailbox, RelayAnswer, RelayError, RelayFault, RelayReport, RelayRequest};
use crate::env::Env;
use crate::sync::limits::*;
use satchel_wire::frame::{Cursor, Endpoint, Frame, Freshness, ProblemCode, Signed};
use satchel_wire::limits::{HTTP_BODY_MAX_BYTES, PULL_MAX_BYTES, ROW_MAX_BYTES};
use satchel_wire::{RowId, TurnId, UtcDay};
use std::collections::HashSet;
use std::fmt;

/// What is to be asked, or was.
pub(super) enum Ask {
    Pull,
    Fetch(Fetching),
    Announce,
    KeyChange,
    Push,
    Finished,
}

/// Rows of a listing that are still to come.
pub(super) struct Fetching {
    pub(super) day: UtcDay,
    /// Not yet asked for.
    pub(super) left: Vec<RowId>,
    /// Asked for now.
    pub(super) asked: Vec<RowId>,
    pub(super) then: Option<Cursor>,
    pub(super) more: bool,
}

/// What is remembered of a request under way.
pub(super) struct InFlight<T> {
    pub(super) tokens: Vec<T>,
    pub(super) ids: Vec<RowId>,
}

/// One sync with a relay.
///
/// The caller takes [`next`](Self::next), posts it, and hands the answer to [`receive`](Self::receive),
/// until `next` gives nothing. If no answer comes it calls [`abandon`](Self::abandon).
pub struct RelayExchange<M: Mailbox> {
    pub(super) env: Env,
    pub(super) ask: Ask,
    pub(super) in_flight: Option<InFlight<M::Token>>,
    pub(super) report: RelayReport,
    pub(super) pull_max_bytes: u32,
    pub(super) push_max_bytes: usize,

    access: Vec<TurnId>,
    refused: Vec<TurnId>,
    /// The turn whose keys sign now.
    pub(super) turn: Option<TurnId>,
    /// That these keys are the relay's present ones is shown.
    pub(super) is_present: bool,
    key_changes: usize,
    key_tries: usize,
    time_corrected: bool,
    nonce_replaced: bool,

    pub(super) cursor: Option<Cursor>,
    pub(super) unsaved: Vec<RowId>,
    /// Rows since the saved cursor could not be opened; an announcement further on may help.
    pub(super) is_unread: bool,
    /// A turn was adopted since the last look at the keys.
    pub(super) has_adopted: bool,
    /// First eight bytes of the ids of rows seen in this exchange.
    pub(super) seen: HashSet<[u8; 8]>,
    pub(super) back_steps: usize,
    pub(super) pulls: usize,
    pub(super) listings: usize,
    pub(super) unreadable: usize,
    pub(super) pull_ended: bool,
    pub(super) announces: usize,
    pub(super) pushes: usize,
}

type Outcome<M, T = ()> = Result<T, RelayError<<M as Mailbox>::Error>>;

impl<M: Mailbox> RelayExchange<M> {
    /// An exchange that has not begun.
    pub fn new(env: &Env) -> Self {
        Self {
            env: env.clone(),
            ask: Ask::Pull,
            in_flight: None,
            report: RelayReport::default(),
            pull_max_bytes: PULL_MAX_BYTES as u32,
            push_max_bytes: PUSH_BATCH_BYTES,
            access: Vec::new(),
            refused: Vec::new(),
            turn: None,
            is_present: false,
            key_changes: 0,
            key_tries: 0,
            time_corrected: false,
            nonce_replaced: false,
            cursor: None,
            unsaved: Vec::new(),
            is_unread: false,
            has_adopted: false,
            seen: HashSet::new(),
            back_steps: 0,
            pulls: 0,
            listings: 0,
            unreadable: 0,
            pull_ended: false,
            announces: 0,
            pushes: 0,
        }
    }

    /// The same with smaller pages, for a slow line (bytes of rows in one answer, and in one push).
    pub fn with_page_bytes(mut self, bytes: u32) -> Self {
        self.pull_max_bytes = self.pull_max_bytes.min(bytes);
        self.push_max_bytes = self.push_max_bytes.min(bytes as usize).max(ROW_MAX_BYTES);
        self
    }

    /// The next request; none when the exchange is over. Errors: [`RelayFault`], or the replica's.
    pub fn next(&mut self, mailbox: &mut M) -> Outcome<M, Option<RelayRequest>> {
        if self.in_flight.is_some() {
            return Err(RelayFault::Order.into());
        }
        if self.turn.is_none() && !matches!(self.ask, Ask::Finished) {
            self.refresh_access(mailbox)?;
            self.turn.ok_or(RelayFault::NoKey)?;
        }
        loop {
            let request = match &self.ask {
                Ask::Pull => self.ask_pull(mailbox)?,
                Ask::Fetch(_) => self.ask_fetch(mailbox)?,
                Ask::Announce => self.ask_announce(mailbox)?,
                Ask::KeyChange => self.ask_key_change(mailbox)?,
                Ask::Push => self.ask_push(mailbox)?,
                Ask::Finished => return Ok(None),
            };
            if let Some(request) = request {
                self.report.requests += 1;
                self.report.bytes_sent += request.body.len() as u64;
                return Ok(Some(request));
            }
        }
    }

    /// Takes the answer to the last request. Errors: [`RelayFault`], or the replica's; both end the exchange.
    pub fn receive(&mut self, mailbox: &mut M, answer: RelayAnswer) -> Outcome<M> {
        let sent = self.in_flight.take().ok_or(RelayFault::Order)?;
        let taken = match answer {
            RelayAnswer::Ok(bytes) => self.take(mailbox, sent, &bytes),
            RelayAnswer::Problem { code, relay_time } => self.take_problem(mailbox, code, relay_time),
        };
        if taken.is_err() {
            self.ask = Ask::Finished;
            self.abandon(mailbox).map_err(RelayError::Replica)?;
        }
        taken
    }

    fn take(&mut self, mailbox: &mut M, sent: InFlight<M::Token>, bytes: &[u8]) -> Outcome<M> {
        self.report.bytes_received += bytes.len() as u64;
        if bytes.len() > HTTP_BODY_MAX_BYTES {
            return Err(RelayFault::Malformed.into());
        }
        match std::mem::replace(&mut self.ask, Ask::Finished) {
            Ask::Pull => self.take_page(mailbox, read(bytes)?),
            Ask::Fetch(fetching) => self.take_fetched(mailbox, fetching, read(bytes)?),
            Ask::Announce => self.take_announced(mailbox, sent.ids, read(bytes)?),
            Ask::KeyChange => self.take_keys_changed(mailbox, read(bytes)?),
            Ask::Push => self.take_pushed(mailbox, sent, read(bytes)?),
            Ask::Finished => Err(RelayFault::Order.into()),
        }
    }

    fn take_problem(&mut self, mailbox: &mut M, code: ProblemCode, relay_time: Option<u64>) -> Outcome<M> {
        match (code, relay_time) {
            (ProblemCode::ClockSkew, Some(relay_time)) if !std::mem::replace(&mut self.time_corrected, true) => {
                let offset = i128::from(relay_time) - i128::from(self.env.now().seconds());
                let offset = i64::try_from(offset).unwrap_or(0);
                return mailbox.save_clock_offset(offset).map_err(RelayError::Replica);
            }
            (ProblemCode::Replayed, _) if !std::mem::replace(&mut self.nonce_replaced, true) => return Ok(()),
            _ => {}
        }
        match (&self.ask, code) {
            (Ask::Pull | Ask::Fetch(_), ProblemCode::Refused) => self.try_other_keys(mailbox),
            (Ask::Announce, ProblemCode::NotNewest) if self.announces < EXCHANGE_ANNOUNCES_MAX_COUNT => {
                self.ask = Ask::Pull;
                Ok(())
            }
            (Ask::KeyChange, ProblemCode::Superseded) => {
                self.ask = if self.pull_ended { Ask::Push } else { Ask::Pull };
                mailbox.mark_keys_changed(None).map_err(RelayError::Replica)
            }
            (Ask::Push, ProblemCode::TooLarge) if self.push_max_bytes > ROW_MAX_BYTES => {
                self.push_max_bytes = (self.push_max_bytes / 2).max(ROW_MAX_BYTES);
                Ok(())
            }
            _ => self.stop(mailbox, code),
        }
    }

    pub(super) fn stop(&mut self, mailbox: &mut M, code: ProblemCode) -> Outcome<M> {
        self.report.stopped = Some(code);
        self.ask = Ask::Finished;
        self.abandon(mailbox).map_err(RelayError::Replica)
    }

    /// The exchange ends here: what the end of a pull asks of the replica is done now, if it was not.
    pub fn abandon(&mut self, mailbox: &mut M) -> Result<(), M::Error> {
        self.ask = Ask::Finished;
        self.in_flight = None;
        if std::mem::replace(&mut self.pull_ended, true) { Ok(()) } else { mailbox.end_pull() }
    }

    /// Looks which keys are held now; true if others than before sign from here on.
    pub(super) fn refresh_access(&mut self, mailbox: &mut M) -> Outcome<M, bool> {
        let mut access = mailbox.access_turns().map_err(RelayError::Replica)?;
        access.truncate(EXCHANGE_ACCESS_MAX_COUNT);
        self.access = access;
        self.choose_turn(mailbox)
    }

    fn choose_turn(&mut self, mailbox: &mut M) -> Outcome<M, bool> {
        let best = self.access.iter().find(|turn| !self.refused.contains(turn)).copied();
        if best == self.turn {
            return Ok(false);
        }
        self.turn = best;
        // what an earlier key showed may be the announce lane alone: read again from where all was read
        self.is_present = false;
        self.read_again(mailbox)?;
        self.key_tries += 1;
        if self.key_tries > 2 * EXCHANGE_ACCESS_MAX_COUNT {
            return Err(RelayFault::NoProgress.into());
        }
        Ok(true)
    }

    /// The relay does not know the keys that signed.
    fn try_other_keys(&mut self, mailbox: &mut M) -> Outcome<M> {
        self.ask = Ask::Pull;
        self.refused.extend(self.turn);
        self.choose_turn(mailbox)?;
        if self.turn.is_some() {
            return Ok(());
        }
        // none is known: only a key change helps, once
        self.turn = self.access.first().copied();
        if self.key_changes > 0 {
            return self.stop(mailbox, ProblemCode::Refused);
        }
        self.ask = Ask::KeyChange;
        Ok(())
    }

    fn ask_key_change(&mut self, mailbox: &mut M) -> Outcome<M, Option<RelayRequest>> {
        let is_refused = self.access.first().is_some_and(|newest| self.refused.contains(newest));
        let freshness = self.freshness(mailbox)?;
        self.key_changes += 1;
        let signed = match self.key_changes <= EXCHANGE_KEY_CHANGES_MAX_COUNT {
            true => mailbox.key_change(freshness, is_refused).map_err(RelayError::Replica)?,
            false => None,
        };
        let Some(signed) = signed else {
            if self.pull_ended {
                self.ask = Ask::Push;
            } else {
                self.stop(mailbox, ProblemCode::Refused)?;
            }
            return Ok(None);
        };
        Ok(Some(self.send(Endpoint::Keys, &signed, Vec::new(), Vec::new())))
    }

    fn take_keys_changed(&mut self, mailbox: &mut M, done: satchel_wire::frame::Done) -> Outcome<M> {
        mailbox.mark_keys_changed(Some(done.generation)).map_err(RelayError::Replica)?;
        self.report.keys_changed = true;
        // The newest turn's keys are in force now. What was read under others may not have been all.
        self.refused.clear();
        self.turn = None;
        self.ask = Ask::Pull;
        self.choose_turn(mailbox)?;
        Ok(())
    }

    pub(super) fn freshness(&self, mailbox: &mut M) -> Outcome<M, Freshness> {
        let offset = mailbox.clock_offset().map_err(RelayError::Replica)?;
        let time = self.env.now().seconds().saturating_add_signed(offset);
        Ok(Freshness { time, nonce: self.env.random() })
    }

    pub(super) fn send(&mut self, endpoint: Endpoint, signed: &Signed, tokens: Vec<M::Token>, ids: Vec<RowId>) -> RelayRequest {
        self.in_flight = Some(InFlight { tokens, ids });
        RelayRequest { endpoint, body: signed.to_bytes() }
    }

    /// What was done so far.
    pub const fn report(&self) -> &RelayReport {
        &self.report
    }

    /// Whether nothing is left to ask.
    pub const fn is_finished(&self) -> bool {
        matches!(self.ask, Ask::Finished) && self.in_flight.is_none()
    }
}

fn read<F: Frame>(bytes: &[u8]) -> Result<F, RelayFault> {
    F::from_bytes(bytes).map_err(|_| RelayFault::Malformed)
}

impl<M: Mailbox> fmt::Debug for RelayExchange<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayExchange").field("report", &self.report).finish_non_exhaustive()
    }
}
