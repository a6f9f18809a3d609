//! Reading: pages, listings, and when a cursor may be believed.

use super::exchange::{Ask, Fetching, RelayExchange};
use super::{Mailbox, RelayError, RelayFault, RelayRequest, RelayWarning};
use crate::sync::limits::*;
use crate::sync::replica::TurnVerdict;
use satchel_wire::frame::{Cursor, Endpoint, Fetch, Frame, Pull, Pulled, Signed};
use satchel_wire::limits::PUSH_ROWS_MAX_COUNT;
use satchel_wire::{Lane, Row, RowId};
use std::collections::HashSet;

type Outcome<M, T = ()> = Result<T, RelayError<<M as Mailbox>::Error>>;

fn short(id: &RowId) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&id.as_bytes()[..8]);
    short
}

impl<M: Mailbox> RelayExchange<M> {
    fn signed_by_pull_key(&mut self, mailbox: &mut M, endpoint: Endpoint, body: Vec<u8>) -> Outcome<M, Signed> {
        let turn = self.turn.ok_or(RelayFault::NoKey)?;
        let signature = mailbox.sign_pull(turn, &endpoint.signing_bytes(&body)).map_err(RelayError::Replica)?;
        Ok(Signed { body, signature: signature.ok_or(RelayFault::NoKey)? })
    }

    pub(super) fn ask_pull(&mut self, mailbox: &mut M) -> Outcome<M, Option<RelayRequest>> {
        self.pulls += 1;
        if self.pulls > EXCHANGE_PULLS_MAX_COUNT {
            self.report.warnings.insert(RelayWarning::MoreWaiting);
            if self.is_present {
                self.save(mailbox)?;
            }
            self.end_pull(mailbox)?;
            return Ok(None);
        }
        let pull = Pull {
            mailbox: mailbox.mailbox(),
            cursor: self.cursor,
            max_bytes: self.pull_max_bytes,
            lane: None,
            freshness: self.freshness(mailbox)?,
        };
        let signed = self.signed_by_pull_key(mailbox, Endpoint::Pull, pull.to_bytes())?;
        Ok(Some(self.send(Endpoint::Pull, &signed, Vec::new(), Vec::new())))
    }

    pub(super) fn ask_fetch(&mut self, mailbox: &mut M) -> Outcome<M, Option<RelayRequest>> {
        let freshness = self.freshness(mailbox)?;
        let Ask::Fetch(fetching) = &mut self.ask else { return Ok(None) };
        if fetching.asked.is_empty() {
            let from = fetching.left.len().saturating_sub(PUSH_ROWS_MAX_COUNT);
            fetching.asked = fetching.left.split_off(from);
        }
        let fetch = Fetch { mailbox: mailbox.mailbox(), day: fetching.day, ids: fetching.asked.clone(), freshness };
        let signed = self.signed_by_pull_key(mailbox, Endpoint::Rows, fetch.to_bytes())?;
        Ok(Some(self.send(Endpoint::Rows, &signed, Vec::new(), Vec::new())))
    }

    pub(super) fn take_page(&mut self, mailbox: &mut M, page: Pulled) -> Outcome<M> {
        if let (Some(new), Some(old)) = (page.cursor, self.cursor)
            && new.day < old.day
        {
            self.report.warnings.insert(RelayWarning::CursorWentBack);
            self.back_steps += 1;
            if self.back_steps > 1 {
                return Err(RelayFault::NoProgress.into());
            }
        }
        let fresh = self.take_rows(mailbox, page.rows)?;
        let then = page.cursor.or(self.cursor);
        if let Some(listing) = page.listing {
            return self.take_listing(mailbox, listing, then, page.more);
        }
        // the same row may lie on two days, so a page of repeats is forgiven if it leads on to another day
        let leads_on = then.map(|new| new.day) > self.cursor.map(|old| old.day);
        if page.more && fresh == 0 && !leads_on {
            return Err(RelayFault::NoProgress.into());
        }
        self.go_on(mailbox, then, page.more)
    }

    fn take_listing(&mut self, mailbox: &mut M, listing: Vec<RowId>, then: Option<Cursor>, more: bool) -> Outcome<M> {
        self.listings += 1;
        let Some(cursor) = then.filter(|_| self.listings <= EXCHANGE_LISTINGS_MAX_COUNT) else {
            return Err(RelayFault::NoProgress.into());
        };
        let known: HashSet<RowId> = mailbox.known_rows(cursor.day).map_err(RelayError::Replica)?.into_iter().collect();
        let mut left: Vec<RowId> = listing;
        left.sort_unstable();
        left.dedup();
        left.retain(|id| !known.contains(id) && !self.seen.contains(&short(id)));
        if left.is_empty() {
            return self.go_on(mailbox, then, more);
        }
        self.ask = Ask::Fetch(Fetching { day: cursor.day, left, asked: Vec::new(), then, more });
        Ok(())
    }

    pub(super) fn take_fetched(&mut self, mailbox: &mut M, mut fetching: Fetching, page: Pulled) -> Outcome<M> {
        let asked: HashSet<RowId> = fetching.asked.iter().copied().collect();
        let (rows, wrong): (Vec<Row>, Vec<Row>) = page.rows.into_iter().partition(|row| asked.contains(&row.id()));
        if !wrong.is_empty() {
            self.report.warnings.insert(RelayWarning::WrongRows);
        }
        let fresh = self.take_rows(mailbox, rows)?;
        fetching.asked.retain(|id| !self.seen.contains(&short(id)));
        if page.more && fresh > 0 && !fetching.asked.is_empty() {
            self.ask = Ask::Fetch(fetching);
            return Ok(());
        }
        if !fetching.asked.is_empty() {
            // deleted meanwhile, or invented: asking again would not bring them
            self.report.warnings.insert(RelayWarning::Withheld);
            fetching.asked.clear();
            if fresh == 0 {
                fetching.left.clear();
            }
        }
        if fetching.left.is_empty() {
            return self.go_on(mailbox, fetching.then, fetching.more);
        }
        self.ask = Ask::Fetch(fetching);
        Ok(())
    }

    /// Hands rows to the replica; returns how many were new in this exchange.
    fn take_rows(&mut self, mailbox: &mut M, rows: Vec<Row>) -> Outcome<M, usize> {
        let count = rows.len();
        let mut announced = Vec::new();
        let mut others = Vec::new();
        for row in rows {
            let id = row.id();
            if self.seen.insert(short(&id)) {
                self.unsaved.push(id);
                if row.lane() == Lane::Announce { announced.push(row) } else { others.push(row) }
            }
        }
        let fresh = announced.len() + others.len();
        if fresh < count {
            self.report.warnings.insert(RelayWarning::RepeatedRows);
        }
        if !announced.is_empty() {
            for verdict in mailbox.accept_announcement_rows(announced).map_err(RelayError::Replica)? {
                match verdict {
                    TurnVerdict::Adopted => {
                        self.has_adopted = true;
                        self.report.turns_adopted += 1;
                    }
                    TurnVerdict::Refused(_) => {
                        self.report.warnings.insert(RelayWarning::TurnRefused);
                    }
                    TurnVerdict::Known | TurnVerdict::NotForMe | TurnVerdict::Held => {}
                }
            }
        }
        if !others.is_empty() {
            self.is_present = true;
            self.report.received += others.len();
            let accepted = mailbox.accept_rows(others).map_err(RelayError::Replica)?;
            self.is_unread |= accepted.thrown_away > 0;
            self.unreadable += accepted.thrown_away + accepted.refused;
            let rows = &mut self.report.rows;
            rows.applied += accepted.applied;
            rows.known += accepted.known;
            rows.held += accepted.held;
            rows.refused += accepted.refused;
            rows.thrown_away += accepted.thrown_away;
        }
        Ok(fresh)
    }

    /// What the relay has up to this cursor is read.
    fn go_on(&mut self, mailbox: &mut M, cursor: Option<Cursor>, more: bool) -> Outcome<M> {
        self.cursor = cursor;
        self.ask = Ask::Pull;
        if self.is_present && !self.is_unread {
            self.save(mailbox)?;
        }
        if std::mem::take(&mut self.has_adopted) {
            // the newer turn's keys may see more, and its secret may open what could not be opened before
            let has_other_keys = self.refresh_access(mailbox)?;
            if has_other_keys || self.is_unread {
                return self.read_again(mailbox);
            }
        }
        if more && self.unreadable <= EXCHANGE_UNREADABLE_MAX_COUNT {
            return Ok(());
        }
        if more {
            self.report.warnings.insert(RelayWarning::Unreadable);
        }
        if self.is_present {
            self.save(mailbox)?;
        }
        self.end_pull(mailbox)
    }

    /// Reading goes on from where everything was read.
    pub(super) fn read_again(&mut self, mailbox: &mut M) -> Outcome<M> {
        self.cursor = mailbox.cursor().map_err(RelayError::Replica)?;
        self.is_unread = false;
        self.unsaved.clear();
        self.seen.clear();
        Ok(())
    }

    fn end_pull(&mut self, mailbox: &mut M) -> Outcome<M> {
        self.ask = Ask::Announce;
        if !std::mem::replace(&mut self.pull_ended, true) {
            mailbox.end_pull().map_err(RelayError::Replica)?;
        }
        Ok(())
    }

    /// Keeps the cursor and what belongs to it.
    pub(super) fn save(&mut self, mailbox: &mut M) -> Outcome<M> {
        let Some(cursor) = self.cursor else { return Ok(()) };
        let ids = std::mem::take(&mut self.unsaved);
        if !ids.is_empty() {
            mailbox.remember_rows(cursor.day, &ids).map_err(RelayError::Replica)?;
        }
        if mailbox.cursor().map_err(RelayError::Replica)? != Some(cursor) {
            mailbox.save_cursor(cursor).map_err(RelayError::Replica)?;
        }
        Ok(())
    }
}
