//! What leaves for the relay, and what is noted when it has arrived.

use super::super::ledger::Line;
use super::super::vault::Vault;
use super::PUSH_MAX_BYTES;
use crate::crypto::{self, labels};
use crate::error::Error;
use crate::storage::Transaction;
use crate::team::Operation;
use crate::team::notice::{FrontierNotice, Notice};
use satchel_wire::cbor;
use satchel_wire::frame::{Cursor, Pushed};
use satchel_wire::ids::{BodyId, OperationId};
use satchel_wire::limits::PUSH_ROWS_MAX_COUNT;
use satchel_wire::row::Row;

/// What the next push carries.
pub(super) struct Batch {
    pub(super) rows: Vec<Row>,
    pub(super) bodies: Vec<BodyId>,
    pub(super) operations: Vec<OperationId>,
    pub(super) frontier: Option<u64>,
    pub(super) last: bool,
}
impl Vault {
    /// What the relay lacks, one push at a time: operations and the frontier first, then bodies.
    pub(super) fn push_batch(&mut self, tx: &Transaction<'_>) -> Result<Batch, Error> {
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
        batch.rows.extend(self.complaint_row(tx)?);
        batch.rows.extend(self.board_shares(tx)?);
        if unsent.is_empty() && operations.is_empty() && frontier.is_none() && asks.is_none() && batch.rows.is_empty() {
            if is_directory_due {
                (batch.rows, batch.last) = self.directory_rows(tx, PUSH_MAX_BYTES)?;
            }
            return Ok(batch);
        }
        if self.require_writer().is_ok() {
            self.usable_turn(tx)?;
        }
        let commons = self.keyring.notice_secret().ok_or(Error::NoTurn)?;
        for notice in Notice::of_operations(operations.iter()) {
            batch.rows.push(notice.seal(&self.env, self.team(), &commons).map_err(|_| Error::TooMany)?);
        }
        batch.operations.extend(operations.iter().map(Operation::id));
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
    pub(super) fn frontier_to_push(&mut self, tx: &Transaction<'_>) -> Result<Option<(u64, FrontierNotice)>, Error> {
        let bytes = self.own_frontier(tx)?;
        let frontier = crate::team::Frontier::from_bytes(&bytes).map_err(|_| Error::Damaged)?;
        let content = frontier.content();
        let parts = [
            cbor::encode(&content.log_heads),
            content.receiving.to_vec(),
            cbor::encode(&content.own),
            content.day.days().to_le_bytes().to_vec(),
            content.turn.unwrap_or_default().to_vec(),
            content.commons_turn.unwrap_or_default().to_vec(),
            // who lost the row of an operation learns from here that there is one
            cbor::encode(&content.known),
        ];
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let hash = crypto::derive_id(labels::CHAIN_DIGEST, &parts);
        let hash = u64::from_le_bytes(hash.first_chunk().copied().unwrap_or_default());
        if hash == self.progress().frontier {
            return Ok(None);
        }
        Ok(Some((hash, FrontierNotice { frontier: bytes, receiving: Some(self.own_receiving_key()?) })))
    }

    pub(super) fn pushed(
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
        self.complaint_pushed(tx, rows)?;
        self.board_shares_pushed(tx, rows)?;
        self.directory_pushed(tx, rows)
    }

    pub(super) fn note_pushed_rows(&mut self, pushed: &Pushed, rows: &[Row]) {
        if let Some(cursor) = pushed.cursor {
            self.move_cursor(cursor);
        }
        if self.state.relay.as_ref().is_some_and(|relay| relay.cursor.is_some_and(|cursor| cursor.day == pushed.day)) {
            self.note_seen(rows.iter().map(Row::id));
        }
    }

    pub(super) fn move_cursor(&mut self, cursor: Cursor) {
        let before = self.state.relay.as_ref().and_then(|relay| relay.cursor);
        if before.is_some_and(|before| before.day != cursor.day) {
            self.progress_mut().rows.clear();
        }
        if let Some(relay) = &mut self.state.relay {
            relay.cursor = Some(cursor);
        }
    }
}
