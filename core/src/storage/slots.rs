//! The key-slot file: exactly 4,096 bytes, replaced or overwritten as a whole.
//!
//! ```text
//! offset  bytes
//!      0      8  magic "SATCHSLT"
//!      8      2  version, little-endian: 1
//!     10     16  store id, random
//!     26   2048  8 slots of 256
//!   2074   1990  filler, random, so that a file of noise and a file of keys differ only in the slots
//!   4064     32  BLAKE3 of all before it
//!
//! slot    0  1  kind: 0 empty, 1 passphrase, 2 passphrase and keystore, 3 PIN and keystore, 4 recovery
//!         1  4  Argon2 memory in KiB, little-endian
//!         5  4  Argon2 passes
//!         9  4  Argon2 lanes
//!        13 16  salt
//!        29  1  length of the keystore alias
//!        30 32  keystore alias, zero after its length
//!        62  1  length of the wrapped store key
//!        63 192 wrapped store key, zero after its length
//!       255  1  reserved: zero
//! ```
//!
//! An empty slot is zero throughout. The checksum finds accidents, not attackers: the wrapping
//! authenticates the key. The Argon2 bounds are checked here, before anyone allocates by them.

use std::fmt;

/// Size of the file (bytes).
pub const SLOT_FILE_BYTES: usize = 4_096;
/// Slots in a file (count).
pub const SLOT_COUNT: usize = 8;
/// Random filler between slots and checksum (bytes).
pub const SLOT_FILLER_BYTES: usize = CHECKSUM_AT - FILLER_AT;

const MAGIC: &[u8; 8] = b"SATCHSLT";
const VERSION: u16 = 1;
const SLOTS_AT: usize = 26;
const SLOT_BYTES: usize = 256;
const FILLER_AT: usize = SLOTS_AT + SLOT_COUNT * SLOT_BYTES;
const CHECKSUM_AT: usize = SLOT_FILE_BYTES - 32;
const ALIAS_MAX_BYTES: usize = 32;
const WRAPPED_MAX_BYTES: usize = 192;

/// Why a slot file or slot is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// Not 4,096 bytes. Remedy: restore from the team.
    #[error("the slot file has the wrong size")]
    Size,
    /// Not a slot file. Remedy: restore from the team.
    #[error("not a slot file")]
    Magic,
    /// Written by a newer version. Remedy: update the app.
    #[error("the slot file has version {found}, this app reads up to {VERSION}")]
    Newer {
        /// Version found.
        found: u16,
    },
    /// The checksum does not match, or version 0. Remedy: restore from the team.
    #[error("the slot file is damaged")]
    Damaged,
    /// A kind that this version does not know. Remedy: update the app.
    #[error("unknown kind of slot")]
    Kind,
    /// Argon2 parameters outside 19-256 MiB, 1-16 passes, 1-4 lanes. Remedy: refuse to derive; the file was crafted.
    #[error("Argon2 parameters outside the allowed range")]
    Parameters,
    /// Alias or wrapped key is missing, too long, or present where the kind has none. Remedy: none; the file was crafted.
    #[error("a slot field has the wrong length")]
    Length,
    /// Bytes that must be zero are not. Remedy: update the app.
    #[error("reserved bytes are in use")]
    Reserved,
}

impl SlotError {
    /// A stable name for logs and bindings.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Size => "slots.size",
            Self::Magic => "slots.magic",
            Self::Newer { .. } => "slots.newer",
            Self::Damaged => "slots.damaged",
            Self::Kind => "slots.kind",
            Self::Parameters => "slots.parameters",
            Self::Length => "slots.length",
            Self::Reserved => "slots.reserved",
        }
    }
}

/// What opens a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotKind {
    /// A passphrase alone.
    Passphrase,
    /// A passphrase and a secret in the platform's keystore.
    PassphraseKeystore,
    /// A PIN and a hardware-bound secret in the platform's keystore.
    PinKeystore,
    /// A recovery key.
    Recovery,
}

impl SlotKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Passphrase => 1,
            Self::PassphraseKeystore => 2,
            Self::PinKeystore => 3,
            Self::Recovery => 4,
        }
    }
    const fn of_byte(byte: u8) -> Result<Self, SlotError> {
        match byte {
            1 => Ok(Self::Passphrase),
            2 => Ok(Self::PassphraseKeystore),
            3 => Ok(Self::PinKeystore),
            4 => Ok(Self::Recovery),
            _ => Err(SlotError::Kind),
        }
    }
    /// Whether a keystore stands before it.
    pub const fn has_keystore(self) -> bool {
        matches!(self, Self::PassphraseKeystore | Self::PinKeystore)
    }
}

/// Cost of Argon2id (RFC 9106), always within the allowed range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Argon2Cost {
    /// Smallest memory (KiB): 19 MiB.
    pub const MEMORY_MIN_KIB: u32 = 19 * 1024;
    /// Largest memory (KiB): 256 MiB.
    pub const MEMORY_MAX_KIB: u32 = 256 * 1024;
    /// Most passes (count).
    pub const PASSES_MAX_COUNT: u32 = 16;
    /// Most lanes (count).
    pub const LANES_MAX_COUNT: u32 = 4;

    /// Takes parameters within 19-256 MiB, 1-16 passes and 1-4 lanes; else [`SlotError::Parameters`].
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, SlotError> {
        if memory_kib < Self::MEMORY_MIN_KIB || memory_kib > Self::MEMORY_MAX_KIB {
            return Err(SlotError::Parameters);
        }
        if passes < 1 || passes > Self::PASSES_MAX_COUNT || lanes < 1 || lanes > Self::LANES_MAX_COUNT {
            return Err(SlotError::Parameters);
        }
        Ok(Self { memory_kib, passes, lanes })
    }
    /// Memory (KiB).
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }
    /// Passes (count).
    pub const fn passes(&self) -> u32 {
        self.passes
    }
    /// Lanes (count).
    pub const fn lanes(&self) -> u32 {
        self.lanes
    }
}

/// One way to open the store.
#[derive(Clone, PartialEq, Eq)]
pub struct Slot {
    kind: SlotKind,
    cost: Argon2Cost,
    salt: [u8; 16],
    keystore_alias: Vec<u8>,
    wrapped_key: Vec<u8>,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("kind", &self.kind).field("cost", &self.cost).finish_non_exhaustive()
    }
}

impl Slot {
    /// Longest keystore alias (bytes).
    pub const ALIAS_MAX_BYTES: usize = ALIAS_MAX_BYTES;
    /// Longest wrapped store key (bytes).
    pub const WRAPPED_MAX_BYTES: usize = WRAPPED_MAX_BYTES;

    /// Takes the parts of a slot. The alias is 1 to 32 bytes for kinds with a keystore and empty for the
    /// others, the wrapped key 1 to 192 bytes; else [`SlotError::Length`].
    pub fn new(kind: SlotKind, cost: Argon2Cost, salt: [u8; 16], keystore_alias: &[u8], wrapped_key: &[u8]) -> Result<Self, SlotError> {
        let alias_fits = keystore_alias.len() <= ALIAS_MAX_BYTES && keystore_alias.is_empty() != kind.has_keystore();
        if !alias_fits || wrapped_key.is_empty() || wrapped_key.len() > WRAPPED_MAX_BYTES {
            return Err(SlotError::Length);
        }
        Ok(Self { kind, cost, salt, keystore_alias: keystore_alias.to_vec(), wrapped_key: wrapped_key.to_vec() })
    }
    /// What opens it.
    pub fn kind(&self) -> SlotKind {
        self.kind
    }
    /// Cost of Argon2id.
    pub fn cost(&self) -> Argon2Cost {
        self.cost
    }
    /// Salt of Argon2id.
    pub fn salt(&self) -> &[u8; 16] {
        &self.salt
    }
    /// Name of the secret in the platform's keystore; empty for kinds without one.
    pub fn keystore_alias(&self) -> &[u8] {
        &self.keystore_alias
    }
    /// The wrapped store key, opaque here.
    pub fn wrapped_key(&self) -> &[u8] {
        &self.wrapped_key
    }

    fn encode(&self, out: &mut Fields<'_>) {
        out.put(&[self.kind.byte()]);
        out.put(&self.cost.memory_kib.to_le_bytes());
        out.put(&self.cost.passes.to_le_bytes());
        out.put(&self.cost.lanes.to_le_bytes());
        out.put(&self.salt);
        out.put_padded(&self.keystore_alias, ALIAS_MAX_BYTES);
        out.put_padded(&self.wrapped_key, WRAPPED_MAX_BYTES);
    }

    fn decode(bytes: &[u8]) -> Result<Option<Self>, SlotError> {
        let mut fields = Parts(bytes);
        let [kind] = fields.array()?;
        if kind == 0 {
            return if bytes.iter().all(|byte| *byte == 0) { Ok(None) } else { Err(SlotError::Reserved) };
        }
        let kind = SlotKind::of_byte(kind)?;
        let [memory_kib, passes, lanes] = [fields.number()?, fields.number()?, fields.number()?];
        let cost = Argon2Cost::new(memory_kib, passes, lanes)?;
        let salt = fields.array()?;
        let alias = fields.padded(ALIAS_MAX_BYTES)?;
        let wrapped = fields.padded(WRAPPED_MAX_BYTES)?;
        if fields.0.iter().any(|byte| *byte != 0) {
            return Err(SlotError::Reserved);
        }
        Self::new(kind, cost, salt, alias, wrapped).map(Some)
    }
}

/// The decoded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotFile {
    /// Names the store in associated data; random.
    pub store_id: [u8; 16],
    /// The slots, empty ones included.
    pub slots: [Option<Slot>; SLOT_COUNT],
}

impl SlotFile {
    /// A file without slots.
    pub fn new(store_id: [u8; 16]) -> Self {
        Self { store_id, slots: [const { None }; SLOT_COUNT] }
    }

    /// Encodes the file; `filler` is fresh random bytes.
    pub fn encode(&self, filler: &[u8; SLOT_FILLER_BYTES]) -> Result<[u8; SLOT_FILE_BYTES], SlotError> {
        let mut file = [0; SLOT_FILE_BYTES];
        let (covered, checksum) = file.split_at_mut(CHECKSUM_AT);
        let mut out = Fields { bytes: covered, at: 0 };
        out.put(MAGIC);
        out.put(&VERSION.to_le_bytes());
        out.put(&self.store_id);
        for (number, slot) in self.slots.iter().enumerate() {
            out.at = SLOTS_AT + number * SLOT_BYTES;
            if let Some(slot) = slot {
                slot.encode(&mut out);
            }
        }
        out.at = FILLER_AT;
        out.put(filler);
        checksum.copy_from_slice(blake3::hash(covered).as_bytes());
        Ok(file)
    }

    /// Decodes and checks a file; see [`SlotError`] for what is refused.
    pub fn decode(file: &[u8]) -> Result<Self, SlotError> {
        if file.len() != SLOT_FILE_BYTES {
            return Err(SlotError::Size);
        }
        let (covered, checksum) = file.split_at(CHECKSUM_AT);
        let mut fields = Parts(covered);
        if fields.array::<8>()? != *MAGIC {
            return Err(SlotError::Magic);
        }
        match u16::from_le_bytes(fields.array()?) {
            VERSION => {}
            0 => return Err(SlotError::Damaged),
            found => return Err(SlotError::Newer { found }),
        }
        if blake3::hash(covered).as_bytes() != checksum {
            return Err(SlotError::Damaged);
        }
        let mut decoded = Self::new(fields.array()?);
        for slot in &mut decoded.slots {
            *slot = Slot::decode(fields.take(SLOT_BYTES)?)?;
        }
        Ok(decoded)
    }
}

/// Writes fields one after the other into bytes that are zero.
struct Fields<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Fields<'_> {
    fn put(&mut self, field: &[u8]) {
        let end = self.at + field.len();
        if let Some(place) = self.bytes.get_mut(self.at..end) {
            place.copy_from_slice(field);
        }
        self.at = end;
    }
    fn put_padded(&mut self, field: &[u8], room: usize) {
        // Lengths were checked when the slot was made: both rooms are below 256.
        self.put(&[field.len() as u8]);
        let end = self.at + room;
        self.put(field);
        self.at = end;
    }
}

/// Reads fields one after the other.
struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], SlotError> {
        let (field, rest) = self.0.split_at_checked(count).ok_or(SlotError::Size)?;
        self.0 = rest;
        Ok(field)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N], SlotError> {
        self.take(N)?.try_into().map_err(|_| SlotError::Size)
    }
    fn number(&mut self) -> Result<u32, SlotError> {
        self.array().map(u32::from_le_bytes)
    }
    fn padded(&mut self, room: usize) -> Result<&'a [u8], SlotError> {
        let [length] = self.array()?;
        let (field, padding) = self.take(room)?.split_at_checked(length.into()).ok_or(SlotError::Length)?;
        if padding.iter().any(|byte| *byte != 0) { Err(SlotError::Reserved) } else { Ok(field) }
    }
}
