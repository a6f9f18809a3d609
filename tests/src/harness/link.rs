//! A meeting over a link that is cut, slow, or in somebody else's hands.

use super::Dice;
use crate::team::Phone;
use satchel_core::error::Error;
use satchel_core::store::PeerLink;
use satchel_core::sync::{SessionError, SessionReport};
use std::collections::VecDeque;

/// What befalls the bytes of one meeting, counted over both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// After this many bytes nothing arrives any more.
    Cut(u64),
    /// One bit of the chunk that holds this byte is flipped.
    Alter(u64),
    /// The chunk that holds this byte changes places with the one after it.
    Reorder(u64),
    /// The chunk that holds this byte arrives twice.
    Repeat(u64),
}

/// Where the dialer's first handshake message stands: after the hello, before anything else.
const FIRST_MESSAGE: std::ops::Range<u64> = 146..194;

/// What came of a meeting.
#[derive(Debug)]
pub struct Met {
    /// Both sides said all they had.
    pub finished: bool,
    /// Dialer's and listener's reports.
    pub reports: [SessionReport; 2],
    /// Their typed faults, if they ended by one.
    pub faults: [Option<&'static str>; 2],
    /// Bytes delivered, both directions together.
    pub bytes: u64,
    /// The fault did happen (the session was long enough).
    pub struck: bool,
}

struct Side {
    link: PeerLink,
    inbox: VecDeque<Vec<u8>>,
    fault: Option<&'static str>,
    tainted: bool,
}

impl Side {
    fn note(&mut self, error: SessionError<Error>) -> Result<(), String> {
        match error {
            // a store that fails because of a colleague's bytes is a bug, whatever they were
            SessionError::Replica(error) => Err(format!("the store failed in a session: {}", error.code())),
            fault => {
                self.fault = Some(self.fault.unwrap_or(fault.code()));
                Ok(())
            }
        }
    }
}

/// Lets two phones meet over a faulty link with chunks of at most `chunk_bytes`.
///
/// Errors: a store that failed, a session that took altered bytes for good ones, or one that never ends.
pub fn meet_over(dialer: &Phone, listener: &Phone, dice: &mut Dice, fault: Fault, chunk_bytes: usize) -> Result<Met, String> {
    let dialed = dialer.unlocked.dial().map_err(|error| format!("dialling: {}", error.code()))?;
    let side = |link| Side { link, inbox: VecDeque::new(), fault: None, tainted: false };
    let mut sides = [side(dialed), side(listener.unlocked.listen())];
    let (mut delivered, mut struck, mut cut) = (0u64, false, false);
    // the side that gets a chunk twice, and how many copies are still to come
    let mut repeated: Option<(usize, u8)> = None;
    let mut quiet = 0;
    for turn in 0u64.. {
        if turn > 20_000_000 {
            return Err("a session without end".into());
        }
        let at = dice.below(2);
        let from = 1 - at;
        // what `from` says goes into the inbox of `at`
        let mut moved = false;
        if sides[at].inbox.len() < 2 {
            match sides[from].link.transmit(dice.between(1, chunk_bytes)) {
                Ok(Some(bytes)) => {
                    sides[at].inbox.push_back(bytes);
                    moved = true;
                }
                Ok(None) => {}
                Err(error) => sides[from].note(error)?,
            }
        }
        let due = sides[at].inbox.front().map(|front| delivered + front.len() as u64);
        if let (Fault::Reorder(point), Some(due)) = (fault, due)
            && !struck
            && due > point
        {
            // wait for a second chunk to change places with, unless there will be none
            if sides[at].inbox.len() < 2 && moved {
                continue;
            }
            if sides[at].inbox.len() >= 2 && sides[at].inbox[0] != sides[at].inbox[1] {
                sides[at].inbox.swap(0, 1);
                sides[at].tainted = true;
                struck = true;
            }
        }
        if let Some(mut bytes) = sides[at].inbox.pop_front() {
            moved = true;
            let end = delivered + bytes.len() as u64;
            match fault {
                Fault::Cut(point) if end >= point => {
                    bytes.truncate(usize::try_from(point.saturating_sub(delivered)).unwrap_or(0));
                    (struck, cut) = (true, true);
                }
                Fault::Alter(point) if !struck && end > point => {
                    let index = usize::try_from(point - delivered).unwrap_or(0);
                    bytes[index] ^= 1 << dice.below(8);
                    sides[at].tainted = true;
                    struck = true;
                }
                Fault::Repeat(point) if !struck && end > point => {
                    sides[at].inbox.push_front(bytes.clone());
                    (struck, repeated) = (true, Some((at, 2)));
                }
                _ => {}
            }
            delivered += bytes.len() as u64;
            // what comes after a whole session was taken is no part of it
            if let Some((side, left)) = &mut repeated
                && *side == at
                && *left > 0
            {
                *left -= 1;
                // nor what comes after the other side's last word, while this one still speaks
                let was_last = sides[1 - at].link.is_finished() && sides[at].inbox.is_empty();
                sides[at].tainted = *left == 0 && !sides[at].link.is_finished() && !was_last;
            }
            if sides[at].fault.is_none()
                && !bytes.is_empty()
                && let Err(error) = sides[at].link.receive(&bytes)
            {
                sides[at].note(error)?;
            }
        }
        if cut {
            break;
        }
        quiet = if moved { 0 } else { quiet + 1 };
        if quiet > 40 {
            break;
        }
    }
    for (at, side) in sides.iter_mut().enumerate() {
        // a listener that knows the caller by another secret than the first drops the first handshake message unread
        let is_unread = matches!(fault, Fault::Alter(point) if FIRST_MESSAGE.contains(&point)) && at == 1;
        if side.tainted && !is_unread && side.link.is_finished() {
            return Err(format!("side {at} took altered bytes for a whole session ({fault:?}, {delivered} bytes)"));
        }
    }
    let finished = sides.iter().all(|side| side.link.is_finished() && side.fault.is_none());
    let reports = [sides[0].link.report().clone(), sides[1].link.report().clone()];
    let faults = [sides[0].fault, sides[1].fault];
    for side in &mut sides {
        side.link.abandon().map_err(|error| format!("abandoning: {}", error.code()))?;
    }
    Ok(Met { finished, reports, faults, bytes: delivered, struck })
}
