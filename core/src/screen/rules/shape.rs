//! Letters and digits glued together: plates, case numbers, document numbers, by shape alone.

use super::super::finding::Reason;
use super::super::fold::Kind;
use super::super::lexicon::Tags;
use super::super::view::{Hit, View, is_year};

/// The most pieces a shape may have; a longer chain has none of ours.
const PIECES: usize = 10;

#[derive(Clone, Copy, Debug, Default)]
struct Piece {
    token: usize,
    letters: bool,
    len: usize,
    value: u64,
    /// A dash stands before it.
    dashed: bool,
}

/// Reads the chain that begins at a token and recognises its shape.
pub(super) fn chain(view: &View, i: usize) -> Option<Hit> {
    let before = i.wrapping_sub(1);
    let joined = view.is_sign(before, b'-') && view.is_alnum(before.wrapping_sub(1));
    // Most words end right here.
    let alone = !view.is_alnum(i + 1) && !view.is_sign(i + 1, b'-');
    if alone || joined || view.is_alnum(before) || view.is_sign(before, b'@') {
        return None;
    }
    let mut pieces = [Piece::default(); PIECES];
    let (mut count, mut end, mut j, mut dashed) = (0, i, i, false);
    loop {
        match view.kind(j) {
            Some(Kind::Word | Kind::Digits) => {
                let number = view.digits(j);
                *pieces.get_mut(count)? =
                    Piece { token: j, letters: number.is_none(), len: view.len(j), value: number.map_or(0, |n| n.1), dashed };
                count += 1;
                dashed = false;
                end = j + 1;
            }
            Some(Kind::Sign(b'-')) if !dashed => dashed = true,
            _ => break,
        }
        j += 1;
    }
    let pieces = pieces.get(..count)?;
    let mixed = pieces.iter().any(|p| p.letters) && pieces.iter().any(|p| !p.letters);
    let measured = pieces.iter().any(|p| p.letters && view.has(p.token, Tags::MEASURE));
    if !mixed || measured || view.is_sign(end, b'@') {
        return None;
    }
    let reason = plate(view, pieces).or_else(|| document(pieces)).or_else(|| vehicle_identification(pieces)).or_else(|| case(pieces))?;
    let signed = view.is_sign(before, b'#');
    Some(Hit::of(reason, if signed { before } else { i }, end))
}

fn plate(view: &View, pieces: &[Piece]) -> Option<Reason> {
    let letters = |n: usize| pieces.get(n).is_some_and(|p| p.letters);
    let upper = pieces.iter().all(|p| !p.letters || view.is_upper(p.token));
    let acronym = pieces.iter().any(|p| p.letters && view.has(p.token, Tags::ACRONYM));
    let dashes = pieces.iter().filter(|p| p.dashed).count();
    let mut lens = [0; 4];
    for (slot, piece) in lens.iter_mut().zip(pieces) {
        *slot = piece.len;
    }
    let year = pieces.iter().any(|p| !p.letters && is_year(p.len, p.value));
    let fits = match (pieces.len(), letters(0), lens) {
        // 7ABC123
        (3, false, [1, 3, 3, _]) => dashes == 0 || upper,
        // ABC-1234, ABC123; in small letters only the long form without a dash
        (2, true, [3, 3 | 4, ..]) => !year && (upper || dashes == 0 && lens[1] == 4),
        // AB12345, 123ABC
        (2, true, [2, 5, ..]) => upper && dashes == 0,
        (2, false, [3, 3, ..]) => upper,
        // ABC-12-34, ABC-123-D (Mexico), AB12CDE (Europe)
        (3, true, [3, 2, 2, _]) => upper && dashes == 2,
        (3, true, [3, 3, 1, _]) | (3, true, [2, 2, 3, _]) => upper,
        _ => false,
    };
    (fits && !acronym).then_some(Reason::PlateShape)
}

fn document(pieces: &[Piece]) -> Option<Reason> {
    let (first, second) = (pieces.first()?, pieces.get(1)?);
    let mut lens = [0; 4];
    for (slot, piece) in lens.iter_mut().zip(pieces) {
        *slot = piece.len;
    }
    // Spanish DNI and NIE: 12345678Z, X1234567L.
    let spanish = matches!((pieces.len(), first.letters, lens), (2, false, [8, 1, ..]) | (3, true, [1, 7, 1, _]));
    if spanish {
        return Some(Reason::DocumentShape);
    }
    if !first.letters || second.letters {
        return None;
    }
    let fits = match pieces.len() {
        // Driver's licences, passports, alien registration: A012345678, C1234567, D-1234567
        2 => (first.len == 1 && (7..=9).contains(&second.len)) || (first.len == 2 && (6..=9).contains(&second.len) && !second.dashed),
        // A012-345-678, A-012-345-678
        4 => first.len == 1 && pieces.iter().skip(1).all(|p| !p.letters && p.len == 3),
        _ => false,
    };
    // Mexican CURP and RFC: four letters, six digits of a birth date, and a tail.
    // The key of a Mexican voter: six letters, eight digits and a tail.
    let register = matches!((first.len, second.len), (4, 6) | (6, 8)) && pieces.len() > 2;
    (fits || register).then_some(Reason::DocumentShape)
}

/// ISO 3779: seventeen letters and digits.
fn vehicle_identification(pieces: &[Piece]) -> Option<Reason> {
    let total: usize = pieces.iter().map(|p| p.len).sum();
    let digits: usize = pieces.iter().filter(|p| !p.letters).map(|p| p.len).sum();
    let glued = pieces.iter().all(|p| !p.dashed);
    (total == 17 && digits >= 5 && glued).then_some(Reason::PlateShape)
}

/// CR-24-01873, 24CR1187, 2024-CF-00123, F23-0098.
fn case(pieces: &[Piece]) -> Option<Reason> {
    let digits: usize = pieces.iter().filter(|p| !p.letters).map(|p| p.len).sum();
    let serial = pieces.iter().any(|p| !p.letters && p.len >= 3 && !is_year(p.len, p.value));
    let short = pieces.iter().all(|p| !p.letters || p.len <= 4);
    let led = pieces.first().is_some_and(|p| p.letters || p.len >= 2);
    let parted = pieces.len() >= 3 || pieces.iter().any(|p| p.dashed);
    let long = pieces.iter().any(|p| p.letters && p.len >= 2) && digits >= 6;
    (digits >= 5 && serial && short && led && (parted || long)).then_some(Reason::CaseShape)
}
