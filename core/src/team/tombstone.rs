//! Tombstones: what an erasure names, without telling it to whoever does not hold it already.
//!
//! ```text
//! key      = BLAKE3 derive_key("… tombstone token", salt of the tombstone)
//! record   = keyed BLAKE3(key, 1 ‖ record id)[..16]
//! subject  = keyed BLAKE3(key, 2 ‖ participant id)[..16]
//! category = keyed BLAKE3(key, 3 ‖ participant id ‖ category)[..16]
//! ```
//!
//! The salt stands in the tombstone, so that a device that joins later recognises what must not come back. Lists of
//! record tokens are padded with random ones to 8 or 32 and sorted: the log says how many at most, never which.

use super::operation::{Action, Token};
use crate::consent::grant::GatedCategory;
use crate::crypto::ErasureTokens;
use crate::env::Env;
use crate::record::Kind;
use satchel_wire::ids::RecordId;

/// Most records that one tombstone names (count).
pub const TOMBSTONE_RECORDS_MAX_COUNT: usize = 32;
/// A list of record tokens has this length, or [`TOMBSTONE_RECORDS_MAX_COUNT`] (count).
const SHORT_LIST_COUNT: usize = 8;

const RECORD: u8 = 1;
const SUBJECT: u8 = 2;
const CATEGORY: u8 = 3;

/// What is to be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Erasure {
    /// 1 to 32 single records.
    Records(Vec<RecordId>),
    /// A participant and every record about them, also what arrives later.
    Subject(RecordId),
    /// The facts of one gated category about a participant, also what arrives later.
    Category(RecordId, GatedCategory),
    /// Every record of the team.
    Team,
    /// One record whose values live on in another one: its history is dropped, not its content.
    History {
        /// The record that ends.
        record: RecordId,
        /// The record that carries its values on.
        successor: RecordId,
    },
}

/// No record, or more than 32, were named: write several tombstones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tombstone names 1 to 32 records")]
pub struct TombstoneError;

/// Writes the action that erases. Errors: [`TombstoneError`].
pub fn write(env: &Env, erasure: &Erasure) -> Result<Action, TombstoneError> {
    let salt = env.random();
    let tokens = ErasureTokens::new(&salt);
    let (mut records, mut subject, mut category, mut successor) = (Vec::new(), None, None, None);
    match erasure {
        Erasure::Records(ids) => records = padded(env, &tokens, ids)?,
        Erasure::Subject(id) => subject = Some(token(&tokens, &[&[SUBJECT], id.as_bytes()])),
        Erasure::Category(id, of) => category = Some(token(&tokens, &[&[CATEGORY], id.as_bytes(), &[*of as u8]])),
        Erasure::Team => {}
        Erasure::History { record, successor: next } => {
            records = padded(env, &tokens, &[*record])?;
            successor = Some(token(&tokens, &[&[RECORD], next.as_bytes()]));
        }
    }
    Ok(Action::Tombstone { salt, records, subject, category, team: *erasure == Erasure::Team, successor })
}

fn token(tokens: &ErasureTokens, parts: &[&[u8]]) -> Token {
    Token(tokens.token(parts))
}

fn padded(env: &Env, tokens: &ErasureTokens, ids: &[RecordId]) -> Result<Vec<Token>, TombstoneError> {
    if ids.is_empty() || ids.len() > TOMBSTONE_RECORDS_MAX_COUNT {
        return Err(TombstoneError);
    }
    let mut list: Vec<Token> = ids.iter().map(|id| token(tokens, &[&[RECORD], id.as_bytes()])).collect();
    let length = if list.len() <= SHORT_LIST_COUNT { SHORT_LIST_COUNT } else { TOMBSTONE_RECORDS_MAX_COUNT };
    list.resize_with(length, || Token(env.random()));
    list.sort_unstable();
    Ok(list)
}

/// A record, as far as a tombstone may concern it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Its id.
    pub record: RecordId,
    /// Its kind: not every one is erased by its own token.
    pub kind: Kind,
    /// The participant whom it is about.
    pub subject: Option<RecordId>,
    /// The gated category whose facts it holds.
    pub category: Option<GatedCategory>,
}

/// What a tombstone is about, in a word: all that the log tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TombstoneScope {
    /// Up to 8 or 32 records.
    Records,
    /// One participant.
    Subject,
    /// One gated category of one participant.
    Category,
    /// The team.
    Team,
    /// The history of one record.
    History,
}

impl TombstoneScope {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Subject => "subject",
            Self::Category => "category",
            Self::Team => "team",
            Self::History => "history",
        }
    }

    /// What a tombstone is about; none for another action.
    pub fn of(action: &Action) -> Option<Self> {
        let Action::Tombstone { subject, category, team, successor, .. } = action else { return None };
        Some(match (team, subject, category, successor) {
            (true, ..) => Self::Team,
            (_, Some(_), ..) => Self::Subject,
            (_, _, Some(_), _) => Self::Category,
            (_, _, _, Some(_)) => Self::History,
            _ => Self::Records,
        })
    }
}

/// A tombstone of the log, ready to be held against records.
#[derive(Debug)]
pub struct Tombstone {
    tokens: ErasureTokens,
    records: Vec<Token>,
    subject: Option<Token>,
    category: Option<Token>,
    team: bool,
    successor: Option<Token>,
}

impl Tombstone {
    /// Reads an action; none unless it is a tombstone.
    pub fn of(action: &Action) -> Option<Self> {
        let Action::Tombstone { salt, records, subject, category, team, successor } = action else { return None };
        Some(Self {
            tokens: ErasureTokens::new(salt),
            records: records.clone(),
            subject: *subject,
            category: *category,
            team: *team,
            successor: *successor,
        })
    }

    /// Whether it erases a record.
    pub fn erases(&self, target: &Target) -> bool {
        // one keyed hash a scope that the tombstone has: most tombstones have one
        self.team
            || (self.subject.is_some()
                && target.subject.is_some_and(|id| Some(token(&self.tokens, &[&[SUBJECT], id.as_bytes()])) == self.subject))
            || (!self.records.is_empty()
                && target.kind.is_erased_alone()
                && self.records.contains(&token(&self.tokens, &[&[RECORD], target.record.as_bytes()])))
            || (self.category.is_some()
                && target.subject.zip(target.category).is_some_and(|(id, category)| {
                    Some(token(&self.tokens, &[&[CATEGORY], id.as_bytes(), &[category as u8]])) == self.category
                }))
    }

    /// Whether it erases everything about a participant, and what arrives later.
    pub fn erases_subject(&self, participant: &RecordId) -> bool {
        self.team || (self.subject.is_some() && Some(token(&self.tokens, &[&[SUBJECT], participant.as_bytes()])) == self.subject)
    }

    /// Whether a record carries on the values of the one whose history this tombstone drops.
    pub fn is_succeeded_by(&self, record: &RecordId) -> bool {
        self.successor.is_some() && Some(token(&self.tokens, &[&[RECORD], record.as_bytes()])) == self.successor
    }

    /// Whether it erases every record of the team.
    pub const fn is_of_team(&self) -> bool {
        self.team
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn id(n: u8) -> RecordId {
        RecordId::from_bytes([n; 16])
    }
    fn record(n: u8) -> Target {
        Target { record: id(n), kind: Kind::Encounter, subject: None, category: None }
    }
    fn about(n: u8, subject: u8) -> Target {
        Target { subject: Some(id(subject)), ..record(n) }
    }
    fn tombstone(env: &Env, erasure: &Erasure) -> Tombstone {
        Tombstone::of(&write(env, erasure).unwrap()).unwrap()
    }

    #[test]
    fn a_tombstone_erases_what_it_names_and_nothing_else() {
        let env = Env::seeded(1);
        let single = tombstone(&env, &Erasure::Records(vec![id(1), id(2)]));
        assert!(single.erases(&record(1)) && single.erases(&about(2, 9)));
        assert!(!single.erases(&record(3)) && !single.erases(&about(3, 1)), "a record's token is not its subject's");

        let subject = tombstone(&env, &Erasure::Subject(id(1)));
        assert!(subject.erases(&about(1, 1)) && subject.erases(&about(7, 1)) && subject.erases_subject(&id(1)));
        assert!(!subject.erases(&record(1)) && !subject.erases(&about(7, 2)) && !subject.erases_subject(&id(2)));

        let category = tombstone(&env, &Erasure::Category(id(1), GatedCategory::Immigration));
        let fact = |of| Target { kind: Kind::Vault, category: Some(of), ..about(7, 1) };
        assert!(category.erases(&fact(GatedCategory::Immigration)));
        assert!(!category.erases(&fact(GatedCategory::Officer)) && !category.erases(&about(7, 1)));

        let team = tombstone(&env, &Erasure::Team);
        assert!(team.erases(&record(1)) && team.erases(&about(7, 2)) && team.is_of_team());

        let history = tombstone(&env, &Erasure::History { record: id(1), successor: id(2) });
        assert!(history.erases(&record(1)) && !history.erases(&record(2)));
        assert!(history.is_succeeded_by(&id(2)) && !history.is_succeeded_by(&id(1)) && !single.is_succeeded_by(&id(1)));
    }

    #[test]
    fn no_token_of_a_single_record_takes_a_consent_or_a_file_away() {
        let env = Env::seeded(4);
        let single = tombstone(&env, &Erasure::Records(vec![id(1)]));
        let [subject, team] = [Erasure::Subject(id(9)), Erasure::Team].map(|erasure| tombstone(&env, &erasure));
        for kind in [Kind::Participant, Kind::Grant, Kind::Withdrawal, Kind::SharingNote, Kind::Catalogue] {
            let target = Target { kind, ..about(1, 9) };
            assert!(!single.erases(&target), "{kind:?}");
            assert!(subject.erases(&target) && team.erases(&target), "control: {kind:?}");
        }
        assert!(single.erases(&Target { kind: Kind::FollowUp, ..about(1, 9) }), "control");
    }

    #[test]
    fn the_log_does_not_tell_how_many_nor_the_same_one_twice() {
        let env = Env::seeded(2);
        let tokens = |count: u8| match write(&env, &Erasure::Records((0..count).map(id).collect())) {
            Ok(Action::Tombstone { records, .. }) => records,
            other => panic!("{other:?}"),
        };
        for (count, length) in [(1, 8), (8, 8), (9, 32), (32, 32)] {
            let list = tokens(count);
            assert_eq!(list.len(), length);
            assert!(list.is_sorted(), "the order tells which ones are padding");
        }
        assert!(tokens(1).iter().all(|token| !tokens(1).contains(token)), "two tombstones of one record look alike");
        assert_eq!(write(&env, &Erasure::Records(Vec::new())), Err(TombstoneError));
        assert_eq!(write(&env, &Erasure::Records((0..33).map(id).collect())), Err(TombstoneError));
    }

    #[test]
    fn every_scope_has_its_name() {
        let env = Env::seeded(3);
        for (erasure, scope) in [
            (Erasure::Records(vec![id(1)]), TombstoneScope::Records),
            (Erasure::Subject(id(1)), TombstoneScope::Subject),
            (Erasure::Category(id(1), GatedCategory::Vehicle), TombstoneScope::Category),
            (Erasure::Team, TombstoneScope::Team),
            (Erasure::History { record: id(1), successor: id(2) }, TombstoneScope::History),
        ] {
            assert_eq!(TombstoneScope::of(&write(&env, &erasure).unwrap()), Some(scope));
        }
        assert_eq!(TombstoneScope::of(&Action::Adopt { bodies: Vec::new() }), None);
    }
}
