//! The thief: random histories of a team around the production engine, and somebody who keeps every byte.
//!
//! | module | holds |
//! |---|---|
//! | `world`, `acts`, `exchange` | phones, what people do, relay, meetings and packs |
//! | `post` | what leaves a phone, and what arrives on one |
//! | `shelf` | the records of one phone, in memory |
//! | `traffic` | every byte that ever left a phone |
//! | `thief` | every key tried on every ciphertext |
//! | `slow` | the same from scratch, without what is remembered: a cross-check |
//! | `checks` | what must hold at every instant, and what is counted at the end |
//! | `table` | the rules, each left out in turn |
//!
//! The engine is the core's: `Keyring` (log, turns, frontiers, receiving keys), envelope, tombstones, settlement. A rule
//! is left out by `Env::dangerous_without`, nothing else changes.

mod acts;
mod checks;
mod engine;
mod exchange;
mod post;
mod shelf;
mod slow;
mod table;
#[allow(clippy::module_inception, reason = "the thief's own file")]
mod thief;
mod traffic;
mod world;

pub use table::{Line, history, history_with, lines, markdown, name};

use satchel_core::rules::Rule;
use world::World;

/// Acts in one history.
pub const ACTS_COUNT: usize = 60;
/// Acts from one cross-check to the next.
pub const CROSS_CHECK_EVERY_COUNT: usize = 4;

/// How a history is run.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Rules that are left out.
    pub without: Vec<Rule>,
    /// Whether a trace is kept.
    pub is_traced: bool,
    /// Calm histories: the relay loses two in a hundred, nobody erases while a session is on, and old packs are refused.
    pub is_calm: bool,
    /// Whether invitations are shown to two newcomers, of whom one's admission is void once both are known.
    pub has_rivals: bool,
    /// Whether every receiving key is tried on every box, named or not.
    pub is_exhaustive: bool,
    /// Whether what the thief finds is compared with what a slow one finds from scratch: phones as they are after every
    /// [`CROSS_CHECK_EVERY_COUNT`]th act, and all that each ever held at the end.
    pub is_cross_checked: bool,
    /// Whether the thief lacks the papers of the recovery key. The history is the same.
    pub is_without_paper: bool,
}

macro_rules! outcome {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// What was counted.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Outcome {
            $($(#[$doc])+ pub $name: usize,)+
            /// The first thing that should not be, in words.
            pub first_find: Option<String>,
        }

        impl Outcome {
            /// Adds another history's counts.
            pub fn add(&mut self, other: Self) {
                $(self.$name += other.$name;)+
                self.first_find = self.first_find.take().or(other.first_find);
            }
        }
    };
}

outcome! {
    /// Histories.
    histories,
    /// Tombstones written.
    erasures,
    /// Of those, how many the thief could open just before.
    controls,
    /// Tombstones that somebody's receipt called settled.
    settled,
    /// Of those, how many the thief opened from then on.
    open_after_settlement,
    /// Devices that were without access at the end.
    removed,
    /// Of those, how many read what was sealed by those who did not know.
    removed_controls,
    /// Of those, how many read something sealed by whoever knew.
    removed_read,
    /// The same of phones that went to the board, which is given boxes that open with the papers: judged again without them.
    removed_to_board,
    /// Bodies beyond a cut that somebody took who knew of the ban, and shows.
    beyond_cut,
    /// Live bodies times phones that should read them.
    live,
    /// Of those, how many cannot be read.
    unread,
    /// Of those, how many on a phone that shares no turn, over however many others, with a phone that has the body.
    unread_apart,
    /// The same among awake phones before anybody met: what the relay alone had to bring.
    unread_before_meetings,
    /// Turns.
    turns,
    /// Boxes made for one device.
    boxes,
    /// Asks.
    asks,
    /// Packs taken in.
    packs,
    /// Of those, how many were made by somebody who lacked a ban that was known where they were taken in.
    old_packs,
    /// Live bodies that came out of those.
    old_bodies,
    /// Records whose term ended.
    expired,
    /// Of those, how many some phone opens a month later.
    expired_open,
    /// Lost phones that nobody had heard of for too long.
    silent,
    /// Of those, how many open a turn that was begun after that.
    silent_read,
    /// Turns that paper shares and the relay open without a board phone.
    paper_read,
    /// Of all turns, how many paper shares open with a board phone: the control.
    paper_controls,
    /// Covers, boxes and pages that the thief opened.
    opened,
    /// Sets of turns, record keys and parcels that were compared with those of the slow thief.
    cross_checked,
}

/// Runs one history. Returns its counts and, if asked for, its trace.
pub fn run(seed: u64, setup: &Setup) -> (Outcome, Vec<String>) {
    let (mut outcome, trace) = run_once(seed, setup);
    if outcome.removed_to_board > 0 && !setup.is_without_paper {
        let again = run_once(seed, &Setup { is_without_paper: true, is_traced: false, ..setup.clone() }).0;
        outcome.removed_read += again.removed_to_board;
        outcome.first_find = outcome.first_find.or(again.first_find);
    }
    (outcome, trace)
}

fn run_once(seed: u64, setup: &Setup) -> (Outcome, Vec<String>) {
    let mut world = World::found(seed, setup);
    world.set_up_recovery(seed, setup);
    world.check_all();
    for act in 1..=ACTS_COUNT {
        let touched = world.act(seed, setup);
        world.check(&touched);
        if setup.is_cross_checked && act.is_multiple_of(CROSS_CHECK_EVERY_COUNT) {
            world.cross_check(|phone| &phone.flash);
        }
    }
    world.settle_down();
    if setup.is_cross_checked {
        world.cross_check(|phone| &phone.flash);
        world.cross_check(|phone| &phone.ever);
    }
    world.note_awaited();
    world.count_removed();
    world.count_beyond();
    world.count_unread();
    world.count_silent();
    world.count_paper();
    world.expire();
    world.outcome.opened = world.thief.opened;
    (world.outcome, world.trace.unwrap_or_default())
}
