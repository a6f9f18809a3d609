//! Being found by colleagues on a local network, and by nobody else.

use super::Unlocked;
use crate::error::Error;
use crate::sync::{APPEARANCE_BYTES, Appearance, Caller, Replica, recognise};

impl Unlocked {
    /// What to show of this phone on a local network for the next half hour. Errors: [`Error::Locked`].
    pub fn appearance(&self) -> Result<Appearance, Error> {
        let secrets = self.clone().hello_secrets()?;
        Ok(Appearance::make(self.env(), &secrets))
    }

    /// Whether something shown on the network is a colleague's phone, and who of the two calls. Anything else is none.
    ///
    /// Errors: [`Error::Locked`].
    pub fn recognise(&self, shown: &[u8]) -> Result<Option<Caller>, Error> {
        let Ok(shown) = <&[u8; APPEARANCE_BYTES]>::try_from(shown) else { return Ok(None) };
        let secrets = self.clone().hello_secrets()?;
        Ok(recognise(shown, &secrets, self.env().now()))
    }
}
