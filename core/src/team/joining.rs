//! Joining in person: one Noise session under the invitation's secret, and words that two people compare.
//!
//! | message | from | content |
//! |---|---|---|
//! | knock | joiner | version 1 ‖ invitation id (16) ‖ Noise NNpsk0 message 1 |
//! | answer | inviter | 0 ‖ Noise message 2, or a refusal: 1 used or unknown, 2 expired |
//! | introduction | joiner, after its person said the words agree | CBOR: device keys, signature over the handshake hash |
//! | welcome | inviter, after its person said so too | CBOR [`Welcome`] |
//! | thanks | joiner, after everything is on disk | one byte |
//!
//! With a typed code two messages come before: hello, version 2 ‖ SPAKE2 message (33), and its reply, 0 ‖ SPAKE2 message
//! (33), or a refusal. What both sides get is the secret of an invitation, and the knock that follows names its id: a
//! guess that was wrong names none.
//!
//! Each message is carried whole by the host (length-prefixed by `transport`), at most 2 MiB. Versioning: the
//! first byte; another one is refused. Sans-I/O: messages in, messages out. Nothing rests on X25519 alone: the
//! secret is mixed in as a pre-shared key, and the turn travels in an X-Wing box.

use super::invitation::{Invitation, InvitationError, invitation_id};
use super::operation::DeviceKeys;
use crate::crypto::{
    self, CHANNEL_PLAINTEXT_MAX_BYTES, Channel, CodeExchange, HANDSHAKE_MESSAGE_BYTES, Handshake, InvitationSecret, JoinCode, Signature,
    SigningKey, VerifyingKey, labels,
};
use crate::env::Env;
use minicbor::{Decode, Encode};
use satchel_wire::cbor;
use satchel_wire::ids::MemberId;
use satchel_wire::limits::SESSION_MESSAGE_MAX_BYTES;

const VERSION: u8 = 1;
const CODE_VERSION: u8 = 2;
const PROLOGUE: &[u8] = b"satchel join 1";
const ANSWER_OK: u8 = 0;
const ANSWER_USED: u8 = 1;
const ANSWER_EXPIRED: u8 = 2;

/// Who joins.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Introduction {
    /// Keys of the new device.
    #[n(0)]
    pub device: DeviceKeys,
    /// Signed by the new device over the handshake hash.
    #[cbor(n(1), with = "minicbor::bytes")]
    signature: [u8; 64],
}

/// What a new device gets.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Welcome {
    /// Whose device it now is.
    #[n(0)]
    pub member: MemberId,
    /// The whole team log, parents first.
    #[n(1)]
    pub operations: Vec<minicbor::bytes::ByteVec>,
    /// The current turn, boxed to the new device's receiving key.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub announcement: Vec<u8>,
    /// How to reach the team's relay, if it has one: opaque here.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub relay: Option<Vec<u8>>,
    /// The inviter's frontiers and receiving keys of every device it knows.
    #[n(4)]
    pub frontiers: Vec<super::notice::FrontierNotice>,
    /// By what colleagues under earlier turns are recognised, boxed to the new device's receiving key.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub acquaintances: Vec<u8>,
}

/// The joiner's side of a typed code, before the other phone has answered.
#[derive(Debug)]
pub struct CodeJoiner(CodeExchange);

impl CodeJoiner {
    /// The hello.
    pub fn hello(env: &Env, code: &JoinCode) -> (Self, Vec<u8>) {
        let (exchange, message) = CodeExchange::joiner(env, code);
        (Self(exchange), [&[CODE_VERSION][..], &message].concat())
    }

    /// Reads the reply: the secret, if the other side had the same code. Errors: [`InvitationError::Used`],
    /// [`InvitationError::Expired`], [`InvitationError::Protocol`]. The code is spent either way.
    pub fn reply(self, message: &[u8]) -> Result<InvitationSecret, InvitationError> {
        match message.split_first() {
            Some((&ANSWER_OK, rest)) => self.0.finish(rest).map_err(|_| InvitationError::Protocol),
            Some((&ANSWER_USED, [])) => Err(InvitationError::Used),
            Some((&ANSWER_EXPIRED, [])) => Err(InvitationError::Expired),
            _ => Err(InvitationError::Protocol),
        }
    }
}

/// Whether a first message is the hello of a typed code.
pub fn is_code_hello(message: &[u8]) -> bool {
    message.first() == Some(&CODE_VERSION)
}

/// Answers a hello: the secret, if the other side had the same code, and the reply. The caller has burnt the code.
///
/// Errors: [`InvitationError::Protocol`].
pub fn answer_code(env: &Env, code: &JoinCode, hello: &[u8]) -> Result<(InvitationSecret, Vec<u8>), InvitationError> {
    let message = hello.split_first().filter(|(version, _)| **version == CODE_VERSION).ok_or(InvitationError::Protocol)?.1;
    let (exchange, reply) = CodeExchange::host(env, code);
    let secret = exchange.finish(message).map_err(|_| InvitationError::Protocol)?;
    Ok((secret, [&[ANSWER_OK][..], &reply].concat()))
}

/// A channel that carries messages of up to 2 MiB in Noise messages of up to 64 KiB.
#[derive(Debug)]
struct LongChannel(Channel);

impl LongChannel {
    fn seal(&mut self, message: &[u8]) -> Result<Vec<u8>, InvitationError> {
        let mut bytes = Vec::with_capacity(message.len() + 64);
        for chunk in message.chunks(CHANNEL_PLAINTEXT_MAX_BYTES) {
            let sealed = self.0.seal(chunk).map_err(|_| InvitationError::Protocol)?;
            bytes.extend_from_slice(&u16::try_from(sealed.len()).map_err(|_| InvitationError::Protocol)?.to_le_bytes());
            bytes.extend_from_slice(&sealed);
        }
        Ok(bytes)
    }

    fn open(&mut self, mut bytes: &[u8]) -> Result<Vec<u8>, InvitationError> {
        if bytes.len() > SESSION_MESSAGE_MAX_BYTES {
            return Err(InvitationError::Protocol);
        }
        let mut message = Vec::with_capacity(bytes.len());
        while !bytes.is_empty() {
            let (length, rest) = bytes.split_first_chunk::<2>().ok_or(InvitationError::Protocol)?;
            let (sealed, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length))).ok_or(InvitationError::Protocol)?;
            message.extend_from_slice(&self.0.open(sealed).map_err(|_| InvitationError::WrongPeer)?);
            bytes = rest;
        }
        Ok(message)
    }
}

/// The joiner's side.
#[derive(Debug)]
pub struct Joiner {
    handshake: Handshake,
}

/// The joiner's side once both phones hold the same words.
#[derive(Debug)]
pub struct JoinerReady {
    channel: LongChannel,
    hash: [u8; 32],
}

impl Joiner {
    /// Knocks. Errors: [`InvitationError::Expired`], [`InvitationError::Protocol`].
    pub fn knock(env: &Env, invitation: &Invitation) -> Result<(Self, Vec<u8>), InvitationError> {
        if invitation.is_expired(env.now()) {
            return Err(InvitationError::Expired);
        }
        Self::knock_with(env, &invitation.secret)
    }

    /// Knocks with the secret of a typed code. Errors: [`InvitationError::Protocol`].
    pub fn knock_with(env: &Env, secret: &InvitationSecret) -> Result<(Self, Vec<u8>), InvitationError> {
        let mut handshake = Handshake::dialer(env, &secret.derive_psk(), PROLOGUE).map_err(|_| InvitationError::Protocol)?;
        let mut message = vec![VERSION];
        message.extend_from_slice(&invitation_id(secret));
        message.extend_from_slice(&handshake.write().map_err(|_| InvitationError::Protocol)?);
        Ok((Self { handshake }, message))
    }

    /// Reads the answer. Errors: [`InvitationError::Used`], [`InvitationError::Expired`], [`InvitationError::WrongPeer`].
    pub fn answer(mut self, message: &[u8]) -> Result<JoinerReady, InvitationError> {
        match message.split_first() {
            Some((&ANSWER_OK, rest)) => {
                self.handshake.read(rest).map_err(|_| InvitationError::WrongPeer)?;
                let (channel, hash) = self.handshake.finish().map_err(|_| InvitationError::WrongPeer)?;
                Ok(JoinerReady { channel: LongChannel(channel), hash })
            }
            Some((&ANSWER_USED, [])) => Err(InvitationError::Used),
            Some((&ANSWER_EXPIRED, [])) => Err(InvitationError::Expired),
            _ => Err(InvitationError::Protocol),
        }
    }
}

impl JoinerReady {
    /// The words to compare, aloud.
    pub fn words(&self) -> [&'static str; 4] {
        crypto::check_words(&self.hash)
    }

    /// Introduces this device, after its person said that the words agree.
    pub fn introduce(&mut self, signer: &SigningKey, receiving: &crypto::ReceivingPublicKey) -> Result<Vec<u8>, InvitationError> {
        let device = DeviceKeys { signing: *signer.verifying_key().as_bytes(), receiving: receiving.as_bytes().to_vec() };
        let signature = *signer.sign(labels::SIGN_JOIN, &self.hash).as_bytes();
        self.channel.seal(&cbor::encode(&Introduction { device, signature }))
    }

    /// Reads the welcome. Errors: [`InvitationError::WrongPeer`], [`InvitationError::Protocol`].
    pub fn welcome(&mut self, message: &[u8]) -> Result<Welcome, InvitationError> {
        cbor::decode(&self.channel.open(message)?).map_err(|_| InvitationError::Protocol)
    }

    /// Says that everything is on disk.
    pub fn thanks(&mut self) -> Result<Vec<u8>, InvitationError> {
        self.channel.seal(&[VERSION])
    }
}

/// The inviter's side.
#[derive(Debug)]
pub struct Host {
    channel: LongChannel,
    hash: [u8; 32],
    /// The invitation that was used; burn it before anything is answered.
    pub invitation: [u8; 16],
}

/// The id that a knock names. Errors: [`InvitationError::Protocol`].
pub fn knocked_invitation(knock: &[u8]) -> Result<[u8; 16], InvitationError> {
    match knock.split_first() {
        Some((&VERSION, rest)) if rest.len() == 16 + HANDSHAKE_MESSAGE_BYTES => {
            rest.first_chunk().copied().ok_or(InvitationError::Protocol)
        }
        _ => Err(InvitationError::Protocol),
    }
}

/// The answer that refuses a knock.
pub fn refusal(error: InvitationError) -> Vec<u8> {
    vec![if error == InvitationError::Expired { ANSWER_EXPIRED } else { ANSWER_USED }]
}

impl Host {
    /// Answers a knock on an invitation. Errors: [`InvitationError::Expired`], [`InvitationError::WrongPeer`].
    pub fn answer(env: &Env, invitation: &Invitation, knock: &[u8]) -> Result<(Self, Vec<u8>), InvitationError> {
        if invitation.is_expired(env.now()) {
            return Err(InvitationError::Expired);
        }
        if knocked_invitation(knock)? != invitation.id() {
            return Err(InvitationError::Used);
        }
        let mut handshake = Handshake::listener(env, &invitation.secret.derive_psk(), PROLOGUE).map_err(|_| InvitationError::Protocol)?;
        handshake.read(&knock[17..]).map_err(|_| InvitationError::WrongPeer)?;
        let mut message = vec![ANSWER_OK];
        message.extend_from_slice(&handshake.write().map_err(|_| InvitationError::Protocol)?);
        let (channel, hash) = handshake.finish().map_err(|_| InvitationError::Protocol)?;
        Ok((Self { channel: LongChannel(channel), hash, invitation: invitation.id() }, message))
    }

    /// The words to compare, aloud.
    pub fn words(&self) -> [&'static str; 4] {
        crypto::check_words(&self.hash)
    }

    /// Reads who joins. Errors: [`InvitationError::WrongPeer`] when the device does not hold the keys that it names.
    pub fn introduction(&mut self, message: &[u8]) -> Result<Introduction, InvitationError> {
        let introduction: Introduction = cbor::decode(&self.channel.open(message)?).map_err(|_| InvitationError::Protocol)?;
        let key = VerifyingKey::from_bytes(&introduction.device.signing).map_err(|_| InvitationError::WrongPeer)?;
        let signature = Signature::from_bytes(introduction.signature);
        key.verify(labels::SIGN_JOIN, &self.hash, &signature).map_err(|_| InvitationError::WrongPeer)?;
        crypto::ReceivingPublicKey::from_slice(&introduction.device.receiving).map_err(|_| InvitationError::WrongPeer)?;
        Ok(introduction)
    }

    /// Welcomes the device, after this side's person said that the words agree.
    pub fn welcome(&mut self, welcome: &Welcome) -> Result<Vec<u8>, InvitationError> {
        self.channel.seal(&cbor::encode(welcome))
    }

    /// Hears that everything is on the other phone's disk.
    pub fn thanks(&mut self, message: &[u8]) -> Result<(), InvitationError> {
        if self.channel.open(message)? == [VERSION] { Ok(()) } else { Err(InvitationError::Protocol) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::crypto::ReceivingKey;
    use satchel_wire::ids::{DeviceId, TeamId};

    fn invitation(env: &Env) -> Invitation {
        Invitation::make(env, TeamId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]), "").unwrap()
    }

    #[test]
    fn two_phones_see_the_same_words_and_nobody_else_does() {
        let env = Env::system();
        let invitation = invitation(&env);
        let (joiner, knock) = Joiner::knock(&env, &invitation).unwrap();
        let (mut host, answer) = Host::answer(&env, &invitation, &knock).unwrap();
        let mut ready = joiner.answer(&answer).unwrap();
        assert_eq!(ready.words(), host.words());
        let signer = SigningKey::make(&env);
        let introduction = ready.introduce(&signer, &ReceivingKey::make(&env).public_key().unwrap()).unwrap();
        assert_eq!(&host.introduction(&introduction).unwrap().device.signing, signer.verifying_key().as_bytes());
        let welcome = Welcome {
            member: MemberId::from_bytes([3; 16]),
            operations: vec![vec![7; 100_000].into()],
            announcement: vec![],
            relay: None,
            frontiers: vec![],
            acquaintances: vec![],
        };
        let message = host.welcome(&welcome).unwrap();
        assert_eq!(ready.welcome(&message).unwrap(), welcome);
        host.thanks(&ready.thanks().unwrap()).unwrap();

        // somebody between the phones who has the code still makes the words differ
        let (joiner, knock) = Joiner::knock(&env, &invitation).unwrap();
        let (between, answer) = Host::answer(&env, &invitation, &knock).unwrap();
        let (_, second_knock) = Joiner::knock(&env, &invitation).unwrap();
        let (host, _) = Host::answer(&env, &invitation, &second_knock).unwrap();
        let ready = joiner.answer(&answer).unwrap();
        assert_eq!(ready.words(), between.words());
        assert_ne!(ready.words(), host.words());
    }

    #[test]
    fn another_secret_opens_nothing() {
        let env = Env::system();
        let (ours, theirs) = (invitation(&env), invitation(&env));
        let (_, knock) = Joiner::knock(&env, &ours).unwrap();
        assert_eq!(Host::answer(&env, &theirs, &knock).unwrap_err(), InvitationError::Used);
        let (joiner, mut knock) = Joiner::knock(&env, &ours).unwrap();
        knock[1..17].copy_from_slice(&theirs.id());
        assert_eq!(Host::answer(&env, &theirs, &knock).unwrap_err(), InvitationError::WrongPeer);
        assert_eq!(joiner.answer(&refusal(InvitationError::Used)).unwrap_err(), InvitationError::Used);
    }
}
