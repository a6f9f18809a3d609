//! Rows of the announce and commons lanes, and the parts that an announcement came in.

use super::super::accept::Acceptance;
use super::super::vault::Vault;
use super::{PARTS, PARTS_MAX_COUNT};
use crate::error::Error;
use crate::storage::Transaction;
use crate::team::keyring::Adoption;
use crate::team::{Operation, TurnError};
use satchel_wire::announcement::{self, Part};
use satchel_wire::ids::{AnnouncementId, OperationId, RowId};
use satchel_wire::limits::LISTING_MAX_COUNT;
use satchel_wire::row::{Lane, Row};
use std::collections::{BTreeMap, BTreeSet};

impl Vault {
    /// Takes rows that a relay handed out, and notes which were seen. Returns what became of record rows, and how many turns
    /// were adopted.
    pub(super) fn take_relay_rows(&mut self, tx: &Transaction<'_>, rows: &[Row], seen: &[Row]) -> Result<(Acceptance, usize), Error> {
        let (announce, rest): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.lane() == Lane::Announce);
        let turns = self.take_parts(tx, &announce)?;
        let mut rest: Vec<Row> = rest.into_iter().cloned().collect();
        // operations before what rests on them
        rest.sort_by_key(Row::lane);
        let acceptance = self.accept_rows(tx, &rest)?;
        let ledger = self.ledger(tx)?;
        acceptance.bodies.iter().for_each(|body| ledger.mark_relayed(body, true));
        self.note_rows(tx, &rest)?;
        self.note_seen(seen.iter().map(Row::id));
        Ok((acceptance, turns))
    }

    /// Notes rows of the cursor's day. No honest listing is longer than the limit: what is beyond it is fetched again when a
    /// relay lists the day, and fills no memory.
    pub(super) fn note_seen(&mut self, rows: impl Iterator<Item = RowId>) {
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            return;
        }
        let seen = &mut self.progress_mut().rows;
        let room = LISTING_MAX_COUNT.saturating_sub(seen.len());
        seen.extend(rows.take(room));
    }

    /// Joins parts of announcements, the waiting ones included, and adopts what can be adopted.
    pub(super) fn take_parts(&mut self, tx: &Transaction<'_>, rows: &[&Row]) -> Result<usize, Error> {
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
    pub(in crate::store) fn accept_notice(&mut self, tx: &Transaction<'_>, row: &Row) -> Result<bool, Error> {
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
        if let Some(sealed) = &notice.complaint {
            self.take_complaint(tx, sealed)?;
        }
        if let Some(board) = &notice.board {
            self.take_board_box(board)?;
        }
        Ok(true)
    }
}
