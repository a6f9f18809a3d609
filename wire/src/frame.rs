//! Frames between a phone and a relay: deterministic CBOR in the body of an HTTP POST.
//!
//! | path | signed by | asks | answer |
//! |---|---|---|---|
//! | `/v1/claim` | new control key | [`Claim`]: take over a mailbox that the operator made | [`Done`] |
//! | `/v1/keys` | control key | [`KeyChange`]: pull and push keys of a new turn | [`Done`] |
//! | `/v1/pull` | pull key | [`Pull`]: what is new since a cursor | [`Pulled`] |
//! | `/v1/rows` | pull key | [`Fetch`]: these rows of a day | [`Pulled`] |
//! | `/v1/push` | push key | [`Push`]: keep these rows | [`Pushed`] |
//! | `/v1/announce` | push key | [`Announce`]: a new turn on top of the newest | [`Pushed`], or 409 |
//! | `/v1/delete` | control key | [`Deletion`]: the day's batch of rows to delete | [`Scheduled`], or 409 |
//! | `/v1/pending` | pull key | [`Pending`]: which rows are to be deleted | [`PendingRows`] |
//! | `/v1/veto` | push key | [`Veto`]: keep these rows | [`Vetoed`] |
//! | `/v1/wait` | pull key | [`Wait`]: answer when something follows a cursor, or when the time is over | [`Waited`] |
//!
//! A request is [`Signed`]: `signature = Ed25519(label ‖ 0x00 ‖ path ‖ 0x00 ‖ body)`, RFC 8032, with
//! the label [`SIGNATURE_LABEL`]. Refusals are RFC 9457 problem details whose `type` ends in a
//! [`ProblemCode`]. Versioning: the path's number; an unknown path is 404 and means "relay too old".
//! An answer that nothing follows a pull's cursor, or that a wait's time is over, is a 204 without a body.
//! Limits: [`crate::limits`].

use crate::cbor::{self, CborError};
use crate::day::UtcDay;
use crate::ids::{AnnouncementId, MailboxId, RowId, RowName};
use crate::limits::{ANNOUNCEMENT_PARTS_MAX_COUNT, DELETION_PENDING_DAYS, DELETION_ROWS_MAX_COUNT, LISTING_MAX_COUNT, PUSH_ROWS_MAX_COUNT};
use crate::row::{Lane, Row};
use minicbor::{Decode, Encode};

/// Domain separation of request signatures.
pub const SIGNATURE_LABEL: &str = "satchel 2026-11-22 sign request";
/// Content type of requests and answers.
pub const CONTENT_TYPE: &str = "application/cbor";

/// What a request is about; its path stands under the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `/v1/claim`
    Claim,
    /// `/v1/keys`
    Keys,
    /// `/v1/pull`
    Pull,
    /// `/v1/rows`
    Rows,
    /// `/v1/push`
    Push,
    /// `/v1/announce`
    Announce,
    /// `/v1/delete`
    Delete,
    /// `/v1/pending`
    Pending,
    /// `/v1/veto`
    Veto,
    /// `/v1/wait`
    Wait,
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 10] =
        [Self::Claim, Self::Keys, Self::Pull, Self::Rows, Self::Push, Self::Announce, Self::Delete, Self::Pending, Self::Veto, Self::Wait];

    /// The HTTP path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Claim => "/v1/claim",
            Self::Keys => "/v1/keys",
            Self::Pull => "/v1/pull",
            Self::Rows => "/v1/rows",
            Self::Push => "/v1/push",
            Self::Announce => "/v1/announce",
            Self::Delete => "/v1/delete",
            Self::Pending => "/v1/pending",
            Self::Veto => "/v1/veto",
            Self::Wait => "/v1/wait",
        }
    }

    /// The bytes under a request's signature.
    pub fn signing_bytes(self, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SIGNATURE_LABEL.len() + 16 + body.len());
        bytes.extend_from_slice(SIGNATURE_LABEL.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(self.path().as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(body);
        bytes
    }
}

/// A request as it travels: the frame's bytes and a signature over them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Signed {
    /// Deterministic CBOR of the frame.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub body: Vec<u8>,
    /// Ed25519 over [`Endpoint::signing_bytes`].
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

/// When a request was made and a random number, so that a recorded request cannot be replayed.
///
/// A relay refuses a time more than 900 seconds from its own (`clock_skew`, with its own time in
/// the problem's `relay_time`), and a nonce it has seen within that span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Freshness {
    /// Unix seconds as the sender believes.
    #[n(0)]
    pub time: u64,
    /// Random.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub nonce: [u8; 12],
}

/// How far a phone has read: a day and the fingerprint of what it has seen of that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Cursor {
    /// Arrival day at the relay.
    #[n(0)]
    pub day: UtcDay,
    /// [`crate::DayFingerprint::value`] of that day's rows.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub fingerprint: [u8; 16],
}

/// Public halves of the access keys of one turn (Ed25519).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct AccessKeys {
    /// Verifies pulls.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub pull: [u8; 32],
    /// Verifies pushes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub push: [u8; 32],
}

/// Takes over a mailbox that the operator made, once.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Claim {
    /// The mailbox.
    #[n(0)]
    pub mailbox: MailboxId,
    /// The one-time secret that `mailbox create` printed.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub secret: [u8; 16],
    /// From now on only this key changes keys; the request is signed by it.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub control: [u8; 32],
    /// First access keys.
    #[n(3)]
    pub keys: AccessKeys,
    /// Replay protection.
    #[n(4)]
    pub freshness: Freshness,
}

/// Replaces the access keys, and possibly the control key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct KeyChange {
    /// The mailbox.
    #[n(0)]
    pub mailbox: MailboxId,
    /// Strictly greater than the last accepted generation (the claim is generation 0).
    #[n(1)]
    pub generation: u64,
    /// New access keys; the earlier pull key still reads the announce lane.
    #[n(2)]
    pub keys: AccessKeys,
    /// The next control key, or the same one.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub control: [u8; 32],
    /// Replay protection.
    #[n(4)]
    pub freshness: Freshness,
}

/// Asks for what is new since a cursor.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Pull {
    /// The mailbox.
    #[n(0)]
    pub mailbox: MailboxId,
    /// Where the last pull ended; none reads from the beginning.
    #[n(1)]
    pub cursor: Option<Cursor>,
    /// Most bytes of rows wanted (the relay's own limit is [`crate::limits::PULL_MAX_BYTES`]).
    #[n(2)]
    pub max_bytes: u32,
    /// Only this lane, or all of them. Each lane has cursors of its own. An earlier turn's pull key may ask for the
    /// announce lane and nothing else; anything else is `refused`.
    #[n(3)]
    pub lane: Option<Lane>,
    /// Replay protection.
    #[n(4)]
    pub freshness: Freshness,
}

/// Asks for given rows of one day, after a listing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Fetch {
    /// The mailbox.
    #[n(0)]
    pub mailbox: MailboxId,
    /// The arrival day.
    #[n(1)]
    pub day: UtcDay,
    /// Wanted row ids.
    #[n(2)]
    pub ids: Vec<RowId>,
    /// Replay protection.
    #[n(3)]
    pub freshness: Freshness,
}

/// Answer to [`Pull`] and [`Fetch`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Pulled {
    /// New rows, in no meaningful order.
    #[n(0)]
    pub rows: Vec<Row>,
    /// Where to go on next time.
    #[n(1)]
    pub cursor: Option<Cursor>,
    /// More is waiting: pull again with the new cursor; after a fetch: ask for the missing ids again.
    #[n(2)]
    pub more: bool,
    /// The relay cannot tell what follows the cursor's fingerprint (it restarted, or the day closed):
    /// all ids of the cursor's day. Fetch the unknown ones, then pull with `cursor`.
    #[n(3)]
    pub listing: Option<Vec<RowId>>,
}

impl Pulled {
    /// Whether this says no more than that nothing follows `cursor`: such an answer has no body (204).
    pub fn is_nothing_after(&self, cursor: Option<Cursor>) -> bool {
        self.rows.is_empty() && self.cursor == cursor && !self.more && self.listing.is_none()
    }
}

/// Asks a relay to keep rows; idempotent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Push {
    /// The mailbox.
    #[n(0)]
    pub mailbox: MailboxId,
    /// Commons and records rows, at most [`PUSH_ROWS_MAX_COUNT`].
    #[n(1)]
    pub rows: Vec<Row>,
    /// The sender's cursor; if nothing arrived since, the answer moves it past these rows.
    #[n(2)]
    pub cursor: Option<Cursor>,
    /// Replay protection.
    #[n(3)]
    pub freshness: Freshness,
}

/// Asks a relay to keep a new turn's announcement.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Announce {
    /// The mailbox.
    #[n(0)]
    pub mailbox: MailboxId,
    /// All parts of one announcement, in order.
    #[n(1)]
    pub rows: Vec<Row>,
    /// The newest announcement the sender knows; none for the first. Any other newest is a 409.
    #[n(2)]
    pub on_top_of: Option<AnnouncementId>,
    /// The sender's cursor, as in [`Push`].
    #[n(3)]
    pub cursor: Option<Cursor>,
    /// Replay protection.
    #[n(4)]
    pub freshness: Freshness,
}

/// Answer to [`Push`] and [`Announce`]: everything in the request is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Pushed {
    /// Arrival day of these rows.
    #[n(0)]
    pub day: UtcDay,
    /// The sender's cursor moved past its own rows, when nobody else's rows lie between.
    #[n(1)]
    pub cursor: Option<Cursor>,
}

/// Answer to [`Claim`] and [`KeyChange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Done {
    /// The generation now in force.
    #[n(0)]
    pub generation: u64,
}

/// Asks a relay to delete rows: the one batch of a day, mixing superseded, erased and expired ones.
///
/// A list of rows that belong together would be a document, so there is one list a day, sorted. It waits
/// [`DELETION_PENDING_DAYS`] days, during which whoever holds a pull key may veto rows that are still needed. Rows of the
/// announce lane are never deleted. A second batch on one day is `superseded`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Deletion {
    /// The mailbox.
    #[n(0)]
    pub mailbox: MailboxId,
    /// Names of rows, strictly ascending, 1 to [`DELETION_ROWS_MAX_COUNT`].
    #[n(1)]
    pub rows: Vec<RowName>,
    /// Replay protection.
    #[n(2)]
    pub freshness: Freshness,
}

/// Answer to [`Deletion`]: the batch is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Scheduled {
    /// The day of the batch.
    #[n(0)]
    pub day: UtcDay,
}

/// Asks for deletion batches that wait.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Pending {
    /// The mailbox.
    #[n(0)]
    pub mailbox: MailboxId,
    /// Only batches of this day and later, or all.
    #[n(1)]
    pub since: Option<UtcDay>,
    /// Replay protection.
    #[n(2)]
    pub freshness: Freshness,
}

/// A batch that waits, without what was vetoed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PendingBatch {
    /// The day of the batch.
    #[n(0)]
    pub day: UtcDay,
    /// Names of its rows, ascending.
    #[n(1)]
    pub rows: Vec<RowName>,
}

/// Answer to [`Pending`], and the day at the relay: batches of that day may still come.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PendingRows {
    /// The relay's running day.
    #[n(0)]
    pub today: UtcDay,
    /// Batches, oldest first.
    #[n(1)]
    pub batches: Vec<PendingBatch>,
}

/// Asks a relay to keep rows that a batch names.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Veto {
    /// The mailbox.
    #[n(0)]
    pub mailbox: MailboxId,
    /// Names of rows, strictly ascending, 1 to [`DELETION_ROWS_MAX_COUNT`].
    #[n(1)]
    pub rows: Vec<RowName>,
    /// Replay protection.
    #[n(2)]
    pub freshness: Freshness,
}

/// Answer to [`Veto`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Vetoed {
    /// How many entries of batches were struck out.
    #[n(0)]
    pub rows: u32,
}

/// Asks a relay to answer when something follows a cursor: it wakes a phone, and brings nothing itself.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Wait {
    /// The mailbox.
    #[n(0)]
    pub mailbox: MailboxId,
    /// Where the last pull ended.
    #[n(1)]
    pub cursor: Option<Cursor>,
    /// Only this lane, or all of them, as in [`Pull`].
    #[n(2)]
    pub lane: Option<Lane>,
    /// How long to wait at most (seconds); the relay may answer earlier.
    #[n(3)]
    pub seconds: u16,
    /// Replay protection.
    #[n(4)]
    pub freshness: Freshness,
}

/// Answer to [`Wait`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Waited {
    /// A pull would bring something; otherwise the time is over.
    #[n(0)]
    pub changed: bool,
}

impl Waited {
    /// The body of the answer: none (204) when the time is over.
    pub fn to_answer(self) -> Vec<u8> {
        if self.changed { self.to_bytes() } else { Vec::new() }
    }
}

/// Why a frame is refused before anything is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not the frame that the path calls for. Remedy: fix or update the sender.
    #[error("not the frame of this path")]
    Malformed,
    /// More items than the limit. Remedy: send fewer at a time.
    #[error("too many items in one frame")]
    TooMany,
    /// A row stands in a lane that this path does not take. Remedy: use the other path.
    #[error("a row of another lane")]
    Lane,
    /// Names of rows that are not strictly ascending, or none. Remedy: sort them, each once.
    #[error("row names out of order")]
    Order,
}

/// A list of row names shows nothing but the set: ascending, each once.
fn check_names(rows: &[RowName]) -> Result<(), FrameError> {
    if rows.len() > DELETION_ROWS_MAX_COUNT {
        return Err(FrameError::TooMany);
    }
    if rows.is_empty() || rows.windows(2).any(|pair| pair[0] >= pair[1]) { Err(FrameError::Order) } else { Ok(()) }
}

impl From<CborError> for FrameError {
    fn from(_: CborError) -> Self {
        Self::Malformed
    }
}

/// A frame with its own bounds, checked after decoding.
pub trait Frame: Sized + Encode<()> + for<'b> Decode<'b, ()> {
    /// Checks counts and lanes.
    fn check(&self) -> Result<(), FrameError> {
        Ok(())
    }
    /// Decodes strictly and checks the bounds. The caller has bounded the bytes.
    fn from_bytes(bytes: &[u8]) -> Result<Self, FrameError> {
        let frame: Self = cbor::decode(bytes)?;
        frame.check()?;
        Ok(frame)
    }
    /// Encodes.
    fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }
}

impl Frame for Signed {}
impl Frame for Claim {}
impl Frame for KeyChange {}
impl Frame for Pull {}
impl Frame for Pushed {}
impl Frame for Done {}
impl Frame for Scheduled {}
impl Frame for Pending {}
impl Frame for Vetoed {}
impl Frame for Wait {}
impl Frame for Waited {}
impl Frame for Deletion {
    fn check(&self) -> Result<(), FrameError> {
        check_names(&self.rows)
    }
}
impl Frame for Veto {
    fn check(&self) -> Result<(), FrameError> {
        check_names(&self.rows)
    }
}
impl Frame for PendingRows {
    fn check(&self) -> Result<(), FrameError> {
        // one batch a day, the day itself included
        if self.batches.len() > usize::from(DELETION_PENDING_DAYS) + 2 {
            return Err(FrameError::TooMany);
        }
        self.batches.iter().filter(|batch| !batch.rows.is_empty()).try_for_each(|batch| check_names(&batch.rows))
    }
}
impl Frame for Fetch {
    fn check(&self) -> Result<(), FrameError> {
        if self.ids.len() > PUSH_ROWS_MAX_COUNT { Err(FrameError::TooMany) } else { Ok(()) }
    }
}
impl Frame for Pulled {
    fn check(&self) -> Result<(), FrameError> {
        let listed = self.listing.as_ref().map_or(0, Vec::len);
        if self.rows.len() > 2 * PUSH_ROWS_MAX_COUNT || listed > LISTING_MAX_COUNT { Err(FrameError::TooMany) } else { Ok(()) }
    }
}
impl Frame for Push {
    fn check(&self) -> Result<(), FrameError> {
        if self.rows.len() > PUSH_ROWS_MAX_COUNT {
            return Err(FrameError::TooMany);
        }
        if self.rows.iter().any(|row| row.lane() == Lane::Announce) { Err(FrameError::Lane) } else { Ok(()) }
    }
}
impl Frame for Announce {
    fn check(&self) -> Result<(), FrameError> {
        if self.rows.is_empty() || self.rows.len() > ANNOUNCEMENT_PARTS_MAX_COUNT {
            return Err(FrameError::TooMany);
        }
        if self.rows.iter().any(|row| row.lane() != Lane::Announce) { Err(FrameError::Lane) } else { Ok(()) }
    }
}

/// Why a relay refused: the last part of a problem's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemCode {
    /// Not a frame, or not within its limits. Remedy: update the app.
    Malformed,
    /// Larger than the relay takes. Remedy: send less at a time.
    TooLarge,
    /// No such mailbox, or the signature fits none of its keys. Remedy: catch up with a colleague's phone.
    Refused,
    /// The request's time is too far from the relay's. Remedy: repeat with the relay's time.
    ClockSkew,
    /// The same request was seen before. Remedy: sign a new one.
    Replayed,
    /// Another turn is newer (409). Remedy: pull first.
    NotNewest,
    /// The mailbox is already claimed, or a newer generation of keys is in force (409). Remedy: pull first.
    Superseded,
    /// The mailbox is full. Remedy: ask the operator for more room.
    QuotaExceeded,
    /// Too many requests. Remedy: wait.
    RateLimited,
    /// The relay's disk refuses writes. Remedy: tell the operator; reading goes on.
    StorageFull,
    /// The relay failed inside. Remedy: try again later.
    Internal,
}

impl ProblemCode {
    /// All codes.
    pub const ALL: [Self; 11] = [
        Self::Malformed,
        Self::TooLarge,
        Self::Refused,
        Self::ClockSkew,
        Self::Replayed,
        Self::NotNewest,
        Self::Superseded,
        Self::QuotaExceeded,
        Self::RateLimited,
        Self::StorageFull,
        Self::Internal,
    ];

    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Refused => "refused",
            Self::ClockSkew => "clock_skew",
            Self::Replayed => "replayed",
            Self::NotNewest => "not_newest",
            Self::Superseded => "superseded",
            Self::QuotaExceeded => "quota_exceeded",
            Self::RateLimited => "rate_limited",
            Self::StorageFull => "storage_full",
            Self::Internal => "internal",
        }
    }

    /// The HTTP status that goes with it.
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::TooLarge => 413,
            Self::Refused | Self::ClockSkew | Self::Replayed => 401,
            Self::NotNewest | Self::Superseded => 409,
            Self::QuotaExceeded | Self::StorageFull => 507,
            Self::RateLimited => 429,
            Self::Internal => 500,
        }
    }

    /// The code of a text.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.as_str() == code)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn row(lane: Lane) -> Row {
        let mut bytes = vec![7; 512];
        bytes[0] = lane.byte();
        Row::parse(bytes).unwrap()
    }

    #[test]
    fn a_push_takes_no_announcement() {
        let freshness = Freshness { time: 1, nonce: [0; 12] };
        let mut push = Push { mailbox: MailboxId::from_bytes([1; 16]), rows: vec![row(Lane::Records)], cursor: None, freshness };
        assert_eq!(Push::from_bytes(&push.to_bytes()).unwrap(), push);
        push.rows.push(row(Lane::Announce));
        assert_eq!(Push::from_bytes(&push.to_bytes()), Err(FrameError::Lane));
        push.rows = vec![row(Lane::Records); PUSH_ROWS_MAX_COUNT + 1];
        assert_eq!(Push::from_bytes(&push.to_bytes()), Err(FrameError::TooMany));
    }

    #[test]
    fn a_signature_names_its_path() {
        assert_ne!(Endpoint::Pull.signing_bytes(b"x"), Endpoint::Push.signing_bytes(b"x"));
    }

    #[test]
    fn a_batch_is_sorted_and_each_name_stands_once() {
        let name = |n: u8| RowName::from_bytes([n; 16]);
        let batch = |rows: Vec<RowName>| {
            Deletion { mailbox: MailboxId::from_bytes([1; 16]), rows, freshness: Freshness { time: 1, nonce: [0; 12] } }.to_bytes()
        };
        assert!(Deletion::from_bytes(&batch(vec![name(1), name(2)])).is_ok());
        for rows in [vec![], vec![name(2), name(1)], vec![name(1), name(1)]] {
            assert_eq!(Deletion::from_bytes(&batch(rows)), Err(FrameError::Order));
        }
        let mut many: Vec<RowName> = (0..=DELETION_ROWS_MAX_COUNT as u64)
            .map(|n| RowName::from_bytes([n.to_be_bytes(), [0; 8]].concat().try_into().unwrap()))
            .collect();
        assert_eq!(Deletion::from_bytes(&batch(many.clone())), Err(FrameError::TooMany));
        many.pop();
        assert!(Deletion::from_bytes(&batch(many)).is_ok());
    }
}
