//! Which keys are here, why, and until when: for a page that says it in words.

use super::Unlocked;
use crate::error::Error;
use crate::team::book::names_every_ban;
use satchel_wire::ShiftDay;
use satchel_wire::ids::TurnId;
use std::collections::BTreeSet;

/// Why the secret of a turn is still here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeldBecause {
    /// New work is sealed under it.
    InUse,
    /// Another phone began it beside the one in use: what was sealed under it may still arrive. The next turn ends both.
    Beside,
    /// A later one that is here grew out of it: it goes when the exchange in hand ends.
    Replaced,
    /// It was made by somebody who did not know of a removal or an erasure: it goes when the exchange in hand ends.
    LacksBan,
    /// It opens announcements and no record: all that the board gets.
    AnnouncementsOnly,
}

impl HeldBecause {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InUse => "in_use",
            Self::Beside => "beside",
            Self::Replaced => "replaced",
            Self::LacksBan => "lacks_ban",
            Self::AnnouncementsOnly => "announcements_only",
        }
    }
}

/// A turn whose secret is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnLine {
    /// Its number: one more than the highest of those that it grew out of.
    pub number: u32,
    /// The day on which it began.
    pub day: ShiftDay,
    /// Why it is here.
    pub because: HeldBecause,
}

/// The keys of this store, without any key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyState {
    /// The turns that are held, the one in use first, then the newest.
    pub turns: Vec<TurnLine>,
    /// The day on which the turn in use is due to be replaced, by one of the phones; none without one in use.
    pub next_turn: Option<ShiftDay>,
    /// The team's last day.
    pub last_day: ShiftDay,
    /// From the day after this one on, phones destroy what the team holds, unless the board renewed it.
    pub destroyed_after: ShiftDay,
}

impl Unlocked {
    /// Which turns are held and why, and what ends when.
    pub fn key_state(&self) -> Result<KeyState, Error> {
        self.read(|vault, _| {
            let charter = vault.charter()?.clone();
            let (book, log) = (&vault.keyring.book, &vault.keyring.log);
            let in_use = book.usable(log).map(|held| held.turn.id());
            let parents: BTreeSet<TurnId> = book.held().flat_map(|held| held.turn.parents().iter().copied()).collect();
            let line = |held: &crate::team::HeldTurn| {
                let id = held.turn.id();
                let because = match () {
                    () if in_use == Some(id) => HeldBecause::InUse,
                    () if !names_every_ban(log, &held.turn) => HeldBecause::LacksBan,
                    () if parents.contains(&id) => HeldBecause::Replaced,
                    () if !held.secret.reads_records() => HeldBecause::AnnouncementsOnly,
                    () => HeldBecause::Beside,
                };
                TurnLine { number: book.number(&id), day: held.turn.day(), because }
            };
            let mut turns: Vec<TurnLine> = book.held().map(line).collect();
            turns.sort_by_key(|line| (line.because, std::cmp::Reverse(line.number)));
            let next_turn = in_use.and_then(|_| vault.keyring.turn_due());
            Ok(KeyState { turns, next_turn, last_day: charter.sunset, destroyed_after: charter.sunset.plus(charter.absence_limit_days) })
        })
    }
}
