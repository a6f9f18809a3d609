//! Messages inside the secure channel.
//!
//! The channel carries one stream in each direction: `kind (1) ‖ length (3, LE) ‖ payload`, cut into Noise
//! messages (`length (2, LE) ‖ ciphertext`) wherever it suits the sender. A payload is deterministic CBOR
//! (RFC 8949, section 4.2), an array whose fields are those of the structs below, in order.
//!
//! | kind | name | who, when |
//! |---|---|---|
//! | 1 | [`Introduction`] | listener with Noise message 2, then dialer: device, signature over the handshake hash, log heads, turns |
//! | 2 | `AdmissionWanted` | to a device that the log does not know |
//! | 3 | [`Operations`] as `Admission` | its answer: the causal past of its admission |
//! | 4 | [`LogState`] | dialer, if heads differ: whether it knows the listener's heads |
//! | 5 | [`Operations`] | what the other side's log lacks, parents first |
//! | 6 | [`Ids`] as `OperationIds` | listener, if neither knows the other's heads: its whole log |
//! | 7 | [`Ids`] as `OperationsWanted` | dialer's answer: what it lacks; or listener, empty: send what I lack |
//! | 8 | [`Turn`] | alternately, if heads or turns differ: announcement, verdict on the last one |
//! | 9 | `Agreed` | leader, instead of 10: positions and frontiers are those of the introduction |
//! | 10 | [`Frontier`] | leader, then follower: own frontier, positions |
//! | 11 | [`Frontiers`] | frontiers of others that the other side lacks |
//! | 12 | `FrontiersSent` | end of 11: the receiver freezes and begins with its bodies |
//! | 13 | [`Devices`] as `KeysWanted` | receiving keys that are asked for |
//! | 14 | [`Frontiers`] as `ReceivingKeys` | the answer |
//! | 15 | [`Rows`] | bodies under fresh covers |
//! | 16 | [`BodiesSent`] | leader at its end, then follower at its end: summary of what it holds |
//! | 17 | [`Reconcile`] | if summaries differ: range-based reconciliation (negentropy protocol 1) |
//! | 18 | [`Repair`] | bodies wanted and offered, then 15 |
//! | 19 | `Done` | the last word: the other side had said all it had |
//! | 20 | [`Close`] | the sender ends the session |
//!
//! *Leader* is the side that spoke last about the log: the dialer, if the logs agreed. Limits:
//! [`super::limits`], and for each kind [`Kind::max_bytes`], checked before a payload is read.
//! Versioning: [`super::hello::SESSION_VERSION`] in the hello. Fields and kinds are never added within a
//! version: an unknown kind, field or order ends the session.

use super::error::SessionFault;
use super::limits::*;
pub(super) use super::payload::*;
use minicbor::{Decode, Encode};
use satchel_wire::cbor;
use satchel_wire::limits::{ANNOUNCEMENT_MAX_BYTES, DEVICES_MAX_COUNT, SESSION_MESSAGE_MAX_BYTES};

/// Bytes before a payload: kind and length.
pub(super) const HEADER_BYTES: usize = 4;
/// CBOR around the few items of a payload (bytes).
const SLACK_BYTES: usize = 4 * 1024;

macro_rules! kinds {
    ($($(#[$doc:meta])+ $name:ident = $byte:literal;)+) => {
        /// Kind of a message.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])+ $name = $byte),+ }
        impl Kind {
            /// The kind of a byte.
            pub(super) const fn from_byte(byte: u8) -> Option<Self> {
                match byte { $($byte => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

kinds! {
    /// Who speaks.
    Introduction = 1;
    /// Asks for the peer's admission.
    AdmissionWanted = 2;
    /// The causal past of the sender's admission.
    Admission = 3;
    /// Whether the dialer knows the listener's heads.
    LogState = 4;
    /// Operations of the log.
    Operations = 5;
    /// Ids of the whole log.
    OperationIds = 6;
    /// Operations that are asked for.
    OperationsWanted = 7;
    /// An announcement, or a verdict on one.
    Turn = 8;
    /// Nothing changed in frontiers and positions.
    Agreed = 9;
    /// The sender's frontier and positions.
    Frontier = 10;
    /// Frontiers of others.
    Frontiers = 11;
    /// The end of frontiers.
    FrontiersSent = 12;
    /// Receiving keys that are asked for.
    KeysWanted = 13;
    /// Receiving keys.
    ReceivingKeys = 14;
    /// Bodies.
    Rows = 15;
    /// The end of bodies.
    BodiesSent = 16;
    /// Reconciliation.
    Reconcile = 17;
    /// Bodies wanted and offered.
    Repair = 18;
    /// The last word.
    Done = 19;
    /// The sender ends the session.
    Close = 20;
}

impl Kind {
    /// Largest payload of this kind (bytes).
    pub(super) const fn max_bytes(self) -> usize {
        match self {
            Self::AdmissionWanted | Self::Agreed | Self::FrontiersSent | Self::Done => 0,
            Self::LogState | Self::Close | Self::BodiesSent => 64,
            Self::Introduction => (HEADS_MAX_COUNT + TURNS_MAX_COUNT) * 34 + SLACK_BYTES,
            Self::Admission | Self::Operations => 640 * 1024,
            Self::OperationIds | Self::OperationsWanted => IDS_BATCH_COUNT * 32 + SLACK_BYTES,
            Self::Turn => ANNOUNCEMENT_MAX_BYTES + TURNS_MAX_COUNT * 18 + FRONTIER_MAX_BYTES + RECEIVING_KEY_MAX_BYTES + SLACK_BYTES,
            Self::Frontier => FRONTIER_MAX_BYTES + DEVICES_MAX_COUNT * 34 + SLACK_BYTES,
            Self::Frontiers | Self::ReceivingKeys => {
                FRONTIERS_BATCH_COUNT * (FRONTIER_MAX_BYTES + RECEIVING_KEY_MAX_BYTES + 32) + SLACK_BYTES
            }
            Self::KeysWanted => DEVICES_MAX_COUNT * 18 + SLACK_BYTES,
            Self::Rows => 512 * 1024,
            Self::Reconcile => RECONCILE_FRAME_BYTES + SLACK_BYTES,
            Self::Repair => 2 * IDS_BATCH_COUNT * 32 + SLACK_BYTES,
        }
    }
}

const _: () = assert!(Kind::Turn.max_bytes() <= SESSION_MESSAGE_MAX_BYTES && Kind::Operations.max_bytes() <= SESSION_MESSAGE_MAX_BYTES);
const _: () = assert!(SESSION_MESSAGE_MAX_BYTES < 1 << 24, "a length has three bytes");

/// Any message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    Introduction(Introduction),
    AdmissionWanted,
    Admission(Operations),
    LogState(LogState),
    Operations(Operations),
    OperationIds(Ids),
    OperationsWanted(Ids),
    Turn(Turn),
    Agreed,
    Frontier(Frontier),
    Frontiers(Frontiers),
    FrontiersSent,
    KeysWanted(Devices),
    ReceivingKeys(Frontiers),
    Rows(Rows),
    BodiesSent(BodiesSent),
    Reconcile(Reconcile),
    Repair(Repair),
    Done,
    Close(Close),
}

impl Message {
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Introduction(_) => Kind::Introduction,
            Self::AdmissionWanted => Kind::AdmissionWanted,
            Self::Admission(_) => Kind::Admission,
            Self::LogState(_) => Kind::LogState,
            Self::Operations(_) => Kind::Operations,
            Self::OperationIds(_) => Kind::OperationIds,
            Self::OperationsWanted(_) => Kind::OperationsWanted,
            Self::Turn(_) => Kind::Turn,
            Self::Agreed => Kind::Agreed,
            Self::Frontier(_) => Kind::Frontier,
            Self::Frontiers(_) => Kind::Frontiers,
            Self::FrontiersSent => Kind::FrontiersSent,
            Self::KeysWanted(_) => Kind::KeysWanted,
            Self::ReceivingKeys(_) => Kind::ReceivingKeys,
            Self::Rows(_) => Kind::Rows,
            Self::BodiesSent(_) => Kind::BodiesSent,
            Self::Reconcile(_) => Kind::Reconcile,
            Self::Repair(_) => Kind::Repair,
            Self::Done => Kind::Done,
            Self::Close(_) => Kind::Close,
        }
    }

    /// Header and payload.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let payload = match self {
            Self::AdmissionWanted | Self::Agreed | Self::FrontiersSent | Self::Done => Vec::new(),
            Self::Introduction(inner) => cbor::encode(inner),
            Self::Admission(inner) | Self::Operations(inner) => cbor::encode(inner),
            Self::LogState(inner) => cbor::encode(inner),
            Self::OperationIds(inner) | Self::OperationsWanted(inner) => cbor::encode(inner),
            Self::Turn(inner) => cbor::encode(inner),
            Self::Frontier(inner) => cbor::encode(inner),
            Self::Frontiers(inner) | Self::ReceivingKeys(inner) => cbor::encode(inner),
            Self::KeysWanted(inner) => cbor::encode(inner),
            Self::Rows(inner) => cbor::encode(inner),
            Self::BodiesSent(inner) => cbor::encode(inner),
            Self::Reconcile(inner) => cbor::encode(inner),
            Self::Repair(inner) => cbor::encode(inner),
            Self::Close(inner) => cbor::encode(inner),
        };
        let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
        bytes.push(self.kind() as u8);
        bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes()[..3]);
        bytes.extend_from_slice(&payload);
        bytes
    }

    /// Reads a header. Errors: an unknown kind, or a length above the kind's limit.
    pub(super) fn read_header(header: [u8; HEADER_BYTES]) -> Result<(Kind, usize), SessionFault> {
        let kind = Kind::from_byte(header[0]).ok_or(SessionFault::Malformed)?;
        let length = u32::from_le_bytes([header[1], header[2], header[3], 0]) as usize;
        if length > kind.max_bytes() { Err(SessionFault::TooLarge) } else { Ok((kind, length)) }
    }

    /// Reads a payload and checks what it counts.
    pub(super) fn read_payload(kind: Kind, payload: &[u8]) -> Result<Self, SessionFault> {
        fn strict<T: Encode<()> + for<'b> Decode<'b, ()>>(payload: &[u8]) -> Result<T, SessionFault> {
            cbor::decode(payload).map_err(|_| SessionFault::Malformed)
        }
        let message = match kind {
            Kind::AdmissionWanted => Self::AdmissionWanted,
            Kind::Agreed => Self::Agreed,
            Kind::FrontiersSent => Self::FrontiersSent,
            Kind::Done => Self::Done,
            Kind::Introduction => Self::Introduction(strict(payload)?),
            Kind::Admission => Self::Admission(strict(payload)?),
            Kind::LogState => Self::LogState(strict(payload)?),
            Kind::Operations => Self::Operations(strict(payload)?),
            Kind::OperationIds => Self::OperationIds(strict(payload)?),
            Kind::OperationsWanted => Self::OperationsWanted(strict(payload)?),
            Kind::Turn => Self::Turn(strict(payload)?),
            Kind::Frontier => Self::Frontier(strict(payload)?),
            Kind::Frontiers => Self::Frontiers(strict(payload)?),
            Kind::KeysWanted => Self::KeysWanted(strict(payload)?),
            Kind::ReceivingKeys => Self::ReceivingKeys(strict(payload)?),
            Kind::Rows => Self::Rows(strict(payload)?),
            Kind::BodiesSent => Self::BodiesSent(strict(payload)?),
            Kind::Reconcile => Self::Reconcile(strict(payload)?),
            Kind::Repair => Self::Repair(strict(payload)?),
            Kind::Close => Self::Close(strict(payload)?),
        };
        if message.is_within_limits() { Ok(message) } else { Err(SessionFault::TooLarge) }
    }

    fn is_within_limits(&self) -> bool {
        let frontier_fits = |frontier: &[u8]| frontier.len() <= FRONTIER_MAX_BYTES;
        let passed_fits = |passed: &PassedFrontier| {
            let key_fits = passed.receiving_key.as_ref().is_none_or(|key| key.len() <= RECEIVING_KEY_MAX_BYTES);
            frontier_fits(&passed.frontier) && key_fits
        };
        match self {
            Self::Introduction(inner) => {
                inner.heads.as_ref().is_none_or(|heads| heads.0.len() <= HEADS_MAX_COUNT)
                    && inner.turns.as_ref().is_none_or(|turns| turns.len() <= TURNS_MAX_COUNT)
            }
            Self::Admission(inner) | Self::Operations(inner) => inner.operations.len() <= OPERATIONS_BATCH_MAX_COUNT,
            Self::OperationIds(inner) | Self::OperationsWanted(inner) => inner.ids.0.len() <= IDS_BATCH_COUNT,
            Self::Turn(inner) => {
                inner.turns.len() <= TURNS_MAX_COUNT
                    && inner.announcement.as_ref().is_none_or(|bytes| bytes.len() <= ANNOUNCEMENT_MAX_BYTES)
                    && inner.key.as_ref().is_none_or(passed_fits)
            }
            Self::Frontier(inner) => {
                inner.positions.len() <= DEVICES_MAX_COUNT
                    && inner.frontier.as_ref().is_none_or(|bytes| frontier_fits(bytes))
                    && inner.positions.windows(2).all(|pair| pair[0].device < pair[1].device)
            }
            Self::Frontiers(inner) | Self::ReceivingKeys(inner) => {
                inner.frontiers.len() <= FRONTIERS_BATCH_COUNT && inner.frontiers.iter().all(passed_fits)
            }
            Self::KeysWanted(inner) => inner.devices.len() <= DEVICES_MAX_COUNT,
            Self::Repair(inner) => inner.wanted.0.len() <= IDS_BATCH_COUNT && inner.offered.0.len() <= IDS_BATCH_COUNT,
            _ => true,
        }
    }
}
