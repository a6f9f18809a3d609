//! A relay keeps a row from a phone. It says nothing of that; a colleague's frontier does.

#![allow(clippy::unwrap_used)]

use satchel_core::crypto::{CommonsSecret, RecordsSecret};
use satchel_core::rules::Rule;
use satchel_core::store::{LootClass, RelayAnswer};
use satchel_core::team::Role;
use satchel_core::team::notice::Notice;
use satchel_tests::store_thief::Crew;
use satchel_tests::team::Phone;
use satchel_wire::frame::{Endpoint, Frame, Pulled};
use satchel_wire::row::Row;

/// Whether a row is a notice with operations, as far as a phone can read it.
fn has_operations(phone: &Phone, row: &Row) -> bool {
    let loot = phone.unlocked.dangerous_loot().unwrap();
    let secrets = loot.secrets.iter().filter_map(|(class, secret)| match class {
        LootClass::Turn => Some(RecordsSecret::from_bytes(secret).derive_commons()),
        LootClass::Commons => Some(CommonsSecret::from_bytes(secret)),
        _ => None,
    });
    secrets.filter_map(|secret| Notice::open(loot.team, &secret, row).ok()).any(|notice| !notice.operations.is_empty())
}

/// One exchange in which no operation comes through. Returns how many rows were kept back.
fn exchange_without_operations(crew: &Crew, number: usize) -> usize {
    let phone = &crew.phones[number].phone;
    let mut link = phone.unlocked.relay_exchange().unwrap();
    let mut kept_back = 0;
    while let Some((endpoint, request)) = link.next_request().unwrap() {
        let mut body = crew.hub.relay.answer(endpoint, &request).unwrap_or_else(|problem| panic!("{:?}", problem.code));
        if matches!(endpoint, Endpoint::Pull | Endpoint::Rows) {
            let mut pulled = Pulled::from_bytes(&body).unwrap();
            let before = pulled.rows.len();
            pulled.rows.retain(|row| !has_operations(phone, row));
            kept_back += before - pulled.rows.len();
            body = pulled.to_bytes();
        }
        link.receive(&RelayAnswer::Ok(body)).unwrap();
    }
    kept_back
}

/// Somebody is let in; the row that says so does not reach a colleague of this role. Whether they know by the evening, and
/// whether they do two days later.
fn hears_of_the_newcomer(role: Role, without: Option<Rule>) -> (bool, bool) {
    let mut crew = Crew::found(31, without);
    let colleague = crew.join(0, role).unwrap();
    crew.settle(3);
    let newcomer = crew.join(0, Role::Worker).unwrap();
    let newcomer = crew.phones[newcomer].device;
    assert!(crew.exchange(0));
    assert_eq!(exchange_without_operations(&crew, colleague), 1, "the premise");
    let knows = |crew: &Crew| crew.phones[colleague].store().team().unwrap().devices.iter().any(|line| line.id == newcomer);
    assert!(!knows(&crew));
    let round = |crew: &mut Crew| assert!([colleague, 0, colleague].into_iter().all(|number| crew.exchange(number)));
    round(&mut crew);
    let by_the_evening = knows(&crew);
    for _ in 0..2 {
        crew.advance(86_400);
        round(&mut crew);
    }
    (by_the_evening, knows(&crew))
}

#[test]
fn an_operation_that_did_not_come_is_asked_for_by_workers_and_by_the_board() {
    for role in [Role::Worker, Role::Board] {
        assert_eq!(hears_of_the_newcomer(role, None), (true, true), "{role:?}");
        assert_eq!(hears_of_the_newcomer(role, Some(Rule::AskForGaps)), (false, false), "control: {role:?}");
    }
}
