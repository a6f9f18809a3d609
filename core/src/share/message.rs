//! What travels: facts to a recipient, the request to erase them, the answer. All of one size.

use super::ShareError;
use crate::consent::words;
use crate::consent::{GatedCategory, HowGiven, Purpose};
use crate::crypto::{self, Aad, BOX_OVERHEAD_BYTES, LaneKey, Nonce, OVERHEAD_BYTES, ReceivingKey, ReceivingPublicKey, TreeTag, labels};
use crate::env::Env;
use crate::record::{Fact, FactField};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::RecordId;
use zeroize::{Zeroize, Zeroizing};

/// Length of everything that is sent (bytes).
pub const PACKET_BYTES: usize = 8_192;
const TAG_BYTES: usize = 3;
const PLAIN_BYTES: usize = PACKET_BYTES - TAG_BYTES - BOX_OVERHEAD_BYTES;
/// In front of an answer: as in front of a packet (bytes).
const ANSWER_HEAD_BYTES: usize = TAG_BYTES + 1;
const ANSWER_PLAIN_BYTES: usize = PACKET_BYTES - ANSWER_HEAD_BYTES - OVERHEAD_BYTES;
const VERSION: u8 = 1;
// every fact at its longest, with room for names and the rest
const _: () = assert!(FactField::ALL.len() * (200 + 32) + 256 < PLAIN_BYTES);

/// Facts as they are shared: exactly what was granted, and under which yes.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedFacts {
    /// Random: sender and recipient know this copy by it, and nobody knows anything else by it.
    pub share: RecordId,
    /// The one purpose.
    pub purpose: Purpose,
    /// The last day on which they may be kept or read.
    pub expiry: ShiftDay,
    /// How consent was given.
    pub how: HowGiven,
    /// Number of the words that were shown: words of a share.
    pub words_version: u16,
    /// Their language.
    pub words_language: String,
    /// The facts, each field once, in the order of the fields.
    pub facts: Vec<Fact>,
}

impl std::fmt::Debug for SharedFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedFacts(..)")
    }
}

impl SharedFacts {
    /// The categories of the facts, sorted.
    pub fn categories(&self) -> Vec<GatedCategory> {
        let all: std::collections::BTreeSet<_> = self.facts.iter().map(|fact| fact.field().category()).collect();
        all.into_iter().collect()
    }
}

/// The sender asks that a copy be erased.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EraseRequest {
    /// Random.
    #[n(0)]
    pub id: RecordId,
    /// Which copy.
    #[n(1)]
    pub share: RecordId,
    /// Opens the answer; the phone that asks keeps it.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub answer_key: [u8; 32],
}

impl std::fmt::Debug for EraseRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EraseRequest(..)")
    }
}

/// What the recipient's phone says it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Answer {
    #[n(0)]
    version: u8,
    /// Which copy.
    #[n(1)]
    pub share: RecordId,
    /// The day on which it was erased, by the recipient's word.
    #[n(2)]
    pub erased: ShiftDay,
    /// Whether any of it had been kept there.
    #[n(3)]
    pub was_kept: bool,
    /// Phones of the recipient's team that had not confirmed the erasure yet (count).
    #[n(4)]
    pub awaited: u16,
}

impl Answer {
    /// An answer.
    pub const fn new(share: RecordId, erased: ShiftDay, was_kept: bool, awaited: u16) -> Self {
        Self { version: VERSION, share, erased, was_kept, awaited }
    }
}

/// What a packet holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Facts.
    Facts(SharedFacts),
    /// A request to erase.
    Erase(EraseRequest),
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Inside {
    #[n(0)]
    version: u8,
    #[n(1)]
    facts: Option<WrittenFacts>,
    #[n(2)]
    request: Option<EraseRequest>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct WrittenFacts {
    #[n(0)]
    share: RecordId,
    #[n(1)]
    purpose: Purpose,
    #[n(2)]
    expiry: ShiftDay,
    #[n(3)]
    how: HowGiven,
    #[n(4)]
    words_version: u16,
    #[n(5)]
    words_language: String,
    #[n(6)]
    facts: Vec<WrittenFact>,
}

#[derive(Encode, Decode)]
struct WrittenFact(#[n(0)] String, #[n(1)] String);

impl Drop for WrittenFact {
    fn drop(&mut self) {
        self.1.zeroize();
    }
}

/// Only enough of a packet to say that it is of a later version.
#[derive(Decode)]
#[cbor(map)]
struct Versioned {
    #[n(0)]
    version: u8,
}

/// The tag of a share or request: the first bytes of its id.
pub fn tag_of(id: &RecordId) -> TreeTag {
    let bytes = id.as_bytes();
    [bytes[0], bytes[1], bytes[2]]
}

/// The tag of a packet; none for what has another length.
pub fn tag_of_packet(packet: &[u8]) -> Option<TreeTag> {
    (packet.len() == PACKET_BYTES).then(|| packet.first_chunk().copied()).flatten()
}

fn aad(tag: TreeTag) -> Aad {
    Aad::new(labels::BOX_SHARE).add(&tag)
}

fn padded(content: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>, ShareError> {
    let size = u16::try_from(content.len()).map_err(|_| ShareError::Seal)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(length));
    plain.extend_from_slice(&size.to_le_bytes());
    plain.extend_from_slice(content);
    if plain.len() > length {
        return Err(ShareError::Seal);
    }
    plain.resize(length, 0);
    Ok(plain)
}

fn unpadded(plain: &[u8]) -> Option<&[u8]> {
    let (size, rest) = plain.split_first_chunk::<2>()?;
    let (content, padding) = rest.split_at_checked(usize::from(u16::from_le_bytes(*size)))?;
    padding.iter().all(|byte| *byte == 0).then_some(content)
}

fn seal(env: &Env, key: &ReceivingPublicKey, seed: &[u8; 32], id: &RecordId, inside: &Inside) -> Result<Vec<u8>, ShareError> {
    let tag = tag_of(id);
    let content = Zeroizing::new(cbor::encode(inside));
    let plain = padded(&content, PLAIN_BYTES)?;
    let sealed = crypto::seal_packet(env, key, &crypto::tree_key(seed, tag), tag, &aad(tag), &plain).map_err(|_| ShareError::Seal)?;
    Ok([&tag[..], &sealed].concat())
}

/// Seals facts for a recipient: [`PACKET_BYTES`]. Errors: [`ShareError::Nothing`], [`ShareError::Seal`].
pub fn seal_facts(env: &Env, key: &ReceivingPublicKey, seed: &[u8; 32], shared: &SharedFacts) -> Result<Vec<u8>, ShareError> {
    if shared.facts.is_empty() {
        return Err(ShareError::Nothing);
    }
    let mut facts: Vec<&Fact> = shared.facts.iter().collect();
    facts.sort_by_key(|fact| fact.field());
    let facts = facts.into_iter().map(|fact| WrittenFact(fact.field().as_str().to_owned(), fact.value().to_owned()));
    let written = WrittenFacts {
        share: shared.share,
        purpose: shared.purpose,
        expiry: shared.expiry,
        how: shared.how,
        words_version: shared.words_version,
        words_language: shared.words_language.clone(),
        facts: facts.collect(),
    };
    seal(env, key, seed, &shared.share, &Inside { version: VERSION, facts: Some(written), request: None })
}

/// Seals a request for a recipient: [`PACKET_BYTES`]. Errors: [`ShareError::Seal`].
pub fn seal_request(env: &Env, key: &ReceivingPublicKey, seed: &[u8; 32], request: &EraseRequest) -> Result<Vec<u8>, ShareError> {
    seal(env, key, seed, &request.id, &Inside { version: VERSION, facts: None, request: Some(request.clone()) })
}

/// Opens a packet with the recipient's key and the secret at the packet's tag.
///
/// Errors: [`ShareError::NotForUs`] for any other key, secret or byte; [`ShareError::Newer`]; [`ShareError::Malformed`]
/// for what its sender should not have sealed.
pub fn open(key: &ReceivingKey, secret: &[u8; 32], packet: &[u8]) -> Result<Message, ShareError> {
    let tag = tag_of_packet(packet).ok_or(ShareError::NotForUs)?;
    let sealed = packet.get(TAG_BYTES..).ok_or(ShareError::NotForUs)?;
    let plain = crypto::open_packet(key, secret, tag, &aad(tag), sealed).map_err(|_| ShareError::NotForUs)?;
    let content = unpadded(&plain).ok_or(ShareError::Malformed)?;
    let inside: Inside = match cbor::decode(content) {
        Ok(inside) => inside,
        Err(_) => {
            let is_newer = minicbor::decode::<Versioned>(content).is_ok_and(|known| known.version > VERSION);
            return Err(if is_newer { ShareError::Newer } else { ShareError::Malformed });
        }
    };
    if inside.version != VERSION {
        return Err(if inside.version > VERSION { ShareError::Newer } else { ShareError::Malformed });
    }
    let (id, message) = match (inside.facts, inside.request) {
        (Some(facts), None) => (facts.share, Message::Facts(read(facts)?)),
        (None, Some(request)) => (request.id, Message::Erase(request)),
        _ => return Err(ShareError::Malformed),
    };
    if tag_of(&id) == tag { Ok(message) } else { Err(ShareError::Malformed) }
}

fn read(written: WrittenFacts) -> Result<SharedFacts, ShareError> {
    let fact = |written: &WrittenFact| {
        let fact = Fact::parse(FactField::from_name(&written.0)?, &written.1).ok()?;
        (fact.value() == written.1).then_some(fact)
    };
    let facts: Vec<Fact> = written.facts.iter().map(fact).collect::<Option<_>>().ok_or(ShareError::Malformed)?;
    let language = written.words_language.len() == 2 && written.words_language.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_whole = !facts.is_empty()
        && facts.is_sorted_by(|a, b| a.field() < b.field())
        && written.purpose != Purpose::OwnCopy
        && language
        && words::is_of_a_share(written.words_version);
    if !is_whole {
        return Err(ShareError::Malformed);
    }
    Ok(SharedFacts {
        share: written.share,
        purpose: written.purpose,
        expiry: written.expiry,
        how: written.how,
        words_version: written.words_version,
        words_language: written.words_language,
        facts,
    })
}

/// Seals an answer: [`PACKET_BYTES`], for whoever asked. Errors: [`ShareError::Seal`].
pub fn seal_answer(env: &Env, answer_key: &[u8; 32], answer: &Answer) -> Result<Vec<u8>, ShareError> {
    let plain = padded(&cbor::encode(answer), ANSWER_PLAIN_BYTES)?;
    let aad = Aad::new(labels::SHARE_ANSWER);
    let sealed = crypto::seal(&LaneKey::from_bytes(answer_key), Nonce::make(env), &aad, &plain).map_err(|_| ShareError::Seal)?;
    let head: [u8; TAG_BYTES] = env.random();
    Ok([&head[..], &[2], &sealed].concat())
}

/// Opens an answer to one request. Errors: [`ShareError::NotForUs`], [`ShareError::Newer`], [`ShareError::Malformed`].
pub fn open_answer(answer_key: &[u8; 32], bytes: &[u8]) -> Result<Answer, ShareError> {
    let sealed = bytes.get(ANSWER_HEAD_BYTES..).filter(|_| bytes.len() == PACKET_BYTES).ok_or(ShareError::NotForUs)?;
    let aad = Aad::new(labels::SHARE_ANSWER);
    let plain = crypto::open(&LaneKey::from_bytes(answer_key), &aad, sealed).map_err(|_| ShareError::NotForUs)?;
    let content = unpadded(&plain).ok_or(ShareError::Malformed)?;
    match cbor::decode::<Answer>(content) {
        Ok(answer) if answer.version == VERSION => Ok(answer),
        _ if minicbor::decode::<Versioned>(content).is_ok_and(|known| known.version > VERSION) => Err(ShareError::Newer),
        _ => Err(ShareError::Malformed),
    }
}
