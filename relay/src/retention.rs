//! Mailboxes that nobody writes to any more.
//!
//! Their rows can be read by nobody but the team, and still are something that a later order could take. A mailbox says by
//! its newest row's day when it was last used; one without rows says nothing, and stays.

use crate::storage::{Storage, StorageError};
use satchel_wire::{MailboxId, UtcDay};

/// Mailboxes that have rows, and none of the last `after_days` days.
pub fn abandoned(storage: &dyn Storage, today: UtcDay, after_days: u16) -> Result<Vec<MailboxId>, StorageError> {
    if today.days() <= after_days {
        return Ok(Vec::new());
    }
    let last = today.minus(after_days);
    let mut found = Vec::new();
    for mailbox in storage.mailboxes()? {
        let has_earlier = storage.next_day(&mailbox.id, None, None)?.is_some_and(|first| first <= last);
        if has_earlier && !has_rows_after(storage, &mailbox.id, last)? {
            found.push(mailbox.id);
        }
    }
    Ok(found)
}

fn has_rows_after(storage: &dyn Storage, mailbox: &MailboxId, day: UtcDay) -> Result<bool, StorageError> {
    let mut next = storage.next_day(mailbox, Some(day), None)?;
    while let Some(day) = next {
        // an open day may have rows
        if !storage.heads(mailbox, day)?.is_empty() {
            return Ok(true);
        }
        next = storage.next_day(mailbox, Some(day), None)?;
    }
    Ok(false)
}
