//! Rows: what a relay stores, and what a session carries.
//!
//! `row = lane (1) ‖ rest`, its length always a power of two from 512 bytes to 64 KiB. What the
//! rest means is a matter between phones; for a relay it is noise of a size class.

use crate::ids::RowId;
use crate::limits::{ROW_MAX_BYTES, ROW_MIN_BYTES};

/// Which keys open a row's rest, and when a relay hands it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum Lane {
    /// Turns: boxes for entitled devices. Earlier pull keys may still read this lane.
    #[n(1)]
    Announce,
    /// Log operations, frontiers, complaints: opened by the commons secret, the board's included.
    #[n(2)]
    Commons,
    /// Records: opened by the records secret.
    #[n(3)]
    Records,
}

impl Lane {
    /// The lane byte.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Announce => 1,
            Self::Commons => 2,
            Self::Records => 3,
        }
    }

    /// The lane of a lane byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Announce),
            2 => Some(Self::Commons),
            3 => Some(Self::Records),
            _ => None,
        }
    }
}

/// Why bytes are not a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Not a padding class. Remedy: refuse the row.
    #[error("a row's size is a power of two from {ROW_MIN_BYTES} to {ROW_MAX_BYTES} bytes")]
    Size,
    /// Unknown lane byte. Remedy: refuse the row.
    #[error("unknown lane")]
    Lane,
}

/// The smallest padding class that holds `length` bytes, or none above 64 KiB.
pub const fn size_class(length: usize) -> Option<usize> {
    if length > ROW_MAX_BYTES {
        None
    } else if length <= ROW_MIN_BYTES {
        Some(ROW_MIN_BYTES)
    } else {
        Some(length.next_power_of_two())
    }
}

/// One row: checked size class and lane, otherwise opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    lane: Lane,
    bytes: Vec<u8>,
}

impl Row {
    /// Checks lane and size class. Errors: [`RowError`]; the row is then refused, not repaired.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, RowError> {
        let first = *bytes.first().ok_or(RowError::Size)?;
        if size_class(bytes.len()) != Some(bytes.len()) {
            return Err(RowError::Size);
        }
        let lane = Lane::from_byte(first).ok_or(RowError::Lane)?;
        Ok(Self { lane, bytes })
    }

    /// The lane.
    pub const fn lane(&self) -> Lane {
        self.lane
    }
    /// All bytes, lane byte included.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// What follows the lane byte.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[1..]
    }
    /// The row's id.
    pub fn id(&self) -> RowId {
        RowId::of(&self.bytes)
    }
    /// Gives the bytes away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl<C> minicbor::Encode<C> for Row {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut minicbor::Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.bytes)?;
        Ok(())
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Row {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Row::parse(d.bytes()?.to_vec()).map_err(|_| minicbor::decode::Error::message("row"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_padding_classes_are_rows() {
        for size in [512usize, 1024, 2048, 4096, 8192, 16384, 32768, 65536] {
            let mut bytes = vec![0; size];
            bytes[0] = 3;
            assert_eq!(Row::parse(bytes).unwrap().lane(), Lane::Records);
        }
        for size in [0usize, 1, 256, 511, 513, 1000, 131_072] {
            assert_eq!(Row::parse(vec![3; size]), Err(RowError::Size), "{size}");
        }
        assert_eq!(Row::parse(vec![9; 512]), Err(RowError::Lane));
    }
}
