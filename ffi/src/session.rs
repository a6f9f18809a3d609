//! A session with a colleague's phone: bytes in, bytes out. The app carries them, by whatever connects two phones.
use satchel_core::sync;
/// x
#[derive(uniffi::Object)]
pub struct PeerSession(std::sync::Mutex<Option<sync::SessionReport>>);
/// x
#[derive(uniffi::Record)]
pub struct SessionReport { pub a: u32 }
