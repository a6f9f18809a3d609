//! Tests of the team log; those that need histories stand in `tests/tests/fold.rs`.
#![allow(clippy::unwrap_used)]

use super::held::HELD_OPERATIONS_MAX_COUNT;
use super::{Action, DeviceKeys, Log, LogVerdict, Operation, Refusal, Role};
use crate::consent::Charter;
use crate::crypto::{ReceivingKey, SigningKey};
use crate::env::Env;
use satchel_wire::ShiftDay;
use satchel_wire::ids::{MemberId, OperationId};
use satchel_wire::limits::HELD_PER_AUTHOR_MAX_COUNT;

/// Ana and Ben are stewards, Cleo is a third; Ana and Ben change Cleo's role at the same time.
#[test]
fn concurrent_changes_come_out_alike_in_every_order() {
    let env = Env::system();
    let day = ShiftDay::from_days(20_000);
    let device = |signer: &SigningKey| DeviceKeys {
        signing: *signer.verifying_key().as_bytes(),
        receiving: ReceivingKey::make(&env).public_key().unwrap().as_bytes().to_vec(),
    };
    let (ana, ben, cleo) = (SigningKey::make(&env), SigningKey::make(&env), SigningKey::make(&env));
    let member = |n: u8| MemberId::from_bytes([n; 16]);
    let charter = Charter::strictest("UTC", day);
    let found = Action::Found { member: member(1), device: device(&ana), charter, reseat: *ana.verifying_key().as_bytes(), salt: [0; 16] };
    let founding = Operation::write(&ana, None, Vec::new(), day, found);
    let team = founding.team();
    let admit = |n: u8, signer: &SigningKey, parent: &Operation| {
        let action = Action::Admit { member: member(n), device: device(signer), role: Role::Steward, invitation: [n; 16] };
        Operation::write(&ana, Some(team), vec![parent.id()], day, action)
    };
    let with_ben = admit(2, &ben, &founding);
    let with_cleo = admit(3, &cleo, &with_ben);
    let change = |signer: &SigningKey, role| {
        let action = Action::ChangeRole { member: member(3), role, cuts: Vec::new() };
        Operation::write(signer, Some(team), vec![with_cleo.id()], day, action)
    };
    let (worker, board) = (change(&ana, Role::Worker), change(&ben, Role::Board));
    let replay = |last: [&Operation; 2]| {
        let mut log = Log::from_founding(team, founding.clone()).unwrap();
        for operation in [&with_ben, &with_cleo, last[0], last[1]] {
            assert_eq!(log.insert(operation.clone()), LogVerdict::Accepted);
        }
        log.state().as_ref().clone()
    };
    assert_eq!(replay([&worker, &board]), replay([&board, &worker]));
}

struct Founded {
    env: Env,
    ana: SigningKey,
    founding: Operation,
    log: Log,
}

fn founded() -> Founded {
    let env = Env::system();
    let ana = SigningKey::make(&env);
    let device = DeviceKeys {
        signing: *ana.verifying_key().as_bytes(),
        receiving: ReceivingKey::make(&env).public_key().unwrap().as_bytes().to_vec(),
    };
    let day = ShiftDay::from_days(20_000);
    let found = Action::Found {
        member: MemberId::from_bytes([1; 16]),
        device,
        charter: Charter::strictest("UTC", day),
        reseat: *ana.verifying_key().as_bytes(),
        salt: [0; 16],
    };
    let founding = Operation::write(&ana, None, Vec::new(), day, found);
    let log = Log::from_founding(founding.team(), founding.clone()).unwrap();
    Founded { env, ana, founding, log }
}

impl Founded {
    /// An operation by Ana that changes nothing much.
    fn write(&self, signer: &SigningKey, parent: OperationId, n: u8) -> Operation {
        let action = Action::Adopt { bodies: vec![satchel_wire::ids::BodyId::from_bytes([n; 32])] };
        Operation::write(signer, Some(self.founding.team()), vec![parent], ShiftDay::from_days(20_000), action)
    }
}

#[test]
fn what_waits_survives_being_written_down_and_given_back() {
    let mut f = founded();
    let first = f.write(&f.ana, f.founding.id(), 1);
    let second = f.write(&f.ana, first.id(), 2);
    let third = f.write(&f.ana, second.id(), 3);
    assert_eq!(f.log.merge(&[third.to_bytes(), second.to_bytes()]), [LogVerdict::Held, LogVerdict::Held]);
    let newer = {
        let mut bytes = first.to_bytes();
        let at = bytes.windows(3).position(|window| window == [0xa6, 0x00, 0x01]).unwrap();
        bytes[at + 2] = 2;
        bytes
    };
    assert_eq!(f.log.merge(std::slice::from_ref(&newer)), [LogVerdict::Held], "a later version's");
    assert_eq!(f.log.missing().into_iter().collect::<Vec<_>>(), [first.id()], "only what is nowhere is asked for");
    let kept: Vec<Vec<u8>> = f.log.held().map(|held| held.bytes.to_vec()).collect();
    assert_eq!(kept.len(), 3);
    assert!(kept.contains(&newer));

    // the phone was locked in between: a new log from what is accepted, then what was held
    let mut again = Log::replay(f.founding.team(), f.log.operations().cloned()).unwrap();
    assert!(again.merge(&kept).iter().all(|verdict| *verdict == LogVerdict::Held));
    assert_eq!(again.insert(first), LogVerdict::Accepted);
    assert_eq!(again.operations().count(), 4);
    assert_eq!(again.held().count(), 1, "the later version's stays");
}

#[test]
fn a_flood_of_waiting_operations_costs_only_its_author() {
    let mut f = founded();
    let nowhere = || OperationId::from_bytes(f.env.random());
    let honest = f.write(&f.ana, nowhere(), 1);
    let stranger = SigningKey::make(&f.env);
    let unknown = f.write(&SigningKey::make(&f.env), nowhere(), 1);
    let flood: Vec<Operation> = (0..HELD_PER_AUTHOR_MAX_COUNT + 50).map(|n| f.write(&stranger, nowhere(), n as u8)).collect();
    // and authors that nobody knows, one operation each
    let many: Vec<Operation> =
        (0..HELD_OPERATIONS_MAX_COUNT + 50).map(|n| f.write(&SigningKey::make(&f.env), nowhere(), n as u8)).collect();
    f.log.insert(honest.clone());
    f.log.insert(unknown.clone());
    let has = |log: &Log, id: OperationId| log.held().any(|held| held.id == Some(id));
    flood.into_iter().for_each(|operation| {
        f.log.insert(operation);
    });
    assert_eq!(f.log.held().count(), 2 + HELD_PER_AUTHOR_MAX_COUNT);
    assert!(has(&f.log, honest.id()) && has(&f.log, unknown.id()));
    f.log.merge(&many.iter().map(Operation::to_bytes).collect::<Vec<_>>());
    assert_eq!(f.log.held().count(), 1 + HELD_OPERATIONS_MAX_COUNT);
    assert!(has(&f.log, honest.id()), "known authors have their own room");

    // in a known author's name nobody fills that room
    let mut forged = f.write(&f.ana, nowhere(), 2).to_bytes();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    assert_eq!(f.log.merge(&[forged]), [LogVerdict::Refused(Refusal::NotEntitled)]);
}

#[test]
fn what_rests_on_a_refused_operation_waits_for_nothing() {
    let mut f = founded();
    let refused = f.write(&SigningKey::make(&f.env), f.founding.id(), 1);
    let child = f.write(&f.ana, refused.id(), 2);
    assert_eq!(f.log.insert(child.clone()), LogVerdict::Held);
    assert!(matches!(f.log.insert(refused), LogVerdict::Refused(_)));
    assert_eq!(f.log.held().count(), 0);
    assert_eq!(f.log.operations().count(), 1);
}

/// A bulletin as bytes, of a version, with what stands for its fields and signature.
fn bulletin_bytes(version: u8) -> Vec<u8> {
    let content = [&[0xa1, 0x00, version][..]].concat();
    let mut bytes = vec![0x82, 0x40 + content.len() as u8];
    bytes.extend(content);
    bytes.extend([0x58, 64]);
    bytes.extend([7; 64]);
    bytes
}

#[test]
fn a_bulletin_of_a_later_version_is_kept_until_the_app_reads_it() {
    let mut f = founded();
    let day = ShiftDay::from_days(20_000);
    let publish = |bytes| Operation::write(&f.ana, Some(f.founding.team()), vec![f.founding.id()], day, Action::Bulletin { bytes });
    // control: what is no bulletin of any version is refused, for ever
    for wrong in [vec![], b"no bulletin".to_vec(), bulletin_bytes(0), bulletin_bytes(1)] {
        assert_eq!(f.log.merge(&[publish(wrong).to_bytes()]), [LogVerdict::Refused(Refusal::Malformed)]);
    }
    let later = publish(bulletin_bytes(2));
    let child = f.write(&f.ana, later.id(), 1);
    assert_eq!(f.log.merge(&[later.to_bytes(), child.to_bytes()]), [LogVerdict::Held, LogVerdict::Held]);
    let kept: Vec<Vec<u8>> = f.log.held().map(|held| held.bytes.to_vec()).collect();
    assert!(kept.contains(&later.to_bytes()) && kept.contains(&child.to_bytes()), "both are kept, and judged again at every unlocking");
    let mut again = Log::replay(f.founding.team(), f.log.operations().cloned()).unwrap();
    assert!(again.merge(&kept).iter().all(|verdict| *verdict == LogVerdict::Held));
    assert_eq!(again.held().count(), 2);
}
