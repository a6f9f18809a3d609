//! Tallies: anonymous counts that leave a phone as one sum after the shift day.
//!
//! A count of one beside the encounter that caused it is no anonymity. So taps go into a plain local
//! counter ([`TallyCounter`], sealed in the store, no journal), and only a sum over a finished day with
//! at least three encounters becomes a record. Fewer join the next day's sum, for at most seven days.

use super::encounter::Outcome;
use super::entry::{EntryError, EntryValue};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::ids::ResourceId;
use satchel_wire::limits::TALLY_LINES_MAX_COUNT;
use std::collections::BTreeMap;

/// Fewer encounters than this never leave as a sum of their own.
pub const ENCOUNTERS_MIN_COUNT: u32 = 3;
/// After this many days a sum leaves even with fewer encounters.
pub const CARRY_MAX_DAYS: u16 = 7;

/// How many times something was offered with one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct TallyLine {
    /// The resource or supply.
    #[n(0)]
    pub resource: ResourceId,
    /// What was said.
    #[n(1)]
    pub outcome: Outcome,
    /// How many, at least 1.
    #[n(2)]
    pub count: u32,
}

/// One device's sum, as stored. Its day is the last day that it counts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Tally {
    /// Sorted by resource and outcome, each pair once.
    #[n(0)]
    pub lines: Vec<TallyLine>,
}

impl EntryValue for Tally {
    fn check(&self) -> Result<(), EntryError> {
        if self.lines.len() > TALLY_LINES_MAX_COUNT {
            return Err(EntryError::TooMany);
        }
        let sorted = self.lines.is_sorted_by(|a, b| (a.resource, a.outcome) < (b.resource, b.outcome));
        if self.lines.is_empty() || !sorted || self.lines.iter().any(|line| line.count == 0) { Err(EntryError::Value) } else { Ok(()) }
    }
}

/// The counter of days that have not left yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct TallyCounter {
    #[n(0)]
    days: BTreeMap<ShiftDay, DayCount>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
struct DayCount {
    #[n(0)]
    encounters: u32,
    #[n(1)]
    counts: BTreeMap<(ResourceId, Outcome), u32>,
}

impl TallyCounter {
    /// Counts one encounter and what was said in it. Counts saturate.
    pub fn count(&mut self, day: ShiftDay, said: impl IntoIterator<Item = (ResourceId, Outcome, u32)>) {
        let day = self.days.entry(day).or_default();
        day.encounters = day.encounters.saturating_add(1);
        for (resource, outcome, count) in said {
            let total = day.counts.entry((resource, outcome)).or_default();
            *total = total.saturating_add(count);
        }
    }

    /// What has been counted on a day and has not left yet.
    pub fn lines(&self, day: ShiftDay) -> Vec<TallyLine> {
        self.days.get(&day).map(|day| to_lines(&day.counts)).unwrap_or_default()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// Takes the sum that may leave today, if any: all finished days together, once they hold three
    /// encounters or the oldest of them is seven days old. Returns the last day counted, and the sum.
    pub fn take_sum(&mut self, today: ShiftDay) -> Option<(ShiftDay, Tally)> {
        let finished: Vec<ShiftDay> = self.days.keys().copied().filter(|day| *day < today).collect();
        let (first, last) = (*finished.first()?, *finished.last()?);
        let encounters = finished.iter().filter_map(|day| self.days.get(day)).fold(0u32, |sum, day| sum.saturating_add(day.encounters));
        if encounters < ENCOUNTERS_MIN_COUNT && today.days() - first.days() < CARRY_MAX_DAYS {
            return None;
        }
        let mut sum: BTreeMap<(ResourceId, Outcome), u32> = BTreeMap::new();
        for day in &finished {
            for (line, count) in self.days.remove(day).unwrap_or_default().counts {
                let total = sum.entry(line).or_default();
                *total = total.saturating_add(count);
            }
        }
        let mut lines = to_lines(&sum);
        if lines.len() > TALLY_LINES_MAX_COUNT {
            // what does not fit one sum leaves with the next
            let counts =
                lines.split_off(TALLY_LINES_MAX_COUNT).into_iter().map(|line| ((line.resource, line.outcome), line.count)).collect();
            self.days.insert(last, DayCount { encounters, counts });
        }
        if lines.is_empty() { None } else { Some((last, Tally { lines })) }
    }
}

fn to_lines(counts: &BTreeMap<(ResourceId, Outcome), u32>) -> Vec<TallyLine> {
    counts.iter().filter(|(_, count)| **count > 0).map(|(&(resource, outcome), &count)| TallyLine { resource, outcome, count }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const KIT: ResourceId = ResourceId::from_bytes([1; 16]);

    fn day(n: u16) -> ShiftDay {
        ShiftDay::from_days(n)
    }

    #[test]
    fn nothing_leaves_before_its_day_has_ended() {
        let mut counter = TallyCounter::default();
        for _ in 0..5 {
            counter.count(day(10), [(KIT, Outcome::Declined, 1)]);
        }
        assert_eq!(counter.take_sum(day(10)), None);
        let (last, tally) = counter.take_sum(day(11)).unwrap();
        assert_eq!((last, tally.lines.len(), tally.lines[0].count), (day(10), 1, 5));
        assert!(counter.is_empty());
        tally.check().unwrap();
    }

    #[test]
    fn two_encounters_wait_for_the_next_shift() {
        let mut counter = TallyCounter::default();
        counter.count(day(10), [(KIT, Outcome::Declined, 1)]);
        counter.count(day(10), [(KIT, Outcome::Accepted, 2)]);
        assert_eq!(counter.take_sum(day(11)), None);
        counter.count(day(12), [(KIT, Outcome::Declined, 1)]);
        assert_eq!(counter.take_sum(day(12)), None, "the running day is not counted in");
        let (last, tally) = counter.take_sum(day(13)).unwrap();
        assert_eq!(last, day(12));
        assert_eq!(tally.lines.iter().map(|line| line.count).collect::<Vec<_>>(), [2, 2]);
    }

    #[test]
    fn more_lines_than_one_sum_carries_leave_in_two() {
        let mut counter = TallyCounter::default();
        let resource = |n: u16| {
            ResourceId::from_bytes([n.to_le_bytes(), [0; 2], [0; 2], [0; 2], [0; 2], [0; 2], [0; 2], [0; 2]].concat().try_into().unwrap())
        };
        for n in 0..600 {
            counter.count(day(10), [(resource(n), Outcome::Accepted, 1)]);
        }
        let first = counter.take_sum(day(11)).unwrap().1.lines.len();
        let second = counter.take_sum(day(11)).unwrap().1.lines.len();
        assert_eq!((first, second, counter.is_empty()), (512, 88, true));
    }

    #[test]
    fn a_week_is_the_longest_wait() {
        let mut counter = TallyCounter::default();
        counter.count(day(10), [(KIT, Outcome::NotNow, 1)]);
        assert_eq!(counter.take_sum(day(16)), None);
        assert!(counter.take_sum(day(17)).is_some());
    }
}
