//! Sealing, opening and verifying one body.

use crate::crypto::{self, Aad, Nonce, OVERHEAD_BYTES, RecordKey, SealedHeader, Signature, SigningKey, VerifyingKey, labels};
use crate::env::Env;
use crate::record::kind::{Audience, Kind, Shape};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{BodyId, DeviceId, RecordId, TeamId};
use satchel_wire::limits::{CONTENT_MAX_BYTES, ROW_MAX_BYTES, ROW_MIN_BYTES};
use satchel_wire::row::size_class;
use zeroize::Zeroizing;

/// The schema version that this build writes, and the newest that it reads.
pub const SCHEMA_VERSION: u16 = 1;

const HEADER_BYTES: usize = 1 + 2 + 16 + 8 + 4 + 16 + 16 + 2 + 2;
const SIGNATURE_BYTES: usize = 64;
/// Lane byte and cover stand before a body in its row.
const ROW_PREFIX_BYTES: usize = 1 + super::cover::COVER_BYTES;

/// What a body belongs to. It stands in the cover and under the author's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// The record.
    pub record: RecordId,
    /// The participant whom it is about.
    pub subject: Option<RecordId>,
    /// Who may read it.
    pub audience: Audience,
    /// What it is.
    pub kind: Kind,
    /// Its shift day; reconciliation orders by it.
    pub day: ShiftDay,
    /// Which key of the record sealed it.
    pub key_id: [u8; 8],
}

/// What a body says about itself, besides its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyHeader {
    /// Document or entry.
    pub shape: Shape,
    /// Schema version of the content.
    pub schema: u16,
    /// The device that wrote and signed it.
    pub device: DeviceId,
    /// Random per unlock; enters the Automerge actor.
    pub session: [u8; 8],
    /// Place in the author's chain, from 1.
    pub sequence: u32,
    /// First 16 bytes of the previous body's id; zero in the first.
    pub previous: [u8; 16],
    /// First 16 bytes of a team-log head whose past holds the author's admission.
    pub log_head: [u8; 16],
    /// Last day that an entry may be kept; `None` for documents, which expire by their kind.
    pub keep_until: Option<ShiftDay>,
}

/// A body, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedBody {
    /// BLAKE3 of the bytes.
    pub id: BodyId,
    /// Nonce, commitment, ciphertext and tag.
    pub bytes: Vec<u8>,
}

/// Why a body cannot be sealed, opened or believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// More content than a row carries. Remedy: split it.
    #[error("more content than one row carries")]
    TooLarge,
    /// Not a row's size, or nothing that any key at hand opens. Remedy: hold the row until its turn is known.
    #[error("no key at hand opens this cover")]
    Cover,
    /// The cover does not open its body: thrown away with its row; other covers of the body are still tried.
    #[error("a cover that does not open its body")]
    FalseCover,
    /// Written by a later version. Remedy: update the app; the row is held until then.
    #[error("written by a later version")]
    Newer,
    /// The body opened, but its inside breaks the format.
    #[error("a body that breaks the format")]
    Malformed,
    /// The signature is not its author's for this team, record, kind, day and place.
    #[error("a signature that is not its author's")]
    Signature,
}

impl EnvelopeError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "body_too_large",
            Self::Cover => "cover_unknown_turn",
            Self::FalseCover => "cover_false",
            Self::Newer => "body_newer_version",
            Self::Malformed => "body_malformed",
            Self::Signature => "body_signature",
        }
    }
}

fn body_aad(team: TeamId, binding: &Binding) -> Aad {
    Aad::new(labels::BODY).add(team.as_bytes()).add(binding.record.as_bytes()).add(&binding.key_id)
}

/// The body length whose row is the smallest class that holds this much content.
fn body_length(content: usize) -> Option<usize> {
    let plain = HEADER_BYTES + content + SIGNATURE_BYTES;
    let class = size_class(ROW_PREFIX_BYTES + OVERHEAD_BYTES + plain)?;
    Some(class - ROW_PREFIX_BYTES)
}

fn signed_bytes(team: TeamId, binding: &Binding, sealed: &SealedHeader, inside: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 * 3 + 12 + 56 + inside.len()));
    bytes.extend_from_slice(team.as_bytes());
    bytes.extend_from_slice(binding.record.as_bytes());
    bytes.extend_from_slice(binding.subject.map_or([0; 16], |subject| *subject.as_bytes()).as_slice());
    bytes.push(binding.audience.byte());
    bytes.push(binding.kind.byte());
    bytes.extend_from_slice(&binding.day.days().to_le_bytes());
    bytes.extend_from_slice(&binding.key_id);
    bytes.extend_from_slice(&sealed.nonce);
    bytes.extend_from_slice(&sealed.commitment);
    bytes.extend_from_slice(inside);
    bytes
}

/// Seals and signs a body. Errors: [`EnvelopeError::TooLarge`] above 60 KiB of content.
pub fn seal_body(
    env: &Env,
    team: TeamId,
    binding: &Binding,
    key: &RecordKey,
    signer: &SigningKey,
    header: &BodyHeader,
    content: &[u8],
) -> Result<SealedBody, EnvelopeError> {
    if content.len() > CONTENT_MAX_BYTES {
        return Err(EnvelopeError::TooLarge);
    }
    let length = body_length(content.len()).ok_or(EnvelopeError::TooLarge)?;
    let nonce = Nonce::make(env);
    let sealed = SealedHeader { nonce: *nonce.as_bytes(), commitment: crypto::commitment(key, &nonce) };
    let mut plain = Zeroizing::new(Vec::with_capacity(length));
    plain.push(header.shape.byte());
    plain.extend_from_slice(&header.schema.to_le_bytes());
    plain.extend_from_slice(header.device.as_bytes());
    plain.extend_from_slice(&header.session);
    plain.extend_from_slice(&header.sequence.to_le_bytes());
    plain.extend_from_slice(&header.previous);
    plain.extend_from_slice(&header.log_head);
    plain.extend_from_slice(&header.keep_until.map_or(0, ShiftDay::days).to_le_bytes());
    plain.extend_from_slice(&(content.len() as u16).to_le_bytes());
    plain.extend_from_slice(content);
    let signature = signer.sign(labels::SIGN_BODY, &signed_bytes(team, binding, &sealed, &plain));
    plain.extend_from_slice(signature.as_bytes());
    plain.resize(length - OVERHEAD_BYTES, 0);
    let bytes = crypto::seal(key, nonce, &body_aad(team, binding), &plain).map_err(|_| EnvelopeError::TooLarge)?;
    Ok(SealedBody { id: BodyId::of(&bytes), bytes })
}

/// Whether a key sealed a body, by the commitment in front of it; nothing is decrypted.
pub fn is_sealed_by(body: &[u8], key: &RecordKey) -> bool {
    crypto::commits_to(key, body)
}

/// A body that its key opened. Its author is not proven yet.
#[derive(Debug)]
pub struct OpenedBody {
    header: BodyHeader,
    signed: Zeroizing<Vec<u8>>,
    content: Zeroizing<Vec<u8>>,
    signature: Signature,
}

/// A body whose author is proven.
#[derive(Debug)]
pub struct VerifiedBody {
    /// What it says about itself.
    pub header: BodyHeader,
    /// Automerge changes or an entry's CBOR.
    pub content: Zeroizing<Vec<u8>>,
}

/// Opens a body. Errors: [`EnvelopeError::FalseCover`] when the key is not the one that sealed it under this
/// binding, [`EnvelopeError::Malformed`] when the inside breaks the format.
pub fn open_body(team: TeamId, binding: &Binding, key: &RecordKey, bytes: &[u8]) -> Result<OpenedBody, EnvelopeError> {
    let row_length = ROW_PREFIX_BYTES + bytes.len();
    if !(ROW_MIN_BYTES..=ROW_MAX_BYTES).contains(&row_length) || !row_length.is_power_of_two() {
        return Err(EnvelopeError::FalseCover);
    }
    let plain = crypto::open(key, &body_aad(team, binding), bytes).map_err(|_| EnvelopeError::FalseCover)?;
    let mut rest = plain.as_slice();
    let header = read_header(&mut rest).ok_or(EnvelopeError::Malformed)?;
    let length = usize::from(u16::from_le_bytes(take(&mut rest).ok_or(EnvelopeError::Malformed)?));
    let content = Zeroizing::new(rest.get(..length).ok_or(EnvelopeError::Malformed)?.to_vec());
    let mut rest = rest.get(length..).ok_or(EnvelopeError::Malformed)?;
    let signature = Signature::from_bytes(take(&mut rest).ok_or(EnvelopeError::Malformed)?);
    // one encoding only: padding is zero and no longer than its class asks for
    if length > CONTENT_MAX_BYTES || rest.iter().any(|byte| *byte != 0) || body_length(length) != Some(bytes.len()) {
        return Err(EnvelopeError::Malformed);
    }
    let inside = plain.get(..HEADER_BYTES + length).ok_or(EnvelopeError::Malformed)?;
    let sealed = SealedHeader::parse(bytes).map_err(|_| EnvelopeError::Malformed)?;
    let signed = signed_bytes(team, binding, &sealed, inside);
    Ok(OpenedBody { header, signed, content, signature })
}

impl OpenedBody {
    /// What the body claims about itself; believe it after [`Self::verify`].
    pub const fn claimed(&self) -> &BodyHeader {
        &self.header
    }

    /// The content of a body whose signature was checked before it was stored here.
    pub fn into_content(self) -> Zeroizing<Vec<u8>> {
        self.content
    }

    /// Checks the author's signature. Errors: [`EnvelopeError::Signature`].
    pub fn verify(self, author: &VerifyingKey) -> Result<VerifiedBody, EnvelopeError> {
        if author.device_id() != self.header.device {
            return Err(EnvelopeError::Signature);
        }
        author.verify(labels::SIGN_BODY, &self.signed, &self.signature).map_err(|_| EnvelopeError::Signature)?;
        Ok(VerifiedBody { header: self.header, content: self.content })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

fn read_header(rest: &mut &[u8]) -> Option<BodyHeader> {
    let shape = Shape::from_byte(take::<1>(rest)?[0])?;
    let schema = u16::from_le_bytes(take(rest)?);
    let device = DeviceId::from_bytes(take(rest)?);
    let session = take(rest)?;
    let sequence = u32::from_le_bytes(take(rest)?);
    let previous = take(rest)?;
    let log_head = take(rest)?;
    let keep_until = match u16::from_le_bytes(take(rest)?) {
        0 => None,
        day => Some(ShiftDay::from_days(day)),
    };
    if sequence == 0 || (sequence == 1) != (previous == [0; 16]) {
        return None;
    }
    Some(BodyHeader { shape, schema, device, session, sequence, previous, log_head, keep_until })
}
