//! The root: every lasting secret of a store, sealed under the store key in one value.
//!
//! Turn secrets and receiving keys lie here and nowhere else, so that replacing the store key makes what
//! was taken out of the root unreadable in old copies of the file as well.

use crate::crypto::{self, Aad, Nonce, PageKey, ReceivingKey, RootKey, SigningKey, StoreKey, labels};
use crate::env::Env;
use crate::error::Error;
use crate::record::Kind;
use crate::storage::PageId;
use crate::team::{RecipientClass, TurnSecret};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::{MemberId, TeamId, TurnId};
use zeroize::Zeroizing;

/// Name of the sealed value.
pub(super) const ROOT: &str = "root";

/// 32 secret bytes as they are encoded inside the root. On the heap: moving what holds one leaves no copy on the stack.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Seed(Box<Zeroizing<[u8; 32]>>);

impl Seed {
    pub(super) fn new(bytes: &[u8; 32]) -> Self {
        let mut seed = Self(Box::new(Zeroizing::new([0; 32])));
        seed.0.copy_from_slice(bytes);
        seed
    }
    pub(super) fn make(env: &Env) -> Self {
        let mut seed = Self(Box::new(Zeroizing::new([0; 32])));
        env.fill(seed.0.as_mut_slice());
        seed
    }
    pub(super) fn expose(&self) -> &[u8; 32] {
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

/// A key page: where it is and what opens it.
#[derive(Debug, Clone, Encode, Decode)]
pub(super) struct PageRef {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub id: [u8; 16],
    #[n(1)]
    pub key: Seed,
    #[n(2)]
    pub kind: Kind,
    /// Weeks since 1970-01-01: retention drops whole pages.
    #[n(3)]
    pub week: u16,
}

impl PageRef {
    pub(super) fn page_id(&self) -> PageId {
        PageId::from_bytes(self.id)
    }
    pub(super) fn page_key(&self) -> PageKey {
        PageKey::from_bytes(self.key.expose())
    }
}

/// A turn's secret.
#[derive(Debug, Clone, Encode, Decode)]
pub(super) struct TurnRef {
    #[n(0)]
    pub id: TurnId,
    #[n(1)]
    pub class: RecipientClass,
    #[n(2)]
    pub secret: Seed,
}

impl TurnRef {
    pub(super) fn new(id: TurnId, secret: &TurnSecret) -> Self {
        match secret {
            TurnSecret::Records(records) => Self { id, class: RecipientClass::Records, secret: Seed::new(records.expose()) },
            TurnSecret::Commons(commons) => Self { id, class: RecipientClass::Commons, secret: Seed::new(commons.expose()) },
        }
    }
    pub(super) fn secret(&self) -> TurnSecret {
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
pub(super) struct Remembered {
    #[n(0)]
    pub turn: TurnId,
    #[n(1)]
    pub day: ShiftDay,
    #[n(2)]
    pub discovery: Seed,
    #[n(3)]
    pub pull: Seed,
    #[n(4)]
    pub push: Seed,
}

/// An invitation that has not been used.
#[derive(Debug, Clone, Encode, Decode)]
pub(super) struct PendingInvitation {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub secret: [u8; 16],
    #[n(1)]
    pub expires: u64,
    #[n(2)]
    pub role: crate::team::Role,
}

impl Drop for PendingInvitation {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.secret);
    }
}

/// Everything that must not be lost and must not be read.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
pub(super) struct Root {
    #[n(0)]
    pub version: u8,
    #[n(1)]
    pub team: TeamId,
    #[n(2)]
    pub member: MemberId,
    #[n(3)]
    pub signing: Seed,
    /// Seals the store's other values.
    #[n(4)]
    pub values: Seed,
    /// Receiving keys that are not spent, the newest last.
    #[n(5)]
    pub receiving: Vec<Seed>,
    #[n(6)]
    pub turns: Vec<TurnRef>,
    /// Newest first.
    #[n(7)]
    pub remembered: Vec<Remembered>,
    #[n(8)]
    pub control: Option<Seed>,
    #[n(9)]
    pub pages: Vec<PageRef>,
    #[n(10)]
    pub invitations: Vec<PendingInvitation>,
}

impl Root {
    pub(super) fn signer(&self) -> SigningKey {
        SigningKey::from_seed(self.signing.expose())
    }
    pub(super) fn values_key(&self) -> RootKey {
        RootKey::from_bytes(self.values.expose())
    }
    pub(super) fn receiving_keys(&self) -> Vec<ReceivingKey> {
        self.receiving.iter().rev().map(|seed| ReceivingKey::from_seed(seed.expose())).collect()
    }

    pub(super) fn seal(&self, env: &Env, store_id: &[u8; 16], key: &StoreKey) -> Result<Vec<u8>, Error> {
        let plain = Zeroizing::new(cbor::encode(self));
        crypto::seal(key, Nonce::make(env), &aad(store_id), &plain).map_err(|_| Error::TooMany)
    }

    pub(super) fn open(store_id: &[u8; 16], key: &StoreKey, sealed: &[u8]) -> Result<Self, Error> {
        let plain = crypto::open(key, &aad(store_id), sealed).map_err(|_| Error::Damaged)?;
        cbor::decode(&plain).map_err(|_| Error::Damaged)
    }
}

fn aad(store_id: &[u8; 16]) -> Aad {
    Aad::new(labels::ROOT).add(store_id)
}

/// Seals one of the store's other values, bound to its name and place.
pub(super) fn seal_value(env: &Env, key: &RootKey, name: &str, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
    let aad = Aad::new(labels::STORE_VALUES).add(name.as_bytes()).add(place);
    crypto::seal(key, Nonce::make(env), &aad, plain).map_err(|_| Error::TooMany)
}

/// Opens one of the store's other values.
pub(super) fn open_value(key: &RootKey, name: &str, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let aad = Aad::new(labels::STORE_VALUES).add(name.as_bytes()).add(place);
    crypto::open(key, &aad, sealed).map_err(|_| Error::Damaged)
}
