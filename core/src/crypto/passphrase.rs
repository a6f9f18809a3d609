//! From a passphrase to an unlock key: Argon2id (RFC 9106).
//!
//! ```text
//! stretched  = Argon2id v1.3 (passphrase, salt (16), memory, passes, lanes) → 32 bytes
//! unlock key = derive("… unlock passphrase", stretched)                 of a slot without a keystore
//!            = derive("… unlock passphrase and keystore", stretched)    of a slot with one
//! ```
//!
//! Where there is a keystore, what the unlock key wraps is wrapped by the keystore once more, so that both are
//! needed and the keystore never hands its own key out.
//!
//! Parameters come from a slot that an attacker may have written: they are checked before anything is
//! allocated, from below (a cheap slot would be a guessing oracle) and from above (a huge one a denial).

use super::kdf::derive_into;
use super::labels;
use super::secrets::UnlockKey;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use satchel_wire::limits::{
    ARGON2_LANES_MAX_COUNT, ARGON2_MEMORY_DEFAULT_KIB, ARGON2_MEMORY_MAX_KIB, ARGON2_MEMORY_MIN_KIB, ARGON2_PASSES_MAX_COUNT,
    PASSPHRASE_MAX_BYTES,
};
use std::fmt;
use zeroize::Zeroizing;

/// Below this memory one pass is too cheap: OWASP pairs one pass with 46 MiB and two with 19 MiB (KiB).
const ONE_PASS_MEMORY_KIB: u32 = 46 * 1024;

/// Why there is no unlock key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// Empty, or above [`PASSPHRASE_MAX_BYTES`]. Remedy: ask again.
    #[error("a passphrase has 1 to {PASSPHRASE_MAX_BYTES} bytes")]
    Length,
    /// Too few or too many words asked for. Remedy: ask for 4 to 12.
    #[error("a generated passphrase has 4 to 12 words")]
    Words,
    /// Argon2id parameters out of bounds. Remedy: the slot is damaged or crafted; refuse it.
    #[error("the cost of the passphrase is out of bounds")]
    Params,
    /// No memory for Argon2id. Remedy: close other apps and try again; nothing is lost.
    #[error("not enough memory to check the passphrase")]
    OutOfMemory,
}

impl PassphraseError {
    /// A stable code for the boundary.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Length => "passphrase.length",
            Self::Words => "passphrase.words",
            Self::Params => "passphrase.params",
            Self::OutOfMemory => "passphrase.out-of-memory",
        }
    }
}

/// What a person typed or was given: 1 to 1,024 bytes, wiped when dropped.
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// Copies exactly these bytes: no trimming, no normalisation. Errors: [`PassphraseError::Length`].
    pub fn new(bytes: &[u8]) -> Result<Self, PassphraseError> {
        if bytes.is_empty() || bytes.len() > PASSPHRASE_MAX_BYTES {
            return Err(PassphraseError::Length);
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// The bytes, to show a generated passphrase to its owner once.
    pub fn dangerous_as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// What a passphrase costs: 19 to 256 MiB, 1 to 16 passes, 1 to 4 lanes; no value out of bounds exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Params {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Argon2Params {
    /// Checks the bounds. Errors: [`PassphraseError::Params`].
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, PassphraseError> {
        let fits = (ARGON2_MEMORY_MIN_KIB..=ARGON2_MEMORY_MAX_KIB).contains(&memory_kib)
            && (1..=ARGON2_PASSES_MAX_COUNT).contains(&passes)
            && (1..=ARGON2_LANES_MAX_COUNT).contains(&lanes);
        if fits { Ok(Self { memory_kib, passes, lanes }) } else { Err(PassphraseError::Params) }
    }

    /// Memory (KiB).
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }
    /// Passes (count).
    pub const fn passes(self) -> u32 {
        self.passes
    }
    /// Lanes (count), computed one after another.
    pub const fn lanes(self) -> u32 {
        self.lanes
    }

    /// Chooses parameters for this device: memory from the platform, passes so that unlocking takes about `target_millis`.
    ///
    /// `memory_ceiling_kib` is [`ARGON2_MEMORY_IOS_KIB`](satchel_wire::limits::ARGON2_MEMORY_IOS_KIB) on iOS and [`ARGON2_MEMORY_DEFAULT_KIB`] or less
    /// elsewhere; above the default it is not used up, below the least it counts as the least.
    /// `measure` unlocks once with the given parameters and returns the milliseconds it took; the faster
    /// of two runs counts, because a busy phone must not end up with a cheap slot. Slowness never lowers
    /// memory, only passes. Errors: whatever `measure` returns.
    pub fn calibrate<E: From<PassphraseError>>(
        target_millis: u64,
        memory_ceiling_kib: u32,
        mut measure: impl FnMut(Self) -> Result<u64, E>,
    ) -> Result<Self, E> {
        let memory_kib = memory_ceiling_kib.clamp(ARGON2_MEMORY_MIN_KIB, ARGON2_MEMORY_DEFAULT_KIB);
        let once = Self::new(memory_kib, 1, 1)?;
        let millis_per_pass = measure(once)?.min(measure(once)?).max(1);
        let least = if memory_kib >= ONE_PASS_MEMORY_KIB { 1 } else { 2 };
        let affordable = u32::try_from(target_millis / millis_per_pass).unwrap_or(u32::MAX);
        Ok(Self::new(memory_kib, affordable.clamp(least, ARGON2_PASSES_MAX_COUNT), 1)?)
    }
}

impl TryFrom<(u32, u32, u32)> for Argon2Params {
    type Error = PassphraseError;

    /// From (memory in KiB, passes, lanes) as a slot holds them.
    fn try_from((memory_kib, passes, lanes): (u32, u32, u32)) -> Result<Self, PassphraseError> {
        Self::new(memory_kib, passes, lanes)
    }
}

/// Argon2id into 32 bytes; its memory is wiped afterwards.
fn stretch(passphrase: &Passphrase, salt: &[u8; 16], params: Argon2Params) -> Result<Zeroizing<[u8; 32]>, PassphraseError> {
    let inner = Params::new(params.memory_kib, params.passes, params.lanes, Some(32)).map_err(|_| PassphraseError::Params)?;
    let mut blocks = Zeroizing::new(Vec::new());
    blocks.try_reserve_exact(inner.block_count()).map_err(|_| PassphraseError::OutOfMemory)?;
    blocks.resize(inner.block_count(), Block::default());
    let mut stretched = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, inner)
        .hash_password_into_with_memory(&passphrase.0, salt, stretched.as_mut_slice(), blocks.as_mut_slice())
        .map_err(|_| PassphraseError::Params)?;
    Ok(stretched)
}

/// The key that opens a slot. Slow on purpose: call it off the main thread.
///
/// `salt` is random per passphrase. A slot says whether a keystore stands before it, and each kind has its own
/// label. Errors: [`PassphraseError::OutOfMemory`], [`PassphraseError::Params`].
pub fn derive_unlock_key(
    passphrase: &Passphrase,
    salt: &[u8; 16],
    params: Argon2Params,
    has_keystore: bool,
) -> Result<UnlockKey, PassphraseError> {
    let stretched = stretch(passphrase, salt, params)?;
    let label = if has_keystore { labels::UNLOCK_PASSPHRASE_KEYSTORE } else { labels::UNLOCK_PASSPHRASE };
    Ok(UnlockKey::filled_by(|out| derive_into(label, &[stretched.as_slice()], out)))
}
