//! Packs: rows for the whole team in one sealed file, carried by hand when neither relay nor meeting is at hand.
//!
//! ```text
//! pack   = salt (16, random) ‖ tag (16) ‖ chunk ‖ chunk ‖ …
//! chunk  = length (4, LE) ‖ AEAD(pack key of the turn, aad: "pack", team, salt, number (4, LE), 1 if last): frames
//! frames = ( length (4, LE) ‖ row ) …            at most 256 KiB in one chunk
//! tag    = keyed BLAKE3(KDF(discovery secret), salt): names the turn to whoever knew it
//! ```
//!
//! Nothing in front of the first chunk says what the file is. Every row stands alone: a file that was cut off
//! brings what is there, reading it twice changes nothing, and of two packs either may come first. A pack made
//! under a turn that has since been destroyed is refused by name: what opens it no longer exists.

use crate::crypto::{self, Aad, CommonsSecret, DiscoverySecret, LaneKey, Nonce, labels};
use crate::env::Env;
use satchel_wire::ids::TeamId;
use satchel_wire::limits::PACK_CHUNK_MAX_BYTES;
use satchel_wire::row::Row;
use zeroize::Zeroizing;

/// Bytes in front of the first chunk.
pub const PACK_HEADER_BYTES: usize = 32;
const LENGTH_BYTES: usize = 4;
const SEALED_CHUNK_MAX_BYTES: usize = PACK_CHUNK_MAX_BYTES + crypto::OVERHEAD_BYTES;

/// Why a pack is not read, or not written on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// Made before the last key change. Remedy: ask a colleague for a new one, or meet them.
    #[error("a pack made before the last key change")]
    Older,
    /// Of no turn known here: another team's, not a pack, or made after a key change that has not come here yet.
    /// Remedy: meet a colleague's phone, then read it again.
    #[error("a pack of no turn known here")]
    Unknown,
    /// A chunk does not open, or breaks the format: the file was changed. What came before it is kept.
    #[error("a damaged pack")]
    Damaged,
    /// A text that is no part of a pack, or was misread. Remedy: scan it again.
    #[error("not a part of a pack, or misread")]
    Part,
    /// A part of another pack than those before. Remedy: finish that one, or begin anew.
    #[error("a part of another pack")]
    OtherPack,
    /// More than QR codes may carry. Remedy: take fewer days, or write a file.
    #[error("a pack too large for QR codes")]
    TooLarge,
    /// The keys changed while it was being written. Remedy: begin again.
    #[error("the keys changed while the pack was written")]
    Overtaken,
}

impl PackError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Older => "pack_older",
            Self::Unknown => "pack_unknown",
            Self::Damaged => "pack_damaged",
            Self::Part => "pack_part",
            Self::OtherPack => "pack_part_of_another",
            Self::TooLarge => "pack_too_large",
            Self::Overtaken => "pack_overtaken",
        }
    }
}

fn chunk_aad(team: TeamId, salt: &[u8; 16], number: u32, is_last: bool) -> Aad {
    Aad::new(labels::PACK).add(team.as_bytes()).add(salt).add(&number.to_le_bytes()).add(&[u8::from(is_last)])
}

/// Seals rows into chunks.
#[derive(Debug)]
pub struct PackSealer {
    team: TeamId,
    key: LaneKey,
    salt: [u8; 16],
    number: u32,
}

impl PackSealer {
    /// Begins a pack under a turn. Returns the bytes in front of the first chunk.
    pub fn begin(env: &Env, team: TeamId, commons: &CommonsSecret) -> (Self, Vec<u8>) {
        let salt: [u8; 16] = env.random();
        let mut header = Vec::with_capacity(PACK_HEADER_BYTES);
        header.extend_from_slice(&salt);
        header.extend_from_slice(&crypto::pack_tag(&commons.derive_discovery(), &salt));
        (Self { team, key: commons.derive_pack_key(), salt, number: 0 }, header)
    }

    /// The next chunk; at most 256 KiB of rows. Errors: [`PackError::Damaged`] above it.
    pub fn chunk(&mut self, env: &Env, rows: &[Row], is_last: bool) -> Result<Vec<u8>, PackError> {
        let size = rows.iter().map(|row| LENGTH_BYTES + row.as_bytes().len()).sum::<usize>();
        if size > PACK_CHUNK_MAX_BYTES {
            return Err(PackError::Damaged);
        }
        let mut frames = Vec::with_capacity(size);
        for row in rows {
            frames.extend_from_slice(&(row.as_bytes().len() as u32).to_le_bytes());
            frames.extend_from_slice(row.as_bytes());
        }
        let aad = chunk_aad(self.team, &self.salt, self.number, is_last);
        let sealed = crypto::seal(&self.key, Nonce::make(env), &aad, &frames).map_err(|_| PackError::Damaged)?;
        self.number += 1;
        let mut chunk = Vec::with_capacity(LENGTH_BYTES + sealed.len());
        chunk.extend_from_slice(&(sealed.len() as u32).to_le_bytes());
        chunk.extend_from_slice(&sealed);
        Ok(chunk)
    }
}

/// Opens chunks, whatever portions the file is read in.
#[derive(Debug)]
pub struct PackOpener {
    team: TeamId,
    key: LaneKey,
    salt: [u8; 16],
    number: u32,
    waiting: Vec<u8>,
    is_complete: bool,
}

/// Whether the first 32 bytes of a file name the turn of this discovery secret.
pub fn names_turn(header: &[u8; PACK_HEADER_BYTES], discovery: &DiscoverySecret) -> bool {
    let (salt, tag) = header.split_at(16);
    <&[u8; 16]>::try_from(salt).is_ok_and(|salt| crypto::pack_tag(discovery, salt) == tag)
}

impl PackOpener {
    /// Reads on after the first 32 bytes, which [`names_turn`] found to be this turn's.
    pub fn after_header(team: TeamId, commons: &CommonsSecret, header: &[u8; PACK_HEADER_BYTES]) -> Self {
        let mut salt = [0; 16];
        salt.copy_from_slice(&header[..16]);
        Self { team, key: commons.derive_pack_key(), salt, number: 0, waiting: Vec::new(), is_complete: false }
    }

    /// Takes bytes; returns the rows of every chunk that is whole now.
    ///
    /// Errors: [`PackError::Damaged`]; rows returned before stay good. Never keeps more than one chunk.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Vec<Row>, PackError> {
        let mut rows = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.is_complete {
                return Err(PackError::Damaged);
            }
            let wanted = self.wanted()?;
            let (taken, left) = rest.split_at(rest.len().min(wanted.saturating_sub(self.waiting.len())));
            self.waiting.extend_from_slice(taken);
            rest = left;
            if self.waiting.len() > LENGTH_BYTES && self.waiting.len() == self.wanted()? {
                rows.extend(self.open_chunk()?);
            }
        }
        Ok(rows)
    }

    /// Whether the last chunk came: a file that was cut off never says so.
    pub const fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// How many bytes the chunk in hand has, its length included; until that is known, the length alone.
    fn wanted(&self) -> Result<usize, PackError> {
        let Some(length) = self.waiting.first_chunk::<LENGTH_BYTES>() else { return Ok(LENGTH_BYTES) };
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| PackError::Damaged)?;
        if (crypto::OVERHEAD_BYTES..=SEALED_CHUNK_MAX_BYTES).contains(&length) {
            Ok(LENGTH_BYTES + length)
        } else {
            Err(PackError::Damaged)
        }
    }

    fn open_chunk(&mut self) -> Result<Vec<Row>, PackError> {
        let sealed = std::mem::take(&mut self.waiting);
        let sealed = sealed.get(LENGTH_BYTES..).ok_or(PackError::Damaged)?;
        let opened = |is_last| crypto::open(&self.key, &chunk_aad(self.team, &self.salt, self.number, is_last), sealed);
        let (frames, is_last) = match opened(false) {
            Ok(frames) => (frames, false),
            Err(_) => (opened(true).map_err(|_| PackError::Damaged)?, true),
        };
        self.number = self.number.checked_add(1).ok_or(PackError::Damaged)?;
        self.is_complete = is_last;
        rows_of(&frames)
    }
}

fn rows_of(frames: &Zeroizing<Vec<u8>>) -> Result<Vec<Row>, PackError> {
    let mut rows = Vec::new();
    let mut rest = frames.as_slice();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<LENGTH_BYTES>().ok_or(PackError::Damaged)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| PackError::Damaged)?;
        let (row, after) = after.split_at_checked(length).ok_or(PackError::Damaged)?;
        rows.push(Row::parse(row.to_vec()).map_err(|_| PackError::Damaged)?);
        rest = after;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::crypto::RecordsSecret;
    use crate::team::notice::Notice;

    fn pack(env: &Env, team: TeamId, commons: &CommonsSecret) -> Vec<u8> {
        let row = || Notice::default().seal(env, team, commons).unwrap();
        let (mut sealer, mut bytes) = PackSealer::begin(env, team, commons);
        bytes.extend(sealer.chunk(env, &[row(), row()], false).unwrap());
        bytes.extend(sealer.chunk(env, &[row()], true).unwrap());
        bytes
    }

    #[test]
    fn it_is_read_in_any_portions_and_says_when_it_was_cut_off() {
        let (env, team) = (Env::system(), TeamId::from_bytes([1; 16]));
        let commons = RecordsSecret::make(&env).derive_commons();
        let bytes = pack(&env, team, &commons);
        let (header, rest) = bytes.split_first_chunk::<PACK_HEADER_BYTES>().unwrap();
        assert!(names_turn(header, &commons.derive_discovery()));
        assert!(!names_turn(header, &RecordsSecret::make(&env).derive_commons().derive_discovery()));
        for portion in [1, 7, 400, rest.len()] {
            let mut opener = PackOpener::after_header(team, &commons, header);
            let rows: usize = rest.chunks(portion).map(|part| opener.receive(part).unwrap().len()).sum();
            assert_eq!((rows, opener.is_complete()), (3, true));
            assert_eq!(opener.receive(b"more").unwrap_err(), PackError::Damaged);
        }
        let mut cut = PackOpener::after_header(team, &commons, header);
        let rows = cut.receive(&rest[..rest.len() - 1]).unwrap();
        assert_eq!((rows.len(), cut.is_complete()), (2, false));
    }

    #[test]
    fn a_changed_moved_or_foreign_chunk_opens_nothing() {
        let (env, team) = (Env::system(), TeamId::from_bytes([1; 16]));
        let commons = RecordsSecret::make(&env).derive_commons();
        let bytes = pack(&env, team, &commons);
        let (header, rest) = bytes.split_first_chunk::<PACK_HEADER_BYTES>().unwrap();
        let first = 4 + usize::try_from(u32::from_le_bytes(*rest.first_chunk().unwrap())).unwrap();
        let swapped = [&rest[first..], &rest[..first]].concat();
        let mut bent = rest.to_vec();
        bent[100] ^= 1;
        let huge = [&[0xff; 4], &rest[4..]].concat();
        for wrong in [swapped.as_slice(), &bent, &huge, &[0; 40]] {
            let mut opener = PackOpener::after_header(team, &commons, header);
            assert_eq!(opener.receive(wrong).unwrap_err(), PackError::Damaged);
        }
        let mut other = PackOpener::after_header(TeamId::from_bytes([2; 16]), &commons, header);
        assert_eq!(other.receive(rest).unwrap_err(), PackError::Damaged);
    }
}
