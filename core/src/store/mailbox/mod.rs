//! An exchange with a relay: sans-I/O. Requests out, answers in; `transport` carries them over HTTP.
//!
//! Order: claim the mailbox, if it is new · pull until nothing more comes · hand over a new turn · set its access
//! keys, if this device holds the control key · end the pull (T2 to T4) · push what the relay lacks. Nothing changed is one request.
//!
//! The relay is not believed: rows prove themselves, the cursor only says where to go on, every loop is
//! bounded, and what does not progress ends the exchange with a warning. Nothing a relay does loses work here.

mod link;
mod locked;
mod news;
mod parts;
mod pull;
mod push;
mod requests;
mod spending;

pub use link::RelayLink;
use link::Step;
pub(in crate::store) use locked::InboxCredential;
pub use locked::{InboxEnd, InboxReport, LockedInbox};
pub(in crate::store) use news::{Met, Whom};
pub use news::{Outlook, read_waited};
pub(in crate::store) use spending::NetworkInUse;
pub use spending::{Network, NetworkChoice, TrafficDay};

use super::Unlocked;
use super::accept::Acceptance;
use super::vault::{RelayProgress, RelaySettings, Vault};
use crate::error::Error;
use crate::storage::Transaction;
use satchel_wire::frame::ProblemCode;
use satchel_wire::ids::{BodyId, MailboxId};
/// Most requests in one exchange (count): bounds what a relay that never ends can cost.
const REQUESTS_MAX_COUNT: usize = 4_096;
/// Most row ids asked for at once (count).
const FETCH_MAX_COUNT: usize = 256;
/// Bytes of rows in one push.
const PUSH_MAX_BYTES: usize = 1024 * 1024;
/// Name of the sealed parts of announcements that are not complete or rest on something unknown.
const PARTS: &str = "announcement parts";
/// Most such parts (count).
const PARTS_MAX_COUNT: usize = 256;

/// Where a team's relay is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayAddress {
    /// `https://host[:port]`, or `http://` on this machine.
    pub url: String,
    /// The mailbox that the operator made.
    pub mailbox: MailboxId,
    /// Its one-time claim secret, for the first device of the team.
    pub claim: Option<[u8; 16]>,
    /// SHA-256 of the one public key that the relay may show (RFC 7469, section 2.4); none takes what an authority signed.
    pub pin: Option<[u8; 32]>,
}

/// The relay as this store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayState {
    /// Where it is.
    pub url: String,
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Whether the mailbox has been claimed, as far as this device knows.
    pub is_claimed: bool,
    /// The one key that it may show, as in [`RelayAddress`].
    pub pin: Option<[u8; 32]>,
}

/// What a relay answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayAnswer {
    /// 200: the body. 204 (nothing new since the cursor): no bytes.
    Ok(Vec<u8>),
    /// A refusal.
    Problem {
        /// Its code.
        code: ProblemCode,
        /// The relay's time, with `clock_skew` (Unix seconds).
        relay_time: Option<u64>,
    },
}

/// Why an exchange ended before its end. What was accepted before is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelayError {
    /// No relay is set. Remedy: set one.
    #[error("no relay is set")]
    NoRelay,
    /// This network may cost money, and the store is set to wait for one that does not. Remedy: wait for it, or ask for the
    /// exchange by hand ([`Unlocked::relay_exchange_by_hand`]).
    #[error("this network may cost money")]
    Metered,
    /// The relay refused. Remedy: by its code.
    #[error("the relay refused")]
    Refused(ProblemCode),
    /// The relay's answer breaks the protocol. Remedy: tell the operator; try another relay.
    #[error("the relay's answer breaks the protocol")]
    Malformed,
    /// The relay answers without ever coming to an end. Remedy: as for `Malformed`.
    #[error("the relay's answers bring nothing")]
    NoProgress,
    /// The store failed or was locked.
    #[error(transparent)]
    Store(#[from] Error),
}

impl RelayError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoRelay => "relay_not_set",
            Self::Metered => "network_metered",
            Self::Refused(code) => code.as_str(),
            Self::Malformed => "relay_malformed",
            Self::NoProgress => "relay_no_progress",
            Self::Store(error) => error.code(),
        }
    }
    /// What the caller can do.
    pub fn remedy(&self) -> crate::error::Remedy {
        use crate::error::Remedy;
        match self {
            Self::NoRelay => Remedy::CorrectInput,
            Self::Metered => Remedy::TryLater,
            Self::Refused(ProblemCode::Refused) => Remedy::MeetColleague,
            Self::Refused(ProblemCode::ClockSkew) => Remedy::CheckDate,
            Self::Refused(ProblemCode::RateLimited | ProblemCode::Internal | ProblemCode::StorageFull | ProblemCode::QuotaExceeded) => {
                Remedy::TryLater
            }
            Self::Refused(_) | Self::Malformed | Self::NoProgress => Remedy::Report,
            Self::Store(error) => error.remedy(),
        }
    }
}

/// What an exchange did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelayReport {
    /// Rows pulled.
    pub pulled: usize,
    /// Rows pushed.
    pub pushed: usize,
    /// What became of pulled record rows.
    pub rows: Acceptance,
    /// Turns adopted.
    pub turns: usize,
    /// Rows that the relay lists and does not hand out, or hands out changed: colleagues' phones bring those.
    pub missing: usize,
    /// Rows that the relay had and lists no more: it went back to an older state, and is read and filled again from its
    /// beginning, at most once in three days.
    pub lost: usize,
    /// Rows that this phone asked the relay to delete.
    pub deletions: usize,
    /// Rows of waiting deletions that this phone said are still needed.
    pub vetoes: usize,
    /// Requests made.
    pub requests: usize,
}
/// So many days pass between two times that a relay which lost rows is filled again: one that only pretends must not make
/// phones carry everything again and again.
const REFILL_AFTER_DAYS: u16 = 3;
/// A row leaves a relay this many days after the first phone asked for it (RELAY deletion batches); what is gone sooner is lost.
const DELETED_AFTER_DAYS: u16 = 14;

impl Vault {
    /// Begins with a relay of which nothing is known: all of it is read, and what it lacks is pushed.
    fn fill_relay(&mut self, tx: &Transaction<'_>, address: &RelayAddress) -> Result<(), Error> {
        let ledger = self.ledger(tx)?;
        let bodies: Vec<BodyId> = ledger.lines().map(|line| line.body).collect();
        bodies.iter().for_each(|body| ledger.mark_relayed(body, false));
        ledger.forget_rows();
        *self.progress_mut() = RelayProgress::default();
        self.forget_wire_pages(tx)?;
        self.state.relay = Some(RelaySettings {
            url: address.url.clone(),
            mailbox: address.mailbox,
            claim: address.claim,
            generation: 0,
            cursor: None,
            announce_cursor: None,
            newest: None,
            others: Vec::new(),
            keys_of: None,
            pin: address.pin,
        });
        Ok(())
    }

    /// The relay lists a day without rows that it had, and that nobody can have deleted yet: it was put back to a backup, or
    /// pretends. What it lacks goes there again, access keys included. False: that was done lately.
    pub(super) fn refill_relay(&mut self, tx: &Transaction<'_>) -> Result<bool, Error> {
        let today = self.today()?;
        if self.state.refilled.is_some_and(|day| today < day.plus(REFILL_AFTER_DAYS)) {
            return Ok(false);
        }
        let relay = self.relay()?;
        let address = RelayAddress { url: relay.url.clone(), mailbox: relay.mailbox, claim: relay.claim, pin: relay.pin };
        self.fill_relay(tx, &address)?;
        self.state.refilled = Some(today);
        Ok(true)
    }
}

impl Unlocked {
    /// Sets the team's relay, or another one: everything is pushed there again. Errors: [`Error::Role`].
    pub fn set_relay(&self, address: &RelayAddress) -> Result<(), Error> {
        self.write(|vault, tx| {
            // the board's phone as well: what it keeps for a recovery grows old without the relay
            vault.role()?;
            vault.fill_relay(tx, address)
        })
    }

    /// The relay as this store knows it.
    pub fn relay(&self) -> Result<Option<RelayState>, Error> {
        self.read(|vault, _| {
            let relay = vault.state.relay.as_ref();
            Ok(relay.map(|relay| RelayState {
                url: relay.url.clone(),
                mailbox: relay.mailbox,
                is_claimed: relay.claim.is_none(),
                pin: relay.pin,
            }))
        })
    }

    /// Pins another key of the same relay, or none: for an operator who changed it. What the relay holds stays known.
    ///
    /// Errors: [`Error::NoSuchRecord`] where no relay is set.
    pub fn pin_relay(&self, pin: Option<[u8; 32]>) -> Result<(), Error> {
        self.write(|vault, _| {
            vault.state.relay.as_mut().ok_or(Error::NoSuchRecord)?.pin = pin;
            Ok(())
        })
    }

    /// Begins an exchange with the relay. It ends where the network begins to cost and the store is set to spare that.
    ///
    /// Errors: [`RelayError::NoRelay`], [`RelayError::Metered`].
    pub fn relay_exchange(&self) -> Result<RelayLink, RelayError> {
        self.check_network()?;
        self.begin_exchange(false)
    }

    /// The same over any network, because somebody asked for it. Errors: [`RelayError::NoRelay`].
    pub fn relay_exchange_by_hand(&self) -> Result<RelayLink, RelayError> {
        self.begin_exchange(true)
    }

    fn begin_exchange(&self, is_by_hand: bool) -> Result<RelayLink, RelayError> {
        let step =
            self.read(|vault, _| Ok(vault.state.relay.as_ref().map(|relay| if relay.claim.is_some() { Step::Claim } else { Step::Pull })))?;
        Ok(RelayLink {
            unlocked: self.clone(),
            is_by_hand,
            step: step.ok_or(RelayError::NoRelay)?,
            report: RelayReport::default(),
            offset: 0,
            corrected: false,
            keys_at: 0,
            announce_only: false,
            turns_before: 0,
            announce_tries: 0,
            keys_forced: false,
            is_refused: false,
            control_at: 0,
            rows: Vec::new(),
            is_reread: false,
            is_ended: false,
        })
    }
}
