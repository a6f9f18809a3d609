//! Frontiers: what a device signs about how far it is. The frontier is the receipt.
//!
//! ```text
//! frontier = CBOR [ signed bytes, signature (64) ]
//! signed   = CBOR map { 0: version 1, 1: team, 2: device, 3: counter, 4: day, 5: log heads named by everything it
//!            holds, 6: hash of its receiving key (32), 7: own chain (sequence, body id[..8]),
//!            8: newest chain heads of others, 9: hash over all of them (16), 10: the turn that it seals under
//!            (first 8 bytes of its id), absent without one, 11: newest operations that it knows, 12: the newest turn of
//!            which it holds the commons secret alone (first 8 bytes of its id), absent without one }
//! ```
//!
//! The receiving key itself (1,216 bytes) travels beside the frontier, and only where it is not known yet.
//! At most 32 chain heads are listed, those that moved last, and of those as many as leave room for the receiving key
//! in a row of 2 KiB: one head more would double what every phone sends at every turn. The hash covers all, so that two
//! phones that agree see it, and two that do not compare in full.

use crate::crypto::{self, Signature, SigningKey, VerifyingKey, labels};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::{DeviceId, OperationId, TeamId};
use satchel_wire::limits::PARENTS_MAX_COUNT;

/// Most chain heads listed in one frontier (count).
pub const CHAIN_HEADS_LISTED_MAX_COUNT: usize = 32;
/// Chain heads that are listed even where they make the row larger (count).
const CHAIN_HEADS_LISTED_LEAST_COUNT: usize = 8;
/// What a frontier says, encoded, when it fits a row of 2 KiB beside its receiving key (bytes): 2,048 less the lane byte, 72
/// of sealing, 4 of length, 1,219 of receiving key, 67 of signature, and 16 around them.
const CONTENT_FITTING_BYTES: usize = 2_048 - 1 - 72 - 4 - 1_219 - 67 - 16;
/// One listed chain head at most (bytes).
const CHAIN_HEAD_BYTES: usize = 1 + 9 + 5 + 9;

/// How far an author's chain is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct ChainHead {
    /// First 8 bytes of the author's device id.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub device: [u8; 8],
    /// Highest sequence without a gap below it.
    #[n(1)]
    pub sequence: u32,
    /// First 8 bytes of the body id there.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub body: [u8; 8],
}

/// What a frontier says.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FrontierContent {
    #[n(0)]
    version: u8,
    /// The team.
    #[n(1)]
    pub team: TeamId,
    /// Whose frontier it is.
    #[n(2)]
    pub device: DeviceId,
    /// Grows with every frontier of this device.
    #[n(3)]
    pub counter: u64,
    /// The day it saw.
    #[n(4)]
    pub day: ShiftDay,
    /// Log heads named by everything it holds.
    #[n(5)]
    pub log_heads: Vec<OperationId>,
    /// Hash of its receiving key.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub receiving: [u8; 32],
    /// Its own chain.
    #[n(7)]
    pub own: ChainHead,
    /// Newest chain heads of others, sorted by device.
    #[n(8)]
    pub heads: Vec<ChainHead>,
    /// Hash over all chain heads that it knows.
    #[cbor(n(9), with = "minicbor::bytes")]
    pub digest: [u8; 16],
    /// First 8 bytes of the id of the turn that it seals under: whoever seems to lack the turn in use gets a box.
    #[cbor(n(10), with = "minicbor::bytes")]
    pub turn: Option<[u8; 8]>,
    /// The newest operations that it knows, whether or not everything that it holds names them: whom it let in counts
    /// before its receipt does.
    #[n(11)]
    pub known: Vec<OperationId>,
    /// First 8 bytes of the id of the newest turn of which it holds the commons secret alone, as the board does: that turn
    /// and everything below it need not be told again. It says nothing about the records secret.
    #[cbor(n(12), with = "minicbor::bytes")]
    pub commons_turn: Option<[u8; 8]>,
}

impl FrontierContent {
    /// Completes what a device says of itself by what it knows of others: `all` chain heads, those that moved last
    /// first; at most 32 are listed, and as many as fit beside what is there already. The digest covers all. Comes last.
    #[must_use]
    pub fn with_heads(mut self, all: &[ChainHead]) -> Self {
        let mut sorted = all.to_vec();
        sorted.sort_unstable();
        self.digest = crypto::derive_id(labels::CHAIN_DIGEST, &[&cbor::encode(&sorted)]);
        self.heads.clear();
        let room = CONTENT_FITTING_BYTES.saturating_sub(cbor::encode(&self).len()) / CHAIN_HEAD_BYTES;
        let listed = room.clamp(CHAIN_HEADS_LISTED_LEAST_COUNT, CHAIN_HEADS_LISTED_MAX_COUNT);
        self.heads = all.iter().take(listed).copied().collect();
        self.heads.sort_unstable();
        self
    }

    /// What a device says of itself, nothing of others yet.
    pub fn of_device(team: TeamId, device: DeviceId, counter: u64, day: ShiftDay, receiving: [u8; 32], own: ChainHead) -> Self {
        Self {
            version: 1,
            team,
            device,
            counter,
            day,
            log_heads: Vec::new(),
            receiving,
            own,
            heads: Vec::new(),
            digest: [0; 16],
            turn: None,
            known: Vec::new(),
            commons_turn: None,
        }
    }
}

/// A signed frontier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontier {
    content: FrontierContent,
    signed: Vec<u8>,
    signature: Signature,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Signed {
    #[cbor(n(0), with = "minicbor::bytes")]
    signed: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    signature: [u8; 64],
}

/// Why bytes are not a frontier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a frontier")]
pub struct FrontierError;

/// The hash by which a frontier names a receiving key.
pub fn receiving_hash(key: &[u8]) -> [u8; 32] {
    crypto::derive_hash(labels::RECEIVING_KEY_HASH, &[key])
}

impl Frontier {
    /// Signs a frontier.
    pub fn write(signer: &SigningKey, content: FrontierContent) -> Self {
        let signed = cbor::encode(&content);
        let signature = signer.sign(labels::SIGN_FRONTIER, &signed);
        Self { content, signed, signature }
    }

    /// Decodes strictly. Errors: [`FrontierError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let envelope: Signed = cbor::decode(bytes).map_err(|_| FrontierError)?;
        let content: FrontierContent = cbor::decode(&envelope.signed).map_err(|_| FrontierError)?;
        let shape = content.version == 1
            && content.log_heads.len() <= PARENTS_MAX_COUNT
            && content.heads.len() <= CHAIN_HEADS_LISTED_MAX_COUNT
            && content.log_heads.is_sorted_by(|a, b| a < b)
            && content.known.len() <= PARENTS_MAX_COUNT
            && content.known.is_sorted_by(|a, b| a < b)
            && content.heads.is_sorted_by(|a, b| a.device < b.device);
        if shape {
            Ok(Self { content, signed: envelope.signed, signature: Signature::from_bytes(envelope.signature) })
        } else {
            Err(FrontierError)
        }
    }

    /// Encodes.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(&Signed { signed: self.signed.clone(), signature: *self.signature.as_bytes() })
    }
    /// What it says.
    pub const fn content(&self) -> &FrontierContent {
        &self.content
    }
    /// Whether the signature is this key's, and the key its device's.
    pub fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        key.device_id() == self.content.device && key.verify(labels::SIGN_FRONTIER, &self.signed, &self.signature).is_ok()
    }
}
