//! Every bound of the catalogue room, checked when a package is built and again when one is opened.

/// Largest compressed package, in bytes: what one phone hands to another over a slow link.
pub const PACKAGE_BYTES: usize = 8 * 1024 * 1024;
/// Largest inflated package, in bytes: bounds what opening a hostile package can allocate.
pub const INFLATED_BYTES: usize = 32 * 1024 * 1024;
/// Most resources in one catalogue.
pub const RESOURCE_COUNT: usize = 50_000;
/// Longest catalogue title, in UTF-8 bytes.
pub const TITLE_BYTES: usize = 200;
/// Longest description of where a catalogue came from, in UTF-8 bytes.
pub const SOURCE_BYTES: usize = 300;
/// Longest licence line, in UTF-8 bytes.
pub const LICENCE_BYTES: usize = 500;
/// Longest service name, in UTF-8 bytes.
pub const NAME_BYTES: usize = 200;
/// Longest provider name, in UTF-8 bytes.
pub const PROVIDER_BYTES: usize = 200;
/// Longest description and how to use, in UTF-8 bytes.
pub const DESCRIPTION_BYTES: usize = 4_000;
/// Longest cost line, in UTF-8 bytes.
pub const COST_BYTES: usize = 500;
/// Longest eligibility text, in UTF-8 bytes.
pub const ELIGIBILITY_BYTES: usize = 2_000;
/// Longest plain-text opening hours, in UTF-8 bytes.
pub const HOURS_BYTES: usize = 1_000;
/// Longest phone line (all numbers together), in UTF-8 bytes.
pub const PHONE_BYTES: usize = 200;
/// Longest postal address, in UTF-8 bytes.
pub const ADDRESS_BYTES: usize = 300;
/// Longest web address, in UTF-8 bytes.
pub const URL_BYTES: usize = 300;
/// Longest name of one language, in UTF-8 bytes.
pub const LANGUAGE_BYTES: usize = 60;
/// Most languages of one resource.
pub const LANGUAGE_COUNT: usize = 32;
/// Most structured openings of one resource.
pub const OPENING_COUNT: usize = 64;
/// Smallest part a package may be cut into, in bytes.
pub const PART_MIN_BYTES: usize = 1024;
/// Most parts one package may be cut into; with the smallest part this covers the largest package.
pub const PART_COUNT: u32 = 8192;
/// Minutes in a day: an opening may run past midnight, but never for longer than this.
pub const DAY_MINUTES: u16 = 24 * 60;

const _: () = assert!(PART_MIN_BYTES * (PART_COUNT as usize) >= PACKAGE_BYTES);
const _: () = assert!(PACKAGE_BYTES <= INFLATED_BYTES);
