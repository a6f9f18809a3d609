//! What the team was promised: every acknowledged record and value, kept apart from all stores, and the checks
//! that hold what phones show against it.

use super::consent::Consents;
use crate::team::Phone;
use satchel_core::record::{FollowUpState, Outcome, Participant, ReferralStatus, Tally};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{RecordId, ResourceId};
use std::collections::{BTreeMap, BTreeSet};

/// The last written values of one field: more than one where phones wrote at the same time.
pub type Heads = BTreeSet<String>;

/// A participant file as promised.
#[derive(Debug, Default)]
pub struct File {
    /// Values that no later edit has seen and replaced, by field.
    pub fields: BTreeMap<&'static str, Heads>,
    /// Goals that somebody added.
    pub goals_added: BTreeSet<String>,
    /// Goals that somebody took off.
    pub goals_removed: BTreeSet<String>,
}

/// An encounter as promised.
#[derive(Debug, Default)]
pub struct Met {
    /// With whom.
    pub participant: Option<RecordId>,
    /// The notes of the versions that no correction has seen and replaced.
    pub notes: Heads,
}

/// What was offered, what was said, and how many.
pub type Said = (ResourceId, Outcome, u32);

/// What one phone has counted and not sent, by shift day: encounters.
pub type Counting = BTreeMap<ShiftDay, u32>;

/// Everything acknowledged so far. Phones are numbered in the order in which they joined.
#[derive(Debug, Default)]
pub struct Model {
    /// Who wrote each record, and its kind.
    pub authors: BTreeMap<RecordId, (usize, &'static str)>,
    /// Participant files.
    pub files: BTreeMap<RecordId, File>,
    /// Encounters.
    pub encounters: BTreeMap<RecordId, Met>,
    /// Follow-ups: the last state that each phone set.
    pub follow_ups: BTreeMap<RecordId, BTreeMap<usize, FollowUpState>>,
    /// Self-referrals, likewise.
    pub referrals: BTreeMap<RecordId, BTreeMap<usize, ReferralStatus>>,
    /// Zones and their names.
    pub zones: BTreeMap<RecordId, String>,
    /// Notes on services: the last text of each phone.
    pub notes: BTreeMap<ResourceId, BTreeMap<usize, String>>,
    /// Everything counted.
    pub counted: BTreeMap<(ResourceId, Outcome), u64>,
    /// What waits on each phone.
    pub counting: BTreeMap<usize, Counting>,
    /// Grants, vaults and withdrawals.
    pub consents: Consents,
    /// Whom follow-ups and self-referrals are about.
    pub about: BTreeMap<RecordId, RecordId>,
    /// Sums that were seen to leave.
    pub sums: BTreeSet<(ShiftDay, Vec<Said>)>,
}

/// What every tap and encounter of a phone counts once: it says whose a sum is, and how many encounters it holds.
pub const fn marker(phone: usize) -> ResourceId {
    let mut bytes = [0xA0; 16];
    bytes[1] = phone as u8;
    ResourceId::from_bytes(bytes)
}

fn marked(tally: &Tally) -> Option<(usize, u32)> {
    let line = tally.lines.iter().find(|line| line.resource.as_bytes()[2..] == [0xA0; 14] && line.outcome == Outcome::Accepted)?;
    Some((usize::from(line.resource.as_bytes()[1]), line.count))
}

/// A field of a file as a phone shows it: the value shown, then the others.
pub fn shown(file: &Participant, field: &'static str) -> Vec<String> {
    let text = |text: &Option<satchel_core::screen::ShortText>| text.as_ref().map(|text| text.as_str().to_owned());
    let value = match field {
        "alias" => file.alias.as_ref().map(|alias| alias.as_str().to_owned()),
        "pronouns" => text(&file.pronouns),
        "language" => text(&file.language),
        _ => text(&file.contact),
    };
    let conflict = file.conflicts.iter().find(|conflict| conflict.field == field);
    let others = conflict.into_iter().flat_map(|conflict| conflict.others.iter().map(|other| other.as_str().to_owned()));
    value.into_iter().chain(others).collect()
}

/// The fields that the simulator edits.
pub const FIELDS: [&str; 4] = ["alias", "pronouns", "language", "contact"];

fn set(values: Vec<String>) -> Result<Heads, String> {
    let count = values.len();
    let heads: Heads = values.into_iter().collect();
    if heads.len() == count { Ok(heads) } else { Err("a value is shown twice".into()) }
}

impl Model {
    /// A phone counted one encounter.
    pub fn count(&mut self, phone: usize, day: ShiftDay, said: &[Said]) {
        *self.counting.entry(phone).or_default().entry(day).or_default() += 1;
        for (resource, outcome, count) in said {
            *self.counted.entry((*resource, *outcome)).or_default() += u64::from(*count);
        }
    }

    /// Looks for sums that were not there before, after each departure. Errors: a sum that left too early, with too
    /// few encounters, or that does not hold what its phone had counted.
    pub fn watch_sums(&mut self, seer: &Phone, authors: &[&Phone]) -> Result<(), String> {
        for (day, tally) in seer.unlocked.tallies().map_err(|error| error.code())? {
            let lines: Vec<_> = tally.lines.iter().map(|line| (line.resource, line.outcome, line.count)).collect();
            if !self.sums.insert((day, lines)) {
                continue;
            }
            let (author, encounters) = marked(&tally).ok_or("a sum of nobody")?;
            let phone = authors.get(author).ok_or("a sum of an unknown phone")?;
            let today = phone.unlocked.today().map_err(|error| error.code())?;
            if day >= today {
                return Err(format!("{}: a sum left during its shift day", phone.name));
            }
            let counting = self.counting.entry(author).or_default();
            let first = counting.keys().next().copied().ok_or("a sum of nothing")?;
            let rest = counting.split_off(&day.plus(1));
            let summed: u32 = std::mem::replace(counting, rest).values().sum();
            if summed != encounters {
                return Err(format!("{}: a sum holds {encounters} encounters, counted were {summed}", phone.name));
            }
            if encounters < 3 && today.days() - first.days() < 7 {
                return Err(format!("{}: a sum of {encounters} left after less than a week", phone.name));
            }
        }
        Ok(())
    }

    /// Whether a record about somebody, or about nobody, is to be shown: not once their file was taken back.
    fn is_open(&self, participant: Option<&RecordId>) -> bool {
        participant.is_none_or(|participant| !self.consents.is_closed(participant))
    }

    /// Holds one phone, after healing, against everything promised. Errors: what is lost, doubled or invented.
    pub fn check(&self, phone: &Phone) -> Result<(), String> {
        let name = &phone.name;
        let unlocked = &phone.unlocked;
        let lost = |kind: &str, id: &RecordId| {
            let author = self.authors.get(id).map_or(usize::MAX, |(author, _)| *author);
            format!("{name}: {kind} {id} of phone {author} is lost")
        };
        let files: Vec<RecordId> = unlocked.participants().map_err(|error| error.code())?.iter().map(|line| line.id).collect();
        let open: BTreeMap<&RecordId, &File> = self.files.iter().filter(|(id, _)| self.is_open(Some(id))).collect();
        same_ids("participant", name, &files, open.keys().copied(), &lost)?;
        for (id, file) in open {
            let shows = unlocked.participant(*id).map_err(|error| format!("{name}: {}", error.code()))?;
            for field in FIELDS {
                let heads = file.fields.get(field).cloned().unwrap_or_default();
                let values = set(shown(&shows, field))?;
                if values != heads {
                    return Err(format!("{name}: {field} of {id} shows {values:?}, last written were {heads:?}"));
                }
            }
            let goals: Vec<String> = shows.goals.iter().map(|goal| goal.as_str().to_owned()).collect();
            let kept = set(goals)?;
            if let Some(goal) = file.goals_added.difference(&file.goals_removed).find(|goal| !kept.contains(*goal)) {
                return Err(format!("{name}: goal {goal} of {id}, which nobody took off, is gone"));
            }
            if !kept.is_subset(&file.goals_added) {
                return Err(format!("{name}: {id} has a goal that nobody added"));
            }
        }
        let encounters: Vec<RecordId> = unlocked.encounters(None).map_err(|error| error.code())?.iter().map(|line| line.id).collect();
        let open: BTreeMap<&RecordId, &Met> = self.encounters.iter().filter(|(_, met)| self.is_open(met.participant.as_ref())).collect();
        same_ids("encounter", name, &encounters, open.keys().copied(), &lost)?;
        for (id, met) in open {
            let shows = unlocked.encounter(*id).map_err(|error| format!("{name}: {}", error.code()))?;
            let versions = std::iter::once(&shows.value).chain(&shows.others);
            let notes = set(versions.filter_map(|version| version.note()).map(|note| note.as_str().to_owned()).collect())?;
            if notes != met.notes || shows.participant != met.participant {
                return Err(format!("{name}: encounter {id} shows {notes:?}, last written were {:?}", met.notes));
            }
        }
        let follow_ups = unlocked.follow_ups().map_err(|error| error.code())?;
        let ids: Vec<RecordId> = follow_ups.iter().map(|line| line.id).collect();
        let is_open = |id: &&RecordId| self.is_open(self.about.get(id));
        same_ids("follow-up", name, &ids, self.follow_ups.keys().filter(is_open), &lost)?;
        for line in follow_ups {
            if !self.follow_ups[&line.id].values().any(|state| *state == line.state) {
                return Err(format!("{name}: follow-up {} shows a state that no phone set last", line.id));
            }
        }
        let referrals = unlocked.self_referrals().map_err(|error| error.code())?;
        let ids: Vec<RecordId> = referrals.iter().map(|line| line.id).collect();
        same_ids("referral", name, &ids, self.referrals.keys().filter(is_open), &lost)?;
        for line in referrals {
            if !self.referrals[&line.id].values().any(|status| *status == line.status) {
                return Err(format!("{name}: referral {} shows a status that no phone set last", line.id));
            }
        }
        let zones = unlocked.zones().map_err(|error| error.code())?;
        let names: BTreeMap<RecordId, String> =
            zones.iter().filter_map(|line| line.name.as_ref().map(|name| (line.id, name.as_str().to_owned()))).collect();
        if names != self.zones || zones.len() != self.zones.len() {
            return Err(format!("{name}: zones differ from what was created"));
        }
        for (resource, texts) in &self.notes {
            let note = unlocked.resource_note(*resource).map_err(|error| error.code())?;
            let note = note.ok_or_else(|| format!("{name}: the note on {resource} is lost"))?;
            if !texts.values().any(|text| text == note.as_str()) {
                return Err(format!("{name}: the note on {resource} is one that no phone wrote last"));
            }
        }
        Ok(())
    }

    /// Every count is either in one sum or waits on one phone. Errors: counts lost or doubled.
    pub fn check_counts(&self, phones: &[&Phone], days: std::ops::RangeInclusive<u16>) -> Result<(), String> {
        let Some(first) = phones.first() else { return Ok(()) };
        let mut found: BTreeMap<(ResourceId, Outcome), u64> = BTreeMap::new();
        let sums = first.unlocked.tallies().map_err(|error| error.code())?;
        let mut lines: Vec<_> = sums.into_iter().flat_map(|(_, tally)| tally.lines).collect();
        for phone in phones {
            for day in days.clone() {
                lines.extend(phone.unlocked.tally_waiting(ShiftDay::from_days(day)).map_err(|error| error.code())?);
            }
        }
        for line in lines {
            *found.entry((line.resource, line.outcome)).or_default() += u64::from(line.count);
        }
        if found == self.counted {
            return Ok(());
        }
        let wrong = self.counted.keys().chain(found.keys()).find(|key| found.get(key) != self.counted.get(key));
        Err(format!(
            "counts differ at {wrong:?}: {:?} instead of {:?}",
            wrong.map(|key| found.get(key)),
            wrong.map(|key| self.counted.get(key))
        ))
    }
}

fn same_ids<'a>(
    kind: &str,
    name: &str,
    found: &[RecordId],
    promised: impl Iterator<Item = &'a RecordId>,
    lost: &dyn Fn(&str, &RecordId) -> String,
) -> Result<(), String> {
    let distinct: BTreeSet<RecordId> = found.iter().copied().collect();
    if distinct.len() != found.len() {
        return Err(format!("{name}: a {kind} is listed twice"));
    }
    let promised: BTreeSet<RecordId> = promised.copied().collect();
    if let Some(id) = promised.difference(&distinct).next() {
        return Err(lost(kind, id));
    }
    match distinct.difference(&promised).next() {
        Some(id) => Err(format!("{name}: {kind} {id} was never acknowledged to anybody")),
        None => Ok(()),
    }
}
