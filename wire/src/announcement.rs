//! Announcements as rows: split into descending powers of two, joined again.
//!
//! `part = lane 0x01 ‖ announcement id (16) ‖ index (1) ‖ count (1) ‖ length (4, LE) ‖ piece ‖ zeros`,
//! where `length` is that of the joined announcement and its id is `BLAKE3(joined)[..16]`. Padding a
//! large announcement up to one power of two would waste up to half of it; descending powers waste at
//! most one smallest class.

use crate::ids::AnnouncementId;
use crate::limits::{ANNOUNCEMENT_MAX_BYTES, ANNOUNCEMENT_PARTS_MAX_COUNT, ANNOUNCEMENT_WHOLE_MAX_BYTES, ROW_MAX_BYTES};
use crate::row::{Lane, Row, size_class};

const HEADER_BYTES: usize = 1 + 16 + 1 + 1 + 4;

/// Why rows are not an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnnouncementError {
    /// Too large, or nothing. Remedy: refuse it.
    #[error("an announcement's size is out of bounds")]
    Size,
    /// A part contradicts itself or the others. Remedy: refuse these rows.
    #[error("not the parts of one announcement")]
    Parts,
}

/// One part, its header read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The announcement that it belongs to.
    pub announcement: AnnouncementId,
    /// Its place, from 0.
    pub index: u8,
    /// How many parts there are.
    pub count: u8,
    /// Length of the joined announcement (bytes).
    pub length: u32,
    piece: Vec<u8>,
}

impl Part {
    /// Reads the header of an announce row. Errors: [`AnnouncementError::Parts`] for another lane or impossible numbers.
    pub fn parse(row: &Row) -> Result<Self, AnnouncementError> {
        let bytes = row.as_bytes();
        if row.lane() != Lane::Announce {
            return Err(AnnouncementError::Parts);
        }
        let announcement = AnnouncementId::from_slice(&bytes[1..17]).map_err(|_| AnnouncementError::Parts)?;
        let (index, count) = (bytes[17], bytes[18]);
        let length = u32::from_le_bytes([bytes[19], bytes[20], bytes[21], bytes[22]]);
        if index >= count || usize::from(count) > ANNOUNCEMENT_PARTS_MAX_COUNT || length == 0 || length as usize > ANNOUNCEMENT_MAX_BYTES {
            return Err(AnnouncementError::Parts);
        }
        Ok(Self { announcement, index, count, length, piece: bytes[HEADER_BYTES..].to_vec() })
    }
}

/// Splits an announcement into rows. Errors: [`AnnouncementError::Size`] when empty or above the limit.
pub fn split(announcement: &[u8]) -> Result<Vec<Row>, AnnouncementError> {
    if announcement.is_empty() || announcement.len() > ANNOUNCEMENT_MAX_BYTES {
        return Err(AnnouncementError::Size);
    }
    let mut sizes = Vec::new();
    let mut rest = announcement.len();
    while rest > 0 {
        let size = if rest + HEADER_BYTES <= ANNOUNCEMENT_WHOLE_MAX_BYTES {
            size_class(rest + HEADER_BYTES).ok_or(AnnouncementError::Size)?
        } else {
            // the largest power of two that this piece fills completely
            let filled = rest + HEADER_BYTES;
            (if filled.is_power_of_two() { filled } else { filled.next_power_of_two() / 2 }).min(ROW_MAX_BYTES)
        };
        sizes.push(size);
        rest = rest.saturating_sub(size - HEADER_BYTES);
    }
    if sizes.len() > ANNOUNCEMENT_PARTS_MAX_COUNT {
        return Err(AnnouncementError::Size);
    }
    let id = AnnouncementId::of(announcement);
    let count = sizes.len() as u8;
    let mut rows = Vec::with_capacity(sizes.len());
    let mut rest = announcement;
    for (index, size) in sizes.into_iter().enumerate() {
        let (piece, after) = rest.split_at(rest.len().min(size - HEADER_BYTES));
        rest = after;
        let mut bytes = Vec::with_capacity(size);
        bytes.push(Lane::Announce.byte());
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(&[index as u8, count]);
        bytes.extend_from_slice(&(announcement.len() as u32).to_le_bytes());
        bytes.extend_from_slice(piece);
        bytes.resize(size, 0);
        rows.push(Row::parse(bytes).map_err(|_| AnnouncementError::Size)?);
    }
    Ok(rows)
}

/// Joins the parts of one announcement, in any order, repeats allowed.
///
/// Returns nothing while parts are missing. Errors: [`AnnouncementError::Parts`] when parts contradict
/// each other or the hash; the rows are then refused.
pub fn join(parts: &[Part]) -> Result<Option<Vec<u8>>, AnnouncementError> {
    let first = parts.first().ok_or(AnnouncementError::Size)?;
    let same = |part: &Part| part.announcement == first.announcement && part.count == first.count && part.length == first.length;
    if !parts.iter().all(same) {
        return Err(AnnouncementError::Parts);
    }
    let mut joined = Vec::with_capacity(first.length as usize);
    for index in 0..first.count {
        match parts.iter().find(|part| part.index == index) {
            Some(part) => joined.extend_from_slice(&part.piece),
            None => return Ok(None),
        }
    }
    let padded = joined.split_off((first.length as usize).min(joined.len()));
    if joined.len() != first.length as usize || padded.iter().any(|byte| *byte != 0) || AnnouncementId::of(&joined) != first.announcement {
        return Err(AnnouncementError::Parts);
    }
    Ok(Some(joined))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parts(rows: &[Row]) -> Vec<Part> {
        rows.iter().map(|row| Part::parse(row).unwrap()).collect()
    }

    #[test]
    fn split_and_joined_in_any_order_with_little_waste() {
        for length in [1usize, 480, 490, 512, 2_000, 2_048, 2_100, 29_400, 65_513, 65_514, 294_000, 1_000_000] {
            let announcement: Vec<u8> = (0..length).map(|n| (n * 7 + 1) as u8).collect();
            let rows = split(&announcement).unwrap();
            let total: usize = rows.iter().map(|row| row.as_bytes().len()).sum();
            assert!(total <= length + 1024 + rows.len() * HEADER_BYTES + ROW_SLACK, "{length} became {total}");
            assert!(rows.windows(2).all(|pair| pair[0].as_bytes().len() >= pair[1].as_bytes().len()));
            let mut shuffled = parts(&rows);
            shuffled.reverse();
            assert_eq!(join(&shuffled).unwrap().unwrap(), announcement);
            if rows.len() > 1 {
                assert_eq!(join(&shuffled[1..]).unwrap(), None);
            }
        }
    }
    const ROW_SLACK: usize = 512;

    #[test]
    fn altered_parts_are_refused() {
        let rows = split(&[5; 5_000]).unwrap();
        let mut bytes = rows[0].as_bytes().to_vec();
        bytes[100] ^= 1;
        let mut tampered = parts(&rows);
        tampered[0] = Part::parse(&Row::parse(bytes).unwrap()).unwrap();
        assert_eq!(join(&tampered), Err(AnnouncementError::Parts));
        let other = parts(&split(&[6; 5_000]).unwrap());
        assert_eq!(join(&[parts(&rows)[0].clone(), other[1].clone()]), Err(AnnouncementError::Parts));
        assert_eq!(split(&[]), Err(AnnouncementError::Size));
        assert_eq!(split(&vec![0; ANNOUNCEMENT_MAX_BYTES + 1]), Err(AnnouncementError::Size));
    }
}
