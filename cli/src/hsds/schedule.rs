//! From schedule rows to weekly openings and a line people can read.

use super::report::{Report, WarningCode};
use super::tables::Record;
use satchel_core::catalogue::limits::{DAY_MINUTES, HOURS_BYTES, OPENING_COUNT};
use satchel_core::catalogue::{Day, Hours, Opening, Weekday, clean_text};
use std::collections::{BTreeMap, BTreeSet};

/// Rules that end before this are treated as limited in time.
const FAR_FUTURE: &str = "2099-01-01";

/// The hours of a service. Rows in any order give the same hours.
///
/// A rule that is not plainly weekly (seasonal, every second week, first Monday, hours that might be a missing
/// "PM") goes into the words only: a closed door is worse than "unknown".
pub fn hours(rows: &[&Record], holidays: &[&Record], published: Option<Day>, report: &mut Report) -> Hours {
    let mut openings: BTreeSet<Opening> = BTreeSet::new();
    let mut texts: BTreeSet<String> = BTreeSet::new();
    let mut complete = !rows.is_empty();
    for row in rows {
        texts.extend(["description", "notes"].iter().map(|c| row.cell(c).to_owned()).filter(|t| !t.is_empty()));
        match weekly(row, published) {
            Ok(list) => openings.extend(list),
            Err(problem) => {
                complete = false;
                let bare = ["opens_at", "closes_at", "byday", "weekday", "freq"].iter().all(|c| row.cell(c).is_empty());
                if bare && !row.cell("description").is_empty() {
                    continue;
                }
                report.warn(Some(row.place), problem);
                if row.cell("description").is_empty() {
                    texts.insert(spell(row));
                }
            }
        }
    }
    let mut openings: Vec<Opening> = openings.into_iter().collect();
    if openings.len() > OPENING_COUNT {
        openings.truncate(OPENING_COUNT);
        complete = false;
        report.warn(rows.first().map(|row| row.place), WarningCode::ListTruncated);
    }
    let mut lines: Vec<String> = Vec::new();
    if !openings.is_empty() {
        lines.push(summary(&openings));
    }
    lines.extend(texts);
    lines.extend(holidays.iter().map(|row| holiday(row)).collect::<BTreeSet<_>>());
    let (text, cut) = clean_text(&lines.join("\n"), HOURS_BYTES);
    if cut {
        report.warn(rows.first().map(|row| row.place), WarningCode::TextTruncated);
    }
    Hours { text, openings, complete }
}

fn weekly(row: &Record, published: Option<Day>) -> Result<Vec<Opening>, WarningCode> {
    let days = days(row)?;
    let (opens, closes) = match (row.cell("opens_at"), row.cell("closes_at")) {
        // A named weekday without times is how older directories say "closed".
        ("", "") if !row.cell("weekday").is_empty() => return Ok(Vec::new()),
        ("", _) | (_, "") => return Err(WarningCode::HoursUnreadable),
        (opens, closes) => (minute(opens).ok_or(WarningCode::HoursUnreadable)?, minute(closes).ok_or(WarningCode::HoursUnreadable)?),
    };
    let limited = ["bymonthday", "byweekno", "byyearday", "count"].iter().any(|column| !row.cell(column).is_empty())
        || !matches!(row.cell("interval"), "" | "1")
        || ["until", "valid_to"].iter().any(|column| {
            let day = Day::from_iso(row.cell(column));
            !row.cell(column).is_empty() && day < Day::from_iso(FAR_FUTURE)
        })
        || Day::from_iso(row.cell("valid_from")).zip(published).is_some_and(|(from, now)| from > now);
    if limited {
        return Err(WarningCode::HoursNotWeekly);
    }
    let closes = match closes {
        // Directories write the last minute of the day for midnight.
        1439 => DAY_MINUTES,
        0 if opens > 0 => DAY_MINUTES,
        later if later > opens => later,
        // Evening to morning is a night; 10:00 to 4:00 is more likely a missing "PM".
        morning if opens >= 15 * 60 && morning <= 12 * 60 => morning + DAY_MINUTES,
        _ => return Err(WarningCode::HoursUnreadable),
    };
    let openings: Vec<Opening> = days.into_iter().map(|weekday| Opening { weekday, opens, closes }).collect();
    match openings.iter().all(Opening::is_valid) {
        true => Ok(openings),
        false => Err(WarningCode::HoursUnreadable),
    }
}

fn days(row: &Record) -> Result<BTreeSet<Weekday>, WarningCode> {
    let freq = row.cell("freq").to_ascii_uppercase();
    if !matches!(freq.as_str(), "" | "WEEKLY" | "DAILY") {
        return Err(WarningCode::HoursNotWeekly);
    }
    let named = match row.cell("byday") {
        "" => row.cell("weekday"),
        byday => byday,
    };
    if named.is_empty() {
        return match (freq.as_str(), Day::from_iso(row.cell("dtstart"))) {
            ("DAILY", _) => Ok(Weekday::ALL.into()),
            // RFC 5545: without BYDAY the weekday of the start repeats. 1970-01-01 was a Thursday.
            ("WEEKLY", Some(start)) => Ok(Weekday::ALL.get((start.days() as usize + 3) % 7).copied().into_iter().collect()),
            _ => Err(WarningCode::HoursUnreadable),
        };
    }
    let ordinal = |text: &str| text.len() > 1 && text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
    named
        .split([',', ';', ' ', '/'])
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(|text| match weekday(text) {
            Some(day) => Ok(day),
            None if ordinal(text) => Err(WarningCode::HoursNotWeekly),
            None => Err(WarningCode::HoursUnreadable),
        })
        .collect()
}

/// `MO`, `Mon`, `monday` or 1 to 7 with Monday first.
fn weekday(text: &str) -> Option<Weekday> {
    let text = text.to_ascii_lowercase();
    if let Ok(number) = text.parse::<usize>() {
        return Weekday::ALL.get(number.checked_sub(1)?).copied();
    }
    Weekday::ALL.into_iter().find(|day| {
        let name = day.name().to_ascii_lowercase();
        text.len() >= 2 && (name.starts_with(&text) || text.strip_suffix('s') == Some(&name))
    })
}

/// Minutes after midnight from `9:00`, `09:00:00`, `9 AM`, `5:30pm`, `24:00` or a time with an offset.
fn minute(text: &str) -> Option<u16> {
    let text = text.trim().to_ascii_lowercase().replace(['.', ' '], "");
    let (clock, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(clock), _) => (clock, Some(0)),
        (_, Some(clock)) => (clock, Some(12)),
        _ => (text.as_str(), None),
    };
    // The hours are local; an offset would only repeat the time zone.
    let clock = clock.split(['z', '+', '-']).next()?;
    let mut parts = clock.split(':');
    let mut number = |max: u16| -> Option<u16> {
        let part = parts.next().unwrap_or("0");
        let short = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse().ok().filter(|number| short && *number <= max)
    };
    if half.is_none() && !clock.contains(':') {
        return None;
    }
    let (hour, minute, _second) = (number(24)?, number(59)?, number(59)?);
    let hour = match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) => hour % 12 + half,
        None => hour,
    };
    let total = hour * 60 + minute;
    (total <= DAY_MINUTES && parts.next().is_none()).then_some(total)
}

/// `Mon-Fri 09:00-17:00; Sat 10:00-12:00`.
fn summary(openings: &[Opening]) -> String {
    let mut by_day: BTreeMap<Weekday, Vec<String>> = BTreeMap::new();
    for opening in openings {
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let closes = match opening.closes {
            DAY_MINUTES => "24:00".to_owned(),
            closes => clock(closes % DAY_MINUTES),
        };
        by_day.entry(opening.weekday).or_default().push(format!("{}-{closes}", clock(opening.opens)));
    }
    let mut groups: Vec<(Weekday, Weekday, String)> = Vec::new();
    for (day, times) in by_day {
        let times = times.join(", ");
        match groups.last_mut() {
            Some((_, last, same)) if *same == times && *last == day.before() => *last = day,
            _ => groups.push((day, day, times)),
        }
    }
    let short = |day: Weekday| day.name().get(..3).unwrap_or_default();
    let lines: Vec<String> = groups
        .into_iter()
        .map(|(first, last, times)| match first == last {
            true => format!("{} {times}", short(first)),
            false => format!("{}-{} {times}", short(first), short(last)),
        })
        .collect();
    lines.join("; ")
}

/// The raw rule, for a person to make sense of.
fn spell(row: &Record) -> String {
    let columns = ["freq", "interval", "byday", "weekday", "bymonthday", "opens_at", "closes_at", "valid_from", "valid_to", "until"];
    let words: Vec<&str> = columns.iter().map(|column| row.cell(column)).filter(|cell| !cell.is_empty()).collect();
    words.join(" ")
}

fn holiday(row: &Record) -> String {
    let closed = matches!(row.cell("closed").to_ascii_lowercase().as_str(), "true" | "yes" | "1" | "t");
    let (start, end) = (row.cell("start_date"), row.cell("end_date"));
    let days = match end.is_empty() || end == start {
        true => start.to_owned(),
        false => format!("{start} to {end}"),
    };
    match closed {
        true => format!("{days}: closed"),
        false => format!("{days}: {}-{}", row.cell("opens_at"), row.cell("closes_at")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Place;
    use super::super::tables::{Cells, Table};
    use super::*;

    fn row(cells: &[(&'static str, &str)]) -> Record {
        let cells: Cells = cells.iter().map(|(column, cell)| (*column, (*cell).to_owned())).collect();
        Record { place: Place { table: Table::Schedules, row: 2 }, nested: false, cells }
    }

    fn one(cells: &[(&'static str, &str)]) -> (Hours, Report) {
        let mut report = Report::default();
        let row = row(cells);
        let hours = hours(&[&row], &[], Day::from_iso("2026-11-01"), &mut report);
        (hours, report)
    }

    #[test]
    fn clock_times_in_every_spelling() {
        for (text, expected) in [
            ("9:00", Some(540)),
            ("09:00:00", Some(540)),
            ("9 AM", Some(540)),
            ("12am", Some(0)),
            ("12:30 p.m.", Some(750)),
            ("24:00", Some(1440)),
            ("17:00+01:00", Some(1020)),
            ("17:00Z", Some(1020)),
            ("25:00", None),
            ("24:01", None),
            ("9:60", None),
            ("noon", None),
            ("", None),
            ("900", None),
            ("13pm", None),
            ("9:00:00:00", None),
            ("-9:00", None),
        ] {
            assert_eq!(minute(text), expected, "{text}");
        }
    }

    #[test]
    fn weekly_rules_of_every_version_become_openings() {
        for cells in [
            &[("byday", "MO,TU"), ("freq", "WEEKLY"), ("opens_at", "09:00"), ("closes_at", "17:00")][..],
            &[("weekday", "Monday, Tuesday"), ("opens_at", "9 AM"), ("closes_at", "5 PM")],
            &[("weekday", "1,2"), ("opens_at", "09:00:00"), ("closes_at", "17:00:00"), ("valid_from", "2020-01-01")],
        ] {
            let (hours, report) = one(cells);
            assert_eq!(hours.open_at(Weekday::Tuesday, 1019), Some(true));
            assert_eq!(hours.open_at(Weekday::Wednesday, 600), Some(false));
            assert_eq!(hours.text, "Mon-Tue 09:00-17:00");
            assert_eq!(report.warning_count, 0);
        }
        let (hours, _) = one(&[("freq", "WEEKLY"), ("dtstart", "2026-11-22"), ("opens_at", "10:00"), ("closes_at", "11:00")]);
        assert_eq!(hours.open_at(Weekday::Sunday, 600), Some(true));
    }

    #[test]
    fn nights_and_midnight_are_understood() {
        let (hours, _) = one(&[("freq", "DAILY"), ("opens_at", "20:00"), ("closes_at", "07:00")]);
        assert_eq!(hours.open_at(Weekday::Monday, 30), Some(true));
        assert_eq!(hours.text, "Mon-Sun 20:00-07:00");
        let (hours, _) = one(&[("freq", "DAILY"), ("opens_at", "00:00"), ("closes_at", "23:59")]);
        assert_eq!(hours.open_at(Weekday::Monday, 1439), Some(true));
        assert_eq!(hours.text, "Mon-Sun 00:00-24:00");
    }

    #[test]
    fn what_is_not_plainly_weekly_stays_unknown() {
        let base = [("byday", "MO"), ("opens_at", "09:00"), ("closes_at", "17:00")];
        for extra in [
            ("valid_to", "2026-12-31"),
            ("until", "2026-12-31"),
            ("count", "3"),
            ("interval", "2"),
            ("bymonthday", "1"),
            ("freq", "MONTHLY"),
            ("byday", "1MO"),
            ("valid_from", "2027-01-01"),
        ] {
            let mut cells = base.to_vec();
            cells.push(extra);
            let (hours, report) = one(&cells);
            assert_eq!(hours.open_at(Weekday::Monday, 600), None, "{extra:?}");
            assert_eq!(report.warnings.first().map(|w| w.code), Some(WarningCode::HoursNotWeekly), "{extra:?}");
            assert!(!hours.text.is_empty());
        }
        let (hours, report) = one(&[("weekday", "Monday"), ("opens_at", "10:00"), ("closes_at", "4:00")]);
        assert_eq!(hours.open_at(Weekday::Monday, 120), None);
        assert_eq!(report.warnings.first().map(|w| w.code), Some(WarningCode::HoursUnreadable));
    }

    #[test]
    fn a_weekday_without_times_is_closed() {
        let (hours, report) = one(&[("weekday", "Sunday")]);
        assert_eq!(hours.open_at(Weekday::Sunday, 600), Some(false));
        assert_eq!(report.warning_count, 0);
    }
}
