//! A key for each of 2^24 tags out of one seed, and single ones forgotten: the tree of Goldreich, Goldwasser and Micali
//! (1986), punctured as in Green and Miers (2015).
//!
//! ```text
//! child(node, bit) = derive_key("… share tree", node, bit)      leaf = 24 steps from the seed, highest bit of the tag first
//! ```
//!
//! Whoever holds the seed derives every leaf. To forget one leaf, the nodes on its path go and their siblings stay: every
//! other leaf can still be derived, that one never again, however much else is known later.

use super::kdf::derive_key;
use super::labels;
use std::fmt;
use zeroize::Zeroizing;

/// What names a leaf (3 bytes, big-endian).
pub type TreeTag = [u8; 3];
/// Steps from the seed to a leaf (count).
const DEPTH: u8 = 24;
/// A node at rest: depth, tag with the bits below the depth zero, secret (bytes).
const NODE_BYTES: usize = 1 + 3 + 32;
/// Most nodes of a tree (count): about 340 forgotten leaves. More are refused.
const NODES_MAX_COUNT: usize = 8_192;

/// Not a tree at rest, or one that would grow beyond its bound. Remedy: pair again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key tree, or a full one")]
pub struct TreeError;

struct Node {
    depth: u8,
    prefix: u32,
    secret: Zeroizing<[u8; 32]>,
}

impl Node {
    fn root(seed: &[u8; 32]) -> Self {
        Self { depth: 0, prefix: 0, secret: Zeroizing::new(*seed) }
    }
    fn covers(&self, tag: u32) -> bool {
        let below = u32::from(DEPTH - self.depth);
        tag.checked_shr(below) == self.prefix.checked_shr(below)
    }
    fn child(&self, is_right: bool) -> Self {
        let depth = self.depth + 1;
        let bit = 1_u32 << (DEPTH - depth);
        let secret = derive_key(labels::SHARE_TREE, &[self.secret.as_slice(), &[u8::from(is_right)]]);
        Self { depth, prefix: if is_right { self.prefix | bit } else { self.prefix }, secret }
    }
    fn leaf(&self, tag: u32) -> Zeroizing<[u8; 32]> {
        let mut node = Self { depth: self.depth, prefix: self.prefix, secret: self.secret.clone() };
        while node.depth < DEPTH {
            node = node.child(node.is_right(tag));
        }
        node.secret
    }
    fn is_right(&self, tag: u32) -> bool {
        tag & (1 << (DEPTH - self.depth - 1)) != 0
    }
}

/// The nodes from which every leaf that was not forgotten can be derived.
pub struct KeyTree(Vec<Node>);

impl fmt::Debug for KeyTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyTree(..)")
    }
}

fn number(tag: TreeTag) -> u32 {
    u32::from_be_bytes([0, tag[0], tag[1], tag[2]])
}

impl KeyTree {
    /// Most bytes of a tree (bytes).
    pub const MAX_BYTES: usize = NODES_MAX_COUNT * NODE_BYTES;

    /// The whole tree of a seed. The caller wipes its own copy.
    pub fn new(seed: &[u8; 32]) -> Self {
        Self(vec![Node::root(seed)])
    }

    /// The key at a tag; none if it was forgotten.
    pub fn leaf(&self, tag: TreeTag) -> Option<Zeroizing<[u8; 32]>> {
        let tag = number(tag);
        Some(self.0.iter().find(|node| node.covers(tag))?.leaf(tag))
    }

    /// Forgets the key at a tag, for good once the old nodes are nowhere any more. Says whether it was there.
    /// Errors: [`TreeError`] when the tree is full; then nothing was forgotten.
    pub fn forget(&mut self, tag: TreeTag) -> Result<bool, TreeError> {
        let tag = number(tag);
        let Some(at) = self.0.iter().position(|node| node.covers(tag)) else { return Ok(false) };
        if self.0.len() + usize::from(DEPTH) > NODES_MAX_COUNT {
            return Err(TreeError);
        }
        let mut node = self.0.remove(at);
        while node.depth < DEPTH {
            let is_right = node.is_right(tag);
            self.0.push(node.child(!is_right));
            node = node.child(is_right);
        }
        Ok(true)
    }

    /// The nodes, to be sealed at rest.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.0.len() * NODE_BYTES));
        for node in &self.0 {
            bytes.push(node.depth);
            bytes.extend_from_slice(&node.prefix.to_be_bytes()[1..]);
            bytes.extend_from_slice(node.secret.as_slice());
        }
        bytes
    }

    /// Reads what [`KeyTree::to_bytes`] wrote. Errors: [`TreeError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TreeError> {
        if !bytes.len().is_multiple_of(NODE_BYTES) || bytes.len() / NODE_BYTES > NODES_MAX_COUNT {
            return Err(TreeError);
        }
        let node = |bytes: &[u8]| {
            let (head, rest) = bytes.split_first_chunk::<4>().ok_or(TreeError)?;
            let (depth, prefix) = (head[0], number([head[1], head[2], head[3]]));
            let mut secret = Zeroizing::new([0; 32]);
            secret.copy_from_slice(rest.get(..32).ok_or(TreeError)?);
            let is_whole = depth <= DEPTH && prefix & ((1_u32 << (DEPTH - depth)) - 1) == 0;
            if is_whole { Ok(Node { depth, prefix, secret }) } else { Err(TreeError) }
        };
        bytes.chunks_exact(NODE_BYTES).map(node).collect::<Result<_, _>>().map(Self)
    }
}

/// The key of a seed at a tag: what the side that keeps the seed derives.
pub fn tree_key(seed: &[u8; 32], tag: TreeTag) -> Zeroizing<[u8; 32]> {
    Node::root(seed).leaf(number(tag))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeSet;

    const SEED: [u8; 32] = [0x5a; 32];
    const TAGS: [TreeTag; 6] = [[0, 0, 0], [0, 0, 1], [0x7f, 0xff, 0xff], [0x80, 0, 0], [0xff, 0xff, 0xfe], [0xff, 0xff, 0xff]];

    #[test]
    fn a_forgotten_leaf_is_gone_and_no_other() {
        let mut tree = KeyTree::new(&SEED);
        let keys: BTreeSet<[u8; 32]> = TAGS.iter().map(|tag| *tree.leaf(*tag).unwrap()).collect();
        assert_eq!(keys.len(), TAGS.len(), "each tag its own");
        for (at, tag) in TAGS.into_iter().enumerate() {
            assert!(tree.forget(tag).unwrap());
            assert!(!tree.forget(tag).unwrap(), "once");
            tree = KeyTree::from_bytes(&tree.to_bytes()).unwrap();
            for (other, left) in TAGS.into_iter().enumerate() {
                assert_eq!(tree.leaf(left), (other > at).then(|| tree_key(&SEED, left)), "{tag:?} {left:?}");
            }
        }
        // nothing that is left is a node above a forgotten leaf: no such node can be searched for among the bytes
        let bytes = tree.to_bytes();
        for tag in TAGS.map(number) {
            let mut node = Node::root(&SEED);
            while node.depth < DEPTH {
                assert!(!bytes.windows(32).any(|window| window == node.secret.as_slice()), "{}", node.depth);
                node = node.child(node.is_right(tag));
            }
            assert!(!bytes.windows(32).any(|window| window == node.secret.as_slice()));
        }
        let left = tree_key(&SEED, [0x12, 0x34, 0x56]);
        assert_eq!(tree.leaf([0x12, 0x34, 0x56]), Some(left), "control: the rest is as before");
    }

    #[test]
    fn a_tree_is_bounded_and_reads_only_trees() {
        let mut tree = KeyTree::new(&SEED);
        let mut forgotten = 0_u32;
        while tree.forget([0, (forgotten >> 4) as u8, (forgotten << 4) as u8]).is_ok() {
            forgotten += 1;
            assert!(forgotten < 100_000);
        }
        assert!(forgotten > 300, "{forgotten}");
        assert!(tree.to_bytes().len() <= NODES_MAX_COUNT * NODE_BYTES);
        let whole = KeyTree::new(&SEED).to_bytes();
        assert!(KeyTree::from_bytes(&whole).is_ok() && KeyTree::from_bytes(&[]).unwrap().leaf([0; 3]).is_none());
        let mut deep = whole.to_vec();
        deep[0] = 25;
        let mut bent = whole.to_vec();
        bent[3] = 1;
        for wrong in [&whole[1..], &deep, &bent, &vec![0; (NODES_MAX_COUNT + 1) * NODE_BYTES]] {
            assert!(KeyTree::from_bytes(wrong).is_err());
        }
    }
}
