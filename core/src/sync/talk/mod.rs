//! What two phones say to each other once the channel is open: steps, and work that waits to be sent.

mod bodies;
mod frontiers;
mod introduction;
mod log;
mod reconcile;
mod turns;

use super::error::{SessionError, SessionFault};
use super::limits::*;
use super::message::*;
use super::replica::{OperationId, Replica, Role};
use super::report::{SessionReport, Warning};
use bodies::Bodies;
use minicbor::bytes::{ByteArray, ByteVec};
use reconcile::Initiator;
use satchel_wire::{BodyId, DeviceId, ShiftDay, TurnId};
use std::collections::VecDeque;

/// What this side waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The other side's introduction.
    Introduction,
    /// Heads differ: proof of admission (either way), and for the listener where the dialer's log stands.
    Proof,
    /// Dialer: what the listener makes of its log state.
    LogAnswer,
    /// Operations until the last; the other side leads then.
    LogIncoming,
    /// Listener: its ids are sent; operations, then those that the dialer wants.
    LogFork,
    /// The other side's word on turns.
    Turn,
    /// The other side's frontier.
    Frontier,
    /// Frontiers of others.
    Frontiers,
    /// Bodies, and at their end a comparison.
    Bodies,
    /// This side reconciles, the other answers.
    Reconciling,
    /// The other side reconciles, this one answers.
    Answering,
    /// This side has reconciled and asked; bodies come, and what the other side wants.
    Repairing,
    /// The other side has asked; bodies come, and the last word.
    Repaired,
    /// What is left to send goes out, then the last word.
    Finishing,
    /// The last word was said.
    Over,
}

/// Work that waits until output has room; done in order.
enum Job {
    Say(Box<Message>),
    /// As `Operations` or `Admission`.
    Operations(Kind, Vec<OperationId>, usize),
    /// As `OperationIds` or `OperationsWanted`.
    Ids(Kind, Vec<OperationId>, usize),
    Frontiers(Vec<DeviceId>, usize),
    ReceivingKeys(Vec<DeviceId>, usize),
    Rows(Vec<BodyId>, usize),
    Repair(Vec<BodyId>, Vec<BodyId>, usize),
    /// Rows of the first exchange are all produced.
    RowsEnd,
    /// The last word.
    Done,
}

/// One side of the conversation.
pub(super) struct Talk {
    role: Role,
    hash: [u8; 32],
    device: DeviceId,
    peer: Option<DeviceId>,
    peer_signature: [u8; 64],
    peer_clock: Option<ShiftDay>,
    proven: bool,
    ended: bool,
    step: Step,
    jobs: VecDeque<Job>,
    /// A message that calls for an answer was produced since the last one was counted.
    asked: bool,

    own_heads: Vec<OperationId>,
    peer_heads: Vec<OperationId>,
    own_turns: Vec<TurnId>,
    peer_turns: Vec<TurnId>,
    agreement: Option<[u8; 16]>,
    logs_agreed: bool,
    admission_asked: bool,
    admission_given: bool,
    log_state: Option<LogState>,
    collected: Vec<OperationId>,
    operations_ended: bool,
    operations_count: usize,

    /// Spoke last about the log, and leads from there.
    leads: bool,
    turn_messages: usize,
    turns_offered: usize,
    turn_key_sent: bool,

    own_positions: Vec<Position>,
    peer_positions: Vec<Position>,
    keys_wanted: Vec<DeviceId>,
    keys_outstanding: usize,
    keys_asked_count: usize,
    frontiers_count: usize,

    bodies: Bodies,
    initiator: Option<Initiator>,
    /// The other side's own frontier was seen and holds: only then may anything be numbered.
    frontier_seen: bool,
    rolled_back: bool,
}

type Outcome<R> = Result<(), SessionError<<R as Replica>::Error>>;

impl Talk {
    pub(super) fn new(role: Role, hash: [u8; 32], device: DeviceId) -> Self {
        Self {
            role,
            hash,
            device,
            peer: None,
            peer_signature: [0; 64],
            peer_clock: None,
            proven: false,
            ended: false,
            step: Step::Introduction,
            jobs: VecDeque::new(),
            // the dialer's hello calls for an answer
            asked: role == Role::Dialer,
            own_heads: Vec::new(),
            peer_heads: Vec::new(),
            own_turns: Vec::new(),
            peer_turns: Vec::new(),
            agreement: None,
            logs_agreed: false,
            admission_asked: false,
            admission_given: false,
            log_state: None,
            collected: Vec::new(),
            operations_ended: false,
            operations_count: 0,
            leads: false,
            turn_messages: 0,
            turns_offered: 0,
            turn_key_sent: false,
            own_positions: Vec::new(),
            peer_positions: Vec::new(),
            keys_wanted: Vec::new(),
            keys_outstanding: 0,
            keys_asked_count: 0,
            frontiers_count: 0,
            bodies: Bodies::default(),
            initiator: None,
            frontier_seen: false,
            rolled_back: false,
        }
    }

    /// The last word was said, nothing waits to be produced and no answer is due.
    pub(super) fn is_over(&self) -> bool {
        self.step == Step::Over && self.jobs.is_empty() && self.keys_outstanding == 0
    }

    fn say(&mut self, message: Message) {
        self.jobs.push_back(Job::Say(Box::new(message)));
    }

    /// Whether a message of this kind may come now; asked before its payload is read.
    pub(super) fn check(&self, kind: Kind) -> Result<(), SessionFault> {
        let may = match kind {
            Kind::Close => true,
            Kind::Introduction => self.step == Step::Introduction,
            Kind::AdmissionWanted => {
                let may_ask = self.role == Role::Dialer || self.log_state.is_none();
                matches!(self.step, Step::Proof | Step::LogAnswer) && !self.admission_given && may_ask
            }
            Kind::Admission => self.step == Step::Proof && self.admission_asked,
            Kind::LogState => self.step == Step::Proof && self.role == Role::Listener && self.log_state.is_none(),
            Kind::Operations => match self.step {
                Step::LogAnswer => self.is_behind(),
                Step::LogIncoming => true,
                Step::LogFork => !self.operations_ended,
                _ => false,
            },
            Kind::OperationIds => self.step == Step::LogAnswer && self.is_behind(),
            Kind::OperationsWanted => match self.step {
                Step::LogAnswer => !self.is_behind(),
                Step::LogFork => self.operations_ended,
                _ => false,
            },
            Kind::Turn => self.step == Step::Turn,
            Kind::Agreed => {
                let agreed = self.logs_agreed && self.turns_agree();
                self.step == Step::Frontier && self.role == Role::Listener && !self.leads && agreed && self.turn_messages == 0
            }
            Kind::Frontier => self.step == Step::Frontier,
            Kind::Frontiers | Kind::FrontiersSent => self.step == Step::Frontiers,
            Kind::KeysWanted => self.frontiers_began(),
            Kind::ReceivingKeys => self.keys_outstanding > 0,
            Kind::Rows => match self.step {
                Step::Bodies => self.bodies.peer_summary.is_none(),
                Step::Repairing | Step::Repaired => true,
                _ => false,
            },
            Kind::BodiesSent => self.step == Step::Bodies && self.bodies.peer_summary.is_none() && (!self.leads || self.bodies.ended),
            Kind::Reconcile => match self.step {
                Step::Bodies => self.bodies.ended,
                Step::Reconciling => true,
                // the next question comes after the last answer, so answers never pile up
                Step::Answering => !self.jobs.iter().any(|job| matches!(job, Job::Say(said) if said.kind() == Kind::Reconcile)),
                _ => false,
            },
            Kind::Repair => matches!(self.step, Step::Answering | Step::Repairing),
            Kind::Done => match self.step {
                Step::Bodies => self.bodies.ended,
                Step::Answering | Step::Repaired => true,
                _ => false,
            },
        };
        if may { Ok(()) } else { Err(SessionFault::Unexpected(kind)) }
    }

    fn frontiers_began(&self) -> bool {
        use Step::*;
        matches!(self.step, Frontiers | Bodies | Reconciling | Answering | Repairing | Repaired | Finishing | Over)
    }

    fn is_behind(&self) -> bool {
        self.log_state.is_some_and(|state| state.behind)
    }

    /// Takes a message that [`check`](Self::check) let pass.
    pub(super) fn take<R: Replica>(&mut self, replica: &mut R, message: Message, report: &mut SessionReport) -> Outcome<R> {
        if self.asked && !matches!(message, Message::Rows(_)) {
            self.asked = false;
            report.round_trips += 1;
        }
        match message {
            Message::Close(close) => Err(SessionFault::Closed(close.reason).into()),
            Message::Introduction(introduction) => self.on_introduction(replica, introduction, report),
            Message::AdmissionWanted => self.on_admission_wanted(replica),
            Message::Admission(operations) => self.on_admission(replica, operations, report),
            Message::LogState(state) => self.on_log_state(replica, state),
            Message::Operations(operations) => self.on_operations(replica, operations, report),
            Message::OperationIds(ids) => self.on_operation_ids(replica, ids),
            Message::OperationsWanted(ids) => self.on_operations_wanted(replica, ids),
            Message::Turn(turn) => self.on_turn(replica, turn, report),
            Message::Agreed => self.on_agreed(replica, report),
            Message::Frontier(frontier) => self.on_frontier(replica, frontier, report),
            Message::Frontiers(frontiers) => self.on_frontiers(replica, frontiers, report),
            Message::FrontiersSent => self.on_frontiers_sent(replica, report),
            Message::KeysWanted(devices) => self.on_keys_wanted(devices),
            Message::ReceivingKeys(frontiers) => self.on_receiving_keys(replica, frontiers, report),
            Message::Rows(rows) => self.on_rows(replica, rows, report),
            Message::BodiesSent(end) => self.on_bodies_sent(replica, end),
            Message::Reconcile(message) => self.on_reconcile(replica, message, report),
            Message::Repair(repair) => self.on_repair(replica, repair, report),
            Message::Done => self.on_done(replica),
        }
    }

    /// Makes the next message, if there is work.
    pub(super) fn produce<R: Replica>(
        &mut self,
        replica: &mut R,
        report: &mut SessionReport,
    ) -> Result<Option<Message>, SessionError<R::Error>> {
        while let Some(job) = self.jobs.pop_front() {
            let message = self.work(replica, job, report)?;
            if let Some(message) = message {
                self.asked |= !matches!(message, Message::Rows(_));
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// One step of a job; what is left of it goes back to the front.
    fn work<R: Replica>(
        &mut self,
        replica: &mut R,
        job: Job,
        report: &mut SessionReport,
    ) -> Result<Option<Message>, SessionError<R::Error>> {
        fn batch<T>(all: &[T], from: usize, count: usize) -> &[T] {
            &all[from.min(all.len())..from.saturating_add(count).min(all.len())]
        }
        let message = match job {
            Job::Say(message) => *message,
            Job::Operations(kind, ids, from) => {
                let wanted = batch(&ids, from, OPERATIONS_BATCH_COUNT);
                let to = from + wanted.len();
                let operations = replica.operations(wanted).map_err(SessionError::Replica)?;
                report.operations_sent += operations.len();
                let last = to >= ids.len();
                let skip = operations.is_empty() && !last;
                let message = operations_message(operations, last);
                if !last {
                    self.jobs.push_front(Job::Operations(kind, ids, to));
                }
                match kind {
                    _ if skip => return Ok(None),
                    Kind::Admission => Message::Admission(message),
                    _ => Message::Operations(message),
                }
            }
            Job::Ids(kind, ids, from) => {
                let some = batch(&ids, from, IDS_BATCH_COUNT);
                let to = from + some.len();
                let message = ids_message(some, to >= ids.len());
                if to < ids.len() {
                    self.jobs.push_front(Job::Ids(kind, ids, to));
                }
                if kind == Kind::OperationIds { Message::OperationIds(message) } else { Message::OperationsWanted(message) }
            }
            Job::Frontiers(devices, from) => {
                let some = batch(&devices, from, FRONTIERS_BATCH_COUNT);
                let to = from + some.len();
                let frontiers = self.pass_frontiers(replica, some, false)?;
                if to < devices.len() {
                    self.jobs.push_front(Job::Frontiers(devices, to));
                }
                if frontiers.is_empty() {
                    return Ok(None);
                }
                Message::Frontiers(Frontiers { frontiers, last: false })
            }
            Job::ReceivingKeys(devices, from) => {
                let some = batch(&devices, from, FRONTIERS_BATCH_COUNT);
                let to = from + some.len();
                let frontiers = self.pass_frontiers(replica, some, true)?;
                let last = to >= devices.len();
                if !last {
                    self.jobs.push_front(Job::ReceivingKeys(devices, to));
                }
                Message::ReceivingKeys(Frontiers { frontiers, last })
            }
            Job::Rows(ids, from) => {
                let some = batch(&ids, from, ROWS_BATCH_BYTES / satchel_wire::limits::ROW_MIN_BYTES);
                if some.is_empty() {
                    return Ok(None);
                }
                let covered = replica.rows(some, ROWS_BATCH_BYTES).map_err(SessionError::Replica)?;
                let to = from + covered.done.clamp(1, some.len());
                if to < ids.len() {
                    self.jobs.push_front(Job::Rows(ids, to));
                }
                if covered.rows.is_empty() {
                    return Ok(None);
                }
                report.sent += covered.rows.len();
                Message::Rows(Rows { rows: covered.rows })
            }
            Job::Repair(wanted, offered, from) => {
                let (some_wanted, some_offered) = (batch(&wanted, from, IDS_BATCH_COUNT), batch(&offered, from, IDS_BATCH_COUNT));
                let to = from + IDS_BATCH_COUNT;
                let last = to >= wanted.len().max(offered.len());
                let message = Repair { wanted: Hashes::of_bodies(some_wanted), offered: Hashes::of_bodies(some_offered), last };
                if !last {
                    self.jobs.push_front(Job::Repair(wanted, offered, to));
                }
                Message::Repair(message)
            }
            Job::RowsEnd => return self.on_rows_end(replica).map(|()| None),
            Job::Done => {
                self.step = Step::Over;
                self.end_session(replica).map_err(SessionError::Replica)?;
                Message::Done
            }
        };
        Ok(Some(message))
    }

    fn peer(&self) -> Result<DeviceId, SessionFault> {
        self.peer.ok_or(SessionFault::Malformed)
    }

    /// Says the last word, after what waits.
    fn finish<E>(&mut self) -> Result<(), SessionError<E>> {
        self.step = Step::Finishing;
        self.jobs.push_back(Job::Done);
        Ok(())
    }

    fn on_done<R: Replica>(&mut self, replica: &mut R) -> Outcome<R> {
        self.step = Step::Over;
        // an honest side says it only when nothing but keys is still due
        self.jobs.retain(|job| matches!(job, Job::ReceivingKeys(..)));
        self.end_session(replica).map_err(SessionError::Replica)
    }

    /// What the end of a session asks of the replica, once, and only if the other side was proven.
    pub(super) fn end_session<R: Replica>(&mut self, replica: &mut R) -> Result<(), R::Error> {
        match self.peer {
            Some(peer) if self.proven && !std::mem::replace(&mut self.ended, true) => replica.end_session(peer),
            _ => Ok(()),
        }
    }
}

fn warn(report: &mut SessionReport, warning: Warning) {
    report.warnings.insert(warning);
}

fn bytes_of(operations: Vec<ByteVec>) -> Vec<Vec<u8>> {
    operations.into_iter().map(Vec::from).collect()
}

fn array<const N: usize>(bytes: [u8; N]) -> ByteArray<N> {
    ByteArray::from(bytes)
}
