//! Opening hours: plain words for people, and a weekly list for "open now".

use super::limits::DAY_MINUTES;
use minicbor::{Decode, Encode};
use serde::Serialize;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    #[n(0)]
    Monday,
    /// Tuesday.
    #[n(1)]
    Tuesday,
    /// Wednesday.
    #[n(2)]
    Wednesday,
    /// Thursday.
    #[n(3)]
    Thursday,
    /// Friday.
    #[n(4)]
    Friday,
    /// Saturday.
    #[n(5)]
    Saturday,
    /// Sunday.
    #[n(6)]
    Sunday,
}

impl Weekday {
    /// All seven, Monday first.
    pub const ALL: [Weekday; 7] =
        [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday, Weekday::Saturday, Weekday::Sunday];

    /// The day before this one.
    #[must_use]
    pub fn before(self) -> Weekday {
        Weekday::ALL[(self as usize + 6) % 7]
    }

    /// The English name.
    #[must_use]
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
        NAMES[self as usize]
    }
}

/// One weekly opening, in local minutes after the midnight that starts `weekday`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Opening {
    /// The day it opens.
    #[n(0)]
    pub weekday: Weekday,
    /// Opening minute, 0 to 1439.
    #[n(1)]
    pub opens: u16,
    /// Closing minute (exclusive), after `opens` and at most 1440 minutes later; above 1440 it is the next day.
    #[n(2)]
    pub closes: u16,
}

impl Opening {
    /// Whether the minutes are in range.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.opens < DAY_MINUTES && self.closes > self.opens && self.closes - self.opens <= DAY_MINUTES
    }

    fn covers(&self, weekday: Weekday, minute: u16) -> bool {
        (self.weekday == weekday && self.opens <= minute && minute < self.closes)
            || (self.weekday == weekday.before()
                && minute.checked_add(DAY_MINUTES).is_some_and(|late| self.opens <= late && late < self.closes))
    }
}

/// When a service is open.
#[derive(Clone, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Hours {
    /// The hours as a person would read them; empty when the source says nothing.
    #[n(0)]
    pub text: String,
    /// Weekly openings, sorted and without repeats.
    #[cbor(n(1), decode_with = "super::codec::bounded_openings")]
    pub openings: Vec<Opening>,
    /// Whether `openings` says everything the source says, so that a moment outside them is closed.
    #[n(2)]
    pub complete: bool,
}

impl Hours {
    /// Whether the service is open at a local `minute` (0 to 1439) of `weekday`; `None` when unknown.
    ///
    /// Public holidays are not modelled: they stand in `text`.
    #[must_use]
    pub fn open_at(&self, weekday: Weekday, minute: u16) -> Option<bool> {
        if self.openings.iter().any(|opening| opening.covers(weekday, minute)) {
            return Some(true);
        }
        self.complete.then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(complete: bool) -> Hours {
        Hours {
            text: String::new(),
            openings: vec![
                Opening { weekday: Weekday::Monday, opens: 540, closes: 720 },
                Opening { weekday: Weekday::Sunday, opens: 1200, closes: 1860 },
            ],
            complete,
        }
    }

    #[test]
    fn opening_and_closing_minutes_are_exact() {
        let hours = hours(true);
        let at = |minute| hours.open_at(Weekday::Monday, minute);
        assert_eq!(at(539), Some(false));
        assert_eq!(at(540), Some(true));
        assert_eq!(at(719), Some(true));
        assert_eq!(at(720), Some(false));
    }

    #[test]
    fn a_night_shelter_stays_open_after_midnight_and_over_the_week_end() {
        let hours = hours(true);
        assert_eq!(hours.open_at(Weekday::Sunday, 1439), Some(true));
        assert_eq!(hours.open_at(Weekday::Monday, 419), Some(true));
        assert_eq!(hours.open_at(Weekday::Monday, 420), Some(false));
        assert_eq!(hours.open_at(Weekday::Sunday, 60), Some(false));
    }

    #[test]
    fn outside_incomplete_hours_the_answer_is_unknown() {
        assert_eq!(hours(false).open_at(Weekday::Friday, 600), None);
        assert_eq!(hours(false).open_at(Weekday::Monday, 600), Some(true));
        assert_eq!(Hours::default().open_at(Weekday::Friday, 600), None);
        assert_eq!(hours(true).open_at(Weekday::Friday, u16::MAX), Some(false));
    }

    #[test]
    fn impossible_openings_are_recognised() {
        let opening = |opens, closes| Opening { weekday: Weekday::Friday, opens, closes };
        assert!(opening(0, 1440).is_valid());
        assert!(opening(1439, 2879).is_valid());
        assert!(!opening(600, 600).is_valid());
        assert!(!opening(600, 599).is_valid());
        assert!(!opening(1440, 1500).is_valid());
        assert!(!opening(0, 1441).is_valid());
    }
}
