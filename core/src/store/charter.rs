//! Changing the charter: tightening takes effect at once, loosening waits for the board.

use super::Unlocked;
use crate::consent::page::{Page, PageFacts, page};
use crate::consent::{Agreement, Charter, GatedCategory, Language};
use crate::error::Error;
use crate::screen::ShortText;
use crate::team::operation::{Action, Operation};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{DeviceId, OperationId};

/// What is to change; what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CharterChange {
    /// Days an encounter's detail is kept, 1 to 90.
    pub encounter_days: Option<u16>,
    /// Days an encounter's zone is shown, 0 to 14.
    pub zone_days: Option<u16>,
    /// Days a participant's file is kept after the last contact, 1 to 365.
    pub participant_days: Option<u16>,
    /// The team's last day, at most 731 days from today.
    pub sunset: Option<ShiftDay>,
    /// Days after which a silent phone is dormant, 1 to 21.
    pub absence_limit_days: Option<u16>,
    /// Counts below this are suppressed in reports, 5 or more.
    pub suppression: Option<u16>,
    /// The board's key for complaints (X-Wing, 1,216 bytes).
    pub board_key: Option<Vec<u8>>,
    /// The board's key for bulletins (Ed25519).
    pub board_signing: Option<[u8; 32]>,
    /// Who pays: every line, or none at all when empty. Each passes the guard.
    pub funders: Option<Vec<String>>,
    /// Agreements with police, prosecutors, anti-trafficking or recovery bodies: every line, or none when empty.
    pub agreements: Option<Vec<Agreement>>,
    /// The day of the last review by participants and board; the board signs it.
    pub reviewed: Option<ShiftDay>,
    /// When the next review is due.
    pub review_due: Option<ShiftDay>,
    /// Longest term of a grant to record gated facts (days, 1 to 366).
    pub record_grant_days: Option<u16>,
    /// Longest term of a grant to share (days, 1 to 366).
    pub share_grant_days: Option<u16>,
    /// Nothing is shared by a phone that met nobody of the team for longer (days, 1 to 21).
    pub share_contact_days: Option<u16>,
    /// Gated categories that may be recorded and shared.
    pub categories: Option<Vec<GatedCategory>>,
    /// Whether shares with police, prosecutors, courts, probation or prisons can be asked for at all.
    pub justice_shares: Option<bool>,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CharterDecision {
    /// The operation, to be countersigned by a board member where it waits.
    pub operation: OperationId,
    /// It loosens something, and has no effect until a board member signed it too ([`Unlocked::countersign`]).
    pub waits_for_board: bool,
}

/// One entry of the charter's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CharterEvent {
    /// The operation.
    pub operation: OperationId,
    /// The day that its author saw.
    pub day: ShiftDay,
    /// The device that wrote it.
    pub author: DeviceId,
    /// It has no effect until the board signs.
    pub waits_for_board: bool,
    /// Setting, value before (none in the founding charter), value after.
    pub changes: Vec<(&'static str, Option<String>, String)>,
}

impl CharterChange {
    fn applied_to(&self, charter: &Charter) -> Charter {
        let mut next = charter.clone();
        let retention = &mut next.retention;
        retention.encounter_days = self.encounter_days.unwrap_or(retention.encounter_days);
        retention.zone_days = self.zone_days.unwrap_or(retention.zone_days);
        retention.participant_days = self.participant_days.unwrap_or(retention.participant_days);
        next.sunset = self.sunset.unwrap_or(next.sunset);
        next.absence_limit_days = self.absence_limit_days.unwrap_or(next.absence_limit_days);
        next.suppression = self.suppression.unwrap_or(next.suppression);
        if self.board_key.is_some() {
            next.board_key.clone_from(&self.board_key);
        }
        next.board_signing = self.board_signing.or(next.board_signing);
        if let Some(funders) = &self.funders {
            next.funders = Some(tidy(funders));
        }
        if let Some(agreements) = &self.agreements {
            next.agreements = Some(tidy(agreements));
        }
        next.reviewed = self.reviewed.or(next.reviewed);
        next.review_due = self.review_due.or(next.review_due);
        next.grant_days.record = self.record_grant_days.unwrap_or(next.grant_days.record);
        next.grant_days.share = self.share_grant_days.unwrap_or(next.grant_days.share);
        next.share_contact_days = self.share_contact_days.or(next.share_contact_days);
        if let Some(categories) = &self.categories {
            next.categories.clone_from(categories);
            next.categories.sort_unstable();
            next.categories.dedup();
        }
        next.justice_shares = self.justice_shares.unwrap_or(next.justice_shares);
        next
    }
}

/// Sorted, each once: as the format wants it.
fn tidy<T: Ord + Clone>(lines: &[T]) -> Vec<T> {
    let mut lines = lines.to_vec();
    lines.sort();
    lines.dedup();
    lines
}

impl super::vault::Vault {
    fn founded(&self, today: ShiftDay) -> ShiftDay {
        self.keyring.log.operations().map(Operation::day).next().unwrap_or(today)
    }
}

impl Unlocked {
    /// When the next review of the charter by participants and board is due.
    pub fn review_due(&self) -> Result<ShiftDay, Error> {
        self.write(|vault, _| {
            let today = vault.key_day()?;
            Ok(vault.charter()?.review_due(vault.founded(today)))
        })
    }

    /// Every charter that was ever proposed, oldest first, with what each changed against the one before it.
    pub fn charter_history(&self) -> Result<Vec<CharterEvent>, Error> {
        self.read(|vault, _| {
            let mut before: Option<Charter> = None;
            let mut events = Vec::new();
            for operation in vault.keyring.log.operations() {
                let (Action::Found { charter, .. } | Action::ChangeCharter { charter }) = operation.action() else { continue };
                let earlier = before.as_ref().map(Charter::settings);
                let changes = charter.settings().into_iter().enumerate().filter_map(|(at, (name, after))| {
                    let was = earlier.as_ref().and_then(|earlier| earlier.get(at)).map(|(_, was)| was.clone());
                    (was.as_ref() != Some(&after)).then_some((name, was, after))
                });
                events.push(CharterEvent {
                    operation: operation.id(),
                    day: operation.day(),
                    author: operation.author(),
                    waits_for_board: vault.keyring.log.state().awaiting_countersign.contains_key(&operation.id()),
                    changes: changes.collect(),
                });
                before = Some(charter.clone());
            }
            Ok(events)
        })
    }

    /// The charter in force as a page for a participant, with what is late.
    pub fn charter_page(&self, language: Language) -> Result<Page, Error> {
        self.write(|vault, _| {
            let status = vault.board_status()?;
            let today = vault.key_day()?;
            let founded = vault.founded(today);
            let facts = PageFacts {
                charter: vault.charter()?,
                founded,
                today,
                board_words: status.words,
                bulletin: status.newest.map(|(_, day, _)| day),
                overdue_since: status.overdue_since,
            };
            Ok(page(&facts, language))
        })
    }

    /// Changes the charter, as a steward. It is possible after the team's last day too: a later one renews the team,
    /// once the board has signed and before anything is destroyed.
    ///
    /// Errors: [`Error::Screen`] for a line that names a person, a place or a number; [`Error::Charter`] for a setting outside its bounds, [`Error::Operation`] when this member may not, or
    /// the sunset lies further than 731 days ahead.
    pub fn change_charter(&self, change: &CharterChange) -> Result<CharterDecision, Error> {
        let lines = change.funders.iter().flatten().map(String::as_str);
        for line in lines.chain(change.agreements.iter().flatten().map(|line| line.what.as_str())) {
            // the charter is read by everybody, and is never erased
            ShortText::parse(line)?;
        }
        self.write(|vault, tx| {
            let next = change.applied_to(vault.charter()?);
            next.check()?;
            let operation = vault.decide(tx, Action::ChangeCharter { charter: next })?;
            let waits_for_board = vault.keyring.log.state().awaiting_countersign.contains_key(&operation);
            Ok(CharterDecision { operation, waits_for_board })
        })
    }
}
