//! Exchanges with a model relay, honest and lying.

use crate::env::Env;
use crate::env::testing::{SeededRandomness, TestClock};
use crate::sync::limits::*;
use crate::sync::relay::*;
use crate::sync::{Accepted, TurnVerdict};
use proptest::prelude::*;
use satchel_wire::announcement::{Part, join, split};
use satchel_wire::frame::*;
use satchel_wire::limits::{LISTING_MAX_COUNT, PULL_MAX_BYTES, REQUEST_SKEW_MAX_SECONDS};
use satchel_wire::{AnnouncementId, DayFingerprint, Lane, MailboxId, Row, RowId, TurnId, UtcDay};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const START: u64 = 1_795_305_600;

fn turn(number: u8) -> TurnId {
    TurnId::from_bytes([number; 16])
}

fn signature(turn: TurnId, role: u8, bytes: &[u8]) -> [u8; 64] {
    let mut signature = [0; 64];
    blake3::Hasher::new().update(turn.as_bytes()).update(&[role]).update(bytes).finalize_xof().fill(&mut signature);
    signature
}

fn row(lane: Lane, turn: TurnId, number: u32) -> Row {
    let mut bytes = vec![lane.byte()];
    bytes.extend_from_slice(turn.as_bytes());
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.resize(512, 0);
    Row::parse(bytes).unwrap()
}

/// An announcement of a turn: who may open it is a list of phones.
fn announcement(turn: TurnId, recipients: &[u8]) -> Vec<Row> {
    split(&[turn.as_bytes(), recipients, &[0xee; 600]].concat()).unwrap()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
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

struct Relay {
    now: u64,
    days: BTreeMap<u16, Vec<Row>>,
    present: TurnId,
    earlier: BTreeSet<TurnId>,
    newest: Option<AnnouncementId>,
    generation: u64,
    page_bytes: usize,
    lie: Lie,
    requests: usize,
    invented: u32,
    nonces: BTreeSet<[u8; 12]>,
}

fn problem(code: ProblemCode) -> RelayAnswer {
    RelayAnswer::Problem { code, relay_time: None }
}

impl Relay {
    fn new() -> Self {
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

    fn today(&self) -> u16 {
        UtcDay::of_unix_seconds(self.now).days()
    }

    /// The order of arrival is forgotten: rows lie by id.
    fn restart(&mut self) {
        self.days.values_mut().for_each(|rows| rows.sort_by_key(Row::id));
    }

    fn put(&mut self, rows: Vec<Row>) {
        let today = self.today();
        for row in rows {
            if !self.days.values().flatten().any(|kept| *kept == row) {
                self.days.entry(today).or_default().push(row);
            }
        }
    }

    fn lane_view(&self, turn: TurnId) -> Option<fn(&&Row) -> bool> {
        if turn == self.present {
            return Some(|_| true);
        }
        self.earlier.contains(&turn).then_some(|row: &&Row| row.lane() == Lane::Announce)
    }

    fn signer(&self, role: u8, endpoint: Endpoint, signed: &Signed) -> Option<TurnId> {
        let bytes = endpoint.signing_bytes(&signed.body);
        std::iter::once(&self.present).chain(&self.earlier).copied().find(|turn| signature(*turn, role, &bytes) == signed.signature)
    }

    fn check_time(&mut self, freshness: Freshness) -> Option<RelayAnswer> {
        if self.lie == Lie::TimeForEver || freshness.time.abs_diff(self.now) > REQUEST_SKEW_MAX_SECONDS {
            return Some(RelayAnswer::Problem { code: ProblemCode::ClockSkew, relay_time: Some(self.now) });
        }
        (!self.nonces.insert(freshness.nonce)).then_some(problem(ProblemCode::Replayed))
    }

    fn answer(&mut self, request: &RelayRequest) -> RelayAnswer {
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

    fn keep(&mut self, endpoint: Endpoint, signed: &Signed) -> RelayAnswer {
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

    fn page(&mut self, turn: TurnId, pull: Pull) -> Pulled {
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

fn fingerprint(rows: &[Row]) -> DayFingerprint {
    DayFingerprint::of(rows.iter().map(Row::id).collect::<Vec<_>>().iter())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Broken;

struct Phone {
    number: u8,
    env: Env,
    clock: Arc<TestClock>,
    turns: Vec<TurnId>,
    offset: i64,
    cursor: Option<Cursor>,
    known: BTreeMap<UtcDay, BTreeSet<RowId>>,
    /// Record numbers held.
    records: BTreeSet<u32>,
    outbox: Vec<u32>,
    parts: Vec<Part>,
    newest: Option<AnnouncementId>,
    announces: Option<Vec<Row>>,
    holds_control: bool,
    generation: u64,
    keys_at_relay: bool,
    is_locked: bool,
    froze: bool,
    ended_pulls: usize,
    fails: bool,
}

impl Phone {
    fn new(number: u8) -> Self {
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

    fn write(&mut self, numbers: std::ops::Range<u32>) {
        self.records.extend(numbers.clone());
        self.outbox.extend(numbers);
    }

    fn start_turn(&mut self, number: u8, recipients: &[u8]) {
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

type Ended = Result<RelayReport, RelayError<Broken>>;

fn exchange_at_most(phone: &mut Phone, relay: &mut Relay, answers: usize) -> (Ended, Vec<Endpoint>) {
    let mut exchange = RelayExchange::new(&phone.env);
    let mut asked = Vec::new();
    for _ in 0..answers {
        let request = match exchange.next(phone) {
            Ok(Some(request)) => request,
            Ok(None) => return (Ok(exchange.report().clone()), asked),
            Err(error) => return (Err(error), asked),
        };
        asked.push(request.endpoint);
        let answer = relay.answer(&request);
        if let Err(error) = exchange.receive(phone, answer) {
            assert!(exchange.is_finished() && exchange.next(phone) == Ok(None));
            return (Err(error), asked);
        }
    }
    exchange.abandon(phone).unwrap();
    (Ok(exchange.report().clone()), asked)
}

fn exchange(phone: &mut Phone, relay: &mut Relay) -> (RelayReport, Vec<Endpoint>) {
    let (ended, asked) = exchange_at_most(phone, relay, 10_000);
    (ended.unwrap(), asked)
}

#[test]
fn two_phones_meet_at_a_relay_and_nothing_changed_is_one_request() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    a.write(0..35);
    b.write(100..120);
    exchange(&mut a, &mut relay);
    exchange(&mut b, &mut relay);
    exchange(&mut a, &mut relay);
    assert_eq!(a.records, b.records);
    assert_eq!(a.records.len(), 55);
    exchange(&mut b, &mut relay);
    for phone in [&mut a, &mut b] {
        let (report, asked) = exchange(phone, &mut relay);
        assert_eq!(asked, [Endpoint::Pull]);
        assert!(report.warnings.is_empty() && report.stopped.is_none());
        println!("nothing changed at a relay: {} bytes out, {} in", report.bytes_sent, report.bytes_received);
        assert!(report.bytes_sent + report.bytes_received <= 400);
    }
    // control: something changed
    a.write(200..201);
    assert_eq!(exchange(&mut a, &mut relay).1, [Endpoint::Pull, Endpoint::Push]);
    assert_eq!(exchange(&mut b, &mut relay).0.rows.applied, 1);
}

#[test]
fn own_rows_do_not_come_back_unless_others_pushed_between() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    a.write(0..1);
    exchange(&mut a, &mut relay);
    a.write(1..10);
    exchange(&mut a, &mut relay);
    a.write(10..20);
    exchange(&mut a, &mut relay);
    let (report, _) = exchange(&mut a, &mut relay);
    assert_eq!(report.received, 0);
    b.write(30..33);
    exchange(&mut b, &mut relay);
    a.write(40..44);
    exchange(&mut a, &mut relay);
    assert!(a.records.contains(&32) && relay.days.values().flatten().count() == 27);
}

#[test]
fn a_large_mailbox_is_read_page_by_page_and_goes_on_after_a_break() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    for day in 0..4 {
        relay.now = START + day * 86_400;
        a.clock.set(relay.now);
        a.write(day as u32 * 1_000..day as u32 * 1_000 + 300);
        exchange(&mut a, &mut relay);
    }
    relay.page_bytes = 20_000;
    b.clock.set(relay.now);
    let (_, asked) = exchange_at_most(&mut b, &mut relay, 7);
    assert_eq!(asked.len(), 7);
    let early = b.records.len();
    assert!(early > 100 && early < 1_200);
    assert_eq!(b.ended_pulls, 1);
    let (report, _) = exchange(&mut b, &mut relay);
    assert_eq!(report.rows.known, 0);
    assert_eq!(b.records, a.records);
}

#[test]
fn after_a_restart_only_unknown_rows_of_the_day_are_fetched() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    a.write(0..100);
    exchange(&mut a, &mut relay);
    exchange(&mut b, &mut relay);
    a.write(100..125);
    exchange(&mut a, &mut relay);
    relay.restart();
    let (report, asked) = exchange(&mut b, &mut relay);
    assert_eq!((report.rows.applied, report.rows.known), (25, 0));
    assert_eq!(asked[..2], [Endpoint::Pull, Endpoint::Rows]);
    assert!(report.warnings.is_empty());
    assert_eq!(exchange(&mut b, &mut relay).1, [Endpoint::Pull]);
    // rows of later days follow the listing
    relay.now += 86_400;
    a.clock.set(relay.now);
    b.clock.set(relay.now);
    a.write(200..210);
    exchange(&mut a, &mut relay);
    b.cursor.as_mut().unwrap().fingerprint = [7; 16];
    exchange(&mut b, &mut relay);
    assert_eq!(a.records, b.records);
}

#[test]
fn a_turn_is_announced_before_rows_and_keys_change_between() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    a.holds_control = true;
    a.start_turn(2, &[1, 2]);
    a.write(0..3);
    let (report, asked) = exchange(&mut a, &mut relay);
    assert_eq!(asked, [Endpoint::Pull, Endpoint::Pull, Endpoint::Announce, Endpoint::Keys, Endpoint::Pull, Endpoint::Push]);
    assert!(report.announced && report.keys_changed && report.pushed == 3);
    assert_eq!((relay.present, relay.newest.is_some()), (turn(2), true));
    // the other one holds the earlier key: it adopts, then reads everything
    let (report, _) = exchange(&mut b, &mut relay);
    assert_eq!((report.turns_adopted, b.records.len()), (1, 3));
    assert_eq!(b.turns[0], turn(2));
}

#[test]
fn without_the_control_key_rows_go_up_under_the_present_keys() {
    let (mut relay, mut a) = (Relay::new(), Phone::new(1));
    a.start_turn(2, &[1, 2]);
    a.write(0..3);
    let (report, asked) = exchange(&mut a, &mut relay);
    assert_eq!(asked, [Endpoint::Pull, Endpoint::Pull, Endpoint::Announce, Endpoint::Push]);
    assert_eq!((report.pushed, relay.present), (3, turn(1)));
}

#[test]
fn a_turn_that_came_second_is_pulled_first_and_offered_again() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    a.start_turn(2, &[1, 2]);
    b.start_turn(3, &[1, 2]);
    // `b` has read, and `a` announces before `b` does
    let mut late = RelayExchange::new(&b.env);
    for _ in 0..2 {
        let request = late.next(&mut b).unwrap().unwrap();
        late.receive(&mut b, relay.answer(&request)).unwrap();
    }
    exchange(&mut a, &mut relay);
    let mut asked = Vec::new();
    while let Some(request) = late.next(&mut b).unwrap() {
        asked.push(request.endpoint);
        late.receive(&mut b, relay.answer(&request)).unwrap();
    }
    assert_eq!(asked.iter().filter(|endpoint| **endpoint == Endpoint::Announce).count(), 2);
    assert!(late.report().announced && late.report().turns_adopted == 1);
    assert_eq!(relay.days.values().flatten().filter(|row| row.lane() == Lane::Announce).count(), 2);
}

#[test]
fn an_earlier_key_never_makes_records_be_skipped() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    a.holds_control = true;
    a.write(0..5);
    exchange(&mut a, &mut relay);
    exchange(&mut b, &mut relay);
    // the new turn has no box that `b` can open
    a.start_turn(2, &[1]);
    exchange(&mut a, &mut relay);
    for day in 1..4 {
        relay.now = START + day * 86_400;
        a.clock.set(relay.now);
        b.clock.set(relay.now);
        a.write(day as u32 * 10..day as u32 * 10 + 5);
        exchange(&mut a, &mut relay);
        // an announcement on each day, which the earlier key reads
        relay.put(announcement(turn(50 + day as u8), &[9]));
        exchange(&mut b, &mut relay);
    }
    assert_eq!(b.records.len(), 5);
    // a colleague hands the turn over, phone to phone
    b.turns.insert(0, turn(2));
    exchange(&mut b, &mut relay);
    assert_eq!(b.records, a.records);
    // control: the cursor that the last page under the earlier key ended with does skip them
    let last = relay.page(
        turn(1),
        Pull { mailbox: b.mailbox(), cursor: None, max_bytes: 1 << 20, lane: None, freshness: Freshness { time: 0, nonce: [0; 12] } },
    );
    let mut naive = Phone::new(3);
    naive.clock.set(relay.now);
    naive.turns = vec![turn(2), turn(1)];
    naive.cursor = last.cursor;
    exchange(&mut naive, &mut relay);
    assert!(naive.records.len() < a.records.len());
}

#[test]
fn a_wrong_clock_costs_one_more_request_and_a_relay_that_insists_stops_it() {
    let (mut relay, mut a) = (Relay::new(), Phone::new(1));
    a.clock.set(START - 40_000);
    a.write(0..2);
    let (report, asked) = exchange(&mut a, &mut relay);
    assert_eq!(asked, [Endpoint::Pull, Endpoint::Pull, Endpoint::Push]);
    assert_eq!((report.stopped, a.offset), (None, 40_000));
    assert_eq!(exchange(&mut a, &mut relay).1.len(), 1);
    relay.lie = Lie::TimeForEver;
    let (report, asked) = exchange(&mut a, &mut relay);
    assert_eq!((report.stopped, asked.len()), (Some(ProblemCode::ClockSkew), 2));
}

#[test]
fn keys_that_the_relay_does_not_know_end_the_exchange() {
    let (mut relay, mut a) = (Relay::new(), Phone::new(1));
    relay.present = turn(40);
    a.write(0..2);
    let (report, asked) = exchange(&mut a, &mut relay);
    assert_eq!((report.stopped, asked.len(), a.ended_pulls), (Some(ProblemCode::Refused), 1, 1));
    a.turns.clear();
    let (ended, _) = exchange_at_most(&mut a, &mut relay, 10);
    assert_eq!(ended, Err(RelayError::Fault(RelayFault::NoKey)));
}

#[test]
fn a_locked_inbox_only_reads() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    a.write(0..5);
    exchange(&mut a, &mut relay);
    b.is_locked = true;
    b.write(10..12);
    let (report, asked) = exchange(&mut b, &mut relay);
    assert_eq!((asked.len(), report.received, b.froze), (1, 5, false));
    b.is_locked = false;
    assert_eq!(exchange(&mut b, &mut relay).0.pushed, 2);
}

#[test]
fn lying_relays_are_noticed_and_cost_little() {
    let cases: [(Lie, usize, Result<Option<RelayWarning>, RelayFault>); 8] = [
        (Lie::RepeatsPage, 2, Err(RelayFault::NoProgress)),
        (Lie::MoreWithoutRows, 1, Err(RelayFault::NoProgress)),
        (Lie::InventsListing, 2, Ok(Some(RelayWarning::Withheld))),
        (Lie::InventsListingForEver, 2 * EXCHANGE_LISTINGS_MAX_COUNT + 1, Err(RelayFault::NoProgress)),
        (Lie::CursorBack, 3, Err(RelayFault::NoProgress)),
        (Lie::Garbage, EXCHANGE_UNREADABLE_MAX_COUNT / 1_000 + 1, Ok(Some(RelayWarning::Unreadable))),
        (Lie::NotAFrame, 1, Err(RelayFault::Malformed)),
        (Lie::None, 1, Ok(None)),
    ];
    for (lie, requests, expected) in cases {
        let (mut relay, mut a) = (Relay::new(), Phone::new(1));
        a.write(0..3);
        exchange(&mut a, &mut relay);
        let held = a.records.clone();
        let cursor = a.cursor;
        a.ended_pulls = 0;
        relay.lie = lie;
        let (ended, asked) = exchange_at_most(&mut a, &mut relay, 1_000);
        assert!(asked.len() <= requests, "{lie:?}: {}", asked.len());
        match (ended, expected) {
            (Ok(report), Ok(warning)) => assert!(warning.is_none_or(|warning| report.warnings.contains(&warning)), "{lie:?} {report:?}"),
            (Err(error), Err(fault)) => assert_eq!(error, RelayError::Fault(fault), "{lie:?}"),
            other => panic!("{lie:?}: {other:?}"),
        }
        assert!(held.is_subset(&a.records));
        assert_eq!(a.ended_pulls, 1);
        // whatever it said, an honest answer afterwards brings everything that is there
        relay.lie = Lie::None;
        let mut other = Phone::new(2);
        other.write(500..510);
        exchange(&mut other, &mut relay);
        exchange(&mut a, &mut relay);
        assert!(a.records.contains(&509), "{lie:?} {cursor:?} {:?}", a.cursor);
    }
}

#[test]
fn rows_that_were_not_asked_for_are_dropped_and_withheld_ones_are_noticed() {
    for (lie, warning) in [(Lie::WrongRows, RelayWarning::WrongRows), (Lie::WithholdsSome, RelayWarning::Withheld)] {
        let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
        a.write(0..40);
        exchange(&mut a, &mut relay);
        exchange(&mut b, &mut relay);
        a.write(100..130);
        exchange(&mut a, &mut relay);
        relay.restart();
        relay.lie = lie;
        let (report, asked) = exchange(&mut b, &mut relay);
        assert!(report.warnings.contains(&warning) && asked.len() < 12);
        assert!(b.records.iter().all(|number| *number < 1_000_000));
    }
}

#[test]
fn an_announcement_that_is_never_newest_is_offered_a_few_times_only() {
    let (mut relay, mut a) = (Relay::new(), Phone::new(1));
    a.start_turn(2, &[1]);
    relay.lie = Lie::NeverNewest;
    let (report, asked) = exchange(&mut a, &mut relay);
    assert_eq!(report.stopped, Some(ProblemCode::NotNewest));
    assert_eq!(asked.iter().filter(|endpoint| **endpoint == Endpoint::Announce).count(), EXCHANGE_ANNOUNCES_MAX_COUNT);
}

#[test]
fn calls_out_of_order_and_a_failing_store_are_typed() {
    let (mut relay, mut a, mut b) = (Relay::new(), Phone::new(1), Phone::new(2));
    let mut exchange_one = RelayExchange::new(&a.env);
    assert_eq!(exchange_one.receive(&mut a, RelayAnswer::Ok(Vec::new())), Err(RelayError::Fault(RelayFault::Order)));
    let mut exchange_two = RelayExchange::new(&a.env);
    exchange_two.next(&mut a).unwrap();
    assert_eq!(exchange_two.next(&mut a), Err(RelayError::Fault(RelayFault::Order)));
    b.write(0..3);
    exchange(&mut b, &mut relay);
    a.fails = true;
    let (ended, _) = exchange_at_most(&mut a, &mut relay, 5);
    assert_eq!(ended, Err(RelayError::Replica(Broken)));
    assert_eq!(a.cursor, None);
    a.fails = false;
    assert_eq!(exchange(&mut a, &mut relay).0.rows.applied, 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn phones_converge_whatever_breaks(steps in prop::collection::vec((0usize..3, 0u32..9, 0usize..6, 0u8..12), 1..40)) {
        let mut relay = Relay::new();
        let mut phones: Vec<Phone> = (1..=3).map(Phone::new).collect();
        phones[0].holds_control = true;
        let (mut next_record, mut next_turn) = (0, 2);
        for (who, writes, answers, event) in steps {
            match event {
                0 => relay.restart(),
                1 => relay.now += 86_400,
                2 => relay.page_bytes = 3_000,
                3 if phones[0].announces.is_none() => {
                    phones[0].start_turn(next_turn, &[1, 2, 3]);
                    next_turn += 1;
                }
                _ => {}
            }
            let phone = &mut phones[who];
            phone.clock.set(relay.now);
            phone.write(next_record..next_record + writes);
            next_record += writes;
            // the last answer may be lost on its way back
            let mut exchange = RelayExchange::new(&phone.env);
            for left in (0..=answers).rev() {
                let Some(request) = exchange.next(phone).unwrap() else { break };
                let answer = relay.answer(&request);
                if left == 0 { break }
                exchange.receive(phone, answer).unwrap();
            }
            exchange.abandon(phone).unwrap();
        }
        for _ in 0..4 {
            for phone in &mut phones {
                phone.clock.set(relay.now);
                let (report, _) = super::relays::exchange(phone, &mut relay);
                prop_assert_eq!(report.stopped, None);
            }
        }
        for phone in &phones {
            prop_assert_eq!(phone.records.len(), next_record as usize);
            prop_assert!(phone.outbox.is_empty());
        }
    }

    #[test]
    fn arbitrary_answers_never_panic(answers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8)) {
        let mut phone = Phone::new(1);
        phone.write(0..3);
        let mut exchange = RelayExchange::new(&phone.env);
        for answer in answers {
            let Ok(Some(_)) = exchange.next(&mut phone) else { break };
            let _ = exchange.receive(&mut phone, RelayAnswer::Ok(answer));
        }
    }
}
