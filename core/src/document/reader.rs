//! Reads the primitives of the Automerge binary format without copying or trusting a length.

use super::DocumentError;

/// The bytes not yet read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8, DocumentError> {
        let (&byte, rest) = self.0.split_first().ok_or(DocumentError::Truncated)?;
        self.0 = rest;
        Ok(byte)
    }

    /// The next `count` bytes.
    pub(super) fn bytes(&mut self, count: u64) -> Result<&'a [u8], DocumentError> {
        let count = usize::try_from(count).map_err(|_| DocumentError::Truncated)?;
        let (taken, rest) = self.0.split_at_checked(count).ok_or(DocumentError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DocumentError> {
        let (&taken, rest) = self.0.split_first_chunk::<N>().ok_or(DocumentError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    /// An unsigned LEB128 number in its shortest form.
    pub(super) fn unsigned(&mut self) -> Result<u64, DocumentError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte holds only the highest bit.
            if shift == 63 && bits > 1 {
                return Err(DocumentError::Number);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                let overlong = byte == 0 && shift > 0;
                return if overlong { Err(DocumentError::Number) } else { Ok(value) };
            }
        }
        Err(DocumentError::Number)
    }

    /// A signed LEB128 number in its shortest form.
    pub(super) fn signed(&mut self) -> Result<i64, DocumentError> {
        let mut value = 0_i64;
        let mut before = 0_u8;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = byte & 0x7f;
            // The tenth byte holds only copies of the sign.
            if shift == 63 && bits != 0 && bits != 0x7f {
                return Err(DocumentError::Number);
            }
            value |= i64::from(bits) << shift;
            if byte & 0x80 == 0 {
                let sign_was = before & 0x40 != 0;
                let overlong = shift > 0 && ((byte == 0 && !sign_was) || (byte == 0x7f && sign_was));
                if overlong {
                    return Err(DocumentError::Number);
                }
                if shift < 57 && byte & 0x40 != 0 {
                    value |= -1_i64 << (shift + 7);
                }
                return Ok(value);
            }
            before = byte;
        }
        Err(DocumentError::Number)
    }

    /// A number of bytes, then as many bytes.
    pub(super) fn prefixed(&mut self) -> Result<&'a [u8], DocumentError> {
        let count = self.unsigned()?;
        self.bytes(count)
    }
}

/// Counts the rows of one column against a budget, so that a run is never unrolled.
struct Rows {
    seen: u64,
    most: u64,
    too_many: DocumentError,
}

impl Rows {
    fn add(&mut self, count: u64) -> Result<(), DocumentError> {
        if count == 0 {
            return Err(DocumentError::Rows);
        }
        self.seen = self.seen.checked_add(count).filter(|seen| *seen <= self.most).ok_or_else(|| self.too_many.clone())?;
        Ok(())
    }
}

/// Walks a run-length column and hands over each run as (rows, value); returns its rows.
///
/// The cost is that of the column's bytes, whatever the runs claim. Null rows are refused: no
/// column of a flat map of scalars has any. A run is a signed count; positive: that many times the
/// value that follows; negative: that many values follow; zero: a null run.
pub(super) fn walk_runs<'a, T>(
    column: &'a [u8],
    most: u64,
    too_many: &DocumentError,
    mut value: impl FnMut(&mut Reader<'a>) -> Result<T, DocumentError>,
    mut run: impl FnMut(u64, T) -> Result<(), DocumentError>,
) -> Result<u64, DocumentError> {
    let mut reader = Reader(column);
    let mut rows = Rows { seen: 0, most, too_many: too_many.clone() };
    while !reader.is_empty() {
        let count = reader.signed()?;
        rows.add(if count == 0 { reader.unsigned()? } else { count.unsigned_abs() })?;
        match count {
            0 => return Err(DocumentError::Rows),
            1.. => run(count.unsigned_abs(), value(&mut reader)?)?,
            ..=-1 => {
                for _ in 0..count.unsigned_abs() {
                    run(1, value(&mut reader)?)?;
                }
            }
        }
    }
    Ok(rows.seen)
}

/// Walks a boolean column that must be false throughout; returns its rows.
///
/// Booleans are stored as the lengths of alternating runs, the first of them false.
pub(super) fn walk_false(column: &[u8], most: u64) -> Result<u64, DocumentError> {
    let mut reader = Reader(column);
    let rows = reader.unsigned()?;
    if rows > most {
        return Err(DocumentError::TooManyOps);
    }
    // A second run would be true: an insertion, which only lists and texts have.
    while !reader.is_empty() {
        if reader.unsigned()? > most {
            return Err(DocumentError::TooManyOps);
        }
        if reader.is_empty() {
            return Err(DocumentError::Action);
        }
    }
    Ok(rows)
}
