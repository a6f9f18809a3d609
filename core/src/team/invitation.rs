//! Invitations: a text that fits a QR code, good once, for a short while, in person.
//!
//! ```text
//! text = "SATCHEL1:" ‖ base32 upper case (QR alphanumeric mode) of
//!        team (16) ‖ inviter (16) ‖ secret (16) ‖ expires (8, LE, Unix seconds) ‖ address length (1) ‖ address ‖ KDF(before)[..4]
//! ```
//!
//! The secret is the pre-shared key of one Noise session, so a photograph of the code taken after it was
//! used, or after it expired, is worth nothing; a photograph taken before makes the check words differ.

use crate::crypto::{self, InvitationSecret, labels};
use crate::env::{Env, UnixTime};
use data_encoding::BASE32_NOPAD;
use satchel_wire::ids::{DeviceId, TeamId};

const PREFIX: &str = "SATCHEL1:";
/// Longest address in an invitation (bytes).
pub const ADDRESS_MAX_BYTES: usize = 100;
/// How long an invitation is good (seconds).
pub const INVITATION_TERM_SECONDS: u64 = 600;
const FIXED_BYTES: usize = 16 + 16 + 16 + 8 + 1;
const CHECK_BYTES: usize = 4;

/// Why an invitation is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    /// Not an invitation, or mistyped. Remedy: scan or type it again.
    #[error("not an invitation, or mistyped")]
    Malformed,
    /// Its time is over. Remedy: ask for a new one.
    #[error("this invitation has expired")]
    Expired,
    /// It was used, or taken back. Remedy: ask for a new one.
    #[error("this invitation was already used")]
    Used,
    /// The other side does not answer as an inviter does, or the secret is another. Remedy: check whom you are talking to.
    #[error("the other phone does not hold this invitation")]
    WrongPeer,
    /// The people said that the check words differ. Remedy: somebody may sit between the phones; start again elsewhere.
    #[error("the check words were not the same")]
    WordsDiffer,
    /// The other side broke the protocol.
    #[error("the other phone broke the joining protocol")]
    Protocol,
}

impl InvitationError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "invitation_malformed",
            Self::Expired => "invitation_expired",
            Self::Used => "invitation_used",
            Self::WrongPeer => "invitation_wrong_peer",
            Self::WordsDiffer => "invitation_words_differ",
            Self::Protocol => "invitation_protocol",
        }
    }
}

/// An invitation.
#[derive(Debug)]
pub struct Invitation {
    /// The team.
    pub team: TeamId,
    /// The device that invites.
    pub inviter: DeviceId,
    /// The one-time secret.
    pub secret: InvitationSecret,
    /// When it ends.
    pub expires: UnixTime,
    /// Where the inviter listens (`host:port`), or empty when people connect the phones some other way.
    pub address: String,
}

impl Invitation {
    /// A fresh invitation, good for ten minutes. Errors: [`InvitationError::Malformed`] for an address above 100 bytes or not ASCII.
    pub fn make(env: &Env, team: TeamId, inviter: DeviceId, address: &str) -> Result<Self, InvitationError> {
        if address.len() > ADDRESS_MAX_BYTES || !address.is_ascii() {
            return Err(InvitationError::Malformed);
        }
        let expires = UnixTime::from_seconds(env.now().seconds().saturating_add(INVITATION_TERM_SECONDS));
        Ok(Self { team, inviter, secret: InvitationSecret::make(env), expires, address: address.to_owned() })
    }

    /// The id under which both sides know it, and which the log keeps: says nothing of the secret.
    pub fn id(&self) -> [u8; 16] {
        invitation_id(&self.secret)
    }

    /// Whether its time is over.
    pub fn is_expired(&self, now: UnixTime) -> bool {
        now > self.expires
    }

    /// The text for a QR code.
    pub fn to_text(&self) -> String {
        let mut bytes = Vec::with_capacity(FIXED_BYTES + self.address.len() + CHECK_BYTES);
        bytes.extend_from_slice(self.team.as_bytes());
        bytes.extend_from_slice(self.inviter.as_bytes());
        bytes.extend_from_slice(self.secret.expose());
        bytes.extend_from_slice(&self.expires.seconds().to_le_bytes());
        bytes.push(self.address.len() as u8);
        bytes.extend_from_slice(self.address.as_bytes());
        let check = crypto::derive_id(labels::INVITATION_CHECK, &[&bytes]);
        bytes.extend_from_slice(&check[..CHECK_BYTES]);
        format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes))
    }

    /// Reads the text; case and surrounding space do not matter. Errors: [`InvitationError::Malformed`], [`InvitationError::Expired`].
    pub fn from_text(text: &str, now: UnixTime) -> Result<Self, InvitationError> {
        let text = text.trim().to_ascii_uppercase();
        let bytes =
            text.strip_prefix(PREFIX).and_then(|rest| BASE32_NOPAD.decode(rest.as_bytes()).ok()).ok_or(InvitationError::Malformed)?;
        let bytes = zeroize::Zeroizing::new(bytes);
        let malformed = InvitationError::Malformed;
        let (content, check) = bytes.split_last_chunk::<CHECK_BYTES>().ok_or(malformed)?;
        if crypto::derive_id(labels::INVITATION_CHECK, &[content])[..CHECK_BYTES] != check[..] || content.len() < FIXED_BYTES {
            return Err(malformed);
        }
        let (fixed, address) = content.split_at(FIXED_BYTES);
        let address = std::str::from_utf8(address).map_err(|_| malformed)?;
        if usize::from(fixed[56]) != address.len() || address.len() > ADDRESS_MAX_BYTES || !address.is_ascii() {
            return Err(malformed);
        }
        let expires = fixed[48..56].try_into().map(u64::from_le_bytes).map_err(|_| malformed)?;
        let invitation = Self {
            team: TeamId::from_slice(&fixed[..16]).map_err(|_| malformed)?,
            inviter: DeviceId::from_slice(&fixed[16..32]).map_err(|_| malformed)?,
            secret: InvitationSecret::from_slice(&fixed[32..48]).map_err(|_| malformed)?,
            expires: UnixTime::from_seconds(expires),
            address: address.to_owned(),
        };
        if invitation.is_expired(now) { Err(InvitationError::Expired) } else { Ok(invitation) }
    }
}

/// The id of an invitation secret.
pub fn invitation_id(secret: &InvitationSecret) -> [u8; 16] {
    crypto::derive_id(labels::INVITATION_ID, &[secret.expose()])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_text_survives_a_qr_code_and_no_typing_error() {
        let env = Env::system();
        let made = Invitation::make(&env, TeamId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]), "192.168.43.1:7447").unwrap();
        let text = made.to_text();
        assert!(text.len() < 200 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b':'));
        let read = Invitation::from_text(&text.to_lowercase(), env.now()).unwrap();
        assert_eq!((read.id(), read.address.as_str()), (made.id(), "192.168.43.1:7447"));
        for at in PREFIX.len()..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(Invitation::from_text(&String::from_utf8(wrong).unwrap(), env.now()).unwrap_err(), InvitationError::Malformed);
        }
        let late = UnixTime::from_seconds(made.expires.seconds() + 1);
        assert_eq!(Invitation::from_text(&text, late).unwrap_err(), InvitationError::Expired);
        assert!(!format!("{made:?}").contains(&BASE32_NOPAD.encode(made.secret.expose())));
    }
}
