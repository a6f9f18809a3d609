//! A short code, typed instead of scanned: SPAKE2 (RFC 9382, in the form of the Python and Rust implementations of Brian
//! Warner: Ed25519 group, SHA-256 transcript) makes an invitation's secret of 128 bits out of 33.
//!
//! ```text
//! secret = derive_id("… code secret", SPAKE2 key)      password = three words, identities "satchel join", "satchel host"
//! ```
//!
//! Each run of the exchange is one guess, for whoever sits on either side or between; nothing that is sent lets anybody
//! guess alone. The inviter answers one run for each code. Whether both typed the same shows in the session that follows.

use super::kdf::derive_id;
use super::labels;
use super::secrets::InvitationSecret;
use super::words::{typed_word, word};
use crate::env::Env;
use spake2::{Ed25519Group, Identity, Password, Spake2};
use std::fmt;
use zeroize::Zeroizing;

/// Length of each side's message (bytes).
pub const CODE_MESSAGE_BYTES: usize = 33;
/// Words in a code (count): 11 bits each.
pub const CODE_WORDS_COUNT: usize = 3;

/// Not a code, or not the other side's message. Remedy: type it again, or ask for a new code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a code, or not its exchange")]
pub struct CodeError;

/// Three words of the BIP-39 list, good for one try.
pub struct JoinCode(Zeroizing<String>);

impl fmt::Debug for JoinCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinCode(..)")
    }
}

impl JoinCode {
    /// A fresh code.
    pub fn make(env: &Env) -> Self {
        Self::of_words([0; CODE_WORDS_COUNT].map(|_: u8| word(u16::from_le_bytes(env.random()))))
    }

    fn of_words(words: [&str; CODE_WORDS_COUNT]) -> Self {
        Self(Zeroizing::new(words.join(" ")))
    }

    /// Reads what was typed: case, spaces and dashes do not matter, four letters of a word are enough.
    ///
    /// Errors: [`CodeError`] for a word that is not in the list, before a try is spent.
    pub fn from_text(text: &str) -> Result<Self, CodeError> {
        let mut words = [""; CODE_WORDS_COUNT];
        let lower = Zeroizing::new(text.to_ascii_lowercase());
        let mut typed = lower.split(|c: char| !c.is_ascii_alphabetic()).filter(|typed| !typed.is_empty());
        for place in &mut words {
            *place = typed.next().and_then(typed_word).ok_or(CodeError)?;
        }
        if typed.next().is_some() { Err(CodeError) } else { Ok(Self::of_words(words)) }
    }

    /// The words, to be read out to the person who joins.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One side of one exchange; used up by [`finish`](CodeExchange::finish).
pub struct CodeExchange(Spake2<Ed25519Group>);

impl fmt::Debug for CodeExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeExchange(..)")
    }
}

fn identities() -> (Identity, Identity) {
    (Identity::new(b"satchel join"), Identity::new(b"satchel host"))
}

impl CodeExchange {
    /// The side that typed the code, and its message.
    pub fn joiner(env: &Env, code: &JoinCode) -> (Self, Vec<u8>) {
        let (joiner, host) = identities();
        let (state, message) = Spake2::start_a_with_rng(&Password::new(code.as_str()), &joiner, &host, Draws(env));
        (Self(state), message)
    }

    /// The side that made the code, and its message.
    pub fn host(env: &Env, code: &JoinCode) -> (Self, Vec<u8>) {
        let (joiner, host) = identities();
        let (state, message) = Spake2::start_b_with_rng(&Password::new(code.as_str()), &joiner, &host, Draws(env));
        (Self(state), message)
    }

    /// The secret that both sides share if both had the same code. Errors: [`CodeError`] for bytes that are no message.
    pub fn finish(self, message: &[u8]) -> Result<InvitationSecret, CodeError> {
        let key = Zeroizing::new(self.0.finish(message).map_err(|_| CodeError)?);
        let secret = Zeroizing::new(derive_id(labels::CODE_SECRET, &[&key]));
        Ok(InvitationSecret::from_bytes(&secret))
    }
}

/// Randomness in the shape that the crate takes.
struct Draws<'a>(&'a Env);

impl rand_core_06::RngCore for Draws<'_> {
    fn next_u32(&mut self) -> u32 {
        u32::from_le_bytes(self.0.random())
    }
    fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(self.0.random())
    }
    fn fill_bytes(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rand_core_06::Error> {
        self.0.fill(out);
        Ok(())
    }
}

impl rand_core_06::CryptoRng for Draws<'_> {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::env::testing::{FixedRandomness, TestClock};
    use data_encoding::HEXLOWER;

    #[test]
    fn a_code_survives_how_people_type() {
        let code = JoinCode::make(&Env::seeded(5));
        assert_eq!(code.as_str().split(' ').count(), 3);
        let short: Vec<&str> = code.as_str().split(' ').map(|word| word.get(..4).unwrap_or(word)).collect();
        for typed in [code.as_str().to_uppercase(), code.as_str().replace(' ', " - "), format!("  {} ", short.join("-"))] {
            assert_eq!(JoinCode::from_text(&typed).unwrap().as_str(), code.as_str());
        }
        for wrong in ["", "abandon", "abandon ability", "abandon ability able about", "abandon ability zzzz", "abandon ability abl\u{e9}"] {
            assert!(JoinCode::from_text(wrong).is_err(), "{wrong}");
        }
        assert_eq!(format!("{code:?}"), "JoinCode(..)");
    }

    #[test]
    fn two_sides_agree_exactly_when_they_have_one_code() {
        let env = Env::seeded(6);
        let run = |ours: &str, theirs: &str| {
            let (joiner, hello) = CodeExchange::joiner(&env, &JoinCode::from_text(ours).unwrap());
            let (host, reply) = CodeExchange::host(&env, &JoinCode::from_text(theirs).unwrap());
            assert_eq!((hello.len(), reply.len()), (CODE_MESSAGE_BYTES, CODE_MESSAGE_BYTES));
            (joiner.finish(&reply).unwrap(), host.finish(&hello).unwrap())
        };
        let (ours, theirs) = run("abandon ability able", "abandon ability able");
        assert!(ours == theirs);
        let again = run("abandon ability able", "abandon ability able").0;
        assert!(ours != again, "another run, another secret");
        let (ours, theirs) = run("abandon ability able", "abandon ability about");
        assert!(ours != theirs);
        // what is no message of the other side is refused: lengths, one's own side
        let start = || CodeExchange::joiner(&env, &JoinCode::from_text("abandon ability able").unwrap());
        for bad in [&[][..], &[0x42; 32], &[0x42; 34], &start().1] {
            assert_eq!(start().0.finish(bad).err(), Some(CodeError));
        }
        // about half of all encodings are no point of the curve
        let points = (0..16).filter(|first| start().0.finish(&[&[0x42, *first][..], &[0; 31]].concat()).is_ok()).count();
        assert!((1..15).contains(&points), "{points}");
    }

    /// A run of magic-wormhole's `spake2` for Python, with the scalars that these draws give; made by `tests/vectors/crypto/pake.py`.
    #[test]
    fn the_other_implementation_gets_the_same_messages_and_key() {
        let vector = include_str!("../../../tests/vectors/crypto/pake.txt");
        let mut lines = vector.lines().filter(|line| !line.starts_with('#'));
        let mut next = || HEXLOWER.decode(lines.next().unwrap().as_bytes()).unwrap();
        let mut seen = 0;
        for code in ["abandon ability able", "zoo zone zero"] {
            let code = JoinCode::from_text(code).unwrap();
            let env = |draws: &[u8]| Env::new(TestClock::at(0), FixedRandomness::new(draws));
            let (joiner_draws, host_draws, hello, reply, key) = (next(), next(), next(), next(), next());
            let (joiner, message) = CodeExchange::joiner(&env(&joiner_draws), &code);
            assert_eq!(message, hello);
            let (host, message) = CodeExchange::host(&env(&host_draws), &code);
            assert_eq!(message, reply);
            assert_eq!(joiner.0.finish(&reply).unwrap(), key);
            assert_eq!(host.0.finish(&hello).unwrap(), key);
            seen += 1;
        }
        assert_eq!(seen, 2);
    }
}
