//! Size limits of screened text, in bytes of UTF-8 after trimming.

/// The longest note.
pub const NOTE_BYTES: usize = 2_000;
/// The longest alias.
pub const ALIAS_BYTES: usize = 64;
/// The longest short text (goals, follow-ups, zone and member names, pronouns, languages and the like).
pub const SHORT_TEXT_BYTES: usize = 200;
