#![allow(clippy::unwrap_used)]
use super::super::frontier::{ChainHead, FrontierContent};
use super::super::operation::{Cut, DeviceKeys, Operation};
use super::super::tombstone::{self, Erasure};
use super::*;
use crate::consent::Charter;
use crate::crypto::{ReceivingKey, SigningKey, VerifyingKey};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{RecordId, TeamId};
use std::collections::BTreeMap;

/// Ana founds, admits Ben and Cleo as workers; what each of them showed is put in by the test.
struct Scene {
    env: Env,
    log: Log,
    team: TeamId,
    ana: SigningKey,
    ben: SigningKey,
    cleo: SigningKey,
    seen: Seen,
}

#[derive(Default)]
struct Seen {
    frontiers: BTreeMap<DeviceId, Frontier>,
    silent: BTreeSet<DeviceId>,
    copied: BTreeSet<DeviceId>,
}

impl Evidence for Seen {
    fn frontier(&self, device: &DeviceId) -> Option<Frontier> {
        self.frontiers.get(device).cloned()
    }
    fn is_silent(&self, device: &DeviceId) -> bool {
        self.silent.contains(device)
    }
    fn is_copied(&self, device: &DeviceId) -> bool {
        self.copied.contains(device)
    }
}

const DAY: ShiftDay = ShiftDay::from_days(20_000);

fn keys(env: &Env, signer: &SigningKey) -> DeviceKeys {
    let receiving = ReceivingKey::make(env).public_key().unwrap().as_bytes().to_vec();
    DeviceKeys { signing: *signer.verifying_key().as_bytes(), receiving }
}

fn member(n: u8) -> MemberId {
    MemberId::from_bytes([n; 16])
}

impl Scene {
    fn new() -> Self {
        let env = Env::seeded(5);
        let [ana, ben, cleo] = [SigningKey::make(&env), SigningKey::make(&env), SigningKey::make(&env)];
        let found = Action::Found {
            member: member(1),
            device: keys(&env, &ana),
            charter: Charter::strictest("UTC", DAY),
            reseat: *ana.verifying_key().as_bytes(),
            salt: [0; 16],
        };
        let founding = Operation::write(&ana, None, Vec::new(), DAY, found);
        let team = founding.team();
        let log = Log::from_founding(team, founding).unwrap();
        let mut scene = Self { env, log, team, ana, ben, cleo, seen: Seen::default() };
        for (n, signer) in [(2, scene.ben.clone_for_test()), (3, scene.cleo.clone_for_test())] {
            scene.admit(n, &signer);
        }
        scene
    }

    fn write(&mut self, signer: &SigningKey, action: Action) -> OperationId {
        let operation = Operation::write(signer, Some(self.team), self.log.heads(), DAY, action);
        let id = operation.id();
        assert_eq!(self.log.insert(operation), super::super::log::LogVerdict::Accepted);
        id
    }
    fn by_ana(&mut self, action: Action) -> OperationId {
        let ana = self.ana.clone_for_test();
        self.write(&ana, action)
    }
    fn admit(&mut self, n: u8, signer: &SigningKey) -> OperationId {
        let device = keys(&self.env, signer);
        self.by_ana(Action::Admit { member: member(n), device, role: Role::Worker, invitation: [n; 16] })
    }
    fn erase(&mut self) -> OperationId {
        let action = tombstone::write(&self.env, &Erasure::Subject(RecordId::from_bytes([9; 16]))).unwrap();
        self.by_ana(action)
    }
    /// A device shows that everything it holds names the log as it is now, and that it knows more than that.
    fn shows(&mut self, signer: &SigningKey, beside: &[OperationId]) {
        let device = signer.verifying_key().device_id();
        let own = ChainHead { device: [0; 8], sequence: 7, body: [0; 8] };
        let mut content = FrontierContent::of_device(self.team, device, 1, DAY, [0; 32], own);
        content.log_heads = self.log.heads();
        content.known = beside.to_vec();
        self.seen.frontiers.insert(device, Frontier::write(signer, content));
    }
    fn everyone_shows(&mut self) {
        for signer in [self.ana.clone_for_test(), self.ben.clone_for_test(), self.cleo.clone_for_test()] {
            self.shows(&signer, &[]);
        }
    }
    fn settle(&mut self, tombstone: &OperationId, began: Option<&OperationId>) -> Settlement {
        settle(&self.env, &mut self.log, tombstone, began, &self.seen).unwrap()
    }
    fn device(signer: &SigningKey) -> DeviceId {
        signer.verifying_key().device_id()
    }
}

trait CloneForTest {
    fn clone_for_test(&self) -> Self;
}
impl CloneForTest for SigningKey {
    fn clone_for_test(&self) -> Self {
        Self::from_seed(self.expose_seed())
    }
}

#[test]
fn settled_is_when_every_due_device_has_shown_a_frontier_that_contains_the_tombstone() {
    let mut scene = Scene::new();
    scene.everyone_shows();
    let erased = scene.erase();
    let before = scene.settle(&erased, None);
    assert_eq!((before.awaited.len(), before.confirmed.len(), before.is_settled()), (3, 0, false), "older frontiers confirm nothing");
    scene.everyone_shows();
    let after = scene.settle(&erased, None);
    assert_eq!((after.awaited.len(), after.confirmed.len(), after.is_settled()), (0, 3, true));
    assert!(after.may_still_hold.is_empty());
    let head = scene.log.heads()[0];
    assert!(settle(&scene.env, &mut scene.log, &OperationId::from_bytes([1; 32]), Some(&head), &scene.seen).is_none());
}

#[test]
fn a_device_admitted_meanwhile_is_due_too() {
    let mut scene = Scene::new();
    let erased = scene.erase();
    scene.everyone_shows();
    assert!(scene.settle(&erased, None).is_settled());
    let dora = SigningKey::make(&scene.env);
    scene.admit(4, &dora);
    let settlement = scene.settle(&erased, None);
    assert_eq!(settlement.awaited.into_iter().collect::<Vec<_>>(), [Scene::device(&dora)]);
}

/// Ben has let Dora in, and nobody else knows.
fn dora_of_ben(scene: &mut Scene) -> Operation {
    let (ben, dora) = (scene.ben.clone_for_test(), SigningKey::make(&scene.env));
    let device = keys(&scene.env, &dora);
    // another phone of his own, which needs no steward
    let action = Action::Admit { member: member(2), device, role: Role::Worker, invitation: [4; 16] };
    Operation::write(&ben, Some(scene.team), scene.log.heads(), DAY, action)
}

#[test]
fn a_frontier_counts_only_once_whom_its_author_let_in_is_known() {
    let mut scene = Scene::new();
    let erased = scene.erase();
    scene.everyone_shows();
    assert!(scene.settle(&erased, None).is_settled(), "bodies of theirs that never came hold nothing up");
    let (ben, admission) = (scene.ben.clone_for_test(), dora_of_ben(&mut scene));
    scene.shows(&ben, &[admission.id()]);
    assert_eq!(scene.settle(&erased, None).awaited.into_iter().collect::<Vec<_>>(), [Scene::device(&ben)]);
    let Action::Admit { device, .. } = admission.action().clone() else { unreachable!() };
    assert_eq!(scene.log.insert(admission), super::super::log::LogVerdict::Accepted);
    let dora = VerifyingKey::from_bytes(&device.signing).unwrap().device_id();
    assert_eq!(scene.settle(&erased, None).awaited.into_iter().collect::<Vec<_>>(), [dora], "then the newcomer is due");
}

#[cfg(feature = "adversary")]
#[test]
fn without_the_complete_log_a_newcomer_would_be_overlooked() {
    let mut scene = Scene::new();
    scene.env = scene.env.dangerous_without(Rule::CompleteLog);
    let erased = scene.erase();
    scene.everyone_shows();
    let (ben, admission) = (scene.ben.clone_for_test(), dora_of_ben(&mut scene));
    scene.shows(&ben, &[admission.id()]);
    assert!(scene.settle(&erased, None).is_settled());
}

#[test]
fn who_cannot_be_waited_for_is_named_with_the_reason() {
    let mut scene = Scene::new();
    let erased = scene.erase();
    let [ana, ben, cleo] = [scene.ana.clone_for_test(), scene.ben.clone_for_test(), scene.cleo.clone_for_test()];
    scene.shows(&ana, &[]);
    let [ben, cleo] = [Scene::device(&ben), Scene::device(&cleo)];
    scene.seen.silent.insert(ben);
    scene.seen.copied.insert(cleo);
    let settlement = scene.settle(&erased, None);
    assert_eq!(settlement.may_still_hold, BTreeMap::from([(ben, MayHold::Silent), (cleo, MayHold::Copied)]));
    assert!(settlement.is_settled(), "they are named, not waited for");
    scene.seen.copied.clear();
    scene.by_ana(Action::RemoveDevice { cut: Cut { device: ben, sequence: 0, body: None } });
    scene.by_ana(Action::RemoveMember { member: member(3), cuts: Vec::new() });
    let settlement = scene.settle(&erased, None);
    assert_eq!(settlement.may_still_hold, BTreeMap::from([(ben, MayHold::Lost), (cleo, MayHold::Removed)]));
}

#[test]
fn who_confirmed_before_a_removal_holds_nothing_and_a_copy_always_may() {
    let mut scene = Scene::new();
    let erased = scene.erase();
    scene.everyone_shows();
    let ben = Scene::device(&scene.ben);
    scene.by_ana(Action::RemoveMember { member: member(2), cuts: Vec::new() });
    assert!(scene.settle(&erased, None).confirmed.contains(&ben));
    scene.seen.copied.insert(ben);
    assert_eq!(scene.settle(&erased, None).may_still_hold.get(&ben), Some(&MayHold::Copied));
}

#[test]
fn who_was_gone_before_the_record_began_never_held_it() {
    let mut scene = Scene::new();
    let ben = Scene::device(&scene.ben);
    let removed = scene.by_ana(Action::RemoveMember { member: member(2), cuts: Vec::new() });
    let erased = scene.erase();
    assert_eq!(scene.settle(&erased, None).may_still_hold.get(&ben), Some(&MayHold::Removed), "nobody knows when it began");
    let settlement = scene.settle(&erased, Some(&removed));
    assert!(!settlement.may_still_hold.contains_key(&ben) && !settlement.awaited.contains(&ben));
    assert_eq!(settlement.awaited.len(), 2);
}

#[test]
fn a_board_phone_confirms_once_it_holds_half_of_a_recovery() {
    let mut scene = Scene::new();
    let board = SigningKey::make(&scene.env);
    let device = keys(&scene.env, &board);
    scene.by_ana(Action::Admit { member: member(5), device, role: Role::Board, invitation: [5; 16] });
    let erased = scene.erase();
    scene.everyone_shows();
    assert!(scene.settle(&erased, None).is_settled(), "no key to records, nothing to confirm");
    let key = ReceivingKey::make(&scene.env).public_key().unwrap().as_bytes().to_vec();
    scene.by_ana(Action::SetRecovery { key: Some(key), threshold: 2, shares: 3 });
    assert_eq!(scene.settle(&erased, None).awaited.into_iter().collect::<Vec<_>>(), [Scene::device(&board)]);
}
