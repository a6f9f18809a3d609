//! Words for people: generated passphrases, and check words that two people compare.
//!
//! Both come from the English list of BIP 39: 2,048 words, distinct in their first four letters, so a
//! word is exactly 11 bits.

use super::kdf::derive_key;
use super::labels;
use super::passphrase::{Passphrase, PassphraseError};
use crate::env::Env;
use satchel_wire::limits::{PASSPHRASE_WORDS_MAX_COUNT, PASSPHRASE_WORDS_MIN_COUNT};
use zeroize::Zeroizing;

pub(super) fn word(eleven_bits: u16) -> &'static str {
    // the mask keeps the index below 2,048, the length of the list
    bip39::Language::English.word_list()[usize::from(eleven_bits & 0x7ff)]
}

/// The word of the list that was typed, in lower case, whole or at least its first four letters.
pub(super) fn typed_word(typed: &str) -> Option<&'static str> {
    let list = bip39::Language::English.word_list();
    let whole = list.iter().find(|word| **word == typed);
    whole.or_else(|| list.iter().find(|word| typed.len() >= 4 && word.starts_with(typed))).copied()
}

/// A random passphrase of `words` words (4 to 12, 11 bits each) with single spaces; five words are 55 bits.
///
/// Errors: [`PassphraseError::Words`] for another count.
pub fn make_passphrase(env: &Env, words: usize) -> Result<Passphrase, PassphraseError> {
    if !(PASSPHRASE_WORDS_MIN_COUNT..=PASSPHRASE_WORDS_MAX_COUNT).contains(&words) {
        return Err(PassphraseError::Words);
    }
    // longest word: 8 letters; room for all, so that growing leaves no copy behind
    let mut text = Zeroizing::new(Vec::with_capacity(words * 9));
    let mut bits = Zeroizing::new([0; 2]);
    for index in 0..words {
        if index > 0 {
            text.push(b' ');
        }
        env.fill(bits.as_mut_slice());
        text.extend_from_slice(word(u16::from_le_bytes(*bits)).as_bytes());
    }
    Passphrase::new(&text)
}

/// The word of 11 bits; higher bits are ignored.
pub fn word_at(eleven_bits: u16) -> &'static str {
    word(eleven_bits)
}

/// The 11 bits of a word, whatever its case; the first four letters are enough (they are distinct in this list).
pub fn word_index(word: &str) -> Option<u16> {
    let list = bip39::Language::English.word_list();
    let lower = Zeroizing::new(word.trim().to_ascii_lowercase());
    if let Ok(at) = list.binary_search(&lower.as_str()) {
        return u16::try_from(at).ok();
    }
    if lower.len() != 4 {
        return None;
    }
    list.iter().position(|known| known.starts_with(lower.as_str())).and_then(|at| u16::try_from(at).ok())
}

/// Four words (44 bits) of a handshake hash, shown on both sides and compared aloud.
///
/// They catch a third party between the two: it would have to make two handshakes whose hashes share 44
/// bits, each try costing a key exchange, while two people wait.
pub fn check_words(handshake_hash: &[u8; 32]) -> [&'static str; 4] {
    let bits = derive_key(labels::CHECK_WORDS, &[handshake_hash]);
    [0, 2, 4, 6].map(|at| word(u16::from_le_bytes([bits[at], bits[at + 1]])))
}
