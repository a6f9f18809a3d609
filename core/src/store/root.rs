//! The root: every lasting secret of a store, sealed under the store key in one value.
//!
//! Turn secrets and receiving keys lie here and nowhere else, so that replacing the store key makes what
//! was taken out of the root unreadable in old copies of the file as well.

use crate::crypto::{self, Aad, Nonce, PageKey, RootKey, SigningKey, StoreKey, labels};
use crate::env::Env;
use crate::error::Error;
use crate::record::Kind;
use crate::storage::PageId;
use crate::team::keyring::KeyringSecrets;
pub(super) use crate::team::keyring::{Remembered, Seed};
use minicbor::{Decode, Encode};
use satchel_wire::cbor;
use satchel_wire::ids::{MemberId, TeamId};
use zeroize::Zeroizing;

/// Name of the sealed value.
pub(super) const ROOT: &str = "root";

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

/// An invitation that has not been used.
#[derive(Debug, Clone, Encode, Decode)]
pub(super) struct PendingInvitation {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub secret: [u8; 16],
    #[n(1)]
    pub expires: u64,
    #[n(2)]
    pub role: crate::team::Role,
    /// Whose further device it is for; None for a new member.
    #[n(3)]
    pub member: Option<MemberId>,
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
    /// What the keyring keeps secret; while a store is unlocked the keyring itself holds it, and this is empty.
    #[n(5)]
    pub keys: KeyringSecrets,
    #[n(6)]
    pub pages: Vec<PageRef>,
    #[n(7)]
    pub invitations: Vec<PendingInvitation>,
    /// Seals what is held back. Replaced when something held is erased.
    #[n(20)]
    pub held: Seed,
    /// The board's keys, on a board phone.
    #[n(21)]
    pub board: Option<super::board::BoardSecrets>,
    /// Seals what a locked phone fetches with and has fetched, where that is on; the keystore wraps it too.
    #[n(22)]
    pub inbox: Option<Seed>,
    /// The newest reseat key that was made here, until somebody said that its paper is written down, or two weeks went by:
    /// a phone that dies before the printer is done must not take the team's last resort along.
    #[n(23)]
    pub reseat: Option<Seed>,
}

impl Root {
    pub(super) fn signer(&self) -> SigningKey {
        SigningKey::from_seed(self.signing.expose())
    }
    pub(super) fn held_key(&self) -> RootKey {
        RootKey::from_bytes(self.held.expose())
    }
    pub(super) fn values_key(&self) -> RootKey {
        RootKey::from_bytes(self.values.expose())
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
