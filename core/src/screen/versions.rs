//! The guard of an older or a later program, for tests that run phones with different ones. Never in a shipped build.

use super::finding::{Finding, Reason};
use std::cell::Cell;

thread_local! {
    static VERSION: Cell<u32> = const { Cell::new(DangerousVersion::OWN) };
}

/// A later program knows this word, and this one does not.
const LATER_WORD: &str = "lantern";

/// As long as it lives, this thread screens as a program with another version of the guard does.
#[derive(Debug)]
pub struct DangerousVersion(u32);

impl DangerousVersion {
    /// The program's own.
    pub const OWN: u32 = 0;
    /// The first one, which knew figures and no words.
    pub const FIGURES: u32 = 1;
    /// A later one, which finds everything that this one does, and one word more.
    pub const LATER: u32 = super::VERSION + 1;
    /// None at all: texts are seen as they are stored.
    pub const NONE: u32 = u32::MAX;

    /// Begins to screen as another version.
    #[must_use]
    pub fn begin(version: u32) -> Self {
        Self(VERSION.replace(version))
    }
}

impl Drop for DangerousVersion {
    fn drop(&mut self) {
        VERSION.set(self.0);
    }
}

/// Runs something as a program with another version of the guard does.
pub fn dangerous_as_version<T>(version: u32, run: impl FnOnce() -> T) -> T {
    let _as = DangerousVersion::begin(version);
    run()
}

/// Takes away what this thread's version does not know, and adds what only it knows.
pub(super) fn adapt(text: &str, found: &mut Vec<Finding>) {
    match VERSION.get() {
        DangerousVersion::OWN => {}
        DangerousVersion::FIGURES => found.retain(|finding| finding.reason >= Reason::LongNumber),
        DangerousVersion::NONE => found.clear(),
        _ => {
            let places = text.match_indices(LATER_WORD);
            found.extend(places.map(|(at, word)| Finding::of(Reason::PlaceDescription, at, at + word.len())));
        }
    }
}
