//! Pairing with the recipient of a share: a picture, or three words that are typed where no camera can be used.
//!
//! With words the app carries two messages. Recipient: `show_offer`, `ShownOffer.by_code`, read `code` aloud, `answer_hello`.
//! Sender: `take_offer_by_code`, `hello`, `replied`; then both compare the six words, and `pair_recipient`, as with a picture.

use crate::error::{FfiError, call};
use crate::sharing::all;
use satchel_core::Error;
use satchel_core::env::Env;
use satchel_core::share::typed::{self, TypedOffer, TypedTaker};
use satchel_core::share::{Offer, ShareError};
use satchel_core::store;
use satchel_wire::ids::RecordId;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// A pairing offer that this phone shows, once, to one sender. Wiped when it is freed.
#[derive(uniffi::Object)]
pub struct ShownOffer(store::ShownOffer);

impl ShownOffer {
    pub(crate) fn of(shown: store::ShownOffer) -> Arc<Self> {
        Arc::new(Self(shown))
    }
}

#[uniffi::export]
impl ShownOffer {
    /// The pairing.
    pub fn id(&self) -> RecordId {
        self.0.id
    }

    /// For a QR code (alphanumeric mode, about 2,000 characters) or a file; ASCII. Overwrite the bytes after use.
    pub fn text(&self) -> Vec<u8> {
        self.0.text.as_bytes().to_vec()
    }

    /// Six words, to be compared with those on the sender's phone, aloud.
    pub fn words(&self) -> Vec<String> {
        all(self.0.words)
    }
}

/// A pairing offer that this phone took from a recipient's phone.
#[derive(uniffi::Object)]
pub struct PairingOffer(Offer);

impl PairingOffer {
    pub(crate) fn of(offer: Offer) -> Arc<Self> {
        Arc::new(Self(offer))
    }

    pub(crate) const fn core(&self) -> &Offer {
        &self.0
    }
}

#[uniffi::export]
impl PairingOffer {
    /// Reads what the recipient's phone shows; case and white space do not matter. Overwrite the bytes after use.
    ///
    /// Errors: [`FfiError::InvalidInput`] with `share_offer`: have it shown again.
    #[uniffi::constructor]
    pub fn read(text: Vec<u8>) -> Result<Arc<Self>, FfiError> {
        call(|| {
            let text = Zeroizing::new(text);
            let text = std::str::from_utf8(&text).map_err(|_| Error::from(ShareError::Offer))?;
            Ok(Self::of(Offer::from_text(text).map_err(Error::from)?))
        })
    }

    /// Six words, to be compared with those on the recipient's phone, aloud. Pair only where they are the same.
    pub fn words(&self) -> Vec<String> {
        all(self.0.words())
    }
}

/// An offer that waits for whoever types its three words: good for one try and ten minutes. It lives as long as this handle.
#[derive(uniffi::Object)]
pub struct OfferByCode {
    code: Zeroizing<Vec<u8>>,
    offer: Mutex<Option<TypedOffer>>,
}

#[uniffi::export]
impl ShownOffer {
    /// Three words for this offer, to be typed on the sender's phone. Where they were spent, those of a new call are good.
    ///
    /// Errors: [`FfiError::Internal`].
    pub fn by_code(&self) -> Result<Arc<OfferByCode>, FfiError> {
        call(|| {
            let offer = TypedOffer::make(&Env::system(), &self.0.text).map_err(Error::from)?;
            let code = Zeroizing::new(offer.code().as_bytes().to_vec());
            Ok(Arc::new(OfferByCode { code, offer: Mutex::new(Some(offer)) }))
        })
    }
}

#[uniffi::export]
impl OfferByCode {
    /// The three words in ASCII, parted by spaces: to be read out to the sender who is here. Overwrite the bytes after use.
    pub fn code(&self) -> Vec<u8> {
        self.code.to_vec()
    }

    /// Answers the hello of the sender's phone. The words are spent, right or wrong, and nothing here says which: the six
    /// words do, or that theirs shows none. On an error send `refusal_of_hello`.
    ///
    /// Errors: [`FfiError::InvalidInput`] with remedy `pair_in_person`: `share_code_expired`, `share_code`. Show new words.
    pub fn answer_hello(&self, hello: Vec<u8>) -> Result<Vec<u8>, FfiError> {
        call(|| {
            let taken = self.offer.lock().unwrap_or_else(PoisonError::into_inner).take();
            let offer = taken.ok_or(Error::from(ShareError::Code))?;
            Ok(offer.answer(&Env::system(), &hello).map_err(Error::from)?)
        })
    }
}

/// What is sent to the sender whose hello failed with this error's `code`.
#[uniffi::export]
pub fn refusal_of_hello(code: &str) -> Vec<u8> {
    let is_expired = code == ShareError::CodeExpired.code();
    typed::refusal(if is_expired { ShareError::CodeExpired } else { ShareError::Code }).to_vec()
}

/// The sender's side of three typed words, until the recipient's phone has replied. One try.
#[derive(uniffi::Object)]
pub struct OfferTaker {
    hello: Vec<u8>,
    typed: Mutex<Option<TypedTaker>>,
}

/// Begins to take an offer with three words, as they were typed, in UTF-8.
///
/// Errors: [`FfiError::InvalidInput`] with `share_code` for what cannot be the words; no try is spent.
#[uniffi::export]
pub fn take_offer_by_code(code: Vec<u8>) -> Result<Arc<OfferTaker>, FfiError> {
    call(|| {
        let code = Zeroizing::new(code);
        let words = std::str::from_utf8(&code).map_err(|_| Error::from(ShareError::Code))?;
        let (typed, hello) = TypedTaker::hello(&Env::system(), words).map_err(Error::from)?;
        Ok(Arc::new(OfferTaker { hello, typed: Mutex::new(Some(typed)) }))
    })
}

#[uniffi::export]
impl OfferTaker {
    /// The message to the recipient's phone.
    pub fn hello(&self) -> Vec<u8> {
        self.hello.clone()
    }

    /// Reads its reply: the offer, whose six words are compared next. The words are spent either way.
    ///
    /// Errors: [`FfiError::InvalidInput`] with remedy `pair_in_person`: `share_code` for wrong words or a phone in between,
    /// `share_code_expired`. Have new words shown.
    pub fn replied(&self, reply: Vec<u8>) -> Result<Arc<PairingOffer>, FfiError> {
        call(|| {
            let typed = self.typed.lock().unwrap_or_else(PoisonError::into_inner).take();
            let typed = typed.ok_or(Error::from(ShareError::Code))?;
            Ok(PairingOffer::of(typed.replied(&reply).map_err(Error::from)?))
        })
    }
}
