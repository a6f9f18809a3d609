//! A relay that lies, in front of an honest one.

use super::Dice;
use crate::team::{Hub, Phone};
use satchel_core::store::{RelayAnswer, RelayError, RelayReport};
use satchel_wire::frame::{Cursor, Endpoint, Frame, ProblemCode, Pulled};
use satchel_wire::ids::RowId;
use satchel_wire::row::Row;
use satchel_wire::{DayFingerprint, UtcDay};

/// How a relay lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// Half of all rows are kept back.
    Drops,
    /// Nothing is ever handed out, and every push is thanked for and thrown away.
    Swallows,
    /// The first page that it ever gave, again and again, with more to come.
    Repeats,
    /// Rows are altered by a bit.
    Corrupts,
    /// Rows that are noise, by the hundred.
    Floods,
    /// Cursors of days long gone, of days to come, or with a false fingerprint.
    Cursors,
    /// A listing of rows that nobody has.
    Invents,
    /// Answers that are no frames.
    Garbles,
    /// Refusals at random.
    Refuses,
}

impl Lie {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Drops,
        Self::Swallows,
        Self::Repeats,
        Self::Corrupts,
        Self::Floods,
        Self::Cursors,
        Self::Invents,
        Self::Garbles,
        Self::Refuses,
    ];
}

/// A lying relay.
#[derive(Debug)]
pub struct Liar<'a> {
    /// The honest relay behind it.
    pub hub: &'a Hub,
    /// How it lies.
    pub lie: Lie,
    /// What chance decides.
    pub dice: Dice,
    /// The page that [`Lie::Repeats`] repeats.
    pub page: Option<Vec<u8>>,
    /// How many answers were lies.
    pub lies: usize,
}

impl<'a> Liar<'a> {
    /// A liar in front of an honest relay.
    pub fn new(hub: &'a Hub, lie: Lie, seed: u64) -> Self {
        Self { hub, lie, dice: Dice::new(seed), page: None, lies: 0 }
    }

    fn ask(&self, endpoint: Endpoint, request: &[u8]) -> RelayAnswer {
        match self.hub.relay.answer(endpoint, request) {
            Ok(body) => RelayAnswer::Ok(body),
            Err(problem) => RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
        }
    }

    fn noise(&mut self) -> Option<Row> {
        let mut bytes: Vec<u8> = (0..64).flat_map(|_| self.dice.roll().to_le_bytes()).collect();
        bytes[0] = 2 + u8::from(self.dice.chance(60));
        Row::parse(bytes).ok()
    }

    fn answer(&mut self, endpoint: Endpoint, request: &[u8]) -> RelayAnswer {
        let is_read = matches!(endpoint, Endpoint::Pull | Endpoint::Rows);
        match self.lie {
            Lie::Garbles => {
                self.lies += 1;
                let length = self.dice.below(200);
                return RelayAnswer::Ok((0..length).map(|_| self.dice.below(256) as u8).collect());
            }
            Lie::Refuses if self.dice.chance(70) => {
                self.lies += 1;
                let code = ProblemCode::ALL[self.dice.below(ProblemCode::ALL.len())];
                return RelayAnswer::Problem { code, relay_time: self.dice.chance(50).then_some(self.dice.roll()) };
            }
            Lie::Swallows if endpoint == Endpoint::Push => {
                self.lies += 1;
                let day = UtcDay::of_unix_seconds(self.hub.clock.now());
                return RelayAnswer::Ok(satchel_wire::frame::Pushed { day, cursor: None }.to_bytes());
            }
            _ => {}
        }
        let answer = self.ask(endpoint, request);
        let RelayAnswer::Ok(body) = &answer else { return answer };
        let Ok(mut pulled) = Pulled::from_bytes(body) else { return answer };
        if !is_read {
            return answer;
        }
        self.lies += 1;
        match self.lie {
            Lie::Drops => pulled.rows.retain(|_| self.dice.chance(50)),
            Lie::Swallows => pulled.rows.clear(),
            Lie::Repeats => {
                pulled.more = true;
                let page = self.page.get_or_insert_with(|| pulled.to_bytes()).clone();
                return RelayAnswer::Ok(page);
            }
            Lie::Corrupts => {
                let altered = pulled.rows.drain(..).filter_map(|row| {
                    let mut bytes = row.into_bytes();
                    let at = self.dice.between(1, bytes.len() - 1);
                    bytes[at] ^= 1 << self.dice.below(8);
                    Row::parse(bytes).ok()
                });
                pulled.rows = altered.collect();
            }
            Lie::Floods => {
                for _ in 0..150 {
                    let row = self.noise();
                    pulled.rows.extend(row);
                }
            }
            Lie::Cursors => {
                let day = match self.dice.below(4) {
                    0 => UtcDay::from_days(0),
                    1 => UtcDay::from_days(u16::MAX),
                    2 => UtcDay::of_unix_seconds(self.hub.clock.now()).plus(3),
                    _ => UtcDay::of_unix_seconds(self.hub.clock.now()),
                };
                let mut fingerprint = [0; 16];
                fingerprint[0] = self.dice.below(256) as u8;
                pulled.cursor = self.dice.chance(80).then_some(Cursor { day, fingerprint });
            }
            Lie::Invents => {
                let ids: Vec<RowId> = (0..20).map(|_| RowId::of(&self.dice.roll().to_le_bytes())).collect();
                let day = UtcDay::of_unix_seconds(self.hub.clock.now());
                let cursor = Cursor { day, fingerprint: DayFingerprint::of(&ids).value() };
                let listing = (endpoint == Endpoint::Pull).then_some(ids);
                pulled = Pulled { rows: Vec::new(), cursor: Some(cursor), more: self.dice.chance(50), listing };
            }
            Lie::Garbles | Lie::Refuses => {}
        }
        RelayAnswer::Ok(pulled.to_bytes())
    }

    /// One exchange with the liar. Errors: the exchange's own.
    pub fn exchange(&mut self, phone: &Phone) -> Result<RelayReport, RelayError> {
        let mut link = phone.unlocked.relay_exchange()?;
        while let Some((endpoint, request)) = link.next_request()? {
            let answer = self.answer(endpoint, &request);
            link.receive(&answer)?;
        }
        Ok(link.report().clone())
    }
}
