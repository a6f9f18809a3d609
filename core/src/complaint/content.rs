//! What a complaint says, and the one box that it travels in.

use super::code::ReceiptHash;
use super::limits::{REPLY_MAX_BYTES, TEXT_MAX_BYTES};
use super::{ComplaintError, ReceiptCode};
use crate::crypto::{self, Aad, BOX_OVERHEAD_BYTES, ReceivingKey, ReceivingPublicKey, labels};
use crate::env::Env;
use minicbor::{Decode, Encode};
use satchel_wire::cbor;
use satchel_wire::ids::TeamId;
use zeroize::{Zeroize, Zeroizing};

const PLAIN_BYTES: usize = 2_816;
/// The one size of a sealed complaint (bytes).
pub const COMPLAINT_BOX_BYTES: usize = PLAIN_BYTES + BOX_OVERHEAD_BYTES;
const VERSION: u8 = 1;

/// What a complaint is about: a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Category {
    /// How somebody was served, or was not.
    #[n(1)]
    ServiceQuality,
    /// Treated worse because of who they are.
    #[n(2)]
    Discrimination,
    /// Made to do or accept something.
    #[n(3)]
    Coercion,
    /// What police did or did not do.
    #[n(4)]
    PoliceMisconduct,
    /// Sexual violence by police.
    #[n(5)]
    PoliceSexualViolence,
    /// Money, sex or favours demanded under threat.
    #[n(6)]
    Extortion,
    /// Something was told, kept or shown that should not have been.
    #[n(7)]
    Privacy,
    /// Anything else.
    #[n(8)]
    Other,
    /// The mark "I felt pressured": needs no text, and nothing of it is kept in a file.
    #[n(9)]
    FeltPressured,
}

impl Category {
    /// All of this version.
    pub const ALL: [Self; 9] = [
        Self::ServiceQuality,
        Self::Discrimination,
        Self::Coercion,
        Self::PoliceMisconduct,
        Self::PoliceSexualViolence,
        Self::Extortion,
        Self::Privacy,
        Self::Other,
        Self::FeltPressured,
    ];
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServiceQuality => "service_quality",
            Self::Discrimination => "discrimination",
            Self::Coercion => "coercion",
            Self::PoliceMisconduct => "police_misconduct",
            Self::PoliceSexualViolence => "police_sexual_violence",
            Self::Extortion => "extortion",
            Self::Privacy => "privacy",
            Self::Other => "other",
            Self::FeltPressured => "felt_pressured",
        }
    }
    /// The category of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str() == name)
    }
}

/// What somebody wants to say. Borrowed: the caller wipes its own copy.
#[derive(Clone, Copy)]
pub struct ComplaintDraft<'a> {
    /// What it is about.
    pub category: Category,
    /// In their words, at most 2,000 bytes; may be empty for [`Category::FeltPressured`] alone.
    pub text: &'a str,
    /// Where the board may answer, if they want that; at most 200 bytes.
    pub reply: Option<&'a str>,
}

impl std::fmt::Debug for ComplaintDraft<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ComplaintDraft(..)")
    }
}

/// A complaint as the board reads it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Complaint {
    /// What it is about.
    #[n(0)]
    pub category: Category,
    /// In their words.
    #[n(1)]
    pub text: String,
    /// Where the board may answer.
    #[n(2)]
    pub reply: Option<String>,
    /// The hash of the code that the person keeps.
    #[n(3)]
    pub receipt: ReceiptHash,
}

impl std::fmt::Debug for Complaint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Complaint(..)")
    }
}

impl Drop for Complaint {
    fn drop(&mut self) {
        self.text.zeroize();
        self.reply.zeroize();
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Inside {
    #[n(0)]
    version: u8,
    #[n(1)]
    complaint: Option<Complaint>,
}

fn aad(team: TeamId) -> Aad {
    Aad::new(labels::BOX_COMPLAINT).add(team.as_bytes())
}

fn seal_inside(env: &Env, team: TeamId, board: &ReceivingPublicKey, complaint: Option<Complaint>) -> Result<Vec<u8>, ComplaintError> {
    let content = Zeroizing::new(cbor::encode(&Inside { version: VERSION, complaint }));
    let length = u16::try_from(content.len()).map_err(|_| ComplaintError::Seal)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(PLAIN_BYTES));
    plain.extend_from_slice(&length.to_le_bytes());
    plain.extend_from_slice(&content);
    if plain.len() > PLAIN_BYTES {
        return Err(ComplaintError::Seal);
    }
    plain.resize(PLAIN_BYTES, 0);
    crypto::seal_box(env, board, &aad(team), &plain).map_err(|_| ComplaintError::Seal)
}

/// Seals a complaint to the board: [`COMPLAINT_BOX_BYTES`], and the code that its author keeps.
///
/// Errors: [`ComplaintError::Empty`], [`ComplaintError::TooLong`], [`ComplaintError::Seal`].
pub fn seal(
    env: &Env,
    team: TeamId,
    board: &ReceivingPublicKey,
    board_signing: &[u8; 32],
    draft: &ComplaintDraft<'_>,
) -> Result<(Vec<u8>, ReceiptCode), ComplaintError> {
    let text = draft.text.trim();
    let reply = draft.reply.map(str::trim).filter(|reply| !reply.is_empty());
    if text.is_empty() && draft.category != Category::FeltPressured {
        return Err(ComplaintError::Empty);
    }
    if text.len() > TEXT_MAX_BYTES {
        return Err(ComplaintError::TooLong { limit_bytes: TEXT_MAX_BYTES });
    }
    if reply.is_some_and(|reply| reply.len() > REPLY_MAX_BYTES) {
        return Err(ComplaintError::TooLong { limit_bytes: REPLY_MAX_BYTES });
    }
    let code = ReceiptCode::make(env, board_signing);
    let complaint = Complaint { category: draft.category, text: text.to_owned(), reply: reply.map(str::to_owned), receipt: code.hash() };
    Ok((seal_inside(env, team, board, Some(complaint))?, code))
}

/// Seals nothing: a box that only the board can tell from a complaint. Errors: [`ComplaintError::Seal`].
pub fn seal_dummy(env: &Env, team: TeamId, board: &ReceivingPublicKey) -> Result<Vec<u8>, ComplaintError> {
    seal_inside(env, team, board, None)
}

/// What a box of this team holds: none when the key does not open it or its inside breaks the format, and
/// `Some(None)` for a dummy.
pub fn open(key: &ReceivingKey, team: TeamId, sealed: &[u8]) -> Option<Option<Complaint>> {
    if sealed.len() != COMPLAINT_BOX_BYTES {
        return None;
    }
    let plain = crypto::open_box(key, &aad(team), sealed).ok()?;
    let (length, rest) = plain.split_first_chunk::<2>()?;
    let (content, padding) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    if padding.iter().any(|byte| *byte != 0) {
        return None;
    }
    let inside: Inside = cbor::decode(content).ok()?;
    let fits = |complaint: &Complaint| {
        complaint.text.len() <= TEXT_MAX_BYTES && complaint.reply.as_ref().is_none_or(|reply| reply.len() <= REPLY_MAX_BYTES)
    };
    (inside.version == VERSION && inside.complaint.as_ref().is_none_or(fits)).then_some(inside.complaint)
}
