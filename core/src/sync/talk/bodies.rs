//! Bodies: what the other side lacks by its positions, then a comparison of everything.
//!
//! Both sides stream at the same time. The leader ends first; the follower ends after it, so exactly one
//! of the two knows that both have said all, and compares. Equal summaries end the session, others begin
//! the reconciliation ([`super::reconcile`]).

use super::*;
use crate::crypto::{derive_id, labels};
use std::collections::HashSet;

/// Where this step stands.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    /// There were rows to send.
    has_rows: bool,
    /// They are all produced.
    rows_ended: bool,
    /// This side has said so.
    pub(super) ended: bool,
    /// What the other side said at its end.
    pub(super) peer_summary: Option<Option<[u8; 16]>>,
    useful_count: usize,
    useless_count: usize,
    pub(super) wanted: HashSet<BodyId>,
    pub(super) offered: Vec<BodyId>,
}

impl Talk {
    pub(super) fn begin_bodies<R: Replica>(&mut self, replica: &mut R, report: &mut SessionReport) -> Outcome<R> {
        self.step = Step::Bodies;
        if !self.have_common_turn() {
            // no cover that either side makes would open at the other
            warn(report, Warning::NoCommonTurn);
            self.jobs.push_back(Job::RowsEnd);
            return Ok(());
        }
        if self.frontier_seen && !self.rolled_back {
            replica.freeze().map_err(SessionError::Replica)?;
        }
        // now, before any body of the other side is taken in, or it would be sent back
        let heads: Vec<(DeviceId, u32)> = self.peer_positions.iter().map(|position| (position.device, position.from)).collect();
        let ids = replica.bodies_beyond(&heads).map_err(SessionError::Replica)?;
        self.bodies.has_rows = !ids.is_empty();
        self.jobs.push_back(Job::Rows(ids, 0));
        self.jobs.push_back(Job::RowsEnd);
        Ok(())
    }

    pub(super) fn on_rows<R: Replica>(&mut self, replica: &mut R, rows: Rows, report: &mut SessionReport) -> Outcome<R> {
        if rows.rows.is_empty() {
            return Err(SessionFault::NoProgress.into());
        }
        report.received += rows.rows.len();
        let accepted = replica.accept_rows(rows.rows).map_err(SessionError::Replica)?;
        report.add_rows(accepted);
        self.bodies.useful_count += accepted.applied + accepted.held;
        self.bodies.useless_count += accepted.known + accepted.refused + accepted.thrown_away;
        if self.bodies.useless_count > self.bodies.useful_count + USELESS_ROWS_MAX_COUNT {
            return Err(SessionFault::NoProgress.into());
        }
        Ok(())
    }

    /// All rows of the first exchange are produced.
    pub(super) fn on_rows_end<R: Replica>(&mut self, replica: &mut R) -> Outcome<R> {
        self.bodies.rows_ended = true;
        if self.leads {
            // a summary is worth its bytes only if the other side may have nothing to add
            let summary = if self.peer_may_have_more() { None } else { Some(self.summary(replica)?) };
            self.say_bodies_sent(summary);
            return Ok(());
        }
        self.end_as_follower(replica)
    }

    fn peer_may_have_more(&self) -> bool {
        let ahead = |theirs: &Position| {
            let own = self.own_positions.iter().find(|own| own.device == theirs.device);
            theirs.from > own.map_or(0, |own| own.from)
        };
        !self.have_common_turn() || self.peer_positions.iter().any(ahead)
    }

    fn say_bodies_sent(&mut self, summary: Option<[u8; 16]>) {
        self.bodies.ended = true;
        self.say(Message::BodiesSent(BodiesSent { summary: summary.map(array) }));
    }

    pub(super) fn on_bodies_sent<R: Replica>(&mut self, replica: &mut R, end: BodiesSent) -> Outcome<R> {
        let summary = end.summary.map(<[u8; 16]>::from);
        self.bodies.peer_summary = Some(summary);
        if !self.leads {
            return self.end_as_follower(replica);
        }
        let summary = summary.ok_or(SessionFault::Malformed)?;
        self.compare(replica, summary)
    }

    /// Follower: once its rows are produced and the leader has ended.
    fn end_as_follower<R: Replica>(&mut self, replica: &mut R) -> Outcome<R> {
        let Some(leaders) = self.bodies.peer_summary.filter(|_| self.bodies.rows_ended) else { return Ok(()) };
        match leaders {
            _ if !self.have_common_turn() => self.finish(),
            Some(summary) if !self.bodies.has_rows => self.compare(replica, summary),
            _ => {
                let summary = self.summary(replica)?;
                self.say_bodies_sent(Some(summary));
                Ok(())
            }
        }
    }

    fn compare<R: Replica>(&mut self, replica: &mut R, theirs: [u8; 16]) -> Outcome<R> {
        if self.summary(replica)? == theirs { self.finish() } else { self.begin_reconcile(replica) }
    }

    /// Everything that this side holds, under the handshake hash.
    fn summary<R: Replica>(&self, replica: &mut R) -> Result<[u8; 16], SessionError<R::Error>> {
        let mut items = replica.items().map_err(SessionError::Replica)?;
        items.sort_unstable();
        items.dedup();
        let mut bytes = Vec::with_capacity(items.len() * 34);
        for (day, id) in &items {
            bytes.extend_from_slice(&day.days().to_le_bytes());
            bytes.extend_from_slice(id.as_bytes());
        }
        Ok(derive_id(labels::SESSION_SUMMARY, &[&self.hash, &bytes]))
    }
}
