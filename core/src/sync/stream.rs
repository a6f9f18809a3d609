//! The two byte streams of a session: messages in, in any chunking, and messages out, sealed when they leave.

use super::error::SessionFault;
use super::message::{HEADER_BYTES, Kind, Message};
use crate::crypto::{CHANNEL_PLAINTEXT_MAX_BYTES, Channel};

/// Collects a unit of known size from chunks of any size; never holds more than that unit.
#[derive(Debug, Default)]
pub(super) struct Collector(Vec<u8>);

impl Collector {
    /// Moves bytes from `input` until `size` are here; returns them when complete.
    pub(super) fn collect(&mut self, input: &mut &[u8], size: usize) -> Option<Vec<u8>> {
        let (taken, rest) = input.split_at(input.len().min(size.saturating_sub(self.0.len())));
        self.0.extend_from_slice(taken);
        *input = rest;
        (self.0.len() >= size).then(|| std::mem::take(&mut self.0))
    }

    /// The first two bytes as a length, once they are here.
    fn length_prefix(&mut self, input: &mut &[u8]) -> Option<usize> {
        while self.0.len() < 2 {
            let (first, rest) = input.split_first()?;
            self.0.push(*first);
            *input = rest;
        }
        Some(usize::from(u16::from_le_bytes([self.0[0], self.0[1]])))
    }

    /// A Noise message without its length, once it is here.
    pub(super) fn collect_sealed(&mut self, input: &mut &[u8]) -> Option<Vec<u8>> {
        let length = self.length_prefix(input)?;
        let mut unit = self.collect(input, 2 + length)?;
        unit.drain(..2);
        Some(unit)
    }
}

/// Joins messages from the plaintexts of Noise messages.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    header: Option<(Kind, usize)>,
    collector: Collector,
}

impl Joiner {
    /// The next complete message, moving `input` on; none when `input` is used up.
    ///
    /// `may_come` is asked as soon as a header is known, before anything is collected for it.
    pub(super) fn join(
        &mut self,
        input: &mut &[u8],
        may_come: impl FnOnce(Kind) -> Result<(), SessionFault>,
    ) -> Result<Option<Message>, SessionFault> {
        let (kind, length) = match self.header {
            Some(header) => header,
            None => {
                let Some(header) = self.collector.collect(input, HEADER_BYTES) else { return Ok(None) };
                let header = header.try_into().map_err(|_| SessionFault::Malformed)?;
                let (kind, length) = Message::read_header(header)?;
                may_come(kind)?;
                self.header = Some((kind, length));
                (kind, length)
            }
        };
        let Some(payload) = self.collector.collect(input, length) else { return Ok(None) };
        self.header = None;
        Message::read_payload(kind, &payload).map(Some)
    }
}

/// What waits to be transmitted: plaintext, sealed only when it leaves, so that small messages share one seal.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    plain: Vec<u8>,
    plain_from: usize,
    sealed: Vec<u8>,
    sealed_from: usize,
}

impl Outgoing {
    pub(super) fn push(&mut self, message: &Message) {
        self.plain.drain(..self.plain_from);
        self.plain_from = 0;
        self.plain.extend_from_slice(&message.to_bytes());
    }
    /// Bytes that travel as they are (handshake).
    pub(super) fn push_clear(&mut self, bytes: &[u8]) {
        self.sealed.extend_from_slice(bytes);
    }
    pub(super) fn len(&self) -> usize {
        self.plain.len() - self.plain_from + self.sealed.len() - self.sealed_from
    }

    /// At most `max` bytes for the transport; none when nothing waits.
    pub(super) fn transmit(&mut self, mut channel: Option<&mut Channel>, max: usize) -> Result<Option<Vec<u8>>, SessionFault> {
        if let Some(channel) = channel.as_mut() {
            self.sealed.drain(..self.sealed_from);
            self.sealed_from = 0;
            while self.sealed.len() < max && self.plain_from < self.plain.len() {
                let to = self.plain.len().min(self.plain_from + CHANNEL_PLAINTEXT_MAX_BYTES);
                let sealed = channel.seal(&self.plain[self.plain_from..to])?;
                self.sealed.extend_from_slice(&(sealed.len() as u16).to_le_bytes());
                self.sealed.extend_from_slice(&sealed);
                self.plain_from = to;
            }
        }
        if self.plain_from == self.plain.len() {
            self.plain.clear();
            self.plain_from = 0;
        }
        let to = self.sealed.len().min(self.sealed_from.saturating_add(max));
        if to == self.sealed_from {
            return Ok(None);
        }
        let chunk = self.sealed[self.sealed_from..to].to_vec();
        self.sealed_from = to;
        if self.sealed_from == self.sealed.len() {
            self.sealed.clear();
            self.sealed_from = 0;
        }
        Ok(Some(chunk))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn messages_are_joined_from_any_chunks() {
        let messages = [Message::Agreed, Message::LogState(super::super::message::LogState { behind: true }), Message::Done];
        let stream: Vec<u8> = messages.iter().flat_map(Message::to_bytes).collect();
        for chunk in 1..=stream.len() {
            let mut joiner = Joiner::default();
            let mut joined = Vec::new();
            for mut input in stream.chunks(chunk) {
                while let Some(message) = joiner.join(&mut input, |_| Ok(())).unwrap() {
                    joined.push(message);
                }
            }
            assert_eq!(joined, messages);
        }
    }

    #[test]
    fn a_length_above_the_kinds_limit_is_refused_before_anything_is_collected() {
        let mut joiner = Joiner::default();
        assert_eq!(joiner.join(&mut &[Kind::Done as u8, 1, 0, 0][..], |_| Ok(())), Err(SessionFault::TooLarge));
        assert_eq!(Joiner::default().join(&mut &[0xff, 0, 0, 0][..], |_| Ok(())), Err(SessionFault::Malformed));
        let asked = Joiner::default().join(&mut &[Kind::Rows as u8, 0, 1, 0][..], |kind| Err(SessionFault::Unexpected(kind)));
        assert_eq!(asked, Err(SessionFault::Unexpected(Kind::Rows)));
    }
}
