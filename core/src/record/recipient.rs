//! Recipients: to whom something may be shared. One person or office each, known in person; never a list of them.

use super::entry::{EntryError, EntryValue};
use crate::consent::ShareClass;
use crate::screen::{Reason, ScreenError, ShortText};
use minicbor::{Decode, Encode};

/// A recipient, as stored (entry). It is not corrected: another class is another recipient.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Recipient {
    /// How it is called.
    #[n(0)]
    name: String,
    /// What it is.
    #[n(1)]
    pub class: ShareClass,
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
        Ok(Self { name: name.as_str().to_owned(), class })
    }
    /// How it is called, as it is shown: what the guard finds is covered.
    pub fn name(&self) -> Option<ShortText> {
        match Self::parse(&self.name, self.class) {
            Ok(_) => ShortText::from_sealed(&self.name).ok(),
            Err(_) => ShortText::received(&self.name, None).ok(),
        }
    }
    /// What two bodies that claim one recipient amount to: the stricter class, the smaller name.
    #[must_use]
    pub fn meet(self, other: Self) -> Self {
        let class = self.class.max(other.class);
        if self.name <= other.name { Self { class, ..self } } else { Self { class, ..other } }
    }
}

impl EntryValue for Recipient {
    fn check(&self) -> Result<(), EntryError> {
        if ShortText::from_sealed(&self.name).is_ok_and(|name| name.as_str() == self.name) { Ok(()) } else { Err(EntryError::Text) }
    }
}
