//! Operations of the team log: a hash-linked DAG of signed membership, charter and erasure decisions.
//!
//! ```text
//! operation = CBOR [ signed bytes, signature (64) ]
//! signed    = CBOR map { 0: version 1, 1: team (absent in `found`), 2: author device, 3: parents, 4: day, 5: action }
//! id        = BLAKE3 derive_key("… operation id", signed); parents are sorted ids; a team's id is the
//!             hash of its founding operation's id
//! ```
//!
//! The log knows device keys and roles only: how a member is called is an erasable record. An action of a
//! later version is held, not refused.

use crate::complaint::Bulletin;
use crate::consent::Charter;
use crate::crypto::{self, Signature, SigningKey, VerifyingKey, labels};
use minicbor::{Decode, Encode};
use satchel_wire::ShiftDay;
use satchel_wire::cbor;
use satchel_wire::ids::{BodyId, DeviceId, MemberId, OperationId, TeamId};
use satchel_wire::limits::{LOG_OPERATION_MAX_BYTES, PARENTS_MAX_COUNT};

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// Admits and removes members; does everything that a worker does.
    #[n(1)]
    Steward,
    /// Reads and writes records.
    #[n(2)]
    Worker,
    /// The community board: reads complaints and co-signs the charter; holds no key to records.
    #[n(3)]
    Board,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Steward, Self::Worker, Self::Board];
    /// Whether records are sealed to this role.
    pub const fn reads_records(self) -> bool {
        matches!(self, Self::Steward | Self::Worker)
    }
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Steward => "steward",
            Self::Worker => "worker",
            Self::Board => "board",
        }
    }
    /// The role of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// Where a device's accepted work ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Cut {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// Last accepted sequence; 0 accepts nothing.
    #[n(1)]
    pub sequence: u32,
    /// Body id at that sequence.
    #[n(2)]
    pub body: Option<BodyId>,
}

/// A device as it enters the log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DeviceKeys {
    /// Ed25519 key; the device's id is its hash.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub signing: [u8; 32],
    /// First receiving key (X-Wing, 1,216 bytes); frontiers replace it.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub receiving: Vec<u8>,
}

/// What an operation does.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Action {
    /// Founds a team: its first member is a steward. Afterwards the founder has no special power.
    #[n(0)]
    Found {
        /// The first member.
        #[n(0)]
        member: MemberId,
        /// Their device.
        #[n(1)]
        device: DeviceKeys,
        /// The charter.
        #[n(2)]
        charter: Charter,
        /// Public half of the reseat key that was printed on paper.
        #[cbor(n(3), with = "minicbor::bytes")]
        reseat: [u8; 32],
        /// Random, so that two teams never share an id.
        #[cbor(n(4), with = "minicbor::bytes")]
        salt: [u8; 16],
    },
    /// Admits a device: of a new member, or another one of a member.
    #[n(1)]
    Admit {
        /// The member.
        #[n(0)]
        member: MemberId,
        /// The device.
        #[n(1)]
        device: DeviceKeys,
        /// The member's role (a known member keeps theirs).
        #[n(2)]
        role: Role,
        /// Hash of the invitation; a second admission with the same one is void.
        #[cbor(n(3), with = "minicbor::bytes")]
        invitation: [u8; 16],
    },
    /// Changes a member's role; a demotion is a ban.
    #[n(2)]
    ChangeRole {
        /// The member.
        #[n(0)]
        member: MemberId,
        /// The new role.
        #[n(1)]
        role: Role,
        /// Where the work in the former role ends.
        #[n(2)]
        cuts: Vec<Cut>,
    },
    /// Suspends a member: every cryptographic effect of a removal.
    #[n(3)]
    Suspend {
        /// The member.
        #[n(0)]
        member: MemberId,
        /// Where their accepted work ends.
        #[n(1)]
        cuts: Vec<Cut>,
    },
    /// Removes a member with all devices.
    #[n(4)]
    RemoveMember {
        /// The member.
        #[n(0)]
        member: MemberId,
        /// Where their accepted work ends.
        #[n(1)]
        cuts: Vec<Cut>,
    },
    /// Removes one device.
    #[n(5)]
    RemoveDevice {
        /// Where its accepted work ends.
        #[n(0)]
        cut: Cut,
    },
    /// Accepts bodies beyond a cut.
    #[n(6)]
    Adopt {
        /// The bodies.
        #[n(0)]
        bodies: Vec<BodyId>,
    },
    /// Signed by the paper reseat key: removes devices, seats a steward, admits their device, sets the control key.
    /// It opens no record.
    #[n(7)]
    Reseat {
        /// Devices to remove: lost ones, or those of a steward who turned.
        #[n(0)]
        remove: Vec<Cut>,
        /// A member to make an active steward; with `device` it may be a new one.
        #[n(1)]
        steward: Option<MemberId>,
        /// A device to admit for that member: after every phone was lost there is nobody else to admit it.
        #[n(2)]
        device: Option<DeviceKeys>,
        /// The relay mailbox's next control key.
        #[cbor(n(3), with = "minicbor::bytes")]
        control: Option<[u8; 32]>,
        /// Public half of the next reseat key; the printed one is spent then.
        #[cbor(n(4), with = "minicbor::bytes")]
        next: Option<[u8; 32]>,
    },
    /// Erases: single records, everything about one subject (also what arrives later), one kind of vault fact of a
    /// subject, or the whole team's records.
    #[n(8)]
    Tombstone {
        /// Salt of the tokens.
        #[cbor(n(0), with = "minicbor::bytes")]
        salt: [u8; 16],
        /// Keyed hashes of record ids: none, or padded with random ones to 8 or 32.
        #[n(1)]
        records: Vec<Token>,
        /// Keyed hash of one subject's id.
        #[n(2)]
        subject: Option<Token>,
        /// Keyed hash of one subject's id and one vault category.
        #[n(3)]
        category: Option<Token>,
        /// Every record of the team.
        #[n(4)]
        team: bool,
        /// The record that carries the values of the (single) erased one on: its history is dropped, not its content.
        #[n(5)]
        successor: Option<Token>,
    },
    /// Adds a second member's signature to an operation.
    #[n(9)]
    Countersign {
        /// The operation.
        #[n(0)]
        operation: OperationId,
    },
    /// Changes the charter.
    #[n(10)]
    ChangeCharter {
        /// The new charter. One that loosens anything (sunset included) has no effect until a board member's
        /// countersignature stands in the log.
        #[n(0)]
        charter: Charter,
    },
    /// Ends a suspension. Of a steward: no effect until a second steward or board member countersigns.
    #[n(11)]
    Reinstate {
        /// The member.
        #[n(0)]
        member: MemberId,
    },
    /// A steward's answer to "this phone was copied or restored": it may go on, and its chain continues after this body.
    #[n(12)]
    Resume {
        /// The device, and the last body of its chain that counts.
        #[n(0)]
        cut: Cut,
    },
    /// Sets or clears the paper key that recovers the team when every phone is lost. Needs a board in the team.
    #[n(13)]
    SetRecovery {
        /// X-Wing public key (1,216 bytes) whose private half is split into printed shares; none switches recovery off.
        #[cbor(n(0), with = "minicbor::bytes")]
        key: Option<Vec<u8>>,
        /// How many shares open it.
        #[n(1)]
        threshold: u8,
        /// How many shares were printed.
        #[n(2)]
        shares: u8,
    },
    /// Joins heads that know nothing of each other, and does nothing else: whoever begins a turn has to name all that is
    /// known, and an operation has room for 64 heads.
    #[n(14)]
    Join,
    /// Carries a bulletin of the board to every phone. It is signed by the board's own key, so it matters little who
    /// entered it; it changes nothing in the fold.
    #[n(20)]
    Bulletin {
        /// The bulletin, signed by the key that the charter names.
        #[cbor(n(0), with = "minicbor::bytes")]
        bytes: Vec<u8>,
    },
}

/// A keyed hash of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Token(#[cbor(with = "minicbor::bytes")] pub [u8; 16]);

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Unsigned {
    #[n(0)]
    version: u8,
    #[n(1)]
    team: Option<TeamId>,
    #[n(2)]
    author: DeviceId,
    #[n(3)]
    parents: Vec<OperationId>,
    #[n(4)]
    day: ShiftDay,
    #[n(5)]
    action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Signed {
    #[cbor(n(0), with = "minicbor::bytes")]
    signed: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    signature: [u8; 64],
}

/// Why bytes are not an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// Breaks the format or its bounds: refused for ever.
    #[error("not an operation of the team log")]
    Malformed,
    /// A later version wrote it: held.
    #[error("an operation of a later version")]
    Newer,
}

/// A decoded operation. Its signature is checked by the log, which knows the author's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    id: OperationId,
    content: Unsigned,
    signed: Vec<u8>,
    signature: Signature,
}

impl Operation {
    /// Writes and signs an operation. `team` is none only for a founding.
    pub fn write(signer: &SigningKey, team: Option<TeamId>, mut parents: Vec<OperationId>, day: ShiftDay, action: Action) -> Self {
        parents.sort_unstable();
        parents.dedup();
        let content = Unsigned { version: 1, team, author: signer.verifying_key().device_id(), parents, day, action };
        let signed = cbor::encode(&content);
        let signature = signer.sign(labels::SIGN_OPERATION, &signed);
        Self { id: id_of(&signed), content, signed, signature }
    }

    /// Decodes strictly. Errors: [`OperationError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OperationError> {
        if bytes.len() > LOG_OPERATION_MAX_BYTES {
            return Err(OperationError::Malformed);
        }
        let envelope: Signed = cbor::decode(bytes).map_err(|_| OperationError::Malformed)?;
        let content: Unsigned = match cbor::decode(&envelope.signed) {
            Ok(content) => content,
            Err(_) if claims_newer(&envelope.signed) => return Err(OperationError::Newer),
            Err(_) => return Err(OperationError::Malformed),
        };
        // a later version may well look like this one; what it means is for the app that knows it
        if content.version > 1 {
            return Err(OperationError::Newer);
        }
        // so is a bulletin of a later version: it is judged by the app that reads it, and never refused by one that cannot
        if matches!(&content.action, Action::Bulletin { bytes } if Bulletin::claims_later(bytes)) {
            return Err(OperationError::Newer);
        }
        let founding = matches!(content.action, Action::Found { .. });
        let shape = content.version == 1
            && content.parents.len() <= PARENTS_MAX_COUNT
            && content.parents.is_sorted_by(|a, b| a < b)
            && content.team.is_none() == founding
            && content.parents.is_empty() == founding;
        if !shape {
            return Err(OperationError::Malformed);
        }
        Ok(Self { id: id_of(&envelope.signed), content, signed: envelope.signed, signature: Signature::from_bytes(envelope.signature) })
    }

    /// Encodes.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(&Signed { signed: self.signed.clone(), signature: *self.signature.as_bytes() })
    }
    /// The hash of what was signed.
    pub const fn id(&self) -> OperationId {
        self.id
    }
    /// The device that signed it.
    pub const fn author(&self) -> DeviceId {
        self.content.author
    }
    /// The team; a founding operation names its own.
    pub fn team(&self) -> TeamId {
        self.content.team.unwrap_or_else(|| team_of(&self.id))
    }
    /// What came before.
    pub fn parents(&self) -> &[OperationId] {
        &self.content.parents
    }
    /// The day its author saw.
    pub const fn day(&self) -> ShiftDay {
        self.content.day
    }
    /// What it does.
    pub const fn action(&self) -> &Action {
        &self.content.action
    }
    /// Whether the signature is this key's, and the key the author's.
    pub fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        key.device_id() == self.content.author && key.verify(labels::SIGN_OPERATION, &self.signed, &self.signature).is_ok()
    }
    /// Whether this may be a ban, from here on to be named by every turn: a change of role is one where it demotes,
    /// which the fold decides.
    pub const fn is_ban(&self) -> bool {
        match &self.content.action {
            Action::Suspend { .. } | Action::RemoveMember { .. } | Action::RemoveDevice { .. } | Action::Tombstone { .. } => true,
            Action::ChangeRole { role, .. } => matches!(role, Role::Board | Role::Worker),
            Action::Reseat { remove, .. } => !remove.is_empty(),
            _ => false,
        }
    }
}

/// The id of the team that a founding operation founds.
pub fn team_of(founding: &OperationId) -> TeamId {
    TeamId::from_bytes(crypto::derive_id(labels::TEAM_ID, &[founding.as_bytes()]))
}

fn id_of(signed: &[u8]) -> OperationId {
    OperationId::from_bytes(crypto::derive_hash(labels::OPERATION_ID, &[signed]))
}

/// A map whose first pair is `0: version` with a version above ours.
fn claims_newer(signed: &[u8]) -> bool {
    let mut decoder = minicbor::Decoder::new(signed);
    let version = decoder.map().ok().flatten().and_then(|_| decoder.u8().ok()).filter(|key| *key == 0).and_then(|_| decoder.u64().ok());
    version.is_some_and(|version| version > 1)
}
