//! Turns: a fresh random secret, sealed to every entitled device, naming what its maker knew.
//!
//! ```text
//! turn         = CBOR [ signed bytes, signature (64) ]
//! signed       = CBOR map { 0: version 1, 1: team, 2: turn id, 3: maker, 4: parents, 5: recipients, 6: log heads,
//!                           7: day, 8: control key change (public, signature), absent when unchanged }
//! announcement = box count (2, LE) ‖ boxes (1,203 each, shuffled) ‖ AEAD(announce lane key of the turn): payload
//! box          = HPKE X-Wing to a receiving key: class (1) ‖ records or commons secret (32) ‖ extra (1) ‖ extra key (32)
//! extra        = 0 nothing, 1 control key seed (for stewards), 2 escrow key (for the board, see `escrow`)
//! payload      = CBOR { 0: turn, 1: operations since the parents' heads, 2: turns in its past that the reader may lack,
//!                       3: what recovers the turn, sealed under the escrow key, when recovery is set up }
//! turn id      = KDF(commons secret); commons secret = KDF(records secret)
//! ```
//!
//! The id is derived from the secret one-way, so nobody can box another secret under a signed turn. Boxes
//! are counted up to 8, 32, 128, 256, 512 or 1,024 with boxes to nobody. A turn's number is one more than
//! the highest of its parents'; a turn with an unknown parent is held.

use super::escrow::{self, Escrowed};
use super::operation::Operation;
use crate::crypto::{self, Aad, Nonce, ReceivingKey, ReceivingPublicKey, Signature, SigningKey, VerifyingKey, labels};
use crate::crypto::{CommonsSecret, EscrowKey, LaneKey, RecordsSecret};
use crate::env::Env;
use crate::rules::Rule;
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::{DeviceId, OperationId, TeamId, TurnId};
use satchel_wire::limits::{ANNOUNCEMENT_MAX_BYTES, DEVICES_MAX_COUNT, PARENTS_MAX_COUNT};
use zeroize::Zeroizing;

/// Plaintext of one box (bytes): class, secret, steward flag, control seed.
const BOX_PLAIN_BYTES: usize = 1 + 32 + 1 + 32;
/// One box (bytes).
pub const BOX_BYTES: usize = BOX_PLAIN_BYTES + crypto::BOX_OVERHEAD_BYTES;
/// The extra key of a box is the control key's seed.
const EXTRA_CONTROL: u8 = 1;
/// The extra key of a box is the announcement's escrow key.
const EXTRA_ESCROW: u8 = 2;
/// Box counts that a relay may see.
const BOX_COUNTS: [usize; 6] = [8, 32, 128, 256, 512, 1_024];

/// What a recipient's box holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum RecipientClass {
    /// The records secret: stewards and workers.
    #[n(1)]
    Records,
    /// The commons secret only: the board.
    #[n(2)]
    Commons,
    /// The recovery key on paper. Never a box of its own: what it opens lies under the board's escrow key.
    #[n(3)]
    Recovery,
}

/// Who is to open a turn, and with which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Recipient {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// What it gets.
    #[n(1)]
    pub class: RecipientClass,
    /// First 8 bytes of the hash of its receiving key.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub key: [u8; 8],
}

/// A new control key of the relay mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ControlChange {
    /// Public half; the seed lies in stewards' boxes.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub public: [u8; 32],
    /// Signed by the last control key or the reseat key; absent in the first.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: Option<[u8; 64]>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Unsigned {
    #[n(0)]
    version: u8,
    #[n(1)]
    team: TeamId,
    #[n(2)]
    id: TurnId,
    #[n(3)]
    maker: DeviceId,
    #[n(4)]
    parents: Vec<TurnId>,
    #[n(5)]
    recipients: Vec<Recipient>,
    #[n(6)]
    log_heads: Vec<OperationId>,
    #[n(7)]
    day: ShiftDay,
    #[n(8)]
    control: Option<ControlChange>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Signed {
    #[cbor(n(0), with = "minicbor::bytes")]
    signed: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    signature: [u8; 64],
}

#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
struct Payload {
    #[cbor(n(0), with = "minicbor::bytes")]
    turn: Vec<u8>,
    #[n(1)]
    operations: Vec<minicbor::bytes::ByteVec>,
    #[n(2)]
    past: Vec<minicbor::bytes::ByteVec>,
    #[n(3)]
    recovery: Option<minicbor::bytes::ByteVec>,
}

/// Why a turn or an announcement is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TurnError {
    /// Breaks the format or its bounds.
    #[error("not a turn")]
    Malformed,
    /// No box opens with this device's receiving keys. Remedy: ask a colleague's phone for a box.
    #[error("no box for this device's receiving keys")]
    NotForUs,
    /// The secret does not belong to the turn that was signed.
    #[error("a box that holds another secret")]
    WrongSecret,
    /// Not signed by its maker, or its maker was not entitled.
    #[error("a turn that no entitled device signed")]
    NotEntitled,
    /// A parent, or a log head that it names, is unknown here. Remedy: hold it.
    #[error("a turn on top of something unknown")]
    UnknownPast,
    /// It lacks a ban that this device knows (rule T3).
    #[error("a turn that lacks a known ban")]
    LacksBan,
    /// Sealing failed: a size is out of bounds.
    #[error("a turn that cannot be announced")]
    Seal,
}

impl TurnError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "turn_malformed",
            Self::NotForUs => "turn_not_for_us",
            Self::WrongSecret => "turn_wrong_secret",
            Self::NotEntitled => "turn_not_entitled",
            Self::UnknownPast => "turn_unknown_past",
            Self::LacksBan => "turn_lacks_ban",
            Self::Seal => "turn_seal",
        }
    }
}

/// A signed turn: public among members; the secret travels in boxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    content: Unsigned,
    signed: Vec<u8>,
    signature: Signature,
}

/// What a turn's maker states.
#[derive(Debug)]
pub struct TurnDraft {
    /// The team.
    pub team: TeamId,
    /// Every live turn that its maker knows.
    pub parents: Vec<TurnId>,
    /// Whom it is sealed to.
    pub recipients: Vec<Recipient>,
    /// Heads of the team log.
    pub log_heads: Vec<OperationId>,
    /// The day its maker saw.
    pub day: ShiftDay,
    /// A new control key.
    pub control: Option<ControlChange>,
}

impl Turn {
    /// Writes and signs a turn around a secret.
    pub fn write(signer: &SigningKey, secret: &RecordsSecret, draft: TurnDraft) -> Self {
        let TurnDraft { team, mut parents, mut recipients, mut log_heads, day, control } = draft;
        parents.sort_unstable();
        recipients.sort_unstable();
        log_heads.sort_unstable();
        let id = secret.derive_commons().derive_turn_id();
        let maker = signer.verifying_key().device_id();
        let content = Unsigned { version: 1, team, id, maker, parents, recipients, log_heads, day, control };
        let signed = cbor::encode(&content);
        let signature = signer.sign(labels::SIGN_TURN, &signed);
        Self { content, signed, signature }
    }

    /// Decodes strictly. Errors: [`TurnError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TurnError> {
        if bytes.len() > ANNOUNCEMENT_MAX_BYTES {
            return Err(TurnError::Malformed);
        }
        let envelope: Signed = cbor::decode(bytes).map_err(|_| TurnError::Malformed)?;
        let content: Unsigned = cbor::decode(&envelope.signed).map_err(|_| TurnError::Malformed)?;
        let shape = content.version == 1
            && content.parents.len() <= PARENTS_MAX_COUNT
            && content.recipients.len() <= DEVICES_MAX_COUNT
            && !content.log_heads.is_empty()
            && content.log_heads.len() <= PARENTS_MAX_COUNT
            && content.parents.is_sorted_by(|a, b| a < b)
            && content.recipients.is_sorted_by(|a, b| a.device < b.device)
            && content.log_heads.is_sorted_by(|a, b| a < b);
        if !shape {
            return Err(TurnError::Malformed);
        }
        Ok(Self { content, signed: envelope.signed, signature: Signature::from_bytes(envelope.signature) })
    }

    /// Encodes.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(&Signed { signed: self.signed.clone(), signature: *self.signature.as_bytes() })
    }
    /// Its id.
    pub const fn id(&self) -> TurnId {
        self.content.id
    }
    /// The team.
    pub const fn team(&self) -> TeamId {
        self.content.team
    }
    /// Who made it.
    pub const fn maker(&self) -> DeviceId {
        self.content.maker
    }
    /// What it replaces.
    pub fn parents(&self) -> &[TurnId] {
        &self.content.parents
    }
    /// Whom it was sealed to.
    pub fn recipients(&self) -> &[Recipient] {
        &self.content.recipients
    }
    /// The log as its maker knew it.
    pub fn log_heads(&self) -> &[OperationId] {
        &self.content.log_heads
    }
    /// The day its maker saw.
    pub const fn day(&self) -> ShiftDay {
        self.content.day
    }
    /// The control key from here on, when it changes.
    pub const fn control(&self) -> Option<&ControlChange> {
        self.content.control.as_ref()
    }
    /// Whether the signature is this key's, and the key the maker's.
    pub fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        key.device_id() == self.content.maker && key.verify(labels::SIGN_TURN, &self.signed, &self.signature).is_ok()
    }
}

/// What this device holds of a turn.
#[derive(Debug)]
pub enum TurnSecret {
    /// Everything.
    Records(RecordsSecret),
    /// Log, charter, frontiers and complaints only.
    Commons(CommonsSecret),
}

impl TurnSecret {
    /// The commons secret.
    pub fn commons(&self) -> CommonsSecret {
        match self {
            Self::Records(secret) => secret.derive_commons(),
            Self::Commons(secret) => secret.duplicate(),
        }
    }
    /// The records lane key, for holders of the records secret.
    pub fn records_lane_key(&self) -> Option<LaneKey> {
        match self {
            Self::Records(secret) => Some(secret.derive_records_lane_key()),
            Self::Commons(_) => None,
        }
    }
    /// Whether this turn's records can be read and written.
    pub const fn reads_records(&self) -> bool {
        matches!(self, Self::Records(_))
    }
}

/// A device to be boxed to.
#[derive(Debug)]
pub struct BoxFor<'a> {
    /// Its newest receiving key.
    pub key: &'a ReceivingPublicKey,
    /// What it gets.
    pub class: RecipientClass,
    /// The control seed, for stewards and for recovery.
    pub control: Option<&'a [u8; 32]>,
}

impl BoxFor<'_> {
    const fn is_recovery(&self) -> bool {
        matches!(self.class, RecipientClass::Recovery)
    }
}

/// Writes an announcement. A recipient of class [`RecipientClass::Recovery`] gets no box: what recovers the turn goes
/// into the payload, under an escrow key that the board's boxes carry, and nowhere without a board. `rounded` adds boxes to nobody up to the next count that a relay may see.
///
/// Errors: [`TurnError::NotForUs`] when only the commons secret is held but a records box is asked for,
/// [`TurnError::Seal`] above the size limit.
pub fn announce(
    env: &Env,
    turn: &Turn,
    secret: &TurnSecret,
    boxes: &[BoxFor<'_>],
    operations: &[&Operation],
    past: &[&Turn],
    rounded: bool,
) -> Result<Vec<u8>, TurnError> {
    let aad = Aad::new(labels::BOX_RECORDS).add(turn.team().as_bytes());
    let recovery = boxes.iter().find(|wanted| wanted.is_recovery());
    let has_board = boxes.iter().any(|wanted| wanted.class == RecipientClass::Commons);
    let escrowed = match (recovery, secret) {
        (Some(wanted), TurnSecret::Records(secret)) if has_board => {
            Some(escrow::seal(env, wanted.key, turn.team(), turn.id(), secret, wanted.control)?)
        }
        _ => None,
    };
    // without the rule, the recovery key is a recipient like any other: what a relay kept is then open to paper
    let is_boxed = |wanted: &&BoxFor<'_>| !wanted.is_recovery() || !env.holds(Rule::EscrowRecovery);
    let wanted_count = boxes.iter().filter(is_boxed).count();
    let count = if rounded && env.is_padded() {
        *BOX_COUNTS.iter().find(|count| **count >= wanted_count).ok_or(TurnError::Seal)?
    } else {
        wanted_count
    };
    let mut sealed = Vec::with_capacity(count);
    for wanted in boxes.iter().filter(is_boxed) {
        let mut plain = Zeroizing::new([0; BOX_PLAIN_BYTES]);
        match (wanted.class, secret) {
            (RecipientClass::Records | RecipientClass::Recovery, TurnSecret::Records(secret)) => {
                plain[0] = if wanted.is_recovery() { 3 } else { 1 };
                plain[1..33].copy_from_slice(secret.expose());
            }
            (RecipientClass::Commons, secret) => {
                plain[0] = 2;
                plain[1..33].copy_from_slice(secret.commons().expose());
            }
            _ => return Err(TurnError::NotForUs),
        }
        if let Some(control) = wanted.control {
            plain[33] = EXTRA_CONTROL;
            plain[34..].copy_from_slice(control);
        } else if let (RecipientClass::Commons, Some((key, _))) = (wanted.class, &escrowed) {
            plain[33] = EXTRA_ESCROW;
            plain[34..].copy_from_slice(key.expose());
        }
        sealed.push(crypto::seal_box(env, wanted.key, &aad, plain.as_slice()).map_err(|_| TurnError::Seal)?);
    }
    while sealed.len() < count {
        // to a key that nobody keeps: not to be told from a real one
        let nobody = ReceivingKey::make(env).public_key().map_err(|_| TurnError::Seal)?;
        sealed.push(crypto::seal_box(env, &nobody, &aad, &[0; BOX_PLAIN_BYTES]).map_err(|_| TurnError::Seal)?);
    }
    shuffle(env, &mut sealed);
    let payload = Payload {
        turn: turn.to_bytes(),
        operations: operations.iter().map(|operation| operation.to_bytes().into()).collect(),
        past: past.iter().map(|turn| turn.to_bytes().into()).collect(),
        recovery: escrowed.map(|(_, sealed)| sealed.into()),
    };
    let lane = secret.commons().derive_announce_lane_key();
    let aad = Aad::new(labels::ANNOUNCEMENT).add(turn.team().as_bytes());
    let payload = crypto::seal(&lane, Nonce::make(env), &aad, &cbor::encode(&payload)).map_err(|_| TurnError::Seal)?;
    let mut bytes = Vec::with_capacity(2 + count * BOX_BYTES + payload.len());
    bytes.extend_from_slice(&u16::try_from(count).map_err(|_| TurnError::Seal)?.to_le_bytes());
    sealed.iter().for_each(|sealed| bytes.extend_from_slice(sealed));
    bytes.extend_from_slice(&payload);
    if bytes.len() > ANNOUNCEMENT_MAX_BYTES { Err(TurnError::Seal) } else { Ok(bytes) }
}

/// Fisher-Yates with rejection-free 64-bit draws: the bias is below 2^-50.
fn shuffle<T>(env: &Env, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        let draw = u64::from_le_bytes(env.random()) % (last as u64 + 1);
        items.swap(last, draw as usize);
    }
}

/// An announcement that a receiving key opened. Nothing in it is believed yet.
#[derive(Debug)]
pub struct OpenedTurn {
    /// The turn.
    pub turn: Turn,
    /// The secret.
    pub secret: TurnSecret,
    /// The control key seed, for stewards.
    pub control: Option<Zeroizing<[u8; 32]>>,
    /// Encoded operations that came along.
    pub operations: Vec<Vec<u8>>,
    /// Turns in its past that came along.
    pub past: Vec<Turn>,
    /// What recovers the turn, still sealed to the key on paper: for the board only.
    pub recovery: Option<Escrowed>,
}

/// Opens an announcement with this device's receiving keys.
///
/// Errors: [`TurnError::NotForUs`] when no box opens, [`TurnError::WrongSecret`] when the box belongs to another
/// turn, [`TurnError::Malformed`].
pub fn open_announcement(team: TeamId, keys: &[ReceivingKey], bytes: &[u8]) -> Result<OpenedTurn, TurnError> {
    let (count, rest) = bytes.split_first_chunk::<2>().ok_or(TurnError::Malformed)?;
    let count = usize::from(u16::from_le_bytes(*count));
    if count == 0 || count > DEVICES_MAX_COUNT || bytes.len() > ANNOUNCEMENT_MAX_BYTES {
        return Err(TurnError::Malformed);
    }
    let (boxes, payload) = rest.split_at_checked(count * BOX_BYTES).ok_or(TurnError::Malformed)?;
    let aad = Aad::new(labels::BOX_RECORDS).add(team.as_bytes());
    let plain = boxes.chunks_exact(BOX_BYTES).find_map(|sealed| keys.iter().find_map(|key| crypto::open_box(key, &aad, sealed).ok()));
    let plain = plain.ok_or(TurnError::NotForUs)?;
    let inside: &[u8; BOX_PLAIN_BYTES] = plain.as_slice().try_into().map_err(|_| TurnError::Malformed)?;
    let secret_bytes = Zeroizing::new(<[u8; 32]>::try_from(&inside[1..33]).map_err(|_| TurnError::Malformed)?);
    let secret = match inside[0] {
        1 | 3 => TurnSecret::Records(RecordsSecret::from_bytes(&secret_bytes)),
        2 => TurnSecret::Commons(CommonsSecret::from_bytes(&secret_bytes)),
        _ => return Err(TurnError::Malformed),
    };
    let extra = Zeroizing::new(<[u8; 32]>::try_from(&inside[34..]).map_err(|_| TurnError::Malformed)?);
    let (control, escrow_key) = match (inside[33], inside[0]) {
        (0, _) => (None, None),
        (EXTRA_CONTROL, _) => (Some(extra), None),
        (EXTRA_ESCROW, 2) => (None, Some(EscrowKey::from_bytes(&extra))),
        _ => return Err(TurnError::Malformed),
    };
    let commons = secret.commons();
    let aad = Aad::new(labels::ANNOUNCEMENT).add(team.as_bytes());
    let payload = crypto::open(&commons.derive_announce_lane_key(), &aad, payload).map_err(|_| TurnError::WrongSecret)?;
    let payload: Payload = minicbor::decode(&payload).map_err(|_| TurnError::Malformed)?;
    let turn = Turn::from_bytes(&payload.turn)?;
    if turn.team() != team {
        return Err(TurnError::Malformed);
    }
    if commons.derive_turn_id() != turn.id() {
        return Err(TurnError::WrongSecret);
    }
    // a maker who seals nonsense here keeps the turn from being recovered, which the board's status says
    let recovery = escrow_key.zip(payload.recovery).and_then(|(key, sealed)| escrow::open(&key, team, turn.id(), &sealed));
    let past = payload.past.iter().map(|bytes| Turn::from_bytes(bytes)).collect::<Result<_, _>>()?;
    Ok(OpenedTurn { turn, secret, control, operations: payload.operations.into_iter().map(Into::into).collect(), past, recovery })
}
