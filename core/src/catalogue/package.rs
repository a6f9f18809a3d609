//! The compressed, content-addressed package.

use super::{Catalogue, CatalogueError, codec, limits};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use minicbor::{Decode, Encode};
use serde::{Serialize, Serializer};
use std::fmt;

const MAGIC: &[u8; 8] = b"SATCHCAT";
const VERSION: u8 = 1;
/// Magic, version and the length of the inflated body.
const HEADER_BYTES: usize = 13;
/// Separates a signature over a catalogue from every other signature.
const SIGNING_LABEL: &[u8; 34] = b"satchel 2026-11-22 catalogue sign\0";
/// Raw DEFLATE (RFC 1951) cannot expand one byte into more than 1032.
const DEFLATE_RATIO: usize = 1032;

/// The identity of a package: BLAKE3 over all its bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct ContentId(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl ContentId {
    /// The content id of these package bytes.
    #[must_use]
    pub fn of(package: &[u8]) -> Self {
        ContentId(*blake3::hash(package).as_bytes())
    }

    /// The id with these bytes, for example from a signed announcement.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        ContentId(bytes)
    }

    /// The bytes of the id.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ContentId {
    /// Writes 64 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentId({self})")
    }
}

impl Serialize for ContentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The bytes a signer signs and a verifier checks for a package: a fixed label, then its content id.
#[must_use]
pub fn signing_bytes(content_id: &ContentId) -> [u8; 66] {
    let mut bytes = [0; 66];
    let (label, id) = bytes.split_at_mut(SIGNING_LABEL.len());
    label.copy_from_slice(SIGNING_LABEL);
    id.copy_from_slice(content_id.as_bytes());
    bytes
}

/// A package that is known to be well formed and within bounds.
#[derive(Clone, PartialEq, Eq)]
pub struct CataloguePackage {
    bytes: Vec<u8>,
    content_id: ContentId,
}

impl CataloguePackage {
    /// Encodes and compresses a catalogue; the same catalogue gives the same bytes.
    ///
    /// Another release or processor may compress differently: compare catalogues, not packages, across machines.
    ///
    /// # Errors
    /// The [`CatalogueError`] of the first bound that does not hold: correct that field, or split the catalogue.
    pub fn build(catalogue: &Catalogue) -> Result<Self, CatalogueError> {
        let body = codec::encode(catalogue)?;
        let length = u32::try_from(body.len()).map_err(|_| CatalogueError::BodyTooLarge)?;
        let mut bytes = Vec::with_capacity(body.len() / 4 + HEADER_BYTES + 64);
        bytes.extend_from_slice(MAGIC);
        bytes.push(VERSION);
        bytes.extend_from_slice(&length.to_le_bytes());
        deflate(&body, &mut bytes)?;
        if bytes.len() > limits::PACKAGE_BYTES {
            return Err(CatalogueError::PackageTooLarge);
        }
        let content_id = ContentId::of(&bytes);
        Ok(CataloguePackage { bytes, content_id })
    }

    /// Checks and decodes package bytes from anywhere.
    ///
    /// Proves nothing about who made them: verify the signature over [`signing_bytes`] of
    /// [`ContentId::of`] these bytes first.
    ///
    /// # Errors
    /// [`CatalogueError`]: throw the bytes away; `UnsupportedVersion` asks for a newer app.
    pub fn open(bytes: &[u8]) -> Result<Catalogue, CatalogueError> {
        if bytes.len() > limits::PACKAGE_BYTES {
            return Err(CatalogueError::PackageTooLarge);
        }
        let (header, packed) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(CatalogueError::NotACatalogue)?;
        let [magic @ .., version, a, b, c, d] = header;
        if magic != MAGIC {
            return Err(CatalogueError::NotACatalogue);
        }
        if *version != VERSION {
            return Err(CatalogueError::UnsupportedVersion { version: *version });
        }
        let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).map_err(|_| CatalogueError::BodyTooLarge)?;
        if length > limits::INFLATED_BYTES {
            return Err(CatalogueError::BodyTooLarge);
        }
        // A short package cannot make us allocate what it could never inflate to.
        if length > packed.len().saturating_mul(DEFLATE_RATIO) {
            return Err(CatalogueError::Damaged);
        }
        codec::decode(&inflate(packed, length)?)
    }

    /// The package bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The package bytes, by value.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The identity of the package.
    #[must_use]
    pub fn content_id(&self) -> ContentId {
        self.content_id
    }

    /// The bytes to sign for this package; see [`signing_bytes`].
    #[must_use]
    pub fn signing_bytes(&self) -> [u8; 66] {
        signing_bytes(&self.content_id)
    }
}

impl fmt::Debug for CataloguePackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CataloguePackage").field("content_id", &self.content_id).field("bytes", &self.bytes.len()).finish()
    }
}

fn deflate(body: &[u8], out: &mut Vec<u8>) -> Result<(), CatalogueError> {
    let mut compress = Compress::new(Compression::best(), false);
    loop {
        out.reserve(64 * 1024);
        let done = usize::try_from(compress.total_in()).map_err(|_| CatalogueError::BodyTooLarge)?;
        let rest = body.get(done..).unwrap_or_default();
        match compress.compress_vec(rest, out, FlushCompress::Finish) {
            Ok(Status::StreamEnd) => return Ok(()),
            Ok(Status::Ok | Status::BufError) if out.len() <= limits::PACKAGE_BYTES => {}
            _ => return Err(CatalogueError::PackageTooLarge),
        }
    }
}

/// Inflates exactly `length` bytes, refusing a stream that ends early, goes on, or is followed by anything.
fn inflate(packed: &[u8], length: usize) -> Result<Vec<u8>, CatalogueError> {
    let mut body = Vec::with_capacity(length.saturating_add(1));
    let mut decompress = Decompress::new(false);
    let mut before = (u64::MAX, u64::MAX);
    loop {
        let done = usize::try_from(decompress.total_in()).map_err(|_| CatalogueError::Damaged)?;
        let rest = packed.get(done..).unwrap_or_default();
        let status = decompress.decompress_vec(rest, &mut body, FlushDecompress::Finish).map_err(|_| CatalogueError::Damaged)?;
        let now = (decompress.total_in(), decompress.total_out());
        if status == Status::StreamEnd {
            return match now.0 == packed.len() as u64 && body.len() == length {
                true => Ok(body),
                false => Err(CatalogueError::Damaged),
            };
        }
        // No progress, or more output than announced: the stream is cut off or lies about its length.
        if now == before || body.len() > length {
            return Err(CatalogueError::Damaged);
        }
        before = now;
    }
}
