//! What a pull brought: rows, listings, and whether to go on.

use super::link::{RelayLink, Step};
use super::{DELETED_AFTER_DAYS, RelayError};
use satchel_wire::UtcDay;
use satchel_wire::fingerprint::DayFingerprint;
use satchel_wire::frame::{Cursor, ProblemCode, Pulled};
use satchel_wire::ids::RowId;
use satchel_wire::row::Row;
use std::collections::BTreeSet;

impl RelayLink {
    /// What a pull without an answer's body says: nothing follows the cursor that was asked with.
    pub(super) fn nothing_new(&self) -> Result<Pulled, RelayError> {
        let announce_only = self.announce_only;
        let cursor = self.unlocked.read(|vault, _| {
            Ok(vault.state.relay.as_ref().and_then(|relay| if announce_only { relay.announce_cursor } else { relay.cursor }))
        })?;
        Ok(Pulled { rows: Vec::new(), cursor, more: false, listing: None })
    }

    pub(super) fn pulled(&mut self, pulled: Pulled) -> Result<Step, RelayError> {
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
            // nobody can have deleted a row of so late a day
            let own = self.unlocked.env().now().seconds().saturating_add_signed(self.offset);
            let is_recent = UtcDay::of_unix_seconds(own).days() < cursor.day.days().saturating_add(DELETED_AFTER_DAYS);
            let lost = known.difference(&listing.iter().copied().collect()).count();
            if lost > 0 && is_recent && !announce_only && before.is_some_and(|before| before.day == cursor.day) {
                self.report.lost += lost;
                if self.unlocked.write(|vault, tx| vault.refill_relay(tx))? {
                    return Ok(Step::Pull);
                }
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
    pub(super) fn pulled_all(&mut self) -> Result<Step, RelayError> {
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

    pub(super) fn moved(&mut self, cursor: Cursor, more: bool) -> Result<Step, RelayError> {
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

    pub(super) fn fetched(
        &mut self,
        day: satchel_wire::UtcDay,
        mut wanted: Vec<RowId>,
        then: Cursor,
        pulled: Pulled,
    ) -> Result<Step, RelayError> {
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

    pub(super) fn take(&mut self, rows: &[Row]) -> Result<(), RelayError> {
        if rows.is_empty() && self.announce_only {
            // an announcement that waits may open by now, with what a colleague's phone brought
            self.report.turns += self.unlocked.write(|vault, tx| vault.take_parts(tx, &[]))?;
        }
        // small transactions: a phone that is killed half-way keeps what it took, and asks for the rest again
        self.is_ended &= rows.is_empty();
        let mut chunks = rows.chunks(128).peekable();
        while let Some(chunk) = chunks.next() {
            // what was seen is one value, written once a page: a relay that sends much must not make a phone write much more
            let seen = if chunks.peek().is_none() { rows } else { &[] };
            let (acceptance, turns) = self.unlocked.write(|vault, tx| vault.take_relay_rows(tx, chunk, seen))?;
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
