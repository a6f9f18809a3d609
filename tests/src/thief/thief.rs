//! The thief: every byte of the traffic, one phone's secrets, and every key tried on every ciphertext.
//!
//! Nothing here asks the simulator what a key opens: covers, pages and boxes are opened with the core's own functions.
//! Each pair of key and ciphertext is tried once and remembered, or "at every instant" could not be afforded. Boxes cost
//! a thousand times more than covers, so the thief looks at the eight bytes of a key's hash that every turn states of
//! its recipients, and tries those; in exhaustive runs it tries all, and the two must agree.

use super::traffic::{Parcel, Traffic};
use satchel_core::crypto::{self, Aad, LaneKey, ReceivingKey, RecordKey, labels};
use satchel_core::envelope::{self, Covered};
use satchel_core::team::TurnSecret;
use satchel_core::team::escrow::EscrowBoxes;
use satchel_core::team::frontier::receiving_hash;
use satchel_core::team::keyring::KeyringSecrets;
use satchel_core::team::turn::open_announcement;
use satchel_wire::ids::{BodyId, RecordId, TeamId, TurnId};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Secrets that somebody has in hand.
#[derive(Debug, Clone, Default)]
pub struct Loot {
    /// Seeds of receiving keys.
    pub seeds: BTreeSet<[u8; 32]>,
    /// Turns whose records secret is here.
    pub turns: BTreeSet<TurnId>,
    /// Record keys, by record and key id.
    pub keys: BTreeSet<(RecordId, [u8; 8])>,
}

impl Loot {
    /// Adds what another one has.
    pub fn absorb(&mut self, other: &Self) {
        self.seeds.extend(&other.seeds);
        self.turns.extend(&other.turns);
        self.keys.extend(&other.keys);
    }
}

struct SeedStudy {
    key: ReceivingKey,
    short: [u8; 8],
    tried: usize,
    turns: BTreeSet<TurnId>,
    /// Announcements that this key opens; those that the engine opened with it, on the phone that had it, first.
    opened: BTreeSet<usize>,
}

struct TurnStudy {
    lane: LaneKey,
    tried: usize,
    keys: BTreeMap<RecordId, BTreeSet<[u8; 8]>>,
    parcels: BTreeSet<usize>,
}

/// What the thief has worked out so far.
#[derive(Default)]
pub struct Thief {
    is_exhaustive: bool,
    /// The recovery key, put together from its shares.
    pub paper: Option<ReceivingKey>,
    seeds: BTreeMap<[u8; 32], SeedStudy>,
    turns: BTreeMap<TurnId, TurnStudy>,
    /// Turns that the paper opened in a board phone's boxes, by these: most looks at a phone find what was there before.
    escrow: Vec<(EscrowBoxes, Vec<TurnId>)>,
    /// Record keys that fell into its hands, and whether each really opened a body.
    pub keys: BTreeMap<(RecordId, [u8; 8]), Rc<RecordKey>>,
    /// Boxes, covers and pages that opened (count).
    pub opened: usize,
}

impl std::fmt::Debug for Thief {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Thief")
    }
}

impl Thief {
    /// A thief; an exhaustive one tries every receiving key on every box.
    pub fn new(is_exhaustive: bool) -> Self {
        Self { is_exhaustive, ..Self::default() }
    }

    /// Takes the secrets of a keyring into its collection. Returns them as loot.
    pub fn take(&mut self, team: TeamId, secrets: &KeyringSecrets) -> Loot {
        let mut loot = Loot::default();
        for seed in &secrets.receiving {
            let seed = *seed.expose();
            loot.seeds.insert(seed);
            self.seeds.entry(seed).or_insert_with(|| {
                let key = ReceivingKey::from_seed(&seed);
                let public = key.public_key().expect("a receiving key");
                SeedStudy {
                    key,
                    short: short(&receiving_hash(public.as_bytes())),
                    tried: 0,
                    turns: BTreeSet::new(),
                    opened: BTreeSet::new(),
                }
            });
        }
        loot.turns.extend(self.open_escrow(team, &secrets.escrow));
        for held in &secrets.turns {
            if self.know_turn(held.id, &held.secret()) {
                loot.turns.insert(held.id);
            }
        }
        loot
    }

    fn open_escrow(&mut self, team: TeamId, boxes: &EscrowBoxes) -> Vec<TurnId> {
        let Some(paper) = self.paper.as_ref().filter(|_| *boxes != EscrowBoxes::default()) else { return Vec::new() };
        if let Some((_, turns)) = self.escrow.iter().find(|(known, _)| known == boxes) {
            return turns.clone();
        }
        let opened = boxes.open(paper, team);
        let turns: Vec<TurnId> = opened.iter().map(|(id, _)| *id).collect();
        for (id, secret) in opened {
            self.know_turn(id, &TurnSecret::Records(secret));
        }
        self.escrow.push((boxes.clone(), turns.clone()));
        turns
    }

    /// Whether one of some keys is named: where none is, trying is left out, unless this thief is exhaustive.
    pub fn is_for(&self, loot: &Loot, keys: &[[u8; 8]]) -> bool {
        self.is_exhaustive || loot.seeds.iter().filter_map(|seed| self.seeds.get(seed)).any(|study| keys.contains(&study.short))
    }

    /// The engine opened a box with the only key that a phone had: the thief would as well.
    pub fn learn(&mut self, seed: &[u8; 32], parcel: usize, turn: TurnId) {
        if let Some(study) = self.seeds.get_mut(seed) {
            study.opened.insert(parcel);
            study.turns.insert(turn);
        }
    }

    fn know_turn(&mut self, id: TurnId, secret: &TurnSecret) -> bool {
        let Some(lane) = secret.records_lane_key() else { return false };
        assert_eq!(secret.commons().derive_turn_id(), id, "a turn's id commits to its secret");
        self.turns.entry(id).or_insert_with(|| TurnStudy { lane, tried: 0, keys: BTreeMap::new(), parcels: BTreeSet::new() });
        true
    }

    /// Tries everything that it has on everything that is new.
    pub fn study(&mut self, team: TeamId, traffic: &Traffic) {
        let mut found: Vec<(TurnId, TurnSecret)> = Vec::new();
        for study in self.seeds.values_mut() {
            for (number, sent) in traffic.sent.iter().enumerate().skip(study.tried) {
                let Parcel::Announcement(bytes) = &sent.parcel else { continue };
                let is_named = sent.keys.contains(&study.short);
                if !self.is_exhaustive && (!is_named || study.opened.contains(&number)) {
                    continue;
                }
                let opened = open_announcement(team, std::slice::from_ref(&study.key), bytes);
                assert!(is_named || opened.is_err(), "a box opens for whom its turn names, and for nobody else");
                if let Ok(opened) = opened {
                    self.opened += 1;
                    study.opened.insert(number);
                    let escrowed = EscrowBoxes::of(opened.turn.id(), opened.recovery);
                    for (id, secret) in self.paper.iter().flat_map(|paper| escrowed.open(paper, team)) {
                        study.turns.insert(id);
                        found.push((id, TurnSecret::Records(secret)));
                    }
                    if opened.secret.reads_records() {
                        study.turns.insert(opened.turn.id());
                        found.push((opened.turn.id(), opened.secret));
                    }
                }
            }
            study.tried = traffic.sent.len();
        }
        for (id, secret) in found {
            self.know_turn(id, &secret);
        }
        for (id, study) in &mut self.turns {
            for (number, sent) in traffic.sent.iter().enumerate().skip(study.tried) {
                let is_ours = sent.under == Some(*id);
                let covered = match &sent.parcel {
                    Parcel::Record(row) => match envelope::open_row(team, &study.lane, row) {
                        Ok(covered) => vec![covered],
                        Err(_) => Vec::new(),
                    },
                    Parcel::Page(lines) => {
                        let open = |line: &super::traffic::PageLine| {
                            let key =
                                crypto::unwrap::<LaneKey, RecordKey>(&study.lane, &page_aad(team, &line.binding.record), &line.wrapped)
                                    .ok()?;
                            let body = line.bodies.iter().find_map(|id| traffic.bodies.get(id).map(|sealed| (*id, sealed)))?;
                            Some(Covered { binding: line.binding, key, field: None, body_id: body.0, body: body.1.bytes.to_vec() })
                        };
                        lines.iter().filter_map(open).collect()
                    }
                    Parcel::Announcement(_) | Parcel::Notice(_) => continue,
                };
                debug_assert_eq!(!covered.is_empty(), is_ours, "what opens is what was sealed under this turn");
                for covered in covered {
                    self.opened += 1;
                    study.parcels.insert(number);
                    let name = (covered.binding.record, covered.binding.key_id);
                    study.keys.entry(name.0).or_default().insert(name.1);
                    self.keys.entry(name).or_insert_with(|| {
                        assert!(reads(team, &covered), "a key that opened nothing");
                        Rc::new(covered.key)
                    });
                }
            }
            study.tried = traffic.sent.len();
        }
    }

    /// The lane key of a turn whose secret it has.
    pub fn lane(&self, turn: &TurnId) -> Option<&LaneKey> {
        self.turns.get(turn).map(|study| &study.lane)
    }

    /// The turns that some loot leads to.
    pub fn turns_of(&self, loot: &Loot) -> BTreeSet<TurnId> {
        let mut turns = loot.turns.clone();
        turns.extend(loot.seeds.iter().filter_map(|seed| self.seeds.get(seed)).flat_map(|study| &study.turns));
        turns
    }

    /// Whether some loot opens a record that a test names; `None`: it does not, otherwise how.
    pub fn opens(&self, loot: &Loot, erased: &dyn Fn(&RecordId) -> bool) -> Option<String> {
        if let Some((record, _)) = loot.keys.iter().find(|(record, _)| erased(record)) {
            return Some(format!("its key of {record} is there"));
        }
        self.turns_of(loot).iter().find_map(|turn| {
            let study = self.turns.get(turn)?;
            let record = study.keys.keys().find(|record| erased(record))?;
            let how = if loot.turns.contains(turn) { "held" } else { "boxed" };
            Some(format!("turn {turn} ({how}) opens a cover of {record}"))
        })
    }

    /// Turns that the paper alone opens, with everything that was ever sent.
    pub fn by_paper(&self, team: TeamId, traffic: &Traffic) -> usize {
        let Some(paper) = &self.paper else { return 0 };
        let announced = traffic.sent.iter().filter_map(|sent| match &sent.parcel {
            Parcel::Announcement(bytes) => Some(bytes),
            _ => None,
        });
        announced.filter(|bytes| open_announcement(team, std::slice::from_ref(paper), bytes).is_ok()).count()
    }

    /// Record keys that some loot leads to.
    pub fn keys_of(&self, loot: &Loot) -> BTreeSet<(RecordId, [u8; 8])> {
        let mut keys = loot.keys.clone();
        for study in self.turns_of(loot).iter().filter_map(|turn| self.turns.get(turn)) {
            keys.extend(study.keys.iter().flat_map(|(record, ids)| ids.iter().map(|id| (*record, *id))));
        }
        keys
    }

    /// Announcements that some loot opens with a receiving key.
    pub fn announcements_of(&self, loot: &Loot) -> BTreeSet<usize> {
        loot.seeds.iter().filter_map(|seed| self.seeds.get(seed)).flat_map(|study| study.opened.iter().copied()).collect()
    }

    /// Parcels that some loot opens.
    pub fn parcels_of(&self, loot: &Loot) -> BTreeSet<usize> {
        self.turns_of(loot).iter().filter_map(|turn| self.turns.get(turn)).flat_map(|study| study.parcels.iter().copied()).collect()
    }

    /// Whether a key in its hands opens a body, by opening it.
    pub fn opens_body(&self, team: TeamId, traffic: &Traffic, key: &(RecordId, [u8; 8]), body: &BodyId) -> bool {
        let (Some(sealed), Some(key)) = (traffic.bodies.get(body), self.keys.get(key)) else { return false };
        envelope::open_body(team, &sealed.binding, key, &sealed.bytes).is_ok()
    }
}

fn reads(team: TeamId, covered: &Covered) -> bool {
    envelope::open_body(team, &covered.binding, &covered.key, &covered.body).is_ok()
}

/// Binds a line of a key page to its record.
pub fn page_aad(team: TeamId, record: &RecordId) -> Aad {
    Aad::new(labels::PAGE).add(team.as_bytes()).add(record.as_bytes())
}

/// The first 8 bytes of a receiving key's hash, as turns state them.
pub fn short(hash: &[u8; 32]) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&hash[..8]);
    short
}
