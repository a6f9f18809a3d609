//! Notices: what travels in the commons lane.
//!
//! ```text
//! row    = lane 0x02 ‖ AEAD(commons lane key of a turn, aad: "notice", team): CBOR notice ‖ zeros
//! notice = CBOR { 0: operations, 1: frontiers with their receiving keys, 2: asks, absent without any,
//!          20: a complaint's box, 21: [board device, box of the board's keys], each absent without one },
//!          length-prefixed (4, LE)
//! asks   = CBOR { 0: [[device, after, up to]], 1: [operation id] }
//! ```
//!
//! Operations and frontiers carry their own signatures, so a notice needs none.

use super::operation::Operation;
use crate::crypto::{self, Aad, CommonsSecret, LaneKey, Nonce, OVERHEAD_BYTES, labels};
use crate::env::Env;
use minicbor::{Decode, Encode};
use satchel_wire::cbor;
use satchel_wire::ids::{DeviceId, OperationId, TeamId};
use satchel_wire::row::{Lane, Row, size_class};
use zeroize::Zeroizing;

/// Most items in one notice (count).
pub const NOTICE_ITEMS_MAX_COUNT: usize = 256;
const LENGTH_BYTES: usize = 4;
/// Most operations in one notice that is written here (count).
const NOTICE_OPERATIONS_COUNT: usize = 8;

/// A frontier and, where the reader may lack it, the receiving key that it names.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FrontierNotice {
    /// The encoded frontier.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub frontier: Vec<u8>,
    /// The receiving key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub receiving: Option<Vec<u8>>,
}

/// Bodies of one device's chain that somebody misses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ChainAsk {
    /// Whose chain.
    #[n(0)]
    pub device: DeviceId,
    /// The last sequence before the gap.
    #[n(1)]
    pub after: u32,
    /// The last sequence of the gap.
    #[n(2)]
    pub up_to: u32,
}

/// What somebody misses: any phone that has it covers it anew and pushes it again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Asks {
    /// Bodies.
    #[n(0)]
    pub chains: Vec<ChainAsk>,
    /// Operations of the team log.
    #[n(1)]
    pub operations: Vec<OperationId>,
}

impl Asks {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.chains.len() + self.operations.len()
    }
    /// Whether nothing is asked for.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What one row of the commons lane says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Notice {
    /// Encoded operations, parents first.
    #[n(0)]
    pub operations: Vec<minicbor::bytes::ByteVec>,
    /// Frontiers.
    #[n(1)]
    pub frontiers: Vec<FrontierNotice>,
    /// What its author misses.
    #[n(2)]
    pub asks: Option<Asks>,
    /// A sealed complaint, or one that holds nothing: nobody but the board can tell.
    #[n(20)]
    pub complaint: Option<minicbor::bytes::ByteVec>,
    /// The board's keys for another board phone.
    #[n(21)]
    pub board: Option<BoardBox>,
}

/// The board's keys, boxed to one board phone.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BoardBox {
    /// Whose phone.
    #[n(0)]
    pub device: DeviceId,
    /// The box.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// Why a notice cannot be sealed or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Too much for one row. Remedy: split it.
    #[error("more than one row carries")]
    TooLarge,
    /// No key at hand opens it. Remedy: hold the row until its turn is known.
    #[error("no key at hand opens this notice")]
    Key,
    /// It opened, but breaks the format.
    #[error("not a notice")]
    Malformed,
}

/// Bytes of operations in one notice: with a largest one on top it still fits a row.
const NOTICE_OPERATIONS_BYTES: usize = 16 * 1024;

impl Notice {
    /// Operations in as many notices as they need: few in one, and never more than fit.
    pub fn of_operations<'a>(operations: impl Iterator<Item = &'a Operation>) -> Vec<Self> {
        let mut notices: Vec<Self> = Vec::new();
        let mut size = NOTICE_OPERATIONS_BYTES;
        for operation in operations {
            let bytes = operation.to_bytes();
            if size >= NOTICE_OPERATIONS_BYTES || notices.last().is_none_or(|last| last.operations.len() >= NOTICE_OPERATIONS_COUNT) {
                notices.push(Self::default());
                size = 0;
            }
            size += bytes.len();
            if let Some(last) = notices.last_mut() {
                last.operations.push(bytes.into());
            }
        }
        notices
    }

    /// Seals a notice under a turn. Errors: [`NoticeError::TooLarge`].
    pub fn seal(&self, env: &Env, team: TeamId, commons: &CommonsSecret) -> Result<Row, NoticeError> {
        let content = cbor::encode(self);
        let class = size_class(1 + OVERHEAD_BYTES + LENGTH_BYTES + content.len()).ok_or(NoticeError::TooLarge)?;
        let mut plain = Zeroizing::new(Vec::with_capacity(class));
        plain.extend_from_slice(&(content.len() as u32).to_le_bytes());
        plain.extend_from_slice(&content);
        plain.resize(class - 1 - OVERHEAD_BYTES, 0);
        let aad = Aad::new(labels::NOTICE).add(team.as_bytes());
        let sealed = crypto::seal(&commons.derive_commons_lane_key(), Nonce::make(env), &aad, &plain).map_err(|_| NoticeError::TooLarge)?;
        let mut bytes = vec![Lane::Commons.byte()];
        bytes.extend_from_slice(&sealed);
        Row::parse(bytes).map_err(|_| NoticeError::TooLarge)
    }

    /// Opens a row of the commons lane. Errors: [`NoticeError::Key`], [`NoticeError::Malformed`].
    pub fn open(team: TeamId, commons: &CommonsSecret, row: &Row) -> Result<Self, NoticeError> {
        Self::open_with(team, &commons.derive_commons_lane_key(), row)
    }

    /// The same with the key of the commons lane alone. Errors: as [`Self::open`].
    pub fn open_with(team: TeamId, key: &LaneKey, row: &Row) -> Result<Self, NoticeError> {
        if row.lane() != Lane::Commons {
            return Err(NoticeError::Malformed);
        }
        let aad = Aad::new(labels::NOTICE).add(team.as_bytes());
        let plain = crypto::open(key, &aad, row.rest()).map_err(|_| NoticeError::Key)?;
        let (length, rest) = plain.split_first_chunk::<LENGTH_BYTES>().ok_or(NoticeError::Malformed)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| NoticeError::Malformed)?;
        let (content, padding) = rest.split_at_checked(length).ok_or(NoticeError::Malformed)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(NoticeError::Malformed);
        }
        let notice: Self = cbor::decode(content).map_err(|_| NoticeError::Malformed)?;
        let asks = notice.asks.as_ref().map_or(0, Asks::len);
        if notice.operations.len() + notice.frontiers.len() + asks > NOTICE_ITEMS_MAX_COUNT {
            Err(NoticeError::Malformed)
        } else {
            Ok(notice)
        }
    }
}
