//! Places in an ordered list as byte strings, so that there is always room between two of them.
//!
//! A position is a fraction in base 256 and compares as bytes do. Each ends in two bytes that depend
//! on who made it, so that two phones that insert at the same place hardly ever make the same one.

use super::limits::MAX_POSITION_BYTES;

/// The two bytes that set apart positions made by different edits; the last is never zero, since
/// nothing fits between a fraction and the same fraction followed by zeros.
pub(super) type Tail = [u8; 2];

pub(super) fn tail_of(seed: [u8; 2]) -> Tail {
    [seed[0], seed[1] | 1]
}

/// A position after `low` and before `high`; an empty `low` is the start, no `high` the end.
///
/// `None` if there is no room, or only for one longer than [`MAX_POSITION_BYTES`]: then space the
/// list afresh.
pub(super) fn between(low: &[u8], high: Option<&[u8]>, tail: Tail) -> Option<Vec<u8>> {
    let mut made = Vec::new();
    let mut high = high;
    for place in 0..MAX_POSITION_BYTES - tail.len() {
        let floor = u16::from(low.get(place).copied().unwrap_or(0));
        let ceiling = match high {
            Some(high) => u16::from(*high.get(place)?),
            None => 256,
        };
        let room = ceiling.checked_sub(floor)?;
        if room >= 2 {
            made.push(u8::try_from(floor + room / 2).ok()?);
            made.extend(tail);
            return Some(made);
        }
        made.push(u8::try_from(floor).ok()?);
        if room == 1 {
            // Whatever follows, the result is now below `high`.
            high = None;
        }
    }
    None
}

/// The `index`-th (from 0) of `count` evenly spaced positions.
pub(super) fn spaced(index: usize, count: usize, tail: Tail) -> Vec<u8> {
    let parts = u64::try_from(count).unwrap_or(u64::MAX).saturating_add(1);
    let part = u64::try_from(index).unwrap_or(u64::MAX).saturating_add(1);
    // 32 bits hold more places than a document can have items.
    let fraction = u128::from(part) * (1 << 32) / u128::from(parts);
    let fraction = u32::try_from(fraction).unwrap_or(u32::MAX);
    let mut made = fraction.to_be_bytes().to_vec();
    made.extend(tail);
    made
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_made_lies_between(
            a in proptest::collection::vec(any::<u8>(), 0..6),
            b in proptest::collection::vec(any::<u8>(), 0..6),
            seed: [u8; 2],
        ) {
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            if let Some(made) = between(&low, Some(&high), tail_of(seed)) {
                prop_assert!(low < made && made < high);
            }
            let made = between(&low, None, tail_of(seed)).unwrap();
            prop_assert!(low < made);
        }
    }

    #[test]
    fn there_is_room_between_neighbours_of_our_own_making() {
        let (mut low, mut high) = (spaced(0, 2, tail_of([7, 0])), spaced(1, 2, tail_of([7, 0])));
        let mut inserted = 0_u16;
        while let Some(made) = between(&low, Some(&high), tail_of(inserted.to_be_bytes())) {
            assert!(low < made && made < high);
            // Alternate the side, the worst case for growth.
            if inserted.is_multiple_of(2) {
                low = made
            } else {
                high = made
            }
            inserted += 1;
        }
        assert!(inserted > 40, "only {inserted} inserts at one place");
    }

    #[test]
    fn no_room_is_said_and_not_made_up() {
        assert_eq!(between(&[5], Some(&[5]), [0, 1]), None);
        assert_eq!(between(&[5], Some(&[5, 0]), [0, 1]), None);
        assert_eq!(between(&[6], Some(&[5]), [0, 1]), None);
    }

    #[test]
    fn spaced_positions_ascend() {
        let all: Vec<_> = (0..300).map(|i| spaced(i, 300, tail_of([255, 255]))).collect();
        assert!(all.is_sorted());
        assert!(all.windows(2).all(|w| w[0] != w[1]));
    }
}
