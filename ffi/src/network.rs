//! Networks that cost money: what this one is, what they may be used for, and how many bytes went to the relay.

use crate::error::{FfiError, call};
use crate::store::Store;
use crate::unlocked::Unlocked;
use satchel_core::store::{Network, NetworkChoice, TrafficDay};
use satchel_wire::ShiftDay;

/// What the platform says of the network in use.
#[uniffi::remote(Enum)]
pub enum Network {
    /// It says nothing: taken for one that costs.
    Unknown,
    /// It costs nothing by the byte.
    Unmetered,
    /// It costs by the byte (Android: no `NET_CAPABILITY_NOT_METERED`; iOS: `isExpensive` or `isConstrained`).
    Metered,
}

/// Over which networks the relay is reached unless somebody asks for it by hand. This phone's alone.
#[uniffi::remote(Enum)]
pub enum NetworkChoice {
    /// Over every one.
    Any,
    /// Only over one of which the platform says that it costs nothing.
    UnmeteredOnly,
}

/// Bytes between this phone and the relay on one day, whatever became of them.
#[uniffi::remote(Record)]
pub struct TrafficDay {
    /// The day, as this phone saw it.
    pub day: ShiftDay,
    /// Sent (bytes).
    pub sent: u64,
    /// Received (bytes).
    pub received: u64,
}

#[uniffi::export]
impl Store {
    /// Says what network the device is on: at the start, and again whenever that changes. Works locked, is kept in memory
    /// only, and ends what may not go on over it.
    pub fn note_network(&self, network: Network) -> Result<(), FfiError> {
        call(|| {
            self.core().note_network(network);
            Ok(())
        })
    }
}

#[uniffi::export]
impl Unlocked {
    /// Over which networks the relay is reached. Errors: [`FfiError::Locked`].
    pub fn network_choice(&self) -> Result<NetworkChoice, FfiError> {
        call(|| Ok(self.core().network_choice()?))
    }

    /// Changes that, on this phone alone; colleagues' phones are not told. Errors: [`FfiError::Locked`], [`FfiError::Storage`].
    pub fn choose_networks(&self, choice: NetworkChoice) -> Result<(), FfiError> {
        call(|| Ok(self.core().choose_networks(choice)?))
    }

    /// Whether the relay is not reached for now, because this network may cost. Errors: [`FfiError::Locked`].
    pub fn is_spared(&self) -> Result<bool, FfiError> {
        call(|| Ok(self.core().is_spared()?))
    }

    /// Bytes to and from the relay by day, newest first, at most a month: exchanges of this library, staying in touch, and a
    /// locked inbox, counted below TLS. Errors: [`FfiError::Locked`], [`FfiError::Storage`].
    pub fn relay_traffic(&self) -> Result<Vec<TrafficDay>, FfiError> {
        call(|| Ok(self.core().relay_traffic()?))
    }

    /// Adds bytes that the app carried with its own HTTP. Errors: [`FfiError::Locked`], [`FfiError::Storage`].
    pub fn note_relay_bytes(&self, sent: u64, received: u64) -> Result<(), FfiError> {
        call(|| Ok(self.core().note_relay_bytes(sent, received)?))
    }
}
