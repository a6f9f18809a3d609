//! The first sync of an empty phone: everything comes, a list is there before everything is, a cut costs nothing.
#![allow(clippy::unwrap_used)]

use satchel_core::consent::HowGiven;
use satchel_core::record::{EncounterKind, ParticipantDraft};
use satchel_core::screen::{Alias, Note};
use satchel_core::store::{EncounterDraft, RelayAnswer};
use satchel_core::team::Role;
use satchel_tests::team::{Hub, Phone, found, join, view};
use satchel_wire::frame::{Endpoint, Frame, Pulled};
use satchel_wire::ids::RecordId;
use satchel_wire::row::{Lane, Row};

const START: u64 = 1_795_370_000;
const WEEK_SECONDS: i64 = 7 * 86_400;

fn person(phone: &Phone, n: usize) -> RecordId {
    let draft = ParticipantDraft { alias: Some(Alias::parse(&format!("Bird {n}")).unwrap()), ..ParticipantDraft::default() };
    phone.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap()
}

fn encounter(phone: &Phone, participant: Option<RecordId>, text: &str) {
    let note = Some(Note::parse(text).unwrap());
    phone.unlocked.save_encounter(&EncounterDraft { kind: EncounterKind::Street, participant, zone: None, offers: vec![], note }).unwrap();
}

/// Weeks of work that one phone brought to the relay, under as many turns as months begin.
fn grown(folder: &std::path::Path, seed: u64, weeks: usize, people: usize, meetings: usize) -> (Hub, Phone) {
    let (hub, address) = Hub::new(folder, START);
    let ana = found(folder, seed, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let mut known = Vec::new();
    for week in 0..weeks {
        known.extend((0..people).map(|n| person(&ana, week * people + n)));
        for n in 0..meetings {
            encounter(&ana, Some(known[(n * 7 + week) % known.len()]), "a quiet talk");
        }
        hub.exchange(&ana).unwrap();
        for clock in [&ana.clock, &hub.clock] {
            clock.advance(WEEK_SECONDS);
        }
        ana.unlocked.confirm_date().unwrap();
        hub.exchange(&ana).unwrap();
    }
    (hub, ana)
}

#[test]
fn everything_comes_in_the_first_exchange_however_many_turns_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, ana) = grown(folder.path(), 1, 10, 15, 120);
    assert!(ana.unlocked.team().unwrap().turn >= 2, "what was written first lies under turns that are gone");
    let mut ben = join(folder.path(), 1, "Ben", ana.clock.now(), &ana, Role::Worker);
    // the steward writes nothing in between: the newcomer's pages leave all the same
    let report = hub.exchange(&ana).unwrap();
    assert!(report.pushed > 2, "{report:?}");
    let report = hub.exchange(&ben).unwrap();
    assert_eq!((report.missing, report.rows.refused, report.rows.thrown_away), (0, 0, 0), "{report:?}");
    // more meetings wait for one author's consents than one author may have waiting, and none is lost
    assert_eq!(ben.unlocked.encounters(None).unwrap().len(), 1_200);
    assert_eq!(view(&ben), view(&ana));
    assert!(report.pushed < 20, "what the relay handed out is not brought back to it: {report:?}");
    // what waits are roots and pages of turns that are gone, and nothing of anybody's
    assert!(ben.unlocked.waiting().unwrap().1 < 60);
    ben.restart();
    assert_eq!(view(&ben), view(&ana));
    hub.exchange(&ben).unwrap();
    let report = hub.exchange(&ben).unwrap();
    assert_eq!((report.requests, report.pulled, report.pushed), (1, 0, 0), "{report:?}");
}

#[test]
fn a_list_is_there_before_everything_is_and_neither_a_cut_nor_a_bad_body_stops_it() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, address) = Hub::new(folder.path(), START);
    let ana = found(folder.path(), 2, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    let people: Vec<RecordId> = (0..30).map(|n| person(&ana, n)).collect();
    hub.exchange(&ana).unwrap();
    // more than one answer may carry
    let long = "talked about the winter and the shelter ".repeat(45);
    for n in 0..800 {
        encounter(&ana, Some(people[n % people.len()]), &long);
    }
    hub.exchange(&ana).unwrap();
    let mut ben = join(folder.path(), 2, "Ben", START, &ana, Role::Worker);
    hub.exchange(&ana).unwrap();

    let mut link = ben.unlocked.relay_exchange().unwrap();
    let (endpoint, request) = link.next_request().unwrap().unwrap();
    assert_eq!(endpoint, Endpoint::Pull);
    let mut pulled = Pulled::from_bytes(&hub.relay.answer(endpoint, &request).unwrap()).unwrap();
    assert!(pulled.more && pulled.rows.len() < 800, "it takes more than one answer");
    // one row of it was damaged on the relay's disk
    let at = pulled.rows.iter().rposition(|row| row.lane() == Lane::Records).unwrap();
    let mut bent = pulled.rows[at].as_bytes().to_vec();
    let middle = bent.len() / 2;
    bent[middle] ^= 1;
    pulled.rows[at] = Row::parse(bent).unwrap();
    link.receive(&RelayAnswer::Ok(pulled.to_bytes())).unwrap();
    let here = ben.unlocked.encounters(None).unwrap().len();
    assert!(here > 100 && here < 799, "{here} of 800: the rest has not come");
    let listed = ben.unlocked.participants().unwrap();
    assert!(!listed.is_empty(), "the list can be used meanwhile");
    for line in &listed {
        ben.unlocked.participant(line.id).unwrap();
    }
    encounter(&ben, Some(listed[0].id), "met while it was still coming in");

    // cut: the battery is empty. What was damaged makes the phone read once more from the beginning, and then all is here
    drop(link);
    ben.restart();
    let report = hub.exchange(&ben).unwrap();
    assert_eq!((report.missing, report.rows.refused), (0, 0), "{report:?}");
    assert_eq!(ben.unlocked.encounters(None).unwrap().len(), 801);
    hub.exchange(&ana).unwrap();
    assert_eq!(view(&ben), view(&ana));

    // the same without damage: nothing that came is asked for again after a cut
    let mut cleo = join(folder.path(), 2, "Cleo", START, &ana, Role::Worker);
    hub.exchange(&ana).unwrap();
    let mut link = cleo.unlocked.relay_exchange().unwrap();
    let (endpoint, request) = link.next_request().unwrap().unwrap();
    link.receive(&RelayAnswer::Ok(hub.relay.answer(endpoint, &request).unwrap())).unwrap();
    let came = link.report().pulled;
    assert!(came > 500);
    // an answer that never arrived counts for nothing
    drop(link.next_request().unwrap());
    drop(link);
    cleo.restart();
    let report = hub.exchange(&cleo).unwrap();
    assert!(came + report.pulled < 960, "{came}, then {report:?}");
    assert_eq!(view(&cleo), view(&ana));
}
