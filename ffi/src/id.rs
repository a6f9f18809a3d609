//! Ids and days: text on the other side, parsed once on the way in, with a typed error.

use crate::error::FfiError;
use satchel_wire::ShiftDay;
use satchel_wire::ids::{DeviceId, IdError, MailboxId, RecordId, ResourceId};

fn id_error(error: IdError) -> FfiError {
    FfiError::invalid(match error {
        IdError::Prefix { .. } => "id.prefix",
        IdError::Malformed => "id.malformed",
    })
}

uniffi::custom_type!(RecordId, String, {
    remote,
    try_lift: |text| Ok(text.parse::<RecordId>().map_err(id_error)?),
    lower: |id| id.to_string(),
});
uniffi::custom_type!(ResourceId, String, {
    remote,
    try_lift: |text| Ok(text.parse::<ResourceId>().map_err(id_error)?),
    lower: |id| id.to_string(),
});
uniffi::custom_type!(DeviceId, String, {
    remote,
    try_lift: |text| Ok(text.parse::<DeviceId>().map_err(id_error)?),
    lower: |id| id.to_string(),
});
uniffi::custom_type!(MailboxId, String, {
    remote,
    try_lift: |text| Ok(text.parse::<MailboxId>().map_err(id_error)?),
    lower: |id| id.to_string(),
});
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
