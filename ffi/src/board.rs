//! The board's own phone: its keys, its book of complaints, its bulletins, and counts that it may hand out.

use crate::complaints::{Bulletin, board_words};
use crate::error::{FfiError, call};
use crate::records::quiet;
use crate::unlocked::Unlocked;
use satchel_core::complaint::{Category as ComplaintCategory, ComplaintError, Count, Progress as ComplaintProgress};
use satchel_core::store;
use satchel_wire::ShiftDay;
use std::sync::Arc;

quiet!(Complaint);

/// The public halves of the board's keys, which a steward enters into the charter.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct BoardKeys {
    /// The first key for complaints (X-Wing, 1,216 bytes).
    pub receiving: Vec<u8>,
    /// The key that signs bulletins (Ed25519, 32 bytes).
    pub signing: Vec<u8>,
    /// The words that the board shows at its own channel.
    pub words: Vec<String>,
}

impl From<store::BoardKeys> for BoardKeys {
    fn from(keys: store::BoardKeys) -> Self {
        Self { words: board_words(keys.words()), receiving: keys.receiving, signing: keys.signing.to_vec() }
    }
}

/// One complaint in the board's book.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct BookLine {
    /// How the book calls it: eight letters and digits.
    pub id: String,
    /// The day on which it reached this phone, not the one on which it was written.
    pub arrived: ShiftDay,
    /// What it is about.
    pub category: ComplaintCategory,
    /// How far the board is.
    pub progress: ComplaintProgress,
    /// Whether its author left an address.
    pub has_reply: bool,
}

/// The board's book.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct BoardBook {
    /// Its lines, oldest first.
    pub lines: Vec<BookLine>,
    /// How many complaints found no room in it (count).
    pub turned_away: u32,
}

/// A complaint as the board reads it.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct Complaint {
    /// What it is about.
    pub category: ComplaintCategory,
    /// In their words.
    pub text: String,
    /// Where the board may answer.
    pub reply: Option<String>,
}

/// How many complaints of one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct CategoryCount {
    /// The category.
    pub category: ComplaintCategory,
    /// How many; none where that is too few to be told, zero included, or would tell another number.
    pub count: Option<u32>,
}

/// Counts that may be handed out.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct BoardCounts {
    /// By category.
    pub categories: Vec<CategoryCount>,
    /// All together; none where that is too few to be told.
    pub total: Option<u32>,
}

const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// RFC 4648 base32, lower case: five bytes are eight letters.
fn id_text(id: [u8; 5]) -> String {
    let bits = id.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
    (0..8).rev().map(|at| char::from(LETTERS[((bits >> (5 * at)) & 31) as usize])).collect()
}

fn read_id(text: &str) -> Result<[u8; 5], FfiError> {
    let unknown = || FfiError::from(satchel_core::Error::from(ComplaintError::Unknown));
    if text.len() != 8 {
        return Err(unknown());
    }
    let letter = |letter: u8| LETTERS.iter().position(|known| *known == letter.to_ascii_lowercase());
    let bits = text.bytes().try_fold(0_u64, |bits, byte| Some((bits << 5) | letter(byte)? as u64)).ok_or_else(unknown)?;
    let [_, _, _, a, b, c, d, e] = bits.to_be_bytes();
    Ok([a, b, c, d, e])
}

const fn told(count: Count) -> Option<u32> {
    match count {
        Count::Shown(count) => Some(count),
        Count::Hidden => None,
    }
}

#[uniffi::export]
impl Unlocked {
    /// Makes the board's keys on a board phone. A steward enters their public halves into the charter, then `board_publish`
    /// makes the first bulletin: from then on complaints are offered. `anew` replaces keys that somebody else may hold.
    ///
    /// Errors: [`FfiError::Refused`] unless this member is of the board; [`FfiError::InvalidInput`] with `board_set_up`.
    #[uniffi::method(default(anew = false))]
    pub fn board_set_up(&self, anew: bool) -> Result<BoardKeys, FfiError> {
        call(|| Ok(self.core().board_set_up(anew)?.into()))
    }

    /// The public halves of the keys here. Errors: [`FfiError::Refused`]; [`FfiError::Sync`] with `board_no_keys`.
    pub fn board_keys(&self) -> Result<BoardKeys, FfiError> {
        call(|| Ok(self.core().board_keys()?.into()))
    }

    /// The board's book, oldest first. Errors: as `board_keys`.
    pub fn board_book(&self) -> Result<BoardBook, FfiError> {
        call(|| {
            let (lines, turned_away) = self.core().board_book()?;
            let line = |line: store::BookLine| BookLine {
                id: id_text(line.id),
                arrived: line.arrived,
                category: line.category,
                progress: line.progress,
                has_reply: line.has_reply,
            };
            Ok(BoardBook { lines: lines.into_iter().map(line).collect(), turned_away })
        })
    }

    /// Reads one complaint, and notes that the board has. Errors: [`FfiError::NotFound`]; [`FfiError::InvalidInput`] with
    /// `complaint_closed`.
    pub fn board_read(&self, id: &str) -> Result<Complaint, FfiError> {
        call(|| {
            let complaint = self.core().board_read(read_id(id)?)?;
            Ok(Complaint { category: complaint.category, text: complaint.text.clone(), reply: complaint.reply.clone() })
        })
    }

    /// Sets what the next bulletins say to whoever holds the code of this complaint; at most 500 bytes, sealed to the code.
    ///
    /// Errors: as `board_read`, and [`FfiError::InvalidInput`] for the text.
    pub fn board_answer(&self, id: &str, text: &str) -> Result<(), FfiError> {
        call(|| Ok(self.core().board_answer(read_id(id)?, text)?))
    }

    /// Finishes with a complaint: its text and address are destroyed on this phone. Errors: [`FfiError::NotFound`].
    pub fn board_close(&self, id: &str) -> Result<(), FfiError> {
        call(|| Ok(self.core().board_close(read_id(id)?)?))
    }

    /// Signs and publishes the next bulletin, for the team and for the board's own channel; the one after it is due after
    /// `due_days`; less than 1 counts as 1, more than 31 as 31.
    ///
    /// Errors: [`FfiError::Refused`] with `board_not_in_charter` until a steward has entered the keys.
    pub fn board_publish(&self, due_days: u16) -> Result<Arc<Bulletin>, FfiError> {
        call(|| Ok(Bulletin::of(self.core().board_publish(due_days)?)))
    }

    /// Complaints by category, fit to be handed out. Errors: as `board_keys`.
    pub fn board_counts(&self) -> Result<BoardCounts, FfiError> {
        call(|| {
            let (categories, total) = self.core().board_counts()?;
            let line = |(category, count)| CategoryCount { category, count: told(count) };
            Ok(BoardCounts { categories: categories.into_iter().map(line).collect(), total: told(total) })
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_id_of_the_book_is_read_as_it_is_shown() {
        for id in [[0; 5], [255; 5], [1, 2, 3, 4, 250]] {
            assert_eq!(read_id(&id_text(id).to_uppercase()).unwrap(), id);
        }
        assert_eq!(id_text(*b"fooba"), "mzxw6ytb", "RFC 4648, section 10");
        for wrong in ["", "mzxw6yt", "mzxw6ytbb", "mzxw6yt1", "mzxw6yé"] {
            assert!(matches!(read_id(wrong), Err(FfiError::NotFound { .. })), "{wrong}");
        }
    }
}
