//! A key, or a share of one, on paper: 35 words, or a text for a QR code.
//!
//! ```text
//! content = version 1 (4 bits) ‖ purpose (4 bits: 1 recovery, 2 reseat) ‖ k - 1 (4) ‖ n - 1 (4) ‖ index - 1 (4) ‖ 0 (4)
//!           ‖ team fingerprint (4 bytes) ‖ set id (4) ‖ value (32)                                          43 bytes
//! words   = 35 words of BIP 39's English list, 11 bits each: content (344 bits) ‖ first 41 bits of the check
//! text    = "SATCHELPAPER1:" ‖ base32 upper case of content ‖ first 5 bytes of the check
//! check   = KDF("paper check", content)
//! ```
//!
//! With 41 bits a single wrong word is not only noticed but found: of all papers that differ in one word
//! (35 x 2,047), or in two neighbours that changed places, a false one fits with a chance below 2^-24.

use crate::crypto::{self, labels};
use crate::env::Env;
use data_encoding::BASE32_NOPAD;
use satchel_wire::ids::TeamId;
use std::fmt;
use zeroize::Zeroizing;

/// Words of one paper (count).
pub const PAPER_WORDS_COUNT: usize = 35;
/// Most shares of one key (count).
pub const PAPER_SHARES_MAX_COUNT: u8 = 16;
/// Longest text that is looked at (bytes): far above any paper, far below what would hurt.
const TEXT_MAX_BYTES: usize = 1_024;
const CONTENT_BYTES: usize = 43;
const TEXT_CHECK_BYTES: usize = 5;
const BITS_PER_WORD: usize = 11;
const PREFIX: &str = "SATCHELPAPER1:";
const VERSION: u8 = 1;

/// What a key on paper is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Opens what a board phone keeps for it.
    Recovery,
    /// Signs one operation that removes devices and seats a steward. Opens no record.
    Reseat,
}

/// Why a paper is not taken. Positions count from 1, as they are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PaperError {
    /// Not 35 words. Remedy: count them.
    #[error("a paper has 35 words, and these are {found}")]
    Count {
        /// How many there were.
        found: usize,
    },
    /// This word is not in the list. Remedy: read it again.
    #[error("word {position} is not in the list")]
    UnknownWord {
        /// Its position.
        position: usize,
    },
    /// This word is in the list, and not the printed one. Remedy: read it again.
    #[error("word {position} is not the printed one")]
    WrongWord {
        /// Its position.
        position: usize,
    },
    /// This word and the next one changed places. Remedy: change them back.
    #[error("word {position} and the next one changed places")]
    Swapped {
        /// Position of the first of the two.
        position: usize,
    },
    /// More than one word is wrong, or the text is. Remedy: read the whole paper again.
    #[error("a paper with more than one mistake")]
    Damaged,
    /// A later version printed it. Remedy: update the app.
    #[error("a paper of a later version")]
    Newer,
    /// A paper for another purpose. Remedy: the paper says what it is for.
    #[error("a paper for another purpose")]
    OtherPurpose,
    /// Another team's paper.
    #[error("another team's paper")]
    OtherTeam,
    /// A share of another set: it was printed at another time. Remedy: use shares of one set.
    #[error("shares of different sets")]
    OtherSet,
    /// The same share twice. Remedy: find another one.
    #[error("share {index} twice")]
    Duplicate {
        /// The share's number.
        index: u8,
    },
    /// Not enough shares. Remedy: find more.
    #[error("{have} shares where {need} are needed")]
    TooFew {
        /// How many there are.
        have: usize,
        /// How many are needed.
        need: u8,
    },
    /// Not 1 of 1, nor k of n with 2 <= k <= n <= 16. Remedy: choose others.
    #[error("an impossible number of shares")]
    Policy,
}

impl PaperError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Count { .. } => "paper_count",
            Self::UnknownWord { .. } => "paper_unknown_word",
            Self::WrongWord { .. } => "paper_wrong_word",
            Self::Swapped { .. } => "paper_swapped",
            Self::Damaged => "paper_damaged",
            Self::Newer => "paper_newer",
            Self::OtherPurpose => "paper_other_purpose",
            Self::OtherTeam => "paper_other_team",
            Self::OtherSet => "paper_other_set",
            Self::Duplicate { .. } => "paper_duplicate",
            Self::TooFew { .. } => "paper_too_few",
            Self::Policy => "paper_policy",
        }
    }
}

/// The set in which papers were printed: those of one set go together. Shown as eight hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaperSet([u8; 4]);

impl PaperSet {
    /// The set of a recovery key's papers, from its public key: whoever knows the log can say which papers are in force.
    pub(crate) fn of_key(key: &[u8]) -> Self {
        let id = crypto::derive_id(labels::PAPER_SET, &[key]);
        Self([id[0], id[1], id[2], id[3]])
    }
}

impl fmt::Display for PaperSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// One paper: a whole key (1 of 1), or one share of it.
pub struct PaperShare {
    purpose: Purpose,
    threshold: u8,
    shares: u8,
    index: u8,
    team: [u8; 4],
    set: PaperSet,
    value: Box<Zeroizing<[u8; 32]>>,
}

impl fmt::Debug for PaperShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PaperShare({:?} {} of {}..)", self.purpose, self.index, self.shares)
    }
}

fn fingerprint(team: &TeamId) -> [u8; 4] {
    let id = crypto::derive_id(labels::PAPER_TEAM, &[team.as_bytes()]);
    [id[0], id[1], id[2], id[3]]
}

impl PaperShare {
    /// Puts a 32-byte key on paper: `threshold` of `shares`, 1 of 1 or 2 <= k <= n <= 16. Errors: [`PaperError::Policy`].
    pub fn print(
        env: &Env,
        purpose: Purpose,
        team: &TeamId,
        secret: &[u8; 32],
        threshold: u8,
        shares: u8,
    ) -> Result<Vec<Self>, PaperError> {
        if shares > PAPER_SHARES_MAX_COUNT {
            return Err(PaperError::Policy);
        }
        let (team, set) = (fingerprint(team), PaperSet(env.random()));
        let share = |index, value: &[u8; 32]| {
            let mut cell = Box::new(Zeroizing::new([0; 32]));
            cell.copy_from_slice(value);
            Self { purpose, threshold, shares, index, team, set, value: cell }
        };
        if (threshold, shares) == (1, 1) {
            return Ok(vec![share(1, secret)]);
        }
        let split = crypto::split_secret(env, secret, threshold, shares).map_err(|_| PaperError::Policy)?;
        Ok(split.iter().map(|(index, value)| share(*index, value)).collect())
    }

    /// Splits a key that is on one paper into shares; the one paper is to be burnt then.
    ///
    /// Errors: [`PaperError::Policy`] for an impossible number of shares, [`PaperError::TooFew`] for a paper that is a share itself.
    pub fn split(&self, env: &Env, threshold: u8, shares: u8) -> Result<Vec<Self>, PaperError> {
        if self.threshold != 1 {
            return Err(PaperError::TooFew { have: 1, need: self.threshold });
        }
        if threshold < 2 {
            return Err(PaperError::Policy);
        }
        let mut split = Self::print(env, self.purpose, &TeamId::from_bytes([0; 16]), &self.value, threshold, shares)?;
        split.iter_mut().for_each(|share| share.team = self.team);
        Ok(split)
    }

    /// What it is for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }
    /// How many shares give the key.
    pub const fn threshold(&self) -> u8 {
        self.threshold
    }
    /// How many were printed.
    pub const fn shares(&self) -> u8 {
        self.shares
    }
    /// Its number, from 1.
    pub const fn index(&self) -> u8 {
        self.index
    }
    /// The set it was printed in, to be printed beside the words.
    pub const fn set(&self) -> PaperSet {
        self.set
    }

    /// Says that it belongs to the set of this key.
    pub(crate) fn in_set_of(mut self, key: &[u8]) -> Self {
        self.set = PaperSet::of_key(key);
        self
    }

    fn content(&self) -> Zeroizing<[u8; CONTENT_BYTES]> {
        let mut content = Zeroizing::new([0; CONTENT_BYTES]);
        let purpose = match self.purpose {
            Purpose::Recovery => 1,
            Purpose::Reseat => 2,
        };
        content[0] = VERSION << 4 | purpose;
        content[1] = (self.threshold - 1) << 4 | (self.shares - 1);
        content[2] = (self.index - 1) << 4;
        content[3..7].copy_from_slice(&self.team);
        content[7..11].copy_from_slice(&self.set.0);
        content[11..].copy_from_slice(self.value.as_slice());
        content
    }

    fn from_content(content: &[u8; CONTENT_BYTES]) -> Result<Self, PaperError> {
        if content[0] >> 4 != VERSION {
            return Err(PaperError::Newer);
        }
        let purpose = match content[0] & 15 {
            1 => Purpose::Recovery,
            2 => Purpose::Reseat,
            _ => return Err(PaperError::Newer),
        };
        let (threshold, shares, index) = ((content[1] >> 4) + 1, (content[1] & 15) + 1, (content[2] >> 4) + 1);
        let is_policy = (threshold, shares) == (1, 1) || (threshold >= 2 && threshold <= shares);
        if !is_policy || index > shares || content[2] & 15 != 0 {
            return Err(PaperError::Damaged);
        }
        let mut share =
            Self { purpose, threshold, shares, index, team: [0; 4], set: PaperSet([0; 4]), value: Box::new(Zeroizing::new([0; 32])) };
        share.team.copy_from_slice(&content[3..7]);
        share.set.0.copy_from_slice(&content[7..11]);
        share.value.copy_from_slice(&content[11..]);
        Ok(share)
    }

    /// The words to print: 35, numbered from 1, seven rows of five.
    pub fn words(&self) -> Vec<&'static str> {
        let content = self.content();
        let mut bits = Zeroizing::new(content.to_vec());
        bits.extend_from_slice(&check(content.as_slice())[..6]);
        (0..PAPER_WORDS_COUNT).map(|at| crypto::word_at(eleven(&bits, at))).collect()
    }

    /// The words in one line, single spaces between them.
    pub fn to_line(&self) -> Zeroizing<String> {
        Zeroizing::new(self.words().join(" "))
    }

    /// The text for a QR code (alphanumeric mode).
    pub fn to_text(&self) -> Zeroizing<String> {
        let content = self.content();
        let mut bytes = Zeroizing::new(content.to_vec());
        bytes.extend_from_slice(&check(content.as_slice())[..TEXT_CHECK_BYTES]);
        Zeroizing::new(format!("{PREFIX}{}", Zeroizing::new(BASE32_NOPAD.encode(&bytes)).as_str()))
    }

    /// Reads what was typed or scanned: words (case, line breaks, commas and the printed numbers do not matter; the
    /// first four letters are enough) or the text of a QR code.
    ///
    /// Errors: [`PaperError`], which names the position of a mistake where it can be found.
    pub fn read(typed: &str) -> Result<Self, PaperError> {
        if typed.len() > TEXT_MAX_BYTES {
            return Err(PaperError::Damaged);
        }
        let upper = Zeroizing::new(typed.trim().to_ascii_uppercase());
        if let Some(text) = upper.strip_prefix(PREFIX) {
            return Self::from_text(text);
        }
        let is_word = |word: &&str| !word.is_empty() && !word.bytes().all(|byte| byte.is_ascii_digit());
        let words: Vec<&str> = typed.split(|c: char| c.is_whitespace() || ",.:".contains(c)).filter(is_word).collect();
        if words.len() != PAPER_WORDS_COUNT {
            return Err(PaperError::Count { found: words.len() });
        }
        let mut indexes = Zeroizing::new([0_u16; PAPER_WORDS_COUNT]);
        for (at, word) in words.iter().enumerate() {
            indexes[at] = crypto::word_index(word).ok_or(PaperError::UnknownWord { position: at + 1 })?;
        }
        match unpack(&indexes) {
            Some(content) => Self::from_content(&content),
            None => Err(find_mistake(&indexes)),
        }
    }

    fn from_text(text: &str) -> Result<Self, PaperError> {
        let bytes = Zeroizing::new(BASE32_NOPAD.decode(text.as_bytes()).map_err(|_| PaperError::Damaged)?);
        let (content, sum) = bytes.split_last_chunk::<TEXT_CHECK_BYTES>().ok_or(PaperError::Damaged)?;
        let content: &[u8; CONTENT_BYTES] = content.try_into().map_err(|_| PaperError::Damaged)?;
        if check(content)[..TEXT_CHECK_BYTES] != sum[..] {
            return Err(PaperError::Damaged);
        }
        Self::from_content(content)
    }

    /// The key of enough papers. More than needed are welcome; every one must belong.
    ///
    /// Errors: [`PaperError::OtherPurpose`], [`PaperError::OtherTeam`] (when the team is known), [`PaperError::OtherSet`],
    /// [`PaperError::Duplicate`], [`PaperError::TooFew`].
    pub fn join(papers: &[Self], purpose: Purpose, team: Option<&TeamId>) -> Result<Zeroizing<[u8; 32]>, PaperError> {
        let Some(first) = papers.first() else { return Err(PaperError::TooFew { have: 0, need: 1 }) };
        for (at, paper) in papers.iter().enumerate() {
            if paper.purpose != purpose {
                return Err(PaperError::OtherPurpose);
            }
            if paper.team != first.team || team.is_some_and(|team| fingerprint(team) != paper.team) {
                return Err(PaperError::OtherTeam);
            }
            if (paper.set, paper.threshold, paper.shares) != (first.set, first.threshold, first.shares) {
                return Err(PaperError::OtherSet);
            }
            if papers[..at].iter().any(|other| other.index == paper.index) {
                return Err(PaperError::Duplicate { index: paper.index });
            }
        }
        if papers.len() < usize::from(first.threshold) {
            return Err(PaperError::TooFew { have: papers.len(), need: first.threshold });
        }
        if first.threshold == 1 {
            return Ok((*first.value).clone());
        }
        let shares: Vec<(u8, &[u8; 32])> = papers.iter().map(|paper| (paper.index, &**paper.value)).collect();
        crypto::combine_shares(&shares).map_err(|_| PaperError::Damaged)
    }
}

fn check(content: &[u8]) -> [u8; 16] {
    crypto::derive_id(labels::PAPER_CHECK, &[content])
}

/// The 11 bits of one word, most significant first.
fn eleven(bits: &[u8], at: usize) -> u16 {
    let bit = |at: usize| u16::from(bits.get(at / 8).copied().unwrap_or(0) >> (7 - at % 8) & 1);
    (at * BITS_PER_WORD..(at + 1) * BITS_PER_WORD).fold(0, |word, at| word << 1 | bit(at))
}

/// The content of 35 words, if their check is right.
fn unpack(words: &[u16; PAPER_WORDS_COUNT]) -> Option<Zeroizing<[u8; CONTENT_BYTES]>> {
    let mut bits = Zeroizing::new([0_u8; PAPER_WORDS_COUNT * BITS_PER_WORD / 8 + 1]);
    for (at, word) in words.iter().enumerate() {
        for bit in 0..BITS_PER_WORD {
            let place = at * BITS_PER_WORD + bit;
            bits[place / 8] |= u8::try_from(word >> (BITS_PER_WORD - 1 - bit) & 1).unwrap_or(0) << (7 - place % 8);
        }
    }
    let mut content = Zeroizing::new([0; CONTENT_BYTES]);
    content.copy_from_slice(&bits[..CONTENT_BYTES]);
    let sum = check(content.as_slice());
    // 40 bits and the highest of the next byte
    let is_right = bits[CONTENT_BYTES..CONTENT_BYTES + 5] == sum[..5] && bits[CONTENT_BYTES + 5] >> 7 == sum[5] >> 7;
    is_right.then_some(content)
}

/// Where the mistake is, if one word or two neighbours explain everything.
fn find_mistake(words: &[u16; PAPER_WORDS_COUNT]) -> PaperError {
    for at in 0..PAPER_WORDS_COUNT - 1 {
        let mut tried = Zeroizing::new(*words);
        tried.swap(at, at + 1);
        if unpack(&tried).is_some() {
            return PaperError::Swapped { position: at + 1 };
        }
    }
    for at in 0..PAPER_WORDS_COUNT {
        let mut tried = Zeroizing::new(*words);
        for word in 0..2_048 {
            tried[at] = word;
            if unpack(&tried).is_some() {
                return PaperError::WrongWord { position: at + 1 };
            }
        }
    }
    PaperError::Damaged
}
