//! An offer by three words that are typed, where no camera can be used: good for one try.
//!
//! ```text
//! hello   = 2 ‖ SPAKE2 message (33)                    from the sender's phone, where the words were typed
//! reply   = 0 ‖ SPAKE2 message (33) ‖ sealed offer     or one byte: 1 spent or not understood, 2 too late
//! sealed  : key derived from what both exchanges share; associated data "share code" ‖ hello ‖ SPAKE2 message
//! ```
//!
//! Whoever answers in the middle has one guess of 2^33, and is found out: the offer does not open, or the six words of it differ,
//! which both people still compare. Sans-I/O: messages in, messages out.

use super::offer::Offer;
use super::{ShareError, limits};
use crate::crypto::{self, Aad, CodeExchange, InvitationSecret, JoinCode, Nonce, labels};
use crate::env::{Env, UnixTime};
use zeroize::Zeroizing;

const HELLO: u8 = 2;
const HERE: u8 = 0;
const SPENT: u8 = 1;
const TOO_LATE: u8 = 2;
const EXCHANGE_BYTES: usize = 33;

/// What is told to the other phone instead of an offer: one byte.
pub const fn refusal(error: ShareError) -> [u8; 1] {
    [if matches!(error, ShareError::CodeExpired) { TOO_LATE } else { SPENT }]
}

fn aad(hello: &[u8], answer: &[u8]) -> Aad {
    Aad::new(labels::SHARE_CODE).add(hello).add(answer)
}

fn offer_key(secret: &InvitationSecret) -> crypto::OfferKey {
    secret.derive_offer_key()
}

/// On the recipient's phone: an offer that waits for whoever types its words. Spent by the first hello, right or wrong.
pub struct TypedOffer {
    code: JoinCode,
    expires: UnixTime,
    text: Zeroizing<String>,
}

impl std::fmt::Debug for TypedOffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypedOffer(..)")
    }
}

impl TypedOffer {
    /// Makes three words for an offer's text, good for ten minutes. Errors: [`ShareError::Offer`] for a text that is none.
    pub fn make(env: &Env, offer: &str) -> Result<Self, ShareError> {
        Offer::from_text(offer)?;
        let expires = UnixTime::from_seconds(env.now().seconds().saturating_add(limits::CODE_TERM_SECONDS));
        Ok(Self { code: JoinCode::make(env), expires, text: Zeroizing::new(offer.to_owned()) })
    }

    /// The three words.
    pub fn code(&self) -> &str {
        self.code.as_str()
    }

    /// Answers the other phone's hello. The reply says nothing about whether its words were right.
    ///
    /// On an error send [`refusal`]. Errors: [`ShareError::CodeExpired`], [`ShareError::Code`].
    pub fn answer(self, env: &Env, hello: &[u8]) -> Result<Vec<u8>, ShareError> {
        let now = env.now();
        // a clock that went back far enough to make the words young again is no reason to take them
        if now > self.expires || now.seconds().saturating_add(limits::CODE_TERM_SECONDS) < self.expires.seconds() {
            return Err(ShareError::CodeExpired);
        }
        let message = hello.split_first().filter(|(kind, _)| **kind == HELLO).ok_or(ShareError::Code)?.1;
        let (exchange, answer) = CodeExchange::host(env, &self.code);
        let secret = exchange.finish(message).map_err(|_| ShareError::Code)?;
        let sealed = crypto::seal(&offer_key(&secret), Nonce::make(env), &aad(hello, &answer), self.text.as_bytes());
        Ok([&[HERE][..], &answer, &sealed.map_err(|_| ShareError::Seal)?].concat())
    }
}

/// On the sender's phone: three words were typed, and the other phone has not answered yet.
#[derive(Debug)]
pub struct TypedTaker {
    exchange: CodeExchange,
    hello: Vec<u8>,
}

impl TypedTaker {
    /// The hello for the other phone. Errors: [`ShareError::Code`] for what cannot be the words; then no try is spent.
    pub fn hello(env: &Env, typed: &str) -> Result<(Self, Vec<u8>), ShareError> {
        let code = JoinCode::from_text(typed).map_err(|_| ShareError::Code)?;
        let (exchange, message) = CodeExchange::joiner(env, &code);
        let hello = [&[HELLO][..], &message].concat();
        Ok((Self { exchange, hello: hello.clone() }, hello))
    }

    /// Reads the reply: the offer, whose six words are compared next. The words are spent either way.
    ///
    /// Errors: [`ShareError::Code`] for wrong words or a phone in between, [`ShareError::CodeExpired`], [`ShareError::Offer`].
    pub fn replied(self, reply: &[u8]) -> Result<Offer, ShareError> {
        let rest = match reply.split_first() {
            Some((&HERE, rest)) if reply.len() <= limits::OFFER_TEXT_MAX_BYTES * 2 => rest,
            Some((&TOO_LATE, [])) => return Err(ShareError::CodeExpired),
            _ => return Err(ShareError::Code),
        };
        let (answer, sealed) = rest.split_at_checked(EXCHANGE_BYTES).ok_or(ShareError::Code)?;
        let secret = self.exchange.finish(answer).map_err(|_| ShareError::Code)?;
        let text = crypto::open(&offer_key(&secret), &aad(&self.hello, answer), sealed).map_err(|_| ShareError::Code)?;
        Offer::from_text(std::str::from_utf8(&text).map_err(|_| ShareError::Offer)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::env::testing::{SeededRandomness, TestClock};

    fn offer(env: &Env) -> Zeroizing<String> {
        Offer::make(env).unwrap().1.to_text()
    }

    #[test]
    fn three_words_bring_the_offer_once() {
        let env = Env::seeded(1);
        let text = offer(&env);
        let typed = TypedOffer::make(&env, &text).unwrap();
        assert_eq!(typed.code().split(' ').count(), 3);
        let (taker, hello) = TypedTaker::hello(&env, &typed.code().to_uppercase()).unwrap();
        let reply = typed.answer(&env, &hello).unwrap();
        assert!(reply.windows(12).all(|window| !text.as_bytes().windows(12).any(|part| part == window)), "nothing of it is plain");
        let taken = taker.replied(&reply).unwrap();
        assert_eq!((taken.to_text(), taken.words()), (text.clone(), Offer::from_text(&text).unwrap().words()));
    }

    #[test]
    fn wrong_words_bring_nothing_and_say_nothing() {
        let env = Env::seeded(2);
        let text = offer(&env);
        let reply_to = |words: &str| {
            let typed = TypedOffer::make(&env, &text).unwrap();
            let right = typed.code().to_owned();
            let (taker, hello) = TypedTaker::hello(&env, if words.is_empty() { &right } else { words }).unwrap();
            let reply = typed.answer(&env, &hello).unwrap();
            (reply.len(), taker.replied(&reply).err())
        };
        let (length, error) = reply_to("");
        assert_eq!(error, None, "control");
        assert_eq!(reply_to("abandon ability able"), (length, Some(ShareError::Code)), "as long, and not to be told apart");
        for wrong in ["", "abandon", "abandon ability able about", "abandon ability zzzz"] {
            assert_eq!(TypedTaker::hello(&env, wrong).unwrap_err(), ShareError::Code, "{wrong}");
        }
    }

    #[test]
    fn what_is_changed_on_the_way_does_not_open() {
        let env = Env::seeded(3);
        let text = offer(&env);
        let run = |bend: &dyn Fn(&mut Vec<u8>, &mut Vec<u8>)| {
            let typed = TypedOffer::make(&env, &text).unwrap();
            let (taker, mut hello) = TypedTaker::hello(&env, typed.code()).unwrap();
            let mut reply = Vec::new();
            bend(&mut hello, &mut reply);
            reply = match typed.answer(&env, &hello) {
                Ok(reply) => reply,
                Err(error) => refusal(error).to_vec(),
            };
            bend(&mut Vec::new(), &mut reply);
            taker.replied(&reply).err()
        };
        assert_eq!(run(&|_, _| {}), None, "control");
        for at in [0, 1, 20, 33, 34, 60, 100, 2_000] {
            let bent = run(&|_, reply: &mut Vec<u8>| reply.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 0x10));
            assert_eq!(bent, Some(ShareError::Code), "reply, byte {at}");
        }
        for at in [0, 1, 10, 33] {
            let bent = run(&|hello: &mut Vec<u8>, _| hello.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 0x10));
            assert_eq!(bent, Some(ShareError::Code), "hello, byte {at}");
        }
        for length in [0, 1, 33, 34, 35] {
            assert_eq!(run(&|_, reply: &mut Vec<u8>| reply.truncate(length)), Some(ShareError::Code), "{length} bytes");
        }
    }

    #[test]
    fn ten_minutes_and_not_longer() {
        let clock = TestClock::at(1_795_305_600);
        let env = Env::new(clock.clone(), SeededRandomness::new(4));
        let text = offer(&env);
        for (seconds, ends) in [(600_i64, None), (601, Some(ShareError::CodeExpired)), (-601, Some(ShareError::CodeExpired))] {
            clock.set(1_795_305_600);
            let typed = TypedOffer::make(&env, &text).unwrap();
            let (taker, hello) = TypedTaker::hello(&env, typed.code()).unwrap();
            clock.set(1_795_305_600_u64.saturating_add_signed(seconds));
            let reply = typed.answer(&env, &hello).unwrap_or_else(|error| refusal(error).to_vec());
            assert_eq!(taker.replied(&reply).err(), ends, "{seconds}");
        }
        assert_eq!(TypedOffer::make(&env, "SATCHELSHARE1:ABC").unwrap_err(), ShareError::Offer);
    }
}
