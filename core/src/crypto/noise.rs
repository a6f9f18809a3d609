//! Sessions between phones: `Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s` (Noise specification, revision 34).
//!
//! Sans-I/O: bytes in, bytes out. The pre-shared key keeps strangers out from the first message; the
//! fresh X25519 exchange keeps a recorded session closed even to who later learns that key. Who stands at
//! the other end is shown by device signatures over the handshake hash, inside the session. The exchange
//! is not post-quantum, which is why keys travel inside a session in boxes and covers only.
//!
//! A recorded first message can be replayed to a listener; whoever does so cannot read the answer nor
//! write a message, so a listener acts on nothing before the first message of the channel has opened.

use super::aead::Aad;
use super::labels;
use super::noise_resolver::EnvResolver;
use super::secrets::SessionPsk;
use crate::env::Env;
use satchel_wire::limits::NOISE_MESSAGE_MAX_BYTES;
use snow::{Builder, HandshakeState, TransportState};
use std::fmt;
use zeroize::Zeroizing;

const PATTERN: &str = "Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s";
const TAG_BYTES: usize = 16;
/// Length of each of the two handshake messages (bytes): an ephemeral key and a tag.
pub const HANDSHAKE_MESSAGE_BYTES: usize = 48;
/// Most plaintext of one channel message (bytes).
pub const CHANNEL_PLAINTEXT_MAX_BYTES: usize = NOISE_MESSAGE_MAX_BYTES - TAG_BYTES;

/// Why a session does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoiseError {
    /// Called in the wrong order. Remedy: a mistake in the program; drop the session.
    #[error("not this side's turn")]
    Turn,
    /// A message has an impossible length. Remedy: drop the session, or send less at once.
    #[error("a message's size is out of bounds")]
    Length,
    /// Another pre-shared key or prologue, or an altered, repeated, lost or re-ordered message. Remedy: drop the session.
    #[error("the message does not belong to this session")]
    Refused,
}

impl NoiseError {
    /// A stable code for the boundary.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Turn => "noise.turn",
            Self::Length => "noise.length",
            Self::Refused => "noise.refused",
        }
    }
}

fn from_snow(error: snow::Error) -> NoiseError {
    match error {
        snow::Error::State(_) | snow::Error::Init(_) | snow::Error::Prereq(_) => NoiseError::Turn,
        snow::Error::Input => NoiseError::Length,
        _ => NoiseError::Refused,
    }
}

/// A handshake under way: the dialer writes then reads, the listener reads then writes.
pub struct Handshake(Box<HandshakeState>);

impl Handshake {
    /// The side that dials. `prologue` is what both sides already said in the clear: a difference refuses the handshake.
    pub fn dialer(env: &Env, psk: &SessionPsk, prologue: &[u8]) -> Result<Self, NoiseError> {
        Self::new(env, psk, prologue, true)
    }

    /// The side that listens.
    pub fn listener(env: &Env, psk: &SessionPsk, prologue: &[u8]) -> Result<Self, NoiseError> {
        Self::new(env, psk, prologue, false)
    }

    fn new(env: &Env, psk: &SessionPsk, prologue: &[u8], dials: bool) -> Result<Self, NoiseError> {
        let prologue = Aad::new(labels::NOISE).add(prologue);
        let params = PATTERN.parse().map_err(from_snow)?;
        let builder = Builder::with_resolver(params, Box::new(EnvResolver::new(env)))
            .psk(0, psk.expose())
            .and_then(|builder| builder.prologue(prologue.as_bytes()))
            .map_err(from_snow)?;
        let state = if dials { builder.build_initiator() } else { builder.build_responder() };
        Ok(Self(Box::new(state.map_err(from_snow)?)))
    }

    /// This side's message: [`HANDSHAKE_MESSAGE_BYTES`] bytes. Errors: [`NoiseError::Turn`].
    pub fn write(&mut self) -> Result<Vec<u8>, NoiseError> {
        let mut message = vec![0; HANDSHAKE_MESSAGE_BYTES];
        let length = self.0.write_message(&[], &mut message).map_err(from_snow)?;
        message.truncate(length);
        Ok(message)
    }

    /// Takes the other side's message. Errors: [`NoiseError`]; a refused message ends the handshake.
    pub fn read(&mut self, message: &[u8]) -> Result<(), NoiseError> {
        if message.len() != HANDSHAKE_MESSAGE_BYTES {
            return Err(NoiseError::Length);
        }
        let mut payload = [0; HANDSHAKE_MESSAGE_BYTES];
        self.0.read_message(message, &mut payload).map(|_| ()).map_err(from_snow)
    }

    /// Whether both messages have passed.
    pub fn is_finished(&self) -> bool {
        self.0.is_handshake_finished()
    }

    /// The channel, and the handshake hash that both sides sign and compare as words. Errors: [`NoiseError::Turn`] before both messages have passed.
    pub fn finish(self) -> Result<(Channel, [u8; 32]), NoiseError> {
        if !self.is_finished() {
            return Err(NoiseError::Turn);
        }
        let hash = self.0.get_handshake_hash().try_into().map_err(|_| NoiseError::Turn)?;
        let transport = self.0.into_transport_mode().map_err(from_snow)?;
        Ok((Channel(Box::new(transport)), hash))
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handshake(..)")
    }
}

/// An open session: messages in order, each opened once.
pub struct Channel(Box<TransportState>);

impl Channel {
    /// Seals one message of at most [`CHANNEL_PLAINTEXT_MAX_BYTES`]. Errors: [`NoiseError::Length`].
    pub fn seal(&mut self, plaintext: &[u8]) -> Result<Vec<u8>, NoiseError> {
        if plaintext.len() > CHANNEL_PLAINTEXT_MAX_BYTES {
            return Err(NoiseError::Length);
        }
        let mut message = vec![0; plaintext.len() + TAG_BYTES];
        let length = self.0.write_message(plaintext, &mut message).map_err(from_snow)?;
        message.truncate(length);
        Ok(message)
    }

    /// Opens the next message. Errors: [`NoiseError::Refused`] for anything but the next one, unaltered; [`NoiseError::Length`].
    pub fn open(&mut self, message: &[u8]) -> Result<Zeroizing<Vec<u8>>, NoiseError> {
        if !(TAG_BYTES..=NOISE_MESSAGE_MAX_BYTES).contains(&message.len()) {
            return Err(NoiseError::Length);
        }
        let mut plaintext = Zeroizing::new(vec![0; message.len()]);
        let length = self.0.read_message(message, &mut plaintext).map_err(from_snow)?;
        plaintext.truncate(length);
        Ok(plaintext)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Channel(..)")
    }
}
