//! Complaints: what only the community board reads, and what the board answers in public.
//!
//! ```text
//! box      = HPKE X-Wing to the board's key in force; associated data: "box complaint", team
//! plain    = length (2, LE) ‖ CBOR ‖ zeros, 2,816 bytes: every box has 3,953 bytes, its row 4,096
//! CBOR     = { 0: version 1, 1: complaint | absent in a dummy }
//! complaint= { 0: category, 1: text, 2: reply address | absent, 3: receipt hash (32) }
//! code     = random (10) ‖ board tag (3) ‖ check (2), base32 in six groups of four
//! bulletin = CBOR [ signed, Ed25519 signature of the board key in the charter ("sign bulletin") ]
//! ```
//!
//! Nobody signs a complaint and nothing in it names a device, a day or a participant. The receipt's hash is inside the
//! box: only who holds the code, and the board, find its token in a bulletin, and no two bulletins share a token.
//! Texts pass no guard: an officer's name belongs here, and nobody but the board reads it.

mod bulletin;
mod code;
mod content;
mod counts;
#[cfg(test)]
mod tests;

pub use bulletin::{Bulletin, BulletinDraft, BulletinLine, Found, Progress, check};
pub use code::{ReceiptCode, ReceiptHash};
pub use content::{COMPLAINT_BOX_BYTES, Category, Complaint, ComplaintDraft, open, seal, seal_dummy};
pub use counts::{Count, suppressed};

/// Limits of complaints and bulletins, units in the names.
pub mod limits {
    /// Longest text (bytes of UTF-8).
    pub const TEXT_MAX_BYTES: usize = 2_000;
    /// Longest reply address (bytes of UTF-8).
    pub const REPLY_MAX_BYTES: usize = 200;
    /// Longest answer of the board (bytes of UTF-8).
    pub const ANSWER_MAX_BYTES: usize = 500;
    /// Most receipts in one bulletin, before padding (count).
    pub const BULLETIN_RECEIPTS_MAX_COUNT: usize = 240;
    /// Tokens of a bulletin are padded to a multiple of this (count).
    pub const BULLETIN_PAD_COUNT: usize = 16;
    /// Most answers in one bulletin (count).
    pub const BULLETIN_ANSWERS_MAX_COUNT: usize = 12;
    /// Largest bulletin (bytes): it fits an operation of the team log.
    pub const BULLETIN_MAX_BYTES: usize = 15 * 1024;
    /// A bulletin is due at most so many days after the one before it (days).
    pub const BULLETIN_TERM_MAX_DAYS: u16 = 31;
}

/// Why a complaint, a receipt or a bulletin was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ComplaintError {
    /// The team has no board yet. Remedy: do not offer complaints; say where else one can be made.
    #[error("no board yet")]
    NoBoard,
    /// Nothing was written. Remedy: ask for a text, or choose the mark that needs none.
    #[error("the complaint is empty")]
    Empty,
    /// Text, reply address or answer is too long. Remedy: shorten it; nothing is cut silently.
    #[error("longer than {limit_bytes} bytes of UTF-8")]
    TooLong {
        /// The longest (bytes of UTF-8).
        limit_bytes: usize,
    },
    /// Too many wait on this phone. Remedy: exchange with the relay or a colleague, or use the board's own channel.
    #[error("too many complaints wait on this phone")]
    Full,
    /// Not a receipt code, or one with a typing mistake. Remedy: type it again.
    #[error("not a receipt code")]
    Code,
    /// Not a bulletin, or not signed by the key that the code or the charter names. Remedy: ask at the board's own channel.
    #[error("not a bulletin of this board")]
    Bulletin,
    /// A bulletin of a later version. Remedy: update the app.
    #[error("a bulletin of a later version")]
    Newer,
    /// This phone does not hold the board's keys. Remedy: set the board up here, or meet the relay with the phone that holds them.
    #[error("the board's keys are not on this phone")]
    NoKeys,
    /// The board's keys are here already. Remedy: publish a bulletin to rotate the key for complaints.
    #[error("the board is set up already")]
    SetUp,
    /// The charter does not name this board's keys. Remedy: a steward enters them, and the board signs.
    #[error("the charter does not name these board keys")]
    NotInCharter,
    /// Nothing with this id is in the board's book.
    #[error("no such complaint")]
    Unknown,
    /// The complaint was closed; its text is gone.
    #[error("the complaint is closed")]
    Closed,
    /// Sealing failed.
    #[error("could not be sealed")]
    Seal,
}

impl ComplaintError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoBoard => "no_board",
            Self::Empty => "complaint_empty",
            Self::TooLong { .. } => "complaint_too_long",
            Self::Full => "complaint_full",
            Self::Code => "receipt_code",
            Self::Bulletin => "bulletin_refused",
            Self::Newer => "bulletin_newer",
            Self::NoKeys => "board_no_keys",
            Self::SetUp => "board_set_up",
            Self::NotInCharter => "board_not_in_charter",
            Self::Unknown => "complaint_unknown",
            Self::Closed => "complaint_closed",
            Self::Seal => "complaint_seal",
        }
    }
}
