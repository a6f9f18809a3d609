//! Ids and days: text on the other side, parsed once on the way in, with a typed error.

use crate::error::FfiError;
use satchel_wire::ShiftDay;
use satchel_wire::ids::{BodyId, DeviceId, IdError, MailboxId, MemberId, OperationId, RecordId, ResourceId, TeamId};

fn id_error(error: IdError) -> FfiError {
    FfiError::invalid(match error {
        IdError::Prefix { .. } => "id.prefix",
        IdError::Malformed => "id.malformed",
    })
}

/// An id crosses as its text.
macro_rules! ids {
    ($($name:ident),+ $(,)?) => {$(
        uniffi::custom_type!($name, String, {
            remote,
            try_lift: |text| Ok(text.parse::<$name>().map_err(id_error)?),
            lower: |id| id.to_string(),
        });
    )+};
}
ids!(BodyId, DeviceId, MailboxId, MemberId, OperationId, RecordId, ResourceId, TeamId);
uniffi::custom_type!(ShiftDay, String, {
    remote,
    try_lift: |text| Ok(text.parse::<ShiftDay>().map_err(|_| FfiError::invalid("day.malformed"))?),
    lower: |day| day.to_string(),
});

/// Reads the id of a record as text (`rec_` and 26 characters of RFC 4648 base32, upper or lower case)
/// and returns its one canonical form, in lower case.
///
/// Errors: [`FfiError::InvalidInput`] with `id.prefix` or `id.malformed` for anything else, of any length.
#[uniffi::export]
pub fn parse_id(id: RecordId) -> Result<RecordId, FfiError> {
    // parsed on the way in; the result type carries a failure of that
    Ok(id)
}
