//! What brings a team back after every phone is lost: keys on paper.
//!
//! Two keys are on paper, and neither is enough alone. The *recovery key* (k of n shares) opens what a board phone
//! keeps for it; the *reseat key* signs one operation that seats a steward again, and opens no record.

mod package;
mod paper;
#[cfg(test)]
mod tests;

pub use package::{PACKAGE_MAX_BYTES, open_package, seal_package};
pub use paper::{PAPER_WORDS_COUNT, PaperError, PaperSet, PaperShare, Purpose};

/// Why a team was not brought back, or not prepared for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryError {
    /// The team has no board: nobody outside the lost phones would keep anything. Remedy: invite a board member's phone.
    #[error("without a board there is no recovery")]
    NoBoard,
    /// No recovery was set up, or nothing has reached this board phone yet. Remedy: set it up; exchange with a colleague.
    #[error("recovery is not set up")]
    NotSetUp,
    /// This is not a board member's phone. Remedy: export from one that is.
    #[error("only a board phone keeps what recovers")]
    NotTheBoard,
    /// Not a recovery package, or damaged. Remedy: export it again.
    #[error("not a recovery package")]
    Package,
    /// The shares are sound and belong to another key than the package. Remedy: find the papers of the set that a colleague's
    /// phone names as the one in force.
    #[error("these papers are not of the set that the package is for")]
    OtherKey,
    /// The paper is not the reseat key that is in force. Remedy: find the newest one.
    #[error("not the reseat key in force")]
    OtherReseatKey,
    /// A paper.
    #[error(transparent)]
    Paper(#[from] PaperError),
}

impl RecoveryError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoBoard => "recovery_no_board",
            Self::NotSetUp => "recovery_not_set_up",
            Self::NotTheBoard => "recovery_not_the_board",
            Self::Package => "recovery_package",
            Self::OtherKey => "recovery_other_key",
            Self::OtherReseatKey => "recovery_other_reseat_key",
            Self::Paper(error) => error.code(),
        }
    }
}
