//! What the grants and withdrawals about one participant amount to, on a day and under a charter.
//!
//! A pure function of what was signed: whatever came first, every phone that holds the same grants and withdrawals says
//! the same. More withdrawals, and more bodies that claim one grant, only ever take away; so what was dropped for one of
//! them would be dropped again, in any order.

use super::charter::Charter;
use super::grant::{GRANT_ITEMS_MAX_COUNT, GatedCategory, Grant, Withdrawal};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::ids::RecordId;
use std::collections::{BTreeMap, BTreeSet};

/// More scopes than this in bodies of one withdrawal count as a withdrawal of everything (count).
const SCOPES_MAX_COUNT: usize = 8;

/// How a grant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantStatus {
    /// It counts today, at least for one of its categories.
    Live,
    /// Its first day is still to come.
    NotBegun,
    /// Its last day, or the longest term of the charter, is over.
    Expired,
    /// It was taken back.
    Withdrawn,
    /// The charter does not allow what it is about, or its recipient is not what it says.
    NotAllowed,
    /// Several bodies claim it and contradict each other: it counts for nothing.
    Contradicted,
}

impl GrantStatus {
    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::NotBegun => "not_begun",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::NotAllowed => "not_allowed",
            Self::Contradicted => "contradicted",
        }
    }
}

/// The scopes that the bodies of one withdrawal name: nearly always one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Scopes(#[n(0)] Vec<Withdrawal>);

impl Scopes {
    /// Adds what one more body says.
    pub fn add(&mut self, withdrawal: Withdrawal) {
        if let Err(at) = self.0.binary_search(&withdrawal) {
            self.0.insert(at, withdrawal);
        }
        if self.0.len() > SCOPES_MAX_COUNT {
            let how = self.0.iter().map(|scope| scope.how).min().unwrap_or(withdrawal.how);
            self.0 = vec![Withdrawal::of_everything(how); SCOPES_MAX_COUNT + 1];
        }
    }
    /// Every scope.
    pub fn iter(&self) -> impl Iterator<Item = &Withdrawal> {
        self.0.iter()
    }
}

/// All grants and withdrawals about one participant that a phone holds.
#[derive(Debug, Clone, Default)]
pub struct Consents {
    grants: BTreeMap<RecordId, Option<Grant>>,
    withdrawals: BTreeMap<RecordId, Scopes>,
}

impl Consents {
    /// Adds a grant: what its bodies amount to, none where they contradict each other.
    pub fn add_grant(&mut self, id: RecordId, grant: Option<Grant>) {
        let known = self.grants.entry(id).or_insert_with(|| grant.clone());
        *known = known.as_ref().zip(grant.as_ref()).and_then(|(known, grant)| known.meet(grant));
    }
    /// Adds a withdrawal.
    pub fn add_withdrawal(&mut self, id: RecordId, scopes: &Scopes) {
        let known = self.withdrawals.entry(id).or_default();
        scopes.iter().for_each(|scope| known.add(*scope));
    }
    /// The grants, in the order of their ids; none for one that contradicts itself.
    pub fn grants(&self) -> impl Iterator<Item = (RecordId, Option<&Grant>)> {
        self.grants.iter().map(|(id, grant)| (*id, grant.as_ref()))
    }
    /// The withdrawals.
    pub fn withdrawals(&self) -> impl Iterator<Item = (RecordId, &Scopes)> {
        self.withdrawals.iter().map(|(id, scopes)| (*id, scopes))
    }
    /// One grant.
    pub fn grant(&self, id: &RecordId) -> Option<&Grant> {
        self.grants.get(id)?.as_ref()
    }
    /// Whether a grant is here, whatever it says.
    pub fn holds(&self, id: &RecordId) -> bool {
        self.grants.contains_key(id)
    }

    /// The withdrawals that a new grant has to list to live: those that overlap it. None if they are too many.
    pub fn seen_by(&self, grant: &Grant) -> Option<Vec<RecordId>> {
        let overlapping = |scopes: &Scopes| scopes.iter().any(|scope| scope.overlaps(grant));
        let seen: Vec<RecordId> = self.withdrawals.iter().filter(|(_, scopes)| overlapping(scopes)).map(|(id, _)| *id).collect();
        (seen.len() <= GRANT_ITEMS_MAX_COUNT).then_some(seen)
    }

    /// The withdrawals that took something of a grant back: those that overlap it, and that it had not seen.
    pub fn against<'a>(&'a self, grant: &'a Grant) -> impl Iterator<Item = (RecordId, &'a Withdrawal)> {
        let unseen = self.withdrawals.iter().filter(|(id, _)| !grant.withdrawals_seen.contains(id));
        unseen.flat_map(|(id, scopes)| scopes.iter().map(|scope| (*id, scope))).filter(|(_, scope)| scope.overlaps(grant))
    }

    /// Whether one category of a grant was taken back; `None` stands for the file itself.
    pub fn is_withdrawn(&self, grant: &Grant, category: Option<GatedCategory>) -> bool {
        self.against(grant).any(|(_, scope)| scope.reaches(grant, category))
    }

    /// Whether every grant for the file was taken back. False while there is none.
    pub fn is_file_withdrawn(&self) -> bool {
        let mut files = self.grants.values().flatten().filter(|grant| grant.is_for_file()).peekable();
        files.peek().is_some() && files.all(|grant| self.is_withdrawn(grant, None))
    }

    /// How a grant stands. Whether a share's recipient is what the grant says is for the caller to know.
    pub fn status(&self, id: &RecordId, day: ShiftDay, charter: &Charter) -> Option<GrantStatus> {
        let Some(grant) = self.grants.get(id)? else { return Some(GrantStatus::Contradicted) };
        let left: Vec<Option<GatedCategory>> = match grant.is_for_file() {
            true => [None].into_iter().filter(|_| !self.is_withdrawn(grant, None)).collect(),
            false => grant.categories.iter().copied().map(Some).filter(|category| !self.is_withdrawn(grant, *category)).collect(),
        };
        Some(if left.is_empty() {
            GrantStatus::Withdrawn
        } else if day > last_day(grant, charter) {
            GrantStatus::Expired
        } else if !left.iter().any(|category| is_allowed(grant, *category, charter)) {
            GrantStatus::NotAllowed
        } else if day < grant.start {
            GrantStatus::NotBegun
        } else {
            GrantStatus::Live
        })
    }

    /// The categories for which a grant counts on a day.
    pub fn live_categories(&self, id: &RecordId, day: ShiftDay, charter: &Charter) -> BTreeSet<GatedCategory> {
        let Some(grant) = self.grant(id).filter(|grant| day >= grant.start && day <= last_day(grant, charter)) else {
            return BTreeSet::new();
        };
        let lives = |category: &GatedCategory| is_allowed(grant, Some(*category), charter) && !self.is_withdrawn(grant, Some(*category));
        grant.categories.iter().copied().filter(lives).collect()
    }

    /// Whether they said yes to a file, and it still counts.
    pub fn has_live_file(&self, day: ShiftDay, charter: &Charter) -> bool {
        let files = self.grants.iter().filter(|(_, grant)| grant.as_ref().is_some_and(Grant::is_for_file));
        files.map(|(id, _)| self.status(id, day, charter)).any(|status| status == Some(GrantStatus::Live))
    }
}

/// The last day on which a grant counts: its own, or the charter's longest term if that ends first.
///
/// The term of a file is not cut: a file follows its retention, which counts from the last contact.
pub fn last_day(grant: &Grant, charter: &Charter) -> ShiftDay {
    if grant.is_for_file() { grant.expiry } else { grant.expiry.min(grant.start.plus(charter.grant_limit_days(grant.act, false))) }
}

fn is_allowed(grant: &Grant, category: Option<GatedCategory>, charter: &Charter) -> bool {
    category.is_none_or(|category| charter.categories.contains(&category))
        && (grant.class != Some(super::ShareClass::Justice) || charter.justice_shares)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::grant::{Act, HowGiven, Purpose, ShareClass};
    use super::super::words;
    use super::*;

    fn day(n: u16) -> ShiftDay {
        ShiftDay::from_days(n)
    }
    fn id(n: u8) -> RecordId {
        RecordId::from_bytes([n; 16])
    }
    fn charter() -> Charter {
        Charter::strictest("UTC", day(100))
    }
    fn vault_grant(categories: &[GatedCategory], seen: &[u8]) -> Grant {
        Grant {
            categories: categories.to_vec(),
            purpose: Purpose::HousingApplication,
            words_version: words::current(Act::Record, false, None),
            ..Grant::for_file(day(100), 30, HowGiven::Spoken, "en", seen.iter().map(|n| id(*n)).collect())
        }
    }
    fn withdrawal(act: Option<Act>, category: Option<GatedCategory>) -> Scopes {
        let mut scopes = Scopes::default();
        scopes.add(Withdrawal { act, category, recipient: None, how: HowGiven::Spoken });
        scopes
    }
    const NAME: GatedCategory = GatedCategory::LegalName;
    const BIRTH: GatedCategory = GatedCategory::BirthDate;

    #[test]
    fn a_withdrawal_that_was_not_seen_wins() {
        let mut consents = Consents::default();
        consents.add_grant(id(1), Some(vault_grant(&[NAME, BIRTH], &[])));
        consents.add_grant(id(2), Some(vault_grant(&[NAME], &[9])));
        assert_eq!(consents.status(&id(1), day(110), &charter()), Some(GrantStatus::Live));
        consents.add_withdrawal(id(9), &withdrawal(Some(Act::Record), Some(NAME)));
        assert_eq!(consents.live_categories(&id(1), day(110), &charter()), BTreeSet::from([BIRTH]), "only what was taken back");
        assert_eq!(consents.live_categories(&id(2), day(110), &charter()), BTreeSet::from([NAME]), "given again, knowing of it");
        consents.add_withdrawal(id(10), &withdrawal(None, None));
        for grant in [id(1), id(2)] {
            assert_eq!(consents.status(&grant, day(110), &charter()), Some(GrantStatus::Withdrawn));
        }
        let again = vault_grant(&[NAME], &[]);
        assert_eq!(consents.seen_by(&again), Some(vec![id(9), id(10)]), "a new grant lists them");
    }

    #[test]
    fn a_grant_ends_by_itself_and_never_later_than_the_charter_says() {
        let mut consents = Consents::default();
        consents.add_grant(id(1), Some(vault_grant(&[NAME], &[])));
        let status = |day, charter: &Charter| consents.status(&id(1), day, charter).unwrap();
        assert_eq!(status(day(99), &charter()), GrantStatus::NotBegun);
        assert_eq!(status(day(130), &charter()), GrantStatus::Live);
        assert_eq!(status(day(131), &charter()), GrantStatus::Expired);
        let mut short = charter();
        short.grant_days.record = 7;
        assert_eq!(status(day(107), &short), GrantStatus::Live);
        assert_eq!(status(day(108), &short), GrantStatus::Expired);
        let mut nothing = charter();
        nothing.categories.clear();
        assert_eq!(status(day(107), &nothing), GrantStatus::NotAllowed);
        assert!(consents.live_categories(&id(1), day(107), &nothing).is_empty());
        assert_eq!(consents.status(&id(2), day(107), &short), None);
    }

    #[test]
    fn whoever_polices_is_denied_by_default() {
        let class = Some(ShareClass::Justice);
        let words_version = words::current(Act::Share, false, class);
        let share = Grant {
            act: Act::Share,
            recipient: Some(id(5)),
            class,
            purpose: Purpose::LegalDefence,
            words_version,
            ..vault_grant(&[NAME], &[])
        };
        let mut consents = Consents::default();
        consents.add_grant(id(1), Some(share));
        assert_eq!(consents.status(&id(1), day(110), &charter()), Some(GrantStatus::NotAllowed));
        let mut loose = charter();
        loose.justice_shares = true;
        assert_eq!(consents.status(&id(1), day(110), &loose), Some(GrantStatus::Live));
    }

    #[test]
    fn a_second_body_of_a_grant_takes_away_and_never_gives() {
        let honest = vault_grant(&[NAME, BIRTH], &[]);
        let longer = Grant { expiry: day(300), ..honest.clone() };
        let knowing = Grant { withdrawals_seen: vec![id(9)], ..honest.clone() };
        let other = vault_grant(&[GatedCategory::Vehicle], &[]);
        for orders in [[&honest, &longer, &knowing], [&knowing, &honest, &longer], [&longer, &knowing, &honest]] {
            let mut consents = Consents::default();
            orders.into_iter().for_each(|grant| consents.add_grant(id(1), Some(grant.clone())));
            consents.add_withdrawal(id(9), &withdrawal(None, None));
            assert_eq!(consents.grant(&id(1)).unwrap(), &honest);
            assert_eq!(consents.status(&id(1), day(110), &charter()), Some(GrantStatus::Withdrawn), "it revives nothing");
        }
        let mut consents = Consents::default();
        [&honest, &other, &honest].into_iter().for_each(|grant| consents.add_grant(id(1), Some(grant.clone())));
        assert_eq!(consents.status(&id(1), day(110), &charter()), Some(GrantStatus::Contradicted));
        assert!(!consents.has_live_file(day(110), &charter()), "nothing in common is not the grant of a file");
    }

    #[test]
    fn a_flood_of_scopes_counts_as_everything() {
        let mut scopes = Scopes::default();
        for n in 0..40 {
            scopes.add(Withdrawal { act: Some(Act::Share), category: None, recipient: Some(id(n)), how: HowGiven::Spoken });
        }
        assert!(scopes.iter().all(|scope| *scope == Withdrawal::of_everything(HowGiven::Spoken)));
        assert_eq!(scopes.iter().count(), SCOPES_MAX_COUNT + 1);
    }
}
