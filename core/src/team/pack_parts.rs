//! Small packs as texts for QR codes: shown one after the other by one screen, scanned in any order by another.
//!
//! ```text
//! text = "SATCHELP1:" ‖ base32 upper case (QR alphanumeric mode) of
//!        whole (8) ‖ number (1) ‖ count (1) ‖ piece (1 to 800 bytes) ‖ KDF(before)[..4]
//! whole = KDF(pack)[..8]: the same in all parts of one pack
//! ```
//!
//! A text fits a QR code of version 21 at error correction L (ISO/IEC 18004, table 7). What it carries is sealed as in a file
//! ([`super::pack`]): whoever photographs the screen has ciphertext. Check and `whole` find accidents, not attackers.

use super::pack::PackError;
use crate::crypto::{self, labels};
use data_encoding::BASE32_NOPAD;
use satchel_wire::limits::{PACK_PART_MAX_BYTES, PACK_PARTS_MAX_COUNT};
use std::collections::BTreeMap;

const PREFIX: &str = "SATCHELP1:";
const WHOLE_BYTES: usize = 8;
const CHECK_BYTES: usize = 4;
const HEAD_BYTES: usize = WHOLE_BYTES + 2;

fn whole_of(pack: &[u8]) -> [u8; WHOLE_BYTES] {
    let id = crypto::derive_id(labels::PACK_WHOLE, &[pack]);
    id.first_chunk().copied().unwrap_or_default()
}

/// Cuts a pack into texts. Errors: [`PackError::TooLarge`] above 64 parts.
pub fn cut(pack: &[u8]) -> Result<Vec<String>, PackError> {
    let pieces: Vec<&[u8]> = pack.chunks(PACK_PART_MAX_BYTES).collect();
    let count = u8::try_from(pieces.len()).ok().filter(|count| usize::from(*count) <= PACK_PARTS_MAX_COUNT).ok_or(PackError::TooLarge)?;
    let whole = whole_of(pack);
    let text = |(number, piece): (u8, &&[u8])| {
        let mut bytes = whole.to_vec();
        bytes.extend([number, count]);
        bytes.extend_from_slice(piece);
        let check = crypto::derive_id(labels::PACK_PART_CHECK, &[&bytes]);
        bytes.extend_from_slice(&check[..CHECK_BYTES]);
        format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes))
    };
    Ok((0..count).zip(&pieces).map(text).collect())
}

/// Parts of one pack as they come.
#[derive(Debug, Default)]
pub struct PackCollector {
    /// Which pack, and of how many parts, once the first came.
    begun: Option<([u8; WHOLE_BYTES], u8)>,
    pieces: BTreeMap<u8, Vec<u8>>,
}

impl PackCollector {
    /// Takes a part, in any order, also one that came before. Whether it is new. Case and surrounding space do not matter.
    ///
    /// Errors: [`PackError::Part`] for a text that is no part or was misread, [`PackError::OtherPack`] for a part of another
    /// one; what came before is kept.
    pub fn add(&mut self, text: &str) -> Result<bool, PackError> {
        let text = text.trim();
        let most = PREFIX.len() + (HEAD_BYTES + PACK_PART_MAX_BYTES + CHECK_BYTES).div_ceil(5) * 8;
        // before anything is allocated for it
        if text.len() > most || !text.is_ascii() {
            return Err(PackError::Part);
        }
        let text = text.to_ascii_uppercase();
        let bytes = text.strip_prefix(PREFIX).and_then(|rest| BASE32_NOPAD.decode(rest.as_bytes()).ok()).ok_or(PackError::Part)?;
        let (content, check) = bytes.split_last_chunk::<CHECK_BYTES>().ok_or(PackError::Part)?;
        if crypto::derive_id(labels::PACK_PART_CHECK, &[content])[..CHECK_BYTES] != check[..] {
            return Err(PackError::Part);
        }
        let (whole, rest) = content.split_first_chunk::<WHOLE_BYTES>().ok_or(PackError::Part)?;
        let [number, count, piece @ ..] = rest else { return Err(PackError::Part) };
        // all pieces but the last are full, so that their number bounds the pack
        let is_sized = !piece.is_empty() && piece.len() <= PACK_PART_MAX_BYTES;
        let is_full = piece.len() == PACK_PART_MAX_BYTES || number.checked_add(1) == Some(*count);
        if number >= count || usize::from(*count) > PACK_PARTS_MAX_COUNT || !is_sized || !is_full {
            return Err(PackError::Part);
        }
        match self.begun {
            Some(begun) if begun != (*whole, *count) => return Err(PackError::OtherPack),
            _ => self.begun = Some((*whole, *count)),
        }
        Ok(self.pieces.insert(*number, piece.to_vec()).is_none())
    }

    /// How many parts came, and of how many; none before the first.
    pub fn progress(&self) -> Option<(usize, usize)> {
        self.begun.map(|(_, count)| (self.pieces.len(), usize::from(count)))
    }

    /// Numbers of the parts that have not come, from 1 as people count.
    pub fn missing(&self) -> Vec<usize> {
        let count = self.begun.map_or(0, |(_, count)| count);
        (0..count).filter(|number| !self.pieces.contains_key(number)).map(|number| usize::from(number) + 1).collect()
    }

    /// The beginning of the pack, once the first part came: it says whose it is.
    pub fn head(&self) -> Option<&[u8]> {
        self.pieces.get(&0).map(Vec::as_slice)
    }

    /// The pack, once every part came. Errors: [`PackError::Damaged`] where parts were made to fit each other and do not.
    pub fn whole(&self) -> Result<Option<Vec<u8>>, PackError> {
        let Some((whole, _)) = self.begun.filter(|(_, count)| self.pieces.len() == usize::from(*count)) else { return Ok(None) };
        let pack: Vec<u8> = self.pieces.values().flatten().copied().collect();
        if whole_of(&pack) == whole { Ok(Some(pack)) } else { Err(PackError::Damaged) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn pack(length: usize, seed: u8) -> Vec<u8> {
        (0..length).map(|at| (at as u8).wrapping_mul(31) ^ seed).collect()
    }

    #[test]
    fn parts_come_together_in_any_order_and_twice() {
        for length in [1, 799, 800, 801, 5_000, PACK_PART_MAX_BYTES * PACK_PARTS_MAX_COUNT] {
            let pack = pack(length, 1);
            let parts = cut(&pack).unwrap();
            assert_eq!(parts.len(), length.div_ceil(PACK_PART_MAX_BYTES));
            for part in &parts {
                let fits = part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b':');
                assert!(part.len() <= 1_352 && fits, "version 21-L in alphanumeric mode: {}", part.len());
            }
            let mut collector = PackCollector::default();
            for (at, part) in parts.iter().rev().enumerate() {
                assert_eq!(collector.whole().unwrap(), None);
                assert!(collector.add(&format!(" {}\n", part.to_lowercase())).unwrap());
                assert!(!collector.add(part).unwrap(), "once more changes nothing");
                assert_eq!(collector.progress(), Some((at + 1, parts.len())));
                assert_eq!(collector.missing().len(), parts.len() - at - 1);
            }
            assert_eq!(collector.whole().unwrap().unwrap(), pack);
        }
        assert_eq!(cut(&pack(PACK_PART_MAX_BYTES * PACK_PARTS_MAX_COUNT + 1, 1)).unwrap_err(), PackError::TooLarge);
    }

    #[test]
    fn what_is_no_part_or_anothers_is_refused_by_name() {
        let (parts, others) = (cut(&pack(2_000, 1)).unwrap(), cut(&pack(2_000, 2)).unwrap());
        let mut collector = PackCollector::default();
        collector.add(&parts[0]).unwrap();
        assert_eq!(collector.add(&others[1]).unwrap_err(), PackError::OtherPack);
        let endless = "A".repeat(100_000);
        let (short, long) = (&parts[1][..parts[1].len() - 1], format!("{}A", parts[1]));
        for wrong in ["", "SATCHELP1:", "SATCHEL1:AAAA", &endless, short, &long, &parts[1].replace("P1:", "P2:"), "SATCHELP1:\u{e9}"] {
            assert_eq!(collector.add(wrong).unwrap_err(), PackError::Part);
        }
        for at in PREFIX.len()..parts[1].len() {
            let mut wrong = parts[1].clone().into_bytes();
            wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(collector.add(&String::from_utf8(wrong).unwrap()).unwrap_err(), PackError::Part, "at {at}");
        }
        assert_eq!(collector.progress(), Some((1, 3)), "what came before is kept");
        for part in &parts {
            collector.add(part).unwrap();
        }
        assert_eq!(collector.whole().unwrap().unwrap(), pack(2_000, 1));
    }

    #[test]
    fn parts_that_were_made_to_fit_and_do_not_are_damage() {
        let forge = |number: u8, count: u8, piece: &[u8]| {
            let mut bytes = vec![7; WHOLE_BYTES];
            bytes.extend([number, count]);
            bytes.extend_from_slice(piece);
            let check = crypto::derive_id(labels::PACK_PART_CHECK, &[&bytes]);
            bytes.extend_from_slice(&check[..CHECK_BYTES]);
            format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes))
        };
        let mut collector = PackCollector::default();
        for (number, count, piece) in
            [(0, 0, 800), (255, 0, 800), (255, 255, 1), (1, 1, 800), (0, 65, 800), (0, 2, 799), (0, 2, 0), (0, 1, 801)]
        {
            assert_eq!(collector.add(&forge(number, count, &vec![1; piece])).unwrap_err(), PackError::Part);
        }
        collector.add(&forge(0, 2, &[1; 800])).unwrap();
        collector.add(&forge(1, 2, &[1; 3])).unwrap();
        assert_eq!(collector.whole().unwrap_err(), PackError::Damaged);
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(text in ".{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut collector = PackCollector::default();
            prop_assert!(collector.add(&text).is_err());
            let made = format!("{}{}", PREFIX, BASE32_NOPAD.encode(&bytes));
            prop_assert!(collector.add(&made).is_err());
            prop_assert_eq!(collector.progress(), None);
        }
    }
}
