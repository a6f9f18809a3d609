//! Values that a word before them gives away: "case 1187", "dob 4/5/89", "plate XYZ 987".

use super::super::finding::Reason;
use super::super::fold::Kind;
use super::super::lexicon::Tags;
use super::super::view::{Hit, View, is_year};
use super::{date, number};

/// The words that `justice`, `document` and `plate` begin at (besides a lone "a").
pub(super) const INTRODUCES: Tags = Tags::JUSTICE.or(Tags::JUSTICE_WEAK).or(Tags::DOCUMENT).or(Tags::SOCIAL).or(Tags::PLATE);

/// How many tokens may stand between a word and its value.
const REACH: usize = 10;
/// How many tokens a value may have.
const VALUE_TOKENS: usize = 24;

/// What follows an introducing word.
struct Value {
    first: usize,
    /// A "#", "number" or "ending in" says that a number follows.
    marked: bool,
    /// An "of" stands between: "a case of 144".
    of: bool,
}

fn value_after(view: &View, i: usize) -> Option<Value> {
    let (mut j, mut marked, mut of) = (i + 1, false, false);
    for _ in 0..REACH {
        match view.kind(j)? {
            Kind::Space | Kind::Sign(b':' | b'=' | b'.' | b'-' | b'\'' | b'(' | b',' | b'"') => {}
            Kind::Sign(b'#') => marked = true,
            Kind::Sign(_) | Kind::Break => return None,
            Kind::Digits => {
                return Some(Value { first: j, marked, of });
            }
            Kind::Word => {
                let word = view.bytes(j);
                let glued = view.is_digits(j + 1);
                let dotted = view.is_sign(j + 1, b'.') || view.is_sign(j + 1, b'#');
                if matches!(word, b"last" | b"ultimos") {
                    // "last four 4471", "last 4: 4471"
                    marked = true;
                    let four = view.past_space(j + 1);
                    if matches!(view.bytes(four), b"four" | b"cuatro" | b"4" | b"digits") {
                        j = four;
                    }
                } else if view.has(j, Tags::MARKER)
                    || matches!(word, b"no" | b"n") && dotted
                    || matches!(word, b"ending" | b"ends" | b"partial" | b"termina" | b"starts")
                {
                    marked = true;
                } else if glued || !(word == b"no" || view.has(j, Tags::FILLER)) {
                    return Some(Value { first: j, marked, of });
                } else {
                    of |= word == b"of";
                }
            }
        }
        j += 1;
    }
    None
}

/// A number with letters and dashes, as registers write them.
#[derive(Default)]
struct Extent {
    end: usize,
    digits: usize,
    letters: bool,
    dash: bool,
    /// One digit token, and it reads as a year.
    year: bool,
}

fn extent(view: &View, first: usize) -> Option<Extent> {
    let mut found = Extent::default();
    let mut j = first;
    let limit = first + VALUE_TOKENS;
    while j < limit {
        match view.kind(j) {
            Some(Kind::Digits) => {
                let (len, value) = view.digits(j)?;
                found.year = found.digits == 0 && is_year(len, value);
                found.digits += len;
                found.end = j + 1;
            }
            Some(Kind::Word) if view.has(j, Tags::NUMBER) => {
                let group = number::group(view, j)?;
                found.year = false;
                found.digits += group.len;
                j = group.end - 1;
                found.end = group.end;
            }
            Some(Kind::Word) => {
                let after = view.is_alnum(j + 1) || view.is_sign(j + 1, b'-');
                let glued = after || j > first && !view.is_space(j.wrapping_sub(1));
                // "CR 24 01873": capitals with a space.
                let spaced = j == first && view.is_upper(j) && view.is_digits(j + 2);
                if view.len(j) > 5 || !(glued || spaced) {
                    break;
                }
                found.letters = true;
                if found.digits > 0 {
                    found.end = j + 1;
                }
            }
            Some(Kind::Sign(b'-' | b'/')) if view.is_alnum(j + 1) => found.dash |= view.is_sign(j, b'-'),
            Some(Kind::Space) if j > first && goes_on(view, j + 1, found.digits) => {}
            _ => break,
        }
        j += 1;
    }
    let timed = view.is_sign(found.end, b':') && view.is_digits(found.end + 1);
    let last = found.end.wrapping_sub(1);
    let measured = view.has(last, Tags::MEASURE) && !view.is_digits(last);
    (found.digits > 0 && !timed && !measured).then_some(found)
}

/// Whether a value goes on behind a space: more digits that count nothing and are no date.
fn goes_on(view: &View, i: usize, digits: usize) -> bool {
    if view.has(i, Tags::NUMBER) {
        return true;
    }
    let Some((len, _)) = view.digits(i) else {
        // "1EG4 TE5 MK73"
        return digits > 0 && view.is_upper(i) && view.len(i) <= 3 && view.is_digits(i + 1);
    };
    let joins = digits == 0 || len >= 2 || digits < 8 && !view.is_space(i + 2);
    joins && !view.is_quantity(i + 1) && !is_date(view, i) && !view.is_sign(i + 1, b':')
}

fn is_date(view: &View, i: usize) -> bool {
    date::three_parts(view, i).is_some() || date::named(view, i).is_some()
}

/// "case #7", "booking 4471882", "badge four four one", "unit 12", "caso 24-0187".
pub(super) fn justice(view: &View, i: usize) -> Option<Hit> {
    let strong = view.has(i, Tags::JUSTICE);
    if !strong && !view.has(i, Tags::JUSTICE_WEAK) {
        return None;
    }
    let value = value_after(view, i)?;
    if is_date(view, value.first) {
        return None;
    }
    let found = extent(view, value.first)?;
    let counted = view.is_quantity(found.end) || value.of || found.year && !strong;
    // "placa" is a badge with digits alone, and a plate with letters.
    let plate = view.has(i, Tags::PLATE) && found.letters;
    let enough = found.digits >= if strong || value.marked { 1 } else { 3 };
    // "unit 4 of the clinic", "unidad 4 de la clínica"
    let part = matches!(view.bytes(i), b"unit" | b"unidad") && matches!(view.bytes(view.past_space(found.end)), b"of" | b"de" | b"del");
    let told = value.marked && !view.is_quantity(found.end) || !counted && !part;
    let reason = if view.has(view.before(i), Tags::DOCUMENT.or(Tags::SOCIAL)) {
        // "CalFresh case number"
        Reason::DocumentMention
    } else if view.has(i, Tags::OFFICER) {
        Reason::OfficerMention
    } else {
        Reason::JusticeReference
    };
    (enough && told && !plate).then(|| Hit::of(reason, i, found.end))
}

/// "ssn 123456789", "social last four 4471", "passport C1234567", "A# 012 345 678".
pub(super) fn document(view: &View, i: usize) -> Option<Hit> {
    let social = view.has(i, Tags::SOCIAL);
    let spaced = view.is_upper(i) && view.is_space(i + 1) && view.len(i + 2) == 3;
    let alien = view.bytes(i) == b"a" && (view.is_sign(i + 1, b'#') || spaced);
    if !social && !alien && !view.has(i, Tags::DOCUMENT) {
        return None;
    }
    let value = value_after(view, i)?;
    if is_date(view, value.first) {
        return None;
    }
    let found = extent(view, value.first)?;
    let marked = value.marked || alien;
    let enough = match (alien && spaced, social || marked || found.letters) {
        (true, _) => 8,
        (_, true) => 4,
        _ => 5,
    };

    let counted = found.year && !marked || view.is_quantity(found.end);
    (found.digits >= enough && !counted).then(|| Hit::of(Reason::DocumentMention, i, found.end))
}

/// "plate XYZ 987", "placas abc-12-34", "partial plate ending 987".
pub(super) fn plate(view: &View, i: usize) -> Option<Hit> {
    if !view.has(i, Tags::PLATE) {
        return None;
    }
    let value = value_after(view, i)?;
    let (mut letters, mut digits, mut upper) = (0, 0, true);
    let (mut end, mut j) = (value.first, value.first);
    for _ in 0..8 {
        match view.kind(j) {
            Some(Kind::Digits) if view.len(j) <= 6 => {
                digits += view.len(j);
                end = j + 1;
            }
            Some(Kind::Word) => {
                let everyday = view.has(j, Tags::STOP.or(Tags::MEASURE).or(Tags::FILLER));
                let short = view.len(j) <= 3 && !everyday;
                if view.len(j) > 4 || !(view.is_upper(j) || short) {
                    break;
                }
                letters += view.len(j);
                upper &= view.is_upper(j);
                end = j + 1;
            }
            Some(Kind::Space | Kind::Sign(b'-')) if view.is_alnum(j + 1) && letters + digits < 7 => {}
            _ => break,
        }
        j += 1;
    }
    let sized = (2..=8).contains(&(letters + digits));
    let badge = view.has(i, Tags::JUSTICE_WEAK);
    let tag = matches!(view.bytes(i), b"tag" | b"tags");
    let told = if letters > 0 { digits >= 1 && (upper || digits >= 2 && !tag) } else { digits >= 3 && value.marked && !badge && !tag };
    (sized && told && !view.is_quantity(end)).then(|| Hit::of(Reason::PlateMention, i, end))
}

/// "dob 4/5/89", "d.o.b. 1990", "born March 3 1990", "nacida el 3 de marzo de 1990".
pub(super) fn birth(view: &View, i: usize) -> Option<Hit> {
    let dotted = view.bytes(i) == b"d"
        && (view.is_sign(i + 1, b'.') || view.is_sign(i + 1, b'/'))
        && view.bytes(i + 2) == b"o"
        && view.bytes(i + 4) == b"b";
    // "b-day", "b day"
    let parted = view.bytes(i) == b"b" && view.bytes(i + 2) == b"day" && !view.is_alnum(i + 1);
    let mut j = match (dotted, parted) {
        (true, _) => i + 5,
        (_, true) => i + 3,
        _ if view.has(i, Tags::BIRTH) => i + 1,
        _ => return None,
    };
    let limit = j + REACH;
    while j < limit {
        if let Some(end) = birth_value(view, j) {
            return Some(Hit::of(Reason::BirthMention, i, end));
        }
        let passes = match view.kind(j)? {
            Kind::Space | Kind::Sign(b':' | b'.' | b'-' | b',' | b'\'' | b'(' | b'=' | b'/') => true,
            Kind::Word => view.has(j, Tags::FILLER.or(Tags::DAY)) || matches!(view.bytes(j), b"year" | b"ano" | b"back"),
            _ => false,
        };
        if !passes {
            return None;
        }
        j += 1;
    }
    None
}

/// "4/89", "03/1989"
fn month_in_figures(view: &View, i: usize) -> Option<usize> {
    let (_, month) = view.digits(i)?;
    let (len, year) = view.digits(i + 2)?;
    let dashed = view.is_sign(i + 1, b'/') || view.is_sign(i + 1, b'-');
    let years = len == 2 || is_year(len, year);
    (dashed && (1..=12).contains(&month) && years && !view.is_quantity(i + 3)).then_some(i + 3)
}

/// A date with the month's name, and a year that only a birth date has: "5 april 89", "… in 1989".
fn named_with_year(view: &View, i: usize) -> Option<usize> {
    let end = date::named(view, i)?.end;
    let mut j = view.past_space(end);
    if matches!(view.bytes(j), b"in" | b"of" | b"del" | b"de" | b"en") {
        j = view.past_space(j + 1);
    }
    let year = view.digits(j).is_some_and(|(len, value)| len == 2 || is_year(len, value));
    let alone = !view.is_word(j + 1) && !view.is_quantity(j + 1);
    Some(if j > end && year && alone { j + 1 } else { end })
}

fn birth_value(view: &View, i: usize) -> Option<usize> {
    if let Some((len, value)) = view.digits(i) {
        let whole = date::three_parts(view, i).or_else(|| date::two_parts(view, i).filter(|&end| !view.is_quantity(end)));
        let compact = matches!(len, 6 | 8) && !view.is_word(i + 1);
        let alone = compact || is_year(len, value);
        return whole.or_else(|| named_with_year(view, i)).or_else(|| month_in_figures(view, i)).or(alone.then_some(i + 1));
    }
    named_with_year(view, i).or_else(|| date::month_and_year(view, i)).or_else(|| date::spoken_year(view, i))
}
