//! Deletion at the relay: what is asked for, and what is still needed.
//!
//! The phone of a steward that holds the control key sends one sorted batch a day of rows that nobody needs: second
//! covers of a body, pages and roots that newer ones replaced, bodies that were erased or have expired. Every member's
//! phone looks at waiting batches and vetoes rows that carry something live. Of several rows with one body all phones
//! keep the smallest that they know, so the last row of a live body is never asked for, whichever steward asks.

use super::vault::Vault;
use crate::error::Error;
use crate::storage::Reader;
use satchel_wire::UtcDay;
use satchel_wire::ids::{BodyId, RowId, RowName};
use satchel_wire::limits::DELETION_ROWS_MAX_COUNT;
use satchel_wire::row::{Lane, Row};
use std::collections::BTreeSet;

/// Waiting batches are looked at every so many days: well within the time that they wait.
const CHECK_EVERY_DAYS: u16 = 3;

impl Vault {
    /// Rows on the relay that nobody needs any more. Only who may ask for deletion remembers them.
    pub(super) fn supersede_rows(&mut self, rows: impl Iterator<Item = RowName>) {
        if self.keyring.control().is_none() {
            return;
        }
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            return;
        }
        let superseded = &mut self.progress_mut().superseded;
        for row in rows {
            // one day's batch: what is beyond is found again when the relay is read again
            if superseded.len() < DELETION_ROWS_MAX_COUNT {
                superseded.insert(row);
            }
        }
    }

    /// The rows of bodies that were erased or have expired; asked while the ledger still has their lines.
    pub(super) fn supersede_bodies(&mut self, reader: &Reader<'_>, bodies: &[BodyId]) -> Result<(), Error> {
        let ledger = self.ledger(reader)?;
        let rows: Vec<RowName> = bodies.iter().filter_map(|body| ledger.line(body)?.row()).collect();
        self.supersede_rows(rows.into_iter());
        Ok(())
    }

    /// Rows that are at the relay: which bodies they carry, and which of them are second covers.
    pub(super) fn note_rows(&mut self, reader: &Reader<'_>, rows: &[Row]) -> Result<(), Error> {
        let ledger = self.ledger(reader)?;
        let mut surplus = Vec::new();
        for row in rows.iter().filter(|row| row.lane() == Lane::Records) {
            if let Some((body, _)) = crate::envelope::body_of(row) {
                surplus.extend(ledger.note_row(&body, row.id().name()));
            }
        }
        self.supersede_rows(surplus.into_iter());
        Ok(())
    }

    /// The batch that may leave now, sorted.
    pub(super) fn deletion_batch(&mut self, reader: &Reader<'_>, today: UtcDay) -> Result<Vec<RowName>, Error> {
        let progress = self.progress();
        if self.keyring.control().is_none() || progress.superseded.is_empty() || progress.batch_day.is_some_and(|day| day >= today) {
            return Ok(Vec::new());
        }
        // what came to be needed since it was given up stays
        let needed = self.needed_rows(reader)?;
        Ok(self.progress().superseded.iter().filter(|row| !needed.contains(row)).take(DELETION_ROWS_MAX_COUNT).copied().collect())
    }

    /// The relay has the batch of a day, this phone's or another's.
    pub(super) fn deletion_scheduled(&mut self, day: UtcDay, sent: &[RowName]) {
        let progress = self.progress_mut();
        progress.batch_day = Some(day);
        progress.superseded.retain(|row| sent.binary_search(row).is_err());
    }

    /// Whether waiting batches are to be looked at now, and from which day on.
    pub(super) fn deletions_to_check(&self, today: UtcDay) -> Option<Option<UtcDay>> {
        match self.progress().checked_day {
            Some(day) if day <= today && day.plus(CHECK_EVERY_DAYS) > today => None,
            checked => Some(checked.filter(|day| *day <= today)),
        }
    }

    /// Waiting rows that carry what is needed here.
    pub(super) fn rows_to_veto(&mut self, reader: &Reader<'_>, waiting: &[RowName]) -> Result<Vec<RowName>, Error> {
        let needed = self.needed_rows(reader)?;
        let veto: BTreeSet<RowName> = waiting.iter().filter(|row| needed.contains(row)).copied().collect();
        Ok(veto.into_iter().take(DELETION_ROWS_MAX_COUNT).collect())
    }

    /// Waiting batches of a day and earlier were looked at.
    pub(super) fn deletions_checked(&mut self, day: UtcDay) {
        self.progress_mut().checked_day = Some(day);
    }

    fn needed_rows(&mut self, reader: &Reader<'_>) -> Result<BTreeSet<RowName>, Error> {
        let mut needed: BTreeSet<RowName> = self.wire_pages(reader)?.iter().map(|page| page.row.name()).collect();
        needed.extend(self.roots(reader)?.rows.iter().map(RowId::name));
        needed.extend(self.roots(reader)?.known.iter().flat_map(|root| &root.unread).map(|(row, _)| row.name()));
        needed.extend(self.ledger(reader)?.lines().filter(|line| line.is_here()).filter_map(super::ledger::Line::row));
        Ok(needed)
    }
}
