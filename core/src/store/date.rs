//! The checked day. Clocks lie: a day once seen never comes back, and a jump forward is not believed at once.
//!
//! Two days follow from one clock. The *sure* day dates what is written and decides what is destroyed: after a jump of
//! more than two days it stays where it was until a colleague's phone, the relay or the worker confirms the date; two
//! phones that were both away confirm each other where their clocks agree, within the absence limit. The
//! *latest* day may be wrong, and only ever denies: what it says is over is hidden and not handed out.

use super::Unlocked;
use super::keystore::KeyProtector;
use super::vault::Vault;
use crate::error::Error;
use satchel_wire::ShiftDay;
use satchel_wire::limits::DAY_AHEAD_MAX_DAYS;

impl Vault {
    pub(super) fn clock_day(&self) -> Result<ShiftDay, Error> {
        Ok(self.charter()?.shift_day(self.env.now().seconds())?)
    }

    /// Today's sure shift day: the clock's, but never before the highest day ever seen, nor more than two days after it
    /// unless somebody confirmed the clock.
    pub(super) fn today(&mut self) -> Result<ShiftDay, Error> {
        let clock = self.clock_day()?;
        let seen = *self.state.day_seen.get_or_insert(clock);
        self.state.date_in_doubt = clock.days().saturating_sub(seen.days()) > DAY_AHEAD_MAX_DAYS;
        if self.state.date_in_doubt || clock <= seen {
            return Ok(seen);
        }
        // days that pass one by one pay back what was believed at once
        self.state.vouched_days = self.state.vouched_days.saturating_sub(clock.days() - seen.days());
        self.state.day_seen = Some(clock);
        Ok(clock)
    }

    /// The latest day that it may be: what is over by it is denied, never destroyed.
    pub(super) fn latest_day(&mut self) -> Result<ShiftDay, Error> {
        let sure = self.today()?;
        Ok(sure.max(self.clock_day()?))
    }

    /// The keystore saw a day that a store put back to an older copy does not know: it is not before that day. A day the
    /// keystore cannot mean is ignored.
    pub(super) fn recall_day(&mut self, protector: &dyn KeyProtector) {
        let kept = protector.highest_day(&self.store_id).ok().flatten().and_then(|days| u16::try_from(days).ok()).map(ShiftDay::from_days);
        self.recalled_day = kept;
        self.state.day_seen = self.state.day_seen.max(kept);
        self.keep_day(protector, kept);
    }

    /// Tells the keystore the highest sure day, once a day; `kept` is what it has. A keystore that cannot is none the worse.
    pub(super) fn keep_day(&self, protector: &dyn KeyProtector, kept: Option<ShiftDay>) {
        if let Some(day) = self.state.day_seen.filter(|day| Some(*day) > kept) {
            let _ = protector.note_day(&self.store_id, u32::from(day.days()));
        }
    }

    /// Somebody who may know says what day it is: a colleague's phone, or the relay. The clock is believed where it agrees.
    pub(super) fn confirm_day(&mut self, day: ShiftDay) -> Result<(), Error> {
        let clock = self.clock_day()?;
        if clock.days().abs_diff(day.days()) <= DAY_AHEAD_MAX_DAYS {
            self.state.date_in_doubt = false;
            self.state.day_seen = self.state.day_seen.max(Some(clock));
        }
        Ok(())
    }

    /// A colleague's clock says the day of this one's: two phones that lay in a drawer for as long as a phone may be away.
    ///
    /// Neither may be sure of it, so no more is believed than the absence limit and two days, and no more at once than
    /// was not believed so before: two clocks that run ahead together gain that much once, then a day a day.
    pub(super) fn confirm_by_clock(&mut self, theirs: ShiftDay) -> Result<(), Error> {
        let (sure, clock) = (self.today()?, self.clock_day()?);
        let limit = self.charter()?.absence_limit_days.saturating_add(DAY_AHEAD_MAX_DAYS);
        let vouched = self.state.vouched_days.saturating_add(clock.days().saturating_sub(sure.days()));
        if self.state.date_in_doubt && clock.days().abs_diff(theirs.days()) <= DAY_AHEAD_MAX_DAYS && vouched <= limit {
            self.state.date_in_doubt = false;
            self.state.day_seen = Some(clock);
            self.state.vouched_days = vouched;
        }
        Ok(())
    }

    /// The relay says what time it is (Unix seconds).
    pub(super) fn confirm_time(&mut self, seconds: u64) -> Result<(), Error> {
        let day = self.charter()?.shift_day(seconds)?;
        self.confirm_for_sure(day)
    }

    /// Somebody says it who does not go by a colleague's clock: the relay, the worker.
    fn confirm_for_sure(&mut self, day: ShiftDay) -> Result<(), Error> {
        self.confirm_day(day)?;
        if self.clock_day()?.days().abs_diff(day.days()) <= DAY_AHEAD_MAX_DAYS {
            self.state.vouched_days = 0;
        }
        Ok(())
    }
}

impl Unlocked {
    /// Today's shift day as this store believes it. A clock that was set back does not bring a day back, and while the
    /// date is in doubt it is the last sure day.
    pub fn today(&self) -> Result<ShiftDay, Error> {
        self.write(|vault, _| vault.today())
    }

    /// Whether the date jumped forward by more than two days and nobody has confirmed it yet.
    ///
    /// Until then nothing is destroyed by age, and what is written carries the last sure day. Remedy: meet a colleague's
    /// phone, reach the relay, or ask the worker and call [`Unlocked::confirm_date`].
    pub fn is_date_in_doubt(&self) -> Result<bool, Error> {
        self.write(|vault, _| {
            vault.today()?;
            Ok(vault.state.date_in_doubt)
        })
    }

    /// The worker says that the device's date is right.
    pub fn confirm_date(&self) -> Result<(), Error> {
        self.write(|vault, _| {
            let clock = vault.clock_day()?;
            vault.confirm_for_sure(clock)
        })
    }
}
