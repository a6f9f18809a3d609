//! Days. Nothing finer than a day is ever stored or sent.

use std::fmt;
use std::str::FromStr;

/// Why a text is not a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a day as YYYY-MM-DD between 1970-01-01 and 2149-06-06")]
pub struct DayError;

/// Civil date of a day number (proleptic Gregorian calendar; Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: u16) -> (i32, u8, u8) {
    let z = i32::from(days) + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_index + 2) / 5 + 1) as u8;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 } as u8;
    (year_of_era + era * 400 + i32::from(month <= 2), month, day)
}

fn from_civil(year: i32, month: u8, day: u8) -> Option<u16> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_index = i32::from(if month > 2 { month - 3 } else { month + 9 });
    let day_of_year = (153 * month_index + 2) / 5 + i32::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    u16::try_from(era * 146_097 + day_of_era - 719_468).ok()
}

macro_rules! day {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
        #[cbor(transparent)]
        pub struct $name(u16);

        impl $name {
            /// Takes days since 1970-01-01.
            pub const fn from_days(days: u16) -> Self { Self(days) }
            /// Days since 1970-01-01.
            pub const fn days(self) -> u16 { self.0 }
            /// This day moved forward, stopping at the last representable day (2149-06-06).
            pub const fn plus(self, days: u16) -> Self { Self(self.0.saturating_add(days)) }
            /// This day moved back, stopping at 1970-01-01.
            pub const fn minus(self, days: u16) -> Self { Self(self.0.saturating_sub(days)) }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let (year, month, day) = civil(self.0);
                write!(f, "{year:04}-{month:02}-{day:02}")
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }
        impl FromStr for $name {
            type Err = DayError;
            fn from_str(text: &str) -> Result<Self, DayError> {
                let bytes = text.as_bytes();
                if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' { return Err(DayError); }
                let number = |range: std::ops::Range<usize>| -> Result<u16, DayError> {
                    if !bytes[range.clone()].iter().all(u8::is_ascii_digit) { return Err(DayError); }
                    text.get(range).and_then(|part| part.parse().ok()).ok_or(DayError)
                };
                let (year, month, day) = (number(0..4)?, number(5..7)? as u8, number(8..10)? as u8);
                let days = from_civil(i32::from(year), month, day).ok_or(DayError)?;
                // refuses 31 April and 29 February of an ordinary year
                if civil(days) == (i32::from(year), month, day) { Ok(Self(days)) } else { Err(DayError) }
            }
        }
    };
}

day!(
    /// A worker's day: begins at 05:00 in the time zone of the team's charter, so that a night shift is one day.
    ShiftDay
);
day!(
    /// A day in UTC, as a relay counts arrivals.
    UtcDay
);

impl UtcDay {
    /// The UTC day of a Unix time (seconds); beyond 2149-06-06 the last representable day.
    pub fn of_unix_seconds(seconds: u64) -> Self {
        Self(u16::try_from(seconds / 86_400).unwrap_or(u16::MAX))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_day_survives_its_text() {
        for days in 0..=u16::MAX {
            let day = ShiftDay::from_days(days);
            assert_eq!(day.to_string().parse::<ShiftDay>().unwrap(), day);
        }
        assert_eq!(ShiftDay::from_days(0).to_string(), "1970-01-01");
        assert_eq!(ShiftDay::from_days(u16::MAX).to_string(), "2149-06-06");
        assert_eq!("2026-11-22".parse::<UtcDay>().unwrap(), UtcDay::of_unix_seconds(1_795_305_600));
    }

    #[test]
    fn impossible_days_are_refused() {
        for text in [
            "2026-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-10",
            "1969-12-31",
            "2149-06-07",
            "2026-1-01",
            "20261122",
            "+026-01-01",
            "2026-11-2２",
        ] {
            assert_eq!(text.parse::<ShiftDay>(), Err(DayError), "{text}");
        }
    }
}
