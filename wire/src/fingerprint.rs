//! The fingerprint of a day's rows: order-free and incremental.
//!
//! `fingerprint = BLAKE3("satchel 2026-11-22 day fingerprint" ‖ count ‖ Σ row ids mod 2^256)[..16]`.
//! It compares sets between a phone and an honest relay; it is no defence against a relay that
//! lies (whoever chooses the rows can choose the sum), which range audits between phones are for.

use crate::ids::RowId;

/// Running fingerprint of a set of row ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DayFingerprint {
    sum: [u8; 32],
    count: u64,
}

impl DayFingerprint {
    /// The empty set.
    pub const fn new() -> Self {
        Self { sum: [0; 32], count: 0 }
    }

    /// Adds an id that is not in the set yet.
    pub fn add(&mut self, id: &RowId) {
        let mut carry = 0u16;
        for (byte, added) in self.sum.iter_mut().zip(id.as_bytes()) {
            let total = u16::from(*byte) + u16::from(*added) + carry;
            *byte = total as u8;
            carry = total >> 8;
        }
        self.count += 1;
    }

    /// The fingerprint of a whole set.
    pub fn of<'a>(ids: impl IntoIterator<Item = &'a RowId>) -> Self {
        let mut fingerprint = Self::new();
        for id in ids {
            fingerprint.add(id);
        }
        fingerprint
    }

    /// How many ids were added.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The 16 bytes that travel.
    pub fn value(&self) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_derive_key("satchel 2026-11-22 day fingerprint");
        hasher.update(&self.count.to_le_bytes());
        hasher.update(&self.sum);
        let mut value = [0; 16];
        value.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_irrelevant_and_content_is_not() {
        let ids: Vec<_> = (0u8..50).map(|n| RowId::of(&[n])).collect();
        let forward = DayFingerprint::of(&ids);
        assert_eq!(forward, DayFingerprint::of(ids.iter().rev()));
        assert_ne!(forward.value(), DayFingerprint::of(&ids[1..]).value());
        assert_ne!(DayFingerprint::new().value(), DayFingerprint::of(&ids[..1]).value());
    }
}
