//! Exact places: addresses, rooms, boxes, positions. A street without a number is no exact place.

use super::super::finding::Reason;
use super::super::fold::Kind;
use super::super::lexicon::Tags;
use super::super::view::{Hit, View, is_year};
use super::number::Group;

/// How many words a street's name may have.
const NAME_WORDS: usize = 5;

/// "1423 Pine St", "12 N. 16th Street #4", "fourteen twenty three pine st", "1400 block of Pine".
pub(super) fn street_address(view: &View, groups: &[Group]) -> Option<Hit> {
    let number = house_number(groups)?;
    if number.len > 5 || number.value == 0 {
        return None;
    }
    let first = number.first;
    let before = view.before(first);
    // "bus 40 Market St", "$20 Pine St"
    if view.has(before, Tags::ROUTE) || view.is_sign(before, b'$') {
        return None;
    }
    let i = number.end.checked_sub(1)?;
    let mut j = i + 1;
    // "1423B", "1423-B", "1423 1/2"
    let letter = j + usize::from(view.is_sign(j, b'-'));
    if view.is_word(letter) && view.len(letter) == 1 {
        j = letter + 1;
    } else if view.is_space(j) && view.bytes(j + 1) == b"1" && view.bytes(j + 3) == b"2" {
        j += 4;
    }
    if !view.is_space(j) {
        return None;
    }
    j += 1;
    if number.len >= 3 && matches!(view.bytes(j), b"block" | b"blk" | b"bloque") {
        let of = view.past_space(j + 1);
        let named = matches!(view.bytes(of), b"of" | b"de") || view.is_capital(of);
        return named.then(|| Hit::of(Reason::StreetAddress, first, j + 1));
    }
    if view.bytes(j) == b"de" && view.bytes(j + 2) == b"la" && view.has(j + 4, Tags::CALLE) {
        // "1423 de la calle Pino"
        return view.is_word(j + 6).then(|| Hit::of(Reason::StreetAddress, first, j + 7));
    }
    let mut named_in_capitals = false;
    for word in 0..NAME_WORDS {
        let ordinal = view.is_digits(j) && matches!(view.bytes(j + 1), b"st" | b"nd" | b"rd" | b"th");
        let end = j + 1 + usize::from(ordinal);
        if !ordinal && !view.is_word(j) {
            return None;
        }
        let strong = view.has(j, Tags::STREET);
        let weak = view.has(j, Tags::STREET_WEAK);
        if word > 0 && (strong || weak) {
            let telling = named_in_capitals || view.is_capital(j) && view.len(j) > 2;
            let sure = if strong {
                number.len >= 3 || telling && is_led_in(view, before)
            } else {
                number.len >= 2 && telling && (number.len >= 3 || is_led_in(view, before))
            };
            return sure.then(|| Hit::of(Reason::StreetAddress, first, with_unit(view, end)));
        }
        if !ordinal && view.has(j, Tags::STOP.or(Tags::MEASURE)) && view.len(j) > 1 {
            return None;
        }
        named_in_capitals |= ordinal || view.is_capital(j);
        j = end;
        if view.is_sign(j, b'.') {
            j += 1;
        }
        if !view.is_space(j) {
            return None;
        }
        j += 1;
    }
    None
}

/// A house number in figures, or in several words ("fourteen twenty three").
fn house_number(groups: &[Group]) -> Option<Group> {
    let mut number = *groups.first()?;
    for part in groups.iter().skip(1).take(4) {
        if !number.spelled || !part.spelled {
            break;
        }
        number.len += part.len;
        number.end = part.end;
        number.value += part.value;
    }
    Some(number)
}

/// Whether what stands before a short house number introduces a place.
fn is_led_in(view: &View, before: usize) -> bool {
    match view.kind(before) {
        None | Some(Kind::Break | Kind::Sign(_)) => true,
        _ => {
            view.has(before, Tags::STAYS)
                || matches!(view.bytes(before), b"at" | b"in" | b"on" | b"to" | b"near" | b"by" | b"en" | b"from" | b"is")
        }
    }
}

/// The end of a flat's number that may follow an address, or `i`.
fn with_unit(view: &View, i: usize) -> usize {
    let mut j = i;
    while j < i + 3 && (view.is_space(j) || view.is_sign(j, b',') || view.is_sign(j, b'.')) {
        j += 1;
    }
    let word = view.has(j, Tags::FLAT.or(Tags::ROOM)) || view.bytes(j) == b"unit";
    if !word && !view.is_sign(j, b'#') {
        return i;
    }
    j = view.past_space(j + 1);
    if view.is_sign(j, b'#') || view.is_sign(j, b'.') {
        j = view.past_space(j + 1);
    }
    let numbered = view.is_digits(j) || view.is_word(j) && view.len(j) == 1;
    if !numbered {
        return i;
    }
    let letter = view.is_alnum(j + 1) && view.len(j + 1) == 1;
    j + 1 + usize::from(letter)
}

/// "calle 8 #1210", "av. Juarez no. 45", "calle San Pablo 300".
pub(super) fn calle(view: &View, i: usize) -> Option<Hit> {
    let mut j = i + 1;
    let dotted = view.is_sign(j, b'.') || view.is_sign(j, b'/');
    if dotted {
        j += 1;
    }
    if !view.is_space(j) {
        return None;
    }
    j += 1;
    // "C. Hidalgo 123": the lone letter needs its dot and a name.
    if view.len(i) == 1 && !(dotted && view.is_capital(j)) {
        return None;
    }
    let (mut words, mut named_in_capitals, mut marked) = (0, false, false);
    for _ in 0..4 * NAME_WORDS {
        match view.kind(j)? {
            Kind::Space => j += 1,
            Kind::Sign(b'#') => {
                marked = true;
                j += 1;
            }
            Kind::Sign(b'.' | b',') if words > 0 => j += 1,
            Kind::Word if matches!(view.bytes(j), b"no" | b"num" | b"numero" | b"nr" | b"number") => {
                marked = true;
                j += 1;
            }
            Kind::Digits => {
                let (len, value) = view.digits(j)?;
                let end = if view.is_word(j + 1) && view.len(j + 1) == 1 { j + 2 } else { j + 1 };
                let last = !view.is_space(end) && !view.is_alnum(end);
                let small = len < 3 && !((named_in_capitals || last) && len == 2);
                let plain = small || is_year(len, value) && !named_in_capitals;
                if marked && words > 0 || words > 0 && !plain && !view.is_quantity(end) {
                    let dashed = view.is_sign(end, b'-') && view.is_digits(end + 1);
                    let end = if dashed { end + 2 } else { end };
                    return (len <= 5).then(|| Hit::of(Reason::StreetAddress, i, with_unit(view, end)));
                }
                // A street may be named by a number ("calle 8").
                if words > 0 || marked {
                    return None;
                }
                words = 1;
                j += 1;
                if view.is_word(j) {
                    return None;
                }
                let numbered = {
                    let next = view.past_space(j);
                    view.is_sign(next, b'#') || view.is_sign(next, b',') || view.is_word(next)
                };
                if !numbered {
                    return None;
                }
            }
            Kind::Word => {
                let particle = matches!(view.bytes(j), b"de" | b"del" | b"la" | b"las" | b"los" | b"el");
                let stops = view.has(j, Tags::STOP.or(Tags::MEASURE)) && !particle;
                if stops || marked || words == NAME_WORDS {
                    return None;
                }
                named_in_capitals |= view.is_capital(j) && !particle;
                words += usize::from(!particle);
                j += 1;
            }
            _ => return None,
        }
    }
    None
}

/// "room 214", "apt 4B", "cuarto 12-A".
pub(super) fn room(view: &View, i: usize) -> Option<Hit> {
    let flat = view.has(i, Tags::FLAT);
    if !flat && !view.has(i, Tags::ROOM) {
        return None;
    }
    let (mut j, mut marked) = (i + 1, false);
    for _ in 0..4 {
        match view.kind(j)? {
            Kind::Space | Kind::Sign(b'.' | b':') => {}
            Kind::Sign(b'#') => marked = true,
            Kind::Word if view.has(j, Tags::MARKER) => marked = true,
            _ => break,
        }
        j += 1;
    }
    let (len, _) = view.digits(j)?;
    let lettered = view.is_word(j + 1) && view.len(j + 1) == 1;
    let end = j + 1 + usize::from(lettered);
    let counted = view.is_quantity(j + 1) && !lettered || view.is_word(end) && !view.is_space(end);
    let timed = view.is_sign(end, b':');
    let known = marked || lettered || flat || len >= 2;
    (known && len <= 5 && !counted && !timed).then(|| Hit::of(Reason::RoomNumber, i, end))
}

/// "lives at 1423 Pine", "address is 12 elm".
pub(super) fn stay(view: &View, i: usize) -> Option<Hit> {
    if !view.has(i, Tags::STAYS) {
        return None;
    }
    let mut j = i + 1;
    for _ in 0..7 {
        let passes = match view.kind(j)? {
            Kind::Space | Kind::Sign(b':' | b'@' | b'#') => true,
            Kind::Word => matches!(view.bytes(j), b"at" | b"is" | b"in" | b"on" | b"over" | b"en" | b"es" | b"el" | b"la" | b"ing"),
            _ => false,
        };
        if !passes {
            break;
        }
        j += 1;
    }
    let (len, _) = view.digits(j)?;
    let name = view.past_space(j + 1);
    let named = view.is_word(name) && name > j + 1 && view.len(name) > 2;
    let telling = (2..=5).contains(&len) && named;
    let excused = view.has(name, Tags::MEASURE.or(Tags::STOP).or(Tags::MONTH));
    (telling && !excused).then(|| Hit::of(Reason::StreetAddress, j, name + 1))
}

/// "PO Box 1234".
pub(super) fn postal_box(view: &View, i: usize) -> Option<Hit> {
    let before = view.before(i);
    let (first, postal) = match view.bytes(before) {
        b"po" | b"postal" => (before, true),
        // "P.O. Box"
        _ if view.is_sign(before, b'.') && view.bytes(before.wrapping_sub(1)) == b"o" => {
            (before.wrapping_sub(3), view.bytes(before.wrapping_sub(3)) == b"p")
        }
        _ => (i, false),
    };
    let mut j = view.past_space(i + 1);
    if view.is_sign(j, b'#') {
        j = view.past_space(j + 1);
    }
    (postal && view.is_digits(j)).then(|| Hit::of(Reason::RoomNumber, first, j + 1))
}

/// The end of a decimal with so many digits behind the point.
fn decimal(view: &View, i: usize, places: usize) -> Option<usize> {
    let whole = view.digits(i)?;
    let fraction = view.digits(i + 2)?;
    let point = view.is_sign(i + 1, b'.');
    (point && whole.0 <= 3 && whole.1 <= 180 && fraction.0 >= places).then_some(i + 3)
}

/// "34.0522, -118.2437", "34.0522N 118.2437W", "34°03'08\"N".
pub(super) fn coordinates(view: &View, i: usize) -> Option<Hit> {
    let first = if view.is_sign(i.wrapping_sub(1), b'-') { i.wrapping_sub(1) } else { i };
    // With a quarter ("N 37.77 W 122.41") two places are enough.
    let is_quarter = |j: usize| view.is_word(j) && matches!(view.bytes(j), b"n" | b"s" | b"e" | b"w");
    let led = is_quarter(view.before(i));
    if let Some(end) = decimal(view, i, if led { 2 } else { 3 }) {
        let mut j = end;
        for _ in 0..6 {
            let degree = view.is_sign(j, super::super::fold::DEGREE);
            let signs = [b',', b';', b'-', b'/'].iter().any(|&sign| view.is_sign(j, sign));
            if !(view.is_space(j) || degree || signs || is_quarter(j)) {
                break;
            }
            j += 1;
        }
        let second = decimal(view, j, if led { 2 } else { 3 }).filter(|_| j > end);
        return second.map(|end| Hit::of(Reason::Coordinates, first, end));
    }
    let degree = view.is_sign(i + 1, super::super::fold::DEGREE);
    let minutes = view.past_space(i + 2);
    let marked = view.is_sign(minutes + 1, b'\'') || view.is_sign(minutes + 1, b'.') && view.is_sign(minutes + 3, b'\'');
    if !(degree && view.is_digits(minutes) && marked) {
        return None;
    }
    let mut end = minutes + 2;
    for j in minutes + 2..minutes + 22 {
        let quarter = view.is_word(j) && view.len(j) == 1;
        let part = view.is_digits(j) || quarter || matches!(view.kind(j), Some(Kind::Sign(_)));
        if part {
            end = j + 1;
        } else if !view.is_space(j) {
            break;
        }
    }
    Some(Hit::of(Reason::Coordinates, first, end))
}

/// "lat 34.05 long -118.24".
pub(super) fn position(view: &View, i: usize) -> Option<Hit> {
    if !view.has(i, Tags::POSITION) {
        return None;
    }
    let mut j = i + 1;
    for _ in 0..4 {
        let passes = view.is_space(j) || [b':', b'-', b'=', b'.'].iter().any(|&sign| view.is_sign(j, sign)) || view.bytes(j) == b"is";
        if !passes {
            break;
        }
        j += 1;
    }
    decimal(view, j, 2).map(|end| Hit::of(Reason::Coordinates, i, end))
}

/// "maps.app.goo.gl/abc": a link into a map.
pub(super) fn map_link(view: &View, i: usize) -> Option<Hit> {
    if view.bytes(i) != b"maps" || !view.is_sign(i + 1, b'.') || !view.is_word(i + 2) {
        return None;
    }
    let mut end = i + 3;
    while end < i + 64 && (view.is_alnum(end) || matches!(view.kind(end), Some(Kind::Sign(_)))) {
        end += 1;
    }
    Some(Hit::of(Reason::Coordinates, i, end))
}

/// "///filled.count.soap": a position in three words.
pub(super) fn three_words(view: &View, i: usize) -> Option<Hit> {
    let slashes = view.is_sign(i + 1, b'/') && view.is_sign(i + 2, b'/');
    let words = [i + 3, i + 5, i + 7].iter().all(|&j| view.is_word(j));
    let dots = view.is_sign(i + 4, b'.') && view.is_sign(i + 6, b'.');
    (slashes && words && dots).then(|| Hit::of(Reason::Coordinates, i, i + 8))
}
