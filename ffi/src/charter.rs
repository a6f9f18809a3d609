//! The charter's settings, and which keys are here because of it.

use crate::error::{FfiError, call};
use crate::records::screened;
use crate::unlocked::Unlocked;
use satchel_core::consent::{Agreement, AgreementWith, GatedCategory};
use satchel_core::screen::ShortText;
use satchel_core::store::{self, HeldBecause};
use satchel_wire::ShiftDay;
use satchel_wire::ids::OperationId;

/// With whom an agreement is: those whose reach into people's lives must be public.
#[uniffi::remote(Enum)]
pub enum AgreementWith {
    /// Police.
    Police,
    /// Prosecutors and courts.
    Prosecutors,
    /// Anti-trafficking bodies.
    AntiTrafficking,
    /// Recovery bodies: sobriety, treatment or exit programmes with conditions.
    Recovery,
}

/// One agreement, in the agency's words.
#[uniffi::remote(Record)]
pub struct Agreement {
    /// With whom.
    pub with: AgreementWith,
    /// What was agreed, at most 200 bytes.
    pub what: String,
}

/// What is to change in the charter; what is none stays.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CharterChange {
    /// Days an encounter's detail is kept, 1 to 90.
    #[uniffi(default = None)]
    pub encounter_days: Option<u16>,
    /// Days an encounter's zone is shown, 0 to 14.
    #[uniffi(default = None)]
    pub zone_days: Option<u16>,
    /// Days a participant's file is kept after the last contact, 1 to 365.
    #[uniffi(default = None)]
    pub participant_days: Option<u16>,
    /// The team's last day, at most 731 days from today.
    #[uniffi(default = None)]
    pub last_day: Option<ShiftDay>,
    /// Days after which a silent phone is dormant, 1 to 21.
    #[uniffi(default = None)]
    pub absence_limit_days: Option<u16>,
    /// Counts below this are suppressed in reports, 5 or more.
    #[uniffi(default = None)]
    pub suppression: Option<u16>,
    /// The board's key for complaints (X-Wing, 1,216 bytes).
    #[uniffi(default = None)]
    pub board_key: Option<Vec<u8>>,
    /// The board's key for bulletins (Ed25519, 32 bytes).
    #[uniffi(default = None)]
    pub board_signing: Option<Vec<u8>>,
    /// Who pays: every line, or nobody when empty. Everybody reads them, and they are never erased: the guard screens each.
    #[uniffi(default = None)]
    pub funders: Option<Vec<String>>,
    /// Agreements with police, prosecutors, anti-trafficking or recovery bodies: every one, or none when empty.
    #[uniffi(default = None)]
    pub agreements: Option<Vec<Agreement>>,
    /// The day of the last review by participants and board.
    #[uniffi(default = None)]
    pub reviewed: Option<ShiftDay>,
    /// When the next review is due.
    #[uniffi(default = None)]
    pub review_due: Option<ShiftDay>,
    /// Longest yes to record gated facts (days, 1 to 366).
    #[uniffi(default = None)]
    pub record_grant_days: Option<u16>,
    /// Longest yes to share (days, 1 to 366).
    #[uniffi(default = None)]
    pub share_grant_days: Option<u16>,
    /// Longest time since a phone last heard from colleagues or the relay, for it to seal a share (days).
    #[uniffi(default = None)]
    pub share_contact_days: Option<u16>,
    /// Gated categories that may be recorded and shared.
    #[uniffi(default = None)]
    pub categories: Option<Vec<GatedCategory>>,
    /// Whether shares with police, prosecutors, courts, probation or prisons can be asked for at all.
    #[uniffi(default = None)]
    pub justice_shares: Option<bool>,
}

impl CharterChange {
    fn read(self) -> Result<store::CharterChange, FfiError> {
        let lines = self.funders.iter().flatten().enumerate().map(|(at, line)| (format!("funders.{at}"), line));
        let what = self.agreements.iter().flatten().enumerate().map(|(at, line)| (format!("agreements.{at}"), &line.what));
        for (field, line) in lines.chain(what) {
            screened(field, line, ShortText::parse)?;
        }
        let board_signing = self.board_signing.as_deref().map(<[u8; 32]>::try_from).transpose();
        Ok(store::CharterChange {
            encounter_days: self.encounter_days,
            zone_days: self.zone_days,
            participant_days: self.participant_days,
            sunset: self.last_day,
            absence_limit_days: self.absence_limit_days,
            suppression: self.suppression,
            board_key: self.board_key,
            board_signing: board_signing.map_err(|_| FfiError::field("board_signing".to_owned(), "charter_bounds"))?,
            funders: self.funders,
            agreements: self.agreements,
            reviewed: self.reviewed,
            review_due: self.review_due,
            record_grant_days: self.record_grant_days,
            share_grant_days: self.share_grant_days,
            share_contact_days: self.share_contact_days,
            categories: self.categories,
            justice_shares: self.justice_shares,
        })
    }
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct CharterDecision {
    /// The operation (`op_…`).
    pub operation: OperationId,
    /// It loosens something, and has no effect until a board member countersigns it.
    pub waits_for_board: bool,
}

/// Why the secret of a turn is still here.
#[uniffi::remote(Enum)]
pub enum HeldBecause {
    /// New work is sealed under it.
    InUse,
    /// Another phone began it beside the one in use: what was sealed under it may still arrive.
    Beside,
    /// A later one grew out of it: it goes when the exchange in hand ends.
    Replaced,
    /// It was made by somebody who did not know of a removal or an erasure: it goes when the exchange in hand ends.
    LacksBan,
    /// It opens announcements and no record: all that the board gets.
    AnnouncementsOnly,
}

/// A turn whose secret is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct TurnLine {
    /// Its number.
    pub number: u32,
    /// The day on which it began.
    pub day: ShiftDay,
    /// Why it is here.
    pub because: HeldBecause,
}

/// The keys of this store, without any key.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct KeyState {
    /// The turns that are held, the one in use first, then the newest.
    pub turns: Vec<TurnLine>,
    /// The day on which the turn in use is due to be replaced; none without one in use.
    pub next_turn: Option<ShiftDay>,
    /// The team's last day.
    pub last_day: ShiftDay,
    /// From the day after this one on, phones destroy what the team holds, unless the board renewed it.
    pub destroyed_after: ShiftDay,
}

#[uniffi::export]
impl Unlocked {
    /// Changes the charter, as a steward. Tightening takes effect at once, loosening waits for the board.
    ///
    /// Errors: [`FfiError::InvalidInput`] for a setting outside its bounds; [`FfiError::Refused`] when this member may not.
    pub fn change_charter(&self, change: CharterChange) -> Result<CharterDecision, FfiError> {
        call(|| {
            let decision = self.core().change_charter(&change.read()?)?;
            Ok(CharterDecision { operation: decision.operation, waits_for_board: decision.waits_for_board })
        })
    }

    /// Which turns are held and why, and what ends when.
    pub fn key_state(&self) -> Result<KeyState, FfiError> {
        call(|| {
            let state = self.core().key_state()?;
            let line = |turn: store::TurnLine| TurnLine { number: turn.number, day: turn.day, because: turn.because };
            Ok(KeyState {
                turns: state.turns.into_iter().map(line).collect(),
                next_turn: state.next_turn,
                last_day: state.last_day,
                destroyed_after: state.destroyed_after,
            })
        })
    }
}
