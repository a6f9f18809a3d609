//! The relay itself: one frame in, one frame or problem out. It blocks; the server runs it where that is allowed.

use crate::arrivals::DayOrder;
use crate::auth::Gate;
use crate::clock::Watch;
use crate::config::{CLOSED_ORDERS_MAX_ROWS, Config, REBUILD_EVERY_TIDYINGS};
use crate::metrics::Counters;
use crate::problem::Problem;
use crate::retention::abandoned;
use crate::storage::{Changed, Storage, StorageError};
use crate::waiting::Bells;
use satchel_wire::frame::{
    Announce, Claim, Deletion, Endpoint, Fetch, Frame, KeyChange, Pending, ProblemCode, Pull, Push, Signed, Veto, Wait,
};
use satchel_wire::limits::HTTP_BODY_MAX_BYTES;
use satchel_wire::{MailboxId, RowId, UtcDay};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tells the time (Unix seconds).
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;
/// Is told when storage begins to fail; never anything of a request.
pub type Report = Arc<dyn Fn(StorageError) + Send + Sync>;

/// A lock whose holder panicked is taken over; what it guards is rebuilt from storage when in doubt.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The running day of one mailbox. Its lock is held while a push is stored, so that memory and disk agree.
#[derive(Debug, Default)]
pub(crate) struct Running {
    /// The day that the rest is about; none until it is loaded, and after any failure.
    pub day: Option<UtcDay>,
    /// The day's rows in order of arrival.
    pub order: DayOrder,
    /// Size of all rows of the mailbox (bytes).
    pub used_bytes: u64,
}

/// Orders of closed days, oldest load first out.
#[derive(Debug, Default)]
struct ClosedOrders {
    orders: HashMap<(MailboxId, UtcDay), Arc<DayOrder>>,
    loaded: VecDeque<(MailboxId, UtcDay)>,
    rows: usize,
}

/// An empty day takes memory too.
fn weight(order: &DayOrder) -> usize {
    order.len() + 16
}

/// A blind mailbox server, apart from its network side.
pub struct Relay {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) config: Config,
    pub(crate) gate: Gate,
    clock: Clock,
    watch: Option<Watch>,
    report: Report,
    reported: Mutex<Option<StorageError>>,
    latest_day: AtomicU16,
    tidyings: AtomicU64,
    tended_day: AtomicU16,
    retention: Mutex<Option<u16>>,
    following: Mutex<()>,
    mailboxes: Mutex<HashMap<MailboxId, Arc<Mutex<Running>>>>,
    closed: Mutex<ClosedOrders>,
    pub(crate) bells: Arc<Bells>,
    /// Totals for the operator.
    pub counters: Counters,
}

impl Relay {
    /// Takes storage into service; days that ended meanwhile are closed before this returns. The clock is believed.
    pub fn new(storage: Arc<dyn Storage>, config: Config, clock: Clock, report: Report) -> Result<Self, StorageError> {
        Self::begin(storage, config, clock, None, report)
    }

    /// The same with a count of seconds that runs evenly, since any moment: a clock that is ahead of it is doubted for a day.
    pub fn with_uptime(
        storage: Arc<dyn Storage>,
        config: Config,
        clock: Clock,
        uptime: Clock,
        report: Report,
    ) -> Result<Self, StorageError> {
        Self::begin(storage, config, clock, Some(uptime), report)
    }

    fn begin(storage: Arc<dyn Storage>, config: Config, clock: Clock, uptime: Option<Clock>, report: Report) -> Result<Self, StorageError> {
        let earliest = storage.earliest_day()?;
        let watch = uptime.map(|uptime| Watch::new(uptime, clock(), earliest));
        let relay = Self {
            storage,
            config,
            gate: Gate::default(),
            clock,
            watch,
            report,
            reported: Mutex::default(),
            latest_day: AtomicU16::new(earliest.days()),
            tidyings: AtomicU64::new(0),
            tended_day: AtomicU16::new(0),
            retention: Mutex::default(),
            following: Mutex::default(),
            mailboxes: Mutex::default(),
            closed: Mutex::default(),
            bells: Arc::default(),
            counters: Counters::default(),
        };
        relay.begin_day()?;
        let bells = Arc::clone(&relay.bells);
        relay.storage.watch(Arc::new(move |changed| match changed {
            Changed::Mailbox(mailbox) => bells.ring(&mailbox),
            Changed::Bucket(bucket) => bells.ring_bucket(bucket),
        }));
        Ok(relay)
    }

    /// Answers a request. Errors: the [`Problem`] to send.
    pub fn answer(&self, endpoint: Endpoint, request: &[u8]) -> Result<Vec<u8>, Problem> {
        let signed = Signed::from_bytes(request)?;
        let body = &signed.body;
        match endpoint {
            Endpoint::Claim => Ok(self.claim(&Claim::from_bytes(body)?, &signed)?.to_bytes()),
            Endpoint::Keys => Ok(self.change_keys(&KeyChange::from_bytes(body)?, &signed)?.to_bytes()),
            Endpoint::Pull => Ok(self.pull(&Pull::from_bytes(body)?, &signed)?.to_bytes()),
            Endpoint::Rows => Ok(self.fetch(&Fetch::from_bytes(body)?, &signed)?.to_bytes()),
            Endpoint::Push => Ok(self.push(Push::from_bytes(body)?, &signed)?.to_bytes()),
            Endpoint::Announce => Ok(self.announce(Announce::from_bytes(body)?, &signed)?.to_bytes()),
            Endpoint::Delete => Ok(self.schedule_deletion(&Deletion::from_bytes(body)?, &signed)?.to_bytes()),
            Endpoint::Pending => Ok(self.pending_deletions(&Pending::from_bytes(body)?, &signed)?.to_bytes()),
            // whoever may wait, waits in `http`; this is what holds now
            Endpoint::Wait => Ok(self.begin_waiting(&Wait::from_bytes(body)?, &signed)?.1.to_bytes()),
            Endpoint::Veto => Ok(self.veto_deletion(&Veto::from_bytes(body)?, &signed)?.to_bytes()),
        }
    }

    /// The same as it travels: no bytes (204) where a pull brings nothing, which is what most pulls do.
    pub(crate) fn answer_briefly(&self, endpoint: Endpoint, request: &[u8]) -> Result<Vec<u8>, Problem> {
        if endpoint != Endpoint::Pull {
            return self.answer(endpoint, request);
        }
        let signed = Signed::from_bytes(request)?;
        let pull = Pull::from_bytes(&signed.body)?;
        let pulled = self.pull(&pull, &signed)?;
        Ok(if pulled.is_nothing_after(pull.cursor) { Vec::new() } else { pulled.to_bytes() })
    }

    /// Whose answer may be large, and how large at most; none for answers that are always small.
    pub(crate) fn large_answer(endpoint: Endpoint, request: &[u8]) -> Option<(MailboxId, usize)> {
        if !matches!(endpoint, Endpoint::Pull | Endpoint::Rows | Endpoint::Pending) {
            return None;
        }
        let body = Signed::from_bytes(request).ok()?.body;
        let mailbox = match endpoint {
            Endpoint::Pull => Pull::from_bytes(&body).ok()?.mailbox,
            Endpoint::Rows => Fetch::from_bytes(&body).ok()?.mailbox,
            _ => Pending::from_bytes(&body).ok()?.mailbox,
        };
        Some((mailbox, HTTP_BODY_MAX_BYTES))
    }

    /// From now on closes mailboxes whose newest row is older than both together (days); with 0 for the second none.
    pub fn set_retention(&self, abandoned_after_days: u16, close_after_days: u16) {
        let days = abandoned_after_days.saturating_add(close_after_days);
        *lock(&self.retention) = (close_after_days > 0).then_some(days);
    }

    fn close_abandoned(&self, today: UtcDay) -> Result<(), StorageError> {
        let Some(days) = *lock(&self.retention) else { return Ok(()) };
        for mailbox in abandoned(&*self.storage, today, days)? {
            self.storage.close_mailbox(&mailbox)?;
            lock(&self.running(mailbox)).day = None;
        }
        Ok(())
    }

    /// Closes days that ended and removes traces of arrival order; called once a minute and at the end.
    pub fn maintain(&self) -> Result<(), StorageError> {
        self.begin_day()?;
        let tidying = self.tidyings.fetch_add(1, Ordering::Relaxed) + 1;
        self.storage.tidy(tidying.is_multiple_of(REBUILD_EVERY_TIDYINGS))
    }

    /// Whether storage answers.
    pub fn is_ready(&self) -> bool {
        self.storage.probe().is_ok()
    }

    /// Tells the operator about a failure that no request caused.
    pub fn report(&self, error: StorageError) {
        self.counters.failed();
        let mut reported = lock(&self.reported);
        if *reported != Some(error) {
            *reported = Some(error);
            (self.report)(error);
        }
    }

    /// Storage works again: its next failure is news.
    pub(crate) fn forget_report(&self) {
        *lock(&self.reported) = None;
    }

    pub(crate) fn now(&self) -> u64 {
        (self.clock)()
    }

    /// The running day. It never goes back, even if the clock does: a phone that has read a later day
    /// would never see rows that came on an earlier one.
    pub(crate) fn today(&self) -> UtcDay {
        let day = self.sure_day().days();
        UtcDay::from_days(self.latest_day.fetch_max(day, Ordering::SeqCst).max(day))
    }

    /// The day by this relay's own clock, as far as it is believed: what cannot be undone goes by it, also where another
    /// relay of the same database has begun a later one.
    fn sure_day(&self) -> UtcDay {
        let now = self.now();
        UtcDay::of_unix_seconds(self.watch.as_ref().map_or(now, |watch| watch.believed(now)))
    }

    /// Whether the clock is further ahead than time passed: days wait.
    pub fn doubts_clock(&self) -> bool {
        self.watch.as_ref().is_some_and(Watch::doubts)
    }

    fn begin_day(&self) -> Result<(), StorageError> {
        if self.storage.is_shared() {
            let earliest = self.storage.earliest_day()?.days();
            self.latest_day.fetch_max(earliest, Ordering::SeqCst);
        }
        let (today, sure) = (self.today(), self.sure_day());
        self.storage.begin_day(today, sure.minus(self.config.absence_limit_days))?;
        self.counters.doubts_clock(self.doubts_clock());
        if self.tended_day.swap(today.days(), Ordering::SeqCst) != today.days() {
            if self.storage.is_shared() {
                // whichever relay carries deletions out, the others read the days they touched again
                *lock(&self.closed) = ClosedOrders::default();
            }
            self.close_abandoned(sure)?;
        }
        self.delete_due(sure)
    }

    /// The problem that a failure of storage becomes.
    pub(crate) fn problem(&self, error: StorageError) -> Problem {
        let code = match error {
            StorageError::Full => ProblemCode::StorageFull,
            StorageError::NoRoom => return ProblemCode::QuotaExceeded.into(),
            StorageError::NotNewest => return ProblemCode::NotNewest.into(),
            StorageError::NewerFormat { .. }
            | StorageError::Damaged
            | StorageError::DayClosed
            | StorageError::InUse
            | StorageError::Away
            | StorageError::Address
            | StorageError::Sql { .. }
            | StorageError::Engine { .. } => ProblemCode::Internal,
        };
        self.report(error);
        code.into()
    }

    pub(crate) fn stored<T>(&self, result: Result<T, StorageError>) -> Result<T, Problem> {
        result.map_err(|error| self.problem(error))
    }

    pub(crate) fn running(&self, mailbox: MailboxId) -> Arc<Mutex<Running>> {
        Arc::clone(lock(&self.mailboxes).entry(mailbox).or_default())
    }

    /// Brings a mailbox's memory to the running day, and returns the day. Called with its lock held.
    pub(crate) fn refresh(&self, mailbox: &MailboxId, running: &mut Running) -> Result<UtcDay, StorageError> {
        let today = self.today();
        if running.day != Some(today) {
            running.day = None;
            running.order = DayOrder::of(self.storage.heads(mailbox, today)?);
            running.used_bytes = self.storage.used_bytes(mailbox)?;
            running.day = Some(today);
        } else if let Some(count) = self.storage.arrived(mailbox, today)?
            && count != running.order.len() as u64
        {
            self.learn(mailbox, today, running)?;
        }
        Ok(today)
    }

    /// Adds what other relays wrote at the end of our order of the day: what came before stays a beginning of it, so
    /// every cursor that this relay gave out still says what follows. A row whose transaction ended late follows, too.
    pub(crate) fn learn(&self, mailbox: &MailboxId, day: UtcDay, running: &mut Running) -> Result<(), StorageError> {
        running.day = None;
        let known: HashSet<RowId> = running.order.ids_after(0).copied().collect();
        for head in self.storage.heads(mailbox, day)? {
            if !known.contains(&head.id) {
                running.order.append(head);
            }
        }
        running.used_bytes = self.storage.used_bytes(mailbox)?;
        running.day = Some(day);
        Ok(())
    }

    /// Storage says that the day is over, or has not begun: another relay's clock may be ahead of ours, or behind.
    /// Locks no mailbox.
    pub(crate) fn follow_day(&self) -> Result<(), StorageError> {
        let _one_at_a_time = lock(&self.following);
        let earliest = self.storage.earliest_day()?.days();
        if self.latest_day.fetch_max(earliest, Ordering::SeqCst) >= earliest && self.storage.is_shared() {
            let today = self.today();
            // earlier days may take longer to close; the running one takes rows meanwhile
            let _ = self.storage.begin_day(today, self.sure_day().minus(self.config.absence_limit_days));
        }
        Ok(())
    }

    /// Looks at the order of a day's rows, and whether it is final: the day is closed.
    pub(crate) fn with_order<T>(
        &self,
        mailbox: &MailboxId,
        day: UtcDay,
        look: impl FnOnce(&DayOrder, bool) -> T,
    ) -> Result<T, StorageError> {
        {
            let running = self.running(*mailbox);
            let mut running = lock(&running);
            let today = self.refresh(mailbox, &mut running)?;
            if today == day {
                return Ok(look(&running.order, false));
            }
            if today < day {
                return Ok(look(&DayOrder::default(), false));
            }
        }
        // pushes choose their day under the lock above, so an earlier day is final by now, unless another relay writes
        self.with_ended_order(mailbox, day, look)
    }

    /// The same for a day before the running one.
    pub(crate) fn with_ended_order<T>(
        &self,
        mailbox: &MailboxId,
        day: UtcDay,
        look: impl FnOnce(&DayOrder, bool) -> T,
    ) -> Result<T, StorageError> {
        if self.closed_order_is_known(mailbox, day) || self.storage.is_closed(mailbox, day)? {
            return Ok(look(&*self.closed_order(mailbox, day)?, true));
        }
        // another relay may still be writing
        Ok(look(&DayOrder::of(self.storage.heads(mailbox, day)?), false))
    }

    /// Rows of a closed day were deleted: its order is read again when somebody asks.
    pub(crate) fn forget_closed_order(&self, mailbox: MailboxId, day: UtcDay) {
        let mut closed = lock(&self.closed);
        if let Some(gone) = closed.orders.remove(&(mailbox, day)) {
            closed.loaded.retain(|key| *key != (mailbox, day));
            closed.rows -= weight(&gone);
        }
    }

    fn closed_order_is_known(&self, mailbox: &MailboxId, day: UtcDay) -> bool {
        lock(&self.closed).orders.contains_key(&(*mailbox, day))
    }

    /// The order of a closed day's rows.
    pub(crate) fn closed_order(&self, mailbox: &MailboxId, day: UtcDay) -> Result<Arc<DayOrder>, StorageError> {
        let key = (*mailbox, day);
        if let Some(order) = lock(&self.closed).orders.get(&key) {
            return Ok(Arc::clone(order));
        }
        let order = Arc::new(DayOrder::of(self.storage.heads(mailbox, day)?));
        let mut closed = lock(&self.closed);
        if closed.orders.insert(key, Arc::clone(&order)).is_none() {
            closed.loaded.push_back(key);
            closed.rows += weight(&order);
        }
        while closed.rows > CLOSED_ORDERS_MAX_ROWS {
            let Some(oldest) = closed.loaded.pop_front() else { break };
            if let Some(gone) = closed.orders.remove(&oldest) {
                closed.rows -= weight(&gone);
            }
        }
        Ok(order)
    }
}
