//! The checked day. Clocks lie: a day once seen never comes back, and a jump forward is not believed at once.

use super::Unlocked;
use super::vault::Vault;
use crate::error::Error;
use satchel_wire::ShiftDay;
use satchel_wire::limits::DAY_AHEAD_MAX_DAYS;

impl Vault {
    /// Today's shift day: the clock's, but never before the highest day ever seen, and after a jump of more than
    /// two days in doubt until somebody confirms it.
    pub(super) fn today(&mut self) -> Result<ShiftDay, Error> {
        let clock = self.charter()?.shift_day(self.env.now().seconds())?;
        let Some(seen) = self.state.day_seen else {
            self.state.day_seen = Some(clock);
            return Ok(clock);
        };
        if clock <= seen {
            return Ok(seen);
        }
        if clock.days() - seen.days() > DAY_AHEAD_MAX_DAYS {
            self.state.date_in_doubt = true;
            return Ok(clock);
        }
        self.state.day_seen = Some(clock);
        Ok(clock)
    }

    /// Somebody who may know confirms the clock: a colleague's phone, the relay or the worker.
    pub(super) fn confirm_day(&mut self, day: ShiftDay) -> Result<(), Error> {
        let clock = self.charter()?.shift_day(self.env.now().seconds())?;
        if clock.days().abs_diff(day.days()) <= DAY_AHEAD_MAX_DAYS {
            self.state.date_in_doubt = false;
            self.state.day_seen = self.state.day_seen.max(Some(clock));
        }
        Ok(())
    }
}

impl Unlocked {
    /// Today's shift day as this store believes it. A clock that was set back does not bring a day back.
    pub fn today(&self) -> Result<ShiftDay, Error> {
        self.write(|vault, _| vault.today())
    }

    /// Whether the date jumped forward by more than two days and nobody has confirmed it yet.
    ///
    /// Until then nothing is destroyed by age. Remedy: meet a colleague's phone, reach the relay, or ask the worker
    /// and call [`Unlocked::confirm_date`].
    pub fn is_date_in_doubt(&self) -> Result<bool, Error> {
        self.write(|vault, _| {
            vault.today()?;
            Ok(vault.state.date_in_doubt)
        })
    }

    /// The worker says that the device's date is right.
    pub fn confirm_date(&self) -> Result<(), Error> {
        self.write(|vault, _| {
            let clock = vault.charter()?.shift_day(vault.env.now().seconds())?;
            vault.confirm_day(clock)
        })
    }
}
