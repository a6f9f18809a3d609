//! The receipt: a code that a person keeps, and what follows from it.

use super::ComplaintError;
use crate::crypto::{self, Aad, LaneKey, Nonce, labels};
use crate::env::Env;
use data_encoding::BASE32_NOPAD;
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

const RANDOM_BYTES: usize = 10;
const TAG_BYTES: usize = 3;
const CHECK_BYTES: usize = 2;
const CODE_BYTES: usize = RANDOM_BYTES + TAG_BYTES + CHECK_BYTES;
/// Letters and digits in one group of the written code (count).
const GROUP_COUNT: usize = 4;

/// A receipt code, shown once and kept by nobody but the person: 80 random bits, a tag of the board's key, a check.
pub struct ReceiptCode(Zeroizing<[u8; CODE_BYTES]>);

impl std::fmt::Debug for ReceiptCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReceiptCode(..)")
    }
}

fn tag(board: &[u8; 32]) -> [u8; TAG_BYTES] {
    let id = crypto::derive_id(labels::BOARD_TAG, &[board]);
    [id[0], id[1], id[2]]
}

impl ReceiptCode {
    /// A fresh code for a complaint to the board with this verifying key.
    pub fn make(env: &Env, board: &[u8; 32]) -> Self {
        let mut bytes = Zeroizing::new([0; CODE_BYTES]);
        env.fill(&mut bytes[..RANDOM_BYTES]);
        bytes[RANDOM_BYTES..RANDOM_BYTES + TAG_BYTES].copy_from_slice(&tag(board));
        let check = crypto::derive_id(labels::RECEIPT_CHECK, &[&bytes[..RANDOM_BYTES + TAG_BYTES]]);
        bytes[RANDOM_BYTES + TAG_BYTES..].copy_from_slice(&check[..CHECK_BYTES]);
        Self(bytes)
    }

    /// Reads what was typed: case, spaces and dashes do not matter, 0 is read as o and 1 as l.
    ///
    /// Errors: [`ComplaintError::Code`] for another length or a mistake (one in 65,536 is not noticed).
    pub fn from_text(text: &str) -> Result<Self, ComplaintError> {
        if text.len() > 128 {
            return Err(ComplaintError::Code);
        }
        let letters = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let letters = letters.map(|c| match c.to_ascii_uppercase() {
            '0' => 'O',
            '1' => 'L',
            other => other,
        });
        let letters = Zeroizing::new(letters.collect::<String>());
        let decoded = Zeroizing::new(BASE32_NOPAD.decode(letters.as_bytes()).map_err(|_| ComplaintError::Code)?);
        let bytes = Zeroizing::new(<[u8; CODE_BYTES]>::try_from(decoded.as_slice()).map_err(|_| ComplaintError::Code)?);
        let check = crypto::derive_id(labels::RECEIPT_CHECK, &[&bytes[..RANDOM_BYTES + TAG_BYTES]]);
        if check[..CHECK_BYTES] != bytes[RANDOM_BYTES + TAG_BYTES..] {
            return Err(ComplaintError::Code);
        }
        Ok(Self(bytes))
    }

    /// Six groups of four letters and digits, to be written down.
    pub fn to_text(&self) -> Zeroizing<String> {
        let plain = Zeroizing::new(BASE32_NOPAD.encode(self.0.as_slice()).to_ascii_lowercase());
        let mut text = Zeroizing::new(String::with_capacity(CODE_BYTES * 2));
        for (at, letter) in plain.chars().enumerate() {
            if at > 0 && at % GROUP_COUNT == 0 {
                text.push('-');
            }
            text.push(letter);
        }
        text
    }

    /// What the board holds of it.
    pub fn hash(&self) -> ReceiptHash {
        ReceiptHash(crypto::derive_hash(labels::RECEIPT_HASH, &[self.0.as_slice()]))
    }

    /// Whether the code was given for a board with this key: catches a bulletin of another board, not a forger who
    /// searches 2^24 keys for one that fits. Compare the board's words as well.
    pub fn is_for(&self, board: &[u8; 32]) -> bool {
        self.0[RANDOM_BYTES..RANDOM_BYTES + TAG_BYTES] == tag(board)
    }
}

/// The hash of a receipt code: inside the sealed complaint, and nowhere else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct ReceiptHash(#[cbor(with = "minicbor::bytes")] [u8; 32]);

impl std::fmt::Debug for ReceiptHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReceiptHash(..)")
    }
}

impl ReceiptHash {
    /// What stands for this receipt at this state in one bulletin, and in no other.
    pub(super) fn token(&self, number: u32, progress: u8) -> [u8; 16] {
        crypto::derive_id(labels::RECEIPT_TOKEN, &[&self.0, &number.to_le_bytes(), &[progress]])
    }

    /// Seals an answer for whoever holds the code.
    pub(super) fn seal_answer(&self, env: &Env, number: u32, padded: &[u8]) -> Result<Vec<u8>, ComplaintError> {
        crypto::seal(&self.answer_key(number), Nonce::make(env), &Aad::new(labels::RECEIPT_ANSWER), padded)
            .map_err(|_| ComplaintError::Seal)
    }

    /// Opens an answer that is for this receipt.
    pub(super) fn open_answer(&self, number: u32, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        crypto::open(&self.answer_key(number), &Aad::new(labels::RECEIPT_ANSWER), sealed).ok()
    }

    fn answer_key(&self, number: u32) -> LaneKey {
        LaneKey::from_bytes(&crypto::derive_key(labels::RECEIPT_ANSWER, &[&self.0, &number.to_le_bytes()]))
    }

    /// How the board's book calls this complaint: tells nobody who lacks the hash anything.
    pub fn short(&self) -> [u8; 5] {
        let id = crypto::derive_id(labels::RECEIPT_NAME, &[&self.0]);
        [id[0], id[1], id[2], id[3], id[4]]
    }
}
