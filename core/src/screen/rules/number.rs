//! Runs of digits: phone numbers, social security numbers, and what is long enough to identify.
//!
//! A run is a row of digit groups ("415", "five five five", "O12" beside digits) with separators
//! between. Spread-out digits are read together, so that stray spaces, dots and dashes hide nothing.

use super::super::finding::Reason;
use super::super::fold::Kind;
use super::super::lexicon::Tags;
use super::super::view::{Hit, View, is_year, value_of};
use super::{date, place, shape};

/// The shortest run of digits that counts as a long number.
const LONG_DIGITS: usize = 5;
/// The shortest and longest phone numbers (ITU-T E.164 allows 15 digits).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// What stands between two groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    /// The run ends.
    End,
    Space,
    /// A dash, dot or bracket, as in phone numbers.
    Tight,
    /// A comma, slash, colon and the like, which also part separate numbers.
    Loose,
}

/// Digits written together, or one number word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub first: usize,
    pub end: usize,
    /// Count of digits.
    pub len: usize,
    pub value: u64,
    pub spelled: bool,
    gap: Gap,
    /// The sign in the gap, or a space.
    sign: u8,
}

impl Group {
    fn is_year(&self) -> bool {
        !self.spelled && is_year(self.len, self.value)
    }
}

/// Reads the group at a token.
pub(super) fn group(view: &View, i: usize) -> Option<Group> {
    let made = |end, len, value, spelled| Group { first: i, end, len, value, spelled, gap: Gap::End, sign: 0 };
    if view.has(i, Tags::NUMBER) {
        let tens = u64::from(view.value(i));
        let len = if tens < 10 { 1 } else { 2 };
        if tens >= 20
            && tens % 10 == 0
            && let Some(j) = unit_after_tens(view, i)
        {
            return Some(made(j + 1, 2, tens + u64::from(view.value(j)), true));
        }
        return Some(made(i + 1, len, tens, true));
    }
    let times = match view.bytes(i) {
        b"triple" => 3,
        b"double" | b"doble" => 2,
        _ => 0,
    };
    let said = view.past_space(i + 1);
    if times > 0 && view.has(said, Tags::NUMBER) && view.value(said) < 10 {
        // "triple five"
        let value = (0..times).fold(0, |value, _| value * 10 + u64::from(view.value(said)));
        return Some(made(said + 1, times, value, true));
    }
    if is_spoken_zero(view, i) {
        return Some(made(i + 1, 1, 0, true));
    }
    let (mut end, mut len, mut value) = (i, 0, 0);
    while view.is_digits(end) || is_lookalike(view, end) {
        let bytes = view.bytes(end);
        len += bytes.len();
        value = if view.is_digits(end) {
            value_of(value, bytes)
        } else {
            bytes.iter().fold(value, |value, &letter| {
                let digit = if letter == b'o' { b'0' } else { b'1' };
                value_of(value, &[digit])
            })
        };
        end += 1;
    }
    (end > i).then(|| made(end, len, value, false))
}

/// Letters typed for digits ("O12", "4l5"): only with a digit right behind.
fn is_lookalike(view: &View, i: usize) -> bool {
    view.is_word(i) && view.len(i) <= 2 && view.bytes(i).iter().all(|letter| b"oli".contains(letter)) && view.is_digits(i + 1)
}

/// "five five five o one two two": a lone "o" before an English digit (in Spanish it is "or").
fn is_spoken_zero(view: &View, i: usize) -> bool {
    let next = view.past_space(i + 1);
    view.bytes(i) == b"o"
        && next > i + 1
        && matches!(view.bytes(next), b"one" | b"two" | b"three" | b"four" | b"five" | b"six" | b"seven" | b"eight" | b"nine")
}

fn unit_after_tens(view: &View, i: usize) -> Option<usize> {
    let mut j = view.past_space(i + 1);
    if view.is_sign(j, b'-') {
        j += 1;
    } else if view.bytes(j) == b"y" {
        j = view.past_space(j + 1);
    }
    let unit = view.has(j, Tags::NUMBER) && (1..10).contains(&view.value(j));
    (j > i + 1 && unit).then_some(j)
}

/// What stands after a group, and where the next group begins.
fn gap(view: &View, group: &Group) -> (Gap, u8, usize) {
    let ended = (Gap::End, 0, group.end);
    let (mut gap, mut sign, mut i) = (Gap::Space, b' ', group.end);
    for _ in 0..5 {
        match view.kind(i) {
            Some(Kind::Space) => {}
            Some(Kind::Sign(b'.')) if view.is_space(i + 1) => (gap, sign) = (Gap::Loose, b'.'),
            Some(Kind::Sign(found @ (b'-' | b'.' | b'(' | b')'))) => {
                if gap == Gap::Space {
                    (gap, sign) = (Gap::Tight, found);
                }
            }
            Some(Kind::Sign(found @ (b',' | b'/' | b':' | b'_' | b'*' | b'|' | b'~' | b';' | b'+' | b'\'' | b'='))) => {
                (gap, sign) = (Gap::Loose, found)
            }
            Some(Kind::Word) if view.has(i, Tags::DASH) => (gap, sign) = (Gap::Tight, b'-'),
            _ => break,
        }
        i += 1;
    }
    if sign == b':' && group.len <= 2 && view.digits(i).is_some_and(|d| d.0 == 2 && d.1 < 60) {
        return ended;
    }
    let starts = view.is_digits(i) || view.has(i, Tags::NUMBER) || is_lookalike(view, i) || self::group(view, i).is_some();
    // Digits glued to a number word ("5five") are as tight as can be.
    let gap = if i == group.end { Gap::Tight } else { gap };
    if starts { (gap, sign, i) } else { ended }
}

/// Reads the run at a token, reports what it holds and returns the token after it.
pub(super) fn run(view: &View, i: usize, hits: &mut Vec<Hit>) -> usize {
    let mut groups: Vec<Group> = Vec::new();
    let mut next = i;
    while let Some(mut read) = group(view, next) {
        (read.gap, read.sign, next) = gap(view, &read);
        groups.push(read);
        if read.gap == Gap::End {
            break;
        }
    }
    let Some(last) = groups.last() else {
        return i + 1;
    };
    let mut end = last.end;
    let (mut start, mut g) = (0, 0);
    while let Some(here) = groups.get(g) {
        let rest = groups.get(g..).unwrap_or_default();
        let hit = shape::chain(view, here.first)
            .or_else(|| date::figures(view, here.first))
            .or_else(|| date::named(view, here.first))
            .or_else(|| place::coordinates(view, here.first))
            .or_else(|| place::street_address(view, rest))
            .or_else(|| height(view, here.first))
            .or_else(|| social_security(rest))
            .or_else(|| national_phone(view, rest));
        let Some(hit) = hit else {
            g += 1;
            continue;
        };
        judge(view, groups.get(start..g).unwrap_or_default(), hits);
        hits.push(hit);
        end = end.max(hit.end);
        while groups.get(g).is_some_and(|group| group.first < hit.end) {
            g += 1;
        }
        start = g;
    }
    judge(view, groups.get(start..).unwrap_or_default(), hits);
    end
}

/// Whether the first groups have these lengths, with gaps between them.
fn fits(groups: &[Group], lens: &[usize]) -> bool {
    let inner = lens.len().saturating_sub(1);
    groups.len() >= lens.len()
        && groups.iter().zip(lens).all(|(group, &len)| group.len == len)
        && groups.iter().take(inner).all(|group| group.gap != Gap::End)
}

/// "6'1", "5'11\"": feet and inches of somebody's height.
fn height(view: &View, i: usize) -> Option<Hit> {
    let (feet, inches) = (view.digits(i)?, view.digits(i + 2)?);
    let person = feet.0 == 1 && (4..=7).contains(&feet.1) && inches.0 <= 2 && inches.1 < 12;
    let measured = matches!(view.bytes(view.past_space(i + 3)), b"x" | b"by" | b"ft" | b"feet" | b"long" | b"wide");
    (person && view.is_sign(i + 1, b'\'') && !measured).then(|| Hit::of(Reason::Appearance, i, i + 3))
}

/// 123-45-6789, with dashes, dots or spaces: also taxpayer numbers (ITIN).
fn social_security(groups: &[Group]) -> Option<Hit> {
    let [area, group, serial, ..] = groups else {
        return None;
    };
    let same = area.gap == group.gap && area.gap != Gap::Loose;
    let counted = area.gap == Gap::Space && serial.is_year();
    (fits(groups, &[3, 2, 4]) && same && !counted).then(|| Hit::of(Reason::SocialSecurityShape, area.first, serial.end))
}

/// Numbers of the North American plan, with or without area code and country code.
fn national_phone(view: &View, groups: &[Group]) -> Option<Hit> {
    let first = groups.first()?;
    let until = |count: usize| {
        let last = groups.get(count - 1)?;
        Some(Hit::of(Reason::PhoneNumber, opening(view, first), last.end))
    };
    if fits(groups, &[1, 3, 3, 4]) && first.value == 1 {
        return until(4);
    }
    if fits(groups, &[3, 3, 4]) {
        return until(3);
    }
    if fits(groups, &[3, 7]) || fits(groups, &[6, 4]) || fits(groups, &[1, 10]) {
        return until(2);
    }
    let digit = |place: u32| first.value / 10_u64.pow(place) % 10;
    if first.len == 10 && digit(9) >= 2 && digit(6) >= 2 {
        return until(1);
    }
    if first.len == 11 && digit(10) == 1 && digit(9) >= 2 {
        return until(1);
    }
    if fits(groups, &[3, 4]) && first.gap != Gap::Loose {
        let last = groups.get(1)?;
        // "100 2000" and "$555-1200" are amounts.
        let round = first.value % 10 == 0 && last.value % 50 == 0;
        let money = view.is_sign(first.first.wrapping_sub(1), b'$');
        let counted = last.gap == Gap::End && view.is_quantity(last.end);
        let amount = round || money || counted;
        if last.gap != Gap::Tight && !amount {
            return until(2);
        }
    }
    None
}

/// Where a number begins that has a plus, a bracket or a number sign before it.
fn opening(view: &View, first: &Group) -> usize {
    let before = first.first.wrapping_sub(1);
    let bracket = view.is_sign(before, b'(') && view.is_sign(first.end, b')');
    let outer = if bracket { before.wrapping_sub(1) } else { before };
    if view.is_sign(outer, b'+') || view.is_sign(outer, b'#') {
        outer
    } else if bracket {
        before
    } else {
        first.first
    }
}

/// Judges the groups that no sharper rule took.
fn judge(view: &View, groups: &[Group], hits: &mut Vec<Hit>) {
    let (Some(first), Some(last)) = (groups.first(), groups.last()) else {
        return;
    };
    if groups.iter().all(|group| group.len == 1) && PHONE_DIGITS.contains(&groups.len()) {
        hits.push(Hit::of(Reason::PhoneNumber, opening(view, first), last.end));
        return;
    }
    // "four one five, 555, 0199" after a word about phones.
    let total: usize = groups.iter().map(|group| group.len).sum();
    if groups.len() >= 3 && matches!(total, 7 | 10 | 11) && speaks_of_phones(view, first.first, last.end) {
        hits.push(Hit::of(Reason::PhoneNumber, opening(view, first), last.end));
        return;
    }
    for piece in groups.split_inclusive(|group| group.gap == Gap::Loose) {
        judge_piece(view, piece, hits);
    }
}

fn judge_piece(view: &View, groups: &[Group], hits: &mut Vec<Hit>) {
    let (Some(first), Some(last)) = (groups.first(), groups.last()) else {
        return;
    };
    let total: usize = groups.iter().map(|group| group.len).sum();
    let start = opening(view, first);
    let signed = |sign| view.is_sign(first.first.wrapping_sub(1), sign);
    let whole = |reason| Hit::of(reason, start, last.end);
    let plausible = PHONE_DIGITS.contains(&total);
    let international = view.is_sign(start, b'+') && plausible;
    if international || plausible && speaks_of_phones(view, first.first, last.end) {
        hits.push(whole(Reason::PhoneNumber));
    } else if let Some(reason) = judge_shape(groups, total) {
        hits.push(whole(reason));
    } else {
        for group in groups {
            let amount = group.first == first.first && signed(b'$') && group.len <= 6;
            let before = group.first.wrapping_sub(2);
            if signed(b'#') && group.len == 4 && group.first == first.first && view.is_alnum(before) && !introduces(view, before) {
                // "nightfox#4471"
                hits.push(Hit::of(Reason::AccountName, before, group.end));
                continue;
            }
            let named = group.first == first.first && signed(b'#') && group.len >= 4;
            if group.len >= LONG_DIGITS && !amount || named {
                hits.push(Hit::of(Reason::LongNumber, opening(view, group), group.end));
            }
        }
    }
}

/// Whether the word says itself what the number after it is ("badge#4417").
fn introduces(view: &View, i: usize) -> bool {
    let says = Tags::JUSTICE.or(Tags::JUSTICE_WEAK).or(Tags::DOCUMENT).or(Tags::SOCIAL).or(Tags::PLATE).or(Tags::MARKER);
    view.has(i, says.or(Tags::PHONE).or(Tags::ROOM).or(Tags::FLAT))
}

/// Judges several groups by their lengths and gaps alone.
fn judge_shape(groups: &[Group], total: usize) -> Option<Reason> {
    let plausible = PHONE_DIGITS.contains(&total);
    let by_length = if plausible { Reason::PhoneNumber } else { Reason::LongNumber };
    if groups.len() < 2 {
        return None;
    }
    // Digit by digit, in figures or words.
    let single = groups.iter().all(|group| group.len == 1);
    let spoken = groups.iter().all(|group| group.spelled) && groups.len() >= 4;
    if (single || spoken) && total >= LONG_DIGITS {
        return Some(by_length);
    }
    if let [year, serial] = groups {
        let dashed = year.sign == b'-' && year.gap == Gap::Tight && !year.spelled;
        let yearly = year.len == 2 && (10..40).contains(&year.value) || year.is_year();
        let serial_like = (4..=7).contains(&serial.len) && !serial.is_year() && (serial.value % 100 != 0 || serial.len > 4);
        if dashed && yearly && serial_like {
            return Some(Reason::CaseShape);
        }
        if year.len == serial.len && is_span(year, serial) {
            return None;
        }
        let tight = year.gap == Gap::Tight && year.len.max(serial.len) >= 3;
        if tight && total == 6 && !year.is_year() {
            return Some(Reason::LongNumber);
        }
    }
    let pairs = groups.iter().all(|group| group.len == 2);
    if pairs && groups.len() == 5 && groups.first().is_some_and(|group| group.value < 10) {
        return Some(Reason::PhoneNumber);
    }
    let tight = groups.iter().any(|group| group.gap == Gap::Tight);
    let counted = groups.iter().all(|group| group.value % 10 == 0) || groups.iter().any(Group::is_year) && !tight;
    let broad = groups.iter().any(|group| group.len >= 3) && (tight || total >= 8);
    (broad && total >= *PHONE_DIGITS.start() && !counted).then_some(by_length)
}

/// "2025-2026", "0900-1700", "1200-1500", "100-150": from one to the other.
fn is_span(from: &Group, to: &Group) -> bool {
    let clock = |group: &Group| group.len == 4 && group.value < 2_400 && (group.value % 100).is_multiple_of(15);
    let years = from.is_year() && to.is_year();
    let clocks = clock(from) && clock(to);
    let rising = from.len <= 3 && from.value < to.value;
    let round = from.value.is_multiple_of(50) && to.value.is_multiple_of(50);
    years || clocks || rising || round
}

/// Whether a word about phones stands in the few words before, or right after ("… is her cell").
fn speaks_of_phones(view: &View, i: usize, end: usize) -> bool {
    for after in end..end + 7 {
        if view.has(after, Tags::PHONE) && !matches!(view.bytes(after), b"text" | b"call" | b"calls") {
            return true;
        }
        if !(view.is_space(after) || view.has(after, Tags::FILLER)) {
            break;
        }
    }
    let mut j = i;
    for _ in 0..9 {
        j = j.wrapping_sub(1);
        match view.kind(j) {
            Some(Kind::Word) if view.has(j, Tags::PHONE) => return true,
            None | Some(Kind::Break) => return false,
            _ => {}
        }
    }
    false
}
