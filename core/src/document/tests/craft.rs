//! Changes taken apart, altered by hand and put together again with a right checksum.

use automerge::Change;

use super::{ANA, set};
use crate::document::Document;
use crate::document::reader::Reader;

/// The parts of a change chunk; every one can be given any content.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Crafted {
    pub(super) chunk_type: u8,
    pub(super) dependencies: Vec<[u8; 32]>,
    pub(super) actor: Vec<u8>,
    pub(super) sequence: u64,
    pub(super) start_op: u64,
    pub(super) time: i64,
    pub(super) message: Vec<u8>,
    pub(super) others: Vec<Vec<u8>>,
    /// Column specification and content, in the order they are written.
    pub(super) columns: Vec<(u64, Vec<u8>)>,
    pub(super) extra: Vec<u8>,
}

impl Crafted {
    pub(super) fn parse(change: &[u8]) -> Self {
        let mut r = Reader(&change[8..]);
        let chunk_type = r.byte().unwrap();
        r.unsigned().unwrap();
        let count = r.unsigned().unwrap();
        let dependencies = (0..count).map(|_| r.array().unwrap()).collect();
        let actor = r.prefixed().unwrap().to_vec();
        let (sequence, start_op) = (r.unsigned().unwrap(), r.unsigned().unwrap());
        let time = r.signed().unwrap();
        let message = r.prefixed().unwrap().to_vec();
        let count = r.unsigned().unwrap();
        let others = (0..count).map(|_| r.prefixed().unwrap().to_vec()).collect();
        let count = r.unsigned().unwrap();
        let specs: Vec<_> = (0..count).map(|_| (r.unsigned().unwrap(), r.unsigned().unwrap())).collect();
        let columns = specs.into_iter().map(|(spec, length)| (spec, r.bytes(length).unwrap().to_vec())).collect();
        Self { chunk_type, dependencies, actor, sequence, start_op, time, message, others, columns, extra: r.0.to_vec() }
    }

    /// A change that sets the field `a` to nothing, as Ana's first.
    pub(super) fn simple() -> Self {
        Self::parse(&set(&mut Document::new(ANA), "a", "x"))
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut body = unsigned(self.dependencies.len() as u64);
        body.extend(self.dependencies.concat());
        body.extend(prefixed(&self.actor));
        body.extend(unsigned(self.sequence));
        body.extend(unsigned(self.start_op));
        body.extend(signed(self.time));
        body.extend(prefixed(&self.message));
        body.extend(unsigned(self.others.len() as u64));
        for other in &self.others {
            body.extend(prefixed(other));
        }
        body.extend(unsigned(self.columns.len() as u64));
        for (spec, content) in &self.columns {
            body.extend(unsigned(*spec));
            body.extend(unsigned(content.len() as u64));
        }
        for (_, content) in &self.columns {
            body.extend(content);
        }
        body.extend(&self.extra);
        chunk(self.chunk_type, &body)
    }

    /// Puts a column in its place, or in the place of the one with the same specification.
    pub(super) fn with_column(mut self, spec: u64, content: Vec<u8>) -> Self {
        self.columns.retain(|(other, _)| *other != spec);
        if !content.is_empty() {
            self.columns.push((spec, content));
        }
        self.columns.sort();
        self
    }
}

/// A chunk with a right checksum.
pub(super) fn chunk(chunk_type: u8, body: &[u8]) -> Vec<u8> {
    let mut hashed = vec![chunk_type];
    hashed.extend(unsigned(body.len() as u64));
    hashed.extend(body);
    let mut bytes = vec![0x85, 0x6f, 0x4a, 0x83];
    bytes.extend(&sha256(&hashed)[..4]);
    bytes.extend(hashed);
    bytes
}

/// The same bytes with the checksum set right, if they are long enough to have one.
pub(super) fn rechecked(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() > 8 {
        let sum = sha256(&bytes[8..]);
        bytes[4..8].copy_from_slice(&sum[..4]);
    }
    bytes
}

pub(super) fn unsigned(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

pub(super) fn signed(mut value: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !(-0x40..0x40).contains(&value) {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8 & 0x7f);
    bytes
}

pub(super) fn prefixed(content: &[u8]) -> Vec<u8> {
    [unsigned(content.len() as u64), content.to_vec()].concat()
}

/// A run of one encoded value.
pub(super) fn run(count: i64, value: &[u8]) -> Vec<u8> {
    [signed(count), value.to_vec()].concat()
}

/// SHA-256 (FIPS 180-4), for a chunk's checksum; only tests make changes by hand.
fn sha256(message: &[u8]) -> [u8; 32] {
    // Square and cube roots of the first primes, in integer arithmetic.
    let primes: Vec<u128> = (2_u128..).filter(|n| (2..*n).all(|d| n % d != 0)).take(64).collect();
    let root = |value: u128, power: u32| -> u128 {
        let (mut low, mut high) = (0_u128, 1 << (120 / power));
        while low < high {
            let middle = (low + high).div_ceil(2);
            if middle.pow(power) <= value {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    };
    let k: Vec<u32> = primes.iter().map(|p| root(p << 96, 3) as u32).collect();
    let mut h: Vec<u32> = primes[..8].iter().map(|p| root(p << 64, 2) as u32).collect();
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(64), 0);
    if padded.len() - message.len() < 9 {
        padded.resize(padded.len() + 64, 0);
    }
    let end = padded.len() - 8;
    padded[end..].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        let mut w: Vec<u32> = block.chunks_exact(4).map(|b| u32::from_be_bytes(b.try_into().unwrap())).collect();
        for i in 16..64 {
            let (a, b) = (w[i - 15], w[i - 2]);
            let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
            let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
            w.push(w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1));
        }
        let mut v = h.clone();
        for i in 0..64 {
            let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
            let choice = (v[4] & v[5]) ^ (!v[4] & v[6]);
            let t1 = v[7].wrapping_add(s1).wrapping_add(choice).wrapping_add(k[i]).wrapping_add(w[i]);
            let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
            let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
            v.rotate_right(1);
            v[4] = v[4].wrapping_add(t1);
            v[0] = t1.wrapping_add(s0).wrapping_add(majority);
        }
        for (sum, add) in h.iter_mut().zip(v) {
            *sum = sum.wrapping_add(add);
        }
    }
    let bytes: Vec<u8> = h.iter().flat_map(|word| word.to_be_bytes()).collect();
    bytes.try_into().unwrap()
}

#[test]
fn taking_apart_and_putting_together_is_faithful() {
    let mut document = Document::new(ANA);
    for value in ["x", "a longer text", &"y".repeat(500)] {
        let change = set(&mut document, "a", value);
        assert_eq!(Crafted::parse(&change).bytes(), change);
        assert_eq!(sha256(&change[8..]), Change::try_from(&change[..]).unwrap().hash().0);
    }
}
