//! The slow thief: what some secrets lead to, worked out from nothing. It remembers no failure, asks no index, and tries
//! every receiving key on every box and every turn on every cover and page. What it finds the quick one must have found.

use super::thief::{Loot, Thief, page_aad};
use super::traffic::{Parcel, Traffic};
use super::world::{Phone, World};
use satchel_core::crypto::{self, LaneKey, ReceivingKey, RecordKey};
use satchel_core::envelope;
use satchel_core::team::TurnSecret;
use satchel_core::team::escrow::EscrowBoxes;
use satchel_core::team::turn::open_announcement;
use satchel_wire::ids::{RecordId, TeamId, TurnId};
use std::collections::{BTreeMap, BTreeSet};

/// What secrets lead to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Turns whose records secret follows.
    pub turns: BTreeSet<TurnId>,
    /// Record keys, by record and key id.
    pub keys: BTreeSet<(RecordId, [u8; 8])>,
    /// Parcels that open, by their number in the traffic.
    pub parcels: BTreeSet<usize>,
}

impl Thief {
    /// What the quick thief says that some secrets lead to.
    fn reach(&self, loot: &Loot) -> Reach {
        Reach { turns: self.turns_of(loot), keys: self.keys_of(loot), parcels: self.parcels_of(loot) }
    }

    /// The same from scratch. Of the quick one it takes the paper and the secrets that were in the phone's own root.
    fn reach_slowly(&self, team: TeamId, traffic: &Traffic, loot: &Loot) -> Reach {
        let mut lanes: BTreeMap<TurnId, LaneKey> =
            loot.turns.iter().filter_map(|turn| Some((*turn, self.lane(turn)?.duplicate()))).collect();
        for seed in &loot.seeds {
            let key = ReceivingKey::from_seed(seed);
            for sent in &traffic.sent {
                let Parcel::Announcement(bytes) = &sent.parcel else { continue };
                let Ok(opened) = open_announcement(team, std::slice::from_ref(&key), bytes) else { continue };
                let escrowed = EscrowBoxes::of(opened.turn.id(), opened.recovery);
                let by_paper = self.paper.iter().flat_map(|paper| escrowed.open(paper, team));
                let by_paper = by_paper.map(|(id, secret)| (id, TurnSecret::Records(secret)));
                let secrets: Vec<_> = by_paper.chain([(opened.turn.id(), opened.secret)]).collect();
                lanes.extend(secrets.into_iter().filter_map(|(id, secret)| Some((id, secret.records_lane_key()?))));
            }
        }
        let mut reach = Reach { turns: lanes.keys().copied().collect(), keys: loot.keys.clone(), parcels: BTreeSet::new() };
        for lane in lanes.values() {
            for (number, sent) in traffic.sent.iter().enumerate() {
                let keys: Vec<_> = match &sent.parcel {
                    Parcel::Record(row) => {
                        let covered = envelope::open_row(team, lane, row);
                        covered.iter().map(|covered| (covered.binding.record, covered.binding.key_id)).collect()
                    }
                    Parcel::Page(lines) => {
                        let opens = |line: &&super::traffic::PageLine| {
                            crypto::unwrap::<LaneKey, RecordKey>(lane, &page_aad(team, &line.binding.record), &line.wrapped).is_ok()
                        };
                        lines.iter().filter(opens).map(|line| (line.binding.record, line.binding.key_id)).collect()
                    }
                    Parcel::Announcement(_) | Parcel::Notice(_) => continue,
                };
                if !keys.is_empty() {
                    reach.parcels.insert(number);
                    reach.keys.extend(keys);
                }
            }
        }
        reach
    }
}

impl World {
    /// Compares both thieves on something of every phone.
    pub fn cross_check(&mut self, what: impl Fn(&Phone) -> &Loot) {
        let team = self.team();
        self.thief.study(team, &self.traffic);
        for phone in &self.phones {
            let loot = what(phone);
            let slow = self.thief.reach_slowly(team, &self.traffic, loot);
            assert_eq!(self.thief.reach(loot), slow, "the quick thief and the slow one part at phone {}", phone.number);
            self.outcome.cross_checked += slow.turns.len() + slow.keys.len() + slow.parcels.len();
        }
    }
}
