//! Inclusion and consistency proofs (RFC 6962 section 2.1, checked as RFC 9162 sections 2.1.3 and 2.1.4 say).

use std::ops::Range;

use crate::frontier::Frontier;
use crate::hash::{Hash, node_hash};

/// Why a proof could not be made or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The entry is not in a log of that size.
    #[error("entry {index} is not in a log of {size} entries")]
    NoSuchEntry {
        /// Entry asked for.
        index: u64,
        /// Size of the log.
        size: u64,
    },
    /// The older size is larger than the newer one.
    #[error("a log cannot shrink: {old} entries before, {new} after")]
    Shrinks {
        /// Older size.
        old: u64,
        /// Newer size.
        new: u64,
    },
    /// A leaf needed for the proof was not given.
    #[error("leaf hash of entry {index} is missing; the stored log is incomplete")]
    MissingLeaf {
        /// The entry.
        index: u64,
    },
    /// The proof has too few or too many hashes for these sizes.
    #[error("proof has {found} hashes, {expected} expected")]
    Length {
        /// Hashes that these sizes need.
        expected: usize,
        /// Hashes found.
        found: usize,
    },
    /// The hashes do not lead to the root.
    #[error("proof leads to root {computed}, signed root is {expected}")]
    Mismatch {
        /// Root that the proof leads to.
        computed: Hash,
        /// Root that was to be shown.
        expected: Hash,
    },
}

/// Proof that entry `index` is in the log of `size` entries, leaf's sibling first.
///
/// Reads every leaf but one through `leaf_at` and keeps O(log n) of them; for many proofs about one
/// log build a [`crate::Tree`].
///
/// # Errors
/// When there is no such entry, or `leaf_at` does not know a leaf below `size`.
pub fn inclusion_proof(index: u64, size: u64, leaf_at: impl Fn(u64) -> Option<Hash>) -> Result<Vec<Hash>, ProofError> {
    inclusion_ranges(index, size)?.into_iter().map(|range| hash_leaves(range, &leaf_at)).collect()
}

/// Proof that the log of `old` entries is the beginning of the log of `new` entries.
///
/// Reads leaves like [`inclusion_proof`].
///
/// # Errors
/// When `old` is larger than `new`, or `leaf_at` does not know a leaf below `new`.
pub fn consistency_proof(old: u64, new: u64, leaf_at: impl Fn(u64) -> Option<Hash>) -> Result<Vec<Hash>, ProofError> {
    consistency_ranges(old, new)?.into_iter().map(|range| hash_leaves(range, &leaf_at)).collect()
}

/// Checks that `leaf` is entry `index` of the log of `size` entries with this root.
///
/// # Errors
/// When it is not shown by this proof.
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, root: Hash, proof: &[Hash]) -> Result<(), ProofError> {
    check_length(inclusion_ranges(index, size)?.len(), proof)?;
    let (mut at, mut last, mut node) = (index, size - 1, leaf);
    for sibling in proof {
        if at & 1 == 1 || at == last {
            node = node_hash(sibling, &node);
            // At the right edge, levels without a sibling are skipped.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    check_root(node, root)
}

/// Checks that the log of `old` entries with `old_root` is the beginning of the log of `new` entries
/// with `new_root`. Every log begins with the empty log.
///
/// # Errors
/// When it is not shown by this proof.
pub fn verify_consistency(
    old: u64,
    old_root: Hash,
    new: u64,
    new_root: Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    check_length(consistency_ranges(old, new)?.len(), proof)?;
    if old == 0 {
        return check_root(Hash::of_empty_log(), old_root);
    }
    if old == new {
        return check_root(old_root, new_root);
    }
    // A perfect old tree is itself the first node of the path and is left out of the proof.
    let mut path = proof.iter().copied();
    let first = if old.is_power_of_two() { old_root } else { path.next().unwrap_or(old_root) };
    let shift = (old - 1).trailing_ones();
    let (mut at, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut old_node, mut new_node) = (first, first);
    for sibling in path {
        if at & 1 == 1 || at == last {
            old_node = node_hash(&sibling, &old_node);
            new_node = node_hash(&sibling, &new_node);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new_node = node_hash(&new_node, &sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    check_root(old_node, old_root)?;
    check_root(new_node, new_root)
}

/// The subtrees whose hashes make the inclusion proof, in proof order.
pub(crate) fn inclusion_ranges(index: u64, size: u64) -> Result<Vec<Range<u64>>, ProofError> {
    if index >= size {
        return Err(ProofError::NoSuchEntry { index, size });
    }
    let (mut start, mut end) = (0, size);
    let mut ranges = Vec::new();
    while end - start > 1 {
        let middle = start + left_size(end - start);
        if index < middle {
            ranges.push(middle..end);
            end = middle;
        } else {
            ranges.push(start..middle);
            start = middle;
        }
    }
    ranges.reverse();
    Ok(ranges)
}

/// The subtrees whose hashes make the consistency proof, in proof order.
pub(crate) fn consistency_ranges(old: u64, new: u64) -> Result<Vec<Range<u64>>, ProofError> {
    if old > new {
        return Err(ProofError::Shrinks { old, new });
    }
    let mut ranges = Vec::new();
    if old == 0 {
        return Ok(ranges);
    }
    let (mut start, mut end) = (0, new);
    while old != end {
        let middle = start + left_size(end - start);
        if old <= middle {
            ranges.push(middle..end);
            end = middle;
        } else {
            ranges.push(start..middle);
            start = middle;
        }
    }
    if start != 0 {
        ranges.push(start..end);
    }
    ranges.reverse();
    Ok(ranges)
}

/// Leaves in the left child of a subtree of `size` > 1 leaves: the largest power of two below `size`.
const fn left_size(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

fn hash_leaves(range: Range<u64>, leaf_at: impl Fn(u64) -> Option<Hash>) -> Result<Hash, ProofError> {
    let mut frontier = Frontier::empty();
    for index in range {
        frontier.append(leaf_at(index).ok_or(ProofError::MissingLeaf { index })?);
    }
    Ok(frontier.root())
}

const fn check_length(expected: usize, proof: &[Hash]) -> Result<(), ProofError> {
    if proof.len() == expected { Ok(()) } else { Err(ProofError::Length { expected, found: proof.len() }) }
}

fn check_root(computed: Hash, expected: Hash) -> Result<(), ProofError> {
    if computed == expected { Ok(()) } else { Err(ProofError::Mismatch { computed, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;

    const INPUTS: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];

    fn leaf(index: u64) -> Option<Hash> {
        INPUTS.get(usize::try_from(index).ok()?).map(|b| leaf_hash(b))
    }

    fn texts(proof: &[Hash]) -> Vec<String> {
        proof.iter().map(|h| h.to_string()[..8].to_owned()).collect()
    }

    /// Paths of the RFC 6962 reference code (first 8 digits of each hash).
    #[test]
    fn proofs_of_the_rfc_6962_reference_code() {
        let inclusion: [(u64, u64, &[&str]); 5] = [
            (0, 1, &[]),
            (0, 8, &["96a296d2", "5f083f0a", "6b47aaf2"]),
            (5, 8, &["bc1a0643", "ca854ea1", "d37ee418"]),
            (2, 3, &["fac54203"]),
            (1, 5, &["6e340b9c", "5f083f0a", "bc1a0643"]),
        ];
        for (index, size, expected) in inclusion {
            let proof = inclusion_proof(index, size, leaf).unwrap();
            assert_eq!(texts(&proof), expected, "entry {index} of {size}");
        }
        let consistency: [(u64, u64, &[&str]); 5] = [
            (1, 1, &[]),
            (1, 8, &["96a296d2", "5f083f0a", "6b47aaf2"]),
            (6, 8, &["0ebc5d34", "ca854ea1", "d37ee418"]),
            (2, 5, &["5f083f0a", "bc1a0643"]),
            (0, 5, &[]),
        ];
        for (old, new, expected) in consistency {
            let proof = consistency_proof(old, new, leaf).unwrap();
            assert_eq!(texts(&proof), expected, "{old} to {new}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(inclusion_proof(8, 8, leaf), Err(ProofError::NoSuchEntry { index: 8, size: 8 }));
        assert_eq!(inclusion_proof(0, 9, leaf), Err(ProofError::MissingLeaf { index: 8 }));
        assert_eq!(consistency_proof(3, 2, leaf), Err(ProofError::Shrinks { old: 3, new: 2 }));
        let root = Frontier::from_leaves((0..8).filter_map(leaf)).root();
        let mut proof = inclusion_proof(3, 8, leaf).unwrap();
        let entry = leaf(3).unwrap();
        assert_eq!(verify_inclusion(entry, 3, 8, root, &proof), Ok(()));
        assert!(verify_inclusion(entry, 2, 8, root, &proof).is_err());
        proof.push(entry);
        assert_eq!(verify_inclusion(entry, 3, 8, root, &proof), Err(ProofError::Length { expected: 3, found: 4 }));
        assert!(verify_consistency(0, root, 8, root, &[]).is_err());
    }
}
