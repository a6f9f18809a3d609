//! Recipients: to whom something may be shared. One person or office each, known in person; never a list of them.

use super::entry::{EntryError, EntryValue};
use crate::consent::ShareClass;
use crate::screen::{Reason, ScreenError, ShortText};
use minicbor::{Decode, Encode};

/// A recipient, as stored (entry). It is not corrected: another class, or another phone, is another recipient.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Recipient {
    /// How it is called.
    #[n(0)]
    name: String,
    /// What it is.
    #[n(1)]
    pub class: ShareClass,
    /// What packets for it are sealed with, if somebody met it and both compared the words.
    #[n(2)]
    pub pairing: Option<Pairing>,
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipient").field("class", &self.class).field("is_paired", &self.pairing.is_some()).finish_non_exhaustive()
    }
}

/// Length of a recipient's key (X-Wing, bytes).
pub const PAIRING_KEY_BYTES: usize = 1_216;

/// The recipient's public key, and the seed of the secrets of packets: what its phone showed.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Pairing {
    #[cbor(n(0), with = "minicbor::bytes")]
    key: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    seed: [u8; 32],
}

impl std::fmt::Debug for Pairing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pairing(..)")
    }
}

impl Drop for Pairing {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.seed);
    }
}

impl Pairing {
    /// A pairing with a key of [`PAIRING_KEY_BYTES`].
    pub fn new(key: &[u8; PAIRING_KEY_BYTES], seed: &[u8; 32]) -> Self {
        Self { key: key.to_vec(), seed: *seed }
    }
    /// The recipient's key.
    pub fn key(&self) -> &[u8] {
        &self.key
    }
    /// The seed.
    pub const fn seed(&self) -> &[u8; 32] {
        &self.seed
    }
}

impl Recipient {
    /// A recipient. Its name passes the guard; that of a court or a lawyer may say what it is.
    ///
    /// # Errors
    /// Every [`ScreenError`]; each names its remedy.
    pub fn parse(name: &str, class: ShareClass) -> Result<Self, ScreenError> {
        let is_of_law = matches!(class, ShareClass::Justice | ShareClass::Legal);
        let is_its_trade = |reason| matches!(reason, Reason::CourtOrCustody | Reason::PoliceContact | Reason::JusticeWording);
        let name = match ShortText::parse(name) {
            Err(ScreenError::Unresolved { findings }) if is_of_law && findings.iter().all(|finding| is_its_trade(finding.reason)) => {
                ShortText::from_sealed(name)?
            }
            name => name?,
        };
        Ok(Self { name: name.as_str().to_owned(), class, pairing: None })
    }
    /// How it is called, as it is shown: what the guard finds is covered.
    pub fn name(&self) -> Option<ShortText> {
        match Self::parse(&self.name, self.class) {
            Ok(_) => ShortText::from_sealed(&self.name).ok(),
            Err(_) => ShortText::received(&self.name, None).ok(),
        }
    }
    /// What two bodies that claim one recipient amount to: the stricter class, the smaller name, and the pairing that both
    /// say: where they differ, nothing can be sealed.
    #[must_use]
    pub fn meet(self, other: Self) -> Self {
        let class = self.class.max(other.class);
        let pairing = if self.pairing == other.pairing { self.pairing } else { None };
        Self { name: self.name.min(other.name), class, pairing }
    }
}

impl EntryValue for Recipient {
    fn check(&self) -> Result<(), EntryError> {
        if !ShortText::from_sealed(&self.name).is_ok_and(|name| name.as_str() == self.name) {
            return Err(EntryError::Text);
        }
        match &self.pairing {
            Some(pairing) if pairing.key.len() != PAIRING_KEY_BYTES => Err(EntryError::Value),
            _ => Ok(()),
        }
    }
}
