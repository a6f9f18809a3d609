//! What a session did, for the screen and for tests.

use super::replica::{Accepted, Merged};
use satchel_wire::DeviceId;
use std::collections::BTreeSet;

/// Something that a session noticed and that a person or the store should act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Warning {
    /// The team has seen work of this device that it does not hold: it was restored from a copy. Nothing new left it.
    RolledBack,
    /// The two devices hold no common turn and could not hand one over: no bodies were exchanged.
    NoCommonTurn,
    /// An announcement was refused.
    TurnRefused,
    /// A frontier was refused.
    FrontierRefused,
    /// The sides still differ: more than one session can mend, or one side declined.
    Unrepaired,
}

impl Warning {
    /// A stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::RolledBack => "rolled_back",
            Self::NoCommonTurn => "no_common_turn",
            Self::TurnRefused => "turn_refused",
            Self::FrontierRefused => "frontier_refused",
            Self::Unrepaired => "unrepaired",
        }
    }
}

/// What a session did so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionReport {
    /// The other device, once its signature and standing were checked.
    pub peer: Option<DeviceId>,
    /// Rows handed over.
    pub sent: usize,
    /// Rows taken in, whatever became of them.
    pub received: usize,
    /// What became of them.
    pub rows: Accepted,
    /// Operations handed over.
    pub operations_sent: usize,
    /// What became of the operations taken in.
    pub operations: Merged,
    /// Bytes given to the transport.
    pub bytes_sent: u64,
    /// Bytes taken from the transport.
    pub bytes_received: u64,
    /// Times that this side had to wait for an answer.
    pub round_trips: u32,
    /// What was noticed.
    pub warnings: BTreeSet<Warning>,
}

impl SessionReport {
    pub(super) fn add_rows(&mut self, accepted: Accepted) {
        self.rows.applied += accepted.applied;
        self.rows.known += accepted.known;
        self.rows.held += accepted.held;
        self.rows.refused += accepted.refused;
        self.rows.thrown_away += accepted.thrown_away;
    }
    pub(super) fn add_operations(&mut self, merged: Merged) {
        self.operations.accepted += merged.accepted;
        self.operations.held += merged.held;
        self.operations.refused += merged.refused;
    }
}
