//! The vocabulary that Satchel's core and its relay share: ids, days, rows, frames and limits.
//!
//! No keys and no I/O live here. Whatever a relay may know stands in this crate; whatever
//! it may not know cannot be named with it.

pub mod announcement;
pub mod cbor;
pub mod day;
pub mod fingerprint;
pub mod frame;
pub mod ids;
pub mod limits;
pub mod row;

pub use day::{ShiftDay, UtcDay};
pub use fingerprint::DayFingerprint;
pub use ids::{AnnouncementId, BodyId, DeviceId, MailboxId, MemberId, OperationId, RecordId, ResourceId, RowId, RowName, TeamId, TurnId};
pub use row::{Lane, Row, RowError};
