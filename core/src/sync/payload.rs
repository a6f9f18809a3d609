//! Payloads of the messages in [`super::message`].

use super::error::CloseReason;
use super::replica::{OperationId, TurnVerdict};
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};
use satchel_wire::{BodyId, DeviceId, Row, ShiftDay, TurnId};

/// 32-byte hashes as one byte string.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hashes(pub(super) Vec<[u8; 32]>);

impl Hashes {
    pub(super) fn of_bodies(ids: &[BodyId]) -> Self {
        Self(ids.iter().map(|id| *id.as_bytes()).collect())
    }
    pub(super) fn into_bodies(self) -> Vec<BodyId> {
        self.0.into_iter().map(BodyId::from_bytes).collect()
    }
}

impl<C> Encode<C> for Hashes {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut minicbor::Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(self.0.as_flattened())?;
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Hashes {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let (hashes, rest) = d.bytes()?.as_chunks::<32>();
        if rest.is_empty() { Ok(Self(hashes.to_vec())) } else { Err(minicbor::decode::Error::message("hashes")) }
    }
}

/// Who speaks, and where its log and turns stand.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Introduction {
    #[n(0)]
    pub(super) device: DeviceId,
    /// Ed25519 over the handshake hash in the sender's role.
    #[n(1)]
    pub(super) signature: ByteArray<64>,
    /// Sorted log heads; none: the same as the listener's.
    #[n(2)]
    pub(super) heads: Option<Hashes>,
    /// Turns held, usable ones first; none: the same as the listener's.
    #[n(3)]
    pub(super) turns: Option<Vec<TurnId>>,
    /// Listener only: a hash of its positions under the handshake hash, so that equal ones need not be sent.
    #[n(4)]
    pub(super) agreement: Option<ByteArray<16>>,
    /// The shift day of the sender's clock, whatever it makes of that.
    #[n(5)]
    pub(super) clock: ShiftDay,
}

/// Operations, parents first, over one or more messages.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Operations {
    #[n(0)]
    pub(super) operations: Vec<ByteVec>,
    #[n(1)]
    pub(super) last: bool,
}

/// Ids of operations over one or more messages.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Ids {
    #[n(0)]
    pub(super) ids: Hashes,
    #[n(1)]
    pub(super) last: bool,
}

/// Where the dialer's log stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct LogState {
    /// It lacks some of the listener's heads.
    #[n(0)]
    pub(super) behind: bool,
}

/// What a side says about turns. With an announcement or a key it is answered; the first one always is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Turn {
    /// What became of the other side's announcement, if it sent one.
    #[n(0)]
    pub(super) verdict: Option<Verdict>,
    /// Turns held now.
    #[n(1)]
    pub(super) turns: Vec<TurnId>,
    #[n(2)]
    pub(super) announcement: Option<ByteVec>,
    /// After [`Verdict::NotForMe`]: the sender's frontier and receiving key, for a box that it can open.
    #[n(3)]
    pub(super) key: Option<PassedFrontier>,
}

/// A [`TurnVerdict`] as the other side is told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(super) enum Verdict {
    #[n(1)]
    Adopted,
    #[n(2)]
    Known,
    #[n(3)]
    NotForMe,
    #[n(4)]
    Held,
    #[n(5)]
    Refused,
}

impl From<TurnVerdict> for Verdict {
    fn from(verdict: TurnVerdict) -> Self {
        match verdict {
            TurnVerdict::Adopted => Self::Adopted,
            TurnVerdict::Known => Self::Known,
            TurnVerdict::NotForMe => Self::NotForMe,
            TurnVerdict::Held => Self::Held,
            TurnVerdict::Refused(_) => Self::Refused,
        }
    }
}

/// What a side holds of one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct Position {
    #[n(0)]
    pub(super) device: DeviceId,
    /// Counter of its newest frontier held.
    #[n(1)]
    pub(super) counter: Option<u64>,
    /// Bodies of it are wanted from the sequence after this one.
    #[n(2)]
    pub(super) from: u32,
}

/// A side's own frontier and what it holds of every device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Frontier {
    /// The sender's frontier; none: the receiver has it.
    #[n(0)]
    pub(super) frontier: Option<ByteVec>,
    /// Sorted by device. The follower leaves out what is the same as the leader's.
    #[n(1)]
    pub(super) positions: Vec<Position>,
}

/// A frontier of some device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct PassedFrontier {
    #[n(0)]
    pub(super) device: DeviceId,
    #[n(1)]
    pub(super) frontier: ByteVec,
    #[n(2)]
    pub(super) receiving_key: Option<ByteVec>,
}

/// Frontiers over one or more messages.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Frontiers {
    #[n(0)]
    pub(super) frontiers: Vec<PassedFrontier>,
    /// Last answer to `KeysWanted`; always false in `Frontiers`.
    #[n(1)]
    pub(super) last: bool,
}

/// Devices.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Devices {
    #[n(0)]
    pub(super) devices: Vec<DeviceId>,
}

/// Bodies under fresh covers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Rows {
    #[n(0)]
    pub(super) rows: Vec<Row>,
}

/// The end of a side's bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct BodiesSent {
    /// Everything that the sender holds now, under the handshake hash; the follower always gives it.
    #[n(0)]
    pub(super) summary: Option<ByteArray<16>>,
}

/// A message of the reconciliation protocol.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Reconcile {
    #[n(0)]
    pub(super) message: ByteVec,
}

/// Bodies that one side wants and those that it offers, over one or more messages.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Repair {
    #[n(0)]
    pub(super) wanted: Hashes,
    #[n(1)]
    pub(super) offered: Hashes,
    #[n(2)]
    pub(super) last: bool,
}

/// The sender ends the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct Close {
    #[n(0)]
    pub(super) reason: CloseReason,
}

/// Operation bytes as they travel.
pub(super) fn operations_message(operations: Vec<Vec<u8>>, last: bool) -> Operations {
    Operations { operations: operations.into_iter().map(ByteVec::from).collect(), last }
}

/// A batch of ids.
pub(super) fn ids_message(ids: &[OperationId], last: bool) -> Ids {
    Ids { ids: Hashes(ids.to_vec()), last }
}
