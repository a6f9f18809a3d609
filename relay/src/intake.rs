//! Pushes and announcements: rows come in.

use crate::arrivals::View;
use crate::config::{ANNOUNCE_RESERVE_BYTES, ANNOUNCE_RESERVE_ROWS_COUNT};
use crate::problem::Problem;
use crate::relay::{Relay, Running, lock};
use crate::storage::{Deposit, Mailbox, StorageError};
use satchel_wire::announcement::{Part, join};
use satchel_wire::frame::{Announce, Cursor, Endpoint, ProblemCode, Push, Pushed, Signed};
use satchel_wire::{AnnouncementId, MailboxId, Row, RowId, UtcDay};

type Announcement = (AnnouncementId, Option<AnnouncementId>);

/// Seconds of a day after a moment of it.
const fn seconds_to_midnight(now: u64) -> u64 {
    86_400 - now % 86_400
}

impl Relay {
    /// Keeps rows; those that are there already stay as they are.
    pub(crate) fn push(&self, push: Push, signed: &Signed) -> Result<Pushed, Problem> {
        let (mailbox, _) = self.check_owner(push.mailbox, Endpoint::Push, signed, &push.freshness, |access| access.keys.push)?;
        self.keep(&mailbox, push.rows, push.cursor, None)
    }

    /// Keeps an announcement on top of the newest; the newest once more is answered again.
    pub(crate) fn announce(&self, announce: Announce, signed: &Signed) -> Result<Pushed, Problem> {
        let (mailbox, _) =
            self.check_owner(announce.mailbox, Endpoint::Announce, signed, &announce.freshness, |access| access.keys.push)?;
        let malformed = |_| Problem::new(ProblemCode::Malformed);
        let parts = announce.rows.iter().map(Part::parse).collect::<Result<Vec<_>, _>>().map_err(malformed)?;
        let joined = join(&parts).map_err(malformed)?.ok_or(Problem::new(ProblemCode::Malformed))?;
        let announcement = (AnnouncementId::of(&joined), announce.on_top_of);
        self.keep(&mailbox, announce.rows, announce.cursor, Some(announcement))
    }

    fn keep(
        &self,
        mailbox: &Mailbox,
        rows: Vec<Row>,
        cursor: Option<Cursor>,
        announcement: Option<Announcement>,
    ) -> Result<Pushed, Problem> {
        let mut rows: Vec<(RowId, Row)> = rows.into_iter().map(|row| (row.id(), row)).collect();
        rows.sort_unstable_by_key(|(id, _)| *id);
        rows.dedup_by_key(|(id, _)| *id);
        let shelf = self.running(mailbox.id);
        let mut running = lock(&shelf);
        // the day may close between looking at the clock and storing, and another relay may have closed it; it does so once
        let mut kept = self.keep_now(mailbox, &rows, cursor, announcement, &mut running);
        if kept == Err(Trouble::Storage(StorageError::DayClosed)) {
            kept = self
                .follow_day()
                .map_err(Trouble::Storage)
                .and_then(|()| self.keep_now(mailbox, &rows, cursor, announcement, &mut running));
        }
        kept.map_err(|trouble| match trouble {
            Trouble::Storage(error) => self.problem(error),
            Trouble::TooManyToday => Problem::rate_limited(seconds_to_midnight(self.now())),
        })
    }

    fn keep_now(
        &self,
        mailbox: &Mailbox,
        rows: &[(RowId, Row)],
        cursor: Option<Cursor>,
        announcement: Option<Announcement>,
        running: &mut Running,
    ) -> Result<Pushed, Trouble> {
        let day = self.refresh(&mailbox.id, running)?;
        let only_own_rows_follow = self.only_own_rows_follow(&mailbox.id, cursor, rows, day, running)?;
        // a member who filled the mailbox must not keep the team from announcing that they are removed
        let (reserve_rows, reserve_bytes) =
            if announcement.is_some() { (ANNOUNCE_RESERVE_ROWS_COUNT, ANNOUNCE_RESERVE_BYTES) } else { (0, 0) };
        if running.order.len().saturating_add(rows.len()) > self.config.day_rows_count.saturating_add(reserve_rows) {
            return Err(Trouble::TooManyToday);
        }
        let room_bytes = mailbox.quota_bytes.saturating_add(reserve_bytes).saturating_sub(running.used_bytes);
        let deposit = Deposit { mailbox: mailbox.id, day, rows, room_bytes, announcement };
        let deposited = match self.storage.deposit(&deposit) {
            Ok(deposited) => deposited,
            Err(error) => {
                if !matches!(error, StorageError::NoRoom | StorageError::NotNewest) {
                    // whether anything reached the disk is unknown: ask it next time
                    running.day = None;
                }
                return Err(error.into());
            }
        };
        self.forget_report();
        if !deposited.added.is_empty() {
            self.counters.kept(deposited.added.len());
            self.bells.ring(&mailbox.id);
        }
        let expected = running.order.len() + deposited.added.len();
        let only_own_rows_follow = if deposited.day_rows.is_none_or(|rows| rows == expected as u64) {
            for head in deposited.added {
                running.order.append(head);
            }
            running.used_bytes = running.used_bytes.saturating_add(deposited.added_bytes);
            only_own_rows_follow
        } else {
            // another relay's rows came in between. These are kept, whatever reading them all again says now
            if self.learn(&mailbox.id, day, running).is_err() {
                running.day = None;
            }
            false
        };
        let moved = Cursor { day, fingerprint: running.order.fingerprint(View::All) };
        Ok(Pushed { day: deposited.earlier_day.unwrap_or(day), cursor: only_own_rows_follow.then_some(moved) })
    }

    /// Whether all that came after the sender's cursor is among `rows` (sorted by id): nothing at all, or, when
    /// the answer to this very push was lost, the push itself.
    fn only_own_rows_follow(
        &self,
        mailbox: &MailboxId,
        cursor: Option<Cursor>,
        rows: &[(RowId, Row)],
        today: UtcDay,
        running: &Running,
    ) -> Result<bool, StorageError> {
        let position = match cursor {
            Some(cursor) if cursor.day > today => None,
            Some(cursor) if cursor.day == today => running.order.position(View::All, &cursor.fingerprint),
            _ => {
                let read_all = match cursor {
                    Some(cursor) => self.with_ended_order(mailbox, cursor.day, |order, is_final| {
                        is_final && order.fingerprint(View::All) == cursor.fingerprint
                    })?,
                    None => true,
                };
                let next = self.next_day_with_rows(mailbox, cursor.map(|cursor| cursor.day), View::All)?;
                (read_all && next.is_none_or(|day| day >= today)).then_some(0)
            }
        };
        let is_own = |id: &RowId| rows.binary_search_by_key(id, |(own, _)| *own).is_ok();
        Ok(position.is_some_and(|position| running.order.ids_after(position).all(is_own)))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Storage(StorageError),
    TooManyToday,
}

impl From<StorageError> for Trouble {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}
