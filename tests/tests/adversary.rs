//! A member with valid keys who does not play by the rules, against phones that do.
//!
//! Every test feeds an honest phone what the attacker wrote, asserts the verdict, and then that everything
//! else still works: honest work is taken, flows by relay and in person, and all phones show the same.

#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "measures how long an attack keeps a phone busy")]

use satchel_core::consent::{Act, GatedCategory, Grant, HowGiven};
use satchel_core::crypto::{RecordKey, SigningKey};
use satchel_core::document::{Actor, Document, Value};
use satchel_core::env::Env;
use satchel_core::envelope::directory::open_root_part;
use satchel_core::envelope::{Binding, Covered};
use satchel_core::record::{Audience, Encounter, EncounterKind, EntryContent, Kind, Offer, Outcome, ParticipantDraft, Shape};
use satchel_core::screen::{Alias, Note};
use satchel_core::store::{Acceptance, EncounterDraft, OfferDraft, Store};
use satchel_core::team::joining::Joiner;
use satchel_core::team::notice::FrontierNotice;
use satchel_core::team::{Action, ChainHead, DeviceKeys, Frontier, FrontierContent, Invitation, InvitationError, Operation, Role};
use satchel_tests::attacker::{Attacker, Forged, HUB_MAILBOX, changes_content, feed, sign_request};
use satchel_tests::team::{Hub, Phone, SeededRandomness, SetClock, found, join, meet, view};
use satchel_wire::ShiftDay;
use satchel_wire::frame::{Endpoint, Frame, ProblemCode, Pull, Pulled, Push};
use satchel_wire::ids::{MailboxId, MemberId, OperationId, RecordId, ResourceId, TeamId};
use satchel_wire::limits::{HELD_MAX_BYTES, HELD_PER_AUTHOR_MAX_COUNT, PULL_MAX_BYTES, PUSH_ROWS_MAX_COUNT};
use satchel_wire::row::{Lane, Row};

const START: u64 = 1_795_370_000;

/// Ana founded the team and runs a relay; Ben and Mallory are workers. Ana and Ben have met.
struct World {
    folder: tempfile::TempDir,
    hub: Hub,
    ana: Phone,
    ben: Phone,
    mallory: Attacker,
    /// A participant of Ana's, with one encounter.
    blue: RecordId,
    day: ShiftDay,
}

fn participant(phone: &Phone, alias: &str) -> RecordId {
    let draft = ParticipantDraft { alias: Some(Alias::parse(alias).unwrap()), ..ParticipantDraft::default() };
    phone.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap()
}

fn encounter_draft(participant: Option<RecordId>, note: &str) -> EncounterDraft {
    let offers =
        vec![OfferDraft { resource: ResourceId::from_bytes([1; 16]), quantity: 1, outcome: Outcome::Accepted, keep_refusal: false }];
    EncounterDraft { kind: EncounterKind::Street, participant, zone: None, offers, note: Some(Note::parse(note).unwrap()) }
}

fn encounter(phone: &Phone, participant: Option<RecordId>, note: &str) -> RecordId {
    phone.unlocked.save_encounter(&encounter_draft(participant, note)).unwrap()
}

fn world(seed: u64) -> World {
    let folder = tempfile::tempdir().unwrap();
    let (hub, address) = Hub::new(folder.path(), START);
    let ana = found(folder.path(), seed, "Ana", START);
    ana.unlocked.set_relay(&address).unwrap();
    hub.exchange(&ana).unwrap();
    let ben = join(folder.path(), seed, "Ben", START, &ana, Role::Worker);
    let mallory = Attacker::join(seed, "Mallory", &ana, Role::Worker);
    let blue = participant(&ana, "Bluebird");
    let met = encounter(&ana, Some(blue), "wants a warm coat");
    let day = ana.unlocked.encounter(met).unwrap().day;
    meet(&ana, &ben);
    assert_eq!(view(&ana), view(&ben));
    World { folder, hub, ana, ben, mallory, blue, day }
}

impl World {
    /// The row of a record of Ana's that only the relay has seen: what any member can read there.
    fn at_relay(&self, record: RecordId, kind: Kind) -> (Row, Covered) {
        self.hub.exchange(&self.ana).unwrap();
        let rows = pull(&self.hub, &self.mallory).into_iter();
        let mut opened = rows.filter_map(|row| self.mallory.uncover(&row).map(|covered| (row, covered)));
        opened.find(|(_, covered)| covered.binding.record == record && covered.binding.kind == kind).unwrap()
    }

    /// A new encounter of Ana's that Ben has not seen.
    fn letter(&self) -> (Row, Covered) {
        let id = encounter(&self.ana, Some(self.blue), "asked about a bed");
        self.at_relay(id, Kind::Encounter)
    }

    /// Honest work still goes on: by relay, in person, and everybody shows the same.
    fn goes_on(&self) {
        let before = self.ben.unlocked.encounters(None).unwrap().len();
        encounter(&self.ana, Some(self.blue), "came back for soup");
        encounter(&self.ben, None, "a quiet night");
        for phone in [&self.ana, &self.ben, &self.ana, &self.ben] {
            self.hub.exchange(phone).unwrap();
        }
        meet(&self.ben, &self.ana);
        assert_eq!(view(&self.ana), view(&self.ben));
        let after = self.ben.unlocked.encounters(None).unwrap();
        assert!(after.len() >= before + 2, "{} then {}", before, after.len());
        for phone in [&self.ana, &self.ben] {
            let team = phone.unlocked.team().unwrap();
            assert!(!team.is_copied, "{} looks copied", phone.name);
            assert!(team.devices.iter().all(|line| line.name.is_none() || !line.is_forked), "an honest phone looks forked");
            phone.unlocked.store().check().unwrap();
        }
    }
}

/// Everything that the relay hands out to a member.
fn pull(hub: &Hub, member: &Attacker) -> Vec<Row> {
    let (mut rows, mut cursor) = (Vec::new(), None);
    loop {
        let pull = Pull { mailbox: HUB_MAILBOX, cursor, max_bytes: PULL_MAX_BYTES as u32, lane: None, freshness: member.freshness() };
        let answer = hub.relay.answer(Endpoint::Pull, &member.request(Endpoint::Pull, &pull)).unwrap();
        let pulled = Pulled::from_bytes(&answer).unwrap();
        rows.extend(pulled.rows);
        cursor = pulled.cursor;
        if !pulled.more {
            return rows;
        }
    }
}

fn push(hub: &Hub, member: &Attacker, rows: Vec<Row>) -> Result<Vec<u8>, ProblemCode> {
    let push = Push { mailbox: HUB_MAILBOX, rows, cursor: None, freshness: member.freshness() };
    hub.relay.answer(Endpoint::Push, &member.request(Endpoint::Push, &push)).map_err(|problem| problem.code)
}

fn counts(taken: &Acceptance) -> [usize; 5] {
    [taken.applied, taken.known, taken.held, taken.refused, taken.thrown_away]
}

const APPLIED: [usize; 5] = [1, 0, 0, 0, 0];
const KNOWN: [usize; 5] = [0, 1, 0, 0, 0];
const HELD: [usize; 5] = [0, 0, 1, 0, 0];
const REFUSED: [usize; 5] = [0, 0, 0, 1, 0];
const THROWN_AWAY: [usize; 5] = [0, 0, 0, 0, 1];

/// Feeds one row and asserts its verdict.
#[track_caller]
fn verdict(phone: &Phone, row: &Row, expected: [usize; 5], code: &str, what: &str) {
    let taken = feed(phone, std::slice::from_ref(row));
    assert_eq!(counts(&taken), expected, "{what}: {taken:?}");
    if !code.is_empty() {
        assert_eq!(taken.codes, vec![code], "{what}");
    }
}

fn record(n: u8) -> RecordId {
    RecordId::from_bytes([n; 16])
}

fn plain_encounter() -> Encounter {
    Encounter::new(EncounterKind::Street)
}

#[test]
fn a_forged_signature_dies_with_its_row() {
    let mut w = world(1);
    let ana = w.ana.unlocked.device().unwrap();
    for as_ana in [true, false] {
        let mut header = w.mallory.header(Kind::Encounter, w.day);
        let binding = w.mallory.binding(record(9), Kind::Encounter, None, w.day);
        if as_ana {
            header.device = ana;
        }
        let content = EntryContent::first(plain_encounter()).to_bytes();
        let signer = std::mem::replace(&mut w.mallory.signer, SigningKey::make(&w.mallory.env));
        let forged = if as_ana {
            w.mallory.signer = signer;
            w.mallory.seal(binding, &header, &content)
        } else {
            // the attacker's own device, another key
            let forged = w.mallory.seal(binding, &header, &content);
            w.mallory.signer = signer;
            forged
        };
        verdict(&w.ben, &w.mallory.cover(&forged), THROWN_AWAY, "", "forged");
    }
    // one bit of an honest signature
    let (_, covered) = w.letter();
    let plain = w.mallory.plaintext(&covered);
    let content_end = 67 + usize::from(u16::from_le_bytes([plain[65], plain[66]]));
    let mut bent = plain.clone();
    bent[content_end] ^= 1;
    let body = w.mallory.reseal(w.mallory.team, &covered.binding, &covered.key, &bent);
    verdict(&w.ben, &w.mallory.cover_as(&covered.binding, &covered.key, &body), THROWN_AWAY, "", "one bit of the signature");
    // control: the attacker's own, rightly signed, is taken
    let own = w.mallory.entry(record(10), Kind::Encounter, None, w.day, plain_encounter());
    verdict(&w.ben, &w.mallory.cover(&own), APPLIED, "", "control");
    feed(&w.ana, &[w.mallory.cover(&own)]);
    w.goes_on();
}

/// Every way to say of a body that it belongs elsewhere.
fn relabelled(binding: &Binding) -> Vec<(&'static str, Binding)> {
    vec![
        ("record", Binding { record: record(77), ..*binding }),
        ("subject", Binding { subject: Some(record(78)), ..*binding }),
        ("no subject", Binding { subject: None, ..*binding }),
        ("kind", Binding { kind: Kind::Tally, ..*binding }),
        ("kind of document", Binding { kind: Kind::Zone, ..*binding }),
        ("day before", Binding { day: binding.day.minus(1), ..*binding }),
        ("day after", Binding { day: binding.day.plus(1), ..*binding }),
        ("key id", Binding { key_id: [9; 8], ..*binding }),
        ("audience", Binding { audience: Audience::Member, ..*binding }),
    ]
}

#[test]
fn what_ana_signed_stays_where_she_put_it() {
    let w = world(2);
    let (row, covered) = w.letter();
    let plain = w.mallory.plaintext(&covered);
    for phone in [&w.ben, &w.ana] {
        for (what, binding) in relabelled(&covered.binding) {
            // another cover around her bytes
            let false_cover = w.mallory.cover_as(&binding, &covered.key, &covered.body);
            let expected = if phone.name == "Ana" { KNOWN } else { THROWN_AWAY };
            verdict(phone, &false_cover, expected, "", what);
            // her signed words sealed afresh for that place
            let body = w.mallory.reseal(w.mallory.team, &binding, &covered.key, &plain);
            verdict(phone, &w.mallory.cover_as(&binding, &covered.key, &body), THROWN_AWAY, "", what);
        }
        // the same place, but another nonce, and another key: a second body of hers would make her look copied
        let again = w.mallory.reseal(w.mallory.team, &covered.binding, &covered.key, &plain);
        verdict(phone, &w.mallory.cover_as(&covered.binding, &covered.key, &again), THROWN_AWAY, "", "another nonce");
        let other = RecordKey::make(&w.mallory.env);
        let again = w.mallory.reseal(w.mallory.team, &covered.binding, &other, &plain);
        verdict(phone, &w.mallory.cover_as(&covered.binding, &other, &again), THROWN_AWAY, "", "another key");
        // longer padding
        let mut longer = plain.clone();
        longer.resize(plain.len() + covered.body.len() + 1 + satchel_core::envelope::COVER_BYTES, 0);
        let again = w.mallory.reseal(w.mallory.team, &covered.binding, &covered.key, &longer);
        verdict(phone, &w.mallory.cover_as(&covered.binding, &covered.key, &again), THROWN_AWAY, "", "longer padding");
    }
    // the honest row, after all of that
    verdict(&w.ben, &row, APPLIED, "", "the honest row");
    w.goes_on();
}

#[test]
fn a_body_of_another_team_is_nothing_here() {
    let w = world(3);
    // the same people in a second team, with a body whose every byte is known
    let other = found(&w.folder.path().join("other"), 33, "Dana", START);
    let mut spy = Attacker::join(33, "Spy", &other, Role::Worker);
    let theirs = spy.entry(record(5), Kind::Encounter, None, w.day, plain_encounter());
    verdict(&w.ben, &w.mallory.cover_as(&theirs.binding, &theirs.key, &theirs.body.bytes), THROWN_AWAY, "", "their body, our cover");
    verdict(&w.ben, &spy.cover(&theirs), HELD, "cover_unknown_turn", "their cover");
    // signed for the other team with keys that belong to this one, sealed as if for this one
    spy.signer = SigningKey::make(&Env::new(SetClock::at(START), SeededRandomness::new(3, "Mallory")));
    assert_eq!(spy.device(), w.mallory.device(), "the attacker uses one signing key in both teams");
    spy.welcome = w.mallory.welcome.clone();
    let theirs = spy.entry(record(6), Kind::Encounter, None, w.day, plain_encounter());
    let row = spy.cover(&theirs);
    let plain = spy.plaintext(&spy.uncover(&row).unwrap());
    let body = w.mallory.reseal(w.mallory.team, &theirs.binding, &theirs.key, &plain);
    verdict(&w.ben, &w.mallory.cover_as(&theirs.binding, &theirs.key, &body), THROWN_AWAY, "", "a signature for another team");
    w.goes_on();
}

#[test]
fn a_replay_brings_nothing() {
    let w = world(4);
    let (row, covered) = w.letter();
    verdict(&w.ben, &row, APPLIED, "", "first");
    let before = view(&w.ben);
    for _ in 0..3 {
        verdict(&w.ben, &row, KNOWN, "", "the same row");
        verdict(&w.ben, &w.mallory.cover_as(&covered.binding, &covered.key, &covered.body), KNOWN, "", "a fresh cover");
        verdict(&w.ana, &w.mallory.cover_as(&covered.binding, &covered.key, &covered.body), KNOWN, "", "to its author");
    }
    assert_eq!(view(&w.ben), before);
    assert!(!w.ana.unlocked.team().unwrap().is_copied);
    w.goes_on();
}

#[test]
fn a_false_cover_censors_nobody() {
    let w = world(5);
    for false_first in [true, false] {
        let (row, covered) = w.letter();
        let mut covers: Vec<Row> =
            relabelled(&covered.binding).iter().map(|(_, binding)| w.mallory.cover_as(binding, &covered.key, &covered.body)).collect();
        covers.push(w.mallory.cover_as(&covered.binding, &RecordKey::make(&w.mallory.env), &covered.body));
        let count = covers.len();
        let rows: Vec<Row> =
            if false_first { covers.into_iter().chain([row]).collect() } else { [row].into_iter().chain(covers).collect() };
        let taken = feed(&w.ben, &rows);
        assert_eq!((taken.applied, taken.refused, taken.thrown_away + taken.known), (1, 0, count), "{false_first}: {taken:?}");
        assert_eq!(w.ben.unlocked.encounters(None).unwrap().len(), w.ana.unlocked.encounters(None).unwrap().len());
    }
    w.goes_on();
}

#[test]
fn a_false_cover_around_a_newcomers_body_does_not_wait_in_its_place() {
    let w = world(6);
    let cleo = join(w.folder.path(), 6, "Cleo", START, &w.ana, Role::Worker);
    let id = encounter(&cleo, None, "first night out");
    w.hub.exchange(&cleo).unwrap();
    let (row, covered) = w.at_relay(id, Kind::Encounter);
    let stranger = Binding { day: covered.binding.day.minus(1), ..covered.binding };
    verdict(&w.ben, &w.mallory.cover_as(&stranger, &covered.key, &covered.body), HELD, "held_unknown_device", "false cover");
    verdict(&w.ben, &row, HELD, "held_unknown_device", "the honest row");
    // the admission arrives; the honest row was handed out once and never is again
    let admissions: Vec<Operation> = log_of(&w.hub, &w.mallory);
    feed(&w.ben, &[w.mallory.notice(&admissions, vec![])]);
    assert!(w.ben.unlocked.encounters(None).unwrap().iter().any(|line| line.id == id), "the newcomer's work was censored");
    w.goes_on();
}

/// Every operation that the relay holds.
fn log_of(hub: &Hub, member: &Attacker) -> Vec<Operation> {
    let commons = member.opened.secret.commons();
    let notices = pull(hub, member).into_iter();
    let notices = notices.filter_map(|row| satchel_core::team::notice::Notice::open(member.team, &commons, &row).ok());
    notices.flat_map(|notice| notice.operations).filter_map(|bytes| Operation::from_bytes(&bytes).ok()).collect()
}

#[test]
fn nobody_writes_as_anas_actor() {
    let mut w = world(7);
    let (_, covered) = w.at_relay(w.blue, Kind::Participant);
    let plain = w.mallory.plaintext(&covered);
    let (mut device, mut session) = ([0; 16], [0; 8]);
    device.copy_from_slice(&plain[3..19]);
    session.copy_from_slice(&plain[19..27]);
    assert_eq!(&device, w.ana.unlocked.device().unwrap().as_bytes(), "the header is where the format says");
    let before = view(&w.ben);
    for actor in [Actor::derive(&device, w.blue.as_bytes(), &session), Actor::derive(&device, w.blue.as_bytes(), &[0; 8])] {
        let change = Document::new(actor).edit(|edit| edit.set("alias", Value::Text("Not Her".into()))).unwrap().unwrap();
        let forged = w.mallory.changes(w.blue, Kind::Participant, Some(w.blue), w.day, &[change]);
        verdict(&w.ben, &w.mallory.cover(&forged), REFUSED, "author", "Ana's actor");
    }
    assert_eq!(view(&w.ben), before);
    // control: as its own actor it may
    let own = w.mallory.document(w.blue, Kind::Participant, Some(w.blue), w.day, |edit| edit.set("language", Value::Text("es".into())));
    let row = w.mallory.cover(&own);
    verdict(&w.ben, &row, APPLIED, "", "control");
    verdict(&w.ana, &row, APPLIED, "", "control");
    w.goes_on();
}

#[test]
fn document_bombs_are_defused_before_they_open() {
    let mut w = world(8);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/document");
    let mut bombs = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let vector: serde_json::Value = serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let code = vector["expect"].as_str().unwrap().to_owned();
        if matches!(code.as_str(), "ok" | "held") {
            continue;
        }
        let change = data_encoding::HEXLOWER.decode(vector["change_hex"].as_str().unwrap().as_bytes()).unwrap();
        let forged = w.mallory.changes(record(40), Kind::Zone, None, w.day, &[change]);
        let taken = feed(&w.ben, &[w.mallory.cover(&forged)]);
        assert_eq!(taken.applied, 0, "{}: {taken:?}", vector["comment"]);
        assert!(taken.refused == 1 || taken.held == 1, "{}: {taken:?}", vector["comment"]);
        bombs += 1;
    }
    assert!(bombs > 40, "only {bombs} vectors found");
    // one good change does not carry a bad one in: a body is taken whole or not at all
    let actor = Actor::derive(w.mallory.device().as_bytes(), record(41).as_bytes(), &w.mallory.session);
    let good = Document::new(actor).edit(|edit| edit.set("name", Value::Text("Good".into()))).unwrap().unwrap();
    let bomb = data_encoding::HEXLOWER
        .decode(b"856f4a838759550201320010aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0101000000061506340142025602570170028092f4010161017f017f16787f00")
        .unwrap();
    let forged = w.mallory.changes(record(41), Kind::Zone, None, w.day, &[good, bomb]);
    let taken = feed(&w.ben, &[w.mallory.cover(&forged)]);
    assert_eq!(counts(&taken), REFUSED, "{taken:?}");
    // content that is not even a list of changes, or an empty one, or written in another way
    for content in [vec![], changes_content(&[]), vec![0x9f, 0x41, 0x00, 0xff], vec![0xff; 60_000]] {
        let header = w.mallory.header(Kind::Zone, w.day);
        let binding = w.mallory.binding(record(42), Kind::Zone, None, w.day);
        let forged = w.mallory.seal(binding, &header, &content);
        verdict(&w.ben, &w.mallory.cover(&forged), REFUSED, "document_malformed", "not changes");
    }
    assert!(w.ben.unlocked.zones().unwrap().is_empty(), "{:?}", w.ben.unlocked.zones());
    w.goes_on();
}

/// The content of an entry, well formed.
fn first<T: satchel_core::record::EntryValue>(value: T) -> Vec<u8> {
    EntryContent::first(value).to_bytes()
}

fn grant(day: ShiftDay) -> Grant {
    Grant::for_file(day, 30, HowGiven::Spoken, "en", Vec::new())
}

#[test]
fn what_breaks_the_rules_of_its_kind_is_refused() {
    let mut w = world(9);
    let (day, blue) = (w.day, Some(w.blue));
    let m = &mut w.mallory;
    let mut cases: Vec<(&str, &str, Forged)> = Vec::new();
    // a refusal beside a person exists only at that person's request
    let mut declined = plain_encounter();
    declined.offers.push(Offer::new(ResourceId::from_bytes([1; 16]), Outcome::Declined));
    cases.push(("declined without request", "entry_value", m.entry(record(1), Kind::Encounter, blue, day, declined)));
    let mut crowd = plain_encounter();
    crowd.offers = vec![Offer::new(ResourceId::from_bytes([1; 16]), Outcome::Accepted); 33];
    cases.push(("33 offers", "entry_too_many", m.entry(record(1), Kind::Encounter, blue, day, crowd)));
    // grants: no recipient, no field, no end
    let anyone = Grant { act: Act::Share, categories: vec![GatedCategory::LegalName], ..grant(day) };
    cases.push(("share with anyone", "entry_value", m.entry(record(2), Kind::Grant, blue, day, anyone)));
    let anything = Grant { act: Act::Share, recipient: Some(record(3)), ..grant(day) };
    cases.push(("share of anything", "entry_value", m.entry(record(2), Kind::Grant, blue, day, anything)));
    let endless = Grant { expiry: day.plus(4_000), ..grant(day) };
    cases.push(("a term of years", "entry_value", m.entry(record(2), Kind::Grant, blue, day, endless)));
    let backwards = Grant { expiry: day.minus(1), ..grant(day) };
    cases.push(("ends before it begins", "entry_value", m.entry(record(2), Kind::Grant, blue, day, backwards)));
    // a second version of a grant
    let header = m.header(Kind::Grant, day);
    let binding = m.binding(record(2), Kind::Grant, blue, day);
    let content = EntryContent::replacing(vec![satchel_wire::ids::BodyId::from_bytes([1; 32])], grant(day)).to_bytes();
    cases.push(("a grant that replaces another", "entry_no_successor", m.seal(binding, &header, &content)));
    // terms
    for (what, kind, keep_until) in [
        ("91 days", Kind::Encounter, Some(day.plus(91))),
        ("for ever", Kind::Encounter, Some(ShiftDay::from_days(u16::MAX))),
        ("no end", Kind::Encounter, None),
        ("ended before it began", Kind::Encounter, Some(day.minus(1))),
        ("a document with an end", Kind::Zone, Some(day.plus(3))),
    ] {
        let header = satchel_core::envelope::BodyHeader { keep_until, ..m.header(kind, day) };
        let binding = m.binding(record(4), kind, None, day);
        cases.push((what, "refused_keep_until", m.seal(binding, &header, &first(plain_encounter()))));
    }
    // shapes, subjects, audiences
    let header = satchel_core::envelope::BodyHeader { shape: Shape::Document, ..m.header(Kind::Encounter, day) };
    let binding = m.binding(record(5), Kind::Encounter, None, day);
    cases.push(("an encounter as document", "refused_shape", m.seal(binding, &header, &first(plain_encounter()))));
    let header = satchel_core::envelope::BodyHeader { shape: Shape::Complaint, ..m.header(Kind::Encounter, day) };
    cases.push(("an encounter as complaint", "refused_shape", m.seal(binding, &header, &first(plain_encounter()))));
    for (what, kind, subject) in [
        ("a file without itself as subject", Kind::Participant, blue),
        ("a file without subject", Kind::Participant, None),
        ("a follow-up for nobody", Kind::FollowUp, None),
        ("a grant of nobody", Kind::Grant, None),
        ("a tally about somebody", Kind::Tally, blue),
        ("a zone about somebody", Kind::Zone, blue),
    ] {
        let header = m.header(kind, day);
        let binding = m.binding(record(6), kind, subject, day);
        cases.push((what, "refused_subject", m.seal(binding, &header, &first(plain_encounter()))));
    }
    for audience in [Audience::Member, Audience::Board] {
        let header = m.header(Kind::Encounter, day);
        let binding = Binding { audience, ..m.binding(record(7), Kind::Encounter, None, day) };
        cases.push(("another audience", "refused_audience", m.seal(binding, &header, &first(plain_encounter()))));
    }
    // not an entry at all; not the one encoding of it
    for content in [vec![], vec![0xff; 100], [first(plain_encounter()), vec![0]].concat()] {
        let header = m.header(Kind::Encounter, day);
        let binding = m.binding(record(8), Kind::Encounter, None, day);
        cases.push(("not an entry", "entry_malformed", m.seal(binding, &header, &content)));
    }
    for (what, code, forged) in &cases {
        verdict(&w.ben, &w.mallory.cover(forged), REFUSED, code, what);
        verdict(&w.ben, &w.mallory.cover(forged), KNOWN, "", "refused for ever");
    }
    // control: the same writer's well-formed entries
    let good = w.mallory.entry(record(50), Kind::Grant, Some(record(51)), day, grant(day));
    verdict(&w.ben, &w.mallory.cover(&good), APPLIED, "", "control");
    assert_eq!(w.ben.unlocked.encounters(None).unwrap().len(), w.ana.unlocked.encounters(None).unwrap().len());
    feed(&w.ana, &[w.mallory.cover(&good)]);
    w.goes_on();
}

#[test]
fn what_a_later_version_wrote_waits() {
    let mut w = world(10);
    let header = satchel_core::envelope::BodyHeader { schema: 2, ..w.mallory.header(Kind::Encounter, w.day) };
    let binding = w.mallory.binding(record(1), Kind::Encounter, None, w.day);
    let newer = w.mallory.seal(binding, &header, b"words of a later version");
    verdict(&w.ben, &w.mallory.cover(&newer), HELD, "held_newer_version", "schema");
    // a log head that nobody knows yet
    let header = satchel_core::envelope::BodyHeader { log_head: [7; 16], ..w.mallory.header(Kind::Encounter, w.day) };
    let ahead = w.mallory.seal(binding, &header, &first(plain_encounter()));
    verdict(&w.ben, &w.mallory.cover(&ahead), HELD, "held_log_head", "log head");
    // a head in whose past the writer is no member
    let founding = w.mallory.welcome.operations[0].clone();
    let founding = Operation::from_bytes(&founding).unwrap();
    let log_head = *founding.id().as_bytes().first_chunk().unwrap();
    let header = satchel_core::envelope::BodyHeader { log_head, ..w.mallory.header(Kind::Encounter, w.day) };
    let early = w.mallory.seal(binding, &header, &first(plain_encounter()));
    verdict(&w.ben, &w.mallory.cover(&early), REFUSED, "refused_role", "before its admission");
    assert_eq!(w.ben.unlocked.waiting().unwrap().1, 2);
    w.goes_on();
}

#[test]
fn nothing_about_a_person_is_shown_before_they_said_yes() {
    let mut w = world(11);
    let (day, green) = (w.day, record(0x60));
    let before = view(&w.ben);
    let file = w.mallory.document(green, Kind::Participant, Some(green), day, |edit| edit.set("alias", Value::Text("Greenfinch".into())));
    let met = w.mallory.entry(record(0x61), Kind::Encounter, Some(green), day, plain_encounter());
    for forged in [&file, &met] {
        verdict(&w.ben, &w.mallory.cover(forged), HELD, "held_no_grant", "no grant");
    }
    // a grant about somebody else does not help
    let other = w.mallory.entry(record(0x62), Kind::Grant, Some(record(0x63)), day, grant(day));
    verdict(&w.ben, &w.mallory.cover(&other), APPLIED, "", "a grant about another person");
    assert_eq!(view(&w.ben), before, "held means never shown");
    assert!(w.ben.unlocked.participant(green).is_err());
    // their own grant lets both in
    let yes = w.mallory.entry(record(0x64), Kind::Grant, Some(green), day, grant(day));
    verdict(&w.ben, &w.mallory.cover(&yes), APPLIED, "", "their grant");
    assert_eq!(w.ben.unlocked.participants().unwrap().len(), 2);
    assert_eq!(w.ben.unlocked.encounters(Some(green)).unwrap().len(), 1);
    w.goes_on();
}

#[test]
fn naming_a_record_first_blocks_it_for_nobody() {
    let mut w = world(12);
    let id = encounter(&w.ana, Some(w.blue), "asked about a bed");
    let (row, _) = w.at_relay(id, Kind::Encounter);
    let green = record(0x70);
    let yes = w.mallory.entry(record(0x71), Kind::Grant, Some(green), w.day, grant(w.day));
    let squatters = [
        w.mallory.entry(id, Kind::Encounter, None, w.day, plain_encounter()),
        w.mallory.entry(id, Kind::Encounter, Some(green), w.day, plain_encounter()),
        w.mallory.document(id, Kind::FollowUp, Some(w.blue), w.day, |edit| edit.set("what", Value::Text("mine".into()))),
        w.mallory.document(id, Kind::Zone, None, w.day, |edit| edit.set("name", Value::Text("mine".into()))),
        w.mallory.document(w.blue, Kind::FollowUp, Some(w.blue), w.day, |edit| edit.set("what", Value::Text("mine".into()))),
    ];
    let mut rows = vec![w.mallory.cover(&yes)];
    rows.extend(squatters.iter().map(|forged| w.mallory.cover(forged)));
    let taken = feed(&w.ben, &rows);
    assert_eq!(taken.applied, rows.len(), "{taken:?}");
    verdict(&w.ben, &row, APPLIED, "", "the honest record");
    let lines = w.ben.unlocked.encounters(Some(w.blue)).unwrap();
    let line = lines.iter().find(|line| line.id == id).unwrap();
    assert_eq!(line.offers, 1, "the honest record is listed as Ana wrote it");
    // and it can be corrected, by its author and by a colleague
    w.ben.unlocked.correct_encounter(id, &encounter_draft(Some(w.blue), "asked about two beds")).unwrap();
    feed(&w.ana, &rows);
    w.ana.unlocked.correct_encounter(id, &encounter_draft(Some(w.blue), "asked about three beds")).unwrap();
    w.goes_on();
}

#[test]
fn two_bodies_in_one_place_of_a_chain_are_seen_and_harm_nobody() {
    let mut w = world(13);
    let header = w.mallory.header(Kind::Encounter, w.day);
    let twins: Vec<Row> = (0..2)
        .map(|n| {
            let binding = w.mallory.binding(record(n), Kind::Encounter, None, w.day);
            let forged = w.mallory.seal(binding, &header, &first(plain_encounter()));
            w.mallory.cover(&forged)
        })
        .collect();
    feed(&w.ben, &[twins[0].clone(), twins[1].clone()]);
    feed(&w.ana, &[twins[1].clone(), twins[0].clone()]);
    for phone in [&w.ana, &w.ben] {
        let device = w.mallory.device();
        let team = phone.unlocked.team().unwrap();
        assert!(team.devices.iter().any(|line| line.id == device && line.is_forked), "{} does not say so", phone.name);
    }
    assert_eq!(view(&w.ana), view(&w.ben));
    w.goes_on();
}

#[test]
fn two_changes_in_one_place_of_a_document_end_in_one_view() {
    for order in 0..6 {
        let mut w = world(14 + order);
        let zone = record(0x80);
        let actor = Actor::derive(w.mallory.device().as_bytes(), zone.as_bytes(), &w.mallory.session);
        let mut forged = Vec::new();
        for name in ["North", "South"] {
            let mut document = Document::new(actor);
            let one = document.edit(|edit| edit.set("name", Value::Text(name.into()))).unwrap().unwrap();
            let two = document.edit(|edit| edit.set("extra", Value::Text(name.into()))).unwrap().unwrap();
            forged.push(w.mallory.changes(zone, Kind::Zone, None, w.day, &[one]));
            forged.push(w.mallory.changes(zone, Kind::Zone, None, w.day, &[two]));
        }
        let rows: Vec<Row> = forged.iter().map(|forged| w.mallory.cover(forged)).collect();
        let orders = [[0, 1, 2, 3], [2, 3, 0, 1], [0, 2, 1, 3], [2, 0, 3, 1], [3, 1, 2, 0], [1, 0, 3, 2]];
        for index in orders[order as usize] {
            feed(&w.ben, std::slice::from_ref(&rows[index]));
        }
        for index in [0, 1, 2, 3] {
            feed(&w.ana, std::slice::from_ref(&rows[index]));
        }
        assert_eq!(w.ana.unlocked.zones().unwrap(), w.ben.unlocked.zones().unwrap(), "order {order}");
        meet(&w.ana, &w.ben);
        assert_eq!(view(&w.ana), view(&w.ben), "order {order}");
        w.goes_on();
    }
}

#[test]
fn a_thousand_held_bodies_stay_bounded_and_stop_nobody() {
    let mut w = world(20);
    let nobody = record(0x90);
    let mut rows = Vec::new();
    for n in 0..1_000_u32 {
        let mut id = [0x91; 16];
        id[..4].copy_from_slice(&n.to_le_bytes());
        let forged = w.mallory.entry(RecordId::from_bytes(id), Kind::Encounter, Some(nobody), w.day, plain_encounter());
        rows.push(w.mallory.cover(&forged));
    }
    let taken = feed(&w.ben, &rows);
    assert_eq!(taken.held, 1_000, "{taken:?}");
    assert!(w.ben.unlocked.waiting().unwrap().1 <= HELD_PER_AUTHOR_MAX_COUNT);
    // as many from devices that do not exist, and as many that no key opens
    let signer = std::mem::replace(&mut w.mallory.signer, SigningKey::make(&w.mallory.env));
    let mut rows = Vec::new();
    for n in 0..1_000_u32 {
        let stranger = SigningKey::make(&w.mallory.env);
        let header = satchel_core::envelope::BodyHeader {
            shape: Shape::Entry,
            schema: 1,
            device: stranger.verifying_key().device_id(),
            session: [0; 8],
            sequence: n + 2,
            previous: [1; 16],
            log_head: [2; 16],
            keep_until: Some(w.day.plus(1)),
        };
        w.mallory.signer = stranger;
        let binding = w.mallory.binding(record(0x92), Kind::Encounter, None, w.day);
        let forged = w.mallory.seal(binding, &header, &first(plain_encounter()));
        rows.push(w.mallory.cover(&forged));
        rows.push(w.mallory.noise(Lane::Records, 512));
        rows.push(w.mallory.noise(Lane::Commons, 512));
    }
    w.mallory.signer = signer;
    // and more noise than there is room for
    rows.extend((0..9_000).map(|_| w.mallory.noise(Lane::Records, 512)));
    for page in rows.chunks(PUSH_ROWS_MAX_COUNT) {
        feed(&w.ben, page);
    }
    let held = w.ben.unlocked.waiting().unwrap().1;
    assert!(held <= HELD_PER_AUTHOR_MAX_COUNT + HELD_MAX_BYTES / 2 / 512, "{held} held");
    // honest work that has to wait still finds room, and comes in
    let cleo = join(w.folder.path(), 20, "Cleo", START, &w.ana, Role::Worker);
    let id = encounter(&cleo, None, "first night out");
    meet(&cleo, &w.ben);
    assert!(w.ben.unlocked.encounters(None).unwrap().iter().any(|line| line.id == id));
    meet(&cleo, &w.ana);
    w.goes_on();
}

#[test]
fn a_key_id_used_twice_locks_nobody_out() {
    let mut w = world(21);
    let (_, honest) = w.letter();
    let before = w.ben.unlocked.encounters(None).unwrap().len();
    w.hub.exchange(&w.ben).unwrap();
    assert_eq!(w.ben.unlocked.encounters(None).unwrap().len(), before + 1);
    // an entry and a document of Ana's, each with another key under the key id that Ana made
    let (_, file) = w.at_relay(w.blue, Kind::Participant);
    let header = w.mallory.header(Kind::Encounter, w.day);
    let key = RecordKey::make(&w.mallory.env);
    let entry = w.mallory.seal_under(honest.binding, key, &header, &first(plain_encounter()));
    let actor = Actor::derive(w.mallory.device().as_bytes(), w.blue.as_bytes(), &w.mallory.session);
    let change = Document::new(actor).edit(|edit| edit.set("language", Value::Text("es".into()))).unwrap().unwrap();
    let header = w.mallory.header(Kind::Participant, w.day);
    let key = RecordKey::make(&w.mallory.env);
    let document = w.mallory.seal_under(file.binding, key, &header, &changes_content(&[change]));
    for phone in [&w.ana, &w.ben] {
        for forged in [&entry, &document] {
            verdict(phone, &w.mallory.cover(forged), APPLIED, "", "another key under a known key id");
        }
        phone.unlocked.encounter(honest.binding.record).unwrap();
        phone.unlocked.participant(w.blue).unwrap();
    }
    // in person, to somebody who has none of it
    let cleo = join(w.folder.path(), 21, "Cleo", START, &w.ana, Role::Worker);
    meet(&cleo, &w.ben);
    meet(&cleo, &w.ana);
    meet(&w.ana, &w.ben);
    assert_eq!(view(&cleo), view(&w.ben));
    w.goes_on();
}

#[test]
fn a_flood_of_keys_for_one_record_stops_nobody() {
    let mut w = world(22);
    let (_, honest) = w.letter();
    let mut rows = Vec::new();
    for _ in 0..100 {
        rows.push({
            let forged = w.mallory.entry(honest.binding.record, Kind::Encounter, honest.binding.subject, w.day, plain_encounter());
            w.mallory.cover(&forged)
        });
    }
    for phone in [&w.ben, &w.ana] {
        let taken = feed(phone, &rows);
        assert_eq!(taken.applied + taken.held, 100, "{taken:?}");
        assert!(taken.held > 50, "keys without end: {taken:?}");
        phone.unlocked.encounter(honest.binding.record).unwrap();
    }
    w.goes_on();
}

/// A frontier in the attacker's name that says anything.
fn frontier(m: &Attacker, heads: &[ChainHead], own: u32, counter: u64, day: ShiftDay) -> FrontierNotice {
    let receiving = m.receiving.public_key().unwrap();
    let hash = satchel_core::team::frontier::receiving_hash(receiving.as_bytes());
    let own = ChainHead { device: *m.device().as_bytes().first_chunk().unwrap(), sequence: own, body: [0; 8] };
    let mut content = FrontierContent::of_device(m.team, m.device(), counter, day, hash, own).with_heads(heads);
    content.log_heads = vec![m.admission().id()];
    FrontierNotice { frontier: Frontier::write(&m.signer, content).to_bytes(), receiving: Some(receiving.as_bytes().to_vec()) }
}

#[test]
fn a_lie_about_a_colleagues_chain_silences_nobody() {
    let w = world(23);
    // "I have seen body 4,000,000 of everybody": a phone that believed it would think itself an old copy, for ever
    let heads: Vec<ChainHead> = [&w.ana, &w.ben]
        .iter()
        .map(|phone| {
            let device = *phone.unlocked.device().unwrap().as_bytes().first_chunk().unwrap();
            ChainHead { device, sequence: 4_000_000, body: [7; 8] }
        })
        .collect();
    let notice = frontier(&w.mallory, &heads, u32::MAX, u64::MAX - 1, ShiftDay::from_days(u16::MAX));
    for phone in [&w.ana, &w.ben] {
        feed(phone, &[w.mallory.notice(&[], vec![notice.clone()])]);
        assert!(!phone.unlocked.team().unwrap().is_copied, "{} believes it", phone.name);
    }
    w.goes_on();
}

fn operation(w: &World, signer: &SigningKey, parents: Vec<OperationId>, action: Action) -> Operation {
    Operation::write(signer, Some(w.mallory.team), parents, w.day, action)
}

#[test]
fn the_team_log_takes_nothing_from_who_may_not_write_it() {
    let w = world(24);
    let m = &w.mallory;
    let heads = vec![m.admission().id()];
    let accomplice = SigningKey::make(&m.env);
    let keys = DeviceKeys {
        signing: *accomplice.verifying_key().as_bytes(),
        receiving: satchel_core::crypto::ReceivingKey::make(&m.env).public_key().unwrap().as_bytes().to_vec(),
    };
    let member = MemberId::from_bytes([1; 16]);
    let Action::Admit { member: own_member, invitation: used, .. } = m.admission().action().clone() else { panic!("an admission") };
    let admit = |invitation| Action::Admit { member, device: keys.clone(), role: Role::Steward, invitation };
    let team = w.ben.unlocked.team().unwrap();
    let ana_member = team.devices.iter().find(|line| line.role == Role::Steward).unwrap().member;
    let loose = satchel_core::consent::Charter { suppression: 5, ..team.charter.clone() };
    let other = TeamId::from_bytes([9; 16]);
    let outsider = SigningKey::make(&m.env);
    let mut bent = operation(&w, &m.signer, heads.clone(), Action::Countersign { operation: heads[0] }).to_bytes();
    let last = bent.len() - 1;
    bent[last] ^= 1;
    let newer = cbor_newer();
    let operations: Vec<(&str, Vec<u8>)> = vec![
        ("a worker admits", operation(&w, &m.signer, heads.clone(), admit([1; 16])).to_bytes()),
        ("an outsider admits", operation(&w, &outsider, heads.clone(), admit([1; 16])).to_bytes()),
        ("an invitation used twice", operation(&w, &m.signer, heads.clone(), admit(used)).to_bytes()),
        (
            "a worker removes the steward",
            operation(&w, &m.signer, heads.clone(), Action::RemoveMember { member: ana_member, cuts: vec![] }).to_bytes(),
        ),
        (
            "a worker suspends the steward",
            operation(&w, &m.signer, heads.clone(), Action::Suspend { member: ana_member, cuts: vec![] }).to_bytes(),
        ),
        (
            "a worker promotes itself",
            operation(&w, &m.signer, heads.clone(), Action::ChangeRole { member: own_member, role: Role::Steward, cuts: vec![] })
                .to_bytes(),
        ),
        (
            "a worker loosens the charter",
            operation(&w, &m.signer, heads.clone(), Action::ChangeCharter { charter: loose.clone() }).to_bytes(),
        ),
        ("with a board's signature made up", operation(&w, &m.signer, heads.clone(), Action::ChangeCharter { charter: loose }).to_bytes()),
        (
            "a reseat without the paper key",
            operation(
                &w,
                &m.signer,
                heads.clone(),
                Action::Reseat { remove: vec![], steward: Some(own_member), device: None, control: None, next: None },
            )
            .to_bytes(),
        ),
        ("parents made up", operation(&w, &m.signer, vec![OperationId::from_bytes([5; 32])], admit([2; 16])).to_bytes()),
        (
            "another team's",
            Operation::write(&m.signer, Some(other), heads.clone(), w.day, Action::Countersign { operation: heads[0] }).to_bytes(),
        ),
        ("a second founding", m.welcome.operations[0][..m.welcome.operations[0].len() - 1].to_vec()),
        ("a bent signature", bent),
        ("a later version", newer),
        ("nothing", vec![]),
        ("noise", vec![0xff; 300]),
        ("too large", vec![0; 17_000]),
    ];
    for phone in [&w.ben, &w.ana] {
        let before = phone.unlocked.team().unwrap();
        for (what, bytes) in &operations {
            feed(phone, &[m.raw_notice(vec![bytes.clone()], vec![])]);
            let after = phone.unlocked.team().unwrap();
            assert_eq!((after.devices.len(), &after.charter), (before.devices.len(), &before.charter), "{what}");
            assert!(after.devices.iter().zip(&before.devices).all(|(a, b)| (a.role, a.standing) == (b.role, b.standing)), "{what}");
        }
        // and more waiting operations than are ever kept
        for _ in 0..3 {
            let waiting: Vec<Vec<u8>> = (0..120)
                .map(|_| {
                    operation(&w, &m.signer, vec![OperationId::from_bytes(m.env.random())], Action::Countersign { operation: heads[0] })
                })
                .map(|operation| operation.to_bytes())
                .collect();
            feed(phone, &[m.raw_notice(waiting, vec![])]);
        }
    }
    // control: an honest admission is taken right after
    let cleo = join(w.folder.path(), 24, "Cleo", START, &w.ana, Role::Worker);
    meet(&w.ana, &w.ben);
    meet(&cleo, &w.ben);
    assert_eq!(w.ben.unlocked.team().unwrap().devices.len(), 4);
    w.goes_on();
}

/// An operation as a later version might write it: a map whose version is 2.
fn cbor_newer() -> Vec<u8> {
    let inside = [0xa2, 0x00, 0x02, 0x18, 0x63, 0x01];
    let mut bytes = vec![0x82, 0x46];
    bytes.extend_from_slice(&inside);
    bytes.extend_from_slice(&[0x58, 64]);
    bytes.extend_from_slice(&[0; 64]);
    bytes
}

#[test]
fn the_board_reads_no_record_and_writes_none() {
    let mut w = world(25);
    let board = Attacker::join(25, "Board", &w.ana, Role::Board);
    assert!(!board.opened.secret.reads_records() && board.opened.secret.records_lane_key().is_none());
    assert!(board.opened.control.is_none());
    w.hub.exchange(&w.ana).unwrap();
    let rows = pull(&w.hub, &board);
    let (mut records, mut commons) = (0, 0);
    for row in &rows {
        let keys = [board.opened.secret.commons().derive_commons_lane_key(), board.opened.secret.commons().derive_announce_lane_key()];
        match row.lane() {
            Lane::Records => {
                assert!(keys.iter().all(|key| satchel_core::envelope::open_row(board.team, key, row).is_err()));
                assert!(keys.iter().all(|key| open_root_part(board.team, key, row).is_err()));
                // control: a worker opens covers; what is left are wire pages and their root
                records += usize::from(w.mallory.uncover(row).is_some());
            }
            _ => {
                let secret = board.opened.secret.commons();
                commons += usize::from(satchel_core::team::notice::Notice::open(board.team, &secret, row).is_ok());
            }
        }
    }
    assert!(records > 0 && commons > 0, "{records} {commons}");
    // a worker's cover around what the board signed
    feed(&w.ben, &rows);
    let signer = std::mem::replace(&mut w.mallory.signer, SigningKey::make(&board.env));
    w.mallory.signer = board.signer;
    w.mallory.welcome = board.welcome;
    let forged = w.mallory.entry(record(1), Kind::Encounter, None, w.day, plain_encounter());
    let row = w.mallory.cover(&forged);
    w.mallory.signer = signer;
    meet(&w.ana, &w.ben);
    verdict(&w.ben, &row, REFUSED, "refused_role", "a record written by the board");
    w.goes_on();
}

#[test]
fn who_is_no_member_gets_nothing() {
    let w = world(26);
    let stranger = SigningKey::make(&w.mallory.env);
    let hubs = [
        (Endpoint::Pull, Pull { mailbox: HUB_MAILBOX, cursor: None, max_bytes: 1_000, lane: None, freshness: w.mallory.freshness() }),
        (
            Endpoint::Pull,
            Pull { mailbox: HUB_MAILBOX, cursor: None, max_bytes: 1_000, lane: Some(Lane::Announce), freshness: w.mallory.freshness() },
        ),
        (
            Endpoint::Pull,
            Pull { mailbox: MailboxId::from_bytes([1; 16]), cursor: None, max_bytes: 1_000, lane: None, freshness: w.mallory.freshness() },
        ),
    ];
    for (endpoint, frame) in hubs {
        let problem = w.hub.relay.answer(endpoint, &sign_request(&stranger, endpoint, &frame)).unwrap_err();
        assert_eq!(problem.code, ProblemCode::Refused);
    }
    // a member's own request, replayed, and moved to another endpoint
    let pull = Pull { mailbox: HUB_MAILBOX, cursor: None, max_bytes: 1_000, lane: None, freshness: w.mallory.freshness() };
    let request = w.mallory.request(Endpoint::Pull, &pull);
    assert!(w.hub.relay.answer(Endpoint::Pull, &request).is_ok(), "control");
    assert_eq!(w.hub.relay.answer(Endpoint::Pull, &request).unwrap_err().code, ProblemCode::Replayed);
    let push = Push { mailbox: HUB_MAILBOX, rows: vec![], cursor: None, freshness: w.mallory.freshness() };
    let by_pull_key = sign_request(&w.mallory.opened.secret.commons().derive_pull_keypair(), Endpoint::Push, &push);
    assert_eq!(w.hub.relay.answer(Endpoint::Push, &by_pull_key).unwrap_err().code, ProblemCode::Refused);
    // a phone of another team at the door: no session, nothing learned
    let dana = found(&w.folder.path().join("other"), 99, "Dana", START);
    let before = view(&w.ben);
    let mut dialer = dana.unlocked.dial().unwrap();
    let mut listener = w.ben.unlocked.listen();
    let mut failed = false;
    for _ in 0..50 {
        if let Ok(Some(bytes)) = dialer.transmit(16_384) {
            failed |= listener.receive(&bytes).is_err();
        }
        if let Ok(Some(bytes)) = listener.transmit(16_384) {
            failed |= dialer.receive(&bytes).is_err();
        }
    }
    assert!(!listener.is_finished() || failed || listener.report().rows.applied == 0);
    assert_eq!((listener.report().rows.applied, dana.unlocked.participants().unwrap().len()), (0, 0));
    assert_eq!(view(&w.ben), before);
    w.goes_on();
}

#[test]
fn an_invitation_is_good_once_and_for_ten_minutes() {
    let w = world(27);
    let env = |now| Env::new(SetClock::at(now), SeededRandomness::new(27, "late"));
    let invitation = w.ana.unlocked.invite(Role::Worker, "").unwrap();
    let text = invitation.to_text();
    assert_eq!(Joiner::knock(&env(START + 601), &invitation).unwrap_err(), InvitationError::Expired);
    assert_eq!(Invitation::from_text(&text, env(START + 601).now()).unwrap_err(), InvitationError::Expired);
    // a guest whose clock stands still knocks late at a phone whose clock does not
    let (_, knock) = Joiner::knock(&env(START), &invitation).unwrap();
    w.ana.clock.advance(601);
    assert_eq!(w.ana.unlocked.answer_knock(&knock).unwrap_err().code(), "invitation_expired");
    w.ana.clock.set(START);
    // used up by an attempt that failed: a photograph of the code is worth one try, and that try is seen
    let invitation = w.ana.unlocked.invite(Role::Worker, "").unwrap();
    let (_, knock) = Joiner::knock(&env(START), &invitation).unwrap();
    let mut bent = knock.clone();
    let last = bent.len() - 1;
    bent[last] ^= 1;
    assert!(w.ana.unlocked.answer_knock(&bent).is_err());
    assert_eq!(w.ana.unlocked.answer_knock(&knock).unwrap_err().code(), "invitation_used");
    for noise in [vec![], vec![0], vec![1; 5], vec![1; 70_000]] {
        assert!(w.ana.unlocked.answer_knock(&noise).is_err());
    }
    let devices = w.ana.unlocked.team().unwrap().devices.len();
    assert_eq!(devices, 3, "nobody came in");
    let _ = Store::join(env(START), &w.ana.unlocked.invite(Role::Worker, "").unwrap()).unwrap();
    w.goes_on();
}

#[test]
fn huge_and_broken_frames_end_a_connection_and_nothing_else() {
    let w = world(28);
    let row = w.mallory.noise(Lane::Records, 512);
    assert!(push(&w.hub, &w.mallory, vec![row.clone()]).is_ok(), "control");
    assert_eq!(push(&w.hub, &w.mallory, vec![row; PUSH_ROWS_MAX_COUNT + 1]), Err(ProblemCode::TooLarge));
    assert_eq!(push(&w.hub, &w.mallory, vec![w.mallory.noise(Lane::Announce, 512)]), Err(ProblemCode::Malformed));
    for noise in [vec![], vec![0xff; 10], vec![0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], vec![0x82; 1_000_000]] {
        for endpoint in [Endpoint::Pull, Endpoint::Push, Endpoint::Claim, Endpoint::Keys, Endpoint::Rows, Endpoint::Announce] {
            assert_eq!(w.hub.relay.answer(endpoint, &noise).unwrap_err().code, ProblemCode::Malformed);
        }
        // the same as an answer to a phone
        let mut link = w.ben.unlocked.relay_exchange().unwrap();
        link.next_request().unwrap().unwrap();
        // no body at all says that there is nothing new, which is a lie that a relay can always tell
        let taken = link.receive(&satchel_core::store::RelayAnswer::Ok(noise.clone()));
        assert_eq!(taken.is_ok(), noise.is_empty());
        assert_eq!((link.report().pulled, link.report().pushed), (0, 0));
        // and as what a colleague's phone says
        let mut listener = w.ben.unlocked.listen();
        let _ = listener.receive(&noise);
        assert_eq!(listener.report().rows.applied, 0);
    }
    w.goes_on();
}

/// A text in every form in which it might leak.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut forms = vec![
        bytes.to_vec(),
        text.to_lowercase().into_bytes(),
        text.to_uppercase().into_bytes(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        bytes.iter().rev().copied().collect(),
        data_encoding::HEXLOWER.encode(bytes).into_bytes(),
        data_encoding::HEXUPPER.encode(bytes).into_bytes(),
        data_encoding::BASE32_NOPAD.encode(bytes).into_bytes(),
    ];
    // Base64 of a longer text that holds this one, at each of the three alignments, without the ends that depend on neighbours
    for encoding in [&data_encoding::BASE64, &data_encoding::BASE64URL] {
        for shift in 0..3 {
            let encoded = encoding.encode(&[&b"xxx"[..shift], bytes].concat());
            let (skip, keep) = (if shift == 0 { 0 } else { shift + 1 }, (shift + bytes.len()) * 8 / 6);
            forms.push(encoded.as_bytes()[skip..keep].to_vec());
        }
    }
    forms
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn everything_in(folder: &std::path::Path, out: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        out.extend_from_slice(path.to_string_lossy().as_bytes());
        if path.is_dir() { everything_in(&path, out) } else { out.extend(std::fs::read(path).unwrap_or_default()) }
    }
}

#[test]
fn a_thief_with_the_relays_disk_and_all_traffic_finds_no_word() {
    let w = world(29);
    let canaries = ["Hummingbird", "Zephyrgoal", "Quincecoat", "Vellumpatch", "Bluebird", "America/Los_Angeles"];
    let draft = ParticipantDraft {
        alias: Some(Alias::parse(canaries[0]).unwrap()),
        goals: vec![satchel_core::screen::ShortText::parse(canaries[1]).unwrap()],
        ..ParticipantDraft::default()
    };
    let person = w.ana.unlocked.create_participant(&draft, HowGiven::Spoken, "en").unwrap();
    let met = encounter(&w.ana, Some(person), canaries[2]);
    w.ben.unlocked.create_zone(&satchel_core::screen::ShortText::parse(canaries[3]).unwrap()).unwrap();
    w.goes_on();
    assert!(view(&w.ben).contains(canaries[0]), "control: it did travel");
    let mut kept = Vec::new();
    everything_in(&w.hub.dir, &mut kept);
    for (_, request, answer) in w.hub.traffic.lock().unwrap().iter() {
        kept.extend_from_slice(request);
        kept.extend_from_slice(answer);
    }
    assert!(kept.len() > 50_000, "{} bytes", kept.len());
    let mut needles: Vec<Vec<u8>> = canaries.iter().flat_map(|canary| forms(canary)).collect();
    // ids that would link rows: records, participants, devices, the team
    let mut ids = vec![person.as_bytes().to_vec(), met.as_bytes().to_vec(), w.blue.as_bytes().to_vec(), w.mallory.team.as_bytes().to_vec()];
    ids.extend(w.ana.unlocked.team().unwrap().devices.iter().map(|line| line.id.as_bytes().to_vec()));
    ids.push(w.mallory.signer.verifying_key().as_bytes().to_vec());
    for id in ids {
        needles.push(data_encoding::HEXLOWER.encode(&id).into_bytes());
        needles.push(data_encoding::BASE32_NOPAD.encode(&id).to_lowercase().into_bytes());
        needles.push(id);
    }
    for needle in &needles {
        assert!(!holds(&kept, needle), "found {:?}", String::from_utf8_lossy(needle));
    }
    // positive control: each needle is found in a haystack that does hold it
    for needle in &needles {
        let mut planted = kept[..1_000].to_vec();
        planted.extend_from_slice(needle);
        planted.extend_from_slice(&kept[1_000..2_000]);
        assert!(holds(&planted, needle));
    }
    for (shift, text) in ["", "a", "ab"].iter().map(|before| format!("{before}{}yz", canaries[0])).enumerate() {
        let encoded = data_encoding::BASE64.encode(text.as_bytes());
        assert!(forms(canaries[0]).iter().any(|form| holds(encoded.as_bytes(), form)), "shift {shift}");
    }
    assert!(holds(&kept, HUB_MAILBOX.as_bytes()), "control: what a relay must know is found");
}
