//! What a session needs of the phone it runs on.
//!
//! `sync` moves sealed bytes and decides nothing about them: operations, frontiers, announcements and
//! rows are opaque here, and every judgement is the replica's. Each call is one short transaction; what
//! an `accept_` or `merge_` call took is on disk when it returns, so that a session may end at any byte.

use crate::crypto::DiscoverySecret;
use satchel_wire::{BodyId, DeviceId, Row, ShiftDay, TurnId};

/// The hash that names an operation of the team log (BLAKE3, 32 bytes).
pub type OperationId = [u8; 32];

/// Which side of a session signs: both sign the same handshake hash, so each names its part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The side that dialled.
    Dialer,
    /// The side that listened.
    Listener,
}

impl Role {
    /// The role of the other side.
    pub const fn other(self) -> Self {
        match self {
            Self::Dialer => Self::Listener,
            Self::Listener => Self::Dialer,
        }
    }
}

/// What a device is to this replica's team log, after its handshake signature was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its signature holds and its member is in good standing (a dormant device is).
    Member,
    /// The log does not know this device: its admission is needed before the signature can be checked.
    Unknown,
    /// Known, and removed, suspended or otherwise banned.
    Banned,
    /// Known, and the signature is not its own.
    Forged,
}

/// What the log holds after given heads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beyond {
    /// All heads are known; these operations are not in their causal past, parents before children.
    Known(Vec<OperationId>),
    /// Some of these heads are unknown here: the peer has operations that this replica lacks.
    UnknownHeads,
}

/// What became of operations that were handed to [`Replica::merge_operations`] (counts).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merged {
    /// New and applied.
    pub accepted: usize,
    /// Kept until something they need arrives.
    pub held: usize,
    /// Invalid for ever.
    pub refused: usize,
}

/// What a frontier turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrontierVerdict {
    /// Newer than what was known of its device; kept.
    Newer,
    /// Already known (its receiving key, if given, may have been new).
    Same,
    /// Older than what is known of its device; ignored.
    Older,
    /// It shows work of this very device that this replica does not have: it was restored from a copy.
    /// The frontier itself is kept, and [`Replica::freeze`] must not number anything.
    RolledBack,
    /// Not a frontier of that device, or its signature or receiving key is wrong. The code is stable, for support.
    Refused(&'static str),
}

/// What an announcement turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnVerdict {
    /// Its secret was opened and is held now.
    Adopted,
    /// Its turn is already held.
    Known,
    /// No box in it opens here: none for this device, or one for a receiving key that is spent.
    NotForMe,
    /// Kept until what it names arrives.
    Held,
    /// Invalid. The code is stable, for support.
    Refused(&'static str),
}

/// A signed frontier as it is passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFrontier {
    /// Whose frontier.
    pub device: DeviceId,
    /// The signed bytes (at most 2 KiB).
    pub frontier: Vec<u8>,
    /// The full receiving key that the frontier names by hash, if held.
    pub receiving_key: Option<Vec<u8>>,
}

/// How far one author's chain is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// The author.
    pub device: DeviceId,
    /// Highest sequence up to which nothing is missing; 0 when the first body is. Erased, expired and
    /// refused bodies are not missing.
    pub contiguous: u32,
    /// Highest sequence held: equal to `contiguous` in a chain without gaps, otherwise above it.
    pub highest: u32,
}

/// Rows made for departure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Covered {
    /// The rows, in the order of their ids.
    pub rows: Vec<Row>,
    /// How many of the given ids are dealt with: covered, or skipped because they are gone.
    pub done: usize,
}

/// What became of rows that were handed to [`Replica::accept_rows`] (counts; they add up to the rows given).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accepted {
    /// New and applied.
    pub applied: usize,
    /// Already held.
    pub known: usize,
    /// Kept until something they need arrives.
    pub held: usize,
    /// Invalid for ever.
    pub refused: usize,
    /// The cover did not open the body, or no turn held here opens the cover; says nothing about the body.
    pub thrown_away: usize,
}

/// What a session needs of the phone it runs on.
///
/// An `Error` is fatal for the session (storage failed, the store was locked). Bad input of a peer is
/// never an `Error`: it is a verdict or a count.
pub trait Replica {
    /// Why this replica cannot go on.
    type Error;

    // Authentication.

    /// Discovery secrets of the turns within the absence limit, newest first; a session offers the first 8.
    fn hello_secrets(&mut self) -> Result<Vec<DiscoverySecret>, Self::Error>;
    /// This device.
    fn device(&self) -> DeviceId;
    /// Signs the handshake hash with the device key, as this role.
    fn sign_handshake(&mut self, role: Role, hash: &[u8; 32]) -> Result<[u8; 64], Self::Error>;
    /// Judges a peer: its signature over the hash in its role, and its standing in the team log.
    fn check_handshake(&mut self, peer: DeviceId, role: Role, hash: &[u8; 32], signature: &[u8; 64]) -> Result<Standing, Self::Error>;
    /// The shift day of this device's clock, believed or not.
    fn clock_day(&mut self) -> Result<ShiftDay, Self::Error>;
    /// The clock's day of a peer that was found to be a member's device in this session: two clocks that agree may
    /// confirm each other.
    fn hear_clock(&mut self, day: ShiftDay) -> Result<(), Self::Error>;
    /// The causal past of this device's admission, the admission included, parents before children.
    fn own_admission(&mut self) -> Result<Vec<OperationId>, Self::Error>;

    // Team log.

    /// The operations that no other operation names as a parent.
    fn log_heads(&mut self) -> Result<Vec<OperationId>, Self::Error>;
    /// What this log holds that is not in the causal past of these heads.
    fn operations_beyond(&mut self, heads: &[OperationId]) -> Result<Beyond, Self::Error>;
    /// All operations of the log, parents before children.
    fn operation_ids(&mut self) -> Result<Vec<OperationId>, Self::Error>;
    /// The bytes of these operations in the given order; what is not held is left out.
    fn operations(&mut self, ids: &[OperationId]) -> Result<Vec<Vec<u8>>, Self::Error>;
    /// Takes operations of a peer, in any order.
    fn merge_operations(&mut self, operations: Vec<Vec<u8>>) -> Result<Merged, Self::Error>;

    // Turns and frontiers.

    /// The turns held now, usable ones first. If none is usable (each lacks a ban that this device
    /// knows), one is started first: a session is a departure.
    fn turns(&mut self) -> Result<Vec<TurnId>, Self::Error>;
    /// This device's signed frontier (at most 2 KiB), freshly made if anything changed since the last one.
    fn frontier(&mut self) -> Result<Vec<u8>, Self::Error>;
    /// The full receiving key that this device's frontier names by hash.
    fn receiving_key(&mut self) -> Result<Vec<u8>, Self::Error>;
    /// Whether the receiving key that this frontier names is wanted and not held.
    fn needs_receiving_key(&mut self, frontier: &[u8]) -> Result<bool, Self::Error>;
    /// Takes a frontier; `device` is whose it is said to be, which must be true.
    ///
    /// A frontier whose key is wanted is handed over without it first, and again with it when it has come.
    fn accept_frontier(&mut self, device: DeviceId, frontier: &[u8], receiving_key: Option<&[u8]>) -> Result<FrontierVerdict, Self::Error>;
    /// Device and counter of every frontier held, this device's own included.
    fn known_frontiers(&mut self) -> Result<Vec<(DeviceId, u64)>, Self::Error>;
    /// The frontiers held of these devices; what is not held is left out.
    fn frontiers(&mut self, devices: &[DeviceId]) -> Result<Vec<KnownFrontier>, Self::Error>;
    /// The announcement that brings the peer to this device's turn, if this device is the newer side and
    /// may hand it over. Starts a turn first if every turn held lacks a known ban.
    fn turn_for(&mut self, peer: DeviceId, peer_turns: &[TurnId]) -> Result<Option<Vec<u8>>, Self::Error>;
    /// Takes an announcement.
    fn accept_turn(&mut self, announcement: &[u8]) -> Result<TurnVerdict, Self::Error>;

    // Bodies.

    /// Makes numbered, signed bodies of all drafts. Called only after frontiers were exchanged; does
    /// nothing when this replica knows that it was rolled back.
    fn freeze(&mut self) -> Result<(), Self::Error>;
    /// How far every author's chain is held; authors of whom nothing is held may be left out.
    fn chain_heads(&mut self) -> Result<Vec<ChainHead>, Self::Error>;
    /// The bodies held whose sequence lies above the given one of their author (0 for authors not named),
    /// parents before children and each author's in the order of sequence. Bodies without an author (complaints) are not among them.
    fn bodies_beyond(&mut self, heads: &[(DeviceId, u32)]) -> Result<Vec<BodyId>, Self::Error>;
    /// Everything reconcilable that is held, with its signed day, in any order.
    fn items(&mut self) -> Result<Vec<(ShiftDay, BodyId)>, Self::Error>;
    /// Those of these ids that this replica lacks and would take: not held, erased, expired or refused.
    fn wanted(&mut self, ids: &[BodyId]) -> Result<Vec<BodyId>, Self::Error>;
    /// Those of these ids that this replica can hand over, parents before children.
    fn arranged(&mut self, ids: &[BodyId]) -> Result<Vec<BodyId>, Self::Error>;
    /// Covers these bodies afresh under the usable turn, in the given order, until `max_bytes` are full.
    ///
    /// At least one id is dealt with in each call, even if its row alone is larger than `max_bytes`.
    fn rows(&mut self, ids: &[BodyId], max_bytes: usize) -> Result<Covered, Self::Error>;
    /// Takes rows of a peer or a relay; committed when it returns.
    fn accept_rows(&mut self, rows: Vec<Row>) -> Result<Accepted, Self::Error>;
    /// The session in hand is over: turns that lack a known ban are destroyed now.
    fn end_session(&mut self, peer: DeviceId) -> Result<(), Self::Error>;
}
