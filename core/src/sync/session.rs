//! A session between two phones, over any byte stream, without I/O of its own.
//!
//! In order: hello and Noise handshake ([`super::hello`]); both sides sign the handshake hash; logs are
//! merged; the newer side hands over its turn; frontiers; then, never earlier, drafts are frozen and
//! bodies go both ways, what the other lacks by chain heads first, and whatever else differs by range-based
//! reconciliation ([`super::message`] has all messages). Whatever was accepted stays, so a session may
//! end at any byte and the next one goes on. Three round trips when logs and turns agree, two when
//! nothing changed.
//!
//! A peer is a member at most: it can offer rows, waste its own battery and be refused. Every count and
//! size is bounded before memory is taken for it ([`super::limits`]), and what a message may be depends
//! on the step.

use super::error::{CloseReason, SessionError, SessionFault};
use super::hello::{
    ANSWER_FIRST, ANSWER_STRANGER, ANSWER_VERSION, HELLO_AND_MESSAGE_BYTES, HELLO_BYTES, SESSION_VERSION, make_hello, prologue, recognise,
};
use super::limits::{HELLO_TAGS_COUNT, QUEUE_LOW_BYTES};
use super::message::{Close, Message};
use super::replica::{Replica, Role};
use super::report::SessionReport;
use super::stream::{Collector, Joiner, Outgoing};
use super::talk::Talk;
use crate::crypto::{Channel, HANDSHAKE_MESSAGE_BYTES, Handshake, SessionPsk};
use crate::env::Env;
use std::fmt;

enum Stage {
    /// Listener: waits for the hello and Noise message 1.
    Hello,
    /// Listener: waits for Noise message 1 under another secret.
    Again(Box<Handshake>),
    /// Dialer: waits for the first byte of an answer. The secrets after the first, for a second try.
    Answer(Box<Handshake>, Vec<SessionPsk>),
    /// Dialer: waits for Noise message 2.
    Answered(Box<Handshake>),
    /// The channel is open.
    Open(Box<Channel>, Box<Talk>),
    /// Failed; what waits may still be transmitted, under the channel if there was one.
    Ended(Option<(Box<Channel>, Box<Talk>)>),
}

/// One side of a session between two phones.
///
/// The caller moves bytes: what arrives goes to [`receive`](Self::receive), in any chunks; what
/// [`transmit`](Self::transmit) gives goes out; when the transport has room again, [`pump`](Self::pump)
/// makes more. When [`is_finished`](Self::is_finished), or after an error once `transmit` gives nothing,
/// the caller hangs up. When the connection breaks, it calls [`abandon`](Self::abandon).
pub struct PeerSession {
    env: Env,
    role: Role,
    stage: Stage,
    hello: Vec<u8>,
    collector: Collector,
    joiner: Joiner,
    outgoing: Outgoing,
    report: SessionReport,
    /// What the other side said, as a member who keeps everything would keep it.
    #[cfg(feature = "adversary")]
    heard: Vec<u8>,
}

impl PeerSession {
    /// The side that dials. Errors: [`SessionFault::NoSecret`], or the replica's.
    pub fn dial<R: Replica>(env: &Env, replica: &mut R) -> Result<Self, SessionError<R::Error>> {
        let mut secrets = replica.hello_secrets().map_err(SessionError::Replica)?;
        secrets.truncate(HELLO_TAGS_COUNT);
        let hello = make_hello(env, &secrets);
        let mut keys = secrets.iter().map(|secret| secret.derive_psk());
        let first = keys.next().ok_or(SessionFault::NoSecret)?;
        let mut handshake = Handshake::dialer(env, &first, &prologue(&hello, ANSWER_FIRST)).map_err(SessionFault::from)?;
        let message = handshake.write().map_err(SessionFault::from)?;
        let mut session = Self::new(env, Role::Dialer, Stage::Answer(Box::new(handshake), keys.collect()));
        session.outgoing.push_clear(&hello);
        session.outgoing.push_clear(&message);
        session.hello = hello;
        Ok(session)
    }

    /// The side that listens.
    pub fn listen(env: &Env) -> Self {
        Self::new(env, Role::Listener, Stage::Hello)
    }

    fn new(env: &Env, role: Role, stage: Stage) -> Self {
        Self {
            env: env.clone(),
            role,
            stage,
            hello: Vec::new(),
            collector: Collector::default(),
            joiner: Joiner::default(),
            outgoing: Outgoing::default(),
            report: SessionReport::default(),
            #[cfg(feature = "adversary")]
            heard: Vec::new(),
        }
    }

    /// Everything that the other side said inside the channel so far: a peer may keep it.
    #[cfg(feature = "adversary")]
    pub fn dangerous_heard(&self) -> &[u8] {
        &self.heard
    }

    /// Takes bytes of the other side, from one to megabytes. What they brought is on disk when this returns.
    ///
    /// Errors end the session: see [`SessionFault`] for each one's remedy.
    pub fn receive<R: Replica>(&mut self, replica: &mut R, bytes: &[u8]) -> Result<(), SessionError<R::Error>> {
        self.report.bytes_received += bytes.len() as u64;
        let taken = self.take(replica, bytes).and_then(|()| self.pump(replica));
        if let Err(error) = &taken {
            self.end(error);
        }
        taken
    }

    fn take<R: Replica>(&mut self, replica: &mut R, bytes: &[u8]) -> Result<(), SessionError<R::Error>> {
        let mut input = bytes;
        while self.take_unit(replica, &mut input)? {}
        Ok(())
    }

    /// Takes the next unit; false when `input` does not complete one.
    fn take_unit<R: Replica>(&mut self, replica: &mut R, input: &mut &[u8]) -> Result<bool, SessionError<R::Error>> {
        match &mut self.stage {
            Stage::Hello => {
                if self.hello.is_empty() {
                    let Some(version) = self.collector.collect(input, 1) else { return Ok(false) };
                    self.hello = version;
                    if self.hello != [SESSION_VERSION] {
                        self.outgoing.push_clear(&[ANSWER_VERSION, SESSION_VERSION]);
                        return Err(SessionFault::Version.into());
                    }
                }
                let Some(rest) = self.collector.collect(input, HELLO_AND_MESSAGE_BYTES - 1) else { return Ok(false) };
                self.on_hello(replica, &rest)?;
            }
            Stage::Again(_) => {
                let Some(message) = self.collector.collect(input, HANDSHAKE_MESSAGE_BYTES) else { return Ok(false) };
                let Stage::Again(handshake) = std::mem::replace(&mut self.stage, Stage::Ended(None)) else { return Ok(false) };
                self.accept(replica, *handshake, &message)?;
            }
            Stage::Answer(..) => {
                let Some(answer) = self.collector.collect(input, 1) else { return Ok(false) };
                self.on_answer(answer.first().copied().unwrap_or(ANSWER_STRANGER))?;
            }
            Stage::Answered(_) => {
                let Some(message) = self.collector.collect(input, HANDSHAKE_MESSAGE_BYTES) else { return Ok(false) };
                let Stage::Answered(mut handshake) = std::mem::replace(&mut self.stage, Stage::Ended(None)) else { return Ok(false) };
                // a listener that recognised a recorded tag by chance or malice, but lacks the secret
                handshake.read(&message).map_err(|_| SessionFault::NotAColleague)?;
                let (channel, hash) = handshake.finish().map_err(SessionFault::from)?;
                self.stage = Stage::Open(Box::new(channel), Box::new(Talk::new(self.role, hash, replica.device())));
            }
            Stage::Open(channel, talk) => {
                let Some(sealed) = self.collector.collect_sealed(input) else { return Ok(false) };
                let plain = channel.open(&sealed).map_err(SessionFault::from)?;
                if plain.is_empty() {
                    return Err(SessionFault::NoProgress.into());
                }
                #[cfg(feature = "adversary")]
                self.heard.extend_from_slice(&plain);
                let mut plain = plain.as_slice();
                while let Some(message) = self.joiner.join(&mut plain, |kind| talk.check(kind))? {
                    talk.take(replica, message, &mut self.report)?;
                }
            }
            Stage::Ended(_) => return Err(SessionFault::Ended.into()),
        }
        Ok(true)
    }

    /// Listener: who calls?
    fn on_hello<R: Replica>(&mut self, replica: &mut R, rest: &[u8]) -> Result<(), SessionError<R::Error>> {
        let (hello, message) = rest.split_at(HELLO_BYTES - 1);
        self.hello.extend_from_slice(hello);
        let mut secrets = replica.hello_secrets().map_err(SessionError::Replica)?;
        secrets.truncate(HELLO_TAGS_COUNT);
        let recognised = recognise(&self.hello, &secrets).ok().flatten();
        let known = recognised.and_then(|(tag, index)| Some((tag, secrets.get(index)?)));
        let Some((tag, secret)) = known else { return self.refuse_stranger() };
        let handshake = Handshake::listener(&self.env, &secret.derive_psk(), &prologue(&self.hello, tag)).map_err(SessionFault::from)?;
        if tag == ANSWER_FIRST {
            return self.accept(replica, handshake, message);
        }
        self.outgoing.push_clear(&[tag]);
        self.stage = Stage::Again(Box::new(handshake));
        Ok(())
    }

    fn refuse_stranger<E>(&mut self) -> Result<(), SessionError<E>> {
        self.outgoing.push_clear(&[ANSWER_STRANGER]);
        Err(SessionFault::NotAColleague.into())
    }

    /// Listener: Noise message 1 under a known secret.
    fn accept<R: Replica>(&mut self, replica: &mut R, mut handshake: Handshake, message: &[u8]) -> Result<(), SessionError<R::Error>> {
        if handshake.read(message).is_err() {
            return self.refuse_stranger();
        }
        let answer = handshake.write().map_err(SessionFault::from)?;
        let (channel, hash) = handshake.finish().map_err(SessionFault::from)?;
        self.outgoing.push_clear(&[ANSWER_FIRST]);
        self.outgoing.push_clear(&answer);
        let mut talk = Talk::new(self.role, hash, replica.device());
        talk.introduce_listener(replica)?;
        self.stage = Stage::Open(Box::new(channel), Box::new(talk));
        Ok(())
    }

    /// Dialer: the first byte of an answer.
    fn on_answer(&mut self, answer: u8) -> Result<(), SessionFault> {
        let Stage::Answer(handshake, keys) = std::mem::replace(&mut self.stage, Stage::Ended(None)) else {
            return Err(SessionFault::Ended);
        };
        match answer {
            ANSWER_FIRST => self.stage = Stage::Answered(handshake),
            ANSWER_VERSION => return Err(SessionFault::Version),
            tag => {
                // after a second try the list is empty, so there is no third
                let key = keys.get(usize::from(tag) - 1).ok_or(SessionFault::NotAColleague)?;
                let mut handshake = Handshake::dialer(&self.env, key, &prologue(&self.hello, tag))?;
                self.outgoing.push_clear(&handshake.write()?);
                self.report.round_trips += 1;
                self.stage = Stage::Answer(Box::new(handshake), Vec::new());
            }
        }
        Ok(())
    }

    /// Makes output while little waits. Errors as [`receive`](Self::receive).
    pub fn pump<R: Replica>(&mut self, replica: &mut R) -> Result<(), SessionError<R::Error>> {
        let Stage::Open(_, talk) = &mut self.stage else { return Ok(()) };
        while self.outgoing.len() < QUEUE_LOW_BYTES {
            match talk.produce(replica, &mut self.report) {
                Ok(Some(message)) => self.outgoing.push(&message),
                Ok(None) => break,
                Err(error) => {
                    self.end(&error);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// At most `max` bytes for the other side; none when nothing waits: then [`pump`](Self::pump), and ask again.
    pub fn transmit(&mut self, max: usize) -> Option<Vec<u8>> {
        let channel = match &mut self.stage {
            Stage::Open(channel, _) | Stage::Ended(Some((channel, _))) => Some(channel.as_mut()),
            _ => None,
        };
        // Sealing fails only beyond 2^64 messages; the other side then waits in vain and hangs up.
        let chunk = self.outgoing.transmit(channel, max).ok().flatten()?;
        self.report.bytes_sent += chunk.len() as u64;
        Some(chunk)
    }

    /// Bytes that wait to be transmitted.
    pub fn waiting_bytes(&self) -> usize {
        self.outgoing.len()
    }

    /// Whether both sides have said all they had, and all of it was transmitted.
    pub fn is_finished(&self) -> bool {
        matches!(&self.stage, Stage::Open(_, talk) if talk.is_over()) && self.outgoing.len() == 0
    }

    /// What happened so far.
    pub const fn report(&self) -> &SessionReport {
        &self.report
    }

    /// The connection is gone: what a session's end asks of the replica is done now, if it was not.
    pub fn abandon<R: Replica>(&mut self, replica: &mut R) -> Result<(), R::Error> {
        match std::mem::replace(&mut self.stage, Stage::Ended(None)) {
            Stage::Open(_, mut talk) | Stage::Ended(Some((_, mut talk))) => talk.end_session(replica),
            _ => Ok(()),
        }
    }

    fn end<E>(&mut self, error: &SessionError<E>) {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Ended(None)) {
            Stage::Open(channel, talk) => {
                let reason = match error {
                    SessionError::Replica(_) => Some(CloseReason::Failed),
                    // answering a farewell, or a channel that others write into, helps nobody
                    SessionError::Fault(SessionFault::Closed(_) | SessionFault::Channel) => None,
                    SessionError::Fault(fault) => Some(fault.reason()),
                };
                if let Some(reason) = reason {
                    self.outgoing.push(&Message::Close(Close { reason }));
                }
                Stage::Ended(Some((channel, talk)))
            }
            Stage::Ended(rest) => Stage::Ended(rest),
            _ => Stage::Ended(None),
        };
    }
}

impl fmt::Debug for PeerSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerSession").field("role", &self.role).field("report", &self.report).finish_non_exhaustive()
    }
}
