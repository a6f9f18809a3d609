//! Wire pages: record keys for whoever never held the turns under which rows were covered.
//!
//! A row says its body's id without its cover, so a list of body ids with their records' keys replaces every cover
//! that nobody can open any more. The list comes in *pages* under random page keys, and a *root* names the pages,
//! with their keys, under the turn in use. A page that changes is sealed anew under another key, so an earlier root
//! opens nothing that was written later; a page that did not is named again and not sent again.
//!
//! ```text
//! page row = lane 0x03 ‖ AEAD(page key, aad: "wire page", team): length (4) ‖ CBOR [ entry, … ] ‖ zeros
//! entry    = CBOR map { 0: record, 1: kind byte, 2: subject, 3: [ [key id (8), record key (32)], … ], 4: [ [body id, day], … ] }
//! root     = CBOR [ content, signature ], cut into pieces
//! content  = CBOR map { 0: version 1, 1: team, 2: maker, 3: day, 4: [ [row id, page key], … ], 5: [ frontier, … ],
//!            6: number }
//! root row = lane 0x03 ‖ AEAD(records lane key, aad: "wire root", team):
//!            root id (16) ‖ index (1) ‖ count (1) ‖ piece length (4) ‖ piece ‖ zeros
//! ```
//!
//! A root is signed by the device that made it. Nothing in it is believed: a listed body still needs its author's
//! signature, and a body that a root leaves out is judged by its cover as before.

use crate::crypto::{self, Aad, FieldKey, LaneKey, Nonce, OVERHEAD_BYTES, PageKey, RecordKey, Signature, SigningKey, VerifyingKey, labels};
use crate::env::Env;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::{BodyId, DeviceId, RecordId, RowId, TeamId};
use satchel_wire::limits::{
    DIRECTORY_FRONTIERS_MAX_COUNT, DIRECTORY_PAGES_MAX_COUNT, DIRECTORY_ROOT_MAX_BYTES, DIRECTORY_ROOT_ROWS_MAX_COUNT,
    PAGE_ENTRY_BODIES_MAX_COUNT, PAGE_ENTRY_KEYS_MAX_COUNT, PAGE_RECORDS_MAX_COUNT, ROW_MAX_BYTES,
};
use satchel_wire::row::{Lane, Row, size_class};
use std::fmt;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

const LENGTH_BYTES: usize = 4;
const PART_HEADER_BYTES: usize = 16 + 1 + 1 + LENGTH_BYTES;
const PIECE_MAX_BYTES: usize = ROW_MAX_BYTES - 1 - OVERHEAD_BYTES - PART_HEADER_BYTES;
const VERSION: u8 = 1;

/// Most bytes of encoded entries that one page row carries.
pub const PAGE_CONTENT_MAX_BYTES: usize = ROW_MAX_BYTES - 1 - OVERHEAD_BYTES - LENGTH_BYTES;

/// Why a page or root cannot be sealed or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// More than a row, or a root, carries. Remedy: split it.
    #[error("more than one directory carries")]
    TooLarge,
    /// This key does not open it. Remedy: try another, or hold the row.
    #[error("no key at hand opens this row")]
    Key,
    /// It opened, but breaks the format or its limits. Remedy: throw the row away.
    #[error("not a page or root")]
    Malformed,
    /// The signature is not its maker's.
    #[error("a signature that is not its maker's")]
    Signature,
}

impl DirectoryError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "directory_too_large",
            Self::Key => "directory_key",
            Self::Malformed => "directory_malformed",
            Self::Signature => "directory_signature",
        }
    }
}

/// A key of a record, with the id that its author gave it.
#[derive(Debug)]
pub struct EntryKey {
    /// The id, as bodies name it.
    pub id: [u8; 8],
    /// The key.
    pub key: RecordKey,
    /// The field key that it follows from, while it may be given: it is written in the record key's place.
    pub field: Option<FieldKey>,
}

impl<C> Encode<C> for EntryKey {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut minicbor::Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        match &self.field {
            Some(field) => e.array(3)?.bytes(&self.id)?.bytes(field.expose())?.bool(true)?,
            None => e.array(2)?.bytes(&self.id)?.bytes(self.key.expose())?,
        };
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for EntryKey {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let wrong = || minicbor::decode::Error::message("entry key");
        let length = d.array()?;
        let id = d.bytes()?.try_into().map_err(|_| wrong())?;
        let secret = d.bytes()?;
        match length {
            Some(2) => Ok(Self { id, key: RecordKey::from_slice(secret).map_err(|_| wrong())?, field: None }),
            Some(3) if d.bool()? => {
                let field = FieldKey::from_slice(secret).map_err(|_| wrong())?;
                Ok(Self { id, key: field.derive_record_key(), field: Some(field) })
            }
            _ => Err(wrong()),
        }
    }
}

/// One record, or a part of one that has very many keys or bodies: parts repeat the rest.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub struct DirectoryEntry {
    /// The record.
    #[n(0)]
    pub record: RecordId,
    /// Its kind's byte; a reader skips kinds that it does not know.
    #[n(1)]
    pub kind: u8,
    /// The participant whom it is about.
    #[n(2)]
    pub subject: Option<RecordId>,
    /// Its keys, at most [`PAGE_ENTRY_KEYS_MAX_COUNT`]; which of them sealed a body, the body's commitment says.
    #[n(3)]
    pub keys: Vec<EntryKey>,
    /// Its bodies with their signed days, at most [`PAGE_ENTRY_BODIES_MAX_COUNT`].
    #[n(4)]
    pub bodies: Vec<(BodyId, ShiftDay)>,
}

/// A page: the row that it is, and the key that opens it.
#[derive(Debug)]
pub struct PageName {
    /// The row.
    pub row: RowId,
    /// Its key.
    pub key: PageKey,
}

impl<C> Encode<C> for PageName {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut minicbor::Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2)?.bytes(self.row.as_bytes())?.bytes(self.key.expose())?;
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for PageName {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let wrong = || minicbor::decode::Error::message("page name");
        if d.array()? != Some(2) {
            return Err(wrong());
        }
        let row = RowId::from_slice(d.bytes()?).map_err(|_| wrong())?;
        Ok(Self { row, key: PageKey::from_slice(d.bytes()?).map_err(|_| wrong())? })
    }
}

/// What a root says.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub struct RootContent {
    #[n(0)]
    version: u8,
    /// The team.
    #[n(1)]
    pub team: TeamId,
    /// The device that made it.
    #[n(2)]
    pub maker: DeviceId,
    /// Its shift day.
    #[n(3)]
    pub day: ShiftDay,
    /// All pages.
    #[n(4)]
    pub pages: Vec<PageName>,
    /// Signed frontiers of authors, newest known: how far everybody's chain goes.
    #[n(5)]
    pub frontiers: Vec<ByteVec>,
    /// Counts its maker's roots: the highest replaces the others.
    #[n(6)]
    pub number: u64,
}

impl RootContent {
    /// A root of this format's version.
    pub const fn new(team: TeamId, (maker, number): (DeviceId, u64), day: ShiftDay, pages: Vec<PageName>, frontiers: Vec<ByteVec>) -> Self {
        Self { version: VERSION, team, maker, day, pages, frontiers, number }
    }
}

#[derive(Encode, Decode)]
struct Signed {
    #[cbor(n(0), with = "minicbor::bytes")]
    content: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    signature: [u8; 64],
}

/// One piece of a root, opened.
#[derive(Clone, PartialEq, Eq)]
pub struct RootPart {
    /// Which root: a hash of all of it.
    pub root: [u8; 16],
    /// Its place, from 0.
    pub index: u8,
    /// How many pieces there are.
    pub count: u8,
    piece: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for RootPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // the piece holds page keys
        write!(f, "RootPart({} of {})", self.index, self.count)
    }
}

fn aad(label: labels::Label, team: TeamId) -> Aad {
    Aad::new(label).add(team.as_bytes())
}

fn row_of(sealed: &[u8]) -> Result<Row, DirectoryError> {
    let mut bytes = Vec::with_capacity(1 + sealed.len());
    bytes.push(Lane::Records.byte());
    bytes.extend_from_slice(sealed);
    Row::parse(bytes).map_err(|_| DirectoryError::TooLarge)
}

/// Seals a page under a key that was made for it and never seals again. Errors: [`DirectoryError::TooLarge`].
pub fn seal_page(env: &Env, team: TeamId, key: &PageKey, entries: &[DirectoryEntry]) -> Result<Row, DirectoryError> {
    let content = Zeroizing::new(minicbor::to_vec(entries).map_err(|_| DirectoryError::TooLarge)?);
    let class = size_class(1 + OVERHEAD_BYTES + LENGTH_BYTES + content.len()).ok_or(DirectoryError::TooLarge)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(class));
    plain.extend_from_slice(&(content.len() as u32).to_le_bytes());
    plain.extend_from_slice(&content);
    plain.resize(class - 1 - OVERHEAD_BYTES, 0);
    row_of(&crypto::seal(key, Nonce::make(env), &aad(labels::WIRE_PAGE, team), &plain).map_err(|_| DirectoryError::TooLarge)?)
}

/// Opens a page. Errors: [`DirectoryError::Key`], [`DirectoryError::Malformed`].
pub fn open_page(team: TeamId, key: &PageKey, row: &Row) -> Result<Vec<DirectoryEntry>, DirectoryError> {
    if row.lane() != Lane::Records {
        return Err(DirectoryError::Key);
    }
    let plain = crypto::open(key, &aad(labels::WIRE_PAGE, team), row.rest()).map_err(|_| DirectoryError::Key)?;
    let (length, rest) = plain.split_first_chunk::<LENGTH_BYTES>().ok_or(DirectoryError::Malformed)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| DirectoryError::Malformed)?;
    let (content, padding) = rest.split_at_checked(length).ok_or(DirectoryError::Malformed)?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(DirectoryError::Malformed);
    }
    let entries: Vec<DirectoryEntry> = cbor::decode(content).map_err(|_| DirectoryError::Malformed)?;
    let fits = |entry: &DirectoryEntry| {
        entry.keys.len() <= PAGE_ENTRY_KEYS_MAX_COUNT && !entry.keys.is_empty() && entry.bodies.len() <= PAGE_ENTRY_BODIES_MAX_COUNT
    };
    if entries.len() > PAGE_RECORDS_MAX_COUNT || !entries.iter().all(fits) { Err(DirectoryError::Malformed) } else { Ok(entries) }
}

fn root_id(bytes: &[u8]) -> [u8; 16] {
    crypto::derive_id(labels::WIRE_ROOT, &[bytes])
}

/// Signs a root and seals it under a turn's records lane key, as rows. Returns its id beside them.
///
/// Errors: [`DirectoryError::TooLarge`] above the limits of pages, frontiers or bytes.
pub fn seal_root(env: &Env, lane: &LaneKey, signer: &SigningKey, content: &RootContent) -> Result<([u8; 16], Vec<Row>), DirectoryError> {
    if content.pages.len() > DIRECTORY_PAGES_MAX_COUNT || content.frontiers.len() > DIRECTORY_FRONTIERS_MAX_COUNT {
        return Err(DirectoryError::TooLarge);
    }
    let encoded = Zeroizing::new(cbor::encode(content));
    let signature = *signer.sign(labels::SIGN_WIRE_ROOT, &encoded).as_bytes();
    let bytes = Zeroizing::new(cbor::encode(&Signed { content: encoded.to_vec(), signature }));
    if bytes.len() > DIRECTORY_ROOT_MAX_BYTES {
        return Err(DirectoryError::TooLarge);
    }
    let id = root_id(&bytes);
    let pieces: Vec<&[u8]> = bytes.chunks(PIECE_MAX_BYTES).collect();
    let count = u8::try_from(pieces.len()).map_err(|_| DirectoryError::TooLarge)?;
    let mut rows = Vec::with_capacity(pieces.len());
    for (index, piece) in pieces.into_iter().enumerate() {
        let class = size_class(1 + OVERHEAD_BYTES + PART_HEADER_BYTES + piece.len()).ok_or(DirectoryError::TooLarge)?;
        let mut plain = Zeroizing::new(Vec::with_capacity(class));
        plain.extend_from_slice(&id);
        plain.extend_from_slice(&[index as u8, count]);
        plain.extend_from_slice(&(piece.len() as u32).to_le_bytes());
        plain.extend_from_slice(piece);
        plain.resize(class - 1 - OVERHEAD_BYTES, 0);
        let sealed = crypto::seal(lane, Nonce::make(env), &aad(labels::WIRE_ROOT, content.team), &plain);
        rows.push(row_of(&sealed.map_err(|_| DirectoryError::TooLarge)?)?);
    }
    Ok((id, rows))
}

/// Opens one row of a root. Errors: [`DirectoryError::Key`], [`DirectoryError::Malformed`].
pub fn open_root_part(team: TeamId, lane: &LaneKey, row: &Row) -> Result<RootPart, DirectoryError> {
    if row.lane() != Lane::Records {
        return Err(DirectoryError::Key);
    }
    let plain = crypto::open(lane, &aad(labels::WIRE_ROOT, team), row.rest()).map_err(|_| DirectoryError::Key)?;
    let (root, rest) = plain.split_first_chunk::<16>().ok_or(DirectoryError::Malformed)?;
    let ([index, count], rest) = rest.split_first_chunk::<2>().ok_or(DirectoryError::Malformed)?;
    let (length, rest) = rest.split_first_chunk::<LENGTH_BYTES>().ok_or(DirectoryError::Malformed)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| DirectoryError::Malformed)?;
    let (piece, padding) = rest.split_at_checked(length).ok_or(DirectoryError::Malformed)?;
    if index >= count || usize::from(*count) > DIRECTORY_ROOT_ROWS_MAX_COUNT || padding.iter().any(|byte| *byte != 0) {
        return Err(DirectoryError::Malformed);
    }
    Ok(RootPart { root: *root, index: *index, count: *count, piece: Zeroizing::new(piece.to_vec()) })
}

/// A root whose maker is not proven yet.
pub struct OpenedRoot {
    /// Its id.
    pub id: [u8; 16],
    content: RootContent,
    encoded: Zeroizing<Vec<u8>>,
    signature: Signature,
}

/// Joins pieces of one root, in any order, repeats allowed; nothing while some are missing.
///
/// Errors: [`DirectoryError::Malformed`] when they contradict each other, the id, or the limits.
pub fn join_root(team: TeamId, parts: &[RootPart]) -> Result<Option<OpenedRoot>, DirectoryError> {
    let first = parts.first().ok_or(DirectoryError::Malformed)?;
    if parts.iter().any(|part| part.root != first.root || part.count != first.count) {
        return Err(DirectoryError::Malformed);
    }
    let mut bytes = Zeroizing::new(Vec::new());
    for index in 0..first.count {
        let Some(part) = parts.iter().find(|part| part.index == index) else { return Ok(None) };
        if bytes.len() + part.piece.len() > DIRECTORY_ROOT_MAX_BYTES {
            return Err(DirectoryError::Malformed);
        }
        bytes.extend_from_slice(&part.piece);
    }
    if root_id(&bytes) != first.root {
        return Err(DirectoryError::Malformed);
    }
    let signed: Signed = cbor::decode(&bytes).map_err(|_| DirectoryError::Malformed)?;
    let encoded = Zeroizing::new(signed.content);
    let content: RootContent = cbor::decode(&encoded).map_err(|_| DirectoryError::Malformed)?;
    let fits = content.pages.len() <= DIRECTORY_PAGES_MAX_COUNT && content.frontiers.len() <= DIRECTORY_FRONTIERS_MAX_COUNT;
    if content.version != VERSION || content.team != team || !fits {
        return Err(DirectoryError::Malformed);
    }
    Ok(Some(OpenedRoot { id: first.root, content, encoded, signature: Signature::from_bytes(signed.signature) }))
}

impl fmt::Debug for OpenedRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenedRoot")
    }
}

impl OpenedRoot {
    /// The device that the root claims as its maker.
    pub const fn maker(&self) -> DeviceId {
        self.content.maker
    }
    /// Checks the maker's signature and gives the content out. Errors: [`DirectoryError::Signature`].
    pub fn verify(self, key: &VerifyingKey) -> Result<RootContent, DirectoryError> {
        key.verify(labels::SIGN_WIRE_ROOT, &self.encoded, &self.signature).map_err(|_| DirectoryError::Signature)?;
        Ok(self.content)
    }
}
