//! The board's bulletin: signed, numbered, linked to the one before it, and checkable without a store.

use super::ComplaintError;
use super::code::{ReceiptCode, ReceiptHash};
use super::limits::{
    ANSWER_MAX_BYTES, BULLETIN_ANSWERS_MAX_COUNT, BULLETIN_MAX_BYTES, BULLETIN_PAD_COUNT, BULLETIN_RECEIPTS_MAX_COUNT,
    BULLETIN_TERM_MAX_DAYS,
};
use crate::crypto::{self, ReceivingPublicKey, Signature, SigningKey, VerifyingKey, labels};
use crate::env::Env;
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::TeamId;

const VERSION: u8 = 1;
/// An answer is padded to this (bytes): a length tells what was said.
const ANSWER_PLAIN_BYTES: usize = ANSWER_MAX_BYTES + 2;
const TOKENS_MAX_COUNT: usize = BULLETIN_RECEIPTS_MAX_COUNT + BULLETIN_PAD_COUNT;
/// A bulletin file begins with this line, so that a mistaken file is noticed.
const FILE_MAGIC: &[u8] = b"satchel bulletin 1\n";

/// How far the board is with a complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Progress {
    /// It arrived.
    #[n(1)]
    Received,
    /// Somebody on the board has read it.
    #[n(2)]
    Read,
    /// The board has answered.
    #[n(3)]
    Answered,
    /// The board has finished with it and destroyed its text.
    #[n(4)]
    Closed,
}

impl Progress {
    /// All, in order.
    pub const ALL: [Self; 4] = [Self::Received, Self::Read, Self::Answered, Self::Closed];
    const fn byte(self) -> u8 {
        match self {
            Self::Received => 1,
            Self::Read => 2,
            Self::Answered => 3,
            Self::Closed => 4,
        }
    }
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Read => "read",
            Self::Answered => "answered",
            Self::Closed => "closed",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Content {
    #[n(0)]
    version: u8,
    #[n(1)]
    team: TeamId,
    #[n(2)]
    number: u32,
    #[n(3)]
    day: ShiftDay,
    #[n(4)]
    due: ShiftDay,
    #[cbor(n(5), with = "minicbor::bytes")]
    previous: [u8; 32],
    #[cbor(n(6), with = "minicbor::bytes")]
    receiving: Vec<u8>,
    #[n(7)]
    tokens: Vec<ByteArray<16>>,
    #[n(8)]
    answers: Vec<ByteVec>,
    #[cbor(n(9), with = "minicbor::bytes")]
    board: [u8; 32],
}

#[derive(Encode, Decode)]
struct Signed {
    #[cbor(n(0), with = "minicbor::bytes")]
    signed: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    signature: [u8; 64],
}

/// One complaint in a bulletin that is being written.
#[derive(Debug, Clone)]
pub struct BulletinLine<'a> {
    /// Whose receipt.
    pub receipt: ReceiptHash,
    /// How far it is.
    pub progress: Progress,
    /// What the board says to whoever holds the code.
    pub answer: Option<&'a str>,
}

/// A bulletin that is being written.
#[derive(Debug)]
pub struct BulletinDraft<'a> {
    /// The team.
    pub team: TeamId,
    /// From 1, one more than the one before.
    pub number: u32,
    /// Today.
    pub day: ShiftDay,
    /// When the next one is due, at most 31 days later.
    pub due: ShiftDay,
    /// [`Bulletin::id`] of the one before; zero in the first.
    pub previous: [u8; 32],
    /// The key that complaints are sealed to from now on.
    pub receiving: &'a ReceivingPublicKey,
    /// At most 240; of answers the first 12 fit.
    pub lines: Vec<BulletinLine<'a>>,
}

/// A bulletin whose signature was checked against the key that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulletin {
    content: Content,
    bytes: Vec<u8>,
}

impl Bulletin {
    /// Writes and signs a bulletin. Tokens are sorted and padded with random ones, so that it counts nothing.
    ///
    /// Errors: [`ComplaintError::Bulletin`] out of bounds, [`ComplaintError::TooLong`] for an answer.
    pub fn write(env: &Env, signer: &SigningKey, draft: &BulletinDraft<'_>) -> Result<Self, ComplaintError> {
        if draft.lines.len() > BULLETIN_RECEIPTS_MAX_COUNT {
            return Err(ComplaintError::Bulletin);
        }
        let mut tokens: Vec<ByteArray<16>> =
            draft.lines.iter().map(|line| line.receipt.token(draft.number, line.progress.byte()).into()).collect();
        let padded = (tokens.len() + 1).next_multiple_of(BULLETIN_PAD_COUNT);
        tokens.resize_with(padded, || env.random::<16>().into());
        tokens.sort_unstable();
        let mut answers = Vec::new();
        for line in &draft.lines {
            let Some(answer) = line.answer.filter(|_| answers.len() < BULLETIN_ANSWERS_MAX_COUNT) else { continue };
            if answer.len() > ANSWER_MAX_BYTES {
                return Err(ComplaintError::TooLong { limit_bytes: ANSWER_MAX_BYTES });
            }
            let mut plain = zeroize::Zeroizing::new(vec![0; ANSWER_PLAIN_BYTES]);
            plain[..2].copy_from_slice(&(answer.len() as u16).to_le_bytes());
            plain[2..2 + answer.len()].copy_from_slice(answer.as_bytes());
            answers.push(ByteVec::from(line.receipt.seal_answer(env, draft.number, &plain)?));
        }
        let content = Content {
            version: VERSION,
            team: draft.team,
            number: draft.number,
            day: draft.day,
            due: draft.due,
            previous: draft.previous,
            receiving: draft.receiving.as_bytes().to_vec(),
            tokens,
            answers,
            board: *signer.verifying_key().as_bytes(),
        };
        let signed = cbor::encode(&content);
        let signature = *signer.sign(labels::SIGN_BULLETIN, &signed).as_bytes();
        Self::from_bytes(&cbor::encode(&Signed { signed, signature }))
    }

    /// Decodes strictly and checks the signature against the key inside; the caller checks whose key that is.
    ///
    /// Errors: [`ComplaintError::Bulletin`], [`ComplaintError::Newer`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ComplaintError> {
        if bytes.len() > BULLETIN_MAX_BYTES {
            return Err(ComplaintError::Bulletin);
        }
        let envelope: Signed = cbor::decode(bytes).map_err(|_| ComplaintError::Bulletin)?;
        let content: Content = cbor::decode(&envelope.signed)
            .map_err(|_| if claims_newer(&envelope.signed) { ComplaintError::Newer } else { ComplaintError::Bulletin })?;
        // a later version may well look like this one; what it means is for the app that knows it
        if content.version > VERSION {
            return Err(ComplaintError::Newer);
        }
        let term = content.due.days().checked_sub(content.day.days());
        let fits = content.version == VERSION
            && content.number > 0
            && (content.number == 1) == (content.previous == [0; 32])
            && term.is_some_and(|term| (1..=BULLETIN_TERM_MAX_DAYS).contains(&term))
            && content.tokens.len() <= TOKENS_MAX_COUNT
            && content.tokens.is_sorted_by(|a, b| a < b)
            && content.answers.len() <= BULLETIN_ANSWERS_MAX_COUNT
            && ReceivingPublicKey::from_slice(&content.receiving).is_ok();
        if !fits {
            return Err(ComplaintError::Bulletin);
        }
        let key = VerifyingKey::from_bytes(&content.board).map_err(|_| ComplaintError::Bulletin)?;
        key.verify(labels::SIGN_BULLETIN, &envelope.signed, &Signature::from_bytes(envelope.signature))
            .map_err(|_| ComplaintError::Bulletin)?;
        Ok(Self { content, bytes: bytes.to_vec() })
    }

    /// Whether bytes claim to be a bulletin of a later version. Nothing else about them is checked.
    pub fn claims_later(bytes: &[u8]) -> bool {
        bytes.len() <= BULLETIN_MAX_BYTES && cbor::decode::<Signed>(bytes).is_ok_and(|envelope| claims_newer(&envelope.signed))
    }

    /// Reads a bulletin file: a line that says what it is, then base32 in lines. Errors: as [`Self::from_bytes`].
    pub fn from_file(file: &[u8]) -> Result<Self, ComplaintError> {
        let rest = file.strip_prefix(FILE_MAGIC).ok_or(ComplaintError::Bulletin)?;
        if rest.len() > BULLETIN_MAX_BYTES * 2 {
            return Err(ComplaintError::Bulletin);
        }
        let letters: Vec<u8> = rest.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        Self::from_bytes(&data_encoding::BASE32_NOPAD.decode(&letters).map_err(|_| ComplaintError::Bulletin)?)
    }

    /// The file for the board's own channel: ASCII, fit for a web page, an e-mail or paper.
    pub fn to_file(&self) -> Vec<u8> {
        let mut file = FILE_MAGIC.to_vec();
        for line in data_encoding::BASE32_NOPAD.encode(&self.bytes).as_bytes().chunks(76) {
            file.extend_from_slice(line);
            file.push(b'\n');
        }
        file
    }

    /// The bytes that travel in the team log.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// What the next bulletin names.
    pub fn id(&self) -> [u8; 32] {
        crypto::derive_hash(labels::BULLETIN_ID, &[&self.bytes])
    }
    /// The team.
    pub const fn team(&self) -> TeamId {
        self.content.team
    }
    /// Its number.
    pub const fn number(&self) -> u32 {
        self.content.number
    }
    /// Its day.
    pub const fn day(&self) -> ShiftDay {
        self.content.day
    }
    /// When the next one is due.
    pub const fn due(&self) -> ShiftDay {
        self.content.due
    }
    /// The id of the one before.
    pub const fn previous(&self) -> &[u8; 32] {
        &self.content.previous
    }
    /// The key that it is signed with.
    pub const fn board(&self) -> &[u8; 32] {
        &self.content.board
    }
    /// The key that complaints are sealed to from now on.
    pub fn receiving(&self) -> &[u8] {
        &self.content.receiving
    }

    /// How far a complaint is by this bulletin; none: the board has not seen it.
    pub fn progress_of(&self, receipt: &ReceiptHash) -> Option<Progress> {
        let stands =
            |progress: &Progress| self.content.tokens.binary_search(&receipt.token(self.content.number, progress.byte()).into()).is_ok();
        Progress::ALL.into_iter().rev().find(stands)
    }

    /// What the board answered to whoever holds this receipt.
    pub fn answer_to(&self, receipt: &ReceiptHash) -> Option<String> {
        let plain = self.content.answers.iter().find_map(|sealed| receipt.open_answer(self.content.number, sealed))?;
        let (length, rest) = plain.split_first_chunk::<2>()?;
        String::from_utf8(rest.get(..usize::from(u16::from_le_bytes(*length)))?.to_vec()).ok()
    }
}

fn claims_newer(signed: &[u8]) -> bool {
    let mut decoder = minicbor::Decoder::new(signed);
    let version = decoder.map().ok().flatten().and_then(|_| decoder.u8().ok()).filter(|key| *key == 0).and_then(|_| decoder.u64().ok());
    version.is_some_and(|version| version > u64::from(VERSION))
}

/// What a bulletin says about a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// How far the complaint is; none: the board has not seen it.
    pub progress: Option<Progress>,
    /// The board's answer, if one is in this bulletin.
    pub answer: Option<String>,
}

/// Looks a receipt up in a bulletin, without a store.
///
/// Errors: [`ComplaintError::Bulletin`] when the bulletin is signed by another board than the code was given for.
pub fn check(code: &ReceiptCode, bulletin: &Bulletin) -> Result<Found, ComplaintError> {
    if !code.is_for(bulletin.board()) {
        return Err(ComplaintError::Bulletin);
    }
    let receipt = code.hash();
    Ok(Found { progress: bulletin.progress_of(&receipt), answer: bulletin.answer_to(&receipt) })
}
