//! Answers that wait to be read, and the memory that they may take.
//!
//! Large answers ask for room before they are made: a part of all that there is, and of what one mailbox may have, so that
//! nobody's slow readers use up what others need. An answer gives its room back when the last piece of it has left for the
//! connection, and whoever takes too long over one loses the connection.

use crate::config::{ANSWER_PIECE_BYTES, ANSWER_ROOM_WAIT_SECONDS, ANSWER_SECONDS, ANSWERS_MAX_BYTES, ANSWERS_OF_MAILBOX_MAX_BYTES};
use crate::problem::Problem;
use crate::relay::lock;
use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use satchel_wire::MailboxId;
use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

const KIB: usize = 1024;

/// The room for answers, one permit for each KiB.
pub struct Answers {
    all: Arc<Semaphore>,
    /// What one mailbox may have of it.
    share_kib: usize,
    mailboxes: Mutex<Shares>,
}

#[derive(Default)]
struct Shares {
    known: HashMap<MailboxId, Weak<Semaphore>>,
    /// Above this many, shares that nobody uses are forgotten.
    sweep_at: usize,
}

/// Room that an answer takes until this is dropped.
pub struct Room {
    all: OwnedSemaphorePermit,
    share: OwnedSemaphorePermit,
}

impl Room {
    /// Gives back what an answer of so many bytes does not need.
    pub fn shrink_to(&mut self, bytes: usize) {
        for permit in [&mut self.all, &mut self.share] {
            let excess = permit.num_permits().saturating_sub(bytes.div_ceil(KIB));
            drop(permit.split(excess));
        }
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self::new(ANSWERS_MAX_BYTES, ANSWERS_OF_MAILBOX_MAX_BYTES)
    }
}

impl Answers {
    /// Room for so many bytes, and for so many of one mailbox.
    pub fn new(all_bytes: usize, mailbox_bytes: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all_bytes / KIB)), share_kib: mailbox_bytes / KIB, mailboxes: Mutex::default() }
    }

    fn share(&self, mailbox: MailboxId) -> Arc<Semaphore> {
        let mut shares = lock(&self.mailboxes);
        if let Some(share) = shares.known.get(&mailbox).and_then(Weak::upgrade) {
            return share;
        }
        if shares.known.len() >= shares.sweep_at {
            shares.known.retain(|_, share| share.strong_count() > 0);
            shares.sweep_at = 2 * shares.known.len() + 64;
        }
        let share = Arc::new(Semaphore::new(self.share_kib));
        shares.known.insert(mailbox, Arc::downgrade(&share));
        share
    }

    /// Waits for room for an answer of at most so many bytes.
    ///
    /// Errors: `rate_limited` when there is none for [`ANSWER_ROOM_WAIT_SECONDS`].
    pub async fn reserve(&self, mailbox: MailboxId, bytes: usize) -> Result<Room, Problem> {
        let permits = u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX);
        let none = |_| Problem::rate_limited(ANSWER_ROOM_WAIT_SECONDS);
        let share = self.share(mailbox);
        let wait = async {
            // the mailbox's own share first: who waits for it holds up nobody else
            let share = share.acquire_many_owned(permits).await.ok()?;
            let all = Arc::clone(&self.all).acquire_many_owned(permits).await.ok()?;
            Some(Room { all, share })
        };
        let found = tokio::time::timeout(Duration::from_secs(ANSWER_ROOM_WAIT_SECONDS), wait).await.map_err(none)?;
        found.ok_or(Problem::rate_limited(ANSWER_ROOM_WAIT_SECONDS))
    }

    /// Room that nobody has (bytes).
    pub fn free_bytes(&self) -> usize {
        self.all.available_permits() * KIB
    }
}

/// Until when the answer on a connection must have been taken; none while there is no answer on it.
#[derive(Clone)]
pub struct Pace(Arc<watch::Sender<Option<Instant>>>);

/// The connection's side of a [`Pace`].
pub struct Paced(watch::Receiver<Option<Instant>>);

/// A pace for one connection.
pub fn pace() -> (Pace, Paced) {
    let (sender, receiver) = watch::channel(None);
    (Pace(Arc::new(sender)), Paced(receiver))
}

impl Paced {
    /// Completes when somebody took too long over an answer.
    pub async fn is_late(&mut self) {
        loop {
            let until = *self.0.borrow_and_update();
            let changed = self.0.changed();
            match until {
                // the connection itself ends this
                None => {
                    if changed.await.is_err() {
                        return std::future::pending().await;
                    }
                }
                Some(until) => {
                    if tokio::time::timeout_at(until, changed).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// An answer on its way: handed over in pieces, as the connection takes them.
pub struct Leaving {
    bytes: Bytes,
    /// Held until the last piece left.
    _room: Option<Room>,
    pace: Option<Pace>,
}

impl Leaving {
    /// Begins; from now on it has [`ANSWER_SECONDS`].
    pub fn new(bytes: Vec<u8>, room: Option<Room>, pace: Option<Pace>) -> Self {
        if let Some(pace) = &pace {
            pace.0.send_replace(Some(Instant::now() + Duration::from_secs(ANSWER_SECONDS)));
        }
        Self { bytes: bytes.into(), _room: room, pace }
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(pace) = &self.pace {
            pace.0.send_replace(None);
        }
    }
}

impl Body for Leaving {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.bytes.is_empty() {
            return Poll::Ready(None);
        }
        let amount = self.bytes.len().min(ANSWER_PIECE_BYTES);
        // a copy: a part of the whole would keep the whole in memory
        let piece = Bytes::copy_from_slice(&self.bytes.split_to(amount));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use satchel_wire::frame::ProblemCode;

    const A: MailboxId = MailboxId::from_bytes([1; 16]);
    const B: MailboxId = MailboxId::from_bytes([2; 16]);

    #[tokio::test(start_paused = true)]
    async fn one_mailbox_cannot_take_what_others_need() {
        let answers = Answers::new(16 * KIB, 8 * KIB);
        let first = answers.reserve(A, 8 * KIB).await.unwrap();
        assert_eq!(answers.reserve(A, 1).await.err().map(|problem| problem.code), Some(ProblemCode::RateLimited));
        let mut other = answers.reserve(B, 8 * KIB).await.unwrap();
        assert_eq!(answers.free_bytes(), 0);
        other.shrink_to(1_500);
        assert_eq!(answers.free_bytes(), 6 * KIB);
        drop(first);
        answers.reserve(A, 8 * KIB).await.unwrap();
        drop(other);
        assert_eq!(answers.free_bytes(), 16 * KIB);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_gets_room_as_it_becomes_free() {
        let answers = Arc::new(Answers::new(8 * KIB, 8 * KIB));
        let first = answers.reserve(A, 8 * KIB).await.unwrap();
        let waiting = Arc::clone(&answers);
        let waits = tokio::spawn(async move { waiting.reserve(B, 8 * KIB).await.is_ok() });
        tokio::task::yield_now().await;
        drop(first);
        assert!(waits.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_has_its_time_and_a_silent_connection_has_no_end() {
        let (pace, mut paced) = pace();
        let hour = Duration::from_secs(3_600);
        assert!(tokio::time::timeout(hour, paced.is_late()).await.is_err(), "no answer on it");
        drop(Leaving::new(vec![1; 9], None, Some(pace.clone())));
        assert!(tokio::time::timeout(hour, paced.is_late()).await.is_err(), "it was taken");
        let _leaving = Leaving::new(vec![1; 9], None, Some(pace));
        let began = Instant::now();
        paced.is_late().await;
        assert_eq!(began.elapsed().as_secs(), ANSWER_SECONDS);
    }
}
