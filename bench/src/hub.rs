//! A real relay without HTTP around it, and a count of what phones bring it.

use crate::Fail;
use crate::satchel::MovedClock;
use satchel_core::env::Clock;
use satchel_core::store::{RelayAddress, RelayAnswer, RelayReport, Unlocked};
use satchel_relay::storage::Storage;
use satchel_relay::storage::sqlite::{Role, SqliteStorage};
use satchel_relay::{Config, Relay};
use satchel_wire::frame::{Endpoint, Frame, Push, Signed};
use satchel_wire::ids::MailboxId;
use satchel_wire::row::Lane;
use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

/// Longest row that carries a body in these workloads.
const BODY_ROW_MAX_BYTES: usize = 2_048;

/// What phones sent since the count was last taken (bytes, and how many rows where it matters).
#[derive(Debug, Default, Clone, Copy)]
pub struct Sent {
    /// Announcements: boxes, operations, past turns.
    pub announcements: usize,
    /// How many of them.
    pub announcement_count: usize,
    /// Rows of the commons lane: operations, frontiers with receiving keys, questions.
    pub commons: usize,
    /// How many of them.
    pub commons_count: usize,
    /// Rows of the records lane: bodies, pages, roots.
    pub records: usize,
    /// How many of them.
    pub records_count: usize,
    /// Of the records lane, rows of more than 2 KiB: in these workloads no body is that long, so they are pages and roots.
    pub pages: usize,
    /// How many of them.
    pub pages_count: usize,
    /// Everything else: requests around those rows, pulls, keys, deletions.
    pub around: usize,
}

impl Sent {
    /// Adds another count.
    pub const fn add(&mut self, other: &Self) {
        self.announcements += other.announcements;
        self.announcement_count += other.announcement_count;
        self.commons += other.commons;
        self.commons_count += other.commons_count;
        self.records += other.records;
        self.records_count += other.records_count;
        self.pages += other.pages;
        self.pages_count += other.pages_count;
        self.around += other.around;
    }
    /// Every byte that went up.
    pub const fn total(&self) -> usize {
        self.announcements + self.commons + self.records + self.around
    }
}

/// The relay.
pub struct Hub {
    relay: Relay,
    sent: RefCell<Sent>,
}

impl Hub {
    /// A relay with one mailbox, and its address.
    pub fn new(folder: &Path, clock: &Arc<MovedClock>) -> Result<(Self, RelayAddress), Fail> {
        let (mailbox, secret) = (MailboxId::from_bytes([0x42; 16]), [0x17; 16]);
        let storage = SqliteStorage::open(folder, Role::Command)?;
        storage.create_mailbox(&mailbox, 1 << 33, blake3::hash(&secret).as_bytes())?;
        drop(storage);
        let storage = Arc::new(SqliteStorage::open(folder, Role::Server)?);
        let clock = clock.clone();
        // the workload's clock moves by days, so nothing would flow back into the bucket in between
        let config = Config { burst_count: 1_000_000, ..Config::default() };
        let relay = Relay::new(storage, config, Arc::new(move || clock.unix_seconds()), Arc::new(|_| {}))?;
        let address = RelayAddress { url: "http://127.0.0.1:1".into(), mailbox, claim: Some(secret), pin: None };
        Ok((Self { relay, sent: RefCell::default() }, address))
    }

    /// What was sent since this was last asked.
    pub fn take_sent(&self) -> Sent {
        self.sent.take()
    }

    /// Counts what was taken once more.
    pub fn put_back(&self, taken: &[Sent]) {
        let mut sent = self.sent.borrow_mut();
        taken.iter().for_each(|taken| sent.add(taken));
    }

    fn count(&self, endpoint: Endpoint, request: &[u8]) -> Result<(), Fail> {
        let mut sent = self.sent.borrow_mut();
        let mut rest = request.len();
        match endpoint {
            Endpoint::Announce => {
                sent.announcements += request.len();
                sent.announcement_count += 1;
                return Ok(());
            }
            Endpoint::Push => {
                for row in Push::from_bytes(&Signed::from_bytes(request)?.body)?.rows {
                    let bytes = row.as_bytes().len();
                    rest = rest.saturating_sub(bytes);
                    if row.lane() == Lane::Commons {
                        (sent.commons, sent.commons_count) = (sent.commons + bytes, sent.commons_count + 1);
                    } else {
                        (sent.records, sent.records_count) = (sent.records + bytes, sent.records_count + 1);
                        if bytes > BODY_ROW_MAX_BYTES {
                            (sent.pages, sent.pages_count) = (sent.pages + bytes, sent.pages_count + 1);
                        }
                    }
                }
            }
            _ => {}
        }
        sent.around += rest;
        Ok(())
    }

    /// One whole exchange of a phone with the relay.
    pub fn exchange(&self, unlocked: &Unlocked) -> Result<RelayReport, Fail> {
        let mut link = unlocked.relay_exchange()?;
        while let Some((endpoint, request)) = link.next_request()? {
            self.count(endpoint, &request)?;
            let answer = match self.relay.answer(endpoint, &request) {
                Ok(body) => RelayAnswer::Ok(body),
                Err(problem) => RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
            };
            link.receive(&answer)?;
        }
        Ok(link.report().clone())
    }
}
