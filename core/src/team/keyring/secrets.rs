//! What a keyring must keep secret, and the small state beside it: the store seals both, the keyring only uses them.

use crate::crypto::{self, ReceivingKey};
use crate::env::Env;
use crate::team::escrow::EscrowBoxes;
use crate::team::{RecipientClass, Turn, TurnSecret};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{DeviceId, TurnId};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// 32 secret bytes as they are encoded at rest. On the heap: moving what holds one leaves no copy on the stack.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed(Box<Zeroizing<[u8; 32]>>);

impl Seed {
    /// Copies 32 secret bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        let mut seed = Self(Box::new(Zeroizing::new([0; 32])));
        seed.0.copy_from_slice(bytes);
        seed
    }
    /// A fresh random one.
    pub fn make(env: &Env) -> Self {
        let mut seed = Self(Box::new(Zeroizing::new([0; 32])));
        env.fill(seed.0.as_mut_slice());
        seed
    }
    /// The bytes: for sealing and deriving only.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(..)")
    }
}

impl<C> Encode<C> for Seed {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut minicbor::Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(self.0.as_slice())?;
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Seed {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        <&[u8; 32]>::try_from(d.bytes()?).map(Self::new).map_err(|_| minicbor::decode::Error::message("seed"))
    }
}

/// A turn's secret at rest.
#[derive(Debug, Clone, Encode, Decode)]
pub struct TurnRef {
    /// The turn.
    #[n(0)]
    pub id: TurnId,
    /// Which of its secrets this is.
    #[n(1)]
    pub class: RecipientClass,
    /// The secret.
    #[n(2)]
    pub secret: Seed,
}

impl TurnRef {
    /// Takes a held secret down.
    pub fn new(id: TurnId, secret: &TurnSecret) -> Self {
        match secret {
            TurnSecret::Records(records) => Self { id, class: RecipientClass::Records, secret: Seed::new(records.expose()) },
            TurnSecret::Commons(commons) => Self { id, class: RecipientClass::Commons, secret: Seed::new(commons.expose()) },
        }
    }
    /// The secret to be used.
    pub fn secret(&self) -> TurnSecret {
        match self.class {
            RecipientClass::Records => TurnSecret::Records(crypto::RecordsSecret::from_bytes(self.secret.expose())),
            RecipientClass::Commons | RecipientClass::Recovery => {
                TurnSecret::Commons(crypto::CommonsSecret::from_bytes(self.secret.expose()))
            }
        }
    }
}

/// What outlives a turn for a while: recognising colleagues, and reaching the relay until its keys change.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Remembered {
    /// The turn.
    #[n(0)]
    pub turn: TurnId,
    /// The day its maker saw.
    #[n(1)]
    pub day: ShiftDay,
    /// By which phones of the team recognise each other.
    #[n(2)]
    pub discovery: Seed,
    /// Seed of the relay's pull key.
    #[n(3)]
    pub pull: Seed,
    /// Seed of the relay's push key.
    #[n(4)]
    pub push: Seed,
    /// Opens notices: a colleague who lacks the turn in use can say so, and name a new receiving key, only under the
    /// turn that it still has. A newcomer is not handed those of turns from before them.
    #[n(5)]
    pub notices: Option<Seed>,
}

impl Remembered {
    /// What is kept of a turn after it is destroyed.
    pub fn of(turn: &Turn, secret: &TurnSecret) -> Self {
        let commons = secret.commons();
        Self {
            turn: turn.id(),
            day: turn.day(),
            discovery: Seed::new(commons.derive_discovery().expose()),
            pull: Seed::new(commons.derive_pull_keypair().expose_seed()),
            push: Seed::new(commons.derive_push_keypair().expose_seed()),
            notices: Some(Seed::new(commons.derive_commons_lane_key().expose())),
        }
    }
}

/// Every secret of a keyring but the device's signing key.
#[derive(Debug, Clone, Default, Encode, Decode)]
#[cbor(map)]
pub struct KeyringSecrets {
    /// Receiving keys that are not spent, the newest last.
    #[n(0)]
    pub receiving: Vec<Seed>,
    /// Secrets of the held turns.
    #[n(1)]
    pub turns: Vec<TurnRef>,
    /// What outlives turns, newest first.
    #[n(2)]
    pub remembered: Vec<Remembered>,
    /// The relay mailbox's control keys, for stewards: the newest first. Earlier ones until the relay has the newest.
    #[n(3)]
    pub control: Vec<Seed>,
    /// What recovers the held turns, for the board: still sealed to the key on paper.
    #[n(4)]
    #[cbor(default)]
    pub escrow: EscrowBoxes,
}

impl KeyringSecrets {
    /// The receiving keys, newest first.
    pub fn receiving_keys(&self) -> Vec<ReceivingKey> {
        self.receiving.iter().rev().map(|seed| ReceivingKey::from_seed(seed.expose())).collect()
    }
}

/// The newest frontier of a device, and its receiving key.
#[derive(Debug, Clone, Encode, Decode)]
pub struct KnownFrontier {
    /// The encoded frontier.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub frontier: Vec<u8>,
    /// The receiving key that it names, once it came.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub receiving: Option<Vec<u8>>,
}

/// Small state of a keyring that changes with use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct KeyringState {
    /// Counter of this device's last frontier.
    #[n(0)]
    pub frontier_counter: u64,
    /// A turn was adopted with the present receiving key: it is replaced when the pull or session in hand ends.
    #[n(1)]
    pub is_receiving_key_spent: bool,
    /// The day on which each device was last heard: what its frontier said, or the day of a session with it.
    #[n(2)]
    pub heard: BTreeMap<DeviceId, ShiftDay>,
    /// Devices that lack the turn in use, and since which day that is known here.
    #[n(3)]
    pub lacking: BTreeMap<DeviceId, Lacking>,
    /// The turn with which this device let somebody in, until it has heard of them: by nothing else is it known to them.
    #[n(4)]
    #[cbor(default)]
    pub handed: BTreeMap<DeviceId, TurnId>,
}

/// A device that seems to lack the turn in use.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Lacking {
    /// The turn.
    #[n(0)]
    pub turn: TurnId,
    /// The day on which that was noticed here.
    #[n(1)]
    pub since: ShiftDay,
    /// This device has sent a box for this receiving key (first 8 bytes of its hash).
    #[cbor(n(2), with = "minicbor::bytes")]
    pub boxed: Option<[u8; 8]>,
}
