//! Sync: sealed bytes between replicas, phone to phone and through a relay. Sans-I/O.

mod replica;

pub use replica::{
    Accepted, Beyond, ChainHead, Covered, FrontierVerdict, KnownFrontier, Merged, OperationId, Replica, Role, Standing, TurnVerdict,
};
