//! Networks that cost money: whether the relay may be reached over one, and how many bytes went there.
//!
//! The host knows what network it is on, the person decides what it may be used for. The choice and the bytes belong to this
//! phone: neither is ever sent.

use super::super::vault::Vault;
use super::super::{Store, Unlocked};
use super::RelayError;
use crate::error::Error;
use crate::storage::Reader;
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::limits::RELAY_TRAFFIC_DAYS_MAX_COUNT;
use std::sync::atomic::{AtomicU8, Ordering};

/// Name of the sealed value.
const TRAFFIC: &str = "relay traffic";

/// What the host says of the network in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// It says nothing: taken for one that costs.
    #[default]
    Unknown,
    /// It costs nothing by the byte.
    Unmetered,
    /// It costs by the byte (Android: no `NET_CAPABILITY_NOT_METERED`; iOS: `isExpensive` or `isConstrained`).
    Metered,
}

/// Over which networks the relay is reached unless somebody asks for it by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum NetworkChoice {
    /// Over every one.
    #[default]
    #[n(0)]
    Any,
    /// Only over one of which the host says that it costs nothing.
    #[n(1)]
    UnmeteredOnly,
}

/// Bytes between this phone and the relay on one day, whatever became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct TrafficDay {
    /// The day, as this phone saw it.
    #[n(0)]
    pub day: ShiftDay,
    /// Sent (bytes).
    #[n(1)]
    pub sent: u64,
    /// Received (bytes).
    #[n(2)]
    pub received: u64,
}

/// The host's last word about the network: in memory, since it is true for a moment.
#[derive(Debug, Default)]
pub(in crate::store) struct NetworkInUse(AtomicU8);

impl NetworkInUse {
    fn note(&self, network: Network) {
        let byte = match network {
            Network::Unknown => 0,
            Network::Unmetered => 1,
            Network::Metered => 2,
        };
        self.0.store(byte, Ordering::SeqCst);
    }

    /// Whether the host said that it costs nothing.
    pub(super) fn is_unmetered(&self) -> bool {
        self.network() == Network::Unmetered
    }

    fn network(&self) -> Network {
        match self.0.load(Ordering::SeqCst) {
            1 => Network::Unmetered,
            2 => Network::Metered,
            _ => Network::Unknown,
        }
    }
}

impl Store {
    /// Says what network the device is on; to be called again whenever that changes. Works locked, and lasts until the next call.
    pub fn note_network(&self, network: Network) {
        self.shared.network.note(network);
    }
}

impl Unlocked {
    /// Over which networks the relay is reached. Errors: [`Error::Locked`].
    pub fn network_choice(&self) -> Result<NetworkChoice, Error> {
        self.read(|vault, _| Ok(vault.state.networks))
    }

    /// Changes that, on this phone alone. Errors: [`Error::Locked`], and the storage's.
    pub fn choose_networks(&self, choice: NetworkChoice) -> Result<(), Error> {
        self.write(|vault, _| {
            vault.state.networks = choice;
            Ok(())
        })
    }

    /// Whether the relay is not reached for now, because this network may cost. Errors: [`Error::Locked`].
    pub fn is_spared(&self) -> Result<bool, Error> {
        Ok(self.network_choice()? == NetworkChoice::UnmeteredOnly && !self.shared.network.is_unmetered())
    }

    /// Errors: [`RelayError::Metered`] where [`Unlocked::is_spared`].
    pub(super) fn check_network(&self) -> Result<(), RelayError> {
        if self.is_spared()? { Err(RelayError::Metered) } else { Ok(()) }
    }

    /// Adds bytes that went to the relay and came from it, below TLS where that is known. Days older than a month are
    /// forgotten. Errors: [`Error::Locked`], and the storage's.
    pub fn note_relay_bytes(&self, sent: u64, received: u64) -> Result<(), Error> {
        if sent == 0 && received == 0 {
            return Ok(());
        }
        self.write(|vault, tx| {
            let today = vault.today()?;
            let mut days = vault.traffic(tx)?;
            match days.iter_mut().find(|known| known.day == today) {
                Some(known) => {
                    known.sent = known.sent.saturating_add(sent);
                    known.received = known.received.saturating_add(received);
                }
                None => days.push(TrafficDay { day: today, sent, received }),
            }
            // a clock that was ahead must not keep later days out for ever
            days.retain(|known| known.day <= today);
            days.sort_unstable_by_key(|known| std::cmp::Reverse(known.day));
            days.truncate(RELAY_TRAFFIC_DAYS_MAX_COUNT);
            vault.put_extra(tx, TRAFFIC, &days)
        })
    }

    /// Bytes to and from the relay by day, newest first, at most a month. Errors: [`Error::Locked`], and the storage's.
    pub fn relay_traffic(&self) -> Result<Vec<TrafficDay>, Error> {
        self.read(|vault, reader| vault.traffic(reader))
    }
}

impl Vault {
    fn traffic(&self, reader: &Reader<'_>) -> Result<Vec<TrafficDay>, Error> {
        Ok(self.extra(reader, TRAFFIC)?.unwrap_or_default())
    }
}
