//! Whether an operation's author was entitled to it. Everything here is a pure function of the operation and of its
//! own past, so that no two devices ever disagree about which operations there are.

use super::log::Refusal;
use super::operation::{Action, Cut, DeviceKeys, Operation, Role};
use super::state::{Standing, TeamState};
use crate::complaint::Bulletin;
use crate::consent::{Charter, charter::SUNSET_MAX_DAYS};
use crate::crypto::{ReceivingPublicKey, VerifyingKey};
use minicbor::{Decode, Encode};
use satchel_wire::ids::{DeviceId, MemberId, OperationId};
use satchel_wire::limits::{DEVICES_MAX_COUNT, RESUME_MAX_COUNT};
use std::collections::BTreeSet;

/// Subjects that one device may erase alone (count); the next one needs a second member.
pub const SUBJECTS_ALONE_MAX_COUNT: usize = 10;
/// Most shares of a recovery key (count).
pub const RECOVERY_SHARES_MAX_COUNT: u8 = 16;

/// What an operation's own past says about it. Every device finds the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct Facts {
    /// Who wrote it; none for the paper key.
    #[n(0)]
    pub author: Option<Author>,
    /// What kind of thing it is, as far as the fold has to know.
    #[n(1)]
    pub nature: Nature,
}

/// The author of an operation, as its past knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct Author {
    /// Their member.
    #[n(0)]
    pub member: MemberId,
    /// Their role.
    #[n(1)]
    pub role: Role,
    /// The operation that admitted the device that signed.
    #[n(2)]
    pub admission: OperationId,
}

/// What the fold has to know about an operation beside its action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) enum Nature {
    /// Void where a concurrent ban hits its author.
    #[n(0)]
    Plain,
    /// A charter that allows something that the one before did not.
    #[n(1)]
    Loosening,
    /// Takes somebody's reading away.
    #[n(2)]
    Ban,
    /// Erases; waits for a second member if `guarded`, and if its device forked unless `alone`.
    #[n(3)]
    Tombstone {
        /// The eleventh subject, or the whole team.
        #[n(0)]
        guarded: bool,
        /// The team had one member.
        #[n(1)]
        alone: bool,
    },
    /// Signed by the paper key.
    #[n(4)]
    Paper,
}

/// What the log knows beside the state of the past.
pub(super) trait Past {
    /// An operation in the past.
    fn operation(&self, id: &OperationId) -> Option<&Operation>;
    /// Who wrote an operation of the past.
    fn author(&self, id: &OperationId) -> Option<Author>;
    /// Erasures of a subject that a device ordered in the past (count).
    fn subjects_of(&self, device: DeviceId) -> usize;
}

/// Judges an operation by its past. Errors: [`Refusal`], for ever.
pub(super) fn judge(state: &TeamState, past: &impl Past, operation: &Operation) -> Result<Facts, Refusal> {
    if let Action::Reseat { remove, steward, device, next, control } = operation.action() {
        let key = VerifyingKey::from_bytes(&state.reseat).map_err(|_| Refusal::NotEntitled)?;
        if !operation.is_signed_by(&key) {
            return Err(Refusal::NotEntitled);
        }
        // whoever lost every phone knows of a chain what frontiers say of it, and they name no whole body id
        let sequences = remove.iter().map(|cut| Cut { body: None, sequence: 0, ..*cut }).collect::<Vec<_>>();
        check_cuts(state, &sequences, None)?;
        if remove.iter().any(|cut| cut.sequence == 0 && cut.body.is_some()) {
            return Err(Refusal::Malformed);
        }
        for key in [next, control].into_iter().flatten() {
            VerifyingKey::from_bytes(key).map_err(|_| Refusal::Malformed)?;
        }
        match (steward, device) {
            (None, Some(_)) => return Err(Refusal::Malformed),
            (Some(_), Some(device)) => check_device(state, device)?,
            (Some(member), None) if !state.members.contains_key(member) => return Err(Refusal::Object),
            (Some(_) | None, None) => {}
        }
        return Ok(Facts { author: None, nature: Nature::Paper });
    }
    let device = state.devices.get(&operation.author()).filter(|device| device.standing == Standing::Active);
    let device = device.ok_or(Refusal::NotEntitled)?;
    if !operation.is_signed_by(&device.key) {
        return Err(Refusal::NotEntitled);
    }
    let role = state.role_of(device.member).ok_or(Refusal::NotEntitled)?;
    let author = Author { member: device.member, role, admission: device.admitted };
    let nature = check(state, past, operation, author)?;
    Ok(Facts { author: Some(author), nature })
}

fn check(state: &TeamState, past: &impl Past, operation: &Operation, author: Author) -> Result<Nature, Refusal> {
    let steward = author.role == Role::Steward;
    let (entitled, nature) = match operation.action() {
        Action::Found { .. } | Action::Reseat { .. } => return Err(Refusal::Malformed),
        Action::Admit { member, device, role, invitation } => {
            check_device(state, device)?;
            if state.invitations.contains(invitation) {
                return Err(Refusal::Object);
            }
            match state.members.get(member) {
                None => (steward, Nature::Plain),
                // another device of somebody who is active; it brings no other role along
                Some(known) if known.standing == Standing::Active && known.role == *role => {
                    (steward || *member == author.member, Nature::Plain)
                }
                Some(_) => return Err(Refusal::Object),
            }
        }
        Action::ChangeRole { member, role, cuts } => {
            let known = victim(state, *member)?;
            check_cuts(state, cuts, Some(*member))?;
            // stewards come before workers, workers before the board
            (steward, if *role > known { Nature::Ban } else { Nature::Plain })
        }
        Action::Suspend { member, cuts } | Action::RemoveMember { member, cuts } => {
            victim(state, *member)?;
            check_cuts(state, cuts, Some(*member))?;
            (steward, Nature::Ban)
        }
        Action::RemoveDevice { cut } => {
            let device = state.devices.get(&cut.device).ok_or(Refusal::Object)?;
            check_cuts(state, std::slice::from_ref(cut), None)?;
            (steward || device.member == author.member, Nature::Ban)
        }
        Action::Adopt { bodies } => {
            if bodies.is_empty() {
                return Err(Refusal::Malformed);
            }
            (steward, Nature::Plain)
        }
        Action::Tombstone { records, subject, category, team, successor, .. } => {
            // the order must not tell which tokens are padding
            if !records.is_sorted_by(|a, b| a < b) {
                return Err(Refusal::Malformed);
            }
            check_tombstone(records.len(), subject.is_some(), category.is_some(), *team, successor.is_some())?;
            let eleventh = subject.is_some() && past.subjects_of(operation.author()) >= SUBJECTS_ALONE_MAX_COUNT;
            let alone = state.member_count() <= 1;
            let entitled = if *team { steward } else { author.role.reads_records() };
            (entitled, Nature::Tombstone { guarded: (eleventh || *team) && !alone, alone })
        }
        Action::Countersign { operation } => (may_countersign(past, operation, author)?, Nature::Plain),
        Action::ChangeCharter { charter } => {
            charter.check().map_err(|_| Refusal::Malformed)?;
            let old = state.charter.as_ref().ok_or(Refusal::Object)?;
            if charter.sunset > old.sunset && charter.sunset > operation.day().plus(SUNSET_MAX_DAYS) {
                return Err(Refusal::Malformed);
            }
            (steward, if tightens(old, charter) { Nature::Plain } else { Nature::Loosening })
        }
        Action::Reinstate { member } => {
            if state.members.get(member).is_none_or(|known| known.standing != Standing::Suspended) {
                return Err(Refusal::Object);
            }
            (steward, Nature::Plain)
        }
        Action::Resume { cut } => {
            check_cuts(state, std::slice::from_ref(cut), None)?;
            if cut.sequence > RESUME_MAX_COUNT {
                return Err(Refusal::Malformed);
            }
            (steward, Nature::Plain)
        }
        Action::SetRecovery { key, threshold, shares } => {
            check_recovery(key.as_deref(), *threshold, *shares)?;
            if key.is_some() && !state.has_board() {
                return Err(Refusal::NoBoard);
            }
            (steward, Nature::Plain)
        }
        // it takes nothing and gives nothing: whoever may write at all may
        Action::Join => (true, Nature::Plain),
        Action::Bulletin { bytes } => {
            let bulletin = Bulletin::from_bytes(bytes).map_err(|_| Refusal::Malformed)?;
            let board = state.charter.as_ref().and_then(|charter| charter.board_signing);
            if board.as_ref() != Some(bulletin.board()) || bulletin.team() != state.team {
                return Err(Refusal::Object);
            }
            (steward || author.role == Role::Board, Nature::Plain)
        }
    };
    if entitled { Ok(nature) } else { Err(Refusal::NotEntitled) }
}

/// The role of somebody who can still be banned.
fn victim(state: &TeamState, member: MemberId) -> Result<Role, Refusal> {
    let known = state.members.get(&member).filter(|known| known.standing != Standing::Removed);
    known.map(|known| known.role).ok_or(Refusal::Object)
}

/// Cuts name each device once, known ones, and of one member where only that member's can be meant.
fn check_cuts(state: &TeamState, cuts: &[Cut], member: Option<MemberId>) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for cut in cuts {
        if !seen.insert(cut.device) || (cut.sequence == 0) != cut.body.is_none() {
            return Err(Refusal::Malformed);
        }
        let device = state.devices.get(&cut.device).ok_or(Refusal::Object)?;
        if member.is_some_and(|member| member != device.member) {
            return Err(Refusal::Object);
        }
    }
    Ok(())
}

fn check_device(state: &TeamState, device: &DeviceKeys) -> Result<(), Refusal> {
    let key = VerifyingKey::from_bytes(&device.signing).map_err(|_| Refusal::Object)?;
    let fits = !state.devices.contains_key(&key.device_id())
        && state.devices.len() < DEVICES_MAX_COUNT
        && ReceivingPublicKey::from_slice(&device.receiving).is_ok();
    if fits { Ok(()) } else { Err(Refusal::Object) }
}

/// One scope each: the team; or a subject or one category of it, with or without records; or records; or, of one
/// record (padded to 8), the history only.
const fn check_tombstone(records: usize, subject: bool, category: bool, team: bool, successor: bool) -> Result<(), Refusal> {
    let sized = matches!(records, 0 | 8 | 32);
    let scope = records > 0 || subject || category || team;
    let team_alone = !team || (records == 0 && !subject && !category && !successor);
    let successor_of_one = !successor || (records == 8 && !subject && !category);
    if sized && scope && team_alone && successor_of_one && !(subject && category) { Ok(()) } else { Err(Refusal::Malformed) }
}

fn check_recovery(key: Option<&[u8]>, threshold: u8, shares: u8) -> Result<(), Refusal> {
    let fits = match key {
        None => threshold == 0 && shares == 0,
        Some(key) => {
            threshold >= 2 && threshold <= shares && shares <= RECOVERY_SHARES_MAX_COUNT && ReceivingPublicKey::from_slice(key).is_ok()
        }
    };
    if fits { Ok(()) } else { Err(Refusal::Malformed) }
}

/// Whether a member may be the second for an operation of their past. Errors: it is not there, or needs no second.
fn may_countersign(past: &impl Past, id: &OperationId, second: Author) -> Result<bool, Refusal> {
    let target = past.operation(id).ok_or(Refusal::Object)?;
    let first = past.author(id).ok_or(Refusal::Object)?;
    let other = second.member != first.member;
    let senior = matches!(second.role, Role::Steward | Role::Board);
    match target.action() {
        Action::RemoveMember { member, .. } | Action::Reinstate { member } => Ok(senior && other && second.member != *member),
        Action::ChangeCharter { .. } => Ok(second.role == Role::Board && other),
        Action::Tombstone { .. } => Ok(other),
        _ => Err(Refusal::Object),
    }
}

/// Whether a charter allows nothing that the old one did not.
pub(super) fn tightens(old: &Charter, new: &Charter) -> bool {
    new.retention.encounter_days <= old.retention.encounter_days
        && new.retention.zone_days <= old.retention.zone_days
        && new.retention.participant_days <= old.retention.participant_days
        && new.sunset <= old.sunset
        && new.absence_limit_days <= old.absence_limit_days
        && new.suppression >= old.suppression
        && new.grants_no_more_than(old)
        && (new.board_key == old.board_key || old.board_key.is_none())
        && (new.board_signing == old.board_signing || old.board_signing.is_none())
        && says_no_more(old.funders.as_deref(), new.funders.as_deref())
        && says_no_more(old.agreements.as_deref(), new.agreements.as_deref())
        && new.reviewed == old.reviewed
        && (new.review_due == old.review_due || (new.review_due.is_some() && old.review_due.is_none_or(|due| new.review_due <= Some(due))))
}

/// Lines about money and agreements stay as they are; saying "none" for the first time needs nobody, every other change
/// the board: a line that disappears may hide an agreement that goes on.
fn says_no_more<T: PartialEq>(old: Option<&[T]>, new: Option<&[T]>) -> bool {
    new == old || (old.is_none() && new.is_some_and(<[T]>::is_empty))
}
