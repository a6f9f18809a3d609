//! A relay of plain maps with the real cursor rules, honest or lying, and a phone that reads and writes it.

use crate::env::Env;
use crate::env::testing::{SeededRandomness, TestClock};
use crate::sync::relay::*;
use crate::sync::{Accepted, TurnVerdict};
use satchel_wire::announcement::{Part, join, split};
use satchel_wire::frame::*;
use satchel_wire::limits::{LISTING_MAX_COUNT, PULL_MAX_BYTES, REQUEST_SKEW_MAX_SECONDS};
use satchel_wire::{AnnouncementId, DayFingerprint, Lane, MailboxId, Row, RowId, TurnId, UtcDay};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const START: u64 = 1_795_305_600;

pub(super) fn turn(number: u8) -> TurnId {
    TurnId::from_bytes([number; 16])
}

pub(super) fn signature(turn: TurnId, role: u8, bytes: &[u8]) -> [u8; 64] {
    let mut signature = [0; 64];
    blake3::Hasher::new().update(turn.as_bytes()).update(&[role]).update(bytes).finalize_xof().fill(&mut signature);
    signature
}

pub(super) fn row(lane: Lane, turn: TurnId, number: u32) -> Row {
    let mut bytes = vec![lane.byte()];
    bytes.extend_from_slice(turn.as_bytes());
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.resize(512, 0);
    Row::parse(bytes).unwrap()
}

/// An announcement of a turn: who may open it is a list of phones.
pub(super) fn announcement(turn: TurnId, recipients: &[u8]) -> Vec<Row> {
    split(&[turn.as_bytes(), recipients, &[0xee; 600]].concat()).unwrap()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lie {
    None,
    RepeatsPage,
    MoreWithoutRows,
    InventsListing,
    InventsListingForEver,
    CursorBack,
    WrongRows,
    Garbage,
    NotAFrame,
    WithholdsSome,
    TimeForEver,
    NeverNewest,
}

pub(super) struct Relay {
    pub(super) now: u64,
    pub(super) days: BTreeMap<u16, Vec<Row>>,
    pub(super) present: TurnId,
    pub(super) earlier: BTreeSet<TurnId>,
    pub(super) newest: Option<AnnouncementId>,
    pub(super) generation: u64,
    pub(super) page_bytes: usize,
    pub(super) lie: Lie,
    pub(super) requests: usize,
    pub(super) invented: u32,
    pub(super) nonces: BTreeSet<[u8; 12]>,
}

pub(super) fn problem(code: ProblemCode) -> RelayAnswer {
    RelayAnswer::Problem { code, relay_time: None }
}

impl Relay {
    pub(super) fn new() -> Self {
        Self {
            now: START,
            days: BTreeMap::new(),
            present: turn(1),
            earlier: BTreeSet::new(),
            newest: None,
            generation: 0,
            page_bytes: PULL_MAX_BYTES,
            lie: Lie::None,
            requests: 0,
            invented: 0,
            nonces: BTreeSet::new(),
        }
    }

    pub(super) fn today(&self) -> u16 {
        UtcDay::of_unix_seconds(self.now).days()
    }

    /// The order of arrival is forgotten: rows lie by id.
    pub(super) fn restart(&mut self) {
        self.days.values_mut().for_each(|rows| rows.sort_by_key(Row::id));
    }

    pub(super) fn put(&mut self, rows: Vec<Row>) {
        let today = self.today();
        for row in rows {
            if !self.days.values().flatten().any(|kept| *kept == row) {
                self.days.entry(today).or_default().push(row);
            }
        }
    }

    pub(super) fn lane_view(&self, turn: TurnId) -> Option<fn(&&Row) -> bool> {
        if turn == self.present {
            return Some(|_| true);
        }
        self.earlier.contains(&turn).then_some(|row: &&Row| row.lane() == Lane::Announce)
    }

    pub(super) fn signer(&self, role: u8, endpoint: Endpoint, signed: &Signed) -> Option<TurnId> {
        let bytes = endpoint.signing_bytes(&signed.body);
        std::iter::once(&self.present).chain(&self.earlier).copied().find(|turn| signature(*turn, role, &bytes) == signed.signature)
    }

    pub(super) fn check_time(&mut self, freshness: Freshness) -> Option<RelayAnswer> {
        if self.lie == Lie::TimeForEver || freshness.time.abs_diff(self.now) > REQUEST_SKEW_MAX_SECONDS {
            return Some(RelayAnswer::Problem { code: ProblemCode::ClockSkew, relay_time: Some(self.now) });
        }
        (!self.nonces.insert(freshness.nonce)).then_some(problem(ProblemCode::Replayed))
    }

    pub(super) fn answer(&mut self, request: &RelayRequest) -> RelayAnswer {
        self.requests += 1;
        if self.lie == Lie::NotAFrame {
            return RelayAnswer::Ok(vec![0x80; 9]);
        }
        let signed = Signed::from_bytes(&request.body).unwrap();
        match request.endpoint {
            Endpoint::Pull => {
                let pull = Pull::from_bytes(&signed.body).unwrap();
                let Some(turn) = self.signer(0, Endpoint::Pull, &signed) else { return problem(ProblemCode::Refused) };
                if let Some(answer) = self.check_time(pull.freshness) {
                    return answer;
                }
                RelayAnswer::Ok(self.page(turn, pull).to_bytes())
            }
            Endpoint::Rows => {
                let fetch = Fetch::from_bytes(&signed.body).unwrap();
                let Some(turn) = self.signer(0, Endpoint::Rows, &signed) else { return problem(ProblemCode::Refused) };
                let view = self.lane_view(turn).unwrap();
                let ids: BTreeSet<RowId> = fetch.ids.iter().copied().collect();
                assert!(fetch.ids.len() <= 2_048);
                let kept = self.days.get(&fetch.day.days()).cloned().unwrap_or_default();
                let mut rows: Vec<Row> = kept.iter().filter(view).filter(|row| ids.contains(&row.id())).cloned().collect();
                match self.lie {
                    Lie::WrongRows => rows = (0..50).map(|number| row(Lane::Records, turn, 1_000_000 + number)).collect(),
                    Lie::WithholdsSome => drop(rows.pop()),
                    _ => {}
                }
                // half at a time, to see that the rest is asked for
                let more = rows.len() > 10;
                rows.truncate(if more { rows.len() / 2 } else { rows.len() });
                RelayAnswer::Ok(Pulled { rows, cursor: None, more, listing: None }.to_bytes())
            }
            Endpoint::Push | Endpoint::Announce => self.keep(request.endpoint, &signed),
            Endpoint::Keys => {
                let change = KeyChange::from_bytes(&signed.body).unwrap();
                if change.generation <= self.generation {
                    return problem(ProblemCode::Superseded);
                }
                self.generation = change.generation;
                self.earlier.insert(self.present);
                self.present = TurnId::from_slice(&change.keys.pull[..16]).unwrap();
                RelayAnswer::Ok(Done { generation: self.generation }.to_bytes())
            }
            Endpoint::Claim => problem(ProblemCode::Superseded),
        }
    }

    pub(super) fn keep(&mut self, endpoint: Endpoint, signed: &Signed) -> RelayAnswer {
        if self.signer(1, endpoint, signed) != Some(self.present) {
            return problem(ProblemCode::Refused);
        }
        let (rows, cursor) = if endpoint == Endpoint::Push {
            let push = Push::from_bytes(&signed.body).unwrap();
            (push.rows, push.cursor)
        } else {
            let announce = Announce::from_bytes(&signed.body).unwrap();
            if announce.on_top_of != self.newest || self.lie == Lie::NeverNewest {
                return problem(ProblemCode::NotNewest);
            }
            let parts: Vec<Part> = announce.rows.iter().map(|row| Part::parse(row).unwrap()).collect();
            self.newest = Some(AnnouncementId::of(&join(&parts).unwrap().unwrap()));
            (announce.rows, announce.cursor)
        };
        let day = UtcDay::from_days(self.today());
        let before = self.days.get(&self.today()).map_or(DayFingerprint::new(), |rows| fingerprint(rows));
        let nothing_between = match cursor {
            Some(cursor) if cursor.day == day => cursor.fingerprint == before.value(),
            _ => false,
        };
        self.put(rows);
        let after = fingerprint(self.days.get(&self.today()).map_or(&[], Vec::as_slice)).value();
        let cursor = nothing_between.then_some(Cursor { day, fingerprint: after });
        RelayAnswer::Ok(Pushed { day, cursor }.to_bytes())
    }

    pub(super) fn page(&mut self, turn: TurnId, pull: Pull) -> Pulled {
        match self.lie {
            Lie::RepeatsPage => {
                let rows = vec![row(Lane::Records, turn, 1)];
                return Pulled { rows, cursor: pull.cursor, more: true, listing: None };
            }
            Lie::MoreWithoutRows => return Pulled { rows: Vec::new(), cursor: pull.cursor, more: true, listing: None },
            Lie::InventsListing | Lie::InventsListingForEver => {
                let ids = (0..LISTING_MAX_COUNT as u32).map(|number| RowId::of(&(number + self.invented).to_le_bytes())).collect();
                self.invented += 1_000_000;
                let cursor = Some(Cursor { day: UtcDay::from_days(self.today()), fingerprint: [self.invented as u8; 16] });
                return Pulled { rows: Vec::new(), cursor, more: self.lie == Lie::InventsListingForEver, listing: Some(ids) };
            }
            Lie::CursorBack => {
                self.invented += 1;
                let day = UtcDay::from_days(self.today() - self.invented as u16);
                let rows = vec![row(Lane::Records, turn, self.invented)];
                return Pulled { rows, cursor: Some(Cursor { day, fingerprint: [1; 16] }), more: true, listing: None };
            }
            Lie::Garbage => {
                let rows = (0..1_000).map(|number| row(Lane::Records, TurnId::from_bytes([0xcc; 16]), self.invented + number)).collect();
                self.invented += 1_000;
                let cursor = Cursor { day: UtcDay::from_days(self.today()), fingerprint: [self.invented as u8; 16] };
                return Pulled { rows, cursor: Some(cursor), more: true, listing: None };
            }
            _ => {}
        }
        let view = self.lane_view(turn).unwrap();
        let mut at = None;
        if let Some(cursor) = pull.cursor {
            let rows: Vec<Row> = self.days.get(&cursor.day.days()).into_iter().flatten().filter(view).cloned().collect();
            let place = (0..=rows.len()).find(|place| fingerprint(&rows[..*place]).value() == cursor.fingerprint);
            let Some(place) = place else {
                let present = Cursor { day: cursor.day, fingerprint: fingerprint(&rows).value() };
                let more = self.days.range(cursor.day.days() + 1..).any(|(_, rows)| rows.iter().any(|row| view(&row)));
                let listing = Some(rows.iter().map(Row::id).collect());
                return Pulled { rows: Vec::new(), cursor: Some(present), more, listing };
            };
            at = Some((cursor.day.days(), place));
        }
        let mut pulled = Pulled { rows: Vec::new(), cursor: pull.cursor, more: false, listing: None };
        let mut left = self.page_bytes.min(pull.max_bytes as usize);
        for (day, rows) in self.days.range(at.map_or(0, |(day, _)| day)..) {
            let rows: Vec<&Row> = rows.iter().filter(view).collect();
            let from = at.filter(|(first, _)| first == day).map_or(0, |(_, place)| place);
            for to in from..rows.len() {
                if left < rows[to].as_bytes().len() && !pulled.rows.is_empty() {
                    pulled.more = true;
                    return pulled;
                }
                left = left.saturating_sub(rows[to].as_bytes().len());
                pulled.rows.push(rows[to].clone());
                let fingerprint = DayFingerprint::of(rows[..=to].iter().map(|row| row.id()).collect::<Vec<_>>().iter()).value();
                pulled.cursor = Some(Cursor { day: UtcDay::from_days(*day), fingerprint });
            }
        }
        pulled
    }
}

pub(super) fn fingerprint(rows: &[Row]) -> DayFingerprint {
    DayFingerprint::of(rows.iter().map(Row::id).collect::<Vec<_>>().iter())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

pub(super) struct Phone {
    pub(super) number: u8,
    pub(super) env: Env,
    pub(super) clock: Arc<TestClock>,
    pub(super) turns: Vec<TurnId>,
    pub(super) offset: i64,
    pub(super) cursor: Option<Cursor>,
    pub(super) known: BTreeMap<UtcDay, BTreeSet<RowId>>,
    /// Record numbers held.
    pub(super) records: BTreeSet<u32>,
    pub(super) outbox: Vec<u32>,
    pub(super) parts: Vec<Part>,
    pub(super) newest: Option<AnnouncementId>,
    pub(super) announces: Option<Vec<Row>>,
    pub(super) holds_control: bool,
    pub(super) generation: u64,
    pub(super) keys_at_relay: bool,
    pub(super) is_locked: bool,
    pub(super) froze: bool,
    pub(super) ended_pulls: usize,
    pub(super) fails: bool,
}

impl Phone {
    pub(super) fn new(number: u8) -> Self {
        let clock = TestClock::at(START);
        Self {
            number,
            env: Env::new(clock.clone(), SeededRandomness::new(u64::from(number))),
            clock,
            turns: vec![turn(1)],
            offset: 0,
            cursor: None,
            known: BTreeMap::new(),
            records: BTreeSet::new(),
            outbox: Vec::new(),
            parts: Vec::new(),
            newest: None,
            announces: None,
            holds_control: false,
            generation: 0,
            keys_at_relay: true,
            is_locked: false,
            froze: false,
            ended_pulls: 0,
            fails: false,
        }
    }

    pub(super) fn write(&mut self, numbers: std::ops::Range<u32>) {
        self.records.extend(numbers.clone());
        self.outbox.extend(numbers);
    }

    pub(super) fn start_turn(&mut self, number: u8, recipients: &[u8]) {
        self.turns.insert(0, turn(number));
        self.announces = Some(announcement(turn(number), recipients));
        self.keys_at_relay = false;
    }
}

impl Mailbox for Phone {
    type Error = Broken;
    type Token = u32;

    fn mailbox(&self) -> MailboxId {
        MailboxId::from_bytes([8; 16])
    }
    fn access_turns(&mut self) -> Result<Vec<TurnId>, Broken> {
        Ok(self.turns.clone())
    }
    fn sign_pull(&mut self, turn: TurnId, bytes: &[u8]) -> Result<Option<[u8; 64]>, Broken> {
        Ok(self.turns.contains(&turn).then(|| signature(turn, 0, bytes)))
    }
    fn can_push(&mut self, turn: TurnId) -> Result<bool, Broken> {
        Ok(!self.is_locked && self.turns.contains(&turn))
    }
    fn sign_push(&mut self, turn: TurnId, bytes: &[u8]) -> Result<Option<[u8; 64]>, Broken> {
        Ok(self.can_push(turn)?.then(|| signature(turn, 1, bytes)))
    }
    fn clock_offset(&mut self) -> Result<i64, Broken> {
        Ok(self.offset)
    }
    fn save_clock_offset(&mut self, seconds: i64) -> Result<(), Broken> {
        self.offset = seconds;
        Ok(())
    }
    fn cursor(&mut self) -> Result<Option<Cursor>, Broken> {
        Ok(self.cursor)
    }
    fn save_cursor(&mut self, cursor: Cursor) -> Result<(), Broken> {
        self.cursor = Some(cursor);
        self.known.retain(|day, _| *day >= cursor.day);
        Ok(())
    }
    fn known_rows(&mut self, day: UtcDay) -> Result<Vec<RowId>, Broken> {
        Ok(self.known.get(&day).into_iter().flatten().copied().collect())
    }
    fn remember_rows(&mut self, day: UtcDay, ids: &[RowId]) -> Result<(), Broken> {
        self.known.entry(day).or_default().extend(ids);
        Ok(())
    }
    fn accept_rows(&mut self, rows: Vec<Row>) -> Result<Accepted, Broken> {
        if self.fails {
            return Err(Broken);
        }
        let mut accepted = Accepted::default();
        for row in rows {
            let turn = TurnId::from_slice(&row.rest()[..16]).unwrap();
            let number = u32::from_le_bytes(row.rest()[16..20].try_into().unwrap());
            if !self.turns.contains(&turn) && !self.is_locked {
                accepted.thrown_away += 1;
            } else if self.records.insert(number) {
                accepted.applied += 1;
            } else {
                accepted.known += 1;
            }
        }
        Ok(accepted)
    }
    fn accept_announcement_rows(&mut self, rows: Vec<Row>) -> Result<Vec<TurnVerdict>, Broken> {
        let mut verdicts = Vec::new();
        for row in rows {
            let part = Part::parse(&row).unwrap();
            let id = part.announcement;
            self.parts.push(part);
            let own: Vec<Part> = self.parts.iter().filter(|part| part.announcement == id).cloned().collect();
            let Some(joined) = join(&own).unwrap() else { continue };
            self.parts.retain(|part| part.announcement != id);
            self.newest = Some(id);
            let turn = TurnId::from_slice(&joined[..16]).unwrap();
            let is_for_me = joined[16..].iter().take_while(|byte| **byte != 0xee).any(|number| *number == self.number);
            verdicts.push(if self.turns.contains(&turn) {
                TurnVerdict::Known
            } else if is_for_me {
                self.turns.insert(0, turn);
                self.turns.sort_unstable_by(|one, other| other.cmp(one));
                TurnVerdict::Adopted
            } else {
                TurnVerdict::NotForMe
            });
        }
        Ok(verdicts)
    }
    fn end_pull(&mut self) -> Result<(), Broken> {
        self.ended_pulls += 1;
        Ok(())
    }
    fn pending_announcement(&mut self) -> Result<Option<PendingAnnouncement>, Broken> {
        Ok(self.announces.clone().map(|rows| PendingAnnouncement { rows, on_top_of: self.newest }))
    }
    fn mark_announced(&mut self, _: UtcDay) -> Result<(), Broken> {
        let rows = self.announces.take().unwrap();
        self.newest = Some(Part::parse(&rows[0]).unwrap().announcement);
        Ok(())
    }
    fn key_change(&mut self, freshness: Freshness, _: bool) -> Result<Option<Signed>, Broken> {
        if !self.holds_control || self.keys_at_relay {
            return Ok(None);
        }
        let mut key = [0; 32];
        key[..16].copy_from_slice(self.turns[0].as_bytes());
        let keys = AccessKeys { pull: key, push: key };
        let change = KeyChange { mailbox: self.mailbox(), generation: self.generation + 1, keys, control: [0; 32], freshness };
        Ok(Some(Signed { body: change.to_bytes(), signature: [0; 64] }))
    }
    fn mark_keys_changed(&mut self, generation: Option<u64>) -> Result<(), Broken> {
        self.keys_at_relay = true;
        self.generation = generation.unwrap_or(self.generation + 1);
        Ok(())
    }
    fn rows_to_push(&mut self, max_bytes: usize) -> Result<Vec<(u32, Row)>, Broken> {
        self.froze = true;
        let count = (max_bytes / 512).max(1).min(self.outbox.len());
        Ok(self.outbox[..count].iter().map(|number| (*number, row(Lane::Records, self.turns[0], *number))).collect())
    }
    fn mark_pushed(&mut self, tokens: Vec<u32>, _: UtcDay) -> Result<(), Broken> {
        self.outbox.retain(|number| !tokens.contains(number));
        Ok(())
    }
}
