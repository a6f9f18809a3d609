//! Histories of the team log with real signatures: made at random or from a script, and told to the reference in
//! `tests/fold/reference.py`.

use crate::team::{SeededRandomness, SetClock};
use satchel_core::complaint::{Bulletin, BulletinDraft};
use satchel_core::consent::charter::{Agreement, AgreementWith};
use satchel_core::consent::{Charter, GatedCategory};
use satchel_core::crypto::{ReceivingKey, SigningKey};
use satchel_core::env::Env;
use satchel_core::team::operation::Token;
use satchel_core::team::{Action, Awaiting, Cut, DeviceKeys, Log, Operation, Role, Standing, TeamState};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{BodyId, DeviceId, MemberId, OperationId, TeamId};
use serde_json::{Map, Value, json};

/// Hexadecimal text.
pub fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// Numbers from a seed (SplitMix64).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The numbers of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }
    /// The next one.
    pub const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// Below a bound.
    pub const fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound as u64) as usize
    }
    /// One of some things.
    pub fn pick<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        let at = self.below(things.len());
        &things[at]
    }
    /// In another order.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for at in (1..things.len()).rev() {
            let other = self.below(at + 1);
            things.swap(at, other);
        }
    }
}

/// Devices that a cast has: the founder's, and those that histories admit.
pub const DEVICES: usize = 10;
/// Members that a cast has.
pub const MEMBERS: usize = 7;

/// The keys of everybody who may turn up; making them costs more than a thousand operations.
#[derive(Debug)]
pub struct Cast {
    /// Phones: 0 to 4 are those of the prologue.
    pub devices: Vec<SigningKey>,
    /// Paper keys: 0 is the founding's.
    pub paper: Vec<SigningKey>,
    receiving: Vec<u8>,
    day: ShiftDay,
    /// Keys that sign bulletins.
    boards: Vec<SigningKey>,
    /// Bulletins: one of each board for the team, one for another team, and bytes that are none.
    bulletins: Vec<Vec<u8>>,
}

impl Default for Cast {
    fn default() -> Self {
        let key = |n: u8| SigningKey::from_seed(&[n; 32]);
        let public = ReceivingKey::from_seed(&[0x45; 32]).public_key().expect("a key");
        let day = ShiftDay::from_days(20_000);
        let mut cast = Self {
            devices: (1..=DEVICES as u8).map(key).collect(),
            paper: (0x60..0x63).map(key).collect(),
            receiving: public.as_bytes().to_vec(),
            day,
            boards: (0x70..0x72).map(key).collect(),
            bulletins: Vec::new(),
        };
        let env = Env::new(SetClock::at(0), SeededRandomness::new(0, "bulletins"));
        let team = cast.founding().team();
        let bulletin = |board: &SigningKey, team: TeamId| {
            let draft = BulletinDraft { team, number: 1, day, due: day.plus(31), previous: [0; 32], receiving: &public, lines: Vec::new() };
            Bulletin::write(&env, board, &draft).expect("a bulletin").as_bytes().to_vec()
        };
        let other = TeamId::from_bytes([9; 16]);
        cast.bulletins =
            cast.boards.iter().map(|board| bulletin(board, team)).chain([bulletin(&cast.boards[0], other), vec![0; 64]]).collect();
        cast
    }
}

impl Cast {
    /// A device's id.
    pub fn device(&self, n: usize) -> DeviceId {
        self.devices[n].verifying_key().device_id()
    }
    /// A device's keys.
    pub fn keys(&self, n: usize) -> DeviceKeys {
        DeviceKeys { signing: *self.devices[n].verifying_key().as_bytes(), receiving: self.receiving.clone() }
    }
    /// A cut of a device.
    pub fn cut(&self, n: usize, sequence: u32) -> Cut {
        let body = (sequence > 0).then(|| BodyId::from_bytes([sequence as u8; 32]));
        Cut { device: self.device(n), sequence, body }
    }
    /// A charter: the strictest, changed.
    pub fn charter(&self, change: impl FnOnce(&mut Charter)) -> Charter {
        let mut charter = Charter::strictest("UTC", self.day);
        change(&mut charter);
        charter
    }
    /// The founding: member 0 with device 0, paper 0.
    pub fn founding(&self) -> Operation {
        let action = Action::Found {
            member: member(0),
            device: self.keys(0),
            charter: self.charter(|_| ()),
            reseat: *self.paper[0].verifying_key().as_bytes(),
            salt: [7; 16],
        };
        Operation::write(&self.devices[0], None, vec![], self.day, action)
    }
    /// An operation by a device.
    pub fn write(&self, team: TeamId, author: usize, parents: Vec<OperationId>, action: Action) -> Operation {
        Operation::write(&self.devices[author], Some(team), parents, self.day, action)
    }
    /// An operation by a paper key.
    pub fn write_on_paper(&self, team: TeamId, paper: usize, parents: Vec<OperationId>, action: Action) -> Operation {
        Operation::write(&self.paper[paper], Some(team), parents, self.day, action)
    }
    /// Admits member `n` with device `n`.
    pub fn admit(&self, n: usize, role: Role) -> Action {
        Action::Admit { member: member(n), device: self.keys(n), role, invitation: [n as u8; 16] }
    }
    /// The founding and, one after the other, two more stewards, a worker and somebody of the board: the first `count`.
    pub fn prologue(&self, count: usize) -> Vec<Operation> {
        let mut operations = vec![self.founding()];
        let team = operations[0].team();
        for (n, role) in [(1, Role::Steward), (2, Role::Steward), (3, Role::Worker), (4, Role::Board)] {
            let parent = operations[operations.len() - 1].id();
            operations.push(self.write(team, 0, vec![parent], self.admit(n, role)));
        }
        operations.truncate(count);
        operations
    }

    /// A random history, refused operations included, parents first.
    pub fn history(&self, seed: u64, length: usize) -> Vec<Operation> {
        let mut dice = Dice::new(seed);
        let start = if dice.below(4) == 0 { 1 + dice.below(4) } else { 5 };
        let mut operations = self.prologue(start);
        let team = operations[0].team();
        let mut log = Log::replay(team, operations.clone()).expect("a founding");
        while operations.len() < start + length {
            let accepted: Vec<OperationId> = log.operations().map(Operation::id).collect();
            let recent = &accepted[accepted.len().saturating_sub(5).max(start - 1)..];
            let parents: Vec<OperationId> = match dice.below(4) {
                0 => log.heads(),
                1 => vec![*dice.pick(recent), *dice.pick(recent)],
                2 => vec![accepted[start - 1]],
                _ => vec![*dice.pick(recent)],
            };
            let state = log.state_at(parents[0].as_bytes().first_chunk().expect("32 bytes")).expect("known");
            let standing: Vec<usize> = (0..DEVICES).filter(|n| state.device_role(self.device(*n)).is_some()).collect();
            // now and then by somebody who may not
            let author = if dice.below(12) == 0 || standing.is_empty() { dice.below(DEVICES) } else { *dice.pick(&standing) };
            let operation = if dice.below(10) == 0 {
                let paper = if dice.below(3) == 0 { dice.below(self.paper.len()) } else { 0 };
                self.write_on_paper(team, paper, parents, self.reseat(&mut dice))
            } else {
                let action = self.action(&mut dice, &state, &accepted);
                self.write(team, author, parents, action)
            };
            if !operations.iter().any(|known| known.id() == operation.id()) {
                log.insert(operation.clone());
                operations.push(operation);
            }
        }
        operations
    }

    fn reseat(&self, dice: &mut Dice) -> Action {
        let remove = (0..dice.below(3)).map(|at| self.cut((at * 3 + dice.below(3)) % DEVICES, dice.below(4) as u32)).collect();
        let device = (dice.below(2) == 0).then(|| self.keys(5 + dice.below(DEVICES - 5)));
        let steward = (device.is_some() || dice.below(2) == 0).then(|| member(dice.below(MEMBERS)));
        let key = |n: usize| *self.paper[n].verifying_key().as_bytes();
        let control = (dice.below(2) == 0).then(|| key(dice.below(3)));
        Action::Reseat { remove, steward, device, control, next: (dice.below(2) == 0).then(|| key(dice.below(3))) }
    }

    fn action(&self, dice: &mut Dice, state: &TeamState, known: &[OperationId]) -> Action {
        let role = Role::ALL[dice.below(3)];
        let somebody = dice.below(MEMBERS.min(6));
        let of_member = |n: usize| {
            let devices = (0..DEVICES).filter(|d| state.devices.get(&self.device(*d)).is_some_and(|device| device.member == member(n)));
            devices.collect::<Vec<_>>()
        };
        let cuts = |dice: &mut Dice| -> Vec<Cut> {
            let some = dice.below(3) > 0;
            of_member(somebody).into_iter().filter(|_| some).map(|n| self.cut(n, dice.below(5) as u32)).collect()
        };
        match dice.below(28) {
            0..3 => {
                let device = 5 + dice.below(DEVICES - 5);
                let (of, invitation) = (dice.below(MEMBERS), 20 + dice.below(6) as u8);
                let role = state.members.get(&member(of)).filter(|_| dice.below(8) > 0).map_or(role, |known| known.role);
                Action::Admit { member: member(of), device: self.keys(device), role, invitation: [invitation; 16] }
            }
            3..5 => Action::ChangeRole { member: member(somebody), role, cuts: cuts(dice) },
            5..7 => Action::Suspend { member: member(somebody), cuts: cuts(dice) },
            7..10 => Action::RemoveMember { member: member(somebody), cuts: cuts(dice) },
            10 => Action::RemoveDevice { cut: self.cut(dice.below(DEVICES), dice.below(4) as u32) },
            11 => Action::Adopt { bodies: (0..dice.below(3)).map(|n| BodyId::from_bytes([n as u8; 32])).collect() },
            12..15 => self.tombstone(dice),
            15..19 => {
                let waiting: Vec<OperationId> = state.awaiting_countersign.keys().copied().collect();
                let operation = if waiting.is_empty() || dice.below(4) == 0 { *dice.pick(known) } else { *dice.pick(&waiting) };
                Action::Countersign { operation }
            }
            19..22 => Action::ChangeCharter { charter: self.changed_charter(dice, state) },
            22..24 => {
                let out: Vec<MemberId> =
                    state.members.iter().filter(|(_, of)| of.standing == Standing::Suspended).map(|(id, _)| *id).collect();
                Action::Reinstate { member: if out.is_empty() { member(somebody) } else { *dice.pick(&out) } }
            }
            24 => self.bulletin(dice, state),
            26 => Action::Join,
            25 => Action::Resume { cut: self.cut(dice.below(6), if dice.below(8) == 0 { u32::MAX } else { dice.below(4) as u32 }) },
            _ => {
                let key = (dice.below(4) > 0).then(|| self.receiving.clone());
                let (threshold, shares) = if key.is_some() { (2 + dice.below(2) as u8, 2 + dice.below(3) as u8) } else { (0, 0) };
                Action::SetRecovery { key, threshold, shares }
            }
        }
    }

    /// A charter that changes some of the one in force, or of the strictest.
    pub fn changed_charter(&self, dice: &mut Dice, state: &TeamState) -> Charter {
        let in_force = state.charter.as_ref().filter(|_| dice.below(3) > 0).cloned();
        let mut charter = in_force.unwrap_or_else(|| self.charter(|_| ()));
        for _ in 0..1 + dice.below(3) {
            self.change(dice, &mut charter);
        }
        charter
    }

    fn change(&self, dice: &mut Dice, charter: &mut Charter) {
        let day = |dice: &mut Dice| (dice.below(4) > 0).then(|| self.day.plus(90 + dice.below(3) as u16));
        match dice.below(15) {
            0 => charter.retention.encounter_days = 60 + dice.below(32) as u16,
            1 => charter.absence_limit_days = 19 + dice.below(3) as u16,
            2 => charter.sunset = charter.sunset.plus(dice.below(3) as u16),
            3 => charter.suppression = 9 + dice.below(3) as u16,
            4 => charter.time_zone = dice.pick(&["UTC", "Europe/Madrid"]).to_string(),
            5..7 => charter.board_key = (dice.below(3) > 0).then(|| vec![dice.below(2) as u8; 1_216]),
            7..9 => {
                charter.board_signing = (dice.below(5) > 0).then(|| *self.boards[dice.below(2)].verifying_key().as_bytes());
            }
            9 => {
                let mut lines: Vec<String> =
                    (0..dice.below(20)).map(|_| dice.pick(&["", "a", " b", "c\n", "d", "e", "f", "ñ"]).to_string()).collect();
                if dice.below(4) > 0 {
                    lines.retain(|line| line.trim() == line && !line.is_empty());
                    lines.sort();
                    lines.dedup();
                }
                charter.funders = (dice.below(4) > 0).then_some(lines);
            }
            10 => {
                let few = |dice: &mut Dice| Agreement { with: *dice.pick(&AgreementWith::ALL), what: format!("{}", dice.below(20)) };
                let mut lines: Vec<Agreement> = (0..dice.below(12)).map(|_| few(dice)).collect();
                lines.sort();
                if dice.below(6) > 0 {
                    lines.dedup();
                }
                charter.agreements = (dice.below(5) > 0).then_some(lines);
            }
            11 => charter.reviewed = day(dice),
            12 => charter.review_due = day(dice),
            13 => {
                charter.grant_days.record = [0, 179, 180, 181, 367][dice.below(5)];
                charter.grant_days.share = [1, 89, 90, 91, 366][dice.below(5)];
            }
            _ => {
                let some = |_: &GatedCategory| dice.below(3) > 0;
                charter.categories = GatedCategory::ALL.iter().copied().filter(some).collect();
                if dice.below(8) == 0 {
                    charter.categories.reverse();
                }
                charter.justice_shares = dice.below(2) == 0;
            }
        }
    }

    /// A bulletin, mostly of the board that the charter names.
    pub fn bulletin(&self, dice: &mut Dice, state: &TeamState) -> Action {
        let named = state.charter.as_ref().and_then(|charter| charter.board_signing);
        let of_board = self.boards.iter().position(|board| Some(*board.verifying_key().as_bytes()) == named);
        let at = of_board.filter(|_| dice.below(3) > 0).unwrap_or_else(|| dice.below(self.bulletins.len()));
        Action::Bulletin { bytes: self.bulletins[at].clone() }
    }

    fn tombstone(&self, dice: &mut Dice) -> Action {
        let token = || Token([1; 16]);
        let mut records: Vec<Token> = (0..[0, 0, 8, 32, 7][dice.below(5)]).map(|n| Token([n; 16])).collect();
        if dice.below(6) == 0 {
            records.reverse();
        }
        Action::Tombstone {
            salt: [dice.below(250) as u8; 16],
            records,
            subject: (dice.below(2) == 0).then(token),
            category: (dice.below(5) == 0).then(token),
            team: dice.below(6) == 0,
            successor: (dice.below(6) == 0).then(token),
        }
    }

    /// The ids under which paper and phones sign, by key: what the reference cannot derive.
    pub fn key_ids(&self) -> Value {
        let pair = |key: &SigningKey| (hex(key.verifying_key().as_bytes()), json!(key.verifying_key().device_id().to_string()));
        Value::Object(self.devices.iter().chain(&self.paper).map(pair).collect())
    }
}

/// Member number `n`.
pub const fn member(n: usize) -> MemberId {
    MemberId::from_bytes([n as u8 + 1; 16])
}

fn cut_json(cut: &Cut) -> Value {
    json!([cut.device.to_string(), cut.sequence, cut.body.map(|body| hex(body.as_bytes()))])
}

/// A thing's place in a list of all: in JSON it keeps the order.
fn place<T: PartialEq>(all: &[T], thing: &T) -> Option<usize> {
    all.iter().position(|known| known == thing)
}

fn charter_json(charter: &Charter) -> Value {
    let agreements = charter
        .agreements
        .as_ref()
        .map(|all| all.iter().map(|line| json!([place(&AgreementWith::ALL, &line.with), line.what])).collect::<Vec<_>>());
    json!({
        "time_zone": charter.time_zone, "encounter": charter.retention.encounter_days, "zone": charter.retention.zone_days,
        "participant": charter.retention.participant_days, "sunset": charter.sunset.days(), "absence": charter.absence_limit_days,
        "suppression": charter.suppression, "board_key": charter.board_key.as_ref().map(|key| key[0]),
        "board_signing": charter.board_signing.map(|key| hex(&key)), "funders": charter.funders, "agreements": agreements,
        "reviewed": charter.reviewed.map(|day| day.days()), "review_due": charter.review_due.map(|day| day.days()),
        "record_grant": charter.grant_days.record, "share_grant": charter.grant_days.share, "justice": charter.justice_shares,
        "categories": charter.categories.iter().map(|category| place(GatedCategory::ALL, category)).collect::<Vec<_>>(),
    })
}

/// An operation as the reference reads it. Ids are in hexadecimal, so that their order is that of the bytes.
pub fn operation_json(operation: &Operation) -> Value {
    let device = |keys: &DeviceKeys| {
        let key = satchel_core::crypto::VerifyingKey::from_bytes(&keys.signing).expect("a key");
        json!({ "id": key.device_id().to_string() })
    };
    let cuts = |cuts: &[Cut]| cuts.iter().map(cut_json).collect::<Vec<_>>();
    let bytes = |key: &Option<[u8; 32]>| key.map(|key| hex(&key));
    let member = |member: &MemberId| member.to_string();
    let action = match operation.action() {
        Action::Found { member: of, device: keys, charter, reseat, .. } => json!({
            "kind": "found", "member": member(of), "device": device(keys), "charter": charter_json(charter), "reseat": hex(reseat),
        }),
        Action::Admit { member: of, device: keys, role, invitation } => json!({
            "kind": "admit", "member": member(of), "device": device(keys), "role": role.as_str(), "invitation": hex(invitation),
        }),
        Action::ChangeRole { member: of, role, cuts: named } => {
            json!({ "kind": "change_role", "member": member(of), "role": role.as_str(), "cuts": cuts(named) })
        }
        Action::Suspend { member: of, cuts: named } => json!({ "kind": "suspend", "member": member(of), "cuts": cuts(named) }),
        Action::RemoveMember { member: of, cuts: named } => json!({ "kind": "remove_member", "member": member(of), "cuts": cuts(named) }),
        Action::RemoveDevice { cut } => json!({ "kind": "remove_device", "cut": cut_json(cut) }),
        Action::Adopt { bodies } => {
            json!({ "kind": "adopt", "bodies": bodies.iter().map(|body| hex(body.as_bytes())).collect::<Vec<_>>() })
        }
        Action::Reseat { remove, steward, device: keys, control, next } => json!({
            "kind": "reseat", "remove": cuts(remove), "steward": steward.as_ref().map(member), "device": keys.as_ref().map(device),
            "control": bytes(control), "next": bytes(next),
        }),
        Action::Tombstone { records, subject, category, team, successor, .. } => json!({
            "kind": "tombstone", "records": records.len(), "sorted": records.is_sorted(), "subject": subject.is_some(), "category": category.is_some(), "team": team,
            "successor": successor.is_some(),
        }),
        Action::Countersign { operation } => json!({ "kind": "countersign", "operation": hex(operation.as_bytes()) }),
        Action::ChangeCharter { charter } => json!({ "kind": "change_charter", "charter": charter_json(charter) }),
        Action::Reinstate { member: of } => json!({ "kind": "reinstate", "member": member(of) }),
        Action::Resume { cut } => json!({ "kind": "resume", "cut": cut_json(cut) }),
        Action::SetRecovery { key, threshold, shares } => {
            json!({ "kind": "set_recovery", "key": key.as_ref().map(|key| hex(&key[..8])), "threshold": threshold, "shares": shares })
        }
        Action::Join => json!({ "kind": "join" }),
        Action::Bulletin { bytes } => {
            let bulletin = Bulletin::from_bytes(bytes).ok();
            let of_team = bulletin.as_ref().is_some_and(|bulletin| bulletin.team() == operation.team());
            json!({ "kind": "bulletin", "board": bulletin.map(|bulletin| hex(bulletin.board())), "of_team": of_team })
        }
    };
    json!({
        "id": hex(operation.id().as_bytes()), "parents": operation.parents().iter().map(|id| hex(id.as_bytes())).collect::<Vec<_>>(),
        "author": operation.author().to_string(), "day": operation.day().days(), "action": action,
    })
}

/// A state as the reference writes it.
pub fn state_json(state: &TeamState) -> Value {
    let standing = |standing: Standing| match standing {
        Standing::Active => "active",
        Standing::Suspended => "suspended",
        Standing::Removed => "removed",
    };
    let id = |id: &OperationId| hex(id.as_bytes());
    let members: Map<String, Value> = state
        .members
        .iter()
        .map(|(key, of)| {
            (key.to_string(), json!({ "role": of.role.as_str(), "standing": standing(of.standing), "was_steward": of.was_steward }))
        })
        .collect();
    let devices: Map<String, Value> = state
        .devices
        .iter()
        .map(|(key, of)| {
            let bans: Vec<String> = of.bans.iter().map(id).collect();
            let value = json!({
                "member": of.member.to_string(), "standing": standing(of.standing), "cut": of.cut.as_ref().map(cut_json),
                "admitted": id(&of.admitted), "bans": bans,
            });
            (key.to_string(), value)
        })
        .collect();
    let awaiting: Map<String, Value> = state
        .awaiting_countersign
        .iter()
        .map(|(key, what)| {
            let word = match what {
                Awaiting::Removal => "removal",
                Awaiting::Reinstatement => "reinstatement",
                Awaiting::Charter => "charter",
                Awaiting::Erasure => "erasure",
            };
            (id(key), json!(word))
        })
        .collect();
    let tombstones: Map<String, Value> = state.tombstones.iter().map(|(key, of)| (id(key), json!(of.effective))).collect();
    let resumed: Map<String, Value> = state.resumed.iter().map(|(device, cut)| (device.to_string(), cut_json(cut))).collect();
    let recovery = state
        .recovery
        .as_ref()
        .map(|recovery| json!({ "key": hex(&recovery.key[..8]), "threshold": recovery.threshold, "shares": recovery.shares }));
    json!({
        "members": members, "devices": devices, "bans": state.bans.iter().map(id).collect::<Vec<_>>(), "tombstones": tombstones,
        "awaiting": awaiting, "adopted": state.adopted.iter().map(|body| hex(body.as_bytes())).collect::<Vec<_>>(), "resumed": resumed,
        "invitations": state.invitations.iter().map(|id| hex(id)).collect::<Vec<_>>(), "reseat": hex(&state.reseat),
        "control": state.control.map(|key| hex(&key)), "recovery": recovery, "charter": state.charter.as_ref().map(charter_json),
    })
}
