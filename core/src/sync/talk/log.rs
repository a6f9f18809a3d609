//! The team logs become one.
//!
//! Heads that agree say nothing more. Otherwise the side that knows the other's heads sends what lies
//! beyond them; if neither does, the listener sends the ids of its whole log, the dialer answers with what
//! is missing there and asks for what is missing here. Who spoke last leads from there.

use super::*;
use crate::sync::replica::Beyond;
use satchel_wire::limits::LOG_OPERATIONS_MAX_COUNT;
use std::collections::HashSet;

impl Talk {
    pub(super) fn merge<R: Replica>(&mut self, replica: &mut R, operations: Operations, report: &mut SessionReport) -> Outcome<R> {
        self.operations_count = self.operations_count.saturating_add(operations.operations.len());
        let brings_nothing = operations.operations.is_empty() && !operations.last;
        if brings_nothing || self.operations_count > 2 * LOG_OPERATIONS_MAX_COUNT {
            return Err(SessionFault::NoProgress.into());
        }
        if !operations.operations.is_empty() {
            let merged = replica.merge_operations(bytes_of(operations.operations)).map_err(SessionError::Replica)?;
            report.add_operations(merged);
        }
        Ok(())
    }

    /// Dialer, the other side proven: whether this log lacks the listener's heads.
    pub(super) fn tell_log_state<R: Replica>(&mut self, replica: &mut R) -> Outcome<R> {
        let beyond = replica.operations_beyond(&self.peer_heads).map_err(SessionError::Replica)?;
        let state = LogState { behind: beyond == Beyond::UnknownHeads };
        self.log_state = Some(state);
        self.say(Message::LogState(state));
        self.step = Step::LogAnswer;
        Ok(())
    }

    pub(super) fn on_log_state<R: Replica>(&mut self, replica: &mut R, state: LogState) -> Outcome<R> {
        self.log_state = Some(state);
        self.answer_log_state(replica)
    }

    /// Listener: once the dialer is proven and has told where its log stands.
    pub(super) fn answer_log_state<R: Replica>(&mut self, replica: &mut R) -> Outcome<R> {
        let Some(state) = self.log_state.filter(|_| self.proven) else { return Ok(()) };
        if !state.behind {
            self.say(Message::OperationsWanted(ids_message(&[], true)));
            self.step = Step::LogIncoming;
            return Ok(());
        }
        match replica.operations_beyond(&self.peer_heads).map_err(SessionError::Replica)? {
            Beyond::Known(ids) => {
                self.jobs.push_back(Job::Operations(Kind::Operations, ids, 0));
                self.lead_turns(replica)
            }
            Beyond::UnknownHeads => {
                let ids = replica.operation_ids().map_err(SessionError::Replica)?;
                self.jobs.push_back(Job::Ids(Kind::OperationIds, ids, 0));
                self.step = Step::LogFork;
                Ok(())
            }
        }
    }

    pub(super) fn on_operations<R: Replica>(&mut self, replica: &mut R, operations: Operations, report: &mut SessionReport) -> Outcome<R> {
        let last = operations.last;
        self.merge(replica, operations, report)?;
        match self.step {
            Step::LogFork => self.operations_ended = last,
            _ if last => return self.follow(),
            _ => self.step = Step::LogIncoming,
        }
        Ok(())
    }

    /// Dialer: neither side knows the other's heads.
    pub(super) fn on_operation_ids<R: Replica>(&mut self, replica: &mut R, ids: Ids) -> Outcome<R> {
        if !self.collect(ids)? {
            return Ok(());
        }
        let theirs = std::mem::take(&mut self.collected);
        let mine = replica.operation_ids().map_err(SessionError::Replica)?;
        let (their_set, my_set): (HashSet<_>, HashSet<_>) = (theirs.iter().copied().collect(), mine.iter().copied().collect());
        let missing_there = mine.into_iter().filter(|id| !their_set.contains(id)).collect();
        let missing_here = theirs.into_iter().filter(|id| !my_set.contains(id)).collect();
        self.jobs.push_back(Job::Operations(Kind::Operations, missing_there, 0));
        self.jobs.push_back(Job::Ids(Kind::OperationsWanted, missing_here, 0));
        self.step = Step::LogIncoming;
        Ok(())
    }

    pub(super) fn on_operations_wanted<R: Replica>(&mut self, replica: &mut R, ids: Ids) -> Outcome<R> {
        let ids = match self.step {
            Step::LogFork => {
                if !self.collect(ids)? {
                    return Ok(());
                }
                let wanted: HashSet<_> = std::mem::take(&mut self.collected).into_iter().collect();
                let mine = replica.operation_ids().map_err(SessionError::Replica)?;
                mine.into_iter().filter(|id| wanted.contains(id)).collect()
            }
            // dialer: the listener lets it send what lies beyond the listener's heads
            _ if ids.last && ids.ids.0.is_empty() => match replica.operations_beyond(&self.peer_heads).map_err(SessionError::Replica)? {
                Beyond::Known(ids) => ids,
                Beyond::UnknownHeads => replica.operation_ids().map_err(SessionError::Replica)?,
            },
            _ => return Err(SessionFault::Unexpected(Kind::OperationsWanted).into()),
        };
        self.jobs.push_back(Job::Operations(Kind::Operations, ids, 0));
        self.lead_turns(replica)
    }

    /// Collects ids over several messages; true after the last.
    fn collect(&mut self, ids: Ids) -> Result<bool, SessionFault> {
        if ids.ids.0.is_empty() && !ids.last {
            return Err(SessionFault::NoProgress);
        }
        self.collected.extend(ids.ids.0);
        if self.collected.len() > LOG_OPERATIONS_MAX_COUNT { Err(SessionFault::TooLarge) } else { Ok(ids.last) }
    }
}
