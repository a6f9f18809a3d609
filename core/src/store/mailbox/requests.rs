//! Requests, signed with the keys that the relay is thought to have.

use super::super::membership::ANNOUNCEMENT;
use super::super::root::{Remembered, Seed, open_value};
use super::super::vault::{RelaySettings, Vault};
use crate::crypto::{SigningKey, labels};
use crate::error::Error;
use crate::storage::Transaction;
use crate::team::TurnError;
use satchel_wire::UtcDay;
use satchel_wire::announcement::{self};
use satchel_wire::frame::{
    AccessKeys, Announce, Claim, Deletion, Endpoint, Fetch, Frame, Freshness, KeyChange, Pending, Pull, Push, Pushed, Signed, Veto,
};
use satchel_wire::ids::{AnnouncementId, RowId, RowName};
use satchel_wire::limits::PULL_MAX_BYTES;
use satchel_wire::row::{Lane, Row};

/// Where a request goes, and its bytes.
type Request = (Endpoint, Vec<u8>);

impl Vault {
    pub(super) fn relay(&self) -> Result<&RelaySettings, Error> {
        self.state.relay.as_ref().ok_or(Error::NoSuchRecord)
    }

    pub(super) fn freshness(&self, offset: i64) -> Freshness {
        Freshness { time: self.env.now().seconds().saturating_add_signed(offset), nonce: self.env.random() }
    }

    /// Access keys to try: those that the relay is thought to have first, then the newest.
    pub(super) fn access(&self, at: usize) -> Result<&Remembered, Error> {
        let keys_of = self.relay()?.keys_of;
        let thought = self.keyring.remembered().iter().position(|known| Some(known.turn) == keys_of).unwrap_or(0);
        let order = std::iter::once(thought).chain((0..self.keyring.remembered().len()).filter(|index| *index != thought));
        order.clone().nth(at).and_then(|index| self.keyring.remembered().get(index)).ok_or(Error::NoTurn)
    }

    /// The relay took a request by these keys, for all lanes.
    pub(super) fn note_access(&mut self, at: usize) -> Result<(), Error> {
        let turn = self.access(at)?.turn;
        if let Some(relay) = &mut self.state.relay {
            relay.keys_of = Some(turn);
        }
        Ok(())
    }

    pub(super) fn signed<F: Frame>(endpoint: Endpoint, frame: &F, seed: &Seed) -> (Endpoint, Vec<u8>) {
        let body = frame.to_bytes();
        // Ed25519 over label ‖ 0x00 ‖ path ‖ 0x00 ‖ body, as the wire says
        let mut message = endpoint.path().as_bytes().to_vec();
        message.push(0);
        message.extend_from_slice(&body);
        let signature = *SigningKey::from_seed(seed.expose()).sign(labels::SIGN_REQUEST, &message).as_bytes();
        (endpoint, Signed { body, signature }.to_bytes())
    }

    pub(super) fn access_keys(known: &Remembered) -> AccessKeys {
        let public = |seed: &Seed| *SigningKey::from_seed(seed.expose()).verifying_key().as_bytes();
        AccessKeys { pull: public(&known.pull), push: public(&known.push) }
    }

    pub(super) fn claim_request(&self, offset: i64) -> Result<(Endpoint, Vec<u8>), Error> {
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

    pub(super) fn claimed(&mut self) -> Result<(), Error> {
        let keys_of = self.keyring.remembered().first().map(|known| known.turn);
        if let Some(relay) = &mut self.state.relay {
            relay.claim = None;
            relay.keys_of = keys_of;
        }
        Ok(())
    }

    pub(super) fn pull_request(&self, at: usize, offset: i64, announce_only: bool) -> Result<(Endpoint, Vec<u8>), Error> {
        let relay = self.relay()?;
        let (cursor, lane) = if announce_only { (relay.announce_cursor, Some(Lane::Announce)) } else { (relay.cursor, None) };
        let pull = Pull { mailbox: relay.mailbox, cursor, max_bytes: PULL_MAX_BYTES as u32, lane, freshness: self.freshness(offset) };
        Ok(Self::signed(Endpoint::Pull, &pull, &self.access(at)?.pull))
    }

    pub(super) fn fetch_request(
        &self,
        at: usize,
        offset: i64,
        day: satchel_wire::UtcDay,
        ids: Vec<RowId>,
    ) -> Result<(Endpoint, Vec<u8>), Error> {
        let fetch = Fetch { mailbox: self.relay()?.mailbox, day, ids, freshness: self.freshness(offset) };
        Ok(Self::signed(Endpoint::Rows, &fetch, &self.access(at)?.pull))
    }

    pub(super) fn announce_request(
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

    /// Whether an announcement waits for the relay.
    pub(super) fn has_announcement_waiting(&self, tx: &Transaction<'_>) -> Result<bool, Error> {
        let mut is_waiting = false;
        tx.for_each_outbox::<Error>(|_, _| {
            is_waiting = true;
            Ok(())
        })?;
        Ok(is_waiting)
    }

    /// Somebody else's turn came first: one on top of both is announced instead of ours, sealed to the receiving keys
    /// that its recipients have promised since.
    pub(super) fn join_turns(&mut self, tx: &Transaction<'_>) -> Result<(), Error> {
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

    pub(super) fn announced(&mut self, tx: &Transaction<'_>, pushed: &Pushed) -> Result<(), Error> {
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
    pub(super) fn keys_request(&self, offset: i64, control_at: usize) -> Result<Option<(Endpoint, Vec<u8>)>, Error> {
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

    pub(super) fn keys_changed(&mut self, generation: u64) -> Result<(), Error> {
        let newest = self.keyring.remembered().first().map(|known| known.turn);
        if let Some(relay) = &mut self.state.relay {
            relay.generation = generation;
            relay.keys_of = newest;
        }
        self.keyring.forget_earlier_controls();
        Ok(())
    }

    pub(super) fn push_request(&self, at: usize, offset: i64, rows: &[Row]) -> Result<(Endpoint, Vec<u8>), Error> {
        let relay = self.relay()?;
        let push = Push { mailbox: relay.mailbox, rows: rows.to_vec(), cursor: relay.cursor, freshness: self.freshness(offset) };
        Ok(Self::signed(Endpoint::Push, &push, &self.access(at)?.push))
    }

    pub(super) fn today_at_relay(&self, offset: i64) -> UtcDay {
        UtcDay::of_unix_seconds(self.env.now().seconds().saturating_add_signed(offset))
    }

    pub(super) fn delete_request(&mut self, tx: &Transaction<'_>, offset: i64) -> Result<(Vec<RowName>, Option<Request>), Error> {
        let rows = self.deletion_batch(tx, self.today_at_relay(offset))?;
        let relay = self.relay()?;
        let Some(control) = self.keyring.control().filter(|_| !rows.is_empty()) else { return Ok((Vec::new(), None)) };
        let deletion = Deletion { mailbox: relay.mailbox, rows: rows.clone(), freshness: self.freshness(offset) };
        let request = Self::signed(Endpoint::Delete, &deletion, control);
        Ok((rows, Some(request)))
    }

    pub(super) fn pending_request(&self, at: usize, offset: i64) -> Result<Option<(Endpoint, Vec<u8>)>, Error> {
        let Some(since) = self.deletions_to_check(self.today_at_relay(offset)) else { return Ok(None) };
        let pending = Pending { mailbox: self.relay()?.mailbox, since, freshness: self.freshness(offset) };
        Ok(Some(Self::signed(Endpoint::Pending, &pending, &self.access(at)?.pull)))
    }

    pub(super) fn veto_request(&self, at: usize, offset: i64, rows: Vec<RowName>) -> Result<(Endpoint, Vec<u8>), Error> {
        let veto = Veto { mailbox: self.relay()?.mailbox, rows, freshness: self.freshness(offset) };
        Ok(Self::signed(Endpoint::Veto, &veto, &self.access(at)?.push))
    }
}
