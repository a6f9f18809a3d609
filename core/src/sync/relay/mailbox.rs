//! What an exchange with a relay needs of the phone it runs on.

use crate::sync::replica::{Accepted, TurnVerdict};
use satchel_wire::frame::{Cursor, Freshness, Signed};
use satchel_wire::{AnnouncementId, MailboxId, Row, RowId, TurnId, UtcDay};

/// A turn of this device's that the relay does not have yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingAnnouncement {
    /// All parts, in order.
    pub rows: Vec<Row>,
    /// The newest announcement seen at the relay.
    pub on_top_of: Option<AnnouncementId>,
}

/// What an exchange with a relay needs of the phone it runs on.
///
/// An `Error` is fatal for the exchange; whatever a relay sends is never an `Error`. What an `accept_`
/// call took is on disk when it returns.
pub trait Mailbox {
    /// Why this replica cannot go on.
    type Error;
    /// Names a row that waits to be pushed.
    type Token;

    /// The team's mailbox.
    fn mailbox(&self) -> MailboxId;
    /// Turns whose access keys are held, newest first; with the store locked, the one whose pull key is.
    fn access_turns(&mut self) -> Result<Vec<TurnId>, Self::Error>;
    /// Signs with a turn's pull key; none without it.
    fn sign_pull(&mut self, turn: TurnId, bytes: &[u8]) -> Result<Option<[u8; 64]>, Self::Error>;
    /// Whether this device may write with the turn's push key; false while the store is locked.
    fn can_push(&mut self, turn: TurnId) -> Result<bool, Self::Error>;
    /// Signs with a turn's push key; none without it.
    fn sign_push(&mut self, turn: TurnId, bytes: &[u8]) -> Result<Option<[u8; 64]>, Self::Error>;
    /// How far the relay's clock was ahead of this device's (seconds); 0 at first.
    fn clock_offset(&mut self) -> Result<i64, Self::Error>;
    /// Keeps a new offset. It serves requests only and is never a reason to believe a date.
    fn save_clock_offset(&mut self, seconds: i64) -> Result<(), Self::Error>;

    /// How far this device has read; none at first.
    fn cursor(&mut self) -> Result<Option<Cursor>, Self::Error>;
    /// Keeps the cursor, and forgets the row ids of days before it.
    fn save_cursor(&mut self, cursor: Cursor) -> Result<(), Self::Error>;
    /// Row ids remembered for a day.
    fn known_rows(&mut self, day: UtcDay) -> Result<Vec<RowId>, Self::Error>;
    /// Remembers ids as read, for a later listing of this day. Some may belong to days before it.
    fn remember_rows(&mut self, day: UtcDay, ids: &[RowId]) -> Result<(), Self::Error>;

    /// Takes rows of the commons and records lanes.
    fn accept_rows(&mut self, rows: Vec<Row>) -> Result<Accepted, Self::Error>;
    /// Takes rows of the announce lane. Parts of an incomplete announcement are kept, bounded, until the
    /// others come; one verdict for each announcement that these rows completed.
    fn accept_announcement_rows(&mut self, rows: Vec<Row>) -> Result<Vec<TurnVerdict>, Self::Error>;
    /// The pull has come to its end (or was given up): turns that lack a known ban are destroyed now.
    fn end_pull(&mut self) -> Result<(), Self::Error>;

    /// The turn that this device covers rows under, whoever started it, if its announcement was not seen
    /// at the relay: rows that are there before it are lost to who pulls between.
    fn pending_announcement(&mut self) -> Result<Option<PendingAnnouncement>, Self::Error>;
    /// The relay has the pending announcement.
    fn mark_announced(&mut self, day: UtcDay) -> Result<(), Self::Error>;
    /// A signed [`satchel_wire::frame::KeyChange`] to this device's turn, if it holds the control key and
    /// the relay lacks the turn's keys. `is_refused`: the relay has just refused the turn's pull key.
    fn key_change(&mut self, freshness: Freshness, is_refused: bool) -> Result<Option<Signed>, Self::Error>;
    /// The key change was answered: the generation in force, or none if a newer one is.
    fn mark_keys_changed(&mut self, generation: Option<u64>) -> Result<(), Self::Error>;
    /// Rows for the relay, covered under the usable turn, `max_bytes` at most but at least one if any
    /// waits. The first call freezes drafts.
    fn rows_to_push(&mut self, max_bytes: usize) -> Result<Vec<(Self::Token, Row)>, Self::Error>;
    /// The relay has these rows; they arrived on this day.
    fn mark_pushed(&mut self, tokens: Vec<Self::Token>, day: UtcDay) -> Result<(), Self::Error>;
}
