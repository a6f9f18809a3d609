//! Covers: how a body's key travels to whoever holds the turn.

use super::body::{Binding, EnvelopeError};
use crate::crypto::{self, Aad, FieldKey, LaneKey, Nonce, OVERHEAD_BYTES, RecordKey, labels};
use crate::env::Env;
use crate::record::kind::{Audience, Kind};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{BodyId, RecordId, TeamId};
use satchel_wire::row::{Lane, Row};
use zeroize::Zeroizing;

/// Suite 1: XChaCha20-Poly1305 with BLAKE3 key commitment, Ed25519, BLAKE3.
pub const SUITE: u8 = 1;
const PLAIN_BYTES: usize = 1 + 16 + 16 + 1 + 1 + 2 + 8 + 1 + 32;
/// What the secret at the end of a cover is.
const RECORD_KEY: u8 = 1;
const FIELD_KEY: u8 = 2;
/// Length of a sealed cover (bytes).
pub const COVER_BYTES: usize = PLAIN_BYTES + OVERHEAD_BYTES;

/// What a cover says of its body.
#[derive(Debug)]
pub struct Covered {
    /// What the body belongs to, by the cover's word; the author's signature decides.
    pub binding: Binding,
    /// The record key.
    pub key: RecordKey,
    /// The field key that it follows from, as long as the sender had one to give.
    pub field: Option<FieldKey>,
    /// The body's id.
    pub body_id: BodyId,
    /// The body's bytes.
    pub body: Vec<u8>,
}

fn cover_aad(team: TeamId, body: &BodyId) -> Aad {
    Aad::new(labels::COVER).add(team.as_bytes()).add(body.as_bytes())
}

/// Covers a body under a turn's records lane key: the row that leaves.
///
/// Errors: [`EnvelopeError::Malformed`] if `body` has not the length of a sealed body.
pub fn cover_row(env: &Env, team: TeamId, lane: &LaneKey, binding: &Binding, key: &RecordKey, body: &[u8]) -> Result<Row, EnvelopeError> {
    cover(env, team, lane, binding, (RECORD_KEY, key.expose()), body)
}

/// The same with the field key in place of the record key that follows from it: whoever opens the row reads also what
/// leaves the body early. Errors: as [`cover_row`].
pub fn cover_row_with_field(
    env: &Env,
    team: TeamId,
    lane: &LaneKey,
    binding: &Binding,
    field: &FieldKey,
    body: &[u8],
) -> Result<Row, EnvelopeError> {
    cover(env, team, lane, binding, (FIELD_KEY, field.expose()), body)
}

fn cover(
    env: &Env,
    team: TeamId,
    lane: &LaneKey,
    binding: &Binding,
    (what, secret): (u8, &[u8; 32]),
    body: &[u8],
) -> Result<Row, EnvelopeError> {
    let mut plain = Zeroizing::new(Vec::with_capacity(PLAIN_BYTES));
    plain.push(SUITE);
    plain.extend_from_slice(binding.record.as_bytes());
    plain.extend_from_slice(binding.subject.map_or([0; 16], |subject| *subject.as_bytes()).as_slice());
    plain.push(binding.audience.byte());
    plain.push(binding.kind.byte());
    plain.extend_from_slice(&binding.day.days().to_le_bytes());
    plain.extend_from_slice(&binding.key_id);
    plain.push(what);
    plain.extend_from_slice(secret);
    let cover = crypto::seal(lane, Nonce::make(env), &cover_aad(team, &BodyId::of(body)), &plain).map_err(|_| EnvelopeError::TooLarge)?;
    let mut bytes = Vec::with_capacity(1 + cover.len() + body.len());
    bytes.push(Lane::Records.byte());
    bytes.extend_from_slice(&cover);
    bytes.extend_from_slice(body);
    Row::parse(bytes).map_err(|_| EnvelopeError::Malformed)
}

/// Opens a row's cover with one turn's records lane key.
///
/// Errors: [`EnvelopeError::Cover`] when this key does not open it (another turn's may),
/// [`EnvelopeError::Newer`] when it opened but names a suite, audience, kind or key of a later version.
pub fn open_row(team: TeamId, lane: &LaneKey, row: &Row) -> Result<Covered, EnvelopeError> {
    let (cover, body) = row.rest().split_at_checked(COVER_BYTES).ok_or(EnvelopeError::Cover)?;
    if row.lane() != Lane::Records {
        return Err(EnvelopeError::Cover);
    }
    let body_id = BodyId::of(body);
    let plain = crypto::open(lane, &cover_aad(team, &body_id), cover).map_err(|_| EnvelopeError::Cover)?;
    let (binding, key, field) = read_cover(&plain)?;
    Ok(Covered { binding, key, field, body_id, body: body.to_vec() })
}

/// The body that a row of the records lane would carry, and its id: neither needs the cover.
pub fn body_of(row: &Row) -> Option<(BodyId, &[u8])> {
    let (_, body) = row.rest().split_at_checked(COVER_BYTES).filter(|_| row.lane() == Lane::Records)?;
    Some((BodyId::of(body), body))
}

fn read_cover(plain: &[u8]) -> Result<(Binding, RecordKey, Option<FieldKey>), EnvelopeError> {
    let plain: &[u8; PLAIN_BYTES] = plain.try_into().map_err(|_| EnvelopeError::FalseCover)?;
    let [suite, record @ ..] = plain;
    let (record, rest) = record.split_at(16);
    let (subject, rest) = rest.split_at(16);
    let (small, rest) = rest.split_at(4);
    let (key_id, rest) = rest.split_at(8);
    let id = |bytes: &[u8]| RecordId::from_slice(bytes).map_err(|_| EnvelopeError::FalseCover);
    let fixed = |bytes: &[u8]| <[u8; 8]>::try_from(bytes).map_err(|_| EnvelopeError::FalseCover);
    let field = match rest.first() {
        Some(&FIELD_KEY) => Some(FieldKey::from_slice(&rest[1..]).map_err(|_| EnvelopeError::FalseCover)?),
        Some(&RECORD_KEY) => None,
        _ => return Err(EnvelopeError::Newer),
    };
    let key = match &field {
        Some(field) => field.derive_record_key(),
        None => RecordKey::from_slice(&rest[1..]).map_err(|_| EnvelopeError::FalseCover)?,
    };
    // a suite, audience or kind of a later version: hold the row for the app that knows it
    let (Some(audience), Some(kind), SUITE) = (Audience::from_byte(small[0]), Kind::from_byte(small[1]), *suite) else {
        return Err(EnvelopeError::Newer);
    };
    let binding = Binding {
        record: id(record)?,
        subject: if subject == [0; 16] { None } else { Some(id(subject)?) },
        audience,
        kind,
        day: ShiftDay::from_days(u16::from_le_bytes([small[2], small[3]])),
        key_id: fixed(key_id)?,
    };
    Ok((binding, key, field))
}
