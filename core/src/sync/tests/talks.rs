//! A member's device with valid keys that says what it should not.

use super::model::*;
use super::*;
use crate::crypto::{Channel, Handshake};
use crate::sync::hello::{HELLO_AND_MESSAGE_BYTES, make_hello, prologue};
use crate::sync::limits::*;
use crate::sync::message::*;
use crate::sync::stream::{Collector, Joiner};
use minicbor::bytes::{ByteArray, ByteVec};
use negentropy::{Id, Negentropy, NegentropyStorageVector};
use proptest::prelude::*;
use satchel_wire::limits::{LOG_OPERATIONS_MAX_COUNT, SESSION_MESSAGE_MAX_BYTES};
use satchel_wire::{BodyId, DeviceId, Row};

type Said = Result<Vec<Message>, SessionFault>;

/// Device 2, by hand, dialling device 1.
struct Puppet {
    channel: Channel,
    victim: PeerSession,
    store: Model,
    collector: Collector,
    joiner: Joiner,
}

/// What a step's honest messages are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    Handshake,
    Introduced,
    Frontiers,
    Bodies,
    Compared,
}

const ALL: [Until; 5] = [Until::Handshake, Until::Introduced, Until::Frontiers, Until::Bodies, Until::Compared];

impl Puppet {
    fn dial(mut store: Model, until: Until) -> Self {
        let env = Env::seeded(77);
        let secrets = store.hello_secrets().unwrap();
        let hello = make_hello(&env, &secrets);
        let mut handshake = Handshake::dialer(&env, &secrets[0].derive_psk(), &prologue(&hello, 0)).unwrap();
        let first = [hello, handshake.write().unwrap()].concat();
        assert_eq!(first.len(), HELLO_AND_MESSAGE_BYTES);
        let mut victim = PeerSession::listen(&Env::seeded(78));
        victim.receive(&mut store, &first).unwrap();
        let answer = victim.transmit(49).unwrap();
        assert_eq!(answer[0], 0);
        handshake.read(&answer[1..]).unwrap();
        let (channel, hash) = handshake.finish().unwrap();
        let mut puppet = Self { channel, victim, store, collector: Collector::default(), joiner: Joiner::default() };
        assert!(matches!(puppet.hear()[..], [Message::Introduction(_)]));
        if until == Until::Handshake {
            return puppet;
        }
        puppet.say(&[Self::introduction(&hash)]).unwrap();
        if until == Until::Introduced {
            return puppet;
        }
        let frontier = Frontier { frontier: None, positions: Vec::new() };
        let said = puppet.say(&[Message::Frontier(frontier)]).unwrap();
        assert!(said.iter().any(|message| matches!(message, Message::FrontiersSent)));
        if until == Until::Frontiers {
            return puppet;
        }
        puppet.say(&[Message::FrontiersSent]).unwrap();
        if until == Until::Bodies {
            return puppet;
        }
        let said = puppet.say(&[Message::BodiesSent(BodiesSent { summary: None })]).unwrap();
        assert!(matches!(said.last(), Some(Message::BodiesSent(BodiesSent { summary: Some(_) }))));
        puppet
    }

    fn introduction(hash: &[u8; 32]) -> Message {
        let signature = ByteArray::from(model_signature(device(2), Role::Dialer, hash));
        Message::Introduction(Introduction {
            device: device(2),
            signature,
            heads: None,
            turns: None,
            agreement: None,
            clock: satchel_wire::ShiftDay::from_days(0),
        })
    }

    fn hear(&mut self) -> Vec<Message> {
        let mut heard = Vec::new();
        loop {
            let _ = self.victim.pump(&mut self.store);
            let Some(bytes) = self.victim.transmit(1 << 20) else { return heard };
            let mut input = bytes.as_slice();
            while let Some(sealed) = self.collector.collect_sealed(&mut input) {
                let plain = self.channel.open(&sealed).unwrap();
                let mut plain = plain.as_slice();
                while let Some(message) = self.joiner.join(&mut plain, |_| Ok(())).unwrap() {
                    heard.push(message);
                }
            }
        }
    }

    fn say_bytes(&mut self, bytes: &[u8]) -> Said {
        for chunk in bytes.chunks(60_000) {
            let sealed = self.channel.seal(chunk).unwrap();
            let unit = [&(sealed.len() as u16).to_le_bytes()[..], &sealed].concat();
            match self.victim.receive(&mut self.store, &unit) {
                Ok(()) => {}
                Err(SessionError::Fault(fault)) => {
                    assert!(!self.victim.is_finished());
                    let farewell = Message::Close(Close { reason: fault.reason() });
                    let expected = (!matches!(fault, SessionFault::Closed(_))).then_some(farewell);
                    assert_eq!(self.hear().pop(), expected);
                    return Err(fault);
                }
                Err(SessionError::Replica(Broken)) => panic!("the model does not fail here"),
            }
        }
        Ok(self.hear())
    }

    fn say(&mut self, messages: &[Message]) -> Said {
        self.say_bytes(&messages.iter().flat_map(Message::to_bytes).collect::<Vec<u8>>())
    }

    /// Says the same over and over until it is refused; how often it was not.
    fn insist(&mut self, message: &Message, at_most: usize) -> (usize, SessionFault) {
        for times in 0..at_most {
            if let Err(fault) = self.say(std::slice::from_ref(message)) {
                return (times, fault);
            }
            assert!(self.victim.waiting_bytes() <= 512 * 1024);
        }
        panic!("still listening after {at_most} times");
    }
}

fn victim() -> Model {
    let mut victim = team(2).remove(0);
    victim.write(20);
    victim
}

fn rows_of(author: u8, count: u32) -> Vec<Row> {
    let mut model = team(3).remove(usize::from(author) - 1);
    model.write(count);
    model.body_ids().iter().map(|id| model.row_of(id).unwrap()).collect()
}

fn ids(count: u32) -> Hashes {
    Hashes((0..count).map(|number| *blake3::hash(&number.to_le_bytes()).as_bytes()).collect())
}

fn samples() -> Vec<Message> {
    let position = Position { device: device(2), counter: Some(1), from: 0 };
    let operations = Operations { operations: vec![vec![1; 40].into()], last: true };
    let passed = PassedFrontier { device: device(2), frontier: vec![1; 50].into(), receiving_key: None };
    let frontiers = Frontiers { frontiers: vec![passed], last: false };
    vec![
        Puppet::introduction(&[0; 32]),
        Message::AdmissionWanted,
        Message::Admission(operations.clone()),
        Message::LogState(LogState { behind: true }),
        Message::Operations(operations),
        Message::OperationIds(Ids { ids: ids(3), last: true }),
        Message::OperationsWanted(Ids { ids: ids(3), last: true }),
        Message::Turn(Turn { verdict: Some(Verdict::Known), turns: vec![turn(1)], announcement: Some(vec![1; 30].into()), key: None }),
        Message::Agreed,
        Message::Frontier(Frontier { frontier: None, positions: vec![position] }),
        Message::Frontiers(frontiers.clone()),
        Message::FrontiersSent,
        Message::KeysWanted(Devices { devices: vec![device(1)] }),
        Message::ReceivingKeys(frontiers),
        Message::Rows(Rows { rows: rows_of(2, 1) }),
        Message::BodiesSent(BodiesSent { summary: Some(ByteArray::from([1; 16])) }),
        Message::Reconcile(Reconcile { message: vec![0x61].into() }),
        Message::Repair(Repair { wanted: ids(2), offered: ids(2), last: true }),
        Message::Done,
        Message::Close(Close { reason: CloseReason::Failed }),
    ]
}

#[test]
fn every_message_reads_back_and_has_its_own_kind() {
    let samples = samples();
    for (index, message) in samples.iter().enumerate() {
        let bytes = message.to_bytes();
        let (kind, length) = Message::read_header(bytes[..4].try_into().unwrap()).unwrap();
        assert_eq!((kind as usize, length), (index + 1, bytes.len() - 4));
        assert_eq!(Message::read_payload(kind, &bytes[4..]).as_ref(), Ok(message));
        assert!(kind.max_bytes() <= SESSION_MESSAGE_MAX_BYTES);
    }
    assert!(Kind::from_byte(samples.len() as u8 + 1).is_none() && Kind::from_byte(0).is_none());
}

#[test]
fn messages_in_the_wrong_place_end_the_session_and_change_nothing() {
    let allowed = |until: Until, kind: Kind| match until {
        _ if kind == Kind::Close => true,
        Until::Handshake => kind == Kind::Introduction,
        Until::Introduced => matches!(kind, Kind::Agreed | Kind::Frontier),
        Until::Frontiers => matches!(kind, Kind::Frontiers | Kind::FrontiersSent | Kind::KeysWanted),
        Until::Bodies => matches!(kind, Kind::Rows | Kind::BodiesSent | Kind::KeysWanted),
        Until::Compared => matches!(kind, Kind::Reconcile | Kind::Done | Kind::KeysWanted),
    };
    let mut refused = 0;
    for until in ALL {
        for message in samples().into_iter().filter(|message| !allowed(until, message.kind())) {
            let mut puppet = Puppet::dial(victim(), until);
            let before = puppet.store.clone();
            let said = puppet.say(std::slice::from_ref(&message));
            assert_eq!(said, Err(SessionFault::Unexpected(message.kind())), "{until:?}");
            assert!(puppet.store.same_store(&before));
            assert_eq!(puppet.victim.receive(&mut puppet.store, &[0]), Err(SessionError::Fault(SessionFault::Ended)));
            refused += 1;
        }
        // control: the honest next message goes through at the same place
        let mut puppet = Puppet::dial(victim(), until);
        let honest = match until {
            Until::Handshake => continue,
            Until::Introduced => Message::Frontier(Frontier { frontier: None, positions: Vec::new() }),
            Until::Frontiers => Message::FrontiersSent,
            Until::Bodies => Message::BodiesSent(BodiesSent { summary: None }),
            Until::Compared => Message::Done,
        };
        puppet.say(&[honest]).unwrap();
    }
    assert!(refused > 70);
}

#[test]
fn malformed_messages_are_refused() {
    let header = |kind: Kind, length: usize| [&[kind as u8][..], &(length as u32).to_le_bytes()[..3]].concat();
    let cases: Vec<(Vec<u8>, SessionFault)> = vec![
        (vec![0, 0, 0, 0], SessionFault::Malformed),
        (vec![21, 0, 0, 0], SessionFault::Malformed),
        (vec![0xff; 40_000], SessionFault::Malformed),
        (header(Kind::Rows, 512 * 1024 + 1), SessionFault::TooLarge),
        (header(Kind::Rows, 0xff_ffff), SessionFault::TooLarge),
        (header(Kind::BodiesSent, 65), SessionFault::TooLarge),
        // an empty payload, another type, a trailing byte, an indefinite array, a claim of 2^32 rows
        (header(Kind::Rows, 0), SessionFault::Malformed),
        ([header(Kind::Rows, 1), vec![0x01]].concat(), SessionFault::Malformed),
        ([header(Kind::Rows, 3), vec![0x81, 0x80, 0x00]].concat(), SessionFault::Malformed),
        ([header(Kind::Rows, 3), vec![0x81, 0x9f, 0xff]].concat(), SessionFault::Malformed),
        ([header(Kind::Rows, 6), vec![0x81, 0x9a, 0xff, 0xff, 0xff, 0xff]].concat(), SessionFault::Malformed),
        ([header(Kind::Rows, 10), vec![0x81, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]].concat(), SessionFault::Malformed),
        // a row of no size class
        ([header(Kind::Rows, 5), vec![0x81, 0x81, 0x42, 3, 3]].concat(), SessionFault::Malformed),
        // no rows
        ([header(Kind::Rows, 2), vec![0x81, 0x80]].concat(), SessionFault::NoProgress),
    ];
    for (bytes, expected) in cases {
        let mut puppet = Puppet::dial(victim(), Until::Bodies);
        let before = puppet.store.clone();
        assert_eq!(puppet.say_bytes(&bytes), Err(expected), "{:02x?}", &bytes[..bytes.len().min(16)]);
        assert!(puppet.store.same_store(&before));
    }
    // control: one good row is taken
    let mut puppet = Puppet::dial(victim(), Until::Bodies);
    puppet.say(&[Message::Rows(Rows { rows: rows_of(2, 1) })]).unwrap();
    assert_eq!(puppet.store.bodies.len(), 21);
}

#[test]
fn altered_repeated_or_empty_channel_messages_end_the_session() {
    let taken = |unit: Vec<u8>, puppet: &mut Puppet| puppet.victim.receive(&mut puppet.store, &unit).map_err(|error| error.code());
    for length in 0..16u16 {
        let mut puppet = Puppet::dial(victim(), Until::Introduced);
        let unit = [&length.to_le_bytes()[..], &vec![0; usize::from(length)]].concat();
        assert_eq!(taken(unit, &mut puppet), Err("session.channel"));
    }
    let mut puppet = Puppet::dial(victim(), Until::Introduced);
    let empty = puppet.channel.seal(&[]).unwrap();
    assert_eq!(taken([&16u16.to_le_bytes()[..], &empty].concat(), &mut puppet), Err("session.no_progress"));
    let mut puppet = Puppet::dial(victim(), Until::Introduced);
    let half = puppet.channel.seal(&[Kind::Frontier as u8]).unwrap();
    let unit = [&(half.len() as u16).to_le_bytes()[..], &half].concat();
    assert_eq!(taken(unit.clone(), &mut puppet), Ok(()));
    assert_eq!(taken(unit, &mut puppet), Err("session.channel"));
}

#[test]
fn endless_messages_without_progress_come_to_an_end() {
    let frontier = |device: DeviceId| PassedFrontier { device, frontier: vec![1; 50].into(), receiving_key: None };
    let frontiers = Message::Frontiers(Frontiers { frontiers: vec![frontier(device(7)); FRONTIERS_BATCH_COUNT], last: false });
    assert_eq!(Puppet::dial(victim(), Until::Frontiers).insist(&frontiers, 100), (32, SessionFault::NoProgress));

    let keys = Message::KeysWanted(Devices { devices: vec![device(1); 500] });
    assert_eq!(Puppet::dial(victim(), Until::Bodies).insist(&keys, 100), (4, SessionFault::NoProgress));
    let none = Message::KeysWanted(Devices { devices: Vec::new() });
    assert_eq!(Puppet::dial(victim(), Until::Compared).insist(&none, 10_000), (2_048, SessionFault::NoProgress));

    let mut puppet = Puppet::dial(victim(), Until::Bodies);
    let known = puppet.store.body_ids();
    let rows = known.iter().map(|id| puppet.store.row_of(id).unwrap()).cycle().take(256).collect();
    let (times, fault) = puppet.insist(&Message::Rows(Rows { rows }), 1_000);
    assert_eq!((times, fault), (USELESS_ROWS_MAX_COUNT / 256, SessionFault::NoProgress));
    assert_eq!(puppet.store.body_ids(), known);
    // control: as many rows that bring something are all taken
    let mut puppet = Puppet::dial(victim(), Until::Bodies);
    for rows in rows_of(2, 20_000).chunks(256) {
        puppet.say(&[Message::Rows(Rows { rows: rows.to_vec() })]).unwrap();
    }
    assert_eq!(puppet.store.bodies.len(), 20_020);
}

/// A dialer whose log differs, up to its log state.
fn apart(behind: bool) -> Puppet {
    let mut puppet = Puppet::dial(victim(), Until::Handshake);
    // the handshake hash is not needed twice: sign anew over what the listener will check
    let hash = puppet_hash();
    let Message::Introduction(mut introduction) = Puppet::introduction(&hash) else { unreachable!() };
    introduction.heads = Some(Hashes(vec![[5; 32]]));
    puppet.say(&[Message::Introduction(introduction), Message::LogState(LogState { behind })]).unwrap();
    puppet
}

/// The handshake hash of `Puppet::dial`, which is made of fixed seeds.
fn puppet_hash() -> [u8; 32] {
    let env = Env::seeded(77);
    let mut store = victim();
    let secrets = store.hello_secrets().unwrap();
    let hello = make_hello(&env, &secrets);
    let mut handshake = Handshake::dialer(&env, &secrets[0].derive_psk(), &prologue(&hello, 0)).unwrap();
    let first = [hello, handshake.write().unwrap()].concat();
    let mut victim = PeerSession::listen(&Env::seeded(78));
    victim.receive(&mut store, &first).unwrap();
    handshake.read(&victim.transmit(49).unwrap()[1..]).unwrap();
    handshake.finish().unwrap().1
}

#[test]
fn floods_of_operations_ids_and_turns_are_bounded() {
    let junk: Vec<ByteVec> = (0..OPERATIONS_BATCH_MAX_COUNT).map(|number| vec![number as u8; 3].into()).collect();
    let operations = Message::Operations(Operations { operations: junk.clone(), last: false });
    let (times, fault) = apart(false).insist(&operations, 1_000);
    assert_eq!((times, fault), (2 * LOG_OPERATIONS_MAX_COUNT / OPERATIONS_BATCH_MAX_COUNT, SessionFault::NoProgress));
    let empty = Message::Operations(Operations { operations: Vec::new(), last: false });
    assert_eq!(apart(false).insist(&empty, 2), (0, SessionFault::NoProgress));
    let many = Message::Operations(Operations { operations: [junk.clone(), junk].concat(), last: false });
    assert_eq!(apart(false).insist(&many, 2), (0, SessionFault::TooLarge));

    let mut puppet = apart(true);
    puppet.say(&[Message::Operations(Operations { operations: Vec::new(), last: true })]).unwrap();
    let wanted = Message::OperationsWanted(Ids { ids: ids(2_048), last: false });
    assert_eq!(puppet.insist(&wanted, 100), (LOG_OPERATIONS_MAX_COUNT / 2_048, SessionFault::TooLarge));

    let mut puppet = apart(false);
    puppet.say(&[Message::Operations(Operations { operations: Vec::new(), last: true })]).unwrap();
    let turn = Turn { verdict: None, turns: vec![turn(1)], announcement: Some(vec![3; 1_000].into()), key: None };
    assert_eq!(puppet.insist(&Message::Turn(turn), 100), (1, SessionFault::Unexpected(Kind::Turn)));
    assert!(puppet.victim.report().warnings.contains(&Warning::TurnRefused));
}

#[test]
fn wants_for_invented_bodies_cost_a_look_and_nothing_else() {
    let mut puppet = Puppet::dial(victim(), Until::Compared);
    puppet.say(&[Message::Reconcile(Reconcile { message: vec![0x61].into() })]).unwrap();
    let repair = |last| Message::Repair(Repair { wanted: ids(2_000), offered: Hashes::default(), last });
    let rows_before = puppet.store.rows_made;
    for _ in 0..100 {
        // the same ones over and over are kept once
        puppet.say(&[repair(false)]).unwrap();
    }
    let said = puppet.say(&[repair(true)]).unwrap();
    assert!(matches!(&said[..], [Message::Repair(Repair { wanted, last: true, .. })] if wanted.0.is_empty()));
    assert_eq!(puppet.store.rows_made, rows_before);
    assert!(puppet.victim.report().warnings.contains(&Warning::Unrepaired));
    puppet.say(&[Message::Done]).unwrap();
    assert!(puppet.victim.is_finished());

    let mut puppet = Puppet::dial(victim(), Until::Compared);
    puppet.say(&[Message::Reconcile(Reconcile { message: vec![0x61].into() })]).unwrap();
    let all = ids(REPAIR_IDS_MAX_COUNT as u32 + 2_048).0;
    let mut refused_at = None;
    for (index, some) in all.chunks(2_048).enumerate() {
        let message = Message::Repair(Repair { wanted: Hashes(some.to_vec()), offered: Hashes::default(), last: false });
        if let Err(fault) = puppet.say(&[message]) {
            refused_at = Some((index, fault));
            break;
        }
    }
    assert_eq!(refused_at, Some((REPAIR_IDS_MAX_COUNT / 2_048, SessionFault::TooLarge)));
    // control: a want for what is there is answered, once however often it is named
    let mut puppet = Puppet::dial(victim(), Until::Compared);
    puppet.say(&[Message::Reconcile(Reconcile { message: vec![0x61].into() })]).unwrap();
    let held: Vec<BodyId> = puppet.store.body_ids().into_iter().take(3).collect();
    let wanted = Hashes::of_bodies(&held.iter().chain(&held).copied().collect::<Vec<_>>());
    let said = puppet.say(&[Message::Repair(Repair { wanted, offered: Hashes::default(), last: true })]).unwrap();
    assert!(matches!(&said[0], Message::Rows(rows) if rows.rows.len() == 3));
}

#[test]
fn reconciliation_is_not_endless() {
    let mut storage = NegentropyStorageVector::new();
    (0..5_000u32).for_each(|number| storage.insert(u64::from(number), Id::from_byte_array(ids(1).0[0])).unwrap());
    storage.seal().unwrap();
    let message = Negentropy::owned(storage, 0).unwrap().initiate().unwrap();
    let message = Message::Reconcile(Reconcile { message: message.into() });
    let (times, fault) = Puppet::dial(victim(), Until::Compared).insist(&message, 1_000);
    assert_eq!((times, fault), (RECONCILE_ROUNDS_MAX_COUNT, SessionFault::NoProgress));
}

#[test]
fn a_lie_about_positions_only_leaves_the_liar_without() {
    let mut puppet = Puppet::dial(victim(), Until::Introduced);
    let positions = vec![Position { device: device(1), counter: Some(u64::MAX), from: u32::MAX }];
    let said = puppet.say(&[Message::Frontier(Frontier { frontier: None, positions }), Message::FrontiersSent]).unwrap();
    assert!(!said.iter().any(|message| matches!(message, Message::Rows(_))));
    // control: the same without the lie
    let mut puppet = Puppet::dial(victim(), Until::Introduced);
    let frontier = Frontier { frontier: None, positions: Vec::new() };
    let said = puppet.say(&[Message::Frontier(frontier), Message::FrontiersSent]).unwrap();
    assert!(said.iter().any(|message| matches!(message, Message::Rows(_))));
}

#[test]
fn nothing_is_numbered_for_a_peer_that_shows_no_frontier() {
    let mut store = victim();
    store.drafts = 3;
    for frontier in [None, Some(vec![1; 60].into())] {
        let mut puppet = Puppet::dial(store.clone(), Until::Introduced);
        puppet.say(&[Message::Frontier(Frontier { frontier, positions: Vec::new() }), Message::FrontiersSent]).unwrap();
        assert_eq!(puppet.store.drafts, 3);
    }
    // control: with its frontier, drafts leave
    let mut other = team(2).remove(1);
    let frontier = Some(other.frontier().unwrap().into());
    let mut puppet = Puppet::dial(store, Until::Introduced);
    puppet.say(&[Message::Frontier(Frontier { frontier, positions: Vec::new() }), Message::FrontiersSent]).unwrap();
    assert_eq!(puppet.store.drafts, 0);
}

#[test]
fn answers_do_not_pile_up_for_a_peer_that_does_not_read() {
    let mut store = victim();
    store.write(3_000);
    let mut puppet = Puppet::dial(store, Until::Compared);
    // the whole range as a fingerprint that differs: a question with a long answer
    let mut storage = NegentropyStorageVector::new();
    ids(2_000).0.into_iter().for_each(|id| storage.insert(20_000, Id::from_byte_array(id)).unwrap());
    storage.seal().unwrap();
    let question = Negentropy::owned(storage, 0).unwrap().initiate().unwrap();
    let bytes = Message::Reconcile(Reconcile { message: question.into() }).to_bytes();
    let mut outcome = Ok(());
    for _ in 0..RECONCILE_ROUNDS_MAX_COUNT {
        // many in one go, and nothing is ever taken out
        let many = [&bytes[..], &bytes, &bytes].concat();
        let sealed = puppet.channel.seal(&many).unwrap();
        outcome = puppet.victim.receive(&mut puppet.store, &[&(sealed.len() as u16).to_le_bytes()[..], &sealed].concat());
        if outcome.is_err() {
            break;
        }
        assert!(puppet.victim.waiting_bytes() <= QUEUE_LOW_BYTES + 2 * RECONCILE_FRAME_BYTES);
    }
    assert_eq!(outcome, Err(SessionError::Fault(SessionFault::Unexpected(Kind::Reconcile))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn arbitrary_bytes_before_the_handshake_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), dials in any::<bool>(), first in 0u8..3) {
        let mut store = victim();
        let mut session = if dials { PeerSession::dial(&Env::seeded(1), &mut store).unwrap() } else { PeerSession::listen(&Env::seeded(1)) };
        let bytes: Vec<u8> = std::iter::once(first).chain(bytes).collect();
        let _ = session.receive(&mut store, &bytes);
        prop_assert!(!session.is_finished());
    }

    #[test]
    fn arbitrary_payloads_never_panic_and_change_nothing_unread(
        until in 0usize..5, kind in 1u8..22, payload in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut puppet = Puppet::dial(victim(), ALL[until]);
        let bodies = puppet.store.body_ids();
        let bytes = [&[kind][..], &(payload.len() as u32).to_le_bytes()[..3], &payload].concat();
        let _ = puppet.say_bytes(&bytes);
        prop_assert!(bodies.is_subset(&puppet.store.body_ids()));
    }

    #[test]
    fn altered_honest_payloads_never_panic(until in 0usize..5, sample in 0usize..20, at in any::<prop::sample::Index>(), flip in 1u8..) {
        let mut puppet = Puppet::dial(victim(), ALL[until]);
        let mut bytes = samples()[sample].to_bytes();
        let place = at.index(bytes.len());
        bytes[place] ^= flip;
        let _ = puppet.say_bytes(&bytes);
    }

    #[test]
    fn arbitrary_reconciliation_never_panics(message in prop::collection::vec(any::<u8>(), 0..2_000), valid in any::<bool>()) {
        let mut puppet = Puppet::dial(victim(), Until::Compared);
        let mut message = message;
        if valid && !message.is_empty() {
            message[0] = 0x61;
        }
        let said = puppet.say(&[Message::Reconcile(Reconcile { message: message.into() })]);
        prop_assert!(matches!(said, Ok(_) | Err(SessionFault::Malformed)));
    }
}
