#![allow(clippy::unwrap_used)]
use super::*;
use crate::consent::Charter;
use crate::team::operation::{Cut, DeviceKeys};
use crate::team::{ChainHead, Frontier};
use satchel_wire::ids::MemberId;

struct Team {
    env: Env,
    day: ShiftDay,
    rings: Vec<Keyring>,
}

fn keys(env: &Env) -> (SigningKey, Seed, DeviceKeys) {
    let (signer, receiving) = (SigningKey::make(env), Seed::make(env));
    let public = ReceivingKey::from_seed(receiving.expose()).public_key().unwrap();
    let device = DeviceKeys { signing: *signer.verifying_key().as_bytes(), receiving: public.as_bytes().to_vec() };
    (signer, receiving, device)
}

fn member(n: usize) -> MemberId {
    MemberId::from_bytes([n as u8 + 1; 16])
}

impl Team {
    /// A founder and others of some roles, who have heard each other's frontiers.
    fn new(env: Env, roles: &[Role]) -> Self {
        let day = ShiftDay::from_days(20_000);
        let (signer, receiving, device) = keys(&env);
        let charter = Charter::strictest("UTC", day);
        let reseat = *SigningKey::make(&env).verifying_key().as_bytes();
        let action = Action::Found { member: member(0), device, charter, reseat, salt: [0; 16] };
        let founding = Operation::write(&signer, None, Vec::new(), day, action);
        let founder = Keyring::found(&env, signer, receiving, founding).unwrap();
        let mut team = Self { env, day, rings: vec![founder] };
        for role in roles {
            team.join(*role);
        }
        team.talk();
        team.talk();
        team
    }

    fn join(&mut self, role: Role) {
        let n = self.rings.len();
        let (signer, receiving, device) = keys(&self.env);
        let public = ReceivingKey::from_seed(receiving.expose()).public_key().unwrap();
        let founder = &mut self.rings[0];
        let mut invitation = [0; 16];
        invitation[..8].copy_from_slice(&(n as u64).to_le_bytes());
        founder.write_operation(Action::Admit { member: member(n), device, role, invitation }, self.day).unwrap();
        founder.usable_turn(self.day).unwrap();
        let announcement = founder.box_to(&public, role).unwrap();
        let operations = founder.log().operations().cloned().collect();
        let ring = Keyring::join(&self.env, founder.team(), signer, receiving, operations, &announcement, &[]).unwrap();
        self.rings.push(ring);
    }

    fn operations(&self, from: usize) -> Vec<Vec<u8>> {
        self.rings[from].log().operations().map(Operation::to_bytes).collect()
    }

    fn head(&self, n: usize) -> ChainHead {
        ChainHead { device: device_prefix(&self.rings[n].device()), sequence: 0, body: [0; 8] }
    }

    /// Everybody hears everybody's log and frontier.
    fn talk(&mut self) {
        self.talk_among(self.rings.len());
    }

    /// Everybody hears the first ones' logs and frontiers.
    fn talk_among(&mut self, first: usize) {
        for from in 0..first {
            let operations = self.operations(from);
            let (head, day) = (self.head(from), self.day);
            let frontier = self.rings[from].own_frontier(&[head], day, true).unwrap();
            let key = self.rings[from].receiving_public().unwrap().as_bytes().to_vec();
            for to in (0..self.rings.len()).filter(|to| *to != from) {
                self.rings[to].merge_operations(&operations);
                self.rings[to].take_frontier(&frontier, Some(&key), 0, day);
            }
        }
    }

    /// One phone's announcement reaches all others.
    fn announce(&mut self, from: usize, announcement: &[u8]) -> Vec<Result<Adoption, TurnError>> {
        let day = self.day;
        let others = (0..self.rings.len()).filter(|to| *to != from).collect::<Vec<_>>();
        others.into_iter().map(|to| self.rings[to].accept_announcement(announcement, day)).collect()
    }

    fn id(&self, n: usize) -> DeviceId {
        self.rings[n].device()
    }

    fn usable(&self, n: usize) -> Option<TurnId> {
        self.rings[n].book().usable(self.rings[n].log()).map(|held| held.turn.id())
    }
}

fn recipients(ring: &Keyring) -> Vec<DeviceId> {
    let held = ring.book().usable(ring.log()).unwrap();
    held.turn.recipients().iter().map(|recipient| recipient.device).collect()
}

/// Everybody was away for longer than the absence limit. Whoever missed the last turn before that is met again as long as they
/// are silent, since any member wakes them; and once the relay has brought a word of theirs, they are no stranger either.
#[test]
fn who_is_heard_again_and_is_behind_is_recognised() {
    let mut team = Team::new(Env::system(), &[Role::Worker; 2]);
    let missed = team.usable(2).unwrap();
    let announcement = team.rings[0].start_turn(team.day).unwrap().announcement.unwrap();
    assert!(team.rings[1].accept_announcement(&announcement, team.day).is_ok());
    for ring in &mut team.rings[..2] {
        ring.end_pull(team.day).unwrap();
    }
    let recognises = |team: &Team, turn| team.rings[0].recognised(team.day).any(|known| known.turn == turn);
    team.day = team.day.plus(23);
    assert!(recognises(&team, missed), "silent");
    team.talk_among(2);
    assert!(recognises(&team, missed), "the third is silent still");
    team.talk();
    assert!(!team.rings[0].is_dormant(&team.id(2), team.day) && recognises(&team, missed), "behind");
    // their frontier names the turn in use: the old one is nobody's any more
    assert!(team.rings[2].accept_announcement(&announcement, team.day).is_ok());
    team.rings[2].end_pull(team.day).unwrap();
    team.talk();
    assert!(!recognises(&team, missed));
}

#[test]
fn the_turn_after_thirty_days_is_started_by_one_phone_of_twenty_five() {
    let mut team = Team::new(Env::system(), &[Role::Worker; 24]);
    team.day = team.day.plus(TURN_TERM_DAYS - 1);
    team.talk();
    assert!(team.rings.iter().all(|ring| !ring.is_turn_due(team.day)), "nothing is due before");
    let mut started = 0;
    for _ in 0..3 {
        team.day = team.day.plus(1);
        team.talk();
        for n in 0..team.rings.len() {
            if let Some(announcement) = team.rings[n].end_pull(team.day).unwrap() {
                started += 1;
                assert!(team.announce(n, &announcement).iter().all(|taken| *taken == Ok(Adoption::Adopted)));
            }
        }
    }
    assert_eq!(started, 1);
    // and when the first one in rank is away, somebody else does it within days
    let mut team = Team::new(Env::system(), &[Role::Worker; 5]);
    team.day = team.day.plus(TURN_TERM_DAYS);
    team.talk();
    let first = (0..6).find(|n| team.rings[*n].is_turn_due(team.day)).unwrap();
    let later = team.day.plus(8);
    assert!((0..6).filter(|n| *n != first).any(|n| team.rings[n].is_turn_due(later)));
}

/// Two turns begun beside each other, the one in use much younger: the other one opens what expired, and no maker of a
/// further turn may ever hold it.
#[test]
fn a_turn_that_none_has_joined_is_due_by_its_own_age() {
    let mut team = Team::new(Env::system(), &[Role::Worker; 2]);
    let beside = team.rings[0].start_turn(team.day).unwrap();
    team.day = team.day.plus(20);
    team.talk();
    team.rings[1].start_turn(team.day).unwrap();
    let in_use = team.rings[1].start_turn(team.day).unwrap();
    for announcement in [beside.announcement.unwrap(), in_use.announcement.unwrap()] {
        assert_eq!(team.rings[2].accept_announcement(&announcement, team.day), Ok(Adoption::Adopted));
    }
    team.rings[2].end_pull(team.day).unwrap();
    assert_eq!(team.usable(2), Some(in_use.turn));
    assert!(team.rings[2].holds(&beside.turn), "control: nothing has joined the two");
    team.day = team.day.plus(TURN_TERM_DAYS - 20);
    assert_eq!(team.rings[2].turn_due(), Some(team.day));
    assert!(!team.rings[2].is_turn_due(ShiftDay::from_days(team.day.days() - 1)));
    // whatever its rank, within a week
    team.day = team.day.plus(7);
    team.rings[2].end_pull(team.day).unwrap();
    assert!(!team.rings[2].holds(&beside.turn));
}

#[test]
fn who_lacks_the_turn_in_use_gets_a_box_from_one_phone_and_no_storm_begins() {
    let mut team = Team::new(Env::system(), &[Role::Worker; 11]);
    // the last one replaces its key, and tells only after a turn went out to the old one
    let old = team.rings[11].receiving_public().unwrap().as_bytes().to_vec();
    let first = team.rings[11].start_turn(team.day).unwrap();
    team.announce(11, &first.announcement.unwrap());
    for n in 0..11 {
        team.rings[n].end_pull(team.day).unwrap();
    }
    team.talk_among(11);
    let started = team.rings[1].start_turn(team.day).unwrap().announcement.unwrap();
    team.rings[11].end_pull(team.day).unwrap();
    assert_ne!(team.rings[11].receiving_public().unwrap().as_bytes().as_slice(), old);
    let taken = team.announce(1, &started);
    assert_eq!(taken[10], Err(TurnError::NotForUs), "sealed to a spent key");
    team.talk();
    let mut boxes = Vec::new();
    for n in 0..11 {
        assert_eq!(team.rings[n].end_pull(team.day).unwrap(), None, "nobody starts another turn");
        assert_eq!(team.rings[n].lacking(team.day), vec![team.id(11)]);
        boxes.extend(team.rings[n].boxes_due(team.day).unwrap().map(|announcement| (n, announcement)));
        assert_eq!(team.rings[n].boxes_due(team.day).unwrap(), None, "once per key");
    }
    assert!(boxes.len() <= 1, "{} phones sent a box at once", boxes.len());
    // whoever comes first is the last one itself or a colleague who did: a day later at the latest there is a box
    for days in 1..3 {
        for n in 0..11 {
            boxes.extend(team.rings[n].boxes_due(team.day.plus(days)).unwrap().map(|announcement| (n, announcement)));
        }
    }
    assert!(!boxes.is_empty() && boxes.len() <= 3, "{} boxes", boxes.len());
    assert_eq!(team.rings[11].accept_announcement(&boxes[0].1, team.day), Ok(Adoption::Adopted));
    team.rings[11].end_pull(team.day).unwrap();
    assert_eq!(team.usable(11), team.usable(0));
    team.talk();
    assert!((0..11).all(|n| team.rings[n].lacking(team.day).is_empty()), "it says that it has it");
}

#[test]
fn a_silent_device_gets_no_box_until_somebody_meets_it() {
    let mut team = Team::new(Env::system(), &[Role::Worker; 2]);
    let silent = team.id(2);
    team.day = team.day.plus(22);
    for n in [0, 1] {
        let head = team.head(n);
        let day = team.day;
        let frontier = team.rings[n].own_frontier(&[head], day, true).unwrap();
        team.rings[1 - n].take_frontier(&frontier, None, 0, day);
    }
    assert!(team.rings[0].is_dormant(&silent, team.day) && !team.rings[0].is_dormant(&team.id(1), team.day));
    team.rings[0].start_turn(team.day).unwrap();
    assert!(!recipients(&team.rings[0]).contains(&silent));
    assert_eq!(team.rings[0].box_for(&silent, team.day).unwrap(), None);
    let day = team.day;
    team.rings[0].wake(silent, day);
    let boxed = team.rings[0].box_for(&silent, team.day).unwrap().unwrap();
    assert_eq!(team.rings[2].accept_announcement(&boxed, team.day), Ok(Adoption::Adopted));
    team.rings[0].start_turn(team.day).unwrap();
    assert!(recipients(&team.rings[0]).contains(&silent));
}

#[test]
fn a_removed_steward_loses_the_control_key_and_names_none() {
    let mut team = Team::new(Env::system(), &[Role::Steward, Role::Steward, Role::Worker]);
    let first = team.rings[0].control_key().unwrap();
    for n in [1, 2] {
        assert_eq!(team.rings[n].control_key(), Some(first));
        assert!(team.rings[n].control().is_some(), "stewards hold it");
    }
    assert!(team.rings[3].control().is_none(), "workers do not");
    // a steward with nobody removed keeps it over a turn
    let same = team.rings[1].start_turn(team.day).unwrap().announcement.unwrap();
    team.announce(1, &same);
    assert_eq!(team.rings[0].control_key(), Some(first));
    let cut = Cut { device: team.id(2), sequence: 0, body: None };
    let heads_before = team.rings[2].log().heads();
    team.rings[0].write_operation(Action::RemoveDevice { cut }, team.day).unwrap();
    let removal = team.operations(0);
    // a worker's turn names the removal and leaves the control key alone
    team.rings[3].merge_operations(&removal);
    let by_worker = team.rings[3].start_turn(team.day).unwrap().announcement.unwrap();
    for n in [0, 1] {
        assert_eq!(team.rings[n].accept_announcement(&by_worker, team.day), Ok(Adoption::Adopted));
        team.rings[n].end_pull(team.day).unwrap();
        assert_eq!(team.rings[n].control_key(), Some(first));
    }
    assert!(team.rings[2].accept_announcement(&by_worker, team.day).is_err());
    // the next turn of a steward brings a new one, which the other steward takes and nobody else
    team.talk();
    let by_steward = team.rings[0].start_turn(team.day).unwrap().announcement.unwrap();
    let second = team.rings[0].control_key().unwrap();
    assert_ne!(second, first);
    assert_eq!(team.rings[0].controls().len(), 2, "the relay still has the first");
    assert_eq!(team.rings[1].accept_announcement(&by_steward, team.day), Ok(Adoption::Adopted));
    assert_eq!(team.rings[3].accept_announcement(&by_steward, team.day), Ok(Adoption::Adopted));
    assert_eq!((team.rings[1].control_key(), team.rings[3].control_key()), (Some(second), Some(second)));
    assert!(team.rings[1].control().is_some() && team.rings[3].control().is_none());
    assert!(team.rings[2].accept_announcement(&by_steward, team.day).is_err());
    // the removed one, who held the first, names a key of its own in a turn on what it knew
    let own = Seed::make(&team.env);
    let public = *SigningKey::from_seed(own.expose()).verifying_key().as_bytes();
    let message = [team.rings[2].team().as_bytes().as_slice(), &public].concat();
    let held = SigningKey::from_seed(team.rings[2].controls()[0].expose());
    let signature = Some(*held.sign(crate::crypto::labels::SIGN_NEXT_CONTROL, &message).as_bytes());
    let secret = RecordsSecret::make(&team.env);
    let draft = TurnDraft {
        team: team.rings[2].team(),
        parents: vec![turn::Turn::id(team.rings[2].book().known().max_by_key(|turn| team.rings[2].book().number(&turn.id())).unwrap())],
        recipients: Vec::new(),
        log_heads: heads_before,
        day: team.day,
        control: Some(ControlChange { public, signature }),
    };
    let by_removed = Turn::write(team.rings[2].signer(), &secret, draft);
    let key = team.rings[1].receiving_public().unwrap();
    let to = turn::BoxFor { key: &key, class: RecipientClass::Records, control: Some(own.expose()) };
    let bytes = turn::announce(&team.env, &by_removed, &TurnSecret::Records(secret), &[to], &[], &[], false).unwrap();
    assert_eq!(team.rings[1].accept_announcement(&bytes, team.day), Err(TurnError::LacksBan));
    assert!(team.rings[1].book().knows(&by_removed.id()), "its signature by the first key is good");
    assert_eq!(team.rings[1].control_key(), Some(second), "and it does not come into force");
    assert!(!team.rings[1].take_control(own.expose()), "a seed that the chain does not prove");
    team.rings[0].forget_earlier_controls();
    assert_eq!(team.rings[0].controls().len(), 1);
}

#[test]
fn an_operation_that_waits_is_kept_over_a_restart() {
    let mut team = Team::new(Env::system(), &[Role::Steward]);
    let day = team.day;
    let first = team.rings[0].write_operation(Action::Suspend { member: member(1), cuts: Vec::new() }, day).unwrap();
    let second = team.rings[0].write_operation(Action::Reinstate { member: member(1) }, day).unwrap();
    let merge = team.rings[1].merge_operations(&[second.to_bytes()]);
    assert_eq!((merge.accepted, merge.held), (0, 1));
    assert!(team.rings[1].take_changes().held_operations);
    let ring = &team.rings[1];
    let parts = KeyringParts {
        kept_operations: ring.log().operations().filter_map(|operation| ring.log().to_keep(&operation.id())).collect(),
        operations: Vec::new(),
        kept: ring.book().to_keep(),
        turns: Vec::new(),
        secrets: ring.secrets(),
        frontiers: ring.frontiers().clone(),
        state: ring.state().clone(),
        held_operations: ring.held_operations(),
    };
    let signer = SigningKey::from_seed(ring.signer().expose_seed());
    let mut again = Keyring::open(&team.env, ring.team(), signer, parts).unwrap();
    assert_eq!(again.log().missing().into_iter().collect::<Vec<_>>(), vec![first.id()]);
    assert_eq!(again.merge_operations(&[first.to_bytes()]).accepted, 2);
}

#[test]
fn a_frontier_says_which_turn_it_seals_under() {
    let mut team = Team::new(Env::system(), &[Role::Worker]);
    let (head, day) = (team.head(0), team.day);
    let frontier = team.rings[0].own_frontier(&[head], day, true).unwrap();
    let named = Frontier::from_bytes(&frontier).unwrap().content().turn.unwrap();
    assert_eq!(named[..], team.usable(0).unwrap().as_bytes()[..8]);
}
