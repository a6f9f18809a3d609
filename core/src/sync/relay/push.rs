//! Writing: this device's turn, then rows.

use super::exchange::{Ask, InFlight, RelayExchange};
use super::{Mailbox, RelayError, RelayFault, RelayRequest, RelayWarning};
use crate::sync::limits::*;
use satchel_wire::frame::{Announce, Endpoint, Frame, Push, Pushed, Signed};
use satchel_wire::limits::PUSH_ROWS_MAX_COUNT;
use satchel_wire::{Row, RowId};

type Outcome<M, T = ()> = Result<T, RelayError<<M as Mailbox>::Error>>;

impl<M: Mailbox> RelayExchange<M> {
    /// Whether there is a push key; without one the rest of the exchange is left out.
    fn may_push(&mut self, mailbox: &mut M) -> Outcome<M, bool> {
        let turn = self.turn.ok_or(RelayFault::NoKey)?;
        let may = mailbox.can_push(turn).map_err(RelayError::Replica)?;
        if !may {
            self.ask = Ask::Finished;
        }
        Ok(may)
    }

    fn signed_by_push_key(&mut self, mailbox: &mut M, endpoint: Endpoint, body: Vec<u8>) -> Outcome<M, Option<Signed>> {
        let turn = self.turn.ok_or(RelayFault::NoKey)?;
        let signature = mailbox.sign_push(turn, &endpoint.signing_bytes(&body)).map_err(RelayError::Replica)?;
        if signature.is_none() {
            self.ask = Ask::Finished;
        }
        Ok(signature.map(|signature| Signed { body, signature }))
    }

    pub(super) fn ask_announce(&mut self, mailbox: &mut M) -> Outcome<M, Option<RelayRequest>> {
        if !self.may_push(mailbox)? {
            return Ok(None);
        }
        let Some(pending) = mailbox.pending_announcement().map_err(RelayError::Replica)? else {
            self.ask = Ask::KeyChange;
            return Ok(None);
        };
        self.announces += 1;
        let ids = pending.rows.iter().map(Row::id).collect();
        let announce = Announce {
            mailbox: mailbox.mailbox(),
            rows: pending.rows,
            on_top_of: pending.on_top_of,
            cursor: self.cursor,
            freshness: self.freshness(mailbox)?,
        };
        let signed = self.signed_by_push_key(mailbox, Endpoint::Announce, announce.to_bytes())?;
        Ok(signed.map(|signed| self.send(Endpoint::Announce, &signed, Vec::new(), ids)))
    }

    pub(super) fn take_announced(&mut self, mailbox: &mut M, ids: Vec<RowId>, pushed: Pushed) -> Outcome<M> {
        mailbox.mark_announced(pushed.day).map_err(RelayError::Replica)?;
        self.report.announced = true;
        self.ask = Ask::KeyChange;
        self.move_cursor(mailbox, ids, pushed)
    }

    pub(super) fn ask_push(&mut self, mailbox: &mut M) -> Outcome<M, Option<RelayRequest>> {
        self.pushes += 1;
        if self.pushes > EXCHANGE_PUSHES_MAX_COUNT {
            self.report.warnings.insert(RelayWarning::MoreWaiting);
            self.ask = Ask::Finished;
            return Ok(None);
        }
        // first, since asking for rows freezes drafts
        if !self.may_push(mailbox)? {
            return Ok(None);
        }
        let mut waiting = mailbox.rows_to_push(self.push_max_bytes).map_err(RelayError::Replica)?;
        waiting.truncate(PUSH_ROWS_MAX_COUNT);
        if waiting.is_empty() {
            self.ask = Ask::Finished;
            return Ok(None);
        }
        let (tokens, rows): (Vec<M::Token>, Vec<Row>) = waiting.into_iter().unzip();
        let ids = rows.iter().map(Row::id).collect();
        let push = Push { mailbox: mailbox.mailbox(), rows, cursor: self.cursor, freshness: self.freshness(mailbox)? };
        let signed = self.signed_by_push_key(mailbox, Endpoint::Push, push.to_bytes())?;
        Ok(signed.map(|signed| self.send(Endpoint::Push, &signed, tokens, ids)))
    }

    pub(super) fn take_pushed(&mut self, mailbox: &mut M, sent: InFlight<M::Token>, pushed: Pushed) -> Outcome<M> {
        self.report.pushed += sent.ids.len();
        mailbox.mark_pushed(sent.tokens, pushed.day).map_err(RelayError::Replica)?;
        self.ask = Ask::Push;
        self.move_cursor(mailbox, sent.ids, pushed)
    }

    /// A taken push shows that these keys are the present ones, so what was read with them was all.
    fn move_cursor(&mut self, mailbox: &mut M, ids: Vec<RowId>, pushed: Pushed) -> Outcome<M> {
        self.is_present = true;
        match pushed.cursor {
            Some(cursor) if cursor.day == pushed.day && self.cursor.is_none_or(|old| old.day <= cursor.day) => {
                self.unsaved.extend(ids);
                self.cursor = Some(cursor);
            }
            _ => {
                // somebody else's rows lie between: the next pull brings both, and a listing needs not bring these
                self.report.warnings.insert(RelayWarning::MoreWaiting);
                mailbox.remember_rows(pushed.day, &ids).map_err(RelayError::Replica)?;
            }
        }
        self.save(mailbox)
    }
}
