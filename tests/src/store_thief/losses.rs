//! What goes wrong between a phone and the relay, and what is left when every phone is lost.

use super::crew::Crew;
use super::evidence::Found;
use crate::team::{Hub, Phone, passphrase};
use satchel_core::error::Error;
use satchel_core::recovery::{PaperShare, Purpose};
use satchel_core::screen::ShortText;
use satchel_core::store::{Credentials, FileKeystore, KeyCost, KeyProtector, Recovering, RecoveryStatus, RelayAnswer, RelayError, Store};
use satchel_wire::frame::{Endpoint, Frame, Pulled};
use satchel_wire::row::{Lane, Row};
use std::sync::{Arc, PoisonError};

/// What a relay keeps from a phone, in one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Nothing.
    Nothing,
    /// The phone sees so many answers; the relay has acted on one more.
    After(usize),
    /// Every row: the phone only pushes.
    Everything,
    /// All rows of a lane.
    Lane(Lane),
    /// One in three rows with records, by its id.
    SomeRecords,
}

impl Loss {
    fn takes(self, row: &Row) -> bool {
        match self {
            Self::Everything => true,
            Self::Lane(lane) => row.lane() == lane,
            Self::SomeRecords => row.lane() == Lane::Records && row.id().as_bytes()[0].is_multiple_of(3),
            Self::Nothing | Self::After(_) => false,
        }
    }

    /// An exchange. Whether it came to its end. Somebody looks at the phone's files after every answer.
    pub(super) fn exchange(self, hub: &Hub, phone: &Phone, look: &mut dyn FnMut()) -> Result<bool, RelayError> {
        let mut link = phone.unlocked.relay_exchange()?;
        for seen in 0.. {
            let Some((endpoint, request)) = link.next_request()? else { return Ok(true) };
            let answer = match hub.relay.answer(endpoint, &request) {
                Ok(body) => {
                    hub.traffic.lock().unwrap_or_else(PoisonError::into_inner).push((endpoint, request, body.clone()));
                    RelayAnswer::Ok(self.thin(endpoint, body))
                }
                Err(problem) => RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
            };
            if self == Self::After(seen) {
                return Ok(false);
            }
            link.receive(&answer)?;
            look();
        }
        Ok(false)
    }

    fn thin(self, endpoint: Endpoint, body: Vec<u8>) -> Vec<u8> {
        if !matches!(endpoint, Endpoint::Pull | Endpoint::Rows) {
            return body;
        }
        let Ok(mut pulled) = Pulled::from_bytes(&body) else { return body };
        pulled.rows.retain(|row| !self.takes(row));
        pulled.to_bytes()
    }
}

/// The same papers, read again.
fn typed(papers: &[&PaperShare]) -> Vec<PaperShare> {
    papers.iter().filter_map(|paper| PaperShare::read(&paper.to_line()).ok()).collect()
}

impl Crew {
    /// A steward prints a recovery key, 2 of 3. The thief gets every paper.
    pub fn set_up_recovery(&mut self, by: usize) -> Result<(), Error> {
        let store = self.phones[by].store();
        let shares = store.set_up_recovery(2, 3)?;
        let seed = PaperShare::join(&shares[1..], Purpose::Recovery, Some(&store.team()?.team))?;
        self.papers.insert(*seed);
        self.evidence.paper(*seed);
        self.shares.extend(shares);
        self.touch(by);
        Ok(())
    }

    /// A board phone writes a package. Returns its name in the thief's collection.
    pub fn export_recovery(&mut self, by: usize) -> Option<[u8; 32]> {
        let store = self.phones[by].store();
        let package = store.export_recovery().ok()?;
        // of two keys that were printed at about the same time one is in force, and the board can say which papers are its
        let Ok(RecoveryStatus::SetUp { set, .. }) = store.recovery_status() else { return None };
        let shares: Vec<&PaperShare> = self.shares.iter().filter(|share| share.set() == set).collect();
        let shares = typed(&shares);
        let name = self.evidence.package(&package);
        self.package = Some((package, shares));
        self.touch(by);
        Some(name)
    }

    /// What a package opens together with all papers and everything that ever passed; without any phone.
    pub fn open_package(&mut self, name: [u8; 32]) -> Found {
        let mut start = self.papers.clone();
        start.insert(name);
        self.evidence.follow(&start)
    }

    /// What all papers and everything that ever passed give to a thief without a phone.
    pub fn open_papers(&mut self) -> Found {
        let start = self.papers.clone();
        self.evidence.follow(&start)
    }

    /// All phones but the board's are lost: a new one is made of the last package. Returns its number.
    pub fn recover(&mut self) -> Result<usize, Error> {
        let number = self.phones.len();
        let (env, clock, keystore, dir) = self.place(number);
        let protector: Arc<dyn KeyProtector> = Arc::new(FileKeystore::new(&keystore, env.clone()));
        let passphrase = passphrase();
        let credentials = Credentials { passphrase: &passphrase, protector: Some(protector), cost: KeyCost::Least };
        let (package, shares) = self.package.take().unwrap_or_default();
        let reseat: Vec<PaperShare> = self.reseat.take().into_iter().collect();
        let name = ShortText::parse("New steward").expect("a clean text");
        let recovering =
            Recovering { package: &package, shares: &shares[..2.min(shares.len())], reseat: &reseat, relay: None, member_name: &name };
        let recovered = Store::recover(&dir, env.clone(), &credentials, &recovering)?;
        self.reseat = Some(recovered.reseat_paper);
        self.add(Phone { name: format!("phone {number}"), unlocked: recovered.unlocked, clock, env, dir }, keystore, number);
        Ok(number)
    }
}
