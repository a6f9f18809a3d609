//! An exchange with a relay: sans-I/O. Requests out, answers in; `transport` carries them over HTTP.
//!
//! Order: claim the mailbox, if it is new · pull until nothing more comes · hand over a new turn · set its access
//! keys, if this device holds the control key · push what the relay lacks. Nothing changed is one request.
//!
//! The relay is not believed: rows prove themselves, the cursor only says where to go on, every loop is
//! bounded, and what does not progress ends the exchange with a warning. Nothing a relay does loses work here.

use super::Unlocked;
use super::accept::Acceptance;
use super::ledger::Line;
use super::membership::ANNOUNCEMENT;
use super::root::{Remembered, Seed, open_value};
use super::vault::{ANNOUNCED_MAX_COUNT, RelayProgress, RelaySettings, Vault};
use crate::crypto::{self, SigningKey, labels};
use crate::error::Error;
use crate::storage::Transaction;
use crate::team::keyring::Adoption;
use crate::team::notice::{FrontierNotice, Notice};
use crate::team::{Operation, TurnError};
use satchel_wire::UtcDay;
use satchel_wire::announcement::{self, Part};
use satchel_wire::cbor;
use satchel_wire::fingerprint::DayFingerprint;
use satchel_wire::frame::{
    AccessKeys, Announce, Claim, Cursor, Deletion, Done, Endpoint, Fetch, Frame, Freshness, KeyChange, Pending, PendingRows, ProblemCode,
    Pull, Pulled, Push, Pushed, Scheduled, Signed, Veto, Vetoed,
};
use satchel_wire::ids::{AnnouncementId, BodyId, MailboxId, OperationId, RowId, RowName};
use satchel_wire::limits::{PULL_MAX_BYTES, PUSH_ROWS_MAX_COUNT};
use satchel_wire::row::{Lane, Row};
use std::collections::{BTreeMap, BTreeSet};

/// Most requests in one exchange (count): bounds what a relay that never ends can cost.
const REQUESTS_MAX_COUNT: usize = 4_096;
/// Most row ids asked for at once (count).
const FETCH_MAX_COUNT: usize = 256;
/// Bytes of rows in one push.
const PUSH_MAX_BYTES: usize = 1024 * 1024;
/// Name of the sealed parts of announcements that are not complete or rest on something unknown.
const PARTS: &str = "announcement parts";
/// Most such parts (count).
const PARTS_MAX_COUNT: usize = 256;

/// Where a team's relay is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayAddress {
    /// `https://host[:port]`, or `http://` on this machine.
    pub url: String,
    /// The mailbox that the operator made.
    pub mailbox: MailboxId,
    /// Its one-time claim secret, for the first device of the team.
    pub claim: Option<[u8; 16]>,
}

/// The relay as this store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayState {
    /// Where it is.
    pub url: String,
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Whether the mailbox has been claimed, as far as this device knows.
    pub is_claimed: bool,
}

/// What a relay answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayAnswer {
    /// 200: the body.
    Ok(Vec<u8>),
    /// A refusal.
    Problem {
        /// Its code.
        code: ProblemCode,
        /// The relay's time, with `clock_skew` (Unix seconds).
        relay_time: Option<u64>,
    },
}

/// Why an exchange ended before its end. What was accepted before is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelayError {
    /// No relay is set. Remedy: set one.
    #[error("no relay is set")]
    NoRelay,
    /// The relay refused. Remedy: by its code.
    #[error("the relay refused")]
    Refused(ProblemCode),
    /// The relay's answer breaks the protocol. Remedy: tell the operator; try another relay.
    #[error("the relay's answer breaks the protocol")]
    Malformed,
    /// The relay answers without ever coming to an end. Remedy: as for `Malformed`.
    #[error("the relay's answers bring nothing")]
    NoProgress,
    /// The store failed or was locked.
    #[error(transparent)]
    Store(#[from] Error),
}

impl RelayError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoRelay => "relay_not_set",
            Self::Refused(code) => code.as_str(),
            Self::Malformed => "relay_malformed",
            Self::NoProgress => "relay_no_progress",
            Self::Store(error) => error.code(),
        }
    }
    /// What the caller can do.
    pub fn remedy(&self) -> crate::error::Remedy {
        use crate::error::Remedy;
        match self {
            Self::NoRelay => Remedy::CorrectInput,
            Self::Refused(ProblemCode::Refused) => Remedy::MeetColleague,
            Self::Refused(ProblemCode::ClockSkew) => Remedy::CheckDate,
            Self::Refused(ProblemCode::RateLimited | ProblemCode::Internal | ProblemCode::StorageFull | ProblemCode::QuotaExceeded) => {
                Remedy::TryLater
            }
            Self::Refused(_) | Self::Malformed | Self::NoProgress => Remedy::Report,
            Self::Store(error) => error.remedy(),
        }
    }
}

/// What an exchange did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelayReport {
    /// Rows pulled.
    pub pulled: usize,
    /// Rows pushed.
    pub pushed: usize,
    /// What became of pulled record rows.
    pub rows: Acceptance,
    /// Turns adopted.
    pub turns: usize,
    /// Rows that the relay lists and does not hand out, or hands out changed: colleagues' phones bring those.
    pub missing: usize,
    /// Rows that this phone asked the relay to delete.
    pub deletions: usize,
    /// Rows of waiting deletions that this phone said are still needed.
    pub vetoes: usize,
    /// Requests made.
    pub requests: usize,
}

#[derive(Debug)]
enum Step {
    Claim,
    Pull,
    Fetch { day: satchel_wire::UtcDay, wanted: Vec<RowId>, then: Cursor },
    Announce,
    Keys,
    Push { bodies: Vec<BodyId>, operations: Vec<OperationId>, frontier: Option<u64>, last: bool },
    Delete(Vec<RowName>),
    Pending,
    Veto(Vec<RowName>, UtcDay),
    Done,
}

/// One exchange with the relay.
pub struct RelayLink {
    unlocked: Unlocked,
    step: Step,
    report: RelayReport,
    /// Seconds to add to this device's clock to get the relay's.
    offset: i64,
    corrected: bool,
    /// Which remembered turn's keys are tried.
    keys_at: usize,
    /// No key is the newest: only announcements may be read, until one of them brings the newest turn.
    announce_only: bool,
    /// Turns adopted when that began.
    turns_before: usize,
    announce_tries: usize,
    /// Every key was refused, and this device set the keys of the turn in use, or tried to.
    keys_forced: bool,
    /// The keys step in hand comes from that, not from the ordinary order of steps.
    is_refused: bool,
    /// Which of the control keys held here the relay is thought to have.
    control_at: usize,
    /// Rows of the push in hand.
    rows: Vec<Row>,
    /// The relay was read again from its beginning, for what wire pages list.
    is_reread: bool,
}

impl std::fmt::Debug for RelayLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RelayLink")
    }
}

impl Unlocked {
    /// Sets the team's relay, or another one: everything is pushed there again. Errors: [`Error::Role`].
    pub fn set_relay(&self, address: &RelayAddress) -> Result<(), Error> {
        self.write(|vault, tx| {
            vault.require_writer()?;
            let bodies: Vec<BodyId> = vault.ledger(tx)?.lines().map(|line| line.body).collect();
            let ledger = vault.ledger(tx)?;
            bodies.iter().for_each(|body| ledger.mark_relayed(body, false));
            *vault.progress_mut() = RelayProgress::default();
            vault.ledger(tx)?.forget_rows();
            vault.forget_wire_pages(tx)?;
            vault.state.relay = Some(RelaySettings {
                url: address.url.clone(),
                mailbox: address.mailbox,
                claim: address.claim,
                generation: 0,
                cursor: None,
                announce_cursor: None,
                newest: None,
                others: Vec::new(),
                keys_of: None,
            });
            Ok(())
        })
    }

    /// The relay as this store knows it.
    pub fn relay(&self) -> Result<Option<RelayState>, Error> {
        self.read(|vault, _| {
            let relay = vault.state.relay.as_ref();
            Ok(relay.map(|relay| RelayState { url: relay.url.clone(), mailbox: relay.mailbox, is_claimed: relay.claim.is_none() }))
        })
    }

    /// Begins an exchange with the relay. Errors: [`RelayError::NoRelay`].
    pub fn relay_exchange(&self) -> Result<RelayLink, RelayError> {
        let step =
            self.read(|vault, _| Ok(vault.state.relay.as_ref().map(|relay| if relay.claim.is_some() { Step::Claim } else { Step::Pull })))?;
        Ok(RelayLink {
            unlocked: self.clone(),
            step: step.ok_or(RelayError::NoRelay)?,
            report: RelayReport::default(),
            offset: 0,
            corrected: false,
            keys_at: 0,
            announce_only: false,
            turns_before: 0,
            announce_tries: 0,
            keys_forced: false,
            is_refused: false,
            control_at: 0,
            rows: Vec::new(),
            is_reread: false,
        })
    }
}

impl RelayLink {
    /// What happened so far.
    pub const fn report(&self) -> &RelayReport {
        &self.report
    }

    /// The next request, or none when the exchange is over. Ask once per answer.
    pub fn next_request(&mut self) -> Result<Option<(Endpoint, Vec<u8>)>, RelayError> {
        loop {
            if self.report.requests >= REQUESTS_MAX_COUNT {
                return Err(RelayError::NoProgress);
            }
            let (keys_at, offset, announce_only) = (self.keys_at, self.offset, self.announce_only);
            let made = match &self.step {
                Step::Done => return Ok(None),
                Step::Claim => Some(self.unlocked.read(|vault, _| vault.claim_request(offset))?),
                Step::Pull => Some(self.unlocked.read(|vault, _| vault.pull_request(keys_at, offset, announce_only))?),
                Step::Fetch { day, wanted, .. } => {
                    let (day, ids) = (*day, wanted.iter().take(FETCH_MAX_COUNT).copied().collect());
                    Some(self.unlocked.read(|vault, _| vault.fetch_request(keys_at, offset, day, ids))?)
                }
                Step::Announce => {
                    let tries = self.announce_tries;
                    self.unlocked.write(|vault, tx| vault.announce_request(tx, keys_at, offset, tries))?
                }
                Step::Keys => {
                    let control_at = self.control_at;
                    self.unlocked.read(|vault, _| vault.keys_request(offset, control_at))?
                }
                Step::Push { .. } => {
                    let batch = self.unlocked.write(|vault, tx| vault.push_batch(tx))?;
                    self.rows = batch.rows;
                    let is_empty = self.rows.is_empty();
                    self.step =
                        Step::Push { bodies: batch.bodies, operations: batch.operations, frontier: batch.frontier, last: batch.last };
                    if is_empty { None } else { Some(self.unlocked.read(|vault, _| vault.push_request(keys_at, offset, &self.rows))?) }
                }
                Step::Delete(_) => {
                    let (rows, request) = self.unlocked.write(|vault, tx| vault.delete_request(tx, offset))?;
                    self.step = Step::Delete(rows);
                    request
                }
                Step::Pending => self.unlocked.read(|vault, _| vault.pending_request(keys_at, offset))?,
                Step::Veto(rows, _) => {
                    let rows = rows.clone();
                    Some(self.unlocked.read(|vault, _| vault.veto_request(keys_at, offset, rows))?)
                }
            };
            if let Some(request) = made {
                self.report.requests += 1;
                return Ok(Some(request));
            }
            self.step = match &self.step {
                Step::Announce => Step::Keys,
                Step::Keys => Step::Push { bodies: Vec::new(), operations: Vec::new(), frontier: None, last: false },
                Step::Push { .. } => Step::Delete(Vec::new()),
                Step::Delete(_) => Step::Pending,
                _ => {
                    self.finish()?;
                    Step::Done
                }
            };
        }
    }

    fn finish(&self) -> Result<(), Error> {
        let offset = self.offset;
        self.unlocked.write(|vault, tx| {
            // the relay took requests of this time for fresh: it agrees with it
            let time = vault.env.now().seconds().saturating_add_signed(offset);
            vault.confirm_time(time)?;
            vault.end_pull(tx)?;
            vault.note_gaps(tx)?;
            vault.forget_stale_rows(tx)?;
            vault.note_meeting()?;
            vault.tend(tx).map(|_| ())
        })
    }

    /// Takes the answer to the last request. Errors: [`RelayError`]; the exchange is then over.
    pub fn receive(&mut self, answer: &RelayAnswer) -> Result<(), RelayError> {
        let body = match answer {
            RelayAnswer::Ok(body) => body,
            RelayAnswer::Problem { code, relay_time } => return self.refused(*code, *relay_time),
        };
        let step = std::mem::replace(&mut self.step, Step::Done);
        self.step = match step {
            Step::Claim => {
                Done::from_bytes(body).map_err(|_| RelayError::Malformed)?;
                self.unlocked.write(|vault, _| vault.claimed())?;
                Step::Pull
            }
            Step::Pull => {
                let pulled = Pulled::from_bytes(body).map_err(|_| RelayError::Malformed)?;
                self.pulled(pulled)?
            }
            Step::Fetch { day, wanted, then } => {
                let pulled = Pulled::from_bytes(body).map_err(|_| RelayError::Malformed)?;
                self.fetched(day, wanted, then, pulled)?
            }
            Step::Announce => {
                let pushed = Pushed::from_bytes(body).map_err(|_| RelayError::Malformed)?;
                self.unlocked.write(|vault, tx| vault.announced(tx, &pushed))?;
                self.announce_tries = 0;
                Step::Announce
            }
            Step::Keys => {
                let done = Done::from_bytes(body).map_err(|_| RelayError::Malformed)?;
                self.unlocked.write(|vault, _| vault.keys_changed(done.generation))?;
                self.keys_at = 0;
                if std::mem::take(&mut self.is_refused) {
                    Step::Pull
                } else {
                    Step::Push { bodies: Vec::new(), operations: Vec::new(), frontier: None, last: false }
                }
            }
            Step::Push { bodies, operations, frontier, last } => {
                let pushed = Pushed::from_bytes(body).map_err(|_| RelayError::Malformed)?;
                let rows = std::mem::take(&mut self.rows);
                self.report.pushed += rows.len();
                self.unlocked.write(|vault, tx| vault.pushed(tx, &pushed, &rows, &bodies, &operations, frontier))?;
                if last {
                    Step::Delete(Vec::new())
                } else {
                    Step::Push { bodies: Vec::new(), operations: Vec::new(), frontier: None, last: false }
                }
            }
            Step::Delete(sent) => {
                let scheduled = Scheduled::from_bytes(body).map_err(|_| RelayError::Malformed)?;
                self.report.deletions += sent.len();
                self.unlocked.write(|vault, _| {
                    vault.deletion_scheduled(scheduled.day, &sent);
                    Ok(())
                })?;
                Step::Pending
            }
            Step::Pending => {
                let pending = PendingRows::from_bytes(body).map_err(|_| RelayError::Malformed)?;
                let waiting: Vec<RowName> = pending.batches.iter().flat_map(|batch| &batch.rows).copied().collect();
                let veto = self.unlocked.write(|vault, tx| vault.rows_to_veto(tx, &waiting))?;
                if veto.is_empty() { self.checked(pending.today)? } else { Step::Veto(veto, pending.today) }
            }
            Step::Veto(rows, today) => {
                Vetoed::from_bytes(body).map_err(|_| RelayError::Malformed)?;
                self.report.vetoes += rows.len();
                self.checked(today)?
            }
            Step::Done => return Err(RelayError::Malformed),
        };
        Ok(())
    }

    fn checked(&mut self, today: UtcDay) -> Result<Step, RelayError> {
        // a relay that names a day far ahead must not stop the looking
        let own = self.unlocked.env().now().seconds().saturating_add_signed(self.offset);
        let day = today.min(UtcDay::of_unix_seconds(own));
        self.unlocked.write(|vault, _| {
            vault.deletions_checked(day);
            Ok(())
        })?;
        self.finish()?;
        Ok(Step::Done)
    }

    fn refused(&mut self, code: ProblemCode, relay_time: Option<u64>) -> Result<(), RelayError> {
        match (code, relay_time) {
            (ProblemCode::ClockSkew, Some(time)) if !self.corrected => {
                self.corrected = true;
                let now = self.unlocked.env().now().seconds();
                self.offset = i64::try_from(time).unwrap_or(i64::MAX).saturating_sub(i64::try_from(now).unwrap_or(i64::MAX));
                return Ok(());
            }
            // perhaps the relay still has the access keys of another turn
            (ProblemCode::Refused, _) if matches!(self.step, Step::Pull | Step::Push { .. } | Step::Announce) => {
                let known = self.unlocked.read(|vault, _| Ok(vault.keyring.remembered().len()))?;
                if self.keys_at + 1 < known {
                    self.keys_at += 1;
                    return Ok(());
                }
                // the keys there may be of a turn that this device never got: whoever holds the control key mends that
                if matches!(self.step, Step::Pull) && !self.keys_forced {
                    self.keys_forced = true;
                    let offset = self.offset;
                    if self.unlocked.read(|vault, _| vault.keys_request(offset, 0))?.is_some() {
                        (self.step, self.is_refused) = (Step::Keys, true);
                        return Ok(());
                    }
                }
                // away for long: an earlier key still reads announcements, and one of them may be for this device
                if matches!(self.step, Step::Pull) && !self.announce_only {
                    (self.announce_only, self.keys_at, self.turns_before) = (true, 0, self.report.turns);
                    return Ok(());
                }
            }
            // somebody was faster: see their turn first
            (ProblemCode::NotNewest, _) if matches!(self.step, Step::Announce) && self.announce_tries <= ANNOUNCED_MAX_COUNT => {
                self.announce_tries += 1;
                self.unlocked.write(|vault, _| {
                    if let Some(relay) = &mut vault.state.relay {
                        relay.try_another_newest();
                    }
                    Ok(())
                })?;
                self.step = Step::Pull;
                return Ok(());
            }
            // the relay may still have the control key before this one
            (ProblemCode::Refused, _)
                if matches!(self.step, Step::Keys)
                    && self.control_at + 1 < self.unlocked.read(|vault, _| Ok(vault.keyring.controls().len()))? =>
            {
                self.control_at += 1;
                return Ok(());
            }
            // keys that this device may not set, or that another steward has set: what waits is pushed all the same
            (ProblemCode::Superseded | ProblemCode::Refused, _) if matches!(self.step, Step::Keys) && self.is_refused => {
                (self.step, self.is_refused) = (Step::Pull, false);
                return Ok(());
            }
            (ProblemCode::Superseded | ProblemCode::Refused, _) if matches!(self.step, Step::Keys) && !self.announce_only => {
                self.step = Step::Push { bodies: Vec::new(), operations: Vec::new(), frontier: None, last: false };
                return Ok(());
            }
            // claimed before, by this device (an answer was lost) or by a colleague's
            (ProblemCode::Superseded, _) if matches!(self.step, Step::Claim) => {
                self.unlocked.write(|vault, _| vault.claimed())?;
                self.step = Step::Pull;
                return Ok(());
            }
            // the day has its batch, or another steward holds the control key by now
            (ProblemCode::Superseded | ProblemCode::Refused, _) if matches!(self.step, Step::Delete(_)) => {
                let own = self.unlocked.env().now().seconds().saturating_add_signed(self.offset);
                self.unlocked.write(|vault, _| {
                    vault.deletion_scheduled(UtcDay::of_unix_seconds(own), &[]);
                    Ok(())
                })?;
                self.step = Step::Pending;
                return Ok(());
            }
            (ProblemCode::Refused, _) if matches!(self.step, Step::Pending | Step::Veto(..)) => {
                self.finish()?;
                self.step = Step::Done;
                return Ok(());
            }
            _ => {}
        }
        self.step = Step::Done;
        Err(RelayError::Refused(code))
    }

    fn pulled(&mut self, pulled: Pulled) -> Result<Step, RelayError> {
        let count = pulled.rows.len();
        self.report.pulled += count;
        let announce_only = self.announce_only;
        let before = self.unlocked.read(|vault, _| {
            Ok(vault.state.relay.as_ref().and_then(|relay| if announce_only { relay.announce_cursor } else { relay.cursor }))
        })?;
        if let (Some(listing), Some(cursor)) = (&pulled.listing, pulled.cursor) {
            let known = self.unlocked.read(|vault, _| Ok(vault.progress().rows.clone()))?;
            let wanted: Vec<RowId> = listing.iter().filter(|id| !known.contains(id)).copied().collect();
            // the cursor must be that of the listed day, or it would skip what was never seen
            if DayFingerprint::of(listing).value() != cursor.fingerprint {
                return Err(RelayError::Malformed);
            }
            return Ok(if wanted.is_empty() {
                self.moved(cursor, pulled.more)?
            } else {
                Step::Fetch { day: cursor.day, wanted, then: cursor }
            });
        }
        self.take(&pulled.rows)?;
        match pulled.cursor {
            Some(cursor) if pulled.more && before == Some(cursor) && count == 0 => {
                self.moved(cursor, false)?;
                Err(RelayError::NoProgress)
            }
            Some(cursor) => self.moved(cursor, pulled.more),
            None if pulled.more || announce_only => Err(RelayError::NoProgress),
            None => self.pulled_all(),
        }
    }

    /// Nothing more to read, unless wire pages list what came too early to be understood.
    fn pulled_all(&mut self) -> Result<Step, RelayError> {
        let may_read_again = !self.is_reread;
        let (missing, again) = self.unlocked.write(|vault, tx| vault.directory_gap(tx, may_read_again))?;
        if again {
            self.is_reread = true;
            self.unlocked.write(|vault, _| {
                if let Some(relay) = &mut vault.state.relay {
                    relay.cursor = None;
                }
                vault.progress_mut().rows.clear();
                vault.state.is_pull_incomplete = false;
                Ok(())
            })?;
            return Ok(Step::Pull);
        }
        self.report.missing += missing;
        Ok(Step::Announce)
    }

    fn moved(&mut self, cursor: Cursor, more: bool) -> Result<Step, RelayError> {
        let announce_only = self.announce_only;
        self.unlocked.write(|vault, _| {
            match &mut vault.state.relay {
                Some(relay) if announce_only => relay.announce_cursor = Some(cursor),
                _ => vault.move_cursor(cursor),
            }
            Ok(())
        })?;
        if more {
            return Ok(Step::Pull);
        }
        if announce_only {
            if self.report.turns == self.turns_before {
                return Err(RelayError::Refused(ProblemCode::Refused));
            }
            // brought up to the newest turn: now everything else
            (self.announce_only, self.keys_at) = (false, 0);
            return Ok(Step::Pull);
        }
        self.pulled_all()
    }

    fn fetched(&mut self, day: satchel_wire::UtcDay, mut wanted: Vec<RowId>, then: Cursor, pulled: Pulled) -> Result<Step, RelayError> {
        let came: BTreeSet<RowId> = pulled.rows.iter().map(Row::id).collect();
        let before = wanted.len();
        wanted.retain(|id| !came.contains(id));
        if wanted.len() == before {
            // a row that was damaged on the relay's disk, or is kept back, must not hold up everything after it
            self.report.missing += wanted.len();
            return self.moved(then, true);
        }
        self.report.pulled += pulled.rows.len();
        self.take(&pulled.rows)?;
        Ok(if wanted.is_empty() { self.moved(then, true)? } else { Step::Fetch { day, wanted, then } })
    }

    fn take(&mut self, rows: &[Row]) -> Result<(), RelayError> {
        if rows.is_empty() && self.announce_only {
            // an announcement that waits may open by now, with what a colleague's phone brought
            self.report.turns += self.unlocked.write(|vault, tx| vault.take_parts(tx, &[]))?;
        }
        // small transactions: a phone that is killed half-way keeps what it took, and asks for the rest again
        for rows in rows.chunks(128) {
            let (acceptance, turns) = self.unlocked.write(|vault, tx| vault.take_relay_rows(tx, rows))?;
            self.report.turns += turns;
            let total = &mut self.report.rows;
            total.applied += acceptance.applied;
            total.known += acceptance.known;
            total.held += acceptance.held;
            total.refused += acceptance.refused;
            total.thrown_away += acceptance.thrown_away;
            for code in acceptance.codes {
                if !total.codes.contains(&code) {
                    total.codes.push(code);
                }
            }
        }
        Ok(())
    }
}

/// Where a request goes, and its bytes.
type Request = (Endpoint, Vec<u8>);

/// What the next push carries.
struct Batch {
    rows: Vec<Row>,
    bodies: Vec<BodyId>,
    operations: Vec<OperationId>,
    frontier: Option<u64>,
    last: bool,
}

impl Vault {
    fn relay(&self) -> Result<&RelaySettings, Error> {
        self.state.relay.as_ref().ok_or(Error::NoSuchRecord)
    }

    fn freshness(&self, offset: i64) -> Freshness {
        Freshness { time: self.env.now().seconds().saturating_add_signed(offset), nonce: self.env.random() }
    }

    /// Access keys to try: those that the relay is thought to have first, then the newest.
    fn access(&self, at: usize) -> Result<&Remembered, Error> {
        let keys_of = self.relay()?.keys_of;
        let thought = self.keyring.remembered().iter().position(|known| Some(known.turn) == keys_of).unwrap_or(0);
        let order = std::iter::once(thought).chain((0..self.keyring.remembered().len()).filter(|index| *index != thought));
        order.clone().nth(at).and_then(|index| self.keyring.remembered().get(index)).ok_or(Error::NoTurn)
    }

    fn signed<F: Frame>(endpoint: Endpoint, frame: &F, seed: &Seed) -> (Endpoint, Vec<u8>) {
        let body = frame.to_bytes();
        // Ed25519 over label ‖ 0x00 ‖ path ‖ 0x00 ‖ body, as the wire says
        let mut message = endpoint.path().as_bytes().to_vec();
        message.push(0);
        message.extend_from_slice(&body);
        let signature = *SigningKey::from_seed(seed.expose()).sign(labels::SIGN_REQUEST, &message).as_bytes();
        (endpoint, Signed { body, signature }.to_bytes())
    }

    fn access_keys(known: &Remembered) -> AccessKeys {
        let public = |seed: &Seed| *SigningKey::from_seed(seed.expose()).verifying_key().as_bytes();
        AccessKeys { pull: public(&known.pull), push: public(&known.push) }
    }

    fn claim_request(&self, offset: i64) -> Result<(Endpoint, Vec<u8>), Error> {
        let relay = self.relay()?;
        let control = self.keyring.control().ok_or(Error::Role)?;
        let claim = Claim {
            mailbox: relay.mailbox,
            secret: relay.claim.ok_or(Error::Damaged)?,
            control: *SigningKey::from_seed(control.expose()).verifying_key().as_bytes(),
            keys: Self::access_keys(self.keyring.remembered().first().ok_or(Error::NoTurn)?),
            freshness: self.freshness(offset),
        };
        Ok(Self::signed(Endpoint::Claim, &claim, control))
    }

    fn claimed(&mut self) -> Result<(), Error> {
        let keys_of = self.keyring.remembered().first().map(|known| known.turn);
        if let Some(relay) = &mut self.state.relay {
            relay.claim = None;
            relay.keys_of = keys_of;
        }
        Ok(())
    }

    fn pull_request(&self, at: usize, offset: i64, announce_only: bool) -> Result<(Endpoint, Vec<u8>), Error> {
        let relay = self.relay()?;
        let (cursor, lane) = if announce_only { (relay.announce_cursor, Some(Lane::Announce)) } else { (relay.cursor, None) };
        let pull = Pull { mailbox: relay.mailbox, cursor, max_bytes: PULL_MAX_BYTES as u32, lane, freshness: self.freshness(offset) };
        Ok(Self::signed(Endpoint::Pull, &pull, &self.access(at)?.pull))
    }

    fn fetch_request(&self, at: usize, offset: i64, day: satchel_wire::UtcDay, ids: Vec<RowId>) -> Result<(Endpoint, Vec<u8>), Error> {
        let fetch = Fetch { mailbox: self.relay()?.mailbox, day, ids, freshness: self.freshness(offset) };
        Ok(Self::signed(Endpoint::Rows, &fetch, &self.access(at)?.pull))
    }

    fn announce_request(
        &mut self,
        tx: &Transaction<'_>,
        at: usize,
        offset: i64,
        tries: usize,
    ) -> Result<Option<(Endpoint, Vec<u8>)>, Error> {
        self.join_turns(tx)?;
        self.queue_boxes_due(tx)?;
        let mut waiting = None;
        tx.for_each_outbox::<Error>(|number, sealed| {
            if waiting.is_none() {
                waiting = Some((number, open_value(&self.values, ANNOUNCEMENT, &[], sealed)?));
            }
            Ok(())
        })?;
        // the first turn was never announced to anybody but this device; a relay needs no announcement of it
        let Some((_, bytes)) = waiting else { return Ok(None) };
        let rows = announcement::split(&bytes).map_err(|_| TurnError::Seal)?;
        let relay = self.relay()?;
        // a relay that was put back to its beginning has none at all
        let on_top_of = relay.newest.filter(|_| tries <= relay.others.len());
        let announce = Announce { mailbox: relay.mailbox, rows, on_top_of, cursor: relay.cursor, freshness: self.freshness(offset) };
        Ok(Some(Self::signed(Endpoint::Announce, &announce, &self.access(at)?.push)))
    }

    /// Somebody else's turn came first: one on top of both is announced instead of ours, sealed to the receiving keys
    /// that its recipients have promised since.
    fn join_turns(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
        let mut waiting = Vec::new();
        tx.for_each_outbox::<Error>(|number, _| {
            waiting.push(number);
            Ok(())
        })?;
        let readable = self.keyring.book.held().filter(|held| held.secret.reads_records()).count();
        if waiting.is_empty() || readable < 2 {
            return Ok(());
        }
        for number in waiting {
            tx.remove_outbox(number)?;
        }
        self.start_turn(tx).map(|_| ())
    }

    fn announced(&mut self, tx: &Transaction<'_>, pushed: &Pushed) -> Result<(), Error> {
        let mut first = None;
        tx.for_each_outbox::<Error>(|number, sealed| {
            if first.is_none() {
                first = Some((number, open_value(&self.values, ANNOUNCEMENT, &[], sealed)?));
            }
            Ok(())
        })?;
        let Some((number, bytes)) = first else { return Ok(()) };
        tx.remove_outbox(number)?;
        let rows = announcement::split(&bytes).map_err(|_| TurnError::Seal)?;
        self.note_pushed_rows(pushed, &rows);
        if let Some(relay) = &mut self.state.relay {
            relay.note_announcement(AnnouncementId::of(&bytes));
        }
        Ok(())
    }

    /// The access keys of the turn in use, and with them the control key in force, signed by the one that the relay has.
    fn keys_request(&self, offset: i64, control_at: usize) -> Result<Option<(Endpoint, Vec<u8>)>, Error> {
        let relay = self.relay()?;
        let (Some(control), Some(newest)) = (self.keyring.control(), self.keyring.remembered().first()) else { return Ok(None) };
        let usable = self.keyring.book.usable(&self.keyring.log).map(|held| held.turn.id());
        if relay.keys_of == Some(newest.turn) || usable != Some(newest.turn) {
            return Ok(None);
        }
        let public = *SigningKey::from_seed(control.expose()).verifying_key().as_bytes();
        // turns begun at once share a number: the same one of them wins here as on every phone, whoever asks first
        let id = newest.turn.as_bytes();
        let generation =
            (u64::from(self.keyring.book.number(&newest.turn)) << 32) | u64::from(u32::from_be_bytes([id[0], id[1], id[2], id[3]]));
        let change = KeyChange {
            mailbox: relay.mailbox,
            generation,
            keys: Self::access_keys(newest),
            control: public,
            freshness: self.freshness(offset),
        };
        let signed_by = self.keyring.controls().get(control_at).copied().unwrap_or(control);
        Ok(Some(Self::signed(Endpoint::Keys, &change, signed_by)))
    }

    fn keys_changed(&mut self, generation: u64) -> Result<(), Error> {
        let newest = self.keyring.remembered().first().map(|known| known.turn);
        if let Some(relay) = &mut self.state.relay {
            relay.generation = generation;
            relay.keys_of = newest;
        }
        self.keyring.forget_earlier_controls();
        Ok(())
    }

    fn push_request(&self, at: usize, offset: i64, rows: &[Row]) -> Result<(Endpoint, Vec<u8>), Error> {
        let relay = self.relay()?;
        let push = Push { mailbox: relay.mailbox, rows: rows.to_vec(), cursor: relay.cursor, freshness: self.freshness(offset) };
        Ok(Self::signed(Endpoint::Push, &push, &self.access(at)?.push))
    }

    fn today_at_relay(&self, offset: i64) -> UtcDay {
        UtcDay::of_unix_seconds(self.env.now().seconds().saturating_add_signed(offset))
    }

    fn delete_request(&mut self, tx: &Transaction<'_>, offset: i64) -> Result<(Vec<RowName>, Option<Request>), Error> {
        let rows = self.deletion_batch(tx, self.today_at_relay(offset))?;
        let relay = self.relay()?;
        let Some(control) = self.keyring.control().filter(|_| !rows.is_empty()) else { return Ok((Vec::new(), None)) };
        let deletion = Deletion { mailbox: relay.mailbox, rows: rows.clone(), freshness: self.freshness(offset) };
        let request = Self::signed(Endpoint::Delete, &deletion, control);
        Ok((rows, Some(request)))
    }

    fn pending_request(&self, at: usize, offset: i64) -> Result<Option<(Endpoint, Vec<u8>)>, Error> {
        let Some(since) = self.deletions_to_check(self.today_at_relay(offset)) else { return Ok(None) };
        let pending = Pending { mailbox: self.relay()?.mailbox, since, freshness: self.freshness(offset) };
        Ok(Some(Self::signed(Endpoint::Pending, &pending, &self.access(at)?.pull)))
    }

    fn veto_request(&self, at: usize, offset: i64, rows: Vec<RowName>) -> Result<(Endpoint, Vec<u8>), Error> {
        let veto = Veto { mailbox: self.relay()?.mailbox, rows, freshness: self.freshness(offset) };
        Ok(Self::signed(Endpoint::Veto, &veto, &self.access(at)?.pull))
    }

    /// What the relay lacks, one push at a time: operations and the frontier first, then bodies.
    fn push_batch(&mut self, tx: &Transaction<'_>) -> Result<Batch, Error> {
        let mut batch = Batch { rows: Vec::new(), bodies: Vec::new(), operations: Vec::new(), frontier: None, last: true };
        if self.state.is_copied || self.role().is_err() {
            return Ok(batch);
        }
        // the board has nothing to freeze; its operations and its frontier go out all the same
        self.freeze(tx)?;
        let unsent: Vec<BodyId> = {
            let lines = self.ledger(tx)?.lines().filter(|line| line.is_here() && !line.is_relayed());
            lines.map(|line: &Line| line.body).collect()
        };
        let operations: Vec<Operation> =
            self.keyring.log.operations().filter(|operation| !self.progress().operations.contains(&operation.id())).cloned().collect();
        let frontier = self.frontier_to_push(tx)?;
        let asks = self.asks_to_push(tx)?;
        let is_directory_due = self.is_directory_due(tx)?;
        if unsent.is_empty() && operations.is_empty() && frontier.is_none() && asks.is_none() {
            if is_directory_due {
                (batch.rows, batch.last) = self.directory_rows(tx, PUSH_MAX_BYTES)?;
            }
            return Ok(batch);
        }
        if self.require_writer().is_ok() {
            self.usable_turn(tx)?;
        }
        let commons = self.keyring.notice_secret().ok_or(Error::NoTurn)?;
        for operations in operations.chunks(8) {
            let notice =
                Notice { operations: operations.iter().map(|operation| operation.to_bytes().into()).collect(), ..Notice::default() };
            batch.rows.push(notice.seal(&self.env, self.team(), &commons).map_err(|_| Error::TooMany)?);
            batch.operations.extend(operations.iter().map(Operation::id));
        }
        if let Some((hash, notice)) = frontier {
            let notice = Notice { frontiers: vec![notice], ..Notice::default() };
            batch.rows.push(notice.seal(&self.env, self.team(), &commons).map_err(|_| Error::TooMany)?);
            batch.frontier = Some(hash);
        }
        if asks.is_some() {
            let notice = Notice { asks, ..Notice::default() };
            batch.rows.push(notice.seal(&self.env, self.team(), &commons).map_err(|_| Error::TooMany)?);
        }
        if unsent.is_empty() {
            return Ok(batch);
        }
        let room = PUSH_ROWS_MAX_COUNT.saturating_sub(batch.rows.len()).min(1_024);
        let covered = self.cover_bodies(tx, unsent.get(..room.min(unsent.len())).unwrap_or(&unsent), PUSH_MAX_BYTES)?;
        batch.bodies = unsent.iter().take(covered.done).copied().collect();
        // wire pages list what is at the relay: they leave after it
        batch.last = covered.done == unsent.len() && !is_directory_due;
        batch.rows.extend(covered.rows);
        Ok(batch)
    }

    /// The own frontier, when something in it that colleagues wait for has changed since it was last pushed.
    fn frontier_to_push(&mut self, tx: &Transaction<'_>) -> Result<Option<(u64, FrontierNotice)>, Error> {
        let bytes = self.own_frontier(tx)?;
        let frontier = crate::team::Frontier::from_bytes(&bytes).map_err(|_| Error::Damaged)?;
        let content = frontier.content();
        let parts = [
            cbor::encode(&content.log_heads),
            content.receiving.to_vec(),
            cbor::encode(&content.own),
            content.day.days().to_le_bytes().to_vec(),
            content.turn.unwrap_or_default().to_vec(),
        ];
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let hash = crypto::derive_id(labels::CHAIN_DIGEST, &parts);
        let hash = u64::from_le_bytes(hash.first_chunk().copied().unwrap_or_default());
        if hash == self.progress().frontier {
            return Ok(None);
        }
        Ok(Some((hash, FrontierNotice { frontier: bytes, receiving: Some(self.own_receiving_key()?) })))
    }

    fn pushed(
        &mut self,
        tx: &Transaction<'_>,
        pushed: &Pushed,
        rows: &[Row],
        bodies: &[BodyId],
        operations: &[OperationId],
        frontier: Option<u64>,
    ) -> Result<(), Error> {
        let ledger = self.ledger(tx)?;
        bodies.iter().for_each(|body| ledger.mark_relayed(body, true));
        self.progress_mut().operations.extend(operations.iter().copied());
        if let Some(frontier) = frontier {
            self.progress_mut().frontier = frontier;
        }
        self.note_pushed_rows(pushed, rows);
        self.note_rows(tx, rows)?;
        self.directory_pushed(tx, rows)
    }

    fn note_pushed_rows(&mut self, pushed: &Pushed, rows: &[Row]) {
        if let Some(cursor) = pushed.cursor {
            self.move_cursor(cursor);
        }
        if self.state.relay.as_ref().is_some_and(|relay| relay.cursor.is_some_and(|cursor| cursor.day == pushed.day)) {
            self.progress_mut().rows.extend(rows.iter().map(Row::id));
        }
    }

    fn move_cursor(&mut self, cursor: Cursor) {
        let before = self.state.relay.as_ref().and_then(|relay| relay.cursor);
        if before.is_some_and(|before| before.day != cursor.day) {
            self.progress_mut().rows.clear();
        }
        if let Some(relay) = &mut self.state.relay {
            relay.cursor = Some(cursor);
        }
    }

    /// Takes rows that a relay handed out. Returns what became of record rows, and how many turns were adopted.
    fn take_relay_rows(&mut self, tx: &Transaction<'_>, rows: &[Row]) -> Result<(Acceptance, usize), Error> {
        let (announce, rest): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.lane() == Lane::Announce);
        let turns = self.take_parts(tx, &announce)?;
        let mut rest: Vec<Row> = rest.into_iter().cloned().collect();
        // operations before what rests on them
        rest.sort_by_key(Row::lane);
        let acceptance = self.accept_rows(tx, &rest)?;
        let ledger = self.ledger(tx)?;
        acceptance.bodies.iter().for_each(|body| ledger.mark_relayed(body, true));
        self.note_rows(tx, &rest)?;
        self.progress_mut().rows.extend(rows.iter().map(Row::id));
        Ok((acceptance, turns))
    }

    /// Joins parts of announcements, the waiting ones included, and adopts what can be adopted.
    fn take_parts(&mut self, tx: &Transaction<'_>, rows: &[&Row]) -> Result<usize, Error> {
        let waiting: Vec<minicbor::bytes::ByteVec> = self.extra(tx, PARTS)?.unwrap_or_default();
        let fresh: BTreeSet<AnnouncementId> = rows.iter().filter_map(|row| Part::parse(row).ok()).map(|part| part.announcement).collect();
        if rows.is_empty() && waiting.is_empty() {
            return Ok(0);
        }
        let all = waiting.into_iter().filter_map(|bytes| Row::parse(bytes.into()).ok()).chain(rows.iter().map(|row| (*row).clone()));
        let mut sets: BTreeMap<AnnouncementId, Vec<(Row, Part)>> = BTreeMap::new();
        let mut order: Vec<AnnouncementId> = Vec::new();
        for row in all {
            if let Ok(part) = Part::parse(&row) {
                if !order.contains(&part.announcement) {
                    order.push(part.announcement);
                }
                sets.entry(part.announcement).or_default().push((row, part));
            }
        }
        let mut turns = 0;
        // they come in no meaningful order, and each rests on earlier ones: go round until nothing more opens
        loop {
            let before = turns;
            let mut open = Vec::new();
            for id in order {
                let Some(set) = sets.get(&id) else { continue };
                let parts: Vec<Part> = set.iter().map(|(_, part)| part.clone()).collect();
                let is_settled = match announcement::join(&parts) {
                    Err(_) => true,
                    Ok(None) => false,
                    Ok(Some(bytes)) => {
                        // what waited here was seen before: something newer may be there by now
                        if let Some(relay) = self.state.relay.as_mut().filter(|_| fresh.contains(&id)) {
                            relay.note_announcement(id);
                        }
                        match self.accept_announcement(tx, &bytes)? {
                            Ok(Adoption::Adopted) => {
                                turns += 1;
                                true
                            }
                            // a box may still come, or what it rests on
                            Err(TurnError::UnknownPast) => false,
                            Ok(Adoption::Known) | Err(_) => true,
                        }
                    }
                };
                if !is_settled {
                    open.push(id);
                }
            }
            order = open;
            if turns == before {
                break;
            }
        }
        let mut keep: Vec<minicbor::bytes::ByteVec> = Vec::new();
        for set in order.iter().filter_map(|id| sets.remove(id)) {
            if keep.len() + set.len() <= PARTS_MAX_COUNT {
                keep.extend(set.into_iter().map(|(row, _)| row.into_bytes().into()));
            }
        }
        self.put_extra(tx, PARTS, &keep)?;
        Ok(turns)
    }

    /// Opens a notice of the commons lane with any turn held. False: no turn here opens it.
    pub(super) fn accept_notice(&mut self, tx: &Transaction<'_>, row: &Row) -> Result<bool, Error> {
        let opened = self.keyring.open_notice(row);
        let Some(notice) = opened else { return Ok(false) };
        let operations: Vec<Vec<u8>> = notice.operations.into_iter().map(Into::into).collect();
        let ids: Vec<OperationId> =
            operations.iter().filter_map(|bytes| Operation::from_bytes(bytes).ok()).map(|operation| operation.id()).collect();
        self.merge_operations(tx, &operations)?;
        // The relay has them: they need not be pushed again. What waits or is refused here is no operation of this log,
        // and whether the relay keeps it is another question.
        let known: Vec<OperationId> = ids.into_iter().filter(|id| self.keyring.log.operation(id).is_some()).collect();
        self.progress_mut().operations.extend(known);
        if let Some(asks) = &notice.asks {
            self.answer_asks(tx, asks)?;
        }
        for known in &notice.frontiers {
            self.take_frontier(tx, &known.frontier, known.receiving.as_deref())?;
        }
        Ok(true)
    }
}
