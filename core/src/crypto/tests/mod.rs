//! What an attacker, or another implementation, would see of this room.
#![allow(clippy::unwrap_used)]

mod boxes;
mod passphrases;
mod sealing;
mod secrecy;
mod sessions;
mod signatures;
mod tags;
mod vectors;

/// The same bytes with one bit flipped.
fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut altered = bytes.to_vec();
    altered[bit / 8] ^= 1 << (bit % 8);
    altered
}
