//! Cutting a package into parts for small frames, and putting it together again.

use super::{ContentId, PartError, limits};
use minicbor::{Decode, Encode};
use std::fmt;

/// One piece of a package.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Part {
    /// The package it belongs to.
    #[n(0)]
    pub package_id: ContentId,
    /// Its place, 0 to `total - 1`.
    #[n(1)]
    pub index: u32,
    /// How many parts the package was cut into, 1 to [`limits::PART_COUNT`].
    #[n(2)]
    pub total: u32,
    /// Its bytes.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("package_id", &self.package_id)
            .field("index", &self.index)
            .field("total", &self.total)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// Cuts package bytes into parts of `part_bytes` bytes each; the last may be shorter.
///
/// # Errors
/// [`PartError::PackageSize`] for an empty or too large package, [`PartError::PartSize`] for a part size under
/// [`limits::PART_MIN_BYTES`]: pass other values.
pub fn split(package: &[u8], part_bytes: usize) -> Result<Vec<Part>, PartError> {
    if package.is_empty() || package.len() > limits::PACKAGE_BYTES {
        return Err(PartError::PackageSize);
    }
    if part_bytes < limits::PART_MIN_BYTES {
        return Err(PartError::PartSize);
    }
    let total =
        u32::try_from(package.len().div_ceil(part_bytes)).ok().filter(|total| *total <= limits::PART_COUNT).ok_or(PartError::PartSize)?;
    let package_id = ContentId::of(package);
    Ok((0..total).zip(package.chunks(part_bytes)).map(|(index, bytes)| Part { package_id, index, total, bytes: bytes.to_vec() }).collect())
}

/// Collects the parts of one package whose content id is already known and trusted.
///
/// Holds at most [`limits::PACKAGE_BYTES`] of parts. Parts arrive in any order and any number of times.
pub struct PartSet {
    package_id: ContentId,
    slots: Vec<Option<Vec<u8>>>,
    held_count: usize,
    held_bytes: usize,
}

impl PartSet {
    /// An empty set for the package with this content id, cut into `total` parts.
    ///
    /// # Errors
    /// [`PartError::Total`] when `total` is 0 or above [`limits::PART_COUNT`]: drop the offer.
    pub fn new(package_id: ContentId, total: u32) -> Result<Self, PartError> {
        if !(1..=limits::PART_COUNT).contains(&total) {
            return Err(PartError::Total);
        }
        Ok(PartSet { package_id, slots: vec![None; total as usize], held_count: 0, held_bytes: 0 })
    }

    /// Takes a part in; returns whether the set is now complete. A repeated part changes nothing.
    ///
    /// # Errors
    /// [`PartError`]: drop the part. After [`PartError::Conflict`] start a new set with one sender.
    pub fn add(&mut self, part: Part) -> Result<bool, PartError> {
        if part.package_id != self.package_id || part.total as usize != self.slots.len() {
            return Err(PartError::Foreign);
        }
        let slot = self.slots.get_mut(part.index as usize).ok_or(PartError::Index)?;
        match slot {
            Some(held) if *held == part.bytes => {}
            Some(_) => return Err(PartError::Conflict),
            None => {
                let bytes = self.held_bytes.saturating_add(part.bytes.len());
                if bytes > limits::PACKAGE_BYTES || part.bytes.is_empty() {
                    return Err(PartError::PackageSize);
                }
                self.held_bytes = bytes;
                self.held_count += 1;
                *slot = Some(part.bytes);
            }
        }
        Ok(self.is_complete())
    }

    /// Whether every part is held.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.held_count == self.slots.len()
    }

    /// The indices still missing, ascending.
    pub fn missing(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.slots).filter_map(|(index, slot)| slot.is_none().then_some(index))
    }

    /// The package bytes, after checking that they are the ones the content id names.
    ///
    /// # Errors
    /// [`PartError::Incomplete`] while parts are missing; [`PartError::WrongContent`] when a sender cheated:
    /// the set is gone, start again with another sender.
    pub fn finish(self) -> Result<Vec<u8>, PartError> {
        if !self.is_complete() {
            return Err(PartError::Incomplete);
        }
        let mut package = Vec::with_capacity(self.held_bytes);
        for slot in self.slots.into_iter().flatten() {
            package.extend_from_slice(&slot);
        }
        if ContentId::of(&package) != self.package_id {
            return Err(PartError::WrongContent);
        }
        Ok(package)
    }
}

impl fmt::Debug for PartSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartSet")
            .field("package_id", &self.package_id)
            .field("held", &self.held_count)
            .field("total", &self.slots.len())
            .finish_non_exhaustive()
    }
}
