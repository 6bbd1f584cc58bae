//! A log held in memory with its inner nodes, for many proofs.

use std::ops::Range;

use crate::frontier::fold_peaks;
use crate::hash::{Hash, node_hash};
use crate::proof::{ProofError, consistency_ranges, inclusion_ranges};

/// All leaf hashes of a log and the hash of every perfect subtree: proofs in O(log n).
///
/// Memory: 2 x 32 bytes a leaf (64 MB for a million entries), up to twice that while a level grows.
/// Appending costs one node hash on average. When memory is dear keep a [`crate::Frontier`] instead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// `levels[h][i]` is the root of leaves `i << h .. (i + 1) << h`.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// An empty log.
    #[must_use]
    pub const fn empty() -> Self {
        Self { levels: Vec::new() }
    }

    /// The log of these leaf hashes.
    pub fn from_leaves(leaves: impl IntoIterator<Item = Hash>) -> Self {
        let mut tree = Self::empty();
        tree.extend(leaves);
        tree
    }

    /// Adds one leaf hash.
    pub fn append(&mut self, leaf: Hash) {
        let mut node = leaf;
        let mut height = 0;
        loop {
            if height == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let level = &mut self.levels[height];
            level.push(node);
            match level.as_slice() {
                [.., left, right] if level.len().is_multiple_of(2) => node = node_hash(left, right),
                _ => return,
            }
            height += 1;
        }
    }

    /// Number of entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |level| level.len() as u64)
    }

    /// Leaf hash of an entry.
    #[must_use]
    pub fn leaf(&self, index: u64) -> Option<Hash> {
        self.node(0, index)
    }

    /// The root hash of the log.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.root_at(self.size()).unwrap_or_else(|_| Hash::of_empty_log())
    }

    /// The root hash that the log had at an earlier size.
    ///
    /// # Errors
    /// When the log never had that many entries.
    pub fn root_at(&self, size: u64) -> Result<Hash, ProofError> {
        self.subtree(0..size)
    }

    /// Proof that entry `index` is in the log as it was at `size` entries, leaf's sibling first.
    ///
    /// # Errors
    /// When there is no such entry, or the log is smaller than `size`.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Hash>, ProofError> {
        self.subtrees(inclusion_ranges(index, size)?)
    }

    /// Proof that the log of `old` entries is the beginning of the log of `new` entries.
    ///
    /// # Errors
    /// When `old` is larger than `new`, or the log is smaller than `new`.
    pub fn consistency_proof(&self, old: u64, new: u64) -> Result<Vec<Hash>, ProofError> {
        self.subtrees(consistency_ranges(old, new)?)
    }

    fn subtrees(&self, ranges: Vec<Range<u64>>) -> Result<Vec<Hash>, ProofError> {
        ranges.into_iter().map(|range| self.subtree(range)).collect()
    }

    /// Root over a range that starts where a subtree starts, from its perfect parts.
    fn subtree(&self, range: Range<u64>) -> Result<Hash, ProofError> {
        let mut peaks = Vec::new();
        let mut start = range.start;
        while start < range.end {
            let height = (range.end - start).ilog2().min(start.trailing_zeros());
            let missing = ProofError::MissingLeaf { index: self.size() };
            peaks.push(self.node(height, start >> height).ok_or(missing)?);
            start += 1 << height;
        }
        Ok(fold_peaks(&peaks))
    }

    fn node(&self, height: u32, index: u64) -> Option<Hash> {
        let level = self.levels.get(height as usize)?;
        level.get(usize::try_from(index).ok()?).copied()
    }
}

impl Extend<Hash> for Tree {
    fn extend<I: IntoIterator<Item = Hash>>(&mut self, leaves: I) {
        for leaf in leaves {
            self.append(leaf);
        }
    }
}
