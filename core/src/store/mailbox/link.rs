//! The order of an exchange, and what to do when the relay refuses.

use super::super::Unlocked;
use super::super::vault::ANNOUNCED_MAX_COUNT;
use super::news::Whom;
use super::{FETCH_MAX_COUNT, REQUESTS_MAX_COUNT, RelayAnswer, RelayError, RelayReport};
use crate::error::Error;
use satchel_wire::UtcDay;
use satchel_wire::frame::{Cursor, Done, Endpoint, Frame, PendingRows, ProblemCode, Pulled, Pushed, Scheduled, Vetoed};
use satchel_wire::ids::{BodyId, OperationId, RowId, RowName};
use satchel_wire::row::Row;

/// A clock's offset is kept in such steps: half of one is well within [`REQUEST_SKEW_MAX_SECONDS`](satchel_wire::limits::REQUEST_SKEW_MAX_SECONDS).
const OFFSET_STEP_SECONDS: i64 = 600;

/// What a clock at `now` lacks to one that says `time` (Unix seconds): as coarse as a relay's patience allows. To the second it
/// would be a mark that a relay gives a phone, and that comes back on every connection.
pub(super) fn coarse_offset(time: u64, now: u64) -> i64 {
    let offset = i64::try_from(time).unwrap_or(i64::MAX).saturating_sub(i64::try_from(now).unwrap_or(i64::MAX));
    offset.saturating_add(OFFSET_STEP_SECONDS / 2).div_euclid(OFFSET_STEP_SECONDS).saturating_mul(OFFSET_STEP_SECONDS)
}

#[derive(Debug)]
pub(super) enum Step {
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
    pub(super) unlocked: Unlocked,
    /// Somebody asked for it, whatever the network costs.
    pub(super) is_by_hand: bool,
    pub(super) step: Step,
    pub(super) report: RelayReport,
    /// Seconds to add to this device's clock to get the relay's.
    pub(super) offset: i64,
    pub(super) corrected: bool,
    /// Which remembered turn's keys are tried.
    pub(super) keys_at: usize,
    /// No key is the newest: only announcements may be read, until one of them brings the newest turn.
    pub(super) announce_only: bool,
    /// Turns adopted when that began.
    pub(super) turns_before: usize,
    pub(super) announce_tries: usize,
    /// Every key was refused, and this device set the keys of the turn in use, or tried to.
    pub(super) keys_forced: bool,
    /// The keys step in hand comes from that, not from the ordinary order of steps.
    pub(super) is_refused: bool,
    /// Which of the control keys held here the relay is thought to have.
    pub(super) control_at: usize,
    /// Rows of the push in hand.
    pub(super) rows: Vec<Row>,
    /// The relay was read again from its beginning, for what wire pages list.
    pub(super) is_reread: bool,
    /// The pull was ended (T2 to T4): nothing has been taken from the relay since.
    pub(super) is_ended: bool,
}

impl std::fmt::Debug for RelayLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RelayLink")
    }
}
impl RelayLink {
    /// What happened so far.
    pub const fn report(&self) -> &RelayReport {
        &self.report
    }

    /// Begins with what an earlier exchange found out about this device's clock ([`Self::clock_offset`]).
    pub const fn with_clock_offset(mut self, seconds: i64) -> Self {
        self.offset = seconds;
        self
    }

    /// Seconds to add to this device's clock to get the relay's: 0 unless the relay refused its time.
    pub const fn clock_offset(&self) -> i64 {
        self.offset
    }

    /// The next request, or none when the exchange is over. Ask once per answer.
    pub fn next_request(&mut self) -> Result<Option<(Endpoint, Vec<u8>)>, RelayError> {
        loop {
            if self.report.requests >= REQUESTS_MAX_COUNT {
                return Err(RelayError::NoProgress);
            }
            if !self.is_by_hand && !matches!(self.step, Step::Done) {
                self.unlocked.check_network()?;
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
                    // before anything is said: what the end of the pull changes (turns destroyed, the receiving key) would
                    // otherwise be said by a second frontier
                    if !self.is_ended {
                        self.is_ended = true;
                        let is_announcement_waiting = self.unlocked.write(|vault, tx| {
                            vault.end_pull(tx)?;
                            vault.has_announcement_waiting(tx)
                        })?;
                        if is_announcement_waiting {
                            self.step = Step::Announce;
                            continue;
                        }
                    }
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
        let (offset, is_ended) = (self.offset, self.is_ended);
        self.unlocked.write(|vault, tx| {
            // the relay took requests of this time for fresh: it agrees with it
            let time = vault.env.now().seconds().saturating_add_signed(offset);
            vault.confirm_time(time)?;
            if !is_ended {
                vault.end_pull(tx)?;
            }
            vault.note_gaps(tx)?;
            vault.forget_stale_rows(tx)?;
            vault.note_meeting(Whom::Relay)?;
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
                if self.keys_at > 0 && !self.announce_only {
                    // these are the keys there: the next exchange begins with them
                    let keys_at = std::mem::take(&mut self.keys_at);
                    self.unlocked.write(|vault, _| vault.note_access(keys_at))?;
                }
                let pulled =
                    if body.is_empty() { self.nothing_new()? } else { Pulled::from_bytes(body).map_err(|_| RelayError::Malformed)? };
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
                self.offset = coarse_offset(time, now);
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
}

#[cfg(test)]
mod tests {
    use super::{OFFSET_STEP_SECONDS, coarse_offset};
    use proptest::prelude::*;
    use satchel_wire::limits::REQUEST_SKEW_MAX_SECONDS;

    proptest! {
        #[test]
        fn an_offset_is_near_enough_for_the_relay_and_says_little(now in 0_u64..8_000_000_000, time in 0_u64..8_000_000_000) {
            let offset = coarse_offset(time, now);
            prop_assert_eq!(offset % OFFSET_STEP_SECONDS, 0);
            let off = now.saturating_add_signed(offset).abs_diff(time);
            prop_assert!(off <= REQUEST_SKEW_MAX_SECONDS / 3, "{}", off);
        }
    }
}
