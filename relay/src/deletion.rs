//! Deletion: a batch comes in, waits, may be struck out, and is carried out.
//!
//! Nobody but the holder of the control key asks for deletion, so a removed or mischievous member cannot empty the
//! mailbox; and for [`DELETION_PENDING_DAYS`] days every member may say that a row is still needed, so a lost or forced
//! steward's phone cannot either. Erasing does not wait for this: the keys are gone long before the rows.

use crate::auth::Standing;
use crate::problem::Problem;
use crate::relay::{Relay, lock};
use crate::storage::StorageError;
use satchel_wire::UtcDay;
use satchel_wire::frame::{Deletion, Endpoint, Pending, PendingRows, ProblemCode, Scheduled, Signed, Veto, Vetoed};
use satchel_wire::limits::DELETION_PENDING_DAYS;

impl Relay {
    /// Takes the day's batch. Another one on the same day is `superseded`, also if it is the same.
    pub(crate) fn schedule_deletion(&self, deletion: &Deletion, signed: &Signed) -> Result<Scheduled, Problem> {
        self.check_owner(deletion.mailbox, Endpoint::Delete, signed, &deletion.freshness, |access| access.control)?;
        let day = self.today();
        if self.stored(self.storage.schedule_deletion(&deletion.mailbox, day, &deletion.rows))? {
            Ok(Scheduled { day })
        } else {
            Err(ProblemCode::Superseded.into())
        }
    }

    /// Shows what waits to whoever may read rows.
    pub(crate) fn pending_deletions(&self, pending: &Pending, signed: &Signed) -> Result<PendingRows, Problem> {
        let today = self.today();
        self.check_current_reader(self.check_reader(pending.mailbox, Endpoint::Pending, signed, &pending.freshness, today)?)?;
        let since = pending.since.unwrap_or(UtcDay::from_days(0));
        let batches = self.stored(self.storage.pending_deletions(&pending.mailbox, since))?;
        Ok(PendingRows { today, batches })
    }

    /// Strikes rows out of the batches that wait. By the push key: a pull key, which a locked phone may carry, changes nothing.
    pub(crate) fn veto_deletion(&self, veto: &Veto, signed: &Signed) -> Result<Vetoed, Problem> {
        self.check_owner(veto.mailbox, Endpoint::Veto, signed, &veto.freshness, |access| access.keys.push)?;
        let rows = self.stored(self.storage.veto_deletion(&veto.mailbox, &veto.rows))?;
        Ok(Vetoed { rows })
    }

    /// Whoever was removed reads announcements only, and sees no deletions.
    fn check_current_reader(&self, standing: Standing) -> Result<(), Problem> {
        if standing == Standing::Current { Ok(()) } else { Err(ProblemCode::Refused.into()) }
    }

    /// Carries out batches that have waited long enough, and forgets what memory knows of the days they touched.
    pub(crate) fn delete_due(&self, today: UtcDay) -> Result<(), StorageError> {
        if today.days() < DELETION_PENDING_DAYS {
            return Ok(());
        }
        let deleted = self.storage.delete_due(today.minus(DELETION_PENDING_DAYS))?;
        for (mailbox, day) in deleted.into_keys() {
            self.forget_closed_order(mailbox, day);
            lock(&self.running(mailbox)).day = None;
        }
        Ok(())
    }
}
