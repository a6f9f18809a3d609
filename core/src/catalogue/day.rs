//! A calendar day without a clock or a time zone.

use super::CatalogueError;
use minicbor::{Decode, Encode};
use serde::{Serialize, Serializer};
use std::fmt;

/// A day of the proleptic Gregorian calendar, 1970-01-01 to 9999-12-31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Day(#[n(0)] u32);

/// Days from 1970-01-01 to 9999-12-31.
const LAST: u32 = 2_932_896;

impl Day {
    /// The day this many days after 1970-01-01.
    ///
    /// # Errors
    /// [`CatalogueError::DayOutOfRange`] after 9999-12-31: correct the date at its source.
    pub fn from_days(days: u32) -> Result<Self, CatalogueError> {
        if days > LAST {
            return Err(CatalogueError::DayOutOfRange);
        }
        Ok(Day(days))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn days(self) -> u32 {
        self.0
    }

    /// Reads `YYYY-MM-DD`, alone or at the start of an ISO 8601 timestamp; `None` for anything else.
    #[must_use]
    pub fn from_iso(text: &str) -> Option<Self> {
        let bytes = text.trim().as_bytes();
        if !matches!(bytes.get(10), None | Some(b'T' | b't' | b' ')) {
            return None;
        }
        let number = |from: usize, to: usize| -> Option<u32> {
            bytes.get(from..to)?.iter().try_fold(0u32, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
        };
        if bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
            return None;
        }
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        if year < 1970 || !(1..=12).contains(&month) || day < 1 || day > month_length(year, month) {
            return None;
        }
        let years = (1970..year).map(year_length).sum::<u32>();
        let months = (1..month).map(|m| month_length(year, m)).sum::<u32>();
        Some(Day(years + months + day - 1))
    }
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn year_length(year: u32) -> u32 {
    if is_leap(year) { 366 } else { 365 }
}

fn month_length(year: u32, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Day {
    /// Writes `YYYY-MM-DD`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut left, mut year, mut month) = (self.0, 1970, 1);
        while left >= year_length(year) {
            left -= year_length(year);
            year += 1;
        }
        while left >= month_length(year, month) {
            left -= month_length(year, month);
            month += 1;
        }
        write!(f, "{year:04}-{month:02}-{:02}", left + 1)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn known_days_match_the_calendar() {
        for (text, days) in [("1970-01-01", 0), ("1972-02-29", 789), ("2000-03-01", 11_017), ("2026-11-22", 20_779), ("9999-12-31", LAST)] {
            let day = Day::from_iso(text).unwrap();
            assert_eq!(day.days(), days, "{text}");
            assert_eq!(day.to_string(), text);
            assert_eq!(Day::from_days(days).unwrap(), day);
        }
        assert_eq!(Day::from_iso("2023-03-15T10:30:45.123Z"), Day::from_iso("2023-03-15"));
        assert!(Day::from_days(LAST + 1).is_err());
    }

    #[test]
    fn what_is_not_a_day_is_refused() {
        for text in [
            "",
            "2023",
            "2023-13-01",
            "2023-02-29",
            "1900-01-01",
            "2023-1-1",
            "15/03/2023",
            "2023-03-15x",
            "2023-00-10",
            "2023-01-00",
            "２023-01-01",
            "+023-01-01",
        ] {
            assert_eq!(Day::from_iso(text), None, "{text}");
        }
    }
}
