//! The five messages of joining in person, each as a length (4 bytes, little endian) and that many bytes.
//!
//! ```text
//! joiner                      inviter
//!   knock ─────────────────────▶
//!        ◀───────────────────── answer            both show words; two people compare them
//!   introduction ──────────────▶                  after the joiner's person agreed
//!        ◀───────────────────── welcome           after the inviter's person agreed
//!   thanks ────────────────────▶                  after everything is on the joiner's disk
//! ```
//!
//! With a typed code, hello and reply (SPAKE2) come before the knock.

use crate::error::{TransportError, of_stream};
use satchel_core::Error;
use satchel_core::screen::ShortText;
use satchel_core::store::{CodeInvitation, Credentials, NewStore, TypedStore, Unlocked};
use satchel_core::team::{InvitationError, joining};
use satchel_wire::limits::SESSION_MESSAGE_MAX_BYTES;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

/// How long people may take to compare words (seconds).
pub const COMPARE_MAX_SECONDS: u64 = 300;

/// Why joining did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoiningError {
    /// The bytes did not arrive.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The store or the protocol refused.
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<InvitationError> for JoiningError {
    fn from(error: InvitationError) -> Self {
        Self::Store(Error::Invitation(error))
    }
}

fn set_up(stream: &TcpStream) -> Result<(), TransportError> {
    let limit = Some(Duration::from_secs(COMPARE_MAX_SECONDS));
    let done = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(limit)).and_then(|()| stream.set_write_timeout(limit));
    done.map_err(|error| of_stream(&error))
}

/// Writes one message. Errors: [`TransportError::TooLarge`] above 2 MiB, and the network's.
pub fn send(stream: &mut impl Write, message: &[u8]) -> Result<(), TransportError> {
    let length = u32::try_from(message.len()).ok().filter(|_| message.len() <= SESSION_MESSAGE_MAX_BYTES);
    let length = length.ok_or(TransportError::TooLarge)?;
    let done = stream.write_all(&length.to_le_bytes()).and_then(|()| stream.write_all(message)).and_then(|()| stream.flush());
    done.map_err(|error| of_stream(&error))
}

/// Reads one message; memory grows only with what arrives. Errors: [`TransportError::TooLarge`], [`TransportError::Cut`], and the network's.
pub fn receive(stream: &mut impl Read) -> Result<Vec<u8>, TransportError> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).map_err(|error| of_stream(&error))?;
    let length = u64::from(u32::from_le_bytes(length));
    if length > SESSION_MESSAGE_MAX_BYTES as u64 {
        return Err(TransportError::TooLarge);
    }
    let mut message = Vec::new();
    let read = stream.take(length).read_to_end(&mut message).map_err(|error| of_stream(&error))?;
    if read as u64 == length { Ok(message) } else { Err(TransportError::Cut) }
}

/// The inviter's side. `agree` shows the words and says whether this side's person agreed.
///
/// Errors: [`InvitationError::WordsDiffer`] when they did not; nothing was admitted then.
pub fn host(unlocked: &Unlocked, stream: TcpStream, agree: impl FnOnce(&[&'static str; 4]) -> bool) -> Result<(), JoiningError> {
    set_up(&stream)?;
    hear_knock(unlocked, stream, agree)
}

/// The inviter's side with a typed code, which is spent by whoever comes first. Errors: as [`host`].
pub fn host_by_code(
    unlocked: &Unlocked,
    code: CodeInvitation,
    mut stream: TcpStream,
    agree: impl FnOnce(&[&'static str; 4]) -> bool,
) -> Result<(), JoiningError> {
    set_up(&stream)?;
    let hello = receive(&mut stream)?;
    let reply = or_refuse(&mut stream, code.answer_hello(&hello))?;
    send(&mut stream, &reply)?;
    hear_knock(unlocked, stream, agree)
}

/// Tells the other side why not.
fn or_refuse<T>(stream: &mut TcpStream, answered: Result<T, Error>) -> Result<T, JoiningError> {
    if let Err(Error::Invitation(reason)) = &answered {
        // a refusal that does not arrive is no worse than a closed door
        let _ = send(stream, &joining::refusal(*reason));
    }
    Ok(answered?)
}

fn hear_knock(unlocked: &Unlocked, mut stream: TcpStream, agree: impl FnOnce(&[&'static str; 4]) -> bool) -> Result<(), JoiningError> {
    let knock = receive(&mut stream)?;
    let (mut hosted, answer) = or_refuse(&mut stream, unlocked.answer_knock(&knock))?;
    send(&mut stream, &answer)?;
    let agreed = agree(&hosted.words());
    if !agreed {
        return Err(InvitationError::WordsDiffer.into());
    }
    hosted.introduced(&receive(&mut stream)?)?;
    let welcome = hosted.welcome()?;
    send(&mut stream, &welcome)?;
    hosted.thanked(&receive(&mut stream)?)?;
    Ok(())
}

/// What a joiner brings.
pub struct Newcomer<'a> {
    /// Folder of the new store.
    pub dir: &'a Path,
    /// What will open it.
    pub credentials: &'a Credentials<'a>,
    /// How its member is called.
    pub name: &'a ShortText,
}

impl std::fmt::Debug for Newcomer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Newcomer")
    }
}

/// The joiner's side. `agree` shows the words and says whether this side's person agreed.
///
/// Errors: [`InvitationError::WordsDiffer`] when they did not; nothing was written then.
pub fn join(
    new: (NewStore, Vec<u8>),
    stream: TcpStream,
    newcomer: &Newcomer<'_>,
    agree: impl FnOnce(&[&'static str; 4]) -> bool,
) -> Result<Unlocked, JoiningError> {
    set_up(&stream)?;
    knock(new, stream, newcomer, agree)
}

/// The joiner's side with a typed code. Errors: as [`join`]; the code is spent, whatever comes of it.
pub fn join_by_code(
    typed: (TypedStore, Vec<u8>),
    mut stream: TcpStream,
    newcomer: &Newcomer<'_>,
    agree: impl FnOnce(&[&'static str; 4]) -> bool,
) -> Result<Unlocked, JoiningError> {
    set_up(&stream)?;
    let (typed, hello) = typed;
    send(&mut stream, &hello)?;
    let new = typed.replied(&receive(&mut stream)?)?;
    knock(new, stream, newcomer, agree)
}

fn knock(
    new: (NewStore, Vec<u8>),
    mut stream: TcpStream,
    newcomer: &Newcomer<'_>,
    agree: impl FnOnce(&[&'static str; 4]) -> bool,
) -> Result<Unlocked, JoiningError> {
    let (new, knock) = new;
    send(&mut stream, &knock)?;
    let mut joined = new.answered(&receive(&mut stream)?)?;
    if !agree(&joined.words()) {
        return Err(InvitationError::WordsDiffer.into());
    }
    let introduction = joined.introduce()?;
    send(&mut stream, &introduction)?;
    let welcome = receive(&mut stream)?;
    let (unlocked, thanks) = joined.welcomed(&welcome, newcomer.dir, newcomer.credentials, newcomer.name)?;
    // the store is complete; an inviter who does not hear the thanks has admitted this phone all the same
    let _ = send(&mut stream, &thanks);
    Ok(unlocked)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Cursor;

    #[test]
    fn a_message_survives_and_a_cut_is_noticed_at_every_byte() {
        let mut bytes = Vec::new();
        send(&mut bytes, b"knock").unwrap();
        assert_eq!(bytes, b"\x05\0\0\0knock");
        assert_eq!(receive(&mut Cursor::new(&bytes)).unwrap(), b"knock");
        for end in 0..bytes.len() {
            assert_eq!(receive(&mut Cursor::new(&bytes[..end])).unwrap_err(), TransportError::Cut, "{end}");
        }
    }

    #[test]
    fn a_length_above_the_limit_is_refused_before_memory_is_taken() {
        assert_eq!(receive(&mut Cursor::new([0xff; 8])).unwrap_err(), TransportError::TooLarge);
        let most = SESSION_MESSAGE_MAX_BYTES as u32;
        assert_eq!(receive(&mut Cursor::new(most.to_le_bytes())).unwrap_err(), TransportError::Cut);
        assert_eq!(receive(&mut Cursor::new((most + 1).to_le_bytes())).unwrap_err(), TransportError::TooLarge);
        assert_eq!(send(&mut Vec::new(), &vec![0; SESSION_MESSAGE_MAX_BYTES + 1]).unwrap_err(), TransportError::TooLarge);
    }
}
