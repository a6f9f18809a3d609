//! Days of the calendar, in figures and with the month's name.

use super::super::finding::Reason;
use super::super::lexicon::Tags;
use super::super::view::{Hit, View, is_year};

/// Words that, right after a date, say that it is a birth date.
fn birth_follows(view: &View, end: usize) -> Option<usize> {
    for i in end..end + 3 {
        if view.has(i, Tags::BIRTH) && view.bytes(i) != b"born" {
            return Some(i + 1);
        }
        if !(view.is_space(i) || view.is_sign(i, b'(') || view.is_sign(i, b',')) {
            return None;
        }
    }
    None
}

fn dated(view: &View, first: usize, end: usize) -> Hit {
    match birth_follows(view, end) {
        Some(end) => Hit::of(Reason::BirthMention, first, end),
        None if is_long_ago(view, first, end) => Hit::of(Reason::BirthMention, first, end),
        None => Hit::of(Reason::CalendarDate, first, end),
    }
}

/// Whether a date has a year in which people were born who are grown up today: nobody notes such a day for
/// anything else.
fn is_long_ago(view: &View, first: usize, end: usize) -> bool {
    (first..end).any(|i| match view.digits(i) {
        Some((4, year)) => (1_900..2_012).contains(&year),
        Some((8, value)) => (1_900..2_012).contains(&(value / 10_000)),
        // "8/2/95"
        Some((2, year)) => i + 1 == end && i > first + 2 && year > 31,
        _ => false,
    })
}

/// A date in figures at a digit token: day, month and year in any usual order, or day and month
/// after a word such as "on" or "court".
pub(super) fn figures(view: &View, i: usize) -> Option<Hit> {
    if let Some(end) = three_parts(view, i) {
        return Some(dated(view, i, end));
    }
    if let Some((8, value)) = view.digits(i) {
        // 20260412
        let fits = is_year(4, value / 10_000) && is_day(value / 100 % 100, value % 100);
        return (fits && value / 100 % 100 <= 12).then(|| dated(view, i, i + 1));
    }
    let (_, sign) = separator(view, i + 1)?;
    let introduced = {
        let before = view.before(i);
        let the = view.bytes(before) == b"the" || view.is_sign(before, b':');
        view.has(if the { view.before(before) } else { before }, Tags::DAY)
    };
    let end = two_parts(view, i)?;
    let is_date = sign == b'/' && introduced && !view.is_quantity(end);
    is_date.then(|| dated(view, i, end))
}

/// The end of a date of three numbers.
pub(super) fn three_parts(view: &View, i: usize) -> Option<usize> {
    let first = view.digits(i)?;
    let (j, sign) = separator(view, i + 1)?;
    let second = view.digits(j)?;
    let (k, second_sign) = separator(view, j + 1)?;
    let third = view.digits(k)?;
    if sign != second_sign || second.0 > 2 {
        return None;
    }
    let goes_on = view.is_sign(k + 1, sign) && view.is_digits(k + 2);
    let year_first = is_year(first.0, first.1) && third.0 <= 2 && is_day(second.1, third.1);
    let year_last = first.0 <= 2 && is_day(first.1, second.1);
    let long_year = year_last && is_year(third.0, third.1);
    // "8-10-12" is a list of sizes as often as a date.
    let sized = view.has(view.before(i), Tags::ROUTE);
    let short_year = year_last && third.0 == 2 && sign != b' ' && !sized;
    (!goes_on && (year_first || long_year || short_year)).then_some(k + 1)
}

/// The end of a day and month in figures ("4/5").
pub(super) fn two_parts(view: &View, i: usize) -> Option<usize> {
    let first = view.digits(i)?;
    let (j, sign) = separator(view, i + 1)?;
    let second = view.digits(j)?;
    let everyday = matches!((first.1, second.1), (24, 7) | (1, 2) | (1, 3) | (2, 3) | (1, 4) | (3, 4));
    let goes_on = view.is_sign(j + 1, b'/') || view.is_sign(j + 1, b':');
    let fits = first.0 <= 2 && second.0 <= 2 && is_day(first.1, second.1);
    (sign != b' ' && fits && !everyday && !goes_on).then_some(j + 1)
}

fn is_day(a: u64, b: u64) -> bool {
    let day = 1..=31;
    let month = 1..=12;
    (month.contains(&a) && day.contains(&b)) || (day.contains(&a) && month.contains(&b))
}

/// A sign between the parts of a date, with or without spaces, and the token after it.
fn separator(view: &View, i: usize) -> Option<(usize, u8)> {
    let j = view.past_space(i);
    for sign in [b'/', b'-', b'.'] {
        if view.is_sign(j, sign) {
            return Some((view.past_space(j + 1), sign));
        }
    }
    (j > i).then_some((j, b' '))
}

/// A date with the month's name: month first at a month, day first at a number or ordinal.
pub(super) fn named(view: &View, i: usize) -> Option<Hit> {
    let end = if view.has(i, Tags::MONTH) { month_first(view, i) } else { day_first(view, i) };
    end.map(|end| dated(view, i, end))
}

/// The end of "March 1990".
pub(super) fn month_and_year(view: &View, i: usize) -> Option<usize> {
    view.has(i, Tags::MONTH).then_some(())?;
    let end = year_after(view, i + 1);
    (end > i + 1).then_some(end)
}

struct Day {
    end: usize,
    /// Said to be a day: "3rd", "third".
    ordinal: bool,
}

fn day_at(view: &View, i: usize) -> Option<Day> {
    if let Some((len, value)) = view.digits(i) {
        if len > 2 || !(1..=31).contains(&value) {
            return None;
        }
        let suffix = matches!(view.bytes(i + 1), b"st" | b"nd" | b"rd" | b"th" | b"o" | b"ro" | b"er");
        // "3pm", "10mg": glued to another word, it is no day.
        return (suffix || !view.is_word(i + 1)).then_some(Day { end: i + 1 + usize::from(suffix), ordinal: suffix });
    }
    if !view.has(i, Tags::ORDINAL.or(Tags::NUMBER)) {
        return None;
    }
    let mut ordinal = view.has(i, Tags::ORDINAL);
    let mut value = view.value(i);
    let mut end = i + 1;
    // "twenty first", "treinta y uno"
    if matches!(value, 20 | 30) && !ordinal {
        let mut j = view.past_space(end);
        if view.is_sign(j, b'-') {
            j += 1;
        } else if view.bytes(j) == b"y" {
            j = view.past_space(j + 1);
        }
        if view.has(j, Tags::ORDINAL.or(Tags::NUMBER)) && (1..10).contains(&view.value(j)) {
            ordinal = view.has(j, Tags::ORDINAL);
            value += view.value(j);
            end = j + 1;
        }
    }
    (1..=31).contains(&value).then_some(Day { end, ordinal })
}

fn month_first(view: &View, i: usize) -> Option<usize> {
    let dot = usize::from(view.is_sign(i + 1, b'.') || view.is_sign(i + 1, b'-'));
    let mut j = view.past_space(i + 1 + dot);
    if matches!(view.bytes(j), b"the" | b"el" | b"dia") {
        j = view.past_space(j + 1);
    }
    let day = day_at(view, j)?;
    let timed = view.is_sign(day.end, b':') && view.is_digits(day.end + 1);
    let spelled = !view.is_digits(j);
    let end = year_after(view, day.end);
    if day.ordinal && !spelled || end > day.end {
        return Some(end);
    }
    // Without a year the month may be a name or a verb: "may 3", "April 2 kits".
    let before = view.before(i);
    let introduced = view.has(before, Tags::DAY) || matches!(view.bytes(before), b"by" | b"de");
    let verb = matches!(view.bytes(i), b"march" | b"mar" | b"august") && !day.ordinal;
    let doubtful = verb || view.bytes(i) == b"may";
    let plain = view.is_capital(i) || !doubtful || introduced;
    let is_date = !timed && plain && (!spelled || day.ordinal) && !view.is_quantity(day.end);
    is_date.then_some(end)
}

fn day_first(view: &View, i: usize) -> Option<usize> {
    let day = day_at(view, i)?;
    let mut j = view.past_space(day.end);
    let joined = matches!(view.bytes(j), b"de" | b"of");
    if joined {
        j = view.past_space(j + 1);
    } else if view.is_sign(j, b'-') || view.is_sign(j, b'/') || view.is_sign(j, b'.') {
        j += 1;
    }
    if j == day.end || !view.has(j, Tags::MONTH) {
        return None;
    }
    let spelled = !view.is_digits(i);
    let end = year_after(view, j + 1);
    let has_year = end > j + 1;
    let doubtful = matches!(view.bytes(j), b"may" | b"march" | b"mar") && !view.is_capital(j);
    let is_date = joined || has_year || !spelled && (day.ordinal || !doubtful);
    is_date.then_some(end)
}

/// The end of a year that follows a day or month, or `i`.
fn year_after(view: &View, i: usize) -> usize {
    let mut j = i;
    for _ in 0..4 {
        let passes = view.is_space(j)
            || [b',', b'.', b'-', b'/', b'\''].iter().any(|&sign| view.is_sign(j, sign))
            || matches!(view.bytes(j), b"de" | b"del" | b"of");
        if !passes {
            break;
        }
        j += 1;
    }
    let Some((len, value)) = view.digits(j) else {
        return spoken_year(view, j).unwrap_or(i);
    };
    let sign_before =
        view.is_sign(j.wrapping_sub(1), b'\'') || view.is_sign(j.wrapping_sub(1), b'-') || view.is_sign(j.wrapping_sub(1), b'/');
    let short = len == 2 && sign_before && !view.is_word(j + 1);
    if j > i && (is_year(len, value) || short) { j + 1 } else { i }
}

/// The end of a year in words: "nineteen ninety", "twenty twenty six".
pub(super) fn spoken_year(view: &View, i: usize) -> Option<usize> {
    let century = view.has(i, Tags::NUMBER) && matches!(view.value(i), 19 | 20);
    let j = view.past_space(i + 1);
    if !century || !view.has(j, Tags::NUMBER) || view.value(j) < 10 {
        return None;
    }
    let k = view.past_space(j + 1);
    let unit = view.has(k, Tags::NUMBER) && (1..10).contains(&view.value(k));
    Some(if unit && view.value(j).is_multiple_of(10) { k + 1 } else { j + 1 })
}
