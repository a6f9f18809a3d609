//! Pulls: rows go out, page by page, without a gap.
//!
//! A cursor is a day and a fingerprint of what was read of it. Within the day's present order, every beginning
//! has a fingerprint, so a cursor that this order produced says exactly what follows. A cursor from an
//! order that is gone (before a restart, or while a day that is closed now was running) is answered with
//! a listing: the phone fetches what it lacks and goes on with the cursor beside it. A day with more rows
//! than a listing may hold is read again from its beginning, which costs at most that day.
//!
//! Nothing is missed because rows are only ever added at the end of the running day's order, a closed day
//! takes none, and a page goes on to the next day only from a day that was closed when it was looked up. Nothing is read when nothing follows.

use crate::arrivals::{DayOrder, Slice, View};
use crate::auth::Standing;
use crate::config::ANSWER_ROWS_MAX_COUNT;
use crate::problem::Problem;
use crate::relay::Relay;
use crate::storage::StorageError;
use satchel_wire::frame::{Cursor, Endpoint, Fetch, ProblemCode, Pull, Pulled, Signed};
use satchel_wire::limits::PULL_MAX_BYTES;
use satchel_wire::{Lane, MailboxId, RowId, UtcDay};
use std::collections::BTreeSet;

/// Rows of one day, and whether the day was closed when they were looked up.
struct Stretch {
    day: UtcDay,
    slice: Slice,
    is_final: bool,
}

/// What follows a cursor within its own day.
enum Look {
    Rows(Stretch),
    Listing { ids: Vec<RowId>, present: Cursor },
}

/// The view of a reader, or none if the lane is not for its key.
pub(crate) fn view_of(standing: Standing, lane: Option<Lane>) -> Option<View> {
    match (standing, lane) {
        (Standing::Current, None) => Some(View::All),
        (Standing::Current, Some(lane)) => Some(View::Only(lane)),
        // an earlier key has to ask for the announce lane by name, with a cursor of its own: a cursor of that view,
        // used later with a newer key, would skip everything else
        (Standing::Earlier, Some(Lane::Announce)) => Some(View::Only(Lane::Announce)),
        (Standing::Earlier, None | Some(Lane::Commons | Lane::Records)) => None,
    }
}

impl Relay {
    /// Rows after a cursor.
    pub(crate) fn pull(&self, pull: &Pull, signed: &Signed) -> Result<Pulled, Problem> {
        let standing = self.check_reader(pull.mailbox, Endpoint::Pull, signed, &pull.freshness, self.today())?;
        let view = view_of(standing, pull.lane).ok_or(ProblemCode::Refused)?;
        let max_bytes = usize::try_from(pull.max_bytes).unwrap_or(PULL_MAX_BYTES).min(PULL_MAX_BYTES);
        self.stored(self.page(&pull.mailbox, view, pull.cursor, max_bytes))
    }

    /// Given rows of one day; `more` when some did not fit and are to be asked for again.
    pub(crate) fn fetch(&self, fetch: &Fetch, signed: &Signed) -> Result<Pulled, Problem> {
        let standing = self.check_reader(fetch.mailbox, Endpoint::Rows, signed, &fetch.freshness, self.today())?;
        let ids: Vec<RowId> = fetch.ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let mut pulled = Pulled { rows: Vec::new(), cursor: None, more: false, listing: None };
        if ids.is_empty() {
            return Ok(pulled);
        }
        let read = self.stored(self.storage.rows(&fetch.mailbox, fetch.day, &ids, PULL_MAX_BYTES, true))?;
        pulled.more = read.consumed < ids.len();
        pulled.rows = read.rows;
        if standing == Standing::Earlier {
            pulled.rows.retain(|row| row.lane() == Lane::Announce);
        }
        Ok(pulled)
    }

    /// The next day after `after` that may have rows of the view.
    pub(crate) fn next_day_with_rows(
        &self,
        mailbox: &MailboxId,
        after: Option<UtcDay>,
        view: View,
    ) -> Result<Option<UtcDay>, StorageError> {
        self.storage.next_day(mailbox, after, view.lane())
    }

    /// Finds a cursor and takes what follows it from the same order: a position means nothing in another one,
    /// and the day may close at any moment.
    fn look(&self, mailbox: &MailboxId, view: View, cursor: Cursor) -> Result<Look, StorageError> {
        let day = cursor.day;
        self.with_order(mailbox, day, |order, is_final| {
            let from = |position| Look::Rows(Stretch { day, slice: order.slice(view, position, ANSWER_ROWS_MAX_COUNT), is_final });
            match order.position(view, &cursor.fingerprint) {
                Some(position) => from(position),
                None if order.count(view) > self.config.listing_count => from(0),
                None => Look::Listing {
                    ids: order.slice(view, 0, order.count(view)).ids,
                    present: Cursor { day, fingerprint: order.fingerprint(view) },
                },
            }
        })
    }

    /// Whether a pull with this cursor would bring anything.
    pub(crate) fn has_news(&self, mailbox: &MailboxId, view: View, cursor: Option<Cursor>) -> Result<bool, StorageError> {
        let Some(cursor) = cursor.filter(|cursor| cursor.day <= self.today()) else {
            return match self.next_stretch(mailbox, view, None, 1)? {
                Some(stretch) if stretch.slice.ids.is_empty() => self.has_rows_after(mailbox, stretch.day, view),
                Some(_) => Ok(true),
                None => Ok(false),
            };
        };
        Ok(match self.look(mailbox, view, cursor)? {
            Look::Listing { .. } => true,
            Look::Rows(stretch) => {
                !stretch.slice.ids.is_empty() || (stretch.is_final && self.has_rows_after(mailbox, stretch.day, view)?)
            }
        })
    }

    fn has_rows_after(&self, mailbox: &MailboxId, day: UtcDay, view: View) -> Result<bool, StorageError> {
        let mut next = self.next_day_with_rows(mailbox, Some(day), view)?;
        while let Some(day) = next {
            if self.with_order(mailbox, day, |order, _| order.count(view))? > 0 {
                return Ok(true);
            }
            next = self.next_day_with_rows(mailbox, Some(day), view)?;
        }
        Ok(false)
    }

    fn page(&self, mailbox: &MailboxId, view: View, cursor: Option<Cursor>, max_bytes: usize) -> Result<Pulled, StorageError> {
        // a cursor of a day that has not come yet is from a relay whose data are gone: read everything
        let cursor = cursor.filter(|cursor| cursor.day <= self.today());
        let mut pulled = Pulled { rows: Vec::new(), cursor, more: false, listing: None };
        let mut next = match cursor.map(|cursor| self.look(mailbox, view, cursor)).transpose()? {
            Some(Look::Rows(stretch)) => Some(stretch),
            Some(Look::Listing { ids, present }) => {
                let more = self.has_rows_after(mailbox, present.day, view)?;
                return Ok(Pulled { rows: Vec::new(), cursor: Some(present), more, listing: Some(ids) });
            }
            None => self.next_stretch(mailbox, view, None, ANSWER_ROWS_MAX_COUNT)?,
        };
        let mut left = max_bytes;
        while let Some(Stretch { day, slice, is_final }) = next {
            if !slice.ids.is_empty() {
                let read = self.storage.rows(mailbox, day, &slice.ids, left, pulled.rows.is_empty())?;
                if let Some(last) = read.consumed.checked_sub(1) {
                    pulled.cursor = slice.fingerprints.get(last).map(|fingerprint| Cursor { day, fingerprint: *fingerprint });
                }
                left = left.saturating_sub(read.bytes);
                pulled.rows.extend(read.rows);
                pulled.more = read.consumed < slice.ids.len();
            }
            pulled.more |= slice.rest > 0;
            // a day that was running when we looked may have got more rows since, even if it is closed by now
            if pulled.more || !is_final {
                break;
            }
            next = self.next_stretch(mailbox, view, Some(day), ANSWER_ROWS_MAX_COUNT - pulled.rows.len())?;
        }
        Ok(pulled)
    }

    /// The beginning of the next day that may have rows of the view.
    fn next_stretch(&self, mailbox: &MailboxId, view: View, after: Option<UtcDay>, room: usize) -> Result<Option<Stretch>, StorageError> {
        let Some(day) = self.next_day_with_rows(mailbox, after, view)? else { return Ok(None) };
        let look = |order: &DayOrder, is_final| Stretch { day, slice: order.slice(view, 0, room), is_final };
        self.with_order(mailbox, day, look).map(Some)
    }
}
