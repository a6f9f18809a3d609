//! Withdrawal wins: over every grant in its scope that had not seen it and over every edit, whatever came first.
//!
//! Small histories in every order of delivery. What phones do between meetings: `withdrawal_together.rs`.

#![allow(clippy::unwrap_used)]

use satchel_core::consent::{Act, GatedCategory, Grant, GrantStatus, HowGiven, Purpose, Withdrawal, words};
use satchel_core::document::{Actor, Document, Value};
use satchel_core::record::{EntryContent, Kind};
use satchel_core::store::vault_record;
use satchel_core::team::Role;
use satchel_tests::attacker::{Attacker, Forged, feed};
use satchel_tests::team::{Hub, Phone, found};
use satchel_wire::ShiftDay;
use satchel_wire::ids::RecordId;
use satchel_wire::row::Row;
use std::collections::BTreeSet;

const START: u64 = 1_795_370_000;
const NAME: GatedCategory = GatedCategory::LegalName;
const BIRTH: GatedCategory = GatedCategory::BirthDate;
/// So many people at a time: what waits for a grant has a bounded room (count).
const GROUP_COUNT: usize = 40;

fn vault_grant(day: ShiftDay, categories: &[GatedCategory], seen: &[RecordId]) -> Grant {
    Grant {
        categories: categories.to_vec(),
        purpose: Purpose::HousingApplication,
        words_version: words::current(Act::Record, false, None),
        ..Grant::for_file(day, 30, HowGiven::Spoken, "en", seen.to_vec())
    }
}

fn taken_back(act: Option<Act>, category: Option<GatedCategory>) -> Withdrawal {
    Withdrawal { act, category, recipient: None, how: HowGiven::Spoken }
}

/// Ids of one person's records.
#[derive(Clone, Copy)]
struct Ids {
    person: RecordId,
    file: RecordId,
    first: RecordId,
    second: RecordId,
    withdrawal: RecordId,
    other: RecordId,
}

impl Ids {
    fn make(writer: &Attacker) -> Self {
        let id = || RecordId::from_bytes(writer.env.random());
        Self { person: id(), file: id(), first: id(), second: id(), withdrawal: id(), other: id() }
    }
}

/// One thing that somebody wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letter {
    /// The first grant: name and birth date.
    Grant,
    /// The name, under the first grant; and an edit of it that builds on it.
    Name,
    NameAgain,
    /// The birth date, under the first grant.
    Birth,
    /// The name is taken back.
    TakeName,
    /// Everything recorded is taken back.
    TakeAll,
    /// A second grant for the name, by somebody who knew of the withdrawal of the name; and the name under it.
    GrantAgain,
    NameUnderSecond,
    /// A second body of the first grant, which claims to know of it too.
    ClaimToKnow,
}

struct Writer {
    member: Attacker,
    day: ShiftDay,
}

impl Writer {
    fn grant(&mut self, id: RecordId, person: RecordId, grant: Grant) -> Forged {
        let mut header = self.member.header(Kind::Grant, self.day);
        header.keep_until = Some(grant.expiry);
        let binding = self.member.binding(id, Kind::Grant, Some(person), self.day);
        self.member.seal(binding, &header, &EntryContent::first(grant).to_bytes())
    }

    fn fact(&mut self, ids: &Ids, grant: RecordId, category: GatedCategory, field: &str, values: &[&str]) -> Vec<Forged> {
        let record = vault_record(grant, category);
        let actor = Actor::derive(self.member.device().as_bytes(), record.as_bytes(), &self.member.session);
        let mut document = Document::new(actor);
        let edit = |value: &&str| document.edit(|edit| edit.set(field, Value::Text((*value).to_owned()))).unwrap().unwrap();
        let changes: Vec<Vec<u8>> = values.iter().map(edit).collect();
        changes
            .iter()
            .map(|change| self.member.changes(record, Kind::Vault, Some(ids.person), self.day, std::slice::from_ref(change)))
            .collect()
    }

    /// Every letter of one person's history, in the order of the list.
    fn write(&mut self, ids: &Ids, letters: &[Letter]) -> Vec<Row> {
        let name = self.fact(ids, ids.first, NAME, "legal_name", &["one", "two"]);
        let day = self.day;
        let mut rows = Vec::new();
        for letter in letters {
            let forged = match letter {
                Letter::Grant => self.grant(ids.first, ids.person, vault_grant(day, &[NAME, BIRTH], &[])),
                Letter::Name | Letter::NameAgain => {
                    rows.push(self.member.cover(&name[usize::from(*letter == Letter::NameAgain)]));
                    continue;
                }
                Letter::Birth => self.fact(ids, ids.first, BIRTH, "birth_date", &["1980-02-29"]).remove(0),
                Letter::TakeName => {
                    self.member.entry(ids.withdrawal, Kind::Withdrawal, Some(ids.person), day, taken_back(Some(Act::Record), Some(NAME)))
                }
                Letter::TakeAll => {
                    self.member.entry(ids.other, Kind::Withdrawal, Some(ids.person), day, taken_back(Some(Act::Record), None))
                }
                Letter::GrantAgain => self.grant(ids.second, ids.person, vault_grant(day, &[NAME], &[ids.withdrawal])),
                Letter::NameUnderSecond => self.fact(ids, ids.second, NAME, "legal_name", &["three"]).remove(0),
                Letter::ClaimToKnow => self.grant(ids.first, ids.person, vault_grant(day, &[NAME, BIRTH], &[ids.withdrawal])),
            };
            rows.push(self.member.cover(&forged));
        }
        rows
    }
}

/// All orders of `count` things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for thing in 0..count {
        all = all
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                (0..=order.len()).map(move |at| {
                    let mut next = order.clone();
                    next.insert(at, thing);
                    next
                })
            })
            .collect();
    }
    all
}

/// What a phone shows and holds of a person's consents.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    first: Option<GrantStatus>,
    second: Option<GrantStatus>,
    facts: Vec<String>,
    has_file: bool,
    /// Vault records of which some key is on the phone, in the index or among what is held: name and birth date under
    /// the first grant, name under the second.
    keys: [bool; 3],
}

fn seen(phone: &Phone, ids: &Ids, keyed: &BTreeSet<RecordId>) -> Seen {
    let grants = phone.unlocked.grants(ids.person).unwrap();
    let status = |id| grants.iter().find(|line| line.id == id).map(|line| line.status);
    let read = |grant| phone.unlocked.read_vault(ids.person, grant).unwrap_or_default();
    let facts = [ids.first, ids.second].into_iter().flat_map(read).map(|line| line.fact.value().to_owned()).collect();
    let has_key = |grant, category| keyed.contains(&vault_record(grant, category));
    Seen {
        first: status(ids.first),
        second: status(ids.second),
        facts,
        has_file: phone.unlocked.participant(ids.person).is_ok(),
        keys: [has_key(ids.first, NAME), has_key(ids.first, BIRTH), has_key(ids.second, NAME)],
    }
}

fn keyed(phone: &Phone) -> BTreeSet<RecordId> {
    phone.unlocked.dangerous_loot().unwrap().records.into_iter().filter(|loot| loot.kind == Kind::Vault).map(|loot| loot.record).collect()
}

/// Delivers a history in every order, row by row, and expects the same in the end. Returns how many orders there were.
fn in_every_order(seed: u64, letters: &[Letter], expected: &Seen) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let (_hub, address) = Hub::new(folder.path(), START);
    let ana = found(folder.path(), seed, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    let mut writer = Writer { member: Attacker::join(seed, "Writer", &ana, Role::Worker), day: ana.unlocked.today().unwrap() };
    let orders = orders(letters.len());
    for group in orders.chunks(GROUP_COUNT) {
        let people: Vec<(Ids, Vec<Row>)> = group
            .iter()
            .map(|order| {
                let ids = Ids::make(&writer.member);
                let file = writer.grant(ids.file, ids.person, Grant::for_file(writer.day, 30, HowGiven::Spoken, "en", Vec::new()));
                let page = writer.member.document(ids.person, Kind::Participant, Some(ids.person), writer.day, |edit| {
                    edit.set("alias", Value::Text("Blue".into()))
                });
                let rows = writer.write(&ids, letters);
                let first = [writer.member.cover(&file), writer.member.cover(&page)];
                (ids, first.into_iter().chain(order.iter().map(|at| rows[*at].clone())).collect())
            })
            .collect();
        // the next letter of every history arrives in one pull: each history in its own order
        for step in 0..letters.len() + 2 {
            feed(&ana, &people.iter().map(|(_, rows)| rows[step].clone()).collect::<Vec<_>>());
        }
        let keyed = keyed(&ana);
        for ((ids, _), order) in people.iter().zip(group) {
            let order: Vec<Letter> = order.iter().map(|at| letters[*at]).collect();
            assert_eq!(&seen(&ana, ids, &keyed), expected, "{order:?}");
        }
    }
    ana.unlocked.store().check().unwrap();
    orders.len()
}

#[test]
fn control_without_a_withdrawal_everything_is_shown() {
    let letters = [Letter::Grant, Letter::Name, Letter::NameAgain, Letter::Birth];
    let expected = Seen {
        first: Some(GrantStatus::Live),
        second: None,
        facts: vec!["two".into(), "1980-02-29".into()],
        has_file: true,
        keys: [true, true, false],
    };
    assert_eq!(in_every_order(1, &letters, &expected), 24);
}

#[test]
fn a_category_taken_back_is_gone_in_every_order() {
    let letters = [Letter::Grant, Letter::Name, Letter::NameAgain, Letter::TakeName, Letter::GrantAgain, Letter::NameUnderSecond];
    let expected = Seen {
        first: Some(GrantStatus::Live),
        second: Some(GrantStatus::Live),
        facts: vec!["three".into()],
        has_file: true,
        keys: [false, false, true],
    };
    assert_eq!(in_every_order(2, &letters, &expected), 720);
}

#[test]
fn everything_taken_back_is_gone_in_every_order() {
    let letters = [Letter::Grant, Letter::Name, Letter::Birth, Letter::TakeAll, Letter::GrantAgain, Letter::NameUnderSecond];
    let expected = Seen {
        first: Some(GrantStatus::Withdrawn),
        second: Some(GrantStatus::Withdrawn),
        facts: Vec::new(),
        has_file: false,
        keys: [false; 3],
    };
    assert_eq!(in_every_order(3, &letters, &expected), 720);
}

#[test]
fn a_second_body_of_a_grant_revives_nothing_in_every_order() {
    let letters = [Letter::Grant, Letter::ClaimToKnow, Letter::Name, Letter::TakeName, Letter::Birth];
    let expected =
        Seen { first: Some(GrantStatus::Live), second: None, facts: vec!["1980-02-29".into()], has_file: true, keys: [false, true, false] };
    assert_eq!(in_every_order(4, &letters, &expected), 120);
}
