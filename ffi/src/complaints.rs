//! Complaints: what only the community board reads, the code that its author keeps, and the board's bulletins.

use crate::error::{FfiError, call};
use crate::records::quiet;
use crate::unlocked::Unlocked;
use satchel_core::complaint::{self, Category as ComplaintCategory, ComplaintError, Progress as ComplaintProgress};
use satchel_wire::ShiftDay;
use std::sync::Arc;
use zeroize::Zeroizing;

quiet!(ComplaintDraft, ReceiptStatus);

/// What a complaint is about: a closed list.
#[uniffi::remote(Enum)]
pub enum ComplaintCategory {
    /// How somebody was served, or was not.
    ServiceQuality,
    /// Treated worse because of who they are.
    Discrimination,
    /// Made to do or accept something.
    Coercion,
    /// What police did or did not do.
    PoliceMisconduct,
    /// Sexual violence by police.
    PoliceSexualViolence,
    /// Money, sex or favours demanded under threat.
    Extortion,
    /// Something was told, kept or shown that should not have been.
    Privacy,
    /// Anything else.
    Other,
    /// The mark "I felt pressured": needs no text, and nothing of it is kept in a file.
    FeltPressured,
}

/// How far the board is with a complaint.
#[uniffi::remote(Enum)]
pub enum ComplaintProgress {
    /// It arrived.
    Received,
    /// Somebody on the board has read it.
    Read,
    /// The board has answered.
    Answered,
    /// The board has finished with it and destroyed its text.
    Closed,
}

/// What somebody wants to say to the board. No guard reads it: an officer's name belongs here.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct ComplaintDraft {
    /// What it is about.
    pub category: ComplaintCategory,
    /// In their words, at most 2,000 bytes; empty for [`ComplaintCategory::FeltPressured`] alone.
    pub text: String,
    /// Where the board may answer, if they want that; at most 200 bytes.
    #[uniffi(default = None)]
    pub reply: Option<String>,
}

/// Number and days of a bulletin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct BulletinDays {
    /// Its number, from 1.
    pub number: u32,
    /// Its day.
    pub day: ShiftDay,
    /// When the next one is due.
    pub due: ShiftDay,
}

/// The board as this phone knows it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct BoardStatus {
    /// Six words of the key that signs bulletins: compare them with those that the board itself shows. None: no board yet.
    pub words: Option<Vec<String>>,
    /// The newest bulletin.
    pub newest: Option<BulletinDays>,
    /// Whether a complaint can be made. Show no button otherwise, and say where else one can be made.
    pub is_offered: bool,
    /// Since when the board's next bulletin has been due, if that day is over: say so beside the button.
    pub overdue_since: Option<ShiftDay>,
}

pub(crate) fn board_words(words: [&'static str; 6]) -> Vec<String> {
    words.into_iter().map(str::to_owned).collect()
}

/// The code that the author of a complaint keeps: shown once, kept nowhere else. Wiped when it is freed.
#[derive(uniffi::Object)]
pub struct ReceiptCode(complaint::ReceiptCode);

#[uniffi::export]
impl ReceiptCode {
    /// Reads what was typed, as UTF-8: case, spaces and dashes do not matter. Overwrite the bytes after use.
    ///
    /// Errors: [`FfiError::InvalidInput`] with `receipt_code` for a mistake in typing.
    #[uniffi::constructor]
    pub fn read(typed: Vec<u8>) -> Result<Arc<Self>, FfiError> {
        call(|| {
            let typed = Zeroizing::new(typed);
            let text = std::str::from_utf8(&typed).map_err(|_| ComplaintError::Code).map_err(satchel_core::Error::from)?;
            Ok(Arc::new(Self(complaint::ReceiptCode::from_text(text).map_err(satchel_core::Error::from)?)))
        })
    }

    /// Six groups of four letters and digits (ASCII), to be written down. Overwrite the bytes after use.
    pub fn text(&self) -> Vec<u8> {
        self.0.to_text().as_bytes().to_vec()
    }
}

/// What a bulletin says to whoever holds a code.
#[uniffi::export(Display)]
#[derive(uniffi::Record)]
pub struct ReceiptStatus {
    /// How far the complaint is; none: the board has not seen it.
    pub progress: Option<ComplaintProgress>,
    /// The board's answer, if this bulletin has one.
    pub answer: Option<String>,
}

/// A bulletin of a board, its signature checked.
#[derive(uniffi::Object)]
pub struct Bulletin(complaint::Bulletin);

impl Bulletin {
    pub(crate) fn of(bulletin: complaint::Bulletin) -> Arc<Self> {
        Arc::new(Self(bulletin))
    }
}

#[uniffi::export]
impl Bulletin {
    /// Reads a bulletin file from the board's own channel; needs no store.
    ///
    /// Errors: [`FfiError::InvalidInput`] with `bulletin_refused` for what no board signed; [`FfiError::Storage`] with
    /// `bulletin_newer`.
    #[uniffi::constructor]
    pub fn from_file(file: Vec<u8>) -> Result<Arc<Self>, FfiError> {
        call(|| Ok(Self::of(complaint::Bulletin::from_file(&file).map_err(satchel_core::Error::from)?)))
    }

    /// The file for the board's own channel: ASCII, fit for a web page, an e-mail or paper.
    pub fn to_file(&self) -> Vec<u8> {
        self.0.to_file()
    }

    /// Number and days.
    pub fn days(&self) -> BulletinDays {
        BulletinDays { number: self.0.number(), day: self.0.day(), due: self.0.due() }
    }

    /// Six words of the key that signed it: compare them with those that the board itself shows.
    pub fn board_words(&self) -> Vec<String> {
        board_words(satchel_core::store::board_words(self.0.board()))
    }

    /// Looks a receipt up. Errors: [`FfiError::InvalidInput`] with `bulletin_refused` for another board's code.
    pub fn look_up(&self, code: &ReceiptCode) -> Result<ReceiptStatus, FfiError> {
        call(|| {
            let found = complaint::check(&code.0, &self.0).map_err(satchel_core::Error::from)?;
            Ok(ReceiptStatus { progress: found.progress, answer: found.answer })
        })
    }
}

#[uniffi::export]
impl Unlocked {
    /// Whether there is a board, how its key is compared, and whether its bulletin is overdue.
    pub fn board_status(&self) -> Result<BoardStatus, FfiError> {
        call(|| {
            let status = self.core().board_status()?;
            Ok(BoardStatus {
                words: status.words.map(board_words),
                newest: status.newest.map(|(number, day, due)| BulletinDays { number, day, due }),
                is_offered: status.is_offered,
                overdue_since: status.overdue_since,
            })
        })
    }

    /// Seals a complaint to the board. Show its author the code, once; nothing says later who wrote, or whether.
    ///
    /// Errors: [`FfiError::Refused`] with `no_board` (do not offer it then); [`FfiError::InvalidInput`]:
    /// `complaint_empty`, `complaint_too_long`; [`FfiError::Storage`] with `complaint_full`.
    pub fn complain(&self, draft: ComplaintDraft) -> Result<Arc<ReceiptCode>, FfiError> {
        call(|| {
            let draft = complaint::ComplaintDraft { category: draft.category, text: &draft.text, reply: draft.reply.as_deref() };
            Ok(Arc::new(ReceiptCode(self.core().complain(&draft)?)))
        })
    }

    /// Every bulletin of the team's board that is here, oldest first.
    pub fn bulletins(&self) -> Result<Vec<Arc<Bulletin>>, FfiError> {
        call(|| Ok(self.core().bulletins()?.into_iter().map(Bulletin::of).collect()))
    }
}
