//! Phones that wait: one bell for each mailbox somebody waits at.

use crate::arrivals::View;
use crate::feed::view_of;
use crate::problem::Problem;
use crate::relay::{Relay, lock};
use crate::storage::bucket;
use satchel_wire::MailboxId;
use satchel_wire::frame::{Cursor, Endpoint, ProblemCode, Signed, Wait, Waited};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Bells of all mailboxes that somebody waits at.
pub struct Bells {
    hung: Mutex<Hung>,
    stop: watch::Sender<bool>,
}

#[derive(Default)]
struct Hung {
    bells: HashMap<MailboxId, Weak<Notify>>,
    /// Above this many, bells that nobody holds are taken down.
    sweep_at: usize,
}

impl Default for Bells {
    fn default() -> Self {
        Self { hung: Mutex::default(), stop: watch::Sender::new(false) }
    }
}

impl Bells {
    /// The bell of a mailbox.
    fn hang(&self, mailbox: MailboxId) -> Arc<Notify> {
        let mut hung = lock(&self.hung);
        if let Some(bell) = hung.bells.get(&mailbox).and_then(Weak::upgrade) {
            return bell;
        }
        if hung.bells.len() >= hung.sweep_at {
            hung.bells.retain(|_, bell| bell.strong_count() > 0);
            hung.sweep_at = 2 * hung.bells.len() + 64;
        }
        let bell = Arc::new(Notify::new());
        hung.bells.insert(mailbox, Arc::downgrade(&bell));
        bell
    }

    /// Something arrived.
    pub fn ring(&self, mailbox: &MailboxId) {
        let bell = lock(&self.hung).bells.get(mailbox).and_then(Weak::upgrade);
        if let Some(bell) = bell {
            bell.notify_waiters();
        }
    }

    /// Something may have arrived in some mailbox of this bucket.
    pub fn ring_bucket(&self, number: u8) {
        let bells: Vec<_> =
            lock(&self.hung).bells.iter().filter(|(mailbox, _)| bucket(mailbox) == number).filter_map(|(_, bell)| bell.upgrade()).collect();
        for bell in bells {
            bell.notify_waiters();
        }
    }

    /// Changes once, when nobody is to wait any longer.
    pub fn stopped(&self) -> watch::Receiver<bool> {
        let mut stopped = self.stop.subscribe();
        if *stopped.borrow() {
            stopped.mark_changed();
        }
        stopped
    }

    /// Ends all waiting.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

/// What a waiting phone asked.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    mailbox: MailboxId,
    view: View,
    cursor: Option<Cursor>,
}

/// A phone that may wait.
pub struct Waiting {
    question: Question,
    bell: Arc<Notify>,
    longest: Duration,
}

impl Waiting {
    /// Rings when something may have come.
    pub fn bell(&self) -> &Notify {
        &self.bell
    }
    /// What it asked.
    pub const fn question(&self) -> Question {
        self.question
    }
    /// How long it waits at most.
    pub const fn longest(&self) -> Duration {
        self.longest
    }
}

impl Relay {
    /// Checks who waits, and whether there is news already.
    pub(crate) fn begin_waiting(&self, wait: &Wait, signed: &Signed) -> Result<(Waiting, Waited), Problem> {
        let standing = self.check_reader(wait.mailbox, Endpoint::Wait, signed, &wait.freshness, self.today())?;
        let view = view_of(standing, wait.lane).ok_or(ProblemCode::Refused)?;
        let question = Question { mailbox: wait.mailbox, view, cursor: wait.cursor };
        let longest = Duration::from_secs(u64::from(wait.seconds.min(self.config.wait_seconds)));
        let waiting = Waiting { question, bell: self.bells.hang(wait.mailbox), longest };
        Ok((waiting, self.look_again(&question)?))
    }

    /// Whether there is news now.
    pub(crate) fn look_again(&self, question: &Question) -> Result<Waited, Problem> {
        let changed = self.stored(self.has_news(&question.mailbox, question.view, question.cursor))?;
        Ok(Waited { changed })
    }

    /// Ends all waiting: the relay stops.
    pub fn stop_waiting(&self) {
        self.bells.stop();
    }
}
