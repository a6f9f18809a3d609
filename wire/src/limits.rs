//! Every limit of the format, in one file, with its unit in its name.
//!
//! Limits are enforced where bytes are decoded, before anything is allocated for them.
//! Raising one is a new format version; lowering one strands what was already written.

/// Smallest row, and the smallest padding class (bytes).
pub const ROW_MIN_BYTES: usize = 512;
/// Largest row, and the largest padding class (bytes).
pub const ROW_MAX_BYTES: usize = 64 * 1024;
/// Above this size an announcement is split into descending powers of two instead of being padded up (bytes).
pub const ANNOUNCEMENT_WHOLE_MAX_BYTES: usize = 2 * 1024;
/// Largest announcement after its parts are joined (bytes): 256 boxes, log suffix and recipients.
pub const ANNOUNCEMENT_MAX_BYTES: usize = 1024 * 1024;
/// Most rows that one announcement may be split into (count).
pub const ANNOUNCEMENT_PARTS_MAX_COUNT: usize = 64;

/// Earlier turns of which a newcomer gets what colleagues are recognised by (count): as many as a hello has room for.
pub const ACQUAINTANCES_MAX_COUNT: usize = 8;

/// Highest number at which a steward may let a chain go on (count): far beyond any phone's work, and far from the end of the
/// numbers, which would leave the phone none.
pub const RESUME_MAX_COUNT: u32 = 1 << 30;

/// Most bytes of content in one body, header and signature excluded (bytes).
pub const CONTENT_MAX_BYTES: usize = 60 * 1024;

/// Most plaintext under one seal (bytes): above every other limit of the format, far below the cipher's own.
pub const SEALED_PLAINTEXT_MAX_BYTES: usize = 16 * 1024 * 1024;
/// Most plaintext in one box (bytes): whatever is boxed fits a row.
pub const BOX_PLAINTEXT_MAX_BYTES: usize = ROW_MAX_BYTES;

/// Most records in one page of keys, in a store or on the wire (count).
pub const PAGE_RECORDS_MAX_COUNT: usize = 128;
/// Most keys of one record in one entry of a wire page (count); a record with more has several entries.
pub const PAGE_ENTRY_KEYS_MAX_COUNT: usize = 64;
/// Most bodies of one record in one entry of a wire page (count); a record with more has several entries.
pub const PAGE_ENTRY_BODIES_MAX_COUNT: usize = 1_024;
/// Most pages that one wire root names (count).
pub const DIRECTORY_PAGES_MAX_COUNT: usize = 4_096;
/// Most frontiers in one wire root (count).
pub const DIRECTORY_FRONTIERS_MAX_COUNT: usize = 256;
/// Largest wire root after its pieces are joined (bytes).
pub const DIRECTORY_ROOT_MAX_BYTES: usize = 1024 * 1024;
/// Most rows that one wire root is cut into (count).
pub const DIRECTORY_ROOT_ROWS_MAX_COUNT: usize = 32;

/// Most bodies that are looked for at once because wire pages list them (count); what is beyond comes from colleagues' phones.
pub const DIRECTORY_WANTED_MAX_COUNT: usize = 262_144;

/// Longest passphrase (bytes).
pub const PASSPHRASE_MAX_BYTES: usize = 1_024;
/// How many words a generated passphrase has unless asked otherwise (count): 55 bits.
pub const PASSPHRASE_WORDS_DEFAULT_COUNT: usize = 5;
/// Fewest words of a generated passphrase (count): 44 bits, enough only behind Argon2id.
pub const PASSPHRASE_WORDS_MIN_COUNT: usize = 4;
/// Most words of a generated passphrase (count).
pub const PASSPHRASE_WORDS_MAX_COUNT: usize = 12;
/// Least memory of Argon2id (KiB): the least that OWASP's Password Storage Cheat Sheet recommends.
pub const ARGON2_MEMORY_MIN_KIB: u32 = 19 * 1024;
/// Most memory of Argon2id (KiB): what a small phone can still give.
pub const ARGON2_MEMORY_MAX_KIB: u32 = 256 * 1024;
/// Memory of Argon2id unless the platform says less (KiB).
pub const ARGON2_MEMORY_DEFAULT_KIB: u32 = 64 * 1024;
/// Memory of Argon2id on iOS (KiB), where app extensions are ended for taking much more.
pub const ARGON2_MEMORY_IOS_KIB: u32 = 48 * 1024;
/// Most passes of Argon2id (count).
pub const ARGON2_PASSES_MAX_COUNT: u32 = 16;
/// Most lanes of Argon2id (count).
pub const ARGON2_LANES_MAX_COUNT: u32 = 4;

/// Longest note (bytes of UTF-8).
pub const NOTE_MAX_BYTES: usize = 2_000;
/// Longest alias (bytes of UTF-8).
pub const ALIAS_MAX_BYTES: usize = 64;
/// Longest other free text: goals, follow-ups, names of zones and members (bytes of UTF-8).
pub const SHORT_TEXT_MAX_BYTES: usize = 200;
/// Most offers in one encounter (count).
pub const OFFERS_MAX_COUNT: usize = 32;
/// Most goals in one participant file (count).
pub const GOALS_MAX_COUNT: usize = 16;
/// Most lines in one tally sum (count).
pub const TALLY_LINES_MAX_COUNT: usize = 512;

/// Most operations that one Automerge change may claim (operations).
pub const CHANGE_MAX_OPS: usize = 4_096;

/// Most devices in one team (count).
pub const DEVICES_MAX_COUNT: usize = 1_024;
/// Most operations in one team log (count): each keeps its past as a set of bits, 32 MiB for all of them.
pub const LOG_OPERATIONS_MAX_COUNT: usize = 16_384;
/// Largest team-log operation (bytes).
pub const LOG_OPERATION_MAX_BYTES: usize = 16 * 1024;
/// Most parents that an operation or a turn may name (count).
pub const PARENTS_MAX_COUNT: usize = 64;
/// Most entries in a frontier's list of chain heads (count).
pub const CHAIN_HEADS_MAX_COUNT: usize = 1_024;

/// Most bodies held back at once for one author: missing parent, grant, log head or newer version (count).
pub const HELD_PER_AUTHOR_MAX_COUNT: usize = 256;
/// Most bytes held back at once in all (bytes).
pub const HELD_MAX_BYTES: usize = 8 * 1024 * 1024;

/// Most days that a signed day may lie ahead of ours before it is ignored (days).
pub const DAY_AHEAD_MAX_DAYS: u16 = 2;

/// Largest HTTP request or response body between phone and relay (bytes).
pub const HTTP_BODY_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Most rows in one push (count).
pub const PUSH_ROWS_MAX_COUNT: usize = 2_048;
/// Most bytes of rows in one pull answer unless the caller asks for less (bytes).
pub const PULL_MAX_BYTES: usize = 2 * 1024 * 1024;
/// Most row ids in one listing of a day (count).
pub const LISTING_MAX_COUNT: usize = 65_536;
/// Most rows named in one deletion batch, and in one veto (count); the rest waits for the next day's batch.
pub const DELETION_ROWS_MAX_COUNT: usize = 8_192;
/// How long a deletion batch waits at a relay for a veto (days).
pub const DELETION_PENDING_DAYS: u16 = 14;
/// Most bytes of rows that a locked phone keeps until it is unlocked (bytes).
pub const INBOX_SPOOL_MAX_BYTES: usize = 1024 * 1024;
/// Most such rows (count).
pub const INBOX_ROWS_MAX_COUNT: usize = 2_048;
/// Most requests of a locked phone in one go (count).
pub const INBOX_REQUESTS_MAX_COUNT: usize = 64;
/// Days of which a phone remembers how many bytes went to the relay (count).
pub const RELAY_TRAFFIC_DAYS_MAX_COUNT: usize = 31;
/// How far a request's stated time may lie from the relay's (seconds).
pub const REQUEST_SKEW_MAX_SECONDS: u64 = 900;

/// Largest message inside a phone-to-phone session after its parts are joined (bytes).
pub const SESSION_MESSAGE_MAX_BYTES: usize = 2 * 1024 * 1024;
/// Rows in one chunk of a pack (bytes): what reading one keeps in memory.
pub const PACK_CHUNK_MAX_BYTES: usize = 256 * 1024;
/// Bytes of a pack in one text for a QR code (bytes).
pub const PACK_PART_MAX_BYTES: usize = 800;
/// Most such texts for one pack (count): what somebody may still scan.
pub const PACK_PARTS_MAX_COUNT: usize = 64;
/// Largest Noise transport message (bytes), fixed by the Noise specification, revision 34, section 3.
pub const NOISE_MESSAGE_MAX_BYTES: usize = 65_535;

const _: () = assert!(ROW_MIN_BYTES.is_power_of_two() && ROW_MAX_BYTES.is_power_of_two());
const _: () = assert!(CONTENT_MAX_BYTES + 1024 < ROW_MAX_BYTES, "header, cover and signature must fit beside the content");
const _: () = assert!(NOTE_MAX_BYTES * 2 < CONTENT_MAX_BYTES);
const _: () = assert!(PULL_MAX_BYTES + ROW_MAX_BYTES < HTTP_BODY_MAX_BYTES);
const _: () = assert!(ANNOUNCEMENT_MAX_BYTES < HTTP_BODY_MAX_BYTES);
const _: () = assert!((DELETION_PENDING_DAYS as usize + 2) * (DELETION_ROWS_MAX_COUNT * 17 + 64) < HTTP_BODY_MAX_BYTES);
