//! Derived keys and labelled hashes: BLAKE3 in key-derivation mode over length-prefixed inputs.
//!
//! `derive(label, x1 … xn) = BLAKE3-derive_key(context = label, material = LP(x1) ‖ … ‖ LP(xn))` with
//! `LP(x) = length of x (8 bytes, little-endian) ‖ x`, so that no two lists of inputs run together.
//! Source: BLAKE3 specification, section 2.3 and 6.2 (the context is a constant of the program).

use super::labels::{self, Label};
use super::secrets::{CommonsSecret, DiscoverySecret, FieldKey, InvitationSecret, LaneKey, OfferKey, RecordKey, RecordsSecret, SessionPsk};
use super::signing::SigningKey;
use satchel_wire::TurnId;
use zeroize::{Zeroize, Zeroizing};

/// Fills `out` (any length) with bytes derived from the inputs under a label; nothing secret is left behind.
pub(super) fn derive_into(label: Label, inputs: &[&[u8]], out: &mut [u8]) {
    let mut hasher = blake3::Hasher::new_derive_key(label.as_str());
    for input in inputs {
        hasher.update(&(input.len() as u64).to_le_bytes());
        hasher.update(input);
    }
    let mut reader = hasher.finalize_xof();
    reader.fill(out);
    reader.zeroize();
    hasher.zeroize();
}

/// 32 bytes derived from the inputs under a label; wiped when dropped.
pub fn derive_key(label: Label, inputs: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    derive_into(label, inputs, key.as_mut_slice());
    key
}

/// A 32-byte hash of public inputs under a label.
pub fn derive_hash(label: Label, inputs: &[&[u8]]) -> [u8; 32] {
    *derive_key(label, inputs)
}

/// The first 16 bytes of [`derive_hash`]: for ids, actors and tags.
pub fn derive_id(label: Label, inputs: &[&[u8]]) -> [u8; 16] {
    let mut id = [0; 16];
    derive_into(label, inputs, &mut id);
    id
}

impl RecordsSecret {
    /// The commons secret of the same turn. One-way: who holds the result cannot come back.
    pub fn derive_commons(&self) -> CommonsSecret {
        CommonsSecret::filled_by(|out| derive_into(labels::COMMONS_SECRET, &[self.expose()], out))
    }

    /// The key of the records lane, out of reach of the commons secret's holders.
    pub fn derive_records_lane_key(&self) -> LaneKey {
        LaneKey::filled_by(|out| derive_into(labels::LANE_RECORDS, &[self.expose()], out))
    }
}

impl CommonsSecret {
    /// The turn's id: who holds the secret can check the name, nobody can choose one for another secret.
    pub fn derive_turn_id(&self) -> TurnId {
        TurnId::from_bytes(derive_id(labels::TURN_ID, &[self.expose()]))
    }

    /// The key of the announce lane.
    pub fn derive_announce_lane_key(&self) -> LaneKey {
        LaneKey::filled_by(|out| derive_into(labels::LANE_ANNOUNCE, &[self.expose()], out))
    }

    /// The key of the commons lane.
    pub fn derive_commons_lane_key(&self) -> LaneKey {
        LaneKey::filled_by(|out| derive_into(labels::LANE_COMMONS, &[self.expose()], out))
    }

    /// The key of packs made under this turn.
    pub fn derive_pack_key(&self) -> LaneKey {
        LaneKey::filled_by(|out| derive_into(labels::PACK_KEY, &[self.expose()], out))
    }

    /// What members recognise each other by, and open sessions with.
    pub fn derive_discovery(&self) -> DiscoverySecret {
        DiscoverySecret::filled_by(|out| derive_into(labels::DISCOVERY_SECRET, &[self.expose()], out))
    }

    /// The key pair that signs this turn's pulls; the relay holds the public half.
    pub fn derive_pull_keypair(&self) -> SigningKey {
        SigningKey::from_seed(&derive_key(labels::PULL_KEYPAIR, &[self.expose()]))
    }

    /// The key pair that signs this turn's pushes; the relay holds the public half.
    pub fn derive_push_keypair(&self) -> SigningKey {
        SigningKey::from_seed(&derive_key(labels::PUSH_KEYPAIR, &[self.expose()]))
    }
}

impl DiscoverySecret {
    /// The pre-shared key of a session between members of one turn.
    pub fn derive_psk(&self) -> SessionPsk {
        SessionPsk::filled_by(|out| derive_into(labels::PSK_DISCOVERY, &[self.expose()], out))
    }
}

impl InvitationSecret {
    /// The pre-shared key of the session in which a device joins.
    pub fn derive_psk(&self) -> SessionPsk {
        SessionPsk::filled_by(|out| derive_into(labels::PSK_INVITATION, &[self.expose()], out))
    }
}

impl InvitationSecret {
    /// The key of a pairing offer whose words were typed. Joining and pairing share the exchange and no key.
    pub fn derive_offer_key(&self) -> OfferKey {
        OfferKey::filled_by(|out| derive_into(labels::SHARE_CODE, &[self.expose()], out))
    }
}

impl FieldKey {
    /// The record key that goes with it. One-way: who holds the result cannot come back.
    pub fn derive_record_key(&self) -> RecordKey {
        RecordKey::filled_by(|out| derive_into(labels::FIELD_RECORD_KEY, &[self.expose()], out))
    }

    /// Masks 16 bytes of a body, or takes the mask off again. `nonce` is drawn anew for every value under one key.
    ///
    /// No tag: the body's author signs the masked bytes, and the body's commitment to the record key fixes this key.
    pub fn mask(&self, nonce: &[u8; 8], value: &[u8; 16]) -> [u8; 16] {
        let mut mask = Zeroizing::new([0; 16]);
        derive_into(labels::FIELD_MASK, &[self.expose(), nonce], mask.as_mut_slice());
        let mut masked = *value;
        masked.iter_mut().zip(mask.iter()).for_each(|(byte, mask)| *byte ^= mask);
        masked
    }
}
